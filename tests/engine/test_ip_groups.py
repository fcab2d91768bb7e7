"""IP groups of Azure on the real engine: kept by the program or by a refresher, and made before and gone after their rules."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.lab import AZURE, Ended, Lab, real_engine
from hostgate.azure.resources import IP_GROUP
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points

pytestmark = real_engine

ADDRESS = "  {} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\n"
GROUPS = {**AZURE, "mechanism": "ip-group"}
REFRESHED = {**GROUPS, "contents": "refresher"}
OLD, TURNED, PUSHED = ["203.0.113.7", "203.0.113.8"], ["203.0.113.8", "203.0.113.9"], ["203.0.113.9", "203.0.113.10"]
HOST, OTHER = "mirror.acme.example", "other=mirror.acme.example:8443"


def done(ended: Ended) -> list[tuple[str, str]]:
    return [(call.operation, call.name) for call in ended.update.calls]


class Keepers:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder / "project", folder / "sandbox")
        self.first = self.up(REFRESHED, OLD, HOST)
        self.filled = self.addresses()
        self.again = self.lab.pulumi("preview", "--expect-no-changes")
        self.push(PUSHED)
        self.unread = self.up(REFRESHED, OLD, HOST)
        self.turned = self.up(REFRESHED, TURNED, HOST)
        self.refreshed = self.lab.pulumi("refresh", "--yes", "--skip-preview")
        self.after_refresh = self.up(REFRESHED, OLD, HOST)
        self.kept = self.addresses()
        self.tagged = self.up({**REFRESHED, "tags": {"team": "x"}}, OLD, HOST)
        self.kept_tagged = self.addresses()
        self.taken_back = self.up(GROUPS, TURNED, HOST)
        self.taken = self.addresses()
        self.verdicts = self.asked("203.0.113.9", "203.0.113.10")
        self.more = self.up(GROUPS, TURNED, HOST, OTHER)
        self.fewer = self.up(GROUPS, TURNED, OTHER)
        self.gone = self.lab.pulumi("destroy", "--yes", "--skip-preview")

    def up(self, options: dict[str, Any], addresses: list[str], *hosts: str) -> Ended:
        pool = f"hostgate-pool 1\nhost {HOST} window 86400\n{''.join(map(ADDRESS.format, addresses))}end\n"
        (self.lab.project / "pool.txt").write_text(pool)
        self.lab.configure({"azure": options, "pool": {"file": "pool.txt"}}, self.lab.hosts(*hosts))
        ended = self.lab.pulumi("up", "--yes", "--skip-preview")
        assert ended.ok, ended.output
        return ended

    def push(self, addresses: list[str]) -> None:
        """What `hostgate pool push` leaves behind."""
        (held,) = self.lab.state.objects(IP_GROUP)
        with self.lab.state.transaction() as now:
            now.write(
                "update", replace(held, inputs={**held.inputs, "ipAddresses": [f"{each}/32" for each in addresses]})
            )

    def addresses(self) -> dict[str, list[str]]:
        return {held.name: held.inputs["ipAddresses"] for held in self.lab.state.objects(IP_GROUP)}

    def asked(self, *addresses: str) -> list[str]:
        (point,) = points(self.lab.state.objects())
        return [point.verdict(Flow("x.example", address=each, source="10.1.2.3")).action for each in addresses]


@pytest.fixture(scope="module")
def keepers(tmp_path_factory: pytest.TempPathFactory) -> Keepers:
    return Keepers(tmp_path_factory.mktemp("keepers"))


REFRESHERS, OURS = "hostgate-refresher-tcp-443", "hostgate-tcp-443"


def test_the_first_up_fills_the_group_before_a_rule_refers_to_it_and_the_second_has_nothing_to_do(
    keepers: Keepers,
) -> None:
    assert done(keepers.first) == [
        ("create", REFRESHERS), ("create", "hostgate"), ("create", "hostgate-addresses"),
    ]  # fmt: skip
    assert keepers.filled == {REFRESHERS: [f"{each}/32" for each in OLD]}
    assert keepers.again.ok, keepers.again.output


def test_what_was_pushed_stands_whatever_the_pool_says_and_whether_the_state_was_refreshed(keepers: Keepers) -> None:
    for ended in (keepers.unread, keepers.turned, keepers.after_refresh):
        assert done(ended) == []
    assert keepers.kept == {REFRESHERS: [f"{each}/32" for each in PUSHED]}


def test_other_tags_change_no_address_that_was_pushed(keepers: Keepers) -> None:
    assert ("update", REFRESHERS) in done(keepers.tagged)
    assert keepers.kept_tagged == keepers.kept


def test_another_keeper_gets_a_group_of_his_own_before_the_old_one_goes(keepers: Keepers) -> None:
    calls = [each for each in done(keepers.taken_back) if each[1] != "hostgate"]  # the tags of the policy
    assert calls == [("create", OURS), ("update", "hostgate-addresses"), ("delete", REFRESHERS)]
    assert keepers.taken == {OURS: [f"{each}/32" for each in TURNED]}
    assert keepers.verdicts == ["allow", "block"]


def test_a_port_more_and_a_port_less_change_its_own_group_and_the_rules(keepers: Keepers) -> None:
    assert done(keepers.more) == [("create", "hostgate-tcp-8443"), ("update", "hostgate-addresses")]
    assert done(keepers.fewer) == [("update", "hostgate-addresses"), ("delete", OURS)]


def test_what_uses_a_group_goes_before_it(keepers: Keepers) -> None:
    assert keepers.gone.ok, keepers.gone.output
    assert done(keepers.gone) == [
        ("delete", "hostgate"),
        ("delete", "hostgate-addresses"),  # with its policy
        ("delete", "hostgate-tcp-8443"),
    ]
    assert not keepers.lab.state.objects()
