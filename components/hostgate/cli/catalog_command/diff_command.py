"""`hostgate catalog diff`: what opens, closes and changes between two catalogs, the risky first."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from hostgate.catalog.collector import collector_at_rest
from hostgate.cli.main import print_json

if TYPE_CHECKING:
    from hostgate.catalog.revision_changes import CatalogDiff, HostChange


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@collector_at_rest()
def diff(before: str, after: str, as_json: bool) -> None:
    """Show what opens, closes and changes from BEFORE to AFTER.

    Both are a catalog at a revision (vendor/product@REVISION), a file, or a file as git has it (git:REF:PATH).

    Exit code 0: both could be read and were compared, with or without differences. 1: one could not be read.
    """
    from hostgate.catalog.git_refs import resolve_anywhere
    from hostgate.catalog.problems import InputError, Problem
    from hostgate.catalog.revision_changes import compare

    problems: list[Problem] = []
    sides = []
    for ref in (before, after):
        try:
            sides.append(resolve_anywhere(ref))
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise InputError(problems)
    old, new = sides
    wrong = {(r.match, r.host) for side in sides for r in side.catalog.record.entries if r.status == "mistaken"}
    made = compare(old.catalog.entries(old.revision), new.catalog.entries(new.revision), misprints=wrong)
    if as_json:
        print_json({"before": str(old), "after": str(new), **diff_json(made)})
        return
    click.secho(f"{before} -> {after}", bold=True)
    show_diff(made)


def diff_json(made: "CatalogDiff") -> dict[str, object]:
    """A diff under the keys that tools rely on."""
    return {
        "counts": dict([*made.counts.items(), ("unchanged", made.unchanged)]),
        "changes": [change.as_json() for change in made.changes],
    }


def show_diff(made: "CatalogDiff") -> None:
    """A diff for people: one line for each change, and what makes it risky below."""
    from hostgate.cli.tables import folded

    click.echo(made.summary)
    for line in _lines(made.changes):
        click.echo(folded(line))


def _lines(changes: Iterable["HostChange"]) -> Iterator[str]:
    for change in changes:
        entry = change.entry
        what = f"{change.what:<9}"
        names = (
            f"{change.before.reach} -> {entry.reach}" if change.what == "replaced" and change.before else entry.reach
        )
        about = f"  {entry.purpose}" if entry.purpose else ""
        yield f"{what} {names}  {entry.port}/{entry.protocol}{about}  [{entry.id}]"
        for field in change.fields:
            yield f"{'':10}{field.field}: {_shown(field.before)} -> {_shown(field.after)}"
        for risk in change.risks:
            yield f"{'':10}! {risk.id}: {risk.message}"


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
