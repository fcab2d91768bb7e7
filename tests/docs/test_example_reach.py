"""The programs of examples/ and of this repository open what their catalogs need and nothing else, at a first preview."""

from pathlib import Path

import pytest
from test_example_routes import EXAMPLES, foreseen

from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Snapshot
from hostgate.planning.allowlists_at import allowlists_at
from hostgate.planning.needs import clients_of, needs_of_allowlists
from hostgate.policies.places import places_of_stack
from hostgate.sandbox.builtin_preview import preview
from hostgate.stack import config_of_file

ROOT = EXAMPLES.parent
STACKS = {
    "aws-inspection-vpc": [], "aws-single-vpc": [], "aws-shared-groups/team": [], "gcp-folder-policy": [],
    "gcp-gke-nodes": ["google-apis"], "gcp-web-proxy": [], "gcp-shared-vpc/host": [],
}  # fmt: skip
"""By program, the rules of its own that open something beside its catalogs: Google's APIs for the nodes of a cluster."""


def opened(project: Path, stack: str) -> list[str]:
    made = preview(project, stack, config_of_file(project, stack))
    snapshot = Snapshot(tuple(map(foreseen, made.resources)), "a preview")
    beyond: list[str] = []
    places = places_of_stack(snapshot)
    assert places
    for place in places:
        needs, ours = needs_of_allowlists(allowlists_at(place, snapshot))
        assert any(need.due for need in needs), place.name
        found = reach(place, needs, clients_of(place, ours))
        assert (found.missing, found.dead, found.unknown) == ((), (), ()), place.name
        beyond += [each.rule for each in found.beyond]
    return beyond


@pytest.mark.parametrize("name", STACKS)
def test_an_example_opens_what_its_catalogs_need(name: str) -> None:
    assert opened(EXAMPLES / name, "dev") == STACKS[name]


@pytest.mark.parametrize("stack", ["dev", "team"])
def test_the_stacks_of_this_repository_open_what_their_catalogs_need(stack: str) -> None:
    assert opened(ROOT, stack) == []
