"""What security groups do with a flow, as far as their egress rules refer to prefix lists of the snapshot.

A security group allows what any of its rules allows and denies all else; it keeps state, so answers pass (Amazon VPC user
guide, security groups, read 2026-11-23).
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Final

from hostgate.aws.members import NOT_KNOWN, in_groups
from hostgate.aws.resources import PERHAPS, TOLD, canonical, may_be_of
from hostgate.aws.resources_ec2 import (
    EGRESS_RULE,
    GROUPS,
    LEGACY_RULE,
    NATIVE_GROUP,
    PREFIX_LIST,
    PREFIX_LIST_ENTRY,
    RULE_DESTINATIONS,
)
from hostgate.catalog.problems import few
from hostgate.flows.address_sets import AddressSet, networks, range_of, symbol, union
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.members import Member, Members
from hostgate.flows.nodes import Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import EVERY_CLIENT, MEMBER, Box, ClientTest, Place, Stage, Step, either, elsewhere, whether
from hostgate.planning.address_pool import mark
from hostgate.planning.allowlists_at import named_by_allowlists
from hostgate.planning.kept_lists import PUSHED

TARGET: Final = "aws:prefix-list"

_UNFILTERED: Final = networks(["169.254.0.0/16", "fd00:ec2::253", "fd00:ec2::254", "fd00:ec2::123"])
UNFILTERED: Final = Stage(
    "platform",
    (
        Step(
            action="allow",
            rule="platform",
            why="security groups and network ACLs do not filter the resolver, metadata and time of the platform",
            box=Box(address=_UNFILTERED),
        ),
    ),
    Step(action="next", rule="", why="it is none of the platform's addresses"),
    around=True,
)
"""Amazon VPC user guide, internetwork traffic privacy: neither filters link-local addresses, nor what AWS reserves in each
subnet; network ACL basics names the services. Their IPv6 addresses: AWS whitepaper, IPv6 on AWS, supporting Amazon VPC
services (read 2026-11-29)."""
RESERVED: Final = (
    "The first addresses of each subnet, the VPC's resolver among them, are not filtered, and not told here."
)

ASSUMPTIONS: Final = (
    "The security group has no other egress rules, and its members are in no other group: what rules allow adds up.",
    RESERVED,
)

_PROTOCOLS: Final = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
_ICMP: Final = (1, 58)

_NATIVE: Final = f"rules inside a {NATIVE_GROUP} are not read, and one without any is given a rule that allows all"
"""AWS CloudFormation user guide, AWS::EC2::SecurityGroup: EC2 makes a default egress rule, which goes only where some egress
rule is in the template; the provider of Terraform takes it away (read 2026-11-29)."""

_CLOSED = Step(action="block", rule="", why="no rule of the security group allows it")


def places(snapshot: Snapshot) -> list[Place]:
    """Every security group with a rule that refers to a prefix list of the snapshot, or that an allowlist names. Others judge
    no list of hosts."""
    snapshot = canonical(snapshot)
    rules = _rules(snapshot)
    named = named_by_allowlists(snapshot, "aws", "securityGroups")
    found, read = in_groups(snapshot), _read(snapshot, rules, named)
    made = ((group, _place(snapshot, group, rules)) for group in _judged(snapshot, rules, named))
    return [
        replace(_with_others(place, group, found, snapshot, rules, read), judging=named.get(group, frozenset()))
        for group, place in made
    ]


def _judged(snapshot: Snapshot, rules: list[Resource], named: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys((*(_group(rule, snapshot) for rule in rules if _lists(rule, snapshot)), *named))


def members(snapshot: Snapshot) -> Members:
    """What is in security groups, and what judges it by all of them."""
    snapshot = canonical(snapshot)
    rules = _rules(snapshot)
    named = named_by_allowlists(snapshot, "aws", "securityGroups")
    read = _read(snapshot, rules, named)

    def place(groups: frozenset[str]) -> Place:
        first, *others = (_place(snapshot, each, rules) for each in sorted(groups))
        joint = _and(first, [step for each in others for step in each.stages[-1].steps])
        joint = replace(joint, name=" and ".join([first.name, *(each.name for each in others)]))
        return _and(joint, [step for each in sorted(groups) if each not in read for step in _unread(each)])

    def left(member: Member) -> frozenset[str] | None:
        gone = member.stands and not member.keys & snapshot.by_urn.keys()
        return None if gone else frozenset({NOT_KNOWN})

    return Members("member", in_groups(snapshot), frozenset(_judged(snapshot, rules, named)), place, left, read)


def _with_others(
    place: Place, group: str, everybody: Iterable[Member], snapshot: Snapshot, rules: list[Resource], read: Set[str]
) -> Place:
    """The place with what other groups allow to those of its members that are in them, too. Where each allows it to all of
    those, they are the clients; else some client is, and which one matters."""
    mine = [each for each in everybody if group in each.under]
    if not mine:
        return place
    others: dict[str, list[str]] = {}
    for each in mine:
        for other in sorted(each.under - {group}):
            others.setdefault(other, []).append(each.name)
    steps, told = list[Step](), list[str]()
    for other, names in others.items():
        who = f"{few(names)} {'is' if len(names) == 1 else 'are'} also"
        there = _place(snapshot, other, rules)
        told.append(f"{who} in {there.name}")
        of_other = (*there.stages[-1].steps, *(() if other in read else _unread(other)))
        steps += [replace(each, box=replace(each.box, client=_clients(names))) for each in of_other]
    names = [each.name for each in mine]
    known = f"The security group has no other egress rules, and no members but {few(names)}."
    adds_up = f"What rules allow adds up: {'; '.join(told)}." if told else "Those are in no other group."
    place = replace(place, assumptions=(known, adds_up, *place.assumptions[1:]))
    if not others:
        return place
    all_of_them = all(len(each) == len(mine) for each in others.values())
    owners = frozenset(each.owner for each in steps if each.owner)
    return replace(_and(place, steps), clients=_clients(names) if all_of_them else EVERY_CLIENT, beside=owners)


def _clients(members: Iterable[str]) -> ClientTest:
    return ClientTest(identities=frozenset(f"{MEMBER}{each}" for each in members))


def _and(place: Place, steps: Iterable[Step]) -> Place:
    *stages, last = place.stages
    return replace(place, stages=(*stages, replace(last, steps=(*last.steps, *steps))))


def _read(snapshot: Snapshot, rules: list[Resource], named: Iterable[str]) -> Set[str]:
    """The groups of which something was read, or that an allowlist names."""
    made = {name for each in snapshot.of_types(GROUPS) for name in (each.id, each.urn)}
    return made.union(named, (_group(rule, snapshot) for rule in rules))


def _unread(group: str) -> Iterator[Step]:
    """What a group may allow of which nothing was read."""
    yield whether("allow", f"a rule of {group}", f"its client is in {group}, whose rules are not in what was read")


def plan_place(snapshot: Snapshot, group: str) -> Place:
    """The rules of a plan for the security group, with nothing else there."""
    return _place(snapshot, group, _rules(snapshot))


def _rules(snapshot: Snapshot) -> list[Resource]:
    """Rules that stand apart from their group; of those for either direction, the ones that may be for egress."""
    either_way = snapshot.of_types([EGRESS_RULE, LEGACY_RULE])
    return [each for each in either_way if each.type == EGRESS_RULE or each.node.at("type").value != "ingress"]


def _place(snapshot: Snapshot, group: str, rules: list[Resource]) -> Place:
    mine: list[Resource] = []
    others: list[Resource] = []
    for rule in rules:
        (mine if _group(rule, snapshot) == group else others).append(rule)
    perhaps = [rule for rule in others if may_be_of(group, rule, "securityGroupId", GROUPS, snapshot)]
    steps = [step for rule in mine for step in _of_rule(rule, snapshot)]
    for rule in perhaps:
        doubt = f"{rule.name} is a rule of this group, which is not known yet"
        steps += [doubted(step, doubt) for step in _of_rule(rule, snapshot)]
    name, stands = group, False
    for made in snapshot.of_types(GROUPS):
        if group not in (made.id, made.urn):
            continue
        stands = True
        name = made.name if group == made.urn else group
        inside = made.node.at("egress")
        if made.type == NATIVE_GROUP or inside.unknown:
            why = _NATIVE if made.type == NATIVE_GROUP else "its rules are not known yet"
            steps += either(f"a rule of {made.name}", why, made.urn)
        else:
            steps += [step for item in inside.items() for step in _inside(made, item, "egress", snapshot)]
        steps += elsewhere(made)
    kept = [each for rule in (*mine, *perhaps) for each in _lists(rule, snapshot)]
    assumptions = (*ASSUMPTIONS, PUSHED) if any(map(_pushed, kept)) else ASSUMPTIONS
    return Place(
        TARGET, name, (UNFILTERED, Stage("egress rules", tuple(steps), _CLOSED)), assumptions, policy=name, kind="group",
        elsewhere=not stands,
    )  # fmt: skip


def _pushed(prefix_list: Resource) -> bool:
    """Whether a refresher keeps entries of the list."""
    entries = prefix_list.node.at("entries").items()
    return any(str(each.at("description").value).startswith(mark("")) for each in entries)


def _group(rule: Resource, snapshot: Snapshot) -> str:
    return holder_of(rule, "securityGroupId", "group", snapshot)


def holder_of(rule: Resource, key: str, what: str, snapshot: Snapshot) -> str:
    """What the group or ACL of a rule is known by: its id, or the resource that it is, or that alone gives it."""
    node, urns = rule.node.at(key), rule.property_dependencies.get(key, frozenset())
    if isinstance(node.value, str) and not node.unknown:
        return node.value
    made = snapshot.referred(rule, key, None)
    return (made[0].id or made[0].urn) if len(made) == len(urns) == 1 else f"a {what} not known yet ({rule.name})"


def doubted(step: Step, doubt: str) -> Step:
    """The step, if `doubt` is so."""
    return replace(step, box=replace(step.box, doubts=(*step.box.doubts, doubt)))


def _list(value: object, resource: Resource, key: str, snapshot: Snapshot) -> Resource | None:
    made = [each for each in snapshot.referred(resource, key, value) if each.type == PREFIX_LIST]
    return made[0] if len(made) == 1 else None


def _lists(rule: Resource, snapshot: Snapshot) -> list[Resource]:
    """The prefix lists of the snapshot that a rule refers to."""
    if rule.type == EGRESS_RULE:
        named = [(rule.properties.get("prefixListId"), "prefixListId")]
    else:
        named = [(each.value, "prefixListIds") for each in rule.node.at("prefixListIds").items()]
    return [found for value, key in named if (found := _list(value, rule, key, snapshot)) is not None]


_Range = tuple[AddressSet, str]
"""Where a rule leads to, and what would have to be so for that; empty if nothing has."""


def _in_list(node: Node, resource: Resource, key: str, what: str, snapshot: Snapshot) -> Iterator[_Range]:
    """What a reference to a prefix list stands for: of one outside the snapshot, what is put in from here, and the rest."""
    known = _list(node.value, resource, key, snapshot)
    if known is not None:
        yield entries_of(known, sure=True), ""
        for each in known.node.at("entries").items():
            if not (name := each.at(PERHAPS)).absent:
                doubt = f"{name.value} is an entry of {known.name}, which is not known yet"
                yield address_of(each.at(TOLD), f"cidr of {name.value}"), doubt
        return
    beside = (each.node.at("cidr") for each in snapshot.of_types([PREFIX_LIST_ENTRY])
              if isinstance(node.value, str) and each.properties.get("prefixListId") == node.value)  # fmt: skip
    yield union([address_of(node, what), *(address_of(cidr, what) for cidr in beside)]), ""


def _of_rule(rule: Resource, snapshot: Snapshot) -> Iterator[Step]:
    node = rule.node
    if rule.type == LEGACY_RULE:
        if node.at("type").value == "egress":
            yield from _inside(rule, node, "prefixListIds", snapshot)
        else:
            yield from either(rule.name, f"the direction of {rule.name} is not known yet", rule.urn)
        return
    to: list[_Range] = []
    for key in RULE_DESTINATIONS:
        at = node.at(key)
        if at.absent:
            continue
        what = f"{key} of {rule.name}"
        to += _in_list(at, rule, key, what, snapshot) if key == "prefixListId" else [(_to(at, key, what), "")]
    yield from _steps(rule.name, rule.urn, node, "ipProtocol", to)


def _inside(holder: Resource, item: Node, lists: str, snapshot: Snapshot) -> Iterator[Step]:
    """A rule that stands in its security group, or an older one apart, which is written alike. What its prefix lists were made
    from is told of the input `lists`."""
    to: list[_Range] = []
    for key in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"):
        what = f"{key} of {holder.name}"
        if item.at(key).unknown:
            to.append((_to(item.at(key), key, what), ""))
        for each in item.at(key).items():
            in_list = key == "prefixListIds"
            to += _in_list(each, holder, lists, what, snapshot) if in_list else [(_to(each, key, what), "")]
    if not (source := item.at("sourceSecurityGroupId")).absent:
        to.append((_to(source, "sourceSecurityGroupId", f"sourceSecurityGroupId of {holder.name}"), ""))
    if item.at("self").value:
        to.append((symbol(holder.id or holder.urn), ""))
    yield from _steps(holder.name, holder.urn, item, "protocol", to)


def _to(node: Node, key: str, what: str) -> AddressSet:
    """The destination under `key`. A group, whichever it is, holds its members, and is never everything."""
    is_group = "SecurityGroup" in key or key == "securityGroups"
    return symbol(what) if is_group and not isinstance(node.value, str) else address_of(node, what)


def address_of(node: Node, what: str) -> AddressSet:
    """The addresses of a CIDR; a symbol for what is none."""
    if not isinstance(node.value, str):
        return symbol(f"unknown:{what}")
    return (range_of(node.value) if "/" in node.value else None) or symbol(node.value)


def entries_of(prefix_list: Resource, *, sure: bool = False) -> AddressSet:
    """The addresses in a prefix list, and a symbol of its own where nobody can tell of some; `sure`: without entries of which
    nobody knows yet whether they are in it."""
    entries, unread = prefix_list.node.at("entries"), f"unknown:{prefix_list.urn}#entries"
    told = (range_of(item.at("cidr").value) for item in entries.items() if not sure or item.at(PERHAPS).absent)
    return symbol(unread) if entries.unknown else union(symbol(unread) if each is None else each for each in told)


def _steps(name: str, owner: str, node: Node, key: str, to: Sequence[_Range]) -> Iterator[Step]:
    for doubt in dict.fromkeys(("", *(each for _, each in to))):
        steps = _step(name, owner, node, key, union(address for address, each in to if each == doubt))
        yield from (doubted(step, doubt) for step in steps) if doubt else steps


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
    low, high = number(node.at("fromPort")), number(node.at("toPort"))
    known = str(node.at(key).value).lower()
    every = known in ("-1", "all")
    if node.at(key).unknown:
        return f"the protocol of {name} is not known yet"
    if not every and any(node.at(each).unknown for each in ("fromPort", "toPort")):
        return f"the ports of {name} are not known yet"
    numbered = _PROTOCOLS.get(known) or (int(known) if known.isdigit() else None)
    if not every and numbered is None:
        return f"{known} is no protocol that is known here"
    ports = (
        EVERY_PORT
        if every or numbered not in (6, 17) or low is None
        else Intervals.of([(low, low if high is None else high)])
    )
    doubts = tuple(_icmp_types(name, node)) if numbered in _ICMP else ()
    return Box(address=address, port=ports, protocols=None if every else frozenset({numbered or 0}), doubts=doubts)


def _icmp_types(name: str, node: Node) -> Iterator[str]:
    """Of a rule for some type or code of ICMP, that a flow is of those, which no flow says here. Rules of groups have the
    type and the code for ports, and -1 is every one; the provider sends 0 for entries of ACLs that do not say them (Amazon EC2
    API reference, IpPermission and IcmpTypeCode; terraform-provider-aws, vpc_network_acl_rule.go; read 2026-11-29)."""
    in_acl = not node.at("ruleNumber").absent or not node.at("ruleNo").absent
    keys = ("icmpType", "icmpCode") if in_acl else ("fromPort", "toPort")
    for what, key in zip(("type", "code"), keys, strict=True):
        told = number(node.at(key))
        if node.at(key).unknown or (told is None and not node.at(key).absent):
            yield f"its ICMP {what} is that of {name}, which is not known yet"
        elif told is None and not in_acl:
            continue
        elif (told or 0) != -1:
            yield f"its ICMP {what} is {told or 0}"
        else:
            return  # every type has every code
