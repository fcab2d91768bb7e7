"""Formats that filter by address: the addresses come from a pool that somebody keeps in step with DNS, never from here.

A host without an address is refused: a rule without addresses opens nothing or everything, and either is wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import FAMILIES, Entry
from hostgate.export.file_format import TCP, UDP, ClientOptions, FileFormat
from hostgate.flows.address_sets import networks
from hostgate.flows.intervals import Intervals
from hostgate.flows.steps import Box, ClientTest, Step
from hostgate.planning.address_pool import address_kind, family_of, packed_address
from hostgate.planning.evidence import Claim
from hostgate.planning.mechanism import Objection

RESOLVER = "the addresses are those of the pool; how old they are says how often a connection is refused"
OPENS = (Claim("every other name on the addresses of the host, at its port", "hostgate, docs/export.md", "2026-11-28"),)
KEEPS = Claim("somebody who runs `hostgate pool refresh` and exports again", "hostgate, docs/export.md", "2026-11-28")
BY_NAME = "the names that are needed as exact entries: DNS is asked for names, not for what lies below one."
NEAREST = dict.fromkeys(("one-label", "subtree", "subtree+apex"), BY_NAME)


def host_address(text: str) -> str:
    """An address that a host can have, as it is. Raises PydanticCustomError."""
    packed = packed_address(text)
    if packed is None or address_kind(packed) == "never":
        message = f"Found {text!a}. Allowed: an address that a host can have, in its shortest form."
        raise PydanticCustomError("address", "{message}", {"message": message})
    return text


class PooledOptions(ClientOptions):
    """Options of formats that are fed by a pool."""

    addresses: dict[str, list[Annotated[str, AfterValidator(host_address)]]] = {}
    """The addresses of each host."""

    def dialled(self, entry: Entry) -> tuple[str, ...]:
        return self.of(entry)

    def of(self, entry: Entry) -> tuple[str, ...]:
        """The addresses of `entry`, of the families that its host is served on and that clients have."""
        own = {"ipv6" if ":" in str(each) else "ipv4" for each in self.from_} or {*FAMILIES}
        wanted = own & {*(entry.families or FAMILIES)}
        return tuple(dict.fromkeys(each for each in self.addresses.get(entry.host, ()) if family_of(each) in wanted))


P = TypeVar("P", bound=PooledOptions)


class PooledFormat(FileFormat[P]):
    """Base of the formats that are fed by a pool."""

    def objections(self, entries: Sequence[Entry], options: P) -> Mapping[tuple[str, str], Objection]:
        found = dict(super().objections(entries, options))
        for entry in entries:
            if entry.key not in found and not options.of(entry):
                told = f" of {' or '.join(entry.families)}" if entry.families else ""
                told += " over a family that `from` has clients of" if options.addresses.get(entry.host) else ""
                objection = Objection(
                    f"There is no address{told} of {entry.host}: no `addresses`, or no pool that has any.",
                    "`hostgate pool refresh`, then --pool.",
                )
                found[entry.key] = objection
        return found


@dataclass(frozen=True, slots=True)
class Opening:
    """An address and port that hosts open."""

    address: str
    transport: str
    port: int
    hosts: tuple[str, ...] = ()


def openings(entries: Iterable[Entry], options: PooledOptions) -> list[Opening]:
    """Each address and port once, with the hosts that need it; IPv4 first, in order of number."""
    found: dict[tuple[str, str, int], set[str]] = {}
    for entry in entries:
        for address in options.of(entry):
            found.setdefault((address, entry.transport, entry.port), set()).add(entry.host)
    ordered = sorted(found, key=lambda key: (":" in key[0], packed_address(key[0]), *key[1:]))
    return [Opening(*key, tuple(sorted(found[key]))) for key in ordered]


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
