"""Stack files changed at random: each change ends well, with no wrong moment on the way, or is refused before it begins.

A moment is wrong that opens what neither stack file opens, or cuts what both allow. A change that no single update can
make right is stopped by the guard `one-update` of the review. `make lifecycle` tries 300 pairs on
the stand-in and 40 on the real engine; the other runs try the first few of the same.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest

from engine.lab import Lab, real_engine
from engine.moments import Update, violations
from engine.pairs import Pair, Side, flows, owners, pair
from engine.stand_in import StandIn
from hostgate.catalog.problems import InputError
from hostgate.planning.plan import Plan
from hostgate.review.guards import Guards, tripped
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state
from hostgate.sandbox.lifecycle import Refusal
from hostgate.sandbox.preview_problems import PreviewError

MODELLED = int(os.environ.get("HOSTGATE_PAIRS", "40"))
DEPLOYED = int(os.environ.get("HOSTGATE_PAIRS_ENGINE", "1"))


def deployable(number: int, lab: Lab) -> Pair:
    """The first pair of this number whose old side makes plans; the lab is where it is to be deployed."""
    for attempt in count():
        drawn = pair(number, attempt)
        if planned(lab, drawn.old):
            owners(lab.state, drawn.old.attached)
            return drawn
    raise AssertionError("unreachable")


def planned(lab: Lab, side: Side) -> bool:
    """Write the stack file; whether every plan of it holds."""
    lab.configure(side.clouds, lab.hosts(*side.hosts), *([side.revision] if side.revision else []))
    try:
        return not any(plan.refused for plan in lab.plans().values())
    except InputError:
        return False


def wrong(update: Update, complete: bool) -> list[str]:
    return violations(update, flows([*update.old.values(), *update.new.values()]), complete=complete)


def foretold(before: Mapping[str, Plan], after: Mapping[str, Plan]) -> list[str]:
    """What the guard `one-update` of `hostgate diff` says of the change, so that nobody starts it."""
    changes = diff([state(each) for each in before.values()], [state(each) for each in after.values()])
    return [each.message for each in tripped(Guards(), changes) if each.guard == "one-update"]


def steps(drawn: Pair, lab: Lab) -> Iterator[tuple[str, bool]]:
    """Each side, and whether it makes plans: the first has to go up, the second is refused without a call where it does not."""
    for name, side in (("old", drawn.old), ("new", drawn.new)):
        yield name, planned(lab, side)


def judge(drawn: Pair, what: str, found: list[str], calls: int, refusal: str | None, stopped: Sequence[str]) -> None:
    """Fail for a moment that is wrong, and for a refusal after the first call; who goes on where a guard has `stopped` the
    change may see either, and yet nothing may open."""
    if stopped and not any(" opens " in each for each in found):
        return
    told = [f"{drawn}", f"the {what} one:", *found[:5]]
    if refusal is not None and calls:
        told.append(f"refused after {calls} calls: {refusal[:500]}")
    elif not found:
        return
    pytest.fail("\n".join(told))


@pytest.mark.parametrize("number", range(MODELLED))
def test_a_changed_stack_file_ends_well_or_is_refused_before_the_first_call(tmp_path: Path, number: int) -> None:
    lab = StandIn(tmp_path)
    drawn = deployable(number, lab)
    for what, holds in steps(drawn, lab):
        before, known = lab.state.objects(), len(lab.state.journal())
        old = lab.in_force
        stopped = foretold(old, lab.plans()) if holds and what == "new" else []
        refused: Exception | None = None
        try:
            update = lab.brought_up()
        except (PreviewError, Refusal, InputError) as error:
            refused = error
        if refused is not None:
            done = [call for call in lab.state.journal()[known:] if not call.refusal]
            under_way = Update(before, done, old, lab.plans() if holds else {})
            judge(drawn, what, wrong(under_way, complete=False) if done else [], len(done), str(refused), stopped)
            assert what == "new", f"{drawn}\n{refused}"
            return
        assert holds
        judge(drawn, what, wrong(update, complete=True), 0, None, stopped)


@real_engine
@pytest.mark.parametrize("number", range(DEPLOYED))
def test_so_does_it_on_the_real_engine(tmp_path: Path, number: int) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    drawn = deployable(number, lab)
    for what, holds in steps(drawn, lab):
        plans = lab.plans() if holds else {}
        stopped = foretold(lab.in_force, plans) if holds and what == "new" else []
        ended = lab.pulumi("up", "--yes", "--skip-preview")
        done = [call for call in ended.update.calls if not call.refusal]
        update = Update(ended.update.before, done, lab.in_force, plans)
        refusal = None if ended.ok else ended.output
        judge(drawn, what, wrong(update, complete=ended.ok) if done else [], len(done), refusal, stopped)
        assert ended.ok or what == "new", f"{drawn}\n{ended.output}"
        lab.in_force = plans
