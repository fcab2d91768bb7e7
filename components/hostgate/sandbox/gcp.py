"""Simulated Google Cloud: its types, and what two rules or associations cannot be together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hostgate.gcp.resources import ASSOCIATION, COMPUTE, POLICY, QUOTAS, RULE, TYPES
from hostgate.gcp.resources_proxy import GATEWAY, NEXT_HOP, SERVICES
from hostgate.gcp.rule_steps import network_path
from hostgate.planning.shapes import shown
from hostgate.sandbox import gcp_lifecycle, gcp_proxy_lifecycle, gcp_url_filter_lifecycle
from hostgate.sandbox.clouds import Cloud, Declaration, about
from hostgate.sandbox.preview_problems import PreviewProblem

Names = Mapping[tuple[str, str], str]
"""URNs of the stack's policies by project (empty: the provider's) and name."""


def _policy_of(resource: Declaration, policies: Names) -> Any:
    """What tells policies apart: the URN a reference came from, else project and the last part of a name or link, which
    is all that the provider keeps of it."""
    urns = set(policies.values())
    for urn in resource.property_dependencies.get("firewallPolicy", ()):
        if urn in urns:
            return urn
    said = resource.inputs.get("firewallPolicy")
    place = (_project(resource), said.rpartition("/")[2] if isinstance(said, str) else "")
    return policies.get(place, place if place[1] else "")


def _project(resource: Declaration) -> str:
    said = resource.inputs.get("project")
    return said if isinstance(said, str) else ""


def _unique_in_policy(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """Two rules of a policy never have one priority, two associations of it never one name."""
    policies = {(_project(each), str(each.inputs.get("name"))): each.urn for each in resources if each.type == POLICY}
    taken: dict[tuple[str, Any, Any], str] = {}
    for resource in resources:
        key = {RULE: "priority", ASSOCIATION: "name"}.get(resource.type)
        policy = _policy_of(resource, policies) if key else ""
        value = resource.inputs.get(key) if key else None
        if not key or not policy or not isinstance(value, int | float | str):
            continue
        slot = (resource.type, policy, value)
        if slot in taken:
            allowed = f"unique in the policy; {taken[slot]} has it already"
            problem = PreviewProblem("duplicate", path=key, found=shown(value), allowed=allowed, source=COMPUTE)
            yield about(resource, problem)
        taken.setdefault(slot, resource.name)


def _one_policy_per_network(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    taken: dict[str, str] = {}
    for resource in resources:
        if resource.type != ASSOCIATION:
            continue
        target = resource.inputs.get("attachmentTarget")
        sources = resource.property_dependencies.get("attachmentTarget", ())
        network = network_path(target) if isinstance(target, str) else sources[0] if len(sources) == 1 else ""
        if network and network in taken:
            allowed = f"one global policy per network; {taken[network]} attaches one already"
            problem = PreviewProblem(
                "two policies", path="attachmentTarget", found=network, allowed=allowed, source=QUOTAS
            )
            yield about(resource, problem)
        taken.setdefault(network, resource.name)


def _one_next_hop_proxy(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """A network has one next-hop proxy in a region (Secure Web Proxy, troubleshoot next hop)."""
    taken: dict[tuple[Any, ...], str] = {}
    for resource in resources:
        network, deps = resource.inputs.get("network"), resource.property_dependencies.get("network", ())
        named = network_path(network) if isinstance(network, str) else deps
        place = (_project(resource), resource.inputs.get("location"), named)
        if resource.type != GATEWAY or resource.inputs.get("routingMode") != NEXT_HOP or not named:
            continue
        if place in taken:
            allowed = f"one next-hop proxy of a network in a region; {taken[place]} is one already"
            problem = PreviewProblem(
                "two proxies", path="network", found=shown(named), allowed=allowed, source=SERVICES
            )
            yield about(resource, problem)
        taken.setdefault(place, resource.name)


_LIFECYCLES = {
    **gcp_lifecycle.LIFECYCLES,
    **gcp_url_filter_lifecycle.LIFECYCLES,
    **gcp_proxy_lifecycle.LIFECYCLES,
}
CLOUD: Final = Cloud("gcp", TYPES, (_unique_in_policy, _one_policy_per_network, _one_next_hop_proxy), _LIFECYCLES)
"""Simulated Google Cloud."""
