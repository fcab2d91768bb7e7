"""The engine as a child process: it is told once to end, ends in its own way, and nothing of it is left.

Ctrl-C in a terminal, a killed process group and a stopped service reach the engine directly; `kill PID` and a CI job
reach hostgate alone. The engine takes a second signal for "now, whatever is in flight" and leaves its stack locked, so
hostgate must pass on what the engine has not got, and only that. It sees which by a witness: a process in the same
group, with nothing to do, that the first such signal ends.

SIGHUP ends the engine on the spot (CLI 3.259: the lock stays, language host and providers are orphaned). So it is
started like under nohup, and a closed terminal is passed on as SIGTERM, by which it ends as by Ctrl-C.
"""

import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from hostgate.sandbox.signals import ENDING

TOGETHER = 1.0
"""Seconds in which a signal to the group ends the witness, on a busy machine too. Signals that come within it are one:
timeout(1) sends its own twice."""

PATIENCE = ((signal.SIGINT, 30.0), (signal.SIGINT, 10.0), (signal.SIGKILL, 5.0))
"""What a child that exceeds its time limit is sent, and how many seconds it then has."""

_WITNESS = "cat"
_UNDER_NOHUP = ("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh")
_PASSED_ON_AS = {signal.SIGHUP: signal.SIGTERM}


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. `returncode` is as a shell tells it: 128 + N for one that signal N ended."""

    returncode: int
    stdout: str
    stderr: str
    told: int | None = None
    """The first signal that told the process to end while the child ran."""


class OutOfTime(Exception):  # noqa: N818 - says what happened to the child
    """The child did not end within its limit, and was ended."""


def run_child(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], *, capture: bool, limit: float | None
) -> Finished:
    """Run `command` in `folder` to its end, `limit` in seconds. Raises OutOfTime, and OSError if it cannot be started."""
    pipe = subprocess.PIPE if capture else None
    with _passing_on() as passing:
        child = subprocess.Popen(
            [*_UNDER_NOHUP, *command], cwd=folder, env=dict(environment), text=True, encoding="utf-8", errors="replace",
            stdout=pipe, stderr=pipe,
        )  # fmt: skip
        passing.to(child)
        try:
            out, err = _communicate(child, limit)
        except BaseException:
            child.kill()
            raise
    code = child.returncode
    return Finished(128 - code if code < 0 else code, out or "", err or "", passing.first)


def _communicate(child: "subprocess.Popen[str]", limit: float | None) -> tuple[str, str]:
    try:
        return child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        for number, seconds in PATIENCE:
            child.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=seconds)
                break
        raise OutOfTime from None


class _Passing:
    """Passes on to a child what this process was sent and the child was not."""

    def __init__(self) -> None:
        self.first: int | None = None
        self._got: queue.SimpleQueue[int] = queue.SimpleQueue()  # a handler may put into it at any moment
        self._witness = _Witness()
        self._thread: threading.Thread | None = None

    def note(self, number: int, _frame: FrameType | None) -> None:
        self.first = self.first or number
        self._got.put(number)

    def to(self, child: "subprocess.Popen[str]") -> None:
        self._thread = threading.Thread(target=self._pass_on, args=(child,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._got.put(0)
        if self._thread is not None:
            self._thread.join()
        self._witness.close()

    def _pass_on(self, child: "subprocess.Popen[str]") -> None:
        while number := self._got.get():
            together = time.monotonic() + TOGETHER
            reached_all = self._witness.was_told()
            if number in _PASSED_ON_AS or not reached_all:
                child.send_signal(_PASSED_ON_AS.get(signal.Signals(number), number))
            if self._is_over(number, together):
                return

    def _is_over(self, number: int, until: float) -> bool:
        """Whether the child has ended. Takes what is the same signal, which may be noted after the witness has ended."""
        while True:
            try:
                other = self._got.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return False
            if other != number:
                self._got.put(other)
                return other == 0


class _Witness:
    """A process of this group that any signal of ENDING ends, unless it is ignored here too."""

    def __init__(self) -> None:
        self._process = self._started()

    def was_told(self) -> bool:
        """Whether a signal came to the whole group."""
        try:
            self._process.wait(TOGETHER)
        except subprocess.TimeoutExpired:
            return False
        self._closed()
        self._process = self._started()
        return True

    def close(self) -> None:
        self._closed()
        self._process.wait()

    def _started(self) -> "subprocess.Popen[bytes]":
        # It ends when its input does: also when this process is killed.
        return subprocess.Popen([_WITNESS], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _closed(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


@contextmanager
def _passing_on() -> Iterator[_Passing]:
    """Note the signals of ENDING instead of ending by them; those that are ignored stay so."""
    passing = _Passing()
    handled = []
    if threading.current_thread() is threading.main_thread():
        handled = [(number, signal.getsignal(number)) for number in ENDING]
        handled = [(number, handler) for number, handler in handled if handler not in (signal.SIG_IGN, None)]
    for number, _ in handled:
        signal.signal(number, passing.note)
    try:
        yield passing
    finally:
        passing.close()
        for number, handler in handled:
            signal.signal(number, handler)
