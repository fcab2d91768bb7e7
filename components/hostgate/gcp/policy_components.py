"""A firewall policy with its rules and associations, as children of a component."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import pulumi
from pulumi_gcp import compute, dns
from pydantic.alias_generators import to_snake

from hostgate.allowlist import AllowlistError, Registration
from hostgate.catalog.problems import spelled
from hostgate.default_base import hand_out
from hostgate.gcp.clients import client_kind
from hostgate.gcp.firewall_policy import ASSOCIATION, EDGE_SLOT, POLICY, RULE
from hostgate.gcp.firewall_policy_options import LINK, ONE_PROJECT, FirewallPolicyOptions
from hostgate.gcp.links import Link, check_node, check_project, read_link
from hostgate.gcp.resources import Scope
from hostgate.gcp.resources_dns import POLICY_TYPE as RESPONSE_POLICY_TYPE
from hostgate.gcp.resources_dns import RULE_TYPE as RESPONSE_RULE_TYPE

Value = TypeVar("Value")

_CLASSES: Mapping[Scope, tuple[type[Any], type[Any], type[Any]]] = {
    "global": (
        compute.NetworkFirewallPolicy,
        compute.NetworkFirewallPolicyRule,
        compute.NetworkFirewallPolicyAssociation,
    ),
    "region": (
        compute.RegionNetworkFirewallPolicy,
        compute.RegionNetworkFirewallPolicyRule,
        compute.RegionNetworkFirewallPolicyAssociation,
    ),
    "hierarchical": (compute.FirewallPolicy, compute.FirewallPolicyRule, compute.FirewallPolicyAssociation),
}


def make_policy(
    component: pulumi.ComponentResource,
    name: str,
    prepared: Registration,
    options: FirewallPolicyOptions,
    groups: Mapping[str, Any] = {},
    inspected: Sequence[pulumi.Resource] = (),
    lists: Mapping[str, tuple[Any, pulumi.Resource]] = {},
) -> "pulumi.Output[str]":
    """The name of the policy of the plan (of a hierarchical one its number), which is made or attached to, with its rules
    and associations as children of `component`. Raises AllowlistError.

    `groups`: what stands for each security profile group that the plan's rules name; `inspected`: what has to be there
    before a rule sends anything to one. `lists`: what stands for each address group that they name, and the group, which
    has to be there first: a rule that names one that is not there matches every destination.
    """
    place = PolicyPlace(name, options, prepared.outputs)
    kind_of_policy, kind_of_rule, kind_of_association = _CLASSES[options.scope]
    policy: pulumi.Output[str] = pulumi.Output.from_input(place.attach)
    for each in prepared.plan.objects:
        if each.kind == POLICY:
            child = prepared.child(name, each)
            # No `name`: the engine's own keeps a replacement from deleting first. A hierarchical policy has none of it.
            named = {"name": prepared.adopted_name(child)}
            if options.scope == "hierarchical":
                named = {"short_name": each.body["shortName"], "parent": place.parent}
            policy = kind_of_policy(
                child,
                description=each.body["description"],
                opts=prepared.options(component, child),
                **named,
                **place.stated,
            ).name
    # Every rule waits for those of other kinds before it: the deny comes after the hosts and the private ranges, and
    # on destroy it goes before them. Into audit it is the other way round: no host goes before everything passes.
    rules: list[tuple[tuple[str, bool], pulumi.Resource]] = []
    ordered = [each for each in prepared.plan.objects if each.kind == RULE]
    for each in reversed(ordered) if options.mode == "audit" else ordered:
        child = prepared.child(name, each)
        kind = (each.body["action"], each.body["priority"] - options.base < EDGE_SLOT)
        earlier = [rule for other, rule in rules if other != kind]
        # Nested mappings go as the API has them: the SDK passes on what is spelled that way already.
        stated = {to_snake(key): value for key, value in each.body.items()} | place.rules | place.stated
        group = groups.get(each.body.get("securityProfileGroup", ""))
        if group is not None:
            stated["security_profile_group"] = group
            earlier += inspected
        if held := [lists[path] for path in each.body["match"].get("destAddressGroups", ())]:
            stated["match"] = {**each.body["match"], "destAddressGroups": [path for path, _ in held]}
            earlier += [listed for _, listed in held]
        made = kind_of_rule(
            child, firewall_policy=policy, opts=prepared.options(component, child, depends_on=earlier), **stated
        )
        rules.append((kind, made))
    associations = (each for each in prepared.plan.objects if each.kind == ASSOCIATION)
    for each, target in zip(associations, place.attached if options.attach is None else (), strict=True):
        # A whole policy is associated, never a half-made one. One global policy fits a network: a replacement beside
        # the old association is refused, which is better than a network without a deny. So a new name replaces none.
        child = prepared.child(name, each)
        kind_of_association(
            child,
            name=each.body["name"],
            attachment_target=each.body["attachmentTarget"] if target is None else target,
            firewall_policy=policy,
            opts=prepared.options(component, child, depends_on=[rule for _, rule in rules], ignore_changes=["name"]),
            **place.stated,
        )
    _make_answers(component, name, prepared, place, [rule for _, rule in rules])
    hand_out(name, prepared.plan, policy)
    return policy


def _make_answers(
    component: pulumi.ComponentResource,
    name: str,
    prepared: Registration,
    place: "PolicyPlace",
    rules: Sequence[pulumi.Resource],
) -> None:
    """The response policy of the plan with its rules. Names are led to addresses that the firewall allows by then."""
    made: Any = None
    for each in prepared.plan.objects:
        child = prepared.child(name, each)
        if each.kind == RESPONSE_POLICY_TYPE.kind:
            stated = (one["networkUrl"] for one in each.body["networks"])
            real = [link if given is None else given for link, given in zip(stated, place.attached, strict=True)]
            made = dns.ResponsePolicy(
                child,
                response_policy_name=each.body["responsePolicyName"],
                description=each.body["description"],
                networks=[dns.ResponsePolicyNetworkArgs(network_url=link) for link in real],
                project=place.project,
                opts=prepared.options(component, child, ignore_changes=["responsePolicyName"]),
            )
        elif each.kind == RESPONSE_RULE_TYPE.kind:
            dns.ResponsePolicyRule(
                child,
                response_policy=made.response_policy_name,
                rule_name=each.body["ruleName"],
                dns_name=each.body["dnsName"],
                local_data=each.body["localData"],
                project=place.project,
                opts=prepared.options(component, child, depends_on=rules),
            )


class PolicyPlace:
    """Where the resources go and whom the rules are about. What is an Output is read once it is known.

    The project goes to every resource: the provider reads none out of a link, and puts a rule into the policy of that
    name in its own project.
    """

    def __init__(self, name: str, options: FirewallPolicyOptions, outputs: Mapping[str, Any]) -> None:
        self.name, self.options, self.outputs = name, options, outputs
        self.parent = outputs.get("parent", options.parent)
        if "parent" in outputs:
            self.parent = outputs["parent"].apply(partial(self._checked, "parent", check_node))
        network = self._listed("networks", self._network)
        nodes = self._listed("nodes", lambda key, text: self._checked(key, check_node, text))
        self.networks = network
        self.attached = nodes if options.scope == "hierarchical" else network
        """What is associated: Outputs, and None where the plan has it."""
        self.rules = self._clients()
        """Of the rules, inputs that have Outputs in them."""
        if options.target_resources and (given := [each for each in network if each is not None]):
            stated = [text for text in options.target_resources if "/" in text]
            self.rules["target_resources"] = pulumi.Output.all(*stated, *given).apply(sorted)
        self.project, self.attach = self._project()
        self.stated: dict[str, Any] = {} if options.scope == "hierarchical" else {"project": self.project}
        """What every resource says of its place."""
        if options.scope == "region":
            self.stated["region"] = options.in_region

    def _clients(self) -> dict[str, Any]:
        found = {index: self.outputs.get(f"from_[{index}]") for index in range(len(self.options.from_))}
        if not any(each is not None for each in found.values()):
            return {}
        stated = [self.options.from_[index] if each is None else each for index, each in found.items()]
        known = pulumi.Output.all(*stated).apply(self._read_clients)
        return {
            "target_service_accounts": known.apply(lambda kinds: kinds["account"] or None),
            "target_secure_tags": known.apply(lambda kinds: [{"name": tag} for tag in kinds["tag"]] or None),
        }

    def _read_clients(self, clients: Sequence[Any]) -> dict[str, list[str]]:
        kinds: dict[str, list[str]] = {"account": [], "tag": [], "range": []}
        for index, text in enumerate(clients):
            kind = client_kind(text) if isinstance(text, str) else None
            if kind is None or (kind == "range" and f"from_[{index}]" in self.outputs):
                raise AllowlistError(
                    f"{self.name}: `from_[{index}]`: found an Output of {spelled(text)}. Allowed: a service account's email, or "
                    "a secure tag as tagValues/123."
                )
            kinds[kind].append(text)
        if kinds["account"] and kinds["tag"]:
            raise AllowlistError(
                f"{self.name}: `from_`: found service accounts and secure tags. Allowed in one rule: one of the two kinds."
            )
        return {kind: sorted(set(listed)) for kind, listed in kinds.items()}

    def _listed(self, option: str, read: Callable[[str, Any], str]) -> list["pulumi.Output[str] | None"]:
        keys = [f"{option}[{index}]" for index in range(len(getattr(self.options, option)))]
        found = [(key, self.outputs.get(key)) for key in keys]
        return [None if each is None else each.apply(partial(read, key)) for key, each in found]

    def _checked(self, key: str, read: Callable[[str], Value], text: Any) -> Value:
        if not isinstance(text, str):
            raise AllowlistError(f"{self.name}: `{key}`: found an Output of {spelled(text)}. Allowed: one of text.")
        try:
            return read(text)
        except ValueError as error:
            raise AllowlistError(f"{self.name}: `{key}`: {error}") from None

    def _link(self, key: str, text: str) -> Link:
        return self._checked(
            key, partial(read_link, collection="firewallPolicies" if key == "attach" else "networks"), text
        )

    def _one(self, projects: Sequence[str | None]) -> str | None:
        stated = sorted({each for each in (self.options.in_project, *projects) if each is not None})
        if len(stated) > 1:
            raise AllowlistError(f"{self.name}: found several projects: {', '.join(stated)}. {ONE_PROJECT}")
        return stated[0] if stated else None

    def _project_of(self, key: str, text: str) -> str | None:
        return self._link(key, text).project

    def _network(self, key: str, text: str) -> str:
        found = self._link(key, text)
        above = self.options.scope == "hierarchical"
        path = found.path(None if above else self._one([found.project]))
        if path is None:
            also = "" if above else ", or `project` too"
            raise AllowlistError(f"{self.name}: `{key}`: found the name {text!a}. Allowed: the network's id{also}.")
        if above:
            return text if text.startswith("https://") else f"{LINK}{path}"
        return text if found.project else path

    def _policy(self, text: str) -> str:
        """What the provider takes for an attached policy that was an Output."""
        found, options = self._link("attach", text), self.options
        said = {"global": "no `region` and no `parent`", "region": "`region`", "hierarchical": "`parent`"}
        scope: Scope = "hierarchical" if found.hierarchical else "region" if found.region else "global"
        if (found.project or found.hierarchical) and (scope, found.region) != (options.scope, options.in_region):
            raise AllowlistError(
                f"{self.name}: `attach`: found an Output of {text!a} with {said[options.scope]}. Allowed: a policy of that scope."
            )
        self._one([found.project])
        return text

    def _project(self) -> tuple[Any, Any]:
        """Project, and the policy of another owner."""
        options, outputs = self.options, self.outputs
        attach: Any = options.attach or ""
        networks = [(key, each) for key, each in outputs.items() if key.startswith("networks[")]
        stated = [each.apply(partial(self._project_of, key)) for key, each in networks]
        if "attach" in outputs:
            attach = outputs["attach"].apply(self._policy)
            stated.append(outputs["attach"].apply(partial(self._project_of, "attach")))
        if options.scope == "hierarchical":
            return None, attach
        if "project" in outputs:
            stated.append(outputs["project"].apply(partial(self._checked, "project", check_project)))
        elif options.in_project is not None or not stated:
            return options.in_project, attach
        return pulumi.Output.all(*stated).apply(self._one), attach
