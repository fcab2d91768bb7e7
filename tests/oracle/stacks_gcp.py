"""Stacks of Google Cloud as people write them, and connections from them, both from one seed."""

from random import Random
from typing import Any

from oracle.dial import Dial, Resource

PROJECT = "projects/p"
LINK = "https://www.googleapis.com/compute/v1/"
NETWORKS = (f"{PROJECT}/global/networks/prod", f"{PROJECT}/global/networks/build")

RESOLVES = {
    "cgr.dev": ("34.1.0.1", "34.1.0.2"),
    "data.cgr.dev": ("34.1.0.2", "2600:1f18::5"),  # shares an address with cgr.dev
    "quay.io": ("52.20.0.1",),
    "ghcr.io": ("140.82.1.1", "2606:50c0::1"),
    "time.vendor.example": ("198.41.0.4", "2001:503::30"),
    "evil.example": ("140.82.1.1", "45.9.0.1"),  # shares an address with ghcr.io
    "mail.example": ("45.9.8.1", "2a01:4f8::1"),
    "intranet.corp.example": ("10.8.0.1", "fd20:1::1"),
}
PLAIN = ("10.8.0.1", "169.254.169.254", "8.8.8.8", "2606:50c0::1", "192.168.7.7", "45.9.0.1")
RANGES = (
    "34.1.0.0/24", "34.0.0.0/8", "52.20.0.0/16", "140.82.1.1/32", "45.9.0.0/20", "10.0.0.0/8", "10.8.0.0/16",
    "0.0.0.0/0", "2600::/12", "2606:50c0::1/128", "::/0", "128.0.0.0/1", "192.168.0.0/16", "8.8.8.8", "fd20::/16",
    "198.41.0.4", "2001:503::/32", "0.0.0.0/0",
)  # fmt: skip
ACCOUNTS = ("builds@p.iam.gserviceaccount.com", "web@p.iam.gserviceaccount.com")
TAGS = ("tagValues/111", "tagValues/222")
GROUPS = f"{PROJECT}/locations/global/securityProfileGroups"
URLS = (
    "cgr.dev", "*.cgr.dev", "*.cgr.dev", "*cgr.dev", "*gr.dev", "quay.io", "*.io", "*", "evil.example", "*example",
    "*vendor.example", "GHCR.io", "data.cgr.dev", "*.quay.io", "*.ghcr.io", "*.evil.example",
)  # fmt: skip
SOURCES = ("10.0.0.5", "10.0.9.9", "10.64.1.1", "fd20:9::5", "fd20:9:1::9")
SOURCE_RANGES = ("10.0.0.0/16", "10.0.0.0/24", "10.64.0.0/10", "fd20:9::/64", "0.0.0.0/0", "::/0", "10.0.9.9/32")
LAYER4: tuple[dict[str, Any], ...] = (
    {"ipProtocol": "tcp", "ports": ["443"]}, {"ipProtocol": "tcp", "ports": ["443"]}, {"ipProtocol": "tcp"},
    {"ipProtocol": "tcp", "ports": ["80", "443"]}, {"ipProtocol": "tcp", "ports": ["1-1024"]}, {"ipProtocol": "all"},
    {"ipProtocol": "all"}, {"ipProtocol": "udp", "ports": ["53", "443-444"]}, {"ipProtocol": "17"},
    {"ipProtocol": "6", "ports": ["8000-9000"]}, {"ipProtocol": "icmp"}, {"ipProtocol": "58"}, {"ipProtocol": "esp"},
    {"ipProtocol": "TCP", "ports": ["22", "8443"]}, {"ipProtocol": "sctp"}, {"ipProtocol": "udp"},
)  # fmt: skip


def stack(random: Random) -> list[Resource]:
    """One or two networks with classic rules and policies at some levels, on which rules of both kinds interleave."""
    made: list[Resource] = []
    for network in NETWORKS[: random.choice((1, 1, 1, 2))]:
        name = network.rpartition("/")[2]
        inputs: dict[str, Any] = {"name": name}
        order = random.choice(
            (None, None, "AFTER_CLASSIC_FIREWALL", "BEFORE_CLASSIC_FIREWALL", "BEFORE_CLASSIC_FIREWALL")
        )
        if order:
            inputs["networkFirewallPolicyEnforcementOrder"] = order
        made.append(Resource("gcp:compute/network:Network", name, network, inputs))
    networks = [each.id for each in made]
    for kind in ("IPV4", "IPV6"):
        wanted = [cidr for cidr in RANGES if (":" in cidr) == (kind == "IPV6")]
        inputs = {"name": f"set-{kind.lower()}", "location": "global", "type": kind, "capacity": 100}
        inputs["items"] = random.sample(wanted, 2)
        link = f"{PROJECT}/locations/global/addressGroups/set-{kind.lower()}"
        made.append(Resource("gcp:networksecurity/addressGroup:AddressGroup", inputs["name"], link, inputs))
    made += _inspection(random, networks)
    if random.random() < 0.5:
        made += _above(random, "organizations/77", "1001", networks)
    if random.random() < 0.08:
        made += _above(random, "folders/88", "1002", networks)
    for network in networks:
        made += _classic(random, network)
        name = network.rpartition("/")[2]
        if random.random() < 0.85:
            made += _attached(
                random, "networkFirewallPolicy", f"{PROJECT}/global/firewallPolicies/egress-{name}", network
            )
        if random.random() < 0.12:
            link = f"{PROJECT}/regions/europe-west1/firewallPolicies/regional-{name}"
            made += _attached(random, "regionNetworkFirewallPolicy", link, network)
    random.shuffle(made)
    return made


def _inspection(random: Random, networks: list[str]) -> list[Resource]:
    """Two security profile groups, with their URL filters, and endpoints of most networks."""
    security = "gcp:networksecurity/"
    made = []
    for index in range(2):
        filters = [
            {
                "filteringAction": random.choice(("ALLOW", "ALLOW", "DENY")),
                "priority": float(place),
                "urls": random.sample(URLS, random.choice((1, 2, 4))),
            }
            for place in random.sample(range(100), random.choice((1, 1, 2, 3)))
        ]
        profile = f"{PROJECT}/locations/global/securityProfiles/p{index}"
        inputs: dict[str, Any] = {"name": f"p{index}", "parent": PROJECT, "type": "URL_FILTERING"}
        inputs["urlFilteringProfile"] = {"urlFilters": filters}
        made.append(Resource(f"{security}securityProfile:SecurityProfile", f"p{index}", profile, inputs))
        held: dict[str, Any] = {"name": f"g{index}", "parent": PROJECT, "urlFilteringProfile": profile}
        if random.random() < 0.05:
            held["urlFilteringProfile"] = f"{PROJECT}/locations/global/securityProfiles/elsewhere"
        if random.random() < 0.05:
            held["threatPreventionProfile"] = f"{PROJECT}/locations/global/securityProfiles/threats"
        made.append(
            Resource(f"{security}securityProfileGroup:SecurityProfileGroup", f"g{index}", f"{GROUPS}/g{index}", held)
        )
    for network in networks:
        if random.random() < 0.9:
            zone, name = "europe-west1-b", f"inspected-{network.rpartition('/')[2]}"
            own = {
                "location": zone,
                "parent": PROJECT,
                "network": random.choice((network, LINK + network)),
                "name": name,
            }
            own["firewallEndpoint"] = f"{PROJECT}/locations/{zone}/firewallEndpoints/e"
            link = f"{PROJECT}/locations/{zone}/firewallEndpointAssociations/{name}"
            made.append(Resource(f"{security}firewallEndpointAssociation:FirewallEndpointAssociation", name, link, own))
    return made


def dials(random: Random, made: list[Resource], count: int) -> list[tuple[str, Dial]]:
    """Connections, each with the network that it starts in."""
    networks = [each.id for each in made if each.type == "gcp:compute/network:Network"]
    return [(random.choice(networks), _dial(random)) for _ in range(count)]


def _dial(random: Random) -> Dial:
    if random.random() < 0.2:
        name = address = random.choice(PLAIN)
    else:
        name = random.choice(tuple(RESOLVES))
        address = random.choice(RESOLVES[name])
    v6 = ":" in address
    source = random.choice([each for each in SOURCES if (":" in each) == v6])
    if random.random() < 0.25:
        source = random.choice([f"account:{each}" for each in (*ACCOUNTS, "other@p.iam.gserviceaccount.com")])
    elif random.random() < 0.1:
        source = f"tag:{random.choice((*TAGS, 'tagValues/333'))}"
    transport, port, speaks = random.choice(
        (("tcp", 443, "tls"),) * 5
        + (("tcp", 80, "http"), ("udp", 443, "quic"), ("udp", 53, "other"), ("tcp", 22, "other"), ("tcp", 8443, "tls"))
    )
    carries = name if speaks in ("tls", "http") and random.random() < 0.93 else None
    return Dial(name, address, source, transport, port, speaks, carries, RESOLVES)  # type: ignore[arg-type]


def _reference(random: Random, link: str) -> str:
    """A policy or network as people write it: its id, its link, or the name alone."""
    return random.choice((link, LINK + link, link.rpartition("/")[2]))


def _above(random: Random, holder: str, number: str, networks: list[str]) -> list[Resource]:
    link = f"locations/global/firewallPolicies/{number}"
    inputs = {"parent": holder, "shortName": f"above-{number}"}
    made = _rules(random, "firewallPolicy", link, inputs, networks)
    outside = random.random() < 0.05
    target = "locations/global/firewallPolicies/9999" if outside else random.choice((link, number))
    made.append(
        Resource(
            "gcp:compute/firewallPolicyAssociation:FirewallPolicyAssociation", f"a-{number}", f"{link}/associations/a",
            {"attachmentTarget": holder, "firewallPolicy": target, "name": "a"},
        )
    )  # fmt: skip
    return made


def _attached(random: Random, kind: str, link: str, network: str) -> list[Resource]:
    name = link.rpartition("/")[2]
    inputs: dict[str, Any] = {"name": name}
    region = {"region": "europe-west1"} if kind.startswith("region") else {}
    made = _rules(random, kind, link, {**inputs, **region}, [network])
    upper = kind[0].upper() + kind[1:]
    target = f"{PROJECT}/global/firewallPolicies/elsewhere" if random.random() < 0.04 else _reference(random, link)
    attached = {"attachmentTarget": random.choice((network, LINK + network)), "firewallPolicy": target, "name": "a"}
    made.append(
        Resource(f"gcp:compute/{kind}Association:{upper}Association", f"{name}-a", f"{link}/associations/a",
                 {**attached, **region})
    )  # fmt: skip
    return made


def _rules(random: Random, kind: str, link: str, inputs: dict[str, Any], networks: list[str]) -> list[Resource]:
    token, upper = f"gcp:compute/{kind}", kind[0].upper() + kind[1:]
    hierarchical = kind == "firewallPolicy"
    name = link.rpartition("/")[2]
    bodies = [_rule(random, hierarchical, networks) for _ in range(random.randint(1, 6))]
    if not hierarchical and random.random() < 0.7:
        bodies += [_last(cidr) for cidr in random.choice((("0.0.0.0/0", "::/0"), ("0.0.0.0/0",)))]
    places = sorted(random.sample(range(1, 5000), len(bodies)))
    bodies = [{**body, "priority": float(place)} for body, place in zip(bodies, places, strict=True)]
    if random.random() < 0.3:
        random.shuffle(bodies)
        return [Resource(f"{token}WithRules:{upper}WithRules", name, link, {**inputs, "rules": bodies})]
    made = [Resource(f"{token}:{upper}", name, link, inputs)]
    for body in bodies:
        place = int(body["priority"])
        region = {"region": "europe-west1"} if kind.startswith("region") else {}
        own = {"firewallPolicy": _reference(random, link), **region, **body}
        made.append(Resource(f"{token}Rule:{upper}Rule", f"{name}-{place}", f"{link}/rules/{place}", own))
    return made


def _last(cidr: str) -> dict[str, Any]:
    match = {"layer4Configs": [{"ipProtocol": "all"}], "destIpRanges": [cidr]}
    return {"action": "deny", "direction": "EGRESS", "match": match}


def _rule(random: Random, hierarchical: bool, networks: list[str]) -> dict[str, Any]:
    actions = ["allow"] * 6 + ["deny"] * 3 + ["goto_next"] * (5 if hierarchical else 2)
    action = random.choice(actions)
    if random.random() < 0.25:
        action = "apply_security_profile_group"
    match: dict[str, Any] = {"layer4Configs": random.sample(LAYER4, random.choice((1, 1, 2)))}
    _where(random, match)
    if random.random() < 0.12:
        match["srcIpRanges"] = random.sample(SOURCE_RANGES, random.choice((1, 2)))
    rule: dict[str, Any] = {"action": action, "direction": "EGRESS", "match": match}
    if action == "apply_security_profile_group":
        known = random.random() < 0.95
        rule["securityProfileGroup"] = (
            f"//networksecurity.googleapis.com/{GROUPS}/{random.choice(('g0', 'g1')) if known else 'h'}"
        )
        if random.random() < 0.7:
            match["layer4Configs"] = [{"ipProtocol": "tcp", "ports": [random.choice(("443", "80"))]}]
            match.pop("destFqdns", None)
            match["destIpRanges"] = random.choice((["0.0.0.0/0"], ["::/0"]))
    if random.random() < 0.06:
        rule["direction"] = "INGRESS"
        for key in ("destNetworkContext", "destNetworkScope"):
            match.pop(key, None)
        match["srcIpRanges"] = ["0.0.0.0/0"]
    if random.random() < 0.08:
        rule["disabled"] = True
    elif random.random() < 0.2:
        rule["disabled"] = False
    chance = random.random()
    if chance < 0.1:
        rule["targetServiceAccounts"] = random.sample(ACCOUNTS, random.choice((1, 2)))
    elif chance < 0.15:
        rule["targetSecureTags"] = [{"name": each} for each in random.sample(TAGS, random.choice((1, 2)))]
    elif chance < 0.35:
        rule["targetServiceAccounts"] = []
    if hierarchical and random.random() < 0.25:
        named = random.choice((networks[0], networks[-1], f"{PROJECT}/global/networks/other"))
        rule["targetResources"] = [random.choice((named, LINK + named))]
    return rule


def _where(random: Random, match: dict[str, Any]) -> None:
    chance = random.random()
    if chance < 0.5:
        match["destIpRanges"] = random.sample(RANGES, random.choice((1, 1, 2, 3)))
    elif chance < 0.8:
        names = random.sample(tuple(RESOLVES), random.choice((1, 2, 3)))
        match["destFqdns"] = [random.choice((name, name, name.upper(), f"{name}.")) for name in names]
    elif chance < 0.9:
        group = random.choice(("set-ipv4", "set-ipv6"))
        match["destAddressGroups"] = [f"{PROJECT}/locations/global/addressGroups/{group}"]
    if random.random() < 0.1:
        match.setdefault("destIpRanges", []).extend(random.sample(RANGES, 1))
    if random.random() < 0.1:
        match.setdefault("destFqdns", []).append(random.choice(tuple(RESOLVES)))
    if random.random() < 0.02:
        match["destRegionCodes"] = ["KP"]
    if random.random() < 0.03:
        match["destThreatIntelligences"] = ["iplist-tor-exit-nodes"]
    if random.random() < 0.02:
        match["destAddressGroups"] = [f"{PROJECT}/locations/global/addressGroups/elsewhere"]
    if random.random() < 0.03 and any(key.startswith("dest") for key in match):
        key = random.choice(("destNetworkContext", "destNetworkScope", "srcNetworkScope", "srcNetworkContext"))
        match[key] = random.choice(("INTERNET", "NON_INTERNET", "UNSPECIFIED"))
    if random.random() < 0.1:
        match.setdefault("destAddressGroups", [])
        match.setdefault("destRegionCodes", [])


def _classic(random: Random, network: str) -> list[Resource]:
    made = []
    for index in range(random.choice((0, 0, 1, 2, 4))):
        kind = random.choice(("allows", "denies"))
        parts = random.sample(LAYER4, random.choice((1, 1, 2)))
        inputs: dict[str, Any] = {
            "network": _reference(random, network),
            "direction": "EGRESS",
            kind: [
                {"protocol": each["ipProtocol"].lower(), **({"ports": each["ports"]} if "ports" in each else {})}
                for each in parts
            ],
        }
        if random.random() < 0.8:
            v6 = random.random() < 0.3
            wanted = [cidr for cidr in RANGES if (":" in cidr) == v6]
            inputs["destinationRanges"] = random.sample(wanted, random.choice((1, 2)))
        if random.random() < 0.8:
            inputs["priority"] = random.choice((900, 1000, 1000, 65534, 10))
        if random.random() < 0.15:
            inputs["direction"] = random.choice(("INGRESS", None))
            inputs = {key: value for key, value in inputs.items() if value is not None}
        if random.random() < 0.1:
            inputs["disabled"] = True
        if random.random() < 0.2:
            inputs["sourceRanges"] = [random.choice(SOURCE_RANGES)]
        if random.random() < 0.15:
            inputs["targetServiceAccounts"] = [random.choice(ACCOUNTS)]
        elif random.random() < 0.05:
            inputs["targetTags"] = ["web"]
        name = f"classic-{network.rpartition('/')[2]}-{index}"
        made.append(Resource("gcp:compute/firewall:Firewall", name, f"{PROJECT}/global/firewalls/{name}", inputs))
    return made
