"""A service project: more hosts for its own service account, in the policy of the host project.

Closed by that policy, which denies behind these rules. They are made in the host project, where whoever deploys this
needs the right to change the policy.
"""

import pulumi

import hostgate
from hostgate.gcp import FirewallPolicyAllowlist

config = pulumi.Config()

builds = FirewallPolicyAllowlist(
    "builds",
    hosts=hostgate.select("chainguard/images@2026-02-23", phases=["build"]),
    attach=pulumi.StackReference(config.require("host")).require_output("policy"),
    deny="declared",
    from_=[config.require("builder")],
)

pulumi.export("rules", builds.rules)
