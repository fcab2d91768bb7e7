"""hostgate.gcp.FirewallPolicyAllowlist: the plan of gcp:fqdn as Pulumi resources."""

from collections.abc import Sequence
from typing import Required, TypedDict, Unpack

import pulumi

from hostgate.allowlist import AllowlistComponent, SelectionArgs, prepare, report
from hostgate.catalog.selection import Selection
from hostgate.gcp.firewall_policy import RULE
from hostgate.gcp.google_apis import FqdnOptions
from hostgate.gcp.policy_components import make_policy
from hostgate.planning.grants import Grant
from hostgate.planning.plan import Plan


class GoogleApisArgs(TypedDict, total=False):
    """How googleapis.com and the names below it are reached."""

    access: Required[str]
    """private, restricted or psc."""
    addresses: list[str]
    """Of the endpoints, for psc."""
    response_policy: Required[str]
    """make or declared."""


class FirewallPolicyAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    mechanism: str
    """fqdn: rules with FQDN objects."""
    attach: pulumi.Input[str]
    """An existing firewall policy, by id or name; a new one is made unless given."""
    project: pulumi.Input[str]
    """The project of everything that is made; that of attach or networks unless given, else the provider's."""
    networks: list[pulumi.Input[str]]
    """VPC networks to associate a new policy with; of a hierarchical one those that its rules are about."""
    region: str
    """The region of a regional policy; a global one unless given."""
    parent: pulumi.Input[str]
    """organizations/NUMBER or folders/NUMBER, of a hierarchical policy."""
    nodes: list[pulumi.Input[str]]
    """Organizations and folders to associate a new hierarchical policy with."""
    from_: list[pulumi.Input[str]]
    """Target service accounts or secure tags, and source ranges; every instance unless given."""
    families: list[str]
    """Address families to deny; ipv4 and ipv6 unless given."""
    base: float
    """Priority of the first rule; 2000 unless given."""
    log_allowed: bool
    """Whether the rules of the hosts log; no unless given."""
    log_denied: bool
    """Whether the deny logs; yes unless given."""
    google_apis: GoogleApisArgs
    """How Google's own APIs are reached; by FQDN objects unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class FirewallPolicyAllowlist(AllowlistComponent):
    """Egress rules with FQDN objects, and a deny of the rest, in a global, regional or hierarchical firewall policy."""

    policy: pulumi.Output[str]
    """The policy that holds the rules."""
    rules: pulumi.Output[list[str]]
    """Names of the rules, by priority."""
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
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("gcp:fqdn",))
        super().__init__("hostgate-gcp:index:FirewallPolicyAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, FqdnOptions)
        self.policy = make_policy(self, name, prepared, plan.options)
        self.rules = pulumi.Output.from_input([each.name for each in plan.objects if each.kind == RULE])
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs({"policy": self.policy, "rules": self.rules, "digest": self.digest})
