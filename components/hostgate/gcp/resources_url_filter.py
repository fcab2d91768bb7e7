"""Resource types of URL filtering in Cloud NGFW: security profiles and their groups, firewall endpoints, associations."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.gcp.spelling import DELETION
from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType
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
FILTERING: Final = "Cloud NGFW documentation: configure URL filtering security profiles"
ENDPOINTS: Final = "Cloud NGFW documentation: firewall endpoints"

PROFILE: Final = "gcp:networksecurity/securityProfile:SecurityProfile"
PROFILE_GROUP: Final = "gcp:networksecurity/securityProfileGroup:SecurityProfileGroup"
ENDPOINT: Final = "gcp:networksecurity/firewallEndpoint:FirewallEndpoint"
ENDPOINT_ASSOCIATION: Final = "gcp:networksecurity/firewallEndpointAssociation:FirewallEndpointAssociation"

ORGANIZATION_GROUPS = Limit(
    "security profile groups of an organization", 40, "groups", "Network Security Integration quotas", "2026-11-23"
)
PROJECT_GROUPS = Limit(
    "security profile groups with URL filtering of a project", 35, "groups", "Cloud NGFW release notes", "2026-11-23"
)
NETWORKS = Limit(
    "networks of a firewall endpoint", 50, "associations", "Cloud NGFW release notes of 2026-07-30", "2026-11-23"
)

LAST_FILTER: Final = 2_147_483_647
"""Priority of the implicit filter, which denies every name. The API always returns it and nobody can edit it; the provider
drops it, unless a program declares one of this priority (magic-modules d577844)."""

PLAIN_MTU, JUMBO_MTU = 1_460, 8_500
"""The largest packets that an endpoint inspects, without jumbo frames and with them, ENDPOINTS."""

_ANY = Anything()
_NAME = Text(
    r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?",
    "1 to 63 of a-z, 0-9 and -, a letter first, no - last",
    source=SECURITY,
)
_PARENT = Text(r"(?:projects|organizations)/[^/]+", "projects/<id> or organizations/<number>", source=SECURITY)
ZONE_PATTERN: Final = r"[a-z]+(?:-[a-z]+)*[0-9]+-[a-z0-9]+"
_ZONE = Text(ZONE_PATTERN, "a zone, such as europe-west1-b", source=ENDPOINTS)
_LABELS = Entries(Text())
_URL = Text(
    r"\*|(?:\*\.?)?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?",
    "a name, *.name for all below it, *name for both, or *; letters, digits, - and . only",
    most=255,
    source=FILTERING,
)


def _priorities(profile: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    taken: dict[float, int] = {}
    for index, each in known_list(profile, "urlFilters"):
        priority = each.get("priority") if isinstance(each, Mapping) else None
        if isinstance(priority, int | float) and taken.setdefault(priority, index) != index:
            where = f"{inner(path, 'urlFilters')}[{index}].priority"
            yield InputProblem(
                "duplicate", path=where, found=shown(priority), allowed="unique in the profile", source=FILTERING
            )


def _one_kind(profile: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if filled(profile, "urlFilteringProfile") and profile.get("type") in (
        "THREAT_PREVENTION", "CUSTOM_MIRRORING", "CUSTOM_INTERCEPT", "WILDFIRE_ANALYSIS",
    ):  # fmt: skip
        where = inner(path, "urlFilteringProfile")
        yield InputProblem(
            "URL filters", path=where, found=shown(profile["type"]), allowed="type URL_FILTERING", source=SECURITY
        )


def _payer(endpoint: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    parent = endpoint.get("parent")
    if isinstance(parent, str) and parent.startswith("organizations/") and not filled(endpoint, "billingProjectId"):
        where = inner(path, "billingProjectId")
        yield InputProblem(
            "missing", path=where, found="nothing", allowed="a project, for an endpoint of an organization",
            source=SECURITY,
        )  # fmt: skip


_PLACE: Final[dict[str, Shape]] = {"parent": _PARENT, "location": Text(), "name": _NAME, "deletionPolicy": DELETION}
_OTHERS: Final = (
    "threatPreventionProfile",
    "customMirroringProfile",
    "customInterceptProfile",
    "wildfireAnalysisProfile",
)
_FILTER = Record(
    {
        "filteringAction": Text(one_of=("ALLOW", "DENY"), source=SECURITY),
        "priority": Whole(0, LAST_FILTER, FILTERING),
        "urls": Items(_URL, fewest=1, source=SECURITY),
    },
    ("filteringAction", "priority", "urls"),
    source=SECURITY,
)
_TIMES: Final = ("createTime", "updateTime", "effectiveLabels", "pulumiLabels")

PROFILE_TYPE = ResourceType(
    PROFILE,
    Record(
        {
            **_PLACE,
            "type": Text(
                one_of=("THREAT_PREVENTION", "URL_FILTERING", "CUSTOM_MIRRORING", "CUSTOM_INTERCEPT", "WILDFIRE_ANALYSIS"),
                source=SECURITY,
            ),
            "description": Text(most=512, source=SECURITY),
            "labels": _LABELS,
            "urlFilteringProfile": Record({"urlFilters": Items(_FILTER)}, (), (_priorities,), source=SECURITY),
            **dict.fromkeys(_OTHERS, _ANY),
        },
        ("type",),
        (_one_kind,),
        source=SECURITY,
    ),
    computed=(*_TIMES, "selfLink", "etag"),
    auto_name=AutoName("name"),
    replaces=("type", "parent", "location", "name"),
    kind="networksecurity.googleapis.com/SecurityProfile",
)  # fmt: skip

PROFILE_GROUP_TYPE = ResourceType(
    PROFILE_GROUP,
    Record(
        {
            **_PLACE,
            "description": Text(most=512, source="pulumi-gcp 10.2.0"),
            "labels": _LABELS,
            "urlFilteringProfile": Text(fewest=1),
            **dict.fromkeys(_OTHERS, Text(fewest=1)),
        },
        source=SECURITY,
    ),
    computed=(*_TIMES, "etag"),
    auto_name=AutoName("name"),
    replaces=("parent", "location", "name"),
    kind="networksecurity.googleapis.com/SecurityProfileGroup",
)

ENDPOINT_TYPE = ResourceType(
    ENDPOINT,
    Record(
        {
            **_PLACE,
            "location": _ZONE,
            "billingProjectId": Text(fewest=1),
            "labels": _LABELS,
            "endpointSettings": Record(
                {"jumboFramesEnabled": Flag(), "contentCloudRegion": _ANY, "httpPartialResponseBlocked": _ANY}
            ),
            "wildfireSettings": _ANY,
        },
        ("location", "parent"),
        (_payer,),
        source=SECURITY,
    ),
    computed=(*_TIMES, "selfLink", "associatedNetworks", "reconciling", "state"),
    auto_name=AutoName("name"),
    replaces=("parent", "location", "name", "endpointSettings.jumboFramesEnabled"),
    kind="networksecurity.googleapis.com/FirewallEndpoint",
)  # fmt: skip

ENDPOINT_ASSOCIATION_TYPE = ResourceType(
    ENDPOINT_ASSOCIATION,
    Record(
        {
            **_PLACE,
            "parent": Text(r"projects/[^/]+", "projects/<id>", source=SECURITY),
            "location": _ZONE,
            "firewallEndpoint": Text(fewest=1),
            "network": Text(fewest=1),
            "disabled": Flag(),
            "labels": _LABELS,
            "tlsInspectionPolicy": Text(fewest=1),
        },
        ("firewallEndpoint", "location", "network"),
        source=SECURITY,
    ),
    computed=(*_TIMES, "selfLink", "reconciling", "state"),
    auto_name=AutoName("name"),
    replaces=("parent", "location", "name"),
    configured=("parent",),
    kind="networksecurity.googleapis.com/FirewallEndpointAssociation",
)

ROWS: Final = (PROFILE_TYPE, PROFILE_GROUP_TYPE, ENDPOINT_TYPE, ENDPOINT_ASSOCIATION_TYPE)
