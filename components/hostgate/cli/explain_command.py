"""`hostgate explain`: what becomes of one connection under each target, the rule that decides, and why.

Asked is a plan, or what stands: in the simulated clouds, in a state of the engine, or after a preview. With `--log` the
connections are those of a log, and the question is why they were blocked or let pass.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from hostgate.catalog.file_input import user_path
from hostgate.catalog.hosts import check_host
from hostgate.catalog.problems import InputError, Problem, printable
from hostgate.cli.main import print_json
from hostgate.cli.sandbox_command import sandbox_folder
from hostgate.cli.sources import Repeating, make_plans, plan_options

if TYPE_CHECKING:
    from hostgate.flows.flow import Flow, Verdict
    from hostgate.flows.snapshot import Snapshot
    from hostgate.planning.plan import Plan
    from hostgate.sandbox.enforcement_points import Point

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


_IDENTITIES = (
    ("account", re.compile(r"[^@\s:]+@[^@\s:]+\.[^@\s:]+")),
    ("tag", re.compile(r"tagValues/[0-9]+")),
    (
        "ip-group",
        re.compile(r"/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/[^/\s]+/ipGroups/[^/\s]+", re.IGNORECASE),
    ),
)
"""What clients are known by, and how each cloud writes it."""

_WITH_KIND = re.compile(r"network-tag:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?|member:\S+")
"""A network tag of Google Cloud is a bare word, so it is given with its kind; so is a resource in a security group."""


def _source(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    if value is None:
        return None
    if _WITH_KIND.fullmatch(value):
        return value
    if kind := next((kind for kind, form in _IDENTITIES if form.fullmatch(value)), None):
        return f"{kind}:{value}"
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no client. Allowed: an IP address or CIDR, a service account "
            "(NAME@PROJECT.iam.gserviceaccount.com), a secure tag (tagValues/NUMBER), a network tag (network-tag:NAME), the "
            "resource id of an IP group, or a resource in a security group (member:NAME)."
        ) from None


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
    "--from",
    "source",
    metavar="CLIENT",
    callback=_source,
    help="Where they come from: an address or CIDR, a service account, a secure tag, a network tag (network-tag:NAME), the id "
    "of an IP group, or a resource in a security group (member:NAME); an allowed client unless given.",
)
@click.option(
    "--log",
    metavar="FILE",
    help="Explain the verdicts of a log instead: AWS Network Firewall alerts, EVE JSON, Route 53 query logs; Google Cloud's "
    "logs of firewall rules, URL filter and Secure Web Proxy (none of Azure); what `hostgate reach --probe` tried, also with "
    "--state, --preview and --sandbox. - is stdin.",
)
@click.option("--sandbox", is_flag=True, help="Ask what the simulated clouds hold, not the plan.")
@click.option(
    "--state",
    metavar="FILE|DIR",
    help="Ask what a state of the engine holds, the output of pulumi stack export; - is stdin. With --sandbox, the folder "
    "where it is kept.",
)
@click.option(
    "--preview",
    metavar="FILE",
    help="Ask what would stand after an update, by the output of pulumi preview --json --show-sames; - is stdin.",
)
@click.option(
    "--with",
    "others",
    multiple=True,
    metavar="FILE",
    help="For the probes of --log: a state or preview of another stack, for what it owns. Repeat.",
)
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
    state: str | None,
    preview: str | None,
    others: tuple[str, ...],
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

        _alone("--log", ("host", "port", "protocol", "sni", "address", "source"))
        if sandbox or state is not None or preview is not None:
            from hostgate.cli.explain_probe import JudgingPlace

            _no_plan(stack, catalogs, targets, allow_empty, survey)
            from hostgate.cli.standing import snapshot_of_sources
            from hostgate.policies.places import places_of_stack

            states, previews = [() if path is None else (path,) for path in (state, preview)]
            snapshot, _ = snapshot_of_sources(sandbox, states, previews, others)
            standing = [JudgingPlace(place.target, place) for place in places_of_stack(snapshot)]
            explain_log(log, (), standing, as_json=as_json)
            return
        if others:
            raise click.UsageError("--with brings what other stacks own; name what is asked: --state or --preview.")
        explain_log(log, _usable(make_plans(stack, catalogs, targets, as_of, allow_empty, survey)), as_json=as_json)
        return
    if others:
        raise click.UsageError(
            "--with brings what other stacks own to the probes of --log; ask with --state or --preview."
        )
    if host is None:
        raise click.UsageError("Name a HOST, or a log with --log FILE.")

    name = {"sni": sni or None} if sni is not None else {}
    try:
        flow = Flow(host, port, protocol, address=address, source=source, **name)
    except ValueError as error:
        raise click.UsageError(f"{error}") from None
    if sni and flow.wire_name is None:
        raise click.UsageError(f"--sni: no name is looked for in packets of {flow.protocol}. Leave it out.")
    of_standing = sandbox or state is not None or preview is not None
    if of_standing:
        _no_plan(stack, catalogs, targets, allow_empty, survey)
        points = _points(sandbox=sandbox, state=state, preview=preview)
        answers, asked = [_of_point(point, flow) for point in points], [point.target for point in points]
        together = []
    else:
        plans = make_plans(stack, catalogs, targets, as_of, allow_empty, survey)
        answers, asked = [answer for plan in plans for answer in _of_plan(plan, flow)], [plan.target for plan in plans]
        together = [] if catalogs else _together(plans, flow)
    if as_json:
        print_json({"targets": answers, **({"together": together} if together else {})})
        return
    from hostgate.cli.tables import folded, near_line, table

    rows = [(str(a["target"]), str(a["verdict"]), str(a["rule"] or "-"), str(a["why"])) for a in answers]
    click.echo(f"{host}:{flow.port} {flow.protocol}" if flow.has_ports else f"{host} {flow.protocol}")
    click.echo(table(("target", "verdict", "rule", "why"), rows))
    for answer in answers:
        for near in answer.get("nearest", ()):
            click.echo(folded(printable(f"nearest of {answer['target']}: {near_line(near)}")))
    for assumed in dict.fromkeys(each for answer in answers for each in answer["assumptions"]):
        click.echo(folded(printable(f"assumed{_of_some(answers, assumed)}: {assumed}")))
    for cloud in together:
        blocking = ", ".join(cloud["blocking"])
        click.echo(f"{cloud['cloud']}, all layers: {cloud['verdict']}{f' ({blocking})' if blocking else ''}")
    from hostgate.planning.trial import no_test

    if flow.transport == "tcp" and (warned := no_test(asked)):
        click.echo(folded(warned))


def _of_some(answers: Sequence[Mapping[str, Any]], assumed: str) -> str:
    """Whom an assumption is about, where another place of its kind has none like it."""
    told = [str(each["target"]) for each in answers if assumed in each["assumptions"]]
    kinds = {each.rpartition(" ")[0] for each in told}  # of a plan's targets: none, so that all are alike
    alike = [str(each["target"]) for each in answers if str(each["target"]).rpartition(" ")[0] in kinds]
    return f" of {', '.join(told)}" if set(alike) - set(told) else ""


def _no_plan(*given: object) -> None:
    """Raises click.UsageError if a plan is asked for beside what stands."""
    if any(given):
        raise click.UsageError(
            "--sandbox, --state and --preview ask what stands; leave out --stack, --catalog, --target and --survey."
        )


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


def _together(plans: Sequence["Plan"], flow: "Flow") -> list[dict[str, Any]]:
    """What becomes of a connection where clients meet several layers of a stack on a cloud: it passes if all of them let it, or,
    where they are one list, if that does."""
    if len(plans) == 1:
        return []
    from hostgate.planning.layers import joints

    found = []
    for joint in joints(plans):
        if len(joint.layers) > 1:
            verdict, blocking = joint.verdict(flow)
            found.append({"cloud": joint.cloud, "verdict": verdict, "blocking": blocking})
    return found


def _of_plan(plan: "Plan", flow: "Flow") -> Iterator[dict[str, Any]]:
    """One answer; of a plan with several grants one for the clients of each, unless the flow names its client."""
    from hostgate.planning.near import nearest

    for grant, verdict in plan.verdicts(flow):
        answer = _answer(f"{plan.target} {grant}" if grant else plan.target, "plan", verdict, plan.assumptions)
        if verdict.action == "block":
            answer["nearest"] = [near.as_json() for near in nearest(plan, flow, grant)]
        if verdict.allows and (judged := plan.surveyed(flow)) is not None:
            answer |= {
                "survey": judged.verdict,
                "why": f"{verdict.why}; by the survey {judged.verdict}: {judged.reason}",
            }
        yield answer


def _of_point(point: "Point", flow: "Flow") -> dict[str, Any]:
    from hostgate.flows.verdicts import nearest_steps

    verdict = point.verdict(flow)
    why = f"{verdict.why} ({point.remark})" if point.remark else verdict.why
    answer = _answer(point.title, point.place, verdict, point.judged.assumptions) | {"why": why}
    if verdict.action == "block":
        near = nearest_steps(point.judged, flow)
        answer["nearest"] = [{"rule": each.step.rule, "lacking": list(each.lacking)} for each in near]
    return answer


def _answer(target: str, place: str, verdict: "Verdict", assumptions: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "target": target,
        "place": place,
        "verdict": verdict.action,
        "rule": verdict.rule,
        "why": verdict.why,
        "assumptions": list(assumptions),
    }
    return told | ({"lacks": list(verdict.lacks)} if verdict.action == "unknown" else {})


def _points(*, sandbox: bool, state: str | None, preview: str | None) -> list["Point"]:
    """Every point of enforcement in what is asked: the simulated clouds, a state, or a preview, where `hostgate reach` judges
    it. Raises InputError."""
    from hostgate.flows.engine_documents import of_preview, of_state
    from hostgate.planning.allowlists_at import with_meant
    from hostgate.policies.places import places_of_stack
    from hostgate.sandbox.enforcement_points import Point, snapshot_of
    from hostgate.sandbox.state import FILE, state_of

    def told(snapshot: "Snapshot") -> list[Point]:
        return [Point(with_meant(each, snapshot)) for each in places_of_stack(snapshot)]

    if sum((sandbox, state is not None and not sandbox, preview is not None)) > 1:
        raise click.UsageError("Ask one: --sandbox, --state FILE, or --preview FILE.")
    if sandbox:
        if state is not None and user_path(state).is_file():
            raise click.UsageError(f"--sandbox takes --state DIR, the folder where it is kept; {state} is a file.")
        folder = sandbox_folder(None if state is None else user_path(state))
        found = told(snapshot_of(state_of(folder).objects())) if (folder / FILE).exists() else []
        if not found:
            message = "The simulated clouds hold no policy. Fill them: hostgate sandbox run -- pulumi up"
            raise InputError([Problem(rule="sandbox", message=message)])
        return found
    path, read = (state, of_state) if state is not None else (str(preview), of_preview)
    shown = "stdin" if path == "-" else path
    found = told(read(_document(path, shown), shown))
    if not found:
        message = "No resource in it judges what leaves. Allowed: one with a firewall, a policy, a network or a VPC."
        raise InputError([Problem(rule="plan-file", file=shown, message=message)])
    return found


def _document(path: str, shown: str) -> Any:
    """The JSON document at `path` (`-`: stdin). Raises InputError."""
    from hostgate.review.statement import read_json

    if path != "-":
        if user_path(path).is_dir():
            raise click.UsageError(
                f"{path} is a folder. Allowed: a file that pulumi wrote; a sandbox's with --sandbox."
            )
        return read_json(user_path(path), shown)
    return read_json(None, shown)
