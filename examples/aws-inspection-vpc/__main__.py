"""A central inspection VPC: what spokes send to the internet through a transit gateway passes this firewall."""

import pulumi
import pulumi_aws as aws

import hostgate
from hostgate.aws import NetworkFirewallAllowlist

zones = pulumi.Config().require_object("zones")

hosts = hostgate.select("chainguard/images@2026-02-23", phases=["pull", "build"])
vendors = NetworkFirewallAllowlist(
    "vendors",
    hosts=hosts,
    # The ranges of every spoke. Left to AWS it would be this VPC alone, and no spoke would match a rule.
    home_net=["10.0.0.0/8"],
    from_=["10.20.0.0/16"],
    managed_groups=[
        # Judged before the hosts: a pass ends inspection. This one only logs until it is trusted.
        {
            "arn": "arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder",
            "override": "DROP_TO_ALERT",
        }
    ],
    firewall={
        "vpc_id": pulumi.Config().require("vpc"),
        "subnet_mappings": [{"subnet_id": zone["firewallSubnet"]} for zone in zones.values()],
        "subnet_change_protection": True,
        "firewall_policy_change_protection": True,
    },
    logging=[
        {
            "log_type": "ALERT",
            "log_destination_type": "CloudWatchLogs",
            "log_destination": {"logGroup": "/egress/alert"},
        },
        {
            "log_type": "FLOW",
            "log_destination_type": "S3",
            "log_destination": {"bucketName": "acme-egress-logs", "prefix": "flow"},
        },
    ],
)

# Both ways through the endpoint of the same zone: out from the transit gateway's subnet, back from that of the NAT gateway.
for name, zone in zones.items():
    for way, table, cidr in (("out", zone["gatewayTable"], "0.0.0.0/0"), ("back", zone["natTable"], "10.0.0.0/8")):
        aws.ec2.Route(
            f"{name}-{way}", route_table_id=table, destination_cidr_block=cidr, vpc_endpoint_id=vendors.endpoints[name]
        )

pulumi.export("firewall", vendors.firewall_arn)
pulumi.export("endpoints", vendors.endpoints)
