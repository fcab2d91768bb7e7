"""hostgate.gcp.FirewallPolicyAllowlist: the plan of gcp:fqdn as Pulumi resources."""

from typing import Any

import pulumi
from pulumi_gcp import compute

from hostgate.allowlist import SelectionArgs, prepare, report
from hostgate.catalog.selection import Selection
from hostgate.gcp.fqdn import ASSOCIATION, POLICY, RULE
from hostgate.planning.mechanism import CloudObject


class FirewallPolicyAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    mechanism: str
    """fqdn."""
    attach: pulumi.Input[str]
    """An existing global network firewall policy, by id or name; a new one is made unless given."""
    networks: list[pulumi.Input[str]]
    """VPC networks to associate a new policy with."""
    from_: list[str]
    """Target service accounts, or secure tags; every instance unless given."""
    families: list[str]
    """Address families to deny; ipv4 and ipv6 unless given."""
    base: float
    """Priority of the first rule; 2000 unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class FirewallPolicyAllowlist(pulumi.ComponentResource):
    """Egress rules with FQDN objects, and a deny of the rest, in a global network firewall policy."""

    policy: pulumi.Output[str]
    """The policy that holds the rules."""
    rules: pulumi.Output[list[str]]
    """Names of the rules, by priority."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: FirewallPolicyAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection = None,  # type: ignore[assignment]
        **options: Any,
    ) -> None:
        """`hosts` is a Selection and other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, options, opts, ("gcp:fqdn",))
        super().__init__("hostgate-gcp:index:FirewallPolicyAllowlist", name, prepared.inputs, opts)
        plan = prepared.plan
        self.policy = pulumi.Output.from_input(
            prepared.outputs.get("attach", getattr(plan.options, "attach", None) or "")
        )
        for each in plan.objects:
            if each.kind == POLICY:
                child = prepared.child(name, each)
                # No `name`: the engine's own keeps a replacement from deleting first.
                policy = compute.NetworkFirewallPolicy(
                    child,
                    name=prepared.adopted_name(child),
                    description=each.body["description"],
                    opts=prepared.options(self, child),
                )
                self.policy = policy.name
        # Every rule waits for those of other kinds before it: the deny comes after the hosts and the private ranges, and
        # on destroy it goes before them. Into audit it is the other way round: no host goes before everything passes.
        rules: list[tuple[tuple[str, bool], pulumi.Resource]] = []
        ordered = [each for each in plan.objects if each.kind == RULE]
        for each in reversed(ordered) if plan.options.mode == "audit" else ordered:
            child = prepared.child(name, each)
            kind = (each.body["action"], "destFqdns" in each.body["match"])
            earlier = [rule for other, rule in rules if other != kind]
            rules.append((kind, _rule(child, each, self.policy, prepared.options(self, child, depends_on=earlier))))
        for each, network in zip(
            (each for each in plan.objects if each.kind == ASSOCIATION),
            prepared.outputs.get("networks", ()),
            strict=True,
        ):
            # A whole policy is associated, never a half-made one. One global policy fits a network: a replacement beside
            # the old association is refused, which is better than a network without a deny.
            child = prepared.child(name, each)
            compute.NetworkFirewallPolicyAssociation(
                child,
                name=each.body["name"],
                attachment_target=network,
                firewall_policy=self.policy,
                opts=prepared.options(self, child, depends_on=[rule for _, rule in rules]),
            )
        self.rules = pulumi.Output.from_input([each.name for each in plan.objects if each.kind == RULE])
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs({"policy": self.policy, "rules": self.rules, "digest": self.digest})


def _rule(
    child: str, each: CloudObject, policy: "pulumi.Output[str]", opts: pulumi.ResourceOptions
) -> compute.NetworkFirewallPolicyRule:
    body, match = each.body, each.body["match"]
    return compute.NetworkFirewallPolicyRule(
        child,
        rule_name=body["ruleName"],
        description=body["description"],
        firewall_policy=policy,
        priority=body["priority"],
        direction=body["direction"],
        action=body["action"],
        enable_logging=body.get("enableLogging"),
        target_service_accounts=body.get("targetServiceAccounts"),
        target_secure_tags=[
            compute.NetworkFirewallPolicyRuleTargetSecureTagArgs(name=tag["name"])
            for tag in body.get("targetSecureTags", ())
        ]
        or None,
        match=compute.NetworkFirewallPolicyRuleMatchArgs(
            dest_fqdns=match.get("destFqdns"),
            dest_ip_ranges=match.get("destIpRanges"),
            layer4_configs=[
                compute.NetworkFirewallPolicyRuleMatchLayer4ConfigArgs(
                    ip_protocol=config["ipProtocol"], ports=config.get("ports")
                )
                for config in match["layer4Configs"]
            ],
        ),
        opts=opts,
    )
