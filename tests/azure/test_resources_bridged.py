"""Azure's types of the provider bridged from Terraform: they are judged as those of azure-native that they are."""

from typing import Any

import pytest

from hostgate.azure.evaluate import places
from hostgate.azure.resources_bridged import canonical
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide

BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
HUB_ID = f"{BASE}firewallPolicies/hub"
APPLICATION: dict[str, Any] = {
    "name": "allow", "priority": 200, "action": "Allow", "rules": [{
        "name": "https", "sourceAddresses": ["*"], "destinationFqdns": ["cgr.dev"], "protocols": [{"type": "Https", "port": 443}],
    }],
}  # fmt: skip
NETWORK: dict[str, Any] = {
    "name": "open", "priority": 300, "action": "Allow", "rules": [{
        "name": "any", "sourceAddresses": ["*"], "destinationAddresses": ["34.0.0.0/8"], "destinationPorts": ["443"],
        "protocols": ["TCP"],
    }],
}  # fmt: skip


def resource(kind: str, name: str, link: str = "", made_from: str = "", **properties: Any) -> Resource:
    token = f"azure:network/{kind[:1].lower()}{kind[1:]}:{kind}"
    made = {"firewallPolicyId": frozenset({made_from})} if made_from else {}
    return Resource(
        urn=f"urn:{name}", type=token, name=name, properties={"name": name, **properties},
        id=f"{BASE}{link}" if link else "", property_dependencies=made,
    )  # fmt: skip


def group(priority: int = 500, policy: Any = HUB_ID, made_from: str = "", **collections: Any) -> Resource:
    return resource(
        "FirewallPolicyRuleCollectionGroup", "rules", made_from=made_from, firewallPolicyId=policy, priority=priority,
        **collections,
    )  # fmt: skip


HUB = resource("FirewallPolicy", "hub", "firewallPolicies/hub", resourceGroupName="rg", sku="Standard")
ALLOWLIST = group(applicationRuleCollections=[APPLICATION])
FIREWALL = resource("Firewall", "fw", "azureFirewalls/fw", resourceGroupName="rg", firewallPolicyId=HUB_ID)


def asked(*resources: Resource, name: str = "evil.example") -> Verdict:
    *_, place = places(Snapshot(resources, "a stack"))
    return decide(place, Flow(name, address="34.1.0.1", source="10.1.0.5"))


def test_an_allowlist_behind_a_firewall_opens_its_names_and_no_other() -> None:
    assert asked(HUB, ALLOWLIST, FIREWALL, name="cgr.dev").action == "allow"
    assert asked(HUB, ALLOWLIST, FIREWALL).action == "block"


def test_network_rules_come_first_whatever_their_priority() -> None:
    both = group(applicationRuleCollections=[APPLICATION], networkRuleCollections=[NETWORK])
    assert asked(HUB, both).action == "allow"
    assert asked(HUB, group(networkRuleCollections=[{**NETWORK, "action": "Deny"}]), name="cgr.dev").action == "block"


def test_a_parent_policy_is_asked_before_its_child() -> None:
    child = resource("FirewallPolicy", "child", "firewallPolicies/child", resourceGroupName="rg", basePolicyId=HUB_ID)
    deny = {**APPLICATION, "action": "Deny"}
    ours = Resource(
        urn="urn:ours", type=ALLOWLIST.type, name="ours",
        properties={**ALLOWLIST.properties, "name": "ours", "firewallPolicyId": f"{BASE}firewallPolicies/child"},
    )  # fmt: skip
    assert asked(HUB, child, ours, name="cgr.dev").action == "allow"
    assert asked(HUB, child, ours, group(applicationRuleCollections=[deny]), name="cgr.dev").action == "block"


def test_at_a_first_preview_a_group_is_of_the_policy_that_it_was_made_from() -> None:
    new = resource("FirewallPolicy", "hub", resourceGroupName="rg")
    held = group(policy=UNKNOWN, made_from=new.urn, applicationRuleCollections=[APPLICATION])
    assert asked(new, held, name="cgr.dev").action == "allow"
    assert asked(new, held).action == "block"


@pytest.mark.parametrize(
    "collections",
    [
        {"networkRuleCollections": UNKNOWN},
        {"networkRuleCollections": [UNKNOWN]},
        {"networkRuleCollections": [{**NETWORK, "rules": UNKNOWN}]},
        {"networkRuleCollections": [{**NETWORK, "rules": [UNKNOWN]}]},
        {"networkRuleCollections": [{**NETWORK, "action": UNKNOWN}]},
    ],
)
def test_what_is_not_known_yet_is_no_block(collections: dict[str, Any]) -> None:
    assert asked(HUB, group(applicationRuleCollections=[APPLICATION], **collections)).action == "unknown"


def test_rules_of_a_firewall_without_a_policy_are_not_read_and_it_is_not_said_to_block() -> None:
    assert asked(resource("Firewall", "fw", "azureFirewalls/fw", resourceGroupName="rg")).action == "unknown"


def test_addresses_of_an_ip_group_are_its_cidrs_unless_others_stand_beside() -> None:
    clients = resource("IPGroup", "all", "ipGroups/all", cidrs=["34.0.0.0/8"])
    rule = {**NETWORK["rules"][0], "destinationAddresses": [], "destinationIpGroups": [clients.id]}
    rules = group(networkRuleCollections=[{**NETWORK, "rules": [rule]}])
    assert asked(HUB, rules, clients).action == "allow"
    elsewhere = resource("IPGroup", "all", "ipGroups/all", cidrs=["35.0.0.0/8"])
    assert asked(HUB, rules, elsewhere).action == "block"
    assert asked(HUB, rules, elsewhere, resource("IPGroupCIDR", "more", cidr="34.0.0.0/8")).action == "unknown"


def test_an_api_version_in_a_token_is_no_other_type() -> None:
    versioned = Resource(urn="u", type="azure-native:network/v20240501:FirewallPolicy", name="p", properties={})
    (found,) = canonical(Snapshot((versioned,), "a stack")).resources
    assert found.type == "azure-native:network:FirewallPolicy"
