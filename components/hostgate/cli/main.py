"""`hostgate`: the entry point, the commands by name, and how errors leave the process.

Exit codes: 0 fine; 1 the input has errors or is refused; 2 wrong usage; 128 + N ended by signal N. Commands load on
demand, so that `plan --json` pays for nothing that it does not use.
"""

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

import hostgate
from hostgate.catalog.problems import InputError, Problem, did_you_mean, printable
from hostgate.sandbox.signals import Ended, ended_by_signals

_COMMANDS = {
    "init": "write a Pulumi project that runs: stack file, program, policy pack, CI",
    "plan": "what a selection becomes on each cloud",
    "diff": "what a change opens and closes, and whether guards let it through",
    "comment": "the same as one Markdown comment for a pull request",
    "explain": "what becomes of one connection, and why",
    "reach": "what is open beyond the catalogs, and what they need and is closed",
    "preview": "what `pulumi up` would create, on simulated clouds",
    "survey": "measure the hosts' TTLs and addresses, and what they mean for each mechanism",
    "pool": "keep the addresses of hosts in step with DNS, for what filters by address",
    "sandbox": "run pulumi on simulated clouds, and look at what they hold",
    "advise": "which mechanisms fit each host, and what each needs, opens and costs",
    "targets": "every target that is installed, and what it can express",
    "export": "the hosts as files for software outside the clouds",
    "catalog": "show, list, lint and compare host catalogs; read vendors' pages",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"hostgate.cli.{cmd_name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            near = did_you_mean(args[0], _COMMANDS)
            ctx.fail(f"No such command {args[0]!r}.{near} Commands: {', '.join(_COMMANDS)}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(hostgate.__version__, prog_name="hostgate")
def cli() -> None:
    """A reviewed catalog of vendor hosts becomes egress rules on AWS, Google Cloud and Azure."""


def main() -> None:
    """Run the command line and end the process."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    elif isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot draw a table still gets its words
    try:
        with ended_by_signals():
            code = _run()
            sys.stdout.flush()
    except Ended as ended:
        code = ended.code
    except BrokenPipeError:  # the reader of the output has gone away: nobody is left to be told
        code = _without_stdout()
    except OSError as error:
        code = _without_stdout()
        about = f" ({printable(str(error.filename))})" if error.filename else ""
        with suppress(OSError):
            click.echo(f"Cannot go on: {error.strerror or error}{about}.", err=True)
    sys.exit(code)


def _run() -> int:
    """Run the command; its exit code. Raises OSError where stdout cannot be written, or something else went wrong."""
    try:
        # click returns the code of an Exit, and raises the rest
        return cli.main(standalone_mode=False) or 0
    except (click.Abort, KeyboardInterrupt) as error:
        # click makes an Abort of every interrupt; which signal it was stands behind it
        ended = error if isinstance(error, Ended) else error.__cause__
        click.echo("stopped", err=True)
        return ended.code if isinstance(ended, Ended) else 128 + signal.SIGINT
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except InputError as error:
        show_problems(error.problems, as_json="--json" in sys.argv)
        return 1
    except RecursionError:
        deep = Problem(
            rule="too-deep", message="An input is nested too deep. No input of hostgate needs twenty levels."
        )
        show_problems([deep], as_json="--json" in sys.argv)
        return 1


def _without_stdout() -> int:
    """Let what is still buffered go nowhere, where it cannot be written; the exit code for that."""
    with suppress(OSError, ValueError):  # a stdout that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def show_problems(problems: Iterable[Problem], *, as_json: bool) -> None:
    """All `problems`: as the JSON document that tools rely on, or for people on stderr."""
    every = list(problems)
    if as_json:
        print_json({"errors": [problem.as_json() for problem in every]})
        return
    from hostgate.cli.tables import folded

    for problem in every:
        click.echo(folded(str(problem), err=True), err=True)
    click.echo(f"{len(every)} error{'s' if len(every) != 1 else ''}.", err=True)


def print_json(document: Mapping[str, Any]) -> None:
    """`document` as JSON on stdout. Lists at the top are written item by item, so that big plans need no second copy."""
    out = sys.stdout.buffer
    for number, (key, value) in enumerate(document.items()):
        out.write((b"{" if number == 0 else b",") + b"\n" + _json(key) + b": ")
        if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
            begun = False
            for item in value:
                out.write((b"," if begun else b"[") + b"\n" + _json(item))
                begun = True
            out.write(b"\n]" if begun else b"[]")
        else:
            out.write(_json(value))
    out.write(b"\n}\n")
    out.flush()


def _json(value: Any) -> bytes:
    from pydantic_core import PydanticSerializationError, to_json

    # The standard encoder is ten times slower as soon as it indents. A float that is no number would be no JSON.
    try:
        return to_json(value, indent=2, inf_nan_mode="strings")
    except PydanticSerializationError:
        return to_json(_encodable(value), indent=2, inf_nan_mode="strings")


def _encodable(value: Any) -> Any:
    """`value` with the characters that UTF-8 lacks spelled out, as text for people has them: bytes of a path that is not
    UTF-8, half a surrogate pair in a log."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    main()
