"""Routes before and after: which client subnets are led past a place that were not, which no longer, and of which nobody can
tell any more.

A way that leads where nothing was read may lead to the internet: it is as unknown as a rule that was not read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from hostgate.flows.address_sets import AddressFamily, AddressSet, union
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.routes import Round, judge, rule_of_way
from hostgate.flows.steps import Place

Kind = Literal["opened", "closed", "unknown"]
"""`opened`: nobody could say that it was open, and it is. `closed`: the same the other way. `unknown`: nobody can tell now,
or by other things than before."""

_Cause = tuple[str, str, AddressSet]
"""The resource that holds a route, the rule that it is told by, and the addresses that it takes."""

NOT_THERE = "no route for them was read"


@dataclass(frozen=True, slots=True)
class RouteChange:
    """Ways of clients that change alike."""

    kind: Kind
    before: Verdict
    after: Verdict
    flows: tuple[Flow, ...]
    opening: tuple[_Cause, ...]
    closing: tuple[_Cause, ...]


@dataclass(frozen=True, slots=True)
class _Moved:
    """A part of what a client sends that took the way `was` and takes the way `now`; None: it is led to the place, or
    nowhere. `new`: nothing was read of the client before."""

    was: Round | None
    now: Round | None
    new: bool = False

    @property
    def kind(self) -> Kind:
        end = self.now.way.end if self.now else "nowhere"
        return "opened" if end == "internet" else "unknown" if end == "unknown" else "closed"

    @property
    def key(self) -> tuple[object, ...]:
        ways = [each and (each.way.owner, each.way.route, each.way.hop, each.way.end) for each in (self.was, self.now)]
        return *ways, self.new


def route_changes(before: Place, after: Place) -> Iterator[RouteChange]:
    """Ways past the place that are new or gone, or not known any more, those by the same routes together."""
    found: dict[tuple[object, ...], list[_Moved]] = {}
    for each in (*_moved(before, after), *_led_again(before, after)):
        found.setdefault(each.key, []).append(each)
    for those in found.values():
        was, now = [each.was for each in those if each.was], [each.now for each in those if each.now]
        told = now or was
        subnets = ", ".join(dict.fromkeys(f"{each.subnet} over {each.family}" for each in islice(told, 4)))
        yield RouteChange(
            those[0].kind, _verdict(was, subnets, after.kind, new=those[0].new), _verdict(now, subnets, after.kind),
            tuple(each.flow for each in told), tuple(_causes(now, after.kind)), tuple(_causes(was, after.kind)),
        )  # fmt: skip


def _verdict(ways: Sequence[Round], subnets: str, kind: str, *, new: bool = False) -> Verdict:
    if not ways and new:
        return Verdict("unknown", None, NOT_THERE, (NOT_THERE,))
    if not ways:
        return Verdict("block", None, f"packets go to {judge(kind)}, or nowhere")
    way = ways[0].way
    rule = rule_of_way(way.route, kind)
    if way.end == "internet":
        return Verdict("allow", rule, f"packets of {subnets} go to {way.hop}, and not to {judge(kind)}")
    return Verdict("unknown", rule, f"where packets of {subnets} go is not known", (way.hop,))


def _causes(ways: Sequence[Round], kind: str) -> Iterator[_Cause]:
    if ways:
        way = ways[0].way
        yield way.owner, rule_of_way(way.route, kind), union(each.way.addresses for each in ways)


_Client = tuple[str, AddressFamily, str, str]


def _clients(place: Place) -> Mapping[_Client, list[Round]]:
    found: dict[_Client, list[Round]] = {}
    for each in (*place.round_it, *place.other_ways):
        found.setdefault((each.subnet, each.family, each.protocol, each.client), []).append(each)
    return found


def _of(client: _Client, known: Mapping[_Client, list[Round]]) -> list[Round]:
    """The ways of a client; who is everybody goes the same way, and so does a protocol that is not told apart."""
    subnet, family, protocol, who = client
    for spoken in (protocol, "https"):
        keys = [(subnet, family, spoken, one) for one in dict.fromkeys(("", who))]
        if found := [way for key in keys for way in known.get(key, ())]:
            return found
    return []


def _past(ways: Iterable[Round]) -> list[Round]:
    return [each for each in ways if each.way.end in ("internet", "unknown")]


def _moved(before: Place, after: Place) -> Iterator[_Moved]:
    """What goes past the place now, or may, and did not so before."""
    old = _clients(before)
    for client, ways in _clients(after).items():
        known = _of(client, old)
        if not any(each.meant for each in (*known, *ways)):
            continue
        for now in _past(ways):
            family, same = now.family, [each for each in known if _alike(each, now)]
            if _inside(now.way.addresses, union(each.way.addresses for each in same), family):
                continue
            left = now.way.addresses.less(union(each.way.addresses for each in same))
            others = [each for each in _past(known) if not _alike(each, now)]
            rest = left.less(union(each.way.addresses for each in others))
            parts = [(was, part) for was in others if (part := left.within(was.way.addresses)).of(family)]
            yield from (_Moved(_only(was, part), _only(now, part)) for was, part in parts)
            if rest.of(family) or not parts:
                yield _Moved(None, _only(now, rest), new=not known)


def _led_again(before: Place, after: Place) -> Iterator[_Moved]:
    """What went past the place before, or may have, and is led to it now, or nowhere."""
    new = _clients(after)
    for client, ways in _clients(before).items():
        known = _of(client, new)
        past = union(each.way.addresses for each in _past(known))
        for was in _past(ways) if any(each.meant for each in (*known, *ways)) else ():
            if not _inside(was.way.addresses, past, was.family):
                yield _Moved(_only(was, was.way.addresses.less(past)), None)


def _only(each: Round, addresses: AddressSet) -> Round:
    return replace(each, way=replace(each.way, addresses=addresses))


def _alike(one: Round, other: Round) -> bool:
    """Whether both ways end alike: what nobody knows is the same by the same name."""
    return one.way.end == other.way.end and (one.way.end == "internet" or one.way.hop == other.way.hop)


def _inside(some: AddressSet, others: AddressSet, family: AddressFamily) -> bool:
    left = some.less(others)
    return not left.of(family) and some.symbols <= others.symbols and others.without <= some.without
