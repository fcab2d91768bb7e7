"""What a file lets pass, read back from its text, is what the catalog says: for every format, on catalogs made at random."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracle import answer
from conformance.strategies import HOSTS, catalogs, flows_about
from conformance.test_flows import _expressible, _needs
from export import readers
from export.test_pac import _duktape, browsed
from hostgate.catalog.hosts import is_address
from hostgate.catalog.model import Entry
from hostgate.export.terraform_aws import export_terraform
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan

BY_NAME: list[tuple[str, Any, dict[str, Any]]] = [
    ("csv", readers.read_csv, {}),
    ("json", readers.read_json, {}),
    ("tfvars", readers.read_tfvars, {}),
    ("cilium", readers.read_cilium, {}),
    ("squid", readers.read_squid, {}),
    ("squid", readers.read_squid, {"pair": True}),
]


def exported(form: str, drawn: list[Entry], **options: Any) -> Plan:
    return of_target(f"export:{form}", drawn, **options)


def of_target(target: str, drawn: list[Entry], **options: Any) -> Plan:
    made = _expressible(target, drawn, False, **options)
    assert made is not None
    assert not made.refused
    return made


def asked(drawn: Sequence[Entry]) -> Iterator[Flow]:
    """Flows that a client can have: it dials a name, and what it sends names a host."""
    for flow in flows_about(drawn):
        said = (flow.name.removesuffix("."), flow.sni or "")
        if flow.sni is not None and not any(
            each.startswith(".") or ".." in each or each.endswith(".") for each in said
        ):
            yield flow


@pytest.mark.parametrize(
    ("form", "read", "options"), BY_NAME, ids=[f"{form} {more or ''}" for form, _, more in BY_NAME]
)
@given(drawn=catalogs())
def test_a_file_of_names_opens_the_entries_and_nothing_else(
    form: str, read: Any, options: dict[str, Any], drawn: list[Entry]
) -> None:
    made = exported(form, drawn, **options)
    passes, needs = read(made.objects[0].text), _needs(made)
    for flow in asked(drawn):
        if form == "squid" and flow.name.endswith("."):
            continue  # the proxy takes the dot away before it judges
        wanted = answer(needs, flow)
        if is_address(flow.name):
            wanted = "must not"  # no name was dialled
        assert wanted == "may" or passes(flow) == (wanted == "must pass"), f"{flow} {wanted}\n{made.objects[0].text}"


@given(drawn=catalogs())
def test_a_script_opens_the_entries_and_nothing_else(drawn: list[Entry]) -> None:
    made = exported("pac", drawn)
    urls = list(browsed(asked(drawn)))
    answers = _duktape(made.objects[0].text or "", [(url, host) for _, url, host in urls])
    needs = _needs(made)
    for (flow, url, _), said in zip(urls, answers, strict=True):
        wanted = answer(needs, flow)
        assert wanted == "may" or (said == "DIRECT") == (wanted == "must pass"), f"{url} {said} {wanted}"


POOL = {
    host: [f"203.0.113.{number + 1}", f"203.0.113.{number + 2}", f"2001:db8::{number + 1:x}"]
    for number, host in enumerate(HOSTS)
}
"""Neighbours have an address in common."""


def given_for(made: Plan) -> Iterator[tuple[Entry, str]]:
    """Of what the plan allows, each entry with each address of its host that it may have."""
    for decision in made.decisions:
        if decision.outcome == "allowed":
            families = decision.entry.families or ("ipv4", "ipv6")
            yield from (
                (decision.entry, each)
                for each in POOL[decision.entry.host]
                if ("ipv6" if ":" in each else "ipv4") in families
            )


CLIENTS = [[], ["10.0.0.0/8"], ["10.0.0.0/8", "192.168.0.0/16"], ["10.0.0.0/8", "fd00::/8"], ["fd00::/8"]]


@pytest.mark.parametrize("stateless", [False, True])
@given(drawn=catalogs(), clients=st.sampled_from(CLIENTS))
def test_a_table_opens_the_addresses_at_the_ports_of_the_entries_and_nothing_else(
    stateless: bool, drawn: list[Entry], clients: list[str]
) -> None:
    made = exported("nftables", drawn, addresses=POOL, stateless=stateless, **({"from": clients} if clients else {}))
    reached = {
        (address, entry.transport, entry.port)
        for entry, address in given_for(made)
        if not clients or any((":" in each) == (":" in address) for each in clients)
    }
    families = {":" in address for address, _, _ in reached}
    whose = {each for each in clients or ["0.0.0.0/0", "::/0"] if (":" in each) in families}
    ways = ("there, stateless", "back, stateless") if stateless else ("there",)
    wanted = dict.fromkeys(ways, (reached, whose)) if reached else {}
    assert readers.read_nftables(made.objects[0].text or "") == wanted


@pytest.mark.parametrize("product", ["prefixes", "openvpn", "wireguard", "aws-client-vpn"])
@given(drawn=catalogs())
def test_a_tunnel_leads_to_the_addresses_of_the_entries_and_nowhere_else(product: str, drawn: list[Entry]) -> None:
    made = exported("vpn", drawn, addresses=POOL, product=product)
    wanted = {f"{address}/{128 if ':' in address else 32}" for _, address in given_for(made)}
    assert readers.read_vpn(made.objects[0].text or "", product) == wanted


def ranges(made: Plan) -> set[tuple[str, str, int]]:
    return {(f"{each}/{128 if ':' in each else 32}", entry.transport, entry.port) for entry, each in given_for(made)}


@given(drawn=catalogs())
def test_rules_of_security_groups_for_terraform_open_the_addresses_at_the_ports_and_nothing_else(
    drawn: list[Entry],
) -> None:
    groups = ["sg-0a1", "sg-0a2"]
    made = of_target("aws:prefix-list", drawn, addresses=POOL, securityGroups=groups)
    (text,) = export_terraform(made).values()
    assert readers.read_terraform_groups(text) == (dict.fromkeys(groups, wanted) if (wanted := ranges(made)) else {})


@given(drawn=catalogs())
def test_entries_of_network_acls_for_terraform_open_the_addresses_both_ways_and_nothing_else(
    drawn: list[Entry],
) -> None:
    acls = ["acl-0a1", "acl-0a2"]
    made = of_target("aws:network-acl", drawn, addresses=POOL, networkAcls=acls)
    (text,) = export_terraform(made).values()
    out = ranges(made)
    back = {(cidr, transport, 1024) for cidr, transport, _ in out}
    assert readers.read_terraform_acls(text) == (dict.fromkeys(acls, (out, back)) if out else {})


@given(drawn=catalogs())
def test_a_list_of_domains_has_the_names_of_the_entries_and_no_other(drawn: list[Entry]) -> None:
    made = exported("vpn-domains", drawn)
    lines = [line for line in (made.objects[0].text or "").splitlines() if not line.startswith("#")]
    assert lines == sorted({each.entry.host for each in made.decisions if each.outcome == "allowed"})
