"""Verdicts: by what a mechanism reads, what it documents of its lookups, and what the survey saw."""

import re
from typing import Any

import pytest
from answers import HOST, answered, asked, failed
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import MADE
from hostgate.azure.network_rules import LOOKUP as AZURE
from hostgate.dns.analysis import Study, analyse
from hostgate.dns.false_drop import Refreshing, false_drop
from hostgate.dns.host_verdicts import judge, word
from hostgate.dns.rate_bounds import Interval
from hostgate.dns.samples import HttpsRecord, Sample
from hostgate.gcp.fqdn import LOOKUP as GCP
from hostgate.planning.evidence import Evidence
from hostgate.planning.mechanism import Means, mechanism, targets
from hostgate.planning.survey import HostVerdict

WIRE = ("aws:rules", "aws:domain-list", "azure:application-rules")


def study(*samples: Sample) -> Study:
    (found,) = analyse(samples).studies
    return found


def surveyed(size: int, answer: int, hours: float = 24, **more: Any) -> Study:
    return study(*asked({HOST: (size, answer)}, hours, **more))


def gcp(found: Study) -> HostVerdict:
    (verdict,) = judge(found, ["gcp:fqdn"])
    return verdict


def azure(found: Study) -> HostVerdict:
    (verdict,) = judge(found, ["azure:application-rules"], {"tcp"})
    return verdict


class TestWord:
    @pytest.mark.parametrize(
        ("estimate", "low", "high", "said"),
        [
            (0.0, 0.0, 9e-4, "ok"),
            (0.0, 0.0, 2e-3, "unknown"),
            (9e-4, 5e-4, 1.5e-3, "unknown"),
            (2e-3, 1e-3, 5e-3, "risky"),
            (9e-3, 3e-3, 3e-2, "risky"),
            (2e-3, 0.0, 0.1, "unknown"),
            (2e-3, 1e-3, 0.2, "unknown"),
            (2e-2, 5e-3, 6e-2, "unfit"),
            (0.9, 0.8, 1.0, "unfit"),
            (0.9, 0.0, 1.0, "unknown"),
        ],
    )
    def test_the_interval_decides(self, estimate: float, low: float, high: float, said: str) -> None:
        assert word(Interval(estimate, low, high)) == said

    @given(st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted))
    def test_what_may_be_worse_than_one_in_a_thousand_is_never_ok(self, ends: list[float]) -> None:
        low, estimate, high = ends
        assert (word(Interval(estimate, low, high)) == "ok") == (high < 1e-3)


class TestMechanismsThatReadNames:
    @pytest.mark.parametrize("target", WIRE)
    def test_they_are_ok_whatever_the_ttl_and_the_rotation(self, target: str) -> None:
        (found,) = judge(surveyed(256, 1, hours=0.2, ttl=1), [target], {"https"})
        assert (found.verdict, found.family, found.false_drop, found.caveats) == ("ok", "wire", None, ())

    @pytest.mark.parametrize("target", WIRE)
    def test_ech_and_http3_are_caveats(self, target: str) -> None:
        record = HttpsRecord(priority=1, target=".", alpn=("h3",), ech=True)
        (found,) = judge(study(answered(0, "a"), answered(1, type="HTTPS", https=(record,))), [target], {"https"})
        assert (found.verdict, found.caveats) == ("ok", ("ech", "h3"))
        assert "outer name" in found.reason
        assert "UDP 443" in found.reason

    @pytest.mark.parametrize("target", MADE)
    def test_a_name_that_was_never_resolved_is_unknown_to_all(self, target: str) -> None:
        found = judge(study(failed(0, "nxdomain"), failed(1, "nxdomain"), failed(2)), [target])
        assert {each.verdict for each in found} == {"unknown"}
        assert all("no address in 3 lookups; most often (2): the name does not exist." in each.reason for each in found)


class TestOwnLookup:
    def test_the_last_answer_of_a_rotating_pool_is_unfit(self) -> None:
        found = gcp(surveyed(64, 8))
        assert found.verdict == "unfit"
        assert found.false_drop == pytest.approx(1 - 8 / 64, abs=0.02)
        assert found.reason.startswith("an answer holds 8 of 64 A addresses and it keeps the last answer only: 8")
        assert (found.refresh_s, found.grace_s) == (60, pytest.approx(51 * 60, rel=0.15))

    def test_the_whole_pool_in_each_answer_is_ok_once_there_is_enough_of_it(self) -> None:
        """Four addresses at a TTL of a minute: 3,000 sightings take half a day; to exclude arrivals takes longer."""
        assert gcp(surveyed(4, 4, hours=2)).verdict == "unknown"
        assert gcp(surveyed(4, 4, hours=48)).verdict == "ok"

    def test_an_unknown_verdict_says_how_much_more_would_settle_it(self) -> None:
        short = gcp(surveyed(4, 4, hours=6))
        hours = re.search(r"about (\d+) h more", short.reason)
        assert hours is not None
        assert gcp(surveyed(4, 4, hours=(6 + int(hours[1])) * 1.25)).verdict == "ok"

    def test_few_answers_are_unknown(self) -> None:
        found = gcp(study(*(answered(at * 61, "a") for at in range(9))))
        assert (found.verdict, found.false_drop, found.interval) == ("unknown", None, None)
        assert found.reason == "9 fresh answers for A; at least 10 are needed."

    def test_a_cache_asked_every_second_is_few_answers(self) -> None:
        found = gcp(study(*(answered(at, "a", ttl=3600 - at) for at in range(600))))
        assert found.reason.startswith("1 fresh answers")

    def test_addresses_beyond_the_cap_are_the_reason(self) -> None:
        found = gcp(surveyed(40, 40))
        assert (found.verdict, found.false_drop) == ("unfit", pytest.approx(0.2))
        assert found.reason.startswith("an answer holds 40 A addresses, and 32 are taken: 20%")

    def test_addresses_that_change_are_the_reason(self) -> None:
        samples = [answered(at * 61, *(chr(97 + at // 30 % 400 + each) for each in range(4))) for at in range(3000)]
        found = gcp(study(*samples))
        assert found.verdict == "unfit"
        assert "new A addresses a day" in found.reason
        assert found.grace_s is None

    def test_resolvers_that_disagree_are_the_reason(self) -> None:
        samples = [
            answered(at * 61 + number, letter, resolver=f"10.0.0.{number}")
            for at in range(3000)
            for number, letter in enumerate("ab")
        ]
        found = gcp(study(*samples))
        assert found.verdict == "unfit"
        assert found.reason.startswith(
            "resolvers disagree: up to 100% of what one answers for A is unknown to another."
        )

    def test_the_worse_family_decides(self) -> None:
        samples = [answered(at * 61, "a", "b", "c", "d") for at in range(3000)]
        samples += [answered(at * 61 + 1, addresses=[f"2001:db8::{at % 7:x}"], type="AAAA") for at in range(3000)]
        found = gcp(study(*sorted(samples, key=lambda sample: sample.at)))
        assert found.verdict == "unfit"
        assert "AAAA" in found.reason

    def test_a_short_ttl_and_an_unpublished_period_are_said(self) -> None:
        reason = gcp(surveyed(64, 8)).reason
        assert "No period is published; judged as 300 s." in reason
        assert "advises against TTLs under 90 s; found 60 s." in reason
        assert "advises" not in gcp(surveyed(64, 8, ttl=120)).reason


class TestAzure:
    def test_fifteen_minutes_hold_sixteen_answers_of_a_shared_cache(self) -> None:
        """16 addresses, one in an answer: 0.045 by the model of 15 s, 15 min and the firewall's own DNS proxy."""
        found = azure(surveyed(16, 1))
        assert (found.verdict, found.family) == ("unfit", "own-lookup")
        assert found.false_drop == pytest.approx(0.045, rel=0.15)

    def test_a_pool_that_fits_the_window_is_ok(self) -> None:
        assert azure(surveyed(16, 8)).verdict == "ok"

    def test_ipv6_is_not_its_business(self) -> None:
        found = azure(study(*(answered(at * 61, addresses=["2001:db8::1"], type="AAAA") for at in range(20))))
        assert found.reason == "no address of ipv4 was seen."

    def test_the_ways_that_nobody_needs_are_not_judged(self) -> None:
        found = surveyed(16, 1, hours=1)
        assert [each.family for each in judge(found, ["azure:application-rules"])] == ["wire", "own-lookup"]
        assert [each.family for each in judge(found, ["azure:application-rules"], {"https"})] == ["wire"]


class TestAddressesThatSomebodyKeeps:
    def test_they_are_judged_only_for_hosts_that_need_them(self) -> None:
        assert [each.family for each in judge(surveyed(16, 4), ["aws:rules"])] == ["wire"]

    def test_nobody_knows_who_keeps_them_but_what_it_would_take_is_told(self) -> None:
        (found,) = judge(surveyed(16, 4), ["aws:rules"], {"tcp"})
        assert found.verdict == "unknown"
        assert found.reason.startswith("somebody keeps the addresses")
        assert found.refresh_s is not None
        assert found.grace_s is not None
        assert found.grace_s > 600


class TestDocumentedFigures:
    @pytest.mark.parametrize("target", targets())
    def test_every_way_that_resolves_for_itself_says_how(self, target: str) -> None:
        for means in mechanism(target).means:
            itself = means.ttl_family == "own-lookup" and not means.resolver
            assert (means.lookup is not None) == itself, means.name

    def test_they_are_those_that_the_vendors_document(self) -> None:
        assert (GCP.cap, GCP.keep_s, GCP.published, GCP.least_ttl_s) == (32, 0, False, 90)
        assert (AZURE.refresh_s, AZURE.keep_s, AZURE.published, AZURE.shared_cache) == (15, 900, True, True)

    def test_a_mechanism_that_says_nothing_is_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        silent = Means(
            name="x",
            protocols=frozenset({"https"}),
            sight="address-and-port",
            ttl_family="own-lookup",
            evidence=Evidence("documented", "nobody", "2026-11-23"),
        )
        monkeypatch.setattr(type(mechanism("gcp:fqdn")), "means", (silent,))
        assert gcp(surveyed(4, 4, hours=1)).verdict == "unknown"


@given(st.integers(1, 20), st.integers(1, 4), st.integers(1, 60))
def test_ok_is_never_said_of_fewer_than_three_thousand_sightings(size: int, answer: int, number: int) -> None:
    answer = min(size, answer)
    found = surveyed(size, answer, hours=number * 60.3 / 3600)
    assert gcp(found).verdict != "ok"
    assert false_drop(found.pools["A"], 60, Refreshing(refresh=300.0)) is None or azure(found).verdict != "ok"
