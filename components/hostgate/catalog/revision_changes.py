"""What a reviewer has to know between two lists of hosts: what opens, what closes, what changes, the risky first.

`compare` takes entries, so that revisions, files, git refs and whole selections are all compared in the same way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Literal

from hostgate.catalog.lint import WEB_PORTS
from hostgate.catalog.match_kinds import within
from hostgate.catalog.model import Entry, Match

What = Literal["opened", "replaced", "changed", "closed", "misprint"]

RISKS: Mapping[str, str] = {
    "mistaken": "The host is recorded as a misprint, here or on the other side.",
    "near-miss": "The host is one edit away from another that stands: one of them may be a misprint.",
    "shared-hosting": "The name serves many customers of one company.",
    "hosting-suffix": "Customers of one company register names below this one.",
    "wildcard": "More than one name opens.",
    "wider": "An entry that stood reaches further than before: more names, families or another direction.",
    "plain-http": "The protocol is http: nothing proves who answers, and everybody on the way can read it.",
    "new-port": "No entry used the port before.",
    "unusual-port": "https or http on a port where it usually is not.",
    "withdrawn": "The vendor has already withdrawn the host that opens.",
    "third-party": "A company other than the vendor runs the host that opens.",
}
"""Id and meaning, the most serious first: the order in which changes are told."""

FIELDS = (
    "host", "match", "port", "protocol", "direction", "families", "party", "phase", "purpose", "status", "withdrawn",
    "kept", "alternatives", "notes", "id", "catalog",
)  # fmt: skip
"""What is compared of two entries that are the same need, in the order it is told."""

_OF_A_SUCCESSOR = FIELDS[1:9]
"""What is told of an entry that took over from another: host, id and state differ anyway."""

_RANK = {risk: rank for rank, risk in enumerate(RISKS)}
_ORDER: dict[What, int] = {"opened": 0, "replaced": 1, "changed": 2, "closed": 3, "misprint": 4}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value of an entry, before and after."""

    field: str
    before: object
    after: object

    def as_json(self) -> dict[str, object]:
        return {"field": self.field, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class ChangeRisk:
    """Why a change deserves a look: an id of RISKS, and what was found."""

    id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChange:
    """One host need that is not as it was.

    opened: only `after`. closed: only `before`. replaced: `after` took over from `before`, which is gone.
    changed: both, and `fields` says how. misprint: an entry that nothing opens appeared or went.
    """

    what: What
    before: Entry | None
    after: Entry | None
    fields: tuple[FieldChange, ...] = ()
    risks: tuple[ChangeRisk, ...] = ()

    @property
    def entry(self) -> Entry:
        """The entry as it is now, or as it was if it is gone."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def order(self) -> tuple[int, int, tuple[str, str]]:
        worst = min((_RANK[risk.id] for risk in self.risks), default=len(_RANK))
        return (worst, _ORDER[self.what], self.entry.key)

    def as_json(self) -> dict[str, object]:
        return {
            "what": self.what,
            "before": None if self.before is None else self.before.as_json(),
            "after": None if self.after is None else self.after.as_json(),
            "fields": [field.as_json() for field in self.fields],
            "risks": [{"id": risk.id, "message": risk.message} for risk in self.risks],
        }


@dataclass(frozen=True)
class CatalogDiff:
    """Every change between two lists of entries, risk first, and how many entries stayed as they were."""

    changes: tuple[HostChange, ...]
    unchanged: int

    @cached_property
    def counts(self) -> dict[What, int]:
        """Of each kind of change, how many."""
        return {what: sum(change.what == what for change in self.changes) for what in _ORDER}

    def of(self, what: What) -> tuple[HostChange, ...]:
        """The changes of one kind, in order."""
        return tuple(change for change in self.changes if change.what == what)

    @property
    def summary(self) -> str:
        """One line: `1 opened, 2 closed, 10 unchanged`."""
        told = [f"{count} {what}" for what, count in self.counts.items() if count]
        return ", ".join([*told, f"{self.unchanged} unchanged"])


def compare(
    before: Iterable[Entry], after: Iterable[Entry], *, misprints: Iterable[tuple[Match, str]] = ()
) -> CatalogDiff:
    """The changes from `before` to `after`.

    Two entries are the same need if catalog and id are the same, or else if they open the same. `misprints`: (match,
    host) pairs that are recorded as mistaken although no list holds them, such as those that only a page's prose had.
    """
    old, new = list(before), list(after)
    pairs, gone, come = _paired(old, new)
    wrong = {(e.match, e.host) for e in (*old, *new) if e.status == "mistaken"} | set(misprints)
    judge = _Judge(old, new, [e for e in come if _opens(e)], wrong)
    found: list[HostChange] = []
    unchanged = 0
    moved: list[tuple[Entry, Entry]] = []
    for was, now in pairs:
        if _values(was) == _values(now):
            unchanged += 1
            continue
        fields = tuple(_fields(was, now))
        if not _opens(was) and not _opens(now):
            found.append(HostChange(what="misprint", before=was, after=now, fields=fields, risks=judge.misprint(now)))
        elif not _opens(was):
            found.append(HostChange(what="opened", before=was, after=now, fields=fields, risks=judge.opened(now)))
        elif not _opens(now):
            found.append(HostChange(what="closed", before=was, after=now, fields=fields))
        elif was.host != now.host:
            moved.append((was, now))
        else:
            found.append(
                HostChange(what="changed", before=was, after=now, fields=fields, risks=judge.changed(was, now))
            )
    went = {entry.key: entry for entry in gone}
    for now in come:
        if not _opens(now):
            found.append(HostChange(what="misprint", before=None, after=now, risks=judge.misprint(now)))
        elif now.replaces and (now.catalog, now.replaces) in went and _opens(went[now.catalog, now.replaces]):
            moved.append((went.pop((now.catalog, now.replaces)), now))
        else:
            found.append(HostChange(what="opened", before=None, after=now, risks=judge.opened(now)))
    for was, now in moved:
        fields = tuple(field for field in _fields(was, now) if field.field in _OF_A_SUCCESSOR)
        found.append(HostChange(what="replaced", before=was, after=now, fields=fields, risks=judge.opened(now)))
    for was in went.values():
        found.append(HostChange(what="closed" if _opens(was) else "misprint", before=was, after=None))
    found.sort(key=lambda change: change.order)
    return CatalogDiff(tuple(found), unchanged)


def _opens(entry: Entry) -> bool:
    """Whether a plan can open the entry at all."""
    return entry.status != "mistaken"


def _paired(old: Sequence[Entry], new: Sequence[Entry]) -> tuple[list[tuple[Entry, Entry]], list[Entry], list[Entry]]:
    """Entries that are the same need, those that are only in `old`, and those that are only in `new`."""
    left = {entry.key: entry for entry in old}
    pairs: list[tuple[Entry, Entry]] = []
    unknown: list[Entry] = []
    for entry in new:
        was = left.pop(entry.key, None)
        if was is None:
            unknown.append(entry)
        else:
            pairs.append((was, entry))
    by_need = {_need(entry): entry for entry in left.values()}
    come: list[Entry] = []
    for entry in unknown:
        was = by_need.pop(_need(entry), None)
        if was is None:
            come.append(entry)
        else:
            pairs.append((was, entry))
            del left[was.key]
    return pairs, list(left.values()), come


def _need(entry: Entry) -> tuple[str, str, int, str, str, bool]:
    return (entry.host, entry.match, entry.port, entry.transport, entry.direction, _opens(entry))


_values = attrgetter(*("phases" if field == "phase" else field for field in FIELDS))


def _fields(was: Entry, now: Entry) -> Iterator[FieldChange]:
    for field, before, after in zip(FIELDS, _values(was), _values(now), strict=True):
        if before != after:
            yield FieldChange(field, before, after)


class _Judge:
    """Why an opening deserves a look, given everything that stands on both sides."""

    def __init__(
        self, old: Sequence[Entry], new: Sequence[Entry], come: Sequence[Entry], wrong: set[tuple[Match, str]]
    ) -> None:
        self.wrong = wrong
        self.ports = {entry.port for entry in old if _opens(entry)}
        self.near: dict[str, str] = {}
        if come and old:
            from hostgate.catalog.typos import near_misses

            hosts = {entry.host for entry in come}
            self.near = near_misses(hosts, {entry.host for entry in (*old, *new)} - hosts)

    def opened(self, entry: Entry) -> tuple[ChangeRisk, ...]:
        found = [*self._host(entry), *self._reach(entry)]
        usual = WEB_PORTS.get(entry.protocol)
        if entry.protocol == "http":
            found.append(ChangeRisk("plain-http", f"http on port {entry.port}."))
        if self.ports and entry.port not in self.ports:
            found.append(ChangeRisk("new-port", f"No entry used port {entry.port} before."))
        if usual and entry.port not in usual:
            found.append(ChangeRisk("unusual-port", f"{entry.protocol} on port {entry.port}."))
        if entry.withdrawn:
            found.append(ChangeRisk("withdrawn", f"The vendor withdrew it on {entry.withdrawn}."))
        if entry.party == "third":
            found.append(ChangeRisk("third-party", "Another company than the vendor runs it."))
        return _ranked(found)

    def changed(self, was: Entry, now: Entry) -> tuple[ChangeRisk, ...]:
        found: list[ChangeRisk] = []
        if not within(now.match, now.host, was.match, was.host):
            found.append(ChangeRisk("wider", f"{was.match} became {now.match}."))
            found += self._reach(now)
        if was.families is not None and not set(now.families or ("ipv4", "ipv6")) <= set(was.families):
            found.append(ChangeRisk("wider", f"{_shown(was.families)} became {_shown(now.families)}."))
        if was.direction != now.direction:
            found.append(ChangeRisk("wider", f"{was.direction} became {now.direction}."))
        if (was.port, was.protocol) != (now.port, now.protocol):
            found += [risk for risk in self.opened(now) if risk.id in ("plain-http", "new-port", "unusual-port")]
        return _ranked(found)

    def misprint(self, entry: Entry) -> tuple[ChangeRisk, ...]:
        return (ChangeRisk("mistaken", f"{entry.reach} is recorded as a misprint; nothing opens it."),)

    def _host(self, entry: Entry) -> Iterator[ChangeRisk]:
        if any(host == entry.host or within(entry.match, entry.host, match, host) for match, host in self.wrong):
            yield ChangeRisk("mistaken", f"{entry.reach} is recorded as a misprint.")
        if entry.host in self.near:
            yield ChangeRisk("near-miss", f"{entry.host} is one edit away from {self.near[entry.host]}.")

    def _reach(self, entry: Entry) -> Iterator[ChangeRisk]:
        from hostgate.catalog.hosts import is_hosting_suffix
        from hostgate.catalog.shared_hosting import shared_hosting

        shared = shared_hosting(entry.match, entry.host)
        if shared:
            yield ChangeRisk("shared-hosting", f"{shared}.")
        elif entry.match == "exact" and is_hosting_suffix(entry.host):
            yield ChangeRisk("hosting-suffix", f"Customers of one company register names below {entry.host}.")
        if entry.match != "exact":
            yield ChangeRisk("wildcard", f"Every name of {entry.reach}.")


def _ranked(risks: Iterable[ChangeRisk]) -> tuple[ChangeRisk, ...]:
    return tuple(sorted(dict.fromkeys(risks), key=lambda risk: _RANK[risk.id]))


def _shown(families: tuple[str, ...] | None) -> str:
    return "/".join(families) if families else "unknown families"
