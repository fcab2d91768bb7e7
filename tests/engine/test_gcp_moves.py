"""A Google Cloud policy that is renamed, moved or of another scope, on the real engine: never a moment open."""

from pathlib import Path

from engine.lab import Lab, real_engine, well
from hostgate.gcp.resources import REGION_RULE, RULE
from hostgate.sandbox.enforcement_points import points

pytestmark = real_engine

NETWORK = "projects/acme/global/networks/main"
NETWORKS = {"networks": [NETWORK]}

PROGRAM = """
import pulumi
import hostgate
from hostgate.gcp import FirewallPolicyAllowlist

hosts = hostgate.select("./ours.yaml")
FirewallPolicyAllowlist("{name}", hosts=hosts, networks=["{network}"], opts=pulumi.ResourceOptions(aliases={aliases}))
"""
OF_THE_NETWORK = """
import pulumi_gcp as gcp

policy = gcp.compute.NetworkFirewallPolicy("projects", name="projects")
gcp.compute.NetworkFirewallPolicyAssociation("main", name="main", attachment_target="{network}", firewall_policy=policy.name)
"""


def laboratory(folder: Path) -> Lab:
    return Lab(folder / "project", folder / "sandbox")


def test_a_component_that_is_renamed_by_alias_keeps_its_policy_and_its_association(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox", PROGRAM.format(name="old", network=NETWORK, aliases=[]))
    lab.hosts("a=a.acme.example")
    assert lab.up().ok
    (place,) = points(lab.state.objects())
    aliases = '[pulumi.Alias(name="old")]'
    (tmp_path / "project" / "__main__.py").write_text(PROGRAM.format(name="new", network=NETWORK, aliases=aliases))
    renamed = lab.up()
    assert renamed.ok, renamed.output
    assert not renamed.update.done("create")
    assert not renamed.update.done("delete")
    assert [each.policy for each in points(lab.state.objects())] == [place.policy]
    again = lab.pulumi("preview", "--expect-no-changes")
    assert again.ok, again.output


def test_a_regional_policy_lives_and_its_hosts_change_in_place(tmp_path: Path) -> None:
    lab = laboratory(tmp_path)
    lab.configure({"gcp": {**NETWORKS, "region": "europe-west1"}}, lab.hosts("a=a.acme.example"))
    first = lab.up()
    assert first.ok, first.output
    assert {each.id.split("/")[3] for each in lab.state.objects()} == {"europe-west1"}
    assert not lab.state.objects(RULE)
    lab.hosts("a=a.acme.example", "b=b.acme.example")
    second = lab.up()
    assert second.update.done("update") == ["RegionNetworkFirewallPolicyRule hostgate-allow-tcp-443"], second.output
    assert lab.pulumi("preview", "--expect-no-changes").ok
    lab.configure({"gcp": {**NETWORKS, "region": "europe-west1", "from": ["10.0.0.0/8", "fd00::/8"]}}, "./ours.yaml")
    narrowed = lab.up()
    assert narrowed.ok, narrowed.output
    assert len(lab.state.objects(REGION_RULE)) == 6
    assert lab.pulumi("destroy", "--yes", "--skip-preview").ok
    assert not lab.state.objects()


def test_a_hierarchical_policy_that_gets_another_name_takes_its_node_over_without_a_moment_open(tmp_path: Path) -> None:
    owner = Lab(tmp_path / "owner", tmp_path / "sandbox", OF_THE_NETWORK.format(network=NETWORK), "owner")
    assert owner.up().ok
    lab = laboratory(tmp_path)
    above = {"parent": "organizations/1", "nodes": ["organizations/1"]}
    lab.configure({"gcp": above}, lab.hosts("a=a.acme.example"))
    assert lab.up().update.done("create")[0] == "FirewallPolicy hostgate"  # until then the project's own policy judged
    again = lab.pulumi("preview", "--expect-no-changes")
    assert again.ok, again.output
    lab.hosts("b=b.acme.example")
    assert well(lab.up()).update.done("update")
    lab.configure({"gcp": {**above, "name": "acme", "formerly": "hostgate", "parent": "folders/2"}}, "./ours.yaml")
    moved = well(lab.up()).update
    assert moved.done("update") == ["FirewallPolicyAssociation hostgate-organizations-1"]
    assert "FirewallPolicy hostgate" in moved.done("delete")


def test_a_stack_that_is_renamed_keeps_its_policy_on_the_network_at_every_moment(tmp_path: Path) -> None:
    lab = laboratory(tmp_path)
    lab.configure({"gcp": NETWORKS}, lab.hosts("a=a.acme.example"))
    assert well(lab.up()).ok
    before = [each.policy for each in points(lab.state.objects())]
    lab.configure({"gcp": {**NETWORKS, "name": "acme"}}, "./ours.yaml")
    refused = lab.up()
    assert "is associated with" in refused.output
    assert "hostgate diff" in refused.output
    assert not refused.ok
    assert not refused.wrong
    assert [each.policy for each in points(lab.state.objects()) if not each.remark] == before
    lab.configure({"gcp": NETWORKS}, "./ours.yaml")
    assert well(lab.up()).ok
    lab.configure({"gcp": {**NETWORKS, "name": "acme", "formerly": "hostgate"}}, "./ours.yaml")
    renamed = well(lab.up()).update
    assert {line.split()[0] for line in renamed.done("update")} == {"NetworkFirewallPolicyRule"}
    assert [each.policy for each in points(lab.state.objects())] == before


def test_a_base_that_is_far_enough_away_moves_every_rule_without_a_moment_open(tmp_path: Path) -> None:
    lab = laboratory(tmp_path)
    lab.configure({"gcp": NETWORKS}, lab.hosts("a=a.acme.example"))
    assert well(lab.up()).ok
    for base in (2012, 2000, 3_000_000):
        lab.configure({"gcp": {**NETWORKS, "base": base}}, "./ours.yaml")
        assert len(well(lab.up()).update.done("delete")) == 5
    lab.configure({"gcp": {**NETWORKS, "base": 3_000_001}}, "./ours.yaml")
    refused = lab.up()
    assert not refused.ok
    assert "move `base` further" in refused.output
    assert not refused.wrong
    lab.configure({"gcp": {**NETWORKS, "base": 3_000_024}}, "./ours.yaml")
    assert well(lab.up()).ok
