"""Secure Web Proxy's evaluation against a CEL engine, on plans of generated catalogs and on matchers of other people."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, selection
from conformance.strategies import catalogs, flows_about
from hostgate.catalog.model import Entry
from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.gcp.evaluate_proxy import places
from hostgate.gcp.resources_proxy import GATEWAY, POLICY, POLICY_ROUTE, RULE, URL_LIST
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, draft
from oracle.proxy_cel import Matcher, Packet, Policy, Request, led

LIST = "projects/p/locations/r/urlLists/l"
VALUES = ["cgr.dev", "*.wide.example", "*apex.example"]
NET = "projects/p/global/networks/n"
PROXY = "10.0.0.9"


def request(flow: Flow) -> Request | None:
    """What the proxy sees of a flow; None of one that does not come to it as TCP over IPv4, or whose name is none."""
    if "" in (flow.wire_name or "x").rstrip(".").split("."):
        return None
    if flow.number != 6 or ":" in f"{flow.address}{flow.source if flow.identity is None else ''}":
        return None
    kind, _, who = (flow.identity or "").partition(":")
    source = flow.source if flow.source and not flow.identity else "10.1.2.3"
    return Request(
        flow.wire_name or "", flow.port, source, *({"account": (who, ""), "tag": ("", who)}.get(kind, ("", "")))
    )


@pytest.mark.parametrize("mode", ["enforce", "audit"])
@pytest.mark.parametrize("clients", [[], ["10.0.0.0/8", "192.0.2.7/32"]])
@given(drawn=catalogs())
def test_a_plan_is_judged_as_a_cel_engine_judges_its_bodies(mode: str, clients: list[str], drawn: list[Entry]) -> None:
    how = mechanism("gcp:web-proxy")
    options: dict[str, Any] = {"mode": mode, **({"from_": clients} if clients else {})}
    whole = draft(selection(drawn), "gcp:web-proxy", options)
    objections = how.objections([each.entry for each in whole.decisions], whole.options)
    made = draft(selection([each for each in drawn if each.key not in objections]), "gcp:web-proxy", options)
    policy = Policy(*bodies(made))
    for flow in flows_about(drawn):
        seen = request(flow)
        verdict = made.verdict(flow)
        if seen is not None and verdict.action != "unknown":
            assert verdict.allows == policy.passes(seen), f"{flow}: {verdict}"


def bodies(made: Plan) -> tuple[list[Any], dict[str, list[str]]]:
    """Rules and lists of a plan, as the API has them."""
    rules = [each.body for each in made.objects if each.kind.endswith("Rule")]
    lists = {each.body["name"]: each.body["values"] for each in made.objects if each.kind.endswith("urlList")}
    return rules, lists


ATOMS = (
    "true", "false", "host() == 'cgr.dev'", "host() != 'cgr.dev'", 'host() == "wide.example"', "host().endsWith('.dev')",
    "host().startsWith('cgr')", "host().contains('example')", f"inUrlList(host(), '{LIST}')", "destination.port == 443",
    "destination.port != 80", "destination.port >= 443", "destination.port < 443", "source.ip == '10.1.2.3'",
    "inIpRange(source.ip, '10.0.0.0/8')", "inIpRange(source.ip, '192.0.2.0/24')",
)  # fmt: skip
IDENTITIES = ("source.matchTag('tagValues/1')", "source.matchServiceAccount('a@p.iam.gserviceaccount.com')")


def matchers() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(ATOMS)
    whole = st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
            inner.map(lambda part: f"!({part})"),
        ),
        max_leaves=6,
    )
    client = st.sampled_from([*IDENTITIES, f"({' || '.join(IDENTITIES)})"])
    return st.one_of(whole, st.tuples(whole, client).map(" && ".join))


FLOWS = [
    Flow(name, port, protocol, source=source)
    for name in ("cgr.dev", "CGR.dev", "a.cgr.dev", "wide.example", "a.b.wide.example", "apex.example", "x.apex.example",
                 "notapex.example", "evil.test")
    for port, protocol in ((443, "https"), (80, "http"), (8443, "tls"), (22, "tcp"))
    for source in ("10.1.2.3", "192.0.2.9", "203.0.113.4", "tag:tagValues/1", "account:a@p.iam.gserviceaccount.com")
]  # fmt: skip


@given(
    rules=st.lists(st.tuples(matchers(), st.sampled_from(["ALLOW", "DENY"])), min_size=1, max_size=3),
)
def test_a_definite_verdict_on_rules_of_others_is_that_of_a_cel_engine(rules: list[tuple[str, str]]) -> None:
    written: list[dict[str, Any]] = [
        {"priority": number, "enabled": True, "basicProfile": profile, "sessionMatcher": matcher}
        for number, (matcher, profile) in enumerate(rules)
    ]
    place, policy = standing(*written), Policy(written, {LIST: VALUES})
    for flow in FLOWS:
        verdict = decide(place, flow)
        seen = request(flow)
        assert seen is not None
        if verdict.action != "unknown":
            assert verdict.allows == policy.passes(seen), f"{flow}: {verdict}"


@pytest.mark.parametrize("atom", ATOMS)
def test_what_every_atom_says_is_told_apart_by_some_flow(atom: str) -> None:
    """Unknown everywhere would agree with everything."""
    place = standing({"priority": 1, "enabled": True, "basicProfile": "ALLOW", "sessionMatcher": atom})
    definite = {decide(place, flow).action for flow in FLOWS} - {"unknown"}
    matcher = Matcher(atom, {LIST: VALUES})
    wanted = {matcher.holds(seen) for flow in FLOWS if (seen := request(flow)) is not None}
    assert definite == {"allow" if each else "block" for each in wanted}


def standing(*rules: dict[str, Any], routes: Sequence[dict[str, Any]] | None = None) -> Any:
    """A gateway with a policy of these rules, in a network whose routes leave private ranges to themselves."""
    private = {
        "nextHopOtherRoutes": "DEFAULT_ROUTING",
        "filter": {"protocolVersion": "IPV4", "destRange": "10.0.0.0/8"},
    }
    policy = "projects/p/locations/r/gatewaySecurityPolicies/g"
    found = [
        Resource(urn="l", type=URL_LIST, name="l", id=LIST, properties={"name": "l", "values": VALUES}),
        Resource(urn="p", type=POLICY, name="g", id=policy, properties={"name": "g"}),
        Resource(
            urn="g", type=GATEWAY, name="gateway",
            properties={"type": "SECURE_WEB_GATEWAY", "routingMode": "NEXT_HOP_ROUTING_MODE", "allPorts": True,
                        "gatewaySecurityPolicy": policy, "network": NET, "addresses": [PROXY]},
        ),
    ]  # fmt: skip
    found += [
        Resource(urn=f"route{number}", type=POLICY_ROUTE, name=f"route{number}", properties={"network": NET, **each})
        for number, each in enumerate([private] if routes is None else routes)
    ]
    found += [
        Resource(
            urn=f"rule{number}", type=RULE, name=f"rule{number}", properties={**rule, "gatewaySecurityPolicy": "g"}
        )
        for number, rule in enumerate(rules)
    ]
    (place,) = places(Snapshot(tuple(found), "a stack"))
    return place


def routes() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Policy-based routes, one of them to the proxy."""
    match = st.fixed_dictionaries(
        {"protocolVersion": st.sampled_from(["IPV4", "IPV4", "IPV6"])},
        optional={
            "ipProtocol": st.sampled_from(["TCP", "UDP", "ALL"]),
            "destRange": st.sampled_from(["203.0.113.0/24", "203.0.0.0/16", "10.0.0.0/8", "0.0.0.0/0"]),
            "srcRange": st.sampled_from(["10.1.0.0/16", "192.0.2.0/24", "0.0.0.0/0"]),
        },
    )
    hop = st.sampled_from(
        [
            {"nextHopIlbIp": PROXY},
            {"nextHopIlbIp": PROXY},
            {"nextHopOtherRoutes": "DEFAULT_ROUTING"},
            {"nextHopIlbIp": "10.0.0.77"},
        ]
    )
    tags = st.sampled_from([{}, {}, {"virtualMachine": {"tags": ["builds"]}}])
    one = st.tuples(match, hop, tags).map(lambda each: {"filter": each[0], **each[1], **each[2]})
    whole = st.lists(one, max_size=4).map(lambda some: [*some, to_proxy("TCP")]).flatmap(st.permutations)
    return whole.map(lambda some: [{**each, "priority": 100 + place} for place, each in enumerate(some)])


def to_proxy(protocol: str) -> dict[str, Any]:
    return {"priority": 1, "nextHopIlbIp": PROXY, "filter": {"protocolVersion": "IPV4", "ipProtocol": protocol}}


SENT = [
    Flow(name, port, protocol, address=address, source=source)
    for name, port, protocol in (
        ("cgr.dev", 443, "https"), ("evil.test", 443, "https"), ("evil.test", 53, "udp"), ("evil.test", 0, "icmp")
    )
    for address in ("203.0.113.7", "203.0.77.7", "10.2.3.4", "169.254.169.254", "2001:db8::7")
    for source in (("10.1.2.3", "192.0.2.9", "network-tag:builds") if ":" not in address else ("2001:db8::1",))
]  # fmt: skip


@given(routes=routes())
def test_a_definite_verdict_beside_routes_of_others_is_that_of_the_routes(routes: list[dict[str, Any]]) -> None:
    rule = {"priority": 1, "enabled": True, "basicProfile": "ALLOW", "sessionMatcher": "host() == 'cgr.dev'"}
    place, policy = standing(rule, routes=routes), Policy([rule], {})
    for flow in SENT:
        verdict = decide(place, flow)
        word = {6: "TCP", 17: "UDP"}.get(flow.number, "OTHER")
        tags = [frozenset({"builds"})] if flow.identity else [frozenset[str](), frozenset({"builds"})]
        sources = ["10.1.2.3", "192.0.2.9"] if flow.identity else [flow.source or ""]
        for packet in (Packet(flow.address or "", word, source, of) for source in sources for of in tags):
            if verdict.action == "unknown":
                continue
            to_proxy = led(routes, PROXY, packet)
            passes = flow.number == 6 and policy.passes(Request(flow.name, flow.port, packet.source))
            assert verdict.allows == (not to_proxy or passes), f"{flow} {packet}: {verdict}"


@pytest.mark.parametrize("protocol", ["TCP", "UDP", "ALL"])
def test_beside_one_route_for_everybody_every_flow_over_ipv4_is_told(protocol: str) -> None:
    """Unknown everywhere would agree with everything."""
    rule = {"priority": 1, "enabled": True, "basicProfile": "ALLOW", "sessionMatcher": "host() == 'cgr.dev'"}
    place = standing(rule, routes=[to_proxy(protocol)])
    found = {decide(place, flow).action for flow in SENT if ":" not in (flow.address or "")}
    assert found == {"allow", "block"}


def test_the_oracle_finds_a_plan_whose_list_holds_a_stranger() -> None:
    made = draft(selection([entry()]), "gcp:web-proxy")
    rules, lists = bodies(made)
    wider = {name: [*values, "evil.test"] for name, values in lists.items()}
    assert Policy(rules, wider).passes(Request("evil.test", 443))
    assert not Policy(rules, lists).passes(Request("evil.test", 443))
    assert made.verdict(Flow("evil.test")).action == "block"
