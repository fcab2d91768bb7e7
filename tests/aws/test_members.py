"""Members of security groups that are in other groups, too, and members and subnets that another place judges afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hostgate.aws import evaluate_acls, evaluate_groups
from hostgate.aws.members import NOT_KNOWN, in_groups, of_acls
from hostgate.flows.address_sets import networks
from hostgate.flows.flow import Flow
from hostgate.flows.name_classes import Need
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, Place
from hostgate.flows.verdicts import decide
from hostgate.review.compared_places import ComparedPlace, compared_members, compared_standing
from hostgate.review.guards import Guards, tripped

OURS, WIDE, ALIKE, UNREAD = "sg-0a", "sg-0b", "sg-0c", "sg-0d"
NEEDED = [
    Need("a", Box(address=networks(["203.0.113.7/32"]), protocols=frozenset({6})), due=False),
]
ELSEWHERE, HERE = (Flow("a.example", address=each) for each in ("198.51.100.9", "203.0.113.7"))

INSTANCE = "aws:ec2/instance:Instance"
INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
ATTACHMENT = "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment"
GROUP = "aws:ec2/securityGroup:SecurityGroup"


def made(
    type_: str, name: str, id_: str = "", links: Mapping[str, Sequence[str]] | None = None, **told: Any
) -> Resource:
    depends = {key: frozenset(urns) for key, urns in (links or {}).items()}
    return Resource(urn=f"urn:{name}", type=type_, name=name, id=id_, properties=told, property_dependencies=depends)


def everything(**more: Any) -> dict[str, Any]:
    return {
        "protocol": "-1",
        "fromPort": 0,
        "toPort": 0,
        "cidrBlocks": ["0.0.0.0/0"],
        "ipv6CidrBlocks": ["::/0"],
        **more,
    }


LIST = made("aws:ec2/managedPrefixList:ManagedPrefixList", "list", "pl-1", addressFamily="IPv4",
            entries=[{"cidr": "203.0.113.7/32"}])  # fmt: skip
RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def rule(group: str) -> Resource:
    return made(
        RULE, f"ours-{group}", prefixListId="pl-1", ipProtocol="tcp", fromPort=443, toPort=443, securityGroupId=group
    )


GROUPS = [
    LIST,
    rule(OURS),
    made(GROUP, "wide", WIDE, egress=[everything()]),
    made(GROUP, "alike", ALIKE, egress=[everything(protocol="tcp", fromPort=443, toPort=443, ipv6CidrBlocks=[],
                                                   cidrBlocks=["203.0.113.7/32"])]),
]  # fmt: skip


def snapshot(*more: Resource, base: Sequence[Resource] = GROUPS) -> Snapshot:
    return Snapshot((*base, *more), "a state")


def group_place(*more: Resource, name: str = OURS) -> Place:
    (found,) = (each for each in evaluate_groups.places(snapshot(*more)) if each.name == name)
    return found


def told(*more: Resource) -> tuple[list[str], int, Reach]:
    found = reach(group_place(*more), NEEDED)
    return [each.rule for each in found.beyond], len(found.unknown), found


def instance(*groups: object, name: str = "b", key: str = "vpcSecurityGroupIds", type_: str = INSTANCE) -> Resource:
    return made(type_, name, f"i-{name}", **{key: list(groups)})


HOLDERS = {
    "an instance": lambda ids: [instance(*ids)],
    "a native instance": lambda ids: [instance(*ids, type_="aws-native:ec2:Instance", key="securityGroupIds")],
    "an interface": lambda ids: [instance(*ids, type_=INTERFACE, key="securityGroups")],
    "a native interface": lambda ids: [instance(*ids, type_="aws-native:ec2:NetworkInterface", key="groupSet")],
    "a function": lambda ids: [
        made("aws:lambda/function:Function", "b", vpcConfig={"subnetIds": ["subnet-1"], "securityGroupIds": list(ids)})
    ],
    "a service": lambda ids: [
        made("aws:ecs/service:Service", "b", networkConfiguration={"securityGroups": list(ids), "subnets": []})
    ],
    "a native service": lambda ids: [
        made("aws-native:ecs:Service", "b", networkConfiguration={"awsvpcConfiguration": {"securityGroups": list(ids)}})
    ],
    "a template": lambda ids: [
        made("aws:ec2/launchTemplate:LaunchTemplate", "b", networkInterfaces=[{"securityGroups": list(ids)}])
    ],
    "a native template": lambda ids: [
        made(
            "aws-native:ec2:LaunchTemplate",
            "b",
            launchTemplateData={"networkInterfaces": [{"groups": list(ids)}, {"groups": ["sg-0e"]}]},
        )
    ],
    "a load balancer": lambda ids: [made("aws:lb/loadBalancer:LoadBalancer", "b", securityGroups=list(ids))],
    "a database": lambda ids: [made("aws:rds/instance:Instance", "b", vpcSecurityGroupIds=list(ids))],
    "attachments to an id": lambda ids: [
        made(ATTACHMENT, f"at-{each}", networkInterfaceId="eni-1", securityGroupId=each) for each in ids
    ],
    "an attachment to an interface": lambda ids: [
        instance(*ids[:1], type_=INTERFACE, key="securityGroups"),
        *(made(ATTACHMENT, f"at-{each}", networkInterfaceId="i-b", securityGroupId=each) for each in ids[1:]),
    ],
    "an attachment to an instance": lambda ids: [
        made(INSTANCE, "b", "i-1", vpcSecurityGroupIds=list(ids[:1]), primaryNetworkInterfaceId="eni-1"),
        *(made(ATTACHMENT, f"at-{each}", networkInterfaceId="eni-1", securityGroupId=each) for each in ids[1:]),
    ],
    "an attachment to an instance that is not there yet": lambda ids: [
        made(INSTANCE, "b", vpcSecurityGroupIds=list(ids[:1])),
        *(
            made(ATTACHMENT, f"at-{each}", links={"networkInterfaceId": ["urn:b"]}, networkInterfaceId=UNKNOWN,
                 securityGroupId=each)
            for each in ids[1:]
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_another_group_allows_a_member_adds_up(holder: str) -> None:
    beyond, unknown, found = told(*HOLDERS[holder]([OURS, WIDE]))
    assert (set(beyond), unknown) == ({"wide"}, 0)
    assert {each.owner for each in found.beyond} == {"urn:wide"}
    assert f"also in {WIDE}" in " ".join(found.assumptions)
    assert all(str(flow.source).startswith("member:") for each in found.beyond for flow in each.flows)
    assert told(*HOLDERS[holder]([OURS]))[:2] == ([], 0)
    assert told(*HOLDERS[holder]([WIDE, ALIKE]))[:2] == ([], 0)


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_group_with_the_same_hosts_opens_nothing_and_one_that_was_not_read_is_a_doubt(holder: str) -> None:
    beyond, unknown, found = told(*HOLDERS[holder]([OURS, ALIKE]))
    assert (beyond, unknown, found.dead) == ([], 0, ())
    beyond, unknown, found = told(*HOLDERS[holder]([OURS, UNREAD]))
    assert (beyond, unknown > 0) == ([], True)
    assert f"is in {UNREAD}, whose rules are not in what was read" in found.unknown[0].what[0]
    assert f"also in {UNREAD}" in " ".join(found.assumptions)


@pytest.mark.parametrize("key", ["groups", "securityGroups"])
@pytest.mark.parametrize("type_", ["aws:iam/userGroupMembership:UserGroupMembership", GROUP, "hostgate-aws:index:X"])
def test_lists_of_names_and_of_whom_rules_are_about_are_no_members(type_: str, key: str) -> None:
    names = ["ops", WIDE] if type_ != "aws:iam/userGroupMembership:UserGroupMembership" else ["ops", "admins"]
    assert in_groups(snapshot(made(type_, "x", **{key: names}))) == []


def test_a_member_in_another_group_is_no_other_member() -> None:
    place = group_place(instance(OURS, WIDE), instance(OURS, name="c"))
    verdicts = {
        source: decide(place, Flow("x.example", address="198.51.100.9", source=source)).action
        for source in (None, "member:b", "member:c")
    }
    assert verdicts == {None: "unknown", "member:b": "allow", "member:c": "block"}
    assert decide(place, HERE).allows
    all_of_them = group_place(instance(OURS, WIDE), instance(OURS, WIDE, name="c"))
    assert decide(all_of_them, ELSEWHERE).allows


def test_what_one_member_reaches_by_another_group_alone_is_missing_for_the_other() -> None:
    need = Need("x", Box(address=networks(["198.51.100.9/32"]), protocols=frozenset({6})))
    assert not reach(group_place(instance(OURS, WIDE)), [need]).missing
    assert reach(group_place(instance(OURS, WIDE), instance(OURS, name="c")), [need]).missing
    assert reach(group_place(instance(OURS)), [need]).missing


KNOWN = {
    "made in this update": ([UNKNOWN, UNKNOWN], ["urn:ours", "urn:wide"], {OURS, WIDE}),
    "one of them": ([OURS, UNKNOWN], ["urn:wide"], {OURS, WIDE}),
    "all at once": (UNKNOWN, ["urn:ours", "urn:wide"], {OURS, WIDE}),
    "one that nobody knows": ([OURS, UNKNOWN], [], {OURS, NOT_KNOWN}),
    "a secret": ([OURS, "[secret]"], [], {OURS, NOT_KNOWN}),
    "one of two": ([OURS, UNKNOWN], ["urn:wide", "urn:alike"], {OURS, NOT_KNOWN}),
}


@pytest.mark.parametrize("how", KNOWN)
def test_groups_that_are_not_known_are_those_that_the_list_was_made_from(how: str) -> None:
    value, links, groups = KNOWN[how]
    member = made(INSTANCE, "b", links={"vpcSecurityGroupIds": links}, vpcSecurityGroupIds=value)
    ours = made(GROUP, "ours", OURS, egress=[])
    (found,) = in_groups(snapshot(ours, member))
    assert found.under == groups
    beyond, unknown, _ = told(ours, member)
    assert (set(beyond), unknown > 0) == (({"wide"}, False) if WIDE in groups else (set(), True))


def moved(
    before: Sequence[Resource], after: Sequence[Resource], base: Sequence[Resource] = GROUPS
) -> list[ComparedPlace]:
    sides = [snapshot(*each, base=base) for each in (before, after)]
    return list(compared_members(*sides, ((), ())))


def guards(places: Sequence[ComparedPlace], **asked: Any) -> set[str]:
    return {each.guard for each in tripped(Guards(**asked), [], places)}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_member_that_leaves_for_a_group_that_allows_all_opens_everything(holder: str) -> None:
    was, now = (HOLDERS[holder]([each]) for each in (OURS, WIDE))
    (place,) = moved(was, now)
    assert place.everything is not None
    assert place.label.endswith(f", from group {OURS} to {WIDE}")
    assert guards([place], max_opened=0) == {"never-open-all", "max-opened"}
    assert moved(now, was) == moved(was, was) == moved(now, now) == []


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_member_that_leaves_for_what_was_not_read_may_open_everything(holder: str) -> None:
    (place,) = moved(HOLDERS[holder]([OURS]), HOLDERS[holder]([UNREAD]))
    assert place.everything is None
    assert place.perhaps_everything is not None
    assert "never-open-all" in guards([place])


def test_a_member_that_goes_to_the_same_hosts_changes_nothing_and_one_that_stays_is_told_of_the_place() -> None:
    (place,) = moved([instance(OURS)], [instance(ALIKE)])
    assert place.found.changes == ()
    assert moved([instance(OURS)], [instance(OURS, WIDE)]) == []
    before, after = (evaluate_groups.places(snapshot(instance(*each))) for each in ([OURS], [OURS, WIDE]))
    (stays,) = compared_standing(before, after, ((), ()), (), snapshot(instance(OURS, WIDE)))
    assert stays.everything is not None


def test_a_member_that_is_gone_opens_nothing_and_one_that_lost_its_groups_may() -> None:
    assert moved([instance(OURS)], []) == []
    assert moved([], [instance(WIDE)]) == []
    (place,) = moved([instance(OURS)], [instance()])
    assert place.perhaps_everything is not None


def test_another_member_that_comes_or_goes_changes_nothing_for_one_in_two_groups() -> None:
    two, one = [instance(OURS, WIDE), instance(OURS, name="c")], [instance(OURS, WIDE)]
    for was, now in ((two, one), (one, two)):
        sides = [evaluate_groups.places(snapshot(*each)) for each in (was, now)]
        (place,) = compared_standing(*sides, ((), ()), (), snapshot(*now))
        assert place.found.changes == ()
        assert moved(was, now) == []


def test_members_that_move_alike_are_one_line() -> None:
    names = ["b", "c", "d", "e", "f"]
    (place,) = moved([instance(OURS, name=each) for each in names], [instance(WIDE, name=each) for each in names])
    assert place.label == f"aws members b, c, d and 2 more, from group {OURS} to {WIDE}"


# Subnets and network ACLs.

ACL, ACL_ALL, ACL_UNREAD = "acl-0a", "acl-0b", "acl-0d"
ASSOCIATION = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
NATIVE_ASSOCIATION = "aws-native:ec2:SubnetNetworkAclAssociation"
NACL, DEFAULT = "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"


def entry(way: bool, address: str = "203.0.113.7/32") -> Resource:
    port = 443 if way else 1024
    return made("aws:ec2/networkAclRule:NetworkAclRule", f"entry-{way}", networkAclId=ACL, ruleNumber=100, egress=way,
                protocol="tcp", ruleAction="allow", cidrBlock=address, fromPort=port, toPort=443 if way else 65535)  # fmt: skip


def open_acl(type_: str = NACL, id_: str = ACL_ALL, **more: Any) -> Resource:
    inline = {"action": "allow", "ruleNo": 100, "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0"}
    return made(type_, "wide", id_, egress=[inline], ingress=[inline], **more)


ACLS = [entry(True), entry(False)]


def by_association(where: Mapping[str, str], type_: str = ASSOCIATION) -> list[Resource]:
    links = [made(type_, f"a-{subnet}", networkAclId=acl, subnetId=subnet) for subnet, acl in where.items()]
    return [open_acl(), *links]


def by_native_association(where: Mapping[str, str]) -> list[Resource]:
    return by_association(where, NATIVE_ASSOCIATION)


def inline(where: Mapping[str, str]) -> list[Resource]:
    of = {acl: [subnet for subnet, each in where.items() if each == acl] for acl in (ACL, ACL_ALL)}
    return [open_acl(subnetIds=of[ACL_ALL]), made(NACL, "ours", ACL, subnetIds=of[ACL])]


def made_below(where: Mapping[str, str]) -> list[Resource]:
    """Ids that nobody knows: the subnets come with the update that associates them, or are those of a state."""
    subnets = [made(SUBNET, subnet, vpcId="vpc-1") for subnet in where]
    links = [made(ASSOCIATION, f"a-{subnet}", links={"subnetId": [f"urn:{subnet}"]}, networkAclId=acl, subnetId=UNKNOWN)
             for subnet, acl in where.items()]  # fmt: skip
    return [open_acl(), *subnets, *links]


WAYS = {"association": by_association, "native": by_native_association, "inline": inline, "unknown ids": made_below}


@pytest.mark.parametrize("way", WAYS)
def test_a_subnet_that_moves_to_an_acl_that_allows_all_opens_everything(way: str) -> None:
    was = WAYS[way]({"subnet-1": ACL, "subnet-2": ACL, "subnet-3": ACL_ALL})
    now = WAYS[way]({"subnet-1": ACL, "subnet-2": ACL_ALL, "subnet-3": ACL_ALL})
    (place,) = moved(was, now, ACLS)
    assert place.label == f"aws subnet subnet-2, from network ACL {ACL} to {ACL_ALL}"
    assert place.everything is not None
    assert "never-open-all" in guards([place])
    assert moved(now, was, ACLS) == []
    (both,) = moved(was, WAYS[way](dict.fromkeys(("subnet-1", "subnet-2", "subnet-3"), ACL_ALL)), ACLS)
    assert both.label.startswith("aws subnets subnet-1, subnet-2, from")


@pytest.mark.parametrize("way", WAYS)
def test_the_subnets_that_have_an_acl_are_told(way: str) -> None:
    found = snapshot(*WAYS[way]({"subnet-1": ACL, "subnet-2": ACL_ALL, "subnet-3": ACL}), base=ACLS)
    (place,) = evaluate_acls.places(found)
    assert "Of what was read, these have it: subnet-1, subnet-3." in place.assumptions[0]
    assert "subnet-2" not in " ".join(place.assumptions)


@pytest.mark.parametrize("way", ["association", "native", "unknown ids"])
def test_a_subnet_that_moves_to_an_acl_that_was_not_read_may_open_everything(way: str) -> None:
    (place,) = moved(WAYS[way]({"subnet-1": ACL}), WAYS[way]({"subnet-1": ACL_UNREAD}), ACLS)
    assert (place.everything, place.perhaps_everything is not None) == (None, True)
    assert place.label.endswith(f"to {ACL_UNREAD}")
    assert "never-open-all" in guards(
        list(compared_members(
            snapshot(*WAYS[way]({"subnet-1": ACL}), base=ACLS),
            snapshot(*WAYS[way]({"subnet-1": ACL_UNREAD}), base=ACLS), ((), ()), ["a.example"],
        )),
        never_remove=("a.example",),
    )  # fmt: skip


DEFAULTS = {
    "by its VPC's id": ([made(VPC, "vpc", "vpc-1")], {"vpcId": "vpc-1"}),
    "by what the VPC says": (
        [made(VPC, "vpc", "vpc-1", defaultNetworkAclId="acl-0e")],
        {"defaultNetworkAclId": "acl-0e"},
    ),
    "by what it was made from": (
        [made(VPC, "vpc", "vpc-1")],
        {"defaultNetworkAclId": UNKNOWN, "links": {"defaultNetworkAclId": ["urn:vpc"]}},
    ),
}


@pytest.mark.parametrize("told_by", DEFAULTS)
@pytest.mark.parametrize("resource", [True, False], ids=["the subnet is read", "only its id"])
def test_a_subnet_that_an_acl_lets_go_has_the_default_one(told_by: str, resource: bool) -> None:
    more, told_ = DEFAULTS[told_by]
    subnets = [made(SUBNET, "two", "subnet-2", vpcId="vpc-1")] if resource else []
    was = [made(NACL, "ours", ACL, vpcId="vpc-1", subnetIds=["subnet-1", "subnet-2"]), *subnets]
    now = [made(NACL, "ours", ACL, vpcId="vpc-1", subnetIds=["subnet-1"]), *subnets]
    default = open_acl(DEFAULT, "acl-0e", **told_)
    (read,) = moved([*was, *more, default], [*now, *more, default], ACLS)
    assert read.label == f"aws subnet subnet-2, from network ACL {ACL} to acl-0e"
    assert read.everything is not None
    (unread,) = moved(was, now, ACLS)
    assert unread.label == f"aws subnet subnet-2, from network ACL {ACL} to {NOT_KNOWN}"
    assert unread.perhaps_everything is not None
    other = open_acl(DEFAULT, "acl-0e", vpcId="vpc-2")
    (elsewhere,) = moved([*was, other], [*now, other], ACLS)
    assert elsewhere.label.endswith(f"to {NOT_KNOWN}")


def test_a_subnet_that_is_gone_or_new_opens_nothing() -> None:
    one, two = (made(SUBNET, each, f"subnet-{each}", vpcId="vpc-1") for each in ("1", "2"))

    def acl(*subnets: str) -> Resource:
        return made(NACL, "ours", ACL, vpcId="vpc-1", subnetIds=list(subnets))

    assert moved([acl("subnet-1", "subnet-2"), one, two], [acl("subnet-1"), one], ACLS) == []
    assert moved([acl("subnet-1"), one], [acl("subnet-1"), one, two, open_acl(subnetIds=["subnet-2"])], ACLS) == []


def test_an_association_is_believed_before_what_a_state_says_of_the_acl_and_two_acls_are_a_doubt() -> None:
    stale = made(NACL, "ours", ACL, subnetIds=["subnet-1"])
    found = of_acls(snapshot(stale, *by_association({"subnet-1": ACL_ALL}), base=ACLS))
    assert [each.under for each in found] == [{ACL_ALL}]
    (place,) = moved([stale, open_acl()], [stale, open_acl(subnetIds=["subnet-1"])], ACLS)
    assert place.label.endswith(f"to {ACL} or {ACL_ALL}")
    assert place.perhaps_everything is not None
    assert moved(*[[stale, open_acl(subnetIds=["subnet-1"])]] * 2, ACLS) == []


def test_a_subnet_that_goes_to_another_acl_of_ours_opens_what_that_one_allows_alone() -> None:
    other = [
        made("aws:ec2/networkAclRule:NetworkAclRule", f"other-{way}", networkAclId="acl-0c", ruleNumber=100, egress=way,
             protocol="tcp", ruleAction="allow", cidrBlock="198.51.100.9/32", fromPort=443 if way else 1024,
             toPort=443 if way else 65535)
        for way in (True, False)
    ]  # fmt: skip
    (place,) = moved(by_association({"subnet-1": ACL}), by_association({"subnet-1": "acl-0c"}), [*ACLS, *other])
    assert place.everything is None
    assert {each.kind for each in place.found.changes} == {"opened", "closed"}
    assert place.opens == 1
    assert guards([place], max_opened=0) == {"max-opened"}


def test_an_acl_that_an_allowlist_names_is_known_to_be_closed_without_entries() -> None:
    named = made("hostgate-aws:index:NetworkAclAllowlist", "c", options={"networkAcls": [ACL_UNREAD]})
    (place,) = moved(by_association({"subnet-1": ACL}), by_association({"subnet-1": ACL_UNREAD}), [*ACLS, named])
    assert {each.kind for each in place.found.changes} == {"closed"}
