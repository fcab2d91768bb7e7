"""The named catalogs as a policy asks them: who holds this name, who held it, which names are mistakes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hostgate.catalog.match_kinds import holds, meet
from hostgate.catalog.mistakes import Misprints, Mistake, mistakes
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.references import CatalogRevision, resolve
from hostgate.flows.name_classes import Need
from hostgate.planning.needs import needs_of_catalogs
from hostgate.policies.effects import Names, is_match


@dataclass(frozen=True)
class CatalogIndex:
    """Entries by host. `standing`: of the named revisions; `gone`: of other revisions only; `mistaken`: in whichever."""

    refs: tuple[str, ...]
    standing: Mapping[str, tuple[Entry, ...]]
    gone: Mapping[str, tuple[Entry, ...]]
    mistaken: Mapping[str, tuple[Entry, ...]]
    misprints: Misprints
    """The same, as they oppose entries of other catalogs."""

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """What standing entries need; what other revisions hold may be open, and `host-withdrawn` speaks of it."""
        standing = needs_of_catalogs(dict.fromkeys(entry for several in self.standing.values() for entry in several))
        gone = needs_of_catalogs(dict.fromkeys(entry for several in self.gone.values() for entry in several))
        return (*standing, *(replace(need, due=False) for need in gone))

    def touching(self, names: Names) -> list[Entry]:
        """Standing entries that share a name with `names`."""
        return list(_touching(self.standing, names))

    def mistakes(self, names: Names) -> list[Entry]:
        """Records of a mistake that share a name with `names`, or whose own name is one of them."""
        found = list(_touching(self.mistaken, names))
        if is_match(names.kind):
            hosts = [names.host] if names.kind == "exact" else self.mistaken
            found += [e for host in hosts for e in self.mistaken.get(host, ()) if holds(names.kind, names.host, host)]
        return list(dict.fromkeys(found))

    def former(self, names: Names) -> list[Entry]:
        return list(_touching(self.gone, names))


def read_catalogs(refs: Iterable[str], base: Path) -> CatalogIndex:
    """Every catalog of `refs`, paths relative to `base`. Raises InputError with all that cannot be read."""
    pinned: list[CatalogRevision] = []
    problems: list[Problem] = []
    for ref in refs:
        try:
            pinned.append(resolve(ref, base))
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise InputError(problems)
    standing: dict[str, list[Entry]] = {}
    gone: dict[str, list[Entry]] = {}
    mistaken: dict[str, list[Entry]] = {}
    opposing: list[Mistake] = []
    for pin in pinned:
        now = [entry for entry in pin.catalog.entries(pin.revision) if entry.direction == "egress"]
        for entry in now:
            (mistaken if entry.status == "mistaken" else standing).setdefault(entry.host, []).append(entry)
        # Without a revision every entry counts, whether or not it ever stood: this is how mistakes are recorded.
        ever = pin.catalog.entries(None)
        opposing += mistakes(ever, now)
        for entry in ever:
            if entry.status == "mistaken":
                mistaken.setdefault(entry.host, []).append(entry)
            elif entry.id not in {other.id for other in now}:
                gone.setdefault(entry.host, []).append(entry)
    return CatalogIndex(
        tuple(map(str, pinned)), _frozen(standing), _frozen(gone), _frozen(mistaken), Misprints(opposing)
    )


def _frozen(found: Mapping[str, list[Entry]]) -> dict[str, tuple[Entry, ...]]:
    return {host: tuple(dict.fromkeys(entries)) for host, entries in found.items()}


def _touching(entries: Mapping[str, tuple[Entry, ...]], names: Names) -> Iterator[Entry]:
    """Those that share a name. Exact names look up their own labels only, so that long lists stay cheap."""
    if names.kind == "exact":
        labels = names.host.split(".")
        hosts: Iterable[str] = (".".join(labels[start:]) for start in range(len(labels)))
    else:
        hosts = entries
    for host in hosts:
        for entry in entries.get(host, ()):
            if _meets(names, entry):
                yield entry


def _meets(names: Names, entry: Entry) -> bool:
    if is_match(names.kind):
        return meet(names.kind, names.host, entry.match, entry.host)
    if names.kind == "any":
        return False  # a rule for every name is about no host of the catalog
    if names.kind == "ending":
        return entry.host.endswith(names.host) or (entry.match != "exact" and names.host.endswith(f".{entry.host}"))
    return names.host in entry.host
