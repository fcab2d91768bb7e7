"""What stands around a Secure Web Proxy: other people's rules, authorization policies, routes, what is not known yet."""

from dataclasses import replace
from typing import Any

import pytest

from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.gcp.evaluate_proxy import places
from hostgate.gcp.resources_proxy import (
    AUTHZ_POLICY,
    GATEWAY,
    POLICY,
    POLICY_ROUTE,
    RULE,
    STATIC_ROUTE,
    SUBNETWORK,
    URL_LIST,
)

HERE = "projects/p/locations/r"
LIST, EGRESS, PROXY = f"{HERE}/urlLists/l", f"{HERE}/gatewaySecurityPolicies/egress", f"{HERE}/gateways/proxy"
NET = "projects/p/global/networks/n"
LISTED = f"inUrlList(host(), '{LIST}') && destination.port == 443"


def resource(token: str, name: str, link: str = "", /, **properties: Any) -> Resource:
    return Resource(urn=f"urn::{token}::{name}", type=token, name=name, properties=properties, id=link)


def rule(name: str, matcher: Any = LISTED, profile: Any = "ALLOW", priority: Any = 10, **more: Any) -> Resource:
    inputs = {"enabled": True, "basicProfile": profile, "sessionMatcher": matcher, "priority": priority, **more}
    return resource(RULE, name, **{"gatewaySecurityPolicy": "egress", "location": "r", **inputs})


def route(name: str, priority: int = 1000, **more: Any) -> Resource:
    match = {"protocolVersion": "IPV4", **more.pop("filter", {})}
    return resource(POLICY_ROUTE, name, network=NET, priority=priority, filter=match, **more)


HOSTS = resource(URL_LIST, "l", LIST, values=["cgr.dev"])
HOLDER = resource(POLICY, "egress", EGRESS, name="egress", location="r")
GATE = resource(
    GATEWAY, "proxy", PROXY, name="proxy", type="SECURE_WEB_GATEWAY", routingMode="NEXT_HOP_ROUTING_MODE", allPorts=True,
    gatewaySecurityPolicy=EGRESS, network=NET, location="r", addresses=["10.0.0.9"],
)  # fmt: skip
STANDING = (HOSTS, HOLDER, GATE)


EXPLICIT = replace(GATE, properties={**GATE.properties, "routingMode": "EXPLICIT_ROUTING_MODE", "ports": [8080]})
METADATA = "169.254.169.254"


def place(*resources: Resource) -> Place:
    (found,) = places(Snapshot(resources, "a stack"))
    return found


def asked(*resources: Resource, name: str = "evil.example", **flow: Any) -> Verdict:
    return decide(place(*resources), Flow(name, **flow))


def test_a_proxy_with_an_allowlist_denies_the_rest() -> None:
    assert asked(*STANDING, rule("a"), name="cgr.dev").rule == "a#cgr.dev"
    assert asked(*STANDING, rule("a")).action == "block"
    assert place(*STANDING, rule("a")).kind == "proxy"


@pytest.mark.parametrize(
    ("matcher", "priority", "action"),
    [("true", 5, "allow"), ("destination.port == 443", 50, "allow"), ("host() == 'other.example'", 5, "block")],
)
def test_a_rule_of_somebody_else_counts_by_its_priority(matcher: str, priority: int, action: str) -> None:
    assert asked(*STANDING, rule("a"), rule("theirs", matcher, priority=priority)).action == action


def test_the_lowest_priority_decides_whatever_is_more_specific() -> None:
    deny = rule("deny", "host() != 'x.example'", "DENY", 5)
    assert asked(*STANDING, rule("a"), deny, name="cgr.dev").rule == "deny"
    assert asked(
        *STANDING, rule("a"), replace(deny, properties={**deny.properties, "priority": 50}), name="cgr.dev"
    ).allows


def test_a_rule_without_a_host_is_one_for_any_tcp_and_none_for_udp() -> None:
    ports = rule("ports", "destination.port == 22")
    assert asked(*STANDING, ports, port=22, protocol="tcp").allows
    assert asked(*STANDING, ports, port=22, protocol="udp").action == "block"


@pytest.mark.parametrize(
    "unread",
    [
        rule("m", "host().matches('.*')", priority=5),
        rule("m", "request.path == '/'", priority=5),
        rule("m", "(" * 60 + "true" + ")" * 60, priority=5),
        rule("m", UNKNOWN, priority=5),
        rule("m", "true", UNKNOWN, 5),
        rule("m", "true", priority=UNKNOWN, enabled=UNKNOWN),
        rule("m", "true", priority=5, applicationMatcher="request.method == 'GET'"),
        rule("m", f"inUrlList(host(), '{HERE}/urlLists/elsewhere')", priority=5),
        rule("m", "true", priority=5, gatewaySecurityPolicy=UNKNOWN),
        rule("m", "!source.matchTag('tagValues/1')", priority=5),
    ],
)
def test_what_cannot_be_read_is_unknown_and_never_passed_over(unread: Resource) -> None:
    verdict = asked(*STANDING, rule("a"), unread)
    assert verdict.action == "unknown"
    assert verdict.lacks


def test_a_rule_that_is_not_enabled_does_nothing() -> None:
    assert asked(*STANDING, rule("a"), rule("off", "true", priority=5, enabled=False)).action == "block"


def test_a_list_whose_entries_are_not_known_yet_may_hold_the_name() -> None:
    unknown = replace(HOSTS, properties={"values": UNKNOWN})
    assert asked(unknown, HOLDER, GATE, rule("a")).action == "unknown"
    assert asked(unknown, HOLDER, GATE, rule("a"), port=8443).action == "block"


@pytest.mark.parametrize(("entry", "name", "action"), [
    ("*cgr.dev", "a.b.cgr.dev", "allow"), ("*cgr.dev", "notcgr.dev", "block"), ("*.cgr.dev", "cgr.dev", "unknown"),
    ("cgr.dev/path", "cgr.dev", "allow"), ("*", "cgr.dev", "unknown"), ("c*r.dev", "cgr.dev", "unknown"),
    ("*.dev", "cgr.dev", "allow"), ("cgr.dev.", "cgr.dev", "unknown"), ("localhost.", "localhost", "unknown"),
    ("cgr.dev:443", "cgr.dev", "unknown"), ("*.cgr.dev.", "a.cgr.dev", "unknown"), ("", "cgr.dev", "unknown"),
    ("192.0.2.7", "192.0.2.7", "unknown"), ("bücher.example", "xn--bcher-kva.example", "allow"),
])  # fmt: skip
def test_entries_are_read_by_whole_labels_and_others_are_a_doubt(entry: str, name: str, action: str) -> None:
    assert asked(replace(HOSTS, properties={"values": [entry]}), HOLDER, GATE, rule("a"), name=name).action == action


@pytest.mark.parametrize("entry", ["evil.example.", "evil.example:443", "*.evil.example.", "localhost."])
def test_what_a_deny_means_by_an_entry_that_is_no_host_is_a_doubt_and_not_nothing(entry: str) -> None:
    listed = replace(HOSTS, properties={"values": [entry]})
    assert asked(listed, HOLDER, GATE, rule("all", "true", priority=20), rule("no", profile="DENY")).action == "unknown"


def test_a_name_that_cel_compares_is_a_doubt_where_it_differs_by_case_alone() -> None:
    exact = rule("a", "host() == 'cgr.dev'")
    assert [asked(*STANDING, exact, name=each).action for each in ("cgr.dev", "CGR.dev", "x.dev")] == [
        "allow",
        "unknown",
        "block",
    ]


class TestAuthorizationPolicies:
    """One on the gateway is said to make it ignore its gateway security policy; an older text says that it may deny."""

    @staticmethod
    def on(action: str, *snis: dict[str, Any], **more: Any) -> Resource:
        rules = [{"to": {"operations": [{"snis": list(snis)}]}}] if snis else []
        return resource(AUTHZ_POLICY, "authz", action=action, target={"resources": [PROXY]}, networkRules=rules, **more)

    @pytest.mark.parametrize("action", ["ALLOW", "DENY", "CUSTOM", "DENY_BY_DEFAULT", UNKNOWN])
    @pytest.mark.parametrize("name", ["cgr.dev", "evil.example"])
    def test_beside_one_nothing_that_the_rules_say_is_sure(self, action: Any, name: str) -> None:
        verdict = asked(*STANDING, rule("a"), self.on(action, {"exact": "other.example"}), name=name)
        assert verdict.action == "unknown"
        assert "authz" in " ".join(verdict.lacks)

    @pytest.mark.parametrize(("sni", "name"), [
        ({"suffix": "gr.dev"}, "cgr.dev"), ({"contains": "evil"}, "evil.example"), ({"prefix": "cg"}, "cgr.dev"),
        ({"exact": "CGR.DEV", "ignoreCase": True}, "cgr.dev"),
    ])  # fmt: skip
    def test_what_it_denies_is_blocked_by_letters_and_not_by_labels(self, sni: dict[str, Any], name: str) -> None:
        assert asked(*STANDING, rule("a"), self.on("DENY", sni), name=name).action == "block"

    def test_plain_http_is_denied_by_one_that_asks_for_server_names(self) -> None:
        denied = asked(*STANDING, rule("a"), self.on("DENY", {"exact": "x"}), name="cgr.dev", protocol="http")
        assert denied.rule == "authz"

    def test_one_on_another_gateway_does_nothing(self) -> None:
        other = resource(AUTHZ_POLICY, "authz", action="DENY", target={"resources": [f"{HERE}/gateways/other"]})
        assert asked(*STANDING, rule("a"), other, name="cgr.dev").allows

    def test_hosts_of_requests_that_one_denies_are_not_known_to_be_blocked(self) -> None:
        rules = [{"to": {"operations": [{"hosts": [{"exact": "cgr.dev"}]}]}}]
        beside = resource(AUTHZ_POLICY, "authz", action="DENY", target={"resources": [PROXY]}, httpRules=rules)
        assert asked(*STANDING, rule("a"), beside, name="cgr.dev").action == "unknown"


class TestRoutes:
    PRIVATE = route("past", nextHopOtherRoutes="DEFAULT_ROUTING", filter={"destRange": "10.0.0.0/8"})

    @staticmethod
    def lead(name: str = "lead", priority: int = 1000, hop: Any = "10.0.0.9", **more: Any) -> Resource:
        return route(name, priority, nextHopIlbIp=hop, **more)

    @staticmethod
    def static(name: str, cidr: str, **more: Any) -> Resource:
        return resource(STATIC_ROUTE, name, **{"network": NET, "destRange": cidr, **more})

    def test_without_routes_nobody_knows_where_private_traffic_goes(self) -> None:
        assert asked(*STANDING, rule("a"), address="10.1.2.3").action == "unknown"

    def test_what_a_route_leaves_to_others_goes_past_the_proxy(self) -> None:
        assert asked(*STANDING, rule("a"), self.PRIVATE, address="10.1.2.3").rule == "past"
        assert asked(*STANDING, rule("a"), self.PRIVATE, address="172.16.0.1").action == "block"

    def test_what_a_route_leaves_to_others_comes_to_the_proxy_by_a_static_one(self) -> None:
        past = route("past", nextHopOtherRoutes="DEFAULT_ROUTING", filter={"destRange": "203.0.113.0/24"})
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        out = self.static("out", "203.0.113.128/25", nextHopGateway="default-internet-gateway")
        assert asked(*STANDING, rule("a"), past, led, address="203.0.113.7").action == "block"
        assert asked(*STANDING, rule("a"), past, led, out, address="203.0.113.200").rule == "out"
        assert asked(*STANDING, rule("a"), self.PRIVATE, led, address="10.1.2.3").action == "unknown"
        tagged = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", tags=["builds"])
        for source, action in (("network-tag:builds", "block"), ("network-tag:others", "allow")):
            assert asked(*STANDING, rule("a"), past, tagged, address="203.0.113.7", source=source).action == action

    def test_a_route_to_the_proxy_ahead_of_it_leads_it_on(self) -> None:
        ahead = self.lead(priority=500)
        assert asked(*STANDING, rule("a"), self.PRIVATE, ahead, address="10.1.2.3").action == "block"

    def test_one_for_some_clients_is_a_doubt_and_one_for_the_proxys_own_subnet_is_not(self) -> None:
        some = route("some", nextHopOtherRoutes="DEFAULT_ROUTING", filter={"srcRange": "10.9.0.0/23"})
        assert asked(*STANDING, rule("a"), some).action == "unknown"
        subnet = resource(SUBNETWORK, "s", purpose="REGIONAL_MANAGED_PROXY", ipCidrRange="10.9.0.0/23", network=NET)
        assert asked(*STANDING, rule("a"), some, subnet).action == "block"

    @pytest.mark.parametrize(
        ("some", "source", "action"),
        [
            ({"filter": {"srcRange": "10.9.0.0/23"}}, "10.9.1.7", "allow"),
            ({"filter": {"srcRange": "10.9.0.0/23"}}, "10.1.2.3", "block"),
            ({"filter": {"srcRange": "10.9.0.0/23"}}, "network-tag:a", "unknown"),
            ({"virtualMachine": {"tags": ["a", "b"]}}, "network-tag:a", "allow"),
            ({"virtualMachine": {"tags": ["a", "b"]}}, "network-tag:c", "block"),
            ({"virtualMachine": {"tags": ["a", "b"]}}, "10.1.2.3", "unknown"),
            ({"virtualMachine": {"tags": UNKNOWN}}, "network-tag:c", "unknown"),
            ({"virtualMachine": {"tags": ["a"]}, "filter": {"srcRange": "10.9.0.0/23"}}, "10.1.2.3", "block"),
        ],
    )
    def test_of_one_for_some_clients_it_is_known_whether_a_client_that_is_named_is_one(
        self, some: dict[str, Any], source: str, action: str
    ) -> None:
        past = route("some", nextHopOtherRoutes="DEFAULT_ROUTING", **some)
        for beside in ([], [self.lead(priority=2000)]):
            assert asked(*STANDING, rule("a"), past, *beside, source=source).action == action
        assert asked(*STANDING, rule("a"), past).action == "unknown"

    def test_one_of_another_network_is_not_asked(self) -> None:
        other = replace(self.PRIVATE, properties={**self.PRIVATE.properties, "network": f"{NET}2"})
        assert asked(*STANDING, rule("a"), other, address="10.1.2.3").action == "unknown"

    @pytest.mark.parametrize(
        ("led", "flow", "action"),
        [
            ("TCP", {"protocol": "udp", "port": 53}, "allow"),
            ("TCP", {"protocol": "quic"}, "allow"),
            ("TCP", {"protocol": "icmp", "port": 0}, "allow"),
            ("TCP", {"protocol": "https"}, "block"),
            ("UDP", {"protocol": "https"}, "allow"),
            ("UDP", {"protocol": "udp", "port": 53}, "block"),
            ("ALL", {"protocol": "udp", "port": 53}, "block"),
            (None, {"protocol": "gre", "port": 0}, "block"),
            (UNKNOWN, {"protocol": "udp", "port": 53}, "unknown"),
        ],
    )
    def test_what_no_route_leads_to_the_proxy_goes_past_it(self, led: Any, flow: dict[str, Any], action: str) -> None:
        assert asked(*STANDING, rule("a"), self.lead(filter={"ipProtocol": led}), **flow).action == action

    def test_a_route_for_some_destinations_leads_those_alone(self) -> None:
        some = self.lead(filter={"destRange": "203.0.113.0/24"})
        assert asked(*STANDING, rule("a"), some, address="203.0.113.7").action == "block"
        assert asked(*STANDING, rule("a"), some, address="198.51.100.7").allows

    def test_a_route_to_another_next_hop_leads_nothing_to_the_proxy(self) -> None:
        other = self.lead("other", hop="10.0.0.77")
        assert asked(*STANDING, rule("a"), other, self.lead(priority=2000)).action == "unknown"
        assert asked(*STANDING, rule("a"), other, self.lead(priority=2000), name="cgr.dev").action == "unknown"

    def test_a_next_hop_that_is_not_known_yet_is_what_it_was_made_from(self) -> None:
        made = replace(self.lead(hop=UNKNOWN), property_dependencies={"nextHopIlbIp": frozenset({GATE.urn})})
        unknown = replace(GATE, properties={**GATE.properties, "addresses": UNKNOWN})
        assert asked(HOSTS, HOLDER, unknown, rule("a"), made).action == "block"
        assert asked(HOSTS, HOLDER, unknown, rule("a"), self.lead(hop=UNKNOWN)).action == "unknown"

    @pytest.mark.parametrize(
        ("source", "action"),
        [
            (None, "block"),
            ("network-tag:builds", "block"),
            ("network-tag:others", "allow"),
            ("10.1.2.3", "unknown"),
            ("account:a@p.iam.gserviceaccount.com", "unknown"),
        ],
    )
    @pytest.mark.parametrize("static", [False, True])
    def test_a_client_without_the_tag_of_a_route_is_not_led_to_the_proxy(
        self, source: str | None, action: str, static: bool
    ) -> None:
        led = self.lead(virtualMachine={"tags": ["builds"]})
        if static:
            led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", tags=["builds"])
        assert asked(*STANDING, rule("a"), led, source=source).action == action
        assert asked(*STANDING, rule("a"), led, source=source, name="cgr.dev").allows

    def test_where_nobody_can_tell_whether_a_client_is_led_a_listed_name_is_allowed_either_way(self) -> None:
        led = self.lead(virtualMachine={"tags": ["builds"]})
        why = asked(*STANDING, rule("a"), led, source="10.1.2.3", name="cgr.dev").why
        assert "the rule a allows it; or no route leads it to the proxy" in why
        assert why.endswith("allow either way")
        sure = asked(*STANDING, rule("a"), led, source="network-tag:builds", name="cgr.dev").why
        assert "either way" not in sure

    @pytest.mark.parametrize(
        ("priority", "made_with", "action"),
        [
            (1100, {"deleteDefaultRoutesOnCreate": False}, "unknown"), (1100, {}, "unknown"), (1000, {}, "unknown"),
            (UNKNOWN, {}, "unknown"), (1100, {"deleteDefaultRoutesOnCreate": UNKNOWN}, "unknown"), (999, {}, "block"),
            (1100, {"deleteDefaultRoutesOnCreate": True}, "block"), (1100, None, "block"),
        ],
    )  # fmt: skip
    def test_a_static_route_behind_the_networks_own_default_route_may_lead_nothing(
        self, priority: Any, made_with: dict[str, Any] | None, action: str
    ) -> None:
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", priority=priority)
        made = (
            [resource("gcp:compute/network:Network", "n", NET, name="n", **made_with)] if made_with is not None else []
        )
        verdict = asked(*STANDING, *made, led, address="203.0.113.7")
        assert verdict.action == action
        assert ("its own default route" in verdict.why) == (action == "unknown")

    def test_of_static_routes_the_longest_prefix_takes_a_packet(self) -> None:
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", priority=1)
        past = self.static("past", "203.0.113.0/24", nextHopGateway="default-internet-gateway", priority=2)
        assert asked(*STANDING, rule("a"), led, past, address="203.0.113.7").rule == "past"
        assert asked(*STANDING, rule("a"), led, past, address="198.51.100.7").action == "block"

    @pytest.mark.parametrize("key", ["nextHopIp", "nextHopIlb", "nextHopInstance", "nextHopVpnTunnel"])
    def test_what_stands_at_another_next_hop_of_a_static_route_is_not_seen(self, key: str) -> None:
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        other = self.static("other", "203.0.113.0/24", **{key: "10.0.0.77"})
        assert asked(*STANDING, rule("a"), led, other, address="203.0.113.7").action == "unknown"
        assert asked(*STANDING, rule("a"), led, other, address="198.51.100.7").action == "block"

    NO_ADDRESS = replace(GATE, properties={**GATE.properties, "addresses": None})

    @pytest.mark.parametrize("key", ["nextHopInstance", "nextHopVpnTunnel"])
    def test_an_instance_or_a_tunnel_is_not_the_proxy_whose_route_stands_elsewhere(self, key: str) -> None:
        tunnel = self.static("tunnel", "10.9.0.0/16", **{key: "projects/p/regions/r/somewhere"})
        standing = (HOSTS, HOLDER, self.NO_ADDRESS, rule("a"), tunnel)
        assert asked(*standing).action == "block"
        assert asked(*standing, address="10.9.0.7").action == "unknown"
        assert place(*standing).led == "assumed"

    def test_where_a_route_may_lead_to_the_proxy_nobody_can_tell_what_goes_past_it(self) -> None:
        perhaps = self.static("perhaps", "203.0.113.0/24", nextHopIp="10.0.0.9")
        standing = (HOSTS, HOLDER, self.NO_ADDRESS, rule("a"), perhaps)
        verdict = asked(*standing, address="198.51.100.7")
        assert (verdict.action, verdict.lacks) == ("unknown", ("perhaps alone leads to the proxy, and not this",))
        assert asked(*standing, name="cgr.dev", address="198.51.100.7").allows
        assert place(*standing).led == "assumed"
        default = self.static("default", "0.0.0.0/0", nextHopGateway="default-internet-gateway")
        assert asked(*standing, default, address="198.51.100.7").action == "unknown"

    def test_a_route_for_ipv6_leads_nothing_to_the_proxy(self) -> None:
        over_ipv6 = self.static("v6", "::/0", nextHopIp="10.0.0.9")
        for led in (over_ipv6, self.lead("v6", filter={"protocolVersion": "IPV6"})):
            assert asked(*STANDING, rule("a"), led).action == "block"
            assert place(*STANDING, rule("a"), led).led == "assumed"

    def test_a_route_that_is_seen_to_lead_to_the_proxy_is(self) -> None:
        assert place(*STANDING, rule("a"), self.lead()).led == "seen"

    @pytest.mark.parametrize("turned", [False, True])
    def test_of_routes_with_one_priority_nobody_can_tell_which_comes_first(self, turned: bool) -> None:
        past = route("past", nextHopOtherRoutes="DEFAULT_ROUTING", filter={"destRange": "203.0.113.0/24"})
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        out = self.static("out", "0.0.0.0/0", nextHopGateway="default-internet-gateway")
        for pair, address in (((self.lead(), past), "203.0.113.7"), ((led, out), "198.51.100.7")):
            verdict = asked(*STANDING, rule("a"), *(reversed(pair) if turned else pair), address=address)
            assert verdict.action == "unknown"
            assert "comes before others with its priority" in verdict.lacks[0]

    def test_of_routes_with_one_priority_that_do_alike_everybody_can(self) -> None:
        two = (self.lead("one"), self.lead("two"))
        assert asked(*STANDING, rule("a"), *two).action == "block"
        assert asked(*STANDING, rule("a"), *two, name="cgr.dev").allows
        past = [route(name, nextHopOtherRoutes="DEFAULT_ROUTING") for name in ("one", "two", "three")]
        assert asked(*STANDING, rule("a"), *past).allows

    def test_a_route_whose_priority_is_not_known_yet_may_come_first_or_last(self) -> None:
        past = route("past", nextHopOtherRoutes="DEFAULT_ROUTING", filter={"destRange": "203.0.113.0/24"})
        past = replace(past, properties={**past.properties, "priority": UNKNOWN})
        assert asked(*STANDING, rule("a"), self.lead(priority=1), past, address="203.0.113.7").action == "unknown"
        assert asked(*STANDING, rule("a"), past, address="203.0.113.7").allows

    @pytest.mark.parametrize(("network", "project"), [("n", "p"), (f"https://compute/v1/{NET}", None), ("n", None)])
    def test_a_network_is_called_by_its_path_or_by_its_name(self, network: str, project: str | None) -> None:
        past = self.static("past", "203.0.113.0/24", nextHopGateway="g", network=network, project=project)
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        assert asked(*STANDING, rule("a"), led, past, address="203.0.113.7").rule == "past"

    def test_a_route_whose_network_is_not_known_yet_is_a_doubt(self) -> None:
        past = self.static("past", "203.0.113.0/24", nextHopGateway="g", network=UNKNOWN)
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        assert asked(*STANDING, rule("a"), led, past, address="203.0.113.7").action == "unknown"

    def test_a_static_route_past_the_proxy_for_some_clients_is_a_doubt(self) -> None:
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        some = self.static("some", "203.0.113.0/24", nextHopGateway="default-internet-gateway", tags=["admins"])
        assert asked(*STANDING, rule("a"), led, some, address="203.0.113.7").action == "unknown"
        for tag, action in (("admins", "allow"), ("others", "block")):
            verdict = asked(*STANDING, rule("a"), led, some, address="203.0.113.7", source=f"network-tag:{tag}")
            assert verdict.action == action

    @pytest.mark.parametrize(
        ("tags", "action"),
        [(["builds"], "allow"), (["a", "builds"], "allow"), (["a"], "unknown"), (UNKNOWN, "unknown")],
    )
    def test_a_static_route_past_the_proxy_for_whoever_is_led_to_it_is_none(self, tags: Any, action: str) -> None:
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", tags=["builds"])
        past = self.static("past", "203.0.113.0/24", nextHopGateway="default-internet-gateway", tags=tags)
        assert asked(*STANDING, rule("a"), led, past, address="203.0.113.7").action == action
        assert asked(*STANDING, rule("a"), led, past, address="198.51.100.7").action == "block"

    def test_where_no_route_to_the_proxy_is_seen_a_default_route_is_not_what_takes_everything_past_it(self) -> None:
        default = self.static("default", "0.0.0.0/0", nextHopGateway="default-internet-gateway")
        assert asked(*STANDING, rule("a"), default).action == "block"
        some = self.static("some", "203.0.113.0/24", nextHopGateway="default-internet-gateway")
        assert asked(*STANDING, rule("a"), default, some, address="203.0.113.7").action == "unknown"

    def test_beside_a_route_to_the_proxy_a_default_route_takes_what_that_does_not(self) -> None:
        default = self.static("default", "0.0.0.0/0", nextHopGateway="default-internet-gateway")
        led = self.lead(filter={"ipProtocol": "TCP"})
        assert asked(*STANDING, rule("a"), default, led).action == "block"
        assert asked(*STANDING, rule("a"), default, led, protocol="udp", port=53).rule == "default"

    def test_in_a_state_a_next_hop_that_is_not_given_is_empty_text(self) -> None:
        empty = dict.fromkeys(("nextHopIlb", "nextHopInstance", "nextHopVpnTunnel"), "")
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9", nextHopGateway="", **empty)
        out = self.static("out", "203.0.113.0/24", nextHopGateway="default-internet-gateway", nextHopIp="", **empty)
        assert asked(*STANDING, rule("a"), led, out, address="203.0.113.7").rule == "out"
        assert asked(*STANDING, rule("a"), led, out, address="198.51.100.7").action == "block"

    def test_subnets_own_routes_come_before_a_static_route_to_the_proxy(self) -> None:
        led = self.static("lead", "0.0.0.0/0", nextHopIp="10.0.0.9")
        assert asked(*STANDING, rule("a"), self.PRIVATE, led, address="172.16.0.1").action == "unknown"

    def test_a_policy_based_route_comes_before_a_static_one(self) -> None:
        past = self.static("past", "203.0.113.0/24", nextHopGateway="default-internet-gateway")
        assert asked(*STANDING, rule("a"), self.lead(), past, address="203.0.113.7").action == "block"

    def test_what_is_led_to_a_port_that_the_gateway_does_not_listen_on_is_blocked(self) -> None:
        listens = replace(GATE, properties={**GATE.properties, "allPorts": None, "ports": [443]})
        assert asked(HOSTS, HOLDER, listens, rule("a", "true"), self.lead(), port=8443).action == "block"
        assert asked(HOSTS, HOLDER, listens, rule("a", "true"), self.lead(), port=443).allows


@pytest.mark.parametrize("gateway", [GATE, EXPLICIT])
@pytest.mark.parametrize(
    "flow",
    [
        {"name": "metadata.google.internal", "port": 80, "protocol": "http"},
        {"name": "metadata.google.internal.", "port": 80, "protocol": "http"},
        {"name": METADATA, "port": 80, "protocol": "http"},
        {"name": "evil.example", "address": METADATA, "port": 53, "protocol": "udp"},
        {"name": "time", "address": METADATA, "port": 123, "protocol": "udp"},
    ],
)
def test_the_metadata_server_answers_every_client_whatever_the_routes(gateway: Resource, flow: dict[str, Any]) -> None:
    verdict = asked(HOSTS, HOLDER, gateway, rule("a"), TestRoutes.lead(), **flow)
    assert (verdict.action, verdict.rule) == ("allow", "metadata server")


@pytest.mark.parametrize("gateway", [GATE, EXPLICIT])
@pytest.mark.parametrize("name", ["cgr.dev", "evil.example"])
def test_over_ipv6_the_network_decides_and_no_rule_of_the_proxy(gateway: Resource, name: str) -> None:
    for led in ([], [TestRoutes.lead()]):
        verdict = asked(HOSTS, HOLDER, gateway, rule("a"), *led, name=name, address="2001:db8::7")
        assert verdict.action == "unknown"
        assert "past the proxy" in verdict.lacks[0]


class TestExplicitMode:
    @pytest.mark.parametrize(
        "flow",
        [
            {"name": "evil.example"},
            {"name": "evil.example", "protocol": "http"},
            {"name": "evil.example", "port": 22, "protocol": "tcp"},
            {"name": "evil.example", "port": 53, "protocol": "udp"},
        ],
    )
    def test_a_client_that_does_not_use_the_proxy_is_not_stopped_by_it(self, flow: dict[str, Any]) -> None:
        verdict = asked(HOSTS, HOLDER, EXPLICIT, rule("a"), **flow)
        assert verdict.action == "unknown"
        assert verdict.lacks == (
            "the client does not use the proxy, and the network's own routes and rules let it out",
        )

    def test_it_is_said_as_an_assumption(self) -> None:
        (said,) = place(HOSTS, HOLDER, EXPLICIT, rule("a")).assumptions
        assert said.startswith("Clients are told of the proxy and use it.")

    def test_a_gateway_without_a_mode_is_an_explicit_one(self) -> None:
        without = replace(EXPLICIT, properties={**EXPLICIT.properties, "routingMode": None})
        assert asked(HOSTS, HOLDER, without, rule("a")).action == "unknown"

    def test_a_policy_that_no_gateway_uses_is_read_as_behind_a_next_hop_whatever_others_are(self) -> None:
        other = resource(POLICY, "other", f"{HERE}/gatewaySecurityPolicies/other", name="other", location="r")
        theirs = rule("b", gatewaySecurityPolicy="other")
        *_, alone = places(Snapshot((HOSTS, HOLDER, EXPLICIT, other, theirs), "a stack"))
        assert decide(alone, Flow("cgr.dev")).allows


def test_a_port_that_the_gateway_does_not_listen_on_reaches_nothing() -> None:
    ports = replace(GATE, properties={**GATE.properties, "allPorts": None, "ports": [443.0]})
    assert asked(HOSTS, HOLDER, ports, rule("a", "true"), port=8443).action == "block"
    assert asked(HOSTS, HOLDER, ports, rule("a", "true"), port=443).allows


def test_a_gateway_whose_policy_is_elsewhere_is_not_known() -> None:
    assert asked(GATE).action == "unknown"


def test_a_policy_that_no_gateway_uses_is_told() -> None:
    found = place(HOSTS, HOLDER, rule("a"))
    assert found.remark == "no gateway uses the policy"
    assert decide(found, Flow("cgr.dev")).allows


def test_rules_of_another_policy_are_not_this_ones() -> None:
    other = resource(POLICY, "other", f"{HERE}/gatewaySecurityPolicies/other", name="other", location="r")
    theirs = rule("b", "true", priority=1, gatewaySecurityPolicy="other")
    found = places(Snapshot((*STANDING, other, rule("a"), theirs), "a stack"))
    assert [(each.policy, decide(each, Flow("evil.example")).allows) for each in found] == [
        ("egress", False),
        ("other", True),
    ]
