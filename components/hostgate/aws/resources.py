"""AWS resources: how a plan's bodies, in the API's spelling, read as the inputs of the provider."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hostgate.aws import firewall_kinds, query_kinds
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.mechanism import CloudObject

TOKENS: Final[Mapping[str, str]] = {
    firewall_kinds.RULE_GROUP: "aws:networkfirewall/ruleGroup:RuleGroup",
    firewall_kinds.POLICY: "aws:networkfirewall/firewallPolicy:FirewallPolicy",
    query_kinds.DOMAIN_LIST: "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList",
    query_kinds.RULE_GROUP: "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup",
    query_kinds.RULE: "aws:route53/resolverFirewallRule:ResolverFirewallRule",
}
"""Types of the provider by those of the API."""

_QUERY_GROUP: Final = TOKENS[query_kinds.RULE_GROUP]
_QUERY_RULE: Final = TOKENS[query_kinds.RULE]

_LISTED: Final[Mapping[str, tuple[str, str]]] = {
    "IPSets": ("ipSet", "Definition"),
    "PortSets": ("portSet", "Definition"),
    "RuleVariables": ("ipSet", "Definition"),
}
"""Maps of the API that the provider has as lists with a `key`, and what stands beside it."""


def snapshot_of(objects: Sequence[CloudObject]) -> Snapshot:
    """The objects of a plan as a snapshot. They refer to each other by name; rules belong to the one rule group there is."""
    return Snapshot(tuple(_resources(objects)), "the plan")


def _resources(objects: Sequence[CloudObject]) -> Iterator[Resource]:
    group = next((each.name for each in objects if TOKENS.get(each.kind) == _QUERY_GROUP), None)
    for each in objects:
        token = TOKENS.get(each.kind)
        if token is None:
            continue
        properties = inputs_of(each)
        if token == _QUERY_RULE:
            properties["firewallRuleGroupId"] = group
        yield Resource(
            urn=f"plan::{each.kind}::{each.name}", type=token, name=each.name, properties=properties, id=each.name
        )


def inputs_of(each: CloudObject) -> dict[str, Any]:
    """The body of an object as the provider's inputs."""
    inputs: dict[str, Any] = _camel(each.body)
    inputs["name"] = each.name
    return inputs


def _camel(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_name(key): _under(key, item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list | tuple) else value


def _under(key: str, value: Any) -> Any:
    if key == "RuleVariables" and not {"IPSets", "PortSets"} & set(value):
        return _keyed(value, *_LISTED[key])
    if key in ("IPSets", "PortSets"):
        return _keyed(value, *_LISTED[key])
    if key == "IPSetReferences":
        return [
            {"key": name, "ipSetReferences": [{"referenceArn": each["ReferenceArn"]}]} for name, each in value.items()
        ]
    return _camel(value)


def _keyed(value: Mapping[str, Any], inner: str, definition: str) -> list[dict[str, Any]]:
    return [{"key": name, inner: {"definitions": list(each[definition])}} for name, each in value.items()]


def _name(key: str) -> str:
    for prefix in ("IPSet", "TLS"):
        if key.startswith(prefix):
            return prefix.lower() + key[len(prefix) :] if prefix == "TLS" else "ipSet" + key[len(prefix) :]
    return key[:1].lower() + key[1:]


NATIVE: Final[Mapping[str, str]] = {
    "aws-native:networkfirewall:RuleGroup": "aws:networkfirewall/ruleGroup:RuleGroup",
    "aws-native:networkfirewall:FirewallPolicy": "aws:networkfirewall/firewallPolicy:FirewallPolicy",
    "aws-native:networkfirewall:Firewall": "aws:networkfirewall/firewall:Firewall",
}
"""Types of the provider by those of its twin, whose keys are the API's in camelCase."""

_NATIVE_ARNS: Final[Mapping[str, str]] = {
    "aws-native:networkfirewall:RuleGroup": "ruleGroupArn",
    "aws-native:networkfirewall:FirewallPolicy": "firewallPolicyArn",
    "aws-native:networkfirewall:Firewall": "firewallArn",
}
_NATIVE_LISTED: Final[Mapping[str, str]] = {"ipSets": "ipSet", "portSets": "portSet", "ruleVariables": "ipSet"}


def canonical(resource: Resource) -> Resource:
    """The resource as the classic provider has it; one of another type as it is."""
    if resource.type not in NATIVE:
        return resource
    properties: dict[str, Any] = {key: _from_native(key, value) for key, value in resource.properties.items()}
    arn = properties.get(_NATIVE_ARNS[resource.type])
    if arn is not None:
        properties["arn"] = arn
    return replace(resource, type=NATIVE[resource.type], properties=properties)


def _from_native(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = _NATIVE_LISTED.get(key)
        if inner is not None and not (key == "ruleVariables" and {"ipSets", "portSets"} & set(value)):
            return [
                {"key": name, inner: {"definitions": each.get("definition") if isinstance(each, Mapping) else each}}
                for name, each in value.items()
            ]
        if key == "ipSetReferences":
            return [{"key": name, "ipSetReferences": [each]} for name, each in value.items()]
        return {name: _from_native(name, each) for name, each in value.items()}
    return [_from_native("", each) for each in value] if isinstance(value, list | tuple) else value
