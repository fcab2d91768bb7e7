"""Simulated AWS: its types, and what a policy and its rule groups cannot be together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hostgate.aws.resources import TYPES
from hostgate.aws.resources_firewall import FIREWALL_POLICY, ORDER, RULE_GROUP, order_of_group, order_of_policy
from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox import aws_groups_lifecycle, aws_lifecycle, aws_resolver_lifecycle
from hostgate.sandbox.clouds import Cloud, Declaration, about
from hostgate.sandbox.preview_problems import PreviewProblem


def _same_order(resources: Sequence[Declaration]) -> Iterator[PreviewProblem]:
    """A policy takes rule groups of its own rule order only."""
    groups = {resource.urn: resource for resource in resources if resource.type == RULE_GROUP}
    for policy in resources:
        body = policy.inputs.get("firewallPolicy")
        if policy.type != FIREWALL_POLICY or not isinstance(body, Mapping):
            continue
        wanted = order_of_policy(body)
        for urn in policy.property_dependencies.get("firewallPolicy", ()):
            group = groups[urn].inputs if urn in groups else {}
            if group.get("type") != "STATEFUL":
                continue
            inner_group = group.get("ruleGroup")
            order = order_of_group(inner_group if isinstance(inner_group, Mapping) else {})
            if UNKNOWN not in (order, wanted) and order != wanted:
                found = f"{wanted}, and {groups[urn].name} in {order}"
                path = "firewallPolicy.statefulEngineOptions.ruleOrder"
                problem = PreviewProblem(
                    "rule orders differ", path=path, found=found, allowed="one order", source=ORDER
                )
                yield about(policy, problem)


_LIFECYCLES: Final = {
    **aws_lifecycle.LIFECYCLES,
    **aws_resolver_lifecycle.LIFECYCLES,
    **aws_groups_lifecycle.LIFECYCLES,
}
CLOUD: Final = Cloud("aws", TYPES, (_same_order,), _LIFECYCLES)
"""Simulated AWS."""
