"""Azure: the mechanisms of Azure Firewall and the component that realises them.

`from hostgate.azure import FirewallPolicyAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING

from hostgate.on_demand import on_demand
from hostgate.planning.targets import COMPUTED, Target

if TYPE_CHECKING:
    from hostgate.azure.components import FirewallPolicyAllowlist, FirewallPolicyAllowlistArgs

__all__ = ["TARGETS", "FirewallPolicyAllowlist", "FirewallPolicyAllowlistArgs"]

TARGETS = (
    Target(
        name="azure:application-rules",
        mechanism="hostgate.azure.application_rules",
        component="hostgate.azure.components:FirewallPolicyAllowlist",
        outputs=("policy_id", "rule_collection_groups", "digest"),
        example={"resourceGroup": "rg-hub", "from": ["10.20.0.0/16"]},
        references={
            "attach": f"{COMPUTED}/{COMPUTED}",
            "resource_group": COMPUTED,
            "location": COMPUTED,
            "from_[]": f"{COMPUTED}/client-{{}}",
            "tags{}": COMPUTED,
        },
        places="hostgate.azure.evaluate:places",
        simulated="hostgate.sandbox.azure:CLOUD",
        exports={"terraform": "hostgate.export.terraform_azure:export_terraform"},
    ),
)

__getattr__ = on_demand(
    __name__,
    {
        "FirewallPolicyAllowlist": "components",
        "FirewallPolicyAllowlistArgs": "components",
    },
)
