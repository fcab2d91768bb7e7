"""The firewall policy that rules for hosts stand in: private ranges passed on, a deny for each address family, the policy.

What allows the hosts is each mechanism's own; what stands around it is the same for all of them.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Generic, TypeVar

from hostgate.catalog.model import Entry, Family
from hostgate.flows.address_sets import EVERY_ADDRESS, networks
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place, Step
from hostgate.gcp import evaluate
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions, is_placeholder
from hostgate.gcp.resources import ASSOCIATION_TYPE, POLICY_TYPE, RULE_TYPE, SCOPES, TYPES
from hostgate.gcp.rule_steps import network_path
from hostgate.planning.enforcement import ORDER, OWN_POLICY, Enforcement
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Mechanism, Rendering, Seat
from hostgate.planning.options import PRIVATE_IPV4, PRIVATE_IPV6
from hostgate.planning.resource_types import ResourceType, fixed_by_row
from hostgate.planning.targets import row

O = TypeVar("O", bound=FirewallPolicyOptions)  # noqa: E741 - the options type of a mechanism

POLICY, RULE, ASSOCIATION = POLICY_TYPE.kind, RULE_TYPE.kind, ASSOCIATION_TYPE.kind

BLOCK = Limit("rules of the block for one protocol and port", 2047, "rules", "hostgate, priority slots", "2026-11-23")
SMALL_BLOCK = Limit("rules of the block for an unusual port", 63, "rules", "hostgate, priority slots", "2026-11-23")

HTTPS_SLOT, HTTP_SLOT, GOOGLE_SLOT, OTHER_SLOT, EDGE_SLOT = 0, 2_048, 4_096, 10_000, 10_000_000
"""Priorities after the user's base: tcp:443, tcp:80, Google's APIs by address, then 64 for every other protocol and port,
then the deny. A rule's priority cannot change without replacing it, so a slot depends on its own protocol and port and on
nothing else."""

PASS, AUDIT, DENY = 0, 5, 10
"""Priorities after EDGE_SLOT; IPv4 first, IPv6 next to it. Private ranges are passed on before the deny. Audit comes
before the deny that it takes the place of: an update makes the one before it deletes the other, and into audit a host
that leaves must not be cut between the two."""

EVERYWHERE: Mapping[Family, str] = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
_FAMILY_WORDS: Mapping[Family, str] = {"ipv4": "IPv4", "ipv6": "IPv6"}
_PRIVATE: Mapping[Family, tuple[str, ...]] = {"ipv4": PRIVATE_IPV4, "ipv6": PRIVATE_IPV6}


_MOVE = (
    "A network has one, and the provider cannot put another in its place. To rename, keep what there is with `formerly` (in a "
    "component with an alias). To move it to another policy: update without `networks` first, so that the new policy is whole; "
    "put it in place with `gcloud compute network-firewall-policies associations create --replace-association-on-target`; then "
    "`pulumi refresh`, and name `networks` again, with `import_` in a component."
)
"""The API's addAssociation takes replaceExistingAssociation; the provider sends it for hierarchical policies only
(magic-modules 068cc456, NetworkFirewallPolicyAssociation; read 2026-11-28)."""

_BASE = (
    "An update makes the new rules before it deletes the old. Take a `base` that is 12 or more away from the old one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allows:
    """What allows the hosts: rules and what they refer to, the rule that each entry got, remarks, and use of limits."""

    objects: tuple[CloudObject, ...]
    rules: Mapping[tuple[str, str], str]
    findings: tuple[Finding, ...] = ()
    usage: tuple[Usage, ...] = ()


class FirewallPolicyMechanism(Mechanism[O], Generic[O]):
    """Base of the mechanisms whose rules stand in a firewall policy."""

    types = TYPES
    precondition = ""
    """What else an attached policy's network must have, as a sentence goes on after the list of the others."""

    @abstractmethod
    def allows(self, entries: Sequence[Entry], options: O) -> Allows:
        """What allows `entries`, by rules with priorities of `slot`."""

    def render(self, entries: Sequence[Entry], options: O) -> Rendering:
        found = self.allows(entries, options)
        rules = [made for each in found.objects if each.kind == RULE for made in _of_sources(each, options)]
        rules += _edges(options)
        rules.sort(key=lambda each: int(each.body["priority"]))
        objects = [*(each for each in found.objects if each.kind != RULE), *rules]
        if options.attach is None:
            objects.insert(0, _policy(options))
            objects += _associations(options)
        return Rendering(
            objects=tuple(objects),
            rules=found.rules,
            findings=(*found.findings, *self._remarks(entries, options)),
            usage=_fullest(found.usage, len(options.source_families) if options.source_ranges("ipv6") else 1),
        )

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: O) -> Mapping[str, Any]:  # noqa: ARG002
        project = {} if options.in_project is None else {"project": options.in_project}
        if each.kind == POLICY and options.scope == "global":
            return project
        # The node of a hierarchical policy is taken over in place.
        taken = each.kind == ASSOCIATION and options.scope == "hierarchical"
        held = {} if taken else {"the policy that holds it": options.place}
        return {**held, **fixed_by_row(self._rows(options), each.kind, each.body), **project}

    def _rows(self, options: O) -> dict[str, ResourceType]:
        """The types of its objects by kind; the types of a policy have the same kinds in every scope."""
        return {row.kind: row for row in (*self.types.values(), *SCOPES[options.scope])}

    def seats(self, objects: Sequence[CloudObject], options: O) -> Sequence[Seat]:
        """A network has one global policy, and a policy one rule of a priority. A node is taken over in place."""
        component = row(self.target).component.rpartition(":")[2]
        names = (options.name, *options.formerly_named)
        own = tuple(f"{component} {name}" for name in names)
        found = []
        if options.attach is None and options.scope == "global":
            found += [
                Seat(what=f"the global policy of {path}", holders=own, way=_MOVE) for path in options.network_paths
            ]
        policy = options.policy_path or f"the policy of {component} {names[-1]}"
        for each in objects:
            if each.kind == RULE:
                suffix = each.name.removeprefix(options.name)
                rules = tuple(f"{holder}{suffix}" for holder in own)
                found.append(Seat(what=f"priority {each.body['priority']} of {policy}", holders=rules, way=_BASE))
        return found

    def enforcement(self, options: O) -> Enforcement:
        """As the rules themselves say it; a deny that is declared is one of both families, for everybody."""
        stated = super().enforcement(options)
        denies = [each.body for each in _edges(options) if each.body["action"] == "deny"]
        denied = {cidr for body in denies for cidr in body["match"]["destIpRanges"]}
        return replace(
            stated,
            traffic=tuple(word for family, word in _FAMILY_WORDS.items() if not denies or EVERYWHERE[family] in denied),
            places=(*(() if options.attach is not None else (OWN_POLICY,)), *_where(options)),
            judged=options.clients if denies else (),
            # Of both families: where one is not denied, all of it passes.
            exempt=(*PRIVATE_IPV4, *PRIVATE_IPV6) if options.deny == "internet" else (),
            safeguards={ORDER: str(options.base)} if options.attach is not None else {},
        )

    def place(self, objects: Sequence[CloudObject], options: O) -> Place:
        rows = self._rows(options)
        resources = tuple(
            Resource(urn=f"plan::{each.name}", type=rows[each.kind].token, name=each.name, properties=each.body)
            for each in objects
            if each.kind not in (POLICY, ASSOCIATION)
        )
        identities = [f"account:{each}" for each in options.service_accounts]
        identities += [f"tag:{each}" for each in options.secure_tags]
        ranges = [*options.source_ranges("ipv4"), *options.source_ranges("ipv6")]
        clients = ClientTest(
            addresses=networks(ranges) if ranges else EVERY_ADDRESS, identities=frozenset(identities) or None
        )
        network = network_path((options.target_resources or [""])[0])
        return evaluate.policy_place(self.target, Snapshot(resources, "the plan"), _ending(options), clients, network)

    def _remarks(self, entries: Sequence[Entry], options: O) -> list[Finding]:
        found = []
        if any(entry.protocol == "https" for entry in entries):
            found.append(finding("quic-closed", "UDP 443 stays closed; clients fall back to TLS over TCP."))
        denies = options.deny in ("internet", "all")
        if not options.from_:
            found.append(finding("from-everything", f"Every instance of {_whose(options)} may use the hosts."))
        if denies and (others := _others(options)):
            found.append(
                finding(
                    "others-open",
                    f"{others} are not judged by any rule of this plan, its deny included: "
                    + (
                        "VPC networks allow egress by default."
                        if options.attach is None
                        else "what else stands in the attached policy decides about them."
                    ),
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
                    f"Everything else is cut{whose}: {what}DNS to own resolvers on public addresses, {options.google_cut}. "
                    "DNS, NTP and metadata of the platform (169.254.169.254) "
                    "are not.",
                )
            )
            missing = [family for family in ("ipv4", "ipv6") if family not in options.families]
            if missing:
                found.append(
                    finding("ipv6-not-denied", f"{' and '.join(missing)} is left out of `families` and is not denied.")
                )
            if unnamed := [each for each in options.families if each not in options.source_families]:
                said = _FAMILY_WORDS[unnamed[0]]
                found.append(
                    finding(
                        "ipv6-not-denied",
                        f"`from` has no {said} range: a client that has {said} too is not judged over it.",
                    )
                )
        above = options.scope == "hierarchical"
        first = "" if above else "no VPC firewall rule that allows egress (they come first), "
        if options.attach is not None:
            whom = "the clients under `from`" if options.from_ else "every instance of its networks"
            last = (
                f" No rule of its own after priority {options.base + EDGE_SLOT} is about {whom} any more."
                if denies
                else ""
            )
            found.append(
                finding(
                    "attached-policy",
                    f"{options.attach} needs: an association with {'a node above' if above else 'the network'}, no broader allow "
                    f"before priority {options.base}, {first}"
                    f"{'' if self.precondition else 'and '}no other rule on these priorities{self.precondition}.{last}",
                )
            )
        elif _where(options):
            before = "no hierarchical policy that allows more"
            if not above:
                before += ", no VPC firewall rule that allows egress (they come first, unless the network's "
                before += "`networkFirewallPolicyEnforcementOrder` is BEFORE_CLASSIC_FIREWALL)"
            if options.scope == "region":
                before += ", no global network policy that allows or denies more (it comes first)"
            found.append(
                finding("network-preconditions", f"Every network of the policy needs: {before}{self.precondition}.")
            )
        else:
            key = "nodes" if options.scope == "hierarchical" else "networks"
            found.append(
                finding(
                    "not-enforced",
                    f"No `{key}` are named: the new policy is associated with none, and no instance is judged by it.",
                )
            )
        return found


def slot(transport: str, port: int) -> int:
    """The first priority after the base of the rules for a protocol and port."""
    if transport == "tcp" and port == 443:
        return HTTPS_SLOT
    if transport == "tcp" and port == 80:
        return HTTP_SLOT
    return OTHER_SLOT + (port + (65_536 if transport == "udp" else 0)) * 64


def block(transport: str, port: int) -> Limit:
    """How many rules have room in the slot of a protocol and port."""
    return BLOCK if transport == "tcp" and port in (443, 80) else SMALL_BLOCK


def rule(
    options: FirewallPolicyOptions,
    name: str,
    priority: int,
    action: str,
    description: str,
    match: dict[str, Any],
) -> dict[str, Any]:
    """A rule, about the clients of `from`: one without targets is about every instance of every associated network, so
    that a deny of ours would cut those whom `from` does not name, and a pass or an audit rule would free them."""
    hierarchical = options.scope == "hierarchical"
    body: dict[str, Any] = {} if hierarchical else {"ruleName": name}  # there is none in a hierarchical policy
    body |= {
        "description": f"{name}: {description}" if hierarchical else description,
        "priority": priority,
        "direction": "EGRESS",
        "action": action,
        "match": match,
    }
    if options.service_accounts:
        body["targetServiceAccounts"] = options.service_accounts
    if options.secure_tags:
        body["targetSecureTags"] = [{"name": tag} for tag in options.secure_tags]
    if options.target_resources:
        body["targetResources"] = options.target_resources
    return body


def _of_sources(each: CloudObject, options: FirewallPolicyOptions) -> list[CloudObject]:
    """A rule that allows hosts, for each family of source ranges: those of a rule are of one, that of its own ranges if it
    has some. The second one is in the second half of its block."""
    body = dict(each.body)
    if options.log_allowed:
        body["enableLogging"] = True
    to = each.body["match"].get("destIpRanges")
    families = [family for family in _FAMILY_WORDS if to is None or (":" in to[0]) == (family == "ipv6")]
    ranges = [found for family in families if (found := options.source_ranges(family))]
    if not ranges:
        return [replace(each, body=body)]
    made = [replace(each, body={**body, "match": {**body["match"], "srcIpRanges": ranges[0]}})]
    if len(ranges) > 1:
        name = f"{each.name}-ipv6"
        named = (
            {"ruleName": name} if "ruleName" in body else {"description": body["description"].replace(each.name, name)}
        )
        size = BLOCK.max if body["priority"] - options.base < OTHER_SLOT else SMALL_BLOCK.max
        match = {**body["match"], "srcIpRanges": ranges[1]}
        second = {**body, **named, "priority": body["priority"] + (size + 1) // 2, "match": match}
        made.append(CloudObject(kind=RULE, name=name, body=second))
    return made


def _edges(options: FirewallPolicyOptions) -> list[CloudObject]:
    """Private ranges passed on, then everything else denied; in audit mode allowed and logged, last and marked."""
    if options.deny not in ("internet", "all"):
        return []
    found = []
    for offset, family in enumerate(_FAMILY_WORDS):
        if family not in options.families or family not in options.source_families:
            continue
        if options.deny == "internet":
            found.append(_edge(options, family, "private", PASS + offset, "goto_next", "private passes on"))
        if options.mode == "audit":
            found.append(_edge(options, family, "audit", AUDIT + offset, "allow", "AUDIT, allows all"))
        else:
            found.append(_edge(options, family, "deny", DENY + offset, "deny", "all else is denied"))
    return found


def _edge(
    options: FirewallPolicyOptions, family: Family, suffix: str, offset: int, action: str, words: str
) -> CloudObject:
    name = f"{options.name}-{suffix}-{family}"
    ranges = list(_PRIVATE[family]) if action == "goto_next" else [EVERYWHERE[family]]
    match: dict[str, Any] = {"destIpRanges": ranges, "layer4Configs": [{"ipProtocol": "all"}]}
    if sources := options.source_ranges(family):
        match["srcIpRanges"] = sources
    body = rule(options, name, options.base + EDGE_SLOT + offset, action, f"hostgate: {words}", match)
    if action != "goto_next" and options.log_denied:  # logging is refused on goto_next
        body["enableLogging"] = True
    return CloudObject(kind=RULE, name=name, body=body)


def _policy(options: FirewallPolicyOptions) -> CloudObject:
    named = "shortName" if options.scope == "hierarchical" else "name"
    body = {named: options.name, "description": "hostgate: egress to the hosts of reviewed catalogs"}
    return CloudObject(kind=POLICY, name=options.name, body=body, folder="policy")


def _associations(options: FirewallPolicyOptions) -> list[CloudObject]:
    """The policy's associations, each named after its network or node."""
    if options.scope == "hierarchical":
        return [_association(options, node.replace("/", "-"), node) for node in map(_named, options.nodes)]
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
        found.append(_association(options, label, target))
    return found


def _association(options: FirewallPolicyOptions, label: str, target: str) -> CloudObject:
    name = f"{options.name}-{label}"
    return CloudObject(kind=ASSOCIATION, name=name, body={"name": name, "attachmentTarget": target}, folder="policy")


def _named(node: str) -> str:
    """A node, or what stands in a plan for an Output: node-0."""
    return node.rpartition("/")[2] if is_placeholder(node) else node


def _where(options: FirewallPolicyOptions) -> list[str]:
    """Where the rules judge, in words: the policy of others, or what a new one is associated with; the networks apart that
    the rules of a hierarchical policy are about."""
    holders = [f"policy {options.policy_path}"] if options.attach is not None else options.nodes
    if options.attach is not None or options.scope == "hierarchical":
        named = [f"network {path} by {holder}" for path in options.network_paths for holder in holders]
        return named or holders
    region = f" in {options.in_region}" if options.in_region else ""
    return [f"network {each}{region}" for each in options.network_paths]


def _whose(options: FirewallPolicyOptions) -> str:
    """Whose instances are judged where `from` names none, as the end of a sentence."""
    if options.scope != "hierarchical":
        return f"the network in {options.in_region}" if options.in_region else "the network"
    return "the networks that are named" if options.networks else "every network below its nodes"


def _others(options: FirewallPolicyOptions) -> str:
    """Whom no rule of the plan is about, as the subject of a sentence; empty if nobody."""
    outside = f"instances outside {options.in_region}" if options.in_region else ""
    if options.scope == "hierarchical" and options.networks:
        outside = "instances of networks that are not named"
    others = "instances that `from` does not name" if options.from_ else ""
    said = ", and ".join(filter(None, (others, outside)))
    return said[:1].upper() + said[1:]


def _label(network: str) -> str:
    last = network.rpartition("/")[2]
    if len(last) > 32:  # a name has 63 characters at most, and 30 of them may be the user's
        return f"{last[:25]}-{_digest(network)}"
    return last


def _digest(network: str) -> str:
    return sha256(network.encode()).hexdigest()[:6]


def _fullest(usage: Sequence[Usage], rules: int) -> tuple[Usage, ...]:
    """The fullest of each limit; a block has `rules` for each that a mechanism puts there."""
    fullest: dict[str, Usage] = {}
    for each in usage:
        each = replace(each, used=each.used * rules) if each.limit in (BLOCK, SMALL_BLOCK) else each
        if each.limit.name not in fullest or each.used > fullest[each.limit.name].used:
            fullest[each.limit.name] = each
    return tuple(fullest.values())


def _ending(options: FirewallPolicyOptions) -> Step:
    """What becomes of a flow that no rule of the plan decides."""
    if options.deny != "declared":
        return evaluate.ALLOWED
    if options.mode == "audit":
        return replace(evaluate.ALLOWED, why="no rule matches; in audit mode the declared deny must only log")
    return replace(evaluate.ALLOWED, action="block", why="no rule matches; the deny is declared to exist elsewhere")
