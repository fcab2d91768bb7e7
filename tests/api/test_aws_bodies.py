"""AWS bodies against the service model that botocore ships: patterns, enums, sizes, required and unknown keys."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader  # type: ignore[import-untyped]

from api.plans import objects
from hostgate.aws import resources_firewall as firewall
from hostgate.aws.default_actions import DEFAULT_ACTIONS
from hostgate.aws.resources_firewall import DESTINATION_KEYS
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.shapes import Items, Record, Shape, Text

RULE_GROUP, POLICY = "AWS::NetworkFirewall::RuleGroup", "AWS::NetworkFirewall::FirewallPolicy"
REFERENCES = f"{POLICY}.StatefulRuleGroupReferences"
FIREWALL, LOGGING = "AWS::NetworkFirewall::Firewall", "AWS::NetworkFirewall::LoggingConfiguration"
ENDPOINT = "AWS::NetworkFirewall::VpcEndpointAssociation"
SHARE = "AWS::RAM::ResourceShare"
LIST, GROUP = "AWS::Route53Resolver::FirewallDomainList", "AWS::Route53Resolver::FirewallRuleGroup"
ASSOCIATION, CONFIG = f"{GROUP}Association", "AWS::Route53Resolver::FirewallConfig"
PROFILE = "AWS::Route53Profiles::ProfileResourceAssociation"
PREFIX_LIST, EGRESS_RULE = "AWS::EC2::PrefixList", "AWS::EC2::SecurityGroupEgress"
ACL_ENTRY = "AWS::EC2::NetworkAclEntry"
SHAPES = {
    RULE_GROUP: "CreateRuleGroupRequest",
    POLICY: "CreateFirewallPolicyRequest",
    REFERENCES: "FirewallPolicy",
    FIREWALL: "CreateFirewallRequest",
    ENDPOINT: "CreateVpcEndpointAssociationRequest",
    LOGGING: "UpdateLoggingConfigurationRequest",
    SHARE: "CreateResourceShareRequest",
    LIST: "CreateFirewallDomainListRequest",
    GROUP: "CreateFirewallRuleGroupRequest",
    f"{GROUP}.FirewallRule": "CreateFirewallRuleRequest",
    ASSOCIATION: "AssociateFirewallRuleGroupRequest",
    CONFIG: "UpdateFirewallConfigRequest",
    PROFILE: "AssociateResourceToProfileRequest",
    PREFIX_LIST: "CreateManagedPrefixListRequest",
    ACL_ENTRY: "CreateNetworkAclEntryRequest",
    EGRESS_RULE: "AuthorizeSecurityGroupEgressRequest",
}
"""References for somebody else's policy are a part of its FirewallPolicy."""


def _within(type_: ResourceType, *path: str) -> Shape:
    """The shape of a property of a simulated type; lists are stepped into."""
    shape: Shape = type_.inputs
    for key in path:
        assert isinstance(shape, Record)
        shape = shape.fields[key]
        shape = shape.of if isinstance(shape, Items) else shape
    return shape


@cache
def model(service: str = "network-firewall") -> dict[str, Any]:
    return dict(Loader().load_service_model(service, "service-2")["shapes"])


def wrong(value: Any, shape: str, path: str = "", service: str = "network-firewall") -> Iterator[str]:
    """What the model says against `value` (botocore's own validator checks neither patterns, enums nor maxima)."""
    rule = model(service)[shape]
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
                yield from wrong(value[key], rule["members"][key]["shape"], f"{path}.{key}", service)
        case "list" | "map" | "string" if not low <= len(value) <= high:
            yield f"{path}: {len(value)} long, not {low} to {high}"
        case "list":
            for index, item in enumerate(value):
                yield from wrong(item, rule["member"]["shape"], f"{path}[{index}]", service)
        case "map":
            for key, item in value.items():
                yield from wrong(key, rule["key"]["shape"], f"{path}.{key}", service)
                yield from wrong(item, rule["value"]["shape"], f"{path}.{key}", service)
        case "string":
            if "enum" in rule and value not in rule["enum"]:
                yield f"{path}: {value!r} is none of {rule['enum']}"
            if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
                yield f"{path}: {value!r} does not match {rule['pattern']}"
        case "integer" | "long" if not low <= value <= high:
            yield f"{path}: {value} is not in {low} to {high}"


def found(body: dict[str, Any], kind: str) -> list[str]:
    """What the model says against the requests that make an object; domains go into a list in a second one."""
    service = {
        "EC2": "ec2", "NetworkFirewall": "network-firewall", "RAM": "ram", "Route53Resolver": "route53resolver",
        "Route53Profiles": "route53profiles",
    }  # fmt: skip
    of = service[kind.split("::")[1]]
    objections: list[str] = []
    if kind == LIST:
        domains = {"FirewallDomainListId": "x", "Operation": "REPLACE", "Domains": body.pop("Domains")}
        objections += wrong(domains, "UpdateFirewallDomainsRequest", service=of)
    if kind == REFERENCES:
        body |= {"StatelessDefaultActions": [], "StatelessFragmentDefaultActions": []}
    if of == "ec2" and "Tags" in body:
        type_ = "prefix-list" if kind == PREFIX_LIST else "security-group-rule"
        body["TagSpecifications"] = [{"ResourceType": type_, "Tags": body.pop("Tags")}]
    if kind == EGRESS_RULE:
        group, tags = body.pop("GroupId"), {key: body.pop(key) for key in ("TagSpecifications",) if key in body}
        body["PrefixListIds"] = [{"PrefixListId": body.pop("PrefixListId"), "Description": body.pop("Description")}]
        body = {"GroupId": group, "IpPermissions": [body], **tags}
    if of == "route53resolver" and kind != CONFIG:
        body["CreatorRequestId"] = "x"
    return [*objections, *wrong(body, SHAPES[kind], service=of)]


def test_every_body_is_one_that_the_service_model_takes() -> None:
    checked = set()
    for plan, each in objects("aws"):
        assert found(dict(each.body), each.kind) == [], f"{plan}: {each.name}"
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
        (PROFILE, ("Priority",), 101, "unknown"),
        (PROFILE, ("ProfileId",), "r" * 65, "long"),
        (CONFIG, ("FirewallFailOpen",), "OPEN", "none of"),
        (POLICY, ("FirewallPolicy", "StatefulEngineOptions", "StreamExceptionPolicy"), "Reject", "none of"),
        (POLICY, ("FirewallPolicy", "StatefulRuleGroupReferences", 0, "ResourceArn"), "rule-group/x", "match"),
        (POLICY, ("FirewallPolicy", "StatefulRuleGroupReferences", 0, "Priority"), 65_536, "not in"),
        (POLICY, ("FirewallPolicy", "PolicyVariables", "RuleVariables", "HOME_NET"), {}, "required"),
        (POLICY, ("FirewallPolicy", "PolicyVariables", "RuleVariables", "9NET"), {"Definition": ["x"]}, "match"),
        (POLICY, ("FirewallPolicy", "TLSInspectionConfigurationArn"), "egress", "match"),
        (FIREWALL, ("VpcId",), "main", "match"),
        (FIREWALL, ("SubnetMappings", 0, "IPAddressType"), "IPv4", "none of"),
        (FIREWALL, ("DeleteProtection",), 1, "no boolean"),
        (LOGGING, ("LoggingConfiguration", "LogDestinationConfigs", 0, "LogType"), "Alert", "none of"),
        (LOGGING, ("LoggingConfiguration", "LogDestinationConfigs", 0, "LogDestination", "b"), "x", "long"),
        (SHARE, ("principals",), "123456789012", "no list"),
        (SHARE, ("Name",), "x", "unknown"),
    ],
)
def test_a_bad_body_is_found(kind: str, path: tuple[str | int, ...], value: object, word: str) -> None:
    body = body_of(kind)
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(word in message for message in found(body, kind)), found(body, kind)


def test_a_missing_key_is_found() -> None:
    body = body_of(RULE_GROUP)
    del body["RuleGroupName"]
    assert list(wrong(body, SHAPES[RULE_GROUP])) == [".RuleGroupName: required"]


def test_the_default_actions_are_those_that_the_model_documents() -> None:
    documented = model()["FirewallPolicy"]["members"]["StatefulDefaultActions"]["documentation"]
    assert set(re.findall(r"aws:\w+", documented)) == set(DEFAULT_ACTIONS)


def test_a_log_destination_has_the_keys_that_the_model_documents() -> None:
    documented = model()["LogDestinationConfig"]["members"]["LogDestination"]["documentation"]
    keys = {key for required, optional in DESTINATION_KEYS.values() for key in (*required, *optional)}
    assert set(re.findall(r"key <code>(\w+)</code>", documented)) == keys
    assert set(DESTINATION_KEYS) == set(model()["LogDestinationType"]["enum"])


ENUMS: list[tuple[Shape, str]] = [
    (
        _within(firewall.POLICY_TYPE, "firewallPolicy", "statefulRuleGroupReferences", "override", "action"),
        "OverrideAction",
    ),
    (_within(firewall.POLICY_TYPE, "firewallPolicy", "statefulEngineOptions", "ruleOrder"), "RuleOrder"),
    (
        _within(firewall.POLICY_TYPE, "firewallPolicy", "statefulEngineOptions", "streamExceptionPolicy"),
        "StreamExceptionPolicy",
    ),
    (_within(firewall.FIREWALL_TYPE, "subnetMappings", "ipAddressType"), "IPAddressType"),
    (_within(firewall.FIREWALL_TYPE, "enabledAnalysisTypes"), "EnabledAnalysisType"),
    (_within(firewall.LOGGING_TYPE, "loggingConfiguration", "logDestinationConfigs", "logType"), "LogType"),
    (
        _within(firewall.LOGGING_TYPE, "loggingConfiguration", "logDestinationConfigs", "logDestinationType"),
        "LogDestinationType",
    ),
]


@pytest.mark.parametrize(("shape", "enum"), ENUMS, ids=[enum for _, enum in ENUMS])
def test_the_sandbox_takes_the_values_of_the_model(shape: Shape, enum: str) -> None:
    assert isinstance(shape, Text)
    assert set(shape.one_of) == set(model()[enum]["enum"])


@pytest.mark.parametrize(
    ("shape", "named", "good", "bad"),
    [
        (_within(firewall.FIREWALL_TYPE, "vpcId"), "VpcId", "vpc-0a1", "vpc-xyz"),
        (_within(firewall.FIREWALL_TYPE, "transitGatewayId"), "TransitGatewayId", "tgw-0a1", "tgw_1"),
        (
            _within(firewall.FIREWALL_TYPE, "subnetMappings", "subnetId"),
            "AzSubnet",
            "subnet-0a1",
            "subnet-xyz",
        ),
        (_within(firewall.FIREWALL_TYPE, "name"), "ResourceName", "a-1", "a.1"),
    ],
)
def test_the_sandbox_and_the_model_refuse_the_same_ids(shape: Shape, named: str, good: str, bad: str) -> None:
    for text in (good, bad):
        assert (list(shape.check(text, "x")) == []) == (list(wrong(text, named)) == [])
    assert list(shape.check(good, "x")) == []
