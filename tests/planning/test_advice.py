"""Advice: which mechanisms fit a host, by what each objects to and by a survey; what each needs; and the best first."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.selection import Acceptance, Selection, select
from hostgate.flows.flow import Flow
from hostgate.planning import targets as target_rows
from hostgate.planning.advice import FITS, Advice, advise
from hostgate.planning.mechanism import Mechanism, main_targets, mechanism, targets
from hostgate.planning.plan import plan
from hostgate.planning.survey import HostVerdict, Survey
from hostgate.planning.targets import Target, row

HOST = "cgr.dev"
HOSTS = selection([entry(HOST)])
BY_NAME = "gcp:by-name"


def survey(word: Any, target: str = "gcp:fqdn", family: Any = "own-lookup", host: str = HOST) -> Survey:
    verdict = HostVerdict(target=target, family=family, verdict=word, reason=f"it is {word}.")
    return Survey(date(2026, 11, 20), {host: (verdict,)})


def of(target: str, hosts: Selection = HOSTS, about: Survey | None = None, entry_id: str | None = None) -> Advice:
    """What `target` advises on the one host, or on the entry that is named."""
    (found,) = [each for each in advise(hosts, about) if entry_id in (None, each.entry.id)]
    return next(each for each in found.advice if each.target == target)


@pytest.fixture
def by_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second mechanism beside gcp:fqdn, which says the same and reads names."""
    base: type[Mechanism[Any]] = type(mechanism("gcp:fqdn"))
    wire = replace(base.means[0], sight="name-and-port", ttl_family="wire", lookup=None)
    module = ModuleType("by_name")
    module.MECHANISM = type("ByName", (base,), {"target": BY_NAME, "means": (wire,)})()  # type: ignore[attr-defined]
    rows = {
        **target_rows._rows(),
        BY_NAME: Target(name=BY_NAME, mechanism="by_name", component="by_name:ByName", outputs=()),
    }
    monkeypatch.setitem(sys.modules, "by_name", module)
    monkeypatch.setattr(target_rows, "_rows", lambda: rows)
    yield
    mechanism.cache_clear()


class TestFit:
    @pytest.mark.parametrize("target", ["aws:rules", "azure:application-rules"])
    def test_what_reads_names_is_ok_whatever_the_ttl(self, target: str) -> None:
        assert of(target).fit == "ok"
        assert "TTL and rotation do not matter" in of(target).why

    def test_what_resolves_for_itself_is_unknown_without_a_survey(self) -> None:
        found = of("gcp:fqdn")
        assert found.fit == "unknown"
        assert "no survey says how they behave. The vendor advises against TTLs under 90 s." in found.why

    @pytest.mark.parametrize("word", ["ok", "risky", "unknown", "unfit"])
    def test_with_a_survey_its_verdict_is_the_fit_and_its_reason_is_why(self, word: str) -> None:
        found = of("gcp:fqdn", about=survey(word))
        assert (found.fit, found.why) == (word, f"it is {word}.")

    def test_a_host_that_the_survey_lacks_is_unknown(self) -> None:
        found = of("gcp:fqdn", about=survey("ok", host="other.example"))
        assert found.fit == "unknown"
        assert "cgr.dev was not surveyed for it" in found.why

    def test_a_name_that_the_survey_could_not_resolve_is_unknown_on_the_wire_too(self) -> None:
        assert of("aws:rules", about=survey("unknown", "aws:rules", "wire")).fit == "unknown"

    def test_what_a_mechanism_cannot_say_is_refused_with_its_own_reason_and_the_nearest(self) -> None:
        found = of("gcp:fqdn", selection([entry(HOST, match="subtree")]))
        assert found.fit == "refused"
        assert found.why.startswith("FQDN objects take exact names only. Found: subtree of cgr.dev.")
        assert "Nearest:" in found.why

    def test_conditions_of_a_mechanism_beside_kinds_and_ports_are_asked(self) -> None:
        assert of("azure:application-rules", selection([entry(HOST, families=("ipv6",))])).fit == "refused"
        tcp = selection([entry(HOST, protocol="tcp", port=22)])
        assert of("aws:rules", tcp).fit == "refused"
        given = mechanism("aws:rules").options(addresses={tcp.entries[0].id: ["192.0.2.1"]})
        (found,) = advise(tcp, asked=["aws:rules"], options={"aws:rules": given})
        assert found.advice[0].fit == "unknown"

    def test_a_protocol_that_no_way_takes_is_refused_and_needs_nothing(self) -> None:
        found = of("aws:domain-list", selection([entry(HOST, protocol="tcp")]))
        assert (found.fit, found.means) == ("refused", None)
        assert found.as_json()["needs"] == []

    def test_an_accepted_widening_fits_and_is_said(self) -> None:
        hosts = selection([entry(HOST, "wide", match="subtree")])
        wide = hosts.accepting([Acceptance(finding="apex-included", entry="wide", because="ours")])
        assert of("aws:domain-list", hosts).fit == "refused"
        found = of("aws:domain-list", wide)
        assert found.fit == "ok"
        assert found.why.startswith("Wider than asked, as apex-included is accepted.")

    def test_what_is_not_to_be_opened_gets_no_advice(self) -> None:
        hosts = selection([entry(HOST, status="mistaken"), entry("in.example", direction="ingress")])
        assert advise(hosts) == ()

    def test_what_opens_a_recorded_mistake_is_refused_everywhere(self) -> None:
        ours = select("chainguard/images@2024-03-28")
        bad = replace(ours, entries=(entry(ours.mistakes[0].entry.host, "bad"),))
        assert {each.fit for host in advise(bad) for each in host.advice} == {"refused"}


class TestAlternatives:
    HOSTS = select("chainguard/images@2024-03-28")

    @pytest.mark.parametrize(("target", "fit"), [("aws:rules", "ok"), ("gcp:fqdn", "refused")])
    def test_an_entry_that_another_covers_says_so_and_keeps_its_own_fit(self, target: str, fit: str) -> None:
        found = of(target, self.HOSTS, entry_id="r2-any-bucket")
        assert found.fit == fit
        assert found.why.startswith("r2-account-host is enough (alternatives: blob-storage)")

    def test_the_one_that_is_enough_says_nothing_of_it(self) -> None:
        assert "enough" not in of("aws:rules", self.HOSTS, entry_id="r2-account-host").why


class TestOrder:
    def test_the_best_comes_first_and_the_main_target_of_a_cloud_before_its_others(self) -> None:
        (found,) = advise(HOSTS, survey("unfit"))
        fits = [each.fit for each in found.advice]
        assert fits == sorted(fits, key=FITS.index)
        ok = [each.target for each in found.advice if each.fit == "ok"]
        assert ok[:2] == [target for target in main_targets() if target in ok]
        assert [each.target for each in found.advice if each.fit == "unfit"] == ["gcp:fqdn"]

    def test_what_judges_questions_only_comes_after_what_sees_connections(self) -> None:
        ok = [each.target for each in advise(HOSTS)[0].advice if each.fit == "ok"]
        assert ok[-1] == "aws:dns-firewall"

    def test_every_registered_target_is_asked_or_those_that_are_named(self) -> None:
        assert {each.target for each in advise(HOSTS)[0].advice} == set(targets())
        assert [each.target for each in advise(HOSTS, asked=["gcp:fqdn"])[0].advice] == ["gcp:fqdn"]


class TestJson:
    def test_it_is_the_shape_that_tools_rely_on(self) -> None:
        found = advise(HOSTS, asked=["gcp:fqdn"])[0].as_json()
        assert {key: found[key] for key in ("entry", "host", "port")} == {"entry": "cgr-dev", "host": HOST, "port": 443}
        (one,) = found["advice"]
        assert set(one) == {"target", "fit", "why", "needs", "opens", "costs", "evidence"}
        assert (one["target"], one["fit"]) == ("gcp:fqdn", "unknown")
        assert any("outbound DNS server policy" in need for need in one["needs"])
        assert one["evidence"]["kind"] == "documented"


class TestFindings:
    """`no-survey`, and each verdict that is not ok, name what fits on the same cloud."""

    def said(self, id_: str, hosts: Selection = HOSTS, **options: Any) -> str:
        (one,) = [each for each in plan(hosts, "gcp:fqdn", **options).findings if each.id == id_]
        return one.message

    @pytest.mark.usefixtures("by_name")
    @pytest.mark.parametrize("word", ["risky", "unknown", "unfit"])
    def test_a_host_that_is_not_ok_is_told_what_is_ok_on_its_cloud(self, word: str) -> None:
        message = self.said(f"survey-{word}", survey=survey(word))
        assert "On gcp these would be ok: " in message
        assert BY_NAME in message
        assert "aws:" not in message

    @pytest.mark.usefixtures("by_name")
    def test_without_a_survey_what_needs_none_on_the_same_cloud_is_named(self) -> None:
        assert self.said("no-survey").rpartition("On gcp these need none: ")[2].rstrip(".").split(", ")[-1] == BY_NAME

    @pytest.mark.usefixtures("by_name")
    def test_what_needs_none_for_a_part_of_the_hosts_says_for_how_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        way = mechanism(BY_NAME).means[0]
        monkeypatch.setattr(type(mechanism(BY_NAME)), "means", (replace(way, ports=range(443, 444)),))
        hosts = selection([entry(HOST), entry("two.example", port=8443)])
        assert f"{BY_NAME} (1 of them)" in self.said("no-survey", hosts)

    def test_where_nothing_of_the_cloud_is_ok_others_are_named(self) -> None:
        tcp = selection([entry(HOST, protocol="tcp")])
        seen = survey("unfit", "azure:application-rules")
        seen = replace(seen, hosts={HOST: (*seen.hosts[HOST], *survey("ok").hosts[HOST])})
        (one,) = [
            each for each in plan(tcp, "azure:application-rules", survey=seen).findings if each.id == "survey-unfit"
        ]
        assert "Nothing else on azure would be ok; on others: gcp:fqdn." in one.message

    @pytest.mark.parametrize("target", [each for each in targets() if row(each).cloud != "gcp"])
    def test_what_resolves_nothing_for_itself_has_no_such_finding(self, target: str) -> None:
        assert not [each for each in plan(HOSTS, target).findings if each.id == "no-survey"]


class TestShortTtlsOnGoogleCloud:
    """The reference revision with a survey in which every host rotates: what names can be filtered by fits all of them."""

    def test_each_host_has_a_mechanism_that_fits_and_its_plan_opens_it(self) -> None:
        hosts = select("chainguard/images@2024-03-28", choose={"blob-storage": "r2-any-bucket"})
        rotating = HostVerdict(
            target="gcp:fqdn", family="own-lookup", verdict="unfit", reason="an answer holds 2 of 32 A addresses."
        )
        about = Survey(date(2026, 11, 20), {each.host: (rotating,) for each in hosts.entries})
        for found in advise(hosts, about):
            of_cloud = [each for each in found.advice if each.target.startswith("gcp:")]
            assert [each.target for each in of_cloud if each.fit == "ok"] == ["gcp:url-filter", "gcp:web-proxy"], found
            assert next(each for each in of_cloud if each.target == "gcp:fqdn").fit in ("unfit", "refused")
        for target in ("gcp:url-filter", "gcp:web-proxy"):
            made = plan(hosts, target, survey=about)
            assert made.ok
            allowed = {each.entry.id for each in made.decisions if each.outcome == "allowed"}
            assert allowed == {each.id for each in hosts.entries} - {"r2-account-host"}
            assert made.verdict(Flow("any-bucket.r2.cloudflarestorage.com")).allows
