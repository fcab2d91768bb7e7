"""What the rules of a Secure Web Proxy let through, against the catalogs: names of URL lists and of matchers, with ports.

A list alone opens nothing: it may be one of a rule that denies. So its names are judged where flows meet the rules.
"""

from collections.abc import Iterator, Sequence

from hostgate.flows.names import NameTest
from hostgate.flows.steps import Step
from hostgate.policies.catalogs import CatalogIndex
from hostgate.policies.contents import against
from hostgate.policies.effects import Effect, Names
from hostgate.policies.places import JudgedPolicy
from hostgate.policies.violations import CheckResult, NotApplicable, Violation
from hostgate.policies.void import is_judged, named_steps


def proxy_names(policies: Sequence[JudgedPolicy], known: CatalogIndex, *, withdrawn: bool) -> CheckResult:
    """Names that a proxy lets through and that the catalogs do not have so; with `withdrawn`, only those given up."""
    proxies = [each for each in policies if each.proxy]
    if not proxies:
        return NotApplicable("no rule of a web proxy")
    found = (remark for each in proxies for remark in _of_policy(each, known, withdrawn=withdrawn))
    return list({(each.resource.urn, each.where, each.message): each for each in found}.values())


def _of_policy(policy: JudgedPolicy, known: CatalogIndex, *, withdrawn: bool) -> Iterator[Violation]:
    allowing = [
        step for place in policy.places for step in place.steps if step.action == "allow" and step.owner in policy.urns
    ]
    named = named_steps(policy)
    below = {(step.owner, test.text) for step in allowing for test in _tests(step) if test.kind == "subtree"}
    for step in allowing:
        tests = _tests(step)
        if any(test.kind == "exact" and step.box.doubts and (step.owner, test.text) in below for test in tests):
            continue  # whether *.x holds x is not documented: its finding is `apex-by-analogy`
        if tests:
            yield from _against(policy, step, tests, known, withdrawn=withdrawn)
        elif not is_judged(step, named) and (step.box.doubts or not withdrawn):
            message = "any name is allowed; a catalog has hosts."
            if step.box.doubts:
                message = f"cannot be judged: {'; '.join(step.box.doubts)}."
            yield Violation(resource=policy.owner(step), where=step.rule, message=message)


def _against(
    policy: JudgedPolicy, step: Step, tests: Sequence[NameTest], known: CatalogIndex, *, withdrawn: bool
) -> Iterator[Violation]:
    """All of the tests hold together, so one that the catalogs have is enough."""
    remarks = []
    for test in tests:
        effect = Effect(
            where=step.rule, action="allow", layer=None, ports=step.box.port.parts, names=_names(test)
        )  # fmt: skip
        remark = against(policy.owner(step), effect, known, withdrawn=withdrawn)
        if remark is None:
            return
        remarks.append(remark)
    yield remarks[0]


def _tests(step: Step) -> list[NameTest]:
    return [test for test in step.box.wire or () if not test.negated]


def _names(test: NameTest) -> Names:
    if test.kind == "starting":
        return Names("any", "")  # whatever stands behind it is anybody's
    return Names(test.kind, test.text.lower())  # type: ignore[arg-type]  # a matcher has no other kinds
