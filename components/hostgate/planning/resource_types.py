"""A resource type as data: its token, its inputs, what the cloud computes, how it is named, and what cannot change in place."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from hostgate.planning.shapes import Record


@dataclass(frozen=True, slots=True)
class AutoName:
    """A name the provider makes when the program gives none: logical name, separator, hex digits."""

    property: str
    separator: str = "-"
    digits: int = 7

    def make(self, name: str, seed: str) -> str:
        """A name for `name`; the digits come from `seed`, so that two previews of one program agree."""
        return f"{name}{self.separator}{hashlib.sha256(seed.encode()).hexdigest()[: self.digits]}"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type: its token, its inputs, what the cloud computes, and how it is named."""

    token: str
    inputs: Record
    computed: tuple[str, ...] = ()
    auto_name: AutoName | None = None


def types_by_token(types: Iterable[ResourceType]) -> dict[str, ResourceType]:
    """Resource types under their tokens."""
    return {type_.token: type_ for type_ in types}
