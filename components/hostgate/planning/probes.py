"""Probes: what a real client tries to see whether what stands does what reach says, few of each kind.

Each is a flow that a client can make and that the evaluator has judged as it is made. Where nothing is known to answer, a
name that a rule is about is said to a server that does (RFC 2606 names), or silence proves nothing and is told as that.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, islice
from typing import Final, Literal

from hostgate.catalog.hosts import is_address
from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, AddressFamily, AddressSet
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.name_atoms import OTHERS, STRANGER
from hostgate.flows.name_classes import Need
from hostgate.flows.routes import rule_of_way
from hostgate.planning.probe_clients import ANY_HOST, clients_alike
from hostgate.planning.probe_paths import Path
from hostgate.planning.trial import STRANGERS

MOST_ALIKE: Final = 3
"""Hosts of a kind that are tried: of the same port, protocol and match, rules are made alike."""

_LOOKED_AT: Final = 100

MOST: Final = 60
"""Probes of a place. Each takes ten seconds at most, so that a run ends within ten minutes."""

_IPV4: Final = ANY_HOST[4][0]
_IPV6: Final = ANY_HOST[6][0]

_MADE_UP: Final = (STRANGER, *OTHERS)
_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\Z")
"""What stands in a URL as a host and as nothing else: a state may hold any text as a name."""

_HOSTS: Final = ("exact", "subtree+apex")
_UNKNOWN: Final = "not known whether it passes"
_SPOKEN: Final = ("https", "tls", "http", "tcp", "quic")
_ANSWERED: Final = {("https", 443), ("tls", 443), ("http", 80)}
"""What servers of STRANGERS answer."""


Wanted = Literal["allow", "block", ""]


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
                yield _first_of(path, beyond.id, what, beyond.flows, beyond.names)
        names = [(need.entry, test) for need in point.needs for test in need.box.dialled or ()]
        hosts = {test.text for _, test in names if test.kind in _HOSTS}
        of_entry = {entry: test.text for entry, test in names}
        needed = [(each.id, "missing", each.flow, [name for _, name in each.entries]) for each in point.reach.missing]
        needed += [
            (each.id, _UNKNOWN, each.flow, [of_entry.get(entry, each.flow.name) for entry in each.entries])
            for each in point.reach.unknown
            if each.needed
        ]
        for id_, what, flow, others in needed:
            tried = [_of_need(path, id_, what, each, hosts) for each in _alike(path, flow, others)]
            yield next((each for each in tried if isinstance(each, Probe)), tried[0])
        for unknown in point.reach.unknown:
            if not unknown.needed:
                yield _first_of(path, unknown.id, _UNKNOWN, (unknown.flow,))


def _to(flow: Flow, name: str) -> Flow:
    """The same to another name."""
    return replace(flow, name=name, sni=flow.sni and name)


def _alike(path: Path, flow: Flow, names: Iterable[str]) -> list[Flow]:
    """The flow, and such to some of `names` of which the same becomes."""
    verdict = path.verdict(flow).action
    others = (_to(flow, name) for name in islice(dict.fromkeys(names), _LOOKED_AT) if name != flow.name)
    return [flow, *(each for each in others if path.verdict(each).action == verdict)]


def _of_need(path: Path, id_: str, what: str, flow: Flow, hosts: AbstractSet[str]) -> Probe | Untried:
    if flow.name not in hosts:
        return Untried(id_, what, f"{flow.name} stands for names below it, of which none is known")
    where = _addresses_of(path, flow)
    if all(path.verdict(flow).action == path.verdict(each).action for each in (*where, _anywhere(flow))):
        return _probe(path, id_, what, _anywhere(flow), answers=True, wanted="allow")
    others = "and not at others that it has" if where else "and whether the host is there is not known here"
    return Untried(id_, what, f"{flow.name}: it is so at {flow.address}, {others}")


def _addresses_of(path: Path, flow: Flow) -> list[Flow]:
    """The same to each of the addresses at which alone the host is needed; none where it is needed at any."""
    family: AddressFamily = "IPv6" if flow.family == 6 else "IPv4"
    kind = IPv6Address if flow.family == 6 else IPv4Address
    known = (
        part
        for point in path.points
        for need in point.needs
        if need.due and need.box.address.of(family) != EVERY_ADDRESS.of(family)
        and any(test.holds(flow.name) for test in need.box.dialled or ()) and flow.port in need.box.port
        for part in need.box.address.of(family)
    )  # fmt: skip
    numbers = islice((number for low, high in known for number in range(low, high + 1)), _LOOKED_AT)
    return [replace(flow, address=str(kind(number))) for number in numbers]


def _anywhere(flow: Flow) -> Flow:
    """The same to whatever address the name has over the family."""
    return replace(flow, address=ANY_HOST[flow.family][0])


def _first_of(path: Path, id_: str, what: str, flows: Sequence[Flow], names: Sequence[str] = ()) -> Probe | Untried:
    """Of the first of `flows` that a client can make, in a way that the place judges alike; else of one to another of `names`
    of which the same becomes."""
    others = ((_to(flow, name), path.verdict(flow)) for name in islice(names, _LOOKED_AT) for flow in flows)
    alike = ((flow, wanted) for flow, wanted in others if _gist(path.verdict(flow)) == _gist(wanted))
    for flow, wanted in chain(((flow, path.verdict(flow)) for flow in flows), alike):
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
    return [replace(flow, address=address) for address in ANY_HOST[flow.family]]


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
            given = tuple(_given(box.address, family) for family in FAMILIES)
            shape = box.port, box.protocols, box.applications, given
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
        alike = f"{what}, one of {len(needs):,} alike" if len(needs) > MOST_ALIKE else what
        made: list[Probe | Untried] = []
        for need in some:
            if (flow := _flow_of(need)) is None:
                continue
            where = _addresses_of(path, flow)
            verdicts = {path.verdict(each).action for each in where or [flow]}
            if verdicts == {"block"}:  # what is closed is another line's, or has an alternative that is open
                continue
            id_ = _id(path, what, repr(flow))
            if len(verdicts) > 1:
                made.append(Untried(id_, alike, f"{need.entry}: it is open at some of its addresses alone"))
                continue
            made.append(_probe(path, id_, alike, next(iter(where), flow), answers=True, wanted="allow"))
            if sum(isinstance(each, Probe) for each in made) == MOST_ALIKE:
                break
        yield from [each for each in made if isinstance(each, Probe)] or made[:1]


def _given(addresses: AddressSet, family: AddressFamily) -> bool | None:
    """Whether the addresses of a host are given; None: it has none of the family."""
    known = addresses.of(family)
    return known != EVERY_ADDRESS.of(family) if known else None


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
    found = clients_alike(path, flow, verdict)
    if found is None:
        return Untried(id_, what, "which clients it is about is not known here")
    return Probe(id_, what, found[0], verdict, answers, wanted, found[1])


def _more(number: int) -> str:
    return f" and {number - 1:,} alike" if number > 1 else ""


def _id(path: Path, *parts: str) -> str:
    return sha256("\x00".join((path.title, *parts)).encode()).hexdigest()[:8]
