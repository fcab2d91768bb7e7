"""What one resource says, in the words that rules use: effects, doubts, empty lists, reserved room, use of limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hostgate.flows.nodes import About, Doubt
from hostgate.planning.limits import Usage
from hostgate.policies.effects import Effect
from hostgate.suricata.reader import ParsedRule


@dataclass(frozen=True, slots=True)
class Room:
    """Room that is reserved when an object is made and cannot grow later without a new one."""

    where: str
    used: int
    reserved: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stateless:
    """A stateless rule of AWS, asked before anything stateful. Empty lists are everything; None is not known."""

    where: str
    priority: int | None
    actions: tuple[str, ...]
    sources: tuple[str, ...] | None
    destinations: tuple[str, ...] | None
    protocols: tuple[int, ...] | None
    any_port: bool


@dataclass(slots=True)
class Stateful:
    """What an AWS firewall policy says of its engine; None for what is not known."""

    strict: bool | None = None
    defaults: tuple[str, ...] | None = None
    home_net: bool | None = None
    home_ranges: tuple[str, ...] | None = None
    """Of HOME_NET at policy level."""
    exceptions: str | None = None
    """What becomes of a connection that breaks in its middle."""
    stateless_defaults: tuple[str, ...] | None = None
    references: int = 0
    references_unknown: bool = False
    """Whether nothing is known of the list of rule groups."""
    priorities: dict[str, int] = field(default_factory=dict)
    """Of rule groups, by ARN, as far as both are known."""
    stateless_references: int = 0
    stateless_priorities: dict[str, int] = field(default_factory=dict)


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
    variables: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    """Variables that a rule group declares for itself, with their definitions; None for those that are not known."""
    lines: list[tuple[str, ParsedRule]] = field(default_factory=list)
    """Stateful rules of AWS in their order, and where each stands; standard rules as the lines that they come to."""
    stateless: list[Stateless] = field(default_factory=list)
    """Stateless rules of AWS."""
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
