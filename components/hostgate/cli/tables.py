"""Tables and findings as text for people."""

import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from hostgate.catalog.problems import printable

if TYPE_CHECKING:
    from hostgate.planning.findings import Finding


SHORT = 24
"""Characters. A column of short cells is folded last: a date over two lines misleads at night."""

_GAP = 3
"""Columns between two cells."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without colour that fits the terminal, as far as its words do: a cell is wrapped, never cut, and never within
    a word, for half a host name misleads.

    Columns that do not fit side by side leave the first on a line of its own; where the others do not fit either, each
    cell is a line with its title.
    """
    lines = [tuple(header), *(tuple(_printable(cell) for cell in row) for row in rows)]
    room = terminal_width() - 1
    if widths := _widths(lines, room):
        told = [_side_by_side(line, widths) for line in lines]
    elif widths := _widths([line[1:] for line in lines], room - 2):
        told = [[line[0], *(f"  {each}" for each in _side_by_side(line[1:], widths))] for line in lines]
    else:
        told = [[line[0], *_with_titles(header[1:], line[1:], room)] for line in lines[1:]]
        return "\n".join(f" {each}" for line in told for each in line)
    ruled = [*told[0], "─" * max(len(each) for line in told for each in line)]
    return "\n".join(f" {each}".rstrip() for line in (ruled, *told[1:]) for each in line)


def _printable(cell: str) -> str:
    return "\n".join(map(printable, cell.split("\n")))


def _widths(lines: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Of each column, as narrow as it takes for all to fit into `room`, where the fewest cells are wrapped for it; None if
    the words themselves do not fit."""
    columns = list(zip(*lines, strict=True))
    least = [max((cell_len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    parts = [sorted(cell_len(part) for cell in column for part in cell.split("\n")) for column in columns]
    widths = [lengths[-1] for lengths in parts]
    room -= _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None

    def harm(index: int) -> tuple[bool, int, int]:
        lengths, width = parts[index], widths[index]
        return lengths[-1] <= SHORT, len(lengths) - bisect_left(lengths, width), -width

    while sum(widths) > room:
        widths[min((index for index in range(len(widths)) if widths[index] > least[index]), key=harm)] -= 1
    return widths


def _side_by_side(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [
        [line for part in cell.split("\n") for line in _wrapped(part, width)]
        for cell, width in zip(cells, widths, strict=True)
    ]
    return [
        (" " * _GAP)
        .join(part + " " * (width - cell_len(part)) for part, width in zip(parts, widths, strict=True))
        .rstrip()
        for parts in zip_longest(*wrapped, fillvalue="")
    ]


def _with_titles(titles: Sequence[str], cells: Sequence[str], room: int) -> Iterator[str]:
    wide = max(map(len, titles))
    for title, cell in zip(titles, cells, strict=True):
        first, *more = _wrapped(cell.replace("/\n", "/").replace("\n", " "), room - wide - 4)
        yield f"  {title:<{wide}}  {first}".rstrip()
        yield from (f"  {'':<{wide}}  {each}" for each in more)


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def finding_lines(one: "Finding") -> list[str]:
    """A finding with its severity, entry, place and, where somebody accepted it, the reason."""
    about = "".join(f" {part}" for part in (one.grant and f"({one.grant})", one.entry) if part)
    place = f"  ({one.origin})" if one.origin else ""
    lines = [f"{one.severity:<7} {one.id}{about}: {one.message}{place}"]
    if one.accepted:
        lines.append(f"        accepted: {one.accepted}")
    return lines


def folded(text: str, *, err: bool = False) -> str:
    """`text` as a terminal shows it without breaking a word. Where stdout (`err`: stderr) is none, lines stay whole for those
    who search."""
    stream = sys.stderr if err else sys.stdout
    return "\n".join(_folded(text.split("\n"))) if stream is not None and stream.isatty() else text


def _folded(lines: Iterable[str]) -> Iterator[str]:
    room = terminal_width()
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if cell_len(line) <= room or len(indent) + _GAP >= room:
            yield line
        else:
            more = f"{indent}    "
            words = line.lstrip()
            yield from wrap(
                words,
                room,
                initial_indent=indent,
                subsequent_indent=more,
                break_long_words=False,
                break_on_hyphens=False,
            )


def terminal_width() -> int:
    """Columns of the terminal: at least 40, and 160 where there is none."""
    from shutil import get_terminal_size

    return max(40, get_terminal_size((160, 24)).columns)


def near_line(near: Mapping[str, Any]) -> str:
    """What is near to a flow, and what it lacks: an entry as `Near.as_json` has it; a rule of a snapshot by its name alone."""
    what = "; ".join(near["lacking"]) or near["outcome"]
    if "rule" in near:
        return f"{near['rule']}: {what}"
    whose = f" for {near['grant']}" if near.get("grant") else ""
    return f"{near['entry']}{whose} ({near['host']}, {near['port']}/{near['protocol']}): {what}"
