"""aws:network-acl: entries out to the addresses of a pool at their ports, and back from them to the clients' ports."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.aws import network_acl
from hostgate.aws.evaluate_acls import places
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.planning.needs import points_of
from hostgate.planning.plan import Plan, plan
from hostgate.policies.places import places_of_stack

TARGET = "aws:network-acl"
ACL = "acl-0a1b"
ADDRESSES = {"a.example": ["203.0.113.7", "2001:db8::7"], "b.example": ["203.0.113.7", "203.0.113.8"]}


def made(*entries: Any, addresses: Any = ADDRESSES, **options: Any) -> Plan:
    return plan(selection(entries), TARGET, addresses=addresses, **{"networkAcls": [ACL], **options})


def many(count: int, family: str = "203.0.113.{}") -> Plan:
    addresses = {f"h{number}.example": [family.format(number)] for number in range(1, count + 1)}
    return made(*map(entry, addresses), addresses=addresses)


def shown(of: Plan) -> set[tuple[str, bool, str, str, int, int]]:
    return {
        (
            each.body["NetworkAclId"],
            each.body["Egress"],
            each.body["Protocol"],
            each.body.get("CidrBlock") or each.body["Ipv6CidrBlock"],
            each.body["PortRange"]["From"],
            each.body["PortRange"]["To"],
        )
        for each in of.objects
    }


def test_each_port_has_an_entry_out_and_each_address_one_back_of_its_own_family() -> None:
    found = made(
        entry("a.example"), entry("b.example", port=8443), entry("b.example", "time", port=123, protocol="udp")
    )
    assert shown(found) == {
        (ACL, True, "6", "203.0.113.7/32", 443, 443),
        (ACL, True, "6", "2001:db8::7/128", 443, 443),
        (ACL, True, "6", "203.0.113.7/32", 8443, 8443),
        (ACL, True, "6", "203.0.113.8/32", 8443, 8443),
        (ACL, True, "17", "203.0.113.7/32", 123, 123),
        (ACL, True, "17", "203.0.113.8/32", 123, 123),
        (ACL, False, "6", "203.0.113.7/32", 1024, 65535),
        (ACL, False, "6", "203.0.113.8/32", 1024, 65535),
        (ACL, False, "6", "2001:db8::7/128", 1024, 65535),
        (ACL, False, "17", "203.0.113.7/32", 1024, 65535),
        (ACL, False, "17", "203.0.113.8/32", 1024, 65535),
    }
    assert all(each.body["RuleAction"] == "allow" for each in found.objects)


def test_each_acl_has_all_of_them() -> None:
    two = made(entry("a.example"), networkAcls=["acl-0a1", "acl-0a2"])
    assert {each[0] for each in shown(two)} == {"acl-0a1", "acl-0a2"}
    assert len(two.objects) == 8


@pytest.mark.parametrize(
    ("name", "address", "port", "protocol", "action"),
    [
        ("a.example", "203.0.113.7", 443, "https", "allow"),
        ("a.example", "2001:db8::7", 443, "https", "allow"),
        ("anybody.example", "203.0.113.7", 443, "tcp", "allow"),
        ("a.example", "203.0.113.7", 8443, "https", "block"),
        ("a.example", "203.0.113.8", 443, "https", "block"),
        ("a.example", "203.0.113.7", 443, "udp", "block"),
        ("a.example", "2001:db8::8", 443, "https", "block"),
        ("db.internal", "10.1.2.3", 5432, "tcp", "block"),
    ],
)
def test_an_address_passes_at_its_port_whatever_its_name(
    name: str, address: str, port: int, protocol: Any, action: str
) -> None:
    assert made(entry("a.example")).verdict(Flow(name, port, protocol, address=address)).action == action


def test_the_plan_says_in_plain_words_what_it_opens_inwards() -> None:
    (told,) = [one for one in made(entry("a.example"), entry("b.example")).findings if one.id == "opens-inbound"]
    assert told.severity == "warning"
    assert "one of the 3 addresses may send to every port 1024 to 65535 of every host in the subnets" in told.message
    assert "from any port of its own" in told.message


def test_an_address_that_rotates_changes_its_own_entries_alone() -> None:
    before, after = many(19), many(19)
    turned = {f"h{number}.example": [f"203.0.113.{number}"] for number in range(1, 19)} | {"h19.example": ["192.0.2.9"]}
    after = made(*map(entry, turned), addresses=turned)
    bodies: list[Mapping[str, Any]] = [{each.name: each.body for each in one.objects} for one in (before, after)]
    left, came = bodies[0].keys() - bodies[1].keys(), bodies[1].keys() - bodies[0].keys()
    assert {name.rpartition("-")[2] for name in left} == {"203.0.113.19"}
    assert {name.rpartition("-")[2] for name in came} == {"192.0.2.9"}
    assert all(bodies[0][name] == bodies[1][name] for name in bodies[0].keys() & bodies[1].keys())


def test_whoever_comes_or_goes_gives_nobody_a_number_that_another_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_acl, "SPAN", 640)  # so that numbers are contested all the time
    every = [f"out-tcp-443-203.0.113.{number}" for number in range(60)]
    numbers = network_acl._numbers(every, 100)
    assert len(set(numbers.values())) == len(every)
    assert all(100 <= number < 740 for number in numbers.values())
    moved = []
    for gone in every:
        less = network_acl._numbers([each for each in every if each != gone], 100)
        moved += [each for each in less if less[each] != numbers[each]]
        for one, other in ((numbers, less), (less, numbers)):
            assert not [each for each in other if one.get(each) != other[each] in one.values()]
    assert moved


@pytest.mark.parametrize("family", ["203.0.113.{}", "2001:db8::{}"])
@pytest.mark.parametrize(("count", "quota", "refused"), [(19, False, False), (20, True, False), (39, True, False)])
def test_an_acl_holds_20_entries_and_40_where_its_quota_was_raised(
    family: str, count: int, quota: bool, refused: bool
) -> None:
    found = many(count, family)
    assert any(one.id == "over-quota" for one in found.findings) == quota
    assert found.refused == refused


def test_more_than_an_acl_can_ever_hold_is_refused_with_the_number_before_anything_is_made() -> None:
    for count in (40, 20_000):
        addresses = {"h.example": [f"203.{n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(256, 256 + count)]}
        refused = made(entry("h.example"), addresses=addresses)
        assert (refused.refused, refused.objects) == (True, ())
        assert any(f"needs {count + 1:,}, allowed 40 entries" in one.message for one in refused.findings)


def test_families_and_directions_are_counted_apart() -> None:
    addresses = {f"h{n}.example": [f"203.0.113.{n}", f"2001:db8::{n:x}"] for n in range(1, 20)}
    assert not any(one.id == "over-quota" for one in made(*map(entry, addresses), addresses=addresses).findings)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (entry("absent.example"), "There is no address of absent.example"),
        (entry("b.example", families=("ipv6",)), "There is no address of ipv6 of b.example"),
        (entry("a.example", match="subtree"), "take exact names only"),
    ],
)
def test_a_host_without_an_address_and_a_wildcard_are_refused_and_nothing_is_made(wanted: Any, said: str) -> None:
    refused = made(entry("b.example", "other"), wanted)
    assert (refused.refused, refused.objects) == (True, ())
    assert any(said in one.message for one in refused.problems), refused.problems


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"networkAcls": ["main"]}, "the id of a network ACL"),
        ({"networkAcls": [ACL, ACL]}, "twice"),
        ({"mode": "audit"}, "found mode 'audit'"),
        ({"deny": "internet"}, "deny 'internet'. Allowed: enforce and declared"),
        ({"base": 0}, "greater than or equal to 1"),
        ({"base": 22_768}, "less than or equal to 22767"),
    ],
)
def test_an_option_that_does_not_hold_is_an_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        plan(selection([entry("a.example")]), TARGET, options)


@pytest.mark.parametrize("base", [1, 500, 22_767])
def test_every_number_is_in_the_range_that_is_ours(base: int) -> None:
    numbers = [each.body["RuleNumber"] for each in made(entry("a.example"), entry("b.example"), base=base).objects]
    assert all(base <= number < base + 10_000 for number in numbers)


def test_a_plan_without_acls_enforces_nothing_and_is_not_deployed() -> None:
    idle = made(entry("a.example"), networkAcls=[])
    assert [one.id for one in idle.unenforced] == ["not-enforced"]
    assert "networkAcls" in str(idle.options.lacking)


def test_reach_asks_for_the_addresses_and_finds_nothing_else_open_and_no_rule_dead() -> None:
    ((place, needs),) = points_of(made(entry("a.example"), entry("b.example", port=8443)))
    found = reach(place, needs)
    assert (found.missing, found.beyond, found.dead) == ((), (), ())


# What else stands in the ACL.

RULE = "aws:ec2/networkAclRule:NetworkAclRule"


def rule(name: str, number: Any, *, egress: Any = True, **properties: Any) -> Resource:
    given = {"networkAclId": ACL, "ruleNumber": number, "egress": egress, "ruleAction": "allow", "protocol": "6"}
    return Resource(urn=name, type=RULE, name=name, properties={**given, **properties})


OUT = rule("out", 10_500, cidrBlock="203.0.113.7/32", fromPort=443, toPort=443)
BACK = rule("back", 10_600, egress=False, cidrBlock="203.0.113.7/32", fromPort=1024, toPort=65535)
EVERYTHING = {"protocol": "-1", "cidrBlock": "0.0.0.0/0"}


def default(number: int) -> Resource:
    """The entries of a default network ACL, as the provider has them."""
    every = [
        {"ruleNo": number, "action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0", "fromPort": 0, "toPort": 0}
    ]
    return Resource(
        urn="acl",
        type="aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        name="acl",
        id=ACL,
        properties={"egress": every, "ingress": every},
    )


@pytest.mark.parametrize(
    ("stands", "ours", "other"),
    [
        ((OUT, BACK), "allow", "block"),
        ((OUT,), "block", "block"),
        ((OUT, replace(BACK, properties={**BACK.properties, "protocol": "17"})), "block", "block"),
        ((OUT, rule("low", 5, egress=False, cidrBlock="203.0.113.7/32", fromPort=0, toPort=1023)), "block", "block"),
        (
            (OUT, rule("linux", 5, egress=False, cidrBlock="0.0.0.0/0", fromPort=32768, toPort=61000)),
            "unknown",
            "block",
        ),
        ((OUT, BACK, rule("no", 5, ruleAction="deny", **EVERYTHING)), "block", "block"),
        ((OUT, BACK, rule("no", 20_500, ruleAction="deny", **EVERYTHING)), "allow", "block"),
        ((OUT, BACK, rule("no", 5, egress=False, ruleAction="deny", **EVERYTHING)), "block", "block"),
        ((OUT, BACK, rule("no", UNKNOWN, ruleAction="deny", **EVERYTHING)), "unknown", "block"),
        ((OUT, BACK, rule("what", 5, ruleAction=UNKNOWN, **EVERYTHING)), "unknown", "unknown"),
        ((OUT, BACK, rule("misspelt", 5, cidrBlock="0.0.0/0x", ruleAction="deny")), "unknown", "block"),
        ((OUT, BACK, rule("way", 5, egress=UNKNOWN, **EVERYTHING)), "unknown", "unknown"),
        ((OUT, BACK, rule("all", 5, **EVERYTHING)), "allow", "block"),
        ((OUT, BACK, rule("all", 5, **EVERYTHING), rule("in", 5, egress=False, **EVERYTHING)), "allow", "allow"),
        ((OUT, BACK, rule("all", 5, networkAclId="acl-ff", **EVERYTHING)), "allow", "block"),
        ((OUT, BACK, default(100)), "allow", "allow"),
        ((OUT, BACK, default(32_000)), "allow", "allow"),
        ((OUT, BACK, replace(default(100), properties={"egress": UNKNOWN, "ingress": []})), "unknown", "unknown"),
    ],
)
def test_entries_of_others_are_judged_by_their_numbers_both_ways(
    stands: tuple[Resource, ...], ours: str, other: str
) -> None:
    (place,) = places(Snapshot(stands, "a test"))
    assert decide(place, Flow("x.example", 443, "https", address="203.0.113.7")).action == ours
    assert decide(place, Flow("x.example", 443, "https", address="198.51.100.9")).action == other


@pytest.mark.parametrize(
    ("stands", "tcp", "udp"),
    [
        ((OUT, BACK), "block", "block"),
        ((OUT, BACK, rule("out", 5, **EVERYTHING)), "block", "unknown"),
        ((OUT, BACK, rule("dns", 5, protocol="17", cidrBlock="198.51.100.9/32", fromPort=53, toPort=53)), "block", "unknown"),
        (
            (OUT, BACK, rule("out", 5, **EVERYTHING), rule("no", 5, egress=False, ruleAction="deny", **EVERYTHING)),
            "block",
            "unknown",
        ),
        ((OUT, BACK, rule("out", 5, **EVERYTHING), rule("in", 5, egress=False, **EVERYTHING)), "allow", "allow"),
    ],
)  # fmt: skip
def test_a_datagram_leaves_without_a_way_back_and_is_never_called_closed(
    stands: tuple[Resource, ...], tcp: str, udp: str
) -> None:
    (place,) = places(Snapshot(stands, "a test"))
    at = {"name": "x.example", "port": 53, "address": "198.51.100.9"}
    assert decide(place, Flow(protocol="tcp", **at)).action == tcp
    assert decide(place, Flow(protocol="udp", **at)).action == udp


def test_an_acl_without_an_entry_for_one_address_is_no_place() -> None:
    web = rule("web", 100, cidrBlock="0.0.0.0/0", fromPort=443, toPort=443)
    assert places(Snapshot((web, default(100)), "a test")) == []
    assert places(Snapshot((BACK,), "a test")) == []


def test_an_entry_is_said_to_be_unread_only_where_its_acl_is_no_place() -> None:
    wide = rule("wide", 20_500, egress=False, cidrBlock="0.0.0.0/0", fromPort=1024, toPort=65535)
    other = rule("other", 100, networkAclId="acl-ff", **EVERYTHING)
    (place,) = places_of_stack(Snapshot((OUT, BACK, wide, other), "a test"))
    unread = [each for each in place.assumptions if "is not read" in each]
    assert [each.partition(" ")[0] for each in unread] == ["other"]
