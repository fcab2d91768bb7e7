"""One lookup at one resolver: over UDP, then TCP, without a cache, with its true outcome.

Every try has a socket of its own, connected, so that the kernel drops what comes from elsewhere and tells of a closed
port; ids and ports are random. A reply that is not ours (id, question) is counted and waited past; one that is ours
and damaged is asked again over TCP, where nobody slips one in. A chain that the resolver leaves unfinished is
followed. Time for a try runs only once its turn has come.
"""

import asyncio
import errno
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import dns.name

from hostgate.dns.chains import ReplyReading, read_chain
from hostgate.dns.pacing import TCP_PACKETS, Pacer
from hostgate.dns.replies import NOERROR, NXDOMAIN, OPT, QUERY_TYPES, MalformedError, Reply, printable, read_reply
from hostgate.dns.samples import Link, LookupOutcome, Note, RecordType, Sample

EDNS = 1232
"""Octets of UDP payload that we offer (dnsflagday.net/2020): the largest that no usual path fragments."""

PORT_CLOSED = "the port is closed"
"""The detail of an unreachable resolver whose machine is there."""

_BIGGEST = 65535
_MOST_STRAYS = 64
"""Replies to wait past: reading a flood to its end would leave no time for anybody else."""

_LOCAL = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL))


class Endpoint(Protocol):
    """Where questions go; prints as people write it."""

    @property
    def address(self) -> str: ...
    @property
    def port(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for each try over UDP, and for the one over TCP. A cold resolver may well need two seconds."""

    udp: tuple[float, ...] = (2.0, 4.0)
    tcp: float = 4.0


class _FailedError(Exception):
    """A question without a reply: outcome and detail."""

    def __init__(self, outcome: LookupOutcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


@dataclass(slots=True)
class _Marks:
    """What was remarkable on the way to an answer."""

    truncated: bool = False
    tcp: bool = False
    notes: set[Note] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Question:
    """A question on the wire, with an id that nobody can guess, and what a reply must repeat."""

    id: int
    wire: bytes
    asked: tuple[str, int]

    def is_answered_by(self, reply: Reply) -> bool:
        if not reply.is_response or reply.id != self.id:
            return False
        if reply.question is None:  # only servers that gave up on the question may leave it out
            return reply.rcode not in (NOERROR, NXDOMAIN)
        return reply.question == self.asked


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks. `now` gives unix seconds for the record; `rate` is packets a second for each resolver."""

    rate: float
    patience: Patience = Patience()
    now: Callable[[], float] = time.time
    vantage: str = ""
    _pacers: dict[str, Pacer] = field(default_factory=dict)

    async def lookup(self, host: str, kind: RecordType, resolver: Endpoint) -> Sample:
        """Ask for `host`; whatever happens becomes a sample."""
        marks = _Marks()
        links: tuple[Link, ...] = ()
        name = host
        ede: tuple[int, ...] = ()
        while True:
            try:
                reply = await self._reply(_question(name, kind), resolver, marks)
            except _FailedError as failed:
                where = f"asking on for {name}: " if links else ""
                read = ReplyReading(failed.outcome, where + failed.detail, chain=links)
                break
            ede = reply.ede
            read = read_chain(name, kind, reply, links)
            if not read.unfinished:
                break
            marks.notes.add("partial-chain")
            links, name = read.chain, read.chain[-1].target
        return Sample(
            host=host,
            at=self.now(),
            resolver=str(resolver),
            type=kind,
            outcome=read.outcome,
            vantage=self.vantage,
            detail=printable(read.detail.encode()),
            chain=read.chain,
            addresses=read.addresses,
            ttl=read.ttl,
            negative_ttl=read.negative_ttl,
            https=read.https,
            truncated=marks.truncated,
            tcp=marks.tcp,
            ede=ede,
            notes=tuple(sorted(marks.notes | read.notes)),
        )

    async def _reply(self, question: _Question, resolver: Endpoint, marks: _Marks) -> Reply:
        """The reply, over TCP where UDP gives none that is whole."""
        why = _FailedError("timeout", "")
        try:
            for seconds in self.patience.udp:
                try:
                    reply = await self._over_udp(question, resolver, seconds, marks)
                except _FailedError as failed:
                    why = failed
                    if failed.outcome != "timeout":
                        break
                    continue
                if not reply.truncated:
                    return reply
                marks.truncated = True
                why = _FailedError("timeout", "the answer does not fit UDP")
                break
            if why.outcome in ("unreachable", "local"):
                raise why
            marks.tcp = True
            return await self._over_tcp(question, resolver)
        except _FailedError as failed:
            if failed is why or failed.outcome == "malformed":
                raise
            if why.outcome == "malformed":  # UDP showed damage, and TCP cannot say better
                raise why from None
            detail = "; ".join(part for part in (why.detail, f"over TCP: {failed.detail}") if part)
            raise _FailedError("timeout" if not marks.truncated else failed.outcome, detail) from None

    async def _over_udp(self, question: _Question, resolver: Endpoint, seconds: float, marks: _Marks) -> Reply:
        await self._pacer(resolver).turn()
        strays = 0

        def ours(wire: bytes) -> Reply | None:
            nonlocal strays
            try:
                fits = question.is_answered_by(read_reply(wire, head_only=True))
            except MalformedError:
                fits = False
            if not fits:
                strays += 1
                marks.notes.add("stray-replies")
                if strays > _MOST_STRAYS:
                    raise _FailedError("timeout", f"more than {_MOST_STRAYS} replies that do not fit the question")
                return None
            try:
                return read_reply(wire)
            except MalformedError as error:
                marks.notes.add("malformed-over-udp")
                raise _FailedError("malformed", f"a damaged answer: {error}") from None

        async def talk() -> Reply:
            with _socket(resolver, socket.SOCK_DGRAM) as sock:
                loop = asyncio.get_running_loop()
                sock.send(question.wire)
                try:
                    async with asyncio.timeout(seconds):
                        while True:
                            found = ours(await loop.sock_recv(sock, _BIGGEST))
                            if found:
                                return found
                except TimeoutError:
                    found = _left_over(sock, ours)
                    if found:
                        return found
                    more = f"{strays} replies that do not fit the question were ignored" if strays else ""
                    raise _FailedError("timeout", more or "no answer over UDP") from None

        return await _told(talk)

    async def _over_tcp(self, question: _Question, resolver: Endpoint) -> Reply:
        await self._pacer(resolver).turn(TCP_PACKETS)

        async def talk() -> Reply:
            with _socket(resolver, socket.SOCK_STREAM) as sock:
                loop = asyncio.get_running_loop()
                try:
                    async with asyncio.timeout(self.patience.tcp):
                        await loop.sock_connect(sock, (resolver.address, resolver.port))
                        await loop.sock_sendall(sock, len(question.wire).to_bytes(2, "big") + question.wire)
                        size = int.from_bytes(await _exactly(sock, 2), "big")
                        wire = await _exactly(sock, size)
                except TimeoutError:
                    raise _FailedError("timeout", "no answer") from None
                try:
                    reply = read_reply(wire)
                except MalformedError as error:
                    raise _FailedError("malformed", f"a damaged answer, over TCP too: {error}") from None
                if not question.is_answered_by(reply):
                    raise _FailedError("malformed", "an answer to another question")
                if reply.truncated:
                    raise _FailedError("malformed", "the answer is cut off, over TCP too")
                return reply

        return await _told(talk)

    def _pacer(self, resolver: Endpoint) -> Pacer:
        return self._pacers.setdefault(str(resolver), Pacer(self.rate))


async def _told(talk: Callable[[], Awaitable[Reply]]) -> Reply:
    """`talk`, with what the operating system objects told by cause."""
    try:
        return await talk()
    except ConnectionRefusedError:
        raise _FailedError("unreachable", PORT_CLOSED) from None
    except ConnectionError:
        raise _FailedError("unreachable", "the connection was cut") from None
    except OSError as error:
        here = error.errno in _LOCAL
        raise _FailedError("local" if here else "unreachable", error.strerror or str(error)) from None


def _socket(resolver: Endpoint, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in resolver.address else socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        if kind == socket.SOCK_DGRAM:
            sock.connect((resolver.address, resolver.port))
    except BaseException:
        sock.close()
        raise
    return sock


def _left_over(sock: socket.socket, ours: Callable[[bytes], Reply | None]) -> Reply | None:
    """A reply that had come when the time was up: a busy machine is no reason to call a resolver silent."""
    try:
        while True:
            found = ours(sock.recv(_BIGGEST))
            if found:
                return found
    except BlockingIOError:
        return None


async def _exactly(sock: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = bytearray()
    while len(data) < size:
        part = await loop.sock_recv(sock, size - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return bytes(data)


def _question(name: str, kind: RecordType) -> _Question:
    """RD set, one question, and an OPT record with our payload size (RFC 6891)."""
    id_ = secrets.randbits(16)
    absolute = dns.name.from_text(name, dns.name.root)
    head = struct.pack("!HHHHHH", id_, 0x0100, 1, 0, 0, 1)
    asked = absolute.to_digestable() + struct.pack("!HH", QUERY_TYPES[kind], 1)
    opt = struct.pack("!BHHIH", 0, OPT, EDNS, 0, 0)
    return _Question(id_, head + asked + opt, (absolute.to_text(omit_final_dot=True).lower(), QUERY_TYPES[kind]))
