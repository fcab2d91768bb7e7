"""`hostgate preview`: what `pulumi up` would create, as a tree of resources and a table of hosts by cloud.

The built-in host runs the project's own `__main__.py` against simulated clouds; with the pulumi CLI on PATH the real
engine does. Neither needs an account, and nothing is deployed.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.shipped import page
from hostgate.cli.sources import find_stack

if TYPE_CHECKING:
    from rich.tree import Tree

    from hostgate.planning.findings import Finding
    from hostgate.planning.plan import Plan
    from hostgate.sandbox.resources import Preview, PreviewResource


@click.command()
@click.option("--stack", metavar="NAME", help="Preview Pulumi.NAME.yaml (dev unless given).")
@click.option(
    "--host",
    type=click.Choice(["pulumi", "builtin"]),
    help="Which engine runs the program (pulumi if its CLI is on PATH, else builtin).",
)
@click.option(
    "--policy-pack",
    "policy_packs",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with PulumiPolicy.yaml. Repeat.",
)
def command(stack: str | None, host: str | None, policy_packs: tuple[Path, ...]) -> None:
    """Show what `pulumi up` would create, on simulated clouds."""
    project, name = find_stack(stack)
    from hostgate.sandbox.engine import pulumi_cli
    from hostgate.sandbox.preview_problems import PreviewError

    try:
        if host == "pulumi" or (host is None and pulumi_cli() is not None):
            _real_engine(project, name, policy_packs)
        else:
            _builtin(project, name, policy_packs)
    except PreviewError as failed:
        told = [each for problem in failed.problems for each in _apart(str(problem))]
        raise InputError([Problem(rule="", message=message) for message in told]) from None


_HEADS = ("the config or the catalogs have errors", "the plan is refused")
"""With which `hostgate.program` begins to tell several errors at once."""


def _apart(message: str) -> list[str]:
    """The errors of one message of the program, so that they are counted; the first has the message's head."""
    head, *lines = message.split("\n")
    if not lines or head not in _HEADS:
        return [message]
    found: list[list[str]] = []
    for line in lines:
        if found and line.startswith(" "):
            found[-1].append(line)
        else:
            found.append([line])
    found[0].insert(0, head)
    return ["\n".join(each) for each in found]


def _real_engine(project: Path, stack: str, policy_packs: Sequence[Path]) -> None:
    if policy_packs:
        from hostgate.sandbox import engine

        if engine.preview(project, stack, policy_packs) != 0:
            raise click.exceptions.Exit(1)
        plans = _plans(project, stack)
        if plans:
            _show_plans(plans)
        return
    from hostgate.sandbox.engine_preview import preview

    with _progress("running pulumi preview on simulated clouds"):
        made = preview(project, stack)
    _show(project, stack, made)


def _builtin(project: Path, stack: str, policy_packs: Sequence[Path]) -> None:
    from hostgate.sandbox.builtin_preview import preview
    from hostgate.stack import config_of_file

    config = config_of_file(project, stack)
    with _progress("running the program on simulated clouds"):
        made = preview(project, stack, config, policy_packs=[pack.resolve() for pack in policy_packs])
    _show(project, stack, made)


def _show(project: Path, stack: str, made: "Preview") -> None:
    digests = {_digest(resource) for resource in made.resources} - {None}
    plans = tuple(plan for plan in _plans(project, stack) if plan.digest in digests) if digests else ()
    _show_tree(made)
    if plans:
        _show_plans(plans)
    for diagnostic in made.diagnostics:
        if not _told_by_findings(diagnostic.message, plans):
            # Several components may have the same selected: only their names tell the lines apart.
            about = (
                f"{diagnostic.urn.rpartition('::')[2]}: " if diagnostic.severity == "info" and diagnostic.urn else ""
            )
            click.echo(f"{diagnostic.severity}: {about}{diagnostic.message}", err=True)
    for violation in made.violations:
        where = violation.urn.rpartition("::")[2]
        click.echo(f"policy {violation.pack}/{violation.policy} ({violation.enforcement}) {where}: {violation.message}")
    if not made.ok:
        raise click.exceptions.Exit(1)


def _plans(project: Path, stack: str) -> "tuple[Plan, ...]":
    """The plans of the stack's own config; empty for a project whose config has none of our keys."""
    from hostgate.stack import read_stack, values_of_file

    values = values_of_file(project, stack)
    if not values:
        return ()
    return read_stack(values, project).plans(date.today())


def _show_tree(made: "Preview") -> None:
    from rich.console import Console

    console = Console(highlight=False, width=None if os.isatty(1) else 160)
    console.print(_tree(made))
    created = sum(resource.custom for resource in made.resources)
    console.print(f"{created} resources to create, on simulated clouds; nothing is deployed.\n")


def _show_plans(plans: Sequence["Plan"]) -> None:
    """Each host by cloud, then each finding once with the targets that have it."""
    from hostgate.cli.tables import finding_lines, folded

    click.echo(_hosts(plans))
    together: dict[Finding, list[str]] = {}
    for plan in plans:
        for one in plan.findings:
            together.setdefault(one, []).append(plan.target)
    click.echo()
    click.secho(f"{len(together)} findings", bold=True)
    for one in sorted(together, key=lambda one: one.order):
        where = "all" if len(together[one]) == len(plans) else ", ".join(together[one])
        for line in finding_lines(one):
            click.echo(folded(f"  {line}"))
        click.echo(folded(f"          on {where}"))
    click.echo(f"\nWhat each finding means and what to do about it: {page('plan.md')}")


def _tree(made: "Preview") -> "Tree":
    from rich.tree import Tree

    children: dict[str | None, list[PreviewResource]] = {}
    for resource in made.resources:
        children.setdefault(resource.parent, []).append(resource)

    def grow(tree: Tree, urn: str | None) -> None:
        for resource in children.get(urn, ()):
            mark = "+" if resource.custom else " "
            detail = _detail(resource.inputs)
            branch = tree.add(f"{mark} {resource.type.rpartition(':')[2]} [bold]{resource.name}[/bold]{detail}")
            grow(branch, resource.urn)

    root = next((resource for resource in made.resources if resource.parent is None), None)
    tree = Tree(f"{made.project} / {made.stack}")
    grow(tree, root.urn if root is not None and root.type == "pulumi:pulumi:Stack" else None)
    return tree


def _detail(inputs: Mapping[str, Any]) -> str:
    """The inputs that tell a reader most, e.g. a rule's priority and action."""
    told = []
    for key in ("target", "priority", "action", "direction", "capacity", "attachmentTarget"):
        value = inputs.get(key)
        if isinstance(value, str | int | float):
            told.append(f"{key} {int(value) if isinstance(value, float) and value.is_integer() else value}")
    return f"  [dim]{', '.join(told)}[/dim]" if told else ""


def _hosts(plans: Sequence["Plan"]) -> str:
    from hostgate.cli.tables import table

    rows: dict[tuple[str, str], list[str]] = {}
    for column, plan in enumerate(plans):
        for decision in plan.decisions:
            entry = decision.entry
            whose = f" for {entry.grant}" if entry.grant else ""
            nothing = ["-"] * len(plans)  # a list that only another cloud has
            row = rows.setdefault(entry.key, [f"{entry.reach}{whose}", f"{entry.port}/{entry.protocol}", *nothing])
            told = decision.rule or decision.reason.partition(",")[0].partition(". ")[0]
            way = decision.means
            port = f" :{entry.port}" if way is not None and way.sight != "query-name" else ""
            whole = told.replace("/", "/\n")  # names are not folded in their middle
            row[2 + column] = f"{whole}{port}" if decision.rule else f"{decision.outcome}: {told}"
    return table(("host", "need", *(plan.target for plan in plans)), rows.values())


def _digest(resource: "PreviewResource") -> str | None:
    value = resource.inputs.get("digest")
    return value if isinstance(value, str) and not resource.custom else None


def _told_by_findings(message: str, plans: Sequence["Plan"]) -> bool:
    """Whether the hosts and findings shown have said it: what is selected, what was found, that nothing is enforced."""
    from hostgate.planning.plan import unenforced

    told = [plan.selection.summary for plan in plans] + [one.line for plan in plans for one in plan.findings]
    return message == unenforced(plans) or message in told


def _progress(words: str) -> Any:
    from rich.console import Console

    return Console(stderr=True).status(words)
