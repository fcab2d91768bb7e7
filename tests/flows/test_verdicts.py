"""The evaluator: what decides a flow, what cannot be told, and that an answer never rests on what nobody saw."""

from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.flows.address_sets import networks, symbol
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.steps import ANY_MOMENT, Action, Box, ClientTest, Moment, Place, Stage, Step
from hostgate.flows.verdicts import decide, narrowed, nearest_steps

PORT_443 = Intervals.of([(443, 443)])


def step(action: Action, rule: str, moment: Moment | None = None, lasting: bool = True, **box: object) -> Step:
    """A step that can decide at `moment` and later; unless one is given, at any."""
    when = ANY_MOMENT if moment is None else frozenset(each for each in Moment if each >= moment)
    return Step(action=action, rule=rule, why=f"{action} by {rule}", box=Box(**box), moments=when, lasting=lasting)  # type: ignore[arg-type]


def moments(each: bool) -> tuple[Moment, ...]:
    return tuple(Moment) if each else (Moment.NAME_KNOWN,)


def place(*steps: Step, otherwise: Action = "block", by_moment: bool = False, **more: object) -> Place:
    stage = Stage("rules", steps, step(otherwise, ""), moments(by_moment))
    return Place("x:y", "here", (stage,), **more)  # type: ignore[arg-type]


def named(host: str, kind: str = "exact") -> tuple[NameTest, ...]:
    return (NameTest(kind, host),)  # type: ignore[arg-type]


DOUBT = ("the list of x holds it",)


def test_a_narrowed_place_keeps_what_another_address_port_or_client_would_meet_and_every_verdict() -> None:
    steps = [
        step("allow", "name", wire=named("cgr.dev")), step("block", "udp", protocols=frozenset({17})),
        step("block", "client", client=ClientTest(addresses=networks(["10.0.0.0/8"]))), step("block", "port", port=PORT_443),
        step("allow", "address", address=networks(["198.51.100.0/24"])), step("allow", "doubt", doubts=DOUBT),
    ]  # fmt: skip
    here = Place("x:y", "here", (Stage("rules", tuple(steps[:4]), step("block", ""), unordered=(tuple(steps[4:]),)),))
    flow = Flow("other.example", 443, "tls")
    less = narrowed(here, flow, "IPv4")
    assert [each.rule for each in less.stages[0].steps] == ["client", "port"]
    assert [each.rule for each in less.stages[0].unordered[0]] == ["address", "doubt"]
    for address, port, source in product(("198.51.100.1", "203.0.113.1"), (443, 80), ("10.1.2.3", "192.0.2.1")):
        asked = Flow("other.example", port, "tls", address=address, source=source)
        assert decide(less, asked) == decide(here, asked)


class TestOrder:
    def test_the_first_step_that_holds_decides(self) -> None:
        here = place(step("allow", "a", wire=named("cgr.dev")), step("block", "b"), step("allow", "c"))
        assert decide(here, Flow("cgr.dev")).rule == "a"
        assert decide(here, Flow("quay.io")).rule == "b"

    def test_without_a_step_the_stage_says_what_happens(self) -> None:
        assert decide(place(), Flow("cgr.dev")).action == "block"
        assert decide(place(otherwise="allow"), Flow("cgr.dev")).action == "allow"

    def test_next_goes_on_with_the_next_stage(self) -> None:
        first = Stage("one", (step("next", "n", port=PORT_443), step("block", "b")), step("block", ""))
        second = Stage("two", (step("allow", "a", wire=named("cgr.dev")),), step("block", ""))
        here = Place("x:y", "here", (first, second))
        assert decide(here, Flow("cgr.dev")).rule == "a"
        assert decide(here, Flow("cgr.dev", 80)).rule == "b"

    def test_a_step_that_can_decide_at_the_first_packet_comes_before_a_name_above_it(self) -> None:
        above = step("allow", "name", Moment.NAME_KNOWN, wire=named("cgr.dev"))
        below = step("block", "packet", protocols=frozenset({6}))
        assert decide(place(above, below, by_moment=True), Flow("cgr.dev")).rule == "packet"
        assert decide(place(above, below), Flow("cgr.dev")).rule == "name"

    def test_an_allow_for_a_packet_leaves_the_next_to_be_judged(self) -> None:
        first = step("allow", "packet", lasting=False, protocols=frozenset({6}))
        late = step("block", "name", Moment.NAME_KNOWN, wire=named("cgr.dev"))
        here = place(late, first, by_moment=True)
        assert decide(here, Flow("cgr.dev")).rule == "name"
        assert decide(here, Flow("quay.io")).rule == "packet"  # each of its packets passes by itself


class TestConditions:
    @pytest.mark.parametrize(
        ("box", "flow", "holds"),
        [
            ({"wire": named("cgr.dev")}, Flow("cgr.dev"), True),
            ({"wire": named("cgr.dev")}, Flow("CGR.dev"), True),
            ({"wire": named("cgr.dev")}, Flow("cgr.dev", sni=None), False),
            ({"wire": named("cgr.dev"), "nameless": True}, Flow("cgr.dev", sni=None), True),
            ({"wire": ()}, Flow("cgr.dev"), True),
            ({"wire": ()}, Flow("cgr.dev", sni=None), False),
            ({"wire": named("x.dev", "subtree")}, Flow("a.b.x.dev"), True),
            ({"wire": named("x.dev", "subtree")}, Flow("x.dev"), False),
            ({"wire": named(".dev", "ending")}, Flow("x.dev"), True),
            ({"wire": (NameTest("exact", "x.dev", negated=True),)}, Flow("y.dev"), True),
            ({"wire": (NameTest("pattern", "^x"), NameTest("ending", "y"))}, Flow("xy"), True),
            ({"wire": (NameTest("pattern", "^x"), NameTest("ending", "y"))}, Flow("xz"), False),
            ({"wire": (NameTest("exact", "X.dev", case=True),)}, Flow("x.dev"), False),
            ({"dialled": named("x.dev")}, Flow("x.dev", sni="y.dev"), True),
            ({"dialled": named("x.dev")}, Flow("y.dev", sni="x.dev"), False),
            ({"applications": frozenset({"tls"})}, Flow("x.dev", protocol="http"), False),
            ({"but": frozenset({"tls"})}, Flow("x.dev"), False),
            ({"protocols": frozenset({17})}, Flow("x.dev", protocol="quic"), True),
            ({"port": PORT_443}, Flow("x.dev", 80), False),
            ({"address": networks(["0.0.0.0/0", "::/0"])}, Flow("x.dev"), True),
            ({"address": networks(["10.0.0.0/8"])}, Flow("x.dev"), False),
            ({"address": networks(["10.0.0.0/8"])}, Flow("x.dev", address="10.1.1.1"), True),
            ({"client": ClientTest(addresses=networks(["10.0.0.0/8"]))}, Flow("x.dev", source="10.0.0.1"), True),
            ({"client": ClientTest(addresses=networks(["10.0.0.0/8"]))}, Flow("x.dev", source="11.0.0.1"), False),
            ({"client": ClientTest(identities=frozenset({"account:a"}))}, Flow("x.dev", source="account:a"), True),
            ({"client": ClientTest(identities=frozenset({"account:a"}))}, Flow("x.dev", source="account:b"), False),
        ],
    )
    def test_every_condition_of_a_box_has_to_hold(self, box: dict[str, object], flow: Flow, holds: bool) -> None:
        assert decide(place(step("allow", "a", **box)), flow).action == ("allow" if holds else "block")

    def test_names_that_share_an_address_are_dialled_alike(self) -> None:
        here = place(step("allow", "a", dialled=named("cgr.dev")))
        assert decide(here, Flow("evil.example")).action == "block"
        assert decide(here, Flow("evil.example"), sharing=frozenset({"cgr.dev"})).action == "allow"


class TestUnknown:
    def test_a_doubt_that_changes_the_end_makes_it_unknown_and_is_named(self) -> None:
        verdict = decide(place(step("allow", "a", doubts=DOUBT)), Flow("x.dev"))
        assert verdict.action == "unknown"
        assert verdict.lacks == ("the list of x holds it",)
        assert "allow by a if the list of x holds it; else block" in verdict.why

    def test_a_doubt_that_changes_nothing_leaves_the_verdict(self) -> None:
        assert decide(place(step("block", "b", doubts=DOUBT)), Flow("x.dev")).action == "block"
        here = place(step("allow", "a", wire=named("x.dev")), step("allow", "b", doubts=DOUBT))
        assert decide(here, Flow("x.dev")).action == "allow"

    def test_a_set_that_nobody_sees_is_named(self) -> None:
        verdict = decide(place(step("allow", "a", address=symbol("pl-123"))), Flow("x.dev"))
        assert (verdict.action, verdict.lacks) == ("unknown", ("its address is in pl-123",))

    def test_families_that_end_differently_are_both_told(self) -> None:
        verdict = decide(place(step("block", "v4", address=networks(["0.0.0.0/0"])), otherwise="allow"), Flow("x.dev"))
        assert verdict.action == "unknown"
        assert "over IPv4 block" in verdict.why.lower().replace("ipv4", "IPv4")

    def test_a_client_of_one_family_asks_for_that_family_only(self) -> None:
        here = place(step("block", "v4", address=networks(["0.0.0.0/0"])), otherwise="allow")
        assert decide(here, Flow("x.dev", source="10.0.0.1")).action == "block"
        assert decide(here, Flow("x.dev", source="2001:db8::1")).action == "allow"

    def test_an_address_does_not_tell_the_service_account(self) -> None:
        here = place(step("allow", "a", client=ClientTest(identities=frozenset({"account:a"}))))
        assert decide(here, Flow("x.dev", source="10.0.0.1")).action == "unknown"

    def test_a_doubtful_next_is_followed_both_ways(self) -> None:
        first = Stage("one", (step("next", "n", doubts=DOUBT),), step("block", "end"))
        allows = Place("x:y", "here", (first, Stage("two", (), step("allow", ""))))
        blocks = Place("x:y", "here", (first, Stage("two", (), step("block", ""))))
        assert decide(allows, Flow("x.dev")).action == "unknown"
        assert decide(blocks, Flow("x.dev")).action == "block"


ANSWERS = (True, False, None)


@given(st.lists(st.tuples(st.sampled_from(ANSWERS), st.sampled_from(["allow", "block"])), max_size=5))
def test_a_definite_verdict_holds_however_the_doubts_turn_out(rules: list[tuple[bool | None, Action]]) -> None:
    def steps(answers: tuple[bool, ...] | None) -> list[Step]:
        settled = iter(answers or ())
        made = []
        for index, (answer, action) in enumerate(rules):
            if answer is None and answers is not None:
                answer = next(settled)
            if answer is False:
                made.append(step(action, str(index), wire=named("never.example")))
            else:
                made.append(step(action, str(index), doubts=() if answer else DOUBT))
        return made

    doubtful = sum(answer is None for answer, _ in rules)
    ends = {decide(place(*steps(way)), Flow("x.dev")).action for way in product((True, False), repeat=doubtful)}
    verdict = decide(place(*steps(None)), Flow("x.dev"))
    assert verdict.action == (ends.pop() if len(ends) == 1 else "unknown")


rules_of_groups = st.lists(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["allow", "block"]), st.sampled_from(Moment)), max_size=3),
    min_size=1,
    max_size=3,
)


@given(
    rules_of_groups,
    st.booleans(),
    st.sampled_from(["allow", "block"]),
    st.tuples(st.sampled_from(["allow", "block"]), st.sampled_from(Moment)),
)
def test_an_order_that_nobody_knows_is_decided_only_where_every_order_agrees(
    groups: list[list[tuple[bool, Action, Moment]]], by_moment: bool, otherwise: Action, last: tuple[Action, Moment]
) -> None:
    made = [
        tuple(
            step(action, f"{g}.{i}", moment, wire=named("x.dev" if holds else "never.example"))
            for i, (holds, action, moment) in enumerate(group)
        )
        for g, group in enumerate(groups)
    ]

    def stage(steps: tuple[Step, ...], unordered: tuple[tuple[Step, ...], ...] = ()) -> Place:
        found = Stage(
            "rules", steps, step(otherwise, ""), moments(by_moment), unordered, (step(last[0], "last", last[1]),)
        )
        return Place("x:y", "here", (found,))

    ends = {decide(stage(sum(order, ())), Flow("x.dev")).action for order in permutations(made)}
    verdict = decide(stage((), tuple(made)), Flow("x.dev"))
    if verdict.action != "unknown":
        assert ends == {verdict.action}
    elif len(ends) == 1:  # groups that disagree with each other may still agree in every order; unknown is an answer
        assert len({step.action for group in made for step in group}) > 1


names = st.sampled_from(["x.dev", "a.x.dev", "b.a.x.dev", "dev", "notx.dev", "y.example"])
tests = st.builds(
    NameTest, st.sampled_from(["exact", "one-label", "subtree", "subtree+apex", "ending", "containing", "starting"]),
    names, st.booleans(), st.booleans(),
)  # fmt: skip


@given(
    st.lists(st.tuples(st.lists(tests, min_size=1, max_size=2), st.sampled_from(["allow", "block"])), max_size=8), names
)
def test_finding_steps_by_name_finds_what_a_scan_finds(rules: list[tuple[list[NameTest], Action]], name: str) -> None:
    steps = [step(action, str(index), wire=tuple(found)) for index, (found, action) in enumerate(rules)]
    scanned = next((each for each in steps if all(test.holds(name) for test in each.box.wire or ())), None)
    verdict = decide(place(*steps), Flow(name))
    assert verdict.rule == (scanned.rule if scanned else None)


class TestNearest:
    """Of the rules that let something pass, what would have to be for a flow that is blocked."""

    WEB = step(
        "allow", "web", wire=named("x.dev"), port=PORT_443, applications=frozenset({"tls"}),
        client=ClientTest(addresses=networks(["10.0.0.0/8"])),
    )  # fmt: skip
    SSH = step("allow", "ssh", address=networks(["10.9.0.0/24"]), protocols=frozenset({6}))

    @pytest.mark.parametrize(
        ("flow", "rule", "lacking"),
        [
            (Flow("x.dev", 8443), "web", ["port: 443 is meant, not 8443"]),
            (Flow("x.dev", protocol="http"), "web", ["protocol: tls is meant, not http"]),
            (Flow("a.x.dev"), "web", ["name: x.dev is meant, not a.x.dev"]),
            (Flow("x.dev", sni=None), "web", ["no server name was sent, only an address"]),
            (Flow("x.dev", source="11.0.0.1"), "web", ["source: one in 10.0.0.0/8 is meant, not 11.0.0.1"]),
            (Flow("x.dev", source="fd00::1"), "web", ["family: the rule is not for IPv6"]),
            (Flow("x.dev", 80, "http"), "web", ["protocol: tls is meant, not http", "port: 443 is meant, not 80"]),
            (Flow("10.9.0.9", 22, "udp"), "ssh", ["protocol: tcp is meant, not udp"]),
        ],
    )
    def test_the_nearest_rule_says_what_does_not_match(self, flow: Flow, rule: str, lacking: list[str]) -> None:
        (near,) = nearest_steps(place(self.WEB, self.SSH), flow)
        assert (near.step.rule, list(near.lacking)) == (rule, lacking)

    def test_what_has_nothing_in_common_is_not_near(self) -> None:
        assert nearest_steps(place(self.WEB, self.SSH), Flow("evil.example")) == ()

    def test_a_rule_behind_one_that_blocks_lacks_nothing_but_its_place(self) -> None:
        here = place(step("block", "first"), step("allow", "a", wire=named("x.dev")))
        (near,) = nearest_steps(here, Flow("x.dev"))
        assert near.lacking == ("order: what blocks it comes first",)

    def test_those_that_lack_least_come_first(self) -> None:
        far = step("allow", "far", wire=named("x.dev"), port=PORT_443, protocols=frozenset({17}))
        found = nearest_steps(place(far, self.WEB), Flow("x.dev", 8443))
        assert [near.step.rule for near in found] == ["web", "far"]


def test_an_unknown_verdict_says_what_to_look_at_even_where_the_family_decides() -> None:
    here = place(step("block", "v4", address=networks(["0.0.0.0/0"])), otherwise="allow")
    assert decide(here, Flow("x.dev")).lacks == ("the address family",)


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_a_port_that_no_packet_can_have_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=f"port: found {port}. Allowed: 0 to 65535"):
        Flow("x.dev", port)


ALL_OF_A, PART_OF_A = (ClientTest(addresses=networks([each])) for each in ("10.1.0.0/16", "10.1.5.0/24"))
ONE, OTHER, BOTH = (
    ClientTest(identities=frozenset(f"tag:{each}" for each in names)) for names in (("1",), ("2",), ("1", "2"))
)


class TestAClientThatIsNotNamed:
    """It is one that an allow rule is for, and that gets through to it."""

    @pytest.mark.parametrize(
        ("denied", "allowed", "ends"),
        [
            ([ALL_OF_A], [ALL_OF_A], ("block", "deny 0")),
            ([PART_OF_A], [ALL_OF_A], ("allow", "allow 0")),
            ([ALL_OF_A], [PART_OF_A], ("block", "deny 0")),
            ([ClientTest(addresses=networks(["10.2.0.0/16"]))], [ALL_OF_A], ("allow", "allow 0")),
            ([ALL_OF_A], [ALL_OF_A, ClientTest(addresses=networks(["10.2.0.0/16"]))], ("allow", "allow 1")),
            ([ALL_OF_A], [ClientTest(addresses=networks(["10.1.0.0/16", "10.3.0.0/16"]))], ("allow", "allow 0")),
            ([ALL_OF_A], [ALL_OF_A, ClientTest()], ("allow", "allow 1")),
            ([ONE], [BOTH], ("allow", "allow 0")),
            ([ONE, OTHER], [BOTH], ("block", "deny 0")),
            ([OTHER], [ONE], ("allow", "allow 0")),
            (
                [ClientTest(addresses=symbol("group a"))],
                [ClientTest(addresses=symbol("group a"))],
                ("unknown", "deny 0"),
            ),
            ([ClientTest(addresses=networks(["fd00::/8"]))], [ALL_OF_A], ("allow", "allow 0")),
        ],
        ids=[
            "all",
            "a part",
            "more",
            "others",
            "one of two rules",
            "one of two ranges",
            "everybody else",
            "one of two tags",
            "both tags",
            "another tag",
            "a set that nobody sees",
            "another family",
        ],
    )
    def test_what_is_denied_to_all_that_a_rule_is_for_it_lets_pass_for_nobody(
        self, denied: list[ClientTest], allowed: list[ClientTest], ends: tuple[str, str]
    ) -> None:
        denies = [step("block", f"deny {index}", client=each) for index, each in enumerate(denied)]
        allows = [step("allow", f"allow {index}", client=each) for index, each in enumerate(allowed)]
        flow = Flow("cgr.dev", address="192.0.2.1")
        verdict = decide(place(*denies, *allows), flow)
        assert (verdict.action, verdict.rule) == ends
        assert decide(place(*allows, *denies), flow).rule == "allow 0"

    def test_what_no_rule_decides_passes_for_none_that_is_denied_it(self) -> None:
        ours, theirs = ALL_OF_A, ClientTest(addresses=networks(["10.2.0.0/16"]))
        allow = step("allow", "ours", client=ours, address=networks(["203.0.113.7"]))
        evil = Flow("evil.example", address="192.0.2.1")
        for denied, ends in ((ours, "block"), (PART_OF_A, "unknown"), (theirs, "allow"), (ClientTest(), "block")):
            here = place(allow, step("block", "deny", client=denied), otherwise="allow")
            assert decide(here, evil).action == ends
        beside = step("allow", "theirs", client=theirs, address=networks(["203.0.113.8"]))
        here = place(allow, beside, step("block", "deny", client=ours), otherwise="allow")
        assert decide(here, evil).allows  # a client that theirs is for
        metadata = step("allow", "metadata", address=networks(["169.254.169.254"]))
        assert (
            decide(place(metadata, allow, step("block", "deny", client=ours), otherwise="allow"), evil).rule == "deny"
        )

    def test_where_no_rule_allows_anything_everybody_may_be_meant(self) -> None:
        here = place(step("block", "deny", client=ALL_OF_A), otherwise="allow")
        assert decide(here, Flow("evil.example", address="192.0.2.1")).allows

    @pytest.mark.parametrize(
        ("meant", "denied", "ends"),
        [
            ([ALL_OF_A], [ALL_OF_A], ("block", "deny 0")),
            ([ALL_OF_A], [PART_OF_A], ("allow", None)),
            ([ALL_OF_A], [ClientTest(addresses=networks(["10.0.0.0/8"]))], ("block", "deny 0")),
            (
                [ALL_OF_A],
                [ClientTest(addresses=networks([each])) for each in ("10.1.0.0/17", "10.1.128.0/17")],
                ("block", "deny 0"),
            ),
            ([ALL_OF_A, ClientTest(addresses=networks(["10.3.0.0/16"]))], [ALL_OF_A], ("allow", None)),
            ([ONE], [ONE], ("block", "deny 0")),
            ([ONE], [OTHER], ("allow", None)),
            ([BOTH], [ONE], ("allow", None)),
            ([ONE], [ALL_OF_A], ("allow", None)),
            ([ClientTest(addresses=networks(["fd00::/8"])), ALL_OF_A], [ALL_OF_A], ("block", "deny 0")),
        ],
        ids=[
            "all",
            "a part",
            "more",
            "halves",
            "one of two ranges",
            "a tag",
            "another tag",
            "one of two tags",
            "a tag, a range denied",
            "over the other family there are others",
        ],
    )
    @pytest.mark.parametrize("beside", ["10.2.0.0/16", "10.0.0.0/8", "0.0.0.0/0"])
    @pytest.mark.parametrize("about", ["203.0.113.8/32", "203.0.113.0/24"])
    def test_where_it_is_told_who_is_meant_a_rule_that_allows_others_something_else_decides_nothing(
        self, meant: list[ClientTest], denied: list[ClientTest], ends: tuple[str, str | None], beside: str, about: str
    ) -> None:
        theirs = step("allow", "theirs", client=ClientTest(addresses=networks([beside])), address=networks([about]))
        ours = [
            step("allow", f"ours {index}", client=each, port=PORT_443, address=networks(["203.0.113.7"]))
            for index, each in enumerate(meant)
        ]
        denies = [step("block", f"deny {index}", client=each) for index, each in enumerate(denied)]
        here = place(theirs, *ours, *denies, otherwise="allow", meant=tuple(meant))
        verdict = decide(here, Flow("evil.example", address="192.0.2.1"))
        assert (verdict.action, verdict.rule) == ends

    @pytest.mark.parametrize(
        ("client", "action"), [("10.2.0.0/16", "block"), ("10.1.5.0/24", "allow"), ("10.0.0.0/8", "allow")]
    )
    def test_what_a_rule_allows_to_somebody_else_is_not_allowed_to_those_that_are_meant(
        self, client: str, action: str
    ) -> None:
        theirs = step("allow", "theirs", client=ClientTest(addresses=networks([client])))
        here = place(theirs, step("block", "deny", client=ALL_OF_A), otherwise="allow", meant=(ALL_OF_A,))
        assert decide(here, Flow("evil.example", address="192.0.2.1")).action == action

    @pytest.mark.parametrize("told", [True, False])
    @pytest.mark.parametrize("ranges", [["10.1.0.0/16"], ["fd00::/64"], ["10.1.0.0/16", "fd00::/64"]])
    def test_the_families_that_are_asked_are_those_that_it_may_have(self, ranges: list[str], told: bool) -> None:
        client = ClientTest(addresses=networks(ranges))
        steps = [step("block", "deny", client=client), step("allow", "ours", client=client, wire=named("x.dev"))]
        here = place(*steps, otherwise="allow", meant=(client,) if told else ())
        verdict = decide(here, Flow("x.dev"))
        assert (verdict.action, verdict.rule) == ("block", "deny")


def test_who_has_passed_a_rule_for_some_clients_is_none_of_those_to_another_rule() -> None:
    those = ClientTest(identities=frozenset({"account:builds@acme"}))
    here = Box(address=networks(["203.0.113.7/32"]), client=those)
    rules = (
        Step(action="allow", rule="allow", why="the rule allow allows it", box=here),
        Step(action="block", rule="deny", why="the rule deny denies it", box=Box(client=those)),
    )
    end = Step(action="allow", rule="", why="nothing denies it")
    place = Place("gcp:fqdn", "vpc", (Stage("policy", rules, end),))
    flow = Flow("a.example", address="203.0.113.7", source="10.0.0.7")
    assert decide(place, flow).allows
    elsewhere = decide(place, replace(flow, address="203.0.113.8"))
    assert (elsewhere.action, elsewhere.lacks) == ("unknown", ("the client is account:builds@acme",))
    turned = replace(place, stages=(Stage("policy", rules[::-1], end),))
    assert decide(turned, flow).action == "unknown"
