"""A report as Markdown (with tables as on GitHub); pictures are drawn with characters."""

import re
from collections.abc import Iterator, Sequence

from hostgate.dns.course import Course
from hostgate.dns.report.content import WORST_FIRST, ReportSection, SurveyReport
from hostgate.dns.report.markdown_text import code, heading, plain, table
from hostgate.dns.report.wording import (
    FAMILY_FIGURES,
    few,
    figures,
    https_lines,
    link_ttl,
    lookups,
    matrix,
    own_list,
    strip_title,
    summary,
    ttl_classes,
    ttl_lines,
)

_SHADES = " ░▒▓█"
_POINTS = 8


def markdown(made: SurveyReport) -> str:
    """The whole text."""
    return re.sub("\n{3,}", "\n\n", "\n".join(_lines(made))) + "\n"


def _lines(made: SurveyReport) -> Iterator[str]:
    yield "# DNS survey"
    yield ""
    yield f"{made.hosts:,} hosts, {made.lookups:,} lookups, {made.when}."
    for sentence in made.left_out:
        yield ""
        yield plain(sentence)
    yield from heading(2, "Verdicts")
    yield from table(
        ("mechanism", *WORST_FIRST),
        ((plain(target), *(f"{counts[word]:,}" for word in WORST_FIRST)) for target, counts in made.counts),
    )
    yield from table(
        ("host", "mechanisms", "verdict", "false drops", "refresh", "grace", "reason"),
        (
            (code(row.host), plain(row.targets), _verdict(row.verdict), row.false_drop, row.refresh, row.grace,
             plain(row.reason))
            for row in made.verdicts
        ),
    )  # fmt: skip
    yield "Refresh and grace: what an address list would need to drop fewer than 1 in 1,000 new connections."
    yield from heading(2, "Measured")
    yield from table(
        ("host", "TTL", "A: answer / seen / pool / miss", "AAAA"),
        ((code(host.host), *summary(host)) for host in made.listed),
    )
    for section in made.sections:
        yield from _section(section)
    if made.shared:
        yield from heading(2, "Shared addresses")
        yield from table(
            ("address", "hosts"),
            ((code(each.address), _names(each.hosts)) for each in made.shared),
        )
    if made.not_surveyed:
        yield from heading(2, "Not surveyed")
        yield from table(
            ("entry", "reason"), ((plain(each.entry), plain(each.reason)) for each in made.not_surveyed)
        )  # fmt: skip
    yield from heading(2, "Record")
    yield from table(("", ""), ((what, plain(value)) for what, value in made.record))


def _section(section: ReportSection) -> Iterator[str]:
    host = section.host
    yield from heading(2, code(host.host, table=False))
    yield "; ".join(f"{_verdict(word)}: {plain(targets)}" for word, targets in section.verdicts) + "."
    yield ""
    if (needs := own_list(host)) is not None:
        yield needs
        yield ""
    if host.chain:
        more = f" Chains seen: {host.chains}; this is the most frequent." if host.chains > 1 else ""
        yield f"**Chain.**{more}"
        yield ""
        yield from table(
            ("name", "type", "to", "TTL"),
            (
                (code(link.owner), link.type, code(link.target) if link.target else "-", link_ttl(link))
                for link in host.chain
            ),
        )
    if host.ttl is not None:
        yield f"**TTL.** {plain('; '.join(f'{what}: {value}' for what, value in ttl_lines(host.ttl)))}."
        yield ""
    if host.families:
        yield from table(FAMILY_FIGURES, figures(host))
    for family, course in section.study.courses.items():
        yield from _strip(family, course.coarser(2 * section.study.pools[family].spacing))
        yield from _curve(family, course, section.study.pools[family].size)
    if classes := ttl_classes(section.study.shown):
        most = max(count for _, count in classes)
        yield "**TTLs as shown**, in answers:"
        yield ""
        yield from table(
            ("TTL", "answers", ""), ((title, f"{n:,}", "█" * round(20 * n / most)) for title, n in classes)
        )  # fmt: skip
    for family, agreement in host.agreement.items():
        names, rows, left_out = matrix(agreement)
        yield f"**Resolvers**, share of {family} addresses in common (Jaccard); 1 is all, 0 is none:"
        yield ""
        yield from table(
            ("", *map(code, names)), ((code(name), *(f"{value:.2f}" for value in row)) for name, row in rows)
        )
        if left_out:
            yield f"{left_out} more resolvers are in `--json`."
            yield ""
    if host.https is not None:
        yield f"**HTTPS record.** {plain('; '.join(f'{what}: {value}' for what, value in https_lines(host.https)))}."
        yield ""
    for remark in host.findings:
        yield f"- `{remark.id}`: {plain(remark.message)}"
    if host.findings:
        yield ""
    yield f"**Lookups.** {lookups(host)}."


def _strip(family: str, course: Course) -> Iterator[str]:
    full = course.strongest()
    yield f"**{strip_title(family, course)}**"
    yield ""
    yield "```text"
    for row in range(len(course.rows)):
        yield "|" + "".join(_shade(course.share(row, index), full) for index in range(len(course.answers))) + "|"
    yield "```"
    yield ""


def _shade(value: float | None, full: float) -> str:
    """A character as dark as the share; any share is visible, and no answer is a dot."""
    if not value:
        return "·" if value is None else _SHADES[0]
    return _SHADES[max(1, min(len(_SHADES) - 1, round(value / full * (len(_SHADES) - 1))))]


def _curve(family: str, course: Course, size: float | None) -> Iterator[str]:
    points = course.curve
    chosen = [points[round(n * (len(points) - 1) / (_POINTS - 1))] for n in range(_POINTS)]
    kept = list(dict.fromkeys(chosen))
    estimate = "no estimate yet" if size is None else f"estimate of the pool (Chao2): {size:,.0f}"
    yield f"**{family} addresses seen, by answers**; {estimate}."
    yield ""
    yield from table(
        ("answers", *(f"{answers:,}" for answers, _ in kept)), [("seen", *(f"{seen:,}" for _, seen in kept))]
    )


def _verdict(word: str) -> str:
    return word if word == "ok" else f"**{word}**"


def _names(names: Sequence[str]) -> str:
    return few([code(name) for name in names])
