"""`hostgate explain`: what becomes of one connection under each target, the rule that decides, and why.

With `--log` the connections are those of a log, and the question is why they were blocked or let pass.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from hostgate.catalog.hosts import check_host
from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.main import print_json
from hostgate.cli.sandbox_command import sandbox_folder, state_option
from hostgate.cli.sources import Repeating, make_plans, plan_options

if TYPE_CHECKING:
    from hostgate.flows.flow import Flow
    from hostgate.planning.plan import Plan

_DIALLED_ALL_THE_SAME = (None, "host-ip-literal", "host-single-label", "host-trailing-dot", "host-character")
"""What no catalog may hold and a client may dial nevertheless: such a flow has a verdict."""


def _dialled(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    if value is None:
        return None
    host = check_host(value)
    if host.rule not in _DIALLED_ALL_THE_SAME:
        raise click.BadParameter(host.message)
    return host.name


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    try:
        return None if value is None else str(ip_address(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no IP address.") from None


def _source(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    try:
        return None if value is None else str(ip_network(value, strict=False))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no IP address or CIDR.") from None


def _protocol(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001
    from hostgate.flows.flow import flow_protocol

    try:
        return flow_protocol(value)
    except ValueError as error:
        raise click.BadParameter(str(error).partition(": ")[2]) from None


@click.command(cls=Repeating)
@click.argument("host", callback=_dialled, required=False)
@click.option("--port", type=click.IntRange(1, 65535), default=443, show_default=True)
@click.option(
    "--protocol",
    metavar="NAME|NUMBER",
    callback=_protocol,
    default="https",
    show_default=True,
    help="https, tls, http, tcp, udp, quic, icmp, gre, esp, sctp, ..., or the number of an IP protocol.",
)
@click.option("--sni", metavar="NAME", help="The name in the TLS hello or Host header; HOST unless given, '' for none.")
@click.option(
    "--address", metavar="IP", callback=_address, help="Where the packets go; some address of HOST unless given."
)
@click.option(
    "--from", "source", metavar="CIDR", callback=_source, help="Where they come from; an allowed client unless given."
)
@click.option(
    "--log",
    metavar="FILE",
    help="Explain the verdicts of a log instead: AWS Network Firewall alerts, EVE JSON, Route 53 query logs; - is stdin.",
)
@click.option("--sandbox", is_flag=True, help="Ask what the simulated clouds hold, not the plan.")
@state_option
@plan_options
def command(
    host: str | None,
    port: int,
    protocol: str,
    sni: str | None,
    address: str | None,
    source: str | None,
    log: str | None,
    sandbox: bool,
    state_dir: Path | None,
    stack: str | None,
    catalogs: tuple[str, ...],
    targets: tuple[str, ...],
    as_of: date | None,
    allow_empty: bool,
    survey: Path | None,
    as_json: bool,
) -> None:
    """Say what becomes of one connection to HOST, and why; or why those of a log were blocked."""
    from hostgate.flows.flow import Flow

    if log is not None:
        from hostgate.cli.explain_log import explain_log

        _alone("--log", ("host", "port", "protocol", "sni", "address", "source", "sandbox", "state_dir"))
        explain_log(log, _usable(make_plans(stack, catalogs, targets, as_of, allow_empty, survey)), as_json=as_json)
        return
    if host is None:
        raise click.UsageError("Name a HOST, or a log with --log FILE.")

    name = {"sni": sni or None} if sni is not None else {}
    try:
        flow = Flow(host, port, protocol, address=address, source=source, **name)
    except ValueError as error:
        raise click.UsageError(f"{error}") from None
    if sandbox:
        if stack or catalogs or targets or allow_empty or survey:
            raise click.UsageError(
                "--sandbox asks what is deployed; leave out --stack, --catalog, --target and --survey."
            )
        answers = _of_sandbox(flow, state_dir)
    else:
        answers = []
        for plan in make_plans(stack, catalogs, targets, as_of, allow_empty, survey):
            verdict = plan.verdict(flow)
            answer = {"target": plan.target, "verdict": verdict.action, "rule": verdict.rule, "why": verdict.why}
            if verdict.allows and (judged := plan.surveyed(flow)) is not None:
                answer |= {
                    "survey": judged.verdict,
                    "why": f"{verdict.why}; by the survey {judged.verdict}: {judged.reason}",
                }
            answers.append(answer)
    together = [] if sandbox or catalogs else _together(answers)
    if as_json:
        print_json({"targets": answers, **({"together": together} if together else {})})
        return
    from hostgate.cli.tables import table

    rows = [(str(a["target"]), str(a["verdict"]), str(a["rule"] or "-"), str(a["why"])) for a in answers]
    click.echo(f"{host}:{flow.port} {flow.protocol}" if flow.port else f"{host} {flow.protocol}")
    click.echo(table(("target", "verdict", "rule", "why"), rows))
    for cloud in together:
        blocking = ", ".join(cloud["blocking"])
        click.echo(f"{cloud['cloud']}, all layers: {cloud['verdict']}{f' ({blocking})' if blocking else ''}")


def _alone(option: str, others: Sequence[str]) -> None:
    """Raises click.UsageError if one of `others` was given beside `option`, which brings its own connections."""
    context = click.get_current_context()
    given = [each for each in context.command.params if each.name in others]
    given = [each for each in given if context.get_parameter_source(str(each.name)) is ParameterSource.COMMANDLINE]
    if given:
        names = ", ".join(each.human_readable_name if each.name == "host" else each.opts[0] for each in given)
        raise click.UsageError(f"{option} brings its own connections; leave out {names}.")


def _usable(plans: Sequence["Plan"]) -> Sequence["Plan"]:
    """`plans`, if none is refused. Raises InputError."""
    problems = [problem for plan in plans if plan.refused for problem in plan.problems]
    if problems:
        raise InputError(problems)
    return plans


def _together(answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What becomes of a connection where a stack has several layers on a cloud: it passes if every one lets it."""
    layers: dict[str, list[Mapping[str, Any]]] = {}
    for answer in answers:
        layers.setdefault(answer["target"].partition(":")[0], []).append(answer)
    found = []
    for cloud, theirs in layers.items():
        blocking = [answer["target"] for answer in theirs if answer["verdict"] == "block"]
        if len(theirs) > 1:
            open_question = any(answer["verdict"] == "unknown" for answer in theirs)
            verdict = "block" if blocking else "unknown" if open_question else "allow"
            found.append({"cloud": cloud, "verdict": verdict, "blocking": blocking})
    return found


def _of_sandbox(flow: "Flow", state_dir: Path | None) -> list[dict[str, Any]]:
    """The verdict of every policy or network that the simulated clouds hold."""
    from hostgate.sandbox.enforcement_points import points
    from hostgate.sandbox.state import FILE, state_of

    folder = sandbox_folder(state_dir)
    found = points(state_of(folder).objects()) if (folder / FILE).exists() else []
    if not found:
        message = "The simulated clouds hold no policy. Fill them: hostgate sandbox run -- pulumi up"
        raise InputError([Problem(rule="sandbox", message=message)])
    answers: list[dict[str, Any]] = []
    for point in found:
        verdict = point.verdict(flow)
        why = verdict.why
        if point.remark:
            why = f"{why} ({point.remark})"
        answers.append(
            {"target": point.title, "verdict": verdict.action, "rule": verdict.rule, "why": why, "place": point.place}
        )
    return answers
