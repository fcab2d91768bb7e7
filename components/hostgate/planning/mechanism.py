"""A mechanism: one cloud feature that can enforce names, and what it declares about itself.

A mechanism is one module. It says in `means` what it can express and in `limits` how much of it; it renders entries to
objects, and it judges a flow by its cloud's own evaluation rules, reading only the objects. It never decides which
entries to allow, and nothing outside its module asks which cloud it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_network
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar

from hostgate.catalog.model import FAMILIES, MATCHES, Entry, Family, Match, Protocol
from hostgate.flows.address_sets import AddressSet
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import EVERY_CLIENT, ClientTest, Place
from hostgate.planning.enforcement import Enforcement, denier_of
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.lookup import Lookup
from hostgate.planning.options import Options
from hostgate.planning.resource_types import ResourceType, fixed_by_row
from hostgate.planning.targets import clouds, load, row, rows

TtlFamily = Literal["wire", "own-lookup", "client-dns"]
Sight = Literal["name-and-port", "address-and-port", "query-name", "address"]

O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a mechanism

FAMILY_WORDS: Mapping[Family, str] = {"ipv4": "IPv4", "ipv6": "IPv6"}

TTL_MEANS: dict[TtlFamily, str] = {
    "wire": "matches the name in the packet; TTL and rotation do not matter",
    "own-lookup": "the firewall resolves the name for itself; TTL and rotation decide correctness",
    "client-dns": "sees the client's own query; TTL matters only to clients that cache longer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """One way in which a mechanism allows an entry, and what that way can express.

    `families` are those over which it opens a host: one that has none of them is refused, since nothing would match.
    `nearest` says, per match kind, protocol or family that it cannot express, the nearest thing that works. `widenings` maps
    a kind that it can only express wider to the finding id that a person has to accept. `lookup` says how a mechanism
    of the family `own-lookup` resolves names.
    `needs`: what has to stand beside the objects of a plan; `opens`: what passes beside the hosts by the nature of this
    way; `costs`: what is charged for, in units and never in money. `evidence`: whether any of it was tried.
    """

    name: str
    protocols: frozenset[Protocol]
    sight: Sight
    ttl_family: TtlFamily
    evidence: Evidence
    needs: tuple[Claim, ...] = ()
    opens: tuple[Claim, ...] = ()
    costs: tuple[Claim, ...] = ()
    kinds: frozenset[Match] = frozenset(MATCHES)
    ports: range = range(1, 65536)
    families: tuple[Family, ...] = FAMILIES
    widenings: Mapping[Match, str] = field(default_factory=dict)
    nearest: Mapping[str, str] = field(default_factory=dict)
    lookup: Lookup | None = None
    names: Literal["wire", "dialled", "both"] = "wire"
    """With the sight `name-and-port`, which name has to be allowed: the one in the packets, the one that the client has
    dialled for it or looks up, or each of them. Only a name in the packets alone can be a lie about where they go."""
    tells_tls: bool = True
    """Whether it tells TLS from plain HTTP; where it does not, either passes on a port of the other."""
    resolver: str = ""
    """What TTL means, where it is not the firewall that looks the addresses up."""
    bare_connect: str = ""
    """What becomes of a TCP connect that says nothing, where the firewall does more than wait for the name."""
    denial: str = ""
    """How it answers an HTTP request that it denies, where that is known: a status."""

    @property
    def connect_test(self) -> str:
        """Why a TCP connect (`nc -z`) is no test of this way, in words; empty where its first packet is judged."""
        return self.bare_connect or ("the name is read after it" if self.sight == "name-and-port" else "")

    @property
    def ttl_means(self) -> str:
        """What TTL and rotation mean to this way, in words."""
        return self.resolver or TTL_MEANS[self.ttl_family]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an entry cannot be allowed exactly. `widening` is the finding whose acceptance lifts the objection."""

    reason: str
    nearest: str
    widening: str | None = None

    def __str__(self) -> str:
        lift = f" Or accept the finding {self.widening} for this entry." if self.widening else ""
        return f"{self.reason} Nearest: {self.nearest}{lift}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudObject:
    """One object of a cloud's API: `kind` is the cloud's own type name, `body` its JSON in the cloud's spelling.

    `name` is unique in the plan and the suffix of names in engines; `text` is the rule text of kinds that have one;
    `folder` is where an export puts objects that only hold or attach the rules.
    """

    kind: str
    name: str
    body: Mapping[str, Any]
    text: str | None = None
    folder: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "body": self.body}


GROWS = "ipCidrRange"
"""What of a subnetwork changes in place as long as it holds what it was, and is another subnetwork otherwise
(terraform-provider-google, IsShrinkageIpCidr, read 2026-11-28)."""


def grown(old: object, new: object) -> bool:
    """Whether the address range `new` holds `old`; whether they are equal where one is none."""
    try:
        one, other = ip_network(str(old)), ip_network(str(new))
    except ValueError:
        return old == new
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Something that one object has at a time, or `room` of them, so that no other can be made to have it before one that
    has it is gone."""

    what: str
    holders: tuple[str, ...]
    """Who has it, then what the same was called before."""
    way: str
    """How it goes to another, as the end of a message."""
    range: str | None = None
    """Of an address range that only grows where it is: one that does not hold the old one is another object's."""
    room: int = 1

    def follows(self, before: "Seat") -> bool:
        """Whether it is still that of who had it `before`."""
        grows = self.range is None or before.range is None or grown(before.range, self.range)
        return grows and before.holders[0] in self.holders


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What a mechanism makes of entries: objects, the rule that each entry got, remarks, and use of limits."""

    objects: tuple[CloudObject, ...]
    rules: Mapping[tuple[str, str], str]
    findings: tuple[Finding, ...] = ()
    usage: tuple[Usage, ...] = ()


class Mechanism(ABC, Generic[O]):
    """Base of every mechanism; see docs/mechanisms.md for how to add one."""

    target: ClassVar[str]
    """`cloud:mechanism`, e.g. `aws:rules`."""
    title: ClassVar[str]
    means: ClassVar[tuple[Means, ...]]
    limits: ClassVar[tuple[Limit, ...]]
    types: ClassVar[Mapping[str, ResourceType]] = {}
    """The resource types that its objects become."""
    several: ClassVar[bool] = False
    """Whether its plans may have several grants: it tells clients apart, and renders what `options.shares` say."""
    auto_named: ClassVar[bool] = False
    """Whether its objects have names of their own in the cloud, so that another name of the plan changes none of them."""
    options: type[O]

    @abstractmethod
    def render(self, entries: Sequence[Entry], options: O) -> Rendering:
        """`entries` (sorted by key, all of them expressible or accepted) as objects. Pure; equal input, equal bytes."""

    @abstractmethod
    def place(self, objects: Sequence[CloudObject], options: O) -> Place:
        """Where flows meet `objects`, by the cloud's own evaluation; independent of how `render` works."""

    def place_with(
        self, objects: Sequence[CloudObject], options: O, others: Sequence[tuple[str, Sequence[CloudObject], Options]]
    ) -> Place:
        """As `place`, with what other layers have in the same list (`Options.one_list`): target, objects and options."""
        if others:
            raise NotImplementedError(f"{self.target} shares no list")
        return self.place(objects, options)

    def clients(self, options: O, snapshot: Snapshot) -> ClientTest:  # noqa: ARG002
        """Those that `options` of one list name as clients, by sets of addresses that `snapshot` holds; everybody where they
        name none."""
        return EVERY_CLIENT

    def sets(
        self, entries: Iterable[Entry], options: O, made: Iterable[Resource], snapshot: Snapshot  # noqa: ARG002
    ) -> Mapping[str, AddressSet]:  # fmt: skip
        """What `snapshot` has in the lists of others by which the options allow entries, by entry id, as resources that were
        `made` name them; nothing for a list that is not in it."""
        return {}

    def rows(self, options: O | None = None) -> Mapping[str, ResourceType]:  # noqa: ARG002
        """The types of its objects by kind, as `options` have them made."""
        return {row.kind: row for row in self.types.values() if row.kind}

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: O) -> Mapping[str, Any]:  # noqa: ARG002
        """What of `each` cannot change in place, by name: where one of these differs, the resource is replaced.

        Their resource types say what the provider cannot change, beside the place of the objects.
        """
        return {"the policy that holds it": options.place, **fixed_by_row(self.types, each.kind, each.body)}

    def enforcement(self, options: O) -> Enforcement:
        """What the plan of `options` keeps closed beside its hosts. Mechanisms say which traffic, where and for whom."""
        denier, because = denier_of({"mode": options.mode, "deny": options.deny})
        return Enforcement(denier=denier, because=because)

    def rules_of(self, entry: Entry, rule: str, options: O) -> Iterable[str]:  # noqa: ARG002
        """Every rule that allows `entry`, of which its decision names one, `rule`: there may be others for another address
        family, another address, or at another place."""
        return (rule,)

    def seats(self, objects: Sequence[CloudObject], options: O) -> Sequence[Seat]:  # noqa: ARG002
        """What of `objects` no other object can have before they are gone: an update makes before it deletes."""
        return ()

    def outside(self, kinds: Collection[str]) -> Mapping[str, str]:  # noqa: ARG002
        """By kind, who outside of a plan with objects of `kinds` refers to them, and what that means where they are made
        anew: a sentence."""
        return {}

    def way(self, entry: Entry, options: O | None = None) -> Means | None:  # noqa: ARG002
        """The means by which `entry` is allowed: by its protocol; mechanisms whose `options` choose another extend this."""
        return next((means for means in self.means if entry.protocol in means.protocols), None)

    def objections(self, entries: Sequence[Entry], options: O) -> Mapping[tuple[str, str], Objection]:
        """Why entries cannot be expressed exactly, by entry key; those that can are absent.

        Mechanisms with conditions of their own extend this.
        """
        found = {}
        for entry in entries:
            objection = self._objection(entry, options)
            if objection is not None:
                found[entry.key] = objection
        return found

    def _objection(self, entry: Entry, options: O) -> Objection | None:
        means = self.way(entry, options)
        if means is None:
            able = ", ".join(sorted({protocol for way in self.means for protocol in way.protocols}))
            return Objection(
                f"{self.title} cannot allow {entry.protocol} by name. Found: port {entry.port}; allowed: {able}.",
                next((way.nearest[entry.protocol] for way in self.means if entry.protocol in way.nearest), ELSEWHERE),
            )
        if entry.families and not {*entry.families} & {*means.families}:
            able, found = (" and ".join(FAMILY_WORDS[one] for one in each) for each in (means.families, entry.families))
            return Objection(
                f"{means.name} open hosts over {able}. Found: a host over {found} only, which no rule would match.",
                next((means.nearest[each] for each in entry.families if each in means.nearest), ELSEWHERE),
            )
        over = {*(entry.families or FAMILIES)} & {*means.families}
        if not over & {*options.source_families}:
            able, found = (
                " and ".join(FAMILY_WORDS[one] for one in FAMILIES if one in each)
                for each in (options.source_families, over)
            )
            return Objection(
                f"Found a host over {found} only, and clients over {able} only: no rule would match.",
                f"add the clients' {found} ranges to {options.clients_key}.",
            )
        if entry.port not in means.ports:
            return Objection(
                f"{means.name} take ports {means.ports.start} to {means.ports.stop - 1}. Found: {entry.port}.",
                ELSEWHERE,
            )
        if entry.match not in means.kinds:  # last, so that no acceptance of a widening lifts what else is wrong
            able = ", ".join(kind for kind in MATCHES if kind in means.kinds)
            return Objection(
                f"{means.name} take {able} names only. Found: {entry.reach}.",
                means.nearest.get(entry.match, ELSEWHERE),
                means.widenings.get(entry.match),
            )
        return None


ELSEWHERE: Final = "leave the entry out here (select.without) and allow it by a mechanism that can express it."


def targets() -> tuple[str, ...]:
    """Every target that has a row. Raises InputError for rows of other distributions that do not hold."""
    return tuple(each.name for each in rows())


def main_targets() -> tuple[str, ...]:
    """The first target of each cloud."""
    return tuple(next(each.name for each in rows() if each.cloud == cloud) for cloud in clouds())


@cache
def mechanism(target: str) -> Mechanism[Any]:
    """The mechanism of `target`. Raises KeyError for a name that `targets()` does not have."""
    found: Mechanism[Any] = load(row(target).mechanism).MECHANISM
    return found
