"""The 24 pools on which the predictions are judged: the truth by simulating clients, caches and a refresher.

`python tests/dns/pool_cases.py` prints the tables of docs/ttl.md; `--record` simulates the truth anew. The simulation
knows nothing of the estimator: it draws answers, keeps a list as a refresher does, and counts the clients that meet an
address outside it. The seeds are used here only; none of them served to find the estimator.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from random import Random

from hostgate.dns.false_drop import Refreshing, false_drop
from hostgate.dns.pools import Pool, Tally, answers_to_know
from hostgate.dns.rate_bounds import Interval

TTL = 60.0
HOUR, DAY = 3600.0, 86_400.0
SEED = 31_415
TRUTH = Path(__file__).with_name("pool_truth.json")

SIZES = ((16, 1), (16, 4), (16, 8), (64, 1), (64, 4), (64, 8), (256, 1), (256, 4), (256, 8))
ANSWERS_TO_1E_3 = (108, 25, 10, 439, 108, 52, 1765, 439, 218)
CHURNING = ((4, 4), (16, 4), (16, 1), (64, 8), (256, 8))
LIVES = (1, 7, 30)

TABLES = ("no grace", "grace", "churn")
AFTER_EXPIRY = 1.0
"""Seconds from the end of an answer to the survey's next."""

DAYS_CHANGING = 14
"""How long a pool is surveyed whose addresses change: so few of them a day that one day shows none."""


@dataclass(frozen=True, order=True)
class Cell:
    """One pool and one way of following it. Seconds; `life`: mean days that an address is in use, 0 for ever."""

    table: str
    size: int
    answer: int
    refresh: float
    delay: float
    keep: float = 0.0
    shared: bool = False
    life: int = 0

    @property
    def how(self) -> Refreshing:
        return Refreshing(refresh=self.refresh, keep=self.keep, delay=self.delay, shared=self.shared)

    @property
    def label(self) -> str:
        return "/".join(f"{value:g}" if isinstance(value, float) else str(value) for value in self.__dict__.values())


def cells() -> Iterator[Cell]:
    """Every cell of the tables."""
    for size, answer in SIZES:
        for refresh in (30.0, 60.0, 300.0, 3600.0):
            for delay in (10.0, 60.0):
                yield Cell("no grace", size, answer, refresh, delay, shared=True)
        yield Cell("no grace", size, answer, 60.0, 10.0)
    for (size, answer), needed in zip(SIZES, ANSWERS_TO_1E_3, strict=True):
        for refresh in (60.0, 300.0, 3600.0):
            yield Cell("grace", size, answer, refresh, 10.0, keep=(needed - 1) * refresh)
        yield Cell("grace", size, answer, 60.0, 10.0, keep=HOUR)
        yield Cell("grace", size, answer, 300.0, 10.0, keep=DAY)
        for shared in (True, False):
            yield Cell("grace", size, answer, 15.0, 0.0, keep=900.0, shared=shared)  # Azure's figures
    for size, answer in CHURNING:
        for life in LIVES:
            for refresh in (60.0, 300.0):
                yield Cell("churn", size, answer, refresh, 60.0, keep=DAY, life=life)


class _Addresses:
    """The addresses in use at a time that only moves on; one that leaves is replaced by a new one."""

    def __init__(self, size: int, life: int, seed: str) -> None:
        self._random = Random(seed)
        self._rate = size / (life * DAY) if life else 0.0
        self._next_change = self._random.expovariate(self._rate) if life else float("inf")
        self._fresh = size
        self.now = list(range(size))

    def until(self, time: float) -> list[int]:
        while self._next_change <= time:
            self.now[self._random.randrange(len(self.now))] = self._fresh
            self._fresh += 1
            self._next_change += self._random.expovariate(self._rate)
        return self.now


def truth(cell: Cell) -> float:
    """The share of clients that meet an address outside the list, by simulation."""
    seed = f"{SEED}/truth/{cell.label}"
    if cell.shared or not cell.keep:
        return _short_memory(cell, Random(seed))
    return _long_memory(cell, seed)


def _short_memory(cell: Cell, random: Random) -> float:
    """For windows of a few answers and pools that stay: each client sees the whole history that matters to it."""
    missed, clients = 0.0, 4000
    polls = int(cell.keep // cell.refresh) + 1
    for _ in range(clients):
        phase = random.random() * TTL
        answers: dict[int, list[int]] = {}

        def answer(time: float, phase: float = phase, answers: dict[int, list[int]] = answers) -> list[int]:
            epoch = int((time - phase) // TTL)
            if epoch not in answers:
                answers[epoch] = random.sample(range(cell.size), cell.answer)
            return answers[epoch]

        now = 1e7 + random.random() * 1e6
        last = (now - cell.delay) // cell.refresh
        listed = {each for poll in range(polls) for each in answer((last - poll) * cell.refresh)}
        mine = answer(now) if cell.shared else random.sample(range(cell.size), cell.answer)
        missed += sum(each not in listed for each in mine) / cell.answer
    return missed / clients


def _long_memory(cell: Cell, seed: str) -> float:
    """For long windows, where client and refresher ask different caches: the list is kept poll by poll."""
    random = Random(seed)
    asked, dialled = (_Addresses(cell.size, cell.life, seed) for _ in range(2))  # one history, read at two times
    last_seen: dict[int, float] = {}
    phase = random.random() * TTL
    epoch, answer = -1, []
    warm = int(max(cell.keep, 12 * cell.size / cell.answer * cell.refresh) / cell.refresh) + 1
    polls = warm + (60_000 if cell.life or cell.answer > 1 else 150_000)
    every = max(1, cell.size // cell.answer // 8)
    missed = looks = 0
    for poll in range(polls):
        now = poll * cell.refresh
        if int((now + phase) // TTL) != epoch:
            epoch = int((now + phase) // TTL)
            answer = random.sample(asked.until(max(0.0, epoch * TTL - phase)), cell.answer)
        last_seen.update(dict.fromkeys(answer, now))
        if poll % 5000 == 0:
            last_seen = {each: at for each, at in last_seen.items() if at >= now - cell.keep}
        if poll < warm or poll % every:
            continue
        client = now + cell.delay + random.random() * cell.refresh  # while this poll's list is in force
        in_use = dialled.until(client - random.random() * TTL)  # what its own cache took in
        listed_since = now - cell.keep
        missed += sum(last_seen.get(each, -1e9) < listed_since for each in in_use)
        looks += cell.size
    return missed / looks


@cache
def surveyed(size: int, answer: int, life: int, days: int) -> Pool:
    """What a survey of the pool sees: an answer as soon as the last one ended. Its seeds are none of the truth's."""
    seed = f"{SEED}/survey/{size}/{answer}/{life}"
    random, addresses, tally = Random(seed), _Addresses(size, life, f"{seed}/pool"), Tally()
    time = 0.0
    while time < days * DAY:
        chosen = random.sample(addresses.until(time), answer)
        tally.add(time, "resolver", [f"192.0.{each // 256}.{each % 256}" for each in chosen], TTL)
        time += TTL + AFTER_EXPIRY
    pool = tally.pool()
    assert pool is not None
    return pool


def predicted(cell: Cell) -> Interval:
    """What the survey of the cell's pool makes of it."""
    days = DAYS_CHANGING if cell.life else days_to_know(cell.size, cell.answer)
    found = false_drop(surveyed(cell.size, cell.answer, cell.life, days), TTL, cell.how)
    assert found is not None
    return found


def days_to_know(size: int, answer: int) -> int:
    """Days of a survey of one cache until the pool counts as known: 4 for one of 256 in an answer, 1 for all others."""
    return ceil(2 * answers_to_know(size, answer) * (TTL + AFTER_EXPIRY) / DAY)


def recorded() -> dict[Cell, float]:
    """The truth of every cell as it was simulated last."""
    kept = json.loads(TRUTH.read_text("utf-8"))
    return {cell: kept[cell.label] for cell in cells()}


def record() -> None:
    """Simulate every cell and keep the result (half a minute)."""
    found = {cell.label: float(f"{truth(cell):.3g}") for cell in cells()}
    TRUTH.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def tables() -> str:
    """The tables of docs/ttl.md: simulated truth, and what the survey predicts after it."""
    true = recorded()
    no_grace, grace, churn = (_Rows({c: v for c, v in true.items() if c.table == name}) for name in TABLES)
    lines = [
        "| pool, answer | refresh 30 s | 60 s | 300 s | 3600 s | other cache |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for pool in SIZES:
        shared = [
            no_grace.text(pool, refresh=refresh, delay=10.0, shared=True) for refresh in (30.0, 60.0, 300.0, 3600.0)
        ]
        lines.append(_row(_pool(pool), *shared, no_grace.text(pool, shared=False)))
    lines.append(_row("any, by its name on the wire", *["0"] * 5))
    lines += ["", "| pool, answer | answers kept | refresh 60 s | 300 s | 3600 s | 15 s, keep 900 s, one cache | other cache |",
              "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for pool, needed in zip(SIZES, ANSWERS_TO_1E_3, strict=True):
        ours = [grace.text(pool, refresh=refresh, keep=(needed - 1) * refresh) for refresh in (60.0, 300.0, 3600.0)]
        azure = [grace.text(pool, refresh=15.0, shared=shared) for shared in (True, False)]
        lines.append(_row(_pool(pool), str(needed), *ours, *azure))
    lines += ["", "| pool, answer | refresh | mean life 1 day | 7 days | 30 days |", "| --- | --- | --- | --- | --- |"]
    for pool in CHURNING:
        for refresh in (60.0, 300.0):
            found = [churn.text(pool, refresh=refresh, life=life) for life in LIVES]
            lines.append(_row(_pool(pool), f"{refresh:.0f} s", *found))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Rows:
    true: dict[Cell, float]

    def text(self, pool: tuple[int, int], **wanted: object) -> str:
        """Truth and prediction of the one cell of `pool` that has the wanted values."""
        (cell,) = [
            each
            for each in self.true
            if (each.size, each.answer) == pool and all(getattr(each, key) == value for key, value in wanted.items())
        ]
        return f"{_figure(self.true[cell])} / {_figure(predicted(cell).estimate)}"


def _figure(value: float) -> str:
    return f"{value:.3f}" if value >= 0.0995 else f"{value:.1e}".replace("e-0", "e-") if value > 1e-6 else "0"


def _pool(pool: tuple[int, int]) -> str:
    return f"{pool[0]}, {pool[1]}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    sys.stdout.write(tables())
