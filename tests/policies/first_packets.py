"""Rules of a policy whose HOME_NET is 10.0.0.0/8, and what of first datagrams they leave: one table for pack and engine."""

from collections.abc import Mapping

HOME_NET = ("10.0.0.0/8",)

STOPPED: Mapping[str, tuple[str, ...]] = {
    "everything": ("drop ip any any -> any any (sid:21;)",),
    "all but TCP": ("drop ip any any -> any any (ip_proto:!6; sid:21;)",),
    "all but TCP, to the server": ("drop ip any any -> any any (flow:to_server; ip_proto:!6; sid:21;)",),
    "each protocol by itself": (
        "drop udp any any -> any any (flow:to_server; sid:21;)",
        "drop icmp any any -> any any (sid:22;)",
        "drop ip any any -> any any (ip_proto:!6; ip_proto:!17; ip_proto:!1; ip_proto:!58; sid:23;)",
    ),
    "datagrams by state, the rest without": (
        "drop udp any any -> any any (flow:not_established; sid:21;)",
        "drop ip any any -> any any (ip_proto:!6; ip_proto:!17; sid:22;)",
    ),
    "private traffic first": (
        "pass ip $HOME_NET any -> $HOME_NET any (sid:21;)",
        "drop ip any any -> any any (ip_proto:!6; sid:22;)",
    ),
    "each IP version by itself": (
        "drop ip4 any any -> any any (ip_proto:!6; sid:21;)",
        "drop ip6 any any -> any any (ip_proto:!6; sid:22;)",
    ),
    "public ranges": ("drop ip any any -> [0.0.0.0/0,2000::/3] any (ip_proto:!6; sid:21;)",),
    "all but private ranges of both versions": (
        "drop ip any any -> ![10.0.0.0/8,fc00::/7] any (ip_proto:!6; sid:21;)",
    ),
    "in halves": (
        "drop ip any any -> [0.0.0.0/1,2000::/3] any (ip_proto:!6; sid:21;)",
        "drop ip any any -> 128.0.0.0/1 any (ip_proto:!6; sid:22;)",
    ),
    "IPv4 by HOME_NET, IPv6 by a rule of its own": (
        "drop ip any any -> $EXTERNAL_NET any (ip_proto:!6; sid:21;)",
        "drop ip6 any any -> any any (ip_proto:!6; sid:22;)",
    ),
    "inside and outside by two rules": (
        "drop ip $HOME_NET any -> any any (sid:21;)",
        "drop ip4 !$HOME_NET any -> any any (ip_proto:!6; sid:22;)",
        "drop ip6 any any -> any any (ip_proto:!6; sid:23;)",
    ),
    "a clock that is named by address": (
        "pass udp $HOME_NET any -> 203.0.113.64/28 123 (sid:21;)",
        "drop ip any any -> any any (ip_proto:!6; sid:22;)",
    ),
    "answers pass": (
        "pass udp any any -> any any (flow:established; sid:21;)",
        "drop ip any any -> any any (ip_proto:!6; sid:22;)",
    ),
    "TCP passes": ("pass tcp any any -> any 22 (sid:21;)", "drop ip any any -> any any (ip_proto:!6; sid:22;)"),
}
"""Nothing but TCP gets out."""

_REST = "drop ip any any -> any any (ip_proto:!6; sid:29;)"
_ALL = "UDP, ICMP, other IP protocols over IPv4 and IPv6"

LEFT: Mapping[str, tuple[tuple[str, ...], str]] = {
    "no rule": (("pass tls any any -> any 8443 (sid:21;)",), f"{_ALL} get out: no default drops it, and no rule of rules"),
    "all but HOME_NET, which has no IPv6": (
        ("drop ip any any -> $EXTERNAL_NET any (ip_proto:!6; sid:21;)",),
        "UDP, ICMP, other IP protocols over IPv6 get out:",
    ),
    "the same, negated": (
        ("drop ip any any -> !$HOME_NET any (sid:21;)",),
        "UDP, ICMP, other IP protocols over IPv6 get out:",
    ),
    "all but private IPv4": (("drop ip any any -> ![10.0.0.0/8] any (sid:21;)",), "protocols over IPv6 get out:"),
    "UDP only": (("drop udp any any -> any any (sid:21;)",), "ICMP, other IP protocols over IPv4 and IPv6 get out:"),
    "no ICMPv6": (
        (
            "drop udp any any -> any any (sid:21;)",
            "drop icmpv4 any any -> any any (sid:22;)",
            "drop ip any any -> any any (ip_proto:!6; ip_proto:!17; ip_proto:!58; sid:23;)",
        ),
        "ICMP over IPv6 get out:",
    ),
    "no tunnels": (
        ("drop udp any any -> any any (sid:21;)", "drop icmp any any -> any any (sid:22;)"),
        "other IP protocols over IPv4 and IPv6 get out:",
    ),
    "IPv4 only": (("drop ip4 any any -> any any (sid:21;)",), "protocols over IPv6 get out:"),
    "one port": (("drop udp any any -> any 53 (sid:21;)",), _ALL),
    "all ports, which tunnels and ICMP have not": (
        ("drop ip any any -> any 0:65535 (sid:21;)",), "ICMP, other IP protocols over IPv4 and IPv6 get out:",
    ),
    "one source port": (("drop udp any 53 -> any any (sid:21;)",), _ALL),
    "clients inside only": (
        ("drop ip $HOME_NET any -> any any (sid:21;)",),
        "UDP, ICMP, other IP protocols over IPv4 get out from clients outside HOME_NET",
    ),
    "half of the internet": (
        ("drop ip any any -> [0.0.0.0/1,2000::/3] any (ip_proto:!6; sid:21;)",), "protocols over IPv4 get out to 1",
    ),
    "open flows only": (("drop ip any any -> any any (flow:established; sid:21;)",), _ALL),
    "answers only": (("drop udp any any -> any any (flow:to_client; sid:21;)",), _ALL),
    "a state, which tunnels have not": (
        ("drop ip any any -> any any (flow:not_established; sid:21;)",), "other IP protocols over IPv4 and IPv6 get out:",
    ),
    "what is recognised": (
        ("drop quic any any -> any any (sid:21;)", "drop dns any any -> any any (sid:22;)"), _ALL,
    ),
    "with a condition": (("drop ip any any -> any any (ttl:<5; sid:21;)",), _ALL),
    "only logged": (("alert ip any any -> any any (sid:21;)",), _ALL),
    "DNS to anybody first": (
        ("pass udp $HOME_NET any -> any 53 (sid:21;)", _REST), "passes to any destination on port 53: UDP over IPv4.",
    ),
    "DNS to anybody first, in two halves": (
        ("pass udp any any -> 0.0.0.0/1 53 (sid:21;)", "pass udp any any -> 128.0.0.0/1 53 (sid:22;)", _REST),
        "passes to any destination on port 53: UDP over IPv4",
    ),
    "echo requests first": (("pass icmp any any -> any any (sid:21;)", _REST), "ICMP over IPv4 and IPv6"),
    "handshakes first, of whatever": (
        ("pass ip any any -> any any (flow:not_established; sid:21;)", _REST), "passes to any destination: UDP",
    ),
    "both ways": (("pass udp any any <> 10.0.0.0/8 any (sid:21;)", _REST), "passes to any destination: UDP"),
    "GRE first": (
        ("pass ip any any -> any any (ip_proto:47; sid:21;)", _REST), "passes to any destination: other IP protocols",
    ),
}  # fmt: skip
"""Something gets out, and what the pack says of it."""
