"""Where subnets of a VPC send what goes to the internet: their route tables, and gateways followed as far as they are seen.

Amazon VPC user guide, route tables: a subnet has the table that it is associated with, else the main one of its VPC; of
the routes of a table the longest prefix wins, whatever it leads to; one that a gateway propagates yields to the others.
A packet behind a NAT gateway goes on by the table of the gateway's subnet, one that a transit gateway delivers by that of
the attachment's subnets (Amazon VPC transit gateways guide: one table decides for each attachment).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from ipaddress import IPv6Network
from typing import Final

from hostgate.aws import resources_ec2 as ec2
from hostgate.aws.resources_firewall import ENDPOINT, FIREWALL
from hostgate.flows.address_sets import FAMILIES, AddressFamily, AddressSet
from hostgate.flows.nodes import UNKNOWN, Node
from hostgate.flows.routes import Destination, Route, Routes, SubnetRoutes, Way, destination, known_ranges, to, ways
from hostgate.flows.snapshot import Resource, Snapshot

_INLINE: Final = ("cidrBlock", "ipv6CidrBlock", "destinationPrefixListId")
_INTERNET: Final = {"egressOnlyGatewayId": "egress-only internet gateway", "carrierGatewayId": "carrier gateway"}
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Addresses that a NAT gateway makes IPv4 ones of (Amazon VPC user guide, DNS64 and NAT64; RFC 6052)."""
_SEEN_ALL: Final = to("nowhere", "no route is for it")


def routes_at(snapshot: Snapshot, firewall: Resource | None) -> Routes:
    """The subnets of the firewall's VPC that the snapshot has, and tables outside it that lead to the firewall. Of one that
    was not read, every subnet and table of which no route leads to a firewall that was.

    `snapshot` is in the classic provider's types. One that stands at a transit gateway is met by routes that nobody reads."""
    unseen = firewall is None or not firewall.node.at("transitGatewayId").absent
    return _Reading(snapshot).around(None if unseen else firewall)


class _Reading:
    """A snapshot as far as routes go. A resource is called by its URN, one outside the snapshot by its id."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.by_type: dict[str, list[Resource]] = {}
        for each in snapshot.resources:
            self.by_type.setdefault(each.type, []).append(each)

    def of(self, *types: str) -> Iterator[Resource]:
        return (each for type_ in types for each in self.by_type.get(type_, ()))

    @cached_property
    def by_table(self) -> Mapping[str | None, list[Resource]]:
        """Routes that stand for themselves; under None those of which nobody knows the table."""
        found: dict[str | None, list[Resource]] = {}
        for each in self.of(ec2.ROUTE):
            found.setdefault(self.table(each), []).append(each)
        return found

    @cached_property
    def by_subnet(self) -> Mapping[str, str | None]:
        """The table that each subnet is associated with; None where nobody knows which, or of which subnet one is."""
        found: dict[str, str | None] = {}
        for each in self.of(ec2.SUBNET_TABLE):
            subnets = self.several(each, "subnetId", each.properties.get("subnetId"), ec2.SUBNET)
            for subnet in subnets:
                found[subnet] = self.table(each) if len(subnets) == 1 else found.get(subnet)
        return found

    def around(self, firewall: Resource | None) -> Routes:
        apart = {subnet for each in self.of(FIREWALL, ENDPOINT, ec2.NAT_GATEWAY) for subnet in self.subnets_of(each)}
        apart -= {subnet for each in self.of(ec2.INSTANCE) for subnet in self.subnets_of(each)}
        tables = self.of(ec2.ROUTE_TABLE, ec2.DEFAULT_ROUTE_TABLE)
        vpc_of_table: dict[str | None, str | None] = {each.urn: self.one(each, "vpcId", ec2.VPC) for each in tables}
        vpcs = {subnet: vpc_of_table.get(table) for subnet, table in self.by_subnet.items()}
        vpcs |= {each.urn: self.one(each, "vpcId", ec2.VPC) for each in self.of(ec2.SUBNET)}
        held = {subnet: self.held(subnet) for subnet, vpc in vpcs.items() if vpc or subnet in self.snapshot.by_urn}
        # Of a network of which one subnet is linked to the firewall, every other one should be.
        points = () if firewall is None else (firewall, *self.associations(firewall))
        linked = {self.one(each, "vpcId", ec2.VPC) for each in points}
        linked |= {vpcs[subnet] for subnet, ways_ in held.items() if _meets(ways_, firewall)}
        clients, others, aside = [], [], []
        for subnet in [each for each in held if each not in apart]:
            told = [way for ways_ in held[subnet].values() for way in ways_]
            near = vpcs[subnet] is not None and vpcs[subnet] in linked
            of_it = SubnetRoutes(self.name(subnet), held[subnet], self.ranges(subnet))
            seen = _meets(held[subnet], firewall) or any(way.end == "unknown" for way in told)
            if firewall is not None and (near or seen):
                clients.append(of_it)
            elif not any(way.firewall for way in told):
                others += [] if firewall is None else [of_it.subnet]
                aside.append(of_it)
        used = {self.table_of(subnet) for subnet in vpcs}
        for table in (each for each in self.by_table if each and each not in used):
            ways_ = {family: self.of_table(table, family, frozenset()) for family in FAMILIES}
            if _meets(ways_, firewall):
                clients.append(SubnetRoutes(f"table {self.name(table)}", ways_))
            elif not any(way.firewall for found in ways_.values() for way in found):
                aside.append(SubnetRoutes(f"table {self.name(table)}", ways_))
        beside = [self.name(each) for each in held if each in apart and vpcs[each] and vpcs[each] in linked]
        return Routes(tuple(clients), tuple(beside), tuple(others), tuple(aside))

    def held(self, subnet: str) -> dict[AddressFamily, tuple[Way, ...]]:
        """The ways of a subnet over each family that it has addresses of; over both where that is not known, and where it
        has a route of IPv6 to the internet all the same."""
        known = self.snapshot.by_urn.get(subnet)
        told = known.properties if known else {}
        found = {family: self.of_subnet(subnet, family, frozenset()) for family in FAMILIES}
        only = isinstance(told.get("cidrBlock"), str) and not any(told.get(key) for key in ec2.SUBNET_IPV6)
        if only and not any(way.end == "internet" and way.addresses.v6 for way in found["IPv6"]):
            del found["IPv6"]
        return found

    def ranges(self, subnet: str) -> AddressSet:
        known = self.snapshot.by_urn.get(subnet)
        cidrs = [known.properties.get(key) for key in ("cidrBlock", "ipv6CidrBlock")] if known else []
        return known_ranges(*cidrs)

    def associations(self, firewall: Resource) -> Iterator[Resource]:
        """Endpoints of the firewall in other VPCs."""
        return (each for each in self.of(ENDPOINT) if self.one(each, "firewallArn") == firewall.urn)

    def is_in(self, holder: Resource, vpc: str | None) -> bool:
        return vpc is not None and self.one(holder, "vpcId", ec2.VPC) == vpc

    def subnets_of(self, holder: Resource) -> Iterator[str]:
        """Those that a firewall or a gateway stands in."""
        for key in ("subnetMappings", "subnetMapping", "subnetId"):
            node = holder.node.at(key)
            if node.unknown:
                yield from self.several(holder, key, UNKNOWN, ec2.SUBNET)
            for item in node.items():
                value = item.value if isinstance(item.value, str) else item.at("subnetId").value
                yield from self.several(holder, key, value, ec2.SUBNET)

    # References.

    def several(self, holder: Resource, key: str, value: object, *types: str) -> list[str]:
        """What `value` names at the input `key`; where it is not known, what of `types` it was made from."""
        if value is None:
            return []
        if not isinstance(value, str):
            made = self.snapshot.referred(holder, key, None)
            return [each.urn for each in made if not types or each.type in types]
        return [each.urn for each in self.snapshot.referred(holder, key, value)] or ([value] if value else [])

    def one(self, holder: Resource, key: str, *types: str) -> str | None:
        found = self.several(holder, key, holder.properties.get(key), *types)
        return found[0] if len(found) == 1 else None

    def name(self, key: str) -> str:
        known = self.snapshot.by_urn.get(key.removeprefix("main of "))
        return known.name if known else key

    # Tables.

    def table(self, holder: Resource, value: object = None, key: str = "routeTableId") -> str | None:
        """The table that the input names; of a VPC in the snapshot, its main one."""
        value = holder.properties.get(key) if value is None else value
        found = self.several(holder, key, value, ec2.ROUTE_TABLE, ec2.DEFAULT_ROUTE_TABLE, ec2.VPC)
        if len(found) != 1:
            return None
        for vpc in self.of(ec2.VPC):
            if found[0] in (vpc.urn, vpc.properties.get("defaultRouteTableId")):
                return self.own_table(vpc)
        return found[0]

    def own_table(self, vpc: Resource) -> str:
        """The table that came with a VPC."""
        id_ = vpc.properties.get("defaultRouteTableId")
        for each in self.of(ec2.DEFAULT_ROUTE_TABLE):
            if vpc.urn in (self.one(each, "defaultRouteTableId", ec2.VPC), self.one(each, "vpcId", ec2.VPC)):
                return each.urn
            if isinstance(id_, str) and id_ == each.properties.get("defaultRouteTableId"):
                return each.urn
        return f"main of {vpc.urn}"

    def main_table(self, vpc: str | None) -> str | None:
        """The table of subnets that have none of their own."""
        for each in self.of(ec2.MAIN_TABLE):
            if self.is_in(each, vpc):
                return self.table(each)
        known = self.snapshot.by_urn.get(vpc or "")
        if known is None:
            return None
        named = known.properties.get("mainRouteTableId")
        return self.table(known, named) if isinstance(named, str) and named else self.own_table(known)

    def table_of(self, subnet: str) -> str | None:
        """The table of a subnet; None if nobody can tell."""
        if subnet in self.by_subnet:
            return self.by_subnet[subnet]
        resource = self.snapshot.by_urn.get(subnet)
        if resource is None or resource.external:  # of one that is only read, the association may be elsewhere
            return None
        return self.main_table(self.one(resource, "vpcId", ec2.VPC))

    def of_subnet(self, subnet: str, family: AddressFamily, passed: frozenset[str]) -> tuple[Way, ...]:
        table = self.table_of(subnet)
        if table is None:
            return to("unknown", f"the route table of {self.name(subnet)} is not in the snapshot")
        return self.of_table(table, family, passed)

    def of_table(self, table: str, family: AddressFamily, passed: frozenset[str]) -> tuple[Way, ...]:
        """The ways of a table; `passed` are those that sent the packet here."""
        if table in passed:
            return to("unknown", f"the routes of {self.name(table)} lead back to it")
        passed |= {table}
        holder = self.snapshot.by_urn.get(table.removeprefix("main of "))
        otherwise = _SEEN_ALL
        if holder is None or holder.external:
            otherwise = to("unknown", f"other routes of {self.name(table)} are not in the snapshot")
        elif holder.urn != table:  # the table came with its VPC, and is no resource that was read
            otherwise = to("unknown", f"the main route table of {holder.name} is not in the snapshot")
        listed = list(self.routes(table, holder, family, passed))
        if holder is not None and self.propagated(table, holder):
            otherwise = to("unknown", f"a virtual private gateway propagates routes to {holder.name}")
            listed.append(Route(holder.name, f"ranges that are propagated to {holder.name}", otherwise, holder.urn))
        return ways(listed, family, otherwise)

    def propagated(self, table: str, holder: Resource) -> bool:
        gateways = holder.node.at("propagatingVgws")
        beside = (self.table(each) for each in self.of(ec2.PROPAGATION))
        return gateways.unknown or any(gateways.items()) or any(each in (table, None) for each in beside)

    def routes(
        self, table: str, holder: Resource | None, family: AddressFamily, passed: frozenset[str]
    ) -> Iterator[Route]:
        if holder is not None:
            inline = holder.node.at("routes")
            for item in [inline] if inline.unknown else inline.items():
                yield from self.read(holder, item.block, "routes", _INLINE, family, passed)
        for each in self.by_table.get(table, ()):
            yield from self.read(each, each.node, "", ec2.DESTINATIONS, family, passed)
        for each in self.by_table.get(None, ()):
            why = f"{each.name} may be a route of this table"
            yield Route(each.name, f"unknown:{each.urn}#routeTableId", to("unknown", why))
        for each in self.of(ec2.VPC_ENDPOINT):
            ids = each.node.at("routeTableIds")
            held = {self.table(each, item.value, ids.path) for item in ([ids] if ids.unknown else ids.items())}
            for beside in self.of(ec2.ENDPOINT_TABLE):
                held |= {self.table(beside)} if self.one(beside, "vpcEndpointId") == each.urn else set()
            if table in held:
                service = each.properties.get("prefixListId") or f"addresses of {each.properties.get('serviceName')}"
                gateway = to("internet", "the gateway endpoint of that service")
                yield Route(each.name, str(service), gateway, each.urn)

    def read(
        self, holder: Resource, node: Node, top: str, keys: Iterable[str], family: AddressFamily, passed: frozenset[str]
    ) -> Iterator[Route]:
        """The route at `node`, one for each range of a prefix list. `top` is the input of `holder` that it stands in."""
        onward: tuple[Way, ...] | None = None
        for there in dict.fromkeys(self.destinations(holder, node, top, keys)):
            beyond = family
            if isinstance(there, IPv6Network) and there.prefixlen and there.overlaps(_NAT64):
                if family == "IPv4":
                    continue
                there, beyond = f"{there} (IPv4 by NAT64)", "IPv4"
            if onward is None:
                onward = self.onward(holder, node, top, beyond, passed)
            yield Route(holder.name, there, onward, holder.urn)

    def destinations(self, holder: Resource, node: Node, top: str, keys: Iterable[str]) -> Iterator[Destination]:
        for key in keys:
            value = node.at(key).value
            if value in (None, ""):
                continue
            unseen = value if isinstance(value, str) else f"unknown:{holder.urn}#{node.at(key).path}"
            lists = self.several(holder, top or key, value, ec2.PREFIX_LIST) if key.endswith("ListId") else []
            known = self.snapshot.by_urn.get(lists[0]) if len(lists) == 1 else None
            entries = known.node.at("entries") if known else Node(None)
            cidrs = [value] if entries.unknown or not known else [item.at("cidr").value for item in entries.items()]
            yield from (destination(cidr, unseen) for cidr in cidrs)

    # Targets.

    def onward(
        self, holder: Resource, node: Node, top: str, family: AddressFamily, passed: frozenset[str]
    ) -> tuple[Way, ...]:
        """What becomes of a packet that the route takes."""
        given = [key for key in ec2.TARGETS if node.at(key).value not in (None, "")]
        if node.unknown or not given:
            return to("unknown", f"what {holder.name} leads to is not known")
        key = next((key for key in ("vpcEndpointId", "natGatewayId") if key in given), given[0])
        value = node.at(key).value

        def seen(*types: str) -> Resource | None:
            found = self.several(holder, top or key, value, *types)
            return self.snapshot.by_urn.get(found[0]) if len(found) == 1 else None

        if key in _INTERNET:
            return to("internet", _INTERNET[key])
        if key == "vpcEndpointId" or str(value).startswith("vpce-"):
            return self.endpoint(value, seen)
        if key == "natGatewayId":
            return self.behind_nat(value, seen(ec2.NAT_GATEWAY), family, passed)
        if key == "transitGatewayId":
            return self.through_transit(holder, str(value), family, passed)
        if key == "gatewayId" and value == "local":
            return to("nowhere", "the VPC alone")
        gateway = seen(ec2.INTERNET_GATEWAY)
        if key == "gatewayId" and (str(value).startswith("igw-") or (gateway and gateway.type == ec2.INTERNET_GATEWAY)):
            return to("internet", "internet gateway")
        return to("unknown", f"what {key} {value} does with it is not in the snapshot")

    def endpoint(self, value: object, seen: Callable[..., Resource | None]) -> tuple[Way, ...]:
        """The firewall that an endpoint is of."""
        if isinstance(value, str):
            for firewall in self.of(FIREWALL):
                if value in self.endpoints(firewall):
                    return to("firewall", firewall.name, firewall.urn)
            return to("unknown", f"endpoint {value} is of no firewall that the snapshot shows")
        made_of = seen(FIREWALL, ENDPOINT)
        if made_of is not None and made_of.type == ENDPOINT:
            of = self.one(made_of, "firewallArn", FIREWALL)
            made_of = self.snapshot.by_urn.get(of or "")
        if made_of is None or made_of.type != FIREWALL:
            return to("unknown", "of which firewall the endpoint is, is not known yet")
        return to("firewall", made_of.name, made_of.urn)

    def endpoints(self, firewall: Resource) -> Iterator[str]:
        """Ids of the endpoints of a firewall, in its VPC and in others. The twin says `ZONE:ID`."""
        for each, key, states in (
            (firewall, "firewallStatuses", "syncStates"),
            *(
                (each, "vpcEndpointAssociationStatuses", "associationSyncStates")
                for each in self.associations(firewall)
            ),
        ):
            twins = (each.node.at("endpointIds"), each.node.at("endpointId"))
            yield from (str(item.value).rpartition(":")[2] for node in twins for item in node.items())
            for status in each.node.at(key).items():
                for state in status.at(states).items():
                    yield from (str(item.at("endpointId").value) for item in state.at("attachments").items())

    def behind_nat(
        self, value: object, gateway: Resource | None, family: AddressFamily, passed: frozenset[str]
    ) -> tuple[Way, ...]:
        if gateway is None or gateway.type != ec2.NAT_GATEWAY:
            return to("unknown", f"NAT gateway {value} is not in the snapshot, where its subnet leads neither")
        if gateway.node.at("subnetId").absent:
            return to("internet", f"NAT gateway {gateway.name}")  # a regional one has no subnet
        subnet = self.one(gateway, "subnetId", ec2.SUBNET)
        if subnet is None:
            return to("unknown", f"the subnet of NAT gateway {gateway.name} is not known yet")
        beyond = f"NAT gateway {gateway.name}, then "
        found = self.of_subnet(subnet, family, passed)
        return tuple(way if way.firewall else replace(way, hop=f"{beyond}{way.hop}") for way in found)

    def through_transit(
        self, holder: Resource, gateway: str, family: AddressFamily, passed: frozenset[str]
    ) -> tuple[Way, ...]:
        """By the attachment of the route's VPC, the table of that attachment, and the attachment that it sends to."""
        unseen = to("unknown", f"where transit gateway {gateway} sends it is not in the snapshot")
        vpc = self.vpc_of(holder)
        mine = [each for each in self.of(ec2.TRANSIT_ATTACHMENT) if self.is_in(each, vpc)]
        if len(mine) != 1:
            return unseen
        tables = [
            self.one(each, "transitGatewayRouteTableId")
            for each in self.of(ec2.TRANSIT_TABLE)
            if self.one(each, "transitGatewayAttachmentId", ec2.TRANSIT_ATTACHMENT) == mine[0].urn
        ]
        if len(tables) != 1 or tables[0] is None:
            return unseen
        routes = []
        for each in self.of(ec2.TRANSIT_ROUTE, ec2.TRANSIT_PREFIXES):
            if self.one(each, "transitGatewayRouteTableId") == tables[0]:
                for there in self.destinations(each, each.node, "", ("destinationCidrBlock", "prefixListId")):
                    routes.append(Route(each.name, there, self.delivered(each, family, passed)))
        return ways(routes, family, unseen)  # what is propagated stands in no snapshot

    def vpc_of(self, holder: Resource) -> str | None:
        """The VPC of a route, or of a table with routes in it."""
        table = self.table(holder) if holder.type == ec2.ROUTE else holder.urn
        known = self.snapshot.by_urn.get((table or "").removeprefix("main of "))
        return None if known is None else known.urn if known.type == ec2.VPC else self.one(known, "vpcId", ec2.VPC)

    def delivered(self, route: Resource, family: AddressFamily, passed: frozenset[str]) -> tuple[Way, ...]:
        if route.node.at("blackhole").value is True:
            return to("nowhere", f"{route.name} is a black hole")
        named = self.one(route, "transitGatewayAttachmentId", ec2.TRANSIT_ATTACHMENT)
        attachment = self.snapshot.by_urn.get(named or "", route)
        found = {
            tuple(replace(way, route="") for way in self.of_subnet(subnet, family, passed))
            for item in attachment.node.at("subnetIds").items()
            for subnet in self.several(attachment, "subnetIds", item.value, ec2.SUBNET)
        }
        if len(found) != 1:
            return to("unknown", f"where the attachment of {route.name} leads is not known, or differs by zone")
        return found.pop()


def _meets(held: Mapping[AddressFamily, tuple[Way, ...]], firewall: Resource | None) -> bool:
    return firewall is not None and any(way.firewall == firewall.urn for ways_ in held.values() for way in ways_)
