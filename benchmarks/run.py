"""What hostgate costs, as ratios taken in one run: absolute seconds depend on the machine, ratios hardly do.

`make bench` prints a table; every figure is the median over interleaved runs of whole processes (start-up included).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOSTGATE = str(Path(sys.executable).with_name("hostgate"))
RUNS = 5
BEYOND = 3
"""Exit code of `hostgate reach` where something is beyond the catalogs."""

PREVIEW = """
import json, re, sys
from pathlib import Path
from hostgate.sandbox.builtin_preview import preview
from hostgate.stack import config_of_file
root = Path(sys.argv[2])
made = preview(Path(sys.argv[1]), "dev", config_of_file(root, "dev"))
made_up = re.compile('-[0-9a-f]{7}"')  # the end of a generated name, which depends on the parent
shown = lambda inputs: made_up.sub('"', json.dumps(inputs, sort_keys=True, default=repr))
told = [
    [r.type, r.name, shown(r.inputs), sorted(urn.rpartition("::")[2] for urn in r.dependencies)]
    for r in made.resources
    if r.custom
]
print(json.dumps(sorted(told)))
"""


def catalog(path: Path, hosts: int, *, first: int = 0) -> Path:
    """A catalog of `hosts` entries with ten keys each, numbered from `first`."""
    lines = ["catalog: bench/hosts", "entries:"]
    for index in range(first, first + hosts):
        lines += [
            f"  - id: host-{index}",
            f"    host: h{index:05d}.vendor{index % 97}.example",
            "    match: exact",
            "    port: 443",
            "    protocol: https",
            "    party: third",
            f"    purpose: host {index}",
            "    phase: pull",
            "    direction: egress",
            "    notes: none",
        ]
    path.write_text("\n".join(lines) + "\n")
    return path


def changed(path: Path, original: Path) -> Path:
    """A catalog like `original` with a tenth of its entries changed: gone, another port, a wider kind, another host."""
    head, *entries = original.read_text().split("  - id: ")
    for index in range(0, len(entries), 10):
        match index // 10 % 4:
            case 0:
                entries[index] = ""
            case 1:
                entries[index] = entries[index].replace("port: 443", "port: 8443")
            case 2:
                entries[index] = entries[index].replace("match: exact", "match: subtree")
            case _:
                entries[index] = entries[index].replace("host", "fresh", 1).replace("host: h", "host: new", 1)
    path.write_text("  - id: ".join([head, *filter(None, entries)]))
    return path


def log(path: Path, lines: int) -> Path:
    """An alert log of `lines` different drops: of hosts of `catalog` on another port, below them, misspelt, and unheard of."""
    with path.open("w") as file:
        for index in range(lines):
            host = f"h{index:05d}.vendor{index % 97}.example"
            name = (host, f"sub.{host}", host.replace("vendor", "vendr"), f"x{index}.elsewhere.example")[index % 4]
            alert = {"action": "blocked", "signature_id": index, "signature": "aws:alert_established"}
            event = {
                "event_type": "alert", "proto": "TCP", "src_ip": f"10.0.{index % 250}.7", "src_port": 40_000,
                "dest_ip": "203.0.113.9", "dest_port": 8443 if index % 4 == 0 else 443, "app_proto": "tls",
                "tls": {"sni": name}, "alert": alert,
            }  # fmt: skip
            file.write(json.dumps(event) + "\n")
    return path


def planned(path: Path, hosts: Path, target: str = "azure:application-rules") -> str:
    """A file with the plan of `hosts` for one cloud."""
    command = [HOSTGATE, "plan", "--catalog", str(hosts), "--target", target, "--json"]
    path.write_bytes(measured(command)[2])
    return str(path)


def overlapping(path: Path, rules: int = 40) -> Path:
    """A state with rules of others that overlap in ports, destinations and clients, and names, before the names of a list."""
    urn = "urn:pulumi:dev::bench::{0}::{1}"
    group, policy = "aws:networkfirewall/ruleGroup:RuleGroup", "aws:networkfirewall/firewallPolicy:FirewallPolicy"
    lines = []
    for at in range(rules):
        asked = (
            f'content:"cdn{at}"',
            f'content:".files{at}.example"; endswith',
            f'pcre:"/^api{at}[0-9]+\\.example$/"',
        )[at % 3]
        lines.append(
            f"{'drop' if at % 2 else 'pass'} tls 10.{at}.0.0/{9 + at % 4} any -> {at * 5 + 8}.0.0.0/{2 + at % 4} "
            f"{at * 500 + 1}:{30_000 + at * 700} (flow:to_server, established; tls.sni; {asked}; nocase; sid:{at + 1};)"
        )
    strict = {"ruleOrder": "STRICT_ORDER"}
    texts = {"statefulRuleOptions": strict, "rulesSource": {"rulesString": "\n".join(lines)}}
    variables = {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]}
    closed = {"statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
              "statefulEngineOptions": strict, "statefulDefaultActions": ["aws:drop_established"], "policyVariables": variables,
              "statefulRuleGroupReferences": [{"resourceArn": "arn:g", "priority": 1}]}  # fmt: skip
    resources = [
        {"urn": urn.format(group, "g"), "type": group, "id": "arn:g",
         "inputs": {"name": "g", "type": "STATEFUL", "capacity": 100, "ruleGroup": texts}},
        {"urn": urn.format(policy, "p"), "type": policy, "id": "arn:p", "inputs": {"name": "p", "firewallPolicy": closed}},
    ]  # fmt: skip
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    return path


def measured(command: Sequence[str]) -> tuple[float, int, bytes]:
    """Seconds of wall time, KiB of peak memory and the output of one whole process."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, cwd=ROOT, stderr=subprocess.PIPE)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        assert process.stderr is not None
        errors = process.stderr.read()
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, BEYOND):
            raise SystemExit(f"{' '.join(command[:4])} failed:\n{errors.decode()}")
        out.seek(0)
        return seconds, usage.ru_maxrss, out.read()


def medians(commands: Mapping[str, Sequence[str]]) -> dict[str, tuple[float, float]]:
    """Median seconds and MiB of each command; the runs take turns, so that a slow minute hits all alike."""
    taken: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            seconds, memory, _ = measured(command)
            if turn:  # the first turn warms the caches
                taken[name].append((seconds, memory))
    return {
        name: (statistics.median(s for s, _ in runs), statistics.median(m for _, m in runs) / 1024)
        for name, runs in taken.items()
    }


def _lines(found: Mapping[str, tuple[float, float]], hosts: str) -> float:
    """Seconds for the lines of a log, less what one line takes."""
    return found[f"explain, {hosts} hosts, 10,000 lines"][0] - found[f"explain, {hosts} hosts, 1 line"][0]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = catalog(Path(folder, "tiny.yaml"), 13)
        small, large = catalog(Path(folder, "small.yaml"), 1_000), catalog(Path(folder, "large.yaml"), 10_000)
        other = changed(Path(folder, "changed.yaml"), large)
        rules = planned(Path(folder, "rules.json"), large, "aws:rules")
        widened = planned(Path(folder, "widened.json"), other, "aws:rules")
        before = planned(Path(folder, "before.json"), large)
        after = planned(Path(folder, "after.json"), catalog(Path(folder, "moved.yaml"), 10_000, first=200))
        explained = [HOSTGATE, "explain", "--target", "aws:rules", "--json", "--log"]
        one, long = log(Path(folder, "one.log"), 1), log(Path(folder, "long.log"), 10_000)
        three = [
            flag
            for target in ("aws:rules", "azure:application-rules", "gcp:url-filter")
            for flag in ("--target", target)
        ]
        foreign = overlapping(Path(folder, "foreign.json"))
        handwritten = str(ROOT / "benchmarks" / "handwritten")
        ours = [sys.executable, "-c", PREVIEW, str(ROOT), str(ROOT)]
        theirs = [sys.executable, "-c", PREVIEW, handwritten, str(ROOT)]
        if json.loads(measured(ours)[2]) != json.loads(measured(theirs)[2]):
            raise SystemExit("The hand-written program does not register the same resources; bring it up to date.")
        found = medians(
            {
                "python": [sys.executable, "-c", "pass"],
                "import hostgate": [sys.executable, "-c", "import hostgate"],
                "plan, 13 hosts": [HOSTGATE, "plan", "--catalog", str(tiny), "--json"],
                "plan, 1,000 hosts": [HOSTGATE, "plan", "--catalog", str(small), "--json"],
                "plan, 10,000 hosts": [HOSTGATE, "plan", "--catalog", str(large), "--json"],
                "lint, 1,000 hosts": [HOSTGATE, "catalog", "lint", str(small)],
                "lint, 10,000 hosts": [HOSTGATE, "catalog", "lint", str(large)],
                "catalog diff, 10,000 hosts": [HOSTGATE, "catalog", "diff", str(large), str(other), "--json"],
                "diff, 10,000 hosts": [HOSTGATE, "diff", before, after],
                "diff, 10,000 hosts, a tenth otherwise": [HOSTGATE, "diff", rules, widened],
                "diff, 10,000 hosts, equal": [HOSTGATE, "diff", before, before],
                "comment, 10,000 hosts": [HOSTGATE, "comment", before, after],
                "explain, 10,000 hosts, 1 line": [*explained, str(one), "--catalog", str(large)],
                "explain, 10,000 hosts, 10,000 lines": [*explained, str(long), "--catalog", str(large)],
                "explain, 1,000 hosts, 1 line": [*explained, str(one), "--catalog", str(small)],
                "explain, 1,000 hosts, 10,000 lines": [*explained, str(long), "--catalog", str(small)],
                "reach, dev stack": [HOSTGATE, "reach", "--stack", "dev"],
                "reach, 10,000 hosts, three clouds": [HOSTGATE, "reach", "--catalog", str(large), *three],
                "reach, 40 overlapping rules": [HOSTGATE, "reach", "--state", str(foreign), "--catalog", str(tiny)],
                "preview, hand-written": theirs,
                "preview, dev stack": ours,
            }
        )
    from hostgate.cli.tables import table  # only now: a child's peak memory begins at that of this process

    print(table(("whole process", "s", "MiB"), [(name, f"{s:.3f}", f"{m:.1f}") for name, (s, m) in found.items()]))
    start = found["plan, 13 hosts"][0]
    ratios = [
        ("import hostgate, over bare python, ms", 1000 * (found["import hostgate"][0] - found["python"][0]), "50"),
        ("plan 1,000 hosts, s", found["plan, 1,000 hosts"][0], "0.4"),
        ("plan 1,000 hosts, MiB", found["plan, 1,000 hosts"][1], "45"),
        ("plan 10,000 hosts, s", found["plan, 10,000 hosts"][0], "1.5"),
        (
            "plan 10,000 to 1,000 hosts, less start-up",
            (found["plan, 10,000 hosts"][0] - start) / (found["plan, 1,000 hosts"][0] - start),
            "10, linear",
        ),
        ("lint 10,000 to 1,000 hosts", found["lint, 10,000 hosts"][0] / found["lint, 1,000 hosts"][0], "10, linear"),
        ("catalog diff of two times 10,000 hosts, s", found["catalog diff, 10,000 hosts"][0], "1.5"),
        (
            "catalog diff to lint of 10,000 hosts",
            found["catalog diff, 10,000 hosts"][0] / found["lint, 10,000 hosts"][0],
            "2",
        ),
        ("plan diff of 10,000 hosts, every flow asked of both, s", found["diff, 10,000 hosts"][0], "4"),
        ("the same with a tenth otherwise, on AWS, s", found["diff, 10,000 hosts, a tenth otherwise"][0], "4"),
        ("plan diff of 10,000 hosts with itself, s", found["diff, 10,000 hosts, equal"][0], "1.5"),
        ("explain --log of 10,000 lines, 10,000 hosts, s", found["explain, 10,000 hosts, 10,000 lines"][0], "5"),
        (
            "10,000 lines of a log at 10,000 hosts to 1,000 hosts, less what is done once",
            _lines(found, "10,000") / _lines(found, "1,000"),
            "1.5, no scan",
        ),
        ("reach of the dev stack, s", found["reach, dev stack"][0], "0.8"),
        ("reach of 10,000 hosts on three clouds, s", found["reach, 10,000 hosts, three clouds"][0], "3"),
        ("reach of 10,000 hosts on three clouds, MiB", found["reach, 10,000 hosts, three clouds"][1], "150"),
        ("reach of 40 overlapping rules of others, s", found["reach, 40 overlapping rules"][0], "2"),
        ("preview to hand-written", found["preview, dev stack"][0] / found["preview, hand-written"][0], "1.2"),
    ]
    print(
        table(
            ("figure", "measured", "wanted, at most"),
            [(name, f"{value:.2f}", wanted) for name, value, wanted in ratios],
        )
    )


if __name__ == "__main__":
    main()
