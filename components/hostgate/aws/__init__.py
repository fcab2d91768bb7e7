"""AWS: the mechanisms of Network Firewall and DNS Firewall, and the components that realise them.

`from hostgate.aws import NetworkFirewallAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING

from hostgate.on_demand import on_demand

if TYPE_CHECKING:
    from hostgate.aws.components import NetworkFirewallAllowlist, NetworkFirewallAllowlistArgs
    from hostgate.aws.dns_components import DnsFirewallAllowlist, DnsFirewallAllowlistArgs

__all__ = [
    "DnsFirewallAllowlist",
    "DnsFirewallAllowlistArgs",
    "NetworkFirewallAllowlist",
    "NetworkFirewallAllowlistArgs",
]

__getattr__ = on_demand(
    __name__,
    {
        "DnsFirewallAllowlist": "dns_components",
        "DnsFirewallAllowlistArgs": "dns_components",
        "NetworkFirewallAllowlist": "components",
        "NetworkFirewallAllowlistArgs": "components",
    },
)
