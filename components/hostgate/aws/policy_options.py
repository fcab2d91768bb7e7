"""Options of a policy that the plan makes, and of what stands around it: managed groups, firewall, logs, share, Regions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.aws import default_actions
from hostgate.planning.options import RenamedOptions
from hostgate.planning.targets import COMPUTED, is_computed

REGION = "REGION"
"""Stands in an ARN for the Region that a component is made in, so that one plan serves several."""

REGION_NAME = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"

_STATELESS = re.compile(r"arn:aws[\w-]*:network-firewall:[\w-]+:[\w-]+:stateless-rulegroup/[a-zA-Z0-9-]+")
_GROUP = re.compile(r"arn:aws[\w-]*:network-firewall:[\w-]+:[\w-]+:stateful-rulegroup/[a-zA-Z0-9-]+")
POLICY_ARN = re.compile(
    r"arn:aws[\w-]*:network-firewall:(?P<region>[\w-]+):(?P<account>[\w-]+):firewall-policy/[a-zA-Z0-9-]{1,128}"
)
"""The ARN of a firewall policy (AWS SDK service model, Network Firewall, ResourceArn and ResourceName, read 2026-11-23)."""

_TLS = re.compile(r"arn:aws[\w-]*:network-firewall:[\w-]+:[\w-]+:tls-configuration/[a-zA-Z0-9-]+")
_PRINCIPAL = re.compile(
    r"[0-9]{12}|arn:aws[\w-]*:organizations::[0-9]{12}:(organization/o-[a-z0-9]+|ou/o-[a-z0-9]+/ou-[a-z0-9-]+)"
)
_PRINCIPALS = "an account id of 12 digits as text, or the ARN of an organization or OU"
LogType = Literal["ALERT", "FLOW", "TLS"]
LOG_TYPES: tuple[LogType, ...] = get_args(LogType)
DESTINATIONS = {
    "S3": ({"bucketName"}, {"prefix"}),
    "CloudWatchLogs": ({"logGroup"}, set[str]()),
    "KinesisDataFirehose": ({"deliveryStream"}, set[str]()),
}
"""Required and optional keys of a log destination (AWS SDK service model, LogDestinationConfig, read 2026-11-23)."""


def _reference(pattern: str | re.Pattern[str], what: str) -> Any:
    """Text that names another resource: of the API's own form, or not known before that resource is made."""

    def check(text: str) -> str:
        if not is_computed(text) and not re.fullmatch(pattern, text):
            raise PydanticCustomError("reference", "{message}", {"message": f"Found {text!a}. Allowed: {what}."})
        return text

    return AfterValidator(check)


def _tags(tags: dict[str, str]) -> dict[str, str]:
    """As AWS takes them (Tagging AWS resources, naming limits and requirements, read 2026-11-28). A value may be an Output."""
    for name, text in tags.items():
        if not 1 <= len(name) <= 128 or (len(text) > 256 and not is_computed(text)):
            message = f"Found {name!a}: {text!a}. Allowed: a key of up to 128 characters, a value of up to 256."
            raise PydanticCustomError("tag", "{message}", {"message": message})
        if name.lower().startswith("aws:"):
            message = f"Found {name!a}. Allowed: a key that does not begin with aws:, which AWS keeps for itself."
            raise PydanticCustomError("tag", "{message}", {"message": message})
    return tags


Tags = Annotated[dict[str, str], AfterValidator(_tags)]

_ACTION_ORDER = "ActionOrder"
_IN_STRICT_ORDER = "Allowed: groups in strict order, like the policy."
"""AWS publishes each of its groups twice, and names the order of each (developer guide, AWS managed rule groups)."""


def managed_group_objection(arn: str) -> str | None:
    """Why the ARN of a managed group that was an Output is none; None if it is one."""
    if not _GROUP.fullmatch(arn):
        return "Allowed: the ARN of a stateful rule group."
    return _IN_STRICT_ORDER if arn.endswith(_ACTION_ORDER) else None


def stateless_group_objection(arn: str) -> str | None:
    """The same of a stateless group."""
    return None if _STATELESS.fullmatch(arn) else "Allowed: the ARN of a stateless rule group."


def principal_objection(text: str) -> str | None:
    """The same of a principal of a share."""
    return None if _PRINCIPAL.fullmatch(text) else f"Allowed: {_PRINCIPALS}."


class OptionSection(BaseModel):
    """A part of the options with keys of its own."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)


class ManagedGroup(OptionSection):
    """A rule group of AWS or of a partner, judged before any group of the plan."""

    arn: Annotated[str, _reference(_GROUP, "the ARN of a stateful rule group; REGION in it stands for the Region")]
    priority: Annotated[int, Field(ge=1, le=60_000)] | None = None
    """Its place in the list, counted from 1, unless given. Below `base` in any case."""
    override: Literal["DROP_TO_ALERT"] | None = None
    """Log what the group would drop. The API takes it for managed groups only."""


class StatelessGroup(OptionSection):
    """A rule group that judges each packet for itself, before every stateful group."""

    arn: Annotated[str, _reference(_STATELESS, "the ARN of a stateless rule group; REGION in it stands for the Region")]
    priority: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Its place in the list, counted from 1, unless given."""


class EncryptionConfiguration(OptionSection):
    """The key that encrypts what AWS stores (AWS SDK service model, EncryptionConfiguration, read 2026-11-28)."""

    key_id: Annotated[str, Field(pattern=r"\S", min_length=1, max_length=2048)] | None = None
    """Of AWS KMS: ARN, id or alias."""
    type: Literal["CUSTOMER_KMS", "AWS_OWNED_KMS_KEY"] = "CUSTOMER_KMS"

    @model_validator(mode="after")
    def _whose_key(self) -> Self:
        if (self.key_id is None) == (self.type == "CUSTOMER_KMS"):
            found = "no keyId" if self.key_id is None else "a keyId"
            raise ValueError(
                f"found {found} with type {self.type}. Allowed: CUSTOMER_KMS with a keyId, AWS_OWNED_KMS_KEY without."
            )
        return self


class FlowTimeouts(OptionSection):
    """How long the engine remembers a connection."""

    tcp_idle_timeout_seconds: Annotated[int, Field(ge=60, le=6000)]
    """Seconds without a packet, 350 unless given (API reference, FlowTimeouts, read 2026-11-28). A change may restart the
    engine and break connections."""


class SubnetMapping(OptionSection):
    """A subnet that gets a firewall endpoint; each is in another Availability Zone."""

    subnet_id: Annotated[str, _reference(r"subnet-[0-9a-f]+", "an id like subnet-0123abcd")]
    ip_address_type: Literal["IPV4", "IPV6", "DUALSTACK"] | None = None


class EndpointAssociation(SubnetMapping):
    """Another endpoint of the firewall, in a subnet of any VPC (API reference, CreateVpcEndpointAssociation)."""

    vpc_id: Annotated[str, _reference(r"vpc-[0-9a-f]+", "an id like vpc-0123abcd")]


class FirewallSection(OptionSection):
    """The firewall: in a VPC with subnets, or attached to a transit gateway with Availability Zones.

    Protections are off unless given, as in the provider; the API's own default is on.
    """

    vpc_id: Annotated[str, _reference(r"vpc-[0-9a-f]+", "an id like vpc-0123abcd")] | None = None
    subnet_mappings: list[SubnetMapping] = []
    transit_gateway_id: Annotated[str, _reference(r"tgw-[0-9a-z]+", "an id like tgw-0123abcd")] | None = None
    availability_zone_ids: list[Annotated[str, Field(pattern=r"^\S+$")]] = []
    delete_protection: bool = False
    subnet_change_protection: bool = False
    firewall_policy_change_protection: bool = False
    availability_zone_change_protection: bool = False

    @model_validator(mode="after")
    def _in_one_place(self) -> Self:
        in_vpc = (self.vpc_id is not None, bool(self.subnet_mappings))
        at_gateway = (self.transit_gateway_id is not None, bool(self.availability_zone_ids))
        if not (all(in_vpc) and not any(at_gateway)) and not (all(at_gateway) and not any(in_vpc)):
            keys = ("vpcId", "subnetMappings", "transitGatewayId", "availabilityZoneIds")
            found = [key for key, given in zip(keys, (*in_vpc, *at_gateway), strict=True) if given]
            raise ValueError(
                f"found {' and '.join(found) or 'none of them'}. Allowed: vpcId with subnetMappings, or transitGatewayId with "
                "availabilityZoneIds."
            )
        subnets = [each.subnet_id for each in self.subnet_mappings if each.subnet_id != COMPUTED]
        if twice := _twice([*subnets, *self.availability_zone_ids]):
            raise ValueError(f"found {', '.join(twice)} twice. Allowed: one endpoint in each Availability Zone.")
        return self


class LogDestination(OptionSection):
    """Where the firewall's logs of one type go."""

    log_type: LogType
    log_destination_type: Literal["S3", "CloudWatchLogs", "KinesisDataFirehose"]
    log_destination: dict[str, Annotated[str, Field(min_length=1, max_length=1024)]]
    """bucketName and prefix, logGroup, or deliveryStream."""

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        required, optional = DESTINATIONS[self.log_destination_type]
        found = set(self.log_destination)
        if not required <= found or found - required - optional:
            allowed = f"{', '.join(required)}{f' and, if you like, {chr(44).join(optional)}' if optional else ''}"
            raise ValueError(
                f"found logDestination with {', '.join(sorted(found)) or 'nothing'}. Allowed for "
                f"{self.log_destination_type}: {allowed}."
            )
        return self


class ShareSection(OptionSection):
    """A share of the rule groups by AWS Resource Access Manager."""

    principals: Annotated[
        list[Annotated[str, _reference(_PRINCIPAL, _PRINCIPALS)]],
        Field(min_length=1),
    ]
    allow_external_principals: bool = False
    """Whether accounts outside the organization may be among them."""


class PolicyOptions(RenamedOptions):
    """What a policy of the plan holds beside the plan's own groups, and what is made around it."""

    default_actions: list[str] = []
    """Stateful default actions of the policy; the to_server drop with its alert twin unless given. Audit and `deny:
    none` leave the drop out and keep what logs."""
    managed_groups: list[ManagedGroup] = []
    stateless_groups: Annotated[list[StatelessGroup], Field(max_length=20)] = []
    """Stateless rule groups of the policy, before all that the plan makes. 20 at most (AWS developer guide, quotas)."""
    stateless_custom_actions: dict[
        Annotated[str, Field(pattern=r"^[a-zA-Z0-9]+$", max_length=128)],
        Annotated[str, Field(pattern=r"^[a-zA-Z0-9-_ ]+$", max_length=128)],
    ] = {}
    """Metrics of Amazon CloudWatch that count the packets handed to the stateful engine: the dimension's value by the name of
    the action (AWS SDK service model, CustomAction and PublishMetricAction, read 2026-11-28)."""
    flow_timeouts: FlowTimeouts | None = None
    encryption_configuration: EncryptionConfiguration | None = None
    """Of the rule groups, the policy and the firewall that are made."""
    tags: Tags = {}
    group_tags: Tags = {}
    """Tags of the rule groups beside `tags`, and in their place where both have a key."""
    policy_tags: Tags = {}
    firewall_tags: Tags = {}
    tls_inspection: Annotated[str, _reference(_TLS, "the ARN of a TLS inspection configuration")] | None = None
    firewall: FirewallSection | None = None
    endpoint_associations: list[EndpointAssociation] = []
    """More endpoints of the firewall, in other VPCs or Availability Zones."""
    logging: list[LogDestination] = []
    """One destination for each type of log."""
    share: ShareSection | None = None
    regions: list[Annotated[str, Field(pattern=REGION_NAME)]] = []
    """Regions of a stack: a program makes the whole plan in each. The provider's Region unless given."""

    def tags_of(self, more: Mapping[str, str]) -> dict[str, str]:
        """All tags of an object that has `more` of its own."""
        return dict(sorted({**self.tags, **more}.items()))

    @property
    def places(self) -> tuple[str | None, ...]:
        return tuple(self.regions) or (None,)

    def elsewhere(self, providers: Mapping[str, str]) -> Iterator[tuple[tuple[int | str, ...], str]]:
        regions = self.regions or [region for key, region in providers.items() if key == "aws:region"]
        for path, arn in self._arns():
            own = path[0] in ("managedGroups", "statelessGroups", "tlsInspection")  # where REGION is put in
            others = [
                each
                for each in regions
                if arn.startswith("arn:") and (_region_of(arn) or each) not in ((each, REGION) if own else (each,))
            ]
            if path[0] == "import" and len(others) < len(regions):
                continue
            if others:
                allowed = f"one of the same Region{', or REGION in its place' if own else ''}"
                yield path, f"found {arn} for a policy of {', '.join(others)}. Allowed: {allowed}."

    def _arns(self) -> Iterator[tuple[tuple[int | str, ...], str]]:
        """What the plan refers to or takes over, by where it is said. All of it is of the policy's own Region: rule groups, TLS
        inspection, IP sets, and keys of AWS KMS, multi-Region ones by their ARN there (KMS developer guide, 2026-11-28)."""
        yield from ((("managedGroups", index, "arn"), each.arn) for index, each in enumerate(self.managed_groups))
        yield from ((("statelessGroups", index, "arn"), each.arn) for index, each in enumerate(self.stateless_groups))
        yield ("tlsInspection",), self.tls_inspection or ""
        if self.encryption_configuration is not None:
            yield ("encryptionConfiguration", "keyId"), self.encryption_configuration.key_id or ""

    @property
    def managed_priorities(self) -> tuple[int, ...]:
        """Of the managed groups."""
        return priorities_of(self.managed_groups)

    def objections(self, *, owned: bool, attach: str | None, base: int) -> Iterator[str]:
        """What does not hold of these options together.

        `owned`: the plan makes the policy; `attach`: the ARN of one that it does not; `base`: where its groups begin.
        """
        if not owned:
            keys = (
                "default_actions", "managed_groups", "tls_inspection", "firewall", "logging", "stateless_groups",
                "endpoint_associations",
                "stateless_custom_actions", "flow_timeouts", "policy_tags",
            )  # fmt: skip
            found = [to_camel(key) for key in keys if getattr(self, key)]
            if found:
                yield f"found {', '.join(found)} with a policy that is owned elsewhere. They are its owner's to set."
        elif self.share is not None:
            yield (
                "found share with a policy of the plan. Its groups are replaced when the policy's settings change, and a group "
                "that another account's policy holds cannot go. Allowed: share with deny 'declared'."
            )
        if self.firewall_tags and self.firewall is None:
            yield "found firewallTags without firewall."
        if twice := _twice([each.arn for each in self.stateless_groups if not is_computed(each.arn)]):
            yield f"found statelessGroups with {', '.join(twice)} twice."
        if twice := _twice([str(priority) for priority in priorities_of(self.stateless_groups)]):
            yield f"found statelessGroups with priority {', '.join(twice)} twice; a place in the list counts too."
        if self.endpoint_associations:
            if self.firewall is None or self.firewall.vpc_id is None:
                yield "found endpointAssociations without a firewall in a VPC, whose endpoints they are."
            if self.tls_inspection is not None:
                yield "found endpointAssociations with tlsInspection, which AWS does not take together."
            subnets = [each.subnet_id for each in self.endpoint_associations]
            subnets += [] if self.firewall is None else [each.subnet_id for each in self.firewall.subnet_mappings]
            if twice := _twice([each for each in subnets if not is_computed(each)]):
                yield f"found {', '.join(twice)} twice among the subnets with endpoints. Allowed: each once."
        if self.logging and self.firewall is None:
            yield "found logging without firewall. Logs are the firewall's."
        if twice := _twice([each.log_type for each in self.logging]):
            yield f"found logging of {', '.join(twice)} twice. Allowed: one destination for each type."
        if any(each.log_type == "TLS" for each in self.logging) and self.tls_inspection is None:
            yield "found logging of TLS without tlsInspection. Its events come from TLS inspection only."
        if len(self.regions) > 1 and self.firewall is not None:
            yield "found firewall with several regions. A VPC is of one Region: use a stack for each, or components."
        if attach is not None and not is_computed(attach) and not POLICY_ARN.fullmatch(attach):
            yield (
                f"found attach {attach!r}. Allowed: the ARN of a firewall policy, "
                "arn:aws:network-firewall:REGION:ACCOUNT:firewall-policy/NAME."
            )
        elif (
            attach is not None
            and not is_computed(attach)
            and self.regions
            and _region_of(attach) not in (*self.regions, REGION)
        ):
            yield f"found attach {attach} with regions {', '.join(self.regions)}. A policy holds groups of its own Region only."
        if len(self.regions) > 1 and attach is not None:
            yield "found attach with several regions. A policy is of one Region: use deny 'declared' and its outputs by Region."
        if self.share is not None and (twice := _twice(self.share.principals)):
            yield f"found share with {', '.join(twice)} twice."
        if twice := _twice(self.regions):
            yield f"found regions with {', '.join(twice)} twice."
        yield from (f"defaultActions: {message}" for message in default_actions.objections(self.default_actions))
        drops = any(action.startswith("aws:drop_") for action in self.default_actions)
        if self.default_actions and not drops and self.mode == "enforce" and self.deny in ("internet", "all"):
            yield (
                f"found defaultActions without a drop, and deny {self.deny!r}: what no rule matches would pass. Allowed: a drop "
                "among them, mode 'audit', or deny 'none'."
            )
        yield from self._managed_group_objections(base)

    def _managed_group_objections(self, base: int) -> Iterator[str]:
        if twice := _twice([each.arn for each in self.managed_groups if not is_computed(each.arn)]):
            yield f"found managedGroups with {', '.join(twice)} twice."
        if wrong := [each.arn for each in self.managed_groups if each.arn.endswith(_ACTION_ORDER)]:
            yield f"found managedGroups with {', '.join(wrong)}. {_IN_STRICT_ORDER}"
        if ours := [
            each.arn for each in self.managed_groups if each.arn.rpartition("/")[2].startswith(f"{self.stem}-")
        ]:
            yield f"found managedGroups with {', '.join(ours)}. Names that begin with {self.stem}- are the plan's own groups."
        priorities = self.managed_priorities
        if late := [str(priority) for priority in priorities if priority >= base]:
            yield (
                f"found managedGroups at priority {', '.join(late)}. Allowed: 1 and more, below `base` ({base}): a pass "
                "ends inspection, so a group behind the allow rules would see none of the allowed flows."
            )
        if twice := _twice([str(priority) for priority in priorities]):
            yield f"found managedGroups with priority {', '.join(twice)} twice; a place in the list counts too."


def priorities_of(groups: Sequence[ManagedGroup | StatelessGroup]) -> tuple[int, ...]:
    """The priority of each group: its own, or its place in the list, so that one more moves no other."""
    return tuple(place if each.priority is None else each.priority for place, each in enumerate(groups, start=1))


def _region_of(arn: str) -> str:
    return f"{arn}:::".split(":")[3]


def _twice(values: list[str]) -> list[str]:
    ordered = sorted(values)
    return sorted({one for one, other in pairwise(ordered) if one == other})
