"""Address groups in the simulated cloud: what is refused of their inputs, and by what rules refer to."""

from pathlib import Path
from typing import Any

import pytest
from test_sandbox_clouds import GCP_RULE, GONE, changed, only

from hostgate.flows.flow import Flow
from hostgate.gcp.resources import POLICY, REGION_POLICY, REGION_RULE, RULE
from hostgate.gcp.resources_groups import ADDRESS_GROUP
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.gcp import CLOUD
from hostgate.sandbox.input_changes import diff
from hostgate.sandbox.lifecycle import Account, Refusal
from hostgate.sandbox.service import Service, lifecycle_of
from hostgate.sandbox.state import State

GROUP = {
    "name": "hosts", "parent": "projects/p", "location": "global", "type": "IPV4", "capacity": 2,
    "items": ["203.0.113.7/32"],
}  # fmt: skip
ID = "projects/p/locations/global/addressGroups/hosts"
ANYBODY = {key: value for key, value in GCP_RULE.items() if key != "targetServiceAccounts"}
ALLOWING = {**ANYBODY, "firewallPolicy": "egress", "match": {"layer4Configs": [{"ipProtocol": "all"}]}}


def naming(*groups: str) -> dict[str, Any]:
    return {**ALLOWING, "match": {**ALLOWING["match"], "destAddressGroups": list(groups)}}


@pytest.mark.parametrize(
    ("path", "value", "where", "said"),
    [
        ("type", GONE, "type", "missing"),
        ("type", "IPV5", "type", "not a value"),
        ("capacity", 0, "capacity", "range"),
        ("capacity", 1_001, "capacity", "too large"),
        ("parent", "folders/1", "parent", "wrong form"),
        ("name", "1st", "name", "wrong form"),
        ("location", GONE, "location", "missing"),
        ("items", ["203.0.113.7/32", "203.0.113.8", "203.0.113.0/24"], "items", "too many items"),
        ("items", ["2001:db8::7/128"], "items[0]", "not an item"),
        ("items", ["cgr.dev"], "items[0]", "not an item"),
        ("items", ["203.0.113.7/32", "203.0.113.7/32"], "items", "duplicate"),
    ],
)
def test_an_input_that_the_api_refuses_is_refused_at_its_place(path: str, value: object, where: str, said: str) -> None:
    assert CLOUD.check(ADDRESS_GROUP, GROUP) == []
    problem = only(CLOUD.check(ADDRESS_GROUP, changed(GROUP, path, value)))
    assert problem.path.startswith(where)
    assert said in problem.what


def test_a_group_of_cloud_armor_may_be_larger() -> None:
    assert CLOUD.check(ADDRESS_GROUP, {**GROUP, "capacity": 5_000, "purposes": ["CLOUD_ARMOR"]}) == []


@pytest.fixture
def service(tmp_path: Path) -> Service:
    made = Service(State(tmp_path / "clouds.db"), Account(project="p"))
    made.create(POLICY, {"name": "egress"})
    assert made.create(ADDRESS_GROUP, GROUP).id == ID
    return made


def test_a_group_in_use_cannot_go_and_counts_by_its_capacity(service: Service) -> None:
    rule = service.create(RULE, naming(ID))
    assert rule.computed["ruleTupleCount"] == 1 + GROUP["capacity"]
    with pytest.raises(Refusal, match="refers to the address group"):
        service.delete(ADDRESS_GROUP, ID)
    service.delete(RULE, rule.id)
    service.delete(ADDRESS_GROUP, ID)
    assert service.state.objects(ADDRESS_GROUP) == []


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (ID.replace("/hosts", "/gone"), "gone was not found; without it the rule would match every destination"),
        (ID.replace("projects/p", "organizations/1"), "was not found"),
        ("hosts", "was not found"),
    ],
)
def test_a_rule_that_names_a_group_that_is_not_there_is_refused(service: Service, named: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        service.create(RULE, naming(named))
    held = service.create(RULE, naming(f"//networksecurity.googleapis.com/{ID}"))
    with pytest.raises(Refusal, match=said):
        service.update(RULE, held.id, naming(named))


def test_a_group_is_of_the_location_of_its_policy(service: Service) -> None:
    service.create(REGION_POLICY, {"name": "egress", "region": "europe-west4"})
    there = service.create(ADDRESS_GROUP, {**GROUP, "location": "europe-west4"})
    with pytest.raises(Refusal, match="is not of the policy's location, europe-west4"):
        service.create(REGION_RULE, {**naming(ID), "region": "europe-west4"})
    service.create(REGION_RULE, {**naming(there.id), "region": "europe-west4"})


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("capacity", 3, "replace"),
        ("parent", "projects/q", "replace"),
        ("items", ["203.0.113.8/32"], "update"),
        ("location", "europe-west4", "update"),
        ("type", "IPV6", "update"),
    ],
)
def test_what_the_provider_overlooks_is_planned_in_place_and_then_refused(
    service: Service, key: str, value: object, kind: str
) -> None:
    held = service.state.objects(ADDRESS_GROUP)[0]
    found = diff(CLOUD.types[ADDRESS_GROUP], lifecycle_of(ADDRESS_GROUP), held.inputs, {**GROUP, key: value})
    assert bool(found.replacing) == (kind == "replace")
    if kind == "update" and key != "items":
        with pytest.raises(Refusal, match=f"{key} cannot change"):
            service.update(ADDRESS_GROUP, held.id, {**GROUP, key: value, "items": []})


def test_what_stands_is_judged_by_the_items_of_the_group(service: Service) -> None:
    service.create(RULE, {**naming(ID), "priority": 1_000, "ruleName": "hosts"})
    everything = {"destIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]}
    service.create(RULE, {**ALLOWING, "action": "deny", "priority": 2_000, "ruleName": "deny", "match": everything})
    (point,) = points(service.state.objects())
    said = {each: point.verdict(Flow("x.example", address=each)).action for each in ("203.0.113.7", "203.0.113.8")}
    assert said == {"203.0.113.7": "allow", "203.0.113.8": "block"}
