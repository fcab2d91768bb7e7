"""The id of a line of reach: whose it is, and how far it goes.

How far a rule goes are its own conditions, as far as they are about names that the line is about, and what takes a part out
of them: rules that block or lead on before it is asked, and, of names that it spells out, what catalogs need. What other
rules let pass is no part of it, nor are their names, their order, and the flow that was found to show it. So a word that
somebody gave for a line holds as long as the line says no more, and for nothing wider.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final, TypeVar

from hostgate.flows.address_sets import AddressSet, reachable
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest, endings, hold
from hostgate.flows.routes import Round
from hostgate.flows.steps import Box, Place, Step, WayOut

ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}\Z")
"""The form of an id: what the line is, and how far it goes."""

_T = TypeVar("_T")
_APART: Final = "-"
_LAST: Final = 1 << 60
"""Behind every step that has a position."""


def line_id(key: Iterable[str], extent: Iterable[Hashable]) -> str:
    """The id of a line: what it is, and how far it goes."""
    return f"{_digest(chr(0).join(key))}{_APART}{_digest(repr(sorted(map(repr, set(extent)))))}"


def key_of(id_: str) -> str:
    """What a line is that has this id, however far it goes."""
    return id_.partition(_APART)[0]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a step stands: its stage, the group there that has an order of its own, and its position in it."""

    stage: int
    group: int
    position: int

    def is_behind(self, step: Step, gate: Step, at: "_Seat") -> bool:
        """Whether `gate`, which stands `at`, is asked before `step`, which stands here, lets a flow pass for good, or may be."""
        if at.stage != self.stage:
            return at.stage < self.stage or step.action == "next"
        if at.group not in (self.group, -1):  # nobody knows yet which comes first
            return True
        return at.position < self.position or not gate.moments <= step.moments


_ByHost = dict[str, list[tuple[Step, _Seat]]]
_NO_RULE: Final = Step(action="allow", rule="", why="no rule decides")
_BEHIND_ALL: Final = _Seat(1 << 30, -1, _LAST)


class Extents:
    """How far the rules of one place go, given what catalogs need there."""

    def __init__(self, place: Place, needs: Sequence[Need]) -> None:
        self.place, self.needs = place, needs
        self._parts: dict[tuple[int, ...], str | None] = {}

    def of_rule(self, owner: str, rule: str, names: Iterable[str]) -> Iterator[Hashable]:
        """How far a rule goes for `names` and those like them; without any, for all. No rule: what none decides."""
        about: dict[str, list[str]] = {"": []}
        for name in dict.fromkeys(names):
            for ending in ("", *endings(name.lower())):
                about.setdefault(ending, []).append(name)
        for step, seat in self._rules.get((owner, rule), ()) if rule else [(_NO_RULE, _BEHIND_ALL)]:
            exact = next((test.text for test in step.box.name_tests if test.kind == "exact" and not test.negated), None)
            of_step = about.get(_host(step.box), ())
            if not about[""] or any(_is_about(step.box, name) for name in of_step):
                own = self._part(step.box, step.box), tuple(sorted(step.box.doubts))
                yield _does(step), _names(step.box), *own, *self._less(step, seat, exact)

    def of_closing(self, owner: str, rule: str, name: str) -> Iterator[Hashable]:
        """How far a rule goes that closes `name`, whatever other names it is about."""
        for step, _ in self._rules.get((owner, rule), ()):
            if _is_about(step.box, name):
                yield self._part(step.box, step.box)

    def _less(self, step: Step, seat: _Seat, exact: str | None) -> list[str]:
        """What is taken out of a step: by what is asked before it and, where it spells a name out, by what needs that. A name
        that a catalog has is none of the others that a wide rule opens, whatever else is about it."""
        less: dict[str, None] = {}
        for gate, at in self._gates_about(step.box, exact):
            own = step.rule and (gate.owner, gate.rule) == (step.owner, step.rule)
            if own or not seat.is_behind(step, gate, at):
                continue
            part = self._part(gate.box, step.box)
            if part is not None:
                less[f"{_does(gate)} {_names(gate.box) if exact is None else ''} {part}"] = None
        above = (need for ending in endings(exact or "") for need in self._needs_of.get(ending, ()))
        for need in (*self._needs_of.get("", ()), *above):
            if need.box.dialled is None or hold(need.box.dialled, exact):
                part = self._part(need.box, step.box)
                if part is not None:
                    less[f"needed {part}"] = None
        return sorted(less)

    def _gates_about(self, box: Box, exact: str | None) -> Iterator[tuple[Step, _Seat]]:
        """Those that may be about names that `box` is about."""
        unnamed, above, below = self._gates
        if exact is not None:
            found = (each for ending in endings(exact.lower()) for each in above.get(ending, ()))
            yield from (each for each in (*unnamed, *found) if _is_about(each[0].box, exact))
            return
        host = _host(box)
        over = (each for ending in endings(host) if ending != host for each in above.get(ending, ()))
        for gate in (*unnamed, *over, *below.get(host, ())):
            if not any(map(self._is_of_a_need, gate[0].box.name_tests)):
                yield gate

    @cached_property
    def _rules(self) -> dict[tuple[str, str], list[tuple[Step, _Seat]]]:
        found: dict[tuple[str, str], list[tuple[Step, _Seat]]] = {}
        for step, seat in _seated(self.place):
            if step.rule:
                found.setdefault((step.owner, step.rule), []).append((step, seat))
        return found

    @cached_property
    def _gates(self) -> tuple[list[tuple[Step, _Seat]], _ByHost, _ByHost]:
        """What blocks or leads on, or lets no more than a packet pass: such as no host can be said of, and the others by the
        host that their names end with, and by all that this ends with."""
        unnamed: list[tuple[Step, _Seat]] = []
        above: _ByHost = {}
        below: _ByHost = {}
        ends = ((stage.otherwise, _Seat(number, -1, _LAST)) for number, stage in enumerate(self.place.stages))
        for step, seat in (*_seated(self.place), *ends):
            if step.action != "allow" or not step.lasting:
                host = _host(step.box)
                if not host:
                    unnamed.append((step, seat))
                    continue
                above.setdefault(host, []).append((step, seat))
                for ending in ("", *endings(host)):
                    below.setdefault(ending, []).append((step, seat))
        return unnamed, above, below

    @cached_property
    def _needs_of(self) -> dict[str, list[Need]]:
        """Needs by the text of each of their tests; such as ask for no name by none."""
        found: dict[str, list[Need]] = {}
        for need in self.needs:
            for text in {test.text.lower() for test in need.box.dialled or ()} or {""}:
                found.setdefault(text, []).append(need)
        return found

    def _is_of_a_need(self, test: NameTest) -> bool:
        """Whether a test asks for a host that a catalog has, and for no more."""
        needs = self._needs_of.get(test.text.lower(), ()) if test.text and not test.negated else ()
        kinds = {each.kind for need in needs for each in need.box.dialled or ()}
        return bool(kinds) if test.kind == "exact" else test.kind in kinds

    def _part(self, gate: Box, box: Box) -> str | None:
        """What of `box` is in `gate`, their names apart; None if nothing is. Boxes that differ in names alone share it."""
        client = gate.client, box.client
        key = tuple(map(id, (gate.port, gate.address, gate.protocols, gate.applications, gate.but, gate.doubts, gate.client_ports,
                             box.port, box.address, box.protocols, box.applications, *client)))  # fmt: skip
        if key not in self._parts:
            self._parts[key] = _part(gate, box)
        return self._parts[key]


def of_ways_round(ways: Iterable[Round]) -> Iterator[Hashable]:
    """How far a route leads past a place."""
    for each in ways:
        yield each.subnet, each.family, each.protocol, each.client, _addresses(each.way.addresses)


def of_ways_out(ways: Iterable[WayOut]) -> Iterator[Hashable]:
    """How far a rule leads to the internet of which no step tells."""
    for each in ways:
        flow = each.flow
        yield flow.name, flow.port, flow.protocol, flow.address, flow.source, bool(each.doubts)


def _seated(place: Place) -> Iterator[tuple[Step, _Seat]]:
    for number, stage in enumerate(place.stages):
        for group, steps in enumerate((stage.steps, *stage.unordered)):
            yield from ((step, _Seat(number, group, position)) for position, step in enumerate(steps))
        yield from ((step, _Seat(number, -1, _LAST - len(stage.last) + at)) for at, step in enumerate(stage.last))


def _host(box: Box) -> str:
    """What every name that a box is about ends with; empty if nobody can say."""
    hosts = (test.host for test in box.name_tests if not box.nameless)
    return max((host for host in hosts if host), key=len, default="")


def _is_about(box: Box, name: str) -> bool:
    lower = name.lower()
    return (
        (box.wire is None or box.nameless or hold(box.wire, name))
        and (box.dialled is None or hold(box.dialled, lower))
        and (box.asked is None or hold(box.asked, lower))
    )


def _part(gate: Box, box: Box) -> str | None:
    port, address = gate.port & box.port, _both_have(gate.address, box.address.within(reachable()))
    client = _both_have(gate.client.addresses, box.client.addresses)
    protocols = _common(gate.protocols, box.protocols)
    applications = _common(gate.applications, box.applications)
    if not port or address is None or client is None or (box.applications or {""}) <= gate.but:
        return None
    if protocols == frozenset() or applications == frozenset():
        return None
    identities = None if gate.client.identities is None else sorted(gate.client.identities)
    told = (
        sorted(protocols or ()) or None, sorted(applications or ()) or None, sorted(gate.but), port.parts,
        _addresses(address), _addresses(client), identities, bool(gate.doubts), gate.client_ports.parts,
    )  # fmt: skip
    return _digest(repr(told))


def _both_have(some: AddressSet, own: AddressSet) -> AddressSet | None:
    """What of some addresses is among one's own; None if nothing is. Nobody knows which are in a set that is not seen."""
    part = some if own.symbols else some.within(own)
    return part if part.v4 or part.v6 or part.symbols else None


def _common(one: frozenset[_T] | None, other: frozenset[_T] | None) -> frozenset[_T] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _does(step: Step) -> tuple[Hashable, ...]:
    return step.action, tuple(sorted(map(int, step.moments))), step.lasting


def _names(box: Box) -> Hashable:
    asked = (box.wire, box.dialled, box.asked)
    return (*(None if names is None else tuple(sorted(map(str, names))) for names in asked), box.nameless)


def _addresses(addresses: AddressSet) -> Hashable:
    return addresses.v4.parts, addresses.v6.parts, tuple(sorted(addresses.symbols)), tuple(sorted(addresses.without))
