"""All rules over one resource, or over a stack: violations as text, with exemptions applied and none forgotten."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hostgate.flows.snapshot import Resource
from hostgate.policies import contents, denies, near_limits, shape, void
from hostgate.policies.belonging import readings, together
from hostgate.policies.datagrams import datagrams_out
from hostgate.policies.dns_names import Queries, dns_names, dns_no_block
from hostgate.policies.places import judged_policies
from hostgate.policies.reach_rules import Said, StackReach
from hostgate.policies.readers import READERS, UNREAD, canonical, cloud_of, plain_type, read
from hostgate.policies.reading import Reading
from hostgate.policies.rule_table import RULES
from hostgate.policies.settings import Exemption, Settings
from hostgate.policies.violations import CheckResult, NotApplicable, Violation, unjudged
from hostgate.policies.web_proxies import proxy_names

MOST_LINES = 20
"""Lines of one report; a list of ten thousand strange hosts is no better told in full."""

Check = Callable[[Resource, Reading, Settings], CheckResult]

OF_A_RESOURCE: Mapping[str, Check] = {
    **{
        rule: contents.against_catalogs(rule)
        for rule in ("host-not-in-catalog", "host-mistaken", "host-withdrawn", "wider-than-catalog", "plain-http")
    },
    "wildcard-over-others": contents.wildcard_over_others,
    "shared-host": contents.shared_host,
    "unsuitable-name": contents.unsuitable_name,
    "empty-list": shape.empty_list,
    "capacity-head-room": shape.capacity_head_room,
    "silent-drop": shape.silent_drop,
    "home-net": shape.home_net,
    "established-default": shape.established_default,
    "stateless-drop": shape.stateless_drop,
    "stream-exceptions": shape.stream_exceptions,
    "raw-address": shape.raw_address,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The violations of one rule by one resource, as one message. `urn` is empty for the stack itself."""

    rule: str
    urn: str
    message: str


Verdicts = Mapping[str, Sequence[Judgement] | NotApplicable]
"""By rule: what it reports (nothing, if all is well), or why it does not apply."""


def judge_resource(resource: Resource, settings: Settings) -> Verdicts:
    """Every rule that is asked of a resource alone."""
    resource = canonical([resource])[0]
    reading = read(resource)
    verdicts: dict[str, Sequence[Judgement] | NotApplicable] = {}
    for rule, check in OF_A_RESOURCE.items():
        if reading is None or cloud_of(resource.type) not in RULES[rule].clouds:
            verdicts[rule] = NotApplicable("is of a type that this rule is not about")
            continue
        said = check(resource, reading, settings)
        if isinstance(said, NotApplicable):
            verdicts[rule] = said
            continue
        verdicts[rule] = _reports(rule, [*said, *unjudged(resource, reading, RULES[rule].needs)], settings)
    said = shape.not_read(resource, settings)
    verdicts["not-read"] = said if isinstance(said, NotApplicable) else _reports("not-read", said, settings)
    return verdicts


def judge_stack(resources: Sequence[Resource], settings: Settings) -> Verdicts:
    """Every rule that is asked of the resources of a stack together."""
    resources = canonical(resources)
    stack, others = readings(resources)
    sets = together(stack, others)
    policies = judged_policies(sets, resources)
    queries = Queries(resources)
    found = StackReach(policies, resources, settings)
    answers: dict[str, CheckResult] = {
        "list-without-drop": denies.list_without_drop(policies),
        "domain-list-any-port": denies.domain_list_any_port(policies, settings.known),
        "void-allow": void.void_allow(policies),
        "no-deny": denies.no_deny(policies),
        "datagrams-out": datagrams_out(policies),
        "deny-elsewhere": denies.deny_elsewhere(policies, resources),
        "dns-names": dns_names(queries, settings.known, withdrawn=False),
        "dns-withdrawn": dns_names(queries, settings.known, withdrawn=True),
        "dns-no-block": dns_no_block(queries),
        "proxy-names": proxy_names(policies, settings.known, withdrawn=False),
        "proxy-withdrawn": proxy_names(policies, settings.known, withdrawn=True),
        "limit-nearly-used": near_limits.limit_nearly_used(sets, stack, settings.near_limit),
    }
    answers = {rule: said if isinstance(said, NotApplicable) else list(said) for rule, said in answers.items()}
    answers |= {
        "beyond-catalogs": found.beyond(Said(answers, settings)),
        "needed-closed": found.closed(),
        "dead-allow": found.dead(),
    }
    verdicts: dict[str, Sequence[Judgement] | NotApplicable] = {
        rule: said if isinstance(said, NotApplicable) else _reports(rule, said, settings)
        for rule, said in answers.items()
    }
    verdicts["exemption-ended"] = _ended(settings)
    return verdicts


def is_judged(type_: str) -> bool:
    """Whether any rule has something to say about resources of the type."""
    return plain_type(type_) in UNREAD or plain_type(type_) in READERS


def _reports(rule: str, remarks: Iterable[Violation], settings: Settings) -> list[Judgement]:
    """One report for each resource, without what is exempt; an exemption that has ended is told beside it."""
    lines: dict[str, dict[str, None]] = {}
    for remark in remarks:
        met = [
            each
            for each in settings.exempt
            if each.covers(rule, remark.entry, remark.host, remark.resource.name, remark.id)
        ]
        if any(settings.as_of <= each.ends for each in met):
            continue
        ended = "".join(f" (the exemption until {each.until} has ended)" for each in met)
        old = (each for each in settings.exempt if each.outgrown_by(rule, remark.id))
        changed = "".join(f" ({each.id} is exempt, and the line has changed since)" for each in old)
        lines.setdefault(remark.resource.urn, {})[f"{remark.where}: {remark.message}{ended}{changed}"] = None
    return [Judgement(rule, urn, _message(rule, list(said))) for urn, said in lines.items()]


def _message(rule: str, lines: Sequence[str]) -> str:
    shown = [*lines[:MOST_LINES], *([f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else [])]
    about = RULES[rule]
    found = "\n".join(f"  - {line}" for line in shown)
    return f"{found}\n  Why: {about.matters}\n  Do: {about.fix}\n  Source: {about.source}"


def _ended(settings: Settings) -> Sequence[Judgement] | NotApplicable:
    if not settings.exempt:
        return NotApplicable("the settings exempt nothing")
    ended: list[Exemption] = [each for each in settings.exempt if each.ends < settings.as_of]
    lines = [
        f"{each}: ended on {each.until} ({each.because}{f'; owner {each.owner}' if each.owner else ''})"
        for each in ended
    ]
    return [Judgement("exemption-ended", "", _message("exemption-ended", lines))] if lines else []
