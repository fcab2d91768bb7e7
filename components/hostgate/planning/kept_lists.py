"""Lists of a cloud with the addresses of a pool, kept by Pulumi at each update, or by a push that runs on a schedule.

Never both: what a push keeps, Pulumi fills once, when it makes the list, and ignores from then on. So a list never begins
empty, and no update undoes a push.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final, Literal

from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.flows.snapshot import Resource
from hostgate.planning.address_pool import DEFAULT_OWNER, OWNER_LABEL, address_kind, family_of, mark
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import Objection
from hostgate.planning.options import Options
from hostgate.planning.pooled import Opening, PooledOptions, openings
from hostgate.planning.resource_types import ResourceType

PUSHED: Final = (
    "`hostgate pool push` has left the lists that it keeps as they were last read; `pulumi refresh` reads them again. "
    "Whoever refreshes the pool answers for what a push put there."
)
"""What is assumed of what stands where a push keeps some of it."""

_OF_ALL: Final = {"items": "labels", "ipAddresses": "tags"}
"""Where what is in a list has no description: its property, and what says of the whole list whose it is."""

_NAME: Final = re.compile(r"-(?:(.+)-)?refresher-(?:ipv[46]-)?(tcp|udp)-([0-9]+)(?:-[0-9]+)?")
"""Of a list that a refresher keeps, after the name of its component: its grant, transport and port."""

Lists = Mapping[tuple[Family, str, int], Sequence[Opening]]
"""What is in a list, by its address family, transport and port: everything in it is open at the ports of its rules."""


class KeptOptions(PooledOptions):
    """Options of what is fed by a pool through lists of the cloud."""

    contents: Literal["pool", "refresher"] = "pool"
    """Who keeps the lists: `pool`, this program, at what the pool says at each update; `refresher`, `hostgate pool push`,
    after the program has filled a list once, when it makes it."""

    @property
    def refreshed(self) -> bool:
        """Whether what is in the lists is a refresher's."""
        return self.contents == "refresher"


def ignored(row: ResourceType, options: Options | None) -> tuple[str, ...]:
    """The inputs of a resource that are a refresher's by `options`: filled once, when it is made. Never both."""
    kept = isinstance(options, KeptOptions) and options.refreshed and row.refreshed
    return (row.refreshed,) if kept else ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in lists that a refresher keeps, as addresses alone; `pushed`: those that its push put there, by the mark of
    `DEFAULT_OWNER`, the only one that a stack gives. `known`, of which it is asked: the addresses of the last updates with the
    hosts of each, whatever list those are of."""

    held: frozenset[str] = frozenset()
    pushed: frozenset[str] = frozenset()

    def due(self, host: str, addresses: Sequence[str], known: Mapping[str, Set[str]]) -> list[str]:
        """Of the `addresses` that `host` had at the last update, those that are due still: of each family what is there. Where
        nothing of it is, all, unless a push put some there that are known of no other host alone: they may be its new ones."""
        found = []
        for family in FAMILIES:
            those = [each for each in addresses if family_of(each) == family]
            if held := [each for each in those if each in self.held]:
                found += held
            elif not any(family_of(each) == family and host in known.get(each, (host,)) for each in self.pushed):
                found += those
        return found

    def meant(self, entries: Iterable[Entry], known: Mapping[str, Set[str]]) -> frozenset[str]:
        """What a push put there for the hosts of `entries`, which the lists are for: not what is known of other hosts alone."""
        hosts = {(each.host, family) for each in entries for family in each.families or FAMILIES}
        return frozenset(
            each
            for each in self.pushed
            if each not in known or any((host, family_of(each)) in hosts for host in known[each])
        )


def standing_in(component: Resource, lists: Iterable[Resource]) -> Mapping[tuple[str, str, int], Standing]:
    """What stands in those of `lists` that a refresher keeps, by grant, transport and port; not of those that are not known, or
    in which nothing is the refresher's."""
    found: dict[tuple[str, str, int], Standing] = {}
    for each in lists:
        named = _NAME.fullmatch(each.urn.rpartition("::")[2].removeprefix(component.name))
        if named is None or any(each.node.at(key).unknown for key in ("entries", *_OF_ALL)):
            continue
        entries = each.node.at("entries").items()
        marked = [(item.at("cidr").value, item.at("description").value) for item in entries]
        for key, owner in _OF_ALL.items():
            told = mark(str(each.node.at(owner, OWNER_LABEL).value))
            marked += [(item.value, told) for item in each.node.at(key).items()]
        held = {alone: told == mark(DEFAULT_OWNER) for cidr, told in marked if (alone := _alone(cidr))}
        if pushed := frozenset(address for address, ours in held.items() if ours):
            key_ = (named[1] or "", named[2], int(named[3]))
            before = found.get(key_, Standing())
            found[key_] = Standing(before.held.union(held), before.pushed | pushed)
    return found


def _alone(cidr: object) -> str | None:
    """The address of a network of one that a host can have; None for any other: no push puts it anywhere."""
    try:
        network = ip_network(str(cidr), strict=False)
    except ValueError:
        return None
    address = network.network_address
    return str(address) if network.num_addresses == 1 and address_kind(address.packed) != "never" else None


def lists_of(entries: Iterable[Entry], options: PooledOptions) -> Lists:
    """A list for each address family, transport and port that has addresses."""
    lists: dict[tuple[Family, str, int], list[Opening]] = {}
    for each in openings(entries, options):
        lists.setdefault(("ipv6" if ":" in each.address else "ipv4", each.transport, each.port), []).append(each)
    return lists


def not_refreshed(
    entries: Sequence[Entry], options: KeptOptions, room: int, key: str
) -> Iterator[tuple[tuple[str, str], Objection]]:
    """Objections to entries whose lists a refresher cannot keep; none if Pulumi keeps them. `room`: of a list, which
    option `key` says."""
    if not options.refreshed:
        return
    if not options.fed:
        why = "Found `addresses`, and `contents` refresher: both would say what is in a list."
        near = "a pool in their place, which fills each list once; or `contents` pool."
        yield from ((entry.key, Objection(why, near)) for entry in entries)
        return
    for (family, transport, port), held in lists_of(entries, options).items():
        if len(held) > room:
            spelled = family.replace("ip", "IP")
            found = f"The {spelled} list of {transport} {port} begins with {len(held):,} addresses."
            why = f"{found} Allowed by {key}: {room:,}."
            hosts = {host for each in held for host in each.hosts}
            for entry in entries:
                if entry.host in hosts and (entry.transport, entry.port) == (transport, port):
                    yield entry.key, Objection(why, "room for what comes before anything leaves.")


def refresher_owned(push: str, lists: Lists, entries: Sequence[Entry], room: int, key: str) -> list[Finding]:
    """Who keeps the lists, and with which hosts, in words, and which begin full. `push`: the command; `room`: of a list,
    which option `key` says."""
    told, full = [], []
    for family, transport, port in sorted(lists):
        hosts = {
            each.host
            for each in entries
            if (each.transport, each.port) == (transport, port) and family in (each.families or FAMILIES)
        }
        label = f"{family.replace('ip', 'IP')} {transport} {port}"
        told.append(f"{label}: push {' '.join(sorted(hosts))}")
        if len(lists[family, transport, port]) >= room:
            full.append(label)
    said = (
        "Pulumi fills each list once, when it makes it, and ignores what is in it from then on: "
        f"`hostgate pool push {push}` keeps them, and a host that comes later is closed until it is pushed. "
    )
    found = [finding("refresher-owned", f"{said}{'; '.join(told)}.")]
    if full:
        begins = f"Of {room:,} addresses, which {key} allows, as many are there from the start: {', '.join(full)}."
        found.append(finding("list-full", f"{begins} What is new comes in before anything leaves."))
    return found
