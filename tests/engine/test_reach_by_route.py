"""Ways past a firewall, where gateways, tables and subnets are of types that no simulated cloud has: both hosts of a preview,
`up`, the pack on what stands, and reach on what the engine writes and the clouds hold say the same of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Lab, real_engine, well
from hostgate.flows.engine_documents import of_preview, of_state
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Snapshot
from hostgate.policies.places import places_of_stack
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.enforcement_points import snapshot_of
from policies.process import write_pack

pytestmark = real_engine

AWS = """
import pulumi_aws as aws

vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
public, firewall, app, inline = (
    aws.ec2.Subnet(name, vpc_id=vpc.id, cidr_block=f"10.0.{number}.0/24", ipv6_cidr_block=f"2600:1f18:0:{number}::/64")
    for number, name in enumerate(("public", "firewall", "app", "inline"))
)
igw = aws.ec2.InternetGateway("igw", vpc_id=vpc.id)
nat = aws.ec2.NatGateway("nat", subnet_id=public.id, allocation_id=aws.ec2.Eip("nat").id)
out = aws.ec2.EgressOnlyInternetGateway("out", vpc_id=vpc.id)
policy = aws.networkfirewall.FirewallPolicy("policy", firewall_policy={
    "stateless_default_actions": ["aws:forward_to_sfe"], "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
    "stateful_engine_options": {"rule_order": "STRICT_ORDER"}, "stateful_default_actions": ["aws:drop_strict"],
    "policy_variables": {"rule_variables": [{"key": "HOME_NET", "ip_set": {"definitions": ["10.0.0.0/8"]}}]},
})
aws.networkfirewall.Firewall(
    "fw", firewall_policy_arn=policy.arn, vpc_id=vpc.id, subnet_mappings=[{"subnet_id": firewall.id}]
)


def table(name, subnet, **more):
    made = aws.ec2.RouteTable(name, vpc_id=vpc.id, **more)
    aws.ec2.RouteTableAssociation(name, route_table_id=made.id, subnet_id=subnet.id)
    return made.id


aws.ec2.Route("to-igw", route_table_id=table("public", public), destination_cidr_block="0.0.0.0/0", gateway_id=igw.id)
by_app = table("app", app)
aws.ec2.Route("by-nat", route_table_id=by_app, destination_cidr_block="34.0.0.0/8", nat_gateway_id=nat.id)
aws.ec2.Route("by-v6", route_table_id=by_app, destination_ipv6_cidr_block="::/0", egress_only_gateway_id=out.id)
table("inline", inline, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": igw.id}])
"""
AZURE = """
import pulumi_azure_native as azure

rg = azure.resources.ResourceGroup("rg", resource_group_name="rg")
table = azure.network.RouteTable(
    "table", resource_group_name=rg.name, route_table_name="table", disable_bgp_route_propagation=True,
    routes=[{"name": "out", "address_prefix": "0.0.0.0/0", "next_hop_type": "Internet"}],
)
azure.network.Route(
    "apart", resource_group_name=rg.name, route_table_name=table.name, route_name="apart", address_prefix="34.0.0.0/8",
    next_hop_type="Internet",
)
hub = azure.network.VirtualNetwork(
    "hub", resource_group_name=rg.name, virtual_network_name="hub", address_space={"address_prefixes": ["10.2.0.0/16"]}
)


def subnet(name, prefix, **more):
    return azure.network.Subnet(
        name, resource_group_name=rg.name, virtual_network_name=hub.name, subnet_name=name, address_prefix=prefix, **more
    )


at = subnet("AzureFirewallSubnet", "10.2.0.0/26")
subnet("app", "10.2.1.0/24", route_table={"id": table.id})
ip = azure.network.PublicIPAddress("ip", resource_group_name=rg.name, public_ip_address_name="ip")
policy = azure.network.FirewallPolicy("policy", resource_group_name=rg.name, firewall_policy_name="policy")
azure.network.AzureFirewall(
    "fw", resource_group_name=rg.name, azure_firewall_name="fw", firewall_policy={"id": policy.id},
    ip_configurations=[{"name": "at", "subnet": {"id": at.id}, "public_ip_address": {"id": ip.id}}],
)
"""
GCP = """
import pulumi_gcp as gcp

net = gcp.compute.Network("net", name="net", auto_create_subnetworks=False, delete_default_routes_on_create=True)
at = {"location": "europe-west4"}
policy = gcp.networksecurity.GatewaySecurityPolicy("egress", name="egress", **at)
app = gcp.compute.Subnetwork("app", name="app", network=net.id, ip_cidr_range="10.1.0.0/16", region="europe-west4")
gate = gcp.networkservices.Gateway(
    "proxy", name="proxy", type="SECURE_WEB_GATEWAY", routing_mode="NEXT_HOP_ROUTING_MODE", all_ports=True,
    gateway_security_policy=policy.id, network=net.id, subnetwork=app.id, addresses=["10.1.0.9"], **at,
)
gcp.compute.Route("lead", name="lead", network=net.id, dest_range="0.0.0.0/0", next_hop_ilb="10.1.0.9", priority=100)
gcp.compute.Route("out", name="out", network=net.id, dest_range="34.0.0.0/8", next_hop_gateway="default-internet-gateway")
"""
PAST: dict[str, tuple[str, set[str]]] = {
    "AWS: gateways, a NAT gateway, routes in a table": (AWS, {"route by-nat", "route by-v6", "route inline"}),
    "Azure: users' routes, in the table and apart": (AZURE, {"route table/out", "route apart"}),
    "Google Cloud: past a proxy that is the next hop": (GCP, {"route out"}),
}
LINE = re.compile(r"- (route \S+): (.*?): open, and in no catalog \(this stack\).* go to ([^:]*?), and not to")
SETTINGS = "catalogs: [chainguard/images@2026-02-23]\nlevels: {all: advisory}\n"

Way = tuple[str, str, str]
"""Rule, flow, and where it leads."""


def objected(text: str) -> set[Way]:
    """What the pack says of routes."""
    return {(rule, flow, hop) for rule, flow, hop in LINE.findall(text)}


def asked(snapshot: Snapshot) -> set[Way]:
    """What reach says of them."""
    found = [each for place in places_of_stack(snapshot) for each in reach(place, []).beyond]
    lines = (
        f"- {each.rule}: {each.flows[0].source}: open, and in no catalog (this stack): {each.why}" for each in found
    )
    return objected("\n".join(lines))


def clients(found: set[Way]) -> set[Way]:
    """Of a flow in words the client alone."""
    return {(rule, re.sub(r".*from ", "", flow), hop) for rule, flow, hop in found}


def document(output: str) -> Any:
    return json.JSONDecoder().raw_decode(output[output.index("{") :])[0]


@pytest.mark.parametrize("case", PAST)
def test_the_pack_and_reach_say_the_same_of_routes_at_every_moment(case: str, tmp_path: Path) -> None:
    program, rules = PAST[case]
    lab = Lab(tmp_path / "project", tmp_path / "sandbox", program)
    pack = write_pack(tmp_path / "pack", SETTINGS)
    with_pack = ("--policy-pack", str(pack))
    shown = preview(lab.project, "dev", {"gcp:project": "acme"}, policy_packs=[pack])
    builtin = objected("\n".join(each.message for each in shown.violations))
    assert {rule for rule, _, _ in builtin} == rules

    at_moments = {
        "a first preview": well(lab.pulumi("preview", *with_pack)).output,
        "an update": well(lab.pulumi("up", "--yes", "--skip-preview", *with_pack)).output,
        "a preview of what stands": well(lab.pulumi("preview", *with_pack)).output,
        "the next update": well(lab.pulumi("up", "--yes", "--skip-preview", *with_pack)).output,
    }
    assert {moment: objected(output) for moment, output in at_moments.items()} == dict.fromkeys(at_moments, builtin)

    after = document(lab.pulumi("preview", "--json", "--show-sames").output)
    state = document(lab.pulumi("stack", "export").output)
    assert asked(of_preview(after, "after.json")) == clients(builtin)
    assert asked(of_state(state, "state.json")) == clients(builtin)
    in_clouds = asked(snapshot_of(lab.state.objects()))  # they know a resource by its id, not by its name in a program
    assert {client for _, client, _ in in_clouds} == {client for _, client, _ in clients(builtin)}
