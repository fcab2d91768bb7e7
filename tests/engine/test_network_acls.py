"""Entries of network ACLs on the real engine: addresses that turn, come and go, and no moment that is not as it must be."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Lab, real_engine, well
from hostgate.aws.resources_ec2 import ACL_ENTRY
from hostgate.planning.plan import Plan
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state
from hostgate.sandbox.builtin_preview import PreviewResource, preview
from hostgate.sandbox.state import StoredObject, states
from hostgate.stack import config_of_file

pytestmark = real_engine

ACL = "acl-0a1"
ADDRESS = "  {} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\n"

Pool = Mapping[str, list[str]]
MIRROR = {"mirror.acme.example": ["203.0.113.7", "2001:db8::7"]}
FIRST: Pool = {**MIRROR, "git.acme.example": ["203.0.113.7", "203.0.113.52", "203.0.113.8"]}
TURNED: Pool = {**MIRROR, "git.acme.example": ["203.0.113.7", "203.0.113.52", "203.0.113.9"]}
CONTESTED: Pool = {**MIRROR, "git.acme.example": ["203.0.113.7", "203.0.113.52", "203.0.113.9", "203.0.113.159"]}
"""The ways back from .52 and .159 hash to one number, so that each then has another."""

Opens = tuple[bool, str, str, int, int]
"""What an entry opens: whether outwards, protocol, range and ports; its number aside."""


class Step:
    """One `up`, with what either preview had said of it."""

    def __init__(self, lab: Lab, known: Mapping[str, PreviewResource]) -> None:
        self.before = known
        shown = preview(lab.project, "dev", config_of_file(lab.project, "dev"))
        self.builtin = {each.urn: each for each in shown.resources if each.type == ACL_ENTRY}
        ended = lab.pulumi("preview", "--json")
        assert ended.ok, ended.output
        steps = json.loads(ended.output[ended.output.index("{") :])["steps"]
        self.engine: list[dict[str, Any]] = [each for each in steps if f"{ACL_ENTRY}::" in each["urn"]]
        self.up = well(lab.up())
        self.held = [*states(self.up.update.calls, self.up.update.before)]

    def steps(self, operation: str) -> set[str]:
        """Names in Pulumi of the entries with which the engine's preview said this."""
        return {each["urn"].rpartition("::")[2] for each in self.engine if each["op"] == operation}


class Changes:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder / "project", folder / "sandbox")
        self.first = self.step(FIRST, {})
        self.again = self.lab.pulumi("preview", "--expect-no-changes")
        self.turned = self.step(TURNED, self.first.builtin)
        self.contested = self.step(CONTESTED, self.turned.builtin)
        self.left = self.step(MIRROR, self.contested.builtin)
        self.every = (self.first, self.turned, self.contested, self.left)
        self.destroyed = self.lab.pulumi("destroy", "--yes", "--skip-preview")

    def step(self, pool: Pool, known: Mapping[str, PreviewResource]) -> Step:
        configured(self.lab, pool)
        return Step(self.lab, known)


def configured(lab: Lab, pool: Pool) -> None:
    hosts = [f"host {host} window 86400\n{''.join(map(ADDRESS.format, pool[host]))}" for host in sorted(pool)]
    (lab.project / "pool.txt").write_text(f"hostgate-pool 1\n{''.join(hosts)}end\n")
    options = {"mechanism": "network-acl", "networkAcls": [ACL]}
    lab.configure({"aws": options, "pool": {"file": "pool.txt"}}, lab.hosts(*pool))


def opened(held: Iterable[StoredObject | PreviewResource]) -> set[Opens]:
    return {_opens(each.inputs) for each in held}


def _opens(told: Mapping[str, Any]) -> Opens:
    cidr = told.get("cidrBlock") or told["ipv6CidrBlock"]
    return told["egress"], told["protocol"], cidr, int(told["fromPort"]), int(told["toPort"])


def unanswered(held: Iterable[StoredObject]) -> set[Opens]:
    """What goes out to an address that no entry lets answer."""
    now = opened(held)
    back = {(protocol, cidr) for out, protocol, cidr, _, _ in now if not out}
    return {each for each in now if each[0] and each[1:3] not in back}


def numbers(held: Iterable[StoredObject]) -> dict[Opens, Any]:
    return {_opens(each.inputs): each.inputs["ruleNumber"] for each in held}


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    return Changes(tmp_path_factory.mktemp("changes"))


def names(*addresses: str) -> set[str]:
    ways = ("in-tcp", "out-tcp-443")
    return {f"hostgate-{ACL}-{way}-{address.replace(':', '-')}" for address in addresses for way in ways}


def test_the_first_update_makes_an_entry_each_way_and_the_second_has_nothing_to_do(changes: Changes) -> None:
    assert changes.first.steps("create") == names("203.0.113.7", "203.0.113.8", "203.0.113.52", "2001:db8::7")
    assert changes.again.ok, changes.again.output


def test_an_address_that_turns_is_one_pair_of_entries_that_comes_and_one_that_goes(changes: Changes) -> None:
    step = changes.turned
    assert (step.steps("create"), step.steps("delete")) == (names("203.0.113.9"), names("203.0.113.8"))
    assert len(step.engine) == len(step.up.update.calls) == 4
    before, after = numbers(step.up.update.before), numbers(step.up.update.after)
    assert all(before[each] == after[each] for each in before.keys() & after.keys())
    assert len(before.keys() & after.keys()) == 6


def test_a_number_that_two_would_have_is_given_up_by_a_replacement_of_that_entry_alone(changes: Changes) -> None:
    step = changes.contested
    moved = f"hostgate-{ACL}-in-tcp-203.0.113.52"
    assert step.steps("replace") == {moved}
    assert step.steps("create") == names("203.0.113.159")
    before, after = numbers(step.up.update.before), numbers(step.up.update.after)
    assert [each for each in before if before[each] != after[each]] == [(False, "6", "203.0.113.52/32", 1024, 65535)]
    assert not {before[False, "6", "203.0.113.52/32", 1024, 65535]} & {*after.values()}


def test_a_host_that_leaves_takes_its_entries_along_and_none_that_another_needs(changes: Changes) -> None:
    assert changes.left.steps("delete") == names("203.0.113.9", "203.0.113.52", "203.0.113.159")
    assert {each["op"] for each in changes.left.engine} == {"delete"}
    assert len(changes.left.up.update.after) == 4


def test_a_destroy_leaves_nothing(changes: Changes) -> None:
    assert changes.destroyed.ok, changes.destroyed.output
    assert changes.lab.state.objects() == []


def test_both_previews_say_of_every_update_what_it_then_does(changes: Changes) -> None:
    for step in changes.every:
        came = {urn for urn in step.builtin if urn not in step.before}
        stays = step.builtin.keys() & step.before.keys()
        anew = {urn for urn in stays if step.builtin[urn].inputs != step.before[urn].inputs}
        said = {operation: {each["urn"] for each in step.engine if each["op"] == operation} for operation in _STEPS}
        assert said == {"create": came, "replace": anew, "delete": step.before.keys() - step.builtin.keys()}
        for each in step.engine:
            if each["op"] in ("create", "replace"):
                told = {key: value for key, value in each["newState"]["inputs"].items() if key != "__defaults"}
                assert told == step.builtin[each["urn"]].inputs
                assert sorted(each["newState"].get("dependencies", [])) == sorted(
                    step.builtin[each["urn"]].dependencies
                )
        done = step.up.update
        assert opened(done.after) == opened(step.builtin.values())
        assert len(done.done("create")) == len(came) + len(anew)
        assert len(done.done("delete")) == len(said["delete"]) + len(anew)
        assert done.done("update") == []


_STEPS = ("create", "replace", "delete")


def moments(changes: Changes) -> Iterator[tuple[set[Opens], set[Opens], list[StoredObject]]]:
    """What every update must keep and may hold, with what there was after each of its calls."""
    for step in changes.every:
        old, new = opened(step.before.values()), opened(step.builtin.values())
        yield from ((old & new, old | new, held) for _, held in step.held)
    destroyed = changes.destroyed.update
    for _, held in states(destroyed.calls, destroyed.before):
        yield set(), opened(destroyed.before), held


def test_no_moment_closes_what_stays_either_way_or_opens_what_neither_pool_has(changes: Changes) -> None:
    every = list(moments(changes))
    assert len(every) == 8 + 4 + 4 + 6 + 4
    for keeps, may, held in every:
        assert keeps <= opened(held) <= may


def test_no_moment_lets_a_connection_begin_that_cannot_be_answered(changes: Changes) -> None:
    assert [unanswered(held) for _, _, held in moments(changes) if unanswered(held)] == []


def test_what_judges_a_moment_finds_one_that_is_wrong(changes: Changes) -> None:
    held = changes.turned.up.update.after
    without = [each for each in held if each.inputs["egress"] or each.inputs.get("cidrBlock") != "203.0.113.9/32"]
    assert unanswered(without) == {(True, "6", "203.0.113.9/32", 443, 443)}
    wide = replace(held[0], inputs={**held[0].inputs, "toPort": 65535, "fromPort": 0})
    assert not opened([wide, *held]) <= opened(changes.turned.builtin.values())


def test_a_full_acl_takes_no_address_that_turns_and_stays_as_it_was_until_one_has_left(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    full = [f"203.0.113.{number}" for number in range(1, 40)]

    def asked(addresses: list[str]) -> Plan:
        configured(lab, {"git.acme.example": addresses})
        return lab.plans()["aws"]

    known = asked(full)
    before = numbers(well(lab.up()).update.after)
    turned = asked([*full[1:], "203.0.113.40"])
    (obstacle,) = diff([state(known)], [state(turned)])[0].obstacles
    assert "it needs one of the 39 entries over IPv4 that there is room for in acl-0a1, egress (" in obstacle
    ended = lab.pulumi("up", "--yes", "--skip-preview")
    assert not ended.ok
    assert "NetworkAclEntryLimitExceeded" in ended.output
    assert before.items() <= numbers(lab.state.objects()).items()
    assert ended.update.done("delete") == []
    less = asked(full[1:])
    assert diff([state(known)], [state(less)])[0].obstacles == diff([state(less)], [state(turned)])[0].obstacles == ()
    well(lab.up())
    asked([*full[1:], "203.0.113.40"])
    assert numbers(well(lab.up()).update.after).keys() == opened_by(turned)


def opened_by(plan: Plan) -> set[Opens]:
    found = set()
    for each in plan.objects:
        ports = each.body["PortRange"]
        found.add((each.body["Egress"], each.body["Protocol"], each.body["CidrBlock"], ports["From"], ports["To"]))
    return found
