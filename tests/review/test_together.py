"""Layers that clients meet together: what one does to the hosts of another counts, whichever of them changes."""

from collections.abc import Sequence
from typing import Any

import pytest

from conformance.catalogs import entry
from hostgate.catalog.model import Entry
from hostgate.review.guards import Guards, tripped
from hostgate.review.plan_changes import TargetDiff, diff
from hostgate.review.risks import risks
from hostgate.review.statement import Statement, state
from review.changes import made

A, B = entry("a.example"), entry("b.example")
WILD = entry("example.net", match="subtree")
MAIN = "projects/acme/global/networks/main"
SUBNET = "projects/acme/regions/europe-west4/subnetworks/main"
POLICY = "projects/acme/global/firewallPolicies/egress"


def urls(*entries: Entry) -> Statement:
    zones = ["europe-west1-b"]
    return state(made("gcp:url-filter", entries, attach=POLICY, networks=[MAIN], zones=zones, deny="declared"))


def fqdn(*entries: Entry, **options: Any) -> Statement:
    return state(made("gcp:fqdn", entries, **(options or {"networks": [MAIN]})))


def proxy(*entries: Entry, **options: Any) -> Statement:
    return state(made("gcp:web-proxy", entries, network=MAIN, subnetwork=SUBNET, proxy_subnet="10.9.0.0/23", **options))


def behind(*entries: Entry) -> Statement:
    """Addresses behind names in one policy."""
    return fqdn(*entries, attach=POLICY, base=20_000_000, deny="declared")


def counts(changes: Sequence[TargetDiff]) -> dict[str, tuple[int, int, int]]:
    return {each.target: (len(each.opened), len(each.closed), each.kept) for each in changes}


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ([behind(A)], [urls(B), behind(A)], {"gcp:url-filter": (1, 0, 0), "gcp:fqdn": (0, 1, 0)}),
        ([urls(B), behind(A)], [behind(A)], {"gcp:fqdn": (1, 0, 0), "gcp:url-filter": (0, 1, 0)}),
        ([behind(A)], [urls(A), behind(A)], {"gcp:url-filter": (0, 0, 0), "gcp:fqdn": (0, 0, 1)}),
        ([urls(A), behind(A)], [urls(A)], {"gcp:url-filter": (0, 0, 1), "gcp:fqdn": (0, 0, 1)}),
        ([urls(A, B), behind(A, B)], [urls(A)], {"gcp:url-filter": (0, 1, 1), "gcp:fqdn": (0, 1, 1)}),
        ([fqdn(A)], [fqdn(A), proxy(B)], {"gcp:fqdn": (0, 1, 0), "gcp:web-proxy": (1, 0, 0)}),
        ([fqdn(A)], [fqdn(A), proxy(A)], {"gcp:fqdn": (0, 0, 1), "gcp:web-proxy": (1, 0, 0)}),
        ([fqdn(A), proxy(B)], [fqdn(A), proxy(A)], {"gcp:fqdn": (1, 0, 0), "gcp:web-proxy": (1, 1, 0)}),
        ([fqdn(A)], [fqdn(A), proxy(B, routing="explicit", ports=[8080])],
         {"gcp:fqdn": (0, 0, 1), "gcp:web-proxy": (1, 0, 0)}),
    ],
    ids=["names that lack it come", "and go", "names that hold it come", "addresses go", "and so does one name",
         "a proxy that lacks it comes", "one that holds it", "and gets it", "one that clients are told of"],
)  # fmt: skip
def test_hosts_open_and_close_as_all_layers_let_them(
    base: list[Statement], head: list[Statement], expected: dict[str, tuple[int, int, int]]
) -> None:
    assert counts(diff(base, head)) == expected


def test_layers_of_another_cloud_are_told_in_the_same_way() -> None:
    rules, one, both = (
        state(made("aws:rules", [A, WILD])), state(made("aws:dns-firewall", [A])), state(made("aws:dns-firewall", [A, WILD])),
    )  # fmt: skip
    assert counts(diff([rules], [rules, one])) == {"aws:rules": (0, 1, 1), "aws:dns-firewall": (1, 0, 0)}
    assert counts(diff([rules, both], [rules, one])) == {"aws:rules": (0, 1, 1), "aws:dns-firewall": (0, 1, 1)}


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ([behind(A)], [urls(B), behind(A)], ["a.example must stay, and would close, which gcp:url-filter and gcp:fqdn blocks."]),
        ([fqdn(A)], [fqdn(A), proxy(B)], ["a.example must stay, and would close, which gcp:web-proxy blocks."]),
        ([urls(A), behind(A)], [urls(A)], []),
        ([urls(A), behind(A)], [behind(A)], []),
        ([urls(A), behind(A)], [urls(B)], ["a.example must stay, and would close on port 443."] * 2),
    ],
)  # fmt: skip
def test_a_host_that_must_stay_is_guarded_by_what_all_layers_do(
    base: list[Statement], head: list[Statement], expected: list[str]
) -> None:
    guards = Guards(never_remove=("a.example",), never_open_all=True)
    assert [each.message for each in tripped(guards, diff(base, head))] == expected


def test_a_deny_that_is_declared_for_both_stays_with_the_one_that_stays_and_none_with_a_layer_alone() -> None:
    guards = Guards(never_open_all=True)
    assert tripped(guards, diff([urls(A), behind(A)], [urls(A)])) == ()
    assert [each.guard for each in tripped(guards, diff([behind(A)], []))] == ["never-open-all"]
    assert [each.guard for each in tripped(guards, diff([fqdn(A), proxy(A)], [proxy(A)]))] == ["never-open-all"]


def test_a_proxy_only_subnet_that_goes_is_a_risk() -> None:
    with_one, without = proxy(A), state(made("gcp:web-proxy", [A], network=MAIN, subnetwork=SUBNET))
    (found,) = (each for each in risks(diff([with_one], [without])) if each.id == "safeguard")
    assert found.message == (
        "Before: 10.9.0.0/23 is made, which a route keeps from being led to the proxy again. Now: not there."
    )
    assert not [each for each in risks(diff([with_one], [with_one])) if each.id == "safeguard"]
