"""Rules of Google Cloud as steps: firewall policy rules of every scope, and VPC firewall rules.

Sources: Compute Engine API v1, FirewallPolicyRule, FirewallPolicyRuleMatcher and Firewall, revision 20261106; Cloud NGFW,
FQDN objects and network contexts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, NO_ADDRESS, AddressSet, networks, range_of, symbol, union
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.nodes import Node
from hostgate.flows.snapshot import Resource
from hostgate.flows.steps import Action, Box, ClientTest, Group, Stage, Step
from hostgate.gcp.evaluate_profiles import Ruling, unread
from hostgate.planning.targets import COMPUTED

_NUMBERS: Mapping[str, frozenset[int]] = {
    "tcp": frozenset({6}), "udp": frozenset({17}), "icmp": frozenset({1}), "esp": frozenset({50}), "ah": frozenset({51}),
    "sctp": frozenset({132}),
}  # fmt: skip
"""IP protocols by the names that the API knows; `ipip` is not among them, since two numbers go by that name."""

_CONTEXTS: Mapping[str, str] = {
    "destNetworkContext": "the destination as network context",
    "destNetworkScope": "the destination as network scope",
    "srcNetworkContext": "the client as network context",
    "srcNetworkScope": "the client as network scope",
}
"""Where a flow comes from or goes, by routes that nobody sees here; the scope is the older name of the context."""

_READ = frozenset(
    (
        *_CONTEXTS, "destIpRanges", "destFqdns", "destAddressGroups", "destRegionCodes", "destThreatIntelligences",
        "srcIpRanges", "srcAddressGroups", "srcRegionCodes", "srcThreatIntelligences", "layer4Configs",
    )
)  # fmt: skip
"""What of a match is read; anything else may narrow it."""

METADATA: Final = networks(["169.254.169.254"])
METADATA_ANSWERS: Final = ((NameTest("exact", "metadata.google.internal"), METADATA),)
"""The name of the metadata server in every network (Compute Engine documentation, VM metadata, read 2026-11-28)."""

Groups = Callable[[str | None], AddressSet]
"""The addresses behind a reference to an address group."""


Inspection = Callable[["PolicyRule"], Sequence[Ruling]]
"""What becomes of what a rule sends to a security profile group."""


@dataclass(frozen=True)
class RankedStep:
    """A step with the priority of its rule; None: not known yet."""

    step: Step
    priority: int | None


def in_order(ranked: Iterable[RankedStep], *, denies_first: bool = False) -> tuple[Group, tuple[Group, ...]]:
    """Steps by priority; those of rules whose priority nobody knows yet, each rule for itself.

    `denies_first`: of one priority, as VPC firewall rules may have it several times. In a policy a priority is one rule's,
    whose steps keep their order: what a security profile group may let through comes before that it does not.
    """
    known: list[RankedStep] = []
    unknown: dict[str, list[Step]] = {}
    for each in ranked:
        if each.priority is None:
            unknown.setdefault(each.step.rule, []).append(each.step)
        else:
            known.append(each)
    known.sort(key=lambda each: (each.priority, denies_first and each.step.action != "block"))
    return tuple(each.step for each in known), tuple(map(tuple, unknown.values()))


def platform() -> Stage:
    """What no rule and no route is asked for: DNS, time and metadata of the platform (VPC firewall rules, always allowed
    traffic)."""
    metadata = Step(
        action="allow", rule="metadata server", why="no rule judges traffic to the metadata server",
        box=Box(address=METADATA),
    )  # fmt: skip
    onward = Step(action="next", rule="", why="the platform passes it on")
    return Stage("platform", (metadata,), onward, around=True)


def network_path(link: str) -> str:
    """`projects/P/global/networks/N` of any form of link; a bare name as it is."""
    at = link.find("projects/")
    return link[at:] if at != -1 else link.rpartition("/")[2]


class PolicyRule:
    """One rule of a policy, as steps: one for each name and each part of layer 4."""

    def __init__(
        self, groups: Groups, node: Node, name: str, holder: Resource | None = None, default: str = "EGRESS",
        network: str = "", inspect: "Inspection | None" = None, resolving: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.inspect, self.resolving = inspect, resolving
        self.groups, self.node, self.name, self.holder = groups, node, name, holder
        self.default, self.network = default, network
        self.doubts: list[str] = []

    def steps(self) -> list[RankedStep]:
        direction = self.default if self.node.at("direction").absent else self._word("direction")
        if direction == "INGRESS" or self.node.at("disabled").value is True:
            return []
        if not self._is_for_network():
            return []
        self.switches()
        priority = self.node.at("priority")
        number = int(priority.value) if isinstance(priority.value, int | float) else None
        client = self._client()
        if client.identities == frozenset():
            return []
        boxes = [replace(box, doubts=(*box.doubts, *self.doubts), client=client) for box in self._boxes()]
        return [RankedStep(step, number) for box in boxes for step in self._acting(box)]

    def _acting(self, box: Box) -> Iterator[Step]:
        owner = self.holder.urn if self.holder else ""

        def step(action: Action, why: str, *doubts: str) -> Step:
            asked = replace(box, doubts=(*box.doubts, *doubts))
            return Step(action=action, rule=self.name, why=why, box=asked, owner=owner)

        action = self.node.at("action")
        match action.value:
            case "allow":
                what = "the addresses of its name" if box.dialled is not None else "its destination"
                yield step("allow", f"the rule {self.name} allows {what}")
            case "deny":
                yield step("block", f"the rule {self.name} denies it, and none before it allows it")
            case "goto_next":
                yield step("next", f"the rule {self.name} passes it on")
            case "apply_security_profile_group":
                whole = f"{self.name}#{self.node.at('priority').value}"
                rulings = unread(self.name, self.node) if self.inspect is None else self.inspect(self)
                for each in rulings:
                    asked = replace(
                        box, wire=each.box.wire, nameless=each.box.nameless, applications=each.box.applications,
                        doubts=(*box.doubts, *each.box.doubts),
                    )  # fmt: skip
                    rule = f"{self.name}#{each.url}" if each.url else self.name
                    yield Step(action=each.action, rule=rule, why=each.why, box=asked, owner=owner, whole=whole)
            case _:
                words: Sequence[tuple[Action, str]] = (("allow", "allow"), ("block", "deny"), ("next", "goto_next"))
                for may, word in words:
                    doubt = f"the action of {self.name} is {word}"
                    yield step(may, f"the rule {self.name} has the action {word}", doubt)

    def _word(self, key: str) -> str | None:
        value = self.node.at(key).value
        return value if isinstance(value, str) else None

    def switches(self) -> None:
        """Inputs that turn a rule on or off, where nobody knows them yet; and kinds of target that are no instance."""
        if self.node.at("direction").unknown:
            self.doubts.append(f"the direction of {self.name} is EGRESS")
        if self.node.at("disabled").unknown:
            self.doubts.append(f"{self.name} is not disabled")
        for key in ("targetForwardingRules", "targetType"):
            node = self.node.at(key)
            if not node.absent and not node.empty and node.value != "INSTANCES":
                self.doubts.append(f"{self.name} is for instances ({key})")

    def _is_for_network(self) -> bool:
        """Whether a hierarchical rule is for this network; one that names networks is for those alone."""
        listed = self.node.at("targetResources")
        if listed.absent or listed.empty:
            return True
        if listed.unknown or any(item.unknown for item in listed.items()):
            self.doubts.append(f"{self.name} is for this network (targetResources)")
            return True
        named = {network_path(str(item.value)) for item in listed.items()}
        if self.network not in named and not all(each.startswith("projects/") for each in (self.network, *named)):
            self.doubts.append(f"{self.name} is for this network (targetResources)")
            return True
        return self.network in named

    def _client(self) -> ClientTest:
        """Whom the rule is for. One of which every secure tag is ineffective is ignored (compute v1, FirewallPolicyRule)."""
        identities: set[str] | None = None
        for key, kind in (("targetServiceAccounts", "account"), ("targetSecureTags", "tag")):
            node = self.node.at(key)
            if node.absent or node.empty:
                continue
            identities = identities or set()
            if node.unknown:
                identities.add(f"unknown:{key} of {self.name}")
                continue
            for item in node.items():
                if item.at("state").value == "INEFFECTIVE":  # of a tag or network that was deleted
                    continue
                value = item.value if kind == "account" else item.at("name").value
                if not isinstance(value, str) or value.startswith(COMPUTED):
                    identities.add(f"unknown:{key} of {self.name}")
                if isinstance(value, str):
                    identities.add(f"{kind}:{value}")
        sources = self.ranges(self.node.at("match", "srcIpRanges"))
        for key in ("srcAddressGroups", "srcRegionCodes", "srcThreatIntelligences"):
            sources = self._symbols(key, sources)
        return ClientTest(
            addresses=EVERY_ADDRESS if sources is None else sources,
            identities=None if identities is None else frozenset(identities),
        )

    def _boxes(self) -> Iterator[Box]:
        match = self.node.at("match")
        for key, what in _CONTEXTS.items():
            context = match.at(key)
            if not context.absent and context.value not in ("", "UNSPECIFIED"):
                said = context.value if isinstance(context.value, str) else "of the rule"
                self.doubts.append(f"Google counts {what} {said}")
        for key in sorted(set(match.value) - _READ) if isinstance(match.value, Mapping) else ():
            more = match.at(key)
            if not key.startswith("__") and not more.absent and not more.empty:
                self.doubts.append(f"{self.name} matches what it says under `match.{key}`, which is not read here")
        target = self.node.at("targetType")
        if not target.absent and target.value != "INSTANCES":
            self.doubts.append("the rule is about instances, and not load balancers alone")
        addresses = self._destination(match)
        tests = list(self._names(match.at("destFqdns")))
        for protocols, ports, doubts in self._layer4(match.at("layer4Configs")):
            base = Box(protocols=protocols, port=ports, doubts=doubts)
            yield from (replace(base, dialled=(test,), doubts=(*doubts, *self.resolving)) for test in tests)
            if addresses != NO_ADDRESS:
                yield replace(base, address=addresses)

    def _names(self, fqdns: Node) -> Iterator[NameTest]:
        for item in fqdns.items():
            if isinstance(item.value, str):
                yield NameTest("exact", item.value.lower().removesuffix("."))

    def _destination(self, match: Node) -> AddressSet:
        """Where the rule leads by address. Every parameter of a destination adds to it; none at all: everywhere."""
        fqdns = match.at("destFqdns")
        found = self.ranges(match.at("destIpRanges"))
        for key in ("destAddressGroups", "destRegionCodes", "destThreatIntelligences"):
            found = self._symbols(key, found)
        if fqdns.unknown or any(item.unknown for item in fqdns.items()):
            found = (found or NO_ADDRESS) | symbol(f"unknown:{self.name}#destFqdns")
        if found is None:
            return EVERY_ADDRESS if fqdns.absent or fqdns.empty else NO_ADDRESS
        return found

    def ranges(self, node: Node) -> AddressSet | None:
        """The ranges, None if there are none."""
        if node.absent or node.empty:
            return None
        unseen = symbol(f"unknown:{self.name}#{node.path}")
        return unseen if node.unknown else union(range_of(item.value) or unseen for item in node.items())

    def _symbols(self, key: str, found: AddressSet | None) -> AddressSet | None:
        """`found` with the sets that the rule names under `key`; address groups of the snapshot are read."""
        node = self.node.at("match", key)
        if node.absent or node.empty:
            return found
        added: list[AddressSet] = [] if found is None else [found]
        if node.unknown:
            added.append(symbol(f"unknown:{self.name}#{key}"))
        for item in node.items() if not node.unknown else ():
            if not isinstance(item.value, str):
                made = self.groups(None) if key.endswith("AddressGroups") and item.unknown else NO_ADDRESS
                added.append(made if made != NO_ADDRESS else symbol(f"unknown:{self.name}#{key}"))
            elif key.endswith("AddressGroups"):
                added.append(self.groups(item.value))
            else:
                added.append(symbol(f"{'region' if key.endswith('RegionCodes') else 'threat list'} {item.value}"))
        return union(added)

    def _layer4(self, node: Node) -> Iterator[tuple[frozenset[int] | None, Intervals, tuple[str, ...]]]:
        if node.unknown:
            yield None, EVERY_PORT, (f"{self.name} is about its protocol",)
        for item in node.items() if not node.unknown else ():
            yield layer4(item, "ipProtocol", self.name)


def layer4(node: Node, key: str, rule: str) -> tuple[frozenset[int] | None, Intervals, tuple[str, ...]]:
    """Protocol numbers (None: all), ports, and what of the two is not known, of one part of a rule."""
    doubts: list[str] = []
    protocol = node.at(key).value
    numbers: frozenset[int] | None = None
    if isinstance(protocol, float) and protocol.is_integer():
        protocol = str(int(protocol))
    if not isinstance(protocol, str):
        doubts.append(f"{rule} is about its protocol")
    elif protocol.lower() != "all":
        word = protocol.lower()
        if word in _NUMBERS:
            numbers = _NUMBERS[word]
        elif word.isdecimal():
            numbers = frozenset({int(word)})
        else:
            numbers = frozenset({4, 94}) if word == "ipip" else None
            doubts.append(f"its protocol is what Google calls {word}")
    listed = node.at("ports")
    ports = EVERY_PORT
    if listed.unknown:
        doubts.append(f"{rule} is about its port")
    elif not listed.absent and not listed.empty:
        parts: list[tuple[int, int]] = []
        for item in listed.items():
            part = _port(item.value)
            if part is None:
                doubts.append(f"{rule} is about its port")
                return numbers, EVERY_PORT, tuple(doubts)
            parts.append(part)
        ports = Intervals.of(parts)
    return numbers, ports, tuple(doubts)


def _port(value: object) -> tuple[int, int] | None:
    text = str(int(value)) if isinstance(value, float | int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    low, _, high = text.partition("-")
    high = high or low
    known = low.isdecimal() and high.isdecimal() and int(low) <= int(high) <= 65_535
    return (int(low), int(high)) if known else None


def classic_steps(rule: Resource, more: Sequence[str] = ()) -> Iterator[RankedStep]:
    """A VPC firewall rule, with `more` doubts. It goes by IPv4 unless it names ranges (compute v1, Firewall.destinationRanges)."""
    node = rule.node
    if node.at("direction").value != "EGRESS" and not node.at("direction").unknown:
        return
    if node.at("disabled").value is True:
        return
    reader = PolicyRule(lambda _: NO_ADDRESS, node, rule.name, rule)  # a rule of a VPC names no groups
    reader.doubts += more
    reader.switches()
    addresses = reader.ranges(node.at("destinationRanges")) or networks(["0.0.0.0/0"])
    sources = reader.ranges(node.at("sourceRanges"))
    identities: set[str] = set()
    for key, kind in (("targetServiceAccounts", "account"), ("targetTags", "network-tag")):
        for item in node.at(key).items():
            identities.add(f"{kind}:{item.value}" if isinstance(item.value, str) else f"unknown:{key} of {rule.name}")
        if node.at(key).unknown:
            identities.add(f"unknown:{key} of {rule.name}")
    client = ClientTest(
        addresses=EVERY_ADDRESS if sources is None else sources, identities=frozenset(identities) or None
    )
    priority = node.at("priority").value
    number = 1000 if priority is None else int(priority) if isinstance(priority, int | float) else None
    kinds: Sequence[tuple[str, Action, str]] = (("denies", "block", "denies"), ("allows", "allow", "allows"))
    for key, action, word in kinds:
        listed = node.at(key)
        unknown = (f"{rule.name} {word} it",) if listed.unknown else ()
        parts = (
            [(None, EVERY_PORT, unknown)]
            if unknown
            else [layer4(item, "protocol", rule.name) for item in listed.items()]
        )
        for numbers, ports, doubts in parts:
            box = Box(
                address=addresses, port=ports, protocols=numbers, client=client, doubts=(*doubts, *reader.doubts)
            )  # fmt: skip
            why = f"the VPC firewall rule {rule.name} {word} it"
            yield RankedStep(Step(action=action, rule=rule.name, why=why, box=box, owner=rule.urn), number)
