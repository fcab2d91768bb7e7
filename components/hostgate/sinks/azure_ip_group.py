"""An IP group of Azure, kept at what an address pool says: what is lacking first, then what is due to leave.

Each step reads the group, then the pool, and puts the whole group back as it was read, but for its addresses, on condition
that it is still what was read (If-Match with its ETag). What another refresher put in from the same pool is in the pool
before it is in the group, and the pool is read after the group: so nobody takes out what another has just added.

One PUT could add and remove at once. There are two all the same: a change reaches the instances of a firewall one after
the other, within minutes, and one that fails may leave them on different rules (Azure Firewall FAQ, 2025-07); with additions
alone no instance lacks an address meanwhile, and what leaves is decided anew from a pool that is read after they are in.

An address of a group has no description, so the group's tag `hostgate-owner` says whose they are, all of them; a range, a
prefix and an IPv6 address are nobody's, because no push puts them in.

Rules of the service: IPv4 addresses, prefixes and ranges; a group that is emptied while rules refer to it makes them
skipped (IP Groups in Azure Firewall, 2026-03-28); 5,000 a group (Azure subscription limits, 2023-10). A stale ETag is
answered with 412, PreconditionFailed (met on public IP addresses of the same service:
github.com/kubernetes-sigs/cloud-provider-azure/issues/9729, 2025-12-08). A PUT is answered at once and is done when its
Azure-AsyncOperation is (github.com/Azure/azure-powershell/issues/19436, 2022-08); where a firewall does not take it, it
fails with IpGroupsUpdateFailed (github.com/hashicorp/terraform-provider-azurerm/issues/19843, 2023-01).
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from logging import NullHandler, getLogger
from typing import TYPE_CHECKING, Any

from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.planning.address_pool import OWNER_LABEL, mark
from hostgate.requirement import install_command
from hostgate.sinks.address_list import ListEntry
from hostgate.sinks.push import (
    Due,
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

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError
    from azure.mgmt.network import NetworkManagementClient

EXTRA = "pool-azure"

PUBLIC = "https://management.azure.com"

MOST = 5000
"""Addresses, prefixes and ranges of a group."""

_PATIENCE = 900.0
"""Seconds that a change may take, of the group or of what it has to wait for: a change of a firewall takes 3 to 5 minutes
on average (Azure Firewall, known issues, 2025-05)."""

_PAUSE = 15.0
"""Seconds before a change is tried anew, unless the service names them."""

_BUSY = {"AnotherOperationInProgress", "Conflict", "ReferencedResourceNotProvisioned", "RetryableError"}
"""Codes of a 409 that passes: something that the group or its firewalls belong to is changing."""

_REACH = {"connection_timeout": 10, "read_timeout": 60, "polling_interval": 5}
"""Seconds. What is read is tried again by the SDK: up to ten times, and three times where there is no connection."""

_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Network/ipGroups/([^/]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IpGroup(StandingList):
    """A group as it stands. `state`: its provisioningState. `owner`: what its tag says. `read`: all that was read, to be
    put back."""

    state: str
    owner: str | None
    read: Any


@dataclass(slots=True)
class _Progress(Progress):
    """What is done so far. `put`: the group was put."""

    put: bool = False


@contextmanager
def connected(list_id: str, endpoint: str = PUBLIC) -> Iterator["NetworkManagementClient"]:
    """A client for the subscription of `list_id` with the credentials of the environment. `endpoint`: the Resource Manager
    of a cloud. Raises InputError."""
    subscription, *_ = _names(list_id)
    if not re.fullmatch(r"https://[^/?#\s]+/?", endpoint):
        message = f"{spelled(endpoint)} is no endpoint of a Resource Manager. Allowed: https:// and a host."
        raise InputError([problem("list-unreachable", list_id, message)])
    try:
        from azure.core.exceptions import AzureError
        from azure.identity import DefaultAzureCredential
        from azure.mgmt.network import NetworkManagementClient
    except ModuleNotFoundError as error:
        message = f"An IP group needs {error.name}, which is not installed. Install it: {install_command(EXTRA)}"
        raise InputError([problem("list-unreachable", None, message)]) from None
    scopes = _scopes(endpoint)
    getLogger("azure").addHandler(NullHandler())  # or Python prints what the SDK logs, if nobody else takes it
    with ExitStack() as opened:
        try:
            credential = opened.enter_context(DefaultAzureCredential())
            credential.get_token(*scopes)
        except (AzureError, ValueError) as error:  # the latter of an environment that names what is none
            message = (
                f"Azure gives no token: {_line(error)}. Allowed: a managed or workload identity, a service principal in "
                "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or `az login`."
            )
            raise InputError([problem("list-unreachable", list_id, message)]) from None
        yield opened.enter_context(
            NetworkManagementClient(credential, subscription, base_url=endpoint, credential_scopes=scopes, **_REACH)
        )


def _scopes(endpoint: str) -> list[str]:
    """For whom a token has to be: as the SDK knows it of its clouds, or the endpoint itself."""
    from azure.core import AzureClouds
    from azure.mgmt.core.tools import get_arm_endpoints

    known = {each["resource_manager"].rstrip("/"): each for each in map(get_arm_endpoints, AzureClouds)}
    found = known.get(endpoint.rstrip("/"))
    return [f"{endpoint.rstrip('/')}/.default"] if found is None else list(found["credential_scopes"])


def _names(list_id: str) -> tuple[str, str, str]:
    """Subscription, resource group and name. Raises InputError."""
    found = _ID.fullmatch(list_id)
    if found is None:
        message = (
            "It is no id of an IP group. Allowed: /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Network/"
            "ipGroups/NAME, as `az network ip-group show` tells it."
        )
        raise InputError([problem("list-unknown", list_id, message)])
    return found[1], found[2], found[3]


def push(client: "NetworkManagementClient", order: PushOrder, wait: Callable[[float], None] = time.sleep) -> PushReport:
    """Bring the group to what the pool says. `wait`: sleeps so many seconds.

    Raises InputError; its last message says what was changed before, if anything was.
    """
    done = _Progress()
    with telling(done, order):
        return _pushed(client, order, done, wait)


def _pushed(client: Any, order: PushOrder, done: _Progress, wait: Callable[[float], None]) -> PushReport:
    lost, waited, taken = 0, 0.0, False
    while True:
        at = _quiet(client, order.list_id, wait)
        shown = done.settle(at.entries)
        done.asked.clear()
        if shown:
            lost, waited = 0, 0.0
        elif taken:
            lost, taken = after_others(at.list_id, lost, wait, taken=True), False
            continue
        _refuse_unowned(order, at)
        found = due(order, at, done)
        _refuse_full(at, found)
        report = reported(at, found, done)
        if order.dry_run:
            return replace(report, added=found.add, removed=found.leave)
        if not (found.add or found.leave) and (done.put or at.state == "Succeeded"):
            if at.state == "Succeeded":
                return report
            message = f"Its state is `{at.state}`, also after it was put anew. Look at its firewalls, and push again."
            raise InputError([problem("list-failed", at.list_id, message)])
        leave = () if found.add else found.leave
        done.asked = dict.fromkeys(found.add, True) | dict.fromkeys(leave, False)
        refused = _put(client, at, [*(each.cidr for each in at.entries if each.cidr not in leave), *found.add])
        taken = refused is None and bool(done.asked)
        if refused is None:
            done.put = True
            continue
        status = getattr(refused, "status_code", None)
        if status is not None and status < 500 and _code(refused):
            done.asked.clear()
        if status == 412:
            lost = after_others(at.list_id, lost, wait)
        elif status is None or _passes(refused):
            waited += _later(at.list_id, refused, waited, wait)
        else:
            raise _refused(at.list_id, refused)


def _quiet(client: Any, list_id: str, wait: Callable[[float], None]) -> IpGroup:
    """The group, once nothing is changing it. Raises InputError."""
    waited, pause = 0.0, 1.0
    while True:
        with _told(list_id):
            read = client.ip_groups.get(*_names(list_id)[1:])
            addresses, tags, state = _understood(read)
        if state not in ("Creating", "Updating"):
            break
        if waited >= _PATIENCE:
            message = f"It has been `{state}` for {waited:.0f} s. Look at it, and push again."
            raise InputError([problem("list-busy", list_id, message)])
        wait(pause)
        waited, pause = waited + pause, min(10.0, 2 * pause)
    if state == "Deleting":
        raise InputError([problem("list-failed", list_id, "It is being deleted.")])
    owner = _owner(tags)
    return IpGroup(
        list_id=list_id, name=read.name, version=read.etag, size=MOST, family="ipv4",
        entries=tuple(ListEntry(each, _whose(each, owner)) for each in addresses), state=state, owner=owner, read=read,
    )  # fmt: skip


def _understood(read: Any) -> tuple[list[str], dict[str, str | None], str]:
    """Addresses, tags and state of a group that was read. Raises TypeError or AttributeError for what is none."""
    addresses, tags = read.properties.get("ipAddresses") or [], read.get("tags") or {}
    state = read.properties.get("provisioningState")
    if not (isinstance(addresses, list) and isinstance(tags, dict)):
        raise TypeError(read)
    values = [each for each in tags.values() if each is not None]
    if not all(isinstance(each, str) for each in (read.etag, read.name, state, *addresses, *tags, *values)):
        raise TypeError(read)
    return addresses, tags, state


def _owner(tags: Mapping[str, str | None]) -> str | None:
    """Whose a group is. Names of tags are the same in either case (Resource Manager, use tags, read 2026-11-29)."""
    return next((value for name, value in tags.items() if name.lower() == OWNER_LABEL), None)


def _whose(text: str, owner: str | None) -> str:
    """The description that an entry would have."""
    try:
        single = ip_network(text).num_addresses == 1 and ":" not in text
    except ValueError:  # a range, or a prefix that begins in between
        single = False
    return mark(owner or "") if single else "no single IPv4 address"


def _refuse_unowned(order: PushOrder, at: IpGroup) -> None:
    if at.owner == order.owner:
        return
    found = "It has no tag" if at.owner is None else f"Found {spelled(at.owner)} in its tag"
    message = (
        f"{found} `{OWNER_LABEL}`. Allowed: `{order.owner}`, because a push takes out what its pool does not have. If the "
        f"addresses are those of this pool, set it: `az tag update --operation merge --resource-id {at.list_id} --tags "
        f"{OWNER_LABEL}={order.owner}`."
    )
    raise InputError([problem("list-unowned", at.list_id, message)])


def _refuse_full(at: IpGroup, found: Due) -> None:
    needed = len(at.entries) + len(found.add)
    if needed > at.size:
        message = (
            f"It holds {at.size:,} entries and needs {needed:,}, because what is added comes before what is removed. "
            "Allowed: fewer hosts for this group, and another group for the rest."
        )
        raise InputError([problem("list-full", at.list_id, message)])


def _put(client: Any, at: IpGroup, addresses: Sequence[str]) -> "AzureError | None":
    """Put the group as it was read, with other addresses, and wait until it is done. What the service, or the way there,
    has against it; None if it was taken. Raises InputError for a change that was taken and does not come about."""
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    at.read.properties.ip_addresses = list(addresses)
    with _told(at.list_id):
        try:
            poller = client.ip_groups.begin_create_or_update(
                *_names(at.list_id)[1:], at.read, headers={"If-Match": at.version}, retry_total=0
            )
        except (ServiceRequestError, ServiceResponseError) as error:
            return error
        except HttpResponseError as error:
            if error.status_code is None or error.status_code < 400:
                raise
            return error
        failed = None
        try:
            poller.wait(_PATIENCE)
        except HttpResponseError as error:
            if not (error.status_code == 200 and _code(error)):  # of looking at the change, and not of the change
                raise
            failed = error
    if failed:
        message = (
            f"Azure took a change and did not bring it about: {_reason(failed)}. Look at the firewalls, and push again."
        )
        raise InputError([problem("list-failed", at.list_id, message)])
    if not poller.done():
        message = f"A change of it was taken, and is not done after {_PATIENCE:.0f} s. Look at it, and push again."
        raise InputError([problem("list-busy", at.list_id, message)])
    return None


def _passes(error: Any) -> bool:
    """Whether a refusal is one of now: throttled, something else is changing, or the service has trouble."""
    status = error.status_code
    return status in (408, 429) or status >= 500 or (status == 409 and _code(error) in _BUSY)


def _later(list_id: str, error: "AzureError", waited: float, wait: Callable[[float], None]) -> float:
    """Wait as long as the service says; how long that was. Raises InputError if it was too long already."""
    if waited >= _PATIENCE:
        raise _refused(list_id, error)
    response = getattr(error, "response", None)
    named = response.headers.get("Retry-After", "") if response is not None else ""
    seconds = min(float(named), 60.0) if named.isdigit() else _PAUSE
    wait(seconds)
    return max(seconds, 1.0)


def _refused(list_id: str, error: Any) -> InputError:
    """What refuses, if it is Resource Manager: its errors have a code, and a proxy's page has none."""
    status = getattr(error, "status_code", None)
    if status is None:
        return InputError([problem("list-unreachable", list_id, f"Cannot ask Azure: {_line(error)}.")])
    if not _code(error):
        return InputError([_no_manager(list_id, status)])
    rule = "list-unknown" if status == 404 else "list-refused"
    return InputError([problem(rule, list_id, f"Azure refuses it: {_reason(error)}.")])


def _code(error: Any) -> str:
    """The code of an error of Resource Manager; none of whatever else answers."""
    found = getattr(getattr(error, "error", None), "code", None)
    return found if isinstance(found, str) else ""


def _reason(error: Any) -> str:
    """What the service says, and its code."""
    return f"{_line(error.error.message or 'no reason')} ({_code(error)})"


def _line(said: object) -> str:
    return " ".join(str(said).split()).rstrip(".")


@contextmanager
def _told(list_id: str) -> Iterator[None]:
    """What the SDK raises, and an answer that is none of Resource Manager's, as an InputError."""
    from azure.core.exceptions import AzureError, DecodeError

    try:
        yield
    except DecodeError:
        raise InputError([_no_manager(list_id)]) from None
    except AzureError as error:
        raise _refused(list_id, error) from None
    except (AttributeError, TypeError, ValueError):
        raise InputError([_no_manager(list_id)]) from None


def _no_manager(list_id: str, status: int | None = None) -> Problem:
    told = "" if status is None else f" (HTTP {status})"
    message = f"What answers is not Resource Manager{told}. Look at --endpoint and at proxies."
    return problem("list-unreachable", list_id, message)
