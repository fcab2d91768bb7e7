"""`hostgate diff` and `explain` on members of security groups."""

import json
from pathlib import Path

from cli.conftest import Run
from hostgate.flows.snapshot import Resource

INSTANCE = "aws:ec2/instance:Instance"


def state(path: Path, *resources: Resource) -> str:
    told_ = [
        {"urn": each.urn, "type": each.type, "id": each.id, "custom": True, "inputs": dict(each.properties),
         "outputs": dict(each.properties)}
        for each in resources
    ]  # fmt: skip
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": told_}}))
    return str(path)


def two_groups(folder: Path) -> list[str]:
    """A member in our group, in one that allows all, and in both."""

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
    return [
        state(folder / f"{at}.json", *base, made(INSTANCE, "m", "i-1", vpcSecurityGroupIds=groups))
        for at, groups in enumerate((["sg-0a"], ["sg-0b"], ["sg-0a", "sg-0b"]))
    ]


def test_diff_stops_where_a_member_leaves_for_a_group_that_allows_all_or_joins_it(run: Run, tmp_path: Path) -> None:
    sides = two_groups(tmp_path)
    stopped = run("diff", sides[0], sides[1])
    assert stopped.code == 1
    assert "guard never-open-all on aws member m, from group sg-0a to sg-0b: Everything would open" in stopped.out
    joined = run("diff", sides[0], sides[2])
    assert joined.code == 1
    assert "guard never-open-all on aws group sg-0a" in joined.out
    same = run("diff", sides[1], sides[1])
    assert (same.code, "Nothing changes." in same.out) == (0, True)
    places = {each["label"]: each for each in run("diff", sides[0], sides[1], "--json").json["places"]}
    assert places["aws member m, from group sg-0a to sg-0b"]["opened"]


def test_explain_says_which_member_another_group_is_for(run: Run, tmp_path: Path) -> None:
    asked = ["explain", "x.example", "--state", two_groups(tmp_path)[2], "--address", "198.51.100.9"]
    for who, verdict in ((), "allow"), (("--from", "member:m"), "allow"), (("--from", "member:n"), "block"):
        (row,) = run(*asked, *who, "--json").json["targets"]
        assert row["verdict"] == verdict
