"""Packets that say another name than the one that was dialled for them: to the address of one host, with another one in SNI
or Host. Where rules ask for both names, the two vary apart; where they ask for one, the other matters not.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Final

from hostgate.flows.name_atoms import STRANGER
from hostgate.flows.name_classes import NameClass, Space
from hostgate.flows.names import endings, hold
from hostgate.flows.steps import Box, Step

MOST_CROSSED: Final = 10_000
"""Pairs of names that are tried each with each; where there are more, none is, and that is told."""

_Seat = tuple[int, int]
"""The group of a step, and its position in it."""

_Met = dict[str, frozenset[_Seat]]
_NONE: Final[frozenset[_Seat]] = frozenset()


@dataclass
class _Kind:
    """Pairs that the same kinds of steps are about: the first, what each is told by, and the steps of each."""

    pair: tuple[str, str]
    groups: tuple[int, ...]
    names: list[str] = field(default_factory=list)
    alike: list[list[Step]] = field(default_factory=list)


class CrossedNames:
    """Pairs of a name that is dialled and another one that is said, for the names of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        seats = [(group, at) for group, positions in enumerate(space.tested) for at in positions]
        self._of_dialled = {seat for seat in seats if _asks_of_dialled(self._step(seat).box)}
        self._of_said = {seat for seat in seats if self._step(seat).box.wire is not None}

    @property
    def cut_short(self) -> bool:
        """Whether there were too many pairs to try each with each."""
        return self._both_asked and len(self._some(self._dialled)) * len(self._some(self._said)) > MOST_CROSSED

    @property
    def _both_asked(self) -> bool:
        return bool(self._of_dialled and self._of_said)

    def classes(self) -> Iterator[NameClass]:
        """A class for each kind of pairs; what it is told by is the name of the two that rules spell out."""
        kinds: dict[tuple[object, ...], _Kind] = {}
        for dialled, said in self._pairs() if self._both_asked else ():
            seats = self._about(dialled, said)
            shapes = list(map(self._shape, seats))
            key = (*dict.fromkeys(shapes), self.space.answers(dialled.lower()))
            kind = kinds.setdefault(key, _Kind((dialled, said), tuple(shape[0] for shape in dict.fromkeys(shapes))))
            firsts: dict[object, Step] = {}
            for seat, shape in zip(seats, shapes, strict=True):
                firsts.setdefault(shape, self._step(seat))
            kind.names.append(dialled if said == STRANGER else said)
            kind.alike.append(list(firsts.values()))
        for kind in kinds.values():
            parts = self.space.parts([(*seat, True, False) for seat in self._about(*kind.pair)], ())
            yield NameClass(
                self.space, tuple(kind.names), parts, kind.alike, [[] for _ in kind.names], [], kind.groups, kind.pair
            )

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """Each name with that of nobody, those that one rule asks for together, and each with each of those that rules tell
        apart."""
        first_of: tuple[dict[_Seat, str], dict[_Seat, str]] = ({}, {})
        for names, met in zip(first_of, (self._dialled, self._said), strict=True):
            for name, seats in met.items():
                for seat in seats:
                    names.setdefault(seat, name)
        pairs = [(STRANGER, name) for name in self._said] + [(name, STRANGER) for name in self._dialled]
        pairs += [(first_of[0][seat], first_of[1][seat]) for seat in first_of[0] if seat in first_of[1]]
        if not self.cut_short:
            pairs += product(self._some(self._dialled), self._some(self._said))
        apart = {pair for pair in pairs if pair[0].lower() != pair[1].lower()}
        yield from sorted(apart, key=lambda pair: (STRANGER not in pair, pair))  # the same whichever place is first

    def _some(self, met: _Met) -> list[str]:
        """Two of the names that the same kinds of steps ask for: those that are alike may be told from each other."""
        kinds: dict[frozenset[object], list[str]] = {}
        for name, seats in met.items():
            kinds.setdefault(frozenset(map(self._shape, seats)), []).append(name)
        return [name for names in kinds.values() for name in names[:2]]

    def _about(self, dialled: str, said: str) -> list[_Seat]:
        """Steps about packets that are sent to the one name and carry the other."""
        there, here = self._dialled.get(dialled, _NONE), self._said.get(said, _NONE)
        return sorted((there & here) | (there - self._of_said) | (here - self._of_dialled))

    def _step(self, seat: _Seat) -> Step:
        return self.space.groups[seat[0]][seat[1]]

    def _shape(self, seat: _Seat) -> tuple[int, int, int, bool, bool]:
        """The same for steps that do the same, names apart, and ask for the same of the two."""
        group, position = seat
        shape = self.space.shape_of_step(self._step(seat))
        return (
            group, bisect_left(self.space.plain[group], position), shape, seat in self._of_dialled, seat in self._of_said
        )  # fmt: skip

    @cached_property
    def _dialled(self) -> _Met:
        """Of each name that some step asks for of what is dialled, all that hold for it."""
        return self._met(self._of_dialled, said=False)

    @cached_property
    def _said(self) -> _Met:
        return self._met(self._of_said, said=True)

    def _met(self, seats: set[_Seat], *, said: bool) -> _Met:
        by_ending: dict[str, list[_Seat]] = {}
        for seat in sorted(seats):
            box = self._step(seat).box
            tests = box.wire or () if said else (*(box.dialled or ()), *(box.asked or ()))
            host = max((host for test in tests if (host := test.host)), key=len, default="")
            by_ending.setdefault(host, []).append(seat)
        found: _Met = {}
        for name in sorted(self.space.names):
            held = [
                seat
                for ending in ("", *endings(name.lower()))
                for seat in by_ending.get(ending, ())
                if (hold(self._step(seat).box.wire or (), name) if said else _holds(self._step(seat).box, name.lower()))
            ]
            if held:
                found[name] = frozenset(held)
        return found


def _asks_of_dialled(box: Box) -> bool:
    return box.dialled is not None or box.asked is not None


def _holds(box: Box, dialled: str) -> bool:
    return hold(box.dialled or (), dialled) and hold(box.asked or (), dialled)
