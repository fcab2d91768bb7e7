"""hostgate.aws.SecurityGroupAllowlist: the plan of aws:prefix-list as Pulumi resources."""

from typing import Unpack

import pulumi
from pulumi_aws import ec2, vpc

from hostgate.allowlist import AllowlistComponent, SelectionArgs, prepare, report
from hostgate.aws.prefix_list_options import PrefixListOptions
from hostgate.aws.resources import BY_KIND
from hostgate.aws.resources_ec2 import PREFIX_LIST_KIND
from hostgate.catalog.selection import Selection
from hostgate.planning.kept_lists import ignored
from hostgate.planning.plan import Plan


class SecurityGroupAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    security_groups: list[pulumi.Input[str]]
    """Ids of the clients' security groups, which get an egress rule for each list."""
    pool: str
    """The address pool that `hostgate pool refresh` keeps: a file of the project, or a URL."""
    addresses: dict[str, list[str]]
    """The addresses of each host, in place of a pool."""
    steps: float
    """The maximum of a list is the next multiple of this; 10 unless given."""
    contents: str
    """pool: this program keeps the entries. refresher: it fills a list once, and `hostgate pool push` keeps them."""
    maximum: float
    """The maximum of each list that a refresher keeps."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class SecurityGroupAllowlist(AllowlistComponent):
    """Prefix lists with the addresses of the hosts, and egress rules of security groups that refer to them."""

    prefix_lists: pulumi.Output[list[str]]
    """Ids of the prefix lists, for rules of your own."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: SecurityGroupAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[SecurityGroupAllowlistArgs],
    ) -> None:
        """`hosts` is a Selection and other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("aws:prefix-list",))
        super().__init__("hostgate-aws:index:SecurityGroupAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, PrefixListOptions)
        groups = {
            group: prepared.real(f"security_groups[{index}]", group)
            for index, group in enumerate(plan.options.security_groups)
        }
        lists: dict[str, ec2.ManagedPrefixList] = {}
        for each in plan.objects:
            child, body = prepared.child(name, each), each.body
            child_options = prepared.options(self, child)
            if each.kind == PREFIX_LIST_KIND:
                adopted = ["name"] if prepared.adopt.get(child) is not None else []
                child_options.ignore_changes = [*adopted, *ignored(BY_KIND[each.kind], plan.options)] or None
                lists[each.name] = ec2.ManagedPrefixList(
                    child,
                    address_family=body["AddressFamily"],
                    max_entries=body["MaxEntries"],
                    entries=[{"cidr": one["Cidr"], "description": one["Description"]} for one in body["Entries"]],
                    tags=prepared.tags,
                    opts=child_options,
                )
                continue
            vpc.SecurityGroupEgressRule(
                child,
                security_group_id=groups[body["GroupId"]],
                ip_protocol=body["IpProtocol"],
                from_port=body["FromPort"],
                to_port=body["ToPort"],
                prefix_list_id=lists[body["PrefixListId"]].id,
                description=body["Description"],
                tags=prepared.tags,
                opts=child_options,
            )
        self.prefix_lists = pulumi.Output.all(*(lists[each].id for each in sorted(lists)))
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs({"prefixLists": self.prefix_lists, "digest": self.digest})
