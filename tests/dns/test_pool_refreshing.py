"""A refresher that watches, for days, on a clock that the test makes: when it asks and writes, and what it never loses."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import EPOCH, run_virtually

from hostgate.catalog.problems import InputError, Problem
from hostgate.dns import refreshing
from hostgate.dns.ask import Asker
from hostgate.dns.refreshing import Refresher, RefreshOrder, RefreshReport, nat64_prefixes
from hostgate.dns.resolvers import Resolver
from hostgate.dns.samples import HttpsRecord, LookupOutcome, RecordType, Sample
from hostgate.planning.pool_form import read_pool

DAY = 86_400
HERE = Resolver("192.0.2.53")
ROTATING = tuple(f"203.0.113.{n}" for n in range(1, 17))


@dataclass
class World:
    """A zone of hosts, four of 16 addresses in an answer with a TTL of a minute, and what becomes of it at which time."""

    answers: Callable[[str, float], tuple[LookupOutcome, tuple[str, ...]]] = lambda _host, at: ("answer", rotation(at))
    ttl: int = 60
    captive: Callable[[float], bool] = lambda _at: False
    https: tuple[HttpsRecord, ...] = ()
    asked: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[str, float] = field(default_factory=dict)

    async def lookup(self, host: str, kind: RecordType, resolver: Resolver) -> Sample:
        await asyncio.sleep(0.01)
        at = asyncio.get_running_loop().time()
        self.asked[host, kind].append(at)
        outcome: LookupOutcome = "nxdomain"
        addresses: tuple[str, ...] = ()
        if self.captive(at):
            outcome, addresses = "answer", ("198.51.100.66",)
        elif host.endswith(".example") and kind == "A":
            outcome, addresses = self.answers(host, at)
            self.seen.update(dict.fromkeys(addresses, at))
        elif host.endswith(".example"):
            outcome = "answer" if kind == "HTTPS" and self.https else "no-data"
        return Sample(
            host=host, at=EPOCH + at, resolver=str(resolver), type=kind, outcome=outcome,
            addresses=addresses if kind != "HTTPS" else (), https=self.https if kind == "HTTPS" and outcome == "answer" else (),
            ttl=self.ttl if outcome == "answer" else None, negative_ttl=None if outcome == "answer" else 60,
        )  # fmt: skip


def rotation(at: float) -> tuple[str, ...]:
    return tuple(random.Random(int(at // 60)).sample(ROTATING, 4))


@dataclass
class Memory:
    """A place that only a test has. `broken`: at which number of writes it cannot be written."""

    data: bytes | None = None
    writes: int = 0
    broken: Callable[[int], bool] = lambda _n: False
    shown: str = "memory"

    def read(self) -> tuple[bytes, str] | None:
        return None if self.data is None else (self.data, "")

    def write(self, data: bytes, read: str | None) -> bool:
        assert (read is None) == (self.data is None)
        self.writes += 1
        if self.broken(self.writes):
            raise InputError([Problem(rule="pool-unwritable", message="the disk is full")])
        self.data = data
        return True

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def holds(self, host: str = "a.example") -> set[str]:
        assert self.data is not None
        return {each.address for each in read_pool(self.data, "memory").hosts[host].addresses}


async def directly(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def watched(
    world: World, place: Memory, seconds: float, *, hosts: int = 1, jump: Callable[[float], float] = lambda _at: 0.0,
    look: Callable[[RefreshReport, float], None] = lambda *_: None,
) -> tuple[list[RefreshReport], list[InputError]]:  # fmt: skip
    """What a refresher that watches for so long reports and fails with. `jump`: how wrong the clock on the wall is."""
    reports: list[RefreshReport] = []
    errors: list[InputError] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        loop.call_later(seconds, stop.set)

        def tell(report: RefreshReport) -> None:
            reports.append(report)
            look(report, loop.time())

        names = {f"{letter}.example": DAY for letter in "abcdefghij"[:hosts]}
        order = RefreshOrder(vantage="here", hosts=names, resolvers=[HERE])
        asker: Asker = world  # type: ignore[assignment]
        made = Refresher(order, place, asker, wall=lambda: EPOCH + loop.time() + jump(loop.time()), aside=directly)
        await made.watch(stop, tell, errors.append)

    run_virtually(main())
    return reports, errors


def test_a_question_is_asked_once_per_ttl_and_never_below_the_floor() -> None:
    for ttl, low, high in ((1, 30, 33.1), (60, 61, 62), (3600, 300, 330.1)):
        world = World(ttl=ttl)
        watched(world, Memory(), 3600)
        times = world.asked["a.example", "A"]
        gaps = [after - before for before, after in pairwise(times)]
        assert all(low <= gap <= high for gap in gaps), (ttl, gaps)


def test_a_new_address_is_in_the_pool_seconds_after_its_answer() -> None:
    place, world = Memory(), World(answers=lambda _host, at: ("answer", ("192.0.2.1",) if at < 600 else ("192.0.2.2",)))
    added: dict[str, float] = {}
    watched(world, place, 900, look=lambda report, at: added.update({a: at for _, a in report.update.added}))
    assert added["192.0.2.1"] <= 11
    assert added["192.0.2.2"] <= 600 + 61 + 11


def test_a_rotating_pool_is_held_whole_and_written_rarely() -> None:
    place = Memory()
    watched(World(), place, 2 * DAY)
    assert place.holds() == set(ROTATING)
    assert place.writes < 16 * 2 * 48 + 20


def test_addresses_that_are_gone_leave_after_the_window_and_not_before() -> None:
    place = Memory()
    world = World(answers=lambda _host, at: ("answer", rotation(at) if at < DAY else ("192.0.2.1",)))
    gone: dict[str, float] = {}
    watched(world, place, 2.5 * DAY, look=lambda report, at: gone.update({a: at for _, a in report.update.removed}))
    assert place.holds() == {"192.0.2.1"} | set(ROTATING)  # more than a fifth at once: held back
    assert not gone
    world = World(answers=lambda _host, at: ("answer", rotation(at)[:3] if at < DAY else (*ROTATING[:13], "192.0.2.1")))
    place = Memory()
    watched(world, place, 2.5 * DAY, look=lambda report, at: gone.update({a: at for _, a in report.update.removed}))
    assert place.holds() == {*ROTATING[:13], "192.0.2.1"}
    assert all(at - world.seen[each] > DAY for each, at in gone.items())
    assert len(set(gone.values())) == 1


LATER = 3 * 3600


@pytest.mark.parametrize(
    "outcome", ["servfail", "timeout", "nxdomain", "no-data", "refused", "malformed", "dead-alias"]
)
def test_nothing_leaves_while_there_are_no_answers_and_after(outcome: LookupOutcome) -> None:
    def answers(_host: str, at: float) -> tuple[LookupOutcome, tuple[str, ...]]:
        return ("answer", ROTATING[:4]) if at < 3600 else (outcome, ()) if at < 3 * DAY else ("answer", ROTATING[:1])

    place = Memory()
    unanswered: set[str] = set()
    watched(
        World(answers=answers), place, 3 * DAY + LATER, look=lambda report, _at: unanswered.update(report.unanswered)
    )
    assert place.holds() == set(ROTATING[:4])
    assert unanswered == {"a.example"}


def test_a_resolver_that_lies_about_every_name_for_an_hour_brings_nothing_in_and_takes_nothing_out() -> None:
    place = Memory()
    watched(World(captive=lambda at: 2 * 3600 <= at < 3 * 3600), place, 2 * DAY)
    assert place.holds() == set(ROTATING)
    unusable: set[str] = set()
    watched(
        World(captive=lambda at: 2 * 3600 <= at < 3 * 3600), Memory(), 4 * 3600,
        look=lambda report, _at: unusable.update(report.unusable),
    )  # fmt: skip
    assert unusable == {str(HERE)}


def test_a_resolver_that_lies_about_the_host_for_an_hour_takes_nothing_out() -> None:
    def answers(_host: str, at: float) -> tuple[LookupOutcome, tuple[str, ...]]:
        return ("answer", ("10.0.0.1", "0.0.0.0") if 7200 <= at < 10_800 else rotation(at))

    place = Memory()
    refused: set[tuple[str, str]] = set()
    watched(World(answers=answers), place, 2 * DAY, look=lambda report, _at: refused.update(report.refused))
    assert place.holds() == set(ROTATING)
    assert refused == {("a.example", "10.0.0.1"), ("a.example", "0.0.0.0")}


def test_what_cannot_be_written_is_kept_and_written_when_it_can_be() -> None:
    place = Memory(broken=lambda n: 5 <= n < 200)
    _, errors = watched(World(), place, 6 * 3600)
    assert len(errors) > 100
    assert place.holds() == set(ROTATING)


def test_what_cannot_be_written_at_the_end_is_lost_and_said() -> None:
    with pytest.raises(InputError) as lost:
        watched(World(), Memory(broken=lambda n: n >= 5), 6 * 3600)
    assert [each.rule for each in lost.value.problems] == ["pool-unwritable", "pool-lost"]
    assert "is lost, 16 addresses of 1 hosts." in str(lost.value)


@pytest.mark.parametrize("after", [3600, DAY / 2])
def test_a_pool_that_goes_is_made_again_with_all_that_was_seen_within_the_window(after: float) -> None:
    old = ("192.0.2.1",)
    world = World(answers=lambda _host, at: ("answer", (*rotation(at), *old) if at < 1800 else rotation(at)))
    place = Memory()
    gone: list[float] = []
    restored: list[float] = []

    def look(report: RefreshReport, at: float) -> None:
        if report.restored:
            restored.append(at)
        if at > after and not gone:
            gone.append(at)
            place.data = None

    watched(world, place, DAY, look=look)
    assert place.holds() == {*ROTATING, *old}
    assert len(restored) == 1
    assert 0 < restored[0] - gone[0] <= 72


@pytest.mark.parametrize("by", [400 * DAY, -400 * DAY, 5 * 3600, -5 * 3600, 120])
def test_a_clock_that_jumps_takes_nothing_that_was_seen_within_the_window(by: int) -> None:
    """The pool is 20 addresses, of which 4 are not seen for the second half of a window."""
    old = tuple(f"192.0.2.{n}" for n in range(4))
    place = Memory()
    world = World(answers=lambda _host, at: ("answer", (*rotation(at), *old) if at < 3600 else rotation(at)))
    watched(world, place, DAY, jump=lambda at: by if at > DAY / 2 else 0)
    assert place.holds() == {*ROTATING, *old}


def test_many_jumps_take_nothing_either() -> None:
    old = ("192.0.2.1",)
    place = Memory()
    world = World(answers=lambda _host, at: ("answer", (*ROTATING[:4], *old) if at < 3600 else ROTATING[:4]))
    watched(world, place, DAY, jump=lambda at: 3 * 3600 * (at // 3600))
    assert place.holds() == {*ROTATING[:4], *old}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["turn", "silence", "lie", "steady"]), min_size=2, max_size=8), st.integers(0, 99))
def test_no_address_is_lost_that_was_seen_within_the_window(hours: list[str], seed: int) -> None:
    """Six hours of each, in any order."""

    def answers(_host: str, at: float) -> tuple[LookupOutcome, tuple[str, ...]]:
        kind = hours[min(int(at // 21_600), len(hours) - 1)]
        if kind == "silence":
            return "servfail", ()
        if kind == "lie":
            return "answer", ("127.0.0.1",)
        dice = random.Random(f"{seed} {at // 60 if kind == 'turn' else kind}")
        return "answer", tuple(dice.sample(ROTATING, 4))

    world, place = World(answers=answers), Memory()

    def look(_report: RefreshReport, at: float) -> None:
        alive = {each for each, seen in world.seen.items() if at - seen <= DAY and seen <= at - 11}
        assert place.holds() >= alive - {"127.0.0.1"}

    watched(world, place, 21_600 * len(hours), look=look)


def test_hints_of_the_host_itself_count_and_those_for_other_names_do_not() -> None:
    ours = HttpsRecord(priority=1, target=".", ipv4hint=("192.0.2.7",), ipv6hint=("2001:db8::7",))
    other = HttpsRecord(priority=1, target="edge.example", ipv4hint=("192.0.2.8",))
    place = Memory()
    watched(World(https=(ours, other)), place, 3600)
    assert place.holds() - set(ROTATING) == {"192.0.2.7", "2001:db8::7"}


@pytest.mark.parametrize(
    ("answer", "prefix"),
    [  # RFC 6052 2.4, with 192.0.0.170
        ("2001:db8:c000:aa::", "2001:db8::/32"), ("2001:db8:1c0:0:aa::", "2001:db8:100::/40"),
        ("2001:db8:122:c000:0:aa00::", "2001:db8:122::/48"), ("2001:db8:122:3c0:0:aa::", "2001:db8:122:300::/56"),
        ("2001:db8:122:344:c0:0:aa00:0", "2001:db8:122:344::/64"), ("2001:db8:122:344::c000:ab", "2001:db8:122:344::/96"),
    ],
)  # fmt: skip
def test_the_prefix_that_a_resolver_makes_up_addresses_with_is_found(answer: str, prefix: str) -> None:
    from ipaddress import IPv6Address

    assert list(map(str, nat64_prefixes(IPv6Address(answer)))) == [prefix]
    assert nat64_prefixes(IPv6Address("2001:db8::1")) == ()


def test_the_times_fit_each_other() -> None:
    assert refreshing.WRITTEN_EVERY < refreshing.FLOOR < refreshing.SLOWEST
    assert refreshing.JUDGED_EVERY >= 2 * refreshing.SLOWEST
