"""gcp:fqdn: firewall policy rules with FQDN objects, private ranges passed on, and a deny for each address family.

Google's control plane resolves the names: a rule matches addresses, so a name with the same address passes too, and a
name without an answer matches nothing (Cloud NGFW, FQDN objects overview).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import networks
from hostgate.flows.names import NameTest
from hostgate.flows.steps import Place
from hostgate.gcp import evaluate
from hostgate.gcp.firewall_policy import (
    BLOCK,
    GOOGLE_SLOT,
    RULE,
    SMALL_BLOCK,
    Allows,
    FirewallPolicyMechanism,
    block,
    rule,
    slot,
)
from hostgate.gcp.google_apis import ANSWERS_TTL, ZONE, FqdnOptions, answers, needs, objection
from hostgate.gcp.google_apis import MEANS as GOOGLE_APIS
from hostgate.gcp.resources import FQDNS
from hostgate.gcp.resources_dns import POLICY_TYPE as RESPONSE_POLICY_TYPE
from hostgate.gcp.resources_dns import RULE_TYPE as RESPONSE_RULE_TYPE
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import finding
from hostgate.planning.limits import Usage
from hostgate.planning.lookup import Lookup
from hostgate.planning.mechanism import CloudObject, Means, Objection
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
_GOOGLE = ("googleapis.com", "google.com", "gstatic.com", "googleusercontent.com", "gcr.io", "pkg.dev", "run.app")
_WILDCARD = (
    "list the names that are needed as exact entries; a subtree needs a mechanism that sees names, gcp:url-filter or "
    "gcp:web-proxy."
)


_ASSUMED = (
    evaluate.NO_FORWARDING,
    "What Google resolves for the name of a host holds every address that clients dial for it.",
)


class Fqdn(FirewallPolicyMechanism[FqdnOptions]):
    """FQDN objects in a global network firewall policy."""

    target = "gcp:fqdn"
    title = "Cloud NGFW FQDN objects"
    options = FqdnOptions
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
        GOOGLE_APIS,
    )

    def way(self, entry: Entry, options: FqdnOptions | None = None) -> Means | None:
        return GOOGLE_APIS if options is not None and options.leads(entry) else super().way(entry)

    def objections(self, entries: Sequence[Entry], options: FqdnOptions) -> Mapping[tuple[str, str], Objection]:
        led = {entry.key: objection(entry, options) for entry in entries if options.leads(entry)}
        return {**super().objections(entries, options), **led}

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: FqdnOptions) -> Mapping[str, Any]:
        found = super().fixed(each, objects, options)
        # The component keeps the name that a response policy was made with: a network takes no second one meanwhile.
        return {key: value for key, value in found.items() if key != "responsePolicyName"}

    def enforcement(self, options: FqdnOptions) -> Enforcement:
        found = super().enforcement(options)
        assert found.in_place is not None  # rules of a policy are
        return replace(found, in_place=replace(found.in_place, led=_LED))

    def beside_rules(self, place: Place, objects: Sequence[CloudObject], options: FqdnOptions) -> Place:
        found = place
        if any("destFqdns" in each.body.get("match", {}) for each in objects):
            found = replace(found, assumptions=(*found.assumptions, *_ASSUMED))
        if options.google_apis is None or options.google_apis.response_policy == "make":
            return found
        there = networks(each for ranges in options.google_ranges.values() for each in ranges)
        return replace(found, answers=((NameTest("subtree+apex", ZONE), there), *found.answers))

    def allows(self, entries: Sequence[Entry], options: FqdnOptions) -> Allows:
        objects: list[CloudObject] = []
        where: dict[tuple[str, str], str] = {}
        usage = [Usage(FQDNS, 0), Usage(BLOCK, 0), Usage(SMALL_BLOCK, 0)]
        ports: dict[tuple[str, int], dict[str, list[Entry]]] = {}
        led = [entry for entry in entries if options.leads(entry)]
        looked_up = [entry for entry in entries if not options.leads(entry)]
        for entry in looked_up:
            ports.setdefault((entry.transport, entry.port), {}).setdefault(entry.host, []).append(entry)
        for (transport, port), hosts in sorted(ports.items()):
            for part in shard(sorted(hosts), key=str, weights=lambda _: (1,), capacities=(FQDNS.max,)):
                made = _allow(options, transport, port, part)
                objects.append(made)
                where.update({entry.key: made.name for host in part.items for entry in hosts[host]})
                usage.append(Usage(FQDNS, len(part.items)))
                usage.append(Usage(block(transport, port), part.slot + 1))
        objects += _google_apis(led, options)
        where.update({entry.key: f"{options.prefix}-{_GOOGLE_APIS}" for entry in led})
        remarks = [finding("google-access", needs(options))] if led else []
        remarks += [
            finding("google-name", f"{entry.host} answers with highly variable addresses.", entry)
            for entry in looked_up
            if any(entry.host == name or entry.host.endswith(f".{name}") for name in _GOOGLE)
        ]
        return Allows(objects=tuple(objects), rules=where, findings=tuple(remarks), usage=tuple(usage))

    def around(self, entries: Sequence[Entry], options: FqdnOptions) -> Sequence[CloudObject]:
        return _answers([entry for entry in entries if options.leads(entry)], options)


def _google_apis(led: Sequence[Entry], options: FqdnOptions) -> list[CloudObject]:
    """A rule for each family of the addresses of Google's APIs."""
    found = []
    for offset, (family, ranges) in enumerate(options.google_ranges.items() if led else ()):
        name = f"{options.prefix}-{_GOOGLE_APIS}{'-ipv6' if family == 'ipv6' else ''}"
        match = {"destIpRanges": ranges, "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}]}
        body = rule(options, name, options.base + GOOGLE_SLOT + offset, "allow", "hostgate: Google APIs", match)
        found.append(CloudObject(kind=RULE, name=name, body=body))
    return found


def _answers(led: Sequence[Entry], options: FqdnOptions) -> list[CloudObject]:
    """What leads the names of `led` to those addresses."""
    found = []
    if led and options.google_apis is not None and options.google_apis.response_policy == "make":
        body = {
            "responsePolicyName": options.name,
            "description": "hostgate: Google APIs by their own addresses",
            "networks": [{"networkUrl": each} for each in options.network_paths],
        }
        found.append(
            CloudObject(kind=RESPONSE_POLICY_TYPE.kind, name=f"{options.name}-answers", body=body, folder="policy")
        )
        found += [
            CloudObject(kind=RESPONSE_RULE_TYPE.kind, name=f"{options.name}-answer-{each['ruleName']}", body=each)
            for each in answers(led, options)
        ]
    return found


_GOOGLE_APIS = "google-apis"

_LED = (
    f"First let tcp 443 to the addresses before pass by a rule of your own, before the deny; then update; take it away once no "
    f"client has an answer from before, which lasts {ANSWERS_TTL} s where a response policy of the plan gave it."
)


def _allow(options: FqdnOptions, transport: str, port: int, part: Shard[str]) -> CloudObject:
    label = f"-{part.label}" if part.label else ""
    name = f"{options.prefix}-allow-{transport}-{port}{label}"
    body = rule(
        options, name, options.base + slot(transport, port) + part.slot, "allow", "hostgate: hosts of the catalog",
        {"destFqdns": list(part.items), "layer4Configs": [{"ipProtocol": transport, "ports": [str(port)]}]},
    )  # fmt: skip
    return CloudObject(kind=RULE, name=name, body=body)


MECHANISM = Fqdn()
