"""What a push put into lists that a refresher keeps, as a state shows it after DNS has changed: neither beyond nor missing. What
others put there is beyond, and a host of which nothing is left is missing."""

from collections.abc import Callable, Mapping, Sequence
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


ENTRIES = (("a", "a.example", 443, "https"), ("b", "b.example", 443, "https"))


def standing(
    run: Run,
    cloud: str,
    addresses: Sequence[str] | None,
    *,
    contents: str = "refresher",
    of: Callable[[str], str] = lambda _address: "hostgate:pool",
    owner: str | None = "pool",
    hosts: str = "ours",
    clients: str = "",
    of_list: str = "-tcp-",
    pool: Mapping[str, Sequence[str]] = HOSTS,
    entries: Sequence[tuple[str, str, int, str]] = ENTRIES,
    beside: str = "",
) -> list[Reach]:
    """What is said of a stack whose lists have come to hold `addresses`, each with the description `of` it where they have any;
    `owner`: whose the others say that all they hold is, None: nobody's. None in the place of addresses: nobody knows them.
    `beside`: another component of the program."""
    made, placed, refreshed = LISTS[cloud]
    told = "".join(
        f"host {host} window 86400\\n" + "".join(f"  {each} {SEEN}\\n" for each in listed)
        for host, listed in pool.items()
    )
    rows = "".join(
        f"  - {{id: {id_}, host: {host}, port: {port}, protocol: {protocol}, purpose: tests}}\\n"
        for id_, host, port, protocol in entries
    )
    keeper = f", contents='refresher', {refreshed}" if contents == "refresher" else ""
    snapshot = stand(
        run,
        f"""{made}
    from pathlib import Path
    Path("pool.txt").write_text("hostgate-pool 1\\n{told}end\\n")
    Path("ours.yaml").write_text("catalog: acme/ours\\nentries:\\n{rows}")
    ours = hostgate.select("./ours.yaml")
    def only(*ids): return hostgate.select("./ours.yaml", ids=[*ids])
    Lists("c", hosts={hosts}, {placed}, pool="pool.txt"{keeper}{clients})
    {beside}
""",
    )

    def held(each: Resource) -> Resource:
        key = next((key for key in CONTENTS if key in each.properties), None)
        if key is None or each.type.startswith("hostgate-") or of_list not in each.name:
            return each
        found: Any = [
            address if "/" in address else f"{address}/{128 if ':' in address else 32}" for address in addresses or ()
        ]
        if key == "entries":
            found = [{"cidr": cidr, "description": of(cidr.partition("/")[0])} for cidr in found]
        kept = {name: value for name, value in each.properties.items() if name not in ("labels", "tags", key)}
        if owner is not None and contents == "refresher":
            kept["labels" if key == "items" else "tags"] = {"hostgate-owner": owner}
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


@pytest.mark.parametrize("description", ["me", "", "HOSTGATE:pool", "hostgate:eu", "hostgate:", "hostgate:pool2"])
def test_entries_of_others_in_a_list_that_a_refresher_keeps_are_beyond(run: Run, description: str) -> None:
    def of(address: str) -> str:
        return description if address == "198.51.100.9" else "hostgate:pool"

    found = standing(run, "aws", [*FULL, "198.51.100.9"], of=of)
    assert (beyond(found), missing(found)) == ({"198.51.100.9"}, set())


def test_an_address_that_stands_as_an_entry_of_others_is_not_missing(run: Run) -> None:
    found = standing(run, "aws", FULL, of=lambda address: "me" if address.endswith(".3") else "hostgate:pool")
    assert (beyond(found), missing(found)) == (set(), set())


@pytest.mark.parametrize("cloud", ["gcp", "azure"])
@pytest.mark.parametrize("owner", [None, "eu", "", "Pool", "pool2"])
def test_what_is_in_a_group_that_does_not_say_that_it_is_the_refresher_s_is_beyond(
    run: Run, cloud: str, owner: str | None
) -> None:
    found = standing(run, cloud, [*FULL, "198.51.100.9"], owner=owner)
    assert (beyond(found), missing(found)) == ({"198.51.100.9"}, set())


@pytest.mark.parametrize("cloud", LISTS)
@pytest.mark.parametrize("owner", ["pool", "eu", None])
def test_what_is_gone_from_a_list_in_which_nothing_is_the_refresher_s_is_missing(
    run: Run, cloud: str, owner: str | None
) -> None:
    told = "" if owner is None else f"hostgate:{owner}"
    found = standing(run, cloud, FULL[1:], owner=owner, of=lambda _address: told)
    assert (beyond(found), missing(found)) == (set(), set() if owner == "pool" else {"a"})


@pytest.mark.parametrize("cloud", LISTS)
def test_what_another_owner_put_there_is_no_new_address_of_a_host(run: Run, cloud: str) -> None:
    found = standing(run, cloud, ["198.51.100.8", "198.51.100.3"], owner="eu", of=lambda _address: "hostgate:eu")
    assert (beyond(found), missing(found)) == ({"198.51.100.8"}, {"a"})


BOTH = {
    "a.example": ["198.51.100.1", "2001:db8::1"],
    "b.example": ["198.51.100.2", "2001:db8::2"],
    "c.example": ["198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8::2"],
}
"""Hosts of both families; c shares addresses with a and with b."""

FAMILIES = [("aws", "ipv4"), ("aws", "ipv6"), ("gcp", "ipv4"), ("gcp", "ipv6"), ("azure", "ipv4")]
"""By cloud; rules of Azure Firewall take IPv4 alone."""


def spelled(last: int, family: str) -> str:
    return f"2001:db8::{last}" if family == "ipv6" else f"198.51.100.{last}"


@pytest.mark.parametrize(("cloud", "family"), FAMILIES)
@pytest.mark.parametrize(("protocol", "port", "name"), [("udp", 123, "udp-123"), ("tcp", 22, "tcp-22")])
@pytest.mark.parametrize(
    ("pushed", "wrong", "lacking"),
    [
        ([2], {2}, {"own"}),
        ([1, 2], {2}, set()),
        ([2, 9], {2}, set()),
        ([9], set(), set()),
    ],
    ids=["the other's alone", "one too many", "the other's and a new one", "a new one"],
)
def test_the_addresses_of_a_host_of_another_port_are_beyond_and_no_new_ones_of_the_host_that_the_list_is_for(
    run: Run, cloud: str, family: str, protocol: str, port: int, name: str,
    pushed: list[int], wrong: set[int], lacking: set[str],
) -> None:  # fmt: skip
    entries = (*ENTRIES, ("own", "a.example", port, protocol))
    of_list = name if cloud == "azure" else f"{family}-{name}"
    held = [spelled(each, family) for each in pushed]
    found = standing(run, cloud, held, of_list=of_list, entries=entries, pool=BOTH)
    assert (beyond(found), missing(found)) == ({spelled(each, family) for each in wrong}, lacking)


@pytest.mark.parametrize(("cloud", "family"), FAMILIES)
def test_an_address_that_the_host_of_a_list_shares_with_another_is_the_host_s(
    run: Run, cloud: str, family: str
) -> None:
    entries = (*ENTRIES, ("own", "c.example", 22, "tcp"))
    of_list = "tcp-22" if cloud == "azure" else f"{family}-tcp-22"
    found = standing(run, cloud, [spelled(2, family)], of_list=of_list, entries=entries, pool=BOTH)
    assert (beyond(found), missing(found)) == (set(), set())


@pytest.mark.parametrize("cloud", ["gcp", "azure"])
@pytest.mark.parametrize("all_of", ["'a', 'b'", "'b'"], ids=["a list within the other", "lists apart"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_host_of_one_grant_in_the_list_of_another_is_beyond(run: Run, cloud: str, all_of: str, turned: bool) -> None:
    grants = f"[Grant('builds', only({all_of}), ['10.1.0.0/16']), Grant('runs', only('a'), ['10.2.0.0/16'])]"
    own = [] if turned else ["198.51.100.1"]
    found = standing(run, cloud, [*own, "198.51.100.3"], hosts=grants, of_list="-runs-")
    assert (beyond(found), missing(found)) == ({"198.51.100.3"}, {"a"} if turned else set())
    assert {str(flow.source)[:5] for each in found for one in each.beyond for flow in one.flows} == {"10.2."}
    found = standing(run, cloud, [*own, "198.51.100.9"], hosts=grants, of_list="-runs-")
    assert (beyond(found), missing(found)) == (set(), set())


@pytest.mark.parametrize(
    ("at", "host", "wrong", "lacking"),
    [
        ("198.51.100.7", "c.example", {"198.51.100.7"}, {"a"}),
        ("198.51.100.7", "a.example", set(), set()),
        ("198.51.100.1", "c.example", set(), set()),
        ("198.51.100.3", "a.example", {"198.51.100.3"}, {"a"}),
    ],
    ids=["another's", "its own elsewhere", "its own here", "another's here"],
)
def test_what_the_update_of_another_component_knew_counts_where_that_of_the_list_knew_nobody(
    run: Run, at: str, host: str, wrong: set[str], lacking: set[str]
) -> None:
    entries = (("a", "a.example", 443, "https"), ("b", "b.example", 53, "udp"), ("c", "c.example", 443, "https"))
    other = f"""Path("other.txt").write_text("hostgate-pool 1\\nhost {host} window 86400\\n  {at} {SEEN}\\nend\\n")
    Lists("other", hosts=only("{host[0]}"), resource_group='rg', pool="other.txt", from_=['10.2.0.0/16'])"""
    found = standing(
        run, "azure", [at], hosts="only('a', 'b')", clients="from_=['10.1.0.0/16']", of_list="refresher-tcp-443",
        entries=entries, beside=other,
    )  # fmt: skip
    assert (beyond(found), missing(found)) == (wrong, lacking)


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
