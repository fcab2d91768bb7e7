"""Members: what a place judges, by name, such as a subnet with a network ACL or an instance in security groups, and what changes
for one by what else judges it, before or afterwards.

A member that is gone, or new, or that comes to a place, opens nothing there by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from hostgate.catalog.problems import few
from hostgate.flows.comparison import Change, PlaceComparison, compare
from hostgate.flows.name_classes import Need
from hostgate.flows.steps import Place


@dataclass(frozen=True, slots=True)
class Member:
    """`under` are what judges it, by the names that places have. `keys` is what it is known by, in one snapshot and the next."""

    name: str
    keys: frozenset[str]
    under: frozenset[str]
    scope: str = ""
    """The network that it is in, where that is known: its default judges what nothing else does."""
    stands: bool = True
    """Whether it is a resource of the snapshot itself, so that one that is not there any more is gone."""


@dataclass(frozen=True, slots=True)
class Members:
    """Those of one kind in a snapshot. `judged` are the names of places that judge a list of hosts; `place` is what judges
    a member, by all that it is under; `left` what one is under that is named nowhere any more; None: it is gone."""

    kind: str
    found: Sequence[Member]
    judged: frozenset[str]
    place: Callable[[frozenset[str]], Place]
    left: Callable[[Member], frozenset[str] | None]
    read: Set[str] = frozenset()
    """The names of places of which something was read here, whether they judge a list of hosts or not."""

    def beside(self, here: Iterable[Place], there: Iterable[Place]) -> list[Place]:
        """What judges a list of hosts `there` and none here."""
        left = {each.name for each in there} - {each.name for each in here}
        return [self.place(frozenset({name})) for name in sorted(left & self.read)]


def moved(
    before: Members, after: Members, needs: Callable[[Place], Sequence[Need]] = lambda _: ()
) -> Iterator[tuple[str, PlaceComparison]]:
    """What changes for members of what judges a list of hosts, those that move alike together, with who they are: of one that
    leaves, everything; of one that stays, what comes of anything else that it is under. `needs` are those at a place."""
    known = {key: each for each in after.found for key in each.keys}
    moves: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    for old in before.found:
        new = next((known[key] for key in sorted(old.keys) if key in known), None)
        now = after.left(old) if new is None else new.under
        if now is not None and old.under & before.judged and len(old.under | now) > 1:
            moves.setdefault((old.under, now), []).append(old.name)
    for (was, now), names in moves.items():
        places = before.place(was), after.place(now)
        found = compare(*places, needs(places[1]))
        stays = was & before.judged
        if stays <= now:
            told = {(step.owner, step.rule) for side in (before, after) for step in side.place(stays).steps}
            found = replace(found, changes=tuple(each for each in found.changes if not _by(each) <= told))
        kind = places[0].kind
        who = f"{before.kind}{'s' if len(names) > 1 else ''} {few(names)}"
        where = f"in {kind}" if was == now else f"from {kind} {places[0].name} to"
        if found.changes or was != now:
            yield f"{places[1].cloud} {who}, {where} {places[1].name}", found


def _by(change: Change) -> set[tuple[str, str]]:
    return {(cause.owner, cause.rule) for cause in (*change.opening, *change.closing)}
