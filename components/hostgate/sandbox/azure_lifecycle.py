"""How Azure Firewall's objects live: resource ids, what replaces them, one update of a policy at a time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.azure.resources import GROUP, IP_GROUP, POLICY, RESOURCE_GROUP
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, at, digest_of
from hostgate.sandbox.state import StoredObject

API_VERSION = "2024-05-01"


def policy_id(inputs: Inputs, account: Account) -> str:
    """The id of a policy, or of the policy that a rule collection group is in."""
    return _provided(inputs, account, "firewallPolicies", str(inputs["firewallPolicyName"]))


def _resource_group(inputs: Inputs, account: Account) -> str:
    return f"/subscriptions/{account.subscription}/resourceGroups/{inputs['resourceGroupName']}"


def _provided(inputs: Inputs, account: Account, kind: str, name: str) -> str:
    return f"{_resource_group(inputs, account)}/providers/Microsoft.Network/{kind}/{name}"


def _group_place(inputs: Inputs, account: Account) -> str:
    return f"{policy_id(inputs, account)}/ruleCollectionGroups/{inputs['ruleCollectionGroupName']}"


def _computed(kind: str) -> Any:
    def computed(ask: Ask) -> dict[str, Any]:
        return {
            "azureApiVersion": API_VERSION,
            "etag": digest_of(ask.held.id, ask.held.inputs),
            "name": ask.held.id.rpartition("/")[2],
            "provisioningState": "Succeeded",
            "type": kind,
        }

    return computed


def _group_computed(ask: Ask) -> dict[str, Any]:
    size = len(str(ask.held.inputs.get("ruleCollections") or "")) / 1_000_000
    return {**_computed("Microsoft.Network/firewallPolicies/ruleCollectionGroups")(ask), "size": f"{size:.6f} MB"}


def _policy_computed(ask: Ask) -> dict[str, Any]:
    return {
        **_computed("Microsoft.Network/firewallPolicies")(ask),
        "childPolicies": [{"id": other.id} for other in ask.now.objects(POLICY) if _base(other) == ask.held.id],
        "firewalls": [],
        "ruleCollectionGroups": [{"id": group.id} for group in _groups(ask, ask.held.id)],
    }


def _ip_group_computed(ask: Ask) -> dict[str, Any]:
    users = {group.id.rpartition("/ruleCollectionGroups/")[0] for group in _users_of_ip_group(ask)}
    policies = [{"id": policy} for policy in sorted(users)]
    return {**_computed("Microsoft.Network/ipGroups")(ask), "firewallPolicies": policies, "firewalls": []}


def _resource_group_computed(ask: Ask) -> dict[str, Any]:
    made = _computed("Microsoft.Resources/resourceGroups")(ask)
    return {key: made[key] for key in ("azureApiVersion", "name", "type")} | {"properties": {}}


def _base(policy: StoredObject) -> str:
    return str(at(policy.inputs, ("basePolicy", "id")) or "")


def _groups(ask: Ask, policy: str) -> list[StoredObject]:
    prefix = f"{policy}/ruleCollectionGroups/".lower()
    return [group for group in ask.now.objects(GROUP) if group.id.lower().startswith(prefix)]


def _locks(inputs: Inputs, account: Account) -> tuple[str, ...]:
    """A write holds the policy, and the base policy whose children are updated with it."""
    base = str(at(inputs, ("basePolicy", "id")) or "")
    return tuple(each.lower() for each in (policy_id(inputs, account), base) if each)


def _policy_exists(ask: Ask) -> Iterator[str]:
    wanted = policy_id(ask.held.inputs, ask.account)
    if ask.writes and ask.now.get(POLICY, wanted) is None:
        yield f"ParentResourceNotFound: {wanted} does not exist; the stack that owns the policy makes it"


def _free_priority(ask: Ask) -> Iterator[str]:
    if ask.writes:
        for other in _groups(ask, policy_id(ask.held.inputs, ask.account)):
            if other.id != ask.held.id and other.inputs.get("priority") == ask.held.inputs.get("priority"):
                yield (
                    f"FirewallPolicyRuleCollectionGroupInvalidPriority: priority {other.inputs.get('priority')} "
                    f"is taken by {other.name}"
                )


def _no_child_policy(ask: Ask) -> Iterator[str]:
    if ask.operation == "delete":
        for other in ask.now.objects(POLICY):
            if _base(other) == ask.held.id:
                yield f"InUse: {other.name} is based on it"


def _base_exists(ask: Ask) -> Iterator[str]:
    base = _base(ask.held)
    if ask.writes and base and ask.now.get(POLICY, base) is None:
        yield f"NotFound: base policy {base} does not exist"


def _users_of_ip_group(ask: Ask) -> list[StoredObject]:
    """Rule collection groups that refer to it: by the whole id, which may begin that of another group."""
    held = ask.held.id.lower()
    return [group for group in ask.now.objects(GROUP) if held in _texts(group.inputs.get("ruleCollections"))]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        yield from (text for each in value for text in _texts(each))
    elif isinstance(value, str):
        yield value.lower()


def _unused_ip_group(ask: Ask) -> Iterator[str]:
    if ask.operation == "delete":
        for group in _users_of_ip_group(ask):
            yield f"InUse: {group.name} uses it"


def _inside(ask: Ask) -> list[StoredObject]:
    """What is deleted with an object: everything whose id lies below it."""
    return [held for held in ask.now.objects(GROUP, POLICY, IP_GROUP) if held.id.startswith(f"{ask.held.id}/")]


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    POLICY: Lifecycle(
        place=policy_id,
        name="firewallPolicyName",
        computed=_policy_computed,
        rules=(_base_exists, _no_child_policy),
        takes_along=_inside,
        locks=_locks,
        replaces_delete_first=True,
    ),
    GROUP: Lifecycle(
        place=_group_place,
        name="ruleCollectionGroupName",
        computed=_group_computed,
        rules=(_policy_exists, _free_priority),
        locks=_locks,
        replaces_delete_first=True,
    ),
    IP_GROUP: Lifecycle(
        place=lambda inputs, account: _provided(inputs, account, "ipGroups", str(inputs["ipGroupsName"])),
        name="ipGroupsName",
        computed=_ip_group_computed,
        rules=(_unused_ip_group,),
        replaces_delete_first=True,
    ),
    RESOURCE_GROUP: Lifecycle(
        place=_resource_group,
        name="resourceGroupName",
        computed=_resource_group_computed,
        takes_along=_inside,
        replaces_delete_first=True,
    ),
}
