"""What it costs a box to take over an exported table: nftables, 10,000 elements in one transaction, in a namespace of its own.

`python benchmarks/swap.py` needs root and nft (tests/dataplane/export/setup.sh). The table that stands has as many elements, of
which a tenth is others than those of the new one. Sizes take turns in one run; ratios matter, seconds depend on the machine.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "components")]

from conformance.catalogs import many, selection  # noqa: E402 - a script beside the tests
from dataplane.export.namespaces import lacking  # noqa: E402
from hostgate.cli.tables import table  # noqa: E402
from hostgate.planning.plan import plan  # noqa: E402

ELEMENTS, RUNS = (1_000, 10_000), 7
MOST_SECONDS, MOST_RATIO = 1.0, 12.0
EACH = 8
"""Addresses of a host in each family."""


def exported(elements: int, *, changed: bool) -> str:
    """The table of as many hosts as have `elements` addresses; `changed`: one host in ten has others."""
    hosts = [each.host for each in many(elements // (2 * EACH))]
    addresses = {}
    for number, host in enumerate(hosts):
        block = 128 if changed and number % 10 == 0 else 0
        four = [f"11.{number >> 8}.{number & 255}.{block + at + 1}" for at in range(EACH)]
        addresses[host] = [*four, *(f"2001:db8:{number + 1:x}::{block + at + 1:x}" for at in range(EACH))]
    made = plan(selection(many(len(hosts))), "export:nftables", addresses=addresses)
    if made.refused:
        raise SystemExit("The export refuses the table; bring the benchmark up to date.")
    return made.objects[0].text or ""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def elements() -> int:
    """How many the table has that stands."""
    listed = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, check=True).stdout
    sets = [each["set"] for each in json.loads(listed)["nftables"] if "set" in each]
    return sum(len(each.get("elem", ())) for each in sets)


def child() -> None:
    """In the namespace: each size loaded, then replaced turn by turn."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(RUNS + 1):
            for size in ELEMENTS:
                paths = {changed: Path(folder, f"{size}-{changed}.nft") for changed in (False, True)}
                for changed, path in paths.items():
                    if turn == 0:
                        path.write_text(exported(size, changed=changed))
                subprocess.run(["nft", "flush", "ruleset"], check=True)
                for what, path in (("first", paths[False]), ("swap", paths[True])):
                    spent = seconds(lambda path=path: subprocess.run(["nft", "-f", str(path)], check=True))
                    if turn:  # the first turn warms the caches
                        taken.setdefault(f"{what} {size}", []).append(spent)
                held, wanted = elements(), size // (2 * EACH) * 2 * EACH
                if held != wanted:
                    raise SystemExit(f"The table has {held} elements instead of {wanted}.")
    print(json.dumps({name: [statistics.median(each), max(each)] for name, each in taken.items()}))


def main() -> int:
    if reason := lacking():
        raise SystemExit(reason)
    command = ["unshare", "-n", sys.executable, __file__, "child"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    small, large = ELEMENTS
    print(table(("nft -f, one transaction", "median s", "most s"),
                [(name, f"{middle:.3f}", f"{most:.3f}") for name, (middle, most) in found.items()]))  # fmt: skip
    swap, ratio = found[f"swap {large}"][0], found[f"swap {large}"][0] / found[f"swap {small}"][0]
    figures = [
        (f"swap of {large:,} elements, s", swap, MOST_SECONDS),
        (f"{large:,} to {small:,} elements", ratio, MOST_RATIO),
    ]
    print(
        table(
            ("figure", "measured", "wanted, at most"),
            [(name, f"{value:.2f}", f"{most:g}") for name, value, most in figures],
        )
    )
    return int(any(value > most for _, value, most in figures))


if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        child()
    else:
        sys.exit(main())
