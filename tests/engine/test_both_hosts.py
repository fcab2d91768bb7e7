"""Both hosts of a preview refuse alike: what cannot be together is said before anything is made."""

from pathlib import Path

import pytest

from engine.lab import Lab, real_engine, well
from hostgate.sandbox.builtin_preview import PreviewError, preview

pytestmark = real_engine

TWO_ON_ONE = """
import hostgate
from hostgate.azure import FirewallPolicyAllowlist as Azure
from hostgate.gcp import FirewallPolicyAllowlist as Google

hosts = hostgate.select("chainguard/images@2026-02-23")
for name, base in (("one", {base}), ("two", {base})):
    Google(name, hosts=hosts, attach="projects/acme/global/firewallPolicies/egress", from_=[f"{{name}}@acme.example"], base=base)
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
