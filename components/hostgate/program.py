"""The program that `pulumi up` runs: stack config to allowlists. `__main__.py` is three lines over `run`."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as engine_config
from pydantic.alias_generators import to_camel

from hostgate.allowlist import announced
from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.problems import InputError
from hostgate.on_demand import sdk_missing
from hostgate.planning.adoption import child_of, component_name
from hostgate.planning.plan import Plan
from hostgate.planning.targets import Target, load, row
from hostgate.stack import read_stack, values_of_engine


@collector_at_rest()  # the SDKs that it imports are hundreds of thousands of objects, and none of them garbage
def run(*, as_of: date | None = None) -> None:
    """Make the allowlists that the stack's config asks for, and export what other stacks need.

    Every cloud is planned before the first resource is registered: an error leaves nothing half declared. `as_of`
    judges expiries (today unless given). Raises pulumi.RunError with all problems.
    """
    day = as_of or date.today()
    try:
        values = values_of_engine(*_engine_config())
        stack = read_stack(values, Path(pulumi.runtime.get_root_directory() or "."))
        plans = stack.plans(day)
    except InputError as error:
        raise pulumi.RunError(f"the config or the catalogs have errors\n{error}") from None
    problems = [str(problem) for plan in plans for problem in plan.problems]
    if stack.reviewed is not None and not problems:
        problems = [str(problem) for problem in stack.reviewed.objections(plans)]
    if problems:
        raise pulumi.RunError("the plan is refused\n" + "\n".join(problems))
    _load_components(plans)
    first: set[str] = set()
    with announced(plans):
        for plan in plans:
            target = row(plan.target)
            made = {place: _exported(_allowlist(plan, target, place), target) for place in plan.options.places}
            # Under the cloud's name stands its first layer, so that a second one changes nothing for those who read it.
            pulumi.export(
                plan.target.replace(":", "-") if target.cloud in first else target.cloud, made.get(None, made)
            )
            first.add(target.cloud)


def _load_components(plans: Sequence[Plan]) -> None:
    """Import the SDKs that the plans need. Raises pulumi.RunError with every one that is not installed."""
    missing: list[str] = []
    for target in (row(plan.target) for plan in plans):
        try:
            load(target.component)
        except ModuleNotFoundError as error:
            ours = target.component.startswith("hostgate.")
            if not ours or (message := sdk_missing(target.name, target.cloud, error)) is None:
                raise
            missing.append(message)
    if missing:
        raise pulumi.RunError("\n".join(missing))


def _exported(allowlist: Any, target: Target) -> dict[str, Any]:
    return {to_camel(name): _as_exported(getattr(allowlist, name)) for name in target.outputs}


def _as_exported(value: Any) -> Any:
    """An output as other stacks and tools read it, in any language: the records of a list have camelCase keys too."""

    def records(known: Any) -> Any:
        if not isinstance(known, list | tuple):
            return known
        return [{to_camel(key): each[key] for key in each} if isinstance(each, dict) else each for each in known]

    return value.apply(records) if isinstance(value, pulumi.Output) else value


def _engine_config() -> tuple[dict[str, str], frozenset[str]]:
    """All config of the stack, and which keys are secret. `pulumi.Config` can be asked for a key, but cannot list them."""
    config = {**engine_config.get_config_env(), **engine_config.CONFIG.get()}
    secret = {*engine_config.get_config_secret_keys_env(), *engine_config._SECRET_KEYS.get()}
    return config, frozenset(secret)


def _allowlist(plan: Plan, target: Target, place: str | None) -> Any:
    """The plan's component; where a stack names Regions, one in each, with the Region in its name."""
    component = load(target.component)
    end, more = ("", {}) if place is None else (f"-{place}", {"region": place})
    name = component_name(plan, place)
    children = {child_of(plan, name, each) for each in plan.objects}
    adopt = {child: id_ for child, id_ in plan.options.import_.items() if child in children}
    aliases = [pulumi.Alias(name=f"{name}{end}") for name in plan.options.formerly_named]
    opts = pulumi.ResourceOptions(aliases=[*aliases]) if aliases else None
    return component(name, plan=plan, opts=opts, import_=adopt, **more)
