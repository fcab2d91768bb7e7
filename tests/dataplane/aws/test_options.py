"""Options seen from the wire: clients, HOME_NET, deny, audit; each plan agrees with Suricata on the same flows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import hostgate
from dataplane.aws import packets
from dataplane.aws.flows import CLIENT, SERVER, Fate
from dataplane.aws.packets import Said, Talk
from dataplane.aws.policy_default import FIRST_SID
from dataplane.aws.replay import Heard
from dataplane.aws.stages import Ordered, ordered
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan

OTHER_CLIENT, SPOKE, CLIENT_6, SERVER_6 = "10.2.0.9", "192.168.40.1", "fd00::5", "2001:db8::7"


@dataclass(frozen=True, slots=True)
class Stack:
    """Options of a plan, and what becomes of flows under it: TLS hellos, and datagrams that no list is about."""

    title: str
    target: str
    options: Mapping[str, Any]
    fates: Mapping[Flow, Fate] = field(hash=False)


def _tls(name: str, source: str = CLIENT, to: str = SERVER, port: int = 443) -> Flow:
    return Flow(name=name, port=port, source=source, address=to)


def _quic(source: str = CLIENT, to: str = SERVER) -> Flow:
    return Flow(name="example.com", protocol="quic", source=source, address=to)


STACKS = (
    Stack(
        "rules for some clients",
        "aws:rules",
        {"from": ["10.1.0.0/16", "192.168.40.0/24"]},
        {
            _tls("cgr.dev"): "allow",
            _tls("cgr.dev", SPOKE): "allow",
            _tls("cgr.dev", OTHER_CLIENT): "block",
            _tls("cgr.dev", "192.168.41.1"): "block",
            _tls("other.example"): "block",
            _quic(OTHER_CLIENT): "block",
            _tls("git.internal.example", OTHER_CLIENT, "10.9.9.9"): "allow",
        },
    ),
    Stack(
        "rules for one network",
        "aws:rules",
        {"from": ["10.1.2.3/32"]},
        {_tls("cgr.dev"): "allow", _tls("cgr.dev", "10.1.2.4"): "block"},
    ),
    *(
        Stack(
            f"{target} over IPv6",
            target,
            {"homeNet": ["10.0.0.0/8", "fd00::/8"]},
            {
                _tls("cgr.dev", CLIENT_6, SERVER_6): "allow",
                _tls("CGR.dev", CLIENT_6, SERVER_6): "allow",
                _tls("other.example", CLIENT_6, SERVER_6): "block",
                _tls("cgr.dev", CLIENT_6, SERVER_6, 8443): "block",
                _tls("git.internal.example", CLIENT_6, "fd00::9"): "allow",
                _quic(CLIENT_6, SERVER_6): "block",
                _tls("cgr.dev"): "allow",
            },
        )
        for target in ("aws:rules", "aws:domain-list")
    ),
    Stack(
        "HOME_NET of the firewall's own network only",
        "aws:rules",
        {"homeNet": ["10.1.0.0/16"]},
        {
            _tls("cgr.dev"): "allow",
            _tls("cgr.dev", SPOKE): "block",
            _quic(): "block",
            _quic(SPOKE): "block",  # a spoke that is not in HOME_NET reaches no host, and gets no datagram out either
        },
    ),
    *(
        Stack(
            f"{target} without pass for private traffic{', rejecting' if reject else ''}",
            target,
            {"deny": "all", "reject": reject},
            {
                _tls("cgr.dev"): "allow",
                _tls("other.example"): "block",
                _tls("git.internal.example", to="10.9.9.9"): "block",
                _tls("cgr.dev", to="10.9.9.9"): "block",
                _quic(): "block",
                _quic(to="10.9.9.9"): "block",
            },
        )
        for reject in (False, True)
        for target in ("aws:rules", "aws:domain-list")
    ),
    *(
        Stack(
            f"{target} without a deny",
            target,
            {"deny": "none"},
            {
                _tls("cgr.dev"): "allow",
                _tls("other.example"): "allow",
                _tls("cgr.dev", port=8443): "allow",
                _quic(): "allow",
            },
        )
        for target in ("aws:rules", "aws:domain-list")
    ),
)

WOULD_BLOCK: Mapping[Flow, bool] = {
    _tls("cgr.dev"): False,
    _tls("acct.r2.cloudflarestorage.com"): False,
    _tls("git.internal.example", to="10.9.9.9"): False,
    _tls("other.example"): True,
    _tls("cgr.dev", port=8443): True,
    _tls("notcgr.dev"): True,
    _quic(): True,
}
"""What audit lets pass, and whether enforce would have blocked it."""


def planned(target: str, options: Mapping[str, Any]) -> Plan:
    listed = target == "aws:domain-list"
    accept = [
        hostgate.Acceptance(finding="apex-included", entry=entry, because="to see the list judge what it widens")
        for entry in ("storage", "snapshots")
    ]
    hosts = hostgate.select(
        "catalog.yaml",
        base=Path(__file__).parent,
        without=["mirrors", "builds"] if listed else [],
        accept=accept if listed else [],
    )
    return hostgate.plan(hosts, target, options)


def judge(plan: Plan, flows: Mapping[Flow, object], folder: Path) -> tuple[Ordered, dict[Flow, Heard]]:
    policy = ordered(plan.objects)
    return policy, dict(zip(flows, policy.judge([_talk(flow) for flow in flows], folder), strict=True))


def _talk(flow: Flow) -> Talk:
    said: tuple[Said, ...] = packets.quic() if flow.protocol == "quic" else packets.named(flow.name)
    assert flow.source is not None
    assert flow.address is not None
    return Talk(flow.transport, said, flow.port, flow.source, flow.address)


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.title)
def test_suricata_and_the_plan_agree_under_every_option(stack: Stack, tmp_path: Path) -> None:
    plan = planned(stack.target, stack.options)
    _, heard = judge(plan, stack.fates, tmp_path)
    assert {flow: judged.verdict for flow, judged in heard.items()} == stack.fates
    assert {flow: plan.verdict(flow).action for flow in stack.fates} == stack.fates


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
def test_audit_drops_nothing_and_logs_what_enforce_would_block(target: str, tmp_path: Path) -> None:
    plan = planned(target, {"mode": "audit"})
    policy, heard = judge(plan, WOULD_BLOCK, tmp_path)
    assert {judged.verdict for judged in heard.values()} == {"allow"}
    assert {plan.verdict(flow).action for flow in WOULD_BLOCK} == {"allow"}
    passes = {sid for sid, label in policy.labels.items() if "#" in label and "-list" in label}
    logged = {flow: bool(judged.alert_sids - passes) for flow, judged in heard.items()}
    assert logged == WOULD_BLOCK


@pytest.mark.usefixtures("suricata")
def test_what_is_allowed_is_logged_only_on_request(tmp_path: Path) -> None:
    flow = _tls("cgr.dev")
    for wanted in (False, True):
        plan = planned("aws:rules", {"logAllowed": wanted})
        policy, heard = judge(plan, {flow: None}, tmp_path / str(wanted))
        assert {policy.labels[sid] for sid in heard[flow].alert_sids if sid < FIRST_SID} == (
            {plan.verdict(flow).rule} if wanted else set()
        )


@pytest.mark.usefixtures("suricata")
def test_suricata_and_the_plan_agree_on_what_the_clients_of_several_grants_may_use(tmp_path: Path) -> None:
    hosts = {
        name: hostgate.select("catalog.yaml", base=Path(__file__).parent, ids=ids)
        for name, ids in {"builders": ["registry", "cdn", "packages"], "nodes": ["registry", "api-admin"]}.items()
    }
    clients = {"builders": ["10.1.0.0/16", "192.168.40.0/24"], "nodes": ["10.0.0.0/8"]}
    plan = hostgate.plan([hostgate.Grant(name, hosts[name], clients[name]) for name in hosts], "aws:rules")
    fates: dict[Flow, Fate] = {
        _tls("cgr.dev"): "allow",
        _tls("cgr.dev", OTHER_CLIENT): "allow",
        _tls("a.cdn.vendor.example"): "allow",
        _tls("a.cdn.vendor.example", SPOKE): "allow",
        _tls("a.cdn.vendor.example", OTHER_CLIENT): "block",
        _tls("api.vendor.example", port=8443): "allow",  # of nodes, and a builder of 10.1.0.0/16 is one too
        _tls("api.vendor.example", SPOKE, port=8443): "block",
        _tls("api.vendor.example", OTHER_CLIENT, port=8443): "allow",
        _tls("api.vendor.example", OTHER_CLIENT): "block",
        _tls("other.example"): "block",
        _tls("cgr.dev", "192.168.41.1"): "block",
        _quic(OTHER_CLIENT): "block",
    }
    _, heard = judge(plan, fates, tmp_path)
    assert {flow: judged.verdict for flow, judged in heard.items()} == fates
    assert {flow: plan.verdict(flow).action for flow in fates} == fates
