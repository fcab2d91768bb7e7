"""From entries to decisions: outcomes, alternatives, acceptances, and what a date changes."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance, select
from hostgate.planning.mechanism import main_targets, targets
from hostgate.planning.plan import Plan, draft, find_mechanism, plan, plan_all

REFERENCE = "chainguard/images@2024-03-28"
DAY = date(2026, 11, 23)
WILDCARD = entry("vendor.example", "buckets", match="subtree", alternatives="storage")
ACCOUNT = entry("a1.vendor.example", "account", alternatives="storage")
APEX = Acceptance(finding="apex-included", entry="buckets", because="reviewed")


def outcomes(made: Plan) -> dict[str, str]:
    return {decision.entry.id: decision.outcome for decision in made.decisions}


def ids(made: Plan) -> set[str]:
    return {one.id for one in made.findings}


@pytest.mark.parametrize("target", MADE)
def test_the_reference_revision_plans_with_the_wildcard_covered(target: str) -> None:
    made = plan(select(REFERENCE), target, as_of=DAY)
    assert made.ok
    assert len(made.decisions) == 13
    found = outcomes(made)
    assert found.pop("r2-any-bucket") == "covered"
    assert found["r2-account-host"] == "allowed"
    assert set(found.values()) == {"allowed"}


@pytest.mark.parametrize("target", MADE)
def test_all_revisions_plan_on_every_mechanism_that_knows_their_names(target: str) -> None:
    assert plan(select("chainguard/images@2026-02-23"), target).ok


class TestOutcomes:
    def test_ingress_is_left_out_and_says_so(self) -> None:
        made = plan(selection([entry(), entry("in.example.com", direction="ingress")]), "aws:rules")
        (decision,) = [each for each in made.decisions if each.entry.direction == "ingress"]
        assert (decision.outcome, decision.reason, decision.rule) == ("left out", "not egress", None)
        assert [one.entry for one in made.findings if one.id == "not-egress"] == ["in-example-com"]

    def test_a_mistaken_entry_opens_nothing_and_is_a_finding(self) -> None:
        typo = entry("rc.vendor.example", "typo", match="subtree", status="mistaken")
        made = plan(selection([entry(), typo]), "aws:rules")
        assert outcomes(made)["typo"] == "left out"
        assert [one.entry for one in made.findings if one.id == "mistaken"] == ["typo"]
        assert "rc.vendor.example" not in str(made.objects)

    def test_what_the_selection_narrowed_away_is_still_listed(self) -> None:
        made = plan(select(REFERENCE, phases=["pull"]), "gcp:fqdn")
        assert outcomes(made)["chainctl"] == "left out"
        assert "chainctl" not in {d.entry.id for d in made.decisions if d.rule}

    def test_one_entry_that_cannot_be_exact_refuses_the_whole_plan(self) -> None:
        made = plan(selection([entry(), entry("db.example.com", protocol="tcp", port=5432)]), "aws:rules")
        assert outcomes(made) == {"cgr-dev": "allowed", "db-example-com": "refused"}
        assert made.refused
        assert made.objects == ()
        assert all(decision.rule is None for decision in made.decisions)

    def test_a_refusal_says_what_was_found_and_the_nearest_that_works(self) -> None:
        made = plan(selection([entry("db.example.com", protocol="tcp", port=5432)]), "aws:rules")
        (problem,) = made.problems
        assert problem.rule == "not-expressible"
        assert problem.entry == "db-example-com"
        for words in ("tcp", "5432", "https", "Nearest: ", "gcp:fqdn"):
            assert words in problem.message

    @pytest.mark.parametrize(
        ("target", "asked"),
        [
            ("gcp:fqdn", {"match": "subtree"}),
            ("gcp:fqdn", {"match": "subtree+apex"}),
            ("gcp:url-filter", {"port": 8443}),
            ("gcp:url-filter", {"protocol": "tcp", "port": 22}),
            ("gcp:url-filter", {"protocol": "udp", "port": 123}),
            ("gcp:web-proxy", {"protocol": "tcp", "port": 22}),
        ],
    )
    def test_a_refusal_on_google_cloud_names_every_mechanism_there_that_takes_the_host(
        self, target: str, asked: dict[str, Any]
    ) -> None:
        hosts = selection([entry("host.vendor.example", **asked)])
        (problem,) = plan(hosts, target).problems
        google = [each for each in MADE if each.startswith("gcp:")]
        named = set(re.findall("gcp:[a-z-]+", problem.message.partition("Nearest: ")[2]))
        assert named == {each for each in google if not plan(hosts, each).refused}


class TestAlternatives:
    @pytest.mark.parametrize("target", MADE)
    def test_the_narrowest_is_used_and_the_other_is_covered(self, target: str) -> None:
        made = plan(selection([WILDCARD, ACCOUNT]), target)
        assert outcomes(made) == {"account": "allowed", "buckets": "covered"}
        assert "account is enough" in next(d.reason for d in made.decisions if d.entry.id == "buckets")

    def test_the_narrowest_is_taken_among_those_that_can_be_expressed(self) -> None:
        narrow = replace(ACCOUNT, protocol="tcp", port=9000)
        made = plan(selection([WILDCARD, narrow]), "aws:rules")
        assert outcomes(made) == {"account": "covered", "buckets": "allowed"}

    def test_choose_flips_the_choice_and_the_reason_says_so(self) -> None:
        made = plan(selection([WILDCARD, ACCOUNT], choose=[("storage", "buckets")]), "aws:rules")
        assert outcomes(made) == {"account": "covered", "buckets": "allowed"}
        assert "as chosen" in next(d.reason for d in made.decisions if d.entry.id == "account")

    def test_choosing_what_cannot_be_expressed_is_refused_not_overruled(self) -> None:
        made = plan(selection([WILDCARD, ACCOUNT], choose=[("storage", "buckets")]), "gcp:fqdn")
        assert outcomes(made) == {"account": "covered", "buckets": "refused"}
        assert made.refused

    def test_if_none_can_be_expressed_each_is_refused_with_its_own_reason(self) -> None:
        other = replace(ACCOUNT, match="one-label")
        made = plan(selection([WILDCARD, other]), "gcp:fqdn")
        assert outcomes(made) == {"account": "refused", "buckets": "refused"}
        assert len({d.reason for d in made.decisions}) == 2

    def test_groups_of_two_catalogs_with_one_name_are_two_groups(self) -> None:
        theirs = replace(WILDCARD, catalog="other/catalog", host="other.example", id="theirs", match="exact")
        made = plan(selection([ACCOUNT, theirs]), "aws:rules")
        assert outcomes(made) == {"account": "allowed", "theirs": "allowed"}

    def test_a_mistaken_member_is_no_alternative(self) -> None:
        made = plan(selection([WILDCARD, replace(ACCOUNT, status="mistaken")]), "aws:rules")
        assert outcomes(made) == {"account": "left out", "buckets": "allowed"}


class TestAcceptances:
    ALONE = replace(WILDCARD, alternatives=None)

    def test_a_widening_is_refused_until_it_is_accepted(self) -> None:
        made = plan(selection([self.ALONE]), "aws:domain-list")
        assert made.refused
        assert "apex-included" in made.problems[0].message

    def test_an_accepted_widening_stays_visible(self) -> None:
        made = plan(selection([self.ALONE], accept=[APEX]), "aws:domain-list")
        assert made.ok
        (found,) = [one for one in made.findings if one.id == "apex-included"]
        assert (found.entry, found.accepted, found.severity) == ("buckets", "reviewed", "warning")

    def test_an_acceptance_lifts_the_objection_to_its_entry_only(self) -> None:
        other = entry("other.example", "others", match="subtree")
        made = plan(selection([self.ALONE, other], accept=[APEX]), "aws:domain-list")
        assert outcomes(made) == {"buckets": "allowed", "others": "refused"}

    def test_an_acceptance_without_entry_lifts_nothing(self) -> None:
        broad = replace(APEX, entry=None)
        assert draft(selection([self.ALONE], accept=[broad]), "aws:domain-list").refused

    def test_an_acceptance_without_entry_marks_every_finding_of_its_kind(self) -> None:
        hosts = [entry("ghcr.io"), entry("quay.io"), entry()]
        accept = [Acceptance(finding="shared-hosting", because="known")]
        made = plan(selection(hosts, accept=accept), "aws:rules")
        shared = [one for one in made.findings if one.id == "shared-hosting"]
        assert [(one.entry, one.accepted) for one in shared] == [("ghcr-io", "known"), ("quay-io", "known")]

    def test_an_acceptance_of_what_does_not_occur_is_an_error_that_names_the_nearest(self) -> None:
        wrong = Acceptance(finding="shared-hostin", entry="ghcr-io", because="known")
        with pytest.raises(InputError) as caught:
            plan(selection([entry("ghcr.io")], accept=[wrong]), "aws:rules")
        (problem,) = caught.value.problems
        assert problem.rule == "acceptance-unused"
        assert "Did you mean `shared-hosting`?" in problem.message

    def test_an_acceptance_met_on_one_target_is_met(self) -> None:
        hosts = selection([self.ALONE, entry()], accept=[APEX])
        made = plan_all(hosts, [("aws:rules", None), ("aws:domain-list", None)])
        assert [each.ok for each in made] == [True, True]
        with pytest.raises(InputError):
            plan_all(hosts, [("aws:rules", None)])

    def test_an_error_cannot_be_accepted(self) -> None:
        refused = entry("db.example.com", protocol="tcp", port=5432)
        accept = [Acceptance(finding="not-expressible", entry=refused.id, because="please")]
        assert draft(selection([refused], accept=accept), "aws:rules").refused
        with pytest.raises(InputError):
            plan(selection([refused], accept=accept), "aws:rules")


class TestDates:
    UNTIL = date(2027, 1, 31)
    HOSTS = selection([TestAcceptances.ALONE], accept=[replace(APEX, until=UNTIL)])

    @pytest.mark.parametrize(
        ("day", "found", "ok"),
        [
            (UNTIL - timedelta(days=15), set(), True),
            (UNTIL - timedelta(days=14), {"acceptance-expires-soon"}, True),
            (UNTIL, {"acceptance-expires-soon"}, True),
            (UNTIL + timedelta(days=1), {"acceptance-expired"}, False),
            (None, set(), True),
        ],
    )
    def test_the_date_decides_findings_and_exit_state(self, day: date | None, found: set[str], ok: bool) -> None:
        made = plan(self.HOSTS, "aws:domain-list", as_of=day)
        assert {one for one in ids(made) if one.startswith("acceptance")} == found
        assert made.ok is ok
        assert not made.refused

    def test_the_date_changes_no_object(self) -> None:
        one = plan(self.HOSTS, "aws:domain-list", as_of=self.UNTIL)
        other = plan(self.HOSTS, "aws:domain-list", as_of=self.UNTIL + timedelta(days=400))
        assert one.objects == other.objects
        assert one.digest == other.digest
        assert one.decisions == other.decisions

    def test_an_expiry_names_entry_and_place(self) -> None:
        made = plan(self.HOSTS, "aws:domain-list", as_of=self.UNTIL + timedelta(days=1))
        (problem,) = made.problems
        assert (problem.rule, problem.entry) == ("acceptance-expired", "buckets")
        assert "2027-01-31" in problem.message


class TestDigest:
    def test_the_digest_is_of_target_and_objects(self) -> None:
        one, other = selection([entry()]), selection([replace(entry(), purpose="told otherwise")])
        assert plan(one, "aws:rules").digest == plan(other, "aws:rules").digest
        assert plan(one, "aws:rules").digest != plan(one, "gcp:fqdn").digest
        assert plan(one, "aws:rules").digest != plan(one, "aws:rules", mode="audit").digest


class TestAsking:
    def test_an_unknown_target_names_the_nearest_and_all(self) -> None:
        with pytest.raises(InputError) as caught:
            find_mechanism("aws:rule")
        (problem,) = caught.value.problems
        assert problem.rule == "unknown-target"
        assert "Did you mean `aws:rules`?" in problem.message
        assert all(target in problem.message for target in targets())

    @pytest.mark.parametrize(
        ("ask", "said"),
        [
            (lambda: select([REFERENCE]), "`refs`: found a list. Allowed: references one after another"),  # type: ignore[arg-type]
            (lambda: select(REFERENCE, choose="x"), "`choose`: found 'x'. Allowed: a mapping"),  # type: ignore[arg-type]
            (lambda: select(REFERENCE, accept=[{}]), "`accept`: found a mapping. Allowed: a list of hostgate.Acc"),  # type: ignore[list-item]
            (lambda: plan(REFERENCE, "gcp:fqdn"), "`selection`: found 'chainguard/images@2024-03-28'. Allowed: a Sel"),  # type: ignore[arg-type]
            (lambda: plan(select(REFERENCE), 3), "`target`: found 3. Allowed: one of aws:rules,"),  # type: ignore[arg-type]
            (lambda: plan(select(REFERENCE), "gcp:fqdn", "audit"), "`options`: found 'audit'. Allowed: a mapping,"),  # type: ignore[arg-type]
            (lambda: plan(select(REFERENCE), "gcp:fqdn").verdict("cgr.dev"), "`flow`: found 'cgr.dev'. Allowed: a"),  # type: ignore[arg-type]
        ],
    )
    def test_a_value_of_another_type_is_refused_with_what_is_wanted(self, ask: Callable[[], object], said: str) -> None:
        with pytest.raises(InputError) as caught:
            ask()
        (problem,) = caught.value.problems
        assert problem.rule == "wrong-type"
        assert said in problem.message

    def test_network_rules_lead_to_application_rules_which_hold_them(self) -> None:
        with pytest.raises(InputError, match=r"Did you mean `azure:application-rules`\?"):
            find_mechanism("azure:network-rules")

    def test_options_may_be_keywords_a_mapping_or_a_value(self) -> None:
        hosts = selection([entry()])
        keywords = plan(hosts, "aws:rules", mode="audit", from_=["10.0.0.0/8"])
        mapping = plan(hosts, "aws:rules", {"mode": "audit", "from": ["10.0.0.0/8"]})
        assert keywords.digest == mapping.digest == plan(hosts, "aws:rules", keywords.options).digest

    def test_all_targets_report_their_option_errors_at_once(self) -> None:
        with pytest.raises(InputError) as caught:
            plan_all(selection([entry()]), [(target, {"mode": "dry"}) for target in main_targets()])
        assert len(caught.value.problems) == len(main_targets())

    def test_the_json_has_the_keys_that_other_tools_rely_on(self) -> None:
        made = plan(selection([entry()]), "aws:rules").as_json()
        assert set(made) == {
            "target",
            "digest",
            "objects",
            "decisions",
            "findings",
            "limits",
            "catalogs",
            "options",
            "assumptions",
        }
        assert {"kind", "name", "body"} <= set(made["objects"][0])
        keys = {"entry", "host", "match", "port", "protocol", "outcome", "reason", "rule"}
        assert keys <= set(made["decisions"][0])
        assert {"id", "severity", "entry", "message"} <= set(made["findings"][0])
        assert {"name", "used", "max", "source"} <= set(made["limits"][0])
