"""Policies of another stack, and objects that exist already: attached to, adopted, and left alone when they must be."""

from pathlib import Path

import pytest

from engine.lab import Lab, real_engine, well
from hostgate.aws.resources_firewall import FIREWALL_POLICY, RULE_GROUP
from hostgate.azure.resources import GROUP
from hostgate.flows.flow import Flow
from hostgate.gcp.resources import RULE
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.service import Service

pytestmark = real_engine

OWNER = '''
import pulumi
import pulumi_aws as aws
import pulumi_azure_native as azure
import pulumi_gcp as gcp

group = azure.resources.ResourceGroup("hub", resource_group_name="rg-hub")
hub = azure.network.FirewallPolicy("hub", firewall_policy_name="fp-hub", resource_group_name=group.name)
egress = gcp.compute.NetworkFirewallPolicy("egress", name="egress")
deny = gcp.compute.NetworkFirewallPolicyRule(
    "deny", firewall_policy=egress.name, priority=2147480000, direction="EGRESS", action="deny", rule_name="deny",
    match={{"dest_ip_ranges": ["0.0.0.0/0"], "layer4_configs": [{{"ip_protocol": "all"}}]}},
)
gcp.compute.NetworkFirewallPolicyAssociation(
    "main", name="main", firewall_policy=egress.name, attachment_target="projects/acme/global/networks/main",
    opts=pulumi.ResourceOptions(depends_on=[deny]),
)
datagrams = aws.networkfirewall.RuleGroup(
    "datagrams", type="STATEFUL", capacity=10,
    rule_group={{
        "rules_source": {{"rules_string": 'drop ip any any -> any any (ip_proto:!6; sid:1;)'}},
        "stateful_rule_options": {{"rule_order": "STRICT_ORDER"}},
    }},
)
first = {{"resource_arn": datagrams.arn, "priority": 1}}
references = pulumi.Output.all(first, {references}).apply(lambda both: [both[0], *both[1]])
aws.networkfirewall.FirewallPolicy(
    "shared",
    firewall_policy={{
        "stateless_default_actions": ["aws:forward_to_sfe"],
        "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
        "stateful_default_actions": ["aws:drop_established_app_layer_to_server"],
        "stateful_engine_options": {{"rule_order": "STRICT_ORDER"}},
        "stateful_rule_group_references": references,
        "policy_variables": {{
            "rule_variables": [{{"key": "HOME_NET", "ip_set": {{"definitions": ["10.0.0.0/8"]}}}}],
        }},
    }},
)
pulumi.export("policy", hub.id)
'''  # fmt: skip
OF_THE_TEAM = """pulumi.StackReference("organization/team/dev").get_output("aws").apply(
    lambda made: [{"resource_arn": each["resourceArn"], "priority": each["priority"]} for each in made["references"]]
)"""
TEAM = {
    "aws": {
        "mechanism": "rules",
        "deny": "declared",
        "attach": "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/shared",
    },
    "gcp": {"mechanism": "fqdn", "attach": "projects/acme/global/firewallPolicies/egress", "deny": "declared"},
    "azure": {"mechanism": "application-rules", "attach": "rg-hub/fp-hub"},
}

ADOPTING = """
import hostgate
from hostgate.aws import NetworkFirewallAllowlist

hosts = hostgate.select("chainguard/images@2026-02-23")
NetworkFirewallAllowlist("mine", hosts=hosts, import_={import_})
"""


class Shared:
    """A platform team's policies and a product team's rules in them; every step, in order."""

    def __init__(self, folder: Path) -> None:
        sandbox = folder / "sandbox"
        owner = Lab(folder / "owner", sandbox, OWNER.format(references="[]"), "owner")
        team = Lab(folder / "team", sandbox, name="team")
        team.configure(TEAM, team.hosts("a=a.acme.example"))
        self.too_early = team.pulumi("up", "--yes", "--skip-preview")
        self.owned = owner.up()
        self.attached = team.up()
        (owner.project / "__main__.py").write_text(OWNER.format(references=OF_THE_TEAM))
        self.referred = owner.up()
        self.answers = {point.target: point.verdict(Flow("a.acme.example")) for point in points(owner.state.objects())}
        team.hosts("a=a.acme.example", "b=b.acme.example")
        self.one_more = team.up()
        self.quiet = owner.pulumi("preview", "--expect-no-changes")
        self.in_use = team.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(tmp_path_factory.mktemp("shared"))


def test_rules_in_a_policy_that_does_not_exist_are_refused_with_its_name(shared: Shared) -> None:
    assert not shared.too_early.ok
    assert any(name in shared.too_early.output for name in ("firewallPolicies/egress", "firewallPolicies/fp-hub"))
    assert "the stack that owns the policy makes it" in shared.too_early.output


def test_a_stack_adds_rules_to_policies_of_another_and_no_policy_of_its_own(shared: Shared) -> None:
    assert shared.owned.ok, shared.owned.output
    assert shared.attached.ok, shared.attached.output
    calls = [*shared.too_early.update.calls, *shared.attached.update.calls]  # the first run made what needs no policy
    assert {call.type for call in calls if not call.refusal} == {RULE_GROUP, RULE, GROUP}


def test_the_groups_wait_for_the_owner_and_open_nothing_until_then(shared: Shared) -> None:
    assert all(wrong.startswith("at the end arn:aws:") for wrong in shared.attached.wrong), shared.attached.wrong
    assert any("a.acme.example:443 https" in wrong for wrong in shared.attached.wrong)


def test_a_policy_takes_the_references_that_another_stack_hands_out(shared: Shared) -> None:
    assert shared.referred.ok, shared.referred.output
    assert shared.referred.update.done("update") == ["FirewallPolicy shared"]
    assert {target for target, verdict in shared.answers.items() if verdict.allows} == {
        "aws:rules",
        "gcp:fqdn",
        "azure:application-rules",
    }


def test_one_host_more_in_an_attached_stack_changes_nothing_for_the_owner(shared: Shared) -> None:
    update = well(shared.one_more).update
    assert len(update.done("update")) == 3
    assert update.done("create") == update.done("delete") == []
    assert shared.quiet.ok, shared.quiet.output


def test_groups_that_the_owner_still_refers_to_are_not_destroyed(shared: Shared) -> None:
    assert not shared.in_use.ok
    assert "uses it; take it out there first" in shared.in_use.output
    assert [call.operation for call in shared.in_use.update.calls if call.type == RULE_GROUP and not call.refusal] == []


class Adopted:
    """A rule group made by hand, taken over by a component."""

    def __init__(self, folder: Path) -> None:
        model = Lab(folder / "model", folder / "elsewhere", ADOPTING.format(import_="{}"), "model")
        assert model.pulumi("up", "--yes", "--skip-preview").ok
        allow = next(held for held in model.state.objects(RULE_GROUP) if "allow" in held.name)
        lab = Lab(folder / "project", folder / "sandbox", name="mine")
        made = Service(lab.state).create(RULE_GROUP, {**allow.inputs, "name": "by-hand"})
        (lab.project / "__main__.py").write_text(ADOPTING.format(import_=f"{{'mine-allow': '{made.id}'}}"))
        self.adopted = lab.pulumi("up", "--yes", "--skip-preview")
        (lab.project / "__main__.py").write_text(ADOPTING.format(import_="{}"))
        self.freed = lab.up()
        self.left = lab.state.objects(RULE_GROUP, FIREWALL_POLICY)


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    return Adopted(tmp_path_factory.mktemp("adopted"))


def test_an_existing_group_is_adopted_and_not_made_again(adopted: Adopted) -> None:
    assert adopted.adopted.ok, adopted.adopted.output
    assert sorted(adopted.adopted.update.done("create")) == ["FirewallPolicy mine", "RuleGroup mine-edge"]


def test_without_the_adoption_the_group_gives_way_to_one_with_a_made_up_name(adopted: Adopted) -> None:
    calls = well(adopted.freed).update.calls
    assert [(call.operation, call.type.rpartition(":")[2]) for call in calls] == [
        ("create", "RuleGroup"),
        ("update", "FirewallPolicy"),
        ("delete", "RuleGroup"),
    ]
    assert len(adopted.left) == 3
