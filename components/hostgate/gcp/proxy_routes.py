"""Which traffic comes to a Secure Web Proxy, and what goes past it: what no route takes, routes, address families.

Policy-based routes come before all others, the lowest number first; of static routes the longest prefix takes a packet, then
the lowest number (Virtual Private Cloud documentation, routes and policy-based routes, read 2026-11-28). The proxy takes IPv4
(Secure Web Proxy documentation, known limitations, read 2026-11-27). Firewall policies and VPC firewall rules are not read
here: what goes past the proxy is said to be allowed, as far as the proxy goes, where the snapshot holds the route.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_network
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, NO_ADDRESS, AddressSet, networks
from hostgate.flows.intervals import NO_NUMBER
from hostgate.flows.nodes import Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, ClientTest, Stage, Step
from hostgate.gcp.resources_proxy import DEFAULT_ROUTING, POLICY_ROUTE, PROXY_ONLY, STATIC_ROUTE, SUBNETWORK
from hostgate.gcp.rule_steps import network_path
from hostgate.planning.options import PRIVATE_IPV4

_IPV6: Final = replace(EVERY_ADDRESS, v4=NO_NUMBER)
_PRIVATE: Final = networks(PRIVATE_IPV4)
_HOPS: Final = ("nextHopIp", "nextHopIlb", "nextHopInstance", "nextHopVpnTunnel")
"""Next hops of static routes that may be the proxy, or something of which nobody sees here what it does; what is left is
the internet gateway."""
_PROTOCOLS: Final = {"TCP": frozenset({6}), "UDP": frozenset({17})}

LED: Final = Step(action="next", rule="", why="it is led to the proxy")
PAST: Final = Step(
    action="allow",
    rule="",
    why="no route leads it to the proxy: it goes past it, and the network's own routes and rules decide",
)

ASSUMED: Final = (
    "Routes lead the clients' traffic to the proxy. What goes past it, as IPv6 and clients of other regions do, is not judged.",
)
SEEN: Final = (
    "No route outside the snapshot leads traffic to the proxy, or past it. What goes past it, as IPv6 and clients of other "
    "regions do, meets the network's own rules alone, which are not judged here.",
)
ASKED: Final = (
    "Clients are told of the proxy and use it. One that does not meets the network's own routes and rules alone, which are "
    "not judged here.",
)


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
        return Stage("routes", tuple(steps), LED)
    led = replace(LED, box=Box(client=_tagged(routing.tags)))
    return Stage("routes", (*steps, led), PAST)


def around(gateway: Resource, snapshot: Snapshot, *, explicit: bool) -> tuple[Stage, tuple[str, ...]]:
    """The routes that the snapshot has around a gateway, and what is assumed of others.

    Where one of them leads to the proxy, what none of them leads there goes past it; where there is none, they are
    elsewhere and lead everything there.
    """
    if explicit:
        return _told(), ASKED
    reading = _Routes(gateway, snapshot)
    by_policy = list(reading.by_policy())
    static = list(reading.static())
    if not reading.led:  # what leads to the proxy is elsewhere, and may come before all of these
        static = [_behind(step) for step in static if not step.box.address.holds(EVERY_ADDRESS, "IPv4")]
    # What subnets' own routes take is not seen: a static route comes after them, a policy-based one before.
    unseen = static or not by_policy
    private = [_perhaps_past("its route leads past the proxy", Box(address=_PRIVATE))] if unseen else []
    steps = (*_ipv6(), *by_policy, *private, *static)
    return Stage("routes", steps, PAST if reading.led else LED), SEEN if reading.led else ASSUMED


def _told() -> Stage:
    """An explicit proxy: whoever does not use it is stopped by nothing here."""
    unused = "the client does not use the proxy, and the network's own routes and rules let it out"
    return Stage(
        "routes", (*_ipv6(), _perhaps_past(unused, Box())), replace(LED, why="the client sends it to the proxy")
    )


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


class _Routes:
    """The routes of the gateway's network.

    A flow that names no client is from one that routes lead to the proxy, so that a route past it for some clients is a
    doubt: else every such flow would be said to pass by an exemption for a few.
    """

    def __init__(self, gateway: Resource, snapshot: Snapshot) -> None:
        self.gateway, self.snapshot = gateway, snapshot

    @cached_property
    def led(self) -> list[ClientTest]:
        """The clients of each route that leads to the gateway, or may."""
        found = []
        for route in (*self._of_network(POLICY_ROUTE), *self._of_network(STATIC_ROUTE)):
            tags = route.node.at("virtualMachine", "tags") if route.type == POLICY_ROUTE else route.node.at("tags")
            hop = next((key for key in ("nextHopIlbIp", *_HOPS) if not route.node.at(key).absent), None)
            if hop is not None and self._is_ours(route, hop, route.properties.get(hop)) is not False:
                found.append(_clients(tags, Node(None), route.name, []))
        return found

    def by_policy(self) -> Iterator[Step]:
        held = self.snapshot.of_types([SUBNETWORK])
        own = {each.properties.get("ipCidrRange") for each in held if each.properties.get("purpose") == PROXY_ONLY}
        for route in sorted(self._of_network(POLICY_ROUTE), key=_priority):
            match, doubts = route.node.at("filter"), _order(route)
            source, version, protocol = (match.at(key).value for key in ("srcRange", "protocolVersion", "ipProtocol"))
            if version == "IPV6" or (isinstance(source, str) and source in own):
                continue
            if not isinstance(version, str):
                doubts.append(f"{route.name} is for IPv4")
            if not route.node.at("interconnectAttachment").absent:
                doubts.append(f"{route.name} is for instances, and not for what comes by Interconnect")
            box = Box(address=_range(match.at("destRange"), doubts, route.name))
            if protocol in _PROTOCOLS:
                box = replace(box, protocols=_PROTOCOLS[protocol])
            elif protocol not in (None, "ALL"):
                doubts.append(f"{route.name} is for its protocol")
            tags = route.node.at("virtualMachine")
            if route.node.at("nextHopOtherRoutes").value == DEFAULT_ROUTING:
                doubts += [f"the client is one of {source}"] if source not in (None, "0.0.0.0/0") else []
                doubts += [] if tags.absent else [f"the client is one that {route.name} is for"]
                why = f"the route {route.name} leaves it to other routes, past the proxy"
                yield Step(action="allow", rule=route.name, why=why, box=_in(box, doubts), owner=route.urn)
                continue
            box = replace(box, client=_clients(tags.at("tags"), match.at("srcRange"), route.name, doubts))
            yield from self._led(route, "nextHopIlbIp", box, doubts)

    def static(self) -> Iterator[Step]:
        for route in sorted(self._of_network(STATIC_ROUTE), key=lambda each: (_width(each), _priority(each))):
            doubts = _order(route)
            box = Box(address=_range(route.node.at("destRange"), doubts, route.name))
            box = replace(box, client=_clients(route.node.at("tags"), Node(None), route.name, doubts))
            hop = next((key for key in _HOPS if not route.node.at(key).absent), None)
            if hop is not None:
                yield from self._led(route, hop, box, doubts)
                continue
            if not self._is_for_all_led(box.client):
                doubts.append(f"the client is one that {route.name} is for")
                box = replace(box, client=ClientTest())
            why = f"the route {route.name} leads it past the proxy"
            yield Step(action="allow", rule=route.name, why=why, box=_in(box, doubts), owner=route.urn)

    def _is_for_all_led(self, client: ClientTest) -> bool:
        """Whether a route past the proxy is for every client that routes lead to it."""
        tags = client.identities
        return tags is None or (
            bool(self.led) and all(each.identities is not None and each.identities <= tags for each in self.led)
        )

    def _led(self, route: Resource, key: str, box: Box, doubts: Sequence[str]) -> Iterator[Step]:
        """To the proxy, or to another next hop, of which nobody sees here what it does."""
        hop = route.properties.get(key)
        ours = self._is_ours(route, key, hop)
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

    def _is_ours(self, route: Resource, key: str, hop: object) -> bool | None:
        """Whether the next hop is the gateway's address; None where nobody can tell."""
        listed = self.gateway.node.at("addresses")
        addresses = [item.value for item in listed.items()]
        if isinstance(hop, str):
            if hop in addresses:
                return True
            return False if addresses and all(isinstance(each, str) for each in addresses) else None
        made = self.snapshot.referred(route, key, hop)
        return (self.gateway in made or None) if len(made) < 2 else None

    def _of_network(self, type_: str) -> list[Resource]:
        held = self.snapshot.of_types([type_])
        return [each for each in held if self._network(each) == self._network(self.gateway)]

    def _network(self, resource: Resource) -> str:
        value = resource.properties.get("network")
        made = self.snapshot.referred(resource, "network", value)
        return made[0].urn if len(made) == 1 else network_path(value) if isinstance(value, str) else resource.urn


def _in(box: Box, doubts: Sequence[str]) -> Box:
    return replace(box, doubts=tuple(doubts))


def _priority(route: Resource) -> int:
    found = number(route.node.at("priority"))
    return 1_000 if found is None else found


def _order(route: Resource) -> list[str]:
    return [f"{route.name} comes at its place among the routes"] if route.node.at("priority").unknown else []


def _width(route: Resource) -> int:
    """The longest prefix first; a range that is not known yet before all."""
    try:
        return -ip_network(str(route.properties.get("destRange")), strict=False).prefixlen
    except ValueError:
        return -129


def _clients(tags: Node, source: Node, name: str, doubts: list[str]) -> ClientTest:
    """Whom a route is for: instances with one of its tags, senders from its range."""
    found = ClientTest(addresses=_range(source, doubts, name))
    if tags.unknown or any(not isinstance(item.value, str) for item in tags.items()):
        doubts.append(f"the client is one that {name} is for")
    elif not tags.absent and not tags.empty:
        found = replace(found, identities=_tagged(str(item.value) for item in tags.items()).identities)
    return found


def _range(node: Node, doubts: list[str], name: str) -> AddressSet:
    if node.absent or node.value == "":
        return EVERY_ADDRESS
    try:
        return networks([str(node.value)])
    except ValueError:
        doubts.append(f"{name} is for its addresses")
        return EVERY_ADDRESS
