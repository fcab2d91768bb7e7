"""One address more or less is one line of the pool file, one entry of a list, and one line of what is exported of it."""

import difflib
from collections.abc import Mapping

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.model import Family
from hostgate.dns.pool_update import DEFAULT_WINDOW, Round, forgotten, updated
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.plan import plan
from hostgate.planning.pool_form import pool_bytes
from hostgate.sinks.address_list import ListEntry, difference, mark, wanted_addresses

NOW = 1_790_000_000
HOSTS = [f"h{number}.example" for number in range(200)]
FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")
NEW = {"ipv4": "203.0.113.77", "ipv6": "2001:db8:ffff::77"}
Answers = Mapping[tuple[str, Family], tuple[str, ...]]


def address(host: int, family: Family, index: int) -> str:
    return f"11.0.{host}.{index + 1}" if family == "ipv4" else f"2001:db8:{host + 1:x}::{index + 1:x}"


def asked(pool: AddressPool, seen: Answers, now: int) -> AddressPool:
    found = Round(vantage="here", hosts=dict.fromkeys(HOSTS, DEFAULT_WINDOW), windows={}, seen=seen)
    return updated(pool, found, now).pool


@pytest.fixture(scope="module")
def pool() -> AddressPool:
    """Two hundred hosts with four addresses of each family."""
    seen = {
        (host, family): tuple(address(number, family, index) for index in range(4))
        for number, host in enumerate(HOSTS)
        for family in FAMILIES
    }
    return asked(AddressPool(), seen, NOW)


def lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are there afterwards only, and those that were there before only."""
    said = [each for each in difflib.ndiff(before.splitlines(), after.splitlines()) if each[0] in "+-"]
    return [each[2:] for each in said if each[0] == "+"], [each[2:] for each in said if each[0] == "-"]


def file(pool: AddressPool) -> str:
    return pool_bytes(pool).decode()


def rules(pool: AddressPool) -> str:
    addresses = {host: [each for family in FAMILIES for each in pool.of(host, family)] for host in HOSTS}
    made = plan(selection([entry(host) for host in HOSTS]), "export:nftables", addresses=addresses)
    assert not made.refused
    return made.objects[0].text or ""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("host", [0, 117, 199])
def test_a_new_address_is_one_line_more(pool: AddressPool, family: Family, host: int) -> None:
    seen = {(HOSTS[host], family): (address(host, family, 2), NEW[family])}
    after = asked(pool, seen, NOW + 300)
    more, less = lines(file(pool), file(after))
    assert (len(more), less) == (1, [])
    assert more[0].split()[0] == NEW[family]
    more, less = lines(rules(pool), rules(after))
    assert (len(more), less) == (1, [])
    assert NEW[family] in more[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_an_address_that_goes_is_one_line_less(pool: AddressPool, family: Family) -> None:
    gone = address(42, family, 3)
    after = forgotten(pool, HOSTS[42], [gone])
    more, less = lines(file(pool), file(after))
    assert (more, len(less)) == ([], 1)
    assert less[0].split()[0] == gone
    more, less = lines(rules(pool), rules(after))
    assert (more, len(less)) == ([], 1)
    assert gone in less[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_changed_address_is_one_entry_of_a_list_in_and_one_out(pool: AddressPool, family: Family) -> None:
    standing = [ListEntry(cidr, mark("pool")) for cidr in wanted_addresses(pool, family).hosts_of]
    assert len(standing) == 800
    gone, bits = address(7, family, 0), 32 if family == "ipv4" else 128
    after = forgotten(asked(pool, {(HOSTS[7], family): (NEW[family],)}, NOW + 300), HOSTS[7], [gone])
    found = difference(wanted_addresses(after, family), standing, "pool")
    assert found.add == (f"{NEW[family]}/{bits}",)
    assert [each.cidr for each in found.remove] == [f"{gone}/{bits}"]
    other: Family = "ipv6" if family == "ipv4" else "ipv4"
    assert wanted_addresses(after, other) == wanted_addresses(pool, other)


def test_answers_that_bring_nothing_new_change_no_byte(pool: AddressPool) -> None:
    again = {(HOSTS[3], family): (address(3, family, 1),) for family in FAMILIES}
    assert file(asked(pool, again, NOW + 300)) == file(pool)
