"""What samples become: chains, TTLs and what resolvers do to them, pools, HTTPS records, failures, shared addresses."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from answers import HOST, START, address, answered, asked, failed, run_of
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hostgate.catalog.problems import InputError
from hostgate.dns.analysis import Analysis, DisorderError, analyse, analyse_files
from hostgate.dns.document import as_json, document, read_verdicts, schema
from hostgate.dns.facts import HostFacts
from hostgate.dns.host_remarks import FINDINGS
from hostgate.dns.samples import HttpsRecord, Sample
from hostgate.dns.survey_files import as_line


def facts(*samples: Sample) -> HostFacts:
    (study,) = analyse(samples).studies
    return study.facts


def remarks(found: HostFacts) -> dict[str, str]:
    return {each.id: each.message for each in found.findings}


def written(path: Path, *records: object) -> Path:
    path.write_text("".join(as_line(each) + "\n" for each in records), "utf-8")  # type: ignore[arg-type]
    return path


class TestChainAndTtl:
    CHAIN = ((HOST, "edge.example", 300), ("edge.example", "pop.example", 20))

    def test_each_link_has_its_owner_and_the_longest_ttl_that_was_shown(self) -> None:
        found = facts(
            answered(0, "a", chain=[(HOST, "edge.example", 290), ("edge.example", "pop.example", 20)], ttl=60),
            answered(30, "a", chain=[(HOST, "edge.example", 260), ("edge.example", "pop.example", 10)], ttl=30),
        )
        assert [(link.owner, link.type, link.target, link.ttl) for link in found.chain] == [
            (HOST, "CNAME", "edge.example", 290),
            ("edge.example", "CNAME", "pop.example", 20),
            ("pop.example", "A", None, 60),
        ]

    def test_an_answer_lives_as_long_as_its_shortest_link(self) -> None:
        found = facts(answered(0, "a", chain=self.CHAIN, ttl=60), answered(10, "a", chain=self.CHAIN, ttl=50))
        assert found.ttl is not None
        assert (found.ttl.zone, found.ttl.min, found.ttl.max) == (20, 20, 20)

    def test_both_families_hang_at_the_end_of_the_chain(self) -> None:
        found = facts(
            answered(0, "a", chain=self.CHAIN), answered(1, addresses=["2001:db8::1"], chain=self.CHAIN, type="AAAA", ttl=90)
        )  # fmt: skip
        assert [(link.type, link.ttl) for link in found.chain] == [
            ("CNAME", 300),
            ("CNAME", 20),
            ("A", 60),
            ("AAAA", 90),
        ]

    def test_a_resolver_that_shortens_ttls_is_named(self) -> None:
        others = [answered(at, "a", resolver=f"10.0.0.{at}") for at in (2, 3)]
        found = facts(*others, answered(4, "a", resolver="10.0.0.9", ttl=30))
        assert found.ttl is not None
        assert found.ttl.zone == 60
        assert found.ttl.resolvers == found.chain[0].shown == {"10.0.0.2": 60, "10.0.0.3": 60, "10.0.0.9": 30}
        assert remarks(found)["ttl-differs"] == f"10.0.0.9 shortens the TTL of {HOST} A: 30 s, not 60 s."

    def test_a_resolver_that_lengthens_them_does_not_pass_for_the_zone(self) -> None:
        others = [answered(at, "a", resolver=f"10.0.0.{at}", ttl=12) for at in (2, 3)]
        found = facts(*others, answered(4, "a", resolver="10.0.0.9", ttl=60))
        assert found.ttl is not None
        assert (found.ttl.zone, found.ttl.max) == (12, 60)
        assert "lengthens" in remarks(found)["ttl-differs"]

    @pytest.mark.parametrize(
        ("honest", "minimum", "cut"),
        [
            ((5, 5, 300), (60, 60, 300), False),
            ((5, 30, 600), (60, 60, 600), False),
            ((5, 5), (60, 60), False),
            ((20, 20, 20), (300, 300, 3600), True),
        ],
        ids=["one short TTL", "several", "nothing above the minimum", "the other one cuts all to one value"],
    )
    def test_a_minimum_of_a_resolver_is_seen_over_all_hosts_and_the_honest_one_is_not_blamed(
        self, honest: tuple[int, ...], minimum: tuple[int, ...], cut: bool
    ) -> None:
        samples = [
            answered(at, "a", host=f"h{at}.example", resolver=resolver, ttl=ttls[at])
            for at in range(len(honest))
            for resolver, ttls in (("10.0.0.2", honest), ("10.0.0.9", minimum))
        ]
        found = [study.facts for study in analyse(samples).studies]
        assert [each.ttl.zone for each in found if each.ttl] == [*(minimum if cut else honest)]
        said = " ".join(remarks(each).get("ttl-differs", "") for each in found)
        assert ("10.0.0.2 shortens" in said, "10.0.0.9 lengthens" in said) == (cut, not cut)
        assert ("Of no host does it show less than 60 s" in said) == (not cut)

    def test_a_minimum_is_not_what_a_firewall_is_judged_by(self) -> None:
        samples = [
            answered(at, "a", host=f"h{at}.example", resolver=resolver, ttl=ttl)
            for at in range(2)
            for resolver, ttl in (("10.0.0.2", 5), ("10.0.0.9", 60))
        ]
        assert [study.ttl["A"] for study in analyse(samples).studies] == [5, 5]

    def test_one_host_alone_says_nothing_about_a_minimum(self) -> None:
        found = facts(answered(0, "a", resolver="10.0.0.2", ttl=5), answered(1, "a", resolver="10.0.0.9", ttl=60))
        assert "minimum" not in remarks(found)["ttl-differs"]

    def test_thirty_seconds_once_after_the_end_is_the_mark_of_a_stale_answer(self) -> None:
        found = facts(answered(0, "a", ttl=300), answered(310, "a", ttl=30), answered(341, "b", ttl=300))
        assert (found.stale, found.families["A"].answers, found.families["A"].repeats) == (1, 2, 1)
        assert found.ttl is not None
        assert found.ttl.min == 300
        assert "stale-answers" in remarks(found)

    @pytest.mark.parametrize(
        "second",
        [
            pytest.param(answered(270, "a", ttl=30), id="what-is-left"),
            pytest.param(answered(310, "b", ttl=30), id="other-addresses"),
        ],
    )
    def test_thirty_seconds_may_also_be_what_they_say(self, second: Sample) -> None:
        assert facts(answered(0, "a", ttl=300), second).stale == 0

    def test_a_zone_whose_ttl_is_thirty_seconds_is_not_stale(self) -> None:
        assert facts(*(answered(at, "a", ttl=30) for at in (0, 31, 62))).stale == 0

    def test_a_resolver_may_say_that_an_answer_is_stale(self) -> None:
        assert facts(answered(0, "a"), answered(70, "a", ede=(3,))).stale == 1

    def test_negative_answers_have_a_ttl_of_their_own(self) -> None:
        found = facts(answered(0, "a"), failed(1, "no-data", type="AAAA", negative_ttl=30))
        assert found.ttl is not None
        assert (found.ttl.zone, found.ttl.negative) == (60, 30)

    def test_aliases_that_change_are_counted_and_the_commonest_is_shown(self) -> None:
        one, other = [(HOST, "one.example", 60)], [(HOST, "other.example", 60)]
        found = facts(answered(0, "a", chain=one), answered(61, "b", chain=other), answered(122, "b", chain=other))
        assert (found.chains, found.chain[0].target) == (2, "other.example")
        assert "aliases-change" in remarks(found)

    def test_a_zone_that_invents_aliases_without_end_does_not_fill_the_memory(self) -> None:
        found = facts(*(answered(at * 61, "a", chain=[(HOST, f"{at}.example", 60)]) for at in range(500)))
        assert found.chains == 64


class TestFamilies:
    def test_the_figures_are_those_of_the_pool(self) -> None:
        found = facts(*asked({HOST: (16, 4)}, hours=8))
        family = found.families["A"]
        assert (family.answer, family.seen, family.pool, family.miss, family.known) == (4, 16, 16, 0, True)
        assert family.miss_interval[1] == pytest.approx(3 / family.sightings, rel=0.1)
        assert family.new_per_day == 0

    def test_ipv4_and_ipv6_are_kept_apart(self) -> None:
        found = facts(answered(0, "a", "b"), answered(1, addresses=["2001:db8::1"], type="AAAA"))
        assert {name: family.seen for name, family in found.families.items()} == {"A": 2, "AAAA": 1}

    def test_asking_a_cache_again_tells_nothing_new(self) -> None:
        found = facts(*(answered(at, "a", ttl=60 - at) for at in range(0, 60, 5)))
        assert (found.families["A"].answers, found.families["A"].repeats) == (1, 11)

    def test_the_same_resolver_at_two_vantage_points_is_two_caches(self) -> None:
        found = facts(answered(0, "a", vantage="one"), answered(20, "a", vantage="two"))
        assert found.families["A"].answers == 2


class TestAgreement:
    def test_resolvers_that_know_the_same_pool_agree(self) -> None:
        found = facts(*asked({HOST: (16, 4)}, hours=4, resolvers=("10.0.0.2", "10.0.0.3")))
        agreement = found.agreement["A"]
        assert (agreement.resolvers, agreement.jaccard) == (("10.0.0.2", "10.0.0.3"), ((1, 1), (1, 1)))
        assert agreement.foreign == 0

    def test_resolvers_with_addresses_of_their_own_disagree(self) -> None:
        found = facts(*(
            answered(at * 61 + number, *letters, resolver=f"10.0.0.{number + 2}")
            for at in range(60)
            for number, letters in enumerate(("ab", "ac", "ab"))
        ))  # fmt: skip
        agreement = found.agreement["A"]
        assert agreement.jaccard[0] == (1, 0.3333, 1)
        assert agreement.foreign == pytest.approx(0.5, abs=0.01)
        assert "50% of what one of 3 resolvers answers" in remarks(found)["resolvers-disagree"]

    def test_few_answers_are_no_disagreement(self) -> None:
        """Two samples of a large pool have little in common, and agree."""
        found = facts(*asked({HOST: (256, 4)}, hours=0.5, resolvers=("10.0.0.2", "10.0.0.3")))
        assert found.agreement["A"].jaccard[0][1] < 0.5
        assert found.agreement["A"].foreign == 0


class TestHttps:
    def test_its_facts_are_those_of_all_records(self) -> None:
        records = (
            HttpsRecord(priority=1, target=".", alpn=("h2", "h3"), ipv4hint=(address("a"), address("z")), ech=True),
            HttpsRecord(priority=2, target="other.example", alpn=("h2",), ipv6hint=("2001:db8::1",)),
        )
        found = facts(answered(0, "a"), answered(1, type="HTTPS", https=records))
        assert found.https is not None
        assert (found.https.ech, found.https.h3, found.https.alpn) == (True, True, ("h2", "h3"))
        assert found.https.hints_outside == (address("z"), "2001:db8::1")
        assert found.https.aliases == ("other.example",)
        assert {"ech", "h3", "hints-outside"} <= set(remarks(found))

    def test_hints_that_answers_held_are_not_outside(self) -> None:
        record = HttpsRecord(priority=1, target=".", ipv4hint=(address("a"),))
        found = facts(answered(0, "a"), answered(1, type="HTTPS", https=(record,)))
        assert found.https is not None
        assert found.https.hints_outside == ()

    def test_a_host_without_the_record_has_none(self) -> None:
        assert facts(answered(0, "a"), failed(1, "no-data", type="HTTPS")).https is None


class TestFailures:
    def test_lookups_are_counted_by_cause(self) -> None:
        found = facts(answered(0, "a"), failed(1), failed(2, "servfail"), failed(3), failed(4, "no-data", type="AAAA"))
        assert found.lookups == {"A": {"answer": 1, "timeout": 2, "servfail": 1}, "AAAA": {"no-data": 1}}
        assert remarks(found)["failing"] == "3 of 5 lookups failed: 1 servfail, 2 timeout."

    def test_a_name_without_addresses_is_not_a_failure_of_the_measurement(self) -> None:
        found = facts(*(failed(at, "nxdomain") for at in range(3)))
        assert remarks(found) == {"unresolved": "3 lookups, no address: 3 nxdomain."}
        assert (found.chain, found.ttl, found.families) == ((), None, {})

    def test_a_host_that_was_never_reached_is_in_the_result(self) -> None:
        found = analyse([run_of(HOST, "never.example")]).studies
        assert [study.facts.host for study in found] == [HOST, "never.example"]
        assert remarks(found[1].facts) == {"unresolved": "0 lookups, no address: none asked."}

    def test_notes_and_truncation_are_remarked(self) -> None:
        found = facts(
            answered(0, "a", truncated=True, tcp=True, notes=("unequal-ttls",)), failed(1, notes=("partial-chain",))
        )
        assert found.truncated == 1
        assert {"truncated", "unequal-ttls", "partial-chain"} <= set(remarks(found))


class TestSharedAddresses:
    def test_hosts_with_one_address_are_told_of_each_other(self) -> None:
        found = analyse([answered(0, "a"), answered(1, "a", "b", host="b.example"), answered(2, "c", host="c.example")])
        assert [(each.address, each.hosts) for each in found.shared] == [(address("a"), ("b.example", HOST))]
        by_host = {study.facts.host: study.facts for study in found.studies}
        assert by_host[HOST].shares_with == ("b.example",)
        assert by_host["c.example"].shares_with == ()
        assert remarks(by_host[HOST])["shared-addresses"] == "Shares addresses with b.example."

    def test_a_long_list_of_neighbours_is_cut(self) -> None:
        found = analyse([answered(at, "a", host=f"{at}.example") for at in range(9)])
        assert remarks(found.studies[0].facts)["shared-addresses"].endswith(" and 3 more.")


class TestOrder:
    def test_samples_out_of_order_are_refused(self) -> None:
        with pytest.raises(DisorderError, match="comes after"):
            analyse([answered(3600, "a"), answered(0, "a")])

    def test_files_of_two_vantage_points_are_read_in_order_of_time(self, tmp_path: Path) -> None:
        one = written(tmp_path / "one", run_of(), *asked({HOST: (16, 4)}, hours=2))
        other = written(tmp_path / "other", run_of(vantage="home"), *asked({HOST: (16, 4)}, hours=2, seed=1))
        joined = tmp_path / "joined"
        joined.write_bytes(one.read_bytes() + other.read_bytes())
        both = analyse_files([one, other])
        assert both.studies[0].facts == analyse_files([joined]).studies[0].facts
        assert both.studies[0].facts.families["A"].answers == 2 * len(list(asked({HOST: (16, 4)}, hours=2)))

    @given(st.permutations(["a.example", "b.example", "c.example"]))
    def test_the_order_of_hosts_does_not_matter(self, hosts: list[str]) -> None:
        samples = [answered(at, "a", host=host) for at, host in enumerate(hosts)]
        assert [study.facts.host for study in analyse(samples).studies] == sorted(hosts)

    @given(st.lists(st.permutations("abcd"), min_size=1, max_size=20))
    def test_the_order_of_addresses_within_an_answer_does_not_matter(self, answers: list[list[str]]) -> None:
        shuffled = [answered(at * 61, *letters) for at, letters in enumerate(answers)]
        ordered = [answered(at * 61, *"abcd") for at in range(len(answers))]
        assert facts(*shuffled) == facts(*ordered)


class TestDocument:
    @staticmethod
    def analysis() -> Analysis:
        https = HttpsRecord(priority=1, target=".", alpn=("h3",), ech=True)
        return analyse([
            run_of(HOST, "gone.example", not_surveyed=(("subtree of x.example", "a wildcard"),)),
            *asked({HOST: (16, 4), "gone.example": (0, 0)}, hours=1, resolvers=("10.0.0.2", "10.0.0.3")),
            answered(3700, type="HTTPS", https=(https,), ttl=60),
        ])  # fmt: skip

    def test_it_holds_to_its_schema(self) -> None:
        Draft202012Validator.check_schema(schema())
        Draft202012Validator(schema()).validate(as_json(document(self.analysis())))

    def test_the_schema_refuses_what_is_no_verdict(self) -> None:
        made = as_json(document(self.analysis()))
        made["hosts"][0]["verdicts"][0]["verdict"] = "fine"
        assert list(Draft202012Validator(schema()).iter_errors(made))

    def test_its_keys_are_those_that_tools_rely_on(self) -> None:
        made = as_json(document(self.analysis(), ["gcp:fqdn"]))
        host = made["hosts"][0]
        assert set(made) == {"form", "began", "ended", "vantages", "resolvers", "hosts", "shared", "not_surveyed"}
        assert {"host", "chain", "ttl", "families", "verdicts", "findings"} <= set(host)
        assert {"zone", "min", "max"} <= set(host["ttl"])
        assert {"answer", "seen", "pool", "miss"} <= set(host["families"]["A"])
        (verdict,) = host["verdicts"]
        assert {"target", "verdict", "reason", "false_drop", "refresh_s", "grace_s"} <= set(verdict)
        assert made["began"] == "2026-09-21T14:13:20Z"
        assert made["not_surveyed"] == [{"entry": "subtree of x.example", "reason": "a wildcard"}]

    def test_every_remark_is_registered(self) -> None:
        found = {each.id for study in self.analysis().studies for each in study.facts.findings}
        assert found
        assert found <= set(FINDINGS)

    def test_what_it_prints_and_what_it_was_made_from_read_as_the_same_verdicts(self, tmp_path: Path) -> None:
        samples = written(tmp_path / "samples", run_of(), *asked({HOST: (16, 4)}, hours=3))
        printed = tmp_path / "printed"
        printed.write_text(json.dumps(as_json(document(analyse_files([samples]))), indent=1), "utf-8")
        assert read_verdicts(samples) == read_verdicts(printed)
        assert read_verdicts(samples).hosts[HOST]

    @pytest.mark.parametrize(
        ("text", "rule", "said"),
        [
            ("", "survey-document", "Found no JSON"),
            ("{}", "survey-document", "`form`"),
            ('{"form": 2, "ended": null, "hosts": []}', "survey-document", "`form`: 2"),
            ('{"form": 1, "ended": null, "hosts": []}', "survey-empty", "nothing was asked"),
            ("a b", "survey-document", "Found no JSON"),
            ('{"form": 1, "ended": "2026-09-22T00:00:00Z", "hosts": [{"host": "a", "verdicts": [{"target": "x"}]}]}',
             "survey-document", "`hosts.0.verdicts.0"),
            (as_line(run_of()) + "\n", "survey-empty", "nothing was asked"),
            (as_line(run_of()) + "\nx\n", "survey-line", "no JSON"),
        ],
    )  # fmt: skip
    def test_a_file_that_is_none_is_refused_with_what_is_allowed(
        self, tmp_path: Path, text: str, rule: str, said: str
    ) -> None:
        path = tmp_path / "survey"
        path.write_text(text, "utf-8")
        with pytest.raises(InputError) as caught:
            read_verdicts(path)
        (problem,) = caught.value.problems
        assert (problem.rule, problem.file) == (rule, str(path))
        assert said in problem.message

    def test_a_file_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file"):
            read_verdicts(tmp_path / "none")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("false_drop", 7),
            ("reason", "\x1b[2Jall is well"),
            ("caveats", ["a\nb"]),
            ("verdict", "fine"),
            ("grace_s", "1"),
        ],
    )
    def test_a_value_that_no_verdict_can_have_is_refused(self, tmp_path: Path, key: str, value: object) -> None:
        made = as_json(document(self.analysis(), ["gcp:fqdn"]))
        made["hosts"][0]["verdicts"][0][key] = value
        path = tmp_path / "survey"
        path.write_text(json.dumps(made), "utf-8")
        with pytest.raises(InputError, match=key) as caught:
            read_verdicts(path)
        assert str(caught.value).replace("\n", "").isprintable()

    def test_the_day_is_that_of_the_last_answer(self, tmp_path: Path) -> None:
        late = replace(answered(0, "a"), at=START + 3 * 86_400)
        path = written(tmp_path / "s", run_of(), answered(0, "a"), late)
        assert str(read_verdicts(path).ended) == "2026-09-24"
