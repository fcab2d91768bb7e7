"""hostgate.azure.IpGroupAllowlist: the plan of azure:ip-group as Pulumi resources."""

from collections.abc import Sequence
from typing import Unpack

import pulumi

from hostgate.allowlist import AllowlistComponent, SelectionArgs, prepare, report
from hostgate.azure.components import ThreatIntelAllowlistArgs
from hostgate.azure.ip_group_options import IpGroupOptions
from hostgate.azure.policy_components import MadePolicy, group_names, policy_place
from hostgate.catalog.selection import Selection
from hostgate.planning.grants import Grant
from hostgate.planning.plan import Plan


class IpGroupAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    pool: str
    """The address pool that `hostgate pool refresh` keeps: a file of the project, or a URL."""
    addresses: dict[str, list[str]]
    """The addresses of each host, in place of a pool."""
    contents: str
    """pool: this program keeps the groups. refresher: it fills a group once, and `hostgate pool push` keeps them."""
    attach: pulumi.Input[str]
    """An existing policy: RESOURCE_GROUP/POLICY or its ARM id; a new one is made unless given."""
    resource_group: pulumi.Input[str]
    """Of a new policy and of the groups; with attach they are in that of the policy."""
    location: pulumi.Input[str]
    """Of a new policy and of the groups; the provider's unless given."""
    tier: str
    """Basic, Standard (the default) or Premium."""
    from_: list[pulumi.Input[str]]
    """Clients: IPv4 ranges and IP group ids; any unless given."""
    base: float
    """Priority of the rule collection group; 3000 unless given."""
    threat_intel_mode: str
    """Of a new policy: Alert (the default), Deny or Off."""
    threat_intel_allowlist: ThreatIntelAllowlistArgs
    """What threat intelligence is not about; it opens nothing."""
    intrusion_detection: str
    """Of a new policy of tier Premium: Off, Alert or Deny."""
    dns_servers: list[str]
    """Resolvers of a new policy; Azure's own unless given."""
    dns_proxy: bool
    """Whether a new policy answers the clients' DNS."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class IpGroupAllowlist(AllowlistComponent):
    """IP groups with the addresses of the hosts, and network rules of a firewall policy that refer to them."""

    policy_id: pulumi.Output[str]
    """ARM id of the policy made; empty with `attach`."""
    rule_collection_groups: pulumi.Output[list[str]]
    """Names of the rule collection groups, in order."""
    ip_group_ids: pulumi.Output[list[str]]
    """ARM ids of the IP groups, in order of their names, for rules and pushes of your own."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: IpGroupAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection | Sequence[Grant] = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[IpGroupAllowlistArgs],
    ) -> None:
        """`hosts` are a Selection or Grants, other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("azure:ip-group",))
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, IpGroupOptions)
        place = policy_place(name, prepared, opts)
        super().__init__("hostgate-azure:index:IpGroupAllowlist", name, prepared.inputs, opts)
        made = MadePolicy(self, name, prepared, place, opts)
        self.policy_id, self.rule_collection_groups = made.policy_id, group_names(plan)
        self.ip_group_ids = pulumi.Output.all(*(made.ip_groups[each] for each in sorted(made.ip_groups)))
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs(
            {
                "policyId": self.policy_id,
                "ruleCollectionGroups": self.rule_collection_groups,
                "ipGroupIds": self.ip_group_ids,
                "digest": self.digest,
            }
        )
