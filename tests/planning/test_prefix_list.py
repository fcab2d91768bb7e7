"""aws:prefix-list: a list for each family and port with the addresses of a pool, and the rules that refer to them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.aws.evaluate_groups import places
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.needs import points_of
from hostgate.planning.plan import Plan, draft, plan
from hostgate.planning.pool_form import read_pool
from hostgate.sinks.address_list import ListEntry, difference, wanted_addresses

TARGET = "aws:prefix-list"
GROUP = "sg-0a1b"
SEEN = "first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z"
POOL = f"""hostgate-pool 1
host a.example window 86400
  203.0.113.7 {SEEN}
  2001:db8::7 {SEEN}
host b.example window 86400
  203.0.113.7 {SEEN}
  203.0.113.8 {SEEN}
host unborn.example window 86400
end
"""


def pool() -> AddressPool:
    return read_pool(POOL.encode(), "pool.txt")


def made(*entries: Any, **options: Any) -> Plan:
    return plan(selection(entries), TARGET, pool=pool(), **{"securityGroups": [GROUP], **options})


def bodies(of: Plan) -> Mapping[str, Mapping[str, Any]]:
    return {each.name: each.body for each in of.objects}


def test_each_family_and_port_has_a_list_of_its_own_so_that_no_port_opens_the_addresses_of_another() -> None:
    found = bodies(made(entry("a.example"), entry("b.example", port=8443)))
    lists = {name: [one["Cidr"] for one in body["Entries"]] for name, body in found.items() if "Entries" in body}
    assert lists == {
        "hostgate-ipv4-tcp-443": ["203.0.113.7/32"],
        "hostgate-ipv4-tcp-8443": ["203.0.113.7/32", "203.0.113.8/32"],
        "hostgate-ipv6-tcp-443": ["2001:db8::7/128"],
    }
    rules = [body for body in found.values() if "GroupId" in body]
    assert {(each["GroupId"], each["FromPort"], each["ToPort"], each["PrefixListId"]) for each in rules} == {
        (GROUP, 443, 443, "hostgate-ipv4-tcp-443"),
        (GROUP, 8443, 8443, "hostgate-ipv4-tcp-8443"),
        (GROUP, 443, 443, "hostgate-ipv6-tcp-443"),
    }


@pytest.mark.parametrize(
    ("name", "address", "port", "protocol", "action"),
    [
        ("a.example", "203.0.113.7", 443, "https", "allow"),
        ("a.example", "2001:db8::7", 443, "https", "allow"),
        ("a.example", "203.0.113.7", 8443, "https", "block"),
        ("a.example", "203.0.113.8", 443, "https", "block"),
        ("a.example", "203.0.113.7", 443, "udp", "block"),
        ("anybody.example", "203.0.113.7", 443, "https", "allow"),
    ],
)
def test_an_address_passes_at_its_port_whatever_its_name(
    name: str, address: str, port: int, protocol: Any, action: str
) -> None:
    verdict = made(entry("a.example")).verdict(Flow(name, port, protocol, address=address))
    assert verdict.action == action


def test_the_plan_says_what_else_the_addresses_open_and_which_hosts_share_them() -> None:
    (told,) = [one for one in made(entry("a.example"), entry("b.example")).findings if one.id == "opens-addresses"]
    assert told.severity == "warning"
    assert "3 addresses are open" in told.message
    assert "every other name on a CDN or cloud" in told.message
    assert "a.example and b.example share 1" in told.message


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (entry("unborn.example"), "pool.txt knows unborn.example but no address of it"),
        (entry("absent.example"), "pool.txt has no absent.example"),
        (entry("b.example", families=("ipv6",)), "knows b.example but no ipv6 address"),
        (entry("a.example", match="subtree"), "take exact names only"),
    ],
)
def test_a_host_without_an_address_and_a_wildcard_are_refused_and_nothing_is_made(wanted: Any, said: str) -> None:
    refused = made(entry("b.example", "other"), wanted)
    assert (refused.refused, refused.objects) == (True, ())
    assert any(said in one.message for one in refused.problems)


@pytest.mark.parametrize("target", ["export:nftables", "export:vpn"])
def test_a_host_of_a_family_that_no_client_has_is_refused_whatever_the_pool_has(target: str) -> None:
    of_ipv6 = entry("a.example", families=("ipv6",))
    found = draft(selection([of_ipv6]), target, {"from": ["10.0.0.0/8"]}, pool=pool())
    (decision,) = found.decisions
    assert decision.outcome == "refused"
    assert "a.example is served over IPv6 only, and `from` has no clients of it." in decision.reason


def test_without_a_pool_every_host_is_refused() -> None:
    assert plan(selection([entry("a.example")]), TARGET).refused


@pytest.mark.parametrize(("day", "stale"), [("2026-11-29", False), ("2026-12-24", True)])
def test_addresses_that_nobody_confirmed_are_found_stale(day: str, stale: bool) -> None:
    found = made(entry("a.example"), as_of=date.fromisoformat(day)).findings
    assert any(one.id == "pool-stale" and one.entry == "a-example" for one in found) == stale


def test_a_list_counts_by_its_maximum_and_grows_in_steps() -> None:
    addresses = {f"h{number}.example": [f"203.0.113.{number}"] for number in range(1, 62)}
    few = plan(selection([entry(host) for host in list(addresses)[:11]]), TARGET, addresses=addresses)
    assert bodies(few)["hostgate-ipv4-tcp-443"]["MaxEntries"] == 20
    assert any(one.id == "addresses-unused" for one in few.findings)
    many = plan(selection(map(entry, addresses)), TARGET, addresses=addresses)
    assert not many.refused
    assert any(one.id == "over-quota" and "needs 70, allowed 60" in one.message for one in many.findings)


REFRESHED = {"contents": "refresher", "maximum": 30}


def test_a_list_that_a_refresher_keeps_begins_with_the_pool_and_with_the_marks_of_a_push() -> None:
    found = bodies(made(entry("a.example"), entry("b.example"), **REFRESHED))
    lists = {name: body for name, body in found.items() if "Entries" in body}
    assert lists.keys() == {"hostgate-refresher-ipv4-tcp-443", "hostgate-refresher-ipv6-tcp-443"}
    four = lists["hostgate-refresher-ipv4-tcp-443"]
    assert four["MaxEntries"] == 30
    standing = [ListEntry(each["Cidr"], each["Description"]) for each in four["Entries"]]
    difference_ = difference(wanted_addresses(pool(), "ipv4"), standing, "pool")
    assert (difference_.add, difference_.remove, difference_.foreign) == ((), (), ())
    assert difference_.owned == 2


def test_entries_that_the_program_keeps_are_foreign_to_a_push_which_is_refused() -> None:
    four = bodies(made(entry("a.example")))["hostgate-ipv4-tcp-443"]
    standing = [ListEntry(each["Cidr"], each["Description"]) for each in four["Entries"]]
    assert len(difference(wanted_addresses(pool(), "ipv4"), standing, "pool").foreign) == len(standing)


def test_the_plan_says_who_keeps_the_entries_and_which_hosts_each_push_names() -> None:
    hosts = [
        entry("a.example"),
        entry("b.example", families=("ipv4",)),
        entry("b.example", "c", port=22, protocol="tcp"),
    ]
    (told,) = [one.message for one in made(*hosts, **REFRESHED).findings if one.id == "refresher-owned"]
    assert "IPv4 tcp 22: push b.example; IPv4 tcp 443: push a.example b.example; IPv6 tcp 443: push a.example." in told
    assert "closed until it is pushed" in told
    kept = made(*hosts, **REFRESHED).assumptions
    assert [each for each in kept if "pulumi refresh" in each]
    assert made(*hosts).assumptions == tuple(each for each in kept if "pulumi refresh" not in each)


@pytest.mark.parametrize(
    ("maximum", "full"), [(1, None), (2, "Of 2 addresses, which `maximum` allows"), (3, None), (20, None)]
)
def test_a_list_that_begins_full_is_warned_of_and_one_that_is_too_small_refused(maximum: int, full: str | None) -> None:
    found = made(entry("a.example"), entry("b.example"), **{**REFRESHED, "maximum": maximum})
    told = [one.message for one in found.findings if one.id == "list-full"]
    assert (bool(found.problems), len(told)) == (maximum == 1, int(full is not None))
    assert all(str(full) in each and "IPv4 tcp 443" in each and "IPv6" not in each for each in told)
    assert not any(one.id == "list-full" for one in made(entry("a.example")).findings)


def test_a_list_has_one_keeper_and_never_begins_empty() -> None:
    by_hand = plan(
        selection([entry("a.example")]),
        TARGET,
        addresses={"a.example": ["203.0.113.7"]},
        securityGroups=[GROUP],
        **REFRESHED,
    )
    assert (by_hand.refused, by_hand.objects) == (True, ())
    assert any("both would say what is in a list" in one.message for one in by_hand.problems)
    unborn = made(entry("a.example"), entry("unborn.example"), **REFRESHED)
    assert (unborn.refused, unborn.objects) == (True, ())


def test_a_maximum_that_does_not_hold_the_pool_is_refused_with_both_numbers() -> None:
    refused = made(entry("a.example"), entry("b.example"), contents="refresher", maximum=1)
    assert refused.objects == ()
    assert any("begins with 2 addresses. Allowed by `maximum`: 1" in one.message for one in refused.problems)


def test_more_than_a_security_group_can_hold_is_refused() -> None:
    addresses = {f"h{n}.example": [f"203.0.{n // 250}.{n % 250 + 1}"] for n in range(1_001)}
    refused = plan(selection(map(entry, addresses)), TARGET, addresses=addresses)
    assert any(one.id == "limit-exceeded" for one in refused.findings)
    assert refused.objects == ()


def test_a_plan_without_security_groups_enforces_nothing_and_is_not_deployed() -> None:
    idle = made(entry("a.example"), securityGroups=[])
    assert [one.id for one in idle.unenforced] == ["not-enforced"]
    assert "securityGroups" in str(idle.options.lacking)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"securityGroups": ["main"]}, "the id of a security group"),
        ({"securityGroups": [GROUP, GROUP]}, "twice"),
        ({"mode": "audit"}, "found mode 'audit'"),
        ({"deny": "internet"}, "deny 'internet'. Allowed: enforce and declared"),
        ({"addresses": {"a.example": ["127.0.0.1"]}}, "an address that a host can have"),
        ({"steps": 0}, "greater than or equal to 1"),
        ({"contents": "refresher"}, "refresher' without `maximum`"),
        ({"maximum": 10}, "'pool' with `maximum`"),
        ({"contents": "refresher", "maximum": 1_001}, "less than or equal to 1000"),
        ({"contents": "both"}, "contents"),
    ],
)
def test_an_option_that_does_not_hold_is_an_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        plan(selection([entry("a.example")]), TARGET, options)


def test_a_pool_for_a_mechanism_that_takes_none_is_an_error() -> None:
    with pytest.raises(InputError, match="a pool for aws:rules, which takes none"):
        plan(selection([entry("a.example")]), "aws:rules", pool=pool())


RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
LIST = Resource(
    urn="list",
    type="aws:ec2/managedPrefixList:ManagedPrefixList",
    name="list",
    id="pl-1",
    properties={"addressFamily": "IPv4", "entries": [{"cidr": "203.0.113.7/32"}]},
)


def rule(name: str, **properties: Any) -> Resource:
    given = {"securityGroupId": GROUP, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **properties}
    return Resource(urn=name, type=RULE, name=name, properties=given)


@pytest.mark.parametrize(
    ("beside", "port", "action"),
    [
        ((), 443, "block"),
        ((rule("all", ipProtocol="-1", cidrIpv4="0.0.0.0/0", fromPort=None, toPort=None),), 443, "allow"),
        ((rule("web", cidrIpv4="198.51.100.0/24"),), 443, "allow"),
        ((rule("web", cidrIpv4="198.51.100.0/24"),), 80, "block"),
        ((rule("other", cidrIpv4="198.51.100.0/24", securityGroupId="sg-ffff"),), 443, "block"),
        ((rule("unknown", cidrIpv4=UNKNOWN),), 443, "unknown"),
        ((rule("ports", cidrIpv4="198.51.100.0/24", fromPort=UNKNOWN),), 443, "unknown"),
        ((rule("theirs", prefixListId="pl-2"),), 443, "unknown"),
        ((rule("misspelt", cidrIpv4="198.51.100/24x"),), 443, "unknown"),
        (
            (
                Resource(
                    urn="group",
                    type="aws:ec2/securityGroup:SecurityGroup",
                    name="group",
                    id=GROUP,
                    properties={
                        "egress": [{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"], "fromPort": 0, "toPort": 0}]
                    },
                ),
            ),
            443,
            "allow",
        ),
    ],
)
def test_what_else_stands_in_the_security_group_is_judged_too(
    beside: tuple[Resource, ...], port: int, action: str
) -> None:
    (place,) = places(Snapshot((LIST, rule("ours", prefixListId="pl-1"), *beside), "a test"))
    assert place.name in (GROUP, "group")
    assert decide(place, Flow("x.example", port, "https", address="198.51.100.9")).action == action
    assert decide(place, Flow("x.example", 443, "https", address="203.0.113.7")).action == "allow"


@pytest.mark.parametrize("cidr", ["198.51.100/24x", "", 7, UNKNOWN])
def test_nobody_can_tell_what_else_a_list_opens_of_which_an_entry_is_no_range(cidr: Any) -> None:
    held = replace(LIST, properties={"addressFamily": "IPv4", "entries": [{"cidr": "203.0.113.7/32"}, {"cidr": cidr}]})
    (place,) = places(Snapshot((held, rule("ours", prefixListId="pl-1")), "a test"))
    for address, action in (("203.0.113.7", "allow"), ("198.51.100.9", "unknown")):
        assert decide(place, Flow("x.example", 443, "https", address=address)).action == action


def test_a_security_group_without_a_prefix_list_of_the_snapshot_is_no_place() -> None:
    assert places(Snapshot((rule("web", cidrIpv4="198.51.100.0/24"),), "a test")) == []


def test_reach_asks_for_the_addresses_of_the_pool_and_for_no_other_of_the_host() -> None:
    ((place, needs),) = points_of(made(entry("a.example")))
    found = reach(place, needs)
    assert (found.missing, found.beyond) == ((), ())
