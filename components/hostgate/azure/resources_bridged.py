"""Azure's types as the provider bridged from Terraform has them (`azure:network/...`), read as those of azure-native.

Inputs: terraform-provider-azurerm, internal/services/firewall, 2026-03; lists and acronyms as Pulumi's bridge spells them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from hostgate.azure.resources import (
    APPLICATION_RULE,
    FIREWALL,
    GROUP,
    IP_GROUP,
    IP_GROUP_ENTRY,
    NETWORK_RULE,
    POLICY,
    ROUTE,
    ROUTE_TABLE,
    SUBNET,
    VIRTUAL_NETWORK,
)
from hostgate.flows.engine_documents import without_version
from hostgate.flows.nodes import UNKNOWN, Node
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.resource_types import as_it_is, fields, read
from hostgate.planning.shapes import Items, Record

_APPLICATION_RULE: Final = Record(
    {
        **APPLICATION_RULE.fields,
        "protocols": Items(replace(fields("port", "protocolType"), renamed={"protocolType": "type"})),
    },
    renamed={
        "targetFqdns": "destinationFqdns",
        "targetUrls": "destinationUrls",
        "fqdnTags": "destinationFqdnTags",
        "terminateTLS": "terminateTls",
        "httpHeadersToInsert": "httpHeaders",
    },
)
_NETWORK_RULE: Final = replace(NETWORK_RULE, renamed={"ipProtocols": "protocols"})
_FILTER, _NAT = "FirewallPolicyFilterRuleCollection", "FirewallPolicyNatRuleCollection"

_COLLECTIONS: Final = (
    ("applicationRuleCollections", _FILTER, "ApplicationRule", _APPLICATION_RULE),
    ("networkRuleCollections", _FILTER, "NetworkRule", _NETWORK_RULE),
    ("natRuleCollections", _NAT, "NatRule", _NETWORK_RULE),
)
"""Lists of a rule collection group, and what their collections and rules are to the API."""


def canonical(snapshot: Snapshot) -> Snapshot:
    """The snapshot as azure-native without versions would have it."""
    beside = any(each.type == IP_GROUP_ENTRY for each in snapshot.resources)
    return Snapshot(tuple(_canonical(each, addresses_beside=beside) for each in snapshot.resources), snapshot.source)


def _canonical(resource: Resource, *, addresses_beside: bool) -> Resource:
    if resource.type not in BRIDGED:
        return replace(resource, type=without_version(resource.type))
    token, inputs, references = BRIDGED[resource.type]
    properties = {**resource.properties, **inputs(resource.node)}
    if token == IP_GROUP and addresses_beside:
        properties["ipAddresses"] = UNKNOWN  # which group the others are of is told by a reference
    made = dict(resource.property_dependencies)
    for theirs, ours in references.items():
        if theirs in made:
            made[ours] = made[theirs]
    return replace(resource, type=token, properties=properties, property_dependencies=made)


def _policy(node: Node) -> dict[str, Any]:
    found = {
        "firewallPolicyName": node.at("name").value,
        "threatIntelMode": node.at("threatIntelligenceMode").value,
        "sku": {"tier": node.at("sku").value},
        "dnsSettings": {"enableProxy": _only(node.at("dns")).at("proxyEnabled").value},
    }
    return found | _reference("basePolicy", node.at("basePolicyId"))


def _group(node: Node) -> dict[str, Any]:
    policy = node.at("firewallPolicyId").value
    parts = policy.split("/") if isinstance(policy, str) else []
    return {
        "ruleCollectionGroupName": node.at("name").value,
        "firewallPolicyName": parts[-1] if parts else policy,
        "resourceGroupName": parts[4] if len(parts) > 4 else None,
        "ruleCollections": UNKNOWN
        if any(node.at(key).unknown for key, *_ in _COLLECTIONS)
        else list(_collections(node)),
    }


def _collections(node: Node) -> Iterator[Any]:
    for key, kind, rule_type, shape in _COLLECTIONS:
        for each in node.at(key).items():
            if each.unknown:
                yield UNKNOWN
                continue
            rules = each.at("rules")
            listed = [_rule(rule.value, rule_type, shape) for rule in rules.items()]
            yield {
                "ruleCollectionType": kind,
                "name": each.at("name").value,
                "priority": each.at("priority").value,
                "action": {"type": each.at("action").value},
                "rules": UNKNOWN if rules.unknown else listed,
            }


def _rule(value: Any, rule_type: str, shape: Record) -> Any:
    if not isinstance(value, Mapping) or not {"name", "sourceAddresses"} & value.keys():
        return UNKNOWN
    found = {**read(shape, value, as_it_is), "ruleType": rule_type}
    if rule_type == "NatRule" and "destinationAddress" in found:
        found["destinationAddresses"] = [found.pop("destinationAddress")]
    return found


def _firewall(node: Node) -> dict[str, Any]:
    places = node.at("ipConfigurations")
    addresses = [{"privateIPAddress": each.at("privateIpAddress").value} for each in places.items()]
    return _rules_of(node) | {
        "sku": {"tier": node.at("skuTier").value},
        "ipConfigurations": UNKNOWN if places.unknown else addresses,
        "virtualHub": node.at("virtualHub").value or None,
    }


def _rules_of(node: Node) -> dict[str, Any]:
    if node.at("firewallPolicyId").absent:
        # The rules of such a firewall are resources of their own, which nothing reads.
        return dict.fromkeys(("applicationRuleCollections", "networkRuleCollections"), UNKNOWN)
    return _reference("firewallPolicy", node.at("firewallPolicyId"))


def _ip_group(node: Node) -> dict[str, Any]:
    return {"ipGroupsName": node.at("name").value, "ipAddresses": node.at("cidrs").value}


def _network(node: Node) -> dict[str, Any]:
    return {"virtualNetworkName": node.at("name").value, "subnets": _list(node.at("subnets"), _subnet)}


def _subnet(node: Node) -> dict[str, Any]:
    known = {"name": node.at("name").value, "subnetName": node.at("name").value}
    listed = node.at("addressPrefixes").value
    # An association of a table and a subnet is read as what it says of the subnet.
    services = _list(node.at("serviceEndpoints"), lambda each: {"service": each.value})
    return (
        known
        | {"addressPrefixes": listed, "serviceEndpoints": services}
        | _reference("routeTable", node.at("routeTableId"))
    )


def _route_table(node: Node) -> dict[str, Any]:
    announced = node.at("bgpRoutePropagationEnabled").value
    return {
        "routeTableName": node.at("name").value,
        "disableBgpRoutePropagation": not announced if isinstance(announced, bool) else announced,
        "routes": _list(node.at("routes"), _route),
    }


def _route(node: Node) -> dict[str, Any]:
    keys = ("name", "addressPrefix", "nextHopType")
    return {key: node.at(key).value for key in keys} | {"nextHopIpAddress": node.at("nextHopInIpAddress").value}


def _list(node: Node, read_item: Callable[[Node], dict[str, Any]]) -> Any:
    if node.absent or node.unknown:
        return node.value
    return [UNKNOWN if each.unknown else read_item(each) for each in node.items()]


def _reference(name: str, node: Node) -> dict[str, Any]:
    return {} if node.absent else {name: {"id": node.value}}


def _only(node: Node) -> Node:
    """The item of a list of one, or what stands in its place."""
    return next(node.items(), Node(None, node.path)) if not node.unknown else node


BRIDGED: Final[Mapping[str, tuple[str, Callable[[Node], dict[str, Any]], Mapping[str, str]]]] = {
    "azure:network/firewallPolicy:FirewallPolicy": (POLICY, _policy, {"basePolicyId": "basePolicy"}),
    "azure:network/firewallPolicyRuleCollectionGroup:FirewallPolicyRuleCollectionGroup": (
        GROUP,
        _group,
        {"firewallPolicyId": "firewallPolicyName"},
    ),
    "azure:network/firewall:Firewall": (FIREWALL, _firewall, {"firewallPolicyId": "firewallPolicy"}),
    "azure:network/iPGroup:IPGroup": (IP_GROUP, _ip_group, {}),
    "azure:network/virtualNetwork:VirtualNetwork": (VIRTUAL_NETWORK, _network, {}),
    "azure:network/subnet:Subnet": (SUBNET, _subnet, {}),
    "azure:network/subnetRouteTableAssociation:SubnetRouteTableAssociation": (
        SUBNET,
        _subnet,
        {"routeTableId": "routeTable"},
    ),
    "azure:network/routeTable:RouteTable": (ROUTE_TABLE, _route_table, {}),
    "azure:network/route:Route": (ROUTE, _route, {"nextHopInIpAddress": "nextHopIpAddress"}),
}
"""Types of the twin: which of azure-native it is, its inputs as those, and what holds a reference in each."""
