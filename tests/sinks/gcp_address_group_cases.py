"""`hostgate pool push gcp-address-group` by the real SDK over HTTP: what goes in and leaves, whose it is, what is refused."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google.cloud.network_security_v1 as sdk
import pytest
from google.api_core.retry import retry_base, retry_unary
from hypothesis import given
from hypothesis import strategies as st

from cli.conftest import Run, run
from hostgate.catalog.model import Family
from hostgate.catalog.problems import InputError
from hostgate.dns.pool_places import load_pool
from hostgate.planning.address_pool import OWNER_LABEL, AddressPool, PoolAddress, PoolHost
from hostgate.sinks import gcp_address_group
from hostgate.sinks.address_list import most_to_remove
from hostgate.sinks.gcp_address_group import BATCH, connect, push
from hostgate.sinks.push import PushOrder
from sinks.address_group_server import (
    DOCUMENT,
    ENDPOINT,
    GROUP,
    ORGANIZATION_GROUP,
    AddressGroupServer,
    Group,
)
from sinks.pools import Clock, damage, numbered, write

__all__ = ["run"]


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AddressGroupServer]:
    for name in ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "GOOGLE_API_USE_MTLS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with AddressGroupServer() as server:
        for name, value in server.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return tmp_path / "pool.txt"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the SDK waits between its tries, on a clock that goes by that alone."""
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=lambda: sum(waits))
    monkeypatch.setattr(retry_unary, "time", clock)
    monkeypatch.setattr(retry_base, "time", clock)
    return waits


def networks(*addresses: str) -> set[str]:
    return {f"{each}/{128 if ':' in each else 32}" for each in addresses}


def words(pool: Path, *more: str, group: str = GROUP) -> tuple[object, ...]:
    return ("pool", "push", "gcp-address-group", "--pool", pool, "--list", group, *more)


def order(pool: Path, **more: Any) -> PushOrder:
    return replace(PushOrder(list_id=GROUP, load=lambda: load_pool(str(pool)), owner="pool", most_removed=0.2), **more)


def shown(**more: Any) -> bytes:
    """The group as the service answers with it, but for `more`."""
    return json.dumps({"name": GROUP, "type": "IPV4", "labels": {OWNER_LABEL: "pool"}, "capacity": 9, **more}).encode()


def client(groups: AddressGroupServer, group: str = GROUP) -> Any:
    return connect(group, groups.url)


class TestContents:
    def test_what_is_lacking_goes_in_before_what_is_due_leaves(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make("192.0.2.1/32", "192.0.2.9/32")
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.2", "192.0.2.3"]})
        made = run(*words(pool))
        assert (made.code, made.err) == (0, "")
        assert made.out == (
            "+ 192.0.2.2/32  a.example, b.example\n+ 192.0.2.3/32  b.example\n- 192.0.2.9/32\n"
            f"{GROUP} (egress), version 2026-11-29T00:00:02.000000001Z: 3 ipv4 addresses of 2 hosts; 2 added, 1 removed.\n"
        )
        assert groups.items() == networks("192.0.2.1", "192.0.2.2", "192.0.2.3")
        assert groups.changes == ["+2", "-1"]

    def test_a_second_push_of_the_same_pool_changes_nothing(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make()
        write(pool, {"a.example": ["192.0.2.1"]})
        assert run(*words(pool)).code == 0
        again = run(*words(pool))
        assert (again.code, groups.changes) == (0, ["+1"])
        assert again.out.endswith("0 added, 0 removed.\n")

    def test_the_group_decides_the_family_and_spells_as_it_likes(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make("2001:0db8:0::7", "2001:DB8::9", family="IPV6")
        write(pool, {"a.example": ["192.0.2.1", "2001:db8::7", "2001:db8::8"], "b.example": ["192.0.2.2"]})
        made = run(*words(pool, "--json", "--most-removed", "50"))
        assert made.code == 0
        assert made.json["added"] == [{"cidr": "2001:db8::8/128", "hosts": ["a.example"]}]
        assert (made.json["family"], made.json["of_other_family"]) == ("ipv6", ["b.example"])
        assert made.json["removed"] == ["2001:DB8::9"]  # by the spelling that the group has
        assert groups.items() == {"2001:0db8:0::7", "2001:db8::8/128"}

    def test_hosts_that_are_named_alone_go_in(self, run: Run, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        write(pool, {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]})
        assert run(*words(pool, "b.example")).code == 0
        assert groups.items() == networks("192.0.2.2")

    def test_a_host_without_an_address_is_said_and_ends_in_6(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"], "unborn.example": []})))
        assert (made.code, groups.items()) == (6, networks("192.0.2.1"))
        assert "unborn.example: no address yet, so nothing opens it." in made.err

    def test_changes_come_in_batches_and_nothing_that_is_needed_is_ever_missing(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        kept, gone, fresh = numbered(600), numbered(130, 600), numbered(250, 750)
        groups.make(*networks(*kept, *gone))
        missing: list[int] = []
        groups.after = lambda group: missing.append(len(networks(*kept) - set(group.items)))
        assert run(*words(write(pool, {"a.example": sorted([*kept, *fresh])}))).code == 0
        assert groups.changes == [f"+{BATCH}", f"+{BATCH}", "+50", f"-{BATCH}", "-30"]
        assert groups.items() == networks(*kept, *fresh)
        assert missing == [0] * 5

    def test_a_group_of_an_organization_is_one_too(self, run: Run, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.9", name=ORGANIZATION_GROUP)
        groups.slow = 1
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), group=ORGANIZATION_GROUP))
        assert (made.code, groups.items(ORGANIZATION_GROUP)) == (0, networks("192.0.2.1"))
        assert {each.method.split(".")[1] for each in groups.asked} == {"organizations"}

    @pytest.mark.parametrize("group", [GROUP, ORGANIZATION_GROUP])
    def test_what_goes_over_the_wire_is_what_the_document_says(
        self, groups: AddressGroupServer, pool: Path, group: str
    ) -> None:
        groups.make("192.0.2.9", name=group)
        groups.slow = 2
        write(pool, {"a.example": ["192.0.2.1"]})
        push(client(groups, group), order(pool, list_id=group), Clock())
        parent, at = group.split("/")[0], group.rpartition("/addressGroups/")[0]
        calls = [each.method.removeprefix(f"networksecurity.{parent}.locations.") for each in groups.asked]
        one = ["operations.get"] * 2
        assert calls == [
            "addressGroups.get", "addressGroups.addItems", *one, "addressGroups.get", "addressGroups.removeItems", *one,
            "addressGroups.get",
        ]  # fmt: skip
        assert [each.resource for each in groups.asked[2:4]] == [f"{at}/operations/operation-0"] * 2
        add, remove = (each.body for each in groups.asked if each.method.endswith("Items"))
        assert (add["items"], remove["items"]) == (["192.0.2.1/32"], ["192.0.2.9"])
        assert add["requestId"] != remove["requestId"]
        for schema in ("AddAddressGroupItemsRequest", "RemoveAddressGroupItemsRequest"):
            assert add.keys() == DOCUMENT["schemas"][schema]["properties"].keys()

    def test_the_sdk_knows_every_field_that_the_service_answers_with(self) -> None:
        """Of an operation it refuses those that it does not know."""
        for name in ("AddressGroup", "OperationMetadata"):
            known = {each.json_name for each in getattr(sdk, name).pb().DESCRIPTOR.fields}
            assert known == DOCUMENT["schemas"][name]["properties"].keys()
        assert {each.name for each in sdk.AddressGroup.Type} == set(
            DOCUMENT["schemas"]["AddressGroup"]["properties"]["type"]["enum"]
        )


class TestRemovals:
    def test_more_than_a_share_at_once_stays_and_what_is_new_goes_in(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make(*networks(*numbered(10)))
        write(pool, {"a.example": [*numbered(7), *numbered(10, 100)]})
        made = run(*words(pool))  # of the ten that were there, not of the twenty that are
        assert (made.code, groups.changes, len(groups.items())) == (3, ["+10"], 20)
        assert "Nothing is removed: 3 entries are due at once" in made.err
        assert run(*words(pool, "--most-removed", "30")).code == 0
        assert len(groups.items()) == 17

    def test_a_pool_that_shrinks_while_it_is_pushed_does_not_get_round_the_share(
        self, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make(*networks(*numbered(1000)), capacity=2000)
        write(pool, {"a.example": numbered(850)})

        def shrink(number: int) -> None:
            write(pool, {"a.example": numbered(850 - 100 * number)})

        groups.before = shrink
        report = push(client(groups), order(pool))
        assert (len(report.removed), len(report.held), len(groups.items())) == (100, 150, 900)

    @pytest.mark.parametrize(
        ("hosts", "family"),
        [
            ({"a.example": []}, "IPV4"),
            ({"a.example": ["192.0.2.1"]}, "IPV6"),
            ({"a.example": ["2001:db8::1"]}, "IPV4"),
            ({}, "IPV4"),
        ],
    )
    def test_a_group_is_never_emptied(
        self, run: Run, groups: AddressGroupServer, pool: Path, hosts: dict[str, list[str]], family: str
    ) -> None:
        stands = "2001:db8::9" if family == "IPV6" else "192.0.2.9"
        groups.make(stands, family=family)
        made = run(*words(write(pool, hosts), "--most-removed", "100", "--json"))
        assert (made.code, made.rules, groups.items()) == (1, ["list-emptied"], {stands})


class TestOwner:
    @pytest.mark.parametrize("items", [(), ("192.0.2.9", "10.0.0.0/8")])
    @pytest.mark.parametrize(("label", "found"), [(None, "It has no label"), ("office", "Its label is")])
    def test_a_group_that_is_not_said_to_be_the_owners_is_left_alone(
        self,
        run: Run,
        groups: AddressGroupServer,
        pool: Path,
        items: tuple[str, ...],
        label: str | None,
        found: str,
    ) -> None:
        groups.make(*items, owner=label)
        write(pool, {"a.example": ["192.0.2.1"]})
        made = run(*words(pool))
        assert (made.code, groups.changes, groups.items()) == (1, [], set(items))
        said = " ".join(made.err.split())
        assert "[list-unowned]" in said
        assert found in said
        assert f"`{OWNER_LABEL}: pool`" in said

    def test_entries_of_others_cannot_be_kept_because_nobody_can_tell_them(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make("192.0.2.9", owner=None)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--keep-foreign"))
        assert (made.code, groups.asked, "--keep-foreign" in made.err) == (2, [], True)

    def test_in_a_group_of_the_owners_all_is_the_owners(self, run: Run, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("10.0.0.0/8", "192.0.2.1", owner="registry")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--owner", "registry", "--json"))
        assert (made.code, made.json["removed"], made.json["foreign"]) == (0, ["10.0.0.0/8"], [])
        assert groups.items() == {"192.0.2.1"}

    def test_a_group_that_is_given_away_meanwhile_is_left_as_it_is_by_then(
        self, groups: AddressGroupServer, pool: Path
    ) -> None:
        group = groups.make(*networks(*numbered(3, 500)))
        groups.after = lambda _: group.labels.update({OWNER_LABEL: "office"})
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": numbered(1)}), most_removed=1.0), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-unowned", "list-begun"]
        assert groups.changes == ["+1"]


class TestCapacity:
    def test_a_group_without_room_is_refused_before_anything_is_asked(
        self, run: Run, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make("192.0.2.1", "192.0.2.2", capacity=3)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1", "192.0.2.3", "192.0.2.4"]})))
        said = " ".join(made.err.split())
        assert (made.code, groups.changes, "[list-full]" in said) == (1, [], True)
        assert "holds 3 items and needs 4" in said
        assert "make another with a higher `capacity`" in said

    def test_a_group_is_filled_to_the_last_item(self, run: Run, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.1", "192.0.2.2", capacity=3)
        assert run(*words(write(pool, {"a.example": ["192.0.2.1", "192.0.2.3"]}))).code == 0
        assert groups.items() == {"192.0.2.1", "192.0.2.3/32"}

    def test_room_that_another_took_meanwhile_is_seen(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.1", capacity=2)
        groups.before = lambda number: groups.put(add=["192.0.2.200"]) if number == 1 else None
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1", "192.0.2.3"]})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-full"]
        assert groups.items() == {"192.0.2.1", "192.0.2.200"}


class TestOtherWriters:
    def test_what_another_put_in_from_the_same_pool_stays(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.1")
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})

        def other(number: int) -> None:
            if number == 1:  # between our reading of both and our change
                write(pool, {"a.example": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]})
                groups.put(add=["192.0.2.3/32"])

        groups.before = other
        report = push(client(groups), order(pool), Clock())
        assert (report.added, report.removed) == (("192.0.2.2/32",), ())
        assert groups.items() == {"192.0.2.1", "192.0.2.2/32", "192.0.2.3/32"}

    def test_the_pool_is_read_after_the_group_so_that_it_has_all_that_another_put_in(
        self, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make("192.0.2.1")
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})
        before: list[str] = []

        def load() -> AddressPool:
            before.append(groups.asked[-1].method)
            return load_pool(str(pool))

        push(client(groups), order(pool, load=load))
        assert before == ["networksecurity.projects.locations.addressGroups.get"] * 2

    @pytest.mark.parametrize("strict", [None, "ALREADY_EXISTS", "INVALID_ARGUMENT", "NOT_FOUND"])
    def test_what_another_did_before_us_is_done_whatever_the_service_says_of_it(
        self, groups: AddressGroupServer, pool: Path, strict: str | None
    ) -> None:
        groups.make("192.0.2.1", "192.0.2.8", "192.0.2.9")
        groups.strict = strict
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]})

        def other(number: int) -> None:
            if number == 1:
                groups.put(add=["192.0.2.2/32"])
            elif len(groups.items()) == 5:
                groups.put(remove=["192.0.2.8"])

        groups.before = other
        push(client(groups), order(pool, most_removed=1.0), Clock())
        assert groups.items() == {"192.0.2.1", "192.0.2.2/32", "192.0.2.3/32"}

    def test_a_change_of_another_between_two_batches_is_met(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make(*networks(*numbered(20)))
        write(pool, {"a.example": numbered(250)})

        def other(number: int) -> None:
            if number == 2:
                groups.put(add=["192.0.2.200"], remove=["198.51.0.1/32", "198.51.0.30/32"])

        groups.before = other
        push(client(groups), order(pool), Clock())
        assert groups.items() == networks(*numbered(250))

    @pytest.mark.parametrize("strict", [None, "ALREADY_EXISTS", "NOT_FOUND"])
    @pytest.mark.parametrize("slow", [0, 2])
    def test_two_at_once_end_at_the_same(
        self, groups: AddressGroupServer, pool: Path, slow: int, strict: str | None
    ) -> None:
        kept = [*numbered(330), *numbered(38, 500)]
        groups.make(*networks(*numbered(40, 500)))
        groups.slow, groups.strict = slow, strict
        write(pool, {"a.example": kept})
        lost: list[set[str]] = []
        groups.after = lambda group: lost.append(networks(*numbered(38, 500)) - set(group.items))
        failed: list[Exception] = []

        def one() -> None:
            try:
                push(client(groups), order(pool), lambda _: time.sleep(0.001))
            except InputError as error:
                failed.append(error)

        both = [threading.Thread(target=one) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join(120)
        assert failed == []
        assert groups.items() == networks(*kept)
        assert lost == [set()] * len(lost)

    def test_who_never_comes_first_gives_up_and_says_so(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        groups.errors = {"addItems": ["ABORTED"] * 50}
        clock = Clock()
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), clock)
        assert [each.rule for each in refused.value.problems] == ["list-contended"]
        assert 0 < clock.waited < 200

    @pytest.mark.parametrize("where", ["addItems", "ends"])
    def test_a_change_that_anothers_stands_against_is_tried_again(
        self, groups: AddressGroupServer, pool: Path, where: str
    ) -> None:
        groups.make()
        if where == "ends":
            groups.ends = ["ABORTED", "ABORTED"]
        else:
            groups.errors = {where: ["ABORTED", "ABORTED"]}
        report = push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert (groups.items(), report.added) == (networks("192.0.2.1"), ("192.0.2.1/32",))
        assert groups.changes == ["+1"] * 3

    def test_only_those_in_a_row_count(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        groups.ends = [*["ABORTED"] * 12, None, *["ABORTED"] * 12, None]
        push(client(groups), order(write(pool, {"a.example": numbered(150)})), Clock())
        assert len(groups.items()) == 150

    def test_a_change_that_shows_late_is_waited_for(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.9")
        groups.behind, groups.strict = 2, "ALREADY_EXISTS"
        push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert groups.items() == networks("192.0.2.1")

    def test_a_change_that_is_taken_and_never_shows_is_given_up(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.9")
        groups.deaf = True
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-busy", "list-begun"]
        assert "0 entries were added and 0 removed; whether 1 more were added" in str(refused.value)
        assert groups.items() == {"192.0.2.9"}


class TestOperations:
    def test_a_change_is_done_when_its_operation_is(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        groups.slow = 4
        clock = Clock()
        push(client(groups), order(write(pool, {"a.example": numbered(150)})), clock)
        assert (groups.changes, clock.waited > 2) == (["+100", "+50"], True)

    def test_one_that_never_ends_is_given_up_and_named(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        groups.slow = 10_000
        clock = Clock()
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": numbered(150)})), clock)
        assert [each.rule for each in refused.value.problems] == ["list-busy", "list-begun"]
        assert "0 entries were added and 0 removed; whether 100 more were added" in str(refused.value)
        assert "operations/operation-0 has not ended for 30" in str(refused.value)
        assert 300 <= clock.waited < 310
        assert len(groups.asked) < 80

    @pytest.mark.parametrize("code", ["INTERNAL", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "FAILED_PRECONDITION"])
    def test_one_that_ends_with_an_error_is_told_with_what_came_before(
        self, groups: AddressGroupServer, pool: Path, code: str
    ) -> None:
        groups.make()

        def fail(number: int) -> None:
            if number == 2:
                groups.ends = [code]

        groups.before = fail
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": numbered(150)})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-refused", "list-begun"]
        assert f"The operation failed ({code})." in str(refused.value)
        assert "100 entries were added and 0 removed" in str(refused.value)
        assert len(groups.items()) == 100


class TestTheWay:
    @pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL", 502, 504])
    @pytest.mark.parametrize("method", ["get", "addItems", "removeItems", "operations"])
    def test_what_passes_is_waited_out(
        self, groups: AddressGroupServer, pool: Path, slept: list[float], method: str, code: str | int
    ) -> None:
        groups.make("192.0.2.9")
        groups.slow = 2
        groups.errors = {method: [code] * 4}
        push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert groups.items() == networks("192.0.2.1")
        assert len(slept) == 4

    def test_what_does_not_pass_is_said(self, groups: AddressGroupServer, pool: Path, slept: list[float]) -> None:
        groups.make()
        groups.errors = {"get": ["RESOURCE_EXHAUSTED"] * 1000}
        with pytest.raises(
            InputError, match=r"The request was refused \(RESOURCE_EXHAUSTED\|429\)\.|\(429\)\."
        ) as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-refused"]
        assert 0 < sum(slept) <= 60

    def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_done_twice(
        self, groups: AddressGroupServer, pool: Path, slept: list[float]
    ) -> None:
        groups.make()
        groups.lost, groups.strict = 1, "ALREADY_EXISTS"
        report = push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        asked = [each.body["requestId"] for each in groups.asked if each.body]
        assert (len(asked), len(set(asked)), len(slept)) == (2, 1, 1)
        assert (groups.items(), groups.groups[GROUP].changes) == (networks("192.0.2.1"), 1)
        assert report.added == ("192.0.2.1/32",)

    @pytest.mark.parametrize(
        ("method", "code"),
        [("get", "PERMISSION_DENIED"), ("addItems", "PERMISSION_DENIED"), ("get", "UNAUTHENTICATED")],
    )
    def test_what_is_refused_is_said(
        self, run: Run, groups: AddressGroupServer, pool: Path, method: str, code: str
    ) -> None:
        groups.make()
        groups.errors = {method: [code] * 5}
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, groups.items()) == (1, set())
        assert "[list-refused]" in made.err
        assert "Traceback" not in made.err

    def test_a_service_that_is_away_is_said(
        self, run: Run, groups: AddressGroupServer, pool: Path, slept: list[float]
    ) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--endpoint", "http://127.0.0.1:9", "--json"))
        assert (made.code, made.rules, groups.asked) == (1, ["list-unreachable"], [])
        assert sum(slept) <= 60

    @pytest.mark.parametrize(
        "page",
        [
            b"", b"<html>Sign in<br></html>", b"[]", b"{}", b"null", b'"x"', b"\xff\xfe", b'{"name": 3}', shown(type="IPV5"),
            shown(items=["www.example"]), shown(items=["::1"]), shown(items="192.0.2.1"), shown(name=f"{GROUP}-2"),
            shown(name=""),
        ],
    )  # fmt: skip
    def test_what_answers_and_is_not_the_service_is_said(
        self, run: Run, groups: AddressGroupServer, pool: Path, page: bytes
    ) -> None:
        groups.page = page
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules) == (1, ["list-unreachable"])
        assert "is not Network Security" in made.out

    @pytest.mark.parametrize("name", [GROUP, GROUP.replace("acme-prod", "123456789012")])
    def test_the_project_may_be_named_by_its_number(
        self, run: Run, groups: AddressGroupServer, pool: Path, name: str
    ) -> None:
        groups.page = shown(name=name, items=["192.0.2.1"])
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0

    @pytest.mark.parametrize(
        "page", [b"", b"<html>", b"[]", b"{}", b'{"done": true}', b'{"done": true, "response": {}}']
    )
    def test_what_answers_to_a_change_and_is_not_the_service_is_said(
        self, groups: AddressGroupServer, pool: Path, slept: list[float], page: bytes
    ) -> None:
        groups.make()

        def garble(_: int) -> None:
            groups.page = page

        groups.before = garble
        groups.lost = 1  # the answer to the first try; the page answers the second
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-unreachable", "list-begun"]
        assert "whether 1 more were added and 0 removed is not known" in str(refused.value)
        assert len(slept) == 1

    @pytest.mark.parametrize("status", [200, 400, 403, 404, 407])
    @pytest.mark.parametrize("slow", [0, 3])
    def test_a_change_that_was_taken_is_not_hidden_by_a_proxys_page(
        self, run: Run, groups: AddressGroupServer, pool: Path, status: int, slow: int
    ) -> None:
        groups.make("192.0.2.9")
        groups.slow, groups.pages = slow, {"addItems": [status]}
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--most-removed", "100"))
        said = " ".join(made.err.split())
        if status != 200 and not slow:  # the group shows it
            assert (made.code, groups.items()) == (0, {"192.0.2.1/32"})
            return
        assert (made.code, "is not Network Security" in said) == (1, True)
        assert "whether 1 more were added and 0 removed is not known, and the next push sees it" in said

    @pytest.mark.parametrize("code", ["PERMISSION_DENIED", 403, 404])
    def test_an_operation_that_may_not_be_looked_at_is_not_hidden(
        self, groups: AddressGroupServer, pool: Path, code: str | int
    ) -> None:
        groups.make("192.0.2.9")
        groups.slow, groups.errors = 3, {"operations": [code]}
        with pytest.raises(InputError, match="whether 1 more were added and 0 removed is not known") as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        rule = "list-refused" if isinstance(code, str) else "list-unreachable"
        assert [each.rule for each in refused.value.problems] == [rule, "list-begun"]

    def test_who_is_told_to_stop_says_what_was_begun(
        self, run: Run, groups: AddressGroupServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        groups.make("192.0.2.9")
        groups.slow = 1000

        def stop(_: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(gcp_address_group.push, "__defaults__", (stop,))
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        said = " ".join(made.err.split())
        assert (made.code, groups.changes) == (130, ["+1"])
        assert "whether 1 more were added and 0 removed is not known, and the next push sees it" in said
        assert said.endswith("stopped")

    def test_a_full_disk_behind_stdout_does_not_hide_what_was_done(
        self, groups: AddressGroupServer, pool: Path
    ) -> None:
        groups.make("192.0.2.9")
        line = [sys.executable, "-m", "hostgate", *map(str, words(write(pool, {"a.example": ["192.0.2.1"]})))]
        for more in ([], ["--json"]):
            with Path("/dev/full").open("w") as full:
                done = subprocess.run([*line, *more], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert (done.returncode, "Traceback" in done.stderr) == (1, False)
            assert f"{0 if more else 1} added, {0 if more else 1} removed." in " ".join(done.stderr.split())
            assert "No space left on device" in done.stderr
        assert groups.items() == {"192.0.2.1/32"}


class TestDryRun:
    def test_shows_the_difference_and_changes_nothing(self, run: Run, groups: AddressGroupServer, pool: Path) -> None:
        groups.make("192.0.2.1", "192.0.2.9")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]}), "--dry-run"))
        assert (made.code, groups.changes) == (0, [])
        assert made.out.splitlines()[:2] == ["+ 192.0.2.2/32  a.example", "- 192.0.2.9"]
        assert made.out.endswith("1 to be added, 1 to be removed.\nNothing was changed (--dry-run).\n")


class TestWrongInput:
    @pytest.mark.parametrize(
        ("more", "code", "said"),
        [
            (("--owner", "two words"), 2, "Allowed: up to 63 lower-case letters"),
            (("--owner", "Pool"), 2, "Allowed: up to 63 lower-case letters"),
            (("--owner", "a.b"), 2, "Allowed: up to 63 lower-case letters"),
            (("--most-removed", "101"), 2, "--most-removed"),
            (("--grow-to", "5"), 2, "--grow-to"),
            (("--family", "ipv6"), 1, "It is a list of ipv4."),
            (("b.exmaple",), 1, "Did you mean `b.example`?"),
            (("--endpoint", "http://networksecurity.example"), 1, "http:// on loopback only"),
            (("--endpoint", "127.0.0.1"), 1, "Allowed: https://HOST"),
            (("--endpoint", "ftp://127.0.0.1"), 1, "Allowed: https://HOST"),
        ],
    )
    def test_is_told_and_nothing_is_changed(
        self, run: Run, groups: AddressGroupServer, pool: Path, more: tuple[str, ...], code: int, said: str
    ) -> None:
        groups.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]}), *more))
        assert (made.code, groups.changes, said in " ".join(made.err.split())) == (code, [], True)

    @pytest.mark.parametrize(
        "name",
        [
            "egress", "", "pl-0123", "projects/p/addressGroups/n", f"{GROUP}/x", f"{GROUP}\n", f"{GROUP[:-6]}",
            f"//networksecurity.googleapis.com/{GROUP}", "folders/1/locations/global/addressGroups/n", f"{GROUP}?alt=x",
            f"{GROUP}#a", "projects/a%2F/locations/global/addressGroups/n", "projects/p/locations/../addressGroups/n",
            "projects/p/locations/global/addressGroups/1n", f"{GROUP}\u00e9", "organizations/acme/locations/global/addressGroups/n",
        ],
    )  # fmt: skip
    def test_a_name_that_is_none_asks_nobody(self, run: Run, groups: AddressGroupServer, pool: Path, name: str) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json", group=name))
        assert (made.code, made.rules, groups.asked) == (1, ["list-unknown"], [])
        assert "projects/P/locations/L/addressGroups/N" in made.out

    @pytest.mark.parametrize("text", ["hostgate-pool 1\nhost a.example window 86400\n", "", None])
    def test_a_pool_that_cannot_be_read_asks_nobody(
        self, run: Run, groups: AddressGroupServer, pool: Path, text: str | None
    ) -> None:
        groups.make("192.0.2.1")
        if text is not None:
            pool.write_text(text)
        assert (run(*words(pool)).code, groups.asked) == (1, [])

    def test_a_pool_that_is_damaged_on_the_way_stops_the_push(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        write(pool, {"a.example": numbered(150)})
        groups.before = lambda _: damage(pool)
        with pytest.raises(InputError) as refused:
            push(client(groups), order(pool), Clock())
        assert [each.rule for each in refused.value.problems] == ["pool-cut", "list-begun"]

    def test_a_group_that_is_not_there_is_said(self, run: Run, groups: AddressGroupServer, pool: Path) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, groups.changes) == (1, ["list-unknown"], [])

    def test_a_group_that_goes_meanwhile_is_said(self, groups: AddressGroupServer, pool: Path) -> None:
        groups.make()
        groups.before = lambda _: groups.groups.clear()
        with pytest.raises(InputError) as refused:
            push(client(groups), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-unknown"]

    @pytest.mark.parametrize(
        ("key", "told"),
        [
            (None, "Your default credentials were not found."),
            ("{}", "does not have a valid type."),
            ("no JSON", "is not a valid json file."),
            ('{"type": "service_account"}', "Failed to load service account credentials"),
        ],
    )
    def test_what_the_environment_lacks_is_said(
        self,
        run: Run,
        groups: AddressGroupServer,
        pool: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        key: str | None,
        told: str,
    ) -> None:
        groups.make()
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
        if key is not None:
            (tmp_path / "key.json").write_text(key)
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, groups.asked) == (1, ["list-unreachable"], [])
        assert told in made.out
        assert "('File" not in made.out

    def test_without_the_extra_it_says_what_to_install(
        self, run: Run, groups: AddressGroupServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "google.cloud.network_security_v1", None)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, groups.asked) == (1, [])
        assert f"pip install 'hostgate[{gcp_address_group.EXTRA}]" in re.sub(r"\s+", " ", made.err)

    @pytest.mark.parametrize(("other", "sdk"), [("aws_prefix_list", "google.cloud"), ("gcp_address_group", "botocore")])
    def test_no_push_loads_the_sdk_of_another_cloud(self, other: str, sdk: str) -> None:
        names = {
            "aws_prefix_list": "connect('eu-west-1')",
            "gcp_address_group": f"connect({GROUP!r}, 'https://h.example')",
        }
        code = (
            f"from hostgate.sinks.{other} import connect\nimport hostgate.cli.push_command, sys\n"
            f"try:\n    {names[other]}\nexcept ValueError: pass\n"
            f"assert not [each for each in sys.modules if each.startswith({sdk!r})]"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120,
            env={"NO_GCE_CHECK": "true", "GOOGLE_APPLICATION_CREDENTIALS": "/dev/null", "HOME": "/nonexistent"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


NUMBERS = st.sets(st.integers(1, 40), max_size=25)


@st.composite
def standing(draw: st.DrawFn) -> tuple[Family, list[str], list[str], int, int, float]:
    """A group's items, each spelled in one of the ways that it may be, a pool's addresses, room, and a share."""
    family: Family = draw(st.sampled_from(("ipv4", "ipv6")))
    spellings: list[Callable[[int], str]] = (
        ["192.0.2.{}".format, "192.0.2.{}/32".format]
        if family == "ipv4"
        else [lambda n: f"2001:db8::{n:x}", lambda n: f"2001:0DB8:0::{n:X}/128", lambda n: f"2001:db8:0:0::{n:x}/128"]
    )
    items = [draw(st.sampled_from(spellings))(number) for number in sorted(draw(NUMBERS))]
    if draw(st.booleans()):
        items.append("10.0.0.0/8" if family == "ipv4" else "2001:db8:1::/48")
    wanted = [spellings[0](number) for number in sorted(draw(NUMBERS))]
    return (
        family,
        items,
        wanted,
        draw(st.integers(0, 30)),
        draw(st.integers(1, 7)),
        draw(st.sampled_from((0, 0.2, 1.0))),
    )


@given(standing(), st.sampled_from((None, "ALREADY_EXISTS", "NOT_FOUND")), st.sampled_from(("pool", "office", None)))
def test_of_any_group_and_any_pool_nothing_wanted_is_lost_and_nothing_foreign_removed(
    case: tuple[Family, list[str], list[str], int, int, float], strict: str | None, label: str | None
) -> None:
    family, items, addresses, room, batch, share = case
    host = PoolHost("a.example", 86400, tuple(PoolAddress(each, 1, (("here", 1),)) for each in addresses))
    pool = AddressPool({"a.example": host})
    wanted = networks(*addresses)

    def normal(found: list[str]) -> set[str]:
        return {str(ip_network(each)) for each in found}

    with AddressGroupServer() as groups, pytest.MonkeyPatch.context() as patched:
        group = groups.make(*items, family=family.upper(), capacity=len(items) + room, owner=label)
        groups.strict = strict
        between: list[set[str]] = []
        groups.after = lambda at: between.append(normal(at.items))
        patched.setattr(gcp_address_group, "BATCH", batch)
        asked = PushOrder(list_id=GROUP, load=lambda: pool, owner="pool", most_removed=share)
        failed: InputError | None = None
        report = None
        try:
            report = push(_anonymous(groups), asked, Clock())
        except InputError as error:
            failed = error
        had = normal(items)
        assert all(each >= had & wanted for each in between)
        assert all(bool(each) for each in between)
        if label != "pool" or not wanted or len(items) + len(wanted - had) > group.capacity:
            rule = "list-unowned" if label != "pool" else "list-full" if wanted else "list-emptied"
            assert failed is not None
            assert [each.rule for each in failed.problems] == [rule]
            assert (group.items, groups.changes) == (items, [])
            return
        assert failed is None
        assert report is not None
        leaving = had - wanted
        held = len(leaving) > most_to_remove(len(items), share)
        assert normal(group.items) == (had | wanted if held else wanted)
        assert (len(report.held), len(report.added)) == (len(leaving) if held else 0, len(wanted - had))


def _anonymous(groups: AddressGroupServer) -> Any:
    """A client with a token of nobody's: reading a key for each example would be slow."""
    from google.api_core.client_options import ClientOptions
    from google.oauth2.credentials import Credentials

    return sdk.AddressGroupServiceClient(
        transport="rest", credentials=Credentials("a.b.c"), client_options=ClientOptions(api_endpoint=groups.url)
    )


def test_the_public_service_is_asked_where_nothing_else_is_said(
    groups: AddressGroupServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT)
    for name in (GROUP, ORGANIZATION_GROUP):
        assert connect(name).transport.host == DOCUMENT["baseUrl"].rstrip("/")
    assert connect(GROUP, "https://networksecurity-pool.p.googleapis.com/").transport.host == (
        "https://networksecurity-pool.p.googleapis.com"
    )
    assert groups.asked == []


def test_a_group_here_is_as_the_document_has_it() -> None:
    server = AddressGroupServer()
    shown = server._shown(GROUP) if isinstance(server.make(), Group) else {}
    assert shown.keys() == DOCUMENT["schemas"]["AddressGroup"]["properties"].keys()
