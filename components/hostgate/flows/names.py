"""Tests of a name: the ways in which firewalls and catalogs say which names they mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import MATCHES, Match

TestKind = Match | Literal["starting", "ending", "dot-ending", "containing", "pattern"]

INDEXED: frozenset[str] = frozenset({*MATCHES, "dot-ending"})
"""Kinds that hold only names of which their host is a whole-label ending, so that they are found by a name's endings."""


@dataclass(frozen=True, slots=True)
class NameTest:
    """One condition on a name.

    Match kinds are as in a catalog. `starting`, `ending` and `containing` look at letters and not at labels; `dot-ending`
    looks at the end of the name with a dot in front of it; `pattern` is a regular expression that is searched. Letters of
    either case are alike unless `case`. `negated` turns the answer round, and a name must be there in any case.
    """

    kind: TestKind
    text: str
    case: bool = False
    negated: bool = False

    def holds(self, name: str) -> bool:
        return self._holds(name) != self.negated

    def _holds(self, name: str) -> bool:
        if self.kind == "pattern":
            return _compiled(self.text, self.case).search(name) is not None
        text = self.text
        if not self.case:
            name, text = name.lower(), text.lower()
        match self.kind:
            case "exact":
                return name == text
            case "starting":
                return name.startswith(text)
            case "ending":
                return name.endswith(text)
            case "dot-ending":
                return f".{name}".endswith(f".{text}")
            case "containing":
                return text in name
            case _:
                return holds(self.kind, text, name)

    @property
    def host(self) -> str | None:
        """What every name that it holds has as a whole-label ending; None where there is nothing of the kind."""
        if self.negated:
            return None
        if self.kind == "ending" and self.text.startswith(".") and len(self.text) > 1:
            return self.text[1:].lower()
        return self.text.lower() if self.kind in INDEXED else None

    def __str__(self) -> str:
        what = self.text if self.kind == "exact" else f"{self.kind} of {self.text}"
        if self.kind not in MATCHES:
            what = f"a name {self.kind} {self.text!r}" if self.kind != "pattern" else f"a name like {self.text!r}"
        return f"not {what}" if self.negated else what


Names = tuple[NameTest, ...]
"""Conditions that must all hold of one name; none of them: any name, but there must be one."""


@lru_cache(maxsize=1024)
def _compiled(pattern: str, case: bool) -> re.Pattern[str]:
    return re.compile(pattern, 0 if case else re.IGNORECASE)


def hold(names: Names, name: str | None) -> bool:
    """Whether every condition holds of `name`; False where there is no name."""
    return name is not None and all(test.holds(name) for test in names)


def kinship(holds: bool, host: str, name: str) -> int | None:
    """How near a condition on `host` is to `name`: 0 where it holds, 1 where the host is the name or above it, 2 where it is
    below; None where they have nothing in common."""
    if holds:
        return 0
    if host == name or name.endswith(f".{host}"):
        return 1
    return 2 if host.endswith(f".{name}") else None


def endings(name: str) -> Iterator[str]:
    """The name, and what is left of it label by label."""
    yield name
    at = name.find(".")
    while at != -1:
        yield name[at + 1 :]
        at = name.find(".", at + 1)
