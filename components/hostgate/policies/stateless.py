"""What the stateless engine of AWS hands on to the stateful one, of first packets that are not TCP."""

from collections.abc import Iterator

from hostgate.flows.flow import Network
from hostgate.policies.address_ranges import ALL, VERSIONS, matched, without
from hostgate.policies.belonging import Together
from hostgate.policies.coverage import HomeNet, Left, Side
from hostgate.policies.effects import takes_in_the_internet
from hostgate.policies.ip_protocols import KINDS, OF_KIND, Kind
from hostgate.policies.reading import Stateful, Stateless
from hostgate.policies.violations import ResourceReading, Violation


def handed_on(each: Together, stateful: Stateful, home: HomeNet) -> Left[Kind]:
    """What reaches the stateful rules. What cannot be seen (a group of another stack, an unknown order) hands on all."""
    left = home.everything(KINDS)
    groups = [seen for seen in each.rules if seen.reading.stateless]
    places = {seen.resource.urn: _place(stateful, seen, len(groups)) for seen in groups}
    unordered = any(rule.priority is None for seen in groups for rule in seen.reading.stateless)
    if stateful.stateless_references > len(groups) or None in places.values() or unordered:
        return left
    forwarded: Left[Kind] = dict.fromkeys(left, ())
    ordered = sorted(groups, key=lambda seen: places[seen.resource.urn] or 0)
    for rule in (
        rule for seen in ordered for rule in sorted(seen.reading.stateless, key=lambda rule: rule.priority or 0)
    ):
        for cell, addresses in left.items():
            targets = _taken(rule, cell)
            if "aws:drop" in rule.actions:
                left[cell] = without(addresses, targets)
            elif "aws:forward_to_sfe" in rule.actions:
                # One for some ports or clients hands on these, and the rest meets the rules after it.
                forwarded[cell] += _possible(rule, cell, addresses)
                left[cell] = without(addresses, targets)
    if "aws:drop" in (stateful.stateless_defaults or ()):
        return forwarded
    return {cell: (*forwarded[cell], *left[cell]) for cell in left}


def stateless_passes(each: Together) -> Iterator[Violation]:
    """Rules that let a kind out to most of the internet, before any stateful rule is asked."""
    for seen in each.rules:
        for rule in seen.reading.stateless:
            if "aws:pass" not in rule.actions:
                continue
            for version in VERSIONS:
                targets = _addresses(rule.destinations, version)
                kinds = [kind for kind in KINDS if _about(rule, kind, version)]
                if kinds and (targets is None or takes_in_the_internet(targets)):
                    message = (
                        f"aws:pass to any destination, before any other rule: {', '.join(kinds)} over IPv{version}."
                    )
                    yield Violation(resource=seen.resource, where=rule.where, message=message)


def _taken(rule: Stateless, cell: tuple[Kind, int, Side]) -> tuple[Network, ...]:
    """The addresses to which the rule surely takes every packet of the cell."""
    kind, version, _ = cell
    sources, targets = _addresses(rule.sources, version), _addresses(rule.destinations, version)
    if sources is None or targets is None or rule.protocols is None or not rule.any_port:
        return ()
    whole = not rule.protocols or OF_KIND[kind, version] <= set(rule.protocols)
    return targets if whole and not without([ALL[version]], sources) else ()


def _possible(rule: Stateless, cell: tuple[Kind, int, Side], addresses: tuple[Network, ...]) -> tuple[Network, ...]:
    """Those of `addresses` to which the rule may take packets of the cell."""
    kind, version, _ = cell
    targets = _addresses(rule.destinations, version)
    if not _about(rule, kind, version):
        return ()
    return addresses if targets is None else without(addresses, without(addresses, targets))


def _about(rule: Stateless, kind: Kind, version: int) -> bool:
    return not rule.protocols or bool(OF_KIND[kind, version] & set(rule.protocols))


def _addresses(ranges: tuple[str, ...] | None, version: int) -> tuple[Network, ...] | None:
    if ranges is None:
        return None
    found = matched(f"[{','.join(ranges)}]" if ranges else "any", {})
    return None if found is None else found[version]


def _place(stateful: Stateful, group: ResourceReading, groups: int) -> int | None:
    """The priority of a stateless group; one that is alone needs none."""
    name = group.resource.properties.get("name")
    places = stateful.stateless_priorities.items()
    found = next((number for arn, number in places if arn.rpartition("/")[2] == name), None)
    return 0 if found is None and groups == 1 else found
