"""Limits of the clouds that a stack nearly uses up: the numbers are those that plans are checked against."""

from collections.abc import Iterator, Sequence

from hostgate.aws.firewall_limits import GROUP_BYTES, POLICY_CAPACITY, POLICY_GROUPS, RULE_LENGTH
from hostgate.azure.firewall_policy import GROUPS, GROUPS_OF_ANY
from hostgate.azure.network_rules import FQDNS
from hostgate.planning.limits import Usage
from hostgate.policies.belonging import Together
from hostgate.policies.readers import DNS_LIST, RULE_GROUP
from hostgate.policies.rule_table import RULES
from hostgate.policies.violations import CheckResult, NotApplicable, ResourceReading, Violation, unjudged


def limit_nearly_used(sets: Sequence[Together], stack: Sequence[ResourceReading], percent: int) -> CheckResult:
    if not sets and not any(seen.reading.usage for seen in stack):
        return NotApplicable("no firewall rules")
    found = [
        Violation(
            resource=seen.resource,
            where=usage.limit.name,
            message=f"{usage.used:,} of {usage.limit.max:,} {usage.limit.unit} ({usage.limit.source}).",
        )
        for seen, usage in (*_of_resources(stack), *_of_policies(sets))
        if usage.used * 100 >= usage.limit.max * percent
    ]
    members = {seen.resource.urn: seen for each in sets for seen in each.rules}
    members |= {seen.resource.urn: seen for seen in stack if seen.resource.type == DNS_LIST}
    for seen in members.values():
        found += unjudged(seen.resource, seen.reading, RULES["limit-nearly-used"].needs)
    return found


def _of_resources(stack: Sequence[ResourceReading]) -> Iterator[tuple[ResourceReading, Usage]]:
    for seen in stack:
        for usage in seen.reading.usage:
            yield seen, usage
        if seen.resource.type == RULE_GROUP:
            size = sum(len(text.encode()) for text in seen.reading.texts) + seen.reading.list_bytes
            longest = max((len(line) for text in seen.reading.texts for line in text.splitlines()), default=0)
            yield seen, Usage(GROUP_BYTES, size)
            yield seen, Usage(RULE_LENGTH, longest)


def _of_policies(sets: Sequence[Together]) -> Iterator[tuple[ResourceReading, Usage]]:
    for each in sets:
        if each.cloud == "aws" and each.policy is not None:
            yield each.policy, Usage(POLICY_GROUPS, each.policy.reading.stateful.references)
            rooms = [room for seen in each.rules for room in seen.reading.rooms]
            yield each.policy, Usage(POLICY_CAPACITY, sum(room.reserved for room in rooms))
        elif each.cloud == "azure":
            yield from ((each.rules[0], Usage(limit, len(each.rules))) for limit in (GROUPS, GROUPS_OF_ANY))
            lookups = {host for seen in each.rules for host, _ in seen.reading.lookups}
            yield each.rules[0], Usage(FQDNS, len(lookups))
