"""Options of address groups in the rules of a firewall policy."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, model_validator

from hostgate.catalog.model import Entry, Family
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions, is_placeholder
from hostgate.gcp.labels import Labels
from hostgate.gcp.resources_groups import ITEMS
from hostgate.planning.address_pool import OWNER_LABEL
from hostgate.planning.kept_lists import KeptOptions
from hostgate.planning.targets import COMPUTED


class AddressGroupOptions(FirewallPolicyOptions, KeptOptions):
    """Beside those of a firewall policy: how large the groups are, and who keeps them."""

    tags: Labels = {}
    capacity: Annotated[int, Field(ge=1, le=ITEMS.max)] | None = None
    """The capacity of each group that a refresher keeps, which nobody can tell from the pool of the day."""
    steps: Annotated[int, Field(ge=1, le=ITEMS.max)] = 100
    """The capacity of a group is the next multiple of this. It counts in the policy, used or not, and cannot change: a list
    that grows beyond it gets a new group."""

    @model_validator(mode="after")
    def _holds(self) -> Self:
        found = []
        if self.scope == "hierarchical":
            found.append(
                "found a hierarchical policy. Allowed: a global or a regional one; the groups are a project's, and rules of "
                "hierarchical policies take those of organizations only (Cloud NGFW, address groups)."
            )
        if (self.capacity is None) == self.refreshed:
            found.append(
                f"found contents {self.contents!r} {'with' if self.capacity else 'without'} `capacity`. Allowed: `capacity` "
                "with refresher, and only there; by the pool, `steps` sizes a group."
            )
        if OWNER_LABEL in self.tags:
            found.append(f"found the tag {OWNER_LABEL}, which says whose the items of a group are. Leave it out.")
        if found:
            raise ValueError(" ".join(found))
        return self

    @property
    def stem(self) -> str:
        """A group of another name is another group, so all keep the names that they were made under."""
        return self.formerly or self.name

    @property
    def client_families(self) -> frozenset[Family]:
        return frozenset(self.families) & frozenset(self.source_families)

    def of_no_use(self, families: Iterable[Family]) -> tuple[str, str]:
        if left_out := sorted({*families} - {*self.families}):
            return "`families` leave it out", f"add {' and '.join(left_out)} to `families`."
        return super().of_no_use(families)

    def of(self, entry: Entry) -> tuple[str, ...]:
        """By the clients of the entry's own grant."""
        share = next((each for each in self.shares if each is not self and each.grant == entry.grant), None)
        return super().of(entry) if share is None else share.of(entry)

    @property
    def location(self) -> str:
        """Of the groups: that of the policy (Cloud NGFW, address groups)."""
        return self.in_region or "global"

    @property
    def parent_of_groups(self) -> str:
        return f"projects/{self.in_project or COMPUTED}"

    @property
    def lacking(self) -> str | None:
        known = self.in_project is not None or self.project is not None
        if known or any(map(is_placeholder, (*self.networks, self.attach or ""))):
            return None
        return "`project` is missing: the address groups are made in it. Or name a network or the policy by its path."
