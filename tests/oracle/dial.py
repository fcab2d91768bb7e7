"""What a client does, as the oracles see it, and logic with a third value. Nothing of the product is used here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal, NamedTuple

Maybe = bool | None
"""None: nobody who sees the stack alone can tell."""

Answer = Literal["allow", "block", "unknown"]


class Resource(NamedTuple):
    """A resource with raw provider inputs."""

    type: str
    name: str
    id: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Dial:
    """A new connection: from `source` (an address, `account:` with an account, `tag:` with a secure tag) to `address`, which
    `name` resolves to. `speaks` is tls, http, quic or other; `carries` the SNI or Host. `resolves`: all names with theirs."""

    name: str
    address: str
    source: str
    transport: Literal["tcp", "udp"] = "tcp"
    port: int = 443
    speaks: Literal["tls", "http", "quic", "other"] = "tls"
    carries: str | None = None
    resolves: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)


def either(answers: Iterable[Maybe]) -> Maybe:
    """True if one is, None if one may be."""
    found = list(answers)
    return True if True in found else (None if None in found else False)


def both(answers: Iterable[Maybe]) -> Maybe:
    """False if one is, None if one may be."""
    found = list(answers)
    return False if False in found else (None if None in found else True)


def inside(address: str, cidr: str) -> bool:
    """Whether the address is in the range; an address and a range of two families never meet."""
    one, network = ip_address(address), ip_network(cidr, strict=False)
    return one.version == network.version and one in network


def plain(name: str) -> str:
    return name.lower().rstrip(".")


def in_ports(port: int, listed: Iterable[str]) -> bool:
    for text in listed:
        first, _, last = str(text).partition("-")
        if int(first) <= port <= int(last or first):
            return True
    return False


def one_of(ways: Iterable[str]) -> Answer:
    """The answer if every way ends alike, else unknown."""
    found = set(ways)
    if found == {"allow"}:
        return "allow"
    return "block" if found == {"block"} else "unknown"
