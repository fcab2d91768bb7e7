"""`hostgate export FORMAT`: options of its own, one file printed or written, nothing where the plan is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hostgate.planning.targets import formats

from .conftest import Result, Run

CATALOG = """
catalog: acme/hosts
entries:
  - {id: a, host: cgr.dev, port: 443, protocol: https}
  - {id: b, host: wide.example, match: subtree, port: 443, protocol: https}
  - {id: c, host: time.example, port: 123, protocol: udp}
"""
POOL = """hostgate-pool 1
host cgr.dev window 86400
  watched ipv4 here 2026-11-20T10:00:00Z
  203.0.113.7 first 2026-11-20T10:00:00Z seen here 2026-11-28T17:00:00Z
host time.example window 86400
end
"""
STACK = """config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:select: {without: [c, b]}
  hostgate:aws: {mechanism: rules, homeNet: [10.0.0.0/8]}
"""

Export = Callable[..., Result]


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Export:
    monkeypatch.chdir(tmp_path)
    Path("ours.yaml").write_text(CATALOG)
    Path("pool.txt").write_text(POOL)
    Path("Pulumi.yaml").write_text("name: acme\nruntime: python\n")
    Path("Pulumi.dev.yaml").write_text(STACK)
    return lambda *words: run("export", *words)


@pytest.mark.parametrize("form", [form for each in formats() for form in each.exports])
def test_every_format_writes_one_file_of_a_stack_and_prints_the_same(export: Export, form: str) -> None:
    pool = ["--pool", "pool.txt"] if form in ("nftables", "vpn") else []
    printed = export(form, "--stack", "dev", *pool)
    assert printed.code == 0, printed.err
    assert "cgr.dev" in printed.out or "203.0.113.7" in printed.out
    written = export(form, "--stack", "dev", *pool, "--out", "out")
    assert written.code == 0, written.err
    (file,) = Path("out").iterdir()
    assert file.read_text() == printed.out
    assert file.name.startswith("hostgate.")


@pytest.mark.parametrize("form", [form for each in formats() for form in each.exports])
def test_what_begins_outside_is_in_no_file_and_that_is_said(export: Export, form: str) -> None:
    inbound = "{id: hook, host: hooks.acme.example, port: 443, protocol: https, direction: ingress}"
    Path("ours.yaml").write_text(f"{CATALOG}  - {inbound}\n")
    pool = ["--pool", "pool.txt"] if form in ("nftables", "vpn") else []
    made = export(form, "--stack", "dev", *pool)
    assert made.code == 0, made.err
    assert "hooks.acme.example" not in made.out
    (said,) = [line for line in made.err.splitlines() if "hooks.acme.example" in line]
    assert said.startswith("warning not-egress")


@pytest.mark.parametrize("form", ["squid", "pac", "nftables", "vpn", "vpn-domains"])
def test_what_a_format_cannot_say_is_refused_with_the_entry_and_nothing_is_written(export: Export, form: str) -> None:
    result = export(form, "--catalog", "ours.yaml", "--out", "out")
    assert result.code == 1
    assert result.out == ""
    assert "ours.yaml:" in result.err
    assert not Path("out").exists()


def test_hosts_that_the_pool_does_not_know_are_all_told(export: Export) -> None:
    result = export("nftables", "--catalog", "ours.yaml", "--pool", "pool.txt", "--as-of", "2026-11-29")
    assert result.code == 1
    assert "time.example" in result.err
    assert "wide.example" in result.err
    assert "of cgr.dev" not in result.err
    assert export("nftables", "--stack", "dev", "--pool", "none.txt").code == 1


def test_addresses_that_nobody_confirmed_for_long_are_warned_about(export: Export) -> None:
    fresh = export("nftables", "--stack", "dev", "--pool", "pool.txt", "--as-of", "2026-11-29")
    stale = export("nftables", "--stack", "dev", "--pool", "pool.txt", "--as-of", "2027-02-01")
    assert fresh.out == stale.out
    assert "pool-stale" not in fresh.err
    assert "warning pool-stale: The addresses of cgr.dev in pool.txt were last confirmed on 2026-11-28" in stale.err


def test_a_stack_brings_its_own_pool(export: Export) -> None:
    given = export("nftables", "--stack", "dev", "--pool", "pool.txt", "--as-of", "2026-11-29")
    stack = Path("Pulumi.dev.yaml")
    by_address = stack.read_text().replace("rules, homeNet: [10.0.0.0/8]", "prefix-list, securityGroups: [sg-0a1]")
    stack.write_text(f"{by_address}  hostgate:pool: {{file: pool.txt}}\n")
    own = export("nftables", "--stack", "dev", "--as-of", "2026-11-29")
    assert (own.code, own.out) == (given.code, given.out)


WRONG = [
    (["squid", "--from", "10.1.2.3/8"], "from"),
    (["squid", "--listen", "x"], "listen"),
    (["squid", "--listen", "65536"], "listen"),
    (["pac", "--refused", "PROXY 127.0.0.1:65536"], "refused"),
    (["nftables", "--resolvers", "fe80::1%x } flush ruleset"], "resolvers"),
    (["squid", "--certificate", "a b"], "certificate"),
    (["pac", "--refused", "DIRECT"], "refused"),
    (["cilium", "--select", "app"], "select"),
    (["vpn", "--product", "ipsec"], "product"),
    (["nftables", "--resolvers", "dns.example"], "resolvers"),
    (["squid", "--name", "No"], "name"),
    (["csv", "--from", "10.0.0.0/8"], "from"),
]


@pytest.mark.parametrize(("words", "key"), WRONG)
def test_a_wrong_option_is_told_by_its_name_and_nothing_is_made(export: Export, words: list[str], key: str) -> None:
    result = export(*words, "--stack", "dev")
    assert result.code in (1, 2)
    assert key in result.err
    assert result.out == ""


def test_a_stack_and_catalogs_are_not_mixed(export: Export) -> None:
    assert export("csv", "--stack", "dev", "--catalog", "ours.yaml").code == 2


CLIENTS = """config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:select: {without: [c, b]}
  hostgate:aws: {mechanism: rules, homeNet: [10.0.0.0/8], from: [10.1.0.0/16]}
"""
LISTS = """config:
  hostgate:gcp:
    mechanism: fqdn
    networks: [projects/acme/global/networks/main]
    grants:
      - {name: builders, from: [builds@acme.iam.gserviceaccount.com], catalogs: [./ours.yaml], select: {ids: [a]}}
      - {name: clocks, from: [10.2.0.0/16], catalogs: [./ours.yaml], select: {ids: [a]}}
"""
NAMES_CLIENTS = {
    "squid": ("--from", "10.1.2.0/24"),
    "nftables": ("--from", "10.1.2.0/24"),
    "cilium": ("--select", "app=ci"),
}
"""Formats that tell clients apart, with some of those that the stack has; all others write every host for everybody."""


@pytest.mark.parametrize("form", [form for each in formats() for form in each.exports])
def test_clients_of_a_stack_stand_in_the_file_or_it_is_said_that_they_do_not(export: Export, form: str) -> None:
    pool = ["--pool", "pool.txt"] if form in ("nftables", "vpn") else []
    assert "clients-unsaid" not in export(form, "--stack", "dev", *pool).err
    Path("Pulumi.dev.yaml").write_text(CLIENTS)
    told = export(form, "--stack", "dev", *pool)
    assert told.code == 0
    assert (
        "warning clients-unsaid: The stack has its hosts for clients of its own: aws:rules for 10.1.0.0/16." in told.err
    )
    if form in NAMES_CLIENTS:
        named = export(form, "--stack", "dev", *pool, *NAMES_CLIENTS[form])
        assert named.code == 0
        assert "clients-unsaid" not in named.err
        assert NAMES_CLIENTS[form][1].partition("=")[2] or NAMES_CLIENTS[form][1] in named.out


@pytest.mark.parametrize("form", ["squid", "nftables"])
def test_clients_that_a_stack_has_not_are_said(export: Export, form: str) -> None:
    pool = ["--pool", "pool.txt"] if form == "nftables" else []
    Path("Pulumi.dev.yaml").write_text(CLIENTS)
    wider = export(form, "--stack", "dev", *pool, "--from", "10.0.0.0/8")
    assert "clients-unsaid: --from 10.0.0.0/8 has clients that the stack has not" in wider.err


@pytest.mark.parametrize(
    ("form", "more"), [("squid", ("--from", "10.2.0.0/16")), ("csv", ()), ("cilium", ("--select", "a=b"))]
)
def test_lists_with_clients_of_their_own_are_one_list_in_a_file_and_that_is_said(
    export: Export, form: str, more: tuple[str, ...]
) -> None:
    Path("Pulumi.dev.yaml").write_text(LISTS)
    told = export(form, "--stack", "dev", *more)
    assert told.code == 0, told.err
    assert "gcp:fqdn builders for builds@acme.iam.gserviceaccount.com; gcp:fqdn clocks for 10.2.0.0/16" in told.err
    assert "which are one list here" in told.err


def test_a_split_tunnel_says_that_it_holds_for_every_client_that_gets_it(export: Export) -> None:
    Path("Pulumi.dev.yaml").write_text(CLIENTS)
    written = [
        export("vpn", "--stack", "dev", "--pool", "pool.txt", "--product", product, "--from", "10.1.0.0/16")
        for product in ("prefixes", "openvpn", "wireguard", "aws-client-vpn")
    ]
    for each in written:
        assert each.code == 0
        assert "clients-unsaid: No range of it is for 10.1.0.0/16 alone" in each.err
        assert "10.1." not in each.out


GROUPS = """config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:select: {without: [c, b]}
  hostgate:aws: {mechanism: prefix-list, securityGroups: [sg-0a1], contents: refresher, maximum: 20}
"""


@pytest.mark.parametrize("stack", [GROUPS, GROUPS + "  hostgate:pool: {file: other.txt}\n"], ids=["none", "its own"])
def test_the_addresses_are_those_of_the_pool_that_is_named_else_of_the_stack_s(export: Export, stack: str) -> None:
    Path("Pulumi.dev.yaml").write_text(stack)
    Path("other.txt").write_text(POOL.replace("203.0.113.7", "203.0.113.8"))
    written = export("terraform", "--out", "own")
    assert (written.code == 0) == ("pool" in stack), written.err
    assert "There is no address of cgr.dev" in written.err or written.code == 0
    named = export("terraform", "--pool", "pool.txt", "--out", "named")
    assert named.code == 0, named.err
    assert "203.0.113.7/32" in Path("named/hostgate.aws-prefix-list.tf.json").read_text()
    if written.code == 0:
        assert "203.0.113.8/32" in Path("own/hostgate.aws-prefix-list.tf.json").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--catalog", "ours.yaml", "--pool", "pool.txt"], 2, "--pool goes with --stack"),
        (["--pool", "nowhere.txt"], 1, "nowhere.txt"),
        (["--catalog", "ours.yaml", "--target", "aws:prefix-list"], 1, "no address of cgr.dev"),
    ],
)
def test_a_pool_that_cannot_be_used_is_told_and_nothing_is_written(
    export: Export, words: list[str], code: int, said: str
) -> None:
    Path("Pulumi.dev.yaml").write_text(GROUPS)
    result = export("terraform", *words, "--out", "out")
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert not Path("out").exists()


def test_a_pool_of_a_stack_without_a_layer_that_takes_one_is_an_error(export: Export) -> None:
    result = export("terraform", "--pool", "pool.txt", "--out", "out")
    assert (result.code, result.out) == (1, "")
    assert "no layer that takes one" in result.err
