"""Samples: the record of one lookup each, and the runs they belong to.

Names in samples come off the wire: lower case, dnspython's escapes, no trailing dot, and whatever markup a hostile
zone put there; whoever shows them escapes them.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, ClassVar, Final, Literal, NamedTuple, TypeVar, get_args

from pydantic import AfterValidator, ConfigDict, Field, Strict

RecordType = Literal["A", "AAAA", "HTTPS"]
LookupOutcome = Literal[
    "answer",
    "no-data",
    "nxdomain",
    "dead-alias",
    "servfail",
    "refused",
    "other-rcode",
    "timeout",
    "malformed",
    "loop",
    "long-chain",
    "two-aliases",
    "unreachable",
    "local",
]
Note = Literal[
    "partial-chain", "no-soa", "unequal-ttls", "ttl-top-bit", "stray-replies", "malformed-over-udp", "other-names"
]
ProbeState = Literal["ok", "closed", "silent", "unreachable", "captive", "broken"]

RECORD_TYPES: tuple[RecordType, ...] = get_args(RecordType)
OUTCOMES: tuple[LookupOutcome, ...] = get_args(LookupOutcome)
NOTES: tuple[Note, ...] = get_args(Note)

OUTCOME_MEANS: dict[LookupOutcome, str] = {
    "answer": "records of the asked type came",
    "no-data": "the name exists and has no record of this type",
    "nxdomain": "the name does not exist",
    "dead-alias": "the name is an alias that ends at a name which does not exist",
    "servfail": "the resolver could not get an answer from the zone's servers",
    "refused": "the resolver does not serve us",
    "other-rcode": "the resolver answered with another error code",
    "timeout": "no answer came, over UDP and TCP, within the time allowed",
    "malformed": "an answer came, and it is damaged",
    "loop": "the aliases lead back to themselves",
    "long-chain": "there are more than 16 aliases in a row",
    "two-aliases": "one name has two different aliases, which no zone may have",
    "unreachable": "the network or the resolver's port refused the question",
    "local": "this machine could not ask (descriptors, memory)",
}
ABOUT_THE_NAME: frozenset[LookupOutcome] = frozenset(("answer", "no-data", "nxdomain", "dead-alias"))
"""Outcomes that say something about the name. All others say that it could not be measured this time."""


def _visible(text: str) -> str:
    """Text that cannot write over a terminal: what a survey writes is escaped, what somebody else wrote may not be."""
    if not text.isprintable():
        raise ValueError("visible text")
    return sys.intern(text)


def address_text(address: IPv4Address | IPv6Address) -> str:
    """The shortest form, the same on every Python: from 3.13 on it writes the IPv4 address in a mapped one with dots."""
    if address.version == 6 and address.ipv4_mapped is not None:
        high, low = divmod(int(address.ipv4_mapped), 1 << 16)
        return f"::ffff:{high:x}:{low:x}"
    return str(address)


@lru_cache(maxsize=65536)
def _address(text: str) -> str:
    try:
        if address_text(ip_address(text)) == text:
            return text
    except ValueError:
        pass
    raise ValueError("an IP address in its shortest form")


V = TypeVar("V")


@lru_cache(maxsize=65536)
def _once(value: V) -> V:
    """The same few chains and answers come again and again; each is held once."""
    return value


Text = Annotated[str, Strict(), AfterValidator(_visible)]
Address = Annotated[str, Strict(), AfterValidator(_address)]
Number = Annotated[float, Strict(), Field(ge=0, lt=1e11)]
Whole = Annotated[int, Strict(), Field(ge=0, lt=2**32)]
Figure = Annotated[int, Strict()] | Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Addresses = Annotated[tuple[Address, ...], AfterValidator(_once)]
ONLY: Final = ConfigDict(extra="forbid")
"""What is read from a file has no other keys."""


class Link(NamedTuple):
    """One alias: `owner` is an alias of `target`, for `ttl` seconds as shown."""

    owner: Text
    target: Text
    ttl: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsRecord:
    """One HTTPS record (RFC 9460). `priority` 0 is an alias to `target`; `ech`: the record carries an ECH list."""

    __pydantic_config__: ClassVar[ConfigDict] = ONLY

    priority: Whole
    target: Text
    alpn: tuple[Text, ...] = ()
    ipv4hint: Addresses = ()
    ipv6hint: Addresses = ()
    ech: Flag = False
    port: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One lookup of `host` at `resolver`.

    `at`: unix seconds when the answer was taken. `ttl`: seconds, as shown, of the RRset at the end of the chain; None
    without one. `negative_ttl`: of an answer that says "there is none", only where a SOA gave it; never invented.
    `ede`: extended error codes (RFC 8914; 3 and 19 are stale answers).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ONLY

    host: Text
    at: Number
    resolver: Text
    type: RecordType
    outcome: LookupOutcome
    vantage: Text = ""
    detail: Text = ""
    chain: Annotated[tuple[Link, ...], AfterValidator(_once)] = ()
    addresses: Addresses = ()
    ttl: Whole | None = None
    negative_ttl: Whole | None = None
    https: Annotated[tuple[HttpsRecord, ...], AfterValidator(_once)] = ()
    truncated: Flag = False
    tcp: Flag = False
    ede: Annotated[tuple[Whole, ...], AfterValidator(_once)] = ()
    notes: Annotated[tuple[Note, ...], AfterValidator(_once)] = ()

    @property
    def effective_ttl(self) -> int | None:
        """Seconds until some link of the answer expires, as shown; None for an answer without records at its end."""
        return None if self.ttl is None else min([self.ttl, *(link.ttl for link in self.chain)])

    @property
    def dead_end(self) -> str | None:
        """The name that does not exist."""
        if self.outcome == "nxdomain":
            return self.host
        return self.chain[-1].target if self.outcome == "dead-alias" and self.chain else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a resolver did when it was tried before the survey. `rtt`: seconds, measured with nothing else going on."""

    __pydantic_config__: ClassVar[ConfigDict] = ONLY

    resolver: Text
    state: ProbeState
    detail: Text = ""
    rtt: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Who asked whom and how. `hosts` were asked, `not_surveyed` (entry reach, why) have no single name to ask.

    `plan` is the sampling plan in figures; `edns` the payload size offered; `started` unix seconds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ONLY

    vantage: Text
    started: Number
    tool: Text
    resolvers: tuple[Text, ...]
    types: tuple[RecordType, ...]
    hosts: tuple[Text, ...]
    edns: Whole
    plan: Mapping[str, Figure | Text] = field(default_factory=dict, hash=False)
    probes: tuple[Probe, ...] = ()
    not_surveyed: tuple[tuple[Text, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Torn:
    """The last line of a file whose writer was killed: it was dropped."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: the last line is cut off (the run was killed); it is dropped."


@dataclass(frozen=True, slots=True)
class SurveySamples:
    """What several files hold together: runs and samples in the order of the files."""

    runs: tuple[Run, ...]
    samples: tuple[Sample, ...]
    torn: tuple[Torn, ...] = ()
