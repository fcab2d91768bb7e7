"""The firewall policy that rules for hosts stand in: private ranges passed on, a deny for each address family, the policy.

What allows the hosts is each mechanism's own; what stands around it is the same for all of them.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from hostgate.catalog.model import Entry, Family
from hostgate.flows.address_sets import EVERY_ADDRESS, networks
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place, Step
from hostgate.gcp import evaluate
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions, is_placeholder
from hostgate.gcp.resources import ASSOCIATION_TYPE, POLICY_TYPE, RULE_TYPE, SCOPES, TYPES
from hostgate.gcp.rule_steps import network_path
from hostgate.gcp.spelling import short_digest
from hostgate.planning.enforcement import ORDER, OWN_POLICY, WITHIN, AuditOpening, Enforcement, RulesInPlace
from hostgate.planning.findings import Finding, finding
from hostgate.planning.grants import crowded, shared, told
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import FAMILY_WORDS, CloudObject, Mechanism, Rendering, Seat, mechanism
from hostgate.planning.options import PRIVATE_IPV4, PRIVATE_IPV6, Options
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
_PRIVATE: Mapping[Family, tuple[str, ...]] = {"ipv4": PRIVATE_IPV4, "ipv6": PRIVATE_IPV6}


_MOVE = (
    "A network has one, and the provider cannot put another in its place. To rename, keep what there is with `formerly` (in a "
    "component with an alias). To move it to another policy: update without `networks` first, so that the new policy is whole; "
    "put it in place with `gcloud compute network-firewall-policies associations create --replace-association-on-target`; then "
    "`pulumi refresh`, and name `networks` again, with `import_` in a component."
)
"""The API's addAssociation takes replaceExistingAssociation; the provider sends it for hierarchical policies only
(magic-modules 068cc456, NetworkFirewallPolicyAssociation; read 2026-11-28)."""

_FAR = "12 or more away from the old one, or as many as a port has rules where that is more"
_BASE = f"An update makes the new rules before it deletes the old. Take a `base` that is {_FAR}."
_LEAVE = (
    f"Take another `base` in the same update, {_FAR}: every rule is then made anew for those who stay, and of the old ones the "
    "deny goes first."
)

_BASE_OF_GRANT = (
    "An update makes the new rules before it deletes the old, and grants stand 8 apart in the order of their list. Add new ones "
    "at the end; where one before them goes or is renamed, give each that stays the `base` that it has, and one with a new "
    "name another."
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
    several = True
    precondition = ""
    """What else an attached policy's network must have, as a sentence goes on after the list of the others."""
    rules_folder = ""
    """Where an export puts the rules."""
    private_slot = EDGE_SLOT
    """Priority after the base from which private ranges are passed on."""

    @abstractmethod
    def allows(self, entries: Sequence[Entry], options: O) -> Allows:
        """What allows `entries`, by rules with priorities of `slot`."""

    def render(self, entries: Sequence[Entry], options: O) -> Rendering:
        objects: list[CloudObject] = []
        rules: list[CloudObject] = []
        where: dict[tuple[str, str], str] = {}
        usage: list[Usage] = []
        for share, own in shared(entries, options):
            found = self.allows(own, share)
            rules += [made for each in found.objects if each.kind == RULE for made in _of_sources(each, share)]
            objects += [each for each in found.objects if each.kind != RULE]
            where.update(found.rules)
            usage += _fullest(found.usage, len(share.source_families) if share.source_ranges("ipv6") else 1)
        rules += _all_edges(options, self.private_slot)
        rules = [replace(each, folder=self.rules_folder) for each in rules]
        rules.sort(key=lambda each: int(each.body["priority"]))
        objects += [*self.around(entries, options), *rules]
        if options.attach is None:
            objects.insert(0, _policy(options))
            objects += _associations(options)
        usage += crowded(options, (int(each.body["priority"]) for each in rules))

        everybody = any(not share.from_ for share in options.shares)

        def remarks(own: Sequence[Entry], share: O) -> list[Finding]:
            found = [*self.allows(own, share).findings, *self._remarks(own, share)]
            denied = everybody and bool(share.from_)  # to all, by another grant
            return [one for one in found if not (denied and one.id == "others-open")]

        return Rendering(
            objects=tuple(objects),
            rules=where,
            findings=tuple(told(entries, options, remarks)),
            usage=_fullest(usage, 1),
        )

    def around(self, entries: Sequence[Entry], options: O) -> Sequence[CloudObject]:  # noqa: ARG002
        """What the rules of all grants share, and is no rule."""
        return ()

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: O) -> Mapping[str, Any]:  # noqa: ARG002
        project = {} if options.in_project is None else {"project": options.in_project}
        if each.kind == POLICY and options.scope == "global":
            return project
        # The node of a hierarchical policy is taken over in place.
        taken = each.kind == ASSOCIATION and options.scope == "hierarchical"
        place = tuple(pair for pair in options.place if pair[0] != "project")  # which networks may tell as well
        held = {} if taken else {"the policy that holds it": place}
        return {**held, **fixed_by_row(self.rows(options), each.kind, each.body), **project}

    def rows(self, options: O | None = None) -> Mapping[str, ResourceType]:
        """The types of a policy have the same kinds in every scope."""
        return {**super().rows(), **{row.kind: row for row in (SCOPES[options.scope] if options is not None else ())}}

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
        way = _BASE_OF_GRANT if options.grants else _BASE
        policy = options.policy_path or f"the policy of {component} {names[-1]}"
        for each in objects:
            if each.kind == RULE:
                suffix = each.name.removeprefix(options.stem)
                rules = tuple(f"{holder}{suffix}" for holder in own)
                found.append(Seat(what=f"priority {each.body['priority']} of {policy}", holders=rules, way=way))
        return found

    def enforcement(self, options: O) -> Enforcement:
        """As the rules themselves say it; a deny that is declared is one of both families, for everybody."""
        stated = super().enforcement(options)
        denies = [each.body for each in _all_edges(options) if each.body["action"] == "deny"]
        denied = {cidr for body in denies for cidr in body["match"]["destIpRanges"]}
        about = {rule: whom for share in options.shares for rule, whom in _judged_by(share).items()}
        return replace(
            stated,
            traffic=tuple(word for family, word in FAMILY_WORDS.items() if not denies or EVERYWHERE[family] in denied),
            places=(*(() if options.attach is not None else (OWN_POLICY,)), *_where(options)),
            judged=options.clients if denies else (),
            inside=_inside(options),
            in_place=RulesInPlace(clients=about, way=_LEAVE),
            # Of both families: where one is not denied, all of it passes.
            exempt=(*PRIVATE_IPV4, *PRIVATE_IPV6) if options.deny == "internet" else (),
            safeguards={ORDER: str(options.base)} if options.attach is not None else {},
            audit=_audit(options),
        )

    def place(self, objects: Sequence[CloudObject], options: O) -> Place:
        return self.place_with(objects, options, ())

    def place_with(
        self, objects: Sequence[CloudObject], options: O, others: Sequence[tuple[str, Sequence[CloudObject], Options]]
    ) -> Place:
        resources = self._resources(objects, options)
        beside: list[tuple[FirewallPolicyMechanism[Any], Sequence[CloudObject], Any]] = []
        for target, theirs, of in others:
            how = mechanism(target)
            assert isinstance(how, FirewallPolicyMechanism)  # options of no other share a list with these
            resources += how._resources(theirs, of, f"{target}::")
            beside.append((how, theirs, of))
        network = network_path((options.target_resources or [""])[0])
        snapshot = Snapshot(resources, "the plan")
        found = evaluate.policy_place(
            self.target, snapshot, _ending(options), self.clients(options, snapshot), network, self.uninspected(options)
        )
        found = replace(found, assumptions=tuple(_assumed(options)))
        for how, theirs, of in (*beside, (self, objects, options)):
            found = how.beside_rules(found, theirs, of)
        return found

    def beside_rules(self, place: Place, objects: Sequence[CloudObject], options: O) -> Place:  # noqa: ARG002
        """`place` with what holds there beside the rules of the objects."""
        return place

    def clients(self, options: O, snapshot: Snapshot) -> ClientTest:  # noqa: ARG002
        identities = [f"account:{each}" for each in options.service_accounts]
        identities += [f"tag:{each}" for each in options.secure_tags]
        ranges = [*options.source_ranges("ipv4"), *options.source_ranges("ipv6")]
        return ClientTest(
            addresses=networks(ranges) if ranges else EVERY_ADDRESS, identities=frozenset(identities) or None
        )

    def _resources(self, objects: Sequence[CloudObject], options: O, of: str = "") -> tuple[Resource, ...]:
        rows = self.rows(options)
        return tuple(
            Resource(urn=f"plan::{of}{each.name}", type=rows[each.kind].token, name=each.name, properties=each.body)
            for each in objects
            if each.kind not in (POLICY, ASSOCIATION)
        )

    def uninspected(self, options: O) -> Sequence[str]:  # noqa: ARG002
        """What would have to be so for rules that inspect to let everything pass."""
        return ()

    def audited(self, entries: Sequence[Entry], options: O) -> str:  # noqa: ARG002
        """What lets everything pass in audit mode, and what logs it, in sentences."""
        if options.deny == "declared":
            return "No rule of the plan allows the rest or logs it: the deny that is declared has to allow in its place, and log."
        audits = [each.body["match"]["destIpRanges"][0] for each in _edges(options) if each.body["action"] == "allow"]
        if not audits:
            return "No last rule logs what enforce would block: with `deny: none` that is nothing."
        over = " and ".join(word for family, word in FAMILY_WORDS.items() if EVERYWHERE[family] in audits)
        return f"The last rules allow everything else{named_clients(options)} over {over} and log it{ahead(options)}."

    def _remarks(self, entries: Sequence[Entry], options: O) -> list[Finding]:
        found = []
        enforces = options.mode == "enforce"
        if any(entry.protocol == "https" for entry in entries) and enforces and options.deny != "none":
            found.append(finding("quic-closed", "UDP 443 stays closed; clients fall back to TLS over TCP."))
        if options.mode == "audit":
            found.append(finding("audit", self.audited(entries, options)))
        said = (*_about_clients(options), *_about_the_deny(options), *_about_the_place(options, self.precondition))
        return [*found, *(finding(id_, message) for id_, message in said)]


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
    has some. The second one is in the second half of its block. One that says its source ranges is of their family."""
    body = dict(each.body)
    if options.log_allowed:
        body["enableLogging"] = True
    to = each.body["match"].get("destIpRanges")
    families = [family for family in FAMILY_WORDS if to is None or (":" in to[0]) == (family == "ipv6")]
    ranges = [found for family in families if (found := options.source_ranges(family))]
    if not ranges or "srcIpRanges" in body["match"]:
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


def _all_edges(options: FirewallPolicyOptions, private_slot: int = EDGE_SLOT) -> list[CloudObject]:
    """The edges of each grant, for its own clients; where one is for everybody, of those alone."""
    shares = [each for each in options.shares if not each.from_] or options.shares
    return [edge for share in shares for edge in _edges(share, private_slot)]


def _edges(options: FirewallPolicyOptions, private_slot: int = EDGE_SLOT) -> list[CloudObject]:
    """Private ranges passed on, then everything else denied; in audit mode allowed and logged, last and marked."""
    if not options.denies:
        return []
    found = []
    for offset, family in enumerate(FAMILY_WORDS):
        if family not in options.families or family not in options.source_families:
            continue
        if options.deny == "internet":
            found.append(
                _edge(options, family, "private", private_slot + PASS + offset, "goto_next", "private passes on")
            )
        if options.mode == "audit":
            found.append(_edge(options, family, "audit", EDGE_SLOT + AUDIT + offset, "allow", "AUDIT, allows all"))
        else:
            found.append(_edge(options, family, "deny", EDGE_SLOT + DENY + offset, "deny", "all else is denied"))
    return found


def _edge(
    options: FirewallPolicyOptions, family: Family, suffix: str, offset: int, action: str, words: str
) -> CloudObject:
    name = f"{options.prefix}-{suffix}-{family}"
    ranges = list(_PRIVATE[family]) if action == "goto_next" else [EVERYWHERE[family]]
    match: dict[str, Any] = {"destIpRanges": ranges, "layer4Configs": [{"ipProtocol": "all"}]}
    if sources := options.source_ranges(family):
        match["srcIpRanges"] = sources
    body = rule(options, name, options.base + offset, action, f"hostgate: {words}", match)
    if action != "goto_next" and options.log_denied:  # logging is refused on goto_next
        body["enableLogging"] = True
    return CloudObject(kind=RULE, name=name, body=body)


def _policy(options: FirewallPolicyOptions) -> CloudObject:
    named = "shortName" if options.scope == "hierarchical" else "name"
    body = {named: options.stem, "description": "hostgate: egress to the hosts of reviewed catalogs"}
    return CloudObject(kind=POLICY, name=options.stem, body=body, folder="policy")


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
                label = f"{label}-{short_digest(network)}"
        elif link.project is None:
            target = link.path(options.in_project) or network
        found.append(_association(options, label, target))
    return found


def _association(options: FirewallPolicyOptions, label: str, target: str) -> CloudObject:
    name = f"{options.stem}-{label}"
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


def _about_clients(options: FirewallPolicyOptions) -> Iterator[tuple[str, str]]:
    """Whom the rules are about, and whom they are not, by the id of a finding."""
    if not options.from_:
        yield "from-everything", f"Every instance of {_whose(options)} may use the hosts."
    if options.denies and (others := _others(options)):
        decides = (
            "VPC networks allow egress by default."
            if options.attach is None
            else "what else stands in the attached policy decides about them."
        )
        yield "others-open", f"{others} are not judged by any rule of this plan, its deny included: {decides}"


def _about_the_deny(options: FirewallPolicyOptions) -> Iterator[tuple[str, str]]:
    """What is denied, or why nothing is."""
    if options.deny == "none":
        idle = "VPC networks allow egress by default; the allow rules change nothing."
        theirs = f"What no rule allows is left to the rules of {options.attach} that come after, and to the default."
        yield "deny-none", idle if options.attach is None else theirs
    if options.deny == "declared":
        yield "deny-declared", "A deny of 0.0.0.0/0 and ::/0 after these rules is said to exist elsewhere."
    if not options.denies:
        return
    what = "private ranges too, " if options.deny == "all" else ""
    whose = " for the clients under `from`" if options.from_ else ""
    denied = [word for each, word in FAMILY_WORDS.items() if each in {*options.families} & {*options.source_families}]
    everything = "Everything" if len(denied) > 1 else f"Over {denied[0]} everything"
    if options.mode == "enforce":
        yield (
            "deny-cuts",
            f"{everything} else is cut{whose}: {what}DNS to own resolvers on public addresses, {options.google_cut}. "
            "DNS, NTP and metadata of the platform (169.254.169.254) are not.",
        )
    if missing := [family for family in FAMILY_WORDS if family not in options.families]:
        yield "ipv6-not-denied", f"{' and '.join(missing)} is left out of `families` and is not denied."
    if unnamed := [each for each in options.families if each not in options.source_families]:
        said = FAMILY_WORDS[unnamed[0]]
        yield (
            "ipv6-not-denied",
            f"`from` has no {said} range: a client that has {said} too is not judged over it.",
        )


def _about_the_place(options: FirewallPolicyOptions, precondition: str) -> Iterator[tuple[str, str]]:
    """What the policy and its networks need, `precondition` at the end; or that no network has it."""
    above = options.scope == "hierarchical"
    if options.attach is not None:
        first = "" if above else "no VPC firewall rule that allows egress (they come first), "
        whom = "the clients under `from`" if options.from_ else "every instance of its networks"
        last = (
            f" No rule of its own after priority {options.base + EDGE_SLOT} is about {whom} any more."
            if options.denies
            else ""
        )
        yield (
            "attached-policy",
            f"{options.attach} needs: an association with {'a node above' if above else 'the network'}, no broader allow "
            f"before priority {options.base}, {first}{'' if precondition else 'and '}no other rule on these "
            f"priorities{precondition}.{last}",
        )
    elif _where(options):
        before = "no hierarchical policy that allows more"
        if not above:
            before += ", no VPC firewall rule that allows egress (they come first, unless the network's "
            before += "`networkFirewallPolicyEnforcementOrder` is BEFORE_CLASSIC_FIREWALL)"
        if options.scope == "region":
            before += ", no global network policy that allows or denies more (it comes first)"
        yield "network-preconditions", f"Every network of the policy needs: {before}{precondition}."
    else:
        key = "nodes" if above else "networks"
        yield (
            "not-enforced",
            f"No `{key}` are named: the new policy is associated with none, and no instance is judged by it.",
        )


def _audit(options: FirewallPolicyOptions) -> AuditOpening | None:
    """Without rules of ours in front, a VPC network allows what it denies nowhere; whom no rule is about is not denied."""
    shared = options.attach is not None or options.scope == "hierarchical"
    if options.mode != "audit" or not shared or options.deny not in options.audit_opens:
        return None
    denier = "a later rule of the policy" if options.attach is not None else "the policies of the projects below"
    return AuditOpening(clients=options.clients, denier=denier, stands=True, places=tuple(_where(options)))


def _inside(options: FirewallPolicyOptions) -> dict[str, str]:
    """Of the places where the rules judge, what each is a part of."""
    if options.scope == "region":
        return {f"network {each} in {options.in_region}": f"network {each}" for each in options.network_paths}
    return {place: place.partition(" by ")[2] for place in _where(options) if " by " in place}


def _judged_by(options: FirewallPolicyOptions) -> dict[str, tuple[str, ...]]:
    """Whom the rules before the deny are about, by what identifies a rule in an update. Rules for hosts of a second family of
    ranges, and those that pass private ranges on, are rules of their own: they are deleted with that family's deny."""
    policy = f"base {options.base} of {options.policy_path or OWN_POLICY}"
    families = [family for family in FAMILY_WORDS if options.source_ranges(family)]
    found = {f"hosts {number}, {policy}": _of_family(options, each) for number, each in enumerate(families)}
    if not families:
        found = {f"hosts 0, {policy}": options.clients}
    for each in _edges(options):
        if each.body["action"] == "goto_next":
            family = next(one for one in FAMILY_WORDS if each.name.endswith(one))
            found[f"{each.name.removeprefix(options.stem)}, {policy}"] = _of_family(options, family)
    if options.scope == "hierarchical":
        found[f"networks, {policy}"] = tuple(f"network {each}" for each in options.network_paths)
    return found


def _of_family(options: FirewallPolicyOptions, family: Family) -> tuple[str, ...]:
    """The clients that rules for source ranges of a family are about."""
    targets, ranges = [*options.service_accounts, *options.secure_tags], options.source_ranges(family)
    if not targets or not ranges:
        return tuple(targets or ranges)
    return tuple(f"{each}{WITHIN}{', '.join(ranges)}" for each in targets)


def _whose(options: FirewallPolicyOptions) -> str:
    """Whose instances are judged where `from` names none, as the end of a sentence."""
    if options.scope != "hierarchical":
        return f"the network in {options.in_region}" if options.in_region else "the network"
    return "the networks that are named" if options.networks else "every network below its nodes"


def named_clients(options: FirewallPolicyOptions) -> str:
    """Whose traffic rules are about that have the targets of `from`, as a part of a sentence."""
    return " of the clients under `from`" if options.from_ else ""


def ahead(options: FirewallPolicyOptions) -> str:
    """What comes too late where rules of the plan let everything pass, as the end of a sentence."""
    if options.attach is not None:
        return f", before any later deny of {options.attach}"
    return ", before any deny of the projects below" if options.scope == "hierarchical" else ""


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
        return f"{last[:25]}-{short_digest(network)}"
    return last


def _fullest(usage: Sequence[Usage], rules: int) -> tuple[Usage, ...]:
    """The fullest of each limit; a block has `rules` for each that a mechanism puts there."""
    fullest: dict[str, Usage] = {}
    for each in usage:
        each = replace(each, used=each.used * rules) if each.limit in (BLOCK, SMALL_BLOCK) else each
        if each.limit.name not in fullest or each.used > fullest[each.limit.name].used:
            fullest[each.limit.name] = each
    return tuple(fullest.values())


def _assumed(options: FirewallPolicyOptions) -> Iterator[str]:
    """What lies outside a plan: the policies that judge before its own, and what holds its rules."""
    whose = "The policy" if options.attach is None else options.attach
    if options.scope == "hierarchical":
        yield f"{whose} is associated with a node above the clients' projects; no policy above that node decides first."
    else:
        first = "no hierarchical policy and no VPC firewall rule decides first"
        also = ", nor a global network policy" if options.scope == "region" else ""
        yield f"{whose} is associated with the clients' networks; {first}{also}."
    if options.attach is not None:
        yield f"No rule of {options.attach} before priority {options.base} decides about these flows."
    if options.deny == "declared" and options.mode == "enforce":
        yield "The declared deny comes after these rules and is one of both address families, for everybody."


def _ending(options: FirewallPolicyOptions) -> Step:
    """What becomes of a flow that no rule of the plan decides."""
    if options.deny != "declared":
        return evaluate.ALLOWED
    if options.mode == "audit":
        return replace(evaluate.ALLOWED, why="no rule matches; in audit mode the declared deny must only log")
    return replace(evaluate.ALLOWED, action="block", why="no rule matches; the deny is declared to exist elsewhere")
