"""Where the subnets around an AWS firewall send what goes to the internet, as route tables of the snapshot say."""

from dataclasses import replace
from typing import Any

import pytest

from hostgate.aws.evaluate import places
from hostgate.aws.resources import canonical
from hostgate.aws.resources_firewall import ENDPOINT, FIREWALL
from hostgate.aws.routes import routes_at
from hostgate.flows.address_sets import AddressFamily
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.routes import Way
from hostgate.flows.snapshot import Resource, Snapshot

EVERY, EVERY_V6 = "0.0.0.0/0", "::/0"


def made(kind: str, name: str, **properties: Any) -> Resource:
    token = f"aws:ec2/{kind[0].lower()}{kind[1:]}:{kind}" if ":" not in kind else kind
    return Resource(urn=f"urn:{name}", type=token, name=name, id=name, properties=properties)


def firewall(*endpoints: str, **more: Any) -> Resource:
    states = [{"attachments": [{"endpointId": each}]} for each in endpoints]
    properties = {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-fw"}], "firewallPolicyArn": "arn:p"}
    return made(FIREWALL, "fw", **properties, firewallStatuses=[{"syncStates": states}], **more)


VPC = made("Vpc", "vpc-1", cidrBlock="10.0.0.0/16", defaultRouteTableId="rtb-own", mainRouteTableId="rtb-own")
FW = firewall("vpce-1")
APP, FW_SUBNET, NAT_SUBNET = (made("Subnet", name, vpcId="vpc-1") for name in ("subnet-app", "subnet-fw", "subnet-nat"))
NAT = made("NatGateway", "nat-1", subnetId="subnet-nat")
BASE = (VPC, FW, FW_SUBNET, APP)


def table(name: str, *inline: dict[str, Any], subnet: str = "", **more: Any) -> tuple[Resource, ...]:
    own = made("RouteTable", name, vpcId="vpc-1", routes=list(inline), **more)
    return (own, made("RouteTableAssociation", f"a-{name}", routeTableId=name, subnetId=subnet)) if subnet else (own,)


def route(to: str = EVERY, of: str = "rtb-app", name: str = "out", **target: Any) -> Resource:
    key = "destinationIpv6CidrBlock" if ":" in to else "destinationCidrBlock"
    return made("Route", name, routeTableId=of, **{key: to, **target})


TABLE = table("rtb-app", subnet="subnet-app")


def app(*resources: Resource, family: AddressFamily = "IPv4", subnet: str = "subnet-app") -> list[Way]:
    snapshot = canonical(Snapshot((*BASE, *resources), "made"))
    (found,) = [each for each in routes_at(snapshot, FW).clients if each.subnet == subnet]
    return list(found.ways[family])


def ends(*resources: Resource, family: AddressFamily = "IPv4", subnet: str = "subnet-app") -> list[str]:
    return [way.end for way in app(*resources, family=family, subnet=subnet)]


@pytest.mark.parametrize(
    ("target", "end"),
    [
        ({"vpcEndpointId": "vpce-1"}, "firewall"),
        ({"gatewayId": "vpce-1"}, "firewall"),
        ({"vpcEndpointId": "vpce-2"}, "unknown"),
        ({"gatewayId": "igw-1"}, "internet"),
        ({"gatewayId": "vgw-1"}, "unknown"),
        ({"gatewayId": "local"}, "nowhere"),
        ({"egressOnlyGatewayId": "eigw-1"}, "internet"),
        ({"natGatewayId": "nat-of-others"}, "unknown"),
        ({"transitGatewayId": "tgw-1"}, "unknown"),
        ({"networkInterfaceId": "eni-1"}, "unknown"),
        ({"gatewayId": "", "vpcEndpointId": "vpce-1"}, "firewall"),
        ({}, "unknown"),
    ],
)
def test_a_default_route_leads_where_its_target_leads(target: dict[str, str], end: str) -> None:
    assert ends(*TABLE, route(**target)) == [end]
    assert ends(*table("rtb-app", {"cidrBlock": EVERY, **target}, subnet="subnet-app")) == [end]


def test_each_family_has_its_own_default_route() -> None:
    both = (*TABLE, route(vpcEndpointId="vpce-1"), route(EVERY_V6, name="out6", egressOnlyGatewayId="eigw-1"))
    assert ends(*both) == ["firewall"]
    assert ends(*both, family="IPv6") == ["internet"]
    assert ends(*both[:-1], family="IPv6") == ["nowhere"]


def test_the_longest_prefix_takes_its_part_of_the_internet_whatever_the_default_says() -> None:
    halves = [route(half, name=half, gatewayId="igw-1") for half in ("0.0.0.0/1", "128.0.0.0/1")]
    assert ends(*TABLE, route(vpcEndpointId="vpce-1"), *halves) == ["internet", "internet"]
    (part, rest) = app(*TABLE, route(vpcEndpointId="vpce-1"), route("34.0.0.0/8", name="part", gatewayId="igw-1"))
    assert (part.addresses.shown("IPv4"), part.end, rest.end) == ("34.0.0.0/8", "internet", "firewall")


def test_two_routes_for_one_range_with_two_ends_are_unknown_and_with_one_end_are_one() -> None:
    stale = table("rtb-app", {"cidrBlock": EVERY, "gatewayId": "igw-1"}, subnet="subnet-app")
    assert ends(*stale, route(vpcEndpointId="vpce-1")) == ["unknown"]
    assert ends(*stale, route(gatewayId="igw-1")) == ["internet"]


def test_a_subnet_without_an_association_has_the_main_table() -> None:
    main = made("MainRouteTableAssociation", "m", vpcId="vpc-1", routeTableId="rtb-app")
    adopted = made(
        "DefaultRouteTable", "d", defaultRouteTableId="rtb-own", routes=[{"cidrBlock": EVERY, "gatewayId": "igw-1"}]
    )
    out = route(vpcEndpointId="vpce-1")
    assert ends() == ["unknown"]  # its own came with the VPC, and nobody here has read it
    assert ends(adopted) == ["internet"]
    assert ends(route(of="rtb-own", vpcEndpointId="vpce-1")) == ["firewall"]
    assert ends(*table("rtb-app"), out, adopted) == ["internet"]
    assert ends(*table("rtb-app"), out, adopted, main) == ["firewall"]


def test_a_nat_gateway_leads_where_its_subnet_leads() -> None:
    nat = (*TABLE, route(natGatewayId="nat-1"), NAT, NAT_SUBNET, *table("rtb-nat", subnet="subnet-nat"))
    assert ends(*nat, route(of="rtb-nat", name="n", gatewayId="igw-1")) == ["internet"]
    assert ends(*nat, route(of="rtb-nat", name="n", vpcEndpointId="vpce-1")) == ["firewall"]
    assert ends(*nat, route(of="rtb-nat", name="n", natGatewayId="nat-1")) == ["unknown"]


def test_a_transit_gateway_is_followed_as_far_as_its_tables_are_seen() -> None:
    tgw = "aws:ec2transitgateway"
    followed = (
        *TABLE,
        route(transitGatewayId="tgw-1"),
        made(f"{tgw}/vpcAttachment:VpcAttachment", "at-1", vpcId="vpc-1", transitGatewayId="tgw-1", subnetIds=[]),
        made(f"{tgw}/vpcAttachment:VpcAttachment", "at-2", vpcId="vpc-2", subnetIds=["subnet-in"]),
        made(f"{tgw}/routeTableAssociation:RouteTableAssociation", "as-1", transitGatewayAttachmentId="at-1",
             transitGatewayRouteTableId="tgw-rtb-1"),
        made("Subnet", "subnet-in", vpcId="vpc-2"),
        *table("rtb-in", subnet="subnet-in"),
    )  # fmt: skip
    sent = made(f"{tgw}/route:Route", "r", destinationCidrBlock=EVERY, transitGatewayAttachmentId="at-2",
                transitGatewayRouteTableId="tgw-rtb-1")  # fmt: skip
    assert ends(*followed) == ["unknown"]
    assert ends(*followed, sent, route(of="rtb-in", name="i", vpcEndpointId="vpce-1")) == ["firewall"]
    assert ends(*followed, sent, route(of="rtb-in", name="i", gatewayId="igw-1")) == ["internet"]


def test_subnets_of_other_vpcs_are_clients_where_a_transit_gateway_takes_them_to_the_firewall() -> None:
    tgw = "aws:ec2transitgateway"
    inspected = (
        made("Subnet", "subnet-a", vpcId="vpc-1"), *table("rtb-a", subnet="subnet-a"),
        made("Subnet", "subnet-b", vpcId="vpc-1"), *table("rtb-b", subnet="subnet-b"),
        route(of="rtb-a", name="a", vpcEndpointId="vpce-1"), route(of="rtb-b", name="b", vpcEndpointId="vpce-2"),
        made(f"{tgw}/vpcAttachment:VpcAttachment", "at-1", vpcId="vpc-1", subnetIds=["subnet-a", "subnet-b"]),
    )  # fmt: skip
    spoke = (
        made("Subnet", "subnet-s", vpcId="vpc-s"),
        made("RouteTable", "rtb-s", vpcId="vpc-s"),
        made("RouteTableAssociation", "as-s", routeTableId="rtb-s", subnetId="subnet-s"),
        route(of="rtb-s", name="s", transitGatewayId="tgw-1"),
        route(EVERY_V6, of="rtb-s", name="s6", gatewayId="igw-1"),
        made(f"{tgw}/vpcAttachment:VpcAttachment", "at-s", vpcId="vpc-s", transitGatewayId="tgw-1"),
        made(f"{tgw}/routeTableAssociation:RouteTableAssociation", "as", transitGatewayAttachmentId="at-s",
             transitGatewayRouteTableId="tgw-rtb"),
        made(f"{tgw}/route:Route", "r", destinationCidrBlock=EVERY, transitGatewayAttachmentId="at-1",
             transitGatewayRouteTableId="tgw-rtb"),
    )  # fmt: skip
    snapshot = Snapshot((VPC, firewall("vpce-1", "vpce-2"), *inspected, *spoke), "made")
    (found,) = [each for each in routes_at(snapshot, FW).clients if each.subnet == "subnet-s"]
    assert {family: [way.end for way in there] for family, there in found.ways.items()} == {
        "IPv4": ["firewall"],
        "IPv6": ["internet"],
    }
    unseen = Snapshot((VPC, FW, *inspected, *spoke[:-1]), "made")
    (found,) = [each for each in routes_at(unseen, FW).clients if each.subnet == "subnet-s"]
    assert [way.end for way in found.ways["IPv4"]] == ["unknown"]
    lone = (spoke[0], spoke[1], spoke[2], route(of="rtb-s", name="s", gatewayId="igw-1"))
    found_alone = routes_at(Snapshot((VPC, FW, *inspected, *lone), "made"), FW)
    assert "subnet-s" not in {each.subnet for each in found_alone.clients}
    assert found_alone.others == ("subnet-s",)


def test_every_subnet_of_a_vpc_that_is_linked_to_the_firewall_is_a_client() -> None:
    """By an endpoint of the firewall in it, or by another subnet of it whose packets come there."""
    there = made(ENDPOINT, "vea", firewallArn="fw", vpcId="vpc-2",
                 vpcEndpointAssociationStatuses=[])  # fmt: skip
    other = made("Vpc", "vpc-2", cidrBlock="10.2.0.0/16")
    one, two = (made("Subnet", f"subnet-{name}", vpcId="vpc-2") for name in ("2a", "2b"))
    tables = [made("RouteTable", f"rtb-{name}", vpcId="vpc-2") for name in ("2a", "2b")]
    links = [made("RouteTableAssociation", f"a-{name}", routeTableId=f"rtb-{name}", subnetId=f"subnet-{name}")
             for name in ("2a", "2b")]  # fmt: skip
    round_it = (other, one, two, *tables, *links, route(of="rtb-2b", name="b", gatewayId="igw-2"))
    assert ends(there, *round_it, subnet="subnet-2b") == ["internet"]
    met = route(of="rtb-2a", name="a", vpcEndpointId="vpce-1")
    assert ends(*round_it, met, subnet="subnet-2b") == ["internet"]


def test_a_prefix_list_at_a_transit_gateway_takes_its_ranges() -> None:
    tgw = "aws:ec2transitgateway"
    spoke = (
        *TABLE, route(transitGatewayId="tgw-1"),
        made(f"{tgw}/vpcAttachment:VpcAttachment", "at-s", vpcId="vpc-1", transitGatewayId="tgw-1"),
        made(f"{tgw}/routeTableAssociation:RouteTableAssociation", "as", transitGatewayAttachmentId="at-s",
             transitGatewayRouteTableId="tgw-rtb"),
        made(f"{tgw}/route:Route", "r", destinationCidrBlock=EVERY, blackhole=True, transitGatewayRouteTableId="tgw-rtb"),
        made("ManagedPrefixList", "pl-1", entries=[{"cidr": "203.0.113.0/24"}]),
        made(f"{tgw}/prefixListReference:PrefixListReference", "plr", prefixListId="pl-1",
             transitGatewayAttachmentId="at-e", transitGatewayRouteTableId="tgw-rtb"),
    )  # fmt: skip
    assert ends(*spoke) == ["unknown", "nowhere"]


def test_nat64_is_a_way_to_the_internet_of_ipv4() -> None:
    nat = (NAT, NAT_SUBNET, *table("rtb-nat", subnet="subnet-nat"), route(of="rtb-nat", name="n", gatewayId="igw-1"))
    six = (*TABLE, route(EVERY_V6, name="out6", vpcEndpointId="vpce-1"), *nat)
    assert ends(*six, family="IPv6") == ["firewall"]
    (through, rest) = app(*six, route("64:ff9b::/96", name="n64", natGatewayId="nat-1"), family="IPv6")
    assert (through.end, through.addresses.symbols) == ("internet", {"64:ff9b::/96 (IPv4 by NAT64)"})
    assert rest.end == "firewall"
    routed = ends(*six, route("64:ff9b::/96", name="n64", vpcEndpointId="vpce-1"), family="IPv6")
    assert routed == ["firewall", "firewall"]


def test_a_subnet_without_ipv6_addresses_has_no_way_over_ipv6() -> None:
    def of(**more: Any) -> set[str]:
        own = made("Subnet", "subnet-4", vpcId="vpc-1", **more)
        (found,) = routes_at(Snapshot((VPC, FW, own), "made"), FW).clients
        return set(found.ways)

    assert of(cidrBlock="10.0.4.0/24") == {"IPv4"}
    assert of(cidrBlock="10.0.4.0/24", ipv6CidrBlock="2001:db8::/64") == {"IPv4", "IPv6"}
    assert of(cidrBlock="10.0.4.0/24", ipv6CidrBlock=UNKNOWN) == {"IPv4", "IPv6"}
    assert of() == {"IPv4", "IPv6"}
    app = made("Subnet", "subnet-app", vpcId="vpc-1", cidrBlock="10.0.1.0/24")
    open_ = (VPC, FW, app, *TABLE, route(EVERY_V6, name="out6", gatewayId="igw-1"))
    assert "IPv6" in routes_at(Snapshot(open_, "made"), FW).clients[0].ways


def test_a_subnet_with_a_gateway_and_an_instance_in_it_has_clients() -> None:
    nat = (NAT, NAT_SUBNET, *table("rtb-nat", subnet="subnet-nat"), route(of="rtb-nat", name="n", gatewayId="igw-1"))
    assert ends(*nat, made("Instance", "i-1", subnetId="subnet-nat"), subnet="subnet-nat") == ["internet"]


def test_of_a_subnet_that_is_only_read_the_table_may_be_given_elsewhere() -> None:
    own = replace(made("Subnet", "subnet-x", vpcId="vpc-1"), external=True)
    assert ends(own, subnet="subnet-x") == ["unknown"]


def test_what_a_gateway_propagates_may_take_a_part_of_either_family() -> None:
    vpn = made("VpnGatewayRoutePropagation", "vp", routeTableId="rtb-app")
    both = (*TABLE, vpn, route(vpcEndpointId="vpce-1"), route(EVERY_V6, name="out6", vpcEndpointId="vpce-1"))
    assert ends(*both) == ends(*both, family="IPv6") == ["unknown", "firewall"]


@pytest.mark.parametrize(
    "doubt",
    [
        {"routes": UNKNOWN},
        {"routes": [UNKNOWN]},
        {"routes": [{"cidrBlock": UNKNOWN, "gatewayId": "igw-1"}]},
        {"routes": [], "propagatingVgws": UNKNOWN},
        {"routes": [], "propagatingVgws": ["vgw-1"]},
    ],
)
def test_what_is_not_known_yet_is_never_no_route(doubt: dict[str, Any]) -> None:
    own, association = TABLE
    unsure = made("RouteTable", own.name, vpcId="vpc-1", **doubt)
    assert any(way.end != "nowhere" for way in app(unsure, association))


def test_a_route_of_a_table_that_is_not_known_yet_may_be_of_any() -> None:
    (doubt, rest) = app(*TABLE, route(vpcEndpointId="vpce-1"), route(of=UNKNOWN, name="loose", gatewayId="igw-1"))
    assert (doubt.end, rest.end) == ("unknown", "firewall")
    assert rest.addresses.holds(doubt.addresses, "IPv4") is not True
    assert doubt.addresses.symbols == rest.addresses.without


def test_prefix_lists_are_their_entries_or_a_part_nobody_knows() -> None:
    out, entry = (
        route(vpcEndpointId="vpce-1"),
        {"cidrBlock": "", "destinationPrefixListId": "pl-1", "gatewayId": "igw-1"},
    )
    tables = table("rtb-app", entry, subnet="subnet-app")
    (unseen, rest) = app(*tables, out)
    assert (unseen.addresses.symbols, unseen.end) == ({"pl-1"}, "internet")
    assert (rest.addresses.without, rest.end) == ({"pl-1"}, "firewall")
    entries = made("ManagedPrefixList", "pl-1", entries=[{"cidr": EVERY}])
    assert ends(*tables, entries) == ["internet"]
    for doubt in (UNKNOWN, [{"cidr": UNKNOWN}], [{"cidr": "no range"}]):
        (unseen, rest) = app(*tables, out, made("ManagedPrefixList", "pl-1", entries=doubt))
        assert (unseen.addresses.symbols, rest.addresses.without) == ({"pl-1"}, {"pl-1"})


def test_a_part_that_nobody_knows_has_one_end_or_an_unknown_one() -> None:
    entry = {"destinationPrefixListId": "pl-1", "natGatewayId": "nat-1"}
    nat = (NAT, NAT_SUBNET, *table("rtb-nat", subnet="subnet-nat"))
    out = route(of="rtb-nat", name="n", gatewayId="igw-1")
    assert ends(*table("rtb-app", entry, subnet="subnet-app"), *nat, out)[0] == "internet"
    parted = route("34.0.0.0/8", of="rtb-nat", name="p", vpcEndpointId="vpce-1")
    assert ends(*table("rtb-app", entry, subnet="subnet-app"), *nat, out, parted)[0] == "unknown"


def test_a_gateway_endpoint_takes_its_service_round_the_firewall() -> None:
    s3 = made("VpcEndpoint", "s3", serviceName="com.amazonaws.eu-central-1.s3", prefixListId="pl-s3",
              routeTableIds=["rtb-app"])  # fmt: skip
    (service, rest) = app(*TABLE, route(vpcEndpointId="vpce-1"), s3)
    assert (service.addresses.symbols, service.end, rest.end) == ({"pl-s3"}, "internet", "firewall")


def test_an_endpoint_association_is_of_its_firewall() -> None:
    states = [{"associationSyncStates": [{"attachments": [{"endpointId": "vpce-9"}]}]}]
    more = made("aws:networkfirewall/vpcEndpointAssociation:VpcEndpointAssociation", "more", firewallArn="fw",
                vpcEndpointAssociationStatuses=states)  # fmt: skip
    assert ends(*TABLE, route(vpcEndpointId="vpce-9")) == ["unknown"]
    assert ends(*TABLE, route(vpcEndpointId="vpce-9"), more) == ["firewall"]


def test_the_twin_providers_routes_are_read_alike() -> None:
    native = "aws-native:ec2:"
    twins = (
        made(f"{native}RouteTable", "rtb-app", vpcId="vpc-1"),
        made(f"{native}SubnetRouteTableAssociation", "a", routeTableId="rtb-app", subnetId="subnet-app"),
    )
    out6 = {"routeTableId": "rtb-app", "destinationIpv6CidrBlock": EVERY_V6, "egressOnlyInternetGatewayId": "eigw-1"}
    assert ends(*twins, made(f"{native}Route", "r", **out6), family="IPv6") == ["internet"]
    endpoint = {"routeTableId": "rtb-app", "destinationCidrBlock": EVERY, "vpcEndpointId": "vpce-n"}
    fw = made("aws-native:networkfirewall:Firewall", "fw", vpcId="vpc-1", endpointIds=["eu-central-1a:vpce-n"])
    snapshot = canonical(Snapshot((VPC, fw, APP, *twins, made(f"{native}Route", "r", **endpoint)), "made"))
    (of_fw,) = snapshot.of_types([FIREWALL])
    assert [way.end for way in routes_at(snapshot, of_fw).clients[0].ways["IPv4"]] == ["firewall"]


# What explain prints.


def told(*resources: Resource) -> tuple[str, ...]:
    policy = made("aws:networkfirewall/firewallPolicy:FirewallPolicy", "p", arn="arn:p", firewallPolicy={
        "policyVariables": {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]}})  # fmt: skip
    (place,) = places(Snapshot((policy, *resources), "made"))
    return place.assumptions


def test_of_a_firewall_at_a_transit_gateway_its_own_routes_are_not_read_and_that_is_said() -> None:
    at = made(FIREWALL, "fw", firewallPolicyArn="arn:p", transitGatewayId="tgw-1")
    (led,) = told(at, VPC)
    past, *_, found = told(at, VPC, APP, *TABLE, route(gatewayId="igw-1"))
    unknown, *_ = told(at, VPC, APP, *TABLE, route(transitGatewayId="tgw-1"))
    assert past == "NOT ROUTED TO THE FIREWALL: subnet-app over IPv4 to internet gateway by out."
    assert unknown.startswith("Where these lead is not known: subnet-app over IPv4")
    assert found == led
    assert found.startswith(
        "The firewall stands at a transit gateway, and which packets its tables send there is not read"
    )


def test_without_routes_in_the_snapshot_they_are_assumed() -> None:
    assert told(FW) == ("The clients' packets are routed to the firewall, both ways.",)


def test_subnets_whose_packets_go_round_the_firewall_are_named_with_the_family_and_the_route() -> None:
    web = (made("Subnet", "subnet-web", vpcId="vpc-1"), *table("rtb-web", subnet="subnet-web"))
    nat = (NAT, NAT_SUBNET, *table("rtb-nat", subnet="subnet-nat"), route(of="rtb-nat", name="n", gatewayId="igw-1"))
    found = told(
        *BASE, *TABLE, route(vpcEndpointId="vpce-1"), route(EVERY_V6, name="out6", egressOnlyGatewayId="eigw-1"),
        *web, route(of="rtb-web", name="web", natGatewayId="nat-1"), *nat,
    )  # fmt: skip
    assert found == (
        "NOT ROUTED TO THE FIREWALL: subnet-app over IPv6 to egress-only internet gateway by out6; "
        "subnet-web over IPv4 to NAT gateway nat-1, then internet gateway by web.",
        "Routed to the firewall: subnet-app over IPv4.",
        "Without a route to the internet: subnet-web over IPv6.",
        "Taken for no clients, as subnets of firewalls and gateways: subnet-fw, subnet-nat.",
        "The way back is through the firewall, too.",
    )
