"""Layers of one stack that clients meet together, judged as a state of the stack would be.

Each layer is planned alone. Where the rules of two are one list (`Options.one_list`), the list judges; where clients pass one
after the other, each has to let through what any of them is for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Protocol

from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError, Problem, few
from hostgate.catalog.selection import Selection
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.name_classes import Need
from hostgate.flows.reach import reach, sees_queries_alone
from hostgate.flows.steps import EVERY_CLIENT, Box, Place
from hostgate.flows.verdicts import decide
from hostgate.planning.decision import Decision
from hostgate.planning.findings import finding
from hostgate.planning.mechanism import CloudObject, mechanism
from hostgate.planning.needs import due_of, points_at
from hostgate.planning.options import Options, in_one_list
from hostgate.planning.plan import Plan, drafts, unused_acceptances, with_findings
from hostgate.planning.survey import Survey


class Layer(Protocol):
    """What a plan says, or a statement of one."""

    @property
    def target(self) -> str: ...
    @property
    def options(self) -> Options: ...
    @property
    def objects(self) -> Sequence[CloudObject]: ...
    @property
    def decisions(self) -> Sequence[Decision]: ...


@dataclass(frozen=True, eq=False)
class Gate:
    """Layers whose rules are one list; most often one layer alone. The first of them decides first."""

    layers: tuple[Layer, ...]

    @property
    def target(self) -> str:
        return self.layers[0].target

    @property
    def name(self) -> str:
        return " and ".join(layer.target for layer in self.layers)

    @cached_property
    def places(self) -> tuple[tuple[Options, Place], ...]:
        """Where flows meet the list, for the clients of each grant of the first layer, with its options."""
        first, *others = self.layers
        how = mechanism(first.target)
        beside = [(other.target, other.objects, other.options) for other in others]
        return tuple((share, how.place_with(first.objects, share, beside)) for share in first.options.shares)

    def verdicts(self, flow: Flow) -> list[Verdict]:
        return [decide(place, flow) for _, place in self.places]


@dataclass(frozen=True)
class Joint:
    """Layers of one cloud that a flow of their clients meets, as gates of which each has to let it pass."""

    gates: tuple[Gate, ...]

    @property
    def cloud(self) -> str:
        return self.gates[0].target.partition(":")[0]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(layer for gate in self.gates for layer in gate.layers)

    def verdict(self, flow: Flow) -> tuple[str, list[str]]:
        """What becomes of the flow, and the gates that block it. The clients of several grants may fare differently."""
        found = {gate.name: {each.action for each in gate.verdicts(flow)} for gate in self.gates}
        blocking = [name for name, actions in found.items() if actions == {"block"}]
        open_question = any(actions != {"allow"} for actions in found.values())
        return "block" if blocking else "unknown" if open_question else "allow", blocking

    def points(self) -> Iterator[tuple[Layer, Place, list[Need]]]:
        """Where flows are judged, by which layer first, and what has to pass there: the hosts of all the layers; those that
        another layer is for some clients at a point of their own."""
        for gate in self.gates:
            first = gate.layers[0]
            others = [layer for layer in self.layers if layer is not first]
            for place, needs in points_at(gate.places, first.options, first.decisions):
                # Of one list all are for the same clients, and a query does not tell its client.
                apart = [
                    each for each in others if not any(each is one for one in gate.layers) and _named(_due(each, gate))
                ]
                apart = [] if sees_queries_alone(place) else apart
                beside = (need for each in others if not any(each is one for one in apart) for need in _due(each, gate))
                yield first, place, [*needs, *beside]
                for each in apart:
                    theirs = replace(place, name=f"{place.name} for clients of {each.target}", clients=None)
                    # What else they reach there is judged by their own layer.
                    yield first, theirs, [*_due(each, gate), Need("", Box(), due=False)]

    def missing(self) -> Iterator[tuple[Gate, Layer, list[str]]]:
        """What a gate blocks of the hosts that a layer lets through where it stands alone: the layer's entries."""
        for layer in self.layers if len(self.layers) > 1 else ():
            single = Gate((layer,))
            alone = _closed(single, _due(layer, single))
            for gate in self.gates:
                wanted = _due(layer, gate)
                closed = _closed(gate, wanted) - alone if gate.layers != (layer,) else frozenset()
                entries = {entry for entry, _ in closed}
                if entries:
                    yield (
                        gate,
                        layer,
                        [each for each in dict.fromkeys(need.entry for need in wanted) if each in entries],
                    )


def _named(needs: Sequence[Need]) -> bool:
    """Whether something has to pass for some clients, who may be none of those that a place is meant for."""
    return any(need.box.client != EVERY_CLIENT for need in needs)


def _closed(gate: Gate, wanted: Sequence[Need]) -> frozenset[tuple[str, int | None]]:
    """The entries of what has to pass and does not, with the address family over which it does not."""
    places = [replace(place, clients=None) if _named(wanted) else place for _, place in gate.places]
    found = (each for place in places for each in reach(place, wanted).missing)
    return frozenset((entry, each.flow.family) for each in found for entry, _ in each.entries)


def joints(layers: Sequence[Layer]) -> list[Joint]:
    """Layers by whom clients meet together, in their order; one that no other is met with stands alone."""
    groups: list[list[Layer]] = []
    for layer in layers:
        mates = (group for group in groups if any(_meet(layer, other) for other in group))
        group = next(mates, None)
        if group is None:
            groups.append([layer])
        else:
            group.append(layer)
    return [Joint(tuple(_gates(group))) for group in groups]


def _meet(one: Layer, other: Layer) -> bool:
    same_cloud = one.target.partition(":")[0] == other.target.partition(":")[0]
    return same_cloud and not (one.options.apart(other.options) or other.options.apart(one.options))


def _gates(group: Sequence[Layer]) -> Iterator[Gate]:
    left = list(group)
    while left:
        first = left.pop(0)
        listed = [other for other in left if first.options.one_list(other.options) is not None]
        left = [other for other in left if not any(other is each for each in listed)]
        # What moves another layer's hosts to names stands before it, in whichever order the stack says them.
        behind = [first, *listed]
        leads = [each for each in behind if any(each.options.moves_from(other.options) for other in behind)]
        yield Gate((*leads, *(each for each in behind if not any(each is other for other in leads))))


def _due(layer: Layer, gate: Gate) -> list[Need]:
    """What has to pass at the gate for a layer: of a host whose addresses a pool says, at these. A pool of the layers there
    says so before one of its own does."""
    judging = () if any(each is layer for each in gate.layers) else gate.layers

    def dialled(entry: Entry) -> Sequence[str]:
        pooled = [each.options.dialled(entry) for each in (*judging, layer) if each.options.pooled(entry)]
        return next(filter(None, pooled), ())

    return due_of(layer.target, layer.options, layer.decisions, dialled)


def is_on_the_way(one: Layer, other: Layer) -> bool:
    """Whether both may be in one list for a while: one takes the other's hosts over, and blocks none of them."""
    pairs = ((one, other), (other, one))
    moves = any(a.options.moves_from(b.options) for a, b in pairs)
    return moves and not any(True for joint in joints([one, other]) for _ in joint.missing())


def plan_layers(
    selections: Sequence[Selection],
    targets: Sequence[tuple[str, Options]],
    *,
    as_of: date | None = None,
    survey: Survey | None = None,
    where: str = "",
) -> tuple[Plan, ...]:
    """A plan for each layer of a stack, with what is to be said of those that clients meet together. `where` says whose they
    are, by cloud.

    Raises InputError as `plan_all` does, and for layers of one list of which the first blocks what the other allows.
    """
    made = list(drafts(selections, targets, as_of=as_of, survey=survey))
    problems: list[Problem] = []
    for joint in joints([plan for plan in made if not plan.refused]):
        lists: dict[Gate, list[str]] = {}
        for gate, layer, entries in joint.missing():
            some = few(entries)
            if len(gate.layers) > 1:
                lists.setdefault(gate, []).append(f"{some} of {layer.target}")
                continue
            said = f"{some}: {gate.name} blocks what this layer allows, and clients have to pass both."
            at = next(at for at, plan in enumerate(made) if plan.target == layer.target)
            made[at] = with_findings(made[at], [finding("layers-differ", said)])
        for gate, blocked in lists.items():
            first, second, *_ = gate.layers
            names = [each.target.partition(":")[2] for each in gate.layers]
            said = in_one_list("layers", names, first.options.one_list(second.options) or "")
            message = f"`{where}:{joint.cloud}`: {said} Blocked so: {'; '.join(blocked)}."
            problems.append(Problem(rule="config", message=message, path=(joint.cloud,)))
    problems += unused_acceptances(made) if not problems else []
    if problems:
        raise InputError(problems)
    return tuple(made)
