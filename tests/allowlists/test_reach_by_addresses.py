"""Hosts of Network Firewall that show no name: allowed by given addresses, or by a list of somebody, they are needed there and
nowhere else."""

from dataclasses import replace

import pytest

from hostgate.flows.reach import Reach
from hostgate.flows.snapshot import Resource, Snapshot

from .conftest import Run
from .test_reach_by_list import asked, changed, stand

LIST = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"
PREFIXES = "aws:ec2/managedPrefixList:ManagedPrefixList"
PROGRAM = """from pathlib import Path
    entry = "  - {{id: git, host: git.example, port: 22, protocol: tcp, purpose: tests}}\\n"
    web = "  - {{id: web, host: www.example, port: 443, protocol: https, purpose: tests}}\\n"
    Path("ours.yaml").write_text("catalog: acme/ours\\nentries:\\n" + entry + web)
    Aws("c", hosts=hostgate.select("./ours.yaml"), home_net=["10.0.0.0/8"], {})
"""
BY_ADDRESSES = PROGRAM.format("addresses={'git': ['203.0.113.7', '203.0.113.8']}")
BY_SET = {
    "by its ARN": PROGRAM.format(f"ip_sets={{'git': '{LIST}'}}"),
    "by an output": PROGRAM.format(f"ip_sets={{'git': pulumi.Output.from_input('{LIST}')}}"),
}


def with_list(snapshot: Snapshot, *cidrs: str) -> Snapshot:
    told = {"name": "git", "addressFamily": "IPv4", "entries": [{"cidr": each} for each in cidrs], "arn": LIST}
    held = Resource(urn="list", type=PREFIXES, name="git", properties=told, id="pl-1")
    return replace(snapshot, resources=(*snapshot.resources, held))


def told(snapshot: Snapshot) -> tuple[list[str | None], list[str | None]]:
    """The addresses of what is beyond, and of what is missing."""
    (found,) = asked(snapshot)
    assert not found.unknown
    beyond = [flow.address for each in found.beyond for flow in each.flows]
    return list(dict.fromkeys(beyond)), [each.flow.address for each in found.missing]


def assumed(found: Reach) -> bool:
    return any(each.startswith("git holds what it held") for each in found.assumptions)


def test_what_is_allowed_by_given_addresses_is_needed_there(run: Run) -> None:
    stands = stand(run, BY_ADDRESSES)
    assert told(stands) == ([], [])
    moved = changed(stands, lambda text: text.replace("203.0.113.8", "203.0.113.9"))
    assert told(moved) == (["203.0.113.9"], ["203.0.113.8"])


@pytest.mark.parametrize("program", BY_SET.values(), ids=list(BY_SET))
def test_what_is_allowed_by_a_list_is_needed_at_what_is_in_it(run: Run, program: str) -> None:
    stands = stand(run, program)
    full = with_list(stands, "203.0.113.7/32", "203.0.113.9/32")
    assert told(full) == ([], [])
    assert [assumed(each) for each in asked(full)] == [True]
    elsewhere = changed(full, lambda text: text.replace(" 22 ", " 23 "), of_name="c-address")
    beyond, missing = told(elsewhere)
    assert set(beyond) == {"203.0.113.7"}
    assert missing == ["203.0.113.7"]


@pytest.mark.parametrize("program", BY_SET.values(), ids=list(BY_SET))
def test_a_list_with_nothing_in_it_closes_its_host_and_one_that_is_not_read_nobody_can_tell_of(
    run: Run, program: str
) -> None:
    stands = stand(run, program)
    (empty,) = asked(with_list(stands))
    assert [each.entries for each in empty.missing] == [(("git", "git.example"),)]
    (unread,) = asked(stands)
    assert any(each.needed for each in unread.unknown)
    assert not unread.missing
