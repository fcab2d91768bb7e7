"""Entries by address and resets on the real engine: groups and defaults that come and go in one update of the policy."""

from pathlib import Path
from typing import Any

import pytest

from engine.lab import AWS, Ended, Lab, real_engine, well
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points

pytestmark = real_engine

PLAIN = """
catalog: acme/plain
entries:
  - {id: git, host: git.acme.example, port: 22, protocol: tcp, purpose: Sources, phase: build}
  - {id: clock, host: time.acme.example, port: 123, protocol: udp, purpose: Time, phase: build}
"""
LIST = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-0123456789abcdef0"
ADDRESSES = {"git": ["203.0.113.22/32"], "clock": ["203.0.113.64/28"]}


class Changes:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder / "project", folder / "sandbox")
        (self.lab.project / "plain.yaml").write_text(PLAIN)
        self.lab.hosts("mirror.acme.example")
        self.first = self.step(None)
        self.by_address = self.step({"addresses": ADDRESSES})
        self.answered = self.verdict(Flow("time.acme.example", 123, "udp", address="203.0.113.70"))
        self.moved = self.step({"addresses": {**ADDRESSES, "git": ["203.0.113.23/32"]}})
        self.rejecting = self.step({"addresses": {**ADDRESSES, "git": ["203.0.113.23/32"]}, "reject": True})
        self.rejected = self.verdict(Flow("evil.example"))
        self.by_set = self.step({"addresses": {"clock": ["203.0.113.64/28"]}, "ipSets": {"git": LIST}, "reject": True})
        self.again = self.lab.pulumi("preview", "--expect-no-changes")
        self.fed = self.pooled("203.0.113.7", "203.0.113.8")
        self.fed_again = self.lab.pulumi("preview", "--expect-no-changes")
        self.renewed = self.pooled("203.0.113.7", "203.0.113.9")
        self.standing = [self.verdict(Flow("x", 22, "tcp", address=f"203.0.113.{n}"))[0] for n in (7, 8, 9)]
        self.back = self.step(None)

    def step(self, options: dict[str, Any] | None) -> Ended:
        """`up` with the plain entries and these options; None: without the entries."""
        catalogs = ["./ours.yaml", *([] if options is None else ["./plain.yaml"])]
        self.lab.configure({"aws": {**AWS, **(options or {})}}, *catalogs)
        return self.lab.up()

    def pooled(self, *addresses: str) -> Ended:
        """`up` with the addresses of a pool for `git`, and the last step's set for `clock`."""
        lines = "".join(f"  {each} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\n" for each in addresses)
        pool = f"hostgate-pool 1\nhost git.acme.example window 7776000\n{lines}end\n"
        (self.lab.project / "pool.txt").write_text(pool)
        options = {**AWS, "ipSets": {"clock": LIST}, "reject": True}
        self.lab.configure({"aws": options, "pool": {"file": "pool.txt"}}, "./ours.yaml", "./plain.yaml")
        return self.lab.up()

    def verdict(self, flow: Flow) -> tuple[str, str]:
        (point,) = points(self.lab.state.objects())
        said = point.verdict(flow)
        return said.action, said.why.partition(" by a rule")[0]


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    return Changes(tmp_path_factory.mktemp("changes"))


def test_addresses_come_as_a_group_and_an_update_of_the_policy(changes: Changes) -> None:
    update = well(changes.by_address).update
    assert update.done("create") == ["RuleGroup hostgate-address"]
    assert update.done("update") == ["FirewallPolicy hostgate"]
    assert changes.answered == ("allow", "passed")


def test_a_host_that_moves_is_one_update_of_one_group(changes: Changes) -> None:
    update = well(changes.moved).update
    assert update.done("update") == ["RuleGroup hostgate-address"]
    assert update.done("create") == update.done("delete") == []


def test_rejects_take_the_place_of_the_default_at_one_moment(changes: Changes) -> None:
    update = well(changes.rejecting).update
    assert "RuleGroup hostgate-reject" in update.done("create")
    assert update.done("update") == ["FirewallPolicy hostgate"]
    assert changes.rejected == ("block", "rejected")


def test_a_set_takes_the_place_of_ranges_in_one_update(changes: Changes) -> None:
    assert well(changes.by_set).update.done("update") == ["RuleGroup hostgate-address"]
    assert changes.again.ok, changes.again.output


def test_back_to_the_default_no_moment_is_without_a_drop(changes: Changes) -> None:
    update = well(changes.back).update
    assert {"RuleGroup hostgate-address", "RuleGroup hostgate-reject"} <= set(update.done("delete"))


def test_an_address_that_a_pool_brings_is_one_update_of_one_group_whose_rules_stay(changes: Changes) -> None:
    well(changes.fed)
    well(changes.fed_again)
    update = well(changes.renewed).update
    assert update.done("update") == ["RuleGroup hostgate-address"]
    assert update.done("create") == update.done("delete") == []
    assert changes.standing == ["allow", "block", "allow"]
