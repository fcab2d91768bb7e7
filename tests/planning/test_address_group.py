"""gcp:address-group: a group for each family and port with the addresses of a pool, and the rules that name them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, selection
from hostgate.catalog.problems import InputError
from hostgate.export.terraform_google import export_terraform
from hostgate.flows.flow import Flow
from hostgate.flows.reach import reach
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.grants import Grant
from hostgate.planning.mechanism import mechanism
from hostgate.planning.needs import points_of
from hostgate.planning.plan import Plan, plan
from hostgate.planning.pool_form import read_pool

TARGET = "gcp:address-group"
NETWORK = "projects/acme/global/networks/main"
GROUPS = "projects/acme/locations/global/addressGroups"
GROUP, RULE = "networksecurity.googleapis.com/AddressGroup", "compute#firewallPolicyRule"
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
REFRESHED = {"contents": "refresher", "capacity": 300}


def pool() -> AddressPool:
    return read_pool(POOL.encode(), "pool.txt")


def made(*entries: Any, **options: Any) -> Plan:
    return plan(selection(entries), TARGET, pool=pool(), **{"networks": [NETWORK], **options})


def bodies(of: Plan, kind: str) -> Mapping[str, Mapping[str, Any]]:
    return {each.name: each.body for each in of.objects if each.kind == kind}


def test_each_family_and_port_has_a_group_of_its_own_so_that_no_port_opens_the_addresses_of_another() -> None:
    found = made(entry("a.example"), entry("b.example", port=8443))
    groups = {name: (body["type"], body["items"], body["capacity"]) for name, body in bodies(found, GROUP).items()}
    assert groups == {
        "hostgate-ipv4-tcp-443-100": ("IPV4", ["203.0.113.7/32"], 100),
        "hostgate-ipv4-tcp-8443-100": ("IPV4", ["203.0.113.7/32", "203.0.113.8/32"], 100),
        "hostgate-ipv6-tcp-443-100": ("IPV6", ["2001:db8::7/128"], 100),
    }
    rules = {
        name: (body["match"]["destAddressGroups"], body["match"]["layer4Configs"])
        for name, body in bodies(found, RULE).items()
        if body["action"] == "allow"
    }
    assert rules == {
        f"hostgate-allow-{label}": (
            [f"{GROUPS}/hostgate-{label}-100"],
            [{"ipProtocol": "tcp", "ports": [label.rpartition("-")[2]]}],
        )
        for label in ("ipv4-tcp-443", "ipv4-tcp-8443", "ipv6-tcp-443")
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
        ("db.internal.example", "10.1.2.3", 5432, "tcp", "allow"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"region": "europe-west4"}, {"networks": [], "project": "acme"}, REFRESHED])
def test_an_address_passes_at_its_port_whatever_its_name(
    name: str, address: str, port: int, protocol: Any, action: str, options: dict[str, Any]
) -> None:
    verdict = made(entry("a.example"), **options).verdict(Flow(name, port, protocol, address=address))
    assert verdict.action == action


ADDRESSES = st.lists(
    st.one_of(
        st.integers(1, 400).map(lambda n: f"203.0.{113 + n // 250}.{n % 250 + 1}"),
        st.integers(1, 400).map(lambda n: f"2001:db8::{n:x}"),
    ),
    min_size=1,
    max_size=30,
)


@given(
    hosts=st.dictionaries(st.sampled_from([f"h{n}.example" for n in range(6)]), ADDRESSES, min_size=1),
    ports=st.lists(st.sampled_from([443, 80, 5432]), min_size=6, max_size=6),
    steps=st.sampled_from([1, 7, 100, 1_000]),
    clients=st.sampled_from([[], ["10.0.0.0/8"], ["10.0.0.0/8", "fd20::/20"], ["fd20::/20", "tagValues/1"]]),
)
def test_a_group_holds_the_addresses_of_its_port_and_no_rule_is_without_one(
    hosts: dict[str, list[str]], ports: list[int], steps: int, clients: list[str]
) -> None:
    entries = [entry(host, port=port, protocol="tcp") for host, port in zip(sorted(hosts), ports, strict=False)]
    options: dict[str, Any] = {"addresses": hosts, "steps": steps, "networks": [NETWORK]}
    if clients:
        options["from"] = clients
    how = mechanism(TARGET)
    refused = how.objections(entries, how.options.model_validate(options))
    kept = [each for each in entries if each.key not in refused]
    found = plan(selection(kept), TARGET, **options)
    families = {"IPV6" if ":" in each else "IPV4" for each in clients if each[0] != "t"} or {"IPV4", "IPV6"}
    wanted: dict[tuple[int, str], set[str]] = {}
    for each in kept:
        for address in hosts[each.host]:
            family, length = ("IPV6", 128) if ":" in address else ("IPV4", 32)
            if family in families:
                wanted.setdefault((each.port, family), set()).add(f"{address}/{length}")
    groups = {body["name"]: body for body in bodies(found, GROUP).values()}
    named: dict[tuple[int, str], set[str]] = {}
    for body in bodies(found, RULE).values():
        if body["priority"] - 2_000 < 10_000_000:
            (reference,), (config,) = body["match"]["destAddressGroups"], body["match"]["layer4Configs"]
            group = groups.pop(reference)
            named[int(config["ports"][0]), group["type"]] = set(group["items"])
            assert all((":" in each) == (group["type"] == "IPV6") for each in body["match"].get("srcIpRanges", ()))
            assert len(group["items"]) <= group["capacity"] == -(-len(group["items"]) // steps) * steps
    assert (named, groups) == (wanted, {})


def test_the_plan_says_what_else_the_addresses_open_and_which_hosts_share_them() -> None:
    (told,) = [one for one in made(entry("a.example"), entry("b.example")).findings if one.id == "opens-addresses"]
    assert (told.severity, "3 addresses are open" in told.message) == ("warning", True)
    assert "a.example and b.example share 1" in told.message


@pytest.mark.parametrize(
    ("wanted", "options", "said"),
    [
        (entry("unborn.example"), {}, "pool.txt knows unborn.example but no address of it"),
        (entry("absent.example"), {}, "pool.txt has no absent.example"),
        (entry("b.example", families=("ipv6",)), {}, "knows b.example but no ipv6 address"),
        (
            entry("b.example"),
            {"from": ["fd20::/20"]},
            "b.example has addresses of IPv4 only, and `from` has no clients of it",
        ),
        (entry("a.example", match="subtree"), {}, "take exact names only"),
    ],
)
def test_a_host_without_an_address_and_a_wildcard_are_refused_and_nothing_is_made(
    wanted: Any, options: dict[str, Any], said: str
) -> None:
    refused = made(entry("a.example", "other", port=80, protocol="http"), wanted, **options)
    assert (refused.refused, refused.objects) == (True, ())
    assert any(said in one.message for one in refused.problems)


def test_each_grant_has_groups_and_rules_of_its_own_for_its_own_clients() -> None:
    wanted = [
        Grant("four", selection([entry("b.example")]), ["10.1.0.0/16"]),
        Grant("six", selection([entry("a.example")]), ["fd20::/20"]),
    ]
    found = plan(wanted, TARGET, pool=pool(), networks=[NETWORK])
    assert {name: body["items"] for name, body in bodies(found, GROUP).items()} == {
        "hostgate-four-ipv4-tcp-443-100": ["203.0.113.7/32", "203.0.113.8/32"],
        "hostgate-six-ipv6-tcp-443-100": ["2001:db8::7/128"],
    }
    for source, address, action in (
        ("10.1.2.3", "203.0.113.8", "allow"),
        ("10.1.2.3", "203.0.113.9", "block"),
        ("fd20::9", "2001:db8::7", "allow"),
        ("fd20::9", "2001:db8::8", "block"),
    ):
        assert found.verdict(Flow("a.example", address=address, source=source)).action == action
    many = plan(wanted, TARGET, pool=pool(), networks=[NETWORK], contents="refresher", capacity=2)
    assert not many.refused


def test_a_group_that_a_refresher_keeps_begins_with_the_pool_and_says_whose_its_items_are() -> None:
    groups = bodies(made(entry("a.example"), **REFRESHED, tags={"team": "x"}), GROUP)
    assert groups.keys() == {"hostgate-refresher-ipv4-tcp-443-300", "hostgate-refresher-ipv6-tcp-443-300"}
    four = groups["hostgate-refresher-ipv4-tcp-443-300"]
    assert (four["items"], four["capacity"]) == (["203.0.113.7/32"], 300)
    assert four["labels"] == {"team": "x", "hostgate-owner": "pool"}
    assert all("labels" not in body for body in bodies(made(entry("a.example")), GROUP).values())


def test_another_capacity_is_another_group_and_the_same_rule() -> None:
    small, large = (made(entry("a.example"), **{**REFRESHED, "capacity": each}) for each in (10, 20))
    assert not bodies(small, GROUP).keys() & bodies(large, GROUP).keys()
    assert bodies(small, RULE).keys() == bodies(large, RULE).keys()


def test_the_plan_says_who_keeps_the_items_and_which_hosts_each_push_names() -> None:
    hosts = [entry("a.example"), entry("b.example", families=("ipv4",))]
    found = made(*hosts, **REFRESHED)
    (told,) = [one.message for one in found.findings if one.id == "refresher-owned"]
    assert "`hostgate pool push gcp-address-group` keeps them" in told
    assert "IPv4 tcp 443: push a.example b.example; IPv6 tcp 443: push a.example." in told
    assert [each for each in found.assumptions if "pulumi refresh" in each]
    assert made(*hosts).assumptions == tuple(each for each in found.assumptions if "pulumi refresh" not in each)


def test_a_group_has_one_keeper_and_never_begins_empty_or_too_small() -> None:
    given = {"addresses": {"a.example": ["203.0.113.7"]}, "networks": [NETWORK], **REFRESHED}
    by_hand = plan(selection([entry("a.example")]), TARGET, **given)
    assert any("both would say what is in a list" in one.message for one in by_hand.problems)
    small = made(entry("a.example"), entry("b.example"), contents="refresher", capacity=1)
    assert any("begins with 2 addresses. Allowed by `capacity`: 1" in one.message for one in small.problems)
    unborn = made(entry("a.example"), entry("unborn.example"), **REFRESHED)
    assert (by_hand.objects, small.objects, unborn.objects) == ((), (), ())


def test_more_than_a_group_can_hold_is_refused() -> None:
    addresses = {f"h{n}.example": [f"203.0.{n // 250}.{n % 250 + 1}"] for n in range(1_001)}
    refused = plan(selection(map(entry, addresses)), TARGET, addresses=addresses, networks=[NETWORK])
    assert any(one.id == "limit-exceeded" and "items of an address group" in one.message for one in refused.findings)
    assert refused.objects == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parent": "organizations/1"}, "found a hierarchical policy. Allowed: a global or a regional one"),
        ({"attach": "locations/global/firewallPolicies/1"}, "found a hierarchical policy"),
        ({"addresses": {"a.example": ["127.0.0.1"]}}, "an address that a host can have"),
        ({"steps": 0}, "greater than or equal to 1"),
        ({"contents": "refresher"}, "refresher' without `capacity`"),
        ({"capacity": 10}, "'pool' with `capacity`"),
        ({"contents": "refresher", "capacity": 1_001}, "less than or equal to 1000"),
        ({"tags": {"hostgate-owner": "pool"}}, "says whose the items of a group are"),
        ({"tags": {"Team": "x"}}, "Allowed as a label"),
    ],
)
def test_an_option_that_does_not_hold_is_an_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        plan(selection([entry("a.example")]), TARGET, options)


def test_a_plan_without_a_project_is_not_deployed() -> None:
    assert "`project` is missing" in str(made(entry("a.example"), networks=[]).options.lacking)
    for known in ({"project": "acme"}, {"attach": "projects/acme/global/firewallPolicies/p"}):
        assert made(entry("a.example"), networks=[], **known).options.lacking is None


def test_reach_asks_for_the_addresses_of_the_pool_and_for_no_other_of_the_host() -> None:
    ((place, needs),) = points_of(made(entry("a.example")))
    found = reach(place, needs)
    assert (found.missing, found.beyond) == ((), ())


@pytest.mark.parametrize("kept", [False, True])
def test_terraform_ignores_the_items_that_a_refresher_keeps_and_makes_groups_before_rules(kept: bool) -> None:
    ((_, text),) = export_terraform(made(entry("a.example"), **(REFRESHED if kept else {}))).items()
    resources = json.loads(text)["resource"]
    groups = resources["google_network_security_address_group"]
    assert {each["lifecycle"].get("ignore_changes") == ["items"] for each in groups.values()} == {kept}
    assert {(each["parent"], each["location"]) for each in groups.values()} == {("projects/acme", "global")}
    rules = resources["google_compute_network_firewall_policy_rule"]
    for rule in (each for name, each in rules.items() if "-allow-" in name):
        assert {*rule["depends_on"]} == {f"google_network_security_address_group.{name}" for name in groups}
