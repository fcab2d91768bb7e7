"""Where packets of a network's clients go that has a next-hop proxy: to it, or past it, of either address family.

Policy-based routes come first, the lowest number before others; what one of them leaves to other routes, and what none is
for, is taken by the static route with the longest prefix, then the lowest number. A network comes with a default route of
IPv4 to the internet gateway, of priority 1000, unless `deleteDefaultRoutesOnCreate`; one of IPv6 comes with a subnet that has
external IPv6 addresses (Virtual Private Cloud documentation, routes and policy-based routes, read 2026-11-28). A client is
known by its address and by its network tags. Whether it has an external address or a NAT gateway is not looked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, AddressFamily, AddressSet, internet, range_of, union
from hostgate.flows.atoms import cut
from hostgate.flows.intervals import NO_NUMBER, Intervals
from hostgate.flows.nodes import Node
from hostgate.flows.routes import Route, Routes, SubnetRoutes, Way, to, ways
from hostgate.flows.snapshot import Resource
from hostgate.flows.steps import ClientTest
from hostgate.gcp.proxy_routes import PROTOCOLS, NetworkRoutes, clients_of, hop_of, priority_of, range_in
from hostgate.gcp.resources import NETWORK
from hostgate.gcp.resources_proxy import DEFAULT_ROUTING, POLICY_ROUTE, STATIC_ROUTE, SUBNETWORK

_DEFAULT_PRIORITY: Final = 1_000
_SPOKEN: Final[Mapping[str, int]] = {"https": 6, "quic": 17, "gre": 47}
"""A flow of each kind that policy-based routes tell apart: TCP, UDP, and what is neither."""

_OUT: Final = to("internet", "the default internet gateway")
_UNSEEN: Final = to("unknown", "other routes of the network are not in the snapshot")
_EVERY: Final[Mapping[AddressFamily, IPv4Network | IPv6Network]] = {
    "IPv4": ip_network("0.0.0.0/0"), "IPv6": ip_network("::/0"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rule:
    """A route as it stands: whom it is for, for which addresses, and where it leads; None: it leaves them to other routes.
    `priority` None: not known yet."""

    name: str
    owner: str
    client: ClientTest
    addresses: Intervals
    network: IPv4Network | IPv6Network
    priority: int | None
    onward: tuple[Way, ...] | None
    protocols: frozenset[int] | None = None

    def is_for(self, clients: Intervals, family: AddressFamily, tags: Sequence[str], protocol: int) -> bool:
        return self.is_for_tags(tags) and (
            bool(self.client.addresses.of(family) & clients) and (self.protocols is None or protocol in self.protocols)
        )

    def is_for_tags(self, tags: Sequence[str]) -> bool:
        return self.client.identities is None or not self.client.identities.isdisjoint(tags)


@dataclass(frozen=True)
class ProxyWays:
    """The ways of the clients that some route leads to a gateway."""

    reading: NetworkRoutes

    @property
    def routes(self) -> Routes:
        """By subnet, or for the network where none is seen. Who goes past the gateway and lacks the tag that all routes to it
        ask for is one of the `others`; so is everybody where no route is seen to lead there."""
        found = list(self._clients())
        needed = None not in {each.client.identities for each in self._led}
        meant = [each for each in found if each.client or not needed] if self._led else []
        past = (each for each in found if each not in meant and _leaves(each))
        aside = () if self._led else tuple(found)
        return Routes(tuple(meant), others=tuple(dict.fromkeys(each.subnet for each in past)), aside=aside)

    def _clients(self) -> Iterator[SubnetRoutes]:
        names = self.reading.names
        seen = [
            each
            for each in self.reading.snapshot.of_types([SUBNETWORK])
            if names.of_network(each, "network", self.reading.network) == ()
            and each.properties.get("purpose") in (None, "", "PRIVATE")
        ]
        for subnet in seen:
            for family in FAMILIES:
                yield from self._of_subnet(subnet.name, family, _ranges(subnet, family), _own_default(subnet, family))
        for family in FAMILIES if not seen else ():
            name = f"network {self.reading.network.rpartition('/')[2]}"
            yield from self._of_subnet(name, family, EVERY_ADDRESS.of(family), [])

    def _of_subnet(
        self, name: str, family: AddressFamily, ranges: Intervals, own: list[_Rule]
    ) -> Iterator[SubnetRoutes]:
        static = [*self._static[family], *own]
        sources = [each.client.addresses.of(family) for each in self._by_policy[family]]
        for _, part in cut(sources, ranges):
            there = _of(part, family)
            where = name if part == ranges else f"{there.shown(family)} of {name}"
            for tags in self._tag_sets(static):
                told = f"{where} with the tag {' and '.join(_tag(each) for each in tags)}" if tags else where
                found = {
                    spoken: self._ways(static, part, family, tags, protocol) for spoken, protocol in _SPOKEN.items()
                }
                alike = len(set(found.values())) == 1
                for spoken in [*found][:1] if alike else found:
                    client = tags[-1] if tags else ""
                    yield SubnetRoutes(
                        told if alike else f"{told} ({spoken})", {family: found[spoken]}, there, client, spoken
                    )

    def _tag_sets(self, static: Sequence[_Rule]) -> list[tuple[str, ...]]:
        """Tags of clients that matter: one that leads to the proxy, where all that lead ask for one, and one other."""
        needed = {each.client.identities for each in self._led}
        first: list[tuple[str, ...]] = [()]
        if needed and None not in needed:
            first = [(tag,) for tag in sorted(frozenset().union(*(tags or () for tags in needed)))]
        rules = [each for family in FAMILIES for each in self._by_policy[family]] + [*static]
        others = sorted({tag for each in rules for tag in each.client.identities or ()})
        return list(dict.fromkeys([(), *first, *((*one, tag) for one in first for tag in others if tag not in one)]))

    # Routes.

    @cached_property
    def _led(self) -> list[_Rule]:
        """Those that lead to the gateway, surely."""
        rules = [*self._by_policy["IPv4"], *self._static["IPv4"]]
        return [each for each in rules if each.onward and each.onward[0].firewall]

    @cached_property
    def _by_policy(self) -> Mapping[AddressFamily, list[_Rule]]:
        return {family: list(self._policy_routes(family)) for family in FAMILIES}

    @cached_property
    def _static(self) -> Mapping[AddressFamily, list[_Rule]]:
        return {family: list(self._static_routes(family)) for family in FAMILIES}

    def _policy_routes(self, family: AddressFamily) -> Iterator[_Rule]:
        for route, elsewhere in self.reading.of_network(POLICY_ROUTE, family):
            match, doubts = route.node.at("filter"), list(elsewhere)
            if self.reading.is_of_proxies(match.at("srcRange").value):
                continue
            if not route.node.at("interconnectAttachment").absent:
                continue  # for what comes by Interconnect, and for no instance
            client = clients_of(route.node.at("virtualMachine", "tags"), match.at("srcRange"), route.name, doubts)
            to_range, spoken = match.at("destRange").value, match.at("ipProtocol").value or None
            there = EVERY_ADDRESS if to_range in (None, "") else range_of(to_range)
            onward = (
                None
                if route.node.at("nextHopOtherRoutes").value == DEFAULT_ROUTING
                else self._onward(route, "nextHopIlbIp")
            )
            sure = not doubts and there is not None and (spoken in (None, "ALL") or str(spoken) in PROTOCOLS)
            if not sure:
                onward, client = to("unknown", f"what {route.name} is for is not known yet"), ClientTest()
            yield _Rule(
                route.name, route.urn, client, (there or EVERY_ADDRESS).of(family), _EVERY[family], priority_of(route),
                onward, PROTOCOLS.get(str(spoken)) if sure else None,
            )  # fmt: skip

    def _static_routes(self, family: AddressFamily) -> Iterator[_Rule]:
        for route, elsewhere in self.reading.of_network(STATIC_ROUTE, family):
            doubts, network = list(elsewhere), range_in(route.node.at("destRange").value)
            client = clients_of(route.node.at("tags"), Node(None), route.name, doubts)
            hop = hop_of(route)
            onward = _OUT if hop is None else self._onward(route, hop)
            if doubts or network is None:
                onward, client = to("unknown", f"what {route.name} is for is not known yet"), ClientTest()
            network = network or _EVERY[family]
            known = (range_of(str(network)) or EVERY_ADDRESS).of(family)
            yield _Rule(route.name, route.urn, client, known, network, priority_of(route), onward)
        if self._network is not None and family == "IPv4":
            gone = self._network.node.at("deleteDefaultRoutesOnCreate")
            if gone.value is not True:
                yield _default(self._network, family, _UNSEEN if gone.unknown else _OUT)

    @cached_property
    def _network(self) -> Resource | None:
        held = self.reading.snapshot.of_types([NETWORK])
        return next((each for each in held if self.reading.names.key_of(each) == self.reading.network), None)

    def _onward(self, route: Resource, key: str) -> tuple[Way, ...]:
        hop = route.properties.get(key)
        if self.reading.is_ours(route, key, hop):
            return to("firewall", self.reading.gateway.name, self.reading.gateway.urn)
        told = hop if isinstance(hop, str) else "its next hop"
        return to("unknown", f"what {told} of {route.name} does with it is not in the snapshot")

    # What becomes of packets.

    def _ways(
        self, static: Sequence[_Rule], clients: Intervals, family: AddressFamily, tags: Sequence[str], protocol: int
    ) -> tuple[Way, ...]:
        by_policy, by_range = (
            [each for each in rules if each.is_for(clients, family, tags, protocol)]
            for rules in (self._by_policy[family], static)
        )
        left, others = internet().of(family), NO_NUMBER
        found: list[Way] = []
        for turn in _in_turn(by_policy):
            remaining = NO_NUMBER
            for holding, part in cut([each.addresses for each in turn], left):
                first, onward = _joint([each for bit, each in enumerate(turn) if holding >> bit & 1])
                if first is None:
                    remaining |= part
                elif onward is None:
                    others |= part
                else:
                    there = _of(part, family)
                    found += [replace(way, addresses=there, route=first.name, owner=first.owner) for way in onward]
            left = remaining
        listed = []
        for network in dict.fromkeys(each.network for each in by_range):
            first, onward = _joint(next(_in_turn([each for each in by_range if each.network == network])))
            if first is not None:
                listed.append(Route(first.name, network, onward or (), first.owner))
        otherwise = _UNSEEN if self._network is None else to("nowhere", "no route")
        rest = _of(left | others, family)
        behind = (replace(way, addresses=way.addresses.within(rest)) for way in ways(listed, family, otherwise))
        return (*found, *(way for way in behind if way.addresses.of(family)))


def _ranges(subnet: Resource, family: AddressFamily) -> Intervals:
    """The addresses of its clients by which they go out over the family; none where they do not."""
    stack, beside = subnet.properties.get("stackType"), subnet.node.at("secondaryIpRanges").items()
    told = [subnet.properties.get("ipCidrRange"), *(each.at("ipCidrRange").value for each in beside)]
    if family == "IPv6":
        if stack not in ("IPV4_IPV6", "IPV6_ONLY") or subnet.properties.get("ipv6AccessType") != "EXTERNAL":
            return NO_NUMBER
        told = [subnet.properties.get(key) for key in ("externalIpv6Prefix", "ipv6CidrRange")]
    elif stack == "IPV6_ONLY":
        return NO_NUMBER
    known = union(found for each in told if (found := range_of(each)) is not None).of(family)
    return known or EVERY_ADDRESS.of(family)


def _own_default(subnet: Resource, family: AddressFamily) -> list[_Rule]:
    return [_default(subnet, family, _OUT)] if family == "IPv6" else []


def _default(holder: Resource, family: AddressFamily, onward: tuple[Way, ...]) -> _Rule:
    name = f"default of {holder.name}"
    return _Rule(name, holder.urn, ClientTest(), EVERY_ADDRESS.of(family), _EVERY[family], _DEFAULT_PRIORITY, onward)


def _in_turn(rules: Sequence[_Rule]) -> Iterator[list[_Rule]]:
    """Those of one priority together, the lowest first; one whose own is not known yet may be of the first."""
    known = sorted({each.priority for each in rules if each.priority is not None}) or [0]
    for priority in known if rules else ():
        yield [each for each in rules if each.priority == priority or (each.priority is None and priority == known[0])]


def _joint(rules: Sequence[_Rule]) -> tuple[_Rule | None, tuple[Way, ...] | None]:
    """The first of routes of one priority, and where they lead; nobody knows where that differs, or the priority."""
    if not rules:
        return None, None
    first = rules[0]
    if any(each.onward != first.onward for each in rules) or (
        len(rules) > 1 and any(each.priority is None for each in rules)
    ):
        names = " and ".join(dict.fromkeys(each.name for each in rules))
        return first, to("unknown", f"which of {names} comes first is not known")
    return first, first.onward


def _of(addresses: Intervals, family: AddressFamily) -> AddressSet:
    return AddressSet(v4=addresses) if family == "IPv4" else AddressSet(v6=addresses)


def _leaves(clients: SubnetRoutes) -> bool:
    return any(way.end == "internet" for found in clients.ways.values() for way in found)


def _tag(identity: str) -> str:
    return identity.partition(":")[2]
