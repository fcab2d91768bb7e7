"""`hostgate reach` and `hostgate diff` where the firewall, or the way to it, is gone: whom routes lead to the internet past
everything that judges, and of whom nobody knows any more."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli import ways
from cli.conftest import Run
from cli.ways import State, aws_group, aws_list, aws_network, aws_policy, azure_network, proxy_rule, state

CATALOG = """catalog: acme/pull
entries:
  - {id: registry, host: cgr.dev, port: 443, protocol: https, purpose: Images}
"""
TO_FIREWALL = {"vpcEndpointId": "vpce-1"}


def aws(*clients: str, policy: bool = True) -> list[State]:
    listed = aws_list(*clients)
    group = aws_group(listed)
    return [listed, group, *([aws_policy(group)] if policy else [])]


def azure(*clients: str, policy: bool = True) -> list[State]:
    listed = ways.azure_list(*clients)
    return [listed, ways.azure_group(listed, *clients), *([ways.AZURE_POLICY] if policy else [])]


def proxy(*clients: str) -> list[State]:
    listed = ways.proxy_list(*clients)
    return [listed, *proxy_rule(listed)]


def led_past(run: Run, path: Path, *words: object) -> tuple[int, list[str], str]:
    found = run("reach", "--state", path, "--json", *words)
    rules = [each["rule"] for point in found.json["points"] for each in point["beyond"]]
    said = " ".join(each for point in found.json["points"] for each in point["assumptions"])
    return found.code, [each for each in rules if each and each.startswith(("route ", "no route"))], said


GONE: dict[str, tuple[list[State], str]] = {
    "AWS, an internet gateway": ([*aws("10.0.0.0/8"), *aws_network(gatewayId="igw-1")], "route out-app"),
    "AWS, IPv6 by an egress-only gateway": (
        [*aws("10.0.0.0/8"), *aws_network("IPv6", egressOnlyGatewayId="eigw-1")], "route out-app"),
    "AWS, a NAT gateway": ([*aws("10.0.1.0/24"), *aws_network(natGatewayId="nat-1"), *ways.NAT], "route out-app"),
    "AWS, for everybody": ([*aws(), *aws_network(gatewayId="igw-1")], "route out-app"),
    "AWS, the policy is elsewhere": (
        [*aws("10.0.0.0/8", policy=False), *aws_network(gatewayId="igw-1")], "route out-app"),
    "Azure, a route of yours": ([*azure("10.0.0.0/8"), *azure_network("Internet")], "route rt/out"),
    "Azure, the system's route": (
        [*azure("10.0.0.0/8"), *azure_network("None", family="IPv6")], "no route to what would judge them"),
    "Azure, the policy is elsewhere": ([*azure("10.0.0.0/8", policy=False), *azure_network("Internet")], "route rt/out"),
    "a web proxy without a route": ([*proxy("10.0.0.0/8"), ways.PROXY, *ways.GCP_NETWORK], "route default of main"),
    "a web proxy, for everybody": ([*proxy(), ways.PROXY, *ways.GCP_NETWORK], "route default of main"),
    "a web proxy that is gone": ([*proxy("10.0.0.0/8"), *ways.GCP_NETWORK], "route default of main"),
}  # fmt: skip


@pytest.mark.parametrize("case", GONE)
def test_clients_that_are_led_to_the_internet_where_no_firewall_stands_reach_everything(
    run: Run, tmp_path: Path, case: str
) -> None:
    resources, rule = GONE[case]
    code, rules, _ = led_past(run, state(tmp_path, *resources))
    assert (code, set(rules)) == (3, {rule})


ELSEWHERE: dict[str, list[State]] = {
    "AWS": [*aws("192.168.0.0/16"), *aws_network(gatewayId="igw-1")],
    "Azure": [*azure("192.168.0.0/16"), *azure_network("Internet")],
    "a web proxy": [*proxy("192.168.0.0/16"), *ways.GCP_NETWORK],
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_subnets_that_no_allowlist_names_are_said_and_not_beyond(run: Run, tmp_path: Path, case: str) -> None:
    _, rules, said = led_past(run, state(tmp_path, *ELSEWHERE[case]))
    assert (rules, "app" in said) == ([], True)


@pytest.mark.parametrize("resources", [GONE["AWS, an internet gateway"][0][1:], GONE["Azure, a route of yours"][0][1:]])
def test_without_an_allowlist_a_catalog_names_no_clients_and_the_way_is_said(
    run: Run, tmp_path: Path, resources: list[State]
) -> None:
    (tmp_path / "ours.yaml").write_text(CATALOG)
    _, rules, said = led_past(run, state(tmp_path, *resources), "--catalog", tmp_path / "ours.yaml")
    assert (rules, "NOT ROUTED TO THE FIREWALL: " in said) == ([], True)


SAID = {
    "AWS, a transit gateway": [*aws("10.0.0.0/8"), *aws_network(transitGatewayId="tgw-1")],
    "AWS, an endpoint": [*aws("10.0.0.0/8"), *aws_network(**TO_FIREWALL)],
    "Azure, an appliance": [*azure("10.0.0.0/8"), *azure_network("VirtualAppliance", "10.0.0.4")],
    "Azure, a gateway": [*azure("10.0.0.0/8"), *azure_network("VirtualNetworkGateway")],
}


@pytest.mark.parametrize("case", SAID)
def test_where_the_way_leads_to_what_was_not_read_it_is_an_assumption(run: Run, tmp_path: Path, case: str) -> None:
    code, rules, said = led_past(run, state(tmp_path, *SAID[case]))
    assert (code, rules, "Where these lead is not known: " in said) == (0, [], True)


def test_a_firewall_that_others_are_led_to_does_not_hide_who_is_named_and_goes_past_it(
    run: Run, tmp_path: Path
) -> None:
    spoke = [
        *aws_network(name="spoke", cidr="10.7.1.0/24", gatewayId="igw-2"),
        *aws_network(name="app", **TO_FIREWALL),
    ]
    for each in spoke:
        if each["urn"].endswith("spoke") and "vpcId" in each["inputs"]:
            each["inputs"]["vpcId"] = "vpc-2"
    for clients, past in ((["10.0.0.0/8"], ["route out-spoke"]), (["10.0.0.0/16"], []), ([], [])):
        path = state(tmp_path, *aws(*clients), ways.FIREWALL, *{each["urn"]: each for each in spoke}.values())
        _, rules, said = led_past(run, path)
        assert (rules, "spoke" in said) == (past, True), clients


def at_a_transit_gateway() -> State:
    inputs = {key: value for key, value in ways.FIREWALL["inputs"].items() if key not in ("vpcId", "subnetMappings")}
    return {**ways.FIREWALL, "outputs": {**inputs, "transitGatewayId": "tgw-1"}}


def in_a_hub() -> State:
    return {**ways.AZURE_FIREWALL, "outputs": {**ways.AZURE_FIREWALL["inputs"], "virtualHub": {"id": "hub"}}}


@pytest.mark.parametrize(
    ("past", "led"),
    [
        ([*aws("10.0.0.0/8"), at_a_transit_gateway(), *aws_network(gatewayId="igw-1")],
         [*aws("10.0.0.0/8"), at_a_transit_gateway(), *aws_network(transitGatewayId="tgw-1")]),
        ([*azure("10.0.0.0/8"), in_a_hub(), *azure_network("Internet")],
         [*azure("10.0.0.0/8"), in_a_hub(), *azure_network("None")]),
    ],
    ids=["a transit gateway", "a virtual hub"],
)  # fmt: skip
def test_a_firewall_that_is_met_by_routes_that_nobody_reads_does_not_hide_who_goes_past_it(
    run: Run, tmp_path: Path, past: list[State], led: list[State]
) -> None:
    code, rules, _ = led_past(run, state(tmp_path, *past))
    assert (code, len(rules)) == (3, 1)
    assert led_past(run, state(tmp_path, *led))[:2] == (0, [])
    found = run("diff", *sides(tmp_path, led, past))
    assert (found.code, "guard never-open-all" in found.out) == (1, True)


# Two moments.

MOVED: dict[str, tuple[Sequence[State], Sequence[State], str]] = {
    "AWS, to a transit gateway": (
        [*aws("10.0.0.0/8"), ways.FIREWALL, *aws_network(**TO_FIREWALL)],
        [*aws("10.0.0.0/8"), ways.FIREWALL, *aws_network(transitGatewayId="tgw-1")], "transit gateway tgw-1"),
    "AWS, to another endpoint": (
        [*aws("10.0.0.0/8"), ways.FIREWALL, *aws_network(**TO_FIREWALL)],
        [*aws("10.0.0.0/8"), ways.FIREWALL, *aws_network(vpcEndpointId="vpce-2")], "endpoint vpce-2"),
    "AWS, IPv6 to an interface": (
        [*aws("10.0.0.0/8"), ways.FIREWALL, *aws_network("IPv6", **TO_FIREWALL)],
        [*aws("10.0.0.0/8"), ways.FIREWALL, *aws_network("IPv6", networkInterfaceId="eni-1")], "eni-1"),
    "AWS, a firewall that was never read": (
        [*aws("10.0.0.0/8"), *aws_network(gatewayId="local")],
        [*aws("10.0.0.0/8"), *aws_network(transitGatewayId="tgw-1")], "transit gateway tgw-1"),
    "Azure, to another appliance": (
        [*azure("10.0.0.0/8"), ways.AZURE_FIREWALL, *azure_network("VirtualAppliance", "10.0.0.4")],
        [*azure("10.0.0.0/8"), ways.AZURE_FIREWALL, *azure_network("VirtualAppliance", "10.0.0.5")], "10.0.0.5"),
    "Azure, IPv6 to a gateway": (
        [*azure("10.0.0.0/8"), ways.AZURE_FIREWALL, *azure_network("None", family="IPv6")],
        [*azure("10.0.0.0/8"), ways.AZURE_FIREWALL, *azure_network("VirtualNetworkGateway", family="IPv6")],
        "virtual network gateway"),
    "a web proxy, to another address": (
        [*proxy("10.0.0.0/8"), ways.PROXY, *ways.GCP_NETWORK, ways.gcp_route()],
        [*proxy("10.0.0.0/8"), ways.PROXY, *ways.GCP_NETWORK, ways.gcp_route("10.0.0.98")], "10.0.0.98"),
}  # fmt: skip


def sides(folder: Path, before: Sequence[State], after: Sequence[State]) -> tuple[Path, Path]:
    return state(folder, *before, name="before.json"), state(folder, *after, name="after.json")


@pytest.mark.parametrize("case", MOVED)
def test_a_route_from_the_firewall_to_what_was_not_read_may_open_everything(
    run: Run, tmp_path: Path, case: str
) -> None:
    *both, hop = MOVED[case]
    base, head = sides(tmp_path, *both)
    found = run("diff", base, head, "--max-opened", 0, "--json")
    told = [each for place in found.json["places"] for each in place["unknown"]]
    trips = {each["guard"]: each["message"] for each in found.json["guards"]["tripped"]}
    assert (found.code, set(trips)) == (1, {"max-opened", "never-open-all"})
    assert any(hop in each["after"]["what"][0] and each["opening"] for each in told)
    assert ("Everything may open" in trips["never-open-all"], "may open" in trips["max-opened"]) == (True, True)
    assert "everything may open on" in run("comment", base, head).out
    assert run("diff", head, head, "--max-opened", 0).code == 0
    back = run("diff", head, base, "--max-opened", 0, "--json")
    assert (back.code, [each for place in back.json["places"] for each in place["opened"]]) == (0, [])


def test_a_route_to_the_proxy_that_goes_opens_everything(run: Run, tmp_path: Path) -> None:
    there = [*proxy("10.0.0.0/8"), ways.PROXY, *ways.GCP_NETWORK]
    found = run("diff", *sides(tmp_path, [*there, ways.gcp_route()], there))
    assert (found.code, "guard never-open-all on gcp proxy" in found.out) == (1, True)


def spoke(**target: Any) -> list[State]:
    return [*aws("10.0.0.0/8"), *aws_network(**target)]


@pytest.mark.parametrize(
    ("before", "after", "kinds", "stops"),
    [
        (spoke(transitGatewayId="tgw-1"), spoke(gatewayId="igw-1"), {"opened"}, {"never-open-all"}),
        (spoke(gatewayId="igw-1"), spoke(transitGatewayId="tgw-1"), {"unknown"}, set()),
        (spoke(transitGatewayId="tgw-1"), spoke(transitGatewayId="tgw-2"), {"unknown"}, set()),
        (spoke(gatewayId="igw-1"), spoke(gatewayId="local"), {"closed"}, set()),
        (spoke(transitGatewayId="tgw-1"), spoke(gatewayId="local"), {"closed"}, set()),
        (spoke(gatewayId="igw-1"), spoke(egressOnlyGatewayId="igw-2"), set(), set()),
        (aws("10.0.0.0/8"), spoke(transitGatewayId="tgw-1"), {"unknown"}, set()),
        ([*aws("192.168.0.0/16"), *aws_network(transitGatewayId="t")], [*aws("192.168.0.0/16"), *aws_network(gatewayId="igw-1")],
         set(), set()),
    ],
    ids=["known to be open now", "not known any more", "by another hop", "led nowhere", "nobody knew, and led nowhere",
         "open as before", "a subnet that is new", "of no client"],
)  # fmt: skip
def test_what_becomes_of_a_way_is_told_by_what_was_known_of_it(
    run: Run, tmp_path: Path, before: list[State], after: list[State], kinds: set[str], stops: set[str]
) -> None:
    found = run("diff", *sides(tmp_path, before, after), "--json")
    told = {kind for place in found.json["places"] for kind in ("opened", "unknown", "closed") if place[kind]}
    assert (told, {each["guard"] for each in found.json["guards"]["tripped"]}) == (kinds, stops)
    assert found.code == bool(stops)


def test_a_client_whose_last_route_to_the_firewall_goes_is_not_forgotten(run: Run, tmp_path: Path) -> None:
    """Once nothing of its network leads to the firewall any more, nothing but the side before tells that it is a client."""
    there = [*aws(), ways.FIREWALL]
    apart = {**ways.FIREWALL["inputs"], "vpcId": "vpc-9"}
    there = [each if each is not ways.FIREWALL else {**each, "inputs": apart, "outputs": apart} for each in there]
    before, after = [*there, *aws_network(**TO_FIREWALL)], [*there, *aws_network(gatewayId="igw-1")]
    found = run("diff", *sides(tmp_path, before, after))
    assert (found.code, "guard never-open-all on aws firewall arn:fw" in found.out) == (1, True)
