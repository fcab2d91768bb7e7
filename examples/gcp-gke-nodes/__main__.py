"""The nodes of a GKE cluster, and with them its pods: the hosts of the catalog, Google's APIs, and nothing else outside.

What nodes need beside the hosts:

- the metadata server (DNS, time, credentials) at 169.254.169.254, which no firewall rule judges;
- the control plane, other nodes and pods, which have private addresses: such ranges are passed on to later rules. A
  control plane that is reached at a public address needs a rule of its own;
- Google's APIs and registries, for images of the system, logs and metrics: the rule below. Their names have no place in a
  catalog, since their answers vary. Private Google Access and private DNS zones (googleapis.com, gcr.io, pkg.dev) lead
  them to the four addresses of private.googleapis.com.
"""

import pulumi
import pulumi_gcp as gcp

import hostgate
from hostgate.gcp import FirewallPolicyAllowlist

config = pulumi.Config()
# An account of the node pools alone: instances with it are limited, and no others. The default account of Compute Engine
# is that of everything else too.
nodes = config.require("nodeAccount")

vendors = FirewallPolicyAllowlist(
    "vendors",
    hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull"]),
    networks=[config.require("network")],
    from_=[nodes],
)

# At the very first update it may come a moment after the deny.
gcp.compute.NetworkFirewallPolicyRule(
    "google-apis",
    firewall_policy=vendors.policy,
    rule_name="google-apis",
    priority=1000,  # before the rules of the hosts, which begin at 2,000, and so before the deny
    direction="EGRESS",
    action="allow",
    match={
        "dest_ip_ranges": ["199.36.153.8/30"],
        "layer4_configs": [{"ip_protocol": "tcp", "ports": ["443"]}],
    },
    target_service_accounts=[nodes],
)
