"""hostgate.aws.NetworkAclAllowlist: the plan of aws:network-acl as Pulumi resources."""

from typing import Unpack

import pulumi
from pulumi_aws import ec2

from hostgate.allowlist import AllowlistComponent, SelectionArgs, prepare, report
from hostgate.aws.network_acl_options import NetworkAclOptions
from hostgate.catalog.selection import Selection
from hostgate.planning.plan import Plan


class NetworkAclAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    network_acls: list[pulumi.Input[str]]
    """Ids of the network ACLs of the clients' subnets."""
    pool: str
    """The address pool that `hostgate pool refresh` keeps: a file of the project, or a URL."""
    addresses: dict[str, list[str]]
    """The addresses of each host, in place of a pool."""
    base: float
    """The first of the 10,000 rule numbers that are ours alone; 10000 unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class NetworkAclAllowlist(AllowlistComponent):
    """Entries of network ACLs: out to the addresses of the hosts at their ports, and back from them to the clients."""

    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: NetworkAclAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[NetworkAclAllowlistArgs],
    ) -> None:
        """`hosts` is a Selection and other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("aws:network-acl",))
        super().__init__("hostgate-aws:index:NetworkAclAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, NetworkAclOptions)
        acls = {
            acl: prepared.real(f"network_acls[{index}]", acl) for index, acl in enumerate(plan.options.network_acls)
        }
        answers: list[pulumi.Resource] = []  # first the way back, so that no connection begins that cannot be answered
        for each in sorted(plan.objects, key=lambda each: bool(each.body["Egress"])):
            child, body = prepared.child(name, each), each.body
            made = ec2.NetworkAclRule(
                child,
                network_acl_id=acls[body["NetworkAclId"]],
                rule_number=body["RuleNumber"],
                egress=body["Egress"],
                protocol=body["Protocol"],
                rule_action=body["RuleAction"],
                cidr_block=body.get("CidrBlock"),
                ipv6_cidr_block=body.get("Ipv6CidrBlock"),
                from_port=body["PortRange"]["From"],
                to_port=body["PortRange"]["To"],
                opts=prepared.options(self, child, depends_on=answers if body["Egress"] else ()),
            )
            if not body["Egress"]:
                answers.append(made)
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs({"digest": self.digest})
