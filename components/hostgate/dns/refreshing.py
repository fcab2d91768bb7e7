"""A refresher: asks DNS for the hosts of a pool, once or for as long as it runs, and puts what it saw into the pool.

Questions go out as in a survey: A, AAAA and HTTPS at every resolver, each again when what was left of its TTL has run out,
within a floor and five minutes. A resolver is tried before and after it gives an address that was not seen before: one
that has an address for names that do not exist has one for every host. Of its answers only addresses count that a host of
the internet can have (`address_kind`), and none that a resolver made up for IPv6-only clients (DNS64, found as RFC 7050
says).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network
from math import ceil
from typing import Any

from hostgate.catalog.model import FAMILIES, Family
from hostgate.catalog.problems import InputError, Problem
from hostgate.dns.ask import Asker
from hostgate.dns.pacing import DEFAULT_RATE
from hostgate.dns.pool_places import PoolPlace, change
from hostgate.dns.pool_update import MOST_REMOVED, PoolUpdate, Round, updated
from hostgate.dns.resolvers import Resolver, probe
from hostgate.dns.samples import ABOUT_THE_NAME, OUTCOME_MEANS, RECORD_TYPES, LookupOutcome, ProbeState, Sample
from hostgate.dns.sampling import IN_FLIGHT, SOCKETS, SamplingPlan, Surveyor
from hostgate.planning.address_pool import AddressPool, Network, address_kind, family_of, packed_address
from hostgate.planning.pool_form import in_networks

FLOOR = 30.0
"""Seconds between two lookups of a question at the least, unless the owner says otherwise (a cloud's change takes longer)."""

SLOWEST = 300.0
"""Seconds between two lookups at the most."""

WRITTEN_EVERY = 10.0
"""Seconds from an answer with a new address until it is in the pool, at the most, while watching."""

JUDGED_EVERY = 2 * SLOWEST
"""Seconds between two looks at what may leave: by then every host was answered twice, so that what the guard weighs is
all that is due, and not a few hosts' part of it."""

_TRIED_EVERY = 60.0
"""Seconds between two tries of a resolver that is left out."""

_MOST_KNOWN = 1_000_000
"""Addresses that are remembered as seen before: a zone can make up more of them than fit a memory."""

_JUMP = 60.0
"""Seconds by which the clock on the wall may differ from the one that only counts: more is a jump, or a machine that slept."""

_LONGEST_TTL = 7 * 86_400
"""Seconds. Caches keep nothing longer (BIND's max-cache-ttl), whatever a zone says."""

_LATE_CLIENTS = 300
"""Seconds that clients hold an answer beyond its TTL: browsers a minute or two, a refresh of a proxy one."""

_DNS64 = "ipv4only.arpa"
_KNOWN_V4 = (bytes((192, 0, 0, 170)), bytes((192, 0, 0, 171)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOrder:
    """What a refresher does. `hosts`: each with its window at the least, in seconds; `windows`: those that a person said.
    `private`: networks of the owner's own whose addresses count. `floor`: seconds between two lookups at the least."""

    vantage: str
    hosts: Mapping[str, int]
    windows: Mapping[str, int] = field(default_factory=dict)
    resolvers: Sequence[Resolver]
    private: tuple[Network, ...] = ()
    most_removed: float = MOST_REMOVED
    floor: float = FLOOR
    rate: float = DEFAULT_RATE


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What came of a round. `refused`: addresses that answers held and that do not count, by host and address, with the
    reason; `unanswered`: hosts of which no address came, or none of a family that they have some of, in words; `unusable`:
    resolvers that are left out."""

    update: PoolUpdate
    refused: Mapping[tuple[str, str], str]
    unanswered: Mapping[str, str]
    unusable: Mapping[str, tuple[ProbeState, str]]
    others: tuple[str, ...] = ()
    """Hosts of the pool that this refresher does not ask for: somebody else has to."""
    restored: bool = False
    """The pool was gone since it was last written, and is there again."""


@dataclass(slots=True)
class _Learned:
    """What was learned since the pool was last written. `judged`, `outcomes`: since removals were last judged."""

    seen: dict[tuple[str, Family], set[str]] = field(default_factory=dict)
    judged: set[tuple[str, Family]] = field(default_factory=set)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    outcomes: dict[tuple[str, Family], Counter[LookupOutcome]] = field(default_factory=dict)


class Refresher:
    """Refreshes the pool at `place`, which is entered (locked) already. `wall` gives unix seconds; `aside` runs what waits
    for disks and stores where it does not keep answers waiting."""

    def __init__(
        self,
        order: RefreshOrder,
        place: PoolPlace,
        asker: Asker,
        *,
        wall: Callable[[], float],
        aside: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        self._order = order
        self._place = place
        self._asker = asker
        self._wall = wall
        self._aside = aside
        self._samples: list[Sample] = []
        self._learned = _Learned()
        self._ttl: dict[str, int] = {}
        self._nat64: dict[str, tuple[IPv6Network, ...]] = {}
        self._unusable: dict[str, tuple[ProbeState, str]] = {}
        self._offset: float | None = None
        self._broken = False
        self._known: set[tuple[str, str]] = set()
        self._written: AddressPool | None = None

    async def once(self, stop: asyncio.Event) -> RefreshReport:
        """Ask each question once at every resolver and write; nothing is asked once `stop` is set. Raises InputError: no
        resolver can be asked, or the pool cannot be read or written."""
        if await _stopped(self._try_resolvers(self._order.resolvers), stop):
            return await self._write(judge=False)
        asked = self._usable()
        plan = SamplingPlan(rounds=1, rate=self._order.rate, in_flight=self._in_flight())
        await self._surveyor(plan, asked).run(stop)
        samples = self._drained()
        await self._try_resolvers(asked)
        self._usable()
        self._take(samples)
        return await self._write(judge=not stop.is_set())

    async def watch(
        self, stop: asyncio.Event, tell: Callable[[RefreshReport], None], fail: Callable[[InputError], None]
    ) -> None:
        """Ask on until `stop` is set; what was seen by then is written. `tell` gets what came of each round, `fail` what
        kept the pool from being written: that is tried again. Raises InputError if no resolver can be asked at first, or if
        the pool cannot be written at the end: then what was seen is lost."""
        if await _stopped(self._try_resolvers(self._order.resolvers), stop):
            return
        self._usable()
        plan = SamplingPlan(
            soonest=self._order.floor, latest=max(SLOWEST, self._order.floor), rate=self._order.rate,
            in_flight=self._in_flight(), to_the_second=0,
        )  # fmt: skip
        asking = asyncio.ensure_future(self._surveyor(plan, self._order.resolvers).run(stop))
        loop = asyncio.get_running_loop()
        tried = judged = loop.time()
        done = False
        while not done:
            await asyncio.wait((asking,), timeout=WRITTEN_EVERY)
            done, now = asking.done(), loop.time()
            samples = self._drained()
            if self._hold_news(samples) or (self._unusable and now - tried >= _TRIED_EVERY):
                tried = now
                await self._try_resolvers(self._order.resolvers)
            self._take(samples)
            judge = now - judged >= JUDGED_EVERY and not done
            if judge:
                judged = now
            ends = done and self._written is not None  # once more: it may be gone
            if not (judge or ends or self._learned.seen) and self._clock_held():
                continue
            try:
                tell(await self._write(judge=judge))
            except InputError as error:
                if done:
                    raise InputError([*error.problems, *self._lost()]) from None
                fail(error)
        await asking

    def _lost(self) -> list[Problem]:
        """What was seen since the pool was last written, where it never will be."""
        lost = sum(map(len, self._learned.seen.values()))
        hosts = len({host for host, _ in self._learned.seen})
        if not lost:
            return []
        message = (
            f"Not written: what was seen since it was last written is lost, {lost:,} addresses of {hosts:,} hosts."
        )
        return [Problem(rule="pool-lost", file=self._place.shown, message=message)]

    def _surveyor(self, plan: SamplingPlan, resolvers: Sequence[Resolver]) -> Surveyor:
        return Surveyor(
            list(self._order.hosts), RECORD_TYPES, resolvers, plan, self._asker.lookup, self._samples.append
        )

    def _in_flight(self) -> int:
        return min(IN_FLIGHT, SOCKETS // len(self._order.resolvers))

    def _usable(self) -> list[Resolver]:
        found = [each for each in self._order.resolvers if str(each) not in self._unusable]
        if not found:
            problems = [
                Problem(rule=f"resolver-{state}", message=f"{name} is left out: {detail}.")
                for name, (state, detail) in self._unusable.items()
            ]
            message = "No resolver can be asked, so nothing was changed. Name another with --resolver IP."
            raise InputError([*problems, Problem(rule="no-resolver", message=message)])
        return found

    async def _try_resolvers(self, resolvers: Sequence[Resolver]) -> None:
        known = next(iter(self._order.hosts))

        async def one(resolver: Resolver) -> None:
            name = str(resolver)
            result = await probe(resolver, self._asker, known)
            if result.state != "ok":
                self._unusable[name] = (result.state, result.detail)
                return
            self._unusable.pop(name, None)
            answer = await self._asker.lookup(_DNS64, "AAAA", resolver)
            if answer.outcome in ABOUT_THE_NAME or name not in self._nat64:  # no answer takes back what one has said
                found = (each for text in answer.addresses for each in nat64_prefixes(IPv6Address(text)))
                self._nat64[name] = tuple(found)

        await asyncio.gather(*map(one, resolvers))

    async def _write(self, *, judge: bool) -> RefreshReport:
        """Put what was learned into the pool. If that fails, it is kept for the next time."""
        learned = self._learned
        order = self._order
        found = Round(
            vantage=order.vantage,
            hosts={host: max(least, self._window_of_ttl(host)) for host, least in order.hosts.items()},
            windows=order.windows,
            seen={key: tuple(addresses) for key, addresses in learned.seen.items()},
            judged=frozenset(learned.judged) if judge else frozenset(),
            private=order.private,
            unbroken=self._clock_held(),
            most_removed=order.most_removed,
        )
        restored = False

        def made(pool: AddressPool) -> PoolUpdate:
            nonlocal restored
            restored = pool is self._written
            return updated(pool, found, int(self._wall()))

        update = await self._aside(change, self._place, made, self._written)
        self._written = update.pool
        self._broken = False
        self._learned = _Learned() if judge else _Learned(judged=learned.judged, outcomes=learned.outcomes)
        silent = self._unanswered(learned, update.pool) if judge else {}
        others = tuple(each for each in update.pool.hosts if each not in order.hosts)
        return RefreshReport(update, learned.refused, silent, dict(self._unusable), others, restored)

    def _drained(self) -> list[Sample]:
        samples, self._samples[:] = list(self._samples), []
        return samples

    def _hold_news(self, samples: Sequence[Sample]) -> bool:
        """Whether there is an address that no answer held before: if a resolver has begun to lie, this is how it shows."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        return any((each.host, address) not in self._known for each in samples for address in _addresses(each))

    def _take(self, samples: Sequence[Sample]) -> None:
        """Learn from answers of resolvers that were tried after they gave them."""
        for sample in samples:
            if sample.resolver in self._unusable:
                continue
            if sample.type != "HTTPS":
                family: Family = "ipv6" if sample.type == "AAAA" else "ipv4"
                self._learned.outcomes.setdefault((sample.host, family), Counter())[sample.outcome] += 1
            if sample.effective_ttl is not None:
                self._ttl[sample.host] = max(self._ttl.get(sample.host, 0), min(sample.effective_ttl, _LONGEST_TTL))
            for each in _addresses(sample):
                self._known.add((sample.host, each))
                why = unusable(each, self._order.private, self._nat64.get(sample.resolver, ()))
                if why is not None:
                    self._learned.refused[sample.host, each] = why
                    continue
                key = (sample.host, family_of(each))
                self._learned.seen.setdefault(key, set()).add(each)
                self._learned.judged.add(key)

    def _clock_held(self) -> bool:
        """Whether the clock on the wall went on as the other did since the pool was last written."""
        offset = self._wall() - asyncio.get_running_loop().time()
        before, self._offset = self._offset, offset
        self._broken = self._broken or (before is not None and abs(offset - before) > _JUMP)
        return not self._broken

    def _window_of_ttl(self, host: str) -> int:
        """Seconds: a client may hold an answer that a cache gave it just before the address changed, in whole hours."""
        ttl = self._ttl.get(host, 0)
        return ceil((ttl + SLOWEST + _LATE_CLIENTS) / 3600) * 3600

    def _unanswered(self, learned: _Learned, pool: AddressPool) -> dict[str, str]:
        """Hosts without an answer, and those without one of a family that they have addresses of; in words."""
        refused = {(host, family_of(address)) for host, address in learned.refused}
        found = {}
        for host in self._order.hosts:
            silent = [(host, family) for family in FAMILIES if (host, family) not in learned.judged]
            kept = sum(len(pool.of(*each)) for each in silent)
            asked = [counts for each in silent if (counts := learned.outcomes.get(each))]
            failed = any(ABOUT_THE_NAME.isdisjoint(counts) for counts in asked)
            partial = len(silent) < len(FAMILIES)
            if not silent or (partial and not kept and not failed):
                continue  # it has nothing of that family, and said so
            counts = sum((learned.outcomes.get(each, Counter()) for each in silent), Counter())
            if refused & set(silent):
                why = "answers hold only addresses that do not count"
            else:
                why = OUTCOME_MEANS[counts.most_common(1)[0][0]] if counts else "no usable resolver was asked"
            what = f"{silent[0][1]}: " if partial else ""
            none = "none of it is known" if partial else "it has no address"
            found[host] = f"{what}{why}; {f'its addresses there ({kept}) stay' if kept else none}"
        return found


def _addresses(sample: Sample) -> tuple[str, ...]:
    """What an answer holds, with the hints of HTTPS records that are about the host itself (RFC 9460 7.3)."""
    hints = (
        hint
        for record in sample.https
        if record.target in (".", "", sample.host)
        for hint in (*record.ipv4hint, *record.ipv6hint)
    )
    return (*sample.addresses, *hints)


def unusable(text: str, private: tuple[Network, ...], nat64: tuple[IPv6Network, ...]) -> str | None:
    """Why an address of an answer does not count; None if it does."""
    packed = packed_address(text)
    kind = "never" if packed is None else address_kind(packed)
    if packed is None or kind == "never":
        return "no host of the internet has it"
    if in_networks(packed, nat64):
        return "the resolver made it up for IPv6-only clients (DNS64)"
    if kind == "private" and not in_networks(packed, private):
        return "it is of a private network; --private CIDR takes such addresses"
    return None


def nat64_prefixes(answer: IPv6Address) -> tuple[IPv6Network, ...]:
    """The prefixes by which `answer` may stand for an address of ipv4only.arpa (RFC 7050 3, RFC 6052 2.2)."""
    found = []
    for length in (32, 40, 48, 56, 64, 96):
        octets = (
            answer.packed if length == 96 else answer.packed[:8] + answer.packed[9:]
        )  # bits 64 to 71 are no part of it
        if octets[length // 8 :][:4] in _KNOWN_V4:
            found.append(IPv6Network((answer, length), strict=False))
    return tuple(found)


async def _stopped(trying: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Whether `stop` was set before `trying` ended, which ends with it: a resolver that is silent takes its time."""
    task, told = asyncio.ensure_future(trying), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, told), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            return False
        return True
    finally:
        task.cancel()
        told.cancel()
        await asyncio.gather(task, told, return_exceptions=True)
