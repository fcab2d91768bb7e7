"""What no simulated cloud knows: resources and functions as the installed SDKs tell them, values by their types."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox import opaque
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.clouds import clouds_of_engine
from hostgate.sandbox.enforcement_points import points, snapshot_of
from hostgate.sandbox.functions import account_of, answer
from hostgate.sandbox.lifecycle import Account
from hostgate.sandbox.schema import schema_of
from hostgate.sandbox.sdk import Sdk, resource_of, sdks
from hostgate.sandbox.wire_values import ARCHIVE_SIGNATURE, SIGNATURE, UNKNOWN_ON_WIRE, from_struct, to_struct
from sandbox.provider_calls import AWS_FIREWALL, AWS_GROUP, AWS_POLICY, Aborted, Deployment, group, policy

WriteProject = Callable[..., Path]

VPC, SUBNET, ROUTE = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/route:Route"
AZURE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers"


@pytest.fixture
def engine(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


# What the SDKs say


@pytest.mark.parametrize("package", ["aws", "azure-native", "gcp"])
def test_every_hundredth_type_and_function_of_an_sdk_is_read_whole(package: str) -> None:
    sdk = sdks()[package]
    types = [sdk.resource(token) for token in [*sdk.tokens()][::100]]
    assert len(types) > 10
    assert [each for each in types if each is None or not each.outputs] == []
    functions = [*dict.fromkeys(sdk.functions())][::100]
    answers = [each for each in map(sdk.function, functions) if each is not None]
    # What an SDK gives by a single value has no class of its own.
    assert len(answers) > 0.8 * len(functions)
    assert all(each.outputs for each in answers)


def test_simulated_types_are_in_the_sdks_with_all_inputs_that_their_rows_name() -> None:
    """The reading of SDKs is held to the rows, which are held to the SDKs' own classes elsewhere."""
    for cloud in clouds_of_engine().values():
        for token, row in cloud.types.items():
            told = resource_of(token)
            assert told is not None, token
            assert set(row.inputs.fields) <= set(told.inputs), token


def test_a_folder_that_is_no_sdk_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    sdk = Sdk("none", "1.0.0", tmp_path)
    assert (sdk.resource("none:index:X"), sdk.function("none:index:getX"), [*sdk.tokens()]) == (None, None, [])


IDS: list[tuple[str, dict[str, Any], str]] = [
    (VPC, {}, r"vpc-[0-9a-f]{17}"),
    (SUBNET, {"vpcId": "v"}, r"subnet-[0-9a-f]{17}"),
    ("aws:ec2/instance:Instance", {}, r"i-[0-9a-f]{17}"),
    ("aws:ec2/securityGroup:SecurityGroup", {"name": "a"}, r"sg-[0-9a-f]{17}"),
    ("aws:ec2/networkAcl:NetworkAcl", {"vpcId": "v"}, r"acl-[0-9a-f]{17}"),
    ("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", {"defaultNetworkAclId": "acl-0a1"}, "acl-0a1"),
    ("aws:iam/role:Role", {"name": "node"}, "node"),
    ("aws:iam/policy:Policy", {"name": "p"}, "arn:aws:iam::123456789012:policy/p"),
    ("aws:s3/bucket:Bucket", {"bucket": "logs"}, "logs"),
    ("aws:eks/cluster:Cluster", {"name": "k"}, "k"),
    ("aws:eks/nodeGroup:NodeGroup", {"clusterName": "k", "nodeGroupName": "n"}, "k:n"),
    ("aws:route53/record:Record", {"name": "www", "zoneId": "Z1", "type": "A"}, r"record-[0-9a-f]{17}"),
    ("gcp:compute/network:Network", {"name": "main"}, "projects/acme/global/networks/main"),
    ("gcp:compute/instance:Instance", {"name": "i", "zone": "z-b"}, "projects/acme/zones/z-b/instances/i"),
    ("gcp:container/cluster:Cluster", {"name": "k", "location": "r"}, "projects/acme/locations/r/clusters/k"),
    ("gcp:iap/tunnelIamMember:TunnelIamMember", {"role": "roles/r", "member": "user:a"},
     "projects/acme/iap_tunnel/roles/r/user:a"),
    ("gcp:compute/attachedDisk:AttachedDisk", {"instance": "i", "disk": "d"},
     "projects/acme/zones/eu-central-1-a/instances/i/d"),
    ("gcp:serviceaccount/account:Account", {"accountId": "n"},
     "projects/acme/serviceAccounts/n@acme.iam.gserviceaccount.com"),
    ("azure-native:network:VirtualNetwork", {"resourceGroupName": "rg", "virtualNetworkName": "hub"},
     f"{AZURE}/Microsoft.Network/virtualNetworks/hub"),
    ("azure-native:network:Subnet", {"resourceGroupName": "rg", "virtualNetworkName": "hub", "subnetName": "a"},
     f"{AZURE}/Microsoft.Network/virtualNetworks/hub/subnets/a"),
    ("azure-native:containerservice:ManagedCluster", {"resourceGroupName": "rg", "resourceName": "aks"},
     f"{AZURE}/Microsoft.ContainerService/managedClusters/aks"),
    ("azure-native:network:AzureFirewall", {"resourceGroupName": "rg", "azureFirewallName": "fw"},
     f"{AZURE}/Microsoft.Network/azureFirewalls/fw"),
    ("azure-native:authorization:RoleAssignment", {"scope": "/subscriptions/s", "roleAssignmentName": "r"},
     "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/r"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "inputs", "wanted"), IDS, ids=[case[0] for case in IDS])
def test_an_id_has_the_form_of_the_clouds(token: str, inputs: dict[str, Any], wanted: str) -> None:
    life = opaque.lifecycle(token)
    assert life is not None
    assert re.fullmatch(wanted, life.place(inputs, Account(project="acme")))


@pytest.mark.parametrize(
    ("token", "property_"),
    [
        (VPC, None),
        ("aws:iam/role:Role", "name"),
        ("aws:s3/bucket:Bucket", "bucket"),
        ("gcp:compute/network:Network", "name"),
        ("azure-native:network:Subnet", "subnetName"),
        ("azure-native:containerservice:ManagedCluster", "resourceName"),
        ("azure-native:compute:VirtualMachine", "vmName"),
    ],
)
def test_a_name_is_made_up_where_the_provider_does_so(token: str, property_: str | None) -> None:
    type_ = opaque.type_of(token)
    assert type_ is not None
    assert (type_.auto_name and type_.auto_name.property) == property_


# One object, from Check to Delete


def test_inputs_pass_and_the_rest_is_made_up_and_stays(engine: Deployment) -> None:
    id_, outputs = engine.create(VPC, "main", {"cidrBlock": "10.20.0.0/16", "tags": {"Name": "main"}})
    assert outputs["cidrBlock"] == "10.20.0.0/16"
    assert outputs["tagsAll"] == {"Name": "main"}
    assert outputs["arn"] == f"arn:aws:ec2:eu-central-1:123456789012:vpc/{id_}"
    assert re.fullmatch(r"rtb-[0-9a-f]{17}", outputs["mainRouteTableId"])
    assert from_struct(engine.read(VPC, id_).properties) == outputs
    changed = engine.update(VPC, id_, {"cidrBlock": "10.20.0.0/16", "tags": {"Name": "other"}}, outputs)
    assert changed == {**outputs, "tags": {"Name": "other"}, "tagsAll": {"Name": "other"}}
    engine.delete(VPC, id_)
    assert engine.state.objects() == []


def test_two_objects_with_the_same_inputs_are_two(engine: Deployment) -> None:
    assert len({engine.create(VPC, name, {"cidrBlock": "10.20.0.0/16"})[0] for name in "ab"}) == 2


def test_what_a_cloud_adds_inside_given_inputs_is_there_too(engine: Deployment) -> None:
    given = {"name": "k", "roleArn": "arn:aws:iam::1:role/r", "vpcConfig": {"subnetIds": ["subnet-1"]}}
    _, cluster = engine.create("aws:eks/cluster:Cluster", "k", given)
    assert cluster["vpcConfig"]["subnetIds"] == ["subnet-1"]
    assert cluster["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")
    assert cluster["identities"][0]["oidcs"][0]["issuer"] == "https://k.sandbox.invalid"
    network = {"resourceGroupName": "rg", "virtualNetworkName": "hub", "subnets": [{"name": "nodes"}]}
    id_, hub = engine.create("azure-native:network:VirtualNetwork", "hub", network)
    assert hub["subnets"][0]["id"] == f"{id_}/subnets/nodes"


def test_a_list_that_may_be_given_and_was_not_is_empty(engine: Deployment) -> None:
    _, made = engine.create("aws:ec2/securityGroup:SecurityGroup", "sg", {"name": "sg"})
    assert (made["ingress"], made["egress"]) == ([], [])


def test_identities_of_azure_are_asked_for_as_a_list_and_told_by_their_ids() -> None:
    given = {
        "resourceGroupName": "rg",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": ["/ids/a", "/ids/b"]},
    }
    told: Any = opaque.preview_outputs("azure-native:app:Job", given)["identity"]["userAssignedIdentities"]
    assert told.keys() == {"/ids/a", "/ids/b"}
    given["identity"] = {"type": "UserAssigned", "userAssignedIdentities": [UNKNOWN]}
    assert opaque.preview_outputs("azure-native:app:Job", given)["identity"]["userAssignedIdentities"] is UNKNOWN


def test_an_archive_comes_back_as_one(engine: Deployment) -> None:
    code = {SIGNATURE: ARCHIVE_SIGNATURE, "hash": "ab", "assets": {}}
    given = {"name": "f", "role": "arn:aws:iam::1:role/r", "code": code}
    assert engine.create("aws:lambda/function:Function", "f", given)[1]["code"] == code


def test_in_a_preview_what_the_cloud_computes_is_unknown(engine: Deployment) -> None:
    request = provider_pb2.CreateRequest(
        urn=f"urn:pulumi:dev::demo::{VPC}::v",
        type=VPC,
        properties=to_struct({"cidrBlock": "10.0.0.0/16"}),
        preview=True,
    )
    shown = from_struct(engine.provider(VPC).Create(request, engine.context).properties)
    assert (shown["cidrBlock"], shown["arn"]) == ("10.0.0.0/16", UNKNOWN_ON_WIRE)
    assert "tags" not in shown


@pytest.mark.parametrize(
    ("token", "inputs", "says"),
    [
        (VPC, {"cidrBlok": "10.0.0.0/16"}, "v (aws:ec2/vpc:Vpc) cidrBlok: unknown property"),
        (VPC, {"cidr_block": "10.0.0.0/16"}, "snake_case that the SDK did not translate"),
        (SUBNET, {"cidrBlock": "10.0.0.0/24"}, "v (aws:ec2/subnet:Subnet) vpcId: missing"),
        ("azure-native:network:Subnet", {"resourceGroupName": "rg"}, "virtualNetworkName: missing"),
        ("gcp:compute/routerNat:RouterNat", {"name": "n"}, "router: missing"),
    ],
)
def test_names_of_inputs_are_checked(engine: Deployment, token: str, inputs: dict[str, Any], says: str) -> None:
    assert any(says in failure.reason for failure in engine.answer(token, "v", inputs).failures)


@pytest.mark.parametrize(
    ("token", "olds", "news", "replaced"),
    [
        ("aws:iam/role:Role", {"name": "a"}, {"name": "b"}, ["name"]),
        (VPC, {"tags": {"a": "b"}}, {"tags": {}}, []),
        ("gcp:compute/network:Network", {"name": "a"}, {"name": "b"}, ["name"]),
        ("azure-native:network:VirtualNetwork", {"location": "a"}, {"location": "b"}, ["location"]),
    ],
)
def test_what_an_id_is_made_of_replaces(
    engine: Deployment, token: str, olds: Mapping[str, Any], news: Mapping[str, Any], replaced: list[str]
) -> None:
    assert list(engine.diff(token, olds, news).replaces) == replaced


def test_an_object_without_inputs_does_not_change_by_itself(engine: Deployment) -> None:
    id_, outputs = engine.create("aws:ec2/eip:Eip", "e", {})
    request = provider_pb2.DiffRequest(
        urn="urn:pulumi:dev::demo::aws:ec2/eip:Eip::e", type="aws:ec2/eip:Eip", id=id_, olds=to_struct(outputs),
        old_inputs=to_struct({}), news=to_struct({}),
    )  # fmt: skip
    assert [*engine.provider(VPC).Diff(request, engine.context).diffs] == []


def test_an_object_that_was_there_before_can_be_looked_up_and_not_adopted(engine: Deployment) -> None:
    found = engine.read(VPC, "vpc-12345678")
    assert from_struct(found.properties)["arn"].endswith("vpc/vpc-12345678")
    request = provider_pb2.DiffRequest(
        urn=f"urn:pulumi:dev::demo::{VPC}::v", type=VPC, id="vpc-12345678", olds=found.properties,
        news=to_struct({"cidrBlock": "10.0.0.0/16"}),
    )  # fmt: skip
    with pytest.raises(Aborted, match="vpc-12345678 cannot be adopted here: aws:ec2/vpc:Vpc is not simulated"):
        engine.provider(VPC).Diff(request, engine.context)


def test_what_was_removed_by_hand_is_gone_for_a_refresh(engine: Deployment) -> None:
    id_, _ = engine.create(VPC, "v", {"cidrBlock": "10.0.0.0/16"})
    engine.delete(VPC, id_)
    assert engine.read(VPC, id_, {"cidrBlock": "10.0.0.0/16"}).id == ""


@pytest.mark.parametrize(("asked", "refused"), [("7.3.0", False), ("7.999.0", False), ("6.1.0", True), ("8.0.0", True)])
def test_every_version_of_the_major_is_served_and_others_are_refused_by_name(
    engine: Deployment, asked: str, refused: bool
) -> None:
    request = provider_pb2.CheckRequest(urn="u", news=to_struct({"version": asked}))
    failures = engine.provider(VPC).CheckConfig(request, engine.context).failures
    assert bool(failures) == refused
    assert all(f"asks for version {asked} of the provider aws" in each.reason for each in failures)


# Nothing that is made up decides


def firewalled(engine: Deployment) -> str:
    """A firewall with endpoints in two subnets; the id of the VPC's first subnet."""
    vpc, _ = engine.create(VPC, "v", {"cidrBlock": "10.0.0.0/16"})
    zones = ("eu-central-1c", "eu-central-1a")
    subnets = [engine.create(SUBNET, zone, {"vpcId": vpc, "availabilityZone": zone})[0] for zone in zones]
    arn, _ = engine.create(AWS_GROUP, "g", group())
    policy_arn, _ = engine.create(AWS_POLICY, "p", policy(arn))
    mappings = [{"subnetId": subnet} for subnet in subnets]
    inputs = {"name": "fw", "firewallPolicyArn": policy_arn, "vpcId": vpc, "subnetMappings": mappings}
    _, made = engine.create(AWS_FIREWALL, "fw", inputs)
    states = made["firewallStatuses"][0]["syncStates"]
    assert [(each["availabilityZone"], each["attachments"][0]["subnetId"]) for each in states] == [
        *zip(zones, subnets, strict=True)
    ]
    return subnets[0]


def test_an_endpoint_is_in_the_zone_of_its_subnet(engine: Deployment) -> None:
    firewalled(engine)


def test_a_snapshot_holds_of_an_opaque_object_what_was_given_and_what_it_goes_by(engine: Deployment) -> None:
    engine.create("aws:ec2/routeTable:RouteTable", "t", {"vpcId": "vpc-1"})
    engine.create(VPC, "v", {"cidrBlock": "10.0.0.0/16"})
    table, vpc = snapshot_of(engine.state.objects()).resources
    assert "routes" not in table.properties  # nobody gave any: as in a preview
    assert vpc.properties["cidrBlock"] == "10.0.0.0/16"
    assert vpc.properties["arn"].endswith(vpc.id)
    assert vpc.properties["mainRouteTableId"] is UNKNOWN


def test_opaque_objects_around_a_firewall_change_no_verdict(engine: Deployment) -> None:
    arn, _ = engine.create(AWS_GROUP, "g", group())
    engine.create(AWS_POLICY, "p", policy(arn))
    flows = [Flow(name, source="10.0.0.1") for name in ("cgr.dev", "evil.example")]
    before = [point.verdict(flow) for point in points(engine.state.objects()) for flow in flows]
    for number, token in enumerate(("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/natGateway:NatGateway", VPC)):
        engine.create(token, f"o{number}", {})
    assert [point.verdict(flow) for point in points(engine.state.objects()) for flow in flows] == before
    assert [verdict.action for verdict in before] == ["unknown", "block"]


def test_a_route_leads_to_an_endpoint_that_is_not_simulated(engine: Deployment) -> None:
    own, _ = engine.create("aws:ec2/vpcEndpoint:VpcEndpoint", "e", {"vpcId": "vpc-1", "serviceName": "s"})
    route = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}
    engine.create(ROUTE, "r", {**route, "vpcEndpointId": own})
    with pytest.raises(Aborted, match="vpce-none does not exist"):
        engine.create(ROUTE, "s", {**route, "routeTableId": "rtb-9", "vpcEndpointId": "vpce-none"})


# Functions

HERE = Account(region="eu-west-1", project="acme")
ANSWERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("aws:index/getCallerIdentity:getCallerIdentity", {}, {"accountId": "123456789012"}),
    ("aws:index/getRegion:getRegion", {}, {"region": "eu-west-1", "name": "eu-west-1"}),
    ("aws:index/getPartition:getPartition", {}, {"partition": "aws", "dnsSuffix": "amazonaws.com"}),
    ("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"},
     {"names": ["eu-west-1a", "eu-west-1b", "eu-west-1c"], "state": "available"}),
    ("aws:index/getAvailabilityZones:getAvailabilityZones", {"excludeNames": ["eu-west-1b"]},
     {"names": ["eu-west-1a", "eu-west-1c"]}),
    ("aws:ec2/getAmi:getAmi", {"mostRecent": True, "owners": ["amazon"]}, {"mostRecent": True}),
    ("aws:ec2/getVpc:getVpc", {"id": "vpc-1"}, {"id": "vpc-1", "cidrBlock": "10.0.0.0/16"}),
    ("gcp:organizations/getProject:getProject", {}, {"projectId": "acme", "number": "123456789012"}),
    ("gcp:organizations/getClientConfig:getClientConfig", {}, {"project": "acme", "region": "eu-west-1"}),
    ("gcp:compute/getZones:getZones", {"region": "europe-west4"},
     {"names": ["europe-west4-a", "europe-west4-b", "europe-west4-c"]}),
    ("gcp:compute/getNetwork:getNetwork", {"name": "main"},
     {"id": "projects/acme/global/networks/main", "name": "main"}),
    ("azure-native:authorization:getClientConfig", {}, {"subscriptionId": Account().subscription}),
    ("azure-native:resources:getResourceGroup", {"resourceGroupName": "rg"},
     {"name": "rg", "id": AZURE.removesuffix("/providers")}),
    ("azure-native:network:getVirtualNetwork", {"resourceGroupName": "rg", "virtualNetworkName": "hub"},
     {"id": f"{AZURE}/Microsoft.Network/virtualNetworks/hub", "name": "hub"}),
]  # fmt: skip


@pytest.mark.parametrize(("token", "given", "wanted"), ANSWERS, ids=[case[0] for case in ANSWERS])
def test_a_function_answers(token: str, given: dict[str, Any], wanted: dict[str, Any]) -> None:
    told = answer(token, given, HERE)
    assert told is not None
    assert {key: told.get(key) for key in wanted} == wanted
    assert told == answer(token, given, HERE)


def test_an_ami_and_subnets_have_ids_of_their_kind() -> None:
    image = answer("aws:ec2/getAmi:getAmi", {}, HERE)
    subnets = answer("aws:ec2/getSubnets:getSubnets", {"filters": []}, HERE)
    assert image is not None
    assert subnets is not None
    assert image["id"].startswith("ami-")
    assert [each.partition("-")[0] for each in subnets["ids"]] == ["subnet"] * 3


def test_a_policy_document_holds_what_the_program_said() -> None:
    statement = {
        "actions": ["sts:AssumeRole"],
        "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
        "conditions": [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]}],
    }
    told = answer("aws:iam/getPolicyDocument:getPolicyDocument", {"statements": [statement]}, HERE)
    assert told is not None
    assert json.loads(told["json"])["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Principal": {"Service": ["ec2.amazonaws.com"]},
            "Condition": {"StringEquals": {"aws:SourceAccount": ["1"]}},
        }
    ]


def test_what_the_clouds_hold_answers_for_itself(engine: Deployment) -> None:
    id_, made = engine.create(VPC, "v", {"cidrBlock": "10.77.0.0/16"})
    engine.create(VPC, "w", {"cidrBlock": "10.78.0.0/16"})
    told = answer("aws:ec2/getVpc:getVpc", {"id": id_}, HERE, engine.state.objects())
    assert told is not None
    assert (told["cidrBlock"], told["mainRouteTableId"]) == ("10.77.0.0/16", made["mainRouteTableId"])
    request = provider_pb2.InvokeRequest(tok="aws:ec2/getVpc:getVpc", args=to_struct({"id": id_}))
    found = engine.provider(VPC).Invoke(request, engine.context)
    assert from_struct(getattr(found, "return"))["cidrBlock"] == "10.77.0.0/16"


@pytest.mark.parametrize(
    ("package", "config", "region"),
    [
        ("aws", {"region": "us-east-2"}, "us-east-2"),
        ("aws", {}, "eu-central-1"),
        ("gcp", {}, "europe-west3"),
        ("azure-native", {"location": "northeurope"}, "northeurope"),
    ],
)
def test_whose_cloud_it_is_comes_from_the_providers_configuration(
    package: str, config: dict[str, str], region: str
) -> None:
    assert account_of(package, config).region == region


# The built-in preview

STACK = """
import pulumi_aws as aws

zones = aws.get_availability_zones(state="available")
vpc = aws.ec2.Vpc("main", cidr_block="10.20.0.0/16")
subnets = [aws.ec2.Subnet(f"s{i}", vpc_id=vpc.id, cidr_block=f"10.20.{i}.0/24", availability_zone=zone)
           for i, zone in enumerate(zones.names[:2])]
old = aws.ec2.Vpc.get("old", "vpc-12345678")
pulumi.export("zones", zones.names)
pulumi.export("arn", vpc.arn)
pulumi.export("old", old.arn)
"""
LINE = (
    "4 resources of 2 types are not simulated, what a cloud computes of them is made up: Subnet 2, Vpc 2; "
    "functions answered with made-up values: getAvailabilityZones"
)


def test_a_preview_shows_opaque_resources_and_says_so_in_one_line(project: WriteProject) -> None:
    result = preview(project(STACK), "dev", {"aws:region": "us-west-2"})
    by_name = {resource.name: resource for resource in result.resources}
    assert by_name["s0"].inputs == {
        "availabilityZone": "us-west-2a", "cidrBlock": "10.20.0.0/24", "vpcId": UNKNOWN
    }  # fmt: skip
    assert result.outputs == {
        "zones": ["us-west-2a", "us-west-2b", "us-west-2c"],
        "arn": UNKNOWN,
        "old": "arn:aws:ec2:us-west-2:123456789012:vpc/vpc-12345678",
    }
    assert [said.message for said in result.diagnostics] == [LINE]
    assert result.ok


def test_a_preview_asks_the_cloud_of_the_provider_that_a_call_names(project: WriteProject) -> None:
    program = """
        import pulumi_aws as aws

        eu = aws.Provider("eu", region="eu-north-1")
        pulumi.export("region", aws.get_region_output(opts=pulumi.InvokeOptions(provider=eu)).region)
    """
    assert preview(project(program), "dev", {"aws:region": "us-west-2"}).outputs == {"region": "eu-north-1"}


def test_nothing_made_up_is_nothing_said() -> None:
    assert opaque.made_up_line({}) == ""
    assert opaque.made_up_line({VPC: 1}).startswith("1 resource of 1 type is not simulated, ")


# The schema


def test_a_schema_has_what_a_program_in_yaml_names_in_any_of_its_spellings() -> None:
    schema = schema_of(sdks()["aws"], ["aws:ec2:Vpc", "aws:ec2/subnet:Subnet", "aws:getRegion", "aws:ec2:Nothing"])
    assert [*schema["resources"]] == [VPC, SUBNET]
    assert [*schema["functions"]] == ["aws:index/getRegion:getRegion"]
    vpc = schema["resources"][VPC]
    assert vpc["inputProperties"]["cidrBlock"] == {"type": "string"}
    assert "arn" in vpc["required"]
    assert schema["resources"][SUBNET]["requiredInputs"] == ["vpcId"]
    assert "region" in schema["provider"]["inputProperties"]


def test_every_type_that_a_schema_refers_to_is_in_it() -> None:
    wanted = ["gcp:container:Cluster", "azure-native:containerservice:ManagedCluster", "aws:wafv2:WebAcl"]
    for token in wanted:
        schema = schema_of(sdks()[token.partition(":")[0]], [token])
        referred = set(re.findall(r'"#/types/([^"]+)"', json.dumps(schema)))
        assert schema["resources"]
        assert referred == set(schema["types"])
