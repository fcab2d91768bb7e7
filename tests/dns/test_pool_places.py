"""A pool on a disk: killed at random moments, a full disk, two writers; and a watcher that is told to stop."""

import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_survey_command import listed
from zone_server import Zone, ZoneServer

from cli.conftest import Run, run
from hostgate.catalog.problems import InputError
from hostgate.dns.pool_places import change, load_pool, place_of
from hostgate.dns.pool_update import PoolUpdate, Round, updated
from hostgate.planning.address_pool import AddressPool

__all__ = ["run"]

HOSTGATE = str(Path(sys.executable).with_name("hostgate"))
T0 = 1_790_000_000
ZONES = {"steady.example": Zone(("192.0.2.1", "2001:db8::1"), ttl=1)}

WRITER = """
import sys
from hostgate.dns.pool_places import change, place_of
from hostgate.dns.pool_update import Round, updated

number = int(sys.argv[2])
with place_of(sys.argv[1]) as place:
    while True:
        number += 1
        seen = {(f"h{n}.example", "ipv4"): [f"192.0.2.{n}", f"198.51.{number >> 8 & 255}.{number & 255}"] for n in range(200)}
        hosts = dict.fromkeys((host for host, _ in seen), 86400)
        found = Round(vantage="here", hosts=hosts, windows={}, seen=seen)
        change(place, lambda pool: updated(pool, found, 1790000000 + number))
        print(number, flush=True)
"""
"""Writes pools that grow, one after the other, and says which it has written."""


def adding(
    *addresses: str, host: str = "a.example", vantage: str = "here", at: int = T0
) -> Callable[[AddressPool], PoolUpdate]:
    found = Round(vantage=vantage, hosts={host: 86_400}, windows={}, seen={(host, "ipv4"): addresses})
    return lambda pool: updated(pool, found, at)


def test_a_refresher_that_is_killed_at_any_moment_leaves_a_pool_with_all_that_it_said_it_wrote(tmp_path: Path) -> None:
    path, dice, written = tmp_path / "pool.txt", random.Random(7), 0
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(written)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:  # killed some moments after a write of its own
            written = int(line)
            if dice.random() < 0.3:
                deadline = time.perf_counter() + dice.random() / 50
                while time.perf_counter() < deadline:
                    pass
                break
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        written = max([written, *(int(each) for each in rest.split("\n")[:-1])])
        pool = load_pool(str(path))
        assert len(pool.hosts) == 200
        assert len(pool.of("h7.example", "ipv4")) >= written + 1
        written = len(pool.of("h7.example", "ipv4")) - 1
    with place_of(str(path)):
        assert {each.name for each in tmp_path.iterdir()} == {"pool.txt", ".pool.txt.lock"}


def test_on_a_full_disk_the_old_pool_stands_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    with place_of(str(path)) as place:
        change(place, adding(*(f"192.0.2.{n}" for n in range(200))))
    before = path.read_bytes()
    with ZoneServer(ZONES) as server:
        made = subprocess.run(
            [HOSTGATE, "pool", "refresh", "--pool", path, "--hosts", listed(tmp_path, "steady.example"), "--resolver", str(server)],
            capture_output=True, text=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) - 1, len(before) - 1)),
        )  # fmt: skip
    assert made.returncode == 1
    assert "pool-unwritable" in made.stderr
    assert "Nothing was changed" in made.stderr
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"pool.txt", ".pool.txt.lock", "hosts.txt"}


def test_a_second_writer_is_refused_and_told_who_holds_it(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    with ZoneServer(ZONES) as server, place_of(str(path)) as place:
        change(place, adding("192.0.2.1"))
        before = path.read_bytes()
        for arguments in (
            ("refresh", "--hosts", listed(tmp_path, "steady.example"), "--resolver", server),
            ("forget", "a.example"),
        ):
            made = run("pool", *arguments, "--pool", path)
            assert made.code == 1
            assert "pool-in-use" in made.err
            assert f"process {os.getpid()} on " in made.err.replace("\n  ", " ")
        assert run("pool", "show", "--pool", path).code == 0
        assert path.read_bytes() == before
        link = tmp_path / "link.txt"
        link.symlink_to(path)
        assert run("pool", "forget", "a.example", "--pool", link).code == 1
    assert run("pool", "forget", "a.example", "--pool", path).code == 0


def test_a_lock_whose_holder_was_killed_holds_nobody_back(tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    with pytest.raises(InputError, match=f"process {process.pid} on "), place_of(str(path)):
        pass
    process.kill()
    process.communicate()
    with place_of(str(path)) as place:
        change(place, adding("192.0.2.1"))


def test_a_folder_that_is_not_there_or_closed_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot lock it"), place_of(str(tmp_path / "none" / "pool.txt")):
        pass


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "pool.txt", tmp_path / "link.txt"
    link.symlink_to(path)
    with place_of(str(path)) as place:
        change(place, adding("192.0.2.1"))
    path.chmod(0o640)
    with place_of(str(link)) as place:
        change(place, adding("192.0.2.2", at=T0 + 1))
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load_pool(str(link)).of("a.example", "ipv4") == ("192.0.2.1", "192.0.2.2")


def watching(path: Path, server: ZoneServer) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [HOSTGATE, "pool", "refresh", "--watch", "--pool", path, "--hosts", listed(path.parent, "steady.example"),
         "--resolver", str(server), "--floor", "1s"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_watcher_that_is_told_to_stop_writes_what_it_saw_and_ends_well(tmp_path: Path, told: signal.Signals) -> None:
    path = tmp_path / "pool.txt"
    with ZoneServer(ZONES) as server:
        process = watching(path, server)
        deadline = time.monotonic() + 60
        while min(server.asked["steady.example", kind] for kind in ("A", "AAAA")) < 2:  # so the first answers were read
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        assert process.poll() is None
        process.send_signal(told)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert [line.split(maxsplit=1)[1] for line in out.splitlines()] == [
        "+ 192.0.2.1  steady.example",
        "+ 2001:db8::1  steady.example",
    ]
    assert {each.address for each in load_pool(str(path)).hosts["steady.example"].addresses} == {
        "192.0.2.1",
        "2001:db8::1",
    }
    assert {each.name for each in tmp_path.iterdir()} == {"pool.txt", ".pool.txt.lock", "hosts.txt"}


def rubbish(path: Path) -> None:
    path.write_text("rubbish\n")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (rubbish, 1, "what was seen since it was last written is lost, 2 addresses of 1 hosts. [pool-lost]"),
        (folder, 1, "what was seen since it was last written is lost, 2 addresses of 1 hosts. [pool-lost]"),
        (Path.unlink, 0, "was gone: made again from what it last held and what was seen since."),
    ],
)
def test_a_watcher_whose_pool_is_spoiled_does_not_end_well_without_having_written(
    tmp_path: Path, spoil: Callable[[Path], None], code: int, said: str
) -> None:
    path = tmp_path / "pool.txt"
    with ZoneServer(ZONES) as server:
        process = watching(path, server)
        assert process.stdout is not None
        assert process.stdout.readline().endswith("+ 192.0.2.1  steady.example\n")
        spoil(path)
        asked = dict(server.asked)
        deadline = time.monotonic() + 60
        while min(server.asked["steady.example", kind] - asked["steady.example", kind] for kind in ("A", "AAAA")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, said in " ".join(err.split())) == (code, True)
    assert "Traceback" not in err
    if spoil is rubbish:
        assert path.read_text() == "rubbish\n"
    elif code == 0:
        assert load_pool(str(path)).of("steady.example", "ipv4") == ("192.0.2.1",)


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("watch", [False, True])
def test_one_that_is_told_to_stop_while_a_resolver_is_silent_ends_and_changes_nothing(
    tmp_path: Path, told: signal.Signals, code: int, watch: bool
) -> None:
    path = tmp_path / "pool.txt"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(60)
        process = subprocess.Popen(
            [HOSTGATE, "pool", "refresh", *(["--watch"] if watch else []), "--pool", path, "--hosts",
             listed(tmp_path, "steady.example"), "--resolver", f"127.0.0.1:{silent.getsockname()[1]}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        silent.recv(512)  # it asks, and waits for an answer that never comes
        process.send_signal(told)
        _, err = process.communicate(timeout=60)
    assert process.returncode == (0 if watch else code)
    assert "no-resolver" not in err
    assert not path.exists() or load_pool(str(path)).of("steady.example", "ipv4") == ()
