"""Steps: what stands between a client and a destination, in the order in which the cloud looks at it.

Every cloud translates its policies into stages of steps; nothing here knows which cloud it was. A step is a box of
conditions with an action; `decide` in `hostgate.flows.verdicts` answers a flow from them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Final, Literal

from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, NO_ADDRESS, AddressFamily, AddressSet
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals
from hostgate.flows.names import Names, NameTest, endings
from hostgate.flows.routes import Round
from hostgate.flows.snapshot import Resource

Action = Literal["allow", "block", "next"]
"""`next` leaves the stage: the stage after it goes on."""


Led = Literal["seen", "assumed", "asked"]
"""How flows come to a place: something that was read leads them there, something else is taken to, or clients are told."""


class Moment(IntEnum):
    """Packets of a flow at which an engine judges it again, in order. A hello is taken to be in one packet."""

    FIRST_PACKET = 0
    """The client's first: of a connection no more than the wish for one, of a datagram exchange all there is."""
    ANSWER = 1
    """The server's first."""
    NAME_KNOWN = 2
    """The client's first data on a connection: what it speaks and the name are known."""
    REPLY = 3
    """What the server says to that."""
    LATER = 4
    """What the client says next. An engine that could not name the protocol by the first data of both sides has given up
    by now, and rules about any other protocol than some hold."""


ANY_MOMENT = frozenset(Moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTest:
    """Which clients a rule is for: every one whose address is in `addresses`, and whose identity is among `identities`.

    `identities` are written `kind:value` (`account:builds@p.iam.gserviceaccount.com`, `tag:tagValues/1`); one of them is
    enough. None: whatever the identity. One of kind `unknown` is not known yet, and may be any.
    """

    addresses: AddressSet = EVERY_ADDRESS
    identities: frozenset[str] | None = None


EVERY_CLIENT = ClientTest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Conditions that all have to hold. None, and the defaults: no condition.

    `wire` is asked of the name in the packets (SNI or Host), `dialled` of the name whose addresses the firewall looks up
    for itself: another name may share them. `asked` is the name in a DNS question. `protocols` are IP protocol numbers,
    `applications` what the packets speak (`tls`, `http`, `quic`, `dns`, or `other`), with `but` what they must not speak.
    `doubts` are conditions that cannot be told here, each as a sentence that says what would have to be so.
    """

    wire: Names | None = None
    nameless: bool = False
    """Whether `wire` also holds where the packets carry no name."""
    dialled: Names | None = None
    asked: Names | None = None
    address: AddressSet = EVERY_ADDRESS
    port: Intervals = EVERY_PORT
    protocols: frozenset[int] | None = None
    applications: frozenset[str] | None = None
    but: frozenset[str] = frozenset()
    client: ClientTest = EVERY_CLIENT
    client_ports: Intervals = EVERY_PORT
    """Ports of the client to which answers go, of what judges those; of which a flow has one, nobody knows."""
    doubts: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether nothing of it hangs on what a flow does not say."""
        return not self.doubts and self.client_ports == EVERY_PORT

    @property
    def name_tests(self) -> tuple[NameTest, ...]:
        """What is asked of names, whichever."""
        return (*(self.wire or ()), *(self.dialled or ()), *(self.asked or ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule, or a part of one. `why` says in a sentence what it does to a flow that it decides."""

    action: Action
    rule: str
    why: str
    box: Box = Box()
    moments: frozenset[Moment] = ANY_MOMENT
    """Those at which its conditions can hold; of a stage that is asked once, it matters not."""
    lasting: bool | None = True
    """Whether an allow is for the rest of the flow, too; else it is for the packet, and the next is judged again. None:
    nobody can tell."""
    owner: str = ""
    """The resource that holds the rule, as the snapshot names it."""
    for_few: bool = False
    """Of an allow for some clients: whether one of whom nothing is known is as well none of them."""
    cuts_hellos: bool = False
    """Of a block: whether it holds for the first packet of a hello that comes in several."""
    whole: str = ""
    """Of several steps that are one rule, the rule: what could not be told of an earlier step and was not so is not so of a
    later one either."""


def whether(action: Action, what: str, why: str, owner: str = "", *, box: Box = Box()) -> Step:
    """A step that nobody can tell of whether it holds: `what` may do `action` to a flow in `box`, and `why` that is not
    known."""
    doubt = f"{what} makes it {action} ({why})"
    return Step(action=action, rule=what, why=why, box=replace(box, doubts=(*box.doubts, doubt)), owner=owner)


def either(what: str, why: str, owner: str = "", *, box: Box = Box()) -> tuple[Step, Step]:
    """What may let a flow in `box` pass or may stop it, because nobody here can read it."""
    return whether("allow", what, why, owner, box=box), whether("block", what, why, owner, box=box)


def elsewhere(resource: Resource, *, box: Box = Box()) -> tuple[Step, ...]:
    """What rules of `resource` may do that the snapshot does not hold; none where the stack itself made it."""
    why = f"the stack only reads {resource.name}, which may have rules from elsewhere"
    return either(f"a rule of {resource.name}", why, resource.urn, box=box) if resource.external else ()


Group = tuple[Step, ...]


@dataclass(frozen=True)
class Stage:
    """Steps in order, the first that holds decides; `otherwise` is what becomes of a flow that none decides.

    `moments`: the steps are asked again at each of them, those whose conditions can hold then; one alone: all at once.
    `unordered`: groups of steps whose place among each other and among `steps` nobody knows yet (a first preview); a
    verdict stands only if every order gives it.
    """

    name: str
    steps: Group
    otherwise: Step
    moments: tuple[Moment, ...] = (Moment.NAME_KNOWN,)
    unordered: tuple[Group, ...] = ()
    last: Group = ()
    """Steps after all others, whatever the order of those: at each moment they are asked when no other has decided."""
    around: bool = False
    """Whether it stands around what judges at the place: what no rule is asked for, and the way there."""
    of_answers: Intervals = NO_NUMBER
    """The ports of clients to which answers go, where it judges what comes back because nothing remembers what went out; else
    none. Without an answer there is no connection; a datagram is out all the same, and only where its answer is asked for, too,
    is the stage."""

    @cached_property
    def groups(self) -> tuple["Index", ...]:
        """The steps by names, each group that has an order of its own, with the last steps behind it."""
        ordered = [group for group in (self.steps, *self.unordered) if group]
        return tuple(Index((*group, *self.last)) for group in ordered or [()])

    @cached_property
    def _ends(self) -> frozenset[int]:
        return frozenset(id(step) for step in (*self.last, self.otherwise))

    def decided_by_group(self, step: Step) -> bool:
        """Whether `step` is one of a group, and none of those that come after all groups."""
        return id(step) not in self._ends


@dataclass(frozen=True, slots=True)
class WayOut:
    """A way to the internet that no step tells of: where a rule leads flows that are sent to another destination, as to the
    firewall itself, and packets of which no rule is asked."""

    rule: str
    owner: str
    why: str
    flow: Flow
    """What arrives there."""
    doubts: tuple[str, ...] = ()
    """What would have to be so for that."""


@dataclass(frozen=True)
class Place:
    """Where flows are judged: a firewall, a network, a resolver. Stages in order; the last one's `otherwise` ends.

    `assumptions` are what lies outside what was read, by nature; `remark` what is odd about the place.
    """

    target: str
    name: str
    stages: tuple[Stage, ...]
    assumptions: tuple[str, ...] = ()
    remark: str = ""
    policy: str = ""
    """What judges there, by name."""
    clients: ClientTest | None = None
    """The clients that are meant where a flow names none. None: those that the allows are for, and no deny for some."""
    meant: tuple[ClientTest, ...] = ()
    """Whom the rules that were read are for, of any of whom a flow may be that names no client: one that gets through. None: of
    those that the allows are for."""
    families: tuple[AddressFamily, ...] = FAMILIES
    """What a flow goes over that names neither source nor address."""
    inside: AddressSet = NO_ADDRESS
    """Addresses that are not the internet's here, though they might be elsewhere: what a flow without one never has."""
    answers: tuple[tuple[NameTest, AddressSet], ...] = ()
    """What names resolve to there, where that is not what the internet answers: the first test that holds decides. No
    address: nobody can tell."""
    led: Led = "seen"
    own_names: tuple[str, ...] = ()
    """Names at and below which nothing is ever asked of the internet."""
    round_it: tuple[Round, ...] = ()
    """Ways of its clients to the internet on which it judges nothing."""
    other_ways: tuple[Round, ...] = ()
    """Every other way that was read: of its clients to a firewall, nowhere, or nobody knows where; and, where its firewall is
    not in what was read, all those of subnets that may be its clients."""
    ways_out: tuple[WayOut, ...] = ()
    judging: frozenset[str] = frozenset()
    """The resources that judge there, those that hold no rule among them."""
    kind: str = "policy"
    """What it is, before its name: a firewall, a network, queries of a VPC."""
    elsewhere: bool = False
    """Whether it stands with or without the rules that were read, because others own the policy."""
    beside: frozenset[str] = frozenset()
    """Resources whose rules are there because other places judge some of its clients, too: what is theirs is told there."""

    @property
    def cloud(self) -> str:
        return self.target.partition(":")[0]

    def may_be_unanswered(self, flow: Flow) -> bool:
        """Whether a flow may leave here and its answer may not come back: something judges answers apart, and no connection has
        to stand."""
        return flow.transport != "tcp" and any(stage.of_answers for stage in self.stages)

    @property
    def steps(self) -> Iterator[Step]:
        """Each step of every stage once, in the order of the stages; not what becomes of a flow that none decides."""
        for stage in self.stages:
            for group in (stage.steps, *stage.unordered, stage.last):
                yield from group


def keeping(place: Place, wanted: Callable[[Step], bool]) -> Place:
    """The place with those steps alone that are wanted; what becomes of a flow that none decides stays as it is."""

    def of(steps: Group) -> Group:
        return tuple(filter(wanted, steps))

    def kept(stage: Stage) -> Stage:
        unordered = tuple(map(of, stage.unordered))
        return replace(stage, steps=of(stage.steps), unordered=unordered, last=of(stage.last))

    return replace(place, stages=tuple(map(kept, place.stages)))


MEMBER: Final = "member:"
"""Before the name of a resource, as what a client is known by: it is a member of what judges."""


def by_itself(place: Place) -> Place:
    """The place without what others allow to those of its members that are theirs, too, for whichever clients it has."""

    def of_member(step: Step) -> bool:
        return any(each.startswith(MEMBER) for each in step.box.client.identities or ())

    if not any(map(of_member, place.steps)):
        return place
    return replace(keeping(place, lambda step: not of_member(step)), clients=None, beside=frozenset())


class Index:
    """Steps of a group found by the names that a flow carries: a walk over its labels, whatever the length of the list."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = tuple(steps)
        self._always: list[int] = []
        self._named: dict[str, list[int]] = {}
        for position, step in enumerate(self.steps):
            key = _key(step.box)
            if key is None:
                self._always.append(position)
            else:
                self._named.setdefault(key, []).append(position)

    def steps_for(self, names: Iterable[str | None]) -> Iterator[Step]:
        """In order, every step that may hold for a flow that carries `names`; those left out hold for none of them."""
        found = set(self._always)
        for name in names:
            for ending in endings(name.lower()) if name else ():
                found.update(self._named.get(ending, ()))
        return (self.steps[position] for position in sorted(found))


def _key(box: Box) -> str | None:
    """A host that every flow of the box carries as a whole-label ending of one of its names; None if there is none."""
    if box.nameless:
        return None
    for names in (box.wire, box.dialled, box.asked):
        found = [host for test in names or () if (host := test.host) is not None]
        if found:
            return max(found, key=len)
    return None
