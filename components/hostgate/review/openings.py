"""Openings: which names on which ports the decisions of a plan open, as sets that can be asked in the time of a label.

A name is open, or it is not, whatever entry opens it. So a set of names is kept in three parts that nothing splits
further: the name itself, the names one label below it, and those deeper. A wildcard holds a part of another one whole
or not at all, and no finite list of names fills a wildcard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import Literal

from hostgate.catalog.model import Entry, Match
from hostgate.planning.decision import Decision
from hostgate.review.statement import Statement

Wire = Literal["tls", "http", "tcp", "udp", "query"]
"""What a mechanism tells apart on one port; `query` is a DNS question, which has no port."""

WIDER: dict[str, Match] = {"apex-included": "subtree+apex", "deeper-names": "subtree"}
"""What an entry reaches in truth where a widening was accepted, by the id of the widening."""


class Part(IntFlag):
    """A part of the names at or below one name."""

    NAME = 1
    ONE = 2
    DEEP = 4


PARTS: dict[Match, Part] = {
    "exact": Part.NAME,
    "one-label": Part.ONE,
    "subtree": Part.ONE | Part.DEEP,
    "subtree+apex": Part.NAME | Part.ONE | Part.DEEP,
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What one allowed entry opens: its names as the mechanism really holds them, on one port."""

    decision: Decision
    match: Match
    wire: Wire
    port: int

    @property
    def widened(self) -> bool:
        """Whether its rule opens more than the entry, other names at its addresses among them."""
        return self.decision.widening is not None


class Openings:
    """Everything that a statement opens. Nothing is open in a refused one, because nothing of it is made."""

    def __init__(self, statement: Statement | None) -> None:
        self.listed: tuple[Opening, ...] = ()
        self._parts: dict[tuple[Wire, int], dict[str, Part]] = {}
        if statement is None or statement.refused:
            return
        self.listed = tuple(_openings(statement))
        for each in self.listed:
            for wire, port in _seen_alike(each):
                parts = self._parts.setdefault((wire, port), {})
                host = each.decision.entry.host
                parts[host] = parts.get(host, Part(0)) | PARTS[each.match]

    @property
    def ports(self) -> frozenset[tuple[Wire, int]]:
        """Where entries open something, as they say it."""
        return frozenset((each.wire, each.port) for each in self.listed)

    def lacks(self, parts: Part, host: str, wire: Wire, port: int) -> Part:
        """Those of `parts` of `host` that are not open."""
        known = self._parts.get((wire, port))
        if known is None:
            return parts
        missing = parts & ~known.get(host, Part(0))
        if not missing:
            return missing
        above = host
        first = True
        while missing and "." in above:
            above = above.partition(".")[2]
            held = known.get(above, Part(0))
            if Part.DEEP in held:  # every name two or more labels below `above`, and so all that is below `host`
                missing &= ~(Part.ONE | Part.DEEP)
                if not first:
                    missing &= ~Part.NAME
            if first and Part.ONE in held:
                missing &= ~Part.NAME
            first = False
        return missing

    def holds(self, name: str, wire: Wire, port: int) -> bool:
        return not self.lacks(Part.NAME, name, wire, port)


def _openings(statement: Statement) -> Iterator[Opening]:
    for decision in statement.decisions:
        if decision.outcome != "allowed":
            continue
        entry = decision.entry
        way = decision.means
        if way is None:
            continue
        match = WIDER.get(decision.widening or "", entry.match)
        query = way.sight == "query-name"
        yield Opening(decision, match, "query" if query else _wire(entry), 0 if query else entry.port)


def _wire(entry: Entry) -> Wire:
    return "tls" if entry.protocol == "https" else entry.protocol


def _seen_alike(each: Opening) -> Iterator[tuple[Wire, int]]:
    """The flows that the rule of an opening cannot tell apart: one that sees addresses knows the transport only, and one
    that sees names not always whether TLS or HTTP carries them."""
    way = each.decision.means
    wires: tuple[Wire, ...] = (each.wire,)
    if way is not None and not way.tells_tls and each.wire in ("tls", "http"):
        wires = ("tls", "http")
    if way is not None and way.sight == "address-and-port" and each.wire != "udp":
        wires = ("tls", "http", "tcp")
    yield from ((wire, each.port) for wire in wires)
