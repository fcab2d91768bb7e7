"""A managed prefix list of AWS, kept at what an address pool says: what is lacking first, then what is due to leave.

Each step reads the list, then the pool, and changes the version that was read. Whoever changed the list between is told
by the version, and the step is done anew from what stands by then. What another refresher put in from the same pool is in
the pool before it is in the list, and the pool is read after the list: so nobody takes out what another has just added.
Between two steps the list holds more than it did and nothing less, until only removals are left.

Rules of the service, EC2 API reference (ModifyManagedPrefixList, read 2026-11-28) unless another source is named:
at most 100 entries in a change; entries and size are not changed together; a stale version is refused
(PrefixListVersionMismatch) and so is a change of a list that is changing (IncorrectState), as Terraform's provider for
AWS meets them (internal/service/ec2/errors.go); what refers to a list counts its size and not its entries (VPC quotas).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hostgate.catalog.problems import InputError, Problem
from hostgate.planning.address_pool import mark
from hostgate.requirement import install_command
from hostgate.sinks.address_list import ListEntry, family_named
from hostgate.sinks.push import (
    TRIES,
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
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

EXTRA = "pool-aws"

BATCH = 100
"""Entries in one change."""

_PATIENCE = 300.0
"""Seconds that a list may take to change. A change of a list that many resources refer to takes a while."""

_CONTENDED = {"PrefixListVersionMismatch", "IncorrectState", "ConcurrentMutationLimitExceeded"}
"""Codes of a change that somebody else's change stands against: it is tried anew from what stands by then."""

_REACH = {"connect_timeout": 10, "read_timeout": 30, "retries": {"mode": "standard", "total_max_attempts": 10}}
"""Seconds, and the SDK's own retries of what is throttled and of errors that pass, with waits that double up to 20 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList(StandingList):
    """A list as it stands. `size`: its MaxEntries. `told`: what AWS says of its `state`."""

    state: str
    told: str


@dataclass(frozen=True, slots=True)
class _Change:
    """One change: of the size, or of what is added, or of what is removed."""

    before: PrefixList
    size: tuple[int, int] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def shows_in(self, at: PrefixList) -> bool:
        return (at.version, at.size) != (self.before.version, self.before.size)


@dataclass(slots=True)
class _Progress(Progress):
    """What is done so far. `taken`: the change that the list has yet to show; `sure`: AWS said that it took it."""

    grown: tuple[int, int] | None = None
    taken: _Change | None = None
    sure: bool = False

    def show(self) -> None:
        """The list shows what was taken."""
        if self.taken is not None:
            self.added |= dict.fromkeys(self.taken.add)
            self.removed |= dict.fromkeys(self.taken.remove)
            self.grown = self.taken.size or self.grown
            self.taken = None

    def told(self) -> str | None:
        """What was changed, in a sentence; None if nothing was."""
        if not (self.added or self.removed or self.grown or self.taken):
            return None
        grown = f"the size became {self.grown[1]:,}, " if self.grown else ""
        taken = "" if self.taken is None else (
            ", and a further change was taken that does not show yet" if self.sure else
            "; whether a further change was taken is not known, and the next push sees it"
        )  # fmt: skip
        return f"Before that, {grown}{len(self.added):,} entries were added and {len(self.removed):,} removed{taken}."


def connect(region: str | None) -> "BaseClient":
    """A client of EC2 with the credentials of the environment. Raises InputError."""
    try:
        import boto3
        from botocore.config import Config
    except ModuleNotFoundError as error:
        message = f"A prefix list needs {error.name}, which is not installed. Install it: {install_command(EXTRA)}"
        raise InputError([Problem(rule="list-unreachable", message=message)]) from None
    with _told(None):
        try:
            return boto3.session.Session().client("ec2", region_name=region, config=Config(**_REACH))
        except ValueError as error:  # of an endpoint that is none
            raise InputError([_unreachable(None, error)]) from None


def push(client: "BaseClient", order: PushOrder, wait: Callable[[float], None] = time.sleep) -> PushReport:
    """Bring the list to what the pool says. `wait`: sleeps so many seconds.

    Raises InputError; its last message says what was changed before, if anything was.
    """
    done = _Progress()
    with telling(done, order):
        return _pushed(client, order, done, wait)


def _pushed(client: Any, order: PushOrder, done: _Progress, wait: Callable[[float], None]) -> PushReport:
    lost = 0
    while True:
        at = _quiet(client, order.list_id, wait)
        if done.taken and not done.taken.shows_in(at):
            lost = _once_more(at, done, lost, wait)
            continue
        done.show()
        found = due(order, at, done)
        needed = len(at.entries) + len(found.add)
        grow = None if needed <= at.size else _larger(order, at, needed)
        report = replace(reported(at, found, done), grown=done.grown)
        if order.dry_run:
            return replace(report, added=found.add, removed=found.leave, grown=grow)
        if not (grow or found.add or found.leave):
            return report
        if grow:
            change = _Change(at, size=grow)
        elif found.add:
            change = _Change(at, add=found.add[:BATCH])
        else:
            change = _Change(at, remove=found.leave[:BATCH])
        done.taken, done.sure = change, False
        refused = _refused(client, change, order.owner)
        if refused is None:
            lost, done.sure = 0, True
            continue
        done.taken = None
        if _code(refused) not in _CONTENDED:
            raise InputError([_told_by(refused, order.list_id)])
        lost = after_others(at.list_id, lost, wait)


def _refused(client: Any, change: _Change, owner: str) -> "ClientError | None":
    """What the service has against the change; None if it takes it. Raises InputError where that is not known."""
    from botocore.exceptions import ClientError

    at = change.before
    if change.size:
        asked: dict[str, Any] = {"MaxEntries": change.size[1]}
    elif change.add:
        entries = [{"Cidr": each, "Description": mark(owner)} for each in change.add]
        asked = {"CurrentVersion": at.version, "AddEntries": entries}
    else:
        asked = {"CurrentVersion": at.version, "RemoveEntries": [{"Cidr": each} for each in change.remove]}
    with _told(at.list_id):
        try:
            client.modify_managed_prefix_list(PrefixListId=at.list_id, **asked)
        except ClientError as error:
            if not _is_of_ec2(error) or _status(error) >= 500:
                raise
            return error
    return None


def _quiet(client: Any, list_id: str, wait: Callable[[float], None]) -> PrefixList:
    """The list and its entries, once nothing is changing it. Raises InputError."""
    waited, pause = 0.0, 0.5
    while True:
        with _told(list_id):
            every = client.describe_managed_prefix_lists(PrefixListIds=[list_id])["PrefixLists"]
            lists = {each["PrefixListId"]: (each, each["State"]) for each in every}
        if list_id not in lists:
            raise InputError([problem("list-unknown", list_id, "There is none of this id in the account and Region.")])
        shown, state = lists[list_id]
        if not state.endswith("-in-progress") or state.startswith("delete"):
            break
        if waited >= _PATIENCE:
            message = f"It has been `{state}` for {waited:.0f} s. Look at it, and push again."
            raise InputError([problem("list-busy", list_id, message)])
        wait(pause)
        waited, pause = waited + pause, min(5.0, 2 * pause)
    family = family_named(shown.get("AddressFamily", ""))
    if shown.get("Version") is None or shown.get("OwnerId") == "AWS" or shown.get("IpamPrefixListResolverSyncEnabled"):
        message = "AWS itself or IPAM keeps its entries. Allowed: a list that you manage."
        raise InputError([problem("list-managed", list_id, message)])
    if family is None or state.startswith("delete") or state == "create-failed":
        message = f"Its state is `{state}`: {shown.get('StateMessage') or 'nobody can change it'}."
        raise InputError([problem("list-failed", list_id, message)])
    version = shown["Version"]
    with _told(list_id):
        pages = client.get_paginator("get_managed_prefix_list_entries")
        entries = tuple(
            ListEntry(each["Cidr"], each.get("Description", ""))
            for page in pages.paginate(PrefixListId=list_id, TargetVersion=version)
            for each in page.get("Entries", ())
        )
        return PrefixList(
            list_id=list_id, name=shown.get("PrefixListName", ""), state=state, told=shown.get("StateMessage", ""),
            version=version, size=shown["MaxEntries"], family=family, entries=entries,
        )  # fmt: skip


def _once_more(at: PrefixList, done: _Progress, before: int, wait: Callable[[float], None]) -> int:
    """Wait for a change that was taken and does not show, because it failed or because the service answers from before it;
    how often it was waited for."""
    if at.state.endswith("-failed"):
        done.taken = None
        message = f"Its state is `{at.state}`: {at.told or 'AWS does not say why'}."
        raise InputError([problem("list-failed", at.list_id, message)])
    if before + 1 >= TRIES:
        message = "A change of it was taken and does not show. Look at it, and push again."
        raise InputError([problem("list-busy", at.list_id, message)])
    wait(min(5.0, 0.5 * 2**before))
    return before + 1


def _larger(order: PushOrder, at: PrefixList, needed: int) -> tuple[int, int]:
    if order.grow_to is not None and needed <= order.grow_to:
        return at.size, order.grow_to
    named = "" if order.grow_to is None else f", and --grow-to names {order.grow_to:,}"
    message = (
        f"It holds {at.size:,} entries and needs {needed:,}, because what is added comes before what is removed{named}. "
        "Allowed: --grow-to N, where each security group that refers to it has room for N rules."
    )
    raise InputError([problem("list-full", at.list_id, message)])


@contextmanager
def _told(list_id: str | None) -> Iterator[None]:
    """What the SDK raises, and an answer that is none of EC2's, as an InputError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise InputError([_told_by(error, list_id)]) from None
    except NoRegionError:
        message = "No Region is named. Allowed: --region, AWS_REGION, or the SDK's profile."
        raise InputError([problem("list-unreachable", list_id, message)]) from None
    except BotoCoreError as error:
        raise InputError([_unreachable(list_id, error)]) from None
    except InputError:
        raise
    except (ResponseParserError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError([_no_ec2(list_id)]) from None


def _unreachable(list_id: str | None, error: Exception) -> Problem:
    return problem("list-unreachable", list_id, f"Cannot ask AWS: {str(error).rstrip('.')}.")


def _told_by(error: "ClientError", list_id: str | None) -> Problem:
    if not _is_of_ec2(error):
        return _no_ec2(list_id, _status(error))
    told = error.response["Error"].get("Message") or "no reason"
    return problem("list-refused", list_id, f"AWS refuses {error.operation_name}: {told} ({_code(error)}).")


def _code(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: "ClientError") -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _is_of_ec2(error: "ClientError") -> bool:
    """Whether EC2 said so, whose codes are words: for a page the SDK makes one up from the status, or has none."""
    return _code(error).strip("0123456789") != ""


def _no_ec2(list_id: str | None, status: int | None = None) -> Problem:
    told = "" if status is None else f" (HTTP {status})"
    message = f"What answers is not EC2{told}. Look at AWS_ENDPOINT_URL and at proxies."
    return problem("list-unreachable", list_id, message)
