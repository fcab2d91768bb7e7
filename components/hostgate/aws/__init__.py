"""AWS: the mechanisms of Network Firewall and the component that realises them.

`from hostgate.aws import NetworkFirewallAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostgate.aws.components import NetworkFirewallAllowlist, NetworkFirewallAllowlistArgs

__all__ = ["NetworkFirewallAllowlist", "NetworkFirewallAllowlistArgs"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        components = import_module("hostgate.aws.components")
    except AttributeError as error:  # left alone, Python would report it as a missing name of this package
        raise ImportError(f"hostgate.aws.components: {error}") from error
    return getattr(components, name)
