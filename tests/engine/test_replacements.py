"""Updates on AWS that need more than one call: capacity outgrown, another mechanism, lists with their guard, drift."""

from pathlib import Path

import pytest

from engine.lab import AWS, Lab, real_engine, well
from hostgate.aws.resources_firewall import RULE_GROUP
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.service import Service

pytestmark = real_engine

LISTS = {"mechanism": "domain-list"}
EVIL = 'pass tls any any -> any any (msg:"by hand"; tls.sni; content:"evil.example"; sid:1;)\n'


def many(count: int) -> list[str]:
    return [f"host{number}.acme.example" for number in range(count)]


class Changes:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        lab.configure({"aws": AWS}, lab.hosts(*many(70)))
        self.first = lab.up()
        lab.hosts(*many(71))
        self.outgrown = lab.up()
        allow = next(held for held in lab.state.objects(RULE_GROUP) if "allow" in held.name)
        drifted = {**allow.inputs, "ruleGroup": {**allow.inputs["ruleGroup"], "rulesSource": {"rulesString": EVIL}}}
        Service(lab.state).update(RULE_GROUP, allow.id, drifted)
        self.while_drifted = points(lab.state.objects())[0].verdict(Flow("evil.example"))
        self.unaware = lab.pulumi("preview", "--expect-no-changes")
        self.refreshed = lab.pulumi("refresh", "--yes", "--skip-preview")
        self.repaired = lab.pulumi("up", "--yes", "--skip-preview")
        self.after_repair = points(lab.state.objects())[0].verdict(Flow("evil.example"))
        lab.configure({"aws": LISTS}, "./ours.yaml")
        self.to_lists = lab.up()
        lab.hosts(*many(70), "late.acme.example", "port.acme.example:8443")
        self.other_hosts = lab.up()
        lab.configure({"aws": {**LISTS, "deny": "declared"}}, "./ours.yaml")
        self.declared = lab.up()


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    return Changes(tmp_path_factory.mktemp("changes"))


def test_a_group_that_is_full_gives_way_to_a_bigger_one_which_comes_before_it_goes(changes: Changes) -> None:
    calls = well(changes.outgrown).update.calls
    assert [(call.operation, call.type.rpartition(":")[2]) for call in calls] == [
        ("create", "RuleGroup"),
        ("update", "FirewallPolicy"),
        ("delete", "RuleGroup"),
    ]
    old, new = calls[2].before, calls[0].after
    assert old is not None
    assert new is not None
    assert (old.inputs["capacity"], new.inputs["capacity"]) == (100, 200)


def test_drift_is_not_seen_until_refresh_and_then_undone(changes: Changes) -> None:
    assert changes.while_drifted.allows
    assert changes.unaware.ok, changes.unaware.output
    assert changes.refreshed.ok, changes.refreshed.output
    assert changes.repaired.ok, changes.repaired.output
    assert changes.repaired.update.done("update") == ["RuleGroup hostgate-allow"]
    assert not changes.after_repair.allows


def test_another_mechanism_takes_over_in_one_update_of_the_policy(changes: Changes) -> None:
    update = well(changes.to_lists).update
    assert update.done("create") == ["RuleGroup hostgate-guard", "RuleGroup hostgate-list"]
    assert update.done("update")[-1] == "FirewallPolicy hostgate"
    assert update.done("delete") == ["RuleGroup hostgate-allow"]


def test_a_list_and_its_guard_change_at_once(changes: Changes) -> None:
    update = well(changes.other_hosts).update
    assert update.done("create") == ["RuleGroup hostgate-guard", "RuleGroup hostgate-list"]
    assert update.done("update") == ["FirewallPolicy hostgate"]
    assert sorted(update.done("delete")) == ["RuleGroup hostgate-guard", "RuleGroup hostgate-list"]


def test_a_policy_that_is_handed_to_somebody_else_goes_before_its_groups(changes: Changes) -> None:
    update = well(changes.declared).update
    assert update.done("delete")[0] == "FirewallPolicy hostgate"
