"""gcp:web-proxy: lists and matchers, priorities, what is refused, gateway and routes, what the findings say."""

from typing import Any

import pytest

from conformance.catalogs import entry, many, selection
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow
from hostgate.gcp.web_proxy import GATEWAY, POLICY, POLICY_ROUTE, RULE, STATIC_ROUTE, SUBNETWORK, URL_LIST
from hostgate.planning.plan import Plan, plan

TARGET = "gcp:web-proxy"
NETWORK = "projects/acme/global/networks/main"
SUBNET = "projects/acme/regions/europe-west4/subnetworks/main"
GATED = {"network": NETWORK, "subnetwork": SUBNET}
HERE = {"project": "acme", "region": "europe-west4"}
ATTACHED = "projects/acme/locations/europe-west4/gatewaySecurityPolicies/egress"


def made(*hosts: Any, **options: Any) -> Plan:
    return plan(selection(hosts or [entry()]), TARGET, options)


def bodies(found: Plan, kind: str) -> dict[str, Any]:
    return {each.name: each.body for each in found.objects if each.kind == kind}


def said(found: Plan, id_: str) -> str:
    return " ".join(one.message for one in found.findings if one.id == id_)


def refused(**options: Any) -> str:
    with pytest.raises(InputError) as caught:
        made(**options)
    return str(caught.value)


class TestListsAndRules:
    @pytest.mark.parametrize(
        ("match", "listed"),
        [("exact", "vendor.example"), ("subtree", "*.vendor.example"), ("subtree+apex", "*vendor.example")],
    )
    def test_each_kind_becomes_what_holds_its_names(self, match: str, listed: str) -> None:
        found = made(entry("vendor.example", match=match))
        assert bodies(found, URL_LIST)["hostgate-hosts-443"]["values"] == [listed]

    def test_each_port_has_a_list_and_a_rule_whose_matcher_names_both(self) -> None:
        found = made(entry(), entry("plain.example", port=80, protocol="http"), **HERE)
        matchers = {name: body["sessionMatcher"] for name, body in bodies(found, RULE).items()}
        lists = "projects/acme/locations/europe-west4/urlLists"
        assert matchers == {
            "hostgate-allow-80": f"inUrlList(host(), '{lists}/hostgate-hosts-80') && destination.port == 80",
            "hostgate-allow-443": f"inUrlList(host(), '{lists}/hostgate-hosts-443') && destination.port == 443",
        }
        assert {body["name"] for body in bodies(found, URL_LIST).values()} == {
            f"{lists}/hostgate-hosts-80",
            f"{lists}/hostgate-hosts-443",
        }

    def test_clients_stand_in_every_matcher_by_range_account_and_tag(self) -> None:
        clients = ["tagValues/1", "10.0.0.0/8", "a@p.iam.gserviceaccount.com"]
        matcher = bodies(made(from_=clients), RULE)["hostgate-allow-443"]["sessionMatcher"]
        assert matcher.endswith(
            " && (inIpRange(source.ip, '10.0.0.0/8') || source.matchServiceAccount('a@p.iam.gserviceaccount.com')"
            " || source.matchTag('tagValues/1'))"
        )

    def test_priorities_depend_on_base_and_port_alone(self) -> None:
        found = bodies(made(entry(), entry("b.example", port=8443), base=5000), RULE)
        assert {name: body["priority"] for name, body in found.items()} == {
            "hostgate-allow-443": 5000 + 443 * 64,
            "hostgate-allow-8443": 5000 + 8443 * 64,
        }

    def test_audit_allows_everything_last_and_enforce_has_no_such_rule(self) -> None:
        audit = bodies(made(mode="audit"), RULE)
        assert audit["hostgate-audit"]["sessionMatcher"] == "true"
        assert audit["hostgate-audit"]["priority"] == max(body["priority"] for body in audit.values())
        assert list(bodies(made(), RULE)) == ["hostgate-allow-443"]

    def test_audit_opens_to_the_clients_of_from_alone(self) -> None:
        audit = made(mode="audit", from_=["10.0.0.0/8"])
        assert bodies(audit, RULE)["hostgate-audit"]["sessionMatcher"] == "inIpRange(source.ip, '10.0.0.0/8')"
        assert audit.verdict(Flow("evil.example", source="10.1.2.3")).allows
        assert not audit.verdict(Flow("evil.example", source="192.0.2.9")).allows

    def test_lists_go_to_one_folder_rules_to_another_and_all_else_to_a_third(self) -> None:
        found = made(**GATED, proxy_subnet="10.9.0.0/23")
        folders: dict[str, set[str]] = {}
        for each in found.objects:
            folders.setdefault(each.folder, set()).add(each.kind)
        assert folders == {
            "url-lists": {URL_LIST},
            "rules": {RULE},
            "policy": {POLICY, GATEWAY, SUBNETWORK, POLICY_ROUTE},
        }


class TestRefusals:
    @pytest.mark.parametrize("protocol", ["tcp", "udp"])
    def test_what_has_no_name_to_read_is_refused_since_a_rule_without_one_would_be_wider(self, protocol: str) -> None:
        found = made(entry("db.example", port=5432, protocol=protocol))
        assert found.refused
        assert "would allow the port to everybody" in found.problems[0].message

    def test_one_label_is_refused_and_accepted_reaches_deeper(self) -> None:
        wild = entry("vendor.example", "wild", match="one-label")
        assert made(wild).refused
        accept = [Acceptance(finding="deeper-names", entry="wild", because="known")]
        wider = plan(selection([wild], accept=accept), TARGET)
        assert [wider.verdict(Flow(f"{name}.vendor.example")).allows for name in ("a", "a.b")] == [True, True]

    def test_an_entry_on_a_port_that_the_gateway_does_not_listen_on_is_refused(self) -> None:
        found = made(entry("a.example", port=8443), **GATED, ports=[80, 443])
        assert found.refused
        assert "does not listen on port 8443. Found in `ports`: 80, 443" in found.problems[0].message

    def test_more_ports_than_a_region_has_lists_are_refused_before_anything_is_made(self) -> None:
        found = made(*(entry(f"h{port}.example", port=port) for port in range(9_000, 9_011)))
        assert [one.id for one in found.findings if one.severity == "error"] == ["limit-exceeded"]
        assert "URL lists of a project and region: needs 11, allowed 10" in found.problems[0].message

    def test_a_matcher_of_too_many_clients_is_refused(self) -> None:
        clients = [f"10.{second}.{third}.0/24" for second in range(100, 110) for third in range(100, 110)]
        assert "characters of a matcher: needs" in made(from_=clients).problems[0].message

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            ({"attach": ATTACHED, "mode": "audit"}, "would open somebody else's proxy to everybody"),
            ({"attach": ATTACHED.replace("acme", "a'b")}, "projects/PROJECT/locations/REGION"),
            ({"deny": "none"}, "The proxy denies what no rule allows"),
            ({"network": NETWORK}, "`subnetwork` is missing"),
            ({**GATED, "routing": "explicit"}, "`ports` is missing"),
            (
                {**GATED, "routing": "explicit", "ports": [8080], "network_tags": ["web"]},
                "found `networkTags` with routing 'exp",
            ),
            ({**GATED, "route": "static"}, "`networkTags` is missing"),
            ({**GATED, "route": "static", "network_tags": ["a"], "route_base": 999}, "would have priority 1000"),
            ({**GATED, "route": "static", "network_tags": ["a"], "route_base": 1000}, "Allowed: 1 to 998"),
            ({**GATED, "route": "static", "network_tags": ["a"], "deny": "all"}, "deny 'all' with route 'static'"),
            ({"attach": ATTACHED, **GATED}, "found `network` with `attach`"),
            (
                {**GATED, "region": "us-east1"},
                "found several regions: us-east1 (`region`), europe-west4 (`subnetwork`)",
            ),
            ({**GATED, "project": "other"}, "found several projects"),
            ({"from_": ["fd00::/8"]}, "an IPv4 range, a service account's email (at gserviceaccount.com)"),
            ({"from_": ["joe@example.com"]}, "a service account's email (at gserviceaccount.com)"),
            ({"from_": ["joe@gserviceaccount.com.example"]}, "a service account's email (at gserviceaccount.com)"),
            ({**GATED, "address": "10.9.1.5", "proxy_subnet": "10.9.0.0/23"}, "which is in `proxySubnet` 10.9.0.0/23"),
            ({"from_": ["0.0.0.0/1"]}, "from: "),
            ({"exempt": ["0.0.0.0/1"]}, "exempt: "),
            ({"region": "europe"}, "a region such as europe-west4"),
            ({"attach": "egress"}, "projects/PROJECT/locations/REGION/gatewaySecurityPolicies/NAME"),
            ({**GATED, "ports": [80, 81, 82, 83, 84, 85]}, "ports`: found 6 items. Allowed: at most 5."),
            ({**GATED, "address": "10.0.0.0/8"}, "one IPv4 address of the subnetwork"),
            ({**GATED, "address": "fd00::5"}, "one IPv4 address of the subnetwork"),
            ({**GATED, "address": "127.0.0.1"}, "which no subnetwork has"),
            ({**GATED, "address": "169.254.169.254"}, "which no subnetwork has"),
            ({**GATED, "address": "239.0.0.1"}, "which no subnetwork has"),
            ({**GATED, "address": "0.0.0.0"}, "which no subnetwork has"),
        ],
    )
    def test_options_that_do_not_hold_are_refused_with_what_is_allowed(
        self, options: dict[str, Any], word: str
    ) -> None:
        assert word in refused(**options)

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        told = refused(deny="none", network=NETWORK, route="static")
        assert all(word in told for word in ("deny 'none'", "`subnetwork`", "`networkTags`"))


class TestGatewayAndRoutes:
    def test_a_plan_without_a_network_makes_no_gateway_and_says_so(self) -> None:
        found = made(**HERE)
        assert not bodies(found, GATEWAY)
        assert found.unenforced
        assert not made(**GATED).unenforced

    def test_a_deployment_needs_project_and_region_and_a_plan_does_not(self) -> None:
        assert "`project` and `region` must be given" in (made().options.lacking or "")
        assert made(**GATED).options.lacking is None
        assert made(attach=ATTACHED).options.lacking is None

    def test_the_gateway_is_a_next_hop_on_all_ports(self) -> None:
        (body,) = bodies(made(**GATED), GATEWAY).values()
        assert (body["routingMode"], body["allPorts"]) == ("NEXT_HOP_ROUTING_MODE", True)
        assert body["gatewaySecurityPolicy"].endswith("/gatewaySecurityPolicies/hostgate")

    def test_private_ranges_and_exempt_ones_have_routes_past_the_proxy_before_the_route_to_it(self) -> None:
        routes = bodies(made(**GATED, exempt=["203.0.113.0/24"], proxy_subnet="10.9.0.0/23"), POLICY_ROUTE)
        past = {name for name, body in routes.items() if body.get("nextHopOtherRoutes") == "DEFAULT_ROUTING"}
        assert past == {
            "hostgate-past-10-0-0-0-8",
            "hostgate-past-172-16-0-0-12",
            "hostgate-past-192-168-0-0-16",
            "hostgate-past-203-0-113-0-24",
            "hostgate-from-10-9-0-0-23",
        }
        leading = routes["hostgate-to-proxy"]
        assert leading["priority"] == max(body["priority"] for body in routes.values()) == 1001
        assert leading["filter"] == {"protocolVersion": "IPV4", "ipProtocol": "ALL"}

    @pytest.mark.parametrize(
        ("deny", "mode", "private"), [("all", "enforce", 0), ("all", "audit", 3), ("internet", "enforce", 3)]
    )
    def test_private_traffic_is_led_to_the_proxy_by_deny_all_in_enforce_only(
        self, deny: str, mode: str, private: int
    ) -> None:
        found = made(**GATED, deny=deny, mode=mode)
        assert len(bodies(found, POLICY_ROUTE)) == private + 1
        flow = Flow("db.internal", 5432, "tcp", address="10.20.30.40")
        assert found.verdict(flow).allows == bool(private) or mode == "audit"

    @pytest.mark.parametrize("address", ["10.0.0.9", "34.1.0.1", "100.64.0.9", "240.0.0.9"])
    def test_its_address_may_be_a_public_one_that_the_network_has_for_private_use(self, address: str) -> None:
        (body,) = bodies(made(**GATED, address=address), GATEWAY).values()
        assert body["addresses"] == [address]

    @pytest.mark.parametrize(("given", "leads"), [({}, 901), ({"route_base": 998}, 999), ({"route_base": 1}, 2)])
    def test_a_static_route_to_the_proxy_comes_before_the_network_s_own_default_route(
        self, given: dict[str, Any], leads: int
    ) -> None:
        found = made(**GATED, route="static", network_tags=["builds"], exempt=["203.0.113.0/24"], **given)
        numbers = {name: body["priority"] for name, body in bodies(found, STATIC_ROUTE).items()}
        assert numbers == {"hostgate-past-203-0-113-0-24": leads - 1, "hostgate-to-proxy": leads}
        assert any(f"has priority {leads} or a lower number" in each for each in found.assumptions)

    def test_of_policy_based_routes_which_come_before_all_others_nothing_is_assumed(self) -> None:
        assert not any("0.0.0.0/0" in each for each in made(**GATED).assumptions)

    def test_a_static_route_is_for_tagged_instances(self) -> None:
        routes = bodies(made(**GATED, route="static", network_tags=["builds"], exempt=["203.0.113.0/24"]), STATIC_ROUTE)
        assert {body["tags"][0] for body in routes.values()} == {"builds"}
        assert routes["hostgate-past-203-0-113-0-24"]["nextHopGateway"].endswith("/default-internet-gateway")

    @pytest.mark.parametrize("options", [{"deny": "declared"}, {"routing": "explicit", "ports": [8080]}])
    def test_no_route_is_made_where_others_do_it_or_clients_name_the_proxy(self, options: dict[str, Any]) -> None:
        found = made(**GATED, **options)
        assert not bodies(found, POLICY_ROUTE)
        assert bodies(found, GATEWAY)

    def test_rules_go_into_the_policy_that_attach_names(self) -> None:
        found = made(attach=ATTACHED)
        assert {each.kind for each in found.objects} == {URL_LIST, RULE}
        assert bodies(found, RULE)["hostgate-allow-443"]["name"].startswith(f"{ATTACHED}/rules/")
        assert "no authorization policy on the gateway" in said(found, "attached-policy")


class TestVerdicts:
    @pytest.mark.parametrize(
        ("flow", "action"),
        [
            (Flow("cgr.dev"), "allow"),
            (Flow("CGR.dev"), "allow"),
            (Flow("cgr.dev", 443, "http"), "allow"),
            (Flow("evil.example", sni="cgr.dev"), "allow"),
            (Flow("cgr.dev", sni=None), "block"),
            (Flow("cgr.dev", 443, "tcp"), "block"),
            (Flow("cgr.dev", 443, "quic"), "block"),
            (Flow("cgr.dev", 8443), "block"),
            (Flow("a.cgr.dev"), "block"),
            (Flow("evil.example", address="2001:db8::7"), "unknown"),
            (Flow("cgr.dev", address="2001:db8::7"), "unknown"),
            (Flow("metadata.google.internal", 80, "http"), "allow"),
            (Flow("169.254.169.254", 53, "udp"), "allow"),
            (Flow("evil.example", address="10.1.2.3"), "allow"),
        ],
    )
    def test_a_flow_is_judged_by_name_and_port_over_ipv4(self, flow: Flow, action: str) -> None:
        assert made().verdict(flow).action == action

    def test_whether_a_wildcard_holds_its_apex_is_not_known_and_said(self) -> None:
        found = made(entry("vendor.example", match="subtree"))
        assert found.verdict(Flow("vendor.example")).action == "unknown"
        assert found.verdict(Flow("a.vendor.example")).allows
        assert "*.vendor.example is taken not to hold vendor.example" in said(found, "apex-by-analogy")

    def test_names_of_an_explicit_proxy_are_documented_both_ways_and_said(self) -> None:
        found = made(**GATED, routing="explicit", ports=[8080])
        assert found.verdict(Flow("cgr.dev")).action == "unknown"
        assert found.verdict(Flow("cgr.dev", 443, "http")).action == "allow"
        for protocol in ("https", "http", "tcp", "udp"):  # a client that does not use the proxy is not stopped by it
            assert found.verdict(Flow("evil.example", protocol=protocol)).action == "unknown"
        assert "documented both ways" in said(found, "explicit-proxy")

    def test_what_comes_to_a_port_that_the_gateway_does_not_listen_on_is_blocked(self) -> None:
        found = made(**GATED, ports=[443], mode="audit")
        assert found.verdict(Flow("evil.example", 443)).allows
        assert found.verdict(Flow("evil.example", 8443)).action == "block"

    @pytest.mark.parametrize("route", ["policy-based", "static"])
    @pytest.mark.parametrize(
        ("source", "action"),
        [(None, "block"), ("network-tag:builds", "block"), ("network-tag:other", "allow"), ("10.1.2.3", "unknown")],
    )
    def test_a_client_without_a_network_tag_of_the_route_goes_past_the_proxy(
        self, route: str, source: str | None, action: str
    ) -> None:
        found = made(**GATED, route=route, network_tags=["builds"])
        assert found.verdict(Flow("evil.example", source=source)).action == action
        assert found.verdict(Flow("cgr.dev", source=source)).action == "allow"

    def test_destinations_that_static_routes_exempt_go_past_it(self) -> None:
        found = made(**GATED, route="static", network_tags=["builds"], exempt=["8.8.8.0/24"])
        assert found.verdict(Flow("dns.example", address="8.8.8.8")).allows
        assert found.verdict(Flow("dns.example", address="8.8.4.4")).action == "block"

    def test_with_a_static_route_or_declared_ones_nobody_here_knows_where_private_traffic_goes(self) -> None:
        flow = Flow("db.internal", 5432, "tcp", address="10.20.30.40")
        assert made(deny="declared").verdict(flow).action == "unknown"
        assert made(**GATED, route="static", network_tags=["builds"]).verdict(flow).action == "unknown"


def test_the_whole_network_is_led_to_the_proxy_only_with_a_word_on_the_proxys_own_traffic() -> None:
    assert "has to keep the proxy-only subnet's traffic from it" in said(made(**GATED), "past-the-proxy")
    for more in ({"network_tags": ["builds"]}, {"proxy_subnet": "10.9.0.0/23"}):
        assert "has to keep" not in said(made(**GATED, **more), "past-the-proxy")


def test_a_list_is_filled_to_seventy_percent_and_then_splits_with_its_rule() -> None:
    assert list(bodies(made(*many(1_750)), URL_LIST)) == ["hostgate-hosts-443"]
    assert list(bodies(made(*many(1_751)), RULE)) == ["hostgate-allow-443-0", "hostgate-allow-443-1"]
