"""Where what stands is enforced, by any snapshot: what simulated clouds hold, a state of the engine, a preview.

A firewall of AWS or Azure is a point of enforcement, by the policy that it uses, and so is a policy that none uses; on
Google Cloud a network is one, by all policies over it, where none is known an organisation or folder with a policy, and
so is a policy that nothing is associated with. A VPC of AWS judges queries by all rule groups of DNS Firewall that are
associated with it; a security group judges by its rules and the prefix lists that they refer to, and a network ACL with
an egress entry for a single address by its entries, both ways.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.planning.targets import named
from hostgate.sandbox.clouds import simulated
from hostgate.sandbox.lifecycle import last_part
from hostgate.sandbox.sdk import resource_of
from hostgate.sandbox.state import StoredObject


@dataclass(frozen=True)
class Point:
    """One place where flows are judged."""

    judged: Place

    @property
    def target(self) -> str:
        return self.judged.target

    @property
    def place(self) -> str:
        """The policy, or the firewall, network or VPC that has it."""
        return self.judged.name

    @property
    def policy(self) -> str:
        """What judges there, by name."""
        return self.judged.policy

    @property
    def remark(self) -> str:
        return self.judged.remark

    @property
    def title(self) -> str:
        """Short, for people: cloud, what it is, and its name."""
        return f"{self.target.partition(':')[0]} {self.judged.kind} {last_part(self.place)}"

    def verdict(self, flow: Flow) -> Verdict:
        """What becomes of `flow` there."""
        return decide(self.judged, flow)


def points(held: Iterable[StoredObject]) -> list[Point]:
    """Every point of enforcement among what is held, in the order of the targets."""
    return points_of(snapshot_of(held))


def points_of(snapshot: Snapshot) -> list[Point]:
    """Every point of enforcement in a snapshot."""
    return [Point(place) for places in named("places") for place in places(snapshot)]


def snapshot_of(held: Iterable[StoredObject]) -> Snapshot:
    """What the clouds hold, as they would answer for it."""
    resources = (
        Resource(urn=f"{each.type}::{each.id}", type=each.type, name=each.name, properties=_known(each), id=each.id)
        for each in held
    )
    return Snapshot(tuple(resources), "the simulated clouds")


_GOES_BY = ("id", "arn", "name", "selfLink")


def _known(held: StoredObject) -> Mapping[str, Any]:
    """Of an opaque object what a program gave and what it goes by: the rest is made up, so it decides nothing. What could
    be given and was not is absent, as in a preview; what only a cloud computes is unknown."""
    row = None if simulated(held.type) else resource_of(held.type)
    if row is None:
        return held.outputs
    computed = {key: value for key, value in held.computed.items() if key not in row.inputs or key in _GOES_BY}
    return {**{key: value if key in _GOES_BY else UNKNOWN for key, value in computed.items()}, **held.inputs}
