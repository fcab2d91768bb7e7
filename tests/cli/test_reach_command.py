"""`hostgate reach`: what is beyond, missing and unknown at every place of a plan or of what stands, and its exit codes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import MADE

from .conftest import Project, Run

REFERENCE = "chainguard/images@2024-03-28"
URN = "urn:pulumi:prod::hub::{}::{}"
POLICY = "azure-native:network:FirewallPolicy"
GROUP = "azure-native:network:FirewallPolicyRuleCollectionGroup"
TO_HUB = {"firewallPolicyName": "hub", "resourceGroupName": "rg"}


def rule(fqdns: Any = ("cgr.dev",), name: str = "images") -> dict[str, Any]:
    return {
        "ruleType": "ApplicationRule", "name": name, "sourceAddresses": ["10.0.0.0/8"],
        "targetFqdns": list(fqdns) if isinstance(fqdns, tuple) else fqdns, "protocols": [{"protocolType": "Https", "port": 443}],
    }  # fmt: skip


def states(*rules: dict[str, Any], group: str = "names", priority: int = 200) -> list[dict[str, Any]]:
    collection = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
        "action": {"type": "Allow"}, "rules": list(rules),
    }  # fmt: skip
    inputs = {**TO_HUB, "ruleCollectionGroupName": group, "priority": priority, "ruleCollections": [collection]}
    return [{"urn": URN.format(GROUP, group), "type": GROUP, "inputs": inputs}]


HUB = {"urn": URN.format(POLICY, "hub"), "type": POLICY, "inputs": TO_HUB}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def state(folder: Path, *resources: dict[str, Any], name: str = "state.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    return path


def hosts(folder: Path, *names: str) -> Path:
    path = folder / "ours.yaml"
    entries = [
        {"id": f"h{at}", "host": name, "port": 443, "protocol": "https", "purpose": "x"}
        for at, name in enumerate(names)
    ]
    path.write_text(json.dumps({"catalog": "acme/pull", "entries": entries}) + "\n")
    return path


@pytest.mark.parametrize("target", [each for each in MADE if each != "gcp:url-filter"])
def test_a_plan_of_the_reference_revision_opens_nothing_else_and_closes_none_of_it(run: Run, target: str) -> None:
    made = run("reach", "--catalog", REFERENCE, "--target", target, "--json")
    (point,) = made.json["points"]
    assert (made.code, point["beyond"], point["missing"], point["unknown"], point["dead"]) == (0, [], [], [], [])


def test_a_plan_that_knows_no_zones_says_what_its_openness_hangs_on(run: Run) -> None:
    made = run("reach", "--catalog", REFERENCE, "--target", "gcp:url-filter", "--json")
    (point,) = made.json["points"]
    assert (made.code, point["beyond"], point["missing"], point["dead"]) == (5, [], [], [])
    assert all("firewall endpoint" in what for each in point["unknown"] for what in each["what"])


LISTS = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:gcp:
    networks: [projects/p/global/networks/main]
    grants:
      - {name: builders, from: [10.1.0.0/16]}
      - {name: nodes, from: [10.2.0.0/16], select: {ids: [h0]}}
"""


def test_the_clients_of_each_of_several_lists_are_asked_for_apart(run: Run, project: Project) -> None:
    hosts(project(dev=LISTS), "cgr.dev", "quay.io")
    points = run("reach", "--json").json["points"]
    assert [each["place"] for each in points] == ["plan for builders", "plan for nodes"]
    assert all(not each["beyond"] and not each["missing"] and not each["unknown"] for each in points)


NESTED = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:{cloud}:
{place}    grants:
      - {{name: builders, from: [10.1.0.0/16]}}
      - {{name: nodes, from: [{nodes}], select: {{ids: [h0]}}}}
"""


@pytest.mark.parametrize(
    ("nodes", "dead"),
    [("10.0.0.0/8", False), ("10.2.0.0/16", False), ("10.1.2.0/24", True)],
    ids=["around the others", "beside them", "among them"],
)
@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_a_rule_is_dead_that_decides_for_the_clients_of_no_list(
    run: Run, project: Project, cloud: str, nodes: str, dead: bool
) -> None:
    place = "    resourceGroup: rg\n    location: westeurope\n" if cloud == "azure" else ""
    hosts(project(dev=NESTED.format(cloud=cloud, nodes=nodes, place=place)), "cgr.dev", "quay.io")
    points = run("reach", "--json").json["points"]
    assert [bool(each["dead"]) for each in points] == [dead, dead]


@pytest.mark.parametrize("target", ["gcp:fqdn", "gcp:web-proxy", "aws:dns-firewall"])
def test_a_host_that_is_served_over_one_family_is_open_over_both_and_not_beyond(
    run: Run, tmp_path: Path, target: str
) -> None:
    path = tmp_path / "ours.yaml"
    entry = {"id": "four", "host": "four.example.net", "port": 443, "protocol": "https", "purpose": "x"}
    other = entry | {"id": "plain", "host": "plain.example.net"}
    path.write_text(json.dumps({"catalog": "acme/pull", "entries": [entry | {"families": ["ipv4"]}, other]}) + "\n")
    made = run("reach", "--catalog", path, "--target", target)
    assert made.code == 0, made.out + made.err


def test_without_options_it_asks_the_stacks_own_plans(run: Run, project: Project) -> None:
    project(dev="config:\n  hostgate:catalogs: [chainguard/images@2024-03-28]\n  hostgate:gcp: {}\n")
    made = run("reach")
    assert (made.code, made.out.splitlines()[:2]) == (
        0, ["gcp policy plan", "  Nothing beyond the catalogs is open, and all that they need is."],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "names", "code"),
    [
        ([rule()], ["cgr.dev"], 0),
        ([rule(("cgr.dev", "evil.example"))], ["cgr.dev"], 3),
        ([rule(("cgr.dev", "evil.example"))], ["cgr.dev", "quay.io"], 3),
        ([rule()], ["cgr.dev", "quay.io"], 4),
        ([rule(), rule(SECRET, "secret")], ["cgr.dev"], 5),
        ([rule(), rule(SECRET, "secret")], ["cgr.dev", "quay.io"], 5),
    ],
    ids=["as meant", "beyond", "beyond and missing", "missing", "unknown", "needed and unknown"],
)
def test_the_exit_code_is_the_first_that_holds(
    run: Run, tmp_path: Path, rules: Sequence[dict[str, Any]], names: Sequence[str], code: int
) -> None:
    made = run("reach", "--state", state(tmp_path, HUB, *states(*rules)), "--catalog", hosts(tmp_path, *names))
    assert made.code == code


def test_a_line_that_is_accepted_is_shown_and_does_not_count(run: Run, tmp_path: Path) -> None:
    asked = ("reach", "--state", state(tmp_path, HUB, *states(rule(("cgr.dev", "evil.example")))), "--catalog",
             hosts(tmp_path, "cgr.dev"))  # fmt: skip
    (point,) = run(*asked, "--json").json["points"]
    accept = f"{point['beyond'][0]['id']}=ours since May"
    assert (run(*asked, "--accept", accept).code, "(accepted)" in run(*asked, "--accept", accept).out) == (0, True)
    assert run(*asked, "--accept", accept, "--json").json["points"][0]["beyond"][0]["accepted"] == "ours since May"
    unused = run(*asked, "--accept", "00000000=x")
    assert (unused.code, "there is no line 00000000" in unused.err) == (1, True)


def test_several_states_are_one_and_what_other_stacks_own_is_brought_with_them(run: Run, tmp_path: Path) -> None:
    own = state(tmp_path, *states(rule()))
    hub = state(tmp_path, HUB, *states(rule(("evil.example",), "wide"), group="wide", priority=300), name="hub.json")
    ours = hosts(tmp_path, "cgr.dev")
    alone = run("reach", "--state", own, "--catalog", ours, "--json")
    assert alone.code == 0
    assert "not in what was read" in str(alone.json["points"][0]["assumptions"])
    both = run("reach", "--state", own, "--with", hub, "--catalog", ours, "--json")
    assert both.code == 3
    found = [each for point in both.json["points"] for each in point["beyond"]]
    assert [(each["rule"], each["owner"]) for each in found] == [("wide/c/wide", "elsewhere")]
    assert run("reach", "--state", own, hub, "--catalog", ours).code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--with", "x.json"], 2, "name what is asked"),
        (["--state", "x.json", "--stack", "dev"], 2, "leave out --stack"),
        (["--state", "none.json"], 1, "none.json"),
        (["--sandbox", "--preview", "x.json"], 2, "--sandbox is asked alone"),
        (["--accept", "x"], 2, "ID=reason"),
        (["--catalog", "chainguard/images@1999-01-01"], 1, "1999-01-01"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_asked_wrongly_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    made = run("reach", *arguments)
    assert (made.code, made.out) == (code, "")
    assert said in made.err


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 4),
        ({"alternatives": "store"}, 0),
        ({"direction": "ingress"}, 0),
        ({"status": "mistaken", "notes": "Misspelt."}, 0),
    ],
    ids=["needed", "an alternative of what is open", "ingress", "a misprint"],
)
def test_a_catalog_that_is_named_needs_what_a_plan_would_open(
    run: Run, tmp_path: Path, fields: dict[str, str], code: int
) -> None:
    path = tmp_path / "ours.yaml"
    one = {"id": "one", "host": "cgr.dev", "port": 443, "protocol": "https", "purpose": "x"}
    entries = [one | {"alternatives": "store"}, one | {"id": "two", "host": "a.example.net"} | fields]
    path.write_text(json.dumps({"catalog": "acme/pull", "entries": entries}) + "\n")
    made = run("reach", "--state", state(tmp_path, HUB, *states(rule())), "--catalog", path)
    assert made.code == code, made.out + made.err


def test_a_state_without_an_allowlist_needs_a_catalog(run: Run, tmp_path: Path) -> None:
    made = run("reach", "--state", state(tmp_path, HUB, *states(rule())))
    assert (made.code, "Name it: --catalog REF" in made.err) == (1, True)


def test_an_allowlist_in_the_state_says_itself_what_it_needs_and_what_is_its_own(run: Run, tmp_path: Path) -> None:
    component = {
        "urn": URN.format("hostgate-azure:index:FirewallPolicyAllowlist", "list"),
        "type": "hostgate-azure:index:FirewallPolicyAllowlist",
        "inputs": {
            "target": "azure:application-rules",
            "decisions": {"acme/pull#registry": "allowed exact cgr.dev:443/https names/c/images Images"},
        },
    }
    theirs = states(rule(("evil.example",), "wide"), group="wide", priority=300)
    asked = ("reach", "--state", state(tmp_path, HUB, component, *states(rule()), *theirs), "--json")
    made = run(*asked)
    (beyond,) = made.json["points"][0]["beyond"]
    assert (made.code, beyond["rule"], beyond["owner"]) == (3, "wide/c/wide", "this stack")
    assert run(*asked, "--own").code == 0


def test_each_of_several_lists_in_a_state_is_for_its_own_clients(run: Run, tmp_path: Path) -> None:
    component = {
        "urn": URN.format("hostgate-azure:index:FirewallPolicyAllowlist", "list"),
        "type": "hostgate-azure:index:FirewallPolicyAllowlist",
        "inputs": {
            "target": "azure:application-rules",
            "options": {"attach": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/hub", "grants": [
                {"name": "builders", "from": ["10.1.0.0/16"]}, {"name": "runners", "from": ["10.2.0.0/16"]}]},
            "decisions": {
                "builders:acme/pull#registry": "allowed exact cgr.dev:443/https names/c/builds Images",
                "runners:acme/pull#files": "allowed exact files.example.net:443/https names/c/runs Files",
            },
        },
    }  # fmt: skip
    builds = rule(("cgr.dev",), "builds") | {"sourceAddresses": ["10.1.0.0/16"]}
    runs = rule(("files.example.net",), "runs") | {"sourceAddresses": ["10.2.0.0/16"]}
    assert run("reach", "--state", state(tmp_path, HUB, component, *states(builds, runs))).code == 0
    wide = runs | {"sourceAddresses": ["10.1.128.0/17", "10.2.0.0/17"]}
    made = run("reach", "--state", state(tmp_path, HUB, component, *states(builds, wide)), "--json")
    (point,) = made.json["points"]
    assert [(each["rule"], each["flow"]["name"]) for each in point["beyond"]] == [("names/c/runs", "files.example.net")]
    assert point["beyond"][0]["flow"]["source"].startswith("10.1.")
    assert [each["entry"] for each in point["missing"]] == ["runners:files"]
    assert made.code == 3


@pytest.mark.parametrize(
    ("second", "code", "missing"),
    [
        ("networks: [projects/acme/global/networks/main], catalogs: [./more.yaml]", 4, [["relay"], []]),
        ("networks: [projects/acme/global/networks/main]", 0, [[], []]),
        ("networks: [projects/acme/global/networks/lab], catalogs: [./more.yaml]", 0, [[], []]),
    ],
    ids=["other hosts", "the same hosts", "another network"],
)
def test_layers_that_clients_pass_one_after_the_other_have_to_let_through_the_hosts_of_all(
    run: Run, project: Project, second: str, code: int, missing: list[list[str]]
) -> None:
    proxy = (
        "mechanism: web-proxy, network: projects/acme/global/networks/main, proxySubnet: 10.9.0.0/23, "
        "subnetwork: projects/acme/regions/europe-west4/subnetworks/main"
    )
    folder = project(dev=f"config:\n  hostgate:catalogs: [./hosts.yaml]\n  hostgate:gcp: [{{{proxy}}}, {{{second}}}]\n")
    one, relay = (
        f"  - {{id: {each}, host: {each}.example, port: 443, protocol: https, purpose: x}}\n"
        for each in ("one", "relay")
    )
    (folder / "hosts.yaml").write_text(f"catalog: acme/hosts\nentries:\n{one}")
    (folder / "more.yaml").write_text(f"catalog: acme/more\nentries:\n{one}{relay}")

    made = run("reach", "--json")

    found = [sorted({each["entry"] for each in point["missing"]}) for point in made.json["points"]]
    assert (made.code, found) == (code, missing)
    told = run("explain", "relay.example", "--json").json
    assert [each["verdict"] for each in told.get("together", [])] == ([] if "lab" in second else ["block"])


def test_clients_of_one_layer_that_another_on_their_way_does_not_name_reach_nothing(run: Run, project: Project) -> None:
    account = "{}@acme.iam.gserviceaccount.com"
    proxy = (
        "mechanism: web-proxy, network: projects/acme/global/networks/main, proxySubnet: 10.9.0.0/23, "
        f"subnetwork: projects/acme/regions/europe-west4/subnetworks/main, from: [{account.format('b')}]"
    )
    fqdn = f"networks: [projects/acme/global/networks/main], from: [{account.format('a')}]"
    project(
        dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:select: {{ids: [registry]}}\n"
        f"  hostgate:gcp: [{{{proxy}}}, {{{fqdn}}}]\n"
    )
    made = run("reach", "--json")
    found = {point["place"]: [each["entry"] for each in point["missing"]] for point in made.json["points"]}
    assert made.code == 4
    assert found == {"plan": [], "plan for clients of gcp:fqdn": ["registry"], "plan for clients of gcp:web-proxy": []}
