"""A vendor's Markdown page as hosts: every row of every host table, or an error that says why not.

Text is taken as a host only where it stands in a host column. What stands elsewhere and looks like one is a finding: the
page that this was made for once misspelt a wildcard in its prose for eleven months.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hostgate.catalog.cells import Access, CellHost, Wrong, accesses_of, families_of, hosts_of
from hostgate.catalog.file_input import Size, read_file_bytes
from hostgate.catalog.markdown import MAX_BRACKETS, MAX_BYTES, Cell, Document, Row, Table, read_markdown
from hostgate.catalog.model import Family, Match, Party, Protocol
from hostgate.catalog.page_columns import Role, roles_of
from hostgate.catalog.page_remarks import prose_names, remarks
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.catalog.prose import names_in


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
        }


@dataclass(frozen=True, slots=True)
class Page:
    """A vendor's page, read without an error. Findings are what a person should look at; nothing in them was opened."""

    file: str
    hosts: tuple[PageHost, ...]
    findings: tuple[Problem, ...]
    document: Document


def read_page(
    path: Path,
    shown: str | None = None,
    *,
    columns: Mapping[str, Role] | None = None,
    sections: Sequence[str] = (),
    assume: Access | None = None,
) -> Page:
    """The hosts of the Markdown file at `path`, and what is remarkable about it.

    `columns`: titles of columns whose part is not plain from them. `sections`: read only the tables below one of these
    headings. `assume`: port and protocol of tables that have no such column. Raises InputError with everything that
    could not be read.
    """
    name = shown or str(path)
    document = _document(path, name)
    reader = _Reader(name, document, {title.casefold(): role for title, role in (columns or {}).items()}, assume)
    wanted = {section.casefold() for section in sections}
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
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    hosts = tuple(reader.hosts)
    found = [*reader.findings, *remarks(name, hosts, document)]
    return Page(name, hosts, tuple(sorted(found, key=lambda one: (one.line or 0, one.rule))), document)


def _document(path: Path, name: str) -> Document:
    data = read_file_bytes(
        path, Size(MAX_BYTES, "the page it is made for has 10 kB"), name, allowed="one Markdown file"
    )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"Found byte 0x{data[error.start]:02x}, not valid UTF-8. Save the file as UTF-8."
        raise InputError([_problem("file-not-utf8", message, name, line)]) from None
    if "\0" in text:
        raise InputError([_problem("file-binary", "Found a NUL byte: this is not a text file.", name)])
    if not text.strip():
        raise InputError(
            [_problem("file-empty", "The file is empty. An empty page is never read as 'no hosts'.", name)]
        )
    if text.count("[") > MAX_BRACKETS:
        message = f"Found more than {MAX_BRACKETS:,} opening brackets. No page for people has them."
        raise InputError([_problem("page-brackets", message, name)])
    return read_markdown(text)


class _Reader:
    """Reads table after table, and collects hosts, errors and findings."""

    def __init__(self, name: str, document: Document, columns: Mapping[str, Role], assume: Access | None) -> None:
        self.name = name
        self.columns = columns
        self.assume = assume
        self.parties = any(_third(table.headings) for table in document.tables)
        self.hosts: list[PageHost] = []
        self.problems: list[Problem] = []
        self.findings: list[Problem] = []

    def table(self, table: Table) -> None:
        roles = roles_of(table.header, self.columns)
        twice = [role for role, times in Counter(role for role in roles if role).items() if times > 1]
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
        if not table.rows:
            self._error("page-empty-table", table.line, f"The host table ({_titles(table)}) has no rows.")
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
                return
        first: dict[tuple[str, str, int, str], PageHost] = {}
        for row in table.rows:
            for host in self._row(table, roles, row):
                need = (host.host, host.match, host.port, host.protocol)
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

    def unread(self, document: Document) -> None:
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
            name.name for row in table.rows for cell in row.cells for name in names_in(cell.text)
        ]  # fmt: skip
        if named:
            self._error(
                "page-columns", table.line, f"The table names {named[0]} and has no column of hosts. Found: {_titles(table)}. "
                "Say which it is (--column host=TITLE), or read other sections only (--section HEADING).",
            )  # fmt: skip
        else:
            self._remark("unread-table", table.line, f"A table without hosts is not read ({_titles(table)}).")

    def _row(self, table: Table, roles: Sequence[Role | None], row: Row) -> Iterator[PageHost]:
        if row.surplus > 0:
            self._error(
                "page-row", row.line, f"The row has {len(row.cells) + row.surplus} cells, the table {len(row.cells)} columns: "
                "Markdown leaves the rest out. Write a bar within a cell as \\|.",
            )  # fmt: skip
            return
        cells: dict[Role, Cell] = {role: cell for role, cell in zip(roles, row.cells, strict=True) if role}
        hosts = hosts_of(cells["host"])
        accesses, wrong = accesses_of(cells.get("port"), cells.get("protocol"))
        families = families_of(cells["families"]) if "families" in cells else None
        purpose = cells["purpose"].text if "purpose" in cells else ""
        wrong += [each for each in (hosts, families) if isinstance(each, Wrong)]
        if not purpose.isprintable():
            strange = next(char for char in purpose if not char.isprintable())
            wrong.append(Wrong("text-character", f"Found the character U+{ord(strange):04X}, which cannot be seen."))
        for each in wrong:
            self._error(each.rule, row.line, each.message)
        if wrong or isinstance(hosts, Wrong) or isinstance(families, Wrong):
            return
        party: Party | None = None if not self.parties else "third" if _third(table.headings) else "first"
        for host in hosts:
            for access in accesses:
                joined = self._joined(host, access)
                if isinstance(joined, Wrong):
                    self._error(joined.rule, row.line, joined.message)
                    continue
                port, protocol = joined
                yield PageHost(
                    host=host.host, match=host.match, port=port, protocol=protocol, headings=table.headings, purpose=purpose,
                    families=families, party=party, line=row.line,
                )  # fmt: skip

    def _joined(self, host: CellHost, access: Access) -> tuple[int, Protocol] | Wrong:
        """Port and protocol of a row, from its cells, from how the host is written, and from what is to be assumed."""
        if host.port is not None and access.port is not None and host.port != access.port:
            return Wrong("page-contradiction", f"{host.host} is written with port {host.port} beside {access.port}.")
        if host.protocol is not None and access.protocol not in (None, "tcp", host.protocol):
            return Wrong("page-contradiction", f"{host.host} is written with {host.protocol} beside {access.protocol}.")
        assumed = self.assume or Access(None, None)
        port = access.port or host.port or assumed.port
        protocol = host.protocol or access.protocol or assumed.protocol
        if port is None or protocol is None:
            missing = "port" if port is None else "protocol"
            return Wrong("page-port", f"Nothing says the {missing} of {host.host}. Say it (--assume 443/https).")
        return port, protocol

    def _error(self, rule: str, line: int, message: str) -> None:
        self.problems.append(_problem(rule, message, self.name, line))

    def _remark(self, rule: str, line: int, message: str) -> None:
        self.findings.append(_problem(rule, message, self.name, line))


def _in_text(document: Document) -> str:
    names = list(dict.fromkeys(name.written for _, name in prose_names(document)))
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"The text names {', '.join(names[:8])}{more}; hosts are taken from tables only. " if names else ""


def _third(headings: Sequence[str]) -> bool:
    return any("third-party" in heading.casefold().replace(" ", "-") for heading in headings)


def _titles(table: Table) -> str:
    return ", ".join(spelled(title) for title in table.header)


def _problem(rule: str, message: str, file: str, line: int | None = None) -> Problem:
    return Problem(rule=rule, message=message, file=file, line=line)
