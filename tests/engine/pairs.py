"""Pairs of stack files, old and new, made at random from a number: what a team may write today, and tomorrow.

The new one is the old one with a few keys changed, given or taken out, or another altogether. Nothing is avoided because
it is known to be hard: what a pair asks for ends well or is refused.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from engine.moments import flows_about
from hostgate.azure import resources as azure
from hostgate.flows.flow import Flow
from hostgate.gcp import resources as gcp
from hostgate.planning.plan import Plan
from hostgate.sandbox.lifecycle import Account
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import State

REVISIONS = ("chainguard/images@2024-03-28", "chainguard/images@2026-02-23")
HOSTS = (
    "a=a.acme.example", "a=a2.acme.example", "b=b.acme.example", "c=c.acme.example:80", "d=d.acme.example:8443",
    "e=e.acme.example", "f=f.acme.example:80", "g=g.acme.example:8444",
)  # fmt: skip
NETWORK = "projects/acme/global/networks/{}"
VPCS = ("vpc-0a1b2c3d", "vpc-0e1f2a3b")
BOTNETS = "arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/first"
OUT = object()
"""Left out."""

Keys = Mapping[str, Sequence[Any]]
"""By key the values that it may have; the first is the usual one."""

_EVERYWHERE: Keys = {"name": (OUT, "acme"), "mode": (OUT, "audit"), "tags": (OUT, {"owner": "net"}, {"owner": ""})}
_FIREWALL: Keys = {
    **_EVERYWHERE,
    "mechanism": ("rules", "domain-list"),
    "from": (["10.0.0.0/8"], OUT, ["10.20.0.0/16"], ["10.20.0.0/16", "10.30.0.0/16"], ["192.168.1.0/24"]),
    "homeNet": (OUT, ["10.0.0.0/8", "192.168.0.0/16"], ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]),
    "deny": (OUT, "all", "none", "declared"),
    "reject": (OUT, True),
    "logAllowed": (OUT, True),
    "base": (OUT, 1001, 2000),
    "managedGroups": (OUT, [{"arn": BOTNETS}], [{"arn": BOTNETS, "override": "DROP_TO_ALERT"}]),
    "tlsInspection": (OUT, TLS),
    "firewall": (
        OUT,
        {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}]},
        {"vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}, {"subnetId": "subnet-2"}]},
        {"vpcId": "vpc-2", "subnetMappings": [{"subnetId": "subnet-3"}]},
    ),
}
_QUERIES: Keys = {
    **_EVERYWHERE,
    "mechanism": ("dns-firewall",),
    "vpcs": ([VPCS[0]], [*VPCS], [VPCS[1]]),
    "deny": (OUT, "all"),
    "base": (OUT, 500),
    "inside": (OUT, ["corp.acme.example"]),
    "failMode": (OUT, "open"),
    "blockResponse": (OUT, "NXDOMAIN"),
}
_ADDRESSES: Keys = {
    **_EVERYWHERE,
    "mechanism": ("fqdn",),
    "networks": ([NETWORK.format("main")], [NETWORK.format("main"), NETWORK.format("other")]),
    "from": (OUT, ["10.0.0.0/8"], ["builds@acme.iam.gserviceaccount.com"], ["10.0.0.0/8", "fd00::/8"]),
    "deny": (OUT, "all", "none"),
    "base": (OUT, 2001, 2500, 100_000),
    "region": (OUT, "europe-west1"),
}
_ATTACHED: Keys = {
    **{key: _ADDRESSES[key] for key in ("mechanism", "base", "from")},
    "deny": ("declared",),
    "attach": ("projects/acme/global/firewallPolicies/egress",),
}
_NAMES: Keys = {
    **{key: _ADDRESSES[key] for key in (*_EVERYWHERE, "networks", "base")},
    "mechanism": ("url-filter",),
    "zones": (["europe-west1-b"], ["europe-west1-b", "europe-west1-c"]),
    "from": (OUT, ["10.0.0.0/8"]),
}
_PROXY: Keys = {
    **_EVERYWHERE,
    "mechanism": ("web-proxy",),
    "network": (NETWORK.format("main"),),
    "subnetwork": ("projects/acme/regions/europe-west4/subnetworks/main",),
    "proxySubnet": ("10.9.0.0/23",),
    "from": (OUT, ["10.0.0.0/8"], ["10.20.0.0/16"]),
    "routing": (OUT, OUT, OUT, "explicit"),
    "ports": (OUT, OUT, OUT, [8080]),
    "base": (OUT, 1064),
}
_AZURE: Keys = {
    **_EVERYWHERE,
    "mechanism": ("application-rules",),
    "resourceGroup": ("rg-hub", "rg-spoke"),
    "location": ("westeurope",),
    "from": (["10.0.0.0/8"], OUT, ["10.20.0.0/16"], ["10.20.0.0/16", "192.168.0.0/16"]),
    "tier": (OUT, "Premium"),
    "deny": (OUT, "all", "declared"),
    "base": (OUT, 2001, 3000),
}
_HUB: Keys = {
    **{key: _AZURE[key] for key in (*_EVERYWHERE, "mechanism", "from", "base")},
    "attach": ("rg-owner/fp-hub",),
}
LAYERS: Mapping[str, Keys] = {
    "aws": _FIREWALL, "aws queries": _QUERIES, "gcp": _ADDRESSES, "gcp attached": _ATTACHED, "gcp names": _NAMES,
    "gcp proxy": _PROXY, "azure": _AZURE, "azure attached": _HUB,
}  # fmt: skip
SOURCES = ("10.20.1.1", "10.99.1.1", "192.168.1.9", "fd00::9", "account:builds@acme.iam.gserviceaccount.com")
"""Clients within and without what `from` and `homeNet` name above."""


@dataclass(frozen=True, slots=True)
class Side:
    """One stack file: options by layer, hosts of its own, and perhaps a vendor's revision."""

    layers: Mapping[str, Mapping[str, Any]]
    hosts: Sequence[str]
    revision: str | None

    @property
    def clouds(self) -> dict[str, Any]:
        """As the lab writes them: a cloud's options, or a list of those of its layers."""
        found: dict[str, list[Any]] = {}
        for name, options in self.layers.items():
            found.setdefault(name.partition(" ")[0], []).append(dict(options))
        # Copied by value, since what stands in two places would be written as an alias.
        return json.loads(json.dumps({cloud: one[0] if len(one) == 1 else one for cloud, one in found.items()}))  # type: ignore[no-any-return]

    @property
    def attached(self) -> set[str]:
        """Layers that go into a policy of somebody else: what another stack owns is no place to leave or to enter."""
        return {name for name, options in self.layers.items() if "attach" in options}

    def told(self) -> str:
        hosts = [*self.hosts, *([self.revision] if self.revision else [])]
        return "; ".join([*(f"{name}: {dict(options)}" for name, options in self.layers.items()), ", ".join(hosts)])


@dataclass(frozen=True, slots=True)
class Pair:
    """A stack file, and what it is changed to."""

    number: int
    old: Side
    new: Side

    def __str__(self) -> str:
        return f"pair {self.number}\n  old: {self.old.told()}\n  new: {self.new.told()}"


def pair(number: int, attempt: int = 0) -> Pair:
    """The pair of this number, always the same. `attempt`: another one, where the old side of those before is refused."""
    chance = Random(f"{number}.{attempt}")
    old = _side(chance)
    new = _changed(chance, old)
    if chance.random() < 0.15:
        while (new := _side(chance)).attached != old.attached:
            pass
    return Pair(number, old, new)


def _side(chance: Random) -> Side:
    names = chance.sample(["aws", "gcp", "azure"], chance.choice((1, 1, 2)))
    if "aws" in names and chance.random() < 0.3:
        names.append("aws queries")
    if "gcp" in names and chance.random() < 0.5:
        names[names.index("gcp")] = chance.choice(("gcp attached", "gcp names", "gcp proxy"))
    if "azure" in names and chance.random() < 0.3:
        names[names.index("azure")] = "azure attached"
    layers = {name: _options(chance, LAYERS[name]) for name in sorted(names)}
    return Side(layers, _hosts(chance), chance.choice((None, None, None, *REVISIONS)))


def _options(chance: Random, keys: Keys) -> dict[str, Any]:
    drawn = {key: values[0] if chance.random() < 0.75 else chance.choice(values) for key, values in keys.items()}
    return {key: value for key, value in drawn.items() if value is not OUT}


def _hosts(chance: Random) -> list[str]:
    ids = {each.partition("=")[0]: each for each in chance.sample(HOSTS, chance.randint(1, 4))}
    return sorted(ids.values())


def _changed(chance: Random, old: Side) -> Side:
    layers = {name: dict(options) for name, options in old.layers.items()}
    hosts, revision = old.hosts, old.revision
    for _ in range(chance.choice((1, 1, 2, 3))):
        what = chance.random()
        if what < 0.25:
            hosts = _hosts(chance)
        elif what < 0.32:
            revision = chance.choice((None, *REVISIONS))
        else:
            name = chance.choice(sorted(layers))
            key = chance.choice([key for key, values in LAYERS[name].items() if len(values) > 1])
            value = chance.choice([each for each in LAYERS[name][key] if each != layers[name].get(key, OUT)])
            layers[name].pop(key, None)
            layers[name] |= {} if value is OUT else {key: value}
    return Side(layers, hosts, revision)


def flows(plans: Iterable[Plan]) -> list[Flow]:
    """Of `flows_about`, those to the hosts themselves from every client, the others from one of them in turn."""
    plans = list(plans)
    hosts = {decision.entry.host for plan in plans for decision in plan.decisions}
    return [
        replace(flow, source=source)
        for index, flow in enumerate(flows_about(plans))
        for number, source in enumerate(SOURCES)
        if (flow.name in hosts and flow.protocol == "https") or index % len(SOURCES) == number
        if flow.address is None or source == SOURCES[-1] or (":" in flow.address) == (":" in source)
    ]


def owners(state: State, attached: Collection[str]) -> None:
    """What other teams own where a layer attaches to it: a policy of Google Cloud that denies, associated with a network,
    and one of Azure."""
    service = Service(state, Account(project="acme"))
    if "azure attached" in attached:
        hub = {"firewallPolicyName": "fp-hub", "resourceGroupName": "rg-owner", "location": "westeurope"}
        service.create(azure.POLICY, {**hub, "sku": {"tier": "Standard"}})
    if "gcp attached" not in attached:
        return
    service.create(gcp.POLICY, {"name": "egress", "project": "acme"})
    for priority, everything in ((3_000_000, "0.0.0.0/0"), (3_000_001, "::/0")):
        match = {"destIpRanges": [everything], "layer4Configs": [{"ipProtocol": "all"}]}
        rule = {
            "firewallPolicy": "egress",
            "priority": priority,
            "action": "deny",
            "direction": "EGRESS",
            "match": match,
        }
        service.create(gcp.RULE, {**rule, "project": "acme"})
    network = {"attachmentTarget": NETWORK.format("owned"), "firewallPolicy": "egress", "name": "owned"}
    service.create(gcp.ASSOCIATION, {**network, "project": "acme"})
