"""What the bodies of each cloud's API hold, counted again without asking the code that made them.

Keyed by the kind of object, not by mechanism: a new mechanism on a known API is counted already, a new API fails
loudly until it is added here.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from hostgate.planning.mechanism import CloudObject

SID_MAX = 4_294_967_294
RULE_CHARACTERS = 8_175


@dataclass
class Counted:
    """Numbers of a plan's objects. `scopes` holds lists whose items have to be unique, by what they are."""

    over: list[str] = field(default_factory=list)
    scopes: dict[str, list[Any]] = field(default_factory=dict)

    def at_most(self, what: str, used: int, allowed: int) -> None:
        if used > allowed:
            self.over.append(f"{what}: {used} of {allowed}")

    def between(self, what: str, low: int, value: int, high: int) -> None:
        if not low <= value <= high:
            self.over.append(f"{what}: {value}, not in {low}..{high}")

    def one_of(self, scope: str, value: object) -> None:
        self.scopes.setdefault(scope, []).append(value)

    @property
    def repeated(self) -> dict[str, list[Any]]:
        found = {scope: sorted({str(v) for v in seen if seen.count(v) > 1}) for scope, seen in self.scopes.items()}
        return {scope: values for scope, values in found.items() if values}


def count(objects: Sequence[CloudObject]) -> Counted:
    """Every number that has a limit, and every name that has to be unique."""
    counted = Counted()
    for each in objects:
        counted.one_of("object names", each.name)
        _COUNTERS[each.kind](counted, each)
    groups = [each for each in objects if each.kind == "AWS::NetworkFirewall::RuleGroup"]
    counted.at_most("capacity of the policy", sum(each.body["Capacity"] for each in groups), 30_000)
    counted.at_most("stateful rule groups", len(groups), 20)
    queries = [each for each in objects if each.kind.endswith(".FirewallRule")]
    counted.at_most("rules of a group of DNS Firewall", len(queries), 100)
    counted.at_most("URL lists", sum(each.kind.endswith("#urlList") for each in objects), 10)
    counted.at_most("IP groups", sum(each.kind.endswith("/ipGroups") for each in objects), 200)
    azure = [each for each in objects if each.kind.endswith("/ruleCollectionGroups")]
    counted.at_most("rule collection groups", len(azure), 50)
    return counted


def empty_places(value: object, path: str = "") -> Iterator[str]:
    """Where a body holds an empty list, mapping or text: in a match that is everything, or nothing."""
    if isinstance(value, dict):
        if not value:
            yield path
        for key, item in value.items():
            yield from empty_places(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        if not value:
            yield path
        for index, item in enumerate(value):
            yield from empty_places(item, f"{path}[{index}]")
    elif isinstance(value, str) and not value.strip():
        yield path


def _rule_group(counted: Counted, each: CloudObject) -> None:
    body = each.body
    rules_source = body["RuleGroup"]["RulesSource"]
    references = body["RuleGroup"].get("ReferenceSets", {}).get("IPSetReferences", {})
    counted.at_most("IP set references", len(references), 5)
    named = set(re.findall(r" -> @(\w+) ", rules_source.get("RulesString", "")))
    counted.at_most("references that one side only has", len(named ^ set(references)), 0)
    own = body["RuleGroup"].get("RuleVariables", {}).get("IPSets", {})
    sets = {f"${key}": f"[{','.join(each['Definition'])}]" for key, each in own.items()}
    written = set(re.findall(r" -> (\$E_\w+) ", rules_source.get("RulesString", "")))
    counted.at_most("sets that one side only has", len(written ^ set(sets)), 0)
    counted.at_most("sets that hold nothing", sum(not each["Definition"] for each in own.values()), 0)
    counted.between("capacity", 1, body["Capacity"], 30_000)
    counted.at_most("name", len(body["RuleGroupName"]), 128)
    counted.at_most("description", len(body["Description"]), 512)
    if "RulesString" in rules_source:
        lines = rules_source["RulesString"].splitlines()
        counted.at_most("bytes of rules", len(rules_source["RulesString"].encode()), 2_000_000)
        counted.at_most("rules of the reserved capacity", len(lines), body["Capacity"])
        for line in lines:
            whole = re.sub(r"\$\w+", lambda found: sets.get(found[0], found[0]), line)
            counted.at_most("characters of a rule", len(whole), RULE_CHARACTERS)
            sid = int(line.rpartition("sid:")[2].partition(";")[0])
            counted.between("sid", 1, sid, SID_MAX)
            counted.one_of("sids", sid)
    else:
        listed = rules_source["RulesSourceList"]
        targets, types = listed["Targets"], listed["TargetTypes"]
        counted.at_most("units of the reserved capacity", len(targets) * len(types) + len(types) + 1, body["Capacity"])
        for target in targets:
            counted.one_of(f"targets of {each.name}", target)


def _firewall_policy(counted: Counted, each: CloudObject) -> None:
    body = each.body.get("FirewallPolicy", each.body)
    for reference in body["StatefulRuleGroupReferences"]:
        counted.between("priority of a group", 1, reference["Priority"], 65_535)
        counted.one_of("priorities of groups", reference["Priority"])


def _gcp_rule(counted: Counted, each: CloudObject) -> None:
    body, match = each.body, each.body["match"]
    counted.between("priority", 0, body["priority"], 2_147_483_547)
    counted.at_most("name of a rule", len(body["ruleName"]), 63)
    counted.at_most("FQDNs", len(match.get("destFqdns", ())), 100)
    counted.at_most("ranges", len(match.get("destIpRanges", ())), 5_000)
    counted.at_most("address groups", len(match.get("destAddressGroups", ())), 10)
    counted.at_most("secure tags", len(body.get("targetSecureTags", ())), 256)
    counted.one_of("priorities of rules", body["priority"])
    counted.one_of("names of rules", body["ruleName"])
    for name in match.get("destFqdns", ()):
        counted.one_of(f"FQDNs of {each.name}", name)


def _address_group(counted: Counted, each: CloudObject) -> None:
    body = each.body
    counted.at_most("name", len(body["name"].rpartition("/")[2]), 63)
    counted.between("capacity of an address group", 1, body["capacity"], 1_000)
    counted.between("items of an address group", 1, len(body["items"]), body["capacity"])
    for item in body["items"]:
        counted.one_of(f"items of {each.name}", item)
        family = "IPV6" if ":" in item else "IPV4"
        counted.at_most("items of the other family", int(family != body["type"]), 0)
        counted.between("prefix that is no single address", 0, ip_network(item).num_addresses - 1, 0)


def _security_profile(counted: Counted, each: CloudObject) -> None:
    counted.at_most("name", len(each.body["name"].rpartition("/")[2]), 63)
    counted.at_most("description", len(each.body["description"]), 512)
    filters = each.body["urlFilteringProfile"]["urlFilters"]
    counted.between("filters that allow", 1, sum(one["filteringAction"] == "ALLOW" for one in filters), 2)
    for one in filters:
        counted.between("priority of a filter", 0, one["priority"], 2_147_483_646)
        counted.one_of(f"priorities of {each.name}", one["priority"])
        for url in one["urls"]:
            counted.at_most("characters of a matcher string", len(url), 255)
            counted.one_of(f"matcher strings of {each.name}", url)


def _security_object(counted: Counted, each: CloudObject) -> None:
    counted.at_most("name", len(each.body["name"].rpartition("/")[2]), 63)


def _rule_collection_group(counted: Counted, each: CloudObject) -> None:
    properties = each.body["properties"]
    counted.at_most("bytes of a group", len(json.dumps(each.body).encode()), 2_000_000)
    counted.between("priority of a group", 100, properties["priority"], 65_000)
    counted.one_of("priorities of groups", properties["priority"])
    for collection in properties["ruleCollections"]:
        counted.between("priority of a collection", 100, collection["priority"], 65_000)
        counted.one_of(f"priorities of collections of {each.name}", collection["priority"])
        counted.one_of(f"names of collections of {each.name}", collection["name"])
        for rule in collection["rules"]:
            counted.one_of(f"names of rules of {each.name}/{collection['name']}", rule["name"])
            for protocol in rule.get("protocols", ()):
                counted.between("port of an application rule", 1, protocol["port"], 64_000)
            for name in (*rule.get("targetFqdns", ()), *rule.get("destinationFqdns", ())):
                counted.one_of(f"names in {each.name}/{collection['name']}/{rule['name']}", name)


def _ip_group(counted: Counted, each: CloudObject) -> None:
    addresses = each.body["properties"]["ipAddresses"]
    counted.between("addresses of an IP group", 1, len(addresses), 5_000)
    counted.at_most("name", len(each.body["name"]), 80)
    counted.one_of("names of IP groups", each.body["name"])
    for one in addresses:
        counted.one_of(f"addresses of {each.name}", one)
        counted.between("addresses that are no single IPv4 address", 1, ip_network(one).num_addresses, 1)
        counted.between("version", 4, ip_network(one).version, 4)


def _domain_list(counted: Counted, each: CloudObject) -> None:
    domains = each.body["Domains"]
    counted.at_most("domains of a list", len(domains), 1_000)
    counted.at_most("name", len(each.body["Name"]), 64 - len("-1234567"))
    for domain in domains:
        counted.at_most("characters of a domain", len(domain), 255)
        counted.one_of(f"domains of {each.name}", domain)


def _query_rule(counted: Counted, each: CloudObject) -> None:
    counted.at_most("name", len(each.body["Name"]), 64 - len("-1234567"))
    counted.between("priority of a rule", 1, each.body["Priority"], 9_999)
    counted.one_of("priorities of rules of a group", each.body["Priority"])
    counted.one_of("lists of rules of a group", each.body["FirewallDomainListId"])


def _group_association(counted: Counted, each: CloudObject) -> None:
    counted.at_most("name", len(each.body["Name"]), 64 - len("-1234567"))
    counted.between("priority of an association", 100, each.body["Priority"], 9_900)


def _url_list(counted: Counted, each: CloudObject) -> None:
    counted.at_most("entries of a URL list", len(each.body["values"]), 2_500)
    counted.at_most("name of a URL list", len(each.body["name"].rpartition("/")[2]), 63)
    for value in each.body["values"]:
        counted.one_of(f"entries of {each.name}", value)


def _proxy_rule(counted: Counted, each: CloudObject) -> None:
    counted.between("priority", 0, each.body["priority"], 2_147_483_647)
    counted.at_most("characters of a matcher", len(each.body["sessionMatcher"]), 2_048)
    counted.at_most("name of a rule", len(each.name), 63 - len("-1234567"))
    counted.one_of("priorities of rules", each.body["priority"])
    counted.one_of("names of rules", each.body["name"])


def _lines(counted: Counted, each: CloudObject) -> None:
    for line in each.body["lines"]:
        counted.one_of(f"lines of {each.name}", " ".join(line))
        counted.at_most("characters of a line", len(" ".join(line)), 2_048)
        if line[0] == "acl":
            counted.at_most("characters of the name of an acl", len(line[1]), 63)


def _prefix_list(counted: Counted, each: CloudObject) -> None:
    body = each.body
    counted.at_most("entries of a prefix list", len(body["Entries"]), body["MaxEntries"])
    counted.between("maximum of a prefix list", 1, body["MaxEntries"], 1_000)
    counted.at_most("name", len(body["PrefixListName"]), 255 - len("-1234567"))
    for one in body["Entries"]:
        counted.one_of(f"entries of {each.name}", one["Cidr"])
        counted.at_most("characters of a description", len(one["Description"]), 255)
        counted.between(
            "families that a list does not hold", 0, (":" in one["Cidr"]) != (body["AddressFamily"] == "IPv6"), 0
        )


def _egress_rule(counted: Counted, each: CloudObject) -> None:
    counted.one_of("egress rules", [each.body[key] for key in ("GroupId", "IpProtocol", "FromPort", "PrefixListId")])
    counted.between("port", 1, each.body["FromPort"], 65_535)
    counted.at_most("characters of a description", len(each.body["Description"]), 255)


def _acl_entry(counted: Counted, each: CloudObject) -> None:
    body = each.body
    way = "egress" if body["Egress"] else "ingress"
    family = "CidrBlock" if "CidrBlock" in body else "Ipv6CidrBlock"
    counted.one_of(f"numbers of {body['NetworkAclId']}, {way}", body["RuleNumber"])
    counted.between("number of an entry", 1, body["RuleNumber"], 32_766)
    counted.between("port", 0, body["PortRange"]["From"], body["PortRange"]["To"])
    counted.between("prefix that is no single address", 0, ip_network(body[family]).num_addresses - 1, 0)


def _nothing(counted: Counted, each: CloudObject) -> None:
    """Kinds without a number that has a limit."""


_COUNTERS = {
    "file.squid.conf": _lines,
    "file.pac": _nothing,
    "file.nft": _nothing,
    "file.vpn": _nothing,
    "file.domains.txt": _nothing,
    "file.cilium.yaml": _nothing,
    "file.csv": _nothing,
    "file.json": _nothing,
    "file.auto.tfvars.json": _nothing,
    "AWS::NetworkFirewall::RuleGroup": _rule_group,
    "AWS::NetworkFirewall::FirewallPolicy": _firewall_policy,
    "AWS::NetworkFirewall::FirewallPolicy.StatefulRuleGroupReferences": _firewall_policy,
    "AWS::Route53Resolver::FirewallDomainList": _domain_list,
    "AWS::Route53Resolver::FirewallRuleGroup": _nothing,
    "AWS::Route53Resolver::FirewallRuleGroup.FirewallRule": _query_rule,
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": _group_association,
    "AWS::Route53Resolver::FirewallConfig": _nothing,
    "AWS::EC2::PrefixList": _prefix_list,
    "AWS::EC2::SecurityGroupEgress": _egress_rule,
    "AWS::EC2::NetworkAclEntry": _acl_entry,
    "compute#firewallPolicyRule": _gcp_rule,
    "compute#firewallPolicy": _nothing,
    "compute#firewallPolicyAssociation": _nothing,
    "networksecurity.googleapis.com/AddressGroup": _address_group,
    "networksecurity.googleapis.com/SecurityProfile": _security_profile,
    "networksecurity.googleapis.com/SecurityProfileGroup": _security_object,
    "networksecurity.googleapis.com/FirewallEndpoint": _security_object,
    "networksecurity.googleapis.com/FirewallEndpointAssociation": _security_object,
    "networksecurity#urlList": _url_list,
    "networksecurity#gatewaySecurityPolicy": _nothing,
    "networksecurity#gatewaySecurityPolicyRule": _proxy_rule,
    "Microsoft.Network/firewallPolicies": _nothing,
    "Microsoft.Network/ipGroups": _ip_group,
    "Microsoft.Network/firewallPolicies/ruleCollectionGroups": _rule_collection_group,
}
