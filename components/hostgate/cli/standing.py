"""What stands, as the command line names it: the simulated clouds, states of the engine, previews, several together."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostgate.catalog.file_input import user_path
from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.sandbox_command import sandbox_folder

if TYPE_CHECKING:
    from hostgate.flows.snapshot import Snapshot

F = TypeVar("F", bound=Callable[..., Any])


def standing_options(command: F) -> F:
    """The options by which what stands is asked, several files together."""
    for option in (
        click.option(
            "--with", "others", multiple=True, metavar="FILE",
            help="A state or preview of another stack, for what it owns. Repeat.",
        ),
        click.option(
            "--preview", "previews", multiple=True, metavar="FILE",
            help="Ask what would stand after an update: pulumi preview --json --show-sames. Repeat.",
        ),
        click.option(
            "--state", "states", multiple=True, metavar="FILE|DIR",
            help="Ask what a state holds: pulumi stack export. With --sandbox, the folder where it is kept. Repeat.",
        ),
        click.option("--sandbox", is_flag=True, help="Ask what the simulated clouds hold."),
    ):  # fmt: skip
        command = option(command)
    return command


def snapshot_of_sources(
    sandbox: bool, states: tuple[str, ...], previews: tuple[str, ...], others: tuple[str, ...]
) -> "tuple[Snapshot, frozenset[str]]":
    """All of them as one snapshot, and the URNs of what other stacks own. Raises click.UsageError, InputError."""
    from hostgate.flows.engine_documents import of_preview, of_state
    from hostgate.flows.snapshot import Snapshot

    if sandbox:
        if previews or others or len(states) > 1:
            raise click.UsageError("--sandbox is asked alone, with --state DIR for the folder where it is kept.")
        return of_sandbox(states[0] if states else None), frozenset()
    parts = [of_state(*_read(path)) for path in states] + [of_preview(*_read(path)) for path in previews]
    own = {each.urn for part in parts for each in part.resources}
    for path in others:
        document, shown = _read(path)
        of = of_state if isinstance(document, dict) and "deployment" in document else of_preview
        parts.append(of(document, shown))
    _apart(parts)
    resources = {each.urn: each for part in parts for each in part.resources}
    elsewhere = frozenset(resources.keys() - own)
    return Snapshot(tuple(resources.values()), ", ".join(part.source for part in parts)), elsewhere


def _apart(parts: "Sequence[Snapshot]") -> None:
    """Raises InputError where two of them hold the same resource: which of its versions stands, nobody can tell."""
    held_by: dict[str, Snapshot] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for part in parts:
        for urn in dict.fromkeys(each.urn for each in part.resources):
            other = held_by.setdefault(urn, part)
            if other is not part and (other.source, part.source) not in problems:
                message = (
                    f"{other.source} has {urn} too: one stack at two moments. Allowed: each stack once. To compare the two: "
                    "hostgate diff."
                )
                problems[other.source, part.source] = Problem(rule="plan-file", file=part.source, message=message)
    if problems:
        raise InputError(list(problems.values()))


def of_sandbox(state: str | None) -> "Snapshot":
    """What the simulated clouds hold that are kept in the folder `state`. Raises click.UsageError, InputError."""
    from hostgate.sandbox.enforcement_points import snapshot_of
    from hostgate.sandbox.state import FILE, state_of

    if state is not None and user_path(state).is_file():
        raise click.UsageError(f"--sandbox takes --state DIR, the folder where it is kept; {state} is a file.")
    folder = sandbox_folder(None if state is None else user_path(state))
    held = list(state_of(folder).objects()) if (folder / FILE).exists() else []
    if not held:
        message = "The simulated clouds hold no policy. Fill them: hostgate sandbox run -- pulumi up"
        raise InputError([Problem(rule="sandbox", message=message)])
    return snapshot_of(held)


def read_document(path: str) -> Any:
    """The JSON document at `path` (`-`: stdin), and what it is called. Raises click.UsageError, InputError."""
    from hostgate.review.statement import read_json

    if path == "-":
        return read_json(None, "stdin")
    if user_path(path).is_dir():
        raise click.UsageError(f"{path} is a folder. Allowed: a file that pulumi wrote; a sandbox's with --sandbox.")
    return read_json(user_path(path), path)


def _read(path: str) -> tuple[Any, str]:
    return read_document(path), "stdin" if path == "-" else path
