"""`hostgate advise`: which mechanisms fit each host, which do not and why, what each needs, opens and costs."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.cli.main import print_json
from hostgate.cli.sources import advice_options, hosts_and_layers

if TYPE_CHECKING:
    from hostgate.planning.advice import Advice, HostAdvice
    from hostgate.planning.mechanism import Means

SHOWN = 40
"""Hosts of a kind, and reasons of a target, listed one by one for people; `--json` always has all."""


@click.command()
@click.argument("refs", nargs=-1, metavar="[REF]...")
@advice_options
@click.option("--cloud", metavar="CLOUD", help="Ask the mechanisms of one cloud only, e.g. gcp.")
def command(
    refs: tuple[str, ...], stack: str | None, as_of: date | None, survey: Path | None, as_json: bool, cloud: str | None
) -> None:
    """Say for each host which mechanisms fit it, best first, and what each needs, opens and costs.

    REF is vendor/product@revision or a catalog file; without, the stack's hosts are judged, by the options that it has.
    Where a mechanism looks addresses up for itself, only a survey can say whether it keeps up.
    """
    from hostgate.planning.advice import advise

    if stack is not None and refs:
        raise click.UsageError("--stack brings its own hosts; leave out REF, or --stack.")
    asked = _asked(cloud)
    selection, layers, surveyed, _ = hosts_and_layers(stack, refs, False, survey, pins=False)
    options = {target: each for target, each in reversed(layers) if each is not None}
    hosts = advise(selection, surveyed, asked=asked, options=options)
    if as_json:
        print_json({"hosts": [each.as_json() for each in hosts]})
    else:
        for line in _lines(hosts, asked):
            click.echo(line)
    if surveyed is not None and (old := surveyed.stale(as_of or date.today())):
        click.echo(f"{old} Survey again: vendors move their hosts.", err=True)


def _asked(cloud: str | None) -> tuple[str, ...]:
    from hostgate.planning.mechanism import targets
    from hostgate.planning.targets import clouds

    if cloud is not None and cloud not in clouds():
        message = f"Found the cloud {cloud!r}.{did_you_mean(cloud, clouds())} Allowed: {', '.join(clouds())}."
        raise InputError([Problem(rule="unknown-cloud", message=message)])
    return tuple(each for each in targets() if cloud is None or each.partition(":")[0] == cloud)


def _lines(hosts: Sequence["HostAdvice"], asked: Sequence[str]) -> Iterator[str]:
    """Hosts that have the same fits together; then each target with its reasons and claims."""
    if not hosts:
        yield "No host of the selection is to be opened."
    kinds: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for host in hosts:
        entry = host.entry
        kind = "" if entry.match == "exact" else f"  {entry.match}"
        name = f"{entry.host}  {entry.port}/{entry.protocol}{kind}"
        kinds.setdefault(tuple((each.fit, each.target) for each in host.advice), []).append(name)
    for fits, names in kinds.items():
        yield from _few(names)
        for fit in dict.fromkeys(fit for fit, _ in fits):
            yield from _wrapped(fit, ", ".join(target for other, target in fits if other == fit))
        yield ""
    for target in asked if hosts else ():
        yield from _of_target(target, [(host, each) for host in hosts for each in host.advice if each.target == target])
        yield ""


def _of_target(target: str, found: Sequence[tuple["HostAdvice", "Advice"]]) -> Iterator[str]:
    from hostgate.planning.advice import FITS
    from hostgate.planning.mechanism import mechanism

    yield f"{target}  {mechanism(target).title}"
    reasons: dict[tuple[str, str], list[str]] = {}
    ways: dict[str, Means] = {}
    for host, each in found:
        reasons.setdefault((each.fit, each.why), []).append(host.entry.host)
        if each.means is not None and each.fit != "refused":
            ways[each.means.name] = each.means
    told = [
        line
        for fit, why in sorted(reasons, key=lambda reason: FITS.index(reason[0]))
        for line in _wrapped(fit, f"{_some(reasons[fit, why])}: {why}")
    ]
    yield from _few(told)
    for way in ways.values():
        about = f"{way.name}: " if len(ways) > 1 else ""
        for label, claims in (("needs", way.needs), ("opens", way.opens), ("costs", way.costs)):
            for claim in claims:
                yield from _wrapped(label, f"{about}{claim.text}")
        yield from _wrapped(way.evidence.kind, f"{about}{way.evidence.source} ({way.evidence.date})")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} hosts"


def _few(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"  ... and {len(lines) - SHOWN} more (--json lists them)."


def _wrapped(label: str, text: str) -> list[str]:
    from textwrap import wrap

    from hostgate.cli.tables import terminal_width

    first, rest = f"  {label:<10}  ", " " * 14
    return wrap(
        text,
        terminal_width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
