"""gcp:fqdn: firewall policy rules with FQDN objects, private ranges passed on, and a deny for each address family.

Google's control plane resolves the names: a rule matches addresses, so a name with the same address passes too, and a
name without an answer matches nothing (Cloud NGFW, FQDN objects overview).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place, Step
from hostgate.gcp import evaluate
from hostgate.gcp.fqdn_options import FqdnPolicyOptions
from hostgate.gcp.resources import ASSOCIATION_TYPE, FQDNS, POLICY_TYPE, RULE_TYPE, TYPES
from hostgate.planning.enforcement import ORDER, OWN_POLICY, Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.lookup import Lookup
from hostgate.planning.mechanism import CloudObject, Means, Mechanism, Rendering
from hostgate.planning.options import PRIVATE_IPV4, PRIVATE_IPV6
from hostgate.planning.sharding import Shard, shard

POLICY, RULE, ASSOCIATION = POLICY_TYPE.kind, RULE_TYPE.kind, ASSOCIATION_TYPE.kind

BLOCK = Limit("rules of the block for one protocol and port", 2047, "rules", "hostgate, priority slots", "2026-11-23")
SMALL_BLOCK = Limit("rules of the block for an unusual port", 63, "rules", "hostgate, priority slots", "2026-11-23")

OVERVIEW = "Cloud NGFW, FQDN objects overview"

LOOKUP = Lookup(
    refresh_s=300,  # no period is published; the advice against TTLs under 90 s suggests a shorter one
    published=False,
    keep_s=0,
    cap=32,
    least_ttl_s=90,
    source="Cloud NGFW, FQDN objects overview (32 addresses); TTL advice as validated by a published walk-through, 2026-02",
    date="2026-11-23",
)

HTTPS_SLOT, HTTP_SLOT, OTHER_SLOT, EDGE_SLOT = 0, 2_048, 10_000, 10_000_000
"""Priorities after the user's base: tcp:443, tcp:80, then 64 for every other protocol and port, then the deny. A rule's
priority cannot change without replacing it, so a slot depends on its own protocol and port and on nothing else."""

PASS, AUDIT, DENY = 0, 5, 10
"""Priorities after EDGE_SLOT; IPv4 first, IPv6 next to it. Private ranges are passed on before the deny. Audit comes
before the deny that it takes the place of: an update makes the one before it deletes the other, and into audit a host
that leaves must not be cut between the two."""

_EVERYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
_FAMILY_WORDS = {"ipv4": "IPv4", "ipv6": "IPv6"}
_PRIVATE = {"ipv4": PRIVATE_IPV4, "ipv6": PRIVATE_IPV6}
# Most Google domains have highly variable answers, googleapis.com for one (Cloud NGFW, FQDN objects, as validated by two
# published walk-throughs, 2026-02); the other three are Google's own too.
_GOOGLE = ("googleapis.com", "google.com", "gstatic.com", "googleusercontent.com")
_WILDCARD = (
    "list the names that are needed as exact entries; a subtree needs a mechanism that sees names, as on AWS or Azure."
)


class Fqdn(Mechanism[FqdnPolicyOptions]):
    """FQDN objects in a global network firewall policy."""

    target = "gcp:fqdn"
    types = TYPES
    title = "Cloud NGFW FQDN objects"
    options = FqdnPolicyOptions
    limits = (FQDNS, BLOCK, SMALL_BLOCK)
    means = (
        Means(
            name="FQDN objects",
            protocols=frozenset({"https", "http", "tls", "tcp", "udp"}),
            sight="address-and-port",
            ttl_family="own-lookup",
            evidence=Evidence("documented", OVERVIEW, "2026-11-27"),
            needs=(
                Claim(
                    "a VPC network without an outbound DNS server policy that names an alternative name server",
                    OVERVIEW,
                    "2026-11-27",
                ),
                Claim(
                    "no VPC firewall rule that allows egress, or network policies that are judged before VPC rules",
                    "Cloud NGFW, firewall policy rule evaluation order",
                    "2026-11-23",
                ),
            ),
            opens=(Claim("every other name on the addresses of the host, at its port", OVERVIEW, "2026-11-23"),),
            costs=(
                Claim(
                    "1 unit for each GB of internet traffic, in and out, that a rule with FQDN objects judges",
                    "Cloud NGFW pricing, Standard",
                    "2026-11-23",
                ),
            ),
            kinds=frozenset({"exact"}),
            nearest={"one-label": _WILDCARD, "subtree": _WILDCARD, "subtree+apex": _WILDCARD},
            lookup=LOOKUP,
        ),
    )

    def render(self, entries: Sequence[Entry], options: FqdnPolicyOptions) -> Rendering:
        objects: list[CloudObject] = []
        where: dict[tuple[str, str], str] = {}
        usage = [Usage(FQDNS, 0), Usage(BLOCK, 0), Usage(SMALL_BLOCK, 0)]
        ports: dict[tuple[str, int], dict[str, list[Entry]]] = {}
        for entry in entries:
            ports.setdefault((entry.transport, entry.port), {}).setdefault(entry.host, []).append(entry)
        for (transport, port), hosts in sorted(ports.items()):
            for part in shard(sorted(hosts), key=str, weights=lambda _: (1,), capacities=(FQDNS.max,)):
                rule = _allow(options, transport, port, part)
                objects.append(rule)
                where.update({entry.key: rule.name for host in part.items for entry in hosts[host]})
                block = BLOCK if transport == "tcp" and port in (443, 80) else SMALL_BLOCK
                usage.append(Usage(FQDNS, len(part.items)))
                usage.append(Usage(block, part.slot + 1))
        objects += _edges(options)
        objects.sort(key=lambda each: int(each.body["priority"]))
        if options.attach is None:
            objects.insert(0, _policy(options))
            objects += _associations(options)
        return Rendering(
            objects=tuple(objects), rules=where, findings=tuple(_remarks(entries, options)), usage=_fullest(usage)
        )

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: FqdnPolicyOptions) -> Mapping[str, Any]:
        project = {} if options.in_project is None else {"project": options.in_project}
        if each.kind == POLICY:
            return project
        return {**super().fixed(each, objects, options), **project}

    def enforcement(self, options: FqdnPolicyOptions) -> Enforcement:
        """As the rules themselves say it; a deny that is declared is one of both families, for everybody."""
        stated = super().enforcement(options)
        denies = [each.body for each in _edges(options) if each.body["action"] == "deny"]
        denied = {cidr for body in denies for cidr in body["match"]["destIpRanges"]}
        targets = {name for body in denies for name in body.get("targetServiceAccounts", ())}
        targets |= {tag["name"] for body in denies for tag in body.get("targetSecureTags", ())}
        return replace(
            stated,
            traffic=tuple(
                word for family, word in _FAMILY_WORDS.items() if not denies or _EVERYWHERE[family] in denied
            ),
            places=(f"policy {options.policy_path}",)
            if options.attach is not None
            else (OWN_POLICY, *(f"network {each}" for each in options.network_paths)),
            judged=tuple(sorted(targets)),
            # Of both families: where one is not denied, all of it passes.
            exempt=(*PRIVATE_IPV4, *PRIVATE_IPV6) if options.deny == "internet" else (),
            safeguards={ORDER: str(options.base)} if options.attach is not None else {},
        )

    def place(self, objects: Sequence[CloudObject], options: FqdnPolicyOptions) -> Place:
        rules = tuple(
            Resource(urn=f"plan::{each.name}", type=RULE_TYPE.token, name=each.name, properties=each.body)
            for each in objects
            if each.kind == RULE
        )
        identities = [f"account:{each}" for each in options.service_accounts]
        identities += [f"tag:{each}" for each in options.secure_tags]
        clients = ClientTest(identities=frozenset(identities) or None)
        return evaluate.policy_place(Snapshot(rules, "the plan"), _ending(options), clients)


def _slot(transport: str, port: int) -> int:
    if transport == "tcp" and port == 443:
        return HTTPS_SLOT
    if transport == "tcp" and port == 80:
        return HTTP_SLOT
    return OTHER_SLOT + (port + (65_536 if transport == "udp" else 0)) * 64


def _allow(options: FqdnPolicyOptions, transport: str, port: int, part: Shard[str]) -> CloudObject:
    label = f"-{part.label}" if part.label else ""
    name = f"{options.name}-allow-{transport}-{port}{label}"
    body = _rule(
        options, name, options.base + _slot(transport, port) + part.slot, "allow", "hostgate: hosts of the catalog",
        {"destFqdns": list(part.items), "layer4Configs": [{"ipProtocol": transport, "ports": [str(port)]}]},
    )  # fmt: skip
    return CloudObject(kind=RULE, name=name, body=body)


def _edges(options: FqdnPolicyOptions) -> list[CloudObject]:
    """Private ranges passed on, then everything else denied; in audit mode allowed and logged, last and marked."""
    if options.deny not in ("internet", "all"):
        return []
    found = []
    for offset, family in enumerate(("ipv4", "ipv6")):
        if family not in options.families:
            continue
        if options.deny == "internet":
            found.append(
                _edge(options, f"private-{family}", PASS + offset, "goto_next", _PRIVATE[family], "private passes on")
            )
        if options.mode == "audit":
            found.append(
                _edge(options, f"audit-{family}", AUDIT + offset, "allow", [_EVERYWHERE[family]], "AUDIT, allows all")
            )
        else:
            found.append(
                _edge(options, f"deny-{family}", DENY + offset, "deny", [_EVERYWHERE[family]], "all else is denied")
            )
    return found


def _edge(
    options: FqdnPolicyOptions, suffix: str, slot: int, action: str, ranges: Sequence[str], words: str
) -> CloudObject:
    name = f"{options.name}-{suffix}"
    match = {"destIpRanges": list(ranges), "layer4Configs": [{"ipProtocol": "all"}]}
    body = _rule(options, name, options.base + EDGE_SLOT + slot, action, f"hostgate: {words}", match)
    if action != "goto_next":  # logging is refused on goto_next
        body["enableLogging"] = True
    return CloudObject(kind=RULE, name=name, body=body)


def _rule(
    options: FqdnPolicyOptions, name: str, priority: int, action: str, description: str, match: dict[str, Any]
) -> dict[str, Any]:
    """A rule, about the clients of `from`: one without targets is about every instance of every associated network, so
    that a deny of ours would cut those whom `from` does not name, and a pass or an audit rule would free them."""
    body: dict[str, Any] = {
        "ruleName": name,
        "description": description,
        "priority": priority,
        "direction": "EGRESS",
        "action": action,
        "match": match,
    }
    if options.service_accounts:
        body["targetServiceAccounts"] = options.service_accounts
    if options.secure_tags:
        body["targetSecureTags"] = [{"name": tag} for tag in options.secure_tags]
    return body


def _policy(options: FqdnPolicyOptions) -> CloudObject:
    body = {"name": options.name, "description": "hostgate: egress to the hosts of reviewed catalogs"}
    return CloudObject(kind=POLICY, name=options.name, body=body, folder="policy")


def _associations(options: FqdnPolicyOptions) -> list[CloudObject]:
    """The policy's associations, each named after its network."""
    labels = [_label(network) for network in options.networks]
    found = []
    for network, link, label in zip(options.networks, options.network_links, labels, strict=True):
        target = network
        if link is None:
            target = label
            if labels.count(label) > 1:  # an Output is called network-0, which may be the name of a network beside it
                label = f"{label}-{_digest(network)}"
        elif link.project is None:
            target = link.path(options.in_project) or network
        name = f"{options.name}-{label}"
        body = {"name": name, "attachmentTarget": target}
        found.append(CloudObject(kind=ASSOCIATION, name=name, body=body, folder="policy"))
    return found


def _label(network: str) -> str:
    last = network.rpartition("/")[2]
    if len(last) > 32:  # a name has 63 characters at most, and 30 of them may be the user's
        return f"{last[:25]}-{_digest(network)}"
    return last


def _digest(network: str) -> str:
    return sha256(network.encode()).hexdigest()[:6]


def _remarks(entries: Sequence[Entry], options: FqdnPolicyOptions) -> list[Finding]:
    found = [
        finding("google-name", f"{entry.host} answers with highly variable addresses.", entry)
        for entry in entries
        if any(entry.host == name or entry.host.endswith(f".{name}") for name in _GOOGLE)
    ]
    if any(entry.protocol == "https" for entry in entries):
        found.append(finding("quic-closed", "UDP 443 stays closed; clients fall back to TLS over TCP."))
    denies = options.deny in ("internet", "all")
    if not options.from_:
        found.append(finding("from-everything", "Every instance of the network may use the hosts."))
    elif denies:
        others = (
            "VPC networks allow egress by default"
            if options.attach is None
            else "what else stands in the attached policy decides about them"
        )
        found.append(
            finding(
                "others-open",
                f"Instances that `from` does not name are not judged by any rule of this plan, its deny included: {others}.",
            )
        )
    if options.mode == "audit":
        found.append(finding("audit", "The last rules allow everything and log it."))
    if options.deny == "none":
        found.append(finding("deny-none", "VPC networks allow egress by default; the allow rules change nothing."))
    if options.deny == "declared":
        found.append(
            finding("deny-declared", "A deny of 0.0.0.0/0 and ::/0 after these rules is said to exist elsewhere.")
        )
    if denies:
        what = "private ranges too, " if options.deny == "all" else ""
        whose = " for the clients under `from`" if options.from_ else ""
        found.append(
            finding(
                "deny-cuts",
                f"Everything else is cut{whose}: {what}DNS to own resolvers on public addresses, Google APIs by public or private "
                "VIP (199.36.153.4/30, 199.36.153.8/30). DNS, NTP and metadata of the platform (169.254.169.254) are not.",
            )
        )
        missing = [family for family in ("ipv4", "ipv6") if family not in options.families]
        if missing:
            found.append(
                finding("ipv6-not-denied", f"{' and '.join(missing)} is left out of `families` and is not denied.")
            )
    if options.attach is not None:
        whom = "the clients under `from`" if options.from_ else "every instance of its networks"
        last = (
            f" No rule of its own after priority {options.base + EDGE_SLOT} is about {whom} any more." if denies else ""
        )
        found.append(
            finding(
                "attached-policy",
                f"{options.attach} needs: an association with the network, no broader allow before priority {options.base}, "
                "no VPC firewall rule that allows egress (they come first), no other rule on these priorities, and no outbound "
                f"DNS server policy with an alternative name server in the VPC.{last}",
            )
        )
    elif not options.networks:
        found.append(
            finding(
                "not-enforced",
                "No `networks` are named: the new policy is associated with none, and no instance is judged by it.",
            )
        )
    return found


def _fullest(usage: Sequence[Usage]) -> tuple[Usage, ...]:
    fullest: dict[str, Usage] = {}
    for each in usage:
        if each.limit.name not in fullest or each.used > fullest[each.limit.name].used:
            fullest[each.limit.name] = each
    return tuple(fullest.values())


def _ending(options: FqdnPolicyOptions) -> Step:
    """What becomes of a flow that no rule of the plan decides."""
    if options.deny != "declared":
        return evaluate.ALLOWED
    if options.mode == "audit":
        return replace(evaluate.ALLOWED, why="no rule matches; in audit mode the declared deny must only log")
    return replace(evaluate.ALLOWED, action="block", why="no rule matches; the deny is declared to exist elsewhere")


MECHANISM = Fqdn()
