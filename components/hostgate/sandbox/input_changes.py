"""What changes between two inputs of a resource, and whether the provider would replace it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hostgate.planning.mechanism import grown
from hostgate.planning.resource_types import ResourceType
from hostgate.sandbox.lifecycle import Lifecycle
from hostgate.sandbox.wire_values import UNKNOWN_ON_WIRE

DEFAULTS = "__defaults"
"""The input in which a bridged provider notes which properties it filled in itself."""

ChangeKind = Literal["add", "delete", "update"]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changed property paths in the engine's spelling (`match.destFqdns[2]`), and which of them replace."""

    paths: Mapping[str, ChangeKind]
    replacing: frozenset[str] = frozenset()
    delete_first: bool = False

    @property
    def properties(self) -> list[str]:
        """The changed top-level inputs."""
        return sorted({_top(path) for path in self.paths})

    @property
    def replaced_by(self) -> list[str]:
        return sorted({_top(path) for path in self.replacing})


def diff(
    type_: ResourceType,
    life: Lifecycle,
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    ignored: tuple[str, ...] = (),
    state: Mapping[str, Any] = {},
) -> Changes:
    """The changes from `olds` to `news` (inputs as wire values). `state` is what the object is known to have.

    A value that a preview cannot know yet counts as changed, as with the real providers: its source does change.
    """
    before, after = _comparable(olds), _comparable(news)
    for key in type_.configured:
        had = state.get(key, before.get(key))
        if key not in after or after[key] == had:
            before.pop(key, None)
            after.pop(key, None)
    for key, same in life.same.items():
        if key in before and key in after and UNKNOWN_ON_WIRE not in (before[key], after[key]):
            after[key] = before[key] if same(before[key], after[key]) else after[key]
    paths = {path: kind for path, kind in _changes(before, after, "") if not within(path, ignored)}
    replaces = tuple(path for path in type_.replaces if path not in life.overlooks)
    moved = tuple(path for path in life.grows if path in paths and not grown(before.get(path), after.get(path)))
    replacing = frozenset(path for path in paths if within(path, (*replaces, *moved)))
    by_hand = type_.auto_name is not None and type_.auto_name.property not in (news.get(DEFAULTS) or ())
    return Changes(paths, replacing, bool(replacing) and (life.replaces_delete_first or by_hand))


def _comparable(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if not key.startswith("__") and value is not None}


def _changes(old: Any, new: Any, path: str) -> Iterator[tuple[str, ChangeKind]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _change(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            one = old[index] if index < len(old) else None
            other = new[index] if index < len(new) else None
            yield from _change(one, other, f"{path}[{index}]")
    elif old != new:
        yield path, "update"


def _change(old: Any, new: Any, path: str) -> Iterator[tuple[str, ChangeKind]]:
    if old is None and new is not None:
        yield path, "add"
    elif new is None and old is not None:
        yield path, "delete"
    elif old is not None:
        yield from _changes(old, new, path)


def within(path: str, roots: tuple[str, ...]) -> bool:
    """Whether the path is one of `roots`, below one, or above one (then the root came or went with it)."""
    return any(
        path == root or path.startswith((f"{root}.", f"{root}[")) or root.startswith((f"{path}.", f"{path}["))
        for root in roots
    )


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
