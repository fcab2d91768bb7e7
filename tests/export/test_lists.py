"""Tables and lists: every host with its purpose, phase and party, safe for the program that opens them."""

import csv
import io
import json
import shutil
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.problems import InputError
from hostgate.planning.plan import draft, plan

PURPOSES = [
    "=1+1",
    "+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "＝1",
    "plain, with a comma",
    'a "quote"',
    "two\nlines",
    "${x} %{y}",
    "",
]
ENTRIES = [
    entry(f"host-{number}.example", purpose=purpose, party="first", phases=("pull", "build"))
    for number, purpose in enumerate(PURPOSES)
]


def text(target: str, entries: list[Any], **options: Any) -> str:
    made = plan(selection(entries), target, options)
    assert not made.refused
    return made.objects[0].text or ""


@pytest.mark.parametrize("target", ["export:nftables"])
@pytest.mark.parametrize(("address", "clients"), [("192.0.2.7", "fd00::/8"), ("2001:db8::7", "10.0.0.0/8")])
@pytest.mark.parametrize("more", [{}, {"stateless": True}])
def test_a_host_that_no_client_has_a_family_in_common_with_is_refused(
    target: str, address: str, clients: str, more: dict[str, Any]
) -> None:
    given = {"addresses": {"cgr.dev": [address]}, "from": [clients], **more}
    assert plan(selection([entry("cgr.dev")]), target, given).refused
    assert not plan(selection([entry("cgr.dev")]), target, {**given, "from": [clients, f"{address}"]}).refused


def test_a_cell_of_the_table_is_never_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(text("export:csv", ENTRIES))))
    assert len(rows) == len(PURPOSES)
    for row in rows:
        assert None not in row.values()
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row.values())
    by_host = {row["host"]: row for row in rows}
    assert by_host["host-0.example"]["purpose"] == "'=1+1"
    assert by_host["host-6.example"]["purpose"] == "plain, with a comma"
    assert by_host["host-7.example"]["purpose"] == 'a "quote"'
    assert by_host["host-8.example"]["purpose"] == "two lines"


@pytest.mark.parametrize("target", ["export:csv", "export:json", "export:tfvars"])
def test_every_row_says_how_far_the_name_reaches_what_for_when_and_whose(target: str) -> None:
    said = text(
        target, [entry("cgr.dev", match="subtree", party="first", purpose="Images", phases=("pull",), port=8443)]
    )
    for word in ("cgr.dev", "subtree", "not the name itself", "8443", "https", "first", "Images", "pull", "acme/test"):
        assert word in said


@pytest.mark.parametrize("target", ["export:csv", "export:json", "export:tfvars"])
def test_a_list_of_nothing_is_refused_unless_it_is_meant(target: str) -> None:
    made = draft(selection([entry(direction="ingress")]), target)
    assert made.ok  # the selection says that an empty one is meant
    assert "cgr.dev" not in (made.objects[0].text or "")


def test_the_json_document_has_a_list_even_where_it_is_empty() -> None:
    assert json.loads(text("export:json", []))["hosts"] == []


@pytest.mark.parametrize("program", ["terraform", "tofu"])
def test_a_module_gets_the_hosts_as_they_are(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on PATH")
    wide = entry("wide.example", match="subtree", purpose="${x} %{y}")
    (tmp_path / "ours.auto.tfvars.json").write_text(text("export:tfvars", [*ENTRIES, wide], name="ours"))
    (tmp_path / "main.tf").write_text(
        'variable "ours_hosts" {\n  type = list(object({ host = string, match = string, port = number, purpose = string }))\n}\n'
        'output "hosts" { value = var.ours_hosts }\n'
    )
    for words in (["init", "-input=false"], ["apply", "-input=false", "-auto-approve"]):
        ran = subprocess.run(
            [program, *words, "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    state = json.loads((tmp_path / "terraform.tfstate").read_text())
    found = state["outputs"]["hosts"]["value"]
    assert {row["host"]: row["purpose"] for row in found}["wide.example"] == "${x} %{y}"
    assert len(found) == len(ENTRIES) + 1


POOL = {"cgr.dev": ["203.0.113.7", "2001:db8::7"], "apk.cgr.dev": ["203.0.113.7"]}
ROUTED = [entry("cgr.dev"), entry("apk.cgr.dev", port=8443)]

PRODUCTS = {
    "prefixes": ["203.0.113.7/32", "2001:db8::7/128"],
    "openvpn": ['push "route 203.0.113.7 255.255.255.255"', 'push "route-ipv6 2001:db8::7/128"'],
    "wireguard": ["AllowedIPs = 203.0.113.7/32", "AllowedIPs = 2001:db8::7/128"],
}


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_a_split_tunnel_gets_each_address_once_as_its_product_writes_it(product: str) -> None:
    lines = text("export:vpn", ROUTED, product=product, addresses=POOL).splitlines()
    assert [line for line in lines if not line.startswith("#")] == PRODUCTS[product]
    assert "# apk.cgr.dev cgr.dev" in lines


def test_aws_client_vpn_gets_a_route_and_a_rule_for_each_address_and_is_told_of_its_quotas() -> None:
    said = json.loads(text("export:vpn", ROUTED, product="aws-client-vpn", addresses=POOL))
    assert [each["DestinationCidrBlock"] for each in said["routes"]] == ["203.0.113.7/32", "2001:db8::7/128"]
    assert [each["TargetNetworkCidr"] for each in said["authorizationRules"]] == ["203.0.113.7/32", "2001:db8::7/128"]
    many = {"cgr.dev": [str(each) for each in ip_network("203.0.113.0/25")]}
    made = plan(selection(ROUTED[:1]), "export:vpn", product="aws-client-vpn", addresses=many)
    assert [one.id for one in made.findings if one.id == "over-quota"] == ["over-quota"]


@pytest.mark.parametrize("target", ["export:nftables", "export:vpn"])
def test_a_host_without_an_address_is_refused_and_nothing_is_made(target: str) -> None:
    made = plan(selection(ROUTED), target, addresses={"cgr.dev": ["203.0.113.7"]})
    assert made.refused
    assert made.objects == ()
    assert [one.entry for one in made.findings if one.severity == "error"] == ["apk-cgr-dev"]
    six = plan(selection([entry("cgr.dev", families=("ipv6",))]), target, addresses={"cgr.dev": ["203.0.113.7"]})
    assert six.refused


@pytest.mark.parametrize(
    "address", ["", "203.0.113.0/24", "0.0.0.0", "::", "127.0.0.1", "2001:DB8::7", "cgr.dev", "::ffff:203.0.113.7"]
)
def test_what_is_no_address_of_a_host_is_no_address_of_a_pool(address: str) -> None:
    with pytest.raises(InputError, match="addresses"):
        plan(selection(ROUTED[:1]), "export:nftables", addresses={"cgr.dev": [address]})
