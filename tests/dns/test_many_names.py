"""Ten thousand names of every kind: none lost, each with its true cause, and memory that does not grow with the run."""

import asyncio
import resource
from collections import Counter
from pathlib import Path

from lookups import resolver_of
from zone_server import Fault, Zone, ZoneServer

from hostgate.dns.ask import Asker, Patience
from hostgate.dns.samples import LookupOutcome, Sample
from hostgate.dns.sampling import SamplingPlan, Surveyor

KINDS: dict[Fault | None, LookupOutcome] = {
    None: "answer",
    "servfail": "servfail",
    "refused": "refused",
    "dead-alias": "dead-alias",
    "loop": "loop",
    "two-aliases": "two-aliases",
    "partial": "answer",
    "noise-first": "answer",
    "truncate": "answer",
}


def resident() -> float:
    """MiB of this process, the server included."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def hosts(number: int) -> dict[str, Zone]:
    made = {}
    faults = [fault for fault in KINDS if fault is not None]
    for n in range(number):
        fault = faults[n // 10 % len(faults)] if n % 10 == 0 else None
        chain = ((f"edge{n}.example", 20),) if n % 2 or fault in ("dead-alias", "partial") else ()
        made[f"h{n}.example"] = Zone(
            (f"10.{n >> 8 & 255}.{n & 255}.1", f"2001:db8::{n:x}"), chain=chain, fault=fault
        )  # fmt: skip
    return made


def test_ten_thousand_names_and_two_types() -> None:
    zones = hosts(10_000)
    with ZoneServer(zones) as server:
        found: Counter[tuple[str, str, LookupOutcome]] = Counter()
        wrong: list[Sample] = []
        peaks: list[float] = []

        def take(sample: Sample) -> None:
            zone = zones[sample.host]
            found[sample.host, sample.type, sample.outcome] += 1
            wanted = tuple(each for each in zone.pool if (":" in each) == (sample.type == "AAAA"))
            right = sample.outcome == KINDS[zone.fault] and (sample.outcome != "answer" or sample.addresses == wanted)
            if not right:
                wrong.append(sample)
            if len(found) in (2_000, 20_000):
                peaks.append(resident())

        asker = Asker(100_000, Patience((2, 4), 4))
        survey = Surveyor(
            list(zones), ("A", "AAAA"), [resolver_of(server)], SamplingPlan(rounds=1, rate=100_000), asker.lookup, take
        )
        asyncio.run(survey.run(asyncio.Event()))
        most = server.most_in_flight
    assert not wrong
    assert len(found) == sum(found.values()) == 20_000
    assert (survey.lookups, survey.names_done) == (20_000, 10_000)
    assert most <= 100
    assert peaks[1] - peaks[0] < 16  # of which this test's own counts are most
