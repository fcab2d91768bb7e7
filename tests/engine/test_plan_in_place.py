"""A plan against what stands: put in its place, it leads to what the engine's own preview of it leads to, for every flow."""

import json
import os
from datetime import date
from pathlib import Path

import pytest

from engine.lab import Lab, real_engine, well
from engine.pairs import Pair
from engine.test_pairs import deployable, planned
from hostgate.cli.sides import Side, _read, places_of
from hostgate.flows.comparison import PlaceComparison, compare_all
from hostgate.review.plan_changes import diff
from hostgate.review.put_in import put_in
from hostgate.review.statement import locked

pytestmark = real_engine

NUMBERS = range(int(os.environ.get("HOSTGATE_PAIRS_ENGINE", "1")))


def written(lab: Lab, name: str, *words: str) -> Side:
    """What the engine writes, as a side of a comparison."""
    output = well(lab.pulumi(*words)).output
    document = json.JSONDecoder().raw_decode(output[output.index("{") :])[0]
    (lab.project / name).write_text(json.dumps(document))
    return _read(str(lab.project / name), date(2026, 11, 28), "dev")


def differences(lab: Lab, drawn: Pair) -> list[PlaceComparison] | None:
    """Places where the plan of the new side, put in what stands of the old one, and its preview differ; None where the new
    side makes no plans, or no update leads there."""
    planned(lab, drawn.old)
    well(lab.pulumi("up", "--yes", "--skip-preview"))
    state = written(lab, "state.json", "stack", "export")
    if not planned(lab, drawn.new):
        return None
    if not lab.pulumi("preview").ok:
        return None
    after = written(lab, "after.json", "preview", "--json", "--show-sames")
    (lab.project / "plan.json").write_text(locked(lab.plans().values()))
    plan = _read(str(lab.project / "plan.json"), date(2026, 11, 28), "dev")
    assert state.snapshot is not None
    whole = {(each.target, each.name): each for part in plan.statements for each in part.apart}
    changes = [
        (each.base, each.head and whole[each.head.target, each.head.name])
        for each in diff(state.statements, plan.statements)
        if each.base is not None
    ]
    found = compare_all(places_of(put_in(state.snapshot, changes)), after.standing)
    return [each for each in found if each.before is None or each.after is None or each.changes]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_plan_in_the_place_of_what_stands_is_what_its_preview_leads_to(tmp_path: Path, number: int) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    drawn = deployable(number, lab)
    found = differences(lab, drawn)
    old = drawn.old.layers
    # A layer of which nothing stands is told by itself, and a policy of another name is another one to its cloud.
    new = {
        name for name, each in drawn.new.layers.items() if name not in old or old[name].get("name") != each.get("name")
    }
    told = [
        f"{each.place.target} {each.place.name}: {[(c.kind, c.flow, c.before, c.after) for c in each.changes][:3]}"
        for each in found or ()
        if each.changes or not new
    ]
    assert not told, "\n".join([str(drawn), *told])
