"""aws:rules for entries without a name on the wire: addresses that are given, IP set references, and what is refused."""

import re
from typing import Any

import pytest

from conformance.bodies import count
from conformance.catalogs import entry, selection
from hostgate.aws.address_rules import reference_key
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan, draft, plan

GIT = entry("git.vendor.example", "git", port=22, protocol="tcp")
CLOCK = entry("time.vendor.example", "clock", port=123, protocol="udp")
RELAY = entry("relay.vendor.example", "relay", port=443, protocol="udp")
LIST = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"
SSH = Flow("git.vendor.example", 22, "tcp", address="203.0.113.22")


def made(*entries: Entry, **options: Any) -> Plan:
    return plan(selection(entries), "aws:rules", options)


def messages(found: Plan, id_: str) -> list[str]:
    return [one.message for one in found.findings if one.id == id_]


def group(found: Plan, name: str) -> CloudObject:
    return next(each for each in found.objects if each.name == f"hostgate-{name}")


def priorities(found: Plan) -> dict[str, int]:
    body = found.objects[-1].body.get("FirewallPolicy", found.objects[-1].body)
    return {
        str(each["ResourceArn"]).rpartition("/hostgate-")[2]: each["Priority"]
        for each in body["StatefulRuleGroupReferences"]
    }


def test_the_rule_names_the_addresses_merged_and_in_order() -> None:
    ranges = ["203.0.113.23", "2001:db8::/48", "203.0.113.22", "198.51.100.0/24"]
    text = group(made(GIT, addresses={"git": ranges}), "address").text
    assert re.sub(r"sid:[0-9]+", "sid:N", text or "") == (
        "pass tcp $HOME_NET any -> [198.51.100.0/24,203.0.113.22/31,2001:db8::/48] 22 "
        '(msg:"hostgate acme/test git"; flow:to_server; sid:N; rev:1;)\n'
    )


def test_without_addresses_the_entry_is_refused_as_before() -> None:
    (decision,) = draft(selection([GIT]), "aws:rules").decisions
    assert decision.outcome == "refused"
    assert "cannot allow tcp by name. Found: port 22, and no addresses for git" in decision.reason
    assert "`addresses`" in decision.reason
    assert "azure:application-rules" in decision.reason


def test_a_plan_by_address_says_that_it_sees_addresses_only_and_who_keeps_them() -> None:
    found = made(GIT, addresses={"git": ["203.0.113.22"]})
    assert messages(found, "address-only") == ["git: allowed by the addresses of the name."]
    (survey,) = messages(found, "no-survey")
    assert survey.startswith("git: somebody keeps the addresses of the name in a list")
    (decision,) = found.decisions
    assert decision.reason.startswith("Address rules: somebody keeps the addresses")
    assert decision.rule == found.verdict(SSH).rule


def test_datagrams_are_passed_before_the_edge_group_drops_the_others() -> None:
    found = made(CLOCK, entry(), addresses={"clock": ["203.0.113.64/28"]}, base=100)
    assert priorities(found) == {"address": 100, "edge": 600, "allow": 2100}
    for address, action in (("203.0.113.64", "allow"), ("203.0.113.80", "block")):
        assert found.verdict(Flow("time.vendor.example", 123, "udp", address=address)).action == action


def test_an_owner_of_the_policy_is_told_where_the_drop_of_datagrams_stands() -> None:
    found = made(CLOCK, deny="declared", edge=False, addresses={"clock": ["203.0.113.64/28"]})
    (said,) = messages(found, "attached-policy")
    assert "after hostgate-address and before other groups" in said


def test_a_declared_deny_brings_its_edge_group_behind_the_datagrams_that_the_catalog_opens() -> None:
    found = made(CLOCK, deny="declared", addresses={"clock": ["203.0.113.64/28"]})
    references = found.objects[-1].body["StatefulRuleGroupReferences"]
    assert [reference["ResourceArn"].rpartition("-")[2] for reference in references] == ["address", "edge"]
    for address, action in (("203.0.113.64", "allow"), ("203.0.113.80", "block")):
        assert found.verdict(Flow("time.vendor.example", 123, "udp", address=address)).action == action


def test_quic_is_closed_but_to_the_addresses_of_an_entry_on_udp_443() -> None:
    (said,) = messages(made(RELAY, addresses={"relay": ["203.0.113.90"]}), "quic-closed")
    assert said == "UDP 443 stays closed but to the addresses of relay; clients fall back to TLS over TCP."


@pytest.mark.parametrize("options", [{"mode": "audit"}, {"deny": "none"}])
def test_quic_is_not_called_closed_where_nothing_closes_it(options: dict[str, str]) -> None:
    found = made(entry(), **options)
    assert found.verdict(Flow("cgr.dev", protocol="quic")).allows
    assert messages(found, "quic-closed") == []


class TestUnknownAddresses:
    def test_a_flow_to_a_name_alone_is_blocked_with_the_addresses_that_would_pass(self) -> None:
        verdict = made(GIT, addresses={"git": ["203.0.113.22"]}).verdict(Flow("git.vendor.example", 22, "tcp"))
        assert (verdict.action, verdict.lacks[0]) == ("unknown", "its address is in 203.0.113.22/32")
        assert re.match(
            r"allow by hostgate-address#[0-9]+ if its address is in 203\.0\.113\.22/32; else block", verdict.why
        )

    def test_so_is_a_datagram_that_the_edge_drops(self) -> None:
        verdict = made(CLOCK, addresses={"clock": ["203.0.113.0/24"]}).verdict(Flow("time.vendor.example", 123, "udp"))
        assert (verdict.action, verdict.lacks) == ("unknown", ("its address is in 203.0.113.0/24",))
        assert "else block: dropped by a rule of hostgate-edge" in verdict.why

    def test_and_one_under_a_policy_that_is_owned_elsewhere(self) -> None:
        found = made(GIT, deny="declared", ip_sets={"git": LIST})
        assert found.verdict(SSH).lacks == (f"its address is in {LIST}",)

    def test_nothing_is_left_open_where_nothing_is_blocked(self) -> None:
        assert "unless" not in made(GIT, mode="audit", addresses={"git": ["203.0.113.9"]}).verdict(SSH).why


class TestReferences:
    def test_a_reference_is_declared_beside_the_rule_that_names_it(self) -> None:
        each = group(made(GIT, ip_sets={"git": LIST}), "address")
        key = reference_key(GIT)
        assert each.body["RuleGroup"]["ReferenceSets"] == {"IPSetReferences": {key: {"ReferenceArn": LIST}}}
        assert f" -> @{key} 22 " in (each.text or "")

    @pytest.mark.parametrize("name", ["a", "a" * 64, "9", "a-b", f"{'x' * 40}-1"])
    def test_a_key_is_one_that_the_service_takes_and_of_one_entry(self, name: str) -> None:
        key = reference_key(entry("x.dev", name))
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", key)
        assert key != reference_key(entry("x.dev", name, catalog="acme/other"))

    def test_long_ids_with_one_beginning_have_different_keys(self) -> None:
        assert reference_key(entry("x.dev", "x" * 40 + "-1")) != reference_key(entry("x.dev", "x" * 40 + "-2"))

    @pytest.mark.parametrize("number", [3, 4, 12])
    def test_groups_are_split_before_a_group_has_too_many_references(self, number: int) -> None:
        hosts = [entry(f"h{n}.vendor.example", f"h{n}", port=22, protocol="tcp") for n in range(number)]
        found = made(*hosts, ip_sets={each.id: f"{LIST}{each.id}" for each in hosts})
        sets = [
            each.body["RuleGroup"]["ReferenceSets"]["IPSetReferences"]
            for each in found.objects
            if "-address" in each.name
        ]
        assert sum(map(len, sets)) == number
        assert all(len(each) <= 3 for each in sets)
        (usage,) = [usage for usage in found.limits if usage.limit.name == "IP set references of a rule group"]
        assert usage.used == max(map(len, sets))
        assert count(found.objects).over == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"addresses": {"git": ["0.0.0.0/1", "128.0.0.0/1"]}}, "every address as addresses of git"),
            ({"addresses": {"git": ["::/0"]}}, "every address as addresses of git"),
            ({"addresses": {"git": []}}, "`aws:rules.addresses.git` is empty"),
            ({"addresses": {"git": ["203.0.113.1/24"]}}, "an address range as CIDR"),
            ({"addresses": {"git": ["git.vendor.example"]}}, "an address range as CIDR"),
            ({"ipSets": {"git": "pl-1"}}, "Allowed: the ARN of a prefix list"),
            ({"ipSets": {"git": LIST}, "addresses": {"git": ["203.0.113.1"]}}, "git in both"),
            ({"reject": True, "deny": "none"}, "`reject` with deny 'none'"),
            ({"reject": True, "deny": "declared"}, "`reject` with deny 'declared'"),
            ({"reject": True, "attach": "arn:aws:network-firewall:r:1:firewall-policy/p"}, "`reject` with deny"),
        ],
    )
    def test_options_that_do_not_hold_are_told(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises(InputError, match=re.escape(said)):
            made(GIT, **options)

    @pytest.mark.parametrize(
        ("changes", "ranges", "clients"),
        [
            ({}, ["2001:db8::22"], {}),
            ({"families": ("ipv6",)}, ["203.0.113.22"], {"home_net": ["10.0.0.0/8", "fd00::/8"]}),
            ({}, ["203.0.113.22"], {"home_net": ["10.0.0.0/8", "fd00::/8"], "from_": ["fd00::/16"]}),
        ],
    )
    def test_addresses_that_no_client_can_reach_are_refused(
        self, changes: dict[str, Any], ranges: list[str], clients: dict[str, Any]
    ) -> None:
        one = entry("git.vendor.example", "git", port=22, protocol="tcp", **changes)
        (decision,) = draft(selection([one]), "aws:rules", addresses={"git": ranges}, **clients).decisions
        assert decision.outcome == "refused"
        assert "the families differ" in decision.reason

    def test_addresses_that_do_not_fit_one_rule_are_refused_with_the_way_out(self) -> None:
        ranges = [f"198.51.{low}.{host}/32" for low in range(5) for host in range(0, 256, 2)]
        (decision,) = draft(selection([GIT]), "aws:rules", addresses={"git": ranges}).decisions
        assert decision.outcome == "refused"
        assert re.search(r"need a rule of [0-9,]+ characters\. Allowed: 8,175", decision.reason)
        assert "`ipSets`" in decision.reason
        assert made(GIT, addresses={"git": ranges[:300]}).ok

    def test_an_id_that_two_catalogs_have_is_refused(self) -> None:
        twin = entry("git.other.example", "git", catalog="acme/other", port=22, protocol="tcp")
        found = draft(selection([GIT, twin]), "aws:rules", addresses={"git": ["203.0.113.22"]})
        assert {decision.outcome for decision in found.decisions} == {"refused"}
        assert "acme/other and acme/test both have" in found.decisions[0].reason

    def test_even_if_the_other_has_a_name_on_the_wire(self) -> None:
        twin = entry("git.other.example", "git", catalog="acme/other")
        found = draft(selection([GIT, twin]), "aws:rules", addresses={"git": ["203.0.113.22"]})
        assert [decision.outcome for decision in found.decisions] == ["allowed", "refused"]


@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
def test_addresses_that_no_rule_uses_are_pointed_out(target: str) -> None:
    found = plan(
        selection([entry()]),
        target,
        addresses={"gti": ["203.0.113.22"], "cgr-dev": ["203.0.113.9"]},
        ip_sets={"x": LIST},
    )
    assert [one.split(",")[0] for one in messages(found, "addresses-unused")] == [
        f"Addresses are given for {name}" for name in ("cgr-dev", "gti", "x")
    ]


class TestRejects:
    def test_the_last_group_rejects_and_the_policy_has_no_default(self) -> None:
        found = made(entry(), reject=True)
        assert list(priorities(found)) == ["edge", "allow", "reject"]
        assert "StatefulDefaultActions" not in found.objects[-1].body["FirewallPolicy"]
        assert messages(found, "rejects")
        verdict = found.verdict(Flow("other.example"))
        assert (verdict.action, verdict.why) == ("block", "rejected by a rule of hostgate-reject")

    def test_what_cannot_be_reset_is_dropped(self) -> None:
        for each in made(entry(), reject=True).objects:
            for line in (each.text or "").splitlines():
                assert not re.match(r"reject (udp|icmp|ip) ", line)

    def test_a_reset_is_for_everybody_and_leans_on_no_inverse(self) -> None:
        text = group(made(entry(), reject=True), "reject").text or ""
        rejects = [line.split() for line in text.splitlines() if line.startswith("reject")]
        assert {(words[2], words[5]) for words in rejects} == {("any", "any")}

    def test_a_guard_rejects_too(self) -> None:
        found = plan(selection([entry()]), "aws:domain-list", reject=True)
        verdict = found.verdict(Flow("cgr.dev", 8443))
        assert (verdict.action, verdict.why) == ("block", "rejected by a rule of hostgate-guard")

    def test_audit_rejects_nothing(self) -> None:
        found = made(entry(), reject=True, mode="audit")
        assert [each.name for each in found.objects] == ["hostgate-edge", "hostgate-allow", "hostgate"]
        assert messages(found, "rejects") == []

    @pytest.mark.parametrize("base", [1, 60_000])
    def test_every_priority_is_one_that_the_service_takes(self, base: int) -> None:
        found = made(entry(), GIT, reject=True, base=base, addresses={"git": ["203.0.113.22"]})
        assert count(found.objects).over == []
