"""How Google Cloud's firewall policies live: ids, what replaces them, and what is refused at call time.

Ids and spellings are the provider's own (magic-modules d577844, 2026-08-21: the three products' `id_format` and
`legacy_long_form_project`, tpgresource ReplaceVarsForId and self_link_helpers.go): of `firewallPolicy` it keeps what
stands after the last `/`, in the resource's own `project`, else in its own; `attachmentTarget` goes to the API as it is. A
hierarchical policy goes by a number that the API gives it, and its association with a node is taken over by another
policy in place (FirewallPolicyAssociation, replaceExistingAssociation; 068cc456, read 2026-11-28).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from hostgate.gcp.resources import SCOPES, Scope
from hostgate.gcp.rule_steps import network_path
from hostgate.sandbox.gcp_groups_lifecycle import groups_exist, groups_of
from hostgate.sandbox.gcp_projects import project_of
from hostgate.sandbox.gcp_url_filter_lifecycle import group_exists
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of, fixed, last_part, same_name
from hostgate.sandbox.state import StoredObject

_LINK = "https://www.googleapis.com/compute/v1"


def policy_id(inputs: Inputs, account: Account, scope: Scope = "global") -> str:
    """The id of the policy that a rule or an association gets into, whatever project its reference names."""
    return f"{_folder(inputs, account, scope)}/{last_part(str(inputs['firewallPolicy']))}"


def policy_of(held: StoredObject) -> str:
    """The id of the policy that a rule or an association is in."""
    folder, _, rest = held.id.partition("/firewallPolicies/")
    # The association of a node keeps its id when another policy takes the node over.
    name = last_part(held.inputs["firewallPolicy"]) if folder == "locations/global" else rest.partition("/")[0]
    return f"{folder}/firewallPolicies/{name}"


def network_of(held: StoredObject) -> str:
    """The network that an association is of, as an id."""
    return network_path(str(held.inputs["attachmentTarget"]))


def _same_link(old: Any, new: Any) -> bool:
    """CompareSelfLinkOrResourceName: a name is that of the old link; links are the same from `projects/` on."""
    if "/" not in str(new):
        return bool(last_part(old) == new)
    return "projects/" in str(old) and network_path(str(old)) == network_path(str(new))


def _folder(inputs: Inputs, account: Account, scope: Scope) -> str:
    if scope == "hierarchical":
        return "locations/global/firewallPolicies"
    place = f"regions/{inputs.get('region') or account.region}" if scope == "region" else "global"
    return f"projects/{project_of(inputs, account)}/{place}/firewallPolicies"


def _policy_place(inputs: Inputs, account: Account, scope: Scope) -> str:
    if scope == "hierarchical":
        return f"{_folder(inputs, account, scope)}/{int(digest_of(inputs['parent'], inputs['shortName']), 16)}"
    return f"{_folder(inputs, account, scope)}/{inputs['name']}"


def _rule_place(inputs: Inputs, account: Account, scope: Scope) -> str:
    return f"{policy_id(inputs, account, scope)}/rules/{inputs['priority']}"


def _association_place(inputs: Inputs, account: Account, scope: Scope) -> str:
    return f"{policy_id(inputs, account, scope)}/associations/{inputs['name']}"


def _made(ask: Ask) -> str:
    if ask.before and "creationTimestamp" in ask.before.computed:
        return str(ask.before.computed["creationTimestamp"])
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _stands_in(held: StoredObject) -> dict[str, Any]:
    """Project and region of an object, as its id has them; none of a hierarchical one."""
    parts = held.id.split("/")
    found = {"project": parts[1]} if parts[0] == "projects" else {}
    return found | ({"region": parts[3]} if parts[2:3] == ["regions"] else {})


def _policy_computed(ask: Ask, scope: Scope) -> dict[str, Any]:
    number = str(int(digest_of(ask.held.id, digits=15), 16))
    link = f"{_LINK}/{ask.held.id}"
    key = {"global": "networkFirewallPolicyId", "region": "regionNetworkFirewallPolicyId"}.get(
        scope, "firewallPolicyId"
    )
    if scope == "hierarchical":
        number = last_part(ask.held.id)
    return {
        "creationTimestamp": _made(ask),
        "fingerprint": digest_of(ask.held.inputs),
        key: number,
        **({"name": number} if scope == "hierarchical" else _stands_in(ask.held)),
        "ruleTupleCount": sum(_tuples(rule.inputs, ask) for rule in _rules(ask, scope)),
        "selfLink": link,
        "selfLinkWithId": f"{link.rpartition('/')[0]}/{number}",
    }


def _rule_computed(ask: Ask) -> dict[str, Any]:
    return {
        "creationTimestamp": _made(ask),
        "kind": "compute#firewallPolicyRule",
        **_stands_in(ask.held),
        "ruleTupleCount": _tuples(ask.held.inputs, ask),
    }


def _association_computed(ask: Ask) -> dict[str, Any]:
    return {"shortName": last_part(ask.held.inputs["firewallPolicy"]), **_stands_in(ask.held)}


def _tuples(rule: Inputs, ask: Ask) -> int:
    """Rule attributes: ranges, names, protocols and port ranges count one each (Google, firewall policy quotas), a group its
    capacity (Cloud NGFW, address groups)."""
    match = rule["match"]
    named = sum(len(match.get(key) or ()) for key in ("destIpRanges", "destFqdns", "srcIpRanges", "srcFqdns"))
    named += sum(int(each.inputs["capacity"]) for each in groups_of(rule, ask))
    return named + sum(1 + len(config.get("ports") or ()) for config in match["layer4Configs"])


def _policy_exists(ask: Ask, scope: Scope) -> Iterator[str]:
    wanted = policy_id(ask.held.inputs, ask.account, scope)
    if ask.writes and ask.now.get(SCOPES[scope].policy.token, wanted) is None:
        yield f"notFound: The resource '{wanted}' was not found; the stack that owns the policy makes it"


def _no_association(ask: Ask, scope: Scope) -> Iterator[str]:
    if ask.operation == "delete":
        for other in ask.now.objects(SCOPES[scope].association.token):
            if policy_of(other) == ask.held.id:
                yield f"resourceInUseByAnotherResource: {network_of(other)} is associated with the policy ({other.name})"


def _short_name_is_free(ask: Ask) -> Iterator[str]:
    """Short names are unique in an organization (FirewallPolicy.shortName), and here is one."""
    for other in ask.now.objects(SCOPES["hierarchical"].policy.token) if ask.operation == "create" else ():
        if other.inputs["shortName"] == ask.held.inputs["shortName"]:
            yield f"alreadyExists: the short name {other.inputs['shortName']} is that of {other.id}; set another `name`"


def _rules(ask: Ask, scope: Scope) -> list[StoredObject]:
    """A policy is deleted with its rules."""
    return [rule for rule in ask.now.objects(SCOPES[scope].rule.token) if rule.id.startswith(f"{ask.held.id}/")]


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


def _one_policy_per_target(ask: Ask, scope: Scope) -> Iterator[str]:
    """A network has one global policy (Google, network security quotas), a node one hierarchical policy, which an update
    takes over. Regional policies of a network are told apart by the association's priority."""
    if not ask.writes or scope == "region":
        return
    for other in ask.now.objects(SCOPES[scope].association.token):
        if other.id != ask.held.id and network_of(other) == network_of(ask.held):
            yield (
                f"conditionNotMet: {network_of(ask.held)} is associated with {policy_of(other)} already ({other.name}). "
                "Nothing moves it in one update; `hostgate diff` says how to move it without a moment open"
            )


def _lifecycles(scope: Scope) -> Iterator[tuple[str, Lifecycle]]:
    policy, rule, association = SCOPES[scope]
    name = "shortName" if scope == "hierarchical" else "name"
    yield (
        policy.token,
        Lifecycle(
            place=partial(_policy_place, scope=scope),
            name=name,
            computed=partial(_policy_computed, scope=scope),
            rules=(
                fixed(name, says="invalid"),
                partial(_no_association, scope=scope),
                *((_short_name_is_free,) if scope == "hierarchical" else ()),
            ),
            takes_along=partial(_rules, scope=scope),
        ),
    )
    yield (
        rule.token,
        Lifecycle(
            place=partial(_rule_place, scope=scope),
            name="description" if scope == "hierarchical" else "ruleName",
            computed=_rule_computed,
            # Changing the direction in place is refused by the API, and the provider asks for it (magic-modules 11368).
            rules=(
                fixed("priority", "direction", says="invalid"),
                partial(_policy_exists, scope=scope),
                group_exists,
                groups_exist,
            ),
            same={"firewallPolicy": same_name},
            taken="Adopt it with import_, or delete it; where another rule has the priority, move `base` further "
            "(see `hostgate diff`)",
        ),
    )
    hierarchical = scope == "hierarchical"
    yield (
        association.token,
        Lifecycle(
            place=partial(_association_place, scope=scope),
            name="name",
            computed=_association_computed,
            rules=(
                partial(_policy_exists, scope=scope),
                *(() if hierarchical else (_network_of_the_project,)),
                partial(_one_policy_per_target, scope=scope),
            ),
            same={"firewallPolicy": same_name if hierarchical else _same_link, "attachmentTarget": _same_link},
        ),
    )


_SCOPES: Final[tuple[Scope, ...]] = ("global", "region", "hierarchical")

LIFECYCLES: Final[Mapping[str, Lifecycle]] = {token: life for scope in _SCOPES for token, life in _lifecycles(scope)}
