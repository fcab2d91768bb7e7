"""What a report says, in either form: which hosts in which order, how much of them, and how it was measured."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import hostgate
from hostgate.dns.analysis import Analysis, Study
from hostgate.dns.document import Document, HostReport, NotSurveyed
from hostgate.dns.facts import SharedAddress
from hostgate.dns.report.wording import MOST_RESOLVERS, few, share, span
from hostgate.dns.samples import Run
from hostgate.planning.survey import WORDS, HostVerdict, Word

DETAILED = 30
"""Hosts with details and pictures, unless somebody asks for more: a page of them is read, and loads on a phone."""

MOST_LISTED = 1000
"""Hosts in the tables of verdicts and figures."""

MOST_SHARED = 100
WORST_FIRST: tuple[Word, ...] = WORDS[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """Mechanisms with the same verdict on a host for the same reason."""

    host: str
    targets: str
    verdict: Word
    false_drop: str
    refresh: str
    grace: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A host that is shown in detail."""

    host: HostReport
    study: Study

    @property
    def verdicts(self) -> tuple[tuple[Word, str], ...]:
        """Each verdict on the host and the mechanisms that have it."""
        told: dict[Word, list[str]] = {}
        for row in _rows(self.host):
            told.setdefault(row.verdict, []).append(row.targets)
        return tuple((word, ", ".join(targets)) for word, targets in told.items())

    @property
    def worst(self) -> Word:
        return worst(self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyReport:
    """The hosts `listed` in tables and the `sections` in detail, both worst first; of `hosts` in all.

    `counts`: by mechanism, how many hosts have which verdict. `record`: how it was measured, as (what, figures).
    """

    began: datetime | None
    ended: datetime | None
    hosts: int
    lookups: int
    counts: tuple[tuple[str, Mapping[Word, int]], ...]
    listed: tuple[HostReport, ...]
    sections: tuple[ReportSection, ...]
    shared: tuple[SharedAddress, ...]
    shared_in_all: int
    not_surveyed: tuple[NotSurveyed, ...]
    not_surveyed_in_all: int
    record: tuple[tuple[str, str], ...]

    @property
    def when(self) -> str:
        if self.began is None or self.ended is None:
            return "nothing was asked"
        return f"{self.began:%Y-%m-%d %H:%M} to {self.ended:%Y-%m-%d %H:%M} UTC"

    @property
    def verdicts(self) -> Iterator[VerdictRow]:
        for host in self.listed:
            yield from _rows(host)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is not shown, in sentences; empty if all of it is."""
        found = []
        if self.hosts > len(self.sections):
            shown = f"the worst {len(self.sections)} of {self.hosts:,} hosts"
            found.append(f"Details and pictures are of {shown}; --report-hosts N shows more.")
        if self.hosts > len(self.listed):
            found.append(f"The tables list the worst {len(self.listed):,} of {self.hosts:,} hosts; --json has all.")
        if self.shared_in_all > len(self.shared):
            found.append(f"{self.shared_in_all - len(self.shared):,} more shared addresses are in --json.")
        if self.not_surveyed_in_all > len(self.not_surveyed):
            more = self.not_surveyed_in_all - len(self.not_surveyed)
            found.append(f"{more:,} more entries that were not surveyed are in --json.")
        return tuple(found)


def report(made: Document, analysis: Analysis, detailed: int = DETAILED) -> SurveyReport:
    """What to report of `analysis` and of the document `made` from it, with details of so many hosts."""
    studies = {study.facts.host: study for study in analysis.studies}
    ordered = sorted(made.hosts, key=_rank)
    columns = list(dict.fromkeys(_target(each, host) for host in made.hosts for each in host.verdicts))
    words = Counter((_target(each, host), each.verdict) for host in made.hosts for each in host.verdicts)
    return SurveyReport(
        began=made.began,
        ended=made.ended,
        hosts=len(made.hosts),
        lookups=sum(sum(counts.values()) for host in made.hosts for counts in host.lookups.values()),
        counts=tuple((target, {word: words[target, word] for word in WORST_FIRST}) for target in columns),
        listed=tuple(ordered[:MOST_LISTED]),
        sections=tuple(ReportSection(host=host, study=studies[host.host]) for host in ordered[:detailed]),
        shared=made.shared[:MOST_SHARED],
        shared_in_all=len(made.shared),
        not_surveyed=made.not_surveyed[:MOST_LISTED],
        not_surveyed_in_all=len(made.not_surveyed),
        record=tuple(_record(made, analysis)),
    )


def worst(host: HostReport) -> Word:
    return max((each.verdict for each in host.verdicts), key=WORDS.index, default="unknown")


def _rank(host: HostReport) -> tuple[int, float, str]:
    dropped = max((each.false_drop or 0.0 for each in host.verdicts), default=0.0)
    return -WORDS.index(worst(host)), -dropped, host.host


def _target(each: HostVerdict, host: HostReport) -> str:
    """The mechanism, with its TTL family where it has several ways to treat a host."""
    several = sum(each.target == other.target for other in host.verdicts) > 1
    return f"{each.target} ({each.family})" if several else each.target


def _rows(host: HostReport) -> Iterator[VerdictRow]:
    told: dict[HostVerdict, list[str]] = {}
    for each in sorted(host.verdicts, key=lambda each: -WORDS.index(each.verdict)):
        same = next((known for known in told if _told(known) == _told(each)), each)
        told.setdefault(same, []).append(_target(each, host))
    for each, targets in told.items():
        yield VerdictRow(
            host=host.host,
            targets=", ".join(targets),
            verdict=each.verdict,
            false_drop="-"
            if each.false_drop is None or each.interval is None
            else f"{share(each.false_drop)} ({share(each.interval[0])} to {share(each.interval[1])})",
            refresh="-" if each.refresh_s is None else span(each.refresh_s),
            grace="-" if each.grace_s is None else span(each.grace_s),
            reason=each.reason[:1].upper() + each.reason[1:],
        )


def _told(each: HostVerdict) -> tuple[object, ...]:
    return each.verdict, each.reason, each.false_drop, each.interval, each.refresh_s, each.grace_s


def _record(made: Document, analysis: Analysis) -> Iterator[tuple[str, str]]:
    runs = analysis.runs
    if made.began and made.ended:
        length = span((made.ended - made.began).total_seconds())
        yield "time", f"{made.began:%Y-%m-%d %H:%M:%S} to {made.ended:%Y-%m-%d %H:%M:%S} UTC ({length})"
    yield "runs", few([f"{run.vantage} {datetime.fromtimestamp(run.started, UTC):%Y-%m-%d %H:%M}" for run in runs])
    yield "vantage points", few(made.vantages)
    yield "resolvers", few(made.resolvers, MOST_RESOLVERS)
    tried = dict.fromkeys(
        f"{probe.resolver}: {probe.state}" + ("" if probe.rtt is None else f", {probe.rtt * 1000:.3g} ms")
        for run in runs
        for probe in run.probes
    )
    yield "resolvers when tried", few(tuple(tried), MOST_RESOLVERS)
    yield "record types", few(_each(run.types for run in runs))
    yield "EDNS", f"{few(_each((str(run.edns),) for run in runs))} octets over UDP, no client subnet"
    yield "plan", few(_each((_plan(run),) for run in runs))
    yield "measured by", few(_each((run.tool,) for run in runs))
    yield "reported by", f"hostgate {hostgate.__version__}"
    if analysis.torn:
        yield "cut off", few([str(each) for each in analysis.torn])


def _plan(run: Run) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sorted(run.plan.items())) or "not stated"


def _each(values: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for some in values for each in some))
