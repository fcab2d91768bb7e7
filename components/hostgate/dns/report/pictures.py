"""The pictures of a report, as SVG to stand in a page: text stays text, and colours are the page's own variables.

No name that came off the wire is drawn. The same figures give the same bytes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.ticker import MaxNLocator

from hostgate.dns.course import Course
from hostgate.dns.facts import AddressType
from hostgate.dns.report.wording import span

INK, MUTED, LINE, GAP = "#010101", "#020202", "#030303", "#040404"
FAMILY: dict[AddressType, str] = {"A": "#050505", "AAAA": "#060606"}
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    GAP: "var(--gap)",
    FAMILY["A"]: "var(--family-a)",
    FAMILY["AAAA"]: "var(--family-aaaa)",
}
"""Colours while a picture is drawn, and what they become: the page sets them, for light and dark."""

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hostgate",
    "font.size": 12,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.color": LINE,
    "ytick.labelcolor": MUTED,
}
_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_UNWANTED = (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")
"""A style within a picture would be one of the whole page."""

_FONTS = re.compile(r"font-family:[^;]*; ?")
_LEVELS = 5
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 80, 10, 46
"""Points, as all measures here: one is a pixel of the page."""

ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def strip(course: Course, family: AddressType, name: str) -> str:
    """Addresses over time: a row for each (or for some) in the order of discovery, darker where more answers held it."""
    height = len(course.rows) * max(6, min(16, 192 // len(course.rows)))
    with _axes(height, 960) as (figure, axes):
        full = course.strongest()
        bins = len(course.answers)
        gaps = [_box(n, 0, 1, len(course.rows)) for n, answers in enumerate(course.answers) if not answers]
        _fill(axes, gaps, GAP, 1)
        for level in range(1, _LEVELS + 1):
            boxes = [
                _box(start, row, length, 1)
                for row in range(len(course.rows))
                for start, length in _runs([_level(course.share(row, n), full) == level for n in range(bins)])
            ]
            _fill(axes, boxes, FAMILY[family], level / _LEVELS)
        axes.set_xlim(0, bins)
        axes.set_ylim(len(course.rows), 0)
        unit, size = next(
            (unit, size) for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
            if bins * course.width >= 3 * size or size == 1
        )  # fmt: skip
        _ticks_at(axes, bins * course.width / size, bins, unit)
        rows = len(course.rows)
        axes.set_yticks([0.5, rows - 0.5] if rows > 1 else [0.5], ["1", f"{course.seen:,}"] if rows > 1 else ["1"])
        axes.tick_params(axis="y", length=0)
        axes.set_ylabel("address" if height > 60 else "")
        said = f"{course.seen:,} {family} addresses over {span(bins * course.width)}, in the order of discovery."
        return _svg(figure, name, said)


def curve(courses: Mapping[AddressType, Course], sizes: Mapping[AddressType, float | None], name: str) -> str:
    """Addresses seen against answers, with the estimate of the pool where there is one."""
    with _axes(150) as (figure, axes):
        last = max(course.curve[-1][0] for course in courses.values())
        highest = 0.0
        ends: list[tuple[float, str]] = []
        for family, course in courses.items():
            answers, seen = zip((0, 0), *course.curve, strict=True)
            axes.plot(answers, seen, color=FAMILY[family], linewidth=2)
            ends.append((seen[-1], f"{family}: {seen[-1]:,}"))
            highest = max(highest, seen[-1])
            size = sizes[family]
            if size is not None:
                axes.axhline(size, color=FAMILY[family], linewidth=1.2, linestyle=(0, (5, 4)))
                highest = max(highest, size)
                if round(size) != seen[-1]:
                    ends.append((size, f"est. {size:,.0f}"))
        axes.set_xlim(0, last)
        axes.set_ylim(0, highest * 1.12)
        for height, text in _apart(ends, highest * 0.12):
            axes.annotate(text, (last, height), xytext=(6, 0), textcoords="offset points", va="center", color=INK)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel("fresh answers")
        axes.set_ylabel("addresses seen")
        estimates = (
            f"{family}: {course.seen:,} seen, estimate {'none' if sizes[family] is None else f'{sizes[family]:,.0f}'}"
            for family, course in courses.items()
        )
        return _svg(figure, name, f"Addresses seen against answers. {'; '.join(estimates)}.")


def histogram(classes: Sequence[tuple[str, int]], name: str) -> str:
    """How often which TTLs were shown."""
    with _axes(110) as (figure, axes):
        counts = [count for _, count in classes]
        axes.bar(range(len(classes)), counts, width=0.62, color=FAMILY["A"])
        for place, count in enumerate(counts):
            if count:
                axes.annotate(
                    f"{count:,}", (place, count), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=11
                )
        spare = max(0, 5 - len(classes)) / 2
        axes.set_xlim(-0.6 - spare, len(classes) - 0.4 + spare)
        axes.set_ylim(0, max(counts) * 1.18)
        axes.set_xticks(range(len(classes)), [title for title, _ in classes])
        axes.tick_params(axis="x", length=0)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel("TTL as shown")
        axes.set_ylabel("answers")
        return _svg(figure, name, "TTLs as shown: " + ", ".join(f"{title}: {count:,}" for title, count in classes))


@contextmanager
def _axes(height: float, width: float = 640) -> Iterator[tuple[Figure, Axes]]:
    """A picture whose axes are so high, drawn in this project's style whatever the machine's own is."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        whole = height + _TOP + _BOTTOM
        figure = Figure(figsize=(width / 72, whole / 72), dpi=72)
        figure.patch.set_visible(False)
        axes = figure.add_axes(
            (_LEFT / width, _BOTTOM / whole, (width - _LEFT - _RIGHT) / width, height / whole)
        )  # fmt: skip
        axes.patch.set_visible(False)
        yield figure, axes


def _level(value: float | None, full: float) -> int:
    """0 for none; any share is visible."""
    return 0 if not value else max(1, min(_LEVELS, round(value / full * _LEVELS)))


def _runs(wanted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """(start, length) of each run of true values."""
    start = None
    for n, each in enumerate((*wanted, False)):
        if each and start is None:
            start = n
        elif not each and start is not None:
            yield start, n - start
            start = None


def _box(x: float, y: float, width: float, height: float) -> Outline:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    return Outline(corners, [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY])


def _fill(axes: Axes, boxes: Sequence[Outline], colour: str, alpha: float) -> None:
    """All of `boxes` as one shape, which is short in the file."""
    if boxes:
        axes.add_patch(
            PathPatch(Outline.make_compound_path(*boxes), facecolor=colour, alpha=alpha, linewidth=0, clip_on=False)
        )  # fmt: skip


def _ticks_at(axes: Axes, length: float, bins: int, unit: str) -> None:
    """Ticks along a time of `length` units that is as long as `bins`."""
    chosen = [each for each in MaxNLocator(8, steps=[1, 2, 3, 5, 6, 10]).tick_values(0, length) if 0 <= each <= length]
    axes.set_xticks([each / length * bins for each in chosen], [f"{each:g}" for each in chosen])
    axes.set_xlabel(f"{unit} since the first answer")


def _apart(ends: Sequence[tuple[float, str]], least: float) -> list[tuple[float, str]]:
    """Heights of the labels of curves that end at `ends`: at least so far apart."""
    placed: list[tuple[float, str]] = []
    for height, text in sorted(ends):
        placed.append((max(height, placed[-1][0] + least) if placed else height, text))
    return placed


def _svg(figure: Figure, name: str, said: str) -> str:
    """`figure` as an element of a page: no date, no ids but those it refers to, which begin with `name`."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = text.getvalue()
    for colour, variable in _VARIABLES.items():
        drawn = drawn.replace(colour, variable)
    root = ElementTree.fromstring(drawn)
    for element in root.iter():
        for child in [each for each in element if each.tag in _UNWANTED]:
            element.remove(child)
        if (style := element.get("style")) is not None:
            element.set("style", _FONTS.sub("", style))
        own = element.attrib.pop("id", None)
        if own is not None and element.tag in (f"{{{_SVG}}}path", f"{{{_SVG}}}clipPath"):
            element.set("id", f"{name}-{own}")
        for attribute in (_LINK, "clip-path"):
            if (value := element.get(attribute)) is not None:
                element.set(attribute, value.replace("#", f"#{name}-"))
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", said)
    return ElementTree.tostring(root, encoding="unicode")
