"""Members of security groups that are in other groups, too, and what changes for them; groups and ACLs on one side alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws import memberships
from aws.memberships import ACL, ACLS, HERE, NACL, entry, guards, made
from hostgate.aws import evaluate_acls, evaluate_groups
from hostgate.aws.members import NOT_KNOWN, in_groups
from hostgate.flows.address_sets import networks
from hostgate.flows.flow import Flow
from hostgate.flows.name_classes import Need
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, Place
from hostgate.flows.verdicts import decide
from hostgate.review.compared_places import ComparedPlace, compared_members, compared_standing, on_both

OURS, WIDE, ALIKE, UNREAD = "sg-0a", "sg-0b", "sg-0c", "sg-0d"
NEEDED = [
    Need("a", Box(address=networks(["203.0.113.7/32"]), protocols=frozenset({6})), due=False),
]
ELSEWHERE = replace(HERE, address="198.51.100.9")

INSTANCE = "aws:ec2/instance:Instance"
INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
ATTACHMENT = "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment"
GROUP = "aws:ec2/securityGroup:SecurityGroup"


def everything(**more: Any) -> dict[str, Any]:
    return {
        "protocol": "-1",
        "fromPort": 0,
        "toPort": 0,
        "cidrBlocks": ["0.0.0.0/0"],
        "ipv6CidrBlocks": ["::/0"],
        **more,
    }


NAMED = made("hostgate-aws:index:PrefixListAllowlist", "allowlist", options={"securityGroups": [OURS]})
"""It names our group, so that it is judged without a rule."""
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


def snapshot(*more: Resource) -> Snapshot:
    return Snapshot((*GROUPS, *more), "a state")


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


def moved(before: Sequence[Resource], after: Sequence[Resource]) -> list[ComparedPlace]:
    return memberships.moved(before, after, GROUPS)


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


def test_a_member_that_goes_to_the_same_hosts_changes_nothing() -> None:
    (place,) = moved([instance(OURS)], [instance(ALIKE)])
    assert place.found.changes == ()


def standing(before: Sequence[Resource], after: Sequence[Resource]) -> list[ComparedPlace]:
    """All that a comparison tells where something changes: of groups and of members."""
    sides = [Snapshot(tuple(each), "a state") for each in (before, after)]
    places = [evaluate_groups.places(each) for each in sides]
    found = (*compared_standing(*places, ((), ()), (), sides[1]), *compared_members(*sides, ((), ())))
    return [each for each in found if each.found.changes]


def apart(group: str, name: str, *, port: int = 443, **to: str) -> Resource:
    """A rule for `group` with addresses of its own."""
    return made(RULE, name, securityGroupId=group, ipProtocol="tcp", fromPort=port, toPort=port, **to)


WITHOUT_OURS = [each for each in GROUPS if each.name != f"ours-{OURS}"]
ALL_V4 = {"cidrIpv4": "0.0.0.0/0"}
ALL_OF_V4 = made(RULE, "all", securityGroupId=OURS, ipProtocol="-1", **ALL_V4)
SOME_V4 = {"cidrIpv4": "198.51.100.0/24"}
MAIL = apart(ALIKE, "mail", port=25, **SOME_V4)
IN_GROUPS = {
    # before, after: what the group is told of, what its member is; "everything" or the kinds of what changes
    "our group gets everything, and its member had it": (
        [*GROUPS, instance(OURS, WIDE)], [*GROUPS, ALL_OF_V4, instance(OURS, WIDE)], ["everything"], []),
    "our rule goes, and its member has it still": (
        [*GROUPS, instance(OURS, WIDE)], [*WITHOUT_OURS, NAMED, instance(OURS, WIDE)], ["closed"], []),
    "the same, and other members have it no more": (
        [*GROUPS, instance(OURS, WIDE), instance(OURS, name="c")],
        [*WITHOUT_OURS, NAMED, instance(OURS, WIDE), instance(OURS, name="c")], ["closed"], []),
    "the same, and what else it is in was not read": (
        [*GROUPS, instance(OURS, UNREAD)], [*WITHOUT_OURS, NAMED, instance(OURS, UNREAD)], ["closed"], []),
    "a member of a wide group comes": ([*GROUPS, instance(WIDE)], [*GROUPS, instance(WIDE, OURS)], [], []),
    "a member of one that was not read comes": (
        [*GROUPS, instance(UNREAD)], [*GROUPS, instance(OURS, UNREAD)], [], []),
    "a member comes that was not there, into a wide one too": ([*GROUPS], [*GROUPS, instance(OURS, WIDE)], [], []),
    "a member comes into a wide one too": (
        [*GROUPS, instance(OURS)], [*GROUPS, instance(OURS, WIDE)], [], ["everything"]),
    "one of two comes into a wide one too": (
        [*GROUPS, instance(OURS), instance(OURS, WIDE, name="c")],
        [*GROUPS, instance(OURS, WIDE), instance(OURS, WIDE, name="c")], [], ["everything"]),
    "a member comes into one that was not read, too": (
        [*GROUPS, instance(OURS)], [*GROUPS, instance(OURS, UNREAD)], [], ["unknown"]),
    "a member leaves the wide one": ([*GROUPS, instance(OURS, WIDE)], [*GROUPS, instance(OURS)], [], ["closed"]),
    "a member leaves ours, and has the same by another": (
        [*GROUPS, instance(OURS, ALIKE)], [*GROUPS, instance(ALIKE)], [], []),
    "the other group of a member gets mail": (
        [*GROUPS, instance(OURS, ALIKE)], [*GROUPS, MAIL, instance(OURS, ALIKE)], [], ["opened"]),
    "a member leaves ours, and keeps mail": (
        [*GROUPS, MAIL, instance(OURS, ALIKE)], [*GROUPS, MAIL, instance(ALIKE)], [], []),
    "a group that none of our members is in gets mail": (
        [*GROUPS, instance(OURS), instance(ALIKE, name="c")],
        [*GROUPS, MAIL, instance(OURS), instance(ALIKE, name="c")], [], []),
    "both of its groups get the same": (
        [*GROUPS, instance(OURS, ALIKE)],
        [*GROUPS, MAIL, apart(OURS, "our-mail", port=25, **SOME_V4), instance(OURS, ALIKE)], ["opened"], None),
    "its other group gets what ours loses": (
        [*GROUPS, apart(OURS, "our-mail", port=25, **SOME_V4), instance(OURS, ALIKE)],
        [*GROUPS, MAIL, instance(OURS, ALIKE)], ["closed"], []),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_GROUPS)
def test_a_group_is_told_of_by_its_own_rules_and_a_member_of_what_else_it_is_in(what: str) -> None:
    before, after, of_group, of_member = IN_GROUPS[what]
    found = standing(before, after)

    def told(which: str) -> list[str]:
        those = [each for each in found if each.label.startswith(f"aws {which} ")]
        return sorted({
            "everything" if each.everything is not None else change.kind
            for each in those for change in each.found.changes
        })  # fmt: skip

    assert told("group") == of_group
    if of_member is not None:
        assert told("member") == of_member
    kinds = {*of_group, *(of_member or ())}
    assert ("max-removed" in guards(found, max_removed=0)) is ("closed" in of_group)
    assert ("never-open-all" in guards(found)) is bool(kinds & {"everything", "unknown"})
    assert ("max-opened" in guards(found, max_opened=0)) is bool(kinds & {"everything", "unknown", "opened"})


ADDRESSES, PORTS = ("192.0.2.1", "198.51.100.2"), (25, 443)
_Allows = frozenset[tuple[str, int]]
ALLOWS = st.frozensets(st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(PORTS)))
SIDE = st.tuples(ALLOWS, ALLOWS, st.sets(st.sampled_from([OURS, WIDE]), min_size=1))


@given(before=SIDE, after=SIDE)
def test_what_a_member_gets_and_loses_is_told_and_nothing_else(
    before: tuple[_Allows, _Allows, set[str]], after: tuple[_Allows, _Allows, set[str]]
) -> None:
    def state(side: tuple[_Allows, _Allows, set[str]]) -> list[Resource]:
        ours, other, groups = side
        rules = (
            apart(group, f"{group}-{address}-{port}", port=port, cidrIpv4=f"{address}/32")
            for group, those in ((OURS, ours), (WIDE, other))
            for address, port in those
        )
        return [NAMED, made(GROUP, "wide", WIDE, egress=[]), *rules, instance(*sorted(groups))]

    def reached(side: tuple[_Allows, _Allows, set[str]]) -> _Allows:
        return frozenset().union(*(side[at] for at, each in enumerate((OURS, WIDE)) if each in side[2]))

    found = standing(state(before), state(after))
    told = {
        (which, change.kind, str(flow.address), flow.port)
        for each in found for which in [each.label.split()[1]] for change in each.found.changes for flow, _ in change.seen
        if flow.port in PORTS
    }  # fmt: skip
    assert {each[0] for each in told} <= {"group", "member"}
    of_group = {each[1:] for each in told if each[0] == "group"}
    of_member = {each[1:] for each in told if each[0] == "member"}
    ours = {"opened": after[0] - before[0], "closed": before[0] - after[0]}
    really = {"opened": reached(after) - reached(before), "closed": reached(before) - reached(after)}
    for kind in ("opened", "closed"):
        # One flow stands for those that change by the same rules, and each rule here is for one flow.
        assert {each[1:] for each in of_group if each[0] == kind} == ours[kind]
        assert {each[1:] for each in of_member if each[0] == kind} <= really[kind]
        if OURS in before[2]:
            assert really[kind] <= {each[1:] for each in (*of_group, *of_member) if each[0] == kind}
        else:
            assert not of_member


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


@pytest.mark.parametrize("ids", [("i-1", "i-2"), ("", "")], ids=["known", "not known yet"])
def test_two_members_of_one_name_are_two(ids: tuple[str, str]) -> None:
    types = (INSTANCE, INTERFACE)
    both = [
        replace(made(type_, "b", id_, vpcSecurityGroupIds=groups), urn=f"urn:{type_}::b")
        for type_, id_, groups in zip(types, ids, ([OURS, WIDE], [OURS]), strict=True)
    ]
    place = group_place(*both)
    first, second = (each.name for each in in_groups(snapshot(*both)))
    assert [decide(place, replace(ELSEWHERE, source=f"member:{each}")).action for each in (first, second)] == [
        "allow",
        "block",
    ]
    assert first == (ids[0] or both[0].urn)


LEAVES: dict[str, tuple[list[Resource], list[Resource]]] = {
    "a group whose list goes": (
        [*GROUPS, made(GROUP, "ours", OURS, egress=[])],
        [*WITHOUT_OURS, made(GROUP, "ours", OURS, egress=[])],
    ),
    "a group whose list goes, with another rule": (
        [*GROUPS, made(GROUP, "ours", OURS, egress=[]), apart(OURS, "mail", port=25, **SOME_V4)],
        [*WITHOUT_OURS, made(GROUP, "ours", OURS, egress=[]), apart(OURS, "mail", port=25, **SOME_V4)],
    ),
    "an ACL whose entries go": (
        [*ACLS, made(NACL, "ours", ACL, egress=[], ingress=[])],
        [made(NACL, "ours", ACL, egress=[], ingress=[])],
    ),
    "an ACL whose entry widens": (
        [*ACLS, made(NACL, "ours", ACL, egress=[], ingress=[])],
        [entry(True, "203.0.113.0/24"), entry(False, "203.0.113.0/24"), made(NACL, "ours", ACL, egress=[], ingress=[])],
    ),
}


@pytest.mark.parametrize("what", LEAVES)
def test_what_judges_no_list_of_hosts_any_more_and_was_read_is_judged_all_the_same(what: str) -> None:
    sides = [Snapshot(tuple(each), "a state") for each in LEAVES[what]]
    read = evaluate_groups.places if "group" in what else evaluate_acls.places
    there, back = ([*map(read, each)] for each in (sides, reversed(sides)))
    assert len(read(sides[1])) == 0
    wide = "widens" in what

    def told(places: list[list[Place]], snapshots: Sequence[Snapshot]) -> ComparedPlace:
        before, after = on_both((places[0], places[1]), (snapshots[0], snapshots[1]))
        (place,) = compared_standing(before, after, ((), ()), (), snapshots[1])
        assert (place.everything, place.perhaps_everything, place.what) == (None, None, "changed")
        return place

    assert {each.kind for each in told(there, sides).found.changes} == {"opened" if wide else "closed"}
    assert {each.kind for each in told(back, sides[::-1]).found.changes} == {"closed" if wide else "opened"}
