"""aws:domain-list: the console's own domain lists, with a guard group ahead that keeps listed hosts to their ports.

A list cannot limit ports and its leading dot includes the apex (AWS Network Firewall developer guide, domain lists).
The guard drops listed hosts on every other port and leaves other traffic alone; the apex is a refusal, or an
acceptance of `apex-included`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hostgate.aws import firewall_evidence, firewall_limits, policy
from hostgate.aws import network_firewall_enforcement as enforcement
from hostgate.aws.closing import closing_group
from hostgate.aws.edge import edge_group
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.plan_place import clients_of, of_network_firewall
from hostgate.aws.resources import BY_KIND
from hostgate.catalog.model import Entry, Match
from hostgate.flows.snapshot import Snapshot
from hostgate.flows.steps import ClientTest, Place
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.mechanism import CloudObject, Means, Mechanism, Objection, Rendering
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.sharding import shard
from hostgate.suricata.writer import Rule, Sids, group, name_conditions

_KINDS: frozenset[Match] = frozenset({"exact", "subtree+apex"})
_WIDENINGS: Mapping[Match, str] = {"subtree": "apex-included"}
"""Not one-label: its list target would add deeper names and the apex, and one acceptance lifts one widening."""

_NEAREST = {
    "subtree": "aws:rules, which can leave the apex out.",
    "one-label": "aws:rules, which can hold the depth to one label.",
    "tcp": "aws:rules with `addresses`; gcp:fqdn or azure:application-rules, which look the addresses of the name up.",
    "udp": "aws:rules with `addresses`; gcp:fqdn or azure:application-rules, which look the addresses of the name up.",
}


class DomainList(Mechanism[NetworkFirewallOptions]):
    """RulesSourceList rule groups, ALLOWLIST by TLS_SNI and HTTP_HOST, and a guard."""

    target = "aws:domain-list"
    title = "AWS Network Firewall domain lists"
    auto_named = True
    options = NetworkFirewallOptions
    limits = firewall_limits.LIMITS
    means = (
        Means(
            name="TLS_SNI domain lists",
            protocols=frozenset({"https", "tls"}),
            sight="name-and-port",
            ttl_family="wire",
            evidence=firewall_evidence.REPLAYED,
            needs=firewall_evidence.NEEDS,
            opens=firewall_evidence.NAMES_OPEN,
            costs=firewall_evidence.COSTS,
            kinds=_KINDS,
            widenings=_WIDENINGS,
            nearest=_NEAREST,
        ),
        Means(
            name="HTTP_HOST domain lists",
            protocols=frozenset({"http"}),
            sight="name-and-port",
            ttl_family="wire",
            evidence=firewall_evidence.REPLAYED,
            needs=firewall_evidence.NEEDS,
            opens=firewall_evidence.NAMES_OPEN,
            costs=firewall_evidence.COSTS,
            kinds=_KINDS,
            widenings=_WIDENINGS,
            nearest=_NEAREST,
        ),
    )

    def objections(
        self, entries: Sequence[Entry], options: NetworkFirewallOptions
    ) -> Mapping[tuple[str, str], Objection]:
        found = dict(super().objections(entries, options))
        found.update(_port_conflicts([entry for entry in entries if self.way(entry)]))  # no acceptance lifts these
        if options.from_:
            found.update(dict.fromkeys((entry.key for entry in entries), _SOURCES))
        return found

    def render(self, entries: Sequence[Entry], options: NetworkFirewallOptions) -> Rendering:
        sids = Sids()
        edge = edge_group(options, sids)
        groups = [(policy.EDGE_SLOT, edge)] if edge else []
        where: dict[tuple[str, str], str] = {}
        groups += _guards(entries, options, sids)
        for protocol, kind, slot, suffix in (
            ("tls", "TLS_SNI", policy.ALLOW_SLOT, "list"),
            ("http", "HTTP_HOST", policy.HTTP_SLOT, "list-http"),
        ):
            named = [entry for entry in entries if _wire_protocol(entry) == protocol]
            for part in shard(
                named,
                key=lambda entry: entry.host,
                weights=lambda entry: (len(entry.host) + 201, 1),
                capacities=(firewall_limits.GROUP_BYTES.max, firewall_limits.GROUP_CAPACITY.max),
            ):
                targets = sorted({_target(entry) for entry in part.items})
                label = f"{suffix}-{part.label}" if part.label else suffix
                made = policy.list_group(options, label, targets, kind, "hosts of the catalog, by name on any port")
                groups.append((slot + part.slot, made))
                where.update({entry.key: f"{made.name}#{_target(entry)}" for entry in part.items})
        if closing := closing_group(options, sids):
            groups.append((policy.CLOSING_SLOT, closing))
        objects = policy.assemble(options, groups)
        return Rendering(
            objects=objects,
            rules=where,
            findings=(*policy.remarks_of_all(options, entries), *policy.remarks(options, entries, sids)),
            usage=policy.usage(options, objects),
        )

    def rows(self, options: NetworkFirewallOptions | None = None) -> Mapping[str, ResourceType]:
        del options
        return BY_KIND

    def fixed(
        self, each: CloudObject, objects: Sequence[CloudObject], options: NetworkFirewallOptions
    ) -> Mapping[str, Any]:
        del options  # the policy that the groups are attached to can change without them
        return policy.fixed(each, objects, whole=True)

    def enforcement(self, options: NetworkFirewallOptions) -> Enforcement:
        return enforcement.of_options(super().enforcement(options), options)

    def outside(self, kinds: Collection[str]) -> Mapping[str, str]:
        return policy.outside(kinds)

    def place(self, objects: Sequence[CloudObject], options: NetworkFirewallOptions) -> Place:
        return of_network_firewall(options, objects)

    def clients(self, options: NetworkFirewallOptions, snapshot: Snapshot) -> ClientTest:  # noqa: ARG002
        return clients_of(options)


_SOURCES = Objection(
    "A domain list takes its clients from HOME_NET only. Found: `from`.",
    "aws:rules, which takes client ranges; or give the ranges as homeNet.",
)


def _wire_protocol(entry: Entry) -> str:
    return "http" if entry.protocol == "http" else "tls"


def _target(entry: Entry) -> str:
    return entry.host if entry.match == "exact" else f".{entry.host}"


def _listed_kind(entry: Entry) -> Match:
    return "exact" if entry.match == "exact" else "subtree+apex"


def _port_conflicts(entries: Sequence[Entry]) -> dict[tuple[str, str], Objection]:
    """Wildcards over names that other entries open on other ports: a guard for one would cut the other."""
    wide: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.match != "exact":
            wide.setdefault((_wire_protocol(entry), entry.host), []).append(entry)
    ports = _ports_of_targets(entries)
    found: dict[tuple[str, str], Objection] = {}
    for other in entries if wide else ():
        theirs = (_wire_protocol(other), _target(other))
        labels = other.host.split(".")
        for start in range(len(labels)):  # the host itself and every name above it
            for entry in wide.get((theirs[0], ".".join(labels[start:])), ()):
                mine = (theirs[0], _target(entry))
                if mine == theirs or ports[mine] == ports[theirs]:
                    continue
                found[entry.key] = _conflict(entry, other)
                if other.match != "exact":
                    found[other.key] = _conflict(other, entry)
    return found


def _conflict(entry: Entry, other: Entry) -> Objection:
    return Objection(
        f"The names of {entry.reach} and of {other.id} ({other.reach}) meet on different ports, and a list has none.",
        "aws:rules, which knows the port of each.",
    )


def _ports_of_targets(entries: Sequence[Entry]) -> dict[tuple[str, str], tuple[int, ...]]:
    ports: dict[tuple[str, str], set[int]] = {}
    for entry in entries:
        ports.setdefault((_wire_protocol(entry), _target(entry)), set()).add(entry.port)
    return {target: tuple(sorted(found)) for target, found in ports.items()}


def _guards(entries: Sequence[Entry], options: NetworkFirewallOptions, sids: Sids) -> list[tuple[int, CloudObject]]:
    ports = _ports_of_targets(entries)
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first.setdefault((_wire_protocol(entry), _target(entry)), entry)
    rules = {
        target: Rule(
            action=_guard_action(options),
            protocol=target[0],
            source="any",  # whatever the service takes for HOME_NET and EXTERNAL_NET of a list, the guard holds it
            destination="any",
            port=f"!{group(ports[target])}",
            msg=f"hostgate {entry.catalog} {entry.id}: not on this port",
            conditions=name_conditions(target[0], _listed_kind(entry), entry.host),
            sid=sids.of_entry(entry, "guard"),
        )
        for target, entry in first.items()
    }
    groups = []
    for part in shard(
        rules,
        key="\n".join,
        weights=lambda target: (len(str(rules[target])) + 1, 1),
        capacities=(firewall_limits.GROUP_BYTES.max, firewall_limits.GROUP_CAPACITY.max),
    ):
        suffix = f"guard-{part.label}" if part.label else "guard"
        made = policy.suricata_group(
            options, suffix, [rules[target] for target in part.items], "keeps the listed hosts to their ports"
        )
        groups.append((policy.GUARD_SLOT + part.slot, made))
    return groups


def _guard_action(options: NetworkFirewallOptions) -> str:
    if options.mode == "audit" or options.deny == "none":
        return "alert"
    return "reject" if options.rejects else "drop"


MECHANISM = DomainList()
