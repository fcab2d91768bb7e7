"""gcp:fqdn, where its objects go: what `attach` and `networks` may name, and the one project of everything."""

from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan, plan
from hostgate.planning.targets import COMPUTED

POLICY = "projects/net-host/global/firewallPolicies/egress"
NETWORK = "projects/net-host/global/networks/main"
LINK = "https://www.googleapis.com/compute/v1/"


def made(**options: Any) -> Plan:
    return plan(selection([entry()]), "gcp:fqdn", options)


def options_of(**given: Any) -> FirewallPolicyOptions:
    found = made(**given).options
    assert isinstance(found, FirewallPolicyOptions)
    return found


def refusal(**options: Any) -> str:
    with pytest.raises(InputError) as caught:
        made(**options)
    return "\n".join(problem.message for problem in caught.value.problems)


def associations(found: Plan) -> list[CloudObject]:
    return [each for each in found.objects if each.kind == "compute#firewallPolicyAssociation"]


@pytest.mark.parametrize(
    ("attach", "project"),
    [
        (POLICY, "net-host"),
        (LINK + POLICY, "net-host"),
        ("https://compute.googleapis.com/compute/v1/" + POLICY, "net-host"),
        ("https://www.googleapis.com/compute/beta/" + POLICY, "net-host"),
        ("//compute.googleapis.com/" + POLICY, "net-host"),
        ("projects/example.com:legacy/global/firewallPolicies/egress", "example.com:legacy"),
        ("projects/123456789012/global/firewallPolicies/egress", "123456789012"),
        ("egress", None),
        ("global/firewallPolicies/egress", None),
    ],
)
def test_attach_names_a_global_policy_and_its_project_by_path_link_or_name(attach: str, project: str | None) -> None:
    found = options_of(attach=attach)
    assert (found.scope, found.in_project) == ("global", project)


REGIONAL = "projects/p/regions/europe-west1/firewallPolicies/egress"
HIERARCHICAL = "locations/global/firewallPolicies/123456789012"


@pytest.mark.parametrize(
    "options",
    [
        {"attach": REGIONAL},
        {"attach": LINK + REGIONAL},
        {"attach": REGIONAL, "region": "europe-west1"},
        {"attach": "egress", "project": "p", "region": "europe-west1"},
    ],
    ids=str,
)
def test_attach_names_a_regional_policy_by_path_link_or_name_and_region(options: dict[str, Any]) -> None:
    found = options_of(**options)
    assert (found.scope, found.in_region, found.in_project) == ("region", "europe-west1", "p")
    assert found.policy_path is not None
    assert found.policy_path.endswith(REGIONAL)


@pytest.mark.parametrize(
    "attach", [HIERARCHICAL, LINK + HIERARCHICAL, "//compute.googleapis.com/" + HIERARCHICAL, "123456789012"]
)
def test_attach_names_a_hierarchical_policy_by_its_number_and_it_is_in_no_project(attach: str) -> None:
    found = options_of(attach=attach)
    assert (found.scope, found.in_region, found.in_project) == ("hierarchical", None, None)
    assert found.policy_path is not None
    assert found.policy_path.endswith(HIERARCHICAL)


NO_POLICY = {
    "organizations/123456789012": "an organization or a folder is where a hierarchical policy is made",
    "organizations/1/locations/global/firewallPolicies/5": "the policy has a number of its own",
    "folders/987/firewallPolicies/egress": "a hierarchical policy",
    "projects/p/global/firewallPolicies/123456789012": "digits are the number of a hierarchical policy, which is in no project",
    "projects/p/regions/Europe/firewallPolicies/egress": "that is of one region",
    "locations/global/firewallPolicies/egress": "",
    "projects/p/global/networks/main": "that names one of networks",
    "projects/p/global/firewallPolicies/egress/rules/1000": "that names one of rules",
    "projects/p/global/firewallPolicies/egress/": "nothing stands after the last /",
    "projects/p/global/firewallPolicies/": "nothing stands after the last /",
    " ": "it is blank",
    " egress": "blanks stand around it",
    "egress\n": "blanks stand around it",
    "Egress": "ids and names are in lower case",
    "projects/Acme/global/firewallPolicies/egress": "ids and names are in lower case",
    "projects//global/firewallPolicies/egress": "",
    "http://www.googleapis.com/compute/v1/" + POLICY: "",
    "https://evil.example/compute/v1/" + POLICY: "",
    "eg ress": "",
    "-egress": "",
    "e" * 64: "",
}


@pytest.mark.parametrize("attach", NO_POLICY)
def test_what_is_no_policy_is_refused_with_the_reason_and_what_is_allowed(attach: str) -> None:
    said = refusal(attach=attach, deny="declared")
    assert f"`gcp:fqdn.attach`: found {attach!a}" in said
    assert NO_POLICY[attach] in said
    assert "projects/PROJECT/global/firewallPolicies/NAME" in said
    assert "locations/global/firewallPolicies/NUMBER" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parent": "folders/1", "region": "europe-west1"}, "found `parent` and `region`"),
        ({"parent": "folders/1", "project": "p"}, "a hierarchical policy, which is in no project"),
        ({"parent": "folders/acme"}, "found 'folders/acme'. Allowed: organizations/NUMBER or folders/NUMBER"),
        ({"parent": "folders/1", "nodes": ["projects/p"]}, "found 'projects/p'. Allowed: organizations/NUMBER"),
        ({"parent": "folders/1", "nodes": ["folders/2", "folders/2"]}, "found folders/2 twice in `nodes`"),
        ({"parent": "folders/1", "networks": ["main"]}, "the network 'main' by name"),
        ({"parent": "folders/1", "attach": POLICY}, "which is no hierarchical policy"),
        ({"parent": "folders/1", "mode": "audit"}, "would open the policies of every project below to everybody"),
        ({"nodes": ["folders/1"]}, "found `nodes` without `parent`"),
        ({"attach": HIERARCHICAL, "nodes": ["folders/1"]}, "found `nodes` with `attach`"),
        ({"attach": HIERARCHICAL, "region": "europe-west1"}, "which is hierarchical and has none"),
        ({"attach": REGIONAL, "region": "europe-west4"}, "found the region europe-west4"),
        ({"attach": POLICY, "region": "europe-west4"}, "which is global. Allowed: one region"),
        ({"region": "Europe"}, "found 'Europe'. Allowed: a region, such as europe-west1"),
    ],
    ids=str,
)
def test_options_of_several_scopes_are_refused(options: dict[str, Any], said: str) -> None:
    assert said in refusal(**options)


def rules(found: Plan) -> list[CloudObject]:
    return [each for each in found.objects if each.kind == "compute#firewallPolicyRule"]


class TestHierarchicalPolicies:
    def test_a_new_one_is_associated_with_its_nodes_and_its_rules_have_no_name_but_say_it(self) -> None:
        found = made(parent="organizations/1", nodes=["organizations/1", "folders/2"])
        assert found.objects[0].body["shortName"] == "hostgate"
        assert [each.name for each in associations(found)] == ["hostgate-organizations-1", "hostgate-folders-2"]
        assert [each.body["attachmentTarget"] for each in associations(found)] == ["organizations/1", "folders/2"]
        for each in rules(found):
            assert "ruleName" not in each.body
            assert each.body["description"].startswith(f"{each.name}: ")

    def test_networks_of_any_project_are_those_that_every_rule_is_about(self) -> None:
        networks = ["projects/b/global/networks/two", LINK + "projects/a/global/networks/one", f"{COMPUTED}/network-2"]
        found = made(attach=HIERARCHICAL, networks=networks)
        assert not associations(found)
        for each in rules(found):
            assert each.body["targetResources"] == [
                LINK + "projects/a/global/networks/one", LINK + "projects/b/global/networks/two", "network-2",
            ]  # fmt: skip
        assert "others-open" in {one.id for one in found.findings}

    @pytest.mark.parametrize("options", [{}, {"networks": [NETWORK]}], ids=str)
    def test_a_plan_is_judged_in_the_networks_that_it_is_about(self, options: dict[str, Any]) -> None:
        found = made(parent="folders/1", nodes=["folders/2"], **options)
        assert found.verdict(Flow("cgr.dev")).allows
        assert not found.verdict(Flow("evil.example")).allows

    def test_without_nodes_nothing_is_enforced(self) -> None:
        (said,) = made(parent="folders/1").unenforced
        assert said.message.startswith("No `nodes` are named")
        assert not made(parent="folders/1", nodes=["folders/2"]).unenforced


class TestRegionalPolicies:
    def test_rules_are_those_of_a_global_policy_and_instances_elsewhere_are_said_to_be_open(self) -> None:
        regional, everywhere = made(region="europe-west1", networks=[NETWORK]), made(networks=[NETWORK])
        assert regional.objects == everywhere.objects
        assert regional.digest != everywhere.digest
        (said,) = [one.message for one in regional.findings if one.id == "others-open"]
        assert said.startswith("Instances outside europe-west1 are not judged")


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("projects/p/regions/europe-west1/subnetworks/main", "that names one of subnetworks"),
        ("projects/p/global/firewallPolicies/main", "that names one of firewallPolicies"),
        ("projects/p/global/networks/main/", "nothing stands after the last /"),
        ("projects/p/global/networks/Main", "lower case"),
        ("projects/p/zones/z/instances/vm", "that names one of instances"),
    ],
)
def test_what_is_no_network_is_refused(network: str, said: str) -> None:
    found = refusal(networks=[NETWORK, network])
    assert f"`gcp:fqdn.networks[1]`: found {network!r}" in found
    assert said in found
    assert "projects/PROJECT/global/networks/NAME" in found


@pytest.mark.parametrize(
    "options",
    [
        {"attach": POLICY, "project": "acme-prod"},
        {"attach": LINK + POLICY, "project": "acme-prod"},
        {"networks": [NETWORK], "project": "acme-prod"},
        {"networks": [NETWORK, "projects/acme-prod/global/networks/main"]},
        {"networks": ["projects/acme-prod/global/networks/a", "projects/net-host/global/networks/b"]},
    ],
    ids=str,
)
def test_policy_and_networks_of_several_projects_are_refused(options: dict[str, Any]) -> None:
    said = refusal(**options)
    assert "net-host" in said
    assert "acme-prod" in said
    assert "of one project" in said


def test_a_network_by_name_alone_needs_its_project() -> None:
    assert "the network 'main' by name" in refusal(networks=["main"])
    (association,) = associations(made(networks=["main"], project="net-host"))
    assert association.body["attachmentTarget"] == NETWORK


@pytest.mark.parametrize("other", [NETWORK, LINK + NETWORK, "main"])
def test_one_network_in_two_spellings_is_refused(other: str) -> None:
    assert f"{NETWORK} twice" in refusal(networks=[NETWORK, other], project="net-host")


def test_a_project_that_is_none_is_refused() -> None:
    for project in ("Acme", "projects/acme", "", " acme", "acme_prod"):
        assert f"`gcp:fqdn.project`: found {project!r}" in refusal(project=project)


class TestAssociations:
    def test_a_network_gives_its_association_its_name_and_a_link_stays_as_it_was_given(self) -> None:
        found = associations(made(networks=[NETWORK, f"{LINK}projects/net-host/global/networks/{'n' * 40}"]))
        assert found[0].name == "hostgate-main"
        assert found[1].name.startswith(f"hostgate-{'n' * 25}-")
        assert [each.body["attachmentTarget"].startswith("https") for each in found] == [False, True]

    def test_an_output_never_takes_the_name_of_a_network(self) -> None:
        """Outputs are called network-0 and so on, which a network may be called too."""
        networks = ["projects/p/global/networks/network-1", f"{COMPUTED}/network-1"]
        names = [each.name for each in associations(made(networks=networks))]
        assert len(set(names)) == 2

    def test_an_output_alone_keeps_its_name_and_its_place_in_the_plan(self) -> None:
        (association,) = associations(made(networks=[f"{COMPUTED}/network-0"]))
        assert association.name == "hostgate-network-0"
        assert association.body["attachmentTarget"] == "network-0"


class TestDigests:
    def test_a_name_and_its_project_are_the_place_that_the_path_is(self) -> None:
        told = made(attach="egress", project="net-host", deny="declared").digest
        assert told == made(attach=POLICY, deny="declared").digest
        assert told != made(attach="egress", deny="declared").digest

    def test_a_project_that_is_said_already_is_no_other_place(self) -> None:
        assert made(networks=[NETWORK]).digest == made(networks=[NETWORK], project="net-host").digest
        assert made().digest != made(project="net-host").digest != made(project="acme-prod").digest
