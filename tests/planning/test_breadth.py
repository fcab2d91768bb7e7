"""Ranges that are most of the internet are no addresses of a host, however they are written; a vendor's ranges are."""

from typing import Any

import pytest

import hostgate
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Selection
from hostgate.planning.breadth import BREADTHS, too_broad
from hostgate.planning.plan import draft

from .test_aws_addresses import GIT, selection

QUARTERS = ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"]
EVERY_EIGHT = [f"{first}.0.0.0/8" for first in range(1, 224)]
TWENTY = [f"{first}.0.0.0/8" for first in range(60, 80)]


def halves(cidrs: list[str]) -> list[str]:
    """The same addresses in twice as many ranges."""
    return [
        half
        for cidr in cidrs
        for first in (cidr.partition(".")[0],)
        for half in (f"{first}.0.0.0/9", f"{first}.128.0.0/9")
    ]


TOO_BROAD: dict[str, list[str]] = {
    "all of global IPv6": ["2000::/3"],
    "half of IPv4": ["0.0.0.0/1"],
    "the other half": ["128.0.0.0/1"],
    "a sixteenth of IPv4 in one range": ["48.0.0.0/4"],
    "a /7": ["12.0.0.0/7"],
    "a /7 that is half private": ["10.0.0.0/7"],
    "four quarters": QUARTERS,
    "four quarters, backwards": QUARTERS[::-1],
    "every /8": EVERY_EIGHT,
    "every /8 as /9": halves(EVERY_EIGHT),
    "twenty /8": TWENTY,
    "twenty /8 among private ranges": ["10.0.0.0/8", "192.168.0.0/16", *TWENTY],
    "every other /9": [f"{first}.0.0.0/9" for first in range(1, 224)],
    "a registry's IPv6": ["2600::/12"],
    "the old IPv6 of all registries": ["2001::/16"],
    "the same in eight parts": [f"2001:{part:x}000::/19" for part in range(2, 16, 2)],
    "IPv4 as mapped": ["::ffff:0:0/96"],
    "half of IPv4 as mapped": ["::ffff:0:0/97"],
    "IPv4 in a wider range": ["::/64"],
    "IPv4 by NAT64": ["64:ff9b::/96"],
    "quarters of IPv4 by NAT64": [f"64:ff9b::{quarter:x}000:0/98" for quarter in (0, 4, 8, 12)],
    "IPv4 by NAT64 of one's own": ["64:ff9b:1::/48"],
    "IPv4 by 6to4": ["2002::/16"],
    "every /8 by 6to4": [f"2002:{first:x}00::/24" for first in range(1, 224)],
    "IPv4 by Teredo": ["2001::/32"],
    "ten /8 plain and ten by NAT64": [*TWENTY[:10], *(f"64:ff9b::{first:x}00:0/104" for first in range(90, 100))],
    "everything": ["::/0"],
    "space that nobody has yet": ["4000::/2"],
}  # fmt: skip

OF_A_VENDOR: dict[str, list[str]] = {
    "one address": ["203.0.113.7/32"],
    "a vendor with a /8 of its own": ["17.0.0.0/8"],
    "two /12": ["52.64.0.0/12", "20.33.0.0/16", "13.64.0.0/12"],
    "a /10": ["34.64.0.0/10"],
    "a thousand /20": [f"{first}.{second}.0.0/20" for first in range(20, 30) for second in range(100)],
    "IPv6 of /20 to /28": ["2409:8000::/20", "2600:1f00::/24", "2600:1900::/28", "2603:1000::/24", "2a05:d000::/25"],
    "a /19": ["2a01:c000::/19"],
    "a host's address by NAT64": ["64:ff9b::cb00:7107/128"],
    "a network by 6to4": ["2002:cb00:7100::/40"],
    "private ranges": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
}


@pytest.mark.parametrize("cidrs", TOO_BROAD.values(), ids=TOO_BROAD)
def test_most_of_the_internet_is_refused_however_it_is_written(cidrs: list[str]) -> None:
    assert too_broad(cidrs)
    assert too_broad([*cidrs, "203.0.113.0/24", "2001:db8::/48"])


@pytest.mark.parametrize("cidrs", OF_A_VENDOR.values(), ids=OF_A_VENDOR)
def test_what_a_vendor_publishes_for_a_service_is_taken(cidrs: list[str]) -> None:
    assert too_broad(cidrs) is None


def test_the_measures_are_data_with_their_reasons() -> None:
    assert {version: (each.widest, each.together) for version, each in BREADTHS.items()} == {4: (8, 14), 6: (19, 4)}
    assert all(each.widest_why and each.together_why for each in BREADTHS.values())


def refusal(target: str, picked: Selection | None = None, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        draft(picked or selection([GIT]), target, **options)
    return str(caught.value)


def test_addresses_that_add_up_over_the_entries_are_refused_and_the_entries_named() -> None:
    said = refusal("aws:rules", addresses={"git": TWENTY[:10], "ntp": TWENTY[10:]})

    assert "addresses of git, ntp together: found 20 ranges that hold 20.0 times the public addresses of a /8" in said


def test_every_entry_with_too_much_is_told_at_once() -> None:
    said = refusal("aws:rules", addresses={"git": ["2000::/3"], "ntp": ["0.0.0.0/1"], "all": ["::/0"]})

    assert all(
        part in said for part in ("addresses of git: found 2000::/3", "addresses of ntp: found", "addresses of all")
    )


@pytest.mark.parametrize("target", ["aws:rules", "aws:domain-list"])
@pytest.mark.parametrize("option", ["home_net", "addresses"])
def test_no_option_of_a_firewall_takes_half_the_internet(target: str, option: str) -> None:
    given = ["0.0.0.0/1", "10.0.0.0/8"]
    value: Any = {"git": given} if option == "addresses" else given

    assert "found 0.0.0.0/1. Allowed: a /8 or smaller" in refusal(target, **{option: value})


def test_a_range_that_stands_for_ipv4_is_told_with_what_it_stands_for() -> None:
    said = refusal("aws:rules", addresses={"git": ["64:ff9b::/96"]})

    assert "found 64:ff9b::/96, which stands for 0.0.0.0/0" in said


@pytest.mark.parametrize(
    "everybody", [["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], EVERY_EIGHT], ids=["one", "two", "all /8"]
)
def test_everybody_as_clients_on_azure_is_said_by_leaving_from_out(everybody: list[str]) -> None:
    assert "leave `from` out" in refusal("azure:application-rules", from_=everybody)


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        *(
            (zone, "anybody can register a name under it")
            for zone in ("com", "dev", "co.uk", "xn--p1ai", "in-addr.arpa")
        ),
        *((zone, f"customers of one company register names below {zone}") for zone in ("github.io", "duckdns.org")),
        ("amazonaws.com", "every S3 bucket (path style) is behind s3.amazonaws.com"),
    ],
)
def test_no_zone_of_ones_own_is_one_in_which_anybody_has_a_name(zone: str, why: str) -> None:
    assert f"Found {zone}: {why}" in refusal("aws:dns-firewall", inside=[zone])


@pytest.mark.parametrize("zone", ["corp", "acme.internal", "home.arpa", "10.in-addr.arpa", "acme.github.io"])
def test_a_zone_of_ones_own_is_taken(zone: str) -> None:
    assert draft(hostgate.select("chainguard/images@2024-03-28"), "aws:dns-firewall", inside=[zone]).ok


def test_a_zone_does_not_open_what_a_catalog_records_as_mistaken() -> None:
    hosts = hostgate.select("chainguard/images@2024-03-28")
    made = draft(hosts, "aws:dns-firewall", inside=["rc.cloudflarestorage.com"])
    assert made.refused
    assert not made.objects
    assert "The zone rc.cloudflarestorage.com holds rc.cloudflarestorage.com" in str(made.problems[0])
