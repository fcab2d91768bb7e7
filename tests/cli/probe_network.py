"""A network of its own for a probe: run under `unshare -rnm`, so that no packet leaves the machine.

Reads from stdin, as JSON: `hosts` (addresses by name), `servers` (by ADDRESS PORT how it behaves), `passed` (names that a
`gate` lets pass), `filter` (an nft ruleset), `own` (addresses of the client), `unreachable` (those to which no way leads),
`certificates`, `command`, `environment`, `folder`. Prints what the command printed, and its exit code.
"""

import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading

ALERT = bytes.fromhex("15030300020228")
"""TLS: fatal, handshake_failure."""


def serve(behaviour: str, listener: socket.socket, certificates: dict[str, str], passed: list[str]) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(behaviour, connection, certificates, passed), daemon=True).start()


def answer(behaviour: str, connection: socket.socket, certificates: dict[str, str], passed: list[str]) -> None:
    if behaviour == "proxy":  # that is told a name, with a server behind it
        asked = connection.recv(4096)
        assert asked.startswith(b"CONNECT "), asked
        allowed = any(f"CONNECT {name}:443 ".encode() in asked for name in passed)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\n\r\n" if allowed else b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
        )
        behaviour = "tls" if allowed else "refused"
    if behaviour == "gate":  # as a firewall that reads names, with a server behind it
        hello = connection.recv(4096, socket.MSG_PEEK)
        behaviour = "tls" if any(name.encode() in hello for name in passed) else "reset"
    behaviour, _, status = behaviour.partition(" ")  # and what the answer says, a header behind it
    status, _, header = status.partition(" ")
    if behaviour in certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates[behaviour])
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                request = secured.recv(4096)
                assert request.startswith(b"HEAD / HTTP/1.1\r\n") or not request, request
                assert b"uthorization" not in request, request
                secured.sendall(response(status or "401", header))
        except (OSError, ssl.SSLError):
            pass
        return
    if behaviour == "banner":
        connection.sendall(b"220 here\r\n")
    elif behaviour != "mute":
        connection.recv(4096)
        if behaviour == "http":
            connection.sendall(response(status or "200", header))
        if behaviour == "alert":
            connection.sendall(ALERT)
        if behaviour == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        while connection.recv(4096):
            pass
    connection.close()


def response(status: str, header: str) -> bytes:
    more = f"{header}\r\n" if header else ""
    return f"HTTP/1.1 {status} Said\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


def main() -> int:
    told = json.load(sys.stdin)
    here = told["folder"]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (*told["own"], *dict.fromkeys(address for each in told["hosts"].values() for address in each)):
        there = (
            ["route", "add", "unreachable", address]
            if address in told["unreachable"]
            else ["addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else [])]
        )
        subprocess.run(["ip", *there], check=True)
    lines = [f"{address} {name}" for name, each in told["hosts"].items() for address in each]
    hosts, resolver = os.path.join(here, "hosts"), os.path.join(here, "resolv.conf")  # noqa: PTH118
    for path, text in (
        (hosts, "\n".join(lines) + "\n"),
        (resolver, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
    ):
        with open(path, "w") as file:  # noqa: PTH123
            file.write(text)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
    if told["filter"]:
        subprocess.run(["nft", "-f", "-"], input=told["filter"], text=True, check=True)
    for where, behaviour in told["servers"].items():
        address, port = where.split()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, int(port)), family=family)
        threading.Thread(
            target=serve, args=(behaviour, listener, told["certificates"], told["passed"]), daemon=True
        ).start()
    done = subprocess.run(
        told["command"], capture_output=True, text=True, env=os.environ | told["environment"], cwd=here
    )
    json.dump({"code": done.returncode, "out": done.stdout, "err": done.stderr}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
