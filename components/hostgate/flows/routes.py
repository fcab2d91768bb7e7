"""Routes: where packets to the internet leave a client subnet for, of every address of it and of either family.

A cloud says which routes a subnet has and what each leads to; the longest prefix decides. The answer are values, which
`assumptions_of` puts into words for a place: no verdict rests on them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    NO_ADDRESS,
    AddressFamily,
    AddressSet,
    internet,
    networks,
    symbol,
)
from hostgate.flows.atoms import usual_address
from hostgate.flows.flow import Flow
from hostgate.flows.name_atoms import STRANGER

End = Literal["firewall", "internet", "nowhere", "unknown"]
"""`firewall`: one of the snapshot. `nowhere`: no packet to these addresses leaves. `unknown`: nobody here can tell."""

Destination = IPv4Network | IPv6Network | str
"""Of a route: a range, or the symbol of addresses that are not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What becomes of packets to `addresses`: their `end`, through `hop`, by `route` of a table.

    `hop` is in words; of an end that is unknown, why it is. `firewall` is the URN of the one that is met. Addresses that
    another route may take, nobody here knows which, are in `addresses.without`.
    """

    addresses: AddressSet
    end: End
    hop: str = ""
    route: str = ""
    firewall: str = ""
    owner: str = field(default="", compare=False)
    """The resource that holds the route."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a table, and what becomes of packets that it takes."""

    name: str
    destination: Destination
    onward: tuple[Way, ...]
    owner: str = ""
    """The resource that holds it."""


@dataclass(frozen=True, slots=True)
class SubnetRoutes:
    """The ways of a client subnet, or of the clients of a table whose subnets are not known. A family is left out that
    the subnet has no addresses of."""

    subnet: str
    ways: Mapping[AddressFamily, tuple[Way, ...]]
    ranges: AddressSet = NO_ADDRESS
    """Addresses of its clients, as far as they are known."""
    client: str = ""
    """What they are known by beside their address: `network-tag:builds`."""
    protocol: str = "https"
    """A protocol that goes these ways."""


@dataclass(frozen=True, slots=True)
class Routes:
    """The client subnets around a firewall, and the subnets that are taken for none: those of firewalls and gateways
    (`apart`), and those of other networks that lead nowhere near it (`others`). `aside` are the routes of subnets that are
    clients only where somebody names them so: of the others, and of all where no firewall was read."""

    clients: tuple[SubnetRoutes, ...] = ()
    apart: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    aside: tuple[SubnetRoutes, ...] = ()


def to(end: End, hop: str = "", firewall: str = "") -> tuple[Way, ...]:
    """All of the internet to one end."""
    return (Way(addresses=internet(), end=end, hop=hop, firewall=firewall),)


def destination(value: object, unseen: str) -> Destination:
    """The range that `value` is; `unseen`, a symbol, where it is none."""
    try:
        return ip_network(str(value), strict=False)
    except ValueError:
        return unseen


def known_ranges(*cidrs: object) -> AddressSet:
    """Those that are ranges."""
    found = (destination(each, "") for each in cidrs if isinstance(each, str))
    return networks(each for each in found if not isinstance(each, str))


def ways(routes: Sequence[Route], family: AddressFamily, otherwise: tuple[Way, ...]) -> tuple[Way, ...]:
    """What becomes of every address of the internet of `family`; `otherwise` is for those that no route takes.

    Routes of one prefix with several ends are an end that is unknown.
    """
    unseen = [route for route in routes if isinstance(route.destination, str)]
    parted = to("unknown", "what is behind it leads to several ends")
    found = [
        _by(way, route, symbol(str(route.destination)))
        for route in unseen
        for way in (route.onward if len(route.onward) == 1 else parted)
    ]
    apart = frozenset(str(route.destination) for route in unseen)
    left = AddressSet(v4=internet().v4) if family == "IPv4" else AddressSet(v6=internet().v6)
    for network, of_it in _longest_first(routes):
        part = left.within(networks([network]))
        left = left.less(networks([network]))
        if part.of(family):
            known = [_by(way, of_it[0], way.addresses.within(part)) for way in of_it[0].onward]
            if any(each.onward != of_it[0].onward for each in of_it):
                names = " and ".join(dict.fromkeys(each.name for each in of_it))
                known = [Way(addresses=part, end="unknown", hop=f"{names} are for one range, {network}")]
            found += [_without(way, apart) for way in known if way.addresses.of(family) or way.addresses.symbols]
    rest = [replace(way, addresses=way.addresses.within(left)) for way in otherwise]
    return (*found, *(_without(way, apart) for way in rest if way.addresses.of(family)))


def _longest_first(routes: Sequence[Route]) -> Iterator[tuple[IPv4Network | IPv6Network, list[Route]]]:
    by_range: dict[IPv4Network | IPv6Network, list[Route]] = {}
    for route in routes:
        if not isinstance(route.destination, str):
            by_range.setdefault(route.destination, []).append(route)
    return iter(sorted(by_range.items(), key=lambda each: -each[0].prefixlen))


def _by(way: Way, route: Route, addresses: AddressSet) -> Way:
    return replace(way, addresses=addresses, route=route.name, owner=route.owner)


def _without(way: Way, apart: frozenset[str]) -> Way:
    return replace(way, addresses=replace(way.addresses, without=way.addresses.without | apart))


@dataclass(frozen=True, slots=True)
class Round:
    """A way of a client subnet, seen from one place: past it to the internet, to a firewall, nowhere, or nobody knows where."""

    subnet: str
    family: AddressFamily
    way: Way
    ranges: AddressSet
    client: str = ""
    protocol: str = "https"
    meant: bool = True
    """Whether the subnet is one of the place's clients; else it is where somebody names it so."""

    @property
    def flow(self) -> Flow:
        """A flow from the subnet, to addresses that the route takes; to a set that nobody sees, without one."""
        there, every = self.way.addresses.of(self.family), EVERY_ADDRESS.of(self.family)
        return Flow(
            STRANGER,
            protocol=self.protocol,
            address=usual_address(there, self.family) if there else None,
            source=self.client or usual_address(self.ranges.of(self.family) or every, self.family, client=True),
        )


def judge(kind: str) -> str:
    """What packets would be led to that are judged at a place of the `kind`, in words: by itself, a policy takes none."""
    return "what would judge them" if kind == "policy" else f"the {kind}"


def rule_of_way(route: str, kind: str) -> str:
    """What a way past a place of the `kind` is called where rules are told: by its route, where it has one."""
    return f"route {route}" if route else f"no route to {judge(kind)}"


def by_route(ways_past: Iterable[Round]) -> Mapping[tuple[str, str, str], list[Round]]:
    """Ways past a place by their route: the resource that holds it, its name, and where it leads."""
    found: dict[tuple[str, str, str], list[Round]] = {}
    for each in ways_past:
        found.setdefault((each.way.owner, each.way.route, each.way.hop), []).append(each)
    return found


def _every_way(subnets: Iterable[SubnetRoutes], *, meant: bool) -> Iterator[Round]:
    return (
        Round(each.subnet, family, way, each.ranges, each.client, each.protocol, meant)
        for each in subnets
        for family, found in each.ways.items()
        for way in found
    )


def round_the_firewall(routes: Routes) -> tuple[Round, ...]:
    """Every way on which nothing is judged. What is behind a firewall is judged there, and where a way leads that is not
    known is assumed."""
    return tuple(each for each in _every_way(routes.clients, meant=True) if each.way.end == "internet")


def other_ways(routes: Routes) -> tuple[Round, ...]:
    """All that are left, those of subnets aside among them."""
    told = (each for each in _every_way(routes.clients, meant=True) if each.way.end != "internet")
    return (*told, *_every_way(routes.aside, meant=False))


# In words.


def assumptions_aside(routes: Routes) -> tuple[str, ...]:
    """What is said of the subnets that are clients where somebody names them so; nothing where no route is seen."""
    return assumptions_of(replace(routes, clients=routes.aside), "")[:-1]


def assumptions_of(routes: Routes, firewall: str) -> tuple[str, ...]:
    """What is said of the clients of a firewall, by its URN; nothing where no route is seen."""
    if not routes.clients:
        return ()
    routed: dict[str, list[str]] = {}
    closed: dict[str, list[str]] = {}
    round_it: list[str] = []
    unknown: list[str] = []
    for each in routes.clients:
        for family, found in each.ways.items():
            leaving = [way for way in found if way.end != "nowhere"]
            if not leaving:
                closed.setdefault(each.subnet, []).append(family)
            elif all(way.firewall == firewall and way.end == "firewall" for way in leaving):
                routed.setdefault(each.subnet, []).append(family)
            for way in leaving:
                where = f"{each.subnet} over {family}{_part(way, family)}"
                if way.end == "unknown":
                    unknown.append(f"{where} ({way.hop})")
                elif way.firewall != firewall or way.end == "internet":
                    round_it.append(f"{where} to {way.hop}{way.route and f' by {way.route}'}")
    told = (
        ("NOT ROUTED TO THE FIREWALL", "; ".join(round_it)),
        ("Where these lead is not known", "; ".join(unknown)),
        ("Routed to the firewall", _named(routed)),
        ("Without a route to the internet", _named({name: closed[name] for name in closed if name not in routed})),
        ("Taken for no clients, as subnets of firewalls and gateways", ", ".join(sorted(routes.apart))),
        (
            "Taken for no clients but where an allowlist names them, because no route of their networks leads to it",
            ", ".join(sorted(routes.others)),
        ),
    )
    found_out = tuple(f"{what}: {which}." for what, which in told if which)
    return (*found_out, "The way back is through the firewall, too.")


def _named(families: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} over {' and '.join(of)}" for name, of in families.items())


def _part(way: Way, family: AddressFamily) -> str:
    """Which part of the internet, where it is not most of it."""
    if way.addresses.symbols:
        return f" to {', '.join(sorted(way.addresses.symbols))}"
    most = 2 * way.addresses.of(family).size > internet().of(family).size
    return "" if most else f" to {way.addresses.shown(family)}"
