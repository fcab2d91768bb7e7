"""Prefix lists whose entries a refresher keeps, without the CLI: filled once, and never put back.

`tests/engine/test_list_keepers.py` asks the same of the real engine. Here the program runs in the built-in preview, update
after update.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.moments import Update
from engine.stand_in import StandIn
from engine.test_list_keepers import ADDRESS, GROUPS, OLD, PUSHED, REFRESHED, TURNED
from hostgate.aws.resources_ec2 import PREFIX_LIST
from hostgate.flows.flow import Flow
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.enforcement_points import points
from hostgate.sinks.address_list import mark
from hostgate.stack import config_of_file


class Kept(StandIn):
    """A stack with one list, its pool, and what somebody else does to the list."""

    def of(self, options: dict[str, Any], addresses: list[str]) -> None:
        pool = "hostgate-pool 1\nhost mirror.acme.example window 86400\n"
        (self.project / "pool.txt").write_text(f"{pool}{''.join(map(ADDRESS.format, addresses))}end\n")
        self.configure({"aws": options, "pool": {"file": "pool.txt"}}, self.hosts("mirror.acme.example"))

    def up(self, options: dict[str, Any], addresses: list[str]) -> Update:
        self.of(options, addresses)
        return self.brought_up()

    def push(self, addresses: list[str]) -> None:
        """What `hostgate pool push` leaves behind."""
        (held,) = self.state.objects(PREFIX_LIST)
        entries = [{"cidr": f"{each}/32", "description": mark("pool")} for each in addresses]
        with self.state.transaction() as now:
            now.write("update", replace(held, inputs={**held.inputs, "entries": entries}))

    def entries(self) -> dict[str, str]:
        (held,) = self.state.objects(PREFIX_LIST)
        return {each["cidr"]: each["description"] for each in held.inputs["entries"]}

    def open(self) -> list[str]:
        (point,) = points(self.state.objects())
        flows = (Flow("x.example", 443, "https", address=each) for each in (*OLD, *PUSHED))
        return [str(flow.address) for flow in flows if point.verdict(flow).allows]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def marked(addresses: list[str]) -> dict[str, str]:
    return {f"{each}/32": "hostgate:pool" for each in addresses}


def test_a_list_is_filled_once_and_a_pool_that_turned_changes_nothing(kept: Kept) -> None:
    first = kept.up(REFRESHED, OLD)
    assert first.done("create") == [
        "ManagedPrefixList hostgate-refresher-ipv4-tcp-443",
        "SecurityGroupEgressRule sg-0a1",
    ]
    assert kept.entries() == marked(OLD)
    assert [*kept.up(REFRESHED, OLD).calls] == []
    assert [*kept.up(REFRESHED, TURNED).calls] == []
    assert kept.entries() == marked(OLD)


@pytest.mark.parametrize("addresses", [OLD, TURNED], ids=["the same pool", "another pool"])
def test_what_was_pushed_stands_whatever_the_pool_says(kept: Kept, addresses: list[str]) -> None:
    kept.up(REFRESHED, OLD)
    kept.push(PUSHED)
    assert [*kept.up(REFRESHED, addresses).calls] == []
    assert kept.entries() == marked(PUSHED)
    assert kept.open() == PUSHED


def test_a_larger_maximum_leaves_what_was_pushed_though_no_state_has_read_it(kept: Kept) -> None:
    kept.up(REFRESHED, OLD)
    kept.push(PUSHED)
    larger = kept.up({**REFRESHED, "maximum": 30}, TURNED)
    assert larger.done("update") == ["ManagedPrefixList hostgate-refresher-ipv4-tcp-443"]
    assert kept.entries() == marked(PUSHED)
    (held,) = kept.state.objects(PREFIX_LIST)
    assert held.inputs["maxEntries"] == 30


def test_what_pulumi_keeps_is_put_back_to_the_pool(kept: Kept) -> None:
    kept.up(GROUPS, OLD)
    kept.push(PUSHED)
    assert kept.up(GROUPS, TURNED).done("update") == ["ManagedPrefixList hostgate-ipv4-tcp-443"]
    assert kept.entries() == {f"{each}/32": "mirror.acme.example" for each in TURNED}


@pytest.mark.parametrize(("options", "ignored"), [(REFRESHED, ("entries",)), (GROUPS, ())], ids=["refresher", "pool"])
def test_a_preview_says_what_is_ignored(kept: Kept, options: dict[str, Any], ignored: tuple[str, ...]) -> None:
    kept.of(options, OLD)
    shown = preview(kept.project, "dev", config_of_file(kept.project, "dev"))
    (one,) = (each for each in shown.resources if each.type == PREFIX_LIST)
    assert one.options.ignore_changes == ignored
    assert [each["cidr"] for each in one.inputs["entries"]] == [f"{each}/32" for each in OLD]
