"""Every rule over gRPC against the real pack process: reports, passes, fails closed, or does not apply."""

from collections.abc import Iterator

import pytest

from hostgate.policies.rule_table import RULES
from policies.cases import CASES, KINDS, Case
from policies.process import Answer, Pack, running, write_pack

LACKING = {
    ("not-read", "gcp", "fails"): "every type of Google Cloud that decides about egress is read",
    ("not-read", "passes"): "it objects to a type, or does not apply",
    ("not-read", "unknown"): "it asks for the type alone",
    ("dead-allow", "unknown"): "what may be reached is not dead",
    ("deny-elsewhere", "aws", "passes"): "the policy is either here or not",
}
"""Kinds of cases that cannot be, and why. `exemption-ended` is about the settings and has its own tests."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    with running(write_pack(tmp_path_factory.mktemp("pack"))) as started:
        yield started


def answer_to(case: Case, pack: Pack) -> Answer:
    if RULES[case.rule].scope == "resource":
        (resource,) = case.resources
        return pack.resource(resource)
    return pack.stack(case.resources)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_rule_says_what_the_case_expects(case: Case, pack: Pack) -> None:
    answer = answer_to(case, pack)
    assert not [message for _, _, _, message in answer.violations if "can't run policy" in message]  # the SDK's own end
    said = answer.of(case.rule)
    match case.kind:
        case "fails" | "unknown":
            assert said, f"nothing is reported; not applicable: {answer.not_applicable.get(case.rule)}"
            assert {level for level, _ in said} == {RULES[case.rule].level}
            assert case.said in "\n".join(message for _, message in said)
        case "passes":
            assert not said
            assert case.rule not in answer.not_applicable
        case "not applicable":
            assert not said
            assert answer.not_applicable[case.rule]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "exemption-ended"])
def test_every_rule_has_every_kind_of_case_on_every_cloud_that_has_it(rule: str) -> None:
    there = {(case.cloud, case.kind) for case in CASES if case.rule == rule}
    wanted = {(cloud, kind) for cloud in RULES[rule].clouds for kind in KINDS}
    excused = {(cloud, kind) for cloud, kind in wanted if {(rule, kind), (rule, cloud, kind)} & set(LACKING)}
    assert wanted - there == excused
    assert {("aws", "not applicable"), ("gcp", "not applicable"), ("azure", "not applicable")} <= there


def test_the_pack_offers_every_rule_at_its_level(pack: Pack) -> None:
    info = pack.info()
    assert info.name == "hostgate"
    levels = {each.name: each.enforcementLevel for each in info.policies}
    assert levels == {name: {"advisory": 0, "mandatory": 1, "disabled": 2}[rule.level] for name, rule in RULES.items()}
    assert {each.name: each.remediation_steps for each in info.policies} == {
        name: rule.fix for name, rule in RULES.items()
    }
