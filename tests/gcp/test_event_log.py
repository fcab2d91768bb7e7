"""What Google Cloud logs of its verdicts: entries as the pages of the vendor show them, and what is none of them."""

import copy
import json
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.flows.events import MOST_TEXT, Event, NotALog, NoVerdict, records
from hostgate.flows.flow import Flow
from hostgate.gcp.event_log import read_event

FIREWALL = "compute.googleapis.com%2Ffirewall"
URL_FILTER = "networksecurity.googleapis.com%2Ffirewall_url_filter"
WEB_PROXY = "networkservices.googleapis.com%2Fgateway_requests"


def log_entry(log: str, payload: Any, **more: Any) -> dict[str, Any]:
    return {"logName": f"projects/p/logs/{log}", "jsonPayload": payload, "insertId": "1", **more}


def rule_log(disposition: str = "DENIED", **more: Any) -> dict[str, Any]:
    """As firewall-policy-log-format has it; `rule` and `ends` replace parts of it."""
    rule = {"reference": "network:main/firewallPolicy:42", "priority": 1010, "direction": "EGRESS"}
    ends = {"src_ip": "10.1.2.3", "src_port": 40_000, "dest_ip": "203.0.113.5", "dest_port": 443, "protocol": 6}
    payload = {
        "connection": {**ends, **more.pop("ends", {})},
        "disposition": disposition,
        "rule_details": {**rule, **more.pop("rule", {})},
        "instance": {"vm_name": "builder", "zone": "europe-west3-a", "project_id": "p"},
        "vpc": {"vpc_name": "main", "subnetwork_name": "apps", "project_id": "p"},
    }
    return log_entry(FIREWALL, {**payload, **more})


def filter_log(name: Any = "cgr.dev", action: str = "deny", **more: Any) -> dict[str, Any]:
    """As url-filtering-logs has it."""
    ends = {"clientIp": "10.1.2.3", "clientPort": 40_000, "serverIp": "203.0.113.5", "serverPort": 443, "protocol": 6}
    payload = {
        "connection": {**ends, **more.pop("ends", {})},
        "interceptVpc": {"vpc": "main", "projectId": "p"},
        "uriMatched": name,
        "ruleIndex": 3,
        "direction": "CLIENT_TO_SERVER",
        "action": action,
    }
    return log_entry(URL_FILTER, {**payload, **more})


def proxy_log(hostname: str, *rules: tuple[str, str], request: dict[str, Any] | None = None, **more: Any) -> Any:
    """As secure-web-proxy/docs/monitor-logs has it; rules are name and action."""
    policy = {"hostname": hostname, "matchedRules": [{"name": name, "action": action} for name, action in rules]}
    return log_entry(
        WEB_PROXY,
        {"enforcedGatewaySecurityPolicy": policy, **more},
        httpRequest={"remoteIp": "10.128.0.12:36338", **(request or {})},
        resource={"labels": {"gateway_name": "egress", "network_name": "projects/p/global/networks/main"}},
    )


KEYS = (
    "logName", "jsonPayload", "httpRequest", "resource", "httpRequest.requestUrl", "httpRequest.remoteIp",
    "httpRequest.serverIp", "resource.labels", "jsonPayload.connection", "jsonPayload.rule_details",
    "jsonPayload.rule_details.reference", "jsonPayload.rule_details.priority", "jsonPayload.connection.protocol",
    "jsonPayload.connection.dest_port", "jsonPayload.connection.serverPort", "jsonPayload.disposition",
    "jsonPayload.uriMatched", "jsonPayload.denyType", "jsonPayload.ruleIndex", "jsonPayload.vpc",
    "jsonPayload.enforcedGatewaySecurityPolicy", "jsonPayload.enforcedGatewaySecurityPolicy.hostname",
    "jsonPayload.enforcedGatewaySecurityPolicy.matchedRules", "jsonPayload.authzPolicyInfo",
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 70_000), st.text(max_size=20), st.lists(st.none(), max_size=2),
    st.sampled_from(["http://[", "https://a:99999/", "[::1", "a:b:c", "[2001:db8::1]:443", [{"name": 3}], [[]], {}]),
)  # fmt: skip
RULE = "projects/p/locations/europe-west3/gatewaySecurityPolicies/swp-policy/rules/allow-443"


class TestFirewallRules:
    @pytest.mark.parametrize(("disposition", "action"), [("DENIED", "blocked"), ("ALLOWED", "allowed")])
    def test_it_tells_a_connection_by_its_addresses_and_no_name(self, disposition: str, action: str) -> None:
        event = read_event(rule_log(disposition))
        assert event.kind == "connection"
        assert event.flow == Flow("203.0.113.5", 443, "tcp", None, "203.0.113.5", "10.1.2.3")
        assert (event.action, event.named, event.place) == (action, False, "main")

    def test_a_rule_of_a_network_policy_is_known_by_its_priority(self) -> None:
        event = read_event(rule_log())
        assert (event.rule, event.called) == ("1010", "network:main/firewallPolicy:42, priority 1010")

    @pytest.mark.parametrize("reference", ["network:main/firewall:allow-all", "0/firewallPolicy:7"])
    def test_priorities_of_vpc_rules_and_of_hierarchical_policies_are_others(self, reference: str) -> None:
        event = read_event(rule_log(rule={"reference": reference}))
        assert event.rule is None
        assert event.called == f"{reference}, priority 1010"

    @pytest.mark.parametrize(
        ("number", "protocol", "port"), [(6, "tcp", 443), (17, "udp", 443), (1, "icmp", 0), (47, "gre", 0)]
    )
    def test_every_ip_protocol_is_read_by_its_number(self, number: int, protocol: str, port: int) -> None:
        flow = read_event(rule_log(ends={"protocol": number})).flow
        assert (flow.protocol, flow.port) == (protocol, port)

    def test_ipv6_is_read(self) -> None:
        flow = read_event(rule_log(ends={"src_ip": "2001:db8::1", "dest_ip": "2001:DB8::5"})).flow
        assert (flow.source, flow.address) == ("2001:db8::1", "2001:db8::5")

    def test_ingress_and_what_another_log_decides_are_no_verdicts(self) -> None:
        for record in (rule_log(rule={"direction": "INGRESS"}), rule_log("INTERCEPTED")):
            with pytest.raises(NoVerdict, match=r"ingress|intercepted"):
                read_event(record)

    def test_without_metadata_it_is_read_all_the_same(self) -> None:
        record = rule_log()
        del record["jsonPayload"]["vpc"]
        assert read_event(record).place == ""


class TestUrlFilter:
    @pytest.mark.parametrize(("said", "action"), [("deny", "blocked"), ("allow", "allowed"), ("ALLOW", "allowed")])
    def test_it_tells_what_was_read_in_a_connection(self, said: str, action: str) -> None:
        event = read_event(filter_log(action=said))
        assert (event.kind, event.action, event.place) == ("inspection", action, "main")
        assert event.flow == Flow("cgr.dev", 443, "tls", address="203.0.113.5", source="10.1.2.3")
        assert event.called == "the URL filter with the number 3 in its profile"

    @pytest.mark.parametrize(
        ("deny_type", "port", "protocol"),
        [("SNI", 443, "tls"), ("HOST", 443, "http"), ("URI", 80, "http"), (None, 80, "http"), (None, 8443, "tls")],
    )
    def test_by_which_name_it_was_denied_says_what_was_spoken(
        self, deny_type: str | None, port: int, protocol: str
    ) -> None:
        more = {} if deny_type is None else {"denyType": deny_type}
        assert read_event(filter_log(ends={"serverPort": port}, **more)).flow.protocol == protocol

    @pytest.mark.parametrize("name", [None, "", 7])
    def test_a_connection_without_a_name_is_one_without_sni(self, name: Any) -> None:
        flow = read_event(filter_log(name)).flow
        assert (flow.name, flow.sni) == ("203.0.113.5", None)

    def test_a_wildcard_is_the_filter_and_no_host(self) -> None:
        with pytest.raises(NoVerdict, match="wildcard"):
            read_event(filter_log("*.cgr.dev"))

    @staticmethod
    def without_action(name: Any = "cgr.dev", **more: Any) -> dict[str, Any]:
        record = filter_log(name, **more)
        del record["jsonPayload"]["action"]
        return record

    @pytest.mark.parametrize("deny_type", ["SNI", "HOST", "URI", "HOST_AND_SNI", "sni"])
    def test_without_an_action_what_was_used_to_deny_says_that_it_was(self, deny_type: str) -> None:
        for name in ("cgr.dev", None):
            assert read_event(self.without_action(name, denyType=deny_type)).action == "blocked"

    @pytest.mark.parametrize("more", [{}, {"denyType": ""}, {"denyType": None}, {"denyType": "DENY_TYPE_UNSPECIFIED"}])
    def test_without_an_action_and_a_deny_type_a_named_connection_passed_and_of_another_nobody_can_tell(
        self, more: dict[str, Any]
    ) -> None:
        assert read_event(self.without_action(**more)).action == "allowed"
        for name in (None, ""):
            assert read_event(self.without_action(name, **more)).action == "unknown"

    def test_an_action_that_is_told_counts(self) -> None:
        assert read_event(filter_log(None, action="allow")).action == "allowed"

    @pytest.mark.parametrize(("action", "deny_type", "said"), [
        ("allow", "SNI", "unknown"), ("ALLOWED", "HOST", "unknown"), ("deny", "SNI", "blocked"),
        ("DENY", None, "blocked"), ("allow", "", "allowed"), ("allow", "DENY_TYPE_UNSPECIFIED", "allowed"),
    ])  # fmt: skip
    def test_where_action_and_deny_type_differ_nobody_can_tell(
        self, action: str, deny_type: str | None, said: str
    ) -> None:
        assert read_event(filter_log(action=action, denyType=deny_type)).action == said

    @pytest.mark.parametrize("name", ["cgr.dev/a/b", "cgr.dev:443", "https://cgr.dev/"])
    def test_of_what_was_matched_the_host_is_read(self, name: str) -> None:
        assert read_event(filter_log(name)).flow.name == "cgr.dev"

    @pytest.mark.parametrize("number", [17, "UDP"])
    def test_over_udp_it_is_quic(self, number: Any) -> None:
        assert read_event(filter_log(ends={"protocol": number})).flow.protocol == "quic"


class TestWebProxy:
    def test_a_denied_tunnel_of_the_vendors_page(self) -> None:
        event = read_event(
            proxy_log("www.example.com:443", ("default_denied", "DENIED"), request={"requestMethod": "CONNECT"})
        )
        assert (event.kind, event.action, event.default, event.place) == ("request", "blocked", True, "egress")
        assert event.flow == Flow("www.example.com", 443, "https", source="10.128.0.12")

    def test_an_allowed_request_of_the_vendors_page(self) -> None:
        request = {"requestUrl": "https://www.example.com/", "serverIp": "93.184.216.34:443"}
        event = read_event(proxy_log("www.example.com", (RULE, "ALLOWED"), request=request))
        assert (event.action, event.rule, event.default) == ("allowed", "allow-443", False)
        assert event.flow == Flow("www.example.com", 443, "https", address="93.184.216.34", source="10.128.0.12")

    @pytest.mark.parametrize(
        ("url", "port", "protocol"),
        [
            ("http://a.example/x", 80, "http"),
            ("http://a.example:8080/", 8080, "http"),
            ("https://a.example:8443/", 8443, "https"),
        ],
    )
    def test_port_and_protocol_come_from_the_url(self, url: str, port: int, protocol: str) -> None:
        flow = read_event(proxy_log("a.example", (RULE, "ALLOWED"), request={"requestUrl": url})).flow
        assert (flow.port, flow.protocol) == (port, protocol)

    def test_one_rule_that_denies_decides(self) -> None:
        for word in ("DENIED", "DENY", "denied"):
            event = read_event(proxy_log("a.example", (RULE, "ALLOWED"), ("default_denied", word)))
            assert (event.action, event.default) == ("blocked", True)

    def test_an_authorization_policy_can_deny_what_the_rules_allow(self) -> None:
        event = read_event(proxy_log("a.example", (RULE, "ALLOWED"), authzPolicyInfo={"result": "DENIED"}))
        assert (event.action, event.rule) == ("blocked", None)
        assert "authorization policy" in event.called

    @pytest.mark.parametrize(("result", "action"), [("DENIED", "blocked"), ("ALLOWED", "allowed")])
    @pytest.mark.parametrize(
        ("url", "port", "protocol"),
        [
            ("https://a.example/x", 443, "https"),
            ("http://a.example:8080/", 8080, "http"),
            ("a.example:8443", 8443, "https"),
        ],
    )
    def test_an_authorization_policy_judges_in_place_of_the_rules(
        self, result: str, action: str, url: str, port: int, protocol: str
    ) -> None:
        record = proxy_log("", request={"requestUrl": url}, authzPolicyInfo={"result": result})
        del record["jsonPayload"]["enforcedGatewaySecurityPolicy"]
        event = read_event(record)
        assert (event.action, event.rule) == (action, None)
        assert event.flow == Flow("a.example", port, protocol, source="10.128.0.12")
        assert "authorization policy" in event.called

    def test_the_port_of_a_tunnel_is_in_what_was_asked_for(self) -> None:
        request = {"requestMethod": "CONNECT", "requestUrl": "a.example:8443"}
        assert read_event(proxy_log("a.example", (RULE, "ALLOWED"), request=request)).flow.port == 8443

    def test_a_request_that_met_no_rule_says_no_verdict(self) -> None:
        with pytest.raises(NoVerdict, match="without a rule"):
            read_event(proxy_log("a.example"))

    @pytest.mark.parametrize("end", ["2001:db8::1", "[2001:db8::1]:443"])
    def test_an_ipv6_client_is_read_with_and_without_its_port(self, end: str) -> None:
        assert (
            read_event(proxy_log("a.example", (RULE, "ALLOWED"), request={"remoteIp": end})).flow.source
            == "2001:db8::1"
        )


class TestOthers:
    def test_another_log_is_counted_by_its_name(self) -> None:
        with pytest.raises(NoVerdict, match=r"compute\.googleapis\.com/vpc_flows"):
            read_event(log_entry("compute.googleapis.com%2Fvpc_flows", {}))

    @pytest.mark.parametrize(
        ("record", "found"),
        [
            (None, "nothing"),
            ({}, "`logName`"),
            ({"logName": "x"}, "`logName`"),
            (log_entry(FIREWALL, "text"), "`jsonPayload`"),
            (log_entry(FIREWALL, {"connection": {}}), "`rule_details`"),
            (rule_log("PERHAPS"), "`disposition`"),
            (rule_log(ends={"dest_ip": "host"}), "`dest_ip`"),
            (rule_log(ends={"dest_port": 70_000}), "`dest_port`"),
            (rule_log(ends={"protocol": "tcp"}), "`protocol`"),
            (rule_log(ends={"dest_ip": "2001:db8::5"}), "cannot be"),
            (filter_log(action="maybe"), "`action`"),
            (filter_log(denyType=3), "`denyType`"),
            (filter_log(ends={"serverIp": None}), "`serverIp`"),
            (proxy_log("a.example", (RULE, "PERHAPS")), "`action`"),
            (proxy_log("", (RULE, "ALLOWED")), "`hostname`"),
            (proxy_log("a.example", (RULE, "ALLOWED"), request={"remoteIp": "x"}), "`remoteIp`"),
            (proxy_log("a.example", (RULE, "ALLOWED"), request={"requestUrl": "https://a.example:x/"}), "`requestUrl`"),
        ],
    )
    def test_what_is_no_such_entry_says_what_was_found_and_what_is_allowed(self, record: Any, found: str) -> None:
        with pytest.raises(NotALog) as caught:
            read_event(record)
        assert found in str(caught.value)

    @given(
        st.sampled_from([FIREWALL, URL_FILTER, WEB_PROXY]),
        st.sampled_from([rule_log(), filter_log(), proxy_log("a.example", (RULE, "ALLOWED"))]),
        st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=4),
    )
    def test_whatever_stands_in_an_entry_it_is_an_event_or_said_to_be_none(
        self, log: str, base: dict[str, Any], changes: list[tuple[str, Any]]
    ) -> None:
        record = copy.deepcopy({**base, "logName": f"projects/p/logs/{log}"})
        for path, value in changes:
            at: Any = record
            *above, last = path.split(".")
            for key in above:
                at = at.get(key) if isinstance(at, dict) else None
            if isinstance(at, dict):
                at[last] = value
        with suppress(NotALog, NoVerdict):
            read_event(record)


class TestExports:
    """Cloud Logging exports a line an entry; `gcloud logging read --format=json` writes one list over many lines."""

    ENTRIES = (rule_log(), rule_log("ALLOWED"), filter_log())

    def events(self, data: bytes) -> list[Event]:
        return [read_event(record) for _, record in records(BytesIO(data))]

    def test_lines_and_a_list_are_the_same_events(self) -> None:
        lines = "".join(f"{json.dumps(each)}\n" for each in self.ENTRIES).encode()
        assert len(self.events(lines)) == 3
        assert self.events(json.dumps(self.ENTRIES, indent=2).encode()) == self.events(lines)

    def test_a_list_may_be_longer_than_what_is_held_at_once(self) -> None:
        count = 2 * MOST_TEXT // len(json.dumps(self.ENTRIES[0], indent=2))
        data = json.dumps([self.ENTRIES[0]] * count, indent=2).encode()
        assert len(data) > 2 * MOST_TEXT
        found = list(records(BytesIO(data)))
        assert len(found) == count
        line = data.decode().splitlines()[found[-1][0] - 1]
        assert line.strip() in ("{", "},")
        assert {read_event(record) for _, record in found} == {read_event(self.ENTRIES[0])}

    def test_a_long_list_that_was_cut_is_told_with_the_line_and_what_came_before_is_read(self) -> None:
        data = json.dumps([{"n": n, "pad": "x" * 900} for n in range(2_000)], indent=2).encode()
        *good, (number, last) = records(BytesIO(data[:-20]))
        assert [record["n"] for _, record in good] == list(range(1_999))
        assert isinstance(last, NotALog)
        assert number > 7_900

    def test_an_item_of_a_long_list_that_is_read_strictly_is_an_error_beside_the_others(self) -> None:
        items = ['{"pad": "' + "x" * 900 + '"}'] * 1_500
        items[700] = '{"twice": 1, "twice": 2}'
        found = [record for _, record in records(BytesIO(("[\n" + ",\n".join(items) + "\n]").encode()))]
        assert len(found) == 1_500
        assert [index for index, each in enumerate(found) if isinstance(each, NotALog)] == [700]

    def test_lists_one_a_line_are_read_as_before(self) -> None:
        found = list(records(BytesIO(b'[{"a": 1}, {"a": 2}]\n' * 60_000)))
        assert len(found) == 120_000
        assert found[-1] == (60_000, {"a": 2})
