"""Rules that their policy refers to no more: they decide nothing, and no place is made up for them."""

from dataclasses import replace

import pytest

from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.policies.places import places_of_stack
from policies.test_misshapen import on_aws

REFERENCES = ("statefulRuleGroupReferences", "statelessRuleGroupReferences")


def is_policy(each: Resource) -> bool:
    return "firewallPolicy" in each.properties


def detached(*, native: bool, left: tuple[str, ...]) -> Snapshot:
    """A firewall whose policy was taken its rule groups by hand, but for those in `left`: the state still says what the policy
    was made from."""
    stack = on_aws(native=native)
    groups = frozenset(each.urn for each in stack if "ruleGroup" in each.properties)

    def changed(policy: Resource) -> Resource:
        body = policy.properties["firewallPolicy"]
        kept = {key: [each for each in body[key] if each["resourceArn"] in left] for key in REFERENCES}
        properties = {**policy.properties, "firewallPolicy": {**body, **kept}}
        return replace(policy, properties=properties, dependencies=groups)

    return Snapshot(tuple(changed(each) if is_policy(each) else each for each in stack), "a state")


@pytest.mark.parametrize("native", [False, True])
def test_a_firewall_of_which_all_rule_groups_are_detached_is_one_place_and_says_so(native: bool) -> None:
    (place,) = places_of_stack(detached(native=native, left=()))
    assert (place.kind, place.name) == ("firewall", "arn:fw")
    assert (
        "p does not refer to headers, names, rules, stateless: what is in them decides nothing there."
        in place.assumptions
    )
    assert not any("not in what was read" in each for each in place.assumptions)


def test_where_some_are_left_it_is_one_place_as_ever() -> None:
    (place,) = places_of_stack(detached(native=False, left=("arn:rules",)))
    assert {step.owner.rpartition("::")[2] for step in place.steps if step.owner} == {"rules"}


def test_groups_of_a_policy_that_is_not_in_the_stack_are_a_place_of_their_own() -> None:
    stack = tuple(
        each for each in on_aws(native=False) if not is_policy(each) and "firewallPolicyArn" not in each.properties
    )
    (place,) = places_of_stack(Snapshot(stack, "a state"))
    assert place.elsewhere
    assert any("Their policy is not in what was read" in each for each in place.assumptions)
