"""`hostgate pool`: the addresses behind the hosts, kept in step with DNS for what filters by address.

Exit codes of `refresh`, the first that applies: 3 more is due to be removed than one run may, and stays; 6 of some host no
usable answer came, and its addresses stay as they were; 0. Bad input is 1 and wrong usage 2, as everywhere.
"""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.main import show_problems
from hostgate.cli.pool_options import AS_JSON, HELD_BACK, POOL
from hostgate.cli.pool_text import changes, doubts, report_as_json, show_pool, show_report
from hostgate.cli.push_command import command as push
from hostgate.cli.sources import Repeating
from hostgate.cli.survey_command import UNMEASURED, as_duration, as_resolvers, hosts_to_ask
from hostgate.sandbox.signals import Ended

if TYPE_CHECKING:
    from hostgate.dns.pool_places import PoolPlace
    from hostgate.dns.refreshing import RefreshOrder, RefreshReport
    from hostgate.dns.resolvers import Resolver
    from hostgate.planning.address_pool import AddressPool, Network

_MOST_REMEMBERED = 10_000
"""Lines that a watcher does not say again: a zone can make up addresses without end."""


@click.group()
def command() -> None:
    """The addresses behind the hosts, kept in step with DNS, for what filters by address."""


def _accepted(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    pairs = [each.partition("=") for each in values]
    for host, _, reason in pairs:
        if not (host and reason.strip()):
            raise click.BadParameter(f"{host!r} has no reason. Allowed: HOST=reason.")
    return {host.lower(): reason.strip() for host, _, reason in pairs}


def _networks(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> "tuple[Network, ...]":  # noqa: ARG001
    from hostgate.planning.pool_form import private_network

    try:
        return tuple(dict.fromkeys(map(private_network, values)))
    except ValueError as error:
        raise click.BadParameter(str(error.args[-1])) from None


def _vantage(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    from hostgate.planning.pool_form import VANTAGE, VANTAGE_ALLOWED

    if value is not None and not VANTAGE.match(value):
        raise click.BadParameter(f"{value!r} is none. Allowed: {VANTAGE_ALLOWED}.")
    return value


def _window(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    from hostgate.planning.pool_form import LONGEST_WINDOW, SHORTEST_WINDOW

    found = as_duration(ctx, param, value)
    if found is not None and not SHORTEST_WINDOW <= found <= LONGEST_WINDOW:
        raise click.BadParameter(f"{value!r} is no window. Allowed: 1h to {LONGEST_WINDOW // 86_400}d.")
    return None if found is None else int(found)


command.add_command(push, "push")


@command.command(cls=Repeating)
@click.argument("refs", nargs=-1, metavar="[REF]...")
@POOL
@click.option("--stack", metavar="NAME", help="The hosts of Pulumi.NAME.yaml (dev, unless hosts are named).")
@click.option(
    "--hosts", "hosts_file", type=click.Path(path_type=Path), metavar="FILE", help="The names in FILE, one per line."
)
@click.option(
    "--resolver", "resolvers", multiple=True, metavar="IP[:PORT]", callback=as_resolvers,
    help="Ask here. Repeat; the system's resolvers if absent.",
)  # fmt: skip
@click.option("--vantage", metavar="NAME", callback=_vantage, help="What to call this place (this machine's name).")
@click.option(
    "--survey", type=click.Path(path_type=Path), metavar="FILE", help="Take windows from a survey (--out or --json)."
)
@click.option(
    "--accept", "accepted", multiple=True, metavar="HOST=REASON", callback=_accepted,
    help="A host that the survey calls unfit is meant. Repeat.",
)  # fmt: skip
@click.option("--window", metavar="TIME", callback=_window, help="Keep addresses for so long, whatever a survey says.")
@click.option("--floor", metavar="TIME", callback=as_duration, help="Ask no question more often than this (30s).")
@click.option(
    "--private", multiple=True, metavar="CIDR", callback=_networks, help="Take addresses of this private network too. Repeat.",
)  # fmt: skip
@click.option(
    "--most-removed", type=click.IntRange(0, 100), default=20, show_default=True, metavar="PERCENT",
    help="Remove nothing if more than this share of the addresses is due at once.",
)  # fmt: skip
@click.option("--rate", type=click.IntRange(1, 100_000), default=500, show_default=True, metavar="N",
              help="Packets a second to each resolver, at most.")  # fmt: skip
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C or SIGTERM.")
@AS_JSON
def refresh(
    refs: tuple[str, ...],
    pool: str,
    stack: str | None,
    hosts_file: Path | None,
    resolvers: "tuple[Resolver, ...]",
    vantage: str | None,
    survey: Path | None,
    accepted: dict[str, str],
    window: int | None,
    floor: float | None,
    private: "tuple[Network, ...]",
    most_removed: int,
    rate: int,
    watch: bool,
    as_json: bool,
) -> None:
    """Ask DNS for the hosts and put what it says into the pool.

    REF is vendor/product@revision or a catalog file. With neither REF nor --hosts, the stack's hosts are asked for.
    Run it where the clients run and ask the resolver that they ask: elsewhere the answers are others.
    """
    from hostgate.cli.asking import this_machine
    from hostgate.dns.pool_places import is_shared, place_of, read_place
    from hostgate.dns.pool_windows import windows_of
    from hostgate.dns.refreshing import FLOOR, RefreshOrder
    from hostgate.dns.resolvers import system_resolvers

    if stack and (refs or hosts_file):
        raise click.UsageError("--stack brings its own hosts; leave out REF and --hosts, or --stack.")
    if accepted and survey is None:
        raise click.UsageError("--accept answers a survey; name it with --survey.")
    if vantage is None and is_shared(pool):
        raise click.UsageError(
            "Others may refresh this pool too: name this place with --vantage NAME, the same at every start. "
            "An address stays until each place that saw it has missed it."
        )
    place = place_of(pool)
    hosts = hosts_to_ask(refs, stack, hosts_file, "Not in the pool").hosts
    windows, remarks = windows_of(hosts, survey, accepted, floor or FLOOR, "--accept")
    for line in remarks:
        click.echo(line, err=True)
    order = RefreshOrder(
        vantage=vantage or re.sub(r"[^A-Za-z0-9._-]", "-", this_machine())[:63].lstrip("._-") or "here",
        hosts=windows,
        windows={} if window is None else dict.fromkeys(hosts, window),
        resolvers=resolvers or system_resolvers(),
        private=private,
        most_removed=most_removed / 100,
        floor=floor or FLOOR,
        rate=rate,
    )
    with place:
        read_place(place)  # before anybody is asked: a pool that cannot be read back is not written
        if watch:
            asyncio.run(_watch(order, place, as_json=as_json))
            return
        report, told = asyncio.run(_once(order, place))
    show_report(report, as_json=as_json)
    if told is not None:
        raise Ended(told)
    if report.update.held or report.unanswered:
        raise click.exceptions.Exit(HELD_BACK if report.update.held else UNMEASURED)


async def _once(order: "RefreshOrder", place: "PoolPlace") -> "tuple[RefreshReport, int | None]":
    from hostgate.cli.asking import stop_on_signals
    from hostgate.dns.ask import Asker
    from hostgate.dns.refreshing import Refresher

    with stop_on_signals() as stop:
        report = await Refresher(order, place, Asker(order.rate, vantage=order.vantage), wall=time.time).once(stop)
        return report, stop.told


async def _watch(order: "RefreshOrder", place: "PoolPlace", *, as_json: bool) -> None:
    from hostgate.cli.asking import stop_on_signals
    from hostgate.dns.ask import Asker
    from hostgate.dns.refreshing import Refresher

    told: set[str] = set()

    def tell(report: "RefreshReport") -> None:
        if report.restored:
            click.echo(
                f"{_now()} {place.shown} was gone: made again from what it last held and what was seen since.", err=True
            )
        if as_json:
            document = report_as_json(report)
            if any(document[key] for key in ("added", "removed", "held", "unanswered", "refused")):
                click.echo(json.dumps({"at": _now(), **document}))
            return
        for line in changes(report):
            click.echo(f"{_now()} {line}")
        found = set(doubts(report))
        for line in sorted(found - told):
            click.echo(f"{_now()} {line}", err=True)
        if len(told) > _MOST_REMEMBERED:
            told.clear()
        told.update(found)

    def fail(error: InputError) -> None:
        show_problems(error.problems, as_json=False)
        click.echo("Not written; what was seen is kept, and written as soon as it can be.", err=True)

    with stop_on_signals() as stop:
        await Refresher(order, place, Asker(order.rate, vantage=order.vantage), wall=time.time).watch(stop, tell, fail)


@command.command()
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@POOL
@click.option(
    "--max-age",
    metavar="TIME",
    callback=as_duration,
    help="End with code 6 if a host was not seen for longer than this.",
)
@click.option("--vantage", metavar="NAME", callback=_vantage, help="For --max-age: what this place saw.")
@AS_JSON
def show(hosts: tuple[str, ...], pool: str, max_age: float | None, vantage: str | None, as_json: bool) -> None:
    """Each address of the pool: why it is in, until when, and who saw it."""
    from hostgate.dns.pool_places import load_pool
    from hostgate.dns.pool_update import late_hosts
    from hostgate.planning.address_pool import named_hosts

    if vantage is not None and max_age is None:
        raise click.UsageError("--vantage says whose sightings --max-age is about; give both.")
    found, now = load_pool(pool), int(time.time())
    named = named_hosts(found, hosts)
    late = {} if max_age is None else late_hosts(found, named, int(max_age), now, vantage)
    if max_age is not None and not named:
        raise InputError([Problem(rule="pool-host", file=pool, message="It has no host, so nothing of it is fresh.")])
    show_pool(found, named, now, late=None if max_age is None else late, as_json=as_json)
    if late:
        raise click.exceptions.Exit(UNMEASURED)


@command.command()
@click.argument("host", required=False)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@POOL
@click.option("--vantage", metavar="NAME", callback=_vantage, help="What a place said that no longer refreshes.")
def forget(host: str | None, addresses: tuple[str, ...], pool: str, vantage: str | None) -> None:
    """Take a HOST out of the pool, some ADDRESSes of it, or what a place saw that is no more.

    What DNS still says comes back with the next refresh.
    """
    from hostgate.dns.pool_places import change, load_pool, place_of
    from hostgate.dns.pool_update import PoolUpdate, forgotten
    from hostgate.planning.address_pool import named_hosts

    if (host is None) == (vantage is None):
        raise click.UsageError("Name a HOST, or a place with --vantage, and not both.")

    def without(found: "AddressPool") -> PoolUpdate:
        if host is not None:
            named_hosts(found, (host,))
            known = {each.address for each in found.hosts[host].addresses}
            strange = [each for each in addresses if each not in known]
            if strange:
                raise InputError(
                    Problem(rule="pool-host", file=pool, message=f"{host} has no address {each} there.")
                    for each in strange
                )
        return PoolUpdate(forgotten(found, host, addresses, vantage))

    before = load_pool(pool)
    with place_of(pool) as place:
        after = change(place, without).pool
    if vantage is not None and before.hosts == after.hosts:
        raise InputError([Problem(rule="pool-vantage", file=pool, message=f"Nothing in it is of {vantage}.")])
    gone = {(name, each.address) for name, one in before.hosts.items() for each in one.addresses}
    gone -= {(name, each.address) for name, one in after.hosts.items() for each in one.addresses}
    for name, address in sorted(gone):
        click.echo(f"- {address}  {name}")
    click.echo(f"{pool}: {len(after.hosts):,} hosts; {len(gone):,} addresses forgotten.")


def _now() -> str:
    from hostgate.planning.pool_form import told_time

    return told_time(int(time.time()))
