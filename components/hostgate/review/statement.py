"""A statement: what one plan says, in the form in which two plans can be compared, whoever made them and when.

It comes from a plan, from the JSON of one, or (in `cli`) from the inputs of a component in an engine's preview, which
say less: what is not said is None, and is then not compared.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hostgate.catalog.file_input import Size, open_stdin, read_file_bytes
from hostgate.catalog.model import Entry, Match, Protocol
from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.flows.steps import Place
from hostgate.planning.decision import Decision, Outcome
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.findings import Finding, Severity
from hostgate.planning.mechanism import CloudObject, Mechanism, Seat, mechanism
from hostgate.planning.options import Options, OptionsError, option_problems, read_options
from hostgate.planning.plan import REFUSALS, Plan, digest_of, find_mechanism


@dataclass(frozen=True, slots=True)
class ObjectStatement:
    """One object or resource that a plan makes. `body` is all of it; `fixed` what cannot change in place, by name."""

    kind: str
    name: str
    body: Mapping[str, Any]
    fixed: Mapping[str, Any]


def _nowhere(_: Entry) -> tuple[str, ...]:
    return ()


def _never(_: Entry) -> bool:
    return False


def _one_rule(_: Entry, rule: str) -> Iterable[str]:
    return (rule,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one plan says. `name` tells apart several of one target; `settings` are its options as JSON."""

    target: str
    name: str
    digest: str
    decisions: tuple[Decision, ...]
    settings: Mapping[str, Any]
    clients: tuple[str, ...] | None
    """Who may use the hosts; empty: everybody that the mechanism sees."""
    grants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Where each list of hosts has clients of its own: the clients by grant. The decisions say whose they are."""
    catalogs: tuple[str, ...]
    findings: tuple[Finding, ...] | None = None
    made: tuple[ObjectStatement, ...] | None = None
    enforcement: Enforcement
    dialled: Callable[[Entry], tuple[str, ...]] = _nowhere
    """Addresses by which an entry is allowed, where the options give them."""
    alone: Callable[[Entry], bool] = _never
    """Whether an entry is allowed by nothing but those."""
    rules_of: Callable[[Entry, str], Iterable[str]] = _one_rule
    """Every rule that allows an entry, of which its decision names one."""
    regions: tuple[str, ...] = ()
    """Where a program makes all of it, once in each; empty: where the provider is. The engine tells of each apart."""
    seats: tuple[Seat, ...] = ()
    """What of its objects no other object can have before they are gone."""
    formerly: tuple[str, ...] = ()
    """Names that it had before, where what they made stays."""
    places: Callable[[], Sequence[Place]] = tuple
    """Where flows meet its objects, and nothing else; by the clients of each grant. Of an engine's preview, none."""
    options: Options | None = None
    """By which it was planned; None where that is not told, as of an engine's preview."""
    of_engine: bool = False
    """Whether it comes from an engine's preview, which names resources, not objects, and no catalog of an entry."""
    urn: str = ""
    """Of the component that says it, where an engine tells of one."""
    renamed: tuple[ObjectStatement, ...] = ()
    """`made`, where the engine takes some of it for the same under other names from an update on: by those."""

    @property
    def cloud(self) -> str:
        return self.target.partition(":")[0]

    @property
    def stem(self) -> str:
        """What the names of its objects begin with."""
        return self.name if self.options is None else self.options.stem

    @property
    def sight(self) -> str:
        """What its mechanism sees of a flow: layers of one sight take each other's place."""
        return mechanism(self.target).means[0].sight

    @property
    def apart(self) -> tuple["Statement", ...]:
        """Region by Region, as components make it and an engine tells of it."""
        if not self.regions:
            return (self,)
        kind = mechanism(self.target).options
        given = {key: value for key, value in self.settings.items() if value not in (None, [], {})}
        found = []
        for region in self.regions:
            said = said_by(self.target, read_options(kind, {**given, "regions": [region]}, self.target))
            names = tuple(f"{name}-{region}" for name in self.formerly)
            found.append(replace(self, name=f"{self.name}-{region}", **{**said, "regions": (), "formerly": names}))
        return tuple(found)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why it may not be applied: it is refused, or what was accepted has expired."""
        said = tuple(one.message for one in self.findings or () if one.severity == "error")
        return said or (("Something in it cannot be made exactly.",) if self.refused else ())

    @property
    def refused(self) -> bool:
        """Whether nothing of it may be applied."""
        return any(decision.outcome == "refused" for decision in self.decisions) or any(
            one.id in REFUSALS for one in self.findings or ()
        )


def said_by(target: str, options: Options) -> dict[str, Any]:
    """The fields of a statement that follow from the options alone, whoever states them."""
    return {
        "settings": options.model_dump(mode="json", by_alias=True),
        "clients": options.served,
        "grants": {share.grant: share.served for share in options.shares if options.grants},
        "enforcement": mechanism(target).enforcement(options),
        "dialled": options.dialled,
        "alone": options.alone,
        "rules_of": partial(mechanism(target).rules_of, options=options),
        "regions": tuple(place for place in options.places if place is not None),
        "formerly": options.formerly_named,
    }


def state(plan: Plan) -> Statement:
    """What `plan` says."""
    how = find_mechanism(plan.target)
    return Statement(
        target=plan.target,
        name=plan.options.name,
        digest=plan.digest,
        decisions=plan.decisions,
        catalogs=tuple(sorted(plan.selection.refs)),
        findings=plan.findings,
        made=tuple(
            ObjectStatement(each.kind, each.name, each.body, how.fixed(each, plan.objects, plan.options))
            for each in plan.objects
        ),
        seats=tuple(how.seats(plan.objects, plan.options)),
        places=lambda: [place for _, place in plan.places],
        options=plan.options,
        **said_by(plan.target, plan.options),
    )


def locked(plans: Iterable[Plan]) -> str:
    """`plans` as the text of a file that holds what was reviewed: all that decides what is made, nothing that time moves."""
    kept = ("target", "digest", "catalogs", "options", "objects", "decisions")
    written = [plan.as_json() for plan in plans]
    document = {"targets": [{key: each[key] for key in kept} for each in written]}
    return json.dumps(document, indent=1, ensure_ascii=False, default=dict) + "\n"


SIZE = Size(256 * 1024 * 1024, "10,000 hosts on three clouds are 30 MB")
"""Of a file with plans."""


def read_json(path: Path | None, name: str) -> Any:
    """The JSON document at `path`, on stdin if there is none; `name` is shown in messages.

    Raises InputError: no regular file, unreadable, too large, no JSON.
    """
    try:
        return read_json_text(_of_stdin(name) if path is None else read_file_bytes(path, SIZE, name, rule="plan-file"))
    except NotJSON as error:
        raise InputError([_problem(name, f"this is not JSON: {error}.")]) from None


def _of_stdin(name: str) -> bytes:
    try:
        data = open_stdin("plan-file").read(SIZE.most + 1)
    except OSError as error:
        raise InputError([_problem(name, f"cannot read it: {error.strerror}.")]) from None
    if len(data) > SIZE.most:
        raise InputError(
            [_problem(name, f"found more than {SIZE.most:,} bytes. Allowed: at most so many ({SIZE.because}).")]
        )
    return data


class _Written(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Object(_Written):
    kind: str
    name: str
    body: dict[str, Any]


class _Decision(_Written):
    grant: str = ""
    entry: str
    catalog: str
    host: str
    match: Match
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Protocol
    outcome: Outcome
    reason: str = ""
    rule: str | None = None
    purpose: str = ""
    notes: str = ""
    replaces: str | None = None


class _Finding(_Written):
    grant: str = ""
    id: str
    severity: Severity
    message: str
    entry: str | None = None
    catalog: str | None = None
    host: str | None = None
    accepted: str | None = None


class _Target(_Written):
    target: str
    digest: str
    catalogs: list[str]
    options: dict[str, Any]
    objects: list[_Object]
    decisions: list[_Decision]
    findings: list[_Finding] | None = None


class _Document(_Written):
    targets: Annotated[list[_Target], Field(min_length=1)]


def read_statements(document: Any, name: str) -> tuple[Statement, ...]:
    """What the document of `hostgate plan --json` (or `--lock`) says; `name` is the file's.

    Raises InputError: not such a document, an unknown target, options that do not hold, objects that were changed after
    the digest was written.
    """
    if isinstance(document, dict) and document.get("errors"):
        raise InputError(
            [_problem(name, "the document holds the errors of a plan that failed. Allowed: one of a plan that holds.")]
        )
    try:
        read = _Document.model_validate(document)
    except ValidationError as error:
        found = option_problems(error, _Document, "$")
        raise InputError([_problem(name, problem.message) for problem in found[:20]]) from None
    twice = {one.target for one in read.targets if sum(other.target == one.target for other in read.targets) > 1}
    if twice:
        raise InputError([_problem(name, f"{', '.join(sorted(twice))} stands in it twice.")])
    return tuple(_statement(each, name) for each in read.targets)


def _statement(read: _Target, name: str) -> Statement:
    how = find_mechanism(read.target)
    try:
        options = read_options(how.options, read.options, f"{read.target} options")
    except OptionsError as error:
        raise InputError([_problem(name, problem.message) for problem in error.problems]) from None
    objects = [CloudObject(kind=each.kind, name=each.name, body=each.body) for each in read.objects]
    digest = digest_of(read.target, objects, options)
    if digest != read.digest:
        raise InputError(
            [_problem(name, f"{read.target}: the objects in it do not have the digest in it. Write the file again.")]
        )
    return Statement(
        target=read.target,
        name=options.name,
        digest=read.digest,
        decisions=tuple(_decision(each, how, options) for each in read.decisions),
        catalogs=tuple(read.catalogs),
        findings=None
        if read.findings is None
        else tuple(
            Finding(
                id=one.id, severity=one.severity, message=one.message, entry=one.entry, catalog=one.catalog,
                host=one.host, accepted=one.accepted, grant=one.grant,
            )
            for one in read.findings
        ),
        made=tuple(ObjectStatement(each.kind, each.name, each.body, how.fixed(each, objects, options)) for each in objects),
        seats=tuple(how.seats(objects, options)),
        places=lambda: [how.place(objects, share) for share in options.shares],
        options=options,
        **said_by(read.target, options),
    )  # fmt: skip


def _decision(read: _Decision, how: Mechanism[Any], options: Options) -> Decision:
    entry = Entry(
        catalog=read.catalog, id=read.entry, host=read.host, match=read.match, port=read.port, protocol=read.protocol,
        purpose=read.purpose, notes=read.notes, replaces=read.replaces, grant=read.grant,
    )  # fmt: skip
    return Decision(entry, read.outcome, read.reason, read.rule, how.way(entry, options))


def _problem(name: str, message: str) -> Problem:
    return Problem(rule="plan-file", file=name, message=message)
