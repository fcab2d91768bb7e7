"""hostgate.aws.DnsFirewallAllowlist: the plan of aws:dns-firewall as Pulumi resources."""

from typing import Any, Unpack

import pulumi
from pulumi_aws import route53

from hostgate.allowlist import AllowlistComponent, Registration, SelectionArgs, prepare, report
from hostgate.aws.dns_firewall import SLOTS, WRITTEN
from hostgate.aws.dns_firewall_options import DnsFirewallOptions
from hostgate.aws.query_kinds import ASSOCIATION, CONFIG, DOMAIN_LIST, PROFILE_ASSOCIATION, RULE, RULE_GROUP
from hostgate.catalog.selection import Selection
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan


class DnsFirewallAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    vpcs: list[pulumi.Input[str]]
    """Ids of the VPCs to associate the rule group with."""
    profiles: list[pulumi.Input[str]]
    """Ids of the Route 53 Profiles to associate the rule group with, and by them every VPC that has one."""
    base: float
    """Priority of the association among the rule groups of a VPC or a Profile, 101 to 9900; 9000 unless given."""
    inside: list[str]
    """Zones of your own that are answered as before, at and below."""
    block_response: str
    """NODATA (the default), NXDOMAIN or OVERRIDE."""
    override_domain: str
    """The CNAME that a blocked query is answered with, for OVERRIDE."""
    override_ttl: float
    """Seconds for which that answer may be cached; 0 unless given."""
    fail_mode: str
    """closed (the default) or open while DNS Firewall does not answer; unset leaves the VPC's setting alone."""
    mutation_protection: bool
    """Whether the associations cannot be changed or deleted until it is turned off again; no unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class DnsFirewallAllowlist(AllowlistComponent):
    """Domain lists and a rule group of Route 53 Resolver DNS Firewall that answer the hosts and block the rest."""

    rule_group_id: pulumi.Output[str]
    """Id of the rule group, for associations of your own."""
    rule_group_arn: pulumi.Output[str]
    """ARN of the rule group, for sharing it with other accounts."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: DnsFirewallAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[DnsFirewallAllowlistArgs],
    ) -> None:
        """`hosts` is a Selection and other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("aws:dns-firewall",))
        super().__init__("hostgate-aws:index:DnsFirewallAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, DnsFirewallOptions)
        tags = prepared.tags
        group = self._group(prepared, tags)
        rules = self._rules(prepared, group, tags)
        vpcs = [prepared.real(f"vpcs[{index}]", vpc) for index, vpc in enumerate(plan.options.vpcs)]
        configs: list[pulumi.Resource] = []
        for each, vpc in zip(_of(prepared, CONFIG), vpcs, strict=False):  # none where the fail mode is unset
            child = prepared.child(name, each)
            made = route53.ResolverFirewallConfig(
                child,
                resource_id=vpc,
                firewall_fail_open=each.body["FirewallFailOpen"],
                opts=_adopting(prepared, child, prepared.options(self, child)),
            )
            configs.append(made)
        for each, vpc in zip(_of(prepared, ASSOCIATION), vpcs, strict=True):
            # A whole group is associated, never a half-made one; and on destroy the deny goes before its exceptions.
            child = prepared.child(name, each)
            route53.ResolverFirewallRuleGroupAssociation(
                child,
                firewall_rule_group_id=group.id,
                vpc_id=vpc,
                priority=each.body["Priority"],
                mutation_protection=each.body.get("MutationProtection"),
                tags=tags,
                opts=_adopting(prepared, child, prepared.options(self, child, depends_on=[*rules, *configs])),
            )
        for index, each in enumerate(_of(prepared, PROFILE_ASSOCIATION)):
            child = prepared.child(name, each)
            route53.ProfilesResourceAssociation(
                child,
                profile_id=prepared.real(f"profiles[{index}]", each.body["ProfileId"]),
                resource_arn=group.arn,
                resource_properties=each.body["ResourceProperties"],
                opts=_adopting(prepared, child, prepared.options(self, child, depends_on=[*rules, *configs])),
            )
        self.rule_group_id = group.id
        self.rule_group_arn = group.arn
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs(
            {"ruleGroupId": self.rule_group_id, "ruleGroupArn": self.rule_group_arn, "digest": self.digest}
        )

    def _group(self, prepared: Registration, tags: dict[str, Any] | None) -> route53.ResolverFirewallRuleGroup:
        (each,) = _of(prepared, RULE_GROUP)
        child = prepared.child(self._name, each)
        # No `name`, here and below: the engine's own lets a replacement be made beside the old object.
        return route53.ResolverFirewallRuleGroup(
            child, tags=tags, opts=_adopting(prepared, child, prepared.options(self, child))
        )

    def _rules(
        self, prepared: Registration, group: route53.ResolverFirewallRuleGroup, tags: dict[str, Any] | None
    ) -> list[pulumi.Resource]:
        """The lists and their rules, one kind after another."""
        lists = {each.name: each for each in _of(prepared, DOMAIN_LIST)}
        earlier: list[pulumi.Resource] = []
        for kind in WRITTEN[prepared.plan.options.mode]:
            made: list[pulumi.Resource] = []
            for each in _of(prepared, RULE):
                body = each.body
                if not kind <= body["Priority"] < kind + SLOTS.max:
                    continue
                listed = lists[body["FirewallDomainListId"]]
                child = prepared.child(self._name, listed)
                domains = route53.ResolverFirewallDomainList(
                    child,
                    domains=listed.body["Domains"],
                    tags=tags,
                    opts=_adopting(prepared, child, prepared.options(self, child, depends_on=earlier)),
                )
                child = prepared.child(self._name, each)
                made.append(
                    route53.ResolverFirewallRule(
                        child,
                        firewall_rule_group_id=group.id,
                        firewall_domain_list_id=domains.id,
                        firewall_domain_redirection_action=body["FirewallDomainRedirectionAction"],
                        priority=body["Priority"],
                        action=body["Action"],
                        block_response=body.get("BlockResponse"),
                        block_override_domain=body.get("BlockOverrideDomain"),
                        block_override_dns_type=body.get("BlockOverrideDnsType"),
                        block_override_ttl=body.get("BlockOverrideTtl"),
                        opts=_adopting(prepared, child, prepared.options(self, child, depends_on=earlier)),
                    )
                )
            earlier = [*earlier, *made]
        return earlier


def _of(prepared: Registration, kind: str) -> list[CloudObject]:
    return [each for each in prepared.plan.objects if each.kind == kind]


def _adopting(prepared: Registration, child: str, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """`opts`; an adopted object keeps its name in the cloud, which its id does not tell."""
    if prepared.adopt.get(child) is not None:
        opts.ignore_changes = ["name"]
    return opts
