"""Stacks of which not everything is known yet, as in a first preview: some values of the inputs are taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Snapshot


def blurred(random: Random, snapshot: Snapshot, values: int) -> tuple[Snapshot, list[str]]:
    """The snapshot without `values` of its values, and which they are."""
    resources = list(snapshot.resources)
    lost = []
    for _ in range(values):
        at = random.randrange(len(resources))
        resource = resources[at]
        path: list[str] = []
        resources[at] = replace(resource, properties=_without_one(random, resource.properties, path))
        lost.append(f"{resource.type.rpartition(':')[2]} {resource.name}: {'.'.join(path)}")
    return Snapshot(tuple(resources), snapshot.source), lost


def _without_one(random: Random, value: Any, path: list[str]) -> Any:
    """A copy in which one value, at any depth, is unknown."""
    if path and (
        random.random() < 0.3 or not value or not isinstance(value, Mapping | Sequence) or isinstance(value, str)
    ):
        return UNKNOWN
    if isinstance(value, Mapping):
        key = random.choice(list(value))
        path.append(str(key))
        return {**value, key: _without_one(random, value[key], path)}
    at = random.randrange(len(value))
    path.append(str(at))
    return [*value[:at], _without_one(random, value[at], path), *value[at + 1 :]]
