"""Whether anything denies what the names do not allow: default actions on AWS, a last deny rule on Google Cloud.

Azure Firewall denies what no rule allows and cannot be told otherwise, so there is nothing to ask there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hostgate.flows.address_sets import FAMILIES, AddressFamily
from hostgate.flows.flow import Flow, FlowProtocol
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Led, Place, keeping
from hostgate.flows.verdicts import ORDER_NOT_KNOWN, decide
from hostgate.gcp.evaluate_proxy import lists_in_use
from hostgate.gcp.resources_proxy import AUTHZ_POLICY, URL_LIST
from hostgate.policies.catalogs import CatalogIndex
from hostgate.policies.places import JudgedPolicy
from hostgate.policies.rule_table import RULES
from hostgate.policies.violations import CheckResult, NotApplicable, Violation, unjudged
from hostgate.policies.void import named_steps
from hostgate.policies.witnesses import DATAGRAMS, OF_TCP, Opening, address_of, cuts, elsewhere, in_words, openings

DEFAULTS = "firewallPolicy.statefulDefaultActions"
_FAMILIES = {"IPv4": "IPv4 (0.0.0.0/0)", "IPv6": "IPv6 (::/0)"}


def list_without_drop(policies: Sequence[JudgedPolicy]) -> CheckResult:
    with_lists = [each for each in policies if each.cloud == "aws" and each.policy and _lists(each)]
    if not with_lists:
        return NotApplicable("no policy of this stack holds a domain list in strict order")
    return [
        remark
        for each in with_lists
        for remark in _left_open(each, f"{', '.join(_lists(each))} in strict order, and the default drops nothing")
    ]


def no_deny(policies: Sequence[JudgedPolicy]) -> CheckResult:
    named = [each for each in policies if each.cloud != "azure" and each.policy is not None and _names(each)]
    if not named:
        return NotApplicable("no policy of this stack allows anything by name, but those that deny by default")
    found: list[Violation] = []
    for each in named:
        if each.cloud == "aws":
            found += _left_open(each, "no default drops, and no last rule does")
            continue
        first = next(seen for seen in each.rules if seen.resource.urn in each.naming)
        found += [
            Violation(resource=first.resource, where="the policy", message=message) for message in _open_families(each)
        ]
    return found


def deny_elsewhere(policies: Sequence[JudgedPolicy], resources: Sequence[Resource]) -> CheckResult:
    round_it = [*_round_proxies(policies), *_apart(policies, resources)]
    loose = [
        each for each in policies if each.cloud != "azure" and each.policy is None and each.may_name
    ]  # fmt: skip
    if not loose and not round_it:
        return NotApplicable("every policy with allowed names is part of this stack, or denies by default")
    return [
        Violation(
            resource=seen.resource,
            where=each.key or "the policy",
            message="is not part of this stack; that it denies the rest is not to be seen here.",
        )
        for each in loose
        if each.cloud == "aws" or any(_open_families(each))
        for seen in each.rules
        if seen.resource.urn in each.naming
    ] + round_it


def _round_proxies(policies: Sequence[JudgedPolicy]) -> Iterator[Violation]:
    """Web proxies that allow by name, and that clients of this stack are not seen to be led to."""
    told: Mapping[Led, str] = {
        "assumed": "no route of this stack leads clients to the proxy; who is not led there is not limited by it.",
        "asked": "the proxy is an explicit one: who does not use it is not limited by it.",
    }
    for each in policies:
        for place in each.places if each.proxy and each.may_name else ():
            why = "no gateway of this stack uses the policy." if place.remark else told.get(place.led)
            if why is not None:
                first = next(seen for seen in each.rules if seen.resource.urn in each.naming)
                yield Violation(resource=first.resource, where=place.policy or "the policy", message=why)


def _apart(policies: Sequence[JudgedPolicy], resources: Sequence[Resource]) -> Iterator[Violation]:
    """URL lists and authorization policies of web proxies for rules and gateways that are not judged here."""
    snapshot = Snapshot(tuple(resources), "the stack")
    met = {step.owner for each in policies for place in each.places for step in place.steps}
    met |= lists_in_use(snapshot)
    told = {
        URL_LIST: ("values", "no rule of this stack uses the list; what becomes of its names, others decide."),
        AUTHZ_POLICY: ("target", "no gateway that is judged here has it; what it lets past the rules is not seen."),
    }
    for resource in snapshot.of_types(told):
        if resource.urn not in met:
            where, why = told[resource.type]
            yield Violation(resource=resource, where=where, message=f"cannot be judged: {why}")


def domain_list_any_port(policies: Sequence[JudgedPolicy], known: CatalogIndex) -> CheckResult:
    listing = [
        (each, seen)
        for each in policies
        if each.cloud == "aws"
        for seen in each.rules
        if seen.reading.lists or seen.reading.opaque
    ]
    if not listing:
        return NotApplicable("no domain list allows anything")
    found: list[Violation] = []
    for each, seen in listing:
        for place in each.places:
            ends = [(elsewhere(place, family), _inside(place, family)) for family in place.families]
            blocks = cuts((step.box.port for step in place.steps if step.action == "block"), EVERY_PORT)
            for effect in seen.reading.effects:
                if not effect.listed or not effect.named or effect.names is None:
                    continue
                entries = known.touching(effect.names)
                needed = {entry.port for entry in entries} or {80 if effect.layer == "http" else 443}
                others = Intervals.of([(port, port) for port in needed]).outside(65_535)
                spoken: FlowProtocol = "http" if effect.layer == "http" else "tls"
                ports = [port for port in {*blocks, *(port + 1 for port in needed)} if port in others]
                flows = (
                    Flow(effect.names.host, port, spoken, address=address, source=client)
                    for port in ports
                    for address, client in ends
                )
                if any(_passes(place, flow) for flow in flows):
                    said = ", ".join(map(str, sorted(needed)))
                    found.append(
                        Violation(
                            resource=seen.resource, where=effect.where, host=effect.names.host,
                            entry=next((entry.id for entry in entries), None),
                            message=f"{effect.names}: open on every port, needed on {said}.",
                        )
                    )  # fmt: skip
        found += unjudged(seen.resource, seen.reading, RULES["domain-list-any-port"].needs)
    return found


def _inside(place: Place, family: AddressFamily) -> str | None:
    home = place.inside.of(family)
    return address_of(home.parts[0][0], family) if home else None


def _passes(place: Place, flow: Flow) -> bool:
    """Whether a flow passes or may; at a first preview the drops are taken to come before the list."""
    verdict = decide(place, flow)
    return verdict.action == "allow" or (verdict.action == "unknown" and verdict.lacks != (ORDER_NOT_KNOWN,))


def _lists(policy: JudgedPolicy) -> list[str]:
    """Groups that are strict domain lists, or may be."""
    return [
        seen.resource.name
        for seen in policy.rules
        if (seen.reading.lists or seen.reading.opaque) and seen.reading.strict is not False
    ]


def _names(policy: JudgedPolicy) -> bool:
    """Whether names are allowed, or may be; those of strict domain lists have a rule of their own."""
    if policy.cloud == "gcp":
        return policy.may_name
    return any(seen.reading.names_in_doubt and not seen.reading.lists for seen in policy.rules) or any(
        effect.named and (not effect.listed or seen.reading.strict is False)
        for seen in policy.rules
        for effect in seen.reading.effects
    )


def _left_open(policy: JudgedPolicy, message: str) -> Iterator[Violation]:
    """Connections that neither the default ends nor a rule."""
    if policy.policy is None:
        return
    reading = policy.policy.reading
    if reading.stateful.strict is False:
        message = "in action order there is no default; all but TLS and HTTP passes, whatever the lists say"
    for place in policy.places:
        found = openings(without_passes(place), OF_TCP, FAMILIES)
        if found:
            told = f"{in_words(found, place.inside)}."
            if lacks := lacking(found):
                told = f"cannot be judged: {lacks}. As far as is seen, {told}"
            yield Violation(resource=policy.policy.resource, where=DEFAULTS, message=f"{message}: {told}")


def _open_families(policy: JudgedPolicy) -> Iterator[str]:
    """The address families that no last deny closes on Google Cloud."""
    for place in policy.places:
        clients = list(dict.fromkeys(step.box.client for step in named_steps(policy, place)))
        found = openings(
            without_passes(place), (*OF_TCP, *DATAGRAMS), place.families, clients=clients or [ClientTest()]
        )
        for family, words in _FAMILIES.items():
            of_family = [each for each in found if each.family == family]
            if of_family:
                surely = any(each.verdict.action == "allow" for each in of_family)
                yield (
                    f"no last rule denies {words} for all protocols."
                    if surely
                    else f"cannot be judged: {lacking(of_family)}."
                )


def without_passes(place: Place) -> Place:
    """The place with what blocks alone: what passes there is denied by nothing."""
    *before, last = place.stages
    onward = [
        replace(stage, otherwise=replace(stage.otherwise, action="next"))
        if stage.otherwise.action == "allow" and stage.otherwise.rule
        else stage
        for stage in before
    ]
    return keeping(replace(place, stages=(*onward, last)), lambda step: step.action != "allow")


def lacking(found: Sequence[Opening]) -> str:
    """What would have to be known of all that may pass and may not."""
    return "; ".join(dict.fromkeys(what for each in found for what in each.verdict.lacks))
