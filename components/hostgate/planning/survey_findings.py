"""What plans say of a survey: each verdict, a demand that is not met, no survey at all; and what would fit instead."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.planning.advice import fitting
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import Mechanism, targets
from hostgate.planning.options import Options
from hostgate.planning.survey import WORDS, HostVerdict, Survey, Word


def survey_findings(
    how: Mechanism[Any],
    entries: Sequence[Entry],
    survey: Survey | None,
    as_of: date | None,
    accepted: frozenset[tuple[str, str | None]],
    options: Options | None = None,
) -> list[Finding]:
    """What `survey` says about `entries`, which `how` allows; and, if one is worse than it demands, that it is refused.
    Without one, that there is none. Where a host is not ok, what of the same cloud fits it is named.

    `accepted` names findings and entries that a person means: these meet any demand.
    """
    if survey is None:
        return list(_unsurveyed(how, entries, options))
    found: list[Finding] = []
    fine: list[str] = []
    doubtful: list[tuple[str, Entry, Word, HostVerdict | None]] = []
    if as_of is not None and (old := survey.stale(as_of)):
        found.append(finding("survey-stale", old))
    for entry in entries:
        way = how.way(entry, options)
        assert way is not None
        verdict = survey.of(entry.host, how.target, way.ttl_family)
        if way.ttl_family != "own-lookup":
            if verdict is not None and "ech" in verdict.caveats and way.sight == "name-and-port":
                found.append(finding("survey-ech", f"{entry.host} publishes an ECH key: {verdict.reason}", entry))
            continue
        word: Word = "unknown"
        id_ = "not-in-survey"
        if verdict is not None:
            word, id_ = verdict.verdict, f"survey-{verdict.verdict}"
        if word == "ok":
            fine.append(entry.id)
            continue
        doubtful.append((id_, entry, word, verdict))
    others = [target for target in targets() if target != how.target]
    fit = fitting([entry for _, entry, _, _ in doubtful], others, survey) if doubtful else {}
    for id_, entry, word, verdict in doubtful:
        ok = [target for target, keys in fit.items() if entry.key in keys]
        told = " ".join((_told(verdict, entry, how), *_remedies(verdict, how, ok)))
        demanded = survey.worst is not None and WORDS.index(word) > WORDS.index(survey.worst)
        if demanded and not {(id_, entry.id), (id_, None)} & accepted:
            said = f"No host may be worse than {survey.worst}. Found {word}: {told} Or accept {id_} for this entry."
            found.append(finding("survey-demand", said, entry))
        else:
            found.append(finding(id_, told, entry))
    if fine:
        found.append(finding("survey-ok", f"{_some(fine)}: addresses are followed closely enough, by the survey."))
    return found


def _told(verdict: HostVerdict | None, entry: Entry, how: Mechanism[Any]) -> str:
    return f"{entry.host} was not surveyed for {how.target}." if verdict is None else f"{entry.host}: {verdict.reason}"


def _remedies(verdict: HostVerdict | None, how: Mechanism[Any], ok: Sequence[str]) -> Iterator[str]:
    cloud = how.target.partition(":")[0]
    near = [target for target in ok if target.partition(":")[0] == cloud]
    if near:
        yield f"On {cloud} these would be ok: {', '.join(near)}."
    elif ok:
        yield f"Nothing else on {cloud} would be ok; on others: {', '.join(ok)}."
    if verdict is not None and verdict.grace_s is not None and verdict.verdict != "unknown":
        yield (
            f"An address list that asks every {verdict.refresh_s} s and keeps addresses for {verdict.grace_s:,} s "
            "would drop less than 1 in 1,000."
        )


def _unsurveyed(how: Mechanism[Any], entries: Sequence[Entry], options: Options | None) -> Iterator[Finding]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        way = how.way(entry, options)
        if way is not None and way.ttl_family == "own-lookup":
            groups.setdefault(way.ttl_means, []).append(entry)
    cloud = how.target.partition(":")[0]
    others = [target for target in targets() if target != how.target and target.partition(":")[0] == cloud]
    for means, members in groups.items():
        fit = {target: len(keys) for target, keys in fitting(members, others, None).items() if keys}
        named = ", ".join(target if n == len(members) else f"{target} ({n} of them)" for target, n in fit.items())
        needless = f" On {cloud} these need none: {named}." if named else ""
        yield finding(
            "no-survey",
            f"{_some([each.id for each in members])}: {means}, and no survey says how their TTLs and addresses behave."
            f"{needless}",
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} entries"
