"""aws:rules: one strict-order Suricata rule for each entry, which passes its name on its port and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.aws import policy
from hostgate.aws.options import NetworkFirewallOptions
from hostgate.aws.strict_order import judge
from hostgate.aws.suricata import Rule, Sids, name_conditions, source
from hostgate.catalog.model import Entry
from hostgate.planning.flow import Flow, Verdict
from hostgate.planning.mechanism import CloudObject, Means, Mechanism, Objection, Rendering
from hostgate.planning.sharding import shard

_BY_ADDRESS = (
    "a network rule with the name on Azure (azure:application-rules) or an FQDN object on Google Cloud (gcp:fqdn); here the "
    "packets of such a protocol carry no name."
)


class Rules(Mechanism[NetworkFirewallOptions]):
    """Suricata rules that read the TLS server name or the HTTP Host of a connection."""

    target = "aws:rules"
    title = "AWS Network Firewall rules"
    options = NetworkFirewallOptions
    limits = policy.LIMITS
    means = (
        Means(
            name="TLS rules",
            protocols=frozenset({"https", "tls"}),
            sight="name-and-port",
            ttl_family="wire",
            nearest={"tcp": _BY_ADDRESS, "udp": _BY_ADDRESS},
        ),
        Means(name="HTTP rules", protocols=frozenset({"http"}), sight="name-and-port", ttl_family="wire"),
    )

    def objections(
        self, entries: Sequence[Entry], options: NetworkFirewallOptions
    ) -> Mapping[tuple[str, str], Objection]:
        return {**super().objections(entries, options), **family_objections(entries, options)}

    def render(self, entries: Sequence[Entry], options: NetworkFirewallOptions) -> Rendering:
        sids = Sids()
        edge = policy.edge_group(options, sids)
        groups = [(policy.EDGE_SLOT, edge)] if edge else []
        rules = {entry.key: _rule(entry, options, sids) for entry in entries}
        where: dict[tuple[str, str], str] = {}
        shards = shard(
            entries,
            key=lambda entry: "\n".join((entry.catalog, entry.id)),
            weights=lambda entry: (len(str(rules[entry.key])) + 1, 1),
            capacities=(policy.GROUP_BYTES.max, policy.GROUP_CAPACITY.max),
        )
        for part in shards:
            suffix = f"allow-{part.label}" if part.label else "allow"
            group = policy.suricata_group(
                options, suffix, [rules[entry.key] for entry in part.items], "hosts of the catalog, by name and port"
            )
            groups.append((policy.ALLOW_SLOT + part.slot, group))
            where.update({entry.key: f"{group.name}#{rules[entry.key].sid}" for entry in part.items})
        objects = policy.assemble(options, groups)
        return Rendering(
            objects=objects,
            rules=where,
            findings=tuple(policy.remarks(options, entries, sids)),
            usage=policy.usage(options, objects),
        )

    def fixed(
        self, each: CloudObject, objects: Sequence[CloudObject], options: NetworkFirewallOptions
    ) -> Mapping[str, Any]:
        del options  # the policy that the groups are attached to can change without them
        return policy.fixed(each, objects, whole=False)

    def verdict(self, objects: Sequence[CloudObject], options: NetworkFirewallOptions, flow: Flow) -> Verdict:
        home_net = policy.effective_home_net(options, objects)
        return judge(objects, home_net, flow, undecided=policy.undecided(options))


def family_objections(entries: Sequence[Entry], options: NetworkFirewallOptions) -> dict[tuple[str, str], Objection]:
    """Entries served over IPv6 only, where no client of that family is behind the firewall: a rule would never match."""
    if any(":" in cidr for cidr in options.from_ or options.home_net):
        return {}
    return {
        entry.key: Objection(
            f"Found families ipv6 only, but no client range is IPv6 ({', '.join(options.from_ or options.home_net)}).",
            "add the clients' IPv6 ranges to homeNet (and from).",
        )
        for entry in entries
        if entry.families == ("ipv6",)
    }


def _rule(entry: Entry, options: NetworkFirewallOptions, sids: Sids) -> Rule:
    protocol = "http" if entry.protocol == "http" else "tls"
    conditions = name_conditions(protocol, entry.match, entry.host)
    return Rule(
        action="pass",
        protocol=protocol,
        source=source(options.from_),
        destination="$EXTERNAL_NET",
        port=str(entry.port),
        msg=f"hostgate {entry.catalog} {entry.id}",
        conditions=(*conditions, "alert") if options.log_allowed else conditions,
        sid=sids.of_entry(entry),
    )


MECHANISM = Rules()
