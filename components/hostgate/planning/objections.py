"""Why entries are not opened: what a mechanism cannot say, what a catalog records as mistaken, what is enough instead."""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.match_kinds import BREADTH
from hostgate.catalog.mistakes import Misprints
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Selection
from hostgate.planning.mechanism import Mechanism, Objection
from hostgate.planning.options import Options

Key = tuple[str, str]
"""Of an entry: its catalog and id."""


def objections(
    how: Mechanism[Any],
    entries: Sequence[Entry],
    options: Options,
    selection: Selection,
    mistaken: Mapping[Key, Objection],
) -> dict[Key, Objection]:
    """Why `entries` of `selection` cannot be opened by `how`, less what is accepted, and with what is `mistaken`."""
    lifted = accepted(selection)
    ids = {entry.key: entry.id for entry in entries}
    found = {
        key: objection
        for key, objection in how.objections(entries, options).items()
        if objection.widening is None or (objection.widening, ids[key]) not in lifted
    }
    # What no mechanism may open goes first, so that what only one of them cannot say does not hide it.
    return found | {entry.key: mistaken[entry.key] for entry in entries if entry.key in mistaken}


def opening_mistakes(selection: Selection, misprints: Misprints) -> dict[Key, Objection]:
    """Entries that would open what a catalog records as mistaken, and nobody said by name that it is meant."""
    said = meant(selection)
    found = {}
    for entry in selection.entries if selection.mistakes else ():
        open_ = [each.entry for each in misprints.opened_by(entry) if (entry.id, each.entry.host) not in said]
        if open_:
            told = " and ".join(f"{each.host}, by {each.catalog} ({each.id})" for each in open_)
            hosts = " and ".join(dict.fromkeys(each.host for each in open_))
            found[entry.key] = Objection(
                f"{entry.reach} opens what is recorded as mistaken: {told}.",
                f"correct the entry, or leave it out. If it is meant, accept the finding opens-mistake for the entry "
                f"{entry.id} and the host {hosts}.",
            )
    return found


def covered(entries: Sequence[Entry], standing: Mapping[Key, Objection], choose: Mapping[str, str]) -> dict[Key, str]:
    """Entries whose need another entry of their alternatives group meets, with the reason."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.alternatives:
            groups.setdefault((entry.catalog, entry.alternatives), []).append(entry)
    found = {}
    for (_, group), members in groups.items():
        chosen = next((entry for entry in members if entry.id == choose.get(group)), None)
        if chosen is None:
            able = [entry for entry in members if entry.key not in standing]
            if not able:
                continue
            chosen = min(able, key=lambda entry: (BREADTH[entry.match], -entry.host.count("."), entry.id))
            why = f"{chosen.id} is enough (alternatives: {group}), the narrowest that can be expressed"
        else:
            why = f"{chosen.id} is enough (alternatives: {group}), as chosen"
        for entry in members:
            if entry is not chosen:
                own = standing.get(entry.key)
                found[entry.key] = f"{why}. {own.reason}" if own else why
    return found


def accepted(selection: Selection) -> frozenset[tuple[str, str | None]]:
    """The findings and entries that somebody accepted."""
    return frozenset((accept.finding, accept.entry) for accept in selection.accept)


def meant(selection: Selection) -> frozenset[tuple[str | None, str | None]]:
    """Entry id and host of every mistake that somebody opens on purpose."""
    return frozenset((one.entry, one.host) for one in selection.accept if one.finding == "opens-mistake")
