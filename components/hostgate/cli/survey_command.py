"""`hostgate survey`: measure the hosts' TTLs and addresses, and say which mechanisms keep up with them.

Exit codes, the first that applies: 6 a host could not be measured; 4 some verdict is unfit; 5 there is too little data
for some verdict (it may turn out either way; unfit does not); 3 some verdict is risky; 0. Verdicts count for the
targets named with --target; without, the code is 0 or 6. Bad input is 1 and wrong usage 2, as everywhere.
"""

import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from hostgate.catalog.file_input import real_path
from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.main import print_json, show_problems
from hostgate.cli.sources import Repeating

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hostgate.catalog.model import Entry, Protocol
    from hostgate.cli.asking import Order
    from hostgate.dns.document import Document
    from hostgate.dns.resolvers import Resolver
    from hostgate.dns.samples import RecordType
    from hostgate.dns.surveyed_hosts import ToAsk

UNMEASURED = 6
_BY_VERDICT = (("unfit", 4), ("unknown", 5), ("risky", 3))

_DEFAULT = 30 * 60.0
"""Seconds: thirty draws from a pool with the usual TTL of 60 s. Too few for most verdicts, enough for a first look."""

_MOST_OCTETS = 10_000_000
"""Of a list of hosts."""

_MEASURING = ("refs", "stack", "hosts_file", "resolvers", "duration", "rounds", "types", "rate", "vantage", "out")
"""Parameters that mean nothing where nothing is asked."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?:[0-9]{1,6}[smhd])+\Z")


def as_duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:  # noqa: ARG001
    if value is None:
        return None
    if not _DURATION.match(value) or not (total := sum(int(n) * _UNITS[u] for n, u in re.findall(r"(\d+)(\D)", value))):
        raise click.BadParameter(
            f"{value!r} is no time. Allowed: a number with s, m, h or d, e.g. 90s, 30m, 1h30m, 24h."
        )
    return float(total)


def _reports(ctx: click.Context, param: click.Parameter, values: tuple[Path, ...]) -> tuple[Path, ...]:  # noqa: ARG001
    from hostgate.cli.survey_report import check

    for each in values:
        if (why := check(each)) is not None:
            raise click.BadParameter(f"{str(each)!r}: {why}")
    return tuple(dict.fromkeys(values))


def _types(ctx: click.Context, param: click.Parameter, value: str) -> tuple["RecordType", ...]:  # noqa: ARG001
    from hostgate.dns.samples import RECORD_TYPES

    named = [each.strip().upper() for each in value.split(",")]
    strange = next((each for each in named if each not in RECORD_TYPES), None)
    if strange is not None:
        raise click.BadParameter(f"{strange!r} is not surveyed. Allowed: {','.join(RECORD_TYPES)}, or some of them.")
    return tuple(each for each in RECORD_TYPES if each in named)


def as_resolvers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple["Resolver", ...]:  # noqa: ARG001
    from hostgate.dns.resolvers import MOST, parse_resolver

    try:
        found = tuple(dict.fromkeys(parse_resolver(each) for each in values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if len(found) > MOST:
        raise click.BadParameter(f"found {len(found)}. Allowed: at most {MOST} resolvers.")
    return found


def _targets(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001
    from hostgate.planning.mechanism import targets

    for each in values:
        if each not in targets():
            raise click.BadParameter(f"{each!r} is no target. Allowed: {', '.join(targets())}.")
    return tuple(dict.fromkeys(values))


@click.command(cls=Repeating)
@click.argument("refs", nargs=-1, metavar="[REF]...")
@click.option("--stack", metavar="NAME", help="Survey the hosts of Pulumi.NAME.yaml (dev, unless hosts are named).")
@click.option(
    "--hosts",
    "hosts_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Survey the names in FILE, one per line.",
)
@click.option(
    "--resolver",
    "resolvers",
    multiple=True,
    metavar="IP[:PORT]",
    callback=as_resolvers,
    help="Ask here. Repeat; the system's resolvers if absent.",
)
@click.option("--duration", metavar="TIME", callback=as_duration, help="Ask for so long, e.g. 24h (30m).")
@click.option(
    "--rounds", type=click.IntRange(1, 100_000), metavar="N", help="Ask each question N times, instead of --duration."
)
@click.option(
    "--types",
    default="A,AAAA,HTTPS",
    show_default=True,
    metavar="LIST",
    callback=_types,
    help="Record types to ask for.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="CLOUD:MECHANISM",
    callback=_targets,
    help="Judge for this mechanism, and let the exit code say it. Repeat.",
)
@click.option(
    "--rate",
    type=click.IntRange(1, 100_000),
    default=500,
    show_default=True,
    metavar="N",
    help="Packets a second to each resolver, at most.",
)
@click.option("--vantage", metavar="NAME", help="What to call the place that is measured from (this machine's name).")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Keep every answer in FILE; continued if it exists."
)
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask nothing; analyse what --out wrote. Repeat to merge.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    callback=_reports,
    help="Write a report too, Markdown or one HTML page by the ending: .md or .html. Repeat.",
)
@click.option(
    "--report-hosts",
    type=click.IntRange(0, 1000),
    default=30,
    show_default=True,
    metavar="N",
    help="Details and pictures of so many hosts, the worst first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    refs: tuple[str, ...],
    stack: str | None,
    hosts_file: Path | None,
    resolvers: tuple["Resolver", ...],
    duration: float | None,
    rounds: int | None,
    types: tuple["RecordType", ...],
    targets: tuple[str, ...],
    rate: int,
    vantage: str | None,
    out: Path | None,
    files: tuple[Path, ...],
    reports: tuple[Path, ...],
    report_hosts: int,
    as_json: bool,
) -> None:
    """Measure the TTLs and addresses of hosts, and say which mechanisms keep up with them.

    REF is vendor/product@revision or a catalog file. With neither REF nor --hosts, the stack's hosts are surveyed.
    Run it where the clients run and ask the resolver that they ask: elsewhere the answers are others.
    """
    given = click.get_current_context().get_parameter_source
    if not reports and given("report_hosts") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--report-hosts says how much a report shows; name its file with --report.")
    if clash := set(map(real_path, (*files, *([out] if out else [])))) & set(map(real_path, reports)):
        raise click.UsageError(f"--report would write over the survey in {clash.pop()}; name another file.")
    if files:
        strange = [each for each in _MEASURING if given(each) is click.core.ParameterSource.COMMANDLINE]
        if strange:
            raise click.UsageError("--from asks nothing: it takes --target, --report, --report-hosts and --json only.")
        _judge(files, targets, reports=reports, report_hosts=report_hosts, as_json=as_json)
        return
    if duration and rounds:
        raise click.UsageError("--duration and --rounds both say when to stop; leave one out.")
    if stack and (refs or hosts_file):
        raise click.UsageError("--stack brings its own hosts; leave out REF and --hosts, or --stack.")
    if vantage is not None and not (vantage.strip() and vantage.isprintable() and len(vantage) <= 100):
        raise click.BadParameter("found no name. Allowed: up to 100 visible characters.", param_hint="--vantage")
    from hostgate.cli.asking import Order, this_machine
    from hostgate.dns.resolvers import system_resolvers
    from hostgate.dns.sampling import IN_FLIGHT, SOCKETS, SamplingPlan

    to_ask = hosts_to_ask(refs, stack, hosts_file)
    asked = resolvers or system_resolvers()
    order = Order(
        to_ask=to_ask,
        types=types,
        resolvers=asked,
        plan=SamplingPlan(
            rounds=rounds,
            duration=None if rounds else duration or _DEFAULT,
            rate=rate,
            in_flight=min(IN_FLIGHT, SOCKETS // len(asked)),
        ),
        vantage=vantage or this_machine(),
    )
    with TemporaryDirectory(prefix="hostgate-survey-") as folder:
        path = out or Path(folder, "survey.jsonl")
        _measure(order, path, as_json=as_json)
        _judge((path,), targets, to_ask.protocols, reports=reports, report_hosts=report_hosts, as_json=as_json)


def hosts_to_ask(
    refs: tuple[str, ...], stack: str | None, hosts_file: Path | None, left_out: str = "Not surveyed"
) -> "ToAsk":
    """The names of every source given; what is `left_out` is said. Raises InputError, also if none can be asked."""
    from hostgate.dns.surveyed_hosts import ToAsk, hosts_of, hosts_of_lines

    found = ToAsk(())
    if refs or not hosts_file:
        found = hosts_of(_entries(refs, stack))
    if hosts_file:
        listed = hosts_of_lines(_lines(hosts_file), str(hosts_file))
        found = replace(found, hosts=tuple(dict.fromkeys((*found.hosts, *listed))))
    for what, why in found.not_surveyed:
        click.echo(f"{left_out}: {what}: {why}.", err=True)
    if not found.hosts:
        message = "There is no host to ask: see above why each is not surveyed. Name hosts with --hosts FILE."
        raise InputError([Problem(rule="nothing-to-survey", message=message)])
    return found


def _measure(order: "Order", path: Path, *, as_json: bool) -> None:
    """Measure into `path`. Ends the process with 6 where no resolver can be asked."""
    from hostgate.cli.asking import measure

    done = measure(order, path)
    if done.stopped and not done.lookups:
        raise click.Abort
    if not done.lookups:
        problems = [Problem(rule=f"resolver-{rule}", message=line) for rule, line in done.unusable]
        problems.append(
            Problem(rule="no-resolver", message="No resolver can be asked. Name another with --resolver IP.")
        )
        show_problems(problems, as_json=as_json)
        raise click.exceptions.Exit(UNMEASURED)
    for _, line in done.unusable:
        click.echo(line, err=True)
    if done.stopped:
        click.echo(f"Stopped after {done.lookups:,} lookups; what was measured is kept.", err=True)


def _judge(
    paths: tuple[Path, ...],
    targets: tuple[str, ...],
    protocols: "Mapping[str, Collection[Protocol]] | None" = None,
    *,
    reports: tuple[Path, ...],
    report_hosts: int,
    as_json: bool,
) -> None:
    """Analyse `paths`, show it, write `reports`, and end the process with the code that it deserves."""
    from hostgate.dns.analysis import analyse_files
    from hostgate.dns.document import as_json as plain
    from hostgate.dns.document import document

    analysis = analyse_files(paths)
    made = document(analysis, targets or None, protocols)
    if as_json:
        print_json(plain(made))
    else:
        from hostgate.cli.survey_text import show_survey

        show_survey(made)
    if reports:
        from hostgate.cli.survey_report import write_reports

        write_reports(reports, made, analysis, report_hosts)
    code = exit_code(made, by_verdict=bool(targets))
    if code:
        raise click.exceptions.Exit(code)


def exit_code(made: "Document", *, by_verdict: bool) -> int:
    """What the survey deserves; `by_verdict`: targets were named, and their verdicts count."""
    from hostgate.dns.samples import ABOUT_THE_NAME

    if any(not any(found.keys() & ABOUT_THE_NAME for found in host.lookups.values()) for host in made.hosts):
        return UNMEASURED
    words = {each.verdict for host in made.hosts for each in host.verdicts} if by_verdict else set()
    return next((code for word, code in _BY_VERDICT if word in words), 0)


def _entries(refs: tuple[str, ...], stack: str | None) -> "tuple[Entry, ...]":
    from hostgate.catalog.selection import select
    from hostgate.cli.sources import find_stack
    from hostgate.stack import read_stack, values_of_file

    if refs:
        return select(*refs).entries
    project, name = find_stack(stack)
    values = values_of_file(project, name)
    values.pop("survey", None)  # the file that this survey is to make need not exist yet
    return read_stack(values, project).selection.entries


def _lines(path: Path) -> list[str]:
    from hostgate.catalog.file_input import Size, read_file_bytes

    form = "a text file with one name per line"
    data = read_file_bytes(
        path, Size(_MOST_OCTETS, "some hundred thousand names"), str(path), rule="hosts-unreadable", allowed=form,
        missing=f"Allowed: {form}.",
    )  # fmt: skip
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        message = f"Cannot read it: it is not UTF-8 text. Allowed: {form}."
        raise InputError([Problem(rule="hosts-unreadable", file=str(path), message=message)]) from None
