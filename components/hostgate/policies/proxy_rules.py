"""Secure Web Proxy's resources by themselves: empty and full lists. What they do, `hostgate.policies.web_proxies` asks."""

from hostgate.flows.nodes import Node
from hostgate.gcp.resources_proxy import LIST_ENTRIES
from hostgate.planning.limits import Usage
from hostgate.policies.reading import Reading


def read_list(node: Node) -> Reading:
    """A UrlList by itself: whether it is empty, and how full."""
    reading = Reading(node.doubts)
    values = node.at("values")
    if values.absent or values.empty:
        reading.empties.append(("values", "a URL list without entries"))
    reading.usage.append(Usage(LIST_ENTRIES, len(list(values.items("size")))))
    return reading


def read_apart(node: Node) -> Reading:
    """A rule, its policy, a gateway, an authorization policy: flows that meet them tell what they do."""
    return Reading(node.doubts)
