"""What simulated clouds allow at every moment of an update, judged from their journal by the mechanisms' verdicts.

It knows nothing of how the update was made: it rebuilds the state after every single call, and asks of each flow that
no moment opens what neither plan allows, cuts what both allow, or takes away a policy that was there and stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network

from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan
from hostgate.sandbox.enforcement_points import Point, points
from hostgate.sandbox.state import Call, StoredObject, states

Plans = Mapping[str, Plan]
"""The plan of each layer, as `layer` calls it."""


@dataclass(frozen=True, slots=True)
class Update:
    """One run of the engine: what was held before it, the calls that it made, and the plans before and after."""

    before: Sequence[StoredObject]
    calls: Sequence[Call]
    old: Plans
    new: Plans

    @property
    def after(self) -> list[StoredObject]:
        return [*states(self.calls, self.before)][-1][1] if self.calls else list(self.before)

    def done(self, operation: str) -> list[str]:
        """Type and name, made-up digits aside, of what this run made, changed or deleted."""
        return [f"{call.type.rpartition(':')[2]} {plain(call.name)}" for call in self.calls if _is(call, operation)]


def plain(name: str) -> str:
    """A name without the digits that the engine made up."""
    head, _, tail = name.rpartition("-")
    return head if head and len(tail) == 7 and all(letter in "0123456789abcdef" for letter in tail) else name


def layer(target: str) -> str:
    """What judges beside others: a cloud's firewall (its mechanisms take each other's place), its queries, or its proxy."""
    return target if target in ("aws:dns-firewall", "gcp:web-proxy") else target.partition(":")[0]


def violations(update: Update, flows: Iterable[Flow], *, complete: bool = True) -> list[str]:
    """Every moment that is not as it must be, in words. `complete`: the run ended well, so the new plan is in force."""
    probes = list(flows)
    start = _places(update.before)
    end = _places(update.after)
    old, new = _actions(update.old, probes), _actions(update.new, probes)
    found = []
    judged = {place: point for place, point in start.items() if place in end}
    for call, held in states(update.calls, update.before):
        where = f"after call {call.number} ({call.operation} of {call.type.rpartition(':')[2]} {call.name})"
        now = _places(held)
        found += [f"{where}: {place} is judged by nobody" for place in start.keys() & end.keys() - now.keys()]
        for place, point in now.items():
            if judged.get(place) == point:  # as it was before this call
                continue
            sides = [side[layer(point.target)] for side in (old, new) if layer(point.target) in side]
            stays = len(sides) == 2 and place in start.keys() & end.keys()
            found += [f"{where}: {wrong}" for wrong in _wrong(point, sides, stays, probes)]
        judged = now
    if complete:
        for place, point in end.items():
            for flow, action in zip(probes, new.get(layer(point.target), ()), strict=False):
                if point.verdict(flow).allows != (action == "allow"):
                    found.append(f"at the end {place} and the plan differ on {_shown(flow)}")
    return found


def _actions(plans: Plans, probes: Sequence[Flow]) -> dict[str, list[str]]:
    """Of each layer, what its plan does with each of `probes`."""
    return {name: [plan.verdict(flow).action for flow in probes] for name, plan in plans.items()}


def _wrong(point: Point, sides: Sequence[Sequence[str]], stays: bool, probes: Sequence[Flow]) -> Iterable[str]:
    """`stays`: the place is there before and after, under a plan both times. What a plan cannot tell is not held against
    anybody: a managed group may block what the plan's own groups allow."""
    for flow, *planned in zip(probes, *sides, strict=True) if sides else ():
        now = point.verdict(flow).action
        if now == "allow" and set(planned) == {"block"}:
            yield f"{point.title} opens {_shown(flow)}"
        if now == "block" and stays and set(planned) == {"allow"}:
            yield f"{point.title} cuts {_shown(flow)}"


def flows_about(plans: Iterable[Plan]) -> list[Flow]:
    """Flows to every host of the plans and close by: other ports, protocols and names, addresses that are given by hand or
    by a pool, and private destinations; of plans with several grants from a client of each range, and from one that none
    names."""
    plans, found = list(plans), dict[Flow, None]()
    for plan in plans:
        for decision in plan.decisions:
            entry = decision.entry
            for name in (entry.host, f"a.{entry.host}", f"not{entry.host}"):
                for protocol in ("https", "http", "tcp"):
                    for port in {entry.port, 443, 8443}:
                        found[Flow(name, port, protocol)] = None  # type: ignore[arg-type]
            given = getattr(plan.options, "addresses", {})
            for cidr in (*given.get(entry.id, ()), *given.get(entry.host, ())):
                inside = ip_network(cidr)
                for address in (inside[0], inside[-1] + 1):
                    for port in {entry.port, 8443}:
                        found[Flow(entry.host, port, entry.protocol, address=str(address))] = None
    for name in ("evil.example", "dl.cgr.dev.evil.example"):
        found[Flow(name)] = None
        found[Flow(name, 443, "quic")] = None
        found[Flow(name, 22, "tcp")] = None
    found[Flow("db.internal", 5432, "tcp", address="10.1.2.3")] = None
    granted = {client for plan in plans for share in plan.options.shares if share.grant for client in share.own_clients}
    if not granted:
        return list(found)
    sources = {str(ip_network(cidr)[7]) for cidr in granted} | {"192.168.77.7"}
    return [replace(flow, source=source) for flow in found for source in sorted(sources)]


def _places(held: Iterable[StoredObject]) -> dict[str, Point]:
    """The points that judge somebody's flows: a policy of Google Cloud does so once a network or a gateway has it, a group
    of DNS Firewall once a VPC does. Policies of the other firewalls count as they are, with a firewall or without."""
    attached = ("gcp:fqdn", "gcp:web-proxy", "aws:dns-firewall")
    return {
        point.place: point
        for point in points(held)
        if point.target not in attached or not point.remark.startswith("no ")
    }


def _shown(flow: Flow) -> str:
    return f"{flow.name}:{flow.port} {flow.protocol}{f' from {flow.source}' if flow.source else ''}"


def _is(call: Call, operation: str) -> bool:
    return call.operation == operation and not call.refusal
