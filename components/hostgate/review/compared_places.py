"""What a comparison of places finds, as a review counts and tells it: what opens and closes whichever rule it comes from.

A catalog's hosts are told entry by entry elsewhere; here every flow is asked of both sides, those of other people's rules and
of sets among them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from typing import Any

from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import few
from hostgate.flows.address_sets import AddressSet, networks, union
from hostgate.flows.comparison import Cause, Change, PlaceComparison, compare, compare_all, joined, opened_to_strangers
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.flow_words import flow_as_json, flow_in_words
from hostgate.flows.intervals import Intervals
from hostgate.flows.members import moved
from hostgate.flows.name_atoms import STRANGER
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest
from hostgate.flows.snapshot import Snapshot
from hostgate.flows.steps import Box, Place
from hostgate.flows.verdicts import decide
from hostgate.planning.breadth import too_broad
from hostgate.planning.decision import Decision, rules_decided
from hostgate.planning.needs import needs_of
from hostgate.planning.targets import load, named, rows
from hostgate.review.moved_hosts import Addresses, answered, passing_alone
from hostgate.review.plan_changes import TargetDiff
from hostgate.review.statement import Statement

_MOST_VALUES = 3
"""Values that are not known yet and are named; beyond, their number."""


@dataclass(frozen=True)
class ComparedPlace:
    """One place under the name that a review gives it. `entries` are rules of entries, which are told as such; `accounted`:
    whether options that change, or clients, account for what other rules of a plan open."""

    label: str
    found: PlaceComparison
    entries: frozenset[str] = frozenset()
    accounted: bool = False
    after: Snapshot | None = None
    """What stands on the side after the change, where that is known."""
    by_address: "ByAddress" = field(default_factory=lambda: ByAddress())

    @property
    def what(self) -> str:
        before, after = self.found.before, self.found.after
        if after is None:
            return "gone"
        if before is None or (before.remark and not after.remark):  # nothing used it
            return "new"
        return "changed" if self.found.changes else "same"

    @property
    def opens(self) -> int:
        """How many hosts of rules open, or may, and rules without hosts: of those of entries each that opens, beside the
        addresses of hosts or of their ports."""
        return self._number(((each, cause) for each in self.found.changes for cause in each.opening), self.opened)

    @property
    def may_open(self) -> int:
        """How many of those nobody can tell of."""
        after = self.found.after
        surely = {
            host: flow for host, flow in self.opened.items() if after is not None and answered(after, flow).allows
        }
        return self.opens - self._number(
            ((each, cause) for each in self.found.of("opened") for cause in each.opening), surely
        )

    @property
    def closes(self) -> int:
        """The same of what closes. What a rule for most of the internet let pass is everything else, and not counted."""
        causes = ((each, cause) for each in self.found.changes for cause in each.closing)
        return self._number((pair for pair in causes if pair[1].hosts or _broad(pair[1].ranges) is None), self.closed)

    def _number(self, causes: Iterable[tuple[Change, Cause]], moved: Mapping[str, Flow]) -> int:
        def host_by_host(change: Change, cause: Cause) -> bool:
            of_entry = not cause.hosts and cause.rule in self.by_address.rules
            return of_entry and not change.beside and (bool(moved) or change.kind != "unknown")

        return len({_counted(cause) for change, cause in causes if not host_by_host(change, cause)}) + len(moved)

    @cached_property
    def closed(self) -> Mapping[str, Flow]:
        """Hosts allowed by addresses alone that passed, or may have, at one that they have still, and do not, or nobody knows, with
        a flow that shows it."""
        return self._moved(closing=True)

    @cached_property
    def opened(self) -> Mapping[str, Flow]:
        """The same of hosts that pass, or may, and did not."""
        return self._moved(closing=False)

    def _moved(self, *, closing: bool) -> Mapping[str, Flow]:
        before, after, known = self.found.before, self.found.after, self.by_address
        if before is None or after is None or not self.found.changes:
            return {}
        sides = [(before, known.before), (after, known.after)]
        (here, its), (other, others) = sides if closing else reversed(sides)
        clients = (flow.source for each in self.found.changes for flow in each.flows)
        return dict(passing_alone(here, other, its, others, clients))

    @property
    def everything(self) -> Change | None:
        """What opens to names that nobody means, if the rules that let it pass are too wide for one vendor."""
        if _broad(opened_to_strangers(self.found.changes)) is None:
            return None
        found = [each for each in self.found.of("opened") if STRANGER in each.names]
        wide = (each for each in found if _broad(union(cause.ranges for cause in each.opening)) is not None)
        return next(wide, found[0])

    @property
    def perhaps_everything(self) -> Change | None:
        """What may open to names that nobody means and was known to be closed, if the rules that may let it pass are too wide
        for one vendor, or may be. Where nothing stood before, or a policy that nothing used, nothing was known; a plan knows
        all of its values."""
        before, after = self.found.before, self.found.after
        if self.everything is not None or self.after is None or before is None or after is None:
            return None
        if before.remark and not after.remark:
            return None
        found = [
            each
            for each in self.found.of("unknown")
            if each.opening and each.before.action == "block" and STRANGER in each.names
        ]
        wide = (each for each in found if any(_may_be_anything(cause.ranges) for cause in each.opening))
        broad = _broad(union(cause.ranges for each in found for cause in each.opening))
        return next(wide, None) or (found[0] if broad is not None else None)

    def not_known(self, change: Change) -> str:
        """The inputs on which a change hangs that nobody knows yet, as the end of a sentence; nothing where it is none."""
        after, place = self.after, self.found.after
        if after is None or place is None:
            return ""
        owners = dict.fromkeys(cause.owner for cause in change.opening if cause.owner)
        for urns in (owners, sorted(place.judging)):
            held = (after.by_urn[urn] for urn in urns if urn in after.by_urn)
            if values := [f"{each.urn.rpartition('::')[2]}: {path}" for each in held for path in each.not_known]:
                more = f" and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
                return f" Not known yet: {'; '.join(values[:_MOST_VALUES])}{more}."
        return ""

    @property
    def beside_entries(self) -> tuple[Change, ...]:
        """What opens, or may, and not by the rule of an entry."""
        return tuple(
            each
            for each in self.found.changes
            if each.opening and not self._by_entries(each) and (each.kind == "unknown" or not self.accounted)
        )

    @property
    def opened_by_others(self) -> tuple[Change, ...]:
        return tuple(each for each in self.beside_entries if each.kind == "opened")

    def _by_entries(self, change: Change) -> bool:
        if change.flow.wire_name not in (None, change.flow.name):  # no entry is for packets that lie about their host
            return False
        rules = {cause.rule for cause in (*change.opening, *change.closing)}
        return all(any(name in self.entries for name in rules_decided(rule)) for rule in rules)

    def closing(self, host: str) -> Change | None:
        """What that a host must have closes, or may: of one that is allowed by addresses alone, at those that it has still. Of one
        in no entry nobody knows the addresses: what closes for some is told where it is by its name, or is for too many."""
        found = [each for each in self.found.changes if each.closing and any(entry == host for entry, _ in each.due)]
        if host in self._alone:
            flow, before, after = self.closed.get(host), self.found.before, self.found.after
            if flow is None or before is None or after is None or not found:
                return None
            alike = (each for each in found if _kind(flow) in map(_kind, each.flows))
            verdicts = answered(before, flow), answered(after, flow)
            return replace(next(alike, found[0]), before=verdicts[0], after=verdicts[1], seen=((flow, (host,)),))
        if host in self.by_address.unlisted:
            found = [each for each in found if any(one.hosts or _broad(one.ranges) is not None for one in each.closing)]
        return next(iter(found), None)

    @cached_property
    def _alone(self) -> frozenset[str]:
        """Hosts that are allowed by addresses alone, and by name nowhere, unless nothing here asks for names."""
        told = self.by_address
        alone = frozenset(host for host, *_ in (*told.before, *told.after))
        places = (each for each in (self.found.before, self.found.after) if each is not None)
        named = any(step.box.name_tests for each in places for step in each.steps)
        return alone - told.by_name if named else alone

    def in_words(self, change: Change) -> tuple[str, str, str]:
        """The flow, with how many are like it and whose addresses they are, and what became and becomes of it."""
        moved = {"closed": self.closed, "opened": self.opened}.get(change.kind, {})
        kinds = set(map(_kind, change.flows))
        whose = [host for host, flow in moved.items() if _kind(flow) in kinds]
        ours = any(cause.rule in self.by_address.rules for cause in (*change.opening, *change.closing))
        return in_words(change, whose if ours and change.flow.name == STRANGER else ())

    def words(self, change: Change) -> str:
        """The change in one line."""
        flow, before, after = self.in_words(change)
        return " ".join(f"{flow}; before: {before}; now: {after}".split("\n"))

    def lets_pass(self, entry: Entry, address: str) -> bool:
        """Whether a connection that an entry is for passes to the address, of those that stand after."""
        after = self.found.after
        flow = Flow(entry.host, entry.port, entry.protocol, address=address.partition("/")[0])
        return after is not None and answered(after, flow).allows

    def opened_before(self, host: str) -> bool:
        """Whether a connection to `host` passed, as far as the rules say."""
        before = self.found.before
        return before is not None and decide(before, Flow(host)).allows

    def as_json(self) -> dict[str, Any]:
        place = self.found.place
        told = {kind: [_as_json(each) for each in self.found.changes if each.kind == kind]
                for kind in ("opened", "closed", "unknown")}  # fmt: skip
        return {"place": place.name, "target": place.target, "label": self.label, "change": self.what, **told}


def _kind(flow: Flow) -> tuple[int, int, int | None]:
    return flow.number, flow.port, flow.family


@dataclass(frozen=True, slots=True)
class ByAddress:
    """What both sides allow by addresses alone on one cloud, with the rules that do; `by_name`: hosts that something allows by
    name; `unlisted`: of the guarded ones those of no entry; `needs`: those flows, to whichever name, as what may be open."""

    before: Addresses = field(default_factory=dict)
    after: Addresses = field(default_factory=dict)
    rules: frozenset[str] = frozenset()
    by_name: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    needs: tuple[Need, ...] = ()


def _by_address(
    cloud: str, before: Sequence[Statement], after: Sequence[Statement], guarded_hosts: Iterable[str]
) -> ByAddress:
    allowed = [(side, one) for side in (*before, *after) for one in side.decisions if one.outcome == "allowed"]
    alone = [(side, one) for side, one in allowed if side.alone(one.entry)]
    rules = (rule for side, one in alone if one.rule for rule in side.rules_of(one.entry, one.rule))
    unlisted = (
        host for host in guarded_hosts if not any(holds(one.entry.match, one.entry.host, host) for _, one in allowed)
    )
    old, new = (_addresses(each for each in side if each.cloud == cloud) for side in (before, after))
    return ByAddress(
        before=old,
        after=new,
        rules=frozenset(rules),
        by_name=frozenset(one.entry.host for side, one in allowed if not side.alone(one.entry)),
        unlisted=frozenset(unlisted),
        needs=tuple(_may_be(old, new)),
    )


def _may_be(before: Addresses, after: Addresses) -> Iterator[Need]:
    """What hosts are dialled at, by port and protocol."""
    found: dict[tuple[int, int], set[str]] = {}
    for each in (before, after):
        for (host, port, protocol), addresses in each.items():
            found.setdefault((Flow(host, port, protocol).number, port), set()).update(addresses)
    for (number, port), ranges in found.items():
        box = Box(address=networks(ranges), port=Intervals.of([(port, port)]), protocols=frozenset({number}))
        yield Need("", box, due=False)


def _addresses(sides: Iterable[Statement]) -> Addresses:
    found: dict[tuple[str, int, str], frozenset[str]] = {}
    for side in sides:
        for decision in side.decisions:
            entry = decision.entry
            if decision.outcome == "allowed" and side.alone(entry):
                ranges = (each.partition("/") for each in side.dialled(entry))
                key = (entry.host, entry.port, entry.protocol)
                found[key] = found.get(key, frozenset()).union(each for each, *_ in ranges)
    return found


def compared_plans(changes: Iterable[TargetDiff], hosts: Sequence[str] = ()) -> tuple[ComparedPlace, ...]:
    """The places of plans, each as if nothing else stood there. Nothing of a refused plan is made. `hosts` are guarded."""
    found = []
    for change in changes:
        base, head = change.base, change.head
        if change.carried_on or (head is not None and head.refused) or (base is not None and base.refused):
            continue  # nothing is made, or another layer judges there as before
        before, after = (joined(each.places()) if each is not None else None for each in (base, head))
        sides = [each for each in (base, head) if each is not None]
        accounted = bool(change.unlisted or change.clients_added or change.redirected)
        bases, heads = ([each] if each is not None else [] for each in (base, head))
        by_address = _by_address(sides[-1].cloud, bases, heads, hosts)
        place = compare(before, after, [*guarded(hosts, sides), *by_address.needs])
        found.append(ComparedPlace(change.label, place, rules_of_entries(sides), accounted, by_address=by_address))
    return tuple(found)


def compared_standing(
    before: Sequence[Place],
    after: Sequence[Place],
    sides: tuple[Sequence[Statement], Sequence[Statement]],
    hosts: Sequence[str] = (),
    snapshot: Snapshot | None = None,
    targets: Iterable[TargetDiff] = (),
) -> tuple[ComparedPlace, ...]:
    """Places that stand before and after, everybody's rules with them; `sides` say what each is for, and `snapshot` is what
    stands after. What the rules of entries open is told of the entries where it comes with a change of `targets`, and else of
    the place."""
    rules = frozenset(rule for each in targets for rule in _rules_that_change(each))
    asked = _Asked(sides, hosts)
    found = compare_all(before, after, asked.needs)
    told = ((f"{each.place.cloud} {each.place.kind} {each.place.name}", each) for each in found)
    return tuple(asked.compared(told, rules, snapshot))


def as_it_stands(change: TargetDiff, places: Sequence[ComparedPlace]) -> TargetDiff:
    """The change of a plan without places where nothing is denied any more, if nothing opens there by what stands: its rules
    were not there, or others deny the same."""
    cloud = change.target.partition(":")[0]
    standing: dict[str, list[ComparedPlace]] = {}
    for each in places:
        if each.found.before is not None and each.found.before.cloud == cloud:
            standing.setdefault(each.found.before.name, []).append(each)

    def opens(about: str) -> bool:
        found = [each for word in about.split() for each in standing.get(word, ())]
        return not found or any(one.opening for each in found for one in each.found.changes)

    left = tuple(shift for shift in change.unlisted.opens if opens(shift.about))
    return replace(change, unlisted=replace(change.unlisted, opens=left))


def on_both(
    places: tuple[Sequence[Place], Sequence[Place]], snapshots: tuple[Snapshot, Snapshot]
) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """The places of both sides, with what judges a list of hosts on the other side alone, as far as it was read."""
    before, after = (list(each) for each in places)
    for target in rows():
        mine = [[each for each in side if each.target == target.name] for side in places]
        one, other = ({each.name for each in side} for side in mine)
        if target.members and one != other:
            sides = [load(target.members)(each) for each in snapshots]
            before += sides[0].beside(*mine)
            after += sides[1].beside(*reversed(mine))
    return tuple(before), tuple(after)


def compared_members(
    before: Snapshot,
    after: Snapshot,
    sides: tuple[Sequence[Statement], Sequence[Statement]],
    hosts: Sequence[str] = (),
) -> tuple[ComparedPlace, ...]:
    """What changes for members of a place by what else judges them, before or afterwards, told by no entry."""
    asked = _Asked(sides, hosts)
    moves = (each for members in named("members") for each in moved(members(before), members(after), asked.needs))
    return tuple(asked.compared(moves, frozenset(), after))


class _Asked:
    """What is asked of places with `sides`. What these allow by address on a cloud is gathered once for all places there."""

    def __init__(self, sides: tuple[Sequence[Statement], Sequence[Statement]], hosts: Sequence[str]) -> None:
        self._guarded = guarded(hosts, [*sides[0], *sides[1]])
        self._of_cloud = cache(partial(_by_address, before=sides[0], after=sides[1], guarded_hosts=hosts))

    def _by_address(self, place: Place) -> ByAddress:
        return self._of_cloud(place.cloud)

    def needs(self, place: Place) -> list[Need]:
        return [*self._guarded, *self._by_address(place).needs]

    def compared(
        self, told: Iterable[tuple[str, PlaceComparison]], rules: frozenset[str], after: Snapshot | None
    ) -> Iterator[ComparedPlace]:
        for label, each in told:
            yield ComparedPlace(label, each, rules, after=after, by_address=self._by_address(each.place))


def _rules_that_change(change: TargetDiff) -> Iterator[str]:
    """Of entries that open or close, or that open more addresses; of every entry, where clients or all else change."""
    if change.unlisted or change.clients_added or change.clients_removed:
        yield from rules_of_entries([each for each in (change.base, change.head) if each is not None])
    decided = [flow.opening.decision for flow in (*change.opened, *change.closed)]
    decided += [one for one, _ in change.redirected]
    for side in (change.base, change.head):
        yield from _rules_of(side, decided)


def rules_of_entries(sides: Iterable[Statement]) -> frozenset[str]:
    allowed = ((side, [each for each in side.decisions if each.outcome == "allowed"]) for side in sides)
    return frozenset(rule for side, decided in allowed for rule in _rules_of(side, decided))


def _rules_of(side: Statement | None, decided: Iterable[Decision]) -> Iterator[str]:
    if side is not None:
        yield from (rule for each in decided if each.rule for rule in side.rules_of(each.entry, each.rule))


def guarded(hosts: Iterable[str], sides: Sequence[Statement]) -> list[Need]:
    """What hosts that must stay need: what entries say; of one that is in none, every flow."""
    found = []
    for host in hosts:
        exact = (NameTest("exact", host),)
        entries = [
            decision.entry for side in sides for decision in side.decisions
            if decision.outcome == "allowed" and holds(decision.entry.match, decision.entry.host, host)
        ]  # fmt: skip
        needs = [
            replace(need, entry=host, box=replace(need.box, dialled=exact)) for need in needs_of(entries) if need.due
        ]
        found += needs or [Need(host, Box(dialled=exact))]
    return found


def in_words(change: Change, whose: Sequence[str] = ()) -> tuple[str, str, str]:
    """The flow, with how many hosts are like it, and what became and becomes of it. `whose`: hosts whose addresses they are."""
    hosts = {host for cause in (*change.opening, *change.closing) for host in cause.hosts}
    like = f" (one of {len(hosts)} hosts)" if len(hosts) > 1 else ""
    kinds = len(change.flows) - 1
    more = f"\nand {kinds} more kind{'s' if kinds > 1 else ''}" if kinds else ""
    to = f"\nof {few(whose)}" if whose else ""
    opening, closing = change.opening, change.closing
    return (
        f"{flow_in_words(change.flow)}{like}{more}{to}",
        _told(change.before, closing), _told(change.after, opening),
    )  # fmt: skip


def _told(verdict: Verdict, causes: Sequence[Cause]) -> str:
    if verdict.action == "unknown":
        return f"unknown: {'; '.join(verdict.lacks)}"
    rules = list(dict.fromkeys(cause.rule for cause in causes if cause.rule)) or [verdict.rule or ""]
    more = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
    return f"{verdict.action} by {rules[0]}{more}" if rules[0] else f"{verdict.action}: {verdict.why}"


def _counted(cause: Cause) -> tuple[str, str, tuple[str, ...]]:
    return cause.owner, cause.rule, cause.hosts


def _may_be_anything(ranges: AddressSet) -> bool:
    """Whether some addresses are a value that is not known yet, and no set that somebody keeps."""
    return any(each.startswith(("unknown:", "@", "$")) for each in ranges.symbols)


def _broad(ranges: AddressSet) -> str | None:
    """Why the ranges are more of the internet than a vendor has; None if they are not."""
    v4 = (cidr for low, high in ranges.v4 for cidr in summarize_address_range(IPv4Address(low), IPv4Address(high)))
    v6 = (cidr for low, high in ranges.v6 for cidr in summarize_address_range(IPv6Address(low), IPv6Address(high)))
    return too_broad([*map(str, v4), *map(str, v6)])


def _as_json(change: Change) -> dict[str, Any]:
    def causes(some: Sequence[Cause]) -> list[dict[str, Any]]:
        told = {_counted(cause): cause for cause in some}
        return [{"rule": rule or None, "owner": owner or None, "hosts": list(hosts)} for owner, rule, hosts in told]

    return {
        "flow": flow_as_json(change.flow), "kinds": len(change.flows),
        "before": _verdict_as_json(change.before), "after": _verdict_as_json(change.after),
        "opening": causes(change.opening), "closing": causes(change.closing),
    }  # fmt: skip


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    return {"verdict": verdict.action, "rule": verdict.rule, "why": verdict.why, "what": list(verdict.lacks)}
