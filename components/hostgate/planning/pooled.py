"""What is fed by an address pool: the addresses of hosts as options of a mechanism that sees no names.

They come from a pool that somebody keeps in step with DNS, never from here. A host without an address is refused: a rule
without addresses opens nothing or everything, and either is wrong.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, PrivateAttr
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.planning.address_pool import AddressPool, address_kind, family_of, packed_address
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import FAMILY_WORDS, Means, Objection, Sight
from hostgate.planning.options import Options

RESOLVER = "the addresses are those of the pool; how old they are says how often a connection is refused"
BY_NAME = "the names that are needed as exact entries: DNS is asked for names, not for what lies below one."
NEAREST = dict.fromkeys(("one-label", "subtree", "subtree+apex"), BY_NAME)

_PAGE = ("hostgate, docs/by-address.md", "2026-11-28")
REFRESHED = Claim("somebody who runs `hostgate pool refresh` and `pulumi up` again", *_PAGE)
OTHER_NAMES = Claim("every other name on the addresses of the host, at its port", *_PAGE)


def by_address(
    name: str,
    evidence: Evidence,
    *,
    needs: tuple[Claim, ...],
    opens: tuple[Claim, ...],
    costs: tuple[Claim, ...] = (),
    sight: Sight = "address-and-port",
) -> Means:
    """A way that is fed by a pool: it takes exact names of any protocol, and sees no more of a flow than `sight`."""
    return Means(
        name=name,
        protocols=frozenset({"https", "tls", "http", "tcp", "udp"}),
        kinds=frozenset({"exact"}),
        sight=sight,
        ttl_family="own-lookup",
        resolver=RESOLVER,
        evidence=evidence,
        needs=needs,
        opens=opens,
        costs=costs,
        nearest=NEAREST,
    )


def host_address(text: str) -> str:
    """An address that a host can have, as it is. Raises PydanticCustomError."""
    packed = packed_address(text)
    if packed is None or address_kind(packed) == "never":
        message = f"Found {text!a}. Allowed: an address that a host can have, in its shortest form."
        raise PydanticCustomError("address", "{message}", {"message": message})
    return text


HostAddress = Annotated[str, AfterValidator(host_address)]


class FedOptions(Options):
    """Options that take the addresses of hosts from a pool."""

    hosts_key: ClassVar[str]
    """The option that has the addresses of each host."""
    _pool: AddressPool | None = PrivateAttr(None)

    def of_no_use(self, families: Iterable[Family]) -> tuple[str, str]:
        """Why addresses of `families` open nothing here, and what is nearest."""
        over = " and ".join(FAMILY_WORDS[each] for each in families)
        return f"{self.clients_key} has no clients of it", f"add the clients' ranges of {over} to {self.clients_key}."

    def takes(self, entry: Entry) -> bool:  # noqa: ARG002
        """Whether `entry` is one whose addresses a pool says."""
        return True

    def wanting(self, entries: Sequence[Entry]) -> bool:
        """Whether any of `entries` is one whose addresses a pool says, or there are none."""
        return not entries or any(map(self.takes, entries))

    def fed_by(self, pool: AddressPool, entries: Iterable[Entry]) -> Self:
        """The same with what `pool` has of the hosts of `entries`, in the place of other addresses."""
        wanted = [each for each in entries if each.match == "exact" and each.direction == "egress"]
        hosts = sorted({each.host for each in wanted if self.takes(each)})
        known = {host: [each for family in FAMILIES for each in pool.of(host, family)] for host in hosts}
        found = {host: each for host, each in known.items() if each}
        fed = type(self).model_validate(self.model_dump(exclude_unset=True) | {self.hosts_key: found})
        fed._feed(pool)
        return fed

    def told_by(self, other: "FedOptions") -> None:
        """That the addresses are those of the pool of `other`, which says why there are none, and how old they are."""
        self._feed(other._pool)

    def _feed(self, pool: AddressPool | None) -> None:
        for each in (self, *self.shares):
            each._pool = pool

    @property
    def fed(self) -> bool:
        """Whether a pool brought the addresses."""
        return self._pool is not None

    @property
    def hosts(self) -> Mapping[str, Sequence[str]]:
        """The addresses of each host, of every family."""
        found: Mapping[str, Sequence[str]] = getattr(self, self.hosts_key)
        return found

    @property
    def client_families(self) -> frozenset[Family]:
        """The families that the clients have addresses of."""
        return frozenset(FAMILIES)

    def of(self, entry: Entry) -> tuple[str, ...]:
        """The addresses of `entry`, of the families that its host is served on and that clients have."""
        wanted = self.client_families & {*(entry.families or FAMILIES)}
        return tuple(dict.fromkeys(each for each in self.hosts.get(entry.host, ()) if family_of(each) in wanted))

    def unfed(self, entries: Iterable[Entry]) -> dict[tuple[str, str], Objection]:
        """Objections to those of `entries` that have no address."""
        found = {}
        for entry in entries:
            if not self.of(entry):
                told = f" of {' or '.join(entry.families)}" if entry.families else ""
                key, near = to_camel(self.hosts_key), "`hostgate pool refresh`, then give the pool."
                why = f"There is no address{told} of {entry.host}: no `{key}`, or no pool that has any."
                families = sorted(self.client_families & {*(entry.families or FAMILIES)})
                known = {family_of(each) for each in self.hosts.get(entry.host, ())}
                useless = sorted({*(entry.families or FAMILIES)} & (known if families else {*FAMILIES}))
                if useless:
                    because, near = self.of_no_use(useless)
                    over = " and ".join(FAMILY_WORDS[each] for each in useless)
                    has = "has addresses of" if families else "is served over"
                    why = f"{entry.host} {has} {over} only, and {because}."
                elif self._pool is not None:
                    why = self._pool.lacking([entry.host], families).get(entry.host, why)
                found[entry.key] = Objection(why, near)
        return found

    def stale(self, entries: Iterable[Entry], as_of: date) -> Iterable[Finding]:
        """Findings about those of `entries` whose addresses nobody has confirmed for longer than they count."""
        for entry in entries:
            families = self.client_families & {*(entry.families or FAMILIES)}
            if self._pool is not None and self.takes(entry) and (told := self._pool.stale(entry.host, as_of, families)):
                yield finding("pool-stale", f"{told} Run `hostgate pool refresh`.", entry)


class PooledOptions(FedOptions):
    """Options of what is fed by a pool, and allows nothing by name."""

    hosts_key: ClassVar[str] = "addresses"

    addresses: dict[str, list[HostAddress]] = {}
    """The addresses of each host."""

    def pooled(self, entry: Entry) -> bool:  # noqa: ARG002
        return True

    def dialled(self, entry: Entry) -> tuple[str, ...]:
        return self.of(entry)


@dataclass(frozen=True, slots=True)
class Opening:
    """An address and port that hosts open."""

    address: str
    transport: str
    port: int
    hosts: tuple[str, ...] = ()


def openings(entries: Iterable[Entry], options: FedOptions) -> list[Opening]:
    """Each address and port once, with the hosts that need it; IPv4 first, in order of number."""
    found: dict[tuple[str, str, int], set[str]] = {}
    for entry in entries:
        for address in options.of(entry):
            found.setdefault((address, entry.transport, entry.port), set()).add(entry.host)
    ordered = sorted(found, key=lambda key: (":" in key[0], packed_address(key[0]), *key[1:]))
    return [Opening(*key, tuple(sorted(found[key]))) for key in ordered]


def network_of(address: str) -> str:
    """The network of the address alone."""
    return f"{address}/{128 if ':' in address else 32}"


def unused(entries: Iterable[Entry], options: PooledOptions) -> Iterator[Finding]:
    """Hosts with addresses by hand that no rule is about."""
    if not options.fed and (names := sorted({*options.addresses} - {entry.host for entry in entries})):
        yield finding("addresses-unused", f"No rule is about {', '.join(names)}.")


def opened_beside(opened: Sequence[Opening], ports: str = "at the ports of their hosts") -> Finding:
    """In plain words, what else the addresses open, and at which ports."""
    hosts: dict[str, set[str]] = {}
    for each in opened:
        hosts.setdefault(each.address, set()).update(each.hosts)
    shared = Counter(tuple(sorted(each)) for each in hosts.values() if len(each) > 1)
    told = "; ".join(f"{' and '.join(names)} share {number}" for names, number in sorted(shared.items())[:3])
    more = f"; and {len(shared) - 3} more such groups" if len(shared) > 3 else ""
    said = (
        f"{len(hosts)} {'address is' if len(hosts) == 1 else 'addresses are'} open, {ports}, to whatever "
        "answers there: every other name on a CDN or cloud that serves from them, and for as long as the pool keeps an address "
        "that the host has left, whoever has it by then."
    )
    return finding("opens-addresses", f"{said} Of this plan, {told}{more}." if told else said)
