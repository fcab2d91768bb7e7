"""How Google Cloud's network firewall policies live: ids, what replaces them, and what is refused at call time.

Ids and spellings are the provider's own (magic-modules d577844, 2026-08-21: the three products' `id_format` and
`legacy_long_form_project`, tpgresource ReplaceVarsForId and self_link_helpers.go): of `firewallPolicy` it keeps what
stands after the last `/`, in the resource's own `project`, else in its own; `attachmentTarget` goes to the API as it is.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hostgate.gcp.resources import ASSOCIATION, POLICY, RULE
from hostgate.gcp.rule_steps import network_path
from hostgate.sandbox.lifecycle import Account, Ask, CallRule, Inputs, Lifecycle, digest_of, last_part
from hostgate.sandbox.state import StoredObject

_LINK = "https://www.googleapis.com/compute/v1"


def policy_id(inputs: Inputs, account: Account) -> str:
    """The id of the policy that a rule or an association gets into, whatever project its reference names."""
    return f"projects/{_project(inputs, account)}/global/firewallPolicies/{last_part(str(inputs['firewallPolicy']))}"


def policy_of(held: StoredObject) -> str:
    """The id of the policy that a rule or an association is in."""
    return held.id.rpartition("/")[0].removesuffix("/rules").removesuffix("/associations")


def network_of(held: StoredObject) -> str:
    """The network that an association is of, as an id."""
    return network_path(str(held.inputs["attachmentTarget"]))


def _project(inputs: Inputs, account: Account) -> str:
    return str(inputs.get("project") or account.project).removeprefix("projects/")


def _same_policy(old: Any, new: Any) -> bool:
    """CompareResourceNames: a rule's diff knows a policy by its name alone."""
    return bool(last_part(old) == last_part(new))


def _same_link(old: Any, new: Any) -> bool:
    """CompareSelfLinkOrResourceName: a name is that of the old link; links are the same from `projects/` on."""
    if "/" not in str(new):
        return bool(last_part(old) == new)
    return "projects/" in str(old) and network_path(str(old)) == network_path(str(new))


def _policy_place(inputs: Inputs, account: Account) -> str:
    return f"projects/{_project(inputs, account)}/global/firewallPolicies/{inputs['name']}"


def _rule_place(inputs: Inputs, account: Account) -> str:
    return f"{policy_id(inputs, account)}/rules/{inputs['priority']}"


def _association_place(inputs: Inputs, account: Account) -> str:
    return f"{policy_id(inputs, account)}/associations/{inputs['name']}"


def _made(ask: Ask) -> str:
    if ask.before and "creationTimestamp" in ask.before.computed:
        return str(ask.before.computed["creationTimestamp"])
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _policy_computed(ask: Ask) -> dict[str, Any]:
    number = int(digest_of(ask.held.id, digits=15), 16)
    link = f"{_LINK}/{ask.held.id}"
    return {
        "creationTimestamp": _made(ask),
        "fingerprint": digest_of(ask.held.inputs),
        "networkFirewallPolicyId": str(number),
        "project": ask.held.id.split("/")[1],
        "ruleTupleCount": sum(_tuples(rule.inputs) for rule in _rules(ask)),
        "selfLink": link,
        "selfLinkWithId": f"{link.rpartition('/')[0]}/{number}",
    }


def _rule_computed(ask: Ask) -> dict[str, Any]:
    return {
        "creationTimestamp": _made(ask),
        "kind": "compute#firewallPolicyRule",
        "project": ask.held.id.split("/")[1],
        "ruleTupleCount": _tuples(ask.held.inputs),
    }


def _association_computed(ask: Ask) -> dict[str, Any]:
    return {"shortName": last_part(ask.held.inputs["firewallPolicy"]), "project": ask.held.id.split("/")[1]}


def _tuples(rule: Inputs) -> int:
    """Rule attributes: ranges, names, protocols and port ranges count one each (Google, firewall policy quotas)."""
    match = rule["match"]
    named = sum(len(match.get(key) or ()) for key in ("destIpRanges", "destFqdns", "srcIpRanges", "srcFqdns"))
    return named + sum(1 + len(config.get("ports") or ()) for config in match["layer4Configs"])


def _policy_exists(ask: Ask) -> Iterator[str]:
    wanted = policy_id(ask.held.inputs, ask.account)
    if ask.writes and ask.now.get(POLICY, wanted) is None:
        yield f"notFound: The resource '{wanted}' was not found; the stack that owns the policy makes it"


def _no_association(ask: Ask) -> Iterator[str]:
    if ask.operation == "delete":
        for other in ask.now.objects(ASSOCIATION):
            if other.id.startswith(f"{ask.held.id}/"):
                yield f"resourceInUseByAnotherResource: {network_of(other)} is associated with the policy ({other.name})"


def _rules(ask: Ask) -> list[StoredObject]:
    """A policy is deleted with its rules."""
    return [rule for rule in ask.now.objects(RULE) if rule.id.startswith(f"{ask.held.id}/")]


def _network_of_the_project(ask: Ask) -> Iterator[str]:
    """A policy and the networks that it is associated with are of one project (Cloud NGFW, global network firewall
    policies)."""
    network, project = network_of(ask.held), ask.held.id.split("/")[1]
    if ask.operation != "create":
        return
    if not re.fullmatch(r"projects/[^/]+/global/networks/[^/]+", network):
        yield f"invalid: attachmentTarget {network} is no VPC network; allowed: projects/PROJECT/global/networks/NAME"
    elif network.split("/")[1] != project:
        yield f"invalid: {network} is of another project than the policy, {project}; cross-project references are not allowed"


def _one_policy_per_network(ask: Ask) -> Iterator[str]:
    """A network has one global policy (Google, network security quotas)."""
    if ask.writes:
        for other in ask.now.objects(ASSOCIATION):
            if other.id != ask.held.id and network_of(other) == network_of(ask.held):
                policy = policy_of(other)
                yield f"conditionNotMet: {network_of(ask.held)} is associated with {policy} already ({other.name})"


def _fixed(*names: str) -> CallRule:
    def rule(ask: Ask) -> Iterator[str]:
        for name in names:
            if ask.operation == "update" and ask.before and ask.before.inputs.get(name) != ask.held.inputs.get(name):
                yield f"invalid: {name} cannot change"

    return rule


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    POLICY: Lifecycle(
        place=_policy_place,
        name="name",
        computed=_policy_computed,
        rules=(_fixed("name"), _no_association),
        takes_along=_rules,
    ),
    RULE: Lifecycle(
        place=_rule_place,
        name="ruleName",
        computed=_rule_computed,
        # Changing the direction in place is refused by the API, and the provider asks for it (magic-modules 11368).
        rules=(_fixed("priority", "direction"), _policy_exists),
        same={"firewallPolicy": _same_policy},
    ),
    ASSOCIATION: Lifecycle(
        place=_association_place,
        name="name",
        computed=_association_computed,
        rules=(_policy_exists, _network_of_the_project, _one_policy_per_network),
        same={"firewallPolicy": _same_link, "attachmentTarget": _same_link},
    ),
}
