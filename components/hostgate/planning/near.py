"""Which entries come nearest to a flow that no rule allows, and what of each does not match."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any

from hostgate.catalog.hosts import MAX_NAME
from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import Entry, Protocol
from hostgate.flows.flow import Flow, FlowProtocol
from hostgate.flows.names import endings, kinship
from hostgate.planning.decision import Decision
from hostgate.planning.mechanism import Sight, mechanism
from hostgate.planning.plan import Plan

MOST_COMPARED = 50_000
"""Comparisons of a misspelt name with a host, over all flows; each costs 10 to 50 microseconds."""

MOST_RELATED = 200
"""Entries with a name in common that are compared in full with one flow."""

_WIRE: dict[Protocol, tuple[FlowProtocol, ...]] = {
    "https": ("https", "tls"),
    "tls": ("https", "tls"),
    "http": ("http",),
}


@dataclass(frozen=True, slots=True)
class Near:
    """An entry close to a flow. `lacking` says what does not match; empty if the entry is about this very flow."""

    decision: Decision
    lacking: tuple[str, ...]

    @property
    def entry(self) -> Entry:
        return self.decision.entry

    def as_json(self) -> dict[str, Any]:
        """The entry, what became of it, and what does not match."""
        entry = self.entry
        return {
            **({"grant": entry.grant} if entry.grant else {}),
            "entry": entry.id, "host": entry.reach, "port": entry.port, "protocol": entry.protocol,
            "outcome": self.decision.outcome, "lacking": list(self.lacking),
        }  # fmt: skip


class EntryIndex:
    """The entries of a plan, or of one grant of it, by the endings of their hosts, so that the nearest to a flow are found
    without a scan."""

    def __init__(self, plan: Plan, grant: str = "") -> None:
        self.plan, self.grant = plan, grant
        sights = {way.sight for way in mechanism(plan.target).means}
        self._sight: Sight = sights.pop() if len(sights) == 1 else "name-and-port"
        self._of_host: dict[str, list[Decision]] = {}
        self._below: dict[str, list[Decision]] = {}
        for decision in (each for each in plan.decisions if grant in ("", each.entry.grant)):
            host, *above = endings(decision.entry.host)
            self._of_host.setdefault(host, []).append(decision)
            for name in above:
                self._below.setdefault(name, []).append(decision)
        self._misspelt: dict[str, list[str]] = {}

    def nearest(self, flow: Flow, most: int = 3) -> tuple[Near, ...]:
        """The entries nearest to `flow` by name, whatever became of them; those that lack least come first."""
        name = flow.wire_name or flow.name if self._sight == "name-and-port" else flow.name
        name = name.lower().removesuffix(".")
        above = (decision for ending in endings(name) for decision in self._of_host.get(ending, ()))
        related: dict[int, list[Decision]] = {}
        for decision in islice(chain(above, self._below.get(name, ())), MOST_RELATED):
            entry = decision.entry
            kin = kinship(holds(entry.match, entry.host, name), entry.host, name)
            if kin is not None:
                related.setdefault(kin, []).append(decision)
        decisions = related[min(related)] if related else self._spelled_alike(name, most)
        found = [Near(decision, self._why_not(decision, flow)) for decision in decisions]
        return tuple(sorted(found, key=lambda near: (len(near.lacking), near.entry.key))[:most])

    def _spelled_alike(self, name: str, most: int) -> list[Decision]:
        """Entries whose hosts a misspelt name may mean, as long as looking for them stays cheap."""
        if name not in self._misspelt:
            spent = len(self._misspelt) * len(self._of_host)
            looked = len(name) <= MAX_NAME and spent + len(self._of_host) <= MOST_COMPARED
            self._misspelt[name] = get_close_matches(name, self._of_host, most, 0.8) if looked else []
        return [decision for host in self._misspelt[name] for decision in self._of_host[host]]

    def _why_not(self, decision: Decision, flow: Flow) -> tuple[str, ...]:
        lacking = tuple(_lacking(decision.entry, flow, self._sight))
        if lacking or decision.outcome != "allowed" or self._allows(flow):
            return lacking
        # The entry is about this very flow and does not let it pass: then it is where the flow comes from or goes to.
        if self._allows(replace(flow, source=None)):
            return (f"source: {flow.source} is none of the clients that the rules are for",)
        if flow.address is not None and (flow.source is None or self._allows(replace(flow, address=None))):
            return (f"address: {flow.address} is none that the rules are for",)
        return ("source and address: the rules are for other clients and destinations",)

    def _allows(self, flow: Flow) -> bool:
        """Whether the flow passes from some client that is meant."""
        found = self.plan.verdicts(flow)
        return any(verdict.allows for grant, verdict in found if self.grant in ("", grant) or not grant)


def nearest(plan: Plan, flow: Flow, grant: str = "", most: int = 3) -> tuple[Near, ...]:
    """As `EntryIndex.nearest`, for one flow of the clients of one grant."""
    return EntryIndex(plan, grant).nearest(flow, most)


def _lacking(entry: Entry, flow: Flow, sight: Sight) -> Iterable[str]:
    carrier = "udp" if entry.protocol == "udp" else "tcp"
    on_wire = sight == "name-and-port" and entry.protocol in ("https", "tls", "http")
    seen = flow.wire_name if on_wire else flow.name.removesuffix(".")
    if seen is None:
        yield "no server name was sent, only an address"
    elif not holds(entry.match, entry.host, seen):
        yield _other_name(entry, seen)
    if sight == "query-name":
        return
    if flow.port not in (entry.port, 0):  # 0 where the protocol has none
        yield f"port: {entry.port} is meant, not {flow.port}"
    matches = flow.protocol in _WIRE[entry.protocol] if on_wire else flow.transport == carrier
    if not matches:
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
    own = "allow it by an entry of a catalog of your own"
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
