"""What the simulated clouds answer as Pulumi providers: names, differences, ids, refusals, drift."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from provider_calls import (
    AWS_FIREWALL,
    AWS_GROUP,
    AWS_POLICY,
    AZURE_GROUP,
    AZURE_IP_GROUP,
    AZURE_POLICY,
    AZURE_RESOURCE_GROUP,
    GCP_ASSOCIATION,
    GCP_POLICY,
    GCP_RULE,
    Aborted,
    Deployment,
    azure_group,
    gcp_rule,
    group,
    policy,
)
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from hostgate.aws.resources_ec2 import PREFIX_LIST
from hostgate.gcp.resources import SCOPES
from hostgate.sandbox.clouds import Cloud, clouds_of_engine
from hostgate.sandbox.faults import Fault, delay, order
from hostgate.sandbox.state import State
from hostgate.sandbox.wire_values import UNKNOWN_ON_WIRE, from_struct, to_struct

NETWORK = "projects/sandbox/global/networks/main"


@pytest.fixture
def engine(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def refusal(call: Any, *arguments: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(Aborted) as caught:
        call(*arguments)
    return caught.value.code, str(caught.value)


def test_every_type_of_every_cloud_has_a_lifecycle() -> None:
    assert sorted(clouds_of_engine()) == ["aws", "azure-native", "gcp"]
    assert all(set(cloud.lifecycles) == set(cloud.types) for cloud in clouds_of_engine().values())


def test_parts_of_a_cloud_that_several_targets_name_are_one() -> None:
    aws = clouds_of_engine()["aws"]
    first, *others = aws.types
    parts = [
        Cloud("aws", {token: aws.types[token] for token in tokens}, aws.stack_rules,
              {token: aws.lifecycles[token] for token in tokens})
        for tokens in ([first], others)
    ]  # fmt: skip
    assert parts[0] | parts[1] == aws


# Names


def test_a_name_is_made_where_none_is_given_and_marked_as_made(engine: Deployment) -> None:
    checked = engine.check(AWS_GROUP, "hosts", group(), randomSeed=b"seed")
    assert checked["name"].startswith("hosts-")
    assert checked["__defaults"] == ["name"]


def test_a_made_name_stays_while_the_object_does(engine: Deployment) -> None:
    first = engine.check(AWS_GROUP, "hosts", group(), randomSeed=b"seed")
    assert engine.check(AWS_GROUP, "hosts", group("a.dev"), first, randomSeed=b"other")["name"] == first["name"]


def test_a_replacement_gets_a_name_of_its_own(engine: Deployment) -> None:
    names = {engine.check(AWS_GROUP, "hosts", group(), randomSeed=seed)["name"] for seed in (b"one", b"two")}
    assert len(names) == 2


def test_a_name_that_was_given_is_not_kept_when_it_is_no_longer_given(engine: Deployment) -> None:
    given = engine.check(AWS_GROUP, "hosts", group(name="mine"), randomSeed=b"seed")
    assert engine.check(AWS_GROUP, "hosts", group(), given, randomSeed=b"seed")["name"] != "mine"


@pytest.mark.parametrize(("mode", "name"), [("PROPOSE", "dev-hosts"), ("ENFORCE", "dev-hosts"), ("DISABLE", None)])
def test_the_engines_own_naming_is_followed(engine: Deployment, mode: str, name: str | None) -> None:
    naming = provider_pb2.CheckRequest.AutonamingOptions
    wanted = naming(proposed_name="dev-hosts", mode=naming.Mode.Value(mode))
    answer = engine.answer(AWS_GROUP, "hosts", group(), randomSeed=b"seed", autonaming=wanted)
    assert from_struct(answer.inputs).get("name") == name
    assert [failure.property for failure in answer.failures] == ([] if name else ["name"])


def test_check_says_what_the_api_would_refuse(engine: Deployment) -> None:
    answer = engine.answer(AWS_GROUP, "hosts", group(capacity=99_999))
    assert [failure.property for failure in answer.failures] == ["capacity"]


# Differences

RENAMED: list[tuple[str, dict[str, Any], dict[str, Any], list[str], bool]] = [
    (AWS_GROUP, group(), group("cgr.dev", "a.dev"), [], False),
    (AWS_GROUP, group(), group(capacity=200), ["capacity"], False),
    (AWS_GROUP, group(), group(order="DEFAULT_ACTION_ORDER"), ["ruleGroup"], False),
    (AWS_GROUP, group(name="a"), group(name="b"), ["name"], True),
    (AWS_GROUP, group(name="a"), group(name="a", capacity=200), ["capacity"], True),
    (AWS_POLICY, policy("arn:a"), policy("arn:b"), [], False),
    (AWS_POLICY, policy(), policy(order="DEFAULT_ACTION_ORDER"), ["firewallPolicy"], False),
    (GCP_RULE, gcp_rule("p"), gcp_rule("p", description="x"), [], False),
    (GCP_RULE, gcp_rule("p"), gcp_rule("p", 2000), ["priority"], False),
    (GCP_RULE, gcp_rule("p"), gcp_rule("q"), ["firewallPolicy"], False),
    (GCP_POLICY, {"description": "a"}, {"description": "b"}, [], False),
    (GCP_ASSOCIATION, {"name": "a", "firewallPolicy": "p", "attachmentTarget": "n"},
     {"name": "a", "firewallPolicy": "p", "attachmentTarget": "m"}, ["attachmentTarget"], True),
    (AZURE_GROUP, azure_group("g"), azure_group("g", 300), [], False),
    (AZURE_GROUP, azure_group("g"), azure_group("h"), ["ruleCollectionGroupName"], True),
    (AZURE_GROUP, azure_group("g"), azure_group("g", policy_name="q"), ["firewallPolicyName"], True),
    (AZURE_POLICY, {"resourceGroupName": "a"}, {"resourceGroupName": "b"}, ["resourceGroupName"], True),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "olds", "news", "replaces", "deletes_first"), RENAMED)
def test_a_difference_replaces_what_the_provider_cannot_change(
    engine: Deployment, type_: str, olds: dict[str, Any], news: dict[str, Any], replaces: list[str], deletes_first: bool
) -> None:
    before = engine.check(type_, "it", olds, randomSeed=b"seed")
    found = engine.diff(type_, before, engine.check(type_, "it", news, before, randomSeed=b"seed"))
    assert found.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(found.replaces) == replaces
    assert found.deleteBeforeReplace == deletes_first


def test_the_same_inputs_are_no_difference(engine: Deployment) -> None:
    before = engine.check(AWS_GROUP, "it", group(), randomSeed=b"seed")
    found = engine.diff(AWS_GROUP, before, engine.check(AWS_GROUP, "it", group(), before))
    assert (found.changes, list(found.diffs)) == (provider_pb2.DiffResponse.DIFF_NONE, [])


def test_another_spelling_of_a_policy_is_no_difference(engine: Deployment) -> None:
    found = engine.diff(GCP_RULE, gcp_rule("egress"), gcp_rule("projects/p/global/firewallPolicies/egress"))
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_value_that_a_preview_cannot_know_is_a_difference(engine: Deployment) -> None:
    found = engine.diff(GCP_RULE, gcp_rule("egress"), gcp_rule(UNKNOWN_ON_WIRE))
    assert list(found.replaces) == ["firewallPolicy"]


def test_an_ignored_property_is_no_difference(engine: Deployment) -> None:
    found = engine.diff(AZURE_GROUP, azure_group("g"), azure_group("g", 300), ("priority",))
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_update_leaves_what_is_ignored_as_somebody_else_left_it(engine: Deployment) -> None:
    entries = [{"cidr": "203.0.113.7/32", "description": "ours"}]
    told = {"addressFamily": "IPv4", "maxEntries": 10, "entries": entries}
    made, _ = engine.create(PREFIX_LIST, "it", told)
    (held,) = engine.state.objects(PREFIX_LIST)
    theirs = [{"cidr": "203.0.113.8/32", "description": "pushed"}]
    with engine.state.transaction() as now:
        now.write("update", replace(held, inputs={**held.inputs, "entries": theirs}))
    news = {**held.inputs, "maxEntries": 20}
    answered = engine.update(PREFIX_LIST, made, news, ignoreChanges=["entries"])
    (held,) = engine.state.objects(PREFIX_LIST)
    assert (held.inputs["entries"], held.inputs["maxEntries"]) == (theirs, 20)
    assert answered["entries"] == theirs
    engine.update(PREFIX_LIST, made, news)
    (held,) = engine.state.objects(PREFIX_LIST)
    assert held.inputs["entries"] == entries


def test_a_difference_says_where_it_is(engine: Deployment) -> None:
    olds, news = gcp_rule("p"), gcp_rule("p")
    news["match"]["destFqdns"] = ["a.dev", "cgr.dev"]
    assert set(engine.diff(GCP_RULE, olds, news).detailedDiff) == {"match.destFqdns[0]", "match.destFqdns[1]"}


# Previews


def test_a_preview_of_a_create_makes_nothing_and_knows_no_id(engine: Deployment) -> None:
    id_, outputs = engine.create(AWS_GROUP, "hosts", group(), preview=True)
    assert (id_, outputs["arn"], outputs["capacity"]) == ("", UNKNOWN_ON_WIRE, 100)
    assert engine.state.objects() == []


def test_a_preview_of_an_update_keeps_what_the_cloud_had_computed(engine: Deployment) -> None:
    id_, outputs = engine.create(AWS_GROUP, "hosts", group())
    shown = engine.update(AWS_GROUP, id_, group("a.dev", name=outputs["name"]), outputs, preview=True)
    assert shown["arn"] == id_
    assert "a.dev" in shown["ruleGroup"]["rulesSource"]["rulesString"]
    assert "a.dev" not in str(engine.state.objects())


# Create, read, update, delete

IDS: list[tuple[str, dict[str, Any], str]] = [
    (AWS_GROUP, group(name="hosts"), "arn:aws:network-firewall:eu-central-1:123456789012:stateful-rulegroup/hosts"),
    (AWS_POLICY, policy(name="fp"), "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/fp"),
    (GCP_POLICY, {"name": "egress"}, "projects/sandbox/global/firewallPolicies/egress"),
    (GCP_POLICY, {"name": "egress", "project": "acme"}, "projects/acme/global/firewallPolicies/egress"),
    (
        AZURE_POLICY,
        {"resourceGroupName": "rg", "firewallPolicyName": "fp"},
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/fp",
    ),
    (
        AZURE_IP_GROUP,
        {"resourceGroupName": "rg", "ipGroupsName": "ci"},
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/ipGroups/ci",
    ),
    (
        AZURE_RESOURCE_GROUP,
        {"resourceGroupName": "rg"},
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg",
    ),
]


@pytest.mark.parametrize(("type_", "inputs", "id_"), IDS)
def test_an_object_lives_from_create_to_delete(
    engine: Deployment, type_: str, inputs: dict[str, Any], id_: str
) -> None:
    made, outputs = engine.create(type_, "it", inputs)
    assert made == id_
    assert UNKNOWN_ON_WIRE not in str(outputs)
    assert {key: outputs[key] for key in inputs} == inputs
    engine.update(type_, id_, inputs)
    read = engine.read(type_, id_)
    assert read.id == id_
    engine.delete(type_, id_)
    assert engine.read(type_, id_).id == ""
    engine.delete(type_, id_)  # what is gone already is no error


def test_computed_outputs_are_those_that_a_preview_announces(engine: Deployment) -> None:
    engine.create(GCP_POLICY, "p", {"name": "egress"})
    engine.create(AZURE_POLICY, "p", {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
    cases = (
        (AWS_GROUP, group()),
        (AWS_POLICY, policy()),
        (GCP_RULE, gcp_rule("egress")),
        (AZURE_GROUP, azure_group("g")),
    )
    for type_, inputs in cases:
        made = engine.create(type_, "it", inputs)[1]
        announced = {
            name
            for cloud in clouds_of_engine().values()
            if type_ in cloud.types
            for name in cloud.types[type_].computed
        }
        assert announced <= set(made), type_


def test_the_region_and_the_project_of_the_provider_are_in_the_ids(engine: Deployment) -> None:
    args = to_struct({"region": "us-west-2", "project": "acme", "subscriptionId": "123"})
    engine.provider(AWS_GROUP).Configure(provider_pb2.ConfigureRequest(args=args), engine.context)
    assert engine.create(AWS_GROUP, "it", group(name="g"))[0].split(":")[3] == "us-west-2"
    assert engine.create(GCP_POLICY, "it", {"name": "p"})[0].startswith("projects/acme/")
    assert engine.create(AZURE_RESOURCE_GROUP, "it", {"resourceGroupName": "rg"})[0].startswith("/subscriptions/123/")


@pytest.mark.parametrize(("type_", "inputs", "id_"), IDS)
def test_what_exists_is_not_made_again(engine: Deployment, type_: str, inputs: dict[str, Any], id_: str) -> None:
    engine.create(type_, "it", inputs)
    code, why = refusal(engine.create, type_, "other", inputs)
    assert code == grpc.StatusCode.ALREADY_EXISTS
    assert id_ in why


def test_a_read_shows_what_was_changed_by_hand(engine: Deployment) -> None:
    id_, _ = engine.create(AWS_GROUP, "it", group(name="g"))
    engine.service.update(AWS_GROUP, id_, group("evil.example", name="g"))
    inputs = from_struct(engine.read(AWS_GROUP, id_, {"__defaults": ["name"]}).inputs)
    assert "evil.example" in inputs["ruleGroup"]["rulesSource"]["rulesString"]
    assert inputs["__defaults"] == ["name"]


def test_an_import_takes_no_name_for_made_up(engine: Deployment) -> None:
    id_, _ = engine.create(AWS_GROUP, "it", group(name="g"))
    assert from_struct(engine.read(AWS_GROUP, id_).inputs)["__defaults"] == []


def test_a_type_that_nobody_knows_is_refused_by_name(engine: Deployment) -> None:
    request = provider_pb2.CheckRequest(urn="urn:pulumi:a::b::aws:s3/bucket:Bukket::c", type="aws:s3/bucket:Bukket")
    code, why = refusal(engine.provider(AWS_GROUP).Check, request, engine.context)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert why.startswith("c (aws:s3/bucket:Bukket): no simulated cloud has the resource type aws:s3/bucket:Bukket, ")


def test_a_function_that_nobody_knows_is_refused_by_name(engine: Deployment) -> None:
    request = provider_pb2.InvokeRequest(tok="aws:index/getNothing:getNothing")
    code, why = refusal(engine.provider(AWS_GROUP).Invoke, request, engine.context)
    assert (code, "getNothing" in why) == (grpc.StatusCode.UNIMPLEMENTED, True)


# What depends on other objects


def test_a_rule_group_in_use_cannot_be_deleted(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group())
    policy_arn, _ = engine.create(AWS_POLICY, "p", policy(arn, name="fp"))
    assert "fp uses it" in refusal(engine.delete, AWS_GROUP, arn)[1]
    engine.update(AWS_POLICY, policy_arn, policy(name="fp"))
    engine.delete(AWS_GROUP, arn)
    assert [held.type for held in engine.state.objects()] == [AWS_POLICY]


def test_a_policy_refers_to_groups_that_exist(engine: Deployment) -> None:
    assert "arn:aws:none" in refusal(engine.create, AWS_POLICY, "p", policy("arn:aws:none"))[1]
    engine.create(AWS_POLICY, "p", policy("arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/x"))


def test_a_policy_takes_groups_of_its_own_order(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group(order="DEFAULT_ACTION_ORDER"))
    assert "DEFAULT_ACTION_ORDER" in refusal(engine.create, AWS_POLICY, "p", policy(arn))[1]


def test_a_policy_of_a_firewall_cannot_be_deleted(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    firewall = {"firewallPolicyArn": arn, "vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}], "name": "fw"}
    fw, _ = engine.create(AWS_FIREWALL, "fw", firewall)
    assert "fw uses it" in refusal(engine.delete, AWS_POLICY, arn)[1]
    engine.update(AWS_FIREWALL, fw, {**firewall, "deleteProtection": True})
    assert "protection" in refusal(engine.delete, AWS_FIREWALL, fw)[1]
    missing = {**firewall, "firewallPolicyArn": "arn:aws:none", "name": "other"}
    assert "does not exist" in refusal(engine.create, AWS_FIREWALL, "o", missing)[1]


def test_a_rule_needs_its_policy_and_a_priority_of_its_own(engine: Deployment) -> None:
    assert "was not found" in refusal(engine.create, GCP_RULE, "r", gcp_rule("egress"))[1]
    engine.create(GCP_POLICY, "p", {"name": "egress"})
    id_, _ = engine.create(GCP_RULE, "r", gcp_rule("egress"))
    assert id_ == "projects/sandbox/global/firewallPolicies/egress/rules/1000"
    by_id = gcp_rule("projects/sandbox/global/firewallPolicies/egress")
    assert refusal(engine.create, GCP_RULE, "other", by_id)[0] == grpc.StatusCode.ALREADY_EXISTS
    assert "direction" in refusal(engine.update, GCP_RULE, id_, gcp_rule("egress", direction="INGRESS"))[1]


def test_a_policy_that_a_network_uses_cannot_be_deleted_and_takes_its_rules_along(engine: Deployment) -> None:
    id_, _ = engine.create(GCP_POLICY, "p", {"name": "egress"})
    engine.create(GCP_RULE, "r", gcp_rule("egress"))
    used, _ = engine.create(
        GCP_ASSOCIATION, "a", {"firewallPolicy": "egress", "attachmentTarget": NETWORK, "name": "main"}
    )
    assert used == f"{id_}/associations/main"
    assert NETWORK in refusal(engine.delete, GCP_POLICY, id_)[1]
    engine.delete(GCP_ASSOCIATION, used)
    engine.delete(GCP_POLICY, id_)
    assert engine.state.objects() == []


def test_a_network_has_one_policy(engine: Deployment) -> None:
    for name in ("one", "two"):
        engine.create(GCP_POLICY, name, {"name": name})
    engine.create(GCP_ASSOCIATION, "a", {"firewallPolicy": "one", "attachmentTarget": NETWORK, "name": "a"})
    second = {"firewallPolicy": "two", "attachmentTarget": NETWORK, "name": "b"}
    assert "associated with" in refusal(engine.create, GCP_ASSOCIATION, "b", second)[1]


def test_a_rule_goes_to_the_policy_of_that_name_in_its_own_project_whatever_its_reference_says(
    engine: Deployment,
) -> None:
    """magic-modules d577844, ReplaceVarsForId: what stands after the last slash, and the resource's project."""
    engine.create(GCP_POLICY, "theirs", {"name": "egress", "project": "net-host"})
    reference = "projects/net-host/global/firewallPolicies/egress"
    assert (
        "'projects/sandbox/global/firewallPolicies/egress' was not found"
        in refusal(engine.create, GCP_RULE, "r", gcp_rule(reference))[1]
    )
    engine.create(GCP_POLICY, "ours", {"name": "egress"})
    astray, _ = engine.create(GCP_RULE, "r", gcp_rule(reference))
    right, _ = engine.create(GCP_RULE, "s", gcp_rule(reference, project="net-host"))
    assert (astray, right) == (
        "projects/sandbox/global/firewallPolicies/egress/rules/1000",
        f"{reference}/rules/1000",
    )
    slash = gcp_rule(f"{reference}/", project="net-host")
    assert "was not found" in refusal(engine.create, GCP_RULE, "t", slash)[1]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("projects/net-host/global/networks/main", "is of another project than the policy"),
        ("https://www.googleapis.com/compute/v1/projects/net-host/global/networks/main", "another project"),
        ("projects/sandbox/regions/r/subnetworks/main", "is no VPC network"),
        ("main", "is no VPC network"),
    ],
)
def test_a_policy_is_associated_with_networks_of_its_project_only(engine: Deployment, target: str, said: str) -> None:
    engine.create(GCP_POLICY, "p", {"name": "egress"})
    association = {"firewallPolicy": "egress", "attachmentTarget": target, "name": "a"}
    assert said in refusal(engine.create, GCP_ASSOCIATION, "a", association)[1]


def test_a_project_that_the_provider_had_filled_in_is_no_difference_and_another_one_replaces(
    engine: Deployment,
) -> None:
    olds = gcp_rule("egress")
    for news, state, replaces in (
        (gcp_rule("egress", project="acme"), {**olds, "project": "acme"}, []),
        (gcp_rule("egress"), {**olds, "project": "acme"}, []),
        (gcp_rule("egress", project="net-host"), {**olds, "project": "acme"}, ["project"]),
    ):
        found = engine.diff(GCP_RULE, olds, news, state=state)
        assert list(found.replaces) == replaces
        assert (found.changes == provider_pb2.DiffResponse.DIFF_NONE) == (not replaces)


LINK = "projects/p/global/networks/main"
PATH = "projects/p/global/firewallPolicies/egress"
SPELLINGS: list[tuple[str, str, str, bool]] = [
    ("attachmentTarget", LINK, f"https://www.googleapis.com/compute/v1/{LINK}", True),
    ("attachmentTarget", f"https://www.googleapis.com/compute/v1/{LINK}", "main", True),
    ("attachmentTarget", LINK, "projects/q/global/networks/main", False),
    ("firewallPolicy", PATH, "egress", True),
    ("firewallPolicy", "egress", PATH, False),
]


@pytest.mark.parametrize(("key", "old", "new", "same"), SPELLINGS)
def test_an_association_knows_its_links_as_the_provider_does(
    engine: Deployment, key: str, old: str, new: str, same: bool
) -> None:
    """magic-modules d577844, CompareSelfLinkOrResourceName."""
    whole = {"name": "a", "firewallPolicy": "egress", "attachmentTarget": LINK}
    found = engine.diff(GCP_ASSOCIATION, {**whole, key: old}, {**whole, key: new})
    assert list(found.replaces) == ([] if same else [key])


def test_a_rule_collection_group_needs_its_policy_and_a_priority_of_its_own(engine: Deployment) -> None:
    assert "does not exist" in refusal(engine.create, AZURE_GROUP, "g", azure_group("g"))[1]
    engine.create(AZURE_POLICY, "p", {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
    engine.create(AZURE_GROUP, "g", azure_group("g"))
    assert "taken by g" in refusal(engine.create, AZURE_GROUP, "h", azure_group("h"))[1]
    engine.create(AZURE_GROUP, "h", azure_group("h", 300))


def test_a_base_policy_stays_while_others_are_based_on_it(engine: Deployment) -> None:
    base, _ = engine.create(AZURE_POLICY, "b", {"resourceGroupName": "rg", "firewallPolicyName": "base"})
    child = {"resourceGroupName": "rg", "firewallPolicyName": "child", "basePolicy": {"id": base}}
    engine.create(AZURE_POLICY, "c", child)
    assert "child is based on it" in refusal(engine.delete, AZURE_POLICY, base)[1]
    orphan = {**child, "firewallPolicyName": "orphan", "basePolicy": {"id": f"{base}-none"}}
    assert "does not exist" in refusal(engine.create, AZURE_POLICY, "o", orphan)[1]


def test_an_ip_group_in_use_cannot_be_deleted(engine: Deployment) -> None:
    ci, _ = engine.create(AZURE_IP_GROUP, "i", {"resourceGroupName": "rg", "ipGroupsName": "ci"})
    engine.create(AZURE_POLICY, "p", {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
    using = azure_group("g")
    using["ruleCollections"][0]["rules"][0] |= {"sourceIpGroups": [ci]}
    engine.create(AZURE_GROUP, "g", using)
    assert "g uses it" in refusal(engine.delete, AZURE_IP_GROUP, ci)[1]


def test_a_resource_group_takes_along_what_is_in_it(engine: Deployment) -> None:
    rg, _ = engine.create(AZURE_RESOURCE_GROUP, "rg", {"resourceGroupName": "rg"})
    engine.create(AZURE_POLICY, "p", {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
    engine.create(AZURE_GROUP, "g", azure_group("g"))
    engine.delete(AZURE_RESOURCE_GROUP, rg)
    assert engine.state.objects() == []


# Slowness, failure, death


def test_a_policy_that_is_being_updated_refuses_a_second_write(tmp_path: Path) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        assert seconds == 240
        under_way.set()
        assert go_on.wait(30)

    slow = Deployment(tmp_path, pause=pause)
    slow.create(AZURE_POLICY, "p", {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
    slow.create(AZURE_POLICY, "q", {"resourceGroupName": "rg", "firewallPolicyName": "free"})
    delay(slow.state, "first", 240)
    first = threading.Thread(target=slow.create, args=(AZURE_GROUP, "first", azure_group("first")))
    first.start()
    assert under_way.wait(30)
    why = refusal(slow.create, AZURE_GROUP, "second", azure_group("second", 300))[1]
    slow.create(AZURE_GROUP, "third", azure_group("third", 300, policy_name="free"))  # another policy is free
    go_on.set()
    first.join(30)
    assert "AnotherOperationInProgress" in why
    assert "create of first" in why
    slow.create(AZURE_GROUP, "second", azure_group("second", 300))


def test_a_rule_is_judged_again_when_a_slow_write_takes_effect(tmp_path: Path) -> None:
    engine = Deployment(tmp_path)
    arn, _ = engine.create(AWS_GROUP, "g", group())
    delay(engine.state, "RuleGroup", 60)

    def meanwhile(_: float) -> None:
        engine.create(AWS_POLICY, "p", policy(arn, name="fp"))

    slow = Deployment(tmp_path, pause=meanwhile)
    assert "fp uses it" in refusal(slow.delete, AWS_GROUP, arn)[1]
    assert engine.read(AWS_GROUP, arn).id == arn


def test_a_call_fails_as_told_and_changes_nothing(engine: Deployment) -> None:
    order(engine.state, Fault("RuleGroup", "create"))
    code, why = refusal(engine.create, AWS_GROUP, "g", group())
    assert (code, "as told" in why) == (grpc.StatusCode.ABORTED, True)
    assert engine.state.objects() == []
    engine.create(AWS_GROUP, "g", group())
    order(engine.state, Fault("RuleGroup", "read"))
    assert refusal(engine.read, AWS_GROUP, engine.state.objects()[0].id)[0] == grpc.StatusCode.ABORTED


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_crash_comes_before_or_after_the_cloud_acts(tmp_path: Path, when: Any, left: int) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    engine = Deployment(tmp_path, crash=die)
    order(engine.state, Fault("RuleGroup", "create", crash=when))
    with pytest.raises(KeyboardInterrupt):
        engine.create(AWS_GROUP, "g", group())
    assert len(engine.state.objects()) == left


def test_a_refused_call_is_in_the_journal_and_changes_nothing(engine: Deployment) -> None:
    with pytest.raises(Aborted):
        engine.create(GCP_RULE, "r", gcp_rule("egress"))
    (call,) = engine.state.journal()
    assert (call.operation, call.before, call.after) == ("create", None, None)
    assert "was not found" in call.refusal


# As a process


def serve(state: Path, package: str) -> tuple[subprocess.Popen[str], provider_pb2_grpc.ResourceProviderStub]:
    process = subprocess.Popen(
        [sys.executable, "-m", "hostgate.sandbox.provider", package, "9.9.9", str(state)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    channel = grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")
    return process, provider_pb2_grpc.ResourceProviderStub(channel)


def test_two_provider_processes_share_what_the_clouds_hold(tmp_path: Path) -> None:
    state = State(tmp_path / "clouds.db")
    served = [serve(state.path, "aws") for _ in range(2)]
    try:
        ids = []
        for number, (_, stub) in enumerate(served):
            inputs = to_struct({**group(), "name": f"g{number}"})
            made = stub.Create(
                provider_pb2.CreateRequest(urn=f"urn:pulumi:a::b::{AWS_GROUP}::g", type=AWS_GROUP, properties=inputs),
                timeout=30,
            )
            ids.append(made.id)
        for _, stub in served:
            for id_ in ids:
                read = provider_pb2.ReadRequest(urn=f"urn:pulumi:a::b::{AWS_GROUP}::g", type=AWS_GROUP, id=id_)
                assert stub.Read(read, timeout=30).id == id_
    finally:
        for process, _ in served:
            process.terminate()
            process.wait(30)
            assert process.stdout is not None
            process.stdout.close()


def test_a_provider_that_is_told_to_crash_dies_and_the_state_stays_readable(tmp_path: Path) -> None:
    state = State(tmp_path / "clouds.db")
    order(state, Fault("RuleGroup", "create", crash="after"))
    process, stub = serve(state.path, "aws")
    inputs = to_struct({**group(), "name": "g"})
    request = provider_pb2.CreateRequest(urn=f"urn:pulumi:a::b::{AWS_GROUP}::g", type=AWS_GROUP, properties=inputs)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Create(request, timeout=30)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert process.wait(30) == -9
    assert process.stdout is not None
    process.stdout.close()
    assert [held.name for held in state.objects()] == ["g"]


class TestHierarchicalPolicies:
    """Of organizations and folders: they go by a number, and their nodes are taken over in place."""

    POLICY, RULE, NODE = (row.token for row in SCOPES["hierarchical"])

    def made(self, engine: Deployment, name: str, parent: str = "organizations/1") -> str:
        return engine.create(self.POLICY, name, {"shortName": name, "parent": parent})[0]

    def test_a_policy_gets_a_number_by_which_rules_and_associations_find_it(self, engine: Deployment) -> None:
        number = self.made(engine, "one").rpartition("/")[2]
        assert number.isdecimal()
        engine.create(self.RULE, "r", gcp_rule(number))
        engine.create(self.NODE, "a", {"firewallPolicy": number, "attachmentTarget": "folders/1", "name": "a"})
        places = {held.id.partition("/firewallPolicies/")[0] for held in engine.state.objects()}
        assert places == {"locations/global"}
        assert "notFound" in refusal(engine.create, self.RULE, "s", gcp_rule("5"))[1]

    def test_a_node_has_one_policy_and_another_takes_it_over_in_place(self, engine: Deployment) -> None:
        one, two = self.made(engine, "one"), self.made(engine, "two")
        node = {"attachmentTarget": "folders/1", "name": "a"}
        engine.create(self.NODE, "a", {**node, "firewallPolicy": one})
        assert (
            "associated with" in refusal(engine.create, self.NODE, "b", {**node, "name": "b", "firewallPolicy": two})[1]
        )
        changed = engine.diff(self.NODE, {**node, "firewallPolicy": one}, {**node, "firewallPolicy": two})
        assert not changed.replaces
        engine.update(self.NODE, engine.state.objects(self.NODE)[0].id, {**node, "firewallPolicy": two})
        engine.delete(self.POLICY, one)
        assert "associated" in refusal(engine.delete, self.POLICY, two)[1]

    def test_a_short_name_is_one_policy_s_in_an_organization(self, engine: Deployment) -> None:
        self.made(engine, "one")
        said = refusal(engine.create, self.POLICY, "b", {"shortName": "one", "parent": "folders/2"})[1]
        assert "the short name one is that of" in said
