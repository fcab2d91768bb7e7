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
