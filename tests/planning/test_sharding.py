"""Sharding by stable hash: what moves when an item comes, and how full a shard gets."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.planning.sharding import FILL, MAX_DEPTH, Shard, shard

CAPACITY = 20
ROOM = int(CAPACITY * FILL)

names = st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), unique=True, max_size=120)


def sharded(items: list[str], capacity: int = CAPACITY) -> dict[str, tuple[str, ...]]:
    """Label to items."""
    parts = shard(items, key=str, weights=lambda _: (1,), capacities=(capacity,))
    return {part.label: part.items for part in parts}


@given(items=names, extra=st.text("ghijkl", min_size=1, max_size=6))
def test_one_more_item_changes_one_shard_and_a_split_three(items: list[str], extra: str) -> None:
    before, after = sharded(items), sharded([*items, extra])
    changed = [label for label in before.keys() | after.keys() if before.get(label) != after.get(label)]
    split = before.keys() - after.keys()
    if not split:
        assert len(changed) == 1
        return
    (gone,) = split
    new = after.keys() - before.keys()
    assert len(changed) == 1 + len(new)
    assert all(label.startswith(gone) for label in new)
    assert len(new) <= 2 or any(len(label) > len(gone) + 1 for label in new)


def test_a_split_in_two_changes_exactly_three_objects() -> None:
    items = [f"item-{number}" for number in range(ROOM)]
    assert set(sharded(items)) == {""}
    assert set(sharded([*items, "one more"])) == {"0", "1"}


@given(items=names, seed=st.integers(0, 99))
def test_order_changes_neither_shards_nor_who_is_in_them(items: list[str], seed: int) -> None:
    shuffled = list(items)
    random.Random(seed).shuffle(shuffled)
    one, other = sharded(items), sharded(shuffled)
    assert {label: set(part) for label, part in one.items()} == {label: set(part) for label, part in other.items()}


@given(items=names)
def test_every_item_is_in_one_shard_and_no_shard_is_filled_over_its_share(items: list[str]) -> None:
    found = sharded(items)
    assert sorted(item for part in found.values() for item in part) == sorted(items)
    assert all(0 < len(part) <= ROOM for part in found.values())


@given(items=names)
def test_slots_are_unique_and_in_the_order_of_growth(items: list[str]) -> None:
    parts = shard(items, key=str, weights=lambda _: (1,), capacities=(CAPACITY,))
    assert len({part.slot for part in parts}) == len(parts)
    assert [part.label for part in parts] == sorted(part.label for part in parts)


@pytest.mark.parametrize(
    ("label", "slot"), [("", 0), ("0", 1), ("1", 2), ("00", 3), ("01", 4), ("10", 5), ("11", 6), ("000", 7)]
)
def test_a_label_has_a_slot_of_its_own(label: str, slot: int) -> None:
    assert Shard(label, ()).slot == slot


def test_every_capacity_is_kept_not_only_the_first() -> None:
    items = [f"item-{number}" for number in range(50)]
    parts = shard(items, key=str, weights=lambda _: (1, 10), capacities=(1_000, 200))
    assert all(10 * len(part.items) <= 200 * FILL for part in parts)


def test_nothing_makes_no_shard() -> None:
    assert shard([], key=str, weights=lambda _: (1,), capacities=(10,)) == ()


def test_an_item_larger_than_an_object_is_alone_so_that_the_limit_names_it() -> None:
    weights = {"huge": 100, "small": 1, "tiny": 1}
    parts = shard(weights, key=str, weights=lambda item: (weights[item],), capacities=(10,))
    assert ("huge",) in [part.items for part in parts]


def test_items_that_hash_alike_end_in_one_shard_at_the_last_depth() -> None:
    parts = shard(range(30), key=lambda _: "same", weights=lambda _: (1,), capacities=(10,))
    assert [len(part.label) for part in parts] == [MAX_DEPTH]
