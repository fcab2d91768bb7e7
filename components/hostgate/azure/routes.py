"""Where subnets send what goes to the internet: their route tables, over the routes of the platform.

Azure, virtual network traffic routing: the longest prefix wins; of one prefix a user's route, then what a gateway
announces, then the system's, which sends 0.0.0.0/0 and ::/0 to the internet. Azure Firewall is met at its private address.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from hostgate.azure.resources import FIREWALL, ROUTE, ROUTE_TABLE, SUBNET, VIRTUAL_NETWORK
from hostgate.flows.address_sets import FAMILIES, AddressFamily, symbol
from hostgate.flows.nodes import UNKNOWN, Node
from hostgate.flows.routes import Route, Routes, SubnetRoutes, Way, destination, known_ranges, to, ways
from hostgate.flows.snapshot import Resource, Snapshot

_APART: Final = frozenset(
    {
        "azurefirewallsubnet", "azurefirewallmanagementsubnet", "gatewaysubnet", "azurebastionsubnet",
        "routeserversubnet",
    }
)  # fmt: skip
"""Names that the platform keeps for subnets of its own services."""

_ENDS: Final[Mapping[str, tuple[Way, ...]]] = {
    "internet": to("internet", "the internet"),
    "none": to("nowhere", "a route drops it"),
    "vnetlocal": to("nowhere", "the virtual network alone"),
    "virtualnetworkgateway": to("unknown", "where the network behind a virtual network gateway leads is not seen"),
}
"""Next hops that say all, in lower case."""

_BY_THE_SYSTEM: Final = to("internet", "the internet, by the system's default route")
_NO_ROUTE: Final = to(
    "unknown", "no user's route is for it: the system's leads to the internet, unless a gateway announces another"
)
_PARTS = re.compile(r"/(resourcegroups|virtualnetworks|subnets|routetables)/([^/]+)")


def routes_at(snapshot: Snapshot, firewall: Resource | None) -> Routes:
    """Every subnet of the snapshot that has room for clients; of a firewall that was not read, or that stands in a virtual hub,
    whose routes reach its networks unseen, those from which no route leads to one that was, as such aside.

    `snapshot` is in azure-native's types.
    """
    reading = _Reading(snapshot)
    subnets = reading.subnets()
    clients = [each for each in subnets.values() if each.name.rpartition("/")[2].lower() not in _APART]
    apart = tuple(each.name for each in subnets.values() if each not in clients)
    held = tuple(reading.of_subnet(each) for each in clients)
    if firewall is None or not firewall.node.at("virtualHub").absent:
        return Routes(aside=tuple(each for each in held if not _led(each)))
    return Routes(held, apart)


def _led(subnet: SubnetRoutes) -> bool:
    return any(way.firewall for found in subnet.ways.values() for way in found)


@dataclass(frozen=True, slots=True)
class _Subnet:
    """What a resource says of a subnet, at `node`; `input` is the property that the reference to its table is part of."""

    name: str
    holder: Resource
    node: Node
    input: str
    families: tuple[AddressFamily, ...]
    services: tuple[Way, ...] = ()
    """Ways of its service endpoints, which are more specific than any route of a user (virtual network service endpoints,
    2026-02)."""


def _services(node: Node) -> tuple[Way, ...]:
    listed = Node(None) if node.unknown else node.at("serviceEndpoints")
    names = [item.at("service").value for item in ([listed] if listed.unknown else listed.items())]
    return tuple(
        Way(addresses=symbol(name), end="internet", hop="its service endpoint")
        if isinstance(name, str)
        else Way(addresses=symbol("a service"), end="unknown", hop="which service endpoints it has is not known")
        for name in names
    )


def _families(node: Node) -> tuple[AddressFamily, ...]:
    """Those that the subnet has addresses of; both where that is not known."""
    prefixes = [node.at(key) for key in ("addressPrefix", "addressPrefixes")]
    listed = [item.value for each in prefixes for item in ([each] if each.unknown else each.items())]
    only = listed and all(isinstance(each, str) and ":" not in each for each in listed)
    return ("IPv4",) if only else FAMILIES


def _key(id_: object, *named: object) -> str | None:
    """What tells an object from others: resource group and names, from its id or as they are given."""
    if isinstance(id_, str) and id_:
        return "/".join(found[2] for found in _PARTS.finditer(id_.lower()))
    return "/".join(map(str, named)).lower() if all(isinstance(each, str) and each for each in named) else None


class _Reading:
    """A snapshot as far as routes go."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    # Subnets.

    def subnets(self) -> Mapping[str, _Subnet]:
        """By key. A subnet may stand in its network and for itself: what says its table is believed."""
        found: dict[str, _Subnet] = {}
        for key, each in (*self._apart(), *self._inline()):
            known = found.get(key, each)
            told = known if not known.node.at("routeTable").absent else each
            families = min(known.families, each.families, key=len)
            services = tuple(dict.fromkeys((*known.services, *each.services)))
            found[key] = replace(told, name=known.name, families=families, services=services)
        return found

    def _apart(self) -> Iterator[tuple[str, _Subnet]]:
        for each in self.snapshot.of_types([SUBNET]):
            key, about = self.subnet_key(each), self.about(each)
            if len(about) > 1:  # an association of one of them, and nobody knows which
                doubt = _Subnet("", each, Node({"routeTable": UNKNOWN}), "", FAMILIES)
                yield from ((self.subnet_key(one), replace(doubt, name=one.name)) for one in about)
            elif key != each.urn or not each.node.at("subnetId").unknown:
                name = key.partition("/")[2] if key.count("/") == 2 else each.name
                yield key, _Subnet(name, each, each.node, "routeTable", _families(each.node), _services(each.node))

    def about(self, association: Resource) -> list[Resource]:
        """The subnets that an association, which says `subnetId`, was made from."""
        made = self.snapshot.referred(association, "subnetId", None)
        return [each for each in made if each.type == SUBNET and each is not association]

    def subnet_key(self, subnet: Resource) -> str:
        """Of an association, which says `subnetId`, that of the subnet that it is about."""
        if len(about := self.about(subnet)) == 1:
            return self.subnet_key(about[0])
        named = subnet.properties
        id_ = named.get("subnetId") or subnet.id
        names = (named.get("resourceGroupName"), named.get("virtualNetworkName"), named.get("subnetName"))
        return _key(id_, *names) or subnet.urn

    def _inline(self) -> Iterator[tuple[str, _Subnet]]:
        for network in self.snapshot.of_types([VIRTUAL_NETWORK]):
            names = (network.properties.get("resourceGroupName"), network.properties.get("virtualNetworkName"))
            above = _key(network.id, *names) or network.urn
            listed = network.node.at("subnets")
            for item in [listed] if listed.unknown else listed.items():
                name = item.at("name").value if isinstance(item.at("name").value, str) else "a subnet"
                made_of = "" if item.unknown else "subnets"
                found = _Subnet(f"{network.name}/{name}", network, item, made_of, _families(item), _services(item))
                yield f"{above}/{name}".lower(), found

    def of_subnet(self, subnet: _Subnet) -> SubnetRoutes:
        held = {family: self.ways(subnet, family) for family in subnet.families}
        first = next(iter(held))
        prefixes = [subnet.node.at("addressPrefix").value] if not subnet.node.unknown else []
        prefixes += [item.value for item in subnet.node.at("addressPrefixes").items()]
        return SubnetRoutes(subnet.name, {**held, first: (*subnet.services, *held[first])}, known_ranges(*prefixes))

    # Tables.

    def ways(self, subnet: _Subnet, family: AddressFamily) -> tuple[Way, ...]:
        reference = subnet.node.at("routeTable")
        if reference.absent:
            return _NO_ROUTE
        id_ = reference.at("id").value
        made = [each for each in self.snapshot.referred(subnet.holder, subnet.input, None) if each.type == ROUTE_TABLE]
        key = _key(id_) if isinstance(id_, str) else self.table_key(made[0]) if len(made) == 1 else None
        if key is None:
            return to("unknown", "its route table is not known yet")
        tables = [each for each in self.snapshot.of_types([ROUTE_TABLE]) if self.table_key(each) == key]
        otherwise = to("unknown", f"route table {key} is not in the snapshot")
        if tables and not tables[0].external:
            alone = tables[0].node.at("disableBgpRoutePropagation").value is True
            otherwise = _BY_THE_SYSTEM if alone else _NO_ROUTE
        return ways(list(self.routes(key, tables)), family, otherwise)

    def table_key(self, table: Resource) -> str:
        names = (table.properties.get("resourceGroupName"), table.properties.get("routeTableName"))
        return _key(table.id, *names) or table.urn

    def routes(self, key: str, tables: list[Resource]) -> Iterator[Route]:
        for table in tables[:1]:
            inline = table.node.at("routes")
            for item in [inline] if inline.unknown else inline.items():
                name = item.at("name").value
                yield self.route(table, item, f"{table.name}/{name}" if isinstance(name, str) else table.name, "routes")
        for each in self.snapshot.of_types([ROUTE]):
            names = (each.properties.get("resourceGroupName"), each.properties.get("routeTableName"))
            of_table = [one for one in self.snapshot.referred(each, "routeTableName", None) if one.type == ROUTE_TABLE]
            named = self.table_key(of_table[0]) if len(of_table) == 1 else _key(each.id, *names)
            if named == key:
                yield self.route(each, each.node, each.name, "nextHopIpAddress")
            elif named is None:
                why = f"{each.name} may be a route of this table"
                yield Route(each.name, f"unknown:{each.urn}#routeTableName", to("unknown", why))

    def route(self, holder: Resource, node: Node, name: str, made_of: str) -> Route:
        prefix = node.at("addressPrefix")
        unseen = f"tag:{prefix.value}" if isinstance(prefix.value, str) else f"unknown:{holder.urn}#{prefix.path}"
        return Route(name, destination(prefix.value, unseen), self.onward(holder, node, made_of), holder.urn)

    def onward(self, holder: Resource, node: Node, made_of: str) -> tuple[Way, ...]:
        kind, address = node.at("nextHopType").value, node.at("nextHopIpAddress").value
        if str(kind).lower() in _ENDS:
            return _ENDS[str(kind).lower()]
        if kind != "VirtualAppliance":
            return to("unknown", "what the route leads to is not known yet")
        firewalls = list(self.snapshot.of_types([FIREWALL]))
        if isinstance(address, str):
            met = [each for each in firewalls if address in self.addresses(each)]
        else:
            made = self.snapshot.referred(holder, made_of, None)
            met = [each for each in firewalls if each in made]
        if len(met) == 1:
            return to("firewall", met[0].name, met[0].urn)
        what = address if isinstance(address, str) else "which is not known yet"
        return to("unknown", f"appliance {what}: of no firewall that the snapshot shows")

    def addresses(self, firewall: Resource) -> list[object]:
        """Its private addresses."""
        return [item.at("privateIPAddress").value for item in firewall.node.at("ipConfigurations").items()]
