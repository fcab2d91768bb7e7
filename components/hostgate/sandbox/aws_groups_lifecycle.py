"""How prefix lists, rules of security groups and entries of network ACLs live: ids, and what EC2 refuses at call time.

Security groups and network ACLs are taken as given.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.resources_ec2 import ACL_ENTRY, EGRESS_RULE, MOST_ACL_ENTRIES, PREFIX_LIST
from hostgate.sandbox.aws_lifecycle import arn_and_tags
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of


def _list_id(inputs: Inputs, account: Account) -> str:
    return f"pl-{digest_of(inputs.get('region') or account.region, inputs.get('name'), digits=17)}"


def _rule_id(inputs: Inputs, account: Account) -> str:
    keys = ("securityGroupId", "ipProtocol", "fromPort", "toPort", "prefixListId", "cidrIpv4", "cidrIpv6")
    return f"sgr-{digest_of(account.region, *(inputs.get(key) for key in keys), digits=17)}"


def _list_computed(ask: Ask) -> dict[str, Any]:
    return {**arn_and_tags(ask, "ec2", "prefix-list"), "ownerId": ask.account.number, "version": 1}


def _rule_computed(ask: Ask) -> dict[str, Any]:
    return {**arn_and_tags(ask, "ec2", "security-group-rule"), "securityGroupRuleId": ask.held.id}


def _list_exists(ask: Ask) -> Iterator[str]:
    wanted = ask.held.inputs.get("prefixListId")
    if ask.writes and wanted and wanted not in {held.id for held in ask.now.objects(PREFIX_LIST)}:
        yield f"InvalidPrefixListID.NotFound: the prefix list {wanted} does not exist"


def _list_unused(ask: Ask) -> Iterator[str]:
    for rule in ask.now.objects(EGRESS_RULE) if ask.operation == "delete" else ():
        if rule.inputs.get("prefixListId") == ask.held.id:
            yield f"PrefixListInUse: a rule of {rule.inputs.get('securityGroupId')} refers to it"


def _as_sets(old: Any, new: Any) -> bool:
    def items(each: Any) -> Any:
        listed = isinstance(each, list) and all(isinstance(item, Mapping) for item in each)
        return sorted(sorted(map(str, item.items())) for item in each) if listed else None

    return items(old) is not None and items(old) == items(new)


def _entry_id(inputs: Inputs, account: Account) -> str:
    place = (inputs.get("networkAclId"), inputs.get("ruleNumber"), bool(inputs.get("egress")))
    return f"nacl-{digest_of(inputs.get('region') or account.region, *place, digits=9)}"


def _room_for_entries(ask: Ask) -> Iterator[str]:
    """At most 40 in one direction over one family, with the one that denies at the end."""

    def counted(inputs: Inputs) -> tuple[Any, bool, bool]:
        return inputs.get("networkAclId"), bool(inputs.get("egress")), bool(inputs.get("ipv6CidrBlock"))

    if ask.operation == "create":
        own = counted(ask.held.inputs)
        beside = sum(counted(each.inputs) == own for each in ask.now.objects(ACL_ENTRY) if each.id != ask.held.id)
        if beside + 2 > MOST_ACL_ENTRIES.max:
            yield f"NetworkAclEntryLimitExceeded: {own[0]} has {beside + 1} entries in this direction and family"


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    PREFIX_LIST: Lifecycle(
        place=_list_id, name="name", computed=_list_computed, rules=(_list_unused,), same={"entries": _as_sets}
    ),
    EGRESS_RULE: Lifecycle(place=_rule_id, name="securityGroupId", computed=_rule_computed, rules=(_list_exists,)),
    ACL_ENTRY: Lifecycle(
        place=_entry_id,
        name="networkAclId",
        rules=(_room_for_entries,),
        taken="NetworkAclEntryAlreadyExists: delete it",
    ),
}
