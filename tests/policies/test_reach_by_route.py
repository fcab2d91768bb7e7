"""Reach by route: a client subnet of which a route leads past the firewall reaches everything on it, over its family."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hostgate.aws.resources_firewall import FIREWALL, FIREWALL_POLICY
from hostgate.catalog.model import Entry
from hostgate.flows.reach import Beyond, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.needs import needs_of
from hostgate.policies.judge import Judgement, judge_stack
from hostgate.policies.places import places_of_stack
from hostgate.policies.settings import read_settings

NEEDS = needs_of([Entry(catalog="a/b", id="registry", host="cgr.dev", match="exact", port=443, protocol="https")])
EVERY, EVERY_V6 = "0.0.0.0/0", "::/0"


def made(kind: str, name: str, /, **properties: Any) -> Resource:
    token = kind if ":" in kind else f"aws:ec2/{kind[0].lower()}{kind[1:]}:{kind}"
    return Resource(urn=f"urn:{name}", type=token, name=name, id=name, properties=properties)


CLOSED = {
    "statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
    "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"}, "statefulDefaultActions": ["aws:drop_strict"],
}  # fmt: skip
AWS = (
    made("Vpc", "vpc-1", cidrBlock="10.0.0.0/16", mainRouteTableId="rtb-main"),
    made(FIREWALL_POLICY, "p", arn="arn:p", name="p", firewallPolicy=CLOSED),
    made(FIREWALL, "fw", vpcId="vpc-1", firewallPolicyArn="arn:p", subnetMappings=[{"subnetId": "subnet-fw"}],
         firewallStatuses=[{"syncStates": [{"attachments": [{"endpointId": "vpce-1"}]}]}]),
    made("Subnet", "subnet-fw", vpcId="vpc-1", cidrBlock="10.0.0.0/28"),
    made("Subnet", "subnet-app", vpcId="vpc-1", cidrBlock="10.0.1.0/24", ipv6CidrBlock="2600:1f18::/64"),
    made("RouteTable", "rtb-app", vpcId="vpc-1", routes=[]),
    made("RouteTableAssociation", "a", routeTableId="rtb-app", subnetId="subnet-app"),
)  # fmt: skip


def on_aws(*routes: tuple[str, dict[str, str]]) -> tuple[Beyond, ...]:
    listed = [
        made("Route", f"to-{at}", routeTableId="rtb-app",
             **{"destinationIpv6CidrBlock" if ":" in to else "destinationCidrBlock": to, **target})
        for at, (to, target) in enumerate(routes)
    ]  # fmt: skip
    (place,) = places_of_stack(Snapshot((*AWS, *listed), "made"))
    return reach(place, NEEDS).beyond


TO_FIREWALL = (EVERY, {"vpcEndpointId": "vpce-1"}), (EVERY_V6, {"vpcEndpointId": "vpce-1"})


def test_where_every_route_leads_to_the_firewall_nothing_is_beyond() -> None:
    assert on_aws(*TO_FIREWALL) == ()


@pytest.mark.parametrize(
    ("to", "target", "hop", "source", "address"),
    [
        (EVERY, {"gatewayId": "igw-1"}, "internet gateway", "10.0.1.0", "203.0.113.7"),
        (EVERY_V6, {"egressOnlyGatewayId": "eigw-1"}, "egress-only internet gateway", "2600:1f18::", "2001:db8::7"),
        ("34.0.0.0/8", {"gatewayId": "igw-1"}, "internet gateway", "10.0.1.0", "34.0.0.0"),
    ],
    ids=["IPv4", "IPv6", "a part of the internet"],
)
def test_a_route_past_the_firewall_is_beyond_with_a_flow_of_the_subnet(
    to: str, target: dict[str, str], hop: str, source: str, address: str
) -> None:
    others = [each for each in TO_FIREWALL if each[0] != to]
    (beyond,) = on_aws(*others, (to, target))
    (flow,) = beyond.flows
    assert beyond.rule == f"route to-{len(others)}"
    assert beyond.owner == f"urn:to-{len(others)}"
    assert f"subnet-app over IPv{flow.family} go to {hop}, and not to the firewall" in beyond.why
    assert (flow.source, flow.address) == (source, address)


def test_a_route_of_which_nobody_knows_where_it_leads_is_an_assumption_and_not_beyond() -> None:
    assert on_aws(TO_FIREWALL[1], (EVERY, {"transitGatewayId": "tgw-1"})) == ()


def test_without_routes_it_is_assumed_that_they_lead_to_the_firewall() -> None:
    (place,) = places_of_stack(Snapshot(AWS[1:3], "made"))
    found = reach(place, NEEDS)
    assert (found.beyond, any("routed to the firewall" in each for each in found.assumptions)) == ((), True)


BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"


def on_azure(*hops: dict[str, Any]) -> tuple[Beyond, ...]:
    def of(kind: str, name: str, link: str, **properties: Any) -> Resource:
        return Resource(
            urn=f"urn:{name}", type=f"azure-native:network:{kind}", name=name, properties=properties, id=f"{BASE}{link}"
        )

    stack = (
        of("AzureFirewall", "fw", "azureFirewalls/fw", ipConfigurations=[{"privateIPAddress": "10.0.1.4"}]),
        of("RouteTable", "rt", "routeTables/rt", routes=list(hops), disableBgpRoutePropagation=True),
        of("Subnet", "app", "virtualNetworks/spoke/subnets/app", addressPrefixes=["10.1.0.0/24"],
           routeTable={"id": f"{BASE}routeTables/rt"}),
    )  # fmt: skip
    (place,) = places_of_stack(Snapshot(stack, "made"))
    return reach(place, NEEDS).beyond


def test_a_users_route_of_azure_to_the_internet_is_beyond_with_its_table() -> None:
    led = {"name": "fw", "addressPrefix": EVERY, "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.1.4"}
    assert on_azure(led) == ()
    (beyond,) = on_azure(led, {"name": "past", "addressPrefix": "34.0.0.0/8", "nextHopType": "Internet"})
    assert (beyond.rule, beyond.owner, beyond.flows[0].source) == ("route rt/past", "urn:rt", "10.1.0.0")


COMPONENT = "hostgate-aws:index:NetworkFirewallAllowlist"


def listed(*clients: str) -> tuple[Resource, ...]:
    """An allowlist with its group, as the engine hands them to the pack, which is not told who the parents are."""
    urn = "urn:pulumi:prod::net::{}::{}"
    text = 'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (tls.sni; content:"cgr.dev"; startswith; endswith; flow:to_server; sid:1;)'
    group = {"rulesSource": {"rulesString": text}, "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}}
    inputs = {"target": "aws:rules", "options": {"from": [*clients]}, "decisions": {}}
    kind = "aws:networkfirewall/ruleGroup:RuleGroup"
    return (
        Resource(urn=urn.format(COMPONENT, "list"), type=COMPONENT, name="list", properties=inputs),
        Resource(urn=urn.format(f"{COMPONENT}${kind}", "rules"), type=kind, name="rules",
                 properties={"name": "rules", "type": "STATEFUL", "capacity": 9, "ruleGroup": group}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("clients", "stood", "past"),
    [
        (("10.0.0.0/8",), False, True),
        ((), False, True),
        (("192.168.0.0/16",), False, False),
        (("10.0.0.0/8",), True, False),
    ],
    ids=["named", "everybody", "others", "led to the firewall"],
)
def test_the_pack_tells_of_clients_that_are_led_past_a_firewall_that_is_not_there(
    tmp_path: Path, clients: tuple[str, ...], stood: bool, past: bool
) -> None:
    (tmp_path / "settings.yaml").write_text("catalogs: [chainguard/images@2024-03-28]\n")
    network = [each for each in AWS if each.type not in (FIREWALL, FIREWALL_POLICY) and each.name != "subnet-fw"]
    target = TO_FIREWALL[0][1] if stood else {"gatewayId": "igw-1"}
    out = made("Route", "out", routeTableId="rtb-app", destinationCidrBlock=EVERY, **target)
    said = judge_stack([*listed(*clients), *network, out], read_settings(tmp_path, date(2026, 11, 28)))[
        "beyond-catalogs"
    ]
    told = [each.message for each in said if isinstance(each, Judgement)] if isinstance(said, list) else []
    assert any("packets of subnet-app over IPv4 go to internet gateway" in each for each in told) == past
