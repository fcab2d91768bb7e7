"""Simulated AWS around a policy: firewalls with their protections and endpoints, logs, TLS inspection, shares."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from provider_calls import AWS_FIREWALL, AWS_GROUP, AWS_POLICY, Aborted, Deployment, group, policy

from hostgate.aws.resources_ec2 import ROUTE
from hostgate.aws.resources_firewall import LOGGING
from hostgate.aws.resources_ram import PRINCIPAL, RESOURCE, SHARE
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points

TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/{}"
BOTNETS = "arn:aws:network-firewall:{}:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"
PARTNER = "arn:aws:network-firewall:eu-central-1:210987654321:stateful-rulegroup/theirs"


@pytest.fixture
def engine(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(Aborted) as caught:
        call(*arguments)
    assert caught.value.code == grpc.StatusCode.FAILED_PRECONDITION
    return str(caught.value)


def in_vpc(policy_arn: str, *subnets: str, **more: Any) -> dict[str, Any]:
    mappings = [{"subnetId": subnet} for subnet in subnets or ("subnet-1",)]
    return {"firewallPolicyArn": policy_arn, "vpcId": "vpc-1", "subnetMappings": mappings, "name": "fw", **more}


def alerts(firewall_arn: str) -> dict[str, Any]:
    config = {"logType": "ALERT", "logDestinationType": "S3", "logDestination": {"bucketName": "logs"}}
    return {"firewallArn": firewall_arn, "loggingConfiguration": {"logDestinationConfigs": [config]}}


def inspected(name: str | None) -> dict[str, Any]:
    body = policy(name="fp")
    if name:
        body["firewallPolicy"]["tlsInspectionConfigurationArn"] = TLS.format(name)
    return body


# Firewalls


def test_a_firewall_has_an_endpoint_in_every_subnet_that_stays_while_the_subnet_does(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    fw, made = engine.create(AWS_FIREWALL, "fw", in_vpc(arn, "subnet-1", "subnet-2"))
    (status,) = made["firewallStatuses"]
    first = {
        state["attachments"][0]["subnetId"]: state["attachments"][0]["endpointId"] for state in status["syncStates"]
    }
    assert set(first) == {"subnet-1", "subnet-2"}
    assert all(endpoint.startswith("vpce-") for endpoint in first.values())
    assert len({state["availabilityZone"] for state in status["syncStates"]}) == 2
    (status,) = engine.update(AWS_FIREWALL, fw, in_vpc(arn, "subnet-2", "subnet-3"))["firewallStatuses"]
    later = {
        state["attachments"][0]["subnetId"]: state["attachments"][0]["endpointId"] for state in status["syncStates"]
    }
    assert later["subnet-2"] == first["subnet-2"]
    assert set(later) == {"subnet-2", "subnet-3"}


def test_a_firewall_at_a_transit_gateway_has_an_endpoint_in_every_zone(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    zones = [{"availabilityZoneId": zone} for zone in ("euc1-az1", "euc1-az2")]
    inputs = {"firewallPolicyArn": arn, "transitGatewayId": "tgw-1", "availabilityZoneMappings": zones}
    _, made = engine.create(AWS_FIREWALL, "fw", inputs)
    (status,) = made["firewallStatuses"]
    assert [state["availabilityZone"] for state in status["syncStates"]] == ["euc1-az1", "euc1-az2"]
    assert status["transitGatewayAttachmentSyncStates"][0]["attachmentId"].startswith("tgw-attach-")


@pytest.mark.parametrize(
    ("flag", "change", "words"),
    [
        ("firewallPolicyChangeProtection", "firewallPolicyArn", "policy change protection is on"),
        ("subnetChangeProtection", "subnetMappings", "subnet change protection is on"),
    ],
)
def test_what_is_protected_changes_once_the_protection_is_off(
    engine: Deployment, flag: str, change: str, words: str
) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    other, _ = engine.create(AWS_POLICY, "q", policy())
    fw, _ = engine.create(AWS_FIREWALL, "fw", in_vpc(arn, **{flag: True}))
    changed = in_vpc(other) if change == "firewallPolicyArn" else in_vpc(arn, "subnet-9")
    assert words in refused(engine.update, AWS_FIREWALL, fw, {**changed, flag: True})
    engine.update(AWS_FIREWALL, fw, {**changed, flag: False})
    assert words in refused(engine.update, AWS_FIREWALL, fw, in_vpc(arn, **{flag: True}))  # on and changed in one call


def test_the_address_type_of_an_endpoint_cannot_change(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    fw, _ = engine.create(AWS_FIREWALL, "fw", in_vpc(arn))
    other = in_vpc(arn) | {"subnetMappings": [{"subnetId": "subnet-1", "ipAddressType": "IPV6"}]}
    assert "IP address type of subnet-1 cannot change" in refused(engine.update, AWS_FIREWALL, fw, other)


@pytest.mark.parametrize(
    ("news", "replaces"),
    [
        (in_vpc("arn:b"), []),
        (in_vpc("arn:a", "subnet-2"), []),
        (in_vpc("arn:a", deleteProtection=True), []),
        (in_vpc("arn:a") | {"vpcId": "vpc-2"}, ["vpcId"]),
        (in_vpc("arn:a") | {"region": "us-east-1"}, ["region"]),
    ],
)
def test_another_place_replaces_a_firewall_and_the_rest_changes_in_place(
    engine: Deployment, news: dict[str, Any], replaces: list[str]
) -> None:
    found = engine.diff(AWS_FIREWALL, in_vpc("arn:a"), news)
    assert found.diffs
    assert list(found.replaces) == replaces


def test_a_route_leads_to_an_endpoint_that_exists_and_takes_another_in_place(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    _, made = engine.create(AWS_FIREWALL, "fw", in_vpc(arn, "subnet-1", "subnet-2"))
    one, other = (state["attachments"][0]["endpointId"] for state in made["firewallStatuses"][0]["syncStates"])
    route = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "vpcEndpointId": one}
    assert "does not exist" in refused(engine.create, ROUTE, "r", {**route, "vpcEndpointId": "vpce-0"})
    id_, _ = engine.create(ROUTE, "r", route)
    assert id_.startswith("r-rtb-1")
    assert engine.update(ROUTE, id_, {**route, "vpcEndpointId": other})["vpcEndpointId"] == other
    assert list(engine.diff(ROUTE, route, {**route, "vpcEndpointId": other}).replaces) == []
    assert list(engine.diff(ROUTE, route, {**route, "routeTableId": "rtb-2"}).replaces) == ["routeTableId"]
    with pytest.raises(Aborted, match="exists already"):
        engine.create(ROUTE, "s", route)


def test_logs_need_their_firewall_and_are_its_only_ones(engine: Deployment) -> None:
    assert "does not exist" in refused(engine.create, LOGGING, "l", alerts("arn:aws:none"))
    arn, _ = engine.create(AWS_POLICY, "p", policy())
    fw, _ = engine.create(AWS_FIREWALL, "fw", in_vpc(arn))
    assert engine.create(LOGGING, "l", alerts(fw))[0] == fw
    with pytest.raises(Aborted, match="exists already"):
        engine.create(LOGGING, "m", alerts(fw))


# Policies


@pytest.mark.parametrize(("before", "after"), [(None, "a"), ("a", None)], ids=str)
def test_tls_inspection_is_neither_added_to_a_policy_nor_removed(
    engine: Deployment, before: str | None, after: str | None
) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", inspected(before))
    assert "cannot be added to a policy or removed" in refused(engine.update, AWS_POLICY, arn, inspected(after))


def test_tls_inspection_is_changed_for_another(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_POLICY, "p", inspected("a"))
    engine.update(AWS_POLICY, arn, inspected("b"))


def test_a_policy_takes_groups_of_its_own_region(engine: Deployment) -> None:
    assert "rule group ARN is invalid" in refused(engine.create, AWS_POLICY, "p", policy(BOTNETS.format("us-east-1")))
    engine.create(AWS_POLICY, "p", policy(BOTNETS.format("eu-central-1"), PARTNER))


def test_only_the_rules_of_a_managed_group_are_overridden(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group())
    body = policy(BOTNETS.format("eu-central-1"), arn, name="fp")
    references = body["firewallPolicy"]["statefulRuleGroupReferences"]
    references[0]["override"] = {"action": "DROP_TO_ALERT"}
    made, _ = engine.create(AWS_POLICY, "p", body)
    references[1]["override"] = {"action": "DROP_TO_ALERT"}
    assert "rule group must be a managed resource" in refused(engine.update, AWS_POLICY, made, body)


# Shares


def test_a_share_takes_groups_that_exist_and_of_its_own_region(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group())
    share, made = engine.create(SHARE, "s", {"allowExternalPrincipals": False})
    assert made["arn"] == share
    assert share.startswith("arn:aws:ram:eu-central-1:123456789012:resource-share/")
    assert engine.create(RESOURCE, "r", {"resourceArn": arn, "resourceShareArn": share})[0] == f"{share},{arn}"
    gone = {"resourceArn": f"{arn}x", "resourceShareArn": share}
    assert "could not be found" in refused(engine.create, RESOURCE, "x", gone)
    elsewhere, _ = engine.create(SHARE, "t", {"region": "us-east-1"})
    assert "another Region" in refused(
        engine.create, RESOURCE, "y", {"resourceArn": arn, "resourceShareArn": elsewhere}
    )


def test_nobody_joins_a_share_that_does_not_exist(engine: Deployment) -> None:
    inputs = {"principal": "210987654321", "resourceShareArn": "arn:aws:ram:eu-central-1:123456789012:resource-share/x"}
    assert "UnknownResourceException" in refused(engine.create, PRINCIPAL, "p", inputs)


def test_a_share_that_goes_takes_its_associations_along(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group())
    share, _ = engine.create(SHARE, "s", {})
    engine.create(RESOURCE, "r", {"resourceArn": arn, "resourceShareArn": share})
    engine.create(PRINCIPAL, "p", {"principal": "210987654321", "resourceShareArn": share})
    engine.delete(SHARE, share)
    assert [held.type for held in engine.state.objects()] == [AWS_GROUP]


# Where flows are judged


def test_flows_are_judged_at_the_firewalls_of_a_policy(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group("cgr.dev", name="g"))
    fp, _ = engine.create(AWS_POLICY, "p", policy(BOTNETS.format("eu-central-1"), arn, name="fp"))
    namesake = policy(PARTNER.replace("/theirs", "/g"), name="other")
    other, _ = engine.create(AWS_POLICY, "o", namesake)
    assert (
        points(engine.state.objects())[1].verdict(Flow("cgr.dev")).action == "unknown"
    )  # g of another account is not g
    engine.delete(AWS_POLICY, other)
    (alone,) = points(engine.state.objects())
    assert (alone.title, alone.place) == ("aws policy fp", fp)
    for name in ("one", "two"):
        engine.create(AWS_FIREWALL, name, {**in_vpc(fp), "name": name})
    both = points(engine.state.objects())
    assert [(point.title, point.policy) for point in both] == [("aws firewall one", "fp"), ("aws firewall two", "fp")]
    for verdict in (point.verdict(Flow("cgr.dev")) for point in both):
        assert verdict.action == "unknown"
        assert "ThreatSignaturesBotnetStrictOrder makes it block" in "; ".join(verdict.lacks)
