"""What gets past the names of a policy: a fixed set of flows that no catalog is about, put to the one evaluator.

Each kind of traffic is asked for over both address families, for every port, client and part of the internet that some
rule tells apart. Parts are cut by what the rules say, the widest of them first: a rule for less than those is as narrow
as it is, and decides nothing about most of the internet.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import product
from typing import Final, Literal

from hostgate.flows.address_sets import EVERY_ADDRESS, TOP, AddressFamily, AddressSet, internet
from hostgate.flows.atoms import cut
from hostgate.flows.flow import Flow, Verdict, is_identity
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals
from hostgate.flows.steps import ClientTest, Place, Step, keeping
from hostgate.flows.verdicts import decide, narrowed
from hostgate.policies.effects import most

UNLISTED: Final = "unlisted.hostgate-witness.example"
"""A name that no catalog holds."""

Kind = Literal["TLS", "HTTP", "HTTP without a Host", "other TCP", "UDP", "ICMP", "other IP protocols"]
OF_TCP: Final[tuple[Kind, ...]] = ("TLS", "HTTP", "HTTP without a Host", "other TCP")
DATAGRAMS: Final[tuple[Kind, ...]] = ("UDP", "ICMP", "other IP protocols")

_SPOKEN: Final[Mapping[Kind, tuple[tuple[str, str | None], ...]]] = {
    "TLS": (("tls", UNLISTED), ("tls", None)),
    "HTTP": (("http", UNLISTED),),
    "HTTP without a Host": (("http", None),),
    "other TCP": (("tcp", None),),
    "UDP": (("udp", None), ("quic", None)),
    "ICMP": (("icmp", None),),
    "other IP protocols": tuple((each, None) for each in ("gre", "esp", "ah", "sctp", "ipv6", "ipip", "igmp", "253")),
}
"""What is spoken, and the name on the wire (None: none, as of a raw address)."""

_WITH_PORTS: Final = frozenset({"tls", "http", "tcp", "udp", "quic", "sctp"})
_MOST_SETS = 24
"""Sets of addresses, the widest first, by which the internet is cut."""

Side = Literal["inside", "outside"]


@dataclass(frozen=True, slots=True)
class Source:
    """A client to ask for: an address or an identity, None for one that the rules are meant for."""

    value: str | None
    side: Side = "inside"


@dataclass(frozen=True, slots=True)
class Opening:
    """Traffic that is not seen to be blocked, and the public addresses that it reaches."""

    kind: Kind
    family: AddressFamily
    side: Side
    addresses: Intervals
    verdict: Verdict


def openings(
    place: Place, kinds: Iterable[Kind], families: Iterable[AddressFamily], *, clients: Sequence[ClientTest] | None = None,
    ports: Intervals = EVERY_PORT,
) -> list[Opening]:  # fmt: skip
    """What of `kinds` gets out on `ports`. `clients` None: from every address, inside and outside `place.inside`."""
    return [
        opening
        for kind in kinds
        for protocol, name in _SPOKEN[kind]
        for family in families
        for opening in _of_protocol(place, kind, protocol, name, family, clients, ports)
    ]


def _of_protocol(
    place: Place, kind: Kind, protocol: str, name: str | None, family: AddressFamily,
    clients: Sequence[ClientTest] | None, ports: Intervals,
) -> Iterator[Opening]:  # fmt: skip
    seen = narrowed(place, Flow(UNLISTED, protocol=protocol, sni=name), family)
    sets = sorted({step.box.address.of(family) for step in seen.steps}, key=lambda each: -each.size)
    widest, narrow = sets[:_MOST_SETS], Intervals.of(part for each in sets[_MOST_SETS:] for part in each)
    if most(narrow, family):  # many rules for a little each
        widest, narrow = sets, NO_NUMBER
    parts = _parts(internet().of(family), widest, narrow)
    # No part is asked for by an address of a narrow set.
    told_apart = set(widest)
    seen = keeping(seen, lambda step: step.box.address.of(family) in told_apart or bool(step.box.address.opaque))
    steps = list(seen.steps)
    if clients is None:
        sources = list(_by_address(seen, steps, family))
    else:
        ranges = [step.box.client.addresses.of(family) for step in steps]
        sources = list(dict.fromkeys(source for client in clients for source in _meant(client, ranges, family)))
    asked = cuts([step.box.port for step in steps], ports) if protocol in _WITH_PORTS else [0]
    for source in sources:
        found: dict[Verdict, Intervals] = {}
        for port, (part, number) in product(asked, parts):
            address = address_of(number, family)
            flow = Flow(UNLISTED if name else address, port, protocol, sni=name, address=address, source=source.value)
            verdict = decide(seen, flow)
            if verdict.action != "block":
                found[verdict] = found.get(verdict, NO_NUMBER) | part
        for verdict, addresses in found.items():
            yield Opening(kind, family, source.side, addresses, verdict)


def _by_address(place: Place, steps: Sequence[Step], family: AddressFamily) -> Iterator[Source]:
    home = place.inside.of(family)
    sets = [home, *(step.box.client.addresses.of(family) for step in steps)]
    for _, number in _parts(EVERY_ADDRESS.of(family), sets):
        yield Source(address_of(number, family), "inside" if number in home else "outside")


def _meant(client: ClientTest, sets: Sequence[Intervals], family: AddressFamily) -> Iterator[Source]:
    """The clients that a rule is for: each identity, and one of each part that `sets` cut their addresses into. Where
    nobody can tell, one that all allows are for."""
    addresses = client.addresses.of(family)
    if client.identities:
        known = sorted(filter(is_identity, client.identities))
        yield from map(Source, known)
        if len(known) < len(client.identities):  # some account that nobody knows yet
            yield Source(None)
    elif client.addresses == EVERY_ADDRESS or client.addresses.opaque or not addresses:
        yield Source(None)
    else:
        yield from (Source(address_of(number, family)) for _, number in _parts(addresses, sets))


def _parts(whole: Intervals, sets: Iterable[Intervals], narrow: Intervals = NO_NUMBER) -> list[tuple[Intervals, int]]:
    """`whole` cut by `sets`, and a number of each part, outside of `narrow` where there is one."""
    outside = narrow.outside(whole.parts[-1][1])
    parts = (part for _, part in cut(list(dict.fromkeys(sets)), whole))
    return [(part, ((part & outside) or part).parts[0][0]) for part in parts]


def cuts(sets: Iterable[Intervals], within: Intervals) -> list[int]:
    """A port of every part of `within` that `sets` tell apart."""
    real = within & Intervals(((1, 65_535),))
    return sorted(part.parts[0][0] for _, part in cut(list(dict.fromkeys(sets)), real))


def elsewhere(place: Place, family: AddressFamily) -> str | None:
    """An address of the internet that no rule for less than most of it is about; None if there is none."""
    sets = {step.box.address.of(family) for step in place.steps}
    narrow = Intervals.of(part for each in sets if not most(each, family) for part in each)
    left = internet().of(family) & narrow.outside(TOP[family])
    return address_of(left.parts[0][0], family) if left else None


def address_of(number: int, family: AddressFamily) -> str:
    return str(IPv4Address(number) if family == "IPv4" else IPv6Address(number))


def by_family(kinds: Mapping[Kind, Iterable[AddressFamily]]) -> str:
    """Kinds in their order, those of the same address families together: `UDP, ICMP over IPv4 and IPv6`."""
    families: dict[tuple[AddressFamily, ...], list[str]] = {}
    for kind in (each for each in _SPOKEN if each in kinds):
        families.setdefault(tuple(sorted(set(kinds[kind]))), []).append(kind)
    return "; ".join(f"{', '.join(names)} over {' and '.join(several)}" for several, names in families.items())


def in_words(found: Iterable[Opening], inside: AddressSet) -> str:
    """What gets out, from whom, and to where unless that is everywhere."""
    cells: dict[tuple[Kind, AddressFamily, Side], Intervals] = {}
    for each in found:
        cell = (each.kind, each.family, each.side)
        cells[cell] = cells.get(cell, NO_NUMBER) | each.addresses
    told: dict[str, dict[Kind, list[AddressFamily]]] = {}
    for (kind, family, side), addresses in cells.items():
        outside = side == "outside" and inside.of(family) and (kind, family, "inside") not in cells
        shown = AddressSet(addresses, addresses).shown(family)
        where = "" if addresses.size * 2 >= internet().of(family).size else f" to {shown}"
        about = f"{' from clients outside HOME_NET' if outside else ''}{where}"
        told.setdefault(about, {}).setdefault(kind, []).append(family)
    return "; ".join(f"{by_family(kinds)} get out{about}" for about, kinds in told.items())
