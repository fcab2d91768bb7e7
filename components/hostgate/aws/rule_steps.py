"""Rules of AWS Network Firewall that are not Suricata text, as steps: domain lists, standard and stateless rules, defaults.

Sources: AWS Network Firewall developer guide, stateful domain list rule groups, stateless rule groups, default actions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, AddressSet, range_of, symbol, union
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.nodes import Node, number
from hostgate.flows.steps import ANY_MOMENT, Action, Box, ClientTest, Moment, Step, either, whether
from hostgate.suricata.headers import Variables, addresses_of
from hostgate.suricata.reader import ACTIONS, ParsedRule
from hostgate.suricata.steps import by_detection, dropped_late

_LAYERS: Final = {"TLS_SNI": "tls", "HTTP_HOST": "http"}
HELLO: Final = frozenset({Moment.NAME_KNOWN})


def default_steps(actions: Sequence[str]) -> Iterator[Step]:
    """What the stateful defaults of a strict-order policy do at the end. Of datagrams, established ones alone are
    dropped, and the first is out by then."""
    tcp = frozenset({6})
    for action in actions:
        if action == "?":
            doubt = "a default action of the policy, not known yet, drops it"
            yield Step(
                action="block", rule="the policy's default", why="the default drops it", box=Box(doubts=(doubt,))
            )
        elif action == "aws:drop_strict":
            yield Step(action="block", rule="", why=f"no rule matches; the policy's default drops ({action})")
        elif action.startswith("aws:drop_established"):
            why = f"no rule matches; the policy's default drops ({action})"
            step = Step(
                action="block", rule="", why=why, box=Box(protocols=tcp), moments=HELLO | {Moment.LATER},
                cuts_hellos="_app_layer" not in action,
            )  # fmt: skip
            yield from by_detection(step) if "_app_layer" in action else (step,)
            if not action.endswith("_to_server"):  # of a pass that is for single packets, answers are dropped
                late = Box(protocols=tcp, doubts=(dropped_late(action),))
                yield replace(step, box=late, moments=frozenset({Moment.REPLY}))
        elif not action.startswith("aws:alert_"):
            yield whether("block", action, f"the default action {action}, which is not known here, drops it")


def list_steps(node: Node, variables: Variables, group: str, owner: str, *, strict: bool) -> Iterator[Step]:
    """A domain list. In strict order it makes no drop; in action order an allow list drops all other names.

    Of target type AWS_ROUTE_53_RESOLVED_DOMAIN it is about addresses that Route 53 resolved a name to: in an allow list
    both have to be so, else each stands for itself, and makes no drop (API reference, RulesSourceList, read 2026-11).
    """
    kind, targets, types = (node.at(key) for key in ("generatedRulesType", "targets", "targetTypes"))
    of_types = types.unknown or any(item.unknown for item in types.items())
    if kind.unknown or targets.unknown or of_types or not isinstance(kind.value, str):
        yield from either(group, "its list is not known yet", owner)
        return
    action: Action | None = {"ALLOWLIST": "allow", "DENYLIST": "block", "REJECTLIST": "block"}.get(kind.value)  # type: ignore[assignment]
    if kind.value == "ALERTLIST":
        return
    if action is None or types.absent:
        yield from either(group, f"what a list of type {kind.value} does is not known here", owner)
        return
    named = [_LAYERS[str(item.value)] for item in types.items() if str(item.value) in _LAYERS]
    others = [str(item.value) for item in types.items() if str(item.value) not in _LAYERS]
    client, address = addresses_of("$HOME_NET", variables), addresses_of("$EXTERNAL_NET", variables)
    word = "passed" if action == "allow" else "dropped"
    base = Box(address=address, client=ClientTest(addresses=client))
    resolved = f"Route 53 resolved a name of {group} to its address, and the policy validates resolved addresses"
    met = tuple(
        replace(base, dialled=(), doubts=(resolved,))
        if other == "AWS_ROUTE_53_RESOLVED_DOMAIN"
        else replace(base, doubts=(f"the list {group} holds for its target type {other}",))
        for other in others
    )
    needed = tuple(doubt for each in met for doubt in each.doubts)
    together = action == "allow" and bool(named)  # of an allow list the name and the address both have to be listed
    boxes = [
        replace(
            base, protocols=frozenset({6}), applications=frozenset({layer}), wire=(), doubts=needed if together else ()
        )
        for layer in named
    ]
    boxes += [] if together else met
    for box in boxes:
        for item in targets.items():
            if isinstance(item.value, str):
                text = item.value.lower()
                names = (NameTest("dot-ending" if text.startswith(".") else "exact", text.removeprefix(".")),)
                wire, dialled = (None if each is None else names for each in (box.wire, box.dialled))
                listed = replace(box, wire=wire, dialled=dialled)
            else:
                listed = replace(box, doubts=(*box.doubts, f"{group} lists its name"))
            label = f"{group}#{item.value if isinstance(item.value, str) else '?'}"
            moments = HELLO if box.wire is not None else ANY_MOMENT
            yield Step(action=action, rule=label, why=f"{word} by a rule of {group}", box=listed,
                       moments=moments, owner=owner)  # fmt: skip
    if action == "allow" and not strict:
        for layer in named:
            box = replace(base, protocols=frozenset({6}), applications=frozenset({layer}))
            why = f"no name of the allow list {group}, which drops all others in action order"
            yield Step(action="block", rule=f"{group}#drop", why=why, box=box, moments=HELLO, owner=owner)


def five_tuple(node: Node, number: int) -> ParsedRule | None:
    """A standard stateful rule as the Suricata rule that it stands for; None where a part cannot be read."""
    header = node.at("header")
    parts = [
        header.at(key).value
        for key in ("protocol", "source", "sourcePort", "destination", "destinationPort", "direction")
    ]
    action = node.at("action").value
    if str(action).lower() not in ACTIONS or not all(isinstance(part, str) for part in parts):
        return None
    options = []
    for item in node.at("ruleOptions").items():
        keyword, settings = item.at("keyword").value, [each.value for each in item.at("settings").items()]
        if not isinstance(keyword, str) or not all(isinstance(each, str) for each in settings):
            return None
        options.append((keyword.strip().lower(), ",".join(map(str, settings)).strip('"')))
    protocol, source, source_port, destination, port, direction = map(str, parts)
    return ParsedRule(
        number, str(action).lower(), protocol.lower(), source, source_port, destination, port, tuple(options),
        both_ways=direction == "ANY",
    )  # fmt: skip


def stateless_rule(node: Node, group: str, owner: str) -> Iterator[Step]:
    """A stateless rule: one step for each of its actions that decides."""
    definition = node.at("ruleDefinition")
    actions = [item.value for item in definition.at("actions").items()]
    told = bool(actions) and all(isinstance(each, str) for each in actions)
    match = definition.at("matchAttributes")
    label = f"{group}#{node.at('priority').value}"
    action: Action = "allow" if "aws:pass" in actions else "block" if "aws:drop" in actions else "next"
    doubts: list[str] = []
    if match.unknown or definition.unknown:
        doubts.append(f"the stateless rule {label} is about it")
    for key in ("sources", "destinations"):
        if not all(_is_range(item.at("addressDefinition")) for item in match.at(key).items()):
            doubts.append(f"the {key} of {label} hold it")
    for key in ("tcpFlags", "sourcePorts"):
        if not match.at(key).absent and not match.at(key).empty:
            doubts.append(f"its {key} are those of {label}")
    protocols = match.at("protocols")
    numbers = [number(item) for item in protocols.items()]
    if protocols.unknown or None in numbers:
        doubts.append(f"the stateless rule {label} is about its protocol")
    ports = list(_spans(match.at("destinationPorts")))
    if match.at("destinationPorts").unknown or len(ports) < len(list(match.at("destinationPorts").items())):
        doubts.append(f"the stateless rule {label} is about its port")
    if node.at("priority").unknown:
        doubts.append(f"the stateless rule {label}, whose priority is not known yet, is asked before others")
    box = Box(
        protocols=None if None in numbers else frozenset(each for each in numbers if each is not None) or None,
        port=Intervals.of(ports) if ports else EVERY_PORT,
        address=_definitions(match.at("destinations"), label),
        client=ClientTest(addresses=_definitions(match.at("sources"), label)),
        doubts=tuple(doubts),
    )
    if not told:
        yield from either(
            f"the stateless rule {label}", f"what the stateless rule {label} does is not known", owner, box=box
        )
        return
    word = {"allow": "passed uninspected", "block": "dropped", "next": "forwarded"}[action]
    yield Step(action=action, rule=label, why=f"{word} by a stateless rule of {group}", box=box, owner=owner)


def _spans(node: Node) -> Iterator[tuple[int, int]]:
    for item in node.items():
        low, high = item.at("fromPort").value, item.at("toPort").value
        if isinstance(low, int | float):
            yield int(low), int(high) if isinstance(high, int | float) else int(low)


def _is_range(node: Node) -> bool:
    """Whether it is one; of one that is not known yet, nothing speaks against it."""
    return node.unknown or range_of(node.value) is not None


def _definitions(node: Node, label: str) -> AddressSet:
    """Addresses of a stateless match; without any, every address."""
    if node.absent or node.empty:
        return EVERY_ADDRESS
    unseen = symbol(f"unknown:{label}")
    return (
        unseen
        if node.unknown
        else union(range_of(item.at("addressDefinition").value) or unseen for item in node.items())
    )
