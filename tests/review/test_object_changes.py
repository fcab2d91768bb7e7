"""What becomes of each object: as the engine does with the resource that it is, told by the rows of the resource types."""

from typing import Any

import pytest

from conformance.catalogs import entry
from hostgate.review.object_changes import ObjectChange
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state
from review.changes import made

HOSTS = [entry("cgr.dev")]
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/hub"
GROUP, POLICY = "AWS::NetworkFirewall::RuleGroup", "AWS::NetworkFirewall::FirewallPolicy"
FIREWALL: dict[str, Any] = {"firewall": {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}]}}
ELSEWHERE: dict[str, Any] = {"firewall": {"vpcId": "vpc-2", "subnetMappings": [{"subnetId": "subnet-2"}]}}


def changes(target: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[ObjectChange, ...]:
    (found,) = diff([state(made(target, HOSTS, **before))], [state(made(target, HOSTS, **after))])
    assert found.objects is not None
    return found.objects


@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"tlsInspection": TLS}),
        ({"tlsInspection": TLS}, {}),
        ({"tlsInspection": TLS}, {"tlsInspection": f"{TLS}-2"}),
    ],
)
def test_tls_inspection_comes_and_goes_with_the_policy_alone(
    target: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    (policy,) = changes(target, before, after)
    assert (policy.kind, policy.what, policy.because) == (POLICY, "replaced", ("TLS inspection",))


def test_other_settings_of_the_policy_replace_its_groups() -> None:
    told = changes("aws:rules", {}, {"homeNet": ["10.0.0.0/8"]})
    assert {each.what for each in told if each.kind == GROUP} == {"replaced"}
    assert {each.what for each in told if each.kind == POLICY} == {"updated"}


def test_a_firewall_in_another_vpc_is_another_firewall() -> None:
    (firewall,) = (each for each in changes("aws:rules", FIREWALL, ELSEWHERE) if each.kind.endswith("::Firewall"))
    assert (firewall.what, firewall.because) == ("replaced", ("VpcId",))


def test_an_azure_policy_in_another_location_is_another_policy() -> None:
    west, north = ({"resourceGroup": "rg", "location": where} for where in ("westeurope", "northeurope"))
    (policy,) = (each for each in changes("azure:application-rules", west, north) if each.kind.endswith("Policies"))
    assert (policy.what, policy.because) == ("replaced", ("location",))


@pytest.mark.parametrize(
    ("target", "options", "stays"),
    [
        ("aws:rules", {}, True),
        ("aws:rules", {"firewall": {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}]}}, True),
        ("aws:domain-list", {}, True),
        ("aws:dns-firewall", {"vpcs": ["vpc-1"]}, True),
        ("azure:application-rules", {"resourceGroup": "rg"}, False),
    ],
)
def test_to_forget_a_former_name_changes_what_has_the_plans_name_in_its_cloud_alone(
    target: str, options: dict[str, Any], stays: bool
) -> None:
    found = changes(target, {**options, "name": "acme", "formerly": "hostgate"}, {**options, "name": "acme"})
    assert (found == ()) is stays


ADDRESSES = {"cgr.dev": ["203.0.113.7"]}
LISTS: dict[str, dict[str, Any]] = {
    "aws:prefix-list": {"securityGroups": ["sg-1"]},
    "aws:network-acl": {"networkAcls": ["acl-1"]},
    "gcp:address-group": {"networks": ["projects/acme/global/networks/main"]},
    "azure:ip-group": {"resourceGroup": "rg"},
}
NAMED = {"AddressGroup", "ipGroups", "firewallPolicies", "ruleCollectionGroups"}


@pytest.mark.parametrize("target", LISTS)
def test_a_list_keeps_the_name_that_it_was_made_under_and_is_made_anew_where_that_is_forgotten(target: str) -> None:
    options = {**LISTS[target], "addresses": ADDRESSES}
    renamed = {**options, "name": "acme", "formerly": "hostgate"}
    assert changes(target, options, renamed) == ()
    for after in ({"name": "acme"}, {"name": "third", "formerly": "acme"}):
        found = changes(target, renamed, {**options, **after})
        assert {each.what for each in found} <= {"updated", "replaced"}
        anew = {each.kind.rpartition("/")[2]: each.because for each in found if each.what == "replaced"}
        assert anew == dict.fromkeys(NAMED & {each.kind.rpartition("/")[2] for each in found}, ("name",))
        assert bool(anew) is target.startswith(("gcp", "azure"))


def test_rules_of_google_cloud_that_are_renamed_once_more_are_updated_in_place() -> None:
    network = {"networks": ["projects/acme/global/networks/main"]}
    second, third = (
        {**network, "name": new, "formerly": old} for old, new in (("hostgate", "acme"), ("acme", "third"))
    )
    assert {each.what for each in changes("gcp:fqdn", second, third)} == {"updated"}
