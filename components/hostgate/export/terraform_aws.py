"""The objects of a plan for AWS as resources of terraform-provider-aws, which Pulumi's provider is made of.

Each input is an argument in snake case, and a block that repeats has the singular as its name. What a plan of Network
Firewall has beside groups and a policy is refused: it names resources of others, which are the module's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from hostgate.aws import query_kinds
from hostgate.aws.dns_firewall import SLOTS, WRITTEN
from hostgate.aws.firewall_kinds import POLICY, RULE_GROUP, plan_arn
from hostgate.aws.resources import BY_KIND, inputs_of
from hostgate.aws.resources_ec2 import ACL_ENTRY_KIND, EGRESS_RULE_KIND, PREFIX_LIST_KIND
from hostgate.export.terraform import (
    Template,
    TerraformResource,
    in_snake_case,
    in_stages,
    label,
    refuse_foreign,
    write_terraform,
)
from hostgate.planning.kept_lists import ignored
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan

_GROUP, _DOMAINS = "aws_networkfirewall_rule_group", "aws_route53_resolver_firewall_domain_list"
_QUERY_GROUP = "aws_route53_resolver_firewall_rule_group"
_ADDRESSES = "aws_ec2_managed_prefix_list"

TYPES: Final[Mapping[str, str]] = {
    RULE_GROUP: _GROUP,
    POLICY: "aws_networkfirewall_firewall_policy",
    query_kinds.DOMAIN_LIST: _DOMAINS,
    query_kinds.RULE_GROUP: _QUERY_GROUP,
    query_kinds.RULE: "aws_route53_resolver_firewall_rule",
    query_kinds.CONFIG: "aws_route53_resolver_firewall_config",
    query_kinds.ASSOCIATION: "aws_route53_resolver_firewall_rule_group_association",
    query_kinds.PROFILE_ASSOCIATION: "aws_route53profiles_resource_association",
    PREFIX_LIST_KIND: _ADDRESSES,
    EGRESS_RULE_KIND: "aws_vpc_security_group_egress_rule",
    ACL_ENTRY_KIND: "aws_network_acl_rule",
}
"""Kinds of a plan's objects, and the resource types (terraform-provider-aws 5.100, its schema, read 2026-11-28)."""

REPEATED: Final[Mapping[str, str]] = {
    "stateful_rule_group_references": "stateful_rule_group_reference",
    "stateless_rule_group_references": "stateless_rule_group_reference",
    "definitions": "definition",
    "ip_set_references.ip_set_references": "ip_set_reference",
    "entries": "entry",
}
"""Names that Pulumi has in the plural and the provider has not, some by what they are in (the same schema)."""

_REFERENCES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "resource_arn": ((_GROUP, "arn"), (_QUERY_GROUP, "arn")),
    "firewall_domain_list_id": ((_DOMAINS, "id"),),
    "firewall_rule_group_id": ((_QUERY_GROUP, "id"),),
    "prefix_list_id": ((_ADDRESSES, "id"),),
}
"""Arguments that name another object of the plan: of which types, and what of it they take."""


def export_terraform(plan: Plan) -> Mapping[str, str]:
    """The resources of `plan` as one file. Raises InputError for what is none of TYPES, and for what is not known."""
    allowed = "rule groups and a policy, what DNS Firewall is made of, or what is by address; the rest is your module's"
    refuse_foreign(plan, TYPES, allowed)
    names = {(TYPES[each.kind], each.name) for each in plan.objects}

    def made(each: CloudObject, after: Sequence[str]) -> TerraformResource:
        arguments = _referring(in_snake_case(_inputs(each), REPEATED), names)
        others = [REPEATED.get(key, key) for key in ignored(BY_KIND[each.kind], plan.options)]
        return TerraformResource(
            type=TYPES[each.kind], name=label(each), arguments=arguments, after=after, ignored=others
        )

    return write_terraform(plan, in_stages(_stages(plan), made))


def _stages(plan: Plan) -> Iterator[Sequence[CloudObject]]:
    """As the components make them: rules of DNS Firewall kind after kind, each with its lists, and a whole group is
    associated, never a half-made one; of network ACLs first the way back. What the policy of a firewall and a rule of a
    security group wait for they refer to."""
    listed = {each.name: each for each in plan.objects if each.kind == query_kinds.DOMAIN_LIST}
    rules = [each for each in plan.objects if each.kind == query_kinds.RULE]
    last = (query_kinds.CONFIG, query_kinds.ASSOCIATION, query_kinds.PROFILE_ASSOCIATION)
    entries = [each for each in plan.objects if each.kind == ACL_ENTRY_KIND]
    later = (query_kinds.DOMAIN_LIST, query_kinds.RULE, ACL_ENTRY_KIND, *last)
    yield [each for each in plan.objects if each.kind not in later]
    for out in (False, True):
        yield [each for each in entries if each.body["Egress"] == out]
    for kind in WRITTEN[plan.options.mode]:
        of_kind = [each for each in rules if kind <= each.body["Priority"] < kind + SLOTS.max]
        yield [listed[each.body["FirewallDomainListId"]] for each in of_kind]
        yield of_kind
    for one in last:
        yield [each for each in plan.objects if each.kind == one]


def _inputs(each: CloudObject) -> dict[str, Any]:
    """The inputs of the provider, with tags as a mapping, as it has them."""
    found = inputs_of(each)
    if "name" not in BY_KIND[each.kind].inputs.fields:
        del found["name"]  # of the object in a plan; it has none in the cloud
    if "tags" in found:
        found["tags"] = {tag["Key"]: tag["Value"] for tag in found["tags"]}
    return found


def _referring(value: Any, names: Collection[tuple[str, str]], key: str = "") -> Any:
    if isinstance(value, dict):
        return {key: each if key == "tags" else _referring(each, names, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_referring(each, names) for each in value]
    if key not in _REFERENCES:
        return value
    name = value.removeprefix(plan_arn(RULE_GROUP, ""))
    made = (f"${{{type_}.{name}.{what}}}" for type_, what in _REFERENCES[key] if (type_, name) in names)
    return next((Template(each) for each in made), value)
