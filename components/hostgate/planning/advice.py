"""Which mechanisms fit a host: what each objects to, whether it keeps up by a survey, what it needs, opens and costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hostgate.catalog.mistakes import Misprints
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Selection
from hostgate.planning.mechanism import Means, Mechanism, Objection, main_targets, mechanism, targets
from hostgate.planning.objections import Key, covered, objections, opening_mistakes
from hostgate.planning.options import Options, read_options
from hostgate.planning.survey import Survey

Fit = Literal["ok", "risky", "unknown", "unfit", "refused"]
FITS: tuple[Fit, ...] = get_args(Fit)
"""Best first. `refused` is what the mechanism cannot say; the others are the words of a survey."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether the mechanism `target` fits one host, and why; `means` is the way that it would take, None if it has none."""

    target: str
    fit: Fit
    why: str
    means: Means | None

    def as_json(self) -> dict[str, Any]:
        way = self.means
        return {
            "target": self.target,
            "fit": self.fit,
            "why": self.why,
            "needs": [] if way is None else [each.text for each in way.needs],
            "opens": [] if way is None else [each.text for each in way.opens],
            "costs": [] if way is None else [each.text for each in way.costs],
            "evidence": None if way is None else way.evidence.as_json(),
        }


@dataclass(frozen=True, slots=True)
class HostAdvice:
    """One host need, and the advice of every target that was asked, best first."""

    entry: Entry
    advice: tuple[Advice, ...]

    def as_json(self) -> dict[str, Any]:
        entry = self.entry
        return {
            "entry": entry.id,
            "catalog": entry.catalog,
            "host": entry.host,
            "match": entry.match,
            "port": entry.port,
            "protocol": entry.protocol,
            "advice": [each.as_json() for each in self.advice],
        }


def advise(
    selection: Selection,
    survey: Survey | None = None,
    *,
    asked: Sequence[str] | None = None,
    options: Mapping[str, Options] | None = None,
) -> tuple[HostAdvice, ...]:
    """Advice on every host of `selection` that is to be opened, by the targets `asked` (every one that has a row).

    Best first: by fit; then what sees connections before what sees questions only, the main target of its cloud before
    others. `options` of a target decide what it objects to; its defaults where none are given. An entry that another of
    its alternatives covers says so, and keeps its own fit.
    """
    entries = [each for each in selection.entries if each.direction == "egress" and each.status != "mistaken"]
    mistaken = opening_mistakes(selection, Misprints(selection.mistakes))
    columns = []
    for target in targets() if asked is None else asked:
        how = mechanism(target)
        chosen = (options or {}).get(target) or read_options(how.options, {}, target)
        standing = objections(how, entries, chosen, selection, mistaken)
        enough = covered(entries, standing, dict(selection.choose))
        columns.append([_judge(entry, how, chosen, standing, survey, enough.get(entry.key)) for entry in entries])
    main = main_targets()
    return tuple(
        HostAdvice(entry, tuple(sorted(row, key=lambda each: _order(each, main))))
        for entry, *row in zip(entries, *columns, strict=True)
    )


def fitting(entries: Sequence[Entry], asked: Sequence[str], survey: Survey | None) -> Mapping[str, frozenset[Key]]:
    """For each target `asked` that sees connections, which of `entries` fit it without any doubt, by its defaults."""
    found = {}
    for target in asked:
        how = mechanism(target)
        chosen = read_options(how.options, {}, target)
        standing = how.objections(entries, chosen)
        advice = {entry.key: _judge(entry, how, chosen, standing, survey) for entry in entries}
        found[target] = frozenset(key for key, each in advice.items() if each.fit == "ok" and not _questions(each))
    return found


def _judge(
    entry: Entry,
    how: Mechanism[Any],
    options: Options,
    standing: Mapping[Key, Objection],
    survey: Survey | None,
    enough: str | None = None,
) -> Advice:
    way = how.way(entry, options)
    fit, why = _fit(entry, how, way, standing.get(entry.key), survey)
    return Advice(how.target, fit, f"{enough}. {why}" if enough and fit != "refused" else enough or why, way)


def _fit(
    entry: Entry, how: Mechanism[Any], way: Means | None, objection: Objection | None, survey: Survey | None
) -> tuple[Fit, str]:
    if objection is not None or way is None:
        return "refused", str(objection)
    wider = "" if entry.match in way.kinds else f"Wider than asked, as {way.widenings[entry.match]} is accepted. "
    verdict = None if survey is None else survey.of(entry.host, how.target, way.ttl_family)
    if verdict is not None:
        return verdict.verdict, f"{wider}{verdict.reason}"
    if way.ttl_family != "own-lookup":
        return "ok", f"{wider}{way.name}: {way.ttl_means}."
    least = way.lookup.least_ttl_s if way.lookup is not None else None
    advised = f" The vendor advises against TTLs under {least} s." if least is not None else ""
    missing = "no survey says how they behave" if survey is None else f"{entry.host} was not surveyed for it"
    return "unknown", f"{wider}{way.name}: {way.ttl_means}, and {missing}.{advised}"


def _questions(advice: Advice) -> bool:
    """Whether it judges questions only: it sees no connection, so it takes no other's place."""
    return advice.means is not None and advice.means.sight == "query-name"


def _order(advice: Advice, main: Sequence[str]) -> tuple[int, bool, bool]:
    return FITS.index(advice.fit), _questions(advice), advice.target not in main
