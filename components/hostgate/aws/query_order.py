"""What Route 53 Resolver DNS Firewall does with a query: rules by priority, the first whose list holds the name decides.

Reads domain lists and rules as the service gets them; knows nothing of how they came to be. Sources: Amazon Route 53
developer guide, DNS Firewall rule settings, rule actions and domain lists.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.hosts import is_address
from hostgate.flows.flow import Flow, Verdict
from hostgate.planning.mechanism import CloudObject

DOMAIN_LIST = "AWS::Route53Resolver::FirewallDomainList"
RULE_GROUP = "AWS::Route53Resolver::FirewallRuleGroup"
RULE = "AWS::Route53Resolver::FirewallRuleGroup.FirewallRule"
ASSOCIATION = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
CONFIG = "AWS::Route53Resolver::FirewallConfig"

EVERYTHING = "*."
"""A list of all names. The service stores `*` so, and anything else is a difference for ever."""

TRUST, INSPECT = "TRUST_REDIRECTION_DOMAIN", "INSPECT_REDIRECTION_DOMAIN"


def judge(objects: Sequence[CloudObject], flow: Flow, *, undecided: Verdict) -> Verdict:
    """The verdict on the query that comes before `flow`. `undecided` stands where no rule matches.

    Raises ValueError for a list with a specification whose meaning is not known.
    """
    if is_address(flow.name):
        return Verdict("allow", None, "an address is dialled, so no name is asked for and DNS Firewall sees nothing")
    lists = {each.name: each.body["Domains"] for each in objects if each.kind == DOMAIN_LIST}
    name = flow.name.lower().removesuffix(".")
    rules = sorted((each for each in objects if each.kind == RULE), key=lambda each: int(each.body["Priority"]))
    for rule in rules:
        spec = _first(lists.get(rule.body["FirewallDomainListId"], ()), name, blocks=rule.body["Action"] == "BLOCK")
        if spec is not None:
            return _decided(rule.name, rule.body, spec, name)
    return undecided


def _decided(rule: str, body: Mapping[str, Any], spec: str, name: str) -> Verdict:
    label = rule if spec == EVERYTHING else f"{rule}#{spec}"
    match body["Action"]:
        case "BLOCK":
            return Verdict("block", label, f"the query is blocked ({body.get('BlockResponse', 'NODATA')})")
        case "ALERT":
            return Verdict("allow", label, "the query is answered and logged (ALERT)")
    why = "the query is answered"
    if body.get("FirewallDomainRedirectionAction", INSPECT) == INSPECT:
        why = f"{why}, if every name that it is redirected to is listed too"
    if spec == f"*.{name}":
        why = f"{why}; AWS does not say whether {spec} holds {name}, taken as yes"
    return Verdict("allow", label, why)


def _first(specs: Sequence[str], name: str, *, blocks: bool) -> str | None:
    """The specification that holds `name`; a whole name before a wildcard."""
    held = [spec for spec in map(_spelled, specs) if _holds(spec, name, blocks=blocks)]
    return min(held, key=lambda spec: (spec.startswith("*"), -len(spec)), default=None)


def _spelled(spec: str) -> str:
    return EVERYTHING if spec in ("*", EVERYTHING) else spec.lower().removesuffix(".")


def _holds(spec: str, name: str, *, blocks: bool) -> bool:
    """Whether `spec` holds `name`. Whether `*.x` holds x is not documented: a rule that lets pass is taken to hold it,
    a rule that blocks is not, so that the answer is never better than what may happen."""
    if spec == EVERYTHING:
        return True
    if not spec.startswith("*"):
        return name == spec
    if not spec.startswith("*."):
        raise ValueError(f"the meaning of {spec} is not documented: a star without a dot after it")
    return name.endswith(spec[1:]) or (not blocks and name == spec[2:])
