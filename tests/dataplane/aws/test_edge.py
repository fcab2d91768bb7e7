"""The edge group, by itself: private traffic passes, datagrams stay inside from the first packet, TCP shakes hands."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6

import hostgate
from dataplane.aws import packets
from dataplane.aws.flows import CLIENT, SERVER
from dataplane.aws.packets import Packet, Said, Talk
from dataplane.aws.replay import Heard, replay
from dataplane.aws.stages import ordered, rule_texts
from dataplane.aws.test_families import owned

PRIVATE, LAPTOP, CLOUD_6, INTERNET_6 = "10.9.9.9", "192.168.7.7", "fd00::5", "2001:db8::7"
HOME_NET = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]

ECHO_6 = packets.alone(bytes.fromhex("8000000000070001") + b"ping")
"""An ICMPv6 echo request. Its checksum is as wrong as all here; nobody looks."""

GRE, SCTP, ESP, AH, IPV6_IN_IPV4, OSPF, ICMPV6 = 47, 132, 50, 51, 41, 89, 58

DATAGRAMS: Mapping[str, Talk] = {
    "QUIC": Talk("udp", packets.quic(), 443),
    "QUIC on another port": Talk("udp", packets.quic(), 8443),
    "DNS": Talk("udp", packets.dns("cgr.dev"), 53),
    "NTP": Talk("udp", packets.ntp(), 123),
    "an empty datagram": Talk("udp", packets.alone(b""), 9),
    "DNS over IPv6": Talk("udp", packets.dns("cgr.dev"), 53, CLOUD_6, INTERNET_6),
    "an ICMP echo request": Talk("icmp", packets.ping()),
    "an ICMP echo reply that nobody asked for": Talk("icmp", packets.alone(), kind=0, destination="198.51.100.20"),
    "an ICMP error about nothing": Talk("icmp", packets.alone(bytes(28)), kind=3, destination="198.51.100.21"),
    "an ICMP timestamp request": Talk("icmp", packets.alone(bytes(12)), kind=13, destination="198.51.100.22"),
    "an ICMP type that is not assigned": Talk("icmp", packets.alone(), kind=200, destination="198.51.100.23"),
    "an ICMPv6 echo request": Talk("other", ECHO_6, 0, CLOUD_6, INTERNET_6, protocol=ICMPV6),
}

TUNNELS: Mapping[str, Talk] = {
    "GRE": Talk("other", packets.alone(), protocol=GRE),
    "ESP": Talk("other", packets.alone(), protocol=ESP),
    "AH": Talk("other", packets.alone(), protocol=AH),
    "IPv6 in IPv4": Talk("other", packets.alone(bytes(48)), protocol=IPV6_IN_IPV4),
    "SCTP": Talk("other", packets.alone(), protocol=SCTP),
    "OSPF": Talk("other", packets.alone(), protocol=OSPF),
    "GRE over IPv6": Talk("other", packets.alone(), 0, CLOUD_6, INTERNET_6, protocol=GRE),
}

PRIVATE_TRAFFIC: Mapping[str, Talk] = {
    "SSH": Talk("tcp", packets.ssh(), 22, CLIENT, PRIVATE),
    "TLS": Talk("tcp", packets.named("git.internal.example"), 443, CLIENT, LAPTOP),
    "bytes of no protocol": Talk("tcp", packets.raw(), 9000, CLIENT, PRIVATE),
    "DNS": Talk("udp", packets.dns("git.internal.example"), 53, CLIENT, PRIVATE),
    "QUIC": Talk("udp", packets.quic(), 443, CLIENT, "172.31.0.1"),
    "an echo request": Talk("icmp", packets.ping(), 0, CLIENT, LAPTOP),
    "GRE": Talk("other", packets.alone(), 0, CLIENT, PRIVATE, protocol=GRE),
    "DNS over IPv6": Talk("udp", packets.dns("git.internal.example"), 53, CLOUD_6, "fd00::53"),
    "an ICMPv6 echo request": Talk("other", ECHO_6, 0, CLOUD_6, "fd00::9", protocol=ICMPV6),
}

CONNECTIONS: Mapping[str, Talk] = {
    "TLS to a listed host": Talk("tcp", packets.named("cgr.dev"), 443),
    "TLS to another": Talk("tcp", packets.named("other.example"), 443),
    "HTTP": Talk("tcp", packets.http("other.example"), 80),
    "TLS over IPv6": Talk("tcp", packets.named("cgr.dev"), 443, CLOUD_6, INTERNET_6),
}

FROM_OUTSIDE: Mapping[str, Talk] = {
    "an answered question to a server inside": Talk("udp", packets.dns("vendor.example"), 53, SERVER, PRIVATE),
    "an echo request to a host inside": Talk("icmp", packets.ping(), 0, "198.51.100.30", PRIVATE),
    "a connection to a server inside": Talk("tcp", packets.http("vendor.example"), 80, SERVER, PRIVATE),
}

ALL = {
    (about, title): talk
    for about, talks in (
        ("datagram", DATAGRAMS),
        ("tunnel", TUNNELS),
        ("private", PRIVATE_TRAFFIC),
        ("connection", CONNECTIONS),
        ("from outside", FROM_OUTSIDE),
    )
    for title, talk in talks.items()
}


def edge_rules(deny: str) -> list[str]:
    hosts = hostgate.select("catalog.yaml", base=Path(__file__).parent)
    plan = hostgate.plan(hosts, target="aws:rules", home_net=HOME_NET, deny=deny)
    return list(rule_texts(each for each in plan.objects if each.name.endswith("-edge")))


@pytest.fixture(scope="module")
def heard(suricata: str, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Heard]:
    del suricata
    judged = replay(list(ALL.values()), edge_rules("internet"), HOME_NET, tmp_path_factory.mktemp("edge"))
    return dict(zip(ALL, judged, strict=True))


@pytest.mark.parametrize("title", DATAGRAMS)
def test_a_datagram_to_the_outside_is_dropped_from_the_first_packet(
    heard: dict[tuple[str, str], Heard], title: str
) -> None:
    judged = heard["datagram", title]
    sent = {at for at, packet in enumerate(judged.packets) if packet.by == "client"}
    assert judged.dropped >= sent


@pytest.mark.parametrize("title", TUNNELS)
def test_packets_of_other_protocols_to_the_outside_are_dropped(heard: dict[tuple[str, str], Heard], title: str) -> None:
    assert heard["tunnel", title].dropped == {0}


@pytest.mark.parametrize("title", PRIVATE_TRAFFIC)
def test_private_traffic_passes(heard: dict[tuple[str, str], Heard], title: str) -> None:
    assert not heard["private", title].dropped


@pytest.mark.parametrize("title", CONNECTIONS)
def test_a_tcp_connection_is_left_to_the_groups_after_it(heard: dict[tuple[str, str], Heard], title: str) -> None:
    assert not heard["connection", title].dropped


@pytest.mark.parametrize("title", FROM_OUTSIDE)
def test_what_begins_outside_is_cut_but_for_tcp_which_the_default_cuts(
    heard: dict[tuple[str, str], Heard], title: str
) -> None:
    judged = heard["from outside", title]
    asked = {at for at, packet in enumerate(judged.packets) if packet.by == "client"}
    assert judged.dropped == (set() if "connection" in title else asked)


def quoting(router: str, client: str, at: int, quoted: int) -> Callable[[list[Packet]], list[Packet]]:
    """Puts an error in as the packet `at`: `router` says to `client` that its packet `quoted` was too long."""

    def changed(talk: list[Packet]) -> list[Packet]:
        v6 = ip_address(router).version == 6
        said = (
            IPv6(src=router, dst=client) / ICMPv6PacketTooBig(mtu=1280)
            if v6
            else IP(src=router, dst=client) / ICMP(type=3, code=4)
        )
        error = Packet(talk[0].talk, "server", False, bytes(said / talk[quoted].data[:1000]))
        return [*talk[:at], error, *talk[at:]]

    return changed


ERRORS = [
    (router, client, server, at, quoted)
    for router, client, server in (
        ("203.0.113.254", CLIENT, SERVER),
        ("2001:db8:ffff::1", CLOUD_6, INTERNET_6),
        (PRIVATE, CLIENT, SERVER),
        ("fd00::1", CLOUD_6, INTERNET_6),
        (CLIENT, CLIENT, SERVER),
    )
    for at, quoted in ((1, 0), (3, 2), (4, 3), (6, 5))
]
"""Errors from routers outside and inside, and such as a client makes up; at every moment of a connection."""


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("deny", ["internet", "all", "declared"])
def test_a_router_may_say_that_a_packet_was_too_long_and_no_such_word_opens_a_connection(
    deny: str, tmp_path: Path
) -> None:
    hosts = hostgate.select("catalog.yaml", base=Path(__file__).parent)
    plan = hostgate.plan(hosts, target="aws:rules", home_net=HOME_NET, deny=deny)
    policy = ordered(owned(plan) if deny == "declared" else plan.objects)
    for name in ("cgr.dev", "other.example"):
        talks = [
            Talk("tcp", packets.named(name), 443, client, server, changed=quoting(router, client, at, quoted))
            for router, client, server, at, quoted in ERRORS
        ]
        for (router, *_, at, _), heard in zip(ERRORS, policy.judge(talks, tmp_path / name), strict=True):
            if name == "other.example":
                assert heard.verdict == "block", (router, at)
            elif not any(ip_address(router) in ip_network(cidr) for cidr in HOME_NET):
                assert not heard.dropped, (router, at)
            else:  # what is inside is passed by `internet` alone
                assert heard.dropped <= (set() if deny == "internet" else {at}), (router, at)


@pytest.mark.usefixtures("suricata")
def test_deny_all_keeps_private_datagrams_too(tmp_path: Path) -> None:
    talks = {key: talk for key, talk in ALL.items() if key[0] in ("datagram", "private", "connection")}
    judged = replay(list(talks.values()), edge_rules("all"), HOME_NET, tmp_path)
    for talk, heard in zip(talks.values(), judged, strict=True):
        datagram = talk.transport != "tcp"
        assert bool(heard.dropped) == datagram, talk


def test_there_is_no_edge_group_without_a_deny() -> None:
    assert edge_rules("none") == []


def test_an_empty_datagram_still_counts_as_sent() -> None:
    """Else a drop of it could not be told from no packet at all."""
    assert [packet.by for packet in packets.capture([DATAGRAMS["an empty datagram"]])] == ["client"]


def test_payloads_are_the_said_ones() -> None:
    talk = Talk("udp", (Said("client", b"abc"),), 53)
    assert packets.capture([talk])[0].data.endswith(b"abc")
