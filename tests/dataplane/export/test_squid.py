"""Every flow asked of a running Squid with the exported lines: it does what the plan's verdict says."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from conformance.strategies import HOSTS, flows_about
from dataplane.export.squid import OUTSIDER, PROXY, Lab, certificate, parsed, running, version
from hostgate.catalog.model import MATCHES, Entry
from hostgate.export.squid import SquidOptions
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, plan

ENTRIES = [
    entry("cgr.dev"),
    entry("apk.cgr.dev", port=8443),
    entry("deep.api.cgr.dev", match="subtree"),
    entry("enforce.dev", match="subtree+apex"),
    entry("dl.enforce.dev", protocol="tls"),
    entry("enforce.dev", "e-http", match="one-label", port=80, protocol="http"),
    entry("wide.example", match="one-label", protocol="tls"),
    entry("plain.example", port=80, protocol="http", match="subtree"),
    entry("plain.example", "plain-too", port=8443, protocol="http", match="subtree+apex"),
]
PORTS = frozenset({80, 443, 4433, 8443})
CLIENTS = f"{PROXY}/32"


@pytest.fixture(scope="module", autouse=True)
def _squid() -> None:
    reason = (
        "" if version() else "Squid with OpenSSL is needed. sh tests/dataplane/export/setup.sh installs it on Debian."
    )
    if os.name != "posix" or os.geteuid() != 0:
        reason = reason or "the resolver and the servers of the test need ports below 1024, and so root"
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def planned(entries: list[Entry], **options: Any) -> Plan:
    with socket.socket() as free:
        free.bind((PROXY, 0))
        listen = f"{PROXY}:{free.getsockname()[1]}"
    return plan(selection(entries), "export:squid", listen=listen, certificate=str(certificate()), **options)


def _proxy(made: Plan, folder: Path, lines: str = "") -> AbstractContextManager[Lab]:
    assert isinstance(made.options, SquidOptions)
    return running(lines or made.objects[0].text or "", made.options.listen, folder, PORTS)


def askable(entries: list[Entry]) -> Iterator[Flow]:
    """The flows about `entries` that a client of a proxy can have, each once."""
    asked = {}
    for flow in flows_about(entries):
        if flow.protocol in ("https", "tls", "http", "tcp") and flow.port in PORTS:
            asked[(flow.name, flow.port, flow.application, flow.sni)] = replace(flow, source=None, address=None)
    return iter(asked.values())


def judged(lab: Lab, made: Plan, flows: list[Flow]) -> list[str]:
    """Where Squid and the verdict differ."""
    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(lab.passes, flows))
    pairs = [(flow, made.verdict(flow), answer) for flow, answer in zip(flows, answers, strict=True)]
    return [f"{flow}: Squid {answer}, {verdict}" for flow, verdict, answer in pairs if verdict.allows != answer]


@pytest.mark.parametrize("pair", [False, True])
def test_squid_passes_what_the_verdict_allows_and_refuses_all_else(pair: bool, tmp_path: Path) -> None:
    made = planned(ENTRIES, pair=pair)
    flows = list(askable(ENTRIES))
    with _proxy(made, tmp_path) as lab:
        assert judged(lab, made, flows) == []
    assert len(flows) > 500
    assert sum(made.verdict(flow).allows for flow in flows) > (40 if pair else 70)


def drawn(seed: int) -> list[Entry]:
    """A catalog of nested names, kinds, protocols and ports, as the conformance tests have them."""
    dice = Random(f"squid {seed}")
    return [
        entry(
            dice.choice([host for host in HOSTS if len(host) < 100]),
            f"e{number}",
            match=dice.choice(MATCHES),
            port=dice.choice((80, 443, 8443)),
            protocol=dice.choice(("https", "tls", "http")),
        )
        for number in range(6)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_so_it_is_for_catalogs_made_at_random(seed: int, tmp_path: Path) -> None:
    entries = drawn(seed)
    made = planned(entries, pair=bool(seed % 2))
    assert "is a subdomain" not in parsed(made.objects[0].text or "", tmp_path)
    with _proxy(made, tmp_path) as lab:
        assert judged(lab, made, list(askable(entries))) == []


SNI = [
    ("cgr.dev", "cgr.dev", True, True),
    ("cgr.dev", None, True, True),
    ("cgr.dev", "sub.enforce.dev", True, False),
    ("cgr.dev", "apk.cgr.dev", False, False),  # of another port
    ("cgr.dev", "evil.example", False, False),
    ("evil.example", "cgr.dev", False, False),
    ("198.51.100.7", "cgr.dev", False, False),
]


@pytest.mark.parametrize("pair", [False, True])
def test_the_name_in_connect_and_the_sni_are_both_asked_for(pair: bool, tmp_path: Path) -> None:
    made = planned(ENTRIES, pair=pair)
    with _proxy(made, tmp_path) as lab:
        for host, sni, of_the_list, of_one_entry in SNI:
            wanted = of_one_entry if pair else of_the_list
            flow = Flow(host, sni=sni)
            assert (lab.passes(flow), made.verdict(flow).allows) == (wanted, wanted), flow


def test_no_question_leaves_for_what_is_refused(tmp_path: Path) -> None:
    refused = [Flow(name, port) for name in ("198.51.100.7", "2001:db8::7", "evil.example") for port in (443, 22)]
    made = planned(ENTRIES)
    with _proxy(made, tmp_path) as lab:
        for flow in (*refused, replace(refused[0], protocol="http", port=80)):
            assert not lab.passes(flow)
        assert not [name for name in lab.asked if "100.51.198" in name or "ip6" in name or "evil" in name]
    careless = (made.objects[0].text or "").replace(" -n ", " ")
    with _proxy(made, tmp_path, careless) as lab:
        assert not lab.passes(refused[0])
        assert "7.100.51.198.in-addr.arpa" in lab.asked  # what -n is for


def test_only_the_clients_of_from_reach_the_hosts(tmp_path: Path) -> None:
    made = planned(ENTRIES, from_=[CLIENTS])
    with _proxy(made, tmp_path) as lab:
        for source, wanted in ((PROXY, True), (OUTSIDER, False)):
            for flow in (Flow("cgr.dev", source=source), Flow("sub.plain.example", 80, "http", source=source)):
                assert (lab.passes(flow), made.verdict(flow).allows) == (wanted, wanted), flow


def test_squid_drops_none_of_the_lines_of_hosts_that_nest(tmp_path: Path) -> None:
    nested = [
        entry(host, f"{match}-{host}".replace(".", "-").replace("+", "-"), match=match)
        for host in ("a.example", "b.a.example", "c.b.a.example")
        for match in ("exact", "subtree+apex", "subtree", "one-label")
    ]
    for pair in (False, True):
        said = parsed(planned(nested, pair=pair).objects[0].text or "", tmp_path)
        assert "is a subdomain" not in said
        assert "ERROR" not in said


def test_a_thousand_hosts_are_read_as_they_are_written(tmp_path: Path) -> None:
    made = planned([entry(f"host-{number:04}.vendor.example", f"e{number}") for number in range(1_000)])
    with _proxy(made, tmp_path) as lab:
        flows = [Flow(f"{name}.vendor.example") for name in ("host-0000", "host-0999", "host-1000", "host-00000")]
        assert judged(lab, made, flows) == []
