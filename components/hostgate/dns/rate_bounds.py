"""Intervals: what a count out of a number of trials says about the rate behind it.

Both ends hold with 95 % each. Nothing seen in n trials bounds the rate by 3/n (the rule of three), never by zero.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt

CONFIDENCE = 0.95
NORMAL = 1.6448536269514722
"""The 95 % point of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimated rate between 0 and 1, and the ends between which the true one lies."""

    estimate: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        return {name: float(f"{getattr(self, name):.4g}") for name in ("estimate", "low", "high")}


@lru_cache(maxsize=4096)
def proportion(count: float, trials: float) -> Interval:
    """The rate behind `count` of `trials` (Clopper and Pearson 1934; a fractional count is an expected one)."""
    count = min(max(count, 0.0), trials)
    return Interval(
        estimate=count / trials,
        low=_quantile(1 - CONFIDENCE, count, trials - count + 1),
        high=_quantile(CONFIDENCE, count + 1, trials - count),
    )


def combined(estimate: float, alternatives: tuple[Interval, ...]) -> Interval:
    """The interval of an `estimate` with several independent sources of doubt.

    Each of `alternatives` says where the estimate would go at the ends of one source alone; the distances add up as
    the sides of a right angle do (Zou and Donner 2008, MOVER).
    """
    down = sqrt(sum(max(0.0, estimate - each.low) ** 2 for each in alternatives))
    up = sqrt(sum(max(0.0, each.high - estimate) ** 2 for each in alternatives))
    return Interval(estimate, max(0.0, estimate - down), min(1.0, estimate + up))


def _quantile(level: float, a: float, b: float) -> float:
    """Where the beta distribution of `a` and `b` reaches `level`; at the ends of what a rate can be for a or b of 0."""
    if a <= 0:
        return 0.0
    if b <= 0:
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-7 * high + 1e-15:  # rates of interest begin at 1e-6
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, a, b) < level else (low, middle)
    return high


def _below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges fast
        return 1 - _below(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 2000):
        before = value
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(value / before - 1) < 1e-13:
            break
    return front * value


def _away(value: float) -> float:
    """`value`, moved off zero, which the fraction (Lentz's way of computing it) divides by."""
    return value if abs(value) > 1e-300 else 1e-300
