"""Simulated Google Cloud: its types, and what two rules or associations cannot be together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hostgate.gcp.resources import ABOVE, ASSOCIATION, COMPUTE, ORGANISATION_ASSOCIATION, QUOTAS, SCOPES, TYPES
from hostgate.gcp.resources_proxy import GATEWAY, NEXT_HOP, SERVICES
from hostgate.gcp.rule_steps import network_path
from hostgate.planning.shapes import shown
from hostgate.sandbox import (
    gcp_dns_lifecycle,
    gcp_groups_lifecycle,
    gcp_lifecycle,
    gcp_proxy_lifecycle,
    gcp_url_filter_lifecycle,
)
from hostgate.sandbox.clouds import Cloud, Declaration, about
from hostgate.sandbox.preview_problems import PreviewProblem

Names = Mapping[tuple[str, str, str, str], str]
"""URNs of the stack's policies by type, project and region (empty: the provider's) and name."""


def _policy_of(resource: Declaration, type_: str, policies: Names) -> Any:
    """What tells policies apart: the URN a reference came from, else project, region and the last part of a name or link,
    which is all that the provider keeps of it."""
    urns = set(policies.values())
    for urn in resource.property_dependencies.get("firewallPolicy", ()):
        if urn in urns:
            return urn
    said = resource.inputs.get("firewallPolicy")
    name = said.rpartition("/")[2] if isinstance(said, str) else ""
    place = (type_, *_place(resource), name)
    return policies.get(place, place if name else "")


def _place(resource: Declaration) -> tuple[str, str]:
    project, region = (resource.inputs.get(key) for key in ("project", "region"))
    return project if isinstance(project, str) else "", region if isinstance(region, str) else ""


def _unique_in_policy(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """Two rules of a policy never have one priority, two associations of it never one name."""
    own = {row.token: types.policy.token for types in SCOPES.values() for row in types}
    keys = {types.rule.token: "priority" for types in SCOPES.values()}
    keys |= {types.association.token: "name" for types in SCOPES.values()}
    policies = {
        (each.type, *_place(each), str(each.inputs.get("name"))): each.urn
        for each in resources
        if own.get(each.type) == each.type
    }
    taken: dict[tuple[str, Any, Any], str] = {}
    for resource in resources:
        key = keys.get(resource.type)
        policy = _policy_of(resource, own[resource.type], policies) if key else ""
        value = resource.inputs.get(key) if key else None
        if not key or not policy or not isinstance(value, int | float | str):
            continue
        slot = (resource.type, policy, value)
        if slot in taken:
            allowed = f"unique in the policy; {taken[slot]} has it already"
            problem = PreviewProblem("duplicate", path=key, found=shown(value), allowed=allowed, source=COMPUTE)
            yield about(resource, problem)
        taken.setdefault(slot, resource.name)


def _one_policy_per_target(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """A network has one global policy, an organization or a folder one hierarchical policy."""
    taken: dict[str, str] = {}
    for resource in resources:
        if resource.type not in (ASSOCIATION, ORGANISATION_ASSOCIATION):
            continue
        of_network = resource.type == ASSOCIATION
        target = resource.inputs.get("attachmentTarget")
        sources = resource.property_dependencies.get("attachmentTarget", ())
        where = network_path(target) if isinstance(target, str) else sources[0] if len(sources) == 1 else ""
        if where and where in taken:
            allowed = f"one global policy per network; {taken[where]} attaches one already"
            if not of_network:
                allowed = f"one policy for an organization or a folder; {taken[where]} attaches one already"
            source = QUOTAS if of_network else ABOVE
            problem = PreviewProblem(
                "two policies", path="attachmentTarget", found=where, allowed=allowed, source=source
            )
            yield about(resource, problem)
        taken.setdefault(where, resource.name)


def _one_next_hop_proxy(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """A network has one next-hop proxy in a region (Secure Web Proxy, troubleshoot next hop)."""
    taken: dict[tuple[Any, ...], str] = {}
    for resource in resources:
        network, deps = resource.inputs.get("network"), resource.property_dependencies.get("network", ())
        named = network_path(network) if isinstance(network, str) else deps
        place = (_place(resource), resource.inputs.get("location"), named)
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
    **gcp_dns_lifecycle.LIFECYCLES,
    **gcp_groups_lifecycle.LIFECYCLES,
}
CLOUD: Final = Cloud("gcp", TYPES, (_unique_in_policy, _one_policy_per_target, _one_next_hop_proxy), _LIFECYCLES)
"""Simulated Google Cloud."""
