"""Changes made by hand: entries before and after, planned for one target and compared."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.catalogs import selection
from hostgate.allowlist import _inputs
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance
from hostgate.cli.preview_statements import read_preview
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.plan import Plan, draft
from hostgate.planning.pool_form import read_pool
from hostgate.review.plan_changes import FlowChange, TargetDiff, diff
from hostgate.review.statement import Statement, locked, read_statements, state


def made(target: str, entries: Iterable[Entry], **options: Any) -> Plan:
    """The plan of `entries`; widenings of any of them are accepted."""
    listed = list(entries)
    accept = [Acceptance(finding=id_, because="tests", entry=each.id) for each in listed for id_ in _WIDENINGS]
    return draft(selection(listed, accept=accept), target, options or None)


def pool_of(hosts: Mapping[str, Iterable[str]]) -> AddressPool:
    """A pool that has seen the addresses of `hosts` lately."""
    seen = "first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z"
    told = "".join(
        f"host {host} window 86400\n" + "".join(f"  {each} {seen}\n" for each in listed)
        for host, listed in hosts.items()
    )
    return read_pool(f"hostgate-pool 1\n{told}end\n".encode(), "pool.txt")


BOTH_FAMILIES = {
    "a.example": ("203.0.113.7", "2001:db8::7"),
    "b.example": ("203.0.113.8", "203.0.113.9", "2001:db8::8"),
}


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
