"""Whether anything denies what the names do not allow: default actions on AWS, a last deny rule on Google Cloud.

Azure Firewall denies what no rule allows and cannot be told otherwise, so there is nothing to ask there.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from hostgate.policies.address_ranges import VERSIONS
from hostgate.policies.belonging import Together, priority_of
from hostgate.policies.catalogs import CatalogIndex
from hostgate.policies.coverage import HomeNet, in_words, take
from hostgate.policies.effects import (
    Effect,
    Names,
    closes_the_internet,
    inverse,
    layers_meet,
    ports_within,
)
from hostgate.policies.endings import ended
from hostgate.policies.rule_table import RULES
from hostgate.policies.violations import CheckResult, NotApplicable, ResourceReading, Violation, unjudged

_PARTS = {"tls": "TLS", "http": "HTTP", "http-bare": "HTTP without a Host", "other": "other TCP"}
_FAMILIES = {"IPv4 (0.0.0.0/0)": 4, "IPv6 (::/0)": 6}


def list_without_drop(sets: Sequence[Together]) -> CheckResult:
    with_lists = [each for each in sets if each.cloud == "aws" and each.policy is not None and _lists(each)]
    if not with_lists:
        return NotApplicable("no policy of this stack holds a domain list in strict order")
    return [
        remark
        for each in with_lists
        if each.policy is not None
        for remark in _left_open(
            each, each.policy, f"{', '.join(_lists(each))} in strict order, and the default drops nothing",
            "list-without-drop",
        )
    ]  # fmt: skip


def no_deny(sets: Sequence[Together]) -> CheckResult:
    named = [each for each in sets if each.cloud != "azure" and each.policy is not None and _names(each)]
    if not named:
        return NotApplicable("no policy of this stack allows anything by name, but those that deny by default")
    found: list[Violation] = []
    for each in named:
        if each.cloud == "gcp":
            found += _open_families(each)
        elif each.policy is not None:
            found += _left_open(each, each.policy, "no default drops, and no last rule does", "no-deny")
    return found


def deny_elsewhere(sets: Sequence[Together]) -> CheckResult:
    loose = [each for each in sets if each.cloud != "azure" and each.policy is None and _allows(each)]
    if not loose:
        return NotApplicable("every policy with allowed names is part of this stack, or denies by default")
    return [
        Violation(
            resource=seen.resource,
            where=each.key or "the policy",
            message="is not part of this stack; that it denies the rest is not to be seen here.",
        )
        for each in loose
        if each.cloud == "aws" or any(_missing(each))
        for seen in each.rules
        if seen.reading.may_name
    ]


def domain_list_any_port(sets: Sequence[Together], known: CatalogIndex) -> CheckResult:
    lists = [
        each
        for each in sets
        if each.cloud == "aws" and any(seen.reading.lists or seen.reading.opaque for seen in each.rules)
    ]
    if not lists:
        return NotApplicable("no domain list allows anything")
    found: list[Violation] = []
    for each in lists:
        for seen in each.rules:
            if seen.reading.lists or seen.reading.opaque:
                found += _unguarded(each, seen, known)
                found += unjudged(seen.resource, seen.reading, RULES["domain-list-any-port"].needs)
    return found


def _unguarded(each: Together, listing: ResourceReading, known: CatalogIndex) -> Iterator[Violation]:
    last = priority_of(each.policy, listing.resource)
    guards = [
        effect
        for seen in each.rules
        for first in (priority_of(each.policy, seen.resource),)
        if first is None or last is None or first < last
        for effect in seen.reading.effects
        if effect.action == "deny" and not effect.listed
    ]
    for effect in listing.reading.effects:
        if not effect.listed or not effect.named or effect.names is None:
            continue
        names = effect.names
        ports = {entry.port for entry in known.touching(names)} or {80 if effect.layer == "http" else 443}
        others = inverse(tuple(sorted((port, port) for port in ports)))
        if not any(_guards(guard, effect, names, others) for guard in guards):
            said = ", ".join(map(str, sorted(ports)))
            yield Violation(
                resource=listing.resource, where=effect.where, host=names.host,
                entry=next((entry.id for entry in known.touching(names)), None),
                message=f"{names}: open on every port, needed on {said}.",
            )  # fmt: skip


def _guards(guard: Effect, effect: Effect, names: Names, ports: tuple[tuple[int, int], ...]) -> bool:
    parts = {"tls", "http"} if effect.layer is None else {str(effect.layer)}
    by_address = guard.names is None and parts <= guard.ends
    return (
        (by_address or (guard.names is not None and names.inside(guard.names)))
        and layers_meet(guard.layer, effect.layer)
        and guard.ports is not None
        and ports_within(ports, guard.ports)
        and not guard.clients
    )


def _lists(each: Together) -> list[str]:
    """Groups that are strict domain lists, or may be."""
    return [
        seen.resource.name
        for seen in each.rules
        if (seen.reading.lists or seen.reading.opaque) and seen.reading.strict is not False
    ]


def _names(each: Together) -> bool:
    """Whether names are allowed, or may be; those of strict domain lists have a rule of their own."""
    return any(seen.reading.names_in_doubt and not seen.reading.lists for seen in each.rules) or any(
        effect.named and (not effect.listed or seen.reading.strict is False)
        for seen in each.rules
        for effect in seen.reading.effects
    )


def _allows(each: Together) -> bool:
    return any(seen.reading.may_name for seen in each.rules)


def _drops(policy: ResourceReading) -> bool:
    """Whether the default actions of the AWS policy drop what nothing passes."""
    stateful = policy.reading.stateful
    return stateful.strict is True and any(action.startswith("aws:drop_") for action in stateful.defaults or ())


def _left_open(each: Together, policy: ResourceReading, message: str, rule: str) -> Iterator[Violation]:
    """What neither the default ends nor rules that together end every connection; or what cannot be judged."""
    if _drops(policy):
        return
    stateful = policy.reading.stateful
    home = HomeNet(stateful)
    left = home.everything(list(_PARTS))
    unknown: list[str] = []
    for seen in each.rules:
        for _, line in seen.reading.lines:
            if line.action in ("drop", "reject") and line.port.lower() == line.source_port.lower() == "any":
                sets = {**home.sets, **seen.reading.variables}
                found = take(left, dict.fromkeys(VERSIONS, ended(line)), line, sets, home)
                unknown += [found] if found is not None and found not in unknown else []
    if not any(left.values()):
        return
    resource, where = policy.resource, "firewallPolicy.statefulDefaultActions"
    if stateful.strict is None or (stateful.strict and stateful.defaults is None):
        yield from unjudged(resource, policy.reading, RULES[rule].needs)
        return
    if not stateful.strict:
        message = "in action order there is no default; all but TLS and HTTP passes, whatever the lists say"
    told = "; ".join(in_words(left, _PARTS))
    if unknown:
        told = f"cannot be judged: {', '.join(unknown)} is not known here. As far as is seen, {told}"
    yield Violation(resource=resource, where=where, message=f"{message}: {told}.")


def _missing(each: Together) -> Iterator[str]:
    """The address families that no last deny closes on Google Cloud."""
    allowed = [effect for seen in each.rules for effect in seen.reading.effects if effect.named]
    clients = frozenset().union(*(effect.clients for effect in allowed))
    everybody = not allowed or any(not effect.clients for effect in allowed)
    denies = [
        effect
        for seen in each.rules
        for effect in seen.reading.effects
        if effect.action == "deny"
        and effect.names is None
        and effect.layer == "any"
        and (not effect.clients or (not everybody and clients <= effect.clients))
    ]
    for words, version in _FAMILIES.items():
        if not any(_closes(deny, version) for deny in denies):
            yield words


def _closes(deny: Effect, version: int) -> bool:
    if deny.destination is None or not deny.destination.everywhere:
        return False
    networks = [ip_network(text, strict=False) for text in deny.destination.ranges]
    return not networks or closes_the_internet(networks, version)


def _open_families(each: Together) -> Iterator[Violation]:
    missing = list(_missing(each))
    if not missing:
        return
    unknown = [
        remark
        for seen in each.rules
        for remark in unjudged(seen.resource, seen.reading, RULES["no-deny"].needs - {"names"})
    ]
    if unknown:
        yield from unknown
        return
    assert each.policy is not None
    first = next(seen for seen in each.rules if seen.reading.may_name)
    for words in missing:
        yield Violation(
            resource=first.resource, where="the policy", message=f"no last rule denies {words} for all protocols."
        )
