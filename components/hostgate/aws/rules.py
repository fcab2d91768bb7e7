"""aws:rules: one strict-order Suricata rule for each entry, which passes its name on its port and nothing else."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hostgate.aws import address_rules as addresses
from hostgate.aws import firewall_evidence, firewall_limits, policy
from hostgate.aws import network_firewall_enforcement as enforcement
from hostgate.aws.closing import closing_group
from hostgate.aws.edge import edge_group
from hostgate.aws.plan_place import clients_of, of_network_firewall
from hostgate.aws.resources import BY_KIND
from hostgate.aws.rules_options import RulesOptions
from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import AddressSet
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.grants import shared, told
from hostgate.planning.mechanism import CloudObject, Means, Mechanism, Objection, Rendering
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.sharding import shard
from hostgate.suricata.writer import Rule, Sids, message, name_conditions, source


class Rules(Mechanism[RulesOptions]):
    """Suricata rules that read the TLS server name or the HTTP Host of a connection."""

    target = "aws:rules"
    several = True
    title = "AWS Network Firewall rules"
    auto_named = True
    options = RulesOptions
    limits = firewall_limits.LIMITS
    means = (
        Means(
            name="TLS rules",
            protocols=frozenset({"https", "tls"}),
            sight="name-and-port",
            ttl_family="wire",
            evidence=firewall_evidence.REPLAYED,
            needs=firewall_evidence.NEEDS,
            opens=firewall_evidence.NAMES_OPEN,
            costs=firewall_evidence.COSTS,
        ),
        Means(
            name="HTTP rules",
            protocols=frozenset({"http"}),
            sight="name-and-port",
            ttl_family="wire",
            evidence=firewall_evidence.REPLAYED,
            needs=firewall_evidence.NEEDS,
            opens=firewall_evidence.NAMES_OPEN,
            costs=firewall_evidence.COSTS,
        ),
        addresses.MEANS,
        addresses.POOLED,
    )

    def way(self, entry: Entry, options: RulesOptions | None = None) -> Means | None:
        return addresses.POOLED if options is not None and options.pooled(entry) else super().way(entry)

    def objections(self, entries: Sequence[Entry], options: RulesOptions) -> Mapping[tuple[str, str], Objection]:
        return {**addresses.objections(entries, options), **super().objections(entries, options)}

    def render(self, entries: Sequence[Entry], options: RulesOptions) -> Rendering:
        sids = Sids()
        edge = edge_group(options, sids)
        groups = [(policy.EDGE_SLOT, edge)] if edge else []
        where: dict[tuple[str, str], str] = {}
        for share, own in shared(entries, options):
            groups += self._groups(own, share, sids, where)
        if closing := closing_group(options, sids):
            groups.append((policy.CLOSING_SLOT, closing))
        objects = policy.assemble(options, groups)
        remarks = told(
            entries, options, lambda own, share: [*policy.remarks(share, own, sids), *addresses.remarks(own, share)]
        )
        return Rendering(
            objects=objects,
            rules=where,
            findings=(*policy.remarks_of_all(options, entries), *remarks),
            usage=policy.usage(options, objects),
        )

    def _groups(
        self, entries: Sequence[Entry], options: RulesOptions, sids: Sids, where: dict[tuple[str, str], str]
    ) -> Iterator[tuple[int, CloudObject]]:
        """The groups that allow `entries`, with their slots; the rule that each entry got is put into `where`."""
        rules = entry_rules(entries, options, sids)
        held = {
            entry.key: sum(map(len, items))
            for entry in entries
            for items in addresses.ip_sets([entry], options).values()
        }
        for blind, slot, suffix, words in (
            (True, policy.ADDRESS_SLOT, "address", "hosts of the catalog, by address and port"),
            (False, policy.ALLOW_SLOT, "allow", "hosts of the catalog, by name and port"),
        ):
            for part in shard(
                [entry for entry in entries if addresses.by_address(entry) == blind],
                key=lambda entry: "\n".join((entry.catalog, entry.id)),
                weights=lambda entry: (
                    sum(len(str(rule)) + 1 + held.get(entry.key, 0) for rule in rules[entry.key]),
                    len(rules[entry.key]),
                    addresses.by_address(entry) and entry.id in options.ip_sets,
                ),
                capacities=(
                    firewall_limits.GROUP_BYTES.max,
                    firewall_limits.GROUP_CAPACITY.max,
                    firewall_limits.IP_SET_REFERENCES.max,
                ),
            ):
                group = policy.suricata_group(
                    options,
                    f"{suffix}-{part.label}" if part.label else suffix,
                    [rule for entry in part.items for rule in rules[entry.key]],
                    words,
                    addresses.references(part.items, options) if blind else {},
                    addresses.ip_sets(part.items, options) if blind else {},
                )
                where.update({entry.key: f"{group.name}#{rules[entry.key][0].sid}" for entry in part.items})
                yield slot + options.index * policy.BETWEEN_GRANTS + part.slot, group

    def rows(self, options: RulesOptions | None = None) -> Mapping[str, ResourceType]:
        del options
        return BY_KIND

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: RulesOptions) -> Mapping[str, Any]:
        del options  # the policy that the groups are attached to can change without them
        return policy.fixed(each, objects, whole=False)

    def enforcement(self, options: RulesOptions) -> Enforcement:
        return enforcement.of_options(super().enforcement(options), options)

    def outside(self, kinds: Collection[str]) -> Mapping[str, str]:
        return policy.outside(kinds)

    def place(self, objects: Sequence[CloudObject], options: RulesOptions) -> Place:
        return of_network_firewall(options, objects)

    def clients(self, options: RulesOptions, snapshot: Snapshot) -> ClientTest:  # noqa: ARG002
        return clients_of(options)

    def sets(
        self, entries: Iterable[Entry], options: RulesOptions, made: Iterable[Resource], snapshot: Snapshot
    ) -> Mapping[str, AddressSet]:
        return addresses.standing_sets(entries, options, made, snapshot)


def entry_rules(entries: Sequence[Entry], options: RulesOptions, sids: Sids) -> dict[tuple[str, str], tuple[Rule, ...]]:
    """What passes each entry, by entry key."""
    return {
        entry.key: addresses.rules(entry, share, sids) if addresses.by_address(entry) else (_rule(entry, share, sids),)
        for share, own in shared(entries, options)
        for entry in own
    }


def _rule(entry: Entry, options: RulesOptions, sids: Sids) -> Rule:
    protocol = "http" if entry.protocol == "http" else "tls"
    conditions = name_conditions(protocol, entry.match, entry.host)
    return Rule(
        action="pass",
        protocol=protocol,
        source=source(options.from_),
        destination="$EXTERNAL_NET",
        port=str(entry.port),
        msg=message(entry),
        conditions=(*conditions, "alert") if options.log_allowed else conditions,
        sid=sids.of_entry(entry),
    )


MECHANISM = Rules()
