"""`hostgate diff`: what opens and closes from BASE to HEAD, and whether the guards let it through."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostgate.catalog.problems import printable
from hostgate.cli.main import print_json
from hostgate.cli.sources import as_date

if TYPE_CHECKING:
    from hostgate.cli.sides import Side
    from hostgate.flows.snapshot import Snapshot
    from hostgate.flows.steps import Place
    from hostgate.review.compared_places import ComparedPlace
    from hostgate.review.plan_changes import FlowChange, TargetDiff
    from hostgate.review.review import Review

F = TypeVar("F", bound=Callable[..., Any])

SHOWN = 40
"""Flows listed one by one for people on one target; beyond, their number. `--json` always has all."""

SHOWN_CHANGES = 20
"""Changes shown of one place, each of any number of hosts."""

SIGNS = {"opened": "+", "unknown": "?", "closed": "-"}
"""Of changes, in the order in which they are shown."""

SIDES = """
    BASE and HEAD are each a stack (NAME, or its file), a stack at a git ref (git:REF or git:REF:NAME), a file of
    `hostgate plan --json` or `--lock`, of `pulumi stack export`, or of `pulumi preview --json --show-sames` (deployed:FILE
    is what that preview found deployed).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """What the two commands ask for alike."""

    base: str
    head: str
    as_of: date | None
    max_removed: int | None
    max_opened: int | None
    never_remove: tuple[str, ...]
    override: str | None


def review_options(command: F) -> F:
    """The arguments and options of a review, as one `asked`."""

    def takes(**given: Any) -> Any:
        mine = {name: given.pop(name) for name in ComparisonRequest.__dataclass_fields__}
        return command(asked=ComparisonRequest(**mine), **given)

    takes.__doc__ = (command.__doc__ or "") + SIDES
    made: Any = takes
    for option in reversed(
        (
            click.argument("base"),
            click.argument("head"),
            click.option(
                "--max-removed", type=click.IntRange(0), metavar="N", help="At most N hosts may close on a target."
            ),
            click.option(
                "--max-opened", type=click.IntRange(0), metavar="N", help="At most N hosts may open on a target."
            ),
            click.option(
                "--never-remove", multiple=True, metavar="HOST", callback=_hosts, help="HOST must stay open. Repeat."
            ),
            click.option(
                "--override",
                metavar="REASON",
                callback=_reason,
                help="Let this change through all guards, and say why.",
            ),
            click.option(
                "--as-of", "as_of", metavar="DATE", callback=as_date, help="Judge expiries at this date (today)."
            ),
        )
    ):
        made = option(made)
    found: F = made
    return found


def make_review(asked: ComparisonRequest, subject: str | None = None) -> "Review":
    """The review that was asked for. Raises InputError for what is wrong with a side."""
    from hostgate.cli.sides import read_sides
    from hostgate.review.compared_places import (
        as_it_stands,
        compared_members,
        compared_plans,
        compared_standing,
        on_both,
    )
    from hostgate.review.guards import Guards
    from hostgate.review.plan_changes import diff
    from hostgate.review.review import Review

    base, head = read_sides(asked.base, asked.head, asked.as_of or date.today())
    named = Guards(max_removed=asked.max_removed, max_opened=asked.max_opened, never_remove=asked.never_remove)
    pins = [f"{target}: HEAD pins another plan than it makes, and an update is refused." for target in head.unreviewed]
    # Those of BASE count too: a change may not take its own guards away.
    guards = named.with_those_of(base.guards).with_those_of(head.guards)
    targets = diff(base.statements, head.statements)
    sides = base.statements, head.statements
    notes = [*base.notes, *head.notes, *pins]
    if base.snapshot is None and head.snapshot is None:
        places = compared_plans(targets, guards.never_remove)
    else:
        before, after, snapshots, new = _standing(base, head, targets)
        before, after = on_both((before, after), snapshots)
        places = compared_standing(before, after, sides, guards.never_remove, snapshots[1], targets)
        targets = tuple(as_it_stands(each, places) for each in targets)
        places += compared_plans(new, guards.never_remove)
        notes += (f"{each.label} stands nowhere yet: it is compared as if nothing else stood there." for each in new)
    if (base.snapshot is None) != (head.snapshot is None):
        notes.append(
            "The plan is put in the place of what stands of it; what else stands is taken to stay as it is. "
            "Whether one update leads there is told between two plans alone."
        )
        renamed = [each for each in targets if each.base and each.head and each.base.name != each.head.name]
        notes += (
            f"{each.label} has another name: what refers to the old one is taken to go over to the new."
            for each in renamed
        )
    not_read: tuple[str, ...] = ()
    if base.snapshot is not None and head.snapshot is not None:
        from hostgate.policies.places import changes_not_read

        places += compared_members(base.snapshot, head.snapshot, sides, guards.never_remove)
        not_read = tuple(changes_not_read((before, base.snapshot), (after, head.snapshot)))
    return Review(
        subject=subject or head.stack or base.stack or "plan",
        base=asked.base,
        head=asked.head,
        targets=targets,
        guards=guards,
        override=asked.override,
        notes=(*not_read, *notes),
        not_read=bool(not_read),
        places=places,
    )


def _standing(
    base: "Side", head: "Side", targets: "Sequence[TargetDiff]"
) -> "tuple[tuple[Place, ...], tuple[Place, ...], tuple[Snapshot, Snapshot], list[TargetDiff]]":
    """The places of both sides, where one is a plan as it would stand in the other; what stands there; and targets of which
    nothing stands."""
    from hostgate.cli.sides import places_of
    from hostgate.review.put_in import put_in

    if base.snapshot is not None and head.snapshot is not None:
        return base.standing, head.standing, (base.snapshot, head.snapshot), []
    plans = (base if base.snapshot is None else head).statements
    whole = {(each.target, each.name): each for plan in plans for each in plan.apart}  # a comparison leaves objects out
    sides = [(each.head, each.base) if base.snapshot is None else (each.base, each.head) for each in targets]
    pairs = [(standing, plan and whole[plan.target, plan.name]) for standing, plan in sides]
    new = [each for each, (standing, _) in zip(targets, pairs, strict=True) if standing is None]
    snapshot = base.snapshot or head.snapshot
    assert snapshot is not None
    whole_plan = put_in(snapshot, ((standing, plan) for standing, plan in pairs if standing is not None))
    planned = places_of(whole_plan)
    if base.snapshot is None:
        return planned, head.standing, (whole_plan, snapshot), new
    return base.standing, planned, (snapshot, whole_plan), new


def end(review: "Review") -> None:
    """Exit code 1 if the change may not go on."""
    if not review.ok:
        raise click.exceptions.Exit(1)


def lines(review: "Review") -> Iterable[str]:
    """`review` as text for people."""
    yield f"{review.subject}: {review.base} -> {review.head}"
    if review.unchanged:
        yield "Nothing changes."
    if review.risks:
        yield ""
        yield "Look at these first:"
        from hostgate.cli.tables import table

        together: dict[tuple[str, str, str], list[str]] = {}
        for risk in review.risks:
            together.setdefault((risk.word, risk.subject, risk.message), []).append(risk.target)
        yield table(("risk", "about", "why", "on"), [(*key, ", ".join(on)) for key, on in together.items()])
    for target in review.targets:
        yield ""
        yield from _target_lines(target)
    for place in review.places:
        yield from _place_lines(place)
    yield from _guard_lines(review)
    yield from (f"note: {note}" for note in review.notes)


def _target_lines(target: "TargetDiff") -> Iterable[str]:
    from hostgate.cli.tables import finding_lines
    from hostgate.review.plan_changes import EVERYBODY

    base, head = target.base, target.head
    title = f"{target.target} {target.name}" if target.name != "hostgate" else target.target
    if base is None or head is None:
        title += "  new" if base is None else "  gone"
    elif base.target != head.target:
        title += f" (was {base.target})"
    if head is not None and head.refused:
        yield f"{title}  refused: nothing of it is made"
        for one in head.findings or ():
            if one.severity == "error":
                yield from (f"  {line}" for line in finding_lines(one))
        return
    opens = "everything opens" if target.unlisted.opens else f"{len(target.opened)} open"
    opens += f", {len(target.redirected)} with more addresses" if target.redirected else ""
    clients = "" if head is None or head.clients is None else f", for {', '.join(head.clients) or EVERYBODY}"
    yield f"{title}  {opens}, {len(target.closed)} close, {target.kept} stay{clients}"
    yield from _flow_lines("+", target.opened)
    yield from _flow_lines("-", target.closed)
    yield from (f"  clients + {client}" for client in target.clients_added)
    yield from (f"  clients - {client}" for client in target.clients_removed)
    yield from (f"  option {name}: {old!r} -> {new!r}" for name, old, new in target.settings)
    for each in target.decisions:
        entry = each.after.entry
        yield f"  {entry.label}: {each.before.outcome} -> {each.after.outcome}: {each.after.reason}"
    for change in target.objects or ():
        because = f" ({', '.join(change.because)} cannot change in place)" if change.because else ""
        yield f"  {change.kind} {change.name} is {change.what}{because}"
    for word, findings in (("new", target.findings_new), ("gone", target.findings_gone)):
        yield from (f"  finding {word}: {one.line}" for one in findings)
    yield from (f"  finding accepted: {one.line}" for one in target.accepted_now)
    digests = [each.digest[:12] for each in (base, head) if each is not None]
    yield f"  digest {' -> '.join(dict.fromkeys(digests))}"


def _place_lines(place: "ComparedPlace") -> Iterable[str]:
    """What was found by asking both sides, where something was."""
    from hostgate.cli.tables import table

    if place.what == "same":
        return
    yield ""
    what = {"new": "  new: nothing judged there before", "gone": "  gone: nothing judges there any more"}.get(
        place.what, ""
    )
    yield f"{place.label}, every flow asked of both sides{what}"
    changes = place.found.changes
    rows = [
        (SIGNS[each.kind], *place.in_words(each))
        for each in sorted(changes, key=lambda each: tuple(SIGNS).index(each.kind))
    ]
    if rows:
        yield table(("", "flow", "before", "now"), rows[:SHOWN_CHANGES])
    if len(rows) > SHOWN_CHANGES:
        yield f"and {len(rows) - SHOWN_CHANGES} more (--json lists them)"


def _flow_lines(sign: str, flows: "Sequence[FlowChange]") -> Iterable[str]:
    from hostgate.review.risks import reach_of

    for flow in flows[:SHOWN]:
        entry = flow.entry
        other = f"; {'replaces' if sign == '+' else 'replaced by'} {flow.other.host}" if flow.other else ""
        purpose = f": {entry.purpose}" if entry.purpose else ""
        by = f" by {flow.opening.decision.rule}" if flow.opening.decision.rule else ""
        whose = f"{flow.whose}{by}{flow.by}"
        yield f"  {sign} {entry.host} ({reach_of(flow)}) {entry.port}/{entry.protocol}{whose}{other}{purpose}"
    if len(flows) > SHOWN:
        yield f"  {sign} ... and {len(flows) - SHOWN} more (--json lists them)"


def _guard_lines(review: "Review") -> Iterable[str]:
    if review.tripped or review.override or review.idle:
        yield ""
    for each in review.tripped:
        yield f"guard {each.guard} on {each.target}: {each.message}"
    if review.override is not None:
        yield f"{'overridden' if review.tripped else 'nothing to override'}: {review.override}"
    elif review.tripped:
        yield "Stopped by a guard. If the change is meant: --override REASON."
    for host in review.idle:
        yield f"guard never-remove: {host} is open on no target of BASE, so nothing is guarded. Is it misspelt?"


def _hosts(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001
    from hostgate.catalog.hosts import check_host

    found = [check_host(each) for each in value]
    wrong = [each.message for each in found if each.rule is not None]
    if wrong:
        raise click.BadParameter(" ".join(wrong))
    return tuple(each.name for each in found)


def _reason(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    if value is not None and not value.strip():
        raise click.BadParameter("is empty. Give a reason in words.")
    return value


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@review_options
def command(asked: ComparisonRequest, as_json: bool) -> None:
    """Show what opens and closes from BASE to HEAD. Exit code 1: a guard stops it, or HEAD is refused."""
    review = make_review(asked)
    if as_json:
        print_json(review.as_json())
    else:
        from hostgate.cli.tables import folded

        for line in lines(review):
            click.echo(folded("\n".join(map(printable, line.split("\n")))))
    end(review)
