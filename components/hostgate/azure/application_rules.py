"""azure:application-rules: one rule collection group, with application rules for HTTP and TLS and network rules beside.

Azure Firewall terminates nothing it need not: it reads SNI or Host, resolves the name itself and dials that answer, so
client DNS, TTL and rotation do not matter (Azure Firewall, DNS details). It denies what no rule allows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.azure import network_rules
from hostgate.azure.firewall_evidence import ANSWERS, COSTS, ROUTE
from hostgate.azure.firewall_policy import (
    APPLICATION_PRIORITY,
    GROUPS,
    GROUPS_OF_ANY,
    NETWORK_PRIORITY,
    FirewallPolicyMechanism,
    Rules,
    application_rule,
)
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions
from hostgate.azure.resources import GROUP_BYTES, LAST_PRIORITY
from hostgate.catalog.model import Entry
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Usage
from hostgate.planning.mechanism import Means, Objection, Rendering
from hostgate.planning.sharding import Shard, shard

_ONE_LABEL = "name the hosts as exact entries, or use aws:rules, which can hold the depth to one label."


class ApplicationRules(FirewallPolicyMechanism[FirewallPolicyOptions]):
    """Application rules in a rule collection group; entries that are neither HTTP nor TLS become network rules in it."""

    target = "azure:application-rules"
    title = "Azure Firewall rules"
    options = FirewallPolicyOptions
    limits = (GROUP_BYTES, GROUPS, GROUPS_OF_ANY, LAST_PRIORITY, network_rules.FQDNS)
    means = (
        Means(
            name="Application rules",
            protocols=frozenset({"https", "http", "tls"}),
            # `HTTP/1.1 470 status code 470`, `Action: Deny. Reason: No rule matched.`: traces of 2022 that are public, and
            # http.dev/470 (read 2026-11-28). No registered status.
            denial="470",
            sight="name-and-port",
            ttl_family="wire",
            evidence=Evidence("documented", "Azure Firewall, rule processing (2025-05)", "2026-11-23"),
            needs=(ROUTE,),
            opens=(
                Claim(
                    "any server to which a client names an allowed host in TLS, unless the firewall dials the name itself",
                    "Azure Firewall: rule processing says so of HTTP and inspected TLS, DNS details of all names",
                    "2026-11-23",
                ),
            ),
            costs=COSTS,
            kinds=frozenset({"exact", "subtree", "subtree+apex"}),
            ports=range(1, 64_001),  # 2024-05-01 firewallPolicy API: 0 to 64000; the limits page starts at 1
            families=("ipv4",),
            widenings={"one-label": "deeper-names"},
            nearest={"one-label": _ONE_LABEL, "ipv6": network_rules.IPV4_HOST},
            bare_connect=ANSWERS,
        ),
        network_rules.MEANS,
    )

    def objections(
        self, entries: Sequence[Entry], options: FirewallPolicyOptions
    ) -> Mapping[tuple[str, str], Objection]:
        found = dict(super().objections(entries, options))
        for entry in entries:
            if options.tier == "Basic" and entry.protocol in network_rules.MEANS.protocols:
                found[entry.key] = Objection(
                    f"FQDNs in network rules need tier Standard or Premium. Found: {entry.protocol} with tier Basic.",
                    "tier Standard.",
                )
            elif options.dns_proxy is False and entry.protocol in network_rules.MEANS.protocols:
                found[entry.key] = Objection(
                    f"FQDNs in network rules need the policy's DNS proxy. Found: {entry.protocol} with dnsProxy false.",
                    "dnsProxy true, or left out.",
                )
        return found

    def allowing(self) -> Sequence[tuple[str, int, Callable[[Sequence[Entry], FirewallPolicyOptions], Rules]]]:
        return (
            ("allow-network", NETWORK_PRIORITY, network_rules.rules),
            ("allow-application", APPLICATION_PRIORITY, _application_rules),
        )

    def parts(self, entries: Sequence[Entry]) -> tuple[Shard[Entry], ...]:
        return shard(
            entries,
            key=lambda entry: "\n".join(entry.key),
            weights=lambda entry: (2 * len(entry.host) + (10 if entry.port in (80, 443) else 300),),
            capacities=(GROUP_BYTES.max - 20_000,),
        )

    def looks_up(self, entry: Entry) -> bool:
        return entry.protocol in network_rules.MEANS.protocols

    def web_ports(self, entries: Sequence[Entry]) -> frozenset[int]:
        return frozenset({80, 443, *(entry.port for entry in entries if not self.looks_up(entry))})

    def render(self, entries: Sequence[Entry], options: FirewallPolicyOptions) -> Rendering:
        made = super().render(entries, options)
        looked_up = {entry.host for entry in entries if self.looks_up(entry)}
        return replace(made, usage=(*made.usage, Usage(network_rules.FQDNS, len(looked_up))))

    def remarks(self, entries: Sequence[Entry], options: FirewallPolicyOptions) -> list[Finding]:
        found = []
        if any(entry.protocol == "https" for entry in entries):
            found.append(finding("quic-closed", "UDP 443 stays closed; clients fall back to TLS over TCP."))
        if any(entry.families and "ipv6" in entry.families for entry in entries):
            found.append(
                finding("ipv4-only", "The firewall dials the hosts over IPv4; clients need an IPv4 path to it.")
            )
        found += [
            # MicrosoftDocs/azure-docs #69563 (2021): `test--a.com` refused as target FQDN. Whether it still is: not tried.
            finding("doubtful-name", f"{entry.host} has a double hyphen, which the service refused in 2021.", entry)
            for entry in entries
            if "--" in entry.host
        ]
        return [*found, *super().remarks(entries, options)]


def _application_rules(
    entries: Sequence[Entry], options: FirewallPolicyOptions
) -> list[tuple[dict[str, Any], list[Entry]]]:
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if entry.protocol not in network_rules.MEANS.protocols:
            groups.setdefault(("Http" if entry.protocol == "http" else "Https", entry.port), []).append(entry)
    return [
        (
            application_rule(
                f"{kind.lower()}-{port}", [(kind, port)], sorted({name for e in members for name in _fqdns(e)}), options
            ),
            members,
        )
        for (kind, port), members in sorted(groups.items())
    ]


def _fqdns(entry: Entry) -> tuple[str, ...]:
    """`*.x` holds any depth below x and not x; `*x` would hold evilx too and is never written (Azure Firewall FAQ)."""
    match entry.match:
        case "exact":
            return (entry.host,)
        case "subtree+apex":
            return (entry.host, f"*.{entry.host}")
        case _:
            return (f"*.{entry.host}",)


MECHANISM = ApplicationRules()
