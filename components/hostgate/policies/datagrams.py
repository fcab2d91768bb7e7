"""Whether UDP, ICMP and other IP protocols get out of an AWS policy: its default drops established TCP, rules stop the rest.

A DNS question or a QUIC hello is one packet, and no default but aws:drop_strict drops a first packet. So what is not TCP
has to meet a rule that ends it: over both IP versions, from clients inside and outside HOME_NET, to every public address.
An order that is not known yet does not matter where every order comes to the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hostgate.aws.default_actions import DEFAULT_ACTIONS
from hostgate.flows.flow import Network
from hostgate.policies.address_ranges import ALL, NONE, VERSIONS, Addresses, matched, without
from hostgate.policies.belonging import Together, priority_of
from hostgate.policies.coverage import HomeNet, Left, Side, by_version, in_words, take
from hostgate.policies.effects import takes_in_the_internet
from hostgate.policies.endings import APART
from hostgate.policies.ip_protocols import KINDS, OF_KIND, Kind, ended, numbers_of, opens_nothing
from hostgate.policies.rule_table import RULES
from hostgate.policies.stateless import handed_on, stateless_passes
from hostgate.policies.suricata_headers import Sets
from hostgate.policies.violations import CheckResult, NotApplicable, ResourceReading, Violation, unjudged
from hostgate.suricata.reader import ParsedRule

_REFERENCES = "firewallPolicy.statefulRuleGroupReferences"
_WORDS: Mapping[Kind, str] = {kind: kind for kind in KINDS}
_DEFAULTS = "firewallPolicy.statefulDefaultActions"


@dataclass(frozen=True, slots=True)
class _Step:
    """A rule and where it stands; without a `line`, a rule group that is not part of the stack, by its ARN."""

    seen: ResourceReading
    where: str
    line: ParsedRule | None
    sets: Sets
    place: int | None


@dataclass(slots=True)
class _Walk:
    """What an order of rules comes to."""

    left: Left[Kind]
    remarks: list[Violation] = field(default_factory=list)
    """Passes to everywhere, before all is stopped."""
    unseen: list[str] = field(default_factory=list)
    """Groups outside the stack that are asked before all is stopped."""
    unknown: list[str] = field(default_factory=list)
    """Addresses of drops that are not known, and that could not be counted."""

    @property
    def open(self) -> bool:
        return any(self.left.values())

    @property
    def closed(self) -> bool:
        return not self.open and not self.remarks and not self.unseen


def datagrams_out(sets: Sequence[Together]) -> CheckResult:
    policies = [each for each in sets if each.cloud == "aws" and each.policy is not None and _is_allowlist(each)]
    if not policies:
        return NotApplicable("no policy of this stack allows anything by name, or drops by default")
    return [remark for each in policies if each.policy for remark in _judge(each, each.policy)]


def _is_allowlist(each: Together) -> bool:
    """Whether the policy is there to allow some and drop the rest, or may be."""
    defaults = each.policy.reading.stateful.defaults if each.policy else ()
    return defaults is None or any("drop" in it for it in defaults) or any(seen.reading.may_name for seen in each.rules)


def _judge(each: Together, policy: ResourceReading) -> Iterator[Violation]:
    stateful = policy.reading.stateful
    for effect in policy.reading.effects:
        what = "fragments" if "Fragment" in effect.where else "packets that no stateless rule takes"
        yield Violation(resource=policy.resource, where=effect.where, message=f"aws:pass: {what} pass unjudged.")
    yield from stateless_passes(each)
    for seen in (policy, *each.rules):
        yield from unjudged(seen.resource, seen.reading, RULES["datagrams-out"].needs)
    home = HomeNet(stateful)
    handed = handed_on(each, stateful, home)
    if stateful.strict and "aws:drop_strict" in (stateful.defaults or ()):
        handed = dict.fromkeys(handed, ())
    yield from _of_order(each, policy, list(_steps(each, policy, home)), handed, home)


def _of_order(
    each: Together, policy: ResourceReading, steps: list[_Step], handed: Left[Kind], home: HomeNet
) -> Iterator[Violation]:  # fmt: skip
    """What the rules leave open: in their order where it is known, else in any order that may be."""
    strict = policy.reading.stateful.strict
    if strict and all(step.place is not None for step in steps):
        yield from _said(each, policy, _walk(sorted(steps, key=lambda step: step.place or 0), handed, home))
        return
    # In action order every pass comes before every drop.
    passes_first = _walk(sorted(steps, key=_is_drop), handed, home)
    stops_first = _walk(sorted(steps, key=_is_drop, reverse=True), handed, home)
    if strict is False or passes_first.closed or not passes_first.remarks:
        yield from _said(each, policy, passes_first)
    elif not stops_first.closed:
        yield from _said(each, policy, stops_first)
    else:
        for remark in passes_first.remarks:
            message = f"cannot be judged: asked before or after the drops? The order is not known. {remark.message}"
            yield Violation(resource=remark.resource, where=remark.where, message=message)


def _is_drop(step: _Step) -> bool:
    return step.line is not None and step.line.action == "drop"


def _steps(each: Together, policy: ResourceReading, home: HomeNet) -> Iterator[_Step]:
    """The stateful rules of the policy, group by group, and the groups that are not part of the stack."""
    for seen in each.rules:
        place = priority_of(policy, seen.resource)
        for where, line in seen.reading.lines:
            if line.action in ("pass", "drop"):
                yield _Step(seen, where, line, {**home.sets, **seen.reading.variables}, place)
    held = {seen.resource.properties.get(key) for seen in each.rules for key in ("arn", "name")}
    for arn, place in policy.reading.stateful.priorities.items():
        # Groups of AWS only block and alert, by its own documentation.
        if arn not in held and arn.rpartition("/")[2] not in held and ":aws-managed:" not in arn:
            yield _Step(policy, arn, None, home.sets, place)


# Rule by rule


def _walk(steps: Sequence[_Step], handed: Left[Kind], home: HomeNet) -> _Walk:
    walk = _Walk(dict(handed))
    passed: dict[tuple[Kind, int, Side], list[Network]] = {cell: [] for cell in handed}
    for step in steps:
        if not walk.open:
            break
        if step.line is None:
            walk.unseen.append(step.where)
        elif step.line.action == "drop":
            _drop(walk, step, step.line, home)
        else:
            _pass(walk, step, step.line, passed)
    return walk


def _drop(walk: _Walk, step: _Step, line: ParsedRule, home: HomeNet) -> None:
    """Take out what the drop surely ends from its first packet on."""
    kinds = {
        version: [kind for kind in KINDS if OF_KIND[kind, version] <= ended(line, version, step.sets)]
        for version in VERSIONS
    }
    unknown = take(walk.left, kinds, line, step.sets, home)
    walk.unknown += [unknown] if unknown is not None and unknown not in walk.unknown else []


def _pass(walk: _Walk, step: _Step, line: ParsedRule, passed: dict[tuple[Kind, int, Side], list[Network]]) -> None:
    """Note a pass that lets a kind out to most of the internet, by itself or with those before it."""
    about = {version: numbers_of(line, version) for version in VERSIONS}
    cells = [cell for cell in walk.left if _concerns(about[cell[1]], OF_KIND[cell[0], cell[1]])]
    if not cells or opens_nothing(line):
        return
    targets, sources = _targets(line, step.sets), matched(line.source, step.sets)
    if targets is None and "@" in line.destination:
        return  # a list that somebody keeps is as bounded as a range
    opened: dict[Kind, set[int]] = {}
    for cell in cells:
        kind, version, _ = cell
        addresses = walk.left[cell]
        if sources is not None and not sources[version] and not line.both_ways:
            continue
        here = (ALL[version],) if targets is None else targets[version]
        passed[cell] += here
        if takes_in_the_internet(passed[cell]) and without(addresses, here) != addresses:
            opened.setdefault(kind, set()).add(version)
    if not opened:
        return
    ports = "" if line.port.lower() == "any" else f" on port {line.port}"
    message = f"passes to any destination{ports}: {by_version(opened, _WORDS)}."
    conditions = sorted({keyword for keyword, _ in line.options} - APART - {"flow", "ip_proto"})
    if targets is None:
        message = f"cannot be judged: the addresses {line.destination}. {message}"
    elif conditions:
        message = f"cannot be judged: on condition of {', '.join(conditions)}, it {message}"
    walk.remarks.append(Violation(resource=step.seen.resource, where=step.where, message=message))


def _concerns(numbers: frozenset[int] | None, kind: frozenset[int]) -> bool:
    return numbers is None or bool(numbers & kind)


def _targets(line: ParsedRule, sets: Sets) -> Addresses | None:
    """Where the rule lets packets go; with `<>` both ends."""
    targets = matched(line.destination, sets)
    back = matched(line.source, sets) if line.both_ways else NONE
    if targets is None or back is None:
        return None
    return {version: (*targets[version], *back[version]) for version in VERSIONS}


# In words


def _said(each: Together, policy: ResourceReading, walk: _Walk) -> Iterator[Violation]:
    yield from walk.remarks
    groups = ", ".join(arn.rpartition("/")[2] for arn in walk.unseen)
    if groups:
        message = f"cannot be judged: {groups}: no part of this stack, and not known to be asked after all is stopped."
        yield Violation(resource=policy.resource, where=_REFERENCES, message=message)
    if not walk.open:
        return
    leaving = "; ".join(in_words(walk.left, _WORDS))
    reasons = list(_unknown(each, policy, walk))
    if reasons:
        message = f"cannot be judged: {'; '.join(reasons)} As far as is seen: {leaving}."
        yield Violation(resource=policy.resource, where=_REFERENCES, message=message)
    elif not groups:
        names = ", ".join(seen.resource.name for seen in each.rules) or "any group"
        message = f"{leaving}: no default drops it, and no rule of {names} does."
        yield Violation(resource=policy.resource, where=_DEFAULTS, message=message)


def _unknown(each: Together, policy: ResourceReading, walk: _Walk) -> Iterator[str]:
    """Why what seems open may be closed."""
    stateful = policy.reading.stateful
    if walk.unknown:
        yield f"{', '.join(walk.unknown)} is not known here."
    by_name = sum(not seen.reading.stateless and priority_of(policy, seen.resource) is None for seen in each.rules)
    missing = stateful.references - len(stateful.priorities) - by_name
    if stateful.references_unknown or missing > 0:
        yield f"{'the rule groups are' if stateful.references_unknown else f'{missing} of the rule groups are'} not known yet."
    if stateful.strict is not False and stateful.defaults is None:
        yield "the default actions are not known yet."
    if stateful.strict is None:
        yield "the rule order is not known yet."
    if strange := [it for it in stateful.defaults or () if it.startswith("aws:drop") and it not in DEFAULT_ACTIONS]:
        yield f"what {', '.join(strange)} drops is not known here."
