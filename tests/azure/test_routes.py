"""Where subnets around Azure Firewall send what goes to the internet, as route tables of the snapshot say."""

from dataclasses import replace
from typing import Any

import pytest

from hostgate.azure.evaluate import places
from hostgate.azure.resources import FIREWALL
from hostgate.azure.resources_bridged import canonical
from hostgate.azure.routes import routes_at
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.routes import SubnetRoutes
from hostgate.flows.snapshot import Resource, Snapshot

BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
EVERY, EVERY_V6 = "0.0.0.0/0", "::/0"
TABLE_ID, APP_ID = f"{BASE}routeTables/rt", f"{BASE}virtualNetworks/spoke/subnets/app"


def made(
    kind: str, name: str, link: str = "", made_from: dict[str, str] | None = None, /, **properties: Any
) -> Resource:
    token = kind if ":" in kind else f"azure-native:network:{kind}"
    dependencies = {key: frozenset({urn}) for key, urn in (made_from or {}).items()}
    return Resource(urn=f"urn:{name}", type=token, name=name, properties=properties,
                    id=f"{BASE}{link}" if link else "", property_dependencies=dependencies)  # fmt: skip


def hop(prefix: str, kind: str, address: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": kind, "addressPrefix": prefix, "nextHopType": kind, "nextHopIpAddress": address, **more}


FW = made("AzureFirewall", "fw", "azureFirewalls/fw", ipConfigurations=[{"privateIPAddress": "10.0.1.4"}])
TO_FW = hop(EVERY, "VirtualAppliance", "10.0.1.4")


def table(*routes: Any, **more: Any) -> Resource:
    return made("RouteTable", "rt", "routeTables/rt", routes=list(routes), **more)


def subnet(*prefixes: str, name: str = "app", table: Any = TABLE_ID, network: str = "spoke") -> Resource:
    reference = {} if table is None else {"routeTable": {"id": table}}
    return made("Subnet", name, f"virtualNetworks/{network}/subnets/{name}",
                addressPrefixes=list(prefixes or ["10.1.0.0/24"]), **reference)  # fmt: skip


def around(*resources: Resource) -> tuple[SubnetRoutes, ...]:
    snapshot = canonical(Snapshot(resources, "made"))
    (firewall,) = snapshot.of_types([FIREWALL])
    return routes_at(snapshot, firewall).clients


def ends(*resources: Resource) -> dict[str, list[str]]:
    (client,) = around(FW, *resources)
    return {family: [way.end for way in found] for family, found in client.ways.items()}


@pytest.mark.parametrize(
    ("kind", "address", "end"),
    [
        ("VirtualAppliance", "10.0.1.4", "firewall"),
        ("VirtualAppliance", "10.0.9.9", "unknown"),
        ("VirtualAppliance", UNKNOWN, "unknown"),
        ("Internet", None, "internet"),
        ("None", None, "nowhere"),
        ("VnetLocal", None, "nowhere"),
        ("VirtualNetworkGateway", None, "unknown"),
        (UNKNOWN, None, "unknown"),
    ],
)
def test_a_default_route_leads_where_its_next_hop_leads(kind: Any, address: Any, end: str) -> None:
    assert ends(subnet(), table(hop(EVERY, kind, address))) == {"IPv4": [end]}
    route = made("Route", "r", "routeTables/rt/routes/r", **hop(EVERY, kind, address))
    assert ends(subnet(), table(), route) == {"IPv4": [end]}


def test_without_a_users_route_the_system_leads_to_the_internet_unless_a_gateway_may_say_otherwise() -> None:
    assert ends(subnet(table=None)) == {"IPv4": ["unknown"]}
    assert ends(subnet(), table()) == {"IPv4": ["unknown"]}
    assert ends(subnet(), table(disableBgpRoutePropagation=True)) == {"IPv4": ["internet"]}


def test_a_subnet_with_ipv6_addresses_needs_a_route_for_them_too() -> None:
    both = subnet("10.1.0.0/24", "2001:db8::/64")
    closed = table(TO_FW, disableBgpRoutePropagation=True)
    assert ends(both, closed) == {"IPv4": ["firewall"], "IPv6": ["internet"]}
    assert ends(both, table(TO_FW, hop(EVERY_V6, "None"))) == {"IPv4": ["firewall"], "IPv6": ["nowhere"]}


def test_a_service_tag_takes_its_addresses_round_the_firewall() -> None:
    (client,) = around(FW, subnet(), table(TO_FW, hop("Storage", "Internet")))
    (tagged, rest) = client.ways["IPv4"]
    assert (tagged.addresses.symbols, tagged.end) == ({"tag:Storage"}, "internet")
    assert (rest.addresses.without, rest.end) == ({"tag:Storage"}, "firewall")


@pytest.mark.parametrize("subnets", [UNKNOWN, [UNKNOWN]])
def test_subnets_that_are_not_known_yet_are_no_closed_ones(subnets: Any) -> None:
    network = made("VirtualNetwork", "spoke", "", {"subnets": "urn:rt"}, subnets=subnets)
    assert ends(network, table(TO_FW)) == {"IPv4": ["unknown"], "IPv6": ["unknown"]}


@pytest.mark.parametrize(
    "doubt", [table(), table(UNKNOWN), subnet(table=UNKNOWN), made("Route", "r", routeTableName=UNKNOWN, **TO_FW)]
)
def test_what_is_not_known_yet_is_never_routed_to_the_firewall(doubt: Resource) -> None:
    parts = [each for each in (table(TO_FW), subnet()) if each.urn != doubt.urn]
    assert "unknown" in ends(*parts, doubt)["IPv4"]


def test_a_table_outside_the_snapshot_may_hold_any_route() -> None:
    assert ends(subnet()) == {"IPv4": ["unknown"]}


def test_at_a_first_preview_references_are_what_they_were_made_from() -> None:
    fw = made("AzureFirewall", "fw", azureFirewallName="fw")
    rt = made("RouteTable", "rt", "", {"routes": fw.urn}, routes=[hop(EVERY, "VirtualAppliance", None)
              | {"nextHopIpAddress": UNKNOWN}])  # fmt: skip
    app = made("Subnet", "app", "", {"routeTable": rt.urn}, routeTable={"id": UNKNOWN}, addressPrefix="10.1.0.0/24")
    (client,) = around(fw, rt, app)
    assert [(way.end, way.firewall) for way in client.ways["IPv4"]] == [("firewall", fw.urn)]


def test_a_subnet_in_its_network_and_for_itself_is_one() -> None:
    inline = {"name": "app", "addressPrefix": "10.1.0.0/24"}
    network = made("VirtualNetwork", "spoke", "virtualNetworks/spoke", subnets=[inline])
    assert ends(network, subnet(), table(TO_FW)) == {"IPv4": ["firewall"]}
    routed = made("VirtualNetwork", "spoke", network.id.removeprefix(BASE),
                  subnets=[inline | {"routeTable": {"id": TABLE_ID}}])  # fmt: skip
    assert ends(routed, table(TO_FW)) == {"IPv4": ["firewall"]}


def test_a_firewall_in_a_virtual_hub_is_reached_by_routes_that_no_snapshot_has() -> None:
    assert around(made("AzureFirewall", "fw", virtualHub={"id": "hub"}), subnet()) == ()


BRIDGED_FW = made("azure:network/firewall:Firewall", "fw", "azureFirewalls/fw", firewallPolicyId="p",
                  ipConfigurations=[{"privateIpAddress": "10.0.1.4"}])  # fmt: skip
BRIDGED_ROUTE = {
    "name": "out",
    "addressPrefix": EVERY,
    "nextHopType": "VirtualAppliance",
    "nextHopInIpAddress": "10.0.1.4",
}


def test_the_twin_providers_routes_are_read_alike() -> None:
    app = made(
        "azure:network/subnet:Subnet", "app", "virtualNetworks/spoke/subnets/app", addressPrefixes=["10.1.0.0/24"]
    )
    rt = made("azure:network/routeTable:RouteTable", "rt", "routeTables/rt", bgpRoutePropagationEnabled=False)
    out = made("azure:network/route:Route", "out", "routeTables/rt/routes/out", **BRIDGED_ROUTE)
    tied = made("azure:network/subnetRouteTableAssociation:SubnetRouteTableAssociation", "tied", subnetId=APP_ID,
                routeTableId=TABLE_ID)  # fmt: skip
    for order in ((app, tied), (tied, app)):
        (client,) = around(BRIDGED_FW, rt, out, *order)
        assert client.subnet == "spoke/app"
        assert {family: [way.end for way in found] for family, found in client.ways.items()} == {"IPv4": ["firewall"]}
    (client,) = around(BRIDGED_FW, rt, tied, app)
    assert [way.end for way in client.ways["IPv4"]] == ["internet"]
    (client,) = around(BRIDGED_FW, rt, out, app)
    assert [way.end for way in client.ways["IPv4"]] == ["unknown"]
    network = made("azure:network/virtualNetwork:VirtualNetwork", "spoke", "virtualNetworks/spoke", subnets=[
        {"name": "app", "addressPrefixes": ["10.1.0.0/24"], "routeTableId": TABLE_ID}])  # fmt: skip
    (client,) = around(BRIDGED_FW, rt, out, network)
    assert [way.end for way in client.ways["IPv4"]] == ["firewall"]


@pytest.mark.parametrize("kind", ["Subnet", "azure:network/subnet:Subnet"])
def test_a_service_endpoint_takes_its_service_round_the_firewall(kind: str) -> None:
    services = ["Microsoft.Storage"] if ":" in kind else [{"service": "Microsoft.Storage", "locations": ["*"]}]
    at = {"routeTableId": TABLE_ID} if ":" in kind else {"routeTable": {"id": TABLE_ID}}
    app = made(kind, "app", "virtualNetworks/spoke/subnets/app", addressPrefixes=["10.1.0.0/24"], **at,
               serviceEndpoints=services)  # fmt: skip
    (client,) = around(FW, table(TO_FW), app)
    service, rest = client.ways["IPv4"]
    assert (service.end, service.addresses.symbols, rest.end) == ("internet", {"Microsoft.Storage"}, "firewall")
    unseen = subnet()
    unseen = replace(unseen, properties={**unseen.properties, "serviceEndpoints": UNKNOWN})
    assert ends(table(TO_FW), unseen) == {"IPv4": ["unknown", "firewall"]}


def test_an_association_of_one_of_several_subnets_may_be_of_each() -> None:
    apps = [made("azure:network/subnet:Subnet", name, addressPrefixes=["10.1.0.0/24"]) for name in ("a", "b")]
    either = Resource(
        urn="urn:tied", type="azure:network/subnetRouteTableAssociation:SubnetRouteTableAssociation", name="tied",
        properties={"subnetId": UNKNOWN, "routeTableId": TABLE_ID},
        property_dependencies={"subnetId": frozenset({"urn:a", "urn:b"})},
    )  # fmt: skip
    found = around(FW, table(TO_FW), *apps, either)
    assert [(each.subnet, [way.hop for way in each.ways["IPv4"]]) for each in found] == [
        ("a", ["its route table is not known yet"]),
        ("b", ["its route table is not known yet"]),
    ]


def test_subnets_whose_packets_go_round_the_firewall_are_named_with_the_family_and_the_route() -> None:
    other = f"{BASE}routeTables/other"
    open_ = made("RouteTable", "other", "routeTables/other", routes=[hop(EVERY, "Internet")])
    own = subnet(name="AzureFirewallSubnet", network="hub", table=None)
    stack = (FW, subnet(), table(TO_FW), subnet(name="web", table=other), open_, subnet(name="db", table=None), own)
    (place,) = places(Snapshot(stack, "made"))
    assert place.assumptions[:-1] == (
        "NOT ROUTED TO THE FIREWALL: spoke/web over IPv4 to the internet by other/Internet.",
        "Where these lead is not known: spoke/db over IPv4 (no user's route is for it: the system's leads to the "
        "internet, unless a gateway announces another).",
        "Routed to the firewall: spoke/app over IPv4.",
        "Taken for no clients, as subnets of firewalls and gateways: hub/azurefirewallsubnet.",
        "The way back is through the firewall, too.",
    )
    (alone,) = places(Snapshot((FW,), "made"))
    assert alone.assumptions[0] == "The clients' default routes of both address families lead to the firewall."
