"""Witnesses on Suricata: what reach says is open gets out there, what it says is closed does not; and connections that are
tried one by one at rule sets of others get out by no rule that is not beyond."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

import hostgate
from dataplane.aws import packets
from dataplane.aws.differential import Client, RuleSet, clients, rule_sets, snapshot_of
from dataplane.aws.hellos import forged_hello
from dataplane.aws.packets import Said, Talk, Transport
from dataplane.aws.stages import ordered
from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import internet, networks
from hostgate.flows.flow import Flow
from hostgate.flows.reach import reach
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.flows.witnesses import Witness, extract
from hostgate.planning.needs import needs_of, points_of

LONG = int(os.environ.get("HOSTGATE_ORACLE_STACKS", "150")) > 150
SETS = 2_000 if LONG else 40
REPLAYED = 60 if LONG else 5
NEEDS = needs_of([Entry(catalog="a/b", id="registry", host="cgr.dev", match="exact", port=443, protocol="https")])


def talk_of(flow: Flow) -> Talk | None:
    """The packets of a flow; None for what is not made here."""
    said: tuple[Said, ...]
    transport: Transport
    match flow.protocol:
        case "https":
            transport, said = "tcp", packets.tls(forged_hello([flow.sni])) if flow.sni else packets.named(None)
        case "http" if flow.sni:
            transport, said = "tcp", packets.http(flow.sni)
        case "tcp":
            transport, said = "tcp", packets.raw()
        case "udp":
            transport, said = "udp", packets.alone(b"\x00\x01")
        case "quic":
            transport, said = "udp", packets.quic()
        case "icmp" | "icmpv6":
            transport, said = "icmp", packets.alone()
        case "gre" | "253":
            transport, said = "other", packets.alone()
        case _:
            return None
    if flow.port == 0 and transport in ("tcp", "udp"):
        return None
    number = {"protocol": flow.number} if transport in ("icmp", "other") else {}
    return Talk(transport, said, flow.port, str(flow.source), str(flow.address), **number)


def replayable(witnesses: Iterable[Witness], most: int) -> Iterator[Client]:
    """A client of each kind of them, as far as packets are made here."""
    told = ((each, talk_of(each.flow)) for each in witnesses if each.verdict.action != "unknown")
    yield from islice((Client(each.flow, talk) for each, talk in told if talk is not None), most)


def wrong(rules: RuleSet, place: Place, found: list[Client], folder: Path) -> list[str]:
    fates = rules.replay([each.talk for each in found], folder)
    return [
        f"{client.flow}: {said}, and Suricata: {fate}"
        for client, fate in zip(found, fates, strict=True)
        for said in [decide(place, client.flow)]
        if fate in ("allow", "block") and said.action not in (fate, "unknown")
    ]


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
def test_witnesses_of_the_reference_plan_are_what_suricata_does(target: str, tmp_path: Path) -> None:
    plan = hostgate.plan(hostgate.select("chainguard/images@2024-03-28", allow_empty=False), target, {})
    witnesses = extract(*points_of(plan)[0]).witnesses
    found = list(replayable(witnesses, 400))
    assert len(found) > 10
    rules = RuleSet("own", "strict", ordered(plan.objects), snapshot_of(plan.objects))
    assert wrong(rules, plan.place, found, tmp_path) == []


@pytest.mark.usefixtures("suricata")
def test_witnesses_of_rules_of_others_are_what_suricata_does(tmp_path: Path) -> None:
    for at, rules in enumerate(islice(rule_sets(Random(7)), REPLAYED)):
        found = list(replayable(extract(rules.place, NEEDS).witnesses, 60))
        assert wrong(rules, rules.place, found, tmp_path / str(at)) == [], rules.rules.rules


def test_no_connection_gets_out_by_a_rule_that_is_not_beyond() -> None:
    random, opened = Random(3), 0
    for rules in islice(rule_sets(random), SETS):
        place = rules.place
        found = reach(place, NEEDS)
        beyond = {each.rule for each in found.beyond}
        for flow in (each.flow for each in clients(random, 30)):
            there = "IPv6" if flow.family == 6 else "IPv4"
            inside = place.inside.holds(networks([str(flow.source)]), there) or not place.inside.of(there)  # type: ignore[arg-type]
            outside = internet().less(place.inside).holds(networks([str(flow.address)]), there)  # type: ignore[arg-type]
            said = decide(place, flow)
            needed = flow.name.lower().removesuffix(".") == "cgr.dev" and flow.port == 443
            if said.action == "allow" and inside and outside and not needed:
                opened += 1
                assert (said.rule or "") in beyond, f"{flow}: {said}, and beyond: {beyond}\n{rules.rules.rules}"
    assert opened > SETS
