"""gcp:url-filter: security profiles with URL filters, applied by firewall policy rules where a zone has an endpoint.

A rule holds the port and a profile the names, so each port has a rule, a group and a profile of its own. The names are
those in the packets, SNI or Host (Cloud NGFW, about URL filtering). A flow without a name is decided by the filter of
the highest priority: the first one denies, or every such flow would pass.

No rule says `destNetworkContext`: Google's own APIs may count as NON_INTERNET, and would pass by such a rule uninspected.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.flows.steps import Place
from hostgate.gcp.evaluate_profiles import UNSURE_ABOVE, mtu_assumed
from hostgate.gcp.firewall_policy import (
    EVERYWHERE,
    RULE,
    Allows,
    FirewallPolicyMechanism,
    ahead,
    named_clients,
    rule,
    slot,
)
from hostgate.gcp.resources_url_filter import (
    ENDPOINT_ASSOCIATION_TYPE,
    ENDPOINT_TYPE,
    ENDPOINTS,
    JUMBO_MTU,
    NETWORKS,
    ORGANIZATION_GROUPS,
    PLAIN_MTU,
    PROFILE_GROUP_TYPE,
    PROFILE_TYPE,
    PROJECT_GROUPS,
)
from hostgate.gcp.spelling import SERVICE, short_digest
from hostgate.gcp.url_filter_options import DECLARED, UrlFilterOptions
from hostgate.gcp.wildcards import write_wildcard
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Usage
from hostgate.planning.mechanism import CloudObject, Means, Objection, Rendering
from hostgate.planning.targets import COMPUTED

PROFILE, PROFILE_GROUP = PROFILE_TYPE.kind, PROFILE_GROUP_TYPE.kind
ENDPOINT, ENDPOINT_ASSOCIATION = ENDPOINT_TYPE.kind, ENDPOINT_ASSOCIATION_TYPE.kind

ABOUT = "Cloud NGFW, about URL filtering"

WEB_PORTS = (80, 443)
"""Ports that the vendor's pages show; of others they say nothing."""

NAMELESS, HOSTS, ALL = 0, 1_000, 2_000_000_000
"""Priorities of filters in a profile; after them comes the implicit one, which denies every name."""

NOBODY = "nameless.invalid"
"""What the first filter denies: a name that cannot exist (RFC 6761), for the sake of flows that have none."""

INSPECT = 2
"""Priority after the slot of a port, behind the two rules that pass private ranges on."""

_NO_NAME = "gcp:fqdn, which allows by address."
_BY_ADDRESS = "gcp:fqdn for an exact name, which allows by the addresses of either family."


_THEIRS = "an association that somebody else made"
"""What `declared` says to be in a zone beside its endpoint."""


class UrlFilter(FirewallPolicyMechanism[UrlFilterOptions]):
    """URL filters of Cloud NGFW Enterprise in a global network firewall policy."""

    target = "gcp:url-filter"
    title = "Cloud NGFW URL filtering"
    options = UrlFilterOptions
    limits = (PROJECT_GROUPS, ORGANIZATION_GROUPS, NETWORKS)
    rules_folder = "rules"
    private_slot = 0
    """A rule that inspects is about every destination, and would deny private TLS to names that no entry has."""
    precondition = (
        ", no rule of its own about private ranges, which are passed on first, and no network that is not under `networks`: in "
        "one without endpoints the rules let everything pass"
    )
    means = (
        Means(
            name="URL filters",
            protocols=frozenset({"https", "http", "tls"}),
            sight="name-and-port",
            ttl_family="wire",
            tells_tls=False,
            evidence=Evidence("documented", ABOUT, "2026-11-27"),
            needs=(
                Claim(
                    "a firewall endpoint in every zone in which a client runs, associated with the VPC network: in another zone "
                    "everything passes",
                    ABOUT,
                    "2026-11-23",
                ),
                Claim("a VPC network whose MTU is at most 1460, or 8500 with jumbo frames", ENDPOINTS, "2026-11-23"),
                Claim(
                    "no VPC firewall rule that allows egress, or network policies that are judged before VPC rules",
                    "Cloud NGFW, firewall policy rule evaluation order",
                    "2026-11-23",
                ),
            ),
            opens=(
                Claim("any server to which a client names an allowed host", ABOUT, "2026-11-23"),
                Claim("plain HTTP with the name as Host, on the port of an https entry", ABOUT, "2026-11-23"),
            ),
            costs=(
                Claim(
                    "1 endpoint-hour for each zone, and 1 unit for each GiB inspected",
                    "Cloud NGFW pricing, Enterprise, as a published module quotes it",
                    "2026-11-23",
                ),
            ),
            kinds=frozenset({"exact", "subtree", "subtree+apex"}),
            families=("ipv4",),  # that IPv6 is filtered by name is documented nowhere, and the deny closes it
            widenings={"one-label": "deeper-names"},
            nearest={
                "ipv6": _BY_ADDRESS,
                "one-label": "list the names that are needed as exact entries; a filter has no depth.",
                "tcp": _NO_NAME,
                "udp": _NO_NAME,
            },
        ),
    )

    def objections(self, entries: Sequence[Entry], options: UrlFilterOptions) -> Mapping[tuple[str, str], Objection]:
        found = dict(super().objections(entries, options))
        for entry in entries:
            known = found.get(entry.key)
            if entry.port not in WEB_PORTS and (known is None or known.widening):
                found[entry.key] = Objection(
                    f"URL filtering is documented for the ports 80 and 443. Found: {entry.port}.",
                    "gcp:web-proxy, which takes every port, gcp:fqdn for an exact name, or a port that is documented.",
                    "other-port" if known is None else None,  # what is wrong twice is not lifted by one acceptance
                )
        return found

    def render(self, entries: Sequence[Entry], options: UrlFilterOptions) -> Rendering:
        made = super().render(entries, options)
        groups = len({(each.grant, each.port) for each in entries})
        networks = Usage(NETWORKS, len(options.networks))
        usage = (Usage(PROJECT_GROUPS, groups), Usage(ORGANIZATION_GROUPS, groups), networks, *made.usage)
        return replace(made, usage=usage)

    def allows(self, entries: Sequence[Entry], options: UrlFilterOptions) -> Allows:
        ports: dict[int, list[Entry]] = {}
        for entry in entries:
            ports.setdefault(entry.port, []).append(entry)
        objects = [each for port, of_port in sorted(ports.items()) for each in _inspection(options, port, of_port)]
        objects.sort(key=lambda each: _ORDER.index(each.kind))
        return Allows(
            objects=tuple(objects),
            rules={each.key: f"{_rule_name(options, each.port)}#{write_wildcard(each)}" for each in entries},
            findings=tuple(_own_remarks(entries, options)),
        )

    def around(self, entries: Sequence[Entry], options: UrlFilterOptions) -> Sequence[CloudObject]:  # noqa: ARG002
        return [*_endpoints(options)]

    def audited(self, entries: Sequence[Entry], options: UrlFilterOptions) -> str:
        rest = super().audited(entries, options)
        if not entries:
            return rest
        ports = ", ".join(map(str, sorted({entry.port for entry in entries})))
        return (
            f"The URL filters allow every name{named_clients(options)} on TCP {ports}, and their own log has each connection"
            f"{ahead(options)}. {rest}"
        )

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: UrlFilterOptions) -> Mapping[str, Any]:
        found = super().fixed(each, objects, options)
        if each.kind not in (PROFILE, PROFILE_GROUP, ENDPOINT, ENDPOINT_ASSOCIATION):
            return found
        place = options.made_in if each.kind != ENDPOINT_ASSOCIATION else f"projects/{options.in_project}"
        settings = {key: found[key] for key in found.keys() & {"jumboFramesEnabled"}}
        return {"project or organization": place, **settings}

    def enforcement(self, options: UrlFilterOptions) -> Enforcement:
        stated = super().enforcement(options)
        safeguards = dict(stated.safeguards)
        if options.zones:
            unless = "".join(f", unless {doubt}" for doubt in self.uninspected(options))
            safeguards["packets that are inspected"] = f"of networks with an MTU of up to {_largest(options)}{unless}"
        places = (*stated.places, *(f"zone {each}" for each in sorted(options.zones)))
        declared = {f"zone {zone}": _THEIRS for zone, each in sorted(options.endpoints.items()) if each == DECLARED}
        barred = options.barred if stated.denier == "hostgate" else ()
        return replace(stated, places=places, declared=declared, barred=barred, safeguards=safeguards)

    def beside_rules(self, place: Place, objects: Sequence[CloudObject], options: UrlFilterOptions) -> Place:
        found = place
        if options.mode == "enforce" and options.deny != "none" and "ipv6" in options.families:
            found = replace(found, families=("IPv4",))  # IPv6 is closed as a whole, and clients fall back
        if not _rules_of(objects):
            return found
        assumed = [mtu_assumed(_largest(options))]
        if zones := ", ".join(sorted({*options.zones, *options.open_zones})):
            assumed.insert(0, f"Clients run in {zones} alone; elsewhere the ports of the hosts pass uninspected.")
        return replace(found, assumptions=(*found.assumptions, *assumed))

    def uninspected(self, options: UrlFilterOptions) -> Sequence[str]:
        doubts = []
        if not options.zones:
            doubts.append("the client's zone has no firewall endpoint, and the plan names no zone that has one")
        if options.open_zones:
            zones = " or ".join(sorted(options.open_zones))
            doubts.append(f"the client is in {zones}, which has no firewall endpoint")
        if options.mtu > PLAIN_MTU and options.endpoints:
            zones = " or ".join(sorted(options.endpoints))
            theirs = (
                f"the endpoint of {zones}, which is not of the plan, has no jumbo frames, and the MTU is {options.mtu}"
            )
            doubts.append(theirs)
        return doubts


def _largest(options: UrlFilterOptions) -> int:
    """Bytes of a packet that the endpoints inspect: those of the plan, and those of others as far as the plan needs it."""
    return JUMBO_MTU if options.mtu > PLAIN_MTU else PLAIN_MTU


_ORDER = (PROFILE, PROFILE_GROUP, RULE)


def _inspection(options: UrlFilterOptions, port: int, entries: Sequence[Entry]) -> Iterator[CloudObject]:
    """The profile of a port, the group that holds it, and the rule that applies the group."""
    closes = options.mode == "enforce" and options.deny != "none"
    filters = [_filter("ALLOW", HOSTS, sorted({write_wildcard(each) for each in entries}))]
    if closes:
        filters.insert(0, _filter("DENY", NAMELESS, [NOBODY]))
    else:
        filters.append(_filter("ALLOW", ALL, ["*"]))
    words = "hosts of the catalog" if closes else "AUDIT, allows all" if options.mode == "audit" else "allows all"
    profile, group = f"{options.prefix}-hosts-{port}", f"{options.prefix}-group-{port}"
    place = f"{options.made_in}/locations/global"
    labels = {"labels": dict(sorted(options.tags.items()))} if options.tags else {}
    yield CloudObject(
        kind=PROFILE, name=profile, folder="profiles",
        body={
            "name": f"{place}/securityProfiles/{profile}", "description": f"hostgate: {words}", "type": "URL_FILTERING",
            "urlFilteringProfile": {"urlFilters": filters}, **labels,
        },
    )  # fmt: skip
    held = options.groups.get(str(port), f"{place}/securityProfileGroups/{group}")
    if str(port) not in options.groups:
        body = {
            "name": held, "description": "hostgate: hosts of the catalog",
            "urlFilteringProfile": f"{place}/securityProfiles/{profile}", **labels,
        }  # fmt: skip
        yield CloudObject(kind=PROFILE_GROUP, name=group, folder="policy", body=body)
    # IPv4 alone: that IPv6 is filtered by name is documented nowhere. The deny closes it.
    match = {"destIpRanges": [EVERYWHERE["ipv4"]], "layer4Configs": [{"ipProtocol": "tcp", "ports": [str(port)]}]}
    name, priority = _rule_name(options, port), options.base + slot("tcp", port) + INSPECT
    body = rule(options, name, priority, "apply_security_profile_group", "hostgate: hosts of the catalog", match)
    body["securityProfileGroup"] = f"{SERVICE}{held}"
    yield CloudObject(kind=RULE, name=name, body=body)


def _filter(action: str, priority: int, urls: list[str]) -> dict[str, Any]:
    return {"filteringAction": action, "priority": priority, "urls": urls}


def _rule_name(options: UrlFilterOptions, port: int) -> str:
    return f"{options.prefix}-inspect-tcp-{port}"


def _endpoints(options: UrlFilterOptions) -> Iterator[CloudObject]:
    """An endpoint for each zone that has none yet, and its associations with the networks."""
    labels = {"labels": dict(sorted(options.tags.items()))} if options.tags else {}
    names = {zone: f"{options.name}-{_short(zone)}" for zone in options.zones}
    made = {zone: f"{options.made_in}/locations/{zone}/firewallEndpoints/{name}" for zone, name in names.items()}
    for zone in sorted({*options.zones} - {*options.endpoints}):
        body: dict[str, Any] = {"name": made[zone], **labels}
        if options.billing_project is not None:
            body["billingProjectId"] = options.billing_project
        if options.mtu > PLAIN_MTU:
            body["endpointSettings"] = {"jumboFramesEnabled": True}
        yield CloudObject(kind=ENDPOINT, name=names[zone], body=body, folder="policy")
    for zone in sorted(options.zones):
        endpoint = options.endpoints.get(zone, made[zone])
        for network in options.network_paths if endpoint != DECLARED else ():
            name = f"{names[zone]}-{short_digest(network)}"
            place = f"projects/{options.in_project or COMPUTED}/locations/{zone}/firewallEndpointAssociations/{name}"
            body = {"name": place, "firewallEndpoint": endpoint, "network": network, **labels}
            yield CloudObject(kind=ENDPOINT_ASSOCIATION, name=name, body=body, folder="policy")


def _short(zone: str) -> str:
    """A zone in so few characters that a name with it and a network's digest has room for what an engine appends to it."""
    return zone if len(zone) <= 17 else f"{zone[:10]}-{short_digest(zone)}"


def _rules_of(objects: Sequence[CloudObject]) -> tuple[CloudObject, ...]:
    """The rules that inspect, which have one port each."""
    return tuple(each for each in objects if each.kind == RULE and "securityProfileGroup" in each.body)


def _own_remarks(entries: Sequence[Entry], options: UrlFilterOptions) -> Iterator[Finding]:
    for entry in entries:
        if entry.port not in WEB_PORTS:
            yield finding(
                "other-port", f"No page of the vendor says that names are filtered on port {entry.port}.", entry
            )
    if entries:
        yield finding(
            "http-or-tls",
            "A filter is asked of SNI and Host alike: on the port of an entry plain HTTP passes as well as TLS.",
        )
        yield finding(
            "ipv4-only", "The rules inspect IPv4, for which filtering is documented; no rule allows a host over IPv6."
        )
    if options.deny == "declared" and options.mode == "enforce" and entries:
        yield finding(
            "deny-cuts",
            "On the ports of the hosts the filters decide for good, before the declared deny: what no entry names is cut there, "
            "to private destinations as well.",
        )
    for port in sorted({str(each.port) for each in entries} & options.groups.keys()):
        yield finding(
            "attached-group",
            f"{options.groups[port]} has to hold the profile {options.prefix}-hosts-{port} of {options.made_in} as its URL "
            "filtering profile. Until it does, and where it holds more, the rule lets pass what the group says.",
        )
    for port in sorted(options.groups.keys() - {str(each.port) for each in entries}, key=int):
        yield finding("group-unused", f"{options.groups[port]} is given for port {port}, and no rule applies it.")
    if not options.zones:
        yield finding(
            "no-zones",
            "No `zones` are named: in a zone without a firewall endpoint the rules let everything pass on their ports. A stack "
            "and a component need them.",
        )
        return
    covered = f"Inspected is what comes from {', '.join(sorted(options.zones))}"
    if options.mtu > PLAIN_MTU and options.endpoints:
        covered += f" (where the endpoint of {' and '.join(sorted(options.endpoints))} has jumbo frames)"
    if options.open_zones:
        yield finding(
            "open-zones",
            f"{covered}; from {', '.join(sorted(options.open_zones))} everything passes on the ports of the hosts.",
        )
    else:
        yield finding(
            "zones", f"{covered}; from any other zone of the networks everything passes on the ports of the hosts."
        )
    new = len({*options.zones} - {*options.endpoints})
    if new:
        yield finding(
            "new-endpoints",
            f"{new} firewall {'endpoints are' if new > 1 else 'endpoint is'} made, which takes up to an hour; charged are "
            f"{new} endpoint-hours each hour, and what they inspect by the GiB. Each inspects packets of up to "
            f"{_largest(options)} bytes, and {UNSURE_ABOVE}: `mtu` has to be that of the networks.",
        )


MECHANISM = UrlFilter()
