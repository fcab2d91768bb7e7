"""Resource types of Cloud DNS response policies, which answer names of a network with addresses of one's choice."""

from typing import Final

from hostgate.planning.resource_types import ResourceType, types_by_token
from hostgate.planning.shapes import Anything, Items, Record, Text, Whole

DNS: Final = "Cloud DNS API v1, ResponsePolicy and ResponsePolicyRule, as google-api-python-client 2.202.0 has it"
"""Read 2026-11-28. Names cannot change in place: they are the ids (pulumi-gcp 10.2.0, import formats)."""

RESPONSE_POLICY: Final = "gcp:dns/responsePolicy:ResponsePolicy"
RESPONSE_RULE: Final = "gcp:dns/responsePolicyRule:ResponsePolicyRule"

_PLACE = {
    "project": Text(),
    "deletionPolicy": Text(one_of=("DELETE", "PREVENT", "ABANDON"), source="pulumi-gcp 10.2.0"),
}
_RECORDS = Record(
    {"name": Text(fewest=1), "type": Text(fewest=1), "ttl": Whole(0, 2_147_483_647, DNS), "rrdatas": Items(Text())},
    ("name", "type"),
    source=DNS,
)

POLICY_TYPE = ResourceType(
    RESPONSE_POLICY,
    Record(
        {
            **_PLACE,
            "responsePolicyName": Text(fewest=1),
            "description": Text(),
            "networks": Items(Record({"networkUrl": Text(fewest=1)}, ("networkUrl",))),
            "gkeClusters": Anything(),
        },
        ("responsePolicyName",),
        source=DNS,
    ),
    replaces=("responsePolicyName", "project"),
    configured=("project",),
    kind="dns#responsePolicy",
)
RULE_TYPE = ResourceType(
    RESPONSE_RULE,
    Record(
        {
            **_PLACE,
            "responsePolicy": Text(fewest=1),
            "ruleName": Text(fewest=1),
            "dnsName": Text(r"(?:\*\.)?[^*]+\.", "a name with a dot at its end, or *. and one", source=DNS),
            "behavior": Text(one_of=("behaviorUnspecified", "bypassResponsePolicy"), source=DNS),
            "localData": Record({"localDatas": Items(_RECORDS, fewest=1)}, ("localDatas",)),
        },
        ("dnsName", "responsePolicy", "ruleName"),
        source=DNS,
    ),
    replaces=("responsePolicy", "ruleName", "project"),
    configured=("project",),
    kind="dns#responsePolicyRule",
)

TYPES: Final = types_by_token((POLICY_TYPE, RULE_TYPE))
"""Types that a plan makes."""
