"""Witness flows: for a place and what catalogs need, one flow of every kind that the steps there tell apart.

Names with the same steps left are one class. Within a class a decision diagram goes through the other dimensions and
visits only atoms that differ; what is left at its ends is one flow each, which is put to the evaluator. So nothing is
sampled: a widening that is narrow in every dimension at once is met like any other.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from math import prod
from typing import Final, NamedTuple

from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    FAMILIES,
    NO_ADDRESS,
    AddressFamily,
    AddressSet,
    internet,
    networks,
)
from hostgate.flows.atoms import cut, usual_address, usual_port
from hostgate.flows.flow import Flow, Verdict, ip_protocol
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.name_atoms import ENDINGS, STRANGER, NameAtoms, name_atoms
from hostgate.flows.names import Names, NameTest, endings, hold
from hostgate.flows.steps import Box, ClientTest, Moment, Place, Step
from hostgate.flows.verdicts import ends as ends_of

MOST_ENDS: Final = 20_000
"""Ends of the diagrams of one place that are looked at before the answer is that the rules overlap too much."""

MOST_IDENTITIES: Final = 2_000
"""Sets of identities of clients that are looked at, in each class of names."""

MOST_FRONTED: Final = 4_000
"""Endings times texts in front of them up to which every one is tried with every other."""

_UNUSED_PROTOCOL: Final = 253
"""An IP protocol number for experiments (RFC 3692): stands for every one that no rule names."""


@dataclass(frozen=True, slots=True)
class Need:
    """What `entry` of a catalog needs: every flow of `box`. Its names are tests of the name that is dialled."""

    entry: str
    box: Box
    due: bool = True
    """Whether it has to be open at the place; else it may be."""
    group: str = ""
    """Alternatives of which any one is enough; empty: it is one of none."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A flow with its verdict, that stands for all flows alike, of `names`, which the same kinds of steps are about.

    `due` are entries that need it or one like it, each with the name for which it does; `part_of` those whose host it
    reaches in a way that its client has no need of, such as TLS without a server name. `steps` are those that decide it or
    pass it on.
    """

    flow: Flow
    client: ClientTest
    verdict: Verdict
    due: tuple[tuple[str, str], ...]
    part_of: tuple[str, ...]
    names: tuple[str, ...]
    steps: tuple[Step, ...]
    deciding: tuple[Step | None, ...] = ()
    """Of each of `names`, the step that decides; None: none does."""


@dataclass(frozen=True)
class Extraction:
    """What was found at a place. `overlapping` are rules of classes that were not looked at to the end; `idle` steps that
    decide nothing that was found, though they are about some of it."""

    place: Place
    witnesses: tuple[Witness, ...]
    overlapping: tuple[str, ...] = ()
    idle: tuple[Step, ...] = ()
    unread: tuple[tuple[Step, str], ...] = ()
    """Steps for names of a pattern of which no example was found, and the pattern: what they do was not looked at."""


def extract(
    place: Place, needs: Sequence[Need], most: int = MOST_ENDS, *, shown: frozenset[str] = frozenset()
) -> Extraction:
    """Every kind of flow to the internet that `place` and `needs` tell apart, from the clients that it is meant for.

    `shown`: identities of clients that stand for others where both are alike.
    """
    space = _Space(place, needs, shown)
    found: list[Witness] = []
    overlapping: dict[str, None] = {}
    about: dict[int, Step] = {}
    busy: set[int] = set()
    for kind in space.classes():
        these = list(kind.witnesses(most - len(found)))
        found += these
        if kind.cut_short:
            overlapping |= dict.fromkeys(part.step.rule for part in kind.parts if part.step and part.step.rule)
        deciding = {id(step) for witness in these for step in witness.steps} | kind.doubted
        for step, first, repeated in kind.steps():
            if id(first) in kind.met or id(first) in deciding:
                about[id(step)] = step
            if id(first) in deciding and (not repeated or _doubted(step.box)):
                busy.add(id(step))
    idle = () if overlapping else tuple(step for key, step in about.items() if key not in busy)
    return Extraction(place, tuple(found), tuple(overlapping), idle, tuple(space.unread()))


def _doubted(box: Box) -> bool:
    return bool(box.doubts or box.address.opaque or box.client.addresses.opaque)


class _Spoken(NamedTuple):
    """What the packets of a flow are: a protocol as flows have it, and whether they carry a name."""

    protocol: str
    number: int
    application: str
    carries: bool

    @property
    def has_ports(self) -> bool:
        return self.number in (6, 17, 33, 132, 136)


class _Part(NamedTuple):
    """A step or a need as one class sees it. `named` and `silent`: whether it is about packets that carry the name of the
    class, and about such that carry none."""

    box: Box
    named: bool
    silent: bool
    step: Step | None
    need: Need | None
    group: int


class _Group(NamedTuple):
    """Names that are alike, the steps and needs about the first, and for each the steps that do the same, in order."""

    names: list[str]
    steps: list[tuple[int, int, bool, bool]]
    needs: list[list[int]]
    alike: list[list[Step]]
    repeated: list[tuple[Step, Step]]
    """Steps behind one that does the same to the same name, with what that one is to the first name."""


_Shape = tuple[object, ...]


class _Space:
    """The steps of a place and the needs, by the names that they are about."""

    def __init__(self, place: Place, needs: Sequence[Need], shown: frozenset[str]) -> None:
        self.place, self.needs, self.shown = place, needs, shown
        self.groups = [group.steps for stage in place.stages for group in stage.groups]
        self.alone = [stage for stage in place.stages for _ in stage.groups]
        """The stage of each group."""
        self.tested = [
            [position for position, step in enumerate(group) if _has_names(step.box)] for group in self.groups
        ]
        self.plain = [
            [position for position, step in enumerate(group) if not _has_names(step.box)] for group in self.groups
        ]
        self._shapes: dict[_Shape, int] = {}
        self._shape_of: dict[int, int] = {}
        self._values: dict[object, int] = {}
        self._values_by_id: dict[int, int] = {}
        self._holds: dict[tuple[int, str], bool] = {}
        self._by_ending: dict[str, list[tuple[int, int]]] = {}
        self._other: list[tuple[int, int]] = []
        for number, group in enumerate(self.groups):
            for position in self.tested[number]:
                key = _ending_of(group[position].box)
                (self._other if key is None else self._by_ending.setdefault(key, [])).append((number, position))
        self._needs_by_ending: dict[str, list[int]] = {}
        self._plain_needs = [index for index, need in enumerate(needs) if not _has_names(need.box)]
        for index, need in enumerate(needs):
            if _has_names(need.box):
                self._needs_by_ending.setdefault(_ending_of(need.box) or "", []).append(index)

    @property
    def families(self) -> tuple[AddressFamily, ...]:
        """Those that flows are asked of: where it is said who is inside, others may be there and go over the other one."""
        place = self.place
        return place.families if place.inside == NO_ADDRESS or place.clients is not None else FAMILIES

    def classes(self) -> Iterator["_Class"]:
        self._grouped: dict[tuple[object, ...], _Group] = {}
        self._class_of: dict[str, tuple[object, ...] | None] = {}
        atoms = self.atoms
        for name in atoms.whole:
            self._sort_in(name)
        every = len(atoms.ends) * (len(atoms.fronts) + len(atoms.pairs)) <= MOST_FRONTED
        fronted: set[tuple[object, ...]] = set()
        for end in atoms.ends:
            plain = [(name, self._sort_in(name)) for name in atoms.plain(end)]
            alike = () if every else tuple((kind, self._perhaps_about(name)) for name, kind in plain)
            if every or alike not in fronted:  # what is asked of a text in front is the same for endings that are alike
                fronted.add(alike)
                # Where there are very many, two texts or a text and an ending, and not two texts and an ending.
                for name in atoms.fronted(end, pairs=every or end == STRANGER):
                    self._sort_in(name)
        for group in self._grouped.values():
            yield _Class(
                self, tuple(group.names), self._parts(group.steps, group.needs[0]), group.alike, group.needs,
                group.repeated,
            )  # fmt: skip

    def _sort_in(self, name: str) -> tuple[object, ...] | None:
        """The class of a name, which is put there; none where the place asks the internet nothing of the name."""
        if name in self._class_of:
            return self._class_of[name]
        lower = name.lower()
        ends = list(endings(lower))
        if any(zone in ends for zone in self.place.own_names):
            self._class_of[name] = None
            return None
        steps, needs = self._steps_about(name, ends), self._needs_about(lower, ends)
        wholes: dict[str, int] = {}
        places = []
        for g, p, a, b in steps:
            step = self.groups[g][p]
            rule = wholes.setdefault(step.whole, len(wholes)) if step.whole else -1
            places.append((g, bisect_left(self.plain[g], p), a, b, self._shape(step), rule))
        key = (
            tuple(dict.fromkeys(places)),
            frozenset((self.need_shapes[n], self.needs[n].due) for n in needs),
            next((n for n, (test, _) in enumerate(self.place.answers) if test.holds(lower)), -1),
            not self.needs or name == lower,
        )
        group = self._grouped.setdefault(key, _Group([], steps, [], [], []))
        group.names.append(name)
        group.needs.append(needs)
        firsts: dict[object, Step] = {}
        for (g, p, _, _), place in zip(steps, places, strict=True):
            step = self.groups[g][p]
            if firsts.setdefault(place, step) is not step and len(group.names) > 1:
                group.repeated.append((step, group.alike[0][list(firsts).index(place)]))
        group.alike.append(list(firsts.values()))
        self._class_of[name] = key
        return key

    @cached_property
    def atoms(self) -> NameAtoms:
        return name_atoms(dict.fromkeys(self._conditions()))

    def unread(self) -> Iterator[tuple[Step, str]]:
        """Steps with a pattern that none of the names fits that were found."""
        missed = {
            names for names in self.atoms.without_example if not any(hold(names, each) for each in self._class_of)
        }
        for step in (self.groups[g][p] for g, positions in enumerate(self.tested) for p in positions) if missed else ():
            for names in (step.box.wire, step.box.dialled, step.box.asked):
                if names in missed:
                    yield step, " and ".join(map(str, names or ()))

    def _conditions(self) -> Iterator[Names]:
        boxes = [group[p].box for group, positions in zip(self.groups, self.tested, strict=True) for p in positions]
        for box in (*boxes, *(need.box for need in self.needs)):
            yield from (names for names in (box.wire, box.dialled, box.asked) if names)
        yield from ((test,) for test, _ in self.place.answers)

    def _steps_about(self, name: str, ends: Sequence[str]) -> list[tuple[int, int, bool, bool]]:
        found = list(self._other)
        for ending in ends:
            found += self._by_ending.get(ending, ())
        about = []
        for group, position in sorted(set(found)):
            box = self.groups[group][position].box
            named, silent = _about(box, name)
            if named or silent:
                about.append((group, position, named, silent))
        return about

    def _perhaps_about(self, name: str) -> tuple[object, ...]:
        """Steps, by what they do and ask besides, of which nothing but texts and patterns says that they are not for `name`."""
        found = []
        candidates = {each for ending in endings(name.lower()) for each in self._by_ending.get(ending, ())}
        for group, position in sorted((*candidates, *self._other)):
            step = self.groups[group][position]
            asked = (step.box.wire, step.box.dialled, step.box.asked)
            ends = [test for names in asked for test in names or () if test.kind in ENDINGS]
            if ends and all(test.holds(name) for test in ends):
                texts = tuple(tuple(each for each in names or () if each.kind not in ENDINGS) for names in asked)
                found.append((group, bisect_left(self.plain[group], position), self._shape(step), texts))
        return tuple(dict.fromkeys(found))

    def _needs_about(self, name: str, ends: Sequence[str]) -> list[int]:
        found = [index for ending in ends for index in self._needs_by_ending.get(ending, ())]
        return [index for index in sorted(set(found)) if hold(self.needs[index].box.dialled or (), name)]

    def _parts(self, steps: Sequence[tuple[int, int, bool, bool]], needs: Sequence[int]) -> tuple["_Part", ...]:
        by_position = {(group, position): (named, silent) for group, position, named, silent in steps}
        parts: list[_Part] = []
        for number, group in enumerate(self.groups):
            positions = sorted((*self.plain[number], *(position for g, position in by_position if g == number)))
            for position in positions:
                named, silent = by_position.get((number, position), (True, True))
                parts.append(_Part(group[position].box, named, silent, group[position], None, number))
        for index in (*self._plain_needs, *needs):
            parts.append(_Part(self.needs[index].box, True, True, None, self.needs[index], -1))
        return tuple(parts)

    def _shape(self, step: Step) -> int:
        """The same for steps that do the same to the same flows, but for names."""
        known = self._shape_of.get(id(step))
        if known is None:
            box = self.shape_of_box(step.box)
            shape = (box, step.action, step.moments, step.lasting)
            known = self._shape_of[id(step)] = self._shapes.setdefault(shape, len(self._shapes))
        return known

    def shape_of_box(self, box: Box) -> int:
        shape = tuple(
            map(self._value, (box.address, box.port, box.protocols, box.applications, box.but, box.client, box.doubts))
        )
        return self._shapes.setdefault(shape, len(self._shapes))

    def _value(self, value: object) -> int:
        """The same for values that are equal; most are one object, which is quicker told than the same contents."""
        known = self._values_by_id.get(id(value))
        if known is None:
            known = self._values_by_id[id(value)] = self._values.setdefault(value, len(self._values))
        return known

    @cached_property
    def need_shapes(self) -> list[int]:
        return [self.shape_of_box(need.box) for need in self.needs]


def _has_names(box: Box) -> bool:
    return box.wire is not None or box.dialled is not None or box.asked is not None


def _name_tests(box: Box) -> Iterator[NameTest]:
    for tests in (box.wire, box.dialled, box.asked):
        yield from tests or ()


def _ending_of(box: Box) -> str | None:
    """A host that every name which the box is about ends with; None if nobody can say one."""
    if box.nameless:
        return None
    found = [test.text.lower() for test in _name_tests(box) if test.indexed]
    return max(found, key=len) if found else None


def _about(box: Box, name: str) -> tuple[bool, bool]:
    """Whether a box is about packets to `name` that carry it, and about such that carry none."""
    dialled = name.lower()  # whatever its letters on the wire
    if (box.dialled is not None and not hold(box.dialled, dialled)) or (
        box.asked is not None and not hold(box.asked, dialled)
    ):
        return False, False
    return box.wire is None or hold(box.wire, name), box.wire is None or box.nameless


@dataclass
class _Class:
    """Names that the same kinds of steps are about, the first for all of them."""

    space: _Space
    names: tuple[str, ...]
    parts: tuple[_Part, ...]
    alike: list[list[Step]]
    needs: list[list[int]]
    repeated: list[tuple[Step, Step]]
    cut_short: bool = False
    met: set[int] = field(default_factory=set)
    """Ids of steps that can hold for something that was looked at."""
    doubted: set[int] = field(default_factory=set)
    """Ids of steps of which nobody can tell whether they hold for something that was met: those may decide it."""
    _seen: set[tuple[int, int, int]] = field(default_factory=set)

    def witnesses(self, most: int) -> Iterator[Witness]:
        for family in self.space.families:
            clients = self._client_ranges(family)
            if not clients:
                continue
            for spoken in self._spoken(family):
                dimensions = (
                    self._ports(spoken), self._addresses(family), clients, self._identities,
                )  # fmt: skip
                can, sure = self._meant(spoken)
                self._meet(can, dimensions)
                self._seen = set()
                for cell, can_end, sure_end in self._ends(dimensions, 0, can, sure, ()):
                    if most <= 0:
                        self.cut_short = True
                        return
                    most -= 1
                    self.doubted |= {
                        id(part.step) for bit, part in enumerate(self.parts)
                        if part.step is not None and can_end >> bit & 1
                        and (part.step.box.doubts or not sure_end >> bit & 1)
                    }  # fmt: skip
                    yield self._witness(spoken, family, cell, can_end, sure_end)

    def steps(self) -> Iterator[tuple[Step, Step, bool]]:
        """Steps about any of the names, each with what it is to the first name, and whether one like it comes before."""
        for alike in self.alike:
            for step, first in zip(alike, self.alike[0], strict=True):
                yield step, first, False
        for part in self.parts:
            if part.step is not None:
                yield part.step, part.step, False
        for step, first in self.repeated:
            yield step, first, True

    def _meet(self, can: int, dimensions: Sequence["_Rows"]) -> None:
        for rows in dimensions:
            can &= rows.ever
        self.met |= {id(part.step) for bit, part in enumerate(self.parts) if can >> bit & 1 and part.step is not None}

    def _ends(
        self, dimensions: Sequence["_Rows"], at: int, can: int, sure: int, cell: tuple[object, ...]
    ) -> Iterator[tuple[tuple[object, ...], int, int]]:
        """The cells in which what can hold, and what surely does, differ; each once."""
        can = self._relevant(can, sure, dimensions, at)
        sure &= can
        if (at, can, sure) in self._seen:
            return
        self._seen.add((at, can, sure))
        if at == len(dimensions):
            yield cell, can, sure
            return
        for can_here, sure_here, what in dimensions[at].rows:
            yield from self._ends(dimensions, at + 1, can & can_here, sure & sure_here, (*cell, what))

    def _relevant(self, can: int, sure: int, dimensions: Sequence["_Rows"], at: int) -> int:
        """Without steps that are never asked: before each, in its group, stands one that holds whatever comes."""
        holds = sure
        for rows in dimensions[at:]:
            holds &= rows.always
        for bits in self._groups:
            decided: frozenset[Moment] = frozenset()
            left = can & bits
            while left:
                low = left & -left
                left ^= low
                step = self.parts[low.bit_length() - 1].step
                assert step is not None
                if decided and step.moments <= decided:
                    can ^= low
                elif holds & low and not step.box.doubts:
                    decided |= step.moments
        return can

    @cached_property
    def _groups(self) -> list[int]:
        found: dict[int, int] = {}
        for bit, part in enumerate(self.parts):
            if part.step is not None:
                found[part.group] = found.get(part.group, 0) | 1 << bit
        return list(found.values())

    def _spoken(self, family: AddressFamily) -> list[_Spoken]:
        """What packets can be, each once of those that the same parts are about."""
        numbers = {number for part in self.parts for number in part.box.protocols or ()}
        icmp = 1 if family == "IPv4" else 58
        found = [
            _Spoken("https", 6, "tls", True), _Spoken("http", 6, "http", True), _Spoken("https", 6, "tls", False),
            _Spoken("http", 6, "http", False), _Spoken("tcp", 6, "other", False), _Spoken("quic", 17, "quic", False),
            _Spoken("udp", 17, "other", False),
            *(_Spoken(ip_protocol(each), each, "other", False)
              for each in sorted({icmp, 47, 132, _UNUSED_PROTOCOL, *numbers} - {6, 17, 59 - icmp})),
        ]  # fmt: skip
        # Of a connection packets of both sides have to pass, of others the first alone: they never stand for each other.
        told = {(*self._meant(each), each.has_ports, each.number == 6): each for each in reversed(found)}
        return [each for each in found if each in told.values()]

    def _meant(self, spoken: _Spoken) -> tuple[int, int]:
        can = sure = 0
        for bit, part in enumerate(self.parts):
            box = part.box
            about = part.named if spoken.carries else part.silent
            about = about and (box.protocols is None or spoken.number in box.protocols)
            about = about and spoken.application not in box.but
            fits = box.applications is None or spoken.application in box.applications
            if part.need is not None:
                quiet = spoken.number == 6 and not spoken.carries and box.applications is not None
                can |= (about and (fits or quiet)) << bit
                sure |= (about and fits and not quiet) << bit
            else:
                can |= (about and fits) << bit
                sure |= (about and fits) << bit
        return can, sure

    def _ports(self, spoken: _Spoken) -> "_Rows":
        if not spoken.has_ports:
            return _Rows([(-1, -1, 0)])
        return self._rows([part.box.port for part in self.parts], EVERY_PORT)

    def _rows(self, sets: Sequence[Intervals], within: Intervals) -> "_Rows":
        distinct = list(dict.fromkeys(sets))
        bits = [sum(1 << bit for bit, each in enumerate(sets) if each == one) for one in distinct]
        rows = []
        for holding, part in cut(distinct, within):
            mask = sum(bits[index] for index in range(len(distinct)) if holding >> index & 1)
            rows.append((mask, mask, part))
        return _Rows(rows)

    def _addresses(self, family: AddressFamily) -> "_Rows":
        answers = (found for test, found in self.space.place.answers if test.holds(self.names[0].lower()))
        where = next(answers, NO_ADDRESS)
        if where == NO_ADDRESS:  # what the internet answers, or nobody knows what
            where = internet().less(self.space.place.inside)
        return self._of_sets([part.box.address for part in self.parts], where.of(family), family)

    def _client_ranges(self, family: AddressFamily) -> "_Rows":
        place = self.space.place
        meant = place.clients.addresses if place.clients is not None else place.inside
        within = (EVERY_ADDRESS if meant == NO_ADDRESS or meant.symbols else meant).of(family)
        if place.clients is None and not within:  # who is inside has no address of the family that is known
            within = EVERY_ADDRESS.of(family)
        return self._of_sets([part.box.client.addresses for part in self.parts], within, family)

    def _of_sets(self, sets: Sequence[AddressSet], within: Intervals, family: AddressFamily) -> "_Rows":
        rows = self._rows([each.of(family) for each in sets], within).rows
        maybe = sum(bool(each.symbols) << bit for bit, each in enumerate(sets))
        doubted = sum(bool(each.without) << bit for bit, each in enumerate(sets))
        return _Rows([(can | maybe, sure & ~doubted, part) for can, sure, part in rows])

    @cached_property
    def _identities(self) -> "_Rows":
        """Sets of identities, one at most of each stage: who has more of one is decided by one of them."""
        tests = [part.box.client.identities for part in self.parts]
        clients = self.space.place.clients
        meant = clients.identities if clients is not None else None
        every = sorted({*(each for test in tests for each in test or ()), *(meant or ()), *self.space.shown})
        asked_of = {
            each: sum((test is None or each in test) << bit for bit, test in enumerate(tests)) for each in every
        }
        nobody = frozenset(f"{kind}:nobody" for kind in sorted({_kind(each) for each in every}))
        stages: dict[int, dict[tuple[int, str], str]] = {}
        for part in self.parts:
            for each in sorted(part.box.client.identities or ()):
                stages.setdefault(part.group, {}).setdefault((asked_of[each], _kind(each)), each)
        choices: list[list[str | None]] = [[None, *each.values()] for each in stages.values()]
        if meant is not None:
            choices.append(list({(asked_of[each], _kind(each)): each for each in sorted(meant)}.values()))
        if self.space.shown:  # last, because of rows that are alike the last one stays
            choices.append([None, *{asked_of[each]: each for each in sorted(self.space.shown)}.values()])
        if prod(map(len, choices)) > MOST_IDENTITIES:
            self.cut_short = True
        rows = []
        for chosen in islice(product(*choices), MOST_IDENTITIES):
            own = frozenset(each for each in chosen if each is not None)
            if sum(_kind(each) == "account" for each in own) > 1:
                continue
            kinds = set(map(_kind, own))
            whole = own | {each for each in nobody if _kind(each) not in kinds}
            can = sum((test is None or bool(test & whole)) << bit for bit, test in enumerate(tests))
            rows.append((can, can, whole))
        return _Rows(rows)

    def _witness(
        self, spoken: _Spoken, family: AddressFamily, cell: tuple[object, ...], can: int, sure: int
    ) -> Witness:
        ports, addresses, clients, identities = cell
        port = usual_port(ports) if isinstance(ports, Intervals) else 0
        assert isinstance(addresses, Intervals)
        assert isinstance(clients, Intervals)
        assert isinstance(identities, frozenset)
        source = usual_address(clients, family, client=True)
        name = self.names[0]
        flow = Flow(
            name, port, spoken.protocol, name if spoken.carries else None, usual_address(addresses, family), source
        )
        client = ClientTest(addresses=networks([source]), identities=identities or None)
        verdict, deciding = ends_of(self.space.place, flow, client)
        steps = tuple(part.step for part in self.parts if part.step is not None and id(part.step) in deciding)
        needs = [(bit, part.need) for bit, part in enumerate(self.parts) if part.need is not None and can >> bit & 1]
        usual = name == name.lower() and family in self.space.place.families  # as clients write it, and go
        due = [need for bit, need in needs if sure >> bit & 1 and need.due and usual]
        part_of = tuple(need.entry for _, need in needs)
        by = next((step for step in reversed(steps) if step.rule == verdict.rule), None)
        each_decides = self._alike(by)
        return Witness(flow, client, verdict, tuple(self._due(due)), part_of, self.names, steps, each_decides)

    def _alike(self, step: Step | None) -> tuple[Step | None, ...]:
        """For each name, the step that is to it what `step` is to the first."""
        place = next((index for index, each in enumerate(self.alike[0]) if each is step), None)
        return tuple(step if place is None else each[place] for each in self.alike)

    def _due(self, needs: Sequence[Need]) -> Iterator[tuple[str, str]]:
        """Entries that need flows as those of `needs`, each with a name of its own."""
        shapes = {self.space.shape_of_box(need.box) for need in needs}
        space = self.space
        told = {need.entry: self.names[0] for need in needs}
        for name, indices in zip(self.names, self.needs, strict=True) if needs else ():
            for index in indices:
                need = space.needs[index]
                if need.due and space.need_shapes[index] in shapes:
                    told.setdefault(need.entry, name)
        yield from told.items()


def _kind(identity: str) -> str:
    return identity.partition(":")[0]


class _Rows:
    """Atoms of a dimension: of each, which parts can hold there and which surely do, as bits, and what it is."""

    def __init__(self, rows: Iterable[tuple[int, int, object]]) -> None:
        self.rows = tuple({(can, sure): (can, sure, what) for can, sure, what in rows}.values())
        self.always, self.ever = -1, 0
        for can, sure, _ in self.rows:
            self.always &= sure
            self.ever |= can

    def __bool__(self) -> bool:
        return bool(self.rows)
