"""A plan put in the place of what stands of it: everybody's rules stay, and what refers to the allowlist goes on to do so."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.catalogs import entry, many, selection
from hostgate.catalog.model import Entry
from hostgate.flows.comparison import Change, compare_all
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import plan
from hostgate.policies.places import places_of_stack
from hostgate.review.put_in import put_in
from hostgate.review.statement import Statement, state
from review.changes import BOTH_FAMILIES, made, pool_of

URN = "urn:pulumi:prod::hub::"
COMPONENT = f"{URN}hostgate-x:index:Allowlist::hostgate"
HUB = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/hub"


def resource(token: str, name: str, id_: str = "", /, *, parent: str = "", **properties: Any) -> Resource:
    return Resource(urn=f"{URN}{token}::{name}", type=token, name=name, properties=properties, id=id_, parent=parent)


def of_component(plan: Statement) -> Statement:
    """What the component over `plan` says, as an engine tells it."""
    return replace(plan, of_engine=True, urn=COMPONENT, made=None, options=None)


def children(plan: Statement, **placed: Any) -> list[Resource]:
    """What the component made, with names and ARNs that its provider made up, and `placed` where its plan says nothing."""
    rows = mechanism(plan.target).rows(plan.options)
    found = []
    for each in plan.made or ():
        if (row := rows.get(each.kind)) is None:
            continue
        given = {key: value for key, value in row.from_body(each.body).items() if key in row.inputs.fields}
        given |= {key: value for key, value in placed.items() if key in row.inputs.fields}
        if row.auto_name:
            given[row.auto_name.property] = f"{each.name}-0a1b2c3"
        arn = {"arn": f"arn:aws:network-firewall:eu-central-1:1:x/{each.name}-0a1b2c3"} if "aws:" in row.token else {}
        found.append(resource(row.token, each.name, arn.get("arn", ""), parent=COMPONENT, **{**given, **arn}))
    return found


def changes(before: Snapshot, plan: Statement | None, standing: Statement) -> list[Change]:
    after = put_in(before, [(of_component(standing), plan)])
    return [change for each in compare_all(*map(places_of_stack, (before, after))) for change in each.changes]


def told(found: Sequence[Change]) -> set[tuple[str, str]]:
    return {(each.kind, name) for each in found for name in each.names if not name.endswith(".invalid")}


A, B = many(2)
GROUP = "azure-native:network:FirewallPolicyRuleCollectionGroup"
POLICY = resource("azure-native:network:FirewallPolicy", "hub", HUB, firewallPolicyName="hub", resourceGroupName="rg")


def azure(entries: Sequence[Entry]) -> Statement:
    return state(made("azure:application-rules", entries, attach=HUB, from_=["10.0.0.0/8"]))


def of_others(kind: str, host: str, priority: int) -> Resource:
    rule = {"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": [host],
            "protocols": [{"protocolType": "Https", "port": 443}]}  # fmt: skip
    held = {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
            "action": {"type": kind}, "rules": [rule]}  # fmt: skip
    return resource(GROUP, "theirs", "", firewallPolicyName="hub", resourceGroupName="rg", ruleCollectionGroupName="theirs",
                    priority=priority, ruleCollections=[held])  # fmt: skip


@pytest.mark.parametrize(
    ("beside", "opened"),
    [
        ((), {("opened", B.host)}),
        ((of_others("Allow", B.host, 300),), set()),
        ((of_others("Deny", B.host, 300),), set()),
        ((of_others("Deny", B.host, 60_000),), {("opened", B.host)}),
    ],
    ids=["nothing", "an allow: it was open", "a deny before it", "a deny behind it"],
)
def test_what_a_plan_opens_is_told_with_the_rules_of_others(
    beside: tuple[Resource, ...], opened: set[tuple[str, str]]
) -> None:
    old, new = azure([A]), azure([A, B])
    placed = {"firewallPolicyName": "hub", "resourceGroupName": "rg"}
    before = Snapshot((POLICY, *children(old, **placed), *beside), "a state")
    assert told(changes(before, old, old)) == set()
    assert told(changes(before, new, old)) == opened


def test_a_component_that_goes_takes_its_rules_and_no_other() -> None:
    placed = {"firewallPolicyName": "hub", "resourceGroupName": "rg"}
    before = Snapshot((POLICY, *children(azure([A]), **placed), of_others("Allow", B.host, 300)), "a state")
    assert told(changes(before, None, azure([A]))) == {("closed", A.host)}


def aws(entries: Sequence[Entry], **options: Any) -> Statement:
    return state(made("aws:rules", entries, home_net=["10.0.0.0/8"], **options))


def standing_on_aws(plan: Statement) -> list[Resource]:
    """As a provider tells of a policy: by the ARNs of its groups."""
    found = children(plan)
    arns = {each.urn.rpartition("::")[2]: each.properties["arn"] for each in found}

    def real(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: real(item) for key, item in value.items()}
        if isinstance(value, list):
            return [real(item) for item in value]
        return arns.get(value.rpartition("/")[2], value) if isinstance(value, str) and ":REGION:" in value else value

    return [replace(each, properties=real(dict(each.properties))) for each in found]


def test_a_firewall_of_others_goes_on_to_use_the_policy() -> None:
    old, new = aws([A]), aws([B])
    held = standing_on_aws(old)
    policy = next(each for each in held if "firewallPolicy" in each.properties)
    firewall = resource("aws:networkfirewall/firewall:Firewall", "fw", "arn:fw", arn="arn:fw",
                        firewallPolicyArn=policy.properties["arn"])  # fmt: skip
    before = Snapshot((firewall, *held), "a state")
    assert told(changes(before, old, old)) == set()
    assert told(changes(before, new, old)) == {("closed", A.host), ("opened", B.host)}


@pytest.mark.parametrize("edge", [True, False])
def test_a_policy_of_others_holds_the_groups_that_the_plan_has_for_it(edge: bool) -> None:
    old, new = (aws([each], deny="declared", edge=have) for each, have in ((A, True), (B, edge)))
    held = standing_on_aws(old)
    own = {"resourceArn": "arn:own", "priority": 9000}
    references = [*({"resourceArn": each.properties["arn"], "priority": 100 + n} for n, each in enumerate(held)), own]
    body = {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"}, "statefulDefaultActions": ["aws:drop_established"],
        "statefulRuleGroupReferences": references,
        "policyVariables": {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]},
    }  # fmt: skip
    policy = resource("aws:networkfirewall/firewallPolicy:FirewallPolicy", "theirs", "arn:p", arn="arn:p", name="theirs",
                      firewallPolicy=body)  # fmt: skip
    group = {"rulesSource": {"rulesString": "pass tcp any any -> 198.51.100.7 22 (sid:1;)"},
             "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}}  # fmt: skip
    beside = resource("aws:networkfirewall/ruleGroup:RuleGroup", "own", "arn:own", arn="arn:own", name="own",
                      type="STATEFUL", capacity=10, ruleGroup=group)  # fmt: skip
    before = Snapshot((policy, beside, *held), "a state")
    found = changes(before, new, old)
    assert {("closed", A.host), ("opened", B.host)} <= told(found)
    opens_datagrams = any(each.kind == "opened" and each.flow.transport == "udp" for each in found)
    assert opens_datagrams is not edge
    assert not any(each.kind == "unknown" for each in found)


KEPT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "aws:prefix-list": ("entries", {"securityGroups": ["sg-0a1"]}, {"maximum": 20}),
    "gcp:address-group": ("items", {"networks": ["projects/acme/global/networks/main"]}, {"capacity": 20}),
    "azure:ip-group": ("ipAddresses", {"resourceGroup": "rg"}, {}),
}
"""What is in a list, and options; those of one that a refresher keeps."""


@pytest.mark.parametrize("contents", ["pool", "refresher"])
@pytest.mark.parametrize("target", KEPT)
def test_what_was_pushed_into_a_list_stays_and_what_pulumi_keeps_becomes_what_the_plan_says(
    target: str, contents: str
) -> None:
    key, options, refreshed = KEPT[target]

    def at(*addresses: str) -> Statement:
        pool = pool_of({"a.example": addresses})
        given = {**options, **(refreshed if contents == "refresher" else {}), "contents": contents}
        return state(plan(selection([entry("a.example")]), target, pool=pool, **given))

    def listed(snapshot: Snapshot) -> list[Any]:
        (found,) = [each.properties[key] for each in snapshot.resources if key in each.properties]
        return [each["cidr"] if isinstance(each, dict) else each for each in found]

    before = Snapshot(tuple(children(at("203.0.113.9", "203.0.113.10"))), "a state")
    old = of_component(at("203.0.113.7"))
    stays = ["203.0.113.9/32", "203.0.113.10/32"]
    assert listed(put_in(before, [(old, at("203.0.113.7"))])) == (
        stays if contents == "refresher" else ["203.0.113.7/32"]
    )
    assert listed(put_in(Snapshot((), "a state"), [(old, at("203.0.113.7"))])) == ["203.0.113.7/32"]


IDS = "/subscriptions/5/resourceGroups/{}/providers/Microsoft.Network/ipGroups/{}"


def by_pool(ports: Sequence[int], addresses: Sequence[str], **options: Any) -> Statement:
    pool = pool_of({"a.example": addresses})
    entries = [entry("a.example", f"a{port}", port=port) for port in ports]
    return state(plan(selection(entries), "azure:ip-group", pool=pool, **{"from": ["10.0.0.0/8"], **options}))


def of_a_group_elsewhere(name: str) -> Resource:
    """A rule of others for an IP group of another resource group, which nobody here has read."""
    rule = {"ruleType": "NetworkRule", "name": "r", "sourceAddresses": ["10.0.0.0/8"], "ipProtocols": ["TCP"],
            "destinationPorts": ["8080"], "destinationIpGroups": [IDS.format("rg-other", name)]}  # fmt: skip
    held = {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
            "action": {"type": "Allow"}, "rules": [rule]}  # fmt: skip
    return resource(GROUP, "theirs", "", ruleCollectionGroupName="theirs", priority=300, ruleCollections=[held])


def standing_on_azure(plan: Statement, resource_group: str, policy: str, *, ids: bool) -> list[Resource]:
    """As the provider tells of groups and rules, and of names that others gave; without `ids`, as a preview does before there
    is anything."""
    found = children(plan, resourceGroupName=resource_group, firewallPolicyName=policy)
    groups = [each for each in found if "ipGroupsName" in each.properties]
    called = {each.name: str(each.properties["ipGroupsName"] if ids else each.name) for each in groups}
    named = {each: IDS.format(resource_group, name) for each, name in called.items()}
    made_from = frozenset(each.urn for each in found if each.name in named)

    def settled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: settled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [settled(each) for each in value]
        return next((id_ for name, id_ in named.items() if str(value).endswith(f"/ipGroups/{name}")), value)

    return [
        replace(
            each, id=named[each.name] if ids else "", properties={**each.properties, "ipGroupsName": called[each.name]}
        )
        if each.name in named
        else replace(each, properties=settled(each.properties), property_dependencies={"ruleCollections": made_from})
        for each in found
    ]


WHERE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a policy of its own": ({"resourceGroup": "rg-eu"}, "rg-eu", "hostgate"),
    "of another name": ({"resourceGroup": "rg-us", "name": "images"}, "rg-us", "images"),
    "attached": ({"attach": "rg/hub"}, "rg", "hub"),
    "attached by its id": ({"attach": HUB}, "rg", "hub"),
    "kept by a refresher": ({"resourceGroup": "rg-eu", "contents": "refresher"}, "rg-eu", "hostgate"),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("ids", [True, False], ids=["there", "in a preview"])
def test_rules_of_a_plan_refer_to_the_ip_groups_that_stand(where: str, ids: bool) -> None:
    options, resource_group, policy = WHERE[where]
    old = by_pool([443, 22], ["203.0.113.7"], **options)
    above = () if "attach" not in options else (POLICY,)
    standing = standing_on_azure(old, resource_group, policy, ids=ids)
    theirs = of_a_group_elsewhere(f"{options.get('name', 'hostgate')}-tcp-443")
    placed = {"firewallPolicyName": policy, "resourceGroupName": resource_group}
    before = Snapshot((*above, *standing, replace(theirs, properties={**theirs.properties, **placed})), "a state")
    assert changes(before, old, old) == []
    more = changes(before, by_pool([443, 22], ["203.0.113.7", "203.0.113.8"], **options), old)
    expected = set() if options.get("contents") else {("opened", 443), ("opened", 22)}
    assert {(each.kind, each.flow.port) for each in more} == expected
    other = changes(before, by_pool([443, 22], ["203.0.113.8"], **options), old)
    assert {each.kind for each in other} == (set() if options.get("contents") else {"opened", "closed"})
    group_more = changes(before, by_pool([443, 22, 8443], ["203.0.113.7"], **options), old)
    assert {(each.kind, each.flow.port) for each in group_more} == {("opened", 8443)}
    assert {
        (each.kind, each.flow.port) for each in changes(before, by_pool([443], ["203.0.113.7"], **options), old)
    } == {("closed", 22)}


@pytest.mark.parametrize("ids", [True, False], ids=["there", "in a preview"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_rule_collection_group_that_is_new_is_of_the_policy_that_it_goes_to(ids: bool, beside: bool) -> None:
    old, new = azure([A]), by_pool([8443], ["203.0.113.7"], attach=HUB)
    hub = replace(POLICY, id=HUB if ids else "")
    standing = children(old, firewallPolicyName="hub", resourceGroupName="rg") if beside else []
    standing = [replace(each, id=f"{HUB}/ruleCollectionGroups/{each.name}" if ids else "") for each in standing]
    found = changes(Snapshot((hub, *standing), "a state"), new, old)
    expected = {("opened", 8443), ("closed", 443)}
    if beside:
        assert {(each.kind, each.flow.port) for each in found} == expected
    else:  # nothing says which policy it goes to
        assert {each.kind for each in found} == {"unknown"}


RENAMED: dict[str, dict[str, Any]] = {
    "aws:rules": {"home_net": ["10.0.0.0/8"]},
    "aws:dns-firewall": {"vpcs": ["vpc-1"]},
    "aws:prefix-list": {"security_groups": ["sg-0a1"]},
    "aws:network-acl": {"network_acls": ["acl-0a1"]},
    "gcp:fqdn": {"networks": ["projects/acme/global/networks/main"]},
    "gcp:address-group": {"networks": ["projects/acme/global/networks/main"]},
    "azure:application-rules": {"attach": HUB, "from_": ["10.0.0.0/8"]},
    "azure:ip-group": {"attach": HUB, "from_": ["10.0.0.0/8"]},
}


@pytest.mark.parametrize("target", RENAMED)
def test_a_plan_of_another_name_is_put_in_the_place_of_what_the_former_one_made(target: str) -> None:
    options = RENAMED[target]
    if target in {*KEPT, "aws:network-acl"}:
        options = {**options, "addresses": {A.host: ["203.0.113.7"]}}
    old, new = (state(made(target, [A], **options, **more)) for more in ({}, {"name": "acme", "formerly": "hostgate"}))
    held = children(old)
    before = Snapshot((POLICY, *held), "a state")
    after = put_in(before, [(of_component(old), new)])
    assert {each.urn for each in after.resources} == {each.urn for each in before.resources}
    assert changes(before, new, old) == changes(before, old, old)


def test_each_region_is_put_in_the_place_of_its_own() -> None:
    (old,) = state(made("aws:rules", [A], home_net=["10.0.0.0/8"], regions=["eu-west-1"])).apart
    held = [replace(each, urn=each.urn.replace("::hostgate", "::hostgate-eu-west-1")) for each in children(old)]
    before = Snapshot(tuple(held), "a state")
    after = put_in(before, [(of_component(old), old)])
    assert {each.urn for each in after.resources} == {each.urn for each in held}


@pytest.mark.parametrize("addresses", [("203.0.113.7",), ("203.0.113.7", "203.0.113.8")])
def test_a_group_whose_subscription_no_plan_knows_is_the_one_that_stands(addresses: Sequence[str]) -> None:
    place = {"resource_group": "rg", "location": "westeurope", "from_": ["10.0.0.0/8"]}
    old, new = (
        state(made("azure:ip-group", [A], **place, addresses={A.host: [*listed]}))
        for listed in (("203.0.113.7",), addresses)
    )
    id_ = HUB.rpartition("/firewallPolicies")[0]
    held = [
        replace(
            each,
            id=f"{id_}/ipGroups/{each.name}" if "ipAddresses" in each.properties else each.id,
            properties=walked(
                each.properties, "/subscriptions/known-after-apply/", f"{id_.partition('/resource')[0]}/"
            ),
        )
        for each in children(old, firewallPolicyName="hostgate")
    ]
    found = changes(Snapshot(tuple(held), "a state"), new, old)
    assert {each.kind for each in found} == ({"opened"} if len(addresses) > 1 else set())
    # One that does not stand yet is the one of the plan.
    others = tuple(each for each in held if "ipAddresses" not in each.properties)
    assert not any(each.kind == "unknown" for each in changes(Snapshot(others, "a state"), new, old))


def walked(value: Any, old: str, new: str) -> Any:
    """`value` with one text for another in all that it holds."""
    if isinstance(value, dict):
        return {key: walked(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [walked(item, old, new) for item in value]
    return value.replace(old, new) if isinstance(value, str) else value


@pytest.mark.parametrize(("before", "after"), [("a", "ab"), ("ab", "b"), ("a", "b"), ("b", "a")])
@pytest.mark.parametrize("first", ["203.0.113", "2001"])
def test_an_entry_of_a_network_acl_has_its_own_range_and_none_of_another(before: str, after: str, first: str) -> None:
    pool = pool_of(BOTH_FAMILIES)
    old, new = (
        state(plan(selection([entry(f"{each}.example") for each in hosts]), "aws:network-acl", pool=pool, networkAcls=["acl-0a"]))
        for hosts in (before, after)
    )  # fmt: skip
    held = sorted(children(old), key=lambda each: first not in each.name)
    found = changes(Snapshot(tuple(held), "a state"), new, old)
    opened = {address for host in set(after) - set(before) for address in BOTH_FAMILIES[f"{host}.example"]}
    closed = {address for host in set(before) - set(after) for address in BOTH_FAMILIES[f"{host}.example"]}
    for kind, expected in (("opened", opened), ("closed", closed)):
        assert {flow.address for each in found if each.kind == kind for flow, _ in each.seen} == expected
