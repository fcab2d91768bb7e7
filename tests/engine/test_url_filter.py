"""URL filtering through its changes, call by call: never wider than the plans, never a moment that cuts what stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Lab, real_engine, well
from engine.moments import Update, states
from engine.stand_in import StandIn
from hostgate.flows.flow import Flow
from hostgate.gcp.resources import ASSOCIATION, POLICY, RULE
from hostgate.gcp.resources_url_filter import ENDPOINT, ENDPOINT_ASSOCIATION, PROFILE, PROFILE_GROUP
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.lifecycle import Account
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import StoredObject

B, C = "europe-west1-b", "europe-west1-c"
URLS: dict[str, Any] = {"mechanism": "url-filter", "networks": ["projects/acme/global/networks/main"], "zones": [B]}


@pytest.fixture
def lab(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def up(lab: StandIn, *hosts: str, **more: Any) -> Update:
    lab.configure({"gcp": {**URLS, **more}}, lab.hosts(*(hosts or ("a.acme.example",))))
    update = lab.well()
    assert not list(uninspected(update, [B]))
    return update


def uninspected(update: Update, zones: list[str]) -> Iterator[str]:
    """Moments at which a rule inspects, and a zone of both plans has no endpoint."""
    for call, held in states(update.calls, update.before):
        there = {each.inputs["location"] for each in held if each.type == ENDPOINT_ASSOCIATION}
        if any(each.type == RULE and each.inputs.get("securityProfileGroup") for each in held) and set(zones) - there:
            yield f"after call {call.number}"


def of(update: Update, type_: str) -> list[StoredObject]:
    return [each for each in update.after if each.type == type_]


def test_the_first_up_has_the_endpoint_before_the_rule_and_the_rule_before_the_network(lab: StandIn) -> None:
    made = up(lab).done("create")
    order = ["FirewallEndpoint hostgate-europe-west1-b", "NetworkFirewallPolicyRule hostgate-inspect-tcp-443",
             "NetworkFirewallPolicyAssociation hostgate-main"]  # fmt: skip
    assert sorted(order, key=made.index) == order
    assert made.index("SecurityProfileGroup hostgate-group-443") < made.index(order[1])
    assert not up(lab).calls


def test_one_host_more_is_one_update_of_one_profile(lab: StandIn) -> None:
    up(lab)
    update = up(lab, "a.acme.example", "b.acme.example")
    assert [(call.operation, call.type) for call in update.calls] == [("update", PROFILE)]


def test_a_port_comes_after_its_group_and_goes_before_it(lab: StandIn) -> None:
    up(lab)
    made = up(lab, "a.acme.example", "plain=b.acme.example:80").done("create")
    assert [name.partition(" ")[0] for name in made] == [
        "SecurityProfile", "SecurityProfileGroup", "NetworkFirewallPolicyRule",
    ]  # fmt: skip
    gone = up(lab).done("delete")
    assert [name.partition(" ")[0] for name in gone] == [
        "NetworkFirewallPolicyRule", "SecurityProfileGroup", "SecurityProfile",
    ]  # fmt: skip


def test_a_zone_comes_and_goes_by_its_endpoint_alone(lab: StandIn) -> None:
    up(lab)
    update = up(lab, zones=[B, C])
    assert {call.type for call in update.calls} == {ENDPOINT, ENDPOINT_ASSOCIATION}
    update = up(lab)
    gone = [name.partition(" ")[0] for name in update.done("delete")]
    assert gone == ["FirewallEndpointAssociation", "FirewallEndpoint"]


def test_larger_packets_are_inspected_by_a_new_endpoint_before_the_old_one_goes(lab: StandIn) -> None:
    up(lab)
    update = up(lab, mtu=8_000)
    assert [call.operation for call in update.calls] == ["create", "update", "delete"]
    assert of(update, ENDPOINT)[0].inputs["endpointSettings"] == {"jumboFramesEnabled": True}


def test_into_audit_and_back_no_moment_is_wider_than_audit(lab: StandIn) -> None:
    up(lab)
    up(lab, mode="audit")
    up(lab)


def test_the_base_may_move_far_enough_that_no_priority_is_taken(lab: StandIn) -> None:
    up(lab)
    up(lab, base=3_000)


def test_a_base_that_meets_the_old_rules_is_refused_and_nothing_opens(lab: StandIn) -> None:
    up(lab)
    before = lab.state.objects()
    lab.configure({"gcp": {**URLS, "base": 2_001}}, lab.hosts("a.acme.example"))
    with pytest.raises(PreviewError, match="exists already"):
        lab.brought_up()
    assert {each.id for each in before} <= {each.id for each in lab.state.objects()}


def test_clients_and_labels_change_in_place(lab: StandIn) -> None:
    up(lab)
    update = up(lab, tags={"team": "platform"})
    assert {call.operation for call in update.calls} == {"update"}


RENAMED = """
import hostgate, pulumi
from hostgate.gcp import UrlFilterAllowlist

UrlFilterAllowlist(
    "{name}", hosts=hostgate.select("./ours.yaml"), zones=["europe-west1-b"], networks=["projects/acme/global/networks/main"],
    project="acme", deny="internet", attach="egress", base=5000, opts={opts},
)
"""


def test_a_component_renamed_by_alias_turns_its_rules_to_new_groups_before_the_old_ones_go(tmp_path: Path) -> None:
    lab = StandIn(tmp_path, RENAMED.format(name="first", opts="None"))
    lab.hosts("a.acme.example")
    Service(lab.state, Account(project="acme")).create(POLICY, {"name": "egress"})
    lab.brought_up()
    alias = 'pulumi.ResourceOptions(aliases=[pulumi.Alias(name="first")])'
    (lab.project / "__main__.py").write_text(RENAMED.format(name="second", opts=alias))
    update = lab.brought_up()
    assert not list(uninspected(update, [B]))
    assert not any(call.type == RULE for call in update.calls if call.operation in ("create", "delete"))
    assert [each.name for each in of(update, PROFILE_GROUP)] == ["second-group-443"]
    for _, held in states(update.calls, update.before):
        groups = {f"//networksecurity.googleapis.com/{each.id}" for each in held if each.type == PROFILE_GROUP}
        assert all(each.inputs.get("securityProfileGroup") in (None, *groups) for each in held if each.type == RULE)


def test_what_is_destroyed_goes_rules_first_and_endpoints_last(lab: StandIn) -> None:
    up(lab)
    (lab.project / "__main__.py").write_text("")
    update = lab.brought_up()
    assert update.after == []
    gone = [name.partition(" ")[0] for name in update.done("delete")]
    assert (
        gone.index("NetworkFirewallPolicyRule")
        < gone.index("FirewallEndpointAssociation")
        < gone.index("FirewallEndpoint")
    )
    assert not list(uninspected(update, [B]))


def test_from_addresses_to_names_in_one_policy_no_moment_opens_and_none_cuts(lab: StandIn) -> None:
    service = Service(lab.state, Account(project="acme"))
    service.create(POLICY, {"name": "egress"})
    for priority, everywhere in ((2_000_000_000, "0.0.0.0/0"), (2_000_000_001, "::/0")):
        match = {"destIpRanges": [everywhere], "layer4Configs": [{"ipProtocol": "all"}]}
        told = {"priority": priority, "direction": "EGRESS", "action": "deny", "match": match}
        service.create(RULE, {"firewallPolicy": "egress", **told})
    network = URLS["networks"][0]
    service.create(ASSOCIATION, {"name": "a", "attachmentTarget": network, "firewallPolicy": "egress"})
    place = {"attach": "projects/acme/global/firewallPolicies/egress", "deny": "declared"}
    fqdn, urls = {"mechanism": "fqdn", **place, "base": 30_000_000}, {**URLS, **place, "base": 1_000}
    for layers in ([fqdn], [urls, fqdn], [urls]):
        lab.configure({"gcp": layers}, lab.hosts("a.acme.example"))
        update = lab.brought_up()
        for call, held in states(update.calls, update.before):
            (point,) = points(held)
            allowed = point.verdict(Flow("a.acme.example", address="198.51.100.7"))
            assert allowed.allows or (layers == [fqdn] and call == update.calls[0]), call
            assert not point.verdict(Flow("evil.example", address="198.51.100.7")).allows, call


@real_engine
def test_the_real_engine_does_nothing_that_its_stand_in_does_not(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    steps: list[tuple[list[str], dict[str, Any]]] = [
        (["a.acme.example"], {}),
        (["a.acme.example", "b.acme.example"], {}),
        (["a.acme.example", "plain=b.acme.example:80"], {}),
        (["a.acme.example"], {"zones": [B, C]}),
        (["a.acme.example"], {"mtu": 8_000}),
        (["a.acme.example"], {"mtu": 8_000, "mode": "audit"}),
        (["c.acme.example"], {"mtu": 8_000}),
        (["c.acme.example"], {"mtu": 8_000, "base": 3_000}),
    ]
    for hosts, more in steps:
        lab.configure({"gcp": {**URLS, **more}}, lab.hosts(*hosts))
        assert not list(uninspected(well(lab.up()).update, [B]))
    assert lab.preview() == [] or {op for op, _ in lab.preview()} == {"same"}
    gone = lab.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.ok, gone.output
    assert not list(uninspected(gone.update, [B]))
    assert lab.state.objects() == []
