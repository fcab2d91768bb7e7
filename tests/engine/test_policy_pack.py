"""The policy pack on the real engine: what it stops, what an exemption lets through, and what it says of a state."""

import sys
from pathlib import Path

import pytest

from engine.lab import AWS, Lab, real_engine
from policies.process import AS_OF, write_pack

pytestmark = real_engine

SETTINGS = "catalogs: [chainguard/images@2026-02-23]\n"
EXEMPT = """
catalogs: [chainguard/images@2026-02-23]
exempt:
  - rule: host-not-in-catalog
    host: mirror.acme.example
    because: The team's own mirror, reviewed
    until: "{until}"
"""
BY_HAND = """
import pulumi_aws as aws


def listed(name, targets):
    return aws.networkfirewall.RuleGroup(
        name, capacity=100, type="STATEFUL",
        rule_group={
            "rules_source": {"rules_source_list": {
                "generated_rules_type": "ALLOWLIST", "target_types": ["TLS_SNI"], "targets": targets}},
            "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
        },
    )


first = listed("first", ["cgr.dev"])
listed("second", ["cgr.dev", first.arn.apply(lambda arn: arn.rpartition("/")[2] + ".example")])
"""
FOREIGN = """
import pulumi_aws as aws

EDGE = "drop ip any any -> any any (ip_proto:!6; sid:9;)"
NAMES = (
    'pass tls $HOME_NET any -> $EXTERNAL_NET 443 '
    '(flow:to_server; ssl_state:client_hello; tls.sni; content:"cgr.dev"; startswith; endswith; nocase; sid:1;)'
)


def group(name, *lines):
    return aws.networkfirewall.RuleGroup(
        name, capacity=100, type="STATEFUL",
        rule_group={
            "rules_source": {"rules_string": "\\n".join(lines)},
            "stateful_rule_options": {"rule_order": "STRICT_ORDER"},
        },
    )


groups = [group("edge", EDGE), group("names", NAMES, %s)]
aws.networkfirewall.FirewallPolicy("policy", firewall_policy={
    "stateless_default_actions": ["aws:forward_to_sfe"],
    "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
    "stateful_engine_options": {"rule_order": "STRICT_ORDER", "stream_exception_policy": "REJECT"},
    "stateful_default_actions": [
        "aws:drop_established_app_layer_to_server", "aws:alert_established_app_layer_to_server",
    ],
    "stateful_rule_group_references": [
        {"resource_arn": each.arn, "priority": 100 + index} for index, each in enumerate(groups)
    ],
    "policy_variables": {"rule_variables": [{"key": "HOME_NET", "ip_set": {"definitions": ["10.0.0.0/8"]}}]},
})
"""
"""A stack that nobody made with hostgate, and a line more in its second group."""

BLOCKED = """
import sys


class NoHostgate:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hostgate":
            raise ModuleNotFoundError("No module named 'hostgate'")


sys.meta_path.insert(0, NoHostgate())
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A stack that allows a host of the team's own, which no catalog of the pack holds."""
    made = Lab(tmp_path / "project", tmp_path / "sandbox")
    made.configure({"aws": AWS}, made.hosts("mirror.acme.example"))
    return made


def pack(tmp_path: Path, settings: str) -> str:
    return str(write_pack(tmp_path / "pack", settings))


def test_a_mandatory_violation_stops_a_preview_and_an_exemption_lets_it_through(lab: Lab, tmp_path: Path) -> None:
    stopped = lab.pulumi("preview", "--policy-pack", pack(tmp_path, SETTINGS))
    assert not stopped.ok
    assert "[mandatory] [severity: critical]  host-not-in-catalog" in stopped.output
    assert "mirror.acme.example: in no named catalog (chainguard/images@2026-02-23)." in stopped.output

    passed = lab.pulumi("preview", "--policy-pack", pack(tmp_path, EXEMPT.format(until=AS_OF)))
    assert passed.ok, passed.output
    assert "host-not-in-catalog" not in passed.output

    ended = lab.pulumi("preview", "--policy-pack", pack(tmp_path, EXEMPT.format(until="2026-11-23")))
    assert not ended.ok
    assert "(the exemption until 2026-11-23 has ended)" in ended.output
    assert "exemption-ended" in ended.output


def test_an_update_without_a_preview_does_not_make_what_the_pack_objects_to(lab: Lab, tmp_path: Path) -> None:
    stopped = lab.pulumi("up", "--yes", "--skip-preview", "--policy-pack", pack(tmp_path, SETTINGS))
    assert not stopped.ok
    assert not [held for held in lab.state.objects() if held.name.startswith("hostgate-allow")]


def test_a_name_that_a_preview_cannot_know_stops_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox", BY_HAND)
    stopped = lab.pulumi("preview", "--policy-pack", pack(tmp_path, SETTINGS))
    assert not stopped.ok
    assert "rulesSourceList.targets[1]: cannot be judged: not known before the update" in stopped.output


def test_a_stack_of_others_is_held_to_the_catalogs_before_it_stands_and_after(tmp_path: Path) -> None:
    relay = '"pass tcp 10.9.9.9/32 any -> 198.51.100.7/32 587 (sid:2;)"'
    lab = Lab(tmp_path / "project", tmp_path / "sandbox", FOREIGN % '"# nothing else"')
    with_pack = ("--policy-pack", pack(tmp_path, SETTINGS))
    first = lab.pulumi("preview", *with_pack)
    assert first.ok, first.output
    made = lab.pulumi("up", "--yes", *with_pack)
    assert made.ok, made.output
    again = lab.pulumi("preview", *with_pack)
    assert again.ok, again.output
    assert not [
        rule for rule in ("beyond-catalogs", "needed-closed", "dead-allow") if rule in first.output + again.output
    ]

    (lab.project / "__main__.py").write_text(FOREIGN % relay)
    stopped = lab.pulumi("preview", *with_pack)
    assert not stopped.ok
    assert "[mandatory] [severity: critical]  beyond-catalogs" in stopped.output
    assert "names#2: https 587 to any other name, at 198.51.100.7, from 10.9.9.9" in stopped.output


@pytest.mark.parametrize("mechanism", ["rules", "domain-list"])
def test_an_allowlist_passes_at_its_first_preview_at_an_update_and_once_it_is_there(
    mechanism: str, tmp_path: Path
) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    options = {"mechanism": mechanism, "reject": True}
    with_pack = ("--policy-pack", pack(tmp_path, SETTINGS))
    for selected in (["registry"], ["registry", "packages-apk"]):
        lab.configure({"aws": options, "select": {"ids": selected}}, "chainguard/images@2026-02-23")
        ended = lab.pulumi("up", "--yes", *with_pack)
        assert ended.ok, ended.output
        assert not [rule for rule in ("beyond-catalogs", "needed-closed", "dead-allow") if rule in ended.output]


def test_the_state_of_a_stack_is_judged_without_the_program(lab: Lab, tmp_path: Path) -> None:
    assert lab.pulumi("up", "--yes", "--skip-preview").ok
    state = str(tmp_path / "state.json")
    assert lab.pulumi("stack", "export", "--file", state).ok
    judged = lab.pulumi("policy", "analyze", "--file", state, "--policy-pack", pack(tmp_path, SETTINGS))
    assert not judged.ok
    assert "mirror.acme.example: in no named catalog" in judged.output
    exempt = pack(tmp_path, EXEMPT.format(until=AS_OF))
    passed = lab.pulumi("policy", "analyze", "--file", state, "--policy-pack", exempt)
    assert passed.ok, passed.output


@pytest.mark.parametrize(
    ("level", "stops"), [("mandatory", True), ("advisory", False), ("disabled", False), ("remediate", True)]
)
def test_the_engine_can_set_the_level_of_a_rule(lab: Lab, tmp_path: Path, level: str, stops: bool) -> None:
    config = tmp_path / "levels.json"
    config.write_text(f'{{"all": "advisory", "host-not-in-catalog": "{level}"}}')
    ended = lab.pulumi("preview", "--policy-pack", pack(tmp_path, SETTINGS), "--policy-pack-config", str(config))
    assert ended.ok is not stops, ended.output
    assert ("host-not-in-catalog" in ended.output) is (level != "disabled")


def test_an_environment_without_hostgate_is_told_so(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKED)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/blocked" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PULUMI_PYTHON_CMD", str(python))
    own = Path(__file__).resolve().parents[2] / "policy"
    ended = lab.pulumi("preview", "--policy-pack", str(own))
    assert not ended.ok
    assert "The policy pack needs hostgate with its extra `sandbox`" in ended.output
    assert "Traceback" not in ended.output
