"""Reach over the stacks that people have met: what stands beside the names is beyond, missing or unknown, and none in vain."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hostgate.catalog.model import Entry
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import Reach, reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.planning.needs import needs_of
from hostgate.policies.places import places_of_stack
from hostgate.sandbox.wire_values import UNKNOWN_ON_WIRE
from policies.process import R
from policies.test_what_stands_beside import CASES

CGR = Entry(catalog="vendor/images", id="registry", host="cgr.dev", match="exact", port=443, protocol="https")


def _known(value: Any) -> Any:
    """Properties with what is not known yet as snapshots have it."""
    if isinstance(value, Mapping):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return UNKNOWN if value == UNKNOWN_ON_WIRE else value


def found(resources: Sequence[R]) -> list[Reach]:
    """What is reached at every place of a stack, held against one host."""
    urns = {each.name: each.urn for each in resources}
    stack = tuple(
        Resource(
            urn=each.urn, type=each.type, name=each.name, properties=_known(each.properties),
            dependencies=frozenset(urns[name] for name in each.made_from if name in urns),
            property_dependencies={
                key: frozenset(urns[name] for name in each.made_from if name in urns) for key in each.properties
            },
        )
        for each in resources
    )  # fmt: skip
    snapshot = Snapshot(stack, "the stack")
    return [reach(place, needs_of([CGR])) for place in places_of_stack(snapshot)]


NARROW = {
    "B2: an IP group that holds one range": "wide/c/net",
    "a deny of one of two ports before the names": "rule",
}
"""What the pack's rules pass over, because it is little, and is in no catalog all the same, by the rule that lets it out."""


@pytest.mark.parametrize("case", CASES)
def test_what_stands_beside_the_names_is_reached(case: str) -> None:
    resources, rule, said = CASES[case]
    points = found(resources)
    kinds = {kind for each in points for kind in ("beyond", "missing", "unknown", "dead") if getattr(each, kind)}
    if case in NARROW:
        assert {each.rule for point in points for each in point.beyond} == {NARROW[case]}
    elif not rule:
        assert not kinds & {"beyond", "unknown"}, points
    elif rule == "dead-allow":
        assert kinds & {"missing", "dead"}, points
    else:
        assert kinds & ({"unknown"} if "cannot be judged" in said and "Then" not in said else {"beyond", "unknown"}), (
            points
        )
