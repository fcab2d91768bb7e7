"""Resource inputs that may be unknown at preview, read item by item: what cannot be read becomes a doubt, never nothing.

The policy SDK ends a whole policy at the first unknown value it touches, with an advisory note even where the policy
is mandatory. So values come here as plain data with `UNKNOWN` in place of what is not known yet, and every reader that
meets one says where, and what it would have told.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal


class Unknown(enum.Enum):
    """The type of `UNKNOWN`: a value that a preview cannot know, because a cloud computes it."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "[unknown]"

    __str__ = __repr__


UNKNOWN: Final = Unknown.UNKNOWN

REDACTED: Final = "[secret]"
"""What `pulumi policy analyze --file` puts in the place of a secret that it cannot decrypt."""

About = Literal[
    "names", "ports", "protocol", "destination", "action", "clients", "order",
    "capacity", "default", "exceptions", "home-net", "log", "place", "size",
]  # fmt: skip
"""What a value would have told: names that are opened, their ports, ..., the priority or policy of a rule (`place`)."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that cannot be read: where it stands, what it would have told, and why not."""

    where: str
    about: About
    why: str


NOT_KNOWN: Final = "not known before the update"


class Node:
    """A value and the path to it. Everything that cannot be read ends in `doubts`, which all nodes of a tree share."""

    __slots__ = ("doubts", "path", "value")

    def __init__(self, value: object, path: str = "", doubts: list[Doubt] | None = None) -> None:
        self.value = value
        self.path = path
        self.doubts: list[Doubt] = [] if doubts is None else doubts

    @property
    def absent(self) -> bool:
        return self.value is None

    @property
    def unknown(self) -> bool:
        return self.value is UNKNOWN or self.value == REDACTED

    def doubt(self, about: About, why: str = NOT_KNOWN) -> None:
        found = Doubt(self.path, about, "a secret that cannot be decrypted here" if self.value == REDACTED else why)
        if found not in self.doubts:
            self.doubts.append(found)

    def at(self, *keys: str) -> "Node":
        """The value under `keys`. Below an unknown value everything is that unknown value.

        A list of one object is that object, as bridged providers have it; below any other value that is none, everything
        is unknown, and never absent.
        """
        node = self
        for key in keys:
            node = node.block
            if node.unknown:
                return node
            path = f"{node.path}.{key}" if node.path else key
            node = Node(node.value.get(key) if isinstance(node.value, Mapping) else None, path, self.doubts)
        return node

    @property
    def block(self) -> "Node":
        """The object that is wanted here: itself, the one of a list, or unknown; of an empty list, an absent one."""
        value = self.value
        if value is None or self.unknown or isinstance(value, Mapping):
            return self
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value) < 2:
            return Node(next(iter(value), None), self.path, self.doubts).block
        return Node(UNKNOWN, self.path, self.doubts)

    @property
    def words(self) -> "Node":
        """The text that is wanted here: itself, or unknown where it is none."""
        return self if self.absent or isinstance(self.value, str) else Node(UNKNOWN, self.path, self.doubts)

    def items(self, *about: About) -> Iterator["Node"]:
        """The items of a list; an unknown one is a doubt about each of `about`. A single value is a list of one."""
        if self.absent:
            return
        if self.unknown:
            self._doubts(about)
            return
        if isinstance(self.value, Sequence) and not isinstance(self.value, str):
            for index, item in enumerate(self.value):
                yield Node(item, f"{self.path}[{index}]", self.doubts)
            return
        yield self

    def text(self, *about: About) -> str | None:
        """The text; None if it is absent, or if it cannot be read, which is then a doubt."""
        if self.absent:
            return None
        if self.unknown or not isinstance(self.value, str):
            self._doubts(about, NOT_KNOWN if self.unknown else "no text")
            return None
        return self.value

    def texts(self, *about: About) -> list[str]:
        return [text for item in self.items(*about) if (text := item.text(*about)) is not None]

    def number(self, *about: About) -> int | None:
        """The whole number; numbers come as floats, and from text where a language had no other way."""
        value = self.value
        if value is None:
            return None
        if isinstance(value, float | int) and not isinstance(value, bool) and float(value).is_integer():
            return int(value)
        if isinstance(value, str) and value.isdecimal() and value.isascii():
            return int(value)
        self._doubts(about, NOT_KNOWN if self.unknown else "no whole number")
        return None

    def flag(self, *about: About) -> bool:
        """Whether it is true; an unknown one is a doubt and counts as false."""
        if self.unknown:
            self._doubts(about)
        return self.value is True

    @property
    def empty(self) -> bool:
        """Whether it is a list with nothing in it; an absent one is not."""
        return isinstance(self.value, Sequence) and not isinstance(self.value, str) and not self.value

    def _doubts(self, about: Sequence[About], why: str = NOT_KNOWN) -> None:
        for each in about:
            self.doubt(each, why)


def number(node: Node) -> int | None:
    """The number as a whole one; None for what is none, or is not known. Text is none, as where an API has numbers alone."""
    value = node.value
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
