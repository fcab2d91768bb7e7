"""One evaluator for every cloud: a flow against stages of steps, with allow, block or unknown as the answer.

A step whose conditions cannot be told is neither taken nor passed over: the flow is followed both ways, and the verdict
is definite only if both ways end alike. So an answer never rests on what nobody saw.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal

from hostgate.catalog.hosts import is_address
from hostgate.flows import condition_words as words
from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    FAMILIES,
    NO_ADDRESS,
    AddressFamily,
    AddressSet,
    internet,
    networks,
)
from hostgate.flows.atoms import cut
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.names import hold, kinship
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Moment, Place, Stage, Step, keeping

Dimension = Literal["protocol", "port", "name", "address", "client", "unknown"]
"""What a condition is about."""

_TCP = 6
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})
"""IP protocols whose packets have ports: TCP, UDP, DCCP, SCTP, UDP-Lite."""


ORDER_NOT_KNOWN: Final = "the order of the rule groups is so, which is not known yet"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One way in which a flow can end: by `step`, if `lacks` (what could not be told on the way) is so. `through` is the
    last step that passed it on to the stage of `step`."""

    step: Step
    lacks: tuple[str, ...] = ()
    through: Step | None = None

    @property
    def verdict(self) -> Verdict:
        step, passed = self.step, self.through
        action: Literal["allow", "block"] = "allow" if step.action == "allow" else "block"
        if not step.rule and passed is not None and passed.rule:
            return Verdict(action, passed.rule, f"{passed.why}; then {step.why}")
        return Verdict(action, step.rule or None, step.why)


_FROM_PORT: Final = "the client's port is from "
_LAST_PORT: Final = 65_535


@dataclass
class Assumed:
    """What is taken to be so where nobody can tell, of one flow: membership in sets that nobody sees and doubts of steps, by
    their names. `unsaid` are, for what a verdict lacks, the names that it hangs on and of which nothing is assumed."""

    so: Mapping[str, bool]
    unsaid: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def within(self, test: AddressSet, about: str, known: bool | None, what: Callable[[], str]) -> bool | None:
        """Whether an address that is `known` to be in the ranges of `test`, or not to be, is in all of it."""
        if known is None or not (test.without if known else test.symbols):
            return known
        names = {f"{about} {each}" for each in test.opaque} - self.so.keys()
        if names:
            self.unsaid[what()] = tuple(sorted(names))
            return None
        taken_out = any(self.so[f"{about} {each}"] for each in test.without)
        held = known or any(self.so[f"{about} {each}"] for each in test.symbols)
        return None if held and taken_out else held  # of a union, a part that it is not taken out of may hold it

    def client_ports(self, ports: Intervals) -> Intervals:
        """What is left of the client's ports."""
        for name, so in self.so.items():
            if name.startswith(_FROM_PORT):
                below = Intervals.of([(0, int(name.removeprefix(_FROM_PORT)) - 1)])
                ports &= below.outside(_LAST_PORT) if so else below
        return ports

    def hangs_on_ports(self, sentence: str, ports: Intervals, part: Intervals) -> None:
        """That `sentence` hangs on whether the client's port, one of `ports`, is in `part` of them."""
        ends = sorted({*(low for low, _ in part), *(high + 1 for _, high in part)})
        inner = [f"{_FROM_PORT}{each}" for each in ends if each - 1 in ports and each in ports]
        self.unsaid[sentence] = (inner[len(inner) // 2],)

    def doubt(self, sentence: str) -> bool | None:
        if sentence not in self.so:
            self.unsaid[sentence] = (sentence,)
        return self.so.get(sentence)


def decide(place: Place, flow: Flow, *, sharing: frozenset[str] = frozenset(), answered: bool = False) -> Verdict:
    """What becomes of `flow` at `place`. `sharing` are names known to share an address with the one that is dialled.

    A flow without an address goes to some address of the internet that its name resolves to, over either family that
    its clients have; where the families end differently the verdict is unknown and says so. `answered`: a datagram is let
    pass only if its answer is, too; else the verdict on one that leaves says what becomes of its answer.
    """
    verdict = _decide(place, flow, sharing, answered=answered)
    if answered or not verdict.allows or not place.may_be_unanswered(flow):
        return verdict
    whole = _decide(place, flow, sharing, answered=True)
    if whole.allows:
        return verdict
    return replace(verdict, why=f"{verdict.why}; whether it is answered is another matter: {whole.why}")


def _decide(place: Place, flow: Flow, sharing: frozenset[str], *, answered: bool) -> Verdict:
    facts = ((family, _facts(place, flow, family, sharing)) for family in _families(place, flow))
    verdicts = [(family, _verdict(place, replace(each, answered=answered))) for family, each in facts]
    if not verdicts:
        none = "source and destination have no address family in common, or nobody can tell what the name resolves to"
        return Verdict("unknown", None, none, ("an address of a family that both have",))
    first = verdicts[0][1]
    alike = all(verdict.action == first.action for _, verdict in verdicts)
    if alike and (first.action != "unknown" or all(verdict.lacks == first.lacks for _, verdict in verdicts)):
        return first
    said = "; ".join(f"over {family} {verdict.action}: {verdict.why}" for family, verdict in verdicts)
    lacks = ("the address family", *(what for _, verdict in verdicts for what in verdict.lacks))
    why = f"it depends on the address family. {said[0].upper()}{said[1:]}"
    return Verdict("unknown", None, why, tuple(dict.fromkeys(lacks)))


@dataclass(frozen=True, slots=True)
class NearStep:
    """A step that would let a flow pass if `lacking` were so; each says what would have to be."""

    step: Step
    lacking: tuple[str, ...]


def nearest_steps(place: Place, flow: Flow, most: int = 3) -> tuple[NearStep, ...]:
    """The steps that let something pass and come nearest to a flow that is blocked, those that lack least first.

    Of those that name hosts, the ones whose names have most in common with the flow's, as for the entries of a plan; of the
    others, those that are for its address.
    """
    found: dict[str, tuple[int, NearStep]] = {}
    ways_out = tuple(stage for stage in place.stages if not stage.of_answers)
    unanswered = len(ways_out) < len(place.stages) and decide(replace(place, stages=ways_out), flow).allows
    held_up = "answers: nothing lets them in" if unanswered else "order: what blocks it comes first"
    for family in _families(place, flow):
        facts = _facts(place, flow, family, frozenset())
        names = [name.lower().removesuffix(".") for name in facts.names if name]
        for step in place.steps:
            if step.action != "allow" or not step.rule or (kin := _kinship(step.box, names)) is None:
                continue
            lacking = facts.lacking(step) or {"order": held_up}
            if not step.box.name_tests and not _about_internet(step.box, lacking):
                continue
            near = (kin, NearStep(step, tuple(lacking.values())))
            known = found.setdefault(step.rule, near)
            if (kin, len(lacking)) < (known[0], len(known[1].lacking)):
                found[step.rule] = near
    best = min((kin for kin, _ in found.values()), default=0)
    nearest = (near for kin, near in found.values() if kin == best)
    return tuple(sorted(nearest, key=lambda near: (len(near.lacking), near.step.rule))[:most])


def _about_internet(box: Box, lacking: Mapping[str, str]) -> bool:
    """Whether a box that names no host is for the address of the flow, or for all the internet in another family."""
    every = any(box.address.holds(internet(), family) for family in FAMILIES)
    return "address" not in lacking and ("family" not in lacking or every)


def _kinship(box: Box, names: Sequence[str]) -> int | None:
    """That of the box's names with those of a flow; a box that names none is for any."""
    tests = box.name_tests
    found = (kinship(test.holds(name), test.text.lower(), name) for test in tests if not test.negated for name in names)
    return min((kin for kin in found if kin is not None), default=None) if tests else 0


def narrowed(place: Place, flow: Flow, family: AddressFamily) -> Place:
    """The place with those steps alone that may hold for `flow` over `family` if its address, its port and its client were
    others: what a question about many of them has to look at. Verdicts on such flows stay as they are."""
    facts = _facts(place, flow, family, frozenset())

    def may_hold(step: Step) -> bool:
        told = facts.conditions(step.box)
        return all(answer is not False for about, answer, _ in told if about not in ("address", "port", "client"))

    asked = (step for stage in place.stages for group in stage.groups for step in group.steps_for(facts.names))
    left = {id(step) for step in asked if may_hold(step)}
    return keeping(place, lambda step: id(step) in left)


def _families(place: Place, flow: Flow) -> list[AddressFamily]:
    """The family of the flow; where it has either, those that its clients and the internet both have."""
    if flow.family is not None:
        return ["IPv4" if flow.family == 4 else "IPv6"]
    if flow.protocol == "icmpv6":
        return ["IPv6"]
    clients = _clients(place, flow) if flow.identity is None else place.clients or ClientTest()
    where, source = _destination(place, flow), clients.addresses
    found = [family for family in place.families if where.of(family) and source.of(family)]
    if flow.source is not None or place.clients is not None:
        return found
    some = place.meant or [step.box.client for step in place.steps if step.action == "allow" and step.rule]
    return [family for family in found if any(_has(each, family) for each in some)] or found


def _has(clients: ClientTest, family: AddressFamily) -> bool:
    """Whether some of the clients may have an address of the family."""
    return bool(clients.addresses.of(family) or clients.addresses.symbols)


def ends(
    place: Place, flow: Flow, client: ClientTest, assumed: Assumed | None = None, *, answered: bool = False
) -> tuple[Verdict, frozenset[int]]:
    """What becomes of a flow with an address from one client of whom all is known, its identities too; and the ids of the
    steps by which it may end, or be passed on. `answered`: as for `decide`."""
    family: AddressFamily = "IPv6" if flow.family == 6 else "IPv4"
    facts = _Facts(flow, family, networks([str(flow.address)]), client, frozenset(), assumed=assumed, answered=answered)
    outcomes = list(_follow(place.stages, facts))
    steps = (step for outcome in outcomes for step in (outcome.step, outcome.through) if step is not None)
    return _told_of(outcomes), frozenset(map(id, steps))


def _verdict(place: Place, facts: "_Facts") -> Verdict:
    """What becomes of a flow. Where its client is just one that allows are for, one of those that get through: what is denied
    to all that a rule is for, the rule lets pass for nobody, and what no rule decides passes for none that is denied it. Where
    it is told whom the rules are for, a rule for somebody else decides nothing."""
    if facts.anybody and (meant := [each for each in place.meant if _has(each, facts.family)]):
        return _of_meant(place, facts, meant)
    outcomes = list(_follow(place.stages, facts))
    verdict = _told_of(outcomes)
    if not (facts.anybody and verdict.allows):
        return verdict
    deciding = [outcome.step if outcome.step.rule else outcome.through or outcome.step for outcome in outcomes]
    by_rules = all(step.rule for step in deciding)
    public = internet().of(facts.family)
    to_hosts = (step for step in place.steps if step.box.address.opaque or step.box.address.of(facts.family) & public)
    those = deciding if by_rules else [step for step in to_hosts if step.action == "allow" and step.rule]
    if any(step.box.client == EVERY_CLIENT for step in those):
        return verdict
    found: list[Verdict] = []
    for client in dict.fromkeys(each for step in those for each in _apart(step.box.client, facts.family)):
        found.append(_told_of(list(_follow(place.stages, replace(facts, client=client, anybody=False)))))
        if found[-1].allows or (by_rules and found[-1].action != "block"):
            return verdict
    if not found:
        return verdict
    if not by_rules:
        return _not_blocked(found)
    passed_over = facts.passed_over.union(map(id, deciding))
    otherwise = _verdict(place, replace(facts, passed_over=passed_over))
    return found[0] if otherwise.action == "block" else otherwise


def _of_meant(place: Place, facts: "_Facts", meant: Sequence[ClientTest]) -> Verdict:
    """What becomes of a flow from those of `meant` that get through, by a rule rather than without; if none does, of all."""
    names = facts.names
    asked = [step for stage in place.stages for group in stage.groups for step in group.steps_for(names)]
    tests = list(dict.fromkeys(step.box.client.addresses.of(facts.family) for step in asked))
    found: list[Verdict] = []
    for clients in dict.fromkeys(part for each in meant for part in _apart(each, facts.family)):
        for client in _cut(clients, tests, facts.family):
            found.append(_told_of(list(_follow(place.stages, replace(facts, client=client)))))
            if found[-1].allows and found[-1].rule:
                return found[-1]
    return next((each for each in found if each.allows), None) or _not_blocked(found)


def _not_blocked(found: Sequence[Verdict]) -> Verdict:
    return next((each for each in found if each.action != "block"), found[0])


def _cut(clients: ClientTest, tests: Sequence[Intervals], family: AddressFamily) -> Iterator[ClientTest]:
    """The clients, apart where one of `tests` tells some of them from others."""
    where = clients.addresses
    for _, part in cut(tests, where.of(family)):
        some = replace(where, v4=part) if family == "IPv4" else replace(where, v6=part)
        yield replace(clients, addresses=some)
    if not where.of(family):
        yield clients


def _apart(clients: ClientTest, family: AddressFamily) -> Iterator[ClientTest]:
    """The clients by each range and each identity that they are known by: what holds for some of them may not for others."""
    where = clients.addresses
    ranges = [Intervals((each,)) for each in where.of(family)]
    parts = [AddressSet(v4=each) if family == "IPv4" else AddressSet(v6=each) for each in ranges]
    known = [None] if clients.identities is None else [frozenset({each}) for each in sorted(clients.identities)]
    for addresses in [where] if where.opaque or where == EVERY_ADDRESS else parts:
        yield from (ClientTest(addresses=addresses, identities=each) for each in known)


def _told_of(outcomes: list[_Outcome]) -> Verdict:
    last = outcomes[-1]
    if all(outcome.step.action == last.step.action for outcome in outcomes):
        return _either_way(outcomes)
    others = [each for each in outcomes if each.step.action != last.step.action]
    outcomes = [each for each in outcomes if not any(_says_less(each, other) for other in others)]
    lacks = tuple(dict.fromkeys(what for outcome in outcomes for what in outcome.lacks))
    either, *alike = (outcome for outcome in outcomes if outcome.step.action != last.step.action)
    needs = "; and if ".join(dict.fromkeys(either.lacks))
    by = f" by {either.step.rule}" if either.step.rule else ""
    rules = {outcome.step.rule for outcome in alike} - {either.step.rule, ""}
    more = f"; or by {len(rules)} more rule{'s' if len(rules) > 1 else ''}, on conditions of their own" if rules else ""
    why = f"{either.step.action}{by} if {needs}{more}; else {last.step.action}: {last.step.why}"
    return Verdict("unknown", either.step.rule or None, why, lacks)


def _either_way(outcomes: Sequence[_Outcome]) -> Verdict:
    """The verdict of ways that all end alike. Where they end by different steps, no reason of one is that of all."""
    last = outcomes[-1].verdict
    other = next((each.verdict for each in outcomes if each.step.why != outcomes[-1].step.why), None)
    return last if other is None else replace(last, why=f"{other.why}; or {last.why}: {last.action} either way")


def _says_less(outcome: _Outcome, other: _Outcome) -> bool:
    """Whether both end alike and `other` asks for less: then nobody needs to hear of `outcome`."""
    return outcome.step.action == other.step.action and set(outcome.lacks) > set(other.lacks)


def _follow(stages: Sequence[Stage], facts: "_Facts") -> Iterator[_Outcome]:
    """Every way in which the flow may end, the sure one last."""
    stage, later = stages[0], stages[1:]
    if stage.of_answers and not (facts.connects or facts.answered):
        yield from _follow(later, facts)
        return
    beyond: list[_Outcome] | None = None
    for outcome in _in_stage(stage, facts):
        goes_on = outcome.step.action == "next"
        if not goes_on and not stage.of_answers:
            yield outcome
            continue
        if not later:
            raise ValueError(f"{outcome.step.rule} of {stage.name} leaves the last stage")
        if beyond is None:
            beyond = list(_follow(later, facts))
        # What is not answered ends there. But if it does not leave either, that is what is told.
        if not goes_on and any(each.step.action == "allow" for each in beyond):
            yield outcome
            continue
        for further in beyond:
            passed = further.through
            if not (passed and passed.rule) and not stage.of_answers:  # what lets answers in has let nothing out
                passed = outcome.step
            yield replace(further, lacks=(*outcome.lacks, *further.lacks), through=passed)


_Met = list[tuple[Step, Literal[True] | tuple[str, ...]]]
"""Steps of a group that may hold, each with what would have to be so."""


def _in_stage(stage: Stage, facts: "_Facts") -> Iterator[_Outcome]:
    """Every way in which the stage may decide; the last one is sure. Answers are judged port by port of the client: what lets
    all of them in lets the answer in, whichever it is."""
    met: list[_Met] = [
        [(step, answer) for step in group.steps_for(facts.names) if (answer := facts.meets(step)) is not False]
        for group in stage.groups
    ]
    spans = list(dict.fromkeys(step.box.client_ports for group in met for step, _ in group))
    if not stage.of_answers or spans in ([], [EVERY_PORT]):
        yield from _decided(stage, met, facts)
        return
    ports = stage.of_answers if facts.assumed is None else facts.assumed.client_ports(stage.of_answers)
    alike: dict[tuple[object, ...], tuple[Intervals, list[_Outcome]]] = {}
    bits = {span: 1 << bit for bit, span in enumerate(spans)}
    about = [[(bits[each[0].box.client_ports], each) for each in group] for group in met]
    for holding, part in cut(spans, ports):
        here = [[each for bit, each in group if holding & bit] for group in about]
        ends = list(_decided(stage, here, facts))
        key = tuple((each.step.action == "next" or id(each.step), each.lacks) for each in ends)
        alike[key] = (alike[key][0] | part if key in alike else part, ends)
    *others, (_, last) = sorted(alike.values(), key=lambda each: each[1][-1].step.action == "next")
    for part, ends in others:
        told = f"the client's port is one of {part}"
        if facts.assumed is not None:
            facts.assumed.hangs_on_ports(told, ports, part)
        yield from (replace(each, lacks=(told, *each.lacks)) for each in ends)
    yield from last


def _decided(stage: Stage, met: list[_Met], facts: "_Facts") -> Iterator[_Outcome]:
    if len(met) == 1:
        yield from _in_group(stage, met[0], facts)
        return
    ends = [list(_in_group(stage, group, facts)) for group in met]
    sure = [each for end in ends for each in end if stage.decided_by_group(each.step)]
    if not any(stage.decided_by_group(end[-1].step) for end in ends):
        sure += [each for each in ends[0] if not stage.decided_by_group(each.step)]
    if len({each.step.action for each in sure}) == 1:
        yield sure[-1]
        return
    yield from (replace(each, lacks=(*each.lacks, ORDER_NOT_KNOWN)) for each in sure)


def _in_group(stage: Stage, steps: _Met, facts: "_Facts") -> Iterator[_Outcome]:
    """Every way in which the group's steps, those behind them, or neither decide; the last one is sure."""
    if facts.connects:
        yield from _from_moment(stage, steps, 0)
    else:  # a datagram is all there is, and the answer to it matters not: it is out by then
        yield from _from_moment(stage, steps, len(stage.moments) - 1, at_once=True)


def _from_moment(
    stage: Stage,
    steps: "Sequence[tuple[Step, Literal[True] | tuple[str, ...]]]",
    at: int,
    passed: Step | None = None,
    *,
    at_once: bool = False,
    known_later: "_Later | None" = None,
) -> Iterator[_Outcome]:
    """The same from the moment `at` on. `passed` has let packets pass before, and stands for a stage that ends alike."""
    later: _Later = {} if known_later is None else known_later

    def onward(passed: Step | None) -> Iterator[_Outcome]:
        """What becomes of the flow at the next moments: the same whichever step let packets pass, but for its name."""
        key = (at + 1, passed is not None)
        if key not in later:
            found = _few(tuple(_from_moment(stage, steps, at + 1, passed, known_later=later)))
            later[key] = (passed, found)
        first, outcomes = later[key]
        for each in outcomes:
            yield replace(each, step=passed) if passed is not None and each.step is first else each

    if at == len(stage.moments):
        yield _Outcome(passed if passed is not None and passed.action == stage.otherwise.action else stage.otherwise)
        return
    moment = stage.moments[at]
    once = at_once or len(stage.moments) == 1
    not_so: dict[str, list[frozenset[str]]] = {}
    not_client: list[frozenset[str]] = []
    for step, answer in steps:
        if not once and moment not in step.moments:
            continue
        if answer is not True:
            lacks = frozenset(answer)
            # Who has passed a rule for some clients is none of those, to whatever other rule.
            if any(each <= lacks for each in (*not_so.setdefault(step.whole, []), *not_client)):
                continue
            if step.whole:
                not_so[step.whole].append(lacks)
            if all(each.startswith(words.CLIENT_IS) for each in lacks):
                not_client.append(lacks)
        for_now = step.action == "allow" and not step.lasting and not once and at + 1 < len(stage.moments)
        if step.action == "allow" and step.lasting and not once:
            yield from _answers_dropped(step, steps, moment)
        if for_now and step.lasting is None:
            known = () if answer is True else answer
            yield _Outcome(step, (*known, f"what {step.rule} lets pass is the whole connection and not single packets"))
        if answer is True:
            opened = step if step.lasting or step.action != "allow" else passed or step
            yield from onward(passed or step) if for_now else (_Outcome(opened),)
            return
        if for_now:
            yield from (replace(each, lacks=(*answer, *each.lacks)) for each in onward(passed or step))
        else:
            yield _Outcome(step, answer)
    yield from onward(passed)


_Later = dict[tuple[int, bool], tuple[Step | None, tuple[_Outcome, ...]]]
"""What becomes of a flow from a moment on, by the moment and whether packets have passed; with the step that let them."""

_MOST_WAYS: Final = 8
"""Ways to one end that a verdict looks at: that there are more says no more of it."""


def _few(outcomes: tuple[_Outcome, ...]) -> tuple[_Outcome, ...]:
    """The first ways to each end, and the sure one, which is the last."""
    kept: list[_Outcome] = []
    for each in outcomes[:-1]:
        if sum(other.step.action == each.step.action for other in kept) < _MOST_WAYS:
            kept.append(each)
    return (*kept, outcomes[-1])


def _answers_dropped(
    passes: Step, steps: "Sequence[tuple[Step, Literal[True] | tuple[str, ...]]]", moment: Moment
) -> Iterator[_Outcome]:
    """Rules ahead of one that passes a connection by its first packet, and that drop answers: whether they are asked of
    the answers all the same differs by what they are made of (replayed), so nobody can tell here."""
    if moment != Moment.FIRST_PACKET:
        return
    for step, answer in steps:
        if step is passes:
            return
        if step.action == "block" and Moment.ANSWER in step.moments:
            asked = f"{step.rule} drops answers of a connection that {passes.rule} has passed"
            yield _Outcome(step, (*(() if answer is True else answer), asked))


def _facts(place: Place, flow: Flow, family: AddressFamily, sharing: frozenset[str]) -> "_Facts":
    client = _clients(place, flow)
    if not client.addresses.of(family):  # none of those that are meant has the family, so it is somebody else
        client = replace(client, addresses=EVERY_ADDRESS)
    anybody = flow.source is None and place.clients is None
    return _Facts(flow, family, _destination(place, flow), client, sharing, anybody)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of one flow over one address family."""

    flow: Flow
    family: AddressFamily
    destination: AddressSet
    client: ClientTest
    sharing: frozenset[str]
    anybody: bool = False
    """Whether the client is just one that the allows are for."""
    assumed: Assumed | None = None
    answered: bool = False
    """Whether what comes back is asked for, too, where it is no connection."""
    passed_over: frozenset[int] = frozenset()
    """The ids of steps that are not asked."""

    @property
    def connects(self) -> bool:
        """Whether packets of both sides have to pass before the client has said anything."""
        return self.flow.number_over(self.family) == _TCP

    @property
    def names(self) -> tuple[str | None, ...]:
        return (_on_wire(self.flow), _dialled(self.flow), *self.sharing)

    def meets(self, step: Step) -> Literal[True, False] | tuple[str, ...]:
        """Whether the conditions hold; or, where nobody can tell, what they would have to be."""
        if id(step) in self.passed_over:
            return False
        lacks: list[str] = []
        for about, told, what in self.conditions(step.box):
            answer = told
            if self.anybody and about == "client" and told is None and not _blocks_unseen(step):
                answer = None if step.for_few else step.action != "block"
            if answer is False:
                return False
            if answer is None:
                lacks.append(what())
        return tuple(lacks) or True

    def lacking(self, step: Step) -> dict[str, str]:
        """Each condition that does not hold, in words, by what it is about."""
        found: dict[str, str] = {}
        for about, told, what in self.conditions(step.box):
            if told is not False or (self.anybody and about == "client"):
                continue
            tested = {"address": step.box.address, "client": step.box.client.addresses}.get(about)
            if tested is not None and not (tested.of(self.family) or tested.opaque):
                found["family"] = f"family: the rule is not for {self.family}"
            elif tested is not None:
                word, given = ("address", self.flow.address) if about == "address" else ("source", self.flow.source)
                wanted = what().removeprefix("its address is ").removeprefix(words.CLIENT_IS)
                found[word] = f"{word}: one {wanted} is meant, not {given or 'one of the internet'}"
            else:
                found[about] = what()
        return found

    def conditions(self, box: Box) -> Iterator[tuple[Dimension, bool | None, Callable[[], str]]]:
        """Each condition of the box: what it is about, whether it holds (None: nobody can tell), and what would have to be,
        which takes longer to say than to tell."""
        flow, number = self.flow, self.flow.number_over(self.family)
        spoken = (box.protocols is None or number in box.protocols) and flow.application not in box.but
        spoken = spoken and (box.applications is None or flow.application in box.applications)
        yield "protocol", spoken, partial(words.spoken, box, flow)
        if number in _WITH_PORTS:
            yield "port", flow.port in box.port, partial(words.ports, box, flow)
        if box.wire is not None:
            held = hold(box.wire, _on_wire(flow)) or (box.nameless and flow.wire_name is None)
            yield "name", held, partial(words.named, box.wire, _on_wire(flow))
        if box.asked is not None:
            yield "name", hold(box.asked, _asked(flow)), partial(words.named, box.asked, _asked(flow))
        if box.dialled is not None:
            held = any(hold(box.dialled, name) for name in (_dialled(flow), *self.sharing))
            yield "name", held, partial(words.named, box.dialled, _dialled(flow))
        told = partial(words.told_range, "its address is", box.address, self.family)
        yield "address", self._within(box.address, self.destination, "address", told), told
        client = box.client
        told = partial(words.told_range, "the client is", client.addresses, self.family)
        inside = self._within(client.addresses, self.client.addresses, "client", told)
        if inside is None and not client.addresses.without and _by_ip_group(client.addresses, self.client):
            inside = True
        yield "client", inside, told
        yield "client", _identity(client, self.client), partial(words.among, client)
        for doubt in box.doubts:
            yield "unknown", None if self.assumed is None else self.assumed.doubt(doubt), partial(str, doubt)

    def _within(self, test: AddressSet, members: AddressSet, about: str, told: Callable[[], str]) -> bool | None:
        if self.assumed is None or not test.opaque:
            return test.holds(members, self.family)
        return self.assumed.within(test, about, test.of(self.family).holds(members.of(self.family)), told)


def _by_ip_group(addresses: AddressSet, client: ClientTest) -> bool:
    """Whether a client that is known by its IP group is in a set by the group itself, whose addresses nobody sees here.

    (Resource ids of Azure are alike in either case.)
    """
    groups = {
        each.removeprefix("ip-group:").lower() for each in client.identities or () if each.startswith("ip-group:")
    }
    return bool(groups) and any(each.lower().removeprefix("ip group ") in groups for each in addresses.symbols)


def _blocks_unseen(step: Step) -> bool:
    """Whether the step blocks clients that nobody can read: they may be all, and not some."""
    client = step.box.client
    unknown = any(each.startswith("unknown:") for each in client.identities or ())
    return step.action == "block" and (unknown or bool(client.addresses.opaque))


def _identity(test: ClientTest, client: ClientTest) -> bool | None:
    if test.identities is None:
        return True
    if client.identities is None:
        return None
    if test.identities & client.identities:
        return True
    kinds = {identity.partition(":")[0] for identity in client.identities}
    return None if {identity.partition(":")[0] for identity in test.identities} - kinds else False


def _on_wire(flow: Flow) -> str | None:
    """The server name, or the Host without the port that may stand behind it."""
    name = flow.wire_name
    return name if name is None or flow.application != "http" else re.sub(r":[0-9]*\Z", "", name)


def _dialled(flow: Flow) -> str:
    return flow.name.lower().removesuffix(".")


def _asked(flow: Flow) -> str | None:
    """The name that is asked for before the connection; None where an address is dialled."""
    return None if is_address(flow.name) else _dialled(flow)


def _destination(place: Place, flow: Flow) -> AddressSet:
    """Where the flow goes: its address; else what its name resolves to at the place, some address of the internet."""
    if flow.address is None:
        for test, addresses in place.answers:
            if test.holds(_dialled(flow)):
                return addresses
    return internet().less(place.inside) if flow.address is None else networks([flow.address])


def _clients(place: Place, flow: Flow) -> ClientTest:
    """The client of the flow; where it names none, those that the place is meant for, else one from inside."""
    if flow.source is None:
        return place.clients or ClientTest(addresses=EVERY_ADDRESS if place.inside == NO_ADDRESS else place.inside)
    if flow.identity is not None:
        return ClientTest(identities=frozenset({flow.identity}))
    return ClientTest(addresses=networks([flow.source]))
