"""Where the wire and the plan part: what an engine that detects protocols cannot tell, and what a pass ends.

Each is a property of Suricata 7.0 under the emulated default, not of a rule of hostgate. A change here is news.
"""

from pathlib import Path

import pytest

from dataplane.aws import packets
from dataplane.aws import replay as engine
from dataplane.aws.hellos import application_data
from dataplane.aws.packets import Said, Talk
from dataplane.aws.policy_default import rules as default_rules
from dataplane.aws.replay import Heard, replay
from dataplane.aws.stages import ordered
from dataplane.aws.test_flows import plans
from hostgate.aws.evaluate import POLICY, RULE_GROUP, places
from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide

UNANSWERED = (Said("client", b"\xf5\x07" * 500),) * 40
NOT_QUITE_TLS = (
    Said("client", b"\x16\x03\x01\x00\x10" + b"\x63" * 16),
    *(Said("client", application_data(1000)) for _ in range(4)),
)
A_BYTE_AT_A_TIME = tuple(Said(by, b"x") for _ in range(2) for by in ("client", "server"))

UNDETECTED = {
    "bytes of no protocol that the server never answers": UNANSWERED,
    "bytes that begin like a TLS record and are none": NOT_QUITE_TLS,
    "a byte at a time": A_BYTE_AT_A_TIME,
}


def _judge(said: tuple[Said, ...], port: int, folder: Path) -> Heard:
    (heard,) = ordered(plans()["aws:rules"].objects).judge([Talk("tcp", said, port)], folder)
    return heard


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("said", UNDETECTED.values(), ids=UNDETECTED)
def test_what_detection_never_decides_is_never_dropped(said: tuple[Said, ...], tmp_path: Path) -> None:
    assert _judge(said, 443, tmp_path).verdict == "allow"
    assert plans()["aws:rules"].verdict(Flow(name="cgr.dev", protocol="tcp")).action == "block"


@pytest.mark.usefixtures("suricata")
def test_bytes_of_no_protocol_are_dropped_once_both_sides_have_spoken(tmp_path: Path) -> None:
    heard = _judge(packets.raw(), 443, tmp_path)
    assert heard.leaked == 1
    assert heard.verdict == "block"


@pytest.mark.usefixtures("suricata")
def test_a_pass_ends_the_judging_of_its_connection(tmp_path: Path) -> None:
    """A second request over the same connection may name anybody; the plan judges the one that opens it."""
    heard = _judge(packets.http("deb.vendor.example", "other.example"), 80, tmp_path)
    assert heard.verdict == "allow"


DEFAULT = "aws:drop_established_app_layer_to_server"


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize(
    "rule",
    [
        "pass tcp any any -> 10.0.0.0/8 443 (sid:1;)",
        "pass ip any any -> 10.0.0.0/8 443 (sid:1;)",
        "pass tcp any 443 -> any any (sid:1;)",
        "pass tcp any any <> any 443 (sid:1;)",
    ],
)
def test_a_pass_by_the_clients_port_opens_everything_to_a_client_that_binds_it(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the answers to it, too. Whether a client does bind it a flow does not say, so nobody can tell."""
    fates = {}
    for port in (443, 20_000):
        for module in (packets, engine):
            monkeypatch.setattr(module, "FIRST_PORT", port)
        packets._captured.cache_clear()
        talk = Talk("tcp", packets.named("evil.example"), 9443)
        (heard,) = replay([talk], [rule, *default_rules([DEFAULT])], ["10.0.0.0/8"], tmp_path / str(port))
        fates[port] = heard.verdict
    packets._captured.cache_clear()
    assert fates == {443: "allow", 20_000: "block"}
    source = {"rulesSource": {"rulesString": rule}}
    group = Resource(urn="g", type=RULE_GROUP, name="g", properties={"arn": "arn:g", "ruleGroup": source})
    body = {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statefulDefaultActions": [DEFAULT],
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"},
        "statefulRuleGroupReferences": [{"resourceArn": "arn:g", "priority": 1}],
        "policyVariables": {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]},
    }  # fmt: skip
    policy = Resource(urn="p", type=POLICY, name="p", properties={"firewallPolicy": body})
    (place,) = places(Snapshot((policy, group), "made"))
    verdict = decide(place, Flow("evil.example", 9443, address=talk.destination, source=talk.source))
    assert (verdict.action, verdict.lacks[0]) == ("unknown", "the client's port is one of the rule 1")
