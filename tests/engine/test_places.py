"""Where rules land, and what a stack says that blocks nothing, on the real engine."""

from pathlib import Path

import pytest

from engine.lab import Lab, real_engine, well
from hostgate.gcp.resources import ASSOCIATION, POLICY, RULE

pytestmark = real_engine

OWNER = """
import pulumi
import pulumi_gcp as gcp

egress = gcp.compute.NetworkFirewallPolicy("egress", name="egress", project="net-host")
gcp.compute.NetworkFirewallPolicy("decoy", name="egress")
pulumi.export("policy", egress.id)
"""
REFERRING = """
import hostgate
import pulumi
from hostgate.gcp import FirewallPolicyAllowlist

theirs = pulumi.StackReference("organization/owner/dev").get_output("policy")
hosts = hostgate.select("./ours.yaml")
FirewallPolicyAllowlist("referring", hosts=hosts, attach=theirs, deny="declared", base=5000)
"""
HANDMADE = """
import pulumi_gcp as gcp

policy = gcp.compute.NetworkFirewallPolicy("hostgate"{project})
rule = gcp.compute.NetworkFirewallPolicyRule(
    "rule", firewall_policy=policy.name, priority=1, direction="EGRESS", action="deny"{project},
    match={{"dest_ip_ranges": ["0.0.0.0/0"], "layer4_configs": [{{"ip_protocol": "all"}}]}},
)
"""
PATH = "projects/net-host/global/firewallPolicies/egress"


class Apart:
    """A team whose provider is of the project acme, and a network that is of net-host."""

    def __init__(self, folder: Path) -> None:
        sandbox = folder / "sandbox"
        owner = Lab(folder / "owner", sandbox, OWNER, "owner")
        self.owned = owner.up()
        team = Lab(folder / "team", sandbox, name="team")
        team.configure({"gcp": {"attach": PATH, "deny": "declared"}}, team.hosts("a=a.acme.example"))
        self.attached = team.up()
        self.again = team.pulumi("preview", "--expect-no-changes")
        referring = Lab(folder / "referring", sandbox, REFERRING, "referring")
        referring.hosts("a=a.acme.example")
        self.referred = referring.pulumi("up", "--yes", "--skip-preview")
        shared = Lab(folder / "shared", sandbox, name="shared")
        networks = ["projects/net-host/global/networks/main"]
        shared.configure({"gcp": {"networks": networks, "from": ["tagValues/1"]}}, shared.hosts("a=a.acme.example"))
        self.networked = shared.up()
        self.held = owner.state.objects()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Apart:
    return Apart(tmp_path_factory.mktemp("apart"))


def test_rules_go_to_the_policy_that_attach_names_though_the_provider_has_one_of_that_name(apart: Apart) -> None:
    well(apart.owned)
    well(apart.attached)
    assert apart.referred.ok, apart.referred.output
    assert apart.again.ok, apart.again.output
    rules = [each.id for each in apart.held if each.type == RULE and "/egress/" in each.id]
    assert rules == [f"{PATH}/rules/2000", f"{PATH}/rules/5000"]


def test_a_new_policy_is_made_in_the_project_of_its_network(apart: Apart) -> None:
    assert apart.networked.ok, apart.networked.output
    (association,) = [each for each in apart.held if each.type == ASSOCIATION]
    assert association.id.startswith("projects/net-host/global/firewallPolicies/hostgate-")
    assert {each.id.split("/")[1] for each in apart.held if each.type == POLICY} == {"net-host", "acme"}


def test_a_project_that_is_named_from_now_on_and_was_the_provider_s_changes_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox", HANDMADE.format(project=""), "handmade")
    well(lab.up())
    (tmp_path / "project" / "__main__.py").write_text(HANDMADE.format(project=', project="acme"'))
    same = lab.pulumi("preview", "--expect-no-changes")
    assert same.ok, same.output
    (tmp_path / "project" / "__main__.py").write_text(HANDMADE.format(project=', project="net-host"'))
    assert [op for op, _ in lab.preview() if "replace" in op]


def test_a_stack_says_once_before_everything_else_that_it_blocks_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    clouds = {
        "aws": {"regions": ["eu-central-1", "us-east-1"]},
        "gcp": {"project": "acme"},
        "azure": {"resourceGroup": "rg", "mode": "audit"},
    }
    lab.configure(clouds, "chainguard/images@2024-03-28")
    for words in (("up", "--yes", "--skip-preview"), ("preview",)):
        ended = lab.pulumi(*words)
        assert ended.ok, ended.output
        warnings = [line for line in ended.output.splitlines() if "warning: " in line]
        assert "nothing is blocked by aws:rules, gcp:fqdn, azure:application-rules:" in warnings[0]
        told = [line for line in ended.output.splitlines() if line.startswith("      ") and "not-enforced: " in line]
        assert [line.split()[0] for line in told] == ["aws:rules", "gcp:fqdn", "azure:application-rules"]
        assert not any("not-enforced" in line or "audit: " in line for line in warnings)
