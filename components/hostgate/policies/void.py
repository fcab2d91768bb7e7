"""Broad allows that make a list of names void: beside it, before it, or where nothing that is on the list is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hostgate.flows.engine_documents import plain_type
from hostgate.flows.snapshot import Resource
from hostgate.policies.belonging import Together
from hostgate.policies.effects import Effect, in_words, ports_within
from hostgate.policies.readers import GCP_CLASSIC, GCP_NETWORK
from hostgate.policies.rule_table import RULES
from hostgate.policies.violations import CheckResult, NotApplicable, ResourceReading, Violation, unjudged

Owned = tuple[Effect, ResourceReading]

_LISTED_PORTS = {"tls": ((443, 443),), "http": ((80, 80),)}
"""What a domain list is about, although it opens its names on every port."""


def void_allow(sets: Sequence[Together], stack: Sequence[ResourceReading], others: Sequence[Resource]) -> CheckResult:
    """Names of one policy against broad allows of the same one; classic firewall rules against all of Google Cloud."""
    with_names = [(each, list(_named(each))) for each in sets if any(seen.reading.may_name for seen in each.rules)]
    if not with_names:
        return NotApplicable("nothing is allowed by name")
    return list(_voids(with_names, stack, others))


def _voids(
    with_names: Sequence[tuple[Together, list[Owned]]], stack: Sequence[ResourceReading], others: Sequence[Resource]
) -> Iterator[Violation]:
    for each, named in with_names:
        members = [*each.rules, *([each.policy] if each.policy and each.cloud == "aws" else [])]
        for seen in members:
            for broad in seen.reading.effects:
                met = [owned for owned in named if broad.broad and broad.overlaps(owned[0])]
                if met and not _dead(broad, each):
                    yield _said(seen, broad, met, "")
            apart = _apart(seen, each, named)
            needs = RULES["void-allow"].needs
            elsewhere = unjudged(seen.resource, seen.reading, needs - {"destination"})
            led = unjudged(seen.resource, seen.reading, {"destination"})
            remarks = [*elsewhere, *(remark for remark in led if remark.where not in apart)]
            yield from {remark.where: remark for remark in remarks}.values()
    of_gcp = [owned for each, named in with_names if each.cloud == "gcp" for owned in named]
    clouds = {each.cloud for each, _ in with_names}
    for seen in stack:
        if (
            plain_type(seen.resource.type) != GCP_CLASSIC
            or "gcp" not in clouds
            or _after_policies(seen.resource, others)
        ):
            continue
        for broad in seen.reading.effects:
            met = [owned for owned in of_gcp if broad.broad and broad.overlaps(owned[0])]
            if met:
                yield _said(seen, broad, met, "VPC firewall rules come before network firewall policies: ")
        yield from unjudged(seen.resource, seen.reading, RULES["void-allow"].needs)


def _named(each: Together) -> Iterator[Owned]:
    for seen in each.rules:
        for effect in seen.reading.effects:
            if effect.named:
                ports = _LISTED_PORTS.get(str(effect.layer), effect.ports) if effect.listed else effect.ports
                yield replace(effect, ports=ports), seen


def _apart(seen: ResourceReading, each: Together, named: Sequence[Owned]) -> set[str]:
    """Rules of AWS to a set of addresses kept elsewhere that cannot matter: no name shares their ports and protocol."""
    if each.cloud != "aws" or any(rules.reading.names_in_doubt for rules in each.rules):
        return set()
    return {
        effect.where
        for effect in seen.reading.effects
        if effect.destination is None and not any(effect.overlaps(owned[0]) for owned in named)
    }


def _said(seen: ResourceReading, broad: Effect, met: Sequence[Owned], before: str) -> Violation:
    first = met[0][0].names
    more = f" and {len({str(effect.names) for effect, _ in met}) - 1} more" if len(met) > 1 else ""
    ports = "unknown ports" if broad.ports is None else in_words(broad.ports)
    stage = "network rules come before application rules: " if seen.cloud == "azure" and broad.stage < 0 else before
    return Violation(
        resource=seen.resource,
        where=broad.where,
        message=f"{stage}any destination is allowed on {ports}; the rule for {first}{more} ({met[0][1].resource.name}) "
        "decides nothing.",
    )


def _dead(broad: Effect, each: Together) -> bool:
    """On Google Cloud: whether a deny of everything comes before it. Elsewhere every allow is taken to be reached."""
    if each.cloud != "gcp":
        return False
    denies = (effect for seen in each.rules for effect in seen.reading.effects if effect.action == "deny")
    return any(
        deny.names is None
        and deny.destination is not None
        and broad.destination is not None
        and deny.destination.everywhere
        and (not deny.destination.ranges or set(broad.destination.ranges) <= set(deny.destination.ranges))
        and deny.order < broad.order
        and deny.layer in ("any", broad.layer)
        and deny.ports is not None
        and broad.ports is not None
        and ports_within(broad.ports, deny.ports)
        and not deny.clients
        for deny in denies
    )


def _after_policies(rule: Resource, others: Sequence[Resource]) -> bool:
    """Whether the rule's network is told to ask network firewall policies first."""
    network = rule.properties.get("network")
    for other in others:
        order = other.properties.get("networkFirewallPolicyEnforcementOrder")
        if plain_type(other.type) != GCP_NETWORK or order != "BEFORE_CLASSIC_FIREWALL":
            continue
        named = isinstance(network, str) and network.rpartition("/")[2] == other.properties.get("name", other.name)
        if other.urn in rule.dependencies or named:
            return True
    return False
