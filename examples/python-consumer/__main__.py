"""Egress rules of a team that has firewall policies of its own on AWS and Google Cloud, and none on Azure."""

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
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

# Put your own VPC network here: it must be there, and have no other global firewall policy.
egress = gcp.compute.NetworkFirewallPolicy("egress")
shared = GoogleAllowlist(
    "vendors",
    catalogs=catalogs,
    phases=["pull", "build"],
    attach=egress.id,
    from_=["builds@acme-prod.iam.gserviceaccount.com"],
)
gcp.compute.NetworkFirewallPolicyAssociation(
    "egress",
    firewall_policy=egress.id,
    attachment_target="projects/acme-prod/global/networks/prod",
    opts=pulumi.ResourceOptions(depends_on=[shared]),
)

# And your own resource group.
new = AzureAllowlist("vendors", catalogs=catalogs, resource_group="rg-hub", from_=["10.20.0.0/16"])

pulumi.export("policy", policy.arn)
pulumi.export("rules", shared.rules)
pulumi.export("digests", [rules.digest, shared.digest, new.digest])
