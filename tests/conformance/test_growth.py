"""What one more host changes: one object of a kind, and three where an object splits."""

import re
from collections import Counter
from collections.abc import Mapping

import pytest

from conformance.catalogs import EVERY, MADE, entry, many, selection
from hostgate.flows.flow import Flow
from hostgate.planning import sharding
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, plan

every_target = pytest.mark.parametrize("target", EVERY)

splitting_target = pytest.mark.parametrize("target", [each for each in MADE if each != "gcp:url-filter"])
"""Whose objects split. A profile has no cap that anybody publishes, and is one."""

_SHARD = re.compile(r"-[01]+$")
_HOLDERS = ("FirewallPolicy", "References", "firewallPolicies", "#firewallPolicy")
"""Ends of kinds that list references and hold no host."""


@every_target
@pytest.mark.parametrize("count", [40, 3_000])
def test_one_more_host_changes_one_object_of_a_kind(target: str, count: int) -> None:
    hosts = many(count)
    before = plan(selection(hosts), target)
    after = plan(selection([*hosts, entry("one-more.vendor.example")]), target)
    changed = _changed(before, after)
    assert changed
    assert set(changed.values()) == {1}


@splitting_target
def test_a_split_changes_three_objects_of_a_kind(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharding, "FILL", 0.05)  # so that few hosts are many
    hosts = many(2_000)
    fits, splits = 5, len(hosts)
    whole = _labels(plan(selection(hosts[:fits]), target))
    assert _labels(plan(selection(hosts[:splits]), target)) != whole
    while splits - fits > 1:
        middle = (fits + splits) // 2
        if _labels(plan(selection(hosts[:middle]), target)) == whole:
            fits = middle
        else:
            splits = middle
    before, after = plan(selection(hosts[:fits]), target), plan(selection(hosts[:splits]), target)
    assert not after.refused
    changed = _changed(before, after)
    assert max(changed.values()) == 3
    assert set(changed.values()) <= {1, 3}


@every_target
def test_removing_a_host_undoes_what_adding_it_did(target: str) -> None:
    hosts = many(300)
    before = plan(selection(hosts), target)
    plan(selection([*hosts, entry("one-more.vendor.example")]), target)
    assert plan(selection(hosts), target).digest == before.digest


def _labels(made: Plan) -> set[str]:
    return {each.name for each in made.objects}


def _kinds(made: Plan) -> Mapping[str, int]:
    return Counter(_SHARD.sub("", each.name) for each in made.objects)


def _changed(before: Plan, after: Plan) -> Mapping[str, int]:
    """How many objects of each kind of slot (the name without its shard) differ, holders of references aside."""
    old = {each.name: each for each in before.objects if not each.kind.endswith(_HOLDERS)}
    new = {each.name: each for each in after.objects if not each.kind.endswith(_HOLDERS)}
    return Counter(_SHARD.sub("", name) for name in old.keys() | new.keys() if old.get(name) != new.get(name))


@splitting_target
@pytest.mark.parametrize(("mode", "deny"), [("enforce", "internet"), ("enforce", "all"), ("audit", "internet")])
def test_a_plan_in_many_objects_decides_as_one_would(
    target: str, mode: str, deny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = [*many(400), *(entry(f"tls-{port}.vendor.example", port=port) for port in range(8_000, 8_006))]
    for fill in (0.005, 0.01, 0.04, 0.1):  # the smallest objects that are not too many
        monkeypatch.setattr(sharding, "FILL", fill)
        made = plan(selection(hosts), target, mode=mode, deny=deny)
        if not made.refused:
            break
    assert not made.refused
    assert max(_kinds(made).values()) > 1
    for decision in made.decisions:
        verdict = made.verdict(Flow(decision.entry.host, decision.entry.port))
        assert verdict.allows
        assert verdict.rule == decision.rule
    assert made.verdict(Flow("other.vendor.example")).allows == (mode == "audit")
    sees_ports = {means.sight for means in mechanism(target).means} != {"query-name"}
    assert made.verdict(Flow(hosts[0].host, 8_005)).allows == (mode == "audit" or not sees_ports)
