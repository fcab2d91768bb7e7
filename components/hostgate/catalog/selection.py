"""A selection: catalogs at revisions, narrowed, with the choices and acceptances that a person made about them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.mistakes import Mistake, mistakes
from hostgate.catalog.model import DIRECTIONS, PARTIES, PHASES, Entry, Origin
from hostgate.catalog.problems import InputError, Problem, did_you_mean, spelled, wrong_type
from hostgate.catalog.references import CatalogRevision, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A person's word that a finding about an entry is known and meant. `until` is the last day it holds.

    `host` is the name that it is about, where the finding names one beside the entry.
    """

    finding: str
    because: str
    entry: str | None = None
    until: date | None = None
    host: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)
    """Where it is written, if that is known."""

    def __str__(self) -> str:
        said = f"{self.finding} for {self.entry}" if self.entry else self.finding
        return f"{said} ({self.host})" if self.host else said


NARROWING = ("phases", "parties", "purposes", "directions", "ids", "without")
"""The lists that narrow a selection, by the names under which they are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to allow: entries sorted by (catalog, id), and beside them every entry that was narrowed away."""

    refs: tuple[str, ...]
    entries: tuple[Entry, ...]
    left_out: tuple[tuple[Entry, str], ...] = ()
    floating: tuple[str, ...] = ()
    """References that said `latest`."""
    choose: tuple[tuple[str, str], ...] = ()
    """Pairs of alternatives group and entry id."""
    accept: tuple[Acceptance, ...] = ()
    allow_empty: bool = False
    """Whether a plan that allows nothing is meant."""
    mistakes: tuple[Mistake, ...] = ()
    """What any of the catalogs records as mistaken, at whichever revision."""
    narrowing: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The lists that narrowed it, as given: `phases` and its items."""
    grants: tuple[tuple[str, "Selection"], ...] = ()
    """Of several selections in one plan, each with the name of its grant; their entries say it too."""

    @property
    def parts(self) -> tuple["Selection", ...]:
        """The selection of each grant; without any, this one."""
        return tuple(each for _, each in self.grants) or (self,)

    @property
    def summary(self) -> str:
        """How many hosts of which catalogs are selected, and by which lists: one line, the same for the same selection.

        What a catalog records as a misprint is no host.
        """
        if self.grants:
            return ". ".join(f"{name}: {each.summary}" for name, each in self.grants)
        kept = sum(each.status != "mistaken" for each in self.entries)
        left = sum(each.status != "mistaken" for each, _ in self.left_out)
        said = f"{kept} of {kept + left} hosts of {', '.join(self.refs)} selected"
        if not self.narrowing:
            return f"{said}: everything, because no {', '.join(NARROWING[:-1])} or {NARROWING[-1]} are given"
        by = "; ".join(f"{name} {', '.join(_shortened(items))}" for name, items in self.narrowing)
        return f"{said}: {by}; left out: {left}"

    def accepting(self, accept: Iterable[Acceptance]) -> "Selection":
        """The same selection with other acceptances."""
        return replace(self, accept=tuple(accept))


def together(grants: Mapping[str, Selection]) -> Selection:
    """The selections of several grants as one, in which each entry says its grant."""
    named = tuple((name, _granted(each, name)) for name, each in grants.items())
    parts = [each for _, each in named]
    return Selection(
        refs=tuple(dict.fromkeys(ref for each in parts for ref in each.refs)),
        entries=tuple(sorted((entry for each in parts for entry in each.entries), key=lambda entry: entry.key)),
        left_out=tuple(item for each in parts for item in each.left_out),
        floating=tuple(dict.fromkeys(ref for each in parts for ref in each.floating)),
        accept=tuple(dict.fromkeys(one for each in parts for one in each.accept)),
        allow_empty=all(each.allow_empty for each in parts),
        mistakes=tuple(dict.fromkeys(one for each in parts for one in each.mistakes)),
        grants=named,
    )


def union(*selections: Selection) -> Selection:
    """Every entry of `selections`, once: to measure hosts and to advise on them, not to plan. Of choices and acceptances
    those in which all that have the entry agree."""
    entries = {entry: None for each in selections for entry in each.entries}

    def agreed(one: Acceptance) -> bool:
        having = (each for each in selections if one.entry in (None, *(entry.id for entry in each.entries)))
        return all(one in each.accept for each in having)

    return replace(
        together({}),
        refs=tuple(dict.fromkeys(ref for each in selections for ref in each.refs)),
        entries=tuple(sorted(entries, key=lambda entry: entry.key)),
        choose=tuple(pair for pair in selections[0].choose if all(pair in each.choose for each in selections)),
        accept=tuple(dict.fromkeys(one for each in selections for one in each.accept if agreed(one))),
        mistakes=tuple(dict.fromkeys(one for each in selections for one in each.mistakes)),
    )


def _granted(selection: Selection, name: str) -> Selection:
    return replace(
        selection,
        entries=tuple(replace(entry, grant=name) for entry in selection.entries),
        left_out=tuple((replace(entry, grant=name), reason) for entry, reason in selection.left_out),
    )


@collector_at_rest()
def select(
    *refs: str,
    phases: Sequence[str] | None = None,
    parties: Sequence[str] | None = None,
    purposes: Sequence[str] | None = None,
    directions: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    without: Sequence[str] = (),
    choose: Mapping[str, str] | None = None,
    accept: Iterable[Acceptance] = (),
    base: Path | None = None,
    allow_empty: bool = False,
) -> Selection:
    """Catalogs at revisions, narrowed to what every given list names; an empty list names nothing and is refused.

    `refs`: vendor/product@revision or paths, relative to `base` (the current folder). `without` takes entry ids and
    phases; an entry goes only if all its phases go. `choose` maps an alternatives group to the entry id to use.
    Raises InputError with all problems: unreadable catalogs, names that match nothing, catalogs that disagree on one
    host, and an empty result unless `allow_empty`.
    """
    accepted = tuple(accept) if isinstance(accept, Iterable) else (accept,)
    if problems := list(_wrong_types(refs, choose, accepted)):
        raise InputError(problems)
    pinned, problems = _resolve_all(refs, base)
    given = dict(zip(NARROWING, (phases, parties, purposes, directions, ids, without), strict=True))
    problems += not_lists(given)
    if not refs:
        problems.append(
            Problem(rule="no-catalog", message="No catalog is named. Name at least one: vendor/product@revision.")
        )
    if problems:
        raise InputError(problems)
    entries = [entry for pin in pinned for entry in pin.catalog.entries(pin.revision)]
    narrowing = _Narrowing(entries, pinned)
    narrowing.keep("phase", ("phases", phases), PHASES, lambda entry: entry.phases)
    narrowing.keep("party", ("parties", parties), PARTIES, lambda entry: (entry.party,))
    narrowing.keep(
        "purpose", ("purposes", purposes), sorted({entry.purpose for entry in entries}), lambda entry: (entry.purpose,)
    )
    narrowing.keep("direction", ("directions", directions), DIRECTIONS, lambda entry: (entry.direction,))
    narrowing.keep("id", ("ids", ids), sorted({entry.id for entry in entries}), lambda entry: (entry.id,))
    narrowing.drop(without)
    kept = narrowing.kept
    choices = tuple(sorted((choose or {}).items()))
    problems = [*narrowing.problems, *_wrong_choices(choices, entries, kept), *_disagreements(kept)]
    problems += _ambiguous(accepted, kept)
    if not kept and not problems and not allow_empty:
        problems.append(
            Problem(
                rule="empty-selection",
                message=f"Nothing is left of {', '.join(map(str, pinned))}: {len(entries)} entries were narrowed away. "
                "Select more, or say that an empty list is meant (allowEmpty).",
            )
        )
    if problems:
        raise InputError(problems)
    return Selection(
        refs=tuple(str(pin) for pin in pinned),
        entries=tuple(sorted(kept, key=lambda entry: entry.key)),
        left_out=tuple(sorted(narrowing.dropped, key=lambda item: item[0].key)),
        floating=tuple(str(pin) for pin in pinned if pin.floating),
        choose=choices,
        accept=accepted,
        allow_empty=allow_empty,
        mistakes=tuple(
            mistake
            for pin in pinned
            for mistake in mistakes(pin.catalog.entries(None), pin.catalog.entries(pin.revision))
        ),
        narrowing=tuple((name, tuple(wanted)) for name, wanted in given.items() if wanted),
    )


def _wrong_types(refs: Sequence[object], choose: object, accept: Sequence[object]) -> Iterator[Problem]:
    for ref in refs:
        if isinstance(ref, list | tuple):
            yield wrong_type("refs", ref, "references one after another, as select(*references) gives them")
        elif not isinstance(ref, str):
            yield wrong_type("refs", ref, "text, as vendor/product@revision, or a path")
    if choose is not None and not isinstance(choose, Mapping):
        yield wrong_type("choose", choose, "a mapping of alternatives groups to entry ids")
    if strangers := [each for each in accept if not isinstance(each, Acceptance)]:
        wanted = 'a list of hostgate.Acceptance, such as Acceptance("shared-hosting", "reviewed on ...", "an-entry")'
        yield wrong_type("accept", strangers[0], wanted)


def not_lists(given: Mapping[str, object]) -> Iterator[Problem]:
    """Texts where lists are due: Python would take their letters one by one."""
    for name, value in given.items():
        if isinstance(value, str | bytes):
            message = f"`{name}`: found {spelled(value)}, one text. Allowed: a list."
            yield Problem(rule="no-list", message=message)


def _shortened(items: Sequence[str], most: int = 10) -> list[str]:
    return [*items[:most], f"and {len(items) - most} more"] if len(items) > most else list(items)


def _resolve_all(refs: Sequence[str], base: Path | None) -> tuple[list[CatalogRevision], list[Problem]]:
    pinned: list[CatalogRevision] = []
    problems: list[Problem] = []
    told: list[Problem] = []
    for index, ref in enumerate(refs):
        try:
            pin = resolve(ref, base)
        except InputError as error:
            found = (replace(problem, path=("refs", index)) for problem in error.problems)
            problems += [problem for problem in found if replace(problem, path=()) not in told]
            told += error.problems
            continue
        twin = next((other for other in pinned if other.catalog.id == pin.catalog.id), None)
        if twin is not None:
            problems.append(
                Problem(
                    rule="catalog-twice",
                    file=pin.catalog.file,
                    message=f"The catalog {pin.catalog.id} is named twice ({twin} and {pin}). Keep one.",
                    path=("refs", index),
                )
            )
        pinned.append(pin)
    return pinned, problems


class _Narrowing:
    """Keeps what every list names, remembers why the rest went, and objects to names that match nothing."""

    def __init__(self, entries: Sequence[Entry], pinned: Sequence[CatalogRevision]) -> None:
        self.everything = entries
        self.named = ", ".join(map(str, pinned))
        self.kept = list(entries)
        self.dropped: list[tuple[Entry, str]] = []
        self.problems: list[Problem] = []

    def keep(
        self,
        what: str,
        given: tuple[str, Sequence[str] | None],
        known: Sequence[str],
        values: Callable[[Entry], Sequence[str]],
    ) -> None:
        """`given`: the list, and the name under which it was given."""
        name_of_list, wanted = given
        if wanted is None:
            return
        if not wanted:
            self.problems.append(
                Problem(
                    rule="select-empty",
                    message=f"The list to keep by {what} is empty. Name at least one, or leave the list out to keep all.",
                    path=(name_of_list,),
                )
            )
            return
        for index, name in enumerate(wanted):
            if name not in known:
                self._unknown(what, name, known, (name_of_list, index))
        wished = frozenset(wanted)
        self._split(lambda entry: not wished.isdisjoint(values(entry)), f"left out by the selection ({what})")

    def drop(self, without: Sequence[str]) -> None:
        ids = {entry.id for entry in self.everything}
        for index, name in enumerate(without):
            if name not in ids and name not in PHASES:
                self._unknown("entry id or phase", name, sorted(ids) + list(PHASES), ("without", index))
        gone = frozenset(without)
        self._split(
            lambda entry: entry.id not in gone and not gone.issuperset(entry.phases),
            "left out by the selection (without)",
        )

    def _split(self, wanted: Callable[[Entry], bool], reason: str) -> None:
        kept = []
        for entry in self.kept:
            if wanted(entry):
                kept.append(entry)
            else:
                self.dropped.append((entry, reason))
        self.kept = kept

    def _unknown(self, what: str, name: str, known: Sequence[str], path: tuple[str, int]) -> None:
        allowed = f" Allowed: {', '.join(known)}." if len(known) <= 20 else ""
        self.problems.append(
            Problem(
                rule=f"select-unknown-{what.partition(' ')[0]}",
                message=f"Found the {what} {name!r}, which nothing in {self.named} has.{did_you_mean(name, known)}{allowed}",
                path=path,
            )
        )


def _wrong_choices(
    choices: Sequence[tuple[str, str]], entries: Sequence[Entry], kept: Sequence[Entry]
) -> list[Problem]:
    """Choices that name no group, no entry of it, or one that was narrowed away while others of its group were kept."""
    left = {(entry.alternatives, entry.id) for entry in kept}
    groups: dict[str, list[str]] = {}
    for entry in entries:
        if entry.alternatives and entry.status != "mistaken":
            groups.setdefault(entry.alternatives, []).append(entry.id)
    problems = []
    for group, chosen in choices:
        if group not in groups:
            allowed = ", ".join(sorted(groups)) or "the selected catalogs have none"
            problems.append(
                Problem(
                    rule="choose-unknown-group",
                    message=f"Found the alternatives {group!r} in `choose`.{did_you_mean(group, groups)} Allowed: {allowed}.",
                    path=("choose", group),
                )
            )
        elif chosen not in groups[group]:
            problems.append(
                Problem(
                    rule="choose-unknown-entry",
                    message=f"Found {chosen!r} for `choose.{group}`.{did_you_mean(chosen, groups[group])} "
                    f"Allowed: {', '.join(sorted(groups[group]))}.",
                    path=("choose", group),
                )
            )
        elif (group, chosen) not in left and any(kept_group == group for kept_group, _ in left):
            others = ", ".join(sorted(id_ for kept_group, id_ in left if kept_group == group))
            problems.append(
                Problem(
                    rule="choose-left-out",
                    message=f"Found {chosen!r} for `choose.{group}`, which the selection leaves out. Still selected: {others}.",
                    path=("choose", group),
                )
            )
    return problems


def _ambiguous(accept: Sequence[Acceptance], entries: Sequence[Entry]) -> list[Problem]:
    """Acceptances whose entry id stands in several catalogs: a word about one entry must not open another."""
    catalogs: dict[str, list[str]] = {}
    for entry in entries:
        catalogs.setdefault(entry.id, []).append(entry.catalog)
    return [
        Problem(
            rule="acceptance-ambiguous",
            entry=each.entry,
            message=f"Accepted {each}, but {' and '.join(catalogs[each.entry])} both have that id. Rename it in your own.",
            path=("accept", index),
        )
        for index, each in enumerate(accept)
        if each.entry is not None and len(catalogs.get(each.entry, ())) > 1
    ]


def _disagreements(entries: Sequence[Entry]) -> list[Problem]:
    """Catalogs that state one host and port differently: nobody can say which of them is reviewed truth."""
    problems = []
    seen: dict[tuple[str, int, str], Entry] = {}
    for entry in entries:
        if entry.status == "mistaken":
            continue
        other = seen.setdefault((entry.host, entry.port, entry.transport), entry)
        if other.catalog == entry.catalog:
            continue
        for what, mine, theirs in (
            ("protocol", entry.protocol, other.protocol),
            ("match", entry.match, other.match),
            ("direction", entry.direction, other.direction),
            ("families", entry.families, other.families),
        ):
            if mine != theirs and mine is not None and theirs is not None:
                problems.append(
                    Problem(
                        rule="catalogs-disagree",
                        file=entry.origin.file,
                        line=entry.origin.line,
                        column=entry.origin.column,
                        entry=entry.id,
                        message=f"{entry.host}:{entry.port} has {what} {_shown(mine)} here and {_shown(theirs)} as {other.id} of "
                        f"{other.catalog} ({other.origin}). Correct one, or leave one out (select.without).",
                    )
                )
    return problems


def _shown(value: object) -> str:
    return "/".join(value) if isinstance(value, tuple) else str(value)
