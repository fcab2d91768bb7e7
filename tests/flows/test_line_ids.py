"""Ids of lines of reach: which changes leave a line the same, and which make it another."""

from dataclasses import replace
from typing import Any

import pytest

from flows.test_reach import CGR, P443, QUAY, TCP, allow, named, place, step, tls
from hostgate.flows.address_sets import EVERY_ADDRESS, networks, symbol
from hostgate.flows.extent import ID, key_of
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest
from hostgate.flows.reach import Reach, reach
from hostgate.flows.steps import EVERY_CLIENT, ClientTest, Moment, Place, Stage, Step, WayOut


def ports(*numbers: int) -> Intervals:
    return Intervals.of((number, number) for number in numbers)


NARROW: dict[str, Any] = {
    "wire": named("evil.example"), "port": P443, "protocols": TCP, "applications": frozenset({"tls"}),
    "address": networks(["198.51.100.0/24", "2001:db8::/48"]),
    "client": ClientTest(addresses=networks(["10.1.0.0/16", "fd00:1::/32"])),
}  # fmt: skip
WIDER: dict[str, dict[str, Any]] = {
    "another spelled-out name": {"wire": named("evil.example", "one-label")},
    "names below": {"wire": named("evil.example", "subtree+apex")},
    "every name": {"wire": None},
    "packets without a name": {"nameless": True},
    "a port": {"port": ports(443, 8443)},
    "every port": {"port": EVERY_PORT},
    "a protocol": {"protocols": TCP | {17}, "applications": None},
    "what is spoken": {"applications": frozenset({"tls", "http"})},
    "an address": {"address": networks(["198.51.100.0/24", "192.0.2.7", "2001:db8::/48"])},
    "an address of IPv6": {"address": networks(["198.51.100.0/24", "2001:db8::/47"])},
    "every address": {"address": EVERY_ADDRESS},
    "a set that nobody sees": {"address": NARROW["address"] | symbol("pl-1")},
    "clients": {"client": ClientTest(addresses=networks(["10.0.0.0/8", "fd00:1::/32"]))},
    "every client": {"client": EVERY_CLIENT},
}


def line(here: Place, needs: list[Need] | None = None, rule: str = "wide") -> str:
    found = reach(here, [CGR] if needs is None else needs)
    (id_,) = (each.id for each in found.beyond if each.rule == rule)
    assert ID.match(id_)
    return id_


def same_rule(one: str, other: str) -> bool:
    return key_of(one) == key_of(other)


class TestAnotherLine:
    @pytest.mark.parametrize("wider", WIDER.values(), ids=WIDER)
    def test_where_the_rule_opens_more(self, wider: dict[str, Any]) -> None:
        one, other = (line(place(step("allow", "wide", **box))) for box in (NARROW, NARROW | wider))
        assert one != other
        assert same_rule(one, other)

    def test_where_ports_and_addresses_that_were_apart_go_together(self) -> None:
        here, there = (networks([each]) for each in ("198.51.100.0/24", "203.0.113.0/24"))
        apart = place(
            step("allow", "wide", port=ports(25), address=here), step("allow", "wide", port=ports(587), address=there)
        )
        both = here | there
        crossed = place(
            step("allow", "wide", port=ports(25), address=both), step("allow", "wide", port=ports(587), address=both)
        )
        assert line(apart) != line(crossed)

    def test_where_the_rule_names_one_more_host_or_a_client_of_another_identity(self) -> None:
        one, two = allow("a.example", "wide"), allow("b.example", "wide")
        assert line(place(one)) != line(place(one, two))
        by = [step("allow", "wide", client=ClientTest(identities=frozenset(each)))
              for each in (["account:a"], ["account:a", "account:b"])]  # fmt: skip
        assert line(place(by[0])) != line(place(by[1]))

    @pytest.mark.parametrize(
        "block",
        [
            {"address": networks(["198.51.100.0/24"])}, {"port": ports(25)}, {"protocols": frozenset({17})},
            {"wire": named("worse.example", "subtree")}, {"client": ClientTest(addresses=networks(["10.9.0.0/16"]))},
            {"client": ClientTest(identities=frozenset({"tag:a"}))}, {"applications": frozenset({"http"})},
        ],
        ids=["address", "port", "protocol", "name", "client", "identity", "what is spoken"],
    )  # fmt: skip
    def test_where_a_rule_that_hid_a_part_of_it_goes_or_comes_later(self, block: dict[str, Any]) -> None:
        wide, hides = step("allow", "wide"), step("block", "part", owner="others", **block)
        hidden, later, alone = line(place(hides, wide)), line(place(wide, hides)), line(place(wide))
        assert hidden != alone
        assert later == alone
        earlier = Stage("before", (replace(hides, action="next"), step("next", "all")), step("block", ""))
        assert line(replace(place(wide), stages=(earlier, *place(wide).stages))) not in (alone, hidden)

    def test_where_a_deny_goes_of_more_names_than_a_catalog_has(self) -> None:
        deny = step("block", "part", wire=named("cgr.dev", "subtree+apex"))
        assert line(place(deny, step("allow", "wide"))) != line(place(step("allow", "wide")))

    def test_where_what_a_rule_leads_on_to_is_no_longer_blocked_there(self) -> None:
        first = Stage("first", (step("next", "wide"),), step("block", ""))
        deny = step("block", "part", port=ports(25))
        hidden, alone = (
            line(replace(place(), stages=(first, *place(*blocks, otherwise="allow").stages))) for blocks in ([deny], [])
        )
        assert hidden != alone
        assert same_rule(hidden, alone)

    def test_where_the_block_that_hid_a_part_of_it_narrows(self) -> None:
        first, second = (
            line(place(step("block", "part", address=networks([cidr])), step("allow", "wide")))
            for cidr in ("198.51.100.0/24", "198.51.100.0/25")
        )
        assert first != second

    def test_where_a_block_behind_it_cuts_the_first_packets_of_what_it_lets_pass_later(self) -> None:
        hello = replace(allow("evil.example", "wide"), moments=frozenset({Moment.NAME_KNOWN}))
        drop = replace(
            step("block", "", address=networks(["198.51.100.0/24"])), moments=frozenset({Moment.FIRST_PACKET})
        )
        stage = Stage(
            "rules",
            (hello, drop),
            replace(step("block", ""), moments=frozenset({Moment.NAME_KNOWN})),
            moments=tuple(Moment),
        )
        both = replace(place(), stages=(stage,))
        assert line(both) != line(replace(place(), stages=(replace(stage, steps=(hello,)),)))

    def test_where_a_name_that_the_rule_spells_out_leaves_the_catalogs(self) -> None:
        here = place(allow("cgr.dev", "wide"), allow("quay.io", "wide"), allow("evil.example", "wide"))
        assert line(here, [CGR, QUAY]) != line(here, [CGR])
        every_port = place(
            replace(allow("cgr.dev", "wide"), box=replace(allow("cgr.dev").box, port=ports(443, 80, 8080)))
        )
        on_80 = Need("plain", replace(tls("cgr.dev"), port=ports(80)))
        assert line(every_port, [CGR, on_80]) != line(every_port, [CGR])

    def test_where_no_rule_decides_and_a_deny_goes(self) -> None:
        deny = step("block", "deny", port=ports(25))
        assert line(place(deny, otherwise="allow"), rule="") != line(place(otherwise="allow"), rule="")

    def test_of_what_is_not_known_where_the_rule_goes_further(self) -> None:
        def unknown(**box: Any) -> str:
            (found,) = reach(place(step("allow", "list", address=symbol("pl-1"), **box)), []).unknown
            return found.id

        narrow, wide = unknown(port=P443, protocols=TCP), unknown(port=ports(443, 22), protocols=TCP)
        assert narrow != wide
        assert same_rule(narrow, wide)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"address": EVERY_ADDRESS.less(networks(["0.0.0.0/0"]))}, {}),
            ({"client": ClientTest(addresses=networks(["10.1.0.0/16", "fd00::/8"]))}, {}),
            ({"address": networks(["203.0.113.0/28"])}, {"address": networks(["203.0.113.0/24"])}),
        ],
        ids=["over the other family", "for the other clients", "at more addresses"],
    )
    def test_of_what_is_missing_where_more_of_it_is_closed(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        def missing(**box: Any) -> str:
            (found,) = reach(place(step("block", "deny", **box), allow("cgr.dev"), clients=EVERY_CLIENT), [CGR]).missing
            return found.id

        assert missing(**one) != missing(**other)

    def test_of_a_way_out_that_no_step_tells_of(self) -> None:
        def out(*flows: Flow) -> str:
            ways = tuple(WayOut("nat", "urn", "it leads on", flow) for flow in flows)
            (found,) = reach(place(ways_out=ways), []).beyond
            return found.id

        mail, web = (Flow("203.0.113.9", port, "tcp") for port in (25, 443))
        assert out(mail) != out(mail, web)


WIDE = step("allow", "wide", port=ports(443, 587), protocols=TCP)


@pytest.mark.parametrize(
    ("steps", "needs"),
    [
        ([allow("a.example"), WIDE], [CGR]),
        ([WIDE, allow("a.example")], [CGR]),
        ([allow("x.b.example", "named otherwise", "subtree"), allow("cgr.dev"), WIDE], [CGR]),
        ([step("allow", "everything", address=networks(["192.0.2.0/24"])), WIDE], [CGR]),
        ([WIDE], [CGR, QUAY]),
        ([WIDE], []),
        ([allow("cgr.dev"), step("block", "guard", wire=named("cgr.dev")), WIDE], [CGR]),
        ([step("block", "mail", port=ports(25)), WIDE], [CGR]),
        ([step("block", "datagrams", protocols=frozenset({17})), WIDE], [CGR]),
        ([step("block", "inside", address=networks(["10.0.0.0/8"])), WIDE], [CGR]),
        ([WIDE, step("block", "", port=ports(443))], [CGR]),
    ],
    ids=["another rule before it", "another rule behind it", "rules for names", "a rule that takes a part of it first",
         "an entry more", "an entry less", "the other ports of a host that a catalog has", "a deny on another port",
         "a deny of another protocol", "a deny of private ranges", "a deny behind it"],
)  # fmt: skip
def test_a_line_stays_the_same_while_other_things_change(steps: list[Step], needs: list[Need]) -> None:
    assert line(place(*steps), needs) == line(place(WIDE))


def test_a_line_stays_the_same_whatever_its_order_the_names_of_others_and_the_places_name() -> None:
    deny = step("block", "deny", port=ports(587), address=networks(["198.51.100.0/24"]))
    names = [allow(host, "wide") for host in ("a.example", "b.example", "c.example")]
    first = line(place(deny, *names, WIDE))
    assert line(place(WIDE, *reversed(names))) != first
    assert line(place(replace(deny, rule="renamed", owner="moved"), *reversed(names), WIDE)) == first
    assert line(replace(place(deny, *names, WIDE), name="known by now")) == first


def test_the_same_rule_has_one_line_wherever_it_is_met_and_two_where_it_opens_different_things() -> None:
    def found(here: Place) -> Reach:
        return reach(here, [])

    here, there = found(place(WIDE)), found(place(step("block", "more", address=networks(["192.0.2.0/24"])), WIDE))
    assert here.beyond[0].id == found(replace(place(WIDE), name="other")).beyond[0].id != there.beyond[0].id
    assert same_rule(here.beyond[0].id, there.beyond[0].id)


def test_a_pattern_that_matches_other_letters_is_another_line() -> None:
    one, other = (
        line(place(step("allow", "wide", wire=(NameTest("pattern", text),)))) for text in ("^evil[0-9]", "^evil[0-9a]")
    )
    assert one != other
