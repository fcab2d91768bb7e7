"""What stands behind an AWS firewall, judged by the service's own order."""

from dataclasses import replace
from typing import Any

import pytest

from hostgate.aws.evaluate import FIREWALL, POLICY, RULE_GROUP, VPC, places
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide

ALLOW = 'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (tls.sni; content:"cgr.dev"; startswith; endswith; nocase; sid:1;)'
DROP = ("aws:drop_established_app_layer_to_server",)
CGR = Flow("cgr.dev", source="10.1.2.3")
EVIL = Flow("evil.example", source="10.1.2.3")


def group(name: str, source: object, **more: Any) -> Resource:
    properties = {"arn": f"arn:{name}", "type": "STATEFUL", "ruleGroup": {"rulesSource": source, **more}}
    return Resource(urn=f"urn:{name}", type=RULE_GROUP, name=name, properties=properties)


def policy(*arns: Any, order: str = "STRICT_ORDER", default: tuple[str, ...] = DROP, home: bool = True,
           stateless: str = "aws:forward_to_sfe", **more: Any) -> Resource:  # fmt: skip
    references = [{"resourceArn": arn, "priority": at} for at, arn in enumerate(arns, start=1)]
    body: dict[str, Any] = {
        "statelessDefaultActions": [stateless], "statefulEngineOptions": {"ruleOrder": order},
        "statefulDefaultActions": list(default) if order == "STRICT_ORDER" else [],
        "statefulRuleGroupReferences": references,
    }  # fmt: skip
    if home:
        ranges = {"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}
        body["policyVariables"] = {"ruleVariables": [ranges]}
    return Resource(urn="urn:p", type=POLICY, name="p", properties={"firewallPolicy": body, "arn": "arn:p"}, **more)


def place(*resources: Resource) -> Place:
    (found,) = places(Snapshot(resources, "made"))
    return found


def test_a_stateless_pass_lets_everything_by_uninspected() -> None:
    here = place(policy("arn:g", stateless="aws:pass"), group("g", {"rulesString": ALLOW}))
    assert (decide(here, EVIL).action, decide(here, EVIL).rule) == ("allow", "aws:pass")
    assert decide(place(policy("arn:g"), group("g", {"rulesString": ALLOW})), EVIL).action == "block"


LIST = {"rulesSourceList": {"generatedRulesType": "ALLOWLIST", "targets": ["cgr.dev"], "targetTypes": ["TLS_SNI"]}}


@pytest.mark.parametrize(("order", "evil"), [("DEFAULT_ACTION_ORDER", "block"), ("STRICT_ORDER", "allow")])
def test_an_allow_list_drops_other_names_in_action_order_alone(order: str, evil: str) -> None:
    here = place(policy("arn:g", order=order, default=()), group("g", LIST))
    assert decide(here, CGR).action == "allow"
    assert decide(here, EVIL).action == evil
    assert decide(here, Flow("x.dev", 80, "http", source="10.1.2.3")).action == "allow"  # the list is about TLS


@pytest.mark.parametrize(
    ("kind", "types", "default", "cgr", "evil"),
    [
        ("ALLOWLIST", ["TLS_SNI", "AWS_ROUTE_53_RESOLVED_DOMAIN"], DROP, "unknown", "block"),
        ("ALLOWLIST", ["AWS_ROUTE_53_RESOLVED_DOMAIN"], DROP, "unknown", "block"),
        ("DENYLIST", ["AWS_ROUTE_53_RESOLVED_DOMAIN"], (), "unknown", "allow"),
        ("DENYLIST", ["TLS_SNI", "AWS_ROUTE_53_RESOLVED_DOMAIN"], (), "block", "allow"),
        ("ALLOWLIST", ["A_TARGET_TYPE_TO_COME"], DROP, "unknown", "unknown"),
    ],
)
def test_a_list_of_resolved_names_is_about_addresses_that_nobody_here_knows(
    kind: str, types: list[str], default: tuple[str, ...], cgr: str, evil: str
) -> None:
    listed = {"rulesSourceList": {"generatedRulesType": kind, "targets": ["cgr.dev"], "targetTypes": types}}
    here = place(policy("arn:g", default=default), group("g", listed))
    assert (decide(here, CGR).action, decide(here, EVIL).action) == (cgr, evil)


def test_a_resolved_name_and_a_server_name_stand_together_in_an_allow_list_alone() -> None:
    types = ["TLS_SNI", "AWS_ROUTE_53_RESOLVED_DOMAIN"]
    spoofed = replace(CGR, name="evil.example", sni="cgr.dev")
    for kind, default, action in (("ALLOWLIST", DROP, "unknown"), ("DENYLIST", (), "block")):
        listed = {"rulesSourceList": {"generatedRulesType": kind, "targets": ["cgr.dev"], "targetTypes": types}}
        assert decide(place(policy("arn:g", default=default), group("g", listed)), spoofed).action == action


def test_a_setting_of_the_policy_that_is_not_known_here_leaves_every_verdict_open() -> None:
    """Such as the validation of resolved addresses (API reference, Route53ResolvedIPValidation, 2026-11)."""
    found = policy("arn:g")
    body = {**found.properties["firewallPolicy"], "route53ResolvedIpValidation": {"action": "DROP"}}
    here = place(
        replace(found, properties={**found.properties, "firewallPolicy": body}), group("g", {"rulesString": ALLOW})
    )
    assert decide(here, CGR).action == "unknown"
    assert "route53ResolvedIpValidation" in decide(here, CGR).why


@pytest.mark.parametrize(
    ("stray", "opens"),
    [
        ("pass ipv4 any any -> any any (sid:9;)", True),
        ("PASS\ttcp  [10.0.0.0/8, 11.0.0.0/8] any -> any any (sid:9;)", True),
        ("pass tcp any any <> any 443 (sid:9;)", True),
        ("pass ipv6 any any -> any any (sid:9;)", False),
        ("  # pass tcp any any -> any any (sid:9;)", False),
    ],
)
def test_a_stray_pass_beside_the_allowlist_opens_what_it_says(stray: str, opens: bool) -> None:
    here = place(policy("arn:g", "arn:s", order="DEFAULT_ACTION_ORDER"), group("g", {"rulesString": ALLOW}),
                 group("s", {"rulesString": f"{stray}\ndrop tls any any -> any any (sid:10;)"}))  # fmt: skip
    assert decide(here, EVIL).action == ("allow" if opens and "443" not in stray else decide(here, EVIL).action)
    if not opens:
        assert decide(here, EVIL).action == "block"


def test_groups_that_are_not_in_the_snapshot_may_do_anything_wherever_they_stand() -> None:
    ours = group("g", {"rulesString": ALLOW})
    assert decide(place(policy("arn:aws:managed/Threats", "arn:g"), ours), CGR).action == "unknown"
    # Below ours too: the handshake comes to it before there is a name.
    assert decide(place(policy("arn:g", "arn:aws:managed/Threats"), ours), CGR).action == "unknown"
    assert decide(place(policy("arn:g", "arn:aws:managed/Threats"), ours), EVIL).action == "unknown"


def test_what_nobody_can_read_is_said_with_the_reason() -> None:
    found = decide(place(policy("arn:g"), group("g", UNKNOWN)), EVIL)
    assert "g makes it allow (its rules are not known yet)" in found.lacks


@pytest.mark.parametrize(
    "body",
    [
        {"rulesSource": {"rulesString": 5}},
        {"rulesSource": {}},
        {"rulesSource": "x"},
        "x",
        [],
        [{}, {}],
        {"rulesSource": {"statefulRules": "x"}},
        {"rulesSource": {"rulesSourceList": {**LIST["rulesSourceList"], "generatedRulesType": "A_KIND_TO_COME"}}},
        {"rulesSource": {"rulesSourceList": {"generatedRulesType": "DENYLIST", "targets": ["evil.example"]}}},
        {"rulesSource": {"statefulRules": [{"action": "NEW", "header": {}}]}},
    ],
)
def test_a_value_of_another_form_than_is_wanted_is_not_known_and_never_nothing(body: Any) -> None:
    properties = {"arn": "arn:s", "type": "STATEFUL", "ruleGroup": body}
    other = Resource(urn="urn:s", type=RULE_GROUP, name="s", properties=properties)
    here = place(policy("arn:s", "arn:g"), other, group("g", {"rulesString": ALLOW}))
    assert decide(here, CGR).action == "unknown"


def test_a_resource_of_which_nothing_is_known_may_do_anything() -> None:
    other = Resource(urn="urn:s", type=RULE_GROUP, name="s", id="arn:s", properties={})
    assert decide(place(policy("arn:s", "arn:g"), other, group("g", {"rulesString": ALLOW})), CGR).action == "unknown"
    nothing = Resource(urn="urn:p", type=POLICY, name="p", properties={"arn": "arn:p"})
    assert decide(place(nothing), CGR).action == "unknown"


def test_a_list_of_one_object_is_that_object() -> None:
    found = group("g", {"rulesString": ALLOW})
    listed = replace(found, properties={**found.properties, "ruleGroup": [found.properties["ruleGroup"]]})
    here = place(policy("arn:g"), listed)
    assert (decide(here, CGR).action, decide(here, EVIL).action) == ("allow", "block")


def test_a_range_that_is_none_leaves_a_stateless_rule_in_doubt_for_every_client() -> None:
    rule = {"priority": 1, "ruleDefinition": {"actions": ["aws:pass"], "matchAttributes": {
        "sources": [{"addressDefinition": "10.0.0.0/99"}]}}}  # fmt: skip
    source = {"statelessRulesAndCustomActions": {"statelessRules": [rule]}}
    first = group("s", source)
    first = replace(first, properties={**first.properties, "type": "STATELESS"})
    found = policy("arn:g")
    body = found.properties["firewallPolicy"] | {
        "statelessRuleGroupReferences": [{"resourceArn": "arn:s", "priority": 1}]
    }
    here = place(replace(found, properties={**found.properties, "firewallPolicy": body}), first,
                 group("g", {"rulesString": ALLOW}))  # fmt: skip
    assert decide(here, replace(EVIL, source=None)).action == "unknown"


def test_a_protocol_that_nobody_knows_may_be_any() -> None:
    header = {"protocol": "NEWPROTO", "source": "ANY", "sourcePort": "ANY", "destination": "ANY", "destinationPort": "443",
              "direction": "FORWARD"}  # fmt: skip
    rule = {"action": "PASS", "header": header, "ruleOptions": [{"keyword": "sid", "settings": ["1"]}]}
    assert decide(place(policy("arn:g"), group("g", {"statefulRules": [rule]})), EVIL).action == "unknown"


@pytest.mark.parametrize("range_", ["10.0.0.0/99", "banana", "@elsewhere,$NOPE"])
def test_a_home_net_that_the_engine_refuses_is_said_and_no_traceback(range_: str) -> None:
    found = policy("arn:g", home=False)
    variables = {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": [range_]}}]}
    body = {**found.properties["firewallPolicy"], "policyVariables": variables}
    here = place(
        replace(found, properties={**found.properties, "firewallPolicy": body}), group("g", {"rulesString": ALLOW})
    )
    assert decide(here, CGR).action == "unknown"
    assert any("which the engine refuses" in each for each in here.assumptions)


def test_a_first_preview_finds_its_group_by_what_the_reference_is_made_from() -> None:
    made = {"firewallPolicy": frozenset({"urn:g"})}
    here = place(policy(UNKNOWN, property_dependencies=made), group("g", {"rulesString": ALLOW}))
    assert decide(here, CGR).action == "allow"
    assert decide(here, EVIL).action == "block"


def test_home_net_of_a_policy_without_one_is_the_range_of_the_firewalls_vpc() -> None:
    vpc = Resource(urn="urn:v", type=VPC, name="v", id="vpc-1", properties={"cidrBlock": "10.1.0.0/16"})
    firewall = Resource(
        urn="urn:f", type=FIREWALL, name="f", properties={"firewallPolicyArn": "arn:p", "vpcId": "vpc-1"}
    )
    resources = (policy("arn:g", home=False), group("g", {"rulesString": ALLOW}), firewall)
    assert decide(place(*resources, vpc), CGR).action == "allow"
    assert decide(place(*resources, vpc), Flow("cgr.dev", source="10.2.0.1")).action == "block"
    assert decide(place(*resources), CGR).action == "unknown"


def test_home_net_of_a_policy_without_one_has_every_range_that_the_stack_associates_with_the_vpc() -> None:
    vpc = Resource(urn="urn:v", type=VPC, name="v", id="vpc-1", properties={"cidrBlock": "10.1.0.0/16"})
    firewall = Resource(
        urn="urn:f", type=FIREWALL, name="f", properties={"firewallPolicyArn": "arn:p", "vpcId": "vpc-1"}
    )

    def verdict(source: str, kind: str = "Ipv4", **properties: Any) -> str:
        second = Resource(urn="urn:c", type=f"aws:ec2/vpc{kind}CidrBlockAssociation:Vpc{kind}CidrBlockAssociation", name="c",
                          properties={"vpcId": "vpc-1", **properties})  # fmt: skip
        resources = (policy("arn:g", home=False), group("g", {"rulesString": ALLOW}), firewall, vpc, second)
        return decide(place(*resources), Flow("cgr.dev", source=source)).action

    assert verdict("100.64.0.7", cidrBlock="100.64.0.0/16") == "allow"
    assert verdict("2001:db8::7", "Ipv6", ipv6CidrBlock="2001:db8::/56") == "allow"
    assert verdict("100.64.0.7", cidrBlock=UNKNOWN) == verdict("2001:db8::7", "Ipv6") == "unknown"
    assert verdict("100.64.0.7", cidrBlock="100.64.0.0/16", vpcId="vpc-2") == "block"


def test_external_net_does_not_follow_a_groups_own_home_net() -> None:
    own = {"ipSets": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.1.0.0/16"]}}]}
    here = place(policy("arn:g"), group("g", {"rulesString": ALLOW}, ruleVariables=own))
    assert decide(here, Flow("cgr.dev", source="10.1.2.3", address="10.9.9.9")).action == "block"
    assert decide(here, Flow("cgr.dev", source="10.2.2.3")).action == "block"
    nobody = place(policy("arn:g", home=False), group("g", {"rulesString": ALLOW}, ruleVariables=own))
    assert decide(nobody, Flow("cgr.dev", source="10.1.2.3", address="10.9.9.9")).action == "unknown"


def test_the_twin_providers_resources_are_read_alike() -> None:
    rules = Resource(urn="urn:g", type="aws-native:networkfirewall:RuleGroup", name="g", properties={
        "ruleGroupArn": "arn:g", "type": "STATEFUL", "ruleGroup": {
            "rulesSource": {"rulesString": ALLOW.replace("443", "$WEB")},
            "ruleVariables": {"portSets": {"WEB": {"definition": ["443"]}}}}})  # fmt: skip
    body = {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statefulDefaultActions": list(DROP),
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"},
        "statefulRuleGroupReferences": [{"resourceArn": "arn:g", "priority": 1}],
        "policyVariables": {"ruleVariables": {"HOME_NET": {"definition": ["10.0.0.0/8"]}}},
    }  # fmt: skip
    twin = Resource(
        urn="urn:p", type="aws-native:networkfirewall:FirewallPolicy", name="p", properties={"firewallPolicy": body}
    )
    here = place(twin, rules)
    assert [decide(here, flow).action for flow in (CGR, EVIL)] == ["allow", "block"]
    assert decide(here, Flow("cgr.dev", 8443, source="10.1.2.3")).action == "block"


def test_a_home_net_of_everything_is_no_traceback() -> None:
    all_of_it = {"ipSets": [{"key": "EXTERNAL_NET", "ipSet": {"definitions": ["!0.0.0.0/0", "!::/0"]}}]}
    assert decide(place(policy("arn:g"), group("g", LIST, ruleVariables=all_of_it)), EVIL).action == "unknown"


def test_whether_the_server_speaks_first_is_a_question_of_rules_about_its_greeting_alone() -> None:
    """SSH passes by the first rule, and what a client sends first is dropped by the second (replayed on 7.0.10)."""
    rules = (
        "pass tcp any any -> $HOME_NET any (app-layer-protocol:!tls; sid:1;)\n"
        "drop tcp $HOME_NET any -> any any (flow:to_server,established; sid:2;)"
    )
    here = place(policy("arn:g", default=()), group("g", {"rulesString": rules}))
    greeted = decide(here, Flow("git.example", 22, "tcp", source="10.1.2.3"))
    assert (greeted.action, greeted.lacks) == ("unknown", ("the server speaks first, and 1 is asked of that",))
    assert decide(here, EVIL).action == "block"
    only = place(policy("arn:g"), group("g", {"rulesString": rules.partition("\n")[2]}))
    assert decide(only, Flow("git.example", 22, "tcp", source="10.1.2.3")).action == "block"


@pytest.mark.parametrize("kind", ["ALLOWLIST", "DENYLIST"])
def test_a_flow_that_names_no_client_is_one_from_within_home_net(kind: str) -> None:
    names = ["cgr.dev"] if kind == "ALLOWLIST" else ["evil.example"]
    listed = {"rulesSourceList": {**LIST["rulesSourceList"], "generatedRulesType": kind, "targets": names}}
    here = place(policy("arn:g", order="DEFAULT_ACTION_ORDER", default=()), group("g", listed))
    assert decide(here, Flow("evil.example")).action == decide(here, EVIL).action == "block"
    assert decide(here, Flow("cgr.dev")).action == "allow"
    assert decide(here, Flow("evil.example", source="11.0.0.1")).action == "allow"


def test_two_hundred_rules_by_address_are_one_question_to_a_flow_without_an_address() -> None:
    rules = "\n".join(
        f"pass tcp any any -> 20.0.0.{last} 443 (flow:to_server,established; sid:{last + 1};)" for last in range(200)
    )
    here = place(policy("arn:g", default=("aws:drop_established",)), group("g", {"rulesString": rules}))
    assert decide(here, Flow("x.example", source="10.1.2.3")).action == "unknown"
    assert decide(here, Flow("x.example", source="10.1.2.3", address="20.0.1.1")).action == "block"


LITERAL = "arn:aws:network-firewall:eu-west-1:111111111111:stateful-rulegroup/g"


@pytest.mark.parametrize(
    ("arn", "of_group", "beside", "action"),
    [
        (LITERAL, {}, "", "allow"),
        (LITERAL, {"region": "eu-west-1"}, LITERAL.replace("/g", "/h"), "allow"),
        (LITERAL, {"region": UNKNOWN}, "", "allow"),
        (LITERAL, {"region": "us-east-1"}, "", "unknown"),
        (LITERAL, {}, LITERAL.replace("1111:", "2222:"), "unknown"),
        (LITERAL, {}, LITERAL.replace("eu-west-1", "us-east-1"), "unknown"),
        (LITERAL, {"type": "STATELESS"}, "", "unknown"),
        (LITERAL.replace("111111111111", "aws-managed"), {}, "", "block"),
        (LITERAL, {"name": "other"}, "", "unknown"),
    ],
)
def test_a_literal_arn_is_a_group_that_is_not_made_yet_where_nothing_says_otherwise(
    arn: str, of_group: dict[str, Any], beside: str, action: str
) -> None:
    made = group("g", {"rulesString": ALLOW})
    planned = replace(made, properties={**made.properties, "arn": UNKNOWN, "name": "g", **of_group})
    other = replace(made, urn="urn:other", properties={**made.properties, "arn": beside, "name": "h"})
    here = place(policy(arn), planned, *([other] if beside else []))
    assert decide(here, CGR).action == action
    assert (f"{arn} is g, whose ARN is not known yet." in here.assumptions) is (action == "allow")
