"""Lists of hosts and clients that share a policy, as a preview shows them: a host of one list that the clients of another
reach is beyond, and what one of its own clients does not reach is missing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.allowlists_at import allowlists_at
from hostgate.planning.needs import clients_of, needs_of_allowlists
from hostgate.policies.places import places_of_stack
from hostgate.sandbox.resources import Preview

from .conftest import Run

PROGRAM = """
    import pulumi
    import pulumi_azure_native as azure
    import hostgate
    from hostgate import Grant
    from hostgate.aws import NetworkFirewallAllowlist as Aws
    from hostgate.azure import FirewallPolicyAllowlist as Azure
    from hostgate.gcp import FirewallPolicyAllowlist as Google, WebProxyAllowlist as Proxy

    both = hostgate.select("chainguard/images@2024-03-28", ids=["registry", "packages-wolfi"])
    one = hostgate.select("chainguard/images@2024-03-28", ids=["registry"])
    POLICY = "projects/net-host/global/firewallPolicies/egress"
    HUB = "/subscriptions/5/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/hub"
    GATE = "projects/acme/locations/europe-west4/gatewaySecurityPolicies/gate"
    IP = "/subscriptions/5/resourceGroups/rg/providers/Microsoft.Network/ipGroups/"
    LISTS = [Grant("builders", both, ["10.1.0.0/16"]), Grant("runners", one, ["10.2.0.0/16"])]
    BUILDS, RUNS = "builds@acme.iam.gserviceaccount.com", "runs@acme.iam.gserviceaccount.com"
"""

STACKS = {
    "aws, one component": "Aws('c', hosts=LISTS)",
    "aws, two components on one policy": (
        "Aws('builders', hosts=both, deny='declared', from_=['10.1.0.0/16']);"
        " Aws('runners', hosts=one, deny='declared', from_=['10.2.0.0/16'])"
    ),
    "gcp by range, one component": "Google('c', hosts=LISTS)",
    "gcp by account, two components on one policy": (
        "Google('builders', hosts=both, attach=POLICY, from_=[BUILDS]); Google('runners', hosts=one, attach=POLICY, from_=[RUNS])"
    ),
    "gcp by tag, over IPv6 too": (
        "Google('c', hosts=[Grant('builders', both, ['tagValues/1']), Grant('runners', one, ['tagValues/2'])])"
    ),
    "gcp by account and range": (
        "Google('c', hosts=[Grant('builders', both, [BUILDS]), Grant('runners', one, ['10.2.0.0/16', 'fd20::/64'])])"
    ),
    "gcp, a proxy": "Proxy('c', hosts=LISTS, attach=GATE)",
    "azure, one component": (
        "Azure('c', hosts=LISTS, attach=HUB)"
    ),
    "azure, IP groups of the stack": (
        "azure.network.IpGroup('b', ip_groups_name='b', resource_group_name='rg', ip_addresses=['10.1.0.0/16'], location='we');"
        " Azure('builders', hosts=both, attach=HUB, from_=[IP + 'b']);"
        " Azure('runners', hosts=one, attach=HUB, from_=['10.2.0.0/16'])"
    ),
}  # fmt: skip
"""Builders may use two hosts, runners one of them."""


def stand(run: Run, program: str) -> Snapshot:
    made: Preview = run(f"{PROGRAM}    {program}\n", {"gcp:project": "net-host"})
    resources = []
    for each in made.resources:
        links = {key: frozenset(urns) for key, urns in each.property_dependencies.items()}
        resources.append(
            Resource(urn=each.urn, type=each.type, name=each.name, properties=each.inputs, property_dependencies=links)
        )
    return Snapshot(tuple(resources), "a preview")


def asked(snapshot: Snapshot) -> list[Reach]:
    found = []
    for place in places_of_stack(snapshot):
        needs, ours = needs_of_allowlists(allowlists_at(place, snapshot))
        if ours:
            found.append(reach(place, needs, clients_of(place, ours)))
    assert found
    return found


def changed(snapshot: Snapshot, change: Callable[[str], str], of_name: str = "") -> Snapshot:
    """The snapshot with the text of resources, but for the components, as `change` makes it, as somebody did at a console."""

    def of(each: Resource) -> Resource:
        if each.type.startswith("hostgate-") or of_name not in each.name:
            return each
        return replace(each, properties=_changed(each.properties, change))

    return replace(snapshot, resources=tuple(map(of, snapshot.resources)))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _changed(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


@pytest.mark.parametrize("stack", STACKS)
def test_lists_that_stand_as_they_are_meant_are_clean(run: Run, stack: str) -> None:
    for each in asked(stand(run, STACKS[stack])):
        assert (each.beyond, each.missing, each.dead) == ((), (), ()), json.dumps([str(each) for each in each.beyond])


HANDED_OVER = {
    "account": ("builds@", "runs@"), "tag": ("tagValues/1", "tagValues/2"), "range": ("10.1.0.0/16", "10.2.0.0/16"),
}  # fmt: skip


@pytest.mark.parametrize("stack", [each for each in STACKS if "IP groups" not in each and "and range" not in each])
def test_a_host_of_one_list_that_only_clients_of_another_reach_is_beyond_and_missing(run: Run, stack: str) -> None:
    kind = next((each for each in HANDED_OVER if each in stack), "range")
    was, is_ = HANDED_OVER[kind]
    allow = "allow" if stack.startswith("gcp") else ""  # what denies is a resource of its own there
    points = asked(changed(stand(run, STACKS[stack]), lambda text: text.replace(was, is_), allow))
    flows = [flow for point in points for each in point.beyond for flow in each.flows]
    assert {flow.name for flow in flows} == {"packages.wolfi.dev"}
    runner = {"account": "account:runs@", "tag": "tag:tagValues/2", "range": "10.2."}[kind]
    assert all(str(flow.source).startswith(runner) for flow in flows), flows
    missing = [entry for point in points for each in point.missing for entry, _ in each.entries]
    assert {each.rpartition(":")[0].rpartition(" ")[2] for each in missing} == {"builders"}


def test_who_is_no_longer_denied_anything_is_beyond_though_no_rule_is_for_him(run: Run) -> None:
    stood = stand(run, STACKS["gcp by account, two components on one policy"])
    points = asked(changed(stood, lambda text: text.replace("builds@", "others@"), "builders"))
    beyond = [each for point in points for each in point.beyond if not each.rule]
    assert {str(flow.source).partition("@")[0] for each in beyond for flow in each.flows} == {"account:builds"}


def test_where_nothing_says_who_the_clients_are_the_hosts_may_be_open_to_everybody(run: Run) -> None:
    """As in a deployment of 0.1.0, whose allowlists do not record their options."""
    stood = stand(run, STACKS["azure, one component"])
    old = tuple(
        replace(each, properties={key: value for key, value in each.properties.items() if key != "options"})
        for each in changed(stood, lambda text: text.replace("10.1.0.0/16", "10.2.0.0/16")).resources
    )
    assert [each.beyond for each in asked(replace(stood, resources=old))] == [()]


def test_a_list_whose_clients_nobody_sees_may_be_open_to_everybody_and_has_to_be_to_somebody(run: Run) -> None:
    stood = stand(run, "Azure('builders', hosts=both, attach=HUB, from_=[IP + 'elsewhere'])")
    assert [each.missing for each in asked(stood)] == [()]
    gone = changed(stood, lambda text: text.replace("packages.wolfi.dev", "other.example"))
    missing = [entry for point in asked(gone) for each in point.missing for entry, _ in each.entries]
    assert missing == ["packages-wolfi"]


def test_options_are_read_with_the_whole_numbers_that_an_engine_makes_floats(run: Run) -> None:
    stood = stand(run, "Azure('c', hosts=LISTS, attach=HUB, base=3000)")

    def floats(each: Resource) -> Resource:
        options = {**each.properties["options"], "base": 3000.0} if "options" in each.properties else None
        return replace(each, properties={**each.properties, "options": options}) if options else each

    engine = replace(stood, resources=tuple(map(floats, stood.resources)))
    wide = changed(engine, lambda text: text.replace("10.1.0.0/16", "10.2.0.0/16"))
    assert all(each.beyond for each in asked(wide))


OUTPUT = """
    group = azure.network.IpGroup('b', ip_groups_name='b', resource_group_name='rg', ip_addresses=['10.1.0.0/16'], location='we')
    Azure('builders', hosts=both, attach=HUB, from_=[group.id])
    Azure('runners', hosts=one, attach=HUB, from_=['10.2.0.0/16'])
"""


def test_clients_that_are_outputs_are_recorded_once_they_are_known(run: Run) -> None:
    first = stand(run, OUTPUT.strip())
    assert [each.beyond for each in asked(first)] == [()]
    known = OUTPUT.replace("group.id", "pulumi.Output.from_input(IP + 'b')")
    stood = stand(run, known.strip())
    (builders,) = (each for each in stood.resources if each.name == "builders" and each.type.startswith("hostgate-"))
    (recorded,) = builders.properties["clients"].values()
    assert recorded.endswith("/ipGroups/b")
    stood = replace(stood, resources=tuple(
        replace(each, id=recorded.upper()) if each.type.endswith(":IpGroup") else each for each in stood.resources
    ))  # fmt: skip
    assert [(each.beyond, each.missing) for each in asked(stood)] == [((), ())]
    wide = replace(stood, resources=tuple(
        replace(each, properties=_moved(each.properties)) if each.type.endswith("RuleCollectionGroup") else each
        for each in stood.resources
    ))  # fmt: skip
    flows = [flow for point in asked(wide) for each in point.beyond for flow in each.flows]
    assert {flow.name for flow in flows} == {"packages.wolfi.dev"}


def _moved(value: Any) -> Any:
    """IP groups as source become the runners' range."""
    if isinstance(value, Mapping):
        if "sourceIpGroups" in value:
            return {**{key: _moved(item) for key, item in value.items() if key != "sourceIpGroups"},
                    "sourceAddresses": ["10.2.0.0/16"]}  # fmt: skip
        return {key: _moved(item) for key, item in value.items()}
    return [_moved(item) for item in value] if isinstance(value, list | tuple) else value
