"""Changes made by hand: entries before and after, planned for one target and compared."""

from collections.abc import Iterable
from typing import Any

from conformance.catalogs import selection
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance
from hostgate.planning.plan import Plan, draft
from hostgate.planning.review.diff import FlowChange, TargetDiff, diff
from hostgate.planning.review.statement import state


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


_WIDENINGS = ("apex-included", "deeper-names")
