"""A report as Markdown (with tables as on GitHub); pictures are drawn with characters."""

import re
from collections.abc import Iterable, Iterator, Sequence

from hostgate.catalog.problems import printable
from hostgate.dns.course import Course
from hostgate.dns.report.content import WORST_FIRST, ReportSection, SurveyReport
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

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>&|~$@#])|(?<=www)(\.)|(:)(?=//)", re.IGNORECASE)
"""What begins markup or a link somewhere within a line; in a cell, nothing stands at the beginning of a line."""

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
        yield _text(sentence)
    yield from _heading(2, "Verdicts")
    yield from _table(
        ("mechanism", *WORST_FIRST),
        ((_text(target), *(f"{counts[word]:,}" for word in WORST_FIRST)) for target, counts in made.counts),
    )
    yield from _table(
        ("host", "mechanisms", "verdict", "false drops", "refresh", "grace", "reason"),
        (
            (_code(row.host), _text(row.targets), _verdict(row.verdict), row.false_drop, row.refresh, row.grace,
             _text(row.reason))
            for row in made.verdicts
        ),
    )  # fmt: skip
    yield "Refresh and grace: what an address list would need to drop fewer than 1 in 1,000 new connections."
    yield from _heading(2, "Measured")
    yield from _table(
        ("host", "TTL", "A: answer / seen / pool / miss", "AAAA"),
        ((_code(host.host), *summary(host)) for host in made.listed),
    )
    for section in made.sections:
        yield from _section(section)
    if made.shared:
        yield from _heading(2, "Shared addresses")
        yield from _table(
            ("address", "hosts"),
            ((_code(each.address), _names(each.hosts)) for each in made.shared),
        )
    if made.not_surveyed:
        yield from _heading(2, "Not surveyed")
        yield from _table(
            ("entry", "reason"), ((_text(each.entry), _text(each.reason)) for each in made.not_surveyed)
        )  # fmt: skip
    yield from _heading(2, "Record")
    yield from _table(("", ""), ((what, _text(value)) for what, value in made.record))


def _section(section: ReportSection) -> Iterator[str]:
    host = section.host
    yield from _heading(2, _code(host.host, table=False))
    yield "; ".join(f"{_verdict(word)}: {_text(targets)}" for word, targets in section.verdicts) + "."
    yield ""
    if (needs := own_list(host)) is not None:
        yield needs
        yield ""
    if host.chain:
        more = f" Chains seen: {host.chains}; this is the most frequent." if host.chains > 1 else ""
        yield f"**Chain.**{more}"
        yield ""
        yield from _table(
            ("name", "type", "to", "TTL"),
            (
                (_code(link.owner), link.type, _code(link.target) if link.target else "-", link_ttl(link))
                for link in host.chain
            ),
        )
    if host.ttl is not None:
        yield f"**TTL.** {_text('; '.join(f'{what}: {value}' for what, value in ttl_lines(host.ttl)))}."
        yield ""
    if host.families:
        yield from _table(FAMILY_FIGURES, figures(host))
    for family, course in section.study.courses.items():
        yield from _strip(family, course.coarser(2 * section.study.pools[family].spacing))
        yield from _curve(family, course, section.study.pools[family].size)
    if classes := ttl_classes(section.study.shown):
        most = max(count for _, count in classes)
        yield "**TTLs as shown**, in answers:"
        yield ""
        yield from _table(
            ("TTL", "answers", ""), ((title, f"{n:,}", "█" * round(20 * n / most)) for title, n in classes)
        )  # fmt: skip
    for family, agreement in host.agreement.items():
        names, rows, left_out = matrix(agreement)
        yield f"**Resolvers**, share of {family} addresses in common (Jaccard); 1 is all, 0 is none:"
        yield ""
        yield from _table(
            ("", *map(_code, names)), ((_code(name), *(f"{value:.2f}" for value in row)) for name, row in rows)
        )
        if left_out:
            yield f"{left_out} more resolvers are in `--json`."
            yield ""
    if host.https is not None:
        yield f"**HTTPS record.** {_text('; '.join(f'{what}: {value}' for what, value in https_lines(host.https)))}."
        yield ""
    for remark in host.findings:
        yield f"- `{remark.id}`: {_text(remark.message)}"
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
    yield from _table(
        ("answers", *(f"{answers:,}" for answers, _ in kept)), [("seen", *(f"{seen:,}" for _, seen in kept))]
    )


def _heading(level: int, text: str) -> Iterator[str]:
    yield ""
    yield f"{'#' * level} {text}"
    yield ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _verdict(word: str) -> str:
    return word if word == "ok" else f"**{word}**"


def _names(names: Sequence[str]) -> str:
    return few([_code(name) for name in names])


def _text(text: str) -> str:
    """`text` as itself, whatever markup it holds."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", printable(text))


def _code(text: str, *, table: bool = True) -> str:
    """A name as code, which no markup ends: between more backticks than it holds in a row."""
    shown = printable(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{ticks}{space}{shown.replace('|', chr(92) + '|') if table else shown}{space}{ticks}"
