"""Risks: what in a change a reviewer should look at first, the gravest first, in words about hosts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hostgate.catalog.model import Entry
from hostgate.catalog.problems import few
from hostgate.catalog.shared_hosting import shared_hosting
from hostgate.flows.comparison import Change
from hostgate.planning.decision import Decision
from hostgate.planning.findings import Finding
from hostgate.planning.mechanism import mechanism, targets
from hostgate.review.compared_places import ComparedPlace
from hostgate.review.openings import Part
from hostgate.review.plan_changes import FlowChange, TargetDiff
from hostgate.review.statement import Statement
from hostgate.review.unlisted import within

RISKS: dict[str, str] = {
    "everything-open": "everything opens",
    "everything-perhaps": "everything may open",
    "refused": "refused",
    "not-enforced": "nothing is enforced",
    "opens-beside": "opens by another rule",
    "not-known": "no longer known",
    "deny-weaker": "weaker deny",
    "target-gone": "cloud is left out",
    "made-anew": "made anew",
    "everything-closed": "everything else closes",
    "clients-wider": "more clients",
    "exempt": "passes unjudged",
    "addresses-wider": "more addresses",
    "after-push": "not by the update",
    "safeguard": "safeguard changes",
    "wildcard": "wildcard",
    "widened": "widening accepted",
    "shared-hosting": "shared hosting",
    "mistaken": "misprint",
    "withdrawn": "withdrawn by the vendor",
    "plain-http": "plain HTTP",
    "unpinned": "not pinned",
    "warning": "new warning",
    "accepted": "newly accepted",
    "exempt-gone": "no longer exempt",
}
"""Ids, the gravest first, and the word a reviewer reads."""


_MOST_OF_PLACE = 5
"""Risks of one kind that are told of a place; what was found there stands below."""


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing to look at. `subject` is text of a catalog or of a config; `message` may quote it."""

    id: str
    subject: str
    message: str
    target: str

    @property
    def rank(self) -> int:
        return tuple(RISKS).index(self.id)

    @property
    def word(self) -> str:
        return RISKS[self.id]

    def as_json(self) -> dict[str, str]:
        return {"id": self.id, "subject": self.subject, "message": self.message, "target": self.target}


def reach_of(change: FlowChange) -> str:
    """Which names open or close, in words."""
    return _WORDS[change.parts]


_WORDS = {
    Part.NAME: "this name only",
    Part.ONE: "every name one label below",
    Part.DEEP: "every name two or more labels below",
    Part.ONE | Part.DEEP: "every name below, at any depth",
    Part.NAME | Part.ONE: "this name, and every name one label below",
    Part.NAME | Part.DEEP: "this name, and every name two or more labels below",
    Part.NAME | Part.ONE | Part.DEEP: "this name, and every name below, at any depth",
}


def risks(changes: Iterable[TargetDiff], places: Iterable[ComparedPlace] = ()) -> tuple[Risk, ...]:
    """Every risk of `changes`, and of what was found at `places`, the gravest first, then by subject."""
    places = list(places)
    of_targets = [risk for change in changes for risk in _of_target(change, places)]
    told = {(risk.id, risk.target) for risk in of_targets}
    of_places = [risk for place in places for risk in _of_place(place) if (risk.id, risk.target) not in told]
    by_subject = [
        sorted(each, key=lambda risk: (risk.subject, risk.target, risk.message)) for each in (of_targets, of_places)
    ]
    return tuple(sorted((risk for each in by_subject for risk in each), key=lambda risk: risk.rank))


def _of_target(change: TargetDiff, places: Sequence[ComparedPlace]) -> Iterator[Risk]:
    base, head, beside = change.base, change.head, change.unlisted

    def risk(id_: str, subject: str, message: str) -> Risk:
        return Risk(id_, subject, message, change.label)

    for id_, shifts in (
        ("everything-open", beside.opens),
        ("everything-closed", beside.closes),
        ("exempt", beside.exempt),
        ("exempt-gone", beside.judged),
        ("safeguard", beside.safeguards),
    ):
        yield from (risk(id_, each.about, each.why) for each in shifts)
    if head is None:
        stands = f" {change.carried_on} stands on in its policy." if change.carried_on else ""
        yield risk("target-gone", change.target, f"Nothing of it is made any more.{stands}")
        return
    for reason in head.errors:
        yield risk("refused", change.target, reason)
    if beside.unenforced:
        yield risk(
            "not-enforced", beside.unenforced, "It is new, and denies nothing: every host is reachable as before."
        )
    if base is not None and head.enforcement.denier != "nobody" and _rank(head) < _rank(base):
        yield risk("deny-weaker", change.target, f"Deny was {_deny(base)}, and is {_deny(head)}: {_means(head)}.")
    yield from _made_anew(change, risk)
    for decision, more in change.redirected:
        entry = decision.entry
        yield risk("addresses-wider", entry.host, f"{entry.id} opens {', '.join(more)} {_beside(change, decision)}.")
        if decision.widening is not None:
            yield risk("widened", entry.host, _widened(decision))
    for host, port, does in _pushed_later(change, places):
        told = f"A refresher keeps the list for {port}, which stands: it {does} with the next `hostgate pool push`"
        yield risk("after-push", host, f"{told}, not by the update.")
    for place in beside.settled:
        yield risk("clients-wider", place, "It has rules now, and had none: its clients may use every host.")
    for client in change.clients_added:
        yield risk("clients-wider", client, f"May now use the {change.kept} hosts that were open to others before.")
    for flow in change.opened:
        yield from _of_flow(flow, risk)
    yield from _of_findings(change, risk)


def _of_place(place: ComparedPlace) -> Iterator[Risk]:
    everything = place.everything
    if everything is not None:
        yield Risk("everything-open", _by(everything), f"Everything opens: {place.words(everything)}.", place.label)
    perhaps = place.perhaps_everything
    if perhaps is not None:
        said = f"Everything may open: {place.words(perhaps)}.{place.not_known(perhaps)}"
        yield Risk("everything-perhaps", _by(perhaps), said, place.label)
    for id_, kind in (("opens-beside", "opened"), ("not-known", "unknown")):
        found = [each for each in place.beside_entries if each.kind == kind and each not in (everything, perhaps)]
        yield from (Risk(id_, _by(each), f"{place.words(each)}.", place.label) for each in found[:_MOST_OF_PLACE])
        if len(found) > _MOST_OF_PLACE:
            yield Risk(id_, place.label, f"The same of {len(found) - _MOST_OF_PLACE} more rules.", place.label)


def _by(change: Change) -> str:
    """What a change comes from."""
    rules = (cause.rule for cause in (*change.opening, *change.closing))
    return next(filter(None, rules), change.before.rule or "no rule")


def _pushed_later(change: TargetDiff, places: Sequence[ComparedPlace]) -> Iterator[tuple[str, str, str]]:
    """Hosts that open, get more addresses or close in lists that all stand and that a refresher keeps, each with the port of
    the list; not what is so already by what stands at `places`. With another capacity a group is another one, and filled by
    the update."""
    base, head = change.base, change.head
    if base is None or head is None or {each.settings.get("contents") for each in (base, head)} != {"refresher"}:
        return
    if base.settings.get("capacity") != head.settings.get("capacity"):
        return
    before, after = (
        {list_ for each in side.decisions if each.outcome == "allowed" for list_ in _lists(each.entry, side)}
        for side in (base, head)
    )
    stand = [each for each in places if each.after is not None and each.found.place.target.startswith(f"{head.cloud}:")]

    def passes(entry: Entry, side: Statement) -> list[bool]:
        return [each.lets_pass(entry, address) for each in stand for address in side.dialled(entry)]

    more = [*(each.entry for each in change.opened), *(each.entry for each, _ in change.redirected)]
    found = [
        (each, "opens") for each in more if _lists(each, head) <= before and not (stand and all(passes(each, head)))
    ]
    less = (each.entry for each in change.closed if _lists(each.entry, base) & after)
    found += [(each, "closes") for each in less if not stand or any(passes(each, base))]
    yield from sorted({(each.host, f"{each.port}/{each.transport}", does) for each, does in found})


def _lists(entry: Entry, side: Statement) -> set[tuple[str, str, int, bool]]:
    """The lists that have its addresses, one for each family."""
    return {(entry.grant, entry.transport, entry.port, ":" in each) for each in side.dialled(entry)}


def _beside(change: TargetDiff, decision: Decision) -> str:
    """What becomes of the addresses by which an entry was allowed, as far as the options gave them, in words."""
    base, head = change.base, change.head
    before = base.dialled(decision.entry) if base is not None else ()
    after = head.dialled(decision.entry) if head is not None else ()
    gone = [each for each in before if not within(each, after)]
    if before and not gone:
        return "too, beside the addresses before"
    return "in place of those before" if len(gone) == len(before) else f"in place of {', '.join(gone)}"


def _made_anew(change: TargetDiff, risk: Callable[[str, str, str], Risk]) -> Iterator[Risk]:
    """Objects that others refer to, and that another one takes the place of."""
    made = (change.head.made if change.head else None) or ()
    for kind, words in mechanism(change.target).outside({each.kind for each in made}).items():
        about = [each for each in change.objects or () if each.kind == kind]
        came = sorted(each.name for each in about if each.what in ("created", "replaced"))
        went = sorted(each.name for each in about if each.what in ("deleted", "replaced"))
        if came and went:
            what = f"{kind.rpartition('::')[2].rpartition('/')[2]} {', '.join(came)}"
            old = "the old one" if came == went else ", ".join(went)
            yield risk("made-anew", what, f"It is made before {old} goes. {words}")


_DENIES = ("none", "declared", "internet", "all")


def _rank(statement: Statement) -> int:
    return _DENIES.index(_deny(statement))


def _means(statement: Statement) -> str:
    if _deny(statement) == "declared":
        return "hostgate makes none, another is said to exist"
    passes = statement.enforcement.exempt
    shown = few(passes, 5)
    return f"it leaves out {shown}" if passes else "it leaves out private ranges"


def _deny(statement: Statement) -> str:
    return str(statement.settings.get("deny", "internet"))


def _of_flow(flow: FlowChange, risk: Callable[[str, str, str], Risk]) -> Iterator[Risk]:
    entry = flow.entry
    if flow.opening.match != "exact":
        yield risk("wildcard", entry.host, f"Opens {reach_of(flow)}, {entry.protocol} on {entry.port}.")
    if flow.opening.widened:
        yield risk("widened", entry.host, _widened(flow.opening.decision))
    if shared := shared_hosting(flow.opening.match, entry.host):
        yield risk("shared-hosting", entry.host, f"Other customers are reachable too: {shared}.")
    if entry.protocol == "http":
        yield risk("plain-http", entry.host, f"Unencrypted on {entry.port}: who is on the path can read and change it.")


def _widened(decision: Decision) -> str:
    """What a rule opens beside its entry: names of another depth, or what is behind the addresses that it allows."""
    means = decision.means
    if means is None or means.sight != "address-and-port":
        return f"The entry says {decision.entry.match}; the rule also opens more than that."
    return f"The rule also opens {'; '.join(each.text for each in means.opens)}."


def _of_findings(change: TargetDiff, risk: Callable[[str, str, str], Risk]) -> Iterator[Risk]:
    hosts = {decision.entry.id: decision.entry.host for decision in change.head.decisions} if change.head else {}

    def about(one: Finding) -> str:
        return hosts.get(one.entry or "", one.entry or change.target)

    told = {"shared-hosting", "audit", "deny-none", *_widenings()}
    for one in change.findings_new:
        if one.id in ("mistaken", "withdrawn", "unpinned"):
            yield risk(one.id, about(one), one.message)
        elif one.id not in told and one.severity == "warning" and not one.accepted:
            yield risk("warning", about(one), f"{one.id}: {one.message}")
    for one in (*change.findings_new, *change.accepted_now):
        if one.accepted:
            opened = f" ({one.host})" if one.host else ""
            yield risk("accepted", about(one), f"{one.id}{opened}: {one.accepted}")


def _widenings() -> set[str]:
    return {id_ for target in targets() for way in mechanism(target).means for id_ in way.widenings.values()}
