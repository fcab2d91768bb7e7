"""A program over the three clouds' real SDKs, as the engine would see it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.preview_problems import PreviewError

WriteProject = Callable[..., Path]

PROGRAM = """
import pulumi_aws as aws
import pulumi_azure_native as azure
import pulumi_gcp as gcp

nf, network = aws.networkfirewall, azure.network
eu = aws.Provider("eu", region="eu-west-1")


class Allowlist(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("hostgate-aws:index:NetworkFirewallAllowlist", name, {"hosts": ["cgr.dev"]}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.group = nf.RuleGroup(name + "-rules", opts=child, capacity=100, type="STATEFUL", rule_group={
            "rules_source": {"rules_string": RULES},
            "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
        })
        self.register_outputs({"arn": self.group.arn})


RULES = 'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (tls.sni; content:"cgr.dev"; startswith; endswith; sid:1; rev:1;)'
hosts = Allowlist("hosts", pulumi.ResourceOptions(providers=[eu]))
nf.FirewallPolicy("policy", opts=pulumi.ResourceOptions(provider=eu), firewall_policy={
    "stateless_default_actions": ["aws:forward_to_sfe"],
    "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
    "stateful_engine_options": {"rule_order": "STRICT_ORDER"},
    "stateful_default_actions": ["aws:drop_established_app_layer_to_server"],
    "stateful_rule_group_references": [{"resource_arn": hosts.group.arn, "priority": 100}],
})

egress = gcp.compute.NetworkFirewallPolicy("egress")
gcp.compute.NetworkFirewallPolicyRule("allow", firewall_policy=egress.name, direction="EGRESS", action="allow",
    priority=1000, match={"dest_fqdns": ["cgr.dev"], "layer4_configs": [{"ip_protocol": "tcp", "ports": ["443"]}]})

rg = azure.resources.ResourceGroup("rg", location="westeurope")
fp = network.FirewallPolicy("fp", resource_group_name=rg.name)
network.FirewallPolicyRuleCollectionGroup("rcg", resource_group_name=rg.name, firewall_policy_name=fp.name,
    priority=1000, rule_collections=COLLECTIONS(network))
pulumi.export("arn", hosts.group.arn)
pulumi.export("rules", hosts.group.rule_group.rules_source.rules_string)
"""
TYPED = """
def COLLECTIONS(network):
    return [network.FirewallPolicyFilterRuleCollectionArgs(
        rule_collection_type="FirewallPolicyFilterRuleCollection", name="allow", priority=100,
        action={"type": "Allow"}, rules=[network.ApplicationRuleArgs(
            rule_type="ApplicationRule", name="https", source_addresses=["10.0.0.0/8"], target_fqdns=["*.cgr.dev"],
            protocols=[{"protocol_type": "Https", "port": 443}])])]
"""


def test_three_clouds_in_one_program(project: WriteProject) -> None:
    result = preview(project(TYPED + PROGRAM), "dev", {})
    resources = {resource.name: resource for resource in result.resources}
    component = "urn:pulumi:dev::demo::hostgate-aws:index:NetworkFirewallAllowlist::hosts"
    group = (
        "urn:pulumi:dev::demo::hostgate-aws:index:NetworkFirewallAllowlist"
        "$aws:networkfirewall/ruleGroup:RuleGroup::hosts-rules"
    )
    assert (resources["hosts-rules"].urn, resources["hosts-rules"].parent) == (group, component)
    assert resources["hosts-rules"].provider == "urn:pulumi:dev::demo::pulumi:providers:aws::eu"
    assert resources["hosts-rules"].outputs["arn"] is UNKNOWN
    assert resources["hosts"].outputs == {"arn": UNKNOWN}
    policy = resources["policy"]
    assert policy.inputs["firewallPolicy"]["statefulRuleGroupReferences"] == [{"priority": 100, "resourceArn": UNKNOWN}]
    assert policy.property_dependencies == {"firewallPolicy": (group,)}
    assert resources["allow"].inputs["firewallPolicy"] == resources["egress"].inputs["name"]
    assert resources["allow"].provider.startswith("urn:pulumi:dev::demo::pulumi:providers:gcp::default_10_")
    assert resources["rcg"].inputs["firewallPolicyName"] is UNKNOWN
    assert resources["rcg"].inputs["ruleCollections"][0]["rules"][0]["protocols"] == [
        {"port": 443, "protocolType": "Https"}
    ]
    assert resources["rcg"].dependencies == (
        "urn:pulumi:dev::demo::azure-native:network:FirewallPolicy::fp",
        "urn:pulumi:dev::demo::azure-native:resources:ResourceGroup::rg",
    )
    assert result.outputs["arn"] is UNKNOWN
    assert str(result.outputs["rules"]).startswith("pass tls")


def test_collections_that_the_sdk_does_not_translate_are_caught(project: WriteProject) -> None:
    plain = """
def COLLECTIONS(network):
    return [{"rule_collection_type": "FirewallPolicyFilterRuleCollection", "name": "allow", "priority": 100,
             "action": {"type": "Allow"}, "rules": []}]
"""
    with pytest.raises(PreviewError) as failed:
        preview(project(plain + PROGRAM), "dev", {})
    paths = {problem.path for problem in failed.value.problems}
    assert "ruleCollections[0].rule_collection_type" in paths
