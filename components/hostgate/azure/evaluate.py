"""What Azure Firewall does with a flow: the whole policy with its parents, as one ordered list of steps.

Order (rule processing logic and rule sets, read 2026-03-28): DNAT rules, then network rules, then application rules,
whatever their priority; of each kind the parent policy's groups before the child's; then group priority, collection
priority, place in the collection. The first that matches ends it. Application rules see HTTP and TLS alone; what
nothing allows is denied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Final

from hostgate.azure.dnat import NatRule
from hostgate.azure.resources import FIREWALL, GROUP, IP_GROUP, POLICY, RULE_GROUP, UNREAD_COLLECTIONS
from hostgate.azure.resources_bridged import canonical
from hostgate.azure.routes import routes_at
from hostgate.azure.rule_steps import CollectionRule, RuleCollection, address
from hostgate.flows.address_sets import NO_ADDRESS, AddressSet, symbol, union
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.routes import assumptions_aside, assumptions_of, other_ways, round_the_firewall
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Action, Box, ClientTest, Place, Stage, Step, WayOut, either, elsewhere
from hostgate.planning.address_pool import OWNER_LABEL
from hostgate.planning.kept_lists import PUSHED

TARGET: Final = "azure:application-rules"

_NAT: Final = "FirewallPolicyNatRuleCollection"

_NAMES: Final = {POLICY: "firewallPolicyName", IP_GROUP: "ipGroupsName"}

DENIED = Step(action="block", rule="", why="no rule allows it, and Azure Firewall denies the rest")

ASSUMPTIONS: Final = (
    "The clients' default routes of both address families lead to the firewall.",
    "The platform's built-in infrastructure names, which Microsoft does not list, pass where no rule denies them.",
)


_OTHERS_ROUTED: Final = "Other clients' default routes of both address families lead to the firewall."


def _routed(place: Place, snapshot: Snapshot, firewall: Resource | None) -> Place:
    """The place with what the snapshot's routes say, where they say something, for the first assumption."""
    routes = routes_at(snapshot, firewall)
    told = () if firewall is None else assumptions_of(routes, firewall.urn)
    aside = assumptions_aside(routes)
    led = (_OTHERS_ROUTED,) if aside else place.assumptions[:1]
    assumptions = (*(told or (*aside, *led)), *place.assumptions[1:])
    return replace(place, assumptions=assumptions, round_it=round_the_firewall(routes), other_ways=other_ways(routes))


def places(snapshot: Snapshot) -> list[Place]:
    """Every firewall, and every policy that no firewall of the snapshot uses, by itself or above another."""
    reading = _Reading(snapshot := canonical(snapshot))
    found = []
    used: set[str] = set()
    for firewall in snapshot.of_types([FIREWALL]):
        policy = reading.policy_at(firewall, firewall.node.at("firewallPolicy", "id"), "firewallPolicy")
        name = firewall.id or firewall.name
        if policy is not None:
            used |= {each.urn for each in reading.lineage(policy)}
            place = replace(reading.place(policy), name=name, kind="firewall")
        elif firewall.node.at("firewallPolicy").absent:
            reading.pushed = {}
            rules, ways_out = reading.classic(firewall)
            assumed = (*ASSUMPTIONS, *reading.pushed)
            place = Place(TARGET, name, (rules,), assumed, families=("IPv4",), kind="firewall", ways_out=ways_out)
        else:
            place = Place(TARGET, name, (_unseen(),), ASSUMPTIONS, kind="firewall")
        found.append(_routed(place, snapshot, firewall))
    for policy in snapshot.of_types([POLICY]):
        if policy.urn not in used:
            place = replace(reading.place(policy), remark="no firewall of the snapshot uses the policy")
            found.append(_routed(place, snapshot, None))
    return found


def group_place(groups: Sequence[Resource], snapshot: Snapshot, clients: ClientTest | None = None) -> Place:
    """Rule collection groups alone, as a plan has them, over a policy with nothing else."""
    reading = _Reading(snapshot)
    stage = reading.stage([(group, reading.collections(group)) for group in groups])
    return Place(TARGET, "plan", (stage,), (*ASSUMPTIONS, *reading.pushed), clients=clients)


def ip_group(reference: str, snapshot: Snapshot) -> AddressSet:
    """The addresses of an IP group where the snapshot holds it, else a symbol."""
    return _Reading(snapshot).ip_group(reference)


def before_the_rules(policy: Node, name: str) -> Iterator[str]:
    """What denies before any rule of the policy is asked, as assumptions: nobody here knows what it is about."""
    for key, words in (
        ("threatIntelMode", "Threat intelligence of {} denies what Microsoft lists, before any rule."),
        ("intrusionDetection.mode", "Intrusion detection of {} denies what its signatures match."),
    ):
        mode = policy.at(*key.split("."))
        if mode.unknown or mode.value == "Deny":
            yield words.format(name)


def _unseen() -> Stage:
    actions: tuple[Action, ...] = ("allow", "block")
    steps = tuple(
        Step(
            action=action,
            rule="the firewall's policy",
            why="it is not in the snapshot",
            box=Box(doubts=(f"the firewall's policy, which is not in the snapshot, makes it {action}",)),
        )
        for action in actions
    )
    return Stage("policy", steps, DENIED)


class _Reading:
    """A snapshot as far as Azure Firewall goes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.pushed: dict[str, None] = {}
        """What is assumed of IP groups that were read since it was cleared."""

    def place(self, policy: Resource) -> Place:
        self.pushed = {}
        lineage = self.lineage(policy)
        assumptions = list(ASSUMPTIONS)
        topmost = lineage[0].node.at("basePolicy", "id")
        if not topmost.absent:
            assumptions.append(f"The parent policy of {lineage[0].name} is not in the snapshot; its rules come first.")
        for each in lineage:
            assumptions += before_the_rules(each.node, each.name)
        named = _names_work(policy.node.at("sku", "tier"), policy.node.at("dnsSettings", "enableProxy"))
        own = [each for group, certain in self.groups_of(policy) if certain for each in self.collections(group)]
        groups = [
            (group, [replace(found, depth=depth) for found in (self.collections(group) if certain else _may_be(group))])
            for depth, each in enumerate(lineage)
            for group, certain in self.groups_of(each)
        ]
        stage = self.stage(groups, named, own)
        if not topmost.absent:
            unseen = either(f"the parent of {lineage[0].name}", "it is not in the snapshot, and its rules come first")
            stage = replace(stage, steps=(*unseen, *stage.steps))
        assumptions += self.pushed
        others = tuple(step for each in lineage for step in elsewhere(each))
        for each in self.snapshot.of_types([RULE_GROUP]):
            if any(self._belongs(each, policy) is not False for policy in lineage):
                others += either(each.name, f"{each.name} is of an obsolete type, which is not read", each.urn)
        stage = replace(stage, steps=(*others, *stage.steps))
        return Place(
            TARGET, policy.id or policy.name, (stage,), tuple(assumptions), policy=policy.name, families=("IPv4",),
            ways_out=self.ways_out(own), judging=frozenset({*(each.urn for each in lineage), *(group.urn for group, _ in groups)}),
        )  # fmt: skip

    def unread(self) -> Iterator[Step]:
        """What rule collections of the other provider may do, whichever firewall they are of."""
        for each in self.snapshot.of_types(UNREAD_COLLECTIONS):
            yield from either(each.name, f"{each.name} is of a provider whose rules are not read", each.urn)

    def lineage(self, policy: Resource) -> list[Resource]:
        """The policy under its parents, the topmost first."""
        found = [policy]
        while True:
            base = self.policy_at(found[0], found[0].node.at("basePolicy", "id"), "basePolicy")
            if base is None or base in found:
                return found
            found.insert(0, base)

    def policy_at(self, holder: Resource, node: Node, key: str) -> Resource | None:
        """The policy that an id names, or that the input was made from."""
        if node.absent:
            return None
        if isinstance(node.value, str):
            return self._named(POLICY, node.value, holder)
        made = [each for each in self.snapshot.referred(holder, key, None) if each.type == POLICY]
        return made[0] if len(made) == 1 else None

    def _named(self, type_: str, id_: str, holder: Resource | None) -> Resource | None:
        """What an id names in `holder`: what is called so, whatever the case. What has no id yet tells no subscription: it is
        meant where `holder` was made from it, and its resource group and name are those of the id."""
        wanted = id_.lower()
        place = wanted.split("/")[4::4]
        made = holder.made_from if holder is not None else frozenset()
        fitting = []
        for each in self.snapshot.of_types([type_]):
            if wanted in (each.id.lower(), str(each.properties.get("id")).lower()):
                return each
            told = [str(each.properties.get(key)).lower() for key in ("resourceGroupName", _NAMES[type_])]
            if each.urn in made and not each.id_is_told and told == place:
                fitting.append(each)
        return fitting[0] if len(fitting) == 1 else None

    def groups_of(self, policy: Resource) -> Iterator[tuple[Resource, bool]]:
        """Its rule collection groups, and whether it is certain that each is."""
        for group in self.snapshot.of_types([GROUP]):
            belongs = self._belongs(group, policy)
            if belongs is not False:
                yield group, belongs is True

    def _belongs(self, group: Resource, policy: Resource) -> bool | None:
        if group.id and policy.id:
            return group.id.lower().startswith(f"{policy.id.lower()}/")
        made = self.snapshot.referred(group, "firewallPolicyName", None)
        policies = [each for each in made if each.type == POLICY]
        if policy in policies:
            return True if len(policies) == 1 else None
        named = group.properties.get("firewallPolicyName")
        if not isinstance(named, str):
            # A group that does not tell may belong to any policy; groups beside it tell no name of one.
            return None if all(each.type in (GROUP, IP_GROUP) for each in made) else False
        if policy.properties.get("firewallPolicyName") is UNKNOWN:
            return None
        places = (group.properties.get("resourceGroupName"), policy.properties.get("resourceGroupName"))
        apart = all(isinstance(each, str) for each in places) and str(places[0]).lower() != str(places[1]).lower()
        return named.lower() == _name(policy) and not apart

    def collections(self, group: Resource) -> list[RuleCollection]:
        place = number(group.node.at("priority"))
        name = group.name
        listed = _each(group.node.at("ruleCollections"))
        return [RuleCollection(each, name, group.urn, 0, (place, number(each.at("priority")))) for each in listed]

    def stage(
        self,
        groups: Sequence[tuple[Resource, Sequence[RuleCollection]]],
        named: str = "",
        translating: Sequence[RuleCollection] = (),
    ) -> Stage:
        """All DNAT rules, which are in `translating`, then all network rules, then all application rules; collections whose
        place is not known stand for themselves.

        `named` is what has to be so for names in network rules to work; nothing where they do.
        """
        collections = [each for _, several in groups for each in several]
        network: list[tuple[RuleCollection, list[Step]]] = []
        application: list[tuple[RuleCollection, list[Step]]] = []
        for each in collections:
            of_network, of_application = self._steps(each, named)
            network.append((each, of_network))
            application.append((each, of_application))
        denies = [step for _, steps in network for step in steps if step.action == "block"]
        first = tuple(step for rule in self.nat_rules(translating) for step in rule.steps(denies))
        if all(each.known for each in collections):
            ordered = [*first, *_in_order(network), *_in_order(application)]
            return Stage("policy", tuple(ordered), DENIED)
        loose = tuple((*first, *own, *others) for (_, own), (_, others) in zip(network, application, strict=True))
        return Stage("policy", (), DENIED, unordered=loose)

    def nat_rules(self, collections: Sequence[RuleCollection]) -> Iterator[NatRule]:
        for each in sorted(collections, key=lambda each: [place or 0 for place in each.priority]):
            if each.kind == "NatRule" or each.node.at("ruleCollectionType").value == _NAT:
                for rule in _each(each.node.at("rules")):
                    yield NatRule(partial(self.ip_group, owner=each.owner), rule, each, "allow")

    def ways_out(
        self, collections: Sequence[RuleCollection], classic: Sequence[RuleCollection] = ()
    ) -> tuple[WayOut, ...]:
        """Where DNAT rules lead on the internet."""
        network = [step for each in (*collections, *classic) for step in self._steps(each, "")[0]]
        denies = [step for step in network if step.action == "block"]
        return tuple(way for rule in self.nat_rules(collections) for way in rule.ways_out(denies))

    def _steps(self, collection: RuleCollection, named: str) -> tuple[list[Step], list[Step]]:
        """The collection's network rules and application rules as steps."""
        node = collection.node
        if node.unknown:
            return list(either(collection.group, "its rule collections are not known yet", collection.owner)), []
        kind = node.at("ruleCollectionType").value
        if kind == _NAT or collection.kind == "NatRule":
            return [], []  # a stage of their own
        word = node.at("action", "type")
        action: Action | None = {"allow": "allow", "deny": "block"}.get(str(word.value).lower())  # type: ignore[assignment]
        network: list[Step] = []
        application: list[Step] = []
        rules = node.at("rules")
        if rules.unknown or action is None:
            name = f"{collection.group}/{node.at('name').value or '?'}"
            return list(either(name, "its rules or its action are not known yet", collection.owner)), []
        for rule in rules.items():
            reader = CollectionRule(partial(self.ip_group, owner=collection.owner), rule, collection, action)
            speaks = collection.kind or rule.at("ruleType").value
            if rule.unknown:
                network += either(reader.label, "it is not known yet", collection.owner)
            elif speaks == "ApplicationRule":
                application += reader.application()
            elif speaks == "NetworkRule":
                network += reader.network(named)
            elif speaks != "NatRule":
                network += either(reader.label, "it is not known yet", collection.owner)
        return network, application

    def classic(self, firewall: Resource) -> tuple[Stage, tuple[WayOut, ...]]:
        """A firewall without a policy: its own rule collections, NAT ones before network ones before application ones."""
        proxy = firewall.node.at("additionalProperties", "Network.DNS.EnableProxy")
        proxied = Node(str(proxy.value).lower() == "true" or proxy.unknown)
        named = _names_work(firewall.node.at("sku", "tier"), proxied)
        collections = [
            RuleCollection(node, firewall.name, firewall.urn, 0, (0, number(node.at("priority"))), kind)
            for key, kind in (
                ("networkRuleCollections", "NetworkRule"),
                ("applicationRuleCollections", "ApplicationRule"),
                ("natRuleCollections", "NatRule"),
            )
            for node in _each(firewall.node.at(key))
        ]
        own = [each for each in collections if each.kind == "NatRule"]
        others = [each for each in collections if each.kind != "NatRule"]
        stage = self.stage([(firewall, others)], named, own)
        stage = replace(stage, name="the firewall's own rules", steps=(*self.unread(), *stage.steps))
        return stage, self.ways_out(own, others)

    def ip_group(self, reference: str | None, owner: str = "") -> AddressSet:
        """The addresses of an IP group: its own where it is in the snapshot and known, else a symbol. Of a reference in rules
        of `owner` that is not known yet (None), those of the one group that the rules were made from, else none."""
        holder = self.snapshot.by_urn.get(owner)
        if reference is None:
            made = holder and self.snapshot.only(holder, "ruleCollections", IP_GROUP)
            return self.addresses_of_group(made) if made else NO_ADDRESS
        group = self._named(IP_GROUP, reference, holder)
        return self.addresses_of_group(group) if group else symbol(f"IP group {reference}")

    def addresses_of_group(self, group: Resource) -> AddressSet:
        if not group.node.at("tags", OWNER_LABEL).absent:
            self.pushed[PUSHED] = None
        node = group.node.at("ipAddresses")
        if node.unknown or any(not isinstance(item.value, str) for item in node.items()):
            return symbol(f"unknown:{group.urn}#ipAddresses")
        return union(address(str(item.value)) for item in node.items())


def _in_order(found: Sequence[tuple[RuleCollection, list[Step]]]) -> Iterator[Step]:
    ranked = sorted(found, key=lambda each: (each[0].depth, each[0].priority[0] or 0, each[0].priority[1] or 0))
    for _, several in groupby(ranked, key=lambda each: (each[0].depth, each[0].priority)):
        equal = list(several)
        steps = [step for _, of_it in equal for step in of_it]
        if len(equal) > 1 and len({step.action for step in steps}) > 1:  # whose turn comes first is not documented
            for step in steps:
                first = f"{step.rule} is asked before others of equal priority"
                yield replace(step, box=replace(step.box, doubts=(*step.box.doubts, first)))
        yield from steps


def _names_work(tier: Node, proxy: Node) -> str:
    """What has to be so for names in network rules to work: Standard or Premium, and the DNS proxy (feature table by
    tier and FQDN filtering in network rules, read 2026-03); nothing where it is."""
    if str(tier.value).lower() == "basic":
        return "names in network rules work in the Basic tier, which does not have them"
    return "" if proxy.value is True else "the policy's DNS proxy is on, which names in network rules need"


def _may_be(group: Resource) -> list[RuleCollection]:
    """A rule collection group of which it is not known yet whether it is the policy's: it may do anything, or nothing."""
    return [RuleCollection(Node(UNKNOWN), group.name, group.urn, 0, (None, None))]


def _each(node: Node) -> Sequence[Node]:
    """The items of a list; of one that is not known yet, that."""
    return [node] if node.unknown else list(node.items())


def _name(resource: Resource) -> str:
    named = resource.properties.get("firewallPolicyName") or resource.properties.get("name")
    return str(named if isinstance(named, str) else resource.id.rpartition("/")[2]).lower()
