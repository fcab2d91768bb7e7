"""Figures of a report as people read them: shares, times, and what was measured of a host, in words."""

from collections.abc import Iterator, Sequence

from hostgate.dns.course import TTL_STEPS, Course
from hostgate.dns.document import HostReport
from hostgate.dns.facts import ADDRESS_TYPES, Agreement, ChainLink, HttpsFacts, TtlFacts

MOST_NAMES = 5
"""Names told one by one in a cell."""

MOST_RESOLVERS = 16
"""Rows and columns of a matrix; resolvers count once for each vantage point."""

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
