"""What a push put into lists that a refresher keeps, as a state shows it after DNS has changed: neither beyond nor missing. What
others put there is beyond, and a host of which nothing is left is missing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hostgate.flows.reach import Reach
from hostgate.flows.snapshot import Resource, Snapshot

from .conftest import Run
from .test_reach_by_list import asked, stand

SEEN = "first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z"
HOSTS = {"a.example": ["198.51.100.1", "198.51.100.2"], "b.example": ["198.51.100.3"]}
FULL = ["198.51.100.1", "198.51.100.2", "198.51.100.3"]

LISTS = {
    "aws": (
        "from hostgate.aws import SecurityGroupAllowlist as Lists",
        "security_groups=['sg-0a1']",
        "maximum=20",
    ),
    "gcp": (
        "from hostgate.gcp import AddressGroupAllowlist as Lists",
        "networks=['projects/p/global/networks/n'], project='p'",
        "capacity=20",
    ),
    "azure": ("from hostgate.azure import IpGroupAllowlist as Lists", "resource_group='rg'", ""),
}
CONTENTS = {"entries": "aws", "items": "gcp", "ipAddresses": "azure"}


def standing(
    run: Run,
    cloud: str,
    addresses: Sequence[str] | None,
    *,
    contents: str = "refresher",
    of: Callable[[str], str] = lambda _address: "hostgate:pool",
    hosts: str = "ours",
    clients: str = "",
    of_list: str = "-tcp-",
    labelled: bool = True,
) -> list[Reach]:
    """What is said of a stack whose lists have come to hold `addresses`, each with the description `of` it where they have any;
    `labelled`: whether the others say whose what they hold is. None: nobody knows what they hold."""
    made, placed, refreshed = LISTS[cloud]
    told = "".join(
        f"host {host} window 86400\\n" + "".join(f"  {each} {SEEN}\\n" for each in listed)
        for host, listed in HOSTS.items()
    )
    rows = "".join(
        f"  - {{id: {host[0]}, host: {host}, port: 443, protocol: https, purpose: tests}}\\n" for host in HOSTS
    )
    keeper = f", contents='refresher', {refreshed}" if contents == "refresher" else ""
    snapshot = stand(
        run,
        f"""{made}
    from pathlib import Path
    Path("pool.txt").write_text("hostgate-pool 1\\n{told}end\\n")
    Path("ours.yaml").write_text("catalog: acme/ours\\nentries:\\n{rows}")
    ours = hostgate.select("./ours.yaml")
    Lists("c", hosts={hosts}, {placed}, pool="pool.txt"{keeper}{clients})
""",
    )

    def held(each: Resource) -> Resource:
        key = next((key for key in CONTENTS if key in each.properties), None)
        if key is None or each.type.startswith("hostgate-") or of_list not in each.name:
            return each
        found: Any = [f"{address}" if "/" in address else f"{address}/32" for address in addresses or ()]
        if key == "entries":
            found = [{"cidr": cidr, "description": of(cidr.partition("/")[0])} for cidr in found]
        without = () if labelled else ("labels", "tags")
        kept = {name: value for name, value in each.properties.items() if name not in (*without, key)}
        return replace(each, properties=kept if addresses is None else {**kept, key: found})

    return asked(Snapshot(tuple(map(held, snapshot.resources)), "a state"))


def beyond(found: Sequence[Reach]) -> set[str]:
    return {str(flow.address) for each in found for one in each.beyond for flow in one.flows}


def missing(found: Sequence[Reach]) -> set[str]:
    return {entry.rpartition(":")[2] for each in found for one in each.missing for entry, _ in one.entries}


@pytest.mark.parametrize("cloud", LISTS)
@pytest.mark.parametrize(
    ("addresses", "lacking"),
    [
        (FULL, set()),
        ([*FULL, "198.51.100.9"], set()),
        (["198.51.100.2", "198.51.100.3"], set()),
        (["198.51.100.2", "198.51.100.3", "198.51.100.9"], set()),
        (["198.51.100.8", "198.51.100.9"], set()),
        (["198.51.100.1", "198.51.100.2"], {"b"}),
        (["198.51.100.3"], {"a"}),
    ],
    ids=["as filled", "one more", "one less", "one for another", "every one turned", "none of b", "none of a"],
)
def test_what_a_push_did_is_the_refresher_s_and_a_host_of_which_nothing_is_left_is_missing(
    run: Run, cloud: str, addresses: list[str], lacking: set[str]
) -> None:
    found = standing(run, cloud, addresses)
    assert (beyond(found), missing(found)) == (set(), lacking)
    assert all(any("Whoever refreshes the pool answers" in said for said in each.assumptions) for each in found)


@pytest.mark.parametrize("cloud", LISTS)
@pytest.mark.parametrize("marked", [True, False])
def test_what_was_put_into_a_list_that_pulumi_keeps_is_beyond_whatever_it_says(
    run: Run, cloud: str, marked: bool
) -> None:
    own = (lambda _address: "hostgate:pool") if marked else (lambda address: f"of {address}")
    found = standing(run, cloud, ["198.51.100.2", "198.51.100.3", "198.51.100.9"], contents="pool", of=own)
    assert beyond(found) == {"198.51.100.9"}
    assert missing(found) == {"a"}


@pytest.mark.parametrize("description", ["me", "", "HOSTGATE:pool"])
def test_entries_of_others_in_a_list_that_a_refresher_keeps_are_beyond(run: Run, description: str) -> None:
    def of(address: str) -> str:
        return description if address == "198.51.100.9" else "hostgate:eu"

    found = standing(run, "aws", [*FULL, "198.51.100.9"], of=of)
    assert (beyond(found), missing(found)) == ({"198.51.100.9"}, set())


def test_an_address_that_stands_as_an_entry_of_others_is_not_missing(run: Run) -> None:
    found = standing(run, "aws", FULL, of=lambda address: "me" if address.endswith(".3") else "hostgate:pool")
    assert (beyond(found), missing(found)) == (set(), set())


@pytest.mark.parametrize("cloud", ["gcp", "azure"])
def test_what_is_in_a_group_that_does_not_say_whose_it_is_is_beyond(run: Run, cloud: str) -> None:
    found = standing(run, cloud, [*FULL, "198.51.100.9"], labelled=False)
    assert beyond(found) == {"198.51.100.9"}


@pytest.mark.parametrize("cloud", LISTS)
@pytest.mark.parametrize("wide", ["198.51.0.0/16", "0.0.0.0/0"])
def test_a_range_is_beyond_whose_ever_it_says_to_be(run: Run, cloud: str, wide: str) -> None:
    assert beyond(standing(run, cloud, [*FULL, wide]))


def test_each_grant_has_lists_of_its_own(run: Run) -> None:
    two = "[Grant('builds', ours, ['10.1.0.0/16']), Grant('runs', ours, ['10.2.0.0/16'])]"
    pushed = [*FULL, "198.51.100.9"]
    assert beyond(standing(run, "azure", pushed, hosts=two)) == set()
    assert missing(standing(run, "azure", FULL[:2], hosts=two, of_list="-runs-")) == {"b"}
    assert beyond(standing(run, "azure", pushed, hosts=two, of_list="-runs-")) == set()


def test_what_nobody_can_read_is_not_known(run: Run) -> None:
    found = standing(run, "gcp", None)
    assert any(each.unknown for each in found)
