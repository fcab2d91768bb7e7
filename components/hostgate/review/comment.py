"""The comment: one review as one Markdown comment on a pull or merge request, the gravest first, updated in place.

The first line is a marker, by which a later run finds the comment of the same stack.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from hostgate.planning.limits import Limit
from hostgate.review.inert_markdown import code, details, table
from hostgate.review.plan_changes import EVERYBODY, FlowChange, TargetDiff
from hostgate.review.review import Review
from hostgate.review.risks import reach_of
from hostgate.review.statement import Statement

FORGES = {
    "github": Limit(
        "comment", 65_536, "characters", "GitHub's API: `Body is too long (maximum is 65536 characters)`", "2026-11-23"
    ),
    "gitlab": Limit(
        "comment", 1_000_000, "characters", "GitLab docs, application limits: size of comments", "2026-11-23"
    ),
}
"""How long a comment may be. We count bytes of UTF-8, which are never fewer than characters."""

_CAPS = (100_000, 2_000, 1_000, 500, 250, 120, 60, 30, 15, 7, 3, 1)
"""Rows of a table that are tried, until the comment fits."""


def marker(subject: str) -> str:
    """The line that says whose comment it is. Nothing in a subject can end it."""
    return f"<!-- hostgate review of {quote(subject, safe='/')} -->"


def comment(review: Review, forge: str = "github") -> str:
    """`review` as Markdown that fits the forge; what had to be left out is said."""
    limit = FORGES[forge].max
    for cap in _CAPS:
        text = "\n".join(_Comment(review, cap).lines()) + "\n"
        if len(text.encode()) <= limit:
            return text
    raise AssertionError("a row of a table is bounded, and so is a comment of one row a table")


@dataclass(frozen=True, slots=True)
class _Row:
    """One change of flows, on all targets that have it alike."""

    flow: FlowChange
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment whose tables have at most `cap` rows."""

    review: Review
    cap: int

    def lines(self) -> Iterable[str]:
        review = self.review
        yield marker(review.subject)
        yield f"### Egress of {code(review.subject)}: {self._headline()}"
        yield ""
        yield from self._guards()
        yield from self._risks()
        yield from self._flows("Opens", [(each.label, each.opened) for each in review.targets])
        yield from self._flows("Closes", [(each.label, each.closed) for each in review.targets])
        yield from self._clients()
        yield from self._places()
        yield from self._details()
        yield from (f"- Note: {code(note)}" for note in review.notes[: self.cap])
        yield f"<sub>{code(review.base)} to {code(review.head)}, by `hostgate comment`.</sub>"

    def _headline(self) -> str:
        if self.review.refused:
            return "refused"
        if self.review.unchanged:
            return "nothing changes"
        targets, places = self.review.targets, self.review.places
        all_of = [each.label for each in targets if each.unlisted.opens] + [
            each.label for each in places if each.everything
        ]
        perhaps = [each.label for each in places if each.perhaps_everything]
        by_entries = max((len(each.closed) for each in targets), default=0)
        told = [
            f"{word} on {_on(on)}"
            for word, on in (
                ("everything opens", all_of),
                ("everything may open", perhaps),
                (
                    "everything else closes",
                    [each.label for each in targets if each.unlisted.closes and not each.unlisted.opens],
                ),
            )
            if on
        ]
        for word, rows in (
            ("open", _together([(each.label, each.opened) for each in targets])),
            ("close", _together([(each.label, each.closed) for each in targets])),
        ):
            if rows:
                told.append(f"{len(rows)} host{'s' if len(rows) != 1 else ''} {word}{'s' if len(rows) == 1 else ''}")
        if more := {decision.entry.key for each in targets for decision, _ in each.redirected}:
            told.append(f"{len(more)} host{'s get' if len(more) != 1 else ' gets'} more addresses")
        for word, on in (
            ("more opens by other rules", [each.label for each in places if each.opened_by_others]),
            ("more closes than entries say", [each.label for each in places if each.closes > by_entries]),
            ("not everything is known any more", [each.label for each in places if each.found.of("unknown")]),
        ):
            if left := [each for each in on if each not in (*all_of, *perhaps)]:
                told.append(f"{word} on {_on(left)}")
        if self.review.not_read:
            told.append("what nobody reads changes")
        return ", ".join(told) or "no host opens or closes"

    def _guards(self) -> Iterable[str]:
        review = self.review
        together: dict[tuple[str, str], list[str]] = {}
        for each in review.tripped:
            together.setdefault((each.guard, each.message), []).append(each.target)
        word = "Stopped by guard" if review.override is None else "Overridden guard"
        for (guard, message), on in list(together.items())[: self.cap]:
            yield f"> **{word}** {code(guard)}: {code(message)} On {_on(on)}."
            yield ">"
        if len(together) > self.cap:
            yield f"> And {len(together) - self.cap} guards more."
            yield ">"
        if review.override is not None:
            said = "The reason to override" if review.tripped else "An override was given and nothing needed it"
            yield f"> {said}: {code(review.override)}"
        elif review.tripped:
            yield "> If the change is meant, override this once, with a reason: `--override REASON`."
        if review.tripped or review.override is not None:
            yield ""
        for host in review.idle[: self.cap]:
            yield f"- Guard `never-remove`: {code(host)} is open on no target before this change. Is it misspelt?"
        if review.idle:
            yield ""

    def _risks(self) -> Iterable[str]:
        together: dict[tuple[str, str, str], list[str]] = {}
        for risk in self.review.risks:
            together.setdefault((risk.word, risk.subject, risk.message), []).append(risk.target)
        if not together:
            return
        yield "**Look at these first**"
        yield ""
        rows = [(word, code(subject), code(message), _on(on)) for (word, subject, message), on in together.items()]
        yield from self._table(("risk", "about", "why", "on"), rows)

    def _flows(self, title: str, flows: Sequence[tuple[str, Sequence[FlowChange]]]) -> Iterable[str]:
        rows = _together(flows)
        if not rows:
            return
        yield f"**{title}**"
        yield ""
        yield from self._table(("host", "names", "port", "purpose", "on"), [_flow_cells(row, title) for row in rows])

    def _clients(self) -> Iterable[str]:
        """Whom the change is about, on each target."""
        for target in self.review.targets[: self.cap]:
            for word, clients in (("Also for", target.clients_added), ("No longer for", target.clients_removed)):
                if clients:
                    shown = ", ".join(map(code, clients[: self.cap]))
                    more = f" and {len(clients) - self.cap} more" if len(clients) > self.cap else ""
                    yield f"- {code(target.label)}: {word} {shown}{more}"
            of_plan = [flow for flow in target.opened if flow.clients is None]
            if of_plan and target.head is not None and target.head.clients is not None:
                shown = ", ".join(map(code, target.head.clients[: self.cap])) or EVERYBODY
                yield f"- {code(target.label)}: what opens is for {shown}"
        yield ""

    def _places(self) -> Iterable[str]:
        """What every flow says, asked of both sides, on all places that have it alike."""
        together: dict[tuple[str, ...], list[str]] = {}
        for place in self.review.places:
            for change in place.found.changes:
                cells = tuple("<br>".join(map(code, cell.split("\n"))) for cell in place.in_words(change))
                together.setdefault((WORDS[change.kind], *cells), []).append(place.label)
        if together:
            rows = [
                (*cells, _on(on)) for cells, on in sorted(together.items(), key=lambda row: _KINDS.index(row[0][0]))
            ]
            yield "**Every flow asked of both sides**"
            yield ""
            yield from self._table(("", "flow", "before", "now", "on"), rows)

    def _details(self) -> Iterable[str]:
        changed = [each for each in self.review.targets if not each.unchanged]
        yield from self._objects(changed)
        yield from self._findings(changed)
        yield from self._choices(changed)
        rows = [
            (code(each.target), code(each.name), _digest(each.base, 12), _digest(each.head, 64))
            for each in self.review.targets
        ]
        if rows:
            yield from details("Digests", list(self._table(("target", "name", "before", "after"), rows)))

    def _objects(self, changed: Sequence[TargetDiff]) -> Iterable[str]:
        objects = [(each.label, change) for each in changed for change in each.objects or ()]
        if not objects:
            return
        rows = [
            (code(change.name), code(change.kind), change.what, code(", ".join(change.because)), code(target))
            for target, change in objects
        ]
        counts = {what: sum(change.what == what for _, change in objects) for what in _DONE}
        said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        header = ("object", "kind", "is", "because this cannot change in place", "on")
        yield from details(f"Objects: {said}", list(self._table(header, rows)))

    def _findings(self, changed: Sequence[TargetDiff]) -> Iterable[str]:
        together: dict[tuple[str, ...], list[str]] = {}
        for each in changed:
            for word, found in (
                ("new", each.findings_new),
                ("gone", each.findings_gone),
                ("accepted", each.accepted_now),
            ):
                for one in found:
                    about = ": ".join(filter(None, (one.grant, one.entry)))
                    cells = (word, one.severity, code(one.id), code(about), code(one.message))
                    together.setdefault(cells, []).append(each.label)
        if together:
            rows = [(*cells, _on(on)) for cells, on in together.items()]
            header = ("", "severity", "finding", "entry", "message", "on")
            yield from details(f"Findings: {len(rows)} new, gone or accepted", list(self._table(header, rows)))

    def _choices(self, changed: Sequence[TargetDiff]) -> Iterable[str]:
        rows = [
            (code(change.after.entry.label), f"{change.before.outcome} → {change.after.outcome}", code(each.label))
            for each in changed
            for change in each.decisions
        ]
        rows += [
            (f"option {code(name)}", f"{code(old)} → {code(new)}", code(each.label))
            for each in changed
            for name, old, new in each.settings
        ]
        if rows:
            lines = list(self._table(("entry", "change", "on"), rows))
            yield from details(f"Decisions and options: {len(rows)} changed", lines)

    def _table(self, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
        yield from table(header, list(rows[: self.cap]))
        yield ""
        if len(rows) > self.cap:
            yield f"{len(rows) - self.cap} more rows do not fit here. `hostgate diff --json` lists them all."
            yield ""


WORDS = {"opened": "opens", "unknown": "not known", "closed": "closes"}
"""What changes, in the order in which it is shown."""
_KINDS = tuple(WORDS.values())

_DONE = ("created", "updated", "replaced", "deleted")


def _digest(statement: Statement | None, digits: int) -> str:
    return "none" if statement is None else code(statement.digest[:digits])


def _together(flows: Iterable[tuple[str, Sequence[FlowChange]]]) -> list[_Row]:
    """Changes by host; the same one on several targets once."""
    found: dict[tuple[object, ...], tuple[FlowChange, list[str]]] = {}
    for target, changes in flows:
        for flow in changes:
            found.setdefault((flow.key, flow.other and flow.other.host), (flow, []))[1].append(target)
    rows = [_Row(flow, tuple(targets)) for flow, targets in found.values()]
    return sorted(rows, key=lambda row: (row.flow.opening.match == "exact", row.flow.entry.host, row.flow.entry.port))


def _flow_cells(row: _Row, title: str) -> tuple[str, ...]:
    entry = row.flow.entry
    purpose = code(entry.purpose)
    if row.flow.other is not None:
        purpose += f" ({'replaces' if title == 'Opens' else 'replaced by'} {code(row.flow.other.host)})"
    if entry.notes and title == "Opens":
        purpose += f"<br>{code(entry.notes)}"
    if row.flow.clients is not None:
        purpose = f"{purpose}<br>" if purpose else ""
        purpose += code(row.flow.whose.strip())
    return (code(entry.host), reach_of(row.flow), f"{entry.port} {entry.protocol}", purpose, _on(row.targets))


def _on(targets: Iterable[str]) -> str:
    return ", ".join(map(code, dict.fromkeys(targets)))
