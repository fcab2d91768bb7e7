"""An update of the real engine that is told to stop: it ends its own way, unlocked, and the next one goes on from there."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.lab import AWS, Lab, real_engine
from hostgate.sandbox.faults import delay

pytestmark = real_engine

LIMIT = 90.0
"""Seconds for one call of the CLI; it takes five to ten."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A stack whose every write takes three seconds: long enough to be told in the middle of one."""
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure({"aws": AWS}, lab.hosts("a=a.acme.example"))
    delay(lab.state, "*", 3)
    return lab


def started(lab: Lab) -> "subprocess.Popen[bytes]":
    """`hostgate sandbox run -- pulumi up` in a session of its own, once the engine makes the first resource."""
    words = ["sandbox", "run", "--state", str(lab.sandbox), "--", "pulumi", "up", "--yes", "--skip-preview"]
    with (lab.project / "output").open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "hostgate.cli.main", *words], cwd=lab.project, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "components")},
        )  # fmt: skip
    until(lambda: "RuleGroup hostgate-allow creating" in said(lab), lambda: said(lab))
    return running


def said(lab: Lab) -> str:
    return (lab.project / "output").read_text("utf-8", "replace")


def until(holds: Callable[[], bool], why: Callable[[], str]) -> None:
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, why()
        select.select([], [], [], 0.05)


def locks(lab: Lab) -> list[Path]:
    return [path for path in (lab.sandbox / "backend" / ".pulumi" / "locks").rglob("*") if path.is_file()]


def processes_about(folder: Path) -> list[str]:
    """Command lines of processes that name `folder`: providers are started with the path of the clouds' file."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        (signal.SIGINT, "to hostgate alone"),
        (signal.SIGINT, "to all of its group"),
        (signal.SIGTERM, "to hostgate alone"),
        (signal.SIGHUP, "to all of its group"),
    ],
    ids=["Ctrl-C for one", "Ctrl-C", "terminated", "hung up"],
)
def test_the_stack_is_unlocked_and_nothing_is_left(lab: Lab, number: signal.Signals, sent: str) -> None:
    running = started(lab)
    assert locks(lab)

    (os.kill if sent == "to hostgate alone" else os.killpg)(running.pid, number)
    code = running.wait(LIMIT)

    assert "update canceled" in said(lab)
    assert code == 1  # the CLI's own, for an update that was cancelled
    assert not locks(lab)
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)
    until(lambda: not processes_about(lab.sandbox), lambda: str(processes_about(lab.sandbox)))

    delay(lab.state, "*", 0)
    assert lab.up().ok


def test_no_provider_outlives_an_engine_that_is_killed(lab: Lab) -> None:
    running = started(lab)
    assert processes_about(lab.sandbox)

    os.killpg(running.pid, signal.SIGKILL)
    running.wait(LIMIT)

    until(lambda: not processes_about(lab.sandbox), lambda: str(processes_about(lab.sandbox)))
