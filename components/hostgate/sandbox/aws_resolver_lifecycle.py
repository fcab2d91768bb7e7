"""How DNS Firewall's objects live: ids, what replaces them, and what Route 53 Resolver refuses at call time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.resources_resolver import (
    ACCOUNT_DOMAINS,
    ACCOUNT_LISTS,
    ASSOCIATION,
    CONFIG,
    DOMAIN_LIST,
    GROUP_RULES,
    PROFILE_GROUPS,
    PROFILE_RESOURCE,
    RULE,
    RULE_GROUP,
    VPC_GROUPS,
    profile_priority,
)
from hostgate.sandbox.aws_lifecycle import arn_and_tags, region_of
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of, fixed
from hostgate.sandbox.state import StoredObject

_NO_UPDATE: Final = ": the provider has no update of it (terraform-provider-aws, route53profiles, read 2026-11-28)"


class _Id:
    """Ids of one kind, made of the inputs that tell two objects of the kind apart."""

    def __init__(self, prefix: str, *keys: str) -> None:
        self.prefix, self.keys = prefix, keys

    def __call__(self, inputs: Inputs, account: Account) -> str:
        region = inputs.get("region") or account.region
        return f"{self.prefix}-{digest_of(region, *(inputs.get(key) for key in self.keys), digits=16)}"


def _rule_id(inputs: Inputs, account: Account) -> str:  # noqa: ARG001
    """A list is used once in a group: the two are the id (terraform-provider-aws, firewall_rule.go)."""
    return f"{inputs['firewallRuleGroupId']}:{inputs.get('firewallDomainListId') or inputs.get('dnsThreatProtection')}"


def _arn(ask: Ask, kind: str) -> dict[str, Any]:
    return arn_and_tags(ask, "route53resolver", kind)


def _group_computed(ask: Ask) -> dict[str, Any]:
    return {**_arn(ask, "firewall-rule-group"), "ownerId": ask.account.number, "shareStatus": "NOT_SHARED"}


def _profile_computed(ask: Ask) -> dict[str, Any]:
    told = {"resourceType": "FIREWALL_RULE_GROUP", "status": "COMPLETE", "statusMessage": "Created successfully"}
    return {**told, "region": region_of(ask), "ownerId": ask.account.number}


def _of_group(ask: Ask, type_: str, group: str) -> Iterator[StoredObject]:
    """The other objects of `type_` that name the rule group."""
    for other in ask.now.objects(type_):
        if other.id != ask.held.id and other.inputs.get("firewallRuleGroupId") == group:
            yield other


def _group_exists(ask: Ask) -> Iterator[str]:
    group = ask.held.inputs.get("firewallRuleGroupId")
    if ask.writes and group not in {held.id for held in ask.now.objects(RULE_GROUP)}:
        yield f"ResourceNotFoundException: firewall rule group {group} does not exist"


def _list_exists(ask: Ask) -> Iterator[str]:
    listed = ask.held.inputs.get("firewallDomainListId")
    managed = str(listed).startswith("rslvr-fdl-managed")
    if ask.writes and listed and not managed and listed not in {held.id for held in ask.now.objects(DOMAIN_LIST)}:
        yield f"ResourceNotFoundException: firewall domain list {listed} does not exist"


def _rule_fits(ask: Ask) -> Iterator[str]:
    if not ask.writes:
        return
    others = list(_of_group(ask, RULE, str(ask.held.inputs["firewallRuleGroupId"])))
    for other in others:
        if other.inputs.get("priority") == ask.held.inputs["priority"]:
            yield f"ValidationException: priority {ask.held.inputs['priority']} is that of rule {other.name} already"
    if ask.operation == "create" and len(others) >= GROUP_RULES.max:
        yield f"LimitExceededException: a rule group has at most {GROUP_RULES.max} rules (quota {GROUP_RULES.quota})"


def _association_fits(ask: Ask) -> Iterator[str]:
    if not ask.writes:
        return
    vpc = ask.held.inputs["vpcId"]
    others = [
        other for other in ask.now.objects(ASSOCIATION) if other.id != ask.held.id and other.inputs["vpcId"] == vpc
    ]
    for other in others:
        if other.inputs["priority"] == ask.held.inputs["priority"]:
            yield f"ValidationException: priority {ask.held.inputs['priority']} is that of {other.name} in {vpc} already"
    if ask.operation == "create" and len(others) >= VPC_GROUPS.max:
        yield f"LimitExceededException: {vpc} has {VPC_GROUPS.max} rule groups already (quota {VPC_GROUPS.quota})"


def _profile_fits(ask: Ask) -> Iterator[str]:
    """A Profile holds rule groups of one priority each. What it holds beside them, such as private zones, is not ours to tell."""
    arn, profile = str(ask.held.inputs["resourceArn"]), ask.held.inputs["profileId"]
    if not ask.writes or ":firewall-rule-group/" not in arn:
        return
    if f":{ask.account.number}:" in arn and arn.rpartition("/")[2] not in {
        each.id for each in ask.now.objects(RULE_GROUP)
    }:
        yield f"ResourceNotFoundException: firewall rule group {arn} does not exist"
    priority = profile_priority(ask.held.inputs.get("resourceProperties"))
    others = [
        other
        for other in ask.now.objects(PROFILE_RESOURCE)
        if other.id != ask.held.id
        and other.inputs["profileId"] == profile
        and ":firewall-rule-group/" in str(other.inputs["resourceArn"])
    ]
    for other in others:
        if profile_priority(other.inputs.get("resourceProperties")) == priority:
            yield f"ConflictException: priority {priority} is that of {other.name} in {profile} already"
    if ask.operation == "create" and len(others) >= PROFILE_GROUPS.max:
        most, code = PROFILE_GROUPS.max, PROFILE_GROUPS.quota
        yield f"LimitExceededException: {profile} has {most} rule groups already (quota {code})"


def _not_protected(ask: Ask) -> Iterator[str]:
    """A protected association can only have its protection taken off."""
    if ask.operation == "create" or not ask.before or ask.before.inputs.get("mutationProtection") != "ENABLED":
        return
    if ask.operation == "delete" or ask.held.inputs.get("mutationProtection") == "ENABLED":
        yield "ConflictException: mutation protection is on; turn it off first"


def _lists_fit(ask: Ask) -> Iterator[str]:
    if not ask.writes:
        return
    others = [other for other in ask.now.objects(DOMAIN_LIST) if other.id != ask.held.id]
    if ask.operation == "create" and len(others) >= ACCOUNT_LISTS.max:
        yield f"LimitExceededException: an account has at most {ACCOUNT_LISTS.max} domain lists (quota {ACCOUNT_LISTS.quota})"
    domains = sum(len(held.inputs.get("domains") or ()) for held in (*others, ask.held))
    if domains > ACCOUNT_DOMAINS.max:
        most, code = ACCOUNT_DOMAINS.max, ACCOUNT_DOMAINS.quota
        yield f"LimitExceededException: an account has at most {most} domains in all lists (quota {code})"


def _list_unused(ask: Ask) -> Iterator[str]:
    for rule in ask.now.objects(RULE) if ask.operation == "delete" else ():
        if rule.inputs.get("firewallDomainListId") == ask.held.id:
            yield f"ConflictException: rule {rule.name} uses it; delete the rule first"


def _group_unused(ask: Ask) -> Iterator[str]:
    if ask.operation != "delete":
        return
    for other in _of_group(ask, ASSOCIATION, ask.held.id):
        yield f"ConflictException: it is associated with {other.inputs['vpcId']} ({other.name}); disassociate it first"
    for other in ask.now.objects(PROFILE_RESOURCE):
        if str(other.inputs["resourceArn"]).endswith(f":firewall-rule-group/{ask.held.id}"):
            yield f"ConflictException: it is in the Profile {other.inputs['profileId']} ({other.name}); take it out first"


def _as_sets(old: Any, new: Any) -> bool:
    listed = all(isinstance(each, list) and all(isinstance(domain, str) for domain in each) for each in (old, new))
    return listed and set(old) == set(new)


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    DOMAIN_LIST: Lifecycle(
        place=_Id("rslvr-fdl", "name"),
        name="name",
        computed=lambda ask: _arn(ask, "firewall-domain-list"),
        rules=(_lists_fit, _list_unused),
        same={"domains": _as_sets},
    ),
    RULE_GROUP: Lifecycle(
        place=_Id("rslvr-frg", "name"),
        name="name",
        computed=_group_computed,
        rules=(_group_unused,),
        takes_along=lambda ask: list(_of_group(ask, RULE, ask.held.id)),
    ),
    RULE: Lifecycle(
        place=_rule_id,
        name="name",
        computed=lambda ask: {"region": region_of(ask), "firewallThreatProtectionId": ""},
        rules=(_group_exists, _list_exists, _rule_fits),
    ),
    ASSOCIATION: Lifecycle(
        place=_Id("rslvr-frgassoc", "firewallRuleGroupId", "vpcId"),
        name="name",
        computed=lambda ask: _arn(ask, "firewall-rule-group-association"),
        rules=(_group_exists, _association_fits, _not_protected),
    ),
    PROFILE_RESOURCE: Lifecycle(
        place=_Id("rpr", "profileId", "resourceArn"),
        name="name",
        computed=_profile_computed,
        rules=(_profile_fits, fixed("resourceProperties", says="not supported", because=_NO_UPDATE)),
    ),
    CONFIG: Lifecycle(
        place=_Id("rdsc", "resourceId"),
        name="resourceId",
        computed=lambda ask: {"region": region_of(ask), "ownerId": ask.account.number},
        always_there=True,
    ),
}
