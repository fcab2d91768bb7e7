"""aws:prefix-list: managed prefix lists with the addresses of a pool, and egress rules of security groups that refer to them.

A list holds one address family, and everything in it is open at the ports of the rules that refer to it: so there is one
for each family, transport and port. A security group counts the maximum of a list, not its entries.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from hostgate.aws.evaluate_groups import plan_place
from hostgate.aws.prefix_list_options import PrefixListOptions
from hostgate.aws.resources import snapshot_of
from hostgate.aws.resources_ec2 import EGRESS_RULE_KIND, LIST_ENTRIES, PREFIX_LIST_KIND, QUOTAS, READ_ON, TYPES
from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.flows.steps import Place
from hostgate.planning.address_pool import DEFAULT_OWNER, mark
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import finding
from hostgate.planning.kept_lists import lists_of, not_refreshed, refresher_owned
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Mechanism, Objection, Rendering
from hostgate.planning.pooled import (
    OTHER_NAMES,
    REFRESHED,
    Opening,
    by_address,
    network_of,
    opened_beside,
    openings,
    unused,
)

_GROUPS = "Amazon VPC user guide, security groups"

LISTS = Limit("prefix lists of a Region", 100, "lists", QUOTAS, READ_ON, unless="the account's quota was raised")
RULES = Limit(
    "rules of a security group over one address family, a list counted by its maximum", 60, "rules", QUOTAS, READ_ON,
    unless="the account's quota was raised",
)  # fmt: skip
MOST_RULES = Limit("rules of the security groups of a network interface", 1_000, "rules", QUOTAS, READ_ON)

_DESCRIPTION = 255
"""Characters (Amazon EC2 API reference, AddPrefixListEntry, read 2026-11-28)."""

_NOBODY = "sg-unnamed"
"""Stands in a plan for the security groups while none is named."""


class PrefixLists(Mechanism[PrefixListOptions]):
    """A list for each address family, transport and port, and a rule for each list and security group."""

    target = "aws:prefix-list"
    title = "Prefix lists in security groups"
    options = PrefixListOptions
    types = TYPES
    limits = (LIST_ENTRIES, LISTS, RULES, MOST_RULES)
    means = (
        by_address(
            "Prefix lists",
            Evidence("documented", _GROUPS, READ_ON),
            needs=(
                REFRESHED,
                Claim("security groups without another egress rule: each new one allows everything", _GROUPS, READ_ON),
                Claim("clients in no other security group that allows more", _GROUPS, READ_ON),
            ),
            opens=(OTHER_NAMES,),
            costs=(Claim("nothing for security groups and their rules", _GROUPS, READ_ON),),
        ),
    )

    def objections(self, entries: Sequence[Entry], options: PrefixListOptions) -> Mapping[tuple[str, str], Objection]:
        objections = {**options.unfed(entries), **super().objections(entries, options)}
        held = [each for each in entries if each.key not in objections]
        return {**dict(not_refreshed(held, options, options.maximum or LIST_ENTRIES.max, "`maximum`")), **objections}

    def render(self, entries: Sequence[Entry], options: PrefixListOptions) -> Rendering:
        opened = openings(entries, options)
        lists = lists_of(entries, options)
        groups = options.security_groups or [_NOBODY]
        made, rules, counted = [], [], dict.fromkeys(FAMILIES, 0)
        for (family, transport, port), held in sorted(lists.items()):
            label = f"{family}-{transport}-{port}"
            # A list has another name with another keeper: entries that one left would be foreign to the other.
            name = f"{options.stem}-refresher-{label}" if options.refreshed else f"{options.stem}-{label}"
            most = options.maximum or -(-len(held) // options.steps) * options.steps
            if len(held) <= LIST_ENTRIES.max:
                most = min(most, LIST_ENTRIES.max)
            counted[family] += most
            body: dict[str, Any] = {
                "PrefixListName": name,
                "AddressFamily": family.replace("ip", "IP"),
                "MaxEntries": most,
                "Entries": [_entry(each, options) for each in held],
            }
            made.append(CloudObject(kind=PREFIX_LIST_KIND, name=name, body=_tagged(body, options)))
            for group in groups:
                body = {
                    "GroupId": group,
                    "IpProtocol": transport,
                    "FromPort": port,
                    "ToPort": port,
                    "PrefixListId": name,
                    "Description": name,
                }
                named = _rule_name(options, group, label)
                rules.append(CloudObject(kind=EGRESS_RULE_KIND, name=named, body=_tagged(body, options)))
        found = [
            finding("deny-declared", _DENIES),
            finding("from-everything", "Every client in the security groups may use the hosts."),
        ]
        if opened:
            found.append(opened_beside(opened))
        found += unused(entries, options)
        if options.refreshed:
            room = options.maximum or LIST_ENTRIES.max
            found += refresher_owned("aws-prefix-list", lists, entries, room, "`maximum`")
        if not options.security_groups:
            found.append(finding("not-enforced", "No `securityGroups` are named: no rule uses the lists."))
        most = max(counted.values())
        usage = (
            Usage(LIST_ENTRIES, max((len(each) for each in lists.values()), default=0)),
            Usage(LISTS, len(lists)),
            Usage(RULES, most),
            Usage(MOST_RULES, most),
        )
        return Rendering(
            objects=(*made, *rules), rules=self._rules(entries, options, groups[0]), findings=tuple(found), usage=usage
        )

    def _rules(self, entries: Sequence[Entry], options: PrefixListOptions, group: str) -> dict[tuple[str, str], str]:
        """The rule of each entry, for the first family that it has an address of."""
        found = {}
        for entry in entries:
            family: Family = "ipv4" if any(":" not in each for each in options.of(entry)) else "ipv6"
            found[entry.key] = _rule_name(options, group, f"{family}-{entry.transport}-{entry.port}")
        return found

    def rules_of(self, entry: Entry, rule: str, options: PrefixListOptions) -> Iterable[str]:
        labels = [f"{family}-{entry.transport}-{entry.port}" for family in FAMILIES]
        return (rule, *(_rule_name(options, *each) for each in product(options.security_groups, labels)))

    def enforcement(self, options: PrefixListOptions) -> Enforcement:
        places = tuple(f"security group {group}" for group in options.security_groups)
        return replace(super().enforcement(options), places=places, by_itself=True)

    def place(self, objects: Sequence[CloudObject], options: PrefixListOptions) -> Place:
        return plan_place(snapshot_of(objects), (options.security_groups or [_NOBODY])[0])


_DENIES = (
    "A security group denies what none of its rules allows, and its other rules are its owner's. It must have none that "
    "allow more: take out the one that every new group has, which allows everything; and rules of several groups add up."
)


def _rule_name(options: PrefixListOptions, group: str, label: str) -> str:
    return f"{options.stem}-{group.replace('/', '-')}-{label}"


def _entry(each: Opening, options: PrefixListOptions) -> dict[str, str]:
    cidr = network_of(each.address)
    if options.refreshed:
        return {"Cidr": cidr, "Description": mark(DEFAULT_OWNER)}
    told = " ".join(each.hosts)
    if len(told) > _DESCRIPTION:
        told = f"{told[: _DESCRIPTION - 4].rpartition(' ')[0] or told[: _DESCRIPTION - 4]} ..."
    return {"Cidr": cidr, "Description": told}


def _tagged(body: dict[str, Any], options: PrefixListOptions) -> dict[str, Any]:
    if options.tags:
        body["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(options.tags.items())]
    return body


MECHANISM = PrefixLists()
