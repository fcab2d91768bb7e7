"""The flows of the proof and what has to become of each, written by hand from the catalog: no rule is consulted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dataplane.aws import packets
from dataplane.aws.hellos import client_hello, forged_hello
from dataplane.aws.packets import Said, Talk, Transport
from hostgate.flows.flow import Flow, FlowProtocol

Fate = Literal["allow", "block"]

CLIENT, SERVER = "10.1.2.3", "198.51.100.7"
LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53, "example"])
STORAGE = "r2.cloudflarestorage.com"
PUNYCODE = "xn--bcher-kva.example"

GIT, CLOCKS, RELAY = "203.0.113.22", "203.0.113.64/28", "203.0.113.90"
ADDRESSES = {"git": [GIT], "clock": [CLOCKS], "relay": [f"{RELAY}/32"]}
"""Where the hosts without a name on the wire are, by entry. A domain list cannot hold them."""


@dataclass(frozen=True, slots=True)
class Case:
    """One flow, what it says, and its fate under `rules` and under `lists` (domain lists and their guard).

    `leaks`: how many packets with client data get out before a block, because the name is not whole before.
    """

    title: str
    flow: Flow
    said: tuple[Said, ...]
    rules: Fate
    lists: Fate
    leaks: int = 0

    @property
    def talk(self) -> Talk:
        transport: Transport = self.flow.transport
        source, destination = self.flow.source or CLIENT, self.flow.address or SERVER
        return Talk(transport, self.said, self.flow.port, source, destination)


def cases() -> tuple[Case, ...]:
    """Every flow, with titles that are unique."""
    made = (
        *_reference(), *_tls_names(), *_http_names(), *_ports(), *_hellos(), *_requests(), *_others(), *_ends(),
        *_addresses(),
    )  # fmt: skip
    assert len({case.title for case in made}) == len(made)
    return made


def _case(
    title: str, said: tuple[Said, ...], fate: Fate, *, name: str = "cgr.dev", sni: str | None = "=", port: int = 443,
    protocol: FlowProtocol = "https", source: str = CLIENT, to: str = SERVER, lists: Fate | None = None, leaks: int = 0,
) -> Case:  # fmt: skip
    flow = Flow(name=name, sni=sni, port=port, protocol=protocol, source=source, address=to)
    return Case(title, flow, said, fate, lists or fate, leaks)


def _named(name: str, fate: Fate, *, lists: Fate | None = None, port: int = 443) -> Case:
    said = packets.named(name) if _dialable(name) else packets.tls(forged_hello([name]))
    return _case(f"TLS to {name} on {port}", said, fate, name=name, port=port, lists=lists)


def _dialable(name: str) -> bool:
    """Whether Python's own client takes `name`; the others are forged."""
    return not name.startswith(".") and ".." not in name and max(map(len, name.split("."))) <= 63


def _web(host: str, fate: Fate, *, lists: Fate | None = None, port: int = 80) -> Case:
    title = f"HTTP to {host} on {port}"
    return _case(title, packets.http(host), fate, name=host, port=port, protocol="http", lists=lists)


def _reference() -> Iterator[Case]:
    """An exact host, a subtree, and the ways of getting past them that were measured first."""
    yield _named("cgr.dev", "allow")
    yield _named("CGR.DEV", "allow")
    yield _named("sub.cgr.dev", "block")
    yield _named("notcgr.dev", "block")
    yield _named("cgr.dev.evil.example", "block")
    yield _named("cgr.dev.", "block")
    yield _case("TLS without SNI", packets.named(None), "block", sni=None)
    yield _case("TLS with an address as SNI", packets.tls(forged_hello([SERVER])), "block", name=SERVER)
    yield _named("cgr.dev", "block", port=8443)
    yield _named(f"acct.{STORAGE}", "allow")
    yield _named(f"a.b.{STORAGE}", "allow")
    yield _named(STORAGE, "block", lists="allow")
    yield _named(f"evil{STORAGE}", "block")
    for name, fate, leaks in _ALLOWED_AND_OTHER:
        said = packets.in_two_segments(name)
        yield _case(f"TLS to {name}, cut inside the name", said, fate, name=name, leaks=leaks)
        for where in packets.PARTS:
            said = packets.post_quantum(name, where)
            title = f"post-quantum TLS to {name}, name in the {where} packet"
            yield _case(title, said, fate, name=name, leaks=leaks)
        jumbo = packets.tls(forged_hello([name], post_quantum=True))
        yield _case(f"post-quantum TLS to {name} in one jumbo packet", jumbo, fate, name=name)
    yield _case("HTTP on 443", packets.http("cgr.dev"), "block", protocol="http")
    yield _case("SSH on 443", packets.ssh(), "block", protocol="tcp")
    # Bytes of no protocol: the engine knows only after the first of both sides.
    yield _case("bytes of no protocol on 443", packets.raw(), "block", protocol="tcp", leaks=1)
    yield _case("QUIC", packets.quic(), "block", name="example.com", protocol="quic")


_ALLOWED_AND_OTHER: tuple[tuple[str, Fate, int], ...] = (("cgr.dev", "allow", 0), ("other.example", "block", 1))


def _tls_names() -> Iterator[Case]:
    """Each kind, with the names that it holds and those that it must not."""
    yield _named("Cgr.Dev", "allow")
    for near in ("cgr.de", "gr.dev", "cgrxdev", "cgr-dev", "dev", "www.cgr.dev", "cgr.dev.cgr.example", "cgr.dev.dev"):
        yield _named(near, "block")
    yield _named(".cgr.dev", "block")
    yield _named("ACCT.R2.CloudflareStorage.COM", "allow")
    yield _named(f"a.b.c.d.e.{STORAGE}", "allow")
    yield _named(f"acct.{STORAGE}.", "block")
    yield _named(f"acct.{STORAGE}.evil.example", "block")
    yield _named(f"acct-{STORAGE}", "block")
    yield _named("cloudflarestorage.com", "block")
    yield _named("eu.mirror.vendor.example", "allow", lists="block")
    yield _named("EU.Mirror.Vendor.Example", "allow", lists="block")
    yield _named("x-1.mirror.vendor.example", "allow", lists="block")
    yield _named("mirror.vendor.example", "block")
    yield _named("a.eu.mirror.vendor.example", "block")
    yield _named("eumirror.vendor.example", "block")
    yield _named("eu.mirror.vendor.example.", "block")
    yield _named("eu.mirrorxvendor.example", "block")
    yield _named("eu.mirror.vendor.example.evil.example", "block")
    yield _named("cdn.vendor.example", "allow")
    yield _named("a.cdn.vendor.example", "allow")
    yield _named("a.b.cdn.vendor.example", "allow")
    yield _named("A.CDN.VENDOR.EXAMPLE", "allow")
    yield _named("notcdn.vendor.example", "block")
    yield _named("vendor.example", "block")
    yield _named("a.cdn.vendor.example.", "block")
    yield _named("cdn.vendor.example.evil.example", "block")
    yield _named(PUNYCODE, "allow")
    yield _named(f"www.{PUNYCODE}", "block")
    yield _named(LONGEST, "allow")
    yield _named(LONGEST[1:], "block")
    yield _named("localhost", "block")


def _http_names() -> Iterator[Case]:
    """The same by Host."""
    yield _web("deb.vendor.example", "allow")
    yield _web("DEB.Vendor.Example", "allow")
    yield _web("deb.vendor.example:80", "allow")
    yield _web("deb.vendor.example:1", "allow")
    yield _web("deb.vendor.example.", "block")
    yield _web("sub.deb.vendor.example", "block")
    yield _web("notdeb.vendor.example", "block")
    yield _web("deb.vendor.example.evil.example", "block")
    yield _web("debxvendor.example", "block")
    yield _web("a.snapshot.vendor.example", "allow")
    yield _web("A.B.snapshot.vendor.example:80", "allow")
    yield _web("snapshot.vendor.example", "block", lists="allow")
    yield _web("notsnapshot.vendor.example", "block")
    yield _web("one.builds.vendor.example", "allow", lists="block")
    yield _web("ONE.builds.vendor.example:80", "allow", lists="block")
    yield _web("two.one.builds.vendor.example", "block")
    yield _web("builds.vendor.example", "block")
    yield _web("onebuilds.vendor.example", "block")
    yield _web("pool.vendor.example", "allow")
    yield _web("a.b.pool.vendor.example", "allow")
    yield _web("notpool.vendor.example", "block")
    yield _web("a.pool.vendor.example.", "block")
    yield _web(SERVER, "block")
    yield _case("HTTP without Host", packets.http(None), "block", sni=None, port=80, protocol="http")


def _ports() -> Iterator[Case]:
    """A host on its own ports, on others' ports and on no entry's."""
    yield _named("api.vendor.example", "allow")
    yield _named("api.vendor.example", "allow", port=8443)
    yield _named("api.vendor.example", "block", port=9443)
    yield _named("queue.vendor.example", "allow", port=8883)
    yield _named("queue.vendor.example", "block")
    yield _named(f"acct.{STORAGE}", "block", port=8443)
    yield _named("eu.mirror.vendor.example", "block", port=444)
    yield _named("a.cdn.vendor.example", "block", port=8443)
    yield _named("cgr.dev", "block", port=80)
    yield _named("cgr.dev", "block", port=1)
    yield _named("cgr.dev", "block", port=65_535)
    yield _named("other.example", "block", port=22)
    yield _web("deb.vendor.example", "allow", port=8080)
    yield _web("deb.vendor.example:8080", "allow", port=8080)
    yield _web("deb.vendor.example:80", "block", port=8081)
    yield _web("a.snapshot.vendor.example", "block", port=8080)
    yield _web("a.pool.vendor.example", "block", port=443)
    yield _named("deb.vendor.example", "block", port=80)
    yield _web("cgr.dev", "block")


def _hellos() -> Iterator[Case]:
    """Ways of saying one name."""
    for name, fate, leaks in _ALLOWED_AND_OTHER:
        old = client_hello(name, version=packets.TLS_1_2)
        yield _case(f"TLS 1.2 to {name}", packets.tls(old), fate, name=name)
        records = forged_hello([name], records=2)
        yield _case(f"hello to {name} in two records", packets.tls(records), fate, name=name)
        said = packets.tls(records, len(records) // 2)
        yield _case(f"hello to {name} in two records and segments", said, fate, name=name, leaks=leaks)
        last = packets.tls(forged_hello([name], sni="last"))
        yield _case(f"hello to {name}, SNI as last extension", last, fate, name=name)
        hello = client_hello(name)
        slowly = packets.tls(hello, *range(1, 20))
        yield _case(f"hello to {name}, nineteen bytes one by one", slowly, fate, name=name, leaks=19 * leaks)
        wild = f"x.{STORAGE}" if fate == "allow" else f"x{STORAGE}"
        said = packets.in_two_segments(wild)
        yield _case(f"TLS to {wild}, cut inside the name", said, fate, name=wild, leaks=leaks)
    said = packets.tls(forged_hello(["cgr.dev", "other.example"]))
    yield _case("two server names, the allowed one first", said, "allow", name="other.example", sni="cgr.dev")
    said = packets.tls(forged_hello(["other.example", "cgr.dev"]))
    yield _case("two server names, the allowed one second", said, "block", sni="other.example")
    yield _case("an empty server name", packets.tls(forged_hello([""])), "block", sni="")
    yield _case("another name in SNI than was dialled", packets.named("other.example"), "block", sni="other.example")
    said = packets.tls(forged_hello(post_quantum=True), packets.SEGMENT)
    yield _case("post-quantum TLS without SNI", said, "block", sni=None, leaks=1)


def _requests() -> Iterator[Case]:
    """Ways of asking one host."""

    def asks(title: str, said: tuple[Said, ...], fate: Fate, sni: str | None, leaks: int = 0) -> Case:
        return _case(title, said, fate, name="deb.vendor.example", sni=sni, port=80, protocol="http", leaks=leaks)

    deb, other = "deb.vendor.example", "other.example"
    fates: tuple[tuple[str, Fate, int], ...] = ((deb, "allow", 0), (other, "block", 1))
    for host, fate, leaks in fates:
        for cut in (2, 18, 30):
            yield asks(f"request to {host} in two segments at {cut}", packets.http(host, cut=cut), fate, host, leaks)
        yield asks(f"POST to {host}", packets.http(host, line="POST /x HTTP/1.1"), fate, host)
    yield asks("request line with another name than Host", packets.http(deb, line="GET http://other.example/ HTTP/1.1"),
               "block", other)  # fmt: skip
    yield asks("request line with the allowed name, Host with another",
               packets.http(other, line="GET http://deb.vendor.example/ HTTP/1.1"), "allow", deb)  # fmt: skip
    bare = (
        Said("client", b"GET / HTTP/1.0\r\n\r\n"),
        Said("server", b"HTTP/1.0 200 OK\r\n\r\nok"),
        Said("client", b"x"),
    )
    yield asks("HTTP/1.0 without any header", bare, "block", None)
    yield asks("a connection that asks another host first", packets.http(other, deb), "block", other)
    for host, fate, _ in fates:
        tunnel = packets.http(f"{host}:443", line=f"CONNECT {host}:443 HTTP/1.1")
        yield asks(f"CONNECT to {host}, and TLS inside", (*tunnel, *packets.named(other)), fate, host)


def _others() -> Iterator[Case]:
    """Protocols without a name that a rule could read."""
    yield _case("SSH on 22", packets.ssh(), "block", port=22, protocol="tcp")
    yield _case("SSH on an HTTP port", packets.ssh(), "block", port=80, protocol="tcp")
    yield _case("bytes of no protocol on an HTTP port", packets.raw(), "block", port=80, protocol="tcp", leaks=1)
    yield _case("bytes of no protocol on 9000", packets.raw(), "block", port=9000, protocol="tcp", leaks=1)
    yield _case("SMTP", packets.smtp(), "block", port=25, protocol="tcp")
    yield _case("DNS over TCP", packets.dns_over_tcp("cgr.dev"), "block", port=53, protocol="tcp")
    yield _case("HTTP/2 without TLS", packets.http2(), "block", port=80, protocol="tcp")
    yield _case("QUIC on 8443", packets.quic(), "block", port=8443, protocol="quic")
    yield _case("DNS to a resolver outside", packets.dns("cgr.dev"), "block", port=53, protocol="udp")
    yield _case("NTP", packets.ntp(), "block", port=123, protocol="udp")
    yield _case("bytes over UDP 443", packets.alone(), "block", protocol="udp")


def _ends() -> Iterator[Case]:
    """Sources and destinations."""
    for source in ("10.200.0.1", "172.31.255.254", "192.168.0.1"):
        yield _case(f"TLS to cgr.dev from {source}", packets.named("cgr.dev"), "allow", source=source)
    outside = "203.0.113.4"
    yield _case("TLS to cgr.dev from outside HOME_NET", packets.named("cgr.dev"), "block", source=outside)
    yield _case("TLS to other.example from outside HOME_NET", packets.named("other.example"), "block",
                name="other.example", source=outside)  # fmt: skip
    yield _case(
        "QUIC from outside HOME_NET", packets.quic(), "block", name="example.com", protocol="quic", source=outside
    )
    yield _case("DNS from outside HOME_NET", packets.dns("cgr.dev"), "block", port=53, protocol="udp", source=outside)
    yield _case("TLS to a private address", packets.named("git.internal.example"), "allow",
                name="git.internal.example", to="10.9.9.9")  # fmt: skip
    yield _case("TLS without SNI to a private address", packets.named(None), "allow", sni=None, to="172.16.0.1")
    yield _case("a listed host at a private address on another port", packets.named("cgr.dev"), "allow", port=8443,
                to="192.168.255.1")  # fmt: skip
    yield _case("SSH to a private address", packets.ssh(), "allow", name="host", port=22, protocol="tcp", to="10.9.9.8")
    yield _case(
        "bytes to a private address", packets.raw(), "allow", name="host", port=9, protocol="tcp", to="10.9.9.7"
    )
    yield _case("DNS to a private resolver", packets.dns("cgr.dev"), "allow", port=53, protocol="udp", to="10.0.0.2")
    yield _case("QUIC to a private address", packets.quic(), "allow", protocol="quic", to="192.168.1.1")
    yield _case("TLS to the first address after RFC 1918", packets.named("other.example"), "block",
                name="other.example", to="11.0.0.0")  # fmt: skip
    yield _case("DNS to the last address before RFC 1918", packets.dns("cgr.dev"), "block", port=53, protocol="udp",
                to="9.255.255.255")  # fmt: skip


def _addresses() -> Iterator[Case]:
    """Entries that are allowed by address and port, whatever is said there."""

    def at(
        title: str, said: tuple[Said, ...], fate: Fate, to: str, port: int, protocol: FlowProtocol = "tcp",
        source: str = CLIENT, leaks: int = 0,
    ) -> Case:  # fmt: skip
        name = "git.vendor.example"
        return _case(title, said, fate, name=name, to=to, port=port, protocol=protocol, source=source, lists="block",
                     leaks=leaks)  # fmt: skip

    yield at("SSH to the address of git", packets.ssh(), "allow", GIT, 22)
    yield at("bytes of no protocol to the address of git", packets.raw(), "allow", GIT, 22, leaks=1)
    yield at("TLS on git's port and address", packets.named("other.example"), "allow", GIT, 22, "https")
    yield at("HTTP on git's port and address", packets.http("other.example"), "allow", GIT, 22, "http")
    yield at("SSH to the address before git's", packets.ssh(), "block", "203.0.113.21", 22)
    yield at("SSH to the address after git's", packets.ssh(), "block", "203.0.113.23", 22)
    yield at("SSH to the address of git on 2222", packets.ssh(), "block", GIT, 2222)
    yield at("SSH to a clock", packets.ssh(), "block", "203.0.113.64", 22)
    yield at("bytes to the address of git on 443", packets.raw(), "block", GIT, 443, leaks=1)
    yield at("a datagram to the address of git on 22", packets.alone(), "block", GIT, 22, "udp")
    yield at("SSH to the address of git from outside HOME_NET", packets.ssh(), "block", GIT, 22, source="198.18.0.9")
    yield _case("TLS to cgr.dev at the address of git", packets.named("cgr.dev"), "allow", to=GIT)
    yield _case("TLS to other.example at the address of git", packets.named("other.example"), "block",
                name="other.example", to=GIT)  # fmt: skip
    for address, fate in _CLOCKS:
        yield at(f"NTP to {address}", packets.ntp(), fate, address, 123, "udp")
    yield at(
        "NTP to a clock that does not answer", packets.alone(b"\x23" + bytes(47)), "allow", "203.0.113.70", 123, "udp"
    )
    yield at("NTP again and again", packets.ntp() * 4, "allow", "203.0.113.71", 123, "udp")
    yield at("DNS to a clock's port", packets.dns("cgr.dev"), "allow", "203.0.113.72", 123, "udp")
    yield at("NTP to a clock on another port", packets.ntp(), "block", "203.0.113.64", 124, "udp")
    yield at("bytes over TCP to a clock", packets.raw(), "block", "203.0.113.64", 123, leaks=1)
    yield at("QUIC to a clock", packets.quic(), "block", "203.0.113.64", 443, "quic")
    yield at("QUIC to the relay", packets.quic(), "allow", RELAY, 443, "quic")
    yield at("QUIC to the relay on 8443", packets.quic(), "block", RELAY, 8443, "quic")
    yield at("TLS to the relay", packets.named("relay.vendor.example"), "block", RELAY, 443, "https")


_CLOCKS: tuple[tuple[str, Fate], ...] = (
    ("203.0.113.63", "block"), ("203.0.113.64", "allow"), ("203.0.113.79", "allow"), ("203.0.113.80", "block"),
)  # fmt: skip
