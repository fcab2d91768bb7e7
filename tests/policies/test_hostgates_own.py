"""What hostgate makes passes its own pack: both stacks of this project, and every mechanism at both golden revisions."""

from pathlib import Path

import pytest

from golden.cases import CATALOG, MODES, REVISIONS
from hostgate.sandbox.preview import preview
from hostgate.stack import config_of_file
from policies.process import write_pack

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import hostgate
from hostgate import aws, azure, gcp

hosts = hostgate.select("{catalog}@{revision}")
aws.NetworkFirewallAllowlist("rules", hosts=hosts, mode="{mode}")
aws.NetworkFirewallAllowlist("lists", hosts=hosts, mechanism="domain-list", mode="{mode}")
gcp.FirewallPolicyAllowlist("names", hosts=hosts, mode="{mode}", networks=["projects/p/global/networks/main"])
azure.FirewallPolicyAllowlist("hub", hosts=hosts, mode="{mode}", resource_group="rg")
"""

OLD = {"host-withdrawn", "shared-host"}
AUDIT = {"void-allow", "no-deny", "list-without-drop", "domain-list-any-port", "wildcard-over-others"}
REPORTED = {
    ("2024-03-28", "enforce"): OLD,
    ("2026-02-23", "enforce"): set(),
    ("2024-03-28", "audit"): OLD | AUDIT,
    ("2026-02-23", "audit"): AUDIT,
}
"""What is rightly reported. The older revision holds hosts that were given up later, and two shared ones; audit blocks
nothing."""


@pytest.mark.parametrize(("stack", "advice"), [
    ("dev", {"host-withdrawn", "shared-host"}),
    ("team", {"deny-elsewhere"}),
])  # fmt: skip
def test_the_stacks_of_this_project_pass_their_pack(stack: str, advice: set[str]) -> None:
    made = preview(ROOT, stack, config_of_file(ROOT, stack), policy_packs=[ROOT / "policy"])
    assert made.ok
    assert {violation.policy for violation in made.violations} == advice
    assert {violation.enforcement for violation in made.violations} == {"advisory"}


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("mode", MODES)
def test_every_mechanism_passes_the_pack(revision: str, mode: str, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "pack", f"catalogs: [{CATALOG}@{revision}]\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (project / "__main__.py").write_text(PROGRAM.format(catalog=CATALOG, revision=revision, mode=mode))
    made = preview(project, "dev", {"aws:region": "eu-central-1", "gcp:project": "p"}, policy_packs=[pack])
    assert {violation.policy for violation in made.violations} == REPORTED[revision, mode]
    if mode == "enforce":
        assert made.ok
