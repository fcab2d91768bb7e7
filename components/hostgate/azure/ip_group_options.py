"""Options of IP groups in the rules of a firewall policy."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, model_validator

from hostgate.azure.firewall_policy_options import FirewallPolicyOptions
from hostgate.catalog.model import Family
from hostgate.planning.address_pool import OWNER_LABEL
from hostgate.planning.kept_lists import KeptOptions
from hostgate.planning.mechanism import ELSEWHERE
from hostgate.planning.options import Options


class IpGroupOptions(FirewallPolicyOptions, KeptOptions):
    """Where the rules and their groups go, whose traffic they judge, and who keeps the groups."""

    base: Annotated[int, Field(ge=100, le=60_000)] = 3000
    """Priority of the rule collection group, another than that of `application-rules` beside it: network rules come before
    application rules whatever it is."""

    @property
    def client_families(self) -> frozenset[Family]:
        """Azure Firewall's rules and its IP groups take IPv4 alone (known issues, 2025-09; IP groups, 2026-03-28)."""
        return frozenset({"ipv4"})

    def of_no_use(self, families: Iterable[Family]) -> tuple[str, str]:  # noqa: ARG002
        return "IP groups and Azure Firewall's rules take IPv4 alone", ELSEWHERE

    @model_validator(mode="after")
    def _owned(self) -> Self:
        if found := [name for name in self.tags if name.lower() == OWNER_LABEL]:
            raise ValueError(
                f"found the tag {found[0]}, which says that a push keeps a group. Leave it out: `contents` refresher sets it."
            )
        return self

    def moves_from(self, other: Options) -> bool:
        """In one policy of somebody else, network rules come before application rules, and both only allow."""
        return (
            isinstance(other, FirewallPolicyOptions)
            and self.attach is not None
            and self.one_list(other) is not None
            and self.mode == other.mode == "enforce"
        )
