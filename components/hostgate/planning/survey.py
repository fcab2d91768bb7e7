"""A survey as a plan reads it: whether a mechanism that follows addresses keeps up with a host; and what plans say of it.

Verdicts are made elsewhere, from DNS answers. Here they are values, so that plans need no DNS to be made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from hostgate.catalog.model import Entry
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import Means, Mechanism, TtlFamily, mechanism, targets

Word = Literal["ok", "risky", "unknown", "unfit"]
WORDS: tuple[Word, ...] = get_args(Word)
"""Best first. `unknown` is not enough data: it may be ok and may be unfit."""

Share = Annotated[float, Field(ge=0, le=1)]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]
"""Text of one line without control characters, by which a file could write over a terminal."""

STALE = timedelta(days=30)
"""Age at which a survey is warned about: vendors change their hosting in months, not in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostVerdict:
    """Whether the mechanism `target` keeps up with a host where it is of the TTL family `family`; and the one reason.

    `false_drop`: the predicted share of new connections dropped though allowed, `interval` its ends (95 % each); None
    where nothing is predicted. `refresh_s` and `grace_s`: what an address list would need to stay under 1 in 1,000.
    `caveats`: what the survey saw that touches mechanisms which read names: `ech`, `h3`.
    """

    target: str
    family: TtlFamily
    verdict: Word
    reason: Line
    false_drop: Share | None = None
    interval: tuple[Share, Share] | None = None
    refresh_s: int | None = None
    grace_s: int | None = None
    caveats: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """The verdicts on each host, of a survey whose last answer came on the day `ended` (UTC).

    `worst`: a demand; a plan that has a host with a worse verdict, or without one, is refused. None demands nothing.
    """

    ended: date
    hosts: Mapping[str, tuple[HostVerdict, ...]]
    worst: Word | None = None

    def of(self, host: str, target: str, family: TtlFamily) -> HostVerdict | None:
        """The verdict on `host` by a mechanism's ways of one TTL family; None if the survey has none."""
        found = self.hosts.get(host, ())
        return next((each for each in found if (each.target, each.family) == (target, family)), None)


def survey_findings(
    how: Mechanism[Any],
    entries: Sequence[Entry],
    survey: Survey | None,
    as_of: date | None,
    accepted: frozenset[tuple[str, str | None]],
) -> list[Finding]:
    """What `survey` says about `entries`, which `how` allows; and, if one is worse than it demands, that it is refused.

    `accepted` names findings and entries that a person means: these meet any demand.
    """
    if survey is None:
        return []
    found: list[Finding] = []
    fine: list[str] = []
    if as_of is not None and as_of - survey.ended > STALE:
        found.append(
            finding("survey-stale", f"The survey ended on {survey.ended}, {(as_of - survey.ended).days} days ago.")
        )
    for entry in entries:
        way = how.way(entry)
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
        told = " ".join((_told(verdict, entry, how), *_remedies(verdict, entry, how, survey)))
        demanded = survey.worst is not None and WORDS.index(word) > WORDS.index(survey.worst)
        if demanded and not {(id_, entry.id), (id_, None)} & accepted:
            said = f"No host may be worse than {survey.worst}. Found {word}: {told} Or accept {id_} for this entry."
            found.append(finding("survey-demand", said, entry))
        else:
            found.append(finding(id_, told, entry))
    if fine:
        found.append(finding("survey-ok", f"{_some(fine)}: addresses are followed closely enough, by the survey."))
    return found


def fitting(entry: Entry, than: Mechanism[Any], survey: Survey) -> list[str]:
    """Targets other than `than` that can say `entry` and keep up with its host; those of the same cloud first.

    What judges questions only is none of them: it sees no connection, so it takes no other's place.
    """
    found = []
    for target in targets():
        how = mechanism(target)
        way = how.way(entry)
        if target != than.target and way is not None and _can_say(way, entry) and _keeps_up(entry, how, way, survey):
            found.append(target)
    cloud = than.target.partition(":")[0]
    return sorted(found, key=lambda target: target.partition(":")[0] != cloud)


def _can_say(way: Means, entry: Entry) -> bool:
    return way.sight != "query-name" and entry.match in way.kinds and entry.port in way.ports


def _keeps_up(entry: Entry, how: Mechanism[Any], way: Means, survey: Survey) -> bool:
    verdict = survey.of(entry.host, how.target, way.ttl_family)
    return way.ttl_family == "wire" if verdict is None else verdict.verdict == "ok"


def _told(verdict: HostVerdict | None, entry: Entry, how: Mechanism[Any]) -> str:
    return f"{entry.host} was not surveyed for {how.target}." if verdict is None else f"{entry.host}: {verdict.reason}"


def _remedies(verdict: HostVerdict | None, entry: Entry, how: Mechanism[Any], survey: Survey) -> Iterator[str]:
    ok = fitting(entry, how, survey)
    if ok:
        yield f"These would be ok: {', '.join(ok)}."
    if verdict is not None and verdict.grace_s is not None and verdict.verdict != "unknown":
        yield (
            f"An address list that asks every {verdict.refresh_s} s and keeps addresses for {verdict.grace_s:,} s "
            "would drop less than 1 in 1,000."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} entries"
