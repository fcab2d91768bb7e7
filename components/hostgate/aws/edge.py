"""The edge group, before every allow by name: private traffic passes, and of the rest nothing but TCP goes on.

The policy's default drops established flows only, so that TCP can shake hands; the first datagram of a UDP or ICMP
exchange would get out, a DNS question is no more than that, and a tunnel (GRE, ESP, 6in4) or SCTP may have no flow at all.

No rule that stops leans on $EXTERNAL_NET. The engine takes the inverse of IPv4 ranges for the other IPv4 addresses, and
no IPv6 packet matches it (tried on Suricata 7.0.10). So what may go on is passed first, and the rest is stopped wherever
it goes; a rule that passes may lean on it, since what it does not match it does not open.

In a policy that somebody else owns nothing is passed as private: HOME_NET is the owner's to set there, and a pass would
end the judging of those flows for every group of the owner behind it. There the rules stop what goes to an address
that is not private, and leave the rest to the owner.
"""

from collections.abc import Iterator

from hostgate.aws import policy
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import internet_ranges, public_ranges
from hostgate.suricata.writer import Rule, Sids, group

_TOO_LONG = (("ipv4", "itype:3", "icode:4"), ("ipv6", "itype:2", "icode:0"))
"""How a router says that a packet was too long for its next link: RFC 792 and 1191, RFC 4443. Without it a client never
learns that it has to send shorter ones, and connections to allowed hosts hang."""

_STOPPED = (
    ("udp", "udp", "QUIC, DNS and other datagrams stay inside", ("flow:to_server",)),
    # `icmp` is ICMP and ICMPv6, in packets of either family.
    ("icmp", "icmp", "no ICMP to the outside", ("flow:to_server",)),
    ("others", "ip", "no other IP protocol to the outside", ("ip_proto:!6", "ip_proto:!17", "ip_proto:!1", "ip_proto:!58")),
)  # fmt: skip
"""Name, protocol, words and conditions of the rules that together match every packet that is no TCP. What answers an
allowed datagram goes to the client, so it is none of them."""


def edge_group(options: NetworkFirewallOptions, sids: Sids) -> CloudObject | None:
    """The group, or None where the plan stops nothing."""
    rules = edge_rules(options, sids)
    words = "private traffic passes, datagrams stay inside" if options.creates_policy else "datagrams stay inside"
    return policy.suricata_group(options, "edge", rules, words) if rules else None


def edge_rules(options: NetworkFirewallOptions, sids: Sids) -> list[Rule]:
    """The rules of the group; none where the plan denies nothing, or leaves that to the owner of the policy."""
    if options.deny == "none" or not options.edge:
        return []
    stop = "alert" if options.mode == "audit" else "drop"
    where = group(internet_ranges()) if options.deny == "declared" else "any"
    return [
        *(_private(options, sids) if options.deny == "internet" else ()),
        *_path_mtu(sids),
        # From anybody: a client outside HOME_NET is no less behind the firewall, and the default lets its datagrams go.
        *(
            _rule(f"{stop}-{name}", stop, protocol, "any", where, words, conditions, sids)
            for name, protocol, words, conditions in _STOPPED
        ),
    ]


def _private(options: NetworkFirewallOptions, sids: Sids) -> Iterator[Rule]:
    public = public_ranges(options.home_net)
    private = [cidr for cidr in options.home_net if cidr not in public]
    if not private:
        return
    inside, words = group(private) if public else "$HOME_NET", "private traffic is not judged"
    # A pass by addresses alone passes the whole flow, whichever of its packets it matches (tried on Suricata 7.0.10). So
    # it may not match what a server in a public range answers, or the connection that it answers would pass. And it may
    # not match ICMP: an error belongs to the flow that it quotes, so one from inside to inside, made up by a client,
    # would pass that client's connection to anybody. With a direction a pass is of the packet.
    no_icmp = ("ip_proto:!1", "ip_proto:!58")
    yield _rule("pass-private", "pass", "ip", inside, inside, words, no_icmp, sids)
    if public:
        to_server = ("flow:to_server", *no_icmp)
        yield _rule("pass-private-public", "pass", "ip", group(public), inside, words, to_server, sids)
    yield _rule("pass-private-icmp", "pass", "icmp", "$HOME_NET", inside, words, ("flow:to_server",), sids)


def _path_mtu(sids: Sids) -> Iterator[Rule]:
    """Routers outside may say to those inside that a packet was too long; of the packet alone, so nothing answers."""
    for family, *conditions in _TOO_LONG:
        words = f"path MTU of {'IPv4' if family == 'ipv4' else 'IPv6'}"
        yield _rule(
            f"pass-path-mtu-{family}", "pass", "icmp", "$EXTERNAL_NET", "$HOME_NET", words, tuple(conditions), sids
        )


def _rule(
    name: str,
    action: str,
    protocol: str,
    source: str,
    destination: str,
    words: str,
    conditions: tuple[str, ...],
    sids: Sids,
) -> Rule:
    return Rule(
        action=action, protocol=protocol, source=source, destination=destination, port="any",
        msg=f"hostgate: {words}", conditions=conditions, sid=sids.of("hostgate", name),
    )  # fmt: skip
