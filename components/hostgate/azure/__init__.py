"""Azure: the mechanisms of Azure Firewall and the component that realises them.

`from hostgate.azure import FirewallPolicyAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING

from hostgate.on_demand import on_demand

if TYPE_CHECKING:
    from hostgate.azure.components import FirewallPolicyAllowlist, FirewallPolicyAllowlistArgs

__all__ = ["FirewallPolicyAllowlist", "FirewallPolicyAllowlistArgs"]

__getattr__ = on_demand(
    __name__,
    {
        "FirewallPolicyAllowlist": "components",
        "FirewallPolicyAllowlistArgs": "components",
    },
)
