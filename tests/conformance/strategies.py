"""Generated catalogs over a small universe of names, and the flows that a firewall gets wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from conformance.catalogs import entry
from hostgate.catalog.model import MATCHES, PROTOCOLS, Entry
from hostgate.flows.flow import Flow

LONG_LABEL = "a" * 63
LONGEST = ".".join([LONG_LABEL, "b" * 63, "c" * 63, "d" * 57, "dev"])
"""253 characters, labels of 63."""

HOSTS = (
    "cgr.dev",
    "api.cgr.dev",
    "deep.api.cgr.dev",
    "deeper.deep.api.cgr.dev",
    "apk.cgr.dev",
    "enforce.dev",
    "dl.enforce.dev",
    f"{LONG_LABEL}.enforce.dev",
    LONGEST,
)
"""Few, so that kinds nest and overlap and names are shared over ports."""

PORTS = (1, 80, 443, 8443, 64_000, 64_001, 65_535)
INTERNET = "198.51.100.7"
INTERNET_6 = "2001:db8::7"
INSIDE, OUTSIDE = "10.1.2.3", "192.168.7.7"
"""A client within `from: [10.0.0.0/8]`, and one behind the same firewall that is not."""
INSIDE_6 = "fd00::5"
STRANGERS = ("100.64.0.9", "203.0.113.9", "2600:1f18::5", "2001:db8:1::1")
"""Clients in no private range that a stack names by default, of both families."""

_ENDS = [
    (client, server)
    for client in (None, INSIDE, INSIDE_6, *STRANGERS)
    for server in (None, INTERNET, INTERNET_6)
    if client is None or server is None or (":" in client) == (":" in server)
]
"""Clients inside and outside, and where they send, of each family."""

WITH_PORTS = ("https", "tls", "http", "tcp", "udp", "quic")
WITHOUT_PORTS = ("icmp", "gre", "esp", "ipv6", "253")


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    return entry(
        draw(st.sampled_from(HOSTS)),
        "unnumbered",
        match=draw(st.sampled_from(MATCHES)),
        port=draw(st.sampled_from(PORTS)),
        protocol=draw(st.sampled_from(PROTOCOLS)),
        families=draw(st.sampled_from([None, None, ("ipv4",), ("ipv4", "ipv6"), ("ipv6",)])),
        direction=draw(st.sampled_from(["egress"] * 5 + ["ingress"])),
        status=draw(st.sampled_from(["active"] * 5 + ["withdrawn", "mistaken"])),
        alternatives=draw(st.sampled_from([None, None, None, "storage"])),
    )


@st.composite
def plain_entries(draw: st.DrawFn) -> Entry:
    """What most catalogs hold: exact names, of web protocols on their ports."""
    port, protocol = draw(st.sampled_from([(443, "https"), (8443, "tls"), (80, "http"), (443, "tls"), (8443, "https")]))
    return entry(draw(st.sampled_from(HOSTS)), "unnumbered", port=port, protocol=protocol)


def catalogs() -> st.SearchStrategy[list[Entry]]:
    """One to seven entries with ids of their own."""
    return st.lists(st.one_of(entries(), plain_entries()), min_size=1, max_size=7).map(_numbered)


def near_misses(host: str) -> tuple[str, ...]:
    """`host`, and names that a careless matcher takes for it."""
    first, _, parent = host.partition(".")
    return (
        host,
        host.upper(),
        f"{host}.",
        f"not{host}",
        f"{host}.evil.example",
        f"sub.{host}",
        f"SUB.{host}",
        f"deeper.sub.{host}",
        f"sibling.{parent}",
        parent,
        f"{first}-{parent}",
        host.replace(".", "x", 1),
        f".{host}",
        f"sub..{host}",
    )


def flows_about(known: Sequence[Entry]) -> Iterator[Flow]:
    """Flows at and around every entry: names, ports, protocols, server names, addresses and sources."""
    yield Flow("unrelated.example")
    yield Flow("unrelated.example", 53, "udp")
    yield Flow(INTERNET, 443, "https", address=INTERNET)
    for number, (client, server) in enumerate(
        _ENDS
    ):  # each pair of ends with some protocols, each protocol with some pairs
        for protocol in (WITHOUT_PORTS[number % len(WITHOUT_PORTS)], WITH_PORTS[number % len(WITH_PORTS)]):
            yield Flow("unrelated.example", 443, protocol, address=server, source=client)
    for each in known:
        host, port, native = each.host, each.port, each.protocol
        names = near_misses(host)
        for name in names:
            yield Flow(name, port, native)
            yield Flow(host, port, native, sni=name)
            yield Flow(name, port, native, sni=host)
        yield from (Flow(host, 0, protocol) for protocol in WITHOUT_PORTS)
        yield Flow(host, port, "sctp")
        yield from (Flow(host, port, native, address=server, source=client) for client, server in _ENDS)
        for protocol in WITH_PORTS:
            yield from (Flow(host, other, protocol) for other in {port, 80, 443, 4433})
            yield Flow(f"sub.{host}", port, protocol)
            yield Flow(host, port, protocol, sni=None)
            yield Flow(f"sub.{host}", port, protocol, sni=None)
        for sni in (None, INTERNET, "unrelated.example"):
            yield Flow(host, port, native, sni=sni, address=INTERNET)
        for address in (INTERNET, INTERNET_6):
            yield Flow(address, port, native, address=address)
            yield Flow(address, port, native, sni=host, address=address)
            yield Flow(host, port, native, address=address)
            yield Flow("unrelated.example", port, native, address=address)
        for source in (INSIDE, OUTSIDE):
            yield from (Flow(name, port, native, source=source) for name in (host, f"sub.{host}"))


def _numbered(drawn: list[Entry]) -> list[Entry]:
    return [replace(each, id=f"e{number}") for number, each in enumerate(drawn)]
