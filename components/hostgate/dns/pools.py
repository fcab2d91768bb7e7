"""A pool: what the answers for one name and address family say about the addresses behind it.

Addresses are judged like species in samples: how many there are (Chao2), how much of the next answer was never seen
(Good-Turing), how often new ones arrive, and how likely an address of one answer was in none of n earlier ones. Only
fresh answers count: a resolver that repeats its cache tells nothing new.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from math import ceil, exp, lgamma, log, sqrt

from hostgate.dns.rate_bounds import NORMAL, Interval, proportion

SAME_MOMENT = 1.5
"""Seconds. Two answers that expire this close together came from one cache: shown TTLs are whole seconds."""

FEWEST_ANSWERS = 10
"""Fresh answers below which nothing is said: two answers can be equal, or different, by chance."""

KNOWN = 0.99
"""How certain it must be that every address was seen before one that appears counts as new (the coupon
collector's problem for a uniform pool: ln(1-0.99^(1/N))/ln(1-k/N) answers)."""

_FAR = 10_000_000
"""Answers. Windows are never longer: at 30 s, ten years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The addresses behind a name, of one family, as `answers` fresh answers show them.

    `size` is Chao2's estimate of how many there are, times the share of the survey in which one is in use where new
    ones take the place of others; None if all that was seen was seen once. `miss` is the share of the next answer that
    was never seen (Good-Turing). `arrivals` new addresses came during `watched` seconds; the watch begins when the pool
    counts as known (`known`), or at half of the survey where it never did.
    """

    answers: int
    repeats: int
    """Answers that only repeated a cache."""
    sightings: int
    """Addresses in all fresh answers together."""
    seen: int
    """Different ones."""
    once: int
    twice: int
    since_new: int
    """Sightings since the last address that was new."""
    size: float | None
    miss: Interval
    known: bool
    arrivals: int
    watched: float
    spacing: float
    """Seconds between fresh answers, on average."""
    curve: tuple[tuple[int, float], ...] = field(repr=False)
    """(n, share of an answer that is in none of n earlier answers), n rising; beyond the last n its share is zero."""
    moves: tuple[tuple[int, float], ...] = field(repr=False)
    """(n, share beyond the curve) from each n on: addresses that stay away longer than chance explains."""
    trials: float = field(repr=False)
    """Sightings that the curve rests on, as far as they are independent."""

    @property
    def answer(self) -> float:
        """Addresses in an answer, on average."""
        return self.sightings / self.answers

    @property
    def new_per_day(self) -> float | None:
        """Addresses that are new, per day; None before the pool is known."""
        return self.arrivals / self.watched * 86_400 if self.known and self.watched else None

    @property
    def turnover(self) -> Interval:
        """Share of the pool that is replaced, per second, as if every arrival took another's place (lambda)."""
        if not self.watched or self.size is None:
            return Interval(0.0, 0.0, float("inf"))
        exposure = self.size * self.watched
        events = proportion(self.arrivals, max(self.sightings, self.arrivals + 1))
        scale = max(self.sightings, self.arrivals + 1) / exposure
        if not self.known:  # late discoveries cannot be told from arrivals
            return Interval(0.0, 0.0, events.high * scale)
        return Interval(self.arrivals / exposure, events.low * scale, events.high * scale)

    def unseen(self, n: float) -> float:
        """The share of an answer's addresses that are in none of `n` other answers, if no address comes or goes."""
        return _at(self.curve, n)

    def strayed(self, n: float) -> float:
        """What comes on top of `unseen` because addresses rest for longer than chance explains."""
        return next((share for least, share in reversed(self.moves) if least <= n), 0.0)


class Tally:
    """Counts answers into a pool. Answers are added in order of time; memory grows with addresses, not with answers."""

    def __init__(self) -> None:
        self._addresses: dict[str, list[int]] = {}  # count, first and last answer, own number
        self._live: dict[frozenset[str], list[tuple[float, str]]] = {}
        self._away: Counter[int] = Counter()  # by the power of two that the gap exceeds
        self._clock: list[tuple[int, float]] = []
        self._every = 1
        self._last = 0.0
        self.answers = self.repeats = 0
        self._sightings = self._at_last_new = 0

    @property
    def seen(self) -> Collection[str]:
        return self._addresses.keys()

    def number(self, address: str) -> int:
        """The place of a counted `address` in the order in which they were first seen, from 0."""
        return self._addresses[address][3]

    def add(self, at: float, source: str, addresses: Collection[str], ttl: float, *, stale: bool = False) -> bool:
        """Count the answer that `source` (a resolver, at a vantage point) gave `at` a time; whether it was fresh.

        A cache shows the remaining `ttl` and the same addresses until it ends. So an answer is a repeat if the same
        source gave these addresses and they have not expired since, or if any other gave them with the same end (two
        resolvers before one cache). `stale` answers are past their end and repeat what was counted before.
        """
        answer = frozenset(addresses)
        ends = at + ttl
        live = [each for each in self._live.get(answer, ()) if each[0] + SAME_MOMENT >= at]
        if stale or any(abs(end - ends) <= SAME_MOMENT or (whose == source and at < end) for end, whose in live):
            self.repeats += 1
            return False
        self._live[answer] = [*live, (ends, source)]
        if len(self._live) > 16 and self.answers % 16 == 0:
            self._live = {key: kept for key, kept in self._live.items() if kept[-1][0] + SAME_MOMENT >= at}
        self._count(at, answer)
        return True

    def _count(self, at: float, answer: frozenset[str]) -> None:
        number = self.answers
        self.answers += 1
        self._sightings += len(answer)
        for address in sorted(answer):  # numbered alike whatever the order of a set
            counts = self._addresses.get(address)
            if counts is None:
                self._addresses[address] = [1, number, number, len(self._addresses)]
                self._at_last_new = self._sightings
                continue
            self._away[(number - counts[2] - 1).bit_length()] += 1
            counts[0] += 1
            counts[2] = number
        self._last = at
        if number % self._every == 0:
            self._clock.append((number, at))
            if len(self._clock) > 64:
                self._clock = self._clock[::2]
                self._every *= 2

    def pool(self) -> Pool | None:
        """What the answers so far say; None without any."""
        if not self._addresses:
            return None
        m, total, seen = self.answers, self._sightings, len(self._addresses)
        counted = Counter(sorted(count for count, *_ in self._addresses.values()))
        once, twice = counted[1], counted[2]
        # sorted, so that the same answers give the same bytes whatever the hash seed
        lives = Counter(sorted((count, last - first) for count, first, last, _ in self._addresses.values()))
        gaps = total - seen
        ever = chao2(m, seen, once, twice)
        size = None if not gaps else max(total / m, ever * _time_in_use(m, gaps, seen, lives))
        begin = min(answers_to_know(size, total / m) if size else m, m // 2)
        known = size is not None and begin < m // 2
        arrivals = sum(first >= begin for _, first, *_ in self._addresses.values())
        if size is not None and not (known and arrivals):  # nothing says that addresses leave
            size = ever
        miss = good_turing(m, total, once, twice)
        if known and arrivals:
            curve = _gap_curve(m, lives, sum(n == 1 and first < begin for n, first, *_ in self._addresses.values()))
        else:
            curve = _rarefied(m, total, counted, once, twice)
        doubt = 1 + 2 * twice / once if once else 1.0  # Esty's variance over the binomial one
        return Pool(
            answers=m,
            repeats=self.repeats,
            sightings=total,
            seen=seen,
            once=once,
            twice=twice,
            since_new=total - self._at_last_new,
            size=size,
            miss=miss,
            known=known,
            arrivals=arrivals,
            watched=self._last - self._time_of(begin),
            spacing=(self._last - self._clock[0][1]) / max(1, m - 1),
            curve=curve,
            moves=_moves(self._away, curve, gaps) if known else (),
            trials=gaps if known else total / doubt,
        )

    def _time_of(self, number: int) -> float:
        """When the answer `number` came, to within the thinned clock."""
        before = self._clock[0]
        for after in (*self._clock, (self.answers - 1, self._last)):
            if after[0] >= number:
                share = (number - before[0]) / max(1, after[0] - before[0])
                return before[1] + share * (after[1] - before[1])
            before = after
        return self._last


def good_turing(answers: int, sightings: int, once: int, twice: int) -> Interval:
    """The share of the next answer that was never seen: f1/U, with Esty's variance (1983) and never below rule of three.

    f1 = 0 alone certifies nothing: addresses seen twice say how coarse the unseen part may be.
    """
    if answers < 2:
        return Interval(1.0, 0.0, 1.0)
    exact = proportion(once, sightings)
    spread = NORMAL * sqrt(max(0.0, once * (1 - once / sightings) + 2 * twice)) / sightings
    return Interval(
        exact.estimate,
        max(0.0, min(exact.low, exact.estimate - spread)),
        min(1.0, max(exact.high, exact.estimate + spread)),
    )


def chao2(answers: int, seen: int, once: int, twice: int) -> float:
    """The number of addresses of a pool of which `seen` were seen (Chao 1987, for incidence in `answers` answers)."""
    unseen = once**2 / (2 * twice) if twice else once * (once - 1) / 2
    return seen + (answers - 1) / answers * unseen


def beyond_chance(count: float, expected: float) -> float:
    """By how much `count` exceeds what was `expected`, where chance does not explain it (four standard deviations)."""
    surplus = count - expected
    return surplus if surplus > 4 * sqrt(expected) + 4 else 0.0


def _time_in_use(m: int, gaps: int, seen: int, lives: Counter[tuple[int, int]]) -> float:
    """The share of the survey in which an address is in use, on average.

    It is so from before it is first seen until after it was last seen, by about the mean gap between two sightings.
    """
    spans = sum(span * number for (_, span), number in lives.items())
    edge = 2 * spans / gaps - 1
    return sum(min(m, span + edge) * number for (_, span), number in lives.items()) / (m * seen)


def answers_to_know(size: float, answer: float) -> int:
    """Answers after which every address of a uniform pool was seen, with the certainty of KNOWN."""
    if answer >= size * (1 - 1e-9):
        return FEWEST_ANSWERS
    return max(FEWEST_ANSWERS, ceil(log(1 - KNOWN ** (1 / size)) / log(1 - answer / size)))


def _steps(end: int) -> list[int]:
    """Numbers up to `end`, close together at first and then 8 % apart: the curves are smooth."""
    steps = list(range(1, min(end, 24) + 1))
    while steps and steps[-1] < end:
        steps.append(min(end, ceil(steps[-1] * 1.08)))
    return steps


def _gap_curve(m: int, lives: Counter[tuple[int, int]], rare: int) -> tuple[tuple[int, float], ...]:
    """How many sightings come more than n answers after the one before, given each address's own count and span.

    Of c gaps that sum to s, one exceeds n with C(s-n-1, c-1)/C(s-1, c-1): the best unbiased estimate of (1-q)^n for an
    address that is in each answer with probability q (negative binomial sampling). Addresses may come and go: only
    what lies between the first and the last sighting of each counts. `rare` ones were seen once, before the pool was
    known: they may be as far apart as the survey is long.
    """
    weight = rare + sum(count * number for (count, _), number in lives.items() if count > 1)
    points = []
    for n in _steps(m):
        share = sum(
            number * count * exp(_log_choose(span - n - 1, count - 2) - _log_choose(span - 1, count - 2))
            for (count, span), number in lives.items()
            if count > 1 and span - n - 1 >= count - 2
        )
        points.append((n, (share + (rare if n < m else 0)) / weight))
        if points[-1][1] < 1e-9:
            break
    return (*points[:-1], (points[-1][0], 0.0))


def _rarefied(m: int, total: int, counted: Counter[int], once: int, twice: int) -> tuple[tuple[int, float], ...]:
    """The share of an answer in none of n others, for a pool that stays or is not known yet.

    Up to the answers at hand by leaving answers out (at n = m-1 this is Good-Turing's f1/U), beyond them by Chao and
    Jost's extrapolation (2012). Both take the order of answers as chance.
    """
    if m < 2:
        return ((_FAR, 1.0),)  # one answer tells of no other
    points = []
    for n in _steps(m - 1):
        share = sum(
            number * count * exp(_log_choose(m - count, n) - _log_choose(m - 1, n))
            for count, number in counted.items()
            if m - count >= n
        )
        points.append((n, share / total))
    if not once:
        return tuple(points)
    left = points[-1][1]
    pairs = 2 * twice if twice else once - 1  # the bias-corrected form where nothing was seen twice
    shrink = (m - 1) * once / ((m - 1) * once + pairs)
    for n in _steps(_FAR):
        if n >= m:
            points.append((n, left * shrink ** (n - m + 1)))
        if points[-1][1] < 1e-9:
            break
    return tuple(points)


def _moves(away: Counter[int], curve: tuple[tuple[int, float], ...], gaps: int) -> tuple[tuple[int, float], ...]:
    """(n, share) for each n that is a power of two: gaps longer than n answers beyond what chance explains.

    They are many where a pool is switched now and then, or handed out in turn.
    """
    found = []
    longer = 0
    for power in range(max(away, default=0) + 1, 0, -1):
        longer += away[power]
        n = 1 << (power - 1)
        expected = gaps * _at(curve, n)
        found.append((n, beyond_chance(longer, expected) / gaps))
    return tuple(reversed(found)) if any(share for _, share in found) else ()


def _at(curve: tuple[tuple[int, float], ...], n: float) -> float:
    """The share at `n`, between two points of the curve: it falls by a factor, and to zero in a straight line."""
    if n <= 0:
        return 1.0
    index = bisect_left(curve, n, key=lambda point: point[0])
    if index == len(curve):
        return 0.0
    (before, high), (after, low) = curve[index - 1] if index else (0, 1.0), curve[index]
    part = (n - before) / (after - before)
    if low <= 0 or after == 1:
        return high + part * (low - high)
    return high * float((low / high) ** part)


def _log_choose(n: float, k: float) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
