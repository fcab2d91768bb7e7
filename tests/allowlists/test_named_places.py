"""Security groups and network ACLs that an allowlist names judge its hosts with its rules there or without them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.allowlists_at import allowlists_at
from hostgate.planning.needs import needs_of_allowlists
from hostgate.policies.places import places_of_stack
from hostgate.review.compared_places import compared_standing

from .conftest import Run
from .test_reach_by_list import asked, stand

RULE = "aws:ec2/networkAclRule:NetworkAclRule"
LEGACY = "aws:ec2/securityGroupRule:SecurityGroupRule"
PLACES = {
    "acl": ("NetworkAclAllowlist", "network_acls=['acl-0a', 'acl-0b']", "networkAclId", ["acl-0a", "acl-0b"]),
    "group": ("SecurityGroupAllowlist", "security_groups=['sg-0a', 'sg-0b']", "securityGroupId", ["sg-0a", "sg-0b"]),
}
PROGRAM = """from hostgate.aws import {}
    from pathlib import Path
    line = "  203.0.113.7 first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\\n"
    Path("pool.txt").write_text("hostgate-pool 1\\nhost a.example window 86400\\n" + line + "end\\n")
    entry = "  - {{id: a, host: a.example, port: 443, protocol: https, purpose: tests}}\\n"
    Path("ours.yaml").write_text("catalog: acme/ours\\nentries:\\n" + entry)
    {}("c", hosts=hostgate.select("./ours.yaml"), {}, pool="pool.txt")
"""


def open_to_all(kind: str, place: str) -> list[Resource]:
    if kind == "acl":
        given = {
            "networkAclId": place,
            "ruleNumber": 5,
            "ruleAction": "allow",
            "protocol": "-1",
            "cidrBlock": "0.0.0.0/0",
        }
        return [
            Resource(urn=f"all-{way}", type=RULE, name=f"all-{way}", properties={**given, "egress": way})
            for way in (True, False)
        ]
    told = {"securityGroupId": place, "type": "egress", "protocol": "-1", "fromPort": 0, "toPort": 0,
            "cidrBlocks": ["0.0.0.0/0"]}  # fmt: skip
    return [Resource(urn="all", type=LEGACY, name="all", properties=told)]


def standing(run: Run, kind: str, gone: Sequence[str], *more: Resource, way: Callable[[Resource], bool]) -> Snapshot:
    name, placed, key, _ = PLACES[kind]
    snapshot = stand(run, PROGRAM.format(name, name, placed))
    left = [each for each in snapshot.resources if not (each.properties.get(key) in gone and way(each))]
    return Snapshot((*left, *more), "a state")


def out(each: Resource) -> bool:
    return each.properties.get("egress") is not False


def told(found: Sequence[Reach]) -> dict[str, tuple[bool, bool]]:
    return {each.place.name: (bool(each.beyond), bool(each.missing)) for each in found}


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("way", [out, lambda _: True], ids=["egress alone", "all"])
@pytest.mark.parametrize("which", [[0], [1], [0, 1]])
def test_a_place_without_its_rules_is_closed_and_one_that_somebody_opens_is_beyond(
    run: Run, kind: str, way: Callable[[Resource], bool], which: list[int]
) -> None:
    names = PLACES[kind][3]
    gone = [names[each] for each in which]
    closed = told(asked(standing(run, kind, gone, way=way)))
    assert closed == {name: (False, name in gone) for name in names}
    opened = told(asked(standing(run, kind, gone, *open_to_all(kind, gone[-1]), way=way)))
    assert opened == {name: (name == gone[-1], name in gone[:-1]) for name in names}


@pytest.mark.parametrize("kind", PLACES)
def test_a_place_that_loses_its_rules_closes_and_opens_nothing(run: Run, kind: str) -> None:
    from hostgate.policies.places import places_of_stack

    names = PLACES[kind][3]
    before, after = (standing(run, kind, gone, way=lambda _: True) for gone in ([], [names[1]]))
    unnamed = Snapshot(tuple(each for each in after.resources if not each.type.startswith("hostgate-")), "a state")
    for then in (after, unnamed):
        found = compared_standing(places_of_stack(before), places_of_stack(then), ((), ()), (), then)
        assert {(each.found.place.name, change.kind) for each in found for change in each.found.changes} == {
            (names[1], "closed")
        }


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("named", [["known-after-apply/0"], UNKNOWN, "[secret]", 5, None, [UNKNOWN, 7, ""]])
def test_what_an_allowlist_names_and_nobody_knows_is_no_place(run: Run, kind: str, named: object) -> None:
    from hostgate.policies.places import places_of_stack

    names = PLACES[kind][3]
    key = "networkAcls" if kind == "acl" else "securityGroups"
    snapshot = standing(run, kind, [], way=lambda _: False)
    told_ = tuple(
        replace(each, properties={**each.properties, "options": {**each.properties["options"], key: named}})
        if each.type.startswith("hostgate-")
        else each
        for each in snapshot.resources
    )
    assert [each.name for each in places_of_stack(Snapshot(told_, "a state"))] == names


NETWORKS = [f"projects/net-host/global/networks/{each}" for each in ("prod", "lab")]
ASSOCIATION = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"


@pytest.mark.parametrize("gone", [[], ["lab"], ["prod", "lab"]], ids=str)
@pytest.mark.parametrize("moved", [False, True], ids=["gone", "moved"])
def test_a_network_with_which_an_allowlist_associates_its_policy_is_judged_without_it_too(
    run: Run, gone: list[str], moved: bool
) -> None:
    def left(each: Resource) -> list[Resource]:
        if each.type != ASSOCIATION or str(each.properties["attachmentTarget"]).rpartition("/")[2] not in gone:
            return [each]
        elsewhere = {**each.properties, "attachmentTarget": f"{each.properties['attachmentTarget']}-other"}
        return [replace(each, properties=elsewhere)] if moved else []

    stands = stand(run, f"Google('c', hosts=one, networks={NETWORKS})")
    found = asked(Snapshot(tuple(one for each in stands.resources for one in left(each)), "a state"))
    beyond = {each.place.name.rpartition("/")[2]: bool(each.beyond) for each in found if each.place.kind == "network"}
    assert {name: beyond[name] for name in ("prod", "lab")} == {name: name in gone for name in ("prod", "lab")}
    others = {name for name in beyond if name.endswith("-other")}
    assert others == ({f"{each}-other" for each in gone} if moved else set())


@pytest.mark.parametrize("gone", [[], ["vpc-0b"], ["vpc-0a", "vpc-0b"]], ids=str)
def test_a_vpc_for_which_an_allowlist_has_its_rule_group_is_judged_without_it_too(run: Run, gone: list[str]) -> None:
    program = "from hostgate.aws import DnsFirewallAllowlist as Dns; Dns('c', hosts=one, vpcs=['vpc-0a', 'vpc-0b'])"
    stands = stand(run, program)
    left = tuple(each for each in stands.resources if each.properties.get("vpcId") not in gone)
    found = {each.place.name: bool(each.beyond) for each in asked(Snapshot(left, "a state"))}
    assert {name: found[name] for name in ("vpc-0a", "vpc-0b")} == {name: name in gone for name in ("vpc-0a", "vpc-0b")}


SEVERAL = """from hostgate.aws import NetworkAclAllowlist, SecurityGroupAllowlist
    from pathlib import Path
    line = "  203.0.113.{} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\\n"
    hosts = "".join("host " + x + ".example window 86400\\n" + line.format(at) for at, x in enumerate("ab", 1))
    Path("pool.txt").write_text("hostgate-pool 1\\n" + hosts + "end\\n")
    entry = "  - {{id: {0}, host: {0}.example, port: 443, protocol: https, purpose: tests}}\\n"
    for x in "ab":
        Path(x + ".yaml").write_text("catalog: acme/" + x + "\\nentries:\\n" + entry.format(x))
        host = hostgate.select("./" + x + ".yaml")
        if "group" in KINDS:
            SecurityGroupAllowlist("s" + x, hosts=host, security_groups=["sg-0" + x], pool="pool.txt")
        if "acl" in KINDS:
            NetworkAclAllowlist("n" + x, hosts=host, network_acls=["acl-0" + x], pool="pool.txt")
"""


def opens_one(kind: str, place: str, address: str) -> list[Resource]:
    """What opens one address at 443 to those of the place."""
    ipv6 = ":" in address
    key = (
        ("ipv6CidrBlocks" if ipv6 else "cidrBlocks") if kind == "group" else ("ipv6CidrBlock" if ipv6 else "cidrBlock")
    )
    found = []
    for each in open_to_all(kind, place):
        out = each.properties.get("egress", True)
        ports = {"fromPort": 443 if out else 1024, "toPort": 443 if out else 65535}
        given = {name: value for name, value in each.properties.items() if not name.startswith("cidr")}
        told = {**given, "protocol": "tcp", **ports, key: [address] if kind == "group" else address}
        found.append(replace(each, properties=told))
    return found


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [(["group"], "group"), (["acl"], "acl"), (["group", "acl"], "group"), (["group", "acl"], "acl")],
    ids=["groups", "ACLs", "a group beside ACLs", "an ACL beside groups"],
)
@pytest.mark.parametrize(
    ("whose", "host", "beyond"), [("a", 1, False), ("a", 2, True), ("b", 1, True), ("b", 2, False)]
)
def test_a_host_that_is_for_other_groups_and_acls_alone_is_beyond_whatever_other_lists_are_there(
    run: Run, kinds: list[str], kind: str, whose: str, host: int, beyond: bool
) -> None:
    snapshot = stand(run, SEVERAL.replace("KINDS", repr(kinds)))
    place = f"{'sg' if kind == 'group' else 'acl'}-0{whose}"
    assert not any(beyond or missing for beyond, missing in told(asked(snapshot)).values())
    opened = replace(snapshot, resources=(*snapshot.resources, *opens_one(kind, place, f"203.0.113.{host}/32")))
    assert {name for name, (beyond, _) in told(asked(opened)).items() if beyond} == ({place} if beyond else set())


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("value", [UNKNOWN, "[secret]", "elsewhere"])
@pytest.mark.parametrize("wide", [False, True])
def test_a_rule_of_its_own_of_which_nobody_knows_where_it_judges_opens_what_its_allowlist_needs(
    run: Run, kind: str, value: object, wide: bool
) -> None:
    name, placed, key, (first, _) = PLACES[kind]
    snapshot = stand(run, PROGRAM.format(name, name, placed))
    port = {"toPort": 444} if wide else {}
    resources = tuple(
        replace(each, properties={**each.properties, key: value, **(port if out(each) else {})})
        if each.properties.get(key) == first
        else each
        for each in snapshot.resources
    )
    state = replace(snapshot, resources=resources)
    found = [reach(place, needs_of_allowlists(allowlists_at(place, state))[0]) for place in places_of_stack(state)]
    beyond = [each.place.name for each in found if each.beyond]
    # Where an entry of an ACL is of which nobody knows the ACL, its answers may not come back.
    assert len(beyond) == (value == "elsewhere" or (wide and kind == "group"))
    assert not {each.place.name for each in found if each.missing} - {first}


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize(
    ("address", "beyond"),
    [
        ("64:ff9b::203.0.113.7/128", False), ("64:ff9b::10.0.0.1/128", False), ("64:ff9b::192.168.0.0/112", False),
        ("64:ff9b::203.0.113.8/128", True), ("64:ff9b::203.0.113.0/120", True), ("64:ff9b::/96", True),
    ],
)  # fmt: skip
def test_what_nat64_makes_the_address_of_a_host_of_is_that_host(
    run: Run, kind: str, address: str, beyond: bool
) -> None:
    name, placed, _, (first, _) = PLACES[kind]
    snapshot = stand(run, PROGRAM.format(name, name, placed))
    opened = replace(snapshot, resources=(*snapshot.resources, *opens_one(kind, first, address)))
    assert told(asked(opened))[first] == (beyond, False)
