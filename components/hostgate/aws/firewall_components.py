"""What NetworkFirewallAllowlist makes around its policy and groups: firewall, logs, share; with their inputs."""

# No `from __future__ import annotations` here: the SDK's analyzer reads the annotations themselves.
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Required, TypedDict, TypeVar

import pulumi
import pulumi_aws
from pulumi_aws import networkfirewall

from hostgate.allowlist import Registration
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.policy_options import principal_objection, priorities_of, stateless_group_objection
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.targets import is_computed

Made = TypeVar("Made")


class EncryptionConfigurationArgs(TypedDict, total=False):
    """The key that encrypts what AWS stores."""

    key_id: pulumi.Input[str]
    """Of AWS KMS: ARN, id or alias."""
    type: str
    """CUSTOMER_KMS (the default) or AWS_OWNED_KMS_KEY."""


class FlowTimeoutsArgs(TypedDict, total=False):
    """How long the engine remembers a connection."""

    tcp_idle_timeout_seconds: Required[float]
    """Seconds without a packet, 60 to 6000."""


class SubnetMappingArgs(TypedDict, total=False):
    """A subnet that gets a firewall endpoint."""

    subnet_id: Required[pulumi.Input[str]]
    """Its id; each is in another Availability Zone."""
    ip_address_type: str
    """IPV4, IPV6 or DUALSTACK."""


class EndpointAssociationArgs(TypedDict, total=False):
    """Another endpoint of the firewall, in a subnet of any VPC."""

    vpc_id: Required[pulumi.Input[str]]
    """The VPC of the subnet."""
    subnet_id: Required[pulumi.Input[str]]
    """Id of the subnet."""
    ip_address_type: str
    """IPV4, IPV6 or DUALSTACK."""


class FirewallPlaceArgs(TypedDict, total=False):
    """Where a firewall stands, and what of it is protected; nothing unless given."""

    vpc_id: pulumi.Input[str]
    """The VPC, with subnetMappings."""
    subnet_mappings: list[SubnetMappingArgs]
    """One subnet in each Availability Zone."""
    transit_gateway_id: pulumi.Input[str]
    """A transit gateway in place of a VPC, with availabilityZoneIds."""
    availability_zone_ids: list[str]
    """Availability Zones that get an endpoint at the transit gateway."""
    delete_protection: bool
    """Whether it cannot be deleted."""
    subnet_change_protection: bool
    """Whether its subnets cannot change."""
    firewall_policy_change_protection: bool
    """Whether it cannot take another policy."""
    availability_zone_change_protection: bool
    """Whether its Availability Zones cannot change."""


class LogDestinationArgs(TypedDict, total=False):
    """Where logs of one type go."""

    log_type: Required[str]
    """ALERT, FLOW or TLS."""
    log_destination_type: Required[str]
    """S3, CloudWatchLogs or KinesisDataFirehose."""
    log_destination: Required[dict[str, pulumi.Input[str]]]
    """bucketName and prefix, logGroup, or deliveryStream."""


class GroupShareArgs(TypedDict, total=False):
    """With whom the rule groups are shared by AWS Resource Access Manager."""

    principals: Required[list[pulumi.Input[str]]]
    """Account ids, and ARNs of organizations and organizational units."""
    allow_external_principals: bool
    """Whether accounts outside the organization may be among them."""


def encryption(kind: Callable[..., Made], each: CloudObject, prepared: Registration) -> Made | None:
    """The key of an object, as the `kind` of its type."""
    key = each.body.get("EncryptionConfiguration")
    if key is None:
        return None
    return kind(type=key["Type"], key_id=prepared.real("encryption_configuration.key_id", key.get("KeyId")))


def stateless_references(body: Mapping[str, Any], prepared: Registration) -> list[tuple[Mapping[str, Any], Any]]:
    """The references to stateless groups, each with its ARN, which may be an Output."""
    options = prepared.plan.options
    assert isinstance(options, NetworkFirewallOptions)
    places = {priority: index for index, priority in enumerate(priorities_of(options.stateless_groups))}
    return [
        (
            each,
            prepared.checked(
                f"stateless_groups[{places[each['Priority']]}].arn", each["ResourceArn"], stateless_group_objection
            ),
        )
        for each in body.get("StatelessRuleGroupReferences", ())
    ]


def custom_actions(
    body: Mapping[str, Any],
) -> list[networkfirewall.FirewallPolicyFirewallPolicyStatelessCustomActionArgs] | None:
    """The policy's own actions on packets; None if it has none."""
    found = []
    for each in body.get("StatelessCustomActions", ()):
        (dimension,) = each["ActionDefinition"]["PublishMetricAction"]["Dimensions"]
        metric = networkfirewall.FirewallPolicyFirewallPolicyStatelessCustomActionActionDefinitionPublishMetricActionArgs(
            dimensions=[
                networkfirewall.FirewallPolicyFirewallPolicyStatelessCustomActionActionDefinitionPublishMetricActionDimensionArgs(
                    value=dimension["Value"]
                )
            ]
        )
        found.append(
            networkfirewall.FirewallPolicyFirewallPolicyStatelessCustomActionArgs(
                action_name=each["ActionName"],
                action_definition=networkfirewall.FirewallPolicyFirewallPolicyStatelessCustomActionActionDefinitionArgs(
                    publish_metric_action=metric
                ),
            )
        )
    return found or None


def firewall(
    parent: pulumi.Resource,
    child: str,
    each: CloudObject,
    policy_arn: "pulumi.Output[str]",
    region: pulumi.Input[str] | None,
    prepared: Registration,
) -> networkfirewall.Firewall:
    """The firewall over the policy."""
    body, real = each.body, prepared.real
    subnets = [
        networkfirewall.FirewallSubnetMappingArgs(
            subnet_id=real(f"firewall.subnet_mappings[{index}].subnet_id", mapping["SubnetId"]),
            ip_address_type=mapping.get("IPAddressType"),
        )
        for index, mapping in enumerate(body.get("SubnetMappings", ()))
    ]
    zones = [
        networkfirewall.FirewallAvailabilityZoneMappingArgs(availability_zone_id=mapping["AvailabilityZone"])
        for mapping in body.get("AvailabilityZoneMappings", ())
    ]
    return networkfirewall.Firewall(
        child,
        # No `name`: a fixed one forces delete-before-replace, and traffic would find no endpoint meanwhile.
        name=prepared.adopted_name(child),
        description=body["Description"],
        firewall_policy_arn=policy_arn,
        vpc_id=real("firewall.vpc_id", body.get("VpcId")),
        subnet_mappings=subnets or None,
        transit_gateway_id=real("firewall.transit_gateway_id", body.get("TransitGatewayId")),
        availability_zone_mappings=zones or None,
        delete_protection=body["DeleteProtection"],
        firewall_policy_change_protection=body["FirewallPolicyChangeProtection"],
        subnet_change_protection=body.get("SubnetChangeProtection"),
        availability_zone_change_protection=body.get("AvailabilityZoneChangeProtection"),
        region=region,
        tags=prepared.tags_of("tags", "firewall_tags"),
        encryption_configuration=encryption(networkfirewall.FirewallEncryptionConfigurationArgs, each, prepared),
        opts=prepared.options(parent, child),
    )


def endpoints(statuses: Sequence[Any] | None) -> dict[str, str]:
    """Endpoint ids by Availability Zone, as the provider reports them."""
    return {
        state.availability_zone: attachment.endpoint_id
        for status in statuses or ()
        for state in status.sync_states or ()
        for attachment in state.attachments or ()
    }


def endpoint_association(
    parent: pulumi.Resource,
    child: str,
    each: CloudObject,
    index: int,
    firewall_arn: "pulumi.Output[str]",
    region: pulumi.Input[str] | None,
    prepared: Registration,
) -> tuple[Any, "pulumi.Output[str]"]:
    """Another endpoint of the firewall: its subnet, and its id."""
    mapping, place = each.body["SubnetMapping"], f"endpoint_associations[{index}]"
    subnet = prepared.real(f"{place}.subnet_id", mapping["SubnetId"])
    made = networkfirewall.VpcEndpointAssociation(
        child,
        firewall_arn=firewall_arn,
        vpc_id=prepared.real(f"{place}.vpc_id", each.body["VpcId"]),
        subnet_mapping=networkfirewall.VpcEndpointAssociationSubnetMappingArgs(
            subnet_id=subnet, ip_address_type=mapping.get("IPAddressType")
        ),
        description=each.body["Description"],
        region=region,
        tags=prepared.tags_of("tags", "firewall_tags"),
        opts=prepared.options(parent, child),
    )
    return subnet, made.vpc_endpoint_association_statuses.apply(_endpoint)


def _endpoint(statuses: Sequence[Any] | None) -> str:
    found = (
        attachment.endpoint_id
        for status in statuses or ()
        for state in status.association_sync_states or ()
        for attachment in state.attachments or ()
    )
    return next(found, "")


def logging_configuration(
    parent: pulumi.Resource,
    child: str,
    each: CloudObject,
    firewall_arn: "pulumi.Output[str]",
    region: pulumi.Input[str] | None,
    prepared: Registration,
) -> None:
    """Where the firewall's logs go. On a change the provider takes all out and puts them in again, one by one."""
    options = prepared.plan.options
    assert isinstance(options, NetworkFirewallOptions)
    places = {wanted.log_type: index for index, wanted in enumerate(options.logging)}
    networkfirewall.LoggingConfiguration(
        child,
        firewall_arn=firewall_arn,
        logging_configuration=networkfirewall.LoggingConfigurationLoggingConfigurationArgs(
            log_destination_configs=[
                networkfirewall.LoggingConfigurationLoggingConfigurationLogDestinationConfigArgs(
                    log_type=config["LogType"],
                    log_destination_type=config["LogDestinationType"],
                    log_destination={
                        key: prepared.real(f"logging[{places[config['LogType']]}].log_destination.{key}", value)
                        for key, value in config["LogDestination"].items()
                    },
                )
                for config in each.body["LoggingConfiguration"]["LogDestinationConfigs"]
            ]
        ),
        region=region,
        opts=prepared.options(parent, child),
    )


def share(
    parent: pulumi.Resource,
    child: str,
    each: CloudObject,
    groups: Mapping[str, networkfirewall.RuleGroup],
    region: pulumi.Input[str] | None,
    prepared: Registration,
) -> "pulumi.Output[str]":
    """The share, its groups and its principals; its ARN. Whoever joins finds all groups there."""
    opts = prepared.options(parent, child)
    if opts.import_ is not None:
        opts.ignore_changes = ["name"]  # an adopted share keeps its name, which its ARN does not tell
    made = pulumi_aws.ram.ResourceShare(
        child,
        allow_external_principals=each.body["allowExternalPrincipals"],
        region=region,
        tags=prepared.tags,
        opts=opts,
    )
    shared: list[pulumi.Resource] = []
    for key, group in groups.items():
        name = f"{child}{key.removeprefix(prepared.plan.options.stem)}"
        shared.append(
            pulumi_aws.ram.ResourceAssociation(
                name,
                resource_arn=group.arn,
                resource_share_arn=made.arn,
                region=region,
                opts=prepared.options(parent, name),
            )
        )
    for principal in each.body["principals"]:
        last = principal.rpartition("/")[2]
        name = f"{child}-{last}"
        stated = principal
        if is_computed(principal):
            stated = prepared.checked(f"share.principals[{last}]", principal, principal_objection)
        pulumi_aws.ram.PrincipalAssociation(
            name,
            principal=stated,
            resource_share_arn=made.arn,
            region=region,
            opts=prepared.options(parent, name, depends_on=shared),
        )
    return made.arn  # type: ignore[no-any-return]  # the SDK's property decorator loses its type
