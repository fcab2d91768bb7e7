"""Catalogs and flows made at random: what the plan says of each flow is what Suricata does to it, on both targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conformance.strategies import near_misses
from dataplane.aws import packets
from dataplane.aws.flows import CLIENT, SERVER
from dataplane.aws.hellos import forged_hello
from dataplane.aws.packets import Said, Talk
from dataplane.aws.stages import ordered
from dataplane.aws.test_rule_texts import rule_sets
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance, Selection
from hostgate.flows.flow import Flow, FlowProtocol
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, draft

LISTED = "203.0.113.5"
"""Within the range that every entry by address has."""

PROTOCOLS: tuple[FlowProtocol, ...] = ("https", "http", "tcp", "udp")


def flows_about(entry: Entry) -> Iterator[Flow]:
    for address in (SERVER, LISTED):
        for name in near_misses(entry.host):
            for protocol in ("https", "http"):
                yield Flow(name, entry.port, protocol, address=address, source=CLIENT)  # type: ignore[arg-type]
        for protocol in PROTOCOLS:
            for port in (entry.port, entry.port % 65_535 + 1):
                yield Flow(entry.host, port, protocol, address=address, source=CLIENT)
                yield Flow(entry.host, port, protocol, address=address, source="192.168.7.7")


def said(flow: Flow) -> tuple[Said, ...]:
    match flow.protocol:
        case "https":
            return packets.tls(forged_hello([flow.name]))
        case "http":
            return packets.http(flow.name)
        case "udp":
            return packets.alone(b"\x00\xff" * 20)
        case _:
            return packets.raw()


def expressible(target: str, hosts: Selection, options: Mapping[str, object]) -> Plan:
    """The plan of the entries that the target can hold, widened where a person may accept it."""
    whole = draft(hosts, target, options)
    objections = mechanism(target).objections(hosts.entries, whole.options)
    kept = [entry for entry in hosts.entries if entry.key not in objections or objections[entry.key].widening]
    widened = [
        Acceptance(finding=objection.widening, because="", entry=key[1])
        for key, objection in objections.items()
        if objection.widening
    ]
    return draft(replace(hosts, entries=tuple(kept), allow_empty=True).accepting(widened), target, options)


def disagreements(plan: Plan, flows: Sequence[Flow], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    talks = [Talk(f.transport, said(f), f.port, f.source or "", f.address or "") for f in flows]
    heard = ordered(plan.objects).judge(talks, tmp_path_factory.mktemp("flows"))
    return [
        f"{flow}: {plan.verdict(flow)}, and Suricata: {each.verdict}"
        for flow, each in zip(flows, heard, strict=True)
        if plan.verdict(flow).action != each.verdict
    ]


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
@settings(max_examples=6, phases=[Phase.generate])  # a flow that disagrees is named; fewer would say no more
@given(made=rule_sets(), seed=st.randoms(use_true_random=False))
def test_the_plan_says_of_any_flow_what_suricata_does_to_it(
    target: str,
    tmp_path_factory: pytest.TempPathFactory,
    made: tuple[Selection, Mapping[str, object]],
    seed: Random,
) -> None:
    hosts, options = made
    plan = expressible(target, hosts, options)
    assert not plan.refused
    flows = list(dict.fromkeys(flow for entry in hosts.entries for flow in flows_about(entry)))
    flows = seed.sample(flows, min(80, len(flows)))
    assert disagreements(plan, flows, tmp_path_factory) == []
