"""What hostgate makes passes its own pack: both stacks of this project, and every mechanism at both golden revisions."""

import shutil
from pathlib import Path

import pytest

from golden.cases import CATALOG, MODES, PREFIX_LIST, REVISIONS
from hostgate.sandbox.builtin_preview import preview
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
gcp.UrlFilterAllowlist(
    "urls", hosts=hosts, mode="{mode}", networks=["projects/p/global/networks/other"], zones=["europe-west1-b"]
)
gcp.WebProxyAllowlist(
    "proxy", hosts=hosts, mode="{mode}", network="projects/p/global/networks/proxied", proxy_subnet="10.9.0.0/23",
    subnetwork="projects/p/regions/europe-west4/subnetworks/main",
)
azure.FirewallPolicyAllowlist("hub", hosts=hosts, mode="{mode}", resource_group="rg")
"""

OLD = {"host-withdrawn", "proxy-withdrawn", "shared-host"}
AUDIT = {
    "void-allow", "datagrams-out", "no-deny", "list-without-drop", "domain-list-any-port", "wildcard-over-others",
    "proxy-names", "beyond-catalogs",
}  # fmt: skip
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


FOLDER = ROOT / "tests" / "golden"
OPTIONS = """
import hostgate
from hostgate import aws

names = hostgate.select("{catalog}@{revision}")
hosts = hostgate.select("{catalog}@{revision}", "./by-address.yaml")
FIXED = dict(
    addresses={{"git": ["203.0.113.22", "203.0.113.23"], "clock": ["198.51.100.0/24"]}}, ip_sets={{"broker": "{list}"}}
)
MANAGED = "arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"
{code}
"""
FIREWALL = (
    'firewall=dict(vpcId="vpc-0123abcd", subnetMappings=[dict(subnetId="subnet-0123abcd")]), '
    'logging=[dict(logType="ALERT", logDestinationType="S3", logDestination=dict(bucketName="logs"))]'
)
MADE_WITH = {
    "reject": ("hosts=names, reject=True", set()),
    "reject of private destinations too": ('hosts=names, reject=True, deny="all"', set()),
    "reject behind domain lists": ('hosts=names, mechanism="domain-list", reject=True', set()),
    "reject for some clients": ('hosts=names, reject=True, from_=["10.1.0.0/16"]', set()),
    "addresses and a set": ("hosts=hosts, **FIXED", {"raw-address"}),
    "addresses of a pool": (
        f'hosts=hosts, ip_sets={{"clock": "{PREFIX_LIST}"}}, host_addresses={{"git.vendor.example": ["203.0.113.22"], '
        '"broker.vendor.example": ["203.0.113.30"]}',
        {"raw-address"},
    ),
    "addresses, logged and rejected": ("hosts=hosts, **FIXED, log_allowed=True, reject=True", {"raw-address"}),
    "addresses for a policy elsewhere": (
        'hosts=hosts, **FIXED, attach="arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/hub"',
        {"deny-elsewhere", "raw-address"},
    ),
    "managed groups": ("hosts=names, managed_groups=[dict(arn=MANAGED)]", {"needed-closed"}),
    "an early default": (
        'hosts=names, default_actions=["aws:drop_established", "aws:alert_established"]',
        {"established-default"},
    ),
    "both directions": (
        'hosts=names, default_actions=["aws:drop_established_app_layer", "aws:alert_established_app_layer"]',
        set(),
    ),
    "a default without its twin": (
        'hosts=names, default_actions=["aws:drop_established_app_layer_to_server"]',
        {"silent-drop"},
    ),
    "a firewall with logs": (f"hosts=names, {FIREWALL}", set()),
}
"""Options of the component, and what is rightly reported; none of it is mandatory."""


QUERIES = {
    "enforce": ('hosts=hosts, vpcs=["vpc-0123abcd"]', set()),
    "audit": ('hosts=hosts, mode="audit"', {"dns-names", "dns-no-block"}),
    "deny none": ('hosts=hosts, deny="none"', {"dns-names", "dns-no-block"}),
    "deny elsewhere": ('hosts=hosts, deny="declared"', {"dns-no-block"}),
    "zones of one's own": ('hosts=hosts, inside=["corp.example"]', {"dns-names"}),
}
"""Options of the DNS component, and what is rightly reported: without the guard a wildcard may hold its apex."""


@pytest.mark.parametrize("made_with", QUERIES)
def test_the_dns_component_passes_the_pack(made_with: str, tmp_path: Path) -> None:
    options, found = QUERIES[made_with]
    assert made(f'aws.DnsFirewallAllowlist("queries", {options})', tmp_path) == found


@pytest.mark.parametrize("made_with", MADE_WITH)
def test_every_option_of_the_aws_component_passes_the_pack(made_with: str, tmp_path: Path) -> None:
    options, advice = MADE_WITH[made_with]
    code = f'aws.NetworkFirewallAllowlist("egress", {options})'
    assert made(code, tmp_path, mandatory=False) == advice


OWN_POLICY = """
import pulumi_aws
rules = aws.NetworkFirewallAllowlist("rules", hosts=names, deny="declared", {options})
pulumi_aws.networkfirewall.FirewallPolicy("own", firewall_policy={{
    "stateless_default_actions": ["aws:forward_to_sfe"],
    "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
    "stateful_engine_options": {{"rule_order": "STRICT_ORDER", "stream_exception_policy": "REJECT"}},
    "stateful_default_actions": [
        "aws:drop_established_app_layer_to_server", "aws:alert_established_app_layer_to_server"
    ],
    "stateful_rule_group_references": rules.references,
    "policy_variables": {{"rule_variables": [{{"key": "HOME_NET", "ip_set": {{"definitions": ["10.0.0.0/8"]}}}}]}},
}})
"""


@pytest.mark.parametrize(("options", "found"), [
    ("", set()),
    ("from_=['10.1.0.0/16']", set()),
    ("mechanism='domain-list'", set()),
    ("edge=False", {"datagrams-out"}),
    ("mode='audit'", {"datagrams-out"}),
])  # fmt: skip
def test_a_policy_of_ones_own_passes_with_the_edge_group(options: str, found: set[str], tmp_path: Path) -> None:
    assert made(OWN_POLICY.format(options=options), tmp_path) == found


BY_ADDRESS = """
addresses: {git.vendor.example: [203.0.113.22, 203.0.113.23], time.vendor.example: [198.51.100.0/24]}
exempt:
  - rule: beyond-catalogs
    resource: egress-address
    because: What the prefix list of the broker holds, the network team reviews
    until: "2030-12-31"
"""
"""What the pack's owner knows of hosts that are opened by address: a set that is kept elsewhere cannot be judged."""


def made(code: str, tmp_path: Path, *, mandatory: bool = True) -> set[str]:
    """The rules that report something about a stack with this one component."""
    pack = write_pack(tmp_path / "pack", f"catalogs: [{CATALOG}@{REVISIONS[-1]}, ./by-address.yaml]\n{BY_ADDRESS}")
    project = tmp_path / "project"
    project.mkdir()
    for folder in (pack, project):
        shutil.copy(FOLDER / "by-address.yaml", folder)
    (project / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (project / "__main__.py").write_text(
        OPTIONS.format(catalog=CATALOG, revision=REVISIONS[-1], list=PREFIX_LIST, code=code)
    )
    found = preview(project, "dev", {"aws:region": "eu-central-1"}, policy_packs=[pack])
    assert found.ok or mandatory
    return {violation.policy for violation in found.violations}
