"""What a check has to say about a resource, or why it does not apply to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hostgate.flows.nodes import About
from hostgate.flows.snapshot import Resource
from hostgate.policies.readers import CloudName
from hostgate.policies.reading import Reading


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The rule has nothing to judge here, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One violation. `entry`, `host` and `id` (of a line of reach) are what an exemption may name beside the resource."""

    resource: Resource
    where: str
    message: str
    entry: str | None = None
    host: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceReading:
    """A resource of the stack and what it says."""

    resource: Resource
    cloud: CloudName
    reading: Reading


CheckResult = Iterable[Violation] | NotApplicable


def unjudged(resource: Resource, reading: Reading, needs: Iterable[About]) -> Iterator[Violation]:
    """A remark for every place where something that is needed cannot be read, once a place."""
    told: dict[str, str] = {}
    for doubt in reading.doubts:
        if doubt.about in set(needs):
            told.setdefault(doubt.where, doubt.why)
    for where, why in told.items():
        yield Violation(resource=resource, where=where, message=f"cannot be judged: {why}")
