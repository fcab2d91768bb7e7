"""The pin: reviewed means applied. A plan whose digest is not the one that was reviewed is refused, with the difference.

A digest alone cannot say what differs, so a pin may name the file of the reviewed plan (`hostgate plan --lock`). The
digest is what counts; a file that does not have it is an error.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hostgate.catalog.file_input import user_path
from hostgate.catalog.problems import InputError, Problem
from hostgate.planning.plan import Plan

if TYPE_CHECKING:  # every program may have a pin; what reads and compares plans is loaded by those that have one
    from hostgate.review.plan_changes import TargetDiff
    from hostgate.review.statement import Statement

DIGEST = "^[0-9a-f]{64}$"
"""SHA-256 in lower-case digits, as plans print it."""

SHOWN = 20
"""Differences told one by one; beyond, their number."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Digests that were reviewed, by target; the plans that have them, and the name of their file, if one is named."""

    digests: Mapping[str, str]
    plans: "tuple[Statement, ...]" = ()
    file: str | None = None

    def objections(self, plans: Sequence[Plan]) -> list[Problem]:
        """Why `plans` are not what was reviewed; empty if they are."""
        found = []
        for target in self.digests:
            if target not in {made.target for made in plans}:
                found.append(_problem(f"{target} was reviewed, and is not planned. Plan it, or take its digest out."))
        for made in plans:
            reviewed = self.digests.get(made.target)
            if reviewed is None:
                found.append(_problem(f"{made.target} is planned, and was not reviewed: its digest is not pinned."))
            elif reviewed != made.digest:
                found += self._differences(made, reviewed)
        return found

    def check(self, plans: Sequence[Plan]) -> None:
        """Raises InputError if `plans` are not what was reviewed."""
        if objections := self.objections(plans):
            raise InputError(objections)

    def _differences(self, made: Plan, reviewed: str) -> Iterator[Problem]:
        yield _problem(
            f"{made.target}: this is not the plan that was reviewed. Reviewed: {reviewed[:12]}; made: {made.digest[:12]}. "
            + ("What differs:" if self.plans else "To see what differs, pin a file too: hostgate plan --lock FILE.")
        )
        known = next((each for each in self.plans if each.target == made.target), None)
        if known is None:
            return
        from hostgate.review.plan_changes import diff
        from hostgate.review.statement import state

        (change,) = diff([known], [state(made)])
        lines = list(_lines(change))
        for line in lines[:SHOWN]:
            yield _problem(f"{made.target} {line}")
        if len(lines) > SHOWN:
            yield _problem(f"{made.target}: and {len(lines) - SHOWN} differences more.")


def read_pin(digests: Mapping[str, str], file: str | None, base: Path) -> Pin:
    """The pin of `digests`, with the reviewed plans in `file` (relative to `base`) if one is named. Raises InputError."""
    if file is None:
        return pinned(digests)
    from hostgate.review.statement import read_json, read_statements

    return pinned(digests, read_statements(read_json(base / user_path(file), file), file), file)


def pinned(digests: Mapping[str, str], plans: "Sequence[Statement]" = (), file: str | None = None) -> Pin:
    """A pin of `digests`, with the plans of `file`. Raises InputError: the file has other digests than the pin."""
    problems = []
    for target, digest in digests.items() if file is not None else ():
        stated = next((each for each in plans if each.target == target), None)
        if stated is None:
            problems.append(_problem(f"{file} has no plan for {target}, whose digest is pinned."))
        elif stated.digest != digest:
            problems.append(_problem(f"{file} has {stated.digest[:12]} for {target}, and {digest[:12]} is pinned."))
    if problems:
        raise InputError(problems)
    return Pin(dict(digests), tuple(plans), file)


def _lines(change: "TargetDiff") -> Iterator[str]:
    from hostgate.review.risks import reach_of

    for shift in change.unlisted.opens:
        yield f"opens everything: {shift.about}. {shift.why}"
    for shift in change.unlisted.exempt:
        yield f"lets {shift.about} pass unjudged."
    for words, flows in (("opens", change.opened), ("closes", change.closed)):
        for flow in flows:
            entry = flow.entry
            yield f"{words} {entry.host}:{entry.port}/{entry.protocol} ({reach_of(flow)}; {entry.id}){flow.whose}."
    for client in change.clients_added:
        yield f"lets {client} use the hosts too."
    for client in change.clients_removed:
        yield f"no longer lets {client} use the hosts."
    for name, old, new in change.settings:
        yield f"has {name} {new!r}, reviewed was {old!r}."
    for each in change.objects or ():
        yield f"has {each.kind} {each.name} {each.what}."


def _problem(message: str) -> Problem:
    return Problem(rule="not-reviewed", message=message)
