"""Google Cloud: `places` and an evaluator that shares no code with it agree on generated stacks."""

from collections import Counter
from random import Random

from hostgate.flows.verdicts import decide
from hostgate.gcp.evaluate import places
from oracle import gcp, stacks_gcp
from oracle.compared import FIRST_SEED, FLOWS, STACKS, flow_of, said, sharing_of, snapshot_of


def test_the_verdicts_are_the_oracles() -> None:
    count = Counter[str]()
    for seed in range(FIRST_SEED, FIRST_SEED + STACKS):
        random = Random(seed)
        stack = stacks_gcp.stack(random)
        standing = {each.name: each for each in places(snapshot_of(stack))}
        for network, dial in stacks_gcp.dials(random, stack, FLOWS):
            theirs = gcp.answer(stack, network, dial)
            ours = decide(standing[network], flow_of(dial), sharing=sharing_of(dial))
            assert ours.action == theirs, f"seed {seed}: {said(stack, network, dial, ours, theirs)}"
            count[theirs] += 1
    total = count.total()
    assert count["allow"] >= 0.3 * total, count
    assert count["block"] >= 0.2 * total, count
    assert count["unknown"] <= 0.2 * total, count
