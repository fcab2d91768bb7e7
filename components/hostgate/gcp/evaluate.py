"""What Google Cloud does with a flow out of a VPC network: every policy that stands there, as stages of steps.

Order (Cloud NGFW, firewall policy rule evaluation order, read 2026-04-08): hierarchical policies, then VPC firewall rules,
global and regional network policies, then the implied allow of egress; a network may put its policies before the VPC
firewall rules. In a policy the first rule by priority decides, whatever is more specific; what none decides goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from hostgate.flows.address_sets import FAMILIES, NO_ADDRESS, AddressSet, listed, reachable, symbol
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, ClientTest, Place, Stage, Step, elsewhere
from hostgate.gcp.evaluate_answers import answers
from hostgate.gcp.evaluate_profiles import Profiles, Ruling
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions
from hostgate.gcp.references import NETWORK_ASSOCIATIONS, POLICIES, References, alike
from hostgate.gcp.resources import (
    ADDRESS_GROUP,
    ASSOCIATION,
    CLASSIC,
    DNS_POLICY,
    INSTANCES,
    NETWORK,
    ORGANISATION_ASSOCIATION,
    ORGANISATION_POLICY,
    ORGANISATION_POLICY_WITH_RULES,
    ORGANISATION_RULE,
    REGION_ASSOCIATION,
    REGION_RULE,
    RULE,
)
from hostgate.gcp.resources_groups import path_in
from hostgate.gcp.resources_proxy import SUBNETWORK
from hostgate.gcp.rule_steps import (
    METADATA_ANSWERS,
    PolicyRule,
    RankedStep,
    classic_steps,
    in_order,
    network_path,
    platform,
)
from hostgate.planning.address_pool import OWNER_LABEL
from hostgate.planning.allowlists_at import named_by_allowlists, read_allowlist
from hostgate.planning.kept_lists import PUSHED

TARGET: Final = "gcp:fqdn"

NO_FORWARDING: Final = (
    "The VPC has no outbound DNS server policy with an alternative name server, with which FQDN objects do not work."
)
"""What is assumed of a network where none is seen (Cloud NGFW, FQDN objects overview)."""

ALLOWED = Step(action="allow", rule="", why="no rule matches, and VPC networks allow egress by default (implied rule)")


def places(snapshot: Snapshot) -> list[Place]:
    """Every network that the snapshot says something about, else every organisation and folder; and every policy that
    nothing there uses."""
    reading = _Reading(snapshot)
    keys, above, named = reading.networks(), reading.above(), _named_by_allowlists(snapshot)
    found = [reading.network(key) for key in keys] or [reading.below(each) for each in above]
    found += [reading.network(key) for key in named if key not in keys]
    found = [replace(each, judging=each.judging | named.get(each.name, frozenset())) for each in found]
    attached = (each for key in keys for each, _, _ in reading.attached(key))
    used = {policy.urn for policy in (*attached, *map(reading.names.policy_of, above)) if policy is not None}
    for policy in snapshot.of_types(POLICIES):
        if policy.urn not in used:
            hierarchical = policy.type in (ORGANISATION_POLICY, ORGANISATION_POLICY_WITH_RULES)
            what = "organisation or folder" if hierarchical else "network"
            alone = Place(
                TARGET, policy.id or policy.name, (platform(), reading.stage(policy), _implied()),
                remark=f"no {what} is associated with the policy",
                policy=policy.name, answers=METADATA_ANSWERS, judging=frozenset({policy.urn}),
            )  # fmt: skip
            found.append(alone)
    return found


def _named_by_allowlists(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """Networks with which allowlists associate the policy that they make, by the path: they are theirs, whatever policy is
    associated there."""
    found: dict[str, frozenset[str]] = {}
    for urn in dict.fromkeys(urn for urns in named_by_allowlists(snapshot, "gcp", "networks").values() for urn in urns):
        options = read_allowlist(snapshot.by_urn[urn], snapshot).options
        if not isinstance(options, FirewallPolicyOptions) or options.attach is not None or options.parent is not None:
            continue
        for path in options.network_paths:
            if path.startswith("projects/"):
                found[path] = found.get(path, frozenset()) | {urn}
    return found


def policy_place(
    target: str, snapshot: Snapshot, ending: Step = ALLOWED, clients: ClientTest | None = None, network: str = "",
    uninspected: Sequence[str] = (),
) -> Place:  # fmt: skip
    """The one policy of a plan, with or without the policy itself among the objects, over a network with nothing else:
    `network`, where the rules name some.

    `ending` is what becomes of a flow that no rule decides; `uninspected` what would have to be so for rules that inspect
    to let everything pass.
    """
    reading = _Reading(snapshot)

    def inspect(rule: PolicyRule) -> tuple[Ruling, ...]:
        return reading.rulings(rule, uninspected)

    rules = [
        step
        for rule in snapshot.of_types([RULE, REGION_RULE, ORGANISATION_RULE])
        for step in PolicyRule(reading.group, rule.node, rule.name, network=network, inspect=inspect).steps()
    ]
    steps, unordered = in_order(rules)
    stage = Stage("policy", steps, replace(ending, action="next"), unordered=unordered)
    stages = (platform(), stage, Stage("implied", (), ending))
    return Place(target, "plan", stages, clients=clients, answers=(*answers(snapshot), *METADATA_ANSWERS))


_Attached = tuple[Resource | None, Resource, tuple[str, ...]]
"""A policy with its association and doubts, as `_Reading.attached` has them."""

_ASSOCIATION_PRIORITY: Final = 1_000
"""Unless given (compute v1, FirewallPolicyAssociation.priority, revision 20261106)."""


def _rank(association: Resource) -> tuple[int, str] | None:
    """By what associations of one region are ordered; None: not known yet."""
    told, name = association.node.at("priority"), association.properties.get("name")
    priority = _ASSOCIATION_PRIORITY if told.absent else number(told)
    return None if priority is None or not isinstance(name, str) else (priority, name)


def _policy_name(association: Resource) -> str:
    told = association.properties.get("firewallPolicy")
    return told.rpartition("/")[2] if isinstance(told, str) else f"the policy of {association.name}"


def _implied() -> Stage:
    return Stage("implied", (), ALLOWED)


class _Reading:
    """A snapshot as far as Google Cloud's policies go."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.names = References(snapshot)
        self.profiles = Profiles(snapshot)
        self.pushed: set[str] = set()
        """What names a group whose items a push keeps: URNs of rules, and of policies with their rules in them."""

    def networks(self) -> list[str]:
        """Keys of the networks: the path of a link where it is known, else what the network is called here."""
        found: dict[str, None] = {}
        for resource in self.snapshot.of_types(NETWORK_ASSOCIATIONS):
            found.setdefault(self.names.network(resource, "attachmentTarget"))
        for resource in self.snapshot.of_types([CLASSIC]):
            found.setdefault(self.names.network(resource, "network"))
        for resource in self.snapshot.of_types([NETWORK]):
            found.setdefault(self.names.key_of(resource))
        for resource in self.snapshot.of_types([ORGANISATION_RULE] if not found else []):
            for link in resource.node.at("targetResources").items():
                if isinstance(link.value, str):
                    found.setdefault(network_path(link.value))
        return list(found)

    def rulings(self, rule: PolicyRule, uninspected: Sequence[str] | None = None) -> tuple[Ruling, ...]:
        """What a security profile group does to what the rule sends to it. What is not inspected passes, whatever the group
        says: `uninspected` is what would have to be so for that, by the snapshot unless given."""
        found = self.profiles.rulings(rule.name, rule.node, rule.holder)
        if not any(each.action == "block" and not each.box.doubts for each in found):
            return found
        why = f"{rule.name} lets everything pass where no firewall endpoint inspects it"
        doubts = self.uninspected(rule.network) if uninspected is None else uninspected
        return (*(Ruling(action="allow", why=why, box=Box(doubts=(each,))) for each in doubts), *found)

    def uninspected(self, network: str) -> list[str]:
        """What would have to be so for traffic of the network to pass endpoints by, as far as the snapshot tells."""
        listed = self._inspecting(network)
        if not listed:
            return ["the client's zone has no firewall endpoint for the network, and none is in the snapshot"]
        doubts: dict[str, None] = {}
        for each in listed:
            mtu = self._mtu(network or self.names.network(each, "network"))
            if mtu is not None and (doubt := self.profiles.too_large(each, mtu)):
                doubts.setdefault(doubt)
        zones = self.zones(network)
        for instance in self.snapshot.of_types(INSTANCES):
            zone = instance.properties.get("zone")
            if isinstance(zone, str) and zone.rpartition("/")[2] not in zones and self._is_in(instance, network):
                where = zone.rpartition("/")[2]
                doubts.setdefault(
                    f"the client is in {where}, as {instance.name} is, where no firewall endpoint inspects"
                )
        return list(doubts)

    def _is_in(self, instance: Resource, network: str) -> bool:
        """Whether an instance is seen to have an interface in the network, by that or by a subnetwork of it."""
        subnets = {each.urn: each for each in self.snapshot.of_types([SUBNETWORK])}
        made = self.snapshot.referred(instance, "networkInterfaces", UNKNOWN)
        keys = {self.names.key_of(each) for each in made if each.type == NETWORK}
        held = [subnets[each.urn] for each in made if each.urn in subnets]
        for interface in instance.node.at("networkInterfaces").items():
            of_network, of_subnet = interface.at("network").value, interface.at("subnetwork").value
            if isinstance(of_network, str):
                keys.add(network_path(of_network))
            if isinstance(of_subnet, str):
                last = of_subnet.rpartition("/")[2]
                held += [each for each in subnets.values() if last in (each.properties.get("name"), each.id)]
        keys |= {self.names.network(each, "network") for each in held}
        return network in keys or network.rpartition("/")[2] in keys

    def zones(self, network: str) -> list[str]:
        """Where an endpoint inspects traffic of the network; without one, of any that the snapshot has an endpoint for."""
        return sorted({str(each.properties.get("location")) for each in self._inspecting(network)})

    def _inspecting(self, network: str) -> list[Resource]:
        """The associations of endpoints with the network, or with any."""
        held = self.profiles.endpoint_associations()
        return [each for each in held if not network or self.names.of_network(each, "network", network) == ()]

    def _mtu(self, key: str) -> Node | None:
        """The MTU of the network; None where the network is not in the snapshot. What a first preview does not know and was made
        from nothing is left out: the provider computes the default then."""
        network = next((each for each in self.snapshot.of_types([NETWORK]) if self.names.key_of(each) == key), None)
        if network is None:
            return None
        found = network.node.at("mtu")
        return Node(None) if found.unknown and network.properties and network.is_left_out("mtu") else found

    def attached(self, network: str) -> Iterator[_Attached]:
        """Policies that are associated with the network, with the association; None for one outside the snapshot. What
        would have to be so for the association not to be with it comes third."""
        for association in self.snapshot.of_types(NETWORK_ASSOCIATIONS):
            doubts = self.names.of_network(association, "attachmentTarget", network)
            if doubts is not None:
                yield self.names.policy_of(association), association, doubts

    def network(self, key: str) -> Place:
        assumptions = ["Hierarchical policies that are not in the snapshot, above the project, judge first."]
        if not self.forwarding(key):
            assumptions.append(NO_FORWARDING)
        hierarchical, assumed = self._hierarchical(self.above(), network=key)
        assumptions += assumed
        attached = list(self.attached(key))
        network = [*self._global(attached, key), *self._regional(attached, key)]
        if zones := self.zones(key):
            assumptions.append(
                f"Clients run in {', '.join(zones)} alone; elsewhere what is inspected by name passes as it is."
            )
            if self._mtu(key) is None:
                assumptions.append(self.profiles.largest(self._inspecting(key)))
        order, said = self._enforcement(key)
        stages = [platform(), *hierarchical]
        if order == "BEFORE_CLASSIC_FIREWALL":
            stages += [*network, *self._classic(key)]
        elif order == "AFTER_CLASSIC_FIREWALL":
            classic = self._classic(key)
            stages += [*classic, *network]
            if classic and not said:
                assumptions.append("VPC firewall rules judge before network policies, the default of a network.")
        else:  # rules that have passed a flow on do so again
            first = ("the network's policies judge before its VPC firewall rules",)
            stages += [*self._classic(key, first), *network, *self._classic(key)]
        names = (
            str(one.properties.get("firewallPolicy")).rpartition("/")[2] if policy is None else policy.name
            for policy, one, _ in attached
        )
        without_ipv6 = _without_ipv6(stages)
        families = FAMILIES if without_ipv6 is None else FAMILIES[:1]
        allowed = (each.box.address for stage in stages for each in stage.steps if each.action == "allow" and each.rule)
        if without_ipv6 is not None and any(map(_has_ipv6, allowed)):
            assumptions.append(
                f"Clients go over IPv4: {without_ipv6.rule} denies all of IPv6 before anything allows some of it."
            )
        return Place(
            TARGET, key, (*stages, _implied()), (*assumptions, *self._kept(stages)), policy=", ".join(names), kind="network",
            families=families, judging=frozenset(each.urn for each, _, _ in attached if each is not None),
            answers=(*answers(self.snapshot, lambda policy: self._answers(policy, key)), *METADATA_ANSWERS),
        )  # fmt: skip

    def _global(self, attached: Sequence[_Attached], network: str) -> Iterator[Stage]:
        """Of several for one network nobody tells which it has: it takes one (Network Security Integration, quotas, read
        2026-11-23)."""
        those = [each for each in attached if each[1].type == ASSOCIATION]
        surely = [(policy, association) for policy, association, doubts in those if not doubts]
        for policy, association, doubts in those:
            others = [
                _policy_name(each)
                for other, each in surely
                if each is not association and (other is None or other is not policy)
            ]
            if others:
                name = _policy_name(association)
                several = (
                    f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} the network's policy, and not {name}"
                )
                doubts = (*doubts, f"{several}: a network has one global policy")
            yield self.stage(policy, association, doubts, network=network)

    def _regional(self, attached: Sequence[_Attached], network: str) -> Iterator[Stage]:
        """Region by region, by the priority of the associations, the lowest number first, then by their names (compute v1,
        FirewallPolicyAssociation.priority, revision 20261106). One whose place is not known may be anywhere."""
        regions: dict[str | None, list[_Attached]] = {}
        for each in attached:
            if each[1].type == REGION_ASSOCIATION:
                region = each[1].properties.get("region") or (each[0] and each[0].properties.get("region"))
                regions.setdefault(region if isinstance(region, str) else None, []).append(each)
        for region, those in regions.items():
            where = f"the client is not in {region}" if region else "the client is not in the policy's region"

            def stage(each: _Attached, *doubts: str, where: str = where) -> Stage:
                return self.stage(each[0], each[1], (*each[2], where, *doubts), network=network)

            ranks = [_rank(association) for _, association, _ in those]
            known = sorted((rank, at) for at, rank in enumerate(ranks) if rank is not None)
            loose = [each for each, rank in zip(those, ranks, strict=True) if rank is None]
            for _, at in known:
                yield from (
                    stage(each, f"{_policy_name(each[1])} does not judge before {_policy_name(those[at][1])}")
                    for each in loose
                )
                yield stage(those[at])
            for at, each in enumerate(loose):
                for other in loose[at + 1 :]:
                    yield stage(other, f"{_policy_name(other[1])} does not judge before {_policy_name(each[1])}")
                yield stage(each)

    def _kept(self, stages: Sequence[Stage]) -> tuple[str, ...]:
        """What is assumed where rules name groups that a push keeps."""
        return (PUSHED,) if any(step.owner in self.pushed for stage in stages for step in stage.steps) else ()

    def _answers(self, policy: Resource, network: str) -> bool | None:
        """Whether a response policy is the network's; None where nobody can tell."""
        made = [each for each in self.snapshot.referred(policy, "networks", UNKNOWN) if each.type == NETWORK]
        keys = {self.names.key_of(each) for each in made}
        links = (
            [policy.node.at("networks")] if policy.node.at("networks").unknown else policy.node.at("networks").items()
        )
        for value in (link.at("networkUrl").value for link in links):
            if isinstance(value, str):
                keys.add(network_path(value))
            elif not made:
                return True if network in keys else None
        return network in keys

    def above(self) -> list[Resource]:
        """Associations of hierarchical policies, those of organisations before those of folders."""
        associations = self.snapshot.of_types([ORGANISATION_ASSOCIATION])
        return sorted(associations, key=lambda each: _organisation(each) is None)

    def below(self, association: Resource) -> Place:
        """Any network of the projects below what the association is with, for a snapshot that has none."""
        others = [each for each in self.above() if each is not association]
        target, ours = association.properties.get("attachmentTarget"), _organisation(association)
        if ours is not None:
            others = [each for each in others if _organisation(each) in (ours, None)]
            stages, assumptions = self._hierarchical([association, *others])
        else:  # a folder may be below another
            stages, assumptions = self._hierarchical(others)
            stages.append(self.stage(self.names.policy_of(association), association))
        none = "Its VPC firewall rules and the policies of the network are not in the snapshot: there may be none."
        stages = [platform(), *stages, _implied()]
        return Place(
            TARGET, str(target) if isinstance(target, str) else association.name, tuple(stages),
            (*assumptions, none, *self._kept(stages)), policy=str(association.properties.get("firewallPolicy")).rpartition("/")[2],
            kind="projects below", answers=METADATA_ANSWERS,
        )  # fmt: skip

    def _hierarchical(self, associations: Sequence[Resource], network: str = "") -> tuple[list[Stage], list[str]]:
        """The stages of associations with organisations and folders, and what they assume.

        A project is below one organisation (Resource Manager, resource hierarchy): of several, nobody says which.
        """
        organisations = [each for each in dict.fromkeys(map(_organisation, associations)) if each is not None]
        one = len(organisations) == 1
        stages = []
        for association in associations:
            target = association.properties.get("attachmentTarget")
            doubts: tuple[str, ...] = ()
            if not one or _organisation(association) is None:
                where = target if isinstance(target, str) else f"what {association.name} is attached to"
                doubts = (f"the project is not below {where}",)
            stages.append(self.stage(self.names.policy_of(association), association, doubts, network))
        if not organisations:
            return stages, []
        several = f"one of {', '.join(organisations)}; which, the snapshot does not say"
        return stages, [f"The project belongs to {organisations[0] if one else several}."]

    def _enforcement(self, key: str) -> tuple[str | None, bool]:
        """Which of VPC firewall rules and network policies judge first, None if that is not known yet; and whether the
        network says so."""
        for network in self.snapshot.of_types([NETWORK]):
            if self.names.key_of(network) == key:
                order = network.properties.get("networkFirewallPolicyEnforcementOrder")
                return (
                    (order, True)
                    if isinstance(order, str)
                    else ("AFTER_CLASSIC_FIREWALL" if order is None else None, True)
                )
        return "AFTER_CLASSIC_FIREWALL", False

    def stage(
        self,
        policy: Resource | None,
        association: Resource | None = None,
        doubts: tuple[str, ...] = (),
        network: str = "",
    ) -> Stage:
        """The egress rules of a policy; what none of them decides goes on, and so does all if `doubts` are so.

        They come once and first: the policy is for the client with all its rules, or with none.
        """
        onward = Step(action="next", rule="", why="no rule of the policy matches")
        passed = _passed(doubts)
        if policy is None:
            name = str(association.properties.get("firewallPolicy")) if association else "a policy"
            unseen = f"a rule of {name}, which is not in the snapshot, says so"
            either: tuple[Step, ...] = tuple(
                Step(action=action, rule=name, why=f"{name} is outside the snapshot", box=Box(doubts=(unseen,)))
                for action in ("allow", "block")
            )
            return Stage(name, (*passed, *either), onward)
        passed = (*passed, *elsewhere(policy))
        resolving = self.forwarding(network)

        def rule_of(node: Node, name: str, holder: Resource, default: str = "EGRESS") -> PolicyRule:
            return PolicyRule(
                partial(self.group, holder=holder), node, name, holder, default=default, network=network, inspect=self.rulings,
                resolving=resolving,
            )  # fmt: skip

        ranked: list[RankedStep] = []
        listed = policy.node.at("rules")
        for index, node in enumerate([listed] if listed.unknown else listed.items()):
            told = node.at("ruleName").value or f"{policy.name}#{_shown(node.at('priority'), index)}"
            ranked += rule_of(node, str(told), policy, "INGRESS").steps()
        for rule in self.snapshot.of_types([POLICIES[policy.type]]):
            its_own = self.names.is_rule_of(rule, policy)
            if its_own is not False:
                reader = rule_of(rule.node, rule.name, rule)
                reader.doubts += [] if its_own else [f"{rule.name} is a rule of {policy.name}"]
                ranked += reader.steps()
        steps, unordered = in_order(ranked)
        others = tuple((*passed, *group) for group in unordered)
        return Stage(policy.name, (*passed, *steps), onward, unordered=others)

    def _classic(self, key: str, doubts: tuple[str, ...] = ()) -> list[Stage]:
        """VPC firewall rules, which pass all on if `doubts` are so."""
        ranked: list[RankedStep] = []
        for rule in self.snapshot.of_types([CLASSIC]):
            elsewhere = self.names.of_network(rule, "network", key)
            if elsewhere is not None:
                ranked += classic_steps(rule, [f"{rule.name} is about this network"] if elsewhere else [])
        if not ranked:
            return []
        steps, unordered = in_order(ranked, denies_first=True)
        onward = Step(action="next", rule="", why="no VPC firewall rule matches")
        passed = _passed(doubts)
        others = tuple((*passed, *group) for group in unordered)
        return [Stage("VPC firewall rules", (*passed, *steps), onward, unordered=others)]

    def forwarding(self, network: str) -> tuple[str, ...]:
        """DNS server policies of the network that name alternative name servers, as what would have to be so for FQDN
        objects to work there all the same (Cloud NGFW, FQDN objects overview)."""
        found = []
        for policy in self.snapshot.of_types([DNS_POLICY]) if network else ():
            servers = policy.node.at("alternativeNameServerConfig", "targetNameServers")
            listed = policy.node.at("networks")
            of_network = listed.unknown
            for item in listed.items() if not listed.unknown else ():
                url = item.at("networkUrl").value
                of_network |= not isinstance(url, str) or network_path(url) in (network, network.rpartition("/")[2])
            if of_network and (servers.unknown or not (servers.absent or servers.empty)):
                found.append(f"FQDN objects resolve although the DNS policy {policy.name} names other name servers")
        return tuple(found)

    def group(self, reference: str | None, holder: Resource | None = None) -> AddressSet:
        """The addresses of an address group: its items where the group is in the snapshot and known, else a symbol. Of a
        reference of `holder` that is not known yet (None), those of the one group that its rules were made from, else none."""
        if reference is None:
            key = "match" if holder is None or "match" in holder.properties else "rules"
            made = holder and self.snapshot.only(holder, key, ADDRESS_GROUP)
            return self._items_of(made, holder) if made else NO_ADDRESS
        named = [each for each in self.snapshot.of_types([ADDRESS_GROUP]) if _is_named(each, reference)]
        return self._items_of(named[0], holder) if len(named) == 1 else symbol(f"address group {reference}")

    def _items_of(self, group: Resource, holder: Resource | None) -> AddressSet:
        """What nobody documents of a group without items is not known either."""
        if holder is not None and not group.node.at("labels", OWNER_LABEL).absent:
            self.pushed.add(holder.urn)
        items, unread = group.node.at("items"), f"unknown:{group.urn}#items"
        if items.unknown or items.absent or items.empty:
            return symbol(
                unread if items.unknown else f"unknown:what a group without items holds, such as {group.name}"
            )
        return listed((item.value for item in items.items()), unread)


def _is_named(group: Resource, reference: str) -> bool:
    """Whether the reference is to the group: by name, and by parent and location as far as both say them."""
    name = group.properties.get("name")
    parent, location, named = path_in(group.id or str(name))
    own = (parent or group.properties.get("parent"), location or group.properties.get("location"))
    *place, wanted = path_in(reference)
    return wanted == named and alike(own, place)


def _without_ipv6(stages: Sequence[Stage]) -> Step | None:
    """The deny of all IPv6 that comes before anything that lets some of it pass: flows do not go over it then."""
    every = reachable().of("IPv6")
    for stage in stages:
        if stage.unordered:
            return None
        for step in stage.steps:
            box = step.box
            if step.action != "block":
                if _has_ipv6(box.address):
                    return None
            elif box == Box(address=box.address) and not box.address.without and box.address.of("IPv6").holds(every):
                return step
    return None


def _has_ipv6(where: AddressSet) -> bool:
    """Whether some of it may be the internet over IPv6."""
    return bool(where.opaque or where.of("IPv6") & reachable().of("IPv6"))


def _passed(doubts: tuple[str, ...]) -> tuple[Step, ...]:
    return tuple(
        Step(action="next", rule="", why="the policy is not for the client", box=Box(doubts=(each,))) for each in doubts
    )


def _organisation(association: Resource) -> str | None:
    target = association.properties.get("attachmentTarget")
    return target if isinstance(target, str) and target.startswith("organizations/") else None


def _shown(priority: Node, index: int) -> str:
    return str(priority.value) if isinstance(priority.value, int | float) else f"rule {index + 1}"
