"""Foreign text in a Markdown comment: inert, whatever a catalog, a config or a plan file says in it.

All of it stands in code spans. In one, a forge makes no link, mention, reference, emoji or HTML of anything; only what
would end the span or the table's cell has to go. That text never begins a line, so that it starts no block and no
quick action.
"""

import unicodedata

LONGEST = 300
"""Characters of one text that are shown; a note is no essay."""


def code(text: object) -> str:
    """`text` as a code span that fits a table's cell; nothing for nothing.

    Back-ticks and pipes become look-alikes, white space one space, and what cannot be seen its code point.
    """
    shown = " ".join("".join(map(_visible, str(text))).split())
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}... (cut)"
    return f"`{shown}`" if shown else ""


def _visible(char: str) -> str:
    if char in _INSTEAD:
        return _INSTEAD[char]
    if char.isspace() or char in "\n\r\t":
        return " "
    # Also combining marks: a pile of them paints over the lines around it.
    if not char.isprintable() or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return f"(U+{ord(char):04X})"
    return char


_INSTEAD = {"`": "'", "|": "\u00a6", "\\": "\u2216"}
"""What ends a code span, what ends a cell, and what would escape either."""


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table; cells are Markdown already."""
    lines = [header, tuple("---" for _ in header), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def details(summary: str, lines: list[str]) -> list[str]:
    """`lines` behind a summary that opens on a click. `summary` is our own text: no forge reads Markdown in it."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "</details>", ""]
