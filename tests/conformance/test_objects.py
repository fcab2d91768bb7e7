"""What every mechanism renders: the same bytes for the same input, within every limit, nothing twice, nothing empty."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.bodies import count, empty_places
from conformance.catalogs import EVERY, FORMATS, entry, many, selection
from conformance.strategies import LONGEST, catalogs
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import select
from hostgate.planning.findings import KINDS
from hostgate.planning.limits import Limit
from hostgate.planning.mechanism import mechanism
from hostgate.planning.options import OptionsError, read_options
from hostgate.planning.plan import Plan, draft, plan

every_target = pytest.mark.parametrize("target", EVERY)
ROOT = Path(__file__).resolve().parents[2]


def expressible(target: str, drawn: Sequence[Entry], **options: Any) -> Plan:
    """The plan of those of `drawn` that the mechanism has no objection to, with those of `options` that it takes."""
    options = {key: value for key, value in options.items() if _takes(target, key, value)}
    whole = draft(selection(drawn), target, options)
    objections = mechanism(target).objections([decision.entry for decision in whole.decisions], whole.options)
    return draft(selection([each for each in drawn if each.key not in objections]), target, options)


def _takes(target: str, key: str, value: object) -> bool:
    try:
        return bool(read_options(mechanism(target).options, {key: value}, target))
    except OptionsError:
        return False


@every_target
@pytest.mark.parametrize("mode", ["enforce", "audit"])
@given(drawn=catalogs(), deny=st.sampled_from(["declared", "internet", "all"]))
def test_no_object_is_over_a_limit_and_nothing_is_there_twice(
    target: str, mode: str, drawn: list[Entry], deny: str
) -> None:
    made = expressible(target, drawn, deny=deny, mode=mode)
    counted = count(made.objects)
    assert counted.over == []
    assert counted.repeated == {}


@every_target
@pytest.mark.parametrize("mode", ["enforce", "audit"])
@given(drawn=catalogs(), deny=st.sampled_from(["declared", "internet", "all"]))
def test_no_rule_with_an_empty_match_is_rendered(target: str, mode: str, drawn: list[Entry], deny: str) -> None:
    made = expressible(target, drawn, deny=deny, mode=mode)
    nothing_allowed = all(decision.outcome != "allowed" for decision in made.decisions)
    for each in made.objects:
        places = [place for place in empty_places(dict(each.body)) if not place.endswith("RuleGroupReferences")]
        assert places == [], f"{each.name}: {places}"
        assert each.text is None or each.text.strip()
        assert nothing_allowed or list(empty_places(dict(each.body))) == []


@every_target
@given(drawn=catalogs())
def test_names_are_rendered_in_lower_case_without_a_trailing_dot(target: str, drawn: list[Entry]) -> None:
    made = expressible(target, drawn)
    text = json.dumps([each.as_json() for each in made.objects])
    for decision in made.decisions:
        assert f"{decision.entry.host}." not in text.replace("\\\\.", "")
        assert decision.outcome != "allowed" or decision.entry.host in text.replace("\\\\", "")


@every_target
@given(drawn=catalogs(), seed=st.integers(0, 999))
def test_the_order_of_entries_changes_no_byte(target: str, drawn: list[Entry], seed: int) -> None:
    ordered = selection(drawn)
    shuffled = list(drawn)
    random.Random(seed).shuffle(shuffled)
    one, other = draft(ordered, target), draft(replace(ordered, entries=tuple(shuffled)), target)
    assert json.dumps(one.as_json()) == json.dumps(other.as_json())
    assert one.digest == other.digest


@every_target
def test_the_order_of_files_changes_no_byte(target: str, tmp_path: Path) -> None:
    for name, host in (("a", "one.acme.example"), ("b", "two.acme.example")):
        (tmp_path / f"{name}.yaml").write_text(
            f"catalog: acme/{name}\nentries:\n  - {{id: it, host: {host}, port: 443, protocol: https}}\n"
        )
    refs = ["chainguard/images@2026-02-23", "./a.yaml", "./b.yaml"]
    one = plan(select(*refs, base=tmp_path), target)
    other = plan(select(*reversed(refs), base=tmp_path), target)
    assert json.dumps(one.as_json()) == json.dumps(other.as_json())


def test_the_hash_seed_changes_no_byte() -> None:
    program = (
        "import json, hostgate\n"
        "from conformance.catalogs import MADE\n"
        "from hostgate.planning.targets import formats\n"
        "hosts = hostgate.select('chainguard/images@2024-03-28', './examples/ours.yaml')\n"
        "plans = [hostgate.plan(hosts, target, mode='audit') for target in MADE]\n"
        "plans += [hostgate.plan(hosts, each.name) for each in formats()]\n"
        "print(json.dumps([[each.as_json(), [one.text for one in each.objects]] for each in plans]))\n"
    )
    written = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT / 'components'}:{ROOT / 'tests'}"}
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
        )
        written.append(ran.stdout)
    assert written[0] == written[1]
    assert len(json.loads(written[0])) == len({*EVERY, *FORMATS})


@every_target
@given(drawn=catalogs())
def test_every_finding_is_registered_with_its_severity(target: str, drawn: list[Entry]) -> None:
    for one in draft(selection(drawn), target).findings:
        assert one.severity == KINDS[one.id].severity
        assert one.message


@every_target
@given(drawn=catalogs())
def test_the_rule_of_a_decision_is_in_the_objects(target: str, drawn: list[Entry]) -> None:
    made = draft(selection(drawn), target)
    names = {each.name for each in made.objects}
    for decision in made.decisions:
        allowed = decision.outcome == "allowed" and not made.refused
        assert (decision.rule is not None) == allowed
        if decision.rule is not None:
            assert decision.rule.partition("#")[0].partition("/")[0] in names


@every_target
def test_an_empty_plan_still_has_no_empty_rule(target: str) -> None:
    made = plan(selection([]), target)
    counted = count(made.objects)
    assert counted.over == []
    for each in made.objects:
        assert [place for place in empty_places(dict(each.body)) if not place.endswith("References")] == []


@every_target
def test_the_longest_name_and_the_longest_prefix_fit(target: str) -> None:
    prefix = "n" * 30
    made = plan(selection([entry(LONGEST, "e")]), target, name=prefix)
    assert not made.refused
    assert count(made.objects).over == []
    assert all(each.name.startswith(prefix) for each in made.objects)


@every_target
def test_three_thousand_hosts_stay_within_every_limit(target: str) -> None:
    made = plan(selection(many(3_000)), target)
    assert not made.refused
    counted = count(made.objects)
    assert (counted.over, counted.repeated) == ([], {})
    assert all(usage.used <= usage.limit.max for usage in made.limits)


@every_target
def test_a_plan_over_a_limit_is_refused_before_anything_is_made(target: str) -> None:
    made = plan(selection(many(60_000)), target)
    over = [usage for usage in made.limits if usage.exceeded]
    if all(usage.limit.soft for usage in over):
        assert not made.refused
        assert over or count(made.objects).over == []
        assert {usage.limit.quota for usage in over} == {
            word
            for one in made.findings
            if one.id == "over-quota"
            for word in one.message.split()
            if word.startswith("L-")
        }
        return
    assert made.refused
    assert made.objects == ()
    assert all(decision.rule is None for decision in made.decisions)
    assert {one.id for one in made.findings if one.severity == "error"} == {"limit-exceeded"}


@every_target
def test_every_limit_says_where_it_comes_from_and_is_reported(target: str) -> None:
    made = plan(selection([entry()]), target)
    for limit in mechanism(target).limits:
        assert isinstance(limit, Limit)
        assert limit.source
        assert len(limit.date) == 10
    reported = {usage["name"] for usage in made.as_json()["limits"]}
    assert reported == {limit.name for limit in mechanism(target).limits}
