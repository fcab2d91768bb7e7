"""What real servers show: TTLs that count down, clamps, stale answers, negative TTLs. In real time, a few seconds each."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from real_servers import missing, servers

from hostgate.dns.ask import Asker, Patience
from hostgate.dns.resolvers import Resolver, probe
from hostgate.dns.samples import Link, RecordType, Sample
from hostgate.dns.sampling import SamplingPlan, Surveyor

ZONE = """\
    $ORIGIN example.test.
    $TTL 3600
    @      3600 SOA ns hostmaster 1 3600 600 86400 4
           3600 NS ns
    ns     3600 A 127.0.0.1
    www    30   CNAME edge
    edge   12   A 192.0.2.1
           12   A 192.0.2.2
           12   AAAA 2001:db8::1
    quick  2    A 192.0.2.3
    steady 2    A 192.0.2.4
    dead   20   CNAME gone
    multi  60   HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.9
    loop   60   CNAME pool
    pool   60   CNAME loop
"""


@pytest.fixture(autouse=True)
def _installed() -> None:
    lacking = missing()
    if not lacking:
        return
    reason = f"{', '.join(lacking)} is not installed. sh tests/dns/setup.sh installs it on Debian."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def ask(port: int, host: str, kind: RecordType = "A") -> Sample:
    return asyncio.run(Asker(1000, Patience((2, 4), 4)).lookup(host, kind, Resolver("127.0.0.1", port)))


def surveyed(port: int, hosts: list[str], rounds: int) -> list[Sample]:
    samples: list[Sample] = []
    plan = SamplingPlan(rounds=rounds, soonest=1.0)
    asker = Asker(1000, Patience((2, 4), 4))
    survey = Surveyor(hosts, ("A",), [Resolver("127.0.0.1", port)], plan, asker.lookup, samples.append)
    asyncio.run(survey.run(asyncio.Event()))
    return samples


def test_a_cache_counts_down_and_the_ask_after_expiry_shows_the_zones_ttl(tmp_path: Path) -> None:
    with servers(tmp_path, ZONE) as up:
        first = ask(up.cache, "www.example.test")
        assert first.chain == (Link("www.example.test", "edge.example.test", 30),)
        assert (first.ttl, first.addresses) == (12, ("192.0.2.1", "192.0.2.2"))
        ask(up.cache, "quick.example.test")
        time.sleep(1.2)
        assert (ask(up.cache, "www.example.test").ttl or 0) < 12
        assert (ask(up.cache, "quick.example.test").ttl or 0) < 2
        assert [each.ttl for each in surveyed(up.cache, ["quick.example.test"], 3)][1:] == [2, 2]


def test_every_outcome_of_real_servers_has_its_cause(tmp_path: Path) -> None:
    with servers(tmp_path, ZONE) as up:
        assert ask(up.cache, "none.example.test").outcome == "nxdomain"
        assert ask(up.cache, "none.example.test").negative_ttl in (3, 4)
        assert (ask(up.cache, "quick.example.test", "AAAA")).outcome == "no-data"
        dead = ask(up.cache, "dead.example.test")
        assert (dead.outcome, dead.dead_end) == ("dead-alias", "gone.example.test")
        assert ask(up.cache, "multi.example.test", "HTTPS").https[0].alpn == ("h3", "h2")
        assert ask(up.authority, "loop.example.test").outcome == "loop"
        assert ask(up.cache, "loop.example.test").outcome in ("loop", "servfail")
        assert ask(up.authority, "other.example").outcome == "refused"
        assert ask(up.cache, "other.example").outcome == "nxdomain"


def test_a_resolver_may_lengthen_and_shorten_ttls(tmp_path: Path) -> None:
    (tmp_path / "long").mkdir()
    (tmp_path / "short").mkdir()
    with servers(tmp_path / "long", ZONE, cache_min_ttl="60") as up:
        lengthened = ask(up.cache, "www.example.test")
        assert (lengthened.chain[0].ttl, lengthened.ttl) == (60, 60)
        assert ask(up.cache, "none.example.test").negative_ttl == 4
    with servers(tmp_path / "short", ZONE, cache_max_ttl="5") as up:
        shortened = ask(up.cache, "www.example.test")
        assert (shortened.chain[0].ttl, shortened.ttl) == (5, 5)
        assert ask(up.authority, "www.example.test").effective_ttl == 12


def test_a_stale_answer_shows_thirty_seconds(tmp_path: Path) -> None:
    with servers(tmp_path, ZONE, serve_expired="yes", ede="yes", ede_serve_expired="yes") as up:
        assert ask(up.cache, "quick.example.test").ttl == 2
        up.stop_authority()
        time.sleep(3.2)
        stale = ask(up.cache, "quick.example.test")
        assert (stale.outcome, stale.ttl, stale.addresses) == ("answer", 30, ("192.0.2.3",))
        assert stale.ede == (3,)


def test_a_real_resolver_passes_the_probe(tmp_path: Path) -> None:
    with servers(tmp_path, ZONE) as up:
        found = asyncio.run(probe(Resolver("127.0.0.1", up.cache), Asker(1000), "www.example.test"))
        assert (found.state, found.detail) == ("ok", "")
        assert found.rtt is not None
