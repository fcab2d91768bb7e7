"""Azure bodies against the service's rules as data, each with its source: no ARM schema can be had offline."""

import copy
import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Any, NamedTuple

import pytest

from api.plans import objects

POLICY, GROUP = "Microsoft.Network/firewallPolicies", "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
IP_GROUP = "Microsoft.Network/ipGroups"
API = "2024-05-01 firewallPolicy.json (azure-rest-api-specs)"
FAQ = "Azure Firewall FAQ, 2025-07"
PROCESSING = "Azure Firewall, rule processing, 2025-05"
IP_GROUPS = "Azure Firewall, IP groups, 2026-03-28; limits, 2023-10-10"
NETWORK_FQDN = "Azure Firewall, FQDN filtering in network rules, 2026-03-28"

NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,78}\w)?", re.ASCII)
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Field(NamedTuple):
    """A property: what it may be, whether it has to be there, and who says so."""

    allowed: Callable[[Any], bool]
    required: bool
    source: str


def one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: value in values


def between(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def a_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def dns_name(value: object) -> bool:
    labels = value.split(".") if isinstance(value, str) else []
    return len(labels) > 1 and len(".".join(labels)) <= 253 and all(LABEL.fullmatch(label) for label in labels)


def target_fqdn(value: object) -> bool:
    """A name, `*.` and a name, or everything; a star elsewhere is refused, and `*x` would hold evilx."""
    return value == "*" or dns_name(value.removeprefix("*.") if isinstance(value, str) else value)


def port_range(value: object) -> bool:
    if not isinstance(value, str):
        return False
    low, _, high = value.partition("-")
    return value == "*" or (low.isdigit() and (high or low).isdigit() and 1 <= int(low) <= int(high or low) <= 65_535)


def all_of(allowed: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        a_list(value) and all(allowed(item) for item in value) and len({*map(str, value)}) == len(value)
    )


def ip_group_id(value: object) -> bool:
    form = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/ipGroups/([^/]+)"
    found = re.fullmatch(form, value) if isinstance(value, str) else None
    return found is not None and name(found[1])


def ipv4_range(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(IPv4Network(value))
    except ValueError:
        return False


def mapping(value: object) -> bool:
    return isinstance(value, dict) and bool(value)


GROUP_PROPERTIES = {
    "priority": Field(between(100, 65_000), True, API),
    "ruleCollections": Field(a_list, True, API),
}
COLLECTION = {
    "ruleCollectionType": Field(one_of("FirewallPolicyFilterRuleCollection"), True, API),
    "name": Field(name, True, API),
    "priority": Field(between(100, 65_000), True, API),
    "action": Field(lambda value: value in ({"type": "Allow"}, {"type": "Deny"}), True, API),
    "rules": Field(a_list, True, PROCESSING),
}
SOURCES = {
    "sourceAddresses": Field(all_of(lambda value: isinstance(value, str) and ":" not in value), False, "known issues, 2025-09-19"),
    "sourceIpGroups": Field(all_of(lambda value: "/ipGroups/" in value), False, API),
}  # fmt: skip
APPLICATION_RULE = {
    **SOURCES,
    "ruleType": Field(one_of("ApplicationRule"), True, API),
    "name": Field(name, True, API),
    "protocols": Field(a_list, True, API),
    "targetFqdns": Field(all_of(target_fqdn), True, FAQ),
}
NETWORK_RULE = {
    **SOURCES,
    "ruleType": Field(one_of("NetworkRule"), True, API),
    "name": Field(name, True, API),
    "ipProtocols": Field(all_of(one_of("TCP", "UDP", "Any", "ICMP")), True, API),
    "destinationAddresses": Field(all_of(lambda value: value == "*"), False, API),
    "destinationFqdns": Field(all_of(dns_name), False, NETWORK_FQDN),
    "destinationIpGroups": Field(all_of(ip_group_id), False, API),
    "destinationPorts": Field(all_of(port_range), True, API),
}
PROTOCOL = {
    "protocolType": Field(one_of("Http", "Https"), True, API),
    "port": Field(between(1, 64_000), True, API),
}
POLICY_PROPERTIES = {
    "sku": Field(lambda value: value in [{"tier": tier} for tier in ("Basic", "Standard", "Premium")], True, API),
    "threatIntelMode": Field(one_of("Alert", "Deny", "Off"), False, API),
    "dnsSettings": Field(
        lambda value: isinstance(value.get("enableProxy"), bool) and set(value) <= {"enableProxy", "servers"},
        False,
        API,
    ),
    "threatIntelWhitelist": Field(
        lambda value: set(value) <= {"fqdns", "ipAddresses"} and all(value.values()), False, API
    ),
    "intrusionDetection": Field(
        lambda value: value in [{"mode": mode} for mode in ("Off", "Alert", "Deny")], False, API
    ),
}
IP_GROUP_PROPERTIES = {
    "ipAddresses": Field(lambda value: all_of(ipv4_range)(value) and len(value) <= 5_000, True, IP_GROUPS),
}
RESOURCE = {
    "apiVersion": Field(one_of("2024-05-01"), True, API),
    "name": Field(lambda value: all(map(name, value.split("/"))), True, API),
    "properties": Field(mapping, True, API),
    "type": Field(one_of(POLICY, GROUP, IP_GROUP), True, API),
    "location": Field(lambda value: isinstance(value, str), False, API),
    "tags": Field(mapping, False, API),
}


def wrong(body: dict[str, Any]) -> Iterator[str]:
    """What the service says against a resource, each with who says so."""
    yield from _fields(body, RESOURCE, "")
    properties = body.get("properties") or {}
    if body.get("type") == POLICY:
        yield from _fields(properties, POLICY_PROPERTIES, "properties")
        return
    if body.get("type") == IP_GROUP:
        yield from _fields(properties, IP_GROUP_PROPERTIES, "properties")
        return
    yield from _fields(properties, GROUP_PROPERTIES, "properties")
    for collection in properties.get("ruleCollections", ()):
        path = f"{collection.get('name')}"
        yield from _fields(collection, COLLECTION, path)
        kinds = {rule.get("ruleType") for rule in collection.get("rules", ())}
        if len(kinds) > 1:
            yield f"{path}: {sorted(map(str, kinds))} in one collection ({PROCESSING})"
        for rule in collection.get("rules", ()):
            where = f"{path}/{rule.get('name')}"
            yield from _fields(rule, NETWORK_RULE if rule.get("ruleType") == "NetworkRule" else APPLICATION_RULE, where)
            if not rule.get("sourceAddresses") and not rule.get("sourceIpGroups"):
                yield f"{where}: no source ({API})"
            kinds_of_destination = {"destinationFqdns", "destinationAddresses", "destinationIpGroups"} & rule.keys()
            if rule.get("ruleType") == "NetworkRule" and len(kinds_of_destination) != 1:
                yield f"{where}: not exactly one kind of destination ({API})"
            for protocol in rule.get("protocols", ()):
                yield from _fields(protocol, PROTOCOL, f"{where}/protocols")


def _fields(value: dict[str, Any], fields: dict[str, Field], path: str) -> Iterator[str]:
    yield from (f"{path}.{key}: unknown" for key in value.keys() - fields.keys())
    for key, known in fields.items():
        if key not in value:
            if known.required:
                yield f"{path}.{key}: required ({known.source})"
        elif not known.allowed(value[key]):
            yield f"{path}.{key}: {value[key]!r} ({known.source})"


def test_every_body_is_one_that_the_service_takes() -> None:
    checked = set()
    for plan, each in objects("azure"):
        assert list(wrong(dict(each.body))) == [], f"{plan}: {each.name}"
        checked.add(each.kind)
    assert checked == {POLICY, GROUP, IP_GROUP}


def group() -> dict[str, Any]:
    """One with network and application rules that allow hosts, in this order."""
    wanted = ["allow-network", "allow-application"]
    bodies = (each.body for _, each in objects("azure") if each.kind == GROUP)
    kinds = ((body, [each["name"] for each in body["properties"]["ruleCollections"]]) for body in bodies)
    return copy.deepcopy(dict(next(body for body, names in kinds if names[:2] == wanted)))


NETWORK, APPLICATION = ("properties", "ruleCollections", 0), ("properties", "ruleCollections", 1)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("properties", "priority"), 99, "priority"),
        (("properties", "priority"), 2000.0, "priority"),
        (("properties", "rule_collections"), [], "unknown"),
        (("name",), "fp/ends-with-dot.", "name"),
        ((*APPLICATION, "action"), {"type": "allow"}, "action"),
        ((*APPLICATION, "ruleCollectionType"), "FilterRuleCollection", "ruleCollectionType"),
        ((*APPLICATION, "rules", 0, "rule_type"), "ApplicationRule", "unknown"),
        ((*APPLICATION, "rules", 0, "protocols", 0, "protocolType"), "HTTPS", "protocolType"),
        ((*APPLICATION, "rules", 0, "protocols", 0, "port"), 64_001, "port"),
        ((*APPLICATION, "rules", 0, "targetFqdns"), ["*x.dev"], "targetFqdns"),
        ((*APPLICATION, "rules", 0, "targetFqdns"), ["a.*.dev"], "targetFqdns"),
        ((*APPLICATION, "rules", 0, "targetFqdns"), ["x.dev", "x.dev"], "targetFqdns"),
        ((*APPLICATION, "rules", 0, "sourceAddresses"), ["fd00::/8"], "sourceAddresses"),
        ((*APPLICATION, "rules", 0, "sourceAddresses"), [], "no source"),
        ((*NETWORK, "rules", 0, "destinationFqdns"), ["*.x.dev"], "destinationFqdns"),
        ((*NETWORK, "rules", 0, "destinationPorts"), [443], "destinationPorts"),
        ((*NETWORK, "rules", 0, "destinationPorts"), ["443-80"], "destinationPorts"),
        ((*NETWORK, "rules", 0, "ruleType"), "ApplicationRule", "in one collection"),
        ((*NETWORK, "rules", 0, "ipProtocols"), ["tcp"], "ipProtocols"),
        ((*NETWORK, "rules", 0, "destinationAddresses"), ["*"], "one kind of destination"),
    ],
)
def test_a_bad_body_is_found(path: tuple[str | int, ...], value: object, word: str) -> None:
    body = group()
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(word in message for message in wrong(body)), list(wrong(body))


@pytest.mark.parametrize(
    "listed",
    [[], ["2001:db8::7/128"], ["203.0.113.7/24"], ["a.example"], ["203.0.113.7", "203.0.113.7"],
     [f"10.0.{n // 250}.{n % 250}" for n in range(5_001)]],
)  # fmt: skip
def test_an_ip_group_of_what_is_no_ipv4_range_or_of_too_many_is_found(listed: list[str]) -> None:
    body = copy.deepcopy(dict(next(each.body for _, each in objects("azure") if each.kind == IP_GROUP)))
    assert not list(wrong(body))
    body["properties"]["ipAddresses"] = listed
    assert any("ipAddresses" in message for message in wrong(body))
