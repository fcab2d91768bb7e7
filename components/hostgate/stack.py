"""Stack config: the `hostgate:` keys of a Pulumi stack, read the same way by the program and by the command line.

The engine hands over text and JSON, the command line reads the stack file itself; both end in one `Stack`. Config
errors name the key, what was found and what is allowed. Our keys are never secret: reviewers must see the hosts.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, create_model
from pydantic_core import PydanticCustomError

from hostgate.catalog.blanks import blanks
from hostgate.catalog.dates import iso_date
from hostgate.catalog.model import Origin
from hostgate.catalog.problems import InputError, Problem, key_path, spelled
from hostgate.catalog.selection import NARROWING, Acceptance, Selection, select, together, union
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.catalog.yaml_reader import Mapping as YamlMapping
from hostgate.catalog.yaml_reader import YamlItems, read_file
from hostgate.planning.adoption import objection
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.options import Options, in_one_list, not_json, option_problems
from hostgate.planning.plan import Plan, find_mechanism, plan_all
from hostgate.planning.pooled import FedOptions
from hostgate.planning.survey import Survey, Word
from hostgate.planning.targets import clouds
from hostgate.review.guards import Guards
from hostgate.review.pin import DIGEST, Pin, read_pin
from hostgate.stack_lists import (
    OF_HOSTS,
    AcceptSection,
    HostList,
    HostsSection,
    Layer,
    Place,
    Section,
    SelectSection,
    host_name,
    problem,
    read_layers,
)

PROJECT = "hostgate"
_FREE = ("tags", "groupTags", "policyTags", "firewallTags")
"""Keys below which empty text is a value."""

_REWRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00 \+0000 UTC|T00:00:00Z)\Z")
"""What the engine makes of an unquoted date: in a stack file the first form, in Pulumi.yaml the second (CLI 3.259)."""


def _layers(value: Any) -> Any:
    """The options of a cloud's only layer, or a list with those of each."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return value
    found = "an empty list" if value == [] else f"{spelled(value)}{not_json(value)}"
    raise PydanticCustomError(
        "layers",
        "{message}",
        {"message": f"found {found}. Allowed: a mapping, or a list with a mapping for each layer."},
    )


Layers = Annotated[list[dict[str, Any]], BeforeValidator(_layers)]


class SurveySection(Section):
    """`hostgate:survey`."""

    file: str
    worst: Word | None = None


class PoolSection(Section):
    """`hostgate:pool`: the addresses for mechanisms that see no names."""

    file: str


class GuardsSection(Section):
    """`hostgate:guards`: what a change may do on any one target; `hostgate diff` and `comment` look at them."""

    max_removed: Annotated[int, Field(ge=0)] | None = None
    max_opened: Annotated[int, Field(ge=0)] | None = None
    never_remove: list[Annotated[str, AfterValidator(host_name)]] = []
    never_open_all: bool | None = None
    """Yes unless it is false."""


class ReviewedSection(Section):
    """`hostgate:reviewed`: the plans that were reviewed; others are refused."""

    digests: Annotated[dict[str, Annotated[str, Field(pattern=DIGEST)]], Field(min_length=1)]
    plan: str | None = None


class StackSection(Section):
    """The keys under `hostgate:` beside those of the clouds (`stack_section`)."""

    catalogs: Annotated[list[str], Field(min_length=1)] | None = None
    select: SelectSection = SelectSection()
    choose: dict[str, str] = {}
    accept: list[AcceptSection] = []
    allow_empty: bool = False
    guards: GuardsSection = GuardsSection()
    reviewed: ReviewedSection | None = None
    survey: SurveySection | None = None
    pool: PoolSection | None = None


def stack_section() -> type[StackSection]:
    """All keys under `hostgate:`; a cloud that is not named gets nothing. A list gives a cloud several layers."""
    layers: dict[str, Any] = dict.fromkeys(clouds(), (Layers | None, None))
    return create_model("StackSection", __base__=StackSection, **layers)


@dataclass(frozen=True, slots=True)
class Stack:
    """What a stack asks for: for each layer of each cloud a target with its options and its hosts, and what a survey says
    of the hosts."""

    selection: Selection
    """Every host that is asked for, whichever layer or list asks."""
    targets: tuple[tuple[str, Options], ...]
    selections: tuple[Selection, ...]
    """The hosts of each of `targets`."""
    survey: Survey | None = None
    guards: Guards = field(default_factory=Guards)
    reviewed: Pin | None = None
    """The plans that were reviewed; nothing else may be applied."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Those of the reviewed plans, also where their file is not read."""

    def plans(self, as_of: date | None = None) -> tuple[Plan, ...]:
        """A plan for each target. Raises InputError, too for an object to adopt that no plan makes."""
        plans = self._made(as_of)
        wrong = [found for plan in plans if plan.ok and (found := objection(plan))]
        if wrong:
            raise InputError([Problem(rule="config", message=found) for found in wrong])
        return plans

    def _made(self, as_of: date | None) -> tuple[Plan, ...]:
        if len(self.targets) == 1:
            return plan_all(self.selections, self.targets, as_of=as_of, survey=self.survey)
        from hostgate.planning.layers import plan_layers  # only stacks with several layers pay for it

        return plan_layers(self.selections, self.targets, as_of=as_of, survey=self.survey, where=PROJECT)


class StackValues(dict[str, Any]):
    """The `hostgate:` values of a stack. `written` has for each where a file has it: the file, the mapping, and the key.

    `providers`: plain settings of other packages by full key, such as `aws:region`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.providers: dict[str, str] = {}
        self.written: dict[str, tuple[str, YamlMapping, str]] = {}

    def place(self, path: Sequence[int | str]) -> Origin | None:
        """Where the last key or item of `path` stands that a file has; None for what no file says."""
        if not path or path[0] not in self.written:
            return None
        file, parent, key = self.written[str(path[0])]
        at, value = parent.keys_at[key], parent[key]
        for step in path[1:]:
            if isinstance(value, YamlMapping) and step in value:
                at, value = value.keys_at[str(step)], value[str(step)]
            elif isinstance(value, YamlItems) and isinstance(step, int) and step < len(value):
                at, value = value.at[step], value[step]
            else:
                break
        return Origin(file, *at)


def read_stack(values: Mapping[str, Any], base: Path, *, pins: bool = True) -> Stack:
    """The stack that `values` (keys without `hostgate:`) describe; paths of catalogs and of the survey are relative to `base`.

    `pins`: read the file of the reviewed plans too, where one is named.

    Raises InputError with every problem of the config, or of the catalogs once the config holds.
    """
    try:
        return _read(values, base, pins)
    except InputError as error:
        raise InputError(_located(error.problems, values)) from None


def _located(problems: Sequence[Problem], values: Mapping[str, Any]) -> Iterator[Problem]:
    """`problems` with the places of their keys, where `values` know them."""
    for one in problems:
        place = values.place(one.path) if isinstance(values, StackValues) and one.line is None else None
        if place is None or one.file is not None:
            yield one
        else:
            yield replace(one, file=place.file, line=place.line, column=place.column)


def _read(values: Mapping[str, Any], base: Path, pins: bool) -> Stack:
    problems = list(_blanks(values))
    kind, section = stack_section(), None
    try:
        section = kind.model_validate(dict(values))
    except ValidationError as error:
        problems += [_renamed(problem) for problem in option_problems(error, kind, PROJECT)]
    layers: list[Layer] = []
    for cloud in clouds():
        found, objections = read_layers(cloud, values.get(cloud), PROJECT)
        layers += found
        problems += objections
        problems += _one_list(cloud, found)
        problems += _elsewhere(found, values)
    lists = [each for layer in layers for each in layer.lists]
    if "catalogs" not in values and not (lists and all(each.hosts.catalogs for each in lists)):
        problems.append(problem(f"`{PROJECT}:catalogs` is missing."))
    if not layers and not problems:
        problems.append(
            problem(
                f"no cloud is named. Set at least one of {', '.join(f'`{PROJECT}:{cloud}`' for cloud in clouds())}."
            )
        )
    if section is None:
        raise InputError(dict.fromkeys(problems))
    hosts = _Hosts(section, values, base)
    selections = [hosts.of_layer(layer) for layer in layers] or [hosts.of_stack()]
    if hosts.problems or problems:
        raise InputError(dict.fromkeys((*problems, *hosts.problems)))
    if section.pool is not None:
        layers = _fed(section.pool, layers, selections, base)
    guards, reviewed = Guards(**section.guards.model_dump()), section.reviewed
    # A stack that says nothing says yes, so that two sides turn the guard off only together.
    guards = replace(guards, never_open_all=guards.keeps_closed)
    return Stack(
        hosts.all,
        tuple((layer.target, layer.options) for layer in layers),
        tuple(selections),
        None if section.survey is None else _survey(section.survey, base),
        guards,
        _pin(reviewed if pins else None, base),
        {} if reviewed is None else reviewed.digests,
    )


class _Hosts:
    """The selections that lists ask for, each made once; `problems` are those of all of them."""

    def __init__(self, stack: StackSection, values: Mapping[str, Any], base: Path) -> None:
        self.stack, self.values, self.base = stack, values, base
        self.problems: list[Problem] = []
        self._made: dict[str, Selection] = {}

    def of_stack(self) -> Selection:
        """What the stack says for all its lists."""
        return self._of_list(HostList(Place(PROJECT, ()), "", HostsSection()))

    def of_layer(self, layer: Layer) -> Selection:
        made = [self._of_list(each) for each in layer.lists]
        if not layer.options.grants:
            return made[0]
        return together({each.grant: selection for each, selection in zip(layer.lists, made, strict=True)})

    @property
    def all(self) -> Selection:
        """Every host, once."""
        first, *others = self._made.values()
        return union(first, *others) if others else first

    def _of_list(self, wanted: HostList) -> Selection:
        own = {key: value for key, value in wanted.hosts if value is not None}
        hosts = self.stack.model_copy(update=own)
        if not hosts.catalogs:  # said already
            return Selection(refs=(), entries=())
        key = repr([getattr(hosts, name) for name in OF_HOSTS])
        if key not in self._made:
            try:
                self._made[key] = self._select(hosts, dict.fromkeys(own, wanted.where.path))
            except InputError as error:
                where = f"`{wanted.where}`: " if own else ""
                self.problems += [replace(each, message=f"{where}{each.message}") for each in error.problems]
                self._made[key] = Selection(refs=(), entries=())
        return self._made[key]

    def _select(self, hosts: StackSection, above: Mapping[str, tuple[int | str, ...]]) -> Selection:
        """What the keys of one list select, those `above` by the path of what says them. Raises InputError, with the paths of
        the keys."""
        try:
            return select(
                *(hosts.catalogs or ()),
                **dict(hosts.select),
                choose=hosts.choose,
                accept=[
                    _acceptance(item, self._place((*above.get("accept", ()), "accept", index)))
                    for index, item in enumerate(hosts.accept)
                ],
                base=self.base,
                allow_empty=hosts.allow_empty,
            )
        except InputError as error:
            named = {"refs": ("catalogs",), **{name: ("select", name) for name in NARROWING}}
            problems = []
            for one in error.problems:
                path = (*named.get(str(one.path[0]), one.path[:1]), *one.path[1:]) if one.path else ()
                problems.append(replace(one, path=(*above.get(str(path[0]), ()), *path) if path else ()))
            raise InputError(problems) from None

    def _place(self, path: tuple[int | str, ...]) -> Origin | None:
        return self.values.place(path) if isinstance(self.values, StackValues) else None


def _acceptance(item: AcceptSection, origin: Origin | None) -> Acceptance:
    return Acceptance(
        finding=item.finding,
        because=item.because,
        entry=item.entry,
        host=item.host,
        until=None if item.until is None else iso_date(item.until),
        origin=origin,
    )


def _elsewhere(layers: Sequence[Layer], values: Mapping[str, Any]) -> Iterator[Problem]:
    """What options name that is not where the stack's default providers are."""
    for layer in layers:
        for path, said in layer.options.elsewhere(values.providers if isinstance(values, StackValues) else {}):
            where = layer.where.at(*path)
            yield problem(f"`{where}`: {said}", where)


def _pin(section: ReviewedSection | None, base: Path) -> Pin | None:
    if section is None:
        return None
    for target in section.digests:
        find_mechanism(target)
    return read_pin(section.digests, section.plan, base)


def _survey(section: SurveySection, base: Path) -> Survey:
    from hostgate.dns.document import read_verdicts  # only stacks that have a survey pay for it

    return replace(read_verdicts(base / section.file), worst=section.worst)


def _fed(section: PoolSection, layers: Sequence[Layer], selections: Sequence[Selection], base: Path) -> list[Layer]:
    """`layers` with the addresses of the pool, where they take any. Raises InputError."""
    from hostgate.dns.pool_places import load_pool  # only stacks that have a pool pay for it

    taking = [
        layer.options if isinstance(layer.options, FedOptions) and layer.options.wanting(hosts.entries) else None
        for layer, hosts in zip(layers, selections, strict=True)
    ]
    if all(options is None for options in taking):
        able = ", ".join(each for each in targets() if issubclass(mechanism(each).options, FedOptions))
        message = f"`{PROJECT}:pool`: found a pool, and no layer that takes one for its hosts. Allowed with: {able}."
        raise InputError([problem(message)])
    found = load_pool(section.file if "://" in section.file else str(base / section.file))
    pool = replace(found, shown=section.file)  # the same on every machine
    return [
        layer if options is None else replace(layer, options=options.fed_by(pool, hosts.entries))
        for layer, options, hosts in zip(layers, taking, selections, strict=True)
    ]


def values_of_file(project: Path, stack: str) -> StackValues:
    """The `hostgate:` values of a stack file, over the defaults of Pulumi.yaml. Raises InputError."""
    values = StackValues()
    problems: list[Problem] = []
    owner: str | None = None
    for path, is_project in ((project / "Pulumi.yaml", True), (project / f"Pulumi.{stack}.yaml", False)):
        document = read_file(path, path.name)
        if is_project:
            owner = document.get("name")  # of keys without a colon
        config = document.get("config")
        if config is None:
            continue
        if not isinstance(config, YamlMapping):
            line, column = document.at["config"]
            problems.append(
                Problem(
                    rule="config",
                    file=path.name,
                    line=line,
                    column=column,
                    message=f"`config`: found {spelled(config)}. Allowed: a mapping.",
                )
            )
            continue
        spelled_as: dict[str, str] = {}
        for key, value in config.items():
            line, column = config.at[key]
            prefix, name = _split_key(key, owner)
            if prefix != PROJECT:
                if message := _capitals(key, prefix):
                    problems.append(Problem(rule="config", file=path.name, line=line, column=column, message=message))
                elif isinstance(value, str):
                    values.providers[key] = value
                continue
            if (first := spelled_as.setdefault(name, key)) != key:
                message = f"`{key}` says the same key as `{first}`. Keep one."
                problems.append(Problem(rule="config", file=path.name, line=line, column=column, message=message))
            if ":" in name:
                message = f"`{key}` is no key here. Allowed: `{PROJECT}:` and one name; what is nested is a mapping."
                problems.append(Problem(rule="config", file=path.name, line=line, column=column, message=message))
                continue
            written = (config, key)
            if is_project and isinstance(value, YamlMapping) and {"value", "default"} & set(value):
                written = (value, "value" if "value" in value else "default")
                value = value[written[1]]
            problems += _unreadable(value, f"{PROJECT}:{name}", path.name, config, key)
            values[name] = _parsed(value) if isinstance(value, str) else value
            values.written[name] = (path.name, *written)
            problems += _blanks({name: values[name]}, path.name, (line, column))
    if problems:
        raise InputError(problems)
    return values


def config_of_file(project: Path, stack: str) -> dict[str, str]:
    """Every config value of a stack file as the engine would hand it to a program: text, or JSON for structures.

    Secrets of other packages are left out, since without the engine nobody can decrypt them; simulated clouds need
    none. Raises InputError as `values_of_file` does.
    """
    values = values_of_file(project, stack)
    flat = {f"{PROJECT}:{key}": value for key, value in values.items()}
    document = read_file(project / f"Pulumi.{stack}.yaml", f"Pulumi.{stack}.yaml")
    for key, value in (document.get("config") or {}).items():
        if key.partition(":")[0] != PROJECT and ":" in key and not _holds_secret(value):
            flat[key] = value
    return {key: _as_text(value) for key, value in flat.items() if value is not None}


def values_of_engine(config: Mapping[str, str], secret: frozenset[str] = frozenset()) -> StackValues:
    """The `hostgate:` values among the engine's config, with structures parsed. Raises InputError.

    `config` maps full keys to text or JSON; `secret` names the keys that hold a secret.
    """
    values = StackValues()
    problems: list[Problem] = []
    for key, text in config.items():
        prefix, _, name = key.partition(":")
        if prefix != PROJECT:
            if message := _capitals(key, prefix):
                problems.append(problem(message))
            elif key not in secret:
                values.providers[key] = text
            continue
        if key in secret:
            problems.append(
                problem(f"`{key}`: found a secret. Allowed: plain values; reviewers must see what is opened.")
            )
            continue
        value = _parsed(text)
        problems += _blanks({name: value})
        problems += [
            problem(f'`{where}`: found a date without quotes. Allowed: a quoted date, "{found[:10]}".')
            for where, found in _texts(value, key)
            if _REWRITTEN.match(found)
        ]
        values[name] = value
    if problems:
        raise InputError(problems)
    return values


def _one_list(cloud: str, layers: Sequence[Layer]) -> Iterator[Problem]:
    """Layers of which the first rule that matches decides: neither narrows what the other opens, and each is planned and
    reviewed as if it stood alone."""
    for one, other in combinations(layers, 2):
        names = [each.partition(":")[2] for each in (one.target, other.target)]
        # Whether the hosts of one are the other's, as on the way between them, is seen when both are planned.
        if one.options.moves_from(other.options) or other.options.moves_from(one.options):
            continue
        if names[0] != names[1] and (where := one.options.one_list(other.options)) is not None:
            yield problem(f"`{PROJECT}:{cloud}`: {in_one_list('layers', names, where)}")


def _unreadable(value: Any, where: str, file: str, parent: Any, key: Any) -> Iterator[Problem]:
    """Secrets and unquoted dates under our keys, with their place in the file."""
    line, column = parent.at[key]

    def problem(message: str) -> Problem:
        return Problem(rule="config", file=file, line=line, column=column, message=message)

    if isinstance(value, YamlMapping):
        if "secure" in value:
            yield problem(f"`{where}`: found `secure:`. Allowed: plain values; reviewers must see what is opened.")
            return
        for inner, item in value.items():
            yield from _unreadable(item, f"{where}.{inner}", file, value, inner)
    elif isinstance(value, YamlItems):
        for index, item in enumerate(value):
            yield from _unreadable(item, f"{where}[{index}]", file, value, index)
    elif isinstance(value, str) and isinstance(parent, YamlMapping) and key in parent.bare_dates:
        yield problem(f'`{where}`: found a date without quotes. Allowed: a quoted date, "{value[:10]}".')


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _parsed(text: str) -> Any:
    """The value of a top-level key. Structures and booleans are JSON text from the engine, and in the stack file of whoever
    set them by `pulumi config set` or the Automation API. What is no JSON stays text, for the model to object to."""
    if text.strip()[:1] not in ("[", "{") and text not in ("true", "false"):
        return text
    try:
        return read_json_text(text)
    except NotJSON:
        return text


def _blanks(values: Mapping[str, Any], file: str | None = None, at: tuple[int, int] | None = None) -> Iterator[Problem]:
    """Keys and items without a value below `values`, which are written at `at` in `file` where they know no better."""
    for blank in blanks(values, at=at, free=_FREE):
        line, column = blank.at or (None, None)
        first, *rest = blank.path
        key = key_path(f"{PROJECT}:{first}", rest)
        yield Problem(rule="config", file=file, line=line, column=column, message=blank.message(key), path=blank.path)


def _split_key(key: str, owner: str | None) -> tuple[str | None, str]:
    """Package and name of a config key as the engine reads it: `hostgate:config:select` is an old form of
    `hostgate:select`, and a key without a colon belongs to the project."""
    prefix, colon, name = key.partition(":")
    return (prefix, name.removeprefix("config:")) if colon else (owner, key)


def _capitals(key: str, prefix: str | None) -> str | None:
    """Why a key that looks like one of ours is none; None for keys of others."""
    if prefix is None or prefix.lower() != PROJECT:
        return None
    return f"`{key}` is no key of {PROJECT}: capitals count. Allowed: `{PROJECT}:{key.partition(':')[2]}`."


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{where}[{index}]")


def _renamed(problem: Problem) -> Problem:
    """`hostgate.select.phases` as people write it: `hostgate:select.phases`."""
    return replace(problem, message=problem.message.replace(f"`{PROJECT}.", f"`{PROJECT}:", 1))
