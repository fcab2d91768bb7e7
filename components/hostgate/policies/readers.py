"""Which resource types are read, by which reader; and which open names but are not read yet."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from hostgate.aws import resources as aws
from hostgate.aws import resources_ec2, resources_resolver
from hostgate.aws.evaluate_acls import one_address
from hostgate.aws.resources import canonical as of_aws
from hostgate.aws.resources_firewall import FIREWALL_POLICY
from hostgate.aws.resources_firewall import RULE_GROUP as RULE_GROUP
from hostgate.azure import resources as azure
from hostgate.azure.resources_bridged import BRIDGED
from hostgate.azure.resources_bridged import canonical as of_azure
from hostgate.flows.engine_documents import without_version
from hostgate.flows.nodes import Node
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.gcp import resources as gcp
from hostgate.gcp import resources_proxy
from hostgate.policies import address_resources as addresses
from hostgate.policies import aws_policies, azure_rules, dns_lists, gcp_rules, proxy_rules, rule_groups
from hostgate.policies.reading import Reading

CloudName = Literal["aws", "gcp", "azure"]

AWS_POLICY: Final = FIREWALL_POLICY
DNS_LIST, DNS_RULE, DNS_GROUP = resources_resolver.DOMAIN_LIST, resources_resolver.RULE, resources_resolver.RULE_GROUP
GCP_POLICIES: Final = frozenset({gcp.POLICY, gcp.REGION_POLICY, gcp.ORGANISATION_POLICY})
GCP_CLASSIC, GCP_NETWORK = gcp.CLASSIC, gcp.NETWORK
PROXY_POLICY, PROXY_RULE = resources_proxy.POLICY, resources_proxy.RULE
AZURE_POLICY, AZURE_GROUP = azure.POLICY, azure.GROUP

READERS: Mapping[str, Callable[[Node], Reading]] = {
    RULE_GROUP: rule_groups.read_rule_group,
    AWS_POLICY: aws_policies.read_policy,
    resources_ec2.SECURITY_GROUP: addresses.read_security_group,
    resources_ec2.DEFAULT_GROUP: addresses.read_security_group,
    resources_ec2.EGRESS_RULE: addresses.read_egress_rule,
    resources_ec2.LEGACY_RULE: addresses.read_legacy_rule,
    DNS_LIST: dns_lists.read_list,
    resources_ec2.PREFIX_LIST: addresses.read_prefix_list,
    resources_ec2.PREFIX_LIST_ENTRY: addresses.read_entry,
    gcp.RULE: gcp_rules.read_rule,
    gcp.REGION_RULE: gcp_rules.read_rule,
    gcp.ORGANISATION_RULE: gcp_rules.read_rule,
    gcp.POLICY_WITH_RULES: gcp_rules.read_rules,
    gcp.REGION_POLICY_WITH_RULES: gcp_rules.read_rules,
    gcp.ORGANISATION_POLICY_WITH_RULES: gcp_rules.read_rules,
    GCP_CLASSIC: gcp_rules.read_classic,
    gcp.PROFILE: gcp_rules.read_profile,
    resources_proxy.URL_LIST: proxy_rules.read_list,
    resources_proxy.RULE: proxy_rules.read_apart,
    resources_proxy.POLICY: proxy_rules.read_apart,
    resources_proxy.GATEWAY: proxy_rules.read_apart,
    resources_proxy.AUTHZ_POLICY: proxy_rules.read_apart,
    gcp.ADDRESS_GROUP: addresses.read_address_group,
    AZURE_GROUP: azure_rules.read_group,
    azure.IP_GROUP: addresses.read_ip_group,
}

RULES_OF_GCP: Final = frozenset(type_ for type_ in READERS if "irewallPolicy" in type_ and type_.startswith("gcp:"))


UNREAD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **{each.token: (each.holds, each.unless) for each in (*aws.UNREAD, *gcp.UNREAD, *azure.UNREAD)},
    azure.FIREWALL: ("classic rule collections", ("applicationRuleCollections", "networkRuleCollections")),
}
"""Types that decide about egress and that no reader reads, what they hold, and the inputs without which they hold
nothing of the kind. They are said to be unread, rather than passed over."""


def plain_type(token: str) -> str:
    """The type without an API version, which azure-native has a module for; of a twin of a provider the one that is read."""
    if token in aws.NATIVE:
        return aws.NATIVE[token][0].token
    return BRIDGED[token][0] if token in BRIDGED else without_version(token)


def canonical(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The resources as the providers that are read would have them; rules inside a group of DNS Firewall come after it."""
    return of_azure(of_aws(Snapshot(tuple(resources), "the stack"))).resources


def cloud_of(token: str) -> CloudName | None:
    package = without_version(token).partition(":")[0]
    return {"aws": "aws", "aws-native": "aws", "gcp": "gcp", "azure-native": "azure", "azure": "azure"}.get(package)  # type: ignore[return-value]


def read(resource: Resource) -> Reading | None:
    """What a canonical resource says; None for a type without a reader."""
    reader = READERS.get(resource.type)
    return None if reader is None else reader(resource.node)


def unread(resource: Resource) -> str | None:
    """What a canonical resource holds that decides about egress, and that nobody reads; None if it holds none of it."""
    what, keys = UNREAD.get(resource.type, (None, ()))
    if resource.type == resources_ec2.ACL_ENTRY and one_address(resource):
        return None  # its ACL is a place that is judged, with whatever else stands there
    return None if keys and all(resource.properties.get(key) in (None, [], ()) for key in keys) else what
