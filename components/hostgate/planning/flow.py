"""A flow: what a client does; and a verdict: what becomes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal, get_args

from hostgate.catalog.hosts import is_address

FlowProtocol = Literal["https", "tls", "http", "tcp", "udp", "quic"]
FLOW_PROTOCOLS: tuple[FlowProtocol, ...] = get_args(FlowProtocol)

Network = IPv4Network | IPv6Network

_SAME = "="


@dataclass(frozen=True, slots=True)
class Flow:
    """One new outbound connection.

    `name` is what the client dials. `sni` is the TLS server name (or the Host header for http): the dialled name unless
    given, None for a hello without one. `address` is where the packets go (None: some internet address that the name
    resolves to), `source` where they come from (an address or CIDR; None: a client that the plan is meant for).
    """

    name: str
    port: int = 443
    protocol: FlowProtocol = "https"
    sni: str | None = _SAME
    address: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if self.sni == _SAME:
            object.__setattr__(self, "sni", self.name)
        if self.address is None and is_address(self.name):
            object.__setattr__(self, "address", self.name.strip("[]"))

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        return "udp" if self.protocol in ("udp", "quic") else "tcp"

    @property
    def wire_name(self) -> str | None:
        """The name that the packets carry in a place where firewalls look: SNI or Host. None if there is none."""
        return self.sni if self.protocol in ("https", "tls", "http") else None

    def destined_within(self, networks: Iterable[Network]) -> bool:
        """Whether the destination is known and inside `networks`. An unknown destination is an internet address."""
        return self.address is not None and any(ip_address(self.address) in network for network in networks)

    def starts_within(self, networks: Iterable[Network]) -> bool:
        """Whether the source is inside `networks`; an unknown source is one the plan is meant for."""
        if self.source is None:
            return True
        source = ip_network(self.source, strict=False)
        return any(source.version == net.version and source.subnet_of(net) for net in networks)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`allow` or `block`, the rule that decides (None: no rule, the default), and why in one sentence."""

    action: Literal["allow", "block"]
    rule: str | None
    why: str

    @property
    def allows(self) -> bool:
        return self.action == "allow"
