"""What is in the groups of several allowlists, or in one of ours and in another, as the components themselves say it."""

from collections.abc import Sequence

import pytest

from hostgate.flows.reach import Reach
from hostgate.flows.snapshot import Resource, Snapshot

from .conftest import Run
from .test_reach_by_list import asked, stand

PROGRAM = """from hostgate.aws import SecurityGroupAllowlist as Group
    from pathlib import Path
    lines = "  203.0.113.{} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\\n"
    hosts = "".join(f"host {name}.example window 86400\\n" + lines.format(at) for name, at in zip("abc", (7, 8, 9)))
    Path("pool.txt").write_text("hostgate-pool 1\\n" + hosts + "end\\n")
    entry = "  - {{id: {0}, host: {0}.example, port: 443, protocol: https, purpose: tests}}\\n"
    def listed(*names):
        Path("ours.yaml").write_text("catalog: acme/ours\\nentries:\\n" + "".join(map(entry.format, names)))
        return hostgate.select("./ours.yaml")
    Group("one", hosts=listed("a", "b"), security_groups=["sg-0a"], pool="pool.txt")
    Group("two", hosts=listed("b", "c"), security_groups=["sg-0b"], pool="pool.txt")
"""
INSTANCE = "aws:ec2/instance:Instance"


def standing(run: Run, *groups: Sequence[str], without: str = "") -> Snapshot:
    snapshot = stand(run, PROGRAM)
    kept = [each for each in snapshot.resources if not (without and each.properties.get("securityGroupId") == without)]
    members = (
        Resource(urn=f"urn:pulumi:dev::shop::{INSTANCE}::m{at}", type=INSTANCE, name=f"m{at}", id=f"i-{at}",
                 properties={"vpcSecurityGroupIds": list(each)})
        for at, each in enumerate(groups)
    )  # fmt: skip
    return Snapshot((*kept, *members), "a state")


def told(found: Sequence[Reach]) -> dict[str, tuple[int, list[str], int, int]]:
    return {
        each.place.name: (
            len(each.beyond),
            [entry.rpartition(":")[2] for one in each.missing for entry, _ in one.entries],
            len(each.unknown),
            len(each.dead),
        )
        for each in found
    }


NOTHING: tuple[int, list[str], int, int] = (0, [], 0, 0)


@pytest.mark.parametrize(
    "groups", [[], [["sg-0a", "sg-0b"]], [["sg-0a", "sg-0b"], ["sg-0a"]], [["sg-0a"], ["sg-0b"]]], ids=str
)
def test_what_is_in_the_groups_of_two_allowlists_may_use_the_hosts_of_both(run: Run, groups: list[list[str]]) -> None:
    found = asked(standing(run, *groups))
    assert told(found) == {"sg-0a": NOTHING, "sg-0b": NOTHING}
    assert {owner for each in found for owner in each.place.beside} == (
        {step.owner for each in found for step in each.place.steps if step.owner} if groups[:1] == [["sg-0a", "sg-0b"]] else set()
    )  # fmt: skip


def test_each_allowlist_is_missed_at_its_own_group_alone(run: Run) -> None:
    apart = told(asked(standing(run, without="sg-0b")))
    assert apart == {"sg-0a": NOTHING, "sg-0b": (0, ["b", "c"], 0, 0)}
    some = told(asked(standing(run, ["sg-0a", "sg-0b"], ["sg-0b"], without="sg-0b")))
    assert some == apart
    both = told(asked(standing(run, ["sg-0a", "sg-0b"], without="sg-0b")))
    assert both == {"sg-0a": NOTHING, "sg-0b": (0, ["c"], 0, 0)}
