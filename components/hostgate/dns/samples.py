"""Samples: the record of one lookup each, and the runs they belong to.

Names in samples come off the wire: lower case, dnspython's escapes, no trailing dot, and whatever markup a hostile
zone put there; whoever shows them escapes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

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
PROBE_STATES: tuple[ProbeState, ...] = get_args(ProbeState)

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


@dataclass(frozen=True, slots=True)
class Link:
    """One alias: `owner` is an alias of `target`, for `ttl` seconds as shown."""

    owner: str
    target: str
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsRecord:
    """One HTTPS record (RFC 9460). `priority` 0 is an alias to `target`; `ech`: the record carries an ECH list."""

    priority: int
    target: str
    alpn: tuple[str, ...] = ()
    ipv4hint: tuple[str, ...] = ()
    ipv6hint: tuple[str, ...] = ()
    ech: bool = False
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One lookup of `host` at `resolver`.

    `at`: unix seconds when the answer was taken. `ttl`: seconds, as shown, of the RRset at the end of the chain; None
    without one. `negative_ttl`: of an answer that says "there is none", only where a SOA gave it; never invented.
    `ede`: extended error codes (RFC 8914; 3 and 19 are stale answers).
    """

    host: str
    at: float
    resolver: str
    type: RecordType
    outcome: LookupOutcome
    vantage: str = ""
    detail: str = ""
    chain: tuple[Link, ...] = ()
    addresses: tuple[str, ...] = ()
    ttl: int | None = None
    negative_ttl: int | None = None
    https: tuple[HttpsRecord, ...] = ()
    truncated: bool = False
    tcp: bool = False
    ede: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()

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

    resolver: str
    state: ProbeState
    detail: str = ""
    rtt: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Who asked whom and how. `hosts` were asked, `not_surveyed` (entry reach, why) have no single name to ask.

    `plan` is the sampling plan in figures; `edns` the payload size offered; `started` unix seconds.
    """

    vantage: str
    started: float
    tool: str
    resolvers: tuple[str, ...]
    types: tuple[RecordType, ...]
    hosts: tuple[str, ...]
    edns: int
    plan: Mapping[str, float | int | str] = field(default_factory=dict, hash=False)
    probes: tuple[Probe, ...] = ()
    not_surveyed: tuple[tuple[str, str], ...] = ()


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
