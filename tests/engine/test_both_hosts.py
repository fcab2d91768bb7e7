"""Both hosts of a preview refuse alike, in the same words: what cannot be is said before anything is made, and `up` says it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.lab import Lab, real_engine, well
from hostgate.sandbox.builtin_preview import Preview, PreviewError, preview
from hostgate.sandbox.engine_preview import preview as preview_of_engine

pytestmark = real_engine

TWO_ON_ONE = """
import hostgate
from hostgate.azure import FirewallPolicyAllowlist as Azure
from hostgate.gcp import FirewallPolicyAllowlist as Google

hosts = hostgate.select("chainguard/images@2026-02-23")
for name, base in (("one", {base}), ("two", {base})):
    Google(name, hosts=hosts, attach="projects/acme/global/firewallPolicies/egress", base=base,
           from_=[f"{{name}}@acme.iam.gserviceaccount.com"])
    Azure(name, hosts=hosts, attach="/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/"
          "Microsoft.Network/firewallPolicies/hub", from_=["10.0.0.0/8"], base=base)
"""
OWNER = """
import pulumi_azure_native as azure
import pulumi_gcp as gcp

gcp.compute.NetworkFirewallPolicy("egress", name="egress")
group = azure.resources.ResourceGroup("rg", resource_group_name="rg")
azure.network.FirewallPolicy("hub", firewall_policy_name="hub", resource_group_name=group.name)
"""


def _words(text: str) -> str:
    return "".join(text.replace("two", "one").split())


@pytest.fixture
def team(tmp_path: Path) -> Lab:
    owner = Lab(tmp_path / "owner", tmp_path / "sandbox", OWNER, "owner")
    well(owner.up())
    return Lab(tmp_path / "team", tmp_path / "sandbox", name="team")


def test_two_allowlists_with_one_base_are_refused_by_both_hosts_in_the_same_words_before_anything_is_made(
    team: Lab,
) -> None:
    (team.project / "__main__.py").write_text(TWO_ON_ONE.format(base=3000))
    with pytest.raises(PreviewError) as builtin:
        preview(team.project, "dev", {"gcp:project": "acme"})
    engine = team.pulumi("preview")
    assert not engine.ok
    refusals = [each for each in builtin.value.problems if "unique in the policy; " in each.allowed]
    assert {each.type.partition(":")[0] for each in refusals} == {"gcp", "azure-native"}
    # The engine ends at the first, folds lines, and asks about either of the two first.
    said = _words(engine.output)
    assert any(_words(each.allowed) in said for each in refusals)
    before = len(team.state.objects())
    assert not team.pulumi("up", "--yes").ok
    assert len(team.state.objects()) == before


def refusals(host: Callable[[Path], Preview], project: Path) -> list[str]:
    """What a host says of a program that it refuses; the command prints it and exits with 1."""
    with pytest.raises(PreviewError) as caught:
        host(project)
    return [str(problem) for problem in caught.value.problems]


GROUP = """
aws.networkfirewall.RuleGroup("g", capacity={}, type="STATEFUL", rule_group={{
    "rules_source": {{"rules_string": "pass tls any any -> any any (sid:1;)"}},
    "stateful_rule_options": {{"rule_order": "STRICT_ORDER"}}}})
"""
UNTRANSLATED = """
azure.network.FirewallPolicyRuleCollectionGroup("g", resource_group_name="rg", firewall_policy_name="fp", priority=1000,
    rule_collections=[{"rule_collection_type": "FirewallPolicyFilterRuleCollection", "name": "a", "priority": 100,
                       "action": {"type": "Allow"}, "rules": []}])
"""
ONE_PRIORITY = """
rules = []
for name in "ab":
    rules.append(gcp.compute.NetworkFirewallPolicyRule(name, firewall_policy="p", direction="EGRESS", action="allow",
        priority=1000, match={"dest_fqdns": ["cgr.dev"], "layer4_configs": [{"ip_protocol": "tcp", "ports": ["443"]}]},
        opts=pulumi.ResourceOptions(depends_on=list(rules))))
"""
READ = "aws.networkfirewall.FirewallPolicy.get('p', 'arn:aws:network-firewall:eu-central-1:1:firewall-policy/x')"
ADOPTED = """
gcp.compute.NetworkFirewallPolicy("p", name="p", opts=pulumi.ResourceOptions(import_="projects/acme/p"))
"""
OPAQUE_ADOPTED = """
aws.ec2.Vpc("v", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(import_="vpc-12345678"))
"""
WRONG_MODE = """
import hostgate
from hostgate.aws import NetworkFirewallAllowlist

NetworkFirewallAllowlist("a", hosts=hostgate.select("chainguard/images@2026-02-23"), mode="enforced")
"""

PROGRAMS: list[tuple[str, str, str]] = [
    ("a number out of bounds", GROUP.format(99_999), "capacity: out of range"),
    ("two reasons for one input", GROUP.format(0), "capacity: capacity exceeded"),
    ("keys that the SDK does not translate", UNTRANSLATED, "snake_case that the SDK did not translate"),
    ("one priority twice", ONE_PRIORITY, "unique in the policy; a has it already"),
    ("an option of ours", WRONG_MODE, "Allowed: 'enforce' or 'audit'"),
    ("an input that an opaque resource has not",
     "pulumi.CustomResource('aws:ec2/vpc:Vpc', 'x', {'cidrBlok': '10.0.0.0/16'})", "cidrBlok: unknown property"),
    ("an input that an opaque resource must have",
     "pulumi.CustomResource('aws:ec2/subnet:Subnet', 'x', {})", "vpcId: missing"),
    ("an input that the SDK wants", "aws.ec2.Subnet('x')", "Missing required property 'vpc_id'"),
    ("a type that no SDK has", "pulumi.CustomResource('aws:ec2/nothing:Nothing', 'x', {})",
     "x (aws:ec2/nothing:Nothing): no simulated cloud has the resource type"),
    ("a provider without an SDK", "pulumi.CustomResource('random:index/randomId:RandomId', 'x', {})",
     "the Python SDK of the provider random"),
    ("a function that no SDK has", "pulumi.runtime.invoke('aws:ec2/getNothing:getNothing', {})",
     "no simulated cloud has the function aws:ec2/getNothing:getNothing"),
    ("one name twice", "for _ in '12':\n    aws.ec2.Vpc('v', cidr_block='10.0.0.0/16')", "Duplicate resource URN"),
    ("another stack", "pulumi.StackReference('organization/other/dev')", 'unknown stack "organization/other/dev": a '),
    ("a simulated object that is not there", READ, "does not exist: a preview is of empty clouds"),
    ("an adoption of what is not there", ADOPTED, "does not exist: a preview is of empty clouds"),
    ("an adoption of what is not simulated", OPAQUE_ADOPTED, "vpc-12345678 cannot be adopted here"),
    ("config that is missing", "pulumi.Config().require('size')", "Missing required configuration variable 'demo:size'"),
    ("an exception", "raise ValueError('no such thing')", "ValueError: no such thing"),
    ("an end of its own", "import sys\nsys.exit(3)", "the program ended itself: exit 3"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "says"), [case[1:] for case in PROGRAMS], ids=[case[0] for case in PROGRAMS])
def test_both_hosts_refuse_with_the_same_words_and_up_refuses_before_anything_is_made(
    tmp_path: Path, program: str, says: str
) -> None:
    imports = "import pulumi\nimport pulumi_aws as aws\nimport pulumi_azure_native as azure\nimport pulumi_gcp as gcp\n"
    lab = Lab(tmp_path / "demo", tmp_path / "sandbox", imports + program, "demo")
    builtin = refusals(lambda folder: preview(folder, "dev", {"gcp:project": "acme"}), lab.project)
    assert says in builtin[0] or says in builtin[-1]
    assert refusals(lambda folder: preview_of_engine(folder, "dev"), lab.project) == builtin
    ended = lab.pulumi("up", "--yes", "--skip-preview")
    assert not ended.ok
    made = lab.state.objects()
    assert made == [] or (says.startswith("Duplicate") and len(made) == 1)  # the engine may have begun with the first


def test_two_allowlists_that_give_no_base_stand_beside_each_other_in_the_order_of_the_program(team: Lab) -> None:
    (team.project / "__main__.py").write_text(TWO_ON_ONE.format(base=None))
    shown = preview(team.project, "dev", {"gcp:project": "acme"})
    up = team.pulumi("up", "--yes", "--skip-preview")

    assert up.ok, up.output
    made = {held.name: held.inputs["priority"] for held in team.state.objects() if "priority" in held.inputs}
    planned = {each.name: each.inputs["priority"] for each in shown.resources if "priority" in each.inputs}
    assert {int(each) for each in planned.values()} == {int(each) for each in made.values()}
    by_name = {"".join(name.split("hostgate-")): int(priority) for name, priority in planned.items()}
    assert (by_name["one-allow-tcp-443"], by_name["two-allow-tcp-443"]) == (2000, 2008)
    assert (by_name["one-deny-ipv4"], by_name["two-deny-ipv4"]) == (10_002_010, 10_002_018)
    assert (by_name["one"], by_name["two"]) == (2000, 2100)
