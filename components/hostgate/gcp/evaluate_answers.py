"""What names resolve to in a VPC network whose response policies answer for them.

Local data overrides every other answer for the name (Cloud DNS API v1, ResponsePolicyRule.localData, read 2026-11-28); of
several rules the one for the longest name is taken, an exact one before a star.
"""

from collections.abc import Callable

from hostgate.flows.address_sets import NO_ADDRESS, AddressSet, internet, networks
from hostgate.flows.names import NameTest
from hostgate.flows.nodes import UNKNOWN, Node
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.gcp.references import alike
from hostgate.gcp.resources_dns import RESPONSE_POLICY, RESPONSE_RULE

Answers = tuple[tuple[NameTest, AddressSet], ...]


def answers(snapshot: Snapshot, answered: Callable[[Resource], bool | None] | None = None) -> Answers:
    """Names and their addresses, the longest first; no address where nobody can tell. `answered`: whether a response policy
    is the network's, None where that is not known; left out: every rule is."""
    found = []
    for rule in snapshot.of_types([RESPONSE_RULE]):
        name = rule.properties.get("dnsName")
        policy = None if answered is None else _policy_of(rule, snapshot)
        sure = answered is None or (None if policy is None else answered(policy))
        if sure is not False and isinstance(name, str):
            star, host = name.startswith("*."), name.removeprefix("*.").removesuffix(".").lower()
            test = NameTest("subtree" if star else "exact", host)
            found.append((host.count("."), not star, test, _addresses(rule.node) if sure else NO_ADDRESS))
    # A star is below its name, so it is one label longer; an exact name goes before the star of the name above it.
    found.sort(key=lambda each: (each[0] + (not each[1]), each[1], each[2].text), reverse=True)
    return tuple((test, addresses) for _, _, test, addresses in found)


def _policy_of(rule: Resource, snapshot: Snapshot) -> Resource | None:
    value = rule.properties.get("responsePolicy")
    made = [each for each in snapshot.referred(rule, "responsePolicy", value) if each.type == RESPONSE_POLICY]
    if not made and isinstance(value, str):
        last = value.rpartition("/")[2]
        made = [
            each
            for each in snapshot.of_types([RESPONSE_POLICY])
            if each.properties.get("responsePolicyName") == last
            and alike([each.properties.get("project")], [rule.properties.get("project")])
        ]
    return made[0] if len(made) == 1 else None


def _addresses(rule: Node) -> AddressSet:
    if rule.at("behavior").value == "bypassResponsePolicy":
        return internet()
    found = NO_ADDRESS
    for records in rule.at("localData", "localDatas").items():
        values = [item.value for item in records.at("rrdatas").items()]
        if records.at("type").value not in ("A", "AAAA") or not values or UNKNOWN in values:
            return NO_ADDRESS
        try:
            found |= networks(map(str, values))
        except ValueError:
            return NO_ADDRESS
    return found
