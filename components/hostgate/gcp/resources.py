"""Resource types of Google Cloud NGFW: firewall policies of every scope, their rules and associations."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

from hostgate.flows.nodes import UNKNOWN
from hostgate.gcp import resources_dns, resources_proxy, resources_url_filter
from hostgate.gcp.resources_groups import ADDRESS_GROUP as ADDRESS_GROUP
from hostgate.gcp.resources_groups import ADDRESS_GROUP_TYPE, GROUPS_OF_RULE
from hostgate.gcp.resources_url_filter import ENDPOINT_ASSOCIATION as ENDPOINT_ASSOCIATION
from hostgate.gcp.resources_url_filter import PROFILE as PROFILE
from hostgate.gcp.spelling import DELETION
from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType, UnreadType, fields, types_by_token
from hostgate.planning.shapes import (
    Anything,
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

# Sources, each as of 2026-11-23.
COMPUTE: Final = "Compute Engine API v1, FirewallPolicyRule, revision 20261106"
MATCHER: Final = "Compute Engine API v1, FirewallPolicyRuleMatcher, revision 20261106"
FQDN: Final = "Cloud NGFW documentation: FQDN objects"
RESERVED: Final = "magic-modules, compute network firewall policy constants"
CONTEXTS: Final = "Cloud NGFW documentation: network contexts"
QUOTAS: Final = "Google Cloud network firewall policy quotas"
ABOVE: Final = "magic-modules 068cc456, compute FirewallPolicy, FirewallPolicyRule and FirewallPolicyAssociation"
"""Read 2026-11-28. Of a hierarchical association another policy is an update, which takes the node over."""

POLICY: Final = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
POLICY_WITH_RULES: Final = "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules"
RULE: Final = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
ASSOCIATION: Final = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"
REGION_POLICY: Final = "gcp:compute/regionNetworkFirewallPolicy:RegionNetworkFirewallPolicy"
REGION_POLICY_WITH_RULES: Final = (
    "gcp:compute/regionNetworkFirewallPolicyWithRules:RegionNetworkFirewallPolicyWithRules"
)
REGION_RULE: Final = "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule"
REGION_ASSOCIATION: Final = "gcp:compute/regionNetworkFirewallPolicyAssociation:RegionNetworkFirewallPolicyAssociation"
ORGANISATION_POLICY: Final = "gcp:compute/firewallPolicy:FirewallPolicy"
ORGANISATION_POLICY_WITH_RULES: Final = "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules"
ORGANISATION_RULE: Final = "gcp:compute/firewallPolicyRule:FirewallPolicyRule"
ORGANISATION_ASSOCIATION: Final = "gcp:compute/firewallPolicyAssociation:FirewallPolicyAssociation"
CLASSIC: Final = "gcp:compute/firewall:Firewall"
INSTANCES: Final = ("gcp:compute/instance:Instance", "gcp:compute/instanceFromTemplate:InstanceFromTemplate")
NETWORK: Final = "gcp:compute/network:Network"
DNS_POLICY: Final = "gcp:dns/policy:Policy"

FQDNS = Limit("FQDNs of a rule", 100, "names", "compute v1, FirewallPolicyRuleMatcher.destFqdns", "2026-11-23")
MOST_PRIORITY: Final = 2_147_483_547
"""The last priority a user may take; 2147483548 to 2147483647 are reserved for predefined rules, RESERVED."""

ANY = Anything()
NAME = Text(
    r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?",
    "1 to 63 of a-z, 0-9 and -, a letter first, no - last (RFC 1035)",
    source="Compute Engine API v1, FirewallPolicy, revision 20261106",
)
CONTEXT = Text(one_of=("INTERNET", "INTRA_VPC", "NON_INTERNET", "UNSPECIFIED", "VPC_NETWORKS"), source=COMPUTE)
TAG = Record({"name": Text(r"tagValues/[0-9]+", "tagValues/<number>", source=COMPUTE), "state": ANY}, ("name",))
WITH_PORTS: Final = ("tcp", "6", "udp", "17")
DESTINATIONS: Final = (
    "destFqdns",
    "destIpRanges",
    "destAddressGroups",
    "destRegionCodes",
    "destThreatIntelligences",
)


def _ports_only_for_tcp_and_udp(config: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    protocol = config.get("ipProtocol")
    if isinstance(protocol, str) and filled(config, "ports") and protocol not in WITH_PORTS:
        yield InputProblem(
            "ports", path=inner(path, "ports"), found=protocol, allowed="tcp or udp only", source=COMPUTE
        )
    for index, port in known_list(config, "ports"):
        low, _, high = str(port).partition("-")
        high = high or low
        legal = low.isdecimal() and high.isdecimal() and int(low) <= int(high) <= 65_535
        if not legal:
            where = f"{inner(path, 'ports')}[{index}]"
            yield InputProblem("not a port", path=where, found=shown(port), allowed="80 or 80-90", source=COMPUTE)


def _names(match: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for key in ("destFqdns", "srcFqdns"):
        for index, name in known_list(match, key):
            if isinstance(name, str) and not _is_fqdn(name):
                where = f"{inner(path, key)}[{index}]"
                allowed = "an exact name of two labels or more; no *"
                yield InputProblem("not an FQDN object", path=where, found=shown(name), allowed=allowed, source=FQDN)


def _is_fqdn(name: str) -> bool:
    labels = name.removesuffix(".").split(".")
    legal = all(re.fullmatch(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", label) for label in labels)
    return legal and len(labels) >= 2 and len(name) <= 255


def _ranges(match: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for key in ("destIpRanges", "srcIpRanges"):
        families = set()
        for index, text in known_list(match, key):
            try:
                families.add(ipaddress.ip_network(text, strict=False).version)
            except ValueError:
                where = f"{inner(path, key)}[{index}]"
                yield InputProblem("not a range", path=where, found=shown(text), allowed="a CIDR", source=MATCHER)
        if len(families) > 1:
            where = inner(path, key)
            yield InputProblem("IPv4 and IPv6", path=where, found="both", allowed="one family per rule", source=QUOTAS)


def _context_needs_more(match: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if filled(match, "destNetworkContext") and not any(filled(match, key) for key in DESTINATIONS):
        where = inner(path, "destNetworkContext")
        allowed = f"beside one of {', '.join(DESTINATIONS)}"
        yield InputProblem(
            "network context alone", path=where, found="no destination", allowed=allowed, source=CONTEXTS
        )


def _whole_rule(rule: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    action, direction, match = rule.get("action"), rule.get("direction"), rule.get("match")
    if action == "goto_next" and rule.get("enableLogging") is True:
        where = inner(path, "enableLogging")
        yield InputProblem("logging", path=where, found="goto_next", allowed="not on goto_next", source=COMPUTE)
    kinds = [key for key in ("targetSecureTags", "targetServiceAccounts") if filled(rule, key)]
    if len(kinds) == 2 and not any(rule[key] is UNKNOWN for key in kinds):  # what is not known yet may be of one kind
        where = inner(path, "targetServiceAccounts")
        yield InputProblem("two kinds of target", path=where, found="both", allowed="one of the two", source=COMPUTE)
    inspects = action == "apply_security_profile_group"
    if isinstance(action, str) and filled(rule, "securityProfileGroup") != inspects:
        where = inner(path, "securityProfileGroup")
        allowed = "with action apply_security_profile_group, and only then"
        yield InputProblem("security profile group", path=where, found=action, allowed=allowed, source=COMPUTE)
    if isinstance(action, str) and rule.get("tlsInspect") is True and not inspects:
        where = inner(path, "tlsInspect")
        allowed = "only with apply_security_profile_group"
        yield InputProblem("TLS inspection", path=where, found=action, allowed=allowed, source=COMPUTE)
    if isinstance(match, Mapping):
        wrong = {"EGRESS": "srcFqdns", "INGRESS": "destFqdns"}.get(str(direction), "")
        if wrong and filled(match, wrong):
            where, allowed = f"{inner(path, 'match')}.{wrong}", "destFqdns on EGRESS, srcFqdns on INGRESS"
            yield InputProblem("FQDN objects", path=where, found=str(direction), allowed=allowed, source=FQDN)


def _side(side: str) -> dict[str, Shape]:
    return {
        f"{side}Fqdns": Items(Text(fewest=1), most=FQDNS.max, unique=True, source=MATCHER),
        f"{side}IpRanges": Items(Text(fewest=1), most=5_000, source=MATCHER),
        f"{side}AddressGroups": Items(Text(fewest=1), most=GROUPS_OF_RULE.max, source=MATCHER),
        f"{side}RegionCodes": Items(Text(), most=5_000, source=MATCHER),
        f"{side}ThreatIntelligences": Items(Text()),
        f"{side}NetworkContext": CONTEXT,
        f"{side}NetworkScope": Text(),
    }


POLICY_TYPE = ResourceType(
    POLICY,
    Record({"name": NAME, "description": Text(), "project": Text(), "policyType": Text(), "deletionPolicy": DELETION}),
    computed=(
        "creationTimestamp",
        "fingerprint",
        "networkFirewallPolicyId",
        "ruleTupleCount",
        "selfLink",
        "selfLinkWithId",
    ),
    auto_name=AutoName("name"),
    replaces=("name", "project", "policyType"),
    configured=("project",),
    kind="compute#firewallPolicy",
)

MATCH: Final = Record(
    {
        "layer4Configs": Items(
            Record(
                {
                    "ipProtocol": Text(
                        r"tcp|udp|icmp|esp|ah|ipip|sctp|all|[0-9]{1,3}",
                        "tcp | udp | icmp | esp | ah | ipip | sctp | all | a number",
                        source=COMPUTE,
                    ),
                    "ports": Items(Text()),
                },
                ("ipProtocol",),
                (_ports_only_for_tcp_and_udp,),
            ),
            fewest=1,
            source=COMPUTE,
        ),
        **_side("dest"),
        **_side("src"),
        "srcNetworks": Items(Text()),
        "srcSecureTags": Items(TAG, most=256, source=MATCHER),
    },
    ("layer4Configs",),
    (_names, _ranges, _context_needs_more),
    source=COMPUTE,
)

RULE_TYPE = ResourceType(
    RULE,
    Record(
        {
            "action": Text(one_of=("allow", "deny", "goto_next", "apply_security_profile_group"), source=COMPUTE),
            "direction": Text(one_of=("EGRESS", "INGRESS"), source=COMPUTE),
            "firewallPolicy": Text(fewest=1),
            "priority": Whole(0, MOST_PRIORITY, RESERVED),
            "match": MATCH,
            "deletionPolicy": DELETION,
            "description": Text(),
            "disabled": Flag(),
            "enableLogging": Flag(),
            "project": Text(),
            "ruleName": Text(),
            "securityProfileGroup": Text(),
            "targetForwardingRules": Items(Text()),
            "targetSecureTags": Items(TAG, most=256, source=COMPUTE),
            "targetServiceAccounts": Items(Text(fewest=1)),
            "targetType": Text(),
            "tlsInspect": Flag(),
        },
        ("action", "direction", "firewallPolicy", "match", "priority"),
        (_whole_rule,),
        source=COMPUTE,
    ),
    computed=("creationTimestamp", "kind", "ruleTupleCount"),
    replaces=("firewallPolicy", "priority", "project"),
    configured=("project",),
    kind="compute#firewallPolicyRule",
)

ASSOCIATION_TYPE = ResourceType(
    ASSOCIATION,
    Record(
        {
            "attachmentTarget": Text(fewest=1),
            "firewallPolicy": Text(fewest=1),
            "name": NAME,
            "project": Text(),
            "deletionPolicy": DELETION,
        },
        ("attachmentTarget", "firewallPolicy"),
    ),
    computed=("shortName",),
    auto_name=AutoName("name"),
    replaces=("name", "attachmentTarget", "firewallPolicy", "project"),
    configured=("project",),
    kind="compute#firewallPolicyAssociation",
)

_RULE = RULE_TYPE.inputs.fields
_FOR_BALANCERS = ("targetForwardingRules", "targetType")
_ANYWHERE = {name: _RULE[name] for name in _RULE if name not in ("project", "ruleName", *_FOR_BALANCERS)}
"""Of a rule of an organization or a folder."""
_MATCH = {name: shape for name, shape in MATCH.fields.items() if not name.endswith("NetworkContext")}

Scope = Literal["global", "region", "hierarchical"]
"""Of a policy: every region of its networks, one region of them, or all that is below an organization or a folder."""


class PolicyTypes(NamedTuple):
    """The resource types of a policy, its rules and its associations in one scope."""

    policy: ResourceType
    rule: ResourceType
    association: ResourceType


def _in_region(row: ResourceType, token: str, computed: tuple[str, ...] = ()) -> ResourceType:
    return replace(
        row,
        token=token,
        inputs=replace(row.inputs, fields={**row.inputs.fields, "region": Text(fewest=1)}),
        computed=computed or row.computed,
        replaces=(*row.replaces, "region"),
        configured=(*row.configured, "region"),
    )


_NODE = Text(r"(?:organizations|folders)/[0-9]+", "organizations/<number> or folders/<number>", source=ABOVE)

SCOPES: Final[Mapping[Scope, PolicyTypes]] = {
    "global": PolicyTypes(POLICY_TYPE, RULE_TYPE, ASSOCIATION_TYPE),
    "region": PolicyTypes(
        _in_region(
            POLICY_TYPE,
            REGION_POLICY,
            tuple(name.replace("networkF", "regionNetworkF") for name in POLICY_TYPE.computed),
        ),
        _in_region(RULE_TYPE, REGION_RULE),
        _in_region(
            replace(
                ASSOCIATION_TYPE,
                inputs=replace(ASSOCIATION_TYPE.inputs, fields={**ASSOCIATION_TYPE.inputs.fields, "priority": ANY}),
                replaces=(*ASSOCIATION_TYPE.replaces, "priority"),
            ),
            REGION_ASSOCIATION,
        ),
    ),
    "hierarchical": PolicyTypes(
        ResourceType(
            ORGANISATION_POLICY,
            Record(
                {"parent": _NODE, "shortName": NAME, "description": Text(), "deletionPolicy": DELETION},
                ("parent", "shortName"),
                source=ABOVE,
            ),
            computed=(
                "creationTimestamp", "fingerprint", "firewallPolicyId", "name", "ruleTupleCount", "selfLink", "selfLinkWithId",
            ),
            replaces=("parent", "shortName"),
            kind=POLICY_TYPE.kind,
        ),
        replace(
            RULE_TYPE,
            token=ORGANISATION_RULE,
            inputs=replace(RULE_TYPE.inputs, fields={**_ANYWHERE, "targetResources": Items(Text(fewest=1))}),
            replaces=("firewallPolicy", "priority"),
            configured=(),
        ),
        replace(
            ASSOCIATION_TYPE,
            token=ORGANISATION_ASSOCIATION,
            inputs=Record(
                {"attachmentTarget": _NODE, "firewallPolicy": Text(fewest=1), "name": NAME, "deletionPolicy": DELETION},
                ("attachmentTarget", "firewallPolicy"),
                source=ABOVE,
            ),
            replaces=("name", "attachmentTarget"),  # another policy takes the node over in place
            configured=(),
        ),
    ),
}  # fmt: skip

TYPES: Final = {
    **types_by_token(
        (*(row for types in SCOPES.values() for row in types), *resources_url_filter.ROWS, ADDRESS_GROUP_TYPE)
    ),
    **resources_proxy.TYPES,
    **resources_dns.TYPES,
}
"""Types that a plan makes."""

_LISTED = {name: _RULE[name] for name in _ANYWHERE if name not in ("firewallPolicy", "deletionPolicy")} | {
    "match": Record(_MATCH),
    "ruleName": ANY,
}
"""Of a rule that stands in its policy."""

READ: Final = types_by_token(
    (
        *(
            ResourceType(token, Record({**dict.fromkeys(place, ANY), "rules": Items(Record(rule))}))
            for token, place, rule in (
                (POLICY_WITH_RULES, ("name", "project"), _LISTED),
                (REGION_POLICY_WITH_RULES, ("name", "project", "region"), _LISTED),
                (ORGANISATION_POLICY_WITH_RULES, ("parent", "shortName"), _LISTED | {"targetResources": ANY}),
            )
        ),
        ResourceType(
            CLASSIC,
            fields(
                "name", "network", "project", "direction", "disabled", "priority", "destinationRanges", "sourceRanges",
                "targetTags", "targetServiceAccounts", "allows[].protocol", "allows[].ports", "denies[].protocol",
                "denies[].ports", "logConfig",
            ),
        ),
        *(ResourceType(token, fields("zone", "networkInterfaces[].network", "networkInterfaces[].subnetwork"))
          for token in INSTANCES),
        ResourceType(NETWORK, fields("name", "project", "mtu", "networkFirewallPolicyEnforcementOrder")),
        ResourceType(
            DNS_POLICY,
            fields("name", "project", "networks[].networkUrl", "alternativeNameServerConfig.targetNameServers"),
        ),
        *resources_proxy.READ.values(),
    )
)  # fmt: skip
"""Types that are read where they stand, and never made here."""

UNREAD: Final[tuple[UnreadType, ...]] = ()
"""Types that decide about names, and that nothing reads."""
