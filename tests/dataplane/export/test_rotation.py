"""A zone that rotates, and a box that follows it: how many connections a list by address drops, against the prediction.

Real time passes here: what is measured is how packets, sets and answers meet. Nothing sleeps for longer than an answer lives.
"""

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from random import Random
from statistics import fmean

import dns.message
import dns.rdatatype
import dns.rrset
import pytest

from conformance.catalogs import entry, selection
from dataplane.export.namespaces import Namespaces, address, answered, lacking, namespaces
from hostgate.dns.false_drop import Refreshing, false_drop
from hostgate.dns.pool_update import Round, updated
from hostgate.dns.pools import Pool, Tally
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.plan import plan

TTL, ANSWER, ROUNDS = 2.0, 4, 10
"""Seconds that an answer lives, addresses in it, and how many the box asks for."""

SIZES = {16: 1, 64: 101}
"""Addresses behind a name, and the number of the first."""

ZONE = address(250)
HOSTS = {(size, how): f"{how}-{size}.example" for size in SIZES for how in ("last", "union")}
PORTS = {"last": 443, "union": 8443}
ENTRIES = [entry(host, port=PORTS[how]) for (_, how), host in HOSTS.items()]


@pytest.fixture(scope="module")
def box() -> Iterator[Namespaces]:
    if reason := lacking():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with namespaces() as made:
        made.serve(tuple(PORTS.values()), ())
        yield made


def load(box: Namespaces, addresses: Mapping[str, list[str]]) -> None:
    box.load(plan(selection(ENTRIES), "export:nftables", addresses=addresses, resolvers=[ZONE]).objects[0].text or "")


class Zone:
    """A name server that answers every question with some of the addresses, another choice each time."""

    def __init__(self, box: Namespaces) -> None:
        self._dice = Random("zone")
        self._stop = threading.Event()
        self._server = box.inside("s", self._bound)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _bound(self) -> socket.socket:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((ZONE, 53))
        server.settimeout(0.1)
        return server

    def __enter__(self) -> "Zone":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        with self._server as server:
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    wire, client = server.recvfrom(4096)
                    server.sendto(self._reply(wire), client)

    def _reply(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        name = query.question[0].name
        size = int(name.to_text().partition(".")[0].rpartition("-")[2])
        chosen = self._dice.sample(range(SIZES[size], SIZES[size] + size), ANSWER)
        reply = dns.message.make_response(query)
        reply.answer.append(dns.rrset.from_text(name, int(TTL), "IN", "A", *map(address, chosen)))
        return reply.to_wire()


def resolved(host: str) -> list[str]:
    """What the zone answers, in the namespace of the thread; nothing if it does not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.connect((ZONE, 53))
        client.send(dns.message.make_query(host, dns.rdatatype.A).to_wire())
        return [each.to_text() for each in dns.message.from_wire(client.recv(4096)).answer[0]]


class Clients:
    """Clients that each resolve a name for themselves and connect, one after the other, until they are stopped."""

    def __init__(self, box: Namespaces, hosts: Mapping[str, int], rounds: Callable[[], int], each: int = 4) -> None:
        self.tried: Counter[tuple[str, int]] = Counter()
        self.dropped: Counter[tuple[str, int]] = Counter()
        self._rounds, self._stop, self._lock = rounds, threading.Event(), threading.Lock()
        jobs = [(host, port) for host, port in hosts.items() for _ in range(each)]
        self._threads = [
            threading.Thread(target=box.inside, args=("c", lambda job=job: self._go(*job))) for job in jobs
        ]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _go(self, host: str, port: int) -> None:
        while not self._stop.is_set():
            at = self._rounds()
            try:
                there = resolved(host)[0]
            except OSError:  # a machine that is too busy to answer in a second
                continue
            passed = answered(there, port)
            with self._lock:
                self.tried[host, at] += at == self._rounds()  # one that met two lists says nothing of either
                self.dropped[host, at] += at == self._rounds() and not passed


def surveyed(size: int) -> Pool:
    """What a survey of the zone makes of it."""
    dice, tally = Random(f"survey {size}"), Tally()
    for index in range(1_500):
        tally.add(index * (TTL + 0.01), "r", {str(each) for each in dice.sample(range(size), ANSWER)}, TTL)
    pool = tally.pool()
    assert pool is not None
    return pool


def predicted(pool: Pool, keep: float) -> float:
    found = false_drop(pool, TTL, Refreshing(refresh=TTL, keep=keep))
    assert found is not None
    return found.estimate


def test_a_list_of_the_last_answer_and_a_union_drop_what_was_predicted(box: Namespaces) -> None:
    pool, last = AddressPool(), {}
    asked = 0
    with Zone(box), Clients(box, {host: PORTS[how] for (_, how), host in HOSTS.items()}, lambda: asked) as clients:
        begun = time.monotonic()
        for turn in range(1, ROUNDS + 1):
            answers = {host: box.inside("s", lambda host=host: resolved(host)) for host in HOSTS.values()}
            windows = dict.fromkeys(HOSTS.values(), 86_400)
            seen = {(host, "ipv4"): each for host, each in answers.items()}
            found = Round(vantage="box", hosts=windows, seen=seen, windows={})
            pool = updated(pool, found, 1_800_000_000 + turn).pool
            last = {host: answers[host] for (_, how), host in HOSTS.items() if how == "last"}
            union = {host: list(pool.of(host, "ipv4")) for (_, how), host in HOSTS.items() if how == "union"}
            load(box, {**last, **union})
            asked = turn
            threading.Event().wait(max(0.0, begun + turn * TTL - time.monotonic()))
    told = {}
    for (size, how), host in HOSTS.items():
        known, tried = surveyed(size), [clients.tried[host, turn] for turn in range(1, ROUNDS + 1)]
        keep = [turn * TTL if how == "union" else 0.0 for turn in range(ROUNDS)]
        # By rounds, and not by connections: those that pass are faster, so that there are more of them where more pass.
        measured = fmean(clients.dropped[host, turn] / number for turn, number in enumerate(tried, 1))
        told[host] = (round(measured, 3), round(fmean(predicted(known, each) for each in keep), 3), min(tried))
    for measured, wanted, fewest in told.values():
        assert fewest >= 5, told
        assert wanted / 2 <= measured <= min(1.0, wanted * 2), told
    for size in SIZES:
        assert told[HOSTS[size, "union"]][0] < told[HOSTS[size, "last"]][0], told


def test_no_connection_is_dropped_while_a_large_set_is_swapped(box: Namespaces) -> None:
    asked = 0
    many = {f"host-{number}.example": [f"2001:db8:1::{number:x}"] for number in range(1, 10_001)}
    entries = [*ENTRIES, *(entry(host, f"e{number}") for number, host in enumerate(many))]
    stable = {host: [address(number) for number in range(1, 17)] for host in HOSTS.values()}
    rules = (
        plan(selection(entries), "export:nftables", addresses={**many, **stable}, resolvers=[ZONE]).objects[0].text
        or ""
    )
    box.load(rules)
    took = []
    with Zone(box), Clients(box, {HOSTS[16, "last"]: 443}, lambda: asked, each=4) as clients:
        for _ in range(15):
            begun = time.monotonic()
            box.load(rules)
            took.append(time.monotonic() - begun)
    assert sum(clients.tried.values()) > 200
    assert sum(clients.dropped.values()) == 0
    assert min(took) <= 1.0, took
