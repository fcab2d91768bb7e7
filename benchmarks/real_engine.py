"""What hostgate adds to `pulumi preview` on the real engine, as ratios taken in one run; needs the pulumi CLI on PATH.

Each project is prepared once; the timed call is `pulumi preview` alone, the projects taking turns.
"""

import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from run import ROOT, catalog

from hostgate.cli.tables import table
from hostgate.sandbox.engine import engine, pulumi_cli

RUNS = 5

_AWS_ONLY = """config:
  aws:region: eu-central-1
  hostgate:catalogs: [{catalog}]
  hostgate:aws: {{from: [10.0.0.0/8]}}
"""


def project(folder: Path, program: Path, config: str) -> Path:
    """A project in `folder` with `program` as its __main__.py, run by the interpreter of this process."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(
        f"name: hostgate\nruntime: {{name: python, options: {{virtualenv: {sys.prefix}}}}}\n"
    )
    (folder / "Pulumi.dev.yaml").write_text(config)
    shutil.copy(program, folder / "__main__.py")
    return folder


def main() -> None:
    """Measure and print."""
    if pulumi_cli() is None:
        raise SystemExit("The pulumi CLI with its Python host is not on PATH.")
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program, dev = ROOT / "__main__.py", (ROOT / "Pulumi.dev.yaml").read_text()
        large = catalog(root / "large.yaml", 10_000)
        projects = {
            "hand-written, three clouds": project(
                root / "hand", ROOT / "benchmarks" / "handwritten" / "__main__.py", dev
            ),
            "dev stack, three clouds": project(root / "dev", program, dev),
            "13 hosts on AWS": project(
                root / "small", program, _AWS_ONLY.format(catalog="chainguard/images@2024-03-28")
            ),
            "10,000 hosts on AWS": project(root / "large", program, _AWS_ONLY.format(catalog=large)),
        }
        engines = {name: stack.enter_context(engine(path, "dev")) for name, path in projects.items()}
        taken: dict[str, list[float]] = {name: [] for name in engines}
        for turn in range(RUNS + 1):
            for name, ready in engines.items():
                start = time.perf_counter()
                done = ready.run("preview", capture=True)
                if done.returncode != 0:
                    raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
                if turn:  # the first turn warms the caches
                    taken[name].append(time.perf_counter() - start)
    found = {name: statistics.median(seconds) for name, seconds in taken.items()}
    print(table(("pulumi preview", "s"), [(name, f"{seconds:.2f}") for name, seconds in found.items()]))
    ratio = found["dev stack, three clouds"] / found["hand-written, three clouds"]
    more = found["10,000 hosts on AWS"] - found["13 hosts on AWS"]
    rows = [("dev stack to hand-written", f"{ratio:.2f}", "1.1"), ("10,000 hosts over 13, s", f"{more:.2f}", "1")]
    print(table(("figure", "measured", "wanted, at most"), rows))


if __name__ == "__main__":
    main()
