"""Risks: what in a change a reviewer should look at first, the gravest first, in words about hosts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hostgate.catalog.shared_hosting import shared_hosting
from hostgate.planning.findings import Finding
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.review.diff import FlowChange, TargetDiff
from hostgate.planning.review.openings import Part
from hostgate.planning.review.statement import Statement

RISKS: dict[str, str] = {
    "refused": "refused",
    "everything-open": "nothing is blocked",
    "clients-free": "clients no longer limited",
    "deny-weaker": "weaker deny",
    "target-gone": "cloud is left out",
    "clients-wider": "more clients",
    "wildcard": "wildcard",
    "widened": "widening accepted",
    "shared-hosting": "shared hosting",
    "mistaken": "misprint",
    "withdrawn": "withdrawn by the vendor",
    "plain-http": "plain HTTP",
    "unpinned": "not pinned",
    "warning": "new warning",
    "accepted": "newly accepted",
}
"""Ids, the gravest first, and the word a reviewer reads."""


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing to look at. `subject` is text of a catalog or of a config; `message` may quote it."""

    id: str
    subject: str
    message: str
    target: str

    @property
    def rank(self) -> int:
        return tuple(RISKS).index(self.id)

    @property
    def word(self) -> str:
        return RISKS[self.id]

    def as_json(self) -> dict[str, str]:
        return {"id": self.id, "subject": self.subject, "message": self.message, "target": self.target}


def reach_of(change: FlowChange) -> str:
    """Which names open or close, in words."""
    return _WORDS[change.parts]


_WORDS = {
    Part.NAME: "this name only",
    Part.ONE: "every name one label below",
    Part.DEEP: "every name two or more labels below",
    Part.ONE | Part.DEEP: "every name below, at any depth",
    Part.NAME | Part.ONE: "this name, and every name one label below",
    Part.NAME | Part.DEEP: "this name, and every name two or more labels below",
    Part.NAME | Part.ONE | Part.DEEP: "this name, and every name below, at any depth",
}


def risks(changes: Iterable[TargetDiff]) -> tuple[Risk, ...]:
    """Every risk of `changes`, the gravest first, then by subject."""
    found = [risk for change in changes for risk in _of_target(change)]
    return tuple(sorted(found, key=lambda risk: (risk.rank, risk.subject, risk.target, risk.message)))


def _of_target(change: TargetDiff) -> Iterator[Risk]:
    base, head, target = change.base, change.head, change.target

    def risk(id_: str, subject: str, message: str) -> Risk:
        return Risk(id_, subject, message, target)

    if head is None:
        yield risk("target-gone", target, "Its rules go, the deny that hostgate made among them.")
        return
    for reason in head.errors:
        yield risk("refused", target, reason)
    if head.silent and (base is None or not base.silent):
        said = "mode audit" if head.settings.get("mode") == "audit" else "deny none"
        yield risk("everything-open", target, f"With {said} every host is reachable, not only those below.")
    if base is not None and not head.silent and _DENIES.index(_deny(head)) < _DENIES.index(_deny(base)):
        yield risk("deny-weaker", target, f"Deny was {_deny(base)}, and is {_deny(head)}: {_DENY_MEANS[_deny(head)]}.")
    if any(one.id == "others-open" for one in head.findings or ()):
        for client in change.clients_removed:
            yield risk("clients-free", client, "No longer limited: the deny is about the clients under `from` only.")
    for client in change.clients_added:
        yield risk("clients-wider", client, f"May now use the {change.kept} hosts that were open to others before.")
    for flow in change.opened:
        yield from _of_flow(flow, risk)
    yield from _of_findings(change, risk)


_DENIES = ("none", "declared", "internet", "all")
_DENY_MEANS = {
    "none": "nothing is denied",
    "declared": "hostgate makes none, another is said to exist",
    "internet": "private ranges are open",
}


def _deny(statement: Statement) -> str:
    return str(statement.settings.get("deny", "internet"))


def _of_flow(flow: FlowChange, risk: Callable[[str, str, str], Risk]) -> Iterator[Risk]:
    entry = flow.entry
    if flow.opening.match != "exact":
        yield risk("wildcard", entry.host, f"Opens {reach_of(flow)}, {entry.protocol} on {entry.port}.")
    if flow.opening.widened:
        yield risk("widened", entry.host, f"The entry says {entry.match}; the rule also opens more than that.")
    if shared := shared_hosting(flow.opening.match, entry.host):
        yield risk("shared-hosting", entry.host, f"Other customers are reachable too: {shared}.")
    if entry.protocol == "http":
        yield risk("plain-http", entry.host, f"Unencrypted on {entry.port}: who is on the path can read and change it.")


def _of_findings(change: TargetDiff, risk: Callable[[str, str, str], Risk]) -> Iterator[Risk]:
    hosts = {decision.entry.id: decision.entry.host for decision in change.head.decisions} if change.head else {}

    def about(one: Finding) -> str:
        return hosts.get(one.entry or "", one.entry or change.target)

    told = {"shared-hosting", "audit", "deny-none", *_widenings()}
    for one in change.findings_new:
        if one.id in ("mistaken", "withdrawn", "unpinned"):
            yield risk(one.id, about(one), one.message)
        elif one.id not in told and one.severity == "warning" and not one.accepted:
            yield risk("warning", about(one), f"{one.id}: {one.message}")
    for one in (*change.findings_new, *change.accepted_now):
        if one.accepted:
            yield risk("accepted", about(one), f"{one.id}: {one.accepted}")


def _widenings() -> set[str]:
    return {id_ for target in targets() for way in mechanism(target).means for id_ in way.widenings.values()}
