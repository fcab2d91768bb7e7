"""The rules of the pack that ask reach, on stacks that nobody made with hostgate: what is met, said once, and accepted."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hostgate.cli.reach_command import command
from hostgate.flows.extent import key_of
from policies.process import AS_OF, OURS, Pack, R, running, write_pack
from policies.resources import (
    GCP_POLICY,
    UNKNOWN,
    arn_of,
    aws_list,
    aws_policy,
    aws_rules,
    aws_stateless,
    azure,
    bridged,
    gateway,
    gcp_classic,
    gcp_denies,
    gcp_rule,
    network,
    proxy_rule,
    stateless,
    tls,
    url_list,
)
from policies.test_reach_on_stacks import a_preview
from policies.test_what_stands_beside import APP, EDGE, EVERY, LIST, NETWORK, ORGANISATION, REGIONAL, guard, regional

CATALOG = OURS.replace(
    "entries:", "entries:\n  - {id: registry, host: cgr.dev, port: 443, protocol: https, purpose: x}"
)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    with running(write_pack(tmp_path_factory.mktemp("pack"))) as started:
        yield started


def said(pack: Pack, resources: Sequence[R]) -> dict[str, str]:
    """What the pack says of a stack, by rule, at whichever level."""
    found: dict[str, str] = {}
    for answer in (pack.stack(resources), *map(pack.resource, resources)):
        for rule, _, _, message in answer.violations:
            found[rule] = f"{found.get(rule, '')}{message}\n"
    return found


def reached(resources: Sequence[R], folder: Path) -> set[str]:
    """The kinds of what `hostgate reach --preview` says of it, and the rules."""
    (folder / "after.json").write_text(json.dumps(a_preview(resources)))
    (folder / "ours.yaml").write_text(CATALOG.lstrip())
    asked = ["--preview", str(folder / "after.json"), "--catalog", str(folder / "ours.yaml"), "--json"]
    ended = CliRunner().invoke(command, asked)
    assert ended.exit_code in (0, 3, 4, 5), ended.output
    points = json.loads(ended.stdout)["points"]
    return {kind for point in points for kind in ("beyond", "missing", "unknown", "dead") if point[kind]}


NAMES = [GCP_POLICY, LIST]
AWS = aws_policy("rules")
HALF = ["128.0.0.0/1"]
TAGGED = {"targetSecureTags": [{"name": "tagValues/1"}]}
DENY6 = gcp_denies()[1]
NATIVE = R(
    "aws-native:networkfirewall:RuleGroup", "native",
    {"ruleGroupName": "native", "type": "STATEFUL", "capacity": 10, "ruleGroup": {
        "rulesSource": {"rulesString": f"{EDGE}\npass tcp any any -> 198.51.100.0/24 25 (sid:2;)\n{tls('cgr.dev')}"},
        "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}}},
)  # fmt: skip
TO_NATIVE = R(
    "aws-native:networkfirewall:FirewallPolicy", "twin",
    {"firewallPolicyName": "twin", "firewallPolicy": {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"},
        "statefulDefaultActions": ["aws:drop_established_app_layer_to_server"],
        "statefulRuleGroupReferences": [{"resourceArn": UNKNOWN, "priority": 1}],
        "policyVariables": {"ruleVariables": {"HOME_NET": {"definition": ["10.0.0.0/8"]}}}}},
    ("native",),
)  # fmt: skip


def with_rules(*rules: dict[str, Any], name: str = "all") -> R:
    """A policy of Google Cloud with its rules in it."""
    token = "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules"
    return R(token, name, {"name": name, "rules": list(rules)})


def rule_in(action: str, priority: int, protocol: str = "all", **match: Any) -> dict[str, Any]:
    matched = {
        "layer4Configs": [{"ipProtocol": protocol, **({"ports": ["443"]} if protocol == "tcp" else {})}],
        **match,
    }
    return {"action": action, "priority": priority, "direction": "EGRESS", "ruleName": f"r{priority}", "match": matched}


LAST = [rule_in("deny", 9000, destIpRanges=["0.0.0.0/0"]), rule_in("deny", 9001, destIpRanges=["::/0"])]
FIRST = rule_in("allow", 100, "tcp", destFqdns=["cgr.dev"])

OPEN: dict[str, Sequence[R]] = {
    "B8 pass ipv4 any any -> any any": [guard("pass ipv4 any any -> any any (sid:2;)"), AWS],
    "B8 a pass of IPv6 to one port and range": [guard("pass ip6 any any -> 2001:db8::/32 any (sid:2;)"), AWS],
    "B8 a pass of one client to one host by another protocol": [
        guard("pass ssh 10.9.9.9/32 any -> 198.51.100.9/32 22 (sid:2;)"), AWS],
    "B8 the same for TCP": [guard("pass tcp 10.9.9.9/32 any -> 198.51.100.9/32 22 (sid:2;)"), AWS],
    "B8 both ways": [guard("pass tcp any any <> 198.51.100.0/24 any (sid:2;)"), AWS],
    "B8 UDP to one range before the edge": [
        aws_rules("pass udp $HOME_NET any -> 198.51.100.0/24 443 (sid:2;)", EDGE, tls("cgr.dev")), AWS],
    "B8 in a group of its own": [
        guard("pass udp any any -> any 65000 (sid:2;)"), aws_rules("pass tcp any any -> any 8443 (sid:7;)", name="more"),
        aws_policy("rules", "more")],
    "B8 names by their ending": [
        guard('pass tls any any -> any 443 (tls.sni; content:".example"; endswith; sid:2;)'), AWS],
    "B8 stateless, of one port": [
        aws_stateless(stateless("aws:pass", protocols=[6], destinationPorts=[{"fromPort": 22, "toPort": 22}])), guard(""),
        aws_policy("rules", stateless_groups=["first"])],
    "B9 goto_next of all before the deny": [
        *NAMES, gcp_rule(name="on", priority=2000, action="goto_next", **EVERY), *gcp_denies()],
    "B9 goto_next of half of IPv4 on one port": [
        *NAMES, gcp_rule(name="on", priority=2000, action="goto_next", ranges=HALF, ports=["8443"]), *gcp_denies()],
    "B9 goto_next for one tag": [
        *NAMES, gcp_rule(name="on", priority=2000, action="goto_next", **EVERY, **TAGGED), *gcp_denies()],
    "B9 a deny with srcIpRanges": [*NAMES, *gcp_denies(match={"srcIpRanges": ["10.0.0.0/8"]})],
    "B9 a deny with destNetworkContext": [*NAMES, *gcp_denies(match={"destNetworkContext": "NON_INTERNET"})],
    "B9 a deny of TCP alone": [*NAMES, *gcp_denies(match={"layer4Configs": [{"ipProtocol": "tcp"}]})],
    "B9 a deny for IPv6 alone": [*NAMES, DENY6],
    "B9 a deny that is disabled": [*NAMES, *gcp_denies(disabled=True)],
    "B10 all of it in a hierarchical policy": [
        *NAMES, *gcp_denies(), NETWORK, regional(gcp_rule(name="up", policy="org", **EVERY), ORGANISATION)],
    "B10 one port in a hierarchical policy": [
        *NAMES, *gcp_denies(), NETWORK, regional(gcp_rule(name="up", policy="org", ranges=["198.51.100.0/24"], ports=["22"]),
                                                 ORGANISATION)],
    "B10 one range in a regional one": [
        *NAMES, *gcp_denies(), regional(gcp_rule(name="near", policy="near", ranges=["198.51.100.0/24"]), REGIONAL)],
    "B10 an address group of one range": [
        *NAMES, gcp_rule(name="wide", match={"destAddressGroups": ["projects/p/locations/global/addressGroups/g"]}),
        R("gcp:networksecurity/addressGroup:AddressGroup", "g", {"name": "g", "items": ["198.51.100.0/24"], "capacity": 9}),
        *gcp_denies()],
    "B10 inspection by a group that nobody sees": [
        *NAMES, gcp_rule(name="look", priority=900, action="apply_security_profile_group", securityProfileGroup="spg", **EVERY),
        *gcp_denies()],
    "B10 a VPC firewall rule of one port": [
        *NAMES, *gcp_denies(), gcp_classic(allows=[{"protocol": "tcp", "ports": ["22"]}])],
    "B10 a policy with its rules in it": [with_rules(FIRST, rule_in("allow", 200, "udp", destIpRanges=["198.51.100.0/24"]), *LAST)],
    "B11 allow of tcp 443 to all in a policy elsewhere": [
        gcp_rule(name="forged", policy="theirs", ranges=["0.0.0.0/0"])],
    "B11 of one range": [gcp_rule(name="forged", policy="theirs", ranges=["198.51.100.0/24"])],
    "B11 of IPv6": [gcp_rule(name="forged", policy="theirs", ranges=["2001:db8::/32"], ports=["8443"])],
    "B11 by a name that no catalog has": [gcp_rule("evil.example", name="forged", policy="theirs")],
    "B11 on Azure": [azure(network(addresses=["198.51.100.7"]), policy="theirs")],
    "B11 on AWS": [aws_rules("pass tcp any any -> 198.51.100.0/24 443 (sid:1;)")],
    "B12 a broader rule of a second list": [
        *NAMES, gcp_rule("apk.cgr.dev", name="late", ports=("8443",), priority=1100), *gcp_denies()],
    "B14 aws-native": [NATIVE, TO_NATIVE],
    "B14 the bridged provider of Azure": [bridged(network(addresses=["198.51.100.0/24"]), policy="hub")],
    "B14 an older API version": [
        R("azure-native:network/v20230901:FirewallPolicyRuleCollectionGroup", "old", azure(
            network(addresses=["198.51.100.0/24"])).properties)],
    "a VPC firewall rule by itself": [
        gcp_classic(allows=[{"protocol": "tcp", "ports": ["22"]}], destinationRanges=["198.51.100.0/24"])],
    "a proxy that lets another port out": [url_list("cgr.dev"), proxy_rule(), *gateway(),
                                           proxy_rule("destination.port == 22", name="ssh", priority=900)],
}  # fmt: skip
"""Stacks that let something out, much or little; each in the form that was met first, and in others of its kind."""

CLOSED: dict[str, Sequence[R]] = {
    "B12 a second list behind the deny of the first": [
        *NAMES, *gcp_denies(), gcp_rule("plain.acme.example", name="late", priority=9500, ports=("80",))],
    "B12 on Azure, behind a deny of the addresses": [
        APP, azure(network(addresses=["0.0.0.0/0"], ports=["*"]), name="none", action="Deny")],
    "B12 on AWS, behind a drop of the port": [
        aws_rules(EDGE, "drop tcp any any -> any 443 (flow:to_server; sid:5;)", tls("cgr.dev")), AWS],
    "B12 one of two rules of a group": [
        aws_rules(EDGE, tls("cgr.dev"), 'drop tls any any -> any any (tls.sni; content:"wide.acme.example"; endswith; sid:5;)',
                  tls("wide.acme.example", sid=6)), AWS],
    "B12 in a policy with its rules in it": [
        with_rules(FIRST, *LAST, rule_in("allow", 9100, "tcp", destFqdns=["wide.acme.example"]))],
    "B12 a proxy's deny before the names": [url_list("cgr.dev"), proxy_rule(), *gateway(), proxy_rule("true", "DENY", 1, "none")],
    "a deny of IPv6 before the names": [
        *NAMES, gcp_rule(name="none", priority=1, action="deny", ranges=["::/0"], ports=("443",)), *gcp_denies()],
}  # fmt: skip
"""Stacks with a rule that decides nothing, or less than it is there for."""

SOUND: dict[str, Sequence[R]] = {
    "AWS, a group": [aws_rules(EDGE, tls("cgr.dev")), AWS],
    "AWS, a group whose contents say what is private": [
        aws_rules("pass ip $HOME_NET any -> $HOME_NET any (sid:4;)", EDGE, tls("cgr.dev")), AWS],
    "AWS, two groups of names whose order nobody knows": [
        aws_rules(EDGE, tls("cgr.dev")), aws_rules(tls("dl.enforce.dev", sid=9), name="more"),
        aws_policy("rules", "more")],
    "AWS, a list with a guard, by ARNs": [
        aws_rules(EDGE, 'drop tls any any -> any !443 (tls.sni; content:"cgr.dev"; startswith; endswith; nocase; sid:5;)',
                  name="guard"), aws_list("cgr.dev"), aws_policy("guard", "list", arns=[arn_of("guard"), arn_of("list")])],
    "AWS, a policy that drops and holds nothing": [aws_rules(EDGE), AWS],
    "Google Cloud": [*NAMES, *gcp_denies()],
    "Google Cloud, for some accounts": [
        GCP_POLICY, gcp_rule("cgr.dev", targetServiceAccounts=["a@p.iam.gserviceaccount.com"]), *gcp_denies()],
    "Google Cloud, for an account that another stack makes": [
        GCP_POLICY, gcp_rule("cgr.dev", targetServiceAccounts=[UNKNOWN]), *gcp_denies()],
    "Google Cloud, in one policy": [with_rules(FIRST, *LAST)],
    "Google Cloud, the policy elsewhere": [LIST],
    "Google Cloud, an address that the settings have": [
        *NAMES, gcp_rule(name="by", ranges=["203.0.113.7/32"]), *gcp_denies()],
    "Azure": [APP],
    "Azure, a range behind the firewall": [APP, azure(network(addresses=["10.0.0.0/8"]), name="inside")],
    "Azure, a name in a network rule": [
        R("azure-native:network:FirewallPolicy", "hub", {"firewallPolicyName": "hub", "dnsSettings": {"enableProxy": True}}),
        azure(network(fqdns=["shell.acme.example"], ports=["22"]))],
    "a web proxy": [url_list("cgr.dev"), proxy_rule(), *gateway()],
}  # fmt: skip
"""Stacks that open what a catalog has and nothing else, before anything of them is made."""

OPENS = {"void-allow", "no-deny", "datagrams-out", "list-without-drop", "domain-list-any-port", "host-not-in-catalog",
         "host-mistaken", "wider-than-catalog", "wildcard-over-others", "proxy-names", "beyond-catalogs"}  # fmt: skip
CLOSES = {"dead-allow", "needed-closed"}


@pytest.mark.parametrize("case", OPEN)
def test_what_lets_something_out_is_met_by_the_pack_and_by_the_command(case: str, pack: Pack, tmp_path: Path) -> None:
    found = said(pack, OPEN[case])
    assert OPENS & set(found), found
    assert reached(OPEN[case], tmp_path) & {"beyond", "unknown"}


@pytest.mark.parametrize("case", CLOSED)
def test_what_is_closed_by_another_rule_is_met_by_both(case: str, pack: Pack, tmp_path: Path) -> None:
    found = said(pack, CLOSED[case])
    assert CLOSES & set(found), found
    assert reached(CLOSED[case], tmp_path) & {"missing", "dead"}


@pytest.mark.parametrize("case", SOUND)
def test_a_sound_stack_passes_at_its_first_preview(case: str, pack: Pack) -> None:
    found = said(pack, SOUND[case])
    assert not (OPENS | CLOSES) & set(found), found


UNREAD = [
    R("aws:ec2/networkAclRule:NetworkAclRule", "entry", {"egress": True, "cidrBlock": "0.0.0.0/0"}),
    R("aws-native:ec2:SecurityGroup", "native", {"securityGroupEgress": [{"cidrIp": "0.0.0.0/0"}]}),
    R("aws-native:ec2:PrefixList", "list", {"entries": [{"cidr": "0.0.0.0/0"}]}),
]


@pytest.mark.parametrize("resource", UNREAD, ids=lambda each: each.type)
def test_what_nobody_reads_is_said_by_the_pack_and_by_the_command(resource: R, pack: Pack, tmp_path: Path) -> None:
    assert "not-read" in said(pack, [resource])
    (tmp_path / "after.json").write_text(json.dumps(a_preview([aws_rules(EDGE, tls("cgr.dev")), AWS, resource])))
    (tmp_path / "ours.yaml").write_text(CATALOG.lstrip())
    ended = CliRunner().invoke(
        command, ["--preview", str(tmp_path / "after.json"), "--catalog", str(tmp_path / "ours.yaml")]
    )
    assert f"{resource.name} ({resource.type})" in " ".join(ended.output.split())


@pytest.mark.parametrize(
    ("stack", "assumed"),
    [
        ([*NAMES, *gcp_denies()], True),
        ([azure(network(fqdns=["shell.acme.example"], ports=["22"]))], True),
        ([with_rules(FIRST, *LAST)], True),
        ([APP], False),
        ([aws_rules(EDGE, tls("cgr.dev")), AWS], False),
    ],
)
def test_b13_what_shares_an_address_is_assumed_where_names_are_looked_up(
    stack: Sequence[R], assumed: bool, tmp_path: Path
) -> None:
    (tmp_path / "after.json").write_text(json.dumps(a_preview(stack)))
    (tmp_path / "ours.yaml").write_text(CATALOG.lstrip())
    asked = ["--preview", str(tmp_path / "after.json"), "--catalog", str(tmp_path / "ours.yaml")]
    assert ("it would pass as well (`address-only`)" in CliRunner().invoke(command, asked).output) is assumed


def test_a_line_of_the_pack_is_accepted_by_the_id_that_the_command_prints(tmp_path: Path) -> None:
    stack = OPEN["B8 both ways"]
    (tmp_path / "after.json").write_text(json.dumps(a_preview(stack)))
    (tmp_path / "ours.yaml").write_text(CATALOG.lstrip())
    asked = ["--preview", str(tmp_path / "after.json"), "--catalog", str(tmp_path / "ours.yaml"), "--json"]
    (point,) = json.loads(CliRunner().invoke(command, asked).stdout)["points"]
    (line,) = point["beyond"]
    assert line["rule"] == "rules#2"
    accepted = f"""
catalogs: [chainguard/images@2024-03-28]
exempt:
  - {{rule: beyond-catalogs, id: "{line["id"]}", because: The relay, owner: mail team, until: "DAY"}}
"""
    for day, exempt in ((AS_OF, True), ("2026-01-01", False)):
        with running(write_pack(tmp_path / day, accepted.replace("DAY", day))) as pack:
            answer = pack.stack(stack)
        told = "".join(message for _, message in answer.of("beyond-catalogs"))
        assert bool(told) is not exempt
        assert exempt or (f'`id: "{line["id"]}"`' in told and "owner mail team" in answer.of("exemption-ended")[0][1])


def test_an_exemption_of_a_line_that_has_widened_exempts_nothing_and_is_told(tmp_path: Path) -> None:
    wide = OPEN["B8 both ways"]
    (tmp_path / "after.json").write_text(json.dumps(a_preview(wide)))
    (tmp_path / "ours.yaml").write_text(CATALOG.lstrip())
    asked = ["--preview", str(tmp_path / "after.json"), "--catalog", str(tmp_path / "ours.yaml"), "--json"]
    (point,) = json.loads(CliRunner().invoke(command, asked).stdout)["points"]
    was = f"{key_of(point['beyond'][0]['id'])}-00000000"
    exempt = f"""
catalogs: [chainguard/images@2024-03-28]
exempt: [{{rule: beyond-catalogs, id: {was}, because: The relay, until: "{AS_OF}"}}]
"""
    with running(write_pack(tmp_path, exempt)) as pack:
        ((_, told),) = pack.stack(wide).of("beyond-catalogs")
    assert f"({was} is exempt, and the line has changed since)" in told


def test_an_id_stays_when_the_stack_is_there(pack: Pack) -> None:
    """The ARN of a policy is known after an update alone, and by it its place is called."""
    rules, policy = OPEN["B8 both ways"]
    there = R(policy.type, policy.name, {**policy.properties, "arn": "arn:aws:network-firewall:x:1:firewall-policy/policy"},
              policy.made_from)  # fmt: skip
    first, then = (pack.stack([rules, each]).of("beyond-catalogs") for each in (policy, there))
    assert first == then
    assert first


FLOW = "https 80 to any other name, at 198.51.100.7, from 10.0.0.7"


def test_a_line_has_a_flow_the_rule_and_whose_it_is(pack: Pack) -> None:
    ((_, message),) = pack.stack(OPEN["B8 both ways"]).of("beyond-catalogs")
    assert f"rules#2: {FLOW}" in message
    assert "open, and in no catalog (this stack): passed by a rule of rules." in message


NOT_KNOWN: dict[str, tuple[Sequence[R], str]] = {
    "ports of a rule beside names": (
        [*NAMES, gcp_rule(name="side", ranges=["198.51.100.0/24"], ports=(UNKNOWN,)), *gcp_denies()],
        "Not known yet: side: match.layer4Configs[0].ports[0]."),
    "addresses of Azure": (
        [APP, azure(network(addresses=UNKNOWN, ports=["22"]), name="side")],
        "Not known yet: side: ruleCollections[0].rules[0].destinationAddresses"),
    "the order of a guard and a list": (
        [aws_rules(EDGE, 'drop tls any any -> any !443 (tls.sni; content:"cgr.dev"; startswith; endswith; nocase; sid:5;)',
                   name="guard"), aws_list("cgr.dev"), aws_policy("guard", "list")],
        "Not known yet: policy: firewallPolicy.statefulRuleGroupReferences[0].resourceArn"),
    "the default actions": (
        [aws_rules(tls("cgr.dev")), aws_policy("rules", defaults=UNKNOWN)], "a default action of the policy, not known yet"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_KNOWN)
def test_what_hangs_on_a_value_that_is_not_known_says_which(case: str, pack: Pack) -> None:
    resources, value = NOT_KNOWN[case]
    told = said(pack, resources)
    assert value in "".join(told[rule] for rule in told if rule in OPENS)
    assert "cannot be judged" in "".join(told[rule] for rule in told if rule in OPENS)


@pytest.mark.parametrize(
    ("case", "rule"),
    [
        ("B8 pass ipv4 any any -> any any", "void-allow"),
        ("B9 a deny for IPv6 alone", "no-deny"),
        ("B11 by a name that no catalog has", "host-not-in-catalog"),
        ("B12 a broader rule of a second list", "host-not-in-catalog"),
    ],
)
def test_what_a_rule_by_a_pattern_says_is_said_once(case: str, rule: str, pack: Pack) -> None:
    told = said(pack, OPEN[case])
    assert rule in told
    assert "beyond-catalogs" not in told


@pytest.mark.parametrize("level", ["advisory", "disabled"])
def test_what_is_said_at_a_lower_level_is_said_again(level: str, tmp_path: Path) -> None:
    settings = f"catalogs: [chainguard/images@2024-03-28]\nlevels: {{void-allow: {level}}}\n"
    with running(write_pack(tmp_path / "pack", settings)) as lenient:
        assert "rules#2" in lenient.stack(OPEN["B8 pass ipv4 any any -> any any"]).of("beyond-catalogs")[0][1]


def test_a_stack_in_which_nothing_judges_has_nothing_to_reach(pack: Pack) -> None:
    answer = pack.stack(
        [R("aws:s3/bucket:Bucket", "bucket", {}), R("gcp:compute/network:Network", "main", {"name": "m"})]
    )
    assert not answer.of("beyond-catalogs")
    assert answer.not_applicable["beyond-catalogs"] == "no rule of this stack judges what leaves"
    assert {"needed-closed", "dead-allow"} <= set(answer.not_applicable)


def test_every_policy_has_a_name_for_people_a_page_tags_and_what_it_is_held_to(pack: Pack) -> None:
    told = {each.name: each for each in pack.info().policies}
    assert told["beyond-catalogs"].displayName == "Nothing beyond the catalogs is open"
    assert told["home-net"].displayName == "Home net"
    assert {each.url.rpartition("/")[2] for each in told.values()} == {"policies.md#rules"}
    assert list(told["datagrams-out"].tags) == ["egress", "stack", "aws"]
    assert {each.framework.reference for each in told.values()} == {"chainguard/images@2024-03-28, acme/ours"}
    assert all(each.framework.specification for each in told.values())
    assert pack.info().displayName == "hostgate: egress allowlists"


def test_a_route_that_leads_past_a_firewall_of_a_policy_elsewhere_is_named(pack: Pack) -> None:
    subnets = [R("aws:ec2/subnet:Subnet", name, {"id": name, "vpcId": "vpc-1", "cidrBlock": cidr})
               for name, cidr in (("subnet-fw", "10.0.0.0/28"), ("subnet-app", "10.0.1.0/24"))]  # fmt: skip
    stack = [
        R("aws:ec2/vpc:Vpc", "vpc-1", {"id": "vpc-1", "cidrBlock": "10.0.0.0/16", "mainRouteTableId": "rtb-main"}),
        R("aws:networkfirewall/firewall:Firewall", "fw", {
            "vpcId": "vpc-1", "firewallPolicyArn": "arn:aws:network-firewall:x:1:firewall-policy/theirs",
            "subnetMappings": [{"subnetId": "subnet-fw"}]}),
        *subnets,
        R("aws:ec2/routeTable:RouteTable", "rtb-app", {"id": "rtb-app", "vpcId": "vpc-1", "routes": []}),
        R("aws:ec2/routeTableAssociation:RouteTableAssociation", "a", {"routeTableId": "rtb-app", "subnetId": "subnet-app"}),
        R("aws:ec2/internetGateway:InternetGateway", "igw-1", {"id": "igw-1", "vpcId": "vpc-1"}),
        R("aws:ec2/route:Route", "out", {"routeTableId": "rtb-app", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}),
    ]  # fmt: skip
    assert "go to" in "".join(message for _, message in pack.stack(stack).of("beyond-catalogs"))
    assert not pack.stack(stack[:-1]).of("beyond-catalogs")
