"""DNAT rules of Azure Firewall: what is sent to the firewall itself and goes on to the internet."""

from typing import Any

import pytest

from azure.test_evaluate import ALLOWLIST, BASE, HUB, NETWORK, asked, collection, group, policy, resource
from conformance.catalogs import entry
from hostgate.azure.evaluate import places
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.needs import needs_of

RULE: dict[str, Any] = {
    "ruleType": "NatRule", "name": "d", "sourceAddresses": ["10.0.0.0/8"], "destinationAddresses": ["10.0.0.4"],
    "destinationPorts": ["8443"], "ipProtocols": ["TCP"], "translatedFqdn": "evil.example", "translatedPort": "443",
}  # fmt: skip
TO_THE_FIREWALL = {"address": "10.0.0.4", "port": 8443}


def nat(of: str = "hub", **more: Any) -> Resource:
    rule = {key: value for key, value in {**RULE, **more}.items() if value is not None}
    kind = {"ruleCollectionType": "FirewallPolicyNatRuleCollection", "action": {"type": "DNAT"}, "priority": 100}
    return group(300, {**kind, "name": "n", "rules": [rule]}, of=of)


def reached(*resources: Resource, name: str = "/hub") -> Reach:
    (place,) = (each for each in places(Snapshot(resources, "a stack")) if each.name.endswith(name))
    return reach(place, needs_of([entry("cgr.dev")]))


DENY_THERE = group(150, collection("Deny", {**NETWORK, "destinationAddresses": ["*"]}))
DENY_BESIDE = group(150, collection("Deny", {**NETWORK, "destinationAddresses": ["*"], "destinationPorts": ["25"]}))


@pytest.mark.parametrize(
    ("rule", "beside", "verdict", "beyond", "unknown"),
    [
        ({}, [], "allow", ["evil.example"], False),
        ({}, [DENY_BESIDE], "allow", ["evil.example"], False),
        ({}, [DENY_THERE], "unknown", [], True),
        ({"translatedFqdn": None, "translatedAddress": "198.51.100.9"}, [], "allow", ["198.51.100.9"], False),
        ({"translatedFqdn": None, "translatedAddress": "10.9.9.9"}, [], "allow", [], False),
        ({"translatedFqdn": "cgr.dev"}, [], "allow", [], False),
        ({"translatedFqdn": "cgr.dev", "translatedPort": "8443"}, [], "allow", ["cgr.dev"], False),
        ({"translatedFqdn": UNKNOWN}, [], "allow", [], True),
        ({"translatedPort": UNKNOWN}, [], "allow", [], True),
        ({"destinationPorts": UNKNOWN}, [], "unknown", [], True),
        ({"destinationAddresses": UNKNOWN}, [], "unknown", [], True),
        ({"sourceAddresses": ["10.2.0.0/16"]}, [], "block", ["evil.example"], False),
        ({"ipProtocols": ["UDP"]}, [], "block", ["evil.example"], False),
    ],
)
def test_what_is_translated_passes_and_leads_where_it_is_translated_to(
    rule: dict[str, Any], beside: list[Resource], verdict: str, beyond: list[str], unknown: bool
) -> None:
    stack = (HUB, ALLOWLIST, nat(**rule), *beside)
    assert asked(*stack, **TO_THE_FIREWALL).action == verdict
    found = reached(*stack)
    told = [each.flows[0] for each in found.beyond]
    assert [flow.address or flow.name for flow in told] == beyond
    assert bool(found.unknown) is unknown


def test_what_comes_from_the_internet_and_goes_inside_is_none_of_it() -> None:
    inbound = nat(
        sourceAddresses=["*"],
        destinationAddresses=["203.0.113.7"],
        translatedFqdn=None,
        translatedAddress="10.9.9.9",
        destinationPorts=["443"],
    )
    assert asked(HUB, ALLOWLIST, inbound, address="203.0.113.7").action == "block"
    assert (reached(HUB, ALLOWLIST, inbound).beyond, reached(HUB, ALLOWLIST, inbound).unknown) == ((), ())


def test_by_a_public_address_it_is_not_known_whether_a_client_inside_is_translated() -> None:
    stack = (HUB, ALLOWLIST, nat(destinationAddresses=["203.0.113.7"], destinationPorts=["443"]))
    assert asked(*stack, address="203.0.113.7").action == "unknown"
    assert asked(*stack, address="203.0.113.8").action == "block"
    assert reached(*stack).unknown


def test_a_child_does_not_inherit_it() -> None:
    base = policy("base")
    child = policy("hub", basePolicy={"id": base.id})
    assert asked(base, child, ALLOWLIST, nat("base"), **TO_THE_FIREWALL).action == "block"
    assert reached(base, child, ALLOWLIST, nat("base")).beyond == ()
    assert len(reached(base, child, ALLOWLIST, nat("hub")).beyond) == 1


def test_a_firewall_without_a_policy_has_its_own() -> None:
    rule = {key: value for key, value in RULE.items() if key not in ("ipProtocols", "ruleType")} | {
        "protocols": ["TCP"]
    }
    listed = [{"name": "n", "priority": 100, "action": {"type": "Dnat"}, "rules": [rule]}]
    firewall = resource("AzureFirewall", "fw", "azureFirewalls/fw", azureFirewallName="fw", natRuleCollections=listed)
    (place,) = places(Snapshot((firewall,), "a stack"))
    assert [each.flows[0].name for each in reach(place, []).beyond] == ["evil.example"]


def test_the_bridged_provider_says_the_address_of_the_firewall_alone() -> None:
    rule = {
        "name": "d", "protocols": ["TCP"], "sourceAddresses": ["10.0.0.0/8"], "destinationAddress": "10.0.0.4",
        "destinationPorts": ["8443"], "translatedFqdn": "evil.example", "translatedPort": 443,
    }  # fmt: skip
    token = "azure:network/firewallPolicyRuleCollectionGroup:FirewallPolicyRuleCollectionGroup"
    properties = {
        "name": "g", "firewallPolicyId": f"{BASE}firewallPolicies/hub", "priority": 300,
        "natRuleCollections": [{"name": "n", "priority": 100, "action": "Dnat", "rules": [rule]}],
    }  # fmt: skip
    theirs = Resource(
        urn="urn:g",
        type=token,
        name="g",
        properties=properties,
        id=f"{BASE}firewallPolicies/hub/ruleCollectionGroups/g",
    )
    assert asked(HUB, ALLOWLIST, theirs, **TO_THE_FIREWALL).action == "allow"
    assert [each.flows[0].name for each in reached(HUB, ALLOWLIST, theirs).beyond] == ["evil.example"]
