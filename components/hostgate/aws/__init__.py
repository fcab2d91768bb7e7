"""AWS: the mechanisms of Network Firewall and DNS Firewall, and the components that realise them.

`from hostgate.aws import NetworkFirewallAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostgate.aws.components import NetworkFirewallAllowlist, NetworkFirewallAllowlistArgs
    from hostgate.aws.dns_components import DnsFirewallAllowlist, DnsFirewallAllowlistArgs

__all__ = [
    "DnsFirewallAllowlist",
    "DnsFirewallAllowlistArgs",
    "NetworkFirewallAllowlist",
    "NetworkFirewallAllowlistArgs",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = f"hostgate.aws.{'dns_components' if name.startswith('Dns') else 'components'}"
    try:
        components = import_module(module)
    except AttributeError as error:  # left alone, Python would report it as a missing name of this package
        raise ImportError(f"{module}: {error}") from error
    return getattr(components, name)
