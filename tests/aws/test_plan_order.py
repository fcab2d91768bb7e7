"""Whose order the groups of a policy have before their ARNs are known: an allowlist's own, and nobody else's."""

from collections.abc import Sequence

import pytest

from hostgate.aws.plan_order import in_plan_order
from hostgate.flows.snapshot import Resource

BELOW = "urn:pulumi:dev::demo::hostgate-aws:index:NetworkFirewallAllowlist$"
GROUP, POLICY = "aws:networkfirewall/ruleGroup:RuleGroup", "aws:networkfirewall/firewallPolicy:FirewallPolicy"


def made(name: str, type_: str = GROUP, below: str = BELOW) -> Resource:
    return Resource(urn=f"{below}{type_}::{name}", type=type_, name=name, properties={})


OWN = made("egress", POLICY)
THEIRS = made("hub", POLICY, "urn:pulumi:dev::demo::")


def placed(policy: Resource, names: Sequence[str], priorities: Sequence[int] | None) -> list[tuple[str, int]]:
    return [(group.name, place) for group, place in in_plan_order(policy, [made(name) for name in names], priorities)]


def test_each_kind_of_group_has_its_place_whatever_order_they_are_told_in() -> None:
    names = ["egress-list", "egress-reject", "egress-guard", "egress-edge"]
    assert placed(OWN, names, [6000, 1500, 3000, 2000]) == [
        ("egress-edge", 1500), ("egress-guard", 2000), ("egress-list", 3000), ("egress-reject", 6000),
    ]  # fmt: skip


def test_shards_of_a_kind_and_groups_of_several_lists_are_behind_the_kind_before() -> None:
    names = ["egress-allow-1", "egress-edge", "egress-allow-0", "egress-builds-allow", "egress-address"]
    found = placed(OWN, names, [1000, 1500, 3000, 3001, 3032])
    assert [name for name, _ in found[:2]] == ["egress-address", "egress-edge"]
    assert {place for _, place in found[2:]} == {3000, 3001, 3032}


def test_the_output_of_an_allowlist_has_its_order_in_the_policy_of_anybody() -> None:
    found = placed(THEIRS, ["egress-list", "egress-guard", "egress-list-http"], None)
    assert [name for name, _ in found] == ["egress-guard", "egress-list", "egress-list-http"]


@pytest.mark.parametrize(
    ("policy", "groups", "priorities"),
    [
        (THEIRS, [made("egress-guard"), made("egress-list")], [1, 2]),  # by hand: whichever is first
        (OWN, [made("egress-guard"), made("egress-list")], [1, 2]),  # not as a plan places them
        (OWN, [made("egress-guard"), made("mine", below="urn:pulumi:dev::demo::")], [2000, 3000]),
        (OWN, [made("egress-guard"), made("egress-mine")], [2000, 3000]),
        (OWN, [made("egress-guard"), made("other-list")], [2000, 3000]),
        (THEIRS, [made("egress-guard", below="urn:pulumi:dev::demo::")], None),
        (OWN, [], []),
    ],
)
def test_what_an_allowlist_did_not_write_has_no_order(
    policy: Resource, groups: Sequence[Resource], priorities: Sequence[int] | None
) -> None:
    assert in_plan_order(policy, groups, priorities) == []
