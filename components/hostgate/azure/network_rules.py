"""FQDN network rules: the part of an Azure rule collection group for entries that are neither HTTP nor TLS.

The firewall resolves the name through its DNS proxy and matches addresses; an address no longer returned stays allowed
for 15 minutes (Azure Firewall, FQDN filtering in network rules). Not a target of its own: Microsoft's rule is that
HTTP and TLS always go by application rule.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.azure.firewall_evidence import COSTS, ROUTE
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions
from hostgate.catalog.model import Entry
from hostgate.flows.flow import Flow
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.limits import Limit
from hostgate.planning.lookup import Lookup
from hostgate.planning.mechanism import Means

FQDNS = Limit(
    "FQDNs in network rules", 1000, "names", "Azure Firewall limits (2023-10), advised for performance", "2026-11-23"
)

_PAGE = "Azure Firewall, FQDN filtering in network rules (2026-03-28)"

LOOKUP = Lookup(
    refresh_s=15,
    keep_s=900,
    shared_cache=True,  # clients and rules resolve through the firewall's DNS proxy
    families=("ipv4",),
    source=_PAGE,
    date="2026-11-23",
)

_WILDCARD = "exact names; network rules take no wildcard by design, and such packets carry no name to match."

IPV4_HOST = "an IPv4 host."
"""Instead of one over IPv6 alone: Azure Firewall known issues, 2025-09 (read 2026-11-23)."""

MEANS = Means(
    name="FQDN network rules",
    protocols=frozenset({"tcp", "udp"}),
    sight="address-and-port",
    ttl_family="own-lookup",
    evidence=Evidence("documented", _PAGE, "2026-11-23"),
    needs=(
        ROUTE,
        Claim("tier Standard or Premium", "Azure Firewall features by SKU (2026-08-27)", "2026-11-23"),
        Claim("the firewall's DNS proxy turned on, and clients that resolve through it", _PAGE, "2026-11-23"),
    ),
    opens=(
        Claim(
            "every other name on the addresses of the host, at its port, until 15 minutes after the last answer",
            _PAGE,
            "2026-11-23",
        ),
    ),
    costs=COSTS,
    kinds=frozenset({"exact"}),
    families=LOOKUP.families,
    nearest={"one-label": _WILDCARD, "subtree": _WILDCARD, "subtree+apex": _WILDCARD, "ipv6": IPV4_HOST},
    lookup=LOOKUP,
)


def rules(entries: Sequence[Entry], options: FirewallPolicyOptions) -> list[tuple[dict[str, Any], list[Entry]]]:
    """A rule for each protocol and port, and the entries it allows."""
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if entry.protocol in MEANS.protocols:
            groups.setdefault((entry.transport, entry.port), []).append(entry)
    found = []
    for (transport, port), members in sorted(groups.items()):
        rule = {
            "ruleType": "NetworkRule",
            "name": f"{transport}-{port}",
            "ipProtocols": [transport.upper()],
            **options.sources,
            "destinationFqdns": sorted({entry.host for entry in members}),
            "destinationPorts": [str(port)],
        }
        found.append((rule, members))
    return found


def matches(rule: Mapping[str, Any], flow: Flow) -> bool:
    """Whether the addresses, protocol and port of `flow` are those of `rule` (the source is checked by the caller)."""
    if flow.transport.upper() not in rule["ipProtocols"] and "Any" not in rule["ipProtocols"]:
        return False
    if flow.port and not any(_port_in(spec, flow.port) for spec in rule["destinationPorts"]):
        return False
    if "*" in rule.get("destinationAddresses", ()):
        return True
    return flow.name.lower().removesuffix(".") in rule.get("destinationFqdns", ())


def _port_in(spec: str, port: int) -> bool:
    if spec == "*":
        return True
    low, _, high = spec.partition("-")
    return int(low) <= port <= int(high or low)
