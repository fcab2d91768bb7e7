"""What stands is explained for the clients of the allowlists there, whatever other rules are for somebody else."""

from dataclasses import replace

import pytest

from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.planning.allowlists_at import with_meant
from hostgate.policies.places import places_of_stack

from .conftest import Run
from .test_reach_by_list import STACKS, stand

RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
EVIL = Flow("evil.example", address="198.51.100.9")


def explained(snapshot: Snapshot, flow: Flow) -> set[str]:
    return {decide(with_meant(each, snapshot), flow).action for each in places_of_stack(snapshot)}


def beside(snapshot: Snapshot, action: str, ranges: list[str], to: str) -> Snapshot:
    """The snapshot with a rule of somebody else before all others of the same policy."""
    policy = next(each for each in snapshot.resources if each.type == RULE)
    match = {"srcIpRanges": ranges, "destIpRanges": [to], "layer4Configs": [{"ipProtocol": "all"}]}
    told = {"action": action, "direction": "EGRESS", "priority": 5, "match": match}
    rule = Resource(
        urn="theirs", type=RULE, name="theirs",
        properties={**{key: policy.properties[key] for key in ("firewallPolicy",)}, **told},
        property_dependencies={"firewallPolicy": policy.property_dependencies["firewallPolicy"]},
    )  # fmt: skip
    return replace(snapshot, resources=(*snapshot.resources, rule))


@pytest.mark.parametrize("clients", ["10.1.0.0/16", "10.0.0.0/8", "192.168.0.0/16"])
@pytest.mark.parametrize("to", ["203.0.113.7/32", "203.0.113.0/24"])
def test_a_rule_that_allows_something_else_lets_no_other_host_pass(run: Run, clients: str, to: str) -> None:
    snapshot = stand(run, STACKS["gcp by range, one component"])
    assert explained(snapshot, EVIL) == {"block"}
    assert explained(beside(snapshot, "allow", [clients], to), EVIL) == {"block"}


@pytest.mark.parametrize(
    ("clients", "verdict"), [("10.1.0.0/16", "allow"), ("10.2.3.0/24", "allow"), ("192.168.0.0/16", "block")]
)
def test_a_rule_that_allows_the_host_counts_for_those_that_are_meant_alone(
    run: Run, clients: str, verdict: str
) -> None:
    snapshot = stand(run, STACKS["gcp by range, one component"])
    assert explained(beside(snapshot, "allow", [clients], "198.51.100.0/24"), EVIL) == {verdict}


@pytest.mark.parametrize(("denied", "verdict"), [(["10.1.0.0/16", "10.2.0.0/16"], "block"), (["10.1.0.0/16"], "allow")])
def test_clients_without_ipv6_are_asked_over_ipv4_alone(run: Run, denied: list[str], verdict: str) -> None:
    snapshot = beside(stand(run, STACKS["gcp by range, one component"]), "deny", denied, "0.0.0.0/0")
    assert explained(snapshot, Flow("cgr.dev")) == {verdict}
