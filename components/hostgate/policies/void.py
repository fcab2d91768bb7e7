"""Lists of names that do nothing, because a broader allow is asked as well."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from hostgate.flows.address_sets import FAMILIES, AddressFamily
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.steps import ClientTest, Place, Step
from hostgate.gcp.resources import CLASSIC
from hostgate.policies.effects import in_words, most
from hostgate.policies.places import JudgedPolicy, allows
from hostgate.policies.violations import CheckResult, NotApplicable, Violation
from hostgate.policies.witnesses import OF_TCP, Kind, Opening, openings

_SPEAKS: dict[str, tuple[Kind, ...]] = {"tls": ("TLS",), "http": ("HTTP", "HTTP without a Host")}
_LISTED: dict[str, int] = {"tls": 443, "http": 80}
"""What a domain list is about, although it opens its names on every port."""


def void_allow(policies: Sequence[JudgedPolicy]) -> CheckResult:
    """Whether a name that no catalog holds passes where names are allowed. On Google Cloud a rule for any destination is
    named in a policy of another stack too: what else stands there cannot be seen."""
    with_names = [each for each in policies if each.may_name]
    if not with_names:
        return NotApplicable("nothing is allowed by name")
    return [remark for each in policies for remark in _voids(each, policies)]


def _voids(policy: JudgedPolicy, policies: Sequence[JudgedPolicy]) -> Iterator[Violation]:
    named = named_steps(policy)
    if not policy.may_name:
        if policy.cloud != "gcp" or policy.policy is not None:
            return
        alike = (other for other in policies if other.cloud == "gcp" and other.proxy == policy.proxy)
        named = [step for other in alike for step in named_steps(other)]
    if not policy.places:
        for seen in policy.rules:
            if seen.resource.urn in policy.naming:
                message = "cannot be judged: the policy that it stands in is not known."
                yield Violation(resource=seen.resource, where="the policy", message=message)
    for place in policy.places:
        yield from _at(policy, place, named)


def _at(policy: JudgedPolicy, place: Place, named: Sequence[Step]) -> Iterator[Violation]:
    families = FAMILIES if policy.cloud == "aws" else place.families
    clients = list(dict.fromkeys(step.box.client for step in named)) or [ClientTest()]
    closed = _closed(place)
    steps = allows(place)
    found: list[Opening] = []
    for kind in OF_TCP:
        about = [step for step in named if _speaks(step, kind)]
        ports = reduce(or_, dict.fromkeys(_ports(policy, step) for step in about), NO_NUMBER)
        if any(seen.reading.names_in_doubt for seen in policy.rules):
            ports = EVERY_PORT
        if ports:
            found += _openings(closed, kind, families, clients, ports)
    if udp := [step for step in named if step.box.protocols is None or 17 in step.box.protocols]:
        ports = reduce(or_, (_ports(policy, step) for step in udp), NO_NUMBER)
        found += _openings(closed, "UDP", families, clients, ports)
    reached: dict[tuple[str, str | None, tuple[str, ...]], dict[AddressFamily, Intervals]] = {}
    union: dict[tuple[str, AddressFamily], Intervals] = {}
    for each in found:
        action = each.verdict.action
        parts = reached.setdefault((action, each.verdict.rule, each.verdict.lacks), {})
        parts[each.family] = parts.get(each.family, NO_NUMBER) | each.addresses
        union[action, each.family] = union.get((action, each.family), NO_NUMBER) | each.addresses
    for (word, rule, lacks), parts in reached.items():
        if any(most(union[word, family], family) for family in parts):
            yield _said(policy, steps.get(rule or ""), rule, lacks, named)


def _openings(
    place: Place, kind: Kind, families: Sequence[AddressFamily], clients: Sequence[ClientTest], ports: Intervals
) -> Iterator[Opening]:
    """What passes for those that the names are for; over a family that none of them has, for anybody."""
    for family in families:
        having = [each for each in clients if each.addresses.of(family) or each.addresses.opaque]
        yield from openings(place, [kind], [family], clients=having or None, ports=ports)


def _said(
    policy: JudgedPolicy, broad: Step | None, rule: str | None, lacks: Sequence[str], named: Sequence[Step]
) -> Violation:
    resource = policy.owner(broad)
    hosts = list(dict.fromkeys(_spelled(step) for step in named))
    more = f" and {len(hosts) - 1} more" if len(hosts) > 1 else ""
    of = policy.owner(named[0]).name if named else ""
    first = f"the rule for {hosts[0]}{more} ({of})" if named else "what it allows by name"
    before = ""
    if resource.type == CLASSIC:
        before = "VPC firewall rules come before network firewall policies: "
    elif policy.cloud == "azure" and broad is not None and broad.box.wire is None:
        before = "network rules come before application rules: "
    ports = in_words((broad.box.port if broad else EVERY_PORT).parts)
    message = f"{before}any destination is allowed on {ports}; {first} decides nothing."
    if lacks:
        message = f"cannot be judged: {'; '.join(lacks)}. Then {message}"
    return Violation(resource=resource, where=rule or "the policy", message=message)


def named_steps(policy: JudgedPolicy, at: Place | None = None) -> list[Step]:
    """What allows by name, at one place or at all of them."""
    places = policy.places if at is None else (at,)
    return [
        step
        for place in places
        for step in place.steps
        if step.action == "allow" and step.owner in policy.urns and tests_of(step)
    ]


def is_judged(step: Step, named: Sequence[Step]) -> bool:
    """Whether `void_allow` asks for every port and for all clients of a step beside those that allow by name."""
    ports = reduce(or_, (each.box.port for each in named), NO_NUMBER)
    clients = (each.box.client for each in named)
    return ports.holds(step.box.port) is True and any(_among(step.box.client, each) for each in clients)


def _among(some: ClientTest, others: ClientTest) -> bool:
    ranges = [(some.addresses.of(family), others.addresses.of(family)) for family in FAMILIES]
    identities = others.identities is None or (some.identities is not None and some.identities <= others.identities)
    return identities and all(few & many == few for few, many in ranges)


def tests_of(step: Step) -> tuple[NameTest, ...]:
    """The names that a step is for, as far as it says which."""
    found = step.box.wire or step.box.dialled or ()
    return tuple(test for test in found if not test.negated and test.text)


def _spelled(step: Step) -> str:
    test = tests_of(step)[0]
    return f"subtree+apex of {test.text}" if test.kind == "dot-ending" else str(test)


def _ports(policy: JudgedPolicy, step: Step) -> Intervals:
    if policy.urns[step.owner].reading.lists if step.owner in policy.urns else False:
        port = _LISTED[next(iter(step.box.applications or {"tls"}))]
        return Intervals.of([(port, port)])
    return step.box.port


def _speaks(step: Step, kind: Kind) -> bool:
    if step.box.protocols is not None and 6 not in step.box.protocols:
        return False
    applications = step.box.applications
    return applications is None or any(kind in _SPEAKS.get(each, ()) for each in applications)


def _closed(place: Place) -> Place:
    """The place with all blocked that no rule decides."""
    stages = (
        replace(stage, last=(), otherwise=replace(stage.otherwise, action="block"))
        if stage.otherwise.action == "allow" and not stage.otherwise.rule
        else stage
        for stage in place.stages
    )
    return replace(place, stages=tuple(stages))
