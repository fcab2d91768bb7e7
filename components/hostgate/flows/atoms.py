"""Atoms: each dimension of a flow cut where some rule or some need of a catalog makes a difference.

Flows of the same atoms are alike to every step, so one of each is enough. Numbers are cut into elementary intervals; for
names see `name_atoms`.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from typing import Final

from hostgate.flows.address_sets import AddressFamily
from hostgate.flows.intervals import Intervals

_USUAL_PORTS: Final = (443, 80, 22, 53, 8443, 25)
_USUAL_HOSTS: Final = tuple(map(ip_address, ("203.0.113.7", "198.51.100.7", "192.0.2.7", "2001:db8::7")))
_USUAL_CLIENTS: Final = tuple(map(ip_address, ("10.0.0.7", "172.16.0.7", "192.168.0.7", "fd00::7")))
"""Of ranges for documentation (RFC 5737, RFC 3849) and of private ones: what a reader expects of an example."""


def cut(sets: Sequence[Intervals], within: Intervals) -> list[tuple[int, Intervals]]:
    """The parts of `within` that no set divides; with each, the sets that hold it, as bits. Parts of the same sets are one."""
    toggled: dict[int, int] = {}
    for bit, each in enumerate((*sets, within)):
        for low, high in each:
            toggled[low] = toggled.get(low, 0) ^ (1 << bit)
            toggled[high + 1] = toggled.get(high + 1, 0) ^ (1 << bit)
    inside = 1 << len(sets)
    parts: dict[int, list[tuple[int, int]]] = {}
    holding = 0
    for low, after in pairwise(sorted(toggled)):
        holding ^= toggled[low]
        if holding & inside:
            parts.setdefault(holding ^ inside, []).append((low, after - 1))
    return [(holding, Intervals.of(each)) for holding, each in parts.items()]


def usual_port(ports: Intervals) -> int:
    """One of them, and one that people know where there is one."""
    return next((port for port in _USUAL_PORTS if port in ports), _first(ports, least=1))


def usual_address(addresses: Intervals, family: AddressFamily, *, client: bool = False) -> str:
    """One of them, of a host or of a client, and one that people know for an example where there is one."""
    kind = IPv4Address if family == "IPv4" else IPv6Address
    usual = _USUAL_CLIENTS if client else _USUAL_HOSTS
    return str(
        next((each for each in usual if isinstance(each, kind) and int(each) in addresses), kind(_first(addresses)))
    )


def _first(numbers: Intervals, least: int = 0) -> int:
    low, high = next(iter(numbers))
    return min(max(low, least), high)
