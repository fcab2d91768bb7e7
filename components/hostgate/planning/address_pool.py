"""An address pool as plans and exports read it: the addresses behind each host that count now, and who saw them when.

A pool is kept in step with DNS elsewhere (`hostgate pool refresh`). Here it is a value, so that nothing below needs DNS.
Every address in it counts: what has aged out is taken out by the refresher, which knows whether it has watched all the
time, and never by a reader. A host without an address is a state with a reason (`AddressPool.lacking`), never an empty
list that somebody renders.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Literal, NamedTuple

from hostgate.catalog.model import FAMILIES, Family
from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.flows.address_sets import NEVER_PUBLIC_V4

AddressKind = Literal["internet", "private", "never"]

_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Somebody's own networks: in a pool only where its owner says so (RFC 1918, 6598, 4193)."""

_NEVER = (
    *(each for each in NEVER_PUBLIC_V4 if each not in _PRIVATE),
    "192.0.0.0/24",  # the protocols' own, with the answers for ipv4only.arpa (RFC 6890, 7050)
    "198.18.0.0/15",  # benchmarks (RFC 2544); resolvers of proxies hand these out as stand-ins
    "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
    "::/3",  # unspecified, loopback, IPv4-mapped, NAT64 of 64:ff9b::/96
    "2001::/32",  # Teredo, and
    "2001:2::/48",  # benchmarks (RFC 5180)
    "2002::/16",  # 6to4: what they lead to is an IPv4 address
    "4000::/2",
    "8000::/2",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/7",
)
"""What no host of the internet has, and no owner's word opens (IANA special-purpose address registries, read 2026-11-23)."""

DEFAULT_OWNER = "pool"
"""Whose entries of a cloud's list those of a push are, unless it says."""

OWNER_LABEL = "hostgate-owner"
"""On clouds whose lists have no description for each entry: the label or tag of a list that says whose its entries are."""


def mark(owner: str) -> str:
    """The description of the entries of `owner` in a cloud's list. It says nothing that may change: a description is never
    written anew."""
    return f"hostgate:{owner}"


Network = IPv4Network | IPv6Network


class PoolAddress(NamedTuple):
    """An address in its shortest form. `first`: unix seconds when anybody first saw it. `seen`: by vantage point, in
    order of their names, when it was last seen there; a later sighting is written down only after a while (see
    `hostgate.dns.refreshing`), so each is at most that much too early."""

    address: str
    first: int
    seen: tuple[tuple[str, int], ...]

    @property
    def last(self) -> int:
        """Unix seconds when it was last seen anywhere."""
        return max(at for _, at in self.seen)

    @property
    def family(self) -> Family:
        return family_of(self.address)


@dataclass(frozen=True, slots=True)
class PoolHost:
    """A host that is asked for. `window`: seconds that an address counts after it was last seen. `addresses`: IPv4 first,
    in order of number. `watched`: by family and vantage point, since when answers came there without a break."""

    host: str
    window: int
    addresses: tuple[PoolAddress, ...] = ()
    watched: Mapping[tuple[Family, str], int] = field(default_factory=dict)

    def of(self, family: Family) -> tuple[str, ...]:
        """The addresses of one family; none where the host has none of it."""
        return tuple(each.address for each in self.addresses if family_of(each.address) == family)

    @property
    def last(self) -> int | None:
        """Unix seconds when any address was last seen; None if none ever was."""
        return max((each.last for each in self.addresses), default=None)


@dataclass(frozen=True, slots=True)
class AddressPool:
    """A pool. `hosts` in order of name; `private`: networks of the owner's own that it may hold addresses of; `shown`: the
    file or URL that it came from, for messages."""

    hosts: Mapping[str, PoolHost] = field(default_factory=dict)
    private: tuple[Network, ...] = ()
    shown: str = "the pool"

    def of(self, host: str, family: Family) -> tuple[str, ...]:
        """The addresses of `host` that count now. Look at `lacking` first: it says of which hosts there is none, and why."""
        found = self.hosts.get(host)
        return () if found is None else found.of(family)

    def lacking(self, hosts: Iterable[str], families: Iterable[Family] = FAMILIES) -> dict[str, str]:
        """Those of `hosts` that have no address of any of `families`, each with the reason in a sentence.

        A mechanism refuses them: a rule without addresses opens nothing or everything, and either is wrong.
        """
        wanted = tuple(families)
        found = {}
        for host in hosts:
            pooled = self.hosts.get(host)
            if pooled is None:
                found[host] = f"{self.shown} has no {host}: add it with `hostgate pool refresh`."
            elif not any(map(pooled.of, wanted)):
                told = "" if len(wanted) > 1 else f"{wanted[0]} "
                found[host] = f"{self.shown} knows {host} but no {told}address of it: no answer has brought one yet."
        return found

    def stale(self, host: str, as_of: date, families: Iterable[Family] = FAMILIES) -> str | None:
        """That the addresses of `host`, or those of one of `families`, were not confirmed for longer than its window at `as_of`
        (UTC; of a day, when it begins), in words; None if they were, or if there are none."""
        pooled = self.hosts.get(host)
        if pooled is None:
            return None
        seen = {
            family: datetime.fromtimestamp(max(times), UTC)
            for family in families
            if (times := [each.last for each in pooled.addresses if each.family == family])
        }
        moment = as_of if isinstance(as_of, datetime) else datetime.combine(as_of, time(), UTC)
        end = moment if isinstance(as_of, datetime) else moment + timedelta(days=1)
        slack, window = timedelta(days=1), timedelta(seconds=pooled.window)  # a day may be that of another time zone
        late = {family: at for family, at in seen.items() if at - end > slack or moment - at > window}
        if not late:
            return None
        family, at = min(late.items(), key=lambda each: each[1])
        which = "addresses" if len({*late.values()}) == 1 and len(late) == len(seen) else f"{family} addresses"
        said = f"The {which} of {host} in {self.shown} were last confirmed on {at.date()}"
        if at > end:
            return f"{said}, which is to come: a clock is wrong."
        days, rest = divmod(moment - at, timedelta(days=1))
        ago = f"{days} day{'s' if days > 1 else ''}" if days else f"{rest // timedelta(hours=1)} hours"
        return f"{said}, more than {ago} ago."


def named_hosts(pool: AddressPool, hosts: Iterable[str]) -> list[str]:
    """Those of `hosts`, each once; every host of the pool if none is named. Raises InputError for those that it lacks."""
    named = list(dict.fromkeys(hosts))
    strange = [each for each in named if each not in pool.hosts]
    if strange:
        raise InputError(
            Problem(rule="pool-host", file=pool.shown, message=f"It has no {each}.{did_you_mean(each, pool.hosts)}")
            for each in strange
        )
    return named or list(pool.hosts)


def family_of(address: str) -> Family:
    """Of an address as text."""
    return "ipv6" if ":" in address else "ipv4"


def packed_address(text: str) -> bytes | None:
    """`text` in network order if it is an address in its shortest form; None if not."""
    family = AF_INET6 if ":" in text else AF_INET
    try:
        packed = inet_pton(family, text)
    except (OSError, ValueError):
        return None
    return packed if inet_ntop(family, packed) == text else None


def address_kind(packed: bytes) -> AddressKind:
    """Whether an address is one of the internet, of somebody's private network, or one that no host can have.

    Those for documentation count as the internet's: they lead nowhere.
    """
    starts, kinds = _RANGES[len(packed)]
    return kinds[bisect_right(starts, packed) - 1]


def _ranges(version: int, octets: int) -> tuple[list[bytes], list[AddressKind]]:
    """Where a range begins, and what it is; between those that are listed lies the internet."""
    starts: list[bytes] = []
    kinds: list[AddressKind] = []
    known = sorted(
        (int(network.network_address), int(network.broadcast_address), kind)
        for texts, kind in ((_PRIVATE, "private"), (_NEVER, "never"))
        for network in map(ip_network, texts)
        if network.version == version
    )
    end = 0
    for low, high, kind in known:
        if low > end:
            starts.append(end.to_bytes(octets, "big"))
            kinds.append("internet")
        starts.append(low.to_bytes(octets, "big"))
        kinds.append("private" if kind == "private" else "never")
        end = high + 1
    if end < 1 << (8 * octets):
        starts.append(end.to_bytes(octets, "big"))
        kinds.append("internet")
    return starts, kinds


_RANGES = {4: _ranges(4, 4), 16: _ranges(6, 16)}
