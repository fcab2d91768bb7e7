"""Plain tcp and udp entries, whose packets carry no name: passed to the addresses that somebody gives for them.

What a pool gives goes into IP sets of the group, one for each entry, so that a changed address changes one item of a set
and no rule. The service counts a rule with its sets written out (`firewall_limits.RULE_LENGTH`).

Such a rule acts on packets, from the first one, so its group goes before all others: behind the edge group a datagram
would be dropped first. `flow:to_server` keeps it from also passing what a client answers to a connection from outside
(tried on Suricata 7.0.10), and from ending the inspection of the flow by its first packet (AWS guide, sample rules).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network

from hostgate.aws import firewall_evidence, firewall_limits, policy
from hostgate.aws.evaluate_groups import entries_of
from hostgate.aws.resources import set_references
from hostgate.aws.resources_ec2 import PREFIX_LIST
from hostgate.aws.rules_options import BY_ADDRESS, RulesOptions
from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import NO_ADDRESS, AddressSet
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.evidence import Claim
from hostgate.planning.findings import Finding
from hostgate.planning.mechanism import Means, Objection
from hostgate.planning.options import merged
from hostgate.planning.pooled import OTHER_NAMES, REFRESHED, network_of, opened_beside, openings
from hostgate.planning.pooled import by_address as fed_by_pool
from hostgate.planning.targets import COMPUTED
from hostgate.suricata.writer import Rule, Sids, group, message, source

MEANS = Means(
    name="Address rules",
    protocols=BY_ADDRESS,
    sight="address-and-port",
    ttl_family="own-lookup",
    evidence=firewall_evidence.REPLAYED,
    needs=(
        Claim("somebody who keeps `addresses` or `ipSets` as DNS answers", "hostgate, address rules", "2026-11-23"),
        *firewall_evidence.NEEDS,
    ),
    opens=(Claim("every other name on the given addresses, at the port", "hostgate, address rules", "2026-11-23"),),
    costs=firewall_evidence.COSTS,
    resolver="somebody keeps the addresses of the name in a list; TTL and rotation decide correctness",
)

POOLED = replace(
    fed_by_pool(
        "Address rules from a pool",
        firewall_evidence.REPLAYED,
        needs=(REFRESHED, *firewall_evidence.NEEDS),
        opens=(OTHER_NAMES,),
        costs=firewall_evidence.COSTS,
    ),
    protocols=BY_ADDRESS,
)

_KEY = 32
"""Characters of a variable's name, which begins with a letter (AWS SDK service model, read 2026-11-23)."""


def by_address(entry: Entry) -> bool:
    return entry.protocol in BY_ADDRESS


def objections(entries: Sequence[Entry], options: RulesOptions) -> dict[tuple[str, str], Objection]:
    """Entries without a name on the wire for which no addresses are given, or none that a client can reach."""
    catalogs: dict[str, set[str]] = {}
    for entry in entries:
        catalogs.setdefault(entry.id, set()).add(entry.catalog)
    found = options.unfed(filter(options.pooled, entries))
    for entry in entries:
        if by_address(entry) and entry.key not in found:
            objection = _objection(entry, options, sorted(catalogs[entry.id]))
            if objection is not None:
                found[entry.key] = objection
    return found


def _objection(entry: Entry, options: RulesOptions, catalogs: Sequence[str]) -> Objection | None:
    if options.pooled(entry):
        return _too_long(entry, options)
    cidrs = options.addresses.get(entry.id, ())
    if not cidrs and entry.id not in options.ip_sets:
        return Objection(
            f"AWS Network Firewall rules cannot allow {entry.protocol} by name. Found: port {entry.port}, and no addresses "
            f"for {entry.id}; allowed: https, http, tls, or addresses.",
            f"the host's own ranges under `addresses`, or a prefix list under `ipSets`; or {_BY_NAME}",
        )
    if len(catalogs) > 1:  # a word about one entry must not open another
        return Objection(
            f"Found addresses for {entry.id}, which {' and '.join(catalogs)} both have.",
            "rename it in your own catalog.",
        )
    if not cidrs:
        return None
    clients = {ip_network(cidr).version for cidr in options.from_ or options.home_net}
    servers = {ip_network(cidr).version for cidr in cidrs}
    if entry.families:
        servers &= {6 if family == "ipv6" else 4 for family in entry.families}
    if not clients & servers:
        return Objection(
            f"Found addresses {', '.join(cidrs)} for {entry.id}: no client can reach it by them, because the families differ.",
            "add addresses of the clients' family, or the clients' ranges of that family to homeNet (and from).",
        )
    return _too_long(entry, options)


def _too_long(entry: Entry, options: RulesOptions) -> Objection | None:
    sets = ip_sets([entry], options)
    length = max(policy.expanded_length(str(rule), options, sets) for rule in rules(entry, options, Sids()))
    if length > firewall_limits.RULE_LENGTH.max:
        return Objection(
            f"The addresses of {entry.id} need a rule of {length:,} characters. Allowed: {firewall_limits.RULE_LENGTH.max:,}.",
            "a prefix list that holds them, under `ipSets`.",
        )
    return None


_BY_NAME = (
    "a network rule with the name on Azure (azure:application-rules) or an FQDN object on Google Cloud (gcp:fqdn); here the "
    "packets of such a protocol carry no name."
)


def rules(entry: Entry, options: RulesOptions, sids: Sids) -> tuple[Rule, ...]:
    """What passes `entry`: one rule; two where allowed flows are logged, because `alert` in one would log each packet."""
    cidrs = options.addresses.get(entry.id)
    named = f"{'$' if options.pooled(entry) else '@'}{reference_key(entry)}"
    passes = Rule(
        action="pass",
        protocol=entry.transport,
        source=source(options.from_),
        destination=group(merged(cidrs)) if cidrs else named,
        port=str(entry.port),
        msg=message(entry),
        conditions=("flow:to_server",),
        sid=sids.of_entry(entry),
    )
    if not options.log_allowed:
        return (passes,)
    once = ("flow:to_server", "flowbits:isnotset,hostgate", "flowbits:set,hostgate", "alert")
    return passes.but(conditions=once), passes.but(sid=sids.of_entry(entry, "unlogged"))


def references(entries: Sequence[Entry], options: RulesOptions) -> Mapping[str, str]:
    """The IP set references that the rules of `entries` name, as key and ARN."""
    return {reference_key(entry): options.ip_sets[entry.id] for entry in entries if entry.id in options.ip_sets}


def ip_sets(entries: Sequence[Entry], options: RulesOptions) -> Mapping[str, Sequence[str]]:
    """The IP sets that the rules of `entries` name, as key and items: the addresses of the pool, each by itself."""
    return {
        reference_key(entry): [network_of(each.address) for each in openings([entry], options)]
        for entry in entries
        if options.pooled(entry)
    }


def remarks(entries: Sequence[Entry], options: RulesOptions) -> Iterator[Finding]:
    """What the addresses of a pool open beside the hosts."""
    if opened := openings(filter(options.pooled, entries), options):
        yield opened_beside(opened)


def standing_sets(
    entries: Iterable[Entry], options: RulesOptions, groups: Iterable[Resource], snapshot: Snapshot
) -> Mapping[str, AddressSet]:
    """What stands in the prefix lists under `ipSets`, by entry id; of an empty one nothing, which opens nothing. The ARN of one
    that is an output the groups tell."""
    found: dict[str, AddressSet] = {}
    named = [entry for entry in entries if entry.id in options.ip_sets]
    held = list(groups) if named else []
    told = {key: arn.value for group in held for key, arn in set_references(group)}
    for entry in named:
        arn = options.ip_sets[entry.id]
        real = told.get(reference_key(entry)) if COMPUTED in arn else arn
        listed = [each for group in held for each in snapshot.referred(group, "", real) if each.type == PREFIX_LIST]
        if listed and (addresses := entries_of(listed[0])) != NO_ADDRESS:
            found[entry.id] = addresses
    return found


def reference_key(entry: Entry) -> str:
    """The variable that stands for the addresses of `entry`: its id, and a hash that tells cut ids apart."""
    ending = sha256("\n".join(entry.key).encode()).hexdigest()[:8]
    words = f"E_{entry.id}".replace("-", "_").upper()
    return f"{words[: _KEY - len(ending) - 1]}_{ending}"
