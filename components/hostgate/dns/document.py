"""The survey as one JSON document: facts and verdicts of every host; its JSON Schema; and reading it for a plan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from hostgate.catalog.file_input import LongLine, Size, lines_of, open_file, read_file_bytes
from hostgate.catalog.model import Protocol
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.dns.analysis import Analysis, analyse_files
from hostgate.dns.facts import AddressType, FamilyFacts, HostFacts, SharedAddress, TtlFacts
from hostgate.dns.host_verdicts import judge
from hostgate.dns.survey_files import LONGEST
from hostgate.planning.mechanism import targets as all_targets
from hostgate.planning.survey import HostVerdict, Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport(HostFacts):
    """Facts and verdicts."""

    verdicts: tuple[HostVerdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSurveyed:
    """An entry that has no single name to ask, and why."""

    entry: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`form`: of this document. Times are UTC, None if nothing was asked."""

    form: Literal[1] = 1
    began: datetime | None
    ended: datetime | None
    vantages: tuple[str, ...]
    resolvers: tuple[str, ...]
    hosts: tuple[HostReport, ...]
    shared: tuple[SharedAddress, ...]
    not_surveyed: tuple[NotSurveyed, ...]


_DOCUMENT = TypeAdapter(Document)


@dataclass(frozen=True, slots=True)
class _HostPart:
    host: str
    verdicts: tuple[HostVerdict, ...]


@dataclass(frozen=True, slots=True)
class _PlanPart:
    """As much of a document as a plan reads."""

    form: Literal[1]
    ended: datetime | None
    hosts: tuple[_HostPart, ...]


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """What a survey says of the addresses of a host, by family, and of the TTL of its answers."""

    host: str
    families: dict[AddressType, FamilyFacts]
    ttl: TtlFacts | None


@dataclass(frozen=True, slots=True)
class _FactsPart:
    """As much of a document as a pool reads."""

    form: Literal[1]
    ended: datetime | None
    hosts: tuple[AddressFacts, ...]


_PLAN_PART = TypeAdapter(_PlanPart)
_FACTS_PART = TypeAdapter(_FactsPart)
P = TypeVar("P", _PlanPart, _FactsPart)


def document(
    analysis: Analysis,
    targets: Sequence[str] | None = None,
    protocols: Mapping[str, Collection[Protocol]] | None = None,
) -> Document:
    """The document of `analysis`, with verdicts for `targets` (every mechanism if None).

    `protocols`: by host, what it is needed for; a host that is absent is judged for all.
    """
    chosen = all_targets() if targets is None else targets
    needed = protocols or {}
    return Document(
        began=_time(analysis.began),
        ended=_time(analysis.ended),
        vantages=tuple(dict.fromkeys(run.vantage for run in analysis.runs)),
        resolvers=tuple(dict.fromkeys(each for run in analysis.runs for each in run.resolvers)),
        hosts=tuple(
            HostReport(
                **{each.name: getattr(study.facts, each.name) for each in fields(study.facts)},
                verdicts=judge(study, chosen, needed.get(study.facts.host)),
            )
            for study in analysis.studies
        ),
        shared=analysis.shared,
        not_surveyed=tuple(
            NotSurveyed(entry=entry, reason=reason)
            for entry, reason in dict.fromkeys(each for run in analysis.runs for each in run.not_surveyed)
        ),
    )


def as_json(made: Document) -> dict[str, Any]:
    """`made` as plain values, for JSON."""
    plain: dict[str, Any] = _DOCUMENT.dump_python(made, mode="json")
    return plain


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document."""
    made = _DOCUMENT.json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "hostgate survey"}


def read_verdicts(path: Path) -> Survey:
    """The verdicts in `path`: what `hostgate survey --json` printed, or judged anew from what `--out` wrote.

    Raises InputError.
    """
    if _begins_with_header(path):
        analysis = _analysed(path)
        assert analysis.ended is not None
        made = document(analysis)
        return Survey(_day(analysis.ended), {each.host: each.verdicts for each in made.hosts})
    part = _read(path, _PLAN_PART)
    assert part.ended is not None
    return Survey(part.ended.astimezone(UTC).date(), {each.host: each.verdicts for each in part.hosts})


def read_pools(path: Path) -> dict[str, AddressFacts]:
    """What `path` says of the addresses of each host, of a survey in either form. Raises InputError."""
    if _begins_with_header(path):
        studies = (study.facts for study in _analysed(path).studies)
        return {each.host: AddressFacts(each.host, each.families, each.ttl) for each in studies}
    return {each.host: each for each in _read(path, _FACTS_PART).hosts}


def _analysed(path: Path) -> Analysis:
    analysis = analyse_files([path])
    if analysis.ended is None:
        raise _error(path, "survey-empty", "It holds no lookup: nothing was asked.")
    return analysis


def _read(path: Path, form: TypeAdapter[P]) -> P:
    whole = read_file_bytes(path, _SIZE, str(path), rule="survey-unreadable", missing=_ALLOWED)
    try:
        read_json_text(whole)
        part = form.validate_json(whole, strict=True)
    except NotJSON as error:
        raise _error(path, "survey-document", f"Found no JSON: {error}. {_ALLOWED}") from None
    except ValidationError as error:
        first_error = error.errors(include_url=False)[0]
        place = ".".join(map(str, first_error["loc"]))
        found = "no JSON" if first_error["type"] == "json_invalid" else f"`{place}`: {spelled(first_error['input'])}"
        raise _error(path, "survey-document", f"Found {found}. {_ALLOWED}") from None
    if part.ended is None:
        raise _error(path, "survey-empty", "It holds no lookup: nothing was asked.")
    return part


_ALLOWED = "Allowed: a file that `hostgate survey --out` wrote, or what `hostgate survey --json` printed."


_SIZE = Size(256 * 1024 * 1024, "the document of 10,000 hosts and five mechanisms is 40 MB")


def _begins_with_header(path: Path) -> bool:
    """Whether the file holds samples: its first line is JSON by itself, with the version of the form."""
    with open_file(path, str(path), rule="survey-unreadable", missing=_ALLOWED) as stream:
        first = next(lines_of(stream, LONGEST), None)
    if first is None or isinstance(first[1], LongLine):
        return False
    try:
        record = read_json_text(first[1])
    except NotJSON:
        return False
    return isinstance(record, dict) and "survey" in record


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(round(seconds), UTC)


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _error(path: Path, rule: str, message: str) -> InputError:
    return InputError([Problem(rule=rule, file=str(path), message=message)])
