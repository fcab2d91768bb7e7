"""`hostgate export`: the hosts as files for software outside the clouds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

from hostgate.catalog.problems import InputError
from hostgate.cli.sources import Repeating, find_stack, hosts_and_layers, make_plans, pool_of_stack, source_options
from hostgate.planning.targets import Target, formats, load, row, rows

if TYPE_CHECKING:
    from hostgate.catalog.selection import Selection
    from hostgate.flows.address_sets import AddressSet
    from hostgate.planning.findings import Finding
    from hostgate.planning.options import Options
    from hostgate.planning.plan import Plan


class _Forms(click.Group):
    """The forms that have options of their own, and those that the rows of targets name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(form for each in (*rows(), *formats()) for form in each.exports)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = next((each for each in (*rows(), *formats()) if cmd_name in each.exports), None)
        if (own := super().get_command(ctx, cmd_name)) or target is None:
            return own
        return _form(cmd_name) if target.component else _format(cmd_name, target)


def _form(name: str) -> click.Command:
    """The command of a form that plans for several clouds may have."""
    able = [each.name for each in rows() if name in each.exports]

    @click.command(name, cls=Repeating, help=f"Files of the form {name}, of plans for {', '.join(able)}.")
    @source_options
    @click.option(
        "--target",
        "targets",
        multiple=True,
        type=click.Choice(able),
        help=f"Of the layers of a stack those to write, else all; for catalogs {able[0]} unless given. Repeat.",
    )
    @click.option("--pool", metavar="FILE|URL", help="The addresses of the hosts, in place of the pool of the stack.")
    @click.option("--out", metavar="DIR", required=True, type=click.Path(path_type=Path, file_okay=False))
    def write(
        stack: str | None,
        catalogs: tuple[str, ...],
        as_of: date | None,
        allow_empty: bool,
        targets: tuple[str, ...],
        pool: str | None,
        out: Path,
    ) -> None:
        chosen = targets or able[:1] if catalogs else ()
        plans = make_plans(stack, catalogs, tuple(chosen), as_of, allow_empty, None, pool)
        there = [plan.target for plan in plans]
        if lacking := sorted({*targets} - {*there}) or ([] if {*able} & {*there} else able):
            raise click.UsageError(
                f"The stack has no layer of {' or '.join(lacking)}. Name --catalog, or a stack that has one."
            )
        if not targets and (left := [each for each in there if each not in able]):
            raise click.UsageError(
                f"{' and '.join(left)} cannot be written as {name}. Allowed: {', '.join(able)}. Name by --target what of the "
                "stack is to be written, so that nobody takes it for all."
            )
        plans = [plan for plan in plans if not targets or plan.target in targets]
        if problems := [problem for plan in plans for problem in plan.problems]:
            raise InputError(problems)
        files: dict[str, str] = {}
        for plan in plans:
            made = load(row(plan.target).exports[name])(plan)
            if twice := files.keys() & made.keys():
                raise click.UsageError(f"Two layers make {' and '.join(sorted(twice))}. Give one another `name`.")
            files.update(made)
        deliver(files, out)
        for plan in plans:
            warn(plan)

    return write


def _format(name: str, target: Target) -> click.Command:
    """The command of a target whose objects are files: its options are those of the mechanism."""
    from hostgate.planning.mechanism import mechanism

    how = mechanism(target.name)

    @click.command(name, cls=Repeating, help=f"{how.title}: one file, printed or written to --out.")
    @source_options
    @click.option(
        "--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Write the file there."
    )
    def write(
        stack: str | None,
        catalogs: tuple[str, ...],
        as_of: date | None,
        allow_empty: bool,
        out: Path | None,
        **given: Any,
    ) -> None:
        from hostgate.planning.plan import draft

        if stack is not None and catalogs:
            raise click.UsageError("--stack brings its own catalogs; leave out --catalog, or --stack.")
        selection, layers, *_ = hosts_and_layers(stack, catalogs, allow_empty, None, pins=False)
        keys = {key: field.alias or key for key, field in how.options.model_fields.items()}
        options = {
            keys.get(key, key): list(value) if isinstance(value, tuple) else value
            for key, value in given.items()
            if value or value == ""  # an empty text is somebody's unset variable, and no default
        }
        pool = options.pop("pool", None)
        if pool is None and "pool" in given and not catalogs:
            pool = pool_of_stack(stack)
        if pool:
            options["addresses"] = pooled(str(pool), selection, as_of or datetime.now(UTC))
        plan = draft(selection, target.name, options, as_of=as_of or date.today())
        if plan.problems:
            raise InputError(plan.problems)
        deliver(load(target.exports[name])(plan), out)
        warn(plan)
        chosen = bool(getattr(how, "tells_clients", False)) and bool(options.get("from") or options.get("select"))
        if said := unsaid(layers, options.get("from", ()), chosen=chosen):
            click.echo(f"warning {said.line}", err=True)

    for option in reversed(list(_options_of(how.options))):
        write = option(write)
    return write


def unsaid(layers: "Sequence[tuple[str, Options | None]]", given: Sequence[str], *, chosen: bool) -> "Finding | None":
    """What a file does not say of the clients that a stack has its hosts for. `given` are ranges that stand in it, and
    `chosen` is whether it names clients at all."""
    from hostgate.flows.address_sets import networks, range_of
    from hostgate.planning.findings import finding

    shares = [(target, share) for target, options in layers if options is not None for share in options.shares]
    named = [
        (f"{target} {share.grant}".strip(), [*map(str, getattr(share, "from_", None) or ())])
        for target, share in shares
    ]
    whose = [(layer, clients) for layer, clients in named if clients]
    several = any(share.grant for _, share in shares)
    if not whose:
        return None
    told = "; ".join(f"{layer} for {', '.join(clients)}" for layer, clients in whose)
    if several or not chosen:
        lists = "lists of their own clients, which are one list here" if several else "clients of its own"
        return finding("clients-unsaid", f"The stack has its hosts for {lists}: {told}.")
    ranges = [each for _, clients in whose for each in clients if range_of(each) is not None]
    if (
        given
        and len(ranges) == sum(len(clients) for _, clients in whose)
        and _beyond(networks(given), networks(ranges))
    ):
        return finding("clients-unsaid", f"--from {', '.join(given)} has clients that the stack has not: {told}.")
    return None


def _beyond(some: "AddressSet", others: "AddressSet") -> bool:
    left = some.less(others)
    return bool(left.v4 or left.v6)


def _options_of(kind: Any) -> Iterator[Callable[[Any], Any]]:
    """Options of the command line for what `kind` has beyond the options of every mechanism."""
    from hostgate.planning.options import Options

    for key, field in kind.model_fields.items():
        if key in Options.model_fields and key != "name":
            continue
        if key == "addresses":
            help_ = "The addresses of the hosts: a pool that `hostgate pool refresh` keeps; else that of the stack."
            yield click.option("--pool", metavar="FILE", type=click.Path(), required=field.is_required(), help=help_)
            continue
        flag, values = f"--{key.strip('_').replace('_', '-')}", get_args(field.annotation)
        told = (field.description or "").split("\n\n")[0].replace("\n", " ").replace("`", "") or None
        if field.annotation is bool:
            yield click.option(flag, key, is_flag=True, help=told)
        elif get_origin(field.annotation) is list:
            yield click.option(flag, key, multiple=True, metavar="VALUE", help=f"{told} Repeat.")
        elif get_origin(field.annotation) is Literal:
            yield click.option(flag, key, type=click.Choice(values), required=field.is_required(), help=told)
        else:
            yield click.option(flag, key, metavar="VALUE", required=field.is_required(), help=told)


def pooled(pool: str, selection: "Selection", day: date) -> dict[str, list[str]]:
    """What the pool in the file `pool` has of the hosts of `selection`, by host; none of it for those that it lacks. Warns of
    addresses that nobody has confirmed for longer than they count, at `day`. Raises InputError."""
    from hostgate.catalog.model import FAMILIES
    from hostgate.dns.pool_places import load_pool

    found, hosts = load_pool(pool), {each.host for each in selection.entries}
    for told in filter(None, (found.stale(host, day) for host in sorted(hosts))):
        click.echo(f"warning pool-stale: {told} Run `hostgate pool refresh`.", err=True)
    addresses = {host: [each for family in FAMILIES for each in found.of(host, family)] for host in sorted(hosts)}
    return {host: each for host, each in addresses.items() if each}


def deliver(files: Mapping[str, str], out: Path | None) -> None:
    """Print the one file, or write all into `out` and say where. Raises InputError."""
    if out is None:
        click.echo("".join(files.values()), nl=False)
        return
    write_files(files, out)
    click.echo(f"Wrote {' and '.join(str(out / name) for name in files)}.", err=True)


def warn(plan: "Plan") -> None:
    """Say what the plan warns of and nobody has accepted."""
    for one in plan.findings:
        if one.severity == "warning" and one.accepted is None:
            click.echo(f"warning {one.line}", err=True)


@click.group(cls=_Forms)
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
    """Rules for an ordinary Suricata, IDS or IPS: those of AWS Network Firewall, and a default drop."""
    from hostgate.planning.plan import draft

    target = next(each for each in rows() if "suricata" in each.exports)
    given: dict[str, Any] = {
        "homeNet": list(home_net),
        "from": list(from_),
        "mode": "audit" if audit else "",
        "reject": reject,
        "logAllowed": log_allowed,
    }
    selection, options = _wanted(stack, catalogs, allow_empty, {key: value for key, value in given.items() if value})
    plan = draft(selection, target.name, options, as_of=as_of or date.today())
    files = load(target.exports["suricata"])(plan)
    deliver({"": files.rules} if out is None else files.by_name(), out)
    warn(plan)


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
    from hostgate.aws.rules_options import RulesOptions
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
    for (_, options), selection in zip(wanted.targets, wanted.selections, strict=True):
        if isinstance(options, NetworkFirewallOptions):
            return selection, options_for_suricata(options)
    return wanted.selection, options_for_suricata(RulesOptions())
