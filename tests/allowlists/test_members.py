"""What is in the groups of several allowlists, or in one of ours and in another, as the components themselves say it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from hostgate.cli.main import cli
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


@pytest.mark.parametrize("members", [[], [["sg-0a"], ["sg-0b"]]], ids=["none read", "apart"])
def test_a_host_of_the_other_allowlist_is_beyond_for_those_who_are_not_in_its_group(
    run: Run, members: list[list[str]]
) -> None:
    stands = standing(run, *members)
    rule = next(each for each in stands.resources if each.properties.get("securityGroupId") == "sg-0b")
    for copied in (
        replace(rule, urn=f"{rule.urn}-copy", properties={**rule.properties, "securityGroupId": "sg-0a"}),
        Resource(
            urn="urn:pulumi:dev::shop::aws:ec2/securityGroupRule:SecurityGroupRule::other", name="other",
            type="aws:ec2/securityGroupRule:SecurityGroupRule",
            properties={"securityGroupId": "sg-0a", "type": "egress", "protocol": "tcp", "fromPort": 443, "toPort": 443,
                        "cidrBlocks": ["203.0.113.9/32"]},
        ),
    ):  # fmt: skip
        found = told(asked(Snapshot((*stands.resources, copied), "a state")))
        assert (found["sg-0a"][:3], found["sg-0b"]) == ((1, [], 0), NOTHING)


def state(path: Path, *resources: Resource) -> str:
    told_ = [
        {"urn": each.urn, "type": each.type, "id": each.id, "custom": True, "inputs": dict(each.properties),
         "outputs": dict(each.properties)}
        for each in resources
    ]  # fmt: skip
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": told_}}))
    return str(path)


def test_diff_stops_where_a_member_leaves_for_a_group_that_allows_all(tmp_path: Path) -> None:
    def made(type_: str, name: str, id_: str, **properties: object) -> Resource:
        return Resource(
            urn=f"urn:pulumi:dev::shop::{type_}::{name}", type=type_, name=name, id=id_, properties=properties
        )

    every = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}
    base = [
        made("aws:ec2/managedPrefixList:ManagedPrefixList", "l", "pl-1", addressFamily="IPv4",
             entries=[{"cidr": "203.0.113.7/32"}]),
        made("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "ours", "sgr-1", securityGroupId="sg-0a",
             prefixListId="pl-1", ipProtocol="tcp", fromPort=443, toPort=443),
        made("aws:ec2/securityGroup:SecurityGroup", "wide", "sg-0b", egress=[every]),
    ]  # fmt: skip
    sides = [
        state(tmp_path / f"{at}.json", *base, made(INSTANCE, "m", "i-1", vpcSecurityGroupIds=groups))
        for at, groups in enumerate((["sg-0a"], ["sg-0b"], ["sg-0a", "sg-0b"]))
    ]
    stopped = CliRunner().invoke(cli, ["diff", sides[0], sides[1]])
    assert stopped.exit_code == 1
    assert "guard never-open-all on aws member m, from group sg-0a to sg-0b: Everything would open" in stopped.output
    joined = CliRunner().invoke(cli, ["diff", sides[0], sides[2]])
    assert joined.exit_code == 1
    assert "guard never-open-all on aws member m, from group sg-0a to sg-0a and sg-0b" in joined.output
    same = CliRunner().invoke(cli, ["diff", sides[1], sides[1]])
    assert (same.exit_code, "Nothing changes." in same.output) == (0, True)
    as_json = CliRunner().invoke(cli, ["diff", sides[0], sides[1], "--json"])
    places = {each["label"]: each for each in json.loads(as_json.output)["places"]}
    assert places["aws member m, from group sg-0a to sg-0b"]["opened"]
    asked_ = ["explain", "x.example", "--state", sides[2], "--address", "198.51.100.9"]
    assert "allow" in CliRunner().invoke(cli, asked_).output
    assert "block" in CliRunner().invoke(cli, [*asked_, "--from", "member:n"]).output
