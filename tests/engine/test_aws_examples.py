"""The AWS programs in examples/: previewed by the built-in host, deployed by the real engine where it is present."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.lab import LIMIT, real_engine
from hostgate.aws.resources_ec2 import ROUTE
from hostgate.aws.resources_firewall import FIREWALL
from hostgate.flows.flow import Flow
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.enforcement_points import Point, points
from hostgate.sandbox.engine import prepare
from hostgate.sandbox.state import StoredObject, state_of
from hostgate.stack import config_of_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LISTED, OTHER = Flow("cgr.dev", source="10.20.1.2"), Flow("evil.example", source="10.20.1.2")
QUESTION = Flow("evil.example", 53, "udp", source="10.20.1.2", address="198.51.100.7")
HELLO = Flow("evil.example", 443, "quic", source="2600:1f18::5", address="2a00:1450::7")


def copied(name: str, folder: Path) -> Path:
    """The example in `folder`, with the SDKs of this environment."""
    place = folder / name
    shutil.copytree(EXAMPLES / name, place, ignore=shutil.ignore_patterns("venv", "__pycache__"))
    (place / "venv").symlink_to(sys.prefix)
    return place


def pulumi(project: Path, sandbox: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = prepare(project, "dev", sandbox).run(*words, capture=True, limit=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def up(project: Path, sandbox: Path) -> list[StoredObject]:
    pulumi(project, sandbox, "up", "--yes", "--skip-preview")
    return state_of(sandbox).objects()


def judged(held: list[StoredObject]) -> Point:
    (point,) = points(held)
    return point


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("aws-inspection-vpc", {"Firewall", "FirewallPolicy", "LoggingConfiguration", "RuleGroup", "Route"}),
        ("aws-single-vpc", {"Firewall", "FirewallPolicy", "RuleGroup", "Route"}),
        ("aws-shared-groups/team", {"RuleGroup", "ResourceShare", "ResourceAssociation", "PrincipalAssociation"}),
    ],
)
def test_an_example_is_previewed_without_the_cli(name: str, types: set[str], tmp_path: Path) -> None:
    project = copied(name, tmp_path)
    made = preview(project, "dev", config_of_file(project, "dev"))
    assert made.ok
    assert {each.type.rpartition(":")[2] for each in made.resources if each.type.startswith("aws:")} == types


@real_engine
@pytest.mark.parametrize("name", ["aws-inspection-vpc", "aws-single-vpc"])
def test_every_route_leads_to_the_endpoint_of_its_zone_and_only_the_hosts_pass(name: str, tmp_path: Path) -> None:
    project, sandbox = copied(name, tmp_path), tmp_path / "sandbox"
    held = up(project, sandbox)
    (firewall,) = [each for each in held if each.type == FIREWALL]
    endpoints: dict[str, Any] = {
        state["attachments"][0]["subnetId"]: state["attachments"][0]["endpointId"]
        for state in firewall.computed["firewallStatuses"][0]["syncStates"]
    }
    routes = [each.inputs for each in held if each.type == ROUTE]
    assert len(routes) == 2 * len(endpoints)
    for subnet, endpoint in endpoints.items():
        tables = {route["routeTableId"] for route in routes if route["vpcEndpointId"] == endpoint}
        assert {table.removeprefix("rtb-")[:2] for table in tables} == {subnet.removeprefix("subnet-")[:2]}
    point = judged(held)
    assert point.title.startswith("aws firewall vendors-firewall-")
    assert [point.verdict(flow).allows for flow in (LISTED, OTHER, QUESTION, HELLO)] == [True, False, False, False]
    (routed,) = [each for each in point.judged.assumptions if each.startswith("Routed to the firewall: ")]
    assert all(f"table rtb-0{zone}000001 over IPv4" in routed for zone in "ab"[: len(endpoints)])
    assert not any("NOT ROUTED" in each for each in point.judged.assumptions)
    pulumi(project, sandbox, "destroy", "--yes", "--skip-preview")
    assert state_of(sandbox).objects() == []


@real_engine
def test_a_policy_of_another_stack_takes_the_shared_groups_and_nothing_else_opens(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    team, owner = (copied(f"aws-shared-groups/{name}", tmp_path) for name in ("team", "owner"))
    up(team, sandbox)
    point = judged(up(owner, sandbox))
    assert [point.verdict(flow).allows for flow in (LISTED, OTHER, QUESTION, HELLO)] == [True, False, False, False]
    assert not point.verdict(Flow("cgr.dev", source="10.30.1.2")).allows  # not a client of the team
    assert point.verdict(Flow("db.internal", 5432, "tcp", source="10.20.1.2", address="10.1.2.3")).allows
    pulumi(owner, sandbox, "preview", "--expect-no-changes")
