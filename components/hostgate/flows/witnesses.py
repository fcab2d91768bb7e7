"""Witness flows: for a place and what catalogs need, one flow of every kind that the steps there tell apart.

Names with the same steps left are one class. Within a class a decision diagram goes through the other dimensions and
visits only atoms that differ; what is left at its ends is one flow each, which is put to the evaluator. So nothing is
sampled: a widening that is narrow in every dimension at once is met like any other.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from math import prod
from typing import Final, NamedTuple

from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    NO_ADDRESS,
    AddressFamily,
    AddressSet,
    is_translated,
    networks,
    reachable,
    union,
)
from hostgate.flows.atoms import cut, usual_address, usual_port
from hostgate.flows.crossed_names import CrossedNames
from hostgate.flows.flow import Flow, Verdict, ip_protocol
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.name_classes import NameClass, Need, Space
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Moment, Place, Step
from hostgate.flows.verdicts import ends as ends_of

MOST_ENDS: Final = 20_000
"""Ends of the diagrams of one place that are looked at before the answer is that the rules overlap too much."""

_ACCOUNTS: Final = (-1, -2)
"""The seat of service accounts, where several places are asked together; no group has it."""

MOST_IDENTITIES: Final = 2_000
"""Sets of identities of clients that are looked at, in each class of names."""

_QUIC_PORT: Final = 443
_UNUSED_PROTOCOL: Final = 253
"""An IP protocol number for experiments (RFC 3692): stands for every one that no rule names."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A flow with its verdict, that stands for all flows alike, of `names`, which the same kinds of steps are about.

    `due` are entries that need it or one like it, each with the name for which it does; `part_of` those whose host it
    reaches in a way that its client has no need of, such as TLS without a server name. `steps` are those that decide it or
    pass it on.
    """

    flow: Flow
    client: ClientTest
    verdict: Verdict
    due: tuple[tuple[str, str], ...]
    part_of: tuple[str, ...]
    names: tuple[str, ...]
    steps: tuple[Step, ...]
    deciding: tuple[Step | None, ...] = ()
    """Of each of `names`, the step that decides; None: none does."""
    meant: bool = False
    """Whether its client is one that what is due is for, by name, and nothing else that rules ask for."""
    elsewhere: bool = False
    """Whether it passes without being judged at the place, whose own assumptions say what becomes of it."""

    @property
    def family(self) -> AddressFamily:
        """What it goes over."""
        return "IPv6" if self.flow.family == 6 else "IPv4"


@dataclass(frozen=True)
class Extraction:
    """What was found at a place. `overlapping` are rules of classes that were not looked at to the end; `idle` steps that
    decide nothing that was found, though they are about some of it."""

    place: Place
    witnesses: tuple[Witness, ...]
    overlapping: tuple[str, ...] = ()
    idle: tuple[Step, ...] = ()
    busy: tuple[Step, ...] = ()
    """Steps that decide something that was found."""
    unread: tuple[tuple[Step, str], ...] = ()
    """Steps for names of a pattern of which no example was found, and the pattern: what they do was not looked at."""
    believing: tuple[tuple[str, Step], ...] = ()
    """Steps that let packets pass by the name that these carry alone, to whatever host they go, each with such a name."""


def extract(
    place: Place, needs: Sequence[Need], most: int = MOST_ENDS, *, apart: Sequence[ClientTest] = ()
) -> Extraction:
    """Every kind of flow to the internet that `place` and `needs` tell apart, from the clients that it is meant for.

    `apart`: clients that no others stand for, even where steps do the same to both.
    """
    space = Space((place,), needs, apart)
    found: list[Witness] = []
    overlapping: dict[str, None] = {}
    about: dict[int, Step] = {}
    busy: set[int] = set()
    lies: list[Witness] = []
    for kind in map(Diagram, (of for several in (space, CrossedNames(space)) for of in several.classes())):
        these = [kind.witness(cell) for cell in kind.cells(most - len(found) - len(lies))]
        (found if kind.of.crossed is None else lies).extend(these)
        if kind.cut_short:
            overlapping |= dict.fromkeys(part.step.rule for part in kind.of.parts if part.step and part.step.rule)
        deciding = {id(step) for witness in these for step in witness.steps} | kind.doubted
        for step, first, repeated in kind.of.steps():
            if id(first) in kind.met or id(first) in deciding:
                about[id(step)] = step
            if id(first) in deciding and (not repeated or _doubted(step.box)):
                busy.add(id(step))
    believing: dict[int, tuple[str, Step]] = {}
    for each in (*found, *lies):
        if each.verdict.allows and each.flow.wire_name is not None and not each.elsewhere:
            by = ((name, step) for name, step in zip(each.names, each.deciding, strict=True) if step is not None)
            believing |= {
                id(step): (name, step) for name, step in by if _believes(step.box) and id(step) not in believing
            }
    idle = () if overlapping else tuple(step for key, step in about.items() if key not in busy)
    deciding_some = tuple(about[key] for key in busy if key in about)
    return Extraction(
        place, tuple(found), tuple(overlapping), idle, deciding_some, tuple(space.unread()), tuple(believing.values())
    )


def _believes(box: Box) -> bool:
    """Whether what a box means by name is told by the packets alone."""
    return box.dialled is None and any(not test.negated for test in box.wire or ())


def _doubted(box: Box) -> bool:
    return bool(box.doubts or box.address.opaque or box.client.addresses.opaque)


class _Spoken(NamedTuple):
    """What the packets of a flow are: a protocol as flows have it, and whether they carry a name."""

    protocol: str
    number: int
    application: str
    carries: bool
    elsewhere: str = ""
    """The protocol that it stands for, too, and as which it is told at other ports than its own."""

    @property
    def has_ports(self) -> bool:
        return self.number in (6, 17, 33, 132, 136)


class Cell(NamedTuple):
    """One kind of flows to the names of a class: one of them, its client, and the parts that can hold for it and that surely
    do, as bits."""

    flow: Flow
    client: ClientTest
    can: int
    sure: int


@dataclass
class Diagram:
    """What becomes of flows to the names of a class, over all other dimensions."""

    of: NameClass
    cut_short: bool = False
    met: set[int] = field(default_factory=set)
    """Ids of steps that can hold for something that was looked at."""
    doubted: set[int] = field(default_factory=set)
    """Ids of steps of which nobody can tell whether they hold for something that was met: those may decide it."""
    _seen: set[tuple[int, int, int]] = field(default_factory=set)

    def cells(self, most: int) -> Iterator[Cell]:
        for family in self.of.space.families:
            clients = self._client_ranges(family)
            if not clients:
                continue
            for spoken in self._spoken(family):
                dimensions = (
                    self._ports(spoken), self._addresses(family), clients, self._identities,
                )  # fmt: skip
                can, sure = self._meant(spoken)
                self._meet(can, dimensions)
                self._seen = set()
                for cell, can_end, sure_end in self._ends(dimensions, 0, can, sure, ()):
                    if most <= 0:
                        self.cut_short = True
                        return
                    most -= 1
                    self.doubted |= {
                        id(part.step) for bit, part in enumerate(self.of.parts)
                        if part.step is not None and can_end >> bit & 1
                        and not (part.step.box.is_told and sure_end >> bit & 1)
                    }  # fmt: skip
                    yield self._cell(spoken, family, cell, can_end, sure_end)

    def _meet(self, can: int, dimensions: Sequence["_Rows"]) -> None:
        for rows in dimensions:
            can &= rows.ever
        self.met |= {
            id(part.step) for bit, part in enumerate(self.of.parts) if can >> bit & 1 and part.step is not None
        }

    def _ends(
        self, dimensions: Sequence["_Rows"], at: int, can: int, sure: int, cell: tuple[object, ...]
    ) -> Iterator[tuple[tuple[object, ...], int, int]]:
        """The cells in which what can hold, and what surely does, differ; each once."""
        can = self._relevant(can, sure, dimensions, at)
        sure &= can
        if (at, can, sure) in self._seen:
            return
        self._seen.add((at, can, sure))
        if at == len(dimensions):
            yield cell, can, sure
            return
        for can_here, sure_here, what in dimensions[at].rows:
            yield from self._ends(dimensions, at + 1, can & can_here, sure & sure_here, (*cell, what))

    def _relevant(self, can: int, sure: int, dimensions: Sequence["_Rows"], at: int) -> int:
        """Without steps that are never asked: before each, in its group, stands one that holds whatever comes."""
        holds = sure
        for rows in dimensions[at:]:
            holds &= rows.always
        for bits in self._groups:
            decided: frozenset[Moment] = frozenset()
            left = can & bits
            while left:
                low = left & -left
                left ^= low
                step = self.of.parts[low.bit_length() - 1].step
                assert step is not None
                if decided and step.moments <= decided:
                    can ^= low
                elif holds & low and step.box.is_told:
                    decided |= step.moments
        return can

    @cached_property
    def _groups(self) -> list[int]:
        found: dict[int, int] = {}
        for bit, part in enumerate(self.of.parts):
            if part.step is not None:
                found[part.group] = found.get(part.group, 0) | 1 << bit
        return list(found.values())

    def _spoken(self, family: AddressFamily) -> list[_Spoken]:
        """What packets can be, each once of those that the same parts are about."""
        numbers = {number for part in self.of.parts for number in part.box.protocols or ()}
        icmp = 1 if family == "IPv4" else 58
        found = [
            _Spoken("https", 6, "tls", True), _Spoken("http", 6, "http", True), _Spoken("https", 6, "tls", False),
            _Spoken("http", 6, "http", False), _Spoken("tcp", 6, "other", False), _Spoken("quic", 17, "quic", False),
            _Spoken("udp", 17, "other", False),
            *(_Spoken(ip_protocol(each), each, "other", False)
              for each in sorted({icmp, 47, 132, _UNUSED_PROTOCOL, *numbers} - {6, 17, 59 - icmp})),
        ]  # fmt: skip
        if self.of.crossed is not None:
            found = [each for each in found if each.carries]
        # Of a connection packets of both sides have to pass, of others the first alone: they never stand for each other.
        told = {(*self._meant(each), each.has_ports, each.number == 6): each for each in reversed(found)}
        kept = [each for each in found if each in told.values()]
        apart = any(each.protocol == "udp" for each in kept)
        return [each._replace(elsewhere="udp") if each.protocol == "quic" and not apart else each for each in kept]

    def _meant(self, spoken: _Spoken) -> tuple[int, int]:
        can = sure = 0
        for bit, part in enumerate(self.of.parts):
            box = part.box
            about = part.named if spoken.carries else part.silent
            about = about and (box.protocols is None or spoken.number in box.protocols)
            about = about and spoken.application not in box.but
            fits = box.applications is None or spoken.application in box.applications
            if part.need is not None:
                quiet = spoken.number == 6 and not spoken.carries and box.applications is not None
                can |= (about and (fits or quiet)) << bit
                sure |= (about and fits and not quiet) << bit
            else:
                can |= (about and fits) << bit
                sure |= (about and fits) << bit
        return can, sure

    def _ports(self, spoken: _Spoken) -> "_Rows":
        if not spoken.has_ports:
            return _Rows([(-1, -1, 0)])
        return self._rows([part.box.port for part in self.of.parts], EVERY_PORT)

    def _rows(self, sets: Sequence[Intervals], within: Intervals) -> "_Rows":
        distinct = list(dict.fromkeys(sets))
        bits = [sum(1 << bit for bit, each in enumerate(sets) if each == one) for one in distinct]
        rows = []
        for holding, part in cut(distinct, within):
            mask = sum(bits[index] for index in range(len(distinct)) if holding >> index & 1)
            rows.append((mask, mask, part))
        return _Rows(rows)

    def _addresses(self, family: AddressFamily) -> "_Rows":
        space, found = self.of.space, []
        for place, answer in zip(space.places, space.answers(self.of.dialled.lower()), strict=True):
            where = place.answers[answer][1] if answer >= 0 else NO_ADDRESS
            # What the internet answers, or nobody knows what.
            found.append(reachable() if where == NO_ADDRESS else where)
        return self._of_sets([part.box.address for part in self.of.parts], union(found).of(family), family)

    def _client_ranges(self, family: AddressFamily) -> "_Rows":
        found = []
        for place in self.of.space.places:
            meant = place.clients.addresses if place.clients is not None else place.inside
            within = (EVERY_ADDRESS if meant == NO_ADDRESS or meant.symbols else meant).of(family)
            if place.clients is None and not within:  # who is inside has no address of the family that is known
                within = EVERY_ADDRESS.of(family)
            found.append(within)
        within = Intervals.of(part for each in found for part in each)
        return self._of_sets([part.box.client.addresses for part in self.of.parts], within, family)

    def _of_sets(self, sets: Sequence[AddressSet], within: Intervals, family: AddressFamily) -> "_Rows":
        rows = self._rows([each.of(family) for each in sets], within).rows
        maybe = sum(bool(each.symbols) << bit for bit, each in enumerate(sets))
        doubted = sum(bool(each.without) << bit for bit, each in enumerate(sets))
        return _Rows([(can | maybe, sure & ~doubted, part) for can, sure, part in rows])

    @cached_property
    def _identities(self) -> "_Rows":
        """Sets of identities, one at most of each stage of each place: who has more of one is decided by one of them. Of accounts
        a client has one."""
        tests = [part.box.client.identities for part in self.of.parts]
        whose = [place.clients.identities if place.clients is not None else None for place in self.of.space.places]
        known = [each for each in whose if each is not None]
        meant = frozenset().union(*known) if len(known) == len(whose) else None
        every = sorted({*(each for test in tests for each in test or ()), *(meant or ())})
        asked_of = {
            each: sum((test is None or each in test) << bit for bit, test in enumerate(tests)) for each in every
        }
        nobody = frozenset(f"{kind}:nobody" for kind in sorted({_kind(each) for each in every}))
        stages: dict[tuple[int, int], dict[tuple[int, str], str]] = {}
        for part in self.of.parts:
            told = {each for of_stage in stages.values() for each in of_stage.values()} if part.step is None else set()
            for each in sorted((part.box.client.identities or frozenset()) - told):
                key = self.of.space.seat_of_group[part.group]
                if len(whose) > 1 and _kind(each) == "account":  # the same one before and after
                    key = _ACCOUNTS
                stages.setdefault(key, {}).setdefault((asked_of[each], _kind(each)), each)
        choices: list[list[str | None]] = [[None, *each.values()] for each in stages.values()]
        if meant is not None:
            choices.append(list({(asked_of[each], _kind(each)): each for each in sorted(meant)}.values()))
        if prod(map(len, choices)) > MOST_IDENTITIES:
            self.cut_short = True
        rows = []
        for chosen in islice(product(*choices), MOST_IDENTITIES):
            own = frozenset(each for each in chosen if each is not None)
            if sum(_kind(each) == "account" for each in own) > 1:
                continue
            kinds = set(map(_kind, own))
            whole = own | {each for each in nobody if _kind(each) not in kinds}
            can = sum((test is None or bool(test & whole)) << bit for bit, test in enumerate(tests))
            rows.append((can, can, whole))
        return _Rows(rows)

    def _cell(self, spoken: _Spoken, family: AddressFamily, cell: tuple[object, ...], can: int, sure: int) -> Cell:
        ports, addresses, clients, identities = cell
        port = usual_port(ports) if isinstance(ports, Intervals) else 0
        assert isinstance(addresses, Intervals)
        assert isinstance(clients, Intervals)
        assert isinstance(identities, frozenset)
        source = usual_address(clients, family, client=True)
        protocol = spoken.protocol if port == _QUIC_PORT else spoken.elsewhere or spoken.protocol
        flow = Flow(
            self.of.dialled, port, protocol, self.of.said if spoken.carries else None,
            usual_address(addresses, family), source
        )  # fmt: skip
        return Cell(flow, ClientTest(addresses=networks([source]), identities=identities or None), can, sure)

    def witness(self, cell: Cell) -> Witness:
        """The flow of the cell with what becomes of it at the one place that is asked."""
        flow, client, can, _ = cell
        (place,) = self.of.space.places
        due = self._due_needs(cell)
        verdict, deciding = ends_of(place, flow, client, answered=bool(due))
        steps = tuple(part.step for part in self.of.parts if part.step is not None and id(part.step) in deciding)
        part_of = tuple(need.entry for need in self._needs(can))
        by = next((step for step in reversed(steps) if step.rule == verdict.rule), None)
        each_decides = self._alike(by)
        elsewhere = verdict.allows and bool(deciding & self.of.space.around)
        return Witness(
            flow, client, verdict, self.due(cell), part_of, self.of.names, steps, each_decides,
            bool(due) and all(_is_meant(need.box.client, client.identities or frozenset()) for need in due), elsewhere,
        )  # fmt: skip

    def _alike(self, step: Step | None) -> tuple[Step | None, ...]:
        """For each name, the step that is to it what `step` is to the first."""
        place = next((index for index, each in enumerate(self.of.alike[0]) if each is step), None)
        return tuple(step if place is None else each[place] for each in self.of.alike)

    def due(self, cell: Cell) -> tuple[tuple[str, str], ...]:
        """Entries that need the flow of the cell or one like it, each with the name for which it does."""
        space, needs = self.of.space, self._due_needs(cell)
        shapes = {space.shape_of_box(need.box) for need in needs}
        told = {need.entry: self.of.names[0] for need in needs}
        for name, indices in zip(self.of.names, self.of.needs, strict=True) if needs else ():
            for index in indices:
                need = space.needs[index]
                if need.due and space.need_shapes[index] in shapes:
                    told.setdefault(need.entry, name)
        return tuple(told.items())

    def may_be(self, cell: Cell) -> bool:
        """Whether a need that is not due is about every flow of the cell."""
        return any(not need.due for need in self._needs(cell.can & cell.sure))

    def _due_needs(self, cell: Cell) -> list[Need]:
        name, family = self.of.names[0], "IPv6" if cell.flow.family == 6 else "IPv4"
        if name != name.lower():
            return []  # clients do not write it so
        if is_translated(cell.flow.address or ""):
            return []  # clients that have NAT64 may go so, and nobody here knows which have
        goes = any(family in place.families for place in self.of.space.places)
        return [need for need in self._needs(cell.can & cell.sure) if need.due and (goes or need.only == family)]

    def _needs(self, bits: int) -> list[Need]:
        return [part.need for bit, part in enumerate(self.of.parts) if part.need is not None and bits >> bit & 1]


def _is_meant(clients: ClientTest, identities: frozenset[str]) -> bool:
    """Whether a client with `identities` is one of `clients` that are named, and has no other identity that some rule is for:
    that rule may well be meant to decide otherwise."""
    known = {each for each in identities if not each.endswith(":nobody")}
    return clients != EVERY_CLIENT and known <= (clients.identities or frozenset())


def _kind(identity: str) -> str:
    return identity.partition(":")[0]


class _Rows:
    """Atoms of a dimension: of each, which parts can hold there and which surely do, as bits, and what it is."""

    def __init__(self, rows: Iterable[tuple[int, int, object]]) -> None:
        self.rows = tuple({(can, sure): (can, sure, what) for can, sure, what in rows}.values())
        self.always, self.ever = -1, 0
        for can, sure, _ in self.rows:
            self.always &= sure
            self.ever |= can

    def __bool__(self) -> bool:
        return bool(self.rows)
