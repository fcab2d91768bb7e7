"""azure:application-rules: one rule collection group, with application rules for HTTP and TLS and network rules beside.

Azure Firewall terminates nothing it need not: it reads SNI or Host, resolves the name itself and dials that answer, so
client DNS, TTL and rotation do not matter (Azure Firewall, DNS details). It denies what no rule allows.
"""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.azure import evaluate, network_rules
from hostgate.azure.firewall_evidence import ANSWERS, COSTS, ROUTE
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions, is_group
from hostgate.azure.resources import GROUP_BYTES, GROUP_TYPE, LAST_PRIORITY, POLICY_TYPE, TYPES
from hostgate.azure.rule_steps import address
from hostgate.catalog.hosts import is_public_suffix
from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import EVERY_IPV4, union
from hostgate.flows.nodes import Node
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import EVERY_CLIENT, ClientTest, Place
from hostgate.planning.breadth import too_broad
from hostgate.planning.enforcement import ORDER, AuditOpening, Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.grants import shared, told
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Means, Mechanism, Objection, Rendering, Seat
from hostgate.planning.sharding import Shard, shard
from hostgate.planning.targets import is_computed

POLICY, GROUP = POLICY_TYPE.kind, GROUP_TYPE.kind
API_VERSION = "2024-05-01"
"""The default of pulumi-azure-native 3.29.0 for all firewall classes."""

_SOURCE = "Azure Firewall limits and policy rule sets, whose copies say 50, 60 and 90"
GROUPS = Limit("rule collection groups of a policy", 90, "groups", _SOURCE, "2026-11-27")
GROUPS_OF_ANY = Limit(
    "rule collection groups of any policy", 50, "groups", _SOURCE, "2026-11-27",
    unless="the policy was made after July 2022",
)  # fmt: skip

NETWORK_PRIORITY, APPLICATION_PRIORITY, AUDIT_NETWORK_PRIORITY, AUDIT_PRIORITY, DENY_PRIORITY = (
    1000,
    2000,
    60_000,
    61_000,
    65_000,
)
"""Of the collections within a group. Whatever the numbers, network collections come before application ones."""

_BASE = (
    "An update makes the new group before it deletes the old. Take a `base` that no group has, or keep what there is with "
    "`formerly` (in a component with an alias)."
)
_PLACE = (
    "Of that name it would be replaced: in another location there is no room beside it, and in another resource group its groups "
    "go before it, so that a firewall of another stack that still uses it denies every host. Change `name` in the same update: the "
    "new policy is whole before the old one goes, and its groups go with it."
)
"""The engine asks `deleted_with` for what is deleted, and not for what is replaced (CLI 3.259)."""

_DENY = (
    "Its groups move one after the other, and what comes behind the deny meanwhile is cut. Take deny 'internet' first, move "
    "`base`, and then take deny 'all' again."
)

_ONE_LABEL = "name the hosts as exact entries, or use aws:rules, which can hold the depth to one label."


class ApplicationRules(Mechanism[FirewallPolicyOptions]):
    """Application rules in a rule collection group; entries that are neither HTTP nor TLS become network rules in it."""

    target = "azure:application-rules"
    several = True
    types = TYPES
    title = "Azure Firewall rules"
    options = FirewallPolicyOptions
    limits = (GROUP_BYTES, GROUPS, GROUPS_OF_ANY, LAST_PRIORITY, network_rules.FQDNS)
    means = (
        Means(
            name="Application rules",
            protocols=frozenset({"https", "http", "tls"}),
            # `HTTP/1.1 470 status code 470`, `Action: Deny. Reason: No rule matched.`: traces of 2022 that are public, and
            # http.dev/470 (read 2026-11-28). No registered status.
            denial="470",
            sight="name-and-port",
            ttl_family="wire",
            evidence=Evidence("documented", "Azure Firewall, rule processing (2025-05)", "2026-11-23"),
            needs=(ROUTE,),
            opens=(
                Claim(
                    "any server to which a client names an allowed host in TLS, unless the firewall dials the name itself",
                    "Azure Firewall: rule processing says so of HTTP and inspected TLS, DNS details of all names",
                    "2026-11-23",
                ),
            ),
            costs=COSTS,
            kinds=frozenset({"exact", "subtree", "subtree+apex"}),
            ports=range(1, 64_001),  # 2024-05-01 firewallPolicy API: 0 to 64000; the limits page starts at 1
            families=("ipv4",),
            widenings={"one-label": "deeper-names"},
            nearest={"one-label": _ONE_LABEL, "ipv6": network_rules.IPV4_HOST},
            bare_connect=ANSWERS,
        ),
        network_rules.MEANS,
    )

    def objections(
        self, entries: Sequence[Entry], options: FirewallPolicyOptions
    ) -> Mapping[tuple[str, str], Objection]:
        found = dict(super().objections(entries, options))
        for entry in entries:
            if options.tier == "Basic" and entry.protocol in network_rules.MEANS.protocols:
                found[entry.key] = Objection(
                    f"FQDNs in network rules need tier Standard or Premium. Found: {entry.protocol} with tier Basic.",
                    "tier Standard.",
                )
            elif options.dns_proxy is False and entry.protocol in network_rules.MEANS.protocols:
                found[entry.key] = Objection(
                    f"FQDNs in network rules need the policy's DNS proxy. Found: {entry.protocol} with dnsProxy false.",
                    "dnsProxy true, or left out.",
                )
        return found

    def render(self, entries: Sequence[Entry], options: FirewallPolicyOptions) -> Rendering:
        where: dict[tuple[str, str], str] = {}
        shards = shard(
            entries,
            key=lambda entry: "\n".join(entry.key),
            weights=lambda entry: (2 * len(entry.host) + (10 if entry.port in (80, 443) else 300),),
            capacities=(GROUP_BYTES.max - 20_000,),
        )
        if not shards:
            shards = (Shard("", ()),) if options.mode == "audit" or options.deny == "all" else ()
        last = max((part.slot for part in shards), default=0)
        groups = [_group(options, part, where, _tail(entries, options) if part.slot == last else []) for part in shards]
        objects = groups if options.attach is not None else [_policy(options, entries), *groups]
        network_fqdns = {entry.host for entry in entries if entry.protocol in network_rules.MEANS.protocols}
        usage = (
            Usage(GROUP_BYTES, max((len(json.dumps(each.body)) for each in groups), default=0)),
            *(Usage(limit, len(groups)) for limit in (GROUPS, GROUPS_OF_ANY)),
            Usage(LAST_PRIORITY, max((each.body["properties"]["priority"] for each in groups), default=0)),
            Usage(network_rules.FQDNS, len(network_fqdns)),
        )
        return Rendering(
            objects=tuple(objects), rules=where, findings=tuple(told(entries, options, _remarks)), usage=usage
        )

    def enforcement(self, options: FirewallPolicyOptions) -> Enforcement:
        """The firewall denies what no rule allows: all that can be lost is the policy that says what its rules are."""
        return replace(
            super().enforcement(options),
            places=(_whose(options),),
            exempt=() if options.deny == "all" else ("the platform's built-in infrastructure names",),
            safeguards={ORDER: str(options.base)} if options.attach is not None else dict(_safeguards(options)),
            unless="the firewall denies it, as it does whatever no rule of its policy allows",
            audit=AuditOpening(clients=options.clients, denier="the firewall", stands=options.attach is not None)
            if options.mode == "audit"
            else None,
        )

    def seats(self, objects: Sequence[CloudObject], options: FirewallPolicyOptions) -> Sequence[Seat]:
        """A priority of a policy, the name of a policy of our own, and the end of one that denies everything itself."""
        policy = _whose(options)
        groups = [each for each in objects if each.kind == GROUP]
        found = [
            Seat(
                what=f"priority {each.body['properties']['priority']} of {policy}",
                holders=tuple(
                    f"group {name}{each.name.removeprefix(options.stem)}"
                    for name in (options.name, *options.formerly_named)
                ),
                way=_BASE,
            )
            for each in groups
        ]
        if options.attach is None:
            stated = {"resource group": options.resource_group, "location": options.location}
            found += [
                Seat(what=f"the {key} of policy {name}", holders=(each.replace(" ", "").lower(),), way=_PLACE)
                for key, each in stated.items()
                for name in (options.name, *options.formerly_named)
                if each is not None and not is_computed(each)
            ]
        if options.deny == "all" and len(groups) > 1:
            begins = (f"what begins at {options.base}",)
            found.append(Seat(what=f"the end of {policy}, with its deny", holders=begins, way=_DENY))
        return found

    def outside(self, kinds: Collection[str]) -> Mapping[str, str]:
        words = "A firewall of another stack has to take the new policy: until then the cloud keeps the old one, and `up` ends so."
        return {POLICY: words} if POLICY in kinds else {}

    def place(self, objects: Sequence[CloudObject], options: FirewallPolicyOptions) -> Place:
        groups = tuple(
            Resource(
                urn=f"plan::{each.name}", type=GROUP_TYPE.token, name=each.name, properties=each.body["properties"]
            )
            for each in objects
            if each.kind == GROUP
        )
        snapshot = Snapshot(groups, "the plan")
        clients = self.clients(options, snapshot) if options.from_ else ClientTest(addresses=EVERY_IPV4)
        place = evaluate.group_place(groups, snapshot, clients)
        policies = [Node(each.body["properties"]) for each in objects if each.kind == POLICY]
        beside = (said for policy in policies for said in evaluate.before_the_rules(policy, "the policy"))
        others = f"No other rule of {options.attach}, or of a policy above it, decides about these flows first."
        more = [] if options.attach is None else [others]
        return replace(place, assumptions=(*place.assumptions, *beside, *more))

    def clients(self, options: FirewallPolicyOptions, snapshot: Snapshot) -> ClientTest:
        if not options.from_:
            return EVERY_CLIENT
        ranges = (evaluate.ip_group(each, snapshot) if is_group(each) else address(each) for each in options.from_)
        return ClientTest(addresses=union(ranges))


def _whose(options: FirewallPolicyOptions) -> str:
    """The policy of the rules, as it is called in reviews: names are of either case."""
    return f"policy {'/'.join(filter(None, options.policy))}".lower()


def _safeguards(options: FirewallPolicyOptions) -> Iterator[tuple[str, str]]:
    """What else narrows what a policy of our own lets pass."""
    if options.threat_intel_mode != "Off":
        known = options.threat_intel_allowlist
        left = sorted([*known.ip_addresses, *known.fqdns]) if known is not None else []
        some = f"{', '.join(left[:5])}{f' and {len(left) - 5} more' if len(left) > 5 else ''}"
        yield "threat intelligence", f"{options.threat_intel_mode}{f', but for {some}' if left else ''}"
    if options.intrusion_detection not in (None, "Off"):
        yield "intrusion detection", str(options.intrusion_detection)


def _left_alone(options: FirewallPolicyOptions) -> str:
    """What of the allowlist of threat intelligence holds more than what is one's own, in words; empty if nothing does."""
    known = options.threat_intel_allowlist
    if known is None:
        return ""
    wide = [each for each in known.fqdns if each.startswith("*.") and is_public_suffix(each.removeprefix("*."))]
    ranges = known.ip_addresses if too_broad(known.ip_addresses) else []
    listed = [*ranges, *wide]
    return f"{', '.join(listed[:5])}{f' and {len(listed) - 5} more' if len(listed) > 5 else ''}"


def _group(
    options: FirewallPolicyOptions,
    part: Shard[Entry],
    where: dict[tuple[str, str], str],
    tail: Sequence[dict[str, Any]],
) -> CloudObject:
    name = f"{options.stem}-{part.label}" if part.label else options.stem
    collections: list[dict[str, Any]] = []
    shares = shared(part.items, options)
    for kind, first, rules in (
        ("allow-network", NETWORK_PRIORITY, network_rules.rules),
        ("allow-application", APPLICATION_PRIORITY, _application_rules),
    ):
        for share, own in shares:
            if made := rules(own, share):
                collection = f"{kind}-{share.grant}" if share.grant else kind
                allowing = [rule for rule, _ in made]
                collections.append(_collection(collection, first + share.index, "Allow", allowing))
                for rule, members in made:
                    where.update({entry.key: f"{name}/{collection}/{rule['name']}" for entry in members})
    collections += tail
    body = {
        "type": GROUP,
        "apiVersion": API_VERSION,
        "name": f"{options.policy[1]}/{name}",
        "properties": {"priority": options.base + part.slot, "ruleCollections": collections},
    }
    return CloudObject(kind=GROUP, name=name, body=body)


def _tail(entries: Sequence[Entry], options: FirewallPolicyOptions) -> list[dict[str, Any]]:
    """What comes after every allow. Only the group with the last priority has it: in an earlier one it would decide
    before the hosts of later groups."""
    if options.mode == "audit":
        return _audit_collections(entries, options)
    if options.deny == "all":
        everything = _application_rule("everything", [("Https", 443), ("Http", 80)], ["*"], options)
        return [_collection("deny-everything", DENY_PRIORITY, "Deny", [everything])]
    return []


def _application_rules(
    entries: Sequence[Entry], options: FirewallPolicyOptions
) -> list[tuple[dict[str, Any], list[Entry]]]:
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if entry.protocol not in network_rules.MEANS.protocols:
            groups.setdefault(("Http" if entry.protocol == "http" else "Https", entry.port), []).append(entry)
    return [
        (
            _application_rule(
                f"{kind.lower()}-{port}", [(kind, port)], sorted({name for e in members for name in _fqdns(e)}), options
            ),
            members,
        )
        for (kind, port), members in sorted(groups.items())
    ]


def _application_rule(
    name: str, protocols: Sequence[tuple[str, int]], fqdns: Sequence[str], options: FirewallPolicyOptions
) -> dict[str, Any]:
    return {
        "ruleType": "ApplicationRule",
        "name": name,
        **options.sources,
        "protocols": [{"protocolType": kind, "port": port} for kind, port in protocols],
        "targetFqdns": list(fqdns),
    }


def _fqdns(entry: Entry) -> tuple[str, ...]:
    """`*.x` holds any depth below x and not x; `*x` would hold evilx too and is never written (Azure Firewall FAQ)."""
    match entry.match:
        case "exact":
            return (entry.host,)
        case "subtree+apex":
            return (entry.host, f"*.{entry.host}")
        case _:
            return (f"*.{entry.host}",)


def _audit_collections(entries: Sequence[Entry], options: FirewallPolicyOptions) -> list[dict[str, Any]]:
    """Everything that the rules above do not allow, allowed and logged under its own names.

    Network collections come first, so the ports of application rules are kept out of them: a network rule on 443
    would hide which names the application rules would have blocked.
    """
    named = {entry.port for entry in entries if entry.protocol not in network_rules.MEANS.protocols}
    kept = sorted({80, 443} | named)
    web = [(kind, port) for kind in ("Http", "Https") for port in kept]
    edges = [0, *kept, 65_536]
    free = [(low + 1, high - 1) for low, high in itertools.pairwise(edges) if low + 1 <= high - 1]
    sources = {**options.sources, "destinationAddresses": ["*"]}
    network = [
        {
            "ruleType": "NetworkRule",
            "name": "audit-tcp",
            "ipProtocols": ["TCP"],
            **sources,
            "destinationPorts": [str(low) if low == high else f"{low}-{high}" for low, high in free],
        },
        {"ruleType": "NetworkRule", "name": "audit-udp", "ipProtocols": ["UDP"], **sources, "destinationPorts": ["*"]},
        {
            "ruleType": "NetworkRule",
            "name": "audit-icmp",
            "ipProtocols": ["ICMP"],
            **sources,
            "destinationPorts": ["*"],
        },
    ]
    everything = _application_rule("audit-web", web, ["*"], options)
    return [
        _collection("audit-network", AUDIT_NETWORK_PRIORITY, "Allow", network),
        _collection("audit-application", AUDIT_PRIORITY, "Allow", [everything]),
    ]


def _collection(name: str, priority: int, action: str, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": name,
        "priority": priority,
        "action": {"type": action},
        "rules": list(rules),
    }


def _policy(options: FirewallPolicyOptions, entries: Sequence[Entry]) -> CloudObject:
    properties: dict[str, Any] = {"sku": {"tier": options.tier}, "threatIntelMode": options.threat_intel_mode}
    if (known := options.threat_intel_allowlist) is not None:
        listed = {"fqdns": sorted(known.fqdns), "ipAddresses": sorted(known.ip_addresses)}
        properties["threatIntelWhitelist"] = {key: each for key, each in listed.items() if each}
    if options.intrusion_detection is not None:
        properties["intrusionDetection"] = {"mode": options.intrusion_detection}
    proxied = options.dns_proxy
    if proxied is None and any(entry.protocol in network_rules.MEANS.protocols for entry in entries):
        proxied = True
    if proxied is not None or options.dns_servers:
        servers = {"servers": list(options.dns_servers)} if options.dns_servers else {}
        properties["dnsSettings"] = {"enableProxy": bool(proxied), **servers}
    body: dict[str, Any] = {"type": POLICY, "apiVersion": API_VERSION, "name": options.stem, "properties": properties}
    if options.location:
        body["location"] = options.location
    if options.tags:
        body["tags"] = dict(sorted(options.tags.items()))
    return CloudObject(kind=POLICY, name=f"{options.stem}-policy", body=body)


def _remarks(entries: Sequence[Entry], options: FirewallPolicyOptions) -> list[Finding]:
    found = []
    if any(entry.protocol == "https" for entry in entries):
        found.append(finding("quic-closed", "UDP 443 stays closed; clients fall back to TLS over TCP."))
    if any(entry.families and "ipv6" in entry.families for entry in entries):
        found.append(finding("ipv4-only", "The firewall dials the hosts over IPv4; clients need an IPv4 path to it."))
    found += [
        # MicrosoftDocs/azure-docs #69563 (2021): `test--a.com` refused as target FQDN. Whether it still is: not tried.
        finding("doubtful-name", f"{entry.host} has a double hyphen, which the service refused in 2021.", entry)
        for entry in entries
        if "--" in entry.host
    ]
    if not options.from_:
        found.append(finding("from-everything", "Everything that is routed through the firewall may use the hosts."))
    if any(entry.protocol in network_rules.MEANS.protocols for entry in entries):
        whose = "It is turned on in the new policy" if options.attach is None else f"Turn it on in {options.attach}"
        found.append(finding("needs-dns-proxy", f"{whose}; point the clients' DNS at the firewall."))
    before = [
        words
        for words, mode in (
            ("Threat intelligence denies what Microsoft lists", options.threat_intel_mode),
            ("Intrusion detection denies what its signatures match", options.intrusion_detection),
        )
        if mode == "Deny"
    ]
    if before:
        found.append(
            finding("denied-before", f"{'. '.join(before)}: before any rule, and though the catalog allows it.")
        )
    if options.threat_intel_mode != "Off" and (wide := _left_alone(options)):
        found.append(
            finding("safeguard-exempt", f"threatIntelAllowlist holds {wide}: threat intelligence is not about that.")
        )
    if options.mode == "audit":
        found.append(
            finding(
                "audit",
                "Collections named audit allow everything else and log it; TLS without SNI on web ports stays blocked.",
            )
        )
    if options.deny == "declared":
        found.append(finding("deny-declared", "Azure Firewall denies what no rule allows; nothing else is needed."))
    else:
        found.append(
            finding(
                "deny-cuts",
                "Azure Firewall denies what no rule allows, private destinations too; no rule is added for them. "
                + (
                    "The platform's built-in infrastructure names are closed as well."
                    if options.deny == "all"
                    else "The platform's built-in infrastructure names stay open."
                ),
            )
        )
    if options.from_:
        others = (
            "Others may use what other lists say."
            if options.grant
            else "The firewall denies everything to others."
            if options.attach is None
            else "About others the rest of the attached policy decides; what it does not allow is denied."
        )
        found.append(finding("others-cut", f"The rules are about {', '.join(sorted(options.from_))}. {others}"))
    if options.attach is None:
        found.append(
            finding(
                "not-enforced",
                "No firewall is made: the policy judges nothing until a firewall uses it (output `policyId`).",
            )
        )
    else:
        whose = f"a provider of subscription {options.subscription}, " if options.subscription else ""
        found.append(
            finding(
                "attached-policy",
                f"{options.attach} needs: {whose}no broad network allow on the same ports in any group (it comes first whatever "
                f"its priority), no network deny of them, no other group on priority {options.base}, and nobody else updating it.",
            )
        )
    return found


MECHANISM = ApplicationRules()
