"""AWS rule groups as effects: Suricata rules, domain lists, standard and stateless rules, whoever wrote them."""

from collections.abc import Iterator, Mapping
from typing import Final

from hostgate.aws.evaluate import STRICT
from hostgate.aws.rule_steps import five_tuple
from hostgate.flows.address_sets import AddressSet
from hostgate.flows.nodes import Node
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.policies.effects import (
    ANY_PORT,
    EVERYWHERE,
    NOWHERE,
    Effect,
    Layer,
    Names,
    Ports,
    destination,
    everywhere,
    public,
)
from hostgate.policies.reading import OF_A_RULE, Reading, Room
from hostgate.policies.suricata_names import condition
from hostgate.suricata.headers import HeaderError, Variables, addresses_of, ports_of
from hostgate.suricata.reader import ParsedRule, UnreadLine, read_rules

_LAYERS: Mapping[str, Layer] = {
    "tls": "tls", "http": "http", "tcp": "tcp", "tcp-pkt": "tcp", "tcp-stream": "tcp", "ip": "any", "ip4": "any",
    "ipv4": "any", "ip6": "any", "ipv6": "any", "udp": "udp", "quic": "udp",
}  # fmt: skip
"""Layers by Suricata protocol; every other (ssh, dns, icmp, ...) opens nothing that a host list is about."""

_PRIVATE: Final = f"[{','.join(PRIVATE_IPV4)}]"
_NUMBERS: Mapping[int, Layer] = {6: "tcp", 17: "udp"}


def read_rule_group(node: Node) -> Reading:
    """What a RuleGroup does. Capacity: one unit a rule; a list takes targets x types + types + 1 (measured)."""
    reading = Reading(node.doubts)
    source = node.at("ruleGroup", "rulesSource")
    if source.unknown:
        for about in (*OF_A_RULE, "size"):
            source.doubt(about)
        reading.opaque = True
        return reading
    sets = _variables(node.at("ruleGroup", "ruleVariables"), reading)
    order = node.at("ruleGroup", "statefulRuleOptions", "ruleOrder")
    reading.strict = None if order.unknown else order.value == STRICT
    if order.unknown:
        order.doubt("order")
    used = 0
    flat = node.at("rules")
    text = flat if not flat.absent else source.at("rulesString")
    if not text.absent:
        used += _suricata(text, sets, reading)
    listed = source.at("rulesSourceList")
    if not listed.absent:
        used += _list(listed, reading)
    standard = source.at("statefulRules")
    if not standard.absent:
        used += _standard(standard, sets, reading)
    stateless = source.at("statelessRulesAndCustomActions")
    if not stateless.absent:
        used += _stateless(stateless, reading)
    reserved = node.at("capacity").number("capacity")
    if reserved is not None:
        reading.rooms.append(Room("capacity", used, reserved, "capacity units"))
    return reading


def _variables(node: Node, reading: Reading) -> dict[str, str | None]:
    """Definitions by name, as headers have them. HOME_NET of a policy is taken to be private ranges, and EXTERNAL_NET does
    not follow a group's own."""
    found: dict[str, str | None] = {"HOME_NET": _PRIVATE, "EXTERNAL_NET": f"!{_PRIVATE}"}
    declared: list[str] = []
    for kind, inner in (("ipSets", "ipSet"), ("portSets", "portSet")):
        for item in node.at(kind).items("destination", "ports"):
            key = item.at("key").text("destination", "ports")
            if key is None:
                continue
            definitions = item.at(inner, "definitions")
            if definitions.empty or definitions.absent:
                reading.empties.append((f"{definitions.path}", f"the variable {key} holds nothing"))
            texts = definitions.texts("destination")
            whole = not definitions.unknown and len(texts) == len(list(definitions.items()))
            found[key] = f"[{','.join(texts)}]" if texts and whole else None
            declared.append(key)
    reading.variables = frozenset(declared)
    return found


def _suricata(node: Node, sets: Variables, reading: Reading) -> int:
    text = node.text(*OF_A_RULE, "size")
    if text is None:
        return 0
    lines = read_rules(text)
    reading.texts.append(text)
    if not lines:
        reading.empties.append((node.path, "no rule in it"))
    for line in lines:
        where = f"{node.path} {line.where}"
        if isinstance(line, UnreadLine):
            _unread(reading, where, line.why)
            continue
        reading.effects += _effects(line, where, sets, reading)
    return len(lines)


def _unread(reading: Reading, where: str, why: str) -> None:
    for about in OF_A_RULE:
        reading.doubt(where, about, why)


def _effects(line: ParsedRule, where: str, sets: Variables, reading: Reading) -> Iterator[Effect]:
    if line.action != "pass" or any(key == "flow" and "not_established" in value for key, value in line.options):
        return  # a pass of packets before the handshake opens no connection
    about = condition(line)
    target = _addresses(line.destination, sets)
    if isinstance(about, str):
        if target is not None and everywhere(target):
            reading.doubt(where, "names", about)
            return
        about = None  # the addresses bound it already; a further condition can only narrow it
    layer: Layer | None = _LAYERS.get(line.protocol, "other")
    app = next((value for keyword, value in line.options if keyword == "app-layer-protocol"), "")
    if about is not None:
        layer = "http" if about.layer == "http" else "tls"
    elif app in _LAYERS:
        layer = _LAYERS[app]
    if line.both_ways and target is not None and not everywhere(target):
        target = _addresses(line.source, sets) or target
    ports = _ports(line.port, sets)
    if ports is None:
        reading.doubt(where, "ports", f"the ports {line.port}")
    if target is None:
        reading.doubt(where, "destination", f"the addresses {line.destination}")
    if target == NOWHERE:
        return  # to private addresses, or towards the clients
    for names in (None,) if about is None else about.names:
        yield Effect(where=where, action="allow", layer=layer, ports=ports, names=names, destination=target)


def _addresses(text: str, sets: Variables) -> AddressSet | None:
    """The public addresses of a header; None where some of them are kept elsewhere, or the engine refuses the text."""
    try:
        found = addresses_of(text, sets)
    except HeaderError:
        return None
    return None if found.opaque else public(found)


def _ports(text: str, sets: Variables) -> Ports | None:
    try:
        found = ports_of(text, sets)
    except HeaderError:
        return None
    return None if found is None else found.parts


def _list(node: Node, reading: Reading) -> int:
    """A domain list: its targets on any port. A leading dot takes in the name itself (developer guide)."""
    kind = node.at("generatedRulesType").text("action")
    types = node.at("targetTypes").texts("protocol")
    targets = node.at("targets")
    count = 0
    if targets.empty or targets.absent:
        reading.empties.append((targets.path, "a domain list without targets"))
    allows = kind in (None, "ALLOWLIST")
    reading.lists += allows
    for target in targets.items("names", "size"):
        text = target.text("names")
        count += 1
        if text is None or kind == "ALERTLIST":
            continue
        host = text.lower()
        names = Names("subtree+apex", host[1:]) if host.startswith(".") else Names("exact", host)
        for name in types:
            layer: Layer | None = {"TLS_SNI": "tls", "HTTP_HOST": "http"}.get(name)  # type: ignore[assignment]
            if layer is None:
                reading.doubt(target.path, "protocol", f"the target type {name}")
            reading.effects.append(
                Effect(
                    where=target.path, action="allow" if allows else "deny", layer=layer, ports=ANY_PORT, names=names,
                    destination=EVERYWHERE, listed=True,
                )
            )  # fmt: skip
    reading.list_bytes += sum(len(text) + 200 for text in targets.texts()) * max(len(types), 1)
    return count * max(len(types), 1) + len(types) + 1


def _standard(node: Node, sets: Variables, reading: Reading) -> int:
    if node.empty:
        reading.empties.append((node.path, "no rule in it"))
    rules = list(node.items(*OF_A_RULE, "size"))
    for number, rule in enumerate(rules, start=1):
        keywords = [item.at("keyword").text("names") for item in rule.at("ruleOptions").items("names")]
        if any(keyword is not None and ("content" in keyword or "pcre" in keyword) for keyword in keywords):
            # The provider keeps options as a set: which content belongs to which buffer is lost (provider #35147).
            rule.doubt("names", "options with a content, whose order the provider does not keep")
            continue
        line = five_tuple(rule, number)
        if line is not None:
            reading.effects += _effects(line, rule.path, sets, reading)
            continue
        for about in OF_A_RULE:
            rule.doubt(about)
    return len(rules)


def _stateless(node: Node, reading: Reading) -> int:
    """Stateless rules come before everything stateful: aws:pass there is never seen by a rule with a name."""
    units = 0
    for rule in node.at("statelessRules").items("destination", "size"):
        definition = rule.at("ruleDefinition")
        actions = definition.at("actions").texts("action")
        match = definition.at("matchAttributes")
        ranges = [
            item.at("addressDefinition").text("destination") for item in match.at("destinations").items("destination")
        ]
        numbers = [number for item in match.at("protocols").items("protocol") if (number := item.number("protocol"))]
        ports: list[tuple[int, int]] = []
        for item in match.at("destinationPorts").items("ports"):
            low, high = item.at("fromPort").number("ports"), item.at("toPort").number("ports")
            if low is not None:
                ports.append((low, low if high is None else high))
        sizes = [max(len(list(match.at(key).items())), 1) for key in ("sources", "sourcePorts")]
        units += sizes[0] * sizes[1] * max(len(ranges), 1) * max(len(ports), 1) * max(len(numbers), 1)
        if "aws:pass" not in actions:
            continue
        known = [text for text in ranges if text is not None]
        target = destination(known) if known else (EVERYWHERE if not ranges else None)
        if target == NOWHERE:
            continue
        for layer in {_NUMBERS.get(number, "other") for number in numbers} or {"any"}:
            reading.effects.append(
                Effect(where=rule.path, action="allow", layer=layer, ports=tuple(ports) or ANY_PORT, destination=target)
            )
    return units
