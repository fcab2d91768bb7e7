"""The measuring part of `hostgate survey`: probe the resolvers, ask, show how far it is, stop when told to."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

import hostgate

if TYPE_CHECKING:
    from hostgate.dns.ask import Asker
    from hostgate.dns.resolvers import Resolver
    from hostgate.dns.samples import Probe, ProbeState, RecordType
    from hostgate.dns.sampling import SamplingPlan, Surveyor
    from hostgate.dns.survey_log import SurveyLog
    from hostgate.dns.surveyed_hosts import ToAsk

_DRAWN_EVERY = 0.25
"""Seconds between two looks at the counts."""

_WHY = {
    "closed": "nobody listens there",
    "silent": "it does not answer, over UDP or TCP",
    "unreachable": "there is no way to it",
    "captive": "it answers for names that do not exist, so its answers prove nothing",
    "broken": "its answers are damaged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to measure. `vantage` names the place that is measured from."""

    to_ask: "ToAsk"
    types: tuple["RecordType", ...]
    resolvers: tuple["Resolver", ...]
    plan: "SamplingPlan"
    vantage: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """How it went: `lookups` were recorded; `stopped` by the user; `probes` of all resolvers."""

    lookups: int
    stopped: bool
    probes: tuple["Probe", ...]

    @property
    def unusable(self) -> list[tuple["ProbeState", str]]:
        """State and a line for every resolver that was left out."""
        return [
            (each.state, f"The resolver {each.resolver} is left out: {_WHY[each.state]} ({each.detail}).")
            for each in self.probes
            if each.state != "ok"
        ]


def measure(order: Order, path: Path) -> Measurement:
    """Survey into `path`, a new file or one that is continued. The first Ctrl-C ends it and keeps what was measured."""
    from hostgate.dns.survey_log import SurveyLog

    with SurveyLog(path) as log:
        for torn in log.torn:
            click.echo(str(torn), err=True)
        return asyncio.run(_measure(order, log))


async def _measure(order: Order, log: "SurveyLog") -> Measurement:
    from hostgate.dns.ask import EDNS, Asker
    from hostgate.dns.resolvers import usable
    from hostgate.dns.samples import Run
    from hostgate.dns.sampling import Surveyor

    with stop_on_signals() as stop:
        asker = Asker(order.plan.rate, vantage=order.vantage)
        probes = await _probe_all(order.resolvers, asker, order.to_ask.hosts[0], stop)
        good = usable(probes)
        if stop.is_set() or not good:
            return Measurement(0, stop.is_set(), probes)
        log.write(
            Run(
                vantage=order.vantage,
                started=round(time.time(), 3),
                tool=f"hostgate {hostgate.__version__}",
                resolvers=good,
                types=order.types,
                hosts=order.to_ask.hosts,
                edns=EDNS,
                plan=order.plan.figures(),
                probes=probes,
                not_surveyed=order.to_ask.not_surveyed,
            )
        )
        resolvers = [each for each in order.resolvers if str(each) in good]
        surveyor = Surveyor(order.to_ask.hosts, order.types, resolvers, order.plan, asker.lookup, log.write)
        await _watched(surveyor.run(stop), surveyor, len(order.to_ask.hosts))
        return Measurement(surveyor.lookups, stop.is_set(), probes)


async def _probe_all(
    resolvers: Sequence["Resolver"], asker: "Asker", known: str, stop: asyncio.Event
) -> tuple["Probe", ...]:
    from hostgate.dns.resolvers import probe

    async def every() -> tuple["Probe", ...]:
        return tuple(await asyncio.gather(*(probe(each, asker, known) for each in resolvers)))

    work, stopped = asyncio.create_task(every()), asyncio.create_task(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        stopped.cancel()
        return work.result()
    work.cancel()
    await asyncio.wait((work,))
    return ()


class Stop(asyncio.Event):
    """Set when a signal `told` so."""

    told: signal.Signals | None = None


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set. A second Ctrl-C ends the process as ever."""
    loop = asyncio.get_running_loop()
    stop = Stop()
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def once(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stop.told = number
        stop.set()

    for number in handled:
        loop.add_signal_handler(number, once, number)
    try:
        yield stop
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


async def _watched(work: Awaitable[None], surveyor: "Surveyor", names: int) -> None:
    """`work`, with a progress bar where a person looks at a terminal."""
    if not sys.stderr.isatty():
        await work
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        BarColumn(),
        TextColumn("{task.fields[names]:,} of " + f"{names:,} names"),
        TextColumn("{task.completed:,} lookups"),
        TextColumn("{task.fields[errors]:,} errors"),
        TextColumn("{task.fields[left]} left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=surveyor.planned, names=0, errors=0, left="?")
        running = asyncio.ensure_future(work)
        start = time.monotonic()
        while not running.done():
            await asyncio.wait((running,), timeout=_DRAWN_EVERY)
            left = surveyor.seconds_left()
            total = surveyor.planned
            if total is None:  # the bar is of time
                total = round(surveyor.lookups * (1 + left / max(time.monotonic() - start, 0.1))) or None
            bar.update(
                task, completed=surveyor.lookups, total=total, names=surveyor.names_done, errors=surveyor.errors,
                left=clock(left), refresh=True,
            )  # fmt: skip
        await running


def clock(seconds: float) -> str:
    """1:02:03 or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def this_machine() -> str:
    """The vantage point unless one is named."""
    return socket.gethostname()
