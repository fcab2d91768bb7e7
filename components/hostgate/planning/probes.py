"""Probes: what a real client tries to see whether what stands does what reach says, few of each kind.

Each is a flow that a client can make and that the evaluator has judged as it is made. Where nothing is known to answer, a
name that a rule is about is said to a server that does (RFC 2606 names), or silence proves nothing and is told as that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from typing import Final, Literal

from hostgate.catalog.hosts import is_address
from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, NO_ADDRESS, AddressFamily, AddressSet
from hostgate.flows.atoms import cut, usual_address
from hostgate.flows.flow import Flow, Verdict, is_identity
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_atoms import OTHERS, STRANGER
from hostgate.flows.name_classes import Need
from hostgate.flows.reach import Reach, sees_queries_alone
from hostgate.flows.routes import rule_of_way
from hostgate.flows.steps import Place, Step
from hostgate.flows.verdicts import decide
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.trial import STRANGERS

MOST_ALIKE: Final = 3
"""Hosts of a kind that are tried: of the same port, protocol and match, rules are made alike."""

_LOOKED_AT: Final = 100

MOST: Final = 60
"""Probes of a place. Each takes ten seconds at most, so that a run ends within ten minutes."""

_IPV4: Final = "203.0.113.7"
_IPV6: Final = "2001:db8::7"
"""Stand for the address of whatever is dialled (RFC 5737, RFC 3849)."""

_ANY_HOST: Final = {4: (_IPV4, "192.0.2.7", "198.51.100.7"), 6: (_IPV6, "2a00::7"), None: (None,)}
"""Addresses that stand for that of any host: what is judged alike for all of them is not about one of their ranges."""

_MADE_UP: Final = (STRANGER, *OTHERS)
_NUMBER: Final[Mapping[AddressFamily, Literal[4, 6]]] = {"IPv4": 4, "IPv6": 6}
_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\Z")
"""What stands in a URL as a host and as nothing else: a state may hold any text as a name."""

_EVERY_RANGE: Final = 10_000
_HOSTS: Final = ("exact", "subtree+apex")
_UNKNOWN: Final = "not known whether it passes"
_SPOKEN: Final = ("https", "tls", "http", "tcp", "quic")
_ANSWERED: Final = {("https", 443), ("tls", 443), ("http", 80)}
"""What servers of STRANGERS answer."""


Wanted = Literal["allow", "block", ""]


@dataclass(frozen=True, slots=True)
class Point:
    """A place, what catalogs need there, what reach says of it, and the target whose rules it has, by which a log finds it."""

    target: str
    place: Place
    needs: Sequence[Need]
    reach: Reach
    alone: bool = False
    """Whether it judges clients of its own, beside other targets of its cloud that do."""
    clients: tuple[str, ...] = ()
    """Identities of those that the catalogs are for; none: whoever the place is for."""

    @property
    def title(self) -> str:
        return title(self.target.partition(":")[0], self.place)


@dataclass(frozen=True, slots=True)
class Probe:
    """One connection. `flow` is what the client does; its address only says over which family, and of a name that stands in
    no DNS, which address is dialled."""

    id: str
    what: str
    flow: Flow
    verdict: Verdict
    answers: bool
    """Whether something is known to answer there: else that nothing does says nothing."""
    wanted: Wanted = ""
    """What the catalogs ask for, where the verdict is not known: whether it has to pass, or must not."""
    clients: tuple[str, ...] = ()
    """Ranges, and identities of clients, of which one has to be its client's; none: any client of the place."""


@dataclass(frozen=True, slots=True)
class Untried:
    """What no probe is made of, and why."""

    id: str
    what: str
    why: str


@dataclass(frozen=True)
class Path:
    """What a client's connection passes: the place, and beside it such as judge its DNS queries or the like."""

    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        return self.points[0].title

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(point.target for point in self.points))

    @property
    def asked(self) -> bool:
        """Whether clients have to be told to go there: an explicit proxy."""
        return self.points[0].place.led == "asked"

    @property
    def queries(self) -> bool:
        """Whether DNS queries are judged on it, so that a name that does not resolve tells something."""
        return any(sees_queries_alone(point.place) for point in self.points)

    @property
    def bare_connect(self) -> str:
        """Why a TCP connect proves nothing; empty where it does."""
        means = (mechanism(each).means[0] for each in self.targets if each in targets())
        return next((why for each in means if (why := each.connect_test)), "")

    def verdict(self, flow: Flow) -> Verdict:
        main, *layers = self.points
        if flow.source is None and main.clients:
            flow = replace(flow, source=main.clients[0])
        judged = [("", main.place), *((layer.target, layer.place) for layer in layers)]
        return met(flow, judged)


def as_tried(place: Place) -> Place:
    """The place for the client of a probe: it is told of a proxy that clients are told to use."""
    if place.led != "asked":
        return place
    return replace(place, stages=tuple(stage for stage in place.stages if not stage.around))


def title(cloud: str, place: Place) -> str:
    return f"{cloud} {place.kind} {place.name}"


def met(flow: Flow, places: Iterable[tuple[str, Place]]) -> Verdict:
    """What becomes of a flow that meets places one after the other, those of one name in the place of each other: what
    blocks it, else what is not known, else what allows it first. Of several of a name nobody knows which one it is."""
    by_name: dict[str, list[Verdict]] = {}
    for name, place in places:
        by_name.setdefault(name, []).append(decide(as_tried(place), flow))
    verdicts = [
        those[0] if len({each.action for each in those}) == 1 else _either(name, len(those))
        for name, those in by_name.items()
    ]
    return next((each for word in ("block", "unknown") for each in verdicts if each.action == word), verdicts[0])


def _either(name: str, number: int) -> Verdict:
    why = f"there are {number} places of {name}, which judge it differently"
    return Verdict("unknown", None, why, (f"which place of {name} the client's connections pass",))


def paths(points: Sequence[Point]) -> tuple[Path, ...]:
    """The ways that clients' connections take: each place with the other layers of its cloud."""
    found: list[Path] = []
    for cloud in dict.fromkeys(point.target.partition(":")[0] for point in points):
        here = [point for point in points if point.target.partition(":")[0] == cloud]
        first = next((each.target for each in here if not sees_queries_alone(each.place)), here[0].target)
        apart = {each.target for each in here if each.alone}
        apart = apart if first in apart else {first}
        mains = [each for each in here if not sees_queries_alone(each.place) and each.target in apart]
        mains = mains or [each for each in here if each.target == first]
        layers = [each for each in here if not any(each is main for main in mains)]
        found += [Path((main, *layers)) for main in mains]
    return tuple(found)


def probes(path: Path) -> tuple[tuple[Probe, ...], tuple[Untried, ...]]:
    """What to try on a path, the lines of reach first, each connection once and `MOST` at most; and what is not tried."""
    found: dict[tuple[object, ...], Probe] = {}
    untried: list[Untried] = []
    lines = list(_of_lines(path))
    for number, each in enumerate((*lines, *_of_needs(path), *_of_kinds(path))):
        if isinstance(each, Untried):
            untried.append(each)
        elif (other := found.get(_key(each))) is not None:
            if number < len(lines):
                untried.append(Untried(each.id, each.what, f"it is the connection of {other.id}"))
        elif len(found) < MOST:
            found[_key(each)] = each
        else:
            untried.append(Untried(each.id, each.what, f"a run has {MOST} probes at most"))
    return tuple(found.values()), tuple(untried)


def _key(probe: Probe) -> tuple[object, ...]:
    flow = probe.flow
    return flow.name, flow.port, flow.protocol, flow.sni, flow.family, probe.clients


def _of_lines(path: Path) -> Iterator[Probe | Untried]:
    for point in path.points:
        rounds = {rule_of_way(each.way.route, point.place.kind) for each in point.place.round_it}
        for beyond in point.reach.beyond:
            what = "beyond the catalogs"
            if beyond.rule in rounds:
                why = "a route leads past the place; try any host from a client of the subnet"
                yield Untried(beyond.id, what, f"{beyond.why}: {why}")
            else:
                yield _first_of(path, beyond.id, what, beyond.flows)
        hosts = {test.text for need in point.needs for test in need.box.dialled or () if test.kind in _HOSTS}
        needed = [(each.id, "missing", each.flow) for each in point.reach.missing]
        needed += [(each.id, _UNKNOWN, each.flow) for each in point.reach.unknown if each.needed]
        for id_, what, flow in needed:
            if flow.name in hosts and path.verdict(flow).action == path.verdict(_anywhere(flow)).action:
                yield _probe(path, id_, what, _anywhere(flow), answers=True, wanted="allow")
            elif flow.name in hosts:
                yield Untried(
                    id_, what, f"it is so at {flow.address}, and whether {flow.name} is there is not known here"
                )
            else:
                yield Untried(id_, what, f"{flow.name} stands for names below it, of which none is known")
        for unknown in point.reach.unknown:
            if not unknown.needed:
                yield _first_of(path, unknown.id, _UNKNOWN, (unknown.flow,))


def _anywhere(flow: Flow) -> Flow:
    """The same to whatever address the name has over the family."""
    return replace(flow, address=_ANY_HOST[flow.family][0])


def _first_of(path: Path, id_: str, what: str, flows: Sequence[Flow]) -> Probe | Untried:
    """Of the first of `flows` that a client can make, in a way that the place judges alike."""
    for flow in flows:
        wanted = path.verdict(flow)
        for tried, answers in _ways(path, flow):
            judged = {_gist(path.verdict(each)) for each in _at_any_host(tried)}
            made = _probe(path, id_, what, tried, answers=answers, wanted="block")
            if isinstance(made, Probe) and judged == {_gist(wanted)}:
                return made
    made = _probe(path, id_, what, flows[0], answers=False)
    return made if isinstance(made, Untried) else Untried(id_, what, "no name or address is known by which to try it")


def _gist(verdict: Verdict) -> tuple[str, str | None]:
    return verdict.action, verdict.rule


def _at_any_host(flow: Flow) -> list[Flow]:
    """The flow; one to whatever address a name has, to several."""
    if is_address(flow.name):
        return [flow]
    return [replace(flow, address=address) for address in _ANY_HOST[flow.family]]


def _ways(path: Path, flow: Flow) -> Iterator[tuple[Flow, bool]]:
    """How a client may make a flow like `flow`, and whether something answers then."""
    answers = (flow.protocol, flow.port) in _ANSWERED
    made_up = flow.name in _MADE_UP
    bare = _anywhere(flow)
    for stranger in STRANGERS:
        if made_up:
            yield replace(bare, name=stranger, sni=stranger if flow.sni is not None else None), answers
        elif not path.asked and flow.wire_name is not None:  # said to a server of another name
            yield replace(bare, name=stranger), False
    if flow.address is not None and len({_gist(path.verdict(each)) for each in (flow, *_at_any_host(bare))}) > 1:
        if not answers and flow.wire_name is not None:  # what listens there may speak first, and no TLS
            yield Flow(flow.address, flow.port, "tcp", source=flow.source), False
        yield replace(flow, name=flow.address, sni=flow.sni and flow.name), False
    if not made_up:
        yield bare, False


def _of_needs(path: Path) -> Iterator[Probe | Untried]:
    """Hosts that are needed, a few of each kind."""
    kinds: dict[tuple[str, object], list[Need]] = {}
    for need in path.points[0].needs:
        box = need.box
        if need.due and box.dialled:
            shape = box.port, box.protocols, box.applications, box.address
            kinds.setdefault((box.dialled[0].kind, shape), []).append(need)
    what = "an allowed host"
    for (match, _), needs in kinds.items():
        spoken = _flow_of(needs[0]) is not None
        if not spoken or match not in _HOSTS:
            why = "no name below it is known" if spoken else "no program without rights sends it and is answered"
            yield Untried(_id(path, what, needs[0].entry), f"{what}: {needs[0].entry}{_more(len(needs))}", why)
            continue
        step = max(1, len(needs) // MOST_ALIKE)
        some = islice(dict.fromkeys((*needs[::step], *needs)), _LOOKED_AT)
        flows = [flow for need in some if (flow := _flow_of(need)) is not None]
        # What is closed is another line's, or has an alternative that is open.
        flows = [flow for flow in flows if path.verdict(flow).action != "block"][:MOST_ALIKE]
        alike = f"{what}, one of {len(needs):,} alike" if len(needs) > MOST_ALIKE else what
        for flow in flows:
            yield _probe(path, _id(path, what, repr(flow)), alike, flow, answers=True, wanted="allow")


def _flow_of(need: Need) -> Flow | None:
    """What a client does that needs it; None for what curl does not speak."""
    box = need.box
    assert box.dialled is not None
    (low, high), *more = box.port
    if box.protocols != frozenset({6}) or low != high or more:
        return None
    spoken = {frozenset({"tls"}): "https", frozenset({"http"}): "http", None: "tcp"}.get(box.applications)
    only = next((family for family in FAMILIES if not box.address.of(family)), None)
    address = {"IPv4": _IPV6, "IPv6": _IPV4, None: None}[only]
    return None if spoken is None else Flow(box.dialled[0].text, low, spoken, address=address)


def _of_kinds(path: Path) -> Iterator[Probe | Untried]:
    """What mechanisms are told apart by: a stranger, over both families and on another port; no SNI, QUIC, IPv6."""
    blocked = (name for name in STRANGERS if path.verdict(Flow(name)).action == "block")
    stranger = next(blocked, STRANGERS[0])
    if path.asked:
        tried = [("a host of no entry", Flow(stranger), True)]
    else:  # over a family that is named: a client that has both tries IPv6 first, and IPv4 would never be asked
        flows = [flow for need in path.points[0].needs if need.due and need.box.dialled
                 and need.box.dialled[0].kind == "exact" and (flow := _flow_of(need)) and flow.protocol == "https"]  # fmt: skip
        host = next((flow for flow in flows if flow.family is None and path.verdict(flow).allows), None)
        tried = [
            ("a host of no entry", Flow(stranger, address=_IPV4), True),
            ("a host of no entry", Flow(stranger, address=_IPV6), True),
            ("a host of no entry on another port", Flow(stranger, 80, "http", address=_IPV4), True),
        ]
        if host is not None:
            tried += [
                ("an allowed host without SNI", replace(host, sni=None, address=_IPV4), True),
                ("an allowed host over IPv6", replace(host, address=_IPV6), False),
                # Many a host has no QUIC, and then silence is no verdict.
                ("an allowed host over QUIC", replace(host, protocol="quic", address=_IPV4), False),
            ]
    for what, flow, answers in tried:
        wanted: Wanted = "block" if flow.name == stranger else ""
        yield _probe(path, _id(path, what, repr(flow)), what, flow, answers=answers, wanted=wanted)


def _probe(path: Path, id_: str, what: str, flow: Flow, *, answers: bool, wanted: Wanted = "") -> Probe | Untried:
    if flow.protocol not in _SPOKEN:
        return Untried(id_, what, f"no program without rights sends {flow.protocol} and is answered")
    if flow.name in _MADE_UP:
        return Untried(id_, what, "no name is known by which to try it")
    if not all(is_address(name) or _NAME.match(name) for name in (flow.name, flow.sni or flow.name)):
        return Untried(id_, what, f"{flow.name} is no name that a client can dial")
    if path.asked and (flow.protocol not in ("https", "tls") or flow.sni != flow.name):
        return Untried(id_, what, "a proxy is asked by name, over CONNECT")
    verdict = path.verdict(flow)
    found = _clients(path, flow, verdict)
    if found is None:
        return Untried(id_, what, "which clients it is about is not known here")
    return Probe(id_, what, found[0], verdict, answers, wanted, found[1])


def _clients(path: Path, flow: Flow, verdict: Verdict) -> tuple[Flow, tuple[str, ...]] | None:
    """The flow, from one of the clients whose verdict it is where those that are meant fare differently; and those clients,
    as ranges and identities. None where nobody can tell."""
    place = path.points[0].place
    if flow.identity is not None:
        return flow, (flow.identity,)
    if identities := path.points[0].clients:
        same = [each for each in identities if path.verdict(replace(flow, source=each)).action == verdict.action]
        return (replace(flow, source=same[0]), tuple(same)) if same else None
    flow = replace(flow, source=None)
    if place.clients is not None and place.clients.identities is not None:
        return flow, tuple(sorted(place.clients.identities))
    meant = place.clients.addresses if place.clients is not None else place.inside
    if meant.opaque:
        return None
    meant = EVERY_ADDRESS if meant == NO_ADDRESS else meant
    own = {family: ranges for family in FAMILIES if (ranges := meant.of(family))}
    alike: dict[AddressFamily, Intervals] = {}
    sources: list[str] = []
    for family in FAMILIES if flow.family is None else ("IPv6" if flow.family == 6 else "IPv4",):
        for _, part in cut(_told_apart(path, family), meant.of(family)):
            source = usual_address(part, family, client=True)
            if path.verdict(replace(flow, source=source)).action == verdict.action:
                alike[family] = alike.get(family, Intervals()) | part
                sources.append(source)
    clients = (
        () if meant.v4 == EVERY_ADDRESS.v4 else tuple(each for family in own for each in _ranges(own[family], family))
    )
    if all(alike.get(family) == ranges for family, ranges in own.items() if flow.family in (None, _NUMBER[family])):
        return flow, clients
    if len(alike) == 1 and (only := next(iter(alike))) in own and alike[only] == own[only]:
        return replace(flow, address=_ANY_HOST[_NUMBER[only]][0]), clients
    known = [each for each in _identities(path) if path.verdict(replace(flow, source=each)).action == verdict.action]
    told = (*known, *(each for family, ranges in alike.items() for each in _ranges(ranges, family)))
    return (replace(flow, source=(*sources, *known)[0]), told) if told else None


def _identities(path: Path) -> list[str]:
    """What rules on the path ask of clients beside their addresses."""
    return sorted({each for step in _steps(path) for each in step.box.client.identities or () if is_identity(each)})


def _told_apart(path: Path, family: AddressFamily) -> list[Intervals]:
    """The sets of clients' addresses that any rule on the path asks for."""
    return list(dict.fromkeys(step.box.client.addresses.of(family) for step in _steps(path)))


def _steps(path: Path) -> Iterator[Step]:
    return (step for point in path.points for step in as_tried(point.place).steps)


def _ranges(addresses: Intervals, family: AddressFamily) -> list[str]:
    shown = AddressSet(v4=addresses) if family == "IPv4" else AddressSet(v6=addresses)
    return [each for each in shown.shown(family, _EVERY_RANGE).split(", ") if each]


def _more(number: int) -> str:
    return f" and {number - 1:,} alike" if number > 1 else ""


def _id(path: Path, *parts: str) -> str:
    return sha256("\x00".join((path.title, *parts)).encode()).hexdigest()[:8]
