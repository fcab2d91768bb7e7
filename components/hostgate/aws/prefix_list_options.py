"""Options of prefix lists in the rules of security groups."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.aws.resources_ec2 import LIST_ENTRIES
from hostgate.catalog.problems import spelled
from hostgate.planning.options import Deny, RenamedOptions
from hostgate.planning.pooled import PooledOptions
from hostgate.planning.targets import is_computed

_GROUP = re.compile(r"sg-[0-9a-f]{1,17}\Z")


def _group(text: str) -> str:
    if not _GROUP.match(text) and not is_computed(text):
        message = f"found {spelled(text)}. Allowed: the id of a security group, sg- and hex digits."
        raise PydanticCustomError("option", "{message}", {"message": message})
    return text


class PrefixListOptions(RenamedOptions, PooledOptions):
    """Whose rules refer to the lists, and how large those are."""

    deny: Deny = "declared"
    """A security group denies what none of its rules allows; other rules of it are its owner's."""
    security_groups: list[Annotated[str, AfterValidator(_group)]] = []
    """Security groups of the clients, which get an egress rule for each list."""
    contents: Literal["pool", "refresher"] = "pool"
    """Who keeps the entries: `pool`, this program, at what the pool says at each update; `refresher`, `hostgate pool push
    aws-prefix-list`, after the program has filled a list once, when it makes it."""
    maximum: Annotated[int, Field(ge=1, le=LIST_ENTRIES.max)] | None = None
    """The maximum of each list that a refresher keeps, which nobody can tell from the pool of the day."""
    steps: Annotated[int, Field(ge=1, le=100)] = 10
    """The maximum of a list is the next multiple of this: it counts in each security group, used or not, and a list that
    grows beyond it has to be resized."""

    @property
    def lacking(self) -> str | None:
        return (
            None
            if self.security_groups
            else "`securityGroups` names none: no rule would use the lists. Name the clients'."
        )

    @model_validator(mode="after")
    def _denies(self) -> Self:
        if self.mode != "enforce" or self.deny != "declared":
            raise ValueError(
                f"found mode {self.mode!r} and deny {self.deny!r}. Allowed: enforce and declared; what no rule of a security "
                "group allows is denied by the group."
            )
        if (self.maximum is None) == self.refreshed:
            raise ValueError(
                f"found contents {self.contents!r} {'with' if self.maximum else 'without'} `maximum`. Allowed: `maximum` with "
                "refresher, and only there; by the pool, `steps` sizes a list."
            )
        return self

    @property
    def refreshed(self) -> bool:
        """Whether entries are a refresher's."""
        return self.contents == "refresher"

    @model_validator(mode="before")
    @classmethod
    def _duplicates(cls, values: Any) -> Any:
        groups = values.get("security_groups", values.get("securityGroups")) if isinstance(values, dict) else None
        if isinstance(groups, list) and len(set(map(str, groups))) != len(groups):
            raise ValueError("found a security group twice in `securityGroups`. Allowed: each once.")
        return values
