"""One git repository over HTTPS under a name of its own, for a CLI that takes git packages from HTTPS only."""

import contextlib
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "git.example"
TIME_LIMIT = 60


@contextlib.contextmanager
def serving(repositories: Path, folder: Path) -> Iterator[Mapping[str, str]]:
    """Serve the bare repositories below `repositories` as https://git.example/; gives the environment to reach them.

    A proxy answers for the host, so that nothing needs the real name or its port. Key and certificate go into `folder`.
    """
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=TIME_LIMIT,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Git", (_Git,), {"context": context, "root": repositories}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield {
            # Go takes the first that is not empty; Python, and so pip, prefers the lower-case one and goes without.
            "HTTPS_PROXY": f"http://127.0.0.1:{server.server_address[1]}",
            "https_proxy": "",
            "NO_PROXY": "localhost,127.0.0.1",
            "SSL_CERT_FILE": str(_trusted(certificate)),
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join(TIME_LIMIT)


def _trusted(certificate: Path) -> Path:
    """A file of `certificate` and of what this machine trusts: pip reads it too."""
    usual = ssl.get_default_verify_paths().cafile
    known = Path(usual).read_bytes() if usual and Path(usual).is_file() else b""
    bundle = certificate.with_name("trusted.pem")
    bundle.write_bytes(known + b"\n" + certificate.read_bytes())
    return bundle


class _Git(BaseHTTPRequestHandler):
    """A CONNECT proxy that is the other end itself, and hands requests to git's own program for HTTP."""

    protocol_version = "HTTP/1.1"
    timeout = TIME_LIMIT
    context: ssl.SSLContext
    root: Path

    def do_CONNECT(self) -> None:
        if self.path != f"{HOST}:443":
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        self.connection = self.request = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type") or "",
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            },
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""
