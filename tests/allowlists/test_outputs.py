"""What only names another resource may be an Output, of AWS and Azure: it reaches the cloud, and what it may be is judged."""

from typing import Any

import pytest

import hostgate
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.plan import plan
from hostgate.planning.targets import row
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview

from .conftest import Run

START = """
    import pulumi
    import pulumi_aws as aws
    import pulumi_azure_native as azure
    import hostgate
    from hostgate.aws import DnsFirewallAllowlist, NetworkFirewallAllowlist
    from hostgate.azure import FirewallPolicyAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    later = pulumi.Output.from_input
    unknown = aws.networkfirewall.RuleGroup("other", type="STATEFUL", capacity=1, rule_group={
        "rules_source": {"rules_string": "pass tcp any any -> any 1 (sid:1;)"},
        "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
    }).arn
"""
BOTNETS = "arn:aws:network-firewall:{}:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"
OWNERS = "arn:aws:network-firewall:us-east-1:210987654321:stateful-rulegroup/owners"
ACTION_ORDER = BOTNETS.format("eu-central-1").replace("StrictOrder", "ActionOrder")
GROUP = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/ipGroups/clients"
UNIT = "arn:aws:organizations::123456789012:ou/o-abc/ou-def-1"


def of(made: Preview, kind: str) -> list[Any]:
    return [each for each in made.resources if each.type.endswith(f":{kind}") and each.name != "other"]


def test_region_managed_groups_and_tag_values_reach_every_object(run: Run) -> None:
    made = run(
        START
        + f"""
    plain = {{"arn": "{BOTNETS.format("REGION")}", "priority": 9}}
    NetworkFirewallAllowlist(
        "c", hosts=hosts, region=later("us-east-1"), tags={{"team": later("platform"), "cost": "42"}},
        managed_groups=[plain, {{"arn": later("{OWNERS}"), "priority": 3}}],
    )
    """
    )
    (policy,) = of(made, "FirewallPolicy")
    references = policy.inputs["firewallPolicy"]["statefulRuleGroupReferences"]
    assert [each["resourceArn"] for each in references[:2]] == [OWNERS, BOTNETS.format("us-east-1")]
    assert [each["priority"] for each in references[:2]] == [3, 9]
    for each in (*of(made, "RuleGroup"), policy):
        assert each.inputs["region"] == "us-east-1"
        assert each.inputs["tags"] == {"team": "platform", "cost": "42"}


def test_principals_of_a_share_are_made_in_the_same_program(run: Run) -> None:
    made = run(
        START
        + f"""
    share = {{"principals": [later("{UNIT}"), "123456789012", later("210987654321")]}}
    NetworkFirewallAllowlist("c", hosts=hosts, deny="declared", share=share)
    """
    )
    told = {each.name: each.inputs["principal"] for each in of(made, "PrincipalAssociation")}
    assert told == {"c-share-0": UNIT, "c-share-2": "210987654321", "c-share-123456789012": "123456789012"}


def test_on_azure_groups_of_clients_and_the_location_are_made_in_the_same_program(run: Run) -> None:
    made = run(
        START
        + f"""
    clients = azure.network.IpGroup("clients", resource_group_name="rg", ip_addresses=["10.0.0.0/8"])
    FirewallPolicyAllowlist(
        "c", hosts=hosts, resource_group="rg", location=later("westeurope"), tags={{"team": later("platform")}},
        from_=["10.9.0.0/16", later("{GROUP}"), clients.id],
    )
    """
    )
    (policy,), (group,) = of(made, "FirewallPolicy"), of(made, "FirewallPolicyRuleCollectionGroup")
    assert (policy.inputs["location"], policy.inputs["tags"]) == ("westeurope", {"team": "platform"})
    for collection in group.inputs["ruleCollections"]:
        for rule in collection["rules"]:
            assert rule["sourceAddresses"] == ["10.9.0.0/16"]
            assert rule["sourceIpGroups"] == [GROUP, UNKNOWN]


@pytest.mark.parametrize(
    "call",
    [
        'NetworkFirewallAllowlist("c", hosts=hosts, region=unknown, tags={"a": unknown}, managed_groups=[{"arn": unknown}])',
        'NetworkFirewallAllowlist("c", hosts=hosts, attach=unknown, share={"principals": [unknown]})',
        'DnsFirewallAllowlist("c", hosts=hosts, tags={"a": unknown})',
        'FirewallPolicyAllowlist("c", hosts=hosts, resource_group="rg", location=unknown, from_=[unknown])',
    ],
)
def test_what_is_not_known_yet_stops_no_preview(run: Run, call: str) -> None:
    made = run(START + f"    {call}")
    assert "known-after-apply" not in str([each.inputs for each in made.resources if ":index:" not in each.type])


AWS, OWN = (
    'NetworkFirewallAllowlist("c", hosts=hosts, {})',
    'FirewallPolicyAllowlist("c", hosts=hosts, resource_group="rg", {})',
)
MANAGED = 'managed_groups=[{{"arn": later("{}")}}]'


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (AWS.format(MANAGED.format(ACTION_ORDER)), "in strict order"),
        (AWS.format(MANAGED.format("x")), "`managed_groups[0].arn`: found an"),
        (AWS.format(f'region="eu-west-1", {MANAGED.format(OWNERS)}'), "for a policy of eu-west-1"),
        (AWS.format('deny="declared", share={"principals": [later("me")]}'), "`share.principals[0]`"),
        (AWS.format("tags=later({})"), "`tags` is an Output. Allowed: a mapping"),
        (OWN.format('from_=[later("10.0.0.0/8")]'), "`from_[0]`: found an Output of '10.0.0.0/8'. Allowed: the id of an IP group"),
        (OWN.format("from_=[later(None)]"), "`from_[0]`"),
        (OWN.format('tier=later("Basic")'), "`tier` is an Output. Allowed: a plain"),
    ],
)  # fmt: skip
def test_an_output_of_something_else_is_refused_once_it_is_known(run: Run, call: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(START + f"    {call}")
    assert said in str(failed.value)


def test_a_client_that_is_not_known_yet_is_judged_as_unknown() -> None:
    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    client = row("azure:application-rules").references["from_[]"].format(0)
    made = plan(hosts, "azure:application-rules", from_=[client])
    assert made.verdict(Flow("cgr.dev", source="10.0.0.1")).action == "unknown"
    assert made.verdict(Flow("evil.example", source="10.0.0.1")).action == "block"


def test_a_managed_group_that_is_not_known_yet_may_pass_anything() -> None:
    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    made = plan(hosts, "aws:rules", managed_groups=[{"arn": row("aws:rules").references["managed_groups[].arn"]}])
    assert "foreign-groups" in {each.id for each in made.findings}
    assert made.verdict(Flow("evil.example")).action == "unknown"
