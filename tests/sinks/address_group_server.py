"""Address groups of Google Cloud over HTTP on loopback, as their discovery document has them.

`AddressGroupServer` holds groups and answers what a push asks: `get`, `addItems`, `removeItems` and `operations.get`. It
refuses what the document or the service refuses: a path, a method or a body that is not in the document, a token that
nobody signed, a second change while one is under way, more items than the capacity, items of the other family. A request
with an id that it has seen gets the operation that it made then. Each operation takes `slow` looks before it is done.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

GROUP = "projects/acme-prod/locations/global/addressGroups/egress"
ORGANIZATION_GROUP = "organizations/123456789012/locations/global/addressGroups/egress"
ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_NETWORKSECURITY"

CODES = {
    "ABORTED": (409, 10), "ALREADY_EXISTS": (409, 6), "FAILED_PRECONDITION": (400, 9), "INVALID_ARGUMENT": (400, 3),
    "NOT_FOUND": (404, 5), "PERMISSION_DENIED": (403, 7), "RESOURCE_EXHAUSTED": (429, 8), "INTERNAL": (500, 13),
    "UNAVAILABLE": (503, 14), "UNAUTHENTICATED": (401, 16),
}  # fmt: skip
"""Status of HTTP and number in an operation, of each code (google/rpc/code.proto)."""

Answer = tuple[int, bytes]


def document() -> dict[str, Any]:
    """The discovery document of networksecurity v1, as Google's API client ships it."""
    spec = find_spec("googleapiclient")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "discovery_cache" / "documents" / "networksecurity.v1.json"
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read


DOCUMENT = document()


def method_of(verb: str, path: str) -> tuple[str, Mapping[str, Any], str]:
    """The id, the description and the resource of a call, by the document alone. Raises LookupError for one it lacks."""
    for parent in ("projects", "organizations"):
        resources = DOCUMENT["resources"][parent]["resources"]["locations"]["resources"]
        for kind in ("addressGroups", "operations"):
            for method in resources[kind]["methods"].values():
                (name,) = method["parameterOrder"]
                head, found, tail = method["path"].partition(f"{{+{name}}}")
                pattern = method["parameters"][name]["pattern"].strip("^$")
                match = found and re.fullmatch(f"/{re.escape(head)}({pattern}){re.escape(tail)}", path)
                if match and verb == method["httpMethod"]:
                    return method["id"], method, match[1]
    raise LookupError(f"{verb} {path}")


@dataclass
class Group:
    items: list[str]
    capacity: int
    labels: dict[str, str]
    type: str
    changes: int = 0


@dataclass
class Operation:
    group: str
    looks: int
    change: Callable[[], None] = lambda: None
    error: str | None = None
    done: bool = False


@dataclass
class Asked:
    """A call that arrived: the id of its method in the document, the resource and the body."""

    method: str
    resource: str
    body: dict[str, Any] = field(default_factory=dict)


class AddressGroupServer:
    """`url`, the `groups` by name, and what was `asked`, in order.

    `before`: called with the number of a change before it is judged; `after`: with the group after each change that came
    about. `errors`: codes to answer with, for each method (`get`, `addItems`, `removeItems`, `operations`), the next first;
    a number is a status of HTTP with a page. `ends`: codes that the next operations end with, None: well. `lost`: so many
    answers to changes that were taken never arrive. `strict`: an item that is there already, or is gone, is refused with this code.
    `deaf`: changes are taken and do not come about. `behind`: so many readings more show what stood before a change.
    `page`: what a proxy answers instead; `pages`: by method, statuses of pages that it puts in the place of the next answers.
    """

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.asked: list[Asked] = []
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[Group], None] = lambda _: None
        self.errors: dict[str, list[str | int]] = {}
        self.ends: list[str | None] = []
        self.lost = 0
        self.strict: str | None = None
        self.deaf = False
        self.behind = 0
        self.page: bytes | None = None
        self.pages: dict[str, list[int]] = {}
        self.slow = 0
        self._lock = threading.RLock()
        self._operations: dict[str, Operation] = {}
        self._requests: dict[str, str] = {}
        self._old: list[dict[str, Any]] = []
        self._tries = 0

    def __enter__(self) -> "AddressGroupServer":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def environment(self, folder: Path) -> dict[str, str]:
        """What leads the command here, with credentials in `folder` that the SDK finds, and asks nobody for."""
        key = folder / "account.json"
        key.write_text(json.dumps(_account(f"{self.url}/token")), "utf-8")
        return {
            ENDPOINT: f"{self.url}/", "GOOGLE_APPLICATION_CREDENTIALS": str(key), "NO_GCE_CHECK": "true",
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        }  # fmt: skip

    def make(
        self, *items: str, name: str = GROUP, capacity: int = 1000, family: str = "IPV4", owner: str | None = "pool"
    ) -> Group:
        labels = {"team": "egress"} | ({} if owner is None else {"hostgate-owner": owner})
        self.groups[name] = Group(list(items), capacity, labels, family)
        return self.groups[name]

    def items(self, name: str = GROUP) -> set[str]:
        return set(self.groups[name].items)

    def put(self, *, add: Sequence[str] = (), remove: Sequence[str] = (), name: str = GROUP) -> None:
        """A change of somebody else's, done at once."""
        group = self.groups[name]
        group.items = [each for each in group.items if each not in remove]
        group.items += [each for each in add if each not in group.items]
        group.changes += 1

    @property
    def changes(self) -> list[str]:
        """Of each change that was asked for, in a word: `+N` added, `-N` removed."""
        return [
            f"{'+' if each.method.endswith('addItems') else '-'}{len(each.body['items'])}"
            for each in self.asked
            if each.method.endswith("Items")
        ]

    def answer(self, verb: str, path: str, body: bytes, token: str) -> Answer | None:
        """What goes back; None if the connection is cut instead."""
        answer = self._answer(verb, path, body, token)
        short = "operations" if "/operations/" in path else path.rpartition(":")[2]
        return (self.pages[short].pop(0), b"<html>Sign in<br></html>") if self.pages.get(short) else answer

    def _answer(self, verb: str, path: str, body: bytes, token: str) -> Answer | None:
        with self._lock:
            if self.page is not None:
                return 200, self.page
            method, described, resource = method_of(verb, path)
            short = "operations" if ".operations." in method else method.rpartition(".")[2]
            asked = Asked(method, resource, json.loads(body) if body else {})
            self.asked.append(asked)
            if set(asked.body) - set(_schema(described.get("request", {}).get("$ref"))):
                return _error("INVALID_ARGUMENT", "Unknown name.")
            if token.count(".") != 2:
                return _error("UNAUTHENTICATED", "Request had invalid authentication credentials.")
            if self.errors.get(short):
                code = self.errors[short].pop(0)
                if isinstance(code, int):
                    return code, b"<html>Error</html>"
                return _error(code, "The request was refused.")
            if short == "operations":
                return self._look(resource)
            if short == "get":
                return self._get(resource)
            return self._change(asked, adds=short == "addItems")

    def _get(self, name: str) -> Answer:
        if name not in self.groups:
            return _error("NOT_FOUND", f"Resource '{name}' was not found")
        if self._old:
            return 200, json.dumps(self._old.pop(0)).encode()
        return 200, json.dumps(self._shown(name)).encode()

    def _shown(self, name: str) -> dict[str, Any]:
        group = self.groups[name]
        minutes, seconds = divmod(group.changes, 60)
        return {
            "name": name, "description": "", "createTime": "2026-11-01T00:00:00Z", "labels": group.labels,
            "updateTime": f"2026-11-29T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.000000001Z",
            "type": group.type, "items": group.items, "capacity": group.capacity, "purpose": ["DEFAULT"],
            "selfLink": f"https://networksecurity.googleapis.com/v1/{name}",
        }  # fmt: skip

    def _change(self, asked: Asked, *, adds: bool) -> Answer | None:
        self._tries += 1
        self.before(self._tries)
        request = asked.body["requestId"]
        assert UUID(request).int
        if request in self._requests:
            return self._shown_operation(self._requests[request])
        refused = self._refused(asked, adds=adds)
        if refused is not None:
            return refused
        items, before = asked.body["items"], self._shown(asked.resource)
        name = f"{asked.resource.rpartition('/addressGroups/')[0]}/operations/operation-{len(self._operations)}"

        def come_about() -> None:
            if not self.deaf:
                self.put(**{"add" if adds else "remove": items}, name=asked.resource)
            self._old = [before] * self.behind
            self.after(self.groups[asked.resource])

        error = self.ends.pop(0) if self.ends else None
        self._requests[request] = name
        self._operations[name] = Operation(asked.resource, self.slow, come_about, error)
        answer = self._look(name) if not self.slow else self._shown_operation(name)
        if self.lost:
            self.lost -= 1
            return None
        return answer

    def _refused(self, asked: Asked, *, adds: bool) -> Answer | None:
        group, items = self.groups.get(asked.resource), asked.body.get("items", [])
        if group is None:
            return _error("NOT_FOUND", f"Resource '{asked.resource}' was not found")
        if any(not each.done and each.group == asked.resource for each in self._operations.values()):
            return _error("ABORTED", "There is a conflicting operation in progress for the resource.")
        if not items or any(f"IPV{ip_network(each).version}" != group.type for each in items):
            return _error("INVALID_ARGUMENT", "An item is none of the group's type.")
        there = set(items) & set(group.items)
        if self.strict and there != (set() if adds else set(items)):
            return _error(self.strict, "An item is there already, or is not there.")
        if adds and len(set(group.items) | set(items)) > group.capacity:
            return _error("INVALID_ARGUMENT", "The number of items exceeds the capacity.")
        return None

    def _look(self, name: str) -> Answer:
        if name not in self._operations:
            return _error("NOT_FOUND", f"Operation '{name}' was not found")
        operation = self._operations[name]
        if not operation.done:
            operation.looks -= 1
            if operation.looks <= 0:
                operation.done = True
                if operation.error is None:
                    operation.change()
        return self._shown_operation(name)

    def _shown_operation(self, name: str) -> Answer:
        operation = self._operations[name]
        shown: dict[str, Any] = {
            "name": name,
            "done": operation.done,
            "metadata": {
                "@type": "type.googleapis.com/google.cloud.networksecurity.v1.OperationMetadata",
                "createTime": "2026-11-29T00:00:00.5Z", "target": operation.group, "verb": "update", "apiVersion": "v1",
            },
        }  # fmt: skip
        if operation.done and operation.error:
            shown["error"] = {"code": CODES[operation.error][1], "message": "The operation failed."}
        elif operation.done:
            shown["response"] = {
                "@type": "type.googleapis.com/google.cloud.networksecurity.v1.AddressGroup", **self._shown(operation.group)
            }  # fmt: skip
        return 200, json.dumps(shown).encode()


def _schema(name: str | None) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = DOCUMENT["schemas"][name]["properties"] if name else {}
    return properties


def _error(code: str, message: str) -> Answer:
    status = CODES[code][0]
    return status, json.dumps({"error": {"code": status, "message": message, "status": code}}).encode()


@cache
def _key() -> str:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _account(token_uri: str) -> dict[str, str]:
    """A service account: the SDK signs its own tokens with the key."""
    return {
        "type": "service_account", "project_id": "acme-prod", "private_key_id": "1", "private_key": _key(),
        "client_email": "pool-refresher@acme-prod.iam.gserviceaccount.com", "token_uri": token_uri,
    }  # fmt: skip


def _handler(server: AddressGroupServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            assert query in ("", "%24alt=json%3Benum-encoding%3Dint"), query
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = server.answer(self.command, path, body, token)
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    return Handler
