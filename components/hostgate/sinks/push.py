"""What pushes to the lists of every cloud have in common: what is asked for, what is refused, what may leave, what is told.

Each step of a push reads the list, then the pool, and changes the list that was read: what another refresher put in from
the same pool is in the pool before it is in the list, so nobody takes out what another has just added.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hostgate.catalog.model import Family
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.planning.address_pool import AddressPool, mark
from hostgate.sinks.address_list import (
    ListDifference,
    ListEntry,
    WantedAddresses,
    difference,
    most_to_remove,
    network,
    wanted_addresses,
)

TRIES = 20
"""Changes in a row that somebody else may win."""


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
class StandingList:
    """A list as it stands. `version`: what changes with each change of it. `size`: how many entries it has room for."""

    list_id: str
    name: str
    version: int | str
    size: int
    family: Family
    entries: tuple[ListEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What was done, or with `dry_run` would be: networks. `held`: due to be removed and staying, because it is more than
    a push may remove. `grown`: the sizes before and after; None if it was not made larger."""

    at: StandingList
    wanted: WantedAddresses
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    foreign: tuple[ListEntry, ...] = ()
    grown: tuple[int, int] | None = None


@dataclass(slots=True)
class Progress:
    """What is done so far. `owned`: entries of ours at the start. `asked`: networks that were asked for and have yet to
    show, and whether each is to be added."""

    owned: int | None = None
    added: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    asked: dict[str, bool] = field(default_factory=dict)

    def settle(self, entries: Iterable[ListEntry]) -> bool:
        """Count what shows of what was asked for; whether something was, and all of it shows."""
        standing = {each.cidr for each in entries}
        networks = {network(each) for each in standing}
        asked = self.asked
        shown = [each for each, adds in asked.items() if (each in networks if adds else each not in standing)]
        for each in shown:
            (self.added if asked[each] else self.removed)[each] = None
        self.asked = {each: adds for each, adds in asked.items() if each not in shown}
        return bool(asked) and not self.asked

    def told(self) -> str | None:
        """What was changed, in a sentence; None if nothing was."""
        if not (self.added or self.removed or self.asked):
            return None
        done = f"Before that, {len(self.added):,} entries were added and {len(self.removed):,} removed"
        if not self.asked:
            return f"{done}."
        adds = sum(self.asked.values())
        return (
            f"{done}; whether {adds:,} more were added and {len(self.asked) - adds:,} removed is not known, and the next "
            "push sees it."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What brings a list to the pool: networks to `add`, then those that `leave`; `held` are due and stay."""

    wanted: WantedAddresses
    add: tuple[str, ...]
    leave: tuple[str, ...]
    held: tuple[str, ...]
    foreign: tuple[ListEntry, ...]


def due(order: PushOrder, at: StandingList, done: Progress) -> Due:
    """What the pool, read now, wants of the list that was read. Raises InputError for a list that is not to be changed."""
    pool = order.load()
    wanted = wanted_addresses(pool, at.family)
    found = difference(wanted, at.entries, order.owner)
    _refuse(order, pool, at, wanted, found)
    if done.owned is None:
        done.owned = found.owned
    leaving = tuple(each.cidr for each in found.remove)
    every = dict.fromkeys((*done.removed, *leaving))
    held = leaving if len(every) > most_to_remove(done.owned, order.most_removed) else ()
    return Due(wanted=wanted, add=found.add, leave=() if held else leaving, held=held, foreign=found.foreign)


def reported(at: StandingList, found: Due, done: Progress) -> PushReport:
    """What was done, with the list as it stands."""
    return PushReport(
        at=at, wanted=found.wanted, added=tuple(done.added), removed=tuple(done.removed), held=found.held,
        foreign=found.foreign,
    )  # fmt: skip


@contextmanager
def telling(done: Progress, order: PushOrder) -> Iterator[None]:
    """An InputError of the block is raised with what was changed before it, if anything was; and whoever is told to stop
    there has it as a note."""
    try:
        yield
    except (InputError, KeyboardInterrupt) as error:
        message = done.told()
        if message is None:
            raise
        begun = problem("list-begun", order.list_id, message)
        if isinstance(error, InputError):
            raise InputError([*error.problems, begun]) from None
        error.add_note(str(begun))
        raise


def after_others(list_id: str, before: int, wait: Callable[[float], None], *, taken: bool = False) -> int:
    """Wait after somebody else was first; how often in a row that was. `taken`: our change was, and does not show, because
    somebody took it back or the service answers from before it. Raises InputError after too many."""
    if before + 1 >= TRIES:
        if taken:
            message = f"A change of it was taken {TRIES} times in a row and does not show. Look at it, and push again."
            raise InputError([problem("list-busy", list_id, message)])
        message = f"Others changed it {TRIES} times in a row between our reading and our change."
        raise InputError([problem("list-contended", list_id, message)])
    wait(random.uniform(0, min(10.0, 0.5 * 2**before)))
    return before + 1


def problem(rule: str, list_id: str | None, message: str) -> Problem:
    return Problem(rule=rule, file=list_id, message=message)


def _refuse(
    order: PushOrder, pool: AddressPool, at: StandingList, wanted: WantedAddresses, found: ListDifference
) -> None:
    problems = []
    if order.family and order.family != at.family:
        message = f"It is a list of {at.family}. Allowed by --family: {order.family}."
        problems.append(problem("list-family", at.list_id, message))
    elif not wanted.hosts_of:
        message = (
            f"{pool.shown} has no {at.family} address of the {len(pool.hosts):,} hosts. The list is left as it is: an empty "
            "one cuts them off."
        )
        problems.append(problem("list-emptied", at.list_id, message))
    if found.foreign and not order.keep_foreign:
        some = ", ".join(f"{each.cidr} {spelled(each.description)}" for each in found.foreign[:5])
        more = f" and {len(found.foreign) - 5:,} more" if len(found.foreign) > 5 else ""
        message = (
            f"Found entries that are not of `{mark(order.owner)}`: {some}{more}. They open what the pool does not say. Take "
            "them out, or keep them with --keep-foreign. If Pulumi fills the list, it undoes a push: `contents: refresher`."
        )
        problems.append(problem("list-foreign", at.list_id, message))
    if problems:
        raise InputError(problems)
