"""Several grants of hosts to clients in one plan: builders may use A and B, nodes only A."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import hostgate
from conformance.catalogs import entry, many, selection
from hostgate import Flow, Grant, InputError
from hostgate.catalog.selection import Acceptance
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan, draft, plan
from hostgate.review.plan_changes import diff
from hostgate.review.statement import read_statements, state

A, B = entry("a.example", "a"), entry("b.example", "b")
BUILDERS, NODES = "10.1.0.0/16", "10.0.0.0/8"
BUILDER, NODE, STRANGER = "10.1.2.3", "10.9.9.9", "192.168.7.7"
SEVERAL = ("aws:rules", "gcp:fqdn", "gcp:web-proxy", "azure:application-rules")
PLACE: Mapping[str, dict[str, Any]] = {"gcp:web-proxy": {"project": "acme", "region": "europe-west4"}}


def builders_and_nodes(target: str, **options: Any) -> Plan:
    wanted = [Grant("builders", selection([A, B]), [BUILDERS]), Grant("nodes", selection([A]), [NODES])]
    return plan(wanted, target, **PLACE.get(target, {}), **options)


def priorities(made: Plan) -> dict[str, int]:
    return {each.name: each.body["priority"] for each in made.objects if "priority" in each.body}


def rule(made: Plan, name: str) -> CloudObject:
    return next(each for each in made.objects if each.name == name)


@pytest.mark.parametrize("target", SEVERAL)
def test_builders_may_use_both_hosts_and_nodes_the_one_and_nobody_else_any(target: str) -> None:
    made = builders_and_nodes(target)
    answers = {
        (client, host): made.verdict(Flow(host, source=client)).allows
        for client in (BUILDER, NODE, STRANGER)
        for host in ("a.example", "b.example", "c.example")
    }
    allowed = {(BUILDER, "a.example"), (BUILDER, "b.example"), (NODE, "a.example")}
    if target == "gcp:fqdn":  # who is in no grant is judged by no rule, and the plan says so
        allowed |= {(STRANGER, host) for host in ("a.example", "b.example", "c.example")}
        assert any(one.id == "others-open" for one in made.findings)
    assert {key for key, allows in answers.items() if allows} == allowed


@pytest.mark.parametrize("target", SEVERAL)
def test_a_flow_without_a_client_is_answered_for_each_grant(target: str) -> None:
    made = builders_and_nodes(target)
    assert {grant: verdict.allows for grant, verdict in made.verdicts(Flow("a.example"))} == {
        "builders": True, "nodes": True,
    }  # fmt: skip
    assert made.verdict(Flow("a.example")).allows
    asked = made.verdict(Flow("b.example"))
    assert asked.action == "unknown"
    assert asked.lacks == ("whose client it is",)
    assert "builders: allow" in asked.why


def test_on_aws_groups_of_every_grant_come_before_one_edge_and_one_closing_group() -> None:
    made = builders_and_nodes("aws:rules", reject=True, log_allowed=True)
    policy = made.objects[-1].body["FirewallPolicy"]["StatefulRuleGroupReferences"]
    order = [each["ResourceArn"].rpartition("/")[2] for each in policy]
    assert order == ["hostgate-edge", "hostgate-builders-allow", "hostgate-nodes-allow", "hostgate-reject"]
    assert len({each["Priority"] for each in policy}) == 4
    texts = "".join(each.text or "" for each in made.objects)
    sids = [line.partition("sid:")[2] for line in texts.splitlines()]
    assert len(sids) == len(set(sids))
    assert 'msg:"hostgate acme/test a for nodes"' in texts


def test_on_google_cloud_every_allow_comes_before_every_deny_and_a_grant_without_clients_denies_for_all() -> None:
    made = builders_and_nodes("gcp:fqdn")
    found = priorities(made)
    assert (found["hostgate-builders-allow-tcp-443"], found["hostgate-nodes-allow-tcp-443"]) == (2000, 2008)
    assert max(value for name, value in found.items() if "-allow-" in name) < min(
        value for name, value in found.items() if "-allow-" not in name
    )
    assert {name for name in found if "-deny-" in name} == {"hostgate-builders-deny-ipv4", "hostgate-nodes-deny-ipv4"}

    everybody = plan([Grant("some", selection([A, B]), [BUILDERS]), Grant("all", selection([A]))], "gcp:fqdn")
    assert {name for name in priorities(everybody) if "-deny-" in name} == {
        "hostgate-all-deny-ipv4", "hostgate-all-deny-ipv6",
    }  # fmt: skip
    assert not any(one.id == "others-open" for one in everybody.findings)


def test_on_google_cloud_accounts_and_tags_and_ranges_stand_beside_each_other() -> None:
    made = plan(
        [
            Grant("a", selection([A]), ["builds@acme.iam.gserviceaccount.com", "10.1.0.0/16"]),
            Grant("b", selection([B]), ["tagValues/123"]),
            Grant("c", selection([A, B]), ["10.2.0.0/16", "fd20::/20"]),
        ],
        "gcp:fqdn",
    )
    assert rule(made, "hostgate-a-deny-ipv4").body["targetServiceAccounts"] == ["builds@acme.iam.gserviceaccount.com"]
    assert rule(made, "hostgate-a-deny-ipv4").body["match"]["srcIpRanges"] == ["10.1.0.0/16"]
    assert rule(made, "hostgate-b-deny-ipv6").body["targetSecureTags"] == [{"name": "tagValues/123"}]
    assert "targetSecureTags" not in rule(made, "hostgate-c-deny-ipv6").body
    assert len(set(priorities(made).values())) == len(priorities(made))
    tagged = Flow("b.example", source="tag:tagValues/123")
    assert made.verdict(replace(tagged, name="c.example")).action == "block"


def test_identities_of_two_grants_are_told_apart() -> None:
    a, b = "a@acme.iam.gserviceaccount.com", "b@acme.iam.gserviceaccount.com"
    made = plan([Grant("a", selection([A, B]), [a]), Grant("b", selection([A]), [b])], "gcp:fqdn")
    answers = {
        (who, host): made.verdict(Flow(host, source=f"account:{who}")).action
        for who in (a, b)
        for host in ("a.example", "b.example", "c.example")
    }
    allowed = {(a, "a.example"), (a, "b.example"), (b, "a.example")}
    assert answers == {key: "allow" if key in allowed else "block" for key in answers}


def test_a_grant_that_says_no_base_stands_where_no_other_one_does() -> None:
    wanted = [Grant("nodes", selection([A]), [NODES], base=2008), Grant("agents", selection([B]), ["10.7.0.0/16"])]
    found = priorities(plan(wanted, "gcp:fqdn"))
    assert (found["hostgate-nodes-allow-tcp-443"], found["hostgate-agents-allow-tcp-443"]) == (2008, 2016)
    assert priorities(plan(wanted[::-1], "gcp:fqdn"))["hostgate-agents-allow-tcp-443"] == 2000


def test_on_azure_each_grant_has_collections_of_its_own_in_one_group() -> None:
    made = builders_and_nodes("azure:application-rules", mode="audit")
    (group,) = (each for each in made.objects if "ruleCollections" in each.body["properties"])
    names = [each["name"] for each in group.body["properties"]["ruleCollections"]]
    assert names == ["allow-application-builders", "allow-application-nodes", "audit-network", "audit-application"]
    of = {each["name"]: each["rules"][0]["sourceAddresses"] for each in group.body["properties"]["ruleCollections"]}
    assert of["allow-application-nodes"] == [NODES]
    assert of["audit-network"] == [NODES, BUILDERS]


def test_an_entry_of_two_grants_is_decided_twice_and_told_apart_by_its_grant() -> None:
    made = builders_and_nodes("aws:rules")
    assert [(d.entry.id, d.entry.grant, d.as_json()["grant"]) for d in made.decisions] == [
        ("a", "builders", "builders"), ("a", "nodes", "nodes"), ("b", "builders", "builders"),
    ]  # fmt: skip
    assert made.decisions[1].registered[0] == "nodes:acme/test#a"


def test_a_plan_of_one_list_is_as_it_was_and_one_grant_differs_in_names_alone() -> None:
    single = plan(selection([A, B]), "gcp:fqdn", {"from": [BUILDERS]})
    granted = plan([Grant("x", selection([A, B]), [BUILDERS])], "gcp:fqdn")
    assert "grant" not in str(single.as_json()["decisions"])
    assert "grants" not in single.as_json()["options"]
    assert [each.body["priority"] for each in single.objects if "priority" in each.body] == [
        each.body["priority"] for each in granted.objects if "priority" in each.body
    ]


class TestAcceptances:
    WIDE = entry("w.example", "w", match="one-label")

    def test_a_word_for_one_grant_opens_nothing_for_another(self) -> None:
        word = Acceptance(finding="deeper-names", entry="w", because="meant")
        wide = selection([self.WIDE], accept=[word])
        made = draft([Grant("a", wide, [BUILDERS]), Grant("b", selection([self.WIDE]), [NODES])], SEVERAL[3])
        assert made.refused
        assert [(d.entry.grant, d.outcome) for d in made.decisions] == [("a", "allowed"), ("b", "refused")]
        (problem,) = made.problems
        assert "azure:application-rules b: " in problem.message

    def test_one_that_no_grant_needs_is_stale(self) -> None:
        word = Acceptance(finding="deeper-names", entry="a", because="meant")
        with pytest.raises(InputError, match="Accepted deeper-names for a, but there is no such finding"):
            plan([Grant("a", selection([A], accept=[word]), [BUILDERS]), Grant("b", selection([B]))], SEVERAL[3])

    def test_an_end_is_judged_for_the_grant_that_has_it(self) -> None:
        word = Acceptance(finding="deeper-names", entry="w", because="meant", until=date(2026, 1, 1))
        wide = Grant("a", selection([self.WIDE], accept=[word]), [BUILDERS])
        made = plan([wide, Grant("b", selection([A]))], SEVERAL[3], as_of=date(2026, 2, 1))
        assert [(one.grant, one.id) for one in made.findings if one.severity == "error"] == [
            ("a", "acceptance-expired")
        ]


@pytest.mark.parametrize(
    ("grants", "options", "said"),
    [
        ([("a", []), ("a", [])], {}, "found the grant 'a' twice"),
        ([("a", ["10.0.0.1/8"])], {}, "`grants.a.from[0]`: Found '10.0.0.1/8'"),
        ([("A", [])], {}, "`gcp:fqdn.grants[0].name`: found 'A'"),
        ([("a" * 22, [])], {}, "Allowed: 30 characters together"),
        (
            [("a", ["tagValues/1", "x@y.iam.gserviceaccount.com"])],
            {},
            "found service accounts and secure tags under `from`",
        ),
    ],
)
def test_what_does_not_hold_of_a_grant_is_said_with_its_name(
    grants: list[tuple[str, list[str]]], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        plan([Grant(name, selection([A]), clients) for name, clients in grants], "gcp:fqdn", options)
    assert said in str(caught.value)


def test_bases_so_far_apart_that_a_deny_came_before_an_allow_are_refused() -> None:
    far = [Grant("a", selection([A]), [BUILDERS]), Grant("b", selection([B]), [NODES], base=50_000_000)]
    with pytest.raises(InputError, match="at most 1,000,000 apart"):
        plan(far, "gcp:fqdn")
    with pytest.raises(InputError, match=r"found a `base` of the grant 'b'. Leave it out"):
        plan(far, "aws:rules")


def test_grants_whose_rules_would_have_one_priority_are_refused_with_what_to_do() -> None:
    near = [Grant("a", selection([A]), [BUILDERS], base=2000), Grant("b", selection([B]), [NODES], base=2000)]
    made = plan(near, "gcp:fqdn")
    assert made.refused
    assert any("give the grants a `base` further apart" in problem.message for problem in made.problems)
    crowd = [Grant(f"g{number}", selection(many(900)), [f"10.{number}.0.0/16"]) for number in range(2)]
    assert plan(crowd, "gcp:fqdn").refused


def test_on_aws_there_are_as_many_lists_as_have_room_before_the_edge_group() -> None:
    def lists(number: int) -> list[Grant]:
        return [
            Grant(f"g{each}", selection([entry("ntp.example", "n", port=123, protocol="udp")]))
            for each in range(number)
        ]

    made = plan(lists(15), "aws:rules", addresses={"n": ["203.0.113.5/32"]})
    references = made.objects[-1].body["FirewallPolicy"]["StatefulRuleGroupReferences"]
    assert references[-1]["ResourceArn"].endswith("hostgate-edge")
    assert len({each["Priority"] for each in references}) == 16
    with pytest.raises(InputError, match=r"found 16 lists. Allowed: 15"):
        plan(lists(16), "aws:rules", addresses={"n": ["203.0.113.5/32"]})


def test_profiles_that_inspect_take_no_client_of_two_grants() -> None:
    a, b = selection([A]), selection([B])
    accounts = [["a@acme.iam.gserviceaccount.com"], ["b@acme.iam.gserviceaccount.com"]]
    apart = plan([Grant("a", a, accounts[0]), Grant("b", b, accounts[1])], "gcp:url-filter")
    assert {each.name for each in apart.objects if each.kind.endswith("/SecurityProfile")} == {
        "hostgate-a-hosts-443", "hostgate-b-hosts-443",
    }  # fmt: skip
    for clients in (accounts[0], ["tagValues/1"], [BUILDERS], []):
        with pytest.raises(InputError, match="found the grants a and b, which may have a client in common"):
            plan([Grant("a", a, clients or accounts[0]), Grant("b", b, clients)], "gcp:url-filter")


class TestReview:
    def changed(self, base: Plan, head: Plan) -> Any:
        (found,) = diff([state(base)], [state(head)])
        return found

    def test_a_host_more_for_one_grant_opens_for_its_clients(self) -> None:
        head = plan(
            [Grant("builders", selection([A, B]), [BUILDERS]), Grant("nodes", selection([A, B]), [NODES])], SEVERAL[0]
        )
        found = self.changed(builders_and_nodes(SEVERAL[0]), head)
        assert [(flow.entry.host, flow.entry.grant, flow.clients) for flow in found.opened] == [
            ("b.example", "nodes", (NODES,))
        ]
        assert found.closed == ()

    def test_two_lists_in_place_of_one_close_what_the_one_opened_to_all_and_say_for_whom(self) -> None:
        one = plan(selection([A, B]), SEVERAL[0], {"from": [NODES]})
        found = self.changed(one, builders_and_nodes(SEVERAL[0]))
        assert [(flow.entry.host, flow.clients) for flow in found.closed] == [("b.example", (NODES,))]
        assert found.opened == ()

    def test_clients_split_over_two_grants_close_nothing(self) -> None:
        one = plan(selection([A]), SEVERAL[0], {"from": ["10.0.0.0/8"]})
        halves = [Grant("x", selection([A]), ["10.0.0.0/9"]), Grant("y", selection([A]), ["10.128.0.0/9"])]
        found = self.changed(one, plan(halves, SEVERAL[0]))
        assert (found.opened, found.closed, found.kept) == ((), (), 1)

    def test_a_client_more_opens_each_host_of_its_grant(self) -> None:
        wider = [
            Grant("builders", selection([A, B]), [BUILDERS, "192.168.0.0/24"]),
            Grant("nodes", selection([A]), [NODES]),
        ]
        found = self.changed(builders_and_nodes(SEVERAL[0]), plan(wider, SEVERAL[0]))
        assert [(flow.entry.host, flow.whose) for flow in found.opened] == [
            ("a.example", " for builders: 192.168.0.0/24"), ("b.example", " for builders: 192.168.0.0/24"),
        ]  # fmt: skip

    def test_an_order_on_aws_changes_the_policy_alone_and_on_google_cloud_needs_a_base(self) -> None:
        wanted = [Grant("builders", selection([A, B]), [BUILDERS]), Grant("nodes", selection([A]), [NODES])]
        aws = self.changed(plan(wanted, SEVERAL[0]), plan(wanted[::-1], SEVERAL[0]))
        assert [(change.name, change.what) for change in aws.objects] == [("hostgate", "updated")]
        google = self.changed(plan(wanted, "gcp:fqdn"), plan(wanted[::-1], "gcp:fqdn"))
        obstacle = google.obstacles[0]
        assert "priority 2000 of the policy of FirewallPolicyAllowlist hostgate" in obstacle
        assert "give each that stays the `base` that it has" in obstacle

    def test_a_removal_on_google_cloud_is_one_update_if_the_one_that_stays_keeps_its_base(self) -> None:
        wanted = [Grant("builders", selection([A, B]), [BUILDERS]), Grant("nodes", selection([A]), [NODES])]
        base = plan(wanted, "gcp:fqdn")
        assert self.changed(base, plan(wanted[1:], "gcp:fqdn")).obstacles
        stays = self.changed(base, plan([Grant("nodes", selection([A]), [NODES], base=2008)], "gcp:fqdn"))
        assert stays.obstacles == ()
        assert {change.what for change in stays.objects} == {"deleted"}
        assert self.changed(base, plan(wanted[:1], "gcp:fqdn")).obstacles == ()

    def test_two_lists_in_place_of_one_on_google_cloud_are_one_update_with_a_base_of_their_own(self) -> None:
        one = plan(selection([A]), "gcp:fqdn", {"from": [NODES]})
        assert self.changed(one, builders_and_nodes("gcp:fqdn")).obstacles
        assert self.changed(one, builders_and_nodes("gcp:fqdn", base=3000)).obstacles == ()

    def test_a_plan_read_from_its_file_says_the_same(self) -> None:
        made = builders_and_nodes("azure:application-rules")
        (read,) = read_statements({"targets": [made.as_json()]}, "plan.json")
        said = state(made)
        assert (read.grants, read.clients, read.digest) == (said.grants, said.clients, said.digest)
        assert [each.entry.key for each in read.decisions] == [each.entry.key for each in said.decisions]
        (found,) = diff([read], [said])
        assert found.unchanged


def test_the_selection_says_each_grant_in_its_line() -> None:
    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    made = plan([Grant("builders", hosts, [BUILDERS]), Grant("nodes", hosts, [NODES])], SEVERAL[0])
    assert made.selection.summary.startswith(
        "builders: 5 of 13 hosts of chainguard/images@2024-03-28 selected: phases pull"
    )
    assert ". nodes: 5 of 13 hosts" in made.selection.summary


@pytest.mark.parametrize("wrong", [[], ["a"], [Grant("a", "hosts")]])  # type: ignore[arg-type]
def test_what_is_no_grant_is_refused_with_what_is_wanted(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"a list of hostgate.Grant, each with a name and its hosts"):
        plan(wrong, "aws:rules")
