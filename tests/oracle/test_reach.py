"""Reach against connections that are tried one by one, on stacks with a rule beside the allowlist that is narrow in some
dimensions and hidden in part; the verdicts are those of evaluators that share no code with it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import pytest

from flows.test_witnesses import MUTANTS, mutant
from hostgate.azure import evaluate as azure_model
from hostgate.catalog.model import Entry
from hostgate.flows import reach as reach_module
from hostgate.flows.flow import Flow
from hostgate.flows.name_classes import Need
from hostgate.flows.reach import Reach, reach
from hostgate.flows.verdicts import decide
from hostgate.flows.witnesses import Witness, extract
from hostgate.gcp import evaluate as gcp_model
from hostgate.planning.needs import needs_of
from oracle import azure, gcp, stacks_azure, stacks_gcp, widenings
from oracle.compared import FIRST_SEED, STACKS, flow_of, snapshot_of
from oracle.dial import Dial, Resource
from oracle.widenings import DIMENSIONS, Cloud

ORACLES = {"gcp": gcp.answer, "azure": azure.answer}
MODELS: dict[str, Any] = {"gcp": gcp_model.places, "azure": azure_model.places}
CLOUDS: tuple[Cloud, ...] = ("gcp", "azure")
LONG = STACKS > 150
EACH = 300 if LONG else 8
"""Widenings in each number of dimensions."""

ENTRY = Entry(catalog="acme/pull", id="registry", host=widenings.HOST, match="exact", port=443, protocol="https")
NEEDS = needs_of([ENTRY])
PUBLIC = "203.9.113.7"
"""For an address of documentation, which an oracle takes for none of the internet."""


def place_of(cloud: Cloud, where: str, stack: list[Resource]) -> Any:
    return next(each for each in MODELS[cloud](snapshot_of(stack)) if each.name == where)


def dial_of(flow: Flow, client: Witness | None = None) -> Dial:
    """The flow as an oracle sees it, of a client that is known by its account where it has one."""
    source = flow.source or ""
    for each in sorted(client.client.identities or ()) if client else ():
        if each.startswith("account:"):
            source = f"account:{each.removeprefix('account:')}"
    speaks: Any = {"https": "tls", "http": "http", "quic": "quic"}.get(flow.protocol, "other")
    address, transport = str(flow.address).replace("203.0.113.7", PUBLIC), flow.transport
    return Dial(flow.name, address, source, transport, flow.port, speaks, flow.wire_name, {flow.name: (address,)})  # type: ignore[arg-type]


def disagreements(
    cloud: Cloud, where: str, stack: list[Resource], without: list[Resource], found: Reach
) -> Iterator[str]:
    """What brute force with the oracle finds and `found` does not, and what `found` has that the oracle does not say."""
    ask = ORACLES[cloud]
    open_, by_rule = [], []
    closed: dict[str, set[str]] = {}
    for dial in widenings.universe(cloud):
        said = ask(stack, where, dial)
        if widenings.is_needed(dial):
            if dial.carries and dial.speaks == "tls":
                closed.setdefault(dial.address, set()).add(said)
        elif said == "allow":
            open_.append(dial)
            if ask(without, where, dial) == "block":
                by_rule.append(dial)
    if open_ and not found.beyond:
        yield f"open, and nothing is beyond: {open_[0]}"
    wide = "r900", "r1500", "team/wide/wide"
    if by_rule and not any(each.rule.endswith(wide) for each in found.beyond):
        yield f"{[each.rule for each in found.beyond]} are not what opens {by_rule[0]}"
    if not open_ and found.beyond:
        yield f"beyond, and no connection gets out: {found.beyond[0]}"
    all_closed = any(answers == {"block"} for answers in closed.values())
    if all_closed and not found.missing:
        yield f"the host is closed and not missing: {closed}"


def told_alike(cloud: Cloud, where: str, stack: list[Resource], witnesses: tuple[Witness, ...]) -> Iterator[str]:
    """Witnesses of which the oracle says something else."""
    for each in witnesses:
        if each.flow.transport not in ("tcp", "udp") or (cloud == "azure" and each.flow.family == 6):
            continue
        if len([one for one in each.client.identities or () if not one.endswith(":nobody")]) > 1:
            continue  # an oracle knows a client by one thing
        if "Mssql" in str(each.verdict.lacks):
            continue  # whether TLS is taken for it, the oracle believes to know
        tagged = [one for one in each.client.identities or () if one.startswith("tag:")]
        if tagged:
            continue
        by_address = dial_of(each.flow)
        said = ORACLES[cloud](stack, where, dial_of(each.flow, each))
        alike = {said, ORACLES[cloud](stack, where, by_address)}
        if each.verdict.action not in alike and "unknown" not in alike:
            yield f"{each.flow} of {each.client}: {each.verdict}, and the oracle: {alike}"


def widened(cloud: Cloud, k: int, count: int) -> Iterator[tuple[int, str, list[Resource], list[Resource]]]:
    choices = list(combinations(DIMENSIONS, k))
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        random = Random(seed * 10 + k)
        yield seed, *widenings.widened(random, cloud, random.choice(choices))


@pytest.mark.parametrize("k", range(1, 6))
@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_brute_force_finds_open_is_beyond_and_nothing_else(cloud: Cloud, k: int) -> None:
    opened = 0
    for seed, where, stack, without in widened(cloud, k, EACH):
        found = reach(place_of(cloud, where, stack), NEEDS)
        opened += bool(found.beyond)
        assert next(disagreements(cloud, where, stack, without, found), None) is None, f"seed {seed}, {k} dimensions"
    assert opened > EACH // 3


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_oracle_says_of_each_witness_what_it_says_of_itself(cloud: Cloud) -> None:
    for seed, where, stack, _ in widened(cloud, 3, EACH):
        found = extract(place_of(cloud, where, stack), NEEDS).witnesses
        assert next(told_alike(cloud, where, stack, found), None) is None, f"seed {seed}"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_who_varies_one_dimension_at_a_time_misses_what_is_narrow_in_several(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach_module, "extract", mutant(*MUTANTS["one dimension at a time"]).extract)
    missed = 0
    for _, where, stack, without in widened(cloud, 4, min(EACH, 40)):
        found = reach(place_of(cloud, where, stack), NEEDS)
        missed += next(disagreements(cloud, where, stack, without, found), None) is not None
    assert missed > 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_change_that_opens_and_closes_nothing_reports_nothing(cloud: Cloud) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + (500 if LONG else 12)):
        where, stack = widenings.harmless(Random(seed), cloud)
        found = reach(place_of(cloud, where, stack), NEEDS)
        assert (found.beyond, found.missing, found.unknown) == ((), (), ()), f"seed {seed}"


NAMED = ("cgr.dev", "data.cgr.dev", "quay.io", "time.vendor.example")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_on_any_stack_witnesses_are_the_oracles_and_every_opening_that_is_met_is_beyond(cloud: Cloud) -> None:
    wanted = needs_of(replace(ENTRY, id=host, host=host) for host in NAMED)
    for seed in range(FIRST_SEED, FIRST_SEED + (STACKS if LONG else 15)):
        random = Random(seed)
        if cloud == "gcp":
            stack = stacks_gcp.stack(random)
            asked = stacks_gcp.dials(random, stack, 12)
        else:
            holder, stack = stacks_azure.stack(random)
            asked = [(holder, each) for each in stacks_azure.dials(random, 12)]
        for where in {where for where, _ in asked}:
            here = place_of(cloud, where, stack)
            found = reach(here, wanted)
            witnesses = extract(here, wanted).witnesses
            assert next(told_alike(cloud, where, stack, witnesses), None) is None, f"seed {seed}"
            for dial in (dial for at, dial in asked if at == where):
                miss = _missed(cloud, here, where, stack, dial, found, wanted)
                assert miss is None, f"seed {seed}: {miss}"


def _missed(
    cloud: Cloud, here: Any, where: str, stack: list[Resource], dial: Dial, found: Reach, wanted: list[Need]
) -> str | None:
    """What is wrong if the connection gets out, as itself and not by an address that it shares."""
    alone = Dial(dial.name, dial.address, dial.source, dial.transport, dial.port, dial.speaks, dial.carries,
                 {dial.name: (dial.address,)})  # fmt: skip
    inside = dial.address.startswith(("10.", "192.168.", "169.254.", "fd"))
    lies = dial.carries is not None and dial.carries != dial.name
    if inside or lies or (cloud == "azure" and ":" in dial.address) or ORACLES[cloud](stack, where, alone) != "allow":
        return None
    if any(need.box.dialled and need.box.dialled[0].holds(dial.name) and dial.port == 443 and dial.transport == "tcp"
           for need in wanted):  # fmt: skip
        return None
    rules = {each.rule for each in found.beyond}
    by = decide(here, flow_of(alone)).rule
    return None if (by or "") in rules else f"{dial} gets out by {by}, and beyond are {rules}"
