"""Components of one program that share a policy: each gets a `base` of its own, and their writes their turn; those that
would decide for one another are refused.

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

from hostgate.planning.options import Options, in_one_list
from hostgate.planning.plan import Plan
from hostgate.planning.targets import COMPUTED, is_computed, row


@dataclass(slots=True)
class SharedPolicy:
    """What the components of a program have put into one policy so far."""

    places: int = 0
    """How many places of rules are taken."""
    written: list[pulumi.Resource] = field(default_factory=list)
    """What has to be there before the next is written, where a policy takes one write at a time."""
    holders: list[tuple[str, Plan]] = field(default_factory=list)
    """Components with rules in it, by name."""

    def take(self, options: Options) -> int | None:
        """Take places for a component; its base, None where that is the one of its options."""
        before = self.places
        self.places += max(1, len(options.grants)) if options.between_grants else 1
        base: int = getattr(options, "base", 0)
        return base + before * options.between_components if before else None

    def join(self, name: str, made: Plan, networks: frozenset[str] = frozenset()) -> str | None:
        """Put a component beside those that are here; or why it does not fit beside one of them. Of `networks`, where they are
        what is shared, one is enough."""
        for other, before in self.holders:
            if networks and networks.isdisjoint(_networks(before.options)):
                continue
            where = before.options.one_list(made.options)
            if where is None or (before.target == made.target and not before.options.decides_for(made.options)):
                continue
            from hostgate.planning.layers import is_on_the_way  # few programs have two such components

            if not is_on_the_way(before, made):
                pair = ((other, before), (name, made))
                which = [f"{one} ({of.target.partition(':')[2]})" for one, of in pair]
                return in_one_list("components", which, "one policy" if COMPUTED in where else where)
        self.holders.append((name, made))
        return None


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


def join(shared: SharedPolicy, name: str, made: Plan, opts: pulumi.ResourceOptions | None) -> str | None:
    """Put the component `name` beside those that share its policy, or have one of their own on its networks; or why it does
    not fit beside one of them. Networks that are Outputs are not known to be the same."""
    said, networks = shared.join(name, made), _networks(made.options)
    if said is None and networks:
        of_program = _at((row(made.target).cloud, "networks", None if opts is None else opts.provider))
        said = of_program.join(name, made, networks)
    return said


def _networks(options: Options) -> frozenset[str]:
    return frozenset(each for each in getattr(options, "network_paths", ()) if not is_computed(each))


def hand_out(name: str, plan: Plan, policy: "pulumi.Output[Any]", written: pulumi.Resource | None = None) -> None:
    """Let others stand beside the rules of the component `name` in `policy`, if it is the one that makes it."""
    if plan.options.shared_policy is None:
        made = _at((row(plan.target).cloud, policy))
        made.take(plan.options)
        made.holders.append((name, plan))
        made.written = [] if written is None else [written]


def _at(policy: Hashable) -> SharedPolicy:
    root = get_root_resource()
    if root is None:  # of a package: what runs here is one component and no program
        return SharedPolicy()
    return _of_program.setdefault(root, {}).setdefault(policy, SharedPolicy())
