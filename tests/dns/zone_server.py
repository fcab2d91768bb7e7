"""A DNS server of our own on loopback: hosts as data, seeded rotation on a clock that the test sets, faults by name.

It answers like a resolver (RA set, whole chains) from zones that rotate: each answer is a subset of the pool, seeded
by name and TTL epoch, so that the same epoch gives the same answer and runs repeat. UDP and TCP share one free port.
This folder is no package, because a package named `dns` would hide dnspython.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

NEGATIVE_TTL = 30
_SOA = f"ns.example. hostmaster.example. 1 3600 600 86400 {NEGATIVE_TTL}"

for _kind in (dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.CNAME, dns.rdatatype.SOA, dns.rdatatype.HTTPS):
    dns.rdata.get_rdata_class(dns.rdataclass.IN, _kind)  # loaded now: tests take the descriptors away
for _payload in (512, 1232, 4096):  # an OPT record has its payload as class, and each is looked for as a module
    dns.message.from_wire(dns.message.make_query("x.", "A", use_edns=0, payload=_payload).to_wire())

Fault = Literal[
    "drop", "servfail", "refused", "notimp", "truncate", "truncate-always", "partial", "no-soa", "dead-alias", "loop",
    "long-chain", "two-aliases", "unequal-ttls", "top-bit", "malformed", "malformed-over-udp", "wrong-id",
    "wrong-question", "wrong-source", "not-a-response", "noise-first", "huge", "bomb", "stale", "other-names", "cut-tcp",
    "bad-ech", "drop-first", "markup", "flood",
]  # fmt: skip


@dataclass(frozen=True)
class Zone:
    """One host: `pool` of addresses of both families, `k` of them per answer, `chain` of (alias, TTL) before them."""

    pool: tuple[str, ...] = ()
    k: int | None = None
    ttl: int = 60
    chain: tuple[tuple[str, int], ...] = ()
    https: tuple[str, ...] = ()
    fault: Fault | None = None
    at: str = ""
    """The one record type that the fault is of; empty: all."""


@dataclass
class ZoneServer:
    """`with ZoneServer({...}) as server:` answers at `server.address`, `server.port` until the block ends."""

    hosts: Mapping[str, Zone]
    now: float = 0.0
    seed: int = 1
    captive: str | None = None
    """An address given for every name, existing or not."""
    knows_only_its_own: bool = False
    """Silent for names that it has no zone of."""
    tcp: bool = True
    delay: float = 0.0
    """Seconds before each answer over UDP."""
    spread: float = 0.0
    """Up to so many seconds more, so that answers overtake each other."""
    address: str = "127.0.0.1"
    port: int = 0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    over_tcp: int = 0
    payloads: set[int] = field(default_factory=set)
    in_flight: int = 0
    most_in_flight: int = 0
    errors: list[str] = field(default_factory=list)
    """Of the server itself: it must not be what a test measures."""

    def __enter__(self) -> "ZoneServer":
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self.errors, self.errors

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._loop.set_exception_handler(self._failed)
        tcp, udp = _one_port(self.address, self.port)
        self.port = udp.getsockname()[1]
        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Udp(self), sock=udp)
        server = await asyncio.start_server(self._stream, sock=tcp) if self.tcp else tcp.close()
        self._ready.set()
        await self._stop.wait()
        transport.close()
        if server:
            server.close()

    def _failed(self, _: object, context: dict[str, Any]) -> None:
        """Python 3.12.1 tells of a connection that was still open at the end as if the server had failed."""
        error = context.get("exception")
        if not isinstance(error, asyncio.CancelledError):
            self.errors.append(repr(error))

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                self.over_tcp += 1
                for wire in self.replies(await reader.readexactly(size), udp=False):
                    writer.write(len(wire).to_bytes(2, "big") + wire)
                    await writer.drain()
                    if len(wire) == 1:
                        return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def replies(self, wire: bytes, *, udp: bool) -> list[bytes]:
        """What is sent back for the query `wire`; nothing for a drop."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked[name, kind] += 1
        self.payloads.add(query.payload)
        zone = self.hosts.get(name)
        if zone is None and self.knows_only_its_own:
            return []
        fault = zone.fault if zone and zone.at in ("", kind) else None
        reply = dns.message.make_response(query, our_payload=4096)
        reply.flags |= dns.flags.RA
        if self.captive is not None:
            if kind == "A":
                reply.answer = [_rrset(name, 60, "A", self.captive)]
            return [reply.to_wire()]
        self._fill(reply, name, kind, zone)
        made = _FAULTS[fault](self, query, reply, udp) if fault in _FAULTS else None
        if made is not None:
            return made
        room = max(512, query.payload) if udp else 65535
        return [self._fitting(query, reply, room)]

    def _fitting(self, query: dns.message.Message, reply: dns.message.Message, room: int) -> bytes:
        wire = reply.to_wire(max_size=65535)
        if len(wire) <= room:
            return wire
        cut = dns.message.make_response(query, our_payload=4096)
        cut.flags |= dns.flags.RA | dns.flags.TC
        return cut.to_wire()

    def _fill(self, reply: dns.message.Message, name: str, kind: str, zone: Zone | None) -> None:
        owner = name
        if zone is None:
            target = next((z for z in self.hosts.values() if any(alias == name for alias, _ in z.chain)), None)
            if target is None or target.fault == "dead-alias":
                reply.set_rcode(dns.rcode.NXDOMAIN)
                reply.authority = [_rrset(owner.rpartition(".")[2], NEGATIVE_TTL, "SOA", _SOA)]
                return
            zone = Zone(target.pool, target.k, target.ttl, (), target.https)  # asked for the end of a chain
        for alias, ttl in zone.chain:
            reply.answer.append(_rrset(owner, ttl, "CNAME", alias + "."))
            owner = alias
        if zone.fault == "partial":
            return
        if zone.fault == "dead-alias":
            reply.set_rcode(dns.rcode.NXDOMAIN)
            reply.authority = [_rrset(owner.rpartition(".")[2], NEGATIVE_TTL, "SOA", _SOA)]
            return
        data = zone.https if kind == "HTTPS" else self.drawn(name, kind, zone)
        if data:
            reply.answer.append(_rrset(owner, zone.ttl, kind, *data))
        elif zone.fault != "no-soa":
            reply.authority = [_rrset(owner.rpartition(".")[2], NEGATIVE_TTL, "SOA", _SOA)]

    def drawn(self, name: str, kind: str, zone: Zone) -> list[str]:
        """The addresses of the family that the current epoch gives."""
        family = [each for each in zone.pool if (":" in each) == (kind == "AAAA")] if kind in ("A", "AAAA") else []
        epoch = int(self.now // zone.ttl) if zone.ttl else random.random()
        dice = random.Random(f"{self.seed}/{name}/{kind}/{epoch}")
        return dice.sample(family, min(len(family), zone.k or len(family)))


Faulty = Callable[[ZoneServer, dns.message.Message, dns.message.Message, bool], list[bytes] | None]


def _rcode(code: dns.rcode.Rcode) -> Faulty:
    def fault(
        server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool
    ) -> list[bytes] | None:
        del server, query, udp
        reply.set_rcode(code)
        reply.answer, reply.authority = [], []
        return None

    return fault


def _wire(make: Callable[[bytes], bytes | list[bytes]], *, udp_only: bool = False) -> Faulty:
    def fault(
        server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool
    ) -> list[bytes] | None:
        del server, query
        if udp_only and not udp:
            return None
        made = make(reply.to_wire(max_size=65535))
        return made if isinstance(made, list) else [made]

    return fault


def _answer(*texts: str) -> Faulty:
    """Answer sections given as `owner ttl type data`; {} is the name that was asked."""

    def fault(
        server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool
    ) -> list[bytes] | None:
        del server, udp
        name = query.question[0].name.to_text(omit_final_dot=True)
        reply.authority = []
        wire = bytearray(dns.message.make_response(query).to_wire())
        added = b""
        for text in texts:
            owner, ttl, kind, data = text.replace("{}", name).split(" ", 3)
            rdata = dns.rrset.from_text(owner + ".", 0, "IN", kind, data)[0].to_wire()
            added += dns.name.from_text(owner).to_wire() + struct.pack(
                "!HHIH", dns.rdatatype.from_text(kind), 1, int(ttl), len(rdata)
            )
            added += rdata
        return [_with_records(bytes(wire), query, added, len(texts))]

    return fault


def _with_records(wire: bytes, query: dns.message.Message, records: bytes, count: int) -> bytes:
    """A reply without OPT whose answer section is `records`, laid down octet by octet."""
    question = 12 + len(query.question[0].name.to_wire()) + 4
    return wire[:4] + struct.pack("!HHHH", 1, count, 0, 0) + wire[12:question] + records


def _damaged(wire: bytes) -> bytes:
    """The last record's data says it is an octet longer than the message is."""
    return wire[:-1]


def _bomb(wire: bytes) -> bytes:
    """2,000 records whose names are pointers into pointers."""
    question = wire.index(b"\x00\x00\x01\x00\x01", 12) + 5
    records = bytearray()
    at = question
    for index in range(2000):
        target = 12 if index == 0 else min(at, 0x3FFF)
        at = question + len(records)
        records += struct.pack("!HHHIH", 0xC000 | (target if target < at else 12), 5, 1, 60, 2)
        records += struct.pack("!H", 0xC000 | (at if at < 0x3FFF else 12))
    return wire[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 2000, 0, 0) + wire[12:question] + bytes(records)


def _other_question(wire: bytes) -> bytes:
    return wire[:13] + bytes([wire[13] ^ 1]) + wire[14:]


def _truncated(
    server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool
) -> list[bytes] | None:
    if udp or server.hosts[query.question[0].name.to_text(omit_final_dot=True)].fault == "truncate-always":
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC | dns.flags.RA
        return [cut.to_wire()]
    del reply
    return None


def _huge(server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool) -> list[bytes] | None:
    """4,000 addresses: as much as 65,535 octets hold."""
    del server
    if udp:
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC
        return [cut.to_wire()]
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + struct.pack("!I", 0x0A000000 + n) for n in range(4000)
    )
    return [_with_records(reply.to_wire(max_size=65535), query, records, 4000)]


def _bad_ech(
    server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool
) -> list[bytes] | None:
    """An HTTPS record whose `ech` says it holds more octets than it does."""
    del server, udp
    data = struct.pack("!H", 1) + b"\x00" + struct.pack("!HHH", 5, 4, 99) + b"\xfe\x0d"
    record = struct.pack("!HHHIH", 0xC00C, 65, 1, 60, len(data)) + data
    return [_with_records(reply.to_wire(), query, record, 1)]


def _drop_first(
    server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool
) -> list[bytes] | None:
    del reply, udp
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True)
    return [] if server.asked[name, dns.rdatatype.to_text(question.rdtype)] == 1 else None


def _stale(server: ZoneServer, query: dns.message.Message, reply: dns.message.Message, udp: bool) -> list[bytes] | None:
    del server, query, udp
    reply.use_edns(0, options=[dns.edns.EDEOption(3, "old\x1b[31m answer")])
    return None


_FAULTS: dict[str | None, Faulty] = {
    "drop": lambda *_: [],
    "servfail": _rcode(dns.rcode.SERVFAIL),
    "refused": _rcode(dns.rcode.REFUSED),
    "notimp": _rcode(dns.rcode.NOTIMP),
    "truncate": _truncated,
    "truncate-always": _truncated,
    "loop": _answer("{} 60 CNAME b.loop.example.", "b.loop.example 60 CNAME {}."),
    "long-chain": _answer(
        "{} 60 CNAME l0.example.", *(f"l{n}.example 60 CNAME l{n + 1}.example." for n in range(20))
    ),
    "two-aliases": _answer("{} 60 CNAME one.example.", "{} 60 CNAME two.example.", "two.example 60 A 192.0.2.2"),
    "unequal-ttls": _answer("{} 60 A 192.0.2.1", "{} 20 A 192.0.2.2"),
    "top-bit": _answer("{} 2147483708 A 192.0.2.1"),
    "other-names": _answer("{} 60 A 192.0.2.1", "elsewhere.example 60 A 192.0.2.66"),
    "malformed": _wire(_damaged),
    "malformed-over-udp": _wire(_damaged, udp_only=True),
    "wrong-id": _wire(lambda wire: bytes([wire[0] ^ 1]) + wire[1:]),
    "wrong-question": _wire(_other_question),
    "not-a-response": _wire(lambda wire: wire[:2] + bytes([wire[2] & 0x7F]) + wire[3:]),
    "flood": _wire(lambda wire: [bytes([wire[0] ^ 1]) + wire[1:]] * 500, udp_only=True),
    "noise-first": _wire(lambda wire: [b"", b"\xff" * 40, bytes([wire[0] ^ 1]) + wire[1:], _other_question(wire), wire]),
    "bomb": _wire(_bomb),
    "huge": _huge,
    "bad-ech": _bad_ech,
    "drop-first": _drop_first,
    "markup": _answer(
        "{} 60 CNAME \\027[31m<script>alert\\(1\\)</script>.example.",
        "\\027[31m<script>alert\\(1\\)</script>.example 60 A 192.0.2.1"),
    "stale": _stale,
    "cut-tcp": lambda _server, _query, _reply, udp: _truncated(_server, _query, _reply, udp) if udp else [b"\x00"],
}  # fmt: skip


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: ZoneServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        server = self.server
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        if server.delay or server.spread:
            wait = server.delay + server.spread * random.Random(data[12:]).random()
            asyncio.get_running_loop().call_later(wait, self._send, data, addr)
        else:
            self._send(data, addr)

    def _send(self, data: bytes, addr: tuple[str, int]) -> None:
        self.server.in_flight -= 1
        for wire in self.server.replies(data, udp=True):
            name = dns.message.from_wire(data).question[0].name.to_text(omit_final_dot=True)
            zone = self.server.hosts.get(name)
            if zone and zone.fault == "wrong-source":
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.sendto(wire, addr)
            else:
                self.transport.sendto(wire, addr)  # type: ignore[attr-defined]


def _rrset(name: str, ttl: int, kind: str, *data: str) -> dns.rrset.RRset:
    return dns.rrset.from_text(dns.name.from_text(name), ttl, "IN", kind, *data)


def _one_port(address: str, wanted: int) -> tuple[socket.socket, socket.socket]:
    """TCP and UDP sockets of one number; tried again where the number that TCP got is taken for UDP."""
    for _ in range(20):
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((address, wanted))
        tcp.setblocking(False)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        udp.setblocking(False)
        try:
            udp.bind((address, tcp.getsockname()[1]))
        except OSError:
            tcp.close()
            udp.close()
            continue
        return tcp, udp
    raise OSError("no free port for both UDP and TCP")
