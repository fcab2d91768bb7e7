"""One VPC with a firewall of its own, between its private subnet and its NAT gateway."""

import pulumi
import pulumi_aws as aws

import hostgate
from hostgate.aws import NetworkFirewallAllowlist

config = pulumi.Config()

vendors = NetworkFirewallAllowlist(
    "vendors",
    hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull"]),
    home_net=[config.require("range")],
    firewall={
        "vpc_id": config.require("vpc"),
        "subnet_mappings": [{"subnet_id": config.require("firewallSubnet")}],
        "delete_protection": config.get_bool("protect") or False,
    },
)

endpoint = vendors.endpoints[config.require("zone")]
aws.ec2.Route(
    "out", route_table_id=config.require("privateTable"), destination_cidr_block="0.0.0.0/0", vpc_endpoint_id=endpoint
)
aws.ec2.Route(
    "back",
    route_table_id=config.require("natTable"),
    destination_cidr_block=config.require("range"),
    vpc_endpoint_id=endpoint,
)
