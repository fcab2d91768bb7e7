"""An evaluator of Azure Firewall, written from Microsoft's pages over raw inputs, slow and plain. It imports no product code.

Sources, as the project's notes of 2026-11-23 quote them: learn.microsoft.com/azure/firewall (firewall-faq: wildcards;
fqdn-filtering-network-rules: a match by address; ip-groups; firewall-known-issues: no SNI, no match, and QUIC is not
looked at). Read 2026-11-28: .../rule-processing (kinds of rules before policies before priorities, the rules of a
parent first, the last deny), New-AzFirewallPolicyApplicationRule (tags go without protocols).
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from oracle.dial import Answer, Dial, Maybe, Resource, both, either, in_ports, inside, one_of, plain

NETWORK = "azure-native:network:"


def answer(stack: Sequence[Resource], holder: str, dial: Dial) -> Answer:
    """What becomes of the connection at a policy or at a firewall with rules of its own (`holder` is its id)."""
    by_id = {each.id: each for each in stack}
    found = by_id[holder]
    if found.type == f"{NETWORK}AzureFirewall":
        return _decided(
            stack,
            [_classic(found, "networkRuleCollections")],
            [_classic(found, "applicationRuleCollections")],
            _proxied_classic(found),
            dial,
        )
    lineage = [found]
    while (above := (lineage[0].inputs.get("basePolicy") or {}).get("id")) is not None:
        if above not in by_id:
            return "unknown"  # its rules come before all of ours
        lineage.insert(0, by_id[above])
    collections = [_collections(stack, policy) for policy in lineage]
    proxied = bool((lineage[-1].inputs.get("dnsSettings") or {}).get("enableProxy"))
    network = [[each for each in listed if _kind(each) == "NetworkRule"] for listed in collections]
    application = [[each for each in listed if _kind(each) == "ApplicationRule"] for listed in collections]
    return _decided(stack, network, application, proxied, dial)


def _kind(collection: Mapping[str, Any]) -> str | None:
    if collection.get("ruleCollectionType") != "FirewallPolicyFilterRuleCollection" or not collection.get("rules"):
        return None
    kind: str = collection["rules"][0]["ruleType"]
    return kind


def _collections(stack: Sequence[Resource], policy: Resource) -> list[Mapping[str, Any]]:
    """Those of the policy: by the priority of the group, then by their own."""
    groups = [
        each
        for each in stack
        if each.type == f"{NETWORK}FirewallPolicyRuleCollectionGroup"
        and each.inputs["firewallPolicyName"] == policy.inputs["firewallPolicyName"]
        and each.inputs["resourceGroupName"] == policy.inputs["resourceGroupName"]
    ]
    found: list[Mapping[str, Any]] = []
    for group in sorted(groups, key=lambda each: int(each.inputs["priority"])):
        found += sorted(group.inputs.get("ruleCollections") or (), key=lambda each: int(each["priority"]))
    return found


def _classic(firewall: Resource, key: str) -> list[Mapping[str, Any]]:
    return sorted(firewall.inputs.get(key) or (), key=lambda each: int(each["priority"]))


def _proxied_classic(firewall: Resource) -> bool:
    more = firewall.inputs.get("additionalProperties") or {}
    return str(more.get("Network.DNS.EnableProxy", "false")).lower() == "true"


def _decided(
    stack: Sequence[Resource],
    network: Sequence[Sequence[Mapping[str, Any]]],
    application: Sequence[Sequence[Mapping[str, Any]]],
    proxied: bool,
    dial: Dial,
) -> Answer:
    """All network rules before all application rules, and in each kind a parent's before those of its child."""
    ways: set[str] = set()
    for lists, holds in ((network, _network_rule), (application, _application_rule)):
        for collection in (each for listed in lists for each in listed):
            action = "allow" if collection["action"]["type"].lower() == "allow" else "block"
            for rule in collection["rules"]:
                met = holds(stack, rule, proxied, dial)
                if met is not False:
                    ways.add(action)
                if met is True:
                    return one_of(ways)
    return one_of(ways | {"block"})


def _network_rule(stack: Sequence[Resource], rule: Mapping[str, Any], proxied: bool, dial: Dial) -> Maybe:
    protocols = [each.upper() for each in rule.get("ipProtocols") or rule.get("protocols") or ()]
    ports = rule.get("destinationPorts") or ()
    ways: list[Maybe] = [_at(text, dial.address) for text in rule.get("destinationAddresses") or ()]
    ways += [_in_group(stack, group, dial.address) for group in rule.get("destinationIpGroups") or ()]
    for name in rule.get("destinationFqdns") or ():
        found = dial.address in dial.resolves.get(plain(name), ())
        ways.append(found if proxied or not found else None)
    return both(
        [
            "ANY" in protocols or dial.transport.upper() in protocols,
            "*" in ports or in_ports(dial.port, ports),
            _client(stack, rule, dial),
            either(ways),
        ]
    )


def _application_rule(stack: Sequence[Resource], rule: Mapping[str, Any], proxied: bool, dial: Dial) -> Maybe:  # noqa: ARG001
    """By what the packets carry. Without a name nothing holds; a tag or category is a list that nobody sees here."""
    if dial.transport != "tcp" or dial.speaks not in ("tls", "http") or dial.carries is None:
        return False
    wanted = {"tls": "https", "http": "http"}[dial.speaks]
    listed = rule.get("protocols") or ()
    spoken = any(each["protocolType"].lower() == wanted and int(each["port"]) == dial.port for each in listed)
    ways: list[Maybe] = []
    if spoken:
        ways += [_name(pattern, dial.carries) for pattern in rule.get("targetFqdns") or ()]
        ways += [None for _ in rule.get("webCategories") or ()]
        for url in rule.get("targetUrls") or ():
            ways.append(None if _name(url.partition("/")[0], dial.carries) else False)
    if rule.get("fqdnTags") and (spoken or not listed):
        ways.append(None)
    return both([_client(stack, rule, dial), either(ways)])


def _name(pattern: str, name: str) -> bool:
    """A star only in front: everything that ends so, whatever the labels."""
    if pattern.startswith("*"):
        return plain(name).endswith(plain(pattern[1:]))
    return plain(name) == plain(pattern)


def _client(stack: Sequence[Resource], rule: Mapping[str, Any], dial: Dial) -> Maybe:
    ways = [_at(text, dial.source) for text in rule.get("sourceAddresses") or ()]
    ways += [_in_group(stack, group, dial.source) for group in rule.get("sourceIpGroups") or ()]
    return either(ways)


def _in_group(stack: Iterable[Resource], reference: str, address: str) -> Maybe:
    for each in stack:
        if each.id.lower() == reference.lower():
            return either(_at(text, address) for text in each.inputs.get("ipAddresses") or ())
    return None


def _at(text: str, address: str) -> Maybe:
    if text == "*":
        return True
    if text.lower() == "internet":
        return ip_address(address).is_global
    if text[0].isalpha() and ":" not in text:
        return None  # a service tag
    if "-" in text:
        low, high = (ip_address(each.strip()) for each in text.split("-"))
        one = ip_address(address)
        return low.version == one.version and int(low) <= int(one) <= int(high)
    return inside(address, text)
