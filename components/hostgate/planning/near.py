"""Which entries come nearest to a flow that no rule allows, and what of each does not match."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from hostgate.catalog.hosts import MAX_NAME
from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import Entry, Protocol
from hostgate.flows.flow import Flow, FlowProtocol
from hostgate.planning.decision import Decision
from hostgate.planning.mechanism import Sight, mechanism
from hostgate.planning.plan import Plan

MOST_COMPARED = 2_000
"""Hosts among which a misspelt name is looked for; comparing costs about 10 microseconds each."""

_WIRE: dict[Protocol, tuple[FlowProtocol, ...]] = {
    "https": ("https", "tls"),
    "tls": ("https", "tls"),
    "http": ("http",),
    "tcp": ("tcp",),
    "udp": ("udp",),
}


@dataclass(frozen=True, slots=True)
class Near:
    """An entry close to a flow. `lacking` says what does not match; empty if the entry is about this very flow."""

    decision: Decision
    lacking: tuple[str, ...]

    @property
    def entry(self) -> Entry:
        return self.decision.entry


def nearest(plan: Plan, flow: Flow, most: int = 3) -> tuple[Near, ...]:
    """The entries of `plan` nearest to `flow` by name, whatever became of them; those that lack least come first."""
    sights = {way.sight for way in mechanism(plan.target).means}
    sight: Sight = "query-name" if sights == {"query-name"} else "name-and-port"
    name = flow.name if sight == "query-name" else flow.wire_name or flow.name
    name = name.lower().removesuffix(".")
    related = [(rank, decision) for decision in plan.decisions if (rank := _rank(decision.entry, name)) is not None]
    best = min((rank for rank, _ in related), default=None)
    related = [(rank, decision) for rank, decision in related if rank == best]
    if not related and len(plan.decisions) <= MOST_COMPARED and len(name) <= MAX_NAME:
        hosts = get_close_matches(name, {decision.entry.host for decision in plan.decisions}, most, 0.8)
        related = [(3, decision) for decision in plan.decisions if decision.entry.host in hosts]
    found = [Near(decision, _why_not(plan, decision, flow, sight)) for _, decision in related]
    return tuple(sorted(found, key=lambda near: (len(near.lacking), near.entry.key))[:most])


def _why_not(plan: Plan, decision: Decision, flow: Flow, sight: Sight) -> tuple[str, ...]:
    lacking = tuple(_lacking(decision.entry, flow, sight))
    if lacking or decision.outcome != "allowed" or plan.verdict(flow).allows:
        return lacking
    # The entry is about this very flow and does not let it pass: then it is where the flow comes from or goes to.
    if plan.verdict(replace(flow, source=None)).allows:
        return (f"source: {flow.source} is none of the clients that the rules are for",)
    if plan.verdict(replace(flow, address=None)).allows:
        return (f"address: {flow.address} is none that the rules are for",)
    return ("source and address: the rules are for other clients and destinations",)


def _rank(entry: Entry, name: str) -> int | None:
    """0: the entry holds the name; 1: its host is the name, or above it; 2: below it; None: nothing in common."""
    if holds(entry.match, entry.host, name):
        return 0
    if entry.host == name or name.endswith(f".{entry.host}"):
        return 1
    return 2 if entry.host.endswith(f".{name}") else None


def _lacking(entry: Entry, flow: Flow, sight: Sight) -> Iterable[str]:
    seen = flow.name.removesuffix(".") if sight == "query-name" else flow.wire_name
    if seen is None:
        yield "no server name was sent, only an address"
    elif not holds(entry.match, entry.host, seen):
        yield _other_name(entry, seen)
    if sight == "query-name":
        return
    if flow.port != entry.port:
        yield f"port: {entry.port} is meant, not {flow.port}"
    if flow.protocol not in _WIRE[entry.protocol]:
        yield f"protocol: {entry.protocol} is meant, not {flow.protocol}"


def _other_name(entry: Entry, seen: str) -> str:
    name = seen.lower()
    seen = seen if len(seen) <= MAX_NAME else f"{seen[:MAX_NAME]}..."
    if name.removesuffix(".") != name:
        return f"name: {seen} has a trailing dot, which makes another name on the wire"
    if name.endswith(f".{entry.host}"):
        reach = "this name only" if entry.match == "exact" else "one label below only"
        return f"name: {entry.match} is {reach}, not {seen}"
    if name == entry.host:
        return f"name: {entry.match} is what is below, not {seen} itself"
    return f"name: {entry.reach} is meant, not {seen}"


def advice(near: Sequence[Near]) -> str:
    """What to do about a flow that the plan blocks, by the nearest entries."""
    own = "allow it by an entry of a catalog of your own (docs/catalog.md)"
    if not near:
        return f"No entry has such a name. If it is needed, {own}."
    best = near[0]
    match best.decision.outcome:
        case "left out" if not best.lacking:
            return f"{best.entry.id} is about it and left out: {best.decision.reason}. Select it if it is needed."
        case "covered" if not best.lacking:
            return (
                f"{best.entry.id} is about it and covered: {best.decision.reason}. Use that host, or `choose` this one."
            )
        case "refused":
            return f"{best.entry.id} is refused: {best.decision.reason}"
    if best.lacking[0].startswith("source"):
        return (
            f"{best.entry.id} is about it, for other clients. Compare the client with `from` and the ranges behind it."
        )
    return f"Nearest is {best.entry.id}, and that is not it. If it is needed, {own}."
