"""Where plans come from on the command line: a stack's config, or catalogs and targets named as options."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostgate.catalog.dates import iso_date
from hostgate.catalog.problems import InputError, Problem, did_you_mean

if TYPE_CHECKING:
    from hostgate.catalog.selection import Selection
    from hostgate.planning.options import Options
    from hostgate.planning.survey import Survey
    from hostgate.review.pin import Pin
    from hostgate.stack import Stack

F = TypeVar("F", bound=Callable[..., Any])

_TARGET = re.compile(r"[a-z]+:[a-z-]+\Z")

_REPEATED: dict[str, Callable[[str], bool]] = {
    "--catalog": lambda value: "/" in value or value.endswith((".yaml", ".yml")),
    "--target": lambda value: bool(_TARGET.match(value)),
    "--resolver": lambda value: "/" not in value and not value.endswith((".yaml", ".yml")),
    **dict.fromkeys(("--from", "--state", "--preview", "--with"), lambda _value: True),
    "--report": lambda value: value.lower().endswith((".md", ".html", ".csv")),
}
"""Options that take several values in a row, and which further values belong to them: the rest are arguments."""


class Repeating(click.Command):
    """A command whose `--catalog A B` means the same as `--catalog A --catalog B`, and so for others that repeat."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours = {opt for each in self.params if isinstance(each, click.Option) and each.multiple for opt in each.opts}
        spread: list[str] = []
        current = None
        for index, arg in enumerate(args):
            if arg in ours & _REPEATED.keys():
                current = arg
                spread.append(arg)
            elif arg.startswith("-"):
                current = None
                spread.append(arg)
            elif current and args[index - 1] != current and _belongs(current, arg):
                spread += [current, arg]
            else:
                if args[index - 1] != current:
                    current = None
                spread.append(arg)
        return super().parse_args(ctx, spread)


def _belongs(option: str, value: str) -> bool:
    return _REPEATED[option](value)


def source_options(command: F) -> F:
    """The options by which hosts are asked for, where it is known what becomes of them."""
    return _with_options(command, "stack", "catalogs", "as_of", "allow_empty")


def plan_options(command: F) -> F:
    """The options by which plans are asked for."""
    return _with_options(command, *_OPTIONS)


def advice_options(command: F) -> F:
    """The options by which advice is asked for; hosts are named by arguments."""
    return _with_options(command, "stack", "as_of", "survey", "as_json")


def _with_options(command: F, *names: str) -> F:
    for name in reversed(names):
        command = _OPTIONS[name](command)
    return command


def as_date(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:  # noqa: ARG001
    if value is None:
        return None
    try:
        return iso_date(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date. Allowed: YYYY-MM-DD.") from None


_OPTIONS: Mapping[str, Callable[[Any], Any]] = {
    "stack": click.option(
        "--stack", metavar="NAME", help="Plan what Pulumi.NAME.yaml asks for (dev, unless catalogs are named)."
    ),
    "catalogs": click.option(
        "--catalog", "catalogs", multiple=True, metavar="REF", help="vendor/product@revision, or a file. Repeat."
    ),
    "targets": click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="CLOUD:MECHANISM",
        help="E.g. aws:rules. Repeat; all main ones if absent.",
    ),
    "as_of": click.option(
        "--as-of", "as_of", metavar="DATE", callback=as_date, help="Judge expiries at this date (today)."
    ),
    "allow_empty": click.option("--allow-empty", is_flag=True, help="An empty selection is meant."),
    "survey": click.option(
        "--survey",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Judge by what `hostgate survey` wrote to FILE (--out) or printed (--json).",
    ),
    "as_json": click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
}


def make_plans(
    stack: str | None,
    catalogs: tuple[str, ...],
    targets: tuple[str, ...],
    as_of: date | None,
    allow_empty: bool,
    survey: Path | None,
    pool: str | None = None,
) -> Any:
    """The plans asked for; `pool` in place of that of a stack. Raises click.UsageError for a mixture, InputError for what is
    wrong with the input."""
    return plans_and_pin(stack, catalogs, targets, as_of, allow_empty, survey, pool, pins=False)[0]


def plans_and_pin(
    stack: str | None,
    catalogs: tuple[str, ...],
    targets: tuple[str, ...],
    as_of: date | None,
    allow_empty: bool,
    survey: Path | None,
    pool: str | None = None,
    *,
    pins: bool,
) -> Any:
    """The plans asked for, and the pin of their stack if it has one and `pins`. Raises as `make_plans` does."""
    from hostgate.planning.mechanism import main_targets
    from hostgate.planning.plan import plan_all

    if stack is not None and (catalogs or targets):
        raise click.UsageError(
            "--stack brings its own catalogs and targets; leave out --catalog and --target, or --stack."
        )
    if targets and not catalogs:
        raise click.UsageError("--target needs at least one --catalog.")
    if pool is not None and catalogs:
        raise click.UsageError("--pool goes with --stack, whose options say who gets the addresses; leave one out.")
    day = as_of or date.today()
    if not catalogs:
        wanted = _wanted(stack, allow_empty, survey, pool, pins=pins)
        return wanted.plans(day), wanted.reviewed
    selection, _, surveyed, _ = hosts_and_layers(stack, catalogs, allow_empty, survey, pins=pins)
    chosen = [(target, None) for target in dict.fromkeys(targets) or main_targets()]
    return plan_all(selection, chosen, as_of=day, survey=surveyed), None


def hosts_and_layers(
    stack: str | None, catalogs: tuple[str, ...], allow_empty: bool, survey: Path | None, *, pins: bool
) -> "tuple[Selection, Sequence[tuple[str, Options | None]], Survey | None, Pin | None]":
    """The hosts asked for, the stack's targets with their options, the survey, and the stack's pin if it has one and `pins`.

    Catalogs bring neither targets nor a pin. Raises InputError.
    """
    from hostgate.catalog.selection import select

    if catalogs:
        return select(*catalogs, allow_empty=allow_empty), (), None if survey is None else _read(survey), None
    wanted = _wanted(stack, allow_empty, survey, pins=pins)
    return wanted.selection, wanted.targets, wanted.survey, wanted.reviewed


def pool_of_stack(stack: str | None) -> str | None:
    """The file or URL of the stack's own pool; None if it has none. Raises InputError."""
    from hostgate.stack import values_of_file

    project, name = find_stack(stack)
    section = values_of_file(project, name).get("pool")
    file = section.get("file") if isinstance(section, dict) else None
    return file if not isinstance(file, str) or "://" in file else str(project / file)


def _wanted(
    stack: str | None, allow_empty: bool, survey: Path | None, pool: str | None = None, *, pins: bool
) -> "Stack":
    """What the stack asks for, with what the command line says beside it. Raises InputError."""
    from hostgate.stack import read_stack, values_of_file

    project, name = find_stack(stack)
    values = values_of_file(project, name)
    if allow_empty:
        values["allowEmpty"] = True
    if survey is not None:
        section = values.get("survey")
        values["survey"] = {**(section if isinstance(section, dict) else {}), "file": str(Path.cwd() / survey)}
    if pool is not None:
        values["pool"] = {"file": pool if "://" in pool else str(Path.cwd() / pool)}
    return read_stack(values, project, pins=pins)


def _read(survey: Path) -> "Survey":
    from hostgate.dns.document import read_verdicts

    return read_verdicts(survey)


def find_stack(stack: str | None, *, needs_file: bool = True) -> tuple[Path, str]:
    """The project folder (this one or the nearest above with a Pulumi.yaml) and the stack's name. Raises InputError.

    `needs_file`: a stack has to have a stack file.
    """
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), None)
    if project is None:
        raise _error(
            "no-project",
            f"There is no Pulumi.yaml in {here} or above. Go to a Pulumi project, make one by `hostgate init`, or, where the "
            "command takes them, name --catalog and --target.",
        )
    stacks = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in project.glob("Pulumi.*.yaml"))
    name = stack or "dev"
    if needs_file and name not in stacks:
        raise _error(
            "no-stack",
            f"There is no Pulumi.{name}.yaml in {project}.{did_you_mean(name, stacks)} "
            f"Stacks here: {', '.join(stacks) or 'none'}.",
        )
    return project, name


def _error(rule: str, message: str) -> InputError:
    return InputError([Problem(rule=rule, message=message)])
