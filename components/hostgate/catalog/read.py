"""From a catalog file to a checked `Catalog`, and from there to the entries of any revision.

Every objection carries file, line, column, entry id, what was found and what is allowed; all of them come at once.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hostgate.catalog.blanks import ALLOWED, blanks
from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.model import NOWHERE, CatalogRecord, Entry, EntryRecord, Origin, RevisionRecord, SpanRecord
from hostgate.catalog.problems import InputError, Problem, did_you_mean, spelled
from hostgate.catalog.yaml_reader import Mapping, Position, YamlItems, read_file


@dataclass(frozen=True, slots=True)
class Catalog:
    """One catalog document, checked. `file` is the name shown to people."""

    file: str
    record: CatalogRecord
    origins: tuple[Origin, ...]
    """Of each entry's host, in the order of `record.entries`."""

    @property
    def id(self) -> str:
        return self.record.catalog

    @property
    def revisions(self) -> tuple[RevisionRecord, ...]:
        """Oldest first; empty for a plain file without history."""
        return tuple(sorted(self.record.revisions, key=lambda revision: revision.id))

    @property
    def latest(self) -> str | None:
        return self.revisions[-1].id if self.record.revisions else None

    def entries(self, revision: str | None) -> tuple[Entry, ...]:
        """The entries open at `revision`, sorted by id; of a plain file, all of them (revision None).

        These are the entries that the document stated, and those that the catalog keeps after it withdrew them.
        """
        successors = {record.replaces: record.id for record in self.record.entries if record.replaces}
        found = []
        for record, origin in zip(self.record.entries, self.origins, strict=True):
            span, kept = _span_at(record.spans, revision), None
            if span is None and (span := _kept_at(record.spans, revision)) is not None:
                kept = span.keep
            if span is not None:
                found.append(entry_in(self.id, record, span, origin, successors.get(record.id), kept))
        found.sort(key=lambda entry: entry.id)
        return tuple(found)


@collector_at_rest()
def read_catalog(path: Path, shown: str | None = None) -> Catalog:
    """The catalog at `path`. Raises InputError with every problem of the file."""
    name = shown or str(path)
    return check_catalog(read_file(path, name), name)


def check_catalog(document: Mapping, name: str) -> Catalog:
    """The catalog in an already read YAML `document`. Raises InputError with every problem in it."""
    empty = _blanks(document, name)
    try:
        record = CatalogRecord.model_validate(document)
    except ValidationError as error:
        # A blank where a value must stand is objected to by the model as well.
        told = dict.fromkeys([*empty, *model_problems(error, document, name)])
        raise InputError(sorted(told, key=_place)) from None
    if empty:
        raise InputError(empty)
    entries = document["entries"]
    origins = tuple(Origin(name, *entry.at["host"]) for entry in entries)
    problems = list(_contradictions(record, document, origins, name))
    if problems:
        raise InputError(problems)
    return Catalog(name, record, origins)


def model_problems(error: ValidationError, document: Mapping, name: str) -> list[Problem]:
    """What pydantic found, each with the position in `document` and in words a person can act on."""
    problems = []
    for item in error.errors(include_url=False):
        path = item["loc"]
        at, entry = _locate(document, path)
        rule, message = _in_words(item)
        problems.append(Problem(rule=rule, file=name, line=at[0], column=at[1], entry=entry, message=message))
    problems.sort(key=_place)
    return problems


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def _blanks(document: Mapping, name: str) -> list[Problem]:
    """Keys and items without a value: `spans:` would read as "always", `until:` as "without an end"."""
    found = []
    for blank in blanks(document) if document.gaps else ():  # ten thousand entries are not walked for nothing
        if blank.unwritten:  # a null that is written, or an empty text, is somebody's word
            at, entry = _locate(document, blank.path)
            rule, message = _blank(_key(blank.path))
            found.append(Problem(rule=rule, file=name, line=at[0], column=at[1], entry=entry, message=message))
    return found


ALWAYS = SpanRecord(since="0001-01-01")


def _span_at(spans: Sequence[SpanRecord] | None, revision: str | None) -> SpanRecord | None:
    if spans is None or revision is None:
        return ALWAYS
    for span in spans:
        if span.since <= revision and (span.until is None or revision < span.until):
            return span
    return None


def _kept_at(spans: Sequence[SpanRecord] | None, revision: str | None) -> SpanRecord | None:
    """The span that ended before `revision` and is kept open at it."""
    for span in spans or ():
        if (
            span.keep
            and span.until
            and revision
            and span.until <= revision <= (_EVER if span.keep == "warn" else span.keep)
        ):
            return span
    return None


_EVER = "9999-12-31"


def entry_in(
    catalog: str,
    record: EntryRecord,
    span: SpanRecord,
    origin: Origin = NOWHERE,
    replaced_by: str | None = None,
    kept: str | None = None,
) -> Entry:
    """The entry as `record` states it in `span`, whose own words go before those of the record."""
    families = span.families if span.families is not None else record.families
    later = [other.until for other in record.spans or () if other.until and other.until > span.since]
    final = record.spans is not None and all(other.until is not None for other in record.spans)
    return Entry(
        catalog=catalog,
        id=record.id,
        host=record.host,
        match=record.match,
        port=record.port,
        protocol=record.protocol,
        party=span.party or record.party,
        purpose=record.purpose if span.purpose is None else span.purpose,
        phases=tuple(span.phase or record.phase),
        direction=record.direction,
        families=None if families is None else tuple(families),
        status=record.status,
        withdrawn=max(later) if final and later else None,
        kept=kept,
        replaced_by=replaced_by,
        alternatives=record.alternatives,
        replaces=record.replaces,
        notes=record.notes,
        origin=origin,
    )


def _contradictions(
    record: CatalogRecord, document: Mapping, origins: Sequence[Origin], name: str
) -> Iterator[Problem]:
    """What is wrong between the parts of a document whose parts are each well-formed."""

    def problem(rule: str, at: Position | Origin, message: str, entry: str | None = None) -> Problem:
        line, column = (at.line, at.column) if isinstance(at, Origin) else at
        return Problem(rule=rule, file=name, line=line, column=column, entry=entry, message=message)

    sources = {source.id for source in record.sources}
    known: dict[str, int] = {}
    for index, revision in enumerate(record.revisions):
        node = document["revisions"][index]
        if revision.id in known:
            yield problem("revision-twice", node.at["id"], f"The revision {revision.id} stands twice. Keep one.")
        known[revision.id] = index
        if revision.source not in sources:
            yield problem(
                "unknown-source",
                node.at["source"],
                f"Found the source {revision.source!r}. Allowed: {_listing(sources)}.",
            )
    ids: dict[str, Origin] = {}
    needs: dict[tuple[object, ...], list[int]] = {}
    standing = dict.fromkeys(known, 0)
    for index, entry in enumerate(record.entries):
        node, origin = document["entries"][index], origins[index]
        if entry.id in ids:
            yield problem(
                "entry-twice", node.at["id"], f"The id stands twice (first on line {ids[entry.id].line}).", entry.id
            )
        ids.setdefault(entry.id, origin)
        transport = "udp" if entry.protocol == "udp" else "tcp"
        needs.setdefault((entry.host, entry.match, entry.port, transport, entry.direction), []).append(index)
        for number, span in enumerate(entry.spans or ()):
            at = node["spans"].at[number]
            for end in (span.since, span.until):
                if end is not None and end not in known:
                    yield problem(
                        "unknown-revision", at, f"Found {end}, which is no revision of this file. "
                        f"Allowed: {_listing(known)}.", entry.id,
                    )  # fmt: skip
            if span.until is not None and span.until <= span.since:
                yield problem("span-backwards", at, f"The span ends ({span.until}) before it begins.", entry.id)
            if span.keep is not None and (span.until is None or span.keep < span.until):
                yield problem(
                    "span-keep", at, f"Found `keep: {span.keep}`. Allowed: beside `until`, and not before it.", entry.id
                )
        spans = sorted(entry.spans or (), key=lambda span: span.since)
        for before, after in itertools.pairwise(spans):
            if before.until is None or before.until > after.since:
                yield problem("spans-overlap", node.at["spans"], f"Two spans hold {after.since}.", entry.id)
        for revision_id in standing:
            if _span_at(entry.spans, revision_id) is not None:
                standing[revision_id] += 1
    for index, entry in enumerate(record.entries):
        if entry.replaces is not None and entry.replaces not in ids:
            near = get_close_matches(entry.replaces, ids, 1) if len(ids) <= _COMPARABLE else []
            yield problem(
                "unknown-entry", document["entries"][index].at["replaces"],
                f"Found {entry.replaces!r}, which is no entry here.{f' Did you mean {near[0]!r}?' if near else ''}", entry.id,
            )  # fmt: skip
    for same in needs.values():
        for earlier, later in itertools.pairwise(same):
            first, second = record.entries[earlier], record.entries[later]
            if _together(first.spans, second.spans, known):
                yield problem(
                    "host-twice", origins[later],
                    f"The same need as {first.id} on line {origins[earlier].line} ({second.host}, {second.match}, port "
                    f"{second.port}). Keep one.", second.id,
                )  # fmt: skip
    for revision_id, count in standing.items():
        stated = record.revisions[known[revision_id]].hosts
        if count != stated:
            yield problem(
                "revision-count", document["revisions"][known[revision_id]].at["hosts"],
                f"Revision {revision_id} states {stated} hosts; the entries' spans give {count}. "
                "An entry is missing, or a span is wrong.",
            )  # fmt: skip


def _together(first: list[SpanRecord] | None, second: list[SpanRecord] | None, revisions: dict[str, int]) -> bool:
    if not revisions:
        return True
    return any(_opens_at(first, at) and _opens_at(second, at) for at in revisions)


def _opens_at(spans: list[SpanRecord] | None, revision: str) -> bool:
    return _span_at(spans, revision) is not None or _kept_at(spans, revision) is not None


def _locate(document: Mapping, path: Sequence[int | str]) -> tuple[Position, str | None]:
    """The position of the value at `path`, or of the nearest thing that is there, and the entry it belongs to."""
    node: Any = document
    at = document.start
    entry = None
    for step in path:
        if isinstance(node, Mapping):
            if step not in node:
                break
            at, node = node.at[str(step)], node[str(step)]
        elif isinstance(node, YamlItems):
            if not isinstance(step, int) or step >= len(node):
                break
            at, node = node.at[step], node[step]
            if path[0] == "entries" and entry is None and isinstance(node, Mapping):
                found = node.get("id", node.get("host"))
                entry = found if isinstance(found, str) else f"entry {step + 1}"
        else:
            break
    return at, entry


def _key(path: Sequence[int | str]) -> str:
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "")


def _blank(key: str) -> tuple[str, str]:
    return f"{key}-type", f"Found nothing for `{key}`. Allowed: {ALLOWED}."


def _in_words(item: Any) -> tuple[str, str]:
    kind, found, context = item["type"], item["input"], item.get("ctx", {})
    key = _key(item["loc"])
    if found is None and kind != "missing":
        return _blank(key)
    match kind:
        case "missing":
            return "missing-key", f"The key `{key}` is missing."
        case "extra_forbidden":
            return "unknown-key", f"Found the key `{key}`.{did_you_mean(key, _KEYS)} It is no key here."
        case "literal_error":
            return f"unknown-{key}", f"Found {spelled(found)} for `{key}`. Allowed: {context['expected']}."
        case "int_type" | "int_from_float":
            return f"{key}-type", f"Found {spelled(found)} for `{key}`. Allowed: a whole number, without quotes."
        case "greater_than_equal" | "less_than_equal":
            allowed = "1 to 65535" if key == "port" else context.get("ge", context.get("le"))
            return f"{key}-range", f"Found {spelled(found)} for `{key}`. Allowed: {allowed}."
        case "string_type":
            return f"{key}-type", f"Found {spelled(found)} for `{key}`. Allowed: text (put it in quotes)."
        case "too_short":
            return (
                f"empty-{key}",
                f"`{key}` is empty. Allowed: at least one; an empty list is never read as 'no hosts'.",
            )
        case "list_type":
            return f"{key}-type", f"Found {spelled(found)} for `{key}`. Allowed: a list."
        case "model_type" | "dict_type":
            return f"{key}-type", f"Found {spelled(found)} in `{key}`. Allowed: a mapping."
        case _:
            return str(kind), str(item["msg"])


_KEYS = tuple(CatalogRecord.model_fields) + tuple(EntryRecord.model_fields) + tuple(SpanRecord.model_fields)


_COMPARABLE = 200
"""Names that are worth comparing with a misspelt one: the comparison costs 20 us a name, for every misspelt name."""


def _listing(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - 40} more" if len(listed) > 40 else ""
    return ", ".join(listed[:40]) + more or "none are declared"
