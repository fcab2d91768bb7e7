"""A plan put in the place of what stands of it: the snapshot as it would be after the update, with everybody's rules.

What a plan does not say stays as it stands: names that a provider made up, where an object is, what refers to what.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hostgate.aws.firewall_kinds import FIREWALL, POLICY, REFERENCES, RULE_GROUP, plan_arn
from hostgate.aws.resources_firewall import FIREWALL_POLICY
from hostgate.azure.firewall_policy import GROUP, IP_GROUP, ip_group_id
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.gcp.resources_groups import ADDRESS_GROUP_TYPE
from hostgate.planning.kept_lists import ignored
from hostgate.planning.mechanism import mechanism
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.targets import COMPUTED, is_computed
from hostgate.review.statement import ObjectStatement, Statement

_WITH_ARNS: Final = (RULE_GROUP, POLICY, FIREWALL)
"""Kinds of objects that others of a plan refer to by ARN."""
_GROUPS: Final = "statefulRuleGroupReferences"


def put_in(snapshot: Snapshot, changes: Iterable[tuple[Statement, Statement | None]]) -> Snapshot:
    """`snapshot` with plans in the place of what stands: pairs of what a component in it says and of its plan, None where
    it goes. A plan that is refused changes nothing."""
    for standing, planned in changes:
        if planned is None or not planned.refused:
            snapshot = _Layer(snapshot, standing, planned).changed()
    return snapshot


class _Layer:
    """What stands of one component, and the objects of its plan."""

    def __init__(self, snapshot: Snapshot, standing: Statement, planned: Statement | None) -> None:
        how = mechanism((planned or standing).target)
        self._snapshot, self._component, self._name = snapshot, standing.urn, standing.name
        self._options = planned.options if planned is not None else None
        # Under another name lists are made anew, and filled.
        self._anew = planned is not None and standing.name not in (planned.name, *planned.formerly)
        self._rows = how.rows(self._options)
        types = (*self._rows.values(), *how.types.values(), *mechanism(standing.target).rows().values())
        tokens = {row.token for row in types if row.kind}
        leaving = (each for each in snapshot.resources if each.parent == standing.urn and " " not in each.urn)
        self._there = {(each.type, each.urn.rpartition("::")[2]): each for each in leaving if each.type in tokens}
        self._stem = planned.stem if planned is not None else ""
        self._objects: Sequence[ObjectStatement] = () if planned is None else planned.made or ()
        self._urns = frozenset(self._urn(row, each) for row, each in self._made())
        self._told = {
            called: told
            for row, each in self._made()
            if (called := self._called(each))
            and (there := self._standing(row, each)) is not None
            and (told := there.properties.get("arn", there.id))
        }

        # What the plan says of some object of a kind it says of all: of the others it is not so.
        self._said: dict[str, set[str]] = {}
        for row, each in self._made():
            self._said.setdefault(each.kind, set()).update(row.from_body(each.body))

        # Rules and associations of DNS Firewall name in a plan what they refer to by its id; rules of Azure and Google Cloud
        # have a list's path, whose subscription or project may be told by the provider alone.
        self._ids = {
            each.name: there.id
            if (there := self._standing(row, each)) and there.id
            else self._called(each) or _path(each)
            for row, each in self._made()
        }

    def changed(self) -> Snapshot:
        now = {found.urn: found for row, each in self._made() for found in [self._resource(row, each)]}
        gone = {each.urn for each in self._there.values()}
        held = (each for each in self._snapshot.resources if each.urn not in gone)
        referring = (self._referring(each) if each.type == FIREWALL_POLICY else each for each in held)
        return Snapshot((*referring, *now.values()), f"{self._snapshot.source}, with the plan in it")

    def _made(self) -> Iterator[tuple[ResourceType, ObjectStatement]]:
        """The objects that are resources of their own."""
        return ((self._rows[each.kind], each) for each in self._objects if each.kind in self._rows)

    def _called(self, each: ObjectStatement) -> str:
        """By what other objects of the plan refer to one, until an update tells its ARN or id; empty for the others."""
        if each.kind == IP_GROUP and isinstance(self._options, FirewallPolicyOptions):
            return ip_group_id(self._options, each.name)
        if each.kind == ADDRESS_GROUP_TYPE.kind:
            return _path(each)
        return plan_arn(each.kind, each.name) if each.kind in _WITH_ARNS else ""

    def _standing(self, row: ResourceType, each: ObjectStatement) -> Resource | None:
        return self._there.get((row.token, self._child(each)))

    def _child(self, each: ObjectStatement) -> str:
        """The logical name of the child that realises an object (`planning.adoption`)."""
        return f"{self._name}{each.name.removeprefix(self._stem)}"

    def _urn(self, row: ResourceType, each: ObjectStatement) -> str:
        standing = self._standing(row, each)
        return standing.urn if standing else f"{self._component.rpartition('::')[0]}${row.token}::{self._child(each)}"

    def _resource(self, row: ResourceType, each: ObjectStatement) -> Resource:
        body = self._settled(row.from_body(each.body))
        given = {
            key: self._ids.get(value, value) if key.endswith("Id") and isinstance(value, str) else value
            for key, value in body.items()
            if key in row.inputs.fields
        }
        placed = dict.fromkeys(
            path.partition(".")[0] for path in (*row.replaces, *row.configured, *row.inputs.required)
        )
        own_name = row.auto_name.property if row.auto_name else ""
        said = self._said[each.kind]
        lacking = [key for key in placed if key not in given and key not in said and key != own_name]
        standing = self._standing(row, each)
        if standing is not None:
            computed = {key: value for key, value in standing.properties.items() if key not in row.inputs.fields}
            pushed = () if self._anew else ignored(row, self._options)
            kept = [key for key in (*lacking, own_name, *pushed) if key in standing.properties]
            given |= {key: standing.properties[key] for key in kept}
            return replace(standing, properties={**computed, **given})
        path = _path(each)
        if own_name and own_name not in given:
            given[own_name] = path.rpartition("/")[2]
        like = next((one for (token, _), one in self._there.items() if token == row.token), None)
        if like is not None:
            given |= {key: like.properties[key] for key in lacking if key in like.properties}
        else:  # what it refers to is one of the others
            given |= {key: UNKNOWN for key in lacking if key in row.inputs.required}
        return Resource(
            urn=self._urn(row, each), type=row.token, name=each.name, properties=given, parent=self._component,
            property_dependencies=like.property_dependencies if like else dict.fromkeys(lacking, self._urns),
            id=self._called(each) or (path if each.kind != GROUP else ""),  # whose a group is, its id would have to say
        )  # fmt: skip

    def _settled(self, value: Any) -> Any:
        """A value of a plan with the ARNs and ids that stand, and without what only an update will tell."""
        if isinstance(value, Mapping):
            return {key: self._settled(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._settled(item) for item in value]
        if not isinstance(value, str):
            return value
        if value in self._told:
            return self._told[value]
        if COMPUTED in value and not is_computed(value):
            return self._ids.get(value.rpartition("/")[2], value)
        return UNKNOWN if is_computed(value) else value

    def _referring(self, policy: Resource) -> Resource:
        """A policy of others that holds groups of the allowlist, with those that the plan has for it."""
        inner = policy.properties.get("firewallPolicy")
        listed = inner.get(_GROUPS) if isinstance(inner, Mapping) else None
        planned = next(
            (each.body["StatefulRuleGroupReferences"] for each in self._objects if each.kind == REFERENCES), None
        )
        if planned is None or not isinstance(inner, Mapping) or not isinstance(listed, list):
            return policy
        arns = {each.properties.get("arn") for each in self._there.values()} - {None}
        others = [each for each in listed if not (isinstance(each, Mapping) and each.get("resourceArn") in arns)]
        if len(others) == len(listed):
            return policy
        named = [{"resourceArn": self._settled(each["ResourceArn"]), "priority": each["Priority"]} for each in planned]
        return replace(
            policy, properties={**policy.properties, "firewallPolicy": {**inner, _GROUPS: [*others, *named]}}
        )


def _path(each: ObjectStatement) -> str:
    """What stands in a plan for the id of an object."""
    return str(each.body.get("name") or each.name)
