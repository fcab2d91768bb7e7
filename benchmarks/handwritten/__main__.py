"""What somebody would write by hand for the dev stack: the same resources, every value a literal."""

import pulumi
import pulumi_aws as aws
import pulumi_azure_native as azure
import pulumi_gcp as gcp

HOSTS = [
    "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com",
    "cgr.dev",
    "chainguardhelp.zendesk.com",
    "console-api.enforce.dev",
    "console.enforce.dev",
    "dl.enforce.dev",
    "enforce.dev",
    "ghcr.io",
    "issuer.enforce.dev",
    "packages.cgr.dev",
    "packages.wolfi.dev",
    "storage.googleapis.com",
]

edge_rules = r"""pass ip $HOME_NET any -> $HOME_NET any (msg:"hostgate: private traffic is not judged"; ip_proto:!1; ip_proto:!58; sid:3821304587; rev:1;)
pass icmp $HOME_NET any -> $HOME_NET any (msg:"hostgate: private traffic is not judged"; flow:to_server; sid:404245624; rev:1;)
pass icmp $EXTERNAL_NET any -> $HOME_NET any (msg:"hostgate: path MTU of IPv4"; itype:3; icode:4; sid:2551653365; rev:1;)
pass icmp $EXTERNAL_NET any -> $HOME_NET any (msg:"hostgate: path MTU of IPv6"; itype:2; icode:0; sid:2708606960; rev:1;)
drop udp any any -> any any (msg:"hostgate: QUIC, DNS and other datagrams stay inside"; flow:to_server; sid:1660813525; rev:1;)
drop icmp any any -> any any (msg:"hostgate: no ICMP to the outside"; flow:to_server; sid:1417215565; rev:1;)
drop ip any any -> any any (msg:"hostgate: no other IP protocol to the outside"; ip_proto:!6; ip_proto:!17; ip_proto:!1; ip_proto:!58; sid:1422914605; rev:1;)
"""

allow_rules = r"""pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images chainctl"; flow:to_server; ssl_state:client_hello; tls.sni; content:"dl.enforce.dev"; startswith; endswith; nocase; sid:631931442; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images chainctl-downloads"; flow:to_server; ssl_state:client_hello; tls.sni; content:"storage.googleapis.com"; startswith; endswith; nocase; sid:330717208; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images dashboard-enforce"; flow:to_server; ssl_state:client_hello; tls.sni; content:"console.enforce.dev"; startswith; endswith; nocase; sid:3944467897; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images packages-production"; flow:to_server; ssl_state:client_hello; tls.sni; content:"packages.cgr.dev"; startswith; endswith; nocase; sid:2220884111; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images packages-wolfi"; flow:to_server; ssl_state:client_hello; tls.sni; content:"packages.wolfi.dev"; startswith; endswith; nocase; sid:2113481258; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images r2-account-host"; flow:to_server; ssl_state:client_hello; tls.sni; content:"9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"; startswith; endswith; nocase; sid:387891108; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images registry"; flow:to_server; ssl_state:client_hello; tls.sni; content:"cgr.dev"; startswith; endswith; nocase; sid:3974531117; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images registry-api"; flow:to_server; ssl_state:client_hello; tls.sni; content:"console-api.enforce.dev"; startswith; endswith; nocase; sid:1279375606; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images registry-authentication"; flow:to_server; ssl_state:client_hello; tls.sni; content:"enforce.dev"; startswith; endswith; nocase; sid:1399153136; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images support-zendesk"; flow:to_server; ssl_state:client_hello; tls.sni; content:"chainguardhelp.zendesk.com"; startswith; endswith; nocase; sid:2999402689; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images token-service"; flow:to_server; ssl_state:client_hello; tls.sni; content:"issuer.enforce.dev"; startswith; endswith; nocase; sid:1784180626; rev:1;)
pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images wolfi-development"; flow:to_server; ssl_state:client_hello; tls.sni; content:"ghcr.io"; startswith; endswith; nocase; sid:2551356895; rev:1;)
"""

edge = aws.networkfirewall.RuleGroup(
    "hostgate-edge",
    capacity=100,
    type="STATEFUL",
    description="hostgate: private traffic passes, datagrams stay inside, settings 70163155",
    rule_group={
        "rules_source": {"rules_string": edge_rules},
        "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
    },
)
allow = aws.networkfirewall.RuleGroup(
    "hostgate-allow",
    capacity=100,
    type="STATEFUL",
    description="hostgate: hosts of the catalog, by name and port, settings 70163155",
    rule_group={
        "rules_source": {"rules_string": allow_rules},
        "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
    },
)
aws.networkfirewall.FirewallPolicy(
    "hostgate",
    description="hostgate: what no rule group passes is dropped",
    firewall_policy={
        "stateless_default_actions": ["aws:forward_to_sfe"],
        "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
        "stateful_default_actions": [
            "aws:drop_established_app_layer_to_server",
            "aws:alert_established_app_layer_to_server",
        ],
        "stateful_engine_options": {"rule_order": "STRICT_ORDER", "stream_exception_policy": "REJECT"},
        "stateful_rule_group_references": [
            {"resource_arn": edge.arn, "priority": 1500},
            {"resource_arn": allow.arn, "priority": 3000},
        ],
        "policy_variables": {
            "rule_variables": [
                {"key": "HOME_NET", "ip_set": {"definitions": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}}
            ]
        },
    },
)

policy = gcp.compute.NetworkFirewallPolicy(
    "hostgate", project="acme-dev", description="hostgate: egress to the hosts of reviewed catalogs"
)

rule_0 = gcp.compute.NetworkFirewallPolicyRule(
    "hostgate-allow-tcp-443",
    rule_name="hostgate-allow-tcp-443",
    description="hostgate: hosts of the catalog",
    firewall_policy=policy.name,
    project="acme-dev",
    priority=2000,
    direction="EGRESS",
    action="allow",
    match={"dest_fqdns": HOSTS, "layer4_configs": [{"ip_protocol": "tcp", "ports": ["443"]}]},
)
rule_1 = gcp.compute.NetworkFirewallPolicyRule(
    "hostgate-private-ipv4",
    rule_name="hostgate-private-ipv4",
    description="hostgate: private passes on",
    firewall_policy=policy.name,
    project="acme-dev",
    priority=10002000,
    direction="EGRESS",
    action="goto_next",
    match={
        "dest_ip_ranges": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        "layer4_configs": [{"ip_protocol": "all"}],
    },
    opts=pulumi.ResourceOptions(depends_on=[rule_0]),
)
rule_2 = gcp.compute.NetworkFirewallPolicyRule(
    "hostgate-private-ipv6",
    rule_name="hostgate-private-ipv6",
    description="hostgate: private passes on",
    firewall_policy=policy.name,
    project="acme-dev",
    priority=10002001,
    direction="EGRESS",
    action="goto_next",
    match={"dest_ip_ranges": ["fc00::/7"], "layer4_configs": [{"ip_protocol": "all"}]},
    opts=pulumi.ResourceOptions(depends_on=[rule_0]),
)
rule_3 = gcp.compute.NetworkFirewallPolicyRule(
    "hostgate-deny-ipv4",
    rule_name="hostgate-deny-ipv4",
    description="hostgate: all else is denied",
    firewall_policy=policy.name,
    project="acme-dev",
    priority=10002010,
    direction="EGRESS",
    action="deny",
    enable_logging=True,
    match={"dest_ip_ranges": ["0.0.0.0/0"], "layer4_configs": [{"ip_protocol": "all"}]},
    opts=pulumi.ResourceOptions(depends_on=[rule_0, rule_1, rule_2]),
)
rule_4 = gcp.compute.NetworkFirewallPolicyRule(
    "hostgate-deny-ipv6",
    rule_name="hostgate-deny-ipv6",
    description="hostgate: all else is denied",
    firewall_policy=policy.name,
    project="acme-dev",
    priority=10002011,
    direction="EGRESS",
    action="deny",
    enable_logging=True,
    match={"dest_ip_ranges": ["::/0"], "layer4_configs": [{"ip_protocol": "all"}]},
    opts=pulumi.ResourceOptions(depends_on=[rule_0, rule_1, rule_2]),
)
gcp.compute.NetworkFirewallPolicyAssociation(
    "hostgate-default",
    name="hostgate-default",
    attachment_target="projects/acme-dev/global/networks/default",
    firewall_policy=policy.name,
    project="acme-dev",
    opts=pulumi.ResourceOptions(depends_on=[rule_0, rule_1, rule_2, rule_3, rule_4]),
)

firewall_policy = azure.network.FirewallPolicy(
    "hostgate-policy",
    firewall_policy_name="hostgate",
    resource_group_name="rg-hub",
    location="westeurope",
    sku=azure.network.FirewallPolicySkuArgs(tier="Standard"),
    threat_intel_mode="Alert",
)
azure.network.FirewallPolicyRuleCollectionGroup(
    "hostgate",
    rule_collection_group_name="hostgate",
    firewall_policy_name="hostgate",
    resource_group_name="rg-hub",
    priority=2000,
    rule_collections=[
        azure.network.FirewallPolicyFilterRuleCollectionArgs(
            rule_collection_type="FirewallPolicyFilterRuleCollection",
            name="allow-application",
            priority=2000,
            action=azure.network.FirewallPolicyFilterRuleCollectionActionArgs(type="Allow"),
            rules=[
                azure.network.ApplicationRuleArgs(
                    rule_type="ApplicationRule",
                    name="https-443",
                    source_addresses=["10.0.0.0/8"],
                    protocols=[
                        azure.network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type="Https", port=443)
                    ],
                    target_fqdns=HOSTS,
                )
            ],
        )
    ],
    opts=pulumi.ResourceOptions(depends_on=[firewall_policy]),
)
