"""Who reaches what by the Google Cloud programs in examples/, as deployed; test_printed_programs.py tries everybody else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from deployed import Deployed, deployed

from hostgate.flows.flow import Flow
from hostgate.gcp.resources_proxy import GATEWAY, POLICY_ROUTE
from hostgate.sandbox.enforcement_points import points
from hostgate.stack import config_of_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HOST_PROJECT = "gcp-shared-vpc/host"
PULLED, BUILT, OTHER, PRIVATE = (
    ("cgr.dev", None),
    ("apk.cgr.dev", None),
    ("evil.example", "192.0.2.7"),
    ("db", "10.1.2.3"),
)
GOOGLE = ("storage.googleapis.com", "199.36.153.9")
BUILDER = "account:builder@acme-builds.iam.gserviceaccount.com"
NODE = "account:gke-nodes@acme-prod.iam.gserviceaccount.com"
ANOTHER = "account:web@acme-prod.iam.gserviceaccount.com"
UNTAGGED = "network-tag:web"


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Deployed]:
    def make(name: str) -> Deployed:
        stacks = {"organization/gcp-shared-vpc-host/dev": make(HOST_PROJECT)} if name.endswith("service") else {}
        return deployed(EXAMPLES / name, config_of_file(EXAMPLES / name, "dev"), tmp_path, stacks)

    return make


@pytest.mark.parametrize(
    ("name", "client", "reached", "blocked"),
    [
        (HOST_PROJECT, BUILDER, [PULLED, PRIVATE], [BUILT, OTHER, GOOGLE]),
        ("gcp-shared-vpc/service", BUILDER, [PULLED, BUILT, PRIVATE], [OTHER, GOOGLE]),
        ("gcp-shared-vpc/service", ANOTHER, [PULLED, PRIVATE], [BUILT, OTHER, GOOGLE]),
        ("gcp-gke-nodes", NODE, [PULLED, GOOGLE, PRIVATE], [OTHER]),
        ("gcp-gke-nodes", ANOTHER, [PULLED, GOOGLE, PRIVATE, OTHER], []),  # no node, so not judged
        ("gcp-web-proxy", None, [PULLED, BUILT, PRIVATE], [OTHER, GOOGLE]),
        ("gcp-web-proxy", UNTAGGED, [PULLED, BUILT, PRIVATE, OTHER, GOOGLE], []),  # goes past the proxy, so not judged
        ("gcp-folder-policy", BUILDER, [PULLED, BUILT, PRIVATE], [OTHER, GOOGLE]),
    ],
)
def test_a_client_reaches_what_the_program_says(
    name: str,
    client: str | None,
    reached: list[tuple[str, str | None]],
    blocked: list[tuple[str, str | None]],
    made: Callable[[str], Deployed],
) -> None:
    (point,) = points(made(name).held)
    wanted = {**dict.fromkeys(reached, "allow"), **dict.fromkeys(blocked, "block")}
    assert {to: point.verdict(Flow(to[0], address=to[1], source=client)).action for to in wanted} == wanted


def test_the_rules_of_a_service_project_are_made_in_the_host_project(made: Callable[[str], Deployed]) -> None:
    assert {each.id.split("/")[1] for each in made("gcp-shared-vpc/service").held} == {"acme-net-host"}


def test_the_next_hop_of_the_tagged_instances_is_the_address_of_the_proxy(made: Callable[[str], Deployed]) -> None:
    held = made("gcp-web-proxy").held
    (gateway,) = [each for each in held if each.type == GATEWAY]
    (route,) = [each for each in held if each.type == POLICY_ROUTE and each.inputs.get("nextHopIlbIp")]
    assert route.inputs["nextHopIlbIp"] == gateway.computed["addresses"][0]
    assert route.inputs["virtualMachine"] == {"tags": ["egress-by-proxy"]}
