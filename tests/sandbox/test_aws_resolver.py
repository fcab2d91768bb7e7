"""What Route 53 Resolver refuses of DNS Firewall: inputs at check time, and calls by what else is held."""

import json
from pathlib import Path
from typing import Any

import pytest
from provider_calls import Aborted, Deployment
from test_sandbox_clouds import GONE, QUERY_ASSOCIATION, QUERY_LIST, QUERY_RULE, THREAT_RULE, changed, only

from hostgate.aws.resources_resolver import ASSOCIATION, CONFIG, DOMAIN_LIST, PROFILE_RESOURCE, RULE, RULE_GROUP
from hostgate.sandbox.aws import CLOUD
from hostgate.sandbox.service import account_of

VPC = "vpc-0a1b2c3d"
IN_PROFILE = {
    "profileId": "rp-0a1b",
    "resourceArn": "arn:aws:route53resolver:eu-central-1:123456789012:firewall-rule-group/rslvr-frg-1",
    "resourceProperties": '{"priority": 101}',
}


@pytest.mark.parametrize(
    ("type_", "inputs", "path", "value", "where", "said"),
    [
        (DOMAIN_LIST, QUERY_LIST, "name", "with.dot", "name", "wrong form"),
        (DOMAIN_LIST, QUERY_LIST, "name", "0123", "name", "wrong form"),
        (DOMAIN_LIST, QUERY_LIST, "name", "n" * 65, "name", "wrong length"),
        (DOMAIN_LIST, QUERY_LIST, "domains/0", "a." * 130, "domains[0]", "wrong length"),
        (DOMAIN_LIST, QUERY_LIST, "domains/0", "https://cgr.dev", "domains[0]", "not a domain"),
        (DOMAIN_LIST, QUERY_LIST, "domains/0", "a.*.cgr.dev", "domains[0]", "not a domain"),
        (DOMAIN_LIST, QUERY_LIST, "domains/0", "a..dev", "domains[0]", "not a domain"),
        (DOMAIN_LIST, QUERY_LIST, "domains/0", "münchen.example", "domains[0]", "not a domain"),
        (DOMAIN_LIST, QUERY_LIST, "domains", [f"h{n}.example" for n in range(1_001)], "domains", "too many"),
        (RULE, QUERY_RULE, "action", "DROP", "action", "not a value"),
        (RULE, QUERY_RULE, "priority", 0, "priority", "out of range"),
        (RULE, QUERY_RULE, "priority", GONE, "priority", "missing"),
        (RULE, QUERY_RULE, "blockResponse", GONE, "blockResponse", "missing"),
        (RULE, QUERY_RULE, "blockResponse", "REFUSED", "blockResponse", "not a value"),
        (RULE, QUERY_RULE, "blockOverrideDomain", GONE, "blockOverrideDomain", "missing"),
        (RULE, QUERY_RULE, "blockOverrideDnsType", "A", "blockOverrideDnsType", "not a value"),
        (RULE, QUERY_RULE, "blockOverrideTtl", 604_801, "blockOverrideTtl", "out of range"),
        (RULE, QUERY_RULE, "firewallDomainListId", GONE, "", "one of two"),
        (
            RULE,
            QUERY_RULE,
            "firewallDomainRedirectionAction",
            "TRUST",
            "firewallDomainRedirectionAction",
            "not a value",
        ),
        (RULE, THREAT_RULE, "firewallDomainListId", "rslvr-fdl-1", "", "one of two"),
        (RULE, THREAT_RULE, "action", "ALLOW", "action", "action"),
        (RULE, THREAT_RULE, "confidenceThreshold", GONE, "confidenceThreshold", "confidence"),
        (ASSOCIATION, QUERY_ASSOCIATION, "priority", 99, "priority", "out of range"),
        (ASSOCIATION, QUERY_ASSOCIATION, "priority", 100, "priority", "out of range"),
        (ASSOCIATION, QUERY_ASSOCIATION, "priority", 9_901, "priority", "out of range"),
        (ASSOCIATION, QUERY_ASSOCIATION, "mutationProtection", "ON", "mutationProtection", "not a value"),
        (PROFILE_RESOURCE, IN_PROFILE, "resourceProperties", '{"priority": 100}', "resourceProperties", "priority"),
        (PROFILE_RESOURCE, IN_PROFILE, "resourceProperties", '{"priority": 9901}', "resourceProperties", "priority"),
        (PROFILE_RESOURCE, IN_PROFILE, "resourceProperties", '{"priority": "101"}', "resourceProperties", "priority"),
        (PROFILE_RESOURCE, IN_PROFILE, "resourceProperties", "priority=101", "resourceProperties", "priority"),
        (PROFILE_RESOURCE, IN_PROFILE, "resourceProperties", GONE, "resourceProperties", "priority"),
        (PROFILE_RESOURCE, IN_PROFILE, "profileId", GONE, "profileId", "missing"),
        (CONFIG, {"resourceId": VPC}, "firewallFailOpen", "OPEN", "firewallFailOpen", "not a value"),
        (CONFIG, {"resourceId": VPC}, "resourceId", GONE, "resourceId", "missing"),
    ],
)
def test_an_input_that_the_api_refuses_is_refused_at_its_place(
    type_: str, inputs: dict[str, Any], path: str, value: object, where: str, said: str
) -> None:
    problem = only(CLOUD.check(type_, changed(inputs, path, value)))
    assert (problem.path, said in problem.what) == (where, True), str(problem)
    assert problem.source


@pytest.fixture
def cloud(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def listed(cloud: Deployment, name: str = "hosts", *domains: str) -> str:
    return cloud.create(DOMAIN_LIST, name, {"domains": list(domains or ("cgr.dev",))})[0]


def rule(cloud: Deployment, group: str, domains: str, priority: int, **more: Any) -> str:
    inputs = {"action": "ALLOW", "firewallRuleGroupId": group, "firewallDomainListId": domains, "priority": priority}
    return cloud.create(RULE, f"rule-{priority}", {**inputs, **more})[0]


def association(cloud: Deployment, group: str, priority: int = 101, vpc: str = VPC, **more: Any) -> str:
    inputs = {"firewallRuleGroupId": group, "vpcId": vpc, "priority": priority, **more}
    return cloud.create(ASSOCIATION, f"of-{group[-4:]}-{vpc}", inputs)[0]


def group(cloud: Deployment, name: str = "egress") -> str:
    return cloud.create(RULE_GROUP, name, {})[0]


def refused(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(Aborted) as caught:
        call(*arguments, **more)
    return str(caught.value)


def test_ids_have_the_form_of_the_real_ones(cloud: Deployment) -> None:
    parent, domains = group(cloud), listed(cloud)
    made = [parent, domains, association(cloud, parent), cloud.create(CONFIG, "config", {"resourceId": VPC})[0]]
    assert [each.rpartition("-")[0] for each in made] == ["rslvr-frg", "rslvr-fdl", "rslvr-frgassoc", "rdsc"]
    assert rule(cloud, parent, domains, 100) == f"{parent}:{domains}"


def test_the_region_of_an_object_is_known_though_its_id_does_not_tell_it(cloud: Deployment) -> None:
    cloud.create(DOMAIN_LIST, "west", {"domains": ["cgr.dev"], "region": "us-west-2"})
    (held,) = cloud.state.objects(DOMAIN_LIST)
    assert account_of(held).region == "us-west-2"
    assert ":us-west-2:" in held.computed["arn"]


def test_a_rule_needs_its_group_and_its_list(cloud: Deployment) -> None:
    parent, domains = group(cloud), listed(cloud)
    assert "firewall rule group rslvr-frg-gone does not exist" in refused(rule, cloud, "rslvr-frg-gone", domains, 1)
    assert "firewall domain list rslvr-fdl-gone does not exist" in refused(rule, cloud, parent, "rslvr-fdl-gone", 1)
    rule(cloud, parent, "rslvr-fdl-managed-aggregate", 1)  # a list of AWS's own


def test_a_priority_is_that_of_one_rule_of_a_group(cloud: Deployment) -> None:
    parent = group(cloud)
    rule(cloud, parent, listed(cloud, "one"), 100)
    assert "priority 100 is that of rule" in refused(rule, cloud, parent, listed(cloud, "two"), 100)
    rule(cloud, group(cloud, "other"), listed(cloud, "three"), 100)


def test_a_list_is_used_once_in_a_group(cloud: Deployment) -> None:
    parent, domains = group(cloud), listed(cloud)
    rule(cloud, parent, domains, 100)
    assert "exists already" in refused(rule, cloud, parent, domains, 200)


def test_a_group_has_a_hundred_rules(cloud: Deployment) -> None:
    parent = group(cloud)
    for number in range(100):
        rule(cloud, parent, listed(cloud, f"list-{number}"), number + 1)
    assert "at most 100 rules" in refused(rule, cloud, parent, listed(cloud, "list-100"), 101)


def test_what_is_in_use_cannot_be_deleted(cloud: Deployment) -> None:
    parent, domains = group(cloud), listed(cloud)
    used = rule(cloud, parent, domains, 100)
    link = association(cloud, parent)
    assert "ConflictException" in refused(cloud.delete, DOMAIN_LIST, domains)
    assert "disassociate it first" in refused(cloud.delete, RULE_GROUP, parent)
    cloud.delete(ASSOCIATION, link)
    cloud.delete(RULE, used)
    cloud.delete(DOMAIN_LIST, domains)
    cloud.delete(RULE_GROUP, parent)
    assert cloud.state.objects() == []


def test_a_group_takes_its_rules_along(cloud: Deployment) -> None:
    parent = group(cloud)
    rule(cloud, parent, listed(cloud), 100)
    cloud.delete(RULE_GROUP, parent)
    assert cloud.state.objects(RULE) == []


def test_a_vpc_has_five_groups_each_with_a_priority_of_its_own(cloud: Deployment) -> None:
    groups = [group(cloud, f"group-{number}") for number in range(6)]
    association(cloud, groups[0], 200)
    assert "priority 200 is that of" in refused(association, cloud, groups[1], 200)
    association(cloud, groups[1], 200, "vpc-0e1f2a3b")
    assert "exists already" in refused(association, cloud, groups[0], 300)
    for number, each in enumerate(groups[1:5], start=201):
        association(cloud, each, number)
    assert "has 5 rule groups already" in refused(association, cloud, groups[5], 900)


def test_a_protected_association_stays_until_it_is_unprotected(cloud: Deployment) -> None:
    parent = group(cloud)
    link = association(cloud, parent, mutationProtection="ENABLED")
    held = cloud.state.objects(ASSOCIATION)[0].inputs
    assert "mutation protection" in refused(cloud.delete, ASSOCIATION, link)
    assert "mutation protection" in refused(cloud.update, ASSOCIATION, link, {**held, "priority": 500})
    cloud.update(ASSOCIATION, link, {**held, "mutationProtection": "DISABLED"})
    cloud.delete(ASSOCIATION, link)


def test_an_account_has_a_hundred_thousand_domains_in_all_lists(cloud: Deployment) -> None:
    for number in range(100):
        listed(cloud, f"list-{number}", *(f"h{each}.example" for each in range(1_000)))
    assert "at most 100000 domains" in refused(listed, cloud, "one-more")


def test_the_order_of_domains_is_no_change_and_a_new_list_replaces_a_rule(cloud: Deployment) -> None:
    same = cloud.diff(DOMAIN_LIST, {"name": "a", "domains": ["b", "a"]}, {"name": "a", "domains": ["a", "b", "a"]})
    assert list(same.diffs) == []
    more = cloud.diff(DOMAIN_LIST, {"name": "a", "domains": ["a"]}, {"name": "a", "domains": ["a", "b"]})
    assert (list(more.diffs), list(more.replaces)) == (["domains"], [])
    for key, replaced in (("firewallDomainListId", True), ("priority", False), ("action", False), ("name", False)):
        found = cloud.diff(RULE, {"name": "a", key: "x"}, {"name": "a", key: "y"})
        assert (list(found.replaces) == [key]) == replaced


def test_an_update_of_a_list_is_kept_and_read_back(cloud: Deployment) -> None:
    domains = listed(cloud)
    held = cloud.state.objects(DOMAIN_LIST)[0].inputs
    cloud.update(DOMAIN_LIST, domains, {**held, "domains": ["cgr.dev", "*.cgr.dev"]})
    assert list(cloud.read(DOMAIN_LIST, domains).properties["domains"]) == ["cgr.dev", "*.cgr.dev"]


def test_the_fail_mode_of_a_vpc_is_taken_over_without_a_word(cloud: Deployment) -> None:
    first = cloud.create(CONFIG, "ours", {"resourceId": VPC, "firewallFailOpen": "DISABLED"})[0]
    assert cloud.create(CONFIG, "theirs", {"resourceId": VPC, "firewallFailOpen": "ENABLED"})[0] == first
    (held,) = cloud.state.objects(CONFIG)
    assert held.inputs["firewallFailOpen"] == "ENABLED"


def in_profile(
    cloud: Deployment, group: str, priority: int = 101, profile: str = "rp-0a1b"
) -> tuple[str, dict[str, Any]]:
    arn = next(each.outputs["arn"] for each in cloud.state.objects(RULE_GROUP) if each.id == group)
    inputs = {
        "profileId": profile,
        "resourceArn": arn,
        "resourceProperties": json.dumps({"priority": priority}),
    }
    return cloud.create(PROFILE_RESOURCE, f"of-{group[-4:]}-{profile}-{priority}", inputs)[0], inputs


def test_a_profile_takes_a_rule_group_and_a_priority_once_and_holds_the_group_fast(cloud: Deployment) -> None:
    one, other = (cloud.create(RULE_GROUP, name, {})[0] for name in ("one", "other"))
    link, held = in_profile(cloud, one)
    assert "priority 101 is that of" in refused(in_profile, cloud, other)
    in_profile(cloud, other, 102)
    in_profile(cloud, one, 101, "rp-0a1c")
    assert "rp-0a1b" in refused(in_profile, cloud, one, 103)
    assert "it is in the Profile" in refused(cloud.delete, RULE_GROUP, one)
    moved = {**held, "resourceProperties": '{"priority": 500}'}
    assert "resourceProperties cannot change" in refused(cloud.update, PROFILE_RESOURCE, link, moved)
    cloud.delete(PROFILE_RESOURCE, link)
    in_profile(cloud, one, 103)


def test_a_profile_has_five_rule_groups_whatever_else_it_brings(cloud: Deployment) -> None:
    groups = [cloud.create(RULE_GROUP, f"g{number}", {})[0] for number in range(6)]
    for number in range(2):
        zone = {"profileId": "rp-0a1b", "resourceArn": f"arn:aws:route53:::hostedzone/Z{number}"}
        cloud.create(PROFILE_RESOURCE, f"zone{number}", zone)
    for place, each in enumerate(groups[:5]):
        in_profile(cloud, each, 200 + place)
    said = refused(in_profile, cloud, groups[5], 900)
    assert "rp-0a1b has 5 rule groups already (quota L-F8A07EF1)" in said
    in_profile(cloud, groups[5], 900, "rp-0a1c")


def test_what_else_a_profile_brings_needs_no_priority(cloud: Deployment) -> None:
    zone = {"profileId": "rp-0a1b", "resourceArn": "arn:aws:route53:::hostedzone/Z1"}
    assert not list(CLOUD.check(PROFILE_RESOURCE, zone))
    cloud.create(PROFILE_RESOURCE, "zone", zone)
