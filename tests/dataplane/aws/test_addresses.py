"""Entries by address, beyond the table of flows: direction, logging, families, audit, and sets that are kept elsewhere."""

from collections import Counter
from json import loads
from pathlib import Path
from typing import Any

import pytest

import hostgate
from dataplane.aws import packets
from dataplane.aws.flows import ADDRESSES, CLIENT, GIT, RELAY
from dataplane.aws.packets import FIRST_PORT, Talk, Transport
from dataplane.aws.replay import Heard, replay
from dataplane.aws.stages import ordered
from hostgate.flows.flow import Flow, FlowProtocol
from hostgate.planning.address_pool import AddressPool, PoolAddress, PoolHost
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.planning.plan import Plan

pytestmark = pytest.mark.usefixtures("suricata")

LISTS = {"git": "arn:aws:ec2:eu-central-1:1:prefix-list/pl-1", "clock": "arn:aws:ec2:eu-central-1:1:prefix-list/pl-2"}
KEPT = {LISTS["git"]: ["203.0.113.0/30", "203.0.113.200"], LISTS["clock"]: ["203.0.113.128/25"]}
CLIENT_6, GIT_6 = "fd00::5", "2001:db8::22"


def planned(**options: Any) -> Plan:
    return hostgate.plan(hostgate.select("by-address.yaml", base=Path(__file__).parent), "aws:rules", **options)


def judge(plan: Plan, talks: list[Talk], folder: Path) -> list[Heard]:
    return ordered(plan.objects, KEPT).judge(talks, folder)


def test_what_a_client_answers_to_a_connection_from_an_allowed_port_is_not_passed(tmp_path: Path) -> None:
    """A rule of packets without a direction would pass both ways between the client and that port."""
    (tmp_path / "inbound.yaml").write_text(
        "catalog: acme/inbound\nentries:\n"
        f"  - {{id: odd, host: odd.vendor.example, port: {FIRST_PORT}, protocol: tcp}}\n"
    )
    plan = hostgate.plan(hostgate.select("inbound.yaml", base=tmp_path), "aws:rules", addresses={"odd": [GIT]})
    inbound = Talk("tcp", packets.http("server.internal.example"), 80, source=GIT, destination=CLIENT)
    assert packets.capture([inbound])[0].by == "client"
    rules = list(ordered(plan.objects).rules)
    (heard,) = replay([inbound], rules, PRIVATE_IPV4, tmp_path / "right")
    assert heard.verdict == "block"
    careless = [rule.replace("flow:to_server; ", "") if rule.startswith("pass tcp") else rule for rule in rules]
    assert careless != rules
    (heard,) = replay([inbound], careless, PRIVATE_IPV4, tmp_path / "wrong")
    assert heard.verdict == "allow"


def test_an_allowed_flow_is_logged_once_on_request_however_many_packets_it_has(tmp_path: Path) -> None:
    talks = [
        Talk("tcp", packets.ssh(), 22, destination=GIT),
        Talk("udp", packets.ntp() * 5, 123, destination="203.0.113.64"),
    ]
    for wanted in (False, True):
        plan = planned(addresses=ADDRESSES, log_allowed=wanted)
        heard = judge(plan, talks, tmp_path / str(wanted))
        assert [each.verdict for each in heard] == ["allow", "allow"]
        events = [loads(line) for line in (tmp_path / str(wanted) / "stage-0" / "eve.json").read_text().splitlines()]
        counted = Counter(event["alert"]["signature"] for event in events)
        names = ("hostgate acme/by-address git", "hostgate acme/by-address clock")
        assert counted == (dict.fromkeys(names, 1) if wanted else {})


def test_addresses_of_both_families_are_passed_to_clients_of_both(tmp_path: Path) -> None:
    home = ["10.0.0.0/8", "fd00::/8"]
    plan = planned(addresses={**ADDRESSES, "git": [GIT, f"{GIT_6}/128"]}, home_net=home)
    fates = {
        Flow("git.vendor.example", 22, "tcp", address=GIT_6, source=CLIENT_6): "allow",
        Flow("git.vendor.example", 22, "tcp", address="2001:db8::23", source=CLIENT_6): "block",
        Flow("git.vendor.example", 22, "tcp", address=GIT, source=CLIENT): "allow",
    }
    talks = [Talk("tcp", packets.ssh(), 22, flow.source or "", flow.address or "") for flow in fates]
    assert [each.verdict for each in judge(plan, talks, tmp_path)] == list(fates.values())
    assert [plan.verdict(flow).action for flow in fates] == list(fates.values())


def test_only_the_clients_of_from_reach_the_addresses(tmp_path: Path) -> None:
    plan = planned(addresses=ADDRESSES, from_=["10.1.0.0/16"])
    fates = {"10.1.2.3": "allow", "10.2.0.9": "block"}
    talks = [Talk("tcp", packets.ssh(), 22, source, GIT) for source in fates]
    assert [each.verdict for each in judge(plan, talks, tmp_path)] == list(fates.values())
    flows = [Flow("git.vendor.example", 22, "tcp", address=GIT, source=source) for source in fates]
    assert [plan.verdict(flow).action for flow in flows] == list(fates.values())


def test_audit_logs_what_the_addresses_do_not_hold(tmp_path: Path) -> None:
    plan = planned(addresses=ADDRESSES, mode="audit", reject=True)
    talks = [Talk("udp", packets.quic(), 443, destination=to) for to in (RELAY, "203.0.113.91")]
    allowed, other = judge(plan, talks, tmp_path)
    assert (allowed.verdict, other.verdict) == ("allow", "allow")
    assert (bool(allowed.alert_sids), bool(other.alert_sids)) == (False, True)


def test_a_set_that_is_kept_elsewhere_decides_and_the_plan_says_that_it_cannot_know(tmp_path: Path) -> None:
    plan = planned(ip_sets=LISTS, addresses={"relay": [RELAY]})
    listed, unlisted = Flow("git.vendor.example", 22, "tcp", address="203.0.113.200"), Flow("x", 22, "tcp", address=GIT)
    talks = [Talk("tcp", packets.ssh(), 22, destination=flow.address or "") for flow in (listed, unlisted)]
    assert [each.verdict for each in judge(plan, talks, tmp_path)] == ["allow", "block"]
    for flow in (listed, unlisted):
        verdict = plan.verdict(flow)
        assert (verdict.action, verdict.lacks[0]) == ("unknown", f"its address is in {LISTS['git']}")
    assert plan.verdict(Flow("x", 2222, "tcp", address=GIT)).action == "block"


@pytest.mark.parametrize("log_allowed", [False, True])
def test_what_a_pool_has_of_a_host_is_a_set_of_the_engine_that_passes_its_addresses_at_its_port(
    tmp_path: Path, log_allowed: bool
) -> None:
    names = ("git.vendor.example", "relay.vendor.example")
    held = {names[0]: [GIT, GIT_6], names[1]: [RELAY, GIT]}
    at = 1_795_860_000
    pool = AddressPool(
        {host: PoolHost(host, 86_400, tuple(PoolAddress(each, at, (("here", at),)) for each in addresses))
         for host, addresses in held.items()}
    )  # fmt: skip
    hosts = hostgate.select("by-address.yaml", base=Path(__file__).parent, ids=["git", "relay"])
    plan = hostgate.plan(hosts, "aws:rules", pool=pool, home_net=["10.0.0.0/8", "fd00::/8"], log_allowed=log_allowed)
    assert ordered(plan.objects).sets.count("E_") == 2
    said = {"tcp": packets.ssh(), "udp": packets.quic()}
    fates: dict[tuple[FlowProtocol, str, int], str] = {
        (protocol, address, port): "allow" if address in addresses and port == right else "block"
        for protocol, right, addresses in (("tcp", 22, held[names[0]]), ("udp", 443, held[names[1]]))
        for address in (GIT, GIT_6, RELAY, "203.0.113.23", "2001:db8::23")
        for port in (right, right + 1)
    }
    talks, flows = [], []
    for protocol, address, port in fates:
        client = CLIENT_6 if ":" in address else CLIENT
        transport: Transport = "udp" if protocol == "udp" else "tcp"
        talks.append(Talk(transport, said[transport], port, client, address))
        flows.append(Flow("stranger.example", port, protocol, address=address, source=client))
    assert [each.verdict for each in judge(plan, talks, tmp_path)] == list(fates.values())
    assert [plan.verdict(flow).action for flow in flows] == list(fates.values())


def test_a_name_rule_with_a_destination_allows_only_where_both_match(tmp_path: Path) -> None:
    (rule,) = (
        rule
        for rule in ordered(hostgate.plan(
            hostgate.select("catalog.yaml", base=Path(__file__).parent, ids=["registry"]), "aws:rules", deny="none"
        ).objects).rules
        if rule.startswith("pass tls")
    )  # fmt: skip
    default = ordered(planned(addresses=ADDRESSES).objects).rules[-5:]
    narrow = rule.replace("$EXTERNAL_NET", f"{GIT}/32")
    talks = [
        Talk("tcp", packets.named(name), 443, destination=to)
        for name in ("cgr.dev", "other.example")
        for to in (GIT, RELAY)
    ]
    heard = replay(talks, [narrow, *default], PRIVATE_IPV4, tmp_path)
    assert [each.verdict for each in heard] == ["allow", "block", "block", "block"]
