"""How URL filtering of Cloud NGFW lives: what refers to what, and in which order things may go.

Of the implicit filter of a profile nothing is seen here: the API returns it always, and the provider drops it (magic-
modules d577844). That `disabled` is refused at creation is the provider's own word.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hostgate.gcp.resources import RULE
from hostgate.gcp.resources_url_filter import ENDPOINT, ENDPOINT_ASSOCIATION, PROFILE, PROFILE_GROUP
from hostgate.gcp.spelling import SERVICE
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of
from hostgate.sandbox.state import StoredObject

_IN_A_GROUP = ("urlFilteringProfile", "threatPreventionProfile")

_COLLECTIONS = {
    PROFILE: "securityProfiles",
    PROFILE_GROUP: "securityProfileGroups",
    ENDPOINT: "firewallEndpoints",
    ENDPOINT_ASSOCIATION: "firewallEndpointAssociations",
}


def _place(type_: str) -> Any:
    def place(inputs: Inputs, account: Account) -> str:
        parent = inputs.get("parent") or f"projects/{account.project}"
        return f"{parent}/locations/{inputs.get('location') or 'global'}/{_COLLECTIONS[type_]}/{inputs['name']}"

    return place


def _computed(ask: Ask) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    labels = dict(ask.held.inputs.get("labels") or {})
    found: dict[str, Any] = {
        "createTime": ask.before.computed["createTime"] if ask.before else now,
        "updateTime": ask.before.computed["updateTime"] if ask.before and not ask.writes else now,
        "effectiveLabels": labels,
        "pulumiLabels": labels,
    }
    if ask.held.type in (PROFILE, PROFILE_GROUP):
        return {**found, "etag": digest_of(ask.held.inputs)}
    found |= {"reconciling": False, "state": "ACTIVE"}
    if ask.held.type == ENDPOINT:
        found["associatedNetworks"] = [str(each.inputs["network"]) for each in _associations(ask)]
    return found


def _is(reference: Any, held: StoredObject) -> bool:
    return isinstance(reference, str) and reference.removeprefix(SERVICE) == held.id


def _associations(ask: Ask) -> list[StoredObject]:
    return [
        each for each in ask.now.objects(ENDPOINT_ASSOCIATION) if _is(each.inputs.get("firewallEndpoint"), ask.held)
    ]


def _profiles_exist(ask: Ask) -> Iterator[str]:
    for key in _IN_A_GROUP:
        wanted = ask.held.inputs.get(key)
        if ask.writes and wanted and ask.now.get(PROFILE, str(wanted)) is None:
            yield f"notFound: {key} {wanted} was not found"


def group_exists(ask: Ask) -> Iterator[str]:
    """Of a firewall policy rule: the security profile group that it names is there."""
    wanted = str(ask.held.inputs.get("securityProfileGroup") or "").removeprefix(SERVICE)
    if ask.writes and wanted and ask.now.get(PROFILE_GROUP, wanted) is None:
        yield f"notFound: securityProfileGroup {wanted} was not found"


def _no_group_holds_it(ask: Ask) -> Iterator[str]:
    for other in ask.now.objects(PROFILE_GROUP) if ask.operation == "delete" else ():
        if any(_is(other.inputs.get(key), ask.held) for key in _IN_A_GROUP):
            yield f"failedPrecondition: {other.id} holds the profile"


def _no_rule_names_it(ask: Ask) -> Iterator[str]:
    for other in ask.now.objects(RULE) if ask.operation == "delete" else ():
        if _is(other.inputs.get("securityProfileGroup"), ask.held):
            yield f"failedPrecondition: {other.id} refers to the group"


def _not_associated(ask: Ask) -> Iterator[str]:
    for other in _associations(ask) if ask.operation == "delete" else ():
        yield f"failedPrecondition: {other.inputs['network']} is associated with the endpoint ({other.name})"


def _endpoint_of_the_zone(ask: Ask) -> Iterator[str]:
    wanted = str(ask.held.inputs["firewallEndpoint"]).removeprefix(SERVICE)
    if ask.writes and ask.now.get(ENDPOINT, wanted) is None:
        yield f"notFound: firewallEndpoint {wanted} was not found"
    elif ask.writes and f"/locations/{ask.held.inputs['location']}/" not in wanted:
        yield f"invalidArgument: {wanted} is of another zone than the association, {ask.held.inputs['location']}"


def _not_made_disabled(ask: Ask) -> Iterator[str]:
    if ask.operation == "create" and ask.held.inputs.get("disabled") is True:
        yield "invalidArgument: an association is not made disabled; it is disabled by an update"


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    PROFILE: Lifecycle(place=_place(PROFILE), name="name", computed=_computed, rules=(_no_group_holds_it,)),
    PROFILE_GROUP: Lifecycle(
        place=_place(PROFILE_GROUP), name="name", computed=_computed, rules=(_profiles_exist, _no_rule_names_it)
    ),
    ENDPOINT: Lifecycle(place=_place(ENDPOINT), name="name", computed=_computed, rules=(_not_associated,)),
    ENDPOINT_ASSOCIATION: Lifecycle(
        place=_place(ENDPOINT_ASSOCIATION),
        name="name",
        computed=_computed,
        rules=(_endpoint_of_the_zone, _not_made_disabled),
    ),
}
