"""Match kinds as sets of names: the algebra agrees with brute force over every name of a small universe."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostgate.catalog.match_kinds import BREADTH, holds, meet, within
from hostgate.catalog.model import MATCHES, Match

LABELS = ("a", "b", "ab")
HOSTS = [".".join(labels) for depth in (1, 2, 3) for labels in product(LABELS, repeat=depth)]
UNIVERSE = [".".join(labels) for depth in (1, 2, 3, 4, 5) for labels in product(LABELS, repeat=depth)]
"""Two labels deeper than any host: deep enough to tell every kind from every other."""

kinds = st.sampled_from(MATCHES)
hosts = st.sampled_from(HOSTS)
names = st.sampled_from(UNIVERSE)


def is_member(kind: Match, host: str, name: str) -> bool:
    """The definition, label by label."""
    ours, theirs = host.split("."), name.split(".")
    below = len(theirs) - len(ours)
    if below < 0 or theirs[below:] != ours:
        return False
    return {"exact": below == 0, "one-label": below == 1, "subtree": below >= 1, "subtree+apex": True}[kind]


def members(kind: Match, host: str) -> frozenset[str]:
    return frozenset(name for name in UNIVERSE if is_member(kind, host, name))


@settings(max_examples=300)
@given(kinds, hosts, names)
def test_a_set_holds_exactly_its_members(kind: Match, host: str, name: str) -> None:
    assert holds(kind, host, name) == is_member(kind, host, name)


@settings(max_examples=300)
@given(kinds, hosts, kinds, hosts)
def test_one_set_is_within_another_if_every_member_is(kind: Match, host: str, other: Match, root: str) -> None:
    assert within(kind, host, other, root) == (members(kind, host) <= members(other, root))


@settings(max_examples=300)
@given(kinds, hosts, kinds, hosts)
def test_two_sets_meet_if_they_share_a_member(kind: Match, host: str, other: Match, root: str) -> None:
    assert meet(kind, host, other, root) == bool(members(kind, host) & members(other, root))


@given(kinds, kinds, st.sampled_from(HOSTS[:12]), st.sampled_from(["", "a.", "b.a.", "ab."]))
def test_the_algebra_holds_for_a_host_and_one_below_it(kind: Match, other: Match, root: str, prefix: str) -> None:
    host = prefix + root

    assert within(kind, host, other, root) == (members(kind, host) <= members(other, root))
    assert meet(kind, host, other, root) == bool(members(kind, host) & members(other, root))


@given(kinds, hosts, names)
def test_names_are_compared_without_regard_to_case(kind: Match, host: str, name: str) -> None:
    assert holds(kind, host, name.upper()) == holds(kind, host, name)


@given(kinds, hosts, names)
def test_a_trailing_dot_makes_another_name(kind: Match, host: str, name: str) -> None:
    assert not holds(kind, host, name + ".")


@pytest.mark.parametrize("kind", MATCHES)
@pytest.mark.parametrize(
    "name", ["notcgr.dev", "cgr.dev.evil.example", "cgr-dev", "dev", "", ".", ".cgr.dev", "a..cgr.dev", "..cgr.dev"]
)
def test_a_name_that_only_looks_like_one_below_is_in_no_set(kind: Match, name: str) -> None:
    assert not holds(kind, "cgr.dev", name)


def test_a_kind_of_lower_rank_is_never_wider() -> None:
    wider = [
        (narrow, broad)
        for narrow in MATCHES
        for broad in MATCHES
        if BREADTH[narrow] < BREADTH[broad] and members(narrow, "a") > members(broad, "a")
    ]

    assert wider == []
