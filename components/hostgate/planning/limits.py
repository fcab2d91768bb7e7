"""Limits as data: a number, its unit, who says so and when; and how much of it a plan uses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that a cloud enforces or advises. `date` is when the source was read or measured.

    `quota` is the Service Quotas code of a number that an account can have raised, `unless` what else would have to be so
    for more: of either, more is told and never refused.
    """

    name: str
    max: int
    unit: str
    source: str
    date: str
    quota: str = ""
    unless: str = ""

    @property
    def soft(self) -> bool:
        return bool(self.quota or self.unless)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit a plan uses, at its fullest object."""

    limit: Limit
    used: int

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit.max

    def as_json(self) -> dict[str, str | int]:
        return {
            "name": self.limit.name,
            "used": self.used,
            "max": self.limit.max,
            "unit": self.limit.unit,
            "source": f"{self.limit.source} ({self.limit.date})"
            + (f"; adjustable, Service Quotas {self.limit.quota}" if self.limit.quota else ""),
        }
