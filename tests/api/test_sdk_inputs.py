"""Everything that the components send is a property of the installed SDKs' input types, at every level."""

import collections.abc
import textwrap
import typing
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import _types
from pulumi_aws import networkfirewall, ram, route53
from pulumi_azure_native import network
from pulumi_gcp import compute, networkconnectivity, networksecurity, networkservices

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.resources import PreviewResource

ASSOCIATION = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
INPUTS: dict[str, Any] = {
    "aws:networkfirewall/ruleGroup:RuleGroup": networkfirewall.RuleGroupArgs,
    "aws:networkfirewall/firewallPolicy:FirewallPolicy": networkfirewall.FirewallPolicyArgs,
    "aws:networkfirewall/firewall:Firewall": networkfirewall.FirewallArgs,
    "aws:networkfirewall/loggingConfiguration:LoggingConfiguration": networkfirewall.LoggingConfigurationArgs,
    "aws:ram/resourceShare:ResourceShare": ram.ResourceShareArgs,
    "aws:ram/resourceAssociation:ResourceAssociation": ram.ResourceAssociationArgs,
    "aws:ram/principalAssociation:PrincipalAssociation": ram.PrincipalAssociationArgs,
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": route53.ResolverFirewallDomainListArgs,
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": route53.ResolverFirewallRuleGroupArgs,
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": route53.ResolverFirewallRuleArgs,
    ASSOCIATION: route53.ResolverFirewallRuleGroupAssociationArgs,
    "aws:route53/profilesResourceAssociation:ProfilesResourceAssociation": route53.ProfilesResourceAssociationArgs,
    "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": route53.ResolverFirewallConfigArgs,
    "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy": compute.NetworkFirewallPolicyArgs,
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": compute.NetworkFirewallPolicyRuleArgs,
    "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation": compute.NetworkFirewallPolicyAssociationArgs,
    "gcp:networksecurity/addressGroup:AddressGroup": networksecurity.AddressGroupArgs,
    "gcp:networksecurity/securityProfile:SecurityProfile": networksecurity.SecurityProfileArgs,
    "gcp:networksecurity/securityProfileGroup:SecurityProfileGroup": networksecurity.SecurityProfileGroupArgs,
    "gcp:networksecurity/firewallEndpoint:FirewallEndpoint": networksecurity.FirewallEndpointArgs,
    "gcp:networksecurity/firewallEndpointAssociation:FirewallEndpointAssociation": (
        networksecurity.FirewallEndpointAssociationArgs
    ),
    "gcp:networksecurity/urlList:UrlList": networksecurity.UrlListArgs,
    "gcp:networksecurity/gatewaySecurityPolicy:GatewaySecurityPolicy": networksecurity.GatewaySecurityPolicyArgs,
    "gcp:networksecurity/gatewaySecurityPolicyRule:GatewaySecurityPolicyRule": networksecurity.GatewaySecurityPolicyRuleArgs,
    "gcp:networkservices/gateway:Gateway": networkservices.GatewayArgs,
    "gcp:networkconnectivity/policyBasedRoute:PolicyBasedRoute": networkconnectivity.PolicyBasedRouteArgs,
    "gcp:compute/route:Route": compute.RouteArgs,
    "gcp:compute/subnetwork:Subnetwork": compute.SubnetworkArgs,
    "azure-native:network:FirewallPolicy": network.FirewallPolicyArgs,
    "azure-native:network:FirewallPolicyRuleCollectionGroup": network.FirewallPolicyRuleCollectionGroupArgs,
}

CATALOG = """
catalog: acme/kinds
entries:
  - {id: web, host: www.acme.example, port: 443, protocol: https}
  - {id: plain, host: www.acme.example, port: 80, protocol: http}
  - {id: broker, host: mq.acme.example, port: 5671, protocol: tcp}
  - {id: clock, host: ntp.acme.example, port: 123, protocol: udp}
"""

PROGRAM = """
import hostgate
from hostgate.aws import DnsFirewallAllowlist, NetworkFirewallAllowlist
from hostgate.azure import FirewallPolicyAllowlist as AzureAllowlist
from hostgate.gcp import FirewallPolicyAllowlist as GcpAllowlist
from hostgate.gcp import AddressGroupAllowlist, UrlFilterAllowlist, WebProxyAllowlist

web = hostgate.select("./kinds.yaml", ids=["web", "plain"])
everything = hostgate.select("./kinds.yaml")
ip_group = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/ipGroups/builders"
for mode in ("enforce", "audit"):
    for mechanism in ("rules", "domain-list"):
        NetworkFirewallAllowlist(
            f"aws-{mode}-{mechanism}", hosts=web, mechanism=mechanism, mode=mode, tags={"team": "platform"}
        )
    DnsFirewallAllowlist(
        f"dns-{mode}", hosts=everything, mode=mode, vpcs=[f"vpc-0{len(mode)}"], profiles=["rp-0a1"], block_response="OVERRIDE",
        override_domain="blocked.acme.example", override_ttl=60, tags={"team": "platform"}, inside=["corp"],
    )
    GcpAllowlist(
        f"gcp-{mode}", hosts=everything, mode=mode, from_=["tagValues/123"], networks=[f"projects/p/global/networks/{mode}"]
    )
    AzureAllowlist(
        f"azure-{mode}", hosts=everything, mode=mode, resource_group="rg", location="westeurope", tags={"team": "platform"},
        from_=["10.0.0.0/8", ip_group],
    )
AzureAllowlist("azure-all", hosts=everything, deny="all", resource_group="rg")
arn = "arn:aws:network-firewall:REGION:{}/x"
NetworkFirewallAllowlist(
    "aws-vpc", hosts=web, region="eu-west-1", tags={"team": "platform"}, default_actions=["aws:drop_established"],
    managed_groups=[{"arn": arn.format("aws-managed:stateful-rulegroup"), "priority": 7, "override": "DROP_TO_ALERT"}],
    tls_inspection="arn:aws:network-firewall:eu-west-1:123456789012:tls-configuration/x",
    firewall={
        "vpc_id": "vpc-1", "subnet_mappings": [{"subnet_id": "subnet-1", "ip_address_type": "IPV4"}],
        "delete_protection": True, "subnet_change_protection": True, "firewall_policy_change_protection": True,
    },
    logging=[
        {"log_type": "ALERT", "log_destination_type": "S3", "log_destination": {"bucketName": "b", "prefix": "p"}},
        {"log_type": "TLS", "log_destination_type": "CloudWatchLogs", "log_destination": {"logGroup": "g"}},
    ],
)
NetworkFirewallAllowlist(
    "aws-gateway", hosts=web,
    firewall={
        "transit_gateway_id": "tgw-1", "availability_zone_ids": ["euc1-az1"], "availability_zone_change_protection": True
    },
)
NetworkFirewallAllowlist(
    "aws-share", hosts=web, deny="declared", tags={"team": "platform"}, region="eu-west-1",
    share={"principals": ["123456789012"], "allow_external_principals": True},
)
AddressGroupAllowlist(
    "gcp-groups", hosts=everything, networks=["projects/p/global/networks/groups"], tags={"team": "platform"},
    addresses={each.host: ["203.0.113.7", "2001:db8::7"] for each in everything.entries},
)
UrlFilterAllowlist(
    "gcp-urls", hosts=web, zones=["europe-west1-b"], networks=["projects/p/global/networks/urls"], mtu=8000,
    organization="1", billing_project="pay", tags={"team": "platform"},
)
subnet = "projects/p/regions/europe-west4/subnetworks/"
for number, more in enumerate((
    {"proxy_subnet": "10.9.0.0/23", "from_": ["10.0.0.0/8", "tagValues/1"], "exempt": ["203.0.113.0/24"], "mode": "audit"},
    {"route": "static", "network_tags": ["builds"], "exempt": ["203.0.113.0/24"], "tags": {"team": "platform"}},
    {"network_tags": ["builds"], "ports": [80, 443], "address": "10.0.0.9", "deny": "all"},
    {"routing": "explicit", "ports": [8080]},
)):
    WebProxyAllowlist(
        f"proxy-{number}", hosts=web, network=f"projects/p/global/networks/n{number}", subnetwork=f"{subnet}n{number}", **more
    )
GcpAllowlist("gcp-accounts", hosts=everything, from_=["a@p.iam.gserviceaccount.com"])
"""


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[PreviewResource]:
    """Every resource of a program that uses each option which reaches a resource."""
    folder: Path = tmp_path_factory.mktemp("project")
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "kinds.yaml").write_text(CATALOG)
    (folder / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    return [resource for resource in preview(folder, "test", {}).resources if resource.custom]


def strangers(value: Any, expected: Any, path: str) -> list[str]:
    """The paths in `value` that `expected`, an SDK input type, does not have or has as something else."""
    if value is UNKNOWN or expected is Any or expected is type(None):
        return []
    origin, parts = typing.get_origin(expected), typing.get_args(expected)
    if origin is typing.Union:
        plain = [
            part
            for part in parts
            if typing.get_origin(part) not in (collections.abc.Awaitable, pulumi.Output)
            and not typing.is_typeddict(part)
        ]
        return min((strangers(value, part, path) for part in plain), key=len)
    if origin is collections.abc.Sequence:
        if not isinstance(value, list):
            return [f"{path}: a list is expected"]
        return [found for index, item in enumerate(value) for found in strangers(item, parts[0], f"{path}[{index}]")]
    if origin is collections.abc.Mapping:
        return [found for key, item in value.items() for found in strangers(item, parts[1], f"{path}.{key}")]
    if isinstance(expected, type) and _types.is_input_type(expected):
        if not isinstance(value, dict):
            return [f"{path}: a mapping is expected"]
        known = _types.input_type_types(expected)
        return [
            found
            for key, item in value.items()
            for found in (
                strangers(item, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}: not known"]
            )
        ]
    if expected is float:
        expected = (int, float)
    return [] if isinstance(value, expected) else [f"{path}: {type(value).__name__}"]


@pytest.mark.parametrize("type_", INPUTS)
def test_every_property_sent_is_one_of_the_sdk_s_input_type(sent: list[PreviewResource], type_: str) -> None:
    resources = [resource for resource in sent if resource.type == type_]
    assert resources
    assert [found for each in resources for found in strangers(dict(each.inputs), INPUTS[type_], each.name)] == []


def test_no_other_type_is_sent(sent: list[PreviewResource]) -> None:
    assert {resource.type for resource in sent} == set(INPUTS)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"rule_collections": []}, ["x.rule_collections: not known"]),
        ({"ruleCollections": [{"rule_type": "ApplicationRule"}]}, ["x.ruleCollections[0].rule_type: not known"]),
        ({"priority": "100"}, ["x.priority: str"]),
        ({"ruleCollections": {}}, ["x.ruleCollections: a list is expected"]),
    ],
)
def test_a_stranger_is_found_at_its_place(value: dict[str, Any], found: list[str]) -> None:
    assert strangers(value, network.FirewallPolicyRuleCollectionGroupArgs, "x") == found
