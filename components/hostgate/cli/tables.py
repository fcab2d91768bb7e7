"""Tables and findings as text for people."""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from hostgate.catalog.problems import printable

if TYPE_CHECKING:
    from hostgate.planning.findings import Finding


SHORT = 24
"""Characters. Where there is room, a column of short cells is not folded: a date over two lines misleads at night."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> str:
    """A table without colour that fits the terminal; long cells are folded, never cut."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(*header, box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, header_style="")
    for column in made.columns:
        column.overflow = "fold"
    cells = [tuple(row) for row in rows]
    widths = [max([len(title), *(len(row[index]) for row in cells)]) for index, title in enumerate(header)]
    whole = [width for width in widths if width <= SHORT]
    if sum(whole) + SHORT * (len(widths) - len(whole)) + 3 * len(widths) <= terminal_width():
        for column, width in zip(made.columns, widths, strict=True):
            column.no_wrap = width <= SHORT
    for row in cells:
        made.add_row(*(Text("\n".join(map(printable, cell.split("\n")))) for cell in row))
    console = Console(file=StringIO(), width=terminal_width(), color_system=None, highlight=False)
    console.print(made)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def finding_lines(one: "Finding") -> list[str]:
    """A finding with its severity, entry, place and, where somebody accepted it, the reason."""
    about = f" {one.entry}" if one.entry else ""
    place = f"  ({one.origin})" if one.origin else ""
    lines = [f"{one.severity:<7} {one.id}{about}: {one.message}{place}"]
    if one.accepted:
        lines.append(f"        accepted: {one.accepted}")
    return lines


def terminal_width() -> int:
    """Columns of the terminal: at least 80, and 160 where there is none."""
    from shutil import get_terminal_size

    return max(80, get_terminal_size((160, 24)).columns)


def near_line(near: Mapping[str, Any]) -> str:
    """What is near to a flow, and what it lacks: an entry as `Near.as_json` has it; a rule of a snapshot by its name alone."""
    what = "; ".join(near["lacking"]) or near["outcome"]
    if "rule" in near:
        return f"{near['rule']}: {what}"
    return f"{near['entry']} ({near['host']}, {near['port']}/{near['protocol']}): {what}"
