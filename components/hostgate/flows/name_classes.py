"""Classes of names: names with the same kinds of steps at a place, or at two together, and the same needs are one, and one
of each is asked."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from hostgate.flows.address_sets import FAMILIES, NO_ADDRESS, AddressFamily
from hostgate.flows.name_atoms import ENDINGS, STRANGER, NameAtoms, name_atoms
from hostgate.flows.names import Names, endings, hold
from hostgate.flows.steps import Box, ClientTest, Place, Step

MOST_FRONTED: Final = 4_000
"""Endings times texts in front of them up to which every one is tried with every other."""


@dataclass(frozen=True, slots=True)
class Need:
    """What `entry` of a catalog needs: every flow of `box`. Its names are tests of the name that is dialled."""

    entry: str
    box: Box
    due: bool = True
    """Whether it has to be open at the place; else it may be."""
    group: str = ""
    """Alternatives of which any one is enough; empty: it is one of none."""

    @property
    def only(self) -> AddressFamily | None:
        """The family that clients have to go over, whichever they else do: the only one with an address of its host."""
        having = [family for family in FAMILIES if self.box.address.of(family)]
        return having[0] if len(having) == 1 and not self.box.address.opaque else None


class Part(NamedTuple):
    """A step or a need as one class sees it. `named` and `silent`: whether it is about packets that carry the name of the
    class, and about such that carry none."""

    box: Box
    named: bool
    silent: bool
    step: Step | None
    need: Need | None
    group: int


@dataclass(frozen=True)
class NameClass:
    """Names that the same kinds of steps and needs are about, the first for all of them.

    `alike` are for each name the steps that do the same, in order; `needs` for each the indices of what needs it; `repeated`
    steps behind one that does the same to the same name, with what that one is to the first name.
    """

    space: "Space"
    names: tuple[str, ...]
    parts: tuple[Part, ...]
    alike: list[list[Step]]
    needs: list[list[int]]
    repeated: list[tuple[Step, Step]]
    groups: tuple[int, ...] = ()
    """Of each of the steps that do the same, the group that it is in."""
    crossed: tuple[str, str] | None = None
    """What is dialled, and what is said for it, where that is another name; None: both are the first of the names."""

    @property
    def dialled(self) -> str:
        return self.names[0] if self.crossed is None else self.crossed[0]

    @property
    def said(self) -> str:
        return self.names[0] if self.crossed is None else self.crossed[1]

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


class _Group(NamedTuple):
    """Names that are alike, the steps and needs about the first, and for each the steps that do the same, in order."""

    names: list[str]
    steps: list[tuple[int, int, bool, bool]]
    needs: list[list[int]]
    alike: list[list[Step]]
    repeated: list[tuple[Step, Step]]
    """Steps behind one that does the same to the same name, with what that one is to the first name."""
    columns: tuple[int, ...]
    """The group of each of the steps that do the same."""


_Shape = tuple[object, ...]


class Space:
    """The steps of places that are asked together, and the needs, by the names that they are about."""

    def __init__(self, places: Sequence[Place], needs: Sequence[Need], apart: Sequence[ClientTest] = ()) -> None:
        self.places, self.needs = places, needs
        self.apart = tuple(Part(Box(client=each), True, True, None, None, -1) for each in apart)
        """Clients that are told from others, whatever steps are about."""
        stages = [stage for place in places for stage in place.stages]
        self.groups = [group.steps for stage in stages for group in stage.groups]
        counted = [sum(len(stage.groups) for stage in place.stages) for place in places]
        self.place_of_group = [number for number, count in enumerate(counted) for _ in range(count)]
        self.seat_of_group = [*((at, number) for at, count in enumerate(counted) for number in range(count)), (-1, -1)]
        """Its place, and its number there: what one client meets at most once. The last is of needs, which are in none."""
        around = (stage for stage in stages if stage.around)
        passes = (
            step for stage in around for step in (*stage.groups[0].steps, stage.otherwise) if step.action == "allow"
        )
        self.around = frozenset(map(id, passes))
        """What lets flows pass before they are judged."""
        self.tested = [
            [position for position, step in enumerate(group) if _has_names(step.box)] for group in self.groups
        ]
        self.plain = [
            [position for position, step in enumerate(group) if not _has_names(step.box)] for group in self.groups
        ]
        self._shapes: dict[_Shape, int] = {}
        self._shape_of: dict[int, int] = {}
        self._grouped: dict[tuple[object, ...], _Group] = {}
        self._class_of: dict[str, tuple[object, ...] | None] = {}
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
        meant = {
            family
            for place in self.places
            for family in (place.families if place.inside == NO_ADDRESS or place.clients is not None else FAMILIES)
        }
        meant |= {need.only for need in self.needs if need.due and need.only}
        return tuple(family for family in FAMILIES if family in meant)

    def answers(self, name: str) -> tuple[int, ...]:
        """At each place, the answer that `name` gets there; -1: what the internet answers."""
        return tuple(
            next((number for number, (test, _) in enumerate(place.answers) if test.holds(name)), -1)
            for place in self.places
        )

    def classes(self) -> Iterator["NameClass"]:
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
            yield NameClass(
                self, tuple(group.names), self.parts(group.steps, group.needs[0]), group.alike, group.needs,
                group.repeated, group.columns,
            )  # fmt: skip

    def _sort_in(self, name: str) -> tuple[object, ...] | None:
        """The class of a name, which is put there; none where the place asks the internet nothing of the name."""
        if name in self._class_of:
            return self._class_of[name]
        lower = name.lower()
        ends = list(endings(lower))
        if all(any(zone in ends for zone in place.own_names) for place in self.places):
            self._class_of[name] = None
            return None
        steps, needs = self._steps_about(name, ends), self._needs_about(lower, ends)
        wholes: dict[str, int] = {}
        places = []
        for g, p, a, b in steps:
            step = self.groups[g][p]
            rule = wholes.setdefault(step.whole, len(wholes)) if step.whole else -1
            places.append((g, bisect_left(self.plain[g], p), a, b, self.shape_of_step(step), rule))
        key = (
            tuple(dict.fromkeys(places)),
            frozenset((self.need_shapes[n], self.needs[n].due) for n in needs),
            self.answers(lower),
            not self.needs or name == lower,
        )
        group = self._grouped.setdefault(key, _Group([], steps, [], [], [], tuple(each[0] for each in key[0])))
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

    @property
    def names(self) -> Iterator[str]:
        """Those that were put into classes."""
        return (name for name, kind in self._class_of.items() if kind is not None)

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
        yield from ((test,) for place in self.places for test, _ in place.answers)

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
                found.append((group, bisect_left(self.plain[group], position), self.shape_of_step(step), texts))
        return tuple(dict.fromkeys(found))

    def _needs_about(self, name: str, ends: Sequence[str]) -> list[int]:
        found = [index for ending in ends for index in self._needs_by_ending.get(ending, ())]
        return [index for index in sorted(set(found)) if hold(self.needs[index].box.dialled or (), name)]

    def parts(self, steps: Sequence[tuple[int, int, bool, bool]], needs: Sequence[int]) -> tuple["Part", ...]:
        by_position = {(group, position): (named, silent) for group, position, named, silent in steps}
        parts: list[Part] = []
        for number, group in enumerate(self.groups):
            positions = sorted((*self.plain[number], *(position for g, position in by_position if g == number)))
            for position in positions:
                named, silent = by_position.get((number, position), (True, True))
                parts.append(Part(group[position].box, named, silent, group[position], None, number))
        for index in (*self._plain_needs, *needs):
            parts.append(Part(self.needs[index].box, True, True, None, self.needs[index], -1))
        return (*parts, *self.apart)

    def shape_of_step(self, step: Step) -> int:
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


def _ending_of(box: Box) -> str | None:
    """A host that every name which the box is about ends with; None if nobody can say one."""
    if box.nameless:
        return None
    found = [host for test in box.name_tests if (host := test.host) is not None]
    return max(found, key=len) if found else None


def _about(box: Box, name: str) -> tuple[bool, bool]:
    """Whether a box is about packets to `name` that carry it, and about such that carry none."""
    dialled = name.lower()  # whatever its letters on the wire
    if (box.dialled is not None and not hold(box.dialled, dialled)) or (
        box.asked is not None and not hold(box.asked, dialled)
    ):
        return False, False
    return box.wire is None or hold(box.wire, name), box.wire is None or box.nameless
