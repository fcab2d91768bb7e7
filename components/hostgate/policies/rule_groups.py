"""AWS rule groups as effects: Suricata rules, domain lists, standard and stateless rules, whoever wrote them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hostgate.flows.nodes import About, Node
from hostgate.policies.effects import (
    ANY_PORT,
    EVERYWHERE,
    Action,
    Effect,
    Layer,
    Names,
    destination,
)
from hostgate.policies.endings import EVERY_CONNECTION, ended, ends_names_only
from hostgate.policies.reading import Reading, Room, Stateless
from hostgate.policies.rule_lines import read_lines
from hostgate.policies.suricata_headers import Sets, addresses_of, clients_of, closes, denied_clients, ports_of
from hostgate.policies.suricata_names import Condition, condition
from hostgate.suricata.reader import ParsedRule, UnreadLine

STRICT: Final = "STRICT_ORDER"

_LAYERS: Mapping[str, Layer] = {
    "tls": "tls", "http": "http", "tcp": "tcp", "tcp-pkt": "tcp", "tcp-stream": "tcp", "ip": "any", "ip4": "any",
    "ipv4": "any", "ip6": "any", "ipv6": "any", "udp": "udp", "quic": "udp",
}  # fmt: skip
"""Layers by Suricata protocol; every other (ssh, dns, icmp, ...) opens nothing that a host list is about."""

_OF_A_RULE: Final[tuple[About, ...]] = ("names", "ports", "protocol", "destination")
_ACTIONS: Mapping[str, Action] = {"pass": "allow", "drop": "deny", "reject": "deny"}
_NUMBERS: Mapping[int, Layer] = {6: "tcp", 17: "udp"}


def read_rule_group(node: Node) -> Reading:
    """What a RuleGroup does. Capacity: one unit a rule; a list takes targets x types + types + 1 (measured)."""
    reading = Reading(node.doubts)
    source = node.at("ruleGroup", "rulesSource")
    if source.unknown:
        for about in (*_OF_A_RULE, "size"):
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


def _variables(node: Node, reading: Reading) -> dict[str, Sequence[str] | None]:
    """Definitions by name. Those of a group's own HOME_NET are noted: EXTERNAL_NET does not follow them."""
    found: dict[str, Sequence[str] | None] = {}
    for kind, inner in (("ipSets", "ipSet"), ("portSets", "portSet")):
        for item in node.at(kind).items("destination", "ports"):
            key = item.at("key").text("destination", "ports")
            if key is None:
                continue
            definitions = item.at(inner, "definitions")
            if definitions.empty or definitions.absent:
                reading.empties.append((f"{definitions.path}", f"the variable {key} holds nothing"))
            if definitions.unknown or any(each.unknown for each in definitions.items()):
                found[key] = None
            else:
                found[key] = definitions.texts("destination")
    reading.variables = found
    return found


def _suricata(node: Node, sets: Sets, reading: Reading) -> int:
    text = node.text(*_OF_A_RULE, "size")
    if text is None:
        return 0
    lines = list(read_lines(text))
    reading.texts.append(text)
    if not lines:
        reading.empties.append((node.path, "no rule in it"))
    for order, line in enumerate(lines):
        where = f"{node.path} {line.where}"
        if isinstance(line, UnreadLine):
            _unread(reading, where, line.why)
            continue
        reading.lines.append((where, line))
        reading.effects += _effects(line, where, order, sets, reading)
    return len(lines)


def _unread(reading: Reading, where: str, why: str) -> None:
    for about in _OF_A_RULE:
        reading.doubt(where, about, why)


def _effects(line: ParsedRule, where: str, order: int, sets: Sets, reading: Reading) -> Iterator[Effect]:
    action = _ACTIONS.get(line.action)
    if action is None or any(keyword == "flow" and "not_established" in value for keyword, value in line.options):
        return  # an alert decides nothing; a pass of packets before the handshake opens no connection
    if action == "deny":
        yield from _denies(line, where, order, sets)
        return
    about = condition(line)
    target = addresses_of(line.destination, sets)
    if isinstance(about, str):
        if target is not None and target.everywhere:
            reading.doubt(where, "names", about)
            return
        about = None  # the addresses bound it already; a further condition can only narrow it
    layer: Layer | None = _LAYERS.get(line.protocol, "other")
    app = next((value for keyword, value in line.options if keyword == "app-layer-protocol"), "")
    if about is not None:
        layer = "http" if about.layer == "http" else "tls"
    elif app in _LAYERS:
        layer = _LAYERS[app]
    ports = ports_of(line.port, sets)
    if line.both_ways and target is not None and not target.everywhere:
        target = addresses_of(line.source, sets) or target
    if ports is None:
        reading.doubt(where, "ports", f"the ports {line.port}")
    if target is None:
        reading.doubt(where, "destination", f"the addresses {line.destination}")
    if target is not None and target.unseen:
        return  # to private addresses, or towards the clients
    clients = clients_of(line.source, sets)
    for names in (None,) if about is None else about.names:
        yield Effect(
            where=where, action=action, layer=layer, ports=ports, names=names, destination=target, clients=clients,
            order=order,
        )  # fmt: skip


def _denies(line: ParsedRule, where: str, order: int, sets: Sets) -> Iterator[Effect]:
    """What a drop or reject surely ends, everywhere; nothing for one that may leave something out."""
    ports = ports_of(line.port, sets)
    if ports is None or line.source_port.lower() != "any" or not closes(line.destination, sets):
        return
    clients = denied_clients(line.source, sets)
    about = condition(line)
    if isinstance(about, Condition):
        if ends_names_only(line):
            for names in about.names:
                yield Effect(
                    where=where, action="deny", layer="http" if about.layer == "http" else "tls", ports=ports,
                    names=names, destination=EVERYWHERE, clients=clients, order=order,
                )  # fmt: skip
        return
    ends = ended(line)
    if ends:
        yield Effect(
            where=where, action="deny", layer=_LAYERS.get(line.protocol, "other"), ports=ports,
            destination=EVERYWHERE, clients=clients, order=order, ends=ends,
        )  # fmt: skip


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
                    destination=EVERYWHERE, listed=True, order=count,
                )
            )  # fmt: skip
    reading.list_bytes += sum(len(text) + 200 for text in targets.texts()) * max(len(types), 1)
    return count * max(len(types), 1) + len(types) + 1


def _standard(node: Node, sets: Sets, reading: Reading) -> int:
    count = 0
    if node.empty:
        reading.empties.append((node.path, "no rule in it"))
    for rule in node.items(*_OF_A_RULE, "size"):
        count += 1
        word = rule.at("action").text("action")
        action: Action | None = "allow" if word is None else _ACTIONS.get(word.lower())
        if action is None:
            continue
        header = rule.at("header")
        protocol = header.at("protocol").text("protocol")
        text, port = header.at("destination").text("destination"), header.at("destinationPort").text("ports")
        source = header.at("source").text("clients")
        source_port = (header.at("sourcePort").text("ports") or "").lower()
        both_ways = (header.at("direction").text("destination") or "").upper() != "FORWARD"
        options = [item.at("keyword").text("names") for item in rule.at("ruleOptions").items("names")]
        if None not in (protocol, source, text, port):
            reading.lines.append((rule.path, ParsedRule(
                count, str(word).lower(), str(protocol).lower(), str(source), source_port, str(text), str(port),
                _settings(rule), both_ways=both_ways,
            )))  # fmt: skip
        if any(option is not None and ("content" in option or "pcre" in option) for option in options):
            # The provider keeps options as a set: which content belongs to which buffer is lost (provider #35147).
            rule.doubt("names", "options with a content, whose order the provider does not keep")
            continue
        ports = None if port is None else ports_of(port, sets)
        target = None if text is None else addresses_of(text, sets)
        if port is not None and ports is None:
            rule.doubt("ports", f"the ports {port}")
        if text is not None and target is None:
            rule.doubt("destination", f"the addresses {text}")
        if target is not None and target.unseen:
            continue
        layer = None if protocol is None else _LAYERS.get(protocol.lower(), "other")
        if action == "deny":
            whole = layer in ("tcp", "any") and set(options) <= {"sid", "msg", "rev"} and source_port == "any"
            if not whole or text is None or source is None or not closes(text, sets):
                continue
            clients = denied_clients(source, sets)
        else:
            clients = frozenset() if source is None else clients_of(source, sets)
        reading.effects.append(
            Effect(
                where=rule.path, action=action, layer=layer, ports=ports, destination=target, clients=clients,
                order=count, ends=EVERY_CONNECTION if action == "deny" else frozenset(),
            )
        )  # fmt: skip
    return count


def _settings(rule: Node) -> tuple[tuple[str, str], ...]:
    """The options of a standard rule, as far as they are known; the provider does not keep their order."""
    found = []
    for item in rule.at("ruleOptions").items("names"):
        keyword, _, value = (item.at("keyword").text("names") or "?").partition(":")
        found.append((keyword, value or ",".join(item.at("settings").texts("names"))))
    return tuple(found)


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
        protocols = match.at("protocols")
        narrowed = any(
            not match.at(key).absent and not match.at(key).empty for key in ("sourcePorts", "destinationPorts")
        )
        reading.stateless.append(
            Stateless(
                where=rule.path, priority=rule.at("priority").number("place"), actions=tuple(actions),
                sources=_ranges(match.at("sources")), destinations=_ranges(match.at("destinations")),
                protocols=None if protocols.unknown or len(numbers) < len(list(protocols.items())) else tuple(numbers),
                any_port=not narrowed,
            )
        )  # fmt: skip
        if "aws:pass" not in actions:
            continue
        known = [text for text in ranges if text is not None]
        target = destination(known) if known else (EVERYWHERE if not ranges else None)
        if target is not None and target.unseen:
            continue
        for layer in {_NUMBERS.get(number, "other") for number in numbers} or {"any"}:
            reading.effects.append(
                Effect(
                    where=rule.path, action="allow", layer=layer, ports=tuple(ports) or ANY_PORT, destination=target,
                    stage=-1,
                )
            )  # fmt: skip
    return units


def _ranges(node: Node) -> tuple[str, ...] | None:
    """The ranges of a stateless rule; empty is everything, None is not known."""
    items = list(node.items())
    found = [text for item in items if (text := item.at("addressDefinition").text()) is not None]
    return None if node.unknown or len(found) < len(items) else tuple(found)
