"""The firewall policy that rules for hosts stand in: its rule collection groups, what comes after every allow, the policy.

What allows the hosts is each mechanism's own; what stands around it is the same for all of them.
"""

import itertools
import json
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from hostgate.azure import evaluate
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions, is_group
from hostgate.azure.resources import GROUP_BYTES, GROUP_TYPE, IP_GROUP_TYPE, LAST_PRIORITY, POLICY_TYPE, TYPES
from hostgate.azure.rule_steps import address
from hostgate.catalog.hosts import is_public_suffix
from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import EVERY_IPV4, union
from hostgate.flows.nodes import Node
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import EVERY_CLIENT, ClientTest, Place
from hostgate.planning.breadth import too_broad
from hostgate.planning.enforcement import ORDER, AuditOpening, Enforcement
from hostgate.planning.findings import Finding, finding
from hostgate.planning.grants import shared, told
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Mechanism, Rendering, Seat
from hostgate.planning.options import Options
from hostgate.planning.sharding import Shard
from hostgate.planning.targets import COMPUTED, is_computed

O = TypeVar("O", bound=FirewallPolicyOptions)  # noqa: E741 - the options type of a mechanism

POLICY, GROUP, IP_GROUP = POLICY_TYPE.kind, GROUP_TYPE.kind, IP_GROUP_TYPE.kind
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

Rules = list[tuple[dict[str, Any], list[Entry]]]
"""Rules, each with the entries that it allows."""


class FirewallPolicyMechanism(Mechanism[O], Generic[O]):
    """Base of the mechanisms whose rules stand in a firewall policy."""

    types = TYPES
    several = True
    suffix = ""
    """Behind the stem in the names of the rule collection groups, so that those of two mechanisms may be in one policy."""

    @abstractmethod
    def allowing(self) -> Sequence[tuple[str, int, Callable[[Sequence[Entry], O], Rules]]]:
        """Collections that allow the hosts, each one for every grant: their name, the priority of the first, and the rules
        for entries."""

    def parts(self, entries: Sequence[Entry]) -> tuple[Shard[Entry], ...]:
        """The entries of each rule collection group."""
        return (Shard("", tuple(entries)),) if entries else ()

    def around(self, entries: Sequence[Entry], options: O) -> Sequence[CloudObject]:  # noqa: ARG002
        """What the rules refer to, and is made before them."""
        return ()

    def looks_up(self, entry: Entry) -> bool:  # noqa: ARG002
        """Whether the firewall looks the name of `entry` up, for which it needs its DNS proxy."""
        return False

    def web_ports(self, entries: Sequence[Entry]) -> frozenset[int]:  # noqa: ARG002
        """Ports at which application rules decide, which an audit leaves to them."""
        return frozenset()

    def render(self, entries: Sequence[Entry], options: O) -> Rendering:
        where: dict[tuple[str, str], str] = {}
        parts = self.parts(entries)
        if not parts:
            parts = (Shard("", ()),) if options.mode == "audit" or options.deny == "all" else ()
        last = max((part.slot for part in parts), default=0)
        groups = [
            self._group(options, part, where, self._tail(entries, options) if part.slot == last else [])
            for part in parts
        ]
        around = self.around(entries, options)
        policy = [self._policy(options, entries)] if options.attach is None else []
        usage = (
            Usage(GROUP_BYTES, max((len(json.dumps(each.body)) for each in groups), default=0)),
            *(Usage(limit, len(groups)) for limit in (GROUPS, GROUPS_OF_ANY)),
            Usage(LAST_PRIORITY, max((each.body["properties"]["priority"] for each in groups), default=0)),
        )
        return Rendering(
            objects=(*around, *policy, *groups),
            rules=where,
            findings=tuple(told(entries, options, self.remarks)),
            usage=usage,
        )

    def enforcement(self, options: O) -> Enforcement:
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

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: O) -> Mapping[str, Any]:
        """Names in the cloud too, which are the plan's; a group of rules keeps its own for as long as it has its policy."""
        ours = {"name": options.stem} if options.attach is None or each.kind == IP_GROUP else {}
        return {**super().fixed(each, objects, options), **ours}

    def seats(self, objects: Sequence[CloudObject], options: O) -> Sequence[Seat]:
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

    def place(self, objects: Sequence[CloudObject], options: O) -> Place:
        return self.place_with(objects, options, ())

    def place_with(
        self, objects: Sequence[CloudObject], options: O, others: Sequence[tuple[str, Sequence[CloudObject], Options]]
    ) -> Place:
        beside = (each for target, theirs, other in others for each in _resources(theirs, other, target))
        held = [*_resources(objects, options), *beside]
        snapshot = Snapshot(tuple(held), "the plan")
        groups = [each for each in held if each.type == GROUP_TYPE.token]
        clients = self.clients(options, snapshot) if options.from_ else ClientTest(addresses=EVERY_IPV4)
        place = evaluate.group_place(groups, snapshot, clients)
        policies = [Node(each.body["properties"]) for each in objects if each.kind == POLICY]
        before = (said for policy in policies for said in evaluate.before_the_rules(policy, "the policy"))
        outside = f"No other rule of {options.attach}, or of a policy above it, decides about these flows first."
        more = [] if options.attach is None else [outside]
        return replace(place, target=self.target, assumptions=(*place.assumptions, *before, *more))

    def _group(
        self, options: O, part: Shard[Entry], where: dict[tuple[str, str], str], tail: Sequence[dict[str, Any]]
    ) -> CloudObject:
        name = f"{options.stem}{self.suffix}{f'-{part.label}' if part.label else ''}"
        collections: list[dict[str, Any]] = []
        shares = shared(part.items, options)
        for kind, first, rules in self.allowing():
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

    def _tail(self, entries: Sequence[Entry], options: O) -> list[dict[str, Any]]:
        """What comes after every allow. Only the group with the last priority has it: in an earlier one it would decide
        before the hosts of later groups."""
        if options.mode == "audit":
            return _audit_collections(sorted(self.web_ports(entries)), options)
        if options.deny == "all":
            everything = application_rule("everything", [("Https", 443), ("Http", 80)], ["*"], options)
            return [_collection("deny-everything", DENY_PRIORITY, "Deny", [everything])]
        return []

    def _policy(self, options: O, entries: Sequence[Entry]) -> CloudObject:
        properties: dict[str, Any] = {"sku": {"tier": options.tier}, "threatIntelMode": options.threat_intel_mode}
        if (known := options.threat_intel_allowlist) is not None:
            listed = {"fqdns": sorted(known.fqdns), "ipAddresses": sorted(known.ip_addresses)}
            properties["threatIntelWhitelist"] = {key: each for key, each in listed.items() if each}
        if options.intrusion_detection is not None:
            properties["intrusionDetection"] = {"mode": options.intrusion_detection}
        proxied = options.dns_proxy
        if proxied is None and any(map(self.looks_up, entries)):
            proxied = True
        if proxied is not None or options.dns_servers:
            servers = {"servers": list(options.dns_servers)} if options.dns_servers else {}
            properties["dnsSettings"] = {"enableProxy": bool(proxied), **servers}
        body: dict[str, Any] = {
            "type": POLICY,
            "apiVersion": API_VERSION,
            "name": options.stem,
            "properties": properties,
        }
        return CloudObject(kind=POLICY, name=f"{options.stem}-policy", body=placed(body, options, options.tags))

    def remarks(self, entries: Sequence[Entry], options: O) -> list[Finding]:
        """What there is to say of the rules of one grant."""
        found = []
        if not options.from_:
            found.append(
                finding("from-everything", "Everything that is routed through the firewall may use the hosts.")
            )
        if any(map(self.looks_up, entries)):
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
                finding(
                    "safeguard-exempt", f"threatIntelAllowlist holds {wide}: threat intelligence is not about that."
                )
            )
        if options.mode == "audit":
            blocked = "; TLS without SNI on web ports stays blocked" if self.web_ports(entries) else ""
            found.append(finding("audit", f"Collections named audit allow everything else and log it{blocked}."))
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
                    f"{options.attach} needs: {whose}no broad network allow on the same ports in any group (it comes first "
                    "whatever its priority), no network deny of them, no other group on priority "
                    f"{options.base}, and nobody else updating it.",
                )
            )
        return found

    def clients(self, options: O, snapshot: Snapshot) -> ClientTest:
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


def application_rule(
    name: str, protocols: Sequence[tuple[str, int]], fqdns: Sequence[str], options: FirewallPolicyOptions
) -> dict[str, Any]:
    return {
        "ruleType": "ApplicationRule",
        "name": name,
        **options.sources,
        "protocols": [{"protocolType": kind, "port": port} for kind, port in protocols],
        "targetFqdns": list(fqdns),
    }


def ip_group_id(options: FirewallPolicyOptions, name: str) -> str:
    """The id of an IP group that is made beside the policy, as far as it is known before."""
    group, _ = options.policy
    return f"/subscriptions/{options.subscription or COMPUTED}/resourceGroups/{group or COMPUTED}/providers/{IP_GROUP}/{name}"


def placed(body: dict[str, Any], options: FirewallPolicyOptions, tags: Mapping[str, str]) -> dict[str, Any]:
    """The body of a resource of its own, with location and tags where there are any."""
    where = {"location": options.location} if options.location else {}
    return {**body, **where, **({"tags": dict(sorted(tags.items()))} if tags else {})}


def _resources(objects: Sequence[CloudObject], options: Options, whose: str = "") -> Iterator[Resource]:
    """The rule collection groups of a plan, and the IP groups that they refer to, as what stands."""
    for each in objects:
        row = next((row for row in (GROUP_TYPE, IP_GROUP_TYPE) if row.kind == each.kind), None)
        if row is not None:
            assert isinstance(options, FirewallPolicyOptions)
            yield Resource(
                urn=f"plan::{whose}{each.kind}::{each.name}", type=row.token, name=each.name,
                properties=row.from_body(each.body), id=ip_group_id(options, each.name) if each.kind == IP_GROUP else "",
            )  # fmt: skip


def _audit_collections(kept: Sequence[int], options: FirewallPolicyOptions) -> list[dict[str, Any]]:
    """Everything that the rules above do not allow, allowed and logged under its own names.

    Network collections come first, so the ports of application rules (`kept`) are left out of them: a network rule on 443
    would hide which names the application rules would have blocked.
    """
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
    found = [_collection("audit-network", AUDIT_NETWORK_PRIORITY, "Allow", network)]
    if web:
        everything = application_rule("audit-web", web, ["*"], options)
        found.append(_collection("audit-application", AUDIT_PRIORITY, "Allow", [everything]))
    return found


def _collection(name: str, priority: int, action: str, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": name,
        "priority": priority,
        "action": {"type": action},
        "rules": list(rules),
    }
