"""How AWS Network Firewall's objects live: ARNs, what replaces them, and what the service refuses at call time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.sandbox.aws import FIREWALL, FIREWALL_POLICY, LOGGING, RULE_GROUP
from hostgate.sandbox.lifecycle import Account, Ask, CallRule, Inputs, Lifecycle, at, digest_of


def _arn(kind: str) -> "_Place":
    return _Place(kind)


class _Place:
    """ARNs of one kind, e.g. stateful-rulegroup."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, inputs: Inputs, account: Account) -> str:
        kind = self.kind.replace("stateful", "stateless") if inputs.get("type") == "STATELESS" else self.kind
        region = inputs.get("region") or account.region
        return f"arn:aws:network-firewall:{region}:{account.number}:{kind}/{inputs['name']}"


def _computed(ask: Ask) -> dict[str, Any]:
    return {
        "arn": ask.held.id,
        "region": ask.held.id.split(":")[3],
        "tagsAll": ask.held.inputs.get("tags") or {},
        "updateToken": digest_of(ask.held.id, ask.held.inputs, digits=32),
    }


def _firewall_computed(ask: Ask) -> dict[str, Any]:
    return {**_computed(ask), "firewallStatuses": [], "transitGatewayOwnerAccountId": ""}


def _unused_on_delete(user: str, path: tuple[str, ...], words: str) -> CallRule:
    """The object cannot go while another refers to it at `path` (an ARN, or a list of references)."""

    def rule(ask: Ask) -> Iterator[str]:
        if ask.operation != "delete":
            return
        for other in ask.now.objects(user):
            if ask.held.id in _arns(at(other.inputs, path)):
                yield f"InvalidOperationException: {words} {other.name} uses it; take it out there first"

    return rule


def _arns(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value if isinstance(value, list) else []
    return [str(item.get("resourceArn")) for item in items if isinstance(item, Mapping)]


def _references_exist(ask: Ask) -> Iterator[str]:
    """A policy refers to groups that exist and are of its own order (AWS guide, evaluation order)."""
    if not ask.writes:
        return
    policy = ask.held.inputs.get("firewallPolicy") or {}
    order = _order(at(policy, ("statefulEngineOptions", "ruleOrder")))
    groups = {held.id: held for held in ask.now.objects(RULE_GROUP)}
    for arn in _arns(policy.get("statefulRuleGroupReferences")):
        if ":aws-managed:" in arn:
            continue
        if arn not in groups:
            yield f"ResourceNotFoundException: rule group {arn} does not exist"
            continue
        theirs = _order(at(groups[arn].inputs, ("ruleGroup", "statefulRuleOptions", "ruleOrder")))
        if theirs != order:
            yield f"InvalidRequestException: the policy is in {order}, and {groups[arn].name} in {theirs}"


def _policy_exists(ask: Ask) -> Iterator[str]:
    arn = ask.held.inputs.get("firewallPolicyArn")
    if ask.writes and arn not in {held.id for held in ask.now.objects(FIREWALL_POLICY)}:
        yield f"ResourceNotFoundException: firewall policy {arn} does not exist"


def _firewall_exists(ask: Ask) -> Iterator[str]:
    arn = ask.held.inputs.get("firewallArn")
    if ask.writes and arn not in {held.id for held in ask.now.objects(FIREWALL)}:
        yield f"ResourceNotFoundException: firewall {arn} does not exist"


def _not_protected(ask: Ask) -> Iterator[str]:
    if ask.operation == "delete" and ask.held.inputs.get("deleteProtection"):
        yield "InvalidOperationException: delete protection is on"


def _fixed(*names: str) -> CallRule:
    """What the API has no call to change; the provider never asks, somebody by hand might."""

    def rule(ask: Ask) -> Iterator[str]:
        for name in names:
            if ask.operation == "update" and ask.before and ask.before.inputs.get(name) != ask.held.inputs.get(name):
                yield f"InvalidRequestException: {name} cannot change"

    return rule


def _order(value: object) -> str:
    return str(value or "DEFAULT_ACTION_ORDER")


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    RULE_GROUP: Lifecycle(
        place=_arn("stateful-rulegroup"),
        name="name",
        replaces=("name", "type", "capacity", "region", "ruleGroup.statefulRuleOptions.ruleOrder"),
        computed=_computed,
        rules=(
            _fixed("name", "type", "capacity"),
            _unused_on_delete(FIREWALL_POLICY, ("firewallPolicy", "statefulRuleGroupReferences"), "firewall policy"),
        ),
    ),
    FIREWALL_POLICY: Lifecycle(
        place=_arn("firewall-policy"),
        name="name",
        replaces=("name", "region", "firewallPolicy.statefulEngineOptions.ruleOrder"),
        computed=_computed,
        rules=(_fixed("name"), _references_exist, _unused_on_delete(FIREWALL, ("firewallPolicyArn",), "firewall")),
    ),
    FIREWALL: Lifecycle(
        place=_arn("firewall"),
        name="name",
        replaces=("name", "vpcId", "transitGatewayId", "region"),
        computed=_firewall_computed,
        rules=(_fixed("name", "vpcId"), _policy_exists, _not_protected),
    ),
    LOGGING: Lifecycle(
        place=lambda inputs, _: str(inputs["firewallArn"]),
        name="firewallArn",
        replaces=("firewallArn", "region"),
        rules=(_firewall_exists,),
    ),
}
