"""Failures and delays on demand: what the simulated clouds were told to get wrong, and how slow to be."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from hostgate.sandbox.state import Operation, State, StoredObject, Transaction

Crash = Literal["", "before", "after"]
"""When the provider's process dies: before the cloud acts on the call, or after, so that the answer is lost."""

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure that is told to happen. `about` is a type, the last part of one, a name in the cloud, or a pattern.

    The first `passing` calls go through, the `times` after them fail.
    """

    about: str
    operation: Operation
    passing: int = 0
    times: int = 1
    crash: Crash = ""
    number: int = 0


def order(state: State, fault: Fault) -> None:
    """Make `fault` happen from now on."""
    with state.transaction() as now:
        now.connection.execute(
            "INSERT INTO faults (about, operation, pass, times, crash) VALUES (?, ?, ?, ?, ?)",
            (fault.about, fault.operation, fault.passing, fault.times, fault.crash),
        )


def pending(state: State) -> list[Fault]:
    """The faults that have not run out."""
    with state.transaction() as now:
        return _faults(now)


def trip(now: Transaction, operation: Operation, held: StoredObject) -> Fault | None:
    """The fault that this call meets, if any; each meeting counts."""
    for fault in _faults(now):
        if fault.operation != operation or not meant(fault.about, held):
            continue
        if fault.passing > 0:
            now.connection.execute("UPDATE faults SET pass = pass - 1 WHERE number = ?", (fault.number,))
        elif fault.times == 1:
            now.connection.execute("DELETE FROM faults WHERE number = ?", (fault.number,))
        else:
            now.connection.execute("UPDATE faults SET times = times - 1 WHERE number = ?", (fault.number,))
        if fault.passing == 0:
            return fault
    return None


def delay(state: State, about: str, seconds: float) -> None:
    """Let every write of what `about` names take that long; 0 for as fast as can be."""
    with state.transaction() as now:
        now.connection.execute("DELETE FROM delays WHERE about = ?", (about,))
        if seconds > 0:
            now.connection.execute("INSERT INTO delays VALUES (?, ?)", (about, seconds))


def delay_of(now: Transaction, held: StoredObject) -> float:
    """Seconds that a write of `held` takes: the longest of the delays about it."""
    rows = now.connection.execute("SELECT about, seconds FROM delays").fetchall()
    return max((float(seconds) for about, seconds in rows if meant(about, held)), default=0.0)


def meant(about: str, held: StoredObject) -> bool:
    """Whether `about` names this object: by type, by the last part of its type (RuleGroup), by name or by pattern."""
    names = (held.type, held.type.rpartition(":")[2], held.name)
    matches: Callable[[str], bool] = lambda name: fnmatchcase(name, about)  # noqa: E731
    return any(map(matches, names)) or about == held.name.rpartition("-")[0]


def _faults(now: Transaction) -> list[Fault]:
    rows = now.connection.execute("SELECT about, operation, pass, times, crash, number FROM faults ORDER BY number")
    return [Fault(*row) for row in rows]
