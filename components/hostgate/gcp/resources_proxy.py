"""Resource types of Secure Web Proxy: URL lists, gateway security policies and their rules, gateways, and routes to them."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType, fields, types_by_token
from hostgate.planning.shapes import (
    Anything,
    Entries,
    Flag,
    InputProblem,
    Items,
    Record,
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
DELETION = Text(one_of=("DELETE", "PREVENT", "ABANDON"), source="pulumi-gcp 10.2.0")
PORT = Whole(1, 65_535, SERVICES)


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


URL_LIST_TYPE = ResourceType(
    URL_LIST,
    Record(
        {
            "name": NAME,
            "location": Text(fewest=1),
            "project": Text(),
            "description": Text(),
            "values": Items(Text(fewest=1), fewest=1, most=LIST_ENTRIES.max, unique=True, source=QUOTAS),
            "deletionPolicy": DELETION,
        },
        ("location", "values"),
        (_entries,),
        source=SECURITY,
    ),
    computed=("createTime", "updateTime"),
    auto_name=AutoName("name"),
    replaces=("name", "location", "project"),
    configured=("project",),
    kind="networksecurity#urlList",
)

POLICY_TYPE = ResourceType(
    POLICY,
    Record(
        {
            "name": NAME,
            "location": Text(),
            "project": Text(),
            "description": Text(),
            "tlsInspectionPolicy": Text(),
            "deletionPolicy": DELETION,
        },
        source=SECURITY,
    ),
    computed=("createTime", "selfLink", "updateTime"),
    auto_name=AutoName("name"),
    replaces=("name", "location", "project"),
    configured=("project",),
    kind="networksecurity#gatewaySecurityPolicy",
)

RULE_TYPE = ResourceType(
    RULE,
    Record(
        {
            "name": NAME,
            "location": Text(fewest=1),
            "project": Text(),
            "gatewaySecurityPolicy": Text(fewest=1),
            "description": Text(),
            "enabled": Flag(),
            "priority": Whole(0, 2_147_483_647, SECURITY),
            "basicProfile": Text(one_of=("ALLOW", "DENY"), source=SECURITY),
            "sessionMatcher": Text(fewest=1, most=MATCHER.max, source=QUOTAS),
            "applicationMatcher": Text(most=MATCHER.max, source=QUOTAS),
            "tlsInspectionEnabled": Flag(),
            "deletionPolicy": DELETION,
        },
        ("basicProfile", "enabled", "gatewaySecurityPolicy", "location", "priority", "sessionMatcher"),
        source=SECURITY,
    ),
    computed=("createTime", "selfLink", "updateTime"),
    auto_name=AutoName("name"),
    replaces=("name", "location", "project", "gatewaySecurityPolicy"),
    configured=("project",),
    kind="networksecurity#gatewaySecurityPolicyRule",
)

GATEWAY_TYPE = ResourceType(
    GATEWAY,
    Record(
        {
            "name": NAME,
            "location": Text(),
            "project": Text(),
            "description": Text(most=1_024, source=SERVICES),
            "type": Text(one_of=("OPEN_MESH", SECURE_WEB_GATEWAY), source=SERVICES),
            "addresses": Items(Text(fewest=1), most=1, source=SERVICES),
            "ports": Items(PORT, most=5, unique=True, source=SERVICES),
            "allPorts": Flag(),
            "allowGlobalAccess": Flag(),
            "certificateUrls": Items(Text(fewest=1)),
            "envoyHeaders": Text(one_of=("NONE", "DEBUG_HEADERS"), source=SERVICES),
            "gatewaySecurityPolicy": Text(fewest=1),
            "ipVersion": Text(one_of=("IPV4", "IPV6"), source=SERVICES),
            "labels": Entries(Text()),
            "network": Text(fewest=1),
            "routingMode": Text(one_of=(EXPLICIT, NEXT_HOP), source=SERVICES),
            "scope": Text(r"[A-Za-z][A-Za-z0-9-]*", "a letter, then letters, digits and -", most=64, source=SERVICES),
            "serverTlsPolicy": Text(),
            "subnetwork": Text(fewest=1),
            "deleteSwgAutogenRouterOnDestroy": Flag(),
            "deletionPolicy": DELETION,
        },
        ("type",),
        (_listens,),
        source=SERVICES,
    ),
    computed=("createTime", "selfLink", "updateTime"),
    auto_name=AutoName("name"),
    replaces=(
        "name", "location", "project", "type", "ports", "allPorts", "addresses", "network", "subnetwork", "scope",
        "allowGlobalAccess",
    ),
    configured=("project",),
    kind="networkservices#gateway",
)  # fmt: skip

POLICY_ROUTE_TYPE = ResourceType(
    POLICY_ROUTE,
    Record(
        {
            "name": NAME,
            "project": Text(),
            "description": Text(),
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
            "deletionPolicy": DELETION,
        },
        ("filter", "network"),
        (_one_next_hop,),
        source=CONNECTIVITY,
    ),
    computed=("createTime", "kind", "updateTime", "warnings"),
    auto_name=AutoName("name"),
    replaces=(
        "name", "project", "description", "network", "priority", "filter", "nextHopIlbIp", "nextHopOtherRoutes",
        "virtualMachine", "interconnectAttachment",
    ),
    configured=("project",),
    kind="networkconnectivity#policyBasedRoute",
)  # fmt: skip

STATIC_ROUTE_TYPE = ResourceType(
    STATIC_ROUTE,
    Record(
        {
            "name": NAME,
            "project": Text(),
            "description": Text(),
            "network": Text(fewest=1),
            "destRange": Text(fewest=1),
            "priority": Whole(0, 65_535, COMPUTE),
            "tags": Items(Text(fewest=1)),
            **dict.fromkeys(
                (
                    "nextHopGateway", "nextHopIlb", "nextHopInstance", "nextHopInstanceZone", "nextHopIp",
                    "nextHopVpnTunnel",
                ),
                Text(fewest=1),
            ),
            "deletionPolicy": DELETION,
        },
        ("destRange", "network"),
        source=COMPUTE,
    ),
    computed=("creationTimestamp", "nextHopNetwork", "selfLink"),
    auto_name=AutoName("name"),
    replaces=("name", "project", "description", "network", "destRange", "priority", "tags", "nextHopIp", "nextHopIlb"),
    configured=("project",),
    kind="compute#route",
)  # fmt: skip

SUBNETWORK_TYPE = ResourceType(
    SUBNETWORK,
    Record(
        {
            "name": NAME,
            "project": Text(),
            "region": Text(),
            "description": Text(),
            "network": Text(fewest=1),
            "ipCidrRange": Text(fewest=1),
            "purpose": Text(
                one_of=("PRIVATE", PROXY_ONLY, "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT", "PRIVATE_NAT"),
                source=COMPUTE,
            ),
            "role": Text(one_of=("ACTIVE", "BACKUP"), source=COMPUTE),
            **dict.fromkeys(
                (
                    "logConfig", "privateIpGoogleAccess", "secondaryIpRanges", "stackType", "ipv6AccessType",
                ),
                ANY,
            ),
            "deletionPolicy": DELETION,
        },
        ("network",),
        source=COMPUTE,
    ),
    computed=("creationTimestamp", "fingerprint", "gatewayAddress", "selfLink"),
    auto_name=AutoName("name"),
    replaces=("name", "project", "region", "network", "purpose"),
    configured=("project", "region"),
    kind="compute#subnetwork",
)  # fmt: skip

TYPES: Final = types_by_token(
    (
        URL_LIST_TYPE,
        POLICY_TYPE,
        RULE_TYPE,
        GATEWAY_TYPE,
        POLICY_ROUTE_TYPE,
        STATIC_ROUTE_TYPE,
        SUBNETWORK_TYPE,
    )
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
