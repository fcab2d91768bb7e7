"""`hostgate pool push aws-prefix-list` by the real SDK over HTTP: what goes in and leaves, in which order, what is refused."""

import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cli.conftest import Run, run
from hostgate.catalog.problems import InputError
from hostgate.dns.pool_places import load_pool
from hostgate.planning.address_pool import AddressPool
from hostgate.sinks import aws_prefix_list
from hostgate.sinks.aws_prefix_list import BATCH, connect, push
from hostgate.sinks.push import PushOrder
from sinks.ec2_server import LIST, REGION, PrefixListServer, sizes
from sinks.pools import Clock, damage, numbered, write

__all__ = ["run"]

OURS = "hostgate:pool"

ERROR_WITHOUT_CODE = b"<Response><Errors><Error><Message>no</Message></Error></Errors></Response>"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrefixListServer]:
    with PrefixListServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        yield server


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return tmp_path / "pool.txt"


def standing(*addresses: str, mark: str = OURS) -> list[tuple[str, str]]:
    return [(f"{each}/{128 if ':' in each else 32}", mark) for each in addresses]


def words(pool: Path, *more: str) -> tuple[object, ...]:
    return ("pool", "push", "aws-prefix-list", "--pool", pool, "--list", LIST, *more)


def order(pool: Path, **more: Any) -> PushOrder:
    return replace(PushOrder(list_id=LIST, load=lambda: load_pool(str(pool)), owner="pool", most_removed=0.2), **more)


class TestContents:
    def test_what_is_lacking_goes_in_before_what_is_due_leaves(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(*standing("192.0.2.1", "192.0.2.9"))
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.2", "192.0.2.3"]})
        made = run(*words(pool))
        assert (made.code, made.err) == (0, "")
        assert made.out == (
            "+ 192.0.2.2/32  a.example, b.example\n+ 192.0.2.3/32  b.example\n- 192.0.2.9/32\n"
            f"{LIST} (egress), version 3: 3 ipv4 addresses of 2 hosts; 2 added, 1 removed.\n"
        )
        assert ec2.entries() == dict(standing("192.0.2.1", "192.0.2.2", "192.0.2.3"))
        assert sizes(ec2.changes) == ["+2", "-1"]

    def test_a_second_push_of_the_same_pool_changes_nothing(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        write(pool, {"a.example": ["192.0.2.1"]})
        assert run(*words(pool)).code == 0
        again = run(*words(pool))
        assert (again.code, sizes(ec2.changes)) == (0, ["+1"])
        assert again.out.endswith("0 added, 0 removed.\n")

    def test_the_list_decides_the_family(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(("2001:0db8:0::7/128", OURS), family="IPv6")  # the same address, spelled with zeros
        write(pool, {"a.example": ["192.0.2.1", "2001:db8::7", "2001:db8::8"], "b.example": ["192.0.2.2"]})
        made = run(*words(pool, "--json"))
        assert made.code == 0
        assert made.json["added"] == [{"cidr": "2001:db8::8/128", "hosts": ["a.example"]}]
        assert (made.json["family"], made.json["of_other_family"]) == ("ipv6", ["b.example"])
        assert set(ec2.entries()) == {"2001:0db8:0::7/128", "2001:db8::8/128"}

    def test_hosts_that_are_named_alone_go_in(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        write(pool, {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]})
        assert run(*words(pool, "b.example")).code == 0
        assert ec2.entries() == dict(standing("192.0.2.2"))

    def test_a_host_without_an_address_is_said_and_ends_in_6(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"], "unborn.example": []})))
        assert (made.code, ec2.entries()) == (6, dict(standing("192.0.2.1")))
        assert "unborn.example: no address yet, so nothing opens it." in made.err

    def test_addresses_that_nobody_confirmed_lately_are_said_and_stay(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}, seen=1_700_000_000)))
        assert (made.code, set(ec2.entries())) == (0, {"192.0.2.1/32"})
        assert "last confirmed on 2023-11-14" in made.err

    def test_changes_come_in_batches_of_what_the_service_takes(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        kept, gone, fresh = numbered(600), numbered(130, 600), numbered(250, 750)
        ec2.make(*standing(*kept, *gone))
        write(pool, {"a.example": sorted([*kept, *fresh])})
        assert run(*words(pool)).code == 0
        assert sizes(ec2.changes) == ["+100", "+100", "+50", "-100", "-30"]
        assert set(ec2.entries()) == {f"{each}/32" for each in (*kept, *fresh)}

    def test_nothing_that_is_needed_is_ever_missing_on_the_way(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        kept = numbered(300)
        ec2.make(*standing(*kept, *numbered(60, 300)))
        missing: list[int] = []
        ec2.before = lambda _: missing.append(len({f"{each}/32" for each in kept} - set(ec2.entries())))
        run(*words(write(pool, {"a.example": [*kept, *numbered(150, 400)]})))
        assert missing == [0, 0, 0]

    def test_each_change_is_one_that_the_model_of_the_service_has(self, ec2: PrefixListServer) -> None:
        model = connect(REGION).meta.service_model
        shape = model.operation_model("ModifyManagedPrefixList").input_shape
        assert {shape.members[each].metadata["max"] for each in ("AddEntries", "RemoveEntries")} == {BATCH}
        states = set(model.shape_for("PrefixListState").enum)
        assert {each for each in states if each.endswith("-failed")} <= {
            "create-failed", "modify-failed", "restore-failed", "delete-failed",
        }  # fmt: skip
        assert ec2.asked == []


class TestRemovals:
    def test_more_than_a_share_at_once_stays_and_what_is_new_goes_in(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(*standing(*numbered(10)))
        write(pool, {"a.example": [*numbered(7), *numbered(10, 100)]})
        made = run(*words(pool))  # of the ten that were there, not of the twenty that are
        assert (made.code, sizes(ec2.changes), len(ec2.entries())) == (3, ["+10"], 20)
        assert "Nothing is removed: 3 entries are due at once" in made.err
        assert run(*words(pool, "--most-removed", "30")).code == 0
        assert len(ec2.entries()) == 17

    def test_a_pool_that_shrinks_while_it_is_pushed_does_not_get_round_the_share(
        self, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(*standing(*numbered(1000)), size=2000)
        write(pool, {"a.example": numbered(850)})

        def shrink(number: int) -> None:
            write(pool, {"a.example": numbered(850 - 100 * number)})

        ec2.before = shrink
        report = push(connect(REGION), order(pool))
        assert (len(report.removed), len(report.held), len(ec2.entries())) == (100, 150, 900)

    def test_none_is_removed_with_a_share_of_nothing(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*standing("192.0.2.1", "192.0.2.2"))
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--most-removed", "0"))
        assert (made.code, len(ec2.entries())) == (3, 2)

    @pytest.mark.parametrize(
        ("hosts", "family"),
        [
            ({"a.example": []}, "IPv4"),
            ({"a.example": ["192.0.2.1"]}, "IPv6"),
            ({"a.example": ["2001:db8::1"]}, "IPv4"),
            ({}, "IPv4"),
        ],
    )
    def test_a_list_is_never_emptied(
        self, run: Run, ec2: PrefixListServer, pool: Path, hosts: dict[str, list[str]], family: str
    ) -> None:
        stands = standing("2001:db8::9" if family == "IPv6" else "192.0.2.9")
        ec2.make(*stands, family=family)
        made = run(*words(write(pool, hosts), "--most-removed", "100", "--json"))
        assert (made.code, made.rules, ec2.entries()) == (1, ["list-emptied"], dict(stands))


class TestEntriesOfOthers:
    FOREIGN = (("10.0.0.0/8", "office"), ("203.0.113.0/24", ""), ("192.0.2.77/32", "hostgate:other"))

    def test_are_refused_and_named(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*self.FOREIGN)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, ec2.changes) == (1, [])
        assert all(cidr in made.err for cidr, _ in self.FOREIGN)
        assert "--keep-foreign" in made.err

    def test_stay_where_they_are_meant_whatever_the_pool_says(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(*self.FOREIGN, *standing("192.0.2.5", "192.0.2.1"))
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.77"]})
        made = run(*words(pool, "--keep-foreign", "--json"))
        assert (made.code, made.json["added"], made.json["removed"]) == (0, [], ["192.0.2.5/32"])
        assert ec2.entries() == dict((*self.FOREIGN, *standing("192.0.2.1")))
        assert [each["cidr"] for each in made.json["foreign"]] == [cidr for cidr, _ in self.FOREIGN]
        again = run(*words(pool, "--keep-foreign"))
        assert "They open what the pool does not say." in again.err

    def test_do_not_count_as_a_part_of_ours(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*standing(*numbered(50), mark="office"), *standing("192.0.2.1", "192.0.2.2", "192.0.2.3"))
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--keep-foreign"))
        assert (made.code, ec2.changes) == (3, [])

    def test_two_owners_share_a_list(self, run: Run, ec2: PrefixListServer, pool: Path, tmp_path: Path) -> None:
        ec2.make()
        other = write(tmp_path / "other.txt", {"b.example": ["192.0.2.2"]})
        write(pool, {"a.example": ["192.0.2.1"]})
        assert run(*words(pool, "--owner", "a")).code == 0
        assert run(*words(other, "--owner", "b", "--keep-foreign")).code == 0
        assert ec2.entries() == {"192.0.2.1/32": "hostgate:a", "192.0.2.2/32": "hostgate:b"}


class TestSize:
    @pytest.mark.parametrize("more", [(), ("--grow-to", "3")])
    def test_a_list_without_room_is_left_as_it_is(
        self, run: Run, ec2: PrefixListServer, pool: Path, more: tuple[str, ...]
    ) -> None:
        ec2.make(*standing("192.0.2.1", "192.0.2.2"), size=2)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1", "192.0.2.3", "192.0.2.4"]}), *more))
        assert (made.code, ec2.changes) == (1, [])
        assert "holds 2 entries and needs 4" in " ".join(made.err.split())

    def test_it_grows_alone_and_before_the_entries_where_that_is_allowed(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(*standing(*numbered(10)), size=10)
        made = run(*words(write(pool, {"a.example": numbered(111)}), "--grow-to", "120"))
        assert (made.code, sizes(ec2.changes)) == (0, ["=120", "+100", "+1"])
        assert made.out.startswith("size 10 -> 120: so many rules each security group")

    def test_it_is_never_made_smaller(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(size=100)
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--grow-to", "50")).code == 0
        assert sizes(ec2.changes) == ["+1"]

    def test_where_a_security_group_has_no_room_its_name_is_said(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(size=1)
        ec2.no_room = True
        made = run(*words(write(pool, {"a.example": numbered(5)}), "--grow-to", "20"))
        assert (made.code, ec2.entries()) == (1, {})
        assert "sg-0123 has no room for the new size" in made.err
        assert "list-begun" not in made.err
        ec2.no_room = False  # the failure stands in the list's state, and is no reason to stop for ever
        assert run(*words(pool, "--grow-to", "20")).code == 0
        assert len(ec2.entries()) == 5


class TestOtherWriters:
    def test_what_another_put_in_from_the_same_pool_stays(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*standing("192.0.2.1"))
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})

        def other(number: int) -> None:
            if number == 1:  # between our reading of both and our change
                write(pool, {"a.example": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]})
                ec2.put(add=standing("192.0.2.3"))

        ec2.before = other
        report = push(connect(REGION), order(pool), Clock())
        assert (report.added, report.removed) == (("192.0.2.2/32",), ())
        assert ec2.entries() == dict(standing("192.0.2.1", "192.0.2.2", "192.0.2.3"))

    def test_the_pool_is_read_after_the_list_so_that_it_has_all_that_another_put_in(
        self, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make(*standing("192.0.2.1"))
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})
        before: list[str] = []

        def load() -> AddressPool:
            before.append(ec2.asked[-1])
            return load_pool(str(pool))

        push(connect(REGION), order(pool, load=load))
        assert set(before) == {"GetManagedPrefixListEntries"}

    def test_a_change_of_another_between_two_batches_is_met(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*standing(*numbered(20)))
        write(pool, {"a.example": numbered(250)})

        def other(number: int) -> None:
            if number == 2:
                ec2.put(add=standing("192.0.2.200"), remove=["198.51.0.1/32", "198.51.0.30/32"])

        ec2.before = other
        push(connect(REGION), order(pool), Clock())
        assert set(ec2.entries()) == {f"{each}/32" for each in numbered(250)}

    def test_two_at_once_end_at_the_same(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*standing(*numbered(40, 500)))
        write(pool, {"a.example": [*numbered(330), *numbered(38, 500)]})
        failed: list[Exception] = []

        def one() -> None:
            try:
                push(connect(REGION), order(pool), lambda _: None)
            except InputError as error:
                failed.append(error)

        both = [threading.Thread(target=one) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join(120)
        assert failed == []
        assert set(ec2.entries()) == {f"{each}/32" for each in (*numbered(330), *numbered(38, 500))}

    def test_who_never_comes_first_gives_up_and_says_so(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        write(pool, {"a.example": ["192.0.2.1"]})
        ec2.before = lambda number: ec2.put(add=standing(f"192.0.2.{100 + number}"))
        clock = Clock()
        with pytest.raises(InputError) as refused:
            push(connect(REGION), order(pool, most_removed=1.0), clock)
        assert [each.rule for each in refused.value.problems] == ["list-contended"]
        assert 0 < clock.waited < 200

    @pytest.mark.parametrize("code", ["IncorrectState", "ConcurrentMutationLimitExceeded", "PrefixListVersionMismatch"])
    def test_a_change_under_way_is_waited_for(self, ec2: PrefixListServer, pool: Path, code: str) -> None:
        ec2.make()
        ec2.errors = {"ModifyManagedPrefixList": [code, code]}
        push(connect(REGION), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert ec2.entries() == dict(standing("192.0.2.1"))

    def test_a_list_is_changed_again_only_when_its_last_change_is_done(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        ec2.slow = 4
        clock = Clock()
        push(connect(REGION), order(write(pool, {"a.example": numbered(150)})), clock)
        assert (sizes(ec2.changes), clock.waited > 2) == (["+100", "+50"], True)

    def test_a_list_that_never_gets_done_is_given_up(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        ec2.slow = 10_000
        with pytest.raises(InputError) as refused:
            push(connect(REGION), order(write(pool, {"a.example": numbered(150)})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-busy", "list-begun"]
        assert "a further change was taken that does not show yet" in str(refused.value)

    def test_a_change_that_is_taken_and_never_shows_is_given_up(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(size=1)
        ec2.deaf = True
        write(pool, {"a.example": numbered(5)})
        with pytest.raises(InputError) as refused:
            push(connect(REGION), order(pool, grow_to=10), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-busy", "list-begun"]
        assert sizes(ec2.changes) == ["=10"]

    @pytest.mark.parametrize(
        "action", ["DescribeManagedPrefixLists", "GetManagedPrefixListEntries", "ModifyManagedPrefixList"]
    )
    def test_throttling_is_waited_out(
        self, run: Run, ec2: PrefixListServer, pool: Path, monkeypatch: pytest.MonkeyPatch, action: str
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        ec2.make()
        ec2.errors = {action: ["RequestLimitExceeded"] * 4}
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0
        assert ec2.entries() == dict(standing("192.0.2.1"))


class TestDryRun:
    def test_shows_the_difference_and_changes_nothing(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make(*standing("192.0.2.1", "192.0.2.9"), size=2)
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})
        made = run(*words(pool, "--dry-run", "--grow-to", "10"))
        assert (made.code, "ModifyManagedPrefixList" in ec2.asked) == (0, False)
        assert made.out.splitlines()[:3] == [
            "size 2 -> 10: so many rules each security group that refers to it counts", "+ 192.0.2.2/32  a.example",
            "- 192.0.2.9/32",
        ]  # fmt: skip
        assert made.out.endswith("1 to be added, 1 to be removed.\nNothing was changed (--dry-run).\n")

    @pytest.mark.parametrize(
        ("addresses", "stands", "code"),
        [(numbered(1), numbered(9), 3), (numbered(5), numbered(5), 0), ([], numbered(5), 1)],
    )
    def test_ends_as_the_push_would(
        self, run: Run, ec2: PrefixListServer, pool: Path, addresses: list[str], stands: list[str], code: int
    ) -> None:
        ec2.make(*standing(*stands))
        write(pool, {"a.example": addresses})
        assert [run(*words(pool, *more)).code for more in (("--dry-run",), ())] == [code, code]
        assert ec2.changes == []


class TestWrongInput:
    @pytest.mark.parametrize(
        ("more", "code", "said"),
        [
            (("--owner", "two words"), 2, "Allowed: up to 63 letters"),
            (("--owner", ""), 2, "Allowed: up to 63 letters"),
            (("--grow-to", "0"), 2, "--grow-to"),
            (("--most-removed", "101"), 2, "--most-removed"),
            (("--family", "ipv5"), 2, "--family"),
            (("--family", "ipv6"), 1, "It is a list of ipv4."),
            (("b.exmaple",), 1, "Did you mean `b.example`?"),
        ],
    )
    def test_is_told_and_nothing_is_changed(
        self, run: Run, ec2: PrefixListServer, pool: Path, more: tuple[str, ...], code: int, said: str
    ) -> None:
        ec2.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]}), *more))
        assert (made.code, ec2.changes, said in made.err) == (code, [], True)

    @pytest.mark.parametrize("text", ["hostgate-pool 1\nhost a.example window 86400\n", "", None])
    def test_a_pool_that_cannot_be_read_asks_nobody(
        self, run: Run, ec2: PrefixListServer, pool: Path, text: str | None
    ) -> None:
        ec2.make(*standing("192.0.2.1"))
        if text is not None:
            pool.write_text(text)
        assert (run(*words(pool)).code, ec2.asked) == (1, [])

    def test_a_pool_that_is_damaged_on_the_way_stops_the_push(self, ec2: PrefixListServer, pool: Path) -> None:
        ec2.make()
        write(pool, {"a.example": numbered(150)})
        ec2.before = lambda _: damage(pool)
        with pytest.raises(InputError) as refused:
            push(connect(REGION), order(pool), Clock())
        assert [each.rule for each in refused.value.problems] == ["pool-cut", "list-begun"]

    @pytest.mark.parametrize("state", ["delete-in-progress", "delete-complete", "create-failed"])
    def test_a_list_that_is_going_is_left_alone(self, run: Run, ec2: PrefixListServer, pool: Path, state: str) -> None:
        ec2.make()
        ec2.list().state = state
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, ec2.changes) == (1, ["list-failed"], [])

    def test_a_list_that_is_not_there_is_said(self, run: Run, ec2: PrefixListServer, pool: Path) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, "InvalidPrefixListID.NotFound" in made.err) == (1, True)
        assert "ModifyManagedPrefixList" not in ec2.asked

    @pytest.mark.parametrize("kept_by", [{"OwnerId": "AWS"}, {"IpamPrefixListResolverSyncEnabled": True}])
    def test_a_list_that_somebody_else_keeps_is_left_alone(self, pool: Path, kept_by: dict[str, Any]) -> None:
        client = boto3.client("ec2", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
        shown = {
            "PrefixListId": LIST, "AddressFamily": "IPv4", "State": "modify-complete", "PrefixListName": "egress",
            "MaxEntries": 10, "Version": 4, "OwnerId": "123456789012", **kept_by,
        }  # fmt: skip
        write(pool, {"a.example": ["192.0.2.1"]})
        with Stubber(client) as stub:
            stub.add_response("describe_managed_prefix_lists", {"PrefixLists": [shown]}, {"PrefixListIds": [LIST]})
            with pytest.raises(InputError, match="Allowed: a list that you manage"):
                push(client, order(pool))
        client.close()

    def test_entries_are_read_to_the_last_page_and_of_the_version_that_is_changed(self, pool: Path) -> None:
        client = boto3.client("ec2", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
        shown = {
            "PrefixListId": LIST,
            "AddressFamily": "IPv4",
            "State": "modify-complete",
            "MaxEntries": 10,
            "OwnerId": "1",
        }
        asked = {"PrefixListId": LIST, "TargetVersion": 4}
        entry = {"Cidr": "192.0.2.1/32", "Description": OURS}
        with Stubber(client) as stub:
            stub.add_response("describe_managed_prefix_lists", {"PrefixLists": [{**shown, "Version": 4}]})
            stub.add_response("get_managed_prefix_list_entries", {"Entries": [entry], "NextToken": "more"}, asked)
            stub.add_response(
                "get_managed_prefix_list_entries", {"Entries": [{**entry, "Cidr": "192.0.2.2/32"}]},
                {**asked, "NextToken": "more"},
            )  # fmt: skip
            stub.add_response(
                "modify_managed_prefix_list", {},
                {"PrefixListId": LIST, "CurrentVersion": 4, "RemoveEntries": [{"Cidr": "192.0.2.2/32"}]},
            )  # fmt: skip
            stub.add_response("describe_managed_prefix_lists", {"PrefixLists": [{**shown, "Version": 5}]})
            stub.add_response("get_managed_prefix_list_entries", {"Entries": [entry]}, {**asked, "TargetVersion": 5})
            report = push(client, order(write(pool, {"a.example": ["192.0.2.1"]})))
            stub.assert_no_pending_responses()
        assert report.removed == ("192.0.2.2/32",)
        client.close()

    def test_what_the_role_may_not_do_is_said_with_what_was_done_before(
        self, run: Run, ec2: PrefixListServer, pool: Path
    ) -> None:
        ec2.make()

        def deny(number: int) -> None:
            if number == 1:
                ec2.errors = {"ModifyManagedPrefixList": ["UnauthorizedOperation"]}

        ec2.before = deny
        made = run(*words(write(pool, {"a.example": numbered(150)})))
        assert (made.code, len(ec2.entries())) == (1, 100)
        assert "UnauthorizedOperation" in made.err
        assert "100 entries were added and 0 removed" in made.err

    @pytest.mark.parametrize(
        ("unset", "said"),
        [(("AWS_REGION",), "region"), (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "credentials")],
    )
    def test_what_the_environment_lacks_is_said(
        self,
        run: Run,
        ec2: PrefixListServer,
        pool: Path,
        monkeypatch: pytest.MonkeyPatch,
        unset: tuple[str, ...],
        said: str,
    ) -> None:
        ec2.make()
        for name in unset:
            monkeypatch.delenv(name)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, said in made.out) == (1, ["list-unreachable"], True)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9", "no url"])
    def test_a_service_that_is_away_is_said(
        self, run: Run, ec2: PrefixListServer, pool: Path, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, ec2.asked) == (1, ["list-unreachable"], [])

    @pytest.mark.parametrize("page", [b"<html>Sign in<br></html>", b"<Other/>", b""])
    def test_what_answers_and_is_no_ec2_is_said(self, run: Run, ec2: PrefixListServer, pool: Path, page: bytes) -> None:
        ec2.page = page
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, "is not EC2" in made.out) == (1, ["list-unreachable"], True)

    @pytest.mark.parametrize("status", ["302 Found", "400 No", "401 No", "403 No", "404 No", "407 No", "502 No"])
    @pytest.mark.parametrize(
        "page",
        [
            b"",
            b"<html>Sign in</html>",
            b"Forbidden",
            b'{"a": 1}',
            b"<html><Error>no</Error></html>",
            ERROR_WITHOUT_CODE,
        ],
    )
    def test_a_refusal_that_is_none_of_ec2s_is_said(
        self, run: Run, ec2: PrefixListServer, pool: Path, monkeypatch: pytest.MonkeyPatch, page: bytes, status: str
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        ec2.page, ec2.status = page, status
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, "is not EC2" in made.out) == (1, ["list-unreachable"], True)

    @pytest.mark.parametrize(
        "item",
        [
            "", f"<prefixListId>{LIST}</prefixListId>", f"<prefixListId>{LIST}</prefixListId><state>a</state><version>x</version>",
            f"<prefixListId>{LIST}</prefixListId><state>a</state><version>1</version><addressFamily>IPv4</addressFamily>",
        ],
    )  # fmt: skip
    def test_half_a_list_is_none_of_ec2s(self, run: Run, ec2: PrefixListServer, pool: Path, item: str) -> None:
        ec2.page = (
            '<DescribeManagedPrefixListsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><prefixListSet><item>'
            f"{item}</item></prefixListSet></DescribeManagedPrefixListsResponse>"
        ).encode()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, "is not EC2" in made.out) == (1, ["list-unreachable"], True)

    @pytest.mark.parametrize("status", ["200 OK", "403 No", "502 No"])
    def test_a_change_that_was_taken_is_not_hidden_by_a_proxys_page(
        self, ec2: PrefixListServer, pool: Path, monkeypatch: pytest.MonkeyPatch, status: str
    ) -> None:
        monkeypatch.setattr(aws_prefix_list, "_REACH", {"retries": {"total_max_attempts": 1}})
        ec2.make()
        ec2.page, ec2.status, ec2.taken = b"<html>Sign in<br></html>", status, True
        with pytest.raises(InputError, match="whether a further change was taken is not known") as refused:
            push(connect(REGION), order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert [each.rule for each in refused.value.problems] == ["list-unreachable", "list-begun"]
        assert ec2.entries() == dict(standing("192.0.2.1"))

    @pytest.mark.parametrize("list_id", ["pl-x", "pl-", "pl-0C0FFEE0", "pl-0c0ffee0c", f"{LIST}0", "", "sg-0c0ffee0"])
    def test_an_id_that_is_none_asks_nobody(self, run: Run, ec2: PrefixListServer, pool: Path, list_id: str) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--list", list_id))
        assert (made.code, ec2.asked, "pl- and 8 or 17 hex digits" in " ".join(made.err.split())) == (2, [], True)

    def test_who_is_told_to_stop_says_what_was_begun(
        self, run: Run, ec2: PrefixListServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ec2.make()
        ec2.slow = 1000

        def stop(_: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(aws_prefix_list.push, "__defaults__", (stop,))
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        said = " ".join(made.err.split())
        assert (made.code, sizes(ec2.changes)) == (130, ["+1"])
        assert "removed, and a further change was taken that does not show yet. [list-begun] stopped" in said

    def test_without_the_extra_it_says_what_to_install(
        self, run: Run, ec2: PrefixListServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "boto3", None)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, ec2.asked) == (1, [])
        assert f"pip install 'hostgate[{aws_prefix_list.EXTRA}]" in re.sub(r"\s+", " ", made.err)
