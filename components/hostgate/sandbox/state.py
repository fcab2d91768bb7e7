"""What the simulated clouds hold, in one SQLite file: the objects, and a journal of every call that changed them.

Several provider processes write the file at once, and any of them may be killed at any moment: every change is one
immediate transaction, so that a reader sees all of a call or nothing of it. From the journal, the state after any
single call can be told again.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hostgate.catalog.file_input import kind_of
from hostgate.catalog.problems import InputError, Problem, spelled

Operation = Literal["create", "read", "update", "delete"]

FILE = "clouds.db"
BUSY = 60.0
"""Seconds that a writer waits for another; a transaction takes milliseconds."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    type TEXT NOT NULL, id TEXT NOT NULL, born INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY AUTOINCREMENT, operation TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    name TEXT NOT NULL, before TEXT, after TEXT, refusal TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT, about TEXT NOT NULL, operation TEXT NOT NULL, pass INTEGER NOT NULL,
    times INTEGER NOT NULL, crash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS delays (about TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS made_up (token TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (token, what));
CREATE TABLE IF NOT EXISTS running (lock TEXT PRIMARY KEY, process INTEGER NOT NULL, what TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that a cloud holds. `inputs` and `computed` are plain values in the SDK's camelCase."""

    type: str
    id: str
    name: str
    inputs: Mapping[str, Any]
    computed: Mapping[str, Any]
    born: int = 0
    """The order of creation over all clouds."""

    @property
    def outputs(self) -> dict[str, Any]:
        return {**self.inputs, **self.computed}

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "id": self.id,
            "name": self.name,
            "inputs": self.inputs,
            "computed": self.computed,
            "born": self.born,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a cloud's API that changed an object, or was refused (`refusal`; then nothing changed)."""

    number: int
    operation: str
    type: str
    id: str
    name: str
    before: StoredObject | None
    after: StoredObject | None
    refusal: str = ""


def default_folder(project: Path) -> Path:
    """Where a project's sandbox is kept: in the user's state folder, never in the checkout."""
    root = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    place = project.resolve()
    return Path(root, "hostgate", f"{place.name}-{hashlib.sha256(str(place).encode()).hexdigest()[:12]}")


def state_of(folder: Path) -> "State":
    """What the clouds of the sandbox in `folder` hold; all stacks that run there share it."""
    return State(folder / FILE)


class Transaction:
    """Reads and writes that happen together or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def objects(self, *types: str) -> list[StoredObject]:
        """Everything held, or what is of `types`, in order of creation."""
        rows = self.connection.execute("SELECT body, type FROM objects ORDER BY born")
        return [_held(body) for body, type_ in rows if not types or type_ in types]

    def get(self, type_: str, id_: str) -> StoredObject | None:
        row = self.connection.execute("SELECT body FROM objects WHERE type = ? AND id = ?", (type_, id_)).fetchone()
        return _held(row[0]) if row else None

    def write(self, operation: Operation, held: StoredObject) -> StoredObject:
        """Hold `held`, in place of what its type and id may already name, and journal it."""
        before = self.get(held.type, held.id)
        born = before.born if before else self._next()
        after = StoredObject(held.type, held.id, held.name, held.inputs, held.computed, born)
        self.connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", (held.type, held.id, born, _text(after))
        )
        self._journal(operation, after, before, after)
        return after

    def remove(self, held: StoredObject) -> None:
        self.connection.execute("DELETE FROM objects WHERE type = ? AND id = ?", (held.type, held.id))
        self._journal("delete", held, held, None)

    def refused(self, operation: Operation, about: StoredObject, refusal: str) -> None:
        """Journal a call that changed nothing, and why."""
        self._journal(operation, about, None, None, refusal)

    def _next(self) -> int:
        row = self.connection.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM journal").fetchone()
        return int(row[0])

    def _journal(
        self,
        operation: Operation,
        about: StoredObject,
        before: StoredObject | None,
        after: StoredObject | None,
        refusal: str = "",
    ) -> None:
        self.connection.execute(
            "INSERT INTO journal (operation, type, id, name, before, after, refusal) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (operation, about.type, about.id, about.name, before and _text(before), after and _text(after), refusal),
        )


class State:
    """The file. Every use opens its own connection: threads and processes share nothing but the file.

    Every use raises InputError where the file cannot be used: it is damaged or something else, the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _refuse_other_kinds(path)
        except OSError as error:
            raise _unusable(f"{path}: {error.strerror or error}") from None
        with self._connected() as connection:
            connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction that nobody else's writes come between; undone if the block raises or the process dies."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
            except BaseException:
                if connection.in_transaction:  # SQLite itself has ended it where the disk is full
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def objects(self, *types: str) -> list[StoredObject]:
        """Everything held, or what is of `types`, in order of creation."""
        with self._connected() as connection:
            return Transaction(connection).objects(*types)

    def journal(self, after: int = 0) -> list[Call]:
        """The calls after number `after`, in the order in which they took effect."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT number, operation, type, id, name, before, after, refusal FROM journal WHERE number > ? "
                "ORDER BY number",
                (after,),
            ).fetchall()
        return [
            Call(number, operation, type_, id_, name, _maybe(before), _maybe(after), refusal)
            for number, operation, type_, id_, name, before, after, refusal in rows
        ]

    def note_made_up(self, token: str, what: str) -> None:
        """Note that a run was told made-up values: of a resource (by URN) of the type `token`, or by a function."""
        with self._connected() as connection:
            connection.execute("INSERT OR IGNORE INTO made_up VALUES (?, ?)", (token, what))

    def take_made_up(self) -> dict[str, int]:
        """How many resources of each type, and which functions, had made-up values; forgotten then."""
        with self.transaction() as now:
            rows = now.connection.execute(
                "SELECT token, COUNT(*) FROM made_up GROUP BY token ORDER BY token"
            ).fetchall()
            now.connection.execute("DELETE FROM made_up")
        return {str(token): int(count) for token, count in rows}

    def reset(self) -> None:
        """Forget every object, call, fault and delay."""
        with self.transaction() as now:
            for table in ("objects", "journal", "faults", "delays", "made_up", "running"):
                now.connection.execute(f"DELETE FROM {table}")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            # The rollback journal, not WAL: one file, and it can be copied while nobody writes.
            with closing(sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise _unusable(f"{self.path}: {error}") from None


def _refuse_other_kinds(path: Path) -> None:
    """Raises InputError if `path` is there and no regular file: SQLite would wait at a pipe."""
    if path.exists() and (kind := kind_of(path.stat().st_mode)) is not None:
        raise _unusable(f"{path}: found {kind[1]}, and allowed is a file that the sandbox wrote")


def states(calls: Iterable[Call], objects: Iterable[StoredObject] = ()) -> Iterator[tuple[Call, list[StoredObject]]]:
    """What is held after each of `calls`, beginning with `objects`, in order of creation."""
    now = {(held.type, held.id): held for held in objects}
    for call in calls:
        if call.after is not None:
            now[call.type, call.id] = call.after
        elif call.before is not None:
            del now[call.type, call.id]
        yield call, sorted(now.values(), key=lambda held: held.born)


def acquire(now: Transaction, locks: Iterable[str], what: str) -> str | None:
    """Take every lock, or none and say what holds one. A lock of a process that is no more counts for nothing."""
    wanted = list(locks)
    for lock in wanted:
        row = now.connection.execute("SELECT process, what FROM running WHERE lock = ?", (lock,)).fetchone()
        if row and _alive(row[0]):
            return str(row[1])
    for lock in wanted:
        now.connection.execute("INSERT OR REPLACE INTO running VALUES (?, ?, ?)", (lock, os.getpid(), what))
    return None


def release(now: Transaction, locks: Iterable[str]) -> None:
    for lock in locks:
        now.connection.execute("DELETE FROM running WHERE lock = ?", (lock,))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _text(held: StoredObject) -> str:
    return json.dumps(held.as_json(), sort_keys=True, separators=(",", ":"))


def _held(body: str) -> StoredObject:
    try:
        return StoredObject(**json.loads(body))
    except (TypeError, ValueError):
        raise _unusable(f"an object in it is damaged: {spelled(body)}") from None


def _unusable(what: str) -> InputError:
    message = f"The sandbox cannot be used: {what}. Forget it (hostgate sandbox reset), or name another (--state DIR)."
    return InputError([Problem(rule="sandbox", message=message)])


def _maybe(body: str | None) -> StoredObject | None:
    return None if body is None else _held(body)
