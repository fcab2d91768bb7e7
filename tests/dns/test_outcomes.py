"""Every way a lookup can end has its own outcome, and what a stranger sends neither crashes nor reaches a terminal raw."""

import asyncio
import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookups import QUICK, SHORT, ask, resolver_of
from zone_server import Fault, Zone, ZoneServer

from hostgate.dns.ask import Asker, Patience
from hostgate.dns.chains import read_chain
from hostgate.dns.replies import MalformedError, read_reply
from hostgate.dns.resolvers import Resolver, parse_resolver, probe
from hostgate.dns.samples import OUTCOMES, HttpsRecord, LookupOutcome, Run, Sample
from hostgate.dns.survey_files import as_line

FAULTS: dict[Fault, LookupOutcome] = {
    "drop": "timeout",
    "servfail": "servfail",
    "refused": "refused",
    "notimp": "other-rcode",
    "truncate": "answer",
    "truncate-always": "malformed",
    "partial": "answer",
    "no-soa": "answer",
    "dead-alias": "dead-alias",
    "loop": "loop",
    "long-chain": "long-chain",
    "two-aliases": "two-aliases",
    "unequal-ttls": "answer",
    "top-bit": "answer",
    "malformed": "malformed",
    "malformed-over-udp": "answer",
    "wrong-id": "malformed",
    "wrong-question": "malformed",
    "wrong-source": "answer",
    "not-a-response": "malformed",
    "flood": "answer",
    "noise-first": "answer",
    "huge": "answer",
    "bomb": "malformed",
    "stale": "answer",
    "other-names": "answer",
    "cut-tcp": "malformed",
    "bad-ech": "malformed",
    "drop-first": "answer",
    "markup": "answer",
}


def of(fault: Fault) -> Zone:
    chain = (("edge.example", 20),) if fault in ("partial", "dead-alias") else ()
    return Zone(("192.0.2.1",), chain=chain, fault=fault)


def test_the_table_has_every_fault() -> None:
    assert set(FAULTS) == set(get_args(Fault))


@pytest.mark.parametrize(("fault", "outcome"), FAULTS.items())
def test_a_fault_has_its_true_cause(fault: Fault, outcome: LookupOutcome) -> None:
    with ZoneServer({"a.example": of(fault)}) as server:
        sample = ask(server, "a.example")
    assert sample.outcome == outcome
    assert (sample.outcome == "answer") == bool(sample.addresses)
    assert (sample.ttl is not None) == (outcome == "answer")
    assert bool(sample.detail) == (outcome != "answer")
    assert as_line(sample).isprintable()


def test_a_resolver_without_tcp_that_truncates_says_so() -> None:
    with ZoneServer({"a.example": of("truncate")}, tcp=False) as server:
        sample = ask(server, "a.example")
    assert (sample.outcome, sample.truncated) == ("unreachable", True)
    assert sample.detail == "the answer does not fit UDP; over TCP: the port is closed"


def test_a_silent_resolver_stays_silent_whatever_tcp_says() -> None:
    with ZoneServer({"a.example": of("drop")}, tcp=False) as server:
        assert ask(server, "a.example").outcome == "timeout"


def test_an_answer_that_came_while_the_machine_was_busy_is_no_timeout() -> None:
    with ZoneServer({"a.example": Zone(("192.0.2.1",))}) as server:

        async def busy() -> Sample:
            loop = asyncio.get_running_loop()
            asked = asyncio.create_task(
                Asker(QUICK, Patience((0.05,), 0.05)).lookup("a.example", "A", resolver_of(server))
            )
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            end = loop.time() + 0.2
            while loop.time() < end:  # blocked until well after the answer, which comes after the time is up
                end = max(end, loop.time() + 0.2 if not server.asked else end)
            return await asked

        assert asyncio.run(busy()).outcome == "answer"


def test_a_flood_of_strays_is_not_read_to_its_end() -> None:
    with ZoneServer({"a.example": of("flood")}) as server:
        sample = ask(server, "a.example", patience=Patience((60,), 60))
    assert (sample.outcome, sample.tcp, sample.notes) == ("answer", True, ("stray-replies",))


def test_a_stale_answer_is_marked() -> None:
    with ZoneServer({"a.example": of("stale")}) as server:
        assert ask(server, "a.example").ede == (3,)


def test_every_address_of_a_65_kilobyte_answer_is_kept() -> None:
    with ZoneServer({"a.example": of("huge")}) as server:
        sample = ask(server, "a.example", patience=Patience((1,), 5))
    assert (len(sample.addresses), sample.truncated, sample.tcp) == (4000, True, True)


def test_families_and_https_records_are_read() -> None:
    zone = Zone(
        ("192.0.2.1", "2001:db8::1"),
        https=("1 . alpn=h3,h2 ipv4hint=192.0.2.9 ipv6hint=2001:db8::9 port=8443", "2 other.example. ech=AAX+DQABAA=="),
    )
    with ZoneServer({"a.example": zone}) as server:
        assert ask(server, "a.example").addresses == ("192.0.2.1",)
        assert ask(server, "a.example", "AAAA").addresses == ("2001:db8::1",)
        assert ask(server, "a.example", "HTTPS").https == (
            HttpsRecord(priority=1, target=".", alpn=("h3", "h2"), ipv4hint=("192.0.2.9",), ipv6hint=("2001:db8::9",), port=8443),
            HttpsRecord(priority=2, target="other.example", ech=True),
        )  # fmt: skip


def test_markup_and_control_characters_in_names_stay_escaped() -> None:
    with ZoneServer({"a.example": of("markup")}) as server:
        sample = ask(server, "a.example")
    assert sample.chain[0].target == r"\027[31m<script>alert\(1\)</script>.example"
    assert as_line(sample).isprintable()


@given(wire=st.binary(max_size=600))
def test_noise_is_malformed_and_nothing_worse(wire: bytes) -> None:
    try:
        reply = read_reply(wire)
    except MalformedError:
        return
    assert read_chain("a.example", "A", reply).outcome in OUTCOMES


def test_an_answer_with_any_octets_changed_is_read_or_refused() -> None:
    zone = Zone(("192.0.2.1", "192.0.2.2"), chain=(("edge.example", 9),), https=("1 . alpn=h3 ipv4hint=192.0.2.9",))
    server = ZoneServer({"a.example": zone})
    import dns.message

    dice = random.Random(5)
    for kind in ("A", "HTTPS", "AAAA"):
        whole = server.replies(dns.message.make_query("a.example", kind, use_edns=0).to_wire(), udp=True)[0]
        for _ in range(2000):
            wire = bytearray(whole[: dice.randrange(len(whole)) if dice.random() < 0.3 else None])
            for _ in range(dice.randrange(4)):
                if wire:
                    wire[dice.randrange(len(wire))] = dice.randrange(256)
            try:
                read = read_chain("a.example", kind, read_reply(bytes(wire)))  # type: ignore[arg-type]
            except MalformedError:
                continue
            assert "\x1b" not in repr(read)
            assert all(link.owner.isprintable() and link.target.isprintable() for link in read.chain)


class TestProbe:
    def of(self, server: ZoneServer | Resolver) -> tuple[str, str]:
        where = resolver_of(server) if isinstance(server, ZoneServer) else server
        found = asyncio.run(probe(where, Asker(QUICK, SHORT), "a.example"))
        return found.state, found.detail

    def test_a_resolver_that_knows_what_does_not_exist_is_ok(self) -> None:
        with ZoneServer({}) as server:
            assert self.of(server) == ("ok", "")

    def test_one_that_gives_everybody_the_same_address_is_captive(self) -> None:
        with ZoneServer({}, captive="192.0.2.66") as server:
            state, detail = self.of(server)
        assert state == "captive"
        assert detail.startswith("it gave the address 192.0.2.66 for ")

    def test_one_that_does_not_answer_is_silent(self) -> None:
        with ZoneServer({}, delay=5, tcp=False) as server:
            assert self.of(server)[0] == "silent"

    def test_a_closed_port_is_closed(self) -> None:
        with ZoneServer({}) as server:
            pass
        assert self.of(server) == ("closed", "the port is closed")

    def test_no_network_is_unreachable(self) -> None:
        state, detail = self.of(Resolver("255.255.255.255", 53))
        assert state == "unreachable"
        assert detail


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("192.0.2.1", "192.0.2.1:53"),
        ("192.0.2.1:5353", "192.0.2.1:5353"),
        ("2001:DB8::1", "[2001:db8::1]:53"),
        ("[2001:db8::1]", "[2001:db8::1]:53"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
    ],
)
def test_a_resolver_is_an_address_and_a_port(text: str, shown: str) -> None:
    assert str(parse_resolver(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "dns.google", "192.0.2", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:x", "[::1", "[::1]x",
             "[::1]:", "192.0.2.1:53:53", "192.0.2.1/24", "192.0.2.1:٥٣"],
)  # fmt: skip
def test_other_texts_are_no_resolver(text: str) -> None:
    with pytest.raises(ValueError, match=r"Allowed: IP, IP:PORT or \[IPv6\]:PORT"):
        parse_resolver(text)


def test_runs_are_printable_too() -> None:
    run = Run(vantage="v\x1b[0m", started=1, tool="t", resolvers=(), types=("A",), hosts=(), edns=1232)
    assert as_line(run).isprintable()
