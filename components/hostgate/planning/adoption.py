"""Existing objects that a plan takes over, by the names of the children that components make of it."""

from collections.abc import Mapping, Sequence

from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan
from hostgate.planning.targets import row


def child_of(made: Plan, name: str, each: CloudObject) -> str:
    """The logical name of the child that realises `each`: the component's name and the object's own suffix."""
    return f"{name}{each.name.removeprefix(made.options.stem)}"


def strangers(made: Plan, names: Sequence[str], adopt: Mapping[str, str]) -> str | None:
    """What is to be adopted and is no child of the components `names` over the plan, in words; None if all of it is."""
    children = sorted(child_of(made, name, each) for name in names for each in made.objects)
    found = sorted(set(adopt) - set(children))
    return f"{', '.join(found)}, which is no child. Children: {', '.join(children)}." if found else None


def component_name(made: Plan, place: str | None) -> str:
    """Of the component that a stack makes in `place` of the plan's."""
    return f"{made.options.name}{'' if place is None else f'-{place}'}"


def objection(made: Plan) -> str | None:
    """The same of a stack's plan, as a sentence about its config."""
    names = [component_name(made, place) for place in made.options.places]
    found = strangers(made, names, made.options.import_)
    return found and f"`hostgate:{row(made.target).cloud}.import` names {found}"
