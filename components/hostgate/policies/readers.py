"""Which resource types are read, by which reader; and which open names but are not read yet."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from hostgate.aws.resources import NATIVE, canonical
from hostgate.flows.nodes import Node
from hostgate.flows.snapshot import Resource
from hostgate.policies import address_resources as addresses
from hostgate.policies import aws_policies, azure_rules, dns_lists, gcp_rules, rule_groups
from hostgate.policies.reading import Reading

CloudName = Literal["aws", "gcp", "azure"]

RULE_GROUP: Final = "aws:networkfirewall/ruleGroup:RuleGroup"
AWS_POLICY: Final = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
DNS_LIST: Final = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
DNS_RULE: Final = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
DNS_GROUP: Final = "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup"
GCP_POLICIES: Final = frozenset(
    {
        "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy",
        "gcp:compute/regionNetworkFirewallPolicy:RegionNetworkFirewallPolicy",
        "gcp:compute/firewallPolicy:FirewallPolicy",
    }
)
GCP_CLASSIC: Final = "gcp:compute/firewall:Firewall"
GCP_NETWORK: Final = "gcp:compute/network:Network"
AZURE_POLICY: Final = "azure-native:network:FirewallPolicy"
AZURE_GROUP: Final = "azure-native:network:FirewallPolicyRuleCollectionGroup"

READERS: Mapping[str, Callable[[Node], Reading]] = {
    RULE_GROUP: rule_groups.read_rule_group,
    AWS_POLICY: aws_policies.read_policy,
    "aws:ec2/securityGroup:SecurityGroup": addresses.read_security_group,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": addresses.read_egress_rule,
    DNS_LIST: dns_lists.read_list,
    "aws:ec2/managedPrefixList:ManagedPrefixList": addresses.read_prefix_list,
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": gcp_rules.read_rule,
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule": gcp_rules.read_rule,
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule": gcp_rules.read_rule,
    "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules": gcp_rules.read_rules,
    "gcp:compute/regionNetworkFirewallPolicyWithRules:RegionNetworkFirewallPolicyWithRules": gcp_rules.read_rules,
    "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules": gcp_rules.read_rules,
    GCP_CLASSIC: gcp_rules.read_classic,
    "gcp:networksecurity/addressGroup:AddressGroup": addresses.read_address_group,
    AZURE_GROUP: azure_rules.read_group,
    "azure-native:network:IpGroup": addresses.read_ip_group,
}

RULES_OF_GCP: Final = frozenset(type_ for type_ in READERS if "irewallPolicy" in type_ and type_.startswith("gcp:"))

UNREAD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "aws:ec2/securityGroupRule:SecurityGroupRule": ("addresses", ()),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("addresses", ("egress",)),
    "aws:ec2/networkAclRule:NetworkAclRule": ("addresses", ()),
    "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry": ("an address of a list", ()),
    "gcp:networksecurity/securityProfile:SecurityProfile": ("URL filters", ("urlFilteringProfile",)),
    "gcp:networksecurity/urlList:UrlList": ("names that a web proxy may reach", ()),
    "gcp:networksecurity/gatewaySecurityPolicyRule:GatewaySecurityPolicyRule": ("what a web proxy may reach", ()),
    "azure-native:network:AzureFirewall": (
        "classic rule collections", ("applicationRuleCollections", "networkRuleCollections"),
    ),
    "azure-native:dnsresolver:DnsResolverDomainList": ("names that DNS may answer", ()),
    "azure:network/firewallPolicyRuleCollectionGroup:FirewallPolicyRuleCollectionGroup": ("rule collections", ()),
    "azure:network/firewallApplicationRuleCollection:FirewallApplicationRuleCollection": ("application rules", ()),
    "azure:network/firewallNetworkRuleCollection:FirewallNetworkRuleCollection": ("network rules", ()),
}  # fmt: skip
"""Types that decide about what passes and that no reader reads, what they hold, and the inputs without which they hold
nothing of the kind. They are said to be unread, rather than passed over."""

_VERSIONED = re.compile(r"(azure-native:[a-z]+)/v[0-9]+(?:preview)?:")


def plain_type(token: str) -> str:
    """The type without an API version, which azure-native has a module for; of aws-native the type of its twin."""
    return NATIVE.get(token) or _VERSIONED.sub(r"\1:", token)


def cloud_of(token: str) -> CloudName | None:
    package = token.partition(":")[0]
    return {"aws": "aws", "aws-native": "aws", "gcp": "gcp", "azure-native": "azure", "azure": "azure"}.get(package)  # type: ignore[return-value]


def read(resource: Resource) -> Reading | None:
    """What the resource says; None for a type without a reader."""
    reader = READERS.get(plain_type(resource.type))
    return None if reader is None else reader(canonical(resource).node)
