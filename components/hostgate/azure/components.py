"""hostgate.azure.FirewallPolicyAllowlist: the plan of azure:application-rules as Pulumi resources.

Args classes at every level: plain dictionaries inside `rule_collections` reach the service untranslated.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

import pulumi
from pulumi_azure_native import network

from hostgate.allowlist import AllowlistComponent, AllowlistError, SelectionArgs, prepare, report
from hostgate.azure.application_rules import GROUP, POLICY
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions, group_objection
from hostgate.catalog.selection import Selection
from hostgate.default_base import hand_out, shared_policy
from hostgate.planning.grants import Grant
from hostgate.planning.options import OptionsError, read_options
from hostgate.planning.plan import Plan


class ThreatIntelAllowlistArgs(TypedDict, total=False):
    """What threat intelligence lets through to the rules."""

    fqdns: list[str]
    """Names; *.x for what is below x."""
    ip_addresses: list[str]
    """Addresses and ranges."""


class FirewallPolicyAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    mechanism: str
    """application-rules: by SNI or Host, and network rules for all else."""
    attach: pulumi.Input[str]
    """An existing policy: RESOURCE_GROUP/POLICY or its ARM id; a new one is made unless given."""
    resource_group: pulumi.Input[str]
    """Of a new policy."""
    location: pulumi.Input[str]
    """Of a new policy; the provider's unless given."""
    tier: str
    """Basic, Standard (the default) or Premium."""
    from_: list[pulumi.Input[str]]
    """Clients: IPv4 ranges and IP group ids; any unless given."""
    base: float
    """Priority of the rule collection group; 2000 unless given."""
    threat_intel_mode: str
    """Of a new policy: Alert (the default), Deny or Off."""
    threat_intel_allowlist: ThreatIntelAllowlistArgs
    """What threat intelligence is not about; it opens nothing."""
    intrusion_detection: str
    """Of a new policy of tier Premium: Off, Alert or Deny."""
    dns_servers: list[str]
    """Resolvers of a new policy; Azure's own unless given."""
    dns_proxy: bool
    """Whether a new policy answers the clients' DNS; where names in network rules need it unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class FirewallPolicyAllowlist(AllowlistComponent):
    """Rule collection groups with application and network rules, in a firewall policy that denies the rest."""

    policy_id: pulumi.Output[str]
    """ARM id of the policy made; empty with `attach`."""
    rule_collection_groups: pulumi.Output[list[str]]
    """Names of the rule collection groups, in order."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: FirewallPolicyAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection | Sequence[Grant] = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[FirewallPolicyAllowlistArgs],
    ) -> None:
        """`hosts` are a Selection or Grants, other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("azure:application-rules",))
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, FirewallPolicyOptions)
        resource_group, policy_name = _place(name, plan.options, prepared.outputs, opts)
        super().__init__("hostgate-azure:index:FirewallPolicyAllowlist", name, prepared.inputs, opts)
        self.policy_id = pulumi.Output.from_input("")
        given = enumerate(plan.options.from_)
        clients = {one: prepared.checked(f"from_[{index}]", one, group_objection) for index, one in given}
        policy: network.FirewallPolicy | None = None
        shared = shared_policy("azure", plan.options, prepared.outputs, opts)
        before = shared.written
        for each in plan.objects:
            child = prepared.child(name, each)
            properties = each.body["properties"]
            if each.kind == POLICY:
                dns, known = properties.get("dnsSettings"), properties.get("threatIntelWhitelist")
                intrusion = properties.get("intrusionDetection")
                policy = network.FirewallPolicy(
                    child,
                    firewall_policy_name=each.body["name"],
                    resource_group_name=resource_group,
                    location=prepared.real("location", each.body.get("location")),
                    sku=network.FirewallPolicySkuArgs(tier=properties["sku"]["tier"]),
                    threat_intel_mode=properties["threatIntelMode"],
                    dns_settings=None
                    if dns is None
                    else network.DnsSettingsArgs(enable_proxy=dns["enableProxy"], servers=dns.get("servers")),
                    threat_intel_whitelist=None
                    if known is None
                    else network.FirewallPolicyThreatIntelWhitelistArgs(
                        fqdns=known.get("fqdns"), ip_addresses=known.get("ipAddresses")
                    ),
                    intrusion_detection=None
                    if intrusion is None
                    else network.FirewallPolicyIntrusionDetectionArgs(mode=intrusion["mode"]),
                    tags=prepared.tags,
                    opts=prepared.options(self, child),
                )
                self.policy_id = policy.id
                before = [policy]
            else:
                group = network.FirewallPolicyRuleCollectionGroup(
                    child,
                    rule_collection_group_name=each.name,
                    firewall_policy_name=policy_name,
                    resource_group_name=resource_group,
                    priority=properties["priority"],
                    rule_collections=[_collection(collection, clients) for collection in properties["ruleCollections"]],
                    # One at a time: parallel updates of one policy fail, on destroy too. A new name alone replaces none: beside
                    # the old one the policy has no room for the same priority. They go with the policy, for as long as a
                    # firewall uses that it denies what its groups do not allow.
                    opts=prepared.options(
                        self,
                        child,
                        depends_on=before,
                        ignore_changes=["ruleCollectionGroupName"],
                        deleted_with=policy,
                    ),
                )
                before = [group]
        hand_out(name, plan, self.policy_id, *before)
        shared.written = before
        self.rule_collection_groups = pulumi.Output.from_input(
            [each.name for each in plan.objects if each.kind == GROUP]
        )
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs(
            {"policyId": self.policy_id, "ruleCollectionGroups": self.rule_collection_groups, "digest": self.digest}
        )


def _place(
    name: str, options: FirewallPolicyOptions, outputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None
) -> tuple[Any, Any]:
    """Resource group and policy name, as plain text or as Outputs. Raises AllowlistError, also once an Output is known:
    no policy, or one of another subscription than the provider's, where the groups would be made."""

    def place(attach: str) -> tuple[str, str]:
        try:
            told = read_options(
                FirewallPolicyOptions, {**options.model_dump(exclude_unset=True), "attach": attach}, name
            )
        except OptionsError as error:
            raise AllowlistError(str(error)) from None
        ours = _subscription(opts)
        if told.subscription and ours and told.subscription.lower() != ours.lower():
            raise AllowlistError(
                f"{name}: `attach` names a policy of subscription {told.subscription}, and azure-native:subscriptionId is "
                f"{ours}: the rules would go to a policy of that name there. Give the component a provider of the policy's "
                "subscription."
            )
        return told.policy

    if "attach" in outputs:
        parts = outputs["attach"].apply(place)
        return parts.apply(lambda pair: pair[0]), parts.apply(lambda pair: pair[1])
    group, policy = options.policy if options.attach is None else place(options.attach)
    return outputs.get("resource_group", group), policy


def _subscription(opts: pulumi.ResourceOptions | None) -> str | None:
    """Of the default provider, as the stack's config says it; None where it does not, or another provider is given."""
    if opts is not None and (opts.provider is not None or opts.providers or opts.parent is not None):
        return None
    return pulumi.Config("azure-native").get("subscriptionId")


def _collection(body: Mapping[str, Any], clients: Mapping[str, Any]) -> network.FirewallPolicyFilterRuleCollectionArgs:
    return network.FirewallPolicyFilterRuleCollectionArgs(
        rule_collection_type=body["ruleCollectionType"],
        name=body["name"],
        priority=body["priority"],
        action=network.FirewallPolicyFilterRuleCollectionActionArgs(type=body["action"]["type"]),
        rules=[
            (_application_rule if rule["ruleType"] == "ApplicationRule" else _network_rule)(
                rule, _groups(rule, clients)
            )
            for rule in body["rules"]
        ],
    )


def _groups(rule: Mapping[str, Any], clients: Mapping[str, Any]) -> list[Any] | None:
    """The IP groups of a rule, with the Outputs in the places of what stands for them in the plan."""
    listed = rule.get("sourceIpGroups")
    return None if listed is None else [clients.get(each, each) for each in listed]


def _application_rule(rule: Mapping[str, Any], groups: list[Any] | None) -> network.ApplicationRuleArgs:
    return network.ApplicationRuleArgs(
        rule_type=rule["ruleType"],
        name=rule["name"],
        source_addresses=rule.get("sourceAddresses"),
        source_ip_groups=groups,
        protocols=[
            network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type=each["protocolType"], port=each["port"])
            for each in rule["protocols"]
        ],
        target_fqdns=rule["targetFqdns"],
    )


def _network_rule(rule: Mapping[str, Any], groups: list[Any] | None) -> network.NetworkRuleArgs:
    return network.NetworkRuleArgs(
        rule_type=rule["ruleType"],
        name=rule["name"],
        source_addresses=rule.get("sourceAddresses"),
        source_ip_groups=groups,
        ip_protocols=rule["ipProtocols"],
        destination_addresses=rule.get("destinationAddresses"),
        destination_fqdns=rule.get("destinationFqdns"),
        destination_ports=rule["destinationPorts"],
    )
