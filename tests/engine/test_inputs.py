"""Endpoints in other VPCs, keys, protected associations and adoption from a stack's config, on the real engine."""

from pathlib import Path
from typing import Any

from engine.lab import AWS, AZURE, GCP, Lab, real_engine, well
from hostgate.aws.resources_firewall import ENDPOINT, FIREWALL_POLICY, RULE_GROUP
from hostgate.aws.resources_resolver import ASSOCIATION, PROFILE_RESOURCE
from hostgate.azure.resources import GROUP, POLICY
from hostgate.gcp.resources import RULE

pytestmark = real_engine

HOME = {"vpcId": "vpc-0a1", "subnetMappings": [{"subnetId": "subnet-0a1"}]}
RULES = {
    **AWS,
    "firewall": HOME,
    "encryptionConfiguration": {"keyId": "alias/firewall"},
    "policyTags": {"team": "network"},
}
QUERIES = {"mechanism": "dns-firewall", "vpcs": ["vpc-0a1"], "mutationProtection": True}
SPOKE = {
    "endpointAssociations": [{"vpcId": "vpc-0b1", "subnetId": "subnet-0b1"}],
    "flowTimeouts": {"tcpIdleTimeoutSeconds": 600},
}
GROUPS = 'import pulumi_azure_native as azure\n\nazure.resources.ResourceGroup("hub", resource_group_name="rg-hub")\n'


def test_an_endpoint_comes_and_goes_and_a_protected_association_stays_until_it_is_freed(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure({"aws": [RULES, QUERIES]}, lab.hosts("a=a.acme.example"))
    well(lab.up())
    lab.configure({"aws": [{**RULES, **SPOKE}, QUERIES]}, "./ours.yaml")
    more = well(lab.up()).update
    assert more.done("create") == [line for line in more.done("create") if line.startswith("VpcEndpointAssociation")]
    assert more.done("update") == ["FirewallPolicy hostgate"]
    assert not more.done("delete")
    assert len(lab.state.objects(ENDPOINT)) == 1
    assert lab.pulumi("preview", "--expect-no-changes").ok
    lab.configure({"aws": [RULES, {**QUERIES, "base": 500}]}, "./ours.yaml")
    refused = lab.up()
    assert "mutation protection is on" in refused.output
    assert not refused.wrong
    lab.configure({"aws": [RULES, {**QUERIES, "base": 500, "mutationProtection": False}]}, "./ours.yaml")
    well(lab.up())
    assert not lab.state.objects(ENDPOINT)
    assert lab.pulumi("destroy", "--yes", "--skip-preview").ok
    assert not lab.state.objects(ASSOCIATION)


def test_a_rule_group_in_a_profile_is_whole_first_stays_whole_and_moves_by_another_name(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    queries = {"mechanism": "dns-firewall", "profiles": ["rp-0a1"]}
    lab.configure({"aws": queries}, lab.hosts("a=a.acme.example"))
    first = well(lab.up()).update
    assert first.done("create")[-1].startswith("ProfilesResourceAssociation")
    assert lab.pulumi("preview", "--expect-no-changes").ok
    lab.configure({"aws": queries}, lab.hosts("a=a.acme.example", "b=b.acme.example"))
    assert not [line for line in well(lab.up()).update.done("update") if line.startswith("Profiles")]
    lab.configure({"aws": {**queries, "base": 500}}, "./ours.yaml")
    refused = lab.up()
    assert "resourceProperties cannot change" in refused.output
    assert not refused.wrong
    lab.configure({"aws": {**queries, "base": 500, "name": "second"}}, "./ours.yaml")
    moved = well(lab.up()).update
    assert next(iter(moved.done("delete"))).partition(" ")[0] == "ProfilesResourceAssociation"
    (held,) = lab.state.objects(PROFILE_RESOURCE)
    assert held.inputs["resourceProperties"] == '{"priority": 500}'
    assert lab.pulumi("destroy", "--yes", "--skip-preview").ok
    assert not lab.state.objects(PROFILE_RESOURCE)


def test_a_stack_adopts_what_exists_and_changes_nothing_that_is_right_already(tmp_path: Path) -> None:
    """What a first stack made is forgotten by the engine, and adopted by a second one."""
    assert Lab(tmp_path / "owner", tmp_path / "sandbox", GROUPS, "owner").pulumi("up", "--yes", "--skip-preview").ok
    clouds: dict[str, Any] = {"aws": AWS, "gcp": GCP, "azure": AZURE}
    first = Lab(tmp_path / "first", tmp_path / "sandbox", name="first")
    first.configure(clouds, first.hosts("a=a.acme.example"))
    well(first.up())
    held = {each.type: each.id for each in first.state.objects(FIREWALL_POLICY, POLICY, GROUP)}
    groups = {each.name.rpartition("-")[0]: each.id for each in first.state.objects(RULE_GROUP)}
    rules = {each.name: each.id for each in first.state.objects(RULE)}
    second = Lab(tmp_path / "second", tmp_path / "sandbox", name="second")
    (policy,) = [each for each in first.state.objects() if each.type.endswith(":NetworkFirewallPolicy")]
    (network,) = [each for each in first.state.objects() if each.type.endswith(":NetworkFirewallPolicyAssociation")]
    adopting = {
        "aws": {**AWS, "import": {**groups, "hostgate": held[FIREWALL_POLICY]}},
        "gcp": {**GCP, "import": {**rules, "hostgate": policy.id, "hostgate-main": network.id}},
        "azure": {**AZURE, "import": {"hostgate-policy": held[POLICY], "hostgate": held[GROUP]}},
    }
    second.configure(adopting, second.hosts("a=a.acme.example"))
    before = second.state.objects()
    adopted = second.up()
    assert adopted.ok, adopted.output
    assert not adopted.update.done("create")
    assert not adopted.update.done("delete")
    assert [each.id for each in second.state.objects()] == [each.id for each in before]
    second.hosts("a=a.acme.example", "b=b.acme.example")
    assert well(second.up()).update.done("create") == []
    second.configure(clouds, "./ours.yaml")  # once adopted, the ids may go
    left = second.pulumi("preview", "--json")
    assert left.ok, left.output


def test_a_child_that_there_is_not_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure({"gcp": GCP, "aws": {**AWS, "import": {"hostgate-alow": "arn:x"}}}, lab.hosts("a=a.acme.example"))
    refused = lab.pulumi("up", "--yes", "--skip-preview")
    assert (
        "`hostgate:aws.import` names hostgate-alow, which is no child. Children: hostgate, hostgate-allow"
        in refused.output
    )
    assert not refused.ok
    assert not refused.update.calls
