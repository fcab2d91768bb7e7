"""Hosts and clients that go from one object to another in one update, where the objects change one by one.

What the first object lets pass no more before the second one does is cut until then, and for good where the update stops
between them. An object that is made anew changes together with what refers to it, and one that goes does so last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hostgate.catalog.problems import few
from hostgate.planning.enforcement import OWN_POLICY
from hostgate.review.openings import PARTS, Opening, Openings, Part, Wire
from hostgate.review.statement import Statement
from hostgate.review.unlisted import network_of, within

if TYPE_CHECKING:
    from hostgate.review.plan_changes import TargetDiff

Held = Mapping[tuple[str, tuple[str, ...]], Openings]
"""What is open by object and by the clients that it is open for; no clients: everybody."""


def going_over(change: "TargetDiff") -> Iterator[str]:
    """Why no single update leads from BASE to HEAD, with the way that does; nothing where one does."""
    base, head = change.base, change.head
    if (
        base is None
        or head is None
        or head.refused
        or not head.enforcement.apart
        or base.enforcement.denier == "nobody"
    ):
        return
    before, after = _held(base), _held(head)
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name in _in_place(change, before, after):
        for (at, clients), openings in before.items():
            for each in openings.listed if at == name else ():
                for client in clients or ("",):
                    if taken := _taken_over(each, client, name, before, after):
                        found.setdefault((name, taken), {})[_told(each, client)] = None
    for (name, taken), flows in found.items():
        told = few([*flows])
        yield (
            f"No single update leads there: {name} may leave out {told} before {taken} holds it, which would cut it until "
            f"then. {head.enforcement.apart}"
        )


def _held(statement: Statement) -> Held:
    found: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for index, decision in enumerate(statement.decisions):
        if decision.outcome == "allowed" and decision.rule:
            of_grant = statement.grants.get(decision.entry.grant) if statement.grants else statement.clients
            found.setdefault((decision.rule.partition("#")[0], tuple(of_grant or ())), []).append(index)
    return {
        key: Openings(replace(statement, decisions=tuple(statement.decisions[index] for index in indices)))
        for key, indices in found.items()
    }


def _in_place(change: "TargetDiff", before: Held, after: Held) -> list[str]:
    """Objects that stay and whose rules change where they are; those that may, where nobody says what is made."""
    both = {name for name, _ in before} & {name for name, _ in after}
    if change.objects is not None:
        updated = {each.name for each in change.objects if each.what == "updated"}
        return sorted(both & updated)
    together = change.head is not None and any(each.startswith(OWN_POLICY) for each in change.head.enforcement.places)
    anew = {name for name, _ in before.keys() ^ after.keys()} if together else set()
    return sorted(both - anew)


def _taken_over(each: Opening, client: str, name: str, before: Held, after: Held) -> str:
    """The object that holds an opening of `name` for `client`, or for a part of it, from now on and did not so far; empty
    where it stays, or is meant to close."""
    lost = _lacks(each, client, name, after)
    taken = ""
    for other in dict.fromkeys(at for at, _ in after) if lost else ():
        if other == name:
            continue
        if not lost & (_lacks(each, client, other, before) | _lacks(each, client, other, after)):
            return ""
        if not taken and any(
            at == other and _meet(client, clients) and lost & ~openings.lacks(lost, *_asked(each))
            for (at, clients), openings in after.items()
        ):
            taken = other
    return taken


def _asked(each: Opening) -> tuple[str, Wire, int]:
    return each.decision.entry.host, each.wire, each.port


def _lacks(each: Opening, client: str, name: str, held: Held) -> Part:
    """What of an opening an object does not hold for all of `client`."""
    lost = PARTS[each.match]
    for (at, clients), openings in held.items():
        if at == name and (not clients or (client and within(client, clients))):
            lost &= openings.lacks(lost, *_asked(each))
    return lost


def _meet(client: str, clients: tuple[str, ...]) -> bool:
    """Whether `client` (empty: everybody) has somebody in common with `clients` (none: everybody)."""
    if not client or not clients or client in clients:
        return True
    one = network_of(client)
    others = [network_of(each) for each in clients]
    return one is not None and any(
        each is not None and each.version == one.version and each.overlaps(one) for each in others
    )


def _told(each: Opening, client: str) -> str:
    entry = each.decision.entry
    return f"{entry.host}:{entry.port}{f' for {client}' if client else ''}"
