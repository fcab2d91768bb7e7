"""What a survey says about a host, as values whose fields are the keys of the JSON document; without any verdict."""

from dataclasses import dataclass
from typing import Literal, get_args

from hostgate.dns.samples import Outcome, RecordType

AddressType = Literal["A", "AAAA"]
ADDRESS_TYPES: tuple[AddressType, ...] = get_args(AddressType)

FINDINGS: dict[str, str] = {
    "unresolved": "No lookup gave an address.",
    "failing": "More than 1 in 100 lookups failed; the causes are counted by outcome.",
    "ttl-differs": "A resolver shows another TTL than the others: it shortens or lengthens what the zone says.",
    "stale-answers": "A resolver answered past the TTL, as it may when the zone's servers do not answer.",
    "aliases-change": "The chain of aliases is not always the same: the vendor steers clients by alias.",
    "partial-chain": "A resolver answered with aliases and without the addresses at their end.",
    "unequal-ttls": "Records of one set carry different TTLs, which RFC 2181 forbids; the lowest counts.",
    "truncated": "Answers did not fit a UDP packet and were asked again over TCP.",
    "resolvers-disagree": "Resolvers hand out different addresses, by place or by customer: where a client and a firewall "
    "ask different ones, connections are dropped for good.",
    "new-addresses": "Addresses that were not seen before keep coming after the pool was known.",
    "uneven-rotation": "Addresses stay away for longer than chance explains: handed out in turn, or switched.",
    "hints-outside": "The HTTPS record hints at addresses that no address answer held: a list made of those misses them.",
    "ech": "The HTTPS record carries an ECH key: clients that use it show an outer name.",
    "h3": "The HTTPS record offers HTTP/3: clients try QUIC (UDP) first where it is open.",
    "shared-addresses": "Hosts of the catalog share addresses: a rule for one address opens all of them.",
}
"""Every remark on a host that is no verdict, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One step of the way from the host to its addresses. `ttl`: seconds, as the zone states it, as far as was shown."""

    owner: str
    type: Literal["CNAME", "A", "AAAA"]
    ttl: int
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TtlFacts:
    """Seconds that an answer lives: `zone` by the zone itself, `min` and `max` as resolvers showed it (what is left).

    `resolvers`: the most that each of them showed. `negative`: of the answer that there is no such record.
    """

    zone: int
    min: int
    max: int
    negative: int | None
    resolvers: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyFacts:
    """Addresses of one family; see `pools.Pool` for what the figures mean. `miss_interval`: its ends, 95 % each."""

    answer: float
    seen: int
    pool: float | None
    miss: float
    miss_interval: tuple[float, float]
    answers: int
    repeats: int
    sightings: int
    since_new: int
    known: bool
    new_per_day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsFacts:
    """HTTPS records (RFC 9460), of all answers together. `aliases`: names that they point to instead of the host."""

    ech: bool
    h3: bool
    alpn: tuple[str, ...]
    hints: tuple[str, ...]
    hints_outside: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How alike the addresses are that resolvers gave: Jaccard indices (shared by all), rows and columns by `resolvers`.

    `foreign`: the largest share of one resolver's addresses that another does not know, where that is no chance; 0 if
    it may be.
    """

    resolvers: tuple[str, ...]
    jaccard: tuple[tuple[float, ...], ...]
    foreign: float


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding of the survey about a host; `id` is a key of FINDINGS."""

    id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """All that was measured of `host`. `chain` is the one seen most of `chains`; lookups are counted by outcome."""

    host: str
    chain: tuple[ChainLink, ...]
    chains: int
    ttl: TtlFacts | None
    families: dict[AddressType, FamilyFacts]
    https: HttpsFacts | None
    agreement: dict[AddressType, Agreement]
    lookups: dict[RecordType, dict[Outcome, int]]
    truncated: int
    stale: int
    shares_with: tuple[str, ...]
    findings: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAddress:
    """An address that more than one host of the survey answered with."""

    address: str
    hosts: tuple[str, ...]
