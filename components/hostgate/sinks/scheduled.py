"""A refresher on a schedule: AWS Lambda calls `handler`, which refreshes the pool once and brings its lists to it.

Each run prints one line of JSON and counts itself by it: CloudWatch takes `PoolRefreshed` out of the line (embedded metric
format), 1 where everything came about, so the function needs no permission for a metric and an alarm sees the runs that
failed and those that never were. A run that is not whole raises, after all of it was tried: one list that cannot be
changed keeps neither the pool nor the other lists from being refreshed.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from hostgate.catalog.problems import InputError
from hostgate.dns.ask import Asker
from hostgate.dns.pool_places import load_pool, place_of, read_place
from hostgate.dns.refresh_job import DIMENSION, METRIC, NAMESPACE, PushJob, RefreshJob, read_job
from hostgate.dns.refreshing import Refresher, RefreshReport
from hostgate.planning.address_pool import AddressPool, named_hosts
from hostgate.sinks.aws_prefix_list import connect, push
from hostgate.sinks.push import PushOrder

_MOST_SHOWN = 20
"""Items of a kind in the line: an event of CloudWatch Logs holds 256 KB (PutLogEvents, read 2026-11-28)."""

_LEFT_FOR_WRITING = 20.0
"""Seconds before the function's time is up, at which no further question is asked: what was seen is written then."""


class RefreshFailed(Exception):  # noqa: N818 -- what the service shows as the error's type
    """A run that is not whole. The line that it printed says what came about all the same."""


class LambdaContext(Protocol):
    """What the service tells of an invocation, as far as it is used."""

    function_name: str

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Do the job that `event` holds. Returns what was printed. Raises RefreshFailed, after the rest was done."""
    done: dict[str, Any] = {}
    failures: list[str] = []
    try:
        job = read_job(event)
        done |= {"pool": job.pool, "vantage": job.vantage}
        _attempt(failures, done, "refresh", partial(_refreshed, job, context))
        for each in job.prefix_lists:
            whose = each.list_id if each.owner == "pool" else f"{each.list_id} of {each.owner}"
            _attempt(failures, done.setdefault("lists", {}), whose, partial(_pushed, job, each))
    except InputError as error:
        failures += map(str, error.problems)
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": [{"Name": METRIC, "Unit": "Count"}]}
            ],
        },
        DIMENSION: context.function_name,
        METRIC: 0 if failures else 1,
        **done,
        **({"failures": _some(failures)} if failures else {}),
    }
    print(json.dumps(line), flush=True)  # noqa: T201 -- this is how a function logs
    if failures:
        raise RefreshFailed(failures[0] if len(failures) == 1 else f"{failures[0]} And {len(failures) - 1} more.")
    return line


def _attempt(
    failures: list[str], into: dict[str, Any], name: str, step: Callable[[], tuple[dict[str, Any], list[str]]]
) -> None:
    """Do `step`, whose record goes under `name`. What keeps it from being whole, or stopped it, is a failure."""
    try:
        into[name], wrong = step()
    except InputError as error:
        into[name], wrong = None, list(map(str, error.problems))
    failures += (f"{name}: {each}" for each in wrong)


def _refreshed(job: RefreshJob, context: LambdaContext) -> tuple[dict[str, Any], list[str]]:
    """What came of the refresh, and what keeps it from being whole."""
    order = job.order
    with place_of(job.pool, job.bucket_region) as place:
        read_place(place)  # before anybody is asked: a pool that cannot be read back is not written
        refresher = Refresher(order, place, Asker(order.rate, vantage=order.vantage), wall=time.time)
        seconds = context.get_remaining_time_in_millis() / 1000 - _LEFT_FOR_WRITING
        report, stopped = asyncio.run(_once(refresher, seconds))
    return _told(report), list(_lacking(report, stopped=stopped))


async def _once(refresher: Refresher, seconds: float) -> tuple[RefreshReport, bool]:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(max(0.0, seconds), stop.set)
    return await refresher.once(stop), stop.is_set()


def _told(report: RefreshReport) -> dict[str, Any]:
    update = report.update
    return {
        "hosts": len(update.pool.hosts),
        "addresses": sum(len(each.addresses) for each in update.pool.hosts.values()),
        "added": len(update.added),
        "removed": len(update.removed),
        "changes": _some([*(f"+ {a} {h}" for h, a in update.added), *(f"- {a} {h}" for h, a in update.removed)]),
        "refused": _some(f"{address} of {host}: {why}" for (host, address), why in sorted(report.refused.items())),
        "resolvers_left_out": {name: why for name, (_, why) in report.unusable.items()},
        "not_asked": len(report.others),
    }


def _lacking(report: RefreshReport, *, stopped: bool) -> Iterator[str]:
    """What exit codes other than 0 say of `hostgate pool refresh`."""
    if stopped:
        yield "The time was up before every host was answered. What was seen is in the pool."
    if held := report.update.held:
        yield f"Nothing is removed: {len(held):,} addresses are due at once, more than mostRemoved allows."
    yield from (f"{host}: {why}." for host, why in report.unanswered.items())


def _pushed(job: RefreshJob, wanted: PushJob) -> tuple[dict[str, Any], list[str]]:
    """What became of a list, and what keeps it from holding all that the pool says."""
    read: list[AddressPool] = []

    def load() -> AddressPool:
        found = load_pool(job.pool, job.bucket_region)
        named = named_hosts(found, wanted.hosts or job.hosts)  # never what others put into the pool
        read[:] = [replace(found, hosts={name: found.hosts[name] for name in named})]
        return read[0]

    order = PushOrder(
        list_id=wanted.list_id, load=load, owner=wanted.owner, family=wanted.family, grow_to=wanted.grow_to,
        most_removed=wanted.most_removed / 100, keep_foreign=wanted.keep_foreign,
    )  # fmt: skip
    with closing(connect(os.environ.get("AWS_REGION"))) as client:
        report = push(client, order)
    wrong = [f"{host}: no address yet, so nothing opens it." for host in report.wanted.unplaced]
    if report.held:
        wrong.append(f"Nothing is removed: {len(report.held):,} entries are due at once, more than mostRemoved allows.")
    now = datetime.fromtimestamp(time.time(), UTC)
    told = {
        "version": report.at.version,
        "addresses": len(report.wanted.hosts_of),
        "added": len(report.added),
        "removed": len(report.removed),
        "size": report.at.size,
        "foreign": len(report.foreign),
        "stale": _some(why for each in read[0].hosts if (why := read[0].stale(each, now))),
    }
    return told, wrong


def _some(lines: Iterable[str]) -> list[str]:
    every = list(lines)
    return every if len(every) <= _MOST_SHOWN else [*every[:_MOST_SHOWN], f"and {len(every) - _MOST_SHOWN:,} more"]
