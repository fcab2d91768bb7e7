"""Resource types of AWS Resource Access Manager: shares of rule groups, what is in them and with whom."""

from typing import Final

from hostgate.aws import firewall_kinds
from hostgate.aws.spelling import as_aws
from hostgate.planning.resource_types import AutoName, ResourceType, types_by_token
from hostgate.planning.shapes import Entries, Flag, Items, Record, Text

# As of 2026-11-23.
API: Final = "AWS Resource Access Manager API reference"
SHARING: Final = "AWS Network Firewall developer guide: sharing"
PROVIDER: Final = "terraform-provider-aws, internal/service/ram"

SHARE: Final = "aws:ram/resourceShare:ResourceShare"
RESOURCE: Final = "aws:ram/resourceAssociation:ResourceAssociation"
PRINCIPAL: Final = "aws:ram/principalAssociation:PrincipalAssociation"

_SHARE_ARN = Text(r"arn:aws[\w-]*:ram:.+:resource-share/.+", "the ARN of a resource share", source=API)
_SHAREABLE = Text(r"arn:.+", "an ARN", source=API)
_WITH = Text(
    r"[0-9]{12}|arn:aws[\w-]*:organizations::[0-9]{12}:(organization|ou)/.+",
    "an account id of 12 digits, or the ARN of an organization or organizational unit",
    source=SHARING,
)

TYPES: Final = types_by_token(
    (
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
            replaces=("permissionArns", "region"),
            kind=firewall_kinds.SHARE,
            spelled=as_aws,
        ),
        ResourceType(
            RESOURCE,
            Record(
                {"resourceArn": _SHAREABLE, "resourceShareArn": _SHARE_ARN, "region": Text()},
                ("resourceArn", "resourceShareArn"),
            ),
            replaces=("resourceArn", "resourceShareArn", "region"),
        ),
        ResourceType(
            PRINCIPAL,
            Record(
                {"principal": _WITH, "resourceShareArn": _SHARE_ARN, "region": Text()},
                ("principal", "resourceShareArn"),
            ),
            replaces=("principal", "resourceShareArn", "region"),
        ),
    )
)
