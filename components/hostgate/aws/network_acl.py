"""aws:network-acl: entries of network ACLs for the addresses of a pool, out to the port and back to the clients' ports.

An ACL keeps no state and takes no prefix list: each address needs an entry for what is sent to it at the port and one for
what it answers to any port of a client (Amazon VPC user guide, network ACLs, read 2026-11-23).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from typing import Any

from hostgate.aws.evaluate_acls import plan_place
from hostgate.aws.network_acl_options import SPAN, NetworkAclOptions
from hostgate.aws.resources import snapshot_of
from hostgate.aws.resources_ec2 import ACL_ENTRY_KIND, ACLS, EPHEMERAL, MOST_ACL_ENTRIES, QUOTAS, READ_ON, TYPES
from hostgate.catalog.model import Entry, Family
from hostgate.flows.flow import IP_PROTOCOLS
from hostgate.flows.steps import Place
from hostgate.planning.address_pool import family_of
from hostgate.planning.enforcement import Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Mechanism, Objection, Rendering, Seat
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

ENTRIES = Limit(
    "entries of a network ACL in one direction over one address family, with the last that denies", 20, "entries", QUOTAS,
    READ_ON, unless="the account's quota was raised",
)  # fmt: skip

_TURNS = 6
"""Parts of the range, each half as wide as the one before. Whoever is contested in each gets what is left at the end."""

_NOBODY = "acl-unnamed"
"""Stands in a plan for the ACLs while none is named."""


_ROOM = MOST_ACL_ENTRIES.max - 1
_NUMBER = "Take the entry that has it out in an update of its own, or give another `base`."
_MAKE_ROOM = "An update makes what comes before it deletes what goes: take that out in an update of its own, before."


class NetworkAcls(Mechanism[NetworkAclOptions]):
    """An entry out for each address, transport and port, and one back for each address and transport, in each ACL."""

    target = "aws:network-acl"
    title = "Network ACLs"
    options = NetworkAclOptions
    types = TYPES
    limits = (ENTRIES, MOST_ACL_ENTRIES)
    means = (
        by_address(
            "ACL entries",
            Evidence("documented", ACLS, READ_ON),
            needs=(
                REFRESHED,
                Claim("no other entry of the ACL that allows more: the default one allows everything", ACLS, READ_ON),
                Claim(
                    "entries of your own, both ways, for all else that the subnets need, and for what calls them",
                    ACLS,
                    READ_ON,
                ),
            ),
            opens=(
                OTHER_NAMES,
                Claim(
                    "what the addresses send, from any port of theirs, to ports 1024 to 65535 of the subnets",
                    ACLS,
                    READ_ON,
                ),
            ),
            costs=(Claim("nothing for network ACLs and their entries", ACLS, READ_ON),),
        ),
    )

    def objections(self, entries: Sequence[Entry], options: NetworkAclOptions) -> Mapping[tuple[str, str], Objection]:
        return {**options.unfed(entries), **super().objections(entries, options)}

    def render(self, entries: Sequence[Entry], options: NetworkAclOptions) -> Rendering:
        opened = openings(entries, options)
        wanted = list(_wanted(opened))
        most = max((sum(each.counts(*one) for each in wanted) for one in _COUNTED), default=0) + 1
        usage = (Usage(ENTRIES, most), Usage(MOST_ACL_ENTRIES, most))
        if usage[1].exceeded:
            return Rendering(objects=(), rules={}, usage=usage)
        acls = options.network_acls or [_NOBODY]
        ways = ([each.identity for each in wanted if (each.port is None) == back] for back in (False, True))
        numbers = {key: number for way in ways for key, number in _numbers(way, options.base).items()}
        objects = [
            CloudObject(
                kind=ACL_ENTRY_KIND, name=_name(options, acl, each), body=each.body(acl, numbers[each.identity])
            )
            for acl in acls
            for each in wanted
        ]
        found = [
            finding("deny-declared", _DENIES),
            finding("from-everything", "Every client in the subnets of the network ACLs may use the hosts."),
            opened_beside(opened),
            finding("opens-inbound", _inbound(opened)),
            *unused(entries, options),
        ]
        if not options.network_acls:
            found.append(finding("not-enforced", "No `networkAcls` are named: no entry stands anywhere."))
        names = {
            entry.key: _name(options, acls[0], _Wanted(options.of(entry)[0], entry.transport, entry.port))
            for entry in entries
        }
        return Rendering(objects=tuple(objects), rules=names, findings=tuple(found), usage=usage)

    def rules_of(self, entry: Entry, rule: str, options: NetworkAclOptions) -> Iterable[str]:
        ways = [_Wanted(each, entry.transport, entry.port) for each in options.of(entry)]
        return (rule, *(_name(options, *each) for each in product(options.network_acls, ways)))

    def seats(self, objects: Sequence[CloudObject], options: NetworkAclOptions) -> Sequence[Seat]:  # noqa: ARG002
        """A number of an ACL and direction, of which it has one entry, and room in it: an update makes an entry before it
        deletes one."""
        found = []
        for each in objects:
            way = f"{each.body['NetworkAclId']}, {'egress' if each.body['Egress'] else 'ingress'}"
            number = f"rule number {each.body['RuleNumber']} of {way}"
            family = "IPv4" if "CidrBlock" in each.body else "IPv6"
            held = f"one of the {_ROOM} entries over {family} that there is room for in {way}"
            found.append(Seat(what=number, holders=(each.name,), way=_NUMBER))
            found.append(Seat(what=held, holders=(each.name,), way=_MAKE_ROOM, room=_ROOM))
        return found

    def enforcement(self, options: NetworkAclOptions) -> Enforcement:
        places = tuple(f"network ACL {acl}" for acl in options.network_acls)
        return replace(super().enforcement(options), places=places, by_itself=True)

    def place(self, objects: Sequence[CloudObject], options: NetworkAclOptions) -> Place:
        return plan_place(snapshot_of(objects), (options.network_acls or [_NOBODY])[0])


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An entry: out to `address` at `port`, or where that is None what comes back from it."""

    address: str
    transport: str
    port: int | None = None

    @property
    def identity(self) -> str:
        way = "in" if self.port is None else "out"
        return "-".join((way, self.transport, *([] if self.port is None else [str(self.port)]), self.address))

    def counts(self, out: bool, family: Family) -> bool:
        return (self.port is not None) == out and family_of(self.address) == family

    def body(self, acl: str, number: int) -> dict[str, Any]:
        low, high = EPHEMERAL if self.port is None else (self.port, self.port)
        return {
            "NetworkAclId": acl,
            "RuleNumber": number,
            "Egress": self.port is not None,
            "Protocol": str(IP_PROTOCOLS[self.transport]),
            "RuleAction": "allow",
            "Ipv6CidrBlock" if ":" in self.address else "CidrBlock": network_of(self.address),
            "PortRange": {"From": low, "To": high},
        }


_COUNTED: tuple[tuple[bool, Family], ...] = ((True, "ipv4"), (True, "ipv6"), (False, "ipv4"), (False, "ipv6"))


def _wanted(opened: Iterable[Opening]) -> Iterator[_Wanted]:
    """What goes out, then what comes back: one entry for all ports of an address."""
    opened = list(opened)
    yield from (_Wanted(each.address, each.transport, each.port) for each in opened)
    yield from dict.fromkeys(_Wanted(each.address, each.transport) for each in opened)


def _numbers(identities: Iterable[str], base: int) -> dict[str, int]:
    """A rule number for each, which does not move when others come or go: a hash.

    Of several with one number all take another, from the next part of the range, and nobody the contested one. So whoever
    comes or goes alone gives nobody a number that another still has, while an update makes entries before it deletes.
    """
    found: dict[str, int] = {}
    left = sorted(identities)
    for turn in range(_TURNS):
        start, width = SPAN - (SPAN >> turn), SPAN >> turn + 1
        at: dict[int, list[str]] = {}
        for each in left:
            digits = sha256(f"{turn}\n{each}".encode()).digest()[:8]
            at.setdefault(base + start + int.from_bytes(digits, "big") % width, []).append(each)
        found |= {each[0]: number for number, each in at.items() if len(each) == 1}
        left = [each for each in left if each not in found]
    return found | {each: base + SPAN - 1 - place for place, each in enumerate(left)}


def _name(options: NetworkAclOptions, acl: str, each: _Wanted) -> str:
    return f"{options.stem}-{acl.replace('/', '-')}-{each.identity.replace(':', '-')}"


_DENIES = (
    "A network ACL denies what none of its entries allows, and its other entries are its owner's. It must have none that "
    "allow more: a default ACL allows everything in and out at number 100, and 101 for IPv6, wherever our numbers are."
)


def _inbound(opened: Sequence[Opening]) -> str:
    count = len({each.address for each in opened})
    low, high = EPHEMERAL
    return (
        f"Whatever has {'the address' if count == 1 else f'one of the {count} addresses'} may send to every port {low} to {high} "
        "of every host in the subnets, from any port of its own, and complete connections from a port that is open to it: a "
        "network ACL keeps no state and cannot tell an answer from a call. Only security groups and the way in (a NAT gateway, "
        "no public addresses) stop that."
    )


MECHANISM = NetworkAcls()
