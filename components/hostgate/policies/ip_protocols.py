"""First packets that are not of TCP, by kind: which of them a Suricata rule is about, and which it surely ends.

Replayed on Suricata 7.0.10: `icmp` is of both IP versions, `ip4` and `ip6` of one, a rule with ports is about TCP, UDP and
SCTP only, and packets without a flow (GRE) meet `flow:to_server` but no state of a flow.
"""

from typing import Literal

from hostgate.policies.address_ranges import VERSIONS
from hostgate.policies.effects import ANY_PORT
from hostgate.policies.endings import APART
from hostgate.policies.suricata_headers import Sets, ports_of
from hostgate.suricata.reader import ParsedRule

Kind = Literal["UDP", "ICMP", "other IP protocols"]
KINDS: tuple[Kind, ...] = ("UDP", "ICMP", "other IP protocols")
_ICMP = {4: 1, 6: 58}
_TCP, _UDP = 6, 17
_EVERY = frozenset(range(256))
OF_KIND = {
    (kind, version): {
        "UDP": frozenset({_UDP}),
        "ICMP": frozenset({_ICMP[version]}),
        "other IP protocols": _EVERY - {_TCP, _UDP, *_ICMP.values()},
    }[kind]
    for kind in KINDS
    for version in VERSIONS
}
"""Protocol numbers by kind and IP version."""

_HEADERS = {
    "ip": _EVERY, "ip4": _EVERY, "ipv4": _EVERY, "ip6": _EVERY, "ipv6": _EVERY, "tcp": frozenset({_TCP}),
    "tcp-pkt": frozenset({_TCP}), "tcp-stream": frozenset({_TCP}), "udp": frozenset({_UDP}),
    "icmp": frozenset(_ICMP.values()), "icmpv4": frozenset({1}), "icmpv6": frozenset({58}), "sctp": frozenset({132}),
}  # fmt: skip
"""Protocol numbers of headers that are about packets. Every other header is about what the engine recognised."""

_OVER_TCP = frozenset(
    {"tls", "ssl", "http", "http1", "http2", "ftp", "ftp-data", "smb", "ssh", "smtp", "imap", "pop3", "msn", "rdp", "rfb",
     "pgsql", "telnet", "modbus", "mqtt", "websocket", "ldap"}
)  # fmt: skip
_NAMED = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}
_TO_SERVER = frozenset({"to_server", "from_client"})
_NO_FIRST_PACKET = frozenset({"to_client", "from_server", "established"})


def ended(line: ParsedRule, version: int, sets: Sets) -> frozenset[int]:
    """Protocol numbers of which every first packet meets the rule."""
    numbers = numbers_of(line, version)
    if line.protocol not in _HEADERS or numbers is None or line.source_port.lower() != "any":
        return frozenset()
    if line.port.lower() != "any":
        numbers &= {_UDP} if ports_of(line.port, sets) == ANY_PORT else frozenset()
    for keyword, value in line.options:
        if keyword == "flow":
            words = _words(value)
            if not words <= _TO_SERVER | {"not_established", "stateless"}:
                return frozenset()
            if not words <= _TO_SERVER:
                numbers &= {_UDP, *_ICMP.values()}  # GRE has no flow, and so no state of one (replayed)
        elif keyword not in APART and keyword != "ip_proto":
            return frozenset()
    return numbers


def numbers_of(line: ParsedRule, version: int) -> frozenset[int] | None:
    """Protocol numbers that the rule is about at all; None where an `ip_proto` cannot be read."""
    if line.protocol[-1:] in "46" and line.protocol.startswith("ip") and line.protocol[-1] != str(version):
        return frozenset()
    over_tcp = frozenset({_TCP}) if line.protocol in _OVER_TCP else frozenset({_UDP})
    numbers = _HEADERS.get(line.protocol, over_tcp)
    for keyword, value in line.options:
        if keyword == "ip_proto":
            text = value.removeprefix("!").strip().lower()
            number = int(text) if text.isdecimal() else _NAMED.get(text)
            if number is None:
                return None
            numbers = numbers - {number} if value.startswith("!") else numbers & {number}
        elif keyword == "app-layer-protocol" and value.lower() in _OVER_TCP:
            numbers &= {_TCP}
    return numbers


def _words(flow: str) -> set[str]:
    return set(flow.replace(" ", "").split(","))


def opens_nothing(line: ParsedRule) -> bool:
    """Whether a pass is about packets of a flow that is open already, or towards clients."""
    return any(keyword == "flow" and _words(value) & _NO_FIRST_PACKET for keyword, value in line.options)
