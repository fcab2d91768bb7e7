"""Every golden plan of AWS Network Firewall on Suricata, in strict order and in action order: its witnesses, and what is beyond
and missing there, are what the engine does. One replay for each stage of a rule set has all of its connections."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataplane.aws.differential import Client, Order, RuleSet, snapshot_of
from dataplane.aws.policy_default import FIRST_SID
from dataplane.aws.stages import Ordered, ordered
from dataplane.aws.test_reach import replayable, talk_of
from golden.cases import PREFIX_LIST, Case, cases
from hostgate.flows.reach import Reach, reach
from hostgate.flows.verdicts import decide
from hostgate.flows.witnesses import extract
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.needs import points_of

CASES = [case for case in cases() if case.target in ("aws:rules", "aws:domain-list")]
SETS = {PREFIX_LIST: ("192.0.2.0/25",)}
"""Who is in it, nobody sees in a snapshot."""
MOST = 600

_DROPS = {
    "TLS_SNI": 'drop tls $HOME_NET any -> $EXTERNAL_NET any (ssl_state:client_hello; flow:to_server,established; sid:{}; rev:1;)',
    "HTTP_HOST": 'drop http $HOME_NET any -> $EXTERNAL_NET any (http.header_names; content:"|0d 0a|"; startswith; '
                 "flow:to_server,established; sid:{}; rev:1;)",
}  # fmt: skip
"""What an allow list drops in action order (Network Firewall developer guide, Suricata examples of domain lists)."""


def rule_set(objects: Sequence[CloudObject], order: Order) -> RuleSet:
    """The objects as they are made, or as somebody has them in a policy in action order."""
    if order == "strict":
        return RuleSet("own", order, ordered(objects, SETS), snapshot_of(objects))
    moved = [replace(each, body=_in_action_order(each)) for each in objects]
    strict = ordered(objects, SETS)
    rules = [rule for rule in strict.rules if int(rule.rpartition("sid:")[2].partition(";")[0]) < FIRST_SID]
    kinds = {kind for each in objects for kind in _types_of_list(each)}
    drops = [_DROPS[kind].format(FIRST_SID + at) for at, kind in enumerate(sorted(kinds))]
    return RuleSet(
        "own", order, Ordered((*rules, *drops), strict.home_net, strict.labels, strict.sets), snapshot_of(moved)
    )


def _types_of_list(each: CloudObject) -> Sequence[str]:
    listed: Sequence[str] = (
        each.body.get("RuleGroup", {}).get("RulesSource", {}).get("RulesSourceList", {}).get("TargetTypes", ())
    )
    return listed


def _in_action_order(each: CloudObject) -> dict[str, Any]:
    body = copy.deepcopy(dict(each.body))
    if policy := body.get("FirewallPolicy"):
        policy["StatefulEngineOptions"] = {"RuleOrder": "DEFAULT_ACTION_ORDER"}
        policy["StatefulDefaultActions"] = []
        for reference in policy["StatefulRuleGroupReferences"]:
            reference.pop("Priority")
    if group := body.get("RuleGroup"):
        group.pop("StatefulRuleOptions", None)
    return body


def told(found: Reach) -> Iterator[Client]:
    """What is beyond and what is missing, as the packets of each of its flows."""
    flows = [flow for each in found.beyond for flow in each.flows] + [each.flow for each in found.missing]
    yield from (Client(flow, talk) for flow in flows if (talk := talk_of(flow)) is not None)


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("order", ["strict", "action"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_said_of_a_golden_plan_is_what_suricata_does(case: Case, order: Order, tmp_path: Path) -> None:
    plan = case.plan()
    rules = rule_set(plan.objects, order)
    (_, needs), *_ = points_of(plan)
    found: dict[Client, None] = {}
    for place in (rules.place, *([plan.place] if order == "strict" else [])):
        found |= dict.fromkeys((*told(reach(place, needs)), *replayable(extract(place, needs).witnesses, MOST)))
    fates = rules.replay([each.talk for each in found], tmp_path)
    compared = [
        (client.flow, said, fate)
        for client, fate in zip(found, fates, strict=True)
        for said in [decide(rules.place, client.flow)]
        if fate in ("allow", "block") and said.action != "unknown"
    ]
    assert [each for each in compared if each[1].action != each[2]] == []
    assert len(compared) > 0.6 * len(found) > 10  # the others the stages cannot tell
    assert {fate for _, _, fate in compared} == {"allow", "block"} or case.mode == "audit"
    if order == "strict":
        assert bool(reach(rules.place, needs).beyond) == (case.mode == "audit")
