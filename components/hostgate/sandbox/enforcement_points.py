"""What the objects that simulated clouds hold enforce: rebuilt as the mechanisms' own objects, judged by their verdicts.

A firewall of AWS is a point of enforcement, by the policy that it uses, and so is a policy that none uses; on Google
Cloud a network is one, by the policy that is associated with it, and so is a policy that nothing is associated with. On
Azure it is the policy. A VPC of AWS judges queries by all rule groups of DNS Firewall that are associated with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hostgate.aws.query_order import DOMAIN_LIST as AWS_DOMAIN_LIST
from hostgate.aws.query_order import INSPECT
from hostgate.aws.query_order import RULE as AWS_QUERY_RULE
from hostgate.aws.strict_order import POLICY as AWS_POLICY
from hostgate.aws.strict_order import RULE_GROUP as AWS_RULE_GROUP
from hostgate.azure.application_rules import GROUP as AZURE_GROUP
from hostgate.flows.flow import Flow, Verdict
from hostgate.gcp.fqdn import RULE as GCP_RULE
from hostgate.planning.mechanism import CloudObject, mechanism
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.sandbox import aws, aws_resolver, azure_stack, gcp
from hostgate.sandbox.gcp_lifecycle import network_of, policy_of
from hostgate.sandbox.lifecycle import at, last_part
from hostgate.sandbox.state import StoredObject


@dataclass(frozen=True, slots=True)
class Point:
    """One place where flows are judged. `place` names it: the policy, or the firewall, network or VPC that has it."""

    target: str
    place: str
    policy: str
    objects: tuple[CloudObject, ...]
    remark: str = ""

    @property
    def title(self) -> str:
        """Short, for people: cloud, what it is, and its name."""
        cloud, mechanism_ = self.target.split(":")
        if mechanism_ == "dns-firewall":
            return f"{cloud} queries of {self.place}"
        kinds = {"/networks/": "network", ":firewall/": "firewall"}
        what = next((kinds[key] for key in kinds if key in self.place), "policy")
        return f"{cloud} {what} {last_part(self.place)}"

    def verdict(self, flow: Flow) -> Verdict:
        """What the objects here do to `flow`. Raises ValueError for rules that the evaluator cannot read."""
        how = mechanism(self.target)
        # The defaults say that the deny, if any, is among the objects, which is what a state is to be asked.
        return how.verdict(self.objects, how.options.model_construct(), flow)


def points(held: Iterable[StoredObject]) -> list[Point]:
    """Every point of enforcement among what is held, AWS, Google Cloud, Azure, in order of creation."""
    every = list(held)
    return [*_aws(every), *_aws_resolver(every), *_gcp(every), *_azure(every)]


def _aws(held: Sequence[StoredObject]) -> list[Point]:
    groups = {each.id: each for each in held if each.type == aws.RULE_GROUP}
    firewalls: dict[str, list[str]] = {}
    for each in held:
        if each.type == aws.FIREWALL:
            firewalls.setdefault(str(each.inputs["firewallPolicyArn"]), []).append(each.id)
    found = []
    for policy in held:
        if policy.type != aws.FIREWALL_POLICY:
            continue
        body = policy.inputs["firewallPolicy"]
        references = [
            {"ResourceArn": reference["resourceArn"], "Priority": reference.get("priority", 1)}
            for reference in body.get("statefulRuleGroupReferences") or ()
        ]
        used = [groups[each["ResourceArn"]] for each in references if each["ResourceArn"] in groups]
        variables = at(body, ("policyVariables", "ruleVariables")) or ()
        home_net = next((each["ipSet"]["definitions"] for each in variables if each["key"] == "HOME_NET"), None)
        whole = CloudObject(
            kind=AWS_POLICY,
            name=policy.name,
            body={
                "FirewallPolicyName": policy.name,
                "FirewallPolicy": {
                    "StatefulDefaultActions": list(body.get("statefulDefaultActions") or ()),
                    # Without those of others: such a group may have the name of one that is held.
                    "StatefulRuleGroupReferences": [each for each in references if each["ResourceArn"] in groups],
                    "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": list(home_net or PRIVATE_IPV4)}}},
                },
            },
        )
        unseen = [last_part(each["ResourceArn"]) for each in references if each["ResourceArn"] not in groups]
        remarks = ["HOME_NET is not set at the policy: taken as RFC 1918"] if not home_net else []
        remarks += [f"not judged, because others maintain them: {', '.join(unseen)}"] if unseen else []
        objects = (*(_rule_group(group) for group in used), whole)
        for place in firewalls.get(policy.id, [policy.id]):
            found.append(Point("aws:rules", place, policy.name, objects, "; ".join(remarks)))
    return found


def _rule_group(group: StoredObject) -> CloudObject:
    source = at(group.inputs, ("ruleGroup", "rulesSource")) or {}
    text = group.inputs.get("rules") or source.get("rulesString")
    listed = source.get("rulesSourceList")
    if listed:
        body: dict[str, Any] = {
            "RulesSourceList": {
                "Targets": list(listed["targets"]),
                "TargetTypes": list(listed["targetTypes"]),
                "GeneratedRulesType": listed["generatedRulesType"],
            }
        }
    else:
        body = {"RulesString": text or ""}
    return CloudObject(
        kind=AWS_RULE_GROUP, name=group.name, body={"RuleGroup": {"RulesSource": body}}, text=text or None
    )


def _aws_resolver(held: Sequence[StoredObject]) -> list[Point]:
    lists = {each.id: each for each in held if each.type == aws_resolver.DOMAIN_LIST}
    rules: dict[str, list[StoredObject]] = {}
    for each in held:
        if each.type == aws_resolver.RULE and each.inputs.get("firewallDomainListId") in lists:
            rules.setdefault(each.inputs["firewallRuleGroupId"], []).append(each)
    vpcs: dict[str, list[StoredObject]] = {}
    for each in held:
        if each.type == aws_resolver.ASSOCIATION:
            vpcs.setdefault(each.inputs["vpcId"], []).append(each)
    groups = {each.id: each for each in held if each.type == aws_resolver.RULE_GROUP}
    found = []
    for vpc, associations in vpcs.items():
        ordered = sorted(associations, key=lambda each: int(each.inputs["priority"]))
        used = [groups[each.inputs["firewallRuleGroupId"]] for each in ordered]
        objects = _queries([rules.get(group.id, []) for group in used], lists)
        found.append(Point("aws:dns-firewall", vpc, ", ".join(group.name for group in used), objects))
    judging = {each.inputs["firewallRuleGroupId"] for associations in vpcs.values() for each in associations}
    for id_, group in groups.items():
        if id_ not in judging:
            objects = _queries([rules.get(id_, [])], lists)
            remark = "no VPC is associated with the rule group"
            found.append(Point("aws:dns-firewall", group.name, group.name, objects, remark))
    return found


def _queries(groups: Sequence[Sequence[StoredObject]], lists: Mapping[str, StoredObject]) -> tuple[CloudObject, ...]:
    """The lists and rules of rule groups that are judged one after another, as those of one."""
    ordered = [rule for group in groups for rule in sorted(group, key=lambda each: int(each.inputs["priority"]))]
    objects: list[CloudObject] = []
    for position, rule in enumerate(ordered):
        listed = lists[rule.inputs["firewallDomainListId"]]
        body = {
            "Priority": position,
            "Action": rule.inputs["action"],
            "FirewallDomainListId": rule.id,
            "BlockResponse": rule.inputs.get("blockResponse") or "NODATA",
            "FirewallDomainRedirectionAction": rule.inputs.get("firewallDomainRedirectionAction") or INSPECT,
        }
        domains = {"Domains": list(listed.inputs.get("domains") or ())}
        objects.append(CloudObject(kind=AWS_DOMAIN_LIST, name=rule.id, body=domains))
        objects.append(CloudObject(kind=AWS_QUERY_RULE, name=rule.name, body=body))
    return tuple(objects)


def _gcp(held: Sequence[StoredObject]) -> list[Point]:
    rules: dict[str, list[CloudObject]] = {}
    for each in held:
        if each.type == gcp.RULE and not each.inputs.get("disabled"):
            rules.setdefault(policy_of(each), []).append(_gcp_rule(each))
    networks: dict[str, list[str]] = {}
    for each in held:
        if each.type == gcp.ASSOCIATION:
            networks.setdefault(policy_of(each), []).append(network_of(each))
    found = []
    for policy in held:
        if policy.type != gcp.POLICY:
            continue
        objects = tuple(rules.get(policy.id, ()))
        for network in networks.get(policy.id, ()):
            found.append(Point("gcp:fqdn", network, policy.name, objects))
        if policy.id not in networks:
            remark = "no network is associated with the policy"
            found.append(Point("gcp:fqdn", policy.id, policy.name, objects, remark))
    return found


def _gcp_rule(rule: StoredObject) -> CloudObject:
    keys = ("ruleName", "priority", "direction", "action", "match")
    return CloudObject(kind=GCP_RULE, name=rule.name, body={key: rule.inputs.get(key) for key in keys})


def _azure(held: Sequence[StoredObject]) -> list[Point]:
    found = []
    for policy in held:
        if policy.type == azure_stack.POLICY:
            groups = tuple(
                _azure_group(each)
                for each in held
                if each.type == azure_stack.GROUP and each.id.startswith(f"{policy.id}/")
            )
            found.append(Point("azure:application-rules", policy.id, policy.name, groups))
    return found


def _azure_group(group: StoredObject) -> CloudObject:
    collections = [_with_lists(each) for each in group.inputs.get("ruleCollections") or ()]
    properties = {"priority": group.inputs["priority"], "ruleCollections": collections}
    return CloudObject(kind=AZURE_GROUP, name=last_part(group.id), body={"properties": properties})


def _with_lists(collection: Mapping[str, Any]) -> dict[str, Any]:
    """The collection with the lists that the verdict asks of every rule, empty where the API left them out."""
    lists = {"ApplicationRule": ("targetFqdns", "protocols"), "NetworkRule": ("ipProtocols", "destinationPorts")}
    rules = [{**{key: [] for key in lists.get(rule["ruleType"], ())}, **rule} for rule in collection.get("rules") or ()]
    return {**collection, "rules": rules}
