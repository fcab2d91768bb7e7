"""Values of another shape than an API has, in every input that verdicts on Google Cloud read: never a traceback."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gcp.test_evaluate_proxy import GATE, HOLDER, HOSTS, NET, PROXY, resource, route, rule
from hostgate.flows.events import NotALog, NoVerdict, OtherLog
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.gcp import evaluate
from hostgate.gcp.evaluate_proxy import lists_in_use, places, policy_named
from hostgate.gcp.event_log import read_event
from hostgate.gcp.resources import ASSOCIATION, NETWORK
from hostgate.gcp.resources import POLICY as FIREWALL_POLICY
from hostgate.gcp.resources import RULE as FIREWALL_RULE
from hostgate.gcp.resources_proxy import AUTHZ_POLICY, RULE, STATIC_ROUTE, SUBNETWORK

MISSHAPEN: tuple[Any, ...] = (
    None, "", "x", "*", "10.0.0.0/8", "2001:db8::/64", "projects/", "a/b/c", "[", 0, -1, 1.5, 70_000, True, UNKNOWN,
    [], {}, ["TCP"], [UNKNOWN], [None], [[]], [{}], [1, "x"], {"x": 1}, {"x": []}, ["a", "b"],
)  # fmt: skip

STANDING = (
    HOSTS,
    replace(HOLDER, properties={**HOLDER.properties, "project": "p"}),
    replace(GATE, properties={**GATE.properties, "project": "p", "ports": [443], "allPorts": None}),
    rule("a", project="p", applicationMatcher=""),
    resource(
        AUTHZ_POLICY, "authz", action="DENY", target={"resources": [PROXY], "loadBalancingScheme": "INTERNAL_MANAGED"},
        networkRules=[{"to": {"operations": [{"snis": [{"exact": "a.example", "ignoreCase": True}]}]}}],
    ),
    route(
        "led", nextHopIlbIp="10.0.0.9", virtualMachine={"tags": ["builds"]},
        filter={"ipProtocol": "TCP", "srcRange": "10.0.0.0/8", "destRange": "0.0.0.0/0"},
    ),
    route("past", nextHopOtherRoutes="DEFAULT_ROUTING"),
    resource(
        STATIC_ROUTE, "out", network=NET, project="p", destRange="203.0.113.0/24", nextHopIp="10.0.0.7", priority=1,
        tags=["builds"],
    ),
    resource(SUBNETWORK, "s", purpose="REGIONAL_MANAGED_PROXY", ipCidrRange="10.9.0.0/23", network=NET),
    resource(NETWORK, "n", NET, name="n", project="p", mtu=1460),
    resource(FIREWALL_POLICY, "f", name="f", project="p"),
    resource(ASSOCIATION, "fa", firewallPolicy="f", attachmentTarget=NET, project="p"),
    resource(
        FIREWALL_RULE, "fr", firewallPolicy="f", project="p", direction="EGRESS", action="allow", priority=1,
        match={"destFqdns": ["a.example"], "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}]},
    ),
)  # fmt: skip


def misshapen(value: Any) -> Iterator[Any]:
    """`value` with each part of it in every other shape."""
    yield from MISSHAPEN
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from ({**value, key: each} for each in misshapen(inner))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], each, *value[index + 1 :]] for each in misshapen(inner))


INPUTS = [(index, key) for index, each in enumerate(STANDING) for key in each.properties]


@pytest.mark.parametrize(("index", "key"), INPUTS, ids=[f"{STANDING[index].name} {key}" for index, key in INPUTS])
def test_an_input_of_another_shape_is_read_or_a_doubt(index: int, key: str) -> None:
    of: Resource = STANDING[index]
    for value in misshapen(of.properties[key]):
        changed = replace(of, properties={**of.properties, key: value})
        snapshot = Snapshot((*STANDING[:index], changed, *STANDING[index + 1 :]), "a stack")
        lists_in_use(snapshot)
        for each in snapshot.of_types([RULE]):
            policy_named(each)
        for place in (*places(snapshot), *(evaluate.places(snapshot) if of.type in FIREWALLS else ())):
            assert decide(place, Flow("evil.example", address="203.0.113.7")).action in ("allow", "block", "unknown")


FIREWALLS = frozenset({NETWORK, FIREWALL_POLICY, ASSOCIATION, FIREWALL_RULE})

ENDS = {"clientIp": "10.1.2.3", "clientPort": 1, "protocol": 6, "serverIp": "192.0.2.7", "serverPort": 443}
RECORDS = {
    "firewall": {
        "disposition": "DENIED", "vpc": {"vpc_name": "n"},
        "connection": {"src_ip": "10.1.2.3", "src_port": 1, "dest_ip": "192.0.2.7", "dest_port": 443, "protocol": 6},
        "rule_details": {"reference": "network:n/firewallPolicy:f", "priority": 1, "direction": "EGRESS"},
    },
    "firewall_url_filter": {
        "connection": ENDS, "uriMatched": "a.example", "denyType": "SNI", "action": "DENY", "ruleIndex": 1,
        "interceptVpc": {"vpc": "n"},
    },
    "gateway_requests": {
        "enforcedGatewaySecurityPolicy": {
            "hostname": "a.example:443", "matchedRules": [{"action": "DENIED", "name": f"{NET}/r"}]},
        "authzPolicyInfo": {"result": "ALLOWED"},
    },
}  # fmt: skip
SERVICES = {"firewall": "compute", "firewall_url_filter": "networksecurity", "gateway_requests": "networkservices"}


@pytest.mark.parametrize("log", RECORDS)
def test_a_line_of_another_shape_is_read_or_refused(log: str) -> None:
    record = {
        "logName": f"projects/p/logs/{SERVICES[log]}.googleapis.com%2F{log}",
        "jsonPayload": RECORDS[log],
        "httpRequest": {"requestUrl": "https://a.example/", "remoteIp": "10.1.2.3:1", "serverIp": "192.0.2.7:443"},
        "resource": {"labels": {"gateway_name": "proxy"}},
    }
    assert read_event(record).action == "blocked"
    for each in misshapen(record):
        try:
            read_event(each)
        except (NotALog, NoVerdict, OtherLog):
            continue
