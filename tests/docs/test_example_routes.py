"""The routes of the AWS programs in examples/ lead to the firewalls that they make, at a first preview and when deployed."""

from pathlib import Path

import pytest
from deployed import deployed

from hostgate.aws.resources_firewall import FIREWALL
from hostgate.aws.routes import routes_at
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.sandbox.enforcement_points import points_of, snapshot_of
from hostgate.sandbox.resources import PreviewResource
from hostgate.stack import config_of_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def foreseen(each: PreviewResource) -> Resource:
    made_from = {key: frozenset(urns) for key, urns in each.property_dependencies.items()}
    return Resource(
        urn=each.urn, type=each.type, name=each.name, properties=each.inputs, property_dependencies=made_from
    )


@pytest.mark.parametrize(("name", "zones"), [("aws-inspection-vpc", "ab"), ("aws-single-vpc", "a")])
def test_the_tables_of_an_example_lead_to_its_firewall(name: str, zones: str, tmp_path: Path) -> None:
    project = EXAMPLES / name
    made = deployed(project, config_of_file(project, "dev"), tmp_path, {})
    for snapshot in (Snapshot(tuple(map(foreseen, made.first.resources)), "a preview"), snapshot_of(made.held)):
        (firewall,) = snapshot.of_types([FIREWALL])
        clients = routes_at(snapshot, firewall).clients
        assert {each.subnet for each in clients} == {f"table rtb-0{zone}000001" for zone in zones}
        assert {way.end for each in clients for way in each.ways["IPv4"] if way.route} == {"firewall"}
        (point,) = points_of(snapshot)
        assert not any("NOT ROUTED" in each for each in point.judged.assumptions)
