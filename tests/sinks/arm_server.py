"""An IP group of Azure Resource Manager over HTTPS on loopback, and the endpoint that gives a job its token.

It answers as the service was seen to: errors as Resource Manager spells them, 412 for a stale ETag (public IP addresses of
the same service: github.com/kubernetes-sigs/cloud-provider-azure/issues/9729), 409 while something is changing, and a PUT
that is done when its Azure-AsyncOperation is (github.com/Azure/azure-powershell/issues/19436). It refuses a PUT that is
no body of an IP group (2024-05-01, ipGroups.json of azure-rest-api-specs), or one without a condition.
"""

import contextlib
import datetime
import ipaddress
import json
import os
import ssl
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-egress/providers/Microsoft.Network/ipGroups/registry"
POLICY = f"{SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/firewallPolicies/fp-hub"
TOKEN = "a-token"

Refusal = tuple[int, str] | tuple[int, str, dict[str, str]]


class ArmServer:
    """`url`, and what it was asked. `puts`: the bodies that were taken; `asked`: methods and last names of paths.

    `before`: called with the number of a PUT before it is judged. `errors`: what to answer with, by method, the next first.
    `lost`: so many PUTs are taken and not answered. `slow`: looks at an operation before it is done. `fails`: so many
    operations fail. `deaf`: a PUT is taken and does not come about.
    `page`: what a proxy answers instead, to methods of `page_of`, with `page_status`.
    `plain`: addresses are shown without the `/32` that they were put with.
    """

    def __init__(self) -> None:
        self.group: dict[str, Any] = {}
        self.puts: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.scopes: list[str] = []
        self.before: Callable[[int], None] = lambda _: None
        self.errors: dict[str, list[Refusal]] = {}
        self.page: tuple[str, bytes] | None = None
        self.page_of = ("GET", "PUT")
        self.page_status = 200
        self.lost = self.slow = self.fails = 0
        self.deaf = self.plain = False
        self.denied = False
        self.lock = threading.RLock()
        self._tries = 0
        self._version = 0
        self._looks = 0
        self._under_way = False

    def __enter__(self) -> "ArmServer":
        self._folder = tempfile.TemporaryDirectory()
        place = Path(self._folder.name)
        _certificate(place)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place / "ca.pem", place / "key.pem")
        self._manager = _serve(_manager(self))
        self._manager.socket = context.wrap_socket(self._manager.socket, server_side=True)
        self._identity = _serve(_identity(self))
        self._threads = [
            threading.Thread(target=each.serve_forever, args=(0.02,), daemon=True)
            for each in (self._manager, self._identity)
        ]
        for each in self._threads:
            each.start()
        self.url = f"https://127.0.0.1:{self._manager.server_port}"
        self.environment = {
            "ARM_ENDPOINT": self.url,
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self._identity.server_port}/msi/token",
            "IDENTITY_HEADER": "secret",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "REQUESTS_CA_BUNDLE": str(place / "ca.pem"),
            "NO_PROXY": "127.0.0.1",
        }
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._manager, self._identity):
            each.shutdown()
            each.server_close()
        for thread in self._threads:
            thread.join()
        self._folder.cleanup()

    def make(self, *addresses: str, owner: str | None = "pool", **tags: str) -> None:
        """A group with `addresses`, and more than this version of the API knows."""
        self.group = {
            "id": GROUP,
            "name": "registry",
            "type": "Microsoft.Network/ipGroups",
            "location": "westeurope",
            "tags": {"team": "egress"} | ({} if owner is None else {"hostgate-owner": owner}) | tags,
            "zone": {"of": "a later version"},
            "properties": {
                "provisioningState": "Succeeded",
                "ipAddresses": list(addresses),
                "firewalls": [],
                "firewallPolicies": [{"id": POLICY}],
                "priority": "of a later version",
            },
        }
        self._changed()

    def addresses(self) -> list[str]:
        with self.lock:
            return list(self.group["properties"]["ipAddresses"])

    def write(self, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), **tags: str) -> None:
        """A change of somebody else's, done at once."""
        with self.lock:
            kept = [each for each in self.addresses() if each not in remove]
            self.group["properties"]["ipAddresses"] = [*kept, *add]
            self.group["tags"] |= tags
            self._changed()

    def state(self, state: str) -> None:
        with self.lock:
            self.group["properties"]["provisioningState"] = state
            self._changed()

    def _changed(self) -> None:
        self._version += 1
        self.group["etag"] = f'W/"{self._version:08x}-0000-0000-0000-000000000000"'

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body; status 0: no answer at all."""
        with self.lock:
            self.asked.append(f"{method} {path.rpartition('/')[2]}")
            if self.errors.get(method):
                status, code, *more = self.errors[method].pop(0)
                return _refusal(status, code, "The request was refused.", *more)
            if headers["Authorization"] != f"Bearer {TOKEN}":
                return _refusal(401, "InvalidAuthenticationToken", "The access token is invalid.")
            if self.page is not None and method in self.page_of:
                return self.page_status, {"Content-Type": self.page[0]}, self.page[1]
            if "/nfvOperations/" in path:
                return self._operation()
            if path.lower() != GROUP.lower() or not self.group:
                return _refusal(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
            if method == "GET":
                if self._under_way:  # it goes on whoever looks, also where the answer that names it was lost
                    self._operation()
                return 200, {}, self.group
        return self._put(headers, json.loads(body))

    def _put(self, headers: Any, body: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        with self.lock:
            self._tries += 1
            number = self._tries
        self.before(number)
        with self.lock:
            state = self.group["properties"]["provisioningState"]
            if state in ("Updating", "Deleting"):
                return _refusal(409, "AnotherOperationInProgress", "Another operation is in progress.")
            condition = headers["If-Match"]
            if condition != self.group["etag"]:
                message = f"Etag provided in if-match header {condition} does not match etag {self.group['etag']}."
                return _refusal(412, "PreconditionFailed", "Precondition failed.", {}, message)
            if wrong := wrong_body(body, self.group):
                return _refusal(400, "InvalidRequestFormat", wrong)
            self.puts.append(body)
            if not self.deaf:
                put = body["properties"]["ipAddresses"]
                self.group["properties"]["ipAddresses"] = [
                    each.removesuffix("/32") if self.plain else each for each in put
                ]
            self.state("Updating" if self.slow or self.fails else "Succeeded")
            self._looks, self._under_way = self.slow, bool(self.slow or self.fails)
            if self.lost:
                self.lost -= 1
                return 0, {}, None
            operation = f"{self.url}{SUBSCRIPTION}/providers/Microsoft.Network/locations/westeurope/nfvOperations/1"
            return 200, {"Azure-AsyncOperation": operation, "Retry-After": "10"}, self.group

    def _operation(self) -> tuple[int, dict[str, str], Any]:
        if self._looks:
            self._looks -= 1
            return 200, {"Retry-After": "10"}, {"status": "InProgress"}
        self._under_way = False
        if self.fails:
            self.fails -= 1
            self.state("Failed")
            message = "Put on IP Groups registry Failed with 1 faulted referenced firewalls"
            return 200, {}, {"status": "Failed", "error": {"code": "IpGroupsUpdateFailed", "message": message}}
        self.state("Succeeded")
        return 200, {}, {"status": "Succeeded"}


def wrong_body(body: dict[str, Any], stands: dict[str, Any]) -> str | None:
    """What the service would not take, or what takes something from the group that is not an address."""
    kept = {key: value for key, value in stands.items() if key not in ("etag", "name", "type", "properties")}
    if {key: value for key, value in body.items() if key != "properties"} != kept:
        return f"What is not an address differs: {body}"
    properties = body["properties"]
    if properties.keys() != {"ipAddresses", "priority"} or properties["priority"] != "of a later version":
        return f"A property is gone, or is read-only: {properties}"
    addresses = properties["ipAddresses"]
    if not addresses or len(addresses) > 5000 or len(set(addresses)) != len(addresses):
        return f"{len(addresses)} addresses."
    for each in addresses:
        try:
            [ipaddress.ip_network(part) for part in each.split("-")]
        except ValueError:
            return f"{each} is no address."
    return None


def _refusal(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, detail: str = ""
) -> tuple[int, dict[str, str], Any]:
    details = [{"code": f"{code}EtagMismatch", "message": detail}] if detail else []
    return status, headers or {}, {"error": {"code": code, "message": message, "details": details}}


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that is gone, or that does not trust the certificate, is its own concern."""


def _serve(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    return _Server(("127.0.0.1", 0), handler)


def _manager(server: ArmServer) -> type[BaseHTTPRequestHandler]:
    class Manager(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, headers, said = server.answer(self.command, urlsplit(self.path).path, self.headers, body)
            if not status:
                return
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data)

        do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    return Manager


def _identity(server: ArmServer) -> type[BaseHTTPRequestHandler]:
    """Container Apps, "Managed identities", read 2026-11-28: IDENTITY_ENDPOINT, and IDENTITY_HEADER in X-IDENTITY-HEADER."""

    class Identity(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.scopes.append(self.path)
            denied = server.denied or self.headers["X-IDENTITY-HEADER"] != "secret"
            said = {"message": "No managed identity"} if denied else {
                "access_token": TOKEN, "expires_on": "4102444800", "token_type": "Bearer", "resource": "-",
            }  # fmt: skip
            self.send_response(400 if denied else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            return

    return Identity


def _certificate(place: Path) -> None:
    """A certificate of this machine's loopback that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (place / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    with os.fdopen(os.open(place / "key.pem", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
