"""Guards over a change: how many openings may go or come, and hosts that must stay. Counts, not percentages.

A percentage says nothing about a short list: three hosts of ten may be the whole registry. A guard looks at what is
reachable, so that moving a host under a wildcard that holds it removes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # every stack may have guards, and few commands look at them
    from hostgate.planning.review.diff import TargetDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What a change may do on any one target. None: any number."""

    max_removed: int | None = None
    max_opened: int | None = None
    never_remove: tuple[str, ...] = ()

    def with_those_of(self, other: "Guards") -> "Guards":
        """Both at once: the smaller number of each, and every host."""
        return Guards(
            max_removed=_smaller(self.max_removed, other.max_removed),
            max_opened=_smaller(self.max_opened, other.max_opened),
            never_remove=tuple(dict.fromkeys((*self.never_remove, *other.never_remove))),
        )


@dataclass(frozen=True, slots=True)
class Tripped:
    """A guard that a change runs into, on one target."""

    guard: str
    target: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return {"guard": self.guard, "target": self.target, "message": self.message}


def tripped(guards: Guards, changes: "Sequence[TargetDiff]") -> tuple[Tripped, ...]:
    """Every guard that `changes` run into."""
    return tuple(each for change in changes for each in _of_target(guards, change))


def idle(guards: Guards, changes: "Iterable[TargetDiff]") -> tuple[str, ...]:
    """Hosts that must stay and that no target of BASE opens: such a guard is misspelt, or guards nothing yet."""
    from hostgate.planning.review.openings import Openings

    known = [Openings(change.base) for change in changes]
    return tuple(
        host for host in guards.never_remove if not any(each.holds(host, *at) for each in known for at in each.ports)
    )


def _of_target(guards: Guards, change: "TargetDiff") -> Iterator[Tripped]:
    about = "".join(f"; {change.kept} of them stay for other clients" for _ in change.clients_removed[:1])
    if guards.max_removed is not None and change.removed > guards.max_removed:
        yield Tripped(
            "max-removed", change.target, f"{change.removed} would close{about}, allowed {guards.max_removed}."
        )
    about = "".join(f"; {change.kept} of them for more clients" for _ in change.clients_added[:1])
    if guards.max_opened is not None and change.added > guards.max_opened:
        yield Tripped("max-opened", change.target, f"{change.added} would open{about}, allowed {guards.max_opened}.")
    if not guards.never_remove:
        return
    from hostgate.planning.review.openings import Openings

    before, after = Openings(change.base), Openings(change.head)
    if change.head is not None and change.head.refused:
        after = before
    for host in guards.never_remove:
        open_now = [at for at in before.ports if before.holds(host, *at)]
        gone = sorted({port for wire, port in open_now if not after.holds(host, wire, port)})
        if gone:
            ports = ", ".join(map(str, gone)) if gone != [0] else "any"
            yield Tripped("never-remove", change.target, f"{host} must stay, and would close on port {ports}.")
        elif open_now and change.clients_removed:
            clients = ", ".join(change.clients_removed)
            yield Tripped("never-remove", change.target, f"{host} must stay, and would close for {clients}.")


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
