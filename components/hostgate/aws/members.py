"""Which interfaces are in which security groups, and which subnets have which network ACL, as far as a snapshot tells.

An interface has the rules of all its groups together; a subnet has one ACL, the VPC's default one where no other is
associated (Amazon VPC user guide, security groups and network ACLs, read 2026-11-29).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from hostgate.aws.resources_ec2 import (
    ACL_ASSOCIATIONS,
    ACLS_WITH_ENTRIES,
    DEFAULT_ACL,
    GROUP_ATTACHMENT,
    GROUPS,
    INSTANCE,
    LEGACY_RULE,
    SUBNET,
    VPC,
)
from hostgate.flows.members import Member
from hostgate.flows.nodes import REDACTED, UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot

_LISTS: Final = frozenset(
    {"vpcSecurityGroupIds", "securityGroupIds", "securityGroups", "vpcSecurityGroups", "groupSet", "groups"}
)
"""Inputs with the ids of an interface's groups, at any depth: of instances, interfaces, launch templates, functions, services
of ECS, load balancers, databases (schemas of the providers aws 7 and aws-native 1, read 2026-11-29). Elsewhere such
lists have names, which are no ids."""
_RULES: Final = (*GROUPS, LEGACY_RULE)
"""Types whose lists of groups are of whom rules are about."""
NOT_KNOWN: Final = "one that was not read"
"""What a member may be under besides."""


def in_groups(snapshot: Snapshot) -> list[Member]:
    """Everything with a list of security groups, and interfaces that groups are attached to."""
    found: dict[str, tuple[str, frozenset[str], set[str], bool]] = {}
    for each in snapshot.resources:
        if each.type.startswith(("aws:", "aws-native:")) and each.type not in (*_RULES, GROUP_ATTACHMENT):
            for path, root, value in _lists(each.properties, "", ""):
                top = path == root
                suffix = "" if top else f".{path.rpartition('.')[0]}"
                keys = frozenset(f"{key}{suffix}" for key in (each.urn, each.id) if key)
                under = found.setdefault(f"{each.urn}{suffix}", (f"{each.name}{suffix}", keys, set(), True))[2]
                under |= _named(each, root, value, snapshot, GROUPS, lambda name: name.startswith("sg-"))
    interfaces = {each.properties.get("primaryNetworkInterfaceId"): each for each in snapshot.of_types([INSTANCE])}
    for each in snapshot.of_types([GROUP_ATTACHMENT]):
        groups = _named(each, "securityGroupId", each.properties.get("securityGroupId"), snapshot, GROUPS)
        value = each.properties.get("networkInterfaceId")
        made = snapshot.referred(each, "networkInterfaceId", value)
        holder = made[0] if len(made) == 1 else interfaces.get(value) if isinstance(value, str) else None
        if holder is not None:
            keys = frozenset(filter(None, (holder.urn, holder.id)))
            found.setdefault(holder.urn, (holder.name, keys, set(), True))[2].update(groups)
        elif isinstance(value, str):
            found.setdefault(value, (value, frozenset({value}), set(), False))[2].update(groups)
    called = Counter(name for name, *_ in found.values())

    def known_as(name: str, keys: Iterable[str]) -> str:
        """Its name, and where several have that its id."""
        return name if called[name] == 1 else min(keys, key=lambda key: (key.startswith("urn:"), key))

    return [
        Member(known_as(name, keys), keys, frozenset(under), stands=stands)
        for name, keys, under, stands in found.values()
        if under
    ]


def _lists(value: object, path: str, root: str) -> Iterator[tuple[str, str, object]]:
    """Every list of groups, with its path and the input that it is in."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            at = f"{path}.{key}" if path else str(key)
            if key in _LISTS:
                yield at, root or at, inner
            else:
                yield from _lists(inner, at, root or at)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _lists(inner, f"{path}[{number}]", root)


def _named(
    resource: Resource, key: str, value: Any, snapshot: Snapshot, types: Iterable[str],
    told: Callable[[str], bool] = bool,
) -> set[str]:  # fmt: skip
    """What a list refers to at the input `key`: resources of `types` by id, or as what they are; others by the id that is
    `told`. Where an item is not known, what the input was made from, as far as there are no more of those."""
    found, open_ = set[str](), 0
    items = value if isinstance(value, list | tuple) else [] if value is None else [value]
    for each in items:
        made = snapshot.referred(resource, key, each) if isinstance(each, str) and each != REDACTED else ()
        if made:
            found |= {one.id or one.urn for one in made if one.type in types}
        elif isinstance(each, str) and each != REDACTED:
            found |= {each} if told(each) else set()
        else:
            open_ += each is UNKNOWN or each == REDACTED
    if open_:
        made = snapshot.referred(resource, key, UNKNOWN)
        left = {one.id or one.urn for one in made if one.type in types} - found
        whole = not isinstance(value, list | tuple)
        if left and (whole or len(left) <= open_):
            found |= left
        if not left or (not whole and len(left) != open_):
            found.add(NOT_KNOWN)
    return found


def of_acls(snapshot: Snapshot) -> list[Member]:
    """Every subnet that is named, with its network ACL: by an association, or by the ACL itself, which a state may tell as it was
    before; else the default one of its VPC."""
    told: dict[str, set[str]] = {}
    for each in snapshot.of_types(ACL_ASSOCIATIONS):
        acls = _named(each, "networkAclId", each.properties.get("networkAclId"), snapshot, ACLS_WITH_ENTRIES)
        for subnet in _named(each, "subnetId", each.properties.get("subnetId"), snapshot, [SUBNET]):
            told.setdefault(subnet, set()).update(acls)
    inside: dict[str, set[str]] = {}
    for each in snapshot.of_types(ACLS_WITH_ENTRIES):
        for subnet in _named(each, "subnetIds", each.properties.get("subnetIds"), snapshot, [SUBNET]):
            inside.setdefault(subnet, set()).add(each.id or each.urn)
    made = {each.id or each.urn: each for each in snapshot.of_types([SUBNET])}
    networks = {each.id or each.urn: _network(each, snapshot) for each in snapshot.of_types(ACLS_WITH_ENTRIES)}
    found = []
    for name in sorted({*told, *inside, *made} - {NOT_KNOWN}):
        resource, acls = made.get(name), told.get(name) or inside.get(name) or set[str]()
        scope = _network(resource, snapshot) if resource else networks.get(next(iter(acls), ""), "")
        keys = frozenset({name} if resource is None else {name, resource.urn})
        shown = name if resource is None or name == resource.id else resource.name
        under = frozenset({" or ".join(sorted(acls))}) if acls else default_acl(scope, snapshot)
        found.append(Member(shown, keys, under, scope, resource is not None))
    return found


def default_acl(network: str, snapshot: Snapshot) -> frozenset[str]:
    """The default ACL of a VPC."""
    acls = (each for each in snapshot.of_types([DEFAULT_ACL]) if network and _network(each, snapshot) == network)
    return frozenset({" or ".join(sorted(each.id or each.urn for each in acls)) or NOT_KNOWN})


def _network(resource: Resource, snapshot: Snapshot) -> str:
    """The VPC of a subnet or an ACL. A default ACL is that of the VPC which says so."""
    value = resource.properties.get("vpcId")
    found = _named(resource, "vpcId", value, snapshot, [VPC]) - {NOT_KNOWN}
    if not found and resource.type == DEFAULT_ACL:
        key = "defaultNetworkAclId"
        acl = resource.properties.get(key)
        vpcs = [each for each in snapshot.of_types([VPC]) if isinstance(acl, str) and each.properties.get(key) == acl]
        found = {each.id or each.urn for each in vpcs} or _named(resource, key, UNKNOWN, snapshot, [VPC]) - {NOT_KNOWN}
    return next(iter(found)) if len(found) == 1 else ""
