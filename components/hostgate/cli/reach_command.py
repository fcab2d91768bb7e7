"""`hostgate reach`: what is open that no catalog needs, and what is needed and closed, each with a flow that shows it.

Asked is a plan, or what stands: in the simulated clouds, in states of the engine, or after previews, several together.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.file_input import real_path
from hostgate.catalog.problems import InputError, Problem, few, printable
from hostgate.cli.acceptances import Acceptances, acceptances
from hostgate.cli.main import print_json
from hostgate.cli.sources import Repeating, find_stack, make_plans, plan_options
from hostgate.cli.standing import snapshot_of_sources, standing_options

if TYPE_CHECKING:
    from hostgate.flows.name_classes import Need
    from hostgate.flows.reach import Beyond, Reach
    from hostgate.flows.snapshot import Snapshot
    from hostgate.flows.steps import Place
    from hostgate.planning.allowlists_at import Allowlist
    from hostgate.planning.plan import Plan

_MOST_SHOWN = 20
"""Lines of each kind that a table shows of one place; `--json` has all."""


def _accepted(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    found = {}
    for each in value:
        id_, equals, reason = each.partition("=")
        if not (equals and id_ and reason.strip()):
            raise click.BadParameter(f"{each!r} is no acceptance. Allowed: ID=reason, with the ID of a line.")
        found[id_] = reason.strip()
    return found


def _report_places(ctx: click.Context, param: click.Parameter, values: tuple[Path, ...]) -> tuple[Path, ...]:  # noqa: ARG001
    from hostgate.cli.reach_report import check

    for each in values:
        if (why := check(each)) is not None:
            raise click.BadParameter(f"{str(each)!r}: {why}")
    return tuple(dict.fromkeys(values))


def _probe_place(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:  # noqa: ARG001
    from hostgate.cli.probe_script import check

    if value is not None and (why := check(value)) is not None:
        raise click.BadParameter(f"{str(value)!r}: {why}")
    return value


def _apart(reports: Sequence[Path], probe: Path | None, inputs: Iterable[str]) -> None:
    """Raises click.UsageError where something would be written over what it is about, or over what else is written."""
    written = list(reports)
    if probe is not None:
        from hostgate.cli.probe_script import probe_files

        written += probe_files(probe)
    taken = {real_path(Path(each)) for each in inputs}
    for path in written:
        if real_path(path) in taken:
            raise click.UsageError(f"--report or --probe would write over {path}; name another file.")
        taken.add(real_path(path))


@click.command(cls=Repeating)
@standing_options
@click.option(
    "--accept", "said", multiple=True, metavar="ID=REASON", callback=_accepted,
    help="A line that is known and meant: it is shown, and does not count. Repeat.",
)  # fmt: skip
@click.option(
    "--accept-file", type=click.Path(path_type=Path), metavar="FILE",
    help="Such lines, each with a reason, an owner and a last day, as YAML. After that day a line counts again.",
)  # fmt: skip
@click.option(
    "--report", "reports", type=click.Path(path_type=Path), multiple=True, metavar="FILE", callback=_report_places,
    help="Write a report too, by the ending: .md (Markdown), .html (one page), .csv. Repeat.",
)  # fmt: skip
@click.option(
    "--probe", type=click.Path(path_type=Path), metavar="DIR|FILE", callback=_probe_place,
    help="Write a script too that tries it on a real client, and a table of what is expected: DIR/probe.sh and probe.md, or "
    "FILE.sh and FILE.md.",
)  # fmt: skip
@click.option("--own", is_flag=True, help="Count only what rules of the stack's own allowlists open.")
@plan_options
@collector_at_rest()
def command(
    sandbox: bool,
    states: tuple[str, ...],
    previews: tuple[str, ...],
    others: tuple[str, ...],
    said: dict[str, str],
    accept_file: Path | None,
    reports: tuple[Path, ...],
    probe: Path | None,
    own: bool,
    stack: str | None,
    catalogs: tuple[str, ...],
    targets: tuple[str, ...],
    as_of: date | None,
    allow_empty: bool,
    survey: Path | None,
    as_json: bool,
) -> None:
    """Say what is open beyond the catalogs, what they need and is closed, and what nobody can tell.

    Exit codes: 0 nothing beyond and nothing missing, 1 bad input, 2 wrong usage; else the first that holds of 3 (something is
    beyond), 4 (something is missing), 5 (something is not known).
    """
    _apart(reports, probe, [*states, *previews, *others, *catalogs, *([str(accept_file)] if accept_file else [])])
    day = as_of or date.today()
    accepted = acceptances(said, accept_file, day)
    elsewhere: frozenset[str] = frozenset()
    snapshot = None
    plans: Sequence[Plan] = ()
    if sandbox or states or previews:
        if stack or targets or allow_empty or survey:
            raise click.UsageError(
                "--sandbox, --state and --preview ask what stands; leave out --stack, --target, --allow-empty and --survey."
            )
        snapshot, elsewhere = snapshot_of_sources(sandbox, states, previews, others)
        elsewhere |= {each.urn for each in snapshot.resources if each.external}
        found = _of_standing(snapshot, catalogs, elsewhere)
    elif others:
        raise click.UsageError(
            "--with brings what other stacks own; name what is asked: --sandbox, --state or --preview."
        )
    else:
        plans = make_plans(stack, catalogs, targets, as_of, allow_empty, survey)
        # Without a stack, each target is one to choose.
        found = [Answer(place, needs, plan=plan) for place, needs, plan in _of_plans(plans, together=not catalogs)]
    from hostgate.flows.reach import together

    for answer, agreed in zip(found, together([each.reach for each in found]), strict=True):
        answer.reach = agreed
    accepted = accepted.held_to({each for answer in found for each in answer.ids})
    if as_json:
        print_json({"points": [answer.as_json(accepted, own=own) for answer in found]})
    else:
        click.echo("\n\n".join(answer.text(accepted, own=own) for answer in found))
    code = next((code for code, kind in ((3, "beyond"), (4, "missing"), (5, "unknown"))
                 if any(answer.counts(kind, accepted, own=own) for answer in found)), 0)  # fmt: skip
    if reports:
        from hostgate.cli.reach_report import Asked, report, write_reports

        files = [("state", path) for path in states] + [("preview", path) for path in previews]
        files += [("of another stack", path) for path in others] + [
            ("acceptances", str(path)) for path in (accept_file,) if path
        ]
        files += [("survey", str(path)) for path in (survey,) if path]
        if plans and not catalogs:
            project, name = find_stack(stack)
            files.append(("stack file", relpath(project / f"Pulumi.{name}.yaml")))
        asked_with = Asked(plans=plans, snapshot=snapshot, files=files, catalogs=catalogs, own=own)
        write_reports(reports, report(day, code, found, accepted, asked_with))
    if probe is not None:
        from hostgate.cli.probe_script import write_probe

        source = snapshot.source if snapshot is not None else ""
        for path in write_probe(probe, found, plans, source):
            click.echo(f"Wrote {path}.", err=True)
    if code:
        raise click.exceptions.Exit(code)


def _of_plans(plans: "Sequence[Plan]", *, together: bool) -> "list[tuple[Place, list[Need], Plan]]":
    from hostgate.planning.layers import joints
    from hostgate.planning.needs import points_of

    problems = [problem for plan in plans if plan.refused for problem in plan.problems]
    if problems:
        raise InputError(problems)
    if not together:
        return [(*point, plan) for plan in plans for point in points_of(plan)]
    points = (point for joint in joints(plans) for point in joint.points())
    return [(place, needs, cast("Plan", layer)) for layer, place, needs in points]


def _of_standing(snapshot: "Snapshot", catalogs: tuple[str, ...], elsewhere: frozenset[str]) -> "list[Answer]":
    from hostgate.planning.allowlists_at import allowlists_at
    from hostgate.planning.needs import needs_of_allowlists, needs_of_catalogs
    from hostgate.policies.places import places_of_stack

    places = [(place, allowlists_at(place, snapshot)) for place in places_of_stack(snapshot)]
    if not places:
        message = "No resource in it judges what leaves. Allowed: one with a firewall, a policy, a network or a VPC."
        raise InputError([Problem(rule="plan-file", file=snapshot.source, message=message)])
    asked = [(place, listed, *needs_of_allowlists(listed)) for place, listed in places]
    if catalogs:
        from hostgate.catalog.selection import select

        chosen = needs_of_catalogs(select(*catalogs).entries)
        return [Answer(place, chosen, ours, elsewhere) for place, _, _, ours in asked]
    if not any(needs or any(each.unread for each in listed) for _, listed, needs, _ in asked):
        message = "No allowlist of hostgate is in it, so nothing says what may be open. Name it: --catalog REF."
        raise InputError([Problem(rule="no-catalog", file=snapshot.source, message=message)])
    return [
        Answer(place, needs, ours, elsewhere, unread=[each for each in listed if each.unread and each.may_be_here])
        for place, listed, needs, ours in asked
    ]


class Answer:
    """What is said of one place. `ours`: resources of allowlists; None: all of it is one. `elsewhere`: those of others.
    `plan`: whose rules judge there first, where plans are asked. `unread`: allowlists of which nobody knows what they need."""

    def __init__(
        self,
        place: "Place",
        needs: "Sequence[Need]",
        ours: frozenset[str] | None = None,
        elsewhere: frozenset[str] = frozenset(),
        plan: "Plan | None" = None,
        unread: "Sequence[Allowlist]" = (),
    ) -> None:
        from hostgate.flows.reach import left_open, reach
        from hostgate.planning.needs import clients_of

        self.needs = needs
        self.clients = clients_of(place, ours) if ours else None
        self.reach: Reach = reach(place, needs, self.clients)
        for each in unread:
            self.reach = left_open(self.reach, each.resource, each.unread, each.own)
        self.ours, self.elsewhere, self.plan = ours, elsewhere, plan

    @property
    def ids(self) -> set[str]:
        found = self.reach
        return {
            *(each.id for each in found.beyond), *(each.id for each in found.missing), *(each.id for each in found.unknown)
        }  # fmt: skip

    def owner(self, owner: str | None, rule: str | None) -> str:
        if not rule:
            return "no rule"
        if self.ours is None or owner in self.ours:
            return "this allowlist"
        return "elsewhere" if owner in self.elsewhere else "this stack"

    def beyond(self, *, own: bool) -> "list[Beyond]":
        """What is beyond; `own`: by rules of the allowlist alone."""
        found = self.reach.beyond
        return [each for each in found if not own or self.owner(each.owner, each.rule) == "this allowlist"]

    def counts(self, kind: str, accepted: Acceptances, *, own: bool) -> bool:
        found = self.reach
        ids: dict[str, list[str]] = {
            "beyond": [each.id for each in self.beyond(own=own)],
            "missing": [each.id for each in found.missing],
            "unknown": [each.id for each in found.unknown],
        }
        return any(each not in accepted for each in ids[kind])

    def as_json(self, accepted: Acceptances, *, own: bool) -> dict[str, Any]:
        from hostgate.flows.reach import as_json

        told = as_json(self.reach)
        for each in told["beyond"]:
            each["owner"] = self.owner(each["owner"], each["rule"])
        if own:
            told["beyond"] = [each for each in told["beyond"] if each["owner"] == "this allowlist"]
        for each in (*told["beyond"], *told["missing"], *told["unknown"]):
            each |= accepted.as_json(each["id"])
        return told

    def text(self, accepted: Acceptances, *, own: bool) -> str:
        from hostgate.cli.tables import table
        from hostgate.flows.flow_words import flows_in_words

        place, found = self.reach.place, self.reach
        lines = [printable(f"{place.target.partition(':')[0]} {place.kind} {place.name}")]
        if place.remark:
            lines.append(printable(f"  {place.remark}"))
        rows = [
            (
                accepted.mark(each.id),
                "beyond",
                flows_in_words(each.flows),
                each.rule or "-",
                f"{each.why} ({self.owner(each.owner, each.rule)})",
            )
            for each in self.beyond(own=own)
        ]
        rows += [
            (
                accepted.mark(each.id),
                "missing",
                flows_in_words([each.flow]),
                each.rule or "-",
                f"{few([entry for entry, _ in each.entries])}: {each.why}",
            )
            for each in found.missing
        ]
        rows += [
            (accepted.mark(each.id), "unknown", flows_in_words([each.flow]), "-", "; ".join(each.what))
            for each in found.unknown
        ]
        rows += [("", "dead", "-", each.rule, each.why) for each in found.dead]
        if rows:
            lines.append(table(("id", "", "flow", "rule", "why"), rows[:_MOST_SHOWN]))
            if len(rows) > _MOST_SHOWN:
                lines.append(f"and {len(rows) - _MOST_SHOWN} more; --json has them all")
        else:
            lines.append("  Nothing beyond the catalogs is open, and all that they need is.")
        lines += [printable(f"assumed: {each}") for each in found.assumptions]
        return "\n".join(lines)
