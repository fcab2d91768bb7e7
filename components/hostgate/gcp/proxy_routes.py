"""Which traffic comes to a Secure Web Proxy, and what goes past it: what no route takes, routes, address families.

Policy-based routes come before all others, the lowest number first; of static routes the longest prefix takes a packet, then
the lowest number (Virtual Private Cloud documentation, routes and policy-based routes, read 2026-11-28). The proxy takes IPv4
(Secure Web Proxy documentation, known limitations, read 2026-11-27). Firewall policies and VPC firewall rules are not read
here: what goes past the proxy is said to be allowed, as far as the proxy goes, where the snapshot holds the route.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, NO_ADDRESS, AddressFamily, AddressSet, networks, range_of
from hostgate.flows.intervals import NO_NUMBER
from hostgate.flows.nodes import Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, ClientTest, Led, Stage, Step
from hostgate.gcp.proxy_options import OWN_DEFAULT_ROUTE
from hostgate.gcp.references import References
from hostgate.gcp.resources import NETWORK
from hostgate.gcp.resources_proxy import DEFAULT_ROUTING, POLICY_ROUTE, PROXY_ONLY, STATIC_ROUTE, SUBNETWORK
from hostgate.planning.options import PRIVATE_IPV4

_IPV6: Final = replace(EVERY_ADDRESS, v4=NO_NUMBER)
_PRIVATE: Final = networks(PRIVATE_IPV4)
_TO_PROXY: Final = ("nextHopIp", "nextHopIlb", "nextHopIlbIp")
"""Next hops that may be the proxy, which is called by its address: no instance and no VPN tunnel is one."""
HOPS: Final = (*_TO_PROXY, "nextHopInstance", "nextHopVpnTunnel")
"""Next hops of which nobody sees here what they do, unless they are the proxy; what is left is the internet gateway."""
PROTOCOLS: Final = {"TCP": frozenset({6}), "UDP": frozenset({17})}

LED: Final = Step(action="next", rule="", why="it is led to the proxy")
PAST: Final = Step(
    action="allow",
    rule="",
    why="no route leads it to the proxy: it goes past it, and the network's own routes and rules decide",
)

ASSUMPTIONS: Final[Mapping[Led, tuple[str, ...]]] = {
    "assumed": (
        "Routes lead the clients' traffic to the proxy. What goes past it, as IPv6 and clients of other regions do, is not "
        "judged.",
    ),
    "seen": (
        "No route outside the snapshot leads traffic to the proxy, or past it. What goes past it, as IPv6 and clients of "
        "other regions do, meets the network's own rules alone, which are not judged here.",
    ),
    "asked": (
        "Clients are told of the proxy and use it. One that does not meets the network's own routes and rules alone, which "
        "are not judged here.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """How traffic comes to the proxy of a plan."""

    explicit: bool = False
    """Whether clients are told of it, and no routes lead to it."""
    past: AddressSet = NO_ADDRESS
    """Destinations with routes past it."""
    perhaps: AddressSet = _PRIVATE
    """Destinations that may have some."""
    tags: tuple[str, ...] = ()
    """Network tags of the clients that routes lead to it; none: routes lead everybody, or nobody sees them here."""


def stage_of(routing: Routing) -> Stage:
    """The routes of a plan."""
    if routing.explicit:
        return _told()
    past = "its route leads past the proxy, and the network's own rules decide"
    steps = [*_ipv6(), Step(action="allow", rule="", why=past, box=Box(address=routing.past))]
    steps += [_perhaps_past("its route leads past the proxy", Box(address=routing.perhaps))]
    if not routing.tags:
        return _stage(steps, LED)
    led = replace(LED, box=Box(client=_tagged(routing.tags)))
    return _stage((*steps, led), PAST)


def around(gateway: Resource, snapshot: Snapshot, *, explicit: bool) -> tuple[Stage, Led]:
    """The routes that the snapshot has around a gateway, and how traffic comes to it.

    Where one of them is seen to lead to the proxy, what none of them leads there goes past it. Where none is, routes are
    elsewhere and lead everything there; where one may, nobody can tell which of the two it is.
    """
    if explicit:
        return _told(), "asked"
    reading = NetworkRoutes(gateway, snapshot)
    seen = any(lead.surely for lead in reading.leads)
    by_policy = list(reading.by_policy())
    static = list(reading.static())
    if not seen:  # what leads to the proxy is elsewhere, and may come before all of these
        every = [] if reading.leads else [step for step in static if step.box.address.holds(EVERY_ADDRESS, "IPv4")]
        static = [_behind(step) for step in static if step not in every]
    # What subnets' own routes take is not seen: a static route comes after them, a policy-based one before.
    unseen = static or not by_policy
    private = [_perhaps_past("its route leads past the proxy", Box(address=_PRIVATE))] if unseen else []
    perhaps = []
    if reading.leads and not seen:
        names = ", ".join(dict.fromkeys(lead.route.name for lead in reading.leads))
        perhaps = [_perhaps_past(f"{names} alone leads to the proxy, and not this", Box())]
    return _stage(
        (*_ipv6(), *by_policy, *private, *static, *perhaps), PAST if seen else LED
    ), "seen" if seen else "assumed"


def _stage(steps: Iterable[Step], otherwise: Step) -> Stage:
    return Stage("routes", tuple(steps), otherwise, around=True)


def _told() -> Stage:
    """An explicit proxy: whoever does not use it is stopped by nothing here."""
    unused = "the client does not use the proxy, and the network's own routes and rules let it out"
    return _stage((*_ipv6(), _perhaps_past(unused, Box())), replace(LED, why="the client sends it to the proxy"))


def _ipv6() -> Iterator[Step]:
    yield _perhaps_past("the network's own routes and rules let IPv6 out, past the proxy", Box(address=_IPV6))
    why = "the proxy takes no IPv6, and the network's own routes and rules let none out"
    yield Step(action="block", rule="", why=why, box=Box(address=_IPV6))


def _perhaps_past(doubt: str, box: Box) -> Step:
    return Step(action="allow", rule="", why=doubt, box=replace(box, doubts=(doubt,)))


def _behind(step: Step) -> Step:
    doubt = f"no route to the proxy comes before {step.rule}"
    return replace(step, box=replace(step.box, doubts=(*step.box.doubts, doubt)))


def _tagged(tags: Iterable[str]) -> ClientTest:
    return ClientTest(identities=frozenset(f"network-tag:{each}" for each in tags))


@dataclass(frozen=True, slots=True)
class _Lead:
    """A route that leads to the gateway, or may, and whom."""

    route: Resource
    client: ClientTest
    surely: bool


@dataclass(frozen=True, slots=True)
class _Turn:
    """The steps of a route. `place` None: which of them it comes before is not known yet."""

    route: Resource
    place: int | None
    steps: tuple[Step, ...]


class NetworkRoutes:
    """The routes of the gateway's network.

    A flow that names no client is from one that routes lead to the proxy, so that a route past it for some clients is a
    doubt: else every such flow would be said to pass by an exemption for a few.
    """

    def __init__(self, gateway: Resource, snapshot: Snapshot) -> None:
        self.gateway, self.snapshot = gateway, snapshot
        self.names = References(snapshot)
        self.network = self.names.network(gateway, "network")

    @cached_property
    def leads(self) -> list[_Lead]:
        found = []
        for route, doubts in (*self.of_network(POLICY_ROUTE), *self.of_network(STATIC_ROUTE)):
            tags = route.node.at("virtualMachine", "tags") if route.type == POLICY_ROUTE else route.node.at("tags")
            hop = hop_of(route, _TO_PROXY)
            ours = False if hop is None else self.is_ours(route, hop, route.properties.get(hop))
            if ours is not False:
                found.append(_Lead(route, clients_of(tags, Node(None), route.name, []), ours is True and not doubts))
        return found

    def by_policy(self) -> Iterator[Step]:
        turns = []
        for route, doubts in self.of_network(POLICY_ROUTE):
            turns.append(_Turn(route, priority_of(route), tuple(self._of_policy_route(route, list(doubts)))))
        yield from _in_turn(turns)

    def _of_policy_route(self, route: Resource, doubts: list[str]) -> Iterator[Step]:
        match = route.node.at("filter")
        protocol = match.at("ipProtocol").value
        if self.is_of_proxies(match.at("srcRange").value):
            return
        if not isinstance(match.at("protocolVersion").value, str):
            doubts.append(f"{route.name} is for IPv4")
        if not route.node.at("interconnectAttachment").absent:
            doubts.append(f"{route.name} is for instances, and not for what comes by Interconnect")
        box = Box(address=_range(match.at("destRange"), doubts, route.name))
        if isinstance(protocol, str) and protocol in PROTOCOLS:
            box = replace(box, protocols=PROTOCOLS[protocol])
        elif protocol not in (None, "ALL"):
            doubts.append(f"{route.name} is for its protocol")
        tags = route.node.at("virtualMachine", "tags")
        box = replace(box, client=clients_of(tags, match.at("srcRange"), route.name, doubts))
        if route.node.at("nextHopOtherRoutes").value == DEFAULT_ROUTING:
            why = f"the route {route.name} leaves it to other routes, past the proxy"
            few = not self._is_for_all_led(box.client)
            yield from (replace(step, for_few=few) for step in self._of_others(_in(box, doubts)))
            yield Step(action="allow", rule=route.name, why=why, box=_in(box, doubts), owner=route.urn, for_few=few)
            return
        yield from self._led(route, "nextHopIlbIp", box, doubts)

    def _of_others(self, box: Box) -> Iterator[Step]:
        """What becomes of flows in `box` that are left to other routes, where a static one leads to the proxy: subnets' own,
        which are not seen, take some first."""
        if not any(lead.route.type == STATIC_ROUTE for lead in self.leads):
            return
        private = _perhaps_past("its route leads past the proxy", Box(address=_PRIVATE))
        for step in (private, *self.static()):
            client, doubts = step.box.client, [*box.doubts, *step.box.doubts]
            if (
                client.identities is not None and box.client.identities is not None
            ):  # of both, which no test can ask for
                doubts.append(f"the client is one that {step.rule} is for")
            narrow = replace(
                box,
                address=box.address.within(step.box.address),
                client=replace(box.client, identities=box.client.identities or client.identities),
            )
            if narrow.address.v4:
                yield replace(step, box=_in(narrow, doubts))

    def static(self) -> Iterator[Step]:
        """The longest prefix first; a range that is not known yet before all."""
        turns: dict[tuple[int, str], list[_Turn]] = {}
        for route, doubts in self.of_network(STATIC_ROUTE):
            network = range_in(route.node.at("destRange").value)
            key = (-129, "") if network is None else (-network.prefixlen, str(network))
            steps = tuple(self._of_static_route(route, list(doubts)))
            turns.setdefault(key, []).append(_Turn(route, priority_of(route), steps))
        every = (0, "0.0.0.0/0")
        if any(place is None or place >= OWN_DEFAULT_ROUTE for place in self._leads_everywhere()):
            turns.setdefault(every, []).extend(self._own_default())
        for key in sorted(turns):
            yield from _in_turn(turns[key])

    def _leads_everywhere(self) -> Iterator[int | None]:
        """The priorities of static routes of every address to the proxy."""
        for lead in self.leads:
            network = range_in(lead.route.node.at("destRange").value)
            if lead.route.type == STATIC_ROUTE and (network is None or network.prefixlen == 0):
                yield priority_of(lead.route)

    def _own_default(self) -> Iterator[_Turn]:
        """The default route that a network of the snapshot is made with, unless it says otherwise; somebody may have deleted it
        since."""
        network = next(
            (each for each in self.snapshot.of_types([NETWORK]) if self.names.key_of(each) == self.network), None
        )
        if network is None or network.properties.get("deleteDefaultRoutesOnCreate") is True:
            return
        why = "the network's own default route leads it past the proxy"
        doubt = f"the network has its own default route, of priority {OWN_DEFAULT_ROUTE}"
        yield _Turn(network, OWN_DEFAULT_ROUTE, (Step(action="allow", rule="", why=why, box=Box(doubts=(doubt,))),))

    def _of_static_route(self, route: Resource, doubts: list[str]) -> Iterator[Step]:
        box = Box(address=_range(route.node.at("destRange"), doubts, route.name))
        box = replace(box, client=clients_of(route.node.at("tags"), Node(None), route.name, doubts))
        hop = hop_of(route)
        if hop is not None:
            yield from self._led(route, hop, box, doubts)
            return
        why = f"the route {route.name} leads it past the proxy"
        few = not self._is_for_all_led(box.client)
        yield Step(action="allow", rule=route.name, why=why, box=_in(box, doubts), owner=route.urn, for_few=few)

    def _is_for_all_led(self, client: ClientTest) -> bool:
        """Whether a route past the proxy is for every client that routes lead to it."""
        tags, led = client.identities, [each.client.identities for each in self.leads]
        everywhere = client.addresses.holds(EVERY_ADDRESS, "IPv4") is True
        return everywhere and (tags is None or (bool(led) and all(each is not None and each <= tags for each in led)))

    def _led(self, route: Resource, key: str, box: Box, doubts: Sequence[str]) -> Iterator[Step]:
        """To the proxy, or to another next hop, of which nobody sees here what it does."""
        hop = route.properties.get(key)
        ours = self.is_ours(route, key, hop)
        if ours is not False:
            doubts = doubts if ours else [*doubts, f"the next hop of {route.name} is the proxy"]
            why = f"the route {route.name} leads it on"
            yield Step(action="next", rule=route.name, why=why, box=_in(box, doubts), owner=route.urn)
        if not ours:
            told = f"{route.name} leads it to {hop if isinstance(hop, str) else 'another next hop'}, past the proxy"
            lets = f"what stands at the next hop of {route.name} lets it out"
            yield Step(action="allow", rule=route.name, why=told, box=_in(box, [*doubts, lets]), owner=route.urn)
            yield Step(
                action="block",
                rule=route.name,
                why=f"{told}, and is stopped there",
                box=_in(box, doubts),
                owner=route.urn,
            )

    def is_ours(self, route: Resource, key: str, hop: object) -> bool | None:
        """Whether the next hop is the gateway's address; None where nobody can tell."""
        if key not in _TO_PROXY:
            return False
        listed = self.gateway.node.at("addresses")
        addresses = [item.value for item in listed.items()]
        if isinstance(hop, str):
            if hop in addresses:
                return True
            return False if addresses and all(isinstance(each, str) for each in addresses) else None
        made = self.snapshot.referred(route, key, hop)
        return (self.gateway in made or None) if len(made) < 2 else None

    def is_of_proxies(self, source: object) -> bool:
        """Whether a range is that of the proxies themselves, in which no client is."""
        held = self.snapshot.of_types([SUBNETWORK])
        own = [each.properties.get("ipCidrRange") for each in held if each.properties.get("purpose") == PROXY_ONLY]
        return isinstance(source, str) and source in own

    def of_network(self, type_: str, family: AddressFamily = "IPv4") -> Iterator[tuple[Resource, tuple[str, ...]]]:
        """Routes of the network for a family, and what would have to be so for each to be one."""
        for route in self.snapshot.of_types([type_]):
            elsewhere = self.names.of_network(route, "network", self.network)
            if elsewhere is not None and _is_for_ipv6(route) == (family == "IPv6"):
                yield route, (f"{route.name} is of the proxy's network",) if elsewhere else ()


def _in_turn(turns: Sequence[_Turn]) -> Iterator[Step]:
    """Steps of routes, the lowest number first. Of several with one number, and of one whose number is not known yet, each
    may be the first that holds: it is asked with that as a doubt, and behind the others surely."""
    loose = [turn for turn in turns if turn.place is None]
    for turn in loose:
        yield from _doubted(turn, f"{turn.route.name} comes before other routes")
    for place in sorted({turn.place for turn in turns if turn.place is not None}):
        *others, last = [turn for turn in turns if turn.place == place]
        for turn in others:
            yield from _doubted(turn, f"{turn.route.name} comes before others with its priority")
        yield from last.steps
        for turn in reversed(others):
            yield from turn.steps
    for turn in loose:
        yield from turn.steps


def _doubted(turn: _Turn, doubt: str) -> Iterator[Step]:
    return (replace(step, box=_in(step.box, (*step.box.doubts, doubt))) for step in turn.steps)


def _in(box: Box, doubts: Sequence[str]) -> Box:
    return replace(box, doubts=tuple(doubts))


def hop_of(route: Resource, keys: Sequence[str] = HOPS) -> str | None:
    """Which of `keys` says the next hop. What a provider has no value of is empty text in a state."""
    return next((key for key in keys if route.properties.get(key) not in (None, "")), None)


def priority_of(route: Resource) -> int | None:
    """None: not known yet."""
    told = route.node.at("priority")
    return 1_000 if told.absent else number(told)


def _is_for_ipv6(route: Resource) -> bool:
    network = range_in(route.node.at("destRange").value)
    version = route.node.at("filter", "protocolVersion").value
    return version == "IPV6" or (network is not None and network.version == 6)


def range_in(value: object) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(value, strict=False) if isinstance(value, str) else None
    except ValueError:
        return None


def clients_of(tags: Node, source: Node, name: str, doubts: list[str]) -> ClientTest:
    """Whom a route is for: instances with one of its tags, senders from its range."""
    found = ClientTest(addresses=_range(source, doubts, name))
    if tags.unknown or any(not (isinstance(item.value, str) and item.value) for item in tags.items()):
        doubts.append(f"the client is one that {name} is for")
    elif not tags.absent and not tags.empty:
        found = replace(found, identities=_tagged(str(item.value) for item in tags.items()).identities)
    return found


def _range(node: Node, doubts: list[str], name: str) -> AddressSet:
    if node.absent or node.value == "":
        return EVERY_ADDRESS
    found = range_of(node.value)
    if found is None:
        doubts.append(f"{name} is for its addresses")
        return EVERY_ADDRESS
    return found
