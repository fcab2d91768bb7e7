"""How much of the internet address ranges hold, however they are written: more than a vendor has is no list of a host.

Two measures a family, as data: the widest single range, and how much of the public addresses all ranges hold together.
They are judgements and no limits of a service. Ranges of IPv6 that carry IPv4 addresses count as those.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from hostgate.flows.address_sets import NEVER_PUBLIC_V4

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Breadth:
    """What ranges of one family may hold: each the addresses of a `widest` prefix, all together `together` times that."""

    widest: int
    together: int
    widest_why: str
    together_why: str


_DOCUMENTATION = ("192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24")
_SPECIAL_V6 = ("::/127", "100::/64", "2001:2::/48", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10", "ff00::/8")
NOT_PUBLIC: dict[int, tuple[Network, ...]] = {
    4: tuple(collapse_addresses(map(IPv4Network, (*NEVER_PUBLIC_V4, *_DOCUMENTATION)))),
    6: tuple(collapse_addresses(map(IPv6Network, _SPECIAL_V6))),
}
"""No addresses of the internet (IANA special-purpose address registries, RFC 6890; multicast and reserved blocks), those
for documentation and benchmarks among them."""

BREADTHS: dict[int, Breadth] = {
    6: Breadth(
        widest=19,
        together=4,
        widest_why="vendors publish /20 to /48, and a provider has a /19 at most but for single exceptions; 2001::/16 and each "
        "/12 hold everybody of a registry (IANA IPv6 global unicast assignments)",
        together_why="2000::/3 is nearly empty: four /19 are a good part of what is in use",
    ),
    4: Breadth(
        widest=8,
        together=14,
        widest_why="nobody has more than a /8 in one piece (IANA IPv4 address space registry)",
        together_why="14 are a sixteenth of the public addresses, and no vendor publishes as many for one service",
    ),
}
"""By IP version."""

_CARRIERS: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 96),  # IPv4-mapped, RFC 4291 2.5.5.2
    (IPv6Network("::/96"), 96),  # IPv4-compatible, RFC 4291 2.5.5.1
    (IPv6Network("64:ff9b::/96"), 96),  # NAT64, RFC 6052
    (IPv6Network("64:ff9b:1::/48"), 96),  # NAT64 of one's own, RFC 8215
    (IPv6Network("2002::/16"), 16),  # 6to4, RFC 3056
    (IPv6Network("2001::/32"), 32),  # Teredo, RFC 4380: the server's address, and any client behind it
)
"""IPv6 ranges in which IPv4 addresses stand, and the bit at which they begin."""


def carried(network: Network) -> list[IPv4Network]:
    """The IPv4 ranges that an IPv6 range stands for; all of IPv4 where it holds a whole carrier."""
    if not isinstance(network, IPv6Network):
        return []
    found = []
    for carrier, begins in _CARRIERS:
        if carrier.subnet_of(network):
            found.append(IPv4Network("0.0.0.0/0"))
        elif network.subnet_of(carrier):
            length = max(0, min(network.prefixlen - begins, 32))
            address = int(network.network_address) >> (128 - begins - 32) & 0xFFFFFFFF
            found.append(IPv4Network((address, length)))
    return found


def too_broad(cidrs: Iterable[str]) -> str | None:
    """What is too much of the internet among `cidrs`, with what is allowed and why; None if nothing is."""
    networks: list[Network] = [ip_network(each) for each in cidrs]
    written: dict[Network, Network] = {}  # each range that counts, and the one that was given for it
    for network in networks:
        written.setdefault(network, network)
        for each in carried(network):
            written.setdefault(each, network)
    for version, limit in BREADTHS.items():
        ours: list[Any] = [network for network in written if network.version == version]
        for network in ours:
            if network.prefixlen < limit.widest and _public([network]):
                given = written[network]
                stands = "" if given == network else f", which stands for {network}"
                return f"found {given}{stands}. Allowed: a /{limit.widest} or smaller; {limit.widest_why}."
        merged: list[Any] = list(collapse_addresses(ours))
        one = 2 ** ((32 if version == 4 else 128) - limit.widest)
        if (held := _public(merged)) > limit.together * one:
            many = f"{len(ours)} ranges that hold {held / one:.1f} times the public addresses of a /{limit.widest}"
            return f"found {many}. Allowed: {limit.together} times; {limit.together_why}."
    return None


def _public(merged: Sequence[Network]) -> int:
    """How many public addresses `merged` ranges of one family, which do not overlap, hold."""
    others = _spans(NOT_PUBLIC[merged[0].version]) if merged else []  # these do not overlap either
    return sum(
        last - first + 1 - sum(max(0, min(last, high) - max(first, low) + 1) for low, high in others)
        for first, last in _spans(merged)
    )


def _spans(networks: Iterable[Network]) -> list[tuple[int, int]]:
    return [(int(each.network_address), int(each.broadcast_address)) for each in networks]
