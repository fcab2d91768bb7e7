"""gcp:address-group: firewall policy rules whose destinations are address groups with the addresses of a pool.

A group holds one address family, and everything in it is open at the ports of its rule: so there is one for each family,
transport and port. A rule whose group does not exist loses that condition without a word and matches every destination
(Cloud NGFW, address groups for firewall policies). So a group is made before its rule names it and goes after, and what
cannot change in a group is in its name, or else makes a new one beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.catalog.model import FAMILIES, Entry
from hostgate.flows.steps import Place
from hostgate.gcp.address_group_options import AddressGroupOptions
from hostgate.gcp.firewall_policy import (
    BLOCK,
    RULE,
    SMALL_BLOCK,
    Allows,
    FirewallPolicyMechanism,
    block,
    rule,
    slot,
)
from hostgate.gcp.resources_groups import ADDRESS_GROUP_TYPE, GROUPS, GROUPS_OF_RULE, ITEMS, READ_ON
from hostgate.planning.address_pool import DEFAULT_OWNER, OWNER_LABEL
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding
from hostgate.planning.grants import shared
from hostgate.planning.kept_lists import PUSHED, lists_of, not_refreshed, refresher_owned
from hostgate.planning.limits import Usage
from hostgate.planning.mechanism import CloudObject, Objection, Rendering
from hostgate.planning.pooled import OTHER_NAMES, REFRESHED, by_address, network_of, opened_beside, openings, unused

GROUP = ADDRESS_GROUP_TYPE.kind


class AddressGroups(FirewallPolicyMechanism[AddressGroupOptions]):
    """A group for each address family, transport and port, and a rule for each group."""

    target = "gcp:address-group"
    title = "Cloud NGFW address groups"
    options = AddressGroupOptions
    limits = (ITEMS, GROUPS_OF_RULE, BLOCK, SMALL_BLOCK)
    means = (
        by_address(
            "Address groups",
            Evidence("documented", GROUPS, READ_ON),
            needs=(
                REFRESHED,
                Claim(
                    "no VPC firewall rule that allows egress, or network policies that are judged before VPC rules",
                    "Cloud NGFW, firewall policy rule evaluation order",
                    "2026-11-23",
                ),
            ),
            opens=(OTHER_NAMES,),
            costs=(Claim("nothing for address groups, which Cloud NGFW Essentials has", GROUPS, "2026-11-23"),),
        ),
    )

    def objections(self, entries: Sequence[Entry], options: AddressGroupOptions) -> Mapping[tuple[str, str], Objection]:
        objections = {**options.unfed(entries), **super().objections(entries, options)}
        held = [each for each in entries if each.key not in objections]
        return {**dict(not_refreshed(held, options, options.capacity or ITEMS.max, "`capacity`")), **objections}

    def render(self, entries: Sequence[Entry], options: AddressGroupOptions) -> Rendering:
        made = super().render(entries, options)
        opened = [each for share, own in shared(entries, options) for each in openings(own, share)]
        found: list[Finding] = [opened_beside(opened)] if opened else []
        found += unused(entries, options)
        return replace(made, findings=(*made.findings, *found))

    def allows(self, entries: Sequence[Entry], options: AddressGroupOptions) -> Allows:
        lists = lists_of(entries, options)
        objects: list[CloudObject] = []
        usage = [Usage(ITEMS, 0), Usage(GROUPS_OF_RULE, 1 if lists else 0), Usage(BLOCK, 0), Usage(SMALL_BLOCK, 0)]
        for (family, transport, port), held in sorted(lists.items()):
            capacity = options.capacity or -(-len(held) // options.steps) * options.steps
            if len(held) <= ITEMS.max:
                capacity = min(capacity, ITEMS.max)
            # With another keeper or another capacity it is another group: the first cannot say so, and the second not change.
            keeper = "refresher-" if options.refreshed else ""
            name = f"{options.prefix}-{keeper}{family}-{transport}-{port}-{capacity}"
            path = f"{options.parent_of_groups}/locations/{options.location}/addressGroups/{name}"
            body: dict[str, Any] = {
                "name": path,
                "description": "hostgate: hosts of the catalog",
                "type": family.upper(),
                "capacity": capacity,
                "items": [network_of(each.address) for each in held],
            }
            if labels := labels_of(options, options.tags):
                body["labels"] = labels
            objects.append(CloudObject(kind=GROUP, name=name, body=body, folder="policy"))
            match: dict[str, Any] = {"destAddressGroups": [path]}
            if sources := options.source_ranges(family):  # of a rule they are of one family, that of its group
                match["srcIpRanges"] = sources
            match["layer4Configs"] = [{"ipProtocol": transport, "ports": [str(port)]}]
            named = f"{options.prefix}-allow-{family}-{transport}-{port}"
            place = FAMILIES.index(family)
            priority = options.base + slot(transport, port) + place
            made = rule(options, named, priority, "allow", "hostgate: hosts of the catalog", match)
            objects.append(CloudObject(kind=RULE, name=named, body=made))
            usage += [Usage(ITEMS, len(held)), Usage(block(transport, port), place + 1)]
        remarks: list[Finding] = []
        if options.refreshed and lists:
            room = options.capacity or ITEMS.max
            remarks = refresher_owned("gcp-address-group", lists, entries, room, "`capacity`")
        return Allows(
            objects=tuple(objects), rules=_rules(entries, options), findings=tuple(remarks), usage=tuple(usage)
        )

    def rules_of(self, entry: Entry, rule: str, options: AddressGroupOptions) -> Iterable[str]:  # noqa: ARG002
        stem, tail = rule.rsplit("-allow-", 1)[0], f"{entry.transport}-{entry.port}"
        return [f"{stem}-allow-{family}-{tail}" for family in FAMILIES]

    def fixed(
        self, each: CloudObject, objects: Sequence[CloudObject], options: AddressGroupOptions
    ) -> Mapping[str, Any]:
        found = super().fixed(each, objects, options)
        if each.kind != GROUP:
            return found
        return {**found, "name": each.name, "location": options.location, "parent": options.parent_of_groups}

    def beside_rules(self, place: Place, objects: Sequence[CloudObject], options: AddressGroupOptions) -> Place:
        kept = options.refreshed and any(each.kind == GROUP for each in objects)
        return replace(place, assumptions=(*place.assumptions, PUSHED)) if kept else place


def labels_of(options: AddressGroupOptions, tags: Mapping[str, Any] | None) -> dict[str, Any]:
    """The labels of each group: `tags`, and where a push keeps it, that it does: the push refuses a group without."""
    return dict(sorted((tags or {}).items())) | ({OWNER_LABEL: DEFAULT_OWNER} if options.refreshed else {})


def _rules(entries: Sequence[Entry], options: AddressGroupOptions) -> dict[tuple[str, str], str]:
    """The rule of each entry, for the first family that it has an address of."""
    found = {}
    for entry in entries:
        family = "ipv4" if any(":" not in each for each in options.of(entry)) else "ipv6"
        found[entry.key] = f"{options.prefix}-allow-{family}-{entry.transport}-{entry.port}"
    return found


MECHANISM = AddressGroups()
