"""Egress rules of a team that has its own firewall policy on AWS, a shared one on Google Cloud, and none on Azure."""

import pulumi
import pulumi_aws as aws
from pulumi_hostgate_aws import NetworkFirewallAllowlist
from pulumi_hostgate_azure import FirewallPolicyAllowlist as AzureAllowlist
from pulumi_hostgate_gcp import FirewallPolicyAllowlist as GoogleAllowlist

catalogs = ["chainguard/images@2026-02-23", "../ours.yaml"]

rules = NetworkFirewallAllowlist(
    "vendors", catalogs=catalogs, phases=["pull", "build"], deny="declared", home_net=["10.0.0.0/8"]
)
policy = aws.networkfirewall.FirewallPolicy(
    "egress",
    firewall_policy={
        "stateless_default_actions": ["aws:forward_to_sfe"],
        "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
        "stateful_engine_options": {"rule_order": "STRICT_ORDER", "stream_exception_policy": "REJECT"},
        "stateful_default_actions": [
            "aws:drop_established_app_layer_to_server",
            "aws:alert_established_app_layer_to_server",
        ],
        "policy_variables": {
            "rule_variables": [{"key": "HOME_NET", "ip_set": {"definitions": ["10.0.0.0/8"]}}],
        },
        # All of them: the defaults above drop established TCP, and one of the groups stops the rest.
        "stateful_rule_group_references": rules.references.apply(
            lambda references: [{"resource_arn": each.resource_arn, "priority": each.priority} for each in references]
        ),
    },
)

# Closed by the policy itself: it is associated with the network, and behind these rules it denies 0.0.0.0/0 and ::/0.
shared = GoogleAllowlist(
    "vendors",
    catalogs=catalogs,
    phases=["pull", "build"],
    attach="projects/acme-prod/global/firewallPolicies/egress",
    deny="declared",
    from_=["builds@acme-prod.iam.gserviceaccount.com"],
)

new = AzureAllowlist("vendors", catalogs=catalogs, resource_group="rg-hub", from_=["10.20.0.0/16"])

pulumi.export("policy", policy.arn)
pulumi.export("rules", shared.rules)
pulumi.export("digests", [rules.digest, shared.digest, new.digest])
