"""`hostgate export terraform`: the rule groups and the policy of an AWS plan as resources of Terraform and OpenTofu, in JSON.

The resources are those that a program makes, by the provider that Pulumi's is made of: each input is an argument in snake
case, and a block that repeats has the singular as its name. What a plan has beside groups and a policy is refused: it names
resources of others, which are the module's.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hostgate.aws.resources import inputs_of
from hostgate.catalog.problems import InputError, Problem
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan

TYPES: Mapping[str, str] = {
    "AWS::NetworkFirewall::RuleGroup": "aws_networkfirewall_rule_group",
    "AWS::NetworkFirewall::FirewallPolicy": "aws_networkfirewall_firewall_policy",
}
"""Kinds of a plan's objects, and the resource types (terraform-provider-aws 5.100, its schema, read 2026-11-28)."""

REPEATED: Mapping[str, str] = {
    "stateful_rule_group_references": "stateful_rule_group_reference",
    "stateless_rule_group_references": "stateless_rule_group_reference",
    "definitions": "definition",
    "ip_set_references.ip_set_references": "ip_set_reference",
}
"""Names that Pulumi has in the plural and the provider has not, some by what they are in (the same schema)."""

_OWN_GROUP = "arn:aws:network-firewall:REGION:ACCOUNT:stateful-rulegroup/"
"""What stands before the name of a group of the plan where the policy refers to it."""


def export_terraform(plan: Plan) -> Mapping[str, str]:
    """The resources of `plan` as one file `NAME.tf.json`. Raises InputError for objects that are none of TYPES."""
    problems = [
        Problem(
            rule="export-terraform",
            message=f"{plan.target}: found {each.kind}. Allowed: rule groups and a policy; the rest is your module's.",
        )
        for each in plan.objects
        if each.kind not in TYPES
    ]
    if problems:
        raise InputError(problems)
    resources: dict[str, dict[str, Any]] = {}
    for each in plan.objects:
        resources.setdefault(TYPES[each.kind], {})[each.name] = _arguments(each, plan.objects)
    return {f"{plan.options.name}.tf.json": json.dumps({"resource": resources}, indent=2) + "\n"}


def _arguments(each: CloudObject, objects: Iterable[CloudObject]) -> Any:
    groups = {one.name for one in objects if TYPES[one.kind] == "aws_networkfirewall_rule_group"}
    return _argument(inputs_of(each), groups)


def _argument(value: Any, groups: set[str], above: str = "") -> Any:
    if isinstance(value, dict):
        found = {}
        for key, item in ((_snake(key), item) for key, item in value.items()):
            found[REPEATED.get(f"{above}.{key}", REPEATED.get(key, key))] = _argument(item, groups, key)
        return found
    if isinstance(value, list | tuple):
        return [_argument(item, groups, above) for item in value]
    if not isinstance(value, str):
        return value
    if (name := value.removeprefix(_OWN_GROUP)) != value and name in groups:
        return f"${{aws_networkfirewall_rule_group.{name}.arn}}"
    return re.sub(r"([$%])\{", r"\1\1{", value)  # else the program reads a template there


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda letter: f"_{letter[0].lower()}", key)
