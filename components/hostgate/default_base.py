"""Components of one program that share a policy: each gets a `base` of its own, and their writes their turn.

The first one has the default, each further one the next that is free beside it, in the order of the program. What one of
them allows comes before what another denies, whatever their order. A component of a package for other languages knows of
no other: there a `base` has to be given, and rules that would stand in one place are refused.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import get_root_resource

from hostgate.planning.options import Options


@dataclass(slots=True)
class SharedPolicy:
    """What the components of a program have put into one policy so far."""

    places: int = 0
    """How many places of rules are taken."""
    written: list[pulumi.Resource] = field(default_factory=list)
    """What has to be there before the next is written, where a policy takes one write at a time."""

    def take(self, options: Options) -> int | None:
        """Take places for a component; its base, None where that is the one of its options."""
        before = self.places
        self.places += max(1, len(options.grants)) if options.between_grants else 1
        base: int = getattr(options, "base", 0)
        return base + before * options.between_components if before else None


_of_program: WeakKeyDictionary[pulumi.Resource, dict[Hashable, SharedPolicy]] = WeakKeyDictionary()
"""By the run of a program (its root), and by policy."""


def shared_policy(
    cloud: str, options: Options, outputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None
) -> SharedPolicy:
    """That of others to which the rules of a component go; one that nobody has seen, where it makes its own."""
    attach, named = outputs.get("attach"), options.shared_policy
    if not options.between_components or named is None:
        return SharedPolicy()
    # Whether two Outputs are of one policy is not known before they are; one that is given twice is.
    return _at((cloud, attach if attach is not None else (named.lower(), None if opts is None else opts.provider)))


def hand_out(
    cloud: str, options: Options, policy: "pulumi.Output[Any]", written: pulumi.Resource | None = None
) -> None:
    """Let others stand beside the rules of a component in `policy`, if it is the one that makes it."""
    if options.shared_policy is None:
        made = _at((cloud, policy))
        made.take(options)
        made.written = [] if written is None else [written]


def _at(policy: Hashable) -> SharedPolicy:
    root = get_root_resource()
    if root is None:  # of a package: what runs here is one component and no program
        return SharedPolicy()
    return _of_program.setdefault(root, {}).setdefault(policy, SharedPolicy())
