"""Rules and entries of others beside lists fed by a pool, in every form that a program may give them, by every command."""

from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run
from cli.test_reach_command import hosts, state

HERE, OTHER, LIST, OF_OTHERS = "sg-0123456789abcdef0", "sg-0123456789abcdef1", "pl-0123456789abcdef0", "pl-0fff"
NEW_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
NATIVE_RULE = "aws-native:ec2:SecurityGroupEgress"
ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def held(type_: str, name: str, id_: str = "", **inputs: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:prod::net::{type_}::{name}", "type": type_, "id": id_ or name, "inputs": inputs}


def listed(*cidrs: str) -> dict[str, Any]:
    entries = [{"cidr": each} for each in cidrs]
    return held("aws:ec2/managedPrefixList:ManagedPrefixList", "list", LIST, addressFamily="IPv4", maxEntries=9,
                entries=entries)  # fmt: skip


def ours(group: str) -> dict[str, Any]:
    return held(NEW_RULE, f"ours-{group[-1]}", securityGroupId=group, ipProtocol="tcp", fromPort=443, toPort=443,
                prefixListId=LIST)  # fmt: skip


BASE = [listed("203.0.113.7/32"), ours(HERE), ours(OTHER)]


def old(
    direction: str = "egress", group: str = HERE, protocol: str = "-1", ports: int = 0, **to: Any
) -> dict[str, Any]:
    return held(OLD_RULE, "beside", type=direction, securityGroupId=group, protocol=protocol, fromPort=ports,
                toPort=ports, **to)  # fmt: skip


def native(group: str = HERE, **to: Any) -> dict[str, Any]:
    return held(NATIVE_RULE, "beside", groupId=group, ipProtocol="-1", **to)


def default(id_: str = HERE, **inside: Any) -> dict[str, Any]:
    rule = {"protocol": "-1", "fromPort": 0, "toPort": 0, **inside}
    return held("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "beside", id_, egress=[rule])


def entry(cidr: Any, to: Any = LIST) -> dict[str, Any]:
    return held(ENTRY, "beside", prefixListId=to, cidr=cidr)


OPENS = {
    "old rule": [old(cidrBlocks=["8.8.8.0/24"])],
    "old rule, one port": [old(cidrBlocks=["8.8.8.0/24"], protocol="tcp", ports=443)],
    "old rule to a list with an entry apart": [old(prefixListIds=[LIST], protocol="tcp", ports=443), entry("8.8.8.0/24")],
    "old rule to a list elsewhere, an entry of which is here": [old(prefixListIds=[OF_OTHERS]), entry("8.8.8.0/24", OF_OTHERS)],
    "new rule to a list elsewhere, an entry of which is here": [
        held(NEW_RULE, "beside", securityGroupId=HERE, ipProtocol="-1", prefixListId=OF_OTHERS),
        entry("8.8.8.0/24", OF_OTHERS),
    ],
    "entry": [entry("8.8.8.0/24")],
    "default group": [default(cidrBlocks=["8.8.8.0/24"])],
    "default group to a list elsewhere": [default(prefixListIds=[OF_OTHERS]), entry("8.8.8.0/24", OF_OTHERS)],
    "rule of aws-native": [native(cidrIp="8.8.8.0/24")],
    "rule of aws-native to a list elsewhere": [native(destinationPrefixListId=OF_OTHERS), entry("8.8.8.0/24", OF_OTHERS)],
}  # fmt: skip
NOT_KNOWN = {
    "old rule to a group": [old(sourceSecurityGroupId="sg-0ff")],
    "old rule to its own group": [old(self=True)],
    "old rule to a list elsewhere": [old(prefixListIds=[OF_OTHERS])],
    "old rule, address not known": [old(cidrBlocks=[UNKNOWN_TEXT])],
    "old rule, direction not known": [old(direction=UNKNOWN_TEXT, cidrBlocks=["8.8.8.0/24"])],
    "old rule, group not known": [old(group=UNKNOWN_TEXT, cidrBlocks=["8.8.8.0/24"])],
    "rule of aws-native to a group": [native(destinationSecurityGroupId="sg-0ff")],
    "entry not known": [entry(UNKNOWN_TEXT)],
    "group of aws-native": [held("aws-native:ec2:SecurityGroup", "beside", HERE, securityGroupEgress=[{"cidrIp": "8.8.8.0/24"}])],
    "group of aws-native with the rule that it is given": [
        held("aws-native:ec2:SecurityGroup", "beside", HERE, groupDescription="the clients")
    ],
    "default group, rules not known": [
        held("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "beside", HERE, egress=UNKNOWN_TEXT)
    ],
}  # fmt: skip
NOTHING = {
    "old rule inwards": [old(direction="ingress", cidrBlocks=["0.0.0.0/0"])],
    "old rule of another group": [old(group="sg-0ee", cidrBlocks=["0.0.0.0/0"])],
    "default group that is another": [default("sg-0ee", cidrBlocks=["0.0.0.0/0"])],
    "rule of aws-native of another group": [native(group="sg-0ee", cidrIp="0.0.0.0/0")],
    "entry of another list": [entry("0.0.0.0/0", OF_OTHERS)],
    "group of aws-native that is another": [
        held("aws-native:ec2:SecurityGroup", "beside", "sg-0ee", securityGroupEgress=[])
    ],
}


def asked(run: Run, folder: Path, more: list[dict[str, Any]]) -> tuple[Any, dict[str, str], str, set[str]]:
    """What `diff` says, the verdict of `explain` by group, what `explain` prints, and the groups of which `reach` knows not all."""
    before, after = state(folder, *BASE, name="before.json"), state(folder, *BASE, *more, name="after.json")
    found = run("diff", before, after, "--json").json
    one = ("explain", "evil.example", "--address", "8.8.8.8", "--state", after)
    verdicts = {each["place"]: each["verdict"] for each in run(*one, "--json").json["targets"]}
    points = run("reach", "--state", after, "--catalog", hosts(folder, "a.example"), "--json").json["points"]
    return found, verdicts, run(*one).out, {each["place"] for each in points if each["unknown"]}


@pytest.mark.parametrize("case", OPENS)
def test_what_opens_an_address_is_told_in_every_form(run: Run, tmp_path: Path, case: str) -> None:
    found, verdicts, _, _ = asked(run, tmp_path, OPENS[case])
    assert verdicts[HERE] == "allow"
    assert verdicts[OTHER] == ("allow" if case == "entry" or "with an entry apart" in case else "block")
    assert found["unchanged"] is False
    opened = {each["place"] for each in found["places"] if each["opened"]}
    assert opened == {place for place, verdict in verdicts.items() if verdict == "allow"}
    assert {each["target"] for each in found["risks"]} == {f"aws group {place}" for place in opened}


@pytest.mark.parametrize("case", NOT_KNOWN)
def test_what_nobody_can_tell_is_not_known_where_it_may_be(run: Run, tmp_path: Path, case: str) -> None:
    found, verdicts, _, not_known = asked(run, tmp_path, NOT_KNOWN[case])
    both = case in ("old rule, group not known", "entry not known")
    assert verdicts == {HERE: "unknown", OTHER: "unknown" if both else "block"}
    assert {each["place"] for each in found["places"] if each["unknown"]} == ({HERE, OTHER} if both else {HERE})
    assert not_known == ({HERE, OTHER} if both else {HERE})


@pytest.mark.parametrize("case", NOTHING)
def test_what_is_about_something_else_is_no_remark(run: Run, tmp_path: Path, case: str) -> None:
    found, verdicts, printed, _ = asked(run, tmp_path, NOTHING[case])
    assert (found["unchanged"], found["notes"], set(verdicts.values())) == (True, [], {"block"})
    assert "beside" not in printed


AZURE = [
    held("azure-native:network:FirewallPolicy", "hub", firewallPolicyName="hub", resourceGroupName="rg"),
    held("azure-native:network:FirewallPolicyRuleCollectionGroup", "names", firewallPolicyName="hub", resourceGroupName="rg",
         ruleCollectionGroupName="names", priority=200, ruleCollections=[]),
]  # fmt: skip
UNREAD = {
    "aws": (BASE, held("aws-native:ec2:NetworkAclEntry", "unread", cidrBlock="0.0.0.0/0")),
    "azure": (AZURE, held("azure-native:network:FirewallPolicyRuleGroup", "unread", rules=["some"])),
}
"""What a cloud has that nobody reads, beside a place of it."""


@pytest.mark.parametrize("cloud", UNREAD)
def test_what_nobody_reads_is_assumed_by_explain_and_a_change_of_it_is_a_note(
    run: Run, tmp_path: Path, cloud: str
) -> None:
    base, unread = UNREAD[cloud]
    other = {**unread, "inputs": {**unread["inputs"], "protocol": "17"}}
    tagged = {**unread, "inputs": {**unread["inputs"], "tags": {"team": "net"}}}
    states = {
        "none": state(tmp_path, *base, name="none.json"), "one": state(tmp_path, *base, unread, name="one.json"),
        "other": state(tmp_path, *base, other, name="other.json"), "tags": state(tmp_path, *base, tagged, name="tags.json"),
    }  # fmt: skip
    for old_, new, what in (("none", "one", "is new"), ("one", "none", "is gone"), ("one", "other", "changes")):
        found = run("diff", states[old_], states[new], "--json").json
        (note,) = found["notes"]
        assert note.startswith(f"unread ({unread['type']}) {what}. ")
        assert "nobody can tell what that opens or closes" in note
        assert found["unchanged"] is False
        assert "Nothing changes." not in run("diff", states[old_], states[new]).out
        told = run("comment", states[old_], states[new]).out
        assert ("what nobody reads changes" in told, note in told) == (True, True)
    for new in ("one", "tags"):
        found = run("diff", states["one"], states[new], "--json").json
        assert (found["unchanged"], found["notes"]) == (True, [])
    one = run("explain", "evil.example", "--state", states["one"], "--json").json["targets"]
    assert all(
        any("is not read; it is taken to change nothing" in said for said in each["assumptions"]) for each in one
    )
    assert "is not read" not in run("explain", "evil.example", "--state", states["none"]).out


def test_what_nobody_reads_on_a_cloud_without_a_place_is_no_note(run: Run, tmp_path: Path) -> None:
    before = state(tmp_path, *BASE, name="before.json")
    after = state(tmp_path, *BASE, UNREAD["azure"][1], name="after.json")
    found = run("diff", before, after, "--json").json
    assert (found["unchanged"], found["notes"]) == (True, [])
