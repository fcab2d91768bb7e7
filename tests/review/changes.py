"""Changes made by hand: entries before and after, planned for one target and compared."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from conformance.catalogs import selection
from hostgate.allowlist import _inputs
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance
from hostgate.cli.preview_statements import read_preview
from hostgate.planning.plan import Plan, draft
from hostgate.review.plan_changes import FlowChange, TargetDiff, diff
from hostgate.review.statement import Statement, locked, read_statements, state


def made(target: str, entries: Iterable[Entry], **options: Any) -> Plan:
    """The plan of `entries`; widenings of any of them are accepted."""
    listed = list(entries)
    accept = [Acceptance(finding=id_, because="tests", entry=each.id) for each in listed for id_ in _WIDENINGS]
    return draft(selection(listed, accept=accept), target, options or None)


def change(target: str, before: Iterable[Entry], after: Iterable[Entry]) -> TargetDiff:
    (found,) = diff([state(made(target, before))], [state(made(target, after))])
    return found


def told(changes: Iterable[FlowChange]) -> set[tuple[str, int]]:
    """Host and parts of each change."""
    return {(each.entry.host, int(each.parts)) for each in changes}


_WIDENINGS = ("apex-included", "deeper-names", "google-apis")


def by_source(source: str, plans: Iterable[Plan]) -> tuple[Statement, ...]:
    """What `plans` say as a stack, as the file of `--lock`, and as components in an engine's preview say it."""
    listed = list(plans)
    if source == "stack":
        return tuple(map(state, listed))
    if source == "lock":
        return read_statements(json.loads(locked(listed)), "reviewed.json") if listed else ()
    return read_preview({"steps": list(_steps(listed)), "changeSummary": {}}, "preview.json", deployed=True)[0]


SOURCES = ("stack", "lock", "preview")


def _steps(plans: Iterable[Plan]) -> Iterator[dict[str, Any]]:
    """A step for every component; an engine makes one in each Region. Equal names are of different parents."""
    for number, plan in enumerate(plans):
        cloud = plan.target.partition(":")[0]
        for place in plan.options.places:
            kind, name = f"hostgate-{cloud}:index:Allowlist", f"{plan.options.name}{f'-{place}' if place else ''}"
            inputs = {**_inputs(plan), **({"region": place} if place else {})}
            told = {
                "urn": f"urn:pulumi:dev::shop::acme:index:Team{number}${kind}::{name}",
                "type": kind,
                "inputs": inputs,
            }
            yield {"op": "same", "oldState": told, "newState": told}
