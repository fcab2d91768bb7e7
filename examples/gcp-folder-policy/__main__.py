"""Every project below a folder, those of tomorrow too: one hierarchical policy, judged before what a project has.

No project can take back what it allows, or open what it denies. Where projects are to have hosts of their own, it says
`deny="declared"`, and the deny is that of their own policies. What instances need of Google's APIs by private addresses is
public to a firewall rule: examples/gcp-gke-nodes has the rule.
"""

import pulumi

import hostgate
from hostgate.gcp import FirewallPolicyAllowlist

folder = pulumi.Config().require("folder")

vendors = FirewallPolicyAllowlist(
    "folder-egress",  # also the short name of the policy, which an organization has once
    hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull", "build"]),
    parent=folder,
    nodes=[folder],
)

pulumi.export("policy", vendors.policy)
