"""azure:application-rules: kinds of rules and their order, tiers, ports, and what audit opens."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, selection
from conformance.strategies import catalogs
from hostgate.azure import application_rules
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, draft, plan

TARGET = "azure:application-rules"
DATABASE = entry("db.example.com", port=5432, protocol="tcp")


def collections(made: Plan) -> dict[str, dict[str, Any]]:
    (group,) = [each for each in made.objects if each.kind.endswith("/ruleCollectionGroups")]
    return {each["name"]: each for each in group.body["properties"]["ruleCollections"]}


def policy(made: Plan) -> dict[str, Any]:
    (found,) = [each for each in made.objects if each.kind == "Microsoft.Network/firewallPolicies"]
    return dict(found.body["properties"])


def test_http_and_tls_are_application_rules_and_the_rest_network_rules() -> None:
    hosts = [entry(), entry("a.dev", port=80, protocol="http"), entry("b.dev", port=8443, protocol="tls"), DATABASE]
    found = collections(plan(selection(hosts), TARGET))
    assert list(found) == ["allow-network", "allow-application"]
    application = {rule["name"]: rule["protocols"] for rule in found["allow-application"]["rules"]}
    assert application == {
        "http-80": [{"protocolType": "Http", "port": 80}],
        "https-443": [{"protocolType": "Https", "port": 443}],
        "https-8443": [{"protocolType": "Https", "port": 8443}],
    }
    (rule,) = found["allow-network"]["rules"]
    assert rule["destinationFqdns"] == ["db.example.com"]
    assert (rule["ipProtocols"], rule["destinationPorts"]) == (["TCP"], ["5432"])


@pytest.mark.parametrize("mode", ["enforce", "audit"])
@given(drawn=catalogs(), deny=st.sampled_from(["internet", "all"]))
def test_a_collection_holds_one_kind_of_rule(mode: str, drawn: list[Entry], deny: str) -> None:
    objected = mechanism(TARGET).objections(drawn, draft(selection([]), TARGET).options)
    made = plan(selection([each for each in drawn if each.key not in objected]), TARGET, mode=mode, deny=deny)
    if not any(each.kind.endswith("/ruleCollectionGroups") for each in made.objects):
        return
    for collection in collections(made).values():
        assert collection["ruleCollectionType"] == "FirewallPolicyFilterRuleCollection"
        assert len({rule["ruleType"] for rule in collection["rules"]}) == 1


class TestWildcards:
    @pytest.mark.parametrize(
        ("kind", "names"),
        [("exact", ["x.dev"]), ("subtree", ["*.x.dev"]), ("subtree+apex", ["*.x.dev", "x.dev"])],
    )
    def test_a_star_stands_for_a_whole_label_or_more(self, kind: str, names: list[str]) -> None:
        made = plan(selection([entry("x.dev", match=kind)]), TARGET)
        assert collections(made)["allow-application"]["rules"][0]["targetFqdns"] == names
        assert not made.verdict(Flow("evilx.dev")).allows

    def test_one_label_is_refused_until_deeper_names_are_accepted(self) -> None:
        host = entry("x.dev", "one", match="one-label")
        assert plan(selection([host]), TARGET).refused
        accept = [Acceptance(finding="deeper-names", entry="one", because="known")]
        made = plan(selection([host], accept=accept), TARGET)
        assert made.verdict(Flow("a.b.x.dev")).allows
        assert not made.verdict(Flow("x.dev")).allows


class TestPorts:
    @pytest.mark.parametrize(("port", "refused"), [(1, False), (64_000, False), (64_001, True), (65_535, True)])
    def test_an_application_rule_ends_at_64000(self, port: int, refused: bool) -> None:
        made = plan(selection([entry(port=port)]), TARGET)
        assert made.refused is refused
        assert not refused or "1 to 64000" in made.problems[0].message

    def test_a_network_rule_does_not(self) -> None:
        assert plan(selection([entry(port=65_535, protocol="udp")]), TARGET).ok


class TestTiers:
    def test_names_in_network_rules_need_more_than_basic(self) -> None:
        made = plan(selection([DATABASE, entry()]), TARGET, tier="Basic")
        assert [d.entry.id for d in made.decisions if d.outcome == "refused"] == ["db-example-com"]
        assert "Standard or Premium" in made.problems[0].message

    @pytest.mark.parametrize("tier", ["Basic", "Standard", "Premium"])
    def test_the_tier_is_the_policys(self, tier: str) -> None:
        assert policy(plan(selection([entry()]), TARGET, tier=tier))["sku"] == {"tier": tier}

    def test_the_dns_proxy_is_turned_on_only_where_names_are_looked_up(self) -> None:
        with_names, without = plan(selection([DATABASE]), TARGET), plan(selection([entry()]), TARGET)
        assert policy(with_names)["dnsSettings"] == {"enableProxy": True}
        assert "dnsSettings" not in policy(without)
        assert any(one.id == "needs-dns-proxy" for one in with_names.findings)


class TestAudit:
    @given(ports=st.sets(st.sampled_from([1, 2, 80, 443, 444, 8443, 63_999, 64_000]), max_size=5))
    def test_network_rules_leave_every_web_port_to_application_rules(self, ports: set[int]) -> None:
        hosts = [entry(f"p{port}.dev", port=port) for port in ports]
        audit = collections(plan(selection(hosts), TARGET, mode="audit"))
        tcp = next(rule for rule in audit["audit-network"]["rules"] if rule["name"] == "audit-tcp")
        ranges = [tuple(int(n) for n in (spec.split("-") * 2)[:2]) for spec in tcp["destinationPorts"]]
        web = {protocol["port"] for protocol in audit["audit-application"]["rules"][0]["protocols"]}
        assert web == ports | {80, 443}
        assert all(low <= high for low, high in ranges)
        assert all(one[1] < other[0] for one, other in pairwise(ranges))
        covered = sum(high - low + 1 for low, high in ranges)
        assert covered + len(web) == 65_535
        assert not any(low <= port <= high for low, high in ranges for port in web)

    def test_the_audit_collections_come_last_and_are_marked(self) -> None:
        found = collections(plan(selection([entry(), DATABASE]), TARGET, mode="audit"))
        order = sorted(found, key=lambda name: found[name]["priority"])
        assert order == ["allow-network", "allow-application", "audit-network", "audit-application"]

    @pytest.mark.parametrize(
        "flow",
        [Flow("x.dev"), Flow("x.dev", 80, "http"), Flow("x.dev", 443, "http"), Flow("x.dev", 22, "tcp"), Flow("x.dev", 53, "udp")]
    )  # fmt: skip
    def test_what_enforce_would_block_passes_under_the_name_of_audit(self, flow: Flow) -> None:
        verdict = plan(selection([entry()]), TARGET, mode="audit").verdict(flow)
        assert verdict.allows
        assert "audit" in (verdict.rule or "")


class TestDeny:
    def test_nothing_is_rendered_for_what_the_service_denies_anyway(self) -> None:
        assert list(collections(plan(selection([entry()]), TARGET))) == ["allow-application"]

    def test_deny_all_closes_the_infrastructure_names_last(self) -> None:
        found = collections(plan(selection([entry()]), TARGET, deny="all"))
        closing = found["deny-everything"]
        assert closing["action"] == {"type": "Deny"}
        assert closing["priority"] == max(each["priority"] for each in found.values())


class TestSources:
    def test_somebody_is_always_named(self) -> None:
        rules = collections(plan(selection([entry(), DATABASE]), TARGET))
        assert {tuple(rule["sourceAddresses"]) for each in rules.values() for rule in each["rules"]} == {("*",)}

    def test_ranges_and_ip_groups_stand_side_by_side(self) -> None:
        group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/ipGroups/builders"
        made = plan(selection([entry()]), TARGET, from_=["10.2.0.0/16", "10.1.0.0/16", group])
        (rule,) = collections(made)["allow-application"]["rules"]
        assert rule["sourceAddresses"] == ["10.1.0.0/16", "10.2.0.0/16"]
        assert rule["sourceIpGroups"] == [group]

    def test_in_audit_only_the_named_clients_pass(self) -> None:
        made = plan(selection([entry()]), TARGET, mode="audit", from_=["10.1.0.0/16"])
        assert made.verdict(Flow("x.dev", source="10.1.0.1")).allows
        assert not made.verdict(Flow("x.dev", source="10.2.0.1")).allows


class TestEvaluation:
    def test_network_rules_come_first_whatever_their_priority(self) -> None:
        hosts = [entry("a.dev", port=443), entry("b.dev", port=443, protocol="tcp")]
        made = plan(selection(hosts), TARGET)
        assert "allow-network" in (made.verdict(Flow("b.dev", sni="a.dev")).rule or "")

    @pytest.mark.parametrize(
        "flow", [Flow("cgr.dev", sni=None), Flow("cgr.dev", 443, "quic"), Flow("cgr.dev", 443, "tcp")]
    )
    def test_what_carries_no_name_is_denied(self, flow: Flow) -> None:
        assert not plan(selection([entry()]), TARGET).verdict(flow).allows

    def test_an_entry_over_ipv6_only_is_refused(self) -> None:
        assert plan(selection([entry(families=("ipv6",))]), TARGET).refused


@pytest.mark.parametrize(
    ("hosts", "told"), [(100, []), (1_600, ["over-quota"]), (4_000, ["limit-exceeded", "over-quota"])]
)
def test_more_groups_than_every_policy_takes_are_told_and_more_than_any_takes_are_refused(
    hosts: int, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application_rules, "GROUP_BYTES", replace(application_rules.GROUP_BYTES, max=22_000))
    made = draft(selection([entry(f"h{number}.example") for number in range(hosts)]), TARGET, {})
    found = [one for one in made.findings if one.id in ("over-quota", "limit-exceeded")]
    assert sorted(one.id for one in found) == told
    assert made.refused == ("limit-exceeded" in told)
    if told:
        assert "allowed 50 groups unless the policy was made after July 2022" in found[-1].message
