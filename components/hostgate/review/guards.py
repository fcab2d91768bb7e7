"""Guards over a change: how many openings may go or come, hosts that must stay, and never everything. No percentages.

A percentage says nothing about a short list: three hosts of ten may be the whole registry. A guard looks at what is
reachable, so that moving a host under a wildcard that holds it removes nothing. It counts what the entries of catalogs say,
and at every place that was compared what any rule does there: on each target and place the greater number holds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hostgate.catalog.problems import few

if TYPE_CHECKING:  # every stack may have guards, and few commands look at them
    from hostgate.review.compared_places import ComparedPlace
    from hostgate.review.plan_changes import TargetDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What a change may do on any one target. None: any number."""

    max_removed: int | None = None
    max_opened: int | None = None
    never_remove: tuple[str, ...] = ()
    never_open_all: bool | None = None
    """Whether what is in no catalog must stay denied where it is. None: nobody says, and then it must."""

    @property
    def keeps_closed(self) -> bool:
        return self.never_open_all is not False

    def with_those_of(self, other: "Guards") -> "Guards":
        """Both at once: the smaller number of each, every host, and everything only where nobody minds."""
        said = {self.never_open_all, other.never_open_all} - {None}
        return Guards(
            max_removed=_smaller(self.max_removed, other.max_removed),
            max_opened=_smaller(self.max_opened, other.max_opened),
            never_remove=tuple(dict.fromkeys((*self.never_remove, *other.never_remove))),
            never_open_all=None if not said else True in said,
        )


@dataclass(frozen=True, slots=True)
class GuardTrip:
    """A guard that a change runs into, on one target."""

    guard: str
    target: str
    message: str
    host: str = ""
    """The one that must stay, of a guard over hosts."""

    def as_json(self) -> dict[str, Any]:
        return {"guard": self.guard, "target": self.target, "message": self.message}


def tripped(
    guards: Guards, changes: "Sequence[TargetDiff]", places: "Sequence[ComparedPlace]" = ()
) -> tuple[GuardTrip, ...]:
    """Every guard that `changes` run into, or what was found at `places`; one of both where they are called alike."""
    found = [each for change in changes for each in _of_target(guards, change)]
    said = {(each.guard, each.target, each.host) for each in found}
    of_places = (each for place in places for each in _of_place(guards, place))
    found += [each for each in of_places if (each.guard, each.target, each.host) not in said]
    return tuple(found)


def idle(guards: Guards, changes: "Iterable[TargetDiff]", places: "Sequence[ComparedPlace]" = ()) -> tuple[str, ...]:
    """Hosts that must stay and that no target or place of BASE opens: such a guard is misspelt, or guards nothing yet."""
    from hostgate.review.openings import Openings

    bases = [change.base for change in changes if change.base is not None]
    if any(base.enforcement.denier == "nobody" for base in bases):
        return ()  # every host is open there
    known = [Openings(base) for base in bases]
    return tuple(
        host
        for host in guards.never_remove
        if not any(each.holds(host, *at) for each in known for at in each.ports)
        and not any(place.opened_before(host) for place in places)
    )


def _of_target(guards: Guards, change: "TargetDiff") -> Iterator[GuardTrip]:
    yield from (GuardTrip("one-update", change.label, message) for message in change.obstacles)
    opens = change.unlisted.opens
    if opens and guards.keeps_closed:
        yield GuardTrip(
            "never-open-all", change.label, f"Everything would open: {few([each.about for each in opens])}."
        )
    about = "".join(f"; {change.kept} of them stay for other clients" for _ in change.clients_removed[:1])
    if guards.max_removed is not None and change.removed > guards.max_removed:
        yield GuardTrip(
            "max-removed", change.label, f"{change.removed} would close{about}, allowed {guards.max_removed}."
        )
    deserted = ", ".join(change.unlisted.deserted)
    left = change.kept + len(change.closed)
    if deserted and guards.max_removed is not None and left > guards.max_removed >= change.removed:
        message = f"{left} would close at {deserted}, allowed {guards.max_removed}."
        yield GuardTrip("max-removed", change.label, message)
    about = "".join(f"; {change.kept} of them for more clients" for _ in change.clients_added[:1])
    if guards.max_opened is not None and opens:
        yield GuardTrip("max-opened", change.label, f"Everything would open, allowed {guards.max_opened}.")
    elif guards.max_opened is not None and change.unlisted.settled and change.kept + change.added > guards.max_opened:
        message = f"{change.kept + change.added} would open at {', '.join(change.unlisted.settled)}"
        yield GuardTrip("max-opened", change.label, f"{message}, allowed {guards.max_opened}.")
    elif guards.max_opened is not None and change.added > guards.max_opened:
        yield GuardTrip("max-opened", change.label, f"{change.added} would open{about}, allowed {guards.max_opened}.")
    if not guards.never_remove:
        return
    from hostgate.catalog.match_kinds import holds
    from hostgate.review.openings import Openings

    before, after = Openings(change.base), Openings(change.head)
    if change.head is not None and change.head.refused:
        after = before
    closing = change.unlisted.closes and change.base is not None and change.base.enforcement.denier == "nobody"
    for host in guards.never_remove:
        open_now = [at for at in before.ports if before.holds(host, *at)]
        held = {
            flow.entry.port for flow in change.held if holds(flow.opening.match, flow.entry.host, host)
        }  # by another layer
        gone = sorted({port for wire, port in open_now if not after.holds(host, wire, port)} - held)
        if gone:
            ports = ", ".join(map(str, gone)) if gone != [0] else "any"
            yield GuardTrip("never-remove", change.label, f"{host} must stay, and would close on port {ports}.", host)
        elif some := [
            flow
            for flow in change.closed
            if (flow.clients or flow.by) and holds(flow.opening.match, flow.entry.host, host)
        ]:
            yield GuardTrip(
                "never-remove", change.label, f"{host} must stay, and would close{some[0].whose}{some[0].by}.", host
            )
        elif open_now and change.clients_removed:
            clients = ", ".join(change.clients_removed)
            yield GuardTrip("never-remove", change.label, f"{host} must stay, and would close for {clients}.", host)
        elif open_now and deserted:
            yield GuardTrip("never-remove", change.label, f"{host} must stay, and would close at {deserted}.", host)
        elif closing and not open_now and not any(after.holds(host, *at) for at in after.ports):
            yield GuardTrip(
                "never-remove", change.label, f"{host} must stay, and would close: so far nothing is denied.", host
            )


def _of_place(guards: Guards, place: "ComparedPlace") -> Iterator[GuardTrip]:
    perhaps = place.perhaps_everything
    if place.everything is not None and guards.keeps_closed:
        yield GuardTrip("never-open-all", place.label, f"Everything would open: {place.words(place.everything)}.")
    elif perhaps is not None and guards.keeps_closed:
        message = f"Everything may open: {place.words(perhaps)}.{place.not_known(perhaps)}"
        yield GuardTrip("never-open-all", place.label, message)
    if guards.max_removed is not None and place.closes > guards.max_removed:
        yield GuardTrip("max-removed", place.label, f"{place.closes} would close, allowed {guards.max_removed}.")
    if guards.max_opened is not None and place.everything is not None:
        yield GuardTrip("max-opened", place.label, f"Everything would open, allowed {guards.max_opened}.")
    elif guards.max_opened is not None and perhaps is not None:
        yield GuardTrip("max-opened", place.label, f"Everything may open, allowed {guards.max_opened}.")
    elif guards.max_opened is not None and place.opens > guards.max_opened:
        perhaps_some = f", {place.may_open} of them perhaps" if place.may_open else ""
        yield GuardTrip(
            "max-opened", place.label, f"{place.opens} would open{perhaps_some}, allowed {guards.max_opened}."
        )
    for host in guards.never_remove:
        if (closing := place.closing(host)) is not None:
            known = "would close" if closing.kind == "closed" else "nobody could tell any more whether it does"
            yield GuardTrip(
                "never-remove", place.label, f"{host} must stay, and {known}: {place.words(closing)}.", host
            )


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
