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

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hostgate.catalog.model import Family
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.planning.address_pool import AddressPool, mark
from hostgate.requirement import install_command
from hostgate.sinks.address_list import (
    ListDifference,
    ListEntry,
    WantedAddresses,
    difference,
    family_named,
    most_to_remove,
    wanted_addresses,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

EXTRA = "pool-aws"

BATCH = 100
"""Entries in one change."""

_TRIES = 20
"""Changes in a row that somebody else may win."""

_PATIENCE = 300.0
"""Seconds that a list may take to change. A change of a list that many resources refer to takes a while."""

_CONTENDED = {"PrefixListVersionMismatch", "IncorrectState", "ConcurrentMutationLimitExceeded"}
"""Codes of a change that somebody else's change stands against: it is tried anew from what stands by then."""

_REACH = {"connect_timeout": 10, "read_timeout": 30, "retries": {"mode": "standard", "total_max_attempts": 10}}
"""Seconds, and the SDK's own retries of what is throttled and of errors that pass, with waits that double up to 20 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOrder:
    """What to do. `load`: the pool as it stands when it is called. `family`: what the list has to be of, None: as it is.
    `most_removed`: the share of our entries that may leave. `grow_to`: the size that it may be given if it is too small.
    `keep_foreign`: entries that are not ours are meant."""

    list_id: str
    load: Callable[[], AddressPool]
    owner: str
    family: Family | None = None
    most_removed: float
    grow_to: int | None = None
    keep_foreign: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList:
    """A list as it stands. `size`: its MaxEntries."""

    list_id: str
    name: str
    state: str
    told: str
    version: int
    size: int
    family: Family
    entries: tuple[ListEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What was done, or with `dry_run` would be: networks. `held`: due to be removed and staying, because it is more than
    a push may remove. `grown`: the sizes before and after; None if it was not made larger."""

    at: PrefixList
    wanted: WantedAddresses
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    foreign: tuple[ListEntry, ...] = ()
    grown: tuple[int, int] | None = None


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
class _Progress:
    """What is done so far. `owned`: entries of ours at the start. `taken`: the change that the list has yet to show."""

    owned: int | None = None
    added: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    grown: tuple[int, int] | None = None
    taken: _Change | None = None

    def settle(self) -> None:
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
        taken = ", and a further change was taken that does not show yet" if self.taken else ""
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
        return boto3.session.Session().client("ec2", region_name=region, config=Config(**_REACH))


def push(client: "BaseClient", order: PushOrder, wait: Callable[[float], None] = time.sleep) -> PushReport:
    """Bring the list to what the pool says. `wait`: sleeps so many seconds.

    Raises InputError; its last message says what was changed before, if anything was.
    """
    done = _Progress()
    try:
        return _pushed(client, order, done, wait)
    except InputError as error:
        message = done.told()
        if message is None:
            raise
        raise InputError([*error.problems, _problem("list-begun", order.list_id, message)]) from None


def _pushed(client: Any, order: PushOrder, done: _Progress, wait: Callable[[float], None]) -> PushReport:
    lost = 0
    while True:
        at = _quiet(client, order.list_id, wait)
        if done.taken and not done.taken.shows_in(at):
            lost = _once_more(at, done, lost, wait)
            continue
        done.settle()
        pool = order.load()  # after the list, see above
        wanted = wanted_addresses(pool, at.family)
        found = difference(wanted, at.entries, order.owner)
        _refuse(order, pool, at, wanted, found)
        if done.owned is None:
            done.owned = found.owned
        due = tuple(each.cidr for each in found.remove)
        leaving = dict.fromkeys((*done.removed, *due))
        held = due if len(leaving) > most_to_remove(done.owned, order.most_removed) else ()
        leave = () if held else due
        needed = len(at.entries) + len(found.add)
        grow = None if needed <= at.size else _larger(order, at, needed)
        report = PushReport(
            at=at, wanted=wanted, added=tuple(done.added), removed=tuple(done.removed), held=held, foreign=found.foreign,
            grown=done.grown,
        )  # fmt: skip
        if order.dry_run:
            return replace(report, added=found.add, removed=leave, grown=grow)
        if not (grow or found.add or leave):
            return report
        if grow:
            change = _Change(at, size=grow)
        elif found.add:
            change = _Change(at, add=found.add[:BATCH])
        else:
            change = _Change(at, remove=leave[:BATCH])
        if _taken(client, change, order.owner):
            lost, done.taken = 0, change
        else:
            lost = _after_others(at, lost, wait)


def _taken(client: Any, change: _Change, owner: str) -> bool:
    """Whether the service takes the change; False if somebody else's stands against it."""
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
            if error.response["Error"]["Code"] in _CONTENDED:
                return False
            raise
    return True


def _quiet(client: Any, list_id: str, wait: Callable[[float], None]) -> PrefixList:
    """The list and its entries, once nothing is changing it. Raises InputError."""
    waited, pause = 0.0, 0.5
    while True:
        with _told(list_id):
            every = client.describe_managed_prefix_lists(PrefixListIds=[list_id])["PrefixLists"]
            lists = [each for each in every if each["PrefixListId"] == list_id]
        if not lists:
            raise InputError([_problem("list-unknown", list_id, "There is none of this id in the account and Region.")])
        shown = lists[0]
        state = shown["State"]
        if not state.endswith("-in-progress") or state.startswith("delete"):
            break
        if waited >= _PATIENCE:
            message = f"It has been `{state}` for {waited:.0f} s. Look at it, and push again."
            raise InputError([_problem("list-busy", list_id, message)])
        wait(pause)
        waited, pause = waited + pause, min(5.0, 2 * pause)
    family = family_named(shown.get("AddressFamily", ""))
    if shown.get("Version") is None or shown.get("OwnerId") == "AWS" or shown.get("IpamPrefixListResolverSyncEnabled"):
        message = "AWS itself or IPAM keeps its entries. Allowed: a list that you manage."
        raise InputError([_problem("list-managed", list_id, message)])
    if family is None or state.startswith("delete") or state == "create-failed":
        message = f"Its state is `{state}`: {shown.get('StateMessage') or 'nobody can change it'}."
        raise InputError([_problem("list-failed", list_id, message)])
    version = shown["Version"]
    with _told(list_id):
        pages = client.get_paginator("get_managed_prefix_list_entries")
        entries = tuple(
            ListEntry(each["Cidr"], each.get("Description", ""))
            for page in pages.paginate(PrefixListId=list_id, TargetVersion=version)
            for each in page["Entries"]
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
        raise InputError([_problem("list-failed", at.list_id, message)])
    if before + 1 >= _TRIES:
        message = "A change of it was taken and does not show. Look at it, and push again."
        raise InputError([_problem("list-busy", at.list_id, message)])
    wait(min(5.0, 0.5 * 2**before))
    return before + 1


def _after_others(at: PrefixList, before: int, wait: Callable[[float], None]) -> int:
    """Wait after somebody else was first; how often in a row that was."""
    if before + 1 >= _TRIES:
        message = f"Others changed it {_TRIES} times in a row between our reading and our change."
        raise InputError([_problem("list-contended", at.list_id, message)])
    wait(random.uniform(0, min(10.0, 0.5 * 2**before)))
    return before + 1


def _refuse(
    order: PushOrder, pool: AddressPool, at: PrefixList, wanted: WantedAddresses, found: ListDifference
) -> None:
    problems = []
    if order.family and order.family != at.family:
        message = f"It is a list of {at.family}. Allowed by --family: {order.family}."
        problems.append(_problem("list-family", at.list_id, message))
    elif not wanted.hosts_of:
        message = (
            f"{pool.shown} has no {at.family} address of the {len(pool.hosts):,} hosts. The list is left as it is: an empty "
            "one cuts them off."
        )
        problems.append(_problem("list-emptied", at.list_id, message))
    if found.foreign and not order.keep_foreign:
        some = ", ".join(f"{each.cidr} {spelled(each.description)}" for each in found.foreign[:5])
        more = f" and {len(found.foreign) - 5:,} more" if len(found.foreign) > 5 else ""
        message = (
            f"Found entries that are not of `{mark(order.owner)}`: {some}{more}. They open what the pool does not say. Take "
            "them out, or keep them with --keep-foreign. If Pulumi fills the list, it undoes a push: `contents: refresher`."
        )
        problems.append(_problem("list-foreign", at.list_id, message))
    if problems:
        raise InputError(problems)


def _larger(order: PushOrder, at: PrefixList, needed: int) -> tuple[int, int]:
    if order.grow_to is not None and needed <= order.grow_to:
        return at.size, order.grow_to
    named = "" if order.grow_to is None else f", and --grow-to names {order.grow_to:,}"
    message = (
        f"It holds {at.size:,} entries and needs {needed:,}, because what is added comes before what is removed{named}. "
        "Allowed: --grow-to N, where each security group that refers to it has room for N rules."
    )
    raise InputError([_problem("list-full", at.list_id, message)])


@contextmanager
def _told(list_id: str | None) -> Iterator[None]:
    """What the SDK raises, and an answer that is none of EC2's, as an InputError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        about = error.response["Error"]
        message = f"AWS refuses {error.operation_name}: {about.get('Message') or 'no reason'} ({about['Code']})."
        raise InputError([_problem("list-refused", list_id, message)]) from None
    except NoRegionError:
        message = "No Region is named. Allowed: --region, AWS_REGION, or the SDK's profile."
        raise InputError([_problem("list-unreachable", list_id, message)]) from None
    except (BotoCoreError, ValueError) as error:  # the latter of an endpoint that is none
        message = f"Cannot ask AWS: {str(error).rstrip('.')}."
        raise InputError([_problem("list-unreachable", list_id, message)]) from None
    except (ResponseParserError, KeyError):
        message = "What answers is not EC2. Look at AWS_ENDPOINT_URL and at proxies."
        raise InputError([_problem("list-unreachable", list_id, message)]) from None


def _problem(rule: str, list_id: str | None, message: str) -> Problem:
    return Problem(rule=rule, file=list_id, message=message)
