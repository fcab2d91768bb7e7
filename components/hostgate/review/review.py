"""A review: one change with everything there is to say about it, as the command prints it and the comment renders it."""

from dataclasses import dataclass, field
from typing import Any

from hostgate.review.compared_places import ComparedPlace
from hostgate.review.guards import Guards, GuardTrip, idle, tripped
from hostgate.review.plan_changes import TargetDiff
from hostgate.review.risks import Risk, risks


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A change from `base` to `head` (as the user named them) of what `subject` names, e.g. a stack."""

    subject: str
    base: str
    head: str
    targets: tuple[TargetDiff, ...]
    guards: Guards = field(default_factory=Guards)
    override: str | None = None
    """Why guards do not stop this change."""
    notes: tuple[str, ...] = ()
    not_read: bool = False
    """Whether something changes that nobody reads; a note says what."""
    places: tuple[ComparedPlace, ...] = ()
    """What every flow says, asked of both sides; none where nobody can ask."""

    @property
    def risks(self) -> tuple[Risk, ...]:
        return risks(self.targets, self.places)

    @property
    def tripped(self) -> tuple[GuardTrip, ...]:
        return tripped(self.guards, self.targets, self.places)

    @property
    def idle(self) -> tuple[str, ...]:
        return idle(self.guards, self.targets, self.places)

    @property
    def refused(self) -> bool:
        """Whether HEAD may not be applied."""
        return any(each.head is not None and each.head.errors for each in self.targets)

    @property
    def unchanged(self) -> bool:
        same = all(each.unchanged for each in self.targets) and all(each.what == "same" for each in self.places)
        return same and not self.not_read

    @property
    def ok(self) -> bool:
        """Whether the change may go on."""
        return not self.refused and (self.override is not None or not self.tripped)

    def as_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "base": self.base,
            "head": self.head,
            "unchanged": self.unchanged,
            "ok": self.ok,
            "risks": [each.as_json() for each in self.risks],
            "guards": {
                "max_removed": self.guards.max_removed,
                "max_opened": self.guards.max_opened,
                "never_remove": list(self.guards.never_remove),
                "never_open_all": self.guards.keeps_closed,
                "tripped": [each.as_json() for each in self.tripped],
                "override": self.override,
                "idle": list(self.idle),
            },
            "notes": list(self.notes),
            "targets": [each.as_json() for each in self.targets],
            "places": [each.as_json() for each in self.places],
        }
