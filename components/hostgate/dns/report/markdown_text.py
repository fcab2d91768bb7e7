"""Markdown of a report (with tables as on GitHub): whatever text a name or a reason holds, it is shown as itself."""

import re
from collections.abc import Iterable, Iterator, Sequence

from hostgate.catalog.problems import printable

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>&|~$@#])|(?<=www)(\.)|(:)(?=//)", re.IGNORECASE)
"""What begins markup or a link somewhere within a line; in a cell, nothing stands at the beginning of a line."""


def heading(level: int, text: str) -> Iterator[str]:
    yield ""
    yield f"{'#' * level} {text}"
    yield ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def plain(text: str) -> str:
    """`text` as itself, whatever markup it holds."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", printable(text))


def code(text: str, *, table: bool = True) -> str:
    """A name as code, which no markup ends: between more backticks than it holds in a row."""
    shown = printable(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{ticks}{space}{shown.replace('|', chr(92) + '|') if table else shown}{space}{ticks}"
