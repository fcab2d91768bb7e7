"""What platform teams set on policies, groups and firewalls beside the hosts: passed on, and judged where it decides."""

from typing import Any

import pytest

import hostgate
from conformance.catalogs import entry, selection
from hostgate.flows.flow import Flow
from hostgate.planning.options import OptionsError
from hostgate.planning.plan import Plan, draft, plan
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview

from .conftest import Run

STATELESS = "arn:aws:network-firewall:{}:123456789012:stateless-rulegroup/edge"
START = """
    import pulumi
    import pulumi_aws as aws
    import hostgate
    from hostgate.aws import DnsFirewallAllowlist, NetworkFirewallAllowlist
    from hostgate.azure import FirewallPolicyAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    later = pulumi.Output.from_input
"""


def of(made: Preview, kind: str) -> list[Any]:
    return [each for each in made.resources if each.type.endswith(f":{kind}")]


def planned(target: str, **options: Any) -> Plan:
    return plan(hostgate.select("chainguard/images@2024-03-28", phases=["pull"]), target, options)


def test_a_key_and_tags_of_their_own_reach_the_objects_of_aws(run: Run) -> None:
    made = run(
        START
        + """
    vpc = {"vpc_id": "vpc-1", "subnet_mappings": [{"subnet_id": "subnet-1"}]}
    NetworkFirewallAllowlist(
        "c", hosts=hosts, firewall=vpc, encryption_configuration={"key_id": later("alias/firewall")},
        tags={"team": "platform", "cost": "1"}, group_tags={"cost": later("2")}, policy_tags={"cost": "3", "kind": "policy"},
        firewall_tags={"tier": ""},
    )
    """
    )
    key = {"keyId": "alias/firewall", "type": "CUSTOMER_KMS"}
    expected = {
        "RuleGroup": {"team": "platform", "cost": "2"},
        "FirewallPolicy": {"team": "platform", "cost": "3", "kind": "policy"},
        "Firewall": {"team": "platform", "cost": "1", "tier": ""},
    }
    for kind, tags in expected.items():
        for each in of(made, kind):
            assert (each.inputs["encryptionConfiguration"], each.inputs["tags"]) == (key, tags)


def test_a_policy_gets_stateless_groups_actions_and_timeouts(run: Run) -> None:
    made = run(
        START
        + f"""
    NetworkFirewallAllowlist(
        "c", hosts=hosts, region="us-east-1", flow_timeouts={{"tcp_idle_timeout_seconds": 600}},
        stateless_groups=[
            {{"arn": "{STATELESS.format("REGION")}", "priority": 9}}, {{"arn": later("{STATELESS.format("us-east-1")}2")}},
        ],
        stateless_custom_actions={{"counted": "egress"}},
    )
    """
    )
    policy = of(made, "FirewallPolicy")[0].inputs["firewallPolicy"]
    assert policy["statelessDefaultActions"] == ["aws:forward_to_sfe", "counted"]
    assert policy["statelessFragmentDefaultActions"] == ["aws:forward_to_sfe", "counted"]
    assert policy["statelessRuleGroupReferences"] == [
        {"resourceArn": f"{STATELESS.format('us-east-1')}2", "priority": 2},
        {"resourceArn": STATELESS.format("us-east-1"), "priority": 9},
    ]
    metric = {"publishMetricAction": {"dimensions": [{"value": "egress"}]}}
    assert policy["statelessCustomActions"] == [{"actionName": "counted", "actionDefinition": metric}]
    assert policy["statefulEngineOptions"]["flowTimeouts"] == {"tcpIdleTimeoutSeconds": 600}


def test_a_stateless_group_that_nobody_reads_makes_every_verdict_unknown_and_is_said_loudly() -> None:
    made = planned("aws:rules", statelessGroups=[{"arn": STATELESS.format("eu-central-1")}])
    (told,) = [each for each in made.findings if each.id == "stateless-groups"]
    assert told.severity == "warning"
    assert {made.verdict(Flow(name)).action for name in ("cgr.dev", "evil.example")} == {"unknown"}


def test_a_metric_a_timeout_a_key_and_tags_change_no_verdict_and_replace_no_group() -> None:
    more = {
        "statelessCustomActions": {"counted": "egress"},
        "encryptionConfiguration": {"type": "AWS_OWNED_KMS_KEY"},
        "policyTags": {"a": "b"},
    }
    made = planned("aws:rules", **more)
    assert made.verdict(Flow("cgr.dev")).action == "allow"
    assert made.verdict(Flow("evil.example")).action == "block"
    plain, timed = (planned("aws:rules", **each) for each in ({}, {"flowTimeouts": {"tcpIdleTimeoutSeconds": 60}}))
    groups = [{each.name: each.body for each in one.objects if "RuleGroup" in each.body} for one in (plain, timed)]
    assert groups[0] == groups[1]
    assert plain.digest != timed.digest


def test_a_firewall_has_endpoints_in_other_vpcs(run: Run) -> None:
    made = run(
        START
        + """
    vpc = {"vpc_id": "vpc-1", "subnet_mappings": [{"subnet_id": "subnet-1"}]}
    more = [
        {"vpc_id": later("vpc-2"), "subnet_id": later("subnet-2")},
        {"vpc_id": "vpc-3", "subnet_id": "subnet-3", "ip_address_type": "IPV4"},
    ]
    NetworkFirewallAllowlist("c", hosts=hosts, firewall=vpc, endpoint_associations=more, tags={"a": "b"})
    """
    )
    one, other = of(made, "VpcEndpointAssociation")
    assert [each.name for each in (one, other)] == ["c-endpoint-0", "c-endpoint-subnet-3"]
    assert (one.inputs["vpcId"], one.inputs["subnetMapping"]) == ("vpc-2", {"subnetId": "subnet-2"})
    assert other.inputs["subnetMapping"] == {"subnetId": "subnet-3", "ipAddressType": "IPV4"}
    assert other.inputs["tags"] == {"a": "b"}
    assert {urn.rpartition("::")[2] for urn in one.dependencies} == {"c-firewall"}


def test_a_protected_association_is_passed_on(run: Run) -> None:
    made = run(START + '    DnsFirewallAllowlist("c", hosts=hosts, vpcs=["vpc-0a1"], mutation_protection=True)')
    (association,) = of(made, "ResolverFirewallRuleGroupAssociation")
    assert association.inputs["mutationProtection"] == "ENABLED"


def test_settings_of_an_azure_policy_are_passed_on(run: Run) -> None:
    made = run(
        START
        + """
    FirewallPolicyAllowlist(
        "c", hosts=hosts, resource_group="rg", tier="Premium", threat_intel_mode="Deny", intrusion_detection="Alert",
        threat_intel_allowlist={"fqdns": ["*.vendor.example"], "ip_addresses": ["203.0.113.0/24"]},
        dns_servers=["10.0.0.4"], dns_proxy=True,
    )
    """
    )
    (policy,) = of(made, "FirewallPolicy")
    assert policy.inputs["threatIntelMode"] == "Deny"
    assert policy.inputs["threatIntelWhitelist"] == {"fqdns": ["*.vendor.example"], "ipAddresses": ["203.0.113.0/24"]}
    assert policy.inputs["intrusionDetection"] == {"mode": "Alert"}
    assert policy.inputs["dnsSettings"] == {"enableProxy": True, "servers": ["10.0.0.4"]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, []),
        ({"threatIntelMode": "Off"}, []),
        ({"threatIntelMode": "Deny"}, ["Threat intelligence of the policy denies"]),
        ({"tier": "Premium", "intrusionDetection": "Deny"}, ["Intrusion detection of the policy denies"]),
        ({"tier": "Premium", "intrusionDetection": "Alert"}, []),
    ],
)
def test_what_denies_before_the_rules_is_an_assumption_of_every_verdict(
    options: dict[str, Any], said: list[str]
) -> None:
    made = planned("azure:application-rules", **options)
    told = [each for each in made.place.assumptions if "of the policy denies" in each]
    assert [each.startswith(one) for each, one in zip(told, said, strict=True)] == [True] * len(said)
    messages = [each.message for each in made.findings if each.id == "denied-before"]
    assert [
        each.replace("denies", "of the policy denies").startswith(one) for each, one in zip(messages, said, strict=True)
    ] == [True for _ in said]


def test_the_allowlist_of_threat_intelligence_opens_nothing() -> None:
    made = planned("azure:application-rules", threatIntelAllowlist={"fqdns": ["evil.example"]})
    assert made.verdict(Flow("evil.example")).action == "block"


def test_names_in_network_rules_need_the_proxy() -> None:
    by_address = selection([entry("db.vendor.example", port=5432, protocol="tcp")])
    refused = draft(by_address, "azure:application-rules", {"dnsProxy": False})
    assert "need the policy's DNS proxy" in str(refused.problems[0])
    made = draft(by_address, "azure:application-rules", {"dnsServers": ["10.0.0.4"]})
    (policy,) = [each for each in made.objects if each.name.endswith("-policy")]
    assert policy.body["properties"]["dnsSettings"] == {"enableProxy": True, "servers": ["10.0.0.4"]}


FIREWALL = {"firewall": {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}]}}
AWS, AZURE = "aws:rules", "azure:application-rules"
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (AWS, {"encryptionConfiguration": {}}, "found no keyId with type CUSTOMER_KMS"),
    (AWS, {"encryptionConfiguration": {"keyId": "x", "type": "AWS_OWNED_KMS_KEY"}}, "found a keyId"),
    (AWS, {"encryptionConfiguration": {"keyId": " "}}, "encryptionConfiguration.keyId"),
    (AWS, {"encryptionConfiguration": {"key": "x"}}, "encryptionConfiguration.key` is no key here"),
    (AWS, {"flowTimeouts": {"tcpIdleTimeoutSeconds": 59}}, "flowTimeouts.tcpIdleTimeoutSeconds`: found 59"),
    (AWS, {"flowTimeouts": {"tcpIdleTimeoutSeconds": 6001}}, "found 6001"),
    (
        AWS,
        {"statelessGroups": [{"arn": STATELESS.format("r").replace("stateless", "stateful")}]},
        "of a stateless rule group",
    ),
    (AWS, {"statelessGroups": [{"arn": STATELESS.format("r")}] * 2}, "twice"),
    (
        AWS,
        {"statelessGroups": [{"arn": STATELESS.format("r")}, {"arn": STATELESS.format("s"), "priority": 1}]},
        "priority 1 twice",
    ),
    (AWS, {"statelessCustomActions": {"aws:pass": "x"}}, "statelessCustomActions"),
    (AWS, {"statelessCustomActions": {"count": "a/b"}}, "statelessCustomActions.count"),
    (AWS, {"deny": "declared", "statelessGroups": [{"arn": STATELESS.format("r")}]}, "owned elsewhere"),
    (AWS, {"deny": "declared", "flowTimeouts": {"tcpIdleTimeoutSeconds": 60}}, "owned elsewhere"),
    (AWS, {"endpointAssociations": [{"vpcId": "vpc-1", "subnetId": "subnet-1"}]}, "without a firewall in a VPC"),
    (AWS, {**FIREWALL, "endpointAssociations": [{"vpcId": "vpc-1", "subnetId": "subnet-1"}]}, "found subnet-1 twice"),
    (
        AWS,
        {**FIREWALL, "endpointAssociations": [{"subnetId": "subnet-2"}]},
        "endpointAssociations[0].vpcId` is missing",
    ),
    (AWS, {"firewallTags": {"a": "b"}}, "firewallTags without firewall"),
    (AZURE, {"intrusionDetection": "Deny"}, "found intrusionDetection with tier Standard"),
    (AZURE, {"tier": "Basic", "threatIntelMode": "Deny"}, "with tier Basic"),
    (AZURE, {"tier": "Basic", "dnsProxy": True}, "with tier Basic"),
    (AZURE, {"attach": "rg/fp", "threatIntelMode": "Deny"}, "found threatIntelMode with `attach`"),
    (AZURE, {"attach": "rg/fp", "dnsServers": ["10.0.0.4"]}, "found dnsServers with `attach`"),
    (AZURE, {"dnsServers": ["fd00::4"]}, "the IPv4 address of a DNS server"),
    (AZURE, {"dnsServers": [f"10.0.0.{n}" for n in range(16)]}, "at most 15"),
    (AZURE, {"threatIntelMode": "deny"}, "threatIntelMode`: found 'deny'"),
    (AZURE, {"threatIntelAllowlist": {"fqdns": ["*"]}}, "threatIntelAllowlist.fqdns"),
    (AZURE, {"threatIntelAllowlist": {"ipAddresses": ["10.0.0.1/8"]}}, "threatIntelAllowlist.ipAddresses"),
]


@pytest.mark.parametrize(("target", "options", "said"), WRONG, ids=str)
def test_what_the_cloud_would_refuse_is_refused_before(target: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises((OptionsError, hostgate.InputError)) as failed:
        planned(target, **options)
    assert said in str(failed.value)


def test_an_output_of_another_kind_of_group_is_refused_once_it_is_known(run: Run) -> None:
    with pytest.raises(PreviewError) as failed:
        run(START + '    NetworkFirewallAllowlist("c", hosts=hosts, stateless_groups=[{"arn": later("x")}])')
    assert "`stateless_groups[0].arn`: found an Output of 'x'" in str(failed.value)
