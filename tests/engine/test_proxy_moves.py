"""A Secure Web Proxy whose gateway, name, subnet or routing changes: told before, and never a moment that the plans do not say."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import entry
from engine.lab import Lab, real_engine, well
from engine.moments import Update, plain, states
from engine.stand_in import StandIn
from hostgate.gcp.resources_proxy import GATEWAY, POLICY_ROUTE, SUBNETWORK
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state
from hostgate.sandbox.preview_problems import PreviewError
from review.changes import made

PLACE = {
    "network": "projects/acme/global/networks/main",
    "subnetwork": "projects/acme/regions/europe-west4/subnetworks/main",
}
POLICY_ALONE = {"project": "acme", "region": "europe-west4"}
OTHER_GATEWAYS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"address": "10.128.0.99"}),
    ({"address": "10.128.0.98"}, {"address": "10.128.0.99"}),
    ({}, {"ports": [80, 443]}),
    ({"ports": [80, 443]}, {}),
    ({}, {"name": "acme"}),
    ({"networkTags": ["web"]}, {"networkTags": ["web"], "ports": [443]}),
    ({}, {"subnetwork": "projects/acme/regions/europe-west4/subnetworks/other"}),
    (
        {"address": "10.128.0.98"},
        {"address": "10.128.0.98", "routing": "explicit", "ports": [8080]},
    ),
]


def configured(lab: Lab, **options: Any) -> None:
    lab.configure({"gcp": {"mechanism": "web-proxy", **options}}, lab.hosts("a.acme.example"))


def obstacles(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    (change,) = diff(*([state(made("gcp:web-proxy", [entry("a.acme.example")], **each))] for each in (before, after)))
    return [*change.obstacles]


@pytest.mark.parametrize(("before", "after"), OTHER_GATEWAYS, ids=str)
def test_another_gateway_is_foretold_and_refused_and_the_old_one_stays(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    lab = StandIn(tmp_path)
    configured(lab, **PLACE, **before)
    lab.brought_up()
    assert obstacles({**PLACE, **before}, {**PLACE, **after})
    held = {each.id for each in lab.state.objects()}
    configured(lab, **{**PLACE, **after})
    with pytest.raises(PreviewError, match=r"is the next-hop proxy of|is that of"):
        lab.brought_up()
    assert held <= {each.id for each in lab.state.objects()}


@pytest.mark.parametrize(("before", "after"), OTHER_GATEWAYS, ids=str)
def test_another_gateway_is_made_by_the_steps_that_the_review_names(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    lab, old, new = StandIn(tmp_path), {**PLACE, **before}, {**PLACE, **after}
    (message,) = obstacles(old, new)
    assert "update without `network` and `subnetwork`; update again with the new settings" in message
    for step in (old, POLICY_ALONE, new):
        configured(lab, **step)
        lab.brought_up()
    assert not obstacles(POLICY_ALONE, new)
    (gateway,) = lab.state.objects(GATEWAY)
    assert gateway.inputs.get("ports") == after.get("ports")


def test_a_rename_with_formerly_and_a_routing_on_the_same_ports_need_no_other_gateway() -> None:
    assert not obstacles(PLACE, {**PLACE, "name": "acme", "formerly": "hostgate"})
    ports = {**PLACE, "ports": [8080], "address": "10.128.0.98"}
    assert not obstacles(ports, {**ports, "routing": "explicit"})
    assert not obstacles({**PLACE, "routing": "explicit", "ports": [8080]}, PLACE)


def loops(update: Update) -> list[str]:
    """Moments at which the traffic of a proxy-only subnet is led to the proxy itself."""
    found = []
    for call, held in states(update.calls, update.before):
        routes = [each.inputs for each in held if each.type == POLICY_ROUTE]
        kept = {route["filter"].get("srcRange") for route in routes if route.get("nextHopOtherRoutes")}
        led = any("nextHopIlbIp" in route for route in routes)
        found += [
            f"after call {call.number} ({call.operation} {call.name})"
            for each in held
            if led and each.type == SUBNETWORK and each.inputs["ipCidrRange"] not in kept
        ]
    return found


def test_a_proxy_only_subnet_that_grows_is_kept_from_the_proxy_before_it_does(tmp_path: Path) -> None:
    lab = StandIn(tmp_path)
    for subnet in ("10.9.0.0/23", "10.9.0.0/22", "10.0.0.0/12"):
        configured(lab, **PLACE, proxySubnet=subnet)
        assert not loops(lab.brought_up())


@pytest.mark.parametrize("subnet", ["10.20.0.0/23", "10.9.0.0/24", "10.8.0.0/24"])
def test_a_proxy_only_subnet_that_moves_or_shrinks_is_foretold_and_refused(tmp_path: Path, subnet: str) -> None:
    before, after = {**PLACE, "proxySubnet": "10.9.0.0/23"}, {**PLACE, "proxySubnet": subnet}
    (message,) = obstacles(before, after)
    assert message.startswith("No single update leads there: it needs the active proxy-only subnet of ")
    assert "with role BACKUP" in message
    (change,) = diff(*([state(made("gcp:web-proxy", [entry("a.acme.example")], **each))] for each in (before, after)))
    assert [each.because for each in change.objects or () if each.name == "hostgate-proxy-only"] == [("ipCidrRange",)]
    lab = StandIn(tmp_path)
    configured(lab, **before)
    lab.brought_up()
    configured(lab, **after)
    with pytest.raises(PreviewError, match="is the active proxy-only subnet of the network in the region already"):
        lab.brought_up()


def test_one_that_grows_comes_or_goes_is_an_update() -> None:
    ranges = [PLACE, {**PLACE, "proxySubnet": "10.9.0.0/23"}, {**PLACE, "proxySubnet": "10.9.0.0/22"}, PLACE]
    assert not [obstacles(*pair) for pair in itertools.pairwise(ranges) if obstacles(*pair)]


@real_engine
def test_on_the_real_engine_a_subnet_a_name_and_a_gateway_change_as_the_review_says(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    steps: list[dict[str, Any]] = [
        {**PLACE, "proxySubnet": "10.9.0.0/23"},
        {**PLACE, "proxySubnet": "10.9.0.0/22"},
        {**PLACE, "proxySubnet": "10.9.0.0/22", "name": "acme", "formerly": "hostgate"},
        {**PLACE, "proxySubnet": "10.9.0.0/22", "routing": "explicit", "ports": [8080], "name": "acme", "formerly": "hostgate"},
    ]  # fmt: skip
    runs = []
    for step in steps:
        configured(lab, **step)
        runs.append(well(lab.up()))
        assert not loops(runs[-1].update)
    _, moved, renamed, told = ([f"{call.operation} {plain(call.name)}" for call in run.update.calls] for run in runs)
    assert moved.index("create hostgate-from-10-9-0-0-22") < moved.index("update hostgate-proxy-only")
    assert moved[-1] == "delete hostgate-from-10-9-0-0-23"
    assert not [each for each in renamed if "gateway" in each or "to-proxy" in each]
    assert "delete hostgate-to-proxy" in told
    again = lab.pulumi("preview", "--expect-no-changes")
    assert again.ok, again.output
    configured(lab, **{**PLACE, "name": "acme", "formerly": "hostgate", "ports": [80, 443]})
    assert well(lab.up()).ok
    configured(lab, **{**PLACE, "name": "acme", "formerly": "hostgate"})
    refused = lab.up()
    assert not refused.ok
    assert not refused.wrong
    configured(lab, **{**POLICY_ALONE, "name": "acme", "formerly": "hostgate"})
    assert lab.pulumi("up", "--yes", "--skip-preview").ok
    configured(lab, **{**PLACE, "name": "acme", "formerly": "hostgate"})
    assert lab.pulumi("up", "--yes", "--skip-preview").ok
