"""From samples to facts: one pass over the lookups in order of time, and memory that grows with hosts and addresses only.

Whatever a resolver shows is taken as what it is: the rest of a TTL, a cache's repeat, an answer past its end.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hostgate.dns.course import TTL_STEPS, Course, Recorder
from hostgate.dns.facts import (
    ADDRESS_TYPES,
    MOST_CHAINS,
    AddressType,
    Agreement,
    ChainLink,
    FamilyFacts,
    HostFacts,
    HttpsFacts,
    SharedAddress,
    TtlFacts,
)
from hostgate.dns.host_remarks import remarks
from hostgate.dns.pools import FEWEST_ANSWERS, Pool, Tally, beyond_chance
from hostgate.dns.samples import HttpsRecord, LookupOutcome, Note, RecordType, Run, Sample, Torn
from hostgate.dns.survey_files import read_survey, stream
from hostgate.dns.ttl_floors import ttl_floors, zone_ttl

DISORDER = 60.0
"""Seconds that lookups of a host may go back in time: answers come when they come."""

STALE_TTL = 30
"""Seconds. What resolvers show with an answer past its end (RFC 8767, section 5.2; unbound and others)."""

STALE_CODES = frozenset((3, 19))
"""Extended errors Stale Answer and Stale NXDOMAIN Answer (RFC 8914)."""


class DisorderError(ValueError):
    """Samples of one host that are not in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A host's facts, the pools that verdicts are made from, and the courses that pictures are made from.

    `ttl`: seconds, by family, as shown at the most. `shown`: how often each class of TTLs was shown; see TTL_STEPS.
    """

    facts: HostFacts
    pools: Mapping[AddressType, Pool]
    ttl: Mapping[AddressType, int]
    courses: Mapping[AddressType, Course]
    shown: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What the samples say together. `began` and `ended`: unix seconds of the first and last lookup, None without any."""

    studies: tuple[Study, ...]
    shared: tuple[SharedAddress, ...]
    runs: tuple[Run, ...]
    torn: tuple[Torn, ...]
    began: float | None
    ended: float | None


def analyse_files(paths: Iterable[Path]) -> Analysis:
    """The analysis of survey files, of one or several vantage points. Raises InputError as `survey_files.stream` does.

    A single file in order of time is read line by line; files that overlap in time are sorted in memory.
    """
    every = list(paths)
    if len(every) == 1:
        try:
            return analyse(stream(every))
        except DisorderError:  # joined of several vantage points
            pass
    survey = read_survey(every)
    return analyse([*survey.runs, *survey.torn, *sorted(survey.samples, key=lambda sample: sample.at)])


def analyse(records: Iterable[Run | Sample | Torn]) -> Analysis:
    """The analysis of `records`, which are in order of time. Raises DisorderError."""
    hosts: dict[str, _Host] = {}
    runs: list[Run] = []
    torn: list[Torn] = []
    began = ended = None
    for record in records:
        if isinstance(record, Run):
            runs.append(record)
            for host in record.hosts:
                hosts.setdefault(host, _Host(host))
        elif isinstance(record, Torn):
            torn.append(record)
        else:
            hosts.setdefault(record.host, _Host(record.host)).add(record)
            began = record.at if began is None else min(began, record.at)
            ended = record.at if ended is None else max(ended, record.at)
    shared = _shared(hosts.values())
    company: dict[str, set[str]] = {}
    for each in shared:
        for host in each.hosts:
            company.setdefault(host, set()).update(each.hosts)
    floors = ttl_floors(shown for host in hosts.values() for shown in host.link_ttl.values())
    return Analysis(
        studies=tuple(
            hosts[host].study(tuple(sorted(company.get(host, set()) - {host})), floors) for host in sorted(hosts)
        ),
        shared=shared,
        runs=tuple(runs),
        torn=tuple(torn),
        began=began,
        ended=ended,
    )


def _shared(hosts: Iterable["_Host"]) -> tuple[SharedAddress, ...]:
    users: dict[str, list[str]] = {}
    for host in hosts:
        for tally in host.tallies.values():
            for address in tally.seen:
                users.setdefault(address, []).append(host.name)
    return tuple(
        SharedAddress(address=address, hosts=tuple(sorted(names)))
        for address, names in sorted(users.items())
        if len(names) > 1
    )


@dataclass(slots=True)
class _Shown:
    """What one resolver showed last for a host and type: when it ends, which addresses; and the most it ever showed."""

    ends: float
    addresses: frozenset[str]
    most: int


@dataclass(slots=True)
class _Host:
    """Counts of one host, filled sample by sample."""

    name: str
    tallies: dict[AddressType, Tally] = field(default_factory=dict)
    recorders: dict[AddressType, Recorder] = field(default_factory=dict)
    by_source: dict[AddressType, dict[str, Counter[str]]] = field(default_factory=dict)
    answers: Counter[tuple[AddressType, str]] = field(default_factory=Counter)
    last: dict[tuple[AddressType, str], _Shown] = field(default_factory=dict)
    chains: Counter[tuple[tuple[str, str], ...]] = field(default_factory=Counter)
    link_ttl: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    effective: dict[str, tuple[int, int]] = field(default_factory=dict)
    ttl: dict[AddressType, dict[str, int]] = field(default_factory=dict)
    ttl_classes: list[int] = field(default_factory=lambda: [0] * (len(TTL_STEPS) + 1))
    negative: int | None = None
    https: set[HttpsRecord] = field(default_factory=set)
    lookups: dict[RecordType, Counter[LookupOutcome]] = field(default_factory=dict)
    notes: Counter[Note] = field(default_factory=Counter)
    truncated: int = 0
    stale: int = 0
    latest: float = 0.0

    def add(self, sample: Sample) -> None:
        if sample.at < self.latest - DISORDER:
            raise DisorderError(f"{self.name}: a lookup at {sample.at} comes after one at {self.latest}.")
        self.latest = max(self.latest, sample.at)
        self.lookups.setdefault(sample.type, Counter())[sample.outcome] += 1
        self.notes.update(sample.notes)
        self.truncated += sample.truncated
        if sample.negative_ttl is not None:
            self.negative = max(self.negative or 0, sample.negative_ttl)
        if sample.outcome != "answer":
            return
        self.https.update(sample.https)
        if sample.type in ADDRESS_TYPES and sample.addresses and sample.ttl is not None:
            self._add_answer(sample, sample.type, sample.ttl)

    def _add_answer(self, sample: Sample, family: AddressType, ttl: int) -> None:
        source = f"{sample.vantage} {sample.resolver}".strip()
        addresses = frozenset(sample.addresses)
        before = self.last.get((family, source))
        stale = bool(STALE_CODES & set(sample.ede)) or (
            before is not None
            and ttl == STALE_TTL != before.most
            and sample.at >= before.ends
            and addresses == before.addresses
        )
        self.stale += stale
        most = ttl if before is None else max(before.most, ttl)
        self.last[family, source] = _Shown(sample.at + ttl, addresses, before.most if stale and before else most)
        tally = self.tallies.setdefault(family, Tally())
        if tally.add(sample.at, source, addresses, ttl, stale=stale):
            self.recorders.setdefault(family, Recorder()).add(sample.at, map(tally.number, addresses))
            self.by_source.setdefault(family, {}).setdefault(source, Counter()).update(addresses)
            self.answers[family, source] += 1
        if not stale:
            self._add_ttls(sample, family, source, ttl)

    def _add_ttls(self, sample: Sample, family: AddressType, source: str, ttl: int) -> None:
        shown = sample.effective_ttl or 0
        self.ttl_classes[bisect_left(TTL_STEPS, shown)] += 1
        chain = tuple((link.owner, link.target) for link in sample.chain)
        if chain not in self.chains and len(self.chains) >= MOST_CHAINS:
            return
        self.chains[chain] += 1
        end = chain[-1][1] if chain else self.name
        for owner, type_, left in (*((link.owner, "CNAME", link.ttl) for link in sample.chain), (end, family, ttl)):
            most = self.link_ttl.setdefault((owner, type_), {})
            most[source] = max(most.get(source, 0), left)
        low, high = self.effective.get(source, (shown, shown))
        self.effective[source] = (min(low, shown), max(high, shown))
        by_source = self.ttl.setdefault(family, {})
        by_source[source] = max(by_source.get(source, 0), shown)

    def study(self, company: tuple[str, ...], floors: Mapping[str, int]) -> Study:
        pools = {family: pool for family in ADDRESS_TYPES if (pool := self._pool(family)) is not None}
        facts = HostFacts(
            host=self.name,
            chain=self._chain(floors),
            chains=len(self.chains),
            ttl=self._ttl(floors),
            families={family: _family(pool) for family, pool in pools.items()},
            https=self._https() if self.https else None,
            agreement={
                family: found for family, pool in pools.items() if (found := self._agreement(family, pool)) is not None
            },
            lookups={type_: dict(counts) for type_, counts in sorted(self.lookups.items())},
            notes=dict(sorted(self.notes.items())),
            truncated=self.truncated,
            stale=self.stale,
            shares_with=company,
            findings=(),
        )
        return Study(
            facts=replace(facts, findings=tuple(remarks(facts, floors))),
            pools=pools,
            ttl={family: _most(shown, floors) for family, shown in self.ttl.items()},
            courses={family: self.recorders[family].course() for family in pools},
            shown=tuple(self.ttl_classes),
        )

    def _pool(self, family: AddressType) -> Pool | None:
        return self.tallies[family].pool() if family in self.tallies else None

    def _chain(self, floors: Mapping[str, int]) -> tuple[ChainLink, ...]:
        if not self.chains:
            return ()
        links = max(self.chains, key=lambda chain: (self.chains[chain], chain))
        end = links[-1][1] if links else self.name
        made = [
            ChainLink(owner=owner, type="CNAME", target=target, **self._shown(owner, "CNAME", floors))
            for owner, target in links
        ]
        made += [
            ChainLink(owner=end, type=family, **self._shown(end, family, floors))
            for family in ADDRESS_TYPES
            if (end, family) in self.link_ttl
        ]
        return tuple(made)

    def _shown(self, owner: str, type_: str, floors: Mapping[str, int]) -> dict[str, Any]:
        shown = dict(sorted(self.link_ttl[owner, type_].items()))
        return {"shown": shown, "ttl": zone_ttl(shown, floors)}

    def _ttl(self, floors: Mapping[str, int]) -> TtlFacts | None:
        chain = self._chain(floors)
        if not chain:
            return None
        return TtlFacts(
            zone=min(link.ttl for link in chain),
            min=min(low for low, _ in self.effective.values()),
            max=max(high for _, high in self.effective.values()),
            negative=self.negative,
            resolvers={source: high for source, (_, high) in sorted(self.effective.items())},
        )

    def _https(self) -> HttpsFacts:
        known = {address for tally in self.tallies.values() for address in tally.seen}
        hints = {hint for record in self.https for hint in (*record.ipv4hint, *record.ipv6hint)}
        alpn = {each for record in self.https for each in record.alpn}
        return HttpsFacts(
            ech=any(record.ech for record in self.https),
            h3=any(each == "h3" or each.startswith("h3-") for each in alpn),
            alpn=tuple(sorted(alpn)),
            hints=tuple(sorted(hints)),
            hints_outside=tuple(sorted(hints - known)) if known else (),
            aliases=tuple(
                sorted({record.target for record in self.https if record.target not in ("", ".", self.name)})
            ),
        )

    def _agreement(self, family: AddressType, pool: Pool) -> Agreement | None:
        found = self.by_source.get(family, {})
        sources = tuple(sorted(found))
        if len(sources) < 2:
            return None
        foreign = 0.0
        for mine in sources:
            for other in sources:
                answers = self.answers[family, other]
                if mine == other or min(answers, self.answers[family, mine]) < FEWEST_ANSWERS:
                    continue
                total = found[mine].total()
                strange = sum(count for address, count in found[mine].items() if address not in found[other])
                foreign = max(foreign, beyond_chance(strange, total * pool.unseen(answers)) / total)
        return Agreement(
            resolvers=sources,
            jaccard=tuple(tuple(_jaccard(found[one], found[other]) for other in sources) for one in sources),
            foreign=foreign,
        )


def _family(pool: Pool) -> FamilyFacts:
    return FamilyFacts(
        answer=_rounded(pool.answer),
        seen=pool.seen,
        pool=None if pool.size is None else _rounded(pool.size),
        miss=_rounded(pool.miss.estimate),
        miss_interval=(_rounded(pool.miss.low), _rounded(pool.miss.high)),
        answers=pool.answers,
        repeats=pool.repeats,
        sightings=pool.sightings,
        since_new=pool.since_new,
        known=pool.known,
        new_per_day=None if pool.new_per_day is None else _rounded(pool.new_per_day),
        uneven=bool(pool.moves),
    )


def _most(shown: Mapping[str, int], floors: Mapping[str, int]) -> int:
    """The longest life of an answer, as those resolvers show it that do not lengthen it to a minimum of their own."""
    return max([ttl for source, ttl in shown.items() if source not in floors] or shown.values())


def _jaccard(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    return _rounded(len(one.keys() & other.keys()) / len(one.keys() | other.keys()))


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
