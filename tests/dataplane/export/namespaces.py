"""Three network namespaces on this machine: a client, a box that forwards, and servers; nothing leads out of them."""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from hostgate.flows.flow import Flow

T = TypeVar("T")

CLIENT, STRANGER = ("10.77.1.2", "fd77:1::2"), ("10.77.1.3", "fd77:1::3")
SERVERS = ("203.0.113.", "2001:db8:77::")
"""What addresses of servers begin with; each ends in a number, in hexadecimal over IPv6."""

PATIENCE = 0.25
"""Seconds for what takes less than a millisecond where it is let pass."""

_NEWNET = 0x40000000
_IP_PKTINFO = 8  # linux/in.h
_LIBC = ctypes.CDLL(None, use_errno=True)


def lacking() -> str:
    """Why this machine cannot have the namespaces; empty if it can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "network namespaces need root"
    if missing := [each for each in ("ip", "nft") if shutil.which(each, path=_PATH) is None]:
        return f"{' and '.join(missing)} missing. sh tests/dataplane/export/setup.sh installs them on Debian"
    made = subprocess.run(["unshare", "-n", "nft", "list", "ruleset"], capture_output=True, text=True, check=False)
    return "" if made.returncode == 0 else f"no namespace with nftables can be made here: {made.stderr.strip()[:120]}"


_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def address(number: int, family: int = 4) -> str:
    """The address of a server."""
    return f"{SERVERS[0]}{number}" if family == 4 else f"{SERVERS[1]}{number:x}"


class Namespaces:
    """The three, by the names of their ends; `mark` tells them from those of other runs."""

    def __init__(self) -> None:
        self.mark = f"hg{os.getpid() % 100_000}"
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def ip(self, *words: str, inside: str = "") -> None:
        where = ["-n", f"{self.mark}{inside}"] if inside else []
        ran = subprocess.run(["ip", *where, *words], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"ip {' '.join(words)}: {ran.stderr}"

    def run(self, inside: str, *words: str, given: str | None = None) -> str:
        """What a program says that runs inside."""
        command = ["ip", "netns", "exec", f"{self.mark}{inside}", *words]
        ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, ran.stderr[:2_000]
        return ran.stdout

    def load(self, rules: str) -> None:
        """Hand the box a file of rules, as one transaction."""
        self.run("f", "nft", "-f", "-", given=rules)

    def inside(self, name: str, work: Callable[[], T]) -> T:
        """What `work` returns in a thread whose sockets are inside."""
        outcome: list[T] = []

        def enter() -> None:
            with Path(f"/run/netns/{self.mark}{name}").open() as handle:
                if _LIBC.setns(handle.fileno(), _NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            outcome.append(work())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return outcome[0]

    def make(self) -> None:
        for end in ("c", "f", "s"):
            self.ip("netns", "add", f"{self.mark}{end}")
            self.ip("link", "set", "lo", "up", inside=end)
            self.run(end, "sysctl", "-q", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0")
        for end, number in (("c", 1), ("s", 2)):
            self.ip("link", "add", f"{self.mark}{end}", "type", "veth", "peer", "name", f"{self.mark}{end}f")
            for link, where, last_part in ((f"{self.mark}{end}", end, 2), (f"{self.mark}{end}f", "f", 1)):
                self.ip("link", "set", link, "netns", f"{self.mark}{where}")
                self.ip("addr", "add", f"10.77.{number}.{last_part}/24", "dev", link, inside=where)
                self.ip("addr", "add", f"fd77:{number}::{last_part:x}/64", "dev", link, "nodad", inside=where)
                self.ip("link", "set", link, "up", inside=where)
            self.ip("route", "add", "default", "via", f"10.77.{number}.1", inside=end)
            self.ip("-6", "route", "add", "default", "via", f"fd77:{number}::1", inside=end)
        self.run(
            "s", "sysctl", "-q", "net.ipv4.ip_nonlocal_bind=1", "net.ipv6.ip_nonlocal_bind=1"
        )  # only a route has the addresses
        self.run("f", "sysctl", "-q", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for more, length in zip(STRANGER, ("24", "64"), strict=True):
            self.ip(
                "addr",
                "add",
                f"{more}/{length}",
                "dev",
                f"{self.mark}c",
                *(["nodad"] if ":" in more else []),
                inside="c",
            )
        self.ip("route", "add", f"{SERVERS[0]}0/24", "via", "10.77.2.2", inside="f")
        self.ip("-6", "route", "add", f"{SERVERS[1]}/64", "via", "fd77:2::2", inside="f")
        self.ip("route", "add", "local", f"{SERVERS[0]}0/24", "dev", "lo", inside="s")
        self.ip("-6", "route", "add", "local", f"{SERVERS[1]}/64", "dev", "lo", inside="s")

    def remove(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for end in ("c", "f", "s"):
            subprocess.run(["ip", "netns", "del", f"{self.mark}{end}"], capture_output=True, check=False)

    def serve(self, tcp: Sequence[int], udp: Sequence[int], inside: str = "s") -> None:
        """Servers on every address inside: TCP says what it hears, UDP too."""

        def listen() -> list[socket.socket]:
            return [
                _listening(family, kind, port)
                for kind, ports in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp))
                for family in (socket.AF_INET, socket.AF_INET6)
                for port in ports
            ]

        for server in self.inside(inside, listen):
            self._threads.append(threading.Thread(target=self._echo, args=(server,), daemon=True))
            self._threads[-1].start()

    def _echo(self, server: socket.socket) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError, ConnectionError):
                if server.type == socket.SOCK_DGRAM:
                    data, about, _, client = server.recvmsg(1024, 256)
                    server.sendmsg(
                        [data], [(level, kind, _without_link(value)) for level, kind, value in about], 0, client
                    )
                    continue
                client, _ = server.accept()
                with client:
                    client.settimeout(PATIENCE)
                    client.sendall(client.recv(1024))
        server.close()

    def all_answers(self, flows: Sequence[Flow]) -> dict[Flow, bool]:
        """The same of many flows to addresses, at once."""
        with ThreadPoolExecutor(32) as several:
            asked = [several.submit(self.answers, flow.name, flow.port, udp=flow.protocol == "udp") for flow in flows]
        return {flow: each.result() for flow, each in zip(flows, asked, strict=True)}

    def answers(
        self, there: str, port: int, *, udp: bool = False, source: str = "", sport: int = 0, inside: str = "c"
    ) -> bool:
        """Whether what a client says comes back."""
        return self.inside(inside, lambda: answered(there, port, udp=udp, source=source, sport=sport))


def _listening(family: socket.AddressFamily, kind: socket.SocketKind, port: int) -> socket.socket:
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_DGRAM:  # so that the answer comes from the address that was asked
        asked = (
            (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO)
            if family == socket.AF_INET6
            else (socket.IPPROTO_IP, _IP_PKTINFO)
        )
        server.setsockopt(*asked, 1)
    server.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    server.settimeout(0.1)
    if kind == socket.SOCK_STREAM:
        server.listen(512)
    return server


def _without_link(about: bytes) -> bytes:
    """in6_pktinfo or in_pktinfo with the address that was asked alone: the answer goes by another link."""
    return about[:16] + bytes(4) if len(about) == 20 else bytes(4) + about[4:]


def answered(there: str, port: int, *, udp: bool = False, source: str = "", sport: int = 0) -> bool:
    """Whether a server says what a client said to it; in the namespace of the thread."""
    family = socket.AF_INET6 if ":" in there else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as client:
        client.settimeout(PATIENCE)
        if source or sport:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((source, sport))
        try:
            client.connect((there, port))
            client.send(b"said")
            return client.recv(16) == b"said"
        except OSError:
            return False


@contextmanager
def namespaces() -> Iterator[Namespaces]:
    """The three, and none of them afterwards."""
    made = Namespaces()
    try:
        made.make()
        yield made
    finally:
        made.remove()
