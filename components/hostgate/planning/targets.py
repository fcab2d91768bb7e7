"""A target: all that a mechanism brings beside its module, as one row; and every row that is there.

Each cloud has its rows in the `TARGETS` of its package, the main one first. An installed distribution adds rows by an
entry point of the group `hostgate.targets`. A row names modules as text and they load on demand, so that a plan for one
cloud costs one cloud, and no plan costs pulumi.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hostgate.flows.events import EventKind

COMPUTED: Final = "known-after-apply"
"""What stands in a plan for a value that another resource will have."""


def is_computed(text: str) -> bool:
    """Whether `text` stands for a value that another resource will have."""
    return text == COMPUTED or text.startswith(f"{COMPUTED}/")


GROUP = "hostgate.targets"
"""The entry points of other distributions: each names a sequence of Targets, `acme = "acme_gate:TARGETS"`."""

_PACKAGES = ("hostgate.aws", "hostgate.gcp", "hostgate.azure", "hostgate.export")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One row. What is written `module:name` is loaded by `load` when it is first needed."""

    name: str
    """`cloud:mechanism`. A stack names the layers of the cloud under its first part."""
    mechanism: str
    """The module whose MECHANISM it is."""
    component: str = ""
    """`module:class` of the component that realises a plan, with `outputs`. None: its objects are files, which
    `hostgate export` writes and no program makes."""
    outputs: tuple[str, ...] = ()
    """Attributes of the component that a program exports."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Options that name other resources and may be Outputs, by shape (`firewall.vpc_id`, `vpcs[]` for items of a list,
    `ip_sets{}` for values of a mapping), with what stands in the plan for one: `{}` is the item's index or key."""
    referred: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of references, by option: the type of the children and their input that have what came of it."""
    replaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By type, inputs of children that the component has replaced beside what the provider replaces: no preview says it.
    So it does where it has children of all these types."""
    logs: Mapping["EventKind", str] = field(default_factory=dict)
    """`module:function` that reads an event of a kind, of a record of the logs that tell this target's verdicts. Rows may
    share one: what it reads is judged by the rows that have it for the kind of event. It raises NotALog, NoVerdict,
    and for a record of another log OtherLog, of `hostgate.flows.events`."""
    places: str = ""
    """`module:function` that finds in a snapshot where flows meet such objects."""
    named: str = ""
    """The option that names places for whose clients alone an allowlist is; none where others may come to be judged there."""
    held_by: str = ""
    """The input of a rule that says at which of those it judges."""
    members: str = ""
    """`module:function` that finds in a snapshot whom such places judge by name, who may come to be judged elsewhere."""
    simulated: str = ""
    """`module:name` of the simulated cloud that has the component's resource types."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """Inputs of the component beside `catalogs`, as a package's documentation shows them: texts, and lists of texts."""
    exports: Mapping[str, str] = field(default_factory=dict)
    """Forms of `hostgate export`: `module:function` that makes of a plan texts by file name; for one with options of its
    own, what its command takes."""

    @property
    def cloud(self) -> str:
        """The first part of the name."""
        return self.name.partition(":")[0]


def rows() -> tuple[Target, ...]:
    """Every row that a program can make: of the clouds here, then of other distributions by the name of their entry point.
    Raises InputError."""
    return tuple(each for each in _rows().values() if each.component)


def formats() -> tuple[Target, ...]:
    """Every row of files, in the same order. Raises InputError."""
    return tuple(each for each in _rows().values() if not each.component)


def row(name: str) -> Target:
    """The row of the target `name`. Raises KeyError for a name that no row has. What other distributions add is looked for
    where none is here."""
    return _own()[name] if name in _own() else _rows()[name]


def clouds() -> tuple[str, ...]:
    """The first part of every name, once."""
    return tuple(dict.fromkeys(each.cloud for each in rows()))


def named(attribute: str) -> tuple[Any, ...]:
    """What the rows name under `attribute` (`places`, `simulated`), loaded, each once."""
    return tuple(load(place) for place in dict.fromkeys(getattr(each, attribute) for each in rows()) if place)


def beside_targets(cloud: str) -> Mapping[str, Mapping[str, Any]]:
    """Components of a cloud that realise no plan, as `module:name`, each with inputs for an example."""
    return getattr(import_module(f"hostgate.{cloud}"), "BESIDE_TARGETS", {})


def load(place: str) -> Any:
    """What `module:name` or `module` stands for."""
    module, _, name = place.partition(":")
    loaded = import_module(module)
    return getattr(loaded, name) if name else loaded


@cache
def _own() -> Mapping[str, Target]:
    return {each.name: each for package in _PACKAGES for each in import_module(package).TARGETS}


@cache
def _rows() -> Mapping[str, Target]:
    found = dict(_own())
    forms = {form: each.name for each in found.values() for form in each.exports}
    from importlib.metadata import entry_points

    problems = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        origin = f"the entry point {point.name} = {point.value} of {GROUP}"
        try:
            given = tuple(point.load())
        except Exception as error:
            problems.append(f"{origin} cannot be loaded: {error!r}. Mend or uninstall its distribution.")
            continue
        for each in given:
            if not isinstance(each, Target):
                problems.append(f"{origin}: found {each!r}. Allowed: {Target.__module__}.Target.")
            elif found.setdefault(each.name, each) is not each:
                problems.append(f"{origin}: found the target {each.name}, which is there already. Allowed: a new name.")
            else:
                twice = (form for form in each.exports if forms.setdefault(form, each.name) != each.name)
                told = "found the export form {}, which {} has. Allowed: a new form."
                problems += [f"{origin}: {told.format(form, forms[form])}" for form in twice]
    if problems:
        from hostgate.catalog.problems import InputError, Problem

        raise InputError(Problem(rule="target-row", message=message) for message in problems)
    return found
