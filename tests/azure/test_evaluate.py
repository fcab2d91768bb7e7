"""Azure Firewall's evaluation over everything that stands: small stacks that came out wrong, each for its kind."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.catalogs import entry
from hostgate.azure.evaluate import places
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.planning.needs import needs_of

BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
HTTPS = [{"protocolType": "Https", "port": 443}]
APPLICATION: dict[str, Any] = {"protocols": HTTPS, "sourceAddresses": ["*"]}
NETWORK: dict[str, Any] = {"ipProtocols": ["TCP"], "destinationPorts": ["443"], "sourceAddresses": ["*"]}


def resource(kind: str, name: str, link: str, /, **properties: Any) -> Resource:
    token = f"azure-native:network:{kind}"
    return Resource(urn=f"urn:{token}::{name}", type=token, name=name, properties=properties, id=f"{BASE}{link}")


def policy(name: str, **more: Any) -> Resource:
    named = {"firewallPolicyName": name, "resourceGroupName": "rg", "dnsSettings": {"enableProxy": True}}
    return resource("FirewallPolicy", name, f"firewallPolicies/{name}", **{**named, **more})


def collection(action: str, *rules: dict[str, Any], priority: int = 100) -> dict[str, Any]:
    kinds = ["NetworkRule" if "destinationPorts" in rule else "ApplicationRule" for rule in rules]
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": f"c{priority}", "priority": priority,
        "action": {"type": action},
        "rules": [{"name": "r", "ruleType": kind, **rule} for kind, rule in zip(kinds, rules, strict=True)],
    }  # fmt: skip


def group(priority: int, *collections: dict[str, Any], of: str = "hub") -> Resource:
    return resource(
        "FirewallPolicyRuleCollectionGroup", f"g{priority}", f"firewallPolicies/{of}/ruleCollectionGroups/g{priority}",
        firewallPolicyName=of, resourceGroupName="rg", priority=priority, ruleCollections=list(collections),
    )  # fmt: skip


HUB = policy("hub")
ALLOWLIST = group(200, collection("Allow", {**APPLICATION, "targetFqdns": ["cgr.dev"]}))
EVERYTHING = resource("IpGroup", "all", "ipGroups/all", ipGroupsName="all", ipAddresses=["0.0.0.0/1", "128.0.0.0/1"])
CLIENTS = resource("IpGroup", "clients", "ipGroups/clients", ipGroupsName="clients", ipAddresses=["10.1.0.0-10.1.0.9"])


def asked(*resources: Resource, name: str = "evil.example", **flow: Any) -> Verdict:
    place = next(each for each in places(Snapshot(resources, "a stack")) if not each.name.endswith("/base"))
    return decide(place, Flow(name, **{"address": "34.1.0.1", "source": "10.1.0.5", **flow}))


def test_an_allowlist_alone_is_closed() -> None:
    assert asked(HUB, ALLOWLIST).action == "block"
    assert asked(HUB, ALLOWLIST, name="cgr.dev").action == "allow"


@pytest.mark.parametrize(
    ("where", "action"),
    [
        ({"destinationAddresses": ["0.0.0.0/0"]}, "allow"),
        ({"destinationAddresses": ["*"]}, "allow"),
        ({"destinationAddresses": ["Internet"]}, "allow"),
        ({"destinationAddresses": ["34.0.0.0-34.255.255.255"]}, "allow"),
        ({"destinationAddresses": [], "destinationIpGroups": [EVERYTHING.id]}, "allow"),
        ({"destinationIpGroups": [f"{BASE}ipGroups/elsewhere"]}, "unknown"),
        ({"destinationAddresses": ["Storage"]}, "unknown"),
        ({"destinationAddresses": ["52.0.0.0/8"]}, "block"),
        ({"destinationAddresses": ["0.0.0.0/0"], "destinationPorts": ["80"]}, "block"),
    ],
)
@pytest.mark.parametrize("priority", [100, 300])
def test_a_network_rule_decides_before_every_application_rule(priority: int, where: Any, action: str) -> None:
    beside = group(priority, collection("Allow", {**NETWORK, **where}))
    assert asked(HUB, EVERYTHING, ALLOWLIST, beside).action == action


@pytest.mark.parametrize("priority", [100, 300])
def test_a_network_deny_beats_the_allowlist(priority: int) -> None:
    deny = group(priority, collection("Deny", {**NETWORK, "destinationAddresses": ["0.0.0.0/0"]}))
    assert asked(HUB, ALLOWLIST, deny, name="cgr.dev").action == "block"


@pytest.mark.parametrize("protocols", [HTTPS, [], None])
@pytest.mark.parametrize("tags", [{"fqdnTags": ["WindowsUpdate"]}, {"fqdnTags": ["AzureKubernetesService"]}])
def test_whose_names_an_fqdn_tag_holds_is_not_known(tags: dict[str, Any], protocols: Any) -> None:
    tagged = {**APPLICATION, **tags, "protocols": protocols}
    assert asked(HUB, ALLOWLIST, group(300, collection("Allow", tagged))).action == "unknown"
    assert asked(HUB, ALLOWLIST, group(300, collection("Allow", tagged)), name="cgr.dev").action == "allow"


def test_a_web_category_is_not_known() -> None:
    rule = {**APPLICATION, "webCategories": ["News"]}
    assert asked(HUB, ALLOWLIST, group(300, collection("Allow", rule))).action == "unknown"


def test_a_parent_goes_before_its_child_whatever_the_priorities() -> None:
    base = policy("base")
    child = policy("hub", basePolicy={"id": base.id})
    above = group(
        900,
        collection("Deny", {**APPLICATION, "targetFqdns": ["cgr.dev"]}, priority=100),
        collection("Allow", {**APPLICATION, "targetFqdns": ["*.wolfi.dev"]}, priority=200),
        of="base",
    )
    assert asked(base, child, above, ALLOWLIST, name="cgr.dev").action == "block"
    assert asked(base, child, above, ALLOWLIST, name="packages.wolfi.dev").action == "allow"
    assert asked(child, ALLOWLIST, name="cgr.dev").action == "unknown"  # the parent is not in the stack


@pytest.mark.parametrize(
    ("pattern", "name", "action"),
    [
        ("*.cgr.dev", "a.b.cgr.dev", "allow"),
        ("*.cgr.dev", "cgr.dev", "block"),
        ("*cgr.dev", "cgr.dev", "allow"),
        ("*cgr.dev", "evilcgr.dev", "allow"),
        ("*", "evil.example", "allow"),
        ("CGR.dev", "cgr.dev", "allow"),
    ],
)
def test_a_star_in_front_is_any_text_or_none(pattern: str, name: str, action: str) -> None:
    rules = group(200, collection("Allow", {**APPLICATION, "targetFqdns": [pattern]}))
    assert asked(HUB, rules, name=name).action == action
    assert asked(HUB, rules, name=name, sni=None).action == "block"


@pytest.mark.parametrize(("source", "action"), [("10.1.0.5", "allow"), ("10.2.0.5", "block")])
def test_a_client_is_told_by_an_ip_group_of_the_stack(source: str, action: str) -> None:
    rule = {"protocols": HTTPS, "sourceIpGroups": [CLIENTS.id], "targetFqdns": ["cgr.dev"]}
    assert asked(HUB, CLIENTS, group(200, collection("Allow", rule)), name="cgr.dev", source=source).action == action


@pytest.mark.parametrize(("proxy", "action"), [({"Network.DNS.EnableProxy": "true"}, "allow"), (None, "unknown")])
def test_names_in_network_rules_of_a_firewall_need_its_dns_proxy(proxy: Any, action: str) -> None:
    rule = {"protocols": ["TCP"], "destinationPorts": ["22"], "sourceAddresses": ["*"], "destinationFqdns": ["cgr.dev"]}
    collections = [{"name": "c", "priority": 100, "action": {"type": "Allow"}, "rules": [rule]}]
    firewall = resource("AzureFirewall", "fw", "azureFirewalls/fw", networkRuleCollections=collections,
                        **({"additionalProperties": proxy} if proxy else {}))  # fmt: skip
    assert asked(firewall, name="cgr.dev", protocol="tcp", port=22).action == action


def test_rules_that_the_other_provider_spells_leave_what_they_do_unknown() -> None:
    token = "azure:network/firewallPolicyRuleCollectionGroup:FirewallPolicyRuleCollectionGroup"
    other = Resource(urn=f"urn:{token}::theirs", type=token, name="theirs", properties={}, id="")
    for name in ("evil.example", "cgr.dev"):
        verdict = asked(HUB, ALLOWLIST, other, name=name)
        assert verdict.action == "unknown"
        assert any("theirs" in what for what in verdict.lacks)


def test_a_policy_that_the_stack_only_reads_may_have_rules_of_others() -> None:
    assert asked(replace(HUB, external=True), ALLOWLIST).action == "unknown"


@pytest.mark.parametrize(
    ("group_id", "action"),
    [
        (f"{BASE}ipGroups/elsewhere", "allow"),
        (f"{BASE}IPGROUPS/Elsewhere", "allow"),  # ids are alike in either case
        (f"{BASE}ipGroups/other", "unknown"),  # an address may be in several groups
    ],
)
def test_a_client_that_is_known_by_its_ip_group_is_told_by_the_group(group_id: str, action: str) -> None:
    by_group = {"protocols": HTTPS, "sourceIpGroups": [f"{BASE}ipGroups/elsewhere"], "targetFqdns": ["cgr.dev"]}
    allows = group(200, collection("Allow", by_group))
    assert asked(HUB, allows, name="cgr.dev", source=f"ip-group:{group_id}").action == action


def to_be_made(kind: str, name: str, resource_group: Any = "rg", **properties: Any) -> Resource:
    """As a preview has it: without an id, and with nothing that tells a subscription."""
    key = {"IpGroup": "ipGroupsName", "FirewallPolicy": "firewallPolicyName"}[kind]
    made = resource(kind, name, "", **{key: name, "resourceGroupName": resource_group}, **properties)
    return replace(made, urn=f"{made.urn}-{resource_group}", id="")


VENDORS = to_be_made("IpGroup", "vendors", ipAddresses=["34.0.0.0/8"])
OTHERS = to_be_made("IpGroup", "vendors", "rg-other", ipAddresses=["52.0.0.0/8"])
THERE = resource("IpGroup", "there", "ipGroups/vendors", ipGroupsName="vendors", ipAddresses=["34.0.0.0/8"])
HIDDEN = to_be_made("IpGroup", "vendors", UNKNOWN, ipAddresses=["34.0.0.0/8"])
BY = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/ipGroups/{}"
NAMED: dict[str, tuple[str, list[Resource], list[Resource], tuple[str, str]]] = {
    "the rule was made from it": (BY.format("s", "rg", "vendors"), [VENDORS], [VENDORS], ("allow", "block")),
    "in capitals": (BY.format("S", "RG", "Vendors").upper(), [VENDORS], [VENDORS], ("allow", "block")),
    "in other capitals": (
        BY.format("s", "rg-OTHER", "vendors"), [replace(OTHERS, properties={**OTHERS.properties, "ipGroupsName": "VENDORS"})],
        [OTHERS], ("block", "allow")),
    "two of the name, in two resource groups": (
        BY.format("s", "rg", "vendors"), [OTHERS, VENDORS], [OTHERS, VENDORS], ("allow", "block")),
    "the other of the two": (
        BY.format("s", "rg-other", "vendors"), [VENDORS, OTHERS], [OTHERS, VENDORS], ("block", "allow")),
    "of another stack, in another resource group": (
        BY.format("s", "rg-other", "vendors"), [VENDORS], [], ("unknown", "unknown")),
    "in another resource group than what the rule was made from": (
        BY.format("s", "rg-other", "vendors"), [VENDORS], [VENDORS], ("unknown", "unknown")),
    "of another name in the resource group": (
        BY.format("s", "rg", "others"), [VENDORS], [VENDORS], ("unknown", "unknown")),
    "of another stack, in whichever subscription": (
        BY.format("s", "rg", "vendors"), [VENDORS], [], ("unknown", "unknown")),
    "of a subscription that is told of by nobody": (
        BY.format("known-after-apply", "rg", "vendors"), [VENDORS], [], ("unknown", "unknown")),
    "two of the name, in two subscriptions": (
        BY.format("s", "rg", "vendors"), [VENDORS, replace(VENDORS, urn="twin")], [VENDORS, replace(VENDORS, urn="twin")],
        ("unknown", "unknown")),
    "in a resource group that is not known yet": (
        BY.format("s", "rg", "vendors"), [HIDDEN], [HIDDEN], ("unknown", "unknown")),
    "that is there": (BY.format("s", "rg", "vendors"), [THERE], [], ("allow", "block")),
    "that is there, behind one that is to be made": (
        BY.format("s", "rg", "vendors"), [replace(VENDORS, properties=OTHERS.properties), THERE], [], ("allow", "block")),
    "that is there, in another subscription": (
        BY.format("t", "rg", "vendors"), [THERE], [THERE], ("unknown", "unknown")),
    "whose id is told among what it is": (
        BY.format("t", "rg", "vendors"),
        [replace(VENDORS, properties={**VENDORS.properties, "id": BY.format("T", "rg", "vendors")})], [], ("allow", "block")),
    "whose id is told, of another subscription": (
        BY.format("s", "rg", "vendors"),
        [replace(VENDORS, properties={**VENDORS.properties, "id": BY.format("t", "rg", "vendors")})], [VENDORS],
        ("unknown", "unknown")),
}  # fmt: skip
"""What a rule refers to, the groups of the snapshot, those that the rule was made from, and what becomes of 34.0.0.1 and
52.0.0.1."""


@pytest.mark.parametrize("of_inputs", [True, False])
@pytest.mark.parametrize("key", ["destinationIpGroups", "sourceIpGroups"])
@pytest.mark.parametrize("case", NAMED)
def test_an_ip_group_without_an_id_is_what_its_rule_was_made_from_and_nothing_else_of_its_name(
    case: str, key: str, of_inputs: bool
) -> None:
    reference, groups, made_from, actions = NAMED[case]
    urns = frozenset(each.urn for each in made_from)
    client = {"sourceAddresses": ["*"]} if key == "destinationIpGroups" else {"destinationAddresses": ["*"]}
    rules = group(
        300, collection("Allow", {"ipProtocols": ["TCP"], "destinationPorts": ["443"], **client, key: [reference]})
    )
    rules = replace(rules, dependencies=urns, property_dependencies={"ruleCollections": urns} if of_inputs else {})
    asked_of = ("address", "source")[key == "sourceIpGroups"]
    found = [asked(HUB, *groups, ALLOWLIST, rules, **{asked_of: each}).action for each in ("34.0.0.1", "52.0.0.1")]
    assert tuple(found) == actions


@pytest.mark.parametrize(
    ("made_from", "resource_group", "action"),
    [(True, "rg", "block"), (True, "RG", "block"), (True, "rg-other", "unknown"), (False, "rg", "unknown")],
)
def test_a_parent_policy_without_an_id_is_what_its_child_was_made_from(
    made_from: bool, resource_group: str, action: str
) -> None:
    parent = to_be_made("FirewallPolicy", "base", resource_group)
    named = policy("hub", basePolicy={"id": f"{BASE}firewallPolicies/base"})
    child = replace(named, property_dependencies={"basePolicy": frozenset({parent.urn})} if made_from else {})
    above = group(900, collection("Deny", {**APPLICATION, "targetFqdns": ["cgr.dev"]}))
    above = replace(
        above, id="", properties={**above.properties, "firewallPolicyName": "base", "resourceGroupName": resource_group}
    )
    found = [each for each in places(Snapshot((parent, child, above, ALLOWLIST), "a preview")) if each.policy == "hub"]
    assert [decide(each, Flow("cgr.dev", address="34.1.0.1", source="10.1.0.5")).action for each in found] == [action]


def test_a_group_made_from_two_policies_may_be_of_either() -> None:
    first, second = (replace(policy(name), id="") for name in ("one", "two"))
    loose = replace(
        group(1, collection("Allow", {**NETWORK, "destinationAddresses": ["*"]})),
        id="",
        property_dependencies={"firewallPolicyName": frozenset({first.urn, second.urn})},
    )
    loose = replace(loose, properties={**loose.properties, "firewallPolicyName": UNKNOWN})
    found = places(Snapshot((first, second, loose), "a stack"))
    flow = Flow("x.example", address="34.1.0.1", source="10.1.0.5")
    assert {decide(place, flow).action for place in found} == {"unknown"}


def test_an_address_that_is_none_leaves_its_rule_in_doubt_for_every_client() -> None:
    where = {"ipProtocols": ["TCP"], "destinationPorts": ["443"], "destinationAddresses": ["*"]}
    rule = {"ruleType": "NetworkRule", "name": "r", "sourceAddresses": ["10.0.0.0/99"], **where}
    assert asked(policy("hub"), group(300, collection("Allow", rule))).action == "unknown"


@pytest.mark.parametrize("listed", ["x", [5], [{"ruleType": "NetworkRule"}, "x"]])
def test_rules_of_another_form_are_not_known(listed: Any) -> None:
    strange = {**collection("Allow"), "rules": listed}
    assert asked(policy("hub"), group(300, strange)).action == "unknown"


def test_a_deny_whose_clients_are_not_known_yet_may_be_for_everybody() -> None:
    deny = group(1, collection("Deny", {**NETWORK, "destinationAddresses": ["*"], "sourceAddresses": UNKNOWN}))
    assert asked(HUB, deny, ALLOWLIST, name="cgr.dev", source=None).action == "unknown"


def test_a_package_of_one_version_of_one_module_is_azure_native_all_the_same() -> None:
    versioned = replace(ALLOWLIST, type=ALLOWLIST.type.replace("azure-native:", "azure-native_network_v20240501:"))
    assert asked(HUB, versioned, name="cgr.dev").action == "allow"


SQL: dict[str, Any] = {"sourceAddresses": ["*"], "targetFqdns": ["db.example"]}


@pytest.mark.parametrize(
    ("port", "name", "action"),
    [(1433, "db.example", "unknown"), (1433, "x.example", "block"), (443, "db.example", "block")],
)
def test_an_application_rule_for_a_database_is_about_its_name_and_port(port: int, name: str, action: str) -> None:
    for protocol in ({"protocolType": "Mssql", "port": 1433}, {"protocolType": "mssql"}):
        rules = group(200, collection("Allow", {**SQL, "protocols": [protocol]}))
        assert asked(HUB, rules, name=name, port=port, protocol="tcp").action == action


def test_an_obsolete_rule_group_of_the_policy_may_do_anything() -> None:
    old = resource("FirewallPolicyRuleGroup", "old", "firewallPolicies/hub/ruleGroups/old", firewallPolicyName="hub",
                   resourceGroupName="rg", priority=100, rules=[])  # fmt: skip
    other = replace(old, id="", properties={**old.properties, "firewallPolicyName": "other"})
    assert asked(HUB, ALLOWLIST, old, name="cgr.dev").action == "unknown"
    assert asked(HUB, ALLOWLIST, other, name="cgr.dev").action == "allow"


@pytest.mark.parametrize(("address", "action"), [("203.0.113.7", "allow"), ("198.51.100.7", "unknown")])
def test_whether_an_application_rule_heeds_its_addresses_is_not_known(address: str, action: str) -> None:
    rule = {**APPLICATION, "targetFqdns": ["*"], "destinationAddresses": ["203.0.113.0/24"]}
    assert asked(HUB, group(200, collection("Allow", rule)), address=address).action == action


def test_names_in_network_rules_are_not_of_the_basic_tier() -> None:
    rules = group(200, collection("Allow", {**NETWORK, "destinationFqdns": ["cgr.dev"]}))
    assert asked(HUB, rules, name="cgr.dev").action == "allow"
    found = asked(policy("hub", sku={"tier": "Basic"}), rules, name="cgr.dev")
    assert found.action == "unknown"
    assert "Basic" in found.why


@pytest.mark.parametrize(("second", "action"), [("Allow", "unknown"), ("Deny", "block")])
def test_groups_of_equal_priority_decide_where_their_order_does_not_matter(second: str, action: str) -> None:
    def one(name: str, word: str, host: str) -> Resource:
        found = group(200, collection(word, {**APPLICATION, "targetFqdns": [host]}))
        return replace(found, urn=f"urn:{name}", id=f"{found.id}-{name}", name=name)

    assert asked(HUB, one("a", "Deny", "cgr.dev"), one("b", second, "cgr.dev"), name="cgr.dev").action == action
    assert asked(HUB, one("a", "Deny", "x.dev"), one("b", "Allow", "cgr.dev"), name="cgr.dev").action == "allow"


APP_DENY = collection("Deny", {**APPLICATION, "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": ["cgr.dev"]})
NET_DENY = collection("Deny", {**NETWORK, "sourceAddresses": ["10.0.0.0/8"], "destinationAddresses": ["*"]})
OF_CLIENTS = group(
    200, collection("Allow", {**APPLICATION, "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": ["cgr.dev"]})
)


@pytest.mark.parametrize(
    "deny",
    [
        group(300, NET_DENY),
        group(150, APP_DENY),
        group(300, NET_DENY, of="base"),
        group(300, APP_DENY, of="base"),
    ],
    ids=["network rule", "application rule before", "network rule of the parent", "application rule of the parent"],
)
def test_what_is_missing_names_the_deny_and_not_that_no_rule_is_for_somebody_else(deny: Resource) -> None:
    base = policy("base")
    stack = (base, policy("hub", basePolicy={"id": base.id}), OF_CLIENTS, deny)
    (place,) = (each for each in places(Snapshot(stack, "a stack")) if each.name.endswith("/hub"))
    (missing,) = reach(place, needs_of([entry("cgr.dev")])).missing
    assert missing.rule == f"{deny.name}/c100/r"
    assert str(missing.flow.source).startswith("10.")
