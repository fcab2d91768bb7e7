"""What a vendor's page changes in a catalog: which entries stay, go, come back, change or are new. Pure values.

A page host is the entry with the same host, kind, port and protocol; another of these is another entry that may take
over from the first. Ids never change. Purposes do not either: a catalog's are its own words, not the page's.
"""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hostgate.catalog.dates import iso_date
from hostgate.catalog.model import Direction, Entry, EntryRecord, Family, Party
from hostgate.catalog.problems import Problem
from hostgate.catalog.read import ALWAYS, Catalog, entry_in
from hostgate.catalog.revision_changes import CatalogDiff, compare
from hostgate.intake.page import Page, PageHost
from hostgate.intake.page_remarks import prose_names


@dataclass(frozen=True, slots=True)
class Overlap:
    """What becomes of hosts that the vendor withdraws: `drop` closes them, `keep` holds them open for some days, `warn`
    until somebody closes them. Both of the latter are told by every plan."""

    policy: Literal["keep", "warn", "drop"] = "drop"
    days: int = 0

    def kept(self, date: str) -> str | None:
        """What a span that ends on `date` says under `keep`."""
        if self.policy == "keep":
            last = min(iso_date(date).toordinal() + self.days, datetime.date.max.toordinal())
            return datetime.date.fromordinal(last).isoformat()
        return "warn" if self.policy == "warn" else None


@dataclass(frozen=True, slots=True)
class EntryOnPage:
    """An entry of the catalog that the page states: as it stands (None: it does not now), and as the page has it."""

    record: EntryRecord
    now: Entry | None
    host: PageHost

    @property
    def families(self) -> tuple[Family, ...] | None:
        before = self.now.families if self.now else _tuple(self.record.families)
        return self.host.families if self.host.families is not None else before

    @property
    def party(self) -> Party:
        return self.host.party or (self.now.party if self.now else self.record.party)

    @property
    def changed(self) -> bool:
        return self.now is None or (self.families, self.party) != (self.now.families, self.now.party)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A host that the catalog never had, the id it gets, and the entry that it probably took over from."""

    id: str
    host: PageHost
    replaces: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The difference between a catalog at a revision and a vendor's page."""

    catalog: str
    before: tuple[Entry, ...]
    """What is open at the revision."""
    known: tuple[EntryOnPage, ...]
    added: tuple[NewEntry, ...]
    withdrawn: tuple[Entry, ...]
    others: tuple[Entry, ...]
    """Entries that the page does not speak of and that stay: inbound ones, unless it gives directions."""
    findings: tuple[Problem, ...]

    @property
    def same(self) -> bool:
        """Whether the page states what the catalog states."""
        return not self.added and not self.withdrawn and not any(known.changed for known in self.known)

    @property
    def diff(self) -> CatalogDiff:
        """What the page states otherwise than the catalog; hosts that the catalog keeps are none that it states."""
        return compare([entry for entry in self.before if entry.kept is None], self.after())

    @property
    def stated(self) -> int:
        """How many hosts the page states."""
        return len(self.known) + len(self.added)

    def after(self, date: str | None = None, overlap: Overlap = Overlap()) -> tuple[Entry, ...]:
        """What is open once the page is taken over at `date`; before a date is known, hosts that go are closed."""
        made = [_standing(self.catalog, known) for known in self.known]
        made += [_new(self.catalog, added) for added in self.added]
        made += self.others
        if date is not None and overlap.kept(date) is not None:
            kept = [replace(entry, kept=overlap.kept(date), withdrawn=date) for entry in self.kept(overlap)]
            made += [replace(entry, status="withdrawn") if entry.status == "active" else entry for entry in kept]
        if date is not None:
            made += [entry for entry in self.before if entry.kept and self._still_kept(entry, date)]
        return tuple(sorted(made, key=lambda entry: entry.id))

    def kept(self, overlap: Overlap) -> tuple[Entry, ...]:
        """Which of the withdrawn entries `overlap` keeps: not misprints, nor what another entry opens in their place."""
        if overlap.policy == "drop":
            return ()
        needs = {
            (host.host, host.match, host.port, host.protocol == "udp", host.direction or "egress")
            for host in self._page_hosts()
        }
        return tuple(
            entry
            for entry in self.withdrawn
            if entry.status != "mistaken"
            and (entry.host, entry.match, entry.port, entry.protocol == "udp", entry.direction) not in needs
        )

    def _still_kept(self, entry: Entry, date: str) -> bool:
        back = any(known.record.id == entry.id for known in self.known)
        return not back and (entry.kept == "warn" or date <= (entry.kept or ""))

    def _page_hosts(self) -> Iterator[PageHost]:
        yield from (known.host for known in self.known)
        yield from (added.host for added in self.added)


def update(catalog: Catalog, revision: str | None, page: Page) -> Update:
    """The difference between `catalog` at `revision` and `page`."""
    return _update(catalog.id, catalog.record.entries, catalog.entries(revision), page)


def first(name: str, page: Page) -> Update:
    """What `page` makes of a catalog called `name` that has nothing yet."""
    return _update(name, (), (), page)


def _update(name: str, everything: Sequence[EntryRecord], before: tuple[Entry, ...], page: Page) -> Update:
    spoken = {"egress"} | ({"ingress"} if any(host.direction for host in page.hosts) else set())
    standing = {entry.id: entry for entry in before if entry.kept is None and entry.direction in spoken}
    records = _by_need(everything, standing)
    taken: set[str] = set()
    known: list[EntryOnPage] = []
    new: list[PageHost] = []
    findings = list(page.findings)
    rows: dict[tuple[object, ...], PageHost] = {}
    for host in page.hosts:
        twin = rows.setdefault((host.host, host.match, host.port, host.protocol, host.direction or "egress"), host)
        if twin is not host:
            message = f"{host.reach}:{host.port} stands in the table of line {twin.line} too; that row is taken."
            findings.append(_remark("two-tables", page, host.line, message))
            continue
        record = next((records[need] for need in _needs(host) if need in records), None)
        if record is None or record.id in taken:
            new.append(host)
            continue
        taken.add(record.id)
        known.append(EntryOnPage(record, standing.get(record.id), host))
    withdrawn = tuple(entry for entry in standing.values() if entry.id not in taken)
    successors = _successors(new, withdrawn)
    ids = {record.id for record in everything}
    added = []
    for host in new:
        added.append(NewEntry(_id(host, ids), host, successors.get(host)))
        ids.add(added[-1].id)
    findings += _mistaken(name, everything, page)
    for each in added:
        if each.replaces:
            message = f"{each.host.host} probably took over from {each.replaces}. Take `replaces` out if not."
            findings.append(_remark("replaced", page, each.host.line, message, each.id))
    return Update(
        catalog=name,
        before=before,
        known=tuple(known),
        added=tuple(added),
        withdrawn=withdrawn,
        others=tuple(entry for entry in before if entry.kept is None and entry.direction not in spoken),
        findings=tuple(sorted(findings, key=lambda one: (one.line or 0, one.rule))),
    )


_Need = tuple[str, str, int, str, Direction]


def _needs(host: PageHost) -> Iterator[_Need]:
    """The needs by which a page host may be known: a reviewer may have narrowed its star to one label."""
    direction = host.direction or "egress"
    yield (host.host, host.match, host.port, host.protocol, direction)
    if host.match == "subtree":
        yield (host.host, "one-label", host.port, host.protocol, direction)


def _by_need(records: Sequence[EntryRecord], standing: Mapping[str, Entry]) -> dict[_Need, EntryRecord]:
    """The record to use for a need: the one that stands, else the newest that once did, else a misprint."""
    found: dict[_Need, EntryRecord] = {}
    ranked = sorted(
        records,
        key=lambda record: (
            record.id in standing, record.status != "mistaken", max((span.since for span in record.spans or ()), default=""),
        ),
    )  # fmt: skip
    for record in ranked:
        found[record.host, record.match, record.port, record.protocol, record.direction] = record
    return found


def _standing(catalog: str, known: EntryOnPage) -> Entry:
    if known.now is not None:
        return replace(known.now, families=known.families, party=known.party)
    record = known.record
    last = max(record.spans or (ALWAYS,), key=lambda span: span.since)
    return replace(
        entry_in(catalog, record, last),
        families=known.families,
        party=known.party,
        status="active" if record.status == "withdrawn" else record.status,
        withdrawn=None,
    )


def _new(catalog: str, added: NewEntry) -> Entry:
    host = added.host
    return Entry(
        catalog=catalog,
        id=added.id,
        host=host.host,
        match=host.match,
        port=host.port,
        protocol=host.protocol,
        party=host.party or "third",
        purpose=host.purpose,
        direction=host.direction or "egress",
        families=host.families,
        replaces=added.replaces,
    )


def _mistaken(catalog: str, records: Sequence[EntryRecord], page: Page) -> Iterator[Problem]:
    """Hosts of the page, in tables or text, that the catalog records as misprints."""
    wrong = {(r.match, r.host): r.id for r in records if r.status == "mistaken"}
    told = set()
    stated = [(host.line, host.match, host.host) for host in page.hosts]
    for line, match, host in [*stated, *((line, name.match, name.name) for line, name in prose_names(page.document))]:
        id_ = wrong.get((match, host))
        if id_ is not None and id_ not in told:
            told.add(id_)
            message = f"The page has {host}, which {catalog} records as a misprint. Nothing opens it."
            yield _remark("mistaken-host", page, line, message, id_)


def _remark(rule: str, page: Page, line: int, message: str, entry: str | None = None) -> Problem:
    return Problem(rule=rule, message=message, file=page.file, line=line, entry=entry)


def _successors(new: Sequence[PageHost], withdrawn: Sequence[Entry]) -> dict[PageHost, str]:
    """Which new host took over from which entry, where likeness leaves no doubt: one of each, and no second candidate."""
    from hostgate.catalog.typos import near_misses

    gone = {entry.host: entry for entry in withdrawn}
    near = near_misses({host.host for host in new} - gone.keys(), gone)
    few = len(new) * len(withdrawn) <= _COMPARABLE
    likes = [
        (host, entry)
        for host in (new if few else ())
        for entry in withdrawn
        if (host.direction or "egress") == entry.direction
        and (
            near.get(host.host) == entry.host
            or host.host == entry.host
            or (host.match == entry.match and _alike(host, entry))
        )
    ]
    of_new = Counter(host for host, _ in likes)
    of_gone = Counter(entry.id for _, entry in likes)
    return {host: entry.id for host, entry in likes if of_new[host] == of_gone[entry.id] == 1}


_COMPARABLE = 40_000
"""Pairs of a new host and a withdrawn one. Of a page that changes more at once, nobody can say what took over from what."""


def _alike(host: PageHost, entry: Entry) -> bool:
    """Whether the first label is the same word, or most words of the purposes are."""
    if host.host.split(".")[0] == entry.host.split(".")[0]:
        return True
    ours, theirs = (
        {word for word in text.casefold().split() if len(word) > 3} for text in (host.purpose, entry.purpose)
    )
    return bool(ours) and bool(theirs) and len(ours & theirs) * 3 >= len(ours | theirs) * 2


def _id(host: PageHost, taken: set[str]) -> str:
    """An id from the host's name, and from its kind and port where another entry has that."""
    base = host.host.replace(".", "-")
    wide = [] if host.match == "exact" else ["any"]
    for parts in ([base], [base, str(host.port)], [base, str(host.port), host.protocol]):
        found = "-".join([*wide, *parts])
        if len(found) > 64:
            found = f"{found[:50].rstrip('-')}-{hashlib.sha256(found.encode()).hexdigest()[:8]}"
        if found not in taken:
            return found
    number = 2
    while f"{found[:60]}-{number}" in taken:
        number += 1
    return f"{found[:60]}-{number}"


def _tuple(families: Sequence[Family] | None) -> tuple[Family, ...] | None:
    return None if families is None else tuple(families)
