"""aws:rules fed by a pool: IP sets for hosts without a name on the wire, and nothing for those that have one."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.bodies import count
from conformance.catalogs import entry, selection
from hostgate.aws.address_rules import reference_key
from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Selection
from hostgate.export.suricata import export_suricata, options_for_suricata
from hostgate.flows.flow import Flow
from hostgate.flows.reach import reach
from hostgate.planning.address_pool import AddressPool, PoolAddress, PoolHost
from hostgate.planning.grants import Grant
from hostgate.planning.needs import points_of
from hostgate.planning.plan import Plan, draft, plan
from hostgate.planning.trial import trials

TARGET = "aws:rules"
SEEN = 1_795_860_000
"""2026-11-28, 10:00 UTC."""
DUAL = ["10.0.0.0/8", "fd00::/8"]
CLIENTS: Mapping[Family, str] = {"ipv4": "10.1.2.3", "ipv6": "fd00::5"}


def pool(**hosts: Sequence[str]) -> AddressPool:
    """A pool of `hosts`, whose names have `_` for the dot, with their addresses."""
    found = {name.replace("_", "."): addresses for name, addresses in sorted(hosts.items())}
    return AddressPool(
        {
            host: PoolHost(host, 86_400, tuple(PoolAddress(each, SEEN, (("here", SEEN),)) for each in addresses))
            for host, addresses in found.items()
        },
        shown="pool.txt",
    )


POOL = pool(
    git_example=["203.0.113.7", "203.0.113.8", "2001:db8::7"],
    time_example=["203.0.113.7", "203.0.113.9"],
    web_example=["203.0.113.80"],
    unborn_example=[],
)
GIT = entry("git.example", "git", port=22, protocol="tcp")
CLOCK = entry("time.example", "clock", port=123, protocol="udp")
WEB = entry("web.example", "web")


def made(*entries: Entry, by: AddressPool = POOL, **options: Any) -> Plan:
    return plan(selection(entries), TARGET, pool=by, **options)


def group(found: Plan, name: str = "hostgate-address") -> Mapping[str, Any]:
    return next(each.body["RuleGroup"] for each in found.objects if each.name == name)


def sets(found: Plan, name: str = "hostgate-address") -> Mapping[str, list[str]]:
    return {key: each["Definition"] for key, each in group(found, name)["RuleVariables"]["IPSets"].items()}


def test_each_entry_by_address_has_an_ip_set_of_its_own_that_its_rule_names() -> None:
    found = made(GIT, CLOCK, WEB, home_net=DUAL)
    git, clock = reference_key(GIT), reference_key(CLOCK)
    assert sets(found) == {
        git: ["203.0.113.7/32", "203.0.113.8/32", "2001:db8::7/128"],
        clock: ["203.0.113.7/32", "203.0.113.9/32"],
    }
    text = group(found)["RulesSource"]["RulesString"]
    assert re.findall(r"^pass (\w+) \$HOME_NET any -> \$(\w+) (\d+) ", text, re.MULTILINE) == [
        ("udp", clock, "123"),
        ("tcp", git, "22"),
    ]
    assert count(found.objects).over == []


def test_a_changed_address_changes_one_item_of_a_set_and_no_rule() -> None:
    moved = pool(git_example=["203.0.113.7", "203.0.113.99"], time_example=["203.0.113.7", "203.0.113.9"])
    old, new = made(GIT, CLOCK), made(GIT, CLOCK, by=moved)
    before, after = sets(old), sets(new)
    assert [key for key in before if before[key] != after[key]] == [reference_key(GIT)]
    assert {*before[reference_key(GIT)]} ^ {*after[reference_key(GIT)]} == {"203.0.113.8/32", "203.0.113.99/32"}
    assert [each.text for each in old.objects] == [each.text for each in new.objects]
    assert [each.name for each in old.objects if each not in new.objects] == ["hostgate-address"]


@pytest.mark.parametrize(
    ("name", "address", "port", "protocol", "action"),
    [
        ("git.example", "203.0.113.7", 22, "tcp", "allow"),
        ("git.example", "2001:db8::7", 22, "tcp", "allow"),
        ("anybody.example", "203.0.113.7", 22, "tcp", "allow"),
        ("git.example", "203.0.113.9", 22, "tcp", "block"),
        ("git.example", "203.0.113.7", 2222, "tcp", "block"),
        ("git.example", "203.0.113.7", 22, "udp", "block"),
        ("time.example", "203.0.113.9", 123, "udp", "allow"),
        ("time.example", "203.0.113.8", 123, "udp", "block"),
        ("web.example", "198.51.100.1", 443, "https", "allow"),
        ("other.example", "203.0.113.80", 443, "https", "block"),
        ("web.example", "203.0.113.80", 443, "udp", "block"),
    ],
)
def test_addresses_pass_at_their_port_and_names_stay_what_they_were(
    name: str, address: str, port: int, protocol: Any, action: str
) -> None:
    source = CLIENTS["ipv6" if ":" in address else "ipv4"]
    flow = Flow(name, port, protocol, address=address, source=source)
    assert made(GIT, CLOCK, WEB, home_net=DUAL).verdict(flow).action == action


def test_hosts_that_show_a_name_need_not_be_in_the_pool_and_their_rules_are_the_same_without_it() -> None:
    named = [WEB, entry("absent.example", "absent"), entry("plain.example", "plain", port=80, protocol="http")]
    beside = made(GIT, *named)
    alone = plan(selection(named), TARGET)
    assert group(beside, "hostgate-allow") == group(alone, "hostgate-allow")
    assert not any("203.0.113.80" in str(each.body) for each in beside.objects)


def test_a_family_that_no_client_has_is_in_no_set() -> None:
    assert sets(made(GIT))[reference_key(GIT)] == ["203.0.113.7/32", "203.0.113.8/32"]
    assert sets(made(GIT, home_net=DUAL, from_=["fd00::/16"]))[reference_key(GIT)] == ["2001:db8::7/128"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (entry("unborn.example", port=22, protocol="tcp"), "pool.txt knows unborn.example but no ipv4 address of it"),
        (entry("absent.example", port=22, protocol="tcp"), "pool.txt has no absent.example"),
        (entry("git.example", port=9, protocol="udp", families=("ipv6",)), "clients over IPv4 only"),
        (entry("git.example", port=9, protocol="udp", match="subtree"), "take exact names only"),
    ],
)
def test_a_host_without_an_address_and_a_wildcard_are_refused_and_nothing_is_made(wanted: Entry, said: str) -> None:
    found = draft(selection([GIT, wanted, WEB]), TARGET, pool=POOL)
    assert (found.refused, found.objects) == (True, ())
    assert [one.entry for one in found.problems] == [wanted.id]
    assert said in found.problems[0].message


def test_a_pool_takes_the_place_of_addresses_by_hand() -> None:
    by_hand = {"git": ["198.51.100.0/24"]}
    found = made(GIT, addresses=by_hand)
    assert found.verdict(Flow("git.example", 22, "tcp", address="198.51.100.9")).action == "block"
    assert found.objects == made(GIT).objects
    strange = entry("absent.example", "git", port=22, protocol="tcp")
    assert draft(selection([strange]), TARGET, addresses=by_hand, pool=POOL).refused


def test_an_entry_whose_set_is_kept_elsewhere_takes_none_of_the_pool() -> None:
    arn = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"
    kept = entry("absent.example", "kept", port=22, protocol="tcp")
    found = made(GIT, kept, ip_sets={"kept": arn})
    assert [*sets(found)] == [reference_key(GIT)]
    assert group(found)["ReferenceSets"]["IPSetReferences"] == {reference_key(kept): {"ReferenceArn": arn}}
    assert count(found.objects).over == []


def test_two_catalogs_may_have_one_id_because_a_pool_says_addresses_by_host() -> None:
    twin = entry("time.example", "git", catalog="acme/other", port=22, protocol="tcp")
    assert {len(items) for items in sets(made(GIT, twin)).values()} == {2}
    assert made(GIT, twin).verdict(Flow("time.example", 22, "tcp", address="203.0.113.9")).allows


@pytest.mark.parametrize(("day", "stale"), [("2026-11-29", []), ("2026-12-24", ["clock", "git"])])
def test_addresses_that_nobody_confirmed_are_found_stale_and_those_of_names_are_nobodys_concern(
    day: str, stale: list[str]
) -> None:
    found = made(GIT, CLOCK, WEB, as_of=date.fromisoformat(day)).findings
    assert sorted(str(one.entry) for one in found if one.id == "pool-stale") == stale


def test_the_plan_says_what_else_the_addresses_open_and_that_it_sees_no_names_there() -> None:
    found = made(GIT, CLOCK, WEB)
    (told,) = [one.message for one in found.findings if one.id == "opens-addresses"]
    assert "3 addresses are open" in told
    assert "git.example and time.example share 1" in told
    assert [one.message for one in found.findings if one.id == "address-only"] == [
        "clock, git: allowed by the addresses of the name."
    ]
    (decision,) = [each for each in found.decisions if each.entry.id == "git"]
    assert decision.reason.startswith("Address rules from a pool: the addresses are those of the pool")


def test_a_rule_is_as_long_as_with_its_set_written_out() -> None:
    def of(number: int) -> Plan:
        held = pool(git_example=[f"203.0.{index // 250}.{index % 250 + 1}" for index in range(number)])
        return draft(selection([GIT]), TARGET, pool=held)

    few, many = of(400), of(600)
    (used,) = [usage.used for usage in few.limits if usage.limit.name == "one rule"]
    items = ",".join(sets(few)[reference_key(GIT)])
    longest = len(group(few)["RulesSource"]["RulesString"].splitlines()[0])
    inside = len(f"[{','.join(few.options.model_dump()['home_net'])}]") - len("$HOME_NET")
    assert used == longest - len(f"${reference_key(GIT)}") + len(f"[{items}]") + inside
    assert (few.refused, many.refused) == (False, True)
    assert re.search(r"need a rule of [0-9,]+ characters\. Allowed: 8,175", many.problems[0].message)
    assert "under `ipSets`" in many.problems[0].message


def test_each_list_of_clients_has_sets_of_its_own_families() -> None:
    grants = [
        Grant("old", selection([GIT]), ["10.1.0.0/16"]),
        Grant("new", selection([GIT, CLOCK]), ["10.2.0.0/16", "fd00::/16"]),
    ]
    found = plan(grants, TARGET, pool=POOL, home_net=DUAL, as_of=date(2026, 12, 24))
    kept = {each.name: sets(found, each.name) for each in found.objects if "-address" in each.name}
    assert [sorted(map(len, each.values())) for _, each in sorted(kept.items())] == [[2, 3], [2]]
    for source, address, action in (
        ("10.1.0.1", "203.0.113.9", "block"),
        ("10.2.0.1", "203.0.113.9", "allow"),
    ):
        flow = Flow("time.example", 123, "udp", address=address, source=source)
        assert found.verdict(flow).action == action
    assert {one.grant for one in found.findings if one.id == "pool-stale"} == {"old", "new"}
    refused = draft([grants[0], Grant("new", selection([GIT, entry("absent.example", port=1, protocol="udp")]))], TARGET,
                    pool=POOL)  # fmt: skip
    assert "pool.txt has no absent.example" in refused.problems[0].message


def test_reach_asks_for_the_addresses_of_the_pool_and_for_no_other_of_the_host() -> None:
    ((place, needs),) = points_of(made(GIT, CLOCK, WEB, home_net=DUAL))
    found = reach(place, needs)
    assert (found.missing, found.beyond) == ((), ())


@pytest.mark.parametrize("home_net", [["10.0.0.0/8"], DUAL])
def test_nobody_promises_that_a_stranger_has_none_of_the_addresses(home_net: list[str]) -> None:
    mine = entry("git.example", "git", port=443, protocol="tcp")
    (trial,) = [each for each in trials(made(mine, WEB, home_net=home_net)) if "over IPv6" in each.what]
    assert trial.expected == ("block" if home_net != DUAL else "unknown")


@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
def test_a_pool_for_hosts_that_all_show_a_name_is_an_error(target: str) -> None:
    with pytest.raises(InputError, match=f"a pool for {target}, which takes none"):
        plan(selection([WEB]), target, pool=POOL)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hostAddresses": {"git.example": ["127.0.0.1"]}}, "an address that a host can have"),
        ({"hostAddresses": {"git.example": ["203.0.113.0/24"]}}, "an address that a host can have"),
        (
            {"hostAddresses": {"git.example": ["203.0.113.7"]}, "addresses": {"git": ["203.0.113.7"]}},
            "found `addresses` and `hostAddresses`. Keep one",
        ),
    ],
)
def test_an_option_that_does_not_hold_is_an_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        plan(selection([GIT]), TARGET, options)


def test_addresses_by_host_may_be_given_by_hand_and_are_told_where_no_rule_uses_them() -> None:
    by_hand = {"git.example": ["203.0.113.8", "203.0.113.7"], "web.example": ["203.0.113.80"]}
    found = plan(selection([GIT, WEB]), TARGET, {"hostAddresses": by_hand})
    assert sets(found) == {reference_key(GIT): ["203.0.113.7/32", "203.0.113.8/32"]}
    assert [one.message for one in found.findings if one.id == "addresses-unused"] == [
        "Addresses are given for web.example, and no rule of this plan uses them."
    ]
    listed = {"hostAddresses": by_hand, "ipSets": {GIT.id: "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"}}
    beside = plan(selection([GIT]), TARGET, listed)
    assert [one.message.split(",")[0] for one in beside.findings if one.id == "addresses-unused"] == [
        "Addresses are given for git.example",
        "Addresses are given for web.example",
    ]
    lacking = draft(selection([CLOCK]), TARGET, {"hostAddresses": by_hand})
    assert "no address of time.example: no `hostAddresses`" in lacking.problems[0].message


def test_for_suricata_the_sets_are_written_out_and_the_pool_is_still_asked_how_old_they_are() -> None:
    options = options_for_suricata(made(GIT, WEB).options)  # type: ignore[arg-type]
    found = draft(selection([GIT, WEB]), TARGET, options, as_of=date(2026, 12, 24))
    (rule,) = [line for line in export_suricata(found).rules.splitlines() if line.startswith("pass tcp")]
    assert rule.startswith("pass tcp $HOME_NET any -> [203.0.113.7/32,203.0.113.8/32] 22 ")
    assert "pool-stale" in {one.id for one in found.findings}


HOSTS = ("a.example", "b.example", "c.example")
ADDRESSES = ("203.0.113.1", "203.0.113.2", "203.0.113.3", "2001:db8::1", "2001:db8::2")
PORTS = (22, 123, 443)


@st.composite
def cases(draw: st.DrawFn) -> tuple[AddressPool, Selection, list[str]]:
    """A pool, entries by name and by address over its hosts, and ranges of clients."""
    held = {
        host: sorted(draw(st.sets(st.sampled_from(ADDRESSES))), key=lambda each: (":" in each, each)) for host in HOSTS
    }
    kinds = draw(
        st.lists(
            st.tuples(
                st.sampled_from(HOSTS),
                st.sampled_from(PORTS),
                st.sampled_from(["tcp", "udp", "https"]),
                st.sampled_from([(), ("ipv4",), ("ipv6",)]),
            ),
            min_size=1,
            max_size=5,
            unique_by=lambda each: each[:3],
        )
    )
    entries = [
        entry(host, f"e{number}", port=port, protocol=protocol, families=families)
        for number, (host, port, protocol, families) in enumerate(kinds)
    ]
    clients = draw(st.sampled_from([["10.0.0.0/8"], ["fd00::/8"], DUAL]))
    return pool(**{host.replace(".", "_"): each for host, each in held.items()}), selection(entries), clients


@given(cases())
def test_what_passes_by_address_is_what_the_pool_has_of_the_hosts_and_nothing_else(
    case: tuple[AddressPool, Selection, list[str]],
) -> None:
    held, hosts, clients = case
    families = {
        family for family, client in CLIENTS.items() if any((":" in each) == (":" in client) for each in clients)
    }
    blind = [each for each in hosts.entries if each.protocol in ("tcp", "udp")]
    if not blind:
        return
    served = {
        each.key: [
            address
            for address in held.hosts[each.host].of("ipv4") + held.hosts[each.host].of("ipv6")
            if (family := "ipv6" if ":" in address else "ipv4") in families and family in (each.families or FAMILIES)
        ]
        for each in blind
    }
    found = draft(hosts, TARGET, pool=held, home_net=clients)
    refused = {each.entry.key for each in found.decisions if each.outcome == "refused"}
    assert refused & served.keys() == {key for key, addresses in served.items() if not addresses}
    if refused:
        assert found.objects == ()
        return
    for address in (*ADDRESSES, "203.0.113.250", "2001:db8::250"):
        family: Family = "ipv6" if ip_address(address).version == 6 else "ipv4"
        for port in PORTS:
            for transport in ("tcp", "udp"):
                flow = Flow("stranger.example", port, transport, address=address, source=CLIENTS[family])
                open_ = any(
                    (each.port, each.transport) == (port, transport) and address in served[each.key] for each in blind
                )
                assert found.verdict(flow).action == ("allow" if open_ else "block")
