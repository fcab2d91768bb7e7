"""AWS's types of the provider generated from CloudFormation: they are judged as those of the classic one that they are."""

from typing import Any

import pytest

from hostgate.aws import evaluate_queries
from hostgate.aws.evaluate import places
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide

ALLOW: dict[str, Any] = {"action": "ALLOW", "priority": 1, "firewallDomainListId": "l-1",
                         "firewallDomainRedirectionAction": "TRUST_REDIRECTION_DOMAIN"}  # fmt: skip
BLOCK: dict[str, Any] = {"action": "BLOCK", "blockResponse": "NODATA", "priority": 2, "firewallDomainListId": "l-2"}
LISTED, EVERY = (
    Resource(urn=f"urn:{id_}", type="aws-native:route53resolver:FirewallDomainList", name=id_, id=id_,
             properties={"domains": domains})
    for id_, domains in (("l-1", ["cgr.dev"]), ("l-2", ["*."]))
)  # fmt: skip
ASSOCIATION = Resource(
    urn="urn:a", type="aws-native:route53resolver:FirewallRuleGroupAssociation", name="a",
    properties={"firewallRuleGroupId": "g-1", "vpcId": "vpc-1", "priority": 101},
)  # fmt: skip


def group(rules: Any, made_from: tuple[str, ...] = ()) -> Resource:
    made = {"firewallRules": frozenset(made_from)} if made_from else {}
    return Resource(urn="urn:g", type="aws-native:route53resolver:FirewallRuleGroup", name="g", id="g-1",
                    properties={"firewallRules": rules}, property_dependencies=made)  # fmt: skip


def asked(*resources: Resource, name: str = "evil.example") -> Verdict:
    (place,) = evaluate_queries.places(Snapshot(resources, "a stack"))
    return decide(place, Flow(name))


def test_rules_that_stand_in_their_group_are_asked_by_priority() -> None:
    stack = (ASSOCIATION, group([BLOCK, ALLOW]), LISTED, EVERY)
    assert asked(*stack, name="cgr.dev").action == "allow"
    assert asked(*stack).action == "block"


def test_a_rule_for_one_query_type_is_for_that_type() -> None:
    aaaa = group([{**BLOCK, "qtype": "AAAA"}])
    (place,) = evaluate_queries.places(Snapshot((ASSOCIATION, aaaa, EVERY), "a stack"))
    assert decide(place, Flow("cgr.dev", address="2001:db8::1")).action == "block"
    assert decide(place, Flow("cgr.dev", address="192.0.2.1")).action == "allow"


def test_a_route_53_profile_brings_its_rule_groups_to_a_vpc_and_one_of_others_nobody_knows_what() -> None:
    def one(kind: str, **properties: Any) -> Resource:
        return Resource(urn=f"urn:{kind}", type=f"aws:route53/p{kind[1:]}:{kind}", name=kind, properties=properties)

    stack = (group([BLOCK, ALLOW]), LISTED, EVERY)
    arn = "arn:aws:route53resolver:eu-central-1:1:firewall-rule-group/g-1"
    brought = one("ProfilesResourceAssociation", profileId="rp-1", resourceArn=arn)
    attached = one("ProfilesAssociation", profileId="rp-1", resourceId="vpc-1")
    (place,) = evaluate_queries.places(Snapshot((*stack, brought, attached), "a stack"))
    assert place.name == "vpc-1"
    assert (decide(place, Flow("cgr.dev")).action, decide(place, Flow("evil.example")).action) == ("allow", "block")
    (place,) = evaluate_queries.places(Snapshot((*stack, brought), "a stack"))
    assert "in a Route 53 Profile" in place.remark
    own = {"firewallRuleGroupId": "other", "vpcId": "vpc-1", "priority": 101}
    beside = Resource(urn="urn:b", type=ASSOCIATION.type, name="b", properties=own)
    assert asked(*stack, brought, attached, beside, name="cgr.dev").action == "unknown"
    assert asked(ASSOCIATION, *stack, attached, name="cgr.dev").action == "unknown"
    zone = one("ProfilesResourceAssociation", profileId="rp-1", resourceArn="arn:aws:route53:::hostedzone/Z1")
    assert asked(ASSOCIATION, *stack, zone, attached, name="cgr.dev").action == "allow"


@pytest.mark.parametrize("rules", [UNKNOWN, [UNKNOWN], [{**BLOCK, "action": UNKNOWN}]])
def test_rules_that_are_not_known_yet_are_no_answer(rules: Any) -> None:
    assert asked(ASSOCIATION, group(rules), EVERY).action == "unknown"


def test_a_list_whose_names_are_in_a_file_elsewhere_is_not_empty() -> None:
    elsewhere = Resource(
        urn="urn:f", type=LISTED.type, name="l-1", id="l-1", properties={"domainFileUrl": "s3://b/names"}
    )
    assert asked(ASSOCIATION, group([ALLOW, BLOCK]), elsewhere, EVERY).action == "unknown"


def test_a_list_that_may_be_either_of_two_is_not_known() -> None:
    blank = [{**each, "firewallDomainListId": UNKNOWN} for each in (ALLOW, BLOCK)]
    stack = (ASSOCIATION, group(blank, (LISTED.urn, EVERY.urn)), LISTED, EVERY)
    assert asked(*stack).action == "unknown"


@pytest.mark.parametrize(
    ("second", "made_from", "cgr"),
    [
        ({**BLOCK, "priority": 2}, (LISTED.urn, EVERY.urn), "allow"),  # the other rule names its list
        ({**BLOCK, "firewallDomainListId": UNKNOWN}, (LISTED.urn,), "unknown"),
        ({**BLOCK, "priority": 2}, (EVERY.urn, "urn:of-another-stack"), "unknown"),
    ],
)
def test_one_list_is_not_that_of_two_rules(second: dict[str, Any], made_from: tuple[str, ...], cgr: str) -> None:
    rules = [{**ALLOW, "firewallDomainListId": UNKNOWN}, second]
    assert asked(ASSOCIATION, group(rules, made_from), LISTED, EVERY, name="cgr.dev").action == cgr


def firewall(entries: Any, *more: Resource) -> Verdict:
    rules = "pass tls $HOME_NET any -> @OPEN any (sid:1;)"
    held = Resource(urn="urn:r", type="aws-native:networkfirewall:RuleGroup", name="r", properties={
        "ruleGroupArn": "arn:r", "ruleGroup": {
            "rulesSource": {"rulesString": rules},
            "referenceSets": {"ipSetReferences": {"OPEN": {"referenceArn": "arn:pl"}}}}})  # fmt: skip
    body = {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statefulDefaultActions": ["aws:drop_established"],
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"},
        "statefulRuleGroupReferences": [{"resourceArn": "arn:r", "priority": 1}],
        "policyVariables": {"ruleVariables": {"HOME_NET": {"definition": ["10.0.0.0/8"]}}},
    }  # fmt: skip
    policy = Resource(
        urn="urn:p", type="aws-native:networkfirewall:FirewallPolicy", name="p", properties={"firewallPolicy": body}
    )
    listed = {"arn": "arn:pl", **({} if entries is None else {"entries": entries})}
    prefixes = Resource(urn="urn:l", type="aws:ec2/managedPrefixList:ManagedPrefixList", name="l", properties=listed)
    (place,) = places(Snapshot((policy, held, prefixes, *more), "a stack"))
    return decide(place, Flow("cgr.dev", address="34.1.0.1", source="10.1.2.3"))


def test_a_set_of_addresses_is_found_by_its_name() -> None:
    assert firewall([{"cidr": "34.0.0.0/8"}]).action == "allow"
    assert firewall([{"cidr": "35.0.0.0/8"}]).action == "block"


def test_a_prefix_list_whose_entries_stand_beside_it_is_not_empty() -> None:
    entry = Resource(urn="urn:e", type="aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", name="e",
                     properties={"cidr": "34.0.0.0/8", "prefixListId": UNKNOWN})  # fmt: skip
    assert firewall(None, entry).action == "unknown"
