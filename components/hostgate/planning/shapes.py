"""Shapes: what an input property may hold, as data. Each shape checks a plain value and yields every problem in it."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hostgate.flows.nodes import UNKNOWN

SCHEMA = "resource schema"
"""The source of a rule that the SDK's own input types state."""

type_names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputProblem:
    """One reason for which a cloud refuses an input. Every text may be empty when it does not apply.

    `path` is a property path in the provider's own names (`ruleGroup.rulesSource.targets[2]`); `source` names the
    document that states the rule.
    """

    what: str = field(kw_only=False)
    path: str = ""
    found: str = ""
    allowed: str = ""
    source: str = ""


Rule = Callable[[Mapping[str, Any], str], Iterable[InputProblem]]
"""A rule over several fields of one object: (the object, its path) -> problems. Fields may be `UNKNOWN`."""


class Shape(Protocol):
    """Anything that can check a value at a property path. An `UNKNOWN` value has no problems yet."""

    def check(self, value: object, path: str) -> Iterator[InputProblem]: ...


@dataclass(frozen=True, slots=True)
class Anything:
    """A property we know by name and leave to the provider."""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:  # noqa: ARG002
        return iter(())


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is not UNKNOWN and not isinstance(value, bool):
            yield wrong_kind(value, path, "true or false")


@dataclass(frozen=True, slots=True)
class Text:
    """A string: its length in characters, a pattern it must match as a whole, or the values it may have."""

    pattern: str = ""
    allowed: str = ""
    one_of: tuple[str, ...] = ()
    fewest: int = 0
    most: int | None = None
    source: str = ""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is UNKNOWN:
            return
        if not isinstance(value, str):
            yield wrong_kind(value, path, "text")
            return
        if self.one_of and value not in self.one_of:
            yield InputProblem(
                "not a value the API knows",
                path=path,
                found=shown(value),
                allowed=" | ".join(self.one_of),
                source=self.source,
            )
        longest = f"{self.fewest} to {self.most} characters" if self.most is not None else f"{self.fewest} or more"
        if len(value) < self.fewest or (self.most is not None and len(value) > self.most):
            found = f"{len(value)} characters: {shown(value)}"
            yield InputProblem("wrong length", path=path, found=found, allowed=longest, source=self.source)
        elif self.pattern and not re.fullmatch(self.pattern, value):
            allowed = self.allowed or self.pattern
            yield InputProblem("wrong form", path=path, found=shown(value), allowed=allowed, source=self.source)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, both included."""

    low: int
    high: int
    source: str = ""
    unit: str = ""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is UNKNOWN:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield wrong_kind(value, path, "a whole number")
        elif value != int(value) or not self.low <= value <= self.high:
            allowed = f"{self.low} to {self.high}{' ' + self.unit if self.unit else ''}"
            yield InputProblem("out of range", path=path, found=shown(value), allowed=allowed, source=self.source)


@dataclass(frozen=True, slots=True)
class Items:
    """A list: what each item is, how many there may be, and whether (or by which key) they must differ."""

    of: Shape
    fewest: int = 0
    most: int | None = None
    unique: bool = False
    unique_by: tuple[str, ...] = ()
    source: str = ""
    keyed: str = ""
    """What stands beside `key` in each item, where the API has a map."""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is UNKNOWN:
            return
        if not isinstance(value, list | tuple):
            yield wrong_kind(value, path, "a list")
            return
        for index, item in enumerate(value):
            yield from self.of.check(item, f"{path}[{index}]")
        if len(value) < self.fewest:
            allowed = f"at least {self.fewest}"
            yield InputProblem("too few", path=path, found=str(len(value)), allowed=allowed, source=self.source)
        if self.most is not None and len(value) > self.most:
            allowed = f"at most {self.most}"
            yield InputProblem("too many", path=path, found=str(len(value)), allowed=allowed, source=self.source)
        if self.unique:
            yield from duplicates([(f"{path}[{i}]", item) for i, item in enumerate(value)], self.source)
        for key in self.unique_by:
            keyed = [(f"{path}[{i}].{key}", item.get(key)) for i, item in enumerate(value) if isinstance(item, Mapping)]
            yield from duplicates(keyed, self.source)


@dataclass(frozen=True, slots=True)
class Entries:
    """A map with free keys, such as tags."""

    of: Shape

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is UNKNOWN:
            return
        if not isinstance(value, Mapping):
            yield wrong_kind(value, path, "an object")
            return
        for key, item in value.items():
            yield from self.of.check(item, f"{path}.{key}")


@dataclass(frozen=True, slots=True)
class Record:
    """An object: every property it may have, those it must have, and rules over several of them.

    A property that is not listed is a problem: the SDKs pass misspelt and untranslated (snake_case) keys of plain
    dicts on silently, and the rule they carried would be lost (pulumi-azure-native issue 4383).
    """

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    source: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Names of the API, in the provider's spelling, where they are others than the provider's."""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is UNKNOWN:
            return
        if not isinstance(value, Mapping):
            yield wrong_kind(value, path, "an object")
            return
        present = {key: item for key, item in value.items() if item is not None}
        for key, item in present.items():
            if shape := self.fields.get(key):
                yield from shape.check(item, inner(path, key))
            else:
                yield self._unknown(key, path)
        for key in self.required:
            if key not in present:
                where = inner(path, key)
                yield InputProblem(
                    "missing", path=where, found="nothing", allowed="required", source=self.source or SCHEMA
                )
        for rule in self.rules:
            yield from rule(present, path)

    def _unknown(self, key: str, path: str) -> InputProblem:
        camel = re.sub(r"_([a-zA-Z0-9])", lambda match: match[1].upper(), key)
        if camel in self.fields:
            what = "unknown property: snake_case that the SDK did not translate; use the SDK's Args classes"
            allowed = camel
        else:
            near = difflib.get_close_matches(key, self.fields, n=1)
            what, allowed = "unknown property", near[0] if near else ", ".join(sorted(self.fields))
        return InputProblem(what, path=inner(path, key), found=key, allowed=allowed, source=self.source or SCHEMA)


@dataclass(frozen=True, slots=True)
class OneOfKinds:
    """An object whose kind is told by one property, the discriminator, with exact casing."""

    tag: str
    kinds: Mapping[str, Record]
    source: str = ""

    def check(self, value: object, path: str) -> Iterator[InputProblem]:
        if value is UNKNOWN:
            return
        if not isinstance(value, Mapping):
            yield wrong_kind(value, path, "an object")
            return
        kind = value.get(self.tag)
        if kind is UNKNOWN:
            return
        if isinstance(kind, str) and kind in self.kinds:
            yield from self.kinds[kind].check(value, path)
            return
        kinds = " | ".join(self.kinds)
        found = "nothing" if kind is None else shown(kind)
        yield InputProblem(
            f"{self.tag} must say the kind", path=inner(path, self.tag), found=found, allowed=kinds, source=self.source
        )
        # The kind is not known, but keys that no kind has are wrong in every case: say those too.
        every = {name: Anything() for record in self.kinds.values() for name in record.fields}
        yield from Record(every, source=self.source).check(value, path)


def duplicates(located: Iterable[tuple[str, Any]], source: str) -> Iterator[InputProblem]:
    """A problem for each (path, value) whose value an earlier path has; `UNKNOWN` and None never clash."""
    first: dict[Any, str] = {}
    for path, value in located:
        if value is UNKNOWN or value is None or isinstance(value, list | dict):
            continue
        if value in first:
            allowed = f"unique; {first[value]} has it already"
            yield InputProblem("duplicate", path=path, found=shown(value), allowed=allowed, source=source)
        else:
            first[value] = path


def wrong_kind(value: object, path: str, allowed: str) -> InputProblem:
    """The problem of a value of the wrong JSON type."""
    kind = type_names.get(type(value), type(value).__name__)
    return InputProblem("wrong type", path=path, found=f"{kind}: {shown(value)}", allowed=allowed, source=SCHEMA)


def known_list(value: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
    """The known items of a list property with their index; nothing when the list is absent or unknown."""
    items = value.get(key)
    if not isinstance(items, list | tuple):
        return []
    return [(index, item) for index, item in enumerate(items) if item is not UNKNOWN and item is not None]


def filled(value: Mapping[str, Any], key: str) -> bool:
    """Whether a property is there and not empty; an unknown one counts as there."""
    item = value.get(key)
    return item is UNKNOWN or (item is not None and item != [] and item != {} and item != "")


def inner(path: str, key: str) -> str:
    """The path of a property of the object at `path`."""
    return f"{path}.{key}" if path else key


def shown(value: object) -> str:
    """A value short enough for one line of a message."""
    text = value if isinstance(value, str) else repr(value)
    text = text.replace("\n", "\\n")
    return (text if len(text) <= 100 else f"{text[:97]}...") or '""'
