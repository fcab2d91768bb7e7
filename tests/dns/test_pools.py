"""What a pool says of the answers it was counted from: fresh or repeated, how many, how much unseen, how fast it turns."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.dns.pools import FEWEST_ANSWERS, Pool, Tally, beyond_chance, chao2, good_turing
from hostgate.dns.rate_bounds import Interval, combined, proportion

TTL = 60


def counted(answers: list[set[str]], ttl: int = TTL, sources: int = 1) -> Pool:
    """The pool of `answers`, each asked for as soon as the last one ended; by `sources` caches in turn."""
    tally = Tally()
    for number, answer in enumerate(answers):
        tally.add(number * (ttl + 2), f"cache-{number % sources}", answer, ttl)
    pool = tally.pool()
    assert pool is not None
    return pool


def drawn(size: int, answer: int, number: int, seed: int) -> list[set[str]]:
    dice = Random(f"pools/{seed}")
    return [{f"192.0.2.{each}" for each in dice.sample(range(size), answer)} for _ in range(number)]


class TestFresh:
    """(seconds, source, addresses, shown TTL) one after the other, and which of them are fresh."""

    @pytest.mark.parametrize(
        ("answers", "fresh"),
        [
            pytest.param([(0, "r", "ab", 60), (25, "r", "ab", 35)], [True, False], id="the-rest-of-a-ttl"),
            pytest.param([(0, "r", "ab", 60), (25, "r", "ba", 35)], [True, False], id="in-another-order"),
            pytest.param([(0, "r", "ab", 60), (60, "r", "ab", 0)], [True, False], id="its-last-second"),
            pytest.param([(0, "r", "ab", 60), (60.3, "r", "ab", 60)], [True, True], id="after-its-end"),
            pytest.param([(0, "r", "ab", 60), (25, "r", "ab", 60)], [True, False], id="a-ttl-that-never-falls"),
            pytest.param([(0, "r", "ab", 60), (25, "r", "cd", 50)], [True, True], id="another-cache-of-one-resolver"),
            pytest.param(
                [(0, "r", "ab", 60), (5, "r", "cd", 40), (9, "r", "ab", 51), (11, "r", "cd", 34)],
                [True, True, False, False],
                id="two-caches-of-one-resolver-in-turn",
            ),
            pytest.param([(0, "r", "ab", 60), (5, "s", "ab", 55)], [True, False], id="two-resolvers-before-one-cache"),
            pytest.param([(0, "r", "ab", 60), (5, "s", "ab", 60)], [True, True], id="two-resolvers-with-own-caches"),
            pytest.param([(0, "r", "ab", 0), (30, "r", "ab", 0)], [True, True], id="never-cached"),
        ],
    )
    def test_only_answers_that_no_cache_repeats_are_counted(
        self, answers: list[tuple[float, str, str, int]], fresh: list[bool]
    ) -> None:
        tally = Tally()
        assert [tally.add(at, source, set(letters), ttl) for at, source, letters, ttl in answers] == fresh
        pool = tally.pool()
        assert pool is not None
        assert (pool.answers, pool.repeats) == (fresh.count(True), fresh.count(False))

    def test_a_stale_answer_is_a_repeat_of_what_was_counted_before(self) -> None:
        tally = Tally()
        assert tally.add(0, "r", {"a"}, 60)
        assert not tally.add(90, "r", {"a"}, 30, stale=True)

    def test_asking_a_cache_every_second_shows_no_more_than_asking_it_once(self) -> None:
        dice = Random("every second")
        often, once = Tally(), Tally()
        for epoch in range(100):
            answer = {str(each) for each in dice.sample(range(16), 4)}
            once.add(epoch * TTL, "r", answer, TTL)
            for second in range(TTL):
                often.add(epoch * TTL + second, "r", answer, TTL - second)
        one, other = often.pool(), once.pool()
        assert one is not None
        assert other is not None
        assert (one.sightings, one.curve, one.miss) == (other.sightings, other.curve, other.miss)

    def test_nothing_counted_is_no_pool(self) -> None:
        assert Tally().pool() is None


class TestFigures:
    def test_they_are_those_of_the_reference_pool(self) -> None:
        """N=64, k=4, uniform: true miss and Chao2 after 10, 60 and 144 answers, averaged over 400 pools."""
        for number, miss, size in ((10, 0.523, 75), (60, 0.0227, 64.3), (144, 0.0002, 64.0)):
            pools = [counted(drawn(64, 4, number, seed)) for seed in range(400)]
            found = sum(pool.miss.estimate for pool in pools) / len(pools)
            ever = sum(chao2(pool.answers, pool.seen, pool.once, pool.twice) for pool in pools) / len(pools)
            assert found == pytest.approx(miss, rel=0.15, abs=2e-4)
            assert ever == pytest.approx(size, rel=0.1)

    def test_a_pool_is_known_after_the_answers_that_show_all_of_it(self) -> None:
        """N=64, k=4: 136 answers (99 %), with as many again to watch for new ones."""
        assert not counted(drawn(64, 4, 200, 1)).known
        assert counted(drawn(64, 4, 300, 1)).known

    def test_all_addresses_seen_once_say_nothing_of_the_size(self) -> None:
        pool = counted([{f"{number}-{each}" for each in range(4)} for number in range(50)])
        assert (pool.size, pool.known, pool.miss.estimate) == (None, False, 1.0)

    def test_one_answer_tells_of_no_other(self) -> None:
        pool = counted([{"a", "b"}])
        assert (pool.unseen(1), pool.unseen(1000), pool.miss.high) == (1, 1, 1)

    def test_sightings_since_the_last_new_address_are_counted(self) -> None:
        pool = counted([{"a", "b"}] * 5 + [{"a", "c"}] + [{"a", "b"}] * 3)
        assert (pool.sightings, pool.since_new) == (18, 6)

    @pytest.mark.parametrize("days", [1, 7])
    def test_addresses_that_take_the_place_of_others_do_not_make_the_pool_larger(self, days: int) -> None:
        dice = Random(f"turnover/{days}")
        pool, answers, fresh = list(range(16)), [], 16
        for _ in range(14 * 1440):
            if dice.random() < 16 / (days * 1440):
                pool[dice.randrange(16)] = fresh
                fresh += 1
            answers.append({str(each) for each in dice.sample(pool, 4)})
        found = counted(answers, ttl=58)
        assert found.size == pytest.approx(16, rel=0.05)
        assert found.new_per_day == pytest.approx(16 / days, rel=0.35)
        assert found.turnover.low <= 1 / (days * 86_400) <= found.turnover.high

    def test_a_pool_that_stays_has_no_arrivals(self) -> None:
        pool = counted(drawn(16, 4, 500, 3))
        assert (pool.arrivals, pool.new_per_day, pool.moves) == (0, 0.0, ())

    def test_addresses_handed_out_in_turn_are_noticed(self) -> None:
        pool = counted([{str(number % 8)} for number in range(400)])
        assert pool.unseen(4) + pool.strayed(4) == pytest.approx(1.0, abs=0.01)
        assert pool.strayed(8) == 0.0

    @pytest.mark.parametrize("number", [600, 3000])
    def test_a_pool_of_uneven_weight_is_judged_by_what_was_seen(self, number: int) -> None:
        """Zipf-weighted, one address in an answer: known or not, the share in none of n answers is the true one."""
        weights = [1 / (rank + 1) for rank in range(64)]
        shares = [weight / sum(weights) for weight in weights]
        dice = Random("zipf")
        pool = counted([{str(dice.choices(range(64), weights)[0])} for _ in range(number)])
        assert pool.known == (number == 3000)
        for n in (1, 15, 60, 240):
            assert pool.unseen(n) == pytest.approx(sum(q * (1 - q) ** n for q in shares), rel=0.25)


class TestIntervals:
    def test_nothing_in_three_thousand_bounds_the_rate_by_one_in_a_thousand(self) -> None:
        assert proportion(0, 3000).high < 1e-3 < proportion(0, 2990).high

    @pytest.mark.parametrize("rate", [0.002, 0.05, 0.5, 0.98])
    def test_each_end_holds_at_least_as_often_as_it_says(self, rate: float) -> None:
        dice = Random(f"coverage/{rate}")
        trials, rounds = 400, 600
        found = [proportion(sum(dice.random() < rate for _ in range(trials)), trials) for _ in range(rounds)]
        assert sum(each.high < rate for each in found) <= 0.07 * rounds
        assert sum(each.low > rate for each in found) <= 0.07 * rounds

    @pytest.mark.parametrize(
        ("size", "answer", "number"), [(16, 4, 10), (64, 4, 40), (64, 8, 30), (256, 8, 60), (16, 1, 40)]
    )
    def test_the_true_miss_is_within_that_of_good_turing(self, size: int, answer: int, number: int) -> None:
        rounds, below = 300, 0
        for seed in range(rounds):
            pool = counted(drawn(size, answer, number, seed))
            below += pool.miss.high < 1 - pool.seen / size
        assert below <= 0.08 * rounds

    def test_a_single_answer_proves_nothing(self) -> None:
        assert good_turing(1, 4, 4, 0) == Interval(1.0, 0.0, 1.0)

    def test_addresses_never_seen_once_only_are_no_certificate(self) -> None:
        """f1 = 0 with many seen twice: what is unseen may be as coarse."""
        assert good_turing(10, 40, 0, 10).high > proportion(0, 40).high

    @given(st.integers(0, 500), st.integers(1, 500))
    def test_an_interval_holds_its_estimate(self, count: int, trials: int) -> None:
        found = proportion(min(count, trials), trials)
        assert 0 <= found.low <= found.estimate <= found.high <= 1

    @given(st.floats(0, 1), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=3))
    def test_doubts_add_up_to_more_than_each_and_less_than_all(
        self, estimate: float, ends: list[tuple[float, float]]
    ) -> None:
        doubts = tuple(Interval(estimate, min(estimate, low), max(estimate, high)) for low, high in ends)
        found = combined(estimate, doubts)
        assert found.high >= max((each.high for each in doubts), default=estimate) - 1e-9
        assert found.high - estimate <= sum(each.high - estimate for each in doubts) + 1e-9

    def test_what_chance_explains_is_no_surplus(self) -> None:
        assert (beyond_chance(3, 0), beyond_chance(130, 100), beyond_chance(200, 100)) == (0, 0, 100)


answers = st.lists(st.frozensets(st.sampled_from("abcdefgh"), min_size=1, max_size=4), min_size=1, max_size=60)


class TestWhatNeverMatters:
    @given(answers, st.permutations("abcdefgh"))
    def test_the_names_of_addresses(self, found: list[frozenset[str]], others: list[str]) -> None:
        renamed = dict(zip("abcdefgh", others, strict=True))
        assert counted([set(each) for each in found]) == counted([{renamed[one] for one in each} for each in found])

    @given(answers, st.integers(1, 3))
    def test_the_caches_that_the_answers_came_from(self, found: list[frozenset[str]], sources: int) -> None:
        assert counted([set(each) for each in found]) == counted([set(each) for each in found], sources=sources)

    @given(answers, st.randoms(use_true_random=False))
    def test_the_order_of_answers_to_what_is_unseen_before_the_pool_is_known(
        self, found: list[frozenset[str]], dice: Random
    ) -> None:
        mixed = [set(each) for each in found]
        dice.shuffle(mixed)
        one, other = counted([set(each) for each in found]), counted(mixed)
        assert (one.miss, one.sightings, one.seen) == (other.miss, other.sightings, other.seen)
        assert one.known or other.known or one.curve == other.curve

    @given(answers)
    def test_the_figures_are_those_of_the_answers(self, found: list[frozenset[str]]) -> None:
        pool = counted([set(each) for each in found])
        counts = Counter(address for answer in found for address in answer)
        assert pool.answers == len(found)
        assert (pool.sightings, pool.seen) == (counts.total(), len(counts))
        assert (pool.once, pool.twice) == (sum(n == 1 for n in counts.values()), sum(n == 2 for n in counts.values()))
        assert pool.size is None or pool.size >= pool.answer * 0.999
        assert len(found) >= 2 * FEWEST_ANSWERS or not pool.known

    @given(answers, st.integers(1, 10_000), st.integers(1, 10_000))
    def test_more_answers_never_leave_more_unseen(self, found: list[frozenset[str]], few: int, more: int) -> None:
        pool = counted([set(each) for each in found])
        assert 1 >= pool.unseen(few) >= pool.unseen(few + more) - 1e-12 >= -1e-12
