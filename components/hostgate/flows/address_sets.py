"""Sets of addresses of both families, with the parts that nobody here can see kept as symbols."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Literal

from hostgate.flows.intervals import NO_NUMBER, Intervals

AddressFamily = Literal["IPv4", "IPv6"]
FAMILIES: tuple[AddressFamily, ...] = ("IPv4", "IPv6")
TOP = {"IPv4": 2**32 - 1, "IPv6": 2**128 - 1}

NEVER_PUBLIC_V4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/3",
)  # fmt: skip
"""IPv4 ranges that no host of the internet has (IANA IPv4 special-purpose address registry, read 2026-11-23); those for
documentation stand for hosts of the internet."""

_GLOBAL_UNICAST = "2000::/3"
"""All global unicast addresses of IPv6 (IANA IPv6 address space, read 2026-11-23)."""
_NAT64 = "64:ff9b::"
"""The first address of 64:ff9b::/96, which gateways of AWS and Google Cloud make IPv4 of (RFC 6052; Amazon VPC user guide and
Google Cloud VPC, DNS64 and NAT64, read 2026-11-29)."""


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses. `symbols` name sets that are part of it and whose members are not known here (`pl-123`,
    `tag:Storage`); `without` name such sets that are taken out of it."""

    v4: Intervals = NO_NUMBER
    v6: Intervals = NO_NUMBER
    symbols: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def of(self, family: AddressFamily) -> Intervals:
        return self.v4 if family == "IPv4" else self.v6

    def __or__(self, other: "AddressSet") -> "AddressSet":
        return union((self, other))

    def less(self, other: "AddressSet") -> "AddressSet":
        """What is left without the addresses of `other` that are known."""
        v4, v6 = other.v4.outside(TOP["IPv4"]), other.v6.outside(TOP["IPv6"])
        return AddressSet(self.v4 & v4, self.v6 & v6, self.symbols, self.without)

    def within(self, other: "AddressSet") -> "AddressSet":
        """What of it is among the addresses of `other` that are known."""
        return AddressSet(self.v4 & other.v4, self.v6 & other.v6, self.symbols, self.without)

    @property
    def complement(self) -> "AddressSet":
        """Every other address of both families."""
        return AddressSet(self.v4.outside(TOP["IPv4"]), self.v6.outside(TOP["IPv6"]), self.without, self.symbols)

    def holds(self, members: "AddressSet", family: AddressFamily) -> bool | None:
        """Whether the address of `family` that is somewhere in `members` is in here; None if nobody can tell."""
        known = self.of(family).holds(members.of(family))
        if known is True and self.without:
            return None
        if known is False and self.symbols:
            return None
        return known

    def shown(self, family: AddressFamily, most: int = 3) -> str:
        """Its ranges of `family` as CIDR, the first of them where they are many."""
        kind = IPv4Address if family == "IPv4" else IPv6Address
        found: list[str] = []
        for low, high in self.of(family):
            found += map(str, summarize_address_range(kind(low), kind(high)))
            if len(found) > most:
                return f"{', '.join(found[:most])}, ..."
        return ", ".join(found)

    @property
    def opaque(self) -> frozenset[str]:
        """The sets on which membership depends and that nobody here sees."""
        return self.symbols | self.without


NO_ADDRESS = AddressSet()
EVERY_ADDRESS = AddressSet(Intervals(((0, TOP["IPv4"]),)), Intervals(((0, TOP["IPv6"]),)))


EVERY_IPV4 = AddressSet(v4=EVERY_ADDRESS.v4)


def networks(cidrs: Iterable[str | IPv4Network | IPv6Network]) -> AddressSet:
    """The union of ranges in CIDR form; host bits are ignored as every cloud ignores them. Raises ValueError."""
    v4: list[tuple[int, int]] = []
    v6: list[tuple[int, int]] = []
    for cidr in cidrs:
        network = ip_network(cidr, strict=False)
        part = (int(network.network_address), int(network.broadcast_address))
        (v4 if network.version == 4 else v6).append(part)
    return AddressSet(Intervals.of(v4), Intervals.of(v6))


def range_of(value: object) -> AddressSet | None:
    """The addresses of a range in CIDR form; None for a value that is none."""
    try:
        return networks([value]) if isinstance(value, str) else None
    except ValueError:
        return None


def union(sets: Iterable[AddressSet]) -> AddressSet:
    """All of them together. What is taken out of one and not of the others stays in doubt, never lost."""
    found = tuple(sets)
    return AddressSet(
        Intervals.of(part for each in found for part in each.v4),
        Intervals.of(part for each in found for part in each.v6),
        frozenset(name for each in found for name in each.symbols),
        frozenset(name for each in found for name in each.without),
    )


def listed(values: Iterable[object], unread: str) -> AddressSet:
    """The union of ranges in CIDR form; the symbol `unread` where one of `values` is none, or not known."""
    found = [range_of(each) for each in values]
    known = [each for each in found if each is not None]
    return union(known) if len(known) == len(found) else symbol(unread)


def between(first: str, last: str) -> AddressSet:
    """The addresses from `first` to `last`, both included. Raises ValueError if they are of two families."""
    low, high = ip_address(first), ip_address(last)
    if low.version != high.version:
        raise ValueError(f"{first} and {last} are of two address families")
    part = Intervals.of([(int(low), int(high))])
    return AddressSet(v4=part) if low.version == 4 else AddressSet(v6=part)


def symbol(name: str) -> AddressSet:
    """A set whose members are not known here, called the same wherever the same set is meant."""
    return AddressSet(symbols=frozenset({name}))


@lru_cache(maxsize=1)
def internet() -> AddressSet:
    """The addresses that hosts of the internet can have."""
    return AddressSet(networks(NEVER_PUBLIC_V4).v4.outside(TOP["IPv4"]), networks([_GLOBAL_UNICAST]).v6)


@lru_cache(maxsize=1)
def reachable() -> AddressSet:
    """Where packets to the internet go: also to what NAT64 makes IPv4 of, which no host has and rules let pass or not."""
    return translated(internet())


def translated(addresses: AddressSet) -> AddressSet:
    """The addresses, and those that NAT64 makes its IPv4 addresses of. Those that are not global have none (RFC 6052, 3.1)."""
    first = int(IPv6Address(_NAT64))
    mapped = ((first + low, first + high) for low, high in addresses.v4 & internet().v4)
    return replace(addresses, v6=Intervals.of((*addresses.v6, *mapped)))


def is_translated(address: str) -> bool:
    """Whether an address, as it is written by default, is one that NAT64 makes IPv4 of."""
    return address.startswith(_NAT64)
