"""`hostgate reach`: what is open that no catalog needs, and what is needed and closed, each with a flow that shows it.

Asked is a plan, or what stands: in the simulated clouds, in states of the engine, or after previews, several together.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.problems import InputError, Problem, did_you_mean, printable
from hostgate.cli.main import print_json
from hostgate.cli.sources import Repeating, make_plans, plan_options
from hostgate.cli.standing import snapshot_of_sources, standing_options

if TYPE_CHECKING:
    from hostgate.flows.flow import Flow
    from hostgate.flows.name_classes import Need
    from hostgate.flows.reach import Reach
    from hostgate.flows.snapshot import Snapshot
    from hostgate.flows.steps import Place

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


@click.command(cls=Repeating)
@standing_options
@click.option(
    "--accept", "accepted", multiple=True, metavar="ID=REASON", callback=_accepted,
    help="A line that is known and meant: it is shown, and does not count. Repeat.",
)  # fmt: skip
@click.option("--own", is_flag=True, help="Count only what rules of the stack's own allowlists open.")
@plan_options
@collector_at_rest()
def command(
    sandbox: bool,
    states: tuple[str, ...],
    previews: tuple[str, ...],
    others: tuple[str, ...],
    accepted: dict[str, str],
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
    elsewhere: frozenset[str] = frozenset()
    if sandbox or states or previews:
        if stack or targets or allow_empty or survey:
            raise click.UsageError(
                "--sandbox, --state and --preview ask what stands; leave out --stack, --target, --allow-empty and --survey."
            )
        snapshot, elsewhere = snapshot_of_sources(sandbox, states, previews, others)
        elsewhere |= {each.urn for each in snapshot.resources if each.external}
        asked = _of_standing(snapshot, catalogs)
    elif others:
        raise click.UsageError(
            "--with brings what other stacks own; name what is asked: --sandbox, --state or --preview."
        )
    else:
        asked = _of_plans(make_plans(stack, catalogs, targets, as_of, allow_empty, survey))
    from hostgate.flows.reach import together

    found = [_Answer(place, needs, ours, elsewhere) for place, needs, ours in asked]
    for answer, agreed in zip(found, together([each.reach for each in found]), strict=True):
        answer.reach = agreed
    ids = {each for answer in found for each in answer.ids}
    unused = [each for each in accepted if each not in ids]
    if unused:
        hints = "".join(did_you_mean(each, sorted(ids)) for each in unused[:1])
        message = f"--accept: there is no line {', '.join(unused)}.{hints} Remove it, or copy the ID of a line."
        raise InputError([Problem(rule="unused-acceptance", message=message)])
    if as_json:
        print_json({"points": [answer.as_json(accepted, own=own) for answer in found]})
    else:
        click.echo("\n\n".join(answer.text(accepted, own=own) for answer in found))
    code = next((code for code, kind in ((3, "beyond"), (4, "missing"), (5, "unknown"))
                 if any(answer.counts(kind, accepted, own=own) for answer in found)), 0)  # fmt: skip
    if code:
        raise click.exceptions.Exit(code)


def _of_plans(plans: Sequence[Any]) -> "list[tuple[Place, list[Need], frozenset[str] | None]]":
    from hostgate.planning.needs import points_of

    problems = [problem for plan in plans if plan.refused for problem in plan.problems]
    if problems:
        raise InputError(problems)
    return [(*point, None) for plan in plans for point in points_of(plan)]


def _of_standing(
    snapshot: "Snapshot", catalogs: tuple[str, ...]
) -> "list[tuple[Place, list[Need], frozenset[str] | None]]":
    from hostgate.planning.needs import needs_at, needs_of_catalogs
    from hostgate.policies.places import places_of_stack

    places = places_of_stack(snapshot)
    if not places:
        message = "No resource in it judges what leaves. Allowed: one with a firewall, a policy, a network or a VPC."
        raise InputError([Problem(rule="plan-file", file=snapshot.source, message=message)])
    if catalogs:
        from hostgate.catalog.selection import select

        chosen = needs_of_catalogs(select(*catalogs).entries)
        return [(place, chosen, needs_at(place, snapshot)[1]) for place in places]
    found: list[tuple[Place, list[Need], frozenset[str] | None]] = [
        (place, *needs_at(place, snapshot)) for place in places
    ]
    if not any(needs for _, needs, _ in found):
        message = "No allowlist of hostgate is in it, so nothing says what may be open. Name it: --catalog REF."
        raise InputError([Problem(rule="no-catalog", file=snapshot.source, message=message)])
    return found


class _Answer:
    """What is said of one place. `ours`: resources of allowlists; None: all of it is one. `elsewhere`: those of others."""

    def __init__(
        self, place: "Place", needs: "Sequence[Need]", ours: frozenset[str] | None, elsewhere: frozenset[str]
    ) -> None:
        from hostgate.flows.reach import reach
        from hostgate.planning.needs import clients_of

        self.reach: Reach = reach(place, needs, clients_of(place, ours) if ours else None)
        self.ours, self.elsewhere = ours, elsewhere

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

    def counts(self, kind: str, accepted: dict[str, str], *, own: bool) -> bool:
        found = self.reach
        ids: dict[str, list[str]] = {
            "beyond": [
                each.id for each in found.beyond if not own or self.owner(each.owner, each.rule) == "this allowlist"
            ],
            "missing": [each.id for each in found.missing],
            "unknown": [each.id for each in found.unknown],
        }
        return any(each not in accepted for each in ids[kind])

    def as_json(self, accepted: dict[str, str], *, own: bool) -> dict[str, Any]:
        from hostgate.flows.reach import as_json

        told = as_json(self.reach)
        for each in told["beyond"]:
            each["owner"] = self.owner(each["owner"], each["rule"])
        if own:
            told["beyond"] = [each for each in told["beyond"] if each["owner"] == "this allowlist"]
        for each in (*told["beyond"], *told["missing"], *told["unknown"]):
            if each["id"] in accepted:
                each["accepted"] = accepted[each["id"]]
        return told

    def text(self, accepted: dict[str, str], *, own: bool) -> str:
        from hostgate.cli.tables import table

        place, found = self.reach.place, self.reach
        lines = [printable(f"{place.target.partition(':')[0]} {place.kind} {place.name}")]
        if place.remark:
            lines.append(printable(f"  {place.remark}"))
        rows = [
            (
                _mark(each.id, accepted),
                "beyond",
                _in_words(each.flows),
                each.rule or "-",
                f"{each.why} ({self.owner(each.owner, each.rule)})",
            )
            for each in found.beyond
            if not own or self.owner(each.owner, each.rule) == "this allowlist"
        ]
        rows += [
            (
                _mark(each.id, accepted),
                "missing",
                _in_words([each.flow]),
                each.rule or "-",
                f"{_some([entry for entry, _ in each.entries])}: {each.why}",
            )
            for each in found.missing
        ]
        rows += [
            (_mark(each.id, accepted), "unknown", _in_words([each.flow]), "-", "; ".join(each.what))
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


def _mark(id_: str, accepted: dict[str, str]) -> str:
    return f"{id_} (accepted)" if id_ in accepted else id_


def _some(entries: Sequence[str]) -> str:
    return ", ".join(entries[:3]) + (f" and {len(entries) - 3} more" if len(entries) > 3 else "")


def _in_words(flows: "Iterable[Flow]") -> str:
    told = list(dict.fromkeys(map(_flow_in_words, flows)))
    return "\n".join(told[:2]) + (f"\nand {len(told) - 2} more kinds" if len(told) > 2 else "")


def _flow_in_words(flow: "Flow") -> str:
    from hostgate.flows.name_atoms import STRANGER

    name = "any other name" if flow.name == STRANGER else flow.name
    unsaid = " that it does not say" if flow.protocol in ("https", "http") and flow.wire_name is None else ""
    where = f", at {flow.address}" if flow.address else ""
    whence = f", from {flow.source}" if flow.source else ""
    return f"{flow.protocol}{f' {flow.port}' if flow.port else ''} to {name}{unsaid}{where}{whence}"
