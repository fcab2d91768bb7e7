"""What is not known yet makes a verdict `unknown` or leaves it as it is, whichever values of a stack are taken away."""

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

import pytest

from dataplane.aws import differential
from hostgate.aws.evaluate import places as aws_places
from hostgate.aws.evaluate_queries import places as query_places
from hostgate.azure.evaluate import places as azure_places
from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.gcp.evaluate import places as gcp_places
from oracle import stacks_azure, stacks_gcp, stacks_queries
from oracle.blur import blurred
from oracle.compared import FIRST_SEED, FLOWS, STACKS, flow_of, sharing_of, snapshot_of

Places = Callable[[Snapshot], Iterable[Place]]
Asked = tuple[Flow, frozenset[str]]


def _gcp(random: Random) -> tuple[Snapshot, list[Asked]]:
    stack = stacks_gcp.stack(random)
    dials = [dial for _, dial in stacks_gcp.dials(random, stack, FLOWS)]
    return snapshot_of(stack), [(flow_of(each), sharing_of(each)) for each in dials]


def _azure(random: Random) -> tuple[Snapshot, list[Asked]]:
    _, stack = stacks_azure.stack(random)
    return snapshot_of(stack), [(flow_of(each), sharing_of(each)) for each in stacks_azure.dials(random, FLOWS)]


def _aws(random: Random) -> tuple[Snapshot, list[Asked]]:
    return next(differential.rule_sets(random)).snapshot, [
        (each.flow, frozenset()) for each in differential.clients(random, FLOWS)
    ]


@pytest.mark.parametrize(
    ("made", "places"),
    [(_aws, aws_places), (stacks_queries.stack, query_places), (_gcp, gcp_places), (_azure, azure_places)],
    ids=["aws", "aws queries", "gcp", "azure"],
)
def test_less_is_known_and_nothing_else_is_said(
    made: Callable[[Random], tuple[Snapshot, list[Asked]]], places: Places
) -> None:
    count = Counter[str]()
    changed = 0
    for seed in range(FIRST_SEED, FIRST_SEED + STACKS):
        random = Random(seed)
        snapshot, flows = made(random)
        less, lost = blurred(random, snapshot, random.choice((1, 1, 2, 4)))
        known = {each.name: each for each in places(snapshot)}
        for place in places(less):
            whole = known.get(place.name)
            for flow, sharing in flows if whole is not None else ():
                assert whole is not None
                said, before = decide(place, flow, sharing=sharing), decide(whole, flow, sharing=sharing)
                count[said.action] += 1
                changed += said.action != before.action
                assert said.action in ("unknown", before.action), (
                    f"seed {seed}: {lost}\n{flow} at {place.name}\nbefore: {before}\nnow: {said}"
                )
    assert changed > 0.01 * count.total(), count
    assert count["allow"] > 0.1 * count.total(), count
    assert count["block"] > 0.1 * count.total(), count
