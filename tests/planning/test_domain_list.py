"""aws:domain-list: the guard ahead of the lists, and what a leading dot includes."""

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan, draft, plan

TARGET = "aws:domain-list"
WILD = entry("vendor.example", "wild", match="subtree+apex")


def named(made: Plan, name: str) -> CloudObject:
    return next(each for each in made.objects if each.name == name)


def targets_of(made: Plan, name: str = "hostgate-list") -> list[str]:
    return list(named(made, name).body["RuleGroup"]["RulesSource"]["RulesSourceList"]["Targets"])


def guard(made: Plan) -> list[str]:
    return (named(made, "hostgate-guard").text or "").splitlines()


def test_an_exact_host_has_no_dot_and_a_subtree_with_apex_has_one() -> None:
    assert targets_of(plan(selection([entry(), WILD]), TARGET)) == [".vendor.example", "cgr.dev"]


def test_no_target_is_listed_twice() -> None:
    hosts = [entry("cgr.dev", "a"), entry("cgr.dev", "b", port=8443), entry("cgr.dev", "c", protocol="tls", port=9443)]
    assert targets_of(plan(selection(hosts), TARGET)) == ["cgr.dev"]


def test_tls_and_http_hosts_are_in_lists_of_their_own() -> None:
    made = plan(selection([entry(), entry("plain.example.com", protocol="http", port=80)]), TARGET)
    assert targets_of(made) == ["cgr.dev"]
    assert targets_of(made, "hostgate-list-http") == ["plain.example.com"]
    kinds = [named(made, name).body["RuleGroup"]["RulesSource"]["RulesSourceList"] for name in ("hostgate-list", "hostgate-list-http")]  # fmt: skip  # noqa: E501
    assert [(each["TargetTypes"], each["GeneratedRulesType"]) for each in kinds] == [
        (["TLS_SNI"], "ALLOWLIST"),
        (["HTTP_HOST"], "ALLOWLIST"),
    ]


class TestGuard:
    def test_the_guard_comes_before_the_lists(self) -> None:
        references = named(plan(selection([entry()]), TARGET), "hostgate").body["FirewallPolicy"]["StatefulRuleGroupReferences"]  # fmt: skip  # noqa: E501
        order = [
            each["ResourceArn"].rpartition("/")[2] for each in sorted(references, key=lambda each: each["Priority"])
        ]
        assert order == ["hostgate-edge", "hostgate-guard", "hostgate-list"]

    def test_a_listed_host_is_cut_on_every_other_port(self) -> None:
        made = plan(selection([entry()]), TARGET)
        (rule,) = guard(made)
        assert rule.startswith("drop tls any any -> any !443 ")
        for port, passes in ((443, True), (8443, False), (80, False)):
            verdict = made.verdict(Flow("cgr.dev", port))
            assert verdict.allows is passes
            assert passes or (verdict.rule or "").startswith("hostgate-guard#")

    def test_two_ports_of_one_host_share_a_rule(self) -> None:
        made = plan(selection([entry("cgr.dev", "a"), entry("cgr.dev", "b", port=8443)]), TARGET)
        (rule,) = guard(made)
        assert " ![443,8443] " in rule
        assert made.verdict(Flow("cgr.dev", 8443)).allows

    @pytest.mark.parametrize(
        "flow", [Flow("other.example", 8443), Flow("cgr.dev", 8443, "tcp"), Flow("cgr.dev", 22, "tcp")]
    )
    def test_other_traffic_is_not_the_guards_business(self, flow: Flow) -> None:
        verdict = plan(selection([entry()]), TARGET).verdict(flow)
        assert "guard" not in (verdict.rule or "")
        assert "default drops" in verdict.why

    def test_where_nothing_is_denied_the_guard_denies_nothing(self) -> None:
        made = plan(selection([entry()]), TARGET, deny="none")
        assert made.verdict(Flow("cgr.dev", 8443)).allows
        assert made.verdict(Flow("other.example", 8443)).allows

    def test_in_audit_the_guard_only_logs(self) -> None:
        made = plan(selection([entry()]), TARGET, mode="audit")
        assert [line.split()[0] for line in guard(made)] == ["alert"]
        assert made.verdict(Flow("cgr.dev", 8443)).allows


class TestRefusals:
    def test_a_subtree_is_refused_because_the_dot_includes_the_apex(self) -> None:
        made = plan(selection([entry("vendor.example", match="subtree")]), TARGET)
        assert made.refused
        assert "apex-included" in made.problems[0].message
        assert "aws:rules" in made.problems[0].message

    def test_the_accepted_apex_passes_and_nothing_else_does(self) -> None:
        accept = [Acceptance(finding="apex-included", entry="wild", because="known")]
        made = plan(selection([entry("vendor.example", "wild", match="subtree")], accept=accept), TARGET)
        assert made.verdict(Flow("vendor.example")).allows
        assert made.verdict(Flow("a.b.vendor.example")).allows
        assert not made.verdict(Flow("notvendor.example")).allows

    def test_one_label_cannot_be_accepted_because_apex_and_depth_would_both_open(self) -> None:
        made = plan(selection([entry("vendor.example", match="one-label")]), TARGET)
        assert made.refused
        assert "Or accept" not in made.problems[0].message

    def test_a_wildcard_over_a_host_on_another_port_is_refused(self) -> None:
        made = plan(selection([WILD, entry("api.vendor.example", "api", port=8443)]), TARGET)
        assert [d.entry.id for d in made.decisions if d.outcome == "refused"] == ["wild"]
        assert "api" in made.problems[0].message

    def test_accepting_the_apex_does_not_lift_a_conflict_of_ports(self) -> None:
        accept = [Acceptance(finding="apex-included", entry="wild", because="known")]
        hosts = [entry("vendor.example", "wild", match="subtree"), entry("api.vendor.example", "api", port=8443)]
        made = draft(selection(hosts, accept=accept), TARGET)  # `plan` would call the acceptance unused
        assert made.refused

    def test_a_wildcard_over_a_host_on_the_same_port_is_fine(self) -> None:
        made = plan(selection([WILD, entry("api.vendor.example", "api")]), TARGET)
        assert made.ok
        assert made.verdict(Flow("api.vendor.example")).allows

    def test_a_host_of_another_protocol_is_no_conflict(self) -> None:
        made = plan(selection([WILD, entry("api.vendor.example", "api", protocol="http", port=80)]), TARGET)
        assert made.ok
        assert made.verdict(Flow("api.vendor.example", 80, "http")).allows

    def test_clients_cannot_be_named_on_a_list(self) -> None:
        made = plan(selection([entry()]), TARGET, from_=["10.1.0.0/16"])
        assert made.refused
        assert made.objects == ()
        for word in ("`from`", "HOME_NET", "aws:rules", "homeNet"):
            assert word in made.problems[0].message
