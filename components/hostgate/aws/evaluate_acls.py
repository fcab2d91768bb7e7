"""What network ACLs do with a flow: ingress entries with what comes back, and egress entries with what the client sends.

An ACL keeps no state. Entries go by their number, the first that holds decides, and the last denies (Amazon VPC user guide,
network ACLs, read 2026-11-23). Without a way back there is no connection of TCP. A datagram leaves all the same, and only
its answer does not come: it is open where nobody needs it, and closed to who needs an answer. The way back is asked first,
so that what lets a flow out is the entry that is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import Final

from hostgate.aws.evaluate_groups import RESERVED, UNFILTERED, address_of, box_of, doubted, holder_of
from hostgate.aws.members import default_acl, of_acls
from hostgate.aws.resources import canonical, may_be_of
from hostgate.aws.resources_ec2 import ACL_ENTRY, ACL_RANGES, ACLS_WITH_ENTRIES, DEFAULT_ACL, EPHEMERAL
from hostgate.flows.address_sets import NO_ADDRESS
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals
from hostgate.flows.members import Member, Members
from hostgate.flows.nodes import Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Action, Box, Place, Stage, Step, either, elsewhere, whether
from hostgate.planning.allowlists_at import named_by_allowlists

TARGET: Final = "aws:network-acl"

ASSUMPTIONS: Final = (
    "The network ACL has no other entries, and every subnet of the clients has it.",
    f"Clients send from ports {EPHEMERAL[0]} to {EPHEMERAL[1]}, to which the answers go.",
    RESERVED,
)

_CLIENT_PORTS: Final = Intervals.of([EPHEMERAL])
_CLOSED: Final = Step(action="block", rule="", why="no egress entry of the network ACL allows it")
_UNANSWERED: Final = Step(action="block", rule="", why="no ingress entry of the network ACL lets the answers in")


def places(snapshot: Snapshot) -> list[Place]:
    """Every ACL with an egress entry for a single address, or that an allowlist names. Others judge no list of hosts."""
    snapshot = canonical(snapshot)
    rules = list(snapshot.of_types([ACL_ENTRY]))
    named = named_by_allowlists(snapshot, "aws", "networkAcls")
    subnets = of_acls(snapshot)
    return [
        replace(_with_subnets(_place(snapshot, acl, rules), acl, subnets), judging=named.get(acl, frozenset()))
        for acl in _judged(snapshot, rules, named)
    ]


def _judged(snapshot: Snapshot, rules: Sequence[Resource], named: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys((*(_acl(each, snapshot) for each in rules if _judges(each)), *named))


def _with_subnets(place: Place, acl: str, subnets: Iterable[Member]) -> Place:
    """The place, whose assumptions name the subnets that are known to have it."""
    names = ", ".join(sorted(each.name for each in subnets if each.under == {acl}))
    said = f"{ASSUMPTIONS[0]} Of what was read, these have it: {names}."
    return replace(place, assumptions=(said, *place.assumptions[1:])) if names else place


def members(snapshot: Snapshot) -> Members:
    """The subnets, and what judges them by their ACL."""
    snapshot = canonical(snapshot)
    rules = list(snapshot.of_types([ACL_ENTRY]))
    judged = _judged(snapshot, rules, named_by_allowlists(snapshot, "aws", "networkAcls"))
    read = {each for made in snapshot.of_types(ACLS_WITH_ENTRIES) for each in (made.id, made.urn)}
    read |= judged.keys() | {_acl(each, snapshot) for each in rules}

    def place(acls: frozenset[str]) -> Place:
        (name,) = acls
        found = _place(snapshot, name, rules)
        if name in read:
            return found
        step = whether("allow", f"an entry of {name}", "which network ACL it has is not in what was read")
        return replace(found, stages=(UNFILTERED, Stage("entries", (step,), _CLOSED)))

    def left(member: Member) -> frozenset[str] | None:
        return None if member.stands else default_acl(member.scope, snapshot)

    return Members("subnet", of_acls(snapshot), frozenset(judged), place, left, read)


def plan_place(snapshot: Snapshot, acl: str) -> Place:
    """The entries of a plan in the ACL, with nothing else there."""
    return _place(snapshot, acl, list(snapshot.of_types([ACL_ENTRY])))


def one_address(entry: Resource) -> bool:
    """Whether an entry is about a single address."""
    ranges = [entry.properties.get(key) for key in ACL_RANGES]
    try:
        return any(
            ip_network(each, strict=False).num_addresses == 1 for each in ranges if isinstance(each, str) and each
        )
    except ValueError:
        return False


def _judges(entry: Resource) -> bool:
    told = entry.properties
    return one_address(entry) and told.get("egress") is True and told.get("ruleAction") == "allow"


def _acl(rule: Resource, snapshot: Snapshot) -> str:
    return holder_of(rule, "networkAclId", "network ACL", snapshot)


def _place(snapshot: Snapshot, acl: str, rules: Sequence[Resource]) -> Place:
    found: list[tuple[object, Resource, Node, str]] = []
    adopted = [each for each in snapshot.of_types([DEFAULT_ACL]) if acl in (each.id, each.urn)]
    for each in rules:
        mine = _acl(each, snapshot) == acl
        if mine or may_be_of(acl, each, "networkAclId", ACLS_WITH_ENTRIES, snapshot):
            removed = (f"{one.name} has not removed {each.name}" for one in adopted if not _lists(one, each))
            doubt = (
                next(removed, "") if mine else f"{each.name} is an entry of this network ACL, which is not known yet"
            )
            found.append((each.node.at("egress").value, each, each.node, doubt))
    name, stands = acl, False
    beside: tuple[Step, ...] = ()
    for made in snapshot.of_types(ACLS_WITH_ENTRIES):
        here = acl in (made.id, made.urn)
        adopts = made.type == DEFAULT_ACL and not made.id
        if not here and not (adopts and may_be_of(acl, made, "defaultNetworkAclId", ACLS_WITH_ENTRIES, snapshot)):
            continue
        doubt = "" if here else f"{made.name} adopts this network ACL, which is not known yet"
        if here:
            name, stands = (made.name if acl == made.urn else acl), True
            beside += elsewhere(made)
        for key, out in (("egress", True), ("ingress", False)):
            if made.node.at(key).unknown:
                beside += either(f"{key} of {made.name}", "its entries are not known yet", made.urn)
            found += [(out, made, item, doubt) for item in made.node.at(key).items()]
    stages = [UNFILTERED]
    for out, title, closed in ((False, "ingress entries", _UNANSWERED), (True, "egress entries", _CLOSED)):
        ordered: list[tuple[int, tuple[Step, ...]]] = []
        loose = [tuple(_onward(beside, out=out))] if beside else []
        for way, held, node, doubt in found:
            if bool(way) is not out and isinstance(way, bool | None):
                continue
            does = _steps(held.name, held.urn, node, out=out)
            steps = tuple(doubted(each, doubt) if doubt else each for each in does)
            place = number(node.at("ruleNumber")) or number(node.at("ruleNo"))
            if place is None:
                loose.append(steps)
            else:
                ordered.append((place, steps))
        ordered.sort(key=lambda each: each[0])
        steps = tuple(step for _, each in ordered for step in each)
        stages.append(
            Stage(title, steps, closed, unordered=tuple(loose), of_answers=NO_NUMBER if out else _CLIENT_PORTS)
        )
    return Place(TARGET, name, tuple(stages), ASSUMPTIONS, policy=name, kind="network ACL", elsewhere=not stands)


def _lists(adopting: Resource, entry: Resource) -> bool:
    """Whether a resource that adopts an ACL has an entry that stands apart, too, by its number and direction. When it is made it
    removes every other one; later what a refresh has read and it does not list, for its entries are not computed
    (terraform-provider-aws, vpc_default_network_acl.go, read 2026-11-29)."""
    its_number, way = number(entry.node.at("ruleNumber")), entry.node.at("egress").value
    return any(
        adopting.node.at(key).unknown or any(number(item.at("ruleNo")) == its_number for item in adopting.node.at(key).items())
        for key in (["egress"] if way is True else ["ingress"] if way is False else ["egress", "ingress"])
    )  # fmt: skip


def _steps(rule: str, owner: str, node: Node, *, out: bool) -> Iterator[Step]:
    """What an entry does; of an ingress entry, to the answer: it is from the address, and to some port of the client."""
    address = NO_ADDRESS
    for key in ACL_RANGES:
        if node.at(key).value not in (None, ""):
            address |= address_of(node.at(key), f"{key} of {rule}")
    box = box_of(rule, node, "protocol", address)
    action = node.at("ruleAction").value or node.at("action").value
    if isinstance(box, str) or action not in ("allow", "deny") or not isinstance(node.at("egress").value, bool | None):
        told = box if isinstance(box, str) else f"the action or direction of {rule} is not known yet"
        yield from _onward(either(rule, told, owner, box=Box(address=address)), out=out)
        return
    if not out:
        reached = box.port.holds(_CLIENT_PORTS)
        if reached is False:
            return
        doubts = tuple(each.replace("its ICMP", "its answer's ICMP", 1) for each in box.doubts)
        box = replace(box, port=EVERY_PORT, client_ports=EVERY_PORT if reached else box.port, doubts=doubts)
    way = "its address and port" if out else "the answers of its address"
    does: Action = "allow" if action == "allow" else "block"
    why = f"an entry of the network ACL {'allows' if action == 'allow' else 'denies'} {way}"
    yield from _onward([Step(action=does, rule=rule, why=why, box=box, owner=owner)], out=out)


def _onward(steps: Iterable[Step], *, out: bool) -> Iterator[Step]:
    """Whether an answer may come is asked before whether there is anything to answer."""
    for step in steps:
        yield step if out or step.action == "block" else replace(step, action="next")
