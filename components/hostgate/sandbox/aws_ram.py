"""Simulated AWS Resource Access Manager: shares, what is in them and with whom; its types and how they live.

Whether an account is of the organization is not known here, so `allowExternalPrincipals` is never the reason of a refusal.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.sandbox.clouds import AutoName, ResourceType
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of
from hostgate.sandbox.shapes import Entries, Flag, Items, Record, Text
from hostgate.sandbox.state import StoredObject

# As of 2026-11-23.
API: Final = "AWS Resource Access Manager API reference"
SHARING: Final = "AWS Network Firewall developer guide: sharing"
PROVIDER: Final = "terraform-provider-aws, internal/service/ram"

SHARE: Final = "aws:ram/resourceShare:ResourceShare"
RESOURCE: Final = "aws:ram/resourceAssociation:ResourceAssociation"
PRINCIPAL: Final = "aws:ram/principalAssociation:PrincipalAssociation"
_SHARED: Final = "aws:networkfirewall/ruleGroup:RuleGroup"

_SHARE_ARN = Text(r"arn:aws[\w-]*:ram:.+:resource-share/.+", "the ARN of a resource share", source=API)
_SHAREABLE = Text(r"arn:.+", "an ARN", source=API)
_WITH = Text(
    r"[0-9]{12}|arn:aws[\w-]*:organizations::[0-9]{12}:(organization|ou)/.+",
    "an account id of 12 digits, or the ARN of an organization or organizational unit",
    source=SHARING,
)

TYPES: Final = (
    ResourceType(
        SHARE,
        Record(
            {
                "name": Text(fewest=1, source=API),
                "allowExternalPrincipals": Flag(),
                "permissionArns": Items(_SHAREABLE, unique=True, source=API),
                "region": Text(),
                "tags": Entries(Text()),
            }
        ),
        computed=("arn", "tagsAll"),
        auto_name=AutoName("name"),
    ),
    ResourceType(
        RESOURCE,
        Record(
            {"resourceArn": _SHAREABLE, "resourceShareArn": _SHARE_ARN, "region": Text()},
            ("resourceArn", "resourceShareArn"),
        ),
    ),
    ResourceType(
        PRINCIPAL,
        Record(
            {"principal": _WITH, "resourceShareArn": _SHARE_ARN, "region": Text()}, ("principal", "resourceShareArn")
        ),
    ),
)


def _share_arn(inputs: Inputs, account: Account) -> str:
    region = inputs.get("region") or account.region
    number = digest_of(region, inputs["name"], digits=32)
    parts = (number[:8], number[8:12], number[12:16], number[16:20], number[20:])
    return f"arn:aws:ram:{region}:{account.number}:resource-share/{'-'.join(parts)}"


def _computed(ask: Ask) -> dict[str, Any]:
    return {"arn": ask.held.id, "region": ask.held.id.split(":")[3], "tagsAll": ask.held.inputs.get("tags") or {}}


def _share_exists(ask: Ask) -> Iterator[str]:
    arn = ask.held.inputs.get("resourceShareArn")
    if ask.writes and ask.now.get(SHARE, str(arn)) is None:
        yield f"UnknownResourceException: resource share {arn} could not be found"


def _resource_exists(ask: Ask) -> Iterator[str]:
    """Of the types that this cloud keeps; a share takes what is in its own Region."""
    arn, share = str(ask.held.inputs.get("resourceArn")), str(ask.held.inputs.get("resourceShareArn"))
    if not ask.writes:
        return
    if ":stateful-rulegroup/" in arn and ask.now.get(_SHARED, arn) is None:
        yield f"UnknownResourceException: resource {arn} could not be found"
    if arn.split(":")[3:4] != share.split(":")[3:4]:
        yield f"InvalidParameterException: {arn} is of another Region than {share}"


def _associations(ask: Ask) -> list[StoredObject]:
    """What ends with the share."""
    return [each for each in ask.now.objects(RESOURCE, PRINCIPAL) if each.inputs["resourceShareArn"] == ask.held.id]


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    SHARE: Lifecycle(
        place=_share_arn,
        name="name",
        replaces=("permissionArns", "region"),
        computed=_computed,
        takes_along=_associations,
    ),
    RESOURCE: Lifecycle(
        place=lambda inputs, _: f"{inputs['resourceShareArn']},{inputs['resourceArn']}",
        name="resourceArn",
        replaces=("resourceArn", "resourceShareArn", "region"),
        rules=(_share_exists, _resource_exists),
    ),
    PRINCIPAL: Lifecycle(
        place=lambda inputs, _: f"{inputs['resourceShareArn']},{inputs['principal']}",
        name="principal",
        replaces=("principal", "resourceShareArn", "region"),
        rules=(_share_exists,),
    ),
}
