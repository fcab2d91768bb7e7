"""Reviewed means applied, on the real engine; and what a review foretells is what the engine then does."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.conftest import Run, run
from engine.lab import AWS, AZURE, GCP, Lab, real_engine, well
from hostgate.cli.preview_statements import read_preview
from hostgate.planning.plan import Plan
from hostgate.review.plan_changes import diff
from hostgate.review.statement import locked, state

pytestmark = real_engine
__all__ = ["run"]

ALL = {"aws": AWS, "gcp": GCP, "azure": AZURE}
DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/hub"
REFERENCES = "AWS::NetworkFirewall::FirewallPolicy.StatefulRuleGroupReferences"
"""What a plan names for the policy of somebody else; no engine makes a resource of it."""


def many(count: int) -> list[str]:
    return [f"host{number}.acme.example" for number in range(count)]


def foretold(before: dict[str, Plan], after: dict[str, Plan]) -> set[tuple[str, str]]:
    """Name and change of every object that differs between two sets of plans."""
    found = diff([state(each) for each in before.values()], [state(each) for each in after.values()])
    return {(each.name, each.what) for target in found for each in target.objects or () if each.kind != REFERENCES}


def done(lab: Lab) -> set[tuple[str, str]]:
    """Name and change of every resource that the engine would touch."""
    steps = [(op, urn) for op, urn in lab.preview() if op in DONE and "::hostgate-" in urn and "$" in urn]
    return {(urn.rpartition("::")[2], DONE[op]) for op, urn in steps}


CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a host more": (ALL, many(13)),
    "another port": (ALL, [*many(12), "port.acme.example:8443"]),
    "room runs out": (ALL, many(71)),
    "audit": ({key: {**value, "mode": "audit"} for key, value in ALL.items()}, many(12)),
    "other clients": (
        {**ALL, "aws": {"homeNet": ["10.0.0.0/8"]}, "azure": {**AZURE, "from": ["10.1.0.0/16"]}},
        many(12),
    ),
    "other priorities": ({key: {**value, "base": 3000} for key, value in ALL.items()}, many(12)),
    "lists": ({"aws": {"mechanism": "domain-list"}}, many(12)),
    "declared": ({"aws": {**AWS, "deny": "declared"}, "gcp": {**GCP, "deny": "declared"}, "azure": AZURE}, many(12)),
    "TLS inspection": ({"aws": {**AWS, "tlsInspection": TLS}}, many(12)),
    "another place": ({"azure": {**AZURE, "resourceGroup": "rg-other"}, "gcp": {"attach": "egress"}}, many(12)),
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("review")
    lab = Lab(folder / "project", folder / "sandbox")
    lab.configure(ALL, lab.hosts(*many(12)))
    well(lab.up())
    return lab


@pytest.mark.parametrize("name", CHANGES)
def test_the_engine_does_with_each_object_what_the_review_foretold(deployed: Lab, name: str) -> None:
    clouds, hosts = CHANGES[name]
    before = {key: deployed.in_force[key] for key in clouds}
    deployed.configure({**ALL, **clouds}, deployed.hosts(*hosts))
    after = deployed.plans()
    told = foretold(deployed.in_force, after)
    assert told == done(deployed)
    assert foretold(before, {key: after[key] for key in clouds}) <= told


def test_a_list_that_changes_is_replaced_with_its_guard_and_the_policy_follows(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure({"aws": {"mechanism": "domain-list"}}, lab.hosts(*many(3)))
    well(lab.up())
    before = lab.in_force
    lab.hosts(*many(4))
    told = foretold(before, lab.plans())
    assert told == done(lab)
    assert {what for _, what in told} == {"replaced", "updated"}
    assert _of_preview(lab, tmp_path) == told


def test_a_policy_that_becomes_ours_is_foretold_too(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure({"aws": {**AWS, "deny": "declared"}}, lab.hosts(*many(3)))
    well(lab.up())
    before = lab.in_force
    lab.configure({"aws": AWS}, "./ours.yaml")
    assert foretold(before, lab.plans()) == done(lab)


def test_previews_foretell_the_same(deployed: Lab, tmp_path: Path) -> None:
    deployed.configure(ALL, deployed.hosts(*many(71)))
    assert _of_preview(deployed, tmp_path) == done(deployed)


OPENINGS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "audit": ({key: {**value, "mode": "audit"} for key, value in ALL.items()}, {"mode audit"}),
    "no network": ({**ALL, "gcp": {}}, {f"network {GCP['networks'][0]}"}),
    "another policy": (
        {**ALL, "gcp": {"attach": "egress"}},
        {f"network {GCP['networks'][0]}", "the policy that hostgate makes"},
    ),
    "one family": ({**ALL, "gcp": {**GCP, "families": ["ipv4"]}}, {"IPv6"}),
    "a cloud less": ({"aws": AWS, "azure": AZURE}, {"gcp:fqdn"}),
    "another group": ({**ALL, "azure": {**AZURE, "resourceGroup": "rg-x"}}, {"policy rg-hub/hostgate"}),
}


@pytest.mark.parametrize("name", OPENINGS)
def test_a_preview_of_the_engine_says_that_everything_opens_as_the_plans_do(deployed: Lab, name: str) -> None:
    clouds, expected = OPENINGS[name]
    deployed.configure(clouds, deployed.hosts(*many(12)))
    document = _preview(deployed)
    sides = [read_preview(document, "preview.json", deployed=was)[0] for was in (True, False)]
    plans = [list(map(state, each.values())) for each in (deployed.in_force, deployed.plans())]
    for base, head in (sides, plans, (sides[0], plans[1]), (plans[0], sides[1])):
        opens = {shift.about for each in diff(base, head) for shift in each.unlisted.opens}
        assert opens == expected


def test_a_real_state_is_compared_with_a_real_preview_and_reached(deployed: Lab, tmp_path: Path, run: Run) -> None:
    deployed.configure(ALL, deployed.hosts(*many(12)))
    before, after = tmp_path / "state.json", tmp_path / "preview.json"
    exported = deployed.pulumi("stack", "export").output
    before.write_text(exported[exported.index("{") :])
    after.write_text(json.dumps(_preview(deployed)))
    same = run("diff", before, after, "--json")
    assert (same.code, same.json["unchanged"], len(same.json["places"])) == (0, True, 3)
    assert run("reach", "--state", before).code == 0
    deployed.hosts(*many(14))
    after.write_text(json.dumps(_preview(deployed)))
    for base in (before, f"deployed:{after}"):
        found = run("diff", base, after, "--json", "--max-opened", 1)
        assert [each["message"] for each in found.json["guards"]["tripped"]] == ["2 would open, allowed 1."] * 6
        opened = [host for place in found.json["places"] for each in place["opened"] for cause in each["opening"]
                  for host in cause["hosts"]]  # fmt: skip
        assert sorted(set(opened)) == ["host12.acme.example", "host13.acme.example"]
        assert not {"opens-beside", "everything-open", "not-known"} & {each["id"] for each in found.json["risks"]}


def test_layers_and_regions_are_told_apart_in_a_preview_of_the_engine(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    dns = {"mechanism": "dns-firewall", "vpcs": ["vpc-0123abcd"]}
    lab.configure({"aws": [{**AWS, "regions": ["eu-central-1", "eu-west-1"]}, dns]}, lab.hosts(*many(3)))
    document = _preview(lab)
    head = read_preview(document, "preview.json", deployed=False)[0]
    plans = list(map(state, lab.plans().values()))
    for pair in ((head, head), (head, plans), (plans, head)):
        changes = diff(*pair)
        assert len(changes) == 3
        assert all(each.unchanged for each in changes)
    lab.configure({"aws": [{**AWS, "regions": ["eu-central-1"]}, dns]}, "./ours.yaml")
    for pair in ((head, list(map(state, lab.plans().values()))), (plans, list(map(state, lab.plans().values())))):
        changes = diff(*pair)
        assert [bool(each.unlisted.opens) for each in changes].count(True) == 1


def _of_preview(lab: Lab, folder: Path) -> set[tuple[str, str]]:
    """What the engine's own preview says, read as two sides."""
    document = _preview(lab)
    (folder / "preview.json").write_text(json.dumps(document))
    base, _ = read_preview(document, "preview.json", deployed=True)
    head, stack = read_preview(document, "preview.json", deployed=False)
    assert stack == "hostgate/dev"
    return {(each.name, each.what) for target in diff(base, head) for each in target.objects or ()}


def _preview(lab: Lab) -> Any:
    ended = lab.pulumi("preview", "--json", "--show-sames")
    assert ended.ok, ended.output
    return json.loads(ended.output[ended.output.index("{") :])


def test_an_update_whose_plan_was_not_reviewed_is_refused_with_the_difference(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure(ALL, lab.hosts(*many(2)))
    plans = list(lab.plans().values())
    (lab.project / "reviewed.json").write_text(locked(plans))
    path = lab.project / "Pulumi.dev.yaml"
    stack = yaml.safe_load(path.read_text())
    digests = {plan.target: plan.digest for plan in plans}
    stack["config"]["hostgate:reviewed"] = {"plan": "reviewed.json", "digests": digests}
    path.write_text(yaml.safe_dump(stack))
    well(lab.up())
    lab.hosts(*many(3))
    before = lab.state.objects()
    refused = lab.pulumi("up", "--yes", "--skip-preview")
    assert not refused.ok
    for target in digests:
        assert f"{target}: this is not the plan that was reviewed." in refused.output
        assert f"{target} opens host2.acme.example:443/https" in refused.output
    assert lab.state.objects() == before
    lab.hosts(*many(2))
    assert lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes").ok
