"""An address group of Google Cloud, kept at what an address pool says: what is lacking first, then what is due to leave.

Items have no description and a group no version. Whose its items are, the group's label says, so that a group has one
owner and all of it is his; a group without it is left alone. A change names items and not the whole, so another push from
the same pool loses nothing by ours: each step reads group and pool anew, and ends when both are the same.

Rules of the service, from the discovery document of networksecurity v1 (revision 20261104) and its SDK unless another
source is named: `addItems` and `removeItems` are operations that take their time; a request with the id of one that was
taken is ignored for an hour; type and capacity never change (docs/address-groups-firewall-policies, read 2026-11-29).
What the service says of an item that is there already, or is gone, is not documented, nor who may change a group that is
changing. So a change that is refused is looked at again: if the group has it by then, or is another one, nothing is lost.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.planning.address_pool import OWNER_LABEL, mark
from hostgate.requirement import install_command
from hostgate.sinks.address_list import ListEntry, family_named, network
from hostgate.sinks.push import (
    Progress,
    PushOrder,
    PushReport,
    StandingList,
    after_others,
    due,
    problem,
    reported,
    telling,
)

EXTRA = "pool-gcp"

BATCH = 100
"""Items in one change. The service documents no limit; this is caution."""

_PATIENCE = 300.0
"""Seconds that an operation may take."""

_TIMEOUT = 30.0
"""Seconds for one answer."""

_RETRIED = 60.0
"""Seconds that the SDK goes on asking what is throttled and past errors that pass, with waits that double up to 20 s."""

_NAME = re.compile(
    r"(?:projects/[a-z0-9][a-z0-9.:-]*|organizations/[0-9]+)/locations/[a-z0-9-]+/addressGroups/[A-Za-z_-][\w-]{0,62}\Z",
    re.ASCII,
)
"""A project by its id, with its domain where it has one, or by its number. A group's name: up to 63 letters, digits, `-` and
`_`, no digit first (addressGroupId of the discovery document)."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class _Change:
    """A change that was asked for. `refused`: why it was not taken, or is not known to be; None if it was. `known`: the
    service itself said that nothing comes of it. `contended`: another one stands against it."""

    before: StandingList
    items: tuple[str, ...]
    adds: bool
    refused: InputError | None = None
    known: bool = False
    contended: bool = False

    def shows_in(self, at: StandingList) -> bool:
        standing = {each.cidr for each in at.entries}
        return {network(each) for each in standing} >= set(self.items) if self.adds else standing.isdisjoint(self.items)


def connect(list_id: str, endpoint: str | None = None) -> Any:
    """The SDK's client for the group, with the credentials of the environment. Raises InputError."""
    if not _NAME.match(list_id):
        message = (
            f"{spelled(list_id)} names no address group. Allowed: projects/P/locations/L/addressGroups/N, or of "
            "organizations/O; N of up to 63 letters, digits, - and _."
        )
        raise InputError([problem("list-unknown", list_id, message)])
    at = urlsplit(endpoint or "https://networksecurity.googleapis.com")
    if not at.hostname or (at.scheme != "https" and (at.scheme, at.hostname in _LOOPBACK) != ("http", True)):
        message = f"--endpoint is {spelled(endpoint or '')}. Allowed: https://HOST; http:// on loopback only."
        raise InputError([problem("list-unreachable", list_id, message)])
    try:
        import google.cloud.network_security_v1 as sdk
        from google.api_core.client_options import ClientOptions
    except ModuleNotFoundError as error:
        message = f"An address group needs {error.name}, which is not installed. Install it: {install_command(EXTRA)}"
        raise InputError([Problem(rule="list-unreachable", message=message)]) from None
    of_project = list_id.startswith("projects/")
    made = sdk.AddressGroupServiceClient if of_project else sdk.OrganizationAddressGroupServiceClient
    options = ClientOptions(api_endpoint=endpoint.rstrip("/")) if endpoint else None
    with _told(list_id):
        return made(transport="rest", client_options=options)


def push(client: Any, order: PushOrder, wait: Callable[[float], None] = time.sleep) -> PushReport:
    """Bring the group to what the pool says. `wait`: sleeps so many seconds.

    Raises InputError; its last message says what was changed before, if anything was.
    """
    done = Progress()
    with telling(done, order):
        return _pushed(client, order, done, wait)


def _pushed(client: Any, order: PushOrder, done: Progress, wait: Callable[[float], None]) -> PushReport:
    lost, last = 0, None
    while True:
        at = _read(client, order)
        done.settle(at.entries)
        if last and last.shows_in(at):
            lost = 0
        elif last and last.refused and not last.contended and at == last.before:
            raise last.refused
        elif last:  # somebody else was first, or the service answers from before our change
            lost, last = after_others(order.list_id, lost, wait, taken=last.refused is None), None
            continue
        found = due(order, at, done)
        needed = len(at.entries) + len(found.add)
        if needed > at.size:
            message = (
                f"It holds {at.size:,} items and needs {needed:,}, because what is added comes before what is removed. The "
                "capacity of a group never changes: make another with a higher `capacity`, and let the rules refer to it."
            )
            raise InputError([problem("list-full", order.list_id, message)])
        report = reported(at, found, done)
        if order.dry_run:
            return replace(report, added=found.add, removed=found.leave)
        if not (found.add or found.leave):
            return report
        change, before = _Change(at, (found.add or found.leave)[:BATCH], adds=bool(found.add)), done.asked
        done.asked = before | dict.fromkeys(change.items, change.adds)
        last = _asked(client, change, wait)
        if last.known:
            done.asked = before


def _read(client: Any, order: PushOrder) -> StandingList:
    """The group as it stands. Raises InputError, also for one that is of no owner or of another."""
    from google.api_core.exceptions import NotFound

    with _told(order.list_id):
        try:
            group = client.get_address_group(name=order.list_id, retry=_retry(), timeout=_TIMEOUT)
        except NotFound as error:
            if not _is_of_service(error):
                raise
            message = f"There is none of this name: {_in_a_line(error.message)}"
            raise InputError([problem("list-unknown", order.list_id, message)]) from None
        family = family_named(group.type_.name)
        if group.name.partition("/locations/")[2] != order.list_id.partition("/locations/")[2]:
            raise ValueError  # of another group; a project may be named by its id or by its number
        if family is None or {f"ipv{ip_network(each, strict=False).version}" for each in group.items} - {family}:
            raise ValueError  # an answer that is none of the service's
    owner = group.labels.get(OWNER_LABEL)
    if owner != order.owner:
        found = f"It has no label `{OWNER_LABEL}`" if owner is None else f"Its label is `{OWNER_LABEL}: {owner}`"
        message = (
            f"{found}. The label says whose all of its {len(group.items):,} items are, because items have no description of "
            f"their own, and a push takes out what the pool does not say. Set `{OWNER_LABEL}: {order.owner}` if they are all "
            "the pool's, or name a group that is."
        )
        raise InputError([problem("list-unowned", order.list_id, message)])
    return StandingList(
        list_id=order.list_id, name=order.list_id.rpartition("/")[2], size=group.capacity, family=family,
        version=group.update_time.rfc3339() if group.update_time else "unknown",
        entries=tuple(ListEntry(each, mark(order.owner)) for each in group.items),
    )  # fmt: skip


def _asked(client: Any, change: _Change, wait: Callable[[float], None]) -> _Change:
    """Ask for the change and wait until it is done; with what it was refused for, if it was. Raises InputError where it is
    not known what became of it."""
    from google.api_core.exceptions import Conflict, GoogleAPICallError
    from requests import Response

    name = change.before.list_id
    ask = client.add_address_group_items if change.adds else client.remove_address_group_items
    request = {"address_group": name, "items": change.items, "request_id": str(uuid4())}
    operation = None
    with _told(name):
        try:
            operation = ask(request, retry=_retry(), timeout=_TIMEOUT)
            waited, pause = 0.0, 0.5
            while not operation.done(retry=_retry()):
                if waited >= _PATIENCE:
                    message = (
                        f"{operation.operation.name} has not ended for {waited:.0f} s; what it changes may still come. Look at "
                        "it, and push again."
                    )
                    raise InputError([problem("list-busy", name, message)])
                wait(pause)
                waited, pause = waited + pause, min(5.0, 2 * pause)
            operation.result()
        except GoogleAPICallError as error:
            looking = operation is not None and isinstance(
                error.response, Response
            )  # at what may come about all the same
            known = _is_of_service(error) and not looking
            return replace(
                change, refused=_refused(name, error), known=known, contended=known and isinstance(error, Conflict)
            )
    return change


def _retry() -> Any:
    """What the SDK asks again: the same request with the same id, so that nothing is done twice."""
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type
    from requests.exceptions import ConnectionError as Unreachable
    from requests.exceptions import Timeout

    passing = if_exception_type(
        exceptions.TooManyRequests, exceptions.InternalServerError, exceptions.BadGateway,
        exceptions.ServiceUnavailable, exceptions.GatewayTimeout, Unreachable, Timeout,
    )  # fmt: skip
    return Retry(predicate=passing, initial=1.0, maximum=20.0, multiplier=2.0, timeout=_RETRIED)


def _refused(list_id: str, error: Any) -> InputError:
    """`error`: a GoogleAPICallError."""
    if not _is_of_service(error):
        return InputError([_no_service(list_id, getattr(error.response, "status_code", None))])
    code = error.grpc_status_code.name if error.grpc_status_code else error.code or "no code"
    message = f"Google Cloud refuses it: {_in_a_line(error.message)} ({code})."
    return InputError([problem("list-refused", list_id, message)])


def _is_of_service(error: Any) -> bool:
    """Whether the service said so, and no proxy: its errors are JSON with a code in words (google.aip.dev/193, and
    google/rpc/code.proto); that of an operation is no answer of its own."""
    from requests import Response

    if not isinstance(error.response, Response):
        return error.response is not None
    try:
        said = error.response.json()["error"]
        return isinstance(said["status"], str) and isinstance(said["message"], str)
    except (ValueError, KeyError, TypeError):
        return False


def _no_service(list_id: str, status: int | None = None) -> Problem:
    told = "" if status is None else f" (HTTP {status})"
    message = f"What answers is not Network Security of Google Cloud{told}. Look at --endpoint and at proxies."
    return problem("list-unreachable", list_id, message)


@contextmanager
def _told(list_id: str) -> Iterator[None]:
    """What the SDK raises, and an answer that is none of the service's, as an InputError."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from google.protobuf.json_format import ParseError
    from requests.exceptions import RequestException

    try:
        yield
    except InputError:
        raise
    except (GoogleAPICallError, RetryError, GoogleAuthError, RequestException) as error:
        last = error.cause if isinstance(error, RetryError) else error
        if isinstance(last, GoogleAPICallError):
            raise _refused(list_id, last) from None
        message = f"Cannot ask Google Cloud: {_in_a_line(last.args[0] if last.args else last)}."
        raise InputError([problem("list-unreachable", list_id, message)]) from None
    except (ParseError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError([_no_service(list_id)]) from None


def _in_a_line(said: object) -> str:
    """Without the URL that the SDK puts before what the service says."""
    return re.sub(r"^[A-Z]+ https?://\S+: ", "", " ".join(str(said).split())).rstrip(".")
