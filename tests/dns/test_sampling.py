"""When a survey asks again, how hard, and what it does when told to stop; all on a clock that the test makes."""

import asyncio
import random
from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from virtual_time import EPOCH, run_virtually, unix_now

from hostgate.dns.pacing import CLOUD_RESOLVER, DEFAULT_RATE, Pacer
from hostgate.dns.resolvers import Resolver
from hostgate.dns.samples import LookupOutcome, RecordType, Sample
from hostgate.dns.sampling import SamplingPlan, Surveyor

HERE = Resolver("192.0.2.53")


class Cache:
    """A resolver that keeps answers of a zone with `ttl`, shared with others who ask at random times."""

    def __init__(self, ttl: int, *, others: float = 0.0, seed: int = 1, rtt: float = 0.01) -> None:
        self.ttl, self.others, self.rtt = ttl, others, rtt
        self.dice = random.Random(seed)
        self.expires: dict[tuple[str, str, str], float] = {}
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.in_flight = self.most = 0

    async def ask(self, host: str, kind: RecordType, resolver: Resolver) -> Sample:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await asyncio.sleep(self.rtt)
        self.in_flight -= 1
        now = asyncio.get_running_loop().time()
        self.times[host].append(now)
        key = (host, kind, str(resolver))
        if self.expires.get(key, 0.0) <= now:
            early = self.dice.random() * self.others  # somebody else may have asked first
            self.expires[key] = now - early + self.ttl
        left = int(self.expires[key] - now + 1e-6)
        return Sample(host=host, at=unix_now(), resolver=str(resolver), type=kind, outcome="answer",
                      addresses=("192.0.2.1",), ttl=left)  # fmt: skip


def surveyed(
    cache: Cache, plan: SamplingPlan, hosts: int = 1, types: tuple[RecordType, ...] = ("A",), resolvers: int = 1
) -> tuple[Surveyor, list[Sample]]:
    samples: list[Sample] = []
    names = [f"h{n}.example" for n in range(hosts)]
    made = Surveyor(
        names, types, [Resolver(f"192.0.2.{n + 1}") for n in range(resolvers)], plan, cache.ask, samples.append
    )
    run_virtually(made.run(asyncio.Event()))
    return made, samples


@pytest.mark.parametrize("ttl", [1, 5, 12, 60, 250])
def test_the_second_ask_comes_right_after_expiry_and_shows_the_zones_ttl(ttl: int) -> None:
    cache = Cache(ttl, others=ttl)
    _, samples = surveyed(cache, SamplingPlan(rounds=3, seed=1))
    assert samples[0].ttl is not None
    assert samples[0].ttl <= ttl
    cache.others = 0
    _, samples = surveyed(cache, SamplingPlan(rounds=3, seed=1))
    assert max(each.ttl or 0 for each in samples[1:]) == ttl


def test_asking_at_fixed_times_rarely_shows_the_zones_ttl() -> None:
    """The plain way: of 16 asks each 1.7 s, few show the 12 s that the zone says."""

    async def every(seconds: float) -> list[int]:
        cache = Cache(12)
        shown = []
        for _ in range(16):
            shown.append((await cache.ask("a.example", "A", HERE)).ttl or 0)
            await asyncio.sleep(seconds)
        return shown

    assert Counter(run_virtually(every(1.7)))[12] <= 4
    _, samples = surveyed(Cache(12), SamplingPlan(rounds=16, seed=1))
    assert Counter(each.ttl for each in samples)[12] == 16


def test_each_answer_is_a_fresh_one_where_the_ttl_allows() -> None:
    cache = Cache(60)
    _, samples = surveyed(cache, SamplingPlan(duration=3600, seed=1))
    assert {each.ttl for each in samples} == {60}
    assert len(samples) == 59


@pytest.mark.parametrize(("ttl", "least", "most"), [(0, 30, 33), (5, 30, 33), (60, 61, 62), (86_400, 300, 330)])
def test_gaps_keep_within_their_bounds(ttl: int, least: float, most: float) -> None:
    cache = Cache(ttl)
    surveyed(cache, SamplingPlan(rounds=10, seed=1))
    times = cache.times["h0.example"]
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert all(least <= gap <= most + 0.4 for gap in gaps[2:])
    assert all(gap >= 1 for gap in gaps)


@pytest.mark.parametrize("outcome", ["timeout", "servfail", "refused", "malformed", "unreachable"])
def test_a_failure_is_asked_again_after_the_time_that_resolvers_keep_failures(outcome: LookupOutcome) -> None:
    sample = Sample(host="a.example", at=EPOCH, resolver=str(HERE), type="A", outcome=outcome)
    for asked in (1, 5):
        assert 30 <= SamplingPlan().wait(sample, asked, random.Random(1)) <= 33


def test_a_negative_answer_is_asked_again_when_it_expires() -> None:
    sample = Sample(host="a.example", at=EPOCH, resolver=str(HERE), type="A", outcome="nxdomain", negative_ttl=40)
    assert SamplingPlan().wait(sample, 5, random.Random(1)) == pytest.approx(41.1)


def test_questions_that_wait_for_a_bound_do_not_come_all_at_once() -> None:
    cache = Cache(5)
    surveyed(cache, SamplingPlan(rounds=6, seed=1), hosts=200)
    last = sorted(times[-1] for times in cache.times.values())
    assert last[-1] - last[0] > 2


def test_every_question_is_asked_as_often_as_the_rounds_say() -> None:
    made, samples = surveyed(Cache(60), SamplingPlan(rounds=3), hosts=20, types=("A", "AAAA"), resolvers=2)
    assert set(Counter((each.host, each.type, each.resolver) for each in samples).values()) == {3}
    assert (made.lookups, made.planned, made.errors, made.names_done) == (240, 240, 0, 20)


def test_no_more_questions_are_open_than_allowed() -> None:
    cache = Cache(60, rtt=1.0)
    surveyed(cache, SamplingPlan(rounds=1, in_flight=7), hosts=50)
    assert cache.most == 7


def test_a_silent_resolver_does_not_hold_up_the_other() -> None:
    cache = Cache(60)
    slow = Cache(60, rtt=10.0)
    done: dict[str, float] = {}

    async def ask(host: str, kind: RecordType, resolver: Resolver) -> Sample:
        sample = await (slow if resolver.address.endswith(".2") else cache).ask(host, kind, resolver)
        done[resolver.address] = asyncio.get_running_loop().time()
        return sample

    made = Surveyor(
        [f"h{n}.example" for n in range(300)], ("A",), [Resolver("192.0.2.1"), Resolver("192.0.2.2")],
        SamplingPlan(rounds=1, in_flight=10), ask, lambda _sample: None,
    )  # fmt: skip
    run_virtually(made.run(asyncio.Event()))
    assert done["192.0.2.1"] < 1
    assert done["192.0.2.2"] == pytest.approx(300)


def test_the_time_is_kept() -> None:
    cache = Cache(60)
    ends: list[float] = []

    async def main() -> None:
        made = Surveyor(["a.example"], ("A",), [HERE], SamplingPlan(duration=600), cache.ask, lambda _sample: None)
        await made.run(asyncio.Event())
        ends.append(asyncio.get_running_loop().time())

    run_virtually(main())
    assert 540 < ends[0] <= 600.1
    assert len(cache.times["a.example"]) == 10


def test_a_stop_ends_it_at_once_and_what_was_measured_stays() -> None:
    cache = Cache(60)
    samples: list[Sample] = []

    async def main() -> float:
        stop = asyncio.Event()
        made = Surveyor(["a.example"], ("A",), [HERE], SamplingPlan(duration=86_400), cache.ask, samples.append)
        asyncio.get_running_loop().call_later(100, stop.set)
        await made.run(stop)
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(100)
    assert len(samples) == 2


def test_an_error_of_ours_is_not_swallowed() -> None:
    async def ask(host: str, kind: RecordType, resolver: Resolver) -> Sample:
        raise ZeroDivisionError(host, kind, resolver)

    made = Surveyor(["a.example"], ("A",), [HERE], SamplingPlan(rounds=1), ask, lambda _sample: None)
    with pytest.raises(ZeroDivisionError):
        run_virtually(made.run(asyncio.Event()))


class TestPacing:
    @pytest.mark.parametrize("rate", [10, 500, 1000])
    def test_no_second_has_more_packets_than_the_rate(self, rate: int) -> None:
        times: list[float] = []

        async def main() -> None:
            pacer = Pacer(rate)

            async def one(wait: float) -> None:
                await asyncio.sleep(wait)
                await pacer.turn()
                times.append(asyncio.get_running_loop().time())

            dice = random.Random(3)
            await asyncio.gather(*(one(dice.random() * 2) for _ in range(5 * rate)))

        run_virtually(main())
        times.sort()
        window = max(sum(start <= each < start + 1 for each in times) for start in times[:: max(1, rate // 10)])
        assert window <= rate * 1.05 + 1
        assert times[-1] >= 4.5

    def test_without_pacing_all_leave_at_once(self) -> None:
        """The plain way: 2,000 questions in the first moment, twice what a cloud's resolver takes in a second."""
        cache = Cache(60)
        surveyed(cache, SamplingPlan(rounds=1, in_flight=2000), hosts=2000)
        assert len({round(each[0], 3) for each in cache.times.values()}) == 1
        assert len(cache.times) > CLOUD_RESOLVER.max

    def test_tcp_counts_for_what_it_sends(self) -> None:
        async def main() -> float:
            pacer = Pacer(8)
            for _ in range(3):
                await pacer.turn(8)
            return asyncio.get_running_loop().time()

        assert run_virtually(main()) == pytest.approx(2, abs=0.1)

    def test_the_default_leaves_room_for_the_machines_own_questions(self) -> None:
        assert CLOUD_RESOLVER.max / 2 >= DEFAULT_RATE
