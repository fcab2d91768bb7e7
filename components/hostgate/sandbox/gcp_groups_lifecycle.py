"""How address groups live: ids, what the provider overlooks, and what is refused at call time.

A group that a policy refers to cannot be deleted (Cloud NGFW, manage address groups, read 2026-11-29). Of a rule that names
one that is not there, the service is documented to drop the condition without a word: here the call is refused, for such a
rule matches every destination.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.gcp.resources import SCOPES
from hostgate.gcp.resources_groups import ADDRESS_GROUP, REPLACED, path_in
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, fixed
from hostgate.sandbox.state import StoredObject

_MADE: Final = "2026-01-01T00:00:00Z"


def _place(inputs: Inputs, account: Account) -> str:
    parent = inputs.get("parent") or f"projects/{account.project}"
    return f"{parent}/locations/{inputs['location']}/addressGroups/{inputs['name']}"


def _computed(ask: Ask) -> dict[str, Any]:
    labels = dict(ask.held.inputs.get("labels") or {})
    return {"createTime": _MADE, "updateTime": _MADE, "effectiveLabels": labels, "pulumiLabels": labels}


def _named(rule: Inputs) -> list[str]:
    """The groups that a rule refers to, as ids."""
    match = rule.get("match") or {}
    found = [path_in(str(each)) for side in ("dest", "src") for each in match.get(f"{side}AddressGroups") or ()]
    return [f"{parent}/locations/{location}/addressGroups/{name}" for parent, location, name in found]


def groups_of(rule: Inputs, ask: Ask) -> list[StoredObject]:
    """Those of them that are there."""
    return [found for each in _named(rule) if (found := ask.now.get(ADDRESS_GROUP, each)) is not None]


def _unused(ask: Ask) -> Iterator[str]:
    for types in SCOPES.values() if ask.operation == "delete" else ():
        for rule in ask.now.objects(types.rule.token):
            if ask.held.id in _named(rule.inputs):
                yield f"failedPrecondition: the rule {rule.id} refers to the address group"


def groups_exist(ask: Ask) -> Iterator[str]:
    """Of a firewall policy rule: the address groups that it names are there, in the policy's own location."""
    *_, where = ask.held.id.partition("/firewallPolicies/")[0].rpartition("/")
    for wanted in _named(ask.held.inputs) if ask.writes else ():
        if ask.now.get(ADDRESS_GROUP, wanted) is None:
            yield f"notFound: the address group {wanted} was not found; without it the rule would match every destination"
        elif f"/locations/{where}/" not in wanted:
            yield f"invalid: the address group {wanted} is not of the policy's location, {where}"


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    ADDRESS_GROUP: Lifecycle(
        place=_place,
        name="name",
        computed=_computed,
        rules=(
            fixed(*REPLACED, says="invalid", because=" (Provider produced inconsistent result after apply)"),
            _unused,
        ),
        overlooks=REPLACED,
    )
}
