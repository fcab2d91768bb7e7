"""Azure: `places` and an evaluator that shares no code with it agree on generated stacks."""

from collections import Counter
from random import Random

from hostgate.azure.evaluate import places
from hostgate.flows.verdicts import decide
from oracle import azure, stacks_azure
from oracle.compared import FIRST_SEED, FLOWS, STACKS, flow_of, said, sharing_of, snapshot_of


def test_the_verdicts_are_the_oracles() -> None:
    count = Counter[str]()
    for seed in range(FIRST_SEED, FIRST_SEED + STACKS):
        random = Random(seed)
        holder, stack = stacks_azure.stack(random)
        standing = next(each for each in places(snapshot_of(stack)) if each.name == holder)
        for dial in stacks_azure.dials(random, FLOWS):
            if (
                ":" in dial.address
            ):  # what rules do over IPv6 is not verified anywhere: ours has it that they allow none
                continue
            theirs = azure.answer(stack, holder, dial)
            ours = decide(standing, flow_of(dial), sharing=sharing_of(dial))
            assert ours.action == theirs, f"seed {seed}: {said(stack, holder, dial, ours, theirs)}"
            count[theirs] += 1
    total = count.total()
    assert count["allow"] >= 0.3 * total, count
    assert count["block"] >= 0.2 * total, count
    assert count["unknown"] <= 0.2 * total, count
