"""What one resource says, in the words that rules use: effects, doubts, empty lists, reserved room, use of limits."""

from dataclasses import dataclass, field
from typing import Final

from hostgate.flows.nodes import About, Doubt
from hostgate.planning.limits import Usage
from hostgate.policies.effects import Effect

OF_A_RULE: Final[tuple[About, ...]] = ("names", "ports", "protocol", "destination")
"""What a list of rules that is not known would have told."""


@dataclass(frozen=True, slots=True)
class Room:
    """Room that is reserved when an object is made and cannot grow later without a new one."""

    where: str
    used: int
    reserved: int
    unit: str


@dataclass(slots=True)
class Stateful:
    """What an AWS firewall policy says of its engine; None for what is not known."""

    strict: bool | None = None
    defaults: tuple[str, ...] | None = None
    home_net: bool | None = None
    exceptions: str | None = None
    """What becomes of a connection that breaks in its middle."""
    unseen: list[str] = field(default_factory=list)
    """Stateless defaults that drop: no stateful rule sees those packets."""
    references: int = 0
    arns: set[str] = field(default_factory=set)
    """Of the rule groups, as far as they are known."""


@dataclass(slots=True)
class Reading:
    """Filled by a reader, then only read. `doubts` is the list that the nodes of the resource share."""

    doubts: list[Doubt]
    effects: list[Effect] = field(default_factory=list)
    empties: list[tuple[str, str]] = field(default_factory=list)
    """Where a list stands empty, and what it is."""
    rooms: list[Room] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Rule texts, for limits on their length."""
    list_bytes: int = 0
    lists: int = 0
    """Domain lists that allow."""
    opaque: bool = False
    """Whether nothing of a rule group's contents is known: it may be a list, or rules, for anything."""
    strict: bool | None = None
    """Whether a rule group is in strict order; None: not known, or no rule group."""
    variables: frozenset[str] = frozenset()
    """Names of the variables that a rule group declares for itself."""
    policy: str | None = None
    """The firewall policy that the resource belongs to, by name or id; None: not told, or not known."""
    silent_denies: list[str] = field(default_factory=list)
    """Denies that log nothing."""
    lookups: list[tuple[str, str]] = field(default_factory=list)
    """Names that the firewall resolves for itself, and where they stand."""
    stateful: Stateful = field(default_factory=Stateful)
    """Of an AWS firewall policy."""

    @property
    def names_in_doubt(self) -> bool:
        """Whether it may allow names that nobody can see yet."""
        return any(doubt.about == "names" for doubt in self.doubts)

    @property
    def may_name(self) -> bool:
        """Whether it allows something by name, or may."""
        return self.names_in_doubt or any(effect.named for effect in self.effects)

    def doubt(self, where: str, about: About, why: str) -> None:
        found = Doubt(where, about, why)
        if found not in self.doubts:
            self.doubts.append(found)
