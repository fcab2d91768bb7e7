"""Hosts that are allowed by addresses alone, and that pass on one side of a change and not on the other."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from ipaddress import ip_address
from itertools import islice
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, AddressFamily
from hostgate.flows.atoms import cut
from hostgate.flows.flow import Flow, Verdict, is_identity
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide

_MOST_ASKED: Final = 64
"""Addresses of one host that are asked, whether one of them is open."""
_MOST_CLIENTS: Final = 16
"""Clients for whom it is asked."""

Addresses = Mapping[tuple[str, int, str], frozenset[str]]
"""By host, port and protocol."""


def answered(place: Place, flow: Flow) -> Verdict:
    """What becomes of a flow of which an answer is wanted."""
    return decide(place, flow, answered=True)


def passing_alone(
    here: Place, other: Place, known: Addresses, others: Addresses, clients: Iterable[str | None]
) -> Iterator[tuple[str, Flow]]:
    """Hosts of `known` that pass `here`, or may, and not at the `other` place, at an address that `others` have, too, each with a
    flow that shows it: what left a pool, or came into it, says nothing of the host."""
    atoms = _Atoms((here, other))
    seen: dict[tuple[object, ...], bool] = {}

    def passes_here_alone(flow: Flow) -> bool:
        action = answered(here, flow).action
        return action != "block" and answered(other, flow).action not in ("allow", action)

    def alike(flow: Flow) -> bool:
        """The same, asked once of flows that are the same to every step."""
        key = atoms.of(flow)
        if key not in seen:
            seen[key] = passes_here_alone(flow)
        return seen[key]

    asked = list(dict.fromkeys([None, *clients]))[:_MOST_CLIENTS]
    for (host, port, protocol), addresses in known.items():
        both = addresses & others.get((host, port, protocol), addresses)
        flows = (
            Flow(host, port, protocol, address=address, source=client)
            for address in islice(sorted(both), _MOST_ASKED)
            for client in asked
            if client is None or is_identity(client) or (":" in client) is (":" in address)
        )
        if (first := next(filter(alike, flows), None)) is not None:
            yield host, first


class _Atoms:
    """Which flows are the same to every step of `places`: of one port, protocol, client and, where some step asks for names, host,
    to addresses that are in the same sets."""

    def __init__(self, places: Sequence[Place]) -> None:
        steps = [step for place in places for step in place.steps]
        self._named = any(step.box.name_tests for step in steps)
        self._sets = list(dict.fromkeys((*(step.box.address for step in steps), *(place.inside for place in places))))
        self._of_family = cache(self._cut)

    def of(self, flow: Flow) -> tuple[object, ...]:
        address = ip_address(flow.address or "")
        starts, parts = self._of_family("IPv4" if address.version == 4 else "IPv6")
        part = parts[bisect(starts, int(address)) - 1]
        return part, address.version, flow.port, flow.protocol, flow.source, flow.name if self._named else ""

    def _cut(self, family: AddressFamily) -> tuple[list[int], list[int]]:
        """Where parts of the addresses begin, and the sets that hold each."""
        parts = cut([each.of(family) for each in self._sets], EVERY_ADDRESS.of(family))
        starts = sorted((low, holding) for holding, part in parts for low, _ in part)
        return [low for low, _ in starts], [holding for _, holding in starts]
