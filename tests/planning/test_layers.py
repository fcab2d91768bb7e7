"""Layers of one stack: which of them clients meet together, and what one of them blocks of another's hosts."""

from pathlib import Path
from typing import Any

import pytest

from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.flows.reach import reach
from hostgate.planning.layers import joints
from hostgate.planning.plan import Plan
from hostgate.stack import read_stack

NETS = "projects/acme/global/networks"
MAIN, LAB = f"{NETS}/main", f"{NETS}/lab"
A, B = (f"{name}@acme.iam.gserviceaccount.com" for name in "ab")
POLICY = "projects/acme/global/firewallPolicies/egress"
SUBNET = "projects/acme/regions/europe-west4/subnetworks/main"
URLS = {
    "mechanism": "url-filter",
    "attach": POLICY,
    "networks": [MAIN],
    "zones": ["europe-west1-b"],
    "deny": "declared",
}
FQDN = {"attach": POLICY, "base": 20_000_000, "deny": "declared"}
PROXY = {"mechanism": "web-proxy", "network": MAIN, "subnetwork": SUBNET, "proxySubnet": "10.9.0.0/23"}
DNS = {"mechanism": "dns-firewall", "vpcs": ["vpc-0a1b2c3d"]}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Catalogs: one host, another one, both, and the first on another port."""
    listed = {"one": [("cgr.dev", 443)], "other": [("relay.example.net", 443)], "mail": [("relay.example.net", 587)]}
    for name, hosts in {**listed, "both": listed["one"] + listed["other"]}.items():
        rows = "".join(
            f"  - {{id: {host.partition('.')[0]}, host: {host}, port: {port}, purpose: x, "
            f"protocol: {'tls' if port == 587 else 'https'}}}\n"
            for host, port in hosts
        )
        (tmp_path / f"{name}.yaml").write_text(f"catalog: acme/{name}\nentries:\n{rows}")
    return tmp_path


def planned(files: Path, cloud: str, *layers: tuple[dict[str, Any], str]) -> tuple[Plan, ...]:
    listed = [{**options, "catalogs": [f"./{name}.yaml"]} for options, name in layers]
    return read_stack({cloud: listed}, files).plans()


def differing(plans: tuple[Plan, ...]) -> list[tuple[str, str]]:
    return [(plan.target, one.message) for plan in plans for one in plan.findings if one.id == "layers-differ"]


@pytest.mark.parametrize(
    ("first", "second"),
    [((URLS, "one"), (FQDN, "other")), ((FQDN, "other"), (URLS, "one")), ((URLS, "one"), (FQDN, "both")),
     ((FQDN, "both"), (URLS, "one"))],
)  # fmt: skip
def test_names_before_addresses_in_one_policy_are_refused_where_they_block_hosts_of_these(
    files: Path, first: Any, second: Any
) -> None:
    with pytest.raises(InputError) as caught:
        planned(files, "gcp", first, second)

    (said,) = caught.value.problems
    assert (
        f"whose rules are one list for the same clients: {POLICY}, from base 2000 and from base 20000000."
        in said.message
    )
    assert "Blocked so: relay of gcp:fqdn." in said.message


@pytest.mark.parametrize(
    ("first", "second"),
    [((URLS, "one"), (FQDN, "one")), ((FQDN, "one"), (URLS, "one")), ((URLS, "both"), (FQDN, "one")),
     ((URLS, "one"), (FQDN, "mail"))],
    ids=["the same hosts", "in the other order", "more names", "ports that no name is allowed on"],
)  # fmt: skip
def test_they_stand_together_where_no_host_of_either_is_blocked(files: Path, first: Any, second: Any) -> None:
    (joint,) = joints(planned(files, "gcp", first, second))

    assert [gate.name for gate in joint.gates] == ["gcp:url-filter and gcp:fqdn"]
    assert joint.verdict(Flow("cgr.dev")) == ("allow", [])
    assert joint.verdict(Flow("evil.example")) == ("block", ["gcp:url-filter and gcp:fqdn"])


@pytest.mark.parametrize(
    ("cloud", "first", "second", "said"),
    [
        ("gcp", (PROXY, "one"), ({"networks": [MAIN]}, "other"),
         [("gcp:web-proxy", "cgr: gcp:fqdn blocks"), ("gcp:fqdn", "relay: gcp:web-proxy blocks")]),
        ("gcp", ({"networks": [MAIN]}, "one"), (PROXY, "both"), [("gcp:web-proxy", "relay: gcp:fqdn blocks")]),
        ("gcp", ({"networks": [MAIN]}, "one"), (PROXY, "one"), []),
        ("gcp", ({"networks": [LAB]}, "one"), (PROXY, "other"), []),
        ("gcp", ({"networks": [MAIN], "from": [A]}, "one"), ({**PROXY, "from": [B]}, "one"),
         [("gcp:fqdn", "cgr: gcp:web-proxy blocks")]),
        ("gcp", ({"networks": [MAIN], "from": [A]}, "one"), ({**PROXY, "from": [A, B]}, "both"),
         [("gcp:web-proxy", "relay: gcp:fqdn blocks")]),
        ("gcp", ({"networks": [MAIN]}, "one"), ({**PROXY, "routing": "explicit", "ports": [8080]}, "other"), []),
        ("aws", ({}, "one"), (DNS, "both"), [("aws:dns-firewall", "relay: aws:rules blocks")]),
        ("aws", (DNS, "one"), ({"mechanism": "domain-list"}, "both"), [("aws:domain-list", "relay: aws:dns-firewall blocks")]),
        ("aws", ({}, "mail"), (DNS, "other"), [("aws:dns-firewall", "relay: aws:rules blocks")]),
        ("aws", ({}, "one"), (DNS, "one"), []),
    ],
)  # fmt: skip
def test_hosts_of_one_layer_that_another_on_their_way_blocks_are_said(
    files: Path, cloud: str, first: Any, second: Any, said: list[tuple[str, str]]
) -> None:
    found = differing(planned(files, cloud, first, second))

    assert [(target, message.startswith(start)) for (target, message), (_, start) in zip(found, said, strict=True)] == [
        (target, True) for target, _ in said
    ]


def test_that_they_differ_is_accepted_as_any_finding(files: Path) -> None:
    accept = [{"finding": "layers-differ", "because": "being moved"}]
    layers = [{"networks": [MAIN], "catalogs": ["./one.yaml"]}, {**PROXY, "catalogs": ["./both.yaml"]}]

    plans = read_stack({"gcp": layers, "accept": accept}, files).plans()
    assert [one.accepted for plan in plans for one in plan.findings if one.id == "layers-differ"] == ["being moved"]
    with pytest.raises(InputError, match="Accepted layers-differ, but there is no such finding"):
        read_stack({"gcp": {**layers[0], "accept": accept}}, files).plans()


ACL = {"mechanism": "network-acl", "networkAcls": ["acl-0a1"]}
LISTS = {"mechanism": "prefix-list", "securityGroups": ["sg-0a1"]}
ITEMS = {"mechanism": "address-group", "networks": [MAIN], "project": "acme"}
IPS = {"mechanism": "ip-group", "attach": "rg/hub"}
BY_NAME_AND_POOL = [
    ("aws", {}, LISTS), ("aws", {"from": ["10.0.0.0/8"]}, LISTS), ("aws", DNS, LISTS), ("aws", {}, ACL),
    ("gcp", URLS, {**FQDN, "mechanism": "address-group"}), ("gcp", PROXY, ITEMS), ("azure", {"attach": "rg/hub"}, IPS),
]  # fmt: skip


def pooled(files: Path, cloud: str, *layers: tuple[dict[str, Any], str]) -> tuple[Plan, ...]:
    """Layers of a stack with a pool, in which one host has addresses of both families and the other one of IPv4."""
    seen = "first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z"
    hosts = {"cgr.dev": ["198.51.100.7", "198.51.100.8", "2606:4700::7"], "relay.example.net": ["198.51.100.9"]}
    told = "".join(
        f"host {host} window 86400\n" + "".join(f"  {address} {seen}\n" for address in addresses)
        for host, addresses in hosts.items()
    )
    (files / "pool.txt").write_text(f"hostgate-pool 1\n{told}end\n")
    (files / "ssh.yaml").write_text(
        "catalog: acme/ssh\nentries:\n  - {id: ssh, host: cgr.dev, port: 22, purpose: x, protocol: tcp}\n"
    )
    listed = [{**options, "catalogs": [f"./{name}.yaml"]} for options, name in layers]
    return read_stack({cloud: listed, "pool": {"file": "pool.txt"}}, files).plans()


@pytest.mark.parametrize("hosts", ["one", "both"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("cloud", "by_name", "by_pool"), BY_NAME_AND_POOL)
def test_a_host_of_two_layers_is_dialled_at_the_addresses_that_a_pool_says(
    files: Path, cloud: str, by_name: Any, by_pool: Any, turned: bool, hosts: str
) -> None:
    layers = [(by_name, hosts), (by_pool, hosts)]
    plans = pooled(files, cloud, *(reversed(layers) if turned else layers))
    assert differing(plans) == []
    found = [reach(place, needs) for joint in joints(plans) for _, place, needs in joint.points()]
    assert [(each.place.name, each.missing) for each in found if each.missing] == []


@pytest.mark.parametrize(("cloud", "by_name", "by_pool"), [each for each in BY_NAME_AND_POOL if each[0] == "aws"])
@pytest.mark.parametrize("more", ["both", "mail"])
def test_a_host_that_a_pool_opens_nothing_for_at_its_port_is_said(
    files: Path, cloud: str, by_name: Any, by_pool: Any, more: str
) -> None:
    plans = pooled(files, cloud, (by_name, more), (by_pool, "one"))
    assert [target for target, message in differing(plans) if f"relay: {plans[1].target} blocks" in message] == [
        plans[0].target
    ]
    assert any(reach(place, needs).missing for joint in joints(plans) for _, place, needs in joint.points())


def test_rules_with_addresses_of_the_pool_are_met_at_these(files: Path) -> None:
    plans = pooled(files, "aws", ({}, "ssh"), (LISTS, "ssh"))
    assert differing(plans) == []
    plans = pooled(files, "aws", ({}, "ssh"), (LISTS, "one"))
    assert [target for target, _ in differing(plans)] == ["aws:rules", "aws:prefix-list"]
