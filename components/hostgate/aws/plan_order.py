"""Which reference of a policy is to which group of an allowlist, before the ARNs of its groups are known.

A first preview shows priorities without ARNs, or not even those. Where the allowlist itself wrote them, the place of a
group follows from its kind (`hostgate.aws.policy`); groups of one kind may stand in either order, since they all pass.
"""

import re
from collections.abc import Sequence
from typing import Final

from hostgate.aws.policy import ADDRESS_SLOT, ALLOW_SLOT, CLOSING_SLOT, EDGE_SLOT, GUARD_SLOT, HTTP_SLOT
from hostgate.flows.snapshot import Resource

_ALLOWLIST: Final = "hostgate-aws:index:NetworkFirewallAllowlist"
_SLOTS: Final = {
    "address": ADDRESS_SLOT, "edge": EDGE_SLOT, "guard": GUARD_SLOT, "allow": ALLOW_SLOT, "list": ALLOW_SLOT,
    "list-http": HTTP_SLOT, "reject": CLOSING_SLOT,
}  # fmt: skip
_KIND: Final = re.compile(rf"(.+)-({'|'.join(sorted(_SLOTS, reverse=True))})(?:-[01]+)?\Z")
_WITHIN: Final = EDGE_SLOT - ADDRESS_SLOT
"""Less than this lies between groups of one kind."""


def in_plan_order(
    policy: Resource, groups: Sequence[Resource], priorities: Sequence[int] | None
) -> list[tuple[Resource, int]]:
    """`groups` with their priorities, or with their places where `priorities` is None: the whole list of references is not
    known, as the output `references` of an allowlist is. Empty where it is not an allowlist that wrote them."""
    kinds = [(group, _KIND.fullmatch(group.name)) for group in groups]
    holders = {_holder(group) for group in (*groups, *([policy] if priorities is not None else []))}
    stems = {kind[1] for _, kind in kinds if kind is not None}
    if not groups or len(holders) != 1 or "" in holders or None in (kind for _, kind in kinds):
        return []
    parents = {group.parent for group in groups if group.parent}
    if len(parents) > 1 or not all(stem.startswith(min(stems, key=len)) for stem in stems):
        return []  # groups of two allowlists
    placed = sorted(((group, _SLOTS[kind[2]]) for group, kind in kinds if kind is not None), key=lambda each: each[1])
    if priorities is None:
        return placed
    bases = [priority - slot for (_, slot), priority in zip(placed, sorted(priorities), strict=True)]
    if max(bases) - min(bases) >= _WITHIN:
        return []
    return [(group, priority) for (group, _), priority in zip(placed, sorted(priorities), strict=True)]


def _holder(resource: Resource) -> str:
    """The stack, and the types that a child of an allowlist is below; empty for any other resource."""
    chain = resource.urn.rpartition("::")[0].rpartition("$")[0]
    return chain if chain.endswith(_ALLOWLIST) else ""
