"""Both address families, every IP protocol, and clients outside `homeNet`: one capture of all of it for each plan.

Suricata, the plan's verdict and a table that looks at no rule have to say the same of every flow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

import hostgate
from dataplane.aws import packets
from dataplane.aws.packets import Said, Talk
from dataplane.aws.replay import Heard, replay
from dataplane.aws.stages import ordered
from hostgate.aws.default_actions import ALERT_TO_SERVER, DROP_TO_SERVER
from hostgate.aws.firewall_kinds import POLICY
from hostgate.export.suricata import export_suricata, options_for_suricata
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan

LISTED = "cgr.dev"
HOMES: Mapping[str, Sequence[str] | None] = {
    "RFC 1918": None,
    "both families, public ranges too": ["10.0.0.0/8", "8.8.8.0/24", "fd00::/8", "2600:1f18::/56"],
    "IPv6 only": ["fd00::/8"],
}
PRIVATE = [ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")]
ENDS: tuple[tuple[Sequence[str], Sequence[str]], ...] = (
    (("10.1.2.3", "100.64.0.9", "203.0.113.9"), ("198.51.100.7", "10.9.9.9", "8.8.8.8")),
    (("fd00::5", "2600:1f18::5", "2001:db8:1::1"), ("2001:db8::7", "fd00::9", "2600:1f18::9")),
)
"""Clients and servers of each family: inside some `homeNet` and outside all of them."""

IN_GRE = {
    4: bytes.fromhex("00000800") + bytes(IP(src="10.1.2.3", dst="10.9.9.9") / UDP(sport=5, dport=53) / b"inner"),
    6: bytes.fromhex("000086dd") + bytes(IPv6(src="fd00::5", dst="fd00::9") / UDP(sport=5, dport=53) / b"inner"),
}
"""Private traffic in a tunnel, by family. The engine judges what a tunnel carries as well."""
ECHO_6 = bytes.fromhex("8000000000070001") + b"ping"

SPOKEN: Mapping[str, tuple[str, int, str, tuple[Said, ...]]] = {
    # what it is: name, port, protocol, packets
    "TLS to a listed host": (LISTED, 443, "https", packets.named(LISTED)),
    "TLS to a listed host on another port": (LISTED, 8443, "https", packets.named(LISTED)),
    "TLS to another host": ("evil.example", 443, "https", packets.named("evil.example")),
    "HTTP": ("evil.example", 80, "http", packets.http("evil.example")),
    "SSH": ("evil.example", 22, "tcp", packets.ssh()),
    "SMTP": ("evil.example", 25, "tcp", packets.smtp()),
    "bytes over TCP": ("evil.example", 443, "tcp", packets.raw()),
    "QUIC": ("evil.example", 443, "quic", packets.quic()),
    "DNS": ("evil.example", 53, "udp", packets.dns("evil.example")),
    "bytes over UDP": ("evil.example", 40_000, "udp", packets.alone()),
    "an echo request": ("evil.example", 0, "icmp", packets.ping()),
    "GRE": ("evil.example", 0, "gre", packets.alone()),
    "private traffic in GRE": ("evil.example", 0, "gre", ()),
    "ESP": ("evil.example", 0, "esp", packets.alone()),
    "SCTP": ("evil.example", 0, "sctp", packets.alone()),
    "IPv6 in IP": ("evil.example", 0, "ipv6", packets.alone(bytes(48))),
    "an IP protocol without a name": ("evil.example", 0, "253", packets.alone()),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to plan the same catalog."""

    target: str
    options: Mapping[str, Any]
    exported: bool = False

    @property
    def deny(self) -> str:
        return str(self.options.get("deny", "internet"))


KINDS: Mapping[str, Kind] = {
    "rules": Kind("aws:rules", {}),
    "rules, rejecting": Kind("aws:rules", {"reject": True}),
    "rules, denying all": Kind("aws:rules", {"deny": "all"}),
    "rules, denying all and rejecting": Kind("aws:rules", {"deny": "all", "reject": True}),
    "rules in a policy owned elsewhere": Kind("aws:rules", {"deny": "declared"}),
    "lists": Kind("aws:domain-list", {}),
    "lists, denying all and rejecting": Kind("aws:domain-list", {"deny": "all", "reject": True}),
    "lists in a policy owned elsewhere": Kind("aws:domain-list", {"deny": "declared"}),
    "exported": Kind("aws:rules", {}, exported=True),
    "exported, rejecting": Kind("aws:rules", {"reject": True}, exported=True),
    "exported, denying all and rejecting": Kind("aws:rules", {"deny": "all", "reject": True}, exported=True),
}


@lru_cache
def flows() -> Mapping[str, tuple[Flow, Talk]]:
    """Every flow by what it is, and its packets."""
    found = {}
    for clients, servers in ENDS:
        for title, (name, port, protocol, said) in SPOKEN.items():
            for client in clients:
                for server in servers:
                    flow = Flow(name, port, protocol, address=server, source=client)
                    found[f"{title}, {client} to {server}"] = (flow, _talk(flow, said))
    return found


def _talk(flow: Flow, said: tuple[Said, ...]) -> Talk:
    source, destination = flow.source or "", flow.address or ""
    match flow.transport:
        case "tcp" | "udp" | "icmp":
            return Talk(flow.transport, said, flow.port, source, destination)  # type: ignore[arg-type]
        case "icmpv6":
            return Talk("other", packets.alone(ECHO_6), 0, source, destination, protocol=flow.number)
        case _:
            said = said or packets.alone(IN_GRE[flow.family or 4])
            return Talk("other", said, 0, source, destination, protocol=flow.number)


def planned(kind: Kind, home: Sequence[str] | None) -> Plan:
    hosts = hostgate.select("catalog.yaml", base=Path(__file__).parent, ids=["registry"])
    options = {**kind.options, **({} if home is None else {"homeNet": home})}
    plan = hostgate.plan(hosts, kind.target, options)
    if not kind.exported:
        return plan
    return hostgate.plan(hosts, kind.target, options_for_suricata(plan.options).model_dump(exclude_unset=True))  # type: ignore[arg-type]


def owned(plan: Plan) -> Sequence[CloudObject]:
    """The plan's objects in a policy that somebody else made as the finding `attached-policy` asks."""
    *groups, references = plan.objects
    body = {
        **references.body,
        "StatefulDefaultActions": [DROP_TO_SERVER, ALERT_TO_SERVER],
        "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": list(plan.options.home_net)}}},  # type: ignore[attr-defined]
    }
    return (*groups, CloudObject(kind=POLICY, name="theirs", body={"FirewallPolicy": body}))


def judge(kind: Kind, plan: Plan, folder: Path) -> Iterator[tuple[str, Flow, Heard]]:
    talks = [talk for _, talk in flows().values()]
    if kind.exported:
        heard = replay(talks, export_suricata(plan).rules.splitlines(), plan.options.home_net, folder)  # type: ignore[attr-defined]
    else:
        heard = ordered(owned(plan) if kind.deny == "declared" else plan.objects).judge(talks, folder)
    for (title, (flow, _)), each in zip(flows().items(), heard, strict=True):
        yield title, flow, each


def expected(kind: Kind, home_net: Sequence[str], title: str, flow: Flow) -> str:
    """What the catalog and the options mean for a flow; no rule is looked at."""
    home = [ip_network(each) for each in home_net]
    client, server = ip_address(flow.source or ""), ip_address(flow.address or "")
    inside = any(client in each for each in home)
    private = any(server in each for each in PRIVATE)
    behind = any(server in each for each in home)
    if kind.deny == "internet" and inside and behind and private:
        return "allow"
    if kind.deny == "declared" and private and flow.transport != "tcp":
        return "allow"  # the owner's to judge: the plan stops what goes to the internet
    return "allow" if title.startswith("TLS to a listed host,") and inside and not behind else "block"


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("kind", KINDS)
def test_of_either_family_and_any_protocol_only_what_the_catalog_names_gets_out(
    kind: str, home: str, tmp_path: Path
) -> None:
    how = KINDS[kind]
    plan = planned(how, HOMES[home])
    wrong = []
    fates = set()
    for title, flow, heard in judge(how, plan, tmp_path):
        wanted = expected(how, plan.options.home_net, title, flow)  # type: ignore[attr-defined]
        fates.add(wanted)
        if not wanted == heard.verdict == plan.verdict(flow).action:
            wrong.append(f"{title}: {wanted}; Suricata: {heard.verdict}; the plan: {plan.verdict(flow)}")
        if wanted == "block" and flow.transport != "tcp" and heard.leaked:
            wrong.append(f"{title}: {heard.leaked} packets got out")
    assert wrong == []
    assert fates == {"allow", "block"}
