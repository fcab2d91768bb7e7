"""Stacks of Azure Firewall as people write them, and connections through them, both from one seed."""

from random import Random
from typing import Any

from oracle.dial import Dial, Resource

BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
KIND = "azure-native:network:"

RESOLVES = {
    "cgr.dev": ("34.1.0.1", "34.1.0.2"),
    "data.cgr.dev": ("34.1.0.2", "2600:1f18::5"),
    "a.b.cgr.dev": ("34.1.0.9",),
    "evilcgr.dev": ("45.9.0.1",),
    "quay.io": ("52.20.0.1",),
    "time.vendor.example": ("198.41.0.4",),
    "evil.example": ("34.1.0.1", "45.9.0.1"),
    "hub.corp.example": ("10.8.0.1",),
}
PATTERNS = (
    "cgr.dev",
    "*.cgr.dev",
    "*cgr.dev",
    "*",
    "quay.io",
    "QUAY.io",
    "*.vendor.example",
    "*.example",
    "data.cgr.dev",
)
RANGES = (
    "34.1.0.0/24", "34.0.0.0/8", "*", "0.0.0.0/0", "Internet", "10.0.0.0/8", "45.9.0.0-45.9.0.255", "52.20.0.1",
    "198.41.0.4/32", "8.8.8.8", "2600::/12", "10.8.0.0-10.8.0.3",
)  # fmt: skip
SOURCES = ("10.0.0.5", "10.0.9.9", "10.64.1.1", "172.16.0.4")
FROM = ("*", "*", "*", "10.0.0.0/8", "10.0.0.0/24", "10.64.0.0-10.64.1.255", "172.16.0.4")
GROUPS = ("all", "some", "clients", "empty")
PORTS = (["443"], ["443"], ["80", "443"], ["*"], ["1-1024"], ["8000-9000", "53"], ["22"])


def stack(random: Random) -> tuple[str, list[Resource]]:
    """The id of what is asked, and everything that stands: a firewall of its own rules, or a policy, with a parent or not."""
    contents = {"all": ["0.0.0.0/1", "128.0.0.0/1"], "some": random.sample(["34.1.0.0/24", "45.9.0.0-45.9.0.9", "10.8.0.1"], 2),
                "clients": ["10.0.0.0/24", "172.16.0.0/16"], "empty": []}  # fmt: skip
    made = [
        Resource(f"{KIND}IpGroup", name, f"{BASE}ipGroups/{name}", {"ipGroupsName": name, "ipAddresses": addresses})
        for name, addresses in contents.items()
    ]
    if random.random() < 0.2:
        firewall = f"{BASE}azureFirewalls/fw"
        made.append(Resource(f"{KIND}AzureFirewall", "fw", firewall, _own_rules(random)))
        return firewall, made
    child = f"{BASE}firewallPolicies/child"
    above = random.random()
    inputs: dict[str, Any] = {"firewallPolicyName": "child", "resourceGroupName": "rg"}
    inputs["dnsSettings"] = {"enableProxy": random.random() < 0.85}
    if above < 0.4:
        inputs["basePolicy"] = {"id": f"{BASE}firewallPolicies/{'elsewhere' if above < 0.03 else 'base'}"}
        base = {"firewallPolicyName": "base", "resourceGroupName": "rg", "dnsSettings": {"enableProxy": True}}
        made.append(Resource(f"{KIND}FirewallPolicy", "base", f"{BASE}firewallPolicies/base", base))
        made += _groups(random, "base")
    made.append(Resource(f"{KIND}FirewallPolicy", "child", child, inputs))
    made += _groups(random, "child")
    random.shuffle(made)
    return child, made


def dials(random: Random, count: int) -> list[Dial]:
    return [_dial(random) for _ in range(count)]


def _dial(random: Random) -> Dial:
    name = random.choice((*RESOLVES, "8.8.8.8", "10.8.0.1"))
    address = random.choice(RESOLVES.get(name, (name,)))
    transport, port, speaks = random.choice(
        (("tcp", 443, "tls"),) * 9
        + (("tcp", 80, "http"), ("udp", 443, "quic"), ("udp", 53, "other"), ("tcp", 22, "other"), ("tcp", 8443, "tls"))
    )
    carries = name if speaks in ("tls", "http") and name in RESOLVES else None
    if carries and random.random() < 0.1:
        carries = random.choice((None, "cgr.dev", "Data.CGR.dev"))
    source = random.choice(SOURCES) if ":" not in address else "fd20:9::5"
    return Dial(name, address, source, transport, port, speaks, carries, RESOLVES)  # type: ignore[arg-type]


def _groups(random: Random, policy: str) -> list[Resource]:
    made = []
    places = random.sample(range(100, 1000), random.choice((1, 2, 3)))
    for place in places:
        collections = [_collection(random, each) for each in random.sample(range(100, 900), random.choice((1, 2, 3)))]
        name = f"{policy}-{place}"
        link = f"{BASE}firewallPolicies/{policy}/ruleCollectionGroups/{name}"
        inputs = {
            "firewallPolicyName": policy,
            "resourceGroupName": "rg",
            "priority": float(place),
            "ruleCollections": collections,
        }
        made.append(Resource(f"{KIND}FirewallPolicyRuleCollectionGroup", name, link, inputs))
    return made


def _collection(random: Random, priority: int) -> dict[str, Any]:
    if random.random() < 0.05:
        nat: dict[str, Any] = {"ruleType": "NatRule", "name": "n", "ipProtocols": ["TCP"], "sourceAddresses": ["*"]}
        nat |= {"destinationAddresses": ["20.0.0.1"], "destinationPorts": ["443"]}
        nat |= {"translatedAddress": "10.0.0.4", "translatedPort": "443"}
        return {"ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": f"c{priority}", "priority": priority,
                "action": {"type": "DNAT"}, "rules": [nat]}  # fmt: skip
    network = random.random() < 0.4
    rules = [
        _network(random, "ipProtocols") if network else _application(random) for _ in range(random.choice((1, 2, 3)))
    ]
    kind = "NetworkRule" if network else "ApplicationRule"
    named = [{"ruleType": kind, "name": f"r{index}", **rule} for index, rule in enumerate(rules)]
    action = random.choice(("Allow", "Allow", "Allow", "Allow", "Deny"))
    return {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": f"c{priority}", "priority": priority,
            "action": {"type": action}, "rules": named}  # fmt: skip


def _own_rules(random: Random) -> dict[str, Any]:
    found: dict[str, Any] = {"azureFirewallName": "fw", "resourceGroupName": "rg"}
    if random.random() < 0.7:
        found["additionalProperties"] = {"Network.DNS.EnableProxy": "true"}
    for key in ("networkRuleCollections", "applicationRuleCollections"):
        found[key] = []
        for place in random.sample(range(100, 900), random.choice((0, 1, 2, 3))):
            rules = [
                _network(random, "protocols") if key.startswith("network") else _application(random)
                for _ in range(random.choice((1, 2)))
            ]
            action = {"type": random.choice(("Allow", "Allow", "Allow", "Allow", "Deny"))}
            found[key].append({"name": f"c{place}", "priority": place, "action": action, "rules": rules})
    return found


def _client(random: Random, rule: dict[str, Any]) -> dict[str, Any]:
    if random.random() < 0.2:
        rule["sourceIpGroups"] = [f"{BASE}ipGroups/{random.choice(('clients', 'all'))}"]
        rule["sourceAddresses"] = []
    else:
        rule["sourceAddresses"] = random.sample(FROM, random.choice((1, 2)))
    return rule


def _network(random: Random, key: str) -> dict[str, Any]:
    rule: dict[str, Any] = {key: random.choice((["TCP"], ["TCP"], ["TCP", "UDP"], ["UDP"], ["Any"], ["ICMP"]))}
    rule["destinationPorts"] = random.choice(PORTS)
    chance = random.random()
    if chance < 0.5:
        rule["destinationAddresses"] = random.sample(RANGES, random.choice((1, 2)))
    elif chance < 0.7:
        group = "elsewhere" if random.random() < 0.1 else random.choice(GROUPS)
        rule["destinationIpGroups"] = [f"{BASE}ipGroups/{group}"]
        rule["destinationAddresses"] = []
    elif chance < 0.9:
        rule["destinationFqdns"] = random.sample(tuple(RESOLVES), random.choice((1, 2)))
    else:
        rule["destinationAddresses"] = [random.choice(("Storage", "AzureCloud.WestEurope"))]
    return _client(random, rule)


def _application(random: Random) -> dict[str, Any]:
    parts = (("Https", 443), ("Https", 443), ("Http", 80), ("Https", 8443), ("Mssql", 1433))
    rule: dict[str, Any] = {
        "protocols": [
            {"protocolType": kind, "port": port} for kind, port in random.sample(parts, random.choice((1, 2)))
        ]
    }
    chance = random.random()
    if chance < 0.85:
        rule["targetFqdns"] = random.sample(PATTERNS, random.choice((2, 3, 4)))
    elif chance < 0.9:
        rule["webCategories"] = ["SocialNetworking"]
    else:
        rule["fqdnTags"] = ["WindowsUpdate"]
        if random.random() < 0.5:
            rule["protocols"] = []
    return _client(random, rule)
