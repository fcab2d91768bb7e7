"""Google Cloud: the mechanisms of Cloud NGFW and the component that realises them.

`from hostgate.gcp import FirewallPolicyAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING

from hostgate.on_demand import on_demand
from hostgate.planning.targets import COMPUTED, Target

if TYPE_CHECKING:
    from hostgate.gcp.components import FirewallPolicyAllowlist, FirewallPolicyAllowlistArgs

__all__ = ["TARGETS", "FirewallPolicyAllowlist", "FirewallPolicyAllowlistArgs"]

TARGETS = (
    Target(
        name="gcp:fqdn",
        mechanism="hostgate.gcp.fqdn",
        component="hostgate.gcp.components:FirewallPolicyAllowlist",
        outputs=("policy", "rules", "digest"),
        references={
            "attach": f"{COMPUTED}/{COMPUTED}",
            "project": COMPUTED,
            "networks[]": f"{COMPUTED}/network-{{}}",
            "parent": f"{COMPUTED}/parent",
            "nodes[]": f"{COMPUTED}/node-{{}}",
            "from_[]": f"{COMPUTED}/client-{{}}",
        },
        referred={
            "networks": (
                "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation",
                "attachmentTarget",
            ),
            "attach": ("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule", "firewallPolicy"),
        },
        places="hostgate.gcp.evaluate:places",
        simulated="hostgate.sandbox.gcp:CLOUD",
    ),
)

__getattr__ = on_demand(
    __name__,
    {
        "FirewallPolicyAllowlist": "components",
        "FirewallPolicyAllowlistArgs": "components",
    },
)
