"""What Google refuses of a Secure Web Proxy: inputs at check time, calls by what else is held, and what its provider overlooks."""

import threading
from pathlib import Path
from typing import Any

import pytest
from provider_calls import Aborted, Deployment
from test_sandbox_clouds import GONE, changed, only

from hostgate.gcp.resources_proxy import GATEWAY, POLICY, POLICY_ROUTE, RULE, STATIC_ROUTE, SUBNETWORK, URL_LIST
from hostgate.sandbox.clouds import Declaration
from hostgate.sandbox.faults import delay
from hostgate.sandbox.gcp import CLOUD

NET = "projects/sandbox/global/networks/main"
REGION = "europe-west4"
LIST = {
    "name": "hosts",
    "location": REGION,
    "values": ["cgr.dev", "*.wide.example", "*apex.example", "a.example/path/*"],
}
RULE_OF = {
    "name": "allow", "location": REGION, "gatewaySecurityPolicy": "egress", "enabled": True, "priority": 0,
    "basicProfile": "ALLOW", "sessionMatcher": "host() == 'cgr.dev'",
}  # fmt: skip
GATE = {
    "name": "proxy", "location": REGION, "type": "SECURE_WEB_GATEWAY", "routingMode": "NEXT_HOP_ROUTING_MODE", "allPorts": True,
    "network": NET, "subnetwork": "projects/sandbox/regions/europe-west4/subnetworks/main",
}  # fmt: skip
ROUTE = {"name": "past", "network": NET, "filter": {"protocolVersion": "IPV4"}, "nextHopOtherRoutes": "DEFAULT_ROUTING"}


@pytest.mark.parametrize(
    ("type_", "inputs", "path", "value", "where", "said"),
    [
        (URL_LIST, LIST, "name", "under_score", "name", "wrong form"),
        (URL_LIST, LIST, "values/0", "localhost", "values[0]", "not an entry"),
        (URL_LIST, LIST, "values/0", "https://cgr.dev", "values[0]", "not an entry"),
        (URL_LIST, LIST, "values/0", "a.*.dev", "values[0]", "not an entry"),
        (URL_LIST, LIST, "values/0", "*", "values[0]", "not an entry"),
        (URL_LIST, LIST, "values", [], "values", "too few"),
        (URL_LIST, LIST, "values", [f"h{n}.example" for n in range(2_501)], "values", "too many"),
        (RULE, RULE_OF, "basicProfile", "BLOCK", "basicProfile", "not a value"),
        (RULE, RULE_OF, "sessionMatcher", GONE, "sessionMatcher", "missing"),
        (RULE, RULE_OF, "sessionMatcher", "x" * 2_049, "sessionMatcher", "wrong length"),
        (RULE, RULE_OF, "priority", -1, "priority", "out of range"),
        (GATEWAY, GATE, "routingMode", "TRANSPARENT", "routingMode", "not a value"),
        (GATEWAY, GATE, "routingMode", GONE, "routingMode", "missing"),
        (GATEWAY, GATE, "ports", [443], "ports", "ports"),
        (GATEWAY, GATE, "allPorts", GONE, "ports", "ports"),
        (GATEWAY, GATE, "addresses", ["10.0.0.1", "10.0.0.2"], "addresses", "too many"),
        (GATEWAY, GATE, "scope", "1st", "scope", "wrong form"),
        (POLICY_ROUTE, ROUTE, "filter/protocolVersion", "V4", "filter.protocolVersion", "not a value"),
        (POLICY_ROUTE, ROUTE, "filter/destRange", "10.0.0.1/8", "filter.destRange", "not a range"),
        (POLICY_ROUTE, ROUTE, "nextHopIlbIp", "10.0.0.9", "", "one of two"),
        (POLICY_ROUTE, ROUTE, "priority", 0, "priority", "out of range"),
    ],
)
def test_an_input_that_the_api_refuses_is_refused_at_its_place(
    type_: str, inputs: dict[str, Any], path: str, value: object, where: str, said: str
) -> None:
    problem = only(CLOUD.check(type_, changed(inputs, path, value)))
    assert (problem.path, said in problem.what) == (where, True), str(problem)
    assert problem.source


@pytest.mark.parametrize(
    ("type_", "inputs"), [(URL_LIST, LIST), (RULE, RULE_OF), (GATEWAY, GATE), (POLICY_ROUTE, ROUTE)]
)
def test_what_the_api_takes_is_taken(type_: str, inputs: dict[str, Any]) -> None:
    assert CLOUD.check(type_, inputs) == []


@pytest.fixture
def cloud(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def policy(cloud: Deployment, name: str = "egress") -> str:
    return cloud.create(POLICY, name, {"name": name, "location": REGION})[0]


def gateway(cloud: Deployment, name: str = "proxy", **more: Any) -> tuple[str, dict[str, Any]]:
    return cloud.create(GATEWAY, name, {**GATE, "name": name, **more})


def refused(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(Aborted) as caught:
        call(*arguments, **more)
    return str(caught.value)


def test_ids_are_cut_from_names_as_the_provider_cuts_them(cloud: Deployment) -> None:
    assert cloud.create(URL_LIST, "l", LIST)[0] == f"projects/sandbox/locations/{REGION}/urlLists/hosts"
    policy(cloud)
    elsewhere = "projects/other/locations/us-east1/gatewaySecurityPolicies/egress"
    found, _ = cloud.create(RULE, "r", {**RULE_OF, "gatewaySecurityPolicy": elsewhere})
    assert found == f"projects/sandbox/locations/{REGION}/gatewaySecurityPolicies/egress/rules/allow"


@pytest.mark.parametrize(
    ("type_", "inputs", "change"),
    [
        (URL_LIST, LIST, {"name": "other"}),
        (URL_LIST, LIST, {"location": "us-east1"}),
        (GATEWAY, {key: value for key, value in GATE.items() if key != "allPorts"} | {"ports": [80]}, {"ports": [81]}),
    ],
)
def test_what_the_provider_plans_in_place_fails_there(
    cloud: Deployment, type_: str, inputs: dict[str, Any], change: dict[str, Any]
) -> None:
    id_, _ = cloud.create(type_, "x", inputs)
    told = cloud.diff(type_, inputs, {**inputs, **change})
    assert not told.replaces
    assert "cannot change" in refused(cloud.update, type_, id_, {**inputs, **change}, inputs)


def test_a_rule_is_refused_without_its_policy_or_a_list_that_it_names(cloud: Deployment) -> None:
    assert "was not found" in refused(cloud.create, RULE, "r", RULE_OF)
    policy(cloud)
    named = f"inUrlList(host(), 'projects/sandbox/locations/{REGION}/urlLists/hosts')"
    assert "does not exist" in refused(cloud.create, RULE, "r", {**RULE_OF, "sessionMatcher": named})


def test_a_list_is_kept_while_a_rule_names_it_and_a_policy_while_a_gateway_uses_it(cloud: Deployment) -> None:
    held = policy(cloud)
    listed, _ = cloud.create(URL_LIST, "l", LIST)
    cloud.create(RULE, "r", {**RULE_OF, "sessionMatcher": f"inUrlList(host(), '{listed}')"})
    assert "the rule allow uses it" in refused(cloud.delete, URL_LIST, listed)
    gateway(cloud, gatewaySecurityPolicy=held)
    assert "the gateway proxy uses it" in refused(cloud.delete, POLICY, held)


def test_a_network_has_one_next_hop_proxy_in_a_region_and_any_number_of_explicit_ones(cloud: Deployment) -> None:
    gateway(cloud)
    assert "next-hop proxy of the network in the region already" in refused(gateway, cloud, "second")
    explicit = {"routingMode": "EXPLICIT_ROUTING_MODE", "allPorts": None, "ports": [8080]}
    gateway(cloud, "third", **explicit)
    gateway(cloud, "fourth", **explicit)
    gateway(cloud, "fifth", network=f"{NET}2")
    assert "at most 5 gateways" in refused(lambda: [gateway(cloud, f"g{n}", network=f"{NET}{n}") for n in "34"])


def test_a_gateway_has_the_address_that_it_was_given_or_one_of_its_own_and_is_kept_while_a_route_leads_to_it(
    cloud: Deployment,
) -> None:
    assert gateway(cloud, "given", network=f"{NET}2", addresses=["10.0.0.9"])[1]["addresses"] == ["10.0.0.9"]
    held, outputs = gateway(cloud)
    (address,) = outputs["addresses"]
    cloud.create(STATIC_ROUTE, "s", {"name": "lead", "network": NET, "destRange": "0.0.0.0/0", "nextHopIp": address})
    assert "the route lead leads to it" in refused(cloud.delete, GATEWAY, held)


def test_a_preview_refuses_two_next_hop_proxies_of_one_network_and_region_as_the_service_does() -> None:
    there = Declaration("urn:a", GATEWAY, "a", GATE)
    link = f"https://www.googleapis.com/compute/v1/{NET}"
    (problem,) = CLOUD.check_stack([there, Declaration("urn:b", GATEWAY, "b", {**GATE, "network": link})])
    assert (problem.what, problem.name) == ("two proxies", "b")
    for other in ({"location": "us-east1"}, {"network": f"{NET}2"}, {"routingMode": "EXPLICIT_ROUTING_MODE"}):
        assert not CLOUD.check_stack([there, Declaration("urn:b", GATEWAY, "b", {**GATE, **other})])


def test_at_most_ten_lists_are_in_a_region(cloud: Deployment) -> None:
    for number in range(10):
        cloud.create(URL_LIST, f"l{number}", {**LIST, "name": f"hosts-{number}"})
    assert "at most 10 URL lists" in refused(cloud.create, URL_LIST, "more", {**LIST, "name": "more"})
    cloud.create(URL_LIST, "there", {**LIST, "name": "there", "location": "us-east1"})


def test_two_rules_of_a_policy_are_never_written_at_once(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pause(_: float) -> None:
        begun.set()
        go_on.wait(10)

    cloud = Deployment(tmp_path, pause)
    policy(cloud)
    policy(cloud, "other")
    delay(cloud.state, "allow", 1.0)
    slow = threading.Thread(target=cloud.create, args=(RULE, "r", RULE_OF))
    slow.start()
    assert begun.wait(10)
    try:
        told = refused(cloud.create, RULE, "second", {**RULE_OF, "name": "second"})
        cloud.create(RULE, "apart", {**RULE_OF, "name": "apart", "gatewaySecurityPolicy": "other"})
    finally:
        go_on.set()
        slow.join()
    assert "AnotherOperationInProgress" in told


def test_a_proxy_only_subnet_is_of_a_region(cloud: Deployment) -> None:
    inputs = {"name": "proxies", "network": NET, "ipCidrRange": "10.9.0.0/23", "purpose": "REGIONAL_MANAGED_PROXY"}
    found, _ = cloud.create(SUBNETWORK, "s", {**inputs, "role": "ACTIVE", "region": REGION})
    assert found == f"projects/sandbox/regions/{REGION}/subnetworks/proxies"
