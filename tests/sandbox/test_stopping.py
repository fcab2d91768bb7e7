"""Being told to stop: the engine gets each signal once, ends in its own way, and hostgate ends with its exit code."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostgate.sandbox.children import OutOfTime, run_child
from hostgate.sandbox.signals import Ended

LIMIT = 30.0
"""Seconds for anything here; most take one."""

ENGINE = '''\
"""A stand-in for the engine: notes every signal, and ends a moment after the one that it was told to wait for."""
import os, signal, sys, time

log, wanted = open(os.environ["ENGINE_LOG"], "a", buffering=1), int(os.environ.get("ENGINE_SIGNALS", "1"))
if sys.argv[1:3] == ["stack", "select"] and "ENGINE_SLOW_SELECT" not in os.environ:
    sys.exit(0)
got = []
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda number, _: (got.append(number), log.write(signal.Signals(number).name + "\\n")))
log.write("begun\\n")
while len(got) < wanted:
    time.sleep(0.02)
time.sleep(1.3)  # as long as it takes to see a signal that comes twice
print("{}" if "--json" in sys.argv else "ended its own way", flush=True)
log.write("ended\\n")
sys.exit(int(os.environ.get("ENGINE_CODE", "7")))
'''


class Stage:
    """A project, a stand-in for the CLI on PATH, and what it noted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "bin").mkdir()
        (folder / "bin" / "pulumi").write_text(f"#!{sys.executable}\n{ENGINE}")
        (folder / "bin" / "pulumi-language-python").write_text("#!/bin/sh\n")
        for each in (folder / "bin").iterdir():
            each.chmod(0o755)
        (folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
        (folder / "pack").mkdir()

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        source = str(Path(__file__).parents[2] / "components")
        return {**os.environ, "PATH": path, "PYTHONPATH": source, "ENGINE_LOG": str(self.log), **more}

    def start(self, *words: str, **more: str) -> "subprocess.Popen[bytes]":
        """`hostgate WORDS` in a process group of its own, once the stand-in runs."""
        running = subprocess.Popen(
            [sys.executable, "-m", "hostgate.cli.main", *words], cwd=self.folder, env=self.environment(**more),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.wait_for("begun")
        return running

    def wait_for(self, line: str) -> None:
        end = time.monotonic() + LIMIT
        while line not in self.noted:
            assert time.monotonic() < end, self.noted
            select.select([], [], [], 0.02)

    @property
    def noted(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def ended(running: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Exit code and output, and no process of its session left."""
    try:
        out, _ = running.communicate(timeout=LIMIT)
    finally:
        running.kill()
    assert "Traceback" not in out.decode()
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)
    return running.returncode, out.decode()


def alone(process: "subprocess.Popen[bytes]", number: int) -> None:
    process.send_signal(number)


def group(process: "subprocess.Popen[bytes]", number: int) -> None:
    os.killpg(process.pid, number)


def like_timeout(process: "subprocess.Popen[bytes]", number: int) -> None:
    process.send_signal(number)
    os.killpg(process.pid, number)


RUN = ("sandbox", "run", "--state", "box", "--", "pulumi", "up")
PREVIEW = ("preview", "--host", "pulumi")


@pytest.mark.parametrize("words", [RUN, PREVIEW, (*PREVIEW, "--policy-pack", "pack")], ids=["run", "preview", "pack"])
@pytest.mark.parametrize("sent", [alone, group, like_timeout])
@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGTERM")],
    ids=["Ctrl-C", "terminated", "hung up"],
)
def test_the_engine_gets_the_signal_once_and_ends_its_own_way(
    stage: Stage,
    words: tuple[str, ...],
    sent: Callable[["subprocess.Popen[bytes]", int], None],
    number: signal.Signals,
    name: str,
) -> None:
    running = stage.start(*words)
    sent(running, number)

    code, _ = ended(running)

    # timeout(1) reaches the engine as group and hostgate as process: to the engine it is one signal all the same
    assert stage.noted == ["begun", name, "ended"]
    assert code == 7


def test_a_second_interrupt_is_passed_on_too(stage: Stage) -> None:
    running = stage.start(*RUN, ENGINE_SIGNALS="2")
    alone(running, signal.SIGINT)
    stage.wait_for("SIGINT")
    alone(running, signal.SIGINT)

    code, _ = ended(running)

    assert stage.noted == ["begun", "SIGINT", "SIGINT", "ended"]
    assert code == 7


def test_nothing_more_is_begun_after_an_interrupt_while_the_stack_is_made(stage: Stage) -> None:
    running = stage.start(*RUN, ENGINE_SLOW_SELECT="yes", ENGINE_CODE="0")
    alone(running, signal.SIGINT)

    code, out = ended(running)

    assert stage.noted == ["begun", "SIGINT", "ended"]
    assert (code, "stopped" in out) == (130, True)


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_in_a_terminal_reaches_the_engine_once_a_press(stage: Stage, presses: int) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(stage.folder)
        environment = stage.environment(ENGINE_SIGNALS=str(presses))
        os.execve(sys.executable, [sys.executable, "-m", "hostgate.cli.main", *RUN], environment)
    stage.wait_for("begun")
    for press in range(presses):
        os.write(terminal, b"\x03")
        end = time.monotonic() + LIMIT
        while stage.noted.count("SIGINT") <= press and time.monotonic() < end:
            select.select([], [], [], 0.02)

    said = b"".join(read(terminal))
    _, status = os.waitpid(child, 0)

    assert stage.noted == ["begun", *["SIGINT"] * presses, "ended"]
    assert b"ended its own way" in said
    assert os.waitstatus_to_exitcode(status) == 7


def test_in_a_terminal_a_signal_to_hostgate_alone_is_passed_on(stage: Stage) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(stage.folder)
        os.execve(sys.executable, [sys.executable, "-m", "hostgate.cli.main", *RUN], stage.environment())
    stage.wait_for("begun")
    os.kill(child, signal.SIGINT)

    list(read(terminal))
    _, status = os.waitpid(child, 0)

    assert stage.noted == ["begun", "SIGINT", "ended"]
    assert os.waitstatus_to_exitcode(status) == 7


def read(terminal: int) -> Iterator[bytes]:
    """What comes out of a terminal until nobody holds its other end."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and select.select([terminal], [], [], LIMIT)[0]:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # Linux says EIO for the end
            return
        if not data:
            return
        yield data


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137), ("exit 0", 0)]
)
def test_the_exit_code_is_the_childs_as_a_shell_tells_it(tmp_path: Path, script: str, code: int) -> None:
    done = run_child(["sh", "-c", script], tmp_path, os.environ, capture=True, limit=LIMIT)
    assert (done.returncode, done.told) == (code, None)


def test_a_child_over_its_time_is_told_before_it_is_killed(tmp_path: Path) -> None:
    script = f'trap "echo told > {tmp_path}/told; exit 1" INT; while :; do sleep 0.05; done'
    with pytest.raises(OutOfTime):
        run_child(["sh", "-c", script], tmp_path, os.environ, capture=True, limit=0.3)
    assert (tmp_path / "told").read_text() == "told\n"


def test_the_handlers_of_before_come_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    run_child(["true"], tmp_path, os.environ, capture=True, limit=LIMIT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_an_end_knows_its_exit_code() -> None:
    assert [Ended(signal.SIGTERM).code, Ended(signal.SIGINT, 255).code] == [143, 255]


PROGRAM = """\
import os, time
open(os.environ["ENGINE_LOG"], "w").write("begun\\n")
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_the_built_in_preview_ends_with_the_program(stage: Stage, number: signal.Signals, code: int) -> None:
    (stage.folder / "__main__.py").write_text(PROGRAM)
    running = stage.start("preview", "--host", "builtin")
    alone(running, number)
    assert ended(running)[0] == code


PACK = """\
import os, subprocess, sys, time
open(os.environ["ENGINE_LOG"], "w").write("begun\\n")
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_no_policy_pack_outlives_the_built_in_preview(stage: Stage, number: signal.Signals, code: int) -> None:
    (stage.folder / "__main__.py").write_text("")
    (stage.folder / "pack" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (stage.folder / "pack" / "__main__.py").write_text(PACK)
    running = stage.start("preview", "--host", "builtin", "--policy-pack", "pack")
    alone(running, number)
    assert ended(running)[0] == code
