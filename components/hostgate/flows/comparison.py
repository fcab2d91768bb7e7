"""Comparison of two places: what opens from one to the other, what closes, and what is no longer known, with witnesses.

The steps of both are cut together, so that each kind of flow that either tells apart is asked once and of both. Where
neither can tell, both are asked again with each set that nobody sees, and each doubt, taken to hold and not to hold: the
same set on both sides is the same, and what did not change reports nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, AddressSet, union
from hostgate.flows.crossed_names import CrossedNames
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.name_atoms import STRANGER
from hostgate.flows.name_classes import NameClass, Need, Space
from hostgate.flows.reach import from_whom
from hostgate.flows.route_changes import Kind, route_changes
from hostgate.flows.steps import ClientTest, Group, Place, Stage, Step, by_itself, keeping
from hostgate.flows.verdicts import Assumed, ends
from hostgate.flows.witnesses import MOST_ENDS, Cell, Diagram

MOST_WAYS: Final = 64
"""Ways in which what nobody sees may be, of one kind of flows, that are looked at before they count as different."""


class Cause(NamedTuple):
    """What decides flows: a rule as far as it is for `hosts`, over `ranges`. No rule: the default."""

    owner: str
    rule: str
    hosts: tuple[str, ...]
    ranges: AddressSet


@dataclass(frozen=True, slots=True)
class Change:
    """Flows whose verdict changes in one way and by the same rules. `seen` are flows of each kind, with the names for which
    they stand; the first is the one to show."""

    kind: Kind
    before: Verdict
    after: Verdict
    seen: tuple[tuple[Flow, tuple[str, ...]], ...]
    opening: tuple[Cause, ...] = ()
    """By what more passes than before, or may; none where nothing does."""
    closing: tuple[Cause, ...] = ()
    """By what those passed, or may have, of which less passes now, or may."""
    due: tuple[tuple[str, str], ...] = ()
    """Of the needs that were asked for, the entries that need such flows, each with the name for which it does."""
    beside: bool = True
    """Whether some of those flows are none of those that may be open by the needs that were asked for."""

    @property
    def flow(self) -> Flow:
        return self.seen[0][0]

    @property
    def flows(self) -> tuple[Flow, ...]:
        """One for each protocol, port and address family."""
        found: dict[tuple[str, int, int | None], Flow] = {}
        for flow, _ in self.seen:
            found.setdefault((flow.protocol, flow.port, flow.family), flow)
        return tuple(found.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, names in self.seen for name in names))


@dataclass(frozen=True, slots=True)
class PlaceComparison:
    """What changes at a place. One that is new judges what nothing judged before, so that it opens nothing; where one is
    gone, nothing judges any more. A policy that others own stands all the same, with the rules or without."""

    before: Place | None
    after: Place | None
    changes: tuple[Change, ...]

    @property
    def place(self) -> Place:
        found = self.after or self.before
        assert found is not None
        return found

    def of(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind == kind)


def compare(before: Place | None, after: Place | None, needs: Sequence[Need] = ()) -> PlaceComparison:
    """What changes at the place that was `before` and is `after`. Changes say which of `needs` they are about."""
    old = _without_rules(after) if before is None and after is not None and after.elsewhere else before
    if old is None:
        return PlaceComparison(before, after, ())
    new = after or (_without_rules(old) if old.elsewhere else _nothing(old))
    return PlaceComparison(before, after, tuple(changes_between(old, new, needs)))


def compare_all(
    before: Sequence[Place], after: Sequence[Place], needs: Callable[[Place], Sequence[Need]] = lambda _: ()
) -> tuple[PlaceComparison, ...]:
    """Every place of either side, in the order of `after`; then those that are gone. A policy that nothing used and something
    uses now is not gone. A place is compared by itself: what others allow to some of its clients is theirs. `needs` are those
    at a place."""
    sides = (map(by_itself, each) for each in (before, after))
    pairs = _pairs(*map(tuple, sides))
    return tuple(compare(old, new, needs(here)) for old, new in pairs if (here := new or old))


def _pairs(before: Sequence[Place], after: Sequence[Place]) -> Iterator[tuple[Place | None, Place | None]]:
    """Places that are the same by what their cloud calls them, those with the same policy first; then by the last part of
    that, as where an id is not known yet; then a policy that nothing used, and what uses it now."""
    left, old_of = list(before), dict[int, Place]()

    def pair(number: int, candidates: Sequence[Place]) -> None:
        if candidates and number not in old_of:
            old_of[number] = candidates[0]
            left[:] = [each for each in left if each is not candidates[0]]

    for number, here in enumerate(after):
        same = (here.target, here.kind, here.name, here.policy)
        pair(number, [each for each in left if (each.target, each.kind, each.name, each.policy) == same])
    for number, here in enumerate(after):
        named = (here.target, here.kind, here.name)
        pair(number, [each for each in left if (each.target, each.kind, each.name) == named])
    for number, here in enumerate(after):
        rivals = [each for at, each in enumerate(after) if at not in old_of and _last_part(each) == _last_part(here)]
        alike = (each for each in left if _last_part(each) == _last_part(here))
        named_alike = [
            each for each in alike if "/" not in each.name or "/" not in here.name
        ]  # two that are known differ
        pair(number, named_alike if len(named_alike) == len(rivals) == 1 else ())
    for number, here in enumerate(after):
        used = (here.target, here.policy)
        pair(number, [each for each in left if each.remark and (each.target, each.policy) == used])
    yield from ((old_of.get(number), here) for number, here in enumerate(after))
    yield from ((old, None) for old in left if not any(_uses(here, old) for here in after))


def _uses(place: Place, policy: Place) -> bool:
    """Whether what stood as a `policy` that nothing used judges at `place`."""
    named = place.policy == policy.policy or bool(place.judging & policy.judging)
    return bool(policy.remark) and not place.remark and place.target == policy.target and named


def _last_part(place: Place) -> tuple[str, str, str]:
    return place.target, place.kind, place.name.rpartition("/")[2]


def _nothing(place: Place) -> Place:
    """Where nothing judges any more, for the clients of `place`."""
    end = Step(action="allow", rule="", why="nothing judges there any more")
    return replace(place, stages=(Stage("nothing", (), end),))


def _without_rules(place: Place) -> Place:
    """A policy that others own, without what the stack has in it. Ways that lead past it do so all the same."""
    return keeping(place, lambda step: not step.owner)


def changes_between(before: Place, after: Place, needs: Sequence[Need] = (), most: int = MOST_ENDS) -> Iterator[Change]:
    """Every change from `before` to `after`, those by the same rules together."""
    yield from _of_routes(before, after)
    if _shape(before) == _shape(after):
        return
    space = Space((before, after), needs)
    found: dict[tuple[object, ...], list[_Difference]] = {}
    overlapping: dict[str, None] = {}
    crossed = CrossedNames(space)
    for diagram in map(Diagram, (of for several in (space, crossed) for of in several.classes())):
        for cell in diagram.cells(most):
            most -= 1
            difference = _difference(diagram, cell)
            if difference is not None:
                found.setdefault(difference.key, []).append(difference)
        if diagram.cut_short:
            overlapping |= dict.fromkeys(part.step.rule for part in diagram.of.parts if part.step and part.step.rule)
    yield from map(_together, found.values())
    if overlapping:
        yield _not_looked_at(f"too many overlapping rules: {', '.join(overlapping)}", next(iter(overlapping)))
    if crossed.cut_short:
        yield _not_looked_at("names in packets that are not the dialled ones: there are too many pairs of them", "")
    for rule, text in dict.fromkeys((step.rule, text) for step, text in space.unread()):
        yield _not_looked_at(f"{rule} is for {text}, of which no example was found", rule)


def _of_routes(before: Place, after: Place) -> Iterator[Change]:
    """What becomes otherwise because routes do, by the rules that they are told by."""
    for each in route_changes(before, after):
        opening = tuple(Cause(owner, rule, (), ranges) for owner, rule, ranges in each.opening)
        closing = tuple(Cause(owner, rule, (), ranges) for owner, rule, ranges in each.closing)
        seen = tuple((flow, (STRANGER,)) for flow in each.flows)
        yield Change(each.kind, each.before, each.after, seen, opening, closing)


def _together(those: Sequence["_Difference"]) -> Change:
    """Changes of one key as one; of each kind of flows the first is kept."""
    first = those[0]
    seen: dict[tuple[object, ...], tuple[Flow, tuple[str, ...]]] = {}
    for each in those:
        flow, names = each.flow, each.of.names
        silent, crossed = flow.wire_name is None, each.of.crossed is not None
        seen.setdefault((names, flow.protocol, flow.port, flow.family, silent, crossed), (flow, names))
    return Change(
        first.kind, first.before, first.after, tuple(seen.values()),
        tuple(dict.fromkeys(cause for each in those if each.may_open for cause in each.causes(1))),
        tuple(dict.fromkeys(cause for each in those if each.may_close for cause in each.causes(0))),
        tuple(dict.fromkeys(due for each in those for due in each.due)), any(each.beside for each in those),
    )  # fmt: skip


def _not_looked_at(lacks: str, rule: str) -> Change:
    unknown = Verdict("unknown", rule, "what becomes of such flows was not looked at", (lacks,))
    causes = (Cause("", rule, (), EVERY_ADDRESS),)
    return Change("unknown", unknown, unknown, ((Flow(STRANGER), ()),), causes, causes)


@dataclass(frozen=True, slots=True)
class _Difference:
    """One kind of flows that ends otherwise than before. `steps` are those by which it may end, before and after."""

    kind: Kind
    of: NameClass
    flow: Flow
    before: Verdict
    after: Verdict
    steps: tuple[frozenset[int], frozenset[int]]
    may_open: bool
    may_close: bool
    due: tuple[tuple[str, str], ...]
    beside: bool

    @property
    def key(self) -> tuple[object, ...]:
        decided = [(self._decides(side), verdict) for side, verdict in enumerate((self.before, self.after))]
        rules = tuple((step.owner, step.rule) if step else ("", verdict.rule) for step, verdict in decided)
        return self.kind, self.before.action, self.before.lacks, self.after.action, self.after.lacks, rules

    def _decides(self, side: int) -> Step | None:
        """The step that decides before or after, for the first name."""
        verdict, space = (self.before, self.after)[side], self.of.space
        steps = [
            part.step for part in self.of.parts
            if part.step is not None and id(part.step) in self.steps[side] and space.place_of_group[part.group] == side
        ]  # fmt: skip
        return next((step for step in reversed(steps) if step.rule == verdict.rule), None)

    def causes(self, side: int) -> Iterator[Cause]:
        """What decides before or after, for each of the names: what passes now, at the addresses at which it was denied."""
        blocked = self._decides(0) if side and self.before.action == "block" else None
        for cause in self._causes(side):
            yield cause if blocked is None else cause._replace(ranges=_within(cause.ranges, blocked.box.address))

    def _causes(self, side: int) -> Iterator[Cause]:
        step, space = self._decides(side), self.of.space
        columns = zip(self.of.alike[0], self.of.groups, strict=True)
        mine = (at for at, (each, group) in enumerate(columns) if each is step and space.place_of_group[group] == side)
        column = next(mine, None)
        if column is None:
            yield _cause(step)
        else:
            yield from (_cause(alike[column]) for alike in self.of.alike)


def _within(ranges: AddressSet, others: AddressSet) -> AddressSet:
    """The ranges as far as they are in others. Of these nothing is left out that nobody here can tell."""
    if others.opaque:
        return ranges
    return replace(ranges, v4=ranges.v4 & others.v4, v6=ranges.v6 & others.v6)


def _cause(step: Step | None) -> Cause:
    if step is None:
        return Cause("", "", (), EVERY_ADDRESS)
    box = step.box
    tests = (test for names in (box.wire, box.dialled, box.asked) for test in names or ())
    hosts = tuple(dict.fromkeys(test.text.lower().strip(".") for test in tests if not test.negated))
    return Cause(step.owner, step.rule, hosts, box.address)


def _difference(diagram: Diagram, cell: Cell) -> _Difference | None:
    """What is otherwise for the cell: of a datagram whether it leaves, and whether it is answered; first what its need asks."""
    if not any(place.may_be_unanswered(cell.flow) for place in diagram.of.space.places):
        return _difference_in(diagram, cell, answered=False)
    needed = bool(diagram.due(cell))
    first, other = (_difference_in(diagram, cell, answered=each) for each in (needed, not needed))
    return other if other and (first is None or first.kind == "unknown") else first


def _difference_in(diagram: Diagram, cell: Cell, *, answered: bool) -> _Difference | None:
    places = diagram.of.space.places
    asked = partial(_asked, answered=answered)
    (before, old_steps, _), (after, new_steps, _) = (asked(place, cell, {}) for place in places)
    if before.action == after.action != "unknown":
        return None
    ways = [(before, after)]
    if before.action == after.action:
        rules = sorted(
            {part.step.rule for part in diagram.of.parts if part.step and part.step.rule}, key=len, reverse=True
        )
        ways = [way for way in _ways(places, cell, asked) if not _alike(*way, rules)]
        if not ways:
            return None
    deciding = (part.step for part in diagram.of.parts if part.step and id(part.step) in old_steps | new_steps)
    kind: Kind = "unknown" if after.action == "unknown" else "opened" if after.allows else "closed"
    return _Difference(
        kind, diagram.of, from_whom(cell.flow, cell.client, deciding), before, after, (old_steps, new_steps),
        any(new.action != "block" and not old.allows for old, new in ways),
        any(old.action != "block" and not new.allows for old, new in ways), diagram.due(cell), not diagram.may_be(cell),
    )  # fmt: skip


_Asked = tuple[Verdict, frozenset[int], tuple[str, ...]]


def _asked(place: Place, cell: Cell, so: dict[str, bool], *, answered: bool) -> _Asked:
    """The verdict with `so` assumed, the steps by which it may come, and names of what it hangs on."""
    assumed = Assumed(so)
    verdict, steps = ends(place, cell.flow, cell.client, assumed, answered=answered)
    return verdict, steps, tuple(name for lack in verdict.lacks for name in assumed.unsaid.get(lack, ()))


def _ways(
    places: Sequence[Place], cell: Cell, asked: Callable[[Place, Cell, dict[str, bool]], _Asked]
) -> Iterator[tuple[Verdict, Verdict]]:
    """Verdicts before and after, for every way in which what nobody sees may be."""
    left: list[dict[str, bool]] = [{}]
    looked = 0
    while left:
        so = left.pop()
        looked += 1
        (before, _, one), (after, _, other) = (asked(place, cell, so) for place in places)
        hangs_on = next(iter((*one, *other)), None)
        if hangs_on is None:
            yield before, after
        elif looked > MOST_WAYS:  # as if both ways were left, of which nobody has seen that they are alike
            yield before, replace(after, action="unknown", lacks=(*after.lacks, "what too many sets hold"))
            return
        else:
            left += [{**so, hangs_on: True}, {**so, hangs_on: False}]


def _alike(before: Verdict, after: Verdict, rules: Sequence[str]) -> bool:
    """Whether two verdicts are one. What is lacking here, beside sets and doubts, is how an engine goes about its rules: it is
    the same whatever those are called."""

    def lacks(verdict: Verdict) -> set[str]:
        found = set()
        for lack in verdict.lacks:
            for rule in rules:
                lack = lack.replace(rule, "a rule")
            found.add(lack)
        return found

    return before.action == after.action and lacks(before) == lacks(after)


_Shape = tuple[object, ...]


def _shape(place: Place) -> _Shape:
    """All that decides at a place, whatever its rules are called: places of one shape are the same to every flow."""
    wholes: dict[str, int] = {}

    def step(each: Step) -> _Shape:
        whole = wholes.setdefault(each.whole, len(wholes)) if each.whole else -1
        return each.action, each.box, each.moments, each.lasting, whole

    def group(steps: Group) -> _Shape:
        return tuple(map(step, steps))

    stages = tuple(
        (
            group(each.steps),
            tuple(map(group, each.unordered)),
            group(each.last),
            step(each.otherwise),
            each.moments,
            each.of_answers,
        )
        for each in place.stages
    )
    return stages, place.clients, place.families, place.inside, place.answers, place.own_names


def opened_to_strangers(changes: Iterable[Change]) -> AddressSet:
    """The addresses at which flows to names that nobody means open, as the rules have them that let them pass."""
    opened = (change for change in changes if change.kind == "opened" and STRANGER in change.names)
    return union(cause.ranges for change in opened for cause in change.opening)


def joined(places: Sequence[Place]) -> Place:
    """One place for the clients of several that are the same but for those."""
    known = [place.clients for place in places if place.clients is not None]
    if len(known) < len(places):
        return replace(places[0], clients=None)
    identities = [each.identities for each in known if each.identities is not None]
    meant = ClientTest(
        addresses=union(each.addresses for each in known),
        identities=frozenset().union(*identities) if len(identities) == len(known) else None,
    )
    families = tuple(family for family in FAMILIES if any(family in place.families for place in places))
    return replace(places[0], clients=meant, families=families)
