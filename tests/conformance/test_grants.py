"""Several grants in one plan: each client may use exactly what the grants that name it allow together, and nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.bodies import count
from conformance.catalogs import FED, entry, selection
from conformance.oracle import Need, answer
from conformance.strategies import INTERNET, INTERNET_6, catalogs, flows_about
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.planning.grants import Grant
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.options import Deny
from hostgate.planning.plan import Plan, draft, plan

SEVERAL = [target for target in targets() if mechanism(target).several]
RANGES = (("10.0.0.0/8",), ("10.1.0.0/16",), ("10.1.2.0/24", "192.168.7.0/24"), ("192.168.0.0/16",), ())
APART = (("10.1.0.0/16",), ("10.2.0.0/16", "192.168.40.0/24"), ("192.168.7.0/24",))
CLIENTS = ("10.1.2.3", "10.2.0.9", "10.9.9.9", "192.168.7.7", "192.168.40.1")

every_target = pytest.mark.parametrize("target", SEVERAL)


@st.composite
def grants(draw: st.DrawFn, target: str) -> list[Grant]:
    """One to four grants of what `target` can express; of clients in common, unless it takes none."""
    pool = draw(st.permutations(APART if target == "gcp:url-filter" else RANGES))
    found = []
    for number, clients in enumerate(pool[: draw(st.integers(1, 4))]):
        hosts = _expressible(target, draw(catalogs()))
        found.append(Grant(f"g{number}", selection([*hosts, entry("cgr.dev", "always")]), clients))
    return found


def _fed(target: str, hosts: Iterable[Entry]) -> dict[str, Any]:
    """Addresses by host where the mechanism sees no names, as a pool has them."""
    pool = [INTERNET, "203.0.113.4", INTERNET_6]
    return {"addresses": {each.host: pool for each in hosts}} if target in FED else {}


def _expressible(target: str, drawn: Sequence[Entry]) -> list[Entry]:
    how = mechanism(target)
    objections = how.objections(drawn, how.options(from_=["10.0.0.0/8"], **_fed(target, drawn)))
    return [each for each in drawn if each.key not in objections and (each.host, each.port) != ("cgr.dev", 443)]


def _meant(made: Plan, wanted: Sequence[Grant], flow: Flow) -> str:
    """What the grants of the flow's client mean for it, told from their catalogs."""
    assert flow.source is not None
    client = ip_address(flow.source)
    mine = {g.name for g in wanted if not g.from_ or any(client in ip_network(cidr) for cidr in g.from_)}
    needs = [
        Need(decision.entry, decision.means.sight, (), _given(made, decision.entry), not decision.means.tells_tls)
        for decision in made.decisions
        if decision.outcome == "allowed" and decision.entry.grant in mine and decision.means is not None
    ]
    sights = [means.sight for means in mechanism(made.target).means]
    free = any(one.id == "others-open" for one in made.findings) and all(g.from_ for g in wanted)
    return "may" if free and not mine else answer(needs, flow, sights=sights)


def _given(made: Plan, one: Entry) -> tuple[str, ...]:
    return made.options.dialled(one) if made.target in FED else ()


@every_target
@given(data=st.data(), deny=st.sampled_from(["internet", "all", "declared"]))
def test_a_client_may_use_what_its_grants_allow_together_and_nothing_else(
    target: str, data: st.DataObject, deny: Deny
) -> None:
    wanted = data.draw(grants(target))
    drawn = list({replace(each, grant=""): None for grant in wanted for each in grant.hosts.entries})
    made = draft(wanted, target, deny=deny, **_fed(target, drawn))
    assert not made.refused, [one.message for one in made.findings if one.severity == "error"]
    assert not count(made.objects).repeated
    flows = [each for each in flows_about(drawn) if each.source is None and ":" not in (each.address or "")]
    for number, flow in enumerate(flows):
        for client in (CLIENTS[number % len(CLIENTS)], CLIENTS[(number + 1) % len(CLIENTS)]):
            asked = replace(flow, source=client)
            meant, verdict = _meant(made, wanted, asked), made.verdict(asked)
            assert meant == "may" or verdict.allows == (meant == "must pass"), f"{asked} {meant}: {verdict}"


@every_target
@given(data=st.data())
def test_each_grant_is_told_apart_in_decisions_and_objects_whatever_the_others_are(
    target: str, data: st.DataObject
) -> None:
    wanted = data.draw(grants(target))
    fed = _fed(target, [each for grant in wanted for each in grant.hosts.entries])
    made = draft(wanted, target, **fed)
    for grant in wanted:
        alone = draft(grant.hosts, target, **({"from": list(grant.from_)} if grant.from_ else {}), **fed)
        mine = [decision for decision in made.decisions if decision.entry.grant == grant.name]
        assert [(d.entry.id, d.outcome) for d in mine] == [(d.entry.id, d.outcome) for d in alone.decisions]
        # A plan beyond a limit of its cloud is refused whole, and has no rules.
        assert made.refused or all(decision.rule for decision in mine if decision.outcome == "allowed")
    rules = [decision.rule for decision in made.decisions if decision.rule]
    assert {rule for rule in rules if not any(f"-{grant.name}" in rule for grant in wanted)} == set()


@every_target
def test_an_order_of_the_grants_changes_no_verdict(target: str) -> None:
    hosts = [selection([entry("cgr.dev", "a")]), selection([entry("apk.cgr.dev", "b", port=8443)])]
    if target == "gcp:url-filter":
        hosts[1] = selection([entry("apk.cgr.dev", "b", port=80, protocol="http")])
    wanted = [Grant("builders", hosts[0], ["10.1.0.0/16"]), Grant("nodes", hosts[1], ["10.2.0.0/16"])]
    fed = _fed(target, [*hosts[0].entries, *hosts[1].entries])
    here, there = plan(wanted, target, **fed), plan(wanted[::-1], target, **fed)
    for client in CLIENTS:
        for each in flows_about([*hosts[0].entries, *hosts[1].entries]):
            if each.source is None and each.address is None:
                flow = replace(each, source=client)
                assert here.verdict(flow).action == there.verdict(flow).action, flow


@pytest.mark.parametrize("target", sorted(set(targets()) - set(SEVERAL)))
def test_a_mechanism_that_tells_no_clients_apart_refuses_several_grants_and_names_those_that_take_them(
    target: str,
) -> None:
    hosts = selection([entry()])
    with pytest.raises(InputError, match=r"it tells no clients apart. Found: a, b. Allowed: aws:rules, gcp:fqdn"):
        plan([Grant("a", hosts), Grant("b", hosts)], target)
