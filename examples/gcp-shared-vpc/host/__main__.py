"""The host project of a Shared VPC: its network, and the one policy that the network can have."""

import pulumi

import hostgate
from hostgate.gcp import FirewallPolicyAllowlist

project = pulumi.Config("gcp").require("project")

common = FirewallPolicyAllowlist(
    "common",
    # For every instance of the network, of whatever project; everything else is denied to all of them.
    hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull"]),
    networks=[pulumi.Config().require("network")],
    # Behind the rules of every team, at 2,000, 20,000,000 and so on: an allow after the deny decides nothing.
    base=2_000_000_000,
)

pulumi.export("policy", pulumi.Output.format("projects/{0}/global/firewallPolicies/{1}", project, common.policy))
