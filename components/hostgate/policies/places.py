"""Where flows meet the rules of a stack: what the engine hands over as a snapshot for the evaluator of each cloud.

What a rule belongs to and is not part of the stack is put in for it: a policy that closes by default on AWS and holds
nothing else, and networks that every policy without one is taken to be associated with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from hostgate.aws import evaluate as aws
from hostgate.aws.default_actions import DROP_TO_SERVER
from hostgate.aws.resources_firewall import FIREWALL_POLICY
from hostgate.azure import evaluate as azure
from hostgate.azure.resources import POLICY as AZURE_POLICY
from hostgate.flows.address_sets import NO_ADDRESS
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place, Step
from hostgate.gcp import evaluate as gcp
from hostgate.gcp import evaluate_proxy
from hostgate.gcp import resources as gcp_types
from hostgate.planning.allowlists_at import with_clients, with_named
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.planning.targets import named
from hostgate.policies.belonging import Together, readings, together
from hostgate.policies.readers import PROXY_POLICY, canonical, cloud_of, unread
from hostgate.policies.violations import ResourceReading

_ELSEWHERE: Final = "elsewhere:"
_CLOSES: Final = ", and to drop what no rule passes"
_KINDS_OF_GCP: Final[Mapping[str, tuple[str, str]]] = {
    gcp_types.RULE: (gcp_types.POLICY, gcp_types.ASSOCIATION),
    gcp_types.REGION_RULE: (gcp_types.REGION_POLICY, gcp_types.REGION_ASSOCIATION),
    gcp_types.ORGANISATION_RULE: (gcp_types.ORGANISATION_POLICY, gcp_types.ORGANISATION_ASSOCIATION),
}
_ASSOCIATIONS: Final[Mapping[str, str]] = {
    **dict(_KINDS_OF_GCP.values()),
    gcp_types.POLICY_WITH_RULES: gcp_types.ASSOCIATION,
    gcp_types.REGION_POLICY_WITH_RULES: gcp_types.REGION_ASSOCIATION,
    gcp_types.ORGANISATION_POLICY_WITH_RULES: gcp_types.ORGANISATION_ASSOCIATION,
}


@dataclass(frozen=True)
class JudgedPolicy(Together):
    """A policy with its rules, and the places where flows meet them; none where nobody can tell."""

    places: tuple[Place, ...]
    resources: Mapping[str, Resource]
    """Of the stack, by URN."""

    @cached_property
    def urns(self) -> Mapping[str, ResourceReading]:
        return {seen.resource.urn: seen for seen in self.rules}

    @cached_property
    def naming(self) -> frozenset[str]:
        """Of the rules, those that allow something by name, or may. A rule that sends flows to a security profile group has
        no names of its own: those are seen where flows meet it."""
        met = {step.owner for place in self.places for step in place.steps if _by_profile(step)} & self.urns.keys()
        return frozenset({*met, *(urn for urn, seen in self.urns.items() if seen.reading.may_name)})

    @property
    def may_name(self) -> bool:
        return bool(self.naming)

    def owner(self, step: Step | None) -> Resource:
        """The resource to speak of for a step: the one that holds it, else the policy, else the first of its rules."""
        if step is not None and step.owner in self.resources:
            return self.resources[step.owner]
        return (self.policy or self.rules[0]).resource


def judged_policies(sets: Sequence[Together], resources: Sequence[Resource]) -> list[JudgedPolicy]:
    """Each of `sets` with its places."""
    by_urn = {resource.urn: resource for resource in resources}
    standing = {resource.urn: _completed(resource) for resource in resources}
    for each in sets:
        standing |= {made.urn: made for made in _put_in(each, standing)}
    snapshot = Snapshot(tuple(standing.values()), "the stack")
    clouds = {each.cloud for each in sets}
    evaluators = {"aws": aws.places, "gcp": gcp.places, "azure": azure.places}
    places = {cloud: evaluators[cloud](snapshot) for cloud in clouds}
    found = []
    proxies = evaluate_proxy.places(snapshot) if any(each.proxy for each in sets) else []
    for each in sets:
        if each.proxy:
            mine = [evaluate_proxy.proxy_alone(place) for place in _of(each, proxies)]
            found.append(JudgedPolicy(each.cloud, each.key, each.policy, each.rules, tuple(mine), by_urn))
            continue
        mine = _of(each, places[each.cloud])
        if each.cloud == "gcp" and all(place.remark for place in mine):
            mine = _of(each, gcp.places(_associated(each, snapshot))) or mine
        found.append(JudgedPolicy(each.cloud, each.key, each.policy, each.rules, tuple(mine), by_urn))
    return found


def places_of_stack(snapshot: Snapshot) -> list[Place]:
    """Every place where the rules of a stack are met, those of policies that others own among them: these are taken to hold
    nothing else, which the place assumes."""
    snapshot = replace(snapshot, resources=canonical(snapshot.resources))
    return places_with(judged_policies(together(*readings(snapshot.resources)), snapshot.resources), snapshot)


def places_with(policies: Iterable[JudgedPolicy], snapshot: Snapshot) -> list[Place]:
    """The same, of a stack of canonical resources whose `policies` are at hand."""
    found = [_in_home_net(place, snapshot) for places in named("places") for place in places(snapshot)]
    seen = {step.owner for place in found for step in place.steps}
    for each in policies:
        if not each.rules or {one.resource.urn for one in each.rules} & seen:
            continue
        known = {(here.target, here.kind, here.name) for here in found}
        mine = [here for here in each.places if each.policy is None or (here.target, here.kind, here.name) not in known]
        # A policy of the stack judges where it was found, and what it does not refer to decides nothing there.
        found = [_beside(place, each) for place in found]
        what = f"{each.key} is" if each.key not in ("", "?") else "Their policy is"
        # Who brings a deny of his own is judged by that; else the deny is with those who own the policy.
        own = any(step.action == "block" and step.owner in each.urns for here in each.places for step in here.steps)
        closes = each.policy is None and (each.cloud == "aws" or not own)
        assumed = f"{what} not in what was read: it is taken to hold nothing else{_CLOSES if closes else ''}."
        places = map(_closed, mine) if closes else mine
        elsewhere = each.policy is None
        found += [replace(here, assumptions=(*here.assumptions, assumed), elsewhere=elsewhere) for here in places]
    found = [with_named(with_clients(place, snapshot), snapshot) for place in found]
    return with_unread([replace(each, assumptions=(*each.assumptions, *_by_address(each))) for each in found], snapshot)


def with_unread(places: Sequence[Place], snapshot: Snapshot) -> list[Place]:
    """The places, each with what is assumed of resources of its cloud that nobody reads."""
    told: dict[str, list[str]] = {}
    for resource, held in _not_read(places, snapshot):
        said = f"{resource.name} ({resource.type}) holds {held} and is not read; it is taken to change nothing."
        told.setdefault(cloud_of(resource.type) or "", []).append(said)
    return [replace(place, assumptions=(*place.assumptions, *told.get(place.cloud, ()))) for place in places]


def _not_read(places: Iterable[Place], snapshot: Snapshot) -> Iterator[tuple[Resource, str]]:
    read = {step.owner for place in places for step in place.steps}  # as other entries of a network ACL that is judged
    for resource in canonical(snapshot.resources):
        if resource.urn not in read and (held := unread(resource)):
            yield resource, held


def changes_not_read(
    before: tuple[Sequence[Place], Snapshot], after: tuple[Sequence[Place], Snapshot]
) -> Iterator[str]:
    """What changes of resources that nobody reads, on clouds with a place that judges, as sentences."""
    old, new = ({each.urn: (each, held) for each, held in _not_read(*side)} for side in (before, after))
    clouds = {place.cloud for places, _ in (before, after) for place in places}
    for urn in dict.fromkeys([*new, *old]):
        resource, held = new.get(urn) or old[urn]
        what = "is new" if urn not in old else "is gone" if urn not in new else "changes"
        if cloud_of(resource.type) not in clouds or (what == "changes" and _said(old[urn][0]) == _said(new[urn][0])):
            continue
        yield (
            f"{resource.name} ({resource.type}) {what}. It holds {held} and is not read: nobody can tell what that opens or "
            "closes."
        )


def _said(resource: Resource) -> dict[str, Any]:
    return {key: value for key, value in resource.properties.items() if key not in ("tags", "tagsAll")}


def _beside(place: Place, judged: JudgedPolicy) -> Place:
    """The place with what is said of rules that its policy, one in the stack, refers to no more."""
    if judged.policy is None or judged.policy.resource.urn not in place.judging:
        return place
    names = ", ".join(sorted(each.resource.name for each in judged.rules))
    said = f"{judged.policy.resource.name} does not refer to {names}: what is in them decides nothing there."
    return replace(place, assumptions=(*place.assumptions, said))


def _by_address(place: Place) -> Iterator[str]:
    if any(step.action == "allow" and step.box.dialled for step in place.steps):
        yield "No other host has an address of a name that a rule looks up: it would pass as well (`address-only`)."


def _in_home_net(place: Place, snapshot: Snapshot) -> Place:
    """The place with the private ranges for a HOME_NET that nobody can read, as for a policy without one."""
    unseen = any("$HOME_NET" in step.box.client.addresses.opaque for step in place.steps)
    if place.target != aws.TARGET or not unseen:
        return place
    known = aws.places(replace(snapshot, resources=tuple(map(_completed, snapshot.resources))))
    completed = next((each for each in known if (each.name, each.kind) == (place.name, place.kind)), place)
    if completed.inside == NO_ADDRESS:
        return place
    kept = [each for each in place.assumptions if not each.startswith("HOME_NET ")]
    assumed = f"HOME_NET is not known here and taken to be the private ranges, {', '.join(PRIVATE_IPV4)}."
    return replace(completed, assumptions=(*kept, assumed))


def _closed(place: Place) -> Place:
    """The place with an end at which nothing passes, as a policy has that others look after."""
    *stages, last = place.stages
    end = replace(last.otherwise, action="block", why="no rule passes it, and its policy is taken to drop the rest")
    return replace(place, stages=(*stages, replace(last, otherwise=end)))


def _by_profile(step: Step) -> bool:
    """Whether it is a URL filter of Google Cloud that allows some names."""
    return step.action == "allow" and "gcp:" in step.owner and any(test.text for test in step.box.wire or ())


def allows(place: Place) -> dict[str, Step]:
    """What lets pass, by rule; of a rule with several steps the first, which is about what clients send."""
    found: dict[str, Step] = {}
    for step in place.steps:
        if step.action == "allow":
            found.setdefault(step.rule, step)
    return found


def _of(each: Together, places: Iterable[Place]) -> list[Place]:
    """The places of a policy, or, where it holds no rule yet, those that are called like it."""
    urns = {seen.resource.urn for seen in each.rules}
    policy = each.policy and each.policy.resource
    told = policy and policy.properties.get("name")
    named = told if isinstance(told, str) and told else policy and policy.name
    return [
        place
        for place in places
        if any(step.owner in urns for step in place.steps) or (each.cloud == "aws" and place.policy == named)
    ]


def traced(resource: Resource) -> Resource:
    """The resource with what each input came from: where only the whole is told, inputs that are not known came from it."""
    if resource.dependencies and not resource.property_dependencies:
        made = {key: resource.dependencies for key, value in resource.properties.items() if _unknown_in(value)}
        return replace(resource, property_dependencies=made)
    return resource


def _completed(resource: Resource) -> Resource:
    """The resource as an evaluator reads it. A policy of AWS without a HOME_NET has the private ranges (`home-net` says it)."""
    resource = traced(resource)
    if resource.type == FIREWALL_POLICY:
        inner = resource.node.at("firewallPolicy")
        variables = inner.at("policyVariables", "ruleVariables")
        keys = [item.at("key").value for item in variables.items()]
        if (
            isinstance(inner.value, Mapping)
            and not variables.unknown
            and not any(key in ("HOME_NET", UNKNOWN) for key in keys)
        ):
            listed = [*(item.value for item in variables.items()), _HOME_NET]
            policy = {**inner.value, "policyVariables": {"ruleVariables": listed}}
            resource = replace(resource, properties={**resource.properties, "firewallPolicy": policy})
    return resource


_HOME_NET: Final = {"key": "HOME_NET", "ipSet": {"definitions": list(PRIVATE_IPV4)}}


def _unknown_in(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_unknown_in, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_unknown_in, value))
    return value is UNKNOWN


def _put_in(each: Together, standing: Mapping[str, Resource]) -> Iterator[Resource]:
    """The policy of rules that are for one elsewhere, and the rules with a reference to the policy that they are of."""
    rules = [standing[seen.resource.urn] for seen in each.rules]
    urn = f"{_ELSEWHERE}{each.cloud}:{each.key}"
    if each.cloud == "aws":
        if each.policy is None:
            kinds = {"stateless" if rule.properties.get("type") == "STATELESS" else "stateful" for rule in rules}
            inner = {
                "statelessDefaultActions": ["aws:forward_to_sfe"],
                "statefulEngineOptions": {"ruleOrder": aws.STRICT},
                "statefulDefaultActions": [DROP_TO_SERVER],
                "policyVariables": {"ruleVariables": [_HOME_NET]},
            } | {f"{kind}RuleGroupReferences": UNKNOWN for kind in kinds}
            groups = {"firewallPolicy": frozenset(rule.urn for rule in rules)}
            yield Resource(
                urn=urn, type=FIREWALL_POLICY, name="the policy", properties={"firewallPolicy": inner},
                property_dependencies=groups,
            )  # fmt: skip
    elif each.cloud == "azure":
        if each.policy is None:
            yield Resource(urn=urn, type=AZURE_POLICY, name=each.key, properties={"firewallPolicyName": each.key})
        if each.key == "?":  # one of them does not tell its policy: all are taken to be in one
            owner = urn if each.policy is None else each.policy.resource.urn
            for rule in rules:
                unnamed = {**rule.properties, "firewallPolicyName": UNKNOWN}
                made = {"firewallPolicyName": frozenset({owner})}
                yield replace(rule, properties=unnamed, property_dependencies=made, id="")
    elif each.proxy:
        policy = Resource(urn=urn, type=PROXY_POLICY, name=each.key, properties={"name": each.key}, id=urn)
        if each.policy is None:
            yield policy
            for rule in rules:
                yield replace(rule, properties={**rule.properties, "gatewaySecurityPolicy": urn})
    elif rules[0].type in _KINDS_OF_GCP:
        own = None if each.policy is None else standing[each.policy.resource.urn]
        name = each.key.rpartition("/")[2]
        kind = _KINDS_OF_GCP[rules[0].type][0]
        policy = own or Resource(urn=urn, type=kind, name=name, properties={"name": name})
        policy = policy if policy.id else replace(policy, id=policy.urn)
        yield policy
        for rule in rules:
            yield replace(rule, properties={**rule.properties, "firewallPolicy": policy.id})


def _associated(each: Together, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the policy associated with every network that it has, or with one that is put in."""
    urn = f"{_ELSEWHERE}gcp:{each.key}" if each.policy is None else each.policy.resource.urn
    policy = snapshot.by_urn.get(urn)
    if policy is None or policy.type not in _ASSOCIATIONS:
        return snapshot
    kind = _ASSOCIATIONS[policy.type]
    own = Resource(
        urn=f"{_ELSEWHERE}network", type=gcp_types.NETWORK, name="the network", properties={"name": "the network"}
    )
    targets: list[tuple[Any, frozenset[str]]] = [
        (classic.properties.get("network"), classic.property_dependencies.get("network", frozenset()))
        for classic in snapshot.of_types([gcp_types.CLASSIC])
    ]
    targets += [(UNKNOWN, frozenset({network.urn})) for network in snapshot.of_types([gcp_types.NETWORK])]
    if kind == gcp_types.ASSOCIATION:  # a network that has its global policy takes no other
        held = {each.properties.get("attachmentTarget") for each in snapshot.of_types([kind])} - {UNKNOWN, None}
        made_of = {
            urn for each in snapshot.of_types([kind]) for urn in each.property_dependencies.get("attachmentTarget", ())
        }
        targets = [(target, made) for target, made in targets if target not in held and not made & made_of]
    added = [] if targets else [own]
    targets = targets or [(UNKNOWN, frozenset({own.urn}))]
    if kind == gcp_types.ORGANISATION_ASSOCIATION:
        known = (each.properties.get("attachmentTarget") for each in snapshot.of_types([kind]))
        ours = (each for each in known if isinstance(each, str) and each.startswith("organizations/"))
        targets, added = [(next(ours, "organizations/0"), frozenset())], []
    inspecting = list(snapshot.of_types([gcp_types.ENDPOINT_ASSOCIATION]))
    for number, (target, made) in enumerate(targets):
        added.append(
            Resource(
                urn=f"{_ELSEWHERE}association:{number}", type=kind, name=policy.name,
                properties={"firewallPolicy": policy.id or policy.name, "attachmentTarget": target},
                property_dependencies={"attachmentTarget": made, "firewallPolicy": frozenset({policy.urn})},
            )
        )  # fmt: skip
        added += [  # the stack's endpoints are for the networks of the policy, wherever that is
            replace(
                each, urn=f"{_ELSEWHERE}endpoint:{number}:{each.urn}", properties={**each.properties, "network": target},
                property_dependencies={**each.property_dependencies, "network": made},
            )
            for each in inspecting
        ]  # fmt: skip
    return Snapshot((*snapshot.resources, *added), snapshot.source)
