"""Azure: the mechanisms of Azure Firewall and the components that realise them.

`from hostgate.azure import FirewallPolicyAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from hostgate.on_demand import on_demand
from hostgate.planning.targets import COMPUTED, Target

if TYPE_CHECKING:
    from hostgate.azure.components import FirewallPolicyAllowlist, FirewallPolicyAllowlistArgs
    from hostgate.azure.ip_group_components import IpGroupAllowlist, IpGroupAllowlistArgs

__all__ = [
    "TARGETS",
    "FirewallPolicyAllowlist",
    "FirewallPolicyAllowlistArgs",
    "IpGroupAllowlist",
    "IpGroupAllowlistArgs",
]

_OF_FIREWALL = Target(
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
)

TARGETS = (
    _OF_FIREWALL,
    replace(
        _OF_FIREWALL,
        name="azure:ip-group",
        mechanism="hostgate.azure.ip_group",
        component="hostgate.azure.ip_group_components:IpGroupAllowlist",
        outputs=("policy_id", "rule_collection_groups", "ip_group_ids", "digest"),
        example={"pool": "pool.txt", "resourceGroup": "rg-hub", "from": ["10.20.0.0/16"]},
    ),
)

__getattr__ = on_demand(
    __name__,
    {
        "FirewallPolicyAllowlist": "components",
        "FirewallPolicyAllowlistArgs": "components",
        "IpGroupAllowlist": "ip_group_components",
        "IpGroupAllowlistArgs": "ip_group_components",
    },
)
