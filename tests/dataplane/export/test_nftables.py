"""The exported table on a box between a client and servers: what it lets pass is what the plan's verdict says."""

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from dataplane.export.namespaces import CLIENT, STRANGER, Namespaces, address, lacking, namespaces
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, plan

ENTRIES = [
    entry("cgr.dev"),
    entry("apk.cgr.dev", port=8443, protocol="tls"),
    entry("time.example", port=123, protocol="udp"),
    entry("both.example", "both-tcp", port=853, protocol="tcp"),
    entry("both.example", "both-udp", port=853, protocol="udp"),
    entry("six.example", families=("ipv6",)),
    entry("quiet.example", port=4430),
    entry("quiet.example", "quiet-udp", port=4430, protocol="udp"),
]
POOL = {
    "cgr.dev": [address(1), address(2), address(1, 6)],
    "apk.cgr.dev": [address(3), address(3, 6)],
    "time.example": [address(4), address(4, 6)],
    "both.example": [address(5)],
    "six.example": [address(6), address(6, 6)],
    "quiet.example": [address(7)],  # nobody listens there, so that a socket of the test can have the port
}
TCP, UDP = (443, 8443, 853, 123), (443, 123, 853)


@pytest.fixture(scope="module")
def box() -> Iterator[Namespaces]:
    if reason := lacking():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with namespaces() as made:
        made.serve(TCP, UDP)
        made.serve((5_000,), (5_000,), inside="c")
        yield made


def planned(**options: Any) -> Plan:
    return plan(selection(ENTRIES), "export:nftables", addresses=POOL, **options)


def flows() -> Iterator[Flow]:
    """Every address of the servers at every port, by TCP and UDP, over both families."""
    for number, family in product(range(1, 8), (4, 6)):
        there = address(number, family)
        yield from (Flow(there, port, "tcp", address=there) for port in TCP)
        yield from (Flow(there, port, "udp", address=there) for port in UDP)


@pytest.mark.parametrize("stateless", [False, True])
def test_the_box_lets_pass_what_the_verdict_allows_and_drops_all_else(box: Namespaces, stateless: bool) -> None:
    asked = list(flows())
    assert all(box.all_answers(asked).values())  # nothing is in the way
    made = planned(stateless=stateless)
    box.load(made.objects[0].text or "")
    answers = box.all_answers(asked)
    box.load("flush ruleset")
    assert {flow for flow, answer in answers.items() if answer != made.verdict(flow).allows} == set()
    assert sum(answers.values()) == 3 + 2 + 2 + 1 + 1 + 1


@pytest.mark.parametrize("stateless", [False, True])
def test_only_the_clients_of_from_reach_the_hosts(box: Namespaces, stateless: bool) -> None:
    for clients in ([f"{CLIENT[0]}/32"], [f"{CLIENT[1]}/128"], [f"{CLIENT[0]}/32", f"{CLIENT[1]}/128"]):
        made = plan(selection(ENTRIES[:2]), "export:nftables", addresses=POOL, stateless=stateless, from_=clients)
        box.load(made.objects[0].text or "")
        for (at, family), who in product(enumerate((4, 6)), (CLIENT, STRANGER)):
            there, source = address(1, family), who[at]
            flow = Flow(there, 443, "tcp", address=there, source=source)
            answer = box.answers(there, 443, source=source)
            assert answer == made.verdict(flow).allows == any(each.startswith(source + "/") for each in clients), flow
    box.load("flush ruleset")


@pytest.mark.parametrize("stateless", [False, True])
def test_no_server_begins_a_connection_to_a_client(box: Namespaces, stateless: bool) -> None:
    ends = [(address(7), 4430), (address(7), 4_000), (address(1), 4430)]
    for udp in (False, True):
        box.load("flush ruleset")
        assert box.answers(CLIENT[0], 5_000, udp=udp, source=ends[0][0], sport=ends[0][1], inside="s")
        box.load(planned(stateless=stateless).objects[0].text or "")
        reached = [
            box.answers(CLIENT[0], 5_000, udp=udp, source=source, sport=port, inside="s") for source, port in ends
        ]
        # Without state a datagram from the port of a host is an answer to a client's, as far as anybody can tell.
        assert reached == [udp and stateless, False, False]
    box.load("flush ruleset")


def test_without_state_and_without_the_mirror_half_nothing_comes_back(box: Namespaces) -> None:
    whole = planned(stateless=True).objects[0].text or ""
    half = "\n".join(line for line in whole.splitlines() if "goto answers" not in line)
    assert half.count("\n") < whole.count("\n") - 1
    for rules, wanted in ((whole, True), (half, False)):
        box.load(rules)
        assert box.answers(address(1), 443) == wanted
        assert box.answers(address(4), 123, udp=True) == wanted
        assert box.answers(address(1, 6), 443) == wanted
    box.load("flush ruleset")


def test_dns_to_the_named_resolvers_passes_and_to_no_other(box: Namespaces) -> None:
    box.serve((53,), (53,))
    for stateless in (False, True):
        made = planned(stateless=stateless, resolvers=[address(9), address(9, 6)])
        box.load(made.objects[0].text or "")
        asked = [
            Flow(address(number, family), port, protocol, address=address(number, family))
            for number, family, port, protocol in product((8, 9), (4, 6), (53, 443), ("tcp", "udp"))
        ]
        for flow, answer in box.all_answers(asked).items():
            wanted = flow.port == 53 and flow.name in (address(9), address(9, 6))
            assert (answer, made.verdict(flow).allows) == (wanted, wanted), flow
    box.load("flush ruleset")
