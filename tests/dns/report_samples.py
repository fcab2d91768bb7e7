"""A survey with every kind of host, for the report: still, in rotation, changing, dead, with ECH, hostile, disagreeing.

`python` this file to write the Markdown report of it that tests compare with.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from answers import START, answered, failed, run_of

from hostgate.dns.analysis import Analysis, analyse
from hostgate.dns.document import document
from hostgate.dns.report.content import SurveyReport, report
from hostgate.dns.report.markdown_report import markdown
from hostgate.dns.samples import HttpsRecord, Probe, Run, Sample

GOLDEN = Path(__file__).with_name("report.md")
RESOLVERS = ("10.0.0.2:53", "192.0.2.53:53")
HOSTILE = r"\027[31m<script>alert\(1\)</script>|`[x](javascript:alert\(1\)).example"
HOSTS = (
    "changing.example",
    "dead.example",
    "ech.example",
    "places.example",
    "shared.example",
    "still.example",
    "strange.example",
    "turning.example",
)
TTL = 60


def samples(hours: float = 12) -> Iterator[Run | Sample]:
    """The survey, in order of time: each name once a TTL at two resolvers."""
    yield run_of(
        *HOSTS,
        resolvers=RESOLVERS,
        types=("A", "AAAA", "HTTPS"),
        plan={"duration": int(hours * 3600), "rate": 500},
        probes=tuple(Probe(resolver=each, state="ok", rtt=0.01) for each in RESOLVERS),
        not_surveyed=(("subtree of storage.example (buckets)", "a wildcard is no name that can be asked"),),
    )
    dice = Random("report")
    at = 0.0
    while at < hours * 3600:
        for number, resolver in enumerate(RESOLVERS):
            now = at + 20 * number
            place = {"resolver": resolver, "ttl": TTL}
            yield answered(now, host="still.example", addresses=["192.0.2.10", "192.0.2.11"], **place)
            yield answered(now, host="still.example", addresses=["2001:db8::10"], type="AAAA", **place)
            yield answered(now, host="turning.example", addresses=_some(dice, range(48), 4), chain=_CHAIN, **place)
            yield answered(
                now, host="turning.example", addresses=[f"2001:db8:1::{dice.randrange(1, 10)}"], type="AAAA", **place
            )
            first = int(now / 1800)
            yield answered(
                now, host="changing.example", addresses=_some(dice, range(first, first + 12), 3, 30), **place
            )
            yield failed(now, "nxdomain", host="dead.example", resolver=resolver, negative_ttl=30)
            yield answered(now, host="ech.example", addresses=["203.0.113.5"], **(place | {"ttl": 300}))
            yield answered(
                now, host="places.example", addresses=_some(dice, range(8 * number, 8 * number + 12), 2, 60), **place
            )
            yield answered(now, host="shared.example", addresses=["203.0.113.5"], **place)
            if 4 < now / 3600 < 5:
                yield failed(now, "timeout", host="strange.example", resolver=resolver)
            else:
                yield answered(
                    now,
                    host="strange.example",
                    addresses=["192.0.2.66"],
                    chain=[("strange.example", HOSTILE, 20)],
                    **place,
                )
        yield Sample(
            host="ech.example",
            at=START + at + 25,
            resolver=RESOLVERS[0],
            type="HTTPS",
            outcome="answer",
            ttl=300,
            https=(_HTTPS,),
        )
        at += TTL + 1.1


_CHAIN = [("turning.example", "edge.turning.example", 300), ("edge.turning.example", "pop.cdn.example", 20)]
_HTTPS = HttpsRecord(priority=1, target=".", alpn=("h2", "h3"), ipv4hint=("203.0.113.5", "203.0.113.77"), ech=True)


def _some(dice: Random, pool: range, count: int, block: int = 0) -> list[str]:
    return [f"198.51.{100 + block}.{each}" for each in sorted(dice.sample(pool, count))]


def studied() -> tuple[Analysis, SurveyReport]:
    """The analysis, and the report of it with details of every host."""
    analysis = analyse(samples())
    return analysis, report(document(analysis), analysis)


if __name__ == "__main__":
    GOLDEN.write_text(markdown(studied()[1]), "utf-8")
    sys.stdout.write(f"{GOLDEN}\n")
