"""An allowlist of one host with a rule beside it that is narrow in some dimensions, behind blocks that hide a part of it.

Both clouds from one seed; what is really open is told by trying every connection of a small universe.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any, Literal

from oracle.dial import Dial, Resource

Cloud = Literal["gcp", "azure"]

HOST, EVIL, OTHER = "cgr.dev", "evil.example", "other.example"
RANGE, HALF = "198.18.7.0/24", "198.18.7.0/25"
OUTSIDE = ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/6", "196.0.0.0/7", "198.0.0.0/12", "198.16.0.0/15", "198.18.0.0/22",
           "198.18.4.0/23", "198.18.6.0/24", "198.18.8.0/21", "198.18.16.0/20", "198.18.32.0/19", "198.18.64.0/18",
           "198.18.128.0/17", "198.19.0.0/16", "198.20.0.0/14", "198.24.0.0/13", "198.32.0.0/11", "198.64.0.0/10",
           "198.128.0.0/9", "199.0.0.0/8", "200.0.0.0/5", "208.0.0.0/4", "224.0.0.0/3")  # fmt: skip
"""All of IPv4 but the range."""

DIMENSIONS = ("name", "address", "port", "protocol", "client")
CLIENTS = "10.20.30.0/24"
ACCOUNT = "builds@p.iam.gserviceaccount.com"

_ADDRESSES = ("34.1.0.1", "198.18.7.9", "198.18.7.200", "2600:1f18::5")
_SPOKEN: tuple[tuple[Any, Any, bool], ...] = (
    ("tcp", "tls", True), ("tcp", "tls", False), ("tcp", "http", True), ("tcp", "other", False), ("udp", "quic", False),
    ("udp", "other", False),
)  # fmt: skip


def universe(cloud: Cloud) -> Iterator[Dial]:
    """Every connection that is tried; a name resolves to where it is dialled, and nothing else does."""
    sources = ("10.0.0.5", "10.20.30.7", "10.20.30.200")
    v6 = ("fd20:9::5",)
    for name, address, port, (transport, speaks, carries) in product(
        (HOST, EVIL, OTHER), _ADDRESSES, (443, 8443, 80, 22), _SPOKEN
    ):
        if ":" in address and cloud == "azure":
            continue  # what rules do over IPv6 is not verified anywhere
        accounts = (f"account:{ACCOUNT}", "account:other@p.iam.gserviceaccount.com") if cloud == "gcp" else ()
        for source in (*(v6 if ":" in address else sources), *accounts):
            carried = name if carries else None
            yield Dial(name, address, source, transport, port, speaks, carried, {name: (address,)})


def is_needed(dial: Dial) -> bool:
    """Whether it is the host and port of the catalog's one entry."""
    return dial.name == HOST and dial.port == 443 and dial.transport == "tcp"


def widened(random: Random, cloud: Cloud, narrowed: Sequence[str]) -> tuple[str, list[Resource], list[Resource]]:
    """Where it is judged; all that stands; and the same without the rule beside the allowlist. `narrowed` are dimensions."""
    return _gcp(random, narrowed) if cloud == "gcp" else _azure(random, narrowed)


# Google Cloud.

NETWORK = "projects/p/global/networks/prod"
_POLICY = "projects/p/global/firewallPolicies/egress"
_TOKEN = "gcp:compute/networkFirewallPolicy"


def _gcp(random: Random, narrowed: Sequence[str]) -> tuple[str, list[Resource], list[Resource]]:
    order = {"networkFirewallPolicyEnforcementOrder": "BEFORE_CLASSIC_FIREWALL"} if random.random() < 0.5 else {}
    base = [
        Resource("gcp:compute/network:Network", "prod", NETWORK, {"name": "prod", **order}),
        Resource(f"{_TOKEN}:NetworkFirewallPolicy", "egress", _POLICY, {"name": "egress"}),
        Resource(f"{_TOKEN}Association:NetworkFirewallPolicyAssociation", "a", f"{_POLICY}/associations/a",
                 {"attachmentTarget": NETWORK, "firewallPolicy": _POLICY, "name": "a"}),
        _gcp_rule(1000, "allow", destFqdns=[HOST], layer4Configs=[{"ipProtocol": "tcp", "ports": ["443"]}]),
        *(_gcp_rule(2000 + n, "deny", destIpRanges=[cidr], layer4Configs=[{"ipProtocol": "all"}])
          for n, cidr in enumerate(("0.0.0.0/0", "::/0"))),
    ]  # fmt: skip
    wide, blocks = _gcp_wide(random, narrowed)
    made = [*base, *blocks]
    random.shuffle(made)
    return NETWORK, [*made, wide], made


def gcp_layer4(narrowed: Sequence[str], ports: str = "8443") -> list[dict[str, Any]]:
    kinds = ["tcp"] if "protocol" in narrowed else ["tcp", "udp", "sctp"] if "port" in narrowed else ["all"]
    return [{"ipProtocol": kind, **({"ports": [ports]} if "port" in narrowed else {})} for kind in kinds]


def _gcp_wide(random: Random, narrowed: Sequence[str]) -> tuple[Resource, list[Resource]]:
    more: dict[str, Any] = {"layer4Configs": gcp_layer4(narrowed)}
    outer: dict[str, Any] = {}
    blocks = []
    if "name" in narrowed:
        more["destFqdns"] = [EVIL]
    elif "address" in narrowed:
        more["destIpRanges"] = [RANGE]
    if {"name", "address"} <= set(narrowed):
        there = [*OUTSIDE, "::/0"]
        blocks.append(_gcp_rule(40, "deny", destIpRanges=there, layer4Configs=[{"ipProtocol": "all"}]))
        blocks.append(_gcp_rule(35, "allow", destFqdns=[HOST], layer4Configs=[{"ipProtocol": "tcp", "ports": ["443"]}]))
    if "client" in narrowed:
        if random.random() < 0.5:
            more["srcIpRanges"] = [CLIENTS]
        else:
            outer["targetServiceAccounts"] = [ACCOUNT]
    if random.random() < 0.5:  # a block of a part of it, or of all
        chosen = random.sample(DIMENSIONS, random.choice((1, 2, 3)))
        part: dict[str, Any] = {"layer4Configs": gcp_layer4(chosen)}
        part |= {"destIpRanges": [HALF]} if "address" in chosen else {"destFqdns": [EVIL]} if "name" in chosen else {}
        part |= {"srcIpRanges": ["10.20.30.0/25"]} if "client" in chosen and not outer else {}
        blocks.append(_gcp_rule(50, "deny", **part, outer=outer if "client" in chosen else {}))
    return _gcp_rule(random.choice((900, 1500)), "allow", **more, outer=outer), blocks


def _gcp_rule(priority: int, action: str, *, outer: dict[str, Any] | None = None, **match: Any) -> Resource:
    if not any(key.startswith("dest") for key in match) and "srcIpRanges" not in match:
        match["destIpRanges"] = ["0.0.0.0/0", "::/0"]
    inputs = {"firewallPolicy": _POLICY, "priority": float(priority), "action": action, "direction": "EGRESS",
              "ruleName": f"r{priority}", "match": match, **(outer or {})}  # fmt: skip
    return Resource(f"{_TOKEN}Rule:NetworkFirewallPolicyRule", f"r{priority}", f"{_POLICY}/rules/{priority}", inputs)


# Azure.

_KIND = "azure-native:network:"
_BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/hub"


def _azure(random: Random, narrowed: Sequence[str]) -> tuple[str, list[Resource], list[Resource]]:
    names = {"firewallPolicyName": "hub", "resourceGroupName": "rg"}
    wide, blocks = _azure_wide(random, narrowed)
    own = _application("images", [HOST], [("Https", 443)], "10.0.0.0/8")
    base = [
        Resource(f"{_KIND}FirewallPolicy", "hub", _BASE, {**names, "dnsSettings": {"enableProxy": True}}),
        _group("names", 300, [_collection("pull", 100, "Allow", [own])]),
    ]
    base += [_group("blocks", 200, [_collection("deny", 100, "Deny", blocks)])] if blocks else []
    random.shuffle(base)
    added = _group("team", random.choice((250, 400)), [_collection("wide", 100, "Allow", [wide])])
    return _BASE, [*base, added], base


def _azure_wide(random: Random, narrowed: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    client = CLIENTS if "client" in narrowed else "*"
    blocks = []
    if "name" in narrowed:
        port = 8443 if "port" in narrowed else 443
        parts = (
            [("Https", port)] if "protocol" in narrowed else [("Https", port), ("Http", 80 if port == 443 else port)]
        )
        wide = _application("wide", [EVIL], parts, client)
        if "address" in narrowed:
            blocks.append(
                _network("elsewhere", [each for each in OUTSIDE if each != "0.0.0.0/1"], ["8443", "80"], "Any", "*")
            )
            blocks.append(_network("lower", ["0.0.0.0/1"], ["8443", "80"], "Any", "*"))
    else:
        ports = ["8443"] if "port" in narrowed else ["*"]
        wide = _network("wide", [RANGE] if "address" in narrowed else ["*"], ports,
                        "TCP" if "protocol" in narrowed else "Any", client)  # fmt: skip
    if random.random() < 0.5:
        chosen = random.sample(DIMENSIONS, random.choice((1, 2, 3)))
        where = [HALF] if "address" in chosen else ["198.18.0.0/15"]
        ports = ["8443"] if "port" in chosen else ["*"]
        source = "10.20.30.0/25" if "client" in chosen else "*"
        blocks.append(_network("part", where, ports, "TCP" if "protocol" in chosen else "Any", source))
    return wide, blocks


def _network(name: str, addresses: list[str], ports: list[str], protocol: str, client: str) -> dict[str, Any]:
    return {"ruleType": "NetworkRule", "name": name, "sourceAddresses": [client], "destinationAddresses": addresses,
            "destinationPorts": ports, "ipProtocols": [protocol]}  # fmt: skip


def _application(name: str, hosts: list[str], parts: list[tuple[str, int]], client: str) -> dict[str, Any]:
    protocols = [{"protocolType": kind, "port": port} for kind, port in parts]
    return {"ruleType": "ApplicationRule", "name": name, "sourceAddresses": [client], "targetFqdns": hosts,
            "protocols": protocols}  # fmt: skip


def _collection(name: str, priority: int, action: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": name, "priority": priority,
            "action": {"type": action}, "rules": rules}  # fmt: skip


def _group(name: str, priority: int, collections: list[dict[str, Any]]) -> Resource:
    inputs = {"firewallPolicyName": "hub", "resourceGroupName": "rg", "priority": float(priority),
              "ruleCollectionGroupName": name, "ruleCollections": collections}  # fmt: skip
    return Resource(f"{_KIND}FirewallPolicyRuleCollectionGroup", name, f"{_BASE}/ruleCollectionGroups/{name}", inputs)


# What changes nothing.


def harmless(random: Random, cloud: Cloud) -> tuple[str, list[Resource]]:
    """The allowlist with one or two changes that open and close nothing of the internet."""
    where, _, made = widened(random, cloud, DIMENSIONS)
    made = [each for each in made if each.name in ("prod", "egress", "a", "r1000", "r2000", "r2001", "hub", "names")]
    changes = _HARMLESS_GCP if cloud == "gcp" else _HARMLESS_AZURE
    for change in random.sample(changes, random.choice((1, 2))):
        made = [*made, *change]
    random.shuffle(made)
    return where, made


_TLS = [{"ipProtocol": "tcp", "ports": ["443"]}]
_ALL = [{"ipProtocol": "all"}]
_HARMLESS_GCP = (
    [_gcp_rule(900, "allow", destFqdns=[f"{HOST.upper()}."], layer4Configs=_TLS)],
    [_gcp_rule(910, "allow", destIpRanges=["10.0.0.0/8", "fd20::/20"], layer4Configs=_ALL)],
    [_gcp_rule(920, "deny", destFqdns=[EVIL], layer4Configs=[{"ipProtocol": "udp"}])],
    [_gcp_rule(930, "allow", destIpRanges=["0.0.0.0/0"], layer4Configs=_ALL, outer={"disabled": True})],
    [_gcp_rule(940, "allow", srcIpRanges=["0.0.0.0/0"], layer4Configs=_ALL, outer={"direction": "INGRESS"})],
    [_gcp_rule(3000, "allow", destIpRanges=["0.0.0.0/0", "::/0"], layer4Configs=_ALL)],
    [Resource("gcp:compute/network:Network", "lonely", "projects/p/global/networks/lonely", {"name": "lonely"})],
)  # fmt: skip
_HARMLESS_AZURE = (
    [_group("again", 400, [_collection("c", 100, "Allow", [_application("a", [HOST.upper()], [("Https", 443)], "*")])])],
    [_group("inside", 410, [_collection("c", 100, "Allow", [_network("a", ["10.0.0.0/8", "172.16.0.0/12"], ["*"], "Any", "*")])])],
    [_group("deny", 420, [_collection("c", 100, "Deny", [_network("a", ["*"], ["*"], "UDP", "*")])])],
    [_group("empty", 430, [])],
    [_group("late", 440, [_collection("c", 100, "Deny", [_application("a", ["*"], [("Https", 443)], "*")])])],
)  # fmt: skip
