"""What a change of one layer does to the hosts of others that clients meet with it (`planning.layers`).

Each layer is compared with itself. Whether its hosts open or close is told by all the layers of its side together: one that
comes may block what another lists, and what one no longer lists another may still let pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hostgate.catalog.model import Entry
from hostgate.flows.flow import Flow
from hostgate.planning.decision import Decision
from hostgate.planning.layers import Joint, joints
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import Options
from hostgate.review.openings import PARTS, Opening, Openings, Part
from hostgate.review.plan_changes import FlowChange, TargetDiff
from hostgate.review.statement import Statement
from hostgate.review.unlisted import Unlisted

_BELOW = {Part.NAME: "", Part.ONE: "any-name.", Part.DEEP: "any-name.any-name."}
"""What stands for the names of a part, before the name of the entry."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """A statement of a plan, as layers are judged."""

    statement: Statement
    options: Options

    @property
    def target(self) -> str:
        return self.statement.target

    @property
    def objects(self) -> Sequence[CloudObject]:
        return [CloudObject(kind=each.kind, name=each.name, body=dict(each.body)) for each in self.statement.made or ()]

    @property
    def decisions(self) -> Sequence[Decision]:
        return self.statement.decisions


class _Side:
    """The layers of one side, by whom clients meet together. What is not planned, or refused, is met by nobody here."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        layers = [_Layer(each, each.options) for each in statements if each.options is not None and not each.refused]
        self._found = joints(layers)
        self.joints = [[*map(_statement_of, joint.layers)] for joint in self._found]

    def mates(self, statement: Statement | None) -> list[Statement]:
        """Those that clients meet together with it, itself among them."""
        return next((each for each in self.joints if any(one is statement for one in each)), [])

    def listed_with(self, statement: Statement) -> list[Statement]:
        """The others whose rules are one list with those of the statement."""
        gates = (gate for joint in self._found for gate in joint.gates)
        own = ([*map(_statement_of, gate.layers)] for gate in gates)
        return [one for each in own if any(one is statement for one in each) for one in each if one is not statement]

    def of(self, statements: Sequence[Statement]) -> list[Joint]:
        return [
            joint
            for joint, held in zip(self._found, self.joints, strict=True)
            if any(one is each for one in held for each in statements)
        ]


def _statement_of(layer: object) -> Statement:
    assert isinstance(layer, _Layer)
    return layer.statement


def judged_together(
    changes: Sequence[TargetDiff], base: Sequence[Statement], head: Sequence[Statement]
) -> tuple[TargetDiff, ...]:
    """The changes with what other layers do to their hosts; those as they are that no other layer is met with."""
    before, after = _Side(base), _Side(head)
    found = []
    for change in changes:
        group = _met_together(change, changes, before, after)
        refused = any(each.head is not None and each.head.refused for each in group)
        if len(group) < 2 or refused or all(each.unchanged for each in group):
            found.append(change)
            continue
        sides = (
            before.of([each.base for each in group if each.base is not None]),
            after.of([each.head for each in group if each.head is not None]),
        )
        found.append(_judged(_carried_on(change, group, before), *sides))
    return tuple(found)


def _met_together(change: TargetDiff, changes: Sequence[TargetDiff], before: _Side, after: _Side) -> list[TargetDiff]:
    """Changes of layers that clients meet together on either side, the change itself among them."""
    with_base, with_head = before.mates(change.base), after.mates(change.head)
    return [
        each
        for each in changes
        if each is change or any(each.base is one for one in with_base) or any(each.head is one for one in with_head)
    ]


def _carried_on(change: TargetDiff, group: Sequence[TargetDiff], before: _Side) -> TargetDiff:
    """A layer that goes from a list in which another stays. Where both say that the deny is elsewhere, in the same policy, it
    is there as before: nothing opens by that."""
    if change.base is None or change.head is not None or change.base.enforcement.denier != "others":
        return change
    mates = before.listed_with(change.base)
    for each in group:
        stays = each.head is not None and any(each.base is one for one in mates)
        if each.head is not None and stays and each.head.enforcement.denier == "others":
            return replace(change, unlisted=Unlisted(), carried_on=each.head.target)
    return change


def _judged(change: TargetDiff, before: Sequence[Joint], after: Sequence[Joint]) -> TargetDiff:
    closed: list[FlowChange] = []
    held: list[FlowChange] = []
    # In one list a flow meets one rule; where it meets a layer after another, what a layer does itself is told of it.
    one_list = any(len(gate.layers) > 1 for joint in (*before, *after) for gate in joint.gates)
    opened = [each for flow in change.opened for each in _opened(flow, before, after, one_list=one_list)]
    for flow in change.closed:
        parts = [part for part in _parts(flow.parts) if not one_list or _may_pass(before, flow, part)]
        gone = [part for part in parts if not _passes(after, flow, part)]
        closed += _of_parts(flow, gone)
        held += _of_parts(flow, [part for part in parts if part not in gone])
    kept = len(held) + change.kept
    # The clients of several lists fare differently, and a verdict on all of them is no verdict on one.
    sure = not any(each is not None and each.grants for each in (change.base, change.head))
    for opening in _kept(change):
        flow = FlowChange(opening, PARTS[opening.match])
        was = [part for part in _parts(flow.parts) if _passes(before, flow, part)]
        lost = [part for part in was if not (_passes if sure else _may_pass)(after, flow, part)]
        won = [
            part for part in _parts(flow.parts)
            if part not in was and _blocked(before, flow, part) and not _blocked(after, flow, part)
        ]  # fmt: skip
        kept -= bool(lost or won)
        closed += (replace(each, by=f", which {_names(after, each)} blocks") for each in _of_parts(flow, lost))
        opened += (replace(each, by=f", which {_names(before, each)} blocked") for each in _of_parts(flow, won))
    return replace(change, opened=tuple(opened), closed=tuple(closed), held=tuple(held), kept=kept)


def _opened(flow: FlowChange, before: Sequence[Joint], after: Sequence[Joint], *, one_list: bool) -> list[FlowChange]:
    """What opens: in a list nothing that passed before, or does not now."""
    if one_list:
        parts = [
            part for part in _parts(flow.parts) if not _passes(before, flow, part) and _may_pass(after, flow, part)
        ]
        return _of_parts(flow, parts)
    blocked = any(_blocked(after, flow, part) for part in _parts(flow.parts))
    return [replace(flow, by=f", which {_names(after, flow)} blocks") if blocked else flow]


def _kept(change: TargetDiff) -> Iterator[Opening]:
    """What the layer lists on both sides, as a whole and for the same clients."""
    after, told = Openings(change.head), {flow.entry.key for flow in (*change.opened, *change.closed)}
    for each in Openings(change.base).listed:
        if each.decision.entry.key not in told and not after.lacks(
            PARTS[each.match], each.decision.entry.host, each.wire, each.port
        ):
            yield each


def _of_parts(flow: FlowChange, parts: Sequence[Part]) -> list[FlowChange]:
    joined = Part(0)
    for part in parts:
        joined |= part
    return [replace(flow, parts=joined)] if joined else []


def _parts(parts: Part) -> list[Part]:
    return [part for part in Part if part in parts]


def _flow(entry: Entry, part: Part) -> Flow:
    return Flow(f"{_BELOW[part]}{entry.host}", entry.port, entry.protocol)


def _actions(sides: Sequence[Joint], change: FlowChange, part: Part) -> set[str]:
    return {joint.verdict(_flow(change.entry, part))[0] for joint in sides}


def _passes(sides: Sequence[Joint], change: FlowChange, part: Part) -> bool:
    return _actions(sides, change, part) <= {"allow"}


def _blocked(sides: Sequence[Joint], change: FlowChange, part: Part) -> bool:
    return "block" in _actions(sides, change, part)


def _may_pass(sides: Sequence[Joint], change: FlowChange, part: Part) -> bool:
    return not _blocked(sides, change, part)


def _names(sides: Sequence[Joint], change: FlowChange) -> str:
    first = _parts(change.parts)[0]
    blocking = [name for joint in sides for name in joint.verdict(_flow(change.entry, first))[1]]
    return " and ".join(dict.fromkeys(blocking)) or "another layer, as far as is known,"
