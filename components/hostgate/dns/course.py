"""The course of a survey, for pictures: addresses over time and their discovery, in bounded memory.

Time is cut into equal bins and addresses into equal rows, in the order in which they were first seen. Where either
becomes too many, neighbours are put together: the picture becomes coarser, and its shape stays.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil

MOST_BINS = 64
MOST_ROWS = 32
_NARROWEST = 15 / 16
"""Seconds: doubled and doubled again it becomes whole minutes."""

_STEP = 1.15
"""From one point of a curve to the next: a curve is steep at its beginning, and grows with the logarithm of answers."""

TTL_STEPS = (0, 1, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400)
"""Seconds; upper ends of the classes in which shown TTLs are counted. One more class is for what is over the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the fresh answers of one family were, over time.

    `began`: unix seconds of the first answer; bins of `width` seconds follow. `answers`: by bin. `rows`: by row and bin,
    how often its addresses were in an answer; a row is `each` of the `seen` addresses. `curve`: (answers, addresses
    seen until then), at the first answer, the last, and some between.
    """

    began: float
    width: float
    answers: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    each: int
    seen: int
    curve: tuple[tuple[int, int], ...]

    def share(self, row: int, index: int) -> float | None:
        """The share of a bin's answers that held an address of the row; None where there was no answer."""
        members = min(self.each, self.seen - row * self.each)
        return self.rows[row][index] / (self.answers[index] * members) if self.answers[index] else None

    def coarser(self, least: float) -> "Course":
        """The course with bins of `least` seconds or more: bins that are mostly empty show nothing.

        A last bin that has just begun is left out: of its few answers, any address is in many.
        """
        width, answers, rows = self.width, self.answers, self.rows
        while width < least and len(answers) > 1:
            width, answers, rows = width * 2, _paired(answers), tuple(map(_paired, rows))
        if len(answers) > 4 and answers[-1] * 2 * len(answers) < sum(answers):
            answers, rows = answers[:-1], tuple(row[:-1] for row in rows)
        return replace(self, width=width, answers=answers, rows=rows)

    def strongest(self) -> float:
        """The share that 19 of 20 shares which are not 0 do not exceed: what is drawn in full colour, whatever chance adds."""
        shares = sorted(
            each
            for row in range(len(self.rows))
            for index in range(len(self.answers))
            if (each := self.share(row, index))
        )
        return shares[(len(shares) - 1) * 19 // 20]


class Recorder:
    """Counts answers into a course."""

    def __init__(self) -> None:
        self._began = 0.0
        self._width = _NARROWEST
        self._used = 0
        self._answers = array("I", bytes(4 * MOST_BINS))
        self._rows: list[array[int]] = []
        self._each = 1
        self._seen = 0
        self._total = 0
        self._curve: list[tuple[int, int]] = []
        self._next = 1

    def add(self, at: float, numbers: Iterable[int]) -> None:
        """Count an answer of the time `at` that holds the addresses of these numbers, by order of first sighting."""
        if not self._total:
            self._began = at
        index = max(0, int((at - self._began) / self._width))
        while index >= MOST_BINS:
            self._width *= 2
            self._answers = _halved(self._answers)
            self._rows = [_halved(row) for row in self._rows]
            self._used = (self._used + 1) // 2
            index = int((at - self._began) / self._width)
        self._used = max(self._used, index + 1)
        self._answers[index] += 1
        for number in numbers:
            self._seen = max(self._seen, number + 1)
            while number // self._each >= MOST_ROWS:
                self._each *= 2
                self._rows = [_summed(self._rows[n : n + 2]) for n in range(0, len(self._rows), 2)]
            row = number // self._each
            while row >= len(self._rows):
                self._rows.append(array("I", bytes(4 * MOST_BINS)))
            self._rows[row][index] += 1
        self._total += 1
        if self._total == self._next:
            self._curve.append((self._total, self._seen))
            self._next = ceil(self._total * _STEP)

    def course(self) -> Course:
        """The course so far. There is at least one answer."""
        last = (self._total, self._seen)
        return Course(
            began=self._began,
            width=self._width,
            answers=tuple(self._answers[: self._used]),
            rows=tuple(tuple(row[: self._used]) for row in self._rows),
            each=self._each,
            seen=self._seen,
            curve=tuple(self._curve) if self._curve[-1:] == [last] else (*self._curve, last),
        )


def _paired(counts: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(counts[n : n + 2]) for n in range(0, len(counts), 2))


def _halved(counts: "array[int]") -> "array[int]":
    pairs = _paired(counts)
    return array("I", (*pairs, *(0 for _ in range(len(counts) - len(pairs)))))


def _summed(rows: Sequence["array[int]"]) -> "array[int]":
    return array("I", map(sum, zip(*rows, strict=True)))
