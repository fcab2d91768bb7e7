"""Every row of a resource type is held to the SDK's inputs and to the cloud's own description of its API, name by name."""

import ast
import collections.abc
import inspect
import json
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pulumi
import pytest
from botocore.loaders import Loader  # type: ignore[import-untyped]
from pulumi import _types

from hostgate.aws import resources as aws
from hostgate.aws import resources_ec2, resources_firewall, resources_ram, resources_resolver
from hostgate.azure import resources as azure
from hostgate.azure.resources_bridged import BRIDGED
from hostgate.gcp import resources as gcp
from hostgate.gcp import resources_dns as dns
from hostgate.gcp import resources_proxy as proxy
from hostgate.gcp.resources_url_filter import ROWS as URL_FILTER_ROWS
from hostgate.planning.resource_types import ResourceType, UnreadType
from hostgate.planning.shapes import Entries, Items, OneOfKinds, Record, Shape, Text

ROWS = [row for cloud in (aws, gcp, azure) for row in (*cloud.TYPES.values(), *cloud.READ.values())]
UNREAD = [each for cloud in (aws, gcp, azure) for each in cloud.UNREAD]
AT_TIMES = {resources_ec2.ACL, resources_ec2.DEFAULT_ACL, resources_ec2.ACL_ENTRY}
"""Read where an entry of the network ACL is for a single address, and said to be unread elsewhere."""
INSTALLED = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure-native": "pulumi_azure_native"}
PACKAGE = Path(inspect.getfile(resources_firewall)).parents[1]

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.token)


@cache
def sdk_class(token: str) -> Any:
    """The class of the SDK, if it makes resources of the token. Raises LookupError."""
    package, module, name = token.split(":")
    made = getattr(import_module(f"{INSTALLED[package]}.{module.partition('/')[0]}"), name, None)
    if made is None or f"'{token}'" not in inspect.getsource(made):
        raise LookupError(token)
    return made


def inputs_of(token: str) -> Any:
    """The input type of a resource: `InitArgs` where `Args` is that of the same thing within another."""
    made = sdk_class(token)
    own = getattr(import_module(made.__module__), f"{made.__name__}InitArgs", None)
    return own or inspect.getmodule(made).__dict__[f"{made.__name__}Args"]


def strangers(shape: Shape, expected: Any, path: str = "") -> list[str]:
    """The names of a shape that `expected`, a type of the SDK, does not have, and lists where it has none."""
    origin, parts = typing.get_origin(expected), typing.get_args(expected)
    if isinstance(shape, OneOfKinds):
        return [found for kind in shape.kinds.values() for found in strangers(kind, expected, path)]
    if origin is typing.Union:
        skipped = (collections.abc.Awaitable, pulumi.Output)
        plain = [part for part in parts if typing.get_origin(part) not in skipped and not typing.is_typeddict(part)]
        return min((strangers(shape, part, path) for part in plain if part is not type(None)), key=len)
    if isinstance(shape, Items):
        return strangers(shape.of, parts[0], f"{path}[]") if origin is collections.abc.Sequence else [f"{path}: a list"]
    if isinstance(shape, Entries):
        return [] if origin is collections.abc.Mapping else [f"{path}: a map"]
    if not isinstance(shape, Record):
        return []
    if not (isinstance(expected, type) and _types.is_input_type(expected)):
        return [f"{path}: an object"]
    known = _types.input_type_types(expected)
    return [
        found
        for name, below in shape.fields.items()
        for found in (strangers(below, known[name], f"{path}.{name}") if name in known else [f"{path}.{name}"])
    ]


@each_row
def test_every_input_of_a_row_is_one_of_the_sdks_input_type(row: ResourceType) -> None:
    assert strangers(row.inputs, inputs_of(row.token)) == []


@each_row
def test_what_the_cloud_computes_is_an_output_of_the_sdks_resource(row: ResourceType) -> None:
    assert set(row.computed) <= set(_types.resource_types(sdk_class(row.token)))


@each_row
def test_what_replaces_is_configured_or_names_the_object_is_an_input(row: ResourceType) -> None:
    named = (row.auto_name.property,) if row.auto_name else ()
    for path in (*row.replaces, *row.configured, *named):
        shape: Shape = row.inputs
        for key in path.split("."):
            assert isinstance(shape, Record)
            shape = shape.fields[key]


@pytest.mark.parametrize(
    "each", [each for each in UNREAD if each.token.split(":")[0] in INSTALLED], ids=lambda each: each.token
)
def test_a_type_that_is_not_read_is_one_of_the_sdk_with_the_inputs_that_are_asked_for(each: UnreadType) -> None:
    assert set(each.unless) <= set(_types.input_type_types(inputs_of(each.token)))


def test_tokens_of_providers_stand_in_rows_and_nowhere_else() -> None:
    """In rows of resources, and in rows of targets, which are read where nothing of a cloud may be loaded."""
    token = re.compile(r"\"(?:aws|gcp|azure|azure-native|aws-native):[\w-]+(?:/\w+)?:[A-Z]\w+\"")
    elsewhere = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if token.search(path.read_text()) and "resources" not in path.name and path.name != "__init__.py"
    ]
    assert elsewhere == []


def test_no_token_has_two_rows() -> None:
    unread = [each for each in UNREAD if each.token not in AT_TIMES]
    tokens = [each.token for each in (*ROWS, *unread)] + list(aws.NATIVE) + list(BRIDGED)
    assert sorted(tokens) == sorted(set(tokens))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"capasity": Text()}, [".capasity"]),
        (
            {"ruleGroup": Record({"rulesSource": Record({"rules_string": Text()})})},
            [".ruleGroup.rulesSource.rules_string"],
        ),
        ({"ruleGroup": Items(Text())}, [".ruleGroup: a list"]),
    ],
)
def test_a_name_that_the_sdk_does_not_have_is_found_at_its_place(change: Mapping[str, Shape], found: list[str]) -> None:
    row = resources_firewall.RULE_GROUP_TYPE
    misspelt = replace(row.inputs, fields={**row.inputs.fields, **change})
    assert strangers(misspelt, inputs_of(row.token)) == found


def test_a_token_that_no_class_of_the_sdk_has_is_found() -> None:
    with pytest.raises(LookupError):
        sdk_class("aws:networkfirewall/rulegroup:RuleGroup")


# AWS: the service models that botocore ships.

REQUESTS = {
    resources_firewall.RULE_GROUP: ("network-firewall", "CreateRuleGroupRequest"),
    resources_firewall.FIREWALL_POLICY: ("network-firewall", "CreateFirewallPolicyRequest"),
    resources_firewall.FIREWALL: ("network-firewall", "CreateFirewallRequest"),
    resources_firewall.LOGGING: ("network-firewall", "UpdateLoggingConfigurationRequest"),
    resources_resolver.DOMAIN_LIST: ("route53resolver", "CreateFirewallDomainListRequest"),
    resources_resolver.RULE_GROUP: ("route53resolver", "CreateFirewallRuleGroupRequest"),
    resources_resolver.RULE: ("route53resolver", "CreateFirewallRuleRequest"),
    resources_resolver.ASSOCIATION: ("route53resolver", "AssociateFirewallRuleGroupRequest"),
    resources_resolver.PROFILE_RESOURCE: ("route53profiles", "AssociateResourceToProfileRequest"),
    resources_resolver.CONFIG: ("route53resolver", "UpdateFirewallConfigRequest"),
    resources_ec2.ROUTE: ("ec2", "CreateRouteRequest"),
    resources_ec2.PREFIX_LIST: ("ec2", "CreateManagedPrefixListRequest"),
    resources_ec2.EGRESS_RULE: ("ec2", "SecurityGroupRule"),
    resources_ec2.ACL_ENTRY: ("ec2", "CreateNetworkAclEntryRequest"),
    resources_ram.SHARE: ("ram", "CreateResourceShareRequest"),
    resources_firewall.ENDPOINT: ("network-firewall", "CreateVpcEndpointAssociationRequest"),
    resources_ec2.SUBNET: ("ec2", "CreateSubnetRequest"),
    resources_ec2.ROUTE_TABLE: ("ec2", "RouteTable"),
    resources_ec2.SUBNET_TABLE: ("ec2", "AssociateRouteTableRequest"),
    resources_ec2.PROPAGATION: ("ec2", "EnableVgwRoutePropagationRequest"),
    resources_ec2.INTERNET_GATEWAY: ("ec2", "AttachInternetGatewayRequest"),
    resources_ec2.EGRESS_GATEWAY: ("ec2", "CreateEgressOnlyInternetGatewayRequest"),
    resources_ec2.NAT_GATEWAY: ("ec2", "CreateNatGatewayRequest"),
    resources_ec2.VPC_ENDPOINT: ("ec2", "CreateVpcEndpointRequest"),
    resources_ec2.TRANSIT_ATTACHMENT: ("ec2", "CreateTransitGatewayVpcAttachmentRequest"),
    resources_ec2.TRANSIT_TABLE: ("ec2", "AssociateTransitGatewayRouteTableRequest"),
    resources_ec2.TRANSIT_ROUTE: ("ec2", "CreateTransitGatewayRouteRequest"),
}
OF_THE_PROVIDER = {
    "From", "To", "IcmpType", "IcmpCode",  # of an entry of a network ACL: within PortRange and IcmpTypeCode
    "ReferencedGroupId",  # of a rule that is asked for; one that stands has it in ReferencedGroupInfo
    "Timeouts",  # for how long the provider waits
    "Region",  # of the provider's configuration
    "VpcEndpointId",  # of a route that stands in its table: CreateRoute takes it, and a table shows it as GatewayId
    "Domains",  # of a domain list: a call of its own, UpdateFirewallDomains
    "AllowExternalPrincipals", "Name", "PermissionArns", "Tags",  # of a share: camelCase in the API, not in CloudFormation
}  # fmt: skip


@cache
def service(name: str) -> dict[str, Any]:
    return dict(Loader().load_service_model(name, "service-2")["shapes"])


def unknown_to_aws(
    row: ResourceType, shape: Shape, model: Mapping[str, Any], known: Mapping[str, Any], path: str
) -> Iterator[str]:
    kind = model["type"]
    if isinstance(shape, Items) and shape.keyed:
        assert isinstance(shape.of, Record)
        if kind != "map":
            yield f"{path}: a map"
        else:
            yield from unknown_to_aws(
                row, shape.of.fields[shape.keyed], known[model["value"]["shape"]], known, f"{path}[]"
            )
    elif isinstance(shape, Items):
        below = known[model["member"]["shape"]] if kind == "list" else model
        yield from unknown_to_aws(row, shape.of, below, known, f"{path}[]")
    elif isinstance(shape, Record):
        for name, below in shape.fields.items():
            spelled = row.spelled(shape.renamed.get(name, name))
            member = model.get("members", {}).get(spelled)
            if member is not None:
                yield from unknown_to_aws(row, below, known[member["shape"]], known, f"{path}.{spelled}")
            elif spelled not in OF_THE_PROVIDER:
                yield f"{path}.{spelled}"


@pytest.mark.parametrize("token", REQUESTS)
def test_every_name_of_an_aws_row_is_one_of_the_service_model(token: str) -> None:
    name, request = REQUESTS[token]
    row, known = {**aws.TYPES, **aws.READ}[token], service(name)
    assert list(unknown_to_aws(row, row.inputs, known[request], known, "")) == []


def test_every_type_of_aws_that_plans_make_is_compared_with_the_service_model() -> None:
    assert {row.token for row in aws.TYPES.values() if row.kind} <= set(REQUESTS)


# Google Cloud: the discovery documents that google-api-python-client ships.

SCHEMAS = {
    gcp.POLICY: ("compute.v1", "FirewallPolicy"),
    gcp.RULE: ("compute.v1", "FirewallPolicyRule"),
    gcp.ASSOCIATION: ("compute.v1", "FirewallPolicyAssociation"),
    gcp.ORGANISATION_RULE: ("compute.v1", "FirewallPolicyRule"),
    gcp.ORGANISATION_POLICY: ("compute.v1", "FirewallPolicy"),
    gcp.POLICY_WITH_RULES: ("compute.v1", "FirewallPolicy"),
    gcp.CLASSIC: ("compute.v1", "Firewall"),
    gcp.NETWORK: ("compute.v1", "Network"),
    gcp.ADDRESS_GROUP: ("networksecurity.v1", "AddressGroup"),
    **{row.token: ("networksecurity.v1", row.kind.rpartition("/")[2]) for row in URL_FILTER_ROWS},
    proxy.URL_LIST: ("networksecurity.v1", "UrlList"),
    proxy.POLICY: ("networksecurity.v1", "GatewaySecurityPolicy"),
    proxy.RULE: ("networksecurity.v1", "GatewaySecurityPolicyRule"),
    proxy.AUTHZ_POLICY: ("networksecurity.v1", "AuthzPolicy"),
    proxy.GATEWAY: ("networkservices.v1", "Gateway"),
    proxy.POLICY_ROUTE: ("networkconnectivity.v1", "PolicyBasedRoute"),
    proxy.STATIC_ROUTE: ("compute.v1", "Route"),
    proxy.SUBNETWORK: ("compute.v1", "Subnetwork"),
    dns.RESPONSE_POLICY: ("dns.v1", "ResponsePolicy"),
    dns.RESPONSE_RULE: ("dns.v1", "ResponsePolicyRule"),
}
PLACES = {
    "project",
    "region",
    "location",
    "parent",
    "firewallPolicy",
    "gatewaySecurityPolicy",
    "responsePolicy",
    "deletionPolicy",
    "deleteSwgAutogenRouterOnDestroy",
    "nextHopInstanceZone",
    "destNetworkScope",
    "srcNetworkScope",
}
"""Said in the path of a call, to the provider only, or in beta."""
OTHERWISE = {"allows": "allowed", "denies": "denied", "protocol": "IPProtocol", "purposes": "purpose"}
"""Names of VPC firewall rules and address groups, as the provider has them and as the API has them."""


@cache
def discovery(name: str) -> dict[str, Any]:
    spec = find_spec("googleapiclient")
    assert spec is not None
    assert spec.origin is not None
    document = Path(spec.origin).parent / "discovery_cache" / "documents" / f"{name}.json"
    return dict(json.loads(document.read_text())["schemas"])


def unknown_to_google(shape: Shape, schema: Mapping[str, Any], known: Mapping[str, Any], path: str) -> Iterator[str]:
    schema = known[schema["$ref"]] if "$ref" in schema else schema
    if isinstance(shape, Items):
        yield from (
            unknown_to_google(shape.of, schema["items"], known, f"{path}[]") if schema["type"] == "array" else [path]
        )
    elif isinstance(shape, Record):
        for name, below in shape.fields.items():
            spelled = name if name in schema["properties"] else OTHERWISE.get(name, name)
            if spelled in schema["properties"]:
                yield from unknown_to_google(below, schema["properties"][spelled], known, f"{path}.{spelled}")
            elif name not in PLACES:
                yield f"{path}.{name}"


@pytest.mark.parametrize("token", SCHEMAS)
def test_every_name_of_a_google_row_is_one_of_the_discovery_document(token: str) -> None:
    name, schema = SCHEMAS[token]
    row = {**gcp.TYPES, **gcp.READ}[token]
    assert list(unknown_to_google(row.inputs, discovery(name)[schema], discovery(name), "")) == []


# The evaluators.


def names_of(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Items):
        yield from names_of(shape.of)
    elif isinstance(shape, OneOfKinds):
        yield shape.tag
        for kind in shape.kinds.values():
            yield from names_of(kind)
    elif isinstance(shape, Record):
        for name, below in shape.fields.items():
            yield name
            yield from names_of(below)


def names_read(module: Path) -> Iterator[str]:
    """Names that a module reads by name, as `.at("x", "y")`, `.properties.get("x")` and `.referred(each, "x", ...)`."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = node.func.value
            properties = isinstance(holder, ast.Attribute) and holder.attr == "properties"
            if node.func.attr in ("at", "referred") or (node.func.attr == "get" and properties):
                for given in node.args:
                    if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value:
                        yield given.value


def output_names(expected: Any) -> set[str]:
    """The names of an output type of the SDK, at every level."""
    parts = typing.get_args(expected)
    if parts:
        return set().union(*map(output_names, parts))
    if not (isinstance(expected, type) and _types.is_output_type(expected)):
        return set()
    below = _types.output_type_types(expected)
    return set(below).union(*map(output_names, below.values()))


@pytest.mark.parametrize(
    ("token", "output", "names"),
    [
        (resources_firewall.FIREWALL, "firewallStatuses", {"syncStates", "attachments", "endpointId"}),
        (
            resources_firewall.ENDPOINT,
            "vpcEndpointAssociationStatuses",
            {"associationSyncStates", "attachments", "endpointId"},
        ),
        (azure.FIREWALL, "ipConfigurations", {"privateIPAddress"}),
    ],
)
def test_what_is_read_below_an_output_is_an_output_of_the_sdk(token: str, output: str, names: set[str]) -> None:
    assert names <= output_names(_types.resource_types(sdk_class(token))[output])


@pytest.mark.parametrize(
    ("cloud", "also"),
    [
        ("aws", {"attachments", "endpointId", "endpointIds"}),  # outputs of firewalls and their endpoints
        ("gcp", set()),
        # A name of a classic firewall's additional properties, an output of it, and an input of the twin's association.
        ("azure", {"Network.DNS.EnableProxy", "privateIPAddress", "subnetId"}),
    ],
)
def test_an_evaluator_reads_no_name_that_no_row_has(cloud: str, also: set[str]) -> None:
    rows = {"aws": aws, "gcp": gcp, "azure": azure}[cloud]
    known = {
        name for row in (*rows.TYPES.values(), *rows.READ.values()) for name in (*names_of(row.inputs), *row.computed)
    }
    modules = [*(PACKAGE / cloud).glob("evaluate*.py"), PACKAGE / cloud / "rule_steps.py"]
    modules += (PACKAGE / cloud).glob("routes.py")
    assert {name for module in modules for name in names_read(module)} - known == also
