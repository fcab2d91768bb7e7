"""Whether a pool can keep up with a host, and how long it has to keep an address for that, by the numbers of a survey."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

from hostgate.dns.document import AddressFacts, read_pools
from hostgate.dns.facts import FamilyFacts
from hostgate.dns.false_drop import CLOUD_DELAY, FASTEST
from hostgate.dns.host_verdicts import word
from hostgate.dns.pool_update import DEFAULT_WINDOW
from hostgate.dns.pools import FEWEST_ANSWERS
from hostgate.dns.rate_bounds import Interval
from hostgate.planning.pool_form import LONGEST_WINDOW
from hostgate.planning.survey import WORDS, Word

_ANSWERS_KEPT = 7
"""Times the answers that hold a pool's size: of a pool drawn at random, e^-7 is then missed, less than 1 in 1,000."""

_MOST = 1e9
"""Addresses of a pool, beyond which a survey's number is no estimate."""


@dataclass(frozen=True, slots=True)
class PoolFitness:
    """What a survey says of a host for a pool. `window`: seconds; `reason`: one sentence."""

    verdict: Word
    window: int
    reason: str


def fitness_of(path: Path, floor: float = FASTEST) -> dict[str, PoolFitness]:
    """For each host of the survey in `path`, that is asked for every `floor` seconds at the most. Raises InputError."""
    return {host: _fitness(facts, floor) for host, facts in read_pools(path).items()}


def _fitness(facts: AddressFacts, floor: float) -> PoolFitness:
    ttl = 0.0 if facts.ttl is None else float(min(facts.ttl.zone, LONGEST_WINDOW))
    found = [_of_family(family, each, max(floor, ttl)) for family, each in facts.families.items()]
    if not found:
        return PoolFitness("unknown", DEFAULT_WINDOW, "no address was seen")
    worst = max(found, key=lambda each: (WORDS.index(each.verdict), each.window))
    return PoolFitness(worst.verdict, max(each.window for each in found), worst.reason)


def _of_family(family: str, facts: FamilyFacts, step: float) -> PoolFitness:
    """Drops of clients: what was never seen (Good-Turing), and new addresses until they are in the list and it bites."""
    if facts.answers < FEWEST_ANSWERS or facts.pool is None or not 0 < facts.answer <= facts.pool < _MOST:
        reason = f"{facts.answers} fresh answers for {family} say too little"
        return PoolFitness("unknown", DEFAULT_WINDOW, reason)
    answers = facts.pool / facts.answer
    needed = ceil(_ANSWERS_KEPT * step * answers)
    window = min(max(DEFAULT_WINDOW, needed), LONGEST_WINDOW)
    lag = CLOUD_DELAY + step / 2 + step * answers
    late = min(1.0, (facts.new_per_day or 0.0) / 86_400 / facts.pool * lag)
    low, high = facts.miss_interval
    # How many arrivals the rate rests on is not in the facts: of two, its ends are a tenth and four times as much (95 %).
    predicted = Interval(min(1.0, facts.miss + late), low + late / 10, min(1.0, high + 4 * late))
    verdict = word(predicted)
    told = f"{facts.answer:.3g} of {facts.pool:.0f} {family} addresses in an answer"
    if facts.new_per_day:
        told += f", {facts.new_per_day:.2g} new ones a day"
    if verdict == "unknown":
        told += f": between {predicted.low:.2%} and {predicted.high:.2%} of new connections would be dropped"
    else:
        told += f": {predicted.estimate:.2%} of new connections would be dropped"
    if needed > LONGEST_WINDOW:
        return PoolFitness("unfit", window, f"{told}, and the window would have to be {needed // 86_400} days")
    return PoolFitness(verdict, window, told)
