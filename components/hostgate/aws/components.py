"""hostgate.aws.NetworkFirewallAllowlist: the plan of aws:rules or aws:domain-list as Pulumi resources."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Required, TypedDict, Unpack

import pulumi
from pulumi_aws import networkfirewall

from hostgate.allowlist import AllowlistComponent, AllowlistError, Registration, SelectionArgs, prepare, report
from hostgate.aws.firewall_components import (
    EncryptionConfigurationArgs,
    EndpointAssociationArgs,
    FirewallPlaceArgs,
    FlowTimeoutsArgs,
    GroupShareArgs,
    LogDestinationArgs,
    custom_actions,
    encryption,
    endpoint_association,
    endpoints,
    firewall,
    logging_configuration,
    share,
    stateless_references,
)
from hostgate.aws.firewall_kinds import ENDPOINT, FIREWALL, LOGGING, POLICY, REFERENCES, RULE_GROUP, SHARE
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.policy_options import REGION, REGION_NAME, managed_group_objection
from hostgate.aws.resources_firewall import FIREWALL_POLICY
from hostgate.aws.resources_firewall import RULE_GROUP as RULE_GROUP_TYPE
from hostgate.catalog.selection import Selection
from hostgate.planning.grants import Grant
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan
from hostgate.planning.targets import is_computed, row

_REFERENCES = "StatefulRuleGroupReferences"


class ManagedGroupArgs(TypedDict, total=False):
    """A rule group of AWS or of a partner, judged before the hosts."""

    arn: Required[pulumi.Input[str]]
    """Its ARN; REGION in it stands for the Region."""
    priority: float
    """Below `base`; its place in the list unless given."""
    override: str
    """DROP_TO_ALERT: log what the group would drop."""


class StatelessGroupArgs(TypedDict, total=False):
    """A rule group that judges each packet for itself, before every stateful group."""

    arn: Required[pulumi.Input[str]]
    """Its ARN; REGION in it stands for the Region."""
    priority: float
    """Its place in the list unless given."""


class NetworkFirewallAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists are plain: reviewers and policies must see them."""

    mechanism: str
    """rules (the default): each host on its port. domain-list: the service's own lists, with a guard of the ports."""
    attach: pulumi.Input[str]
    """The ARN of a policy owned elsewhere; only rule groups are made, and its owner writes `references` into it."""
    from_: list[str]
    """Clients, as source ranges within HOME_NET; all of HOME_NET unless given."""
    home_net: list[str]
    """The ranges behind the firewall; RFC 1918 unless given."""
    base: float
    """Where the priorities of the rule groups begin; each kind of group has a fixed place from here on, the first one 500
    on unless there are `addresses`. 1000 unless given."""
    edge: bool
    """Whether the group is made that stops all but TCP, ahead of the hosts. False only with a declared deny, where the
    policy's owner stops UDP, ICMP and other IP protocols."""
    log_allowed: bool
    """Whether allowed flows are logged."""
    reject: bool
    """Whether blocked TCP clients get a reset, by rules in place of the policy's default drop."""
    addresses: dict[str, list[str]]
    """Address ranges of tcp and udp entries, by entry id."""
    pool: str
    """The address pool that `hostgate pool refresh` keeps, a file of the project or a URL, for the tcp and udp entries."""
    host_addresses: dict[str, list[str]]
    """The addresses of each host of a tcp or udp entry, in place of a pool."""
    ip_sets: dict[str, pulumi.Input[str]]
    """ARNs of prefix lists or resource groups that hold such addresses, by entry id."""
    import_: dict[str, str]
    """ARNs of existing objects to adopt, by child name."""
    default_actions: list[str]
    """Stateful default actions of the policy; the to_server drop and its alert twin unless given."""
    managed_groups: list[ManagedGroupArgs]
    """Rule groups of AWS or partners in the policy, before the hosts."""
    stateless_groups: list[StatelessGroupArgs]
    """Stateless rule groups in the policy: they judge before everything of the plan."""
    stateless_custom_actions: dict[str, str]
    """Metrics that count the packets handed to the stateful engine: the dimension's value by the action's name."""
    flow_timeouts: FlowTimeoutsArgs
    """How long the engine remembers a connection; 350 seconds unless given."""
    encryption_configuration: EncryptionConfigurationArgs
    """The key that encrypts rule groups, policy and firewall; one of AWS unless given."""
    group_tags: dict[str, pulumi.Input[str]]
    """Tags of the rule groups, beside tags."""
    policy_tags: dict[str, pulumi.Input[str]]
    """Tags of the policy, beside tags."""
    firewall_tags: dict[str, pulumi.Input[str]]
    """Tags of the firewall, beside tags."""
    tls_inspection: pulumi.Input[str]
    """The ARN of a TLS inspection configuration for the policy."""
    firewall: FirewallPlaceArgs
    """A firewall that uses the policy; none unless given."""
    endpoint_associations: list[EndpointAssociationArgs]
    """More endpoints of the firewall, in other VPCs or Availability Zones."""
    logging: list[LogDestinationArgs]
    """Where the firewall's logs go, one destination for each type."""
    share: GroupShareArgs
    """Shares the rule groups with other accounts, for policies that they own."""
    region: pulumi.Input[str]
    """The Region to make everything in; the provider's unless given."""


class RuleGroupReference(TypedDict):
    """A reference as the `stateful_rule_group_references` of a firewall policy take it."""

    resource_arn: str
    """ARN of a rule group."""
    priority: float
    """Its priority: lower ones are evaluated first."""


class NetworkFirewallAllowlist(AllowlistComponent):
    """Stateful rule groups that allow the hosts, and a strict-order policy that drops the rest.

    With `attach`, or with `deny="declared"`, no policy is made: hand all of `references` to your own.
    """

    references: pulumi.Output[list[RuleGroupReference]]
    """References of the rule groups with their priorities, for the policy that holds them."""
    policy_arn: pulumi.Output[str]
    """ARN of the policy made; empty if none is."""
    firewall_arn: pulumi.Output[str]
    """ARN of the firewall made; empty if none is."""
    endpoints: pulumi.Output[dict[str, str]]
    """Ids of the firewall's endpoints by Availability Zone, for routes; empty if no firewall is made."""
    associated_endpoints: pulumi.Output[dict[str, str]]
    """Ids of the endpoints of `endpoint_associations` by subnet, for routes."""
    share_arn: pulumi.Output[str]
    """ARN of the resource share made; empty if none is."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: NetworkFirewallAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection | Sequence[Grant] = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[NetworkFirewallAllowlistArgs],
    ) -> None:
        """`hosts` are a Selection or Grants, other keywords as in the args; or `plan` and `region` alone. Raises AllowlistError."""
        keywords: dict[str, Any] = {**options, "plan": plan}
        plain, region = _without_region(name, args, keywords)
        prepared = prepare(name, plain, hosts, keywords, opts, ("aws:rules", "aws:domain-list"))
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, NetworkFirewallOptions)
        if plan.options.regions and not isinstance(region, pulumi.Output) and region not in plan.options.regions:
            raise AllowlistError(
                f"{name}: the plan is for {', '.join(plan.options.regions)}: `regions` is of a stack, and a component is made in "
                f"one `region` of them. Found: {region}."
            )
        if plan.options.attach is not None and region is not None and not is_computed(plan.options.attach):
            _in_region(name, plan.options.attach, region)
        holder = next(each for each in plan.objects if each.kind in (POLICY, REFERENCES))
        body = holder.body.get("FirewallPolicy", holder.body)
        made = {each.name for each in plan.objects if each.kind == RULE_GROUP}
        own = [reference for reference in body[_REFERENCES] if _short(reference) in made]
        managed = []
        for reference in body[_REFERENCES]:
            if _short(reference) not in made:
                index = plan.options.managed_priorities.index(reference["Priority"])
                arn = prepared.checked(
                    f"managed_groups[{index}].arn", reference["ResourceArn"], managed_group_objection
                )
                managed.append((_in_region(name, arn, region), reference))
        stateless = [
            {**reference, "ResourceArn": _in_region(name, arn, region)}
            for reference, arn in stateless_references(body, prepared)
        ]
        tls_inspection = prepared.real("tls_inspection", plan.options.tls_inspection)
        if tls_inspection is not None:
            tls_inspection = _in_region(name, tls_inspection, region)
        inputs = prepared.inputs if region is None else {**prepared.inputs, "region": region}
        super().__init__("hostgate-aws:index:NetworkFirewallAllowlist", name, inputs, opts)
        groups = self._groups(prepared, name, holder, region)
        priorities = [(groups[_short(reference)], reference["Priority"]) for reference in own]
        self.references = pulumi.Output.all(
            *(
                pulumi.Output.from_input({"resource_arn": group.arn, "priority": priority})
                for group, priority in priorities
            )
        )
        self.policy_arn = pulumi.Output.from_input("")
        self.firewall_arn = pulumi.Output.from_input("")
        self.endpoints = pulumi.Output.from_input({})
        self.share_arn = pulumi.Output.from_input("")
        if holder.kind == POLICY:
            child = prepared.child(name, holder)
            policy = networkfirewall.FirewallPolicy(
                child,
                name=prepared.adopted_name(child),
                description=holder.body["Description"],
                firewall_policy=_policy(body, managed, priorities, tls_inspection, stateless),
                region=region,
                tags=prepared.tags_of("tags", "policy_tags"),
                encryption_configuration=encryption(
                    networkfirewall.FirewallPolicyEncryptionConfigurationArgs, holder, prepared
                ),
                # TLS inspection cannot be added to a policy nor taken out of it (AWS developer guide, updating a policy).
                opts=prepared.options(self, child, replace_on_changes=row(plan.target).replaces[FIREWALL_POLICY]),
            )
            self.policy_arn = policy.arn
        more: list[tuple[Any, pulumi.Output[str]]] = []
        for each in plan.objects:
            child = prepared.child(name, each)
            if each.kind == FIREWALL:
                over_policy = firewall(self, child, each, self.policy_arn, region, prepared)
                self.firewall_arn = over_policy.arn
                self.endpoints = over_policy.firewall_statuses.apply(endpoints)
            elif each.kind == ENDPOINT:
                more.append(endpoint_association(self, child, each, len(more), self.firewall_arn, region, prepared))
            elif each.kind == LOGGING:
                logging_configuration(self, child, each, self.firewall_arn, region, prepared)
            elif each.kind == SHARE:
                self.share_arn = share(self, child, each, groups, region, prepared)
        pairs = pulumi.Output.all(*(pulumi.Output.all(*pair) for pair in more))
        self.associated_endpoints = pairs.apply(lambda found: dict(found))
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        shown = self.references.apply(
            lambda items: [{"resourceArn": item["resource_arn"], "priority": item["priority"]} for item in items]
        )
        self.register_outputs(
            {
                "references": shown,
                "policyArn": self.policy_arn,
                "firewallArn": self.firewall_arn,
                "endpoints": self.endpoints,
                "associatedEndpoints": self.associated_endpoints,
                "shareArn": self.share_arn,
                "digest": self.digest,
            }
        )

    def _groups(
        self, prepared: Registration, name: str, holder: CloudObject, region: pulumi.Input[str] | None
    ) -> dict[str, networkfirewall.RuleGroup]:
        """The rule groups by the plan's names.

        The policy's update is the only moment at which several groups, or groups and the policy's own settings, change
        at once. So where the policy is ours, groups are replaced instead of changed if something else has to change with
        them: a domain list with its guard (else a listed host is open on every port meanwhile), and every group with the
        policy's defaults and HOME_NET (else a host that leaves on the way into audit is cut meanwhile). A policy owned
        elsewhere would keep the old groups; there the guard changes before the list.
        """
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, NetworkFirewallOptions)
        ours = holder.kind == POLICY
        arns = {stands: prepared.real(f"ip_sets.{entry}", stands) for entry, stands in plan.options.ip_sets.items()}
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
                rule_group=_rule_group(each, arns),
                region=region,
                tags=prepared.tags_of("tags", "group_tags"),
                encryption_configuration=encryption(
                    networkfirewall.RuleGroupEncryptionConfigurationArgs, each, prepared
                ),
                opts=prepared.options(
                    self,
                    child,
                    depends_on=list(groups.values()) if listed else [],
                    replace_on_changes=row(plan.target).replaces[RULE_GROUP_TYPE] if ours else None,
                ),
            )
        return groups


def _without_region(
    name: str, args: Mapping[str, Any] | None, options: dict[str, Any]
) -> tuple[Mapping[str, Any] | None, Any]:
    """The args without `region`, and the Region: None, text or an Output. It is of the component, not of the plan: one plan
    serves several."""
    written = args.get("region") if isinstance(args, Mapping) else None
    given = [each for each in (written, options.pop("region", None)) if each is not None]
    if len(given) > 1:
        raise AllowlistError(f"{name}: `region` is given twice, in args and as a keyword. Keep one.")
    left = {key: value for key, value in args.items() if key != "region"} if isinstance(args, Mapping) else args
    return left, _with(partial(_region, name), given[0]) if given else None


def _region(name: str, region: Any) -> str:
    if not isinstance(region, str) or not re.match(REGION_NAME, region):
        found = repr(region) if isinstance(region, str) else type(region).__name__
        raise AllowlistError(f"{name}: `region`: found {found}. Allowed: the name of a Region, e.g. eu-central-1.")
    return region


def _with(function: Callable[..., Any], *values: Any) -> Any:
    """What `function` makes of `values`; an Output where one of them is."""
    if any(isinstance(each, pulumi.Output) for each in values):
        return pulumi.Output.all(*values).apply(lambda known: function(*known))
    return function(*values)


def _short(reference: Mapping[str, Any]) -> str:
    return str(reference["ResourceArn"]).rpartition("/")[2]


def _in_region(name: str, arn: Any, region: Any) -> Any:
    """The ARN in the component's Region; a policy refers to nothing of another. Both may be Outputs."""
    return _with(partial(_arn_in_region, name), arn, region)


def _arn_in_region(name: str, arn: str, region: str | None) -> str:
    stated = f"{arn}:::".split(":")[3]
    if stated == REGION:
        if region is None:
            raise AllowlistError(
                f"{name}: found REGION in {arn}. Give the component its `region`, or name it in the ARN."
            )
        return arn.replace(f":{REGION}:", f":{region}:", 1)
    if region is not None and stated != region:
        raise AllowlistError(
            f"{name}: found {arn} for a policy of {region}. Allowed: an ARN of the same Region, or REGION in its place."
        )
    return arn


def _rule_group(each: CloudObject, arns: Mapping[str, pulumi.Input[str]]) -> networkfirewall.RuleGroupRuleGroupArgs:
    """The rule group's content. `arns`: what stands in the plan for the ARN of an IP set, and the ARN itself."""
    source = each.body["RuleGroup"]["RulesSource"]
    listed = source.get("RulesSourceList")
    sets = each.body["RuleGroup"].get("ReferenceSets", {}).get("IPSetReferences", {})
    variables = each.body["RuleGroup"].get("RuleVariables", {}).get("IPSets", {})
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
        rule_variables=networkfirewall.RuleGroupRuleGroupRuleVariablesArgs(
            ip_sets=[
                networkfirewall.RuleGroupRuleGroupRuleVariablesIpSetArgs(
                    key=key,
                    ip_set=networkfirewall.RuleGroupRuleGroupRuleVariablesIpSetIpSetArgs(
                        definitions=variable["Definition"]
                    ),
                )
                for key, variable in variables.items()
            ]
        )
        if variables
        else None,
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
    body: Mapping[str, Any],
    managed: Sequence[tuple[Any, Mapping[str, Any]]],
    priorities: Sequence[tuple[networkfirewall.RuleGroup, int]],
    tls_inspection: Any,
    stateless: Sequence[Mapping[str, Any]],
) -> networkfirewall.FirewallPolicyFirewallPolicyArgs:
    engine = body["StatefulEngineOptions"]
    timeouts = engine.get("FlowTimeouts")
    return networkfirewall.FirewallPolicyFirewallPolicyArgs(
        stateless_default_actions=body["StatelessDefaultActions"],
        stateless_fragment_default_actions=body["StatelessFragmentDefaultActions"],
        stateful_default_actions=body.get("StatefulDefaultActions"),
        stateful_engine_options=networkfirewall.FirewallPolicyFirewallPolicyStatefulEngineOptionsArgs(
            rule_order=engine["RuleOrder"],
            stream_exception_policy=engine["StreamExceptionPolicy"],
            flow_timeouts=None
            if timeouts is None
            else networkfirewall.FirewallPolicyFirewallPolicyStatefulEngineOptionsFlowTimeoutsArgs(
                tcp_idle_timeout_seconds=timeouts["TcpIdleTimeoutSeconds"]
            ),
        ),
        stateless_custom_actions=custom_actions(body),
        stateless_rule_group_references=[
            networkfirewall.FirewallPolicyFirewallPolicyStatelessRuleGroupReferenceArgs(
                resource_arn=reference["ResourceArn"], priority=reference["Priority"]
            )
            for reference in stateless
        ]
        or None,
        stateful_rule_group_references=[
            *(_managed_reference(arn, reference) for arn, reference in managed),
            *(
                networkfirewall.FirewallPolicyFirewallPolicyStatefulRuleGroupReferenceArgs(
                    resource_arn=group.arn, priority=priority
                )
                for group, priority in priorities
            ),
        ],
        tls_inspection_configuration_arn=tls_inspection,
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


def _managed_reference(
    arn: Any, reference: Mapping[str, Any]
) -> networkfirewall.FirewallPolicyFirewallPolicyStatefulRuleGroupReferenceArgs:
    override = reference.get("Override")
    return networkfirewall.FirewallPolicyFirewallPolicyStatefulRuleGroupReferenceArgs(
        resource_arn=arn,
        priority=reference["Priority"],
        override=None
        if override is None
        else networkfirewall.FirewallPolicyFirewallPolicyStatefulRuleGroupReferenceOverrideArgs(
            action=override["Action"]
        ),
    )
