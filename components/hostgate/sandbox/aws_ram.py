"""Simulated AWS Resource Access Manager: shares, what is in them and with whom.

Whether an account is of the organization is not known here, so `allowExternalPrincipals` is never the reason of a refusal.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.resources_firewall import RULE_GROUP
from hostgate.aws.resources_ram import PRINCIPAL, RESOURCE, SHARE
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of
from hostgate.sandbox.state import StoredObject


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
    if ":stateful-rulegroup/" in arn and ask.now.get(RULE_GROUP, arn) is None:
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
        computed=_computed,
        takes_along=_associations,
    ),
    RESOURCE: Lifecycle(
        place=lambda inputs, _: f"{inputs['resourceShareArn']},{inputs['resourceArn']}",
        name="resourceArn",
        rules=(_share_exists, _resource_exists),
    ),
    PRINCIPAL: Lifecycle(
        place=lambda inputs, _: f"{inputs['resourceShareArn']},{inputs['principal']}",
        name="principal",
        rules=(_share_exists,),
    ),
}
