"""A survey: every name asked again and again, at several resolvers side by side, when the next answer is worth asking for.

A resolver shows what is left of a TTL. Asked right after that has run out, its answer is fresh: it shows the zone's
own TTL and is a new draw from a rotating pool, and asking earlier shows nothing new. So each question waits for the
expiry that its last answer showed. Time is the event loop's; tests give it a loop whose time they make.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from hostgate.dns.pacing import DEFAULT_RATE
from hostgate.dns.resolvers import Resolver
from hostgate.dns.samples import ABOUT_THE_NAME, RecordType, Sample

Ask = Callable[[str, RecordType, Resolver], Awaitable[Sample]]

IN_FLIGHT = 100
"""Questions open at one resolver: more are lost in bursts, and gain nothing (measured with 20 ms of round trip)."""

SOCKETS = 200
"""Questions open at all resolvers together: some systems give a process no more than 256 descriptors."""

AFTER_EXPIRY = 1.1
"""Seconds after a shown TTL has run out. Resolvers count whole seconds: unbound gives an answer away with a TTL of 0 for
most of a second more (measured with 1.17: 0.3 s later is often too early)."""

_TO_THE_SECOND = 3
"""Asks of one question that follow each expiry however short: the second shows the zone's TTL, the third confirms it."""

_EARLIEST = 1.0
"""Seconds between two asks of one question at the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """How often, how long, how hard: `rounds` asks of each question, or `duration` seconds of asking, or until it is stopped.

    After the first `to_the_second` asks, a question is asked again once per TTL, but not sooner than `soonest` nor later
    than `latest` seconds. `in_flight` bounds open questions per resolver, `rate` is packets a second per resolver.
    """

    rounds: int | None = None
    duration: float | None = None
    soonest: float = 30.0
    latest: float = 300.0
    in_flight: int = IN_FLIGHT
    rate: float = DEFAULT_RATE
    seed: int | None = None
    to_the_second: int = _TO_THE_SECOND

    def wait(self, sample: Sample, asked: int, dice: random.Random) -> float:
        """Seconds from the answer `sample` to the next ask of the same question, which was asked `asked` times.

        Where the shown TTL decides, there is no jitter: it would show less than the zone's TTL. Where a bound
        decides, the questions would all come at once, and jitter spreads them.
        """
        shown = sample.effective_ttl if sample.effective_ttl is not None else sample.negative_ttl
        if sample.outcome not in ABOUT_THE_NAME or shown is None:  # resolvers keep failures themselves (RFC 9520)
            return self.soonest * (1 + dice.random() / 10)
        expiry = shown + AFTER_EXPIRY
        if asked < self.to_the_second:
            return min(max(expiry, _EARLIEST), self.latest)
        if self.soonest <= expiry <= self.latest:
            return expiry
        return min(max(expiry, self.soonest), self.latest) * (1 + dice.random() / 10)

    def figures(self) -> dict[str, float | int | str]:
        """What the header of a survey file says of it."""
        every = {
            "rounds": self.rounds, "duration": self.duration, "soonest": self.soonest, "latest": self.latest,
            "in_flight": self.in_flight, "rate": self.rate, "after_expiry": AFTER_EXPIRY,
        }  # fmt: skip
        return {name: value for name, value in every.items() if value is not None}


class Surveyor:
    """One run over `hosts`. Its counts can be read while it runs; every sample goes to `take` as it comes."""

    def __init__(
        self,
        hosts: Sequence[str],
        types: Sequence[RecordType],
        resolvers: Sequence[Resolver],
        plan: SamplingPlan,
        ask: Ask,
        take: Callable[[Sample], None],
    ) -> None:
        self.plan = plan
        self.lookups = 0
        self.errors = 0
        self.names_done = 0
        self.planned = len(hosts) * len(types) * len(resolvers) * plan.rounds if plan.rounds else None
        self._questions = [(host, kind) for host in hosts for kind in types]
        self._resolvers = tuple(resolvers)
        self._ask = ask
        self._take = take
        self._dice = random.Random(plan.seed)
        self._open = Counter({host: len(types) * len(resolvers) for host in hosts})
        self._last_due = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until the plan is done or `stop` is set. What is in flight when it is set is given up.

        Raises what `take` raises, as it is.
        """
        loop = asyncio.get_running_loop()
        self.ends = loop.time() + self.plan.duration if self.plan.duration is not None else None
        work = asyncio.create_task(self._all())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            work.cancel()
            await asyncio.wait((work, stopped))
        if not work.cancelled() and (error := work.exception()) is not None:
            while isinstance(error, BaseExceptionGroup):  # of several tasks that failed alike, one is told
                error = error.exceptions[0]
            raise error

    def seconds_left(self) -> float:
        """Until the plan is done, as far as the answers so far tell."""
        now = asyncio.get_running_loop().time()
        return max(0.0, (self._last_due if self.ends is None else self.ends) - now)

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for resolver in self._resolvers:
                group.create_task(self._at(resolver))

    async def _at(self, resolver: Resolver) -> None:
        """Ask every question when it is due; tasks exist only for what is in flight."""
        loop = asyncio.get_running_loop()
        queue = [(0.0, number, 0) for number in range(len(self._questions))]
        heapify(queue)
        changed = asyncio.Event()
        in_flight: set[asyncio.Task[None]] = set()

        async def one(number: int, asked: int) -> None:
            host, kind = self._questions[number]
            sample = await self._ask(host, kind, resolver)
            self._count(sample, first=asked == 0)
            if self.plan.rounds is None or asked + 1 < self.plan.rounds:
                wait = self.plan.wait(sample, asked + 1, self._dice)
                if self.plan.rounds is not None:
                    self._last_due = max(self._last_due, loop.time() + wait * (self.plan.rounds - asked - 1))
                heappush(queue, (loop.time() + wait, number, asked + 1))

        def done(task: asyncio.Task[None]) -> None:
            in_flight.discard(task)
            changed.set()

        async with asyncio.TaskGroup() as group:
            while queue or in_flight:
                now = loop.time()
                due = queue[0][0] if queue else None
                over = due is None or (self.ends is not None and max(due, now) >= self.ends)
                if over and not in_flight:
                    return
                if over or len(in_flight) >= self.plan.in_flight:
                    changed.clear()
                    await changed.wait()
                elif due is not None and due > now:
                    changed.clear()
                    await _until(changed, due - now)
                else:
                    _, number, asked = heappop(queue)
                    task = group.create_task(one(number, asked))
                    in_flight.add(task)
                    task.add_done_callback(done)

    def _count(self, sample: Sample, *, first: bool) -> None:
        self.lookups += 1
        self.errors += sample.outcome not in ABOUT_THE_NAME
        if first:
            self._open[sample.host] -= 1
            self.names_done += self._open[sample.host] == 0
        self._take(sample)


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
