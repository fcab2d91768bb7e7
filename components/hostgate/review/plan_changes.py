"""What changes from one set of plans to another: flows that open and close, clients, objects, findings, decisions.

Flows are compared by what is reachable, not by the list: an exact host under a wildcard that stays open does not close,
and a wildcard that loses its apex closes the apex only.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.catalog.problems import few
from hostgate.planning.decision import Decision
from hostgate.planning.findings import Finding
from hostgate.planning.mechanism import Seat
from hostgate.review.going_over import going_over
from hostgate.review.object_changes import ObjectChange, object_changes
from hostgate.review.openings import PARTS, Opening, Openings, Part
from hostgate.review.statement import Statement
from hostgate.review.unlisted import Unlisted, clients_beyond, is_everybody, unlisted, within

PART_WORDS = {Part.NAME: "name", Part.ONE: "one label below", Part.DEEP: "deeper"}


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Flows of one entry that open or close; `parts` are those of its names that do. `other` is its counterpart. `clients`:
    for whom, where a side has several grants; None: for the clients of the plan."""

    opening: Opening
    parts: Part
    other: Entry | None = None
    """Of an opening the entry that it replaces, of a closing the one that took over."""
    clients: tuple[str, ...] | None = None
    by: str = ""
    """What another layer does to them, that the layer itself lists as before: the end of a sentence."""

    @property
    def whose(self) -> str:
        """For whom, in words that end a sentence; empty where it is for the clients of the plan."""
        if self.clients is None:
            return ""
        of = f"{self.entry.grant}: " if self.entry.grant else ""
        return f" for {of}{', '.join(self.clients)}"

    @property
    def entry(self) -> Entry:
        return self.opening.decision.entry

    @property
    def whole(self) -> bool:
        return self.parts == PARTS[self.opening.match]

    @property
    def key(self) -> tuple[str, str, int, str, int, tuple[str, ...] | None]:
        """What is opened and for whom, whichever entry says it."""
        entry = self.entry
        return (entry.host, self.opening.match, entry.port, entry.protocol, int(self.parts), self.clients)

    def as_json(self) -> dict[str, Any]:
        entry = self.entry
        return {
            "host": entry.host,
            "match": entry.match,
            "port": entry.port,
            "protocol": entry.protocol,
            "names": [word for part, word in PART_WORDS.items() if part in self.parts],
            "whole": self.whole,
            "widened": self.opening.widened,
            "rule": self.opening.decision.rule,
            "catalog": entry.catalog,
            "entry": entry.id,
            "purpose": entry.purpose,
            "notes": entry.notes,
            "other": None if self.other is None else self.other.host,
            **({} if self.clients is None else {"grant": entry.grant, "clients": list(self.clients)}),
            **({"by": self.by.removeprefix(", which ")} if self.by else {}),
        }


@dataclass(frozen=True, slots=True)
class DecisionChange:
    """An entry with another outcome."""

    before: Decision
    after: Decision

    def as_json(self) -> dict[str, Any]:
        entry = self.after.entry
        return {
            **({"grant": entry.grant} if entry.grant else {}),
            "entry": entry.id,
            "catalog": entry.catalog,
            "host": entry.host,
            "before": self.before.outcome,
            "after": self.after.outcome,
            "reason": self.after.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDiff:
    """What changes on one target. Of a target that comes or goes, one of the two statements is None."""

    base: Statement | None
    head: Statement | None
    opened: tuple[FlowChange, ...]
    closed: tuple[FlowChange, ...]
    kept: int
    """Openings of BASE that stay."""
    clients_added: tuple[str, ...] = ()
    clients_removed: tuple[str, ...] = ()
    settings: tuple[tuple[str, Any, Any], ...] = ()
    """Options that differ: name, before, after."""
    objects: tuple[ObjectChange, ...] | None = None
    decisions: tuple[DecisionChange, ...] = ()
    findings_new: tuple[Finding, ...] = ()
    findings_gone: tuple[Finding, ...] = ()
    accepted_now: tuple[Finding, ...] = ()
    """Findings that stood before and are accepted now."""
    unlisted: Unlisted = field(default_factory=Unlisted)
    """What changes for all that is in no catalog."""
    redirected: tuple[tuple[Decision, tuple[str, ...]], ...] = ()
    """Entries that stay, and addresses or sets of addresses that they open now and did not before."""
    obstacles: tuple[str, ...] = ()
    """Why no single update leads there, each with the way that does."""
    alone: bool = True
    """Whether no other difference is of the same target."""
    held: tuple[FlowChange, ...] = ()
    """What it no longer lists and another layer lets pass as before."""
    carried_on: str = ""
    """Of a target that goes: the one whose rules were one list with its own, and that stands on."""

    @property
    def label(self) -> str:
        """The target, with a name where several are of one."""
        return self.target if self.alone else f"{self.target} {self.name}"

    @property
    def target(self) -> str:
        stated = self.head or self.base
        assert stated is not None
        return stated.target

    @property
    def name(self) -> str:
        stated = self.head or self.base
        assert stated is not None
        return stated.name

    @property
    def removed(self) -> int:
        """Openings that close, for everybody or, where clients went, for those."""
        return len(self.closed) + (self.kept if self.clients_removed else 0)

    @property
    def added(self) -> int:
        """Openings that are new, for everybody or, where clients came, for those; not where everything opens."""
        single = len(self.opened) + len(self.unlisted.exempt) + len(self.redirected)
        return single + (self.kept if self.clients_added else 0)

    @property
    def unchanged(self) -> bool:
        stays = self.base is not None and self.head is not None and self.base.digest == self.head.digest
        changes = (self.opened, self.closed, self.settings, self.objects, self.decisions, self.findings_new)
        beside = (self.findings_gone, self.accepted_now, self.unlisted, self.redirected)
        return stays and not any(changes) and not any(beside)

    def as_json(self) -> dict[str, Any]:
        base, head = self.base, self.head
        return {
            "target": self.target,
            "name": self.name,
            "change": "new" if base is None else "gone" if head is None else "same" if self.unchanged else "changed",
            "mechanism_before": base and base.target,
            "refused": head is not None and head.refused,
            "digest": {"base": base and base.digest, "head": head and head.digest},
            "catalogs": {"base": list(base.catalogs) if base else None, "head": list(head.catalogs) if head else None},
            "opened": [each.as_json() for each in self.opened],
            "closed": [each.as_json() for each in self.closed],
            "clients": {
                "head": None if head is None or head.clients is None else list(head.clients),
                "added": list(self.clients_added),
                "removed": list(self.clients_removed),
            },
            "unlisted": self.unlisted.as_json(),
            "redirected": [
                {"entry": one.entry.id, "host": one.entry.host, "to": list(more)} for one, more in self.redirected
            ],
            "settings": [{"option": name, "base": old, "head": new} for name, old, new in self.settings],
            "objects": None if self.objects is None else [each.as_json() for each in self.objects],
            "decisions": [each.as_json() for each in self.decisions],
            "findings": {
                "new": [one.as_json() for one in self.findings_new],
                "gone": [one.as_json() for one in self.findings_gone],
                "accepted": [one.as_json() for one in self.accepted_now],
            },
        }


EVERYBODY = "everybody behind it"
"""Stands for clients that nobody has named."""


def diff(base: Sequence[Statement], head: Sequence[Statement]) -> tuple[TargetDiff, ...]:
    """What changes from `base` to `head`, statement by statement, in the order of `head`, then what is gone."""
    if any(each.of_engine for each in (*base, *head)) and not all(each.of_engine for each in (*base, *head)):
        base, head = ([part for each in side for part in each.apart] for side in (base, head))
    found = [_diff(old, new) for old, new in _pairs(base, head)]
    often = Counter(each.target for each in found)
    held: dict[str, list[Seat]] = {}
    for seat in (seat for old in base for seat in old.seats):
        held.setdefault(seat.what, []).append(seat)
    changes = tuple(
        replace(
            each,
            alone=often[each.target] == 1,
            obstacles=(
                *_taken(each.head, held),
                *_leaving(each.base, each.head),
                *_led_elsewhere(each.base, each.head),
                *going_over(each),
            ),
        )
        for each in found
    )
    if len(changes) == 1:
        return changes
    from hostgate.review.together import judged_together  # which is about what is made here

    return judged_together(changes, base, head)


def _leaving(base: Statement | None, head: Statement | None) -> Iterator[str]:
    """Clients that rules before a deny let pass no more, where those change before the deny does."""
    if base is None or head is None or head.refused or base.enforcement.denier != "hostgate":
        return
    before, after = base.enforcement.in_place, head.enforcement.in_place
    if before is None or after is None:
        return
    left = {
        client: None
        for rule, clients in before.clients.items()
        if rule in after.clients
        for client in clients_beyond(clients, after.clients[rule])
    }
    if left:
        who = few([*left])
        yield (
            f"No single update leads there: the rules for the hosts leave out {who} before the deny does, which would cut "
            f"them until then. {after.way}"
        )


def _led_elsewhere(base: Statement | None, head: Statement | None) -> Iterator[str]:
    """Hosts that are led to other addresses, where the rules leave the ones before while clients still go there."""
    in_place = None if head is None or head.refused else head.enforcement.in_place
    if base is None or head is None or in_place is None or not in_place.led or base.enforcement.denier == "nobody":
        return
    known = {decision.entry.key: decision.entry for decision in base.decisions if decision.outcome == "allowed"}
    moved: dict[tuple[str, str], list[str]] = {}
    for decision in head.decisions:
        entry = known.get(decision.entry.key)
        if entry is None or decision.outcome != "allowed":
            continue
        before, after = base.dialled(entry), head.dialled(decision.entry)
        left = [each for each in before if not within(each, after)]
        if left or (after and not before):
            ways = tuple(", ".join(each) or "those of the name" for each in (left, after))
            moved.setdefault((ways[0], ways[1]), []).append(entry.host)
    for (left_out, now), hosts in moved.items():
        who = few(hosts)
        yield (
            f"No single update leads there: {who} {'is' if len(hosts) == 1 else 'are'} denied at {left_out} from the moment on "
            f"that the rules are about {now}, and clients still go there: the answers change after the rules, and are kept until "
            f"they expire. {in_place.led}"
        )


def _taken(head: Statement | None, held: Mapping[str, Sequence[Seat]]) -> Iterator[str]:
    """What of `head` another object has until after it would be made; of several of one kind the first."""
    taken: dict[str, list[str]] = {}
    wanted: Counter[str] = Counter()
    for seat in head.seats if head is not None and not head.refused else ():
        before = held.get(seat.what, ())
        if before and not any(seat.follows(each) for each in before):
            wanted[seat.what] += 1
            if len(before) + wanted[seat.what] > seat.room:
                taken.setdefault(seat.way, []).append(f"{seat.what} ({before[0].holders[0]} has it)")
    for way, found in taken.items():
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"No single update leads there: it needs {found[0]}{more}. {way}"


def _pairs(base: Sequence[Statement], head: Sequence[Statement]) -> Iterator[tuple[Statement | None, Statement | None]]:
    """Statements about the same thing, the surest likeness first: equal ones, then those of one target and name, each
    in their order; then the only one of a target on each side; then the only one of a cloud that sees the same of a
    flow, since such layers take each other's place.
    """
    left, old_of = list(base), dict[int, Statement]()
    for key, lone in _LIKENESSES:
        new_of: dict[Any, list[int]] = {}
        for index, new in enumerate(head):
            if index not in old_of:
                new_of.setdefault(key(new), []).append(index)
        for likeness, rivals in new_of.items():
            candidates = [old for old in left if key(old) == likeness]
            if lone and not len(rivals) == len(candidates) == 1:
                continue
            for index, old in zip(rivals, candidates, strict=False):
                old_of[index] = old
        left = [old for old in left if not any(old is other for other in old_of.values())]
    yield from ((old_of.get(index), new) for index, new in enumerate(head))
    yield from ((old, None) for old in left)


_LIKENESSES: tuple[tuple[Callable[[Statement], object], bool], ...] = (
    (lambda each: (each.target, each.name, each.digest, json.dumps(each.settings, sort_keys=True)), False),
    (lambda each: (each.target, each.name), False),
    (lambda each: each.target, True),
    (lambda each: (each.cloud, each.sight), True),
)
"""What makes two statements alike, and whether only where each side has one of that kind."""


def _diff(base: Statement | None, head: Statement | None) -> TargetDiff:
    if base is not None and head is not None and base.of_engine != head.of_engine:
        base, head = _comparable(base), _comparable(head)
    after_that = base if head is not None and head.refused else head  # nothing of a refused plan is made
    before, after = Openings(base), Openings(after_that)
    opened, closed = list(_missing(after, before)), list(_missing(before, after))
    added, removed = _clients(base, head)
    kept = sum(not _lacks(after, each) for each in before.listed)
    if any(each is not None and each.grants for each in (base, head)):
        opened, closed = list(_of_clients(after_that, base)), list(_of_clients(base, after_that))
        added, removed = (), ()
        kept = len(before.listed) - len({change.entry.key for change in closed})
    opened, closed = _paired(opened, closed)
    new, gone, accepted = _findings(base, head)
    settings: tuple[tuple[str, Any, Any], ...] = ()
    if base is not None and head is not None:
        known = [name for name in head.settings if name in base.settings]
        if base.target != head.target:
            known = [name for name in ("mode", "deny") if name in known]
        changed = [(name, base.settings[name], head.settings[name]) for name in known]
        settings = tuple(each for each in changed if each[1] != each[2])
    return TargetDiff(
        base=base,
        head=head,
        opened=tuple(opened),
        closed=tuple(closed),
        kept=kept,
        clients_added=added,
        clients_removed=removed,
        settings=settings,
        objects=object_changes(base, head),
        decisions=tuple(_decisions(base, head)),
        findings_new=new,
        findings_gone=gone,
        accepted_now=accepted,
        unlisted=unlisted(base, head),
        redirected=tuple(_redirected(base, head)),
    )


def _redirected(base: Statement | None, head: Statement | None) -> Iterator[tuple[Decision, tuple[str, ...]]]:
    """What stays allowed, by more addresses that the options give than before, or by such ones and not as before. An entry for
    another host or port opens that."""
    if base is None or head is None or head.refused:
        return
    known = {decision.entry.id: decision for decision in base.decisions if decision.outcome == "allowed"}
    for decision in head.decisions if known else ():
        old = known.get(decision.entry.id)
        if old is None or decision.outcome != "allowed" or _end(old.entry) != _end(decision.entry):
            continue
        before, after = base.dialled(old.entry), head.dialled(decision.entry)
        more = tuple(each for each in after if not within(each, before))
        if more and (before or old.means != decision.means):
            yield decision, more


def _end(entry: Entry) -> tuple[str, int, str]:
    return entry.host, entry.port, entry.transport


def _comparable(statement: Statement) -> Statement:
    """What a plan and an engine's preview both say: no catalogs of entries, and not the same kind of objects."""
    decisions = (replace(each, entry=replace(each.entry, catalog="")) for each in statement.decisions)
    findings = statement.findings and tuple(replace(one, catalog=None) for one in statement.findings)
    return replace(statement, decisions=tuple(decisions), findings=findings, made=None)


def _missing(has: Openings, other: Openings) -> Iterator[FlowChange]:
    """What `has` opens and `other` does not, each reach once."""
    seen = set()
    for each in has.listed:
        parts = _lacks(other, each)
        change = FlowChange(each, parts)
        if parts and change.key not in seen:
            seen.add(change.key)
            yield change


def _of_clients(has: Statement | None, other: Statement | None) -> Iterator[FlowChange]:
    """As `_missing`, client by client, where a side has several grants."""
    theirs, seen = _by_clients(other), set()
    for clients, openings in _by_clients(has):
        for each in openings.listed:
            holders = [(whom, found) for whom, found in theirs if not _lacks(found, each)]
            everybody = any(not whom for whom, _ in holders)
            united = [client for whom, _ in holders for client in whom]
            lost: dict[Part, list[str]] = {}
            for client in clients or (EVERYBODY,):
                if everybody or (clients and within(client, united)):
                    continue
                parts = PARTS[each.match]
                for whom, found in theirs:
                    if not whom or (clients and within(client, whom)):
                        parts &= _lacks(found, each)
                if parts:
                    lost.setdefault(parts, []).append(client)
            for parts, losers in lost.items():
                change = FlowChange(each, parts, clients=tuple(losers))
                if change.key not in seen:
                    seen.add(change.key)
                    yield change


def _by_clients(statement: Statement | None) -> list[tuple[tuple[str, ...], Openings]]:
    """Who may use what: the clients of each grant, or of the whole statement, and what is open to them."""
    if statement is None or not statement.grants:
        return [] if statement is None else [(statement.clients or (), Openings(statement))]
    return [
        (
            clients,
            Openings(replace(statement, decisions=tuple(d for d in statement.decisions if d.entry.grant == grant))),
        )
        for grant, clients in statement.grants.items()
    ]


def _lacks(openings: Openings, each: Opening) -> Part:
    return openings.lacks(PARTS[each.match], each.decision.entry.host, each.wire, each.port)


def _paired(opened: list[FlowChange], closed: list[FlowChange]) -> tuple[list[FlowChange], list[FlowChange]]:
    """Each change with its counterpart: the same entry with another host, or the entry that it says it replaces."""
    by_key = {(change.entry.catalog, change.entry.id, change.entry.grant): change.entry for change in closed}
    took_over: dict[tuple[str, str], Entry] = {}
    paired = []
    for change in opened:
        entry = change.entry
        for id_ in (entry.id, entry.replaces):
            other = by_key.get((entry.catalog, id_, entry.grant)) if id_ else None
            if other is not None and (other.host, other.port) != (entry.host, entry.port):
                took_over[other.key] = entry
                paired.append(replace(change, other=other))
                break
        else:
            paired.append(change)
    return paired, [replace(each, other=took_over.get(each.entry.key)) for each in closed]


def _clients(base: Statement | None, head: Statement | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clients of `head` that `base` did not let through, and those that it did and `head` does not: the ones that nothing
    judged before too, where the deny comes to hold for them and no rule for hosts is about them."""
    if base is None or head is None or head.refused or base.clients is None or head.clients is None:
        return (), ()
    before = base.enforcement
    barred = [
        each
        for each in head.enforcement.barred
        if before.denier == "nobody" or (before.judged and not within(each, before.judged))
    ]
    removed = _beyond(base.clients, head.clients)
    return _beyond(head.clients, base.clients), tuple(dict.fromkeys((*removed, *barred)))


def _beyond(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Those of `some` that are not within `others`; nobody named is everybody."""
    if is_everybody(others):
        return ()
    return (EVERYBODY,) if is_everybody(some) else tuple(each for each in some if not within(each, others))


def _decisions(base: Statement | None, head: Statement | None) -> Iterator[DecisionChange]:
    if base is None or head is None:
        return
    before = {decision.entry.key: decision for decision in base.decisions}
    for decision in head.decisions:
        old = before.get(decision.entry.key)
        if old is not None and old.outcome != decision.outcome:
            yield DecisionChange(old, decision)


def _findings(
    base: Statement | None, head: Statement | None
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings that are new, gone, and accepted only now. Not what their sentences count: that is told by the flows."""
    if any(each is not None and each.findings is None for each in (base, head)):
        return (), (), ()
    before, after = _by_id(base), _by_id(head)
    new = tuple(one for key, one in after.items() if key not in before)
    gone = tuple(one for key, one in before.items() if key not in after)
    now = tuple(
        one for key, one in after.items() if one.accepted and key in before and before[key].accepted != one.accepted
    )
    return new, gone, now


def _by_id(statement: Statement | None) -> dict[tuple[str | int | None, ...], Finding]:
    """Findings by what they are about; of several about the same, such as two of the whole plan, each by its turn."""
    found: dict[tuple[str | int | None, ...], Finding] = {}
    turns: Counter[tuple[str | None, ...]] = Counter()
    for one in (statement and statement.findings) or ():
        about = (one.id, one.catalog, one.entry, one.host, one.grant)
        found[(*about, turns[about])] = one
        turns[about] += 1
    return found
