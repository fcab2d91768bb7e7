"""Azure Firewall rule collection groups as effects: network rules first, whatever their priority, then application rules."""

import json
from collections.abc import Iterator, Mapping

from hostgate.azure.resources import GROUP_BYTES
from hostgate.catalog.hosts import check_host
from hostgate.flows.address_sets import AddressSet
from hostgate.flows.nodes import UNKNOWN, Node
from hostgate.planning.limits import Usage
from hostgate.policies.effects import (
    ANY_PORT,
    EVERYWHERE,
    NOWHERE,
    Action,
    Effect,
    Layer,
    Names,
    Ports,
    destination,
    everywhere,
    port_range,
)
from hostgate.policies.reading import OF_A_RULE, Reading

_NETWORK: Mapping[str, Layer] = {"tcp": "tcp", "udp": "udp", "any": "any", "icmp": "other"}
_WEB: Mapping[str, Layer] = {"https": "tls", "http": "http", "mssql": "other"}
_EVERYWHERE = frozenset({"*", "internet", "0.0.0.0/0", "any"})
"""Service tags and signs that mean every public address, however they are written."""


def read_group(node: Node) -> Reading:
    """A FirewallPolicyRuleCollectionGroup."""
    reading = Reading(node.doubts)
    name = node.at("firewallPolicyName").text("place")
    reading.policy = None if name is None else name.rpartition("/")[2].lower()
    collections = node.at("ruleCollections")
    if collections.empty or collections.absent:
        reading.empties.append((collections.path, "a group without collections"))
    for collection in collections.items(*OF_A_RULE):
        _collection(collection, reading)
    size = len(json.dumps(collections.value, default=lambda _: "", separators=(",", ":")))
    reading.usage.append(Usage(GROUP_BYTES, size))
    return reading


def _collection(node: Node, reading: Reading) -> None:
    kind = node.at("ruleCollectionType").text("action")
    if kind == "FirewallPolicyNatRuleCollection":
        return
    if kind is None and not node.at("ruleCollectionType").unknown:
        # What the SDK sends of a plain dict with snake_case keys: the service would not know it either.
        for about in OF_A_RULE:
            node.doubt(about, "no ruleCollectionType, as with keys that the SDK did not translate")
        return
    word = node.at("action", "type").text("action")
    action: Action = "deny" if word == "Deny" else "allow"
    rules = node.at("rules")
    if rules.empty or rules.absent:
        reading.empties.append((rules.path, "a collection without rules"))
    for rule in rules.items(*OF_A_RULE):
        match rule.at("ruleType").text("action"):
            case "ApplicationRule":
                reading.effects += _application(rule, action, reading)
            case "NetworkRule":
                reading.effects += _network(rule, action, reading)
            case other:
                for about in OF_A_RULE:
                    rule.doubt(about, f"the rule type {other!r}")


def _application(node: Node, action: Action, reading: Reading) -> Iterator[Effect]:
    fqdns, urls = node.at("targetFqdns"), node.at("targetUrls")
    if fqdns.empty and urls.value in (None, []):
        reading.empties.append((fqdns.path, "a rule without names"))
    names = [*_names(fqdns, url=False), *_names(urls, url=True)]
    for key in ("fqdnTags", "webCategories"):
        for item in node.at(key).items("names"):
            item.doubt("names", f"{key} stands for names that are kept elsewhere")
    for protocol in node.at("protocols").items("protocol", "ports"):
        kind, port = protocol.at("protocolType").text("protocol"), protocol.at("port").number("ports")
        layer: Layer | None = None if kind is None else _WEB.get(kind.lower(), "other")
        ports: Ports | None = ((port, port),) if port is not None else None
        if port is None and protocol.at("port").absent:
            ports = {"tls": ((443, 443),), "http": ((80, 80),)}.get(str(layer))
        for where, name in names:
            yield Effect(
                where=where,
                action=action,
                layer=layer,
                ports=ports,
                names=name,
            )


def _network(node: Node, action: Action, reading: Reading) -> Iterator[Effect]:
    names = [*_names(node.at("destinationFqdns"), url=False)]
    if node.at("destinationFqdns").empty and node.at("destinationAddresses").value in (None, []):
        reading.empties.append((node.at("destinationFqdns").path, "a rule without destinations"))
    target = _destination(node.at("destinationAddresses"))
    ports = _ports(node.at("destinationPorts"))
    for item in node.at("ipProtocols").items("protocol"):
        kind = item.text("protocol")
        layer: Layer | None = None if kind is None else _NETWORK.get(kind.lower(), "other")
        for where, name in names:
            yield Effect(
                where=where, action=action, layer=layer, ports=ports, names=name,
            )  # fmt: skip
        if target != NOWHERE:
            yield Effect(
                where=node.path, action=action, layer=layer, ports=ports, destination=target,
            )  # fmt: skip
    if action == "allow":
        reading.lookups += [(name.host, where) for where, name in names]


def _names(node: Node, *, url: bool) -> Iterator[tuple[str, Names]]:
    """A star stands left-most only: `*.x` any depth below x, `*x` also evilx, `*` any name (Azure Firewall FAQ)."""
    for item in node.items("names"):
        text = item.text("names")
        if text is None:
            continue
        pattern = (text.partition("://")[2] or text).partition("/")[0].lower() if url else text.lower()
        star = pattern.startswith("*")
        rest = pattern.removeprefix("*")
        if star and not rest:
            yield item.path, Names("any", "")
        elif check_host(rest.removeprefix(".") if star else rest).rule not in (None, "host-single-label"):
            item.doubt("names", f"{text!r} is no name")
        elif star:
            yield item.path, Names("subtree", rest[1:]) if rest.startswith(".") else Names("ending", rest)
        else:
            yield item.path, Names("exact", rest)


def _destination(node: Node) -> AddressSet | None:
    """Where the addresses lead; ranges `a-b` count by their ends, other service tags are sets not seen here."""
    if node.absent or node.empty:
        return NOWHERE
    every, ranges, whole = False, [], not node.unknown
    for item in node.items("destination"):
        text = item.text("destination")
        if text is None:
            whole = False
        elif text.lower() in _EVERYWHERE:
            every = True
        elif text[:1].isdigit() or ":" in text:
            ranges += [part.strip() for part in text.split("-")]
    found = destination(ranges)
    if found is None:
        node.doubt("destination", "an item that is no address range")
        whole = False
    if every or (found is not None and everywhere(found)):
        return EVERYWHERE
    return found if whole else None


def _ports(node: Node) -> Ports | None:
    found: list[tuple[int, int]] = []
    for item in node.items("ports"):
        text = item.text("ports") if item.value is UNKNOWN or isinstance(item.value, str) else str(item.number("ports"))
        if text == "*":
            return ANY_PORT
        part = None if text is None else port_range(text, "-")
        if part is None:
            if text is not None:
                item.doubt("ports", f"{text!r} is no port")
            return None
        found.append(part)
    return None if node.unknown else tuple(sorted(found))
