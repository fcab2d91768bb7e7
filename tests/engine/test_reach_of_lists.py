"""Lists and their clients on the real engine: what a state records of clients that are Outputs, and what reach says of it; and
components that would decide for one another are refused before anything is made."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Lab, real_engine
from hostgate.flows.engine_documents import of_preview, of_state
from hostgate.flows.reach import Reach, reach
from hostgate.planning.allowlists_at import allowlists_at
from hostgate.planning.needs import clients_of, needs_of_allowlists
from hostgate.policies.places import places_of_stack

pytestmark = real_engine

PROGRAM = """
import hostgate
import pulumi
import pulumi_azure_native as azure
from hostgate.azure import FirewallPolicyAllowlist

group = azure.resources.ResourceGroup("rg", resource_group_name="rg-hub")
builders = azure.network.IpGroup(
    "builders", ip_groups_name="builders", resource_group_name=group.name, location="westeurope", ip_addresses=["10.1.0.0/16"]
)
runners = azure.network.IpGroup(
    "runners", ip_groups_name="runners", resource_group_name=group.name, location="westeurope", ip_addresses=["10.2.0.0/16"]
)
first = FirewallPolicyAllowlist(
    "first", hosts=hostgate.select("./ours.yaml"), resource_group=group.name, location="westeurope", from_=[builders.id]
)
FirewallPolicyAllowlist(
    "second", hosts=hostgate.select("./ours.yaml", ids=["a"]), attach=first.policy_id, from_=[runners.id]
)
"""

ONE_LIST = """
import hostgate
from hostgate.gcp import FirewallPolicyAllowlist, UrlFilterAllowlist

hosts, egress = hostgate.select("./ours.yaml"), "projects/acme/global/firewallPolicies/egress"
UrlFilterAllowlist("urls", hosts=hosts, attach=egress, zones=["europe-west1-b"], networks=["projects/acme/global/networks/main"])
FirewallPolicyAllowlist("names", hosts=hosts, attach=egress)
"""


def document(output: str) -> Any:
    return json.JSONDecoder().raw_decode(output[output.index("{") :])[0]


def asked(snapshot: Any) -> list[Reach]:
    found = []
    for place in places_of_stack(snapshot):
        needs, ours = needs_of_allowlists(allowlists_at(place, snapshot))
        found.append(reach(place, needs, clients_of(place, ours)))
    return found


class Deployed:
    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox", PROGRAM)
        lab.hosts("a=a.acme.example", "b=b.acme.example")
        self.before = lab.pulumi("preview", "--json", "--show-sames")
        self.made = lab.up()
        self.quiet = lab.pulumi("preview", "--expect-no-changes")
        self.export = lab.pulumi("stack", "export")
        (lab.project / "__main__.py").write_text(ONE_LIST)
        self.refused = lab.pulumi("preview")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return Deployed(tmp_path_factory.mktemp("lists"))


def test_what_stands_and_what_would_stand_is_as_it_is_meant(deployed: Deployed) -> None:
    assert deployed.made.ok, deployed.made.output
    assert deployed.quiet.ok, deployed.quiet.output
    for snapshot in (
        of_preview(document(deployed.before.output), "a preview"),
        of_state(document(deployed.export.output), "a state"),
    ):
        assert [(each.beyond, each.missing) for each in asked(snapshot)] == [((), ())]


def test_a_host_that_the_clients_of_the_other_list_come_to_reach_is_beyond(deployed: Deployed) -> None:
    state = document(deployed.export.output)
    for each in state["deployment"]["resources"]:
        if each["urn"].endswith("::builders"):
            assert each["outputs"]["ipAddresses"] == ["10.1.0.0/16"]
        if each["type"].endswith("RuleCollectionGroup") and each["urn"].endswith("::first"):
            moved = json.dumps(each["outputs"]).replace("/ipGroups/builders", "/ipGroups/runners")
            each["outputs"] = json.loads(moved)
    (found,) = asked(of_state(state, "a state"))
    flows = [flow for each in found.beyond for flow in each.flows]
    assert {flow.name for flow in flows} == {"b.acme.example"}
    assert all(str(flow.source).startswith("10.2.") for flow in flows)
    assert {entry for each in found.missing for entry, _ in each.entries} == {"first:a", "first:b"}


def test_components_whose_rules_are_one_list_are_refused_at_the_preview(deployed: Deployed) -> None:
    assert not deployed.refused.ok
    told = (
        "names: found the components urls (url-filter) and names (fqdn), whose rules are one list for the same clients"
    )
    assert told in " ".join(deployed.refused.output.split())
