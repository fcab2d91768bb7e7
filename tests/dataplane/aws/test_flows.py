"""Zero wrong passes, zero wrong drops: what Suricata does to each flow is what the table says and what the plan says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

import hostgate
from dataplane.aws.flows import ADDRESSES, Case, Fate, cases
from dataplane.aws.policy_default import FIRST_SID
from dataplane.aws.replay import Heard
from dataplane.aws.stages import ordered
from hostgate.planning.plan import Plan

CASES = cases()
PLANS = ("aws:rules", "aws:domain-list", "aws:rules, rejecting", "aws:domain-list, rejecting")
WIDENED = tuple(
    hostgate.Acceptance(finding="apex-included", entry=entry, because="to see the list judge what it widens")
    for entry in ("storage", "snapshots")
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan and what Suricata made of every case under its objects."""

    plan: Plan
    heard: Sequence[Heard]
    labels: dict[int, str]

    def of(self, case: Case) -> Heard:
        return self.heard[CASES.index(case)]


@lru_cache(maxsize=1)
def plans() -> dict[str, Plan]:
    """Each target, with the policy's default and with rejects. A domain list holds neither a depth nor an address, so
    `one-label` and plain entries stay out of it."""
    here = Path(__file__).parent
    whole = hostgate.select("catalog.yaml", "by-address.yaml", base=here)
    listed = hostgate.select("catalog.yaml", base=here, without=["mirrors", "builds"], accept=WIDENED)
    named = {"logAllowed": True, "addresses": ADDRESSES}
    return {
        "aws:rules": hostgate.plan(whole, "aws:rules", named),
        "aws:domain-list": hostgate.plan(listed, "aws:domain-list"),
        "aws:rules, rejecting": hostgate.plan(whole, "aws:rules", named, reject=True),
        "aws:domain-list, rejecting": hostgate.plan(listed, "aws:domain-list", reject=True),
    }


@pytest.fixture(scope="module", params=PLANS)
def judged(request: pytest.FixtureRequest, suricata: str, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    del suricata
    plan = plans()[request.param]
    policy = ordered(plan.objects)
    heard = policy.judge([case.talk for case in CASES], tmp_path_factory.mktemp("replay"))
    return Judged(plan, heard, dict(policy.labels))


every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)


def expected(judged: Judged, case: Case) -> Fate:
    return case.rules if judged.plan.target == "aws:rules" else case.lists


@every_case
def test_suricata_passes_what_the_catalog_opens_and_nothing_else(judged: Judged, case: Case) -> None:
    assert judged.of(case).verdict == expected(judged, case)


@every_case
def test_the_plan_says_of_a_flow_what_suricata_does_to_it(judged: Judged, case: Case) -> None:
    assert judged.plan.verdict(case.flow).action == judged.of(case).verdict


@every_case
def test_the_plan_names_the_rule_that_suricata_logs(judged: Judged, case: Case) -> None:
    """Passes that do not log tell nothing, and neither does what no rule is about."""
    heard, said = judged.of(case), judged.plan.verdict(case.flow).rule
    spoke = heard.drop_sids if heard.dropped else heard.alert_sids
    named = {judged.labels.get(sid) for sid in spoke if sid in judged.labels or sid >= FIRST_SID}
    if heard.verdict == "block":
        assert said in named
    elif said is not None and not said.endswith(_silent(judged)):
        assert named == {said}
    else:
        assert not named


@every_case
def test_a_blocked_flow_gets_no_more_out_than_what_comes_before_its_name(judged: Judged, case: Case) -> None:
    if expected(judged, case) == "block":
        heard = judged.of(case)
        assert heard.leaked == case.leaks


@every_case
def test_handshakes_get_through(judged: Judged, case: Case) -> None:
    assert case.flow.transport != "tcp" or judged.of(case).opened


def test_the_proof_is_as_large_as_it_says() -> None:
    assert len(CASES) >= 15 + 60
    for fates in ({case.rules for case in CASES}, {case.lists for case in CASES}):
        assert fates == {"allow", "block"}


def _silent(judged: Judged) -> str:
    """The end of the label of the one pass that does not log: private traffic."""
    edge = next(each for each in judged.plan.objects if each.name.endswith("-edge"))
    assert edge.text is not None
    return edge.text.partition("sid:")[2].partition(";")[0]
