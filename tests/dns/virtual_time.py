"""An event loop whose time the test makes: sleeping costs nothing, and a day of polling takes a second."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = 1_790_000_000.0
"""Unix seconds at which virtual time begins."""


class _NoWaiting(selectors.DefaultSelector):
    """Instead of waiting, it moves the clock to where the waiting would have ended."""

    clock = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits for ever")
        if not ready and timeout:
            self.clock += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is virtual seconds from 0."""

    def __init__(self) -> None:
        self._virtual = _NoWaiting()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.clock


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def unix_now() -> float:
    """Virtual unix seconds."""
    return EPOCH + asyncio.get_running_loop().time()
