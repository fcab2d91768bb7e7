"""Comparison against connections that are tried one by one, on stacks before and after a rule beside the allowlist comes
that is narrow in some dimensions and hidden in part, and on stacks that are written otherwise."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from random import Random
from typing import Any

import pytest

from flows.test_witnesses import MUTANTS, mutant
from hostgate.aws import evaluate as aws_model
from hostgate.flows import comparison
from hostgate.flows.comparison import Change, compare_all
from hostgate.flows.verdicts import decide
from oracle import azure, gcp, rewritten, widenings
from oracle.compared import FIRST_SEED, STACKS, flow_of, snapshot_of
from oracle.dial import Dial, Resource
from oracle.test_reach import MODELS, dial_of
from oracle.widenings import DIMENSIONS

CLOUDS = ("aws", "gcp", "azure")
LONG = STACKS > 150
EACH = 300 if LONG else 6
"""Widenings in each number of dimensions."""
PLACES: dict[str, Any] = {**MODELS, "aws": aws_model.places}


def asker(cloud: str, where: str, stack: list[Resource]) -> Callable[[Dial], str]:
    """What becomes of connections. No oracle of Network Firewall is here: real Suricata answers for its evaluation, in
    `tests/dataplane`."""
    if cloud != "aws":
        return partial({"gcp": gcp.answer, "azure": azure.answer}[cloud], stack, where)
    place = next(each for each in PLACES["aws"](snapshot_of(stack)) if each.name == where)
    return lambda dial: decide(place, flow_of(dial)).action


def changes(cloud: str, before: list[Resource], after: list[Resource]) -> list[Change]:
    old, new = (PLACES[cloud](snapshot_of(each)) for each in (before, after))
    return [change for place in compare_all(old, new) for change in place.changes]


def disagreements(
    cloud: str, where: str, before: list[Resource], after: list[Resource], found: list[Change]
) -> Iterator[str]:
    """What brute force finds and the comparison does not, and what the comparison has that the oracle does not say."""
    was, is_now = (asker(cloud, where, stack) for stack in (before, after))
    dials = widenings.universe("gcp" if cloud == "gcp" else "azure")
    answers = [(dial, was(dial), is_now(dial)) for dial in dials]
    for kind, became in (("opened", "allow"), ("closed", "block")):
        told = [each for each in found if each.kind == kind]
        met = [dial for dial, old, new in answers if new == became != old]
        if met and not told:
            yield f"{kind}, and nothing is told: {met[0]}"
        for change in told:
            for flow, _ in change.seen:
                if flow.transport not in ("tcp", "udp") or (cloud == "azure" and flow.family == 6):
                    continue
                said = [ask(dial_of(flow)) for ask in (was, is_now)]
                if "unknown" not in said and said != [change.before.action, change.after.action]:
                    yield f"{flow} is {said}, and not {change.before} and {change.after}"


def widened(cloud: str, k: int, number: int) -> Iterator[tuple[int, str, list[Resource], list[Resource]]]:
    choices = list(combinations(DIMENSIONS, k))
    for seed in range(FIRST_SEED, FIRST_SEED + number):
        random = Random(seed * 10 + k)
        narrowed = random.choice(choices)
        made = rewritten.aws(random, narrowed) if cloud == "aws" else widenings.widened(random, cloud, narrowed)  # type: ignore[arg-type]
        yield seed, *made


@pytest.mark.parametrize("k", range(1, 6))
@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_brute_force_finds_opened_or_closed_is_told_and_nothing_else(cloud: str, k: int) -> None:
    opened = 0
    for seed, where, stack, without in widened(cloud, k, EACH):
        found = changes(cloud, without, stack)
        opened += any(each.kind == "opened" for each in found)
        assert next(disagreements(cloud, where, without, stack, found), None) is None, f"seed {seed}, {k} dimensions"
        back = changes(cloud, stack, without)
        assert {each.kind for each in back} == {{"opened": "closed"}[each.kind] for each in found}
    assert opened > EACH // 3


@pytest.mark.parametrize("cloud", CLOUDS)
def test_who_varies_one_dimension_at_a_time_misses_what_is_narrow_in_several(
    cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "Diagram", mutant(*MUTANTS["one dimension at a time"]).Diagram)
    missed = 0
    for _, where, stack, without in widened(cloud, 4, min(EACH, 40)):
        found = changes(cloud, without, stack)
        missed += next(disagreements(cloud, where, without, stack, found), None) is not None
    assert missed > 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_stack_that_is_written_otherwise_reports_nothing(cloud: str) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + (500 if LONG else 25)):
        _, before, after = rewritten.pair(Random(seed), cloud)
        assert changes(cloud, before, after) == [], f"seed {seed}"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_stack_is_like_itself(cloud: str) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + EACH):
        _, stack, _ = rewritten.pair(Random(seed), cloud)
        assert changes(cloud, stack, stack) == []
