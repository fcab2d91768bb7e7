"""Which resources belong to one firewall policy: by what they were made from, or by name where that is known."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.gcp.evaluate_proxy import policy_named, policy_of
from hostgate.gcp.references import alike
from hostgate.policies.readers import (
    AWS_POLICY,
    AZURE_GROUP,
    AZURE_POLICY,
    GCP_POLICIES,
    PROXY_POLICY,
    PROXY_RULE,
    RULE_GROUP,
    RULES_OF_GCP,
    CloudName,
    cloud_of,
    read,
)
from hostgate.policies.violations import ResourceReading


@dataclass(frozen=True, slots=True)
class Together:
    """A firewall policy and the rules in it. `policy` is None where it is owned elsewhere or nobody can tell."""

    cloud: CloudName
    key: str
    policy: ResourceReading | None
    rules: tuple[ResourceReading, ...]

    @property
    def proxy(self) -> bool:
        """Whether the policy is a web proxy's, which denies what no rule allows."""
        return self.rules[0].resource.type == PROXY_RULE if self.rules else False


def readings(resources: Iterable[Resource]) -> tuple[list[ResourceReading], list[Resource]]:
    """The resources that have a reader, each as it reads, and the others."""
    stack: list[ResourceReading] = []
    others: list[Resource] = []
    for resource in resources:
        reading, cloud = read(resource), cloud_of(resource.type)
        if reading is None or cloud is None:
            others.append(resource)
        else:
            stack.append(ResourceReading(resource, cloud, reading))
    return stack, others


def together(stack: Sequence[ResourceReading], others: Sequence[Resource]) -> list[Together]:
    """Every policy of the stack with its rules; rules of policies owned elsewhere are kept by the policy they name.

    `others` are the resources without a reader, policies of Google Cloud and Azure among them.
    """
    found = [*_aws(stack), *_by_policy(stack, others, "gcp"), *_by_policy(stack, others, "azure")]
    return [*found, *_proxies(stack)]


def _proxies(stack: Sequence[ResourceReading]) -> list[Together]:
    """Gateway security policies with their rules."""
    snapshot = Snapshot(tuple(seen.resource for seen in stack), "the stack")
    policies = {seen.resource.urn: seen for seen in stack if seen.resource.type == PROXY_POLICY}
    groups: dict[str, list[ResourceReading]] = {}
    for seen in stack:
        if seen.resource.type == PROXY_RULE:
            owner = policy_of(seen.resource, snapshot)
            key = owner.urn if owner else policy_named(seen.resource) or "?"
            groups.setdefault(key, []).append(seen)
    return [Together("gcp", key, policies.get(key), tuple(rules)) for key, rules in groups.items()]


def _aws(stack: Sequence[ResourceReading]) -> list[Together]:
    groups = [seen for seen in stack if seen.resource.type == RULE_GROUP]
    held: set[str] = set()
    found = []
    for policy in (seen for seen in stack if seen.resource.type == AWS_POLICY):
        rules = tuple(group for group in groups if _refers(policy, group.resource))
        held |= {group.resource.urn for group in rules}
        found.append(Together("aws", policy.resource.urn, policy, rules))
    loose = tuple(group for group in groups if group.resource.urn not in held)
    return [*found, Together("aws", "", None, loose)] if loose else found


def _refers(policy: ResourceReading, group: Resource) -> bool:
    if group.urn in policy.resource.dependencies:
        return True
    arn, name = group.properties.get("arn"), group.properties.get("name")
    return any(each == arn or each.rpartition("/")[2] == name for each in policy.reading.stateful.arns)


def _by_policy(stack: Sequence[ResourceReading], others: Sequence[Resource], cloud: CloudName) -> list[Together]:
    types = GCP_POLICIES if cloud == "gcp" else {AZURE_POLICY}
    policies = [resource for resource in others if resource.type in types]
    groups: dict[str, list[ResourceReading]] = {}
    owners: dict[str, ResourceReading] = {}
    for seen in stack:
        kind = seen.resource.type
        if (kind not in RULES_OF_GCP and kind != AZURE_GROUP) or seen.cloud != cloud:
            continue
        owner = next((policy for policy in policies if _owns(policy, seen, cloud)), None)
        key = owner.urn if owner else seen.reading.policy or "?"
        if owner is not None:
            owners[key] = ResourceReading(owner, cloud, seen.reading)
        elif kind.endswith("WithRules"):
            owners[key] = seen
        groups.setdefault(key, []).append(seen)
    if cloud == "azure" and "?" in groups:
        # A group that does not tell its policy may belong to any: they are judged as if they were one.
        return [Together(cloud, "?", next(iter(owners.values()), None), tuple(itertools.chain(*groups.values())))]
    return [Together(cloud, key, owners.get(key), tuple(rules)) for key, rules in groups.items()]


def _owns(policy: Resource, rule: ResourceReading, cloud: CloudName) -> bool:
    if policy.urn in rule.resource.dependencies:
        return True
    name = policy.properties.get("name") or policy.properties.get("firewallPolicyName")
    if not isinstance(name, str) or rule.reading.policy is None:
        return False
    # Google's provider puts a rule into the policy of that name in the rule's own project.
    if not alike(*([each.properties.get("project")] for each in (policy, rule.resource))):
        return False
    return rule.reading.policy == (name.lower() if cloud == "azure" else name)
