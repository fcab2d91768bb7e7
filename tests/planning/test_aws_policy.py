"""The policy of an AWS plan and what stands around it: default actions, managed groups, firewall, logs, share, Regions."""

import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, many, selection
from hostgate.aws.default_actions import ALERT_TO_SERVER, DEFAULT_ACTIONS, DROP_TO_SERVER
from hostgate.aws.firewall_kinds import POLICY
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.flows.verdicts import decide
from hostgate.planning.findings import Finding
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, plan

HOSTS = selection([entry(), entry("plain.vendor.example", port=80, protocol="http")])
AWS_OWNED = "arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/{}StrictOrder"
PARTNER = "arn:aws:network-firewall:eu-central-1:210987654321:stateful-rulegroup/{}"
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/egress"
VPC: dict[str, Any] = {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}]}
GATEWAY: dict[str, Any] = {"transitGatewayId": "tgw-1", "availabilityZoneIds": ["euc1-az1"]}
ALERTS = {"logType": "ALERT", "logDestinationType": "S3", "logDestination": {"bucketName": "logs"}}

both_mechanisms = pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])


def made(target: str = "aws:rules", **options: Any) -> Plan:
    return plan(HOSTS, target, options)


def policy(of: Plan) -> dict[str, Any]:
    (found,) = [each.body["FirewallPolicy"] for each in of.objects if each.kind.endswith("::FirewallPolicy")]
    return dict(found)


def the(of: Plan, kind: str) -> dict[str, Any]:
    (found,) = [each.body for each in of.objects if each.kind.endswith(f"::{kind}")]
    return dict(found)


def about(of: Plan, id_: str) -> list[Finding]:
    return [one for one in of.findings if one.id == id_]


# Default actions


def mixes(actions: tuple[str, ...]) -> bool:
    """What cdk-preflight measured on the service on 2026-09-25, written down again; the to_server pair as app-layer."""
    drops = [action for action in actions if "drop" in action]
    plain = [action for action in actions if action.endswith("_established")]
    layered = [action for action in actions if "app_layer" in action]
    return len(drops) <= 1 and not (plain and layered)


CHOICES = [
    choice
    for size in (1, 2, 3)
    for choice in itertools.combinations(DEFAULT_ACTIONS, size)
    if "aws:drop_strict" not in choice and any("drop" in action for action in choice)
]


@pytest.mark.parametrize(
    "actions", CHOICES, ids=lambda actions: "+".join(each.removeprefix("aws:") for each in actions)
)
def test_default_actions_that_the_service_takes_together_are_taken_and_others_refused(actions: tuple[str, ...]) -> None:
    if mixes(actions):
        assert policy(made(defaultActions=list(actions)))["StatefulDefaultActions"] == list(actions)
    else:
        with pytest.raises(InputError, match="defaultActions: found"):
            made(defaultActions=list(actions))


@pytest.mark.parametrize("actions", [choice for choice in CHOICES if mixes(choice)], ids=str)
@pytest.mark.parametrize("silence", [{"mode": "audit"}, {"deny": "none"}], ids=str)
def test_audit_and_deny_none_log_what_the_chosen_drop_would_drop(
    actions: tuple[str, ...], silence: dict[str, str]
) -> None:
    chosen = policy(made(defaultActions=list(actions), **silence))["StatefulDefaultActions"]
    assert chosen
    assert not any("drop" in action for action in chosen)
    alerts = [action for action in actions if "alert" in action]
    assert chosen == (alerts or [actions[0].replace("drop", "alert")])


def test_the_usual_pair_has_no_finding_and_any_other_says_what_it_costs() -> None:
    assert about(made(defaultActions=[DROP_TO_SERVER, ALERT_TO_SERVER]), "default-action") == []
    (hello,) = about(made(defaultActions=["aws:drop_established", "aws:alert_established"]), "default-action")
    assert "hello in two packets" in hello.message
    (silent,) = about(made(defaultActions=[DROP_TO_SERVER]), "default-action")
    assert "drops in silence" in silent.message


def test_an_action_that_nobody_knows_is_passed_on_with_a_finding() -> None:
    of = made(defaultActions=["aws:drop_established_next", "aws:alert_strict"])
    assert policy(of)["StatefulDefaultActions"] == ["aws:drop_established_next", "aws:alert_strict"]
    (unknown,) = about(of, "unknown-default-action")
    assert (unknown.severity, "aws:drop_established_next" in unknown.message) == ("warning", True)
    assert not of.verdict(Flow("evil.example")).allows
    assert policy(made(defaultActions=["aws:drop_established_next"], mode="audit"))["StatefulDefaultActions"] == [
        ALERT_TO_SERVER
    ]


# Managed groups


@both_mechanisms
@given(
    st.lists(
        st.tuples(st.booleans(), st.one_of(st.none(), st.integers(50, 999)), st.booleans()),
        max_size=12,
        unique_by=lambda t: t[1] or object(),
    )
)
def test_managed_groups_come_before_every_group_of_the_plan_and_nobody_knows_what_they_drop(
    target: str, wanted: list[tuple[bool, int | None, bool]]
) -> None:
    groups: list[dict[str, Any]] = []
    for number, (ours, priority, watched) in enumerate(wanted):
        group: dict[str, Any] = {"arn": (AWS_OWNED if ours else PARTNER).format(f"G{number}")}
        group |= {"priority": priority} if priority else {}
        groups.append(group | ({"override": "DROP_TO_ALERT"} if watched else {}))
    of, without = made(target, managedGroups=groups), made(target)
    references = policy(of)["StatefulRuleGroupReferences"]
    priorities = [reference["Priority"] for reference in references]
    assert priorities == sorted(set(priorities))
    assert len(references) == len(groups) + len(policy(without)["StatefulRuleGroupReferences"])
    assert {reference["ResourceArn"] for reference in references[: len(groups)]} == {group["arn"] for group in groups}
    assert references[len(groups) :] == policy(without)["StatefulRuleGroupReferences"]
    assert [reference.get("Override") for reference in references].count({"Action": "DROP_TO_ALERT"}) == sum(
        watched for *_, watched in wanted
    )
    may_drop = any(not watched for *_, watched in wanted)
    may_pass = any(not ours for ours, *_ in wanted)
    for name, port in (("cgr.dev", 443), ("cgr.dev", 8443), ("evil.example", 443)):
        alone = without.verdict(Flow(name, port)).action
        told = may_drop if alone == "allow" else may_pass
        assert of.verdict(Flow(name, port)).action == ("unknown" if told else alone)


def test_one_managed_group_more_moves_no_other() -> None:
    first = [{"arn": AWS_OWNED.format(name)} for name in ("A", "B")]
    before = policy(made(managedGroups=first))["StatefulRuleGroupReferences"]
    after = policy(made(managedGroups=[*first, {"arn": AWS_OWNED.format("C")}]))["StatefulRuleGroupReferences"]
    assert [reference for reference in after if reference not in before] == [
        {"ResourceArn": AWS_OWNED.format("C"), "Priority": 3}
    ]


def test_managed_groups_count_towards_the_groups_of_a_policy() -> None:
    nineteen = [{"arn": AWS_OWNED.format(f"G{number}")} for number in range(19)]
    over = made(managedGroups=nineteen)
    assert not over.ok
    assert "stateful rule groups of a policy: needs 21, allowed 20" in about(over, "limit-exceeded")[0].message
    assert made(managedGroups=nineteen[:18]).ok


def test_a_group_that_aws_does_not_maintain_is_said_to_open_what_it_passes() -> None:
    assert about(made(managedGroups=[{"arn": AWS_OWNED.format("A")}]), "foreign-groups") == []
    of = made(managedGroups=[{"arn": AWS_OWNED.format("A")}, {"arn": PARTNER.format("B")}])
    (foreign,) = about(of, "foreign-groups")
    assert (foreign.severity, foreign.message.startswith("B: not of AWS")) == ("warning", True)
    (managed,) = about(of, "managed-groups")
    assert managed.message.startswith("AStrictOrder, B: judged before every rule of the plan")


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        ({}, "though the catalog allows it"),
        ({"mode": "audit"}, "though nothing of the plan drops"),
        ({"deny": "none"}, "though nothing"),
    ],
    ids=str,
)
def test_what_managed_groups_drop_is_said_in_audit_too(silence: dict[str, str], words: str) -> None:
    of = made(managedGroups=[{"arn": AWS_OWNED.format("A")}], **silence)
    assert words in about(of, "managed-groups")[0].message
    assert (the(of, "FirewallPolicy")["Description"] == "hostgate: only managed groups drop") == bool(silence)


def test_a_default_that_drops_handshakes_cuts_what_is_passed_by_name() -> None:
    """No plan makes such a policy; one that somebody else made is judged as the engine would."""
    whole_plan = made()
    objects = whole_plan.objects
    (whole,) = [each for each in objects if each.kind == POLICY]
    strict = {**whole.body["FirewallPolicy"], "StatefulDefaultActions": ["aws:drop_strict"]}
    changed = [
        dataclasses.replace(each, body={**each.body, "FirewallPolicy": strict}) if each is whole else each
        for each in objects
    ]

    def verdict(flow: Flow) -> str:
        return decide(mechanism(whole_plan.target).place(changed, whole_plan.options), flow).action

    assert verdict(Flow("cgr.dev")) == "block"
    assert (
        verdict(Flow("db.internal", 5432, "tcp", address="10.1.2.3")) == "allow"
    )  # passed by address, from the first packet


# Firewall, logs, TLS inspection, share, Regions


@both_mechanisms
def test_a_firewall_uses_the_policy_of_the_plan(target: str) -> None:
    of = made(target, firewall={**VPC, "deleteProtection": True}, logging=[ALERTS], tags={"team": "platform"})
    firewall = the(of, "Firewall")
    assert firewall["FirewallPolicyArn"].endswith(":firewall-policy/hostgate")
    assert (firewall["VpcId"], firewall["SubnetMappings"]) == ("vpc-1", [{"SubnetId": "subnet-1"}])
    assert (firewall["DeleteProtection"], firewall["SubnetChangeProtection"]) == (True, False)
    assert firewall["Tags"] == [{"Key": "team", "Value": "platform"}]
    assert the(of, "LoggingConfiguration")["FirewallArn"].endswith(f":firewall/{firewall['FirewallName']}")


def test_a_firewall_at_a_transit_gateway_has_zones_and_no_subnets() -> None:
    firewall = the(made(firewall={**GATEWAY, "availabilityZoneChangeProtection": True}), "Firewall")
    assert firewall["TransitGatewayId"] == "tgw-1"
    assert firewall["AvailabilityZoneMappings"] == [{"AvailabilityZone": "euc1-az1"}]
    assert firewall["AvailabilityZoneChangeProtection"]
    assert not {"VpcId", "SubnetMappings", "SubnetChangeProtection"} & set(firewall)


def test_the_trap_of_home_net_is_told_where_a_firewall_is_made() -> None:
    assert about(made(), "home-net") == []
    (trap,) = about(made(firewall=VPC, homeNet=["10.0.0.0/8"]), "home-net")
    assert "HOME_NET of the policy is 10.0.0.0/8." in trap.message
    spoke = Flow("cgr.dev", source="100.64.0.1")
    assert not made(firewall=VPC).verdict(spoke).allows
    assert not made(firewall=VPC).verdict(Flow("evil.example", 53, "udp", source="100.64.0.1")).allows


def test_logs_are_in_one_order_whatever_the_order_of_the_options() -> None:
    flows = {"logType": "FLOW", "logDestinationType": "KinesisDataFirehose", "logDestination": {"deliveryStream": "s"}}
    assert made(firewall=VPC, logging=[ALERTS, flows]).digest == made(firewall=VPC, logging=[flows, ALERTS]).digest


def test_tls_inspection_is_a_part_of_the_policy_and_a_finding() -> None:
    of = made(tlsInspection=TLS)
    assert policy(of)["TLSInspectionConfigurationArn"] == TLS
    assert "without a server name" in about(of, "tls-inspection")[0].message


def test_a_share_has_every_group_of_the_plan_and_nothing_else() -> None:
    of = plan(selection(many(3)), "aws:rules", deny="declared", share={"principals": ["210987654321", "123456789012"]})
    share = the(of, "ResourceShare")
    assert [arn.rpartition("/")[2] for arn in share["resourceArns"]] == ["hostgate-edge", "hostgate-allow"]
    assert share["principals"] == ["123456789012", "210987654321"]
    assert share["allowExternalPrincipals"] is False


def test_regions_are_of_the_program_and_no_part_of_the_objects() -> None:
    of = made(regions=["eu-central-1", "us-east-1"])
    assert of.options.places == ("eu-central-1", "us-east-1")
    assert (of.digest, of.objects) == (made().digest, made().objects)


def test_an_attached_policy_is_told_everything_that_it_must_have() -> None:
    (told,) = about(made(deny="declared"), "attached-policy")
    for part in (
        "aws:forward_to_sfe", "STRICT_ORDER", "REJECT", "HOME_NET at policy level (10.0.0.0/8, ", DROP_TO_SERVER,
        ALERT_TO_SERVER, "references to all groups of the plan, hostgate-edge among them", "at no priority a pass",
        "has to pass before priority 1500",
    ):  # fmt: skip
        assert part in told.message


def test_an_owner_who_stops_datagrams_is_told_what_that_takes() -> None:
    of = made(deny="declared", edge=False)
    (told,) = about(of, "attached-policy")
    assert "A drop of all but TCP before other groups, which leans on no inverse of IPv4 ranges" in told.message
    assert [one.id for one in of.findings[:2]] == ["not-enforced", "datagrams-open"]
    assert about(of, "quic-closed") == []


@pytest.mark.parametrize("deny", ["internet", "all", "none"])
def test_the_edge_group_is_left_out_of_no_policy_of_the_plan(deny: str) -> None:
    with pytest.raises(InputError, match="found edge false with deny"):
        made(deny=deny, edge=False)


FAMILIES: list[tuple[str, dict[str, Any], str | None, str]] = [
    (
        "RFC 1918",
        {},
        "ipv4-only",
        "homeNet has no IPv6 range: IPv6 clients reach none of the hosts, and nothing of theirs gets",
    ),
    ("IPv6 only", {"homeNet": ["2600:1f18::/56"]}, "ipv6-only", "homeNet has no IPv4 range: IPv4 clients reach none"),
    ("both", {"homeNet": ["10.0.0.0/8", "fd00::/8"]}, None, ""),
    (
        "clients of one",
        {"homeNet": ["10.0.0.0/8", "fd00::/8"], "from": ["10.1.0.0/16"]},
        "ipv4-only",
        "`from` has no IPv6",
    ),
    ("audit", {"mode": "audit"}, "ipv4-only", "IPv6 clients match no rule that allows."),
    ("no deny", {"deny": "none"}, "ipv4-only", "IPv6 clients match no rule that allows."),
    ("declared", {"deny": "declared"}, "ipv4-only", "IPv6 clients reach none of the hosts."),
]


@pytest.mark.parametrize(("options", "id_", "words"), [row[1:] for row in FAMILIES], ids=[row[0] for row in FAMILIES])
def test_what_holds_for_each_address_family_is_said(options: dict[str, Any], id_: str | None, words: str) -> None:
    of = plan(HOSTS, "aws:rules", options)
    said = [one for one in of.findings if one.id in ("ipv4-only", "ipv6-only")]
    assert [one.id for one in said] == ([id_] if id_ else [])
    assert all(words in one.message for one in said)


@pytest.mark.parametrize("public", ["8.8.8.0/24", "2600:1f18::/56"])
@pytest.mark.parametrize("protocol", ["udp", "icmp", "gre", "tcp", "https"])
def test_public_ranges_of_home_net_are_cut_as_the_plan_says(public: str, protocol: str) -> None:
    of = made(homeNet=["10.0.0.0/8", "fd00::/8", public])
    (cuts,) = about(of, "deny-cuts")
    assert f"{public} of homeNet too" in cuts.message
    there, client = ("8.8.8.8", "10.1.2.3") if "." in public else ("2600:1f18::8", "fd00::5")
    assert not of.verdict(Flow("other.example", protocol=protocol, address=there, source=client)).allows


A, X = {"arn": AWS_OWNED.format("A")}, PARTNER.format("x")


def destination(**keys: str) -> dict[str, Any]:
    return {"firewall": VPC, "logging": [{**ALERTS, "logDestination": keys}]}


ARN = "arn:aws:network-firewall:eu-west-1:123456789012:firewall-policy/egress"

WRONG: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("a drop of handshakes", {"defaultActions": ["aws:drop_strict"]}, ("aws:drop_strict", "every host would be cut")),
    ("an action of nobody", {"defaultActions": ["drop"]}, ("found drop", "aws:...")),
    ("an action twice", {"defaultActions": [DROP_TO_SERVER] * 2}, ("each once", "at most one drop")),
    ("no drop", {"defaultActions": [ALERT_TO_SERVER]}, ("without a drop", "deny 'internet'", "mode 'audit'")),
    ("no drop for all", {"defaultActions": [ALERT_TO_SERVER], "deny": "all"}, ("without a drop", "deny 'all'")),
    ("a group by name", {"managedGroups": [{"arn": "Botnet"}]}, ("`aws:rules.managedGroups[0].arn`", "'Botnet'", "ARN")),
    ("a policy for a group", {"managedGroups": [{"arn": X.replace("stateful-rulegroup", "firewall-policy")}]}, ("stateful rule",)),
    ("a stateless group", {"managedGroups": [{"arn": X.replace("stateful", "stateless")}]}, ("stateful rule group",)),
    ("an unknown override", {"managedGroups": [{"arn": X, "override": "ALERT"}]}, ("override`", "'ALERT'", "'DROP_TO_ALERT'")),
    ("a group in action order", {"managedGroups": [{"arn": A["arn"].replace("Strict", "Action")}]}, ("strict order",)),
    ("a group with a name of ours", {"managedGroups": [{"arn": PARTNER.format("hostgate-allow")}]}, ("the plan's own groups",)),
    ("a group twice", {"managedGroups": [A, A]}, ("twice",)),
    ("a group behind the hosts", {"managedGroups": [{**A, "priority": 1000}]}, ("priority 1000", "below `base` (1000)")),
    ("no room before base", {"base": 1, "managedGroups": [A]}, ("priority 1", "below `base` (1)")),
    ("one place for two", {"managedGroups": [{**A, "priority": 2}, {"arn": X}]}, ("priority 2 twice",)),
    ("TLS inspection by name", {"tlsInspection": "egress"}, ("`aws:rules.tlsInspection`", "'egress'", "the ARN of a TLS")),
    ("a firewall nowhere", {"firewall": {}}, ("`aws:rules.firewall`", "none of them", "vpcId with subnetMappings")),
    ("a VPC without subnets", {"firewall": {"vpcId": "vpc-1"}}, ("found vpcId", "vpcId with subnetMappings")),
    ("a firewall in two places", {"firewall": {**VPC, **GATEWAY}}, ("vpcId and subnetMappings and transitGatewayId",)),
    ("a VPC by name", {"firewall": {**VPC, "vpcId": "main"}}, ("`aws:rules.firewall.vpcId`", "'main'", "vpc-0123abcd")),
    ("a subnet twice", {"firewall": {**VPC, "subnetMappings": [{"subnetId": "subnet-1"}] * 2}}, ("subnet-1 twice",)),
    (
        "an unknown address type",
        {"firewall": {**VPC, "subnetMappings": [{"subnetId": "subnet-1", "ipAddressType": "IPv4"}]}},
        ("'IPv4'", "'DUALSTACK'"),
    ),
    ("an unknown key of a firewall", {"firewall": {**VPC, "protect": True}}, ("`aws:rules.firewall.protect`", "deleteProtection")),
    ("logs of nothing", {"logging": [ALERTS]}, ("logging without firewall",)),
    ("two places for one log", {"firewall": VPC, "logging": [ALERTS, ALERTS]}, ("ALERT twice",)),
    ("logs of no inspection", {"firewall": VPC, "logging": [{**ALERTS, "logType": "TLS"}]}, ("without tlsInspection",)),
    ("a log group in a bucket", destination(logGroup="x"), ("logging[0]`", "logGroup", "S3: bucketName")),
    ("a bucket too much", destination(bucketName="b", logGroup="x"), ("S3: bucketName",)),
    ("a share of an own policy", {"share": {"principals": ["123456789012"]}}, ("with a policy of the plan", "'declared'")),
    ("a share with nobody", {"deny": "declared", "share": {"principals": []}}, ("`aws:rules.share.principals`", "empty")),
    ("a share with a number", {"deny": "declared", "share": {"principals": [123456789012]}}, ("found 123456789012", "text")),
    ("a share with a role", {"deny": "declared", "share": {"principals": ["arn:aws:iam::1:role/x"]}}, ("role/x", "12 digits")),
    ("another's policy with a firewall", {"deny": "declared", "firewall": VPC, "tlsInspection": TLS}, ("tlsInspection, firewall",)),
    ("a firewall in two Regions", {"firewall": VPC, "regions": ["eu-central-1", "us-east-1"]}, ("several regions",)),
    ("an attached policy in two Regions", {"attach": ARN, "regions": ["eu-west-1", "us-east-1"]}, ("attach with several",)),
    ("an attached policy of another Region", {"attach": ARN, "regions": ["us-east-1"]}, (ARN, "of its own Region only")),
    ("a principal twice", {"deny": "declared", "share": {"principals": ["123456789012"] * 2}}, ("123456789012 twice",)),
    ("a Region twice", {"regions": ["us-east-1", "us-east-1"]}, ("us-east-1 twice",)),
    ("a zone for a Region", {"regions": ["us-east-1a"]}, ("`aws:rules.regions[0]`", "us-east-1a")),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_option_says_what_was_found_and_what_is_allowed(
    options: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        made(**options)
    for word in words:
        assert word in str(caught.value)
