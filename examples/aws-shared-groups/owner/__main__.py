"""The policy of a platform team, with everything that rule groups of other stacks rely on."""

import pulumi
import pulumi_aws as aws

home_net = ["10.0.0.0/8"]

# Before every other group: private traffic is not judged, and nothing but TCP leaves. The default actions below are about
# established TCP only, so without this group a DNS question to any resolver would get out.
edge = aws.networkfirewall.RuleGroup(
    "edge",
    type="STATEFUL",
    capacity=10,
    rule_group={
        "rules_source": {
            "rules_string": """\
pass ip $HOME_NET any -> $HOME_NET any (msg:"private"; sid:1;)
drop udp any any -> $EXTERNAL_NET any (msg:"datagrams"; flow:to_server; sid:2;)
drop icmp any any -> $EXTERNAL_NET any (msg:"ICMP"; flow:to_server; sid:3;)
drop ip any any -> $EXTERNAL_NET any (msg:"others"; ip_proto:!6; ip_proto:!17; ip_proto:!1; sid:4;)
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
