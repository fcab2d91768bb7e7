"""hostgate.gcp.FirewallPolicyAllowlist: the plan of gcp:fqdn as Pulumi resources."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import pulumi
from pulumi_gcp import compute

from hostgate.allowlist import AllowlistError, SelectionArgs, prepare, report
from hostgate.catalog.problems import spelled
from hostgate.catalog.selection import Selection
from hostgate.gcp.fqdn import ASSOCIATION, POLICY, RULE
from hostgate.gcp.fqdn_options import ONE_PROJECT, FqdnPolicyOptions
from hostgate.gcp.links import Link, check_project, read_link
from hostgate.planning.mechanism import CloudObject

Value = TypeVar("Value")


class FirewallPolicyAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    mechanism: str
    """fqdn."""
    attach: pulumi.Input[str]
    """An existing global network firewall policy, by id or name; a new one is made unless given."""
    project: pulumi.Input[str]
    """The project of everything that is made; that of attach or networks unless given, else the provider's."""
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
        assert isinstance(plan.options, FqdnPolicyOptions)
        project, attach, networks = _place(name, plan.options, prepared.outputs)
        self.policy = pulumi.Output.from_input(attach)
        for each in plan.objects:
            if each.kind == POLICY:
                child = prepared.child(name, each)
                # No `name`: the engine's own keeps a replacement from deleting first.
                policy = compute.NetworkFirewallPolicy(
                    child,
                    name=prepared.adopted_name(child),
                    description=each.body["description"],
                    project=project,
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
            opts = prepared.options(self, child, depends_on=earlier)
            rules.append((kind, _rule(child, each, self.policy, project, opts)))
        associations = (each for each in plan.objects if each.kind == ASSOCIATION)
        for each, network in zip(associations, networks, strict=True):
            # A whole policy is associated, never a half-made one. One global policy fits a network: a replacement beside
            # the old association is refused, which is better than a network without a deny.
            child = prepared.child(name, each)
            compute.NetworkFirewallPolicyAssociation(
                child,
                name=each.body["name"],
                attachment_target=each.body["attachmentTarget"] if network is None else network,
                firewall_policy=self.policy,
                project=project,
                opts=prepared.options(self, child, depends_on=[rule for _, rule in rules]),
            )
        self.rules = pulumi.Output.from_input([each.name for each in plan.objects if each.kind == RULE])
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs({"policy": self.policy, "rules": self.rules, "digest": self.digest})


def _place(
    name: str, options: FqdnPolicyOptions, outputs: Mapping[str, Any]
) -> tuple[Any, Any, list[pulumi.Output[str] | None]]:
    """Project, the policy of another owner, and the networks. What is an Output is read once it is known; a network that
    is none is None, since the plan has it.

    The project goes to every resource: the provider reads none out of a link, and puts a rule into the policy of that
    name in its own project.
    """

    def checked(key: str, read: Callable[[str], Value], text: Any) -> Value:
        if not isinstance(text, str):
            raise AllowlistError(f"{name}: `{key}`: found an Output of {spelled(text)}. Allowed: one of text.")
        try:
            return read(text)
        except ValueError as error:
            raise AllowlistError(f"{name}: `{key}`: {error}") from None

    def link(key: str, text: str) -> Link:
        return checked(key, partial(read_link, collection="firewallPolicies" if key == "attach" else "networks"), text)

    def one(projects: Sequence[str | None]) -> str | None:
        stated = sorted({each for each in (options.in_project, *projects) if each is not None})
        if len(stated) > 1:
            raise AllowlistError(f"{name}: found several projects: {', '.join(stated)}. {ONE_PROJECT}")
        return stated[0] if stated else None

    def project_of(key: str, text: str) -> str | None:
        return link(key, text).project

    def network(key: str, text: str) -> str:
        found = link(key, text)
        path = found.path(one([found.project]))
        if path is None:
            raise AllowlistError(
                f"{name}: `{key}`: found the name {text!a}. Allowed: the network's id, or `project` too."
            )
        return text if found.project else path

    listed = {key: outputs.get(key) for key in (f"networks[{index}]" for index in range(len(options.networks)))}
    networks = [None if each is None else each.apply(partial(network, key)) for key, each in listed.items()]
    attach: Any = options.attach or ""
    stated = [each.apply(partial(project_of, key)) for key, each in listed.items() if each is not None]
    if "attach" in outputs:
        attach = outputs["attach"].apply(lambda text: (one([project_of("attach", text)]), text)[1])
        stated.append(outputs["attach"].apply(partial(project_of, "attach")))
    if "project" in outputs:
        stated.append(outputs["project"].apply(partial(checked, "project", check_project)))
    elif options.in_project is not None or not stated:
        return options.in_project, attach, networks
    return pulumi.Output.all(*stated).apply(one), attach, networks


def _rule(
    child: str,
    each: CloudObject,
    policy: "pulumi.Output[str]",
    project: Any,
    opts: pulumi.ResourceOptions,
) -> compute.NetworkFirewallPolicyRule:
    body, match = each.body, each.body["match"]
    return compute.NetworkFirewallPolicyRule(
        child,
        rule_name=body["ruleName"],
        description=body["description"],
        firewall_policy=policy,
        project=project,
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
