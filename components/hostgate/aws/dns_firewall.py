"""aws:dns-firewall: Route 53 Resolver DNS Firewall lists that answer queries for the hosts, and block the rest.

A wildcard `*.x` reaches any depth, and whether it holds x itself is not documented. So a guard blocks x ahead of the
lists unless an entry allows it. The guard stands twice: one copy is updated before the lists, the other after them,
so that a wildcard that comes or goes never opens its apex between two calls.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.aws.dns_firewall_options import DnsFirewallOptions
from hostgate.aws.plan_place import of_dns_firewall
from hostgate.aws.query_kinds import (
    ASSOCIATION,
    CONFIG,
    DOMAIN_LIST,
    EVERYTHING,
    PROFILE_ASSOCIATION,
    RESOLVER_ZONES,
    RULE,
    RULE_GROUP,
    TRUST,
)
from hostgate.aws.resources_resolver import ACCOUNT_DOMAINS, ACCOUNT_LISTS, GROUP_RULES, LIST_DOMAINS, READ_ON, TYPES
from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import Entry, Match
from hostgate.flows.steps import Place
from hostgate.planning.enforcement import ORDER, OWN_POLICY, Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Means, Mechanism, Rendering, Seat
from hostgate.planning.options import Mode
from hostgate.planning.sharding import shard

_KEEP = "An update makes the new one before it deletes the old. Keep what there is with `formerly` (in a component with an alias)."

_PROTECTED = (
    "With `mutationProtection` nothing of it changes: turn that off in the same update, and on again in the next."
)

_SETTLED = (
    "The provider cannot change the priority in a Profile. Give the rule group another `name` in the same update, without "
    "`formerly`: the new one is associated before the old one goes."
)

SLOTS = Limit("priorities of one kind of list", 1_000, "priorities", "hostgate, priority slots", READ_ON)

GUARD_FIRST, GUARD_LAST, AUDIT_GUARD, ALLOW, INSIDE, AUDIT, BLOCK = 1_000, 2_000, 3_000, 4_000, 5_000, 8_000, 9_000
"""Priority of each kind of rule in the group, which is ours alone; shards of a kind follow by their own fixed number.
Audit has rules of its own, so that a change of mode is a rule that comes and one that goes, never two at once."""

WRITTEN: Mapping[Mode, tuple[int, ...]] = {
    "enforce": (GUARD_FIRST, ALLOW, INSIDE, GUARD_LAST, BLOCK),
    "audit": (AUDIT, AUDIT_GUARD, ALLOW, INSIDE),
}
"""The order in which kinds of rules, and the lists behind them, are written; each waits for those before it. The guard
stands before and after the lists that it guards, and the block comes last; on the way into audit the rule that lets
everything pass comes first, before any host leaves. What is no longer in the plan goes at the end of an update."""

PUBLIC_INSTANCE_NAMES = ("REGION.compute.amazonaws.com", "compute-1.amazonaws.com")
"""Answered by such rules as well, with private addresses; but names of the internet to everybody else, so they stay blocked
and are named (same page)."""

_ELSEWHERE = "aws:rules, which can hold the depth to one label."


class DnsFirewall(Mechanism[DnsFirewallOptions]):
    """Domain lists with one rule each in a rule group of Route 53 Resolver."""

    target = "aws:dns-firewall"
    types = TYPES
    title = "Route 53 Resolver DNS Firewall"
    auto_named = True
    options = DnsFirewallOptions
    limits = (LIST_DOMAINS, GROUP_RULES, ACCOUNT_LISTS, ACCOUNT_DOMAINS, SLOTS)
    means = (
        Means(
            name="Domain lists",
            protocols=frozenset({"https", "http", "tls", "tcp", "udp"}),
            sight="query-name",
            ttl_family="client-dns",
            evidence=Evidence("documented", "Amazon Route 53 developer guide, DNS Firewall", READ_ON),
            needs=(
                Claim(
                    "clients that ask the VPC's own resolver, and have no way to another",
                    "Amazon Route 53 developer guide, how DNS Firewall works",
                    READ_ON,
                ),
            ),
            opens=(
                Claim(
                    "every address that a client knows without asking, at every port",
                    "Amazon Route 53 developer guide, how DNS Firewall works: it filters on the domain name only",
                    "2026-11-28",
                ),
            ),
            costs=(
                Claim(
                    "1 unit for each domain name and month, and 1 unit for each million queries",
                    "a transcript of the pricing page of Amazon Route 53, 2026-09-20",
                    "2026-11-28",
                ),
            ),
            kinds=frozenset({"exact", "subtree", "subtree+apex"}),
            widenings={"one-label": "deeper-names"},
            nearest={"one-label": _ELSEWHERE},
        ),
    )

    def render(self, entries: Sequence[Entry], options: DnsFirewallOptions) -> Rendering:
        made = _Group(options)
        hosts: dict[str, set[str]] = {}
        for entry in entries:
            hosts.setdefault(entry.host, set()).update(_specs(entry))
        where = made.shards("hosts", "allow", ALLOW, "ALLOW", hosts)
        inside = _inside(options)
        guarded = {apex: (apex,) for apex in _guarded(entries, inside)}
        if options.deny != "none":
            if options.mode == "audit":
                made.shards("audit-apexes", "audit-guard", AUDIT_GUARD, "ALERT", guarded)
            else:
                made.shards("apexes-first", "guard-first", GUARD_FIRST, "BLOCK", guarded)
                made.shards("apexes-last", "guard-last", GUARD_LAST, "BLOCK", guarded)
        if inside:
            made.add("inside", "pass-inside", INSIDE, "ALLOW", [s for zone in inside for s in (zone, f"*.{zone}")])
        if options.deny in ("internet", "all"):
            if options.mode == "audit":
                made.add("audit-everything", "audit", AUDIT, "ALERT", [EVERYTHING])
            else:
                made.add("everything", "block", BLOCK, "BLOCK", [EVERYTHING])
        return Rendering(
            objects=tuple(made.objects()),
            rules={entry.key: f"{where[entry.host]}#{_specs(entry)[-1]}" for entry in entries},
            findings=tuple(_remarks(options)),
            usage=made.usage(),
        )

    def enforcement(self, options: DnsFirewallOptions) -> Enforcement:
        closed = ("queries while DNS Firewall does not answer",) if _closes(options) else ()
        return replace(
            super().enforcement(options),
            traffic=("queries", *closed),
            places=(OWN_POLICY, *_judged(options)),
            exempt=tuple(_inside(options)),
            safeguards={ORDER: str(options.base)} if _judged(options) else {},
        )

    def seats(self, objects: Sequence[CloudObject], options: DnsFirewallOptions) -> Sequence[Seat]:  # noqa: ARG002
        """A VPC or Profile has one association of a priority, a VPC one fail mode, which goes back when what set it first goes.
        The association with a Profile keeps its priority: terraform-provider-aws neither updates nor replaces it
        (route53profiles/resource_association.go, read 2026-11-28), and a Profile takes no second one of the same group."""
        holders = tuple(f"the rule group {name}" for name in (options.name, *options.formerly_named))
        what = [f"association priority {options.base} of {each}" for each in (*options.vpcs, *options.profiles)]
        if options.fail_mode != "unset":
            what += [f"the fail mode of {vpc}" for vpc in options.vpcs]
        found = [Seat(what=each, holders=holders, way=_KEEP) for each in what]
        found += [
            Seat(
                what=f"the association of {options.stem} with {profile}",
                holders=(f"priority {options.base}",),
                way=_SETTLED,
            )
            for profile in options.profiles
        ]
        if options.mutation_protection:
            place = (f"what stands at {options.base}",)
            found += [
                Seat(what=f"the protected association of {vpc}", holders=place, way=_PROTECTED) for vpc in options.vpcs
            ]
        return found

    def outside(self, kinds: Collection[str]) -> Mapping[str, str]:
        words = "Associations of other owners have to take the new rule group: until then the cloud keeps the old one."
        return (
            {RULE_GROUP: words} if RULE_GROUP in kinds and not {ASSOCIATION, PROFILE_ASSOCIATION} & set(kinds) else {}
        )

    def place(self, objects: Sequence[CloudObject], options: DnsFirewallOptions) -> Place:
        return of_dns_firewall(options, objects)


class _Group:
    """The lists and rules of one rule group, as they are added; `objects` puts them together."""

    def __init__(self, options: DnsFirewallOptions) -> None:
        self._options = options
        self._lists: list[CloudObject] = []
        self._rules: list[CloudObject] = []
        self._slots = 0

    def shards(
        self, suffix: str, rule: str, slot: int, action: str, hosts: Mapping[str, Collection[str]]
    ) -> dict[str, str]:
        """Lists of what `hosts` stand for, with a rule each; the rule of every host."""
        where: dict[str, str] = {}
        parts = shard(sorted(hosts), key=str, weights=lambda host: (len(hosts[host]),), capacities=(LIST_DOMAINS.max,))
        for part in parts:
            label = f"-{part.label}" if part.label else ""
            self._slots = max(self._slots, part.slot + 1)
            name = self.add(
                f"{suffix}{label}",
                f"{rule}{label}",
                slot + part.slot,
                action,
                [s for h in part.items for s in hosts[h]],
            )
            where.update(dict.fromkeys(part.items, name))
        return where

    def add(self, suffix: str, rule: str, priority: int, action: str, domains: Iterable[str]) -> str:
        """A list and its rule; the rule's name."""
        prefix = self._options.stem
        body: dict[str, Any] = {"Name": f"{prefix}-{suffix}", "Domains": sorted(domains)}
        if self._options.tags:
            body["Tags"] = _tags(self._options)
        self._lists.append(CloudObject(kind=DOMAIN_LIST, name=body["Name"], body=body))
        made: dict[str, Any] = {
            "Name": f"{prefix}-{rule}",
            "FirewallRuleGroupId": prefix,
            "FirewallDomainListId": body["Name"],
            "Priority": priority,
            "Action": action,
            # Whichever rule matches the name that was asked for decides; what it is an alias of is not judged again.
            "FirewallDomainRedirectionAction": TRUST,
        }
        if action == "BLOCK":
            made |= _response(self._options)
        self._rules.append(CloudObject(kind=RULE, name=made["Name"], body=made))
        return str(made["Name"])

    def objects(self) -> list[CloudObject]:
        options = self._options
        body: dict[str, Any] = {"Name": options.stem}
        if options.tags:
            body["Tags"] = _tags(options)
        group = CloudObject(kind=RULE_GROUP, name=options.stem, body=body, folder="group")
        rules = sorted(self._rules, key=lambda each: int(each.body["Priority"]))
        return [*self._lists, group, *rules, *_configs(options), *_associations(options), *_in_profiles(options)]

    def usage(self) -> tuple[Usage, ...]:
        sizes = [len(each.body["Domains"]) for each in self._lists]
        return (
            Usage(LIST_DOMAINS, max(sizes, default=0)),
            Usage(GROUP_RULES, len(self._rules)),
            Usage(ACCOUNT_LISTS, len(self._lists)),
            Usage(ACCOUNT_DOMAINS, sum(sizes)),
            Usage(SLOTS, self._slots),
        )


def _specs(entry: Entry) -> tuple[str, ...]:
    """What stands in a list for `entry`: the name, all names below it, or both."""
    match entry.match:
        case "exact":
            return (entry.host,)
        case "subtree+apex":
            return (entry.host, f"*.{entry.host}")
        case "subtree" | "one-label":  # one-label with an accepted widening only
            return (f"*.{entry.host}",)


def _guarded(entries: Sequence[Entry], inside: Iterable[str]) -> list[str]:
    """The apexes of wildcards that neither an entry nor a zone of `inside` allows."""
    allowed: dict[str, set[Match]] = {zone: {"subtree+apex"} for zone in inside}
    for entry in entries:
        # One label is here with an acceptance of deeper names only, and reaches them then.
        allowed.setdefault(entry.host, set()).add("subtree" if entry.match == "one-label" else entry.match)
    apexes = {entry.host for entry in entries if entry.match in ("subtree", "one-label")}
    return sorted(
        apex
        for apex in apexes
        if not any(holds(kind, above, apex) for above in _above(apex) for kind in allowed.get(above, ()))
    )


def _above(host: str) -> Iterable[str]:
    """`host` and every name above it: only these can hold it."""
    labels = host.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))


def _inside(options: DnsFirewallOptions) -> list[str]:
    """Zones that pass: the user's, and with a deny of ours those that the resolver answers for itself."""
    ours = RESOLVER_ZONES if options.deny == "internet" else ()
    return sorted({*ours, *options.inside})


def _response(options: DnsFirewallOptions) -> dict[str, Any]:
    if options.block_response != "OVERRIDE":
        return {"BlockResponse": options.block_response}
    return {
        "BlockResponse": "OVERRIDE",
        "BlockOverrideDomain": options.override_domain,
        "BlockOverrideDnsType": "CNAME",
        "BlockOverrideTtl": options.override_ttl,
    }


def _tags(options: DnsFirewallOptions) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(options.tags.items())]


def _configs(options: DnsFirewallOptions) -> Iterable[CloudObject]:
    if options.fail_mode == "unset":
        return
    for vpc in options.vpcs:
        body = {"ResourceId": vpc, "FirewallFailOpen": "ENABLED" if options.fail_mode == "open" else "DISABLED"}
        yield CloudObject(kind=CONFIG, name=f"{options.stem}-fail-{vpc}", body=body, folder="group")


def _associations(options: DnsFirewallOptions) -> Iterable[CloudObject]:
    for vpc in options.vpcs:
        body: dict[str, Any] = {
            "Name": f"{options.stem}-{vpc}",
            "FirewallRuleGroupId": options.stem,
            "VpcId": vpc,
            "Priority": options.base,
        }
        if options.mutation_protection:
            body["MutationProtection"] = "ENABLED"
        if options.tags:
            body["Tags"] = _tags(options)
        yield CloudObject(kind=ASSOCIATION, name=body["Name"], body=body, folder="group")


def _in_profiles(options: DnsFirewallOptions) -> Iterable[CloudObject]:
    for profile in options.profiles:
        body = {
            "Name": f"{options.stem}-{profile}",
            "ProfileId": profile,
            "ResourceArn": options.stem,
            "ResourceProperties": json.dumps({"priority": options.base}),
        }
        yield CloudObject(kind=PROFILE_ASSOCIATION, name=body["Name"], body=body, folder="group")


def _judged(options: DnsFirewallOptions) -> list[str]:
    """Where the rule group judges, in words."""
    return [*(f"VPC {vpc}" for vpc in options.vpcs), *(f"Route 53 Profile {each}" for each in options.profiles)]


def _closes(options: DnsFirewallOptions) -> bool:
    """Whether queries stop while DNS Firewall does not answer: not known of the VPCs that have a Profile."""
    return options.fail_mode == "closed" and bool(options.vpcs or not options.profiles)


def _remarks(options: DnsFirewallOptions) -> list[Finding]:
    found = [
        finding(
            "from-everything", "Every client of the resolver in an associated VPC may ask; DNS Firewall knows no other."
        )
    ]
    if options.mode == "audit":
        found.append(finding("audit", "The last rule answers everything and logs it (ALERT)."))
    if options.deny == "none":
        found.append(finding("deny-none", "The resolver answers what no rule blocks; the allow rules change nothing."))
    if options.deny == "declared":
        found.append(
            finding(
                "deny-declared",
                f"A rule group after priority {options.base} that blocks {EVERYTHING} is said to be associated with the VPC.",
            )
        )
    if options.deny in ("internet", "all"):
        kept = (
            ", those under `inside`, of instances (compute.internal, compute-1.internal, ec2.internal), localhost and reverse "
            "lookups of private addresses excepted"
            if options.deny == "internet"
            else ", of instances and reverse lookups among them"
        )
        found.append(
            finding(
                "deny-cuts",
                f"Every other query to the VPC's resolver is blocked: private zones too{kept}, AWS services and VPC endpoints "
                f"by name, the public names of instances ({', '.join(PUBLIC_INSTANCE_NAMES)}, which the resolver answers with "
                "private addresses), other reverse lookups, the NTP pool, package mirrors. Clients that ask another resolver, "
                "or use an address or DNS over HTTPS, are not seen.",
            )
        )
        if options.block_response == "NXDOMAIN":
            found.append(
                finding(
                    "nxdomain-below", "NXDOMAIN for a parent of an allowed name makes some clients give up the name."
                )
            )
    if options.fail_mode == "open":
        found.append(
            finding("fail-open", "While DNS Firewall does not answer, the VPC's resolver answers every query.")
        )
    if not _judged(options):
        found.append(
            finding(
                "not-enforced",
                "No `vpcs` or `profiles` are named: the rule group judges no query until a VPC is associated with it.",
            )
        )
    return found


MECHANISM = DnsFirewall()
