"""What Route 53 Resolver DNS Firewall does with the query before a connection: the rule groups of a VPC by priority.

The first rule whose list holds the name decides; what none decides is answered. Sources: Amazon Route 53 developer
guide, DNS Firewall rule settings, rule actions, domain lists; AWS SDK service model route53resolver (2026-11-23).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from hostgate.aws.query_kinds import EVERYTHING, RESOLVER_ZONES, TRUST
from hostgate.aws.resources import canonical
from hostgate.aws.resources_resolver import (
    ASSOCIATION,
    CONFIG,
    DOMAIN_LIST,
    PROFILE_RESOURCE,
    PROFILE_VPC,
    RULE,
    RULE_GROUP,
)
from hostgate.flows.address_sets import EVERY_ADDRESS
from hostgate.flows.intervals import NO_NUMBER
from hostgate.flows.names import Names, NameTest
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Action, Box, Group, Place, Stage, Step, either, elsewhere
from hostgate.planning.allowlists_at import named_by_allowlists

TARGET: Final = "aws:dns-firewall"

_KIND: Final = "queries of"

ASSUMPTIONS: Final = (
    "The clients ask the VPC's resolver. Who asks another one, dials an address, or asks over HTTPS is not seen.",
)

ANSWERED = Step(
    action="allow", rule="",
    why="no rule matches, and the resolver answers what no rule blocks; of an address that is dialled it sees nothing",
)  # fmt: skip

_ASKED = Box(asked=())
"""Whatever asks for a name."""

_ACTIONS: Final[dict[str, tuple[Action, str]]] = {
    "ALLOW": ("allow", "the query is answered"),
    "ALERT": ("allow", "the query is answered and logged (ALERT)"),
    "BLOCK": ("block", "the query is blocked"),
}


def places(snapshot: Snapshot) -> list[Place]:
    """Every VPC with rule groups, and every rule group that judges for none."""
    snapshot = canonical(snapshot)
    snapshot = Snapshot((*snapshot.resources, *_of_profiles(snapshot)), snapshot.source)
    reading = _Reading(snapshot)
    vpcs: dict[str, list[Resource]] = {}
    for association in snapshot.of_types([ASSOCIATION]):
        vpcs.setdefault(reading.vpc(association), []).append(association)
    anywhere = [each for each in snapshot.of_types([ASSOCIATION]) if reading.vpc(each) == _not_known(each)]
    found = [
        reading.vpc_place(vpc, associations, [each for each in anywhere if each not in associations])
        for vpc, associations in vpcs.items()
    ]
    found += [
        replace(reading.vpc_place(vpc, [], anywhere), judging=urns)
        for vpc, urns in named_by_allowlists(snapshot, "aws", "vpcs").items()
        if vpc not in vpcs
    ]
    in_profiles = {one.urn for each in snapshot.of_types([PROFILE_RESOURCE]) for one in reading.in_profile(each)}
    used = {group.urn for each in vpcs.values() for one in each if (group := reading.group_of(one)) is not None}
    for group in snapshot.of_types([RULE_GROUP]):
        if group.urn not in used:
            stage = reading.stage([(group.name, group, 1)])
            remark = "no VPC is associated with the rule group"
            if group.urn in in_profiles:
                remark = "the rule group is in a Route 53 Profile, and the VPCs that have it are not seen"
            found.append(
                Place(
                    TARGET,
                    str(group.id or group.name),
                    (stage,),
                    ASSUMPTIONS,
                    remark,
                    group.name,
                    kind=_KIND,
                    own_names=RESOLVER_ZONES,
                )
            )
    return found


def group_place(snapshot: Snapshot, group: Resource, ending: Step = ANSWERED) -> Place:
    """The rule group of a plan, over a VPC with nothing else. `ending` is what becomes of a query that no rule decides."""
    stage = _Reading(snapshot).stage([(group.name, group, 1)])
    if ending is not ANSWERED:  # whatever blocks names elsewhere, a dialled address asks for none
        stage = replace(stage, last=(replace(ending, box=_ASKED),))
    return Place(TARGET, "plan", (stage,), ASSUMPTIONS, own_names=RESOLVER_ZONES)


def _of_profiles(snapshot: Snapshot) -> Iterator[Resource]:
    """Associations of rule groups that come to a VPC by a Route 53 Profile. Where they stand among its own is not known
    here, and of a profile of others neither what it brings (Amazon Route 53 developer guide, Profiles, 2026-11)."""

    def profile(of: Resource) -> object:
        made = snapshot.referred(of, "profileId", of.properties.get("profileId"))
        return made[0].urn if len(made) == 1 else of.properties.get("profileId")

    for vpc in snapshot.of_types([PROFILE_VPC]):
        brought = [each for each in snapshot.of_types([PROFILE_RESOURCE]) if profile(each) in (profile(vpc), UNKNOWN)]
        for each in brought if brought or profile(vpc) in snapshot.by_urn else [vpc]:
            arn = each.properties.get("resourceArn", UNKNOWN)
            made = snapshot.referred(each, "resourceArn", arn)
            if (isinstance(arn, str) and ":firewall-rule-group/" not in arn) or any(
                one.type != RULE_GROUP for one in made
            ):
                continue
            group = arn.rpartition("/")[2] if isinstance(arn, str) else UNKNOWN
            yield Resource(
                urn=f"{vpc.urn} {each.urn}",
                type=ASSOCIATION,
                name=each.name,
                properties={
                    "vpcId": vpc.properties.get("resourceId"),
                    "firewallRuleGroupId": group,
                    "priority": UNKNOWN,
                },
                property_dependencies={
                    "vpcId": vpc.property_dependencies.get("resourceId", frozenset()),
                    "firewallRuleGroupId": frozenset(one.urn for one in made),
                },
            )


class _Reading:
    """A snapshot as far as DNS Firewall goes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def vpc(self, association: Resource) -> str:
        value = association.properties.get("vpcId")
        if isinstance(value, str):
            return value
        made = self.snapshot.referred(association, "vpcId", value)
        return made[0].name if len(made) == 1 else _not_known(association)

    def in_profile(self, brought: Resource) -> list[Resource]:
        """The rule group that goes into a Profile, by reference or by the id in its ARN."""
        arn = brought.properties.get("resourceArn")
        made = self.snapshot.referred(brought, "resourceArn", arn)
        known = arn.rpartition("/")[2] if isinstance(arn, str) else None
        return [each for each in self.snapshot.of_types([RULE_GROUP]) if each in made or (known and each.id == known)]

    def group_of(self, association: Resource) -> Resource | None:
        return self._referred(association, "firewallRuleGroupId", RULE_GROUP)

    def _referred(self, resource: Resource, key: str, kind: str) -> Resource | None:
        made = self.snapshot.referred(resource, key, resource.properties.get(key))
        alike = [each for each in made if each.type == kind]
        return alike[0] if len(alike) == 1 else None

    def vpc_place(self, vpc: str, associations: Sequence[Resource], perhaps: Sequence[Resource] = ()) -> Place:
        """The rule groups of `associations` over the VPC, and those of which it is not known yet whether they are."""
        groups: list[tuple[str, Resource | None, int | None]] = [
            (
                str(each.properties.get("firewallRuleGroupId") or each.name),
                self.group_of(each),
                number(each.node.at("priority")),
            )
            for each in associations
        ]
        assumptions = list(ASSUMPTIONS)
        for config in self.snapshot.of_types([CONFIG]):
            if config.properties.get("resourceId") == vpc and config.properties.get("firewallFailOpen") == "ENABLED":
                assumptions.append("DNS Firewall answers: while it does not, the resolver answers every query.")
        groups += [(f"the rule group of {each.name}", None, None) for each in perhaps]
        ordered = sorted(groups, key=lambda each: each[2] or 0)
        policy = ", ".join(group.name if group else name for name, group, _ in ordered)
        return Place(
            TARGET, vpc, (self.stage(groups),), tuple(assumptions), policy=policy, kind=_KIND, own_names=RESOLVER_ZONES
        )

    def stage(self, groups: Sequence[tuple[str, Resource | None, int | None]]) -> Stage:
        known = sorted((each for each in groups if each[2] is not None), key=lambda each: each[2] or 0)
        steps: list[Step] = []
        unordered: list[Group] = []
        for name, group, _ in known:
            ordered, loose = self._group(name, group)
            steps += ordered
            unordered += loose
        for name, group, priority in groups:
            if priority is None:
                ordered, loose = self._group(name, group)
                unordered += [tuple(ordered), *loose]
        return Stage("queries", tuple(steps), ANSWERED, unordered=tuple(unordered))

    def _group(self, name: str, group: Resource | None) -> tuple[list[Step], list[Group]]:
        """The steps of a rule group by priority, and those of rules whose priority nobody knows yet."""
        if group is None:
            return list(either(name, f"{name} is not in the snapshot", box=_ASKED)), []
        rules = [
            rule
            for rule in self.snapshot.of_types([RULE])
            if self._referred(rule, "firewallRuleGroupId", RULE_GROUP) is group
        ]
        placed = [(place, rule) for rule in rules if (place := number(rule.node.at("priority"))) is not None]
        placed.sort(key=lambda each: each[0])
        loose: list[Group] = [tuple(self._rule(rule)) for rule in rules if number(rule.node.at("priority")) is None]
        loose += [
            either(rule.name, f"it is not known yet whether {rule.name} is a rule of {name}", rule.urn, box=_ASKED)
            for rule in self.snapshot.of_types([RULE])
            if not isinstance(rule.properties.get("firewallRuleGroupId"), str | None)
            and self._referred(rule, "firewallRuleGroupId", RULE_GROUP) is None
        ]
        unseen = elsewhere(group, box=_ASKED)
        return [*unseen, *(step for _, rule in placed for step in self._rule(rule))], loose

    def _rule(self, rule: Resource) -> Iterator[Step]:
        node = rule.node
        decided = _ACTIONS.get(str(node.at("action").value))
        if decided is None:
            yield from either(rule.name, f"the action of {rule.name} is not known yet", rule.urn, box=_ASKED)
            return
        action, why = decided
        if action == "block":
            why = f"{why} ({node.at('blockResponse').value or 'NODATA'})"
        base = _of_query_type(node.at("qType"), rule.name)
        if base is None:
            return
        lists = self._referred(rule, "firewallDomainListId", DOMAIN_LIST)
        domains = lists.node.at("domains") if lists is not None else None
        if domains is None or domains.unknown:
            threat = node.at("dnsThreatProtection").value
            what = (
                f"AWS counts it to {threat}" if isinstance(threat, str) else f"the list of {rule.name} holds its name"
            )
            doubt = what
            yield Step(
                action=action,
                rule=rule.name,
                why=why,
                box=replace(base, asked=(), doubts=(*base.doubts, doubt)),
                owner=rule.urn,
            )
            return
        inspects = node.at("firewallDomainRedirectionAction").value != TRUST
        for item in sorted(domains.items(), key=_breadth):
            for names, doubts in _names(item, rule.name):
                every = names == ()
                asked = replace(base, asked=names, doubts=(*base.doubts, *doubts))
                if inspects and not every and action == "allow":
                    chain = "every name that it is redirected to is listed too"
                    asked = replace(asked, doubts=(*asked.doubts, chain))
                label = rule.name if every else f"{rule.name}#{_spelled(item)}"
                yield Step(action=action, rule=label, why=why, box=asked, owner=rule.urn)
        if inspects and action == "block" and not any(_spelled(item) == EVERYTHING for item in domains.items()):
            chain = f"it is redirected to a name on the list of {rule.name}"
            yield Step(
                action=action,
                rule=rule.name,
                why=why,
                box=replace(base, asked=(), doubts=(*base.doubts, chain)),
                owner=rule.urn,
            )


def _not_known(association: Resource) -> str:
    return f"a VPC not known yet ({association.name})"


def _of_query_type(node: Node, rule: str) -> Box | None:
    """The box of a rule for one query type: A is asked for IPv4, AAAA for IPv6; no connection waits for another."""
    if node.absent:
        return Box()
    if not isinstance(node.value, str):
        return Box(doubts=(f"{rule} is for its query type",))
    match node.value.upper():
        case "A" | "1" | "TYPE1":
            return Box(address=replace(EVERY_ADDRESS, v6=NO_NUMBER))
        case "AAAA" | "28" | "TYPE28":
            return Box(address=replace(EVERY_ADDRESS, v4=NO_NUMBER))
    return None


def _names(item: Node, rule: str) -> Iterator[tuple[Names, tuple[str, ...]]]:
    """The names of one specification. Whether `*.x` holds x is not documented."""
    spec = _spelled(item)
    if spec is None:
        yield (), (f"the list of {rule} holds its name",)
    elif spec == EVERYTHING:
        yield (), ()
    elif spec.startswith("*."):
        yield (NameTest("subtree", spec[2:]),), ()
        yield (NameTest("exact", spec[2:]),), (f"DNS Firewall counts {spec[2:]} to {spec}",)
    elif spec.startswith("*"):
        yield (NameTest("ending", spec[1:]),), (f"DNS Firewall means any name by {spec}",)
    else:
        yield (NameTest("exact", spec),), ()


def _spelled(item: Node) -> str | None:
    if not isinstance(item.value, str):
        return None
    return EVERYTHING if item.value in ("*", EVERYTHING) else item.value.lower().removesuffix(".")


def _breadth(item: Node) -> tuple[bool, int]:
    """A whole name is named before a wildcard; all of a list decide alike."""
    spec = _spelled(item) or "*"
    return (spec.startswith("*"), -len(spec))
