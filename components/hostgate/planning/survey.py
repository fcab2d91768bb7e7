"""A survey as a plan reads it: whether a mechanism that follows addresses keeps up with a host.

Verdicts are made elsewhere, from DNS answers. Here they are values, so that plans need no DNS to be made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field

from hostgate.planning.mechanism import TtlFamily

Word = Literal["ok", "risky", "unknown", "unfit"]
WORDS: tuple[Word, ...] = get_args(Word)
"""Best first. `unknown` is not enough data: it may be ok and may be unfit."""

Share = Annotated[float, Field(ge=0, le=1)]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]
"""Text of one line without control characters, by which a file could write over a terminal."""

STALE = timedelta(days=30)
"""Age at which a survey is warned about: vendors change their hosting in months, not in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostVerdict:
    """Whether the mechanism `target` keeps up with a host where it is of the TTL family `family`; and the one reason.

    `false_drop`: the predicted share of new connections dropped though allowed, `interval` its ends (95 % each); None
    where nothing is predicted. `refresh_s` and `grace_s`: what an address list would need to stay under 1 in 1,000.
    `caveats`: what the survey saw that touches mechanisms which read names: `ech`, `h3`.
    """

    target: str
    family: TtlFamily
    verdict: Word
    reason: Line
    false_drop: Share | None = None
    interval: tuple[Share, Share] | None = None
    refresh_s: int | None = None
    grace_s: int | None = None
    caveats: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """The verdicts on each host, of a survey whose last answer came on the day `ended` (UTC).

    `worst`: a demand; a plan that has a host with a worse verdict, or without one, is refused. None demands nothing.
    """

    ended: date
    hosts: Mapping[str, tuple[HostVerdict, ...]]
    worst: Word | None = None

    def of(self, host: str, target: str, family: TtlFamily) -> HostVerdict | None:
        """The verdict on `host` by a mechanism's ways of one TTL family; None if the survey has none."""
        found = self.hosts.get(host, ())
        return next((each for each in found if (each.target, each.family) == (target, family)), None)

    def stale(self, as_of: date) -> str | None:
        """That it is too old at `as_of`, in words; None if it is not."""
        age = as_of - self.ended
        return f"The survey ended on {self.ended}, {age.days} days ago." if age > STALE else None
