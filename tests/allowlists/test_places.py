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


ACCOUNT, TAG = "builds@p.iam.gserviceaccount.com", "tagValues/1"
ABOVE = "locations/global/firewallPolicies/5"


@pytest.mark.parametrize(
    ("clients", "accounts", "tags"),
    [
        (f'[pulumi.Output.from_input("{ACCOUNT}"), "a@p.iam.gserviceaccount.com"]', ["a@p.iam.gserviceaccount.com", ACCOUNT], None),
        (f'[pulumi.Output.from_input("{TAG}"), "10.0.0.0/8"]', None, [{"name": TAG}]),
        (f'["tagValues/2", pulumi.Output.from_input("{TAG}")]', None, [{"name": TAG}, {"name": "tagValues/2"}]),
    ],
)  # fmt: skip
def test_clients_that_are_outputs_become_targets_of_their_kind(
    run: Run, clients: str, accounts: object, tags: object
) -> None:
    made = run(f'{GCP}    FirewallPolicyAllowlist("c", hosts=hosts, networks=["{NETWORK}"], from_={clients})')
    rules = of(made, "NetworkFirewallPolicyRule")
    assert len(rules) > 2
    for each in rules:
        assert each.inputs.get("targetServiceAccounts") == accounts
        assert each.inputs.get("targetSecureTags") == tags


def test_a_client_that_is_made_with_it_is_unknown_in_every_rule(run: Run) -> None:
    made = run(
        GCP
        + f"""
    theirs = gcp.compute.NetworkFirewallPolicy("theirs")
    FirewallPolicyAllowlist("c", hosts=hosts, networks=["{NETWORK}"], from_=[theirs.fingerprint])
    """
    )
    for each in of(made, "NetworkFirewallPolicyRule"):
        assert each.inputs["targetServiceAccounts"] is UNKNOWN
        assert each.inputs["targetSecureTags"] is UNKNOWN


def test_a_hierarchical_policy_is_made_for_its_nodes_with_rules_about_the_networks_that_are_named(run: Run) -> None:
    made = run(
        GCP + '    FirewallPolicyAllowlist("c", hosts=hosts, parent=pulumi.Output.from_input("folders/7"), '
        f'nodes=["organizations/1", pulumi.Output.from_input("folders/7")], networks=[pulumi.Output.from_input("{NETWORK}")])',
        OTHERS,
    )
    (policy,) = of(made, "FirewallPolicy")
    assert (policy.inputs["shortName"], policy.inputs["parent"]) == ("c", "folders/7")
    rules = of(made, "FirewallPolicyRule")
    assert {key for each in rules for key in each.inputs} & {"project", "ruleName", "region"} == set()
    assert {str(each.inputs["targetResources"]) for each in rules} == {
        f"['https://www.googleapis.com/compute/v1/{NETWORK}']"
    }
    nodes = {each.inputs["attachmentTarget"] for each in of(made, "FirewallPolicyAssociation")}
    assert nodes == {"organizations/1", "folders/7"}


def test_a_response_policy_answers_for_the_networks_once_the_rules_allow_what_it_leads_to(run: Run) -> None:
    made = run(
        GCP
        + """
    hosts = hostgate.select("chainguard/images@2024-03-28", ids=["chainctl-downloads"]).accepting(
        [hostgate.Acceptance(finding="google-apis", entry="chainctl-downloads", because="reviewed")]
    )
    other = pulumi.Output.from_input("projects/net-host/global/networks/other")
    """
        + f'FirewallPolicyAllowlist("c", hosts=hosts, networks=["{NETWORK}", other], '
        'google_apis={"access": "private", "response_policy": "make"})',
        OTHERS,
    )
    (policy,) = of(made, "ResponsePolicy")
    (answer,) = of(made, "ResponsePolicyRule")
    links = [each["networkUrl"] for each in policy.inputs["networks"]]
    assert links == [NETWORK, "projects/net-host/global/networks/other"]
    assert policy.inputs["project"] == answer.inputs["project"] == "net-host"
    assert answer.inputs["dnsName"] == "storage.googleapis.com."
    assert answer.inputs["localData"]["localDatas"][0]["rrdatas"][0] == "199.36.153.8"
    waits = {urn.rpartition("::")[2] for urn in answer.dependencies}
    assert {each.name for each in of(made, "NetworkFirewallPolicyRule")} <= waits


def test_everything_of_a_regional_policy_says_its_region(run: Run) -> None:
    made = run(
        f'{GCP}    FirewallPolicyAllowlist("c", hosts=hosts, region="europe-west1", networks=["{NETWORK}"])', OTHERS
    )
    children = [each for each in made.resources if each.type.startswith("gcp:")]
    assert {each.type.rpartition(":")[2] for each in children} == {
        "RegionNetworkFirewallPolicy", "RegionNetworkFirewallPolicyRule", "RegionNetworkFirewallPolicyAssociation",
    }  # fmt: skip
    assert {(each.inputs["project"], each.inputs["region"]) for each in children} == {("net-host", "europe-west1")}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (f'attach=pulumi.Output.from_input("{ABOVE}")', "found an Output of '" + ABOVE + "' with no `region` and no `parent`"),
        (f'attach=pulumi.Output.from_input("{POLICY}"), region="europe-west1"', "with `region`. Allowed: a policy of that scope"),
        (f'attach=pulumi.Output.from_input("{POLICY}"), parent="folders/1"', "with `parent`. Allowed"),
        ('parent=pulumi.Output.from_input("acme")', "`parent`: found 'acme'. Allowed: organizations/NUMBER"),
        ('from_=[pulumi.Output.from_input("10.0.0.0/8")]', "`from_[0]`: found an Output of '10.0.0.0/8'. Allowed"),
        (f'from_=["{TAG}", pulumi.Output.from_input("{ACCOUNT}")]', "found service accounts and secure tags"),
    ],
)  # fmt: skip
def test_an_output_of_another_kind_or_scope_stops_the_program(run: Run, options: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(f'{GCP}    FirewallPolicyAllowlist("c", hosts=hosts, {options})')
    assert said in str(failed.value)


@pytest.mark.parametrize("given", [f'"{ABOVE}"', f'pulumi.Output.from_input("{ABOVE}"), parent="folders/1"'])
def test_rules_of_an_attached_hierarchical_policy_are_hierarchical(run: Run, given: str) -> None:
    made = run(f'{GCP}    FirewallPolicyAllowlist("c", hosts=hosts, deny="declared", attach={given})', OTHERS)
    (rule,) = of(made, "FirewallPolicyRule")
    assert rule.inputs["firewallPolicy"] == ABOVE
    assert "project" not in rule.inputs


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
