"""False drops: what makes them more or fewer, when nothing is said, and what a list would need to have fewer."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_cases import DAY, surveyed

from hostgate.dns.false_drop import TARGET, Refreshing, false_drop, remedy
from hostgate.dns.pools import FEWEST_ANSWERS, Pool, Tally

TTL = 60.0


def pool_of(size: int, answer: int, number: int, *, changing: float = 0.0, seed: int = 0) -> Pool:
    """A pool surveyed for `number` answers; `changing`: addresses replaced per answer, on average."""
    dice = Random(f"false drop/{size}/{answer}/{seed}")
    tally, pool, fresh = Tally(), list(range(size)), size
    for index in range(number):
        if dice.random() < changing:
            pool[dice.randrange(size)] = fresh
            fresh += 1
        tally.add(index * TTL * 1.01, "r", {str(each) for each in dice.sample(pool, answer)}, TTL)
    made = tally.pool()
    assert made is not None
    return made


POOLS = {
    "steady": pool_of(4, 4, 1500),
    "rotating": pool_of(16, 4, 1500),
    "one at a time": pool_of(64, 1, 1500),
    "changing": pool_of(16, 4, 8000, changing=0.02),
    "barely seen": pool_of(64, 4, 30),
}
pools = st.sampled_from(sorted(POOLS)).map(POOLS.__getitem__)
hows = st.builds(
    Refreshing,
    refresh=st.sampled_from([15.0, 30.0, 60.0, 300.0, 3600.0]),
    keep=st.sampled_from([0.0, 60.0, 900.0, 7200.0, 86_400.0]),
    delay=st.sampled_from([0.0, 10.0, 60.0, 300.0]),
    shared=st.booleans(),
)


def estimate(pool: Pool, how: Refreshing, ttl: float = TTL) -> float:
    found = false_drop(pool, ttl, how)
    assert found is not None
    return found.estimate


class TestDirection:
    @given(pools, hows, st.sampled_from([1.0, 2.0, 10.0]))
    def test_keeping_addresses_for_longer_never_drops_more(self, pool: Pool, how: Refreshing, times: float) -> None:
        longer = replace(how, keep=how.keep * times + how.refresh)
        assert estimate(pool, longer) <= estimate(pool, how) * 1.001 + 1e-12

    @given(pools, hows, st.sampled_from([2.0, 5.0, 60.0]))
    def test_asking_less_often_never_drops_fewer(self, pool: Pool, how: Refreshing, times: float) -> None:
        assert estimate(pool, replace(how, refresh=how.refresh * times)) >= estimate(pool, how) * 0.999 - 1e-12

    @given(pools, hows, st.floats(0, 3600))
    def test_a_later_change_never_drops_fewer(self, pool: Pool, how: Refreshing, later: float) -> None:
        assert estimate(pool, replace(how, delay=how.delay + later)) >= estimate(pool, how) - 1e-12

    @given(pools, hows)
    def test_one_cache_for_both_never_drops_more(self, pool: Pool, how: Refreshing) -> None:
        assert estimate(pool, replace(how, shared=True)) <= estimate(pool, replace(how, shared=False))

    @given(pools, hows, st.sampled_from([1, 2, 3, 4, 32]))
    def test_a_cap_on_addresses_never_drops_fewer(self, pool: Pool, how: Refreshing, cap: int) -> None:
        assert estimate(pool, replace(how, cap=cap)) >= estimate(pool, how)

    @given(pools, hows, st.sampled_from([1.0, 20.0, 60.0, 300.0, 3600.0]))
    def test_a_prediction_lies_within_its_interval(self, pool: Pool, how: Refreshing, ttl: float) -> None:
        found = false_drop(pool, ttl, how)
        assert found is not None
        assert 0 <= found.low <= found.estimate <= found.high <= 1


class TestKnownCases:
    @pytest.mark.parametrize(
        ("ttl", "refresh", "delay", "share"),
        [
            (60.0, 30.0, 10.0, 25 / 60),
            (60.0, 60.0, 10.0, (3500 / 120 + 10) / 60),
            (60.0, 15.0, 0.0, 0.125),
            (60.0, 60.0, 60.0, 1.0),
            (0.0, 60.0, 0.0, 1.0),
        ],
    )
    def test_a_shared_cache_drops_while_the_list_is_behind(
        self, ttl: float, refresh: float, delay: float, share: float
    ) -> None:
        pool = POOLS["rotating"]
        found = estimate(pool, Refreshing(refresh=refresh, delay=delay, shared=True), ttl)
        assert found == pytest.approx(share * pool.unseen(1), rel=0.03)

    def test_the_whole_pool_in_each_answer_drops_nobody(self) -> None:
        found = false_drop(POOLS["steady"], TTL, Refreshing(refresh=60.0, delay=60.0))
        assert found is not None
        assert (found.estimate, found.high < 2e-3) == (0.0, True)

    @pytest.mark.parametrize("keep", [0.0, 900.0])
    def test_a_shared_cache_drops_new_addresses_until_the_list_has_them(self, keep: float) -> None:
        """All of the pool in each answer, asked every 15 s: a new address is missed for 7.5 s of the 60 s it is new."""
        pool = pool_of(4, 4, 8000, changing=0.05)
        new_in_an_answer = pool.turnover.estimate * TTL
        found = estimate(pool, Refreshing(refresh=15.0, keep=keep, shared=True))
        assert found == pytest.approx(new_in_an_answer * 7.5 / 60, rel=0.02)

    def test_addresses_beyond_the_cap_are_dropped(self) -> None:
        assert estimate(pool_of(40, 40, 100), Refreshing(refresh=300.0, cap=32)) == pytest.approx(0.2)

    def test_addresses_that_are_switched_back_and_forth_are_no_rotation(self) -> None:
        """Two sets, six hours each: chance would have shown both within minutes."""
        tally = Tally()
        for index in range(4 * 1440):
            half = index // 360 % 2
            tally.add(index * 61, "r", {f"{half}-{each}" for each in range(2)}, 60)
        pool = tally.pool()
        assert pool is not None
        how = Refreshing(refresh=60.0, delay=60.0, keep=3600.0)
        assert 0.5 * 90 / 21_600 < estimate(pool, how) < 2 * 90 / 21_600
        assert estimate(pool, replace(how, keep=9 * 3600.0)) < 1e-3


class TestFewAnswers:
    @given(st.integers(1, FEWEST_ANSWERS - 1), hows)
    def test_nothing_is_predicted_from_fewer_than_ten(self, number: int, how: Refreshing) -> None:
        pool = pool_of(4, 2, number)
        assert false_drop(pool, TTL, how) is None
        assert remedy(pool, TTL) is None

    @given(st.integers(FEWEST_ANSWERS, 700), st.integers(1, 4))
    def test_fewer_than_three_thousand_sightings_never_bound_drops_by_one_in_a_thousand(
        self, number: int, answer: int
    ) -> None:
        found = false_drop(pool_of(4, answer, number), TTL, Refreshing(refresh=30.0, keep=DAY))
        assert found is not None
        assert found.high > TARGET

    def test_all_addresses_seen_once_leave_everything_open_or_worse(self) -> None:
        tally = Tally()
        for index in range(50):
            tally.add(index * 61, "r", {f"{index}-{each}" for each in range(4)}, 60)
        pool = tally.pool()
        assert pool is not None
        found = false_drop(pool, TTL, Refreshing(refresh=60.0, keep=DAY))
        assert found is not None
        assert found.high == 1.0


class TestRemedy:
    @pytest.mark.parametrize(
        ("size", "answer", "minutes"), [(16, 1, 107), (16, 4, 24), (16, 8, 9), (64, 4, 107), (64, 8, 51), (256, 8, 217)]
    )
    def test_the_window_is_that_of_the_model(self, size: int, answer: int, minutes: int) -> None:
        found = remedy(surveyed(size, answer, 0, 1), TTL)
        assert found is not None
        assert found.refresh == 60.0
        assert found.keep == pytest.approx(minutes * 60, rel=0.15)

    @pytest.mark.parametrize("name", ["steady", "rotating", "one at a time"])
    def test_it_brings_drops_under_the_target_and_no_shorter_window_does(self, name: str) -> None:
        found = remedy(POOLS[name], TTL)
        assert found is not None
        how = Refreshing(refresh=found.refresh, keep=found.keep, delay=60.0)
        assert estimate(POOLS[name], how) < TARGET
        assert found.keep == 0 or estimate(POOLS[name], replace(how, keep=found.keep - TTL)) >= TARGET

    def test_no_window_helps_where_addresses_change_too_fast(self) -> None:
        assert remedy(pool_of(16, 4, 8000, changing=0.2), TTL) is None

    @pytest.mark.parametrize(("ttl", "refresh"), [(5.0, 30.0), (90.0, 90.0), (3600.0, 300.0)])
    def test_a_list_asks_at_the_ttl_within_bounds(self, ttl: float, refresh: float) -> None:
        found = remedy(POOLS["rotating"], ttl)
        assert found is not None
        assert found.refresh == refresh
