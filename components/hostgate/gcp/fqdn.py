"""gcp:fqdn: firewall policy rules with FQDN objects, private ranges passed on, and a deny for each address family.

Google's control plane resolves the names: a rule matches addresses, so a name with the same address passes too, and a
name without an answer matches nothing (Cloud NGFW, FQDN objects overview).
"""

from collections.abc import Sequence

from hostgate.catalog.model import Entry
from hostgate.gcp.firewall_policy import (
    BLOCK,
    RULE,
    SMALL_BLOCK,
    Allows,
    FirewallPolicyMechanism,
    block,
    rule,
    slot,
)
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions
from hostgate.gcp.resources import FQDNS
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import finding
from hostgate.planning.limits import Usage
from hostgate.planning.lookup import Lookup
from hostgate.planning.mechanism import CloudObject, Means
from hostgate.planning.sharding import Shard, shard

OVERVIEW = "Cloud NGFW, FQDN objects overview"

LOOKUP = Lookup(
    refresh_s=300,  # no period is published; the advice against TTLs under 90 s suggests a shorter one
    published=False,
    keep_s=0,
    cap=32,
    least_ttl_s=90,
    source="Cloud NGFW, FQDN objects overview (32 addresses); TTL advice as validated by a published walk-through, 2026-02",
    date="2026-11-23",
)

# Most Google domains have highly variable answers, googleapis.com for one (Cloud NGFW, FQDN objects, as validated by two
# published walk-throughs, 2026-02); the other three are Google's own too.
_GOOGLE = ("googleapis.com", "google.com", "gstatic.com", "googleusercontent.com")
_WILDCARD = (
    "list the names that are needed as exact entries; a subtree needs a mechanism that sees names, gcp:url-filter or "
    "gcp:web-proxy."
)


class Fqdn(FirewallPolicyMechanism[FirewallPolicyOptions]):
    """FQDN objects in a global network firewall policy."""

    target = "gcp:fqdn"
    title = "Cloud NGFW FQDN objects"
    options = FirewallPolicyOptions
    limits = (FQDNS, BLOCK, SMALL_BLOCK)
    precondition = ", and no outbound DNS server policy with an alternative name server in the VPC"
    means = (
        Means(
            name="FQDN objects",
            protocols=frozenset({"https", "http", "tls", "tcp", "udp"}),
            sight="address-and-port",
            ttl_family="own-lookup",
            evidence=Evidence("documented", OVERVIEW, "2026-11-27"),
            needs=(
                Claim(
                    "a VPC network without an outbound DNS server policy that names an alternative name server",
                    OVERVIEW,
                    "2026-11-27",
                ),
                Claim(
                    "no VPC firewall rule that allows egress, or network policies that are judged before VPC rules",
                    "Cloud NGFW, firewall policy rule evaluation order",
                    "2026-11-23",
                ),
            ),
            opens=(Claim("every other name on the addresses of the host, at its port", OVERVIEW, "2026-11-23"),),
            costs=(
                Claim(
                    "1 unit for each GB of internet traffic, in and out, that a rule with FQDN objects judges",
                    "Cloud NGFW pricing, Standard",
                    "2026-11-23",
                ),
            ),
            kinds=frozenset({"exact"}),
            nearest={"one-label": _WILDCARD, "subtree": _WILDCARD, "subtree+apex": _WILDCARD},
            lookup=LOOKUP,
        ),
    )

    def allows(self, entries: Sequence[Entry], options: FirewallPolicyOptions) -> Allows:
        objects: list[CloudObject] = []
        where: dict[tuple[str, str], str] = {}
        usage = [Usage(FQDNS, 0), Usage(BLOCK, 0), Usage(SMALL_BLOCK, 0)]
        ports: dict[tuple[str, int], dict[str, list[Entry]]] = {}
        for entry in entries:
            ports.setdefault((entry.transport, entry.port), {}).setdefault(entry.host, []).append(entry)
        for (transport, port), hosts in sorted(ports.items()):
            for part in shard(sorted(hosts), key=str, weights=lambda _: (1,), capacities=(FQDNS.max,)):
                made = _allow(options, transport, port, part)
                objects.append(made)
                where.update({entry.key: made.name for host in part.items for entry in hosts[host]})
                usage.append(Usage(FQDNS, len(part.items)))
                usage.append(Usage(block(transport, port), part.slot + 1))
        variable = [
            finding("google-name", f"{entry.host} answers with highly variable addresses.", entry)
            for entry in entries
            if any(entry.host == name or entry.host.endswith(f".{name}") for name in _GOOGLE)
        ]
        return Allows(objects=tuple(objects), rules=where, findings=tuple(variable), usage=tuple(usage))


def _allow(options: FirewallPolicyOptions, transport: str, port: int, part: Shard[str]) -> CloudObject:
    label = f"-{part.label}" if part.label else ""
    name = f"{options.name}-allow-{transport}-{port}{label}"
    body = rule(
        options, name, options.base + slot(transport, port) + part.slot, "allow", "hostgate: hosts of the catalog",
        {"destFqdns": list(part.items), "layer4Configs": [{"ipProtocol": transport, "ports": [str(port)]}]},
    )  # fmt: skip
    return CloudObject(kind=RULE, name=name, body=body)


MECHANISM = Fqdn()
