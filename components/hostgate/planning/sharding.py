"""Sharding by stable hash: one more entry changes one shard, a split changes three.

A shard is a prefix of the bits of its entries' hashes (a binary trie). A shard that grows past FILL of what an object
holds splits by the next bit: the old object goes and two new ones come, so an entry stands in its new object before it
leaves the old one (new objects are made first, old ones deleted last). Which shard an entry is in depends on nothing
but the entries of its own prefix, never on order.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

T = TypeVar("T")

FILL = 0.7
"""Share of an object that is filled before it splits: the next host always fits without touching another object."""

MAX_DEPTH = 40
"""Bits. Only entries that cannot be told apart by hash, or one entry larger than an object, would go deeper."""


@dataclass(frozen=True, slots=True)
class Shard(Generic[T]):
    """Entries whose hashes begin with the bits of `label` ("" holds everything)."""

    label: str
    items: tuple[T, ...]

    @property
    def slot(self) -> int:
        """A number of its own for every label: 0 for "", then 1 and 2, then 3 to 6, ... (heap order)."""
        return (1 << len(self.label)) - 1 + (int(self.label, 2) if self.label else 0)


def shard(
    items: Iterable[T], key: Callable[[T], str], weights: Callable[[T], Sequence[int]], capacities: Sequence[int]
) -> tuple[Shard[T], ...]:
    """`items` in as few shards as hold them, each filled to at most FILL of every capacity; by label.

    `weights` gives what an item takes of each of `capacities` (same order, same units). Within a shard the items keep
    their order. An item that alone is over a capacity gets a shard of its own: the limits report names it.
    """
    room = tuple(int(capacity * FILL) for capacity in capacities)
    prepared = [(_bits(key(item)), tuple(weights(item)), item) for item in items]
    found: list[Shard[T]] = []

    def split(label: str, part: list[tuple[str, tuple[int, ...], T]]) -> None:
        if not part:
            return
        totals = map(sum, zip(*(weight for _, weight, _ in part), strict=True))
        fits = all(total <= most for total, most in zip(totals, room, strict=True))
        if fits or len(part) == 1 or len(label) == MAX_DEPTH:
            found.append(Shard(label, tuple(item for _, _, item in part)))
            return
        depth = len(label)
        split(label + "0", [each for each in part if each[0][depth] == "0"])
        split(label + "1", [each for each in part if each[0][depth] == "1"])

    split("", prepared)
    return tuple(found)


def _bits(key: str) -> str:
    number = int.from_bytes(sha256(key.encode()).digest()[:8], "big")
    return format(number, "064b")
