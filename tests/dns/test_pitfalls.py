"""Each known way to get a survey wrong: the plain way falls into it, ours does not."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import dns.asyncquery
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
import pytest
from lookups import QUICK, ask, ask_all, plain, resolver_of
from zone_server import Zone, ZoneServer

from hostgate.catalog.hosts import check_host
from hostgate.dns import ask as asking
from hostgate.dns.ask import Asker, Patience
from hostgate.dns.resolvers import probe

ONE = Zone(("192.0.2.1",))


def many(number: int) -> dict[str, Zone]:
    return {f"h{index}.example": ONE for index in range(number)}


def failures(outcomes: list[object]) -> list[str]:
    return [type(each).__name__ for each in outcomes if isinstance(each, BaseException)]


@contextmanager
def descriptors(number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_unbounded_lookups_run_out_of_descriptors_and_blame_the_resolver() -> None:
    with ZoneServer(many(600), delay=0.2, tcp=False) as server, descriptors(300):

        async def unbounded() -> list[object]:
            return list(
                await asyncio.gather(*(plain(server).resolve(h, "A") for h in server.hosts), return_exceptions=True)
            )

        assert "NoNameservers" in failures(asyncio.run(unbounded()))
    with ZoneServer(many(600), delay=0.2, tcp=False) as server, descriptors(300):
        assert {each.outcome for each in ask_all(server, list(server.hosts), Patience((2,), 2))} == {"answer"}
        assert server.most_in_flight <= 100


def test_too_few_descriptors_are_not_blamed_on_the_resolver() -> None:
    with ZoneServer(many(100), delay=0.2, tcp=False) as server, descriptors(40):
        samples = ask_all(server, list(server.hosts), Patience((2,), 2), bound=100)
    assert {each.outcome for each in samples} == {"answer", "local"}
    assert {each.detail for each in samples if each.outcome == "local"} == {"Too many open files"}


def test_clocks_that_start_all_at_once_run_out_while_the_processor_is_busy() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ZoneServer(many(2000)) as server, descriptors(min(hard, 8192)):

        async def unbounded() -> list[object]:
            made = plain(server, lifetime=0.3)
            return list(await asyncio.gather(*(made.resolve(h, "A") for h in server.hosts), return_exceptions=True))

        assert "LifetimeTimeout" in failures(asyncio.run(unbounded()))
        samples = ask_all(server, list(server.hosts), Patience((0.3,), 0.3), bound=50)
        assert {each.outcome for each in samples} == {"answer"}


def test_a_shared_socket_throws_away_the_answers_to_others() -> None:
    with ZoneServer(many(50), spread=0.1) as server:

        async def shared() -> list[object]:
            backend = dns.asyncquery.dns.asyncbackend.get_backend("asyncio")
            async with await backend.make_socket(2, 2, 0, ("127.0.0.1", 0)) as sock:
                asks = (
                    dns.asyncquery.udp(
                        dns.message.make_query(h, "A"), server.address, 0.5, server.port, sock=sock,
                        ignore_unexpected=True, ignore_errors=True,
                    )
                    for h in server.hosts
                )  # fmt: skip
                return list(await asyncio.gather(*asks, return_exceptions=True))

        assert len(failures(asyncio.run(shared()))) > 25
        assert {each.outcome for each in ask_all(server, list(server.hosts))} == {"answer"}


class ByNumber(asyncio.DatagramProtocol):
    """One socket for everybody; an answer goes to whoever waits under its 16-bit id."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        waiter = self.waiting.get(int.from_bytes(data[:2], "big"))
        if waiter and not waiter.done():
            waiter.set_result(data)

    async def ask(self, host: str, number: int) -> bytes:
        query = dns.message.make_query(host, "A", id=number)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        self.transport.sendto(query.to_wire())  # type: ignore[attr-defined]
        try:
            async with asyncio.timeout(0.5):
                return await self.waiting[number]
        finally:
            self.waiting.pop(number, None)


def test_questions_with_the_same_id_do_not_take_each_others_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {f"h{n}.example": Zone((f"192.0.2.{n}",)) for n in range(20)}
    with ZoneServer(hosts, delay=0.05) as server:

        async def by_number() -> list[object]:
            address = (server.address, server.port)
            _, asker = await asyncio.get_running_loop().create_datagram_endpoint(ByNumber, remote_addr=address)
            found = await asyncio.gather(*(asker.ask(host, 7) for host in hosts), return_exceptions=True)
            asker.transport.close()  # type: ignore[attr-defined]
            return list(found)

        answers = [dns.message.from_wire(each) for each in asyncio.run(by_number()) if isinstance(each, bytes)]
        right = [host for host, each in zip(hosts, answers, strict=False) if host in str(each.question[0].name)]
        assert len(right) < len(hosts)
        monkeypatch.setattr(asking.secrets, "randbits", lambda _bits: 7)
        samples = ask_all(server, list(hosts))
    assert {each.host: each.addresses for each in samples} == {host: zone.pool for host, zone in hosts.items()}


def test_a_lost_packet_is_asked_for_again() -> None:
    with ZoneServer({"a.example": Zone(("192.0.2.1",), fault="drop-first")}) as server:
        query = dns.message.make_query("a.example", "A")
        with pytest.raises(dns.exception.Timeout):
            asyncio.run(dns.asyncquery.udp(query, server.address, 0.3, server.port))
        server.asked.clear()
        sample = ask(server, "a.example")
    assert (sample.outcome, sample.tcp) == ("answer", False)


@pytest.mark.parametrize(("fault", "kind"), [("malformed", "A"), ("bad-ech", "HTTPS")])
def test_a_damaged_answer_is_not_silence(fault: str, kind: str) -> None:
    with ZoneServer({"a.example": Zone(("192.0.2.1",), https=("1 .",), fault=fault)}) as server:  # type: ignore[arg-type]
        with pytest.raises(dns.resolver.LifetimeTimeout):
            asyncio.run(plain(server).resolve("a.example", kind))
        sample = ask(server, "a.example", kind)  # type: ignore[arg-type]
    assert (sample.outcome, sample.tcp) == ("malformed", True)
    assert "damaged" in sample.detail


def test_an_answer_damaged_over_udp_only_is_read_over_tcp() -> None:
    with ZoneServer({"a.example": Zone(("192.0.2.1",), fault="malformed-over-udp")}) as server:
        sample = ask(server, "a.example")
    assert (sample.outcome, sample.addresses, sample.notes) == ("answer", ("192.0.2.1",), ("malformed-over-udp",))


def test_a_closed_port_is_known_at_once() -> None:
    with ZoneServer({}) as server:
        pass  # from here on nobody listens

    async def timed() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        found = await probe(resolver_of(server), Asker(QUICK), "a.example")
        return found.state, loop.time() - start

    with pytest.raises(dns.resolver.LifetimeTimeout):
        asyncio.run(plain(server).resolve("a.example", "A"))
    state, seconds = asyncio.run(timed())
    assert state == "closed"
    assert seconds < 0.5


def test_a_chain_that_ends_too_early_is_followed_and_no_ttl_is_made_up() -> None:
    hosts = {"a.example": Zone(("192.0.2.1",), chain=(("edge.example", 300), ("map.example", 20)), fault="partial")}
    with ZoneServer(hosts) as server:
        answer = asyncio.run(plain(server).resolve("a.example", "A", raise_on_no_answer=False))
        assert (answer.rrset, answer.chaining_result.minimum_ttl) == (None, 20)
        sample = ask(server, "a.example")
    assert (sample.outcome, sample.addresses, sample.ttl, sample.effective_ttl) == ("answer", ("192.0.2.1",), 60, 20)
    assert [(link.owner, link.target, link.ttl) for link in sample.chain] == [
        ("a.example", "edge.example", 300),
        ("edge.example", "map.example", 20),
    ]
    assert sample.notes == ("partial-chain",)


def test_an_empty_answer_without_a_soa_has_no_ttl() -> None:
    with ZoneServer({"a.example": Zone(("192.0.2.1",), fault="no-soa")}) as server:
        answer = asyncio.run(plain(server).resolve("a.example", "AAAA", raise_on_no_answer=False))
        assert answer.chaining_result.minimum_ttl == 300  # invented
        sample = ask(server, "a.example", "AAAA")
        assert (sample.outcome, sample.ttl, sample.negative_ttl, sample.notes) == ("no-data", None, None, ("no-soa",))
        assert ask(server, "nobody.example").negative_ttl == 30


def test_an_alias_of_a_missing_name_names_the_missing_name() -> None:
    hosts = {"a.example": Zone(chain=(("edge.example", 300), ("gone.example", 20)), fault="dead-alias")}
    with ZoneServer(hosts) as server:
        with pytest.raises(dns.resolver.NXDOMAIN, match=r"query name does not exist: a\.example"):
            asyncio.run(plain(server).resolve("a.example", "A"))
        sample = ask(server, "a.example")
    assert (sample.outcome, sample.dead_end, sample.negative_ttl) == ("dead-alias", "gone.example", 30)
    assert sample.detail == "gone.example does not exist"


def test_sixty_addresses_come_in_one_packet() -> None:
    with ZoneServer({"a.example": Zone(tuple(f"192.0.2.{n}" for n in range(60)))}) as server:
        asyncio.run(plain(server, edns=False).resolve("a.example", "A"))
        assert server.over_tcp == 1
        sample = ask(server, "a.example")
        assert (len(sample.addresses), sample.truncated, sample.tcp, server.over_tcp) == (60, False, False, 1)


def test_no_cache_hides_the_rotation() -> None:
    zone = Zone(tuple(f"192.0.2.{n}" for n in range(16)), k=4)
    with ZoneServer({"a.example": zone}) as server:
        cached = plain(server)
        cached.cache = dns.resolver.Cache()
        plainly, ours = set(), set()
        for epoch in range(40):
            server.now = epoch * 60
            plainly |= {str(each) for each in asyncio.run(cached.resolve("a.example", "A"))}
            ours |= set(ask(server, "a.example").addresses)
    assert len(plainly) == 4
    assert ours == set(zone.pool)


def test_an_internationalised_name_is_asked_as_idna_2008_writes_it() -> None:
    assert check_host("faß.example").name == "xn--fa-hia.example"
    assert dns.name.from_text("faß.example", idna_codec=dns.name.IDNA_2003).to_text() == "fass.example."


def test_the_lowest_of_unequal_ttls_counts() -> None:
    with ZoneServer({"a.example": Zone(fault="unequal-ttls")}) as server:
        sample = ask(server, "a.example")
    assert (sample.ttl, sample.notes) == (20, ("unequal-ttls",))


def test_two_aliases_of_one_name_are_an_error() -> None:
    with ZoneServer({"a.example": Zone(fault="two-aliases")}) as server:
        assert len(asyncio.run(plain(server).resolve("a.example", "A"))) == 1  # not a word about it
        sample = ask(server, "a.example")
    assert sample.outcome == "two-aliases"
    assert "one.example" in sample.detail
    assert "two.example" in sample.detail


def test_a_ttl_with_the_top_bit_set_is_nought_and_is_told() -> None:
    with ZoneServer({"a.example": Zone(fault="top-bit")}) as server:
        sample = ask(server, "a.example")
    assert (sample.ttl, sample.notes) == (0, ("ttl-top-bit",))


def test_a_loop_is_a_loop() -> None:
    with ZoneServer({"a.example": Zone(fault="loop"), "b.example": Zone(fault="long-chain")}) as server:
        with pytest.raises(dns.resolver.NoNameservers):  # the resolver is blamed for the zone's mistake
            asyncio.run(plain(server).resolve("a.example", "A"))
        assert ask(server, "a.example").outcome == "loop"
        assert ask(server, "b.example").outcome == "long-chain"


def test_the_round_trip_is_measured_with_nothing_else_going_on() -> None:
    with ZoneServer(many(300)) as server:

        async def crowded() -> list[float]:
            made = plain(server, lifetime=5)
            answers = await asyncio.gather(*(made.resolve(h, "A") for h in server.hosts))
            return [each.response.time for each in answers]

        times = sorted(asyncio.run(crowded()))
        found = asyncio.run(probe(resolver_of(server), Asker(QUICK), "a.example"))
    assert found.rtt is not None
    assert times[len(times) // 2] > 2 * found.rtt


def test_names_are_asked_as_they_are_and_not_below_the_search_list() -> None:
    with ZoneServer({"cgr.dev": ONE}) as server:
        searching = plain(server)
        searching.search, searching.ndots = [dns.name.from_text("corp.example")], 5
        asyncio.run(searching.resolve("cgr.dev", "A", search=True))
        assert ("cgr.dev.corp.example", "A") in server.asked
        server.asked.clear()
        ask(server, "cgr.dev")
        assert set(server.asked) == {("cgr.dev", "A")}
        assert server.payloads >= {1232}
