"""Options of entries in network ACLs."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from hostgate.aws.declared_options import DeclaredOptions, ids
from hostgate.aws.resources_ec2 import LAST_NUMBER

SPAN = 10_000
"""How many rule numbers the entries are spread over, from `base` on."""


class NetworkAclOptions(DeclaredOptions):
    """Which ACLs get the entries, and where among theirs."""

    denier: ClassVar[str] = "network ACL"

    network_acls: Annotated[list[str], AfterValidator(ids("acl-", "network ACL"))] = []
    """ACLs of the clients' subnets."""
    base: Annotated[int, Field(ge=1, le=LAST_NUMBER - SPAN + 1)] = 10_000
    """The first of the 10,000 rule numbers that are ours alone."""

    @property
    def lacking(self) -> str | None:
        return (
            None
            if self.network_acls
            else "`networkAcls` names none: nothing would hold the entries. Name the clients'."
        )
