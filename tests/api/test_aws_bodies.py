"""AWS bodies against the service model that botocore ships: patterns, enums, sizes, required and unknown keys."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader  # type: ignore[import-untyped]

from api.plans import objects

RULE_GROUP, POLICY = "AWS::NetworkFirewall::RuleGroup", "AWS::NetworkFirewall::FirewallPolicy"
REFERENCES = f"{POLICY}.StatefulRuleGroupReferences"
LIST, GROUP = "AWS::Route53Resolver::FirewallDomainList", "AWS::Route53Resolver::FirewallRuleGroup"
ASSOCIATION, CONFIG = f"{GROUP}Association", "AWS::Route53Resolver::FirewallConfig"
FIREWALL, RESOLVER = "network-firewall", "route53resolver"
SHAPES = {
    RULE_GROUP: (FIREWALL, "CreateRuleGroupRequest"),
    POLICY: (FIREWALL, "CreateFirewallPolicyRequest"),
    REFERENCES: (FIREWALL, "FirewallPolicy"),
    LIST: (RESOLVER, "CreateFirewallDomainListRequest"),
    GROUP: (RESOLVER, "CreateFirewallRuleGroupRequest"),
    f"{GROUP}.FirewallRule": (RESOLVER, "CreateFirewallRuleRequest"),
    ASSOCIATION: (RESOLVER, "AssociateFirewallRuleGroupRequest"),
    CONFIG: (RESOLVER, "UpdateFirewallConfigRequest"),
}
"""Service and shape. References for somebody else's policy are a part of its FirewallPolicy."""


@cache
def model(service: str) -> dict[str, Any]:
    return dict(Loader().load_service_model(service, "service-2")["shapes"])


def objections(kind: str, body: dict[str, Any]) -> Iterator[str]:
    """What the model says against the requests that make an object; domains go into a list in a second one."""
    service, shape = SHAPES[kind]
    if kind == LIST:
        domains = {"FirewallDomainListId": "x", "Operation": "REPLACE", "Domains": body.pop("Domains")}
        yield from wrong(domains, "UpdateFirewallDomainsRequest", model(service))
    if kind == REFERENCES:
        body |= {"StatelessDefaultActions": [], "StatelessFragmentDefaultActions": []}
    if service == RESOLVER and kind != CONFIG:
        body["CreatorRequestId"] = "x"
    yield from wrong(body, shape, model(service))


def wrong(value: Any, shape: str, shapes: dict[str, Any], path: str = "") -> Iterator[str]:
    """What the model says against `value` (botocore's own validator checks neither patterns, enums nor maxima)."""
    rule = shapes[shape]
    low, high = rule.get("min", 0), rule.get("max", float("inf"))
    wanted: dict[str, Any] = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
    }
    if not isinstance(value, wanted[rule["type"]]) or (isinstance(value, bool) and rule["type"] != "boolean"):
        yield f"{path}: {value!r} is no {rule['type']}"
        return
    match rule["type"]:
        case "structure":
            yield from (f"{path}.{key}: unknown" for key in value.keys() - rule["members"].keys())
            yield from (f"{path}.{key}: required" for key in rule.get("required", ()) if key not in value)
            for key in value.keys() & rule["members"].keys():
                yield from wrong(value[key], rule["members"][key]["shape"], shapes, f"{path}.{key}")
        case "list" | "map" | "string" if not low <= len(value) <= high:
            yield f"{path}: {len(value)} long, not {low} to {high}"
        case "list":
            for index, item in enumerate(value):
                yield from wrong(item, rule["member"]["shape"], shapes, f"{path}[{index}]")
        case "map":
            for key, item in value.items():
                yield from wrong(key, rule["key"]["shape"], shapes, f"{path}.{key}")
                yield from wrong(item, rule["value"]["shape"], shapes, f"{path}.{key}")
        case "string":
            if "enum" in rule and value not in rule["enum"]:
                yield f"{path}: {value!r} is none of {rule['enum']}"
            if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
                yield f"{path}: {value!r} does not match {rule['pattern']}"
        case "integer" | "long" if not low <= value <= high:
            yield f"{path}: {value} is not in {low} to {high}"


def test_every_body_is_one_that_the_service_model_takes() -> None:
    checked = set()
    for plan, each in objects("aws"):
        assert list(objections(each.kind, dict(each.body))) == [], f"{plan}: {each.name}"
        checked.add(each.kind)
    assert checked == set(SHAPES)


def body_of(kind: str) -> dict[str, Any]:
    return copy.deepcopy(dict(next(each.body for _, each in objects("aws") if each.kind == kind)))


@pytest.mark.parametrize(
    ("kind", "path", "value", "word"),
    [
        (RULE_GROUP, ("RuleGroupName",), "with.dot", "match"),
        (RULE_GROUP, ("RuleGroupName",), "n" * 129, "long"),
        (RULE_GROUP, ("Type",), "STATEFULL", "none of"),
        (RULE_GROUP, ("Capacity",), "100", "no integer"),
        (RULE_GROUP, ("Capacity",), True, "no integer"),
        (RULE_GROUP, ("Capcity",), 100, "unknown"),
        (RULE_GROUP, ("RuleGroup", "StatefulRuleOptions", "RuleOrder"), "STRICT", "none of"),
        (RULE_GROUP, ("RuleGroup", "RulesSource", "RulesString"), "x" * 2_000_001, "long"),
        (RULE_GROUP, ("RuleGroup", "RulesSource", "rules_string"), "x", "unknown"),
        (LIST, ("Name",), "with.dot", "match"),
        (LIST, ("Name",), "0123456789", "match"),
        (LIST, ("Name",), "n" * 65, "long"),
        (LIST, ("Domains", 0), "a" * 256, "long"),
        (f"{GROUP}.FirewallRule", ("Action",), "DROP", "none of"),
        (f"{GROUP}.FirewallRule", ("Priority",), "1000", "no integer"),
        (f"{GROUP}.FirewallRule", ("FirewallDomainRedirectionAction",), "TRUST", "none of"),
        (ASSOCIATION, ("VpcID",), "vpc-0a1b2c3d", "unknown"),
        (CONFIG, ("FirewallFailOpen",), "OPEN", "none of"),
        (POLICY, ("FirewallPolicy", "StatefulEngineOptions", "StreamExceptionPolicy"), "Reject", "none of"),
        (POLICY, ("FirewallPolicy", "StatefulRuleGroupReferences", 0, "ResourceArn"), "rule-group/x", "match"),
        (POLICY, ("FirewallPolicy", "StatefulRuleGroupReferences", 0, "Priority"), 65_536, "not in"),
        (POLICY, ("FirewallPolicy", "PolicyVariables", "RuleVariables", "HOME_NET"), {}, "required"),
        (POLICY, ("FirewallPolicy", "PolicyVariables", "RuleVariables", "9NET"), {"Definition": ["x"]}, "match"),
    ],
)
def test_a_bad_body_is_found(kind: str, path: tuple[str | int, ...], value: object, word: str) -> None:
    body = body_of(kind)
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = list(objections(kind, body))
    assert any(word in message for message in found), found


def test_a_missing_key_is_found() -> None:
    body = body_of(RULE_GROUP)
    del body["RuleGroupName"]
    assert list(objections(RULE_GROUP, body)) == [".RuleGroupName: required"]
