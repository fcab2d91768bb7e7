"""Options of prefix lists in the rules of security groups."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from hostgate.aws.declared_options import DeclaredOptions, ids
from hostgate.aws.resources_ec2 import LIST_ENTRIES
from hostgate.planning.kept_lists import KeptOptions


class PrefixListOptions(DeclaredOptions, KeptOptions):
    """Whose rules refer to the lists, how large those are, and who keeps them."""

    denier: ClassVar[str] = "security group"

    security_groups: Annotated[list[str], AfterValidator(ids("sg-", "security group"))] = []
    """Security groups of the clients, which get an egress rule for each list."""
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
    def _kept_by_one(self) -> Self:
        if (self.maximum is None) == self.refreshed:
            raise ValueError(
                f"found contents {self.contents!r} {'with' if self.maximum else 'without'} `maximum`. Allowed: `maximum` with "
                "refresher, and only there; by the pool, `steps` sizes a list."
            )
        return self
