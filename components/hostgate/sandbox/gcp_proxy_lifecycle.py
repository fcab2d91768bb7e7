"""How Secure Web Proxy's objects live: ids, what the provider overlooks, and what is refused at call time.

Ids are the provider's own (magic-modules d577844, 2026-08-21, `id_format`); of a rule's policy it keeps the name, in the
rule's own project and location. Rules of one policy are taken one after another (terraform-provider-google 12704).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.gcp.resources_proxy import (
    EXPLICIT,
    GATEWAY,
    GATEWAYS,
    LISTS,
    NEXT_HOP,
    POLICIES,
    POLICY,
    POLICY_ROUTE,
    POLICY_RULES,
    PROXY_ONLY,
    RULE,
    STATIC_ROUTE,
    SUBNETWORK,
    URL_LIST,
)
from hostgate.gcp.rule_steps import network_path
from hostgate.planning.limits import Limit
from hostgate.planning.mechanism import GROWS
from hostgate.sandbox.gcp_projects import project_of
from hostgate.sandbox.lifecycle import Account, Ask, CallRule, Inputs, Lifecycle, digest_of, fixed, last_part, same_name
from hostgate.sandbox.state import StoredObject

_MADE: Final = "2026-01-01T00:00:00Z"
_OVERLOOKED: Final = " (Provider produced inconsistent result after apply)"
"""Of inputs that the provider plans in place, and that then do not change."""


class _Id:
    """The id of a kind of object: in a location of its project, or in one that all share."""

    def __init__(self, collection: str, location: str = "") -> None:
        self.collection, self.location = collection, location

    def __call__(self, inputs: Inputs, account: Account) -> str:
        where = self.location or f"locations/{inputs.get('location') or account.region}"
        return f"projects/{project_of(inputs, account)}/{where}/{self.collection}/{inputs['name']}"


def _subnetwork_id(inputs: Inputs, account: Account) -> str:
    region = inputs.get("region") or account.region
    return f"projects/{project_of(inputs, account)}/regions/{region}/subnetworks/{inputs['name']}"


def _policy_id(inputs: Inputs, account: Account) -> str:
    """The policy that a rule gets into, whatever project its reference names."""
    place = f"projects/{project_of(inputs, account)}/locations/{inputs['location']}"
    return f"{place}/gatewaySecurityPolicies/{last_part(inputs['gatewaySecurityPolicy'])}"


def _rule_id(inputs: Inputs, account: Account) -> str:
    return f"{_policy_id(inputs, account)}/rules/{inputs['name']}"


def _computed(ask: Ask) -> dict[str, Any]:
    return {"createTime": _MADE, "project": ask.held.id.split("/")[1]}


def _linked(ask: Ask) -> dict[str, Any]:
    return {**_computed(ask), "selfLink": ask.held.id}


def _gateway_computed(ask: Ask) -> dict[str, Any]:
    """Where no address is given, one of the subnetwork is allocated."""
    number = int(digest_of(ask.held.id, digits=4), 16)
    return {**_linked(ask), "addresses": ask.held.inputs.get("addresses") or [f"10.128.{number // 256}.{number % 256}"]}


def _at_most(limit: Limit) -> CallRule:
    def rule(ask: Ask) -> Iterator[str]:
        place = ask.held.id.rpartition("/")[0]
        others = [each for each in ask.now.objects(ask.held.type) if each.id.rpartition("/")[0] == place]
        if ask.operation == "create" and len(others) >= limit.max:
            yield f"resourceExhausted: at most {limit.max} {limit.unit} ({limit.name})"

    return rule


def _lists_exist(ask: Ask) -> Iterator[str]:
    for name in _listed(ask.held) if ask.writes else ():
        if ask.now.get(URL_LIST, name) is None:
            yield f"invalidArgument: the URL list {name} of the session matcher does not exist"


def _listed(rule: StoredObject) -> list[str]:
    return re.findall(r"inUrlList\([^,]*,\s*'([^']*)'", str(rule.inputs.get("sessionMatcher")))


def _list_unused(ask: Ask) -> Iterator[str]:
    for rule in ask.now.objects(RULE) if ask.operation == "delete" else ():
        if ask.held.id in _listed(rule):
            yield f"failedPrecondition: the rule {rule.name} uses it"


def _policy_exists(ask: Ask) -> Iterator[str]:
    wanted = _policy_id(ask.held.inputs, ask.account)
    if ask.writes and ask.now.get(POLICY, wanted) is None:
        yield f"notFound: Resource '{wanted}' was not found"


def _policy_unused(ask: Ask) -> Iterator[str]:
    for gateway in ask.now.objects(GATEWAY) if ask.operation == "delete" else ():
        if network_path(str(gateway.inputs.get("gatewaySecurityPolicy"))) == ask.held.id:
            yield f"failedPrecondition: the gateway {gateway.name} uses it"


def _rules_of(ask: Ask) -> list[StoredObject]:
    """A policy is deleted with its rules."""
    return [rule for rule in ask.now.objects(RULE) if rule.id.startswith(f"{ask.held.id}/")]


def _gateway_fits(ask: Ask) -> Iterator[str]:
    inputs = ask.held.inputs
    if not ask.writes:
        return
    wanted = inputs.get("gatewaySecurityPolicy")
    if wanted and ask.now.get(POLICY, network_path(str(wanted))) is None:
        yield f"notFound: Resource '{wanted}' was not found"
    for other in ask.now.objects(GATEWAY):
        theirs = other.inputs
        if other.id == ask.held.id or other.id.rpartition("/")[0] != ask.held.id.rpartition("/")[0]:
            continue
        alike = network_path(str(theirs.get("network"))) == network_path(str(inputs.get("network")))
        if alike and (inputs.get("routingMode"), theirs.get("routingMode")) == (NEXT_HOP, NEXT_HOP):
            yield f"conditionNotMet: {other.name} is the next-hop proxy of the network in the region already"
        if alike and inputs.get("addresses") and inputs["addresses"] == theirs.get("addresses"):
            yield f"conditionNotMet: the address {inputs['addresses'][0]} is that of {other.name} already"


def _gateway_unused(ask: Ask) -> Iterator[str]:
    addresses = ask.held.outputs.get("addresses") or [None]
    if ask.operation != "delete" or ask.held.inputs.get("routingMode") == EXPLICIT:
        return
    for type_, key in ((POLICY_ROUTE, "nextHopIlbIp"), (STATIC_ROUTE, "nextHopIp")):
        for route in ask.now.objects(type_):
            if route.inputs.get(key) in addresses:
                yield f"failedPrecondition: the route {route.name} leads to it"


def _active_once(ask: Ask) -> Iterator[str]:
    """A network has one active proxy-only subnet in a region (Cloud Load Balancing documentation, proxy-only subnets, read
    2026-11-28)."""
    if not ask.writes or not _is_active(ask.held):
        return
    network, region = network_path(str(ask.held.inputs.get("network"))), ask.held.id.split("/")[3]
    for other in ask.now.objects(SUBNETWORK):
        there = (network_path(str(other.inputs.get("network"))), other.id.split("/")[3])
        if other.id != ask.held.id and _is_active(other) and there == (network, region):
            yield f"conditionNotMet: {other.name} is the active proxy-only subnet of the network in the region already"


def _is_active(subnet: StoredObject) -> bool:
    return subnet.inputs.get("purpose") == PROXY_ONLY and subnet.inputs.get("role") == "ACTIVE"


def _same_network(old: Any, new: Any) -> bool:
    return network_path(str(old)) == network_path(str(new))


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    URL_LIST: Lifecycle(
        place=_Id("urlLists"),
        name="name",
        computed=_computed,
        rules=(fixed("name", "location", says="invalid", because=_OVERLOOKED), _at_most(LISTS), _list_unused),
        overlooks=("name", "location"),
    ),
    POLICY: Lifecycle(
        place=_Id("gatewaySecurityPolicies"),
        name="name",
        computed=_linked,
        rules=(_at_most(POLICIES), _policy_unused),
        takes_along=_rules_of,
    ),
    RULE: Lifecycle(
        place=_rule_id,
        name="name",
        computed=_linked,
        rules=(_policy_exists, _lists_exist, _at_most(POLICY_RULES)),
        locks=lambda inputs, account: (_policy_id(inputs, account),),
        same={"gatewaySecurityPolicy": same_name},
    ),
    GATEWAY: Lifecycle(
        place=_Id("gateways"),
        name="name",
        computed=_gateway_computed,
        rules=(fixed("ports", says="invalid", because=_OVERLOOKED), _at_most(GATEWAYS), _gateway_fits, _gateway_unused),
        overlooks=("ports",),
        same={"network": _same_network, "subnetwork": _same_network, "gatewaySecurityPolicy": _same_network},
    ),
    POLICY_ROUTE: Lifecycle(
        place=_Id("policyBasedRoutes", "locations/global"),
        name="name",
        computed=lambda ask: {**_computed(ask), "kind": "networkconnectivity#policyBasedRoute", "warnings": []},
        same={"network": _same_network},
    ),
    STATIC_ROUTE: Lifecycle(
        place=_Id("routes", "global"), name="name", computed=_linked, same={"network": _same_network}
    ),
    SUBNETWORK: Lifecycle(
        place=_subnetwork_id,
        name="name",
        computed=lambda ask: {**_linked(ask), "creationTimestamp": _MADE},
        rules=(_active_once,),
        same={"network": _same_network},
        grows=(GROWS,),
    ),
}
