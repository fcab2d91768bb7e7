"""An evaluator of Google Cloud egress, written from Google's pages over raw inputs, slow and plain. It imports no product
code.

Sources, as the project's notes of 2026-11-23 and 2026-11-27 quote them: docs.cloud.google.com/firewall/docs
(firewall-policies-rule-eval-order: order of policies; firewall-policies-rule-details: targets, destinations;
fqdn-objects-overview: a match by address; about-url-filtering and configure-urlf-security-profiles: what is asked of SNI
and Host, matcher strings, the implicit deny, what carries no name), cloud.google.com/vpc/docs/firewalls (the metadata
server, the implied rule).
Read 2026-11-28: .../understand-network-contexts (a context *and* one of the other destination parameters), compute v1
`Firewall` (deny before allow at one priority). That a VPC firewall rule without destination ranges is about IPv4 alone
is believed and was not found in print.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from oracle.dial import Answer, Dial, Maybe, Resource, both, either, in_ports, inside, one_of, plain

NUMBERS = {"icmp": 1, "ipip": 4, "tcp": 6, "udp": 17, "esp": 50, "ah": 51, "sctp": 132}

Ways = set[str]
"""How a stage may end: allow, block, or next (the stage after it decides)."""


def answer(stack: Sequence[Resource], network: str, dial: Dial) -> Answer:
    """What becomes of the connection from an instance of the network (an id), whose project is below every association."""
    if dial.address == "169.254.169.254":
        return "allow"
    own = next(each for each in _of(stack, "gcp:compute/network:Network") if each.id == network)
    classic_first = own.inputs.get("networkFirewallPolicyEnforcementOrder") != "BEFORE_CLASSIC_FIREWALL"
    above = _hierarchical(stack, network, dial)
    classic = _classic(stack, own, dial)
    policies = [_global(stack, network, dial), _regional(stack, network, dial)]
    stages = [*above, classic, *policies] if classic_first else [*above, *policies, classic]
    found: Ways = set()
    for stage in stages:
        found |= stage - {"next"}
        if "next" not in stage:
            return one_of(found)
    return one_of(found | {"allow"})  # the implied rule


def _of(stack: Iterable[Resource], *types: str) -> list[Resource]:
    return [each for each in stack if each.type in types]


def _path(link: str) -> str:
    return link.partition("/compute/v1/")[2] or link.partition("networksecurity.googleapis.com/")[2] or link


def _means(reference: str, resource: Resource) -> bool:
    """Whether a reference (link, id, or the name alone) is to the resource."""
    path = _path(reference)
    return path == resource.id if "/" in path else path == resource.id.rpartition("/")[2]


def _hierarchical(stack: Sequence[Resource], network: str, dial: Dial) -> list[Ways]:
    """The organisation's policy, then the folder's, of which nobody says whether the project is below it."""
    found = []
    for level in ("organizations/", "folders/"):
        for association in _of(stack, "gcp:compute/firewallPolicyAssociation:FirewallPolicyAssociation"):
            if association.inputs["attachmentTarget"].startswith(level):
                ways = _policy(stack, "firewallPolicy", association.inputs["firewallPolicy"], network, dial)
                found.append(ways | {"next"} if level == "folders/" else ways)
    return found


def _global(stack: Sequence[Resource], network: str, dial: Dial) -> Ways:
    for association in _of(stack, "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"):
        if _path(association.inputs["attachmentTarget"]) == network:
            return _policy(stack, "networkFirewallPolicy", association.inputs["firewallPolicy"], network, dial)
    return {"next"}


def _regional(stack: Sequence[Resource], network: str, dial: Dial) -> Ways:
    """Those of every region: nobody says in which the client is, so it may be in any, or in one that has none."""
    found: Ways = {"next"}
    kind = "gcp:compute/regionNetworkFirewallPolicyAssociation:RegionNetworkFirewallPolicyAssociation"
    for association in _of(stack, kind):
        if _path(association.inputs["attachmentTarget"]) == network:
            found |= _policy(stack, "regionNetworkFirewallPolicy", association.inputs["firewallPolicy"], network, dial)
    return found


def _policy(stack: Sequence[Resource], kind: str, reference: str, network: str, dial: Dial) -> Ways:
    token, upper = f"gcp:compute/{kind}", kind[0].upper() + kind[1:]
    policies = _of(stack, f"{token}:{upper}", f"{token}WithRules:{upper}WithRules")
    policy = next((each for each in policies if _means(reference, each)), None)
    if policy is None:
        return {"allow", "block", "next"}
    rules: list[Mapping[str, Any]] = list(policy.inputs.get("rules") or ())
    rules += [
        each.inputs for each in _of(stack, f"{token}Rule:{upper}Rule") if _means(each.inputs["firewallPolicy"], policy)
    ]
    found: Ways = set()
    for rule in sorted(rules, key=lambda each: int(each["priority"])):
        met = _meets(stack, rule, network, dial)
        if met is not False and rule["action"] == "apply_security_profile_group":
            found |= _inspected(stack, rule, network, dial)
        elif met is not False:
            found |= {"allow": {"allow"}, "deny": {"block"}, "goto_next": {"next"}}[rule["action"]]
        if met is True:
            return found
    return found | {"next"}


def _inspected(stack: Sequence[Resource], rule: Mapping[str, Any], network: str, dial: Dial) -> Ways:
    """What the endpoints make of it. Where none is associated with the network, or nobody sees one, it may pass as it is:
    a rule never stops what no endpoint inspects."""
    group = _profile(stack, "SecurityProfileGroup", rule.get("securityProfileGroup"))
    found: Ways = set()
    associations = _of(stack, "gcp:networksecurity/firewallEndpointAssociation:FirewallEndpointAssociation")
    if not any(_path(each.inputs["network"]) == network and not each.inputs.get("disabled") for each in associations):
        found.add("allow")
    if group is None or rule.get("tlsInspect"):
        return found | {"allow", "block"}
    if any(group.inputs.get(key) for key in ("threatPreventionProfile", "customInterceptProfile")):
        found.add("block")
    if not group.inputs.get("urlFilteringProfile"):
        return found | {"allow"}
    profile = _profile(stack, "SecurityProfile", group.inputs["urlFilteringProfile"])
    if profile is None:
        return found | {"allow", "block"}
    filters = (profile.inputs.get("urlFilteringProfile") or {}).get("urlFilters") or []
    every = {"filteringAction": "DENY", "priority": 2147483647, "urls": ["*"]}
    ordered = sorted([*filters, every], key=lambda each: int(each["priority"]))
    if dial.speaks == "quic":  # it passes if there is an explicit filter that allows; of which names, no page says
        may_pass = any(each["filteringAction"] == "ALLOW" for each in filters)
        return found | ({"allow", "block"} if may_pass else {"block"})
    named = plain(dial.carries) if dial.carries and dial.speaks in ("tls", "http") else None
    for each in ordered:
        if named is None or any(_covers(url, named) for url in each["urls"]):
            return found | {"allow" if each["filteringAction"] == "ALLOW" else "block"}
    raise AssertionError("the implicit filter is about every name")


def _profile(stack: Sequence[Resource], kind: str, reference: object) -> Resource | None:
    of_kind = _of(stack, f"gcp:networksecurity/{kind[0].lower()}{kind[1:]}:{kind}")
    return next((each for each in of_kind if _path(str(reference)) == each.id), None)


def _covers(url: str, name: str) -> bool:
    """example.com: itself; *.example.com: any depth below; *example.com: both, by whole labels; *: everything."""
    pattern = plain(url)
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and name != pattern[2:]
    if pattern.startswith("*"):
        return name == pattern[1:] or name.endswith(f".{pattern[1:]}")
    return name == pattern


def _meets(stack: Sequence[Resource], rule: Mapping[str, Any], network: str, dial: Dial) -> Maybe:
    if rule.get("direction", "INGRESS") != "EGRESS" or rule.get("disabled"):
        return False
    if rule.get("targetType", "INSTANCES") != "INSTANCES":
        return False
    match = rule["match"]
    resources = rule.get("targetResources") or ()
    return both(
        [
            not resources or any(_path(each) == network for each in resources),
            _targets(rule, dial),
            any(_layer4(each, "ipProtocol", dial) for each in match["layer4Configs"]),
            _source(match.get("srcIpRanges") or (), dial),
            _destination(stack, match, dial),
        ]
    )


def _targets(rule: Mapping[str, Any], dial: Dial) -> Maybe:
    tags = [each["name"] for each in rule.get("targetSecureTags") or ()]
    accounts = rule.get("targetServiceAccounts") or ()
    network_tags = rule.get("targetTags") or ()
    if not tags and not accounts and not network_tags:
        return True
    kind, _, value = dial.source.partition(":")
    if kind == "tag" and tags:
        return value in tags
    if kind == "account" and accounts:
        return value in accounts
    return None  # an address, or another kind of identity, says nothing about it


def _layer4(part: Mapping[str, Any], key: str, dial: Dial) -> bool:
    protocol = str(part[key]).lower()
    number = int(protocol) if protocol.isdigit() else NUMBERS.get(protocol)
    if protocol == "all":
        return True
    if number != NUMBERS[dial.transport]:
        return False
    return not part.get("ports") or in_ports(dial.port, part["ports"])


def _source(ranges: Sequence[str], dial: Dial) -> Maybe:
    if not ranges:
        return True
    version = ip_address(dial.address).version  # a packet has one family
    alike = [cidr for cidr in ranges if ip_network(cidr, strict=False).version == version]
    if ":" not in dial.source or not dial.source.startswith(("tag:", "account:")):
        return any(inside(dial.source, cidr) for cidr in ranges)
    if any(ip_network(cidr, strict=False).prefixlen == 0 for cidr in alike):
        return True
    return None if alike else False


def _destination(stack: Sequence[Resource], match: Mapping[str, Any], dial: Dial) -> Maybe:
    """One of the parameters, if there is any; and the network context, which hangs on routes that nobody sees here."""
    ways: list[Maybe] = []
    ways += [inside(dial.address, cidr) for cidr in match.get("destIpRanges") or ()]
    ways += [dial.address in dial.resolves.get(plain(name), ()) for name in match.get("destFqdns") or ()]
    ways += [None for _ in match.get("destRegionCodes") or ()]
    ways += [None for _ in match.get("destThreatIntelligences") or ()]
    for reference in match.get("destAddressGroups") or ():
        groups = _of(stack, "gcp:networksecurity/addressGroup:AddressGroup")
        group = next((each for each in groups if _means(reference, each)), None)
        ways += [None] if group is None else [inside(dial.address, cidr) for cidr in group.inputs["items"]]
    keys = [f"{side}Network{word}" for side in ("src", "dest") for word in ("Context", "Scope")]
    contexts: list[Maybe] = [None for key in keys if match.get(key, "UNSPECIFIED") != "UNSPECIFIED"]
    return both([either(ways) if ways else True, *contexts])


def _classic(stack: Sequence[Resource], own: Resource, dial: Dial) -> Ways:
    """VPC firewall rules: by priority, and a deny before an allow at the same one."""
    rules = [
        each.inputs
        for each in _of(stack, "gcp:compute/firewall:Firewall")
        if _means(each.inputs["network"], own)
        and each.inputs.get("direction", "INGRESS") == "EGRESS"
        and not each.inputs.get("disabled")
    ]
    found: Ways = set()
    for rule in sorted(rules, key=lambda each: (int(each.get("priority", 1000)), "denies" not in each)):
        met = both(
            [
                _targets(rule, dial),
                any(_layer4(each, "protocol", dial) for each in rule.get("allows") or rule.get("denies") or ()),
                _source(rule.get("sourceRanges") or (), dial),
                any(inside(dial.address, cidr) for cidr in rule.get("destinationRanges") or ["0.0.0.0/0"]),
            ]
        )
        if met is not False:
            found.add("block" if rule.get("denies") else "allow")
        if met is True:
            return found
    return found | {"next"}
