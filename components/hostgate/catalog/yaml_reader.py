"""YAML as plain values that know their line and column, read from libyaml's event stream.

Events are the fast path (10,000 entries in a quarter of a second) and let the reader refuse what a catalog must not
use before anything is built: anchors and aliases (an alias bomb is 1 kB of text), tags, duplicate keys, several
documents, deep nesting. Plain scalars become null, booleans, integers or text; a date stays the text it was.
"""

import os
import re
from pathlib import Path
from typing import Any

import yaml

from hostgate.catalog.file_input import Size, read_file_bytes
from hostgate.catalog.problems import InputError, Problem, spelled

MAX_BYTES = 16 * 1024 * 1024
"""Bytes. 10,000 entries are 1.8 MB; nothing that a person reviews is nine times that."""

SIZE = Size(MAX_BYTES, "10,000 entries are 1.8 MB")

MAX_DEPTH = 12
"""Levels. The catalog form uses five; libyaml's own time is quadratic in the depth of flow collections."""

Position = tuple[int, int]
"""Line and column, both from 1."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BARE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?\Z")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class Mapping(dict[str, Any]):
    """A YAML mapping; `at` gives the position of each value, `keys_at` of each key, `start` its own.

    `bare_dates` names the keys whose value is a date written without quotes, which other readers would not leave alone;
    `unwritten` those behind which nothing stands, not even a null. `gaps`, of a whole document: whether there is such a key
    or item anywhere in it.
    """

    __slots__ = ("at", "bare_dates", "gaps", "keys_at", "start", "unwritten")

    def __init__(self, start: Position) -> None:
        super().__init__()
        self.start = start
        self.at: dict[str, Position] = {}
        self.keys_at: dict[str, Position] = {}
        self.bare_dates: tuple[str, ...] = ()
        self.unwritten: tuple[str, ...] = ()
        self.gaps = False


class YamlItems(list[Any]):
    """A YAML sequence; `at` gives the position of each item, `unwritten` the items in which nothing stands."""

    __slots__ = ("at", "start", "unwritten")

    def __init__(self, start: Position) -> None:
        super().__init__()
        self.start = start
        self.at: list[Position] = []
        self.unwritten: tuple[int, ...] = ()


def read_file(path: Path, shown: str | None = None) -> Mapping:
    """The one mapping in the YAML file at `path`.

    `shown` is the name used in messages. Raises InputError: missing, no regular file, too large, not text, not UTF-8, not
    YAML, or YAML of a kind that a reviewed file must not use.
    """
    name = shown or str(path)
    return read_bytes(file_bytes(path, name), name)


def file_bytes(path: Path, name: str) -> bytes:
    """What the file at `path` holds. Raises InputError as `read_file` does."""
    # Where a relative path begins is not to be seen: at the project's folder, or where a program without one was started.
    place = "" if Path(name).is_absolute() else f" (looked for as {os.path.abspath(path)})"  # noqa: PTH100 - keeps links
    missing = f"Check the path{place}; a missing list is never an empty one."
    return read_file_bytes(path, SIZE, name, allowed="one YAML file", missing=missing)


def read_bytes(data: bytes, name: str) -> Mapping:
    """The one mapping in `data`; `name` is shown in messages. Raises InputError as `read_file` does."""
    if not data.strip():
        raise _error(name, "file-empty", "The file is empty. An empty list of hosts is never read as 'no hosts'.")
    if b"\0" in data:
        raise _error(name, "file-binary", "Found a NUL byte: this is not a text file. Allowed: UTF-8 text in YAML.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(
            name,
            "file-not-utf8",
            f"Found byte 0x{data[error.start]:02x}, not valid UTF-8. Save the file as UTF-8.",
            (line, 1),
        ) from None
    if not text.endswith("\n"):
        last = text.count("\n") + 1
        raise _error(
            name,
            "file-truncated",
            "The file ends in the middle of a line. Restore the rest, or end it with a newline.",
            (last, 1),
        )
    return _Builder(name).document(text)


class _Builder:
    def __init__(self, name: str) -> None:
        self.name = name
        self.gaps = False

    def document(self, text: str) -> Mapping:
        try:
            value = self._first_document(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = (mark.line + 1, mark.column + 1) if mark else None
            said = " ".join(part for part in (error.context, error.problem) if part)
            raise _error(self.name, "yaml-syntax", f"Not valid YAML: {said}.", at) from None
        except yaml.reader.ReaderError as error:
            before = text.encode()[: error.position]  # libyaml counts bytes
            at = (before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1)
            raise _error(
                self.name,
                "yaml-syntax",
                f"Not valid YAML: found the character U+{error.character:04X}, {error.reason}.",
                at,
            ) from None
        except yaml.YAMLError as error:
            raise _error(self.name, "yaml-syntax", f"Not valid YAML: {error}.") from None
        if not isinstance(value, Mapping):
            raise _error(self.name, "yaml-not-mapping", f"Found {spelled(value)}. Allowed: one mapping.", (1, 1))
        value.gaps = self.gaps
        return value

    def _first_document(self, text: str) -> Any:
        """The value of the only document; None for a text of comments alone."""
        self._event = _Loader(text).get_event
        self._event()  # the stream begins
        if type(self._event()) is yaml.StreamEndEvent:
            return None
        root, _ = self._value(self._event(), 0)
        self._event()  # the document ends
        after = self._event()
        if type(after) is not yaml.StreamEndEvent:
            raise _error(
                self.name,
                "yaml-several-documents",
                "Found a second document. Allowed: one a file.",
                (after.start_mark.line + 1, 1),
            )
        return root

    def _value(self, event: Any, depth: int) -> tuple[Any, Position]:
        """The value that begins with `event`, below `depth` collections, and its position."""
        mark = event.start_mark
        at = (mark.line + 1, mark.column + 1)
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.anchor is not None or (event.tag is not None and not event.implicit[0]):
                raise self._forbidden(event, at)
            return (event.value if event.style else _plain(event.value)), at
        if kind is yaml.AliasEvent or event.anchor is not None or (event.tag is not None and not event.implicit):
            raise self._forbidden(event, at)
        if depth >= MAX_DEPTH:
            raise _error(self.name, "yaml-too-deep", f"Nested deeper than {MAX_DEPTH} levels. The form needs five.", at)
        if kind is yaml.MappingStartEvent:
            return self._mapping(at, depth + 1), at
        return self._items(at, depth + 1), at

    def _mapping(self, start: Position, depth: int) -> Mapping:
        mapping = Mapping(start)
        next_event, positions = self._event, mapping.at
        while type(event := next_event()) is not yaml.MappingEndEvent:
            mark = event.start_mark
            at = (mark.line + 1, mark.column + 1)
            if type(event) is not yaml.ScalarEvent:
                if type(event) is yaml.AliasEvent or event.anchor is not None:
                    raise self._forbidden(event, at)
                raise _error(self.name, "yaml-key", "Found a list or mapping as a key. Allowed: plain text keys.", at)
            if event.anchor is not None or (event.tag is not None and not event.implicit[0]):
                raise self._forbidden(event, at)
            key = event.value
            if key in mapping:
                raise _error(
                    self.name,
                    "yaml-duplicate-key",
                    f"The key `{key}` stands twice in one mapping (first on line {positions[key][0]}). Keep one.",
                    at,
                )
            mapping.keys_at[key] = at
            event = next_event()
            value, positions[key] = self._value(event, depth)
            mapping[key] = value
            if type(value) is str and not event.style and value[:1].isdigit() and _BARE_DATE.match(value):
                mapping.bare_dates += (key,)
            elif value is None and not event.value:
                mapping.unwritten += (key,)
                self.gaps = True
        return mapping

    def _items(self, start: Position, depth: int) -> YamlItems:
        items = YamlItems(start)
        while type(event := self._event()) is not yaml.SequenceEndEvent:
            value, at = self._value(event, depth)
            if value is None and not event.value:
                items.unwritten += (len(items),)
                self.gaps = True
            items.append(value)
            items.at.append(at)
        return items

    def _forbidden(self, event: Any, at: Position) -> InputError:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            return _error(
                self.name,
                "yaml-alias",
                "Found an anchor or alias. Write the value out: a reviewer must see each host.",
                at,
            )
        return _error(self.name, "yaml-tag", f"Found the tag {event.tag}. Allowed: plain values without tags.", at)


def _plain(text: str) -> str | int | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in "-+0123456789" and len(text) <= 18 and _INTEGER.match(text):
        return int(text)
    return text


def _error(name: str, rule: str, message: str, at: Position | None = None) -> InputError:
    line, column = at or (None, None)
    return InputError([Problem(rule=rule, file=name, line=line, column=column, message=message)])
