"""gcp:fqdn: order of pass, allow and deny; slots that depend on nothing but protocol and port."""

from typing import Any

import pytest

from conformance.catalogs import entry, many, selection
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.gcp.firewall_policy import EDGE_SLOT
from hostgate.gcp.firewall_policy_options import USER_PRIORITY_MAX
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan, plan
from hostgate.planning.targets import COMPUTED

TARGET = "gcp:fqdn"


def rules(made: Plan) -> list[CloudObject]:
    """In order of priority."""
    found = [each for each in made.objects if each.kind == "compute#firewallPolicyRule"]
    return sorted(found, key=lambda each: int(each.body["priority"]))


def steps(made: Plan) -> list[tuple[str, str]]:
    return [(each.name.removeprefix("hostgate-"), each.body["action"]) for each in rules(made)]


def test_hosts_are_allowed_then_private_ranges_pass_on_then_both_families_are_denied() -> None:
    assert steps(plan(selection([entry()]), TARGET)) == [
        ("allow-tcp-443", "allow"),
        ("private-ipv4", "goto_next"),
        ("private-ipv6", "goto_next"),
        ("deny-ipv4", "deny"),
        ("deny-ipv6", "deny"),
    ]


def test_deny_all_passes_nothing_on() -> None:
    assert [action for _, action in steps(plan(selection([entry()]), TARGET, deny="all"))] == ["allow", "deny", "deny"]


@pytest.mark.parametrize("deny", ["none", "declared"])
def test_without_an_own_deny_there_are_only_allows(deny: str) -> None:
    assert steps(plan(selection([entry()]), TARGET, deny=deny)) == [("allow-tcp-443", "allow")]


def test_audit_allows_all_last_logged_and_marked() -> None:
    made = plan(selection([entry()]), TARGET, mode="audit")
    assert [name for name, _ in steps(made)][-2:] == ["audit-ipv4", "audit-ipv6"]
    for each in rules(made)[-2:]:
        assert each.body["action"] == "allow"
        assert each.body["enableLogging"] is True
        assert "AUDIT" in each.body["description"]


def test_denies_are_logged_and_nothing_that_passes_on_is() -> None:
    for each in rules(plan(selection([entry()]), TARGET)):
        assert each.body.get("enableLogging", False) == (each.body["action"] == "deny")


def test_a_range_rule_is_of_one_family() -> None:
    for each in rules(plan(selection([entry()]), TARGET)):
        ranges = each.body["match"].get("destIpRanges", [])
        assert len({":" in cidr for cidr in ranges}) <= 1


def test_every_rule_is_egress() -> None:
    assert {each.body["direction"] for each in rules(plan(selection([entry()]), TARGET))} == {"EGRESS"}


@pytest.mark.parametrize("address", ["10.1.2.3", "172.31.0.1", "192.168.0.1", "fd00::1"])
def test_private_destinations_pass_on_before_the_deny(address: str) -> None:
    made = plan(selection([entry()]), TARGET)
    verdict = made.verdict(Flow("db.internal.example", 5432, "tcp", address=address))
    assert verdict.allows
    assert "private" in (verdict.rule or "")


@pytest.mark.parametrize("address", ["172.32.0.1", "11.0.0.1", "192.169.0.1", "2001:db8::1"])
def test_what_lies_next_to_a_private_range_is_denied(address: str) -> None:
    assert not plan(selection([entry()]), TARGET).verdict(Flow("x.example", 443, "tcp", address=address)).allows


def test_a_family_left_out_is_reachable_and_the_plan_says_so() -> None:
    made = plan(selection([entry()]), TARGET, families=["ipv4"])
    assert not any("ipv6" in each.name for each in made.objects)
    assert any(one.id == "ipv6-not-denied" for one in made.findings)
    assert made.verdict(Flow("evil.example", address="2001:db8::1")).allows
    assert not made.verdict(Flow("evil.example", address="198.51.100.1")).allows


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ({"families": ["ipv6"], "from_": ["10.0.0.0/8"]}, "ipv4"),
        ({"families": ["ipv4"], "from_": ["fd00::/8"]}, "ipv6"),
        ({"families": ["ipv6"], "from_": ["10.0.0.0/8", "fd00::/8"]}, "ipv4"),
        ({"families": ["ipv6"], "from_": ["10.0.0.0/8", "tagValues/1"]}, "ipv4"),
        ({"families": ["ipv6"], "from_": ["10.0.0.0/8"], "deny": "all"}, "ipv4"),
        ({"families": ["ipv6"], "from_": ["10.0.0.0/8"], "mode": "audit"}, "ipv4"),
        ({"families": ["ipv6"], "from_": ["10.0.0.0/8"], "deny": "declared"}, None),
        ({"families": ["ipv4"], "from_": ["10.0.0.0/8"]}, None),
        ({"families": ["ipv6"], "from_": ["tagValues/1"]}, None),
    ],
    ids=str,
)
def test_a_client_that_no_deny_could_be_about_is_refused(options: dict[str, Any], lacking: str | None) -> None:
    if lacking is not None:
        with pytest.raises(InputError, match=rf"`families` without {lacking}\. No deny would be about clients"):
            plan(selection([entry()]), TARGET, options)
        return
    made = plan(selection([entry()]), TARGET, options)
    denied = {each.body["match"]["destIpRanges"][0] for each in rules(made) if each.body["action"] == "deny"}
    assert bool(denied) == any(one.id == "deny-cuts" for one in made.findings)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Everything else is cut: "),
        ({"families": ["ipv4"]}, "Over IPv4 everything else is cut: "),
        ({"families": ["ipv6"]}, "Over IPv6 everything else is cut: "),
        ({"from_": ["10.0.0.0/8"]}, "Over IPv4 everything else is cut for the clients under `from`: "),
        ({"from_": ["fd00::/8"]}, "Over IPv6 everything else is cut for the clients under `from`: "),
        ({"from_": ["10.0.0.0/8", "fd00::/8"]}, "Everything else is cut for the clients under `from`: "),
    ],
    ids=str,
)
def test_what_is_cut_is_said_of_the_families_that_are_denied(options: dict[str, Any], said: str) -> None:
    (cuts,) = (one for one in plan(selection([entry()]), TARGET, options).findings if one.id == "deny-cuts")
    assert cuts.message.startswith(said)


class TestPriorities:
    def test_another_port_moves_no_rule(self) -> None:
        before = {each.name: each.body["priority"] for each in rules(plan(selection([entry()]), TARGET))}
        hosts = [entry(), entry("a.dev", port=80, protocol="http"), entry("b.dev", port=22, protocol="tcp")]
        after = {each.name: each.body["priority"] for each in rules(plan(selection(hosts), TARGET))}
        assert before.items() < after.items()

    def test_the_last_port_of_udp_stays_before_the_deny(self) -> None:
        made = plan(selection([entry(port=65_535, protocol="udp")]), TARGET, base=0)
        assert rules(made)[0].name == "hostgate-allow-udp-65535"
        assert rules(made)[0].body["priority"] < EDGE_SLOT

    def test_the_highest_base_keeps_clear_of_the_reserved_range(self) -> None:
        made = plan(selection([entry()]), TARGET, base=USER_PRIORITY_MAX - 20_000_000)
        assert rules(made)[-1].body["priority"] <= USER_PRIORITY_MAX

    def test_tcp_and_udp_of_one_port_do_not_meet(self) -> None:
        hosts = [entry("a.dev", port=port, protocol=kind) for port in (443, 80, 1, 65_535) for kind in ("tcp", "udp")]
        named = [
            entry(each.host, f"e{number}", port=each.port, protocol=each.protocol) for number, each in enumerate(hosts)
        ]
        priorities = [each.body["priority"] for each in rules(plan(selection(named), TARGET))]
        assert len(set(priorities)) == len(priorities)


class TestLists:
    def test_names_are_sorted_and_given_once(self) -> None:
        hosts = [entry("b.dev", "1"), entry("a.dev", "2"), entry("a.dev", "3", protocol="tls")]
        assert rules(plan(selection(hosts), TARGET))[0].body["match"] == {
            "destFqdns": ["a.dev", "b.dev"],
            "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}],
        }

    def test_a_hundred_hosts_are_more_than_one_rule_holds_with_head_room(self) -> None:
        allows = [each for each in rules(plan(selection(many(100)), TARGET)) if each.body["action"] == "allow"]
        assert [len(each.body["match"]["destFqdns"]) <= 70 for each in allows] == [True, True]

    def test_too_many_hosts_on_an_unusual_port_are_refused(self) -> None:
        hosts = [entry(each.host, each.id, port=8443) for each in many(5_000)]
        made = plan(selection(hosts), TARGET)
        assert made.refused
        assert "unusual port" in made.problems[0].message

    def test_a_wildcard_is_refused_with_what_to_do(self) -> None:
        made = plan(selection([entry(match="subtree")]), TARGET)
        assert made.refused
        assert "exact names only" in made.problems[0].message


class TestClients:
    def test_service_accounts_are_targets_of_the_allows(self) -> None:
        account = "builds@p.iam.gserviceaccount.com"
        made = plan(selection([entry()]), TARGET, from_=[account])
        assert rules(made)[0].body["targetServiceAccounts"] == [account]

    def test_secure_tags_are_targets_of_the_allows(self) -> None:
        made = plan(selection([entry()]), TARGET, from_=["tagValues/2", "tagValues/1"])
        assert rules(made)[0].body["targetSecureTags"] == [{"name": "tagValues/1"}, {"name": "tagValues/2"}]

    @pytest.mark.parametrize("options", [{}, {"deny": "all"}, {"mode": "audit"}, {"families": ["ipv6"]}], ids=str)
    @pytest.mark.parametrize("clients", [["builds@p.iam.gserviceaccount.com"], ["tagValues/2", "tagValues/1"]], ids=str)
    def test_every_rule_is_about_the_clients_and_nobody_else(self, options: dict[str, Any], clients: list[str]) -> None:
        """A deny for everybody would cut those whom nobody named, and an audit rule for everybody would free them."""
        targets = {
            str(each.body.get("targetServiceAccounts", each.body.get("targetSecureTags")))
            for each in rules(plan(selection([entry()]), TARGET, {"from_": clients, **options}))
        }
        tags = [{"name": client} for client in sorted(clients)]
        assert targets == {str(clients if "@" in clients[0] else tags)}

    def test_without_clients_no_rule_has_a_target(self) -> None:
        for each in rules(plan(selection([entry()]), TARGET)):
            assert not {"targetServiceAccounts", "targetSecureTags"} & set(each.body)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"from_": ["tagValues/1"]}, "VPC networks allow egress by default"),
            ({"from_": ["tagValues/1"], "deny": "all"}, "VPC networks allow egress by default"),
            ({"from_": ["a@p.iam.gserviceaccount.com"], "attach": "egress"}, "the attached policy decides about them"),
            ({"from_": ["tagValues/1"], "deny": "declared"}, None),
            ({"from_": ["tagValues/1"], "deny": "none"}, None),
            ({}, None),
        ],
        ids=str,
    )
    def test_a_deny_for_some_says_that_it_is_not_about_the_others(
        self, options: dict[str, Any], said: str | None
    ) -> None:
        messages = [
            one.message for one in plan(selection([entry()]), TARGET, options).findings if one.id == "others-open"
        ]
        assert len(messages) == (said is not None)
        assert all(said in message for message in messages if said)

    def test_audit_in_another_s_policy_frees_nobody_who_is_not_named(self) -> None:
        with pytest.raises(InputError, match="the audit rules would open somebody else's policy to everybody"):
            plan(selection([entry()]), TARGET, attach="egress", mode="audit")
        for options in ({"from_": ["tagValues/1"]}, {"deny": "declared"}, {"deny": "none"}):
            assert plan(selection([entry()]), TARGET, {"attach": "egress", "mode": "audit", **options}).ok

    @pytest.mark.parametrize(
        "everybody", [["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["::/0", "10.0.0.0/8"]], ids=str
    )
    def test_every_address_is_nobody_named(self, everybody: list[str]) -> None:
        with pytest.raises(InputError, match="a `from` of every address: the audit rules would open"):
            plan(selection([entry()]), TARGET, attach="egress", mode="audit", from_=everybody)
        tagged = ["tagValues/1", *everybody]
        assert plan(selection([entry()]), TARGET, attach="egress", mode="audit", from_=tagged).ok


class TestWhatAuditSays:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({}, "The last rules allow everything else over IPv4 and IPv6 and log it."),
            ({"deny": "all", "families": ["ipv4"]}, "The last rules allow everything else over IPv4 and log it."),
            (
                {"from_": ["tagValues/1"], "attach": "egress"},
                "The last rules allow everything else of the clients under `from` over IPv4 and IPv6 and log it, before any "
                "later deny of egress.",
            ),
            (
                {"from_": ["10.0.0.0/8"], "parent": "folders/1"},
                "The last rules allow everything else of the clients under `from` over IPv4 and log it, before any deny of the "
                "projects below.",
            ),
            ({"deny": "declared"}, "No rule of the plan allows the rest or logs it: the deny that is declared has to"),
            ({"deny": "declared", "attach": "egress"}, "No rule of the plan allows the rest or logs it"),
            ({"deny": "none", "attach": "egress"}, "with `deny: none` that is nothing"),
        ],
        ids=str,
    )
    def test_what_passes_and_what_logs_it(self, options: dict[str, Any], said: str) -> None:
        found = plan(selection([entry()]), TARGET, {"mode": "audit", **options})
        (audit,) = [one.message for one in found.findings if one.id == "audit"]
        assert audit.startswith(said) or said in audit
        audits = [each for each in rules(found) if "audit" in each.name]
        assert bool(audits) == ("last rules allow" in audit)

    @pytest.mark.parametrize("options", [{"mode": "audit"}, {"deny": "none"}, {"mode": "audit", "deny": "declared"}])
    def test_nothing_is_said_to_be_cut_that_passes(self, options: dict[str, Any]) -> None:
        found = plan(selection([entry()]), TARGET, options)
        assert not {"deny-cuts", "quic-closed"} & {one.id for one in found.findings}

    def test_a_policy_of_others_may_deny_what_a_plan_without_a_deny_leaves_to_it(self) -> None:
        found = plan(selection([entry()]), TARGET, deny="none", attach="egress")
        (said,) = [one.message for one in found.findings if one.id == "deny-none"]
        assert "left to the rules of egress" in said


def sources(made: Plan) -> dict[str, list[str]]:
    return {each.name.removeprefix("hostgate-"): each.body["match"].get("srcIpRanges", []) for each in rules(made)}


class TestSourceRanges:
    def test_every_rule_is_about_the_ranges_of_one_family(self) -> None:
        made = plan(selection([entry()]), TARGET, from_=["10.1.0.0/16", "10.0.0.0/16", "fd00:1::/64"])
        v4, v6 = ["10.0.0.0/15"], ["fd00:1::/64"]
        assert sources(made) == {
            "allow-tcp-443": v4, "allow-tcp-443-ipv6": v6, "private-ipv4": v4, "private-ipv6": v6, "deny-ipv4": v4, "deny-ipv6": v6,
        }  # fmt: skip
        assert len({each.body["priority"] for each in rules(made)}) == 6

    def test_audit_frees_no_address_that_is_not_named(self) -> None:
        made = plan(selection([entry()]), TARGET, mode="audit", from_=["10.0.0.0/8"])
        assert set(map(tuple, sources(made).values())) == {("10.0.0.0/8",)}

    def test_beside_targets_clients_are_the_targets_within_the_ranges(self) -> None:
        made = plan(selection([entry()]), TARGET, from_=["tagValues/1", "10.0.0.0/8"])
        for each in rules(made):
            assert each.body["targetSecureTags"] == [{"name": "tagValues/1"}]
            assert each.body["match"]["srcIpRanges"] == ["10.0.0.0/8"]

    def test_clients_are_judged_by_their_address_and_others_are_not(self) -> None:
        made = plan(selection([entry()]), TARGET, from_=["10.0.0.0/8", "fd00::/8"])
        assert made.verdict(Flow("cgr.dev")).allows
        for inside in ("10.1.2.3", "fd00::1"):
            assert made.verdict(Flow("cgr.dev", source=inside)).rule
            assert made.verdict(Flow("evil.example", source=inside)).action == "block"
        for outside in ("192.168.0.1", "2001:db8::1"):
            assert made.verdict(Flow("evil.example", source=outside)).allows
        assert "others-open" in {one.id for one in made.findings}

    def test_of_a_family_without_a_range_there_is_no_rule_and_the_plan_says_that_it_is_open(self) -> None:
        made = plan(selection([entry()]), TARGET, from_=["10.0.0.0/8"])
        assert not [name for name in sources(made) if "ipv6" in name]
        (said,) = [one.message for one in made.findings if one.id == "ipv6-not-denied"]
        assert said.startswith("`from` has no IPv6 range")

    def test_both_families_halve_the_rules_that_a_block_has_room_for(self) -> None:
        hosts = [entry(each.host, each.id, port=8443) for each in many(1_000)]
        assert plan(selection(hosts), TARGET, from_=["10.0.0.0/8"]).ok
        made = plan(selection(hosts), TARGET, from_=["10.0.0.0/8", "fd00::/8"])
        assert made.refused
        assert "unusual port" in made.problems[0].message
        some = plan(selection(many(2_000)), TARGET, from_=["10.0.0.0/8", "fd00::/8"])
        assert len({each.body["priority"] for each in rules(some)}) == len(rules(some))

    def test_more_ranges_than_a_rule_takes_are_refused(self) -> None:
        ranges = [f"10.{one}.{two}.0/24" for one in range(100) for two in range(0, 200, 2)]
        with pytest.raises(InputError, match="found 10,000 ranges of ipv4 under `from`"):
            plan(selection([entry()]), TARGET, from_=ranges)


class TestLogging:
    @pytest.mark.parametrize(
        ("options", "logged"),
        [
            ({}, ["deny"]),
            ({"log_allowed": True}, ["allow", "deny"]),
            ({"log_denied": False}, []),
            ({"log_allowed": True, "log_denied": False}, ["allow"]),
        ],
        ids=str,
    )
    def test_what_is_allowed_and_what_is_denied_are_logged_as_told(
        self, options: dict[str, Any], logged: list[str]
    ) -> None:
        made = rules(plan(selection([entry()]), TARGET, options))
        assert sorted({each.body["action"] for each in made if each.body.get("enableLogging")}) == logged


def test_a_client_that_is_not_known_yet_may_be_any() -> None:
    made = plan(selection([entry()]), TARGET, from_=[f"{COMPUTED}/client-0"])
    assert made.verdict(Flow("cgr.dev")).allows
    assert made.verdict(Flow("evil.example")).action == "block"
    assert made.verdict(Flow("evil.example", source="account:a@p.iam.gserviceaccount.com")).action == "unknown"


def test_attaching_makes_rules_only() -> None:
    made = plan(selection([entry()]), TARGET, attach="projects/p/global/firewallPolicies/egress", deny="declared")
    assert [each.name for each in made.objects] == ["hostgate-allow-tcp-443"]


def test_a_new_policy_is_associated_with_each_network() -> None:
    made = plan(
        selection([entry()]), TARGET, networks=["projects/p/global/networks/one", "projects/p/global/networks/two"]
    )
    assert [each.name for each in made.objects if each.kind.endswith("Association")] == ["hostgate-one", "hostgate-two"]


def test_a_name_with_its_root_dot_or_in_capitals_is_the_same_name() -> None:
    made = plan(selection([entry()]), TARGET)
    assert made.verdict(Flow("CGR.dev.")).allows


ON = {"networks": ["projects/p/global/networks/n"]}


@pytest.mark.parametrize(
    ("options", "said", "unsaid"),
    [
        (ON, ["BEFORE_CLASSIC_FIREWALL", "no outbound DNS server policy"], ["global network policy"]),
        ({**ON, "region": "europe-west1"}, ["no global network policy that allows"], []),
        ({"parent": "folders/1", "nodes": ["folders/1"]}, ["no hierarchical policy", "no outbound DNS"], ["VPC firewall rule"]),
        ({"attach": "egress", "deny": "declared"}, ["no VPC firewall rule that allows egress", "no outbound DNS"], []),
        ({"attach": "locations/global/firewallPolicies/5"}, ["a node above", "no outbound DNS"], ["VPC firewall rule"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_networks_must_have_is_said_with_and_without_attach(
    options: dict[str, Any], said: list[str], unsaid: list[str]
) -> None:
    kind = "attached-policy" if "attach" in options else "network-preconditions"
    (message,) = [one.message for one in plan(selection([entry()]), TARGET, options).findings if one.id == kind]
    assert all(word in message for word in said)
    assert not any(word in message for word in unsaid)
