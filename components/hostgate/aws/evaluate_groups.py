"""What security groups do with a flow, as far as their egress rules refer to prefix lists of the snapshot.

A security group allows what any of its rules allows and denies all else; it keeps state, so answers pass (Amazon VPC user
guide, security groups, read 2026-11-23).
"""

from collections.abc import Iterator
from typing import Final

from hostgate.aws.resources import canonical
from hostgate.aws.resources_ec2 import EGRESS_RULE, PREFIX_LIST, RULE_DESTINATIONS, SECURITY_GROUP
from hostgate.flows.address_sets import NO_ADDRESS, AddressSet, listed, range_of, symbol
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box, Place, Stage, Step, either, elsewhere
from hostgate.planning.address_pool import mark
from hostgate.planning.kept_lists import PUSHED

TARGET: Final = "aws:prefix-list"

ASSUMPTIONS: Final = (
    "The security group has no other egress rules, and its members are in no other group: what rules allow adds up.",
)

_PROTOCOLS: Final = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}

_CLOSED = Step(action="block", rule="", why="no rule of the security group allows it")


def places(snapshot: Snapshot) -> list[Place]:
    """Every security group with a rule that refers to a prefix list of the snapshot. Others judge no list of hosts."""
    snapshot = canonical(snapshot)
    rules = list(snapshot.of_types([EGRESS_RULE]))
    found = dict.fromkeys(_group(rule, snapshot) for rule in rules if _list(rule, "prefixListId", snapshot) is not None)
    return [_place(snapshot, group, rules) for group in found]


def plan_place(snapshot: Snapshot, group: str) -> Place:
    """The rules of a plan for the security group, with nothing else there."""
    return _place(snapshot, group, list(snapshot.of_types([EGRESS_RULE])))


def _place(snapshot: Snapshot, group: str, rules: list[Resource]) -> Place:
    steps = [step for rule in rules if _group(rule, snapshot) == group for step in _of_rule(rule, snapshot)]
    made = next((each for each in snapshot.of_types([SECURITY_GROUP]) if group in (each.id, each.urn)), None)
    if made is not None:
        steps += [step for item in made.node.at("egress").items() for step in _inside(made, item)]
        steps += elsewhere(made)
    name = made.name if made is not None and group == made.urn else group
    kept = [
        each for rule in rules if _group(rule, snapshot) == group and (each := _list(rule, "prefixListId", snapshot))
    ]
    assumptions = (*ASSUMPTIONS, PUSHED) if any(map(_pushed, kept)) else ASSUMPTIONS
    return Place(TARGET, name, (Stage("egress rules", tuple(steps), _CLOSED),), assumptions, policy=name, kind="group")


def _pushed(prefix_list: Resource) -> bool:
    """Whether a refresher keeps entries of the list."""
    entries = prefix_list.node.at("entries").items()
    return any(str(each.at("description").value).startswith(mark("")) for each in entries)


def _group(rule: Resource, snapshot: Snapshot) -> str:
    return holder_of(rule, "securityGroupId", "group", snapshot)


def holder_of(rule: Resource, key: str, what: str, snapshot: Snapshot) -> str:
    """What the group or ACL of a rule is known by: its id, or the resource that it is."""
    value = rule.properties.get(key)
    if isinstance(value, str):
        return value
    made = snapshot.referred(rule, key, value)
    return (made[0].id or made[0].urn) if len(made) == 1 else f"a {what} not known yet ({rule.name})"


def _list(rule: Resource, key: str, snapshot: Snapshot) -> Resource | None:
    made = [each for each in snapshot.referred(rule, key, rule.properties.get(key)) if each.type == PREFIX_LIST]
    return made[0] if len(made) == 1 else None


def _of_rule(rule: Resource, snapshot: Snapshot) -> Iterator[Step]:
    node = rule.node
    address = NO_ADDRESS
    for key in RULE_DESTINATIONS:
        at = node.at(key)
        if at.absent:
            continue
        known = _list(rule, key, snapshot) if key == "prefixListId" else None
        address |= entries_of(known) if known is not None else address_of(at, f"{key} of {rule.name}")
    yield from _step(rule.name, rule.urn, node, "ipProtocol", address)


def _inside(group: Resource, item: Node) -> Iterator[Step]:
    """A rule that stands in its security group."""
    address = NO_ADDRESS
    for key in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"):
        if item.at(key).unknown:
            address |= symbol(f"{key} of {group.name}")
        for each in item.at(key).items():
            address |= address_of(each, f"{key} of {group.name}")
    if item.at("self").value:
        address |= symbol(group.id or group.urn)
    yield from _step(group.name, group.urn, item, "protocol", address)


def address_of(node: Node, what: str) -> AddressSet:
    """The addresses of a CIDR; a symbol for what is none."""
    if not isinstance(node.value, str):
        return symbol(what)
    return (range_of(node.value) if "/" in node.value else None) or symbol(node.value)


def entries_of(prefix_list: Resource) -> AddressSet:
    """The addresses in a prefix list; a symbol of its own where nobody can tell."""
    entries, unread = prefix_list.node.at("entries"), f"unknown:{prefix_list.urn}#entries"
    return symbol(unread) if entries.unknown else listed((item.at("cidr").value for item in entries.items()), unread)


def _step(name: str, owner: str, node: Node, key: str, address: AddressSet) -> Iterator[Step]:
    box = box_of(name, node, key, address)
    if isinstance(box, str):
        yield from either(name, box, owner, box=Box(address=address))
        return
    yield Step(
        action="allow", rule=name, why="a rule of the security group allows its address and port", box=box, owner=owner
    )


def box_of(name: str, node: Node, key: str, address: AddressSet) -> Box | str:
    """What a rule is about, with its protocol under `key`; what of it is not known, as a sentence."""
    protocol = node.at(key).value
    low, high = number(node.at("fromPort")), number(node.at("toPort"))
    known = str(protocol).lower()
    every = known in ("-1", "all")
    if protocol is UNKNOWN or (not every and UNKNOWN in (node.at("fromPort").value, node.at("toPort").value)):
        return f"the ports of {name} are not known yet"
    numbered = _PROTOCOLS.get(known) or (int(known) if known.isdigit() else None)
    if not every and numbered is None:
        return f"{known} is no protocol that is known here"
    ports = (
        EVERY_PORT
        if every or numbered not in (6, 17) or low is None
        else Intervals.of([(low, low if high is None else high)])
    )
    return Box(address=address, port=ports, protocols=None if every else frozenset({numbered or 0}))
