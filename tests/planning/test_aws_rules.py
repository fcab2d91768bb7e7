"""aws:rules: the text of a rule, signature ids that do not move, and the policy around the groups."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, many, selection
from conformance.strategies import catalogs
from hostgate.aws.policy import CAPACITIES, capacity
from hostgate.catalog.model import MATCHES, Entry, Match
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, plan
from hostgate.suricata import writer as suricata
from hostgate.suricata.reader import SID_MAX
from hostgate.suricata.writer import Rule, Sids, name_conditions

ORDER = (
    "msg", "flow", "ip_proto", "itype", "icode", "ssl_state", "tls.sni", "http.host", "dotprefix", "content", "startswith",
    "endswith", "nocase", "pcre", "alert", "sid", "rev",
)  # fmt: skip
"""The options in the order of the strictest form that real Suricata was seen to judge right."""


def texts(made: Plan) -> Iterator[str]:
    for each in made.objects:
        if each.text is not None:
            yield from each.text.splitlines()


def rule_of(made: Plan, entry_id: str) -> str:
    return next(line for line in texts(made) if f"hostgate acme/test {entry_id}" in line)


def body(made: Plan, name: str) -> dict[str, object]:
    return dict(next(each.body for each in made.objects if each.name == name))


def test_an_exact_host_is_anchored_at_both_ends() -> None:
    made = plan(selection([entry()]), "aws:rules")
    assert re.sub(r"sid:[0-9]+", "sid:N", rule_of(made, "cgr-dev")) == (
        'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (msg:"hostgate acme/test cgr-dev"; flow:to_server; '
        'ssl_state:client_hello; tls.sni; content:"cgr.dev"; startswith; endswith; nocase; sid:N; rev:1;)'
    )


@pytest.mark.parametrize(
    ("protocol", "kind", "conditions"),
    [
        ("tls", "subtree", 'flow:to_server; ssl_state:client_hello; tls.sni; content:".x.dev"; endswith; nocase'),
        (
            "tls",
            "subtree+apex",
            'flow:to_server; ssl_state:client_hello; tls.sni; dotprefix; content:".x.dev"; endswith; nocase',
        ),
        (
            "tls",
            "one-label",
            'flow:to_server; ssl_state:client_hello; tls.sni; content:".x.dev"; endswith; nocase; '
            'pcre:"/^[^.]+\\.x\\.dev$/i"',
        ),
        ("http", "exact", 'flow:to_server; http.host; content:"x.dev"; startswith; endswith'),
        ("http", "subtree", 'flow:to_server; http.host; content:".x.dev"; endswith'),
        ("http", "subtree+apex", 'flow:to_server; http.host; dotprefix; content:".x.dev"; endswith'),
        ("http", "one-label", 'flow:to_server; http.host; content:".x.dev"; endswith; pcre:"/^[^.]+\\.x\\.dev$/"'),
    ],
)
def test_each_kind_has_its_form(protocol: str, kind: Match, conditions: str) -> None:
    assert "; ".join(name_conditions(protocol, kind, "x.dev")) == conditions


@given(drawn=catalogs(), logged=st.booleans())
def test_options_stand_in_the_order_that_suricata_judges_right(drawn: list[Entry], logged: bool) -> None:
    kept = [each for each in drawn if each.protocol in ("https", "http", "tls") and each.families != ("ipv6",)]
    for line in texts(plan(selection(kept), "aws:rules", log_allowed=logged)):
        keywords = [part.strip().partition(":")[0] for part in line[line.index("(") + 1 : -2].split(";")]
        assert keywords == sorted(keywords, key=ORDER.index), line
        assert ("nocase" in keywords) == ("tls.sni" in keywords)
        if line.startswith(("pass tls", "pass http")):
            assert ("alert" in keywords) == logged


@pytest.mark.parametrize("kind", MATCHES)
def test_an_http_rule_has_neither_nocase_nor_capitals(kind: Match) -> None:
    conditions = name_conditions("http", kind, "x.dev")
    assert "nocase" not in conditions
    assert "; ".join(conditions) == "; ".join(conditions).lower()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a;b", r"a\;b"), ('a"b', r"a\"b"), ("a\\b", r"a\\b"), ('\\";', r"\\\"\;"), ("plain", "plain")],
)
def test_what_would_end_a_message_is_escaped(text: str, escaped: str) -> None:
    rule = Rule(
        action="pass",
        protocol="tls",
        source="any",
        destination="any",
        port="443",
        msg=text,
        conditions=("tls.sni",),
        sid=1,
    )
    assert f'(msg:"{escaped}"; tls.sni; sid:1; rev:1;)' in str(rule)


class TestSids:
    def test_adding_entries_renumbers_nobody(self) -> None:
        hosts = many(200)
        before = set(texts(plan(selection(hosts), "aws:rules")))
        after = set(texts(plan(selection([*hosts, entry("aaa.example.com", "a-first")]), "aws:rules")))
        assert before < after

    @pytest.mark.parametrize(
        "field", [{"host": "x.dev"}, {"port": 8443}, {"protocol": "tls"}, {"catalog": "acme/other"}, {"id_": "other"}]
    )
    def test_the_id_is_of_catalog_entry_host_port_and_protocol(self, field: dict[str, object]) -> None:
        plain = entry("cgr.dev", "one")
        other = entry(**{"host": "cgr.dev", "id_": "one", **field})  # type: ignore[arg-type]
        assert Sids().of_entry(plain) != Sids().of_entry(other)

    def test_words_about_an_entry_do_not_move_its_id(self) -> None:
        assert Sids().of_entry(entry()) == Sids().of_entry(entry(purpose="told otherwise", phases=("cli",)))

    @given(parts=st.lists(st.text(max_size=20), min_size=1, max_size=5))
    def test_an_id_is_one_that_suricata_takes(self, parts: list[str]) -> None:
        assert 1 <= Sids().of(*parts) <= SID_MAX

    def test_on_a_collision_the_later_entry_yields_and_the_plan_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(suricata, "SID_MAX", 9)  # nine ids: seven edge rules and two entries fill them
        made = plan(selection([entry("a.dev"), entry("b.dev")]), "aws:rules")
        sids = [int(line.rpartition("sid:")[2].partition(";")[0]) for line in texts(made)]
        assert sorted(sids) == list(range(1, 10))
        assert [one for one in made.findings if one.id == "sid-collision"]

    def test_a_collision_leaves_the_earlier_entry_its_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(suricata, "SID_MAX", 50)
        twin = next(name for name in map(str, range(10_000)) if Sids().of("c", name) == Sids().of("c", "a"))
        sids = Sids()
        first, second = sids.of("c", "a"), sids.of("c", twin)
        assert first == Sids().of("c", "a")
        assert second == first % 50 + 1
        assert sids.yielded == [twin]

    def test_the_last_id_is_followed_by_the_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(suricata, "SID_MAX", 3)
        sids = Sids()
        assert sorted(sids.of("c", str(number)) for number in range(3)) == [1, 2, 3]


_DATAGRAMS = [
    Flow("evil.example", port, protocol, address=address, source=source)
    for protocol, port in (
        ("udp", 53),
        ("quic", 443),
        ("icmp", 0),
        ("gre", 0),
        ("esp", 0),
        ("sctp", 9),
        ("ipv6", 0),
        ("99", 0),
    )
    for address, sources in (
        (None, (None, "10.1.2.3", "192.0.2.9", "2600:1f18::5")),
        ("198.51.100.7", (None, "10.1.2.3", "100.64.0.9", "203.0.113.9")),
        ("2001:db8::7", (None, "fd00::5", "2600:1f18::5", "2001:db8:1::1")),
    )
    for source in sources
]


class TestPolicy:
    def test_the_default_drops_to_server_and_has_its_alert_twin(self) -> None:
        policy = body(plan(selection([entry()]), "aws:rules"), "hostgate")["FirewallPolicy"]
        assert isinstance(policy, dict)
        assert policy["StatefulDefaultActions"] == [
            "aws:drop_established_app_layer_to_server",
            "aws:alert_established_app_layer_to_server",
        ]
        assert policy["StatefulEngineOptions"] == {"RuleOrder": "STRICT_ORDER", "StreamExceptionPolicy": "REJECT"}
        variables = policy["PolicyVariables"]["RuleVariables"]
        assert variables == {"HOME_NET": {"Definition": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}}

    def test_every_group_is_in_strict_order_as_its_policy(self) -> None:
        made = plan(selection([entry()]), "aws:rules")
        groups = [each for each in made.objects if each.kind.endswith("RuleGroup")]
        orders = [each.body["RuleGroup"]["StatefulRuleOptions"] for each in groups]
        assert orders == [{"RuleOrder": "STRICT_ORDER"}] * len(groups)

    @pytest.mark.parametrize(("mode", "deny"), [("audit", "internet"), ("audit", "all"), ("enforce", "none")])
    def test_nothing_is_dropped_in_audit_and_without_a_deny(self, mode: str, deny: str) -> None:
        made = plan(selection([entry()]), "aws:rules", mode=mode, deny=deny)
        assert "drop" not in str(body(made, "hostgate")["FirewallPolicy"])
        assert not any(line.startswith(("drop", "reject")) for line in texts(made))

    def test_a_declared_deny_hands_out_references_and_makes_no_policy(self) -> None:
        made = plan(selection([entry()]), "aws:rules", deny="declared", base=500)
        assert [each.name for each in made.objects] == ["hostgate-edge", "hostgate-allow", "hostgate-references"]
        references = made.objects[-1].body["StatefulRuleGroupReferences"]
        assert [reference["Priority"] for reference in references] == [1000, 2500]

    def test_the_edge_group_of_a_policy_owned_elsewhere_passes_nothing_that_goes_on(self) -> None:
        """A pass would end the judging of its flows for every group of the owner."""
        made = plan(
            selection([entry()]), "aws:rules", deny="declared", home_net=["10.0.0.0/8", "8.8.8.0/24", "fd00::/8"]
        )
        edge = [line for line in texts(made) if "sid" in line and "hostgate acme" not in line]
        assert [line.split(" (")[0] for line in edge if line.startswith("pass")] == [
            "pass icmp $EXTERNAL_NET any -> $HOME_NET any"
        ] * 2
        stops = [line.split(" ")[1] for line in edge if line.startswith("drop")]
        assert stops == ["udp", "icmp", "ip"]

    def test_the_edge_group_can_be_left_to_the_owner_of_the_policy(self) -> None:
        made = plan(selection([entry()]), "aws:rules", deny="declared", edge=False)
        assert [each.name for each in made.objects] == ["hostgate-allow", "hostgate-references"]
        assert [one.id for one in made.findings[:2]] == ["not-enforced", "datagrams-open"]
        for flow in _DATAGRAMS:
            assert made.verdict(flow).allows
        assert not made.verdict(Flow("other.example")).allows

    @pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
    @pytest.mark.parametrize("home", [["10.0.0.0/8"], ["fd00::/8"], ["10.0.0.0/8", "2600:1f18::/56"]], ids=str)
    @pytest.mark.parametrize("deny", ["internet", "all", "declared"])
    def test_whatever_the_family_the_protocol_and_the_client_nothing_but_tcp_gets_out(
        self, target: str, home: list[str], deny: str
    ) -> None:
        made = plan(selection([entry()]), target, home_net=home, deny=deny)
        assert [str(flow) for flow in _DATAGRAMS if made.verdict(flow).allows] == []
        assert "datagrams-open" not in {one.id for one in made.findings}

    def test_an_owners_private_datagrams_are_left_to_the_owner(self) -> None:
        made = plan(selection([entry()]), "aws:rules", deny="declared")
        for client, server in (("10.1.2.3", "172.16.9.9"), ("100.64.0.9", "10.0.0.2"), ("fd00::1", "fd12::53")):
            assert made.verdict(Flow("ns", 53, "udp", address=server, source=client)).rule is None

    @pytest.mark.parametrize("protocol", ["udp", "quic"])
    def test_a_first_datagram_does_not_get_out(self, protocol: str) -> None:
        made = plan(selection([entry()]), "aws:rules")
        verdict = made.verdict(Flow("cgr.dev", 443, protocol))
        assert (verdict.action, (verdict.rule or "").partition("#")[0]) == ("block", "hostgate-edge")

    def test_clients_are_written_into_each_pass_rule(self) -> None:
        made = plan(selection([entry()]), "aws:rules", from_=["10.1.0.0/16", "10.2.0.0/16"])
        assert rule_of(made, "cgr-dev").startswith("pass tls [10.1.0.0/16,10.2.0.0/16] any -> $EXTERNAL_NET 443 ")


class TestLimits:
    @pytest.mark.parametrize(("rules", "units"), [(0, 100), (1, 100), (70, 100), (71, 200), (21_000, 30_000)])
    def test_capacity_has_head_room(self, rules: int, units: int) -> None:
        assert capacity(rules) == units

    @pytest.mark.parametrize("rules", [0, 1, 70, 5_000, 21_000, 29_999, 30_000, 30_001, 90_000])
    def test_capacity_is_never_less_than_the_rules(self, rules: int) -> None:
        assert capacity(rules) >= rules
        assert capacity(rules) in CAPACITIES or rules > CAPACITIES[-1]

    def test_a_rule_counts_with_its_variables_written_out(self) -> None:
        home = [f"10.{high}.{low}.0/24" for high in range(2) for low in range(160)]
        made = plan(selection([entry()]), "aws:rules", home_net=home)
        assert made.refused
        assert any("one rule" in one.message for one in made.findings if one.id == "limit-exceeded")

    def test_a_rule_with_too_many_clients_is_refused(self) -> None:
        made = plan(selection([entry()]), "aws:rules", from_=[f"10.{n // 200}.{n % 200}.0/24" for n in range(800)])
        assert made.refused
        assert made.objects == ()

    def test_an_entry_over_ipv6_only_needs_clients_of_that_family(self) -> None:
        hosts = selection([entry(families=("ipv6",))])
        assert plan(hosts, "aws:rules").refused
        assert plan(hosts, "aws:rules", home_net=["10.0.0.0/8", "fd00::/8"]).ok


class TestPrivateTraffic:
    def test_public_ranges_behind_the_firewall_are_not_private_traffic(self) -> None:
        made = plan(selection([entry()]), "aws:rules", home_net=["10.0.0.0/8", "8.0.0.0/8"])
        assert made.verdict(Flow("db.internal.example", 5432, "tcp", address="10.1.2.3", source="10.9.9.9")).allows
        assert not made.verdict(Flow("evil.example", 443, "https", address="8.8.8.8")).allows
        (cuts,) = [one for one in made.findings if one.id == "deny-cuts"]
        assert "8.0.0.0/8 of homeNet too" in cuts.message

    def test_there_is_no_private_pass_where_nothing_is_private(self) -> None:
        made = plan(selection([entry()]), "aws:rules", home_net=["8.0.0.0/8"])
        assert not [line for line in texts(made) if line.startswith("pass ip")]
