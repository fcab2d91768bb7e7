"""`hostgate diff` on what may open because a value is not known yet: it stops where something stood that was known to be closed,
names the value, and leaves first previews of sound stacks alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run
from cli.test_diff_standing import document
from policies.process import R
from policies.resources import (
    UNKNOWN,
    aws_group,
    aws_policy,
    aws_rules,
    azure,
    gcp_denies,
    gcp_rule,
    network,
    proxy_rule,
    url_list,
)
from policies.test_what_stands_beside import APP, EDGE, LIST, NAMES, PROXY

PREFIXES = "aws:ec2/managedPrefixList:ManagedPrefixList"
HUB = R("azure-native:network:FirewallPolicy", "hub", {"firewallPolicyName": "hub"})
EGRESS = R("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "egress", {"name": "egress"})
AWS, AZURE, GCP = [NAMES, aws_policy("rules")], [HUB, APP], [EGRESS, LIST, *gcp_denies()]


def more(group: R) -> list[R]:
    return [NAMES, group, aws_policy("rules", "more")]


def by_set(*, arn: Any, made_from: Sequence[str] = ()) -> R:
    text = f"{EDGE}\npass tcp $HOME_NET any -> @VENDORS 443 (flow:to_server; sid:7;)"
    reference = {"key": "VENDORS", "ipSetReferences": [{"referenceArn": arn}]}
    made = aws_group({"rulesString": text}, name="more", referenceSets={"ipSetReferences": [reference]})
    return R(made.type, made.name, made.properties, made_from)


def prefixes(entries: Any = ({"cidr": "203.0.113.0/24"},)) -> R:
    held = entries if entries == UNKNOWN else list(entries)
    return R(PREFIXES, "vendors", {"name": "vendors", "entries": held, "addressFamily": "IPv4", "maxEntries": 5})


def to_group(name: str = "wide", made_from: Sequence[str] = ()) -> R:
    rule = {**network(), "destinationIpGroups": [UNKNOWN]}
    made = azure(rule, name=name)
    return R(made.type, made.name, made.properties, made_from)


def ip_group(addresses: Any) -> R:
    return R("azure-native:network:IpGroup", "vendors", {"ipGroupName": "vendors", "ipAddresses": addresses})


def by_address_group(made_from: Sequence[str] = ()) -> R:
    return gcp_rule(name="wide", made_from=made_from, match={
        "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}], "destAddressGroups": [UNKNOWN]})  # fmt: skip


def address_group(items: Any) -> R:
    return R("gcp:networksecurity/addressGroup:AddressGroup", "vendors", {"name": "vendors", "items": items})


def egress(name: str = "wide", made_from: Sequence[str] = (), **to: Any) -> R:
    told = {"securityGroupId": "sg-0a", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **to}
    return R("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", name, told, made_from)


def legacy(**to: Any) -> R:
    told = {"securityGroupId": "sg-0a", "type": "egress", "protocol": "tcp", "fromPort": 443, "toPort": 443, **to}
    return R("aws:ec2/securityGroupRule:SecurityGroupRule", "wide", told)


def acl(name: str, number: int, **to: Any) -> list[R]:
    told = {"networkAclId": "acl-0a", "ruleNumber": number, "ruleAction": "allow", "protocol": "6"}
    ports = {True: {"fromPort": 443, "toPort": 443}, False: {"fromPort": 1024, "toPort": 65535}}
    return [
        R("aws:ec2/networkAclRule:NetworkAclRule", f"{name}{'' if out else '-back'}", {**told, "egress": out, **ports[out], **to})
        for out in (True, False)
    ]  # fmt: skip


GROUPS = [
    R(
        PREFIXES,
        "ours",
        {"name": "ours", "entries": [{"cidr": "203.0.113.7/32"}], "addressFamily": "IPv4", "maxEntries": 5},
    ),
    egress("vendor", ("ours",), prefixListId=UNKNOWN),
]
ACLS = acl("vendor", 100, cidrBlock="203.0.113.7/32")

MAY_OPEN: dict[str, tuple[Sequence[R], Sequence[R], str]] = {
    "AWS, rules that a program will write": (
        AWS, more(aws_group({"rulesString": UNKNOWN}, name="more")), "more: ruleGroup.rulesSource.rulesString"),
    "AWS, a prefix list of another stack": (
        AWS, more(by_set(arn=UNKNOWN)),
        "more: ruleGroup.referenceSets.ipSetReferences[0].ipSetReferences[0].referenceArn"),
    "AWS, what a prefix list of the stack will hold": (
        AWS, [*more(by_set(arn=UNKNOWN, made_from=("vendors",))), prefixes(UNKNOWN)], "more: ruleGroup."),
    "AWS, the default action": (AWS, [NAMES, aws_policy("rules", defaults=UNKNOWN)], ""),
    "Azure, addresses": (AZURE, [*AZURE, azure(network(addresses=[UNKNOWN]), name="wide")],
                         "wide: ruleCollections[0].rules[0].destinationAddresses[0]"),
    "Azure, names": (AZURE, [*AZURE, azure(network(fqdns=[UNKNOWN]), name="wide")],
                     "wide: ruleCollections[0].rules[0].destinationFqdns[0]"),
    "Azure, a whole group": (
        AZURE, [*AZURE, R(APP.type, "wide", {**APP.properties, "ruleCollections": UNKNOWN})], "wide: ruleCollections"),
    "Azure, an IP group of another stack": (
        AZURE, [*AZURE, to_group()], "wide: ruleCollections[0].rules[0].destinationIpGroups[0]"),
    "Azure, what an IP group of the stack will hold": (
        AZURE, [*AZURE, to_group(made_from=("vendors",)), ip_group(UNKNOWN)], "wide: ruleCollections"),
    "Google Cloud, ranges": (GCP, [*GCP, gcp_rule(name="wide", ranges=[UNKNOWN])], "wide: match.destIpRanges[0]"),
    "Google Cloud, an action": (GCP, [*GCP, gcp_rule(name="wide", ranges=["0.0.0.0/0"], action=UNKNOWN)], "wide: action"),
    "Google Cloud, an address group of another stack": (
        GCP, [*GCP, by_address_group()], "wide: match.destAddressGroups[0]"),
    "Google Cloud, what an address group of the stack will hold": (
        GCP, [*GCP, by_address_group(("vendors",)), address_group(UNKNOWN)], "wide: match"),
    "AWS, a range of a security group": (GROUPS, [*GROUPS, egress(cidrIpv4=UNKNOWN)], "wide: cidrIpv4"),
    "AWS, ranges of an older rule": (GROUPS, [*GROUPS, legacy(cidrBlocks=UNKNOWN)], "wide: cidrBlocks"),
    "AWS, a range of a network ACL": (ACLS, [*ACLS, *acl("wide", 90, cidrBlock=UNKNOWN)], "wide: cidrBlock"),
    "a web proxy, a matcher": (PROXY, [*PROXY, proxy_rule(UNKNOWN, priority=1, name="wide")], "wide: sessionMatcher"),
}  # fmt: skip
"""What stands, what a preview leaves, and the value that is not known yet."""


@pytest.mark.parametrize("case", MAY_OPEN)
def test_what_stood_closed_and_may_open_everything_stops_and_the_value_is_named(
    run: Run, tmp_path: Path, case: str
) -> None:
    before, after, value = MAY_OPEN[case]
    base, head = document(tmp_path, "base.json", before), document(tmp_path, "head.json", after)
    found = run("diff", base, head, "--json")
    (trip,) = found.json["guards"]["tripped"]
    assert (found.code, trip["guard"], "Everything may open" in trip["message"]) == (1, "never-open-all", True)
    assert value in trip["message"]
    assert found.json["risks"][0]["id"] == "everything-perhaps"
    assert "everything may open on" in run("comment", base, head).out
    counted = run("diff", base, head, "--max-opened", 100, "--override", "known").out
    assert "Everything may open, allowed 100." in counted
    known = run("diff", head, head, "--json")
    assert (known.code, known.json["unchanged"]) == (0, True), "what was not known and stays so opens nothing"


MAY_NOT: dict[str, tuple[Sequence[R], Sequence[R]]] = {
    "AWS, a prefix list of the stack": (AWS, [*more(by_set(arn=UNKNOWN, made_from=("vendors",))), prefixes()]),
    "AWS, a prefix list that others keep": (
        AWS, more(by_set(arn="arn:aws:ec2:eu-central-1:1:prefix-list/pl-1"))),
    "AWS, groups that only pass names, in whatever order": (AWS, more(aws_rules(EDGE, name="more"))),
    "AWS, a security group that is not there yet": (
        GROUPS, [*GROUPS, egress(referencedSecurityGroupId=UNKNOWN), legacy(sourceSecurityGroupId=UNKNOWN)]),
    "Azure, a service tag": (AZURE, [*AZURE, azure(network(addresses=["Storage"]), name="wide")]),
    "Azure, an IP group of the stack": (
        AZURE, [*AZURE, to_group(made_from=("vendors",)), ip_group(["203.0.113.0/24"])]),
    "Azure, who it is for": (
        AZURE, [*AZURE, azure(network(addresses=["203.0.113.0/24"], sources=[UNKNOWN]), name="wide")]),
    "Google Cloud, who it is for": (
        GCP, [*GCP, gcp_rule(name="wide", ranges=["203.0.113.0/24"], targetServiceAccounts=[UNKNOWN])]),
    "Google Cloud, an address group of the stack": (
        GCP, [*GCP, by_address_group(("vendors",)), address_group(["203.0.113.0/24"])]),
    "a web proxy, a rule for a list": (PROXY, [*PROXY, url_list("apk.cgr.dev", name="more")]),
}  # fmt: skip
"""What is not known opens little, whatever it is, or what is known settles it."""


@pytest.mark.parametrize("case", MAY_NOT)
def test_what_cannot_open_everything_does_not_stop(run: Run, tmp_path: Path, case: str) -> None:
    before, after = MAY_NOT[case]
    base, head = document(tmp_path, "base.json", before), document(tmp_path, "head.json", after)
    found = run("diff", base, head, "--json")
    assert (found.code, found.json["guards"]["tripped"]) == (0, [])


@pytest.mark.parametrize("case", MAY_OPEN)
def test_where_nothing_stood_nothing_stops(run: Run, tmp_path: Path, case: str) -> None:
    after = MAY_OPEN[case][1]
    first = document(tmp_path, "head.json", after)
    found = run("diff", f"deployed:{first}", first, "--json")
    assert (found.code, found.json["guards"]["tripped"]) == (0, [])
