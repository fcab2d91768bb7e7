"""Rule groups of a policy as a cloud holds them, as objects of a plan again, so that they can be replayed."""

from collections.abc import Sequence
from typing import Any

from hostgate.aws import resources_firewall
from hostgate.aws.firewall_kinds import POLICY, RULE_GROUP
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.sandbox.lifecycle import at
from hostgate.sandbox.state import StoredObject


def objects_of(policy_name: str, held: Sequence[StoredObject]) -> tuple[CloudObject, ...]:
    """The policy and the groups that it refers to and that are held; groups of others are left out."""
    (policy,) = (each for each in held if each.type == resources_firewall.FIREWALL_POLICY and each.name == policy_name)
    groups = {each.id: each for each in held if each.type == resources_firewall.RULE_GROUP}
    body = policy.inputs["firewallPolicy"]
    references = [
        {"ResourceArn": each["resourceArn"], "Priority": each.get("priority", 1)}
        for each in body.get("statefulRuleGroupReferences") or ()
        if each["resourceArn"] in groups
    ]
    variables = at(body, ("policyVariables", "ruleVariables")) or ()
    home_net = next((each["ipSet"]["definitions"] for each in variables if each["key"] == "HOME_NET"), PRIVATE_IPV4)
    whole = CloudObject(
        kind=POLICY,
        name=policy.name,
        body={
            "FirewallPolicyName": policy.name,
            "FirewallPolicy": {
                "StatefulDefaultActions": list(body.get("statefulDefaultActions") or ()),
                "StatefulRuleGroupReferences": references,
                "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": list(home_net)}}},
            },
        },
    )
    return (*(_rule_group(groups[each["ResourceArn"]]) for each in references), whole)


def _rule_group(group: StoredObject) -> CloudObject:
    source = at(group.inputs, ("ruleGroup", "rulesSource")) or {}
    text = group.inputs.get("rules") or source.get("rulesString")
    listed = source.get("rulesSourceList")
    body: dict[str, Any] = {"RulesString": text or ""}
    if listed:
        body = {
            "RulesSourceList": {
                "Targets": list(listed["targets"]),
                "TargetTypes": list(listed["targetTypes"]),
                "GeneratedRulesType": listed["generatedRulesType"],
            }
        }
    sets = at(group.inputs, ("ruleGroup", "ruleVariables", "ipSets")) or ()
    own = {each["key"]: {"Definition": list(each["ipSet"]["definitions"])} for each in sets}
    whole = {"RulesSource": body, **({"RuleVariables": {"IPSets": own}} if own else {})}
    return CloudObject(kind=RULE_GROUP, name=group.name, body={"RuleGroup": whole}, text=text or None)
