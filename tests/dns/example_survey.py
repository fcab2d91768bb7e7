"""The survey file in examples/: six hours of two made-up hosts, measured in virtual time; `python` this file to remake it.

`steady.example` has the same two addresses in each answer; `turning.example` gives four of sixteen, others each minute.
"""

import asyncio
import random
import sys
from pathlib import Path

from virtual_time import EPOCH, run_virtually, unix_now

from hostgate.dns.resolvers import Resolver
from hostgate.dns.samples import Link, Probe, RecordType, Run, Sample
from hostgate.dns.sampling import SamplingPlan, Surveyor
from hostgate.dns.survey_files import as_line

PATH = Path(__file__).resolve().parents[2] / "examples" / "survey.jsonl"
HERE = Resolver("192.0.2.53")
TTL = 60
POOL = tuple(f"198.51.100.{n}" for n in range(16))
HOSTS = ("steady.example", "turning.example")


async def ask(host: str, kind: RecordType, resolver: Resolver) -> Sample:
    """What a resolver with a cache of its own answers at this moment."""
    await asyncio.sleep(0.02)
    at = unix_now()
    chain: tuple[Link, ...] = ()
    addresses: tuple[str, ...] = ("192.0.2.10", "192.0.2.11")
    if host == "turning.example":
        dice = random.Random(f"{host} {at // TTL}")
        addresses = tuple(sorted(dice.sample(POOL, 4), key=POOL.index))
        chain = (Link(host, "edge.turning.example", 300),)
    return Sample(host=host, at=at, resolver=str(resolver), type=kind, outcome="answer", chain=chain,
                  addresses=addresses, ttl=TTL)  # fmt: skip


def text() -> str:
    """The whole file."""
    plan = SamplingPlan(duration=6 * 3600, seed=1)
    lines = [
        as_line(
            Run(
                vantage="example", started=EPOCH, tool="made in virtual time", resolvers=(str(HERE),), types=("A",),
                hosts=HOSTS, edns=1232, plan=plan.figures(), probes=(Probe(resolver=str(HERE), state="ok", rtt=0.02),),
            )
        )
    ]  # fmt: skip
    survey = Surveyor(HOSTS, ("A",), [HERE], plan, ask, lambda sample: lines.append(as_line(sample)))
    run_virtually(survey.run(asyncio.Event()))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
    sys.stdout.write(f"{PATH}\n")
