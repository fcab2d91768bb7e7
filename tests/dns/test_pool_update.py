"""The rules by which a pool follows DNS: additions at once, removals late, batched, guarded, and none for want of answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostgate.catalog.model import Family
from hostgate.dns.pool_update import DEFAULT_WINDOW, PoolUpdate, Round, forgotten, stay, updated
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.pool_form import pool_bytes, read_pool

T0 = 1_790_000_000
HOUR = 3600
DAY = 24 * HOUR
A, B, C, D = "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"
HOST = "cgr.dev"


@dataclass
class Clock:
    """A pool that is refreshed by the hour, as text between, so that nothing lives but what is written."""

    pool: AddressPool = field(default_factory=AddressPool)
    now: int = T0
    removed: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, *addresses: str, host: str = HOST, vantage: str = "here", **more: object) -> PoolUpdate:
        seen: dict[tuple[str, Family], tuple[str, ...]] = {}
        for each in addresses:
            key: tuple[str, Family] = (host, "ipv6" if ":" in each else "ipv4")
            seen[key] = (*seen.get(key, ()), each)
        found = Round(vantage=vantage, hosts={host: DEFAULT_WINDOW}, windows={}, seen=seen, most_removed=1.0)
        made = updated(self.pool, replace(found, **more), self.now)  # type: ignore[arg-type]
        self.pool = read_pool(pool_bytes(made.pool), "pool.txt")
        self.removed += made.removed
        return made

    def hours(self, count: int, *addresses: str, vantage: str = "here") -> None:
        for _ in range(count):
            self.now += HOUR
            self.answer(*addresses, vantage=vantage)

    def holds(self, host: str = HOST) -> set[str]:
        return {each.address for each in self.pool.hosts[host].addresses}


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.answer(A, B)
    return made


def test_an_address_counts_from_its_first_answer_on(clock: Clock) -> None:
    clock.now += 60
    assert clock.answer(C, "2001:db8::1").added == ((HOST, C), (HOST, "2001:db8::1"))
    assert clock.holds() == {A, B, C, "2001:db8::1"}


def test_an_address_that_nobody_sees_any_more_stays_for_the_window_and_then_leaves(clock: Clock) -> None:
    clock.hours(24, A)
    assert clock.holds() == {A, B}
    clock.hours(8, A)
    assert clock.holds() == {A}


def test_what_is_seen_again_within_the_window_starts_it_anew(clock: Clock) -> None:
    clock.hours(20, A)
    clock.hours(1, A, B)
    clock.hours(24, A)
    assert clock.holds() == {A, B}


@pytest.mark.parametrize("days", [1, 3, 300])
def test_without_answers_nothing_is_removed_however_long_it_lasts(clock: Clock, days: int) -> None:
    for _ in range(days):
        clock.now += DAY
        assert clock.answer() == PoolUpdate(clock.pool)
    clock.now += HOUR
    clock.answer(A)
    assert clock.holds() == {A, B}


def test_after_an_outage_the_window_begins_anew(clock: Clock) -> None:
    clock.now += 3 * DAY
    clock.hours(24, A)
    assert clock.holds() == {A, B}
    clock.hours(8, A)
    assert clock.holds() == {A}


def test_answers_of_one_family_say_nothing_about_the_other(clock: Clock) -> None:
    clock.answer("2001:db8::1")
    clock.hours(48, A)
    assert clock.holds() == {A, "2001:db8::1"}


def test_what_one_place_sees_is_not_lost_because_another_does_not_see_it(clock: Clock) -> None:
    for _ in range(40):
        clock.now += HOUR
        clock.answer(C, D, vantage="elsewhere")
        clock.answer(A, B)
    assert clock.holds() == {A, B, C, D}


def test_a_place_that_has_gone_silent_keeps_its_addresses_until_somebody_forgets_it(clock: Clock) -> None:
    clock.hours(24 * 10, C, vantage="elsewhere")
    assert clock.holds() == {A, B, C}
    pool = clock.pool.hosts[HOST]
    assert stay(pool, pool.addresses[0], clock.now).waits_for == ("here",)
    clock.pool = forgotten(clock.pool, vantage="here")
    assert clock.holds() == {C}
    assert all(vantage == "elsewhere" for _, vantage in clock.pool.hosts[HOST].watched)


def test_a_resolver_that_lies_for_an_hour_removes_nothing(clock: Clock) -> None:
    for _ in range(12):
        clock.now += 300
        clock.answer("198.51.100.66")
    clock.hours(2, A)
    assert clock.holds() == {A, B, "198.51.100.66"}
    clock.hours(40, A, B)
    assert clock.holds() == {A, B}


def test_a_text_between_does_not_change_while_nothing_does(clock: Clock) -> None:
    before = pool_bytes(clock.pool)
    for _ in range(5):
        clock.now += 300
        clock.answer(A, B)
    assert pool_bytes(clock.pool) == before


def test_one_changed_address_changes_one_line(clock: Clock) -> None:
    before = pool_bytes(clock.pool).splitlines()
    clock.now += 300
    clock.answer(A, B, C)
    after = pool_bytes(clock.pool).splitlines()
    assert len(set(after) - set(before)) == 1
    assert not set(before) - set(after)


def test_removals_come_in_batches() -> None:
    """Addresses that were seen once each, minute by minute, do not leave minute by minute."""
    clock = Clock()
    for minute in range(40):
        clock.now += 60
        clock.answer(f"203.0.113.{minute}", "198.51.100.1")
    steps = 0
    for _ in range(34 * 60):
        clock.now += 60
        steps += bool(clock.answer("198.51.100.1").removed)
    assert clock.holds() == {"198.51.100.1"}
    assert steps == 2


class TestGuard:
    def test_more_than_the_share_is_held_back_all_of_it_and_additions_are_not(self, clock: Clock) -> None:
        clock.hours(26, C, D)
        clock.now += 6 * HOUR
        made = clock.answer(C, D, "203.0.113.9", most_removed=0.2)
        clock.now += HOUR
        assert not made.removed
        made = clock.answer(C, D, most_removed=0.2)
        assert (made.held, made.removed) == (((HOST, A), (HOST, B)), ())
        assert clock.holds() == {A, B, C, D, "203.0.113.9"}
        assert clock.answer(C, D, most_removed=0.5).removed == ((HOST, A), (HOST, B))

    def test_a_share_of_nothing_is_nothing(self, clock: Clock) -> None:
        for _ in range(40):
            clock.now += HOUR
            made = clock.answer(A, most_removed=0.0)
        assert made.held == ((HOST, B),)

    def test_one_address_may_always_leave(self) -> None:
        clock = Clock()
        clock.answer(A)
        for _ in range(32):
            clock.now += HOUR
            clock.answer(B, most_removed=0.2)
        assert clock.holds() == {B}

    def test_other_hosts_of_the_pool_do_not_make_room_for_more(self, clock: Clock) -> None:
        clock.answer(*(f"198.51.100.{n}" for n in range(200)), host="other.example")
        clock.hours(31, C)
        clock.removed.clear()
        made = Clock(replace(clock.pool), clock.now)
        assert made.holds() == {C}
        clock = Clock()
        clock.answer(*(f"198.51.100.{n}" for n in range(200)), host="other.example")
        clock.answer(A, B)
        for _ in range(40):
            clock.now += HOUR
            made_ = clock.answer(C, most_removed=0.2)
        assert made_.held == ((HOST, A), (HOST, B))


class TestClocks:
    def test_a_clock_that_jumps_ahead_removes_nothing_and_back_again_nothing_stays_for_years(
        self, clock: Clock
    ) -> None:
        clock.now += 400 * DAY
        clock.answer(A)
        clock.now += HOUR - 400 * DAY
        clock.answer(A)
        assert clock.holds() == {A, B}
        assert max(each.last for each in clock.pool.hosts[HOST].addresses) <= clock.now
        clock.hours(32, A)
        assert clock.holds() == {A}

    def test_a_clock_that_jumps_back_removes_nothing(self, clock: Clock) -> None:
        clock.now -= 400 * DAY
        clock.answer(A)
        clock.now += 400 * DAY
        clock.hours(20, A)
        assert clock.holds() == {A, B}

    def test_a_jump_that_the_refresher_noticed_starts_the_window_anew(self, clock: Clock) -> None:
        clock.hours(24, A)
        clock.now += HOUR
        clock.answer(unbroken=False)
        clock.hours(24, A)
        assert clock.holds() == {A, B}

    def test_a_jump_that_nobody_can_notice_takes_nothing_that_was_seen_within_the_window(self, clock: Clock) -> None:
        clock.hours(23, A)
        clock.now += 5 * HOUR
        clock.answer(A)
        assert clock.holds() == {A, B}

    def test_clocks_of_two_places_may_differ_by_a_few_minutes(self, clock: Clock) -> None:
        clock.now += 200
        clock.answer(A, B, vantage="ahead")
        clock.now -= 190
        before = pool_bytes(clock.pool)
        clock.answer(A, B)
        assert pool_bytes(clock.pool) == before


class TestWindows:
    def test_a_window_grows_by_need_and_shrinks_by_a_persons_word_only(self, clock: Clock) -> None:
        clock.answer(A, hosts={HOST: 3 * DAY})
        clock.answer(A, hosts={HOST: DAY})
        assert clock.pool.hosts[HOST].window == 3 * DAY
        clock.answer(A, windows={HOST: 2 * HOUR})
        assert clock.pool.hosts[HOST].window == 2 * HOUR

    def test_a_host_without_an_answer_is_in_the_pool_and_told_as_lacking(self) -> None:
        clock = Clock()
        clock.answer()
        assert list(clock.pool.lacking([HOST])) == [HOST]


def test_forgetting_takes_one_address_or_the_host() -> None:
    clock = Clock()
    clock.answer(A, B)
    clock.pool = forgotten(clock.pool, HOST, [A])
    assert clock.holds() == {B}
    assert forgotten(clock.pool, HOST).hosts == {}
    clock.pool = forgotten(clock.pool, HOST, [B])
    clock.answer(C)
    assert clock.holds() == {C}


STEP = st.tuples(
    st.sampled_from(["here", "there"]),
    st.sets(st.sampled_from([A, B, C, D, "2001:db8::1", "2001:db8::2"])),
    st.sampled_from([60, 300, HOUR, 3 * HOUR, 7 * HOUR, DAY, 5 * DAY]),
)


def _played(
    steps: Iterable[tuple[str, set[str], int]], jumps: Iterable[int]
) -> Iterable[tuple[Clock, dict[str, int], int]]:
    """The pool after each step, when each address was truly last seen, and the true time. The clock on the wall jumps."""
    clock = Clock()
    true, last = T0, {}
    wrong = dict(enumerate(jumps))
    for number, (vantage, answer, wait) in enumerate(steps):
        true += wait
        clock.now = true + wrong.get(number, 0)
        clock.answer(*answer, vantage=vantage)
        last.update(dict.fromkeys(answer, true))
        yield clock, last, true


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_no_address_is_lost_that_was_seen_within_the_window(steps: list[tuple[str, set[str], int]]) -> None:
    for clock, last, true in _played(steps, ()):
        assert clock.holds() >= {each for each, at in last.items() if true - at <= DEFAULT_WINDOW}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(STEP, max_size=40),
    st.lists(st.sampled_from([0, 0, 0, 400 * DAY, -400 * DAY, 8 * HOUR, -8 * HOUR, 5 * HOUR]), max_size=40),
)
def test_nor_where_the_clock_jumps(steps: list[tuple[str, set[str], int]], jumps: list[int]) -> None:
    for clock, last, true in _played(steps, jumps):
        assert clock.holds() >= {each for each, at in last.items() if true - at <= DEFAULT_WINDOW}


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=40), st.sets(st.sampled_from([A, B]), min_size=1))
def test_no_family_of_a_host_is_ever_emptied(steps: list[tuple[str, set[str], int]], first: set[str]) -> None:
    for clock, _, _ in _played([("here", first, 60), *steps], ()):
        assert clock.pool.of(HOST, "ipv4")


@settings(max_examples=200, deadline=None)
@given(st.sets(st.sampled_from([A, B, C])), st.sets(st.sampled_from([B, C, D])), st.lists(STEP, max_size=10))
def test_two_that_write_one_after_the_other_make_the_same_pool_in_either_order(
    ours: set[str], theirs: set[str], before: list[tuple[str, set[str], int]]
) -> None:
    start = Clock()
    for start, _, _ in _played(before, ()):  # noqa: B007
        pass
    orders = []
    for order in ((("here", ours), ("there", theirs)), (("there", theirs), ("here", ours))):
        clock = Clock(start.pool, start.now + 60)
        for vantage, answer in order:
            clock.answer(*answer, vantage=vantage, judged=frozenset())
        orders.append(pool_bytes(clock.pool))
    assert orders[0] == orders[1]
