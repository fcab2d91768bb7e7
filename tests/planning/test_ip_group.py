"""azure:ip-group: a group for each transport and port with the addresses of a pool, and the rules that refer to them."""

from collections.abc import Mapping
from datetime import date
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, selection
from hostgate.azure.evaluate import places
from hostgate.azure.firewall_policy import GROUP, IP_GROUP
from hostgate.azure.resources import GROUP_TYPE, IP_GROUP_TYPE
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.grants import Grant
from hostgate.planning.layers import joints, plan_layers
from hostgate.planning.mechanism import mechanism
from hostgate.planning.needs import points_of
from hostgate.planning.options import read_options
from hostgate.planning.plan import Plan, plan
from hostgate.planning.pool_form import read_pool

TARGET = "azure:ip-group"
SEEN = "first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z"
POOL = f"""hostgate-pool 1
host a.example window 86400
  203.0.113.7 {SEEN}
  2001:db8::7 {SEEN}
host b.example window 86400
  203.0.113.7 {SEEN}
  203.0.113.8 {SEEN}
host six.example window 86400
  2001:db8::6 {SEEN}
host unborn.example window 86400
end
"""


def pool() -> AddressPool:
    return read_pool(POOL.encode(), "pool.txt")


def made(*entries: Any, **options: Any) -> Plan:
    return plan(selection(entries), TARGET, pool=pool(), **{"resourceGroup": "rg", **options})


def lists(of: Plan) -> Mapping[str, list[str]]:
    return {each.name: each.body["properties"]["ipAddresses"] for each in of.objects if each.kind == IP_GROUP}


def rules(of: Plan) -> list[Mapping[str, Any]]:
    (group,) = (each for each in of.objects if each.kind == GROUP)
    return [rule for one in group.body["properties"]["ruleCollections"] for rule in one["rules"]]


def test_each_port_has_a_group_of_its_own_so_that_none_opens_the_addresses_of_another() -> None:
    found = made(
        entry("a.example"),
        entry("b.example", port=22, protocol="tcp"),
        entry("b.example", "c", port=123, protocol="udp"),
    )
    assert lists(found) == {
        "hostgate-tcp-22": ["203.0.113.7/32", "203.0.113.8/32"],
        "hostgate-tcp-443": ["203.0.113.7/32"],
        "hostgate-udp-123": ["203.0.113.7/32", "203.0.113.8/32"],
    }
    told = [
        (each["ipProtocols"], each["destinationPorts"], each["destinationIpGroups"][0].split("/")[-2:])
        for each in rules(found)
    ]
    assert told == [
        (["TCP"], ["22"], ["ipGroups", "hostgate-tcp-22"]),
        (["TCP"], ["443"], ["ipGroups", "hostgate-tcp-443"]),
        (["UDP"], ["123"], ["ipGroups", "hostgate-udp-123"]),
    ]
    assert not any(key in each for each in rules(found) for key in ("destinationAddresses", "destinationFqdns"))


@pytest.mark.parametrize(
    ("name", "address", "port", "protocol", "action"),
    [
        ("a.example", "203.0.113.7", 443, "https", "allow"),
        ("anybody.example", "203.0.113.7", 443, "https", "allow"),
        ("a.example", "2001:db8::7", 443, "https", "block"),
        ("a.example", "203.0.113.7", 8443, "https", "block"),
        ("a.example", "203.0.113.8", 443, "https", "block"),
        ("a.example", "203.0.113.7", 443, "udp", "block"),
    ],
)
def test_an_address_passes_at_its_port_whatever_its_name(
    name: str, address: str, port: int, protocol: Any, action: str
) -> None:
    assert made(entry("a.example")).verdict(Flow(name, port, protocol, address=address)).action == action


_PROTOCOLS: Mapping[str, Any] = {"https": "tcp", "http": "tcp", "tls": "tcp", "tcp": "tcp", "udp": "udp"}
_ADDRESSES = [f"203.0.113.{number}" for number in range(1, 6)]


@given(
    drawn=st.dictionaries(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([22, 443, 8443]), st.sampled_from(sorted(_PROTOCOLS))),
        st.just(None), min_size=1, max_size=6,
    ),
    held=st.fixed_dictionaries({host: st.sets(st.sampled_from(_ADDRESSES), min_size=1) for host in "abcd"}),
    mode=st.sampled_from(["enforce", "audit"]),
)  # fmt: skip
def test_exactly_the_addresses_of_each_port_are_open(
    drawn: Mapping[Any, None], held: Mapping[str, Any], mode: str
) -> None:
    entries = [entry(f"{host}.example", f"{host}-{port}-{how}", port=port, protocol=how) for host, port, how in drawn]
    given_ = {f"{host}.example": sorted(each) for host, each in held.items()}
    found = plan(selection(entries), TARGET, addresses=given_, mode=mode)
    opened = {(each, _PROTOCOLS[how], port) for host, port, how in drawn for each in held[host]}
    for address in _ADDRESSES:
        for port in (22, 443, 8443, 80):
            for transport in ("tcp", "udp"):
                verdict = found.verdict(Flow("x.example", port, transport, address=address))  # type: ignore[arg-type]
                wanted = (address, transport, port) in opened
                assert verdict.allows == (wanted or mode == "audit")
                assert ("audit" in (verdict.rule or "")) == (mode == "audit" and not wanted)
    everything = [ip_network(each) for listed in lists(found).values() for each in listed]
    assert all(each.version == 4 and each.num_addresses == 1 for each in everything)


def test_the_plan_says_what_else_the_addresses_open_and_that_none_of_ipv6_is_in_a_group() -> None:
    told = {one.id: one.message for one in made(entry("a.example"), entry("b.example")).findings}
    assert "2 addresses are open" in told["opens-addresses"]
    assert "a.example and b.example share 1" in told["opens-addresses"]
    assert told["ipv4-only"].startswith("1 IPv6 address is in no group.")
    assert "ipv4-only" not in {one.id for one in made(entry("b.example")).findings}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (entry("unborn.example"), "pool.txt knows unborn.example but no ipv4 address of it"),
        (entry("absent.example"), "pool.txt has no absent.example"),
        (entry("six.example"), "six.example has addresses of IPv6 only, and IP groups and Azure"),
        (entry("six.example", families=("ipv6",)), "open hosts over IPv4. Found: a host over IPv6 only"),
        (entry("a.example", match="subtree"), "take exact names only"),
    ],
)
def test_a_host_without_an_ipv4_address_and_a_wildcard_are_refused_and_nothing_is_made(wanted: Any, said: str) -> None:
    refused = made(entry("b.example", "other"), wanted)
    assert (refused.refused, refused.objects) == (True, ())
    assert any(said in one.message for one in refused.problems)


def test_one_over_ipv6_alone_is_led_to_an_ipv4_host() -> None:
    refused = made(entry("six.example", families=("ipv6",)))
    assert any("Nearest: an IPv4 host." in one.message for one in refused.problems)


def test_addresses_by_hand_that_are_all_of_ipv6_are_said_to_be_of_no_use() -> None:
    refused = plan(selection([entry("a.example")]), TARGET, addresses={"a.example": ["2001:db8::7"]})
    assert any("a.example has addresses of IPv6 only" in one.message for one in refused.problems)


def test_without_a_pool_every_host_is_refused() -> None:
    assert plan(selection([entry("a.example")]), TARGET).refused


@pytest.mark.parametrize(("day", "stale"), [("2026-11-29", False), ("2026-12-24", True)])
def test_addresses_that_nobody_confirmed_are_found_stale_also_of_a_grant(day: str, stale: bool) -> None:
    wanted = [Grant("ci", selection([entry("a.example")]), ["10.1.0.0/16"])]
    found = plan(wanted, TARGET, pool=pool(), as_of=date.fromisoformat(day)).findings
    assert any(one.id == "pool-stale" and one.entry == "a-example" for one in found) == stale


class TestRefresher:
    def test_its_groups_have_names_of_their_own_and_say_whose_they_are(self) -> None:
        found = made(entry("a.example"), entry("b.example"), contents="refresher", tags={"team": "x"})
        (group,) = (each.body for each in found.objects if each.kind == IP_GROUP)
        assert group["name"] == "hostgate-refresher-tcp-443"
        assert group["tags"] == {"hostgate-owner": "pool", "team": "x"}
        assert group["properties"]["ipAddresses"] == ["203.0.113.7/32", "203.0.113.8/32"]
        (policy,) = (each.body for each in found.objects if each.kind == "Microsoft.Network/firewallPolicies")
        assert policy["tags"] == {"team": "x"}
        by_pool = made(entry("a.example"), tags={"team": "x"})
        assert [each.body["tags"] for each in by_pool.objects if each.kind == IP_GROUP] == [{"team": "x"}]

    def test_the_plan_says_which_hosts_each_push_names_and_that_a_push_may_have_changed_what_stands(self) -> None:
        hosts = [entry("a.example"), entry("b.example"), entry("b.example", "c", port=22, protocol="tcp")]
        found = made(*hosts, contents="refresher")
        (told,) = [one.message for one in found.findings if one.id == "refresher-owned"]
        assert "`hostgate pool push azure-ip-group`" in told
        assert "IPv4 tcp 22: push b.example; IPv4 tcp 443: push a.example b.example." in told
        assert [each for each in found.assumptions if "pulumi refresh" in each]
        assert made(*hosts).assumptions == tuple(each for each in found.assumptions if "pulumi refresh" not in each)

    def test_addresses_by_hand_beside_it_are_refused_and_no_group_begins_empty(self) -> None:
        by_hand = plan(
            selection([entry("a.example")]), TARGET, addresses={"a.example": ["203.0.113.7"]}, contents="refresher"
        )
        assert any("both would say what is in a list" in one.message for one in by_hand.problems)
        unborn = made(entry("a.example"), entry("unborn.example"), contents="refresher")
        assert (by_hand.objects, unborn.objects) == ((), ())

    @pytest.mark.parametrize("contents", ["pool", "refresher"])
    def test_no_program_may_say_that_a_group_is_a_pushs(self, contents: str) -> None:
        with pytest.raises(InputError, match="says that a push keeps a group"):
            made(entry("a.example"), contents=contents, tags={"Hostgate-Owner": "pool"})


class TestGrants:
    WANTED = (
        Grant("builders", selection([entry("a.example"), entry("b.example")]), ["10.1.0.0/16"]),
        Grant("nodes", selection([entry("a.example")]), ["10.0.0.0/8"]),
    )

    @pytest.mark.parametrize("contents", ["pool", "refresher"])
    def test_each_grant_has_groups_of_its_own_for_its_own_clients(self, contents: str) -> None:
        found = plan(self.WANTED, TARGET, pool=pool(), contents=contents)
        kept = "refresher-" if contents == "refresher" else ""
        assert lists(found) == {
            f"hostgate-builders-{kept}tcp-443": ["203.0.113.7/32", "203.0.113.8/32"],
            f"hostgate-nodes-{kept}tcp-443": ["203.0.113.7/32"],
        }
        answers = {
            (client, address): found.verdict(Flow("x", address=address, source=client)).action
            for client in ("10.1.2.3", "10.9.9.9", "192.168.7.7")
            for address in ("203.0.113.7", "203.0.113.8")
        }
        assert [key for key, action in answers.items() if action == "allow"] == [
            ("10.1.2.3", "203.0.113.7"), ("10.1.2.3", "203.0.113.8"), ("10.9.9.9", "203.0.113.7"),
        ]  # fmt: skip
        assert "unknown" not in answers.values()


class TestLimits:
    @pytest.mark.parametrize(("number", "refused"), [(5_000, False), (5_001, True)])
    def test_a_group_holds_5000_addresses(self, number: int, refused: bool) -> None:
        listed = [f"203.{at // 62_500}.{at // 250 % 250}.{at % 250 + 1}" for at in range(number)]
        found = plan(selection([entry("a.example")]), TARGET, addresses={"a.example": listed})
        assert found.refused == refused
        assert any("needs 5,001, allowed 5,000" in one.message for one in found.findings) == refused

    @pytest.mark.parametrize(
        ("number", "said"), [(200, set()), (201, {"over-quota"}), (501, {"over-quota", "limit-exceeded"})]
    )
    def test_more_than_200_groups_of_a_firewall_are_doubtful_and_more_than_500_refused(
        self, number: int, said: set[str]
    ) -> None:
        ports = [entry("a.example", f"p{port}", port=port) for port in range(1, number + 1)]
        found = plan(selection(ports), TARGET, addresses={"a.example": ["203.0.113.7"]})
        assert {one.id for one in found.findings} & {"over-quota", "limit-exceeded"} == said
        assert bool(found.objects) == ("limit-exceeded" not in said)
        if "over-quota" in said:
            assert any("500 is said elsewhere, and not confirmed" in one.message for one in found.findings)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"addresses": {"a.example": ["127.0.0.1"]}}, "an address that a host can have"),
        ({"contents": "both"}, "contents"),
        ({"maximum": 7}, "maximum"),
        ({"deny": "none"}, "Azure Firewall denies what no rule allows"),
    ],
)
def test_an_option_that_does_not_hold_is_an_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        plan(selection([entry("a.example")]), TARGET, options)


def test_no_group_moves_to_another_location_under_its_name() -> None:
    west, plain = made(entry("a.example"), location="West Europe"), made(entry("a.example"))
    seats = {each.what: each.holders for each in mechanism(TARGET).seats(west.objects, west.options)}
    assert seats["the location of IP group hostgate-tcp-443"] == ("westeurope",)
    assert not any("IP group" in each.what for each in mechanism(TARGET).seats(plain.objects, plain.options))


def test_beside_names_in_one_policy_both_allow_what_they_are_for_and_neither_closes_the_other() -> None:
    names, ssh = entry("cgr.dev"), entry("b.example", port=22, protocol="tcp")
    targets = [
        (target, read_options(type(mechanism(target)).options, {"attach": "rg/hub", **more}, target))
        for target, more in (("azure:application-rules", {}), (TARGET, {"addresses": {"b.example": ["203.0.113.8"]}}))
    ]
    found = plan_layers([selection([names]), selection([ssh])], targets)
    assert not any(one.id == "layers-differ" for made_ in found for one in made_.findings)
    priorities = [
        each.body["properties"]["priority"] for made_ in found for each in made_.objects if each.kind == GROUP
    ]
    assert priorities == [2000, 3000]
    assert len({each.name for made_ in found for each in made_.objects}) == 3
    (joint,) = joints(found)
    for flow, action in (
        (Flow("cgr.dev"), "allow"),
        (Flow("b.example", 22, "tcp", address="203.0.113.8"), "allow"),
        (Flow("b.example", 22, "tcp", address="203.0.113.9"), "block"),
        (Flow("evil.dev"), "block"),
    ):
        assert joint.verdict(flow)[0] == action


def test_layers_with_policies_of_their_own_are_met_apart() -> None:
    options = mechanism(TARGET).options
    one, other = (read_options(options, {"attach": f"rg/{name}"}, TARGET) for name in ("hub", "other"))
    assert one.apart(other)
    assert one.one_list(other) is None


BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"
POLICY = Resource(
    urn="fp", type="azure-native:network:FirewallPolicy", name="fp", id=f"{BASE}/firewallPolicies/fp",
    properties={"firewallPolicyName": "fp"},
)  # fmt: skip


def standing(*references: Any, dependencies: Mapping[str, frozenset[str]] | None = None) -> Resource:
    rules_ = [
        {
            "ruleType": "NetworkRule", "name": f"r{at}", "ipProtocols": ["TCP"], "sourceAddresses": ["*"],
            "destinationIpGroups": [each], "destinationPorts": ["443"],
        }
        for at, each in enumerate(references)
    ]  # fmt: skip
    collection = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
        "action": {"type": "Allow"}, "rules": rules_,
    }  # fmt: skip
    return Resource(
        urn="g", type=GROUP_TYPE.token, name="g", id=f"{BASE}/firewallPolicies/fp/ruleCollectionGroups/g",
        properties={"priority": 200, "ruleCollections": [collection]}, property_dependencies=dependencies or {},
    )  # fmt: skip


def group(name: str = "ips", **properties: Any) -> Resource:
    given_ = {"ipGroupsName": name, "ipAddresses": ["203.0.113.7/32"], **properties}
    return Resource(urn=name, type=IP_GROUP_TYPE.token, name=name, id=f"{BASE}/ipGroups/{name}", properties=given_)


@pytest.mark.parametrize(
    ("resources", "actions"),
    [
        ((standing(f"{BASE}/ipGroups/ips"), group()), ("allow", "block")),
        ((standing(f"{BASE}/IPGROUPS/IPS"), group()), ("allow", "block")),
        ((standing(f"{BASE}/ipGroups/elsewhere"), group()), ("unknown", "unknown")),
        ((standing(f"{BASE}/ipGroups/ips"), group(ipAddresses=UNKNOWN)), ("unknown", "unknown")),
        ((standing(f"{BASE}/ipGroups/ips"), group(ipAddresses=["203.0.113.7", UNKNOWN])), ("unknown", "unknown")),
        ((standing(f"{BASE}/ipGroups/ips"), group(ipAddresses=["not an address"])), ("unknown", "unknown")),
        # A rule whose group is empty is skipped (Azure Firewall, IP groups).
        ((standing(f"{BASE}/ipGroups/ips"), group(ipAddresses=[])), ("block", "block")),
        # Before the first update no id is known: one group that the rules were made from is told, several are not.
        (
            (standing(UNKNOWN, dependencies={"ruleCollections": frozenset({"ips"})}), group()),
            ("allow", "block"),
        ),
        (
            (standing(UNKNOWN, UNKNOWN, dependencies={"ruleCollections": frozenset({"ips", "two"})}), group(), group("two")),
            ("unknown", "unknown"),
        ),
    ],
)  # fmt: skip
def test_what_stands_is_read_through_its_groups_and_unknown_where_they_do_not_tell(
    resources: tuple[Resource, ...], actions: tuple[str, str]
) -> None:
    (place,) = places(Snapshot((POLICY, *resources), "a test"))
    found = (decide(place, Flow("x", address=each)).action for each in ("203.0.113.7", "203.0.113.99"))
    assert tuple(found) == actions


@pytest.mark.parametrize("tagged", [True, False])
def test_verdicts_about_a_group_that_a_push_keeps_say_so(tagged: bool) -> None:
    held = group(tags={"hostgate-owner": "pool"} if tagged else {"team": "x"})
    (place,) = places(Snapshot((POLICY, standing(f"{BASE}/ipGroups/ips"), held), "a test"))
    assert any("pulumi refresh" in each for each in place.assumptions) == tagged
    (beside,) = places(Snapshot((POLICY, standing(f"{BASE}/ipGroups/other"), held), "a test"))
    assert not any("pulumi refresh" in each for each in beside.assumptions)


def test_reach_asks_for_the_addresses_of_the_pool_and_for_no_other_of_the_host() -> None:
    ((place, needs),) = points_of(made(entry("a.example")))
    found = reach(place, needs)
    assert (found.missing, found.beyond) == ((), ())
