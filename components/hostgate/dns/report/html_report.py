"""A report as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

Everything is escaped by the template engine. The page forbids itself to load anything (its content security policy).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from hostgate.dns.report import wording
from hostgate.dns.report.content import WORST_FIRST, ReportSection, SurveyReport
from hostgate.dns.report.page_template import environment, style
from hostgate.dns.report.pictures import curve, histogram, strip
from hostgate.dns.report.wording import few, strip_title, ttl_classes

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn(ReportSection):
    """`pictures`: title and SVG."""

    pictures: tuple[tuple[str, Markup], ...]


def page(made: SurveyReport) -> str:
    """The whole page. The same report gives the same bytes."""
    return environment(_FOLDER).get_template("page.html").render(
        report=made,
        wording=wording,
        words=WORST_FIRST,
        anchors={section.host.host: f"host-{number}" for number, section in enumerate(made.sections, 1)},
        verdicts=[list(rows) for _, rows in groupby(made.verdicts, key=lambda row: row.host)],
        sections=[
            _Drawn(host=each.host, study=each.study, pictures=tuple(_pictures(each, number)))
            for number, each in enumerate(made.sections, 1)
        ],
        shared=[(each.address, few(each.hosts)) for each in made.shared],
        not_surveyed=[(each.entry, each.reason) for each in made.not_surveyed],
        style=style(),
    ).lstrip()  # fmt: skip


def _pictures(section: ReportSection, number: int) -> Iterator[tuple[str, Markup]]:
    """The pictures of a host; `Markup`, because no name is in them that somebody else chose."""
    study = section.study
    for family, course in study.courses.items():
        course = course.coarser(2 * study.pools[family].spacing)
        yield strip_title(family, course), Markup(strip(course, family, f"strip-{number}-{family}"))
    if study.courses:
        sizes = {family: study.pools[family].size for family in study.courses}
        yield (
            "Addresses seen, by answers; dashed: the estimate (Chao2)",
            Markup(curve(study.courses, sizes, f"curve-{number}")),
        )
    if classes := ttl_classes(study.shown):
        yield "TTLs as shown", Markup(histogram(classes, f"ttl-{number}"))
