"""Keys and items without a value, anywhere in an input.

`phases:` whose items are all commented out reads as null, and null reads as "not given": everything would open, or a pin
would be off, because somebody took a list out. So a blank is an error wherever a person writes keys, in one wording.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hostgate.catalog.problems import spelled
from hostgate.catalog.yaml_reader import Mapping as YamlMapping
from hostgate.catalog.yaml_reader import Position, YamlItems

ALLOWED = "a value; or leave it out"


class Blank(NamedTuple):
    """A place without a value: its steps from the root, where it is written if that is known, and what stands there.

    `unwritten`: nothing at all stands there in a YAML file, not even a null. The engine tells the two apart no more: the
    CLI writes a null for what was blank back into the stack file (tried with CLI 3.259).
    """

    path: tuple[int | str, ...]
    at: Position | None
    found: str | None
    unwritten: bool

    def message(self, key: str) -> str:
        return blank_message(key, self.found)


def is_blank(value: object) -> bool:
    """Whether `value` is nothing, or empty text."""
    return value is None or value == ""


def blank_message(key: str, found: object) -> str:
    return f"`{key}`: found {spelled(found)}. Allowed: {ALLOWED}."


def blanks(value: Mapping[str, Any], at: Position | None = None, free: Sequence[str] = ()) -> list[Blank]:
    """Every blank in `value`, in order; `at` is where it stands, for places that know no better.

    `free` names the keys whose own values may be empty text, such as `tags`: a cloud takes a tag without a value.
    """
    found: list[Blank] = []
    _look(value, (), at, free, found)
    return found


def _look(
    parent: Mapping[str, Any] | Sequence[Any],
    path: tuple[int | str, ...],
    at: Position | None,
    free: Sequence[str],
    found: list[Blank],
) -> None:
    places: Any = None
    unwritten: Sequence[int | str] = ()
    if isinstance(parent, YamlMapping | YamlItems):
        places, unwritten = parent.at, parent.unwritten
    texts = not (path and path[-1] in free)
    for step, value in parent.items() if isinstance(parent, Mapping) else enumerate(parent):
        if isinstance(value, dict | list | tuple):
            _look(value, (*path, step), places[step] if places else at, free, found)
        elif value is None or (texts and is_blank(value)):
            found.append(Blank((*path, step), places[step] if places else at, value, step in unwritten))
