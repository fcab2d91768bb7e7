"""The state file: one call is one transaction, whoever else writes and whenever somebody dies."""

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hostgate.sandbox.faults import Fault, delay, delay_of, order, pending, trip
from hostgate.sandbox.state import State, StoredObject, acquire, default_folder, release, states

spawn = multiprocessing.get_context("spawn")  # fork is not safe beside the threads of gRPC


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "clouds.db")


def box(name: str, size: int = 1) -> StoredObject:
    return StoredObject("toy:index:Box", f"boxes/{name}", name, {"size": size}, {"label": f"{name} {size}"})


def write_boxes(path: Path, worker: int, count: int) -> None:
    for index in range(count):
        with State(path).transaction() as now:
            now.write("create", box(f"{worker}-{index}"))


def die_in_a_transaction(path: Path) -> None:
    with State(path).transaction() as now:
        now.write("create", box("half"))
        os.kill(os.getpid(), signal.SIGKILL)


def take_a_lock_and_die(path: Path) -> None:
    with State(path).transaction() as now:
        assert acquire(now, ["policy"], "update of somebody") is None
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_process(target: Callable[..., None], *arguments: object) -> int | None:
    process = spawn.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    return process.exitcode


def test_what_is_written_is_held_in_order_of_creation(state: State) -> None:
    with state.transaction() as now:
        now.write("create", box("first"))
        now.write("create", box("second"))
        now.write("update", box("first", 5))
    assert [(held.name, held.inputs["size"]) for held in state.objects()] == [("first", 5), ("second", 1)]


def test_a_transaction_that_raises_leaves_nothing(state: State) -> None:
    def fail() -> None:
        with state.transaction() as now:
            now.write("create", box("first"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (state.objects(), state.journal()) == ([], [])


def test_the_state_after_every_call_can_be_told_again(state: State) -> None:
    with state.transaction() as now:
        first = now.write("create", box("first"))
        now.write("create", box("second"))
        now.write("update", box("first", 5))
        now.refused("update", box("second", 9), "no")
        now.remove(first)
    told = [
        (call.operation, [(held.name, held.inputs["size"]) for held in held]) for call, held in states(state.journal())
    ]
    assert told == [
        ("create", [("first", 1)]),
        ("create", [("first", 1), ("second", 1)]),
        ("update", [("first", 5), ("second", 1)]),
        ("update", [("first", 5), ("second", 1)]),
        ("delete", [("second", 1)]),
    ]
    assert [held.name for held in state.objects()] == ["second"]


def test_the_journal_can_be_told_from_any_call_on(state: State) -> None:
    with state.transaction() as now:
        now.write("create", box("first"))
    before, number = state.objects(), state.journal()[-1].number
    with state.transaction() as now:
        now.write("update", box("first", 5))
    (told,) = states(state.journal(after=number), before)
    assert told[1] == state.objects()


def test_several_processes_write_one_file_and_lose_nothing(state: State) -> None:
    workers = [spawn.Process(target=write_boxes, args=(state.path, worker, 10)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert len(state.objects()) == 40
    assert len({held.born for held in state.objects()}) == 40
    assert [call.number for call in state.journal()] == list(range(1, 41))


def test_a_process_that_is_killed_in_a_transaction_leaves_the_state_as_it_was(state: State) -> None:
    with state.transaction() as now:
        now.write("create", box("whole"))
    assert in_a_process(die_in_a_transaction, state.path) == -signal.SIGKILL
    assert [held.name for held in state.objects()] == ["whole"]
    with state.transaction() as now:  # and nobody is locked out
        now.write("create", box("next"))
    with closing(sqlite3.connect(state.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_lock_keeps_others_out_until_it_is_released(state: State) -> None:
    with state.transaction() as now:
        assert acquire(now, ["policy", "base"], "update of a") is None
        assert acquire(now, ["other"], "update of b") is None
        assert acquire(now, ["base"], "update of c") == "update of a"
        release(now, ["policy", "base"])
        assert acquire(now, ["base"], "update of c") is None


def test_a_lock_dies_with_its_process(state: State) -> None:
    assert in_a_process(take_a_lock_and_die, state.path) == -signal.SIGKILL
    with state.transaction() as now:
        assert acquire(now, ["policy"], "update of me") is None


@pytest.mark.parametrize(
    "about", ["toy:index:Box", "Box", "hostgate-allow", "hostgate-allow-1a2b3c4", "hostgate-*", "*"]
)
def test_a_failure_is_about_a_type_a_name_or_a_pattern(state: State, about: str) -> None:
    order(state, Fault(about, "update"))
    with state.transaction() as now:
        assert trip(now, "update", box("other")) is None or about in ("toy:index:Box", "Box", "*")
    order(state, Fault(about, "update"))
    with state.transaction() as now:
        assert trip(now, "update", box("hostgate-allow-1a2b3c4")) is not None


def test_a_failure_lets_calls_pass_first_then_fails_as_often_as_told(state: State) -> None:
    order(state, Fault("Box", "create", passing=2, times=2))
    with state.transaction() as now:
        assert [trip(now, "create", box("a")) is not None for _ in range(6)] == [False, False, True, True, False, False]
        assert trip(now, "delete", box("a")) is None
    assert pending(state) == []


def test_a_failure_without_end_goes_on(state: State) -> None:
    order(state, Fault("Box", "create", times=-1))
    with state.transaction() as now:
        assert all(trip(now, "create", box("a")) for _ in range(5))
    assert len(pending(state)) == 1


def test_a_write_takes_as_long_as_the_longest_delay_about_it(state: State) -> None:
    delay(state, "Box", 2)
    delay(state, "a", 5)
    with state.transaction() as now:
        assert (delay_of(now, box("a")), delay_of(now, box("b"))) == (5, 2)
    delay(state, "Box", 0)
    with state.transaction() as now:
        assert delay_of(now, box("b")) == 0


def test_reset_forgets_everything(state: State) -> None:
    order(state, Fault("Box", "create"))
    delay(state, "Box", 2)
    with state.transaction() as now:
        now.write("create", box("a"))
    state.reset()
    assert (state.objects(), state.journal(), pending(state)) == ([], [], [])


def test_the_sandbox_of_a_project_is_kept_outside_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    one, other = default_folder(tmp_path / "a" / "repo"), default_folder(tmp_path / "b" / "repo")
    assert one != other
    assert one.parent == tmp_path / "state" / "hostgate"
