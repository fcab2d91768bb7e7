"""aws:network-acl: entries out to the addresses of a pool at their ports, and back from them to the clients' ports."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import product
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, selection
from hostgate.aws import network_acl
from hostgate.aws.evaluate_acls import places, plan_place
from hostgate.catalog.problems import InputError
from hostgate.flows.address_sets import networks, union
from hostgate.flows.comparison import compare
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, Place
from hostgate.flows.verdicts import decide, nearest_steps
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
        ((OUT, BACK, rule("what", 5, ruleAction=UNKNOWN, **EVERYTHING)), "unknown", "block"),
        ((OUT, BACK, rule("what", 5, egress=False, ruleAction=UNKNOWN, **EVERYTHING)), "unknown", "block"),
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


IN = rule("in", 5, egress=False, **EVERYTHING)
NOT_IN = rule("no", 5, egress=False, ruleAction="deny", **EVERYTHING)
ALL_OUT = rule("all", 5, **EVERYTHING)
DNS = rule("dns", 5, protocol="17", cidrBlock="198.51.100.9/32", fromPort=53, toPort=53)


@pytest.mark.parametrize(
    ("stands", "tcp", "udp", "answered"),
    [
        ((OUT, BACK), "block", "block", "block"),
        ((OUT, BACK, ALL_OUT), "block", "allow", "block"),
        ((OUT, BACK, DNS), "block", "allow", "block"),
        ((OUT, BACK, ALL_OUT, NOT_IN), "block", "allow", "block"),
        ((OUT, BACK, ALL_OUT, IN), "allow", "allow", "allow"),
        ((OUT, BACK, DNS, IN), "block", "allow", "allow"),
    ],
)
def test_a_datagram_leaves_without_a_way_back_and_only_who_needs_an_answer_is_closed(
    stands: tuple[Resource, ...], tcp: str, udp: str, answered: str
) -> None:
    (place,) = places(Snapshot(stands, "a test"))
    at = {"name": "x.example", "port": 53, "address": "198.51.100.9"}
    assert decide(place, Flow(protocol="tcp", **at)).action == tcp
    leaves, whole = (decide(place, Flow(protocol="udp", **at), answered=each) for each in (False, True))
    assert (leaves.action, whole.action) == (udp, answered)
    assert (whole.why in leaves.why) == (udp != answered or whole.why == leaves.why)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("stands", "named"),
    [
        ((OUT, BACK, ALL_OUT, IN), "all"),  # and not the entry for the way back, whoever has it
        ((OUT, BACK, IN, replace(ALL_OUT, properties={**ALL_OUT.properties, "ruleNumber": 20_500})), "all"),
        ((OUT, BACK, ALL_OUT, rule("late", 20_000, egress=False, **EVERYTHING)), "all"),
    ],
)
def test_what_lets_a_flow_out_is_the_egress_entry_whichever_lets_its_answer_in(
    stands: tuple[Resource, ...], named: str, protocol: Any
) -> None:
    (place,) = places(Snapshot(stands, "a test"))
    for address in ("203.0.113.7", "198.51.100.9"):
        verdict = decide(place, Flow("x.example", 9, protocol, address=address))
        assert (verdict.action, verdict.rule) == ("allow", named)
    assert {(each.owner, each.rule) for each in reach(place, []).beyond if each.rule != "out"} == {(named, named)}


NTP = Box(address=networks(["203.0.113.9"]), port=Intervals.of([(123, 123)]), protocols=frozenset({17}))
NEEDS_NTP = Need("ntp", NTP)
NO_UDP_IN = replace(NOT_IN, properties={**NOT_IN.properties, "protocol": "17", "fromPort": 0, "toPort": 65_535})
NTP_OUT = rule("ntp", 7, protocol="17", cidrBlock="203.0.113.9/32", fromPort=123, toPort=123)
NTP_BACK = rule("ntp-back", 7, egress=False, protocol="17", cidrBlock="203.0.113.9/32", fromPort=1024, toPort=65535)


@pytest.mark.parametrize(
    ("stands", "missing", "beyond"),
    [
        ((NTP_OUT, NTP_BACK), None, set()),
        ((NTP_OUT,), "no ingress entry of the network ACL lets the answers in", set()),
        ((NTP_OUT, NTP_BACK, NOT_IN), "an entry of the network ACL denies the answers of its address", set()),
        ((NTP_BACK,), "no egress entry of the network ACL allows it", set()),
        ((NTP_OUT, NTP_BACK, DNS), None, {"dns"}),
        ((NTP_OUT, NTP_BACK, DNS, IN), None, {"dns"}),
    ],
)  # fmt: skip
def test_a_host_that_answers_nobody_is_missing_and_a_datagram_nobody_needs_is_beyond(
    stands: tuple[Resource, ...], missing: str | None, beyond: set[str]
) -> None:
    place = place_of([*stands])
    found = reach(place, [NEEDS_NTP])
    assert [each.why for each in found.missing] == ([missing] if missing else [])
    assert {each.rule for each in found.beyond} == beyond
    assert found.unknown == ()


def place_of(stands: list[Resource]) -> Place:
    return plan_place(Snapshot(tuple(stands), "a test"), ACL)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ((), (DNS,), {("opened", "dns")}),
        ((DNS,), (DNS, IN), {("opened", "dns")}),
        ((NTP_OUT, NTP_BACK), (NTP_OUT,), {("closed", "ntp")}),
        ((NTP_OUT, NTP_BACK), (NTP_OUT, NTP_BACK, NO_UDP_IN), {("closed", "ntp")}),
        ((NTP_OUT, NTP_BACK), (NTP_BACK,), {("closed", "ntp")}),
        ((NTP_OUT, NTP_BACK), (NTP_OUT, NTP_BACK, IN), set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("needs", [(), (NEEDS_NTP,)])
def test_what_changes_is_told_whether_it_leaves_or_is_answered(
    before: tuple[Resource, ...], after: tuple[Resource, ...], kinds: set[tuple[str, str]], needs: tuple[Need, ...]
) -> None:
    one, other = place_of([OUT, BACK, *before]), place_of([OUT, BACK, *after])
    changes = compare(one, other, needs).changes
    told = {(each.kind, cause.rule) for each in changes for cause in (*each.opening, *each.closing)}
    assert told == kinds
    ranges = union(cause.ranges for each in changes for cause in each.opening)
    assert networks(["198.51.100.9", "203.0.113.9"]).holds(ranges, "IPv4") is not False or not ranges.v4


def test_what_surely_leaves_is_told_as_opened_even_where_nobody_can_tell_of_its_answer() -> None:
    some = rule("some", 5, egress=False, protocol="17", cidrBlock="0.0.0.0/0", fromPort=32_768, toPort=65_535)
    for needs in ((), (NEEDS_NTP,)):
        found = compare(place_of([OUT, BACK, some]), place_of([OUT, BACK, some, NTP_OUT]), needs).changes
        assert {(each.kind, each.after.rule) for each in found} == {("opened", "ntp")}


# Any entries, by what the cloud is documented to do.

PEERS = ("203.0.113.7", "203.0.113.8", "2001:db8::7", "2001:db8::8")
RANGES = (
    "203.0.113.7/32", "203.0.113.8/32", "203.0.113.0/24", "0.0.0.0/0", "2001:db8::7/128", "2001:db8::/32", "::/0",
)  # fmt: skip
PORTS = (53, 443)
SPANS = ((443, 443), (53, 53), (1, 1023), (1024, 65_535), (32_768, 61_000), (0, 65_535), (1024, 4999), (5000, 65_535))


@st.composite
def entries(draw: st.DrawFn) -> Resource:
    protocol, span = draw(st.sampled_from(["6", "17", "-1"])), draw(st.sampled_from(SPANS))
    address, number = draw(st.sampled_from(RANGES)), draw(st.integers(1, 9_000))
    egress, action = draw(st.booleans()), draw(st.sampled_from(["allow", "allow", "deny"]))
    key = "ipv6CidrBlock" if ":" in address else "cidrBlock"
    ports = {} if protocol == "-1" else {"fromPort": span[0], "toPort": span[1]}
    return rule(
        f"{'out' if egress else 'in'}-{number}",
        number, egress=egress, ruleAction=action, protocol=protocol, **{key: address}, **ports
    )  # fmt: skip


def passes(stands: Sequence[Resource], address: str, port: int, protocol: str, *, egress: bool) -> Resource | None:
    """The entry that lets one packet pass: by number the first that is about it, if it allows; `port` is where it goes."""
    for each in sorted(stands, key=lambda one: one.properties["ruleNumber"]):
        told = each.properties
        low, high = (told["fromPort"], told["toPort"]) if "fromPort" in told else (0, 65_535)
        network = ip_network(told.get("cidrBlock") or told["ipv6CidrBlock"])
        if (
            told["egress"] is egress
            and told["protocol"] in (protocol, "-1")
            and ip_address(address) in network
            and low <= port <= high
        ):
            return each if told["ruleAction"] == "allow" else None
    return None


def number_of(entry: Resource) -> tuple[object, object]:
    return entry.properties["egress"], entry.properties["ruleNumber"]


def ports_that_matter(stands: Sequence[Resource]) -> set[int]:
    """A client's port of every part of those from which clients send that no entry divides."""
    ends = {
        end for each in stands for end in (each.properties.get("fromPort", 0), each.properties.get("toPort", 0) + 1)
    }
    return {1024} | {each for each in ends if 1024 < each < 65_536}


def back_to(stands: Sequence[Resource], address: str, number: str) -> dict[int, bool]:
    """By each port of a client that matters, whether an answer comes to it."""
    found = ports_that_matter(stands)
    return {each: passes(stands, address, each, number, egress=False) is not None for each in found}


@given(st.lists(entries(), min_size=1, max_size=9, unique_by=number_of))
def test_any_entries_are_judged_as_packet_by_packet(stands: list[Resource]) -> None:
    place = place_of(stands)
    for address, port, (protocol, number) in product(PEERS, PORTS, (("tcp", "6"), ("udp", "17"))):
        out = passes(stands, address, port, number, egress=True)
        back = set(back_to(stands, address, number).values())
        flow = Flow("x.example", port, protocol, address=address)  # type: ignore[arg-type]
        whole, leaves = decide(place, flow, answered=True), decide(place, flow)
        wanted = "block" if out is None or back == {False} else "allow" if back == {True} else "unknown"
        assert whole.action == wanted, (stands, flow)
        if whole.action == "unknown":
            for told in whole.lacks:
                parts = [part.split("-") for part in told.removeprefix("the client's port is one of ").split(", ")]
                closed = {
                    each for each in range(1024, 65_536) if any(int(one[0]) <= each <= int(one[-1]) for one in parts)
                }
                reached = back_to(stands, address, number)
                assert not any(reached[each] for each in closed & reached.keys()), (stands, flow, told)
        if protocol == "udp":
            assert (leaves.action, leaves.rule) == (("allow", out.name) if out else ("block", leaves.rule))
        elif whole.allows:
            assert out is not None
            assert (leaves.action, leaves.rule) == ("allow", out.name)
        else:
            assert leaves.action == whole.action


@given(*[st.lists(entries(), min_size=1, max_size=7, unique_by=number_of)] * 2)
def test_a_change_of_any_entries_is_told_where_some_packet_is_answered_otherwise_and_nowhere_else(
    before: list[Resource], after: list[Resource]
) -> None:
    matter = sorted(ports_that_matter([*before, *after]))

    def connects(side: Sequence[Resource], address: str, port: int) -> list[bool]:
        if passes(side, address, port, "6", egress=True) is None:
            return [False for _ in matter]
        return [passes(side, address, each, "6", egress=False) is not None for each in matter]

    every = [f"{address}/{128 if ':' in address else 32}" for address in PEERS]
    needs = [
        Need(
            f"{peer} {port}", Box(address=networks([peer]), protocols=frozenset({6}), port=Intervals.of([(port, port)]))
        )
        for peer, port in product(every, PORTS)
    ]
    changes = compare(place_of(before), place_of(after), needs).changes
    told = {entry for each in changes for entry, _ in each.due}
    for peer, address in zip(every, PEERS, strict=True):
        for port in PORTS:
            differ = connects(before, address, port) != connects(after, address, port)
            assert (f"{peer} {port}" in told) == differ, (before, after, address, port)


@pytest.mark.parametrize(
    ("spans", "action", "why"),
    [
        ([("allow", 1024, 40_000), ("deny", 2000, 3000), ("allow", 40_001, 65_535)], "allow", "allows its address"),
        ([("allow", 1024, 1999), ("deny", 2000, 3000), ("allow", 0, 65_535)], "unknown",
         "block by in1 if the client's port is one of 2000-3000; else allow"),
        ([("allow", 0, 9_000), ("allow", 9_001, 65_535)], "allow", "allows its address"),
        ([("deny", 0, 9_000), ("deny", 9_001, 65_535), ("allow", 0, 65_535)], "block", "denies the answers"),
        ([("allow", 0, 1023), ("allow", 9_000, 9_000)], "unknown",
         "block if the client's port is one of 1024-8999, 9001-65535; else"),
        ([("deny", 1024, 9_000)], "block", "block either way"),
        ([("deny", 5000, 5000), ("deny", 7000, 7009), ("allow", 0, 65_535)], "unknown",
         "block by in0 if the client's port is one of 5000; or by 1 more rule"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("protocol", ["6", "17"])
def test_answers_are_judged_by_the_first_entry_for_each_port_of_a_client(
    spans: list[tuple[str, int, int]], action: str, why: str, protocol: str
) -> None:
    back = [
        rule(f"in{at}", 100 + at, egress=False, ruleAction=does, cidrBlock="0.0.0.0/0", fromPort=low, toPort=high,
             protocol=protocol)
        for at, (does, low, high) in enumerate(spans)
    ]  # fmt: skip
    place = place_of([*back, ALL_OUT])
    flow = Flow("x.example", 443, "tcp" if protocol == "6" else "udp", address="203.0.113.7")
    found = decide(place, flow, answered=True)
    assert found.action == action
    assert why in found.why


def test_as_many_entries_as_an_acl_may_have_with_a_range_of_ports_each_are_judged_in_no_time() -> None:
    back = [
        rule(f"in{at}", at + 1, egress=False, ruleAction="deny" if at % 2 else "allow", cidrBlock="0.0.0.0/0",
             fromPort=1024 + at * 700, toPort=40_000 + at * 300)
        for at in range(39)
    ]  # fmt: skip
    out = [rule(f"out{at}", at + 1, cidrBlock=f"203.0.113.{at}/32", fromPort=443, toPort=443) for at in range(39)]
    place = place_of([*out, *back])
    started = monotonic()
    found = reach(place, [])
    assert {each.why.partition(" if ")[0] for each in found.unknown} == {"block by in1"}
    assert compare(place, place_of([*out[:-1], *back]), []).changes
    assert monotonic() - started < 20


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


def test_of_a_host_without_an_address_every_entry_is_counted_that_may_let_it_pass() -> None:
    verdict = made(entry("a.example"), entry("b.example")).verdict(Flow("a.example", 443, "https"))
    assert verdict.action == "unknown"
    assert "or by 1 more rule, on conditions of their own; else block" in verdict.why


def test_what_only_lacks_a_way_back_is_near_by_its_answers() -> None:
    place = place_of([OUT])
    (near,) = nearest_steps(place, Flow("x.example", 443, "https", address="203.0.113.7"))
    assert (near.step.rule, near.lacking) == ("out", ("answers: nothing lets them in",))
    (other,) = nearest_steps(place_of([OUT, BACK]), Flow("x.example", 80, "http", address="203.0.113.7"))
    assert other.lacking == ("port: 443 is meant, not 80",)


@pytest.mark.parametrize("target", ["aws:network-acl", "aws:prefix-list"])
@pytest.mark.parametrize(
    ("address", "port", "protocol", "action"),
    [
        ("169.254.169.254", 80, "http", "allow"),
        ("fd00:ec2::254", 80, "http", "allow"),
        ("169.254.169.253", 53, "udp", "allow"),
        ("fd00:ec2::253", 53, "tcp", "allow"),
        ("169.254.169.123", 123, "udp", "allow"),
        ("169.253.169.254", 80, "http", "block"),
        ("fd00:ec2:1::254", 80, "http", "block"),
        ("10.0.0.2", 53, "udp", "block"),  # that of a VPC passes, too, and nobody says here that it is one: assumed
    ],
)
def test_the_platform_itself_is_filtered_by_neither_groups_nor_acls(
    target: str, address: str, port: int, protocol: Any, action: str
) -> None:
    options = {"networkAcls": [ACL]} if target == TARGET else {"securityGroups": ["sg-0a1b"]}
    planned = plan(selection([entry("a.example")]), target, addresses=ADDRESSES, **options)
    assert planned.verdict(Flow("platform.example", port, protocol, address=address)).action == action
    assert any("VPC's resolver" in each for each in planned.place.assumptions)


def test_of_both_families_every_way_that_a_host_may_pass_is_told() -> None:
    verdict = made(entry("a.example")).verdict(Flow("a.example", 443, "https"))
    assert verdict.action == "unknown"
    assert "Over IPv4 unknown: allow by hostgate-acl-0a1b-out-tcp-443-203.0.113.7 if" in verdict.why
    assert "over IPv6 unknown: allow by hostgate-acl-0a1b-out-tcp-443-2001-db8--7 if" in verdict.why
