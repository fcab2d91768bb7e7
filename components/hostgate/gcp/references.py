"""Which network, and which firewall policy, the resources of a snapshot name: by what they came from, by path or by name."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.gcp.resources import (
    ASSOCIATION,
    CLASSIC,
    NETWORK,
    ORGANISATION_ASSOCIATION,
    ORGANISATION_POLICY,
    ORGANISATION_POLICY_WITH_RULES,
    ORGANISATION_RULE,
    POLICY,
    POLICY_WITH_RULES,
    REGION_ASSOCIATION,
    REGION_POLICY,
    REGION_POLICY_WITH_RULES,
    REGION_RULE,
    RULE,
)
from hostgate.gcp.resources_proxy import GATEWAY
from hostgate.gcp.rule_steps import network_path

POLICIES: Final[Mapping[str, str]] = {
    POLICY: RULE, POLICY_WITH_RULES: "", REGION_POLICY: REGION_RULE, REGION_POLICY_WITH_RULES: "",
    ORGANISATION_POLICY: ORGANISATION_RULE, ORGANISATION_POLICY_WITH_RULES: "",
}  # fmt: skip
"""Types of policies, and the type of rules that stand apart from them."""

NETWORK_ASSOCIATIONS: Final = (ASSOCIATION, REGION_ASSOCIATION)

_SCOPES: Mapping[str, tuple[str, ...]] = {
    RULE: (POLICY, POLICY_WITH_RULES),
    ASSOCIATION: (POLICY, POLICY_WITH_RULES),
    REGION_RULE: (REGION_POLICY, REGION_POLICY_WITH_RULES),
    REGION_ASSOCIATION: (REGION_POLICY, REGION_POLICY_WITH_RULES),
    ORGANISATION_RULE: (ORGANISATION_POLICY, ORGANISATION_POLICY_WITH_RULES),
    ORGANISATION_ASSOCIATION: (ORGANISATION_POLICY, ORGANISATION_POLICY_WITH_RULES),
}


class References:
    """What the resources of a snapshot call each other by."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._policies: dict[int, list[Resource]] = {}
        """Those that a rule or an association of the snapshot may name. Not by its URN: what is being replaced has that of
        what takes its place."""

    def network(self, resource: Resource, key: str) -> str:
        """The key of the network that the input `key` names: its path where that is known, else what it is called here."""
        value = resource.properties.get(key)
        made = self.snapshot.referred(resource, key, value)
        own = [each for each in made if each.type == NETWORK]
        if len(own) == 1:
            return self.key_of(own[0])
        if isinstance(value, str) and "projects/" not in value:
            return self._named(value.rpartition("/")[2], resource.properties.get("project"))
        return network_path(value) if isinstance(value, str) else _not_known(resource)

    def key_of(self, network: Resource) -> str:
        """The path of the network; of one that is not made yet, the path that others call it by, if it is one."""
        link = network.properties.get("selfLink") or network.id
        if isinstance(link, str) and "networks/" in link:
            return network_path(link)
        name, project = network.properties.get("name"), network.properties.get("project")
        if isinstance(name, str) and isinstance(project, str):
            return f"projects/{project}/global/networks/{name}"
        found = {path for path in self._paths if path.rpartition("/")[2] == name}
        found = {path for path in found if not isinstance(project, str) or path.startswith(f"projects/{project}/")}
        return found.pop() if len(found) == 1 else f"network {network.name}"

    def of_network(self, resource: Resource, key: str, network: str) -> tuple[str, ...] | None:
        """None if the input `key` names another network; else what would have to be so for it not to be this one."""
        named = self.network(resource, key)
        if named == network:
            return ()
        if named == _not_known(resource):
            return (f"{resource.name} is not about this network",)
        return None

    def policy_of(self, resource: Resource) -> Resource | None:
        """The policy that an association or a rule names; None for one outside the snapshot, or one of several."""
        found = self._meant(resource)
        return found[0] if len(found) == 1 else None

    def is_rule_of(self, rule: Resource, policy: Resource) -> bool | None:
        """Whether the rule is the policy's; None where the reference, or what the policy is called, is not known yet."""
        found = self._meant(rule)
        if found or policy.type not in _SCOPES[rule.type]:
            return (None if len(found) > 1 else True) if policy in found else False
        value = rule.properties.get("firewallPolicy")
        if not isinstance(value, str):
            return False if value is None else None  # of another form than a reference has it may be of any
        return None if UNKNOWN in _names_of(policy) else False

    def _named(self, name: str, project: object) -> str:
        """The key of the network that a name without a project means, as VPC firewall rules take one (compute v1,
        Firewall.network, revision 20261106): that of the rule's own project."""
        path = f"projects/{project}/global/networks/{name}" if isinstance(project, str) else ""
        found = {key for key in self._paths if key.rpartition("/")[2] == name and path in ("", key)}
        for each in self.snapshot.of_types([NETWORK]):
            key = self.key_of(each)
            if name == each.properties.get("name") and (path in ("", key) or not key.startswith("projects/")):
                found.add(key)
        return found.pop() if len(found) == 1 else path or name

    @cached_property
    def _paths(self) -> frozenset[str]:
        """Of the networks, those that something in the snapshot calls by their whole path."""
        values = [each.properties.get("attachmentTarget") for each in self.snapshot.of_types(NETWORK_ASSOCIATIONS)]
        values += [each.properties.get("network") for each in self.snapshot.of_types([CLASSIC, GATEWAY])]
        values += [each.id for each in self.snapshot.of_types([NETWORK])]
        return frozenset(network_path(each) for each in values if isinstance(each, str) and "projects/" in each)

    def _meant(self, resource: Resource) -> list[Resource]:
        """The policies that an association or a rule may name, which every policy asks of every rule."""
        if id(resource) not in self._policies:
            self._policies[id(resource)] = self._policies_named(resource)
        return self._policies[id(resource)]

    def _policies_named(self, resource: Resource) -> list[Resource]:
        """By reference, or by the last part of a name or id, in the resource's own project and region, which is where the
        provider looks for it (magic-modules d577844)."""
        value = resource.properties.get("firewallPolicy")
        made = [each for each in self.snapshot.referred(resource, "firewallPolicy", value) if each.type in POLICIES]
        if len(made) == 1 or not isinstance(value, str):
            return made if len(made) == 1 else []
        last, own = value.rpartition("/")[2], home_of(resource, value)
        found = [each for each in self.snapshot.of_types(_SCOPES[resource.type]) if last in _names_of(each)]
        return [each for each in found if alike(own, home_of(each, each.id, each.properties.get("selfLink")))]


def alike(one: Iterable[object], other: Iterable[object]) -> bool:
    """Whether nothing that both say differs; what is no text is not said."""
    pairs = zip(one, other, strict=True)
    return all(a == b or not (isinstance(a, str) and isinstance(b, str)) for a, b in pairs)


def _names_of(policy: Resource) -> tuple[object, ...]:
    """What references call the policy by, `UNKNOWN` among them; without what it does not have."""
    keys = ("name", "networkFirewallPolicyId", "regionNetworkFirewallPolicyId", "firewallPolicyId")
    found = (*map(policy.properties.get, keys), policy.id.rpartition("/")[2] or None)
    return tuple(each for each in found if each is not None)


def home_of(resource: Resource, *links: object, within: str = "region") -> tuple[str | None, str | None]:
    """Project and region, or location, of a resource, as far as it says them itself, else as its links do."""
    found = []
    for key in ("project", within):
        own = resource.properties.get(key)
        told = [re.search(rf"(?:^|/){key}s/([^/]+)/", link) for link in links if isinstance(link, str)]
        found.append(own if isinstance(own, str) else next((each[1] for each in told if each), None))
    return found[0], found[1]


def _not_known(resource: Resource) -> str:
    return f"a network not known yet ({resource.name})"
