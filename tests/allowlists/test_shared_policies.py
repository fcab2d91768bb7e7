"""Several lists in one component, and several components on one policy: what stands where, and who waits for whom."""

from typing import Any

import pytest

from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview

from .conftest import Run

PROGRAM = """
    import pulumi
    import pulumi_gcp as gcp
    import hostgate
    from hostgate import Grant
    from hostgate.aws import NetworkFirewallAllowlist as Aws
    from hostgate.azure import FirewallPolicyAllowlist as Azure
    from hostgate.gcp import FirewallPolicyAllowlist as Google, UrlFilterAllowlist as Urls, WebProxyAllowlist as Proxy

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    more = hostgate.select("chainguard/images@2024-03-28", phases=["pull", "build"])
    POLICY = "projects/net-host/global/firewallPolicies/egress"
    NET = "projects/net-host/global/networks/main"
    LINK = "https://www.googleapis.com/compute/v1/"
    HUB = "/subscriptions/5/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/hub"
    GATE = "projects/acme/locations/europe-west4/gatewaySecurityPolicies/gate"
"""


def bases(made: Preview, kind: str = "Rule", holds: str = "-allow-") -> dict[str, int]:
    return {
        each.name: int(each.inputs["priority"])
        for each in made.resources
        if each.type.endswith(kind) and holds in each.name
    }


def components(made: Preview) -> dict[str, Any]:
    return {each.name: each.inputs for each in made.resources if each.type.startswith("hostgate-")}


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("Google('a', hosts=hosts, attach=POLICY)", "Google('b', hosts=hosts, attach=POLICY)", [2000, 2008]),
        ("Google('a', hosts=hosts, attach=POLICY)", "Google('b', hosts=hosts, attach=LINK + POLICY)", [2000, 2008]),
        ("Google('a', hosts=hosts, attach=POLICY)", "Google('b', hosts=hosts, attach=POLICY + '2')", [2000, 2000]),
        ("Google('a', hosts=hosts, attach=POLICY, base=5000)", "Google('b', hosts=hosts, attach=POLICY)", [5000, 2000]),
        ("Google('a', hosts=hosts)", "Google('b', hosts=hosts)", [2000, 2000]),
        ("a = Google('a', hosts=hosts)", "Google('b', hosts=hosts, attach=a.policy)", [2000, 2008]),
        (
            "own = gcp.compute.NetworkFirewallPolicy('own'); Google('a', hosts=hosts, attach=own.name)",
            "Google('b', hosts=hosts, attach=own.name)",
            [2000, 2008],
        ),
        (
            "Google('a', hosts=[Grant('x', hosts, ['10.1.0.0/16']), Grant('y', hosts, ['10.2.0.0/16'])], attach=POLICY)",
            "Google('b', hosts=hosts, attach=POLICY)",
            [2000, 2016],
        ),
    ],
)  # fmt: skip
def test_on_google_cloud_each_component_of_a_policy_has_the_next_base_in_the_order_of_the_program(
    run: Run, first: str, second: str, found: list[int]
) -> None:
    made = run(f"{PROGRAM}    {first}\n    {second}\n", {"gcp:project": "acme"})
    options = {name: inputs["options"]["base"] for name, inputs in components(made).items()}
    assert [int(options[name]) for name in ("a", "b")] == found


def test_groups_of_azure_stand_apart_and_are_written_one_after_another(run: Run) -> None:
    made = run(f"{PROGRAM}    for name in 'abc':\n        Azure(name, hosts=hosts, attach=HUB, from_=['10.0.0.0/8'])\n")
    groups = [each for each in made.resources if each.type.endswith("RuleCollectionGroup")]
    assert {each.name: int(each.inputs["priority"]) for each in groups} == {"a": 2000, "b": 2100, "c": 2200}
    waits = {each.name: {urn.rpartition("::")[2] for urn in each.dependencies} for each in groups}
    assert waits["c"] >= {"b"}
    assert waits["b"] >= {"a"}


def test_a_group_beside_those_of_a_component_that_makes_the_policy_waits_for_them(run: Run) -> None:
    made = run(
        PROGRAM
        + "    a = Azure('a', hosts=hosts, resource_group='rg', location='westeurope')\n"
        + "    Azure('b', hosts=hosts, attach=a.policy_id)\n"
    )
    groups = [each for each in made.resources if each.type.endswith("RuleCollectionGroup")]
    assert {each.name: int(each.inputs["priority"]) for each in groups} == {"a": 2000, "b": 2100}
    (b,) = (each for each in groups if each.name == "b")
    assert "a" in {urn.rpartition("::")[2] for urn in b.dependencies}


def test_groups_of_aws_for_one_policy_of_another_owner_have_priorities_apart(run: Run) -> None:
    made = run(f"{PROGRAM}    for name in 'ab':\n        Aws(name, hosts=hosts, deny='declared')\n")
    assert {name: int(each["options"].get("base", 1000)) for name, each in components(made).items()} == {
        "a": 1000,
        "b": 1032,
    }


def test_rules_of_two_proxies_in_one_policy_stand_apart(run: Run) -> None:
    made = run(f"{PROGRAM}    for name in 'ab':\n        Proxy(name, hosts=hosts, attach=GATE)\n")
    assert {int(each["options"].get("base", 1000)) for each in components(made).values()} == {1000, 1008}


def test_a_preview_is_of_one_program_and_the_next_begins_anew(run: Run) -> None:
    for _ in range(2):
        made = run(f"{PROGRAM}    Google('a', hosts=hosts, attach=POLICY)\n", {"gcp:project": "net-host"})
        assert bases(made) == {"a-allow-tcp-443": 2000}


def test_one_component_takes_several_lists_and_registers_whose_each_host_is(run: Run) -> None:
    lists = "[Grant('builders', hosts, ['10.1.0.0/16']), Grant('nodes', hosts, ['10.0.0.0/8'])]"
    made = run(f"{PROGRAM}    Aws('vendors', hosts={lists})\n")
    inputs = components(made)["vendors"]
    assert inputs["from"] == ["10.0.0.0/8", "10.1.0.0/16"]
    assert [each["name"] for each in inputs["options"]["grants"]] == ["builders", "nodes"]
    assert {key.partition(":")[0] for key in inputs["decisions"]} == {"builders", "nodes"}
    assert "vendors-nodes-allow" in {each.name for each in made.resources}


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ("[]", "found a list. Allowed: a Selection, or a list of hostgate.Grant"),
        ("[hosts]", "found a Selection. Allowed: a Selection, or a list of hostgate.Grant, each with a name and its hosts"),
        ("'chainguard/images'", "`hosts`: found 'chainguard/images'. Allowed: a Selection, as hostgate.select() makes it, or a"),
        ("[Grant('a', hosts, [pulumi.Output.from_input('10.0.0.0/8')])]", "`grants[0].from[0]` is an Output. Allowed: a plain"),
    ],
)  # fmt: skip
def test_hosts_of_another_kind_are_refused_with_what_is_wanted(run: Run, hosts: str, said: str) -> None:
    with pytest.raises(PreviewError) as caught:
        run(f"{PROGRAM}    Aws('a', hosts={hosts})\n")
    assert said in str(caught.value)


URLS = "zones=['europe-west4-a']"
BUILDS = "from_=['builds@acme.iam.gserviceaccount.com']"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (f"Urls('a', hosts=hosts, attach=POLICY, networks=[NET], {URLS})", "Google('b', hosts=hosts, attach=POLICY)",
         "b: found the components a (url-filter) and b (fqdn), whose rules are one list for the same clients: "
         "projects/net-host/global/firewallPolicies/egress, from base 2000 and from base 2008."),
        ("Google('a', hosts=hosts, attach=POLICY)", f"Urls('b', hosts=hosts, attach=POLICY, networks=[NET], {URLS})",
         "the components a (fqdn) and b (url-filter)"),
        (f"a = Urls('a', hosts=hosts, networks=[NET], {URLS})", "Google('b', hosts=hosts, attach=a.policy)", "one list"),
        (f"Urls('a', hosts=hosts, networks=[NET], {URLS})", "Google('b', hosts=hosts, networks=[NET])",
         "the firewall policies of projects/net-host"),
        ("own = gcp.compute.NetworkFirewallPolicy('own'); Google('a', hosts=hosts, attach=own.name)",
         f"Urls('b', hosts=hosts, attach=own.name, networks=[NET], {URLS})", "for the same clients: one policy. The"),
        (f"Urls('a', hosts=hosts, attach=POLICY, networks=[NET], {URLS})",
         f"Urls('b', hosts=hosts, attach=POLICY, networks=[NET], {URLS})", "the components a (url-filter) and b (url-filter)"),
        (f"Google('a', hosts=hosts, attach=POLICY, {BUILDS})", f"Google('b', hosts=hosts, attach=POLICY, mode='audit', {BUILDS})",
         "a deny or audit rule of one before every rule of the other"),
        ("Google('a', hosts=hosts, attach=POLICY)", "Google('b', hosts=hosts, attach=POLICY, base=50_000_000)", "one list"),
        (f"Urls('a', hosts=hosts, attach=POLICY, networks=[NET], {URLS}, deny='declared')",
         "Google('b', hosts=more, attach=POLICY, deny='declared')", "one list"),
        ("Google('a', plan=hostgate.plan(hosts, 'gcp:fqdn', attach=POLICY))",
         f"Urls('b', hosts=hosts, attach=POLICY, networks=[NET], {URLS})", "one list"),
    ],
)  # fmt: skip
def test_components_whose_rules_are_one_list_are_refused_as_layers_of_a_stack_are(
    run: Run, first: str, second: str, said: str
) -> None:
    with pytest.raises(PreviewError) as caught:
        run(f"{PROGRAM}    {first}\n    {second}\n", {"gcp:project": "net-host"})
    assert said in str(caught.value)
    assert "Allowed: one of them, or components whose `networks` or clients under `from` are apart." in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"Urls('a', hosts=hosts, attach=POLICY, networks=[NET], {URLS}, deny='declared')",
         "Google('b', hosts=hosts, attach=POLICY, deny='declared')"),
        (f"Urls('a', hosts=hosts, attach=POLICY, networks=[NET], {URLS}, {BUILDS})",
         f"Google('b', hosts=hosts, attach=POLICY, {BUILDS.replace('builds', 'runs')})"),
        (f"Urls('a', hosts=hosts, networks=[NET], {URLS})", "Google('b', hosts=hosts, networks=[NET + '2'])"),
        ("Google('a', hosts=hosts, attach=POLICY)", "Google('b', hosts=hosts, attach=POLICY, deny='declared')"),
        ("Google('a', hosts=hosts, attach=POLICY, deny='declared')",
         "Google('b', hosts=hosts, attach=POLICY, mode='audit', deny='declared')"),
        ("Google('a', hosts=hosts, attach=POLICY)", "Google('b', hosts=hosts, attach=POLICY)"),
        ("one, two = (gcp.compute.Network(each) for each in 'ab'); Google('a', hosts=hosts, networks=[one.id])",
         f"Urls('b', hosts=hosts, networks=[two.id], project='net-host', {URLS})"),
    ],
    ids=["a move to names", "clients apart", "networks apart", "one deny for both", "no audit rule", "two lists", "Outputs"],
)  # fmt: skip
def test_components_that_narrow_nothing_of_each_other_stand_beside_each_other(
    run: Run, first: str, second: str
) -> None:
    run(f"{PROGRAM}    {first}\n    {second}\n", {"gcp:project": "net-host"})
