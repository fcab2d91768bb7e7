"""Guards: counts and hosts, over what is reachable."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from conformance.catalogs import entry
from hostgate.catalog.model import Entry
from hostgate.review.guards import Guards, idle, tripped
from hostgate.review.plan_changes import diff
from hostgate.review.review import Review
from hostgate.review.risks import RISKS, risks
from hostgate.review.statement import state
from review.changes import SOURCES, by_source, change, made

A, B, C = entry("a.example"), entry("b.example"), entry("c.example")
WILD = entry("example.net", match="subtree")
UNDER = entry("under.example.net")


@pytest.mark.parametrize(
    ("guards", "before", "after", "expected"),
    [
        (Guards(max_removed=1), [A, B, C], [A, B], []),
        (Guards(max_removed=1), [A, B, C], [A], ["max-removed"]),
        (Guards(max_removed=0), [UNDER, WILD], [WILD], []),
        (Guards(max_opened=1), [A], [A, B], []),
        (Guards(max_opened=0), [A], [A, B], ["max-opened"]),
        (Guards(never_remove=("a.example",)), [A, B], [A], []),
        (Guards(never_remove=("a.example",)), [A, B], [B], ["never-remove"]),
        (Guards(never_remove=("under.example.net",)), [UNDER], [WILD], []),
        (Guards(never_remove=("under.example.net",)), [WILD], [A], ["never-remove"]),
        (Guards(never_remove=("a.example",)), [A], [entry("a.example", port=8443)], ["never-remove"]),
        (Guards(never_remove=("d.example",)), [A], [B], []),
    ],
)
def test_a_guard_trips_on_what_is_no_longer_reachable(
    guards: Guards, before: Sequence[Entry], after: Sequence[Entry], expected: list[str]
) -> None:
    assert [each.guard for each in tripped(guards, [change("aws:rules", before, after)])] == expected


def test_narrower_clients_close_every_host_for_the_others() -> None:
    wide, narrow = (state(made("aws:rules", [A, B], from_=[cidr])) for cidr in ("10.0.0.0/8", "10.1.0.0/16"))
    found = tripped(Guards(max_removed=1, never_remove=("a.example",)), diff([wide], [narrow]))
    assert [each.guard for each in found] == ["max-removed", "never-remove"]


def test_a_target_that_goes_trips_like_any_removal() -> None:
    found = diff([state(made("gcp:fqdn", [A]))], [])
    guards = {each.guard for each in tripped(Guards(never_remove=("a.example",), max_removed=0), found)}
    assert guards == {"never-open-all", "max-removed", "never-remove"}


def test_guards_add_up_to_the_stricter() -> None:
    both = Guards(max_removed=3, never_remove=("a.example",)).with_those_of(Guards(max_removed=5, max_opened=1))
    assert both == Guards(max_removed=3, max_opened=1, never_remove=("a.example",))


def test_a_host_that_nothing_opens_guards_nothing_and_that_is_said() -> None:
    changes = [change("aws:rules", [A], [A])]
    assert idle(Guards(never_remove=("a.example", "mispelt.example")), changes) == ("mispelt.example",)


def test_an_override_lets_the_change_through_and_stays_visible() -> None:
    changes = (change("aws:rules", [A, B], [A]),)
    stopped = Review(subject="s", base="b", head="h", targets=changes, guards=Guards(max_removed=0))
    meant = Review(subject="s", base="b", head="h", targets=changes, guards=Guards(max_removed=0), override="meant")
    assert (stopped.ok, meant.ok) == (False, True)
    assert meant.as_json()["guards"]["override"] == "meant"
    assert meant.tripped == stopped.tripped


@pytest.mark.parametrize(
    ("risk", "before", "after"),
    [
        ("wildcard", [A], [A, WILD]),
        ("shared-hosting", [A], [A, entry("storage.googleapis.com")]),
        ("mistaken", [A], [A, entry("misprint.example", status="mistaken")]),
        ("withdrawn", [A], [A, entry("old.example", status="withdrawn", withdrawn="2024-05-13")]),
        ("plain-http", [A], [A, entry("a.example", "plain", port=80, protocol="http")]),
    ],
)
def test_a_reviewer_is_shown_what_is_risky_in_a_change(risk: str, before: list[Entry], after: list[Entry]) -> None:
    assert risk in {each.id for each in risks([change("aws:rules", before, after)])}
    assert risk not in {each.id for each in risks([change("aws:rules", after, after)])}


def test_the_gravest_risk_is_told_first() -> None:
    audit = state(made("aws:rules", [A, WILD], mode="audit"))
    found = risks(diff([state(made("aws:rules", [A]))], [audit]))
    assert found[0].id == "everything-open"
    assert [each.rank for each in found] == sorted(each.rank for each in found)
    assert {each.id for each in found} <= set(RISKS)


def test_a_deny_that_hostgate_no_longer_makes_is_a_risk() -> None:
    found = risks(diff([state(made("gcp:fqdn", [A]))], [state(made("gcp:fqdn", [A], deny="declared"))]))
    assert "deny-weaker" in {each.id for each in found}


GCP = "gcp:fqdn"
NETWORK = {"networks": ["projects/p/global/networks/main"]}
POLICY = "projects/p/global/firewallPolicies/egress"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"base": 2001}, "priority 10002001 of the policy of FirewallPolicyAllowlist hostgate (Fire"),
        ({}, {"base": 2010}, "priority 10002010 of the policy of FirewallPolicyAllowlist hostgate"),
        ({}, {"base": 2005, "mode": "audit"}, "priority 10002010 of the policy of FirewallPolicyAllowlist hostgate"),
        ({"mode": "audit"}, {"base": 2005}, "priority 10002005 of the policy of FirewallPolicyAllowlist hostgate"),
        ({}, {"base": 2012}, None),
        ({}, {"mode": "audit"}, None),
        ({"attach": POLICY}, {"attach": POLICY, "base": 1999}, f"priority 10002000 of {POLICY}"),
        (NETWORK, {**NETWORK, "name": "acme"}, "the global policy of projects/p/global/networks/main"),
        (NETWORK, {**NETWORK, "name": "acme", "formerly": "hostgate"}, None),
        (NETWORK, {**NETWORK, "region": "europe-west1"}, None),
    ],
    ids=str,
)  # fmt: skip
def test_a_change_that_no_single_update_can_make_is_stopped_with_the_way_that_works(
    before: dict[str, object], after: dict[str, object], said: str | None
) -> None:
    (change,) = diff([state(made(GCP, [A], **before))], [state(made(GCP, [A], **after))])
    trips = [each.message for each in tripped(Guards(never_open_all=False), [change]) if each.guard == "one-update"]
    assert len(trips) == (said is not None)
    assert all(f"No single update leads there: it needs {said}" in message for message in trips if said)


IN = {"network": NETWORK["networks"][0], "subnetwork": "projects/p/regions/europe-west4/subnetworks/main"}
TOLD = {**IN, "routing": "explicit", "ports": [8080]}
SECOND = "make a second proxy beside it, by another `name` and with an `address` of its own"
PINNED = "to give that very one as `address` counts as another gateway too"


@pytest.mark.parametrize(
    ("before", "after", "said", "way", "not_said"),
    [
        (IN, {**IN, "address": "10.0.0.9"}, "the next-hop proxy of projects/p/global/networks/main", PINNED, SECOND),
        (IN, {**IN, "ports": [443]}, "the next-hop proxy of", "Otherwise close the way out", SECOND),
        (TOLD, {**TOLD, "ports": [8081]}, "the allocated address of WebProxyAllowlist hostgate in", SECOND, "close the way"),
        (
            {**TOLD, "address": "10.0.0.9"}, {**TOLD, "address": "10.0.0.9", "ports": [8081]}, "the address 10.0.0.9 of",
            SECOND, "next-hop proxy",
        ),
        (TOLD, {**TOLD, "name": "acme", "formerly": "hostgate", "ports": [8081]}, "the allocated address of", SECOND, "route"),
    ],
    ids=str,
)  # fmt: skip
def test_another_gateway_of_a_web_proxy_is_stopped_with_the_way_of_its_routing(
    before: dict[str, object], after: dict[str, object], said: str, way: str, not_said: str
) -> None:
    (change,) = diff(*([state(made("gcp:web-proxy", [A], **each))] for each in (before, after)))
    (message,) = change.obstacles
    assert f"it needs {said}" in message
    assert way in message
    assert not_said not in message


@pytest.mark.parametrize(
    "after", [{}, {"name": "acme", "formerly": "hostgate"}, {"mode": "audit"}, {"address": "10.0.0.9", "ports": [8081]}]
)
def test_an_explicit_proxy_that_keeps_its_address_or_is_given_another_one_is_not_stopped(
    after: dict[str, object],
) -> None:
    before, head = (state(made("gcp:web-proxy", [A], **{**TOLD, **more})) for more in ({}, after))
    (change,) = diff([before], [head])
    assert not change.obstacles


def test_a_second_explicit_proxy_beside_the_first_is_not_stopped() -> None:
    first, second = made("gcp:web-proxy", [A], **TOLD), made("gcp:web-proxy", [A], **TOLD, name="second")
    assert not [each for change in diff([state(first)], [state(first), state(second)]) for each in change.obstacles]


HUB = {"attach": "rg-hub/fp-hub"}
HERE = {"resource_group": "rg-hub", "location": "westeurope"}
VPC = {"vpcs": ["vpc-0a1"]}
IN = {"profiles": ["rp-0a1"]}
AZURE, QUERIES, RULES = "azure:application-rules", "aws:dns-firewall", "aws:rules"


@pytest.mark.parametrize(
    ("target", "before", "after", "said"),
    [
        (AZURE, HUB, {**HUB, "name": "acme"}, "priority 2000 of policy rg-hub/fp-hub (group hostgate has it)"),
        (AZURE, HUB, {**HUB, "name": "acme", "base": 2100}, None),
        (AZURE, HUB, {**HUB, "name": "acme", "formerly": "hostgate"}, None),
        (AZURE, HUB, {**HUB, "base": 2001}, None),
        (AZURE, HUB, {"attach": "rg-hub/fp-two", "name": "acme"}, None),
        (AZURE, HERE, {**HERE, "location": "northeurope"}, "the location of policy hostgate (westeurope has it)"),
        (AZURE, HERE, {**HERE, "location": "West Europe"}, None),
        (AZURE, HERE, {**HERE, "location": "northeurope", "name": "acme"}, None),
        (AZURE, HERE, {**HERE, "resource_group": "rg-two"}, "the resource group of policy hostgate (rg-hub has it)"),
        (AZURE, HERE, {**HERE, "resource_group": "RG-Hub"}, None),
        (AZURE, HERE, {**HERE, "resource_group": "rg-two", "name": "acme"}, None),
        (AZURE, HERE, {**HERE, "location": "northeurope", "name": "acme", "formerly": "hostgate"}, "the location of policy"),
        (AZURE, HERE, {**HERE, "name": "acme"}, None),
        (AZURE, {**HERE, "name": "acme", "formerly": "hostgate"}, HERE, "priority 2000 of policy rg-hub/hostgate (group acme"),
        (QUERIES, VPC, {**VPC, "name": "acme"}, "association priority 9000 of vpc-0a1 (the rule group hostgate has it)"),
        (QUERIES, VPC, {**VPC, "name": "acme", "base": 500}, "the fail mode of vpc-0a1"),
        (QUERIES, VPC, {**VPC, "name": "acme", "base": 500, "fail_mode": "unset"}, None),
        (QUERIES, VPC, {**VPC, "name": "acme", "formerly": "hostgate"}, None),
        (QUERIES, VPC, {**VPC, "base": 500}, None),
        (QUERIES, VPC, {"vpcs": ["vpc-0a2"], "name": "acme"}, None),
        (QUERIES, IN, {**IN, "base": 500}, "the association of hostgate with rp-0a1 (priority 9000 has it)"),
        (QUERIES, IN, {**IN, "base": 500, "name": "acme", "formerly": "hostgate"}, "the association of hostgate with rp-0a1"),
        (QUERIES, IN, {**IN, "name": "acme"}, "association priority 9000 of rp-0a1 (the rule group hostgate has it)"),
        (QUERIES, IN, {**IN, "name": "acme", "base": 500}, None),
        (QUERIES, IN, {"profiles": ["rp-0a2"], "base": 500}, None),
        (QUERIES, VPC, {**IN, "base": 500}, None),
        (RULES, {}, {"name": "acme"}, None),
        (RULES, {}, {"base": 1001}, None),
    ],
    ids=str,
)  # fmt: skip
def test_so_is_one_on_the_other_clouds(
    target: str, before: dict[str, object], after: dict[str, object], said: str | None
) -> None:
    (change,) = diff([state(made(target, [A], **before))], [state(made(target, [A], **after))])
    assert bool(change.obstacles) == (said is not None)
    assert said is None or any(f"No single update leads there: it needs {said}" in each for each in change.obstacles)


@pytest.mark.parametrize(("before", "after", "said"), [
    (range(1, 40), range(2, 41), "one of the 39 entries over IPv4 that there is room for in acl-0a1, egress ("),
    (range(1, 21), range(21, 41), "one of the 39 entries over IPv4 that there is room for in acl-0a1, egress ("),
    (range(1, 40), range(2, 40), None),
    (range(1, 39), range(2, 40), None),
    (range(2, 40), range(1, 40), None),
])  # fmt: skip
def test_what_comes_has_room_beside_what_goes(before: range, after: range, said: str | None) -> None:
    sides = [{"a.example": [f"203.0.113.{number}" for number in each]} for each in (before, after)]
    plans = [state(made("aws:network-acl", [A], network_acls=["acl-0a1"], addresses=each)) for each in sides]
    (change,) = diff(plans[:1], plans[1:])
    assert bool(change.obstacles) == (said is not None)
    assert said is None or any(f"No single update leads there: it needs {said}" in each for each in change.obstacles)


def test_groups_that_deny_everything_in_the_end_do_not_move_one_after_the_other() -> None:
    long = [replace(A, id=f"a{n}", host=f"{'a' * 60}.{'b' * 60}.h{n}.acme.example") for n in range(8000)]
    plans = [state(made(AZURE, long, deny="all", base=base, **HERE)) for base in (2000, 3000)]
    (message,) = diff(*([each] for each in plans))[0].obstacles
    assert "the end of policy rg-hub/hostgate, with its deny (what begins at 2000 has it)" in message


FIREWALL = {"firewall": {"vpcId": "vpc-0a1", "subnetMappings": [{"subnetId": "subnet-0a1"}]}}


@pytest.mark.parametrize(
    ("target", "before", "after", "said"),
    [
        (RULES, {}, {"name": "acme"}, "firewall of another stack has to take the new one"),
        (RULES, FIREWALL, {**FIREWALL, "name": "acme"}, "Its endpoints are others"),
        (RULES, {"deny": "declared"}, {"deny": "declared", "name": "acme"}, "take the new `references`"),
        (RULES, FIREWALL, {**FIREWALL, "name": "acme", "formerly": "hostgate"}, None),
        (RULES, FIREWALL, {**FIREWALL, "home_net": ["10.0.0.0/8"]}, None),
        (QUERIES, {}, {"name": "acme"}, "Associations of other owners"),
        (QUERIES, VPC, {**VPC, "name": "acme"}, None),
        (AZURE, HERE, {**HERE, "name": "acme"}, "firewall of another stack has to take the new policy"),
        (AZURE, HERE, {**HERE, "resource_group": "rg-two"}, "firewall of another stack has to take the new policy"),
        (AZURE, {**HERE, "name": "acme", "formerly": "hostgate"}, HERE, "firewall of another stack"),
        (AZURE, HUB, {**HUB, "base": 3000}, None),
    ],
    ids=str,
)  # fmt: skip
def test_what_others_refer_to_is_said_to_be_made_anew(
    target: str, before: dict[str, object], after: dict[str, object], said: str | None
) -> None:
    changes = diff([state(made(target, [A], **before))], [state(made(target, [A], **after))])
    found = [each.message for each in risks(changes) if each.id == "made-anew"]
    assert len(found) == (said is not None)
    assert all(said in message for message in found if said)


def test_a_stack_with_its_former_name_changes_no_object() -> None:
    for target, options in ((AZURE, HERE), (RULES, FIREWALL), (QUERIES, VPC)):
        after = made(target, [A], **options, name="acme", formerly="hostgate")
        (change,) = diff([state(made(target, [A], **options))], [state(after)])
        assert change.objects == ()
        assert after.digest == made(target, [A], **options).digest


def test_of_a_network_the_rules_of_a_stack_with_its_former_name_change_in_place() -> None:
    after = made(GCP, [A], **NETWORK, name="acme", formerly="hostgate")
    (change,) = diff([state(made(GCP, [A], **NETWORK))], [state(after)])
    assert {each.what for each in change.objects or ()} == {"updated"}


LEAVE = "Take another `base` in the same update, 12 or more away"
TAGS = ["tagValues/1", "tagValues/2"]
FOLDER = {"parent": "folders/1", "nodes": ["folders/1"]}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", [GCP, "gcp:url-filter"])
@pytest.mark.parametrize(
    ("before", "after", "who"),
    [
        ({"from": TAGS}, {"from": TAGS[:1]}, "tagValues/2"),
        ({"from": TAGS[:1]}, {"from": TAGS[1:]}, "tagValues/1"),
        ({}, {"from": TAGS[:1]}, "everybody but tagValues/1"),
        ({"from": ["10.0.0.0/8"]}, {"from": ["10.1.0.0/16"]}, "10.0.0.0/8"),
        ({"from": ["10.0.0.0/8", "fd00::/8"]}, {"from": ["10.0.0.0/8", "fd00::/16"]}, "fd00::/8"),
        ({"from": ["tagValues/1", "10.0.0.0/8"]}, {"from": ["tagValues/1", "10.1.0.0/16"]}, "tagValues/1 within 10.0.0.0/8"),
        ({"from": TAGS}, {"from": TAGS[:1], "mode": "audit"}, "tagValues/2"),
        ({"from": TAGS}, {"from": TAGS[:1], "deny": "declared"}, "tagValues/2"),
        ({"from": TAGS[:1]}, {"from": TAGS}, None),
        ({"from": TAGS[:1]}, {}, None),
        ({"from": TAGS}, {"from": TAGS[:1], "base": 2012}, None),
        ({"from": ["10.0.0.0/9", "10.128.0.0/9"]}, {"from": ["10.0.0.0/8"]}, None),
        ({"from": ["10.0.0.0/8", "fd00::/8"]}, {"from": ["10.0.0.0/8"]}, None),
        ({"from": TAGS, "deny": "declared"}, {"from": TAGS[:1], "deny": "declared"}, None),
        ({"from": TAGS, "mode": "audit"}, {"from": TAGS[:1], "mode": "audit"}, None),
    ],
    ids=str,
)  # fmt: skip
def test_clients_that_leave_while_the_deny_is_still_about_them_are_told_with_the_way_that_works(
    source: str, target: str, before: dict[str, object], after: dict[str, object], who: str | None
) -> None:
    (change,) = diff(*(by_source(source, [made(target, [A], **NETWORK, **each)]) for each in (before, after)))
    trips = [each.message for each in tripped(Guards(never_open_all=False), [change]) if each.guard == "one-update"]
    assert len(trips) == (who is not None)
    assert all(f"leave out {who} before the deny does" in each and LEAVE in each for each in trips)


def test_networks_that_leave_a_policy_above_leave_its_deny_last_too() -> None:
    two = ["projects/p/global/networks/main", "projects/p/global/networks/other"]
    for before, after in ((two, two[:1]), ([], two)):
        sides = (state(made(GCP, [A], **FOLDER, networks=each)) for each in (before, after))
        (change,) = diff(*([each] for each in sides))
        (message,) = [each for each in change.obstacles if "before the deny does" in each]
        assert "googleapis.com" not in message  # as the rest of a review calls it
        assert "network projects/p/global/networks/other" in message or "everybody but network projects/" in message


def test_a_network_that_another_allowlist_of_the_stack_takes_over_is_said_to_have_a_policy() -> None:
    one, other = made(GCP, [A], name="one", **NETWORK), made(GCP, [A], name="other")
    after = [state(made(GCP, [A], name="one")), state(made(GCP, [A], name="other", **NETWORK))]
    (message,) = [each for change in diff([state(one), state(other)], after) for each in change.obstacles]
    assert "FirewallPolicyAllowlist one has it" in message
    assert "--replace-association-on-target" in message


@pytest.mark.parametrize(
    ("allowlist", "finding"),
    [
        ({"ipAddresses": ["0.0.0.0/0"]}, True),
        ({"ipAddresses": ["0.0.0.0/1", "128.0.0.0/1"]}, True),
        ({"fqdns": ["*.co.uk"]}, True),
        ({"fqdns": ["*.example.com"]}, False),
        ({"ipAddresses": ["203.0.113.7/32"], "fqdns": ["cgr.dev"]}, False),
    ],
)
@pytest.mark.parametrize("mode", ["Alert", "Deny", "Off"])
def test_what_threat_intelligence_leaves_alone_is_a_change_of_a_safeguard(
    mode: str, allowlist: dict[str, list[str]], finding: bool
) -> None:
    options = {"resourceGroup": "rg", "threatIntelMode": mode}
    before, after = (
        made("azure:application-rules", [A], **options, **more) for more in ({}, {"threatIntelAllowlist": allowlist})
    )
    (change,) = diff([state(before)], [state(after)])
    assert ("safeguard" in {risk.id for risk in risks([change])}) is (mode != "Off")
    assert ("safeguard-exempt" in {one.id for one in after.findings}) is (finding and mode != "Off")
