"""The firewall policy that rules for hosts stand in: private ranges passed on, a deny for each address family, the policy.

What allows the hosts is each mechanism's own; what stands around it is the same for all of them.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Generic, TypeVar

from hostgate.catalog.model import Entry
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place, Step
from hostgate.gcp import evaluate
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions
from hostgate.gcp.resources import ASSOCIATION_TYPE, POLICY_TYPE, RULE_TYPE, TYPES
from hostgate.planning.enforcement import ORDER, OWN_POLICY, Enforcement
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Mechanism, Rendering
from hostgate.planning.options import PRIVATE_IPV4, PRIVATE_IPV6

O = TypeVar("O", bound=FirewallPolicyOptions)  # noqa: E741 - the options type of a mechanism

POLICY, RULE, ASSOCIATION = POLICY_TYPE.kind, RULE_TYPE.kind, ASSOCIATION_TYPE.kind

BLOCK = Limit("rules of the block for one protocol and port", 2047, "rules", "hostgate, priority slots", "2026-11-23")
SMALL_BLOCK = Limit("rules of the block for an unusual port", 63, "rules", "hostgate, priority slots", "2026-11-23")

HTTPS_SLOT, HTTP_SLOT, OTHER_SLOT, EDGE_SLOT = 0, 2_048, 10_000, 10_000_000
"""Priorities after the user's base: tcp:443, tcp:80, then 64 for every other protocol and port, then the deny. A rule's
priority cannot change without replacing it, so a slot depends on its own protocol and port and on nothing else."""

PASS, AUDIT, DENY = 0, 5, 10
"""Priorities after EDGE_SLOT; IPv4 first, IPv6 next to it. Private ranges are passed on before the deny. Audit comes
before the deny that it takes the place of: an update makes the one before it deletes the other, and into audit a host
that leaves must not be cut between the two."""

EVERYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
_FAMILY_WORDS = {"ipv4": "IPv4", "ipv6": "IPv6"}
_PRIVATE = {"ipv4": PRIVATE_IPV4, "ipv6": PRIVATE_IPV6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allows:
    """What allows the hosts: rules and what they refer to, the rule that each entry got, remarks, and use of limits."""

    objects: tuple[CloudObject, ...]
    rules: Mapping[tuple[str, str], str]
    findings: tuple[Finding, ...] = ()
    usage: tuple[Usage, ...] = ()


class FirewallPolicyMechanism(Mechanism[O], Generic[O]):
    """Base of the mechanisms whose rules stand in a global network firewall policy."""

    types = TYPES
    precondition = ""
    """What else an attached policy's network must have, as a sentence goes on after the list of the others."""

    @abstractmethod
    def allows(self, entries: Sequence[Entry], options: O) -> Allows:
        """What allows `entries`, by rules with priorities of `slot`."""

    def render(self, entries: Sequence[Entry], options: O) -> Rendering:
        found = self.allows(entries, options)
        rules = [each for each in found.objects if each.kind == RULE]
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
            usage=_fullest(found.usage),
        )

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: O) -> Mapping[str, Any]:
        project = {} if options.in_project is None else {"project": options.in_project}
        if each.kind == POLICY:
            return project
        return {**super().fixed(each, objects, options), **project}

    def enforcement(self, options: O) -> Enforcement:
        """As the rules themselves say it; a deny that is declared is one of both families, for everybody."""
        stated = super().enforcement(options)
        denies = [each.body for each in _edges(options) if each.body["action"] == "deny"]
        denied = {cidr for body in denies for cidr in body["match"]["destIpRanges"]}
        targets = {name for body in denies for name in body.get("targetServiceAccounts", ())}
        targets |= {tag["name"] for body in denies for tag in body.get("targetSecureTags", ())}
        return replace(
            stated,
            traffic=tuple(word for family, word in _FAMILY_WORDS.items() if not denies or EVERYWHERE[family] in denied),
            places=(f"policy {options.policy_path}",)
            if options.attach is not None
            else (OWN_POLICY, *(f"network {each}" for each in options.network_paths)),
            judged=tuple(sorted(targets)),
            # Of both families: where one is not denied, all of it passes.
            exempt=(*PRIVATE_IPV4, *PRIVATE_IPV6) if options.deny == "internet" else (),
            safeguards={ORDER: str(options.base)} if options.attach is not None else {},
        )

    def place(self, objects: Sequence[CloudObject], options: O) -> Place:
        tokens = {row.kind: token for token, row in self.types.items()}
        resources = tuple(
            Resource(urn=f"plan::{each.name}", type=tokens[each.kind], name=each.name, properties=each.body)
            for each in objects
            if each.kind not in (POLICY, ASSOCIATION)
        )
        identities = [f"account:{each}" for each in options.service_accounts]
        identities += [f"tag:{each}" for each in options.secure_tags]
        clients = ClientTest(identities=frozenset(identities) or None)
        return evaluate.policy_place(self.target, Snapshot(resources, "the plan"), _ending(options), clients)

    def _remarks(self, entries: Sequence[Entry], options: O) -> list[Finding]:
        found = []
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
                    f"Everything else is cut{whose}: {what}DNS to own resolvers on public addresses, Google APIs by public or "
                    "private VIP (199.36.153.4/30, 199.36.153.8/30). DNS, NTP and metadata of the platform (169.254.169.254) "
                    "are not.",
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
                f" No rule of its own after priority {options.base + EDGE_SLOT} is about {whom} any more."
                if denies
                else ""
            )
            found.append(
                finding(
                    "attached-policy",
                    f"{options.attach} needs: an association with the network, no broader allow before priority "
                    f"{options.base}, no VPC firewall rule that allows egress (they come first), "
                    f"{'' if self.precondition else 'and '}no other rule on these priorities{self.precondition}.{last}",
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


def _edges(options: FirewallPolicyOptions) -> list[CloudObject]:
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
                _edge(options, f"audit-{family}", AUDIT + offset, "allow", [EVERYWHERE[family]], "AUDIT, allows all")
            )
        else:
            found.append(
                _edge(options, f"deny-{family}", DENY + offset, "deny", [EVERYWHERE[family]], "all else is denied")
            )
    return found


def _edge(
    options: FirewallPolicyOptions, suffix: str, offset: int, action: str, ranges: Sequence[str], words: str
) -> CloudObject:
    name = f"{options.name}-{suffix}"
    match = {"destIpRanges": list(ranges), "layer4Configs": [{"ipProtocol": "all"}]}
    body = rule(options, name, options.base + EDGE_SLOT + offset, action, f"hostgate: {words}", match)
    if action != "goto_next":  # logging is refused on goto_next
        body["enableLogging"] = True
    return CloudObject(kind=RULE, name=name, body=body)


def _policy(options: FirewallPolicyOptions) -> CloudObject:
    body = {"name": options.name, "description": "hostgate: egress to the hosts of reviewed catalogs"}
    return CloudObject(kind=POLICY, name=options.name, body=body, folder="policy")


def _associations(options: FirewallPolicyOptions) -> list[CloudObject]:
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


def _fullest(usage: Sequence[Usage]) -> tuple[Usage, ...]:
    fullest: dict[str, Usage] = {}
    for each in usage:
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
