"""What a firewall rule does, the same words for every cloud: to which names or addresses, on which ports, for whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, Literal, TypeGuard

from hostgate.catalog.match_kinds import within
from hostgate.catalog.model import MATCHES, Match
from hostgate.planning.options import PRIVATE_IPV4, SHARED_IPV4, public_ranges

NameKind = Match | Literal["ending", "containing", "any"]
"""How names are matched: as a catalog says it, or by an ending or a part that is no whole label, or not at all."""

Layer = Literal["tls", "http", "tcp", "udp", "any", "other"]
Action = Literal["allow", "deny"]
Ports = tuple[tuple[int, int], ...]
"""Ranges, both ends included."""

ANY_PORT: Ports = ((0, 65_535),)
TCP: frozenset[Layer] = frozenset({"tls", "http", "tcp"})

INTERNET_SHARE = 2**31
"""Addresses. Ranges that together hold half of IPv4 are the internet, however they are written: 0.0.0.0/1 and
128.0.0.0/1, or everything but the private ranges."""

INTERNET_PREFIX = 3
"""An IPv6 range this short takes in all global unicast addresses (2000::/3, IANA)."""

_INTERNET: Mapping[int, Any] = {4: ip_network("0.0.0.0/0"), 6: ip_network("2000::/3")}
NEVER_PUBLIC = [
    ip_network(cidr)
    for cidr in (*PRIVATE_IPV4, *SHARED_IPV4, "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
]
"""IPv4 that no host of the internet has (IANA special-purpose address registry)."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Addresses: most of the internet, or the public ones among `ranges`. Neither: private, or sets not seen here."""

    everywhere: bool = False
    ranges: tuple[str, ...] = ()

    @property
    def unseen(self) -> bool:
        return not self.everywhere and not self.ranges


EVERYWHERE = Destination(everywhere=True)
NOWHERE = Destination()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a resource allows or denies. What could not be read is None, and a doubt beside it.

    `names` is None for a rule that goes by address alone. `clients` are source ranges, accounts or tags; empty is
    everybody. `listed`: a domain list, which cannot limit ports. `order` and `stage` say when it is asked: the lower
    stage first, and within it the lower order. `ends`: the parts of TCP that a deny without names surely ends, on AWS
    (`endings.EVERY_CONNECTION`).
    """

    where: str
    action: Action
    layer: Layer | None
    ports: Ports | None
    names: Names | None = None
    destination: Destination | None = NOWHERE
    clients: frozenset[str] = frozenset()
    listed: bool = False
    order: int = 0
    stage: int = 0
    ends: frozenset[str] = frozenset()

    @property
    def named(self) -> bool:
        return self.action == "allow" and self.names is not None and self.names.kind != "any"

    @property
    def broad(self) -> bool:
        """Whether it allows any destination: by address, or by a name pattern that every name meets."""
        if self.action != "allow":
            return False
        if self.names is not None:
            return self.names.kind == "any"
        return self.destination is not None and self.destination.everywhere

    def overlaps(self, other: "Effect") -> bool:
        """Whether some traffic that the one is about is also what the other is about, as far as ports, protocol and
        clients go. What is not known overlaps."""
        return (
            layers_meet(self.layer, other.layer)
            and ports_meet(self.ports, other.ports)
            and clients_meet(self.clients, other.clients)
        )


def layers_meet(one: Layer | None, other: Layer | None) -> bool:
    if one is None or other is None or "any" in (one, other) or one == other:
        return True
    return {one, other} <= TCP and "tcp" in (one, other)


def ports_meet(one: Ports | None, other: Ports | None) -> bool:
    if one is None or other is None:
        return True
    return any(low <= high2 and low2 <= high for low, high in one for low2, high2 in other)


def ports_within(one: Ports, other: Ports) -> bool:
    """Whether every port of `one` is in `other`."""
    return not ports_meet(one, inverse(other))


def inverse(ports: Ports) -> Ports:
    """Every port that is not in `ports`."""
    found, start = [], 0
    for low, high in sorted(ports):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, 65_535)) if start <= 65_535 else tuple(found)


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


def destination(ranges: Iterable[str]) -> Destination | None:
    """What `ranges` (CIDRs) take in; None if one of them is no address range."""
    texts = list(ranges)
    try:
        networks = [ip_network(text, strict=False) for text in texts]
    except ValueError:
        return None
    public = public_ranges(str(network) for network in networks)
    return Destination(everywhere=takes_in_the_internet(networks), ranges=tuple(public))


def takes_in_the_internet(networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    four = collapse_addresses(network for network in networks if isinstance(network, IPv4Network))
    six = collapse_addresses(network for network in networks if isinstance(network, IPv6Network))
    return sum(network.num_addresses for network in four) >= INTERNET_SHARE or any(
        network.prefixlen <= INTERNET_PREFIX for network in six
    )


def closes_the_internet(networks: Iterable[IPv4Network | IPv6Network], version: int) -> bool:
    """Whether a deny of `networks` leaves out no public address of that version."""
    held = collapse_addresses(
        [each for each in networks if each.version == version] + (NEVER_PUBLIC if version == 4 else [])  # type: ignore[type-var]
    )
    return any(_INTERNET[version].subnet_of(each) for each in held)


def clients_meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether some client may be in both; only address ranges, and equal words, can be told apart."""
    if not one or not other or one & other:
        return True
    ours, theirs = _networks(one), _networks(other)
    if ours is None or theirs is None:
        # Service accounts and tags: a client has one account, and tags are compared by name. Anything mixed may meet.
        return not (_accounts(one) and _accounts(other))
    return any(a.version == b.version and a.overlaps(b) for a in ours for b in theirs)


def _networks(clients: frozenset[str]) -> list[IPv4Network | IPv6Network] | None:
    try:
        return [ip_network(client, strict=False) for client in clients]
    except ValueError:
        return None


def _accounts(clients: frozenset[str]) -> bool:
    return all("@" in client for client in clients)
