"""What entries of catalogs need, as boxes of flows: what has to be open where they are allowed."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import EVERY_ADDRESS, EVERY_IPV4, AddressSet, networks
from hostgate.flows.flow import IP_PROTOCOLS
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest
from hostgate.flows.snapshot import Snapshot
from hostgate.flows.steps import Box, Place
from hostgate.planning.decision import read_registered, rules_decided
from hostgate.planning.plan import Plan

_COMPONENT = re.compile(r"hostgate-[a-z]+:index:")

_SPEAKS = {"https": "tls", "tls": "tls", "http": "http"}
_OVER: Mapping[tuple[str, ...], AddressSet] = {("ipv4",): EVERY_IPV4, ("ipv6",): AddressSet(v6=EVERY_ADDRESS.v6)}


def needs_of(
    entries: Iterable[Entry], dialled: Callable[[Entry], Sequence[str]] = lambda _entry: (), *, due: bool = True
) -> list[Need]:
    """One need for each entry. `dialled`: addresses by which an entry is allowed besides; what is no range is passed over."""
    found = []
    for entry in entries:
        port, protocols, applications = _spoken(entry.port, entry.protocol, entry.transport)
        box = Box(
            dialled=(NameTest(entry.match, entry.host),), port=port, protocols=protocols, applications=applications,
            address=_OVER.get(entry.families or (), EVERY_ADDRESS),
        )  # fmt: skip
        found.append(Need(entry.id, box, due))
        if box.address != EVERY_ADDRESS:  # where a host has no address, a rule that would let it pass opens nothing
            found.append(Need(entry.id, replace(box, address=EVERY_ADDRESS), due=False))
        ranges = [each for each in dialled(entry) if _is_range(each)]
        if ranges:
            by_address = Box(port=box.port, protocols=box.protocols, address=networks(ranges))
            found.append(Need(entry.id, by_address, due=False))
    return found


@lru_cache(maxsize=1024)
def _spoken(port: int, protocol: str, transport: str) -> tuple[Intervals, frozenset[int], frozenset[str] | None]:
    """Port, IP protocol and what is spoken; one for all entries alike, of which there are thousands."""
    spoken = frozenset({_SPEAKS[protocol]}) if protocol in _SPEAKS else None
    return Intervals.of([(port, port)]), frozenset({IP_PROTOCOLS[transport]}), spoken


def needs_of_catalogs(entries: Iterable[Entry]) -> list[Need]:
    """What entries of catalogs need that no plan has chosen from: any one of alternatives is enough, misprints and what is
    not egress need nothing, and what the vendor has withdrawn may be open."""
    found: list[Need] = []
    for entry in entries:
        if entry.direction == "egress" and entry.status != "mistaken":
            group = f"{entry.catalog}#{entry.alternatives}" if entry.alternatives else ""
            withdrawn = entry.withdrawn is not None or entry.status == "withdrawn"
            found += [replace(need, group=group) for need in needs_of([entry], due=not withdrawn)]
    return found


def names_open(names: Iterable[str]) -> list[Need]:
    """What may pass beside the hosts of catalogs: every flow to `names` and below."""
    return [Need(name, Box(dialled=(NameTest("subtree+apex", name),)), due=False) for name in names]


def points_of(plan: Plan) -> list[tuple[Place, list[Need]]]:
    """Where the clients of a plan are judged, those of each of several lists apart, and what has to be open for them; what
    the other lists are for may be, for the clients of those. With what the plan opens beside the hosts by its options."""
    allowed = [decision.entry for decision in plan.decisions if decision.outcome == "allowed"]
    found = []
    for share, place in plan.places:
        needs = names_open(plan.options.open_names)
        for other, at in plan.places:
            own = other.grant == share.grant
            these = needs_of([each for each in allowed if each.grant == other.grant], plan.options.dialled, due=own)
            if not own and at.clients is not None:
                these = [replace(each, box=replace(each.box, client=at.clients)) for each in these]
            needs += these
        found.append((replace(place, name=f"{place.name} for {share.grant}") if share.grant else place, needs))
    return found


def needs_at(place: Place, snapshot: Snapshot) -> tuple[list[Need], frozenset[str]]:
    """What the allowlists of a snapshot need at `place`, and the resources there that are theirs.

    An allowlist is at a place if a rule that it names is; what is of the same cloud and elsewhere may be open there, and
    need not be. Entries that are alternatives of one another were chosen from when the allowlist was planned.
    """
    steps = [step for stage in place.stages for group in stage.groups for step in group.steps]
    owners: dict[str, set[str]] = {}
    for owner, rule in dict.fromkeys((step.owner, step.rule) for step in steps):
        for name in rules_decided(rule):
            owners.setdefault(name, set()).add(owner)
    found: list[Need] = []
    ours: set[str] = set()
    for resource in snapshot.resources:
        if not _COMPONENT.match(resource.type):
            continue
        target = str(resource.properties.get("target", ""))
        if target.partition(":")[0] != place.target.partition(":")[0]:
            continue
        try:
            decisions = read_registered(resource.properties.get("decisions"), resource.properties.get("purposes"))
        except ValueError:
            continue
        allowed = [each for each in decisions if each.outcome == "allowed"]
        mine = {owner for each in allowed for owner in owners.get(each.rule or "", ())}
        ours |= mine
        options = resource.properties.get("options")
        given = options.get("addresses") if isinstance(options, Mapping) else None
        addresses = given if isinstance(given, Mapping) else {}
        for each in allowed:
            ranges = addresses.get(each.entry.id, ())
            found += needs_of([each.entry], partial(_given, ranges), due=bool(mine))
    return found, frozenset(ours)


def clients_of(place: Place, owners: frozenset[str]) -> frozenset[str] | None:
    """Identities of the clients that the allow rules of `owners` at `place` are for; None where one is for everybody."""
    steps = [step for stage in place.stages for group in stage.groups for step in group.steps]
    asked = [step.box.client.identities for step in steps if step.owner in owners and step.action == "allow"]
    known = [each for each in asked if each is not None]
    return frozenset().union(*known) if known and len(known) == len(asked) else None


def _given(ranges: Sequence[str], entry: Entry) -> Sequence[str]:  # noqa: ARG001
    return ranges


def _is_range(text: str) -> bool:
    try:
        networks([text])
    except ValueError:
        return False
    return True
