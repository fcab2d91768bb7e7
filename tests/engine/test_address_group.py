"""Address groups on the real engine: who keeps the items, a new capacity, a new place, and no moment with a rule without one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Ended, Lab, real_engine, well
from hostgate.flows.flow import Flow
from hostgate.gcp.resources_groups import ADDRESS_GROUP
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.state import StoredObject, states

pytestmark = real_engine

ADDRESS = "  {} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\n"
BY_POOL = {"mechanism": "address-group", "networks": ["projects/acme/global/networks/main"], "steps": 2}
REFRESHED = {**BY_POOL, "steps": 100, "contents": "refresher", "capacity": 20}
OLD, TURNED, PUSHED = ["203.0.113.7", "203.0.113.8"], ["203.0.113.8", "203.0.113.9"], ["203.0.113.8", "203.0.113.10"]
STRANGER, STAYS = Flow("evil.example", address="198.51.100.9"), Flow("mirror.acme.example", address="203.0.113.8")


class Keepers:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder / "project", folder / "sandbox")
        self.lab.hosts("mirror.acme.example")
        self.moments: list[tuple[str, str, str]] = []
        self.first = self.up(REFRESHED, OLD)
        self.filled = self.items()
        self.again = self.lab.pulumi("preview", "--expect-no-changes")
        self.push(PUSHED)
        self.unread = self.up(REFRESHED, OLD)
        self.refreshed = self.lab.pulumi("refresh", "--yes", "--skip-preview")
        self.after_refresh = self.up(REFRESHED, TURNED)
        self.kept = self.items()
        self.larger = self.up({**REFRESHED, "capacity": 30}, PUSHED)
        self.taken_back = self.up(BY_POOL, TURNED)
        self.grown = self.up(BY_POOL, [*OLD, "203.0.113.9"])
        self.regional = self.up({**BY_POOL, "region": "europe-west4"}, OLD)
        self.moved = self.up({**BY_POOL, "region": "europe-west1"}, OLD)
        self.settled = self.lab.pulumi("preview", "--expect-no-changes")
        self.gone = self.lab.pulumi("destroy", "--yes", "--skip-preview")
        self.left = self.lab.state.objects()

    def up(self, options: dict[str, Any], addresses: list[str]) -> Ended:
        before = self.lab.state.objects()
        pool = "hostgate-pool 1\nhost mirror.acme.example window 86400\n"
        (self.lab.project / "pool.txt").write_text(f"{pool}{''.join(map(ADDRESS.format, addresses))}end\n")
        self.lab.configure({"gcp": options, "pool": {"file": "pool.txt"}}, "./ours.yaml")
        ended = well(self.lab.pulumi("up", "--yes", "--skip-preview"))
        if "region" not in options:  # a regional policy is for clients of its region alone
            self.watch(before, ended)
        return ended

    def watch(self, before: Sequence[StoredObject], ended: Ended) -> None:
        """What becomes of both flows after each call while the network is judged."""
        for call, held in states(ended.update.calls, before):
            for point in points(held):
                if "networks/main" in point.place and before:
                    said = point.verdict(STRANGER).action, point.verdict(STAYS).action
                    self.moments.append((f"{call.operation} {call.name}", *said))

    def push(self, addresses: list[str]) -> None:
        """What `hostgate pool push` leaves behind."""
        (held,) = self.lab.state.objects(ADDRESS_GROUP)
        with self.lab.state.transaction() as now:
            now.write("update", replace(held, inputs={**held.inputs, "items": [f"{each}/32" for each in addresses]}))

    def items(self) -> list[str]:
        (held,) = self.lab.state.objects(ADDRESS_GROUP)
        return [each.removesuffix("/32") for each in held.inputs["items"]]


@pytest.fixture(scope="module")
def keepers(tmp_path_factory: pytest.TempPathFactory) -> Keepers:
    return Keepers(tmp_path_factory.mktemp("keepers"))


def of_groups(ended: Ended) -> list[tuple[str, str]]:
    """The calls about groups and the rules that name them, in order."""
    named = [
        (call.operation, call.type.rpartition(":")[2]) for call in ended.update.calls if "ipv4-tcp-443" in call.name
    ]
    return [(operation, type_.removeprefix("Region").removeprefix("NetworkFirewall")) for operation, type_ in named]


def test_the_first_up_fills_the_group_before_its_rule_and_the_second_has_nothing_to_do(keepers: Keepers) -> None:
    assert of_groups(keepers.first) == [("create", "AddressGroup"), ("create", "PolicyRule")]
    assert keepers.filled == OLD
    assert keepers.again.ok, keepers.again.output


def test_what_was_pushed_stands_whatever_the_pool_says_and_whether_the_state_was_refreshed(keepers: Keepers) -> None:
    assert (keepers.unread.update.calls, keepers.after_refresh.update.calls) == ([], [])
    assert keepers.kept == PUSHED


@pytest.mark.parametrize("step", ["larger", "taken_back", "grown"])
def test_another_capacity_or_keeper_is_a_group_beside_to_which_the_rule_moves(keepers: Keepers, step: str) -> None:
    calls = of_groups(getattr(keepers, step))
    assert calls == [("create", "AddressGroup"), ("update", "PolicyRule"), ("delete", "AddressGroup")]


@pytest.mark.parametrize("step", ["regional", "moved"])
def test_in_another_place_the_rule_goes_before_its_group(keepers: Keepers, step: str) -> None:
    calls = of_groups(getattr(keepers, step))
    assert [each for each in calls if each[0] == "create"] == [("create", "AddressGroup"), ("create", "PolicyRule")]
    assert [each for each in calls if each[0] == "delete"] == [("delete", "PolicyRule"), ("delete", "AddressGroup")]
    assert keepers.settled.ok, keepers.settled.output


def test_no_moment_opens_what_no_pool_has_or_cuts_what_stays(keepers: Keepers) -> None:
    assert len(keepers.moments) >= 6
    assert [each for each in keepers.moments if each[1:] != ("block", "allow")] == []


def test_destroy_takes_the_rule_before_the_group_and_leaves_nothing(keepers: Keepers) -> None:
    assert keepers.gone.ok, keepers.gone.output
    assert of_groups(keepers.gone) == [("delete", "PolicyRule"), ("delete", "AddressGroup")]
    assert list(keepers.left) == []
