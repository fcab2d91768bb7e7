"""No step on the way to the programs of examples/ and of this repository stops at the guard that is always on: whatever part of
one stands, the first preview of the rest opens nothing, though nothing that a cloud computes is known of it."""

from pathlib import Path

import pytest
from test_example_pack import STACKS, made

from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.policies.places import places_of_stack
from hostgate.review.compared_places import ComparedPlace, compared_standing
from hostgate.sandbox.resources import PreviewResource


def as_told(each: PreviewResource) -> Resource:
    return Resource(
        urn=each.urn, type=each.type, name=each.name, properties=each.outputs, parent=each.parent or "",
        id="" if each.id is UNKNOWN else str(each.id), dependencies=frozenset(each.dependencies),
        property_dependencies={key: frozenset(urns) for key, urns in each.property_dependencies.items()},
    )  # fmt: skip


def compared(before: list[Resource], after: list[Resource]) -> tuple[ComparedPlace, ...]:
    base, head = (Snapshot(tuple(each), "a stack") for each in (before, after))
    return compared_standing(places_of_stack(base), places_of_stack(head), ([], []), [], head)


@pytest.mark.parametrize("name", STACKS)
def test_a_first_preview_of_what_is_left_opens_nothing(name: str, tmp_path: Path) -> None:
    stack = made(name, tmp_path)
    beside = [as_told(each) for preview in stack.others for each in preview.resources]
    stands = [as_told(each) for each in stack.made.resources]
    foreseen = {each.urn: as_told(each) for each in stack.first.resources}
    for number in range(len(stands) + 1):
        there, left = [*beside, *stands[:number]], [foreseen[each.urn] for each in stands[number:]]
        for place in compared(there, [*there, *left]):
            assert (place.everything, place.perhaps_everything) == (None, None), place.label
