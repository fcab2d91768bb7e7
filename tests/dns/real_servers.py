"""knot behind unbound, from Debian, on loopback: a real authority and a real cache, in real time."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

_SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
_UP = 10.0
"""Seconds that a server may take to answer."""


def program(name: str) -> str | None:
    """Where `name` is installed."""
    return shutil.which(name, path=_SBIN)


def missing() -> list[str]:
    """Programs that are needed and not installed."""
    return [name for name in ("knotd", "knotc", "unbound") if program(name) is None]


@dataclass(frozen=True)
class Servers:
    """Ports on 127.0.0.1, and the authority's process and folder."""

    authority: int
    cache: int
    folder: Path
    knot: "subprocess.Popen[bytes]"

    def stop_authority(self) -> None:
        """From now on the cache is alone."""
        self.knot.terminate()
        self.knot.wait(10)


@contextmanager
def servers(folder: Path, zone: str, **options: str) -> Iterator[Servers]:
    """knot serving `zone` (the text of example.test), unbound before it with `options` (underscores for hyphens)."""
    authority, cache = _free_port(), _free_port()
    with ExitStack() as stack:
        knot = stack.enter_context(_knot(folder, zone, authority))
        stack.enter_context(_unbound(folder, authority, cache, options))
        for port in (authority, cache):
            _wait_for(port)
        yield Servers(authority, cache, folder, knot)


@contextmanager
def authority(folder: Path, zone: str, domain: str) -> Iterator[int]:
    """knot alone, serving `zone` (the text of `domain`); its port."""
    port = _free_port()
    with _knot(folder, zone, port, domain):
        _wait_for(port)
        yield port


@contextmanager
def _knot(folder: Path, zone: str, port: int, domain: str = "example.test") -> Iterator["subprocess.Popen[bytes]"]:
    (folder / "zones").mkdir()
    (folder / "zones" / f"{domain}.zone").write_text(dedent(zone))
    (folder / "knot.conf").write_text(
        f"server:\n  rundir: {folder}/run\n  listen: 127.0.0.1@{port}\n"
        f"database:\n  storage: {folder}/db\n"
        f"template:\n  - id: default\n    storage: {folder}/zones\n"
        f"zone:\n  - domain: {domain}\n"
    )
    (folder / "run").mkdir()
    with _running([program("knotd") or "knotd", "-c", str(folder / "knot.conf")], folder / "knot.log") as process:
        yield process


@contextmanager
def _unbound(folder: Path, authority: int, port: int, options: dict[str, str]) -> Iterator[None]:
    more = "".join(f"  {name.replace('_', '-')}: {value}\n" for name, value in options.items())
    (folder / "unbound.conf").write_text(
        f'server:\n  interface: 127.0.0.1\n  port: {port}\n  username: ""\n  chroot: ""\n  directory: {folder}\n'
        f"  pidfile: {folder}/unbound.pid\n  use-syslog: no\n  do-not-query-localhost: no\n  do-daemonize: no\n"
        f"  module-config: iterator\n{more}"
        # the rest of the tree does not exist: nothing leaves this machine
        "  local-zone: . static\n  local-zone: example.test. transparent\n"
        f"stub-zone:\n  name: example.test\n  stub-addr: 127.0.0.1@{authority}\n"
    )
    with _running([program("unbound") or "unbound", "-c", str(folder / "unbound.conf")], folder / "unbound.log"):
        yield


@contextmanager
def _running(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _free_port() -> int:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        port: int = tcp.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + _UP
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
