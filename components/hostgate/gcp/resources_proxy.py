"""Resource types of Secure Web Proxy: URL lists, gateway security policies and their rules, gateways, and routes to them."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.gcp.spelling import DELETION
from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType, fields, types_by_token
from hostgate.planning.shapes import (
    Anything,
    Entries,
    Flag,
    InputProblem,
    Items,
    Record,
    Shape,
    Text,
    Whole,
    filled,
    inner,
    known_list,
    shown,
)

# Sources, each as of 2026-11-27.
SECURITY: Final = "Network Security API v1, revision 20261104"
SERVICES: Final = "Network Services API v1, Gateway, revision 20261027"
CONNECTIVITY: Final = "Network Connectivity API v1, PolicyBasedRoute, revision 20261029"
COMPUTE: Final = "Compute Engine API v1, revision 20261106"
SYNTAX: Final = "Secure Web Proxy documentation, UrlList syntax reference"
QUOTAS: Final = "Secure Web Proxy documentation, quotas"
READ_ON: Final = "2026-11-27"

URL_LIST: Final = "gcp:networksecurity/urlList:UrlList"
POLICY: Final = "gcp:networksecurity/gatewaySecurityPolicy:GatewaySecurityPolicy"
RULE: Final = "gcp:networksecurity/gatewaySecurityPolicyRule:GatewaySecurityPolicyRule"
AUTHZ_POLICY: Final = "gcp:networksecurity/authzPolicy:AuthzPolicy"
GATEWAY: Final = "gcp:networkservices/gateway:Gateway"
POLICY_ROUTE: Final = "gcp:networkconnectivity/policyBasedRoute:PolicyBasedRoute"
STATIC_ROUTE: Final = "gcp:compute/route:Route"
SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"

LISTS = Limit("URL lists of a project and region", 10, "URL lists", QUOTAS, READ_ON)
LIST_ENTRIES = Limit("entries of a URL list", 2_500, "entries", QUOTAS, READ_ON)
POLICY_RULES = Limit("rules of a gateway security policy", 500, "rules", QUOTAS, READ_ON)
MATCHER = Limit("characters of a matcher", 2_048, "characters", QUOTAS, READ_ON)
POLICIES = Limit("gateway security policies of a project and region", 10, "policies", QUOTAS, READ_ON)
GATEWAYS = Limit("gateways of a project and region", 5, "gateways", QUOTAS, READ_ON)

SECURE_WEB_GATEWAY: Final = "SECURE_WEB_GATEWAY"
NEXT_HOP, EXPLICIT = "NEXT_HOP_ROUTING_MODE", "EXPLICIT_ROUTING_MODE"
DEFAULT_ROUTING: Final = "DEFAULT_ROUTING"
PROXY_ONLY: Final = "REGIONAL_MANAGED_PROXY"

ANY = Anything()
NAME = Text(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and -, a letter first, no - last", source=SECURITY)


def _entries(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    """An entry is a domain, or with a slash a URL; a star stands in front of it, or in the path."""
    for index, entry in known_list(inputs, "values"):
        domain = str(entry).partition("/")[0].removeprefix("*")
        labels = domain.removeprefix(".").split(".")
        if len(labels) < 2 or not all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in labels):
            where = f"{inner(path, 'values')}[{index}]"
            allowed = "a domain of two labels or more, or a URL; a * in front or in the path"
            yield InputProblem("not an entry", path=where, found=shown(entry), allowed=allowed, source=SYNTAX)


def _listens(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if inputs.get("type") != SECURE_WEB_GATEWAY:
        return
    if filled(inputs, "ports") == (inputs.get("allPorts") is True):
        found = "both" if filled(inputs, "ports") else "neither"
        yield InputProblem(
            "ports", path=inner(path, "ports"), found=found, allowed="ports or allPorts", source=SERVICES
        )
    if not filled(inputs, "routingMode"):
        where = inner(path, "routingMode")
        yield InputProblem("missing", path=where, found="nothing", allowed=f"{NEXT_HOP} | {EXPLICIT}", source=SERVICES)


def _one_next_hop(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if filled(inputs, "nextHopIlbIp") == filled(inputs, "nextHopOtherRoutes"):
        found = "both" if filled(inputs, "nextHopIlbIp") else "neither"
        allowed = "exactly one of nextHopIlbIp, nextHopOtherRoutes"
        yield InputProblem("one of two", path=path, found=found, allowed=allowed, source=CONNECTIVITY)


def _filter_ranges(match: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for key in ("srcRange", "destRange"):
        text = match.get(key)
        if isinstance(text, str) and text:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                where = inner(path, key)
                yield InputProblem("not a range", path=where, found=shown(text), allowed="a CIDR", source=CONNECTIVITY)


_NAMED: Final[Mapping[str, Shape]] = {
    "name": NAME, "project": Text(), "description": Text(), "deletionPolicy": DELETION,
}  # fmt: skip
_LOCATED: Final[Mapping[str, Shape]] = {**_NAMED, "location": Text(fewest=1)}


def _row(token: str, kind: str, inputs: Record, replaces: str, computed: str = "createTime updateTime") -> ResourceType:
    """A type whose name the provider makes up, of its own project. `replaces` beside name and project, and `computed`, are
    names with spaces between."""
    return ResourceType(
        token,
        inputs,
        tuple(computed.split()),
        AutoName("name"),
        ("name", "project", *replaces.split()),
        ("project",),
        kind,
    )


URL_LIST_TYPE = _row(
    URL_LIST,
    "networksecurity#urlList",
    Record(
        {**_LOCATED, "values": Items(Text(fewest=1), fewest=1, most=LIST_ENTRIES.max, unique=True, source=QUOTAS)},
        ("location", "values"), (_entries,), source=SECURITY,
    ),
    "location",
)  # fmt: skip

POLICY_TYPE = _row(
    POLICY,
    "networksecurity#gatewaySecurityPolicy",
    Record({**_LOCATED, "tlsInspectionPolicy": Text()}, source=SECURITY),
    "location",
    "createTime selfLink updateTime",
)

RULE_TYPE = _row(
    RULE,
    "networksecurity#gatewaySecurityPolicyRule",
    Record(
        {
            **_LOCATED,
            "gatewaySecurityPolicy": Text(fewest=1),
            "enabled": Flag(),
            "priority": Whole(0, 2_147_483_647, SECURITY),
            "basicProfile": Text(one_of=("ALLOW", "DENY"), source=SECURITY),
            "sessionMatcher": Text(fewest=1, most=MATCHER.max, source=QUOTAS),
            "applicationMatcher": Text(most=MATCHER.max, source=QUOTAS),
            "tlsInspectionEnabled": Flag(),
        },
        ("basicProfile", "enabled", "gatewaySecurityPolicy", "location", "priority", "sessionMatcher"),
        source=SECURITY,
    ),
    "location gatewaySecurityPolicy",
    "createTime selfLink updateTime",
)

GATEWAY_TYPE = _row(
    GATEWAY,
    "networkservices#gateway",
    Record(
        {
            **_LOCATED,
            "description": Text(most=1_024, source=SERVICES),
            "type": Text(one_of=("OPEN_MESH", SECURE_WEB_GATEWAY), source=SERVICES),
            "addresses": Items(Text(fewest=1), most=1, source=SERVICES),
            "ports": Items(Whole(1, 65_535, SERVICES), most=5, unique=True, source=SERVICES),
            "envoyHeaders": Text(one_of=("NONE", "DEBUG_HEADERS"), source=SERVICES),
            "ipVersion": Text(one_of=("IPV4", "IPV6"), source=SERVICES),
            "labels": Entries(Text()),
            "routingMode": Text(one_of=(EXPLICIT, NEXT_HOP), source=SERVICES),
            "scope": Text(r"[A-Za-z][A-Za-z0-9-]*", "a letter, then letters, digits and -", most=64, source=SERVICES),
            "certificateUrls": Items(Text(fewest=1)),
            **dict.fromkeys(("gatewaySecurityPolicy", "network", "serverTlsPolicy", "subnetwork"), Text(fewest=1)),
            **dict.fromkeys(("allPorts", "allowGlobalAccess", "deleteSwgAutogenRouterOnDestroy"), Flag()),
        },
        ("type",),
        (_listens,),
        source=SERVICES,
    ),
    "location type ports allPorts addresses network subnetwork scope allowGlobalAccess",
    "createTime selfLink updateTime",
)

POLICY_ROUTE_TYPE = _row(
    POLICY_ROUTE,
    "networkconnectivity#policyBasedRoute",
    Record(
        {
            **_NAMED,
            "network": Text(fewest=1),
            "priority": Whole(1, 65_535, CONNECTIVITY),
            "filter": Record(
                {
                    "protocolVersion": Text(one_of=("IPV4", "IPV6"), source=CONNECTIVITY),
                    "ipProtocol": Text(one_of=("TCP", "UDP", "ALL"), source=CONNECTIVITY),
                    "srcRange": Text(),
                    "destRange": Text(),
                },
                ("protocolVersion",),
                (_filter_ranges,),
            ),
            "nextHopIlbIp": Text(fewest=1),
            "nextHopOtherRoutes": Text(one_of=(DEFAULT_ROUTING,), source=CONNECTIVITY),
            "virtualMachine": Record({"tags": Items(Text(fewest=1), fewest=1, source=CONNECTIVITY)}, ("tags",)),
            "interconnectAttachment": ANY,
            "labels": Entries(Text()),
        },
        ("filter", "network"),
        (_one_next_hop,),
        source=CONNECTIVITY,
    ),
    "description network priority filter nextHopIlbIp nextHopOtherRoutes virtualMachine interconnectAttachment",
    "createTime kind updateTime warnings",
)

_HOPS = ("nextHopGateway", "nextHopIlb", "nextHopInstance", "nextHopInstanceZone", "nextHopIp", "nextHopVpnTunnel")
STATIC_ROUTE_TYPE = _row(
    STATIC_ROUTE,
    "compute#route",
    Record(
        {
            **_NAMED,
            **dict.fromkeys(("network", "destRange", *_HOPS), Text(fewest=1)),
            "priority": Whole(0, 65_535, COMPUTE),
            "tags": Items(Text(fewest=1)),
        },
        ("destRange", "network"),
        source=COMPUTE,
    ),
    f"description network destRange priority tags {' '.join(_HOPS)}",
    "creationTimestamp nextHopNetwork selfLink",
)

_PURPOSES = ("PRIVATE", PROXY_ONLY, "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT", "PRIVATE_NAT")
SUBNETWORK_TYPE = _row(
    SUBNETWORK,
    "compute#subnetwork",
    Record(
        {
            **_NAMED,
            "region": Text(),
            **dict.fromkeys(("network", "ipCidrRange"), Text(fewest=1)),
            "purpose": Text(one_of=_PURPOSES, source=COMPUTE),
            "role": Text(one_of=("ACTIVE", "BACKUP"), source=COMPUTE),
            **dict.fromkeys(
                ("logConfig", "privateIpGoogleAccess", "secondaryIpRanges", "stackType", "ipv6AccessType"), ANY
            ),
        },
        ("network",),
        source=COMPUTE,
    ),
    "region network purpose",
    "creationTimestamp fingerprint gatewayAddress selfLink",
)

TYPES: Final = types_by_token(
    (URL_LIST_TYPE, POLICY_TYPE, RULE_TYPE, GATEWAY_TYPE, POLICY_ROUTE_TYPE, STATIC_ROUTE_TYPE, SUBNETWORK_TYPE)
)
"""Types that a plan makes."""

READ: Final = types_by_token(
    (
        ResourceType(
            AUTHZ_POLICY,
            fields(
                "name", "project", "location", "action", "target.resources", "httpRules", "networkRules[].from",
                "networkRules[].when", "networkRules[].to.notOperations",
                *(
                    f"networkRules[].to.operations[].snis[].{key}"
                    for key in ("exact", "prefix", "suffix", "contains", "ignoreCase")
                ),
            ),
        ),
    )
)  # fmt: skip
"""Types that are read where they stand, and never made here."""
