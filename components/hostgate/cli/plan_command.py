"""`hostgate plan`: objects, decisions, findings and limits of each target; as text, as JSON, or as files."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostgate.cli.main import print_json, show_problems
from hostgate.cli.sources import Repeating, plan_options, plans_and_pin

if TYPE_CHECKING:
    from hostgate.planning.decision import Decision
    from hostgate.planning.plan import Plan

SHOWN = 40
"""Allowed entries listed one by one for people; beyond, their number. `--json` always has all."""


@click.command(cls=Repeating)
@plan_options
@click.option(
    "--lock",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the plans as reviewed, for `hostgate:reviewed`.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write rule text and API bodies, a folder a target.",
)
def command(
    stack: str | None,
    catalogs: tuple[str, ...],
    targets: tuple[str, ...],
    as_of: date | None,
    allow_empty: bool,
    survey: Path | None,
    as_json: bool,
    lock: Path | None,
    out: Path | None,
) -> None:
    """Show what a selection becomes on each cloud."""
    if out is not None and str(out) == ".":
        raise click.BadParameter("names the current folder. Name a folder for the plans.", param_hint="--out")
    plans, pin = plans_and_pin(stack, catalogs, targets, as_of, allow_empty, survey, pins=lock is None)
    problems = [problem for plan in plans for problem in plan.problems]
    if pin is not None and not problems:
        problems = pin.objections(plans)
    if out is not None and not problems:
        from hostgate.cli.plan_files import write_plans

        write_plans(plans, out)
    if lock is not None and not problems:
        from hostgate.catalog.file_output import replace_file
        from hostgate.review.statement import locked

        replace_file(lock, locked(plans).encode(), "lock")
    if as_json:
        document: dict[str, object] = {"targets": [plan.as_json() for plan in plans]}
        if problems:
            document["errors"] = [problem.as_json() for problem in problems]
        print_json(document)
    else:
        show(plans)
        if problems:
            show_problems(problems, as_json=False)
        elif out is not None:
            click.echo(f"Wrote {', '.join(str(out / plan.target.replace(':', '-')) for plan in plans)}.", err=True)
        if lock is not None and not problems:
            _show_pin(plans, lock)
    if problems:
        raise click.exceptions.Exit(1)


def show(plans: Sequence["Plan"]) -> None:
    """`plans` as text that a tired person can read."""
    from hostgate.cli.tables import finding_lines, folded, table

    for plan in plans:
        counts = {
            outcome: sum(decision.outcome == outcome for decision in plan.decisions)
            for outcome in ("allowed", "covered", "left out", "refused")
        }
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        whole = "; the plan as a whole is refused" if plan.refused and not counts["refused"] else ""
        click.secho(f"{plan.target}  {summary}{whole}", bold=True)
        shown = [d for d in plan.decisions if d.outcome != "allowed" or counts["allowed"] <= SHOWN]
        order = [share.grant for share in plan.options.shares]
        shown.sort(key=lambda d: order.index(d.entry.grant))
        rows = [
            (
                *([d.entry.grant] if plan.options.grants else ()),
                *(d.entry.host, d.entry.match, f"{d.entry.port}/{d.entry.protocol}", d.outcome, d.rule or _why(d)),
            )
            for d in shown
        ]
        for share in plan.options.shares if plan.options.grants else ():
            click.echo(f"{share.grant}: for {', '.join(_few(share.own_clients)) or 'everybody'}")
        if rows:
            whose = ["for"] if plan.options.grants else []
            click.echo(table((*whose, "host", "match", "port", "outcome", "rule or reason"), rows))
        if counts["allowed"] > SHOWN:
            click.echo(f"  ... and {counts['allowed']} allowed entries (--json lists them).")
        click.echo(folded("objects: " + ", ".join(_few([each.name for each in plan.objects]) or ["none"])))
        full = [f"{u.limit.name} {u.used:,} of {u.limit.max:,}" for u in plan.limits if u.used]
        click.echo(folded("limits:  " + ("; ".join(full) or "none used")))
        click.echo("digest:  " + plan.digest)
        for one in plan.findings:
            for line in finding_lines(one):
                click.echo(folded(line))
        if any(one.id == "documented-only" for one in plan.findings):
            _show_trials(plan)
        click.echo()


def _why(decision: "Decision") -> str:
    """What is to be said of an entry without a rule: of one that is allowed, in a plan that is refused, nothing."""
    return "-" if decision.outcome == "allowed" else decision.reason


def _show_trials(plan: "Plan") -> None:
    """The commands with which an owner tries `plan`, and what it expects of each."""
    from hostgate.cli.tables import folded
    from hostgate.planning.trial import no_test, trials

    found = trials(plan)
    if found:
        click.echo("To try it once it stands, on a client that it is about (`unknown`: the plan alone cannot tell):")
    for each in found:
        click.echo(f"  {each.expected:<7}  {each.what}:\n           {each.command}")
    if found and (warned := no_test([plan.target])):
        click.echo(folded(f"  {warned}"))


def _show_pin(plans: Sequence["Plan"], lock: Path) -> None:
    """What to write in the stack file, so that nothing but `plans` can be applied."""
    click.echo(f"Wrote {lock}. Once it is reviewed, pin it in the stack file:", err=True)
    click.echo(f"  hostgate:reviewed:\n    plan: {lock}\n    digests:", err=True)
    for plan in plans:
        click.echo(f'      "{plan.target}": {plan.digest}', err=True)


def _few(names: Sequence[str]) -> list[str]:
    return list(names) if len(names) <= 12 else [*names[:12], f"and {len(names) - 12} more"]
