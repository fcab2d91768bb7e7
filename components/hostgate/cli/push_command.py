"""`hostgate pool push`: the addresses of a pool into a list of a cloud that rules refer to.

Exit codes, the first that applies: 3 more is due to be removed than one push may, and stays; 6 some host has no address yet,
so that nothing opens it; 0. Bad input, a list that cannot be changed and a cloud that cannot be asked are 1.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostgate.catalog.model import FAMILIES
from hostgate.cli.main import print_json
from hostgate.cli.pool_options import AS_JSON, HELD_BACK, POOL
from hostgate.cli.survey_command import UNMEASURED
from hostgate.cli.tables import folded

if TYPE_CHECKING:
    from hostgate.planning.address_pool import AddressPool
    from hostgate.sinks.push import PushOrder, PushReport

Callback = TypeVar("Callback", bound=Callable[..., Any])

_MOST_SHOWN = 20
"""Lines of a kind that a push shows; `--json` has all."""


@click.group()
def command() -> None:
    """Put the addresses into a list of a cloud that rules refer to."""


def _owner(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001
    from hostgate.planning.pool_form import OWNER, OWNER_ALLOWED

    return _like(OWNER, OWNER_ALLOWED, value)


def _labelled_owner(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001
    from hostgate.planning.pool_form import LABELLED_OWNER, LABELLED_OWNER_ALLOWED

    return _like(LABELLED_OWNER, LABELLED_OWNER_ALLOWED, value)


def _prefix_list(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001
    from hostgate.planning.pool_form import PREFIX_LIST, PREFIX_LIST_ALLOWED

    return _like(PREFIX_LIST, PREFIX_LIST_ALLOWED, value)


def _like(pattern: re.Pattern[str], allowed: str, value: str) -> str:
    if not pattern.match(value):
        raise click.BadParameter(f"{value!r} is none. Allowed: {allowed}.")
    return value


_LIST = {
    "family": click.option("--family", type=click.Choice(FAMILIES), help="Refuse a list of the other family."),
    "owner": click.option(
        "--owner", default="pool", show_default=True, metavar="NAME", callback=_owner,
        help="Whose entries they are: only those described as hostgate:NAME are removed.",
    ),
    "tagged_owner": click.option(
        "--owner", default="pool", show_default=True, metavar="NAME", callback=_owner,
        help="Whose the addresses of the list are: its tag hostgate-owner has to be NAME.",
    ),
    "labelled_owner": click.option(
        "--owner", default="pool", show_default=True, metavar="NAME", callback=_labelled_owner,
        help="Whose the items of the group are: its label hostgate-owner has to be NAME.",
    ),
    "most_removed": click.option(
        "--most-removed", type=click.IntRange(0, 100), default=20, show_default=True, metavar="PERCENT",
        help="Remove nothing if more than this share of the owner's entries is due at once.",
    ),
    "grow_to": click.option(
        "--grow-to", type=click.IntRange(1), metavar="N",
        help="Let a list that is too small have N entries. Each security group that refers to it needs room for N rules.",
    ),
    "keep_foreign": click.option(
        "--keep-foreign", is_flag=True, help="Entries of others in the list are meant: they stay, and are named."
    ),
    "dry_run": click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing."),
}  # fmt: skip
"""Options that pushes share, by the field of their order."""


def _takes(*names: str) -> Callable[[Callback], Callback]:
    """HOST, --pool, options of `_LIST` in the order of `names`, and --json."""

    def decorate(called: Callback) -> Callback:
        called = AS_JSON(called)
        for name in reversed(names):
            called = _LIST[name](called)
        return called

    return decorate


@command.command("aws-prefix-list")
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@POOL
@click.option(
    "--list", "list_id", required=True, metavar="ID", callback=_prefix_list, help="The managed prefix list, pl-..."
)
@click.option(
    "--region", envvar="AWS_REGION", metavar="NAME", help="Its Region (AWS_REGION, or what the SDK's profile says)."
)
@_takes("family", "owner", "most_removed", "grow_to", "keep_foreign", "dry_run")
def aws_prefix_list(hosts: tuple[str, ...], pool: str, region: str | None, as_json: bool, **asked: Any) -> None:
    """Put the addresses of the pool, or of some HOSTs of it, into a managed prefix list.

    The list decides the family. What is added goes in before anything leaves, and an empty list is never made.
    """
    from hostgate.sinks.aws_prefix_list import connect, push

    def pushed(order: "PushOrder") -> "PushReport":
        with closing(connect(region)) as client:
            return push(client, order)

    _push(pushed, hosts, pool, as_json, asked)


@command.command("gcp-address-group")
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@POOL
@click.option(
    "--list",
    "list_id",
    required=True,
    metavar="NAME",
    help="The address group, projects/P/locations/L/addressGroups/N.",
)
@click.option(
    "--endpoint", envvar="CLOUDSDK_API_ENDPOINT_OVERRIDES_NETWORKSECURITY", metavar="URL",
    help="Where the API is reached, e.g. an endpoint of Private Service Connect "
    "(CLOUDSDK_API_ENDPOINT_OVERRIDES_NETWORKSECURITY, or the public one).",
)  # fmt: skip
@_takes("family", "labelled_owner", "most_removed", "dry_run")
def gcp_address_group(hosts: tuple[str, ...], pool: str, endpoint: str | None, as_json: bool, **asked: Any) -> None:
    """Put the addresses of the pool, or of some HOSTs of it, into an address group of Google Cloud.

    The group decides the family. Its label hostgate-owner says whose all of its items are. What is added goes in before
    anything leaves, and an empty group is never made.
    """
    from hostgate.sinks.gcp_address_group import connect, push

    def pushed(order: "PushOrder") -> "PushReport":
        with connect(order.list_id, endpoint) as client:
            return push(client, order)

    _push(pushed, hosts, pool, as_json, asked)


@command.command("azure-ip-group")
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@POOL
@click.option("--list", "list_id", required=True, metavar="ID", help="The IP group: /subscriptions/.../ipGroups/NAME")
@click.option(
    "--endpoint",
    envvar="ARM_ENDPOINT",
    default="https://management.azure.com",
    show_default=True,
    metavar="URL",
    help="The Resource Manager of its cloud (ARM_ENDPOINT).",
)
@_takes("tagged_owner", "most_removed", "keep_foreign", "dry_run")
def azure_ip_group(hosts: tuple[str, ...], pool: str, endpoint: str, as_json: bool, **asked: Any) -> None:
    """Put the addresses of the pool, or of some HOSTs of it, into an IP group.

    A group is IPv4. What is added goes in before anything leaves, and an empty group is never made.
    """
    from hostgate.sinks.azure_ip_group import connected, push

    def pushed(order: "PushOrder") -> "PushReport":
        with connected(order.list_id, endpoint) as client:
            return push(client, order)

    _push(pushed, hosts, pool, as_json, asked)


def _push(
    pushed: "Callable[[PushOrder], PushReport]", hosts: Sequence[str], pool: str, as_json: bool, asked: dict[str, Any]
) -> None:
    """Push and tell. `asked`: fields of the order, as the options of `_LIST` and of the list give them."""
    from hostgate.dns.pool_places import load_pool
    from hostgate.planning.address_pool import named_hosts
    from hostgate.sinks.push import PushOrder

    read: list[AddressPool] = []

    def load() -> "AddressPool":
        found = load_pool(pool)
        kept = {name: found.hosts[name] for name in named_hosts(found, hosts)}
        read[:] = [replace(found, hosts=kept)]
        return read[0]

    load()  # before a cloud is asked: of a pool that cannot be read, nobody else need know
    order = PushOrder(load=load, **{**asked, "most_removed": asked["most_removed"] / 100})
    try:
        report = pushed(order)
    except KeyboardInterrupt as ended:
        for note in getattr(ended, "__notes__", ()):
            click.echo(folded(note, err=True), err=True)
        raise
    stale = list(_stale(read[0], datetime.fromtimestamp(time.time(), UTC)))
    try:
        if as_json:
            print_json(_as_json(report, order, stale))
        else:
            _show(report, order, stale)
    except (OSError, KeyboardInterrupt):
        with suppress(OSError):  # nobody may be left to read it
            click.echo(_in_a_line(report, order), err=True)
        raise
    if report.held or report.wanted.unplaced:
        raise click.exceptions.Exit(HELD_BACK if report.held else UNMEASURED)


def _stale(pool: "AddressPool", now: datetime) -> Iterator[str]:
    return (told for each in pool.hosts if (told := pool.stale(each, now)))


def _show(report: "PushReport", order: "PushOrder", stale: Iterable[str]) -> None:
    for lines, err in ((list(_changes(report)), False), (list(_doubts(report, order, stale)), True)):
        for line in lines[:_MOST_SHOWN]:
            click.echo(folded(line, err=err), err=err)
        if len(lines) > _MOST_SHOWN:
            click.echo(f"... and {len(lines) - _MOST_SHOWN:,} more; --json has all.", err=err)
    click.echo(_in_a_line(report, order))
    wanted = report.wanted
    if wanted.other_family:
        some = ", ".join(wanted.other_family[:3])
        more = ", ..." if len(wanted.other_family) > 3 else ""
        click.echo(f"Not in it, because they have no {report.at.family} address: {some}{more}.")
    if order.dry_run:
        click.echo("Nothing was changed (--dry-run).")


def _in_a_line(report: "PushReport", order: "PushOrder") -> str:
    at, wanted = report.at, report.wanted
    hosts = len({host for each in wanted.hosts_of.values() for host in each})
    would = "to be " if order.dry_run else ""
    return (
        f"{at.list_id} ({at.name}), version {at.version}: {len(wanted.hosts_of):,} {at.family} addresses of {hosts:,} hosts; "
        f"{len(report.added):,} {would}added, {len(report.removed):,} {would}removed."
    )


def _changes(report: "PushReport") -> Iterator[str]:
    if report.grown:
        yield "size {:,} -> {:,}: so many rules each security group that refers to it counts".format(*report.grown)
    yield from (f"+ {each}  {', '.join(report.wanted.hosts_of.get(each, ()))}".rstrip() for each in report.added)
    yield from (f"- {each}" for each in report.removed)


def _doubts(report: "PushReport", order: "PushOrder", stale: Iterable[str]) -> Iterator[str]:
    if report.held:
        some = ", ".join(report.held[:3])
        more = f" and {len(report.held) - 3:,} more" if len(report.held) > 3 else ""
        yield (
            f"Nothing is removed: {len(report.held):,} entries are due at once ({some}{more}), more than --most-removed "
            "allows. If the pool is right, push once with a higher share."
        )
    yield from (f"{host}: no address yet, so nothing opens it." for host in report.wanted.unplaced)
    yield from stale
    if report.foreign:
        some = ", ".join(f"{each.cidr} ({each.description})" for each in report.foreign[:3])
        more = f" and {len(report.foreign) - 3:,} more" if len(report.foreign) > 3 else ""
        yield f"Kept, and not of hostgate:{order.owner}: {some}{more}. They open what the pool does not say."


def _as_json(report: "PushReport", order: "PushOrder", stale: list[str]) -> dict[str, Any]:
    return {
        "list": report.at.list_id,
        "name": report.at.name,
        "family": report.at.family,
        "version": report.at.version,
        "size": report.at.size,
        "owner": order.owner,
        "dry_run": order.dry_run,
        "addresses": len(report.wanted.hosts_of),
        "added": [{"cidr": each, "hosts": list(report.wanted.hosts_of.get(each, ()))} for each in report.added],
        "removed": list(report.removed),
        "held": list(report.held),
        "foreign": [{"cidr": each.cidr, "description": each.description} for each in report.foreign],
        "grown": None if report.grown is None else {"from": report.grown[0], "to": report.grown[1]},
        "without_address": list(report.wanted.unplaced),
        "of_other_family": list(report.wanted.other_family),
        "stale": stale,
    }
