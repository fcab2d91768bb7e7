"""A Markdown page as tables and passages of text, with the lines they stand on, and what could not be read as either.

Markdown drops things without a word: cells beyond the last column, a table after a missing blank line, rows inside HTML
or a fence. Each line that looks like part of a table must be found in a table that was read, or it is told.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_BYTES = 1024 * 1024
"""Bytes. The page that this was made for has 6 kB."""

MAX_BRACKETS = 10_000
"""Opening brackets on a page: the parser's time is quadratic in those that make no link (10,000 take half a second)."""

_NESTING = 100
"""Levels. Deeper content is left out by the parser; whatever table was in it is then told as not read."""

BlockKind = Literal["text", "code", "html"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as a reader of the page sees it. `odd` names what its text alone does not tell."""

    lines: tuple[str, ...]
    odd: str = ""

    @property
    def text(self) -> str:
        return " ".join(line for line in self.lines if line)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; `line` from 1; `surplus` cells stand beyond its last column."""

    line: int
    cells: tuple[Cell, ...]
    surplus: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table, below which headings (outermost first) it stands, and its rows without the header.

    `caption` are the paragraphs between it and the heading or table above.
    """

    line: int
    headings: tuple[str, ...]
    caption: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the page outside tables: text as it is seen, code and HTML as they are written."""

    line: int
    kind: BlockKind
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A whole paragraph, title, item, comment or block of code or HTML on the page, on as many lines as it is written.

    `headings`: those that it stands below, its own for a title. `leads`: what leads to it, the paragraph over a list or a
    block of code and the items that an item is in. `struck`: whether some of it is crossed out.
    """

    line: int
    kind: Literal["text", "title", "code", "html"]
    text: str
    headings: tuple[str, ...]
    leads: tuple[str, ...]
    struck: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: `level` from 1, and the lines of its section, up to the next heading that is not below it."""

    title: str
    level: int
    line: int
    end: int


@dataclass(frozen=True)
class MarkdownDocument:
    """A page. `lost` are lines that look like rows of a table and are in none; `html_tables` lines with tags of one;
    `code` lines of code. `lines` are all, those of front matter emptied."""

    tables: tuple[Table, ...]
    passages: tuple[Passage, ...]
    paragraphs: tuple[Paragraph, ...]
    headings: tuple[Heading, ...]
    lost: tuple[int, ...]
    html_tables: tuple[int, ...]
    code: frozenset[int] = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)

    def lines_below(self, titles: Collection[str]) -> list[range]:
        """The lines of the sections with these titles (case-folded)."""
        return [range(each.line, each.end) for each in self.headings if each.title.casefold() in titles]


def read_markdown(text: str) -> MarkdownDocument:
    """The tables and passages of `text`, CommonMark with tables and strikethrough. Front matter is left out."""
    from markdown_it import MarkdownIt

    lines = re.split(r"\r\n?|\n", text)
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable(["table", "strikethrough"])
    lines = _without_front_matter(lines)
    tokens = parser.parse("\n".join(lines))
    walk = _Walk(lines)
    walk.over(tokens)
    seen = walk.in_tables
    lost = tuple(
        number
        for number, line in enumerate(lines, 1)
        if number not in seen
        and number not in walk.commented
        and (_ROW if number in walk.in_code else _LOOSE_ROW).match(line)
    )
    for number, line in enumerate(lines, 1):
        footnote = _FOOTNOTE.match(line)
        if footnote and number not in walk.in_code:
            walk.passages.append(Passage(number, "text", footnote[1]))
    return MarkdownDocument(
        tables=tuple(walk.tables),
        passages=tuple(walk.passages),
        paragraphs=tuple(walk.paragraphs),
        headings=tuple(_sections(walk.titles, len(lines) + 1)),
        lost=lost,
        html_tables=tuple(walk.html_tables),
        code=frozenset(walk.in_code),
        lines=tuple(lines),
    )


def _sections(titles: Sequence[tuple[int, int, str]], end: int) -> Iterator[Heading]:
    """Each (line, level, title) with the line at which its section ends."""
    open_: list[int] = []
    ends = [end] * len(titles)
    for index, (line, level, _) in enumerate(titles):
        while open_ and titles[open_[-1]][1] >= level:
            ends[open_.pop()] = line
        open_.append(index)
    for (line, level, title), last in zip(titles, ends, strict=True):
        yield Heading(title, level, line, last)


_FOOTNOTE = re.compile(r"\s{0,3}\[\^[^\]]{1,100}\]:\s*(\S+)\s*\Z")
"""A footnote of one word, which this parser takes for the target of a link."""

_ROW = re.compile(r"[\s>]*\|.*\|\s*\Z")
"""A line that begins and ends with a bar."""

_LOOSE_ROW = re.compile(r"[\s>]*\||[^|`]+\|[^|`]+\|[^|`]")
"""A line that begins with a bar, or has two with text around them. Code may: shells write pipes so."""

_TARGET = re.compile(r"""\b(?:href|src|xmlns)=(?:"[^"\n]{0,2000}"|'[^'\n]{0,2000}')""", re.IGNORECASE)
"""Where an HTML tag leads to, on one line: no text of the page."""

_HREF = re.compile(r"""\shref=["']?([^"'\s>]{1,500})""", re.IGNORECASE)

_TAG = re.compile(r"<!--.{0,1000}?-->|<[^<>]{0,1000}>", re.DOTALL)
_CAPTION = 4000
"""Characters of a block of HTML that are read as text over a table. Titles are shorter."""

_HTML_TABLE = re.compile(r"<(table|tr|td|th)\b", re.IGNORECASE)


def _without_front_matter(lines: Sequence[str]) -> list[str]:
    """The lines with those of a leading `---` or `+++` block emptied, so that numbers stay."""
    if lines and lines[0].rstrip() in ("---", "+++"):
        for number, line in enumerate(lines[1:], 1):
            if line.rstrip() == lines[0].rstrip():
                return [""] * (number + 1) + list(lines[number + 1 :])
    return list(lines)


class _Walk:
    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.tables: list[Table] = []
        self.passages: list[Passage] = []
        self.paragraphs: list[Paragraph] = []
        self.leads: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.titles: list[tuple[int, int, str]] = []
        self.caption: list[str] = []
        self.last = ""
        self.in_tables: set[int] = set()
        self.commented: set[int] = set()
        self.in_code: set[int] = set()
        self.html_tables: list[int] = []

    def over(self, tokens: Sequence["Token"]) -> None:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            line = token.map[0] + 1 if token.map else 0
            if token.type == "table_open":
                end = next(at for at in range(index, len(tokens)) if tokens[at].type == "table_close")
                self._table(line, tokens[index:end])
                assert token.map
                self.in_tables.update(range(token.map[0] + 1, token.map[1] + 1))
                index = end
            elif token.type == "heading_open":
                level, title = int(token.tag[1]), _cell(tokens[index + 1]).text
                self.headings = [*(kept for kept in self.headings if kept[0] < level), (level, title)]
                self.titles.append((line, level, title))
                self._paragraph(line, "title", title)
            elif token.type == "heading_close":
                self.caption = []
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self.leads.append(self.last)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self.last = self.leads.pop()
            elif token.type == "inline":
                last = token.map[1] if token.map else line
                shown = _cell(token)
                self.caption.append(shown.text)
                if index == 0 or tokens[index - 1].type != "heading_open":
                    self._paragraph(line, "text", shown.text, struck="crossed-out" in shown.odd)
                for offset, seen in enumerate(shown.lines):
                    self.passages.append(Passage(min(line + offset, last), "text", seen))
                if self.leads:
                    self.passages += [Passage(line, "text", host) for host in _linked_hosts(token)]
            elif token.type in ("fence", "code_block"):
                first = line + (token.type == "fence")
                self._paragraph(first, "code", token.content)
                for offset, content in enumerate(token.content.split("\n")):
                    self.passages.append(Passage(first + offset, "code", content))
                    self.in_code.add(first + offset)
            elif token.type == "html_block":
                self._html(line, token.content)
                self.caption.append(_TAG.sub(" ", token.content[:_CAPTION]))
            index += 1

    def _paragraph(
        self, line: int, kind: Literal["text", "title", "code", "html"], text: str, *, struck: bool = False
    ) -> None:
        headings = tuple(title for _, title in self.headings)
        leads = tuple(filter(None, [*self.leads, self.last if kind == "code" else ""]))
        self.paragraphs.append(Paragraph(line, kind, text, headings, leads, struck))
        if kind in ("title", "text"):
            self.last = text if kind == "text" else ""

    def _table(self, line: int, tokens: Sequence["Token"]) -> None:
        rows: list[Row] = []
        cells: list[Cell] = []
        for token in tokens:
            if token.type == "tr_open":
                cells = []
            elif token.type == "inline":
                cells.append(_cell(token))
            elif token.type == "tr_close":
                at = line if not rows else line + len(rows) + 1  # below the header stands the line of dashes
                rows.append(Row(at, tuple(cells), _written(self.lines[at - 1]) - len(cells)))
        header, *body = rows
        headings = tuple(title for _, title in self.headings)
        titles = tuple(cell.text for cell in header.cells)
        self.tables.append(Table(line, headings, tuple(self.caption), titles, tuple(body)))
        self.caption = []
        self.last = ""

    def _html(self, line: int, content: str) -> None:
        for offset, text in enumerate(_TARGET.sub("", content).split("\n")):
            self.passages.append(Passage(line + offset, "html", text))
        shown: list[str] = []
        at, first = 0, line
        while (begin := content.find("<!--", at)) >= 0 and (end := content.find("-->", begin)) >= 0:
            first += content.count("\n", at, begin)
            breaks = content.count("\n", begin, end)
            self.commented.update(range(first, first + breaks + 1))
            self._paragraph(first, "html", content[begin + 4 : end])
            shown += [content[at:begin], "\n" * breaks]
            at, first = end + 3, first + breaks
        seen = "".join([*shown, content[at:]])
        self._paragraph(line, "html", _TAG.sub(" ", seen))
        for offset, text in enumerate(seen.split("\n")):
            if _HTML_TABLE.search(text):
                self.html_tables.append(line + offset)


def _written(line: str) -> int:
    """How many cells a line of a table has as written; Markdown drops those beyond the header's."""
    from markdown_it.rules_block.table import escapedSplit

    cells = escapedSplit(line.strip(" \t>"))
    return len(cells) - (bool(cells) and cells[0] == "") - (len(cells) > 1 and cells[-1] == "")


def _cell(inline: "Token") -> Cell:
    lines = [""]
    odd = ""
    children = inline.children or []
    for index, part in enumerate(children):
        if part.type in ("text", "code_inline"):
            lines[-1] += part.content
        elif part.type in ("softbreak", "hardbreak"):
            lines.append("")
        elif part.type == "html_inline":
            if re.match(r"<br\s*/?>\Z", part.content, re.IGNORECASE):
                lines.append("")
            elif not re.match(r"</?(code|b|strong|i|em|kbd|wbr|span)\s*/?>\Z", part.content, re.IGNORECASE):
                odd = odd or f"HTML ({part.content[:40]})"
            elif not re.match(r"</?(code|wbr)\b", part.content, re.IGNORECASE):
                odd = odd or _inside_a_word(children, index)
        elif part.type in ("em_open", "em_close", "strong_open", "strong_close"):
            odd = odd or _inside_a_word(children, index)
        elif part.type == "s_open":
            odd = odd or "crossed-out text"
        elif part.type == "image":
            odd = odd or "an image"
            lines[-1] += part.content
        elif part.type == "link_open":
            odd = odd or _other_target(part, children[index + 1 : index + 8])
    return Cell(tuple(line.strip() for line in lines), odd)


def _inside_a_word(parts: Sequence["Token"], index: int) -> str:
    """In words, that emphasis begins or ends within a word: so pages mark the part of a name that is to be filled in."""
    before = parts[index - 1].content[-1:] if index else ""
    after = parts[index + 1].content[:1] if index + 1 < len(parts) else ""
    inside = all(char.isalnum() or char in "-_." for char in (before, after)) and before and after
    return "emphasis inside a name (a part to be filled in?)" if inside else ""


def _linked_hosts(inline: "Token") -> Iterator[str]:
    """Hosts to which a link leads that has no path, as in `[The API](https://api.acme.example/)`."""
    for part in inline.children or []:
        target = str(part.attrs.get("href", "")) if part.type == "link_open" else ""
        if part.type == "html_inline" and (href := _HREF.search(part.content)):
            target = href[1]
        if there := re.fullmatch(r"https?://([^/?#\s]+)/?", target, re.IGNORECASE):
            yield there[1]


def _other_target(link: "Token", after: Sequence["Token"]) -> str:
    """In words, that a link's text is a host and leads to another one; empty if it is not so."""
    text = next((part.content for part in after if part.type in ("text", "code_inline")), "").strip()
    target = str(link.attrs.get("href", ""))
    there = re.match(r"https?://([^/:?#\s]*)", target, re.IGNORECASE)
    host = re.sub(r"\Ahttps?://", "", text, flags=re.IGNORECASE).partition("/")[0].partition(":")[0]
    if there and "." in host and " " not in text and host.lower() != there[1].lower():
        return f"a link from {host[:80]} to {there[1][:80]}"
    return ""
