"""`hostgate export`: the hosts as files for software outside the clouds."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostgate.catalog.problems import InputError
from hostgate.cli.sources import Repeating, find_stack, source_options

if TYPE_CHECKING:
    from hostgate.catalog.selection import Selection


@click.group()
def command() -> None:
    """Write the hosts for software outside the clouds."""


@command.command("suricata", cls=Repeating)
@source_options
@click.option(
    "--home-net", multiple=True, metavar="CIDR", help="Ranges behind the engine; RFC 1918 unless given. Repeat."
)
@click.option("--from", "from_", multiple=True, metavar="CIDR", help="Clients; all of HOME_NET unless given. Repeat.")
@click.option("--audit", is_flag=True, help="Log what would be blocked, and block nothing.")
@click.option("--reject", is_flag=True, help="Answer blocked TCP connections with a reset.")
@click.option("--log-allowed", is_flag=True, help="Log what is allowed too.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the files; else print the rules.",
)
def suricata(
    stack: str | None,
    catalogs: tuple[str, ...],
    as_of: date | None,
    allow_empty: bool,
    home_net: tuple[str, ...],
    from_: tuple[str, ...],
    audit: bool,
    reject: bool,
    log_allowed: bool,
    out: Path | None,
) -> None:
    """Rules for an ordinary Suricata, IDS or IPS: those of aws:rules, and a default drop."""
    from hostgate.export.suricata import export_suricata
    from hostgate.planning.plan import draft

    given: dict[str, Any] = {
        "homeNet": list(home_net),
        "from": list(from_),
        "mode": "audit" if audit else "",
        "reject": reject,
        "logAllowed": log_allowed,
    }
    selection, options = _wanted(stack, catalogs, allow_empty, {key: value for key, value in given.items() if value})
    plan = draft(selection, "aws:rules", options, as_of=as_of or date.today())
    files = export_suricata(plan)
    if out is None:
        click.echo(files.rules, nl=False)
    else:
        write_files(files.by_name(), out)
        click.echo(f"Wrote {' and '.join(str(out / name) for name in files.by_name())}.", err=True)
    for one in plan.findings:
        if one.severity == "warning" and one.accepted is None:
            click.echo(f"warning {one.line}", err=True)


def write_files(files: Mapping[str, str], out: Path) -> None:
    """Write `files` into `out`, all new ones beside the old before any takes its place. Raises InputError."""
    from hostgate.catalog.file_output import replace_files, unwritable

    try:
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError([unwritable(out, error, "out")]) from None
    replace_files({out / name: text.encode() for name, text in files.items()}, "out")


def _wanted(
    stack: str | None, catalogs: tuple[str, ...], allow_empty: bool, given: Mapping[str, Any]
) -> tuple["Selection", Any]:
    """The selection and the options, from the command line or from a stack and its `hostgate:aws`."""
    from hostgate.aws.network_firewall_options import NetworkFirewallOptions
    from hostgate.catalog.selection import select
    from hostgate.export.suricata import options_for_suricata
    from hostgate.stack import read_stack, values_of_file

    if catalogs:
        if stack is not None:
            raise click.UsageError("--stack brings its own catalogs; leave out --catalog, or --stack.")
        return select(*catalogs, allow_empty=allow_empty), given
    if given:
        raise click.UsageError("--stack brings its own options, under `hostgate:aws`; leave the others out.")
    project, name = find_stack(stack)
    values = values_of_file(project, name)
    if allow_empty:
        values["allowEmpty"] = True
    wanted = read_stack(values, project)
    options = (each for _, each in wanted.targets if isinstance(each, NetworkFirewallOptions))
    return wanted.selection, options_for_suricata(next(options, NetworkFirewallOptions()))
