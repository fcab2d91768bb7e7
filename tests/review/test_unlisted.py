"""What is in no catalog: that it opens is told and stopped, whatever the count of hosts, and from every source alike."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.catalogs import MADE, entry, many
from conformance.strategies import INTERNET, INTERNET_6
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import main_targets, mechanism
from hostgate.planning.options import OptionsError, read_options
from hostgate.planning.plan import Plan
from hostgate.review.guards import Guards, idle, tripped
from hostgate.review.plan_changes import TargetDiff, diff
from hostgate.review.review import Review
from hostgate.review.risks import risks
from hostgate.review.statement import Statement, state
from hostgate.review.unlisted import within
from review.changes import SOURCES, by_source, made

HOSTS = [entry("a.example"), entry("b.example")]
RULES, LIST, DNS, GCP, URL, PROXY, AZURE = MADE
NET, OTHER = "projects/acme/global/networks/main", "projects/acme/global/networks/other"
MANAGED = "arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/ThreatSignaturesMalwareStrictOrder"
POLICY = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/hub"
SUBNETS = [{"subnetId": "subnet-1a"}, {"subnetId": "subnet-1b"}]
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/hub"
FIREWALL = {"vpcId": "vpc-1", "subnetMappings": SUBNETS}
ABOVE = {"parent": "folders/1", "nodes": ["folders/1"]}

IN, ZONES = (
    {"network": NET, "subnetwork": "projects/acme/regions/europe-west4/subnetworks/main"},
    ["europe-west1-b", "europe-west1-c"],
)
EAST = {**IN, "subnetwork": "projects/acme/regions/us-east1/subnetworks/main"}
EXPLICIT, ALONE = {**IN, "routing": "explicit", "ports": [8080]}, {"project": "acme", "region": "europe-west4"}
TWO: dict[str, Any] = {"networks": [NET], "zones": ZONES}
ENDPOINT = f"projects/acme/locations/{ZONES[0]}/firewallEndpoints/theirs"
TAG, TAGS = "tagValues/1", ["tagValues/1", "tagValues/2"]

Options = dict[str, Any]


def planned(target: str, options: Options | None) -> list[Plan]:
    return [] if options is None else [made(target, HOSTS, **options)]


def between(source: str, target: str, before: Options | None, after: Options | None) -> tuple[TargetDiff, ...]:
    return diff(by_source(source, planned(target, before)), by_source(source, planned(target, after)))


def about(changes: Iterable[TargetDiff], what: str) -> set[str]:
    return {shift.about for change in changes for shift in getattr(change.unlisted, what)}


OPENS: list[tuple[str, Options, Options | None, set[str]]] = [
    *((target, {}, {"mode": "audit"}, {"mode audit"}) for target in MADE),
    *((target, {}, {"deny": "none"}, {"deny none"}) for target in MADE if target not in (PROXY, AZURE)),
    *((target, {}, {"deny": "declared"}, {"deny declared"}) for target in (DNS, GCP, PROXY, AZURE)),
    (RULES, {}, {"deny": "declared"}, {"deny declared", "policy"}),
    (RULES, {}, {"deny": "declared", "edge": False}, {"deny declared", "policy", "UDP"}),
    (RULES, {"deny": "declared"}, {"deny": "declared", "edge": False}, {"UDP"}),
    (GCP, {"deny": "all"}, {"deny": "declared"}, {"deny declared"}),
    (GCP, {"deny": "declared"}, {"deny": "none"}, {"deny none"}),
    (GCP, {"deny": "declared"}, {"deny": "declared", "mode": "audit"}, {"mode audit"}),
    *((target, {}, None, {target}) for target in MADE),
    (RULES, {"deny": "declared"}, None, {RULES}),
    (GCP, {"networks": [NET]}, {}, {f"network {NET}"}),
    (GCP, {"networks": [NET]}, {"networks": [OTHER]}, {f"network {NET}"}),
    (GCP, {"networks": [NET, OTHER]}, {"networks": [OTHER]}, {f"network {NET}"}),
    (GCP, {"attach": "egress"}, {}, {"policy egress"}),
    (GCP, {"attach": "egress"}, {"attach": "other"}, {"policy egress"}),
    (GCP, {"networks": [NET]}, {"attach": "egress"}, {"the policy that hostgate makes", f"network {NET}"}),
    (GCP, {"networks": [NET]}, {"networks": [NET], "region": "europe-west1"}, {f"network {NET}"}),
    (GCP, ABOVE, {**ABOVE, "networks": [NET]}, {"folders/1"}),
    (GCP, {**ABOVE, "networks": [NET, OTHER]}, {**ABOVE, "networks": [NET]}, {f"network {OTHER} by folders/1"}),
    (GCP, {"attach": "5"}, {"attach": "5", "networks": [NET]}, {"policy locations/global/firewallPolicies/5"}),
    (GCP, {}, {"families": ["ipv4"]}, {"IPv6"}),
    (GCP, {}, {"families": ["ipv6"]}, {"IPv4"}),
    (GCP, {"deny": "all"}, {}, {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}),
    (RULES, {"attach": POLICY}, {"deny": "declared"}, {f"policy {POLICY}"}),
    (RULES, {"attach": POLICY}, {}, {f"policy {POLICY}"}),
    (RULES, {"attach": POLICY}, {"attach": f"{POLICY}-2"}, {f"policy {POLICY}"}),
    (RULES, {"firewall": FIREWALL}, {}, {"vpc-1, subnet-1a", "vpc-1, subnet-1b"}),
    (RULES, {"firewall": FIREWALL}, {"firewall": {**FIREWALL, "subnetMappings": SUBNETS[:1]}}, {"vpc-1, subnet-1b"}),
    (LIST, {"firewall": FIREWALL}, {"firewall": {**FIREWALL, "vpcId": "vpc-2"}}, {"vpc-1, subnet-1a", "vpc-1, subnet-1b"}),
    (RULES, {}, {"homeNet": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]}, {"100.64.0.0/10"}),
    (RULES, {"homeNet": ["10.1.0.0/16"]}, {"homeNet": ["10.0.0.0/8"]}, {"10.0.0.0/8"}),
    (RULES, {"deny": "all", "homeNet": ["10.0.0.0/8"]}, {"homeNet": ["10.0.0.0/8"]}, {"10.0.0.0/8"}),
    (DNS, {"vpcs": ["vpc-1"]}, {}, {"VPC vpc-1"}),
    (DNS, {"vpcs": ["vpc-1", "vpc-2"]}, {"vpcs": ["vpc-2", "vpc-3"]}, {"VPC vpc-1"}),
    (DNS, {}, {"failMode": "open"}, {"queries while DNS Firewall does not answer"}),
    (DNS, {}, {"failMode": "unset"}, {"queries while DNS Firewall does not answer"}),
    (GCP, {"networks": [NET]}, {"networks": [NET], "from": [TAG]}, {f"everybody but {TAG}"}),
    (GCP, {"from": TAGS}, {"from": [TAG]}, {"tagValues/2"}),
    (GCP, {"from": [TAG]}, {"from": ["tagValues/2"]}, {TAG}),
    (GCP, {"from": [TAG, "10.0.0.0/8"]}, {"from": [TAG, "10.1.0.0/16"]}, {f"{TAG} within 10.0.0.0/8"}),
    (
        GCP,
        {"from": [TAG, "10.1.0.0/16"], "base": 1000},
        {"from": ["tagValues/2", "10.0.0.0/16", "10.1.0.0/16"], "base": 2000},
        {f"{TAG} within 10.1.0.0/16"},
    ),
    (GCP, {"from": ["10.0.0.0/8", "fd00::/8"]}, {"from": ["10.0.0.0/8"]}, {"IPv6", "fd00::/8"}),
    (GCP, {**ABOVE}, {**ABOVE, "nodes": []}, {"folders/1"}),
    (URL, {"networks": [NET], "zones": ZONES}, {"networks": [NET], "zones": ZONES[:1]}, {f"zone {ZONES[1]}"}),
    (URL, {"zones": ZONES}, {"zones": ZONES[:1], "openZones": ZONES[1:]}, {f"zone {ZONES[1]}"}),
    (URL, {"networks": [NET, OTHER], "zones": ZONES}, {"networks": [NET], "zones": ZONES}, {f"network {OTHER}"}),
    (URL, {"networks": [NET], "from": TAGS}, {"networks": [NET], "from": [TAG]}, {"tagValues/2"}),
    *((URL, {**TWO, "endpoints": own}, {**TWO, "endpoints": {ZONES[0]: "declared", **more}}, {f"zone {ZONES[0]}"})
      for own, more in (({}, {}), ({ZONES[0]: ENDPOINT}, {}), ({ZONES[1]: "declared"}, {ZONES[1]: "declared"}))),
    (URL, {"networks": [NET]}, {"networks": [NET], "families": ["ipv4"]}, {"IPv6"}),
    (PROXY, IN, EXPLICIT, {"IPv4 that routes lead to the proxy"}),
    (PROXY, {**IN, "deny": "declared"}, {**EXPLICIT, "deny": "declared"}, {"IPv4 that routes lead to the proxy"}),
    (PROXY, {**IN, **ALONE}, ALONE, {f"network {NET} in europe-west4"}),
    (PROXY, IN, {**IN, "network": OTHER}, {f"network {NET} in europe-west4"}),
    (PROXY, IN, EAST, {f"network {NET} in europe-west4", "the policy that hostgate makes in europe-west4"}),
    (PROXY, IN, {**IN, "networkTags": ["web"]}, {"everybody but network tag web"}),
    (PROXY, {**IN, "networkTags": ["web", "api"]}, {**IN, "networkTags": ["web"]}, {"network tag api"}),
    (PROXY, {**IN, "deny": "all"}, IN, {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}),
    (PROXY, EXPLICIT, {**EXPLICIT, "mode": "audit"}, {"mode audit"}),
    (AZURE, {"resourceGroup": "rg-hub"}, {"resourceGroup": "rg-new"}, {"policy rg-hub/hostgate"}),
    (AZURE, {"attach": "rg-hub/fp-hub"}, {"attach": "rg-hub/fp-new"}, {"policy rg-hub/fp-hub"}),
    (AZURE, {"attach": "rg-hub/fp-hub"}, {"resourceGroup": "rg-hub"}, {"policy rg-hub/fp-hub"}),
    (AZURE, {"resourceGroup": "rg", "name": "one"}, {"resourceGroup": "rg", "name": "two"}, {"policy rg/one"}),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("target", "before", "after", "expected"), OPENS)
def test_whatever_no_longer_denies_opens_everything(
    source: str, target: str, before: Options, after: Options | None, expected: set[str]
) -> None:
    changes = between(source, target, before, after)
    found = about(changes, "opens")
    assert len(found) == len(expected)
    assert all(any(words in each for each in found) for words in expected), found
    first, *_ = risks(changes)
    assert first.id == "everything-open"
    trips = {each.guard: each.message for each in tripped(Guards(max_opened=1_000), changes)}
    assert trips["max-opened"] == "Everything would open, allowed 1000."
    assert trips["never-open-all"].startswith("Everything would open: ")


@pytest.mark.parametrize(
    ("one", "others", "expected"),
    [
        ("A within 10.1.0.0/16", ["A within 10.0.0.0/8"], True),
        ("A within 10.1.0.0/16, fd00::/8", ["A within 10.0.0.0/16, 10.1.0.0/16, fd00::/8"], True),
        ("A within 10.1.0.0/16", ["A"], True),
        ("A within 10.1.0.0/16", ["10.0.0.0/8"], True),
        ("A within 10.1.0.0/16", ["B within 10.1.0.0/16"], False),
        ("A within 10.1.0.0/16", ["B within 10.0.0.0/16, 10.1.0.0/16"], False),
        ("A within fd01::/16", ["B within 10.0.0.0/16, fd01::/16"], False),
        ("A within 10.1.0.0/16, fd00::/8", ["A within 10.1.0.0/16", "B within 10.1.0.0/16, fd00::/8"], False),
        ("A", ["A within 10.0.0.0/8"], False),
        ("10.1.0.0/16", ["A within 10.0.0.0/16, 10.1.0.0/16"], False),
    ],
)
def test_the_ranges_of_a_client_say_nothing_of_another(one: str, others: Sequence[str], expected: bool) -> None:
    assert within(one, others) == expected


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        *((target, None, {}) for target in MADE),
        *((target, {"mode": "audit"}, {}) for target in MADE),
        (GCP, {"deny": "none"}, {}),
        (GCP, {"deny": "none"}, {"mode": "audit"}),
        (GCP, {"deny": "declared"}, {}),
        (GCP, {}, {"networks": [NET]}),
        (GCP, {"networks": [NET]}, {"networks": [OTHER, NET]}),
        (GCP, {"families": ["ipv4"]}, {}),
        (GCP, {}, {"deny": "all"}),
        (GCP, {}, {"base": 3000}),
        (DNS, {"failMode": "open"}, {}),
        (DNS, {}, {"blockResponse": "NXDOMAIN"}),
        (RULES, {}, {"reject": True}),
        (RULES, {"reject": True}, {}),
        (RULES, {}, {"homeNet": ["10.0.0.0/8"]}),
        (RULES, {"homeNet": ["10.0.0.0/8"]}, {"homeNet": ["10.1.0.0/16", "10.2.0.0/16"]}),
        (RULES, {}, {"from": ["10.0.0.0/8"]}),
        (RULES, {"homeNet": ["10.0.0.0/9", "10.128.0.0/9"]}, {"homeNet": ["10.0.0.0/8"]}),
        (RULES, {"from": ["10.0.0.0/8"]}, {}),
        (RULES, {"deny": "declared"}, {"attach": POLICY, "deny": "declared"}),
        (RULES, {"deny": "declared"}, {}),
        (AZURE, {"attach": "rg-hub/fp-hub"}, {"attach": "RG-HUB/fp-hub"}),
        (GCP, {"from": [TAG]}, {"from": TAGS}),
        (GCP, {"from": [TAG, "10.1.0.0/16"]}, {"from": [TAG, "10.0.0.0/8"]}),
        (GCP, {"from": [TAG, "10.1.0.0/16"]}, {"from": [TAG]}),
        (GCP, {**ABOVE, "networks": [NET]}, ABOVE),
        (GCP, {"attach": "5", "networks": [NET]}, {"attach": "5"}),
        (GCP, {"networks": [NET], "region": "europe-west1"}, {"networks": [NET]}),
        (URL, {"networks": [NET], "zones": ZONES[:1]}, {"networks": [NET], "zones": ZONES}),
        (URL, {"zones": ZONES[:1]}, {"zones": ZONES[:1], "openZones": ZONES[1:]}),
        (URL, {**TWO, "endpoints": {ZONES[0]: "declared"}}, TWO),
        (URL, TWO, {**TWO, "endpoints": {ZONES[0]: ENDPOINT}}),
        (PROXY, EXPLICIT, {**EXPLICIT, "routing": "next-hop"}),
        (GCP, {"from": ["0.0.0.0/0", "::/0"]}, {}),
        (GCP, {"from": ["0.0.0.0/1", "128.0.0.0/1", "::/0"]}, {}),
        (PROXY, ALONE, {**ALONE, **IN}),
        (PROXY, {**IN, "networkTags": ["web"]}, IN),
        (PROXY, IN, {**IN, "from": ["10.0.0.0/8"]}),
        (PROXY, {**IN, "exempt": ["203.0.113.0/24"]}, IN),
    ],
)
def test_what_narrows_or_comes_new_is_never_said_to_open_everything(
    source: str, target: str, before: Options | None, after: Options
) -> None:
    changes = between(source, target, before, after)
    assert about(changes, "opens") == set()
    assert not tripped(Guards(max_opened=9), changes)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", MADE)
def test_the_way_back_is_told_as_closing(source: str, target: str) -> None:
    changes = between(source, target, {"mode": "audit"}, {})
    assert about(changes, "closes") == {"deny internet"}
    assert "everything-closed" in {each.id for each in risks(changes)}


@pytest.mark.parametrize("source", SOURCES)
def test_every_address_of_both_families_is_everybody(source: str) -> None:
    (change,) = between(source, GCP, {}, {"from": ["0.0.0.0/0", "::/0"]})
    (one_family,) = between(source, GCP, {}, {"from": ["0.0.0.0/0"]})

    assert (change.clients_added, change.clients_removed, bool(change.unlisted)) == ((), (), False)
    assert (len(one_family.clients_removed), bool(one_family.unlisted.opens)) == (1, True)


@pytest.mark.parametrize("source", SOURCES)
def test_a_deny_that_is_only_declared_is_not_said_to_close_anything(source: str) -> None:
    (change,) = between(source, GCP, {"from": TAGS}, {"from": [TAG], "deny": "declared"})

    assert about([change], "opens") == {"deny declared"}
    assert not change.unlisted.closes


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("target", "before", "after", "lose"),
    [
        (URL, {"from": ["10.0.0.0/8"]}, {"from": ["10.0.0.0/8", "fd20::/20"]}, ("fd20::/20",)),
        (URL, {"from": ["10.0.0.0/8", "fd20::/24"]}, {"from": ["10.0.0.0/8", "fd20::/20"]}, ("fd20::/20",)),
        (URL, {"from": [TAG, "10.0.0.0/8"]}, {"from": [TAG, "10.0.0.0/8", "fd20::/20"]}, (f"{TAG} within fd20::/20",)),
        (
            URL,
            {"from": ["10.0.0.0/8", "fd20::/20"], "mode": "audit"},
            {"from": ["10.0.0.0/8", "fd20::/20"]},
            ("fd20::/20",),
        ),
        (URL, {"from": ["10.0.0.0/8", "fd20::/20"]}, {"from": ["10.0.0.0/8"]}, ()),
        (URL, {"from": ["10.0.0.0/8", "fd20::/20"]}, {"from": ["10.0.0.0/9", "10.128.0.0/9", "fd20::/20"]}, ()),
        (GCP, {"from": ["10.0.0.0/8"]}, {"from": ["10.0.0.0/8", "fd20::/20"]}, ()),
    ],
)
def test_clients_that_only_the_deny_is_about_lose_the_hosts(
    source: str, target: str, before: Options, after: Options, lose: tuple[str, ...]
) -> None:
    (change,) = between(source, target, before, after)

    assert change.clients_removed == lose
    assert target != URL or not change.clients_added
    assert {each.guard for each in tripped(Guards(max_removed=1, never_remove=("a.example",)), [change])} >= (
        {"max-removed", "never-remove"} if lose else set()
    )
    told = [each.why for each in change.unlisted.closes if "so do the hosts" in each.why]
    assert bool(told) == (bool(lose) and before.get("mode") != "audit")


AUDIT: Options = {"mode": "audit"}
SHARED: Options = {"attach": "egress", **AUDIT}
UNDER: Options = {**ABOVE, **AUDIT}
ZONED: Options = {**SHARED, "networks": [NET], "zones": ZONES}
HUB: Options = {"attach": "rg-hub/fp-hub", **AUDIT}
FEW, MORE, BOTH = {"from": ["10.1.0.0/16"]}, {"from": ["10.0.0.0/8"]}, {"from": ["10.1.0.0/16", "10.2.0.0/16"]}

AUDITED: list[tuple[str, Options, Options, set[str]]] = [
    *((PROXY, {**where, **AUDIT, **FEW}, {**where, **AUDIT, **MORE}, {"10.0.0.0/8"}) for where in ({}, IN, EXPLICIT)),
    (PROXY, {**IN, **AUDIT, **MORE}, {**IN, **AUDIT}, {"everybody but 10.0.0.0/8"}),
    (PROXY, {**AUDIT, **FEW}, {**AUDIT, **BOTH}, {"10.2.0.0/16"}),
    (PROXY, {**AUDIT, "from": [TAG]}, {**AUDIT, "from": TAGS}, {"tagValues/2"}),
    (AZURE, {**AUDIT, **FEW}, {**AUDIT, **BOTH}, {"10.2.0.0/16"}),
    (AZURE, {**HUB, **FEW}, {**HUB, **MORE}, {"10.0.0.0/8"}),
    (AZURE, {**AUDIT, **FEW}, AUDIT, {"everybody but 10.1.0.0/16"}),
    (GCP, {**SHARED, "from": [TAG]}, {**SHARED, "from": TAGS}, {"tagValues/2"}),
    (GCP, {**SHARED, "from": [TAG]}, {**SHARED, "from": [TAG], "attach": "other"}, {"policy other"}),
    (GCP, {**SHARED, "deny": "none", "from": [TAG]}, {**SHARED, "from": [TAG]}, {TAG}),
    (GCP, {"networks": [NET], "from": [TAG], **AUDIT}, {**SHARED, "from": [TAG]}, {TAG}),
    (GCP, {**UNDER, "from": [TAG]}, {**UNDER, "from": TAGS}, {"tagValues/2"}),
    (URL, {**ZONED, **FEW}, {**ZONED, **BOTH}, {"10.2.0.0/16"}),
    (URL, {**ZONED, **FEW, "deny": "declared"}, {**ZONED, **BOTH, "deny": "declared"}, {"10.2.0.0/16"}),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("target", "fewer", "more", "who"), AUDITED)
def test_audit_opens_everything_to_whom_something_else_denies_it_and_the_way_back_closes_it(
    source: str, target: str, fewer: Options, more: Options, who: set[str]
) -> None:
    forth, back = between(source, target, fewer, more), between(source, target, more, fewer)

    assert who <= about(forth, "opens")
    assert {each.guard for each in tripped(Guards(max_opened=99), forth)} >= {"never-open-all", "max-opened"}
    assert who <= about(back, "closes")


@pytest.mark.parametrize(
    ("target", "fewer", "more"),
    [
        (GCP, {"networks": [NET], **AUDIT, "from": [TAG]}, {"networks": [NET], **AUDIT, "from": TAGS}),
        (GCP, {**SHARED, "deny": "declared", "from": [TAG]}, {**SHARED, "deny": "declared", "from": TAGS}),
        (URL, {"networks": [NET], "zones": ZONES, **AUDIT, **FEW}, {"networks": [NET], "zones": ZONES, **AUDIT, **BOTH}),
        (RULES, {**AUDIT, **FEW}, {**AUDIT, **BOTH}),
        (RULES, {**AUDIT, "attach": POLICY, **FEW}, {**AUDIT, "attach": POLICY, **BOTH}),
    ],
)  # fmt: skip
def test_audit_opens_nothing_to_more_clients_where_nobody_denied_them(
    target: str, fewer: Options, more: Options
) -> None:
    changes = between("stack", target, fewer, more)
    assert (about(changes, "opens"), about(changes, "closes")) == (set(), set())


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("target", "options", "who"),
    [
        (GCP, {**SHARED, "from": [TAG]}, TAG),
        (URL, {**ZONED, "from": [TAG]}, TAG),
        (GCP, {**UNDER, "from": [TAG]}, TAG),
        (
            PROXY,
            {**AUDIT, "attach": "projects/acme/locations/europe-west4/gatewaySecurityPolicies/p", **FEW},
            "10.1.0.0/16",
        ),
        (AZURE, {**HUB, **FEW}, "10.1.0.0/16"),
    ],
)
def test_a_new_layer_in_audit_mode_opens_what_the_place_that_it_comes_into_denies(
    source: str, target: str, options: Options, who: str
) -> None:
    assert about(between(source, target, None, options), "opens") == {who}
    assert about(between(source, target, options, None), "closes") == {who}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("option", [{"mode": "audit"}, {"deny": "none"}])
def test_a_new_layer_that_denies_nothing_says_so_and_opens_nothing(source: str, option: Options) -> None:
    changes = between(source, RULES, None, option)
    assert risks(changes)[0].id == "not-enforced"
    assert not tripped(Guards(max_opened=9), changes)


def test_another_owner_who_may_deny_is_named_and_nothing_more_is_claimed() -> None:
    (handed,) = between("stack", GCP, {}, {"deny": "declared"})
    (own,) = between("stack", GCP, {}, {"deny": "none"})
    assert handed.unlisted.opens[0].why.endswith("opens, unless the policy of another owner denies it.")
    assert "unless" not in own.unlisted.opens[0].why


def test_a_refused_head_opens_nothing_because_nothing_of_it_is_made() -> None:
    wide = [*HOSTS, entry("c.example", match="subtree")]
    refused = state(made(GCP, wide, mode="audit"))
    assert refused.refused
    assert not diff([state(made(GCP, HOSTS))], [refused])[0].unlisted


class TestGuard:
    CHANGE = between("stack", GCP, {}, {"mode": "audit"})

    @pytest.mark.parametrize(
        ("sides", "stops"),
        [
            ([Guards()], True),
            ([Guards(max_removed=1)], True),
            ([Guards(never_open_all=True)], True),
            ([Guards(never_open_all=False)], False),
            ([Guards(never_open_all=False), Guards()], False),
            ([Guards(never_open_all=False), Guards(never_open_all=True)], True),
            ([Guards(never_open_all=True), Guards(never_open_all=False)], True),
        ],
    )
    def test_it_holds_unless_whoever_says_anything_turns_it_off(self, sides: Sequence[Guards], stops: bool) -> None:
        both = sides[0]
        for other in sides[1:]:
            both = both.with_those_of(other)
        assert bool(tripped(both, self.CHANGE)) == stops

    def test_an_override_lets_it_through_and_stays_visible(self) -> None:
        review = Review(subject="s", base="b", head="h", targets=self.CHANGE, override="a migration, ticket 4711")
        assert review.ok
        assert review.as_json()["guards"]["never_open_all"] is True
        assert [each["guard"] for each in review.as_json()["guards"]["tripped"]] == ["never-open-all"]

    def test_a_host_that_only_passed_because_nothing_was_denied_must_stay_too(self) -> None:
        changes = between("stack", RULES, {"mode": "audit"}, {})
        guards = Guards(never_remove=("a.example", "debian.example"))
        assert [each.message for each in tripped(guards, changes)] == [
            "debian.example must stay, and would close: so far nothing is denied."
        ]
        assert idle(guards, changes) == ()


class TestBeside:
    @pytest.mark.parametrize("source", SOURCES)
    def test_a_zone_of_ones_own_opens_like_a_host(self, source: str) -> None:
        changes = between(
            source, DNS, {"inside": ["corp.example"]}, {"inside": ["corp.example", "dev.corp.example", "lab"]}
        )
        assert about(changes, "exempt") == {"lab"}
        assert not tripped(Guards(max_opened=1), changes)
        assert [each.message for each in tripped(Guards(max_opened=0), changes)] == ["1 would open, allowed 0."]
        assert "exempt" in {each.id for each in risks(changes)}

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize(
        ("before", "after", "subject"),
        [
            ({"managedGroups": [{"arn": MANAGED}]}, {}, f"managed group {MANAGED}"),
            (
                {"managedGroups": [{"arn": MANAGED}]},
                {"managedGroups": [{"arn": MANAGED, "override": "DROP_TO_ALERT"}]},
                f"managed group {MANAGED}",
            ),
            ({"tlsInspection": TLS}, {}, "TLS inspection"),
            ({}, {"defaultActions": ["aws:drop_established"]}, "default actions"),
            ({"reject": True}, {}, "default actions"),
            ({"firewall": {**FIREWALL, "deleteProtection": True}}, {"firewall": FIREWALL}, "delete protection"),
        ],
    )
    def test_what_else_narrows_is_told_when_it_goes(
        self, source: str, before: Options, after: Options, subject: str
    ) -> None:
        found = risks(between(source, RULES, before, after))
        assert ("safeguard", subject) in {(each.id, each.subject) for each in found}
        assert "everything-open" not in {each.id for each in found}

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize(
        ("target", "before", "after", "subject"),
        [
            (URL, {"networks": [NET], "zones": ZONES, "mtu": 8000}, {"mtu": 1460}, "packets that are inspected"),
            (
                URL,
                {"zones": ZONES[:1], "endpoints": {ZONES[0]: "declared"}},
                {"mtu": 8500},
                "packets that are inspected",
            ),
            (URL, {"zones": ZONES[:1]}, {"openZones": ZONES[1:]}, "packets that are inspected"),
            (PROXY, {**IN, "networkTags": ["web"]}, {"route": "static"}, "route to the proxy"),
            (PROXY, IN, {"routeBase": 2000}, "route to the proxy"),
            (GCP, {"attach": "egress"}, {"base": 3000}, "first priority among rules of others"),
        ],
    )
    def test_so_is_what_narrows_on_google_cloud(
        self, source: str, target: str, before: Options, after: Options, subject: str
    ) -> None:
        found = risks(between(source, target, before, {**before, **after}))
        assert ("safeguard", subject) in {(each.id, each.subject) for each in found}
        assert "everything-open" not in {each.id for each in found}

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize(
        "after",
        [
            {"endpoints": {ZONES[0]: "declared"}},
            {"endpoints": dict.fromkeys(ZONES, "declared")},
            {"endpoints": {ZONES[1]: f"projects/acme/locations/{ZONES[1]}/firewallEndpoints/theirs"}},
            {"mtu": 1300},
        ],
        ids=str,
    )
    def test_an_endpoint_of_others_that_surely_inspects_is_no_less(self, source: str, after: Options) -> None:
        before: Options = {"networks": [NET], "zones": ZONES}
        for one, other in ((before, {**before, **after}), ({**before, **after}, before)):
            assert not about(between(source, URL, one, other), "safeguards")

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize(
        ("before", "after", "more"),
        [
            ({"addresses": {"git": ["192.0.2.0/28"]}}, {"addresses": {"git": ["192.0.2.0/24"]}}, "192.0.2.0/24"),
            ({"addresses": {"git": ["192.0.2.0/24"]}}, {"addresses": {"git": ["192.0.2.0/28"]}}, None),
            ({"addresses": {"git": ["192.0.2.0/24", "198.51.100.7/32"]}},
             {"addresses": {"git": ["192.0.2.0/24", "198.51.100.8/32"]}}, "198.51.100.8/32"),
            ({"ipSets": {"git": f"{POLICY}-a"}}, {"ipSets": {"git": f"{POLICY}-b"}}, f"{POLICY}-b"),
        ],
    )  # fmt: skip
    def test_addresses_that_a_host_gets_more_of_open_like_a_host(
        self, source: str, before: Options, after: Options, more: str | None
    ) -> None:
        git = [entry("git.example", "git", protocol="tcp", port=22)]
        sides = [by_source(source, [made(RULES, git, **options)]) for options in (before, after)]
        changes = diff(*sides)
        how = "in place of those before" if "ipSets" in after else "too, beside the addresses before"
        if more == "198.51.100.8/32":
            how = "in place of 198.51.100.7/32"
        assert [each.message for each in risks(changes) if each.id == "addresses-wider"] == (
            [f"git opens {more} {how}."] if more else []
        )
        assert len(tripped(Guards(max_opened=0), changes)) == (1 if more else 0)

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize(
        ("before", "after", "more", "left"),
        [
            (None, {"access": "private"}, "199.36.153.8/30", "those of the name"),
            (
                {"access": "private"},
                {"access": "restricted"},
                "199.36.153.4/30, 2600:2d00:0002:1000::/64",
                "199.36.153.8/30",
            ),
            ({"access": "psc", "addresses": ["10.3.0.5"]}, {"access": "private"}, "199.36.153.8/30", "10.3.0.5/32"),
            (
                {"access": "psc", "addresses": ["10.3.0.5"]},
                {"access": "psc", "addresses": ["10.3.0.5", "10.3.0.6"]},
                "10.3.0.6/32",
                None,
            ),
            (
                {"access": "psc", "addresses": ["10.3.0.5", "10.3.0.6"]},
                {"access": "psc", "addresses": ["10.3.0.5"]},
                None,
                "10.3.0.6/32",
            ),
            ({"access": "private"}, None, None, "199.36.153.8/30"),
        ],
    )
    def test_so_do_names_of_google_that_are_led_to_addresses_with_every_api_behind_them(
        self, source: str, before: Options | None, after: Options | None, more: str | None, left: str | None
    ) -> None:
        hosts = [entry("storage.googleapis.com", "bucket"), entry("a.example", "other")]
        sides = [
            by_source(
                source,
                [made(GCP, hosts, **({"googleApis": {**apis, "responsePolicy": "declared"}} if apis else {}))],
            )
            for apis in (before, after)
        ]
        changes = diff(*sides)
        assert [each.message for each in risks(changes) if each.id == "addresses-wider"] == (
            [f"bucket opens {more} {'in place of those before' if left else 'too, beside the addresses before'}."]
            if more
            else []
        )
        assert ("widened" in {each.id for each in risks(changes)}) == (more is not None)
        found = tripped(Guards(max_opened=0), changes)
        assert [each.message for each in found if each.guard == "max-opened"] == (
            ["1 would open, allowed 0."] if more else []
        )
        assert [each.message.partition(" from the moment")[0] for each in found if each.guard == "one-update"] == (
            [f"No single update leads there: storage.googleapis.com is denied at {left}"] if left else []
        )


class TestLayers:
    """Layers of one cloud are told apart by target, components of one target by name, Regions by both."""

    @pytest.mark.parametrize("source", SOURCES)
    def test_a_change_in_one_layer_is_told_once_and_there(self, source: str) -> None:
        before = [made(RULES, HOSTS), made(DNS, HOSTS, vpcs=["vpc-1"])]
        after = [made(RULES, HOSTS), made(DNS, [*HOSTS, entry("c.example")], vpcs=["vpc-1"])]
        rules, dns = diff(by_source(source, before), by_source(source, after))
        assert (rules.target, rules.unchanged) == (RULES, True)
        assert (dns.target, [each.entry.host for each in dns.opened], dns.closed) == (DNS, ["c.example"], ())

    @pytest.mark.parametrize("source", SOURCES)
    def test_a_layer_that_is_dropped_opens_everything_on_that_layer_only(self, source: str) -> None:
        before = [made(RULES, HOSTS), made(DNS, HOSTS)]
        kept, gone = diff(by_source(source, before), by_source(source, before[:1]))
        assert (kept.unchanged, gone.target, about([gone], "opens")) == (True, DNS, {DNS})

    def test_a_layer_of_another_sight_takes_nobody_s_place(self) -> None:
        new, gone = diff([state(made(RULES, HOSTS))], [state(made(DNS, HOSTS))])
        assert (new.base, gone.head, about([gone], "opens")) == (None, None, {RULES})

    def test_components_of_one_target_are_named_in_every_row(self) -> None:
        before = [made(RULES, HOSTS, name=name) for name in ("builders", "nodes")]
        after = [before[0], made(RULES, HOSTS, name="nodes", mode="audit")]
        changes = diff(by_source("preview", before), by_source("preview", after))
        assert [each.unchanged for each in changes] == [True, False]
        assert risks(changes)[0].target == f"{RULES} nodes"
        assert tripped(Guards(), changes)[0].target == f"{RULES} nodes"

    @pytest.mark.parametrize("head", SOURCES)
    @pytest.mark.parametrize("base", SOURCES)
    def test_a_region_that_goes_opens_everything_there(self, base: str, head: str) -> None:
        before = [made(RULES, HOSTS, regions=["eu-central-1", "eu-west-1"])]
        after = [made(RULES, HOSTS, regions=["eu-central-1"])]
        assert not about(diff(by_source(base, before), by_source(head, before)), "opens")
        changes = diff(by_source(base, before), by_source(head, after))
        assert len(about(changes, "opens")) == 1
        assert tripped(Guards(), changes)


LAYERS = st.lists(
    st.tuples(
        st.sampled_from(MADE),
        st.sampled_from(["hostgate", "hostgate", "vendors", "nodes"]),
        st.sampled_from([{}, {"mode": "audit"}, {"deny": "declared"}, {"regions": ["eu-west-1", "eu-west-2"]}]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=5,
)


def _stack(layers: Sequence[tuple[str, str, Options, int]]) -> list[Plan]:
    """The plans of generated layers; options that a mechanism does not have are left out."""
    found = []
    for target, name, options, hosts in layers:
        known = {key: value for key, value in options.items() if key in mechanism(target).options.model_fields}
        found.append(made(target, many(hosts), name=name, **known))
    return found


@given(layers=LAYERS, order=st.randoms())
@settings(max_examples=60)
@pytest.mark.parametrize("source", ["stack", "preview"])
def test_a_stack_compared_with_itself_never_changes(source: str, layers: Any, order: Any) -> None:
    plans = _stack(layers)
    shuffled = list(plans)
    order.shuffle(shuffled)
    for head in (plans, shuffled):
        changes = diff(by_source(source, plans), by_source(source, head))
        assert all(each.unchanged for each in changes), [each.as_json() for each in changes]
        assert not risks(changes)
        assert not tripped(Guards(max_opened=0, max_removed=0), changes)


@given(layers=LAYERS)
@settings(max_examples=30)
def test_sources_never_differ_in_what_they_say_of_one_stack(layers: Any) -> None:
    plans = _stack(layers)
    changes = diff(by_source("stack", plans), by_source("preview", plans))
    assert all(each.unchanged for each in changes), [each.as_json() for each in changes]


RANGES = ("10.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "203.0.113.0/24", "fc00::/7")
DRAWN: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from(["enforce", "enforce", "audit"]),
    "deny": st.sampled_from(["none", "declared", "internet", "internet", "all"]),
    "families": st.sampled_from([["ipv4"], ["ipv6"], ["ipv4", "ipv6"]]),
    "home_net": st.lists(st.sampled_from(RANGES), min_size=1, max_size=3, unique=True),
    "reject": st.booleans(),
    "inside": st.sampled_from([[], ["zone.example"], ["example"]]),
    "networks": st.sampled_from([[], [NET]]),
    "resource_group": st.just("rg"),
}
ENDS = {
    4: ((INTERNET, "10.1.2.3", "10.200.1.1", "172.16.5.5", "100.64.9.9", "203.0.113.9"),
        ("10.1.0.9/32", "172.16.0.9/32", "100.64.0.9/32", "203.0.113.8/32")),
    6: ((INTERNET_6, "fd00::9"), ("fd00::8/128", "2001:db8:1::8/128")),
}  # fmt: skip
"""Destinations and sources by address family."""
STRANGERS = [
    Flow(name, port, protocol, address=address, source=source)
    for name in ("stranger.example", "deep.zone.example")
    for port, protocol in ((443, "https"), (53, "udp"), (443, "quic"), (22, "tcp"), (80, "http"))
    for destinations, sources in ENDS.values()
    for address in (None, *destinations)
    for source in (None, *sources)
]
"""Flows to what is in no catalog: every way out that a change of options could open."""


@pytest.mark.parametrize("target", MADE)
@settings(max_examples=40)
@given(data=st.data())
def test_no_verdict_on_a_stranger_turns_to_allow_untold(target: str, data: st.DataObject) -> None:
    before, after = (_drawn(target, data) for _ in range(2))
    if before is None or after is None:
        return
    (change,) = diff([state(before)], [state(after)])
    # What another owner's policy does with private traffic is not known, so nothing is told of it.
    handed = "declared" in (before.options.deny, after.options.deny) and before.options.deny != after.options.deny
    strangers = [each for each in STRANGERS if not handed or each.address in (None, INTERNET, INTERNET_6)]
    turned = [flow for flow in strangers if after.verdict(flow).allows and before.verdict(flow).action == "block"]
    told = change.unlisted.opens or change.unlisted.exempt
    assert told or not turned, (turned[:3], before.options, after.options)
    if {before.options.mode, after.options.mode} == {"enforce"}:
        return
    opens = before.options.mode == "enforce" and after.options.mode == "audit" and before.options.deny != "none"
    assert not opens or change.unlisted.opens


def _drawn(target: str, data: st.DataObject) -> Plan | None:
    kind = mechanism(target).options
    options = {key: data.draw(drawn, key) for key, drawn in DRAWN.items() if key in kind.model_fields}
    try:
        read_options(kind, options, target)
    except OptionsError:
        return None
    return made(target, HOSTS, **options)


def test_the_deny_of_google_cloud_is_for_whom_its_rules_name() -> None:
    for clients in ([], ["builds@acme.iam.gserviceaccount.com"], ["tagValues/1", "tagValues/2"]):
        plan = made(GCP, HOSTS, **({"from": clients} if clients else {}))
        denies = [each.body for each in plan.objects if each.body.get("action") == "deny"]
        assert denies
        for body in denies:
            named = [*body.get("targetServiceAccounts", ()), *(tag["name"] for tag in body.get("targetSecureTags", ()))]
            assert tuple(sorted(named)) == state(plan).enforcement.judged


def test_a_deny_for_fewer_clients_opens_everything_to_the_others() -> None:
    def judging(*clients: str) -> Statement:
        stated = state(made(GCP, HOSTS))
        return _with(stated, judged=clients)

    assert about(diff([judging("a@x", "b@x")], [judging("a@x")]), "opens") == {"b@x"}
    assert about(diff([judging()], [judging("a@x")]), "opens") == {"everybody but a@x"}
    assert about(diff([judging("a@x")], [judging()]), "opens") == set()
    assert about(diff([judging("a@x")], [judging()]), "closes") == {"everybody but a@x"}


def _with(stated: Statement, **enforcement: Any) -> Statement:
    return replace(stated, enforcement=replace(stated.enforcement, **enforcement))


@pytest.mark.parametrize("target", main_targets())
def test_a_component_of_before_is_compared_by_mode_and_deny_alone(target: str) -> None:
    (old,) = by_source("preview", planned(target, {}))
    stated = {"mode": "enforce", "deny": "internet"}
    partial = replace(old, settings=stated, enforcement=replace(old.enforcement, partial=True))
    assert not diff([partial], by_source("preview", planned(target, {})))[0].unlisted
    assert about(diff([partial], by_source("preview", planned(target, {"mode": "audit"}))), "opens") == {"mode audit"}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("before", "after", "free"),
    [
        (["tagValues/1"], ["tagValues/1", "10.0.0.0/8"], {"tagValues/1"}),
        (["10.0.0.0/8"], ["10.0.0.0/16"], {"10.0.0.0/8"}),
        (["tagValues/1", "10.0.0.0/8"], ["tagValues/1", "10.0.0.0/16"], {"tagValues/1 within 10.0.0.0/8"}),
    ],
    ids=str,
)
def test_ranges_beside_targets_narrow_whom_the_deny_is_about_and_that_is_told(
    source: str, before: list[str], after: list[str], free: set[str]
) -> None:
    changes = between(source, GCP, {"from": before}, {"from": after})
    assert {client for change in changes for client in change.clients_removed} == free
    assert free <= about(changes, "opens")
