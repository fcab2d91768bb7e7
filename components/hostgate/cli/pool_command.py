"""`hostgate pool`: the addresses behind the hosts, kept in step with DNS for what filters by address.

Exit codes of `refresh`, the first that applies: 3 more is due to be removed than one run may, and stays; 6 of some host no
usable answer came, and its addresses stay as they were; 0. Bad input is 1 and wrong usage 2, as everywhere.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.cli.main import print_json, show_problems
from hostgate.cli.sources import Repeating
from hostgate.cli.survey_command import UNMEASURED, as_duration, as_resolvers, hosts_to_ask
from hostgate.cli.tables import folded, table

if TYPE_CHECKING:
    from hostgate.dns.pool_places import PoolPlace
    from hostgate.dns.refreshing import RefreshOrder, RefreshReport
    from hostgate.dns.resolvers import Resolver
    from hostgate.planning.address_pool import AddressPool, Network, PoolAddress, PoolHost

HELD_BACK = 3
_MOST_SHOWN = 20
"""Lines of each kind that a run shows; `--json` has all."""


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


_POOL = click.option("--pool", "pool", required=True, metavar="FILE|URL", help="A file, or s3://, gs:// or az:// URL.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@command.command(cls=Repeating)
@click.argument("refs", nargs=-1, metavar="[REF]...")
@_POOL
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
@_JSON
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
    from hostgate.dns.pool_places import is_shared, place_of
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
    windows = _windows(hosts, survey, accepted, floor or FLOOR)
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
        if watch:
            asyncio.run(_watch(order, place, as_json=as_json))
            return
        report, stopped = asyncio.run(_once(order, place))
    _show_report(report, as_json=as_json)
    if stopped:
        raise click.Abort
    if report.update.held or report.unanswered:
        raise click.exceptions.Exit(HELD_BACK if report.update.held else UNMEASURED)


def _windows(hosts: Iterable[str], survey: Path | None, accepted: Mapping[str, str], floor: float) -> dict[str, int]:
    """The window of each host. Raises InputError for those that the survey calls unfit and nobody accepts."""
    from hostgate.dns.pool_update import DEFAULT_WINDOW

    if survey is None:
        return dict.fromkeys(hosts, DEFAULT_WINDOW)
    from hostgate.dns.pool_windows import fitness_of

    known = fitness_of(survey, floor)
    found: dict[str, int] = {}
    problems = []
    unfit = set()
    for host in hosts:
        says = known.get(host)
        found[host] = DEFAULT_WINDOW if says is None else says.window
        if says is None:
            click.echo(f"{host}: not in the survey; its window is {DEFAULT_WINDOW:,} s.", err=True)
        elif says.verdict == "unfit":
            unfit.add(host)
            if host not in accepted:
                message = (
                    f"A pool cannot keep up with {host}: {says.reason}. Use what reads the name (SNI, a proxy), or accept it: "
                    f"--accept '{host}=reason'."
                )
                problems.append(Problem(rule="pool-unfit", message=message))
        elif says.verdict != "ok":
            click.echo(f"{host}: {says.verdict}: {says.reason}.", err=True)
    for host in accepted.keys() - unfit:
        message = f"--accept: the survey does not call {host} unfit.{did_you_mean(host, unfit)} Remove it."
        problems.append(Problem(rule="unused-acceptance", message=message))
    if problems:
        raise InputError(problems)
    return found


async def _once(order: "RefreshOrder", place: "PoolPlace") -> "tuple[RefreshReport, bool]":
    from hostgate.cli.asking import stop_on_signals
    from hostgate.dns.ask import Asker
    from hostgate.dns.refreshing import Refresher

    with stop_on_signals() as stop:
        report = await Refresher(order, place, Asker(order.rate, vantage=order.vantage)).once(stop)
        return report, stop.is_set()


async def _watch(order: "RefreshOrder", place: "PoolPlace", *, as_json: bool) -> None:
    from hostgate.cli.asking import stop_on_signals
    from hostgate.dns.ask import Asker
    from hostgate.dns.refreshing import Refresher

    told: set[str] = set()

    def tell(report: "RefreshReport") -> None:
        if as_json:
            document = _as_json(report)
            if any(document[key] for key in ("added", "removed", "held", "unanswered", "refused")):
                click.echo(json.dumps({"at": _now(), **document}))
            return
        for line in _changes(report):
            click.echo(f"{_now()} {line}")
        doubts = set(_doubts(report))
        for line in sorted(doubts - told):
            click.echo(f"{_now()} {line}", err=True)
        told.update(doubts)

    def fail(error: InputError) -> None:
        show_problems(error.problems, as_json=False)
        click.echo("Not written; what was seen is kept, and written as soon as it can be.", err=True)

    with stop_on_signals() as stop:
        await Refresher(order, place, Asker(order.rate, vantage=order.vantage)).watch(stop, tell, fail)


def _show_report(report: "RefreshReport", *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(report))
        return
    for lines, err in ((list(_changes(report)), False), (list(_doubts(report)), True)):
        for line in lines[:_MOST_SHOWN]:
            click.echo(folded(line, err=err), err=err)
        if len(lines) > _MOST_SHOWN:
            click.echo(f"... and {len(lines) - _MOST_SHOWN:,} more; --json has all.", err=err)
    pool = report.update.pool
    count = sum(len(each.addresses) for each in pool.hosts.values())
    click.echo(
        f"{pool.shown}: {len(pool.hosts):,} hosts, {count:,} addresses; {len(report.update.added):,} added, "
        f"{len(report.update.removed):,} removed."
    )


def _changes(report: "RefreshReport") -> Iterator[str]:
    yield from (f"+ {address}  {host}" for host, address in report.update.added)
    yield from (f"- {address}  {host}" for host, address in report.update.removed)


def _doubts(report: "RefreshReport") -> Iterator[str]:
    if held := report.update.held:
        some = ", ".join(f"{address} of {host}" for host, address in held[:3])
        more = f" and {len(held) - 3:,} more" if len(held) > 3 else ""
        yield (
            f"Nothing is removed: {len(held):,} addresses are due at once ({some}{more}), more than --most-removed allows. "
            "Look whether the hosts moved or the resolver is wrong; if they moved, run once with a higher share."
        )
    for name, (_, detail) in report.unusable.items():
        yield f"The resolver {name} is left out: {detail}."
    for host, why in report.unanswered.items():
        kept = report.update.pool.hosts.get(host)
        stays = f"its {len(kept.addresses)} addresses stay" if kept and kept.addresses else "it has no address"
        yield f"{host}: {stays}: {why}."
    for (host, address), why in sorted(report.refused.items()):
        yield f"{host}: {address} is not taken: {why}."


def _as_json(report: "RefreshReport") -> dict[str, Any]:
    def pairs(found: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        return [{"host": host, "address": address} for host, address in found]

    update = report.update
    return {
        "pool": update.pool.shown,
        "hosts": len(update.pool.hosts),
        "addresses": sum(len(each.addresses) for each in update.pool.hosts.values()),
        "added": pairs(update.added),
        "removed": pairs(update.removed),
        "held": pairs(update.held),
        "refused": [
            {"host": host, "address": address, "why": why} for (host, address), why in sorted(report.refused.items())
        ],
        "unanswered": [{"host": host, "why": why} for host, why in report.unanswered.items()],
        "resolvers_left_out": [{"resolver": name, "why": why} for name, (_, why) in report.unusable.items()],
    }


@command.command()
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@_POOL
@_JSON
def show(hosts: tuple[str, ...], pool: str, as_json: bool) -> None:
    """Each address of the pool: why it is in, until when, and who saw it."""
    from hostgate.dns.pool_places import load_pool

    found = load_pool(pool)
    users, now = _users(found), int(time.time())
    explained = [_explained(found.hosts[host], users, now) for host in _named(found, hosts)]
    if as_json:
        print_json({"pool": pool, "private": list(map(str, found.private)), "hosts": explained})
        return
    rows = [
        (host["host"], each["address"], ",\n".join(f"{v} {at}" for v, at in each["seen"].items()), each["first"],
         f"{each['stays']}{_shared(each['shared_with'])}")
        for host in explained for each in host["addresses"]
    ]  # fmt: skip
    if rows:
        click.echo(table(("host", "address", "last seen", "first seen", "stays"), rows))
    for host in explained:
        if not host["addresses"]:
            click.echo(f"{host['host']}: asked for, and no answer has brought an address yet.")
    if not explained:
        click.echo(f"{pool}: no host.")


def _explained(host: "PoolHost", users: Mapping[str, list[str]], now: int) -> dict[str, Any]:
    from hostgate.planning.pool_form import told_time

    return {
        "host": host.host,
        "window_s": host.window,
        "addresses": [
            {
                "address": each.address,
                "first": told_time(each.first),
                "seen": {vantage: told_time(at) for vantage, at in each.seen},
                "stays": _stays(host, each, now),
                "shared_with": [other for other in users.get(each.address, ()) if other != host.host],
            }
            for each in host.addresses
        ],
    }


def _users(pool: "AddressPool") -> dict[str, list[str]]:
    """By address, the hosts that it is shared by; others are left out."""
    users: dict[str, list[str]] = {}
    for host in pool.hosts.values():
        for each in host.addresses:
            users.setdefault(each.address, []).append(host.host)
    return {address: names for address, names in users.items() if len(names) > 1}


def _stays(host: "PoolHost", each: "PoolAddress", now: int) -> str:
    from hostgate.dns.pool_update import stay
    from hostgate.planning.pool_form import told_time

    found = stay(host, each, now)
    if found.waits_for:
        return f"until {', '.join(found.waits_for)} gets answers again, for its window"
    return f"until {told_time(found.until)}, unless seen again"


def _shared(others: list[str]) -> str:
    return "" if not others else f"; shared with {', '.join(others[:3])}{', ...' if len(others) > 3 else ''}"


def _named(pool: "AddressPool", hosts: tuple[str, ...]) -> list[str]:
    strange = [each for each in hosts if each not in pool.hosts]
    if strange:
        raise InputError(
            Problem(rule="pool-host", file=pool.shown, message=f"It has no {each}.{did_you_mean(each, pool.hosts)}")
            for each in strange
        )
    return list(dict.fromkeys(hosts) or pool.hosts)


@command.command()
@click.argument("host", required=False)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@_POOL
@click.option("--vantage", metavar="NAME", callback=_vantage, help="What a place said that no longer refreshes.")
def forget(host: str | None, addresses: tuple[str, ...], pool: str, vantage: str | None) -> None:
    """Take a HOST out of the pool, some ADDRESSes of it, or what a place saw that is no more.

    What DNS still says comes back with the next refresh.
    """
    from hostgate.dns.pool_places import change, load_pool, place_of
    from hostgate.dns.pool_update import PoolUpdate, forgotten

    if (host is None) == (vantage is None):
        raise click.UsageError("Name a HOST, or a place with --vantage.")

    def without(found: "AddressPool") -> PoolUpdate:
        if host is not None:
            _named(found, (host,))
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
