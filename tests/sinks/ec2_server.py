"""EC2's managed prefix lists over HTTP on loopback: moto's, with the rules of the service that moto does not hold to.

moto takes any number of changes, any version, any size, at once and at every moment. `PrefixListServer` stands before it
and refuses what the service refuses: more than 100 entries in a change, entries and size together, a stale version, a
change while one is under way, more entries than the size, the same network twice, what is not there. Each change takes
`slow` looks at the list before it is done.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import moto.server as moto_app
import werkzeug.serving as serving
from moto.ec2.models import ec2_backends
from moto.ec2.models.managed_prefixes import ManagedPrefixList

LIST = "pl-0c0ffee0c0ffee000"
REGION = "eu-west-1"

Answer = tuple[str, bytes]


class PrefixListServer:
    """`url`, and what it was asked: `changes` that were taken, each as its parameters, `asked` the names of all actions.

    `before`: called with the number of a change before it is judged. `errors`: codes to answer with, for each action, the
    next first. `no_room`: what refers to the list cannot take a larger size. `page`: what a proxy answers instead, with
    `status`; `taken`: only to a change, and after the service took it.
    `deaf`: a new size is taken and does not come about.
    """

    def __init__(self) -> None:
        self.changes: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.before: Callable[[int], None] = lambda _: None
        self.errors: dict[str, list[str]] = {}
        self.no_room = False
        self.deaf = False
        self.page: bytes | None = None
        self.status = "200 OK"
        self.taken = False
        self.slow = 0
        self._looks = 0
        self._tries = 0
        self._app = moto_app.DomainDispatcherApplication(moto_app.create_backend_app)

    def __enter__(self) -> "PrefixListServer":
        ec2_backends["123456789012"][REGION].managed_prefix_lists.clear()
        self._server = serving.make_server("127.0.0.1", 0, self, threaded=False, request_handler=_quiet())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What leads the SDK here."""
        return {
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }  # fmt: skip

    def make(self, *entries: tuple[str, str], family: str = "IPv4", size: int = 1000, list_id: str = LIST) -> None:
        """A list with `entries`, each a network and a description."""
        backend = ec2_backends["123456789012"][REGION]
        made = backend.create_managed_prefix_list(
            address_family=family, max_entries=str(size), prefix_list_name="egress",
            entry=[{"Cidr": cidr, "Description": description} for cidr, description in entries],
        )  # fmt: skip
        made.entries.setdefault(1, [])
        backend.managed_prefix_lists[list_id] = backend.managed_prefix_lists.pop(made.id)
        made.id = list_id

    def list(self, list_id: str = LIST) -> ManagedPrefixList:
        return ec2_backends["123456789012"][REGION].managed_prefix_lists[list_id]

    def entries(self) -> dict[str, str]:
        """What stands: descriptions by network."""
        one = self.list()
        return {each["Cidr"]: each["Description"] for each in one.entries[one.version]}

    def put(self, *, add: Sequence[tuple[str, str]] = (), remove: Sequence[str] = ()) -> None:
        """A change of somebody else's, done at once."""
        one = self.list()
        kept = [each for each in one.entries[one.version] if each["Cidr"] not in remove]
        one.version += 1
        one.entries[one.version] = kept + [{"Cidr": cidr, "Description": told} for cidr, told in add]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        asked = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        action = asked.get("Action", "")
        self.asked.append(action)
        if self.page is not None and not self.taken:
            start_response(self.status, [("Content-Type", "text/html")])
            return [self.page]
        refused = self._refused(action, asked)
        if refused is not None:
            code, message = refused
            status = "503 Slow" if code == "RequestLimitExceeded" else "400 Bad Request"
            start_response(status, [("Content-Type", "text/xml")])
            return [
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                "<RequestID>r</RequestID></Response>".encode()
            ]
        name = self.list(asked["PrefixListId"]).prefix_list_name if action == "ModifyManagedPrefixList" else None
        answer = list(self._app(environ, start_response))
        if action == "ModifyManagedPrefixList":
            self._take(asked)
            if "PrefixListName" not in asked:
                self.list(asked["PrefixListId"]).prefix_list_name = name  # moto forgets it
            if self.page is not None:
                start_response(self.status, [("Content-Type", "text/html")])
                return [self.page]
        elif action == "DescribeManagedPrefixLists" and LIST in asked.values() and self._looks:
            self._looks -= 1
            if not self._looks and self.list().state == "modify-in-progress":
                self.list().state = "modify-complete"
        return answer

    def _refused(self, action: str, asked: dict[str, str]) -> tuple[str, str] | None:
        if self.errors.get(action):
            return self.errors[action].pop(0), "The request was refused."
        if action == "DescribeManagedPrefixLists":
            named = asked.get("PrefixListId.1")
            if named is not None and named not in ec2_backends["123456789012"][REGION].managed_prefix_lists:
                return "InvalidPrefixListID.NotFound", f"The prefix list ID '{named}' does not exist."
        if action != "ModifyManagedPrefixList":
            return None
        self._tries += 1
        self.before(self._tries)
        one = self.list(asked["PrefixListId"])
        add = [value for key, value in asked.items() if key.startswith("AddEntry.") and key.endswith(".Cidr")]
        remove = [value for key, value in asked.items() if key.startswith("RemoveEntry.") and key.endswith(".Cidr")]
        standing = {each["Cidr"] for each in one.entries[one.version]}
        if one.state.endswith("-in-progress"):
            return "IncorrectState", f"The prefix list is in the current state ({one.state})."
        if "MaxEntries" in asked and (add or remove):
            return (
                "InvalidParameterCombination",
                "You cannot modify the entries and the maximum entries in the same request.",
            )
        if (add or remove) and asked.get("CurrentVersion") != str(one.version):
            return "PrefixListVersionMismatch", "The prefix list has the incorrect version number."
        if len(add) > 100 or len(remove) > 100:
            return "InvalidParameterValue", "At most 100 entries."
        if len(standing - set(remove) | set(add)) > int(one.max_entries):
            return "PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list."
        if set(remove) - standing or set(add) & standing or set(add) & set(remove):
            return "InvalidPrefixListModification", "An entry is there already, or is not there."
        return None

    def _take(self, asked: dict[str, str]) -> None:
        self.changes.append(asked)
        one = self.list(asked["PrefixListId"])
        if "MaxEntries" in asked:
            if self.no_room:
                one.state, one.state_message = "modify-failed", "sg-0123 has no room for the new size"
                return
            one.max_entries = one.max_entries if self.deaf else asked["MaxEntries"]
        if self.slow:
            one.state, self._looks = "modify-in-progress", self.slow


def sizes(changes: Sequence[dict[str, str]]) -> list[str]:
    """Of each change in a word: `+N` added, `-N` removed, `=N` the size."""
    told = []
    for each in changes:
        add, remove = (
            sum(key.startswith(kind) and key.endswith(".Cidr") for key in each)
            for kind in ("AddEntry.", "RemoveEntry.")
        )
        told.append(f"={each['MaxEntries']}" if "MaxEntries" in each else f"+{add}" if add else f"-{remove}")
    return told


def _quiet() -> Any:
    class Quiet(serving.WSGIRequestHandler):  # type: ignore[misc, name-defined]
        def log(self, *_: object) -> None:
            return

    return Quiet
