"""`hostgate`: the entry point, the commands by name, and how errors leave the process.

Exit codes: 0 fine; 1 the input has errors or is refused; 2 wrong usage. Commands load on demand, so that `plan --json`
pays for nothing that it does not use.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

import hostgate
from hostgate.catalog.problems import InputError, Problem

_COMMANDS = {
    "plan": "what a selection becomes on each cloud",
    "diff": "what a change opens and closes, and whether guards let it through",
    "comment": "the same as one Markdown comment for a pull request",
    "explain": "what becomes of one connection, and why",
    "preview": "what `pulumi up` would create, on simulated clouds",
    "survey": "measure the hosts' TTLs and addresses, and what they mean for each mechanism",
    "sandbox": "run pulumi on simulated clouds, and look at what they hold",
    "export": "the hosts as files for software outside the clouds",
    "catalog": "show, list, lint and compare host catalogs; read vendors' pages",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"hostgate.cli.{cmd_name}").command
        return command

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
        code = cli.main(standalone_mode=False) or 0  # click returns the code of an Exit, and raises the rest
        sys.stdout.flush()
    except click.Abort:
        click.echo("stopped", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except InputError as error:
        show_problems(error.problems, as_json="--json" in sys.argv)
        code = 1
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            click.echo(
                f"Cannot go on: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.", err=True
            )
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
        code = 1
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        code = 130
    sys.exit(code)


def show_problems(problems: Iterable[Problem], *, as_json: bool) -> None:
    """All `problems`: as the JSON document that tools rely on, or for people on stderr."""
    every = list(problems)
    if as_json:
        print_json({"errors": [problem.as_json() for problem in every]})
        return
    for problem in every:
        click.echo(str(problem), err=True)
    click.echo(f"{len(every)} error{'s' if len(every) != 1 else ''}.", err=True)


def print_json(document: Mapping[str, Any]) -> None:
    """`document` as JSON on stdout. Lists at the top are written item by item, so that big plans need no second copy."""
    from pydantic_core import to_json  # the standard encoder is ten times slower as soon as it indents

    out = sys.stdout.buffer
    for number, (key, value) in enumerate(document.items()):
        out.write((b"{" if number == 0 else b",") + b"\n" + to_json(key) + b": ")
        if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
            for index, item in enumerate(value):
                out.write((b"[" if index == 0 else b",") + b"\n" + to_json(item, indent=2))
            out.write(b"\n]" if value else b"[]")
        else:
            out.write(to_json(value, indent=2))
    out.write(b"\n}\n")
    out.flush()


if __name__ == "__main__":
    main()
