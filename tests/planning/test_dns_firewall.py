"""aws:dns-firewall: what stands in the lists, the guard of apexes, the order of rules, and what the block leaves alone."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.catalogs import entry, many, selection
from hostgate.aws import dns_firewall, evaluate_queries, resources_resolver
from hostgate.aws.dns_firewall import MECHANISM
from hostgate.aws.query_kinds import ASSOCIATION, CONFIG, DOMAIN_LIST, PROFILE_ASSOCIATION, RULE, RULE_GROUP
from hostgate.aws.resources import snapshot_of
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.snapshot import Snapshot
from hostgate.flows.verdicts import decide
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan, plan

TARGET = "aws:dns-firewall"
WILD = entry("vendor.example", "wild", match="subtree")


def of_kind(made: Plan, kind: str) -> dict[str, Any]:
    return {each.name: each.body for each in made.objects if each.kind == kind}


def domains(made: Plan) -> dict[str, list[str]]:
    return {name: body["Domains"] for name, body in of_kind(made, DOMAIN_LIST).items()}


def rules(made: Plan) -> list[tuple[str, str]]:
    """Name and action of the rules, by priority."""
    bodies = sorted(of_kind(made, RULE).values(), key=lambda body: int(body["Priority"]))
    return [(body["Name"], body["Action"]) for body in bodies]


class TestLists:
    @pytest.mark.parametrize(
        ("match", "listed", "guarded"),
        [
            ("exact", ["vendor.example"], False),
            ("subtree", ["*.vendor.example"], True),
            ("subtree+apex", ["*.vendor.example", "vendor.example"], False),
        ],
    )
    def test_each_kind_becomes_what_holds_its_names(self, match: str, listed: list[str], guarded: bool) -> None:
        made = plan(selection([entry("vendor.example", match=match)]), TARGET)
        assert domains(made)["hostgate-hosts"] == listed
        assert ("hostgate-apexes-first" in domains(made)) == guarded

    def test_one_label_is_refused_and_accepted_reaches_deeper_but_not_the_apex(self) -> None:
        wild = entry("vendor.example", "wild", match="one-label")
        refused = plan(selection([wild]), TARGET)
        assert refused.refused
        assert "Or accept the finding deeper-names" in refused.problems[0].message
        accept = [Acceptance(finding="deeper-names", entry="wild", because="known")]
        made = plan(selection([wild], accept=accept), TARGET)
        assert [made.verdict(Flow(f"{name}vendor.example")).allows for name in ("a.", "a.b.", "", "not")] == [
            True,
            True,
            False,
            False,
        ]

    def test_one_host_on_several_ports_is_listed_once(self) -> None:
        made = plan(selection([entry("a.example", "a"), entry("a.example", "b", port=8443)]), TARGET)
        assert domains(made)["hostgate-hosts"] == ["a.example"]
        assert {d.rule for d in made.decisions} == {"hostgate-allow#a.example"}

    def test_a_list_of_seven_hundred_is_one_and_one_more_makes_two_with_a_rule_each(self) -> None:
        assert rules(plan(selection(many(700)), TARGET))[0] == ("hostgate-allow", "ALLOW")
        made = plan(selection(many(701)), TARGET)
        assert [name for name, _ in rules(made)][:2] == ["hostgate-allow-0", "hostgate-allow-1"]
        assert max(map(len, domains(made).values())) <= 1_000

    def test_every_other_name_is_written_as_the_service_stores_it(self) -> None:
        assert domains(plan(selection([entry()]), TARGET))["hostgate-everything"] == ["*."]


class TestGuard:
    def test_the_apex_is_blocked_ahead_of_the_wildcard_by_two_copies(self) -> None:
        made = plan(selection([WILD]), TARGET)
        assert rules(made) == [
            ("hostgate-guard-first", "BLOCK"),
            ("hostgate-guard-last", "BLOCK"),
            ("hostgate-allow", "ALLOW"),
            ("hostgate-pass-inside", "ALLOW"),
            ("hostgate-block", "BLOCK"),
        ]
        assert made.verdict(Flow("vendor.example")).rule == "hostgate-guard-first#vendor.example"
        assert made.verdict(Flow("a.b.vendor.example")).rule == "hostgate-allow#*.vendor.example"

    @pytest.mark.parametrize(
        "other",
        [
            entry("vendor.example", "apex", port=8443),
            entry("vendor.example", "both", match="subtree+apex"),
            entry("example.org", "above", match="subtree"),
        ],
    )
    def test_an_apex_that_another_entry_allows_is_not_guarded(self, other: Any) -> None:
        wild = entry("vendor.example.org", "wild", match="subtree") if other.id == "above" else WILD
        made = plan(selection([wild, other]), TARGET)
        assert made.verdict(Flow(wild.host)).allows
        assert wild.host not in domains(made).get("hostgate-apexes-first", [])

    def test_an_apex_in_a_zone_of_ones_own_is_not_guarded(self) -> None:
        made = plan(selection([WILD]), TARGET, inside=["example"])
        assert made.verdict(Flow("vendor.example")).allows
        assert not [name for name in domains(made) if "apexes" in name]

    def test_many_wildcards_are_guarded_in_a_moment(self) -> None:
        hosts = [entry(f"h{number}.vendor.example", match="subtree") for number in range(4_000)]
        made = plan(selection(hosts), TARGET)  # minutes, if every host were compared with every other
        assert len([name for name in domains(made) if "apexes-last" in name]) == 8

    def test_without_a_deny_nothing_is_guarded(self) -> None:
        made = plan(selection([WILD]), TARGET, deny="none")
        assert rules(made) == [("hostgate-allow", "ALLOW")]

    def test_with_a_deny_elsewhere_the_guard_stays(self) -> None:
        made = plan(selection([WILD]), TARGET, deny="declared")
        assert [name for name, _ in rules(made)] == ["hostgate-guard-first", "hostgate-guard-last", "hostgate-allow"]
        assert not made.verdict(Flow("vendor.example")).allows


class TestRules:
    def test_no_rule_judges_what_a_name_is_an_alias_of(self) -> None:
        bodies = of_kind(plan(selection([WILD, entry()]), TARGET), RULE).values()
        assert {body["FirewallDomainRedirectionAction"] for body in bodies} == {"TRUST_REDIRECTION_DOMAIN"}

    def test_audit_alerts_on_what_enforce_would_block_and_is_marked(self) -> None:
        made = plan(selection([WILD]), TARGET, mode="audit")
        assert rules(made) == [
            ("hostgate-audit-guard", "ALERT"),
            ("hostgate-allow", "ALLOW"),
            ("hostgate-pass-inside", "ALLOW"),
            ("hostgate-audit", "ALERT"),
        ]
        assert made.verdict(Flow("evil.example")).rule == "hostgate-audit"

    @pytest.mark.parametrize(
        ("options", "response"),
        [
            ({}, {"BlockResponse": "NODATA"}),
            ({"block_response": "NXDOMAIN"}, {"BlockResponse": "NXDOMAIN"}),
            (
                {"block_response": "OVERRIDE", "override_domain": "blocked.acme.example", "override_ttl": 60},
                {
                    "BlockResponse": "OVERRIDE",
                    "BlockOverrideDomain": "blocked.acme.example",
                    "BlockOverrideDnsType": "CNAME",
                    "BlockOverrideTtl": 60,
                },
            ),
        ],
    )
    def test_a_blocked_query_is_answered_as_told(self, options: dict[str, Any], response: dict[str, Any]) -> None:
        made = plan(selection([entry()]), TARGET, options)
        block = of_kind(made, RULE)["hostgate-block"]
        assert {key: value for key, value in block.items() if key.startswith("Block")} == response
        assert any(one.id == "nxdomain-below" for one in made.findings) == (response["BlockResponse"] == "NXDOMAIN")

    def test_names_of_the_vpc_and_of_own_zones_pass_under_the_default_deny_only(self) -> None:
        names = ("ip-10-1-2-3.eu-central-1.compute.internal", "3.2.1.10.in-addr.arpa", "db.corp", "corp")
        for options, passing in (
            ({"inside": ["corp"]}, [True, True, True, True]),
            ({}, [True, True, False, False]),
            ({"deny": "all"}, [False, False, False, False]),
            ({"deny": "declared", "inside": ["corp"]}, [False, False, True, True]),
        ):
            made = plan(selection([entry()]), TARGET, options)
            assert [made.verdict(Flow(name)).allows for name in names] == passing, options

    @pytest.mark.parametrize(
        ("name", "passes"),
        [
            ("ip-10-0-0-1.compute-1.internal", True),
            ("ip-10-0-0-1.ec2.internal", True),
            ("localhost", True),
            ("db.localhost", True),
            ("1.0.0.127.in-addr.arpa", True),
            ("localhost.evil.example", False),
            ("ec2-198-51-100-7.eu-central-1.compute.amazonaws.com", False),
            ("ec2-198-51-100-7.compute-1.amazonaws.com", False),
            ("compute-1.amazonaws.com", False),
        ],
    )
    def test_what_the_resolver_answers_for_itself_passes_and_public_names_of_instances_do_not(
        self, name: str, passes: bool
    ) -> None:
        assert plan(selection([entry()]), TARGET).verdict(Flow(name)).allows is passes

    @pytest.mark.parametrize("deny", ["internet", "all"])
    def test_public_names_of_instances_are_named_among_what_is_cut(self, deny: str) -> None:
        (cut,) = [one for one in plan(selection([entry()]), TARGET, deny=deny).findings if one.id == "deny-cuts"]
        assert "REGION.compute.amazonaws.com, compute-1.amazonaws.com" in cut.message

    def test_a_reverse_lookup_of_a_public_address_is_blocked(self) -> None:
        made = plan(selection([entry()]), TARGET)
        assert not made.verdict(Flow("7.100.51.198.in-addr.arpa")).allows
        assert not made.verdict(Flow("1.32.172.in-addr.arpa")).allows


class TestVpcs:
    def test_each_vpc_gets_an_association_and_its_fail_mode(self) -> None:
        made = plan(selection([entry()]), TARGET, vpcs=["vpc-0a1b2c3d", "vpc-0a1b2c3e"], base=200)
        assert {(body["VpcId"], body["Priority"]) for body in of_kind(made, ASSOCIATION).values()} == {
            ("vpc-0a1b2c3d", 200),
            ("vpc-0a1b2c3e", 200),
        }
        assert {body["FirewallFailOpen"] for body in of_kind(made, CONFIG).values()} == {"DISABLED"}

    @pytest.mark.parametrize(("mode", "configs"), [("open", ["ENABLED"]), ("closed", ["DISABLED"]), ("unset", [])])
    def test_the_fail_mode_is_said_or_left_alone(self, mode: str, configs: list[str]) -> None:
        made = plan(selection([entry()]), TARGET, vpcs=["vpc-0a1b2c3d"], fail_mode=mode)
        assert [body["FirewallFailOpen"] for body in of_kind(made, CONFIG).values()] == configs
        assert any(one.id == "fail-open" for one in made.findings) == (mode == "open")

    def test_each_profile_gets_an_association_with_the_priority_and_no_fail_mode(self) -> None:
        made = plan(selection([entry()]), TARGET, profiles=["rp-0a1b", "rp-4987774726example"], base=200)
        assert {
            (body["ProfileId"], body["ResourceProperties"]) for body in of_kind(made, PROFILE_ASSOCIATION).values()
        } == {
            ("rp-0a1b", '{"priority": 200}'),
            ("rp-4987774726example", '{"priority": 200}'),
        }
        assert not of_kind(made, ASSOCIATION)
        assert not of_kind(made, CONFIG)
        assert "not-enforced" not in {one.id for one in made.findings}

    def test_only_a_vpc_of_its_own_has_the_fail_mode_of_the_plan(self) -> None:
        both = {"vpcs": ["vpc-0a1b2c3d"], "profiles": ["rp-0a1b"]}
        for options, closes in ((both, True), ({"profiles": ["rp-0a1b"]}, False), ({"vpcs": ["vpc-0a1b2c3d"]}, True)):
            made = plan(selection([entry()]), TARGET, options)
            told = MECHANISM.enforcement(made.options).traffic
            assert ("queries while DNS Firewall does not answer" in told) == closes

    def test_without_a_vpc_the_plan_says_that_nobody_is_judged(self) -> None:
        said = [one.message for one in plan(selection([entry()]), TARGET).findings if one.id == "not-enforced"]
        assert "judges no query" in said[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"vpcs": ["main"]}, "Allowed: the id of a VPC"),
        ({"vpcs": ["vpc-0a1b2c3d", "vpc-0a1b2c3d"]}, "found a VPC twice"),
        ({"profiles": ["vpc-0a1b2c3d"]}, "Allowed: the id of a Route 53 Profile"),
        ({"profiles": ["rp-"]}, "Allowed: the id of a Route 53 Profile"),
        ({"profiles": ["rp-0a1b", "rp-0a1b"]}, "found a Profile twice in `profiles`"),
        ({"profiles": ["rp-0a1b"], "mutation_protection": True}, "mutationProtection with profiles"),
        ({"base": 99}, "found 99"),
        ({"base": 100}, "found 100. Allowed: greater than or equal to 101"),
        ({"base": 9901}, "found 9901"),
        ({"inside": ["*.corp.example"]}, "a star is not part of a host"),
        ({"inside": ["corp.example"], "deny": "all"}, "`inside` with deny 'all'"),
        ({"block_response": "OVERRIDE"}, "OVERRIDE and a domain together"),
        ({"override_domain": "x.example"}, "OVERRIDE and a domain together"),
        ({"block_response": "OVERRIDE", "override_domain": "x"}, "overrideDomain: Found the single label"),
        ({"override_ttl": 60}, "overrideTtl without overrideDomain"),
        ({"override_ttl": 604_801}, "found 604801"),
        ({"fail_mode": "ajar"}, "found 'ajar'"),
        ({"from": ["10.0.0.0/8"]}, "is no key here"),
    ],
)
def test_options_that_do_not_hold_say_why(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        plan(selection([entry()]), TARGET, options)
    assert said in str(error.value)


def objects(*made: tuple[int, str, list[str]], **more: Any) -> list[CloudObject]:
    """Rules of priority and action, each with a list of its own, as somebody else may have made them."""
    found = []
    for priority, action, listed in made:
        body = {"Priority": priority, "Action": action, "FirewallDomainListId": f"l{priority}", **more}
        found.append(CloudObject(kind=DOMAIN_LIST, name=f"l{priority}", body={"Domains": listed}))
        found.append(CloudObject(kind=RULE, name=f"r{priority}", body=body))
    return found


TRUSTS = {"FirewallDomainRedirectionAction": "TRUST_REDIRECTION_DOMAIN"}


def judge(made: list[CloudObject], flow: Flow) -> Verdict:
    """What a group of those rules does with the query before `flow`; a name that no rule holds is blocked by nobody."""
    snapshot = snapshot_of([*made, CloudObject(kind=RULE_GROUP, name="g", body={})])
    (group,) = snapshot.of_types([resources_resolver.RULE_GROUP])
    ending = replace(evaluate_queries.ANSWERED, action="block", why="nobody")
    return decide(evaluate_queries.group_place(snapshot, group, ending), flow)


class TestEvaluation:
    """The cloud's own rules, on objects that hostgate would not make."""

    def test_the_lowest_priority_that_matches_decides(self) -> None:
        both = objects((20, "ALLOW", ["a.example"]), (10, "BLOCK", ["*.example"]))
        assert judge(both, Flow("a.example")).rule == "r10#*.example"

    def test_a_group_that_the_stack_only_reads_may_have_rules_of_others(self) -> None:
        group = CloudObject(kind=RULE_GROUP, name="g", body={})
        held = snapshot_of([*objects((1, "BLOCK", ["*"])), group]).resources
        for external, action in ((False, "block"), (True, "unknown")):
            read = (replace(each, external=external) for each in held)
            (place,) = evaluate_queries.places(Snapshot(tuple(read), "a stack"))
            assert decide(place, Flow("a.example")).action == action

    @pytest.mark.parametrize("spelled", ["*", "*."])
    def test_a_lone_star_is_every_name(self, spelled: str) -> None:
        assert not judge(objects((1, "BLOCK", [spelled])), Flow("a.example")).allows

    @pytest.mark.parametrize("listed", ["A.Example.", "a.example", "*.example"])
    @pytest.mark.parametrize("asked", ["a.example", "A.EXAMPLE", "a.example."])
    def test_case_and_a_trailing_dot_make_no_difference(self, listed: str, asked: str) -> None:
        assert judge(objects((1, "ALLOW", [listed]), **TRUSTS), Flow(asked)).allows

    @pytest.mark.parametrize("action", ["ALLOW", "BLOCK"])
    def test_whether_a_wildcard_holds_its_own_name_is_an_open_question(self, action: str) -> None:
        found = judge(objects((1, action, ["*.a.example"]), (2, "ALLOW", ["b.example"]), **TRUSTS), Flow("a.example"))
        undecided = "unknown" if action == "ALLOW" else "block"  # nobody answers what the rule does not
        assert found.action == undecided
        assert judge(objects((1, action, ["*.a.example"])), Flow("b.a.example")).action != "allow"

    def test_a_rule_that_inspects_redirections_says_its_condition(self) -> None:
        found = judge(objects((1, "ALLOW", ["a.example"])), Flow("a.example"))
        assert (found.action, found.lacks) == ("unknown", ("every name that it is redirected to is listed too",))

    def test_what_a_star_without_a_dot_means_is_an_open_question(self) -> None:
        found = judge(objects((1, "ALLOW", ["*example"]), **TRUSTS), Flow("a.example"))
        assert (found.action, found.lacks) == ("unknown", ("DNS Firewall means any name by *example",))

    def test_a_dialled_address_asks_no_name(self) -> None:
        verdict = judge(objects((1, "BLOCK", ["*."])), Flow("198.51.100.7"))
        assert verdict.allows
        assert "sees nothing" in verdict.why


class TestQuotas:
    """Quotas are of an account, which can have them raised; what one request takes cannot be."""

    @pytest.mark.parametrize(
        ("quota", "code", "needs"),
        [
            (dns_firewall.GROUP_RULES, "L-F763F4D9", 3),
            (dns_firewall.ACCOUNT_LISTS, "L-9FA3C0A4", 3),
            (dns_firewall.ACCOUNT_DOMAINS, "L-740A4B31", 48),
        ],
    )
    def test_more_than_a_quota_is_warned_about_with_its_code_and_never_refused(
        self, quota: Limit, code: str, needs: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = next(name for name, value in vars(dns_firewall).items() if value is quota)
        monkeypatch.setattr(dns_firewall, name, replace(quota, max=1))

        made = plan(selection([entry()]), TARGET)

        (told,) = [one for one in made.findings if one.id == "over-quota"]
        assert (told.severity, made.refused) == ("warning", False)
        assert f"needs {needs}, allowed 1 " in told.message
        assert f"quota {code} was raised" in told.message
        assert made.objects

    def test_a_quota_says_its_code_beside_its_use(self) -> None:
        usage = {one["name"]: one["source"] for one in map(Usage.as_json, plan(selection([entry()]), TARGET).limits)}
        assert "adjustable, Service Quotas L-F763F4D9" in str(usage["rules of a rule group"])
        assert "adjustable" not in str(usage["domains of a list"])

    def test_what_a_request_takes_is_a_hard_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dns_firewall, "LIST_DOMAINS", replace(dns_firewall.LIST_DOMAINS, max=1))

        made = plan(selection([WILD]), TARGET)

        assert made.refused
        assert "domains of a list" in made.problems[0].message
