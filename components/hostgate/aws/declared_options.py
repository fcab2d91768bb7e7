"""Options of what an owner's own list of rules denies: security groups and network ACLs, which a plan only adds to."""

import re
from collections.abc import Callable
from typing import ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from hostgate.catalog.problems import spelled
from hostgate.planning.options import Deny, RenamedOptions
from hostgate.planning.pooled import PooledOptions
from hostgate.planning.targets import is_computed


class DeclaredOptions(RenamedOptions, PooledOptions):
    """Fed by a pool, and what no rule of the list allows is denied by it."""

    denier: ClassVar[str]
    """What denies, in words."""

    deny: Deny = "declared"
    """What no rule allows is denied; other rules are their owner's."""

    @model_validator(mode="after")
    def _denies(self) -> Self:
        if self.mode != "enforce" or self.deny != "declared":
            raise ValueError(
                f"found mode {self.mode!r} and deny {self.deny!r}. Allowed: enforce and declared; what no rule of a "
                f"{self.denier} allows is denied by it."
            )
        return self


def ids(prefix: str, what: str) -> Callable[[list[str]], list[str]]:
    """A check that a list has ids of the EC2 API, `prefix` and hex digits, each once. Raises PydanticCustomError."""
    form = re.compile(rf"{prefix}[0-9a-f]{{1,17}}\Z")

    def check(given: list[str]) -> list[str]:
        found = [
            f"found {spelled(each)}. Allowed: the id of a {what}, {prefix} and hex digits."
            for each in given
            if not form.match(each) and not is_computed(each)
        ]
        found += [f"found {each} twice. Allowed: each once." for each in dict.fromkeys(given) if given.count(each) > 1]
        if found:
            message = " ".join(found)
            raise PydanticCustomError("option", "{message}", {"message": message})
        return given

    return check
