"""hostgate.gcp.AddressGroupAllowlist: the plan of gcp:address-group as Pulumi resources."""

from collections.abc import Sequence
from typing import Any, Unpack

import pulumi
from pulumi_gcp import networksecurity

from hostgate.allowlist import AllowlistComponent, Registration, SelectionArgs, prepare, report
from hostgate.catalog.selection import Selection
from hostgate.gcp.address_group import GROUP, labels_of
from hostgate.gcp.address_group_options import AddressGroupOptions
from hostgate.gcp.firewall_policy import RULE
from hostgate.gcp.policy_components import PolicyPlace, make_policy
from hostgate.gcp.resources_groups import ADDRESS_GROUP, ADDRESS_GROUP_TYPE
from hostgate.planning.grants import Grant
from hostgate.planning.kept_lists import ignored
from hostgate.planning.plan import Plan
from hostgate.planning.targets import COMPUTED, row


class AddressGroupAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    attach: pulumi.Input[str]
    """An existing firewall policy, by id or name; a new one is made unless given."""
    project: pulumi.Input[str]
    """The project of everything that is made; that of attach or networks unless given."""
    networks: list[pulumi.Input[str]]
    """VPC networks to associate a new policy with."""
    region: str
    """The region of a regional policy; a global one unless given."""
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
    pool: str
    """The address pool that `hostgate pool refresh` keeps: a file of the project, or a URL."""
    addresses: dict[str, list[str]]
    """The addresses of each host, in place of a pool."""
    steps: float
    """The capacity of a group is the next multiple of this; 100 unless given."""
    contents: str
    """pool: this program keeps the items. refresher: it fills a group once, and `hostgate pool push` keeps them."""
    capacity: float
    """The capacity of each group that a refresher keeps."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class AddressGroupAllowlist(AllowlistComponent):
    """Address groups with the addresses of the hosts, egress rules that name them, and a deny of the rest, in a global or
    regional firewall policy."""

    policy: pulumi.Output[str]
    """The policy that holds the rules."""
    address_groups: pulumi.Output[list[str]]
    """Ids of the address groups, for a push and for rules of your own."""
    rules: pulumi.Output[list[str]]
    """Names of the rules, by priority."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: AddressGroupAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection | Sequence[Grant] = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[AddressGroupAllowlistArgs],
    ) -> None:
        """`hosts` are a Selection or Grants, other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("gcp:address-group",))
        super().__init__("hostgate-gcp:index:AddressGroupAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, AddressGroupOptions)
        groups = _groups(self, name, prepared, plan.options)
        self.policy = make_policy(self, name, prepared, plan.options, lists=groups)
        self.address_groups = pulumi.Output.all(*(made.id for _, made in groups.values()))
        self.rules = pulumi.Output.from_input([each.name for each in plan.objects if each.kind == RULE])
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs(
            {
                "policy": self.policy,
                "addressGroups": self.address_groups,
                "rules": self.rules,
                "digest": self.digest,
            }
        )


def _groups(
    component: AddressGroupAllowlist, name: str, prepared: Registration, options: AddressGroupOptions
) -> dict[str, tuple[Any, networksecurity.AddressGroup]]:
    """By the path that the plan has for it: what a rule calls a group, and the group."""
    project = PolicyPlace(name, options, prepared.outputs).project
    parent: Any = options.parent_of_groups if options.in_project else pulumi.Output.concat("projects/", project)
    found = {}
    for each in prepared.plan.objects:
        if each.kind != GROUP:
            continue
        child, body = prepared.child(name, each), each.body
        adopted = prepared.adopted_name(child)
        made = networksecurity.AddressGroup(
            child,
            name=adopted or each.name,  # by name, since rules refer to it
            parent=parent,
            location=options.location,
            type=body["type"],
            capacity=body["capacity"],
            items=body["items"],
            description=body["description"],
            labels=labels_of(options, prepared.tags) or None,
            opts=prepared.options(
                component,
                child,
                replace_on_changes=row(prepared.plan.target).replaces[ADDRESS_GROUP],
                ignore_changes=list(ignored(ADDRESS_GROUP_TYPE, options)) or None,
            ),
        )
        known = COMPUTED not in body["name"] and adopted is None  # so that a first preview shows it
        found[body["name"]] = (body["name"] if known else made.id, made)
    return found
