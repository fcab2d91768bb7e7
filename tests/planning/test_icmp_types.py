"""Rules of groups and ACLs for some type of ICMP: no flow says its type, so a verdict never rests on one."""

from typing import Any

import pytest

from hostgate.aws import evaluate_acls, evaluate_groups
from hostgate.flows.comparison import compare
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from planning.test_network_acl import ACL, EVERYTHING, rule

ICMP = [("1", "icmp", "0.0.0.0/0", "9.9.9.9"), ("58", "icmpv6", "::/0", "2620:fe::9")]
IN = [
    rule("in", 9, egress=False, **EVERYTHING),
    rule("in6", 8, egress=False, protocol="-1", ipv6CidrBlock="::/0"),
]


def of_acl(*stands: Resource) -> Place:
    return evaluate_acls.plan_place(Snapshot((*stands, *IN), "a test"), ACL)


def entry(name: str, number: int, protocol: str, cidr: str, action: str, **types: Any) -> Resource:
    key = "ipv6CidrBlock" if ":" in cidr else "cidrBlock"
    return rule(name, number, protocol=protocol, ruleAction=action, **{key: cidr}, **types)


@pytest.mark.parametrize(("protocol", "word", "cidr", "address"), ICMP)
@pytest.mark.parametrize(
    ("types", "action"),
    [
        ({"icmpType": -1, "icmpCode": -1}, "block"),
        ({"icmpType": -1, "icmpCode": 0}, "block"),
        ({"icmpType": 8, "icmpCode": -1}, "unknown"),
        ({"icmpType": 8, "icmpCode": 0}, "unknown"),
        ({}, "unknown"),  # the provider's default is type 0
        ({"icmpType": UNKNOWN, "icmpCode": -1}, "unknown"),
        ({"icmpType": "8", "icmpCode": -1}, "unknown"),
    ],
)
def test_a_denial_of_one_type_denies_no_other(
    protocol: str, word: Any, cidr: str, address: str, types: dict[str, Any], action: str
) -> None:
    every = entry("all", 100, protocol, cidr, "allow", icmpType=-1, icmpCode=-1)
    place = of_acl(entry("no", 90, protocol, cidr, "deny", **types), every)
    assert decide(place, Flow("x.example", 0, word, address=address)).action == action
    found = reach(place, [])
    assert bool(found.unknown) == (action == "unknown")
    assert [each.rule for each in found.dead] == (["all"] if action == "block" else [])


@pytest.mark.parametrize(("protocol", "word", "cidr", "address"), ICMP)
def test_an_entry_for_every_type_is_wider_than_one_for_one(protocol: str, word: Any, cidr: str, address: str) -> None:
    one, all_ = (of_acl(entry("ping", 100, protocol, cidr, "allow", icmpType=type_, icmpCode=-1)) for type_ in (8, -1))
    assert decide(one, Flow("x.example", 0, word, address=address)).action == "unknown"
    assert decide(all_, Flow("x.example", 0, word, address=address)).action == "allow"
    assert [each.kind for each in compare(one, all_).changes] == ["opened"]
    assert {each.id for each in reach(one, []).unknown}.isdisjoint(each.id for each in reach(all_, []).beyond)


@pytest.mark.parametrize(
    ("ports", "action"),
    [
        ((-1, -1), "allow"),
        ((None, None), "allow"),
        ((8, -1), "unknown"),
        ((8, 0), "unknown"),
        ((UNKNOWN, -1), "unknown"),
    ],
)
def test_rules_of_groups_have_the_type_for_a_port(ports: tuple[Any, Any], action: str) -> None:
    given = {key: port for key, port in zip(("fromPort", "toPort"), ports, strict=True) if port is not None}
    egress = Resource(
        urn="rule", type="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", name="rule",
        properties={"securityGroupId": "sg-0a1b", "ipProtocol": "icmp", "cidrIpv4": "0.0.0.0/0", **given},
    )  # fmt: skip
    place = evaluate_groups.plan_place(Snapshot((egress,), "a test"), "sg-0a1b")
    assert decide(place, Flow("x.example", 0, "icmp", address="9.9.9.9")).action == action


def test_the_type_of_an_answer_is_not_that_of_what_it_answers() -> None:
    ping = entry("ping", 100, "1", "0.0.0.0/0", "allow", icmpType=8, icmpCode=-1)
    back = rule("back", 5, egress=False, protocol="1", icmpType=8, icmpCode=-1, cidrBlock="0.0.0.0/0")
    place = evaluate_acls.plan_place(Snapshot((ping, back), "a test"), ACL)
    verdict = decide(place, Flow("x.example", 0, "icmp", address="9.9.9.9"), answered=True)
    assert set(verdict.lacks) == {"its ICMP type is 8", "its answer's ICMP type is 8"}
