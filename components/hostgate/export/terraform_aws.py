"""The rule groups and the policy of a plan for AWS as resources of terraform-provider-aws, which Pulumi's provider is made of.

Each input is an argument in snake case, and a block that repeats has the singular as its name. What a plan has beside
groups and a policy is refused: it names resources of others, which are the module's.
"""

from collections.abc import Mapping
from typing import Any, Final

from hostgate.aws.resources import inputs_of
from hostgate.export.terraform import Template, TerraformResource, in_snake_case, refuse_foreign, write_terraform
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan

GROUP: Final = "aws_networkfirewall_rule_group"
TYPES: Final[Mapping[str, str]] = {
    "AWS::NetworkFirewall::RuleGroup": GROUP,
    "AWS::NetworkFirewall::FirewallPolicy": "aws_networkfirewall_firewall_policy",
}
"""Kinds of a plan's objects, and the resource types (terraform-provider-aws 5.100, its schema, read 2026-11-28)."""

REPEATED: Final[Mapping[str, str]] = {
    "stateful_rule_group_references": "stateful_rule_group_reference",
    "stateless_rule_group_references": "stateless_rule_group_reference",
    "definitions": "definition",
    "ip_set_references.ip_set_references": "ip_set_reference",
}
"""Names that Pulumi has in the plural and the provider has not, some by what they are in (the same schema)."""

_OWN_GROUP = "arn:aws:network-firewall:REGION:ACCOUNT:stateful-rulegroup/"
"""What stands before the name of a group of the plan where the policy refers to it."""


def export_terraform(plan: Plan) -> Mapping[str, str]:
    """The resources of `plan` as one file. Raises InputError for what is none of TYPES, and for what is not known."""
    refuse_foreign(plan, TYPES, "rule groups and a policy; the rest is your module's")
    groups = {each.name for each in plan.objects if TYPES[each.kind] == GROUP}
    return write_terraform(
        plan,
        [
            TerraformResource(
                type=TYPES[each.kind],
                name=each.name,
                arguments=_referring(in_snake_case(_inputs(each), REPEATED), groups),
            )
            for each in plan.objects
        ],
    )


def _inputs(each: CloudObject) -> dict[str, Any]:
    """The inputs of the provider, with tags as a mapping, as it has them."""
    found = inputs_of(each)
    if "tags" in found:
        found["tags"] = {tag["Key"]: tag["Value"] for tag in found["tags"]}
    return found


def _referring(value: Any, groups: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _referring(each, groups) for key, each in value.items()}
    if isinstance(value, list):
        return [_referring(each, groups) for each in value]
    name = value.removeprefix(_OWN_GROUP) if isinstance(value, str) else value
    return Template(f"${{{GROUP}.{name}.arn}}") if name != value and name in groups else value
