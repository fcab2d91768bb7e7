"""A simulated cloud: resource types as data, and the answers a provider would give. It does not know who asks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.shapes import InputProblem
from hostgate.planning.targets import named
from hostgate.sandbox import opaque
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

    def type_of(self, token: str) -> ResourceType | None:
        """The resource type: one of this cloud's, or an opaque one that the installed SDK tells; None where neither is."""
        return self.types.get(token) or (opaque.type_of(token) if token.startswith(f"{self.package}:") else None)

    def life_of(self, token: str) -> "Lifecycle | None":
        """How objects of the type live."""
        return self.lifecycles.get(token) or (None if token in self.types else opaque.lifecycle(token))

    def _type(self, token: str) -> ResourceType:
        found = self.type_of(token)
        if found is None:
            raise KeyError(token)
        return found

    def named(self, token: str, name: str, inputs: Mapping[str, Any], seed: str) -> dict[str, Any]:
        """The inputs as the provider's Check returns them: with a made-up name if the program gave none."""
        auto = self._type(token).auto_name
        if auto is None or inputs.get(auto.property) is not None:
            return dict(inputs)
        return {**inputs, auto.property: auto.make(name, seed)}

    def check(self, token: str, inputs: Mapping[str, Any]) -> list[PreviewProblem]:
        """Every reason why the API would refuse these inputs (plain values, camelCase, unknowns as `UNKNOWN`).

        Raises KeyError for a type that neither this cloud nor an installed SDK has.
        """
        return [PreviewProblem.of(problem, type=token) for problem in self._type(token).inputs.check(inputs, "")]

    def outputs(self, token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What a create would answer in a preview: the inputs, and `UNKNOWN` for what the cloud computes."""
        if token not in self.types:
            return with_id(token, UNKNOWN, opaque.preview_outputs(token, inputs))
        return with_id(token, UNKNOWN, {**dict.fromkeys(self.types[token].computed, UNKNOWN), **inputs})

    def check_stack(self, resources: Sequence[Declaration]) -> list[PreviewProblem]:
        """Every reason why these resources cannot be together."""
        ours = [resource for resource in resources if resource.type in self.types]
        return [problem for rule in self.stack_rules for problem in rule(ours)]


def with_id(token: str, id_: object, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider answers of an object: of a type that is bridged from Terraform its `id` is among the outputs, and there
    alone a policy pack sees it (pulumi-terraform-bridge, pkg/tfbridge/provider_test.go; the engine's analyzer.proto, which
    has no id). The types of a bridge are called by their module and themselves: `aws:ec2/vpc:Vpc`."""
    _, module, kind = (*token.split(":"), "", "")[:3]
    bridged = module.endswith(f"/{kind[:1].lower()}{kind[1:]}")
    return {**outputs, "id": id_} if bridged else dict(outputs)


@cache
def clouds_of_engine() -> Mapping[str, Cloud]:
    """The simulated clouds that targets name and whose objects can be made, by package, each with all its parts."""
    found: dict[str, Cloud] = {}
    for each in named("simulated"):
        if each.lifecycles:
            found[each.package] = found[each.package] | each if each.package in found else each
    return found


def cloud_of(clouds: Iterable[Cloud], token: str) -> Cloud | None:
    """The cloud that has the resource type, or one with nothing but opaque types where an installed SDK tells it; or None."""
    found = next((cloud for cloud in clouds if token in cloud.types), None)
    if found is None and opaque.type_of(token) is not None:
        return Cloud(token.partition(":")[0], {})
    return found


def cloud_of_engine(package: str) -> Cloud:
    """The simulated cloud behind a package, all of whose types are opaque where no target names one."""
    return clouds_of_engine().get(package) or Cloud(package, {})


def simulated(token: str) -> bool:
    """Whether a simulated cloud has rows for the type, so that what is told of it is not made up."""
    return any(token in each.types for each in clouds_of_engine().values())


def about(resource: Declaration, problem: InputProblem) -> PreviewProblem:
    """The problem with the resource's URN, type and name in it."""
    return PreviewProblem.of(problem, urn=resource.urn, type=resource.type, name=resource.name)
