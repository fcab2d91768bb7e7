"""Secure Web Proxy's evaluation against a CEL engine, on plans of generated catalogs and on matchers of other people."""

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
from oracle.proxy_cel import Matcher, Policy, Request

LIST = "projects/p/locations/r/urlLists/l"
VALUES = ["cgr.dev", "*.wide.example", "*apex.example"]
NET = "projects/p/global/networks/n"


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


def standing(*rules: dict[str, Any]) -> Any:
    """A gateway with a policy of these rules, in a network whose routes leave private ranges to themselves."""
    policy = "projects/p/locations/r/gatewaySecurityPolicies/g"
    found = [
        Resource(urn="l", type=URL_LIST, name="l", id=LIST, properties={"name": "l", "values": VALUES}),
        Resource(urn="p", type=POLICY, name="g", id=policy, properties={"name": "g"}),
        Resource(
            urn="g", type=GATEWAY, name="gateway",
            properties={"type": "SECURE_WEB_GATEWAY", "routingMode": "NEXT_HOP_ROUTING_MODE", "allPorts": True,
                        "gatewaySecurityPolicy": policy, "network": NET},
        ),
        Resource(
            urn="r", type=POLICY_ROUTE, name="past",
            properties={"network": NET, "nextHopOtherRoutes": "DEFAULT_ROUTING",
                        "filter": {"protocolVersion": "IPV4", "destRange": "10.0.0.0/8"}},
        ),
    ]  # fmt: skip
    found += [
        Resource(
            urn=f"rule{number}", type=RULE, name=f"rule{number}", properties={**rule, "gatewaySecurityPolicy": "g"}
        )
        for number, rule in enumerate(rules)
    ]
    (place,) = places(Snapshot(tuple(found), "a stack"))
    return place


def test_the_oracle_finds_a_plan_whose_list_holds_a_stranger() -> None:
    made = draft(selection([entry()]), "gcp:web-proxy")
    rules, lists = bodies(made)
    wider = {name: [*values, "evil.test"] for name, values in lists.items()}
    assert Policy(rules, wider).passes(Request("evil.test", 443))
    assert not Policy(rules, lists).passes(Request("evil.test", 443))
    assert made.verdict(Flow("evil.test")).action == "block"
