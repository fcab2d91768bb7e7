"""Writes what a vendor's page changes into a catalog file: a new revision, or nothing at all.

The new text is read back before it replaces the file: every old revision must say what it said, and the new one what the
page says. The file is replaced in one step, and only if nobody changed it meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hostgate.catalog import file_output
from hostgate.catalog.model import NOWHERE, Entry, EntryRecord, SpanRecord
from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.read import Catalog, check_catalog
from hostgate.catalog.yaml_reader import file_bytes, read_bytes
from hostgate.intake.page_update import EntryOnPage, NewEntry, Overlap, Update
from hostgate.intake.yaml_edit import Edit, Value, flow, scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSource:
    """Where and when the page stated it."""

    date: str
    document: str
    id: str = ""
    commit: str = ""
    url: str = ""
    note: str = ""
    besides: tuple[str, ...] = ()
    """Subjects of the page's doubts that a person settled; the catalog keeps them."""

    @property
    def source(self) -> str:
        return self.id or f"page-{self.commit[:9].lower() or self.date}"

    @property
    def as_source(self) -> dict[str, Value]:
        given = {"commit": self.commit, "date": self.date, "url": self.url}
        return {"id": self.source, "document": self.document, **{key: text for key, text in given.items() if text}}


def new_text(text: str, catalog: Catalog, change: Update, stated: PageSource, overlap: Overlap) -> str:
    """The catalog's `text` with the revision that `change` makes of it. Raises InputError if it cannot be written."""
    problems = list(_objections(catalog, stated))
    if problems:
        raise InputError(problems)
    edit = Edit(text)
    sources, revisions, entries = (edit.get(edit.root, key) for key in ("sources", "revisions", "entries"))
    if all(source.id != stated.source for source in catalog.record.sources):
        edit.append(sources, flow(stated.as_source))
    revision: dict[str, Value] = {
        "id": stated.date,
        "source": stated.source,
        "hosts": change.stated + len(change.others),
    }
    edit.append(revisions, flow({**revision, **({"note": stated.note} if stated.note else {})}))
    nodes = {record.id: node for record, node in zip(catalog.record.entries, entries.value, strict=True)}
    records = {record.id: record for record in catalog.record.entries}
    keeps = {entry.id for entry in change.kept(overlap)}
    for entry in change.withdrawn:
        node, record = nodes[entry.id], records[entry.id]
        _close(edit, node, record, catalog, stated.date, overlap.kept(stated.date) if entry.id in keeps else None)
        if record.status == "active":
            edit.set(node, "status", "withdrawn", before="spans")
    for known in change.known:
        if known.changed:
            _restate(edit, nodes[known.record.id], known, catalog, stated.date)
    for added in change.added:
        values = _values(added)
        spans = [{"since": stated.date}]
        block = [*(f"{key}: {scalar(value)}" for key, value in values.items()), "spans:", f"  - {flow(spans[0])}"]
        line = f"{flow(values)[:-1]}, spans: [{flow(spans[0])}]}}"
        edit.append(entries, line, block)
    new = [text for text in dict.fromkeys(stated.besides) if text not in catalog.record.besides]
    kept = edit.get(edit.root, "besides")
    if kept is None and new:
        edit.set(edit.root, "besides", scalar(new), before="entries")
    for besides in new if kept is not None else ():
        edit.append(kept, scalar(besides))
    made = edit.done()
    _prove(made, catalog, change, stated, overlap)
    return made


def first_text(name: str, change: Update, stated: PageSource) -> str:
    """The text of a new catalog called `name`, with the page as its only revision. Raises InputError."""
    lines = [
        f"catalog: {scalar(name)}",
        f"title: {scalar(stated.document)}",
        "",
        "sources:",
        f"  - {flow(stated.as_source)}",
        "",
        "revisions:",
        f"  - {flow({'id': stated.date, 'source': stated.source, 'hosts': change.stated})}",
        "",
        *([f"besides: {scalar(stated.besides)}", ""] if stated.besides else []),
        "entries:",
    ]
    for added in change.added:
        first, *rest = (f"{key}: {scalar(value)}" for key, value in _values(added).items())
        lines += [
            f"  - {first}",
            *(f"    {each}" for each in rest),
            "    spans:",
            f"      - {flow({'since': stated.date})}",
            "",
        ]
    text = "\n".join(lines).rstrip("\n") + "\n"
    check_catalog(read_bytes(text.encode(), f"{name} (new)"), f"{name} (new)")
    return text


def replace_file(path: Path, before: bytes | None, after: bytes) -> None:
    """Put `after` in the place of `before` (None: there was no file) in one step, keeping the file's mode.

    Raises InputError if the file is not as it was read, or cannot be written.
    """
    there = file_bytes(path, str(path)) if path.exists() else None
    if there != before:
        raise InputError(
            [Problem(rule="import-raced", file=str(path), message="The file changed meanwhile. Nothing was written.")]
        )
    file_output.replace_file(path, after, "import-unwritable")


def _objections(catalog: Catalog, stated: PageSource) -> Iterator[Problem]:
    def problem(rule: str, message: str) -> Problem:
        return Problem(rule=rule, message=message, file=catalog.file)

    latest = catalog.latest
    if latest is None or not catalog.record.sources:
        yield problem(
            "import-no-history", "The file has no revisions and sources: nobody can tell which document stated its hosts. "
            "Import into a new file (--name), and compare the two (hostgate catalog diff).",
        )  # fmt: skip
    elif stated.date <= latest:
        yield problem(
            "import-date", f"Found the date {stated.date}; the newest revision is {latest}. Allowed: a later date."
        )
    same = next((source for source in catalog.record.sources if source.id == stated.source), None)
    if same is not None and (same.date, same.commit or "") != (stated.date, stated.commit):
        yield problem(
            "import-source",
            f"The source {stated.source} is there with another date or commit. Name another (--source).",
        )


def _values(added: NewEntry) -> dict[str, Value]:
    host = added.host
    values: dict[str, Value] = {
        "id": added.id, "host": host.host, "match": host.match, "port": host.port, "protocol": host.protocol,
        "party": host.party or "third",
    }  # fmt: skip
    if host.direction == "ingress":
        values["direction"] = host.direction
    if host.purpose:
        values["purpose"] = host.purpose
    if host.families is not None:
        values["families"] = host.families
    if added.replaces:
        values["replaces"] = added.replaces
    return values


def _close(edit: Edit, node: Any, record: EntryRecord, catalog: Catalog, date: str, keep: str | None = None) -> None:
    """End the span that stands at the newest revision."""
    latest = catalog.latest or ""
    if record.spans is None:
        ended: dict[str, Value] = {"since": catalog.revisions[0].id, "until": date}
        edit.set(node, "spans", f"[{flow({**ended, **({'keep': keep} if keep else {})})}]")
        return
    index = next(
        at
        for at, span in enumerate(record.spans)
        if span.since <= latest and (span.until is None or latest < span.until)
    )
    span = edit.get(node, "spans").value[index]
    if keep and span.flow_style:
        edit.set(span, "until", f"{scalar(date)}, keep: {scalar(keep)}", after="since")
    else:
        edit.set(span, "until", scalar(date), after="since")
        if keep:
            edit.set(span, "keep", scalar(keep), after="since")


def _restate(edit: Edit, node: Any, known: EntryOnPage, catalog: Catalog, date: str) -> None:
    """A span from `date` on, with what the last one said but families and party; it ends the one that stands."""
    record = known.record
    last = max(record.spans or (), key=lambda span: span.since, default=SpanRecord(since=date))
    span: dict[str, Value] = {"since": date}
    if last.purpose is not None:
        span["purpose"] = last.purpose
    if known.party != record.party:
        span["party"] = known.party
    if last.phase is not None:
        span["phase"] = list(last.phase)
    if known.families is not None and list(known.families) != record.families:
        span["families"] = list(known.families)
    if known.now is not None and record.spans is not None:
        _close(edit, node, record, catalog, date)
    if record.status == "withdrawn":
        edit.set(node, "status", "active")
    if record.spans is None:
        before = flow({"since": catalog.revisions[0].id, "until": date})
        edit.set(node, "spans", f"[{before}, {flow(span)}]")
    else:
        edit.append(edit.get(node, "spans"), flow(span))


def _prove(text: str, catalog: Catalog, change: Update, stated: PageSource, overlap: Overlap) -> None:
    """Read the new text back. Raises InputError if an old revision says something else, or the new one not what it should."""
    problems: tuple[Problem, ...] = ()
    wrong: list[str] = []
    try:
        made = check_catalog(read_bytes(text.encode(), catalog.file), catalog.file)
    except InputError as error:
        problems = error.problems
    else:
        old = [revision.id for revision in catalog.revisions]
        wrong = [each for each in old if _bare(made.entries(each)) != _bare(catalog.entries(each))]
        if _bare(made.entries(stated.date)) != _bare(change.after(stated.date, overlap)):
            wrong.append(stated.date)
    if problems or wrong:
        what = f"The revision {wrong[0]} would not come out right" if wrong else "The new text could not be read back"
        message = f"{what}, given the form in which this file is written. Nothing was written; edit it by hand."
        raise InputError([Problem(rule="import-form", file=catalog.file, message=message), *problems])


def _bare(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries without what a later revision may change about them: where they stand, and what became of them."""
    return tuple(
        replace(entry, origin=NOWHERE, withdrawn=None, replaced_by=None, status=_settled(entry.status))
        for entry in entries
    )


def _settled(status: str) -> Any:
    return "active" if status == "withdrawn" else status
