"""`hostgate export terraform`: the resources of a plan for Terraform and OpenTofu, as one file of their JSON syntax.

What each cloud's objects become is said by its own module beside this one. What they have in common is here: how values
are spelled, what is no template, what comes after what, and what no file can say.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hostgate.catalog.problems import InputError, Problem
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan
from hostgate.planning.targets import COMPUTED


class Template(str):
    """A text with expressions in it, which is written as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformResource:
    """A resource: `arguments` by the provider's names; `after` names those that it waits for, TYPE.NAME each; `ignored`
    those of its arguments that somebody else keeps once it is made."""

    type: str
    name: str
    arguments: Mapping[str, Any]
    after: Sequence[str] = ()
    ignored: Sequence[str] = ()

    @property
    def address(self) -> str:
        return f"{self.type}.{self.name}"


_LATER = "found a value of {} that is known only once something else is made. Allowed: the value itself."
_OWN_KEYS = ("tags", "labels")
"""Arguments whose keys are the user's own."""


def refuse_foreign(plan: Plan, kinds: Collection[str], allowed: str) -> None:
    """Raise InputError for a plan that is refused, for objects that are none of `kinds`, and for what a file of resources
    cannot say."""
    if plan.problems:
        raise InputError(plan.problems)
    found = [f"found {each.kind}. Allowed: {allowed}." for each in plan.objects if each.kind not in kinds]
    if plan.options.lacking:
        found.append(plan.options.lacking)
    if plan.options.import_:
        found.append("found `import`. Leave it out, and say in an `import` block of your module what is there already.")
    if any(COMPUTED in text for text in _texts(plan.options.model_dump())):
        found.append(_LATER.format("an option"))
    _refuse(plan, found)


def in_stages(
    stages: Iterable[Sequence[CloudObject]], made: Callable[[CloudObject, Sequence[str]], TerraformResource]
) -> list[TerraformResource]:
    """What `made` makes of every object, each waiting for all of the stage before its own."""
    found: list[TerraformResource] = []
    before: list[str] = []
    for stage in stages:
        if stage:
            added = [made(each, before) for each in stage]
            found += added
            before = [each.address for each in added]
    return found


def write_terraform(
    plan: Plan, resources: Sequence[TerraformResource], data: Mapping[str, Any] | None = None
) -> Mapping[str, str]:
    """`resources` as one file, by its name. Raises InputError for a value that only a program gets to know."""
    _refuse(
        plan,
        [_LATER.format(each.address) for each in resources if any(COMPUTED in text for text in _texts(each.arguments))],
    )
    written: dict[str, dict[str, Any]] = {}
    assert sorted(each.name for each in resources) == sorted(each.name for each in plan.objects)  # none is left behind
    for each in resources:
        # What takes the place of another is made first: a rule that denies is never gone before its successor is there.
        more: dict[str, Any] = {"lifecycle": {"create_before_destroy": True}}
        if each.ignored:
            more["lifecycle"]["ignore_changes"] = list(each.ignored)
        if each.after:
            more["depends_on"] = list(each.after)
        written.setdefault(each.type, {})[each.name] = {**_escaped(each.arguments), **more}
    document = {**({"data": data} if data else {}), "resource": written}
    name = f"{plan.options.name}.{plan.target.replace(':', '-')}.tf.json"
    return {name: json.dumps(document, indent=2) + "\n"}


def in_snake_case(value: Any, renamed: Mapping[str, str] | None = None, above: str = "") -> Any:
    """`value` with its keys as providers spell them. `renamed`: by key, or by the key above it and the key, another name.
    What is absent stays away."""
    renamed = renamed or {}
    if above in _OWN_KEYS:
        return value
    if isinstance(value, Mapping):
        names = {key: snake(key) for key, each in value.items() if each is not None}
        return {
            renamed.get(f"{above}.{name}", renamed.get(name, name)): in_snake_case(value[key], renamed, name)
            for key, name in names.items()
        }
    if isinstance(value, list | tuple):
        return [in_snake_case(each, renamed, above) for each in value]
    return value


def snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda letter: f"_{letter[0].lower()}", key)


def _escaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_escaped(key): _escaped(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(each) for each in value]
    if isinstance(value, str) and not isinstance(value, Template):
        return re.sub(r"([$%])\{", r"\1\1{", value)  # else the program reads a template there
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        yield from (text for each in value for text in _texts(each))
    elif isinstance(value, str):
        yield value


def _refuse(plan: Plan, found: Sequence[str]) -> None:
    if found:
        raise InputError(Problem(rule="export-terraform", message=f"{plan.target}: {each}") for each in found)
