"""Simulated Azure: its types, and what they cannot be together: clashing groups, parallel updates, names without a DNS proxy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hostgate.azure.resources import FQDN_RULES, GROUP, POLICY, RULES, TYPES
from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.shapes import filled, known_list, shown
from hostgate.sandbox.azure_lifecycle import LIFECYCLES
from hostgate.sandbox.clouds import Cloud, Declaration, about
from hostgate.sandbox.preview_problems import PreviewProblem

ONE_AT_A_TIME: Final = "Azure Firewall known issues (2025-09-19); terraform-provider-azurerm issue 15440"


def _policy_of(group: Declaration, names: Mapping[str, str]) -> str:
    """The URN of the policy in this stack that a group belongs to, else the policy's name, else nothing."""
    urns = set(names.values())
    for urn in group.property_dependencies.get("firewallPolicyName", ()):
        if urn in urns:
            return urn
    said = group.inputs.get("firewallPolicyName")
    return names.get(said, said) if isinstance(said, str) else ""


def _groups_by_policy(resources: Sequence[Declaration]) -> dict[str, list[Declaration]]:
    names = {str(each.inputs.get("firewallPolicyName")): each.urn for each in resources if each.type == POLICY}
    groups: dict[str, list[Declaration]] = {}
    for resource in resources:
        if resource.type == GROUP and (policy := _policy_of(resource, names)):
            groups.setdefault(policy, []).append(resource)
    return groups


def unique_priorities(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """Two groups of a policy never have one priority or one name."""
    for groups in _groups_by_policy(resources).values():
        for key in ("priority", "ruleCollectionGroupName"):
            taken: dict[int | float | str, str] = {}
            for group in groups:
                value = group.inputs.get(key)
                if not isinstance(value, int | float | str):
                    continue
                if value in taken:
                    allowed = f"unique in the policy; {taken[value]} has it already"
                    yield about(
                        group, PreviewProblem("duplicate", path=key, found=shown(value), allowed=allowed, source=RULES)
                    )
                taken.setdefault(value, group.name)


def one_at_a_time(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """Groups of one policy must depend on one another in a chain: the service refuses a second update meanwhile."""
    known = {resource.urn: resource for resource in resources}
    if any(resource.dependencies is None for resource in resources):
        return
    for groups in _groups_by_policy(resources).values():
        before = {group.urn: _all_dependencies(group, known) for group in groups}
        for index, group in enumerate(groups):
            for other in groups[:index]:
                if other.urn not in before[group.urn] and group.urn not in before[other.urn]:
                    found = f"{group.name} and {other.name} may be written at the same time"
                    allowed = "one depends_on the other"
                    problem = PreviewProblem("parallel updates", found=found, allowed=allowed, source=ONE_AT_A_TIME)
                    yield about(group, problem)


def _all_dependencies(resource: Declaration, known: Mapping[str, Declaration]) -> set[str]:
    seen: set[str] = set()
    waiting = list(resource.dependencies or ())
    while waiting:
        urn = waiting.pop()
        if urn not in seen:
            seen.add(urn)
            waiting.extend((known[urn].dependencies or ()) if urn in known else ())
    return seen


def names_in_network_rules(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """FQDNs in network rules need the DNS proxy of the policy, and no Basic tier."""
    policies = {resource.urn: resource.inputs for resource in resources if resource.type == POLICY}
    for urn, groups in _groups_by_policy(resources).items():
        policy = policies.get(urn)
        for group in groups if policy is not None else ():
            if policy is None or not _has_destination_fqdns(group):
                continue
            settings, sku = policy.get("dnsSettings"), policy.get("sku")
            if settings is not UNKNOWN and (not isinstance(settings, Mapping) or not settings.get("enableProxy")):
                found, allowed = "no DNS proxy on its policy", "dnsSettings.enableProxy: true"
                problem = PreviewProblem(
                    "destinationFqdns", path="ruleCollections", found=found, allowed=allowed, source=FQDN_RULES
                )
                yield about(group, problem)
            if isinstance(sku, Mapping) and sku.get("tier") == "Basic":
                allowed = "Standard or Premium"
                problem = PreviewProblem(
                    "destinationFqdns", path="ruleCollections", found="tier Basic", allowed=allowed, source=FQDN_RULES
                )
                yield about(group, problem)


def _has_destination_fqdns(group: Declaration) -> bool:
    collections = [item for _, item in known_list(group.inputs, "ruleCollections") if isinstance(item, Mapping)]
    rules = [rule for collection in collections for _, rule in known_list(collection, "rules")]
    return any(isinstance(rule, Mapping) and filled(rule, "destinationFqdns") for rule in rules)


CLOUD: Final = Cloud("azure-native", TYPES, (unique_priorities, one_at_a_time, names_in_network_rules), LIFECYCLES)
"""Simulated Azure."""
