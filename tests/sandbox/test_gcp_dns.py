"""What Cloud DNS refuses of response policies: inputs at check time, and calls by what else is held."""

from pathlib import Path
from typing import Any

import pytest
from provider_calls import Aborted, Deployment
from test_sandbox_clouds import GONE, changed, only

from hostgate.gcp.resources_dns import RESPONSE_POLICY, RESPONSE_RULE
from hostgate.sandbox.gcp import CLOUD

POLICY = {"responsePolicyName": "apis", "networks": [{"networkUrl": "projects/sandbox/global/networks/main"}]}
RULE: dict[str, Any] = {
    "ruleName": "storage", "responsePolicy": "apis", "dnsName": "storage.googleapis.com.",
    "localData": {"localDatas": [{"name": "storage.googleapis.com.", "type": "A", "ttl": 300, "rrdatas": ["199.36.153.8"]}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "inputs", "path", "value", "where", "said"),
    [
        (RESPONSE_POLICY, POLICY, "responsePolicyName", GONE, "responsePolicyName", "missing"),
        (RESPONSE_POLICY, POLICY, "networks/0/networkUrl", GONE, "networks[0].networkUrl", "missing"),
        (RESPONSE_RULE, RULE, "dnsName", "storage.googleapis.com", "dnsName", "wrong form"),
        (RESPONSE_RULE, RULE, "dnsName", "a.*.googleapis.com.", "dnsName", "wrong form"),
        (RESPONSE_RULE, RULE, "behavior", "pass", "behavior", "not a value"),
        (RESPONSE_RULE, RULE, "localData/localDatas/0/type", GONE, "localData.localDatas[0].type", "missing"),
    ],
)
def test_an_input_that_the_api_refuses_is_refused_at_its_place(
    type_: str, inputs: dict[str, Any], path: str, value: object, where: str, said: str
) -> None:
    problem = only(CLOUD.check(type_, changed(inputs, path, value)))
    assert (problem.path, said in problem.what) == (where, True), str(problem)


@pytest.fixture
def cloud(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def test_a_rule_needs_its_policy_and_a_name_has_one_rule(cloud: Deployment) -> None:
    with pytest.raises(Aborted, match="was not found"):
        cloud.create(RESPONSE_RULE, "r", RULE)
    assert cloud.create(RESPONSE_POLICY, "p", POLICY)[0] == "projects/sandbox/responsePolicies/apis"
    found, _ = cloud.create(RESPONSE_RULE, "r", RULE)
    assert found == "projects/sandbox/responsePolicies/apis/rules/storage"
    with pytest.raises(Aborted, match="answers for storage"):
        cloud.create(RESPONSE_RULE, "other", {**RULE, "ruleName": "other"})


def test_names_replace_and_the_spelling_of_a_network_is_no_change(cloud: Deployment) -> None:
    link = "https://www.googleapis.com/compute/v1/projects/sandbox/global/networks/main"
    assert not cloud.diff(RESPONSE_POLICY, POLICY, {**POLICY, "networks": [{"networkUrl": link}]}).diffs
    assert cloud.diff(RESPONSE_POLICY, POLICY, {**POLICY, "responsePolicyName": "other"}).replaces
    assert cloud.diff(RESPONSE_RULE, RULE, {**RULE, "ruleName": "other"}).replaces
    assert not cloud.diff(RESPONSE_RULE, RULE, {**RULE, "localData": None, "behavior": "bypassResponsePolicy"}).replaces
