"""Resource types of Amazon EC2 that decide where packets go, and by which addresses."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, Final

from hostgate.aws.spelling import as_aws
from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType, UnreadType, fields, types_by_token
from hostgate.planning.shapes import Anything, Entries, Flag, InputProblem, Items, Record, Text, Whole, filled, inner

# As of 2026-11-23.
API: Final = "Amazon EC2 API reference, CreateRoute"

VPC: Final = "aws:ec2/vpc:Vpc"
VPC_RANGES: Final = (
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation",
    "aws:ec2/vpcIpv6CidrBlockAssociation:VpcIpv6CidrBlockAssociation",
)
PREFIX_LIST: Final = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX_LIST_ENTRY: Final = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
NATIVE_GROUP: Final = "aws-native:ec2:SecurityGroup"
GROUPS: Final = (SECURITY_GROUP, DEFAULT_GROUP, NATIVE_GROUP)
LEGACY_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
EGRESS_RULE: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ACL: Final = "aws:ec2/networkAcl:NetworkAcl"
DEFAULT_ACL: Final = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
ACLS_WITH_ENTRIES: Final = (ACL, DEFAULT_ACL)
DEFAULTS: Final = (DEFAULT_GROUP, DEFAULT_ACL)
ACL_ENTRY: Final = "aws:ec2/networkAclRule:NetworkAclRule"
ROUTE: Final = "aws:ec2/route:Route"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
DEFAULT_ROUTE_TABLE: Final = "aws:ec2/defaultRouteTable:DefaultRouteTable"
SUBNET_TABLE: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
MAIN_TABLE: Final = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
PROPAGATION: Final = "aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation"
SUBNET: Final = "aws:ec2/subnet:Subnet"
SUBNET_IPV6: Final = ("ipv6CidrBlock", "ipv6IpamPoolId", "ipv6NetmaskLength")
"""Inputs of a subnet without which it has no IPv6 addresses."""
INSTANCE: Final = "aws:ec2/instance:Instance"
GROUP_ATTACHMENT: Final = "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment"
ACL_ASSOCIATIONS: Final = (
    "aws:ec2/networkAclAssociation:NetworkAclAssociation",
    "aws-native:ec2:SubnetNetworkAclAssociation",
)
INTERNET_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
EGRESS_GATEWAY: Final = "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"
NAT_GATEWAY: Final = "aws:ec2/natGateway:NatGateway"
VPC_ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
ENDPOINT_TABLE: Final = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
TRANSIT_ATTACHMENT: Final = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
TRANSIT_TABLE: Final = "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation"
TRANSIT_ROUTE: Final = "aws:ec2transitgateway/route:Route"
TRANSIT_PREFIXES: Final = "aws:ec2transitgateway/prefixListReference:PrefixListReference"

PREFIX_LIST_KIND: Final = "AWS::EC2::PrefixList"
EGRESS_RULE_KIND: Final = "AWS::EC2::SecurityGroupEgress"
LISTS: Final = "Amazon EC2 API reference, CreateManagedPrefixList"
API_RULE: Final = "Amazon EC2 API reference, AuthorizeSecurityGroupEgress"
QUOTAS: Final = "Amazon VPC user guide, quotas (2023 copy)"
READ_ON: Final = "2026-11-23"
LIST_ENTRIES: Final = Limit("entries of a prefix list", 1_000, "entries", QUOTAS, READ_ON)
ACL_ENTRY_KIND: Final = "AWS::EC2::NetworkAclEntry"
ACLS: Final = "Amazon VPC user guide, network ACLs"
API_ENTRY: Final = "Amazon EC2 API reference, CreateNetworkAclEntry"
MOST_ACL_ENTRIES: Final = Limit(
    "most entries of a network ACL in one direction over one address family, with the last that denies", 40, "entries",
    QUOTAS, READ_ON,
)  # fmt: skip
LAST_NUMBER: Final = 32_766
"""Of an entry (API_ENTRY, read 2026-11-28)."""
EPHEMERAL: Final = (1_024, 65_535)
"""Ports from which clients send: those of NAT gateways, load balancers and functions hold those of Linux and Windows (ACLS,
ephemeral ports, read 2026-11-23)."""

ACL_RANGES: Final = ("cidrBlock", "ipv6CidrBlock")
RULE_DESTINATIONS: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

DESTINATIONS: Final = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
TARGETS: Final = (
    "carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
    "networkInterfaceId", "odbNetworkArn", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
)  # fmt: skip


def _one_of_each(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for keys, what in ((DESTINATIONS, "one destination"), (TARGETS, "one target")):
        given = [key for key in keys if filled(inputs, key)]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            yield InputProblem(what, path=path, found=found, allowed=f"exactly one of {', '.join(keys)}", source=API)


def _ranges(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for key, version in (("destinationCidrBlock", 4), ("destinationIpv6CidrBlock", 6)):
        value = inputs.get(key)
        if not isinstance(value, str):
            continue
        try:
            fits = ip_network(value).version == version
        except ValueError:
            fits = False
        if not fits:
            yield InputProblem(
                "no range", path=inner(path, key), found=value, allowed=f"an IPv{version} CIDR", source=API
            )


def _capital(name: str) -> str:
    """As this API spells `ipProtocol`: without whole acronyms."""
    return name[:1].upper() + name[1:]


def _fits(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    entries, most = inputs.get("entries"), inputs.get("maxEntries")
    if isinstance(entries, list | tuple) and isinstance(most, int | float) and len(entries) > most:
        where = inner(path, "entries")
        yield InputProblem("too many", path=where, found=str(len(entries)), allowed=f"at most {most}", source=LISTS)


def _one_destination(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    given = [key for key in RULE_DESTINATIONS if filled(inputs, key)]
    if len(given) != 1:
        found, allowed = ", ".join(given) or "none", f"exactly one of {', '.join(RULE_DESTINATIONS)}"
        yield InputProblem("one destination", path=path, found=found, allowed=allowed, source=API_RULE)


def _one_range(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    given = [key for key in ACL_RANGES if filled(inputs, key)]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        yield InputProblem(
            "one range", path=path, found=found, allowed=f"exactly one of {', '.join(ACL_RANGES)}", source=API_ENTRY
        )


TYPES: Final = types_by_token(
    (
        ResourceType(
            ROUTE,
            Record(
                {
                    "routeTableId": Text(r"rtb-[0-9a-f]+", "rtb- and hex digits", source=API),
                    "region": Text(),
                    **dict.fromkeys((*DESTINATIONS, *TARGETS), Text()),
                },
                ("routeTableId",),
                (_one_of_each, _ranges),
                renamed={"egressOnlyGatewayId": "egressOnlyInternetGatewayId"},
            ),
            computed=("instanceId", "instanceOwnerId", "origin", "state"),
            replaces=("routeTableId", "region", *DESTINATIONS),
            spelled=as_aws,
        ),
        ResourceType(
            PREFIX_LIST,
            Record(
                {
                    "name": Text(fewest=1, most=255, source=LISTS),
                    "addressFamily": Text(one_of=("IPv4", "IPv6"), source=LISTS),
                    "maxEntries": Whole(1, LIST_ENTRIES.max, LIST_ENTRIES.source, "entries"),
                    "entries": Items(
                        Record({"cidr": Text(), "description": Text(most=255, source=LISTS)}, ("cidr",)),
                        most=LIST_ENTRIES.max,
                        unique_by=("cidr",),
                        source=LISTS,
                    ),
                    "region": Text(),
                    "tags": Entries(Text()),
                },
                ("addressFamily", "maxEntries"),
                (_fits,),
                renamed={"name": "prefixListName"},
            ),
            computed=("arn", "ownerId", "tagsAll", "version"),
            auto_name=AutoName("name"),
            replaces=("addressFamily", "region"),
            kind=PREFIX_LIST_KIND,
            spelled=as_aws,
            refreshed="entries",
        ),
        ResourceType(
            EGRESS_RULE,
            Record(
                {
                    "securityGroupId": Text(),
                    "ipProtocol": Text(),
                    "fromPort": Whole(-1, 65_535, API_RULE),
                    "toPort": Whole(-1, 65_535, API_RULE),
                    **dict.fromkeys(RULE_DESTINATIONS, Text()),
                    "description": Text(most=255, source=API_RULE),
                    "region": Text(),
                    "tags": Entries(Text()),
                },
                ("ipProtocol", "securityGroupId"),
                (_one_destination,),
                renamed={"securityGroupId": "groupId", "referencedSecurityGroupId": "referencedGroupId"},
            ),
            computed=("arn", "securityGroupRuleId", "tagsAll"),
            replaces=("securityGroupId", "region"),
            kind=EGRESS_RULE_KIND,
            spelled=_capital,
        ),
        ResourceType(
            ACL_ENTRY,
            Record(
                {
                    "networkAclId": Text(),
                    "ruleNumber": Whole(1, LAST_NUMBER, API_ENTRY),
                    "egress": Flag(),
                    "protocol": Text(),
                    "ruleAction": Text(one_of=("allow", "deny"), source=API_ENTRY),
                    **dict.fromkeys(ACL_RANGES, Text()),
                    "fromPort": Whole(0, 65_535, API_ENTRY),
                    "toPort": Whole(0, 65_535, API_ENTRY),
                    **dict.fromkeys(("icmpType", "icmpCode"), Whole(-1, 255, API_ENTRY)),
                    "region": Text(),
                },
                ("networkAclId", "protocol", "ruleAction", "ruleNumber"),
                (_one_range,),
                renamed={"fromPort": "from", "toPort": "to"},
            ),
            replaces=(
                "networkAclId",
                "ruleNumber",
                "egress",
                "protocol",
                "ruleAction",
                *ACL_RANGES,
                "fromPort",
                "toPort",
                "icmpType",
                "icmpCode",
                "region",
            ),
            kind=ACL_ENTRY_KIND,
            spelled=_capital,
            within="PortRange",
        ),
    )
)
"""Types that a plan or a program of ours makes."""

_RENAMED: Final = {
    "cidrBlock": "destinationCidrBlock",
    "ipv6CidrBlock": "destinationIpv6CidrBlock",
    "egressOnlyGatewayId": "egressOnlyInternetGatewayId",
}


def _table(*names: str, without: tuple[str, ...] = ()) -> Record:
    """Inputs of a route table, with the routes that stand in it."""
    targets = tuple(key for key in TARGETS if key not in without)
    inline = Record(dict.fromkeys((*_RENAMED, "destinationPrefixListId", *targets), Text()), renamed=_RENAMED)
    return Record({**fields(*names, "propagatingVgws").fields, "routes": Items(inline)})


def _acl(*names: str) -> Record:
    """Inputs of a network ACL, with the entries that stand in it."""
    inline = Record(dict.fromkeys(("action", "ruleNo", "protocol", *ACL_RANGES, "fromPort", "toPort"), Anything()))
    return Record({**fields(*names, "subnetIds").fields, "egress": Items(inline), "ingress": Items(inline)})


_LEGACY: Final = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "self", "protocol", "fromPort", "toPort")
_OF_RULE: Final = (*_LEGACY, "securityGroups")

NATIVE_RULE: Final = ResourceType(
    EGRESS_RULE,
    Record(
        dict.fromkeys(("securityGroupId", "ipProtocol", "fromPort", "toPort", *RULE_DESTINATIONS), Anything()),
        renamed={
            "securityGroupId": "groupId",
            "cidrIpv4": "cidrIp",
            "cidrIpv6": "cidrIpv6",
            "prefixListId": "destinationPrefixListId",
            "referencedSecurityGroupId": "destinationSecurityGroupId",
        },
    ),
)
"""An egress rule as CloudFormation has it (AWS::EC2::SecurityGroupEgress, read 2026-11-29)."""

READ: Final = types_by_token(
    (
        ResourceType(
            VPC, fields("cidrBlock", "ipv6CidrBlock"), ("defaultRouteTableId", "mainRouteTableId"), spelled=as_aws
        ),
        ResourceType(
            SUBNET, fields("vpcId", "cidrBlock", *SUBNET_IPV6), spelled=as_aws
        ),
        ResourceType(VPC_RANGES[0], fields("vpcId", "cidrBlock"), spelled=as_aws),
        ResourceType(VPC_RANGES[1], fields("vpcId", "ipv6CidrBlock"), spelled=as_aws),
        ResourceType(INSTANCE, fields("subnetId"), spelled=as_aws),
        ResourceType(ROUTE_TABLE, _table("vpcId"), spelled=as_aws),
        ResourceType(
            DEFAULT_ROUTE_TABLE,
            _table("defaultRouteTableId", without=("carrierGatewayId", "localGatewayId", "odbNetworkArn")),
            ("vpcId",),
            spelled=as_aws,
        ),
        ResourceType(SUBNET_TABLE, fields("routeTableId", "subnetId"), spelled=as_aws),
        ResourceType(MAIN_TABLE, fields("routeTableId", "vpcId"), spelled=as_aws),
        ResourceType(PROPAGATION, fields("routeTableId"), spelled=as_aws),
        ResourceType(INTERNET_GATEWAY, fields("vpcId"), spelled=as_aws),
        ResourceType(EGRESS_GATEWAY, fields("vpcId"), spelled=as_aws),
        ResourceType(NAT_GATEWAY, fields("subnetId"), spelled=as_aws),
        ResourceType(
            VPC_ENDPOINT, fields("routeTableIds", "serviceName"), ("prefixListId",), spelled=as_aws
        ),
        ResourceType(ENDPOINT_TABLE, fields("routeTableId", "vpcEndpointId"), spelled=as_aws),
        ResourceType(TRANSIT_ATTACHMENT, fields("transitGatewayId", "vpcId", "subnetIds"), spelled=as_aws),
        ResourceType(
            TRANSIT_TABLE, fields("transitGatewayAttachmentId", "transitGatewayRouteTableId"), spelled=as_aws
        ),
        ResourceType(
            TRANSIT_ROUTE,
            fields("destinationCidrBlock", "blackhole", "transitGatewayAttachmentId", "transitGatewayRouteTableId"),
            spelled=as_aws,
        ),
        ResourceType(
            TRANSIT_PREFIXES,
            fields("prefixListId", "blackhole", "transitGatewayAttachmentId", "transitGatewayRouteTableId"),
            spelled=as_aws,
        ),
        ResourceType(SECURITY_GROUP, fields(*(f"egress[].{each}" for each in _OF_RULE)), spelled=as_aws),
        ResourceType(DEFAULT_GROUP, fields(*(f"egress[].{each}" for each in _OF_RULE)), spelled=as_aws),
        ResourceType(
            LEGACY_RULE, fields("type", "securityGroupId", "sourceSecurityGroupId", *_LEGACY), spelled=as_aws
        ),
        ResourceType(PREFIX_LIST_ENTRY, fields("cidr", "description", "prefixListId"), spelled=as_aws),
        ResourceType(ACL, _acl()),
        ResourceType(DEFAULT_ACL, _acl("defaultNetworkAclId")),
    )
)  # fmt: skip
"""Types that are read where they stand, and never made here."""

UNREAD: Final = (
    UnreadType(ACL, "egress of a network ACL", ("egress",)),
    UnreadType(DEFAULT_ACL, "egress of a network ACL", ("egress",)),
    UnreadType(ACL_ENTRY, "an entry of a network ACL"),
    UnreadType(NATIVE_GROUP, "egress of a security group", ("securityGroupEgress",)),
    UnreadType("aws-native:ec2:NetworkAclEntry", "an entry of a network ACL"),
    UnreadType("aws-native:ec2:PrefixList", "entries of a prefix list", ("entries",)),
)
"""Types that decide where packets may go, and that nothing reads; of network ACLs, where none of their entries is for a
single address, which alone makes them a place that is judged."""
