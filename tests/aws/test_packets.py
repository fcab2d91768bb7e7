"""Packets that are no whole message: fragments, and hellos of several packets."""

from dataclasses import replace
from typing import Any

import pytest

from aws.test_evaluate import ALLOW, DROP, group, place, policy
from conformance.catalogs import entry
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource
from hostgate.planning.needs import needs_of

EDGE = "drop ip any any -> any any (ip_proto:!6; sid:9;)\n"
DATAGRAMS = {
    "priority": 1,
    "ruleDefinition": {"actions": ["aws:drop"], "matchAttributes": {"protocols": [17]}},
}


def of_fragments(action: Any, *arns: str) -> Resource:
    made = policy("arn:g")
    body = {**made.properties["firewallPolicy"], "statelessFragmentDefaultActions": action}
    body |= {"statelessRuleGroupReferences": [{"resourceArn": arn, "priority": 1} for arn in arns]}
    return replace(made, properties={**made.properties, "firewallPolicy": body})


@pytest.mark.parametrize(
    ("action", "beyond", "unknown"),
    [
        (["aws:pass"], True, False),
        (["aws:pass", "count"], True, False),
        (["aws:forward_to_sfe"], False, False),
        (["aws:drop"], False, False),
        (UNKNOWN, False, True),
        ([UNKNOWN], False, True),
    ],
)
def test_what_passes_in_fragments_is_beyond(action: Any, beyond: bool, unknown: bool) -> None:
    found = reach(place(of_fragments(action), group("g", {"rulesString": EDGE + ALLOW})), needs_of([entry("cgr.dev")]))
    assert [each.rule for each in found.beyond] == (["aws:pass"] if beyond else [])
    assert bool(found.unknown) is unknown
    assert any("in fragments pass" in each for each in found.assumptions) is beyond
    assert all(flow.protocol == "udp" for each in found.beyond for flow in each.flows)


def test_whether_a_stateless_drop_takes_the_fragments_first_is_not_known() -> None:
    rules = {"statelessRulesAndCustomActions": {"statelessRules": [DATAGRAMS]}}
    stateless = replace(group("s", rules), properties={**group("s", rules).properties, "type": "STATELESS"})
    found = reach(
        place(of_fragments(["aws:pass"], "arn:s"), stateless, group("g", {"rulesString": EDGE + ALLOW})), needs_of([])
    )
    assert [each.rule for each in found.beyond if each.rule == "aws:pass"] == []
    assert any("does not drop them" in what for each in found.unknown for what in each.what)


PLAIN = "drop tls any any -> any any (sid:2;)"
WHOLE = "drop tls any any -> any any (ssl_state:client_hello; sid:2;)"


@pytest.mark.parametrize(
    ("rules", "default", "by"),
    [
        ("", DROP, None),
        ("", ("aws:drop_established_app_layer",), None),
        ("", ("aws:drop_established",), "the policy's default"),
        (PLAIN, DROP, "g#2"),
        (PLAIN.replace("drop", "reject"), DROP, "g#2"),
        (WHOLE, DROP, None),
        ("drop tcp any any -> any any (flow:established,to_server; sid:2;)", DROP, "g#2"),
        ("drop tcp any any -> any any (flow:established,to_client; sid:2;)", DROP, None),
        ("drop tcp any any -> any 8443 (flow:established,to_server; sid:2;)", DROP, None),
        ("drop tcp any any -> any any (app-layer-protocol:!tls; flow:established,to_server; sid:2;)", DROP, None),
        ("drop http any any -> any any (sid:2;)", DROP, None),
        ("drop ip any any -> any any (ip_proto:!6; flow:established,to_server; sid:2;)", DROP, None),
        ('drop tls any any -> any any (tls.sni; content:"evil.example"; sid:2;)', DROP, None),
    ],
)
def test_what_drops_the_first_packet_of_a_hello_is_an_assumption(
    rules: str, default: tuple[str, ...], by: str | None
) -> None:
    here = place(policy("arn:g", default=default), group("g", {"rulesString": f"{ALLOW}\n{rules}"}))
    told = [each for each in here.assumptions if each.startswith("A TLS hello or request comes in one packet")]
    assert [each.rpartition(" by ")[2].removesuffix(".") for each in told] == ([by] if by else [])
