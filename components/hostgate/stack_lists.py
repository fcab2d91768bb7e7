"""What a stack says of one cloud: one or more layers, and of a layer one or more lists of hosts and clients.

A layer is a mapping, whose key `grants` may hold several lists. Items of one mechanism that have names are such lists
too: they share a policy, and what concerns it is said once, or alike. Each list may say its own hosts; what it leaves out
is what the stack says for all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.catalog.dates import iso_date
from hostgate.catalog.hosts import check_host
from hostgate.catalog.problems import Problem, did_you_mean, key_path, spelled
from hostgate.planning.mechanism import Sight, main_targets, mechanism, targets
from hostgate.planning.options import GrantOptions, Options, OptionsError, read_options

Model = TypeVar("Model", bound=BaseModel)

OF_HOSTS = ("catalogs", "select", "choose", "accept")
"""Keys that say which hosts are meant: of the stack, or of one list."""


def quoted_date(text: str) -> str:
    try:
        iso_date(text)
    except ValueError:
        raise PydanticCustomError(
            "date", "{message}", {"message": f"found {spelled(text)}. Allowed: a quoted date as YYYY-MM-DD."}
        ) from None
    return text


def host_name(text: str) -> str:
    host = check_host(text)
    if host.rule is not None:
        raise PydanticCustomError(host.rule, "{message}", {"message": host.message})
    return host.name


def reason(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError(
            "reason", "{message}", {"message": f"found {spelled(text)}. Allowed: a reason in words."}
        )
    return text


class Section(BaseModel):
    """A part of a stack's config."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class SelectSection(Section):
    """`hostgate:select`."""

    phases: list[str] | None = None
    parties: list[str] | None = None
    purposes: list[str] | None = None
    directions: list[str] | None = None
    ids: list[str] | None = None
    without: list[str] = []


class AcceptSection(Section):
    """An item of `hostgate:accept`."""

    finding: str
    because: Annotated[str, AfterValidator(reason)]
    entry: str | None = None
    host: Annotated[str, AfterValidator(host_name)] | None = None
    until: Annotated[str, AfterValidator(quoted_date)] | None = None


class HostsSection(Section):
    """Which hosts are meant; of a list, what it leaves out is what the stack says."""

    catalogs: Annotated[list[str], Field(min_length=1)] | None = None
    select: SelectSection | None = None
    choose: dict[str, str] | None = None
    accept: list[AcceptSection] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys of a stack stand: the path below the project's name, and as text as people write it."""

    project: str
    path: tuple[int | str, ...]

    def __str__(self) -> str:
        return key_path(f"{self.project}:{self.path[0]}", self.path[1:])

    def at(self, *steps: int | str) -> "Place":
        return Place(self.project, (*self.path, *steps))


@dataclass(frozen=True, slots=True)
class HostList:
    """The hosts of one list: the place of its keys, the name of its grant (empty where a layer has one list), and what it
    says of its hosts."""

    where: Place
    grant: str
    hosts: HostsSection


@dataclass(frozen=True, slots=True)
class Layer:
    """A target with its options, and its lists of hosts."""

    where: Place
    target: str
    options: Options
    lists: tuple[HostList, ...]


def read_layers(cloud: str, value: Any, project: str) -> tuple[list[Layer], list[Problem]]:
    """The layers that `value` of the key `project:cloud` asks for, and what does not hold. What is neither a mapping nor a
    list of them is objected to by the model of the stack."""
    key = Place(project, (cloud,))
    places = list(_places(key, value))
    problems: list[Problem] = []
    groups: dict[str, list[tuple[Place, dict[str, Any]]]] = {}
    for where, given in places:
        try:
            groups.setdefault(_target(cloud, given, where), []).append((where, given))
        except OptionsError as error:
            problems += error.problems
    problems += _alike(key, groups)
    found = []
    for target, items in groups.items():
        if len(items) > 1 and _nameless(items):
            continue  # objected to already
        try:
            found.append(_one(target, *items[0]) if len(items) == 1 else _several(target, items, key))
        except OptionsError as error:
            problems += error.problems
    return found, problems


def _places(key: Place, layers: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Each item's place and keys."""
    if isinstance(layers, dict):
        yield key, layers
    elif isinstance(layers, list):
        for index, layer in enumerate(layers):
            if isinstance(layer, dict):
                yield key.at(index), layer


def _target(cloud: str, given: Mapping[str, Any], where: Place) -> str:
    main = next(target for target in main_targets() if target.startswith(f"{cloud}:"))
    named = given.get("mechanism", main.partition(":")[2])
    target = f"{cloud}:{named}"
    allowed = [other.partition(":")[2] for other in targets() if other.startswith(f"{cloud}:")]
    if target not in targets():
        here = where.at("mechanism")
        near = did_you_mean(str(named), allowed)
        message = f"`{here}`: found {spelled(named)}.{near} Allowed: {', '.join(allowed)}."
        raise OptionsError([problem(message, here)])
    return target


def _alike(key: Place, groups: Mapping[str, Sequence[tuple[Place, Mapping[str, Any]]]]) -> Iterator[Problem]:
    """Layers that take each other's place: only what sees something else of a flow adds to another. Lists of one mechanism
    have names."""
    seen: dict[Sight, str] = {}
    for target, items in groups.items():
        sight, name = mechanism(target).means[0].sight, target.partition(":")[2]
        other = name if len(items) > 1 and _nameless(items) else seen.get(sight)
        if other is not None:
            lists = ", or a `name` for each of several lists of hosts and clients" if other == name else ""
            yield problem(
                f"`{key}`: found the layers {other} and {name}, which see the same of a flow ({sight}). "
                f"Allowed: one of them{lists}.",
                key,
            )
        seen.setdefault(sight, name)


def _nameless(items: Sequence[tuple[Place, Mapping[str, Any]]]) -> bool:
    return not any("name" in given for _, given in items)


def _one(target: str, where: Place, given: Mapping[str, Any]) -> Layer:
    """A layer that one mapping describes."""
    grants = given.get("grants")
    own = {key: value for key, value in given.items() if key not in ("mechanism", *OF_HOSTS)}
    if grants == []:
        message = f"`{where}.grants` is empty. Allowed: at least one, or leave the key out."
        raise OptionsError([problem(message, where.at("grants"))])
    if not isinstance(grants, list) or not all(isinstance(each, dict) for each in grants):
        options = _options(target, own, where)
        return Layer(where, target, options, (HostList(where, "", _hosts(where, given)),))
    places = [(where.at("grants", index), each) for index, each in enumerate(grants)]
    clients: list[dict[str, Any]] = []
    lists: list[HostList] = []
    problems: list[Problem] = []
    for place, each in places:
        try:
            keys = {key: value for key, value in each.items() if key not in OF_HOSTS}
            _read(GrantOptions, keys, place, OF_HOSTS)
            lists.append(HostList(place, keys["name"], _hosts(place, {**_of_hosts(given), **each})))
            clients.append(keys)
        except OptionsError as error:
            problems += error.problems
    if problems:
        raise OptionsError(problems)
    return Layer(where, target, _options(target, {**own, "grants": clients}, where), tuple(lists))


def _several(target: str, items: Sequence[tuple[Place, dict[str, Any]]], key: Place) -> Layer:
    """A layer that several items describe: each is a list, and all of them say what its policy is."""
    kind = mechanism(target).options
    own = ("name", "from", *(["base"] if kind.between_grants else []))
    problems: list[Problem] = []
    said: dict[str, dict[Place, Any]] = {}
    for where, given in items:
        keys = {name: value for name, value in given.items() if name not in ("mechanism", *OF_HOSTS)}
        if "name" not in keys:
            message = f"`{where}.name` is missing: several lists of one mechanism have a name each."
            problems.append(problem(message, where))
        if "grants" in keys:
            message = f"`{where}.grants`: found lists in an item of a list. Allowed: an item for each."
            problems.append(problem(message, where.at("grants")))
        for name in (name for name in keys if name not in own):
            said.setdefault(name, {})[where] = keys[name]
    for name, values in sorted(said.items()):  # the engine hands over the keys in an order of its own
        first, *others = values.values()
        if any(each != first for each in others):
            found = ", ".join(f"{spelled(value)} (`{where}.{name}`)" for where, value in values.items())
            problems.append(
                problem(
                    f"`{key}`: found {name} {found}. The lists share one policy. Allowed: one value, given once or alike.",
                    key,
                )
            )
    shared = {name: next(iter(values.values())) for name, values in said.items()}
    problems += _of_items(kind, items, shared, own)
    if problems:
        raise OptionsError(problems)
    grants = [{name: given[name] for name in own if name in given} for _, given in items]
    lists = tuple(HostList(where, given["name"], _hosts(where, given)) for where, given in items)
    return Layer(key, target, _options(target, {**shared, "grants": grants}, key), lists)


def _of_items(
    kind: type[Options], items: Sequence[tuple[Place, dict[str, Any]]], shared: Mapping[str, Any], own: Sequence[str]
) -> Iterator[Problem]:
    """What does not hold of each item with what all of them say, at the item that says it."""
    told = set()
    for where, given in items:
        keys = {name: value for name, value in given.items() if name in own or name in shared}
        elsewhere = tuple(f"`{where}.{name}" for name in shared if name not in given)
        try:
            _read(kind, {**shared, **keys}, where, ("mechanism", *OF_HOSTS))
        except OptionsError as error:
            for each in error.problems:
                said = each.message.replace(str(where), "")
                if not each.message.startswith(elsewhere) and said not in told:
                    told.add(said)
                    yield each


def _options(target: str, values: Mapping[str, Any], where: Place) -> Options:
    how = mechanism(target)
    chosen: Options = _read(how.options, values, where, ("mechanism", *OF_HOSTS))
    if chosen.grants and not how.several:
        able = [each for each in targets() if mechanism(each).several]
        message = (
            f"found several lists for {target}, which tells no clients apart. Allowed: one list; {', '.join(able)}"
        )
        raise OptionsError([problem(f"`{where}`: {message} take several.", where)])
    if chosen.lacking:
        raise OptionsError([problem(f"`{where}`: {chosen.lacking}", where)])
    return chosen


def _of_hosts(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in OF_HOSTS if key in given}


def _hosts(where: Place, given: Mapping[str, Any]) -> HostsSection:
    return _read(HostsSection, _of_hosts(given), where)


def _read(kind: type[Model], values: Mapping[str, Any], where: Place, beside: Sequence[str] = ()) -> Model:
    try:
        return read_options(kind, values, str(where), beside)
    except OptionsError as error:
        raise OptionsError([replace(each, path=(*where.path, *each.path)) for each in error.problems]) from None


def rewrite_catalogs(values: Any, rewrite: Callable[[Any], Any]) -> Any:
    """`values` of a stack with each reference to a catalog, wherever a list names its own, as `rewrite` has it."""
    if isinstance(values, dict):
        return {
            key: [rewrite(each) for each in value]
            if key == "catalogs" and isinstance(value, list)
            else rewrite_catalogs(value, rewrite)
            for key, value in values.items()
        }
    return [rewrite_catalogs(each, rewrite) for each in values] if isinstance(values, list) else values


def problem(message: str, where: Place | None = None) -> Problem:
    return Problem(rule="config", message=message, path=() if where is None else where.path)
