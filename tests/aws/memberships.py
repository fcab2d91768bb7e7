"""Resources with members, and what a comparison says of these: for tests of groups and of network ACLs."""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.review.compared_places import ComparedPlace, compared_members
from hostgate.review.guards import Guards, tripped

HERE = Flow("a.example", address="203.0.113.7")
"""To the host that rules and entries here are for."""


def made(
    type_: str, name: str, id_: str = "", links: Mapping[str, Sequence[str]] | None = None, **told: Any
) -> Resource:
    depends = {key: frozenset(urns) for key, urns in (links or {}).items()}
    return Resource(urn=f"urn:{name}", type=type_, name=name, id=id_, properties=told, property_dependencies=depends)


def moved(before: Sequence[Resource], after: Sequence[Resource], base: Sequence[Resource]) -> list[ComparedPlace]:
    """What a comparison tells of members, with `base` on both sides."""
    sides = [Snapshot((*base, *each), "a state") for each in (before, after)]
    return list(compared_members(*sides, ((), ())))


def guards(places: Sequence[ComparedPlace], **asked: Any) -> set[str]:
    return {each.guard for each in tripped(Guards(**asked), [], places)}


ACL, ACL_ALL, ACL_UNREAD = "acl-0a", "acl-0b", "acl-0d"
NACL, DEFAULT = "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"


def entry(way: bool, address: str = "203.0.113.7/32") -> Resource:
    port = 443 if way else 1024
    return made("aws:ec2/networkAclRule:NetworkAclRule", f"entry-{way}", networkAclId=ACL, ruleNumber=100, egress=way,
                protocol="tcp", ruleAction="allow", cidrBlock=address, fromPort=port, toPort=443 if way else 65535)  # fmt: skip


ACLS = [entry(True), entry(False)]
