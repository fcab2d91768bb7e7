"""What a report says, in either form: which hosts in which order, how much of them, and figures as people read them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import hostgate
from hostgate.dns.analysis import Analysis, Study
from hostgate.dns.course import TTL_STEPS, Course
from hostgate.dns.document import Document, HostReport, NotSurveyed
from hostgate.dns.facts import ADDRESS_TYPES, Agreement, ChainLink, HttpsFacts, SharedAddress, TtlFacts
from hostgate.dns.samples import Run
from hostgate.planning.survey import WORDS, HostVerdict, Word

DETAILED = 30
"""Hosts with details and pictures, unless somebody asks for more: a page of them is read, and loads on a phone."""

MOST_LISTED = 1000
"""Hosts in the tables of verdicts and figures."""

MOST_SHARED = 100
MOST_NAMES = 5
"""Names told one by one in a cell."""

MOST_RESOLVERS = 16
"""Rows and columns of a matrix; resolvers count once for each vantage point."""

WORST_FIRST: tuple[Word, ...] = WORDS[::-1]

FAMILY_FIGURES = (
    "family",
    "in an answer",
    "seen",
    "pool (Chao2)",
    "never seen yet",
    "fresh answers",
    "repeats",
    "sightings since new",
    "pool known",
    "new a day",
    "rotation",
)


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
class Section:
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
class Report:
    """The hosts `listed` in tables and the `sections` in detail, both worst first; of `hosts` in all.

    `counts`: by mechanism, how many hosts have which verdict. `record`: how it was measured, as (what, figures).
    """

    began: datetime | None
    ended: datetime | None
    hosts: int
    lookups: int
    counts: tuple[tuple[str, Mapping[Word, int]], ...]
    listed: tuple[HostReport, ...]
    sections: tuple[Section, ...]
    shared: tuple[SharedAddress, ...]
    shared_in_all: int
    not_surveyed: tuple[NotSurveyed, ...]
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
        return tuple(found)


def report(made: Document, analysis: Analysis, detailed: int = DETAILED) -> Report:
    """What to report of `analysis` and of the document `made` from it, with details of so many hosts."""
    studies = {study.facts.host: study for study in analysis.studies}
    ordered = sorted(made.hosts, key=_rank)
    columns = list(dict.fromkeys(_target(each, host) for host in made.hosts for each in host.verdicts))
    words = Counter((_target(each, host), each.verdict) for host in made.hosts for each in host.verdicts)
    return Report(
        began=made.began,
        ended=made.ended,
        hosts=len(made.hosts),
        lookups=sum(sum(counts.values()) for host in made.hosts for counts in host.lookups.values()),
        counts=tuple((target, {word: words[target, word] for word in WORST_FIRST}) for target in columns),
        listed=tuple(ordered[:MOST_LISTED]),
        sections=tuple(Section(host=host, study=studies[host.host]) for host in ordered[:detailed]),
        shared=made.shared[:MOST_SHARED],
        shared_in_all=len(made.shared),
        not_surveyed=made.not_surveyed,
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


def figures(host: HostReport) -> tuple[tuple[str, ...], ...]:
    """The facts of each family, in the order of FAMILY_FIGURES."""
    return tuple(
        (
            family,
            f"{facts.answer:.3g}",
            f"{facts.seen:,}",
            "?" if facts.pool is None else f"{facts.pool:,.0f}",
            f"{share(facts.miss)} ({share(facts.miss_interval[0])} to {share(facts.miss_interval[1])})",
            f"{facts.answers:,}",
            f"{facts.repeats:,}",
            f"{facts.since_new:,} of {facts.sightings:,}",
            "yes" if facts.known else "not yet",
            "?" if facts.new_per_day is None else f"{facts.new_per_day:.3g}",
            "uneven" if facts.uneven else "as by chance",
        )
        for family, facts in host.families.items()
    )


def summary(host: HostReport) -> tuple[str, ...]:
    """The host in one row: TTL, families as "answer / seen / pool / miss", lookups that failed, chain."""
    families = []
    for kind in ADDRESS_TYPES:
        facts = host.families.get(kind)
        if facts is None:
            families.append("-")
            continue
        size = "?" if facts.pool is None else f"{facts.pool:.0f}"
        families.append(f"{facts.answer:.3g} / {facts.seen} / {size} / {share(facts.miss)}")
    return ("-" if host.ttl is None else span(host.ttl.zone), *families)


def own_list(host: HostReport) -> str | None:
    """What a list of addresses would need that keeps up with the host; None where no list does or none is needed."""
    way = max(
        (each for each in host.verdicts if each.grace_s is not None), key=lambda each: each.grace_s or 0, default=None
    )
    if way is None or way.refresh_s is None or way.grace_s is None:
        return None
    entries = sum(round(facts.seen if facts.pool is None else facts.pool) for facts in host.families.values())
    moves = 2 * sum(facts.new_per_day or 0.0 for facts in host.families.values())
    return (
        f"An address list of your own: about {entries:,} entries, asked for every {span(way.refresh_s)}, kept for "
        f"{span(way.grace_s)} after they were last seen; about {moves:,.3g} entries come or go in a day."
    )


def ttl_lines(ttl: TtlFacts) -> Iterator[tuple[str, str]]:
    """TTL facts as (what, figures)."""
    yield "by the zone", span(ttl.zone)
    yield "as shown", span(ttl.min) if ttl.min == ttl.max else f"{span(ttl.min)} to {span(ttl.max)}"
    if ttl.negative is not None:
        yield 'of "there is none"', span(ttl.negative)
    if len(set(ttl.resolvers.values())) > 1:
        yield (
            "most, by resolver",
            few([f"{name}: {span(most)}" for name, most in ttl.resolvers.items()], MOST_RESOLVERS),
        )


def link_ttl(link: ChainLink) -> str:
    """The TTL of a link, and where resolvers showed others."""
    low, high = min(link.shown.values()), max(link.shown.values())
    return span(link.ttl) if low == high else f"{span(link.ttl)} ({span(low)} to {span(high)} by resolver)"


def https_lines(https: HttpsFacts) -> Iterator[tuple[str, str]]:
    """HTTPS facts as (what, figures)."""
    yield "ECH key", "yes" if https.ech else "no"
    yield "HTTP/3", "yes" if https.h3 else "no"
    for what, values in (
        ("ALPN", https.alpn),
        ("address hints", https.hints),
        ("hints that no answer held", https.hints_outside),
        ("points to", https.aliases),
    ):
        if values:
            yield what, few(values)


def lookups(host: HostReport) -> str:
    """How many lookups of each type ended how."""
    told = (
        f"{type_}: {', '.join(f'{outcome} {count:,}' for outcome, count in counts.items())}"
        for type_, counts in host.lookups.items()
    )
    return "; ".join(told) or "none"


def matrix(agreement: Agreement) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[float, ...]], ...], int]:
    """Resolvers, rows with their Jaccard indices, and how many resolvers are left out."""
    names = agreement.resolvers[:MOST_RESOLVERS]
    rows = tuple((name, agreement.jaccard[n][:MOST_RESOLVERS]) for n, name in enumerate(names))
    return names, rows, len(agreement.resolvers) - len(names)


def ttl_classes(shown: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Classes of shown TTLs with their counts, from the first to the last that is not empty."""
    titles = [
        "0 s", *(f"to {span(step)}" for step in TTL_STEPS[1:]), f"over {span(TTL_STEPS[-1])}"
    ]  # fmt: skip
    used = [n for n, count in enumerate(shown) if count]
    return tuple(zip(titles, shown, strict=True))[used[0] : used[-1] + 1] if used else ()


def strip_title(family: str, course: Course) -> str:
    """What the picture of a course shows, and how to read it."""
    each = "an address" if course.each == 1 else f"{course.each} addresses"
    return (
        f"{family} addresses over time: a row is {each}, first seen first; a column is {span(course.width)}; "
        f"full colour: in {share(course.strongest())} of its answers"
    )


def share(value: float) -> str:
    """A share in per cent, with two figures however small it is: what is compared is told alike."""
    if value >= 0.995:
        return f"{value:.0%}"
    return f"{value * 100:.2g}%" if value > 1e-8 else "0%"


def span(seconds: float) -> str:
    """A time as people read it, in no more than two units."""
    left = round(seconds)
    if left < 120:
        return f"{left} s"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2])


def few(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Some of `names`, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def visible(text: str) -> str:
    """`text` without control characters: what would not be seen is spelled."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


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
