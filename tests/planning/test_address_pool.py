"""The pool of addresses as a value, and its text: one line for each address, read back without trust."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hostgate.catalog.problems import InputError
from hostgate.planning.address_pool import AddressPool, address_kind, packed_address
from hostgate.planning.pool_form import pool_bytes, read_pool

EXAMPLE = """\
hostgate-pool 1
private 10.20.0.0/16
host cgr.dev window 86400
  watched ipv4 eu-west-1 2026-11-20T10:00:00Z
  watched ipv4 us-east-1 2026-11-20T10:02:10Z
  watched ipv6 eu-west-1 2026-11-21T09:00:00Z
  203.0.113.7 first 2026-11-20T10:00:00Z seen eu-west-1 2026-11-28T17:00:00Z us-east-1 2026-11-28T17:10:30Z
  203.0.113.10 first 2026-11-20T10:00:00Z seen eu-west-1 2026-11-28T17:00:00Z
  2001:db8::7 first 2026-11-21T09:00:00Z seen eu-west-1 2026-11-28T17:00:00Z
host intranet.example window 86400
  10.20.1.1 first 2026-11-21T09:00:00Z seen eu-west-1 2026-11-28T17:00:00Z
host new.example window 86400
end
"""


def pool(text: str = EXAMPLE) -> AddressPool:
    return read_pool(text.encode(), "pool.txt")


def test_what_was_written_is_read_back_to_the_same_bytes() -> None:
    assert pool_bytes(pool()).decode() == EXAMPLE


def test_the_order_of_hosts_and_lines_that_somebody_edited_does_not_matter() -> None:
    head, _, rest = EXAMPLE.partition("host cgr.dev")
    first, *others = ("host cgr.dev" + rest.removesuffix("end\n")).split("host ")[1:]
    name, *lines = first.splitlines()
    turned = head + "".join(f"host {each}" for each in reversed(others)) + "\n\n".join(
        [f"host {name}", *reversed(lines), "end"]
    )  # fmt: skip
    assert pool_bytes(pool(turned)).decode() == EXAMPLE


def test_a_host_has_its_addresses_by_family_in_order_of_number() -> None:
    assert pool().of("cgr.dev", "ipv4") == ("203.0.113.7", "203.0.113.10")
    assert pool().of("cgr.dev", "ipv6") == ("2001:db8::7",)


def test_hosts_without_an_address_are_told_with_the_reason() -> None:
    assert pool().lacking(["cgr.dev", "new.example", "absent.example"]) == {
        "new.example": "pool.txt knows new.example but no address of it: no answer has brought one yet.",
        "absent.example": "pool.txt has no absent.example: add it with `hostgate pool refresh`.",
    }
    assert list(pool().lacking(["cgr.dev", "intranet.example"], ["ipv6"])) == ["intranet.example"]


def test_addresses_are_stale_when_none_was_confirmed_for_longer_than_the_window() -> None:
    window = timedelta(seconds=pool().hosts["cgr.dev"].window)
    last = datetime.fromtimestamp(
        max(each.last for each in pool().hosts["cgr.dev"].addresses if each.family == "ipv4"), UTC
    )
    for late, told in (
        (window, None), (window + timedelta(seconds=1), "2026-11-28, more than 1 day ago"),
        (timedelta(days=60), "more than 60 days ago"), (timedelta(days=-1), None), (timedelta(days=-2), "which is to come"),
    ):  # fmt: skip
        found = pool().stale("cgr.dev", last + late, ["ipv4"])
        assert found is None if told is None else told in str(found)
    assert pool().stale("cgr.dev", (last + window).date(), ["ipv4"]) is None  # a day may be its beginning
    assert pool().stale("cgr.dev", (last + window + timedelta(days=1)).date()) is not None
    assert pool().stale("new.example", date(2027, 12, 1)) is None
    assert "which is to come" in str(pool().stale("cgr.dev", date(2026, 11, 20)))


def test_one_family_may_be_stale_alone() -> None:
    six = pool(
        EXAMPLE.replace(
            "seen eu-west-1 2026-11-28T17:00:00Z\nhost intranet", "seen eu-west-1 2026-11-22T17:00:00Z\nhost intranet"
        )
    )
    at = date(2026, 11, 29)
    assert str(six.stale("cgr.dev", at)).startswith(
        "The ipv6 addresses of cgr.dev in pool.txt were last confirmed on 2026-11-22"
    )
    assert six.stale("cgr.dev", at, ["ipv4"]) is None
    assert "The addresses of" in str(six.stale("cgr.dev", at, ["ipv6"]))


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", "internet"), ("2600:1f18::5", "internet"), ("203.0.113.7", "internet"), ("2001:db8::1", "internet"),
        ("172.15.255.255", "internet"), ("172.32.0.0", "internet"), ("9.255.255.255", "internet"),
        ("10.0.0.0", "private"), ("172.31.255.255", "private"), ("100.127.255.255", "private"),
        ("192.168.1.1", "private"), ("fd00:ec2::254", "private"),
        ("0.0.0.0", "never"), ("127.0.0.53", "never"), ("169.254.169.254", "never"), ("198.18.0.7", "never"),
        ("192.0.0.170", "never"), ("224.0.0.251", "never"), ("255.255.255.255", "never"), ("::", "never"),
        ("192.88.99.1", "never"), ("2001:2::1", "never"), ("2001:3::1", "internet"),
        ("::1", "never"), ("::ffff:8.8.8.8", "never"), ("64:ff9b::808:808", "never"), ("2002:808:808::1", "never"),
        ("2001:0:53aa::1", "never"), ("fe80::1", "never"), ("fec0::1", "never"), ("ff02::1", "never"),
    ],
)  # fmt: skip
def test_only_addresses_of_the_internet_count_as_a_hosts(address: str, kind: str) -> None:
    packed = packed_address(address)
    assert packed is not None
    assert address_kind(packed) == kind


@pytest.mark.parametrize("text", ["203.0.113.07", "2001:DB8::7", "2001:db8:0::7", "203.0.113", "cgr.dev", "", "::\x00"])
def test_another_spelling_of_an_address_is_none(text: str) -> None:
    assert packed_address(text) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        ("hostgate-pool 1", "hostgate-pool 2", 1, "pool-version"),
        ("hostgate-pool 1", "{}", 1, "pool-head"),
        ("private 10.20.0.0/16", "private 8.8.8.0/24", 2, "pool-private"),
        ("private 10.20.0.0/16", "private 10.20.0.1/16", 2, "pool-private"),
        ("private 10.20.0.0/16", "private 0.0.0.0/0", 2, "pool-private"),
        ("private 10.20.0.0/16", "private 169.254.0.0/16", 2, "pool-private"),
        ("private 10.20.0.0/16", "private 10.21.0.0/16", 11, "pool-private"),
        ("host cgr.dev window 86400", "host *.cgr.dev window 86400", 3, "host-star"),
        ("host cgr.dev window 86400", "host CGR.dev window 86400", 3, "pool-host"),
        ("host cgr.dev window 86400", "host cgr.dev window 0", 3, "pool-window"),
        ("host cgr.dev window 86400", "host cgr.dev", 3, "pool-line"),
        ("host new.example", "host cgr.dev", 12, "pool-twice"),
        ("watched ipv4 eu-west-1", "watched ipv5 eu-west-1", 4, "pool-line"),
        ("watched ipv4 us-east-1", "watched ipv4 eu-west-1", 5, "pool-twice"),
        ("  203.0.113.10 ", "  203.0.113.7 ", 8, "pool-twice"),
        ("  203.0.113.10 ", "  0.0.0.0 ", 8, "pool-address"),
        ("  203.0.113.10 ", "  ::ffff:203.0.113.10 ", 8, "pool-address"),
        ("  203.0.113.10 ", "  10.0.0.1 ", 8, "pool-private"),
        ("  203.0.113.10 ", "  203.0.113.0/24 ", 8, "pool-line"),
        ("us-east-1 2026-11-28T17:10:30Z", "us-east-1", 7, "pool-line"),
        ("us-east-1 2026-11-28T17:10:30Z", "eu-west-1 2026-11-28T17:10:30Z", 7, "pool-twice"),
        ("us-east-1 2026-11-28T17:10:30Z", "us-east-1 2026-11-28 17:10:30", 7, "pool-line"),
        ("us-east-1 2026-11-28T17:10:30Z", "us-east-1 2026-02-30T17:10:30Z", 7, "pool-time"),
        ("us-east-1 2026-11-28T17:10:30Z", "us\x1beast 2026-11-28T17:10:30Z", 7, "pool-vantage"),
        ("\nend\n", "\n", 13, "pool-cut"),
        ("\nend\n", "\nend\nhost late.example window 86400\n", 14, "pool-line"),
        ("cgr.dev", "cgr.dév", 3, "pool-line"),
    ],
)  # fmt: skip
def test_a_line_that_is_wrong_is_named(old: str, new: str, line: int, rule: str) -> None:
    with pytest.raises(InputError) as raised:
        pool(EXAMPLE.replace(old, new, 1))
    assert [(each.file, each.line, each.rule) for each in raised.value.problems] == [("pool.txt", line, rule)]


def test_all_errors_are_told_at_once_in_order() -> None:
    with pytest.raises(InputError) as raised:
        pool(EXAMPLE.replace("10.20.1.1", "10.99.1.1").replace("cgr.dev", "cgr").replace("ipv6 eu", "ipvx eu"))
    assert [each.line for each in raised.value.problems] == [3, 6, 11]


@pytest.mark.parametrize("cut", range(1, len(EXAMPLE) - 4, 7))
def test_a_file_that_was_cut_off_anywhere_is_never_a_smaller_pool(cut: int) -> None:
    with pytest.raises(InputError):
        pool(EXAMPLE[:cut])
