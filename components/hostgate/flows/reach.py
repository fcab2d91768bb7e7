"""Reach: what is open at a place that no catalog needs, what catalogs need and is closed, and what decides nothing.

Every answer has a witness, a flow that the evaluator has judged. What is asked for are destinations on the internet.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hostgate.catalog.problems import few
from hostgate.flows import condition_words as words
from hostgate.flows.address_sets import AddressFamily, networks, reachable
from hostgate.flows.extent import Extents, line_id, of_ways_out, of_ways_round
from hostgate.flows.flow import Flow, is_identity
from hostgate.flows.flow_words import flow_as_json as _flow
from hostgate.flows.name_atoms import STRANGER
from hostgate.flows.name_classes import Need
from hostgate.flows.routes import by_route, judge, rule_of_way
from hostgate.flows.snapshot import Resource
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Place, Step, WayOut
from hostgate.flows.verdicts import ends
from hostgate.flows.witnesses import Extraction, Witness, extract


@dataclass(frozen=True, slots=True)
class Beyond:
    """What `rule` lets out (empty: no rule, by default) that is in no catalog; the first of `flows` is the one to show."""

    id: str
    flows: tuple[Flow, ...]
    rule: str
    owner: str
    why: str
    names: tuple[str, ...] = ()
    """Names that pass alike, the first flow's among them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A flow that `rule` blocks (empty: no rule, by default) and that the first of `entries` needs; the others need one like
    it, to the name that stands with each."""

    id: str
    entries: tuple[tuple[str, str], ...]
    flow: Flow
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Open:
    """What would have to be known to tell whether some flows pass: the first of them."""

    id: str
    what: tuple[str, ...]
    flow: Flow
    why: str
    needed: bool
    """Whether a catalog needs them; else it is not known whether they are beyond."""
    entries: tuple[str, ...] = ()
    """Those that need them."""
    owners: tuple[str, ...] = ()
    """Resources that may decide."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A rule that decides no flow to the internet, though it is about some."""

    rule: str
    owner: str
    why: str


@dataclass(frozen=True)
class Reach:
    """What is open at a place, held against what catalogs need there."""

    place: Place
    beyond: tuple[Beyond, ...]
    missing: tuple[Missing, ...]
    unknown: tuple[Open, ...]
    dead: tuple[Dead, ...]
    besides: tuple[str, ...] = ()
    """What is assumed of the clients beside what the place says."""
    live: frozenset[tuple[str, str]] = frozenset()
    """Owner and name of each rule that decides something there."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        return (*self.place.assumptions, *self.besides)


def reach(place: Place, needs: Sequence[Need], clients: Sequence[ClientTest] | None = None) -> Reach:
    """Everything that is open at `place` and that nobody needs, and everything needed that is closed.

    `clients`: those that the catalogs are for, None: everybody. What passes others is beyond if a rule lets it
    pass, and not where no rule is about them.
    """
    if sees_queries_alone(place):
        needs = [replace(need, box=Box(dialled=need.box.dialled)) for need in needs if need.box.dialled is not None]
    if clients is not None:  # and whoever it is said to be due for, whatever rules are about
        due = (need.box.client for need in needs if need.due)
        clients = tuple(dict.fromkeys((*clients, *(each for each in due if each != EVERY_CLIENT))))
    named = frozenset(each for client in clients or () for each in client.identities or ())
    found = extract(place, needs, apart=clients or ())
    enough = _open_alternatives(place, needs, found.witnesses)
    beyond: dict[tuple[str, str], list[tuple[Witness, str, Step | None]]] = {}
    missing: dict[tuple[object, ...], list[tuple[Witness, bool]]] = {}
    unknown: dict[tuple[tuple[str, ...], bool], list[Witness]] = {}
    passing: set[tuple[object, ...]] = set()
    others = False
    spared: list[Witness] = []
    for each in found.witnesses:
        if each.elsewhere or each.part_of or not _on_the_internet(each) or _of_an_entry(each, needs):
            continue
        if each.verdict.action == "allow":
            if (
                clients is not None
                and each.verdict.rule is None
                and not any(_may_be_of(client, each, each.family) for client in clients)
            ):
                others = True
                continue
            for name, step in zip(each.names, each.deciding, strict=True):
                beyond.setdefault((step.owner, step.rule) if step else ("", ""), []).append((each, name, step))
        elif each.verdict.action == "unknown":
            unknown.setdefault((each.verdict.lacks, False), []).append(each)
    for those in _reached(found.witnesses, enough):
        blocked = [each for each in those if each.verdict.action == "block"]
        unsure = [each for each in those if each.verdict.action == "unknown"]
        if blocked and _counts(place, blocked, those):
            told = min(blocked, key=partial(_not_for, place)) if len(blocked) > 1 else blocked[0]
            missing.setdefault((told.due, told.verdict.rule), []).append((told, len(blocked) == len(those)))
        else:
            passing |= {(each.due, each.flow.protocol, each.flow.port, each.family) for each in those}
            spared += blocked
        if unsure and _counts(place, [*unsure, *blocked], those):
            unknown.setdefault((unsure[0].verdict.lacks, True), []).append(unsure[0])
        else:
            spared += unsure
    extents = Extents(place, needs)
    return Reach(
        place,
        (
            *led_past(place),
            *_ways_out(place, needs),
            *(_beyond(extents, *key, those, named) for key, those in beyond.items()),
        ),
        tuple(_missing(extents, those, passing, named) for those in missing.values()),
        (
            *(_unknown(extents, those) for those in unknown.values()),
            *_perhaps_out(place, needs),
            *_not_looked_at(found, extents),
        ),
        tuple(_dead(found.idle, place)),
        (
            *_believed(found.believing),
            *_not_had([*spared, *_with_others(found, named)], named),
            *([_not_meant(clients or ())] if others else ()),
        ),
        frozenset((step.owner, step.rule) for step in found.busy),
    )


def _not_meant(clients: Iterable[ClientTest]) -> str:
    return f"Clients other than {words.whose(clients)} are not meant: no rule stops them, and they reach everything."


def _with_others(found: Extraction, named: frozenset[str]) -> Iterator[Witness]:
    """What passes and is needed, as of clients that are known by one of `named` and have another identity besides, for which
    rules deny it: one for each that they ask for. In one policy a witness has one identity at most."""
    place = found.place
    blocking = [step for step in place.steps if step.action == "block" and step.box.client.identities]
    for asked in dict.fromkeys(step.box.client.identities or frozenset() for step in blocking):
        other = min(asked)
        kind = other.partition(":")[0]
        for each in found.witnesses:
            own = (each.client.identities or frozenset()) - {f"{kind}:nobody"}
            if not (each.due and each.verdict.allows and own & named) or asked & own:
                continue
            if kind == "account" and any(one.startswith("account:") for one in own):
                continue  # a client has one
            client = replace(each.client, identities=own | {other})
            verdict, deciding = ends(place, each.flow, client, answered=True)
            if not verdict.allows:
                steps = tuple(step for step in blocking if id(step) in deciding)
                yield replace(each, client=client, verdict=verdict, steps=steps)
                break


def _not_had(closed: Iterable[Witness], named: frozenset[str]) -> Iterator[str]:
    """That no client has an identity for which rules deny what is needed, once for all rules that ask for the same: by
    addresses nobody can tell who has it. `named` are those that clients are known by."""
    found: dict[tuple[frozenset[str], str], dict[tuple[str, str], None]] = {}
    for each in closed:
        denies = "would deny" if each.verdict.action == "block" else "may deny"
        for step in each.steps:
            asked = step.box.client.identities or frozenset()
            if step.action == "block" and asked and not asked & named:
                found.setdefault((asked, denies), {})[step.owner, step.rule] = None
    for (asked, denies), rules in found.items():
        told = few([rule for _, rule in rules])
        yield f"Clients do not have {words.identities(asked)}: {told} {denies} them what is needed."


def _believed(those: Sequence[tuple[str, Step]]) -> Iterator[str]:
    """That a name in packets is no proof of where they go, once for all rules that go by it."""
    if those:
        name, step = those[0]
        rules = len({(each.owner, each.rule) for _, each in those})
        more = f" and {rules - 1:,} more rule{'s' if rules > 2 else ''}" if rules > 1 else ""
        told = f"{step.rule}{more} would pass packets to any other host, too, that say {name}"
        yield f"A name in packets is that of the host that they go to: {told} (`name-unproven`)."


def together(found: Sequence[Reach]) -> list[Reach]:
    """Of places that were asked apart, as those of each of several lists: a rule is dead that decides nothing at any."""
    live = frozenset(rule for each in found for rule in each.live)
    return [
        replace(each, dead=tuple(rule for rule in each.dead if (rule.owner, rule.rule) not in live)) for each in found
    ]


def _reached(witnesses: Iterable[Witness], enough: frozenset[str]) -> Iterable[list[Witness]]:
    """Those that need the same of the same destination, whoever their clients are. `enough`: entries that nobody needs,
    because an alternative is open."""
    found: dict[tuple[object, ...], list[Witness]] = {}
    for each in witnesses:
        due = tuple(entry for entry in each.due if entry[0] not in enough)
        if due:
            key = (due, each.flow.port, each.flow.protocol, each.flow.address)
            found.setdefault(key, []).append(each if due == each.due else replace(each, due=due))
    return found.values()


def _counts(place: Place, some: Sequence[Witness], those: Sequence[Witness]) -> bool:
    """Whether what becomes of `some` is a lack: every client that is meant has to get through; where nobody says which are,
    one is enough."""
    return place.clients is not None or any(each.meant for each in some) or len(some) == len(those)


def _not_for(place: Place, witness: Witness) -> tuple[bool, bool]:
    """How far the rules are from being for a client: what closes it to one that some rule lets pass is the cause, and not that
    no rule is about another one."""
    flow = witness.flow
    allowed = (
        step
        for stage in place.stages
        for group in stage.groups
        for step in group.steps_for([flow.name])
        if step.action == "allow" and step.rule
    )
    lets_pass = any(
        flow.port in step.box.port
        and (step.box.protocols is None or flow.number in step.box.protocols)
        and all(test.holds(flow.name) for names in (step.box.wire, step.box.dialled) for test in names or ())
        and _may_be_of(step.box.client, witness, witness.family)
        for step in allowed
    )
    return not lets_pass, witness.verdict.rule is None


def _open_alternatives(place: Place, needs: Sequence[Need], witnesses: Sequence[Witness]) -> frozenset[str]:
    """Entries of groups in which another one is open as far as it is needed."""
    groups: dict[str, set[str]] = {}
    for need in needs:
        if need.group and need.due:
            groups.setdefault(need.group, set()).add(need.entry)
    if not groups:
        return frozenset()
    closed: set[str] = set()
    for those in _reached(witnesses, frozenset()):
        not_open = [each for each in those if each.verdict.action != "allow"]
        if not_open and _counts(place, not_open, those):
            closed |= {entry for each in not_open for entry, _ in each.due}
    return frozenset(entry for group in groups.values() if group - closed for entry in group & closed)


def sees_queries_alone(place: Place) -> bool:
    """Whether a place is asked for names and sees nothing else of a flow."""
    return any(step.box.asked is not None for step in place.steps)


def _of_an_entry(witness: Witness, needs: Sequence[Need]) -> bool:
    """Whether host, port and family are those of an entry, and nothing that lets it pass tells what is spoken there."""
    flow, family = witness.flow, witness.family
    told_apart = [step.box.applications for step in witness.steps if step.action == "allow"]
    return bool(told_apart) and any(
        need.box.dialled is not None
        and all(test.holds(flow.name) for test in need.box.dialled)
        and flow.port in need.box.port
        and (need.box.protocols is None or flow.number in need.box.protocols)
        and need.box.address.holds(networks([str(flow.address)]), family)
        and _may_be_of(need.box.client, witness, family)
        and all(each is None or (need.box.applications or frozenset()) <= each for each in told_apart)
        for need in needs
    )


def _may_be_of(clients: ClientTest, witness: Witness, family: AddressFamily) -> bool:
    """Whether the client of a witness is one of `clients`, or nobody can tell that it is none."""
    return (
        clients.identities is None or bool(clients.identities & (witness.client.identities or frozenset()))
    ) and clients.addresses.holds(networks([str(witness.flow.source)]), family) is not False


def _on_the_internet(witness: Witness) -> bool:
    return reachable().holds(networks([str(witness.flow.address)]), witness.family) is True


def _shown(witness: Witness, named: frozenset[str] = frozenset()) -> Flow:
    return from_whom(witness.flow, witness.client, witness.steps, named)


def from_whom(flow: Flow, client: ClientTest, steps: Iterable[Step], named: frozenset[str] = frozenset()) -> Flow:
    """The flow, from what its client is known by where one of `steps`, which decide it, asks for that, or none is about it
    and it is one of `named`."""
    asked = {each for step in steps for each in step.box.client.identities or ()} or named
    known = sorted(asked & (client.identities or frozenset()))
    known = [each for each in known if is_identity(each)]
    return replace(flow, source=known[0]) if known else flow


def _beyond(
    extents: Extents, owner: str, rule: str, those: Sequence[tuple[Witness, str, Step | None]], named: frozenset[str]
) -> Beyond:
    flows: dict[tuple[str, int, int | None], Flow] = {}
    for each, name, _ in those:
        kind = (each.flow.protocol, each.flow.port, each.flow.family)
        if kind not in flows:
            flow = _shown(each, frozenset() if rule else named)
            flows[kind] = flow if name == flow.name else replace(flow, name=name, sni=flow.sni and name)
    witness, _, step = those[0]
    names = tuple(dict.fromkeys(name for _, name, _ in those))
    why = witness.verdict.why if step is None or step.rule == witness.verdict.rule else step.why
    id_ = line_id(_key(extents.place, "beyond", rule, owner=owner), extents.of_rule(owner, rule, names))
    return Beyond(id_, tuple(flows.values()), rule, owner, why, names)


def led_past(place: Place) -> Iterator[Beyond]:
    """What a route leads past the place, from each subnet that it does so for."""
    for (owner, route, hop), those in by_route(place.round_it).items():
        subnets = list(dict.fromkeys(f"{each.subnet} over {each.family}" for each in those))
        told = few(subnets)
        why = f"packets of {told} go to {hop}, and not to {judge(place.kind)}"
        rule = rule_of_way(route, place.kind)
        id_ = line_id(_key(place, "route", route, hop, owner=owner), of_ways_round(those))
        yield Beyond(id_, tuple(each.flow for each in those), rule, owner, why)


def _ways_out(place: Place, needs: Sequence[Need]) -> Iterator[Beyond]:
    """Ways out that nobody needs."""
    found: dict[tuple[str, str], list[WayOut]] = {}
    for each in _unneeded(place, needs):
        if not each.doubts:
            found.setdefault((each.owner, each.rule), []).append(each)
    for (owner, rule), those in found.items():
        id_ = line_id(_key(place, "way out", rule, owner=owner), of_ways_out(those))
        yield Beyond(id_, tuple(each.flow for each in those), rule, owner, those[0].why)


def _perhaps_out(place: Place, needs: Sequence[Need]) -> Iterator[Open]:
    found: dict[tuple[str, str], list[WayOut]] = {}
    for each in _unneeded(place, needs):
        if each.doubts:
            found.setdefault((each.owner, each.rule), []).append(each)
    for (owner, rule), (first, *more) in found.items():
        id_ = line_id(_key(place, "way out", rule, owner=owner), of_ways_out([first, *more]))
        yield Open(id_, first.doubts, first.flow, first.why, needed=False)


def _unneeded(place: Place, needs: Sequence[Need]) -> Iterator[WayOut]:
    for each in place.ways_out:
        flow = each.flow
        if not any(
            flow.port in need.box.port
            and (need.box.protocols is None or flow.number in need.box.protocols)
            and all(test.holds(flow.name) for test in need.box.dialled or ())
            and (need.box.dialled is not None or flow.address is not None)
            and (flow.address is None or need.box.address.holds(networks([flow.address]), "IPv4"))
            for need in needs
        ):
            yield each


def _missing(
    extents: Extents,
    those: Sequence[tuple[Witness, bool]],
    passing: AbstractSet[tuple[object, ...]],
    named: frozenset[str],
) -> Missing:
    """`those`: of each kind one that is closed, and whether it is to every client; `passing`: kinds that pass elsewhere;
    `named`: what clients are known by."""
    witness, _ = those[0]
    rule = witness.verdict.rule or ""
    owner = next((step.owner for step in witness.steps if step.rule == rule), "")
    kinds = [((each.flow.protocol, each.flow.port, each.family), to_all) for each, to_all in those]
    extent = {(*kind, to_all, (witness.due, *kind) in passing) for kind, to_all in kinds}
    key = _key(extents.place, "missing", rule, *(entry for entry, _ in witness.due), owner=owner)
    return Missing(
        line_id(key, (*extent, *extents.of_closing(owner, rule, witness.flow.name))),
        witness.due,
        _shown(witness, named),
        rule,
        witness.verdict.why,
    )


def _unknown(extents: Extents, those: Sequence[Witness]) -> Open:
    witness = those[0]
    verdict = witness.verdict
    about: dict[tuple[str, str], dict[str, None]] = {}
    for each in those:
        for step in each.steps:
            about.setdefault((step.owner, step.rule), {}).update(dict.fromkeys(each.names))
    extent = [part for (owner, rule), names in about.items() if rule for part in extents.of_rule(owner, rule, names)]
    key = _key(extents.place, "needed" if witness.due else "unknown", *verdict.lacks)
    return Open(
        line_id(key, (*extent, *(entry for each in those for entry, _ in each.due))),
        verdict.lacks,
        _shown(witness),
        verdict.why,
        bool(witness.due),
        tuple(entry for entry, _ in witness.due),
        tuple(dict.fromkeys(step.owner for step in witness.steps if step.owner)),
    )


def _not_looked_at(found: Extraction, extents: Extents) -> Iterator[Open]:
    """What the witnesses do not speak for."""
    any_flow = found.witnesses[0].flow if found.witnesses else Flow(STRANGER)
    if found.overlapping:
        what = f"too many overlapping rules: {', '.join(found.overlapping)}"
        why = "they overlap in more ways than are looked at"
        rules = {(step.owner, step.rule) for step in found.place.steps if step.rule in found.overlapping}
        extent = (part for owner, rule in rules for part in extents.of_rule(owner, rule, ()))
        yield Open(line_id(_key(found.place, "overlap"), extent), (what,), any_flow, why, needed=False)
    for owner, rule, text in dict.fromkeys((step.owner, step.rule, text) for step, text in found.unread):
        what = f"{rule} is for {text}, of which no example was found"
        why = "what the rule does to such names was not looked at"
        id_ = line_id(_key(found.place, "unread", rule, text, owner=owner), extents.of_rule(owner, rule, ()))
        yield Open(id_, (what,), any_flow, why, needed=False)


def _dead(idle: Sequence[Step], place: Place) -> Iterator[Dead]:
    """Rules that allow and of which no step decides anything."""
    unused = {id(step) for step in idle}
    busy = {(step.owner, step.rule) for step in place.steps if id(step) not in unused}
    for owner, rule in dict.fromkeys((step.owner, step.rule) for step in idle if step.action == "allow" and step.rule):
        if (owner, rule) not in busy and owner not in place.beside:
            yield Dead(rule, owner, "other rules decide every flow that it is about before it does")


def left_open(found: Reach, holder: Resource, unread: Sequence[str], own: frozenset[str]) -> Reach:
    """The same where nobody knows what `holder` is for, of which `own` are the resources, because of `unread`: it may need
    anything, and what its rules let pass is beyond, or it is not."""
    place, lacks = found.place, tuple(f"{holder.name}: {each}" for each in unread)
    why = "what the allowlist needs is not known, nor whether that is open"
    flow = next((each.flows[0] for each in found.beyond if each.owner in own), Flow(STRANGER))
    id_ = line_id(_key(place, "allowlist", owner=holder.urn), lacks)
    asked = Open(id_, lacks, flow, why, needed=False, owners=(holder.urn,))
    perhaps = [
        Open(each.id, lacks, each.flows[0], f"{each.why}; whether that is meant is not known", needed=False, owners=(each.owner,))
        for each in found.beyond
        if each.owner in own and each.rule
    ]  # fmt: skip
    beyond = tuple(each for each in found.beyond if each.id not in {one.id for one in perhaps})
    return replace(found, beyond=beyond, unknown=(*found.unknown, asked, *perhaps))


def _key(place: Place, *parts: str, owner: str = "") -> tuple[str, ...]:
    """Of what a resource opens, the same wherever it is asked: the name of a place may be known after an update alone."""
    return place.target, owner or place.name, *parts


def as_json(found: Reach) -> dict[str, Any]:
    return {
        "place": found.place.name,
        "target": found.place.target,
        "beyond": [
            {"id": each.id, "flow": _flow(each.flows[0]), "rule": each.rule or None, "owner": each.owner or None, "why": each.why}
            for each in found.beyond
        ],
        "missing": [
            {"id": each.id, "entry": entry, "flow": _flow(each.flow) | {"name": name}, "rule": each.rule or None, "why": each.why}
            for each in found.missing
            for entry, name in each.entries
        ],
        "unknown": [{"id": each.id, "what": list(each.what), "flow": _flow(each.flow), "why": each.why} for each in found.unknown],
        "dead": [{"rule": each.rule, "owner": each.owner, "why": each.why} for each in found.dead],
        "assumptions": list(found.assumptions),
    }  # fmt: skip
