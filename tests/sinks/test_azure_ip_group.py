"""`hostgate pool push azure-ip-group` by the real SDK over HTTPS: what is put, in which order, what is refused and told."""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.polling import LROPoller
from azure.mgmt.network import NetworkManagementClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.conftest import Run, run
from hostgate.catalog.problems import InputError
from hostgate.dns.pool_places import load_pool
from hostgate.planning.address_pool import AddressPool
from hostgate.sinks import azure_ip_group
from hostgate.sinks.azure_ip_group import MOST, connected, push
from hostgate.sinks.push import PushOrder
from sinks.arm_server import GROUP, ArmServer
from sinks.pools import Clock, numbered, write

__all__ = ["run"]


@pytest.fixture(autouse=True)
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the SDK waits between its own tries and looks, counted and not slept."""
    slept: list[float] = []
    monkeypatch.setattr("azure.core.pipeline.transport.HttpTransport.sleep", lambda _, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmServer]:
    with ArmServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture
def client(arm: ArmServer) -> Iterator[NetworkManagementClient]:
    with connected(GROUP, arm.url) as made:
        yield made


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return tmp_path / "pool.txt"


def shown(**more: Any) -> bytes:
    """The group as Resource Manager answers with it, but for `more`."""
    properties = {"provisioningState": "Succeeded", "ipAddresses": ["192.0.2.9"]}
    group = {"name": "n", "etag": "e", "tags": {"hostgate-owner": "pool"}, "properties": properties}
    return json.dumps(group | more).encode()


@contextmanager
def _as_without_pytest() -> Iterator[None]:
    """What is logged goes where it does where nobody has said anything: to stderr, unless a handler takes it."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = handlers


def words(pool: Path, *more: str) -> tuple[object, ...]:
    return ("pool", "push", "azure-ip-group", "--pool", pool, "--list", GROUP, *more)


def order(pool: Path, **more: Any) -> PushOrder:
    return replace(PushOrder(list_id=GROUP, load=lambda: load_pool(str(pool)), owner="pool", most_removed=0.2), **more)


def rules(error: pytest.ExceptionInfo[InputError]) -> list[str | None]:
    return [each.rule for each in error.value.problems]


class TestContents:
    def test_what_is_lacking_goes_in_before_what_is_due_leaves(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.1", "192.0.2.9/32")  # both spellings of one address
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.2", "192.0.2.3"]})
        made = run(*words(pool))
        assert (made.code, made.err) == (0, "")
        assert made.out.startswith("+ 192.0.2.2/32  a.example, b.example\n+ 192.0.2.3/32  b.example\n- 192.0.2.9/32\n")
        assert made.out.endswith("3 ipv4 addresses of 2 hosts; 2 added, 1 removed.\n")
        assert [each["properties"]["ipAddresses"] for each in arm.puts] == [
            ["192.0.2.1", "192.0.2.9/32", "192.0.2.2/32", "192.0.2.3/32"],
            ["192.0.2.1", "192.0.2.2/32", "192.0.2.3/32"],
        ]

    def test_all_else_of_the_group_goes_back_as_it_was_read(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.9", cost="17")
        before = json.loads(json.dumps(arm.group))
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0
        after = json.loads(json.dumps(arm.group))
        for each in (before, after):
            del each["etag"], each["properties"]["ipAddresses"]
        assert (after, arm.addresses()) == (before, ["192.0.2.1/32"])
        read_only = {"etag", "name", "type"} | {"provisioningState", "firewalls", "firewallPolicies"}
        assert all(not read_only & (each.keys() | each["properties"].keys()) for each in arm.puts)

    def test_an_address_is_the_same_whichever_way_the_service_spells_it(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9/32")
        arm.plain = True
        clock = Clock()
        report = push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), clock)
        assert (report.added, report.removed, clock.waited) == (("192.0.2.1/32",), ("192.0.2.9",), 0.0)
        assert (arm.addresses(), len(arm.puts)) == (["192.0.2.1"], 2)

    def test_a_second_push_of_the_same_pool_changes_nothing(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.1")
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})
        assert run(*words(pool)).code == 0
        again = run(*words(pool))
        assert (again.code, len(arm.puts)) == (0, 1)
        assert again.out.endswith("0 added, 0 removed.\n")

    def test_a_group_that_holds_nothing_yet_is_filled(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        del arm.group["properties"]["ipAddresses"]
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0
        assert arm.addresses() == ["192.0.2.1/32"]

    def test_it_takes_ipv4_alone_and_says_whose_addresses_are_not(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        write(pool, {"a.example": ["192.0.2.1", "2001:db8::7"], "six.example": ["2001:db8::8"]})
        made = run(*words(pool, "--json"))
        assert (made.code, made.json["of_other_family"], arm.addresses()) == (0, ["six.example"], ["192.0.2.1/32"])

    def test_hosts_that_are_named_alone_go_in(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]}), "b.example")).code == 0
        assert arm.addresses() == ["192.0.2.2/32"]

    def test_a_host_without_an_address_is_said_and_ends_in_6(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"], "unborn.example": []})))
        assert (made.code, arm.addresses()) == (6, ["192.0.2.1/32"])
        assert "unborn.example: no address yet, so nothing opens it." in made.err

    def test_the_token_is_for_the_manager_that_is_asked(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert [each.endswith(f"&resource={arm.url}") for each in arm.scopes] == [True]

    @pytest.mark.parametrize(
        ("endpoint", "audience"),
        [
            ("https://management.azure.com", "https://management.azure.com/.default"),
            ("https://management.chinacloudapi.cn/", "https://management.chinacloudapi.cn/.default"),
            ("https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/.default"),
            ("https://management.local.azurestack.external", "https://management.local.azurestack.external/.default"),
        ],
    )
    def test_and_of_clouds_that_the_sdk_knows_it_is_as_the_sdk_says(self, endpoint: str, audience: str) -> None:
        assert azure_ip_group._scopes(endpoint) == [audience]


class TestRemovals:
    def test_more_than_a_share_at_once_stays_and_what_is_new_goes_in(
        self, run: Run, arm: ArmServer, pool: Path
    ) -> None:
        arm.make(*numbered(10))
        write(pool, {"a.example": [*numbered(7), *numbered(10, 100)]})
        made = run(*words(pool))
        assert (made.code, len(arm.puts), len(arm.addresses())) == (3, 1, 20)
        assert "Nothing is removed: 3 entries are due at once" in made.err
        assert run(*words(pool, "--most-removed", "30")).code == 0
        assert len(arm.addresses()) == 17

    def test_a_pool_that_shrinks_while_it_is_pushed_does_not_get_round_the_share(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make(*numbered(1000))
        write(pool, {"a.example": numbered(900)})
        arm.before = lambda number: write(pool, {"a.example": numbered(900 - 150 * number)}) and None
        report = push(client, order(pool))
        assert (len(report.removed), len(report.held), len(arm.addresses())) == (100, 150, 900)

    @pytest.mark.parametrize("hosts", [{"a.example": []}, {"a.example": ["2001:db8::1"]}, {}])
    def test_a_group_is_never_emptied(self, run: Run, arm: ArmServer, pool: Path, hosts: dict[str, list[str]]) -> None:
        arm.make("192.0.2.9")
        made = run(*words(write(pool, hosts), "--most-removed", "100", "--json"))
        assert (made.code, made.rules, arm.puts) == (1, ["list-emptied"], [])

    def test_none_is_removed_with_a_share_of_nothing(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.1", "192.0.2.2")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--most-removed", "0"))
        assert (made.code, arm.puts) == (3, [])


class TestOwners:
    @pytest.mark.parametrize("more", [(), ("--keep-foreign",), ("--dry-run",)])
    def test_a_group_without_the_tag_is_refused_and_the_tag_is_said(
        self, run: Run, arm: ArmServer, pool: Path, more: tuple[str, ...]
    ) -> None:
        arm.make("192.0.2.1", owner=None)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json", *more))
        assert (made.code, made.rules, arm.puts) == (1, ["list-unowned"], [])
        assert "--tags hostgate-owner=pool" in made.out

    def test_a_group_of_another_owner_is_refused_and_both_are_named(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.1", owner="build")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, arm.puts) == (1, ["list-unowned"], [])
        assert "Found `build` in its tag `hostgate-owner`. Allowed: `pool`" in made.out.replace("'", "`").replace(
            '\\"', "`"
        )
        assert run(*words(pool, "--owner", "build")).code == 0

    def test_the_name_of_a_tag_is_the_same_in_either_case(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make(owner=None, **{"Hostgate-Owner": "pool"})
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0
        assert arm.group["tags"] == {"team": "egress", "Hostgate-Owner": "pool"}

    def test_a_tag_that_goes_in_between_ends_the_push(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")

        def take(number: int) -> None:
            if number == 2:
                arm.write(**{"hostgate-owner": "build"})

        arm.before = take
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert rules(refused) == ["list-unowned", "list-begun"]
        assert arm.addresses() == ["192.0.2.9", "192.0.2.1/32"]

    FOREIGN = ("10.0.0.0/8", "192.0.2.4-192.0.2.7", "2001:db8::1", "203.0.113.0/31")

    def test_ranges_prefixes_and_ipv6_are_nobodys_and_refused(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make(*self.FOREIGN, "192.0.2.1")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, arm.puts) == (1, [])
        assert all(each in made.err for each in self.FOREIGN)
        assert "--keep-foreign" in made.err

    def test_they_stay_where_they_are_meant_and_do_not_stand_for_an_address(
        self, run: Run, arm: ArmServer, pool: Path
    ) -> None:
        arm.make(*self.FOREIGN, "192.0.2.9")
        made = run(*words(write(pool, {"a.example": ["192.0.2.5", "10.1.2.3"]}), "--keep-foreign", "--json"))
        assert made.code == 1  # a pool without its private networks
        write(pool, {"a.example": ["192.0.2.5"]})
        made = run(*words(pool, "--keep-foreign", "--json"))
        assert (made.code, arm.addresses()) == (0, [*self.FOREIGN, "192.0.2.5/32"])
        assert [each["cidr"] for each in made.json["foreign"]] == list(self.FOREIGN)
        assert "They open what the pool does not say." in run(*words(pool, "--keep-foreign")).err


class TestSize:
    def test_a_group_without_room_is_left_as_it_is(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make(*numbered(MOST - 1))
        made = run(*words(write(pool, {"a.example": [*numbered(MOST - 1), "192.0.2.1", "192.0.2.2"]})))
        assert (made.code, arm.puts) == (1, [])
        assert "It holds 5,000 entries and needs 5,001" in " ".join(made.err.split())

    def test_it_is_filled_to_the_last_address(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        assert run(*words(write(pool, {"a.example": numbered(MOST)}))).code == 0
        assert len(arm.addresses()) == MOST


class TestOtherWriters:
    def test_what_another_put_in_from_the_same_pool_stays(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.1")
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})

        def other(number: int) -> None:
            if number == 1:  # between our reading of both and our change
                write(pool, {"a.example": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]})
                arm.write(add=("192.0.2.3",), team="other")

        arm.before = other
        report = push(client, order(pool), Clock())
        assert (report.added, report.removed) == (("192.0.2.2/32",), ())
        assert arm.addresses() == ["192.0.2.1", "192.0.2.3", "192.0.2.2/32"]
        assert arm.group["tags"]["team"] == "other"

    def test_the_pool_is_read_after_the_group(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.1")
        write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]})
        before: list[str] = []

        def load() -> AddressPool:
            before.append(arm.asked[-1])
            return load_pool(str(pool))

        push(client, order(pool, load=load))
        assert before == ["GET registry", "GET registry"]
        assert "PUT registry" in arm.asked

    def test_two_at_once_end_at_the_same(self, arm: ArmServer, pool: Path) -> None:
        arm.make(*numbered(40, 500))
        arm.slow = 1
        write(pool, {"a.example": [*numbered(330), *numbered(38, 500)]})
        failed: list[Exception] = []

        def one() -> None:
            try:
                with connected(GROUP, arm.url) as mine:
                    push(mine, order(pool), lambda _: None)
            except InputError as error:
                failed.append(error)

        three = [threading.Thread(target=one) for _ in range(3)]
        for each in three:
            each.start()
        for each in three:
            each.join(120)
        assert failed == []
        assert {each.removesuffix("/32") for each in arm.addresses()} == {*numbered(330), *numbered(38, 500)}

    def test_two_with_a_pool_that_grows_lose_nothing(self, arm: ArmServer, tmp_path: Path) -> None:
        """Each has seen what the other has not, and writes it into the pool before it pushes."""
        arm.make("192.0.2.1")
        pool = write(tmp_path / "pool.txt", {"a.example": ["192.0.2.1"]})
        lock, seen = threading.Lock(), ["192.0.2.1"]

        def one(start: int) -> None:
            with connected(GROUP, arm.url) as mine:
                for number in range(6):
                    with lock:
                        seen.append(numbered(1, start + number)[0])
                        text = write(tmp_path / f"{start}.txt", {"a.example": sorted(seen, key=_number)})
                        text.replace(pool)
                    push(mine, order(pool), lambda _: None)

        both = [threading.Thread(target=one, args=(start,)) for start in (0, 100)]
        for each in both:
            each.start()
        for each in both:
            each.join(120)
        assert {each.removesuffix("/32") for each in arm.addresses()} == set(seen)
        assert len(seen) == 13

    def test_who_never_comes_first_gives_up_and_says_so(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        arm.before = lambda number: arm.write(team=str(number))
        clock = Clock()
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), clock)
        assert rules(refused) == ["list-contended"]
        assert 0 < clock.waited < 200

    def test_a_change_that_is_taken_and_never_shows_is_given_up(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        arm.deaf = True
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert rules(refused) == ["list-busy"]

    @pytest.mark.parametrize(
        "refusal",
        [
            (409, "AnotherOperationInProgress"),
            (409, "Conflict"),
            (409, "ReferencedResourceNotProvisioned"),
            (429, "TooManyRequests", {"Retry-After": "17"}),
            (429, "RetryableError"),
            (412, "PreconditionFailed"),
            (500, "InternalServerError"),
            (503, "ServerTimeout"),
        ],
    )
    def test_what_passes_is_waited_for(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path, refusal: tuple[Any, ...], sleeps: list[float]
    ) -> None:
        arm.make("192.0.2.9")
        arm.errors = {"PUT": [refusal, refusal]}
        clock = Clock()
        report = push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), clock)
        assert (report.added, report.removed) == (("192.0.2.1/32",), ("192.0.2.9",))
        assert arm.addresses() == ["192.0.2.1/32"]
        assert clock.waited > 0
        assert clock.waited == 34.0 or refusal[1] != "TooManyRequests"
        assert set(sleeps) <= {
            10.0
        }  # what a change is looked at after, as the service says; the SDK tries no PUT again

    @pytest.mark.parametrize("state", ["Updating", "Creating"])
    def test_a_group_that_is_changing_is_waited_for(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path, state: str
    ) -> None:
        arm.make("192.0.2.9")
        arm.state(state)
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 5:
                arm.state("Succeeded")

        push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), wait)
        assert (arm.addresses(), waits) == (["192.0.2.1/32"], [1.0, 2.0, 4.0, 8.0, 10.0])

    def test_what_never_passes_is_given_up_with_what_the_service_says(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        arm.errors = {"PUT": [(409, "AnotherOperationInProgress")] * 200}
        clock = Clock()
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), clock)
        assert (rules(refused), clock.waited) == (["list-refused"], 900.0)
        assert "AnotherOperationInProgress" in str(refused.value)

    def test_a_group_that_never_gets_done_is_given_up(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        arm.state("Updating")
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert rules(refused) == ["list-busy"]

    def test_throttling_of_what_is_read_is_waited_out(
        self, run: Run, arm: ArmServer, pool: Path, sleeps: list[float]
    ) -> None:
        arm.make("192.0.2.1")
        arm.errors = {"GET": [(429, "TooManyRequests", {"Retry-After": "9"}), (503, "ServerTimeout")]}
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0
        assert 9.0 in sleeps


class TestLongChanges:
    def test_a_change_is_followed_until_it_is_done(
        self, run: Run, arm: ArmServer, pool: Path, sleeps: list[float]
    ) -> None:
        arm.make("192.0.2.9")
        arm.slow = 4
        assert run(*words(write(pool, {"a.example": ["192.0.2.1"]}))).code == 0
        assert (arm.addresses(), sleeps) == (["192.0.2.1/32"], [10.0] * 8)

    def test_one_that_fails_is_told_with_the_reason_and_the_next_push_mends_it(
        self, run: Run, arm: ArmServer, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        arm.fails, arm.slow = 1, 1
        made = run(*words(write(pool, {"a.example": ["192.0.2.1", "192.0.2.9"]})))
        assert (made.code, arm.group["properties"]["provisioningState"]) == (1, "Failed")
        said = " ".join(made.err.split())
        assert "Failed with 1 faulted referenced firewalls (IpGroupsUpdateFailed)" in said
        assert "whether 1 more were added and 0 removed is not known" in said
        arm.slow = 0
        again = run(*words(pool))
        assert (again.code, arm.group["properties"]["provisioningState"]) == (0, "Succeeded")
        assert arm.addresses() == ["192.0.2.9", "192.0.2.1/32"]
        assert len(arm.puts) == 2  # the same addresses once more: the firewall may not have them

    @pytest.mark.parametrize("state", ["Failed", "Canceled"])
    def test_one_that_nothing_mends_is_told(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path, state: str
    ) -> None:
        arm.make("192.0.2.1")
        arm.state(state)
        write(pool, {"a.example": ["192.0.2.1"]})
        report = push(client, order(pool, dry_run=True))
        assert (report.added, report.removed, arm.puts) == ((), (), [])
        arm.fails = 1
        with pytest.raises(InputError) as refused:
            push(client, order(pool))
        assert rules(refused) == ["list-failed"]
        arm.group["properties"]["provisioningState"] = "Failed"
        real = arm.state
        arm.state = lambda _: real("Failed")  # type: ignore[method-assign]
        with pytest.raises(InputError, match="also after it was put anew"):
            push(client, order(pool))

    def test_one_that_is_never_done_is_given_up(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(azure_ip_group, "_PATIENCE", 0.05)
        arm.make("192.0.2.9")
        arm.slow = 10_000
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        arm.slow = arm._looks = 0
        for each in threading.enumerate():  # the SDK goes on looking; what it looks with is closed behind it
            if each.name.startswith("LROPoller"):
                each.join(60)
        assert rules(refused) == ["list-busy", "list-begun"]
        assert "whether 1 more were added" in str(refused.value)

    def test_one_whose_answer_is_lost_is_seen_in_the_group_and_counted(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        arm.lost = 2
        report = push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert (report.added, report.removed, len(arm.puts)) == (("192.0.2.1/32",), ("192.0.2.9",), 2)


class TestDryRun:
    def test_shows_the_difference_and_changes_nothing(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.1", "192.0.2.9")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1", "192.0.2.2"]}), "--dry-run"))
        assert (made.code, arm.asked) == (0, ["GET registry"])
        assert made.out.splitlines()[:2] == ["+ 192.0.2.2/32  a.example", "- 192.0.2.9"]
        assert made.out.endswith("1 to be added, 1 to be removed.\nNothing was changed (--dry-run).\n")


class TestWrongInput:
    @pytest.mark.parametrize(
        ("more", "code", "said"),
        [
            (("--owner", "two words"), 2, "Allowed: up to 63 letters"),
            (("--most-removed", "101"), 2, "--most-removed"),
            (("--grow-to", "9"), 2, "No such option"),
            (("b.exmaple",), 1, "Did you mean `b.example`?"),
            (("--list", "registry"), 1, "Allowed: /subscriptions/"),
            (("--list", f"{GROUP}/more"), 1, "Allowed: /subscriptions/"),
            (("--endpoint", "http://127.0.0.1"), 1, "Allowed: https://"),
            (("--endpoint", "https://127.0.0.1/subscriptions"), 1, "Allowed: https://"),
        ],
    )
    def test_is_told_and_nobody_is_asked(
        self, run: Run, arm: ArmServer, pool: Path, more: tuple[str, ...], code: int, said: str
    ) -> None:
        arm.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]}), *more))
        assert (made.code, arm.asked, arm.scopes, said in " ".join(made.err.split())) == (code, [], [], True)

    def test_names_of_the_id_are_the_same_in_either_case(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--list", GROUP.replace("G", "g").upper()))
        assert (made.code, arm.addresses()) == (0, ["192.0.2.1/32"])

    @pytest.mark.parametrize("text", ["hostgate-pool 1\nhost a.example window 86400\n", "", None])
    def test_a_pool_that_cannot_be_read_asks_nobody(
        self, run: Run, arm: ArmServer, pool: Path, text: str | None
    ) -> None:
        arm.make("192.0.2.1")
        if text is not None:
            pool.write_text(text)
        assert (run(*words(pool)).code, arm.asked, arm.scopes) == (1, [], [])

    def test_a_pool_that_is_damaged_on_the_way_stops_the_push(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path
    ) -> None:
        arm.make("192.0.2.9")
        write(pool, {"a.example": ["192.0.2.1"]})
        arm.before = lambda _: pool.write_text("hostgate-pool 1\n") and None
        with pytest.raises(InputError) as refused:
            push(client, order(pool), Clock())
        assert rules(refused) == ["pool-cut", "list-begun"]
        assert "1 entries were added and 0 removed" in str(refused.value)

    @pytest.mark.usefixtures("arm")
    def test_a_group_that_is_not_there_is_said(self, run: Run, pool: Path) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, "ResourceNotFound" in made.out) == (1, ["list-unknown"], True)

    def test_a_group_that_is_going_is_left_alone(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        arm.state("Deleting")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, arm.puts) == (1, ["list-failed"], [])

    @pytest.mark.parametrize(
        ("method", "status", "code"),
        [
            ("GET", 401, "InvalidAuthenticationToken"),
            ("GET", 403, "AuthorizationFailed"),
            ("PUT", 403, "AuthorizationFailed"),
            ("PUT", 403, "RequestDisallowedByPolicy"),
            ("PUT", 409, "ScopeLocked"),
            ("PUT", 400, "InvalidRequestFormat"),
        ],
    )
    def test_what_the_service_refuses_is_said_with_its_reason(
        self, run: Run, arm: ArmServer, pool: Path, method: str, status: int, code: str
    ) -> None:
        arm.make("192.0.2.9")
        arm.errors = {method: [(status, code)] * 3}
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, arm.addresses()) == (1, ["list-refused"], ["192.0.2.9"])
        assert f"Azure refuses it: The request was refused ({code})." in made.out

    def test_what_was_done_before_a_refusal_is_said(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make("192.0.2.9")

        def deny(number: int) -> None:
            if number == 1:
                arm.errors = {"PUT": [(403, "AuthorizationFailed")]}

        arm.before = deny
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, arm.addresses()) == (1, ["192.0.2.9", "192.0.2.1/32"])
        assert "1 entries were added and 0 removed" in made.err

    def test_an_identity_that_gives_no_token_is_said(self, run: Run, arm: ArmServer, pool: Path) -> None:
        arm.make()
        arm.denied = True
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, arm.asked) == (1, ["list-unreachable"], [])
        assert "Azure gives no token" in made.out

    @pytest.mark.parametrize("chain", ["EnvironmentCredential", "NoSuchCredential"])
    def test_an_environment_without_credentials_is_said(
        self, run: Run, arm: ArmServer, pool: Path, monkeypatch: pytest.MonkeyPatch, chain: str
    ) -> None:
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", chain)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, arm.asked) == (1, ["list-unreachable"], [])
        assert "az login" in made.out

    @pytest.mark.usefixtures("arm")
    def test_a_manager_that_is_away_is_said(self, run: Run, pool: Path) -> None:
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--endpoint", "https://127.0.0.1:9", "--json"))
        assert (made.code, made.rules, "Cannot ask Azure" in made.out) == (1, ["list-unreachable"], True)

    def test_a_certificate_that_nobody_vouches_for_is_said(
        self, run: Run, arm: ArmServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arm.make("192.0.2.1")
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]}), "--json"))
        assert (made.code, made.rules, arm.asked) == (1, ["list-unreachable"], [])

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    @pytest.mark.parametrize(
        "page",
        [
            ("text/html", b"<html>Sign in<br></html>"),
            ("application/json", b"<html>"),
            ("application/json", b""),
            ("application/json", b"[]"),
            ("application/json", b"null"),
            ("application/json", b"{}"),
            ("application/json", b'{"properties": 3}'),
            ("application/json", shown(properties=[])),
            ("application/json", shown(tags=["hostgate-owner"])),
            ("application/json", shown(tags={"hostgate-owner": 3})),
            ("application/json", shown(properties={"provisioningState": "Succeeded", "ipAddresses": "192.0.2.9"})),
            ("application/json", b'{"name": "n", "etag": "e", "properties": {"provisioningState": "Failed", "ipAddresses": [3]}}'),
            ("application/json", b'{"name": "n", "properties": {"provisioningState": "Succeeded", "ipAddresses": []}}'),
        ],
    )  # fmt: skip
    def test_what_answers_and_is_no_manager_is_said_and_nothing_comes_of_it(
        self, arm: ArmServer, client: NetworkManagementClient, pool: Path, page: tuple[str, bytes], method: str
    ) -> None:
        arm.make("192.0.2.9")
        arm.page, arm.page_of = page, (method,)
        with pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        said = rules(refused)
        assert said[0] == "list-unreachable" or (method, said) == ("PUT", ["list-busy"])  # it never shows
        assert (arm.puts, arm.addresses()) == ([], ["192.0.2.9"])

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    @pytest.mark.parametrize("status", [204, 302, 400, 401, 403, 404, 407, 502])
    @pytest.mark.parametrize(
        "page",
        [
            b"",
            b"<html>Sign in<br></html>",
            b'"x"',
            b'{"error": "denied"}',
            b'{"error": [1]}',
            b'{"error": {"message": "m"}}',
        ],
    )
    def test_a_refusal_that_is_none_of_the_manager_is_said_without_the_sdks_words(
        self, arm: ArmServer, pool: Path, capfd: pytest.CaptureFixture[str], page: bytes, status: int, method: str
    ) -> None:
        arm.make("192.0.2.9")
        arm.page, arm.page_of, arm.page_status = ("text/html", page), (method,), status
        with connected(GROUP, arm.url) as client, _as_without_pytest(), pytest.raises(InputError) as refused:
            push(client, order(write(pool, {"a.example": ["192.0.2.1"]})), Clock())
        assert rules(refused) == ["list-unreachable", *(["list-begun"] if method == "PUT" else [])]
        assert "What answers is not Resource Manager" in str(refused.value)
        assert capfd.readouterr().err == ""

    def test_who_is_told_to_stop_says_what_was_begun(
        self, run: Run, arm: ArmServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arm.make("192.0.2.9")

        real = LROPoller.wait

        def stop(poller: Any, timeout: float) -> None:
            real(poller, timeout)
            raise KeyboardInterrupt

        monkeypatch.setattr(LROPoller, "wait", stop)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        said = " ".join(made.err.split())
        assert (made.code, len(arm.puts)) == (130, 1)
        assert (
            "whether 1 more were added and 0 removed is not known, and the next push sees it. [list-begun] stopped"
            in said
        )

    def test_without_the_extra_it_says_what_to_install(
        self, run: Run, arm: ArmServer, pool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "azure.identity", None)
        made = run(*words(write(pool, {"a.example": ["192.0.2.1"]})))
        assert (made.code, arm.asked) == (1, [])
        assert f"pip install 'hostgate[{azure_ip_group.EXTRA}]" in re.sub(r"\s+", " ", made.err)


ADDRESSES = st.lists(st.sampled_from(numbered(12)), unique=True, max_size=12)
FOREIGN = st.lists(st.sampled_from(TestOwners.FOREIGN), unique=True)
TROUBLE = st.sampled_from(
    [
        None,
        None,
        (412, "PreconditionFailed"),
        (409, "AnotherOperationInProgress"),
        (429, "X"),
        (500, "X"),
        "lost",
        "other",
    ]
)


class TestAnyState:
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        stands=ADDRESSES, spelled=st.booleans(), foreign=FOREIGN, wanted=ADDRESSES.filter(bool), more=ADDRESSES,
        trouble=st.lists(TROUBLE, max_size=4), slow=st.integers(0, 2),
    )  # fmt: skip
    @example(stands=[], spelled=False, foreign=[], wanted=["198.51.0.1"], more=[], trouble=["lost"], slow=1)
    def test_ends_at_what_is_wanted_and_loses_nothing_of_it_on_the_way(
        self,
        arm: ArmServer,
        client: NetworkManagementClient,
        pool: Path,
        stands: list[str],
        spelled: bool,
        foreign: list[str],
        wanted: list[str],
        more: list[str],
        trouble: list[Any],
        slow: int,
    ) -> None:
        arm.make(*foreign, *(f"{each}/32" if spelled else each for each in stands))
        arm.puts.clear()
        arm.slow, arm.lost, arm.errors = slow, 0, {}
        tags = dict(arm.group["tags"])
        pooled = set(wanted)
        write(pool, {"a.example": sorted(pooled, key=_number)})
        held: set[str] = set()
        todo = list(trouble)

        def before(_: int) -> None:
            """What of the pool stood must stand; then trouble, or another who pushes what he has put into the pool."""
            standing = {each.removesuffix("/32") for each in arm.addresses()}
            assert held <= standing
            held.update(standing & set(wanted))
            what = todo.pop(0) if todo else None
            if what == "lost":
                arm.lost = 1
            elif what == "other":
                pooled.update(more)
                write(pool, {"a.example": sorted(pooled, key=_number)})
                arm.write(add=tuple(each for each in more if each not in standing))
            elif what:
                arm.errors = {"PUT": [what]}

        arm.before = before
        push(client, order(pool, most_removed=1.0, keep_foreign=True), lambda _: None)
        arm.before = lambda _: None
        assert {each.removesuffix("/32") for each in arm.addresses()} == pooled | set(foreign)
        assert held <= pooled
        assert arm.group["tags"] == tags
        assert arm.group["zone"] == {"of": "a later version"}


def _number(address: str) -> tuple[int, ...]:
    return tuple(map(int, address.split(".")))
