"""Comparison of two places: whatever differs is found, against flows tried one by one, and nothing else is told."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from flows.test_witnesses import MUTANTS, NAMES, flow_at, mutant, named, place, rule, small
from hostgate.flows import comparison
from hostgate.flows.address_sets import AddressSet, networks, symbol
from hostgate.flows.comparison import Change, changes_between, compare, compare_all
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.routes import Round, Way
from hostgate.flows.steps import Box, ClientTest, Group, Place, Stage, Step
from hostgate.flows.verdicts import ends

PAIRS, FLOWS = int(os.environ.get("HOSTGATE_ORACLE_STACKS", "150")) // 2, 25
MEMBERS = tuple(networks(each) for each in ([], ["203.0.113.0/24"], ["0.0.0.0/0", "::/0"]))
"""What the set `pl-1`, which nobody sees, may hold."""


def concrete(here: Place, members: AddressSet, *, doubted: bool) -> Place:
    """The place as it is where the set holds `members`, and what nobody can tell is so if `doubted`."""

    def of(steps: Group) -> Group:
        return tuple(known(step) for step in steps if doubted or not step.box.doubts)

    def known(step: Step) -> Step:
        address = step.box.address
        there = replace(address, symbols=frozenset(), without=frozenset())
        there = there | members if address.symbols else there.less(members) if address.without else there
        return replace(step, box=replace(step.box, address=there, doubts=()))

    def stage(each: Stage) -> Stage:
        return replace(each, steps=of(each.steps), unordered=tuple(map(of, each.unordered)), last=of(each.last))

    return replace(here, stages=tuple(map(stage, here.stages)))


def changed(random: Random, here: Place, other: Place) -> Place:
    """The place after a change of some of its rules, or with those of another."""
    at = random.randrange(len(here.stages))
    before = here.stages[at]
    steps = list(before.steps)
    what = random.choice(("dropped", "added", "turned", "swapped", "other"))
    if what == "other":
        return other
    if what == "added":
        more = [step for stage in other.stages for step in stage.steps if step.action != "next"]
        steps.insert(random.randint(0, len(steps)), replace((more or [rule("block")])[0], rule="new"))
    elif steps:
        index = random.randrange(len(steps))
        if what == "dropped":
            del steps[index]
        elif what == "turned":
            steps[index] = replace(steps[index], action="block" if steps[index].action == "allow" else "allow")
        else:
            steps = [*steps[index + 1 :], *steps[: index + 1]]
    stages = [*here.stages]
    stages[at] = replace(before, steps=tuple(steps))
    return replace(here, stages=tuple(stages))


def pairs(count: int) -> Iterator[tuple[Random, Place, Place]]:
    for seed in range(count):
        random = Random(seed)
        here, other = place(random), place(random)
        other = replace(other, clients=here.clients, answers=here.answers, own_names=here.own_names)
        yield random, here, changed(random, here, other)


def differences_that_are_missed(
    compared: Callable[[Place, Place], Sequence[Change]], count: int = PAIRS, flows: int = FLOWS
) -> Iterator[str]:
    for number, (random, before, after) in enumerate(pairs(count)):
        found = list(compared(before, after))
        names = [name for change in found for name in change.names]
        for _ in range(flows):
            name = random.choice((random.choice(names or ["x.example"]), random.choice(NAMES)))
            if any(name.lower() == zone or name.lower().endswith(f".{zone}") for zone in before.own_names):
                continue
            flow, client, _ = flow_at(random, before, name)
            for members in MEMBERS:
                for doubted in (False, True):
                    old, new = (
                        ends(concrete(each, members, doubted=doubted), flow, client)[0].action
                        for each in (before, after)
                    )
                    if "unknown" in (old, new) or old == new:
                        continue
                    told = [each for each in found if (each.opening if new == "allow" else each.closing)]
                    if not any(name in each.names for each in told) and (name in names or not told):
                        yield f"seed {number}: {flow} of {client} was {old} and is {new} where pl-1 is {members}"


def all_changes(before: Place, after: Place) -> list[Change]:
    return list(changes_between(before, after))


def test_whatever_flow_differs_a_change_is_told() -> None:
    assert next(differences_that_are_missed(all_changes), None) is None


def test_a_witness_is_what_it_says_before_and_after() -> None:
    told = 0
    for _, before, after in pairs(PAIRS):
        for change in changes_between(before, after):
            for flow, _ in change.seen:
                if flow.identity is not None or "account" in str(before.stages) + str(after.stages):
                    continue
                client = ClientTest(addresses=networks([str(flow.source)]), identities=frozenset({"tag:nobody"}))
                actions = tuple(ends(each, flow, client)[0].action for each in (before, after))
                assert actions == (change.before.action, change.after.action)
                told += 1
    assert told


def test_a_place_is_like_itself_whatever_its_rules_are_called() -> None:
    for _, before, _ in pairs(PAIRS):
        count = iter(range(1000))

        def renamed(steps: Group, count: Iterator[int] = count) -> Group:
            return tuple(replace(each, rule=f"other-{next(count)}", owner="urn:other") for each in steps)

        stages = tuple(replace(each, steps=renamed(each.steps)) for each in before.stages)
        assert list(changes_between(before, before)) == []
        assert list(changes_between(before, replace(before, stages=stages))) == []


def test_what_opens_one_way_closes_the_other_way() -> None:
    def sure(changes: Iterator[Change], kind: str) -> set[tuple[object, ...]]:
        """Kinds of flows, where it is known what becomes of them before and after."""
        return {
            (flow.name, flow.port, flow.protocol, flow.sni, "IPv6" if ":" in str(flow.address) else "IPv4")
            for each in changes for flow, _ in each.seen
            if each.kind == kind and "unknown" not in (each.before.action, each.after.action)
        }  # fmt: skip

    found = 0
    for _, before, after in pairs(PAIRS):
        opened = sure(changes_between(before, after), "opened")
        assert opened == sure(changes_between(after, before), "closed")
        found += len(opened)
    assert found


@pytest.mark.parametrize("what", ["one dimension at a time", "nobody has an identity"])
def test_who_looks_at_less_is_found_out(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "Diagram", mutant(*MUTANTS[what]).Diagram)
    assert next(differences_that_are_missed(all_changes), None) is not None


P443, P8443 = (Intervals.of([(port, port)]) for port in (443, 8443))
HALF, OTHER_HALF = networks(["203.0.113.0/25"]), networks(["203.0.113.128/25"])
WHOLE = networks(["203.0.113.0/24"])
LIST, OTHER_LIST = symbol("pl-1"), symbol("pl-2")
TCP = frozenset({6})
NEVER = rule("block", protocols=TCP, port=Intervals.of([]))

SAME: dict[str, tuple[Place, Place]] = {
    "a set that nobody sees, in a rule of another name": (
        small(rule("allow", address=LIST)), small(NEVER, rule("allow", address=LIST)),
    ),
    "a set that nobody sees, in two rules that were one": (
        small(rule("allow", address=LIST | OTHER_LIST)), small(rule("allow", address=OTHER_LIST), rule("allow", address=LIST)),
    ),
    "all but a set that nobody sees": (
        small(rule("allow", address=LIST.complement)), small(NEVER, rule("allow", address=LIST.complement)),
    ),
    "a range in two rules": (
        small(rule("allow", address=WHOLE)), small(rule("allow", address=HALF), rule("allow", address=OTHER_HALF)),
    ),
    "a doubt that stays": (
        small(rule("allow", doubts=("it is so",))), small(NEVER, rule("allow", doubts=("it is so",))),
    ),
    "rules in another order that have nothing in common": (
        small(rule("block", port=P443, protocols=TCP), rule("allow", port=P8443, protocols=TCP)),
        small(rule("allow", port=P8443, protocols=TCP), rule("block", port=P443, protocols=TCP)),
    ),
    "many sets that nobody sees, one rule each": (
        small(*(rule("allow", address=symbol(f"tag-{n}")) for n in range(30))),
        small(*(rule("allow", address=symbol(f"tag-{n}")) for n in reversed(range(30)))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_what_is_the_same_however_it_is_written_reports_nothing(what: str) -> None:
    before, after = SAME[what]
    assert all_changes(before, after) == []
    assert all_changes(after, before) == []


DIFFERENT: dict[str, tuple[Place, Place, str, tuple[bool, bool]]] = {
    "an allow for a set that nobody sees": (small(), small(rule("allow", address=LIST)), "unknown", (True, False)),
    "another set that nobody sees": (
        small(rule("allow", address=LIST)), small(rule("allow", address=OTHER_LIST)), "unknown", (True, True),
    ),
    "a set that nobody sees is blocked and was allowed, all else the other way": (
        small(rule("allow", address=LIST)), small(rule("allow", address=LIST.complement)), "unknown", (True, True),
    ),
    "one more set that nobody sees": (
        small(rule("allow", address=LIST)), small(rule("allow", address=LIST | OTHER_LIST)), "unknown", (True, False),
    ),
    "a doubt that is gone": (small(rule("allow", doubts=("it is so",))), small(rule("allow")), "opened", (True, False)),
    "a doubt that is gone with its rule": (small(rule("allow", doubts=("it is so",))), small(), "closed", (False, True)),
    "a doubt that is new": (small(rule("allow")), small(rule("allow", doubts=("it is so",))), "unknown", (False, True)),
    "a range beside a set that nobody sees": (
        small(rule("allow", address=LIST)), small(rule("allow", address=LIST | WHOLE)), "opened", (True, False),
    ),
    "a set that nobody sees beside a range": (
        small(rule("allow", address=WHOLE)), small(rule("allow", address=LIST | WHOLE)), "unknown", (True, False),
    ),
    "a block that goes, before an allow for more": (
        small(rule("block", port=P8443, address=HALF), rule("allow")), small(rule("allow")), "opened", (True, False),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_is_told_by_whether_it_is_known(what: str) -> None:
    before, after, kind, (opens, closes) = DIFFERENT[what]
    found = all_changes(before, after)
    assert {each.kind for each in found} == {kind}
    assert (any(each.opening for each in found), any(each.closing for each in found)) == (opens, closes)


def test_many_hosts_of_one_kind_are_one_change_with_each_rule() -> None:
    hosts = [replace(rule("allow", wire=named(exact=f"h{n}.example"), port=P443), rule=f"h{n}") for n in range(500)]
    end = Step(action="block", rule="", why="the default")
    before, after = (Place("x:y", "here", (Stage("s", tuple(each), end),)) for each in ((), hosts))
    (change,) = all_changes(before, after)
    assert (change.kind, len(change.names), len(change.opening)) == ("opened", 500, 500)
    assert {cause.hosts for cause in change.opening} == {(f"h{n}.example",) for n in range(500)}
    blocked = Place("x:y", "here", (Stage("s", (replace(rule("block"), rule="all"), *hosts), end),))
    (change,) = all_changes(after, blocked)
    assert (change.kind, len(change.closing), change.after.rule) == ("closed", 500, "all")


def test_over_the_budget_it_is_not_known_with_the_names_of_the_rules() -> None:
    rules = [
        rule("allow", port=Intervals.of([(n, n)]), client=ClientTest(identities=frozenset({f"tag:{n}"})))
        for n in range(9)
    ]
    found = list(changes_between(small(*rules), small(*rules[:-1]), most=20))
    (told,) = (each for each in found if "overlapping" in str(each.after.lacks))
    assert told.kind == "unknown"
    assert "r0" in told.after.lacks[0]
    assert told.opening
    assert told.closing


def test_a_pattern_of_which_no_example_is_found_is_not_known() -> None:
    seen = rule("allow", wire=named(pattern=r"(?=evil)[a-z]+"))
    found = all_changes(small(), small(seen))
    assert [(each.kind, "no example" in each.after.lacks[0]) for each in found] == [("unknown", True)]
    assert all_changes(small(seen), small(seen)) == []


def test_needs_that_are_asked_for_are_named_where_they_close() -> None:
    needs = [
        Need("a", Box(dialled=named(exact="a.example"), port=P443)),
        Need("b", Box(dialled=named(exact="b.example"), port=P443)),
    ]
    before, after = small(rule("allow")), small(rule("block", wire=named(exact="a.example")), rule("allow"))
    closed = [each for each in compare(before, after, needs).changes if each.closing]
    assert {due for each in closed for due in each.due} == {("a", "a.example")}
    other_port = small(rule("block", wire=named(exact="a.example"), port=P8443), rule("allow"))
    assert not {due for each in compare(before, other_port, needs).changes for due in each.due}


def place_named(name: str, *rules: Step, **more: Any) -> Place:
    return replace(small(*rules), name=name, **more)


class TestPlaces:
    def test_where_one_is_gone_everything_opens_that_it_blocked(self) -> None:
        (found,) = compare_all([place_named("vpc-1", rule("allow", port=P443))], [])
        assert {each.kind for each in found.changes} == {"opened"}
        assert "host.stranger.invalid" in found.changes[0].names

    def test_one_that_is_new_opens_nothing(self) -> None:
        (found,) = compare_all([], [place_named("vpc-1", rule("allow"))])
        assert (found.before, found.changes) == (None, ())

    def test_one_is_found_again_by_what_its_cloud_calls_it_whatever_the_order(self) -> None:
        one, two = place_named("vpc-1", rule("allow")), place_named("vpc-2")
        assert [each.changes for each in compare_all([one, two], [two, one])] == [(), ()]

    @pytest.mark.parametrize("kind", ["firewall", "policy"])
    def test_one_whose_id_is_not_known_yet_is_found_by_its_name(self, kind: str) -> None:
        before = place_named("arn:aws:x:1:firewall/hub", rule("allow"), kind=kind)
        (found,) = compare_all([before], [place_named("hub", rule("allow"), kind=kind)])
        assert found.changes == ()

    def test_a_policy_that_a_firewall_comes_to_use_is_that_firewalls(self) -> None:
        before = place_named("p", kind="policy", policy="p", remark="no firewall uses the policy")
        (found,) = compare_all([before], [place_named("fw", rule("allow"), kind="firewall", policy="p")])
        assert {each.kind for each in found.changes} == {"opened"}

    def test_a_policy_that_stays_is_not_the_firewall_that_goes(self) -> None:
        before = place_named("fw", kind="firewall", policy="p")
        after = place_named("p", kind="policy", policy="p", remark="no firewall uses the policy")
        new, gone = compare_all([before], [after])
        assert (new.before, gone.after) == (None, None)
        assert {each.kind for each in gone.changes} == {"opened"}

    def test_two_of_one_last_name_are_not_taken_for_each_other(self) -> None:
        before = [place_named(f"projects/{each}/networks/default") for each in "ab"]
        after = [place_named(f"projects/{each}/networks/default", rule("allow")) for each in "cd"]
        assert [each.before for each in compare_all(before, after)][:2] == [None, None]


def test_a_route_past_the_place_opens_and_closes_for_its_subnet() -> None:
    way = Way(addresses=networks(["0.0.0.0/0"]), end="internet", hop="internet gateway igw-1", route="r", owner="urn:r")
    past = replace(small(), round_it=(Round("subnet-app", "IPv4", way, networks(["10.0.1.0/24"])),))
    (opened,) = all_changes(small(), past)
    (closed,) = all_changes(past, small())
    assert (opened.kind, opened.opening[0].rule, opened.flow.source) == ("opened", "route r", "10.0.1.0")
    assert (closed.kind, closed.closing[0].owner) == ("closed", "urn:r")
    part = replace(past.round_it[0], way=replace(way, addresses=networks(["9.0.0.0/8"]), route="q"))
    assert all_changes(past, replace(past, round_it=(*past.round_it, part))) == []


def test_more_clients_that_a_place_is_meant_for_open_for_those() -> None:
    def meant(*ranges: str) -> Place:
        clients = ClientTest(addresses=networks(ranges))
        return replace(small(rule("allow", client=clients)), clients=clients)

    (change,) = all_changes(meant("10.0.0.0/8"), meant("10.0.0.0/8", "192.168.0.0/16"))
    assert (change.kind, change.flow.source) == ("opened", "192.168.0.7")
    assert isinstance(change.flow, Flow)


ALLOWED = replace(rule("allow", wire=named(exact="cgr.dev")), rule="images")


def by_tag(action: Any, tag: str) -> Step:
    return replace(rule(action, client=ClientTest(identities=frozenset({f"tag:{tag}"}))), rule=f"{action}-{tag}")


def test_a_client_with_an_identity_of_each_side_is_asked() -> None:
    deny, allow = by_tag("block", "b"), by_tag("allow", "a")
    both, one = small(deny, allow), small(allow)
    assert [each.kind for each in compare(both, one).changes] == ["opened"]
    assert [each.kind for each in compare(one, both).changes] == ["closed"]


def test_places_whose_names_are_known_are_no_pair_for_their_last_part() -> None:
    gone = replace(small(ALLOWED), name="projects/one/global/networks/default")
    new = replace(gone, name="projects/two/global/networks/default")
    assert [(each.before, each.after) for each in compare_all([gone], [new])] == [(None, new), (gone, None)]
    assert len(compare_all([replace(gone, name="default")], [new])) == 1


def past(*protocols: str) -> tuple[Round, ...]:
    way = Way(addresses=networks(["0.0.0.0/0"]), end="internet", hop="the gateway", route="r")
    return tuple(Round("clients", "IPv4", way, networks(["10.0.0.0/8"]), protocol=each) for each in protocols)


def test_a_way_past_a_place_stays_open_when_the_place_is_gone() -> None:
    gone = replace(small(ALLOWED), round_it=past("https"))
    assert not [each for each in compare(gone, None).changes if each.before.rule == "route r"]


def test_a_way_of_another_protocol_is_another_way() -> None:
    here = small(ALLOWED)
    more = compare(replace(here, round_it=past("quic")), replace(here, round_it=past("quic", "https")))
    assert [each.kind for each in more.changes] == ["opened"]


def led(*protocols: str) -> tuple[Round, ...]:
    way = Way(addresses=networks(["0.0.0.0/0"]), end="firewall", hop="fw", firewall="urn:fw")
    return tuple(Round("clients", "IPv4", way, networks(["10.0.0.0/8"]), protocol=each) for each in protocols)


def unseen(*protocols: str, hop: str = "a gateway") -> tuple[Round, ...]:
    way = Way(addresses=networks(["0.0.0.0/0"]), end="unknown", hop=hop, route="r", owner="urn:r")
    return tuple(Round("clients", "IPv4", way, networks(["10.0.0.0/8"]), protocol=each) for each in protocols)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (led("https"), unseen("https"), [("unknown", "block", "unknown")]),
        (led("https"), (*led("https"), *unseen("quic")), [("unknown", "block", "unknown")]),
        (unseen("https"), unseen("https"), []),
        (unseen("https"), unseen("https", hop="another"), [("unknown", "unknown", "unknown")]),
        (unseen("https"), led("https"), [("closed", "unknown", "block")]),
        ((), unseen("https"), [("unknown", "unknown", "unknown")]),
        (led("https"), (), []),
    ],
    ids=["not known", "of one protocol", "as before", "another hop", "led again", "new", "gone"],
)
def test_ways_of_which_nobody_knows_where_they_lead_are_compared(
    before: tuple[Round, ...], after: tuple[Round, ...], told: list[tuple[str, str, str]]
) -> None:
    changes = all_changes(replace(small(), other_ways=before), replace(small(), other_ways=after))
    assert [(each.kind, each.before.action, each.after.action) for each in changes] == told


def test_a_part_of_the_internet_that_is_not_known_any_more_is_told_by_what_became_of_it_before() -> None:
    part = replace(unseen("https")[0], way=replace(unseen("https")[0].way, addresses=networks(["8.0.0.0/7"])))
    half = replace(past("https")[0], way=replace(past("https")[0].way, addresses=networks(["9.0.0.0/8"])))
    before = replace(small(), round_it=(half,), other_ways=led("https"))
    changes = all_changes(before, replace(small(), other_ways=(*led("https"), part)))
    ranges = {each.before.action: each.opening[0].ranges.shown("IPv4") for each in changes}
    assert ranges == {"allow": "9.0.0.0/8", "block": "8.0.0.0/8"}
