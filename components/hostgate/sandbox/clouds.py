"""A simulated cloud: resource types as data, and the answers a provider would give. It does not know who asks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.shapes import InputProblem
from hostgate.planning.targets import named
from hostgate.sandbox.preview_problems import PreviewProblem

if TYPE_CHECKING:
    from hostgate.sandbox.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Declaration:
    """A resource as far as a rule over several resources needs it: plain inputs, and which URNs they came from."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...] | None = ()
    """None: not known, as where the engine asks a provider about one resource."""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


StackRule = Callable[[Sequence[Declaration]], Iterable[PreviewProblem]]
"""A rule over all resources of a stack, in a stable order; each problem names its resource by URN, type and name."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The simulated cloud behind one Pulumi package, or a part of it. The real engine makes what has a lifecycle."""

    package: str
    types: Mapping[str, ResourceType]
    stack_rules: tuple[StackRule, ...] = ()
    lifecycles: "Mapping[str, Lifecycle]" = field(default_factory=dict)
    """How objects of each type come, change and go, by token."""

    def __or__(self, other: "Cloud") -> "Cloud":
        rules = tuple(dict.fromkeys((*self.stack_rules, *other.stack_rules)))
        lifecycles = {**self.lifecycles, **other.lifecycles}
        return Cloud(self.package, {**self.types, **other.types}, rules, lifecycles)

    def named(self, token: str, name: str, inputs: Mapping[str, Any], seed: str) -> dict[str, Any]:
        """The inputs as the provider's Check returns them: with a made-up name if the program gave none."""
        auto = self.types[token].auto_name
        if auto is None or inputs.get(auto.property) is not None:
            return dict(inputs)
        return {**inputs, auto.property: auto.make(name, seed)}

    def check(self, token: str, inputs: Mapping[str, Any]) -> list[PreviewProblem]:
        """Every reason why the API would refuse these inputs (plain values, camelCase, unknowns as `UNKNOWN`).

        Raises KeyError for a type this cloud does not have.
        """
        return [PreviewProblem.of(problem, type=token) for problem in self.types[token].inputs.check(inputs, "")]

    def outputs(self, token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What a create would answer in a preview: the inputs, and `UNKNOWN` for what the cloud computes."""
        return {**dict.fromkeys(self.types[token].computed, UNKNOWN), **inputs}

    def check_stack(self, resources: Sequence[Declaration]) -> list[PreviewProblem]:
        """Every reason why these resources cannot be together."""
        ours = [resource for resource in resources if resource.type in self.types]
        return [problem for rule in self.stack_rules for problem in rule(ours)]


@cache
def clouds_of_engine() -> Mapping[str, Cloud]:
    """The simulated clouds that targets name and whose objects can be made, by package, each with all its parts."""
    found: dict[str, Cloud] = {}
    for each in named("simulated"):
        if each.lifecycles:
            found[each.package] = found[each.package] | each if each.package in found else each
    return found


def cloud_of(clouds: Iterable[Cloud], token: str) -> Cloud | None:
    """The cloud that has the resource type, or None."""
    return next((cloud for cloud in clouds if token in cloud.types), None)


def about(resource: Declaration, problem: InputProblem) -> PreviewProblem:
    """The problem with the resource's URN, type and name in it."""
    return PreviewProblem.of(problem, urn=resource.urn, type=resource.type, name=resource.name)
