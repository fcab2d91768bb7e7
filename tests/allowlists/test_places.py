"""Where a component's objects go: project, policy and subscription, as plain text and as Outputs; and what it says of it."""

from typing import Any

import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview

from .conftest import Run

GCP = """
    import pulumi
    import pulumi_gcp as gcp
    import hostgate
    from hostgate.gcp import FirewallPolicyAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
"""
AZURE = """
    import pulumi
    import pulumi_azure_native as azure
    import hostgate
    from hostgate.azure import FirewallPolicyAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
"""
AWS = """
    import hostgate
    from hostgate.aws import NetworkFirewallAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
"""
POLICY = "projects/net-host/global/firewallPolicies/egress"
NETWORK = "projects/net-host/global/networks/main"
OTHERS = {"gcp:project": "acme-prod"}


def google(made: Preview) -> list[Any]:
    """The project of every resource of the component."""
    return [each.inputs.get("project") for each in made.resources if each.type.startswith("gcp:") and each.parent]


def of(made: Preview, kind: str) -> list[Any]:
    return [each for each in made.resources if each.type.endswith(f":{kind}")]


@pytest.mark.parametrize(
    ("options", "project"),
    [
        (f'attach="{POLICY}", deny="declared"', "net-host"),
        (f'attach="https://www.googleapis.com/compute/v1/{POLICY}"', "net-host"),
        ('attach="egress", project="net-host", deny="declared"', "net-host"),
        ('attach="egress", deny="declared"', None),
        (f'networks=["{NETWORK}"]', "net-host"),
        ('networks=["main"], project="net-host"', "net-host"),
        ('project="net-host"', "net-host"),
        ("", None),
        ('attach=pulumi.Output.from_input("' + POLICY + '")', "net-host"),
        ('attach=pulumi.Output.from_input("egress")', None),
        ('attach=pulumi.Output.from_input("egress"), project=pulumi.Output.from_input("net-host")', "net-host"),
        (f'networks=[pulumi.Output.from_input("{NETWORK}")]', "net-host"),
        (f'networks=["{NETWORK}", pulumi.Output.from_input("other")]', "net-host"),
        (f'networks=["{NETWORK}"], project=pulumi.Output.from_input("net-host")', "net-host"),
    ],
)
def test_everything_is_made_in_the_project_that_is_said_and_not_in_the_provider_s(
    run: Run, options: str, project: str | None
) -> None:
    made = run(f'{GCP}    FirewallPolicyAllowlist("c", hosts=hosts, {options})', OTHERS)
    children = [each for each in made.resources if each.type.startswith("gcp:")]
    assert children
    assert {each.inputs.get("project") for each in children} == {project}


def test_a_network_that_is_made_with_it_gives_its_project_once_it_is_known(run: Run) -> None:
    made = run(
        GCP
        + """
    theirs = gcp.compute.NetworkFirewallPolicy("theirs", project="net-host")
    FirewallPolicyAllowlist("c", hosts=hosts, attach=theirs.id, deny="declared")
    """
    )
    (rule,) = of(made, "NetworkFirewallPolicyRule")
    assert rule.inputs["project"] is UNKNOWN


def test_a_network_named_by_an_output_without_a_project_is_spelled_out(run: Run) -> None:
    made = run(
        GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, networks=[pulumi.Output.from_input("main")], project="p")'
    )
    (association,) = of(made, "NetworkFirewallPolicyAssociation")
    assert association.inputs["attachmentTarget"] == "projects/p/global/networks/main"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, attach="organizations/1", deny="declared")', "hierarchical"),
        (
            GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, attach=pulumi.Output.from_input("folders/1"))',
            "c: `attach`: found 'folders/1'",
        ),
        (
            GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, networks=[pulumi.Output.from_input("regions/r/subnetworks/s")])',
            "c: `networks[0]`: found 'regions/r/subnetworks/s': that names one of subnetworks",
        ),
        (
            GCP + f'    FirewallPolicyAllowlist("c", hosts=hosts, attach=pulumi.Output.from_input("{POLICY}"), project="acme")',
            "found several projects: acme, net-host",
        ),
        (
            GCP
            + f'    FirewallPolicyAllowlist("c", hosts=hosts, networks=["{NETWORK}"], project=pulumi.Output.from_input("acme"))',
            "found several projects: acme, net-host",
        ),
        (
            GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, networks=[pulumi.Output.from_input("main")])',
            "found the name 'main'",
        ),
        (
            GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, project=pulumi.Output.from_input("A b"))',
            "c: `project`: found 'A b'",
        ),
        (
            GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, attach=pulumi.Output.from_input(None))',
            "c: `attach`: found an Output of nothing. Allowed: one of text",
        ),
        (
            AZURE + '    FirewallPolicyAllowlist("c", hosts=hosts, attach=pulumi.Output.from_input("fp-hub"))',
            "attach 'fp-hub'. Allowed: RESOURCE_GROUP/POLICY",
        ),
        (
            AWS + '    NetworkFirewallAllowlist("c", hosts=hosts, region="us-east-1", '
            'attach="arn:aws:network-firewall:eu-west-1:123456789012:firewall-policy/hub")',
            "of the same Region",
        ),
    ],
)  # fmt: skip
def test_a_place_that_does_not_hold_stops_the_program_with_the_reason(run: Run, program: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(program)
    assert said in str(failed.value)


SUBSCRIPTION = "/subscriptions/{}/resourceGroups/rg-hub/providers/Microsoft.Network/firewallPolicies/fp-hub"


@pytest.mark.parametrize("spelled", ['"{}"', 'pulumi.Output.from_input("{}")'])
def test_a_policy_of_another_subscription_than_the_provider_s_is_refused(run: Run, spelled: str) -> None:
    attach = spelled.format(SUBSCRIPTION.format("theirs"))
    program = f'{AZURE}    FirewallPolicyAllowlist("c", hosts=hosts, attach={attach})'
    with pytest.raises(PreviewError, match="`attach` names a policy of subscription theirs"):
        run(program, {"azure-native:subscriptionId": "ours"})
    for config in ({"azure-native:subscriptionId": "THEIRS"}, {}):
        assert of(run(program, config), "FirewallPolicyRuleCollectionGroup")


def test_with_a_provider_of_its_own_the_default_provider_s_subscription_says_nothing(run: Run) -> None:
    attach = SUBSCRIPTION.format("theirs")
    program = f"""
    hub = azure.Provider("hub", subscription_id="theirs")
    FirewallPolicyAllowlist("c", hosts=hosts, attach="{attach}", opts=pulumi.ResourceOptions(provider=hub))
    """
    assert of(run(AZURE + program, {"azure-native:subscriptionId": "ours"}), "FirewallPolicyRuleCollectionGroup")


@pytest.mark.parametrize(
    ("program", "first"),
    [
        (GCP + '    FirewallPolicyAllowlist("c", hosts=hosts)', "not-enforced: No `networks` are named"),
        (GCP + f'    FirewallPolicyAllowlist("c", hosts=hosts, networks=["{NETWORK}"], mode="audit")', "audit: "),
        (GCP + f'    FirewallPolicyAllowlist("c", hosts=hosts, networks=["{NETWORK}"], deny="none")', "deny-none: "),
        (GCP + f'    FirewallPolicyAllowlist("c", hosts=hosts, attach="{POLICY}", from_=["tagValues/1"], mode="audit")', "audit"),
        (AZURE + '    FirewallPolicyAllowlist("c", hosts=hosts, resource_group="rg")', "not-enforced: No firewall is made"),
        (
            AWS + '    NetworkFirewallAllowlist("c", hosts=hosts, attach="arn:aws:network-firewall:r:a:firewall-policy/hub")',
            "not-enforced: `attach` attaches nothing on AWS",
        ),
        (AWS + '    NetworkFirewallAllowlist("c", hosts=hosts)', "not-enforced: No `firewall` is made"),
    ],
)  # fmt: skip
def test_the_first_warning_of_a_component_that_blocks_nothing_is_that_it_does(
    run: Run, program: str, first: str
) -> None:
    said = [each.message for each in run(program).diagnostics]
    assert said[0].startswith(first)
    assert [message for message in said if message.startswith(first)] == said[:1]
