"""Resource types as data: tokens, inputs, what the cloud computes, what replaces; and the one reader of bodies and twins."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.shapes import Anything, Items, OneOfKinds, Record, Shape


@dataclass(frozen=True, slots=True)
class AutoName:
    """A name the provider makes when the program gives none: logical name, separator, hex digits."""

    property: str
    separator: str = "-"
    digits: int = 7

    def make(self, name: str, seed: str) -> str:
        """A name for `name`; the digits come from `seed`, so that two previews of one program agree."""
        return f"{name}{self.separator}{hashlib.sha256(seed.encode()).hexdigest()[: self.digits]}"


def as_it_is(name: str) -> str:
    """The spelling of an API that has the provider's own names."""
    return name


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type: its token, its inputs, what the cloud computes, how it is named, and what cannot change."""

    token: str
    inputs: Record
    computed: tuple[str, ...] = ()
    auto_name: AutoName | None = None
    replaces: tuple[str, ...] = ()
    """Input paths that the provider cannot change in place."""
    configured: tuple[str, ...] = ()
    """Inputs that the provider takes from its own configuration where a program leaves them out: what an object has of
    them changes by another value only."""
    kind: str = ""
    """What the API and plans call it; empty for what no plan makes."""
    spelled: Callable[[str], str] = as_it_is
    """How the API spells the name of an input."""
    within: str = ""
    """The part of the API's body that has the inputs, beside name and place of the object."""
    refreshed: str = ""
    """The input that is a refresher's where the options say so: an update leaves what stands as it is."""

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs that a body in the API's spelling stands for."""
        parts = {key: value for key, value in body.items() if key != self.within} | dict(body.get(self.within) or {})
        return dict(read(self.inputs, parts, self.spelled))

    def fixed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What of a body cannot change in place, by the API's name; None for what it does not say.

        Not its own name, by which plans tell objects apart, nor what is left to the provider: to name that is no change.
        """
        inputs = self.from_body(body)
        left = {path for path in self.configured if value_at(inputs, path) is None}
        left |= {self.auto_name.property} if self.auto_name else set()
        paths = (path for path in self.replaces if path not in left)
        return {self.spelled(path.rpartition(".")[2]): value_at(inputs, path) for path in paths}


@dataclass(frozen=True, slots=True)
class UnreadType:
    """A type that decides about egress and that nothing here reads. It is said to be unread, never passed over."""

    token: str
    holds: str
    """What it holds, in words."""
    unless: tuple[str, ...] = ()
    """Inputs without which it holds nothing of the kind."""


def fields(*paths: str) -> Record:
    """Inputs that are known by name, as `rules[].action`: every name on `paths`, and nothing about their values."""
    names: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        names.setdefault(first, []).extend([rest] if rest else [])
    shapes: dict[str, Shape] = {name: fields(*below) if below else Anything() for name, below in names.items()}
    return Record({n.removesuffix("[]"): Items(shape) if n.endswith("[]") else shape for n, shape in shapes.items()})


def read(shape: Shape, value: Any, spelled: Callable[[str], str]) -> Any:
    """A value in another spelling as the input that `shape` describes. What the shape does not name stays as it is.

    A map that the provider has as a list with a `key` becomes that list; a single value where a list is due, a list of
    one. `UNKNOWN` and absent values stay what they are.
    """
    if value is None or value is UNKNOWN:
        return value
    if isinstance(shape, Items):
        return _read_items(shape, value, spelled)
    if isinstance(shape, OneOfKinds):
        kind = shape.kinds.get(str(value.get(shape.tag))) if isinstance(value, Mapping) else None
        return value if kind is None else read(kind, value, spelled)
    if isinstance(shape, Record) and isinstance(value, Mapping):
        names = {spelled(name): name for name in shape.fields if name not in shape.renamed}
        names |= {spelled(name): ours for ours, name in shape.renamed.items()}
        return {
            names.get(key, key): read(shape.fields[names[key]], each, spelled) if key in names else each
            for key, each in value.items()
        }
    return value


def _read_items(shape: Items, value: Any, spelled: Callable[[str], str]) -> Any:
    if shape.keyed and isinstance(value, Mapping) and isinstance(shape.of, Record):
        below = shape.of.fields[shape.keyed]
        return [{"key": key, shape.keyed: read(below, each, spelled)} for key, each in value.items()]
    if isinstance(value, Mapping):
        return [read(shape.of, value, spelled)]
    return [read(shape.of, each, spelled) for each in value] if isinstance(value, list | tuple) else value


def value_at(values: Any, path: str) -> Any:
    """The value at a property path of mappings, None where there is none."""
    for key in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values


def fixed_by_row(types: Mapping[str, ResourceType], kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the body of an object of `kind` cannot change in place; nothing for a kind that has no row."""
    row = next((row for row in types.values() if row.kind == kind), None)
    return {} if row is None else row.fixed(body)


def types_by_token(types: Iterable[ResourceType]) -> dict[str, ResourceType]:
    """Resource types under their tokens."""
    return {type_.token: type_ for type_ in types}
