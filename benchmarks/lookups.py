"""CPU time of one DNS lookup, ours beside dnspython's own resolvers and aiodns, in one run against one real server.

Needs knot (tests/dns/setup.sh) and aiodns (tests/requirements.txt). Every client is a process of its own, and all take
turns; ratios matter, microseconds depend on the machine. Every client has to find every address.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from run import ROOT

sys.path.insert(0, str(ROOT / "tests" / "dns"))

NAMES = 10_000
TYPES = ("A", "AAAA")
BOUND = 100
ROUNDS = 3
Wanted = list[tuple[str, str]]


def zone() -> str:
    """The names: of ten, four have addresses, four one alias before them, two have two. Four addresses each family."""
    lines = ["$ORIGIN bench.test.", "$TTL 60", "@ SOA ns hostmaster 1 3600 600 86400 4", "@ NS ns", "ns A 127.0.0.1"]
    for n in range(NAMES):
        owner = f"h{n}"
        for alias in range((0, 0, 0, 0, 1, 1, 1, 1, 2, 2)[n % 10]):
            lines.append(f"{owner} CNAME alias{alias}-{n}")
            owner = f"alias{alias}-{n}"
        lines += [f"{owner} A 10.{n >> 8}.{n & 255}.{last}" for last in range(4)]
        lines += [f"{owner} AAAA 2001:db8:{n:x}::{last}" for last in range(4)]
    return "\n".join(lines) + "\n"


async def workers(wanted: Wanted, one: Callable[[str, str], Awaitable[int]]) -> int:
    """`one` for every question, at most BOUND at a time; the addresses found."""
    questions = iter(wanted)

    async def worker() -> int:
        return sum([await one(host, kind) for host, kind in questions])

    return sum(await asyncio.gather(*(worker() for _ in range(BOUND))))


def hostgate(port: int, wanted: Wanted) -> int:
    """The survey as the command line runs it, unpaced."""
    from hostgate.dns.ask import Asker
    from hostgate.dns.resolvers import Resolver
    from hostgate.dns.sampling import SamplingPlan, Surveyor

    found = 0

    def take(sample) -> None:
        nonlocal found
        found += len(sample.addresses)

    hosts = list(dict.fromkeys(host for host, _ in wanted))
    rate = 1_000_000
    survey = Surveyor(
        hosts, TYPES, [Resolver("127.0.0.1", port)], SamplingPlan(rounds=1, rate=rate), Asker(rate).lookup, take
    )
    asyncio.run(survey.run(asyncio.Event()))
    return found


def dnspython(port: int, wanted: Wanted) -> int:
    """dnspython's resolver in a plain loop."""
    import dns.resolver

    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], port
    made.use_edns(0, 0, 1232)
    return sum(len(made.resolve(host + ".", kind).rrset or ()) for host, kind in wanted)


def dnspython_async(port: int, wanted: Wanted) -> int:
    """dnspython's asynchronous resolver, bounded."""
    import dns.asyncresolver

    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], port
    made.use_edns(0, 0, 1232)

    async def one(host: str, kind: str) -> int:
        return len((await made.resolve(host + ".", kind)).rrset or ())

    return asyncio.run(workers(wanted, one))


def aiodns(port: int, wanted: Wanted) -> int:
    """aiodns (c-ares), bounded."""
    import aiodns as library

    async def main() -> int:
        made = library.DNSResolver(nameservers=[f"127.0.0.1:{port}"], timeout=2, tries=3)

        async def one(host: str, kind: str) -> int:
            answer = (await made.query_dns(host, kind)).answer
            return sum(record.type == {"A": 1, "AAAA": 28}[kind] for record in answer)

        return await workers(wanted, one)

    return asyncio.run(main())


CLIENTS = {each.__name__: each for each in (hostgate, dnspython, dnspython_async, aiodns)}


def child(name: str, port: int) -> None:
    """One client, measured from inside: CPU and wall seconds, peak MiB and the addresses that it found."""
    wanted = [(f"h{n}.bench.test", kind) for n in range(NAMES) for kind in TYPES]
    before, start = time.process_time(), time.perf_counter()
    found = CLIENTS[name](port, wanted)
    taken = {
        "cpu": time.process_time() - before,
        "wall": time.perf_counter() - start,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "found": found,
    }
    print(json.dumps(taken))


def paced(port: int) -> None:
    """1,000 hosts x 3 types at 1,000 packets a second, on one core."""
    from hostgate.dns.ask import Asker
    from hostgate.dns.resolvers import Resolver
    from hostgate.dns.sampling import SamplingPlan, Surveyor

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    errors: list[str] = []
    survey = Surveyor(
        [f"h{n}.bench.test" for n in range(1000)],
        ("A", "AAAA", "HTTPS"),
        [Resolver("127.0.0.1", port)],
        SamplingPlan(rounds=1, rate=1000),
        Asker(1000).lookup,
        lambda sample: errors.append(sample.outcome) if sample.outcome not in ("answer", "no-data") else None,
    )
    before, start = time.process_time(), time.perf_counter()
    asyncio.run(survey.run(asyncio.Event()))
    wall = time.perf_counter() - start
    figures = {"cpu": time.process_time() - before, "wall": wall, "lookups": survey.lookups, "errors": errors}
    print(json.dumps(figures))


def run(*arguments: str) -> dict[str, float]:
    """What a child process measured."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measure and print."""
    from real_servers import authority, missing

    from hostgate.cli.tables import table

    if lacking := missing():
        raise SystemExit(f"{', '.join(lacking)} is not installed. sh tests/dns/setup.sh installs it on Debian.")
    with tempfile.TemporaryDirectory() as folder, authority(Path(folder), zone(), domain="bench.test") as port:
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
        for _ in range(ROUNDS):
            for name in CLIENTS:
                taken[name].append(run(name, str(port)))
        steady = run("paced", str(port))
    lookups = NAMES * len(TYPES)
    if wrong := {name for name, turns in taken.items() for turn in turns if turn["found"] != 4 * lookups}:
        raise SystemExit(f"Not every address was found by {', '.join(sorted(wrong))}.")
    middle = {
        name: {key: statistics.median(turn[key] for turn in turns) for key in ("cpu", "wall", "mib")}
        for name, turns in taken.items()
    }
    rows = [
        (
            name,
            f"{1e6 * each['cpu'] / lookups:.0f}",
            f"{each['cpu'] / middle['hostgate']['cpu']:.2f}",
            f"{lookups / each['wall']:,.0f}",
            f"{each['mib']:.0f}",
        )
        for name, each in middle.items()
    ]
    print(table(("client", "CPU us a lookup", "to ours", "lookups a second", "peak MiB"), rows))
    print(
        f"1,000 hosts x 3 types at 1,000 packets/s on one core: {steady['lookups']:,} lookups in {steady['wall']:.2f} s, "
        f"{100 * steady['cpu'] / steady['wall']:.0f} % of the core, {len(steady['errors'])} errors"
    )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "paced":
        paced(int(sys.argv[2]))
    else:
        child(sys.argv[1], int(sys.argv[2]))
