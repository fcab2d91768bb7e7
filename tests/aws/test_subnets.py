"""Subnets with network ACLs: which one judges them, and those that another one judges afterwards."""

from collections.abc import Mapping
from typing import Any

import pytest

from aws.memberships import ACL, ACL_ALL, ACL_UNREAD, ACLS, DEFAULT, HERE, NACL, guards, made, moved
from hostgate.aws import evaluate_acls
from hostgate.aws.members import NOT_KNOWN, of_acls
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.review.compared_places import compared_members

ASSOCIATION = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
NATIVE_ASSOCIATION = "aws-native:ec2:SubnetNetworkAclAssociation"
VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"


def with_entries(*more: Resource) -> Snapshot:
    return Snapshot((*ACLS, *more), "a state")


def open_acl(type_: str = NACL, id_: str = ACL_ALL, **more: Any) -> Resource:
    inline = {"action": "allow", "ruleNo": 100, "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0"}
    return made(type_, "wide", id_, egress=[inline], ingress=[inline], **more)


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
    found = with_entries(*WAYS[way]({"subnet-1": ACL, "subnet-2": ACL_ALL, "subnet-3": ACL}))
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
            with_entries(*WAYS[way]({"subnet-1": ACL})),
            with_entries(*WAYS[way]({"subnet-1": ACL_UNREAD})), ((), ()), ["a.example"],
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
    found = of_acls(with_entries(stale, *by_association({"subnet-1": ACL_ALL})))
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


@pytest.mark.parametrize("way", [True, False], ids=["egress", "ingress"])
@pytest.mark.parametrize("has", ["nothing", "another entry", "another direction", "it"])
def test_an_acl_that_is_adopted_loses_entries_that_stand_apart_and_are_not_listed(has: str, way: bool) -> None:
    def item(number: int) -> dict[str, Any]:
        port = {"fromPort": 443, "toPort": 443} if way else {"fromPort": 1024, "toPort": 65535}
        return {"action": "allow", "ruleNo": number, "protocol": "tcp", "cidrBlock": "203.0.113.7/32", **port}

    here, there = ("egress", "ingress") if way else ("ingress", "egress")
    lists: dict[str, Any] = {here: [item(100)]} if has == "it" else {}
    lists |= {there: [item(100)]} if has == "another direction" else {}
    lists |= {here: [item(7)]} if has == "another entry" else {}
    other = {there: [{**item(100), "fromPort": 1024 if way else 443, "toPort": 65535 if way else 443}]}
    adopts = made(DEFAULT, "default", ACL, **{**other, **lists})
    (place,) = evaluate_acls.places(Snapshot((*ACLS, adopts), "a state"))
    found = decide(place, HERE)
    assert found.action == ("allow" if has in ("it", "another entry") else "unknown")
    if found.action == "unknown":
        assert f"default has not removed entry-{way}" in found.lacks
    (alone,) = evaluate_acls.places(Snapshot(tuple(ACLS), "a state"))
    assert decide(alone, HERE).allows
