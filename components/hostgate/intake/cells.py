"""What the cells of a vendor's host table say: hosts with their match kind, ports, protocols, directions, families.

Each reader answers with values or with what is wrong, in words. Nothing is guessed: a cell that says something else than
it should, or more, is wrong as a whole.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from hostgate.catalog.hosts import check_host, is_public_suffix, registrable
from hostgate.catalog.lint import WEB_PORTS
from hostgate.catalog.model import Direction, Family, Match, Protocol
from hostgate.catalog.problems import spelled
from hostgate.intake.markdown_tables import Cell
from hostgate.intake.placeholders import placeholder_in

STAR: Match = "subtree"
"""How a leading star is read: any depth below, not the name itself. Pages do not say how deep they mean it."""

PROTOCOL_NAMES: dict[str, Protocol] = {
    "https": "https", "http": "http", "tls": "tls", "ssl": "tls", "tcp": "tcp", "udp": "udp", "ssh": "tcp",
}  # fmt: skip
USUAL_PORTS: dict[Protocol, int] = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a cell cannot be read: a rule id and a message."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class CellHost:
    """A host in a cell, with the port and protocol that it was written with, if it was."""

    host: str
    match: Match
    port: int | None = None
    protocol: Protocol | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """A port and its protocol; None where the cell does not say it."""

    port: int | None
    protocol: Protocol | None


def hosts_of(cell: Cell, literal: Collection[str] = ()) -> list[CellHost] | Wrong:
    """The hosts of a host cell, in order; several stand on lines of their own or between commas.

    `literal`: names that are meant as they stand although they look as if a part were to be filled in.
    """
    if cell.odd:
        return Wrong(
            "page-host", f"Found {cell.odd} in a host cell: {spelled(cell.text)}. Allowed: hosts as plain text."
        )
    written = [piece.strip() for line in cell.lines for piece in re.split(r"[,;]", line) if piece.strip()]
    if not written:
        return Wrong("page-host", "The host cell is empty. A row without a host says nothing that can be allowed.")
    found: list[CellHost] = []
    for piece in written:
        host = _host(piece, literal)
        if isinstance(host, Wrong):
            return host
        found.append(host)
    return found


def _host(text: str, literal: Collection[str]) -> CellHost | Wrong:
    name, protocol, port = text, None, None
    scheme, found, rest = name.partition("://")
    if found:
        protocol = PROTOCOL_NAMES.get(scheme.lower())
        if protocol is None:
            allowed = ", ".join(f"{known}://" for known in PROTOCOL_NAMES)
            return Wrong("page-host", f"Found {spelled(text)}. Allowed before a host: nothing, or {allowed}.")
        name = rest.removesuffix("/")
    before, colon, digits = name.rpartition(":")
    if colon and ":" not in before and digits.isascii() and digits.isdigit() and len(digits) <= 5:
        name, port = before, int(digits)
        if not 1 <= port <= 65535:
            return Wrong("page-port", f"Found port {port} in {spelled(text)}. Allowed: 1 to 65535.")
    elif protocol is not None:
        port = USUAL_PORTS.get(protocol)
    match: Match = "exact"
    name = name.replace("\\*", "*")  # the escape that a star needs outside of back-ticks, and gets inside them too
    for star in ("**.", "*."):
        if name.startswith(star):
            name, match = name.removeprefix(star), STAR
            break
    if "*" in name:
        return Wrong(
            "host-star", f"Found {spelled(text)}. Allowed: one star in front, followed by a dot; no firewall of these clouds "
            "takes a star elsewhere.",
        )  # fmt: skip
    if name.casefold() not in literal and (filled := placeholder_in(name)):
        return Wrong(
            "page-placeholder", f"Found {spelled(text)}: {spelled(filled)} seems to stand for something of your own, and no "
            "firewall fills it in. Allowed: names as they are asked for. Write yours into a catalog of your own; if the name is "
            f"meant as it stands, say so (--literal {name}).",
        )  # fmt: skip
    host = check_host(name)
    if host.rule is not None:
        return Wrong(host.rule, host.message)
    if registrable(host.name) is None and not is_public_suffix(host.name) and name.casefold() not in literal:
        return Wrong(
            "page-host", f"Found {spelled(text)}: no registry hands out names below {host.name.split('.')[-1]!r} "
            f"(publicsuffix.org). A mark of a footnote? If the name is meant as it stands, say so (--literal {name}).",
        )  # fmt: skip
    if is_public_suffix(host.name):
        return Wrong("host-public-suffix", f"Found {spelled(text)}: anybody can register a name below {host.name}.")
    return CellHost(host.name, match, port, protocol)


def accesses_of(port: Cell | None, protocol: Cell | None) -> tuple[list[Access], list[Wrong]]:
    """Ports with their protocols, or all that is wrong with them.

    Each cell may hold one or several, or be absent; several go in pairs, or one serves all.
    """
    ports = [] if port is None else _ports(port)
    protocols = [] if protocol is None else _protocols(protocol)
    if isinstance(ports, Wrong) or isinstance(protocols, Wrong):
        return [], [each for each in (ports, protocols) if isinstance(each, Wrong)]
    if not protocols:
        return ports or [Access(None, None)], []
    if not ports:
        return [Access(None, each) for each in protocols], []
    paired = _paired(ports, protocols)
    return ([], [paired]) if isinstance(paired, Wrong) else (paired, [])


def _paired(ports: list[Access], protocols: list[Protocol]) -> list[Access] | Wrong:
    if len(ports) == 1 and ports[0].protocol is None and set(protocols) == {"tcp", "udp"}:
        return [Access(ports[0].port, name) for name in protocols]
    if len(protocols) not in (1, len(ports)):
        return Wrong(
            "page-port", f"Found {len(ports)} ports and {len(protocols)} protocols: which belongs to which? Allowed: as many of "
            "one as of the other, or one protocol for all ports.",
        )  # fmt: skip
    if len(protocols) == 1:
        protocols *= len(ports)
    by_use = {port: name for name in ("https", "http") if name in protocols for port in WEB_PORTS[name]}
    if set(protocols) == {"http", "https"} and by_use.keys() >= {access.port for access in ports}:
        protocols = [by_use[access.port or 0] for access in ports]  # "443, 80" beside "HTTP, HTTPS"
    found = []
    for access, name in zip(ports, protocols, strict=True):
        both = {access.protocol or name, name}
        if len(both) > 1 and ("tcp" not in both or "udp" in both):
            return Wrong("page-port", f"Found {access.port}/{access.protocol} beside the protocol {name}.")
        found.append(Access(access.port, name if access.protocol in (None, "tcp") else access.protocol))
    return found


def _ports(cell: Cell) -> list[Access] | Wrong:
    text = _plain(cell)
    if isinstance(text, Wrong):
        return text
    if not text:
        return Wrong("page-port", "The port cell is empty. No port is not every port.")
    found = []
    for piece in re.split(r"\s*(?:[,;&]|\band\b)\s*|\s+|(?<=\d)/(?=\d)", text):
        digits, _, name = piece.partition("/")
        if not digits.isdigit():
            digits, name = name, digits  # tcp/443
        protocol = PROTOCOL_NAMES.get(name) if name else None
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 5) or (name and protocol is None):
            return Wrong(
                "page-port", f"Found {spelled(cell.text)} for a port. Allowed: numbers, such as 443, or 443, 8443, or "
                "443/tcp; no ranges and no words.",
            )  # fmt: skip
        if not 1 <= int(digits) <= 65535:
            return Wrong("page-port", f"Found port {int(digits)}. Allowed: 1 to 65535.")
        found.append(Access(int(digits), protocol))
    return found


def _protocols(cell: Cell) -> list[Protocol] | Wrong:
    text = _plain(cell)
    if isinstance(text, Wrong):
        return text
    words = [word for word in re.split(r"[\s,;&/()]+|\band\b", text) if word]
    unknown = next((word for word in words if word not in PROTOCOL_NAMES), None)
    if unknown is not None or not words:
        allowed = ", ".join(PROTOCOL_NAMES)
        return Wrong("page-protocol", f"Found {spelled(cell.text)} for a protocol. Allowed: {allowed}.")
    named = list(dict.fromkeys(PROTOCOL_NAMES[word] for word in words))
    if "udp" not in named and len(named) > 1 and set(named) <= {"https", "tls", "tcp"}:
        return ["https"] if "https" in named else ["tls"]  # "HTTPS (TLS over TCP)" names one thing by its layers
    return named


def families_of(cell: Cell) -> tuple[Family, ...] | Wrong | None:
    """The address families that a cell names; None for an empty one."""
    text = _plain(cell)
    if isinstance(text, Wrong):
        return text
    if not text:
        return None
    if text in ("both", "dual", "dual stack", "dual-stack"):
        return ("ipv4", "ipv6")
    words = [word for word in re.split(r"[\s,;&/+]+|\band\b", text) if word]
    known: dict[str, Family] = {f"{lead}{digit}": f"ipv{digit}" for lead in ("", "v", "ipv") for digit in "46"}  # type: ignore[misc]
    if not words or any(word not in known for word in words):
        return Wrong("page-families", f"Found {spelled(cell.text)} for address families. Allowed: v4, v6, both.")
    named = {known[word] for word in words}
    return tuple(family for family in ("ipv4", "ipv6") if family in named)


_INBOUND = r"inbound|ingress|incoming|in|eingehend|entrante|entrant"
_OUTBOUND = r"outbound|egress|outgoing|out|ausgehend|saliente|sortant"
_US = (
    r"(?:the )?(?:you|your\b.{0,40}|customers?|clients?|agents?|us|our\b.{0,40}|internal|local|on-prem\w*|vpc|firewall)"
)
_BETWEEN = r"\W{1,5}(?:and |or |& )?"
_MORE = r"(?: (?:only|traffic|connections?))*"
_FORMS: tuple[tuple[str, tuple[Direction, ...]], ...] = (
    (r"both|bi-?directional|two-way|duplex|<-+>|↔|⇄|⇔", ("egress", "ingress")),
    (rf"(?:{_OUTBOUND}){_BETWEEN}(?:{_INBOUND})|(?:{_INBOUND}){_BETWEEN}(?:{_OUTBOUND})", ("egress", "ingress")),
    (rf"(?:{_OUTBOUND}){_MORE}(?: to (?!{_US}\Z).{{1,60}}| from {_US})?", ("egress",)),
    (rf"(?:{_INBOUND}){_MORE}(?: from (?!{_US}\Z).{{1,60}}| to {_US})?", ("ingress",)),
    (rf"from {_US} to (?!{_US}\Z).{{1,60}}", ("egress",)),
    (rf"from (?!{_US} ).{{1,60}} to {_US}", ("ingress",)),
)
"""How pages say directions, as the reader's network sees them. `Outbound from` the vendor is none: who looks is not said."""

_DIRECTIONS = tuple((re.compile(pattern), directions) for pattern, directions in _FORMS)


def direction_in(text: str) -> tuple[Direction, ...] | None:
    """The directions that a text names and nothing else; None if it does not."""
    said = " ".join(text.split()).lower().strip(".")
    if len(said) > 160:
        return None
    return next((directions for pattern, directions in _DIRECTIONS if pattern.fullmatch(said)), None)


def directions_of(cell: Cell) -> tuple[Direction, ...] | Wrong:
    """The directions that a cell names, as they are seen from the reader's network."""
    text = _plain(cell)
    if isinstance(text, Wrong):
        return text
    return direction_in(text) or Wrong(
        "page-direction", f"Found {spelled(cell.text)} for a direction. Allowed: outbound, inbound, both."
    )  # fmt: skip


def _plain(cell: Cell) -> str | Wrong:
    if cell.odd:
        return Wrong("page-cell", f"Found {cell.odd} in {spelled(cell.text)}. Allowed: plain text.")
    return " ".join(cell.text.split()).lower()
