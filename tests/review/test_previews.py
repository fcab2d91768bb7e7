"""What an engine's preview says of a resource, where the provider fills in what the program leaves out."""

from typing import Any

import pytest

from hostgate.cli.preview_statements import read_preview
from hostgate.review.plan_changes import diff

COMPONENT = "urn:pulumi:dev::shop::hostgate-gcp:index:FirewallPolicyAllowlist::c"
RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"


def document(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A preview of one component with one rule; `old` and `new` are inputs and outputs of the rule."""
    inputs = {"target": "gcp:fqdn", "digest": "0" * 64, "decisions": [], "mode": "enforce"}
    component = {"urn": COMPONENT, "type": "hostgate-gcp:index:FirewallPolicyAllowlist", "inputs": inputs}
    rule = {"urn": f"urn:pulumi:dev::shop::hostgate-gcp:index:FirewallPolicyAllowlist${RULE}::c-allow", "type": RULE}
    old_rule, new_rule = ({**rule, **each, "parent": COMPONENT} for each in (old, new))
    return {
        "steps": [
            {"op": "same", "oldState": component, "newState": component},
            {"op": "update", "oldState": old_rule, "newState": new_rule},
        ],
        "changeSummary": {"same": 1, "update": 1},
    }


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {"project": "acme"}, set()),
        ({"project": "acme"}, {}, set()),
        ({}, {"project": "net-host"}, {"replaced"}),
    ],
    ids=str,
)
def test_a_project_that_the_provider_filled_in_is_what_the_rule_has(
    old: dict[str, Any], new: dict[str, Any], changes: set[str]
) -> None:
    made = document(
        {"inputs": {"priority": 1, **old}, "outputs": {"priority": 1, "project": "acme"}},
        {"inputs": {"priority": 1, **new}, "outputs": {"priority": 1, "project": "acme", **new}},
    )
    before, _ = read_preview(made, "preview.json", deployed=True)
    after, _ = read_preview(made, "preview.json", deployed=False)
    (found,) = diff(before, after)
    assert {each.what for each in found.objects} == changes


POLICY = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
GROUP = "gcp:networksecurity/addressGroup:AddressGroup"


def renamed(**changed: Any) -> dict[str, Any]:
    """A preview in which aliases bring a component `old`, its group, a policy and a rule that refers to both to the name
    `new`; the policy's name is the provider's. `changed`: inputs of the rule after it."""

    def state(type_: str, name: str, inputs: dict[str, Any], component: str = "", *refers_to: str) -> dict[str, Any]:
        parent = {"parent": COMPONENT.replace("::c", f"::{component}")} if component else {}
        urn = f"urn:pulumi:dev::shop::hostgate-gcp:index:FirewallPolicyAllowlist${type_}::{name}" if component else (
            COMPONENT.replace("::c", f"::{name}")
        )  # fmt: skip
        return {"urn": urn, "type": type_, "inputs": inputs, "outputs": inputs, **parent,
                "propertyDependencies": {"match": list(refers_to)}}  # fmt: skip

    def of(name: str, more: dict[str, Any]) -> list[dict[str, Any]]:
        inputs = {"target": "gcp:fqdn", "digest": "0" * 64, "decisions": [], "mode": "enforce"}
        policy = {"name": "hostgate-4f2a", "__defaults": ["name"]}
        group = state(GROUP, f"{name}-list", {"name": "old-list"}, name)
        told = state(POLICY, name, policy, name)
        rule = {"priority": 1, "firewallPolicy": "hostgate-4f2a", **more}
        return [
            state("hostgate-gcp:index:FirewallPolicyAllowlist", name, inputs), group, told,
            state(RULE, f"{name}-allow", rule, name, group["urn"], told["urn"]),
        ]  # fmt: skip

    pairs = zip(of("old", {}), of("new", changed), strict=True)
    steps = [{"op": "update" if changed else "same", "oldState": old, "newState": new} for old, new in pairs]
    return {"steps": steps, "changeSummary": {"same": 0 if changed else 4}}


@pytest.mark.parametrize(
    ("changed", "told"),
    [({}, {}), ({"priority": 2}, {"new-allow": "replaced"}), ({"enableLogging": True}, {"new-allow": "updated"})],
    ids=str,
)
def test_what_an_alias_renames_is_the_same_and_what_changes_with_it_is_told(
    changed: dict[str, Any], told: dict[str, str]
) -> None:
    made = renamed(**changed)
    sides = [read_preview(made, "preview.json", deployed=was)[0] for was in (True, False)]
    (found,) = diff(*sides)
    assert {each.name: each.what for each in found.objects or ()} == told
