"""What stays open while drops take away from it: public addresses by kind of traffic, IP version, and the client's side.

A drop takes away only what it surely ends. Clients are inside HOME_NET or outside: a rule for one side leaves the other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from hostgate.flows.flow import Network
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.policies.address_ranges import ALL, INTERNET, NONE, VERSIONS, Addresses, matched, without
from hostgate.policies.effects import takes_in_the_internet
from hostgate.policies.reading import Stateful
from hostgate.policies.suricata_headers import Sets
from hostgate.suricata.reader import ParsedRule

Side = Literal["inside", "outside"]
Kind = TypeVar("Kind", bound=str)
Left = dict[tuple[Kind, int, Side], tuple[Network, ...]]


class HomeNet:
    """HOME_NET of a policy. Where none is set it is the firewall's VPC, of which IPv4 alone is certain."""

    def __init__(self, stateful: Stateful) -> None:
        ranges = PRIVATE_IPV4 if stateful.home_net is False else stateful.home_ranges
        self.sets: Sets = {"HOME_NET": ranges, "EXTERNAL_NET": None if ranges is None else [f"![{','.join(ranges)}]"]}
        self.known: Addresses | None = None if ranges is None else matched(f"[{','.join(ranges)}]", {})

    def clients(self, version: int, side: Side) -> tuple[Network, ...]:
        inside = (self.known or NONE)[version]
        return inside if side == "inside" else without([ALL[version]], inside)

    def everything(self, kinds: Sequence[Kind]) -> Left[Kind]:
        """All of it; no client is inside a HOME_NET without a range of the version."""
        return {
            (kind, version, side): INTERNET[version]
            for kind in kinds
            for version in VERSIONS
            for side in _SIDES
            if side == "outside" or self.known is None or self.known[version]
        }


_SIDES: tuple[Side, ...] = ("inside", "outside")


def take(
    left: Left[Kind], ended: Mapping[int, Collection[Kind]], line: ParsedRule, sets: Sets, home: HomeNet
) -> str | None:
    """Take out of `left` the kinds that the line ends, by version; the part of its header that is not known, if one is."""
    sources, targets = matched(line.source, sets), matched(line.destination, sets)
    for cell, addresses in left.items():
        kind, version, side = cell
        if not addresses or kind not in ended[version]:
            continue
        if sources is None or targets is None:
            return line.destination if targets is None else line.source
        if not without(home.clients(version, side), sources[version]):
            left[cell] = without(addresses, targets[version])
    return None


def in_words(left: Left[Kind], words: Mapping[Kind, str]) -> Iterator[str]:
    """What is open, from whom, and to where unless it is everywhere."""
    told: dict[str, dict[Kind, set[int]]] = {}
    for (kind, version, side), addresses in left.items():
        if addresses:
            outside = side == "outside" and (kind, version, "inside") in left and not left[kind, version, "inside"]
            where = "" if takes_in_the_internet(addresses) else f" to {', '.join(map(str, addresses[:3]))}"
            about = f"{' from clients outside HOME_NET' if outside else ''}{where}"
            told.setdefault(about, {}).setdefault(kind, set()).add(version)
    for about, kinds in told.items():
        yield f"{by_version(kinds, words)} get out{about}"


def by_version(kinds: Mapping[Kind, set[int]], words: Mapping[Kind, str]) -> str:
    """Kinds in the order of `words`, those of the same IP versions together."""
    versions: dict[tuple[int, ...], list[str]] = {}
    for kind in words:
        if kind in kinds:
            versions.setdefault(tuple(sorted(kinds[kind])), []).append(words[kind])
    return "; ".join(
        f"{', '.join(names)} over {' and '.join(f'IPv{version}' for version in several)}"
        for several, names in versions.items()
    )
