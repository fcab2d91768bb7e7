"""Rules of security groups, entries of network ACLs and of prefix lists, of which it is not known yet whose they are."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hostgate.flows.comparison import compare_all
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import REDACTED, UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.policies.places import places_of_stack

GROUP, ACL = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/networkAcl:NetworkAcl"
LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
DEFAULT_ACL = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
ENTRY = "aws:ec2/networkAclRule:NetworkAclRule"
RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
VPC, EIP, REFERENCE = "aws:ec2/vpc:Vpc", "aws:ec2/eip:Eip", "pulumi:pulumi:StackReference"


def made(
    type_: str, name: str, id_: str = "", made_from: Mapping[str, tuple[str, ...]] | None = None, **given: Any
) -> Resource:
    told = {key: frozenset(urns) for key, urns in (made_from or {}).items()}
    return Resource(urn=name, type=type_, name=name, id=id_, properties=given, property_dependencies=told)


def new_rule(key: str, value: Any, cidr: str, made_from: tuple[str, ...]) -> Resource:
    told = {"cidrIpv6" if ":" in cidr else "cidrIpv4": cidr}
    return made(RULE, "u", made_from={key: made_from}, **{key: value}, ipProtocol="-1", **told)


def old_rule(key: str, value: Any, cidr: str, made_from: tuple[str, ...]) -> Resource:
    told = {"ipv6CidrBlocks" if ":" in cidr else "cidrBlocks": [cidr]}
    return made("aws:ec2/securityGroupRule:SecurityGroupRule", "u", made_from={key: made_from}, **{key: value}, type="egress",
                protocol="-1", fromPort=0, toPort=0, **told)  # fmt: skip


def native_rule(_: str, value: Any, cidr: str, made_from: tuple[str, ...]) -> Resource:
    told = {"cidrIpv6" if ":" in cidr else "cidrIp": cidr}
    return made(
        "aws-native:ec2:SecurityGroupEgress",
        "u",
        made_from={"groupId": made_from},
        groupId=value,
        ipProtocol="-1",
        **told,
    )


def acl_entry(key: str, value: Any, cidr: str, made_from: tuple[str, ...]) -> Resource:
    return made("aws:ec2/networkAclRule:NetworkAclRule", "u", made_from={key: made_from}, **{key: value}, ruleNumber=5, egress=True,
                protocol="-1", ruleAction="allow", **{"ipv6CidrBlock" if ":" in cidr else "cidrBlock": cidr})  # fmt: skip


def list_entry(key: str, value: Any, cidr: str, made_from: tuple[str, ...]) -> Resource:
    return made(
        "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry",
        "u",
        made_from={key: made_from},
        **{key: value},
        cidr=cidr,
    )


def groups(ids: tuple[str, str]) -> list[Resource]:
    found = []
    for name, id_, family, cidr in (("a", ids[0], "IPv4", "203.0.113.7/32"), ("b", ids[1], "IPv6", "2001:db8::7/128")):
        found += [
            made(GROUP, name, id_, vpcId="vpc-0"),
            made(LIST, f"list-{name}", id_ and f"pl-{name}", addressFamily=family, entries=[{"cidr": cidr}]),
            made(RULE, f"ours-{name}", securityGroupId=id_ or UNKNOWN, ipProtocol="tcp", fromPort=443, toPort=443,
                 prefixListId=(id_ and f"pl-{name}") or UNKNOWN,
                 made_from={"securityGroupId": (name,), "prefixListId": (f"list-{name}",)}),
        ]  # fmt: skip
    return found


def acls(ids: tuple[str, str]) -> list[Resource]:
    found = []
    for name, id_ in zip("ab", ids, strict=True):
        found.append(made(ACL, name, id_, vpcId="vpc-0"))
        for at, key, cidr in ((7, "cidrBlock", "203.0.113.7/32"), (8, "ipv6CidrBlock", "2001:db8::7/128")):
            told = {
                "networkAclId": id_ or UNKNOWN,
                "ruleAction": "allow",
                "protocol": "6",
                "fromPort": 443,
                "toPort": 443,
            }
            found.append(made(ENTRY, f"ours-{name}-{at}", made_from={"networkAclId": (name,)},
                              **told, ruleNumber=at, egress=True, **{key: cidr}))  # fmt: skip
            back = {
                **told,
                "protocol": "-1",
                "ruleNumber": at,
                "egress": False,
                key: "::/0" if ":" in cidr else "0.0.0.0/0",
            }
            found.append(made(ENTRY, f"back-{name}-{at}", made_from={"networkAclId": (name,)}, **back))  # fmt: skip
    return found


Make = Callable[[str, Any, str, tuple[str, ...]], Resource]
KINDS: dict[str, tuple[Callable[[tuple[str, str]], list[Resource]], Make, str]] = {
    "new rule": (groups, new_rule, "securityGroupId"),
    "old rule": (groups, old_rule, "securityGroupId"),
    "native rule": (groups, native_rule, "securityGroupId"),
    "entry of an ACL": (acls, acl_entry, "networkAclId"),
}
BESIDE = [made(EIP, "eip"), made(REFERENCE, "other"), made(VPC, "vpc")]
IDS = {"known": ("x-0a", "x-0b"), "not known": ("", "")}


def verdicts(snapshot: list[Resource], address: str) -> dict[str, str]:
    asked = Flow("x.example", 443, "https", address=address)
    return {each.name.removeprefix("x-0"): decide(each, asked).action for each in places(snapshot)}


def places(snapshot: list[Resource]) -> list[Place]:
    return places_of_stack(Snapshot((*snapshot, *BESIDE), "a test"))


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [UNKNOWN, REDACTED], ids=["not known", "secret"])
@pytest.mark.parametrize(
    ("made_from", "wanted"),
    [
        ((), {"a": "unknown", "b": "unknown"}),
        (("eip",), {"a": "unknown", "b": "unknown"}),
        (("other",), {"a": "unknown", "b": "unknown"}),
        (("elsewhere",), {"a": "unknown", "b": "unknown"}),
        (("a", "eip"), {"a": "unknown", "b": "unknown"}),
        (("a", "elsewhere"), {"a": "unknown", "b": "unknown"}),
        (("a", "b"), {"a": "unknown", "b": "unknown"}),
        (("a",), {"a": "allow", "b": "block"}),
        (("b",), {"a": "block", "b": "allow"}),
        (("vpc",), {"a": "block", "b": "block"}),
    ],
)
@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0"])
def test_it_may_be_of_each_that_it_could_mean_and_of_no_other(
    kind: str, ids: str, value: Any, made_from: tuple[str, ...], wanted: dict[str, str], cidr: str
) -> None:
    stack, make, key = KINDS[kind]
    stands = stack(IDS[ids])
    closed = dict.fromkeys("ab", "block")
    for address in ("198.51.100.9", "2001:db8::9"):
        there = (":" in address) == (":" in cidr)
        found = verdicts([*stands, make(key, value, cidr, made_from)], address)
        assert found == (wanted if there else closed)
    known = verdicts([*stands, make(key, "x-0c", cidr, made_from)], "198.51.100.9")
    assert known == closed


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_known_on_both_sides_changes_nothing_and_what_comes_may_open(kind: str) -> None:
    stack, make, key = KINDS[kind]
    stands = stack(IDS["known"])
    more = [*stands, make(key, UNKNOWN, "0.0.0.0/0", ("eip",))]
    assert not any(each.changes for each in compare_all(places(more), places(more)))
    came = compare_all(places(stands), places(more))
    assert {
        (each.place.name, change.kind, cause.rule)
        for each in came
        for change in each.changes
        for cause in change.opening
    } == {(name, "unknown", "u") for name in IDS["known"]}


@pytest.mark.parametrize("value", [UNKNOWN, REDACTED], ids=["not known", "secret"])
@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize(
    ("made_from", "cidr", "wanted"),
    [
        ((), "0.0.0.0/0", {"a": "unknown", "b": "block"}),  # the other list is for IPv6
        (("eip",), "198.51.100.0/24", {"a": "unknown", "b": "block"}),
        (("eip",), "192.0.2.0/24", {"a": "block", "b": "block"}),
        (("list-a", "eip"), "0.0.0.0/0", {"a": "unknown", "b": "block"}),
        (("list-a", "list-b"), "0.0.0.0/0", {"a": "unknown", "b": "block"}),
        (("list-a",), "0.0.0.0/0", {"a": "allow", "b": "block"}),
        (("list-b",), "2001:db8:1::/48", {"a": "block", "b": "block"}),
        (("list-a",), "192.0.2.0/24", {"a": "block", "b": "block"}),
    ],
)
def test_the_lists_that_an_entry_may_be_of_hold_its_range_or_do_not(
    made_from: tuple[str, ...], cidr: str, wanted: dict[str, str], ids: str, value: Any
) -> None:
    stands = [*groups(IDS[ids]), list_entry("prefixListId", value, cidr, made_from)]
    assert verdicts(stands, "198.51.100.9") == wanted
    assert verdicts(stands, "203.0.113.7")["a"] == "allow", "what the list has anyway it keeps"
    assert verdicts(
        [*groups(IDS[ids]), list_entry("prefixListId", "pl-ff", cidr, ())], "198.51.100.9"
    ) == dict.fromkeys("ab", "block")


EVERYTHING = [{"ruleNo": 1, "action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0", "fromPort": 0, "toPort": 0}]


@pytest.mark.parametrize("id_", ["", "x-0ff"], ids=["in a preview", "with an id that another has"])
@pytest.mark.parametrize(
    ("adopted", "made_from", "wanted"),
    [
        ("x-0a", (), {"a": "allow", "b": "block"}),
        ("x-0b", (), {"a": "block", "b": "allow"}),
        ("x-0c", (), {"a": "block", "b": "block"}),
        (UNKNOWN, ("vpc",), {"a": "block", "b": "block"}),
        (UNKNOWN, ("eip",), {"a": "unknown", "b": "unknown"}),
    ],
)
def test_a_default_acl_is_the_one_that_it_adopts(
    adopted: Any, made_from: tuple[str, ...], wanted: dict[str, str], id_: str
) -> None:
    if adopted is UNKNOWN and id_:
        wanted = dict.fromkeys("ab", "block")
    default = made(DEFAULT_ACL, "default", id_, made_from={"defaultNetworkAclId": made_from}, defaultNetworkAclId=adopted,
                   egress=EVERYTHING, ingress=EVERYTHING)  # fmt: skip
    assert verdicts([*acls(IDS["known"]), default], "198.51.100.9") == wanted


@pytest.mark.parametrize(("told", "wanted"), [("x-0a", "allow"), ("x-0c", "block"), (UNKNOWN, "block")])
def test_a_default_group_is_the_one_that_its_vpc_tells(told: Any, wanted: str) -> None:
    vpc = made(VPC, "known", "vpc-1", defaultSecurityGroupId=told)
    rules = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]
    default = made(DEFAULT_GROUP, "default", vpcId="vpc-1", egress=rules)
    assert verdicts([*groups(IDS["known"]), vpc, default], "198.51.100.9")["a"] == wanted


def test_an_unknown_protocol_is_told_as_one() -> None:
    rule = made(RULE, "u", securityGroupId="x-0a", ipProtocol=UNKNOWN, fromPort=443, toPort=443, cidrIpv4="0.0.0.0/0")
    ports = made(
        RULE, "v", securityGroupId="x-0b", ipProtocol="tcp", fromPort=UNKNOWN, toPort=443, cidrIpv4="0.0.0.0/0"
    )
    one, other = places([*groups(IDS["known"]), rule, ports])
    asked = Flow("x.example", 443, "https", address="198.51.100.9")
    assert "the protocol of u is not known yet" in decide(one, asked).why
    assert "the ports of v are not known yet" in decide(other, asked).why
