"""The course of a survey: nothing is lost or invented where it becomes coarser, and it does not grow with answers."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from hostgate.dns.course import MOST_BINS, MOST_ROWS, Course, Recorder

ANSWERS = st.lists(st.tuples(st.floats(0, 4000), st.integers(1, 6)), min_size=1, max_size=120)


def recorded(answers: list[tuple[float, list[int]]]) -> Course:
    recorder = Recorder()
    for at, numbers in answers:
        recorder.add(at, numbers)
    return recorder.course()


def changing(answers: list[tuple[float, int]]) -> list[tuple[float, list[int]]]:
    """Answers that hold one address that is new, and as many of the last ones as asked for."""
    at, found = 1_790_000_000.0, []
    for number, (gap, count) in enumerate(answers):
        at += gap
        found.append((at, list(range(max(0, number - count + 1), number + 1))))
    return found


@given(ANSWERS)
def test_every_answer_and_every_sighting_stays_counted(answers: list[tuple[float, int]]) -> None:
    given_ = changing(answers)
    course = recorded(given_)
    assert sum(course.answers) == len(given_)
    assert sum(map(sum, course.rows)) == sum(len(numbers) for _, numbers in given_)
    assert course.curve[-1] == (len(given_), course.seen) == (len(given_), len(given_))


@given(ANSWERS)
def test_it_covers_the_time_in_few_bins_and_rows(answers: list[tuple[float, int]]) -> None:
    given_ = changing(answers)
    course = recorded(given_)
    assert len(course.answers) <= MOST_BINS
    assert {len(row) for row in course.rows} == {len(course.answers)}
    assert (len(course.answers) - 1) * course.width <= given_[-1][0] - course.began < len(course.answers) * course.width
    assert len(course.rows) <= MOST_ROWS
    assert (len(course.rows) - 1) * course.each < course.seen <= len(course.rows) * course.each


@given(ANSWERS)
def test_shares_are_shares_and_are_none_where_nothing_was_asked(answers: list[tuple[float, int]]) -> None:
    course = recorded(changing(answers))
    for row in range(len(course.rows)):
        for index, count in enumerate(course.answers):
            share = course.share(row, index)
            assert (share is None) == (count == 0)
            assert share is None or 0 <= share <= 1
    assert 0 < course.strongest() <= 1


def test_it_does_not_grow_with_answers() -> None:
    recorder = Recorder()
    for number in range(200_000):
        recorder.add(number * 61.0, (number % 7, number // 100))
    course = recorder.course()
    assert (len(course.answers), course.seen) == (50, 2000)
    assert len(course.curve) < 100
    assert sum(sys.getsizeof(row) for row in recorder._rows) < 20_000


def test_addresses_that_replace_each_other_are_a_diagonal() -> None:
    course = recorded([(60.0 * n, [n // 100]) for n in range(6400)])
    assert course.each == 2
    places = [next(index for index in range(len(course.answers)) if row[index]) for row in course.rows]
    assert places == sorted(places)
    assert places[-1] > 0.9 * len(course.answers)


def test_bins_are_made_as_wide_as_asked_for() -> None:
    course = recorded([(300.0 * n, [0]) for n in range(10)])
    assert 0 in course.answers
    coarser = course.coarser(600)
    assert coarser.width >= 600
    assert 0 not in coarser.answers
    assert sum(coarser.answers) == 10


def test_a_last_bin_of_one_answer_is_not_drawn() -> None:
    course = recorded([(10.0 * n, [0]) for n in range(6 * 60)] + [(3605.0, [1])])
    assert (len(course.answers), course.answers[-1]) == (61, 1)
    assert len(course.coarser(60).answers) == 60


def test_what_chance_adds_once_is_not_the_full_colour() -> None:
    course = recorded([(60.0 * n, [n % 10]) for n in range(640)] + [(60.0 * 641, [0])])
    assert course.strongest() < 0.3
