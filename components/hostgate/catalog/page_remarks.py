"""What is remarkable about a page that could be read: misprints, and text that says otherwise than its tables."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hostgate.catalog.cells import STAR
from hostgate.catalog.markdown import Document
from hostgate.catalog.model import Match
from hostgate.catalog.problems import Problem, spelled
from hostgate.catalog.prose import Name, names_in
from hostgate.catalog.typos import near_misses, odd_key, typo_clusters

if TYPE_CHECKING:
    from hostgate.catalog.page import PageHost

REMARKS: Mapping[str, str] = {
    "prose-host": "The text names a host that no table has. It is not taken.",
    "prose-port": "The text names a host of the table with a port that the table does not give.",
    "near-miss": "A host is one edit away from another of the page: one of them may be a misprint.",
    "odd-key": "A hexadecimal label has a digit more or less than such keys have.",
    "mistaken-host": "The page has a host that the catalog records as a misprint.",
    "note-says": "A note says that the host goes, or is not always needed, or names another port than the table.",
    "star": "The page writes a star; pages do not say how deep it reaches, and it is read as `subtree`.",
    "duplicate-row": "A row stands twice.",
    "two-tables": "Two tables state the same host; the first is taken.",
    "unread-column": "A column is not read, because its title says no part that is known.",
    "unread-table": "A table without hosts is not read.",
    "page-include": "The page takes in text from elsewhere, which is not here to be read.",
    "replaced": "A host that appears probably took over from one that went.",
}
"""Id and meaning of every finding about a page."""

_GOES = re.compile(
    r"\b(deprecated|obsolete|retired|no longer|removed|legacy|optional|temporar(?:y|ily)|not required|will be|until|"
    r"starting|sunset)\b",
    re.IGNORECASE,
)
_PORT = re.compile(r"\bports?[ :]+([0-9]{1,5})\b", re.IGNORECASE)
_INCLUDE = re.compile(r"\{\{[<%].{0,80}?[>%]\}\}|\{%.{0,80}?%\}")


def remarks(file: str, hosts: Sequence["PageHost"], document: Document) -> Iterator[Problem]:
    """Every finding about a page's `hosts` and the text around them."""

    def remark(rule: str, line: int, message: str) -> Problem:
        return Problem(rule=rule, message=message, file=file, line=line)

    ports: dict[int, set[int]] = {}
    for host in hosts:
        ports.setdefault(host.line, set()).add(host.port)
    for host in hosts:
        if host.match != "exact":
            yield remark(
                "star", host.line, f"*.{host.host} is read as {host.reach}. Narrow it to one-label if that is meant."
            )
        if odd_key(host.host):
            yield remark("odd-key", host.line, f"{host.host} has a hexadecimal label with an odd number of digits.")
        goes = _GOES.search(host.purpose)
        if goes:
            yield remark(
                "note-says", host.line, f"The note of {host.host} says {spelled(goes[0])}: {spelled(host.purpose)}."
            )
        for named in _PORT.findall(host.purpose):
            if int(named) not in ports[host.line]:
                yield remark(
                    "note-says", host.line, f"The note of {host.host} says port {named}, the table {host.port}."
                )
    lines = {host.host: host.line for host in reversed(hosts)}
    for cluster in typo_clusters(lines):
        yield remark("near-miss", lines[cluster[-1]], f"{cluster[-1]} is one edit away from {', '.join(cluster[:-1])}.")
    for line, text in _outside(document):
        for found in _INCLUDE.findall(text):
            yield remark("page-include", line, f"{spelled(found)} takes in text that is not on this page.")
    yield from _prose(hosts, document, remark)


def prose_names(document: Document) -> Iterator[tuple[int, Name]]:
    """Every name of the page with its line: in text, code and HTML, and in all cells (hosts of host columns too)."""
    for line, text in _outside(document):
        for name in names_in(text):
            yield line, name
    for table in document.tables:
        for row in table.rows:
            for cell in row.cells:
                for name in names_in(cell.text):
                    yield row.line, name


def _outside(document: Document) -> Iterator[tuple[int, str]]:
    for passage in document.passages:
        yield passage.line, passage.text


def _prose(
    hosts: Sequence["PageHost"], document: Document, remark: Callable[[str, int, str], Problem]
) -> Iterator[Problem]:
    ports: dict[tuple[Match, str], set[int]] = {}
    for host in hosts:
        ports.setdefault((host.match, host.host), set()).add(host.port)
    told: set[tuple[str, int | None]] = set()
    unknown: list[tuple[int, Name]] = []
    for line, name in prose_names(document):
        stated = [ports[need] for need in _needs_holding(name) if need in ports]
        if not stated and (name.written, None) not in told:
            told.add((name.written, None))
            unknown.append((line, name))
        elif stated and name.port is not None and (name.written, name.port) not in told:
            told.add((name.written, name.port))
            if name.port not in set().union(*stated):
                yield remark(
                    "prose-port", line, f"The text names {name.name}:{name.port}; the table gives another port."
                )
    standing = {host.host for host in hosts}
    near = near_misses({name.name for _, name in unknown} - standing, standing)
    for line, name in unknown:
        twin = f" It is one edit away from {near[name.name]}: a misprint?" if name.name in near else ""
        yield remark("prose-host", line, f"The text names {name.written}, which no table has. It is not taken.{twin}")


def _needs_holding(name: Name) -> Iterator[tuple[Match, str]]:
    """The (kind, host) pairs by which a table could state `name`: itself, and a star over any name above it."""
    yield (name.match, name.name)
    labels = name.name.split(".")
    for depth in range(1, len(labels)):
        yield (STAR, ".".join(labels[depth:]))
