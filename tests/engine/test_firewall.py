"""What stands around a policy on AWS, deployed by the real engine: firewall, logs, TLS inspection, Regions, shares."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.lab import AWS, Ended, Lab, real_engine, well
from engine.moments import plain
from hostgate.aws.resources_firewall import FIREWALL, FIREWALL_POLICY, LOGGING, RULE_GROUP
from hostgate.aws.resources_ram import RESOURCE
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.faults import Fault, order
from hostgate.sandbox.state import states

pytestmark = real_engine

VPC: dict[str, Any] = {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}, {"subnetId": "subnet-2"}]}
ALERTS = {"logType": "ALERT", "logDestinationType": "S3", "logDestination": {"bucketName": "logs"}}
FLOWS = {"logType": "FLOW", "logDestinationType": "CloudWatchLogs", "logDestination": {"logGroup": "flows"}}
WHOLE = {**AWS, "firewall": VPC, "logging": [ALERTS]}
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/{}"
BOTNETS = "arn:aws:network-firewall:REGION:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"


def kinds(ended: Ended) -> list[tuple[str, str]]:
    """Operation and type of every call, in order."""
    return [(call.operation, call.type.rpartition(":")[2]) for call in ended.update.calls if not call.refusal]


class Life:
    """Every step of a firewall's life, in order."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")

        def step(options: dict[str, Any], *hosts: str) -> Ended:
            lab.configure({"aws": options}, lab.hosts(*(hosts or ("mirror.acme.example", "cache.acme.example"))))
            return lab.up()

        self.policy_only = step(AWS)
        self.first = step(WHOLE)
        (self.firewall,) = lab.state.objects(FIREWALL)
        self.outputs = json.loads(lab.pulumi("stack", "output", "aws", "--json").output)
        self.again = lab.pulumi("preview", "--expect-no-changes")
        self.one_more = step(WHOLE, "mirror.acme.example", "cache.acme.example", "proxy.acme.example")
        self.audit = step({**WHOLE, "mode": "audit"}, "mirror.acme.example", "proxy.acme.example")
        self.enforce = step({**WHOLE, "managedGroups": [{"arn": BOTNETS.replace("REGION", "eu-central-1")}]})
        self.inspected = step({**WHOLE, "tlsInspection": TLS.format("first")})
        self.other_inspection = step({**WHOLE, "tlsInspection": TLS.format("second")})
        self.not_inspected = step({**WHOLE, "logging": [ALERTS, FLOWS]})
        self.moved = step({**WHOLE, "firewall": {**VPC, "vpcId": "vpc-2"}})
        self.protected = step({**WHOLE, "firewall": {**VPC, "vpcId": "vpc-2", "deleteProtection": True}})
        self.kept = lab.pulumi("destroy", "--yes", "--skip-preview")
        self.open_meanwhile = [point.verdict(Flow("evil.example")).allows for point in points(lab.state.objects())]
        step({**WHOLE, "firewall": {**VPC, "vpcId": "vpc-2"}})
        self.taken_out = step(AWS)
        self.destroyed = lab.pulumi("destroy", "--yes", "--skip-preview")
        self.left = lab.state.objects()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return Life(tmp_path_factory.mktemp("life"))


def test_a_firewall_takes_the_policy_that_is_there_and_gets_its_logs(life: Life) -> None:
    well(life.policy_only)
    assert kinds(well(life.first)) == [("create", "Firewall"), ("create", "LoggingConfiguration")]
    (status,) = life.firewall.computed["firewallStatuses"]
    assert [state["availabilityZone"] for state in status["syncStates"]] == ["eu-central-1a", "eu-central-1b"]
    assert life.again.ok, life.again.output


def test_the_stack_hands_out_endpoints_by_availability_zone(life: Life) -> None:
    (status,) = life.firewall.computed["firewallStatuses"]
    assert life.outputs["endpoints"] == {
        state["availabilityZone"]: state["attachments"][0]["endpointId"] for state in status["syncStates"]
    }
    assert life.outputs["firewallArn"] == life.firewall.id


def test_one_host_more_is_one_update_of_its_group(life: Life) -> None:
    assert kinds(well(life.one_more)) == [("update", "RuleGroup")]


@pytest.mark.parametrize("step", ["audit", "enforce"])
def test_into_audit_and_back_no_moment_at_the_firewall_is_wider_than_audit(life: Life, step: str) -> None:
    assert ("update", "FirewallPolicy") in kinds(well(getattr(life, step)))


@pytest.mark.parametrize("step", ["inspected", "other_inspection", "not_inspected"])
def test_tls_inspection_comes_changes_and_goes_with_another_policy_and_the_firewall_is_never_without(
    life: Life, step: str
) -> None:
    ended = well(getattr(life, step))
    calls = [(operation, type_) for operation, type_ in kinds(ended) if type_.startswith("Firewall")]
    assert calls == [("create", "FirewallPolicy"), ("update", "Firewall"), ("delete", "FirewallPolicy")]


def test_a_log_more_is_an_update(life: Life) -> None:
    assert ("update", "LoggingConfiguration") in kinds(life.not_inspected)


def test_a_firewall_of_another_vpc_comes_with_its_logs_before_the_old_goes(life: Life) -> None:
    moved = [(operation, type_) for operation, type_ in kinds(well(life.moved)) if type_ != "LoggingConfiguration"]
    assert moved == [("create", "Firewall"), ("delete", "Firewall")]
    assert kinds(life.moved).index(("create", "LoggingConfiguration")) < kinds(life.moved).index(("delete", "Firewall"))


def test_a_protected_firewall_keeps_its_policy_and_its_groups(life: Life) -> None:
    well(life.protected)
    assert not life.kept.ok
    assert "delete protection is on" in life.kept.output
    assert not {("delete", "FirewallPolicy"), ("delete", "RuleGroup")} & set(kinds(life.kept))
    assert life.open_meanwhile == [False]


def test_a_firewall_that_is_taken_out_leaves_the_policy(life: Life) -> None:
    assert kinds(well(life.taken_out)) == [("delete", "LoggingConfiguration"), ("delete", "Firewall")]


def test_destroy_leaves_nothing(life: Life) -> None:
    assert life.destroyed.ok, life.destroyed.output
    assert life.left == []


def test_logs_are_of_the_firewall_that_is_there(life: Life) -> None:
    for ended in (life.first, life.moved):
        held = ended.update.after
        assert {each.id for each in held if each.type == LOGGING} == {each.id for each in held if each.type == FIREWALL}


class Trouble:
    """A change of the policy that stops half way, and what the next run makes of it."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        lab.configure({"aws": WHOLE}, lab.hosts("mirror.acme.example"))
        self.first = lab.up()
        lab.configure({"aws": {**WHOLE, "mode": "audit", "tlsInspection": TLS.format("first")}}, "./ours.yaml")
        order(lab.state, Fault("Firewall", "update"))
        self.stopped = lab.up()
        self.went_on = lab.up()
        self.settled = lab.pulumi("preview", "--expect-no-changes")
        self.policies = lab.state.objects(FIREWALL_POLICY)


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    return Trouble(tmp_path_factory.mktemp("trouble"))


def test_a_firewall_that_cannot_take_its_new_policy_keeps_the_old_one_whole(trouble: Trouble) -> None:
    well(trouble.first)
    assert not trouble.stopped.ok
    assert trouble.stopped.wrong == []
    assert "delete" not in {operation for operation, _ in kinds(trouble.stopped)}


def test_the_next_run_finishes_the_change_and_takes_the_old_policy_away(trouble: Trouble) -> None:
    assert ("update", "Firewall") in kinds(well(trouble.went_on))
    assert trouble.settled.ok, trouble.settled.output
    assert len(trouble.policies) == 1


class Regions:
    """One plan in one Region, in two, and in one again."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        both = {**AWS, "regions": ["eu-central-1", "us-east-1"], "managedGroups": [{"arn": BOTNETS}]}

        def step(options: dict[str, Any]) -> Ended:
            lab.configure({"aws": options}, lab.hosts("mirror.acme.example"))
            return lab.up()

        self.one = step({**both, "regions": ["eu-central-1"]})
        self.two = step(both)
        self.held = lab.state.objects()
        self.places = [point.place for point in points(self.held)]
        self.one_again = step({**both, "regions": ["us-east-1"]})


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Regions:
    return Regions(tmp_path_factory.mktemp("regions"))


def test_a_region_more_touches_no_other(regions: Regions) -> None:
    assert {operation for operation, _ in kinds(well(regions.two))} == {"create"}
    assert {call.id.split(":")[3] for call in regions.two.update.calls} == {"us-east-1"}
    assert [place.split(":")[3] for place in regions.places] == ["eu-central-1", "us-east-1"]


def test_every_region_has_the_same_groups_and_managed_groups_of_its_own(regions: Regions) -> None:
    texts: dict[str, list[str]] = {}
    for held in regions.held:
        region = held.id.split(":")[3]
        if held.type == RULE_GROUP:
            texts.setdefault(region, []).append(held.inputs["ruleGroup"]["rulesSource"]["rulesString"])
        if held.type == FIREWALL_POLICY:
            first = held.inputs["firewallPolicy"]["statefulRuleGroupReferences"][0]
            assert first["resourceArn"] == BOTNETS.replace("REGION", region)
    assert sorted(texts["eu-central-1"]) == sorted(texts["us-east-1"])


def test_a_region_that_is_left_is_emptied_and_the_other_stays(regions: Regions) -> None:
    assert {operation for operation, _ in kinds(well(regions.one_again))} == {"delete"}
    assert {call.id.split(":")[3] for call in regions.one_again.update.calls} == {"eu-central-1"}


class Shared:
    """Groups that are shared with other accounts, and outgrown."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        share = {"principals": ["210987654321", "arn:aws:organizations::123456789012:ou/o-acme/ou-ab12-cd34"]}

        def step(count: int, principals: list[str]) -> Ended:
            hosts = [f"host{number}.acme.example" for number in range(count)]
            lab.configure({"aws": {**AWS, "deny": "declared", "share": {"principals": principals}}}, lab.hosts(*hosts))
            return lab.pulumi("up", "--yes", "--skip-preview")

        self.first = step(70, share["principals"])
        self.outgrown = step(71, share["principals"])
        self.fewer = step(71, share["principals"][:1])
        self.destroyed = lab.pulumi("destroy", "--yes", "--skip-preview")
        self.left = lab.state.objects()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(tmp_path_factory.mktemp("shared"))


def test_whoever_joins_a_share_finds_the_groups_in_it(shared: Shared) -> None:
    assert shared.first.ok, shared.first.output
    assert [type_ for _, type_ in kinds(shared.first)][-3:] == ["ResourceAssociation", *["PrincipalAssociation"] * 2]


def test_a_share_is_at_no_moment_without_the_hosts(shared: Shared) -> None:
    assert shared.outgrown.ok, shared.outgrown.output
    assert shared.outgrown.update.done("create")[0] == "RuleGroup hostgate-allow"
    for _, held in states(shared.outgrown.update.calls, shared.outgrown.update.before):
        groups = {each.id for each in held if each.type == RULE_GROUP and plain(each.name) == "hostgate-allow"}
        assert groups & {each.inputs["resourceArn"] for each in held if each.type == RESOURCE}


def test_who_leaves_is_taken_out_and_nothing_else_changes(shared: Shared) -> None:
    assert kinds(shared.fewer) == [("delete", "PrincipalAssociation")]
    assert shared.destroyed.ok, shared.destroyed.output
    assert shared.left == []
