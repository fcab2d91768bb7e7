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
for name in ("one", "two"):
    Google(name, hosts=hosts, attach="projects/acme/global/firewallPolicies/egress", deny="declared")
    Azure(name, hosts=hosts, attach="/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/"
          "Microsoft.Network/firewallPolicies/hub", from_=["10.0.0.0/8"])
"""
OWNER = """
import pulumi_azure_native as azure
import pulumi_gcp as gcp

gcp.compute.NetworkFirewallPolicy("egress", name="egress")
group = azure.resources.ResourceGroup("rg", resource_group_name="rg")
azure.network.FirewallPolicy("hub", firewall_policy_name="hub", resource_group_name=group.name)
"""


def test_two_allowlists_in_one_slot_are_refused_by_both_hosts_before_anything_is_made(tmp_path: Path) -> None:
    owner = Lab(tmp_path / "owner", tmp_path / "sandbox", OWNER, "owner")
    well(owner.up())
    team = Lab(tmp_path / "team", tmp_path / "sandbox", TWO_ON_ONE, "team")
    with pytest.raises(PreviewError) as builtin:
        preview(team.project, "dev", {"gcp:project": "acme"})
    engine = team.pulumi("preview")
    assert not engine.ok
    refusal = "unique in the policy; "
    assert {each.type.partition(":")[0] for each in builtin.value.problems if refusal in each.allowed} == {
        "gcp",
        "azure-native",
    }
    assert refusal in engine.output  # the engine ends at the first
    before = len(team.state.objects())
    assert not team.pulumi("up", "--yes").ok
    assert len(team.state.objects()) == before
