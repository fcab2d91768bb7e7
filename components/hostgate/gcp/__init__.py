"""Google Cloud: the mechanisms of Cloud NGFW and the component that realises them.

`from hostgate.gcp import FirewallPolicyAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostgate.gcp.components import FirewallPolicyAllowlist, FirewallPolicyAllowlistArgs

__all__ = ["FirewallPolicyAllowlist", "FirewallPolicyAllowlistArgs"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        components = import_module("hostgate.gcp.components")
    except AttributeError as error:  # left alone, Python would report it as a missing name of this package
        raise ImportError(f"hostgate.gcp.components: {error}") from error
    return getattr(components, name)
