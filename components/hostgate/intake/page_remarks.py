"""What is remarkable about a page that could be read: misprints, and text that says otherwise than its tables.

What text says otherwise is a doubt: whether the page has more hosts than its tables is for a person to say. A catalog
keeps the answers (`besides`).
"""

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostgate.catalog.model import CatalogRecord, Match
from hostgate.catalog.problems import Problem, spelled
from hostgate.catalog.typos import near_misses, odd_key, typo_clusters
from hostgate.intake.cells import STAR
from hostgate.intake.includes import includes_in, pointer_in
from hostgate.intake.markdown_tables import MarkdownDocument, Row
from hostgate.intake.page_statements import against, beyond, inbound, printable, statements
from hostgate.intake.prose import Name, addresses_in, names_in, ports_in

if TYPE_CHECKING:
    from hostgate.intake.page import PageHost

REMARKS: Mapping[str, str] = {
    "prose-host": "The text names a host that no table has, or says that there are more. They are not taken.",
    "prose-port": "The text names a port that no table gives, or a host with another port than the table.",
    "near-miss": "A host is one edit away from another of the page: one of them may be a misprint.",
    "odd-key": "A hexadecimal label has a digit more or less than such keys have.",
    "mistaken-host": "The page has a host that the catalog records as a misprint.",
    "note-says": "A note says that the host is not always needed, stands for others too, or has another port than the table.",
    "star": "The page writes a star; pages do not say how deep it reaches, and it is read as `subtree`.",
    "duplicate-row": "A row stands twice.",
    "two-tables": "Two tables state the same host; the first is taken.",
    "unread-column": "A column is not read, because its title says no part that is known.",
    "unread-table": "A table without hosts is not read.",
    "page-include": "The page takes in text from elsewhere, or a note sends the reader there: that is not here to be read.",
    "replaced": "A host that appears probably took over from one that went.",
}
"""Id and meaning of every finding about a page."""


_NOT_ALWAYS = re.compile(r"\b(optional|temporar(?:y|ily)|will be|starting)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt(Problem):
    """A finding that may mean that hosts are missing, or that some are not to be opened. `subject` is what a reviewer calls
    it: a name, a name or the word `port` with a number, what is taken in from elsewhere, a sentence, a note with its host."""

    subject: str
    takes: bool = False
    """Whether text may take hosts away that a table has: an error wherever it is not settled, for it would open them."""
    names_a_host: bool = False
    """Whether it is a host that no table has: shown where a page is only looked at, to be decided where it is written."""

    def as_error(self) -> Problem:
        """The doubt with what to do about it."""
        by_hand = "Leave out by hand what is not to be opened" if self.takes else "Take over by hand what is needed"
        step = f"{by_hand}; if nothing is, say so (--besides {shlex.quote(self.subject)})."
        return Problem(rule=self.rule, message=f"{self.message} {step}", file=self.file, line=self.line)


def settled_subjects(record: CatalogRecord | None, besides: Iterable[str]) -> frozenset[str]:
    """The subjects of doubts that are no doubts: those that the catalog settles (its misprints too), and `besides`."""
    found = [*besides, *(record.besides if record else ())]
    for entry in record.entries if record else ():
        if entry.status == "mistaken":
            found.append(entry.host if entry.match == "exact" else f"*.{entry.host}")
    return frozenset(subject.casefold() for subject in found)


def open_doubts(findings: Iterable[Problem], settled: Collection[str]) -> Iterator[Doubt]:
    """The doubts among `findings` that are not `settled` (case-folded subjects)."""
    for finding in findings:
        if isinstance(finding, Doubt) and finding.subject.casefold() not in settled:
            yield finding


def note_doubts(file: str, line: int, host: str, note: str, *, exact: bool, directed: bool) -> Iterator[Doubt]:
    """What the `note` of a row says against its `host`, or beyond it where it is `exact`. `directed`: the page gives the
    direction of the host otherwise."""
    subject = printable(f"{host}: {note}")
    if word := against(note) or (None if directed else inbound(note)):
        message = f"The note of {spelled(host)} says {spelled(word)}: {spelled(note)}. Such a host is not opened."
        yield Doubt(rule="page-against", message=message, file=file, line=line, subject=subject, takes=True)
    elif exact and (word := beyond(note)):
        message = f"The note of {spelled(host)} says {spelled(word)}: {spelled(note)}. Only the one host is taken."
        yield Doubt(rule="note-says", message=message, file=file, line=line, subject=subject)


def remarks(
    file: str,
    hosts: Sequence["PageHost"],
    document: MarkdownDocument,
    inside: Callable[[int], bool],
    chosen: Collection[str],
    failed: Sequence[Row],
) -> Iterator[Problem]:
    """Every finding about a page's `hosts` and the text around them, as far as its lines are `inside` what is read.

    `chosen`: case-folded headings that were asked for. `failed`: rows with errors of their own; what they name is stated.
    """

    def remark(rule: str, line: int, message: str) -> Problem:
        return Problem(rule=rule, message=message, file=file, line=line)

    def doubt(rule: str, line: int, message: str, subject: str) -> Problem:
        return Doubt(
            rule=rule, message=message, file=file, line=line, subject=subject, names_a_host=rule == "prose-host"
        )

    ports: dict[int, set[tuple[int, bool]]] = {}
    for host in hosts:
        ports.setdefault(host.line, set()).add((host.port, host.protocol == "udp"))
    for host in hosts:
        if host.match != "exact":
            yield remark(
                "star", host.line, f"*.{host.host} is read as {host.reach}. Narrow it to one-label if that is meant."
            )
        if odd_key(host.host):
            yield remark("odd-key", host.line, f"{host.host} has a hexadecimal label with an odd number of digits.")
        if sometimes := _NOT_ALWAYS.search(host.purpose):
            yield remark(
                "note-says",
                host.line,
                f"The note of {host.host} says {spelled(sometimes[0])}: {spelled(host.purpose)}.",
            )
        for named in ports_in(host.purpose):
            if not _given(named, ports[host.line]):
                message = f"The note of {host.host} says port {_port(named)}, the table {host.port}/{host.protocol}."
                yield doubt("note-says", host.line, message, f"{host.host}:{_port(named)}")
        pointer = pointer_in(host.purpose)
        if pointer:
            message = f"The note of {host.host} sends the reader elsewhere: {spelled(pointer)}."
            yield doubt("page-include", host.line, message, pointer)
    lines = {host.host: host.line for host in reversed(hosts)}
    for cluster in typo_clusters(lines):
        yield remark("near-miss", lines[cluster[-1]], f"{cluster[-1]} is one edit away from {', '.join(cluster[:-1])}.")
    yield from includes(file, document, inside)
    everywhere = {(host.port, host.protocol == "udp") for host in hosts}
    cells = [cell.text for row in failed for cell in row.cells]
    everywhere |= {(int(digits), udp) for text in cells for digits in _PORT.findall(text) for udp in (False, True)}
    said = [(passage.line, passage.text) for passage in document.passages if passage.kind == "text"]
    for table in document.tables:
        if all(row.line not in ports for row in table.rows):
            said += [
                (row.line, f"{title} {cell.text}")
                for row in table.rows
                for title, cell in zip(table.header, row.cells, strict=True)
            ]
    for line, text in said:
        for named in ports_in(text) if inside(line) else ():
            if not _given(named, everywhere):
                message = f"The text names port {_port(named)}, which no table of hosts has."
                yield doubt("prose-port", line, message, f"port {_port(named)}")
    shown: set[str] = set()
    for passage in document.passages:
        for address in addresses_in(passage.text) if inside(passage.line) else ():
            if address not in shown:
                shown.add(address)
                message = f"The text names the address {address}, which no table has. It is not taken."
                yield doubt("prose-host", passage.line, message, address)
    stated: dict[tuple[Match, str], set[int]] = {}
    for host in hosts:
        stated.setdefault((host.match, host.host), set()).add(host.port)
    for name in (name for text in cells for name in names_in(text)):
        stated.setdefault((name.match, name.name), set()).update(port for port, _ in everywhere)
    yield from _prose(stated, document, doubt, inside)
    kinds: dict[str, set[Match]] = {}
    for match, of in stated:
        kinds.setdefault(of, set()).add(match)
    directed = bool(hosts) and all(host.direction is not None for host in hosts)
    for each in statements(document, kinds, inside, directed=directed, chosen=chosen):
        message = f"The text beside the tables says {spelled(each.word)}: {spelled(each.text)}."
        if each.takes:
            yield Doubt(rule="page-against", message=message, file=file, line=each.line, subject=each.text, takes=True)
        else:
            yield doubt("prose-host", each.line, f"{message} Only the hosts of the tables are taken.", each.text)


_PORT = re.compile(r"\b[0-9]{1,5}\b")


def _given(port: tuple[int, bool], stated: Collection[tuple[int, bool]]) -> bool:
    """Whether a port that text names is stated; text that does not say UDP may mean either."""
    return port in stated or (not port[1] and (port[0], True) in stated)


def _port(port: tuple[int, bool]) -> str:
    return f"{port[0]}/udp" if port[1] else str(port[0])


def includes(file: str, document: MarkdownDocument, inside: Callable[[int], bool]) -> Iterator[Problem]:
    """Where the page takes in text from elsewhere."""
    for include in includes_in(document.lines, document.code):
        if inside(include.line):
            message = f"{include.markup} takes in text that is not on this page."
            yield Doubt(rule="page-include", message=message, file=file, line=include.line, subject=include.name)


def prose_names(document: MarkdownDocument) -> Iterator[tuple[int, Name]]:
    """Every name of the page with its line: in text, code and HTML, and in all cells (hosts of host columns too)."""
    for passage in document.passages:
        for name in names_in(passage.text):
            yield passage.line, name
    for table in document.tables:
        for title in table.header:
            for name in names_in(title):
                yield table.line, name
        for row in table.rows:
            for cell in row.cells:
                for name in names_in(cell.text):
                    yield row.line, name


def _prose(
    ports: Mapping[tuple[Match, str], set[int]],
    document: MarkdownDocument,
    doubt: Callable[..., Problem],
    inside: Callable[[int], bool],
) -> Iterator[Problem]:
    told: set[tuple[str, int | None]] = set()
    unknown: list[tuple[int, Name]] = []
    for line, name in prose_names(document):
        if not inside(line):
            continue
        stated = [ports[need] for need in _needs_holding(name) if need in ports]
        if not stated and (name.written, None) not in told:
            told.add((name.written, None))
            unknown.append((line, name))
        elif stated and name.port is not None and (name.written, name.port) not in told:
            told.add((name.written, name.port))
            if name.port not in set().union(*stated):
                message = f"The text names {name.name}:{name.port}; the table gives another port."
                yield doubt("prose-port", line, message, f"{name.name}:{name.port}")
    standing = {host for _, host in ports}
    near = near_misses({name.name for _, name in unknown} - standing, standing)
    for line, name in unknown:
        twin = f" It is one edit away from {near[name.name]}: a misprint?" if name.name in near else ""
        message = f"The text names {name.written}, which no table has. It is not taken.{twin}"
        yield doubt("prose-host", line, message, name.written)


def _needs_holding(name: Name) -> Iterator[tuple[Match, str]]:
    """The (kind, host) pairs by which a table could state `name`: itself, and a star over any name above it."""
    yield (name.match, name.name)
    labels = name.name.split(".")
    for depth in range(1, len(labels)):
        yield (STAR, ".".join(labels[depth:]))
