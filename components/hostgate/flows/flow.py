"""A flow: what a client does; and a verdict: what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal, get_args

from hostgate.catalog.hosts import is_address

FlowProtocol = Literal[
    "https", "tls", "http", "tcp", "udp", "quic", "icmp", "icmpv6", "gre", "esp", "ah", "sctp", "ipv6", "ipip", "igmp",
    "ospf", "l2tp", "udplite", "dccp",
]  # fmt: skip
FLOW_PROTOCOLS: tuple[FlowProtocol, ...] = get_args(FlowProtocol)

IP_PROTOCOLS: Mapping[str, int] = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51,
    "icmpv6": 58, "ospf": 89, "l2tp": 115, "sctp": 132, "udplite": 136,
}  # fmt: skip
"""Protocol numbers by name (IANA, Assigned Internet Protocol Numbers; `ipip` is its IPv4 and `ipv6` is 6in4)."""

IDENTITIES = ("account", "tag", "network-tag", "ip-group", "member")
"""Kinds of what a client can be known by beside its address: service account, secure tag, network tag, IP group, and the
resource that is in a security group."""

_ALSO = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6", "6in4": "ipv6", "ipv4": "ipip"}
_NAMES = {number: name for name, number in IP_PROTOCOLS.items()}
_CARRIED_BY = {"https": "tcp", "tls": "tcp", "http": "tcp", "quic": "udp"}
_WITH_PORTS = frozenset({"tcp", "udp", "sctp", "udplite", "dccp"})

Network = IPv4Network | IPv6Network

_SAME = "="


def flow_protocol(text: str | int) -> str:
    """A protocol as flows have it: a name of `FLOW_PROTOCOLS`, or the number of an IP protocol as text.

    Raises ValueError with what is allowed.
    """
    word = str(text).strip().lower()
    word = _ALSO.get(word, word)
    if word in FLOW_PROTOCOLS:
        return word
    if word.isascii() and word.isdigit() and int(word) <= 255:
        return ip_protocol(int(word))
    near = get_close_matches(word, FLOW_PROTOCOLS, 1)
    raise ValueError(
        f"protocol: found {text!r}. Allowed: {', '.join(FLOW_PROTOCOLS)}, or the number of an IP protocol, 0 to 255."
        + (f" Did you mean {near[0]}?" if near else "")
    )


@dataclass(frozen=True, slots=True)
class Flow:
    """One new outbound connection, or the first packet of what knows no connections.

    `name` is what the client dials. `sni` is the TLS server name (or the Host header for http): the dialled name unless
    given, None for a hello without one. `protocol` is what is spoken: by name, or any IP protocol by its number; `icmp`
    is that of the flow's family. `port` is 0 for protocols that have none. `address` is where the packets go (None:
    some internet address that the name resolves to), `source` where they come from: an address or CIDR, or what the
    client is known by, `KIND:VALUE` of `IDENTITIES` (None: a client that the plan is meant for).

    Raises ValueError for what no packet can be.
    """

    name: str
    port: int = 443
    protocol: str = "https"
    sni: str | None = _SAME
    address: str | None = None
    source: str | None = None
    family: Literal[4, 6] | None = field(init=False, repr=False, compare=False)
    """The version of IP that its packets have; None: one that its client and the host both have."""

    def __post_init__(self) -> None:
        if self.sni == _SAME:
            object.__setattr__(self, "sni", self.name)
        if self.address is None and is_address(self.name):
            object.__setattr__(self, "address", self.name.strip("[]"))
        object.__setattr__(self, "protocol", flow_protocol(self.protocol))
        there, client = _version("address", self.address), _version("source", self.source)
        if there and client and there != client:
            raise ValueError(
                f"source: found {self.source} with the address {self.address}. Allowed: both of one address family."
            )
        object.__setattr__(self, "family", there or client)
        if self.protocol == "icmp" and self.family == 6:
            object.__setattr__(self, "protocol", "icmpv6")
        if not self.has_ports:
            if self.port not in (0, 443):  # 443 is what stands where nobody gave one
                raise ValueError(f"port: found {self.port} with {self.protocol}, which has no ports. Leave it out.")
            object.__setattr__(self, "port", 0)
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port: found {self.port}. Allowed: 0 to 65535.")

    @property
    def identity(self) -> str | None:
        """What the client is known by where that is no address: `account:builds@p.iam.gserviceaccount.com`."""
        return self.source if self.source is not None and is_identity(self.source) else None

    @property
    def transport(self) -> str:
        """The IP protocol that carries it: `tcp`, `udp`, `icmp`, `gre`, ..., or a number as text."""
        return _CARRIED_BY.get(self.protocol, self.protocol)

    @property
    def number(self) -> int:
        """The IP protocol's number."""
        return IP_PROTOCOLS[self.transport] if self.transport in IP_PROTOCOLS else int(self.transport)

    def number_over(self, family: str) -> int:
        """The number over `family` (IPv4 or IPv6), where a flow that has either leaves ICMP's open."""
        return IP_PROTOCOLS["icmpv6"] if self.protocol == "icmp" and family == "IPv6" else self.number

    @property
    def has_ports(self) -> bool:
        return self.transport in _WITH_PORTS

    @property
    def application(self) -> str:
        """What the packets speak, as far as firewalls tell it: tls, http, quic, or other."""
        return {"https": "tls", "tls": "tls", "http": "http", "quic": "quic"}.get(self.protocol, "other")

    @property
    def wire_name(self) -> str | None:
        """The name that the packets carry in a place where firewalls look: SNI or Host. None if there is none."""
        return self.sni if self.protocol in ("https", "tls", "http") else None


def ip_protocol(number: int) -> str:
    """The name of an IP protocol; its number as text where it has none here."""
    return _NAMES.get(number, str(number))


def is_identity(source: str) -> bool:
    kind, colon, value = source.partition(":")
    return bool(colon and value) and kind in IDENTITIES


def _version(what: str, text: str | None) -> Literal[4, 6] | None:
    """The IP version of an address, or of a CIDR where `what` is the source. Raises ValueError."""
    if text is None or (what == "source" and is_identity(text)):
        return None
    try:
        return ip_network(text, strict=False).version if what == "source" else ip_address(text).version
    except ValueError:
        allowed = "an IP address or a CIDR" if what == "source" else "an IP address"
        raise ValueError(f"{what}: found {text!r}. Allowed: {allowed}.") from None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`allow`, `block` or `unknown`, the rule that decides (None: no rule, the default), and why in one sentence.

    `lacks` is what would have to be known for a verdict that is unknown.
    """

    action: Literal["allow", "block", "unknown"]
    rule: str | None
    why: str
    lacks: tuple[str, ...] = ()

    @property
    def allows(self) -> bool:
        return self.action == "allow"
