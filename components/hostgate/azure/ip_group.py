"""azure:ip-group: IP groups with the addresses of a pool, and network rules of a firewall policy that refer to them.

Everything in a group is open at the port of the rule that refers to it: so there is one for each transport and port, and
for the clients of each grant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.azure.firewall_evidence import COSTS, ROUTE
from hostgate.azure.firewall_policy import (
    API_VERSION,
    GROUPS,
    GROUPS_OF_ANY,
    IP_GROUP,
    NETWORK_PRIORITY,
    FirewallPolicyMechanism,
    Rules,
    ip_group_id,
    placed,
)
from hostgate.azure.ip_group_options import IpGroupOptions
from hostgate.azure.network_rules import IPV4_HOST
from hostgate.azure.resources import (
    GROUP_BYTES,
    IP_GROUP_ADDRESSES,
    IP_GROUPS,
    IP_GROUPS_OF_FIREWALL,
    LAST_PRIORITY,
    MOST_IP_GROUPS,
)
from hostgate.catalog.model import Entry
from hostgate.planning.address_pool import DEFAULT_OWNER, OWNER_LABEL, family_of
from hostgate.planning.evidence import Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.grants import shared
from hostgate.planning.kept_lists import lists_of, not_refreshed, refresher_owned
from hostgate.planning.limits import Usage
from hostgate.planning.mechanism import CloudObject, Objection, Rendering, Seat
from hostgate.planning.pooled import (
    NEAREST,
    OTHER_NAMES,
    REFRESHED,
    by_address,
    network_of,
    opened_beside,
    openings,
    unused,
)
from hostgate.planning.targets import is_computed

_READ_ON = "2026-11-23"

_LOCATION = (
    "Of that name it would be replaced, and in another location there is no room beside it. Change `name` in the same update: "
    "the new group is there before the old one goes."
)


class IpGroups(FirewallPolicyMechanism[IpGroupOptions]):
    """A group and a network rule for each transport and port of each grant."""

    target = "azure:ip-group"
    title = "IP groups in network rules"
    options = IpGroupOptions
    suffix = "-addresses"
    limits = (
        IP_GROUP_ADDRESSES, IP_GROUPS_OF_FIREWALL, MOST_IP_GROUPS, GROUP_BYTES, GROUPS, GROUPS_OF_ANY, LAST_PRIORITY,
    )  # fmt: skip
    means = (
        replace(
            by_address(
                "IP groups",
                Evidence("documented", IP_GROUPS, _READ_ON),
                needs=(REFRESHED, ROUTE),
                opens=(OTHER_NAMES,),
                costs=COSTS,
            ),
            families=("ipv4",),
            nearest={**NEAREST, "ipv6": IPV4_HOST},
        ),
    )

    def objections(self, entries: Sequence[Entry], options: IpGroupOptions) -> Mapping[tuple[str, str], Objection]:
        objections = {**options.unfed(entries), **super().objections(entries, options)}
        held = [each for each in entries if each.key not in objections]
        room, key = IP_GROUP_ADDRESSES.max, "an IP group"
        return {**dict(not_refreshed(held, options, room, key)), **objections}

    def allowing(self) -> Sequence[tuple[str, int, Callable[[Sequence[Entry], IpGroupOptions], Rules]]]:
        return (("allow-addresses", NETWORK_PRIORITY, _rules),)

    def around(self, entries: Sequence[Entry], options: IpGroupOptions) -> Sequence[CloudObject]:
        tags = {**options.tags, OWNER_LABEL: DEFAULT_OWNER} if options.refreshed else options.tags
        found = []
        for share, own in shared(entries, options):
            for (_, transport, port), held in sorted(lists_of(own, share).items()):
                name = _name(share, transport, port)
                body: dict[str, Any] = {
                    "type": IP_GROUP,
                    "apiVersion": API_VERSION,
                    "name": name,
                    "properties": {"ipAddresses": [network_of(each.address) for each in held]},
                }
                found.append(CloudObject(kind=IP_GROUP, name=name, body=placed(body, options, tags)))
        return found

    def render(self, entries: Sequence[Entry], options: IpGroupOptions) -> Rendering:
        made = super().render(entries, options)
        listed = [each.body["properties"]["ipAddresses"] for each in made.objects if each.kind == IP_GROUP]
        usage = (
            Usage(IP_GROUP_ADDRESSES, max(map(len, listed), default=0)),
            *(Usage(limit, len(listed)) for limit in (IP_GROUPS_OF_FIREWALL, MOST_IP_GROUPS)),
        )
        found = [*made.findings, *unused(entries, options)]
        return replace(made, findings=tuple(found), usage=(*usage, *made.usage))

    def remarks(self, entries: Sequence[Entry], options: IpGroupOptions) -> list[Finding]:
        found = []
        if opened := openings(entries, options):
            found.append(opened_beside(opened))
        if options.refreshed:
            room = IP_GROUP_ADDRESSES.max
            found += refresher_owned("azure-ip-group", lists_of(entries, options), entries, room, "an IP group")
        left = {
            each for entry in entries for each in options.addresses.get(entry.host, ()) if family_of(each) == "ipv6"
        }
        if left or any("ipv6" in (entry.families or ()) for entry in entries):
            number = (
                f"{len(left)} IPv6 {'address is' if len(left) == 1 else 'addresses are'} in no group. " if left else ""
            )
            said = "Rules of Azure Firewall and IP groups take IPv4; clients need an IPv4 path to the hosts."
            found.append(finding("ipv4-only", f"{number}{said}"))
        return [*found, *super().remarks(entries, options)]

    def seats(self, objects: Sequence[CloudObject], options: IpGroupOptions) -> Sequence[Seat]:
        """Beside those of a policy, the location of each group, which has a name of its own in its resource group."""
        location = options.location
        if location is None or is_computed(location):
            return super().seats(objects, options)
        holder = (location.replace(" ", "").lower(),)
        groups = (each.name for each in objects if each.kind == IP_GROUP)
        return [
            *super().seats(objects, options),
            *(Seat(what=f"the location of IP group {name}", holders=holder, way=_LOCATION) for name in groups),
        ]


def _name(share: IpGroupOptions, transport: str, port: int) -> str:
    """A group has another name with another keeper: addresses that one left are never the other's."""
    return f"{share.prefix}-refresher-{transport}-{port}" if share.refreshed else f"{share.prefix}-{transport}-{port}"


def _rules(entries: Sequence[Entry], options: IpGroupOptions) -> Rules:
    found = []
    for _, transport, port in sorted(lists_of(entries, options)):
        rule = {
            "ruleType": "NetworkRule",
            "name": f"{transport}-{port}",
            "ipProtocols": [transport.upper()],
            **options.sources,
            "destinationIpGroups": [ip_group_id(options, _name(options, transport, port))],
            "destinationPorts": [str(port)],
        }
        found.append((rule, [entry for entry in entries if (entry.transport, entry.port) == (transport, port)]))
    return found


MECHANISM = IpGroups()
