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
