"""A firewall policy with its rule collection groups, and the IP groups that they refer to, as children of a component.

Args classes at every level: plain dictionaries inside `rule_collections` reach the service untranslated.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_azure_native import authorization, network

from hostgate.allowlist import AllowlistError, Registration
from hostgate.azure.firewall_policy import GROUP, IP_GROUP, POLICY, ip_group_id
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions, group_objection
from hostgate.azure.resources import IP_GROUP_TYPE, PARALLEL_IP_GROUPS
from hostgate.default_base import hand_out, shared_policy
from hostgate.planning.kept_lists import ignored
from hostgate.planning.options import OptionsError, read_options
from hostgate.planning.plan import Plan


def group_names(plan: Plan) -> "pulumi.Output[list[str]]":
    """Names of the rule collection groups, in order."""
    return pulumi.Output.from_input([each.name for each in plan.objects if each.kind == GROUP])


class MadePolicy:
    """What a plan made: the id of its policy, empty where it attaches to one, and those of its IP groups by name."""

    def __init__(
        self,
        component: pulumi.ComponentResource,
        name: str,
        prepared: Registration,
        place: tuple[Any, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """`place`: resource group and name of the policy."""
        resource_group, policy_name = place
        plan = prepared.plan
        self.policy_id: pulumi.Output[str] = pulumi.Output.from_input("")
        self.ip_groups: dict[str, pulumi.Output[str]] = {}
        assert isinstance(plan.options, FirewallPolicyOptions)
        given = enumerate(plan.options.from_)
        groups: dict[str, Any] = {
            one: prepared.checked(f"from_[{index}]", one, group_objection) for index, one in given
        }
        policy: network.FirewallPolicy | None = None
        shared = shared_policy("azure", plan.options, prepared.outputs, opts)
        before = shared.written
        listed: list[pulumi.Resource] = []
        for each in plan.objects:
            child = prepared.child(name, each)
            properties = each.body["properties"]
            if each.kind == IP_GROUP:
                # Contents of a group are a change of each firewall that uses it: not beside another, and few at once.
                ip_group = network.IpGroup(
                    child,
                    ip_groups_name=each.body["name"],
                    resource_group_name=resource_group,
                    location=prepared.real("location", each.body.get("location")),
                    ip_addresses=properties["ipAddresses"],
                    tags={**each.body.get("tags", {}), **(prepared.tags or {})} or None,
                    opts=prepared.options(
                        component,
                        child,
                        depends_on=[*before, *listed[-PARALLEL_IP_GROUPS.max : 1 - PARALLEL_IP_GROUPS.max]],
                        ignore_changes=list(ignored(IP_GROUP_TYPE, plan.options)) or None,
                    ),
                )
                listed.append(ip_group)
                self.ip_groups[each.name] = ip_group.id
                groups[ip_group_id(plan.options, each.name)] = _known_id(component, ip_group, resource_group, each.name)
            elif each.kind == POLICY:
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
                    # It goes before them: for as long as it stands, its groups may use them.
                    opts=prepared.options(component, child, depends_on=listed),
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
                    rule_collections=[_collection(collection, groups) for collection in properties["ruleCollections"]],
                    # One at a time: parallel updates of one policy fail, on destroy too. A new name alone replaces none: beside
                    # the old one the policy has no room for the same priority. They go with the policy, for as long as a
                    # firewall uses that it denies what its groups do not allow.
                    opts=prepared.options(
                        component,
                        child,
                        depends_on=before,
                        ignore_changes=["ruleCollectionGroupName"],
                        deleted_with=policy,
                    ),
                )
                before = [group]
        hand_out(name, plan, self.policy_id, *before)
        shared.written = before


def _known_id(
    component: pulumi.Resource, group: network.IpGroup, resource_group: Any, name: str
) -> "pulumi.Output[str]":
    """The id of an IP group, of its parts: a preview knows them before it is made, and so which rule opens which group."""
    asked = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=component))
    parts = pulumi.Output.all(asked.subscription_id, resource_group, group.urn)  # the last is what the rule waits for
    return parts.apply(lambda known: f"/subscriptions/{known[0]}/resourceGroups/{known[1]}/providers/{IP_GROUP}/{name}")


def policy_place(name: str, prepared: Registration, opts: pulumi.ResourceOptions | None) -> tuple[Any, Any]:
    """Resource group and policy name, as plain text or as Outputs. Raises AllowlistError, also once an Output is known:
    no policy, or one of another subscription than the provider's, where the groups would be made."""
    options, outputs = prepared.plan.options, prepared.outputs
    assert isinstance(options, FirewallPolicyOptions)

    def place(attach: str) -> tuple[str, str]:
        try:
            told = read_options(type(options), {**options.model_dump(exclude_unset=True), "attach": attach}, name)
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


def _collection(body: Mapping[str, Any], ids: Mapping[str, Any]) -> network.FirewallPolicyFilterRuleCollectionArgs:
    return network.FirewallPolicyFilterRuleCollectionArgs(
        rule_collection_type=body["ruleCollectionType"],
        name=body["name"],
        priority=body["priority"],
        action=network.FirewallPolicyFilterRuleCollectionActionArgs(type=body["action"]["type"]),
        rules=[
            (_application_rule if rule["ruleType"] == "ApplicationRule" else _network_rule)(rule, ids)
            for rule in body["rules"]
        ],
    )


def _groups(rule: Mapping[str, Any], key: str, ids: Mapping[str, Any]) -> list[Any] | None:
    """The IP groups of a rule, with the Outputs in the places of what stands for them in the plan."""
    listed = rule.get(key)
    return None if listed is None else [ids.get(each, each) for each in listed]


def _application_rule(rule: Mapping[str, Any], ids: Mapping[str, Any]) -> network.ApplicationRuleArgs:
    return network.ApplicationRuleArgs(
        rule_type=rule["ruleType"],
        name=rule["name"],
        source_addresses=rule.get("sourceAddresses"),
        source_ip_groups=_groups(rule, "sourceIpGroups", ids),
        protocols=[
            network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type=each["protocolType"], port=each["port"])
            for each in rule["protocols"]
        ],
        target_fqdns=rule["targetFqdns"],
    )


def _network_rule(rule: Mapping[str, Any], ids: Mapping[str, Any]) -> network.NetworkRuleArgs:
    return network.NetworkRuleArgs(
        rule_type=rule["ruleType"],
        name=rule["name"],
        source_addresses=rule.get("sourceAddresses"),
        source_ip_groups=_groups(rule, "sourceIpGroups", ids),
        ip_protocols=rule["ipProtocols"],
        destination_addresses=rule.get("destinationAddresses"),
        destination_ip_groups=_groups(rule, "destinationIpGroups", ids),
        destination_fqdns=rule.get("destinationFqdns"),
        destination_ports=rule["destinationPorts"],
    )
