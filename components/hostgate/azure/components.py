"""hostgate.azure.FirewallPolicyAllowlist: the plan of azure:application-rules as Pulumi resources."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

import pulumi

from hostgate.allowlist import AllowlistComponent, SelectionArgs, prepare, report
from hostgate.azure.policy_components import MadePolicy, group_names, policy_place
from hostgate.catalog.selection import Selection
from hostgate.planning.grants import Grant
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
        place = policy_place(name, prepared, opts)
        super().__init__("hostgate-azure:index:FirewallPolicyAllowlist", name, prepared.inputs, opts)
        self.policy_id = MadePolicy(self, name, prepared, place, opts).policy_id
        self.rule_collection_groups = group_names(plan)
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs(
            {"policyId": self.policy_id, "ruleCollectionGroups": self.rule_collection_groups, "digest": self.digest}
        )
