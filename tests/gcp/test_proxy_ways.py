"""Routes past a Secure Web Proxy: whom they are for, over which family, and that who goes past it is beyond by that route."""

from dataclasses import replace
from typing import Any

import pytest

from hostgate.catalog.model import Entry
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.gcp.resources import NETWORK
from hostgate.gcp.resources_proxy import SUBNETWORK
from hostgate.planning.needs import needs_of
from hostgate.policies.places import places_of_stack

from . import test_evaluate_proxy as proxy
from .test_evaluate_proxy import NET, STANDING, resource, route, rule

NEEDS = needs_of([Entry(catalog="a/b", id="registry", host="cgr.dev", match="exact", port=443, protocol="https")])
INTERNET = "projects/p/global/gateways/default-internet-gateway"
DUAL: dict[str, Any] = {"stackType": "IPV4_IPV6", "ipv6AccessType": "EXTERNAL", "externalIpv6Prefix": "2600:1900::/64"}


def subnet(name: str = "app", cidr: str = "10.1.0.0/16", **more: Any) -> Resource:
    return resource(SUBNETWORK, name, **{"network": NET, "ipCidrRange": cidr, **more})


def network(**more: Any) -> Resource:
    return resource(NETWORK, "n", NET, **{"name": "n", "project": "p", "deleteDefaultRoutesOnCreate": True, **more})


def lead(**more: Any) -> Resource:
    return route("lead", nextHopIlbIp="10.0.0.9", **more)


def static(name: str = "out", cidr: str = "0.0.0.0/0", **more: Any) -> Resource:
    return proxy.TestRoutes.static(name, cidr, **{"nextHopGateway": INTERNET, **more})


def to_proxy(priority: int = 100, **more: Any) -> Resource:
    return proxy.TestRoutes.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", priority=priority, **more)


def asked(*resources: Resource) -> Reach:
    places = places_of_stack(Snapshot((*STANDING, rule("a"), *resources), "made"))
    (place,) = (each for each in places if each.kind == "proxy")
    return reach(place, NEEDS)


def told(*resources: Resource) -> list[tuple[str, str]]:
    """By which rule, and from whom."""
    return [(each.rule, str(flow.source)) for each in asked(*resources).beyond for flow in each.flows]


PAST: dict[str, tuple[list[Resource], list[tuple[str, str]]]] = {
    "all of IPv4 is led by policy": ([lead(), static(), subnet()], []),
    "all of IPv4 is led by a static route of a lower number": ([to_proxy(), static(), subnet()], []),
    "a default route of a lower number": ([to_proxy(), static(priority=10), subnet()], [("route out", "10.1.0.0")]),
    "a longer prefix": ([to_proxy(), static(cidr="34.0.0.0/8"), subnet()], [("route out", "10.1.0.0")]),
    "a longer prefix behind a route by policy": ([lead(), static(cidr="34.0.0.0/8"), subnet()], []),
    "the default route that the network came with": (
        [to_proxy(priority=2000), network(deleteDefaultRoutesOnCreate=False), subnet()],
        [("route default of n", "10.1.0.0")],
    ),
    "the same, behind the route to the proxy": ([to_proxy(), network(deleteDefaultRoutesOnCreate=False), subnet()], []),
    "a lead for TCP alone": (
        [lead(filter={"ipProtocol": "TCP"}), static(), subnet()],
        [("route out", "10.1.0.0"), ("route out", "10.1.0.0")],
    ),
    "a route for one tag": ([to_proxy(), static(priority=10, tags=["admins"]), subnet()], [("route out", "network-tag:admins")]),
    "a route for the tag that is led": (
        [to_proxy(tags=["builds"]), static(priority=10, tags=["builds"]), subnet()], [("route out", "network-tag:builds")]),
    "clients without the tag that is led are not meant": ([to_proxy(tags=["builds"]), static(priority=500), subnet()], []),
    "a route that leaves one source range to others": (
        [lead(), route("some", 10, nextHopOtherRoutes="DEFAULT_ROUTING", filter={"srcRange": "10.1.7.0/24"}), static(), subnet()],
        [("route out", "10.1.7.0")],
    ),
    "the same, of the proxies' own subnet": (
        [lead(), route("some", 10, nextHopOtherRoutes="DEFAULT_ROUTING", filter={"srcRange": "10.9.0.0/23"}), static(), subnet(),
         subnet("proxies", "10.9.0.0/23", purpose="REGIONAL_MANAGED_PROXY")], []),
    "the same, where the static route leads to the proxy": (
        [to_proxy(), route("some", 10, nextHopOtherRoutes="DEFAULT_ROUTING", filter={"srcRange": "10.1.7.0/24"}), subnet()], []),
    "a route that leaves one tag to others": (
        [lead(), route("some", 10, nextHopOtherRoutes="DEFAULT_ROUTING", virtualMachine={"tags": ["admins"]}), static(), subnet()],
        [("route out", "network-tag:admins")],
    ),
    "a route that leaves one range of the internet to others": (
        [lead(), route("some", 10, nextHopOtherRoutes="DEFAULT_ROUTING", filter={"destRange": "34.0.0.0/8"}), static(), subnet()],
        [("route out", "10.1.0.0")],
    ),
    "the same, behind the lead": (
        [lead(priority=5), route("some", 10, nextHopOtherRoutes="DEFAULT_ROUTING", filter={"destRange": "34.0.0.0/8"}), static(),
         subnet()], []),
    "a lead for one source range": ([lead(filter={"srcRange": "10.1.0.0/17"}), static(), subnet()], [("route out", "10.1.128.0")]),
    "a lead for one subnet of two": (
        [lead(filter={"srcRange": "10.1.0.0/16"}), static(), subnet(), subnet("other", "10.2.0.0/16")],
        [("route out", "10.2.0.0")],
    ),
    "IPv6 of a subnet with external addresses": ([lead(), subnet(**DUAL)], [("route default of app", "2600:1900::")]),
    "IPv6 of a subnet with internal addresses": ([lead(), subnet(**{**DUAL, "ipv6AccessType": "INTERNAL"})], []),
    "a default route of IPv6, no subnet seen": ([lead(), static("six", "::/0")], [("route six", "fd00::7")]),
    "a default route of IPv6, a subnet of IPv4": ([lead(), static("six", "::/0"), subnet()], []),
    "a state, which has empty text for what is not": (
        [to_proxy(nextHopGateway="", nextHopIlb=""), static(priority=10, nextHopIp="", nextHopIlb="", nextHopVpnTunnel=""),
         subnet(ipv6AccessType="", stackType="IPV4_ONLY")],
        [("route out", "10.1.0.0")],
    ),
    "another next hop": ([to_proxy(), proxy.TestRoutes.static("vpn", "34.0.0.0/8", nextHopVpnTunnel="t"), subnet()], []),
    "a route of another network": ([to_proxy(), static(priority=10, network=f"{NET}2"), subnet()], []),
    "no route to the proxy is seen": ([static(), network(deleteDefaultRoutesOnCreate=False), subnet()], []),
    "a priority that is not known yet": ([to_proxy(), static(priority=UNKNOWN), subnet()], []),
    "equal priorities": ([to_proxy(), static(priority=100), subnet()], []),
}  # fmt: skip


@pytest.mark.parametrize("case", PAST)
def test_who_goes_past_the_proxy_is_beyond_by_the_route_that_leads_there(case: str) -> None:
    resources, expected = PAST[case]
    assert told(*resources) == expected


def test_a_way_past_the_proxy_says_whose_it_is_and_of_which_resource() -> None:
    (beyond,) = asked(to_proxy(), static(priority=10, tags=["admins"]), subnet()).beyond
    assert beyond.why == (
        "packets of app with the tag admins over IPv4 go to the default internet gateway, and not to the proxy"
    )
    assert beyond.owner.endswith("::out")


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ([], "Routes lead the clients' traffic to the proxy"),
        (
            [to_proxy(), subnet(), proxy.TestRoutes.static("vpn", "34.0.0.0/8", nextHopVpnTunnel="t")],
            "what t of vpn does with it",
        ),
        (
            [static(), subnet()],
            "No route that was read leads to the proxy; unless one elsewhere does, these go past it: app.",
        ),
        ([to_proxy(), static(priority=100), subnet()], "which of lead and out comes first is not known"),
        (
            [to_proxy(tags=["builds"]), static(), subnet()],
            "Clients without a tag that leads to the proxy are not meant, and go past",
        ),
    ],
)
def test_where_nobody_knows_where_packets_go_it_is_an_assumption(resources: list[Resource], said: str) -> None:
    found = asked(*resources)
    assert (found.beyond, any(said in each for each in found.assumptions)) == ((), True), found.assumptions


def test_what_rules_of_the_network_stop_goes_nowhere_past_the_proxy() -> None:
    deny = resource(
        "gcp:compute/firewall:Firewall", "shut", network=NET, direction="EGRESS", denies=[{"protocol": "all"}],
        destinationRanges=["0.0.0.0/0", "::/0"], priority=10,
    )  # fmt: skip
    assert told(to_proxy(), static(priority=10), subnet(), deny) == []
    some = replace(deny, properties={**deny.properties, "targetTags": ["others"]})
    assert told(to_proxy(), static(priority=10), subnet(), some) == [("route out", "10.1.0.0")]
