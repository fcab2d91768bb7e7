"""AWS's resource types, and how a plan's bodies and the types of the twin provider read as the inputs of the provider."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hostgate.aws import query_kinds, resources_ec2, resources_firewall, resources_ram, resources_resolver
from hostgate.aws.resources_ec2 import DEFAULT_ACL, DEFAULTS, PREFIX_LIST, PREFIX_LIST_ENTRY, VPC
from hostgate.aws.resources_resolver import ASSOCIATION, DOMAIN_LIST, RULE, RULE_GROUP
from hostgate.flows.nodes import REDACTED, UNKNOWN, Node
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.resource_types import ResourceType, as_it_is, read

TYPES: Final = resources_firewall.TYPES | resources_resolver.TYPES | resources_ram.TYPES | resources_ec2.TYPES
"""Types that a plan or a program of ours makes."""

READ: Final = resources_ec2.READ | resources_resolver.READ
UNREAD: Final = resources_ec2.UNREAD

BY_KIND: Final[Mapping[str, ResourceType]] = {each.kind: each for each in TYPES.values() if each.kind}


def snapshot_of(objects: Sequence[CloudObject]) -> Snapshot:
    """The objects of a plan as a snapshot. They refer to each other by name; rules belong to the one rule group there is."""
    return Snapshot(tuple(_resources(objects)), "the plan")


def _resources(objects: Sequence[CloudObject]) -> Iterator[Resource]:
    group = next((each.name for each in objects if each.kind == query_kinds.RULE_GROUP), None)
    for each in objects:
        if each.kind not in BY_KIND:
            continue
        properties = inputs_of(each)
        if each.kind == query_kinds.RULE:
            properties["firewallRuleGroupId"] = group
        token = BY_KIND[each.kind].token
        yield Resource(
            urn=f"plan::{each.kind}::{each.name}", type=token, name=each.name, properties=properties, id=each.name
        )


def inputs_of(each: CloudObject) -> dict[str, Any]:
    """The body of an object as the provider's inputs."""
    return BY_KIND[each.kind].from_body(each.body) | {"name": each.name}


NATIVE: Final[Mapping[str, tuple[ResourceType, str]]] = {
    "aws-native:networkfirewall:RuleGroup": (resources_firewall.RULE_GROUP_TYPE, "ruleGroupArn"),
    "aws-native:networkfirewall:FirewallPolicy": (resources_firewall.POLICY_TYPE, "firewallPolicyArn"),
    "aws-native:networkfirewall:Firewall": (resources_firewall.FIREWALL_TYPE, "firewallArn"),
    "aws-native:networkfirewall:VpcEndpointAssociation": (
        resources_firewall.ENDPOINT_TYPE,
        "vpcEndpointAssociationArn",
    ),
    "aws-native:ec2:SecurityGroupEgress": (resources_ec2.NATIVE_RULE, ""),
    "aws-native:route53resolver:FirewallDomainList": (resources_resolver.TYPES[DOMAIN_LIST], "arn"),
    "aws-native:route53resolver:FirewallRuleGroup": (resources_resolver.TYPES[RULE_GROUP], "arn"),
    "aws-native:route53resolver:FirewallRuleGroupAssociation": (resources_resolver.TYPES[ASSOCIATION], "arn"),
} | {
    f"aws-native:ec2:{name}": (READ.get(token) or TYPES[token], "")
    for name, token in (
        ("Vpc", VPC),
        ("VpcCidrBlock", resources_ec2.VPC_RANGES[0]),
        ("Subnet", resources_ec2.SUBNET),
        ("Instance", resources_ec2.INSTANCE),
        ("RouteTable", resources_ec2.ROUTE_TABLE),
        ("Route", resources_ec2.ROUTE),
        ("SubnetRouteTableAssociation", resources_ec2.SUBNET_TABLE),
        ("InternetGateway", resources_ec2.INTERNET_GATEWAY),
        ("EgressOnlyInternetGateway", resources_ec2.EGRESS_GATEWAY),
        ("NatGateway", resources_ec2.NAT_GATEWAY),
        ("VpcEndpoint", resources_ec2.VPC_ENDPOINT),
        ("TransitGatewayAttachment", resources_ec2.TRANSIT_ATTACHMENT),
        ("TransitGatewayVpcAttachment", resources_ec2.TRANSIT_ATTACHMENT),
        ("TransitGatewayRouteTableAssociation", resources_ec2.TRANSIT_TABLE),
        ("TransitGatewayRoute", resources_ec2.TRANSIT_ROUTE),
    )
}
"""Types of the twin of the provider, whose inputs are the API's in camelCase, and what it calls the ARN."""

TOLD: Final = "told"
"""Of such an entry: its range."""
PERHAPS: Final = "perhaps"
"""Of an entry of a prefix list that may be one of another: its name."""

_RULES = "firewallRules"


def canonical(snapshot: Snapshot) -> Snapshot:
    """The snapshot as the classic provider would have it."""
    found = [each for one in snapshot.resources for each in _canonical(one, snapshot)]
    made = Snapshot(tuple(found), snapshot.source)
    if apart := list(made.of_types([PREFIX_LIST_ENTRY])):
        made = replace(made, resources=tuple(_with_entries(each, apart, made) for each in found))
    return made


def _with_entries(resource: Resource, apart: Sequence[Resource], snapshot: Snapshot) -> Resource:
    """A prefix list with those entries that are resources of their own, and with those of which nobody knows yet whether they
    are in it: their range is not read as one, `told` has it."""
    entries = resource.properties.get("entries")
    if resource.type != PREFIX_LIST or entries is UNKNOWN:
        return resource
    held = list(entries or ())
    for each in apart:
        told = each.node.at("prefixListId")
        value = None if told.unknown else told.value
        if snapshot.referred(each, "prefixListId", value) == (resource,) and (
            isinstance(value, str) or len(each.property_dependencies["prefixListId"]) == 1
        ):
            item = {"cidr": each.properties.get("cidr", UNKNOWN), "description": each.properties.get("description")}
            held += [] if any(one.get("cidr") == item["cidr"] for one in held if isinstance(one, Mapping)) else [item]
        elif any(may_be_of(one, each, "prefixListId", [PREFIX_LIST], snapshot) for one in (resource.id, resource.urn)):
            item = {"cidr": UNKNOWN, PERHAPS: each.name, TOLD: each.properties.get("cidr", UNKNOWN)}
            other = "IPv4" if ":" in str(item[TOLD]) else "IPv6"
            of_other = isinstance(item[TOLD], str) and resource.properties.get("addressFamily") == other
            held += [] if item in held or of_other else [item]
    return replace(resource, properties={**resource.properties, "entries": held}) if held else resource


def set_references(group: Resource) -> Iterator[tuple[str, Node]]:
    """The IP sets that a rule group refers to: what its rules call each, and its ARN."""
    for item in group.node.at("ruleGroup", "referenceSets", "ipSetReferences").items():
        if isinstance(key := item.at("key").value, str):
            yield from ((key, inner.at("referenceArn")) for inner in item.at("ipSetReferences").items())


def may_be_of(holder: str, resource: Resource, key: str, types: Sequence[str], snapshot: Snapshot) -> bool:
    """Whether the group, ACL or list of `types` that `resource` refers to at `key`, and that is not known, may be `holder`: it
    is one of those that the reference was made from, if that is nothing else. A VPC gives the id of its own default one."""
    node = resource.node.at(key)
    if isinstance(node.value, str) and not node.unknown:
        return False
    defaults = [each for each in types if each in DEFAULTS]
    names: set[str] = set()
    for urn in resource.property_dependencies.get(key) or [""]:
        made = snapshot.by_urn.get(urn)
        if made is not None and made.type in types:
            names |= {made.id or made.urn, made.urn}
        elif made is not None and made.type == VPC and defaults and not made.id_is_told:
            names |= {each.urn for each in snapshot.of_types(defaults) if urn in each.made_from}
        else:
            return True
    return holder in names


def _canonical(resource: Resource, snapshot: Snapshot) -> Iterator[Resource]:
    if resource.type in DEFAULTS:
        yield replace(resource, id=_adopted(resource, snapshot) or resource.id)
        return
    if resource.type not in NATIVE:
        yield resource
        return
    row, arn = NATIVE[resource.type]
    properties = dict(read(row.inputs, resource.properties, as_it_is))
    rules = properties.pop(_RULES, None)
    if row.token == DOMAIN_LIST and properties.get("domainFileUrl"):
        properties["domains"] = UNKNOWN  # a file in S3 holds them
    if properties.get(arn) is not None:
        properties["arn"] = properties[arn]
    ours = {name: key for key, name in row.inputs.renamed.items()}
    made = {ours.get(key, key): urns for key, urns in resource.property_dependencies.items()}
    yield replace(resource, type=row.token, properties=properties, property_dependencies=made)
    if rules is not None:
        yield from _apart(resource, Node(rules), snapshot)


def _adopted(default: Resource, snapshot: Snapshot) -> str | None:
    """The id of the default ACL or group of a VPC that a resource adopts, which is its own (terraform-provider-aws,
    vpc_default_network_acl.go and vpc_default_security_group.go, read 2026-11-29), where that is known before it does."""
    id_ = default.properties.get("defaultNetworkAclId")
    if default.type != DEFAULT_ACL:
        made = snapshot.referred(default, "vpcId", default.properties.get("vpcId"))
        id_ = made[0].properties.get("defaultSecurityGroupId") if len(made) == 1 and made[0].type == VPC else None
    return id_ if isinstance(id_, str) and id_ != REDACTED else None


def _apart(group: Resource, rules: Node, snapshot: Snapshot) -> Iterator[Resource]:
    """The rules inside a rule group of DNS Firewall, as resources of their own: the classic provider has them so.

    Of the lists that they were made from, the one that no rule names is of the one rule whose list is not known yet.
    """
    listed = list([rules] if rules.unknown else rules.items())
    ids = [rule.at("firewallDomainListId").value for rule in listed]
    named = [each for each in ids if isinstance(each, str)]
    lists = group.property_dependencies.get(_RULES) or group.dependencies
    known = [each for each in snapshot.resources if each.urn in lists]
    lists -= {each.urn for each in known if each.id in named or each.properties.get("id") in named}
    made = {"firewallRuleGroupId": frozenset({group.urn})}
    made["firewallDomainListId"] = lists if len(lists) == 1 and ids.count(UNKNOWN) == 1 else frozenset()
    row = resources_resolver.TYPES[RULE]
    for index, rule in enumerate(listed):
        inputs: Any = read(row.inputs, rule.value, as_it_is)
        told = dict(inputs) if isinstance(inputs, Mapping) else dict.fromkeys(("action", "priority"), UNKNOWN)
        yield Resource(
            urn=f"{group.urn}#{index}",
            type=RULE,
            name=f"{group.name}#{told['priority']}" if isinstance(told.get("priority"), int | float) else group.name,
            properties={**told, "firewallRuleGroupId": UNKNOWN},
            dependencies=made["firewallRuleGroupId"] | made["firewallDomainListId"],
            property_dependencies=made,
        )
