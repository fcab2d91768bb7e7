"""What DNS Firewall answers: lists of rules that do not block, against the catalogs; and whether the rest is blocked.

A list that no rule of the stack refers to, or one whose rule is not known, is taken to be answered: lists that only
block have to be seen to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hostgate.aws.query_kinds import RESOLVER_ZONES
from hostgate.flows.nodes import NOT_KNOWN, Node
from hostgate.flows.snapshot import Resource
from hostgate.policies.catalogs import CatalogIndex
from hostgate.policies.contents import against
from hostgate.policies.dns_lists import domains_of
from hostgate.policies.effects import ANY_PORT, Effect, Names
from hostgate.policies.readers import DNS_GROUP, DNS_LIST, DNS_RULE
from hostgate.policies.violations import CheckResult, NotApplicable, Violation

_WHERE = "firewallDomainListId"

_NO_LIST = "its list is not part of this stack, or not known yet"

_INSIDE = [Names("subtree+apex", zone) for zone in RESOLVER_ZONES]
"""No query for these leaves the VPC, so no catalog has them."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`blocks` and `priority` are None where they are not known; `whole`: for every type of query."""

    resource: Resource
    group: str
    list: Resource | None
    blocks: bool | None
    priority: int | None
    whole: bool


class Queries:
    """The lists, rules and rule groups of a stack."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        def of(type_: str) -> list[Resource]:
            return [each for each in resources if each.type == type_]

        self.lists, self.groups = of(DNS_LIST), of(DNS_GROUP)
        self.rules = [_rule(each, self.lists, self.groups) for each in of(DNS_RULE)]

    def answering(self, listed: Resource) -> list[_Rule]:
        """The rules of a list that are not seen to block."""
        return [rule for rule in self.rules if rule.list is listed and not rule.blocks]

    def only_blocks(self, listed: Resource) -> bool:
        mine = [rule for rule in self.rules if rule.list is listed]
        return bool(mine) and all(rule.blocks for rule in mine)

    def guarded(self, listed: Resource, host: str) -> bool:
        """Whether each rule that answers the list comes after one that blocks `host` itself."""
        rules = self.answering(listed)
        return bool(rules) and all(
            any(_comes_before(guard, rule) and _holds(guard, host) for guard in self.rules) for rule in rules
        )


def dns_names(queries: Queries, known: CatalogIndex, *, withdrawn: bool) -> CheckResult:
    """Names that are answered and that the catalogs do not have so; with `withdrawn`, only those given up."""
    opened = [each for each in queries.lists if not queries.only_blocks(each)]
    elsewhere = [rule for rule in queries.rules if rule.list is None and not rule.blocks]
    if not opened and not elsewhere:
        return NotApplicable("no list of DNS Firewall answers anything")
    found = [
        Violation(resource=rule.resource, where=_WHERE, message=f"cannot be judged: {_NO_LIST}") for rule in elsewhere
    ]
    for listed in opened:
        node = Node(listed.properties)
        for where, names in domains_of(node):
            if any(names.inside(zone) for zone in _INSIDE):
                continue
            held = _guarded(queries, listed, names)
            effect = Effect(where=where, action="allow", layer=None, ports=ANY_PORT, names=held, listed=True)
            remark = against(listed, effect, known, withdrawn=withdrawn)
            found += [] if remark is None else [remark]
        found += [
            Violation(resource=listed, where=doubt.where, message=f"cannot be judged: {doubt.why}")
            for doubt in node.doubts
        ]
    return found


def dns_no_block(queries: Queries) -> CheckResult:
    """Rule groups of the stack that answer names, and block nothing behind them."""
    groups = [
        group for group in queries.groups if any(rule.group == group.urn and not rule.blocks for rule in queries.rules)
    ]
    if not groups:
        return NotApplicable("no rule group of DNS Firewall answers anything")
    return [remark for group in groups for remark in _open(queries, group)]


def _open(queries: Queries, group: Resource) -> Iterator[Violation]:
    rules = [rule for rule in queries.rules if rule.group == group.urn]
    unknown = []
    for rule in rules:
        if rule.list is None or not rule.whole or rule.blocks is False:
            continue
        node = Node(rule.list.properties)
        everything = any(names.kind == "any" for _, names in domains_of(node))
        if everything and rule.blocks:
            return
        if rule.blocks is None:
            unknown.append((rule.resource, "action"))
        elif node.doubts:
            unknown.append((rule.list, node.doubts[0].where))
    for resource, where in unknown:
        yield Violation(resource=resource, where=where, message=f"cannot be judged: {NOT_KNOWN}")
    if not unknown:
        yield Violation(resource=group, where="the rule group", message="names are answered, and no rule blocks `*.`.")


def _guarded(queries: Queries, listed: Resource, names: Names) -> Names:
    if names.kind == "subtree+apex" and queries.guarded(listed, names.host):
        return Names("subtree", names.host)
    return names


def _rule(resource: Resource, lists: Sequence[Resource], groups: Sequence[Resource]) -> _Rule:
    node = Node(resource.properties)
    action = node.at("action").text("action")
    group = _referred(resource, "firewallRuleGroupId", groups)
    inside = group is not None and resource.urn.startswith(f"{group.urn}#")
    return _Rule(
        resource=group if group is not None and inside else resource,
        group=group.urn if group else node.at("firewallRuleGroupId").text() or "?",
        list=_referred(resource, _WHERE, lists),
        blocks=None if action is None else action == "BLOCK",
        priority=node.at("priority").number("place"),
        whole=node.at("qType").absent,
    )


def _referred(rule: Resource, key: str, others: Sequence[Resource]) -> Resource | None:
    """The one of `others` that the rule refers to; None where it was made after several and nobody can tell which."""
    told = rule.properties.get(key)
    known = [each for each in others if isinstance(told, str) and told == each.properties.get("id")]
    found = known or [each for each in others if each.urn in rule.dependencies]
    return found[0] if len(found) == 1 else None


def _comes_before(guard: _Rule, rule: _Rule) -> bool:
    return (
        guard.blocks is True
        and guard.whole
        and guard.group == rule.group
        and guard.priority is not None
        and rule.priority is not None
        and guard.priority < rule.priority
    )


def _holds(guard: _Rule, host: str) -> bool:
    """Whether the guard's list has the name itself, or everything; `*.x` may not hold x."""
    if guard.list is None:
        return False
    return any(
        names.kind == "any" or names == Names("exact", host) for _, names in domains_of(Node(guard.list.properties))
    )
