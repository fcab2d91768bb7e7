"""Whether UDP, ICMP and other IP protocols get out of an AWS policy: its default drops established TCP, rules stop the rest.

A DNS question or a QUIC hello is one packet, and no default but aws:drop_strict drops a first packet. So what is not TCP
has to meet a rule that ends it: over both IP versions, from clients inside and outside HOME_NET, to every public address.
"""

from collections.abc import Iterator, Sequence

from hostgate.aws.evaluate import STATELESS
from hostgate.flows.address_sets import FAMILIES, AddressFamily
from hostgate.flows.intervals import NO_NUMBER, Intervals
from hostgate.flows.steps import Place, keeping
from hostgate.policies.denies import DEFAULTS, lacking
from hostgate.policies.effects import in_words as ports_in_words
from hostgate.policies.effects import most
from hostgate.policies.places import JudgedPolicy, allows
from hostgate.policies.rule_table import RULES
from hostgate.policies.violations import CheckResult, NotApplicable, Violation, unjudged
from hostgate.policies.witnesses import DATAGRAMS, Kind, Opening, by_family, in_words, openings


def datagrams_out(policies: Sequence[JudgedPolicy]) -> CheckResult:
    allowlists = [each for each in policies if each.cloud == "aws" and each.policy and _is_allowlist(each)]
    if not allowlists:
        return NotApplicable("no policy of this stack allows anything by name, or drops by default")
    return [remark for each in allowlists for remark in _judge(each)]


def _is_allowlist(policy: JudgedPolicy) -> bool:
    """Whether the policy is there to allow some and drop the rest, or may be."""
    defaults = policy.policy.reading.stateful.defaults if policy.policy else ()
    return defaults is None or any("drop" in it for it in defaults) or policy.may_name


def _judge(policy: JudgedPolicy) -> Iterator[Violation]:
    seen = policy.policy
    if seen is None:
        return
    for effect in seen.reading.effects:
        what = "fragments" if "Fragment" in effect.where else "packets that no stateless rule takes"
        yield Violation(resource=seen.resource, where=effect.where, message=f"aws:pass: {what} pass unjudged.")
    yield from unjudged(seen.resource, seen.reading, RULES["datagrams-out"].needs)
    for place in policy.places:
        yield from _at(policy, _without_sets(place))


def _at(policy: JudgedPolicy, place: Place) -> Iterator[Violation]:
    passes = allows(place)
    stateless = {step.rule for stage in place.stages if stage.name == STATELESS for step in stage.steps} | {"aws:pass"}
    left: list[Opening] = []
    passed: dict[str, list[Opening]] = {}
    union: dict[tuple[Kind, AddressFamily], Intervals] = {}
    for each in openings(place, DATAGRAMS, FAMILIES):
        rule = each.verdict.rule or ""
        if rule not in passes:
            left += [each] if rule != "aws:pass" else []
            continue
        passed.setdefault(rule, []).append(each)
        cell = (each.kind, each.family)
        union[cell] = union.get(cell, NO_NUMBER) | each.addresses
    for rule, found in passed.items():
        broad: dict[Kind, list[AddressFamily]] = {}
        for each in found:
            if most(union[each.kind, each.family], each.family):
                broad.setdefault(each.kind, []).append(each.family)
        if not broad:
            continue
        step = passes[rule]
        ports = ports_in_words(step.box.port.parts)
        on = "" if ports == "any port" else f" on {ports}"
        message = f"passes to any destination{on}: {by_family(broad)}."
        if rule in stateless:
            message = f"aws:pass to any destination, before any other rule{on}: {by_family(broad)}."
        if lacks := lacking([each for each in found if each.kind in broad]):
            message = f"cannot be judged: {lacks}. Then it {message}"
        yield Violation(resource=policy.owner(step), where=rule, message=message)
    if left:
        told = in_words(left, place.inside)
        if any(each.verdict.action == "allow" for each in left):
            told = f"{told}: no default drops it, and no rule of {_groups(policy)} does"
        if lacks := lacking(left):
            told = f"cannot be judged: {lacks}. As far as is seen: {told}"
        yield Violation(resource=policy.owner(None), where=DEFAULTS, message=f"{told}.")


def _groups(policy: JudgedPolicy) -> str:
    return ", ".join(seen.resource.name for seen in policy.rules) or "any group"


def _without_sets(place: Place) -> Place:
    """The place without what passes to a set that somebody keeps elsewhere: it is as narrow as a range is."""
    return keeping(
        place,
        lambda step: (
            step.action != "allow" or bool(step.box.address.v4 or step.box.address.v6 or not step.box.address.symbols)
        ),
    )
