"""One DNS reply off the wire, record by record: what dnspython's message class merges is kept apart.

Names, SVCB and SOA data are read by dnspython. Its message class is not used, because it lets the last of two aliases
of one name win, takes the lowest of unequal TTLs, and reads a TTL with the top bit set as 0, all without a word; it
also costs several times as much. Names come out in lower case, escaped, without the root dot.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address
from socket import inet_ntoa
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdtypes.ANY.SOA  # else loaded with the first such record, when there may be no descriptor left to open it
import dns.rdtypes.IN.HTTPS
import dns.wire
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from dns.rdtypes.svcbbase import SVCBBase

from hostgate.dns.samples import HttpsRecord, address_text

A, CNAME, SOA, AAAA, OPT, HTTPS = 1, 5, 6, 28, 41, 65
QUERY_TYPES = {"A": A, "AAAA": AAAA, "HTTPS": HTTPS}
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
_IN = 1
_TOP_BIT = 1 << 31
_SECTIONS = 3
_EDE = 15
"""Option code of extended errors (RFC 8914)."""


class MalformedError(ValueError):
    """Bytes that are no DNS reply, or one with a damaged record. The message says which and why."""


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """One record of the answer section: `data` is the alias target, the address, or an HTTPS record."""

    owner: str
    type: int
    ttl: int
    data: str | HttpsRecord


@dataclass(slots=True)
class Reply:
    """What a reply says. `question` is (name, type), None where the reply repeats none; `soa` the zone of its SOA.

    `negative_ttl`: what that SOA gives to "there is none". `top_bit`: a TTL had its top bit set and counts as 0.
    """

    id: int
    rcode: int
    is_response: bool
    truncated: bool
    question: tuple[str, int] | None = None
    answer: tuple[ReplyRecord, ...] = ()
    soa: str | None = None
    negative_ttl: int | None = None
    ede: tuple[int, ...] = ()
    ede_text: str = ""
    top_bit: bool = False


def read_reply(wire: bytes, *, head_only: bool = False) -> Reply:
    """The reply in `wire`. `head_only` reads header and question, to see whose it is before its records are trusted.

    Raises MalformedError. Work is linear in the records: names of at most 255 octets, pointers only backwards.
    """
    try:
        return _read(wire, head_only)
    except dns.exception.DNSException as error:
        raise MalformedError(str(error) or type(error).__name__) from None
    except (ValueError, IndexError) as error:  # data that a record's own reader refuses
        raise MalformedError(str(error)) from None


def _read(wire: bytes, head_only: bool) -> Reply:
    parser = dns.wire.Parser(wire)
    id_, flags, *counts = parser.get_struct("!HHHHHH")
    reply = Reply(id_, flags & 0xF, bool(flags & 0x8000), bool(flags & 0x0200))
    if counts[0] > 1:
        raise MalformedError(f"it repeats {counts[0]} questions")
    known: dict[int, str] = {}
    if counts[0]:
        name = _name(parser, known)
        type_, class_ = parser.get_struct("!HH")
        reply.question = (name, type_ if class_ == _IN else -1)
    if head_only:
        return reply
    answer: list[ReplyRecord] = []
    for section in range(_SECTIONS):
        for _ in range(counts[section + 1]):
            _record(parser, known, section, reply, answer)
    reply.answer = tuple(answer)
    return reply


def _record(
    parser: dns.wire.Parser, known: dict[int, str], section: int, reply: Reply, answer: list[ReplyRecord]
) -> None:
    owner = _name(parser, known)
    type_, class_, ttl, size = parser.get_struct("!HHIH")
    if type_ == OPT:
        reply.rcode |= (ttl >> 24) << 4
        _options(parser.get_bytes(size), reply)
        return
    if ttl >= _TOP_BIT:
        reply.top_bit = True
        ttl = 0  # RFC 2181 8
    with parser.restrict_to(size):
        data: str | HttpsRecord | None = None
        if class_ != _IN:
            pass
        elif section == 0 and type_ == A:
            if size != 4:
                raise MalformedError(f"an A record of {size} octets")
            data = inet_ntoa(parser.get_bytes(size))
        elif section == 0 and type_ == AAAA:
            if size != 16:
                raise MalformedError(f"an AAAA record of {size} octets")
            data = address_text(IPv6Address(parser.get_bytes(size)))
        elif section == 0 and type_ == CNAME:
            data = _name(parser, known)
        elif section == 0 and type_ == HTTPS:
            data = _https(dns.rdata.from_wire_parser(RdataClass.IN, RdataType.HTTPS, parser))  # type: ignore[arg-type]
        elif section == 1 and type_ == SOA:
            minimum = dns.rdata.from_wire_parser(RdataClass.IN, RdataType.SOA, parser).minimum  # type: ignore[attr-defined]
            reply.soa = owner
            reply.negative_ttl = min(ttl, minimum)  # RFC 2308 5
        if data is None:
            parser.get_remaining()
        else:
            answer.append(ReplyRecord(owner, type_, ttl, data))


def _name(parser: dns.wire.Parser, known: dict[int, str]) -> str:
    """The next name. One that is only a pointer is looked up: most owners of a reply are."""
    at = parser.current
    first = parser.wire[at] if at < parser.end else 0
    target = (first & 0x3F) * 256 + parser.wire[at + 1] if first >= 0xC0 and at + 1 < parser.end else at
    if target != at and target in known:
        parser.get_bytes(2)
        return known[target]
    text = dns.name.from_wire_parser(parser).to_text(omit_final_dot=True).lower()
    known[target] = text
    return text


def _https(data: "SVCBBase") -> HttpsRecord:
    def of(key: int) -> object:
        return data.params.get(key)

    alpn, port, v4, v6 = of(1), of(3), of(4), of(6)
    return HttpsRecord(
        priority=data.priority,
        target=data.target.to_text(omit_final_dot=True).lower(),
        alpn=tuple(printable(each) for each in alpn.ids) if alpn else (),  # type: ignore[attr-defined]
        ipv4hint=tuple(v4.addresses) if v4 else (),  # type: ignore[attr-defined]
        ipv6hint=tuple(v6.addresses) if v6 else (),  # type: ignore[attr-defined]
        ech=of(5) is not None,
        port=port.port if port else None,  # type: ignore[attr-defined]
    )


def _options(data: bytes, reply: Reply) -> None:
    parser = dns.wire.Parser(data)
    while parser.remaining():
        code, size = parser.get_struct("!HH")
        value = parser.get_bytes(size)
        if code == _EDE and size >= 2:
            reply.ede = (*reply.ede, int.from_bytes(value[:2], "big"))
            reply.ede_text = reply.ede_text or printable(value[2:])


def printable(value: bytes) -> str:
    """Bytes of a stranger as text: at most 100 visible ASCII characters, the rest escaped."""
    text = value[:100].decode("ascii", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\{ord(char):03d}" for char in text)
