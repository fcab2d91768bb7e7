"""A team's rule groups, shared with the account that owns the firewall policy.

Closed by that policy: until it takes the groups, nothing here opens or stops anything.
"""

import pulumi

import hostgate
from hostgate.aws import NetworkFirewallAllowlist

hosts = hostgate.select("chainguard/images@2026-02-23", phases=["pull", "build"])
builders = NetworkFirewallAllowlist(
    "builders",
    hosts=hosts,
    deny="declared",
    home_net=["10.0.0.0/8"],  # as the policy's owner sets it
    from_=["10.20.0.0/16"],
    base=5000,
    share={"principals": ["210987654321"]},
)

pulumi.export("references", builders.references)
