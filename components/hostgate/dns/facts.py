"""What a survey says about a host, as values whose fields are the keys of the JSON document; without any verdict."""

from dataclasses import dataclass
from typing import Literal, get_args

from hostgate.dns.samples import LookupOutcome, Note, RecordType

AddressType = Literal["A", "AAAA"]
ADDRESS_TYPES: tuple[AddressType, ...] = get_args(AddressType)

MOST_CHAINS = 64
"""Different chains of one host that are told apart; a zone can invent as many as it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One step of the way from the host to its addresses.

    `shown`: by resolver, the longest TTL that it showed, in seconds; `ttl`: the one of most resolvers, so the zone's.
    """

    owner: str
    type: Literal["CNAME", "A", "AAAA"]
    target: str | None = None
    ttl: int
    shown: dict[str, int]


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
    """Addresses of one family; see `pools.Pool` for what the figures mean. `miss_interval`: its ends, 95 % each.

    `uneven`: addresses stay away for longer than chance explains.
    """

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
    uneven: bool


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
    """A finding of the survey about a host; `id` is a key of `host_remarks.FINDINGS`."""

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
    lookups: dict[RecordType, dict[LookupOutcome, int]]
    notes: dict[Note, int]
    truncated: int
    stale: int
    shares_with: tuple[str, ...]
    findings: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAddress:
    """An address that more than one host of the survey answered with."""

    address: str
    hosts: tuple[str, ...]
