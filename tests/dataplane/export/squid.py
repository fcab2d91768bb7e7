"""A running Squid with the lines of a plan, a resolver and servers of its own on loopback, and one question after the other."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

import dns.message
import dns.rrset

from dataplane.aws.hellos import forged_hello
from hostgate.flows.flow import Flow

_OWN = f"127.{80 + os.getpid() // 250 % 100}.{os.getpid() % 250}"
"""Addresses of this run's own, so that several may run on one machine."""

RESOLVER, ORIGIN, PROXY, OUTSIDER = (f"{_OWN}.{number}" for number in (53, 80, 31, 99))
_STARTED = count()
PATIENCE = 5.0
"""Seconds after which a question counts as not answered; none waits as long where all is well."""

REACHED = b"the origin was reached"
_SETTINGS = """
pid_filename none
cache_log {folder}/cache.log
access_log none
cache deny all
cache_mem 0 MB
coredump_dir {folder}
hosts_file none
visible_hostname proxy.test
dns_nameservers {resolver}
shutdown_lifetime 0 seconds
pinger_enable off
via off
include {lines}
"""


def version() -> str | None:
    """What is installed, if it reads SNI."""
    program = shutil.which("squid", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        return None
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True, timeout=30).stdout
    found = re.search(r"Version (\S+)", said)
    return found[1] if found and "--with-openssl" in said else None


@cache
def certificate() -> Path:
    """What a port for TLS has to have."""
    folder = Path(tempfile.mkdtemp(prefix="hostgate-squid-"))
    folder.chmod(0o755)
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=proxy.test -keyout - -out -"
    made = subprocess.run(command.split(), capture_output=True, check=True, timeout=60).stdout
    (folder / "proxy.pem").write_bytes(made)
    return folder / "proxy.pem"


class Lab:
    """What the proxy's surroundings saw: names that it asked for, and what reached a server, by port."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def serve(self, ports: frozenset[int]) -> None:
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        resolver.bind((RESOLVER, 53))
        self._run(resolver, self._resolve)
        for port in ports:
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((ORIGIN, port))
            server.listen(64)
            self._run(server, self._answer)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        def loop() -> None:
            with listener:
                while not self._stop.is_set():
                    with suppress(TimeoutError):  # so that the thread sees that it is to stop
                        serve(listener)

        listener.settimeout(0.1)
        self._threads.append(threading.Thread(target=loop, daemon=True))
        self._threads[-1].start()

    def _resolve(self, listener: socket.socket) -> None:
        wire, client = listener.recvfrom(4096)
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        name, kind = query.question[0].name, query.question[0].rdtype.name
        self.asked.append(name.to_text(omit_final_dot=True))
        if kind == "A":
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", ORIGIN))
        listener.sendto(reply.to_wire(), client)

    def _answer(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        client.settimeout(PATIENCE)
        with client, suppress(OSError):
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(REACHED))
            client.sendall(REACHED)

    def passes(self, flow: Flow) -> bool:
        """Whether what `flow` says reaches the server through the proxy."""
        host = f"[{flow.name}]" if ":" in flow.name else flow.name
        with socket.socket() as client:
            client.settimeout(PATIENCE)
            client.bind((flow.source or PROXY, 0))
            client.connect((PROXY, self.port))
            with suppress(ConnectionError, TimeoutError):
                if flow.protocol == "http":
                    said = f"Host: {flow.sni}\r\n" if flow.sni is not None else ""
                    client.sendall(
                        f"GET http://{host}:{flow.port}/ HTTP/1.1\r\n{said}Connection: close\r\n\r\n".encode()
                    )
                    return REACHED in _all(client)
                client.sendall(f"CONNECT {host}:{flow.port} HTTP/1.1\r\nHost: {host}:{flow.port}\r\n\r\n".encode())
                if not _head(client).startswith(b"HTTP/1.1 200"):
                    return False
                client.sendall(_first_data(flow))
                return REACHED in _all(client)
        return False


def _first_data(flow: Flow) -> bytes:
    if flow.application != "tls":
        return b"SSH-2.0-probe\r\n"
    return forged_hello(names=() if flow.sni is None else (flow.sni,))


def _head(client: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found and (more := client.recv(1)):
        found += more
    return found


def _all(client: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionError, TimeoutError):  # what is no HTTP is the proxy's own TLS, by which it refuses
        while REACHED not in found and b"HTTP".startswith(found[:4]) and (more := client.recv(65_536)):
            found += more
    return found


@contextmanager
def running(lines: str, listen: str, folder: Path, ports: frozenset[int]) -> Iterator[Lab]:
    """A proxy with `lines`, which listen on `listen`, and what it meets."""
    folder.chmod(0o777)
    conf, included = folder / "squid.conf", folder / "hostgate.squid.conf"
    included.write_text(lines)
    conf.write_text(_SETTINGS.format(folder=folder, resolver=RESOLVER, lines=included))
    for each in (conf, included):
        each.chmod(0o644)
    lab = Lab()
    lab.port = int(listen.rpartition(":")[2])
    with (folder / "said").open("wb") as said:
        # With a name of its own: what a killed one leaves in shared memory keeps the next of that name from starting.
        name = f"hostgate{os.getpid()}n{next(_STARTED)}"
        process = subprocess.Popen(["squid", "-N", "-n", name, "-f", str(conf)], stdout=said, stderr=said, cwd=folder)
    try:
        lab.serve(ports)
        _wait(lab.port, process, folder)
        lab.asked.clear()
        yield lab
    finally:
        lab.close()
        process.kill()
        process.wait()
        for left in Path("/dev/shm").glob(f"{name}-*"):
            left.unlink()


def _wait(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection((PROXY, port), timeout=1):
            return
        threading.Event().wait(0.05)
    told = [
        each.read_text(errors="replace")[-3_000:] for each in (folder / "said", folder / "cache.log") if each.exists()
    ]
    raise AssertionError("\n".join(("Squid does not listen", *told)))


def parsed(lines: str, folder: Path) -> str:
    """What Squid says of the lines when it reads them; raises AssertionError where it does not take them."""
    conf, included = folder / "squid.conf", folder / "hostgate.squid.conf"
    included.write_text(lines)
    conf.write_text(_SETTINGS.format(folder=folder, resolver=RESOLVER, lines=included))
    ran = subprocess.run(
        ["squid", "-k", "parse", "-f", str(conf)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    return ran.stderr
