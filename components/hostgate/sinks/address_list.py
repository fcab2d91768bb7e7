"""What a list of a cloud lacks of a pool, and what stands in it that is due to leave. Pure: no cloud, no clock.

A list may hold entries of others. Ours are told by their description; of others none is ever changed or removed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from hostgate.catalog.model import FAMILIES, Family
from hostgate.planning.address_pool import AddressPool, mark, packed_address


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An entry as it stands: its network, spelled as the cloud spells it, and the description."""

    cidr: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class WantedAddresses:
    """What a pool wants of a list of one family. `hosts_of`: by network, in order of number, the hosts that it is for.
    `other_family`: hosts whose addresses are all of the other family. `unplaced`: hosts without any address yet."""

    hosts_of: Mapping[str, tuple[str, ...]]
    other_family: tuple[str, ...]
    unplaced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListDifference:
    """What brings a list to what is wanted. `add`: networks; `remove`: entries of ours; `foreign`: entries that are not ours;
    `owned`: how many are."""

    add: tuple[str, ...]
    remove: tuple[ListEntry, ...]
    foreign: tuple[ListEntry, ...]
    owned: int


def wanted_addresses(pool: AddressPool, family: Family) -> WantedAddresses:
    """Every address of `pool` of one family, as a network of one address."""
    hosts: dict[str, list[str]] = {}
    for host in pool.hosts:
        for address in pool.of(host, family):
            hosts.setdefault(address, []).append(host)
    bits = 32 if family == "ipv4" else 128
    unplaced = tuple(pool.lacking(pool.hosts))
    lacking = pool.lacking(pool.hosts, (family,))
    return WantedAddresses(
        {f"{address}/{bits}": tuple(hosts[address]) for address in sorted(hosts, key=_number)},
        tuple(host for host in lacking if host not in unplaced),
        unplaced,
    )


def difference(wanted: WantedAddresses, entries: Iterable[ListEntry], owner: str) -> ListDifference:
    """What `entries` lack of `wanted`, and which of them, if of `owner`, are none of it.

    An address that stands as somebody else's entry of the same network is there already: it is not added, and it stays when
    the pool no longer has it.
    """
    every = tuple(entries)
    standing = {network(each.cidr) for each in every}
    needed = {network(each) for each in wanted.hosts_of}
    ours = tuple(each for each in every if each.description == mark(owner))
    return ListDifference(
        tuple(each for each in wanted.hosts_of if network(each) not in standing),
        tuple(each for each in ours if network(each.cidr) not in needed),
        tuple(each for each in every if each.description != mark(owner)),
        len(ours),
    )


def most_to_remove(owned: int, share: float) -> int:
    """Of `owned` entries, how many one push may remove: the rule of a refresh, so that a pool can always turn over."""
    return max(1, int(share * owned)) if share else 0


def family_named(text: str) -> Family | None:
    """The family that a cloud calls IPv4, IPV4 or ipv4."""
    return next((family for family in FAMILIES if family == text.lower()), None)


def _number(address: str) -> bytes:
    return packed_address(address) or b""


def network(cidr: str) -> str:
    """One spelling for each network: a service may write the zeros of IPv6 otherwise. What is none is its own."""
    try:
        return str(ip_network(cidr, strict=False))
    except ValueError:  # `192.0.2.1-192.0.2.9` of an IP group
        return cidr
