"""Resource types of Azure Firewall: policies, rule collection groups, IP groups, resource groups."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType, UnreadType, fields, types_by_token
from hostgate.planning.shapes import (
    Anything,
    Entries,
    Flag,
    InputProblem,
    Items,
    OneOfKinds,
    Record,
    Shape,
    Text,
    Whole,
    filled,
    inner,
    known_list,
    shown,
)

# Sources, each as of 2026-11-23.
RULES: Final = "Azure Firewall: rule processing"
FQDN_RULES: Final = "Azure Firewall: FQDN filtering in network rules (2026-03-28)"
SWAGGER: Final = "azure-rest-api-specs, Microsoft.Network 2024-05-01, firewallPolicy.json"
LIMITS: Final = "Azure Firewall limits (2023-10-10)"
WILDCARDS: Final = "Azure Firewall FAQ (2025-07): wildcards in target FQDNs"
IP_GROUPS: Final = "Azure Firewall: IP groups (2026-03-28)"

POLICY: Final = "azure-native:network:FirewallPolicy"
GROUP: Final = "azure-native:network:FirewallPolicyRuleCollectionGroup"
FIREWALL: Final = "azure-native:network:AzureFirewall"
IP_GROUP_ENTRY: Final = "azure:network/iPGroupCIDR:IPGroupCIDR"
IP_GROUP: Final = "azure-native:network:IpGroup"
VIRTUAL_NETWORK: Final = "azure-native:network:VirtualNetwork"
SUBNET: Final = "azure-native:network:Subnet"
ROUTE_TABLE: Final = "azure-native:network:RouteTable"
ROUTE: Final = "azure-native:network:Route"
RESOURCE_GROUP: Final = "azure-native:resources:ResourceGroup"

ANY = Anything()
# 80 characters at most: the first a letter or digit, the last also _, between them also - and . (SWAGGER).
NAME = Text(
    r"[A-Za-z0-9](?:[\w.-]{0,78}\w)?",
    "1 to 80 of letters, digits, _ . -, a letter or digit first, no - or . last",
    source=SWAGGER,
)
RESOURCE_GROUP_NAME = Text(
    r"[\w.()-]{0,89}[\w()-]",
    "1 to 90 of letters, digits, _ . - ( ), no . last",
    source="Azure Resource Manager naming rules",
)
LAST_PRIORITY = Limit("priority of a rule collection group", 65_000, "", "2024-05-01 API, 100 to 65000", "2026-11-23")
PRIORITY = Whole(100, LAST_PRIORITY.max, SWAGGER)
SUB_RESOURCE = Record({"id": Text()})
TAGS = Entries(Text())
TEXTS = Items(Text(fewest=1))
GROUP_BYTES = Limit("rule collection group", 2_000_000, "bytes", "Azure Firewall limits (2023-10): 2 MB", "2026-11-23")
"""Of a policy made after July 2022."""
IP_GROUP_ADDRESSES = Limit("addresses of an IP group", 5_000, "addresses", LIMITS, "2026-11-23")
_OFTEN = "Azure Firewall limits (2023-10-10): 200; 500 is said elsewhere, and not confirmed"
IP_GROUPS_OF_FIREWALL = Limit(
    "IP groups of a firewall", 200, "groups", _OFTEN, "2026-11-23", unless="a firewall takes 500"
)
PARALLEL_IP_GROUPS = Limit("IP groups that are updated at once", 20, "groups", IP_GROUPS, "2026-11-23")
MOST_IP_GROUPS = Limit("IP groups of any firewall", 500, "groups", _OFTEN, "2026-11-23")


def _needs_a_source(rule: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if not filled(rule, "sourceAddresses") and not filled(rule, "sourceIpGroups"):
        allowed = "sourceAddresses or sourceIpGroups"
        yield InputProblem("no source", path=path, found="nothing", allowed=allowed, source=RULES)
    yield from _addresses(rule, path, "sourceAddresses")


def _addresses(rule: Mapping[str, Any], path: str, key: str) -> Iterator[InputProblem]:
    for index, address in known_list(rule, key):
        if isinstance(address, str) and address[:1].isdigit() and not _is_range(address):
            where = f"{inner(path, key)}[{index}]"
            allowed = "an address, a CIDR, first-last, * or a service tag"
            yield InputProblem("not an address", path=where, found=shown(address), allowed=allowed, source=SWAGGER)


def _is_range(text: str) -> bool:
    first, _, last = text.partition("-")
    try:
        if last:
            return int(ipaddress.ip_address(first)) <= int(ipaddress.ip_address(last))
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _needs_one(rule: Mapping[str, Any], path: str, keys: Sequence[str], what: str) -> Iterator[InputProblem]:
    if not any(filled(rule, key) for key in keys):
        yield InputProblem(what, path=path, found="nothing", allowed=" or ".join(keys), source=RULES)


def _is_name(name: str) -> bool:
    labels = name.split(".")
    return len(name) <= 255 and all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in labels)


def _application_rule(rule: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    yield from _needs_a_source(rule, path)
    targets = ("targetFqdns", "targetUrls", "fqdnTags", "webCategories")
    yield from _needs_one(rule, path, targets, "no target")
    if not filled(rule, "fqdnTags"):
        yield from _needs_one(rule, path, ("protocols",), "no protocol")
    for index, name in known_list(rule, "targetFqdns"):
        # *x.com is legal to the service, and wider than it looks; whether to emit it is not this check's business.
        if isinstance(name, str) and name != "*" and not _is_name(name.removeprefix("*").removeprefix(".")):
            where, allowed = f"{inner(path, 'targetFqdns')}[{index}]", "a name; one *, left-most: *.example.com or *"
            yield InputProblem("not a target FQDN", path=where, found=shown(name), allowed=allowed, source=WILDCARDS)


def _network_rule(rule: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    yield from _needs_a_source(rule, path)
    destinations = ("destinationAddresses", "destinationIpGroups", "destinationFqdns")
    yield from _needs_one(rule, path, destinations, "no destination")
    yield from _needs_one(rule, path, ("destinationPorts",), "no port")
    yield from _needs_one(rule, path, ("ipProtocols",), "no protocol")
    yield from _addresses(rule, path, "destinationAddresses")
    for index, name in known_list(rule, "destinationFqdns"):
        if isinstance(name, str) and not _is_name(name):
            where, allowed = f"{inner(path, 'destinationFqdns')}[{index}]", "an exact name; no *"
            yield InputProblem(
                "not a destination FQDN", path=where, found=shown(name), allowed=allowed, source=FQDN_RULES
            )
    for index, port in known_list(rule, "destinationPorts"):
        low, _, high = str(port).partition("-")
        high = high or low
        numbers = low.isdecimal() and high.isdecimal() and 1 <= int(low) <= int(high) <= 65_535
        if isinstance(port, str) and port != "*" and not numbers:
            where, allowed = f"{inner(path, 'destinationPorts')}[{index}]", '"443", "8000-8010" or "*"'
            yield InputProblem("not a port", path=where, found=shown(port), allowed=allowed, source=LIMITS)


RULE_COMMON: Final[Mapping[str, Shape]] = {
    "ruleType": Text(),
    "name": Text(fewest=1),
    "description": Text(),
    "sourceAddresses": TEXTS,
    "sourceIpGroups": TEXTS,
    "destinationAddresses": TEXTS,
}
APPLICATION_RULE = Record(
    {
        **RULE_COMMON,
        "protocols": Items(
            Record(
                {
                    # The service also takes Mssql, which swagger does not list (terraform-provider-azurerm).
                    "protocolType": Text(one_of=("Http", "Https", "Mssql"), source=SWAGGER),
                    "port": Whole(1, 64_000, SWAGGER),
                },
                ("protocolType", "port"),
            )
        ),
        "targetFqdns": TEXTS,
        "targetUrls": TEXTS,
        "fqdnTags": TEXTS,
        "webCategories": TEXTS,
        "terminateTLS": Flag(),
        "httpHeadersToInsert": Items(Record({"headerName": Text(), "headerValue": Text()})),
    },
    ("name",),
    (_application_rule,),
    source=SWAGGER,
)
NETWORK_RULE = Record(
    {
        **RULE_COMMON,
        "ipProtocols": Items(Text(one_of=("TCP", "UDP", "Any", "ICMP"), source=SWAGGER), unique=True),
        "destinationIpGroups": TEXTS,
        "destinationFqdns": TEXTS,
        "destinationPorts": TEXTS,
    },
    ("name",),
    (_network_rule,),
    source=SWAGGER,
)
NAT_RULE = Record(
    {
        **RULE_COMMON,
        **dict.fromkeys(
            ("ipProtocols", "destinationPorts", "translatedAddress", "translatedFqdn", "translatedPort"), ANY
        ),
    },
    ("name",),
    (_needs_a_source,),
    source=SWAGGER,
)


def _one_kind(collection: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    rules = [rule for _, rule in known_list(collection, "rules") if isinstance(rule, Mapping)]
    kinds = {kind for rule in rules if isinstance(kind := rule.get("ruleType"), str)}
    if len(kinds) > 1:
        found = ", ".join(sorted(kinds))
        allowed = "one kind of rule per collection"
        yield InputProblem("two kinds of rule", path=inner(path, "rules"), found=found, allowed=allowed, source=RULES)


def _collection(actions: tuple[str, ...], rules: Mapping[str, Record]) -> Record:
    return Record(
        {
            "ruleCollectionType": Text(),
            "name": Text(fewest=1),
            "priority": PRIORITY,
            "action": Record({"type": Text(one_of=actions, source=SWAGGER)}, ("type",)),
            "rules": Items(OneOfKinds("ruleType", rules, SWAGGER), unique_by=("name",), source=RULES),
        },
        ("name", "priority", "action", "rules"),
        (_one_kind,),
        source=SWAGGER,
    )


def _group_size(group: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    size = len(json.dumps(group.get("ruleCollections"), default=str).encode())
    if size > GROUP_BYTES.max:
        found, allowed = f"{size} bytes", f"{GROUP_BYTES.max} bytes"
        yield InputProblem("too big", path=inner(path, "ruleCollections"), found=found, allowed=allowed, source=LIMITS)


GROUP_TYPE = ResourceType(
    GROUP,
    Record(
        {
            "firewallPolicyName": NAME,
            "resourceGroupName": RESOURCE_GROUP_NAME,
            "ruleCollectionGroupName": NAME,
            "priority": PRIORITY,
            "ruleCollections": Items(
                OneOfKinds(
                    "ruleCollectionType",
                    {
                        "FirewallPolicyFilterRuleCollection": _collection(
                            ("Allow", "Deny"), {"ApplicationRule": APPLICATION_RULE, "NetworkRule": NETWORK_RULE}
                        ),
                        "FirewallPolicyNatRuleCollection": _collection(("DNAT",), {"NatRule": NAT_RULE}),
                    },
                    SWAGGER,
                ),
                unique_by=("name", "priority"),
                source=RULES,
            ),
            "id": Text(),
            "name": Text(),
        },
        ("firewallPolicyName", "resourceGroupName", "priority"),
        (_group_size,),
        source=SWAGGER,
        renamed={"ruleCollectionGroupName": "name"},
    ),
    computed=("azureApiVersion", "etag", "provisioningState", "size", "type"),
    auto_name=AutoName("ruleCollectionGroupName", "", 8),
    replaces=("resourceGroupName", "firewallPolicyName", "ruleCollectionGroupName"),
    kind="Microsoft.Network/firewallPolicies/ruleCollectionGroups",
    within="properties",
)

PORT = Whole(0, 64_000, SWAGGER)
POLICY_TYPE = ResourceType(
    POLICY,
    Record(
        {
            "resourceGroupName": RESOURCE_GROUP_NAME,
            "firewallPolicyName": NAME,
            "location": Text(),
            "tags": TAGS,
            "id": Text(),
            "basePolicy": SUB_RESOURCE,
            "dnsSettings": Record(
                {
                    "enableProxy": Flag(),
                    "requireProxyForNetworkRules": Flag(),
                    "servers": Items(Text(), most=15, source="Azure Firewall: DNS settings (2022-10)"),
                }
            ),
            "explicitProxy": Record(
                {
                    "enableExplicitProxy": Flag(),
                    "enablePacFile": Flag(),
                    "httpPort": PORT,
                    "httpsPort": PORT,
                    "pacFile": Text(),
                    "pacFilePort": PORT,
                }
            ),
            "identity": ANY,
            "insights": ANY,
            "intrusionDetection": Record(
                {
                    "configuration": ANY,
                    "mode": Text(one_of=("Off", "Alert", "Deny"), source=SWAGGER),
                    "profile": Text(one_of=("Basic", "Standard", "Advanced", "Extended"), source=SWAGGER),
                }
            ),
            "sku": Record({"tier": Text(one_of=("Basic", "Standard", "Premium"), source=SWAGGER)}),
            "snat": Record({"autoLearnPrivateRanges": Text(), "privateRanges": TEXTS}),
            "sql": Record({"allowSqlRedirect": Flag()}),
            "threatIntelMode": Text(one_of=("Alert", "Deny", "Off"), source=SWAGGER),
            "threatIntelWhitelist": Record({"fqdns": TEXTS, "ipAddresses": TEXTS}),
            "transportSecurity": ANY,
        },
        ("resourceGroupName",),
        source=SWAGGER,
        renamed={"firewallPolicyName": "name"},
    ),
    computed=(
        "azureApiVersion",
        "childPolicies",
        "etag",
        "firewalls",
        "name",
        "provisioningState",
        "ruleCollectionGroups",
        "size",
        "type",
    ),
    auto_name=AutoName("firewallPolicyName", "", 8),
    replaces=("resourceGroupName", "firewallPolicyName", "location"),
    kind="Microsoft.Network/firewallPolicies",
    within="properties",
)


def _ip_group_addresses(group: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for index, address in known_list(group, "ipAddresses"):
        if isinstance(address, str) and (not _is_range(address) or ":" in address):
            where = f"{inner(path, 'ipAddresses')}[{index}]"
            allowed = "an IPv4 address, CIDR or first-last"
            yield InputProblem("not an address", path=where, found=shown(address), allowed=allowed, source=IP_GROUPS)


IP_GROUP_TYPE = ResourceType(
    IP_GROUP,
    Record(
        {
            "resourceGroupName": RESOURCE_GROUP_NAME,
            "ipGroupsName": NAME,
            "ipAddresses": Items(Text(fewest=1), most=IP_GROUP_ADDRESSES.max, source=LIMITS),
            "location": Text(),
            "tags": TAGS,
            "id": Text(),
        },
        ("resourceGroupName",),
        (_ip_group_addresses,),
        source=SWAGGER,
        renamed={"ipGroupsName": "name"},
    ),
    computed=("azureApiVersion", "etag", "firewallPolicies", "firewalls", "name", "provisioningState", "type"),
    auto_name=AutoName("ipGroupsName", "", 8),
    replaces=("resourceGroupName", "ipGroupsName", "location"),
    kind="Microsoft.Network/ipGroups",
    within="properties",
    refreshed="ipAddresses",
)

RESOURCE_GROUP_TYPE = ResourceType(
    RESOURCE_GROUP,
    Record({"resourceGroupName": RESOURCE_GROUP_NAME, "location": Text(), "managedBy": Text(), "tags": TAGS}),
    computed=("azureApiVersion", "name", "properties", "type"),
    auto_name=AutoName("resourceGroupName", "", 8),
    replaces=("resourceGroupName", "location"),
)


TYPES: Final = types_by_token((POLICY_TYPE, GROUP_TYPE, IP_GROUP_TYPE, RESOURCE_GROUP_TYPE))
"""Types that a plan or a program of ours makes."""

_OF_ANY_RULE = ("name", "sourceAddresses", "sourceIpGroups")
_CLASSIC_RULES = {
    "application": ("fqdnTags", "protocols[].port", "protocols[].protocolType", "targetFqdns"),
    "network": ("destinationAddresses", "destinationFqdns", "destinationIpGroups", "destinationPorts", "protocols"),
}
_SUBNET = ("addressPrefix", "addressPrefixes", "routeTable.id", "serviceEndpoints[].service")
_ROUTE = ("addressPrefix", "nextHopType", "nextHopIpAddress")

READ: Final = types_by_token(
    (
        ResourceType(
            FIREWALL,
            fields(
                "azureFirewallName", "resourceGroupName", "firewallPolicy.id", "additionalProperties", "ipConfigurations",
                "virtualHub",
                *(
                    f"{kind}RuleCollections[].{name}"
                    for kind, rule in _CLASSIC_RULES.items()
                    for name in ("name", "priority", "action.type", *(f"rules[].{each}" for each in (*rule, *_OF_ANY_RULE)))
                ),
            ),
        ),
        ResourceType(
            VIRTUAL_NETWORK,
            fields("resourceGroupName", "virtualNetworkName", *(f"subnets[].{each}" for each in ("name", *_SUBNET))),
        ),
        ResourceType(SUBNET, fields("resourceGroupName", "virtualNetworkName", "subnetName", *_SUBNET)),
        ResourceType(
            ROUTE_TABLE,
            fields(
                "resourceGroupName", "routeTableName", "disableBgpRoutePropagation",
                *(f"routes[].{each}" for each in ("name", *_ROUTE)),
            ),
        ),
        ResourceType(ROUTE, fields("resourceGroupName", "routeTableName", *_ROUTE)),
    )
)  # fmt: skip
"""Types that are read where they stand, and never made here."""

UNREAD_COLLECTIONS: Final = (
    "azure:network/firewallApplicationRuleCollection:FirewallApplicationRuleCollection",
    "azure:network/firewallNetworkRuleCollection:FirewallNetworkRuleCollection",
)
"""Rules of a firewall without a policy, in the spelling of the other provider: they may say anything."""

RULE_GROUP: Final = "azure-native:network:FirewallPolicyRuleGroup"
"""What rule collection groups were until API version 2020-05-01; azure-native still makes it."""

UNREAD: Final = (
    UnreadType(RULE_GROUP, "rules of a firewall policy"),
    UnreadType("azure-native:dnsresolver:DnsResolverDomainList", "names that DNS may answer"),
    UnreadType(UNREAD_COLLECTIONS[0], "application rules"),
    UnreadType(UNREAD_COLLECTIONS[1], "network rules"),
    UnreadType(IP_GROUP_ENTRY, "an address of an IP group"),
)
"""Types that decide about names or addresses, and that nothing reads."""
