"""What `hostgate pool` says: what a refresh did, and why each address is in the pool."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hostgate.cli.main import print_json
from hostgate.cli.tables import folded, table

if TYPE_CHECKING:
    from hostgate.dns.refreshing import RefreshReport
    from hostgate.planning.address_pool import AddressPool, PoolAddress, PoolHost

_MOST_SHOWN = 20
"""Lines of each kind that a run shows; `--json` has all."""


def show_report(report: "RefreshReport", *, as_json: bool) -> None:
    if as_json:
        print_json(report_as_json(report))
        return
    for lines, err in ((list(changes(report)), False), (list(doubts(report)), True)):
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
    if report.others:
        click.echo(
            f"Not asked for by this run: {len(report.others):,} hosts of it, {', '.join(report.others[:3])}{_more(report.others)}."
        )


def _more(names: Sequence[str]) -> str:
    return ", ..." if len(names) > 3 else ""


def changes(report: "RefreshReport") -> Iterator[str]:
    yield from (f"+ {address}  {host}" for host, address in report.update.added)
    yield from (f"- {address}  {host}" for host, address in report.update.removed)


def doubts(report: "RefreshReport") -> Iterator[str]:
    if held := report.update.held:
        some = ", ".join(f"{address} of {host}" for host, address in held[:3])
        more = f" and {len(held) - 3:,} more" if len(held) > 3 else ""
        yield (
            f"Nothing is removed: {len(held):,} addresses are due at once ({some}{more}), more than --most-removed allows. "
            "Look whether the hosts moved or the resolver is wrong; if they moved, run once with a higher share."
        )
    for name, (_, detail) in report.unusable.items():
        yield f"The resolver {name} is left out: {detail}."
    yield from (f"{host}: {why}." for host, why in report.unanswered.items())
    for (host, address), why in sorted(report.refused.items()):
        yield f"{host}: {address} is not taken: {why}."


def report_as_json(report: "RefreshReport") -> dict[str, Any]:
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
        "not_asked": list(report.others),
        "resolvers_left_out": [{"resolver": name, "why": why} for name, (_, why) in report.unusable.items()],
    }


def show_pool(
    pool: "AddressPool", hosts: Iterable[str], now: int, *, late: Mapping[str, str] | None = None, as_json: bool
) -> None:
    """Each address of `hosts`: who saw it when, until when it stays, and which hosts of the pool share it; and what is
    wrong with those that are `late`, if somebody asked."""
    users = _users(pool)
    explained = [_explained(pool.hosts[host], users, now) for host in hosts]
    if as_json:
        asked = {} if late is None else {"late": [{"host": host, "why": why} for host, why in late.items()]}
        print_json({"pool": pool.shown, "private": list(map(str, pool.private)), **asked, "hosts": explained})
        return
    rows = [
        (
            host["host"],
            each["address"],
            ",\n".join(f"{vantage} {at}" for vantage, at in each["seen"].items()),
            each["first"],
            f"{each['stays']}{_shared(each['shared_with'])}",
        )
        for host in explained
        for each in host["addresses"]
    ]
    if rows:
        click.echo(table(("host", "address", "last seen", "first seen", "stays"), rows))
    for host in explained:
        if not host["addresses"]:
            click.echo(f"{host['host']}: asked for, and no answer has brought an address yet.")
    if not explained:
        click.echo(f"{pool.shown}: no host.")
    for name, why in (late or {}).items():
        click.echo(folded(f"{name}: {why}.", err=True), err=True)


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
        return f"until {' and '.join(found.waits_for)} got answers for its window again"
    return f"until {told_time(found.until)} at the least, unless seen again"


def _shared(others: list[str]) -> str:
    return "" if not others else f"; shared with {', '.join(others[:3])}{_more(others)}"
