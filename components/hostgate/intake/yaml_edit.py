"""Edits of a YAML text by position, so that comments, order and form of everything else stay as their authors left them.

Positions come from libyaml; the text must have passed this package's reader, which knows no aliases and no tags. Whoever
edits reads the result again and compares: an edit is a proposal, the reader is the judge.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Value = str | int | Sequence[str]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9()._/*+-]*( [A-Za-z0-9()._/*+-]+)*\Z")
"""Text that means itself without quotes, in braces too."""

_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def scalar(value: Value) -> str:
    """`value` as YAML on one line."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        plain = _PLAIN.match(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return f"[{', '.join(scalar(item) for item in value)}]"


def flow(values: Mapping[str, Value]) -> str:
    """A mapping on one line."""
    return f"{{{', '.join(f'{key}: {scalar(value)}' for key, value in values.items())}}}"


class Edit:
    """Collected edits of one text. Nodes are those of `root`; `done` gives the new text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        root: Any = yaml.compose(text, Loader=_Loader)
        self.root: yaml.MappingNode = root
        self._pieces: list[tuple[int, int, str]] = []

    def get(self, mapping: yaml.MappingNode, key: str) -> Any:
        """The node under `key`, or None."""
        return next((value for name, value in mapping.value if name.value == key), None)

    def set(self, mapping: yaml.MappingNode, key: str, value: str, *, before: str = "", after: str = "") -> None:
        """Give `key` the YAML `value` on one line: in place, or as a new key before or behind another, or at the end."""
        there = self.get(mapping, key)
        if there is not None:
            self._pieces.append((there.start_mark.index, self._end(there), value))
            return
        keys = [name.value for name, _ in mapping.value]
        at = keys.index(after) if after in keys else len(keys) - 1
        if mapping.flow_style:
            self._insert(self._end(mapping.value[at][1]), f", {key}: {value}")
            return
        column = mapping.value[0][0].start_mark.column
        line = f"{' ' * column}{key}: {value}{self.newline}"
        if before in keys[1:]:
            named = mapping.value[keys.index(before)][0].start_mark
            self._insert(named.index - named.column, line)
        else:
            self._insert(self._next_line(mapping.value[at][1]), line)

    def append(self, items: yaml.SequenceNode, line: str, block: Sequence[str] = ()) -> None:
        """Add an item: `line` in a list that is written on one line or whose last item is; else the lines of `block`."""
        if items.flow_style:
            if items.value:
                self._insert(self._end(items.value[-1]), f", {line}")
            else:
                self._insert(items.end_mark.index - 1, line)
            return
        last = items.value[-1]
        lead = " " * items.start_mark.column
        lines = [line] if getattr(last, "flow_style", False) or not block else list(block)
        made = self.newline.join(f"{lead}{'- ' if index == 0 else '  '}{each}" for index, each in enumerate(lines))
        apart = self.newline if len(items.value) > 1 and self._blank_before(last) else ""
        self._insert(self._next_line(last), f"{apart}{made}{self.newline}")

    def done(self) -> str:
        """The text with all edits. Two at one place stand in the order in which they were made."""
        text, at = [], 0
        for start, end, new in sorted(self._pieces, key=lambda piece: piece[0]):
            text += [self.text[at:start], new]
            at = end
        return "".join([*text, self.text[at:]])

    def _insert(self, at: int, new: str) -> None:
        self._pieces.append((at, at, new))

    def _end(self, node: Any) -> int:
        """Behind the last character of a node; libyaml's own end of a block is where the next thing begins."""
        while not isinstance(node, yaml.ScalarNode) and not node.flow_style:
            node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
        end: int = node.end_mark.index
        return end

    def _next_line(self, node: Any) -> int:
        """The start of the line below a node, comments behind it on its last line included."""
        end = self._end(node)
        if self.text[end - 1] == "\n":  # a text written as a block ends behind its empty lines
            kept = self.text[:end].rstrip()
            return len(kept) + self.text[len(kept) :].index("\n") + 1
        return self.text.index("\n", end) + 1

    def _blank_before(self, node: Any) -> bool:
        """Whether an empty line stands above a node and the comments over it."""
        end = self.text.rfind("\n", 0, node.start_mark.index)
        while end > 0:
            begin = self.text.rfind("\n", 0, end) + 1
            line = self.text[begin:end].strip()
            if not line.startswith("#"):
                return not line
            end = begin - 1
        return False
