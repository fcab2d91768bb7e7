"""A firewall policy with its rules and associations, as children of a component."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import pulumi
from pulumi_gcp import compute

from hostgate.allowlist import AllowlistError, Registration
from hostgate.catalog.problems import spelled
from hostgate.gcp.firewall_policy import ASSOCIATION, POLICY, RULE
from hostgate.gcp.firewall_policy_options import ONE_PROJECT, FirewallPolicyOptions
from hostgate.gcp.links import Link, check_project, read_link
from hostgate.planning.mechanism import CloudObject

Value = TypeVar("Value")


def make_policy(
    component: pulumi.ComponentResource,
    name: str,
    prepared: Registration,
    options: FirewallPolicyOptions,
    groups: Mapping[str, Any] = {},
    inspected: Sequence[pulumi.Resource] = (),
) -> "pulumi.Output[str]":
    """The name of the policy of the plan, which is made or attached to, with its rules and associations as children of
    `component`. Raises AllowlistError.

    `groups`: what stands for each security profile group that the plan's rules name; `inspected`: what has to be there
    before a rule sends anything to one.
    """
    project, attach, networks = place_of(name, options, prepared.outputs)
    policy: pulumi.Output[str] = pulumi.Output.from_input(attach)
    for each in prepared.plan.objects:
        if each.kind == POLICY:
            child = prepared.child(name, each)
            # No `name`: the engine's own keeps a replacement from deleting first.
            made = compute.NetworkFirewallPolicy(
                child,
                name=prepared.adopted_name(child),
                description=each.body["description"],
                project=project,
                opts=prepared.options(component, child),
            )
            policy = made.name
    # Every rule waits for those of other kinds before it: the deny comes after the hosts and the private ranges, and
    # on destroy it goes before them. Into audit it is the other way round: no host goes before everything passes.
    rules: list[tuple[tuple[str, bool], pulumi.Resource]] = []
    ordered = [each for each in prepared.plan.objects if each.kind == RULE]
    for each in reversed(ordered) if options.mode == "audit" else ordered:
        child = prepared.child(name, each)
        kind = (each.body["action"], "destFqdns" in each.body["match"])
        earlier = [rule for other, rule in rules if other != kind]
        group = groups.get(each.body.get("securityProfileGroup", ""))
        child_options = prepared.options(component, child, depends_on=[*earlier, *(inspected if group else ())])
        rules.append((kind, _rule(child, each, policy, project, group, child_options)))
    associations = (each for each in prepared.plan.objects if each.kind == ASSOCIATION)
    for each, network in zip(associations, networks if options.attach is None else (), strict=True):
        # A whole policy is associated, never a half-made one. One global policy fits a network: a replacement beside
        # the old association is refused, which is better than a network without a deny.
        child = prepared.child(name, each)
        compute.NetworkFirewallPolicyAssociation(
            child,
            name=each.body["name"],
            attachment_target=each.body["attachmentTarget"] if network is None else network,
            firewall_policy=policy,
            project=project,
            opts=prepared.options(component, child, depends_on=[rule for _, rule in rules]),
        )
    return policy


def place_of(
    name: str, options: FirewallPolicyOptions, outputs: Mapping[str, Any]
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
    group: Any,
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
        security_profile_group=group,
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
