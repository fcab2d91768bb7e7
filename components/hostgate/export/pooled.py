"""Formats that filter by address: the addresses come from a pool that somebody keeps in step with DNS, never from here.

A host without an address is refused: a rule without addresses opens nothing or everything, and either is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.export.file_format import TCP, UDP, ClientOptions, FileFormat
from hostgate.flows.address_sets import networks
from hostgate.flows.intervals import Intervals
from hostgate.flows.steps import Box, ClientTest, Step
from hostgate.planning import pooled
from hostgate.planning.evidence import Claim
from hostgate.planning.mechanism import Objection, Rendering

OPENS = (Claim("every other name on the addresses of the host, at its port", "hostgate, docs/export.md", "2026-11-28"),)
KEEPS = Claim("somebody who runs `hostgate pool refresh` and exports again", "hostgate, docs/export.md", "2026-11-28")


class PooledOptions(ClientOptions, pooled.PooledOptions):
    """Options of formats that are fed by a pool."""

    @property
    def client_families(self) -> frozenset[Family]:
        return frozenset("ipv6" if ":" in str(each) else "ipv4" for each in self.from_) or frozenset(FAMILIES)


P = TypeVar("P", bound=PooledOptions)


class PooledFormat(FileFormat[P]):
    """Base of the formats that are fed by a pool."""

    open_ports: ClassVar[str] = "at the ports of their hosts"

    def render(self, entries: Sequence[Entry], options: P) -> Rendering:
        made = super().render(entries, options)
        opened = pooled.openings(entries, options)
        beside = (pooled.opened_beside(opened, self.open_ports),) if opened else ()
        return replace(made, findings=(*made.findings, *beside))

    def objections(self, entries: Sequence[Entry], options: P) -> Mapping[tuple[str, str], Objection]:
        return {**options.unfed(entries), **super().objections(entries, options)}


def opening_step(name: str, row: Mapping[str, Any], clients: ClientTest) -> Step:
    """What a row with address, transport, port and hosts lets pass."""
    box = Box(
        address=networks([row["address"]]),
        port=Intervals.of([(row["port"], row["port"])]),
        protocols=frozenset({UDP if row["transport"] == "udp" else TCP}),
        client=clients,
    )
    return Step(
        action="allow", rule=f"{name}#{row['hosts'][0]}:{row['port']}", why="its address is in the set", box=box
    )
