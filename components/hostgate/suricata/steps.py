"""Rules as steps: what a rule group does, for the one evaluator."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Final

from hostgate.flows.address_sets import AddressSet
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals
from hostgate.flows.steps import Action, Box, ClientTest, Moment, Step, either
from hostgate.suricata.conditions import NUMBERS, Conditions, conditions
from hostgate.suricata.headers import HeaderError, Variables, addresses_of, ports_of
from hostgate.suricata.reader import ParsedRule, UnreadLine

_ACTIONS: Mapping[str, tuple[Action, str]] = {
    "pass": ("allow", "passed"), "drop": ("block", "dropped"), "reject": ("block", "rejected"),
}  # fmt: skip

_HEADERS: Final[Mapping[str, tuple[frozenset[int] | None, str | None]]] = {
    "ip": (None, None), "ipv4": (None, None), "ip4": (None, None), "ipv6": (None, None), "ip6": (None, None),
    "tcp": (frozenset({6}), None), "tcp-pkt": (frozenset({6}), None), "tcp-stream": (frozenset({6}), None),
    "udp": (frozenset({17}), None), "icmp": (frozenset({1, 58}), None), "icmpv4": (frozenset({1}), None),
    "icmpv6": (frozenset({58}), None), "sctp": (frozenset({132}), None), "tls": (frozenset({6}), "tls"),
    "http": (frozenset({6}), "http"), "http1": (frozenset({6}), "http"), "quic": (frozenset({17}), "quic"),
}  # fmt: skip
"""Protocols of headers: IP protocol numbers (None: all), and what the packets speak (None: whatever)."""

_OTHER_PROTOCOLS: Final = frozenset({
    "dcerpc", "dhcp", "dnp3", "dns", "enip", "ftp", "ftp-data", "http2", "ike", "ikev2", "imap", "krb5", "modbus", "mqtt",
    "msn", "nfs", "ntp", "pgsql", "rdp", "rfb", "sip", "smb", "smtp", "snmp", "ssh", "telnet", "tftp",
})  # fmt: skip
"""Application protocols that the engine knows and no flow here speaks by name. Of any further word, nobody knows what."""

_ONE_FAMILY = {"ipv4": "IPv4", "ip4": "IPv4", "ipv6": "IPv6", "ip6": "IPv6"}

_WITH_PORTS = frozenset({NUMBERS["tcp"], NUMBERS["udp"], NUMBERS["sctp"]})
"""Of no other protocol does a packet meet a rule with ports, whichever they are (replayed on Suricata 7.0.10)."""

_CLIENT_PORTS = Intervals.of([(1024, 65_535)])
"""From which ports clients connect; a rule about others may be about a client that binds one of its own."""


def steps_of(
    rules: Iterable[ParsedRule | UnreadLine], variables: Variables, group: str, owner: str = ""
) -> Iterator[Step]:
    """What the rules of `group` do, in order. An alert decides nothing; a line that cannot be read may do anything."""
    # Most rules of a group say the same of their ends, and to work a variable out is most of reading a rule.
    addresses, ports = cache(partial(addresses_of, variables=variables)), cache(partial(ports_of, variables=variables))
    for rule in rules:
        if isinstance(rule, UnreadLine):
            why = f"{rule.where} of {group} cannot be read: {rule.why}"
            yield from either(f"{group}#{rule.number}", why, owner)
        elif rule.action != "alert":
            yield from _steps(rule, addresses, ports, group, owner)


def _steps(
    rule: ParsedRule, addresses: Callable[[str], AddressSet], ports: Callable[[str], Intervals | None],
    group: str, owner: str,
) -> Iterator[Step]:  # fmt: skip
    label = f"{group}#{rule.sid}"
    action, word = _ACTIONS[rule.action]
    asked = conditions(rule)
    if asked.never:
        return
    try:
        ends = (addresses(rule.source), addresses(rule.destination))
        their_ports = (ports(rule.source_port), ports(rule.port))
    except HeaderError as error:
        why = f"the header of {label} is refused by the engine: {error}"
        yield from either(label, why, owner)
        return
    numbers, speaks = _HEADERS.get(rule.protocol, (None, "?"))
    if numbers is not None:
        asked.only(numbers)
    if {rule.source_port.lower(), rule.port.lower()} != {"any"}:
        asked.only(_WITH_PORTS)
    if speaks == "?":
        if rule.protocol in _OTHER_PROTOCOLS:
            asked.applications = frozenset({"other"})
        asked.doubt(rule, f"the protocol {rule.protocol}")
    elif speaks is not None:
        asked.applications = frozenset({speaks}) & (asked.applications or {speaks})
    if speaks == "quic":  # whether the engine takes a datagram for QUIC differs by port and content (replayed)
        asked.applications = frozenset({"quic", "other"})
        asked.doubt(rule, "the protocol quic")
    asked.after_hello |= speaks is not None
    by_packet = asked.of_packets or their_ports != (EVERY_PORT, EVERY_PORT)
    # Of a pass that goes by ports or by the state of the connection the engine makes sometimes more than one packet.
    waits = asked.after_hello and speaks is None
    lasting = True if asked.wire is not None or not by_packet else False if waits else None
    back = (ends[::-1], their_ports[::-1])
    sent = [(ends, their_ports), back] if rule.both_ways else [(ends, their_ports)]
    answered = [back, (ends, their_ports)] if rule.both_ways else [back]
    ways = [(way, False) for way in sent if not asked.to_client]
    ways += [(way, True) for way in answered if not asked.to_server and asked.wire is None]
    for ((source, destination), (from_port, to_port)), answer in ways:
        box = _box(rule, asked, source, destination, from_port, to_port)
        if box is not None and answer:
            box = _of_answers(box)
        if box is not None:
            if answer and asked.after_hello:
                yield from _of_greetings(rule, action, label, box, lasting, owner)
                if action == "block":
                    box = replace(box, doubts=(*box.doubts, dropped_late(str(rule.sid))))
            why = f"{'its answers are ' if answer else ''}{word} by a rule of {group}"
            moments = _moments(asked, answer=answer)
            early = Moment.NAME_KNOWN in moments and Moment.FIRST_PACKET not in moments
            waiting = answer or asked.wire is not None or asked.whole_hello
            step = Step(action=action, rule=label, why=why, box=box, moments=moments, lasting=lasting, owner=owner,
                        cuts_hellos=action == "block" and early and not waiting)  # fmt: skip
            yield from by_detection(step) if asked.but and asked.applications is None else (step,)


NAMED_APPLICATIONS = frozenset({"tls", "http", "quic"})


def by_detection(step: Step) -> Iterator[Step]:
    """A step that holds once the protocol is known to be none of some. Of one that the engine has a name for it knows by
    the first data; of bytes of none only after the first of both sides (replayed), and of the rest nobody can tell."""
    yield replace(step, box=replace(step.box, applications=NAMED_APPLICATIONS))
    other = replace(step.box, applications=frozenset({"other"}))
    early = f"its protocol is known by its first data (for {step.rule or step.why})"
    yield replace(step, box=replace(other, doubts=(*other.doubts, early)), moments=step.moments - {Moment.LATER})
    if Moment.LATER in step.moments:
        tcp = frozenset({6}) if other.protocols is None else other.protocols & {6}
        yield replace(step, box=replace(other, protocols=tcp), moments=frozenset({Moment.LATER}))


def _of_answers(box: Box) -> Box | None:
    """The box for what comes back over a connection. An answer to a datagram matters not: the datagram is out."""
    tcp = frozenset({6})
    protocols = tcp if box.protocols is None else box.protocols & tcp
    return replace(box, protocols=protocols) if protocols else None


def dropped_late(by: str) -> str:
    """The doubt of a drop that is asked of answers to the first data, which is out by then."""
    return f"a connection counts as blocked whose first data passes and whose answers {by} drops"


def _of_greetings(
    rule: ParsedRule, action: Action, label: str, box: Box, lasting: bool | None, owner: str
) -> Iterator[Step]:
    """What becomes of a connection on which the server speaks first, as of SSH and mail: its greeting is an answer that
    comes before the client's first data (replayed). Of a flow of no named protocol, nobody can tell who does."""
    spoken = frozenset({"other"}) if box.applications is None else box.applications & {"other"}
    if spoken:
        doubt = f"the server speaks first, and {rule.sid} is asked of that"
        yield Step(
            action=action,
            rule=label,
            why=f"the server's greeting is {_ACTIONS[rule.action][1]}",
            box=replace(box, applications=spoken, but=frozenset(), doubts=(*box.doubts, doubt)),
            moments=frozenset({Moment.ANSWER}),
            lasting=lasting or None,  # of some rules that the engine asks of each packet, a pass is the connection's
            owner=owner,
        )


def _moments(asked: Conditions, *, answer: bool) -> frozenset[Moment]:
    """When the rule's conditions can hold, of what the client sends or of what it gets."""
    early = Moment.ANSWER if answer else Moment.FIRST_PACKET
    late = frozenset({Moment.REPLY}) if answer else frozenset({Moment.NAME_KNOWN, Moment.LATER})
    if asked.before_handshake or asked.once:
        return frozenset({early})
    return late if asked.after_hello else late | {early}


def _box(
    rule: ParsedRule, asked: Conditions, source: AddressSet, destination: AddressSet,
    from_port: Intervals | None, to_port: Intervals | None,
) -> Box | None:  # fmt: skip
    doubts = list(asked.doubts)
    if from_port is None or (from_port != EVERY_PORT and from_port.holds(_CLIENT_PORTS) is not True):
        doubts.append(f"the client's port is one of the rule {rule.sid}")
    if to_port is None:
        doubts.append(f"the port is one of {rule.port}")
    family = _ONE_FAMILY.get(rule.protocol)
    if family == "IPv4":
        destination = replace(destination, v6=NO_NUMBER)
    elif family == "IPv6":
        destination = replace(destination, v4=NO_NUMBER)
    if asked.applications is not None and not asked.applications:
        return None
    return Box(
        wire=asked.wire,
        applications=asked.applications,
        but=asked.but,
        protocols=asked.protocols,
        port=EVERY_PORT if to_port is None else to_port,
        address=destination,
        client=ClientTest(addresses=source),
        doubts=tuple(doubts),
    )
