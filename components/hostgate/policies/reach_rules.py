"""What `hostgate reach` finds at the places of a stack, as rules of the pack: beyond, missing and dead, each with a flow.

What a rule that goes by a pattern says of the same thing explains it better, so it is not said again. Queries for names
are left to the rules of DNS Firewall: there a list and its rules are judged as a whole.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hostgate.flows.address_sets import AddressFamily, networks
from hostgate.flows.flow import Flow
from hostgate.flows.flow_words import flows_in_words
from hostgate.flows.name_classes import Need
from hostgate.flows.names import endings
from hostgate.flows.reach import Beyond, Open, Reach, led_past, reach, sees_queries_alone, together
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place, Step
from hostgate.flows.verdicts import ORDER_NOT_KNOWN
from hostgate.planning.needs import clients_of
from hostgate.policies import contents
from hostgate.policies.places import JudgedPolicy, places_with, traced
from hostgate.policies.readers import read
from hostgate.policies.rule_table import RULES
from hostgate.policies.settings import Settings
from hostgate.policies.violations import CheckResult, NotApplicable, Violation
from hostgate.policies.void import tests_of

NOWHERE = NotApplicable("no rule of this stack judges what leaves")
_MOST = 3

_OF_NAMES = ("host-not-in-catalog", "host-mistaken", "wider-than-catalog", "plain-http")
_OF_DEFAULTS = ("no-deny", "list-without-drop")
_LEVELS = ("disabled", "advisory", "mandatory")
_OURS = re.compile(r"hostgate-[a-z]+:index:\w+\$")


@dataclass(frozen=True)
class Point:
    """What is reached at a place; `policies` are those of the stack that judge there."""

    place: Place
    reach: Reach
    clients: tuple[ClientTest, ...] | None
    policies: Sequence[JudgedPolicy]
    named: bool
    """Whether something is allowed there by name."""
    allowlist: bool
    """Whether that is so, or all else is dropped by default: then what passes by default is not meant."""

    @property
    def resources(self) -> list[Resource]:
        """The policies that are of the stack, and the rules."""
        policies = [each.policy.resource for each in self.policies if each.policy is not None]
        return [*policies, *(seen.resource for each in self.policies for seen in each.rules)]

    @cached_property
    def urns(self) -> frozenset[str]:
        return frozenset(each.urn for each in self.resources)

    @cached_property
    def by_rule(self) -> Mapping[tuple[str, str], list[Step]]:
        """Its steps by the resource that holds them and the rule that they are of."""
        found: dict[tuple[str, str], list[Step]] = {}
        for step in self.place.steps:
            found.setdefault((step.owner, step.rule), []).append(step)
        return found

    @cached_property
    def holders(self) -> Mapping[str, str]:
        """The resource that holds a rule, by the rule."""
        found: dict[str, str] = {}
        for owner, rule in self.by_rule:
            found.setdefault(rule, owner)
        return found


class StackReach:
    """Reach at every place at which rules of a stack judge, against the catalogs that may be open."""

    def __init__(self, policies: Sequence[JudgedPolicy], resources: Sequence[Resource], settings: Settings) -> None:
        self._policies, self._settings = policies, settings
        self._snapshot = Snapshot(tuple(map(traced, resources)), "the stack")

    @cached_property
    def points(self) -> list[Point]:
        places = places_with(self._policies, self._snapshot)
        found = [point for each in places if not sees_queries_alone(each) and (point := self._point(each)) is not None]
        agreed = together([point.reach for point in found])
        return [replace(point, reach=each) for point, each in zip(found, agreed, strict=True)]

    def _point(self, place: Place) -> Point | None:
        steps = [step for step in place.steps if step.owner in self._snapshot.by_urn]
        if not steps:  # what is read there is of others, but for the ways that lead past it
            found = Reach(
                place, tuple(each for each in led_past(place) if each.owner in self._snapshot.by_urn), (), (), ()
            )
            return Point(place, found, None, (), named=False, allowlist=False) if found.beyond else None
        owners = {step.owner for step in steps}
        here = [each for each in self._policies if owners & each.urns.keys()]
        naming = frozenset(step.owner for step in steps if step.action == "allow" and tests_of(step))
        clients = clients_of(place, naming)
        drops = (each.policy.reading.stateful.defaults or () for each in here if each.policy is not None)
        drop = any("drop" in action for actions in drops for action in actions)
        found = reach(place, list(_touched(self._settings.needs, steps)), clients)
        return Point(place, found, clients, here, named=bool(naming), allowlist=bool(naming) or drop)

    def beyond(self, said: "Said") -> CheckResult:
        """What is open and in no catalog, and what may be, where nothing in `said` says so."""
        if not self.points:
            return NOWHERE
        return [remark for point in self.points for remark in self._beyond(point, said)]

    def closed(self) -> CheckResult:
        """Hosts of catalogs that a rule allows and another closes; not again where the whole rule is dead."""
        if not any(point.named for point in self.points):
            return NotApplicable("nothing is allowed by name")
        return [remark for point in self.points for remark in self._closed(point)]

    def dead(self) -> CheckResult:
        """Rules that allow and decide nothing, because what they are for is blocked by others."""
        if not any(point.named for point in self.points):
            return NotApplicable("nothing is allowed by name")
        return [remark for point in self.points for remark in self._dead(point)]

    def _beyond(self, point: Point, said: "Said") -> Iterator[Violation]:
        for each in point.reach.beyond:
            if not each.owner and not point.allowlist:
                continue
            named = any(tests_of(step) for step in point.by_rule.get((each.owner, each.rule), ()))
            owner = self._snapshot.by_urn.get(each.owner) if named else None
            if said.of_names(owner, each.names) or said.of_rule(point, each):
                continue
            who = _who(each.owner, each.rule)
            message = f"{_flows(each.flows)}: open, and in no catalog ({who}): {each.why}.{_accept(each.id)}"
            yield self._violation(point, each.owner, each.rule or "no rule", message, each.id)
        for unknown in point.reach.unknown:
            owners = [self._snapshot.by_urn.get(owner) for owner in unknown.owners]
            named = any(said.of_names(owner, [unknown.flow.name]) for owner in owners)
            if not unknown.needed and not named and not said.of_unknown(point, unknown, self._values(point, unknown)):
                yield self._unjudged(point, unknown, "may be open, and in no catalog")

    def _closed(self, point: Point) -> Iterator[Violation]:
        dead = {(each.owner, each.rule) for each in point.reach.dead}
        named = self._named(point.place)
        for each in point.reach.missing:
            entries = [(entry, name) for entry, name in each.entries
                       if any(step not in dead for step in named(name, each.flow))]  # fmt: skip
            if not entries:
                continue
            flow = replace(each.flow, name=entries[0][1], sni=each.flow.sni and entries[0][1])
            more = f" ({', '.join(entry for entry, _ in entries[:_MOST])}{_more(len(entries))})"
            message = f"{_flows([flow])}{more}: a rule is there for it, and it is closed: {each.why}.{_accept(each.id)}"
            yield self._violation(point, point.holders.get(each.rule, ""), each.rule or "no rule", message, each.id)
        for unknown in point.reach.unknown:
            if unknown.needed and any(named(unknown.flow.name, unknown.flow)):
                yield self._unjudged(point, unknown, "a rule is there for it, and it may be closed")

    def _dead(self, point: Point) -> Iterator[Violation]:
        """Of rules that decide nothing, those that something else closes: what is open all the same lacks nothing."""
        steps = {
            f"{each.owner}\x00{each.rule}": next(
                step for step in point.by_rule[each.owner, each.rule] if step.action == "allow"
            )
            for each in point.reach.dead
            if each.owner in self._snapshot.by_urn
        }
        if not steps:
            return
        # What a rule is for, as if a catalog had it: the name in the packets is the one that is dialled.
        needs = [
            Need(key, replace(step.box, dialled=step.box.dialled or step.box.wire, wire=None))
            for key, step in steps.items()
        ]
        found = reach(point.place, needs, point.clients)
        by: dict[str, list[str]] = {}
        for each in found.missing:
            for entry, _ in each.entries:
                by.setdefault(entry, []).append(f"{each.rule or 'no rule'}: {each.why}")
        owned: dict[str, list[tuple[Step, str]]] = {}
        for key, reasons in by.items():
            owned.setdefault(steps[key].owner, []).append((steps[key], reasons[0]))
        for (first, why), *rest in owned.values():
            tests = tests_of(first)
            what = str(tests[0]) if tests else "what it allows"
            message = f"{what}{_more(len(rest) + 1, 1)}: never reached. {why}."
            yield self._violation(point, first.owner, first.rule, message, "")

    def _named(self, place: Place) -> "_Named":
        return _Named(step for step in place.steps if step.action == "allow" and step.owner in self._snapshot.by_urn)

    def _unjudged(self, point: Point, unknown: Open, then: str) -> Violation:
        values = "; ".join(f"{resource.name}: {where}" for resource, where in self._values(point, unknown))
        known = f" Not known yet: {values}." if values else ""
        message = (
            f"cannot be judged: {'; '.join(unknown.what)}.{known} {_flows([unknown.flow])} {then}.{_accept(unknown.id)}"
        )
        return self._violation(point, next(iter(unknown.owners), ""), point.place.name, message, unknown.id)

    def _values(self, point: Point, unknown: Open) -> list[tuple[Resource, str]]:
        """Inputs on which it hangs and that nobody knows yet: the resource, and the path in it."""
        owners = [self._snapshot.by_urn[urn] for urn in unknown.owners if urn in self._snapshot.by_urn]
        found = [
            (each, path)
            for each in {each.urn: each for each in (*owners, *point.resources)}.values()
            for path in each.not_known
        ]
        of_order = [(each, path) for each, path in found if path.rpartition(".")[2] in ("resourceArn", "priority")]
        if ORDER_NOT_KNOWN in unknown.what and of_order:
            return of_order[:_MOST]
        return [(each, path) for each, path in found if each in owners][:_MOST]

    def _violation(self, point: Point, owner: str, where: str, message: str, id_: str) -> Violation:
        owners = (owner, *(each.urn for each in point.resources), *(owner for owner, _ in point.by_rule))
        resource = next(self._snapshot.by_urn[urn] for urn in owners if urn in self._snapshot.by_urn)
        return Violation(resource=resource, where=where, message=message, id=id_ or None)


class Said:
    """What rules that go by patterns have said of a stack, at a level no lower than that of `beyond-catalogs`."""

    def __init__(self, answers: Mapping[str, CheckResult], settings: Settings) -> None:
        least = _LEVELS.index(settings.level("beyond-catalogs"))
        self._settings = settings
        self._rules = {rule for rule in RULES if _LEVELS.index(settings.level(rule)) >= least}
        self._told = {
            rule: [] if isinstance(found, NotApplicable) or rule not in self._rules else list(found)
            for rule, found in answers.items()
        }
        self._apart: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self._where = {(each.resource.urn, each.where) for several in self._told.values() for each in several}

    def of_names(self, owner: Resource | None, names: Sequence[str]) -> bool:
        """Whether each of the names, or one that it is below, is objected to where `owner` allows it."""
        hosts = self._of_resource(owner)[0] if owner is not None else frozenset()
        return bool(hosts) and all(
            any(ending in hosts for ending in endings(name)) or any(host in name for host in hosts) for name in names
        )

    def _of_resource(self, owner: Resource) -> tuple[frozenset[str], frozenset[str]]:
        """The hosts that rules about names object to in a resource, and the paths that they cannot judge it for."""
        if owner.urn not in self._apart:
            found = read(owner)
            hosts = [each.host for each in self._told.get("domain-list-any-port", ()) if each.resource.urn == owner.urn]
            paths: set[str] = set()
            for rule, reading in ((rule, found) for rule in _OF_NAMES if rule in self._rules):
                said = NOWHERE if reading is None else contents.against_catalogs(rule)(owner, reading, self._settings)
                if reading is not None and not isinstance(said, NotApplicable):
                    hosts += [each.host for each in said]
                    paths |= {each.where for each in reading.doubts if each.about in RULES[rule].needs}
            self._apart[owner.urn] = frozenset(filter(None, hosts)), frozenset(paths)
        return self._apart[owner.urn]

    def of_rule(self, point: Point, found: Beyond) -> bool:
        """Whether the rule is objected to, or that nothing denies what no rule decides."""
        if (found.owner, found.rule) in self._where:
            return True
        led_on = any(step.action == "next" for step in point.by_rule.get((found.owner, found.rule), ()))
        if found.owner and not led_on:
            return False
        on_aws = point.place.target.startswith("aws:")
        connections, datagrams = (
            any(each.resource.urn in point.urns and (rule != "void-allow" or each.where.startswith("aws:"))
                for rule in rules for each in self._told.get(rule, ()))
            for rules in ((*_OF_DEFAULTS, "void-allow"), ("datagrams-out",) if on_aws else _OF_DEFAULTS)
        )  # fmt: skip
        return all(connections if flow.transport == "tcp" else datagrams for flow in found.flows)

    def of_unknown(self, point: Point, found: Open, values: Sequence[tuple[Resource, str]]) -> bool:
        """Whether a rule says of the place that it cannot be judged for the same, or of each of `values` that it is not known."""
        if values and all(path in self._of_resource(resource)[1] for resource, path in values):
            return True
        urns = {*point.urns, *found.owners}
        told = [each.message for several in self._told.values() for each in several
                if each.resource.urn in urns and "cannot be judged" in each.message]  # fmt: skip
        causes = (what for what in found.what if what != ORDER_NOT_KNOWN)
        return any(what in message for what in causes for message in told)


def _touched(needs: Sequence[Need], steps: Sequence[Step]) -> Iterator[Need]:
    """The needs that share a name with what is allowed, and those without one: all others are as nobody's names are."""
    allowed = [test for step in steps if step.action == "allow" for test in tests_of(step)]
    hosts = [test.host for test in allowed]
    texts = {host for host in hosts if host is not None}
    above = {ending for text in texts for ending in endings(text)}
    any_name = None in hosts
    for need in needs:
        tests = need.box.dialled or ()
        if any_name or not tests or any(
            not texts.isdisjoint(endings(test.text)) or (test.kind != "exact" and test.text in above) for test in tests
        ):  # fmt: skip
            yield need


class _Named:
    """Steps by the hosts that they allow, to tell which of them a name is of."""

    def __init__(self, steps: Iterator[Step]) -> None:
        self._by_text: dict[str, list[Step]] = {}
        for step in steps:
            for test in tests_of(step):
                self._by_text.setdefault(test.text.lower(), []).append(step)

    def __call__(self, name: str, flow: Flow) -> Iterator[tuple[str, str]]:
        family: AddressFamily = "IPv6" if flow.family == 6 else "IPv4"
        for ending in endings(name.lower()):
            for step in self._by_text.get(ending, ()):
                box = step.box
                spoken = box.protocols is None or flow.number in box.protocols
                spoken = spoken and box.address.holds(networks([str(flow.address)]), family) is not False
                if spoken and flow.port in box.port and all(test.holds(name) for test in tests_of(step)):
                    yield step.owner, step.rule


def _who(owner: str, rule: str) -> str:
    if not rule:
        return "no rule"
    return "this allowlist" if _OURS.search(owner) else "this stack" if owner.startswith("urn:") else "elsewhere"


def _flows(flows: Sequence[Flow]) -> str:
    return "; ".join(flows_in_words(flows).splitlines())


def _accept(id_: str) -> str:
    return f' To accept it: `id: "{id_}"`.'


def _more(several: int, shown: int = _MOST) -> str:
    return f" and {several - shown} more" if several > shown else ""
