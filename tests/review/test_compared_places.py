"""What entries say that opens and closes, and what every flow says that is asked of both plans: one truth, told twice."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from conformance.catalogs import MADE, entry, many, selection
from hostgate.aws.evaluate_acls import places as places_of_acls
from hostgate.aws.evaluate_groups import places
from hostgate.aws.resources import snapshot_of
from hostgate.aws.resources_ec2 import PREFIX_LIST
from hostgate.catalog.model import Entry
from hostgate.flows.snapshot import Resource
from hostgate.flows.steps import keeping
from hostgate.planning.grants import Grant
from hostgate.planning.plan import Plan, plan
from hostgate.review.compared_places import ComparedPlace, compared_plans, compared_standing
from hostgate.review.guards import Guards, tripped
from hostgate.review.plan_changes import TargetDiff, diff
from hostgate.review.risks import risks
from hostgate.review.statement import Statement, state
from review.changes import BOTH_FAMILIES, SOURCES, by_source, made, pool_of

POOL = [
    *many(6), entry("example.net", match="subtree"), entry("under.example.net"), entry("a.example.org", port=8443),
    entry("example.com", match="one-label"), entry("www.example.com"),
]  # fmt: skip


def compared(
    target: str, before: Sequence[Entry], after: Sequence[Entry], hosts: Sequence[str] = ()
) -> tuple[TargetDiff, ComparedPlace] | None:
    """The change as both tell it; None where the target cannot make it."""
    plans = [state(made(target, entries)) for entries in (before, after)]
    changes = diff(plans[:1], plans[1:])
    places = compared_plans(changes, hosts)
    return (changes[0], places[0]) if places else None


@pytest.mark.parametrize("target", MADE)
def test_entries_and_flows_agree_on_whether_anything_opens_or_closes(target: str) -> None:
    agreed = 0
    for seed in range(25):
        random = Random(seed)
        before, after = (random.sample(POOL, random.randint(1, 5)) for _ in range(2))
        told = compared(target, before, after)
        if told is None:
            continue
        change, place = told
        flows = place.found.changes
        assert (bool(change.opened), bool(change.closed)) == (
            any(each.opening for each in flows), any(each.closing for each in flows)
        ), f"seed {seed}"  # fmt: skip
        if all(each.match == "exact" for each in (*before, *after)):
            assert (place.opens, place.closes) == (len(change.opened), len(change.closed)), f"seed {seed}"
        assert place.everything is None
        agreed += 1
    assert agreed > 5


@pytest.mark.parametrize("target", MADE)
def test_a_plan_is_like_itself_in_another_order(target: str) -> None:
    told = compared(target, POOL[:5], list(reversed(POOL[:5])))
    assert told is not None
    assert (told[1].what, told[1].found.changes) == ("same", ())


@pytest.mark.parametrize("target", MADE)
def test_a_host_that_must_stay_trips_once_and_by_its_own_port_alone(target: str) -> None:
    guards = Guards(never_remove=("host-00001.vendor.example",))
    told = compared(target, many(3), many(1), guards.never_remove)
    assert told is not None
    assert [each.guard for each in tripped(guards, [told[0]], [told[1]])] == ["never-remove"]
    assert [each.guard for each in tripped(guards, [], [told[1]])] == ["never-remove"]
    kept = compared(target, many(3), many(2), guards.never_remove)
    assert kept is not None
    assert tripped(guards, [kept[0]], [kept[1]]) == ()


def test_from_audit_to_enforcement_nothing_closes_that_an_entry_needs() -> None:
    guards = Guards(max_removed=0, never_remove=("host-00001.vendor.example",))
    for target in ("aws:rules", "gcp:fqdn"):
        plans = [state(made(target, many(2), mode=mode)) for mode in ("audit", "enforce")]
        changes = diff(plans[:1], plans[1:])
        places = compared_plans(changes, guards.never_remove)
        assert places[0].found.of("closed")
        assert tripped(guards, changes, places) == ()


@pytest.mark.parametrize("source", SOURCES[:2])
def test_everything_that_opens_is_told_once_whatever_says_it(source: str) -> None:
    before, after = (by_source(source, [made("aws:rules", many(2), mode=mode)]) for mode in ("enforce", "audit"))
    changes = diff(before, after)
    places = compared_plans(changes)
    assert places[0].everything is not None
    trips = tripped(Guards(max_opened=3), changes, places)
    assert [(each.guard, each.target) for each in trips] == [
        ("never-open-all", "aws:rules"),
        ("max-opened", "aws:rules"),
    ]
    assert [each.id for each in risks(changes, places)].count("everything-open") == 1


def test_clients_that_come_open_every_host_for_them_and_those_that_go_close_it() -> None:
    plans = [
        state(made("aws:rules", many(3), from_=clients))
        for clients in (["10.1.0.0/16"], ["10.1.0.0/16", "10.2.0.0/16"])
    ]
    for base, head, counted in ((0, 1, "opens"), (1, 0, "closes")):
        (place,) = compared_plans(diff([plans[base]], [plans[head]]))
        assert getattr(place, counted) == 3
        assert place.found.changes[0].flow.source == "10.2.0.0"


def test_a_proxy_that_lets_one_host_of_the_list_be_said_for_another_opens_that_and_no_entry() -> None:
    plans = [state(made("export:squid", many(300), pair=pair)) for pair in (True, False)]
    changes = diff(plans[:1], plans[1:])
    (place,) = compared_plans(changes)
    assert place.opened_by_others
    for change in place.found.changes:
        assert change.flow.name.startswith("host-")
        assert str(change.flow.wire_name).startswith("host-")
        assert change.flow.wire_name != change.flow.name
    assert (place.closes, place.everything) == (0, None)
    (back,) = compared_plans(diff(plans[1:], plans[:1]))
    assert (back.opens, bool(back.closes)) == (0, True)


@pytest.mark.parametrize("groups", [["sg-0a"], ["sg-0a", "sg-0b"], ["sg-0c", "sg-0b", "sg-0a"]])
def test_a_list_that_opens_more_than_its_entries_say_is_a_risk_of_every_group_that_uses_it(groups: list[str]) -> None:
    pool = pool_of({"a.example": ["203.0.113.7"]})
    planned = plan(selection([entry("a.example")]), "aws:prefix-list", pool=pool, securityGroups=groups)
    before = snapshot_of(planned.objects)
    more = [
        replace(each, properties={**each.properties, "entries": [*each.properties["entries"], {"cidr": "8.8.8.0/24"}]})
        if each.type == PREFIX_LIST
        else each
        for each in before.resources
    ]
    after = replace(before, resources=tuple(more))
    sides = [state(planned)]
    changes = diff(sides, sides)
    found = compared_standing(places(before), places(after), (sides, sides), (), after, changes)
    assert [(each.id, each.target) for each in risks(changes, found)] == [
        ("opens-beside", f"aws group {group}") for group in sorted(groups)
    ]


BY_ADDRESS = {
    "aws:prefix-list": {"securityGroups": ["sg-0a", "sg-0b"]},
    "aws:network-acl": {"networkAcls": ["acl-0a", "acl-0b"]},
    "gcp:address-group": {"networks": ["projects/acme/global/networks/main"]},
    "azure:ip-group": {"resourceGroup": "rg", "location": "westeurope", "from": ["10.0.0.0/8"]},
}


@pytest.mark.parametrize("target", BY_ADDRESS)
@pytest.mark.parametrize(("before", "after"), [("a", "ab"), ("ab", "a"), ("a", "b"), ("b", "a")])
def test_an_entry_that_comes_or_goes_is_no_other_rule_over_whichever_family_and_address_at_whichever_place(
    target: str, before: str, after: str
) -> None:
    pool = pool_of(BOTH_FAMILIES)
    made_of = [
        plan(selection([entry(f"{each}.example") for each in hosts]), target, pool=pool, **BY_ADDRESS[target])
        for hosts in (before, after)
    ]
    sides = [state(each) for each in made_of]
    changes = diff(sides[:1], sides[1:])
    found = list(compared_plans(changes))
    if target.startswith("aws"):
        read = places if target == "aws:prefix-list" else places_of_acls
        stand = [snapshot_of(each.objects) for each in made_of]
        found += compared_standing(*map(read, stand), (sides[:1], sides[1:]), (), stand[1], changes)
        assert len(found) == 3
    assert [each for each in risks(changes, found) if each.id == "opens-beside"] == []


@pytest.mark.parametrize("target", ["aws:prefix-list", "aws:network-acl"])
def test_a_place_that_denies_by_itself_and_leaves_the_plan_closes_its_hosts_and_opens_nothing(target: str) -> None:
    pool = pool_of(BOTH_FAMILIES)
    ((key, (one, other)),) = BY_ADDRESS[target].items()
    both, left = (
        state(plan(selection([entry("a.example")]), target, pool=pool, **{key: places_}))
        for places_ in ([one, other], [one])
    )
    (change,) = diff([both], [left])
    assert change.unlisted.opens == ()
    assert [each.about.rpartition(" ")[2] for each in change.unlisted.closes] == [other]
    trips = tripped(Guards(never_remove=("a.example",), max_removed=0), [change])
    assert sorted(each.guard for each in trips) == ["max-removed", "never-remove"]
    (back,) = diff([left], [both])
    assert (back.unlisted.opens, back.unlisted.closes) == ((), ())
    assert [each.guard for each in tripped(Guards(max_opened=0), [back])] == ["max-opened"]
    assert [each.subject.rpartition(" ")[2] for each in risks([back]) if each.id == "clients-wider"] == [other]
    hosts = [entry("a.example"), entry("b.example")]
    fewer = state(plan(selection(hosts[:1]), target, pool=pool, **{key: [one]}))
    more = state(plan(selection(hosts), target, pool=pool, **{key: [one, other]}))
    (less,) = diff([more], [fewer])
    assert next(each.message for each in tripped(Guards(max_removed=1), [less])).startswith("2 would close at")
    (gone,) = diff([both], [])
    assert gone.unlisted.opens == ()


@pytest.mark.parametrize("target", ["aws:prefix-list", "gcp:address-group", "azure:ip-group"])
@pytest.mark.parametrize(
    ("contents", "port", "late"),
    [("refresher", 443, ["b.example"]), ("refresher", 8443, []), ("pool", 443, [])],
)
def test_a_host_that_comes_into_a_list_of_a_refresher_opens_with_a_push_and_not_by_the_update(
    target: str, contents: str, port: int, late: list[str]
) -> None:
    room = {"aws:prefix-list": {"maximum": 20}, "gcp:address-group": {"capacity": 20}}.get(target, {})
    kept = {"contents": contents, **room} if contents == "refresher" else {}
    pool = pool_of(BOTH_FAMILIES)
    hosts = [entry("a.example"), entry("b.example", port=port)]
    one, other = (
        state(plan(selection(held), target, pool=pool, **{**BY_ADDRESS[target], **kept})) for held in (hosts[:1], hosts)
    )
    found = risks(diff([one], [other]))
    assert [each.subject for each in found if each.id == "after-push"] == late
    updated = [each.name for change in diff([one], [other]) for each in change.objects or () if each.what == "updated"]
    assert any("443" in each for each in updated) is (contents == "pool" and port == 443)
    back = [each for each in risks(diff([other], [one])) if each.id == "after-push"]
    assert [each.subject for each in back] == late
    assert all("443/tcp, which stands: it closes with the next" in each.message for each in back)


SEVERAL = {
    f"{name}.example": (f"203.0.113.{number}", f"203.0.113.{number + 100}") for number, name in enumerate("abc", 7)
}


def by_pool(target: str, hosts: Mapping[str, Iterable[str]], entries: Iterable[str] = "abc", **more: Any) -> Statement:
    held = selection([entry(f"{each}.example") for each in entries])
    return state(plan(held, target, pool=pool_of(hosts), **{**BY_ADDRESS[target], **more}))


def guarded_by(one: Statement, other: Statement, **guards: Any) -> list[str]:
    asked = Guards(**guards)
    changes = diff([one], [other])
    return [each.guard for each in tripped(asked, (), compared_plans(changes, asked.never_remove))]


@pytest.mark.parametrize("target", BY_ADDRESS)
@pytest.mark.parametrize("contents", ["pool", "refresher"])
def test_an_address_that_leaves_the_pool_or_comes_closes_no_host_and_opens_none(target: str, contents: str) -> None:
    room = {"aws:prefix-list": {"maximum": 20}, "gcp:address-group": {"capacity": 20}}.get(target, {})
    kept = {"contents": contents, **room} if contents == "refresher" and target != "aws:network-acl" else {}
    turned = {**SEVERAL, "a.example": ("203.0.113.7", "203.0.113.77"), "b.example": ("203.0.113.88",)}
    before, after = (by_pool(target, hosts, **kept) for hosts in (SEVERAL, turned))
    for pair in ((before, after), (after, before)):
        for host in ("a.example", "b.example", "c.example", "elsewhere.example"):
            assert guarded_by(*pair, never_remove=(host,)) == []
        assert guarded_by(*pair, max_removed=0, max_opened=0) == []


@pytest.mark.parametrize("target", BY_ADDRESS)
def test_hosts_of_a_list_are_counted_one_by_one_and_named(target: str) -> None:
    whole, one = by_pool(target, SEVERAL), by_pool(target, SEVERAL, "a")
    assert guarded_by(whole, one, max_removed=1) == ["max-removed"]
    assert guarded_by(whole, one, max_removed=2) == []
    assert guarded_by(one, whole, max_opened=1) == ["max-opened"]
    assert guarded_by(one, whole, max_opened=2) == []
    (place,) = compared_plans(diff([whole], [one]), ("b.example",))
    assert [*place.closed] == ["b.example", "c.example"]
    closing = place.closing("b.example")
    assert closing is not None
    assert closing.flow.address in SEVERAL["b.example"]
    assert guarded_by(whole, one, never_remove=("a.example",)) == []
    assert guarded_by(whole, one, never_remove=("c.example",)) == ["never-remove"]


@pytest.mark.parametrize("target", ["aws:prefix-list", "aws:network-acl"])
def test_a_rule_of_somebody_that_closes_a_host_at_an_address_that_it_has_still_is_a_guards(target: str) -> None:
    planned = plan(selection([entry(f"{each}.example") for each in "abc"]), target, pool=pool_of(SEVERAL),
                   **BY_ADDRESS[target])  # fmt: skip
    before = snapshot_of(planned.objects)
    gone = tuple(
        each for each in before.resources
        if each.type not in ("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "aws:ec2/networkAclRule:NetworkAclRule")
    )  # fmt: skip
    after = replace(before, resources=gone)
    read = places if target == "aws:prefix-list" else places_of_acls
    sides = [state(planned)]
    stood = read(before)
    then = read(after) or [keeping(each, lambda step: not step.rule) for each in stood]
    found = compared_standing(stood, then, (sides, sides), ("a.example",), after)
    for place in found:
        assert sorted(place.closed) == ["a.example", "b.example", "c.example"]
        assert place.closes == 3
        assert place.closing("a.example") is not None


@pytest.mark.parametrize(
    ("target", "clients"),
    [
        ("gcp:address-group", ("10.1.0.0/16", "10.2.0.0/16")),
        ("gcp:address-group", ("builds@acme.iam.gserviceaccount.com", "runs@acme.iam.gserviceaccount.com")),
        ("azure:ip-group", ("10.1.0.0/16", "10.2.0.0/16")),
    ],
)
def test_a_host_that_closes_for_the_clients_of_one_list_closes(target: str, clients: tuple[str, str]) -> None:
    both, one = selection([entry("a.example"), entry("b.example")]), selection([entry("b.example")])
    options = {key: value for key, value in BY_ADDRESS[target].items() if key != "from"}
    sides = [
        state(plan([Grant("ci", both, [clients[0]]), Grant("apps", held, [clients[1]])], target, pool=pool_of(SEVERAL), **options))
        for held in (both, one)
    ]  # fmt: skip
    (place,) = compared_plans(diff(sides[:1], sides[1:]), ("a.example",))
    assert [*place.closed] == ["a.example"]
    assert (place.closes, place.closing("a.example") is None) == (1, False)
    assert place.closing("b.example") is None


TAKES: dict[str, Mapping[str, Any]] = {
    "its port": {"fromPort": 8443, "toPort": 8443},
    "more ports": {"fromPort": 443, "toPort": 8443},
    "every protocol": {"ipProtocol": "-1", "protocol": "-1"},
    "more addresses": {"prefixListId": None, "cidrIpv4": "203.0.113.0/24", "cidrBlock": "203.0.113.0/24"},
}
RULES = {"aws:prefix-list": "SecurityGroupEgressRule", "aws:network-acl": "NetworkAclRule"}
READ = {"aws:prefix-list": places, "aws:network-acl": places_of_acls}


def with_standing(
    planned: Sequence[Plan], change: Callable[[Resource], Resource | None], hosts: Sequence[str] = ()
) -> tuple[ComparedPlace, ...]:
    """From the first plan as it stands to the second with a change by others. An allowlist names where it is enforced."""
    options = {"securityGroups": ["sg-0a"], "networkAcls": ["acl-0a"]}
    names = Resource(urn="urn:list", type="hostgate-aws:index:Allowlist", name="list", properties={"options": options})
    before, after = (snapshot_of(each.objects) for each in (planned[0], planned[-1]))
    changed = replace(after, resources=(names, *filter(None, map(change, after.resources))))
    before = replace(before, resources=(names, *before.resources))
    sides = [state(planned[0])], [state(planned[-1])]
    read = READ[planned[0].target]
    return compared_standing(read(before), read(changed), sides, hosts, changed, diff(*sides))


def planned(target: str, entries: Iterable[Entry], hosts: Mapping[str, Iterable[str]] = SEVERAL) -> Plan:
    one_place = {key: value[:1] for key, value in BY_ADDRESS[target].items()}
    return plan(selection(list(entries)), target, pool=pool_of(hosts), **one_place)


@pytest.mark.parametrize("takes", TAKES)
@pytest.mark.parametrize("target", RULES)
def test_what_a_rule_of_entries_opens_beside_its_hosts_is_counted(target: str, takes: str) -> None:
    one = planned(target, [entry("a.example")], {"a.example": ("203.0.113.7",)})

    def change(each: Resource) -> Resource | None:
        answers = each.properties.get("egress") is False and takes != "more addresses"
        if RULES[target] not in each.type or answers:
            return each
        told = {
            key: value
            for key, value in TAKES[takes].items()
            if value is None or key in each.properties or "cidr" in key
        }
        changed = {**each.properties, **told}
        return replace(each, properties={key: value for key, value in changed.items() if value is not None})

    (place,) = with_standing([one], change, ["a.example"])
    closes = takes == "its port"
    assert (place.opens, place.may_open, place.closes) == (1, 0, int(closes))
    assert {each.guard for each in tripped(Guards(max_opened=0), (), [place])} == {"max-opened"}
    assert tripped(Guards(max_opened=1), (), [place]) == ()
    assert (place.closing("a.example") is not None) is closes


def test_a_host_that_comes_and_what_opens_beside_it_are_two() -> None:
    pair = [planned("aws:prefix-list", map(entry, hosts)) for hosts in (["a.example"], ["a.example", "b.example"])]

    def wider(each: Resource) -> Resource:
        if each.type != PREFIX_LIST:
            return each
        more = {"cidr": "198.51.100.0/24", "description": "somebody's"}
        return replace(each, properties={**each.properties, "entries": [*each.properties["entries"], more]})

    (alone,), (both,) = with_standing(pair, lambda each: each), with_standing(pair, wider)
    assert (alone.opens, both.opens, [*both.opened]) == (1, 2, ["b.example"])


@pytest.mark.parametrize("how", ["goes", "is denied", "is denied in part"])
def test_a_host_whose_answers_are_let_in_no_more_closes(how: str) -> None:
    both = [entry("a.example", port=53, protocol="udp"), entry("b.example", port=53, protocol="tcp")]
    one = planned("aws:network-acl", both)

    def change(each: Resource) -> Resource | None:
        told = each.properties
        answers = "NetworkAclRule" in each.type and told["egress"] is False and str(told["protocol"]) in ("17", "udp")
        if not answers or told["cidrBlock"] not in (f"{address}/32" for address in SEVERAL["a.example"]):
            return each
        if how == "goes":
            return None
        port = {} if how == "is denied" else {"fromPort": 40_000, "toPort": 41_000}
        return replace(each, properties={**told, **port, "ruleAction": "deny" if how == "is denied" else "allow"})

    (place,) = with_standing([one], change, ["a.example", "b.example"])
    assert ([*place.closed], place.closes) == (["a.example"], 1)
    assert place.closing("a.example") is not None
    assert place.closing("b.example") is None
    guards = Guards(max_removed=0, never_remove=("a.example", "b.example"))
    assert [each.guard for each in tripped(guards, (), [place])] == ["max-removed", "never-remove"]


def test_a_guard_names_the_rule_of_the_flow_that_it_shows() -> None:
    hosts = {"a.example": ("203.0.113.7", "2001:db8::7"), "b.example": ("203.0.113.8",)}
    one = planned("aws:prefix-list", [entry("a.example"), entry("b.example", port=22, protocol="tcp")], hosts)
    sides = [state(one)]
    before = places(snapshot_of(one.objects))
    (place,) = compared_standing(
        before, [keeping(each, lambda step: not step.rule) for each in before], (sides, sides), [*hosts], None
    )
    for host, port in (("a.example", "443"), ("b.example", "22")):
        closing = place.closing(host)
        assert closing is not None
        assert closing.closing[0].rule.endswith(port), place.words(closing)
        family = "ipv6" if ":" in str(closing.flow.address) else "ipv4"
        assert family in closing.closing[0].rule


@pytest.mark.parametrize("target", BY_ADDRESS)
@pytest.mark.parametrize("becomes", [{"host": "b.example"}, {"port": 22, "protocol": "tcp"}], ids=["host", "port"])
def test_an_entry_for_another_host_or_port_opens_once(target: str, becomes: Mapping[str, Any]) -> None:
    one = entry("a.example")
    before, after = (
        state(plan(selection([each]), target, pool=pool_of(SEVERAL), **BY_ADDRESS[target]))
        for each in (one, replace(one, **becomes))
    )
    (change,) = diff([before], [after])
    assert ((change.added, change.removed), change.redirected) == ((1, 1), ())
    assert [each.id for each in risks([change]) if each.id == "addresses-wider"] == []
    assert guarded_by(before, after, max_opened=1) == []


@pytest.mark.parametrize(
    ("stands", "comes", "told"), [("ab", "ab", []), ("a", "ab", ["opens"]), ("ab", "a", ["closes"])]
)
def test_what_stands_already_does_not_come_with_the_next_push(stands: str, comes: str, told: list[str]) -> None:
    """The list holds the hosts of `stands`, and the update is to be for those of `comes`."""
    options: dict[str, Any] = {"securityGroups": ["sg-0a"], "contents": "refresher", "maximum": 20}
    one, other, holds = (
        plan(
            selection([entry(f"{each}.example") for each in hosts]), "aws:prefix-list", pool=pool_of(SEVERAL), **options
        )
        for hosts in ("a" if comes == "ab" else "ab", comes, stands)
    )
    before, after = (snapshot_of(each.objects) for each in (one, holds))
    sides = [state(one)], [state(other)]
    found = compared_standing(places(before), places(after), sides, (), after)
    said = [each.message for each in risks(diff(*sides), found) if each.id == "after-push"]
    assert [word for each in said for word in ("opens", "closes") if f" it {word} with the next" in each] == told
