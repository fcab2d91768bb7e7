"""`hostgate reach --report`: what is open and closed, on what that rests, and who accepted what, for those who keep it.

What it says is gathered here, once for all forms. It says nothing of the time of day: the same input on the same date gives
the same bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import hostgate
from hostgate.catalog.file_input import user_path
from hostgate.catalog.file_output import replace_files
from hostgate.catalog.selection import select
from hostgate.cli.acceptances import Acceptance, Acceptances
from hostgate.cli.report_place import unwritable_place
from hostgate.flows.flow import Flow
from hostgate.flows.urns import stack_of
from hostgate.planning.findings import KINDS

if TYPE_CHECKING:
    from hostgate.cli.reach_command import Answer
    from hostgate.flows.snapshot import Snapshot
    from hostgate.flows.steps import Place
    from hostgate.planning.plan import Plan

FORMS: Final = (".md", ".html", ".csv")

MOST_LISTED: Final = 1000
"""Lines of a place in what people read; the CSV form and --json have all."""

MOST_NAMED: Final = 200
"""Entries that are named one by one of a line, in what people read."""

KINDS_OF_LINES: Final = ("beyond", "missing", "unknown", "dead")
_RESULTS: Final[Mapping[int, str]] = {
    0: "Nothing beyond the catalogs is open, and all that they need is.",
    3: "Something is open that no catalog needs.",
    4: "Something is closed that the catalogs need.",
    5: "Something is not known.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of reach. `entries`: of what is missing, each entry and the name that it needs."""

    kind: str
    id: str
    flow: Flow | None
    connection: str
    rule: str
    owner: str
    why: str
    counts: bool
    entries: tuple[tuple[str, str], ...] = ()
    acceptance: Acceptance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReport:
    """What is said of one place. `by_design`: what passes there though no line says so, and why."""

    title: str
    target: str
    remark: str
    lines: tuple[Line, ...]
    assumptions: tuple[str, ...]
    by_design: tuple[tuple[str, str], ...]

    def count(self, kind: str) -> int:
        """Lines of a kind that count."""
        return sum(line.kind == kind and line.counts for line in self.lines)

    @property
    def accepted(self) -> int:
        return sum(line.acceptance is not None and line.acceptance.standing == "holds" for line in self.lines)

    @property
    def listed(self) -> tuple[Line, ...]:
        return self.lines[:MOST_LISTED]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachReport:
    """All of it. `accepted`: each acceptance with its line's kind and connection. `asked`: what it rests on."""

    day: date
    code: int
    places: tuple[PlaceReport, ...]
    accepted: tuple[tuple[Acceptance, str, str], ...]
    asked: tuple[tuple[str, str], ...]

    @property
    def result(self) -> str:
        return _RESULTS[self.code]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is not shown where people read, in sentences."""
        return tuple(
            f"{place.title}: the first {MOST_LISTED:,} of {len(place.lines):,} lines; the CSV form and --json have all."
            for place in self.places if len(place.lines) > MOST_LISTED
        )  # fmt: skip


def check(path: Path) -> str | None:
    """Why no report can be written to `path`; None if it can."""
    if path.suffix.lower() not in FORMS:
        return f"found the ending {path.suffix!r}. Allowed: .md (Markdown), .html (one HTML page), .csv."
    if (why := unwritable_place(path)) is not None:
        return why
    if path.suffix.lower() == ".html" and find_spec("jinja2") is None:
        from hostgate.requirement import install_command

        return f"a page needs jinja2, not installed here: {install_command('report')}; or name a .md file."
    return None


def write_reports(paths: Sequence[Path], made: ReachReport) -> None:
    """Write a report to each of `paths`, all or none. Raises InputError."""
    files = {}
    for path in paths:
        if path.suffix.lower() == ".html":
            from hostgate.cli.reach_page import page

            text = page(made)
        elif path.suffix.lower() == ".csv":
            from hostgate.cli.reach_report_forms import csv_text

            text = csv_text(made)
        else:
            from hostgate.cli.reach_report_forms import markdown

            text = markdown(made)
        files[path] = text.encode("utf-8", "backslashreplace")
    replace_files(files, "report-unwritable")
    for path in paths:
        click.echo(f"Wrote {path}.", err=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command was asked with."""

    plans: "Sequence[Plan]"
    snapshot: "Snapshot | None"
    files: Sequence[tuple[str, str]] = ()
    """What each file is, and its path."""
    catalogs: Sequence[str] = ()
    own: bool = False


def report(day: date, code: int, answers: "Sequence[Answer]", accepted: Acceptances, asked: Asked) -> ReachReport:
    """What to report of `answers`, in their order. Raises InputError where a file that was read is gone."""
    places = tuple(_place(answer, accepted, answer.plan, own=asked.own) for answer in answers)
    lines = {line.id: line for place in places for line in place.lines}
    return ReachReport(
        day=day,
        code=code,
        places=places,
        accepted=tuple(
            (each, lines[each.id].kind, lines[each.id].connection) if each.id in lines else (each, "not counted", "")
            for each in accepted.every
        ),
        asked=tuple(_asked(day, asked)),
    )


def _place(answer: "Answer", accepted: Acceptances, plan: "Plan | None", *, own: bool) -> PlaceReport:
    from hostgate.flows.flow_words import flows_in_words
    from hostgate.planning.probe_paths import title

    found, place = answer.reach, answer.reach.place
    lines = [
        Line(kind="beyond", id=each.id, flow=each.flows[0], connection=flows_in_words(each.flows), rule=each.rule,
             owner=answer.owner(each.owner, each.rule), why=each.why, counts=each.id not in accepted,
             acceptance=accepted.of(each.id))
        for each in answer.beyond(own=own)
    ]  # fmt: skip
    lines += [
        Line(kind="missing", id=each.id, flow=each.flow, connection=flows_in_words([each.flow]), rule=each.rule, owner="",
             why=each.why, counts=each.id not in accepted, entries=each.entries, acceptance=accepted.of(each.id))
        for each in found.missing
    ]  # fmt: skip
    lines += [
        Line(kind="unknown", id=each.id, flow=each.flow, connection=flows_in_words([each.flow]), rule="", owner="",
             why="; ".join(each.what), counts=each.id not in accepted, acceptance=accepted.of(each.id))
        for each in found.unknown
    ]  # fmt: skip
    lines += [
        Line(kind="dead", id="", flow=None, connection="", rule=each.rule, owner=answer.owner(each.owner, each.rule),
             why=each.why, counts=True)
        for each in found.dead
    ]  # fmt: skip
    target = plan.target if plan is not None else place.target
    blocks_nothing = [one.message for one in plan.unenforced] if plan is not None else []
    return PlaceReport(
        title=title(target.partition(":")[0], place),
        target=target,
        remark=" ".join(filter(None, (place.remark, *blocks_nothing))),
        lines=tuple(sorted(lines, key=lambda line: (KINDS_OF_LINES.index(line.kind), not line.counts))),
        assumptions=found.assumptions,
        by_design=tuple(_by_design(answer, plan)),
    )


def _by_design(answer: "Answer", plan: "Plan | None") -> Iterator[tuple[str, str]]:
    place = answer.reach.place
    for id_ in _sights(place):
        yield id_, KINDS[id_].meaning
    besides = list(dict.fromkeys(need.entry for need in answer.needs if not need.due))
    needed = {need.entry for need in answer.needs if need.due}
    if besides := [each for each in besides if each not in needed]:
        yield "may be open", f"{some(besides)}: no line says so where they are open, and none where they are closed."
    if place.own_names:
        yield "answered there", f"{some(place.own_names)}, and names below: never asked of the internet."
    for one in plan.findings if plan is not None else ():
        if one.accepted:
            yield one.id, f"{f'{one.entry}: ' if one.entry else ''}{one.message} Accepted: {one.accepted}"


def _sights(place: "Place") -> Iterator[str]:
    """The fixed findings of what the allow rules of a place see of a flow."""
    boxes = [step.box for step in place.steps if step.action == "allow"]
    if any(box.wire is not None for box in boxes):
        yield "name-unproven"
    if any(box.dialled is not None for box in boxes):
        yield "address-only"
    if any(box.asked is not None for box in boxes):
        yield "name-only"


def some(names: Sequence[str]) -> str:
    """The first of names where they are many, and how many more."""
    return ", ".join(names[:20]) + (f" and {len(names) - 20:,} more" if len(names) > 20 else "")


def _asked(day: date, asked: Asked) -> Iterator[tuple[str, str]]:
    yield "date", f"{day}; acceptances are judged at it"
    yield "hostgate", hostgate.__version__
    for plan in asked.plans:
        yield f"plan of {plan.target}", plan.digest
        yield f"catalogs of {plan.target}", _catalogs(sorted(plan.selection.refs), plan.selection.floating)
    for what, path in asked.files:
        yield what, f"{path}, SHA-256 {_digest(path)}" if path != "-" else "stdin"
    snapshot = asked.snapshot
    if snapshot is not None:
        for stack, project in dict.fromkeys(stack_of(each.urn) for each in snapshot.resources):
            if stack:
                yield "stack", f"{stack} of {project}"
        yield "resources", f"{len(snapshot.resources):,} ({snapshot.source})"
        for each in snapshot.resources:
            if each.type.startswith("hostgate-") and isinstance(each.properties.get("digest"), str):
                refs = each.properties.get("catalogs")
                yield f"allowlist {each.name}", f"{each.properties.get('target')}, plan {each.properties['digest']}"
                if isinstance(refs, list | tuple):
                    yield f"catalogs of {each.name}", ", ".join(map(str, refs))
        if asked.catalogs:
            chosen = select(*asked.catalogs)
            yield "catalogs", _catalogs(sorted(chosen.refs), chosen.floating)
    for path in asked.catalogs:
        if user_path(path).is_file():
            yield "catalog file", f"{path}, SHA-256 {_digest(path)}"
    if asked.own:
        yield "--own", "Beyond is what rules of hostgate's allowlists open, and nothing else."


def _catalogs(refs: Sequence[str], floating: Iterable[str]) -> str:
    return ", ".join(refs) + "".join(f"; {each} was asked for as latest" for each in floating)


def _digest(path: str) -> str:
    """Of the file as it is now."""
    from hostgate.catalog.problems import InputError, Problem

    place = user_path(path)
    if place.is_dir():  # the folder of a sandbox
        from hostgate.sandbox.state import FILE

        place = place / FILE
    try:
        return sha256(place.read_bytes()).hexdigest()
    except OSError as error:
        message = f"Cannot read it again for its digest: {error.strerror}."
        raise InputError([Problem(rule="report", file=path, message=message)]) from None
