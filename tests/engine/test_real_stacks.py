"""Stacks as teams have them: networks, clusters and machines around an allowlist, previewed by both hosts and deployed."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.lab import Lab, real_engine
from hostgate.flows.flow import Flow
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.engine_preview import preview as preview_of_engine
from hostgate.sandbox.resources import Preview

AWS = """
import pulumi
import pulumi_aws as aws

import hostgate
from hostgate.aws import NetworkFirewallAllowlist

zones = aws.get_availability_zones(state="available")
image = aws.ec2.get_ami(most_recent=True, owners=["amazon"], filters=[{"name": "name", "values": ["al2023-*"]}])
vpc = aws.ec2.Vpc("main", cidr_block="10.20.0.0/16", enable_dns_hostnames=True)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)


def subnet(kind, number, index):
    return aws.ec2.Subnet(f"{kind}-{index}", vpc_id=vpc.id, cidr_block=f"10.20.{number + index}.0/24",
                          availability_zone=zones.names[index])


public, nodes, inspection = ([subnet(kind, n, i) for i in range(2)] for kind, n in
                             (("public", 0), ("nodes", 10), ("inspection", 20)))
address = aws.ec2.Eip("nat", domain="vpc")
nat = aws.ec2.NatGateway("nat", allocation_id=address.id, subnet_id=public[0].id,
                         opts=pulumi.ResourceOptions(depends_on=[gateway]))
trust = aws.iam.get_policy_document(statements=[{
    "actions": ["sts:AssumeRole"], "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}]}])
role = aws.iam.Role("node", assume_role_policy=trust.json)
allow = NetworkFirewallAllowlist(
    "egress", hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull"]), home_net=["10.20.0.0/16"],
    firewall={"vpc_id": vpc.id, "subnet_mappings": [{"subnet_id": each.id} for each in inspection]})
for index, each in enumerate(nodes):
    table = aws.ec2.RouteTable(f"nodes-{index}", vpc_id=vpc.id)
    aws.ec2.Route(f"nodes-{index}", route_table_id=table.id, destination_cidr_block="0.0.0.0/0",
                  vpc_endpoint_id=allow.endpoints[zones.names[index]])
    aws.ec2.RouteTableAssociation(f"nodes-{index}", subnet_id=each.id, route_table_id=table.id)
machine = aws.ec2.Instance("builder", ami=image.id, instance_type="t3.small", subnet_id=nodes[0].id)
cluster = aws.eks.Cluster("cluster", role_arn=role.arn, vpc_config={"subnet_ids": [each.id for each in nodes]})
aws.s3.Bucket("logs")
pulumi.export("issuer", cluster.identities[0].oidcs[0].issuer)
pulumi.export("ca", cluster.certificate_authority.data)
pulumi.export("address", machine.private_ip)
"""
GOOGLE = """
import pulumi
import pulumi_gcp as gcp

import hostgate
from hostgate.gcp import FirewallPolicyAllowlist

project = gcp.organizations.get_project()
zones = gcp.compute.get_zones()
network = gcp.compute.Network("main", auto_create_subnetworks=False)
nodes = gcp.compute.Subnetwork("nodes", network=network.id, ip_cidr_range="10.40.0.0/20", private_ip_google_access=True)
router = gcp.compute.Router("router", network=network.id)
gcp.compute.RouterNat("nat", router=router.name, nat_ip_allocate_option="AUTO_ONLY",
                      source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES")
account = gcp.serviceaccount.Account("nodes", account_id="gke-nodes")
gcp.projects.IAMMember("logs", project=project.project_id, role="roles/logging.logWriter", member=account.member)
cluster = gcp.container.Cluster("cluster", location=zones.names[0], network=network.name, subnetwork=nodes.name,
                                initial_node_count=1, remove_default_node_pool=True)
gcp.container.NodePool("pool", cluster=cluster.id, node_count=2, node_config={"service_account": account.email})
FirewallPolicyAllowlist("egress", hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull"]),
                        networks=[network.id])
pulumi.export("endpoint", pulumi.Output.concat("https://", cluster.endpoint))
pulumi.export("ca", cluster.master_auth.cluster_ca_certificate)
pulumi.export("account", account.email)
"""
AZURE = """
import pulumi
import pulumi_azure_native as azure

import hostgate
from hostgate.azure import FirewallPolicyAllowlist

me = azure.authorization.get_client_config()
group = azure.resources.ResourceGroup("hub", location="westeurope")
place = {"resource_group_name": group.name}
hub = azure.network.VirtualNetwork("hub", **place, address_space={"address_prefixes": ["10.0.0.0/16"]},
                                   subnets=[{"name": "AzureFirewallSubnet", "address_prefix": "10.0.1.0/26"}])
address = azure.network.PublicIPAddress("firewall", **place, public_ip_allocation_method="Static")
allow = FirewallPolicyAllowlist("egress", hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull"]),
                                resource_group=group.name, location="westeurope", from_=["10.1.0.0/16"])
firewall = azure.network.AzureFirewall(
    "firewall", **place, firewall_policy={"id": allow.policy_id}, sku={"name": "AZFW_VNet", "tier": "Standard"},
    ip_configurations=[{"name": "main", "subnet": {"id": hub.subnets.apply(lambda each: each[0].id)},
                        "public_ip_address": {"id": address.id}}])
table = azure.network.RouteTable("spoke", **place, routes=[{
    "name": "default", "address_prefix": "0.0.0.0/0", "next_hop_type": "VirtualAppliance",
    "next_hop_ip_address": firewall.ip_configurations.apply(lambda each: each[0].private_ip_address)}])
spoke = azure.network.VirtualNetwork("spoke", **place, address_space={"address_prefixes": ["10.1.0.0/16"]})
nodes = azure.network.Subnet("nodes", **place, virtual_network_name=spoke.name, address_prefix="10.1.0.0/20",
                             route_table={"id": table.id})
cluster = azure.containerservice.ManagedCluster(
    "cluster", **place, dns_prefix="k", identity={"type": "SystemAssigned"},
    network_profile={"outbound_type": "userDefinedRouting"},
    agent_pool_profiles=[{"name": "system", "count": 1, "vm_size": "Standard_D4s_v5", "mode": "System",
                          "vnet_subnet_id": nodes.id}])
pulumi.export("cluster", cluster.id)
pulumi.export("subscription", me.subscription_id)
"""
STACKS = {"aws": (AWS, 18), "gcp": (GOOGLE, 7), "azure": (AZURE, 7)}
CLIENTS = {"aws": "10.20.10.5", "gcp": "10.40.0.5", "azure": "10.1.0.5"}

every_cloud = pytest.mark.parametrize("cloud", STACKS)


def shown(made: Preview) -> dict[str, Any]:
    """What a preview shows, less names: the built-in host makes its own digits."""
    return {each.urn: (each.type, sorted(each.inputs), each.dependencies) for each in made.resources if each.custom}


@real_engine
@every_cloud
def test_a_stack_is_previewed_by_both_hosts_alike_and_goes_through_its_life(tmp_path: Path, cloud: str) -> None:
    program, least = STACKS[cloud]
    lab = Lab(tmp_path / "demo", tmp_path / "sandbox", program, "demo")
    config = {"aws:region": "eu-central-1", "gcp:project": "acme"}
    one, other = preview(lab.project, "dev", config), preview_of_engine(lab.project, "dev")
    assert shown(one) == shown(other)
    (line,) = (said.message for said in one.diagnostics if "not simulated" in said.message)
    assert line in [said.message for said in other.diagnostics]
    assert int(line.partition(" ")[0]) >= least
    assert lab.up().ok
    assert {op for op, _ in lab.preview()} <= {"same", "read"}
    assert lab.pulumi("up", "--yes", "--refresh", "--skip-preview", "--expect-no-changes").ok
    flows = [Flow(name, source=CLIENTS[cloud]) for name in ("cgr.dev", "evil.example")]
    verdicts = {tuple(point.verdict(flow).action for flow in flows) for point in points(lab.state.objects())}
    assert verdicts == {("allow", "block")}
    assert lab.pulumi("destroy", "--yes", "--skip-preview").ok
    assert lab.state.objects() == []


VERSIONS = """
import pulumi
import pulumi_aws as aws

aws.ec2.Vpc("v", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(version="{}"))
"""


@real_engine
@pytest.mark.parametrize(
    ("version", "refusal"),
    [("7.3.0", ""), ("7.999.0", ""), ("6.1.0", "the sandbox speaks 7.x"), ("8.0.0", "the sandbox speaks 7.x")],
)
def test_a_program_may_ask_for_any_version_of_the_major(tmp_path: Path, version: str, refusal: str) -> None:
    ended = Lab(tmp_path / "demo", tmp_path / "sandbox", VERSIONS.format(version), "demo").pulumi("preview")
    assert (ended.ok, refusal in ended.output) == (not refusal, True)
    assert "warning" not in ended.output


YAML: Mapping[str, Any] = {
    "name": "demo",
    "runtime": "yaml",
    "variables": {
        "zones": {"fn::invoke": {"function": "aws:getAvailabilityZones", "arguments": {}, "return": "names"}}
    },
    "resources": {
        "vpc": {"type": "aws:ec2:Vpc", "properties": {"cidrBlock": "10.0.0.0/16"}},
        "subnet": {
            "type": "aws:ec2/subnet:Subnet",
            "properties": {"vpcId": "${vpc.id}", "cidrBlock": "10.0.1.0/24", "availabilityZone": "${zones[0]}"},
        },
        "network": {"type": "gcp:compute:Network", "properties": {"autoCreateSubnetworks": False}},
        "group": {"type": "azure-native:resources:ResourceGroup", "properties": {"location": "westeurope"}},
    },
    "outputs": {"zone": "${subnet.availabilityZone}", "arn": "${vpc.arn}"},
}


@real_engine
@pytest.mark.skipif(shutil.which("pulumi-language-yaml") is None, reason="the language host for YAML is not on PATH")
def test_a_program_in_yaml_has_resources_of_the_clouds(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "demo", tmp_path / "sandbox", "", "demo")
    (lab.project / "__main__.py").unlink()
    (lab.project / "Pulumi.yaml").write_text(yaml.safe_dump(dict(YAML), sort_keys=False))
    ended = lab.pulumi("up", "--yes", "--skip-preview")
    assert ended.ok, ended.output
    assert "eu-central-1a" in ended.output
    assert len(lab.state.objects()) == 4
