"""A flow: every IP protocol by name or number, both address families, and what no packet can be."""

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.flows.flow import FLOW_PROTOCOLS, IP_PROTOCOLS, Flow, flow_protocol
from hostgate.flows.flow_words import flow_in_words
from hostgate.planning.plan import plan


@pytest.mark.parametrize(
    ("said", "name", "number"),
    [
        ("tcp", "tcp", 6),
        ("https", "https", 6),
        ("quic", "quic", 17),
        ("icmp", "icmp", 1),
        ("ICMP", "icmp", 1),
        ("icmpv6", "icmpv6", 58),
        ("IPv6-ICMP", "icmpv6", 58),
        ("gre", "gre", 47),
        ("47", "gre", 47),
        (47, "gre", 47),
        ("047", "gre", 47),
        ("41", "ipv6", 41),
        ("6in4", "ipv6", 41),
        ("sctp", "sctp", 132),
        (0, "0", 0),
        ("253", "253", 253),
    ],
)
def test_a_protocol_is_a_name_or_the_number_of_an_ip_protocol(said: str, name: str, number: int) -> None:
    flow = Flow("cgr.dev", protocol=said)
    assert (flow.protocol, flow.number) == (name, number)


@pytest.mark.parametrize("said", ["icpm", "", "-1", "256", "4.7", "tcp/443", "٤٧", None])
def test_what_is_no_protocol_is_refused_with_what_is_allowed(said: str) -> None:
    with pytest.raises(ValueError, match=r"protocol: found .* Allowed: https, tls, .*0 to 255"):
        Flow("cgr.dev", protocol=said)


def test_a_misspelt_protocol_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean icmpv6"):
        flow_protocol("icmpv66")


def test_icmp_is_that_of_the_family() -> None:
    assert Flow("x", protocol="icmp", address="2001:db8::7").protocol == "icmpv6"
    assert Flow("x", protocol="icmp", source="fd00::/8").protocol == "icmpv6"
    assert Flow("x", protocol="icmp", address="198.51.100.7").protocol == "icmp"


@pytest.mark.parametrize("protocol", ["icmp", "gre", "esp", "253"])
def test_a_protocol_without_ports_has_none(protocol: str) -> None:
    assert Flow("x", protocol=protocol).port == 0
    with pytest.raises(ValueError, match=f"port: found 22 with {protocol}, which has no ports"):
        Flow("x", 22, protocol)


@pytest.mark.parametrize(
    ("address", "source", "said"),
    [
        ("cgr.dev", None, "address: found 'cgr.dev'. Allowed: an IP address"),
        ("10.0.0.0/8", None, "address: found '10.0.0.0/8'"),
        (None, "here", "source: found 'here'. Allowed: an IP address or a CIDR"),
        ("2001:db8::7", "10.1.2.3", "both of one address family"),
        ("198.51.100.7", "fd00::/8", "both of one address family"),
    ],
)
def test_ends_that_no_packet_can_have_are_refused(address: str | None, source: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Flow("x", address=address, source=source)


@pytest.mark.parametrize(
    ("flow", "family"),
    [
        (Flow("cgr.dev"), None),
        (Flow("cgr.dev", source="10.0.0.0/8"), 4),
        (Flow("cgr.dev", address="2001:db8::7"), 6),
        (Flow("[2001:db8::7]"), 6),
        (Flow("198.51.100.7"), 4),
    ],
)
def test_the_family_is_that_of_whichever_end_is_known(flow: Flow, family: int | None) -> None:
    assert flow.family == family


@pytest.mark.parametrize("target", [each for each in MADE if each != "aws:dns-firewall"])
@pytest.mark.parametrize("protocol", [*sorted(IP_PROTOCOLS.keys() - {"tcp"}), "253", "0"])
@pytest.mark.parametrize("address", [None, "198.51.100.7", "2001:db8::7"])
def test_no_mechanism_opens_another_protocol_to_a_host_that_it_opens_by_tcp(
    target: str, protocol: str, address: str | None
) -> None:
    made = plan(selection([entry()]), target)
    assert not made.verdict(Flow("cgr.dev", protocol=protocol, address=address)).allows
    assert made.verdict(Flow("cgr.dev")).allows


def test_names_of_protocols_are_one_for_each_number() -> None:
    assert len(set(IP_PROTOCOLS.values())) == len(IP_PROTOCOLS)
    assert set(IP_PROTOCOLS) <= set(FLOW_PROTOCOLS)


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        (Flow("a.example", 0, "https", address="203.0.113.7"), "tcp 0 to a.example, at 203.0.113.7"),
        (Flow("a.example", 0, "http", sni=None), "tcp 0 to a.example"),
        (Flow("a.example", 0, "quic"), "udp 0 to a.example"),
        (Flow("a.example", 443, "https"), "https 443 to a.example"),
        (Flow("a.example", 80, "http", sni=None), "http 80 to a.example that it does not say"),
        (Flow("a.example", protocol="icmp"), "icmp to a.example"),
        (Flow("a.example", protocol="253"), "253 to a.example"),
    ],
)
def test_a_flow_is_told_with_its_port_where_its_protocol_has_ports(flow: Flow, told: str) -> None:
    assert flow_in_words(flow) == told
