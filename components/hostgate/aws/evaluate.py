"""What AWS Network Firewall does with a flow: everything that stands behind a firewall policy, as stages of steps.

Packets go through the stateless rules by priority, then the stateless default; what is forwarded goes through the
stateful rule groups, in strict order by priority and line, in action order every pass first, then drops, rejects. Rules
that need a name can decide only once it is there. Sources: AWS Network Firewall developer guide, evaluation order,
stateful domain list rule groups, default actions; best practices guide; matching as replayed on Suricata 7.0.10.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from hostgate.aws.evaluate_groups import entries_of
from hostgate.aws.packets import FRAGMENTS, fragments, whole_hellos
from hostgate.aws.plan_order import in_plan_order
from hostgate.aws.resources import canonical, set_references
from hostgate.aws.resources_ec2 import PREFIX_LIST, VPC, VPC_RANGES
from hostgate.aws.resources_firewall import FIREWALL, POLICY_SETTINGS, RULE_GROUP
from hostgate.aws.resources_firewall import FIREWALL_POLICY as POLICY
from hostgate.aws.routes import routes_at
from hostgate.aws.rule_steps import default_steps, five_tuple, list_steps, stateless_rule
from hostgate.flows.address_sets import FAMILIES, NO_ADDRESS, AddressSet, symbol
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.routes import (
    Routes,
    assumptions_aside,
    assumptions_of,
    other_ways,
    round_the_firewall,
)
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, ClientTest, Moment, Place, Stage, Step, either, whether
from hostgate.suricata.headers import HeaderError, addresses_of
from hostgate.suricata.reader import read_rules
from hostgate.suricata.steps import steps_of

TARGET: Final = "aws:rules"

STRICT: Final = "STRICT_ORDER"
STATELESS: Final = "stateless rules"
MOMENTS: Final = tuple(Moment)
"""A hello in one packet: the handshake's end, the protocol and the name are known at once. Of a hello in several
packets, defaults that do not wait for it drop the first (replayed); `hostgate.aws.default_actions` says which."""

_ACTION_RANK: Mapping[str, int] = {"allow": 0, "block": 1, "next": 2}

_ROUTED: Final = "The clients' packets are routed to the firewall, both ways."
_OTHERS_ROUTED: Final = "Other clients' packets are routed to the firewall, which is not in what was read, both ways."
_BY_TRANSIT: Final = (
    "The firewall stands at a transit gateway, and which packets its tables send there is not read: those of the clients, "
    "both ways."
)

PASSES = Step(action="allow", rule="", why="no rule matches, and the policy's default does not drop")


def places(snapshot: Snapshot) -> list[Place]:
    """Every firewall, and every policy that no firewall uses."""
    snapshot = canonical(snapshot)
    found = []
    used: set[str] = set()
    for firewall in snapshot.of_types([FIREWALL]):
        value = firewall.properties.get("firewallPolicyArn")
        policies = [each for each in snapshot.referred(firewall, "firewallPolicyArn", value) if each.type == POLICY]
        name = _called(firewall)
        if len(policies) == 1:
            used.add(policies[0].urn)
            found.append(replace(policy_place(snapshot, policies[0], firewall=firewall), name=name, kind="firewall"))
        else:
            stages = (_unseen("the firewall's policy"), Stage("end", (), PASSES))
            routes = routes_at(snapshot, firewall)
            past, others = round_the_firewall(routes), other_ways(routes)
            found.append(Place(TARGET, name, stages, kind="firewall", round_it=past, other_ways=others))
    if unused := [policy for policy in snapshot.of_types([POLICY]) if policy.urn not in used]:
        routes = routes_at(snapshot, None)
        told = assumptions_aside(routes)
        for policy in unused:
            place = replace(policy_place(snapshot, policy), name=_called(policy), remark="no firewall uses the policy")
            assumptions = (*told, _OTHERS_ROUTED if told else _ROUTED, *place.assumptions[1:])
            found.append(replace(place, assumptions=assumptions, other_ways=other_ways(routes)))
    return found


def _called(resource: Resource) -> str:
    """By what others refer to it, as far as that is known."""
    told = (resource.properties.get("arn"), resource.id)
    return next((each for each in told if isinstance(each, str) and each), resource.name)


def policy_place(
    snapshot: Snapshot, policy: Resource, clients: ClientTest | None = None, firewall: Resource | None = None
) -> Place:
    """Where flows meet `policy`, at `firewall` where one uses it."""
    reading = _Policy(snapshot, policy, firewall)
    stages = (reading.stateless(), *reading.stateful())
    routes = Routes() if firewall is None else routes_at(snapshot, firewall)
    if firewall is not None and not firewall.node.at("transitGatewayId").absent:
        routed = (*assumptions_aside(routes), _BY_TRANSIT)
    else:
        routed = (() if firewall is None else assumptions_of(routes, firewall.urn)) or (_ROUTED,)
    ways_out = tuple(fragments(reading.node, policy.urn, stages[0], reading.home_net() or NO_ADDRESS, FAMILIES))
    passing = [FRAGMENTS] if any(not each.doubts for each in ways_out) else []
    assumptions = tuple(dict.fromkeys((*routed, *reading.assumptions, *passing, *whole_hellos(stages[1:]))))
    named = policy.properties.get("name")
    name = named if isinstance(named, str) and named else policy.name
    inside = reading.home_net()
    families = tuple(family for family in FAMILIES if inside is None or inside.of(family)) or FAMILIES
    return Place(
        TARGET, policy.name, stages, assumptions, policy=name, clients=clients, families=families,
        inside=NO_ADDRESS if inside is None else inside, round_it=round_the_firewall(routes),
        other_ways=other_ways(routes), judging=reading.judging(), ways_out=ways_out,
    )  # fmt: skip


def _unseen(what: str) -> Stage:
    return Stage(
        what, either(what, f"{what} is not in the snapshot"), Step(action="next", rule="", why="nothing is known")
    )


@dataclass(frozen=True)
class _Reference:
    """A reference of a policy to a rule group: the group where it is in the snapshot, its priority where it is known."""

    group: Resource | None
    name: str
    priority: int | None
    arn: str = ""
    only_logs: bool = False
    """Whether what the group would drop is only logged (override DROP_TO_ALERT)."""


class _Policy:
    """A firewall policy and what it refers to."""

    def __init__(self, snapshot: Snapshot, policy: Resource, firewall: Resource | None = None) -> None:
        self.snapshot, self.policy, self.firewall = snapshot, policy, firewall
        body = policy.node.at("firewallPolicy").block
        self.node = Node(UNKNOWN) if body.absent else body
        self.assumptions: list[str] = []

    # Stateless: each packet for itself.

    def stateless(self) -> Stage:
        default = self._stateless_default()
        references = self._references("statelessRuleGroupReferences")
        known = sorted((each for each in references if each.priority is not None), key=lambda each: each.priority or 0)
        loose = [each for each in references if each.priority is None]
        steps = tuple(step for each in known for step in self._stateless_group(each))
        unordered = tuple(tuple(self._stateless_group(each)) for each in loose)
        return Stage(STATELESS, steps, default, unordered=unordered, last=self._stateless_doubts())

    def _stateless_doubts(self) -> tuple[Step, ...]:
        node = self.node.at("statelessDefaultActions")
        if node.unknown or not all(isinstance(item.value, str) for item in node.items()):
            return either("the policy's stateless default", "the stateless default is not known yet")
        return ()

    def _stateless_default(self) -> Step:
        actions = [item.value for item in self.node.at("statelessDefaultActions").items()]
        if "aws:pass" in actions:
            return Step(action="allow", rule="aws:pass", why="the policy's stateless default passes it uninspected")
        if "aws:drop" in actions:
            return Step(action="block", rule="aws:drop", why="the policy's stateless default drops it")
        return Step(action="next", rule="", why="the stateless default forwards it")

    def _stateless_group(self, reference: _Reference) -> Iterator[Step]:
        if reference.group is None:
            yield from either(reference.name, f"{reference.name} is outside the snapshot")
            return
        source = reference.group.node.at("ruleGroup", "rulesSource", "statelessRulesAndCustomActions")
        rules = list(source.at("statelessRules").items())
        listed = source.at("statelessRules")
        if listed.unknown or listed.absent or any(number(rule.at("priority")) is None for rule in rules):
            yield from either(reference.name, "its rules are not known yet")
            return
        rules.sort(key=lambda rule: number(rule.at("priority")) or 0)
        for rule in rules:
            yield from stateless_rule(rule, reference.name, reference.group.urn)

    # Stateful: connections.

    def stateful(self) -> tuple[Stage, ...]:
        """The rule groups in the policy's order; where that is not known yet, in either."""
        return tuple(replace(stage, steps=(*self._unknown_settings(), *stage.steps)) for stage in self._by_order())

    def _unknown_settings(self) -> Iterator[Step]:
        """What settings of the policy may do that are not known here, such as the validation of resolved addresses."""
        body = self.node.value if isinstance(self.node.value, Mapping) else {}
        for key in sorted(body.keys() - POLICY_SETTINGS):
            if body[key] not in (None, False, "", [], {}):
                yield from either(f"the policy's {key}", "what this setting does is not known here", self.policy.urn)

    def _by_order(self) -> tuple[Stage, ...]:
        order = self.node.at("statefulEngineOptions", "ruleOrder")
        if order.value in (None, STRICT, "DEFAULT_ACTION_ORDER"):
            return (self._in_strict_order() if order.value == STRICT else self._in_action_order(),)
        strict = self._in_strict_order()
        other = Step(
            action="next", rule="", why="rules go by their action", box=Box(doubts=("the rule order is by action",))
        )
        return (
            replace(
                strict, steps=(other, *strict.steps), unordered=tuple((other, *group) for group in strict.unordered)
            ),
            self._in_action_order(),
        )

    def _groups(self, *, strict: bool) -> list[tuple[_Reference, tuple[Step, ...]]]:
        variables = self._variables()
        return [
            (each, tuple(self._stateful_group(each, variables, strict=strict)))
            for each in self._references("statefulRuleGroupReferences")
        ]

    def _in_action_order(self) -> Stage:
        steps = [step for _, group in self._groups(strict=False) for step in group]
        by_action = sorted(steps, key=lambda step: _ACTION_RANK[step.action])
        return Stage("stateful rules", tuple(by_action), PASSES, MOMENTS)

    def _in_strict_order(self) -> Stage:
        groups = self._groups(strict=True)
        known = sorted(
            (each for each in groups if each[0].priority is not None), key=lambda each: each[0].priority or 0
        )
        unordered = tuple(group for each, group in groups if each.priority is None)
        defaults = tuple(default_steps(self._default_actions()))
        steps = tuple(step for _, group in known for step in group)
        return Stage("stateful rules", steps, PASSES, MOMENTS, unordered, defaults)

    def _default_actions(self) -> list[str]:
        node = self.node.at("statefulDefaultActions")
        actions = [item.value for item in node.items()]
        if node.unknown or not all(isinstance(action, str) for action in actions):
            return ["?"]
        return [str(action) for action in actions]

    def _references(self, key: str) -> list[_Reference]:
        found: list[_Reference] = []
        node = self.node.at(key)
        made = [
            each
            for each in self.snapshot.referred(self.policy, "firewallPolicy", None)
            if each.type == RULE_GROUP and _is_stateful(each) == (key == "statefulRuleGroupReferences")
        ]
        if node.unknown:
            places = {group.urn: place for group, place in in_plan_order(self.policy, made, None)}
            found += [_Reference(each, each.name, places.get(each.urn)) for each in made]
            return found or [_Reference(None, "a rule group", None)]
        seen: set[str] = set()
        items = list(node.items())
        for item in items:
            arn, place = item.at("resourceArn"), number(item.at("priority"))
            if isinstance(arn.value, str):
                group = self._by_arn(arn.value)
                if group is not None:
                    seen.add(group.urn)
                found.append(
                    _Reference(
                        group,
                        group.name if group else arn.value.rpartition("/")[2],
                        place,
                        arn.value,
                        item.at("override", "action").value == "DROP_TO_ALERT",
                    )
                )
        blank = [item for item in items if not isinstance(item.at("resourceArn").value, str)]
        loose = [each for each in made if each.urn not in seen]
        if len(blank) == 1 and len(loose) == 1:
            return [*found, _Reference(loose[0], loose[0].name, number(blank[0].at("priority")))]
        told = [place for item in blank if (place := number(item.at("priority"))) is not None]
        if len(loose) == len(blank) == len(told) and (placed := in_plan_order(self.policy, loose, told)):
            return [*found, *(_Reference(group, group.name, place) for group, place in placed)]
        if len(loose) > len(blank):  # which of them are meant, nobody can tell
            loose = []
        found += [_Reference(each, each.name, None) for each in loose]
        found += [_Reference(None, f"rule group {n + 1} of the policy", None) for n in range(len(blank) - len(loose))]
        return found

    def _by_arn(self, arn: str) -> Resource | None:
        for group in self.snapshot.referred(self.policy, "", arn):
            return group
        where, (kind, _, name) = _account(arn), arn.rpartition(":")[2].partition("/")
        standing = (each.properties.get("arn") for each in self.snapshot.of_types([FIREWALL, POLICY, RULE_GROUP]))
        known = {found for each in standing if isinstance(each, str) and (found := _account(each))}
        if (known and where not in known) or "aws-managed" in where:
            return None
        for group in self.snapshot.of_types([RULE_GROUP]):
            told = group.properties
            apart = isinstance(told.get("arn"), str) or (told.get("region") or UNKNOWN) not in (UNKNOWN, *where[:1])
            alike = _is_stateful(group) == (kind != "stateless-rulegroup") and name == told.get("name")
            if alike and not apart:
                if ":REGION:ACCOUNT:" not in arn:  # as a plan writes those of its own groups
                    self.assumptions.append(f"{arn} is {group.name}, whose ARN is not known yet.")
                return group
        return None

    def judging(self) -> frozenset[str]:
        """The policy and its rule groups."""
        kinds = ("statelessRuleGroupReferences", "statefulRuleGroupReferences")
        groups = [each.group for kind in kinds for each in self._references(kind)]
        return frozenset({self.policy.urn, *(group.urn for group in groups if group is not None)})

    def home_net(self) -> AddressSet | None:
        """HOME_NET of the policy; None where it is not known."""
        home = self._variables()["HOME_NET"]
        return None if home is None else addresses_of(home, {})

    def _variables(self) -> dict[str, str | None]:
        """HOME_NET of the policy, and EXTERNAL_NET, which the service makes of it (best practices, prerequisites)."""
        home: str | None = None
        listed = self.node.at("policyVariables", "ruleVariables")
        said = listed.unknown
        for item in listed.items():
            if item.at("key").value == "HOME_NET":
                home = _definition(item.at("ipSet", "definitions"))
            said |= item.at("key").unknown or item.at("key").value == "HOME_NET"
        if said and home is None:
            self.assumptions.append("HOME_NET is what the policy's variables say, which is not known yet.")
            return {"HOME_NET": None, "EXTERNAL_NET": "!$HOME_NET"}
        if home is None:
            home = self._range_of_vpc()
        if home is None:
            self.assumptions.append("HOME_NET is the range of the firewall's VPC, which is not in the snapshot.")
            return {"HOME_NET": None, "EXTERNAL_NET": "!$HOME_NET"}
        try:
            addresses_of(home, {})
        except HeaderError as error:
            self.assumptions.append(f"HOME_NET is {home}, which the engine refuses: {error}.")
            return {"HOME_NET": None, "EXTERNAL_NET": "!$HOME_NET"}
        return {"HOME_NET": home, "EXTERNAL_NET": f"!{home}"}

    def _range_of_vpc(self) -> str | None:
        """HOME_NET where the policy says none: the range of the firewall's VPC (developer guide, rule variables)."""
        if self.firewall is None:
            return None
        made = self.snapshot.referred(self.firewall, "vpcId", self.firewall.properties.get("vpcId"))
        vpcs = [each for each in made if each.type == VPC]
        if len(vpcs) != 1:
            return None
        beside = self.snapshot.of_types(VPC_RANGES)
        of_it = [
            each for each in beside if vpcs[0] in self.snapshot.referred(each, "vpcId", each.properties.get("vpcId"))
        ]
        found = [each.properties.get(key) for each in (*vpcs, *of_it) for key in ("cidrBlock", "ipv6CidrBlock")]
        ranges = [str(each) for each in dict.fromkeys(found) if each]
        blank = any(not (each.properties.get("cidrBlock") or each.properties.get("ipv6CidrBlock")) for each in of_it)
        if not isinstance(found[0], str) or UNKNOWN in found or blank:
            return None
        said = "ranges" if ranges[1:] else "range"
        self.assumptions.append(
            f"HOME_NET is the {said} of the firewall's VPC, {', '.join(ranges)}; what is associated elsewhere is not seen."
        )
        return f"[{','.join(ranges)}]"

    def _stateful_group(
        self, reference: _Reference, variables: Mapping[str, str | None], *, strict: bool
    ) -> Iterator[Step]:
        name = reference.name
        if reference.group is None:
            yield from _of_others(reference)
            return
        group, owner = reference.group.node, reference.group.urn
        source = group.at("ruleGroup", "rulesSource").block
        flat = group.at("rules")
        text = (flat if not flat.absent else source.at("rulesString")).words
        kinds = (text, source.at("statefulRules"), source.at("rulesSourceList"))
        if source.unknown or any(each.unknown for each in kinds) or all(each.absent for each in kinds):
            yield from either(name, "its rules are not known yet", owner)
            return
        own = {**variables, **_declared(group.at("ruleGroup", "ruleVariables"), variables)}
        if variables["HOME_NET"] is None and "HOME_NET" in own:
            # EXTERNAL_NET is what the policy's HOME_NET is not, whatever the group calls HOME_NET.
            own |= {"HOME_NET of the policy": None, "EXTERNAL_NET": own.get("EXTERNAL_NET") or ""}
            if own["EXTERNAL_NET"] == "!$HOME_NET":
                own["EXTERNAL_NET"] = "!$HOME_NET of the policy"
        sets = self._sets(reference.group)
        steps: list[Step] = []
        if isinstance(text.value, str):
            steps += steps_of(read_rules(text.value), own, name, owner)
        for line, rule in enumerate(source.at("statefulRules").items(), start=1):
            parsed = five_tuple(rule, line)
            if parsed is None:
                steps += either(f"{name}#{line}", "the rule is not known yet", owner)
            else:
                steps += steps_of([parsed], own, name, owner)
        listed = source.at("rulesSourceList")
        if not listed.absent:
            try:
                steps += list_steps(listed, own, name, owner, strict=strict)
            except HeaderError as error:
                steps += either(name, f"its variables: {error}", owner)
        yield from (_with_sets(step, sets) for step in steps)

    def _sets(self, group: Resource) -> Mapping[str, AddressSet]:
        """Addresses behind `@NAME`, by symbol: entries of prefix lists of the snapshot, else the set's own ARN."""
        found: dict[str, AddressSet] = {}
        for key, arn in set_references(group):
            if isinstance(arn.value, str):
                found[f"@{key}"] = self._prefix_list(arn.value, self.snapshot.referred(self.policy, "", arn.value))
            elif arn.unknown:
                made = self.snapshot.only(group, "ruleGroup", PREFIX_LIST)
                found[f"@{key}"] = self._prefix_list(f"unknown:{group.urn}#{arn.path}", [made] if made else [])
        return found

    def _prefix_list(self, arn: str, standing: Iterable[Resource]) -> AddressSet:
        known = next((each for each in standing if each.type == PREFIX_LIST), None)
        if known is None:
            return symbol(arn)
        self.assumptions.append(f"{known.name} holds what it held when it was read: whoever keeps it answers for that.")
        return entries_of(known)


def _of_others(reference: _Reference) -> Iterator[Step]:
    """What a group outside the snapshot may do. The groups that AWS maintains drop and log, and pass nothing (developer
    guide, AWS managed rule groups)."""
    passes_nothing = ":aws-managed:" in reference.arn
    why = f"{reference.name} is a rule group that others maintain, and outside the snapshot"
    if not passes_nothing:
        yield whether("allow", reference.name, why)
    if not reference.only_logs:
        yield whether("block", reference.name, why)


def _with_sets(step: Step, sets: Mapping[str, AddressSet]) -> Step:
    """The step with the sets that it refers to by a name of its group's own put in."""
    address, client = _put(step.box.address, sets), _put(step.box.client.addresses, sets)
    if address is step.box.address and client is step.box.client.addresses:
        return step
    return replace(step, box=replace(step.box, address=address, client=replace(step.box.client, addresses=client)))


def _put(addresses: AddressSet, sets: Mapping[str, AddressSet]) -> AddressSet:
    known = addresses.symbols & sets.keys()
    if not known:
        return addresses
    found = replace(addresses, symbols=addresses.symbols - known)
    for name in known:
        found |= sets[name]
    return found


def _account(arn: str) -> tuple[str, ...]:
    """Region and account of an ARN of its six parts; empty for another text."""
    parts = arn.split(":", 5)
    return tuple(parts[3:5]) if len(parts) == 6 else ()


def _is_stateful(group: Resource) -> bool:
    return group.properties.get("type") != "STATELESS"


def _definition(node: Node) -> str | None:
    items = [item.value for item in node.items()]
    return f"[{','.join(map(str, items))}]" if items and all(isinstance(each, str) for each in items) else None


def _declared(node: Node, policys: Mapping[str, str | None]) -> dict[str, str | None]:
    """Variables that a rule group declares for itself. EXTERNAL_NET does not follow a group's own HOME_NET.

    Where it is not known yet which they are, each of the policy's may be among them.
    """
    found: dict[str, str | None] = {}
    for kind, inner in (("ipSets", "ipSet"), ("portSets", "portSet")):
        listed = node.at(kind)
        if listed.unknown or any(item.at("key").unknown for item in listed.items()):
            found |= dict.fromkeys(policys)
        for item in listed.items():
            key = item.at("key").value
            if isinstance(key, str):
                found[key] = _definition(item.at(inner, "definitions"))
    return found
