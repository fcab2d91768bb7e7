"""Being told to stop: Ctrl-C, SIGTERM and a closed terminal unwind the process like an error, so that nothing is left.

Without this, SIGTERM and SIGHUP end Python at once: processes that it started stay, and so do its temporary folders.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a command: Ctrl-C, a supervisor or a cancelled CI job, a terminal that is closed."""


class Ended(KeyboardInterrupt):
    """A signal told the process to end. `code` is the exit code to end with: 128 + its number, as shells have it, or that
    of the engine which it was passed to."""

    def __init__(self, number: int, code: int | None = None) -> None:
        self.number = number
        self.code = 128 + number if code is None else code
        super().__init__(signal.Signals(number).name)


def end(number: int, _frame: FrameType | None) -> None:
    """A signal handler. Raises Ended wherever the main thread is."""
    raise Ended(number)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let every signal of ENDING raise Ended in the block; one that is ignored (nohup) stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    ours = [number for number in ENDING if before[number] in (signal.SIG_DFL, signal.default_int_handler)]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
