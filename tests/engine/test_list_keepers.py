"""Prefix lists whose entries a refresher keeps, on the real engine: filled once, and never put back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Ended, Lab, real_engine
from hostgate.aws.resources_ec2 import PREFIX_LIST
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points
from hostgate.sinks.address_list import mark

pytestmark = real_engine

ADDRESS = "  {} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\n"
GROUPS = {"mechanism": "prefix-list", "securityGroups": ["sg-0a1"]}
REFRESHED = {**GROUPS, "contents": "refresher", "maximum": 20}
OLD, TURNED, PUSHED = ["203.0.113.7", "203.0.113.8"], ["203.0.113.8", "203.0.113.9"], ["203.0.113.9", "203.0.113.10"]


class Keepers:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder / "project", folder / "sandbox")
        self.lab.hosts("mirror.acme.example")
        self.first = self.up(REFRESHED, OLD)
        self.filled = self.entries()
        self.again = self.lab.pulumi("preview", "--expect-no-changes")
        self.push(PUSHED)
        self.unread = self.up(REFRESHED, OLD)
        self.turned = self.up(REFRESHED, TURNED)
        self.refreshed = self.lab.pulumi("refresh", "--yes", "--skip-preview")
        self.after_refresh = self.up(REFRESHED, OLD)
        self.settled = self.lab.pulumi("preview", "--expect-no-changes")
        self.kept = self.entries()
        self.larger = self.up({**REFRESHED, "maximum": 30}, OLD)
        self.kept_larger = self.entries()
        self.taken_back = self.up(GROUPS, TURNED)
        self.taken_entries = self.entries()
        self.verdicts = [
            point.verdict(Flow("x.example", 443, "https", address=each)).action
            for point in points(self.lab.state.objects())
            for each in ("203.0.113.9", "203.0.113.10")
        ]

    def up(self, options: dict[str, Any], addresses: list[str]) -> Ended:
        pool = (
            "hostgate-pool 1\nhost mirror.acme.example window 86400\n"
            + "".join(map(ADDRESS.format, addresses))
            + "end\n"
        )
        (self.lab.project / "pool.txt").write_text(pool)
        self.lab.configure({"aws": options, "pool": {"file": "pool.txt"}}, "./ours.yaml")
        ended = self.lab.pulumi("up", "--yes", "--skip-preview")
        assert ended.ok, ended.output
        return ended

    def push(self, addresses: list[str]) -> None:
        """What `hostgate pool push` leaves behind."""
        (held,) = self.lab.state.objects(PREFIX_LIST)
        entries = [{"cidr": f"{each}/32", "description": mark("pool")} for each in addresses]
        with self.lab.state.transaction() as now:
            now.write("update", replace(held, inputs={**held.inputs, "entries": entries}))

    def entries(self) -> dict[str, str]:
        (held,) = self.lab.state.objects(PREFIX_LIST)
        return {each["cidr"]: each["description"] for each in held.inputs["entries"]}


@pytest.fixture(scope="module")
def keepers(tmp_path_factory: pytest.TempPathFactory) -> Keepers:
    return Keepers(tmp_path_factory.mktemp("keepers"))


def test_the_first_up_fills_the_list_and_the_second_has_nothing_to_do(keepers: Keepers) -> None:
    assert keepers.first.update.done("create") == [
        "ManagedPrefixList hostgate-refresher-ipv4-tcp-443",
        "SecurityGroupEgressRule sg-0a1",
    ]
    assert keepers.filled == {f"{each}/32": "hostgate:pool" for each in OLD}
    assert keepers.again.ok, keepers.again.output


def test_what_was_pushed_stands_whatever_the_pool_says_and_whether_the_state_was_refreshed(keepers: Keepers) -> None:
    for ended in (keepers.unread, keepers.turned, keepers.after_refresh):
        assert ended.update.calls == []
    assert keepers.settled.ok, keepers.settled.output
    assert keepers.kept == {f"{each}/32": "hostgate:pool" for each in PUSHED}


def test_a_larger_maximum_changes_the_size_alone(keepers: Keepers) -> None:
    assert keepers.larger.update.done("update") == ["ManagedPrefixList hostgate-refresher-ipv4-tcp-443"]
    assert keepers.kept_larger == keepers.kept


def test_another_keeper_gets_a_list_of_his_own_before_the_old_one_goes(keepers: Keepers) -> None:
    calls = [(call.operation, call.type.rpartition(":")[2]) for call in keepers.taken_back.update.calls]
    assert calls == [
        ("create", "ManagedPrefixList"),
        ("update", "SecurityGroupEgressRule"),
        ("delete", "ManagedPrefixList"),
    ]
    assert keepers.taken_entries == {f"{each}/32": "mirror.acme.example" for each in TURNED}
    assert keepers.verdicts == ["allow", "block"]
