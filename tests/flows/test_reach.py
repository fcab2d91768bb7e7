"""Reach at a place: what is beyond, missing, unknown and dead, each with a flow that the evaluator has judged."""

from dataclasses import replace
from itertools import combinations

import pytest

from hostgate.flows.address_sets import EVERY_ADDRESS, networks, symbol
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest
from hostgate.flows.reach import Reach, as_json, reach
from hostgate.flows.steps import Box, ClientTest, Moment, Place, Stage, Step
from hostgate.flows.verdicts import decide

TCP = frozenset({6})
P443 = Intervals.of([(443, 443)])


def step(action: str, rule: str, owner: str = "urn", **box: object) -> Step:
    return Step(action=action, rule=rule, why=f"{rule} says so", box=Box(**box), owner=owner)  # type: ignore[arg-type]


def place(*steps: Step, otherwise: str = "block", **more: object) -> Place:
    return Place("x:y", "here", (Stage("rules", steps, step(otherwise, "")),), **more)  # type: ignore[arg-type]


def named(host: str, kind: str = "exact") -> tuple[NameTest, ...]:
    return (NameTest(kind, host),)  # type: ignore[arg-type]


def tls(host: str, kind: str = "exact") -> Box:
    return Box(dialled=named(host, kind), port=P443, protocols=TCP, applications=frozenset({"tls"}))


def allow(host: str, rule: str = "", kind: str = "exact") -> Step:
    return step(
        "allow", rule or host, wire=named(host, kind), port=P443, protocols=TCP, applications=frozenset({"tls"})
    )


CGR, QUAY = Need("registry", tls("cgr.dev")), Need("quay", tls("quay.io"))


def told(found: Reach) -> tuple[list[str], list[str], list[tuple[str, ...]], list[str]]:
    return (
        [each.rule for each in found.beyond],
        [entry for each in found.missing for entry, _ in each.entries],
        [each.what for each in found.unknown],
        [each.rule for each in found.dead],
    )


class TestKinds:
    def test_what_is_needed_and_nothing_else_is_nothing_to_tell(self) -> None:
        assert told(reach(place(allow("cgr.dev"), allow("quay.io")), [CGR, QUAY])) == ([], [], [], [])

    def test_a_name_that_nobody_needs_is_beyond_with_the_rule_that_lets_it_out(self) -> None:
        found = reach(place(allow("cgr.dev"), allow("evil.example")), [CGR])
        (beyond,) = found.beyond
        assert (beyond.rule, beyond.flows[0].name, beyond.owner) == ("evil.example", "evil.example", "urn")

    def test_what_no_rule_decides_is_beyond_where_that_passes(self) -> None:
        (beyond,) = reach(place(otherwise="allow"), [CGR]).beyond
        assert beyond.rule == ""
        assert {flow.protocol for flow in beyond.flows} >= {"https"}

    def test_an_entry_that_no_rule_allows_is_missing_once_and_names_the_others_that_are(self) -> None:
        (missing,) = reach(place(), [CGR, QUAY]).missing
        assert dict(missing.entries) == {"registry": "cgr.dev", "quay": "quay.io"}

    def test_what_depends_on_a_set_that_nobody_sees_is_unknown_and_names_it(self) -> None:
        found = reach(place(allow("cgr.dev"), step("allow", "list", address=symbol("pl-1"), protocols=TCP)), [CGR])
        assert told(found)[0] == []
        assert any("pl-1" in what for each in found.unknown for what in each.what)

    def test_a_rule_behind_one_that_decides_all_of_it_is_dead_and_one_half_behind_is_not(self) -> None:
        wide, dead, half = (
            allow("x.example", "wide", "subtree"),
            allow("a.x.example", "dead"),
            allow("x.example", "half", "subtree+apex"),
        )
        needs = [Need("x", tls("x.example", "subtree+apex"))]
        assert told(reach(place(wide, dead, half), needs)) == ([], [], [], ["dead"])

    def test_a_rule_of_several_steps_is_dead_only_if_all_are(self) -> None:
        steps = [allow("cgr.dev"), allow("cgr.dev", "both"), allow("quay.io", "both")]
        assert told(reach(place(*steps), [CGR, QUAY]))[3] == []

    def test_a_place_that_sees_queries_alone_is_asked_for_names_alone(self) -> None:
        asked = place(step("allow", "list", asked=named("cgr.dev")), step("block", "rest", asked=()))
        assert told(reach(asked, [CGR])) == ([], [], [], [])
        (missing,) = reach(place(step("block", "rest", asked=())), [CGR]).missing
        assert missing.rule == "rest"

    def test_names_of_the_place_itself_are_never_beyond(self) -> None:
        passed = step("allow", "inside", asked=named("ec2.internal", "subtree"))
        assert reach(place(passed, step("block", "rest", asked=())), []).beyond
        assert not reach(place(passed, step("block", "rest", asked=()), own_names=("ec2.internal",)), []).beyond

    def test_what_sees_no_protocol_opens_no_more_than_the_host_and_the_port(self) -> None:
        assert told(reach(place(step("allow", "fqdn", dialled=named("cgr.dev"), port=P443, protocols=TCP)), [CGR])) == (
            [],
            [],
            [],
            [],
        )
        wider = place(step("allow", "fqdn", dialled=named("cgr.dev"), protocols=TCP))
        (beyond,) = reach(wider, [CGR]).beyond
        assert all(flow.port != 443 for flow in beyond.flows)

    def test_another_family_than_that_of_the_entry_is_beyond_whatever_sees_no_protocol(self) -> None:
        four = Need("registry", replace(tls("cgr.dev"), address=networks(["0.0.0.0/0"])))
        by_name = step("allow", "fqdn", dialled=named("cgr.dev"), port=P443, protocols=TCP)
        (beyond,) = reach(place(by_name), [four]).beyond
        assert {flow.family for flow in beyond.flows} == {6}
        assert (
            reach(place(replace(by_name, box=replace(by_name.box, address=networks(["0.0.0.0/0"])))), [four]).beyond
            == ()
        )

    def test_what_one_rule_opens_by_what_is_spoken_is_beyond_though_another_that_may_pass_it_sees_nothing(self) -> None:
        blind = step("allow", "fqdn", dialled=named("cgr.dev"), port=P443, protocols=TCP, doubts=("it is so",))
        http = step("allow", "http", wire=named("cgr.dev"), port=P443, applications=frozenset({"http"}))
        assert "http" in told(reach(place(blind, http, allow("cgr.dev")), [CGR]))[0]

    def test_one_of_several_alternatives_is_enough_and_none_is_not(self) -> None:
        either = [replace(CGR, group="g"), replace(QUAY, group="g")]
        assert told(reach(place(allow("cgr.dev")), either)) == ([], [], [], [])
        assert told(reach(place(allow("cgr.dev"), allow("quay.io")), either)) == ([], [], [], [])
        assert told(reach(place(), either))[1] == ["registry", "quay"]
        closed = step("block", "some", address=networks(["203.0.113.0/24"]))
        assert told(reach(place(closed, allow("cgr.dev")), either))[1] != []

    def test_an_alternative_that_may_be_closed_is_not_enough(self) -> None:
        either = [replace(CGR, group="g"), replace(QUAY, group="g")]
        doubted = replace(allow("cgr.dev"), box=replace(allow("cgr.dev").box, doubts=("it is so",)))
        found = reach(place(doubted), either)
        assert (told(found)[1], [each.needed for each in found.unknown]) == (["quay"], [True])

    def test_a_client_that_a_rule_knows_by_its_account_is_shown_by_it(self) -> None:
        builds = ClientTest(identities=frozenset({"account:builds@p.iam.gserviceaccount.com"}))
        (beyond,) = reach(place(step("allow", "wide", client=builds)), []).beyond
        assert {flow.source for flow in beyond.flows} == {"account:builds@p.iam.gserviceaccount.com"}

    def test_whom_no_rule_is_about_is_beyond_where_everybody_is_meant_and_else_assumed(self) -> None:
        builds, web = frozenset({"account:builds"}), frozenset({"account:web"})
        own = replace(allow("cgr.dev"), box=replace(allow("cgr.dev").box, client=ClientTest(identities=builds)))
        stop = step("block", "rest", client=ClientTest(identities=builds))
        here = place(own, stop, otherwise="allow")
        assert told(reach(here, [CGR]))[0] == [""]
        found = reach(here, [CGR], [ClientTest(identities=builds)])
        assert (told(found)[0], "other than account:builds are not meant" in found.assumptions[-1]) == ([], True)
        wide = step("allow", "web", client=ClientTest(identities=web))
        assert told(reach(place(own, wide, stop, otherwise="allow"), [CGR], [ClientTest(identities=builds)]))[0] == [
            "web"
        ]
        assert told(reach(place(own, otherwise="allow"), [CGR], [ClientTest(identities=builds)]))[0] == [""]

    def test_whom_no_rule_is_about_may_be_known_by_his_address(self) -> None:
        inside = ClientTest(addresses=networks(["10.1.0.0/16"]))
        stop = step("block", "rest", client=inside)
        own = replace(allow("cgr.dev"), box=replace(allow("cgr.dev").box, client=inside))
        found = reach(place(own, stop, otherwise="allow"), [CGR], [inside])
        assert (told(found)[0], "other than 10.1.0.0/16 are not" in found.assumptions[-1]) == ([], True)
        assert told(reach(place(own, otherwise="allow"), [CGR], [inside]))[0] == [""]

    def test_what_some_need_is_beyond_for_others_and_missing_where_one_of_them_is_stopped(self) -> None:
        builders, runners = (ClientTest(addresses=networks([each])) for each in ("10.1.0.0/16", "10.2.0.0/16"))
        needs = [
            replace(CGR, entry="builders:registry", box=replace(CGR.box, client=builders)),
            replace(CGR, entry="runners:registry", box=replace(CGR.box, client=runners)),
            replace(QUAY, entry="builders:quay", box=replace(QUAY.box, client=builders)),
        ]

        def only(host: str, *ranges: str) -> Step:
            rule = allow(host)
            return replace(rule, box=replace(rule.box, client=ClientTest(addresses=networks(ranges))))

        both = only("cgr.dev", "10.1.0.0/16", "10.2.0.0/16")
        assert told(reach(place(both, only("quay.io", "10.1.0.0/16")), needs)) == ([], [], [], [])
        wide = reach(place(both, only("quay.io", "10.1.0.0/16", "10.2.7.0/24")), needs)
        assert [(each.rule, str(each.flows[0].source)[:7]) for each in wide.beyond] == [("quay.io", "10.2.7.")]
        half = reach(place(both, only("quay.io", "10.1.0.0/17")), needs)
        assert told(half)[:2] == ([], ["builders:quay"])
        gone = reach(place(only("cgr.dev", "10.2.0.0/16"), only("quay.io", "10.1.0.0/16")), needs)
        assert told(gone)[:2] == ([], ["builders:registry"])

    def test_many_lists_for_an_account_each_are_looked_at_to_the_end(self) -> None:
        clients = [ClientTest(identities=frozenset({f"account:a{number}"})) for number in range(80)]
        rules = [
            replace(allow("cgr.dev", f"r{n}"), box=replace(CGR.box, client=each)) for n, each in enumerate(clients)
        ]
        needs = [replace(CGR, entry=f"l{n}:x", box=replace(CGR.box, client=each)) for n, each in enumerate(clients)]
        assert told(reach(place(*rules), needs)) == ([], [], [], [])
        assert told(reach(place(*rules[:-1]), needs)) == ([], ["l79:x"], [], [])

    def test_a_client_that_others_have_a_rule_for_is_not_missed_by_name(self) -> None:
        builds = ClientTest(identities=frozenset({"account:builds"}))
        own = replace(allow("cgr.dev"), box=replace(allow("cgr.dev").box, client=builds))
        ill = step("block", "quarantine", client=ClientTest(identities=frozenset({"tag:ill"})))
        need = replace(CGR, box=replace(CGR.box, client=builds))
        assert told(reach(place(ill, own), [need]))[1] == []
        assert told(reach(place(replace(ill, box=Box(client=builds)), own), [need]))[1] == ["registry"]

    def test_a_pattern_without_an_example_is_unknown_and_never_nothing(self) -> None:
        rule = step("allow", "strange", wire=named(r"(?=evil)[a-z]+", "pattern"))
        (unknown,) = reach(place(rule), []).unknown
        assert "strange is for a name like" in unknown.what[0]

    def test_a_pattern_is_beyond_with_a_name_that_it_fits(self) -> None:
        (beyond,) = reach(place(step("allow", "strange", wire=named(r"^evil[0-9]+\.example$", "pattern"))), []).beyond
        assert beyond.flows[0].name == "evil0.example"

    def test_a_rule_of_which_nobody_can_tell_is_not_dead(self) -> None:
        doubted = [step("allow", f"r{number}", doubts=(f"it is {number}",)) for number in range(12)]
        moments = tuple(Moment)
        here = place(*doubted, allow("cgr.dev"))
        here = replace(here, stages=(replace(here.stages[0], moments=moments),))
        assert told(reach(here, [CGR]))[3] == []

    def test_a_repeated_rule_is_dead_whatever_name_comes_first(self) -> None:
        steps = [allow("cgr.dev"), allow("quay.io"), allow("quay.io", "again"), allow("cgr.dev", "more")]
        assert sorted(told(reach(place(*steps), [CGR, QUAY]))[3]) == ["again", "more"]

    def test_what_no_route_leads_to_the_place_is_not_judged_there(self) -> None:
        way = Stage("routes", (step("next", "", port=P443),), step("allow", ""), around=True)
        rules = Stage("rules", (allow("cgr.dev"),), step("block", ""))
        assert told(reach(Place("x:y", "here", (way, rules)), [CGR])) == ([], [], [], [])
        assert reach(Place("x:y", "here", (replace(way, around=False), rules)), [CGR]).beyond

    def test_destinations_that_are_not_on_the_internet_are_not_asked_for(self) -> None:
        assert not reach(place(step("allow", "private", address=networks(["10.0.0.0/8", "fd00::/8"]))), []).beyond

    def test_only_clients_that_are_meant_are_asked_for(self) -> None:
        rule = step("allow", "others", client=ClientTest(addresses=networks(["192.168.0.0/16"])))
        assert reach(place(rule), []).beyond
        assert not reach(place(rule, clients=ClientTest(addresses=networks(["10.0.0.0/8"]))), []).beyond

    @pytest.mark.parametrize(
        ("steps", "told"),
        [
            ([allow("cgr.dev", "by name")], "by name would pass packets to any other host, too, that say cgr.dev ("),
            ([allow("cgr.dev", "by name"), allow("quay.io", "other")], "by name and 1 more rule would pass"),
            ([step("allow", "looked up", dialled=named("cgr.dev"))], ""),
            ([step("allow", "both", dialled=named("cgr.dev"), wire=named("cgr.dev"))], ""),
            ([step("allow", "both", dialled=named("cgr.dev"), wire=named("cgr.dev")), allow("cgr.dev", "hidden")],
             "hidden would pass packets to any other host, too, that say cgr.dev ("),
            ([step("allow", "everything")], ""),
        ],
        ids=["by the name in packets", "by several", "by addresses", "by both", "behind one by both", "by no name"],
    )  # fmt: skip
    def test_that_packets_can_say_the_name_of_another_host_is_assumed_once_and_not_beyond(
        self, steps: list[Step], told: str
    ) -> None:
        found = reach(place(*steps), [CGR, QUAY])
        assert found.dead == ()
        lines = [each for each in found.assumptions if "`name-unproven`" in each]
        assert [told in each for each in lines] == ([True] if told else [])
        assert all(flow.wire_name in (None, flow.name) for each in found.beyond for flow in each.flows)

    def test_ten_thousand_hosts_by_name_are_one_assumption(self) -> None:
        hosts = [f"h{number}.example" for number in range(10_000)]
        found = reach(place(*map(allow, hosts)), [Need(host, tls(host)) for host in hosts])
        assert (told(found), len(found.assumptions)) == (([], [], [], []), 1)
        assert "and 9,999 more rules" in found.assumptions[0]

    def test_an_id_stays_while_other_rules_come_and_go(self) -> None:
        alone, beside = (
            reach(place(*steps), [CGR]).beyond
            for steps in ([allow("e.example")], [allow("b.example"), allow("e.example")])
        )
        assert alone[0].id in {each.id for each in beside}

    def test_an_id_is_of_one_line_alone(self) -> None:
        doubted = step("allow", "list", address=symbol("pl-1"), protocols=TCP)
        same = [replace(allow("evil.example", "wide"), owner=owner) for owner in ("one", "two")]
        other = replace(allow("evil.org", "wide"), owner="two")
        found = reach(place(*same, other, doubted), [CGR, QUAY])
        ids = [each.id for each in (*found.beyond, *found.missing, *found.unknown)]
        assert [each.owner for each in found.beyond] == ["one", "two"]
        assert len(found.unknown) == 2
        assert len(ids) == len(set(ids))

    def test_an_acceptance_of_what_is_missing_is_for_those_entries_and_no_others(self) -> None:
        (one,), (both,) = (reach(place(), needs).missing for needs in ([CGR], [CGR, QUAY]))
        assert one.id != both.id

    def test_the_document_has_what_its_contract_says(self) -> None:
        document = as_json(reach(place(allow("evil.example")), [CGR]))
        assert set(document) == {"place", "target", "beyond", "missing", "unknown", "dead", "assumptions"}
        assert document["missing"][0]["entry"] == "registry"
        assert set(document["beyond"][0]["flow"]) >= {"name", "port", "protocol", "address", "source"}


NARROWINGS: dict[str, dict[str, object]] = {
    "name": {"wire": named("evil.example")},
    "port": {"port": Intervals.of([(8443, 8443)])},
    "address": {"address": networks(["198.18.7.0/24"])},
    "client": {"client": ClientTest(addresses=networks(["10.20.30.0/24"]))},
    "protocol": {"protocols": TCP, "applications": frozenset({"tls"})},
}


@pytest.mark.parametrize(
    "dimensions", [each for n in range(1, 6) for each in combinations(NARROWINGS, n)], ids="+".join
)
def test_a_widening_is_found_however_narrow_it_is_and_behind_a_block_of_part_of_it(dimensions: tuple[str, ...]) -> None:
    box = {key: value for each in dimensions for key, value in NARROWINGS[each].items()}
    before = step("block", "part", address=networks(["198.18.7.0/25"]), port=Intervals.of([(0, 8443)]))
    here = place(before, step("allow", "wide", **box), allow("cgr.dev"))
    (beyond,) = reach(here, [CGR]).beyond
    assert beyond.rule == "wide"
    for flow in beyond.flows:
        assert decide(here, flow).rule == "wide"


def test_every_address_of_both_families_is_the_default() -> None:
    (missing,) = reach(
        place(step("block", "six", address=EVERY_ADDRESS.less(networks(["0.0.0.0/0"]))), allow("cgr.dev")), [CGR]
    ).missing
    assert missing.flow.family == 6


def test_public_addresses_of_the_clients_own_networks_are_destinations_too() -> None:
    own = networks(["10.0.0.0/8", "52.0.0.0/8"])
    found = reach(place(step("allow", "within", address=own, client=ClientTest(addresses=own)), inside=own), [])
    assert told(found)[0] == ["within"]
    assert all(str(flow.address).startswith("52.") for flow in found.beyond[0].flows)


def test_what_nat64_makes_ipv4_of_is_the_internet_too_and_nobody_has_to_get_there() -> None:
    for prefix in ("64:ff9b::/96", "64:ff9b::808:808/128", "64:ff9b::/64", "64::/16", "::/0"):
        found = reach(place(allow("cgr.dev"), step("allow", "wide", address=networks([prefix]))), [CGR])
        (beyond,) = found.beyond
        assert beyond.rule == "wide"
        assert any((flow.address or "").startswith("64:ff9b::") for flow in beyond.flows) is (prefix != "::/0")
    open_to_all_others = step("allow", "hosts", address=networks(["0.0.0.0/0", "2000::/3"]), port=P443, protocols=TCP)
    assert not reach(place(open_to_all_others), [CGR]).missing
    private = ("64:ff9b::10.0.0.0/104", "64:ff9b::192.168.1.1/128", "64:ff9b::100.64.0.0/106", "64:ff9b::e000:0/99")
    others = ("64:ff9b:1::/48", "fc00::/7", *private)
    untranslated = [step("allow", "ours", address=networks([each])) for each in others]
    assert not reach(place(allow("cgr.dev"), *untranslated), [CGR]).beyond


@pytest.mark.parametrize(("port", "protocol"), [(53, "udp"), (123, "udp"), (8443, "udp"), (443, "quic")])
def test_datagrams_are_called_udp_but_at_the_port_of_quic(port: int, protocol: str) -> None:
    box = Box(port=Intervals.of([(port, port)]), protocols=frozenset({17}))
    needed = Need("dns", replace(box, dialled=named("dns.example"), address=networks(["192.0.2.53"])))
    (missing,) = reach(place(), [needed]).missing
    (beyond,) = reach(place(Step(action="allow", rule="wide", why="", box=box)), []).beyond
    assert [missing.flow.protocol, *(each.protocol for each in beyond.flows)] == [protocol, protocol, protocol]


def test_quic_is_told_at_any_port_where_a_rule_tells_it_apart() -> None:
    quic = Box(port=Intervals.of([(8443, 8443)]), protocols=frozenset({17}), applications=frozenset({"quic"}))
    (beyond,) = reach(place(Step(action="allow", rule="quic", why="", box=quic)), []).beyond
    assert {each.protocol for each in beyond.flows} == {"quic"}
