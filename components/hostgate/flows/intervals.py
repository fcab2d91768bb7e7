"""Sets of whole numbers as sorted intervals: ports, and addresses of one family."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intervals:
    """Disjoint intervals in order, both ends included, none touching the next. Make them with `of`."""

    parts: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(parts: Iterable[tuple[int, int]]) -> "Intervals":
        """The union of `parts`, in any order and overlapping as they may; a part that ends before it begins is none."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(part for part in parts if part[0] <= part[1]):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return Intervals(tuple(merged))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __str__(self) -> str:
        return ", ".join(f"{low}-{high}" if high > low else str(low) for low, high in self.parts) or "none"

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.parts)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self.parts, (number, number)) - 1
        if index >= 0 and self.parts[index][1] >= number:
            return True
        return index + 1 < len(self.parts) and self.parts[index + 1][0] == number

    def __or__(self, other: "Intervals") -> "Intervals":
        return Intervals.of((*self.parts, *other.parts))

    def __and__(self, other: "Intervals") -> "Intervals":
        found: list[tuple[int, int]] = []
        ours, theirs = iter(self.parts), iter(other.parts)
        one, two = next(ours, None), next(theirs, None)
        while one is not None and two is not None:
            low, high = max(one[0], two[0]), min(one[1], two[1])
            if low <= high:
                found.append((low, high))
            if one[1] <= two[1]:
                one = next(ours, None)
            else:
                two = next(theirs, None)
        return Intervals(tuple(found))

    def outside(self, top: int) -> "Intervals":
        """The complement within 0 to `top`."""
        found: list[tuple[int, int]] = []
        start = 0
        for low, high in self.parts:
            if start < low:
                found.append((start, low - 1))
            start = high + 1
        if start <= top:
            found.append((start, top))
        return Intervals(tuple(found))

    @property
    def size(self) -> int:
        return sum(high - low + 1 for low, high in self.parts)

    def holds(self, members: "Intervals") -> bool | None:
        """Whether a number that is somewhere in `members` is in here: True if all are, False if none is, else None."""
        shared = self & members
        if not shared:
            return False
        return True if shared == members else None


NO_NUMBER = Intervals()
EVERY_PORT = Intervals(((0, 65_535),))
