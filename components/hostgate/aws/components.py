"""hostgate.aws.NetworkFirewallAllowlist: the plan of aws:rules or aws:domain-list as Pulumi resources."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
from pulumi_aws import networkfirewall

from hostgate.allowlist import Prepared, SelectionArgs, prepare, report
from hostgate.aws.strict_order import POLICY, RULE_GROUP
from hostgate.catalog.selection import Selection
from hostgate.planning.mechanism import CloudObject

_REFERENCES = "StatefulRuleGroupReferences"


class NetworkFirewallAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists are plain: reviewers and policies must see them."""

    mechanism: str
    """rules (the default) or domain-list."""
    attach: str
    """The ARN of a policy owned elsewhere; then only rule groups and their references are made."""
    from_: list[str]
    """Clients, as source ranges within HOME_NET; all of HOME_NET unless given."""
    home_net: list[str]
    """The ranges behind the firewall; RFC 1918 unless given."""
    base: float
    """Priority of the first rule group; 1000 unless given."""
    log_allowed: bool
    """Whether allowed flows are logged."""
    reject: bool
    """Whether blocked TCP clients get a reset, by rules in place of the policy's default drop."""
    addresses: dict[str, list[str]]
    """Address ranges of tcp and udp entries, by entry id."""
    ip_sets: dict[str, pulumi.Input[str]]
    """ARNs of prefix lists or resource groups that hold such addresses, by entry id."""
    import_: dict[str, str]
    """ARNs of existing objects to adopt, by child name."""


class RuleGroupReference(TypedDict):
    """A reference as a firewall policy's stateful_rule_group_references take it."""

    resource_arn: str
    """ARN of a rule group."""
    priority: float
    """Its priority: lower ones are evaluated first."""


class NetworkFirewallAllowlist(pulumi.ComponentResource):
    """Stateful rule groups that allow the hosts, and a strict-order policy that drops the rest.

    With `attach`, or with `deny="declared"`, no policy is made: hand `references` to your own.
    """

    references: pulumi.Output[list[RuleGroupReference]]
    """References of the rule groups with their priorities, for the policy that holds them."""
    policy_arn: pulumi.Output[str]
    """ARN of the policy made; empty if none is."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: NetworkFirewallAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection = None,  # type: ignore[assignment]
        **options: Any,
    ) -> None:
        """`hosts` is a Selection and other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, options, opts, ("aws:rules", "aws:domain-list"))
        super().__init__("hostgate-aws:index:NetworkFirewallAllowlist", name, prepared.inputs, opts)
        plan = prepared.plan
        holder = next(each for each in plan.objects if each.kind != RULE_GROUP)
        groups = self._groups(prepared, name, holder)
        body = holder.body.get("FirewallPolicy", holder.body)
        priorities = [
            (groups[reference["ResourceArn"].rpartition("/")[2]], reference["Priority"])
            for reference in body["StatefulRuleGroupReferences"]
        ]
        self.references = pulumi.Output.all(
            *(
                pulumi.Output.from_input({"resource_arn": group.arn, "priority": priority})
                for group, priority in priorities
            )
        )
        self.policy_arn = pulumi.Output.from_input("")
        if holder.kind == POLICY:
            child = prepared.child(name, holder)
            policy = networkfirewall.FirewallPolicy(
                child,
                name=prepared.adopted_name(child),
                description=holder.body["Description"],
                firewall_policy=_policy(body, priorities),
                tags=dict(plan.options.tags) or None,
                opts=prepared.options(self, child),
            )
            self.policy_arn = policy.arn
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        shown = self.references.apply(
            lambda items: [{"resourceArn": item["resource_arn"], "priority": item["priority"]} for item in items]
        )
        self.register_outputs({"references": shown, "policyArn": self.policy_arn, "digest": self.digest})

    def _groups(self, prepared: Prepared, name: str, holder: CloudObject) -> dict[str, networkfirewall.RuleGroup]:
        """The rule groups by the plan's names.

        The policy's update is the only moment at which several groups, or groups and the policy's own settings, change
        at once. So where the policy is ours, groups are replaced instead of changed if something else has to change with
        them: a domain list with its guard (else a listed host is open on every port meanwhile), and every group with the
        policy's defaults and HOME_NET (else a host that leaves on the way into audit is cut meanwhile). A policy owned
        elsewhere would keep the old groups; there the guard changes before the list.
        """
        plan = prepared.plan
        ours = holder.kind == POLICY
        settings = {key: value for key, value in holder.body.get("FirewallPolicy", {}).items() if key != _REFERENCES}
        groups: dict[str, networkfirewall.RuleGroup] = {}
        for each in plan.objects:
            if each.kind != RULE_GROUP:
                continue
            child = prepared.child(name, each)
            listed = "RulesSourceList" in each.body["RuleGroup"]["RulesSource"]
            groups[each.name] = networkfirewall.RuleGroup(
                child,
                # No `name`: a fixed one forces delete-before-replace, and a group in use cannot be deleted.
                name=prepared.adopted_name(child),
                capacity=each.body["Capacity"],
                type=each.body["Type"],
                description=each.body["Description"],
                rule_group=_rule_group(each, prepared.outputs.get("ip_sets", {})),
                tags=dict(plan.options.tags) or None,
                opts=prepared.options(
                    self,
                    child,
                    depends_on=list(groups.values()) if listed else [],
                    replace_on_changes=["ruleGroup"] if ours and plan.target == "aws:domain-list" else None,
                    replacement_trigger=json.dumps(settings, sort_keys=True) if ours else None,
                ),
            )
        return groups


def _rule_group(each: CloudObject, arns: Mapping[str, pulumi.Input[str]]) -> networkfirewall.RuleGroupRuleGroupArgs:
    """The rule group's content. `arns`: what stands in the plan for the ARN of an IP set, and the ARN itself."""
    source = each.body["RuleGroup"]["RulesSource"]
    listed = source.get("RulesSourceList")
    sets = each.body["RuleGroup"].get("ReferenceSets", {}).get("IPSetReferences", {})
    return networkfirewall.RuleGroupRuleGroupArgs(
        rules_source=networkfirewall.RuleGroupRuleGroupRulesSourceArgs(
            rules_string=source.get("RulesString"),
            rules_source_list=None
            if listed is None
            else networkfirewall.RuleGroupRuleGroupRulesSourceRulesSourceListArgs(
                generated_rules_type=listed["GeneratedRulesType"],
                target_types=listed["TargetTypes"],
                targets=listed["Targets"],
            ),
        ),
        reference_sets=networkfirewall.RuleGroupRuleGroupReferenceSetsArgs(
            ip_set_references=[
                networkfirewall.RuleGroupRuleGroupReferenceSetsIpSetReferenceArgs(
                    key=key,
                    ip_set_references=[
                        networkfirewall.RuleGroupRuleGroupReferenceSetsIpSetReferenceIpSetReferenceArgs(
                            reference_arn=arns.get(reference["ReferenceArn"], reference["ReferenceArn"])
                        )
                    ],
                )
                for key, reference in sets.items()
            ]
        )
        if sets
        else None,
        stateful_rule_options=networkfirewall.RuleGroupRuleGroupStatefulRuleOptionsArgs(
            rule_order=each.body["RuleGroup"]["StatefulRuleOptions"]["RuleOrder"]
        ),
    )


def _policy(
    body: Mapping[str, Any], priorities: list[tuple[networkfirewall.RuleGroup, int]]
) -> networkfirewall.FirewallPolicyFirewallPolicyArgs:
    engine = body["StatefulEngineOptions"]
    return networkfirewall.FirewallPolicyFirewallPolicyArgs(
        stateless_default_actions=body["StatelessDefaultActions"],
        stateless_fragment_default_actions=body["StatelessFragmentDefaultActions"],
        stateful_default_actions=body.get("StatefulDefaultActions"),
        stateful_engine_options=networkfirewall.FirewallPolicyFirewallPolicyStatefulEngineOptionsArgs(
            rule_order=engine["RuleOrder"], stream_exception_policy=engine["StreamExceptionPolicy"]
        ),
        stateful_rule_group_references=[
            networkfirewall.FirewallPolicyFirewallPolicyStatefulRuleGroupReferenceArgs(
                resource_arn=group.arn, priority=priority
            )
            for group, priority in priorities
        ],
        policy_variables=networkfirewall.FirewallPolicyFirewallPolicyPolicyVariablesArgs(
            rule_variables=[
                networkfirewall.FirewallPolicyFirewallPolicyPolicyVariablesRuleVariableArgs(
                    key=key,
                    ip_set=networkfirewall.FirewallPolicyFirewallPolicyPolicyVariablesRuleVariableIpSetArgs(
                        definitions=variable["Definition"]
                    ),
                )
                for key, variable in body["PolicyVariables"]["RuleVariables"].items()
            ]
        ),
    )
