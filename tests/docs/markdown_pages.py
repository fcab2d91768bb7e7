"""The pages of the documentation as tests see them: fenced blocks, tables, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^ *(`{3,}|~{3,}) *(.*)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`]*`")


@dataclass(frozen=True)
class Block:
    """A fenced block. `file` is the name it is saved under for later blocks of its page, from `file=NAME`."""

    page: Path
    line: int
    language: str
    file: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}-{self.language or 'none'}"


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Every fenced block of a page. A fence that is never closed, or an attribute that is not known, is an error."""
    found: list[Block] = []
    fence, start, info, lines = "", 0, "", []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        match = _FENCE.match(line)
        if not fence:
            if match:
                fence, start, info, lines = match[1], number, match[2], []
        elif match and match[1].startswith(fence) and not match[2]:
            language, _, attributes = info.partition(" ")
            if attributes and not re.fullmatch(r"file=[\w.-]+", attributes):
                raise ValueError(f"{page.name}:{start}: {attributes!r} is no attribute of a block. Allowed: file=NAME.")
            found.append(
                Block(page, start, language, attributes.removeprefix("file=") or None, "\n".join(lines) + "\n")
            )
            fence = ""
        else:
            lines.append(line)
    if fence:
        raise ValueError(f"{page.name}:{start}: the block is never closed.")
    return tuple(found)


def files_before(block: Block) -> Iterator[Block]:
    """The saved blocks that stand on the page before `block`."""
    return (other for other in blocks(block.page) if other.file and other.line < block.line)


def prose(page: Path) -> list[str]:
    """The lines of a page outside its blocks; lines inside are empty, so that line numbers stay."""
    lines = page.read_text("utf-8").splitlines()
    for block in blocks(page):
        for index in range(block.line - 1, block.line + block.text.count("\n") + 1):
            lines[index] = ""
    return lines


def links(page: Path) -> list[str]:
    """The targets of all links of a page."""
    return [target for line in prose(page) for target in _LINK.findall(_CODE.sub("", line))]


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make."""
    titles = [line.lstrip("#").strip() for line in prose(page) if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@dataclass(frozen=True)
class Table:
    """A table and where it stands: the headings above it, and the last line of text before it."""

    page: Path
    line: int
    headings: tuple[str, ...]
    introduction: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """The cells under `name`, without back-ticks."""
        index = self.header.index(name)
        return [row[index].strip("`") for row in self.rows]


def tables(page: Path) -> list[Table]:
    """Every table of a page."""
    found: list[Table] = []
    headings: list[str] = []
    introduction = ""
    rows: list[tuple[str, ...]] = []
    start = 0
    for number, line in enumerate([*prose(page), ""], 1):
        if line.startswith("|"):
            start = start or number
            rows.append(tuple(cell.strip() for cell in line.strip().strip("|").split("|")))
            continue
        if rows:
            found.append(Table(page, start, tuple(headings), introduction, rows[0], tuple(rows[2:])))
            rows, start = [], 0
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            headings = [*headings[: level - 1], line.lstrip("#").strip()]
            introduction = ""
        elif line.strip():
            introduction = line.strip()
    return found
