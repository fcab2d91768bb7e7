"""A vendor's Markdown page as hosts: every row of every host table, or an error that says why not.

Text is taken as a host only where it stands in a host column. What stands elsewhere and looks like one is a finding: the
page that this was made for once misspelt a wildcard in its prose for eleven months.
"""

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hostgate.catalog.model import Direction, Family, Match, Party, Protocol
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.intake.cells import Access, CellHost, Wrong, accesses_of, directions_of, families_of, hosts_of
from hostgate.intake.markdown_tables import Cell, MarkdownDocument, Row, Table
from hostgate.intake.page_columns import Role, roles_of, undecided_columns
from hostgate.intake.page_remarks import note_doubts, open_doubts, prose_names, remarks
from hostgate.intake.page_sections import direction_over, objection, other_protocol
from hostgate.intake.page_source import read_document
from hostgate.intake.prose import names_in


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHost:
    """One host need as a row of the page states it."""

    host: str
    match: Match
    port: int
    protocol: Protocol
    headings: tuple[str, ...]
    """Those that the table stands below, outermost first."""
    purpose: str
    families: tuple[Family, ...] | None
    """None where the page does not say."""
    party: Party | None
    """None where no heading of the page tells third parties apart."""
    direction: Direction | None
    """None where nothing in the table or over it tells it: then it is egress."""
    line: int

    @property
    def section(self) -> str:
        return self.headings[-1] if self.headings else ""

    @property
    def reach(self) -> str:
        return self.host if self.match == "exact" else f"{self.match} of {self.host}"

    def as_json(self) -> dict[str, object]:
        return {
            "host": self.host,
            "match": self.match,
            "port": self.port,
            "protocol": self.protocol,
            "section": self.section,
            "purpose": self.purpose,
            "families": None if self.families is None else list(self.families),
            **({} if self.direction is None else {"direction": self.direction}),
        }


@dataclass(frozen=True, slots=True)
class Page:
    """A vendor's page, read without an error. Findings are what a person should look at; nothing in them was opened."""

    file: str
    hosts: tuple[PageHost, ...]
    findings: tuple[Problem, ...]
    document: MarkdownDocument


def read_page(
    path: Path,
    shown: str | None = None,
    *,
    columns: Mapping[str, Role] | None = None,
    sections: Sequence[str] = (),
    assume: Access | None = None,
    literal: Sequence[str] = (),
    settled: Collection[str] | None = None,
    names: bool = False,
) -> Page:
    """The hosts of the Markdown file at `path`, and what is remarkable about it.

    `columns`: titles of columns whose part is not plain from them. `sections`: read only what stands below one of these
    headings. `assume`: port and protocol of tables that have no such column; one goes only with the other. `literal`:
    names that are meant as they stand although they look as if a part were to be filled in. `settled`: case-folded
    subjects of doubts that are none. Of all others those that take hosts away are errors; where it is given, the rest too,
    hosts that only text names if `names`.
    Raises InputError with everything that could not be read.
    """
    name = shown or str(path)
    document = read_document(path, name)
    wanted = {section.casefold() for section in sections}
    named = {title.casefold(): role for title, role in (columns or {}).items()}
    reader = _Reader(name, document, named, wanted, assume, {each.casefold() for each in literal})
    known = {heading.casefold() for table in document.tables for heading in table.headings}
    problems = [
        _problem("page-section", f"No table stands below the heading {section!r}.", name)
        for section in sections
        if section.casefold() not in known
    ]
    for table in document.tables:
        if not wanted or wanted & {heading.casefold() for heading in table.headings}:
            reader.table(table)
    reader.unread(document)
    problems += reader.problems
    if not reader.hosts and not problems:
        problems.append(
            _problem(
                "page-without-hosts",
                f"Found no host table. {_in_text(document)}An empty page is never read as 'no hosts'.",
                name,
            )
        )

    sections_read = document.lines_below(wanted)

    def inside(line: int) -> bool:
        return not wanted or any(line in section for section in sections_read)

    hosts = tuple(reader.hosts)
    taken = {host.line for host in hosts}
    failed = [row for table in reader.tables for row in table.rows if row.line not in taken]
    found = [*remarks(name, hosts, document, inside, wanted, failed), *reader.findings]
    problems += [
        doubt.as_error()
        for doubt in open_doubts(found, settled or ())
        if doubt.takes or (settled is not None and (names or not doubt.names_a_host))
    ]
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    return Page(name, hosts, tuple(sorted(found, key=lambda one: (one.line or 0, one.rule))), document)


class _Reader:
    """Reads table after table, and collects hosts, errors and findings."""

    def __init__(
        self,
        name: str,
        document: MarkdownDocument,
        columns: Mapping[str, Role],
        sections: Collection[str],
        assume: Access | None,
        literal: Collection[str],
    ) -> None:
        self.name = name
        self.columns = columns
        self.sections = sections
        self.assume = assume
        self.literal = literal
        self.parties = any(_third(table.headings) for table in document.tables)
        self.hosts: list[PageHost] = []
        self.problems: list[Problem] = []
        self.findings: list[Problem] = []
        self.tables: list[Table] = []
        """Those that state hosts, were they read or not."""

    def table(self, table: Table) -> None:
        roles = roles_of(table.header, self.columns)
        self.tables.append(table)
        twice = [
            role for role, times in Counter(role for role in roles if role not in (None, "ignore")).items() if times > 1
        ]
        if twice:
            self._error(
                "page-columns", table.line, f"Found two columns that look like the {twice[0]}: "
                f"{', '.join(spelled(title) for title, role in zip(table.header, roles, strict=True) if role == twice[0])}. "
                "Say which is which (--column ROLE=TITLE).",
            )  # fmt: skip
            return
        if "host" not in roles:
            self._without_hosts(table)
            return
        against = objection(table, self.sections, directed="direction" in roles)
        if against is not None:
            section = shlex.quote(table.headings[-1]) if table.headings else ""
            step = f"If they are meant to be read all the same, name it: --section {section}. " if section else ""
            self._error(
                "page-against", table.line, f"The table names hosts, and {against}. Such hosts are not opened. {step}"
                "Otherwise name the sections to read (--section HEADING).",
            )  # fmt: skip
        if not table.rows:
            self._error("page-empty-table", table.line, f"The host table ({_titles(table)}) has no rows.")
        for title, why in undecided_columns(table, roles):
            ignored = shlex.quote(f"ignore={title}")
            self._error(
                "page-columns", table.line, f"The column {spelled(title)} is not read, but {why}. Say what it is (--column "
                f"ROLE=TITLE), or that it decides nothing (--column {ignored}).",
            )  # fmt: skip
        for title, role in zip(table.header, roles, strict=True):
            if role is None:
                self._remark("unread-column", table.line, f"The column {spelled(title)} is not read.")
        if self.assume is None and not {"port", "protocol"} <= set(roles):
            missing = " and ".join(role for role in ("port", "protocol") if role not in roles)
            if not self._said_by_cells(table, roles):
                self._error(
                    "page-columns", table.line, f"The table has no column for the {missing}. Found: {_titles(table)}. "
                    "Name it (--column ROLE=TITLE), or say what holds for tables without (--assume 443/https).",
                )  # fmt: skip
                for row in table.rows:
                    cells: dict[Role, Cell] = {role: cell for role, cell in zip(roles, row.cells, strict=True) if role}
                    hosts = hosts_of(cells["host"], self.literal)
                    if isinstance(hosts, Wrong):
                        self._error(hosts.rule, row.line, hosts.message)
                    self._note(row, cells, hosts, directed="direction" in roles)
                return
        if self.assume is not None and not {"port", "protocol"} <= set(roles):
            self._doubt_assumption(table, roles)
        first: dict[tuple[object, ...], PageHost] = {}
        for row in table.rows:
            for host in self._row(table, roles, row):
                need = (host.host, host.match, host.port, host.protocol, host.direction)
                twin = first.setdefault(need, host)
                if twin is host:
                    self.hosts.append(host)
                elif twin.families == host.families:
                    another = "" if twin.purpose == host.purpose else ", with another note; that of the first is taken"
                    self._remark(
                        "duplicate-row", row.line, f"{host.reach}:{host.port} is on line {twin.line} too{another}."
                    )
                else:
                    self._error(
                        "page-contradiction", row.line,
                        f"{host.reach}:{host.port} stands on line {twin.line} too, with other address families.",
                    )  # fmt: skip

    def _doubt_assumption(self, table: Table, roles: Sequence[Role | None]) -> None:
        """Object to an assumption about a table whose titles, notes or text above speak of another protocol."""
        assert self.assume is not None
        said = [(table.line, text, False) for text in (*table.headings, *table.caption)]
        said += [(table.line, title, True) for title, role in zip(table.header, roles, strict=True) if role != "ignore"]
        notes = [index for index, role in enumerate(roles) if role == "purpose"]
        said += [(row.line, row.cells[index].text, True) for row in table.rows for index in notes]
        for line, text, loosely in said:
            word = other_protocol(text, loosely=loosely)
            if word is not None and word.lower() != self.assume.protocol and "protocol" not in roles:
                assumed = f"{self.assume.port}/{self.assume.protocol}"
                self._error(
                    "page-port", line, f"Found {spelled(word)} in {spelled(text)}; {assumed} is to be assumed. "
                    "Write what speaks otherwise into a catalog by hand, or leave the column out (--column ignore=TITLE).",
                )  # fmt: skip

    def unread(self, document: MarkdownDocument) -> None:
        """What is no table for Markdown, and looks like one to a person."""
        for number in document.lost:
            if next(names_in(document.lines[number - 1]), None):
                self._error(
                    "page-broken-table", number,
                    "This line looks like a row of a table, and Markdown reads it as none: a header, a line of dashes with "
                    "as many columns and no empty line in between are needed, outside of code and HTML.",
                )  # fmt: skip
        for number in document.html_tables[:1]:
            self._error("page-html-table", number, "Found a table in HTML. Allowed: Markdown tables.")

    def _said_by_cells(self, table: Table, roles: Sequence[Role | None]) -> bool:
        """Whether each row's own cells may say port and protocol, as in `https://HOST` or `443/tcp`."""
        return all(
            "://" in row.cells[roles.index("host")].text
            or ("port" in roles and "/" in row.cells[roles.index("port")].text)
            for row in table.rows
        )

    def _without_hosts(self, table: Table) -> None:
        named = [
            name.name
            for text in (*table.header, *(cell.text for row in table.rows for cell in row.cells))
            for name in names_in(text)
        ]
        if named:
            self._error(
                "page-columns", table.line, f"The table names {named[0]} and has no column of hosts. Found: {_titles(table)}. "
                "Say which it is (--column host=TITLE), or read other sections only (--section HEADING).",
            )  # fmt: skip
        else:
            self.tables.pop()
            self._remark("unread-table", table.line, f"A table without hosts is not read ({_titles(table)}).")

    def _row(self, table: Table, roles: Sequence[Role | None], row: Row) -> Iterator[PageHost]:
        if row.surplus > 0:
            self._error(
                "page-row", row.line, f"The row has {len(row.cells) + row.surplus} cells, the table {len(row.cells)} columns: "
                "Markdown leaves the rest out. Write a bar within a cell as \\|.",
            )  # fmt: skip
            return
        cells: dict[Role, Cell] = {role: cell for role, cell in zip(roles, row.cells, strict=True) if role}
        hosts = hosts_of(cells["host"], self.literal)
        accesses, wrong = accesses_of(cells.get("port"), cells.get("protocol"))
        families = families_of(cells["families"]) if "families" in cells else None
        directions: Sequence[Direction | None] | Wrong = [None]
        if "direction" in cells:
            directions = directions_of(cells["direction"])
        elif direction_over(table) == "ingress":
            directions = ["ingress"]
        purpose = cells["purpose"].text if "purpose" in cells else ""
        wrong += [each for each in (hosts, families, directions) if isinstance(each, Wrong)]
        self._note(row, cells, hosts, directed=directions != [None])
        if not purpose.isprintable():
            strange = next(char for char in purpose if not char.isprintable())
            wrong.append(Wrong("text-character", f"Found the character U+{ord(strange):04X}, which cannot be seen."))
        for each in wrong:
            self._error(each.rule, row.line, each.message)
        if wrong or isinstance(hosts, Wrong) or isinstance(families, Wrong) or isinstance(directions, Wrong):
            return
        party: Party | None = None if not self.parties else "third" if _third(table.headings) else "first"
        for host in hosts:
            for access in accesses:
                joined = self._joined(host, access)
                if isinstance(joined, Wrong):
                    self._error(joined.rule, row.line, joined.message)
                    continue
                port, protocol = joined
                for direction in directions:
                    yield PageHost(
                        host=host.host, match=host.match, port=port, protocol=protocol, headings=table.headings, purpose=purpose,
                        families=families, party=party, direction=direction, line=row.line,
                    )  # fmt: skip

    def _note(self, row: Row, cells: Mapping[Role, Cell], hosts: list[CellHost] | Wrong, *, directed: bool) -> None:
        """Doubt the hosts of a row whose note speaks against them or beyond them."""
        note = cells["purpose"].text if "purpose" in cells else ""
        named = (
            [(cells["host"].text, True)]
            if isinstance(hosts, Wrong)
            else [(each.host, each.match == "exact") for each in hosts]
        )
        for host, exact in named if note else ():
            self.findings += note_doubts(self.name, row.line, host, note, exact=exact, directed=directed)

    def _joined(self, host: CellHost, access: Access) -> tuple[int, Protocol] | Wrong:
        """Port and protocol of a row, from its cells, from how the host is written, and from what is to be assumed."""
        if host.port is not None and access.port is not None and host.port != access.port:
            return Wrong("page-contradiction", f"{host.host} is written with port {host.port} beside {access.port}.")
        if host.protocol is not None and access.protocol not in (None, "tcp", host.protocol):
            return Wrong("page-contradiction", f"{host.host} is written with {host.protocol} beside {access.protocol}.")
        port = access.port or host.port
        protocol = host.protocol or access.protocol
        if self.assume is not None and port in (None, self.assume.port) and protocol in (None, self.assume.protocol):
            port, protocol = self.assume.port, self.assume.protocol
        if port is not None and protocol is not None:
            if port in {"https": (80,), "http": (443,)}.get(protocol, ()):
                return Wrong(
                    "page-port", f"Found {host.host} with {protocol} on port {port}, which is that of another protocol. "
                    "If it is meant, write it into a catalog by hand.",
                )  # fmt: skip
            return port, protocol
        missing = "port" if port is None else "protocol"
        given = f" with {protocol}" if protocol else f" on port {port}" if port else ""
        if self.assume is None:
            return Wrong("page-port", f"Nothing says the {missing} of {host.host}{given}. Say it (--assume 443/https).")
        return Wrong(
            "page-port", f"Nothing says the {missing} of {host.host}{given}. What is to be assumed goes as a whole or not at all "
            f"({self.assume.port}/{self.assume.protocol}). Write this host into a catalog by hand.",
        )  # fmt: skip

    def _error(self, rule: str, line: int, message: str) -> None:
        self.problems.append(_problem(rule, message, self.name, line))

    def _remark(self, rule: str, line: int, message: str) -> None:
        self.findings.append(_problem(rule, message, self.name, line))


def _in_text(document: MarkdownDocument) -> str:
    names = list(dict.fromkeys(name.written for _, name in prose_names(document)))
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"The text names {', '.join(names[:8])}{more}; hosts are taken from tables only. " if names else ""


def _third(headings: Sequence[str]) -> bool:
    return any("third-party" in heading.casefold().replace(" ", "-") for heading in headings)


def _titles(table: Table) -> str:
    return ", ".join(spelled(title) for title in table.header)


def _problem(rule: str, message: str, file: str, line: int | None = None) -> Problem:
    return Problem(rule=rule, message=message, file=file, line=line)
