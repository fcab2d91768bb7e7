"""What a firewall rule does, the same words for every cloud: to which names or addresses, on which ports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeGuard

from hostgate.catalog.match_kinds import within
from hostgate.catalog.model import MATCHES, Match
from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    FAMILIES,
    NO_ADDRESS,
    AddressFamily,
    AddressSet,
    internet,
    networks,
)
from hostgate.flows.intervals import Intervals

NameKind = Match | Literal["ending", "containing", "any"]
"""How names are matched: as a catalog says it, or by an ending or a part that is no whole label, or not at all."""

Layer = Literal["tls", "http", "tcp", "udp", "any", "other"]
Action = Literal["allow", "deny"]
Ports = tuple[tuple[int, int], ...]
"""Ranges, both ends included."""

ANY_PORT: Ports = ((0, 65_535),)

_MOST: Final[Mapping[AddressFamily, int]] = {"IPv4": 1_500_000_000, "IPv6": 2**125}
"""Public addresses that are most of the internet, however they are written: what half of IPv4 has of them (0.0.0.0/1 and
128.0.0.0/1 are the internet in two halves), and all global unicast addresses of IPv6 (IANA)."""


@dataclass(frozen=True, slots=True)
class Names:
    """A set of names."""

    kind: NameKind
    host: str

    def __str__(self) -> str:
        match self.kind:
            case "exact":
                return self.host
            case "any":
                return "any name"
            case "ending" | "containing":
                return f"any name {self.kind} {self.host!r}"
            case _:
                return f"{self.kind} of {self.host}"

    def inside(self, other: "Names") -> bool:
        """Whether `other` holds every one of these names."""
        if other.kind == "any":
            return True
        if other.kind in ("ending", "containing"):
            if self.kind not in (*MATCHES, "ending"):
                return self == other
            below = self.host if self.kind in ("exact", "ending", "subtree+apex") else f".{self.host}"
            return below.endswith(other.host) if other.kind == "ending" else other.host in below
        if not is_match(self.kind) or not is_match(other.kind):
            return False
        return within(self.kind, self.host, other.kind, other.host)


def is_match(kind: NameKind) -> TypeGuard[Match]:
    return kind in MATCHES


def public(addresses: AddressSet) -> AddressSet:
    """Those that hosts of the internet can have."""
    every = internet()
    return AddressSet(addresses.v4 & every.v4, addresses.v6 & every.v6)


EVERYWHERE: Final = public(EVERY_ADDRESS)
NOWHERE: Final = NO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a resource allows or denies. What could not be read is None, and a doubt beside it.

    `names` is None for a rule that goes by address alone. `destination` are public addresses; none of them: private
    ones, or sets that are not seen here. `listed`: a domain list, which cannot limit ports.
    """

    where: str
    action: Action
    layer: Layer | None
    ports: Ports | None
    names: Names | None = None
    destination: AddressSet | None = NOWHERE
    listed: bool = False

    @property
    def named(self) -> bool:
        return self.action == "allow" and self.names is not None and self.names.kind != "any"


def ports_within(one: Ports, other: Ports) -> bool:
    """Whether every port of `one` is in `other`."""
    return Intervals.of(other).holds(Intervals.of(one)) is True


def in_words(ports: Ports) -> str:
    if ports == ANY_PORT or ports == ((1, 65_535),):
        return "any port"
    return "port " + ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ports)


def port_range(text: str, separator: str) -> tuple[int, int] | None:
    """`443`, or `8000-8080` with the cloud's separator; None for anything else."""
    low, _, high = text.partition(separator)
    low, high = low.strip(), high.strip()
    if not low.isdecimal() or (high and not high.isdecimal()):
        return (0, int(high)) if not low and high.isdecimal() else None
    top = int(high) if high else (65_535 if separator in text else int(low))
    return (int(low), top) if int(low) <= top <= 65_535 else None


def destination(ranges: Iterable[str]) -> AddressSet | None:
    """The public addresses of `ranges` (CIDRs); None if one of them is no address range."""
    try:
        return public(networks(ranges))
    except ValueError:
        return None


def everywhere(addresses: AddressSet) -> bool:
    """Whether the addresses are most of the internet, of either family."""
    return any(most(addresses.of(family), family) for family in FAMILIES)


def most(addresses: Intervals, family: AddressFamily) -> bool:
    """Whether public addresses of one family are most of it."""
    return addresses.size >= _MOST[family]
