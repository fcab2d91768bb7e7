"""The policy of a platform team, with everything that rule groups of other stacks rely on."""

import pulumi
import pulumi_aws as aws

home_net = ["10.0.0.0/8"]

# Before every other group: private traffic is not judged, and nothing but TCP gets out, over IPv4 or IPv6. The default actions
# below are about established TCP only, so without this group a DNS question to any resolver would leave. The last rule is
# about every destination: $EXTERNAL_NET is the inverse of IPv4 ranges here, and no IPv6 packet matches it. The team's groups
# bring such rules too; with its own this policy is closed whoever is in it.
edge = aws.networkfirewall.RuleGroup(
    "edge",
    type="STATEFUL",
    capacity=10,
    rule_group={
        "rules_source": {
            "rules_string": """\
pass ip $HOME_NET any -> $HOME_NET any (msg:"private"; ip_proto:!1; ip_proto:!58; sid:1;)
pass icmp $HOME_NET any -> $HOME_NET any (msg:"private"; flow:to_server; sid:2;)
pass icmp $EXTERNAL_NET any -> $HOME_NET any (msg:"path MTU"; itype:3; icode:4; sid:3;)
drop ip any any -> any any (msg:"all but TCP"; ip_proto:!6; sid:4;)
"""
        },
        "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
    },
)

theirs = pulumi.StackReference(pulumi.Config().require("team")).require_output("references")
references = pulumi.Output.all(edge.arn, theirs).apply(
    lambda both: [
        {"resource_arn": both[0], "priority": 100},
        *({"resource_arn": each["resource_arn"], "priority": each["priority"]} for each in both[1]),
    ]
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
        "policy_variables": {"rule_variables": [{"key": "HOME_NET", "ip_set": {"definitions": home_net}}]},
        "stateful_rule_group_references": references,
    },
)

pulumi.export("policy", policy.arn)
