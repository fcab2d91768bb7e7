"""Clients of probes: whose verdict it is that a probe expects, as ranges and identities that a script can compare."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, NO_ADDRESS, AddressFamily, AddressSet
from hostgate.flows.atoms import cut, usual_address
from hostgate.flows.flow import Flow, Verdict, is_identity
from hostgate.flows.intervals import Intervals
from hostgate.flows.steps import Step
from hostgate.planning.probe_paths import Path, as_tried

ANY_HOST: Final = {4: ("203.0.113.7", "192.0.2.7", "198.51.100.7"), 6: ("2001:db8::7", "2a00::7"), None: (None,)}
"""Addresses that stand for that of any host: what is judged alike for all of them is not about one of their ranges. The first
stands for the address of whatever is dialled (RFC 5737, RFC 3849)."""

_NUMBER: Final[Mapping[AddressFamily, Literal[4, 6]]] = {"IPv4": 4, "IPv6": 6}
_EVERY_RANGE: Final = 10_000


def clients_alike(path: Path, flow: Flow, verdict: Verdict) -> tuple[Flow, tuple[str, ...]] | None:
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
        return replace(flow, address=ANY_HOST[_NUMBER[only]][0]), clients
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
