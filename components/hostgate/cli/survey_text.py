"""A survey as text for the terminal: the verdicts first, then what was measured, then what is remarkable."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from hostgate.catalog.problems import few
from hostgate.cli.tables import table

if TYPE_CHECKING:
    from hostgate.dns.document import Document, HostReport
    from hostgate.dns.facts import AddressType
    from hostgate.planning.mechanism import TtlFamily
    from hostgate.planning.survey import HostVerdict

_SHOWN = 40
"""Hosts in a table; --json has them all."""

_WORST_FIRST = ("unfit", "unknown", "risky", "ok")


def show_survey(made: "Document") -> None:
    """Print `made`. Its strings were checked for control characters where they were read."""
    lookups = sum(sum(counts.values()) for host in made.hosts for counts in host.lookups.values())
    when = f", {made.began:%Y-%m-%d %H:%M} to {made.ended:%Y-%m-%d %H:%M} UTC" if made.began and made.ended else ""
    click.secho(f"{len(made.hosts)} hosts, {lookups:,} lookups{when}", bold=True)
    click.echo(f"from {', '.join(made.vantages)}; asked {', '.join(made.resolvers)}")
    hosts = made.hosts[:_SHOWN]
    columns = list(dict.fromkeys((each.target, each.family) for host in made.hosts for each in host.verdicts))
    twice = {target for target, _ in columns if sum(target == other for other, _ in columns) > 1}
    titles = [f"{target} ({family})" if target in twice else target for target, family in columns]
    click.echo(table(("host", *titles), [(host.host, *_words(host, columns)) for host in hosts]))
    click.echo(table(("host", "TTL s", "A: answer / seen / pool / miss", "AAAA", "chain"), map(_measured, hosts)))
    if len(made.hosts) > _SHOWN:
        click.echo(f"  ... and {len(made.hosts) - _SHOWN} more hosts (--json lists them).")
    for line in _reasons(made.hosts):
        click.echo(line)
    for host in hosts:
        for remark in host.findings:
            click.echo(f"{'note':<8} {remark.id} {host.host}: {remark.message}")
    for each in made.not_surveyed:
        click.echo(f"{'note':<8} not-surveyed {each.entry}: {each.reason}.")


def _words(host: "HostReport", columns: Sequence[tuple[str, "TtlFamily"]]) -> Iterator[str]:
    found = {(each.target, each.family): each.verdict for each in host.verdicts}
    for column in columns:
        yield found.get(column, "-")


def _measured(host: "HostReport") -> tuple[str, ...]:
    families = []
    kinds: tuple[AddressType, ...] = ("A", "AAAA")
    for kind in kinds:
        facts = host.families.get(kind)
        if facts is None:
            families.append("-")
            continue
        size = "?" if facts.pool is None else f"{facts.pool:.0f}"
        families.append(f"{facts.answer:.3g} / {facts.seen} / {size} / {facts.miss:.1%}")
    return (host.host, "-" if host.ttl is None else str(host.ttl.zone), *families, _chain(host))


def _chain(host: "HostReport") -> str:
    names = [f"{link.target} {link.ttl}" for link in host.chain if link.target is not None]
    return " > ".join(names) or "-"


def _reasons(hosts: Sequence["HostReport"]) -> Iterator[str]:
    """Verdicts that are not ok, worst first; hosts with the same reason are told once."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for host in hosts:
        for each in host.verdicts:
            if each.verdict != "ok":
                told.setdefault((each.verdict, each.target, _reason(each)), []).append(host.host)
    for verdict, target, reason in sorted(told, key=lambda key: (_WORST_FIRST.index(key[0]), key[1:])):
        names = told[verdict, target, reason]
        shown = few(names)
        yield f"{verdict:<8} {target} {shown}: {reason}"


def _reason(each: "HostVerdict") -> str:
    way_out = ""
    if each.refresh_s is not None and each.grace_s is not None:
        way_out = f" Asking every {each.refresh_s} s and keeping addresses for {each.grace_s:,} s would do."
    return f"{each.reason}{way_out}"
