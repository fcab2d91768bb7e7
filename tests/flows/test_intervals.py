"""Intervals and address sets against plain sets of numbers."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hostgate.flows.address_sets import EVERY_ADDRESS, AddressSet, internet, networks, symbol
from hostgate.flows.intervals import Intervals

TOP = 40
parts = st.lists(st.tuples(st.integers(0, TOP), st.integers(0, TOP)), max_size=6)


def numbers(intervals: Intervals) -> set[int]:
    return {number for low, high in intervals for number in range(low, high + 1)}


def plain(found: list[tuple[int, int]]) -> set[int]:
    return {number for low, high in found for number in range(low, high + 1)}


@given(parts, parts)
def test_union_meet_and_complement_are_those_of_sets(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    a, b = Intervals.of(one), Intervals.of(two)
    assert numbers(a) == plain(one)
    assert numbers(a | b) == plain(one) | plain(two)
    assert numbers(a & b) == plain(one) & plain(two)
    assert numbers(a.outside(TOP)) == set(range(TOP + 1)) - plain(one)
    assert all((number in a) == (number in plain(one)) for number in range(TOP + 1))
    assert a.size == len(plain(one))


@given(parts, parts)
def test_no_interval_touches_the_next(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    for found in (Intervals.of(one), Intervals.of(one) | Intervals.of(two), Intervals.of(one).outside(TOP)):
        ordered = list(found)
        assert all(high + 1 < low for (_, high), (low, _) in itertools.pairwise(ordered))


@given(parts, parts)
def test_a_set_holds_a_member_of_another_surely_never_or_nobody_knows(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    inside, members = plain(one), plain(two)
    answer = Intervals.of(one).holds(Intervals.of(two))
    if not members or not inside & members:
        assert answer is False
    elif members <= inside:
        assert answer is True
    else:
        assert answer is None


def test_the_inverse_of_an_ipv4_list_holds_every_ipv6_address() -> None:
    outside = networks(["10.0.0.0/8"]).complement
    assert outside.holds(networks(["2001:db8::7"]), "IPv6") is True
    assert outside.holds(networks(["10.1.2.3"]), "IPv4") is False


def test_some_address_of_the_internet_is_in_everything_and_in_no_private_range() -> None:
    for family in ("IPv4", "IPv6"):
        assert EVERY_ADDRESS.holds(internet(), family) is True
        assert networks(["10.0.0.0/8", "fc00::/7"]).holds(internet(), family) is False
    assert networks(["8.0.0.0/8"]).holds(internet(), "IPv4") is None


def test_a_set_that_nobody_sees_leaves_membership_open_whichever_way_it_is_asked() -> None:
    unseen = symbol("pl-123")
    assert unseen.holds(networks(["192.0.2.1"]), "IPv4") is None
    assert unseen.complement.holds(networks(["192.0.2.1"]), "IPv4") is None
    assert (networks(["192.0.2.0/24"]) | unseen).holds(networks(["192.0.2.1"]), "IPv4") is True
    assert unseen.complement.complement == unseen


def test_sets_taken_out_of_a_union_stay_in_doubt() -> None:
    union = symbol("a").complement | networks(["10.0.0.0/8"])
    assert union.holds(networks(["192.0.2.1"]), "IPv4") is None
    assert isinstance(union, AddressSet)
