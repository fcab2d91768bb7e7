"""Flows as packets: what a client and its server say to each other, and the capture that holds many such talks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from ssl import TLSVersion
from typing import Literal, NamedTuple, get_args

from scapy.data import DLT_RAW
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.packet import Packet as Layer
from scapy.utils import RawPcapWriter

from dataplane.aws.hellos import application_data, client_finished, client_hello, forged_hello, server_hello

Speaker = Literal["client", "server"]
Transport = Literal["tcp", "udp", "icmp", "other"]

Part = Literal["first", "second"]
PARTS: tuple[Part, ...] = get_args(Part)

TLS_1_2 = TLSVersion.TLSv1_2

SEGMENT = 1460
"""Payload bytes of a full TCP segment over IPv4 Ethernet."""

FIRST_PORT = 20_000
"""Source ports from here on tell the talks of one capture apart."""


class Said(NamedTuple):
    """One segment's or datagram's payload."""

    by: Speaker
    payload: bytes


@dataclass(frozen=True, slots=True)
class Talk:
    """One connection or exchange. `protocol` and `kind` are the IP protocol number and ICMP type where they matter."""

    transport: Transport
    said: tuple[Said, ...]
    port: int = 0
    source: str = "10.1.2.3"
    destination: str = "198.51.100.7"
    protocol: int = 0
    kind: int = 8
    changed: Callable[[list["Packet"]], list["Packet"]] = list
    """What is made of its packets before they are captured, e.g. an ICMP error that quotes one of them comes in between."""


class Packet(NamedTuple):
    """One packet of a capture: whose talk it is, who sent it, and whether it carries payload."""

    talk: int
    by: Speaker
    payload: bool
    data: bytes


# What is said


def tls(hello: bytes, *cuts: int) -> tuple[Said, ...]:
    """A TLS connection that opens with `hello`, in one segment or cut at the given bytes."""
    edges = [0, *cuts, len(hello)]
    opening = [Said("client", hello[start:end]) for start, end in pairwise(edges)]
    rest = (Said("server", server_hello()), Said("client", client_finished()), Said("server", application_data(900)))
    return (*opening, *rest)


def named(name: str | None) -> tuple[Said, ...]:
    """TLS to `name`, as Python's own client says it."""
    return tls(client_hello(name))


def in_two_segments(name: str) -> tuple[Said, ...]:
    """TLS whose hello is cut in the middle of the name."""
    hello = client_hello(name)
    return tls(hello, hello.index(name.encode()) + len(name) // 2)


def post_quantum(name: str, sni_in: Part) -> tuple[Said, ...]:
    """TLS whose hello is too long for one packet, with the name in the first or in the second."""
    hello = forged_hello([name], post_quantum=True, sni="first" if sni_in == "first" else "last")
    assert (hello.index(name.encode()) > SEGMENT) == (sni_in == "second")
    return tls(hello, SEGMENT)


def http(*hosts: str | None, line: str = "GET / HTTP/1.1", cut: int | None = None) -> tuple[Said, ...]:
    """HTTP requests one after the other over one connection. None: a request without Host."""
    said = []
    for host in hosts:
        headers = [line, *([f"Host: {host}"] if host is not None else []), "User-Agent: curl/8.10.1", "Accept: */*"]
        request = "\r\n".join([*headers, "", ""]).encode()
        parts = [request] if cut is None else [request[:cut], request[cut:]]
        said += [*(Said("client", part) for part in parts), Said("server", _OK)]
    return tuple(said)


_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


def ssh() -> tuple[Said, ...]:
    """SSH: the server's banner and the client's, then key exchange."""
    exchange = (b"\x00\x00\x01\x04\x0a\x14" + b"k" * 258,) * 2
    return (
        Said("server", b"SSH-2.0-OpenSSH_9.9\r\n"),
        Said("client", b"SSH-2.0-OpenSSH_9.9\r\n"),
        Said("server", exchange[0]),
        Said("client", exchange[1]),
    )


def raw() -> tuple[Said, ...]:
    """Bytes of no protocol that an engine knows, both ways."""
    return tuple(Said(by, bytes([0xF5, 0x07 + turn]) * 64) for turn in range(3) for by in ("client", "server"))


def quic() -> tuple[Said, ...]:
    """A QUIC version 1 Initial, and the same again when no answer came: what opens every HTTP/3 connection."""
    lines = (Path(__file__).parent / "quic-initial.hex").read_text().splitlines()
    initial = bytes.fromhex("".join(line for line in lines if not line.startswith("#")))
    return Said("client", initial), Said("client", initial)


def http2() -> tuple[Said, ...]:
    """HTTP/2 by prior knowledge: the connection preface (RFC 9113, 3.4), settings, and a frame of headers."""
    settings = bytes.fromhex("000000040000000000")
    return (
        Said("client", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings),
        Said("server", settings),
        Said("client", bytes.fromhex("0000050105000000018286844182")),
    )


def smtp() -> tuple[Said, ...]:
    """A mail server's greeting and what follows."""
    return (
        Said("server", b"220 mail.example ESMTP\r\n"),
        Said("client", b"EHLO client.example\r\n"),
        Said("server", b"250 mail.example\r\n"),
        Said("client", b"MAIL FROM:<a@client.example>\r\n"),
    )


def dns(name: str) -> tuple[Said, ...]:
    """A question for the address of `name`, and the answer."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = labels + b"\x00\x00\x01\x00\x01"
    answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc6\x33\x64\x07"
    return (
        Said("client", bytes.fromhex("1f2e01000001000000000000") + question),
        Said("server", bytes.fromhex("1f2e81800001000100000000") + question + answer),
    )


def dns_over_tcp(name: str) -> tuple[Said, ...]:
    """The same over TCP, each message after its length."""
    return tuple(Said(by, len(payload).to_bytes(2) + payload) for by, payload in dns(name))


def ntp() -> tuple[Said, ...]:
    """A clock's question and the answer."""
    return Said("client", b"\x23" + bytes(47)), Said("server", b"\x24\x01" + bytes(46))


def ping() -> tuple[Said, ...]:
    """An echo request and its reply."""
    return Said("client", b"0123456789abcdef" * 3), Said("server", b"0123456789abcdef" * 3)


def alone(payload: bytes = b"\x00" * 32) -> tuple[Said, ...]:
    """One packet that nobody answers."""
    return (Said("client", payload),)


# As packets


def capture(talks: Sequence[Talk]) -> list[Packet]:
    """The packets of all talks, one talk after the other. Talk n has the source port FIRST_PORT + n."""
    return list(_captured(tuple(talks)))


@lru_cache(maxsize=4)  # the same talks are judged under many plans
def _captured(talks: tuple[Talk, ...]) -> tuple[Packet, ...]:
    return tuple(packet for number, talk in enumerate(talks) for packet in talk.changed(list(_packets(number, talk))))


def write(packets: Iterable[Packet], path: Path) -> None:
    """A capture file of bare IP packets, a millisecond apart."""
    with RawPcapWriter(str(path), linktype=DLT_RAW) as writer:
        writer.write_header(None)
        for number, packet in enumerate(packets):
            writer.write_packet(packet.data, sec=1_700_000_000 + number // 1000, usec=number % 1000 * 1000)


def _packets(number: int, talk: Talk) -> Iterator[Packet]:
    match talk.transport:
        case "tcp":
            yield from _tcp(number, talk)
        case "udp":
            for by, payload in talk.said:
                ports = (FIRST_PORT + number, talk.port) if by == "client" else (talk.port, FIRST_PORT + number)
                yield _packet(number, talk, by, UDP(sport=ports[0], dport=ports[1]), payload)
        case "icmp":
            for by, payload in talk.said:
                if ip_address(talk.source).version == 6:
                    echo = (ICMPv6EchoRequest if by == "client" else ICMPv6EchoReply)(id=number + 1, seq=1)
                else:
                    echo = ICMP(type=talk.kind if by == "client" else 0, id=number + 1, seq=1)
                yield _packet(number, talk, by, echo, payload)
        case "other":
            for by, payload in talk.said:
                yield _packet(number, talk, by, None, payload)


def _tcp(number: int, talk: Talk) -> Iterator[Packet]:
    ports = {"client": (FIRST_PORT + number, talk.port), "server": (talk.port, FIRST_PORT + number)}
    sent: dict[Speaker, int] = {"client": 1_000, "server": 5_000}

    def segment(by: Speaker, flags: str, payload: bytes = b"") -> Packet:
        other: Speaker = "server" if by == "client" else "client"
        acknowledged = sent[other] if "A" in flags else 0
        header = TCP(sport=ports[by][0], dport=ports[by][1], seq=sent[by], ack=acknowledged, flags=flags, window=64_240)
        sent[by] += len(payload) + ("S" in flags or "F" in flags)
        return _packet(number, talk, by, header, payload)

    yield segment("client", "S")
    yield segment("server", "SA")
    yield segment("client", "A")
    before: Speaker | None = None
    for by, payload in talk.said:
        if by == before:
            yield segment("server" if by == "client" else "client", "A")
        yield segment(by, "PA", payload)
        before = by
    yield segment("client", "FA")
    yield segment("server", "FA")
    yield segment("client", "A")


def _packet(number: int, talk: Talk, by: Speaker, header: Layer | None, payload: bytes) -> Packet:
    source, destination = (talk.source, talk.destination) if by == "client" else (talk.destination, talk.source)
    network = IPv6 if ip_address(source).version == 6 else IP
    outer = network(src=source, dst=destination)
    if header is None:
        outer.setfieldval("nh" if network is IPv6 else "proto", talk.protocol)
        return Packet(number, by, bool(payload), bytes(outer / payload))
    return Packet(number, by, bool(payload), bytes(outer / header / payload))
