"""What entries of catalogs need, as boxes of flows: what has to be open where they are allowed."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache, partial
from typing import TypeVar

from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    EVERY_IPV4,
    NO_ADDRESS,
    AddressSet,
    networks,
    range_of,
    translated,
)
from hostgate.flows.flow import IP_PROTOCOLS
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest
from hostgate.flows.snapshot import Snapshot
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Place
from hostgate.planning.allowlists_at import Allowlist
from hostgate.planning.decision import Decision
from hostgate.planning.mechanism import mechanism
from hostgate.planning.options import Options
from hostgate.planning.plan import Plan
from hostgate.planning.pooled import FedOptions

T = TypeVar("T")

_SPEAKS = {"https": "tls", "tls": "tls", "http": "http"}
_OVER: Mapping[tuple[str, ...], AddressSet] = {("ipv4",): EVERY_IPV4, ("ipv6",): AddressSet(v6=EVERY_ADDRESS.v6)}


def needs_of(
    entries: Iterable[Entry],
    dialled: Callable[[Entry], Sequence[str]] = lambda _entry: (),
    *,
    due: bool = True,
    alone: Callable[[Entry], bool] = lambda _entry: False,
    sets: Mapping[str, AddressSet] = {},
) -> list[Need]:
    """One need for each entry. `dialled`: addresses by which an entry is allowed besides; what is no range is passed over.
    `alone`: whether by those alone, so that no other address of the host is due; whatever else is there may be open. `sets`:
    by entry id, addresses in a list by which alone it is allowed."""
    found = []
    for entry in entries:
        port, protocols, applications = _spoken(entry.port, entry.protocol, entry.transport)
        box = Box(
            dialled=(NameTest(entry.match, entry.host),), port=port, protocols=protocols, applications=applications,
            address=_OVER.get(entry.families or (), EVERY_ADDRESS),
        )  # fmt: skip
        by_address = alone(entry) or entry.id in sets
        found.append(Need(entry.id, box, due and not by_address))
        if box.address != EVERY_ADDRESS:  # where a host has no address, a rule that would let it pass opens nothing
            found.append(Need(entry.id, replace(box, address=EVERY_ADDRESS), due=False))
        ranges = [each for each in dialled(entry) if range_of(each) is not None]
        addresses = sets.get(entry.id) or (networks(ranges) if ranges else None)
        if addresses is not None:
            over_nat64 = translated(addresses)
            found.append(Need(entry.id, Box(port=box.port, protocols=box.protocols, address=over_nat64), due=False))
            if by_address:
                found.append(_at(Need(entry.id, box, due), addresses))
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
    """Where the clients of a plan are judged, as if nothing else stood there, and what has to be open for them."""
    return points_at(plan.places, plan.options, plan.decisions)


def points_at(
    places: Sequence[tuple[Options, Place]], options: Options, decisions: Iterable[Decision]
) -> list[tuple[Place, list[Need]]]:
    """Each of `places`, where the clients of each of several lists are judged, and what has to be open for them; what the
    other lists are for may be, for the clients of those. With what the `options` open beside the hosts."""
    allowed = [decision.entry for decision in decisions if decision.outcome == "allowed"]
    found = []
    for share, place in places:
        needs = names_open(options.open_names)
        for other, at in places:
            own = other.grant == share.grant
            these = needs_of(
                [each for each in allowed if each.grant == other.grant],
                options.dialled,
                due=own,
                alone=options.alone,
            )
            if not own and at.clients is not None:
                these = _of_list(these, "", at.clients)
            needs += these
        found.append((replace(place, name=f"{place.name} for {share.grant}") if share.grant else place, needs))
    return found


def due_of(
    target: str,
    options: Options,
    decisions: Iterable[Decision],
    dialled: Callable[[Entry], Sequence[str]] = lambda _entry: (),
) -> list[Need]:
    """What has to pass wherever the clients of a plan are judged, by whatever else stands there. `dialled`: the addresses by
    which its hosts are dialled there; none: any."""
    allowed = [decision.entry for decision in decisions if decision.outcome == "allowed"]
    found: list[Need] = []
    for share in options.shares:
        own = []
        for entry in (each for each in allowed if each.grant == share.grant):
            ranges = dialled(entry)
            asked = [need for need in needs_of([entry]) if need.due]
            own += [_at(need, networks(ranges)) for need in asked] if ranges else asked
        found += _of_list(own, "", mechanism(target).clients(share, Snapshot((), "the plan")))
    return found


def _at(need: Need, addresses: AddressSet) -> Need:
    """The need at those of its addresses that are among `addresses`."""
    over = need.box.address
    both = replace(addresses, v4=addresses.v4 & over.v4, v6=addresses.v6 & over.v6)
    return replace(need, box=replace(need.box, address=both))


def needs_of_allowlists(listed: Sequence[Allowlist]) -> tuple[list[Need], frozenset[str]]:
    """What allowlists need at the place at which they were asked for, and the resources there that are theirs.

    What is of the same cloud and elsewhere may be open there, and need not be. Each of its lists is for the clients that it
    names, and its entries are told with the list's name. Entries that are alternatives of one another were chosen from when
    the allowlist was planned. What is not read of one needs nothing: `Allowlist.unread` says so.
    """
    found: list[Need] = []
    of_all = _known(each.options for each in listed)
    for each in listed:
        allowed = [decision for decision in each.decisions if decision.outcome == "allowed"]
        options = each.resource.properties.get("options")
        given = options.get("addresses") if isinstance(options, Mapping) else None
        addresses = given if isinstance(given, Mapping) else {}
        found += [] if each.options is None else names_open(each.options.open_names)
        known = {**of_all, **_known([each.options])}  # its own update is the word on what it had
        lists: dict[tuple[str, str, int], list[Entry]] = {}
        several = len(listed) > 1 and any(client != EVERY_CLIENT for client in each.clients.values())
        for decision in allowed:
            entry = decision.entry
            by_address = each.options if each.options is not None and each.options.alone(entry) else None
            ranges = addresses.get(entry.id, ()) if by_address is None else by_address.dialled(entry)
            list_ = (entry.grant, entry.transport, entry.port)
            if list_ in each.kept:
                lists.setdefault(list_, []).append(entry)
                ranges = each.kept[list_].due(entry.host, ranges, known)
            whose = " ".join(filter(None, (each.resource.name if several else "", decision.entry.grant)))
            alone = partial(_given, by_address is not None)
            wanted = needs_of([entry], partial(_given, ranges), due=bool(each.own), alone=alone, sets=each.sets)
            found += _of_list(wanted, whose, each.clients.get(decision.entry.grant, EVERY_CLIENT))
        for (grant, transport, port), kept in each.kept.items():
            ports, protocols, _ = _spoken(port, transport, transport)
            entries = lists.get((grant, transport, port), [])
            had = (each.options.dialled(entry) for entry in entries if each.options is not None)
            may_be = translated(networks(kept.meant(entries, known).union(*had)))
            pushed = Need(each.resource.name, Box(port=ports, protocols=protocols, address=may_be), due=False)
            found += _of_list([pushed], grant, each.clients.get(grant, EVERY_CLIENT))
    return found, frozenset().union(*(each.own for each in listed))


def dialled_at(listed: Allowlist) -> Callable[[Entry], tuple[str, ...]]:
    """The addresses by which the hosts of an allowlist are due: those of its last update, as far as a refresher's lists hold
    them."""
    options, known = listed.options, _known([listed.options])

    def dialled(entry: Entry) -> tuple[str, ...]:
        addresses = () if options is None else options.dialled(entry)
        kept = listed.kept.get((entry.grant, entry.transport, entry.port))
        return addresses if kept is None else tuple(kept.due(entry.host, addresses, known))

    return dialled


def _known(several: Iterable[Options | None]) -> Mapping[str, Set[str]]:
    """The addresses that allowlists had at their last updates from a pool, with the hosts of each."""
    found: dict[str, set[str]] = {}
    for options in several:
        for host, addresses in options.hosts.items() if isinstance(options, FedOptions) else ():
            for each in addresses:
                found.setdefault(each, set()).add(host)
    return found


def _of_list(needs: list[Need], whose: str, clients: ClientTest) -> list[Need]:
    """The needs of the `clients` of one list, with its name."""
    if not whose and clients == EVERY_CLIENT:
        return needs
    name = f"{whose}:" if whose else ""
    return [replace(each, entry=f"{name}{each.entry}", box=replace(each.box, client=clients)) for each in needs]


def clients_of(place: Place, owners: frozenset[str]) -> tuple[ClientTest, ...] | None:
    """The clients that the allow rules of `owners` at `place` are for, if all of them are for some service accounts or tags,
    or what the same allowlists deny is denied to some clients alone; else None: everybody. Those of allowlists without a rule
    there come with them.

    Where a place says who is inside, it is for all of those.
    """
    steps = list(place.steps)
    asked = dict.fromkeys(step.box.client for step in steps if step.owner in owners and step.action == "allow")
    named = tuple(dict.fromkeys((*asked, *place.meant)))
    if asked and all(each.identities is not None for each in asked):
        return named
    holders = {each.rpartition("::")[0] for each in owners}  # a deny is a resource beside the rules that allow
    denied = [
        step.box.client
        for step in steps
        if step.action == "block" and step.rule and step.owner.rpartition("::")[0] in holders
    ]
    narrow = place.inside == NO_ADDRESS and denied and EVERY_CLIENT not in denied
    if narrow and EVERY_CLIENT not in asked:
        return named
    return None if asked else place.meant or None


def _given(value: T, entry: Entry) -> T:  # noqa: ARG001
    return value
