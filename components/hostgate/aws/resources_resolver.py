"""Resource types of Route 53 Resolver DNS Firewall: domain lists, rule groups, rules, associations, the VPC's fail mode."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws import query_kinds
from hostgate.aws.spelling import as_aws
from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType, fields, types_by_token
from hostgate.planning.shapes import (
    Anything,
    Entries,
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

# Sources, each as of 2026-11-23.
MODEL: Final = "AWS SDK service model, route53resolver"
QUOTAS: Final = "Amazon Route 53 developer guide, quotas (2023 copy)"
PROFILES: Final = "AWS SDK service model, route53profiles, AssociateResourceToProfile; 100 is kept as in a VPC"
READ_ON: Final = "2026-11-23"
GUIDE: Final = "Amazon Route 53 developer guide, DNS Firewall rule settings"

DOMAIN_LIST: Final = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
RULE_GROUP: Final = "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup"
RULE: Final = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
ASSOCIATION: Final = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
CONFIG: Final = "aws:route53/resolverFirewallConfig:ResolverFirewallConfig"

PROFILE_RESOURCE: Final = "aws:route53/profilesResourceAssociation:ProfilesResourceAssociation"
PROFILE_VPC: Final = "aws:route53/profilesAssociation:ProfilesAssociation"

LIST_DOMAINS = Limit(
    "domains of a list", 1_000, "domains", f"{MODEL}, UpdateFirewallDomains; the provider sends one request", READ_ON
)
GROUP_RULES = Limit("rules of a rule group", 100, "rules", QUOTAS, READ_ON, quota="L-F763F4D9")
ACCOUNT_LISTS = Limit("domain lists of an account", 1_000, "domain lists", QUOTAS, READ_ON, quota="L-9FA3C0A4")
ACCOUNT_DOMAINS = Limit("domains of all lists of an account", 100_000, "domains", QUOTAS, READ_ON, quota="L-740A4B31")
VPC_GROUPS = Limit("rule groups of a VPC", 5, "rule groups", QUOTAS, READ_ON, quota="L-15219E1D")
PROFILE_GROUPS = Limit(
    "rule groups of a Route 53 Profile", 5, "rule groups", "Amazon Route 53 developer guide, quotas on Route 53 Profiles",
    "2026-11-28", quota="L-F8A07EF1",
)  # fmt: skip

NAME = Text(
    r"(?![0-9]+\Z)[a-zA-Z0-9\-_' ]+", "letters, digits, - _ ' and spaces, not digits alone", most=64, source=MODEL
)
ID = Text(fewest=1, most=64, source=MODEL)
COMMON: Final[Mapping[str, Shape]] = {"name": NAME, "region": Text()}
TAGGED: Final[Mapping[str, Shape]] = {**COMMON, "tags": Entries(Text())}


def _domains(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for index, domain in known_list(inputs, "domains"):
        if not isinstance(domain, str):
            continue
        labels = domain.removeprefix("*").removeprefix(".").removesuffix(".").split(".")
        plain = all(label.replace("-", "a").isalnum() and label.isascii() and len(label) <= 63 for label in labels)
        if domain not in ("*", "*.") and not plain:
            allowed = "a domain name of letters, digits, - and dots, with or without a * in front"
            where = f"{inner(path, 'domains')}[{index}]"
            yield InputProblem("not a domain", path=where, found=shown(domain), allowed=allowed, source=MODEL)


def _priority(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    """A rule group in a Profile has a priority, in a text of JSON; what else a Profile takes has none."""
    given, arn = inputs.get("resourceProperties"), inputs.get("resourceArn")
    if isinstance(arn, str) and ":firewall-rule-group/" in arn and (given is None or isinstance(given, str)):
        priority = profile_priority(given)
        if priority is None or not 101 <= priority <= 9_900:
            where = inner(path, "resourceProperties")
            allowed = '{"priority": N} with N from 101 to 9900, for a DNS Firewall rule group'
            yield InputProblem("priority", path=where, found=shown(given), allowed=allowed, source=PROFILES)


def profile_priority(properties: object) -> int | None:
    """The priority that the properties of an association with a Profile give; None if they give none."""
    try:
        read = json.loads(properties) if isinstance(properties, str) else None
    except ValueError:
        return None
    priority = read.get("priority") if isinstance(read, dict) else None
    return priority if isinstance(priority, int) and not isinstance(priority, bool) else None


def _action(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    """What a rule needs besides its action."""
    listed, threat = filled(inputs, "firewallDomainListId"), filled(inputs, "dnsThreatProtection")
    if listed == threat:
        found = "both" if listed else "neither"
        allowed = "exactly one of firewallDomainListId, dnsThreatProtection"
        yield InputProblem("one of two", path=path, found=found, allowed=allowed, source=MODEL)
    if threat and inputs.get("action") == "ALLOW":
        yield InputProblem("action", path="action", found="ALLOW", allowed="BLOCK | ALERT for a threat", source=MODEL)
    if threat != filled(inputs, "confidenceThreshold"):
        allowed = "together with dnsThreatProtection"
        found = "nothing" if threat else "without a threat"
        yield InputProblem("confidence", path="confidenceThreshold", found=found, allowed=allowed, source=MODEL)
    if inputs.get("action") == "BLOCK" and not filled(inputs, "blockResponse"):
        yield InputProblem("missing", path="blockResponse", found="nothing", allowed="required for BLOCK", source=MODEL)
    if inputs.get("blockResponse") == "OVERRIDE":
        for key in ("blockOverrideDomain", "blockOverrideDnsType", "blockOverrideTtl"):
            if not filled(inputs, key):
                yield InputProblem("missing", path=key, found="nothing", allowed="required for OVERRIDE", source=MODEL)


TYPES: Final = types_by_token(
    (
        ResourceType(
            DOMAIN_LIST,
            Record(
                {
                    **TAGGED,
                    "domains": Items(Text(fewest=1, most=255, source=MODEL), most=LIST_DOMAINS.max, source=MODEL),
                },
                rules=(_domains,),
            ),
            computed=("arn", "tagsAll"),
            auto_name=AutoName("name"),
            replaces=("name", "region"),
            kind=query_kinds.DOMAIN_LIST,
            spelled=as_aws,
        ),
        ResourceType(
            RULE_GROUP,
            Record(TAGGED),
            computed=("arn", "ownerId", "shareStatus", "tagsAll"),
            auto_name=AutoName("name"),
            replaces=("name", "region"),
            kind=query_kinds.RULE_GROUP,
            spelled=as_aws,
        ),
        ResourceType(
            RULE,
            Record(
                {
                    **COMMON,
                    "action": Text(one_of=("ALLOW", "BLOCK", "ALERT"), source=MODEL),
                    "firewallRuleGroupId": ID,
                    "firewallDomainListId": ID,
                    "firewallDomainRedirectionAction": Text(
                        one_of=("INSPECT_REDIRECTION_DOMAIN", "TRUST_REDIRECTION_DOMAIN"), source=MODEL
                    ),
                    "priority": Whole(1, 2_147_483_647, GUIDE),
                    "blockResponse": Text(one_of=("NODATA", "NXDOMAIN", "OVERRIDE"), source=MODEL),
                    "blockOverrideDomain": Text(fewest=1, most=255, source=MODEL),
                    "blockOverrideDnsType": Text(one_of=("CNAME",), source=MODEL),
                    "blockOverrideTtl": Whole(0, 604_800, MODEL, "seconds"),
                    "qType": Text(fewest=1, most=16, source=MODEL),
                    "dnsThreatProtection": Text(one_of=("DGA", "DNS_TUNNELING", "DICTIONARY_DGA"), source=MODEL),
                    "confidenceThreshold": Text(one_of=("LOW", "MEDIUM", "HIGH"), source=MODEL),
                },
                ("action", "firewallRuleGroupId", "priority"),
                (_action,),
                renamed={"qType": "qtype"},
            ),
            computed=("firewallThreatProtectionId",),
            auto_name=AutoName("name"),
            replaces=("firewallRuleGroupId", "firewallDomainListId", "dnsThreatProtection", "region"),
            kind=query_kinds.RULE,
            spelled=as_aws,
        ),
        ResourceType(
            ASSOCIATION,
            Record(
                {
                    **TAGGED,
                    "firewallRuleGroupId": ID,
                    "vpcId": ID,
                    # 99 and below, 9901 and above are kept for Firewall Manager; 100 is in the model's range, and reserved.
                    "priority": Whole(101, 9_900, f"{MODEL}; the service reserves 100"),
                    "mutationProtection": Text(one_of=("ENABLED", "DISABLED"), source=MODEL),
                },
                ("firewallRuleGroupId", "priority", "vpcId"),
            ),
            computed=("arn", "tagsAll"),
            auto_name=AutoName("name"),
            replaces=("firewallRuleGroupId", "vpcId", "region"),
            kind=query_kinds.ASSOCIATION,
            spelled=as_aws,
        ),
        ResourceType(
            CONFIG,
            Record(
                {
                    "resourceId": ID,
                    "firewallFailOpen": Text(
                        one_of=("ENABLED", "DISABLED", "USE_LOCAL_RESOURCE_SETTING"), source=MODEL
                    ),
                    "region": Text(),
                },
                ("resourceId",),
            ),
            computed=("ownerId",),
            replaces=("resourceId", "region"),
            kind=query_kinds.CONFIG,
            spelled=as_aws,
        ),
        ResourceType(
            PROFILE_RESOURCE,
            Record(
                {
                    **COMMON,
                    "profileId": ID,
                    "resourceArn": Text(fewest=1, most=255, source=PROFILES),
                    "resourceProperties": Text(),
                    "timeouts": Anything(),
                },
                ("profileId", "resourceArn"),
                (_priority,),
            ),
            computed=("ownerId", "resourceType", "status", "statusMessage"),
            auto_name=AutoName("name"),
            replaces=("name", "profileId", "resourceArn", "region"),
            kind=query_kinds.PROFILE_ASSOCIATION,
            spelled=as_aws,
        ),
    )
)
"""Every type of DNS Firewall."""

READ: Final = types_by_token((ResourceType(PROFILE_VPC, fields("profileId", "resourceId"), spelled=as_aws),))
"""Types that are read where they stand, and never made here: which VPCs have a Route 53 Profile."""
