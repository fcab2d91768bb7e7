"""What a plan makes of a survey: findings for each verdict, a demand that refuses, and the mechanism that would be ok."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import TtlFamily, main_targets, targets
from hostgate.planning.plan import Plan, draft, plan, plan_all
from hostgate.planning.survey import WORDS, HostVerdict, Survey, Word

ENDED = date(2026, 11, 20)
HOST = "cgr.dev"
HOSTS = selection([entry(HOST)])
WORSE = {"ok": (), "risky": ("ok",), "unknown": ("ok", "risky"), "unfit": ("ok", "risky", "unknown")}
"""For each verdict, the demands that it does not meet."""


def verdict(word: Word, target: str = "gcp:fqdn", family: TtlFamily = "own-lookup", **more: Any) -> HostVerdict:
    return HostVerdict(target=target, family=family, verdict=word, reason=f"it is {word}.", **more)


def survey(*verdicts: HostVerdict, worst: Word | None = None, host: str = HOST) -> Survey:
    return Survey(ENDED, {host: verdicts}, worst)


def said(made: Plan, id_: str) -> str:
    """The message of the one finding `id_`."""
    (one,) = [each for each in made.findings if each.id == id_]
    return one.message


def ids(made: Plan) -> set[str]:
    return {one.id for one in made.findings}


class TestFindings:
    @pytest.mark.parametrize("word", WORDS)
    def test_each_verdict_is_a_finding_in_place_of_no_survey(self, word: Word) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict(word)))
        assert {each for each in ids(made) if "survey" in each} == {f"survey-{word}"}
        assert made.ok

    def test_without_a_survey_the_plan_says_so(self) -> None:
        assert "no-survey" in ids(plan(HOSTS, "gcp:fqdn"))

    def test_a_survey_changes_no_object(self) -> None:
        assert plan(HOSTS, "gcp:fqdn", survey=survey(verdict("unfit"))).digest == plan(HOSTS, "gcp:fqdn").digest

    def test_a_host_that_was_not_surveyed_is_named(self) -> None:
        made = plan(selection([entry(HOST), entry("other.example")]), "gcp:fqdn", survey=survey(verdict("ok")))
        assert said(made, "not-in-survey").startswith("other.example was not surveyed for gcp:fqdn.")
        assert said(made, "survey-ok") == "cgr-dev: addresses are followed closely enough, by the survey."

    def test_a_survey_for_another_mechanism_is_none_for_this(self) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("ok", "azure:application-rules")))
        assert "not-in-survey" in ids(made)

    @pytest.mark.parametrize(("as_of", "stale"), [("2026-12-20", False), ("2026-12-21", True), ("2026-11-01", False)])
    def test_after_thirty_days_a_survey_is_stale(self, as_of: str, stale: bool) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("ok")), as_of=date.fromisoformat(as_of))
        assert ("survey-stale" in ids(made)) == stale
        if stale:
            assert said(made, "survey-stale") == "The survey ended on 2026-11-20, 31 days ago."

    def test_without_a_date_no_age_is_judged(self) -> None:
        assert "survey-stale" not in ids(plan(HOSTS, "gcp:fqdn", survey=Survey(date(2000, 1, 1), {})))

    @pytest.mark.parametrize("target", ["aws:rules", "azure:application-rules"])
    def test_mechanisms_that_read_names_need_no_survey(self, target: str) -> None:
        assert not [each for each in ids(plan(HOSTS, target, survey=Survey(ENDED, {}))) if "survey" in each]

    @pytest.mark.parametrize("target", ["aws:rules", "azure:application-rules"])
    def test_an_ech_key_is_a_finding_where_names_are_read(self, target: str) -> None:
        seen = survey(verdict("ok", target, "wire", caveats=("ech", "h3")))
        assert said(plan(HOSTS, target, survey=seen), "survey-ech") == "cgr.dev publishes an ECH key: it is ok."

    def test_each_way_of_a_mechanism_has_its_own_verdict(self) -> None:
        both = survey(
            verdict("ok", "azure:application-rules", "wire"), verdict("unfit", "azure:application-rules", "own-lookup")
        )
        assert "survey-unfit" not in ids(plan(HOSTS, "azure:application-rules", survey=both))
        tcp = selection([entry(HOST, protocol="tcp")])
        assert "survey-unfit" in ids(plan(tcp, "azure:application-rules", survey=both))

    def test_it_can_be_accepted_like_any_other(self) -> None:
        accepted = Acceptance(finding="survey-unfit", entry="cgr-dev", because="clients retry")
        made = plan(HOSTS.accepting([accepted]), "gcp:fqdn", survey=survey(verdict("unfit")))
        (one,) = [each for each in made.findings if each.id == "survey-unfit"]
        assert one.accepted == "clients retry"


class TestWhatWouldBeOk:
    def test_one_that_cannot_say_the_entry_is_not_named(self) -> None:
        udp = selection([entry(HOST, protocol="udp")])
        assert "would be ok" not in said(plan(udp, "gcp:fqdn", survey=survey(verdict("unfit"))), "survey-unfit")

    def test_one_that_the_survey_found_unknown_is_not_named(self) -> None:
        never = [verdict("unknown", target, "wire") for target in targets() if target != "gcp:fqdn"]
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("unknown"), *never))
        assert "would be ok" not in said(made, "survey-unknown")

    def test_the_list_that_would_do_is_described(self) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("unfit", refresh_s=60, grace_s=3060)))
        assert (
            "An address list that asks every 60 s and keeps addresses for 3,060 s would drop less than 1 in 1,000."
            in said(made, "survey-unfit")
        )

    def test_with_too_little_data_no_list_is(self) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("unknown", refresh_s=60, grace_s=3060)))
        assert "An address list" not in said(made, "survey-unknown")


class TestDemand:
    @pytest.mark.parametrize("worst", WORDS)
    @pytest.mark.parametrize("word", WORDS)
    def test_a_host_that_is_worse_refuses_the_plan(self, word: Word, worst: Word) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict(word), worst=worst))
        assert made.refused == (worst in WORSE[word])
        assert bool(made.objects) != made.refused

    def test_it_names_the_host_the_reason_and_what_would_be_ok(self) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("unfit"), worst="risky"))
        (problem,) = made.problems
        assert (problem.rule, problem.entry) == ("survey-demand", "cgr-dev")
        start = "gcp:fqdn: No host may be worse than risky. Found unfit: cgr.dev: it is unfit. "
        assert problem.message.startswith(start)
        assert "would be ok" in problem.message.removeprefix(start)
        assert problem.message.endswith(" Or accept survey-unfit for this entry.")
        assert "survey-unfit" not in ids(made)
        with pytest.raises(InputError, match="No host may be worse"):
            made.verdict(Flow(HOST))

    def test_no_rule_is_shown_for_what_is_not_made(self) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("unfit"), worst="ok"))
        assert [decision.rule for decision in made.decisions] == [None]

    def test_a_host_that_was_not_surveyed_is_unknown(self) -> None:
        assert plan(HOSTS, "gcp:fqdn", survey=Survey(ENDED, {}, "risky")).refused
        assert not plan(HOSTS, "gcp:fqdn", survey=Survey(ENDED, {}, "unknown")).refused

    @pytest.mark.parametrize("worst", WORDS)
    def test_mechanisms_that_read_names_meet_every_demand(self, worst: Word) -> None:
        assert not plan(HOSTS, "aws:rules", survey=survey(verdict("unfit"), worst=worst)).refused

    def test_an_accepted_host_meets_it(self) -> None:
        accepted = Acceptance(finding="survey-unfit", entry="cgr-dev", because="clients retry")
        both = survey(verdict("unfit"), worst="ok")
        assert plan(HOSTS.accepting([accepted]), "gcp:fqdn", survey=both).ok

    def test_an_acceptance_of_a_better_verdict_does_not_lift_it(self) -> None:
        accepted = Acceptance(finding="survey-risky", entry="cgr-dev", because="clients retry")
        assert draft(HOSTS.accepting([accepted]), "gcp:fqdn", survey=survey(verdict("unfit"), worst="ok")).refused

    def test_entries_that_are_left_out_or_covered_are_not_asked_for(self) -> None:
        wide = entry("vendor.example", "any", match="subtree", alternatives="storage")
        one = entry(HOST, alternatives="storage")
        assert not plan(selection([wide, one]), "gcp:fqdn", survey=survey(verdict("ok"), worst="ok")).refused

    def test_every_host_that_is_worse_is_named_at_once(self) -> None:
        hosts = selection([entry(f"{name}.example") for name in "abc"])
        made = plan(hosts, "gcp:fqdn", survey=Survey(ENDED, {}, "ok"))
        assert len(made.problems) == 3

    def test_it_holds_for_every_target_of_a_stack(self) -> None:
        made = plan_all(
            HOSTS, [(target, None) for target in main_targets()], survey=survey(verdict("unfit"), worst="ok")
        )
        assert [each.target for each in made if each.refused] == ["gcp:fqdn"]


class TestLookingUp:
    def test_a_plan_tells_what_the_survey_says_of_a_flow(self) -> None:
        made = plan(HOSTS, "gcp:fqdn", survey=survey(verdict("risky")))
        found = made.surveyed(Flow(HOST))
        assert found is not None
        assert found.verdict == "risky"
        assert made.surveyed(Flow("other.example")) is None
        assert replace(made, survey=None).surveyed(Flow(HOST)) is None
