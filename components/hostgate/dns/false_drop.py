"""False drops: how often a client dials an address that a firewall, which resolves the name for itself, does not allow.

The firewall asks every `refresh` seconds, its change bites `delay` seconds later, and it keeps an address for `keep`
seconds after it last saw it. A pool of stable addresses is missed because answers differ; one whose addresses change
is also missed while a new address is unknown.
"""

from dataclasses import dataclass, replace
from math import exp

from hostgate.dns.pools import FEWEST_ANSWERS, Pool
from hostgate.dns.rate_bounds import Interval, combined, proportion

TARGET = 1e-3
"""A host is `ok` below this share of dropped connections."""

CLOUD_DELAY = 60.0
"""Seconds from a change handed to a cloud's API until packets meet it; assumed, since no cloud publishes one."""

FASTEST, SLOWEST = 30.0, 300.0
"""Seconds between lookups that are worth recommending: at the TTL, within these bounds."""

LONGEST_KEEP = 30 * 86_400.0
"""Seconds. A longer grace window is no allowlist any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshing:
    """How an address list follows DNS. All in seconds; `cap`: addresses of an answer that it takes, None for all.

    `shared`: clients and firewall ask one cache, so that a client's answer is at most `refresh` ahead of the list.
    """

    refresh: float
    keep: float = 0.0
    delay: float = 0.0
    cap: int | None = None
    shared: bool = False


def false_drop(pool: Pool, ttl: float, how: Refreshing) -> Interval | None:
    """The predicted share of new connections that are dropped though the name is allowed; None with too few answers.

    `ttl`: seconds that an answer lives in the cache which the firewall asks.
    """
    if pool.answers < FEWEST_ANSWERS:
        return None
    turnover = pool.turnover
    estimate = _predicted(pool, ttl, how, turnover.estimate)
    step = max(how.refresh, ttl)
    within = 1 + how.keep / step
    found = proportion(pool.unseen(within) * pool.trials, pool.trials)
    high = found.high if pool.known else max(found.high, pool.miss.high)
    weight = _head_start(ttl, how) if how.shared else 1.0
    by_chance = Interval(
        estimate,
        estimate - weight * (found.estimate - found.low),
        estimate + weight * (high - found.estimate),
    )
    by_turnover = Interval(
        estimate, _predicted(pool, ttl, how, turnover.low), _predicted(pool, ttl, how, turnover.high)
    )
    return combined(min(1.0, estimate), (by_chance, by_turnover))


@dataclass(frozen=True, slots=True)
class Remedy:
    """The refresh interval and grace window, in seconds, that keep false drops under TARGET."""

    refresh: float
    keep: float


def remedy(pool: Pool, ttl: float, *, delay: float = CLOUD_DELAY, shared: bool = False) -> Remedy | None:
    """What a list of our own would need for this pool; None if no window does: addresses change too fast, or too few
    answers are at hand."""
    if pool.answers < FEWEST_ANSWERS:
        return None
    for refresh in (min(max(ttl, FASTEST), SLOWEST), FASTEST):
        how = Refreshing(refresh=refresh, keep=LONGEST_KEEP, delay=delay, shared=shared)
        rate = pool.turnover.estimate
        if _predicted(pool, ttl, how, rate) >= TARGET:
            continue
        step = max(refresh, ttl)
        low, high = -1, int(LONGEST_KEEP / step)
        while high - low > 1:
            middle = (low + high) // 2
            enough = _predicted(pool, ttl, replace(how, keep=middle * step), rate) < TARGET
            low, high = (low, middle) if enough else (middle, high)
        return Remedy(refresh, high * step)
    return None


def _predicted(pool: Pool, ttl: float, how: Refreshing, turnover: float) -> float:
    """The model: an address of the client's answer is missed if it is too new, or in none of the answers kept.

    An address that came `age` seconds ago had age/step chances to be seen, and never more than the window holds.
    """
    if turnover == float("inf"):
        return 1.0
    step = max(how.refresh, ttl)
    lag = how.delay + how.refresh / 2
    window = how.keep / step
    fade = turnover * step
    spread = max(1.0, lag / pool.spacing) if pool.spacing else 1.0
    strayed = min(1.0, pool.strayed(1 + window) * spread)
    fresh = 1 - exp(-turnover * lag)
    missed = fresh + (1 - fresh) * min(1.0, _window_miss(pool, window, fade, first=1) + strayed)
    if how.shared:  # never worse; less so, the more often the list asks within a TTL
        missed = min(missed, _head_start(ttl, how) * min(1.0, _window_miss(pool, window, fade, first=0) + strayed))
    beyond = 0.0 if how.cap is None else max(0.0, 1 - how.cap / pool.answer)
    return missed + (1 - missed) * beyond


def _head_start(ttl: float, how: Refreshing) -> float:
    """How likely a client's answer is newer than the list, when both come from one cache."""
    if ttl <= 0 or how.delay >= ttl:
        return 1.0
    if how.delay + how.refresh <= ttl:
        return (how.delay + how.refresh / 2) / ttl
    return ((ttl**2 - how.delay**2) / (2 * ttl) + how.delay + how.refresh - ttl) / how.refresh


def _window_miss(pool: Pool, window: float, fade: float, first: int) -> float:
    """The share in none of the `window` + 1 answers kept, if a share `fade` of the pool is replaced between two.

    `first`: answers that may hold an address which came within the last step: one if the list is behind by its lag only,
    none if the client's answer itself comes before the list's next.
    """
    rest = pool.unseen(1 + window)
    if fade <= 0:
        return rest
    steps = window + 1 - first
    missed, step = 0.0, 0
    while step < steps:
        width = max(1, step // 12)  # the share falls smoothly: wide steps far out
        end = min(step + width, steps)
        share = (pool.unseen(first + step) + pool.unseen(first + step + width - 1)) / 2
        missed += (exp(-fade * step) - exp(-fade * end)) * share
        if share <= 0:
            break
        step += width
    return missed + exp(-fade * steps) * rest
