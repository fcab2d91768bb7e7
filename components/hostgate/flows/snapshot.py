"""A snapshot: all resources at one moment, wherever they were read from. What stands is judged on it and on nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hostgate.flows.nodes import UNKNOWN, Node

_OF_ANOTHER_STACK = "pulumi:pulumi:StackReference"
_SAID_BY_THE_CLOUD = frozenset({"id", "arn", "selfLink", "updateToken", "etag", "tagsAll", "creationTimestamp"})


def _unknown_below(value: Any, path: str) -> Iterator[str]:
    if value is UNKNOWN:
        yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _unknown_below(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _unknown_below(inner, f"{path}[{index}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource with plain values in the SDK's camelCase: inputs, what the cloud computed where that is known, and what
    they came from.

    Of the stack as a whole, `properties` are its outputs. Values that nobody knows yet are `UNKNOWN`.
    """

    urn: str
    type: str
    name: str
    properties: Mapping[str, Any]
    dependencies: frozenset[str] = frozenset()
    """URNs that it was made from, also those of single properties."""
    property_dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """URNs by the input that came from them."""
    id: str = ""
    parent: str = ""
    """URN of the component or resource that it was made below, where that is told."""
    external: bool = False
    """Whether the stack only reads it: what belongs to it and stands apart may be elsewhere."""

    def is_left_out(self, key: str) -> bool:
        """Of a property that is not known: whether its program gave none, as far as is told what the resource came from."""
        made = self.property_dependencies.get(key, frozenset()) if self.property_dependencies else self.dependencies
        return not made

    @property
    def made_from(self) -> frozenset[str]:
        """URNs that its inputs came from; all that it was made from, where that is not told of inputs."""
        told = self.property_dependencies
        return frozenset().union(*told.values()) if told else self.dependencies

    @property
    def not_known(self) -> Iterator[str]:
        """Paths of its inputs that are not known yet, and not of what the cloud says of it once it is there."""
        for key in sorted(self.property_dependencies or self.properties.keys() - _SAID_BY_THE_CLOUD):
            yield from _unknown_below(self.properties.get(key), key)

    @property
    def id_is_told(self) -> bool:
        """Whether it is known what its cloud calls it."""
        return bool(self.id) or isinstance(self.properties.get("id"), str)

    @property
    def node(self) -> Node:
        """Its properties; of a resource of which nothing is known at all, each is unknown."""
        return Node(self.properties or UNKNOWN)


@dataclass(frozen=True)
class Snapshot:
    """Resources in the order of their source. `source` says in words where they come from."""

    resources: tuple[Resource, ...]
    source: str

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _by_reference(self) -> Mapping[str, Resource]:
        """By what other resources call it: id, ARN, self link."""
        found: dict[str, Resource] = {}
        for resource in self.resources:
            for name in (resource.id, *(resource.properties.get(key) for key in ("id", "arn", "selfLink"))):
                if isinstance(name, str) and name:
                    found.setdefault(name, resource)
        return found

    def of_types(self, tokens: Iterable[str]) -> Iterator[Resource]:
        wanted = frozenset(tokens)
        return (resource for resource in self.resources if resource.type in wanted)

    def referred(self, resource: Resource, key: str, value: Any) -> tuple[Resource, ...]:
        """What the input `key` of `resource` refers to, by the value where it is known, else by what it was made from.

        Several, where a value was made from several; none, where it is outside the snapshot. A policy pack is told the id of
        no resource whose provider does not repeat it among the outputs: a value that nothing else goes by is then what it was
        made from.
        """
        if isinstance(value, str) and value in self._by_reference:
            return (self._by_reference[value],)
        urns = resource.property_dependencies.get(key, frozenset())
        made = tuple(self.by_urn[urn] for urn in sorted(urns) if urn in self.by_urn)
        return tuple(each for each in made if not each.id_is_told) if isinstance(value, str) else made

    def only(self, resource: Resource, key: str, type_: str) -> Resource | None:
        """The one of `type_` that a reference at the input `key`, which is not known yet, was made from; None where nobody can
        tell, as where a stack that is not in the snapshot may have it."""
        made = self.referred(resource, key, None)
        found = [each for each in made if each.type == type_]
        elsewhere = any(each.type == _OF_ANOTHER_STACK for each in made)
        return found[0] if len(found) == 1 and not elsewhere else None
