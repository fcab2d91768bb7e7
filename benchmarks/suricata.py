"""What a big list costs the engine: ratios taken in one run, because seconds depend on the machine.

`python benchmarks/suricata.py` needs Suricata (tests/dataplane/setup.sh). Each rule set is a whole one, as
`hostgate export suricata` writes it: the hosts, private traffic, datagrams and the default drop.
"""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "components")]

from conformance.catalogs import entry, many, selection  # noqa: E402 - a script beside the tests
from dataplane.aws import packets, replay  # noqa: E402
from dataplane.aws.packets import Packet, Talk  # noqa: E402
from hostgate.cli.tables import table  # noqa: E402
from hostgate.export.suricata import export_suricata  # noqa: E402
from hostgate.planning.options import PRIVATE_IPV4  # noqa: E402
from hostgate.planning.plan import Plan, plan  # noqa: E402

SIZES = (13, 1_000, 10_000)
RUNS = 5
NAMES, CLIENTS = 400, 100
"""The capture: TLS to so many names from so many clients. Half of the names are listed; they lie all over the list."""


def planned(hosts: int) -> Plan:
    return plan(selection(many(hosts)), "aws:rules")


def lines(made: Plan) -> set[str]:
    return {line for each in made.objects if each.text for line in each.text.splitlines()}


def captured(listed: int) -> list[Packet]:
    """The packets: one client's talks are made, the other clients' are those with another address in them."""
    hosts = [each.host for each in many(listed)]
    names = [hosts[at * listed // (NAMES // 2)] for at in range(NAMES // 2)]
    names += [f"other-{number:05}.vendor.example" for number in range(NAMES // 2)]
    once = packets.capture([Talk("tcp", packets.named(name), 443) for name in names])
    mine = ip_address(Talk("tcp", ()).source)
    return [
        packet._replace(data=packet.data.replace(mine.packed, (mine + number * 256).packed, 1))
        for number in range(CLIENTS)
        for packet in once
    ]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def replayed(rules: Sequence[str], folder: Path) -> float:
    """Seconds that the engine needs for the capture, by its own clock: from ready to done."""
    said = replay.run(
        rules, PRIVATE_IPV4, folder, "--simulate-ips", "-r", str(folder / "flows.pcap"), "--runmode", "single", "-k", "none",
        "--set", "outputs.0.eve-log.enabled=no", "--set", "logging.default-log-level=info",
    )  # fmt: skip
    found = re.search(r"time elapsed ([0-9.]+)s", said)
    if found is None:
        raise SystemExit(f"This Suricata does not say how long it took:\n{said}")
    return float(found[1])


def measured(size: int, folder: Path) -> Mapping[str, float]:
    """Seconds of one plan, of one reading of the rules and of one replay."""
    rules = export_suricata(planned(size)).rules.splitlines()
    return {
        "plan": seconds(lambda: planned(size)),
        "test": seconds(lambda: replay.run(rules, PRIVATE_IPV4, folder, "-T")),
        "replay": replayed(rules, folder),
    }


def main() -> None:
    """Measure and print."""
    if replay.version() is None:
        raise SystemExit("There is no Suricata here; sh tests/dataplane/setup.sh installs it on Debian.")
    hosts = many(SIZES[-1])
    one_more = plan(selection([*hosts, entry("one-more.vendor.example")]), "aws:rules")
    changed = lines(planned(len(hosts))) ^ lines(one_more)
    taken: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        count = 0
        for size in SIZES:
            Path(folder, str(size)).mkdir()
            sent = captured(size)
            count = len(sent)
            packets.write(sent, Path(folder, str(size), "flows.pcap"))
        for turn in range(RUNS + 1):
            for size in SIZES:  # they take turns, so that a slow minute hits all alike
                figures = measured(size, Path(folder, str(size)))
                for name, value in figures.items() if turn else ():  # the first turn warms the caches
                    taken.setdefault((name, size), []).append(value)
    found = {key: statistics.median(values) for key, values in taken.items()}
    rate = {size: count / found["replay", size] for size in SIZES}
    first = SIZES[0]
    rows = [
        (
            f"{size:,}",
            f"{1000 * found['plan', size]:.1f}",
            f"{found['test', size]:.2f}",
            f"{found['test', size] / found['test', first]:.1f}",
            f"{rate[size]:,.0f}",
            f"{rate[size] / rate[first]:.2f}",
        )
        for size in SIZES
    ]
    print(f"Suricata {replay.version()}; {count:,} packets of {NAMES * CLIENTS:,} connections, on one core")
    print(table(("hosts", "plan, ms", "suricata -T, s", "to the first", "packets a second", "to the first"), rows))
    print(f"one more of {len(hosts):,} hosts: {len(changed)} changed line in the rules")


if __name__ == "__main__":
    main()
