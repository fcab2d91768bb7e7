"""What the components share: their inputs made into one plan, and the plan into what engines and reviewers see.

A component is given a `Selection` in Python, or catalogs as text from any language; both end in the same plan and in
the same inputs passed to the engine, so that moving between them changes nothing.
"""

# No `from __future__ import annotations` here or in the components: the SDK's analyzer reads the annotations themselves.
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import NoneType
from typing import Any, Required, TypedDict

import pulumi
from pydantic.alias_generators import to_snake

from hostgate.catalog.blanks import blanks
from hostgate.catalog.dates import iso_date
from hostgate.catalog.hosts import check_host
from hostgate.catalog.problems import InputError, Problem, did_you_mean, key_path, spelled, wrong_type
from hostgate.catalog.selection import NARROWING, Acceptance, Selection, not_lists, select
from hostgate.default_base import join, shared_policy
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.adoption import child_of, strangers
from hostgate.planning.findings import Finding
from hostgate.planning.grants import Grant, split
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import plain_numbers, spelled_out
from hostgate.planning.plan import Plan, plan, unenforced
from hostgate.planning.targets import row
from hostgate.review.pin import DIGEST, Pin, read_pin


class AllowlistError(pulumi.RunError):
    """The inputs of an allowlist do not hold, or its plan is refused. The message has all reasons."""


class AcceptanceArgs(TypedDict, total=False):
    """A finding that a person knows and means."""

    finding: Required[str]
    """The finding's id."""
    entry: str
    """The entry it is about."""
    host: str
    """The name it is about, where the finding names one."""
    because: Required[str]
    """Why it is accepted."""
    until: str
    """The last day it holds, as YYYY-MM-DD."""


class ReviewedArgs(TypedDict, total=False):
    """The plan that was reviewed; another one is refused."""

    digest: Required[str]
    """Its digest."""
    plan: str
    """The file that holds it, so that a refusal can say what differs."""


class HostsArgs(TypedDict, total=False):
    """Which hosts of which catalogs."""

    catalogs: list[str]
    """References: vendor/product@revision, or paths of YAML files."""
    phases: list[str]
    """Keep entries of these phases."""
    parties: list[str]
    """Keep entries of these parties: first, third."""
    purposes: list[str]
    """Keep entries with exactly these purposes."""
    directions: list[str]
    """Keep entries of these directions: egress, ingress."""
    ids: list[str]
    """Keep these entries."""
    without: list[str]
    """Leave out these entries or phases."""
    choose: dict[str, str]
    """Which of an alternatives group to use."""


class SelectionArgs(HostsArgs, total=False):
    """Which hosts to allow, and how the plan is made."""

    accept: list[AcceptanceArgs]
    """Findings that are known and meant."""
    allow_empty: bool
    """Whether an empty selection is meant. Default: false."""
    mode: str
    """enforce: what no rule allows is denied. audit: it passes and is logged."""
    deny: str
    """internet: all but private ranges is denied. all: those too. declared: the deny exists elsewhere. none: no deny."""
    tags: dict[str, pulumi.Input[str]]
    """Tags of every object that carries them."""
    name_prefix: str
    """Begins the objects' names in the cloud; the component's name unless given."""
    as_of: str
    """The date at which expiries are judged, as YYYY-MM-DD; today unless given."""
    reviewed: ReviewedArgs
    """The plan that was reviewed; another one is refused."""


FREE = ("tags", *(f"{kind}{tags}" for kind in ("group", "policy", "firewall") for tags in ("_tags", "Tags")))
"""Inputs below which empty text is a value."""

_PROJECTS = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


@dataclass(frozen=True)
class Registration:
    """A component's plan, and the inputs that it registers with."""

    plan: Plan
    inputs: dict[str, Any]
    outputs: Mapping[str, Any]
    """Option values that name other resources and may be Outputs, by their place: `firewall.vpc_id`."""
    adopt: Mapping[str, str]
    after: tuple[Any, ...]
    """What the component was told to depend on. The SDK does not hand it on to children, whose writes it is about."""

    def real(self, place: str, planned: Any) -> Any:
        """The value at `place` of the options: the Output that was given there, or what the plan has."""
        return self.outputs.get(place, planned)

    def checked(self, place: str, planned: Any, check: Callable[[str], str | None]) -> Any:
        """The same; an Output is judged by `check` once it is known, and its objections are AllowlistErrors."""

        def known(value: Any) -> Any:
            said = check(value) if isinstance(value, str) else f"found {spelled(value)}. Allowed: text."
            if said is not None:
                raise AllowlistError(f"`{place}`: found an Output of {spelled(value)}. {said}")
            return value

        given = self.outputs.get(place)
        return planned if given is None else given.apply(known)

    @property
    def tags(self) -> dict[str, Any] | None:
        """The tags of every object, None if there are none. Their values may be Outputs."""
        return self.tags_of("tags")

    def tags_of(self, *options: str) -> dict[str, Any] | None:
        """The tags that these options give, the later ones in the place of the earlier."""
        given = ((option, getattr(self.plan.options, option)) for option in options)
        return {
            key: self.real(f"{option}.{key}", value) for option, tags in given for key, value in tags.items()
        } or None

    def child(self, name: str, each: CloudObject) -> str:
        """The logical name of the child that realises `each`."""
        return child_of(self.plan, name, each)

    def options(
        self,
        parent: pulumi.Resource,
        child: str,
        depends_on: Sequence[pulumi.Resource] = (),
        replace_on_changes: Sequence[str] | None = None,
        ignore_changes: Sequence[str] | None = None,
        deleted_with: pulumi.Resource | None = None,
    ) -> pulumi.ResourceOptions:
        """Options of a child: parent, what it waits for, and the id of an existing object if it is to be adopted.

        `deleted_with`: what the cloud deletes it with, so that it stays for as long as that cannot go.

        No child is deleted before its replacement is made, whatever its provider would do: a replacement that the cloud
        refuses is an error, a rule or policy that is gone meanwhile is an outage or an open network.
        """
        return pulumi.ResourceOptions(
            parent=parent,
            import_=self.adopt.get(child),
            depends_on=[*self.after, *depends_on] or None,
            delete_before_replace=False,
            replace_on_changes=None if replace_on_changes is None else list(replace_on_changes),
            ignore_changes=None if ignore_changes is None else list(ignore_changes),
            deleted_with=deleted_with,
        )

    def adopted_name(self, child: str) -> str | None:
        """The name of the object that `child` adopts: an import must name it, or a generated name would differ.

        None for every other child, so that the engine names it and a replacement can be made beside it.
        """
        id_ = self.adopt.get(child)
        return None if id_ is None else id_.rpartition("/")[2]


class AllowlistComponent(pulumi.ComponentResource):
    """Base of the components. Beside their outputs they have `plan`, and what they made."""

    @property
    def children(self) -> dict[str, pulumi.Resource]:
        """The resources that the component made, by their logical names."""
        return {child._name: child for child in sorted(self._childResources, key=lambda child: child._name)}


def prepare(
    name: str,
    args: Mapping[str, Any] | None,
    hosts: Selection | Sequence[Grant] | None,
    keywords: Mapping[str, Any],
    opts: pulumi.ResourceOptions | None,
    mechanisms: Sequence[str],
) -> Registration:
    """The plan that `args` (plain values, any language) and `keywords` (Python) ask for, or that `plan=` brings. `hosts` are
    a selection, or grants, each with clients and hosts of its own.

    `mechanisms` are the targets the component can realise, the default first. Raises AllowlistError.
    """
    hosts_or_grants = (
        "hosts",
        hosts,
        (Selection, list, tuple),
        "a Selection, as hostgate.select() makes it, or a list of hostgate.Grant; references go under `catalogs`",
    )
    plan_type = ("plan", keywords.get("plan"), (Plan,), "a Plan, as hostgate.plan() makes it")
    given = merged(name, args, keywords, opts, hosts_or_grants, plan_type)
    references = {shape: stands for target in mechanisms for shape, stands in row(target).references.items()}
    try:
        if hosts is not None and not isinstance(hosts, Selection):
            hosts, given["grants"] = split(hosts)
        refuse_blanks(given)
        refuse_outputs(given, references)
        adopt = given.pop("import_", {})
        if not isinstance(adopt, Mapping):
            raise InputError([wrong_type("import_", adopt, "a mapping of children to the ids of what they adopt")])
        reviewed = given.pop("reviewed", None)
        brought = given.pop("plan", None)
        if brought is not None:
            made, outputs = _brought(brought, hosts, given, mechanisms, references)
            shared = shared_policy(row(made.target).cloud, made.options, outputs, opts)
        else:
            as_of = _as_of(given.pop("as_of", None))
            selection = selection_of(given, hosts)
            target = _target(given.pop("mechanism", None), mechanisms)
            given["name"] = given.pop("name_prefix", name)
            pool = _pool(given.pop("pool", None))
            options, outputs = separate(given, references)
            made = plan(selection, target, options, as_of=as_of, pool=pool)
            shared = shared_policy(row(target).cloud, made.options, outputs, opts)
            if "base" not in options and (base := shared.take(made.options)) is not None:
                made = plan(selection, target, options, as_of=as_of, pool=pool, base=base)
        if beside := join(shared, name, made, opts):
            raise _problem(beside)
        if reviewed is not None and made.ok:
            _pin(reviewed, made.target).check([made])
    except InputError as error:
        raise AllowlistError(f"{name}: {error}") from None
    if made.options.lacking:
        raise AllowlistError(f"{name}: {made.options.lacking}")
    if not made.ok:
        raise AllowlistError(f"{name}: " + "\n".join(str(problem) for problem in made.problems))
    waits = opts.depends_on if opts is not None else None
    after = () if waits is None else tuple(waits) if isinstance(waits, list | tuple) else (waits,)
    prepared = Registration(made, {**_inputs(made), **_real_clients(made, outputs)}, outputs, adopt, after)
    if found := strangers(made, [name], adopt):
        raise AllowlistError(f"{name}: `import_` names {found}")
    return prepared


def merged(
    name: str,
    args: Mapping[str, Any] | None,
    keywords: Mapping[str, Any],
    opts: pulumi.ResourceOptions | None,
    *more: tuple[str, object, tuple[type, ...], str],
) -> dict[str, Any]:
    """The inputs of `args` and `keywords`, of which none may be given twice. `more`: other parameters by their names, with
    the types that they may have, also in words. Raises AllowlistError."""
    wanted = [
        ("args", args, (Mapping,), "a mapping of inputs; a Selection goes by name, hosts=..."),
        *more,
        ("opts", opts, (pulumi.ResourceOptions,), "a pulumi.ResourceOptions"),
    ]
    wrong = [
        wrong_type(key, value, words)
        for key, value, kinds, words in wanted
        if not isinstance(value, (NoneType, *kinds))
    ]
    if wrong:
        raise AllowlistError("\n".join(f"{name}: {each}" for each in wrong))
    # A keyword that is None is one that was left out, its default. A key of `args` was written.
    given = {key: value for key, value in keywords.items() if value is not None}
    for key, value in (args or {}).items():
        if key in given:
            raise AllowlistError(f"{name}: `{key}` is given twice, in args and as a keyword. Keep one.")
        given[key] = plain_numbers(value)
    return given


def project_folder() -> Path | None:
    """Where a program's relative paths begin: the folder of its Pulumi.yaml. None if there is none.

    A Python program is told. A plugin is not: the engine starts it where it starts the program, at that folder or below.
    """
    if told := pulumi.runtime.get_root_directory():
        return Path(told)
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if any((each / name).is_file() for name in _PROJECTS)), None)


_announced: ContextVar[tuple[Plan, ...]] = ContextVar("_announced", default=())


@contextmanager
def announced(plans: Sequence[Plan]) -> Iterator[None]:
    """Log once, before any resource of `plans` is made, which of them block nothing and why; their components do not
    repeat it, in however many places a plan is made."""
    if told := unenforced(plans):
        pulumi.log.warn(told)
    token = _announced.set(tuple(plans))
    try:
        yield
    finally:
        _announced.reset(token)


def report(component: pulumi.Resource, made: Plan) -> None:
    """Log what a reviewer should see of the plan: what is selected, and, the gravest first, its warnings that nobody has
    accepted.

    What is selected is said each time: an input that a generated SDK drops, because its key is misspelt, narrows nothing
    and reaches nobody who could object to it.
    """
    said = any(made is other for other in _announced.get())
    pulumi.log.info(made.selection.summary, resource=component)
    for finding in made.findings:
        if finding.severity == "warning" and finding.accepted is None and not (said and finding.unenforced):
            pulumi.log.warn(finding.line, resource=component)


def _brought(
    made: Plan,
    hosts: Selection | None,
    given: Mapping[str, Any],
    mechanisms: Sequence[str],
    references: Mapping[str, str],
) -> tuple[Plan, dict[str, Any]]:
    """A plan that was made before, e.g. to look at all clouds before the first resource; it holds hosts and options."""
    if hosts is not None or given:
        also = ", ".join(f"`{key}`" for key in (["hosts"] if hosts is not None else []) + sorted(given))
        raise _problem(f"`plan` is given beside {also}. A plan holds hosts and options; leave the others out.")
    if made.target not in mechanisms:
        raise _problem(f"`plan` is for {made.target}. Allowed: {', '.join(mechanisms)}.")
    if made.as_of is None and any(acceptance.until for acceptance in made.selection.accept):
        raise _problem("`plan` was made without `as_of`, so nobody judged whether its acceptances have ended. Give it.")
    return made, separate(made.options.model_dump(exclude_unset=True), references)[1]


def selection_of(given: dict[str, Any], hosts: Selection | None) -> Selection:
    catalogs = given.pop("catalogs", None)
    narrowing = {key: given.pop(key) for key in NARROWING if key in given}
    choose, accept = given.pop("choose", None), given.pop("accept", None)
    allow_empty = given.pop("allow_empty", False)
    if not isinstance(allow_empty, bool):
        raise InputError([wrong_type("allow_empty", allow_empty, "true or false")])
    if hosts is None:
        if problems := list(not_lists({"catalogs": catalogs, "accept": accept})):
            raise InputError(problems)
        accepted = [_acceptance(item, index) for index, item in enumerate(accept or ())]
        return select(
            *(catalogs or ()),
            **narrowing,
            choose=choose,
            accept=accepted,
            base=project_folder(),
            allow_empty=allow_empty,
        )
    if catalogs is not None or narrowing or choose or accept:
        raise _problem(
            "Both `hosts` and catalogs are given. A Selection holds catalogs, narrowing, choices and acceptances."
        )
    return replace(hosts, allow_empty=hosts.allow_empty or allow_empty)


def _pin(reviewed: Mapping[str, Any], target: str) -> Pin:
    _only(reviewed, ReviewedArgs, "reviewed")
    digest, file = reviewed.get("digest"), reviewed.get("plan")
    if not isinstance(digest, str) or not re.fullmatch(DIGEST, digest):
        raise _problem(f"`reviewed.digest`: found {spelled(digest)}. Allowed: a digest as plans have it, 64 digits.")
    return read_pin({target: digest}, file, project_folder() or Path())


def _acceptance(item: Mapping[str, Any], index: int) -> Acceptance:
    _only(item, AcceptanceArgs, f"accept[{index}]")
    missing = [key for key in ("finding", "because") if not isinstance(item.get(key), str) or not item[key].strip()]
    if missing:
        raise _problem(f"accept[{index}]: {' and '.join(missing)} must be given as text.")
    until, about = item.get("until"), item.get("host")
    if about is not None:
        host = check_host(about) if isinstance(about, str) else None
        if host is None or host.rule is not None:
            said = f"found {spelled(about)}. Allowed: a host." if host is None else host.message
            raise _problem(f"`accept[{index}].host`: {said}")
        about = host.name
    return Acceptance(
        finding=item["finding"],
        because=item["because"],
        entry=item.get("entry"),
        until=None if until is None else _date(until),
        host=about,
    )


def _only(item: Any, kind: Any, place: str) -> None:
    """Refuse what is no mapping and keys that are none: a misspelt `until` would make an acceptance without an end."""
    if not isinstance(item, Mapping):
        raise _problem(f"`{place}`: found {spelled(item)}. Allowed: a mapping.")
    known = sorted(kind.__annotations__)
    for key in item:
        if key not in known:
            raise _problem(
                f"`{place}.{key}` is no key here.{did_you_mean(str(key), known)} Allowed: {', '.join(known)}."
            )


def _pool(place: object) -> AddressPool | None:
    """The pool at `place`: a URL, or a file, relative to the project."""
    if place is None:
        return None
    if not isinstance(place, str):
        raise InputError([wrong_type("pool", place, "the path of a pool, or its URL")])
    from hostgate.dns.pool_places import load_pool  # only those that have a pool pay for it

    found = load_pool(place if "://" in place else str((project_folder() or Path()) / place))
    return replace(found, shown=place)  # the same on every machine


def _target(wanted: str | None, mechanisms: Sequence[str]) -> str:
    if wanted is None:
        return mechanisms[0]
    names = [target.partition(":")[2] for target in mechanisms]
    if wanted not in names:
        raise _problem(f"`mechanism`: found {wanted!r}. Allowed: {', '.join(names)}.")
    return mechanisms[names.index(wanted)]


def refuse_blanks(given: Mapping[str, Any]) -> None:
    plain = {key: value for key, value in given.items() if key != "plan"}
    if found := blanks(plain, free=FREE):
        raise InputError(
            Problem(rule="allowlist", message=blank.message(key_path("", blank.path)[1:])) for blank in found
        )


def refuse_outputs(given: Mapping[str, Any], references: Mapping[str, str]) -> None:
    """All inputs but `references` are values that a preview must show, so they may hold no Output."""
    for key, value in given.items():
        for place, shape in _outputs(value, key, key, references):
            if any(one.startswith((f"{shape}[", f"{shape}.", f"{shape}{{")) for one in references):
                kind = "a list" if any(one.startswith(f"{shape}[") for one in references) else "a mapping"
                raise _problem(f"`{place}` is an Output. Allowed: {kind}; what stands in it may be Outputs.")
            if shape not in references:
                raise _problem(f"`{place}` is an Output. Allowed: a plain value, so that previews and policies see it.")


def _outputs(value: Any, place: str, shape: str, references: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Where Outputs stand in `value`, with the shape of each place: `networks[0]` is of the shape `networks[]`."""
    if isinstance(value, pulumi.Output):
        yield place, shape
    for item, inner_place, inner_shape in _inside(value, place, shape, references):
        yield from _outputs(item, inner_place, inner_shape, references)


def _inside(value: Any, place: str, shape: str, references: Mapping[str, str]) -> Iterator[tuple[Any, str, str]]:
    """What stands in a list or mapping, with place and shape. Keys of mappings that are no section are free."""
    if isinstance(value, Mapping):
        free = f"{shape}{{}}" in references
        for key, item in value.items():
            name = key if free else to_snake(str(key))
            yield item, f"{place}.{name}", f"{shape}{{}}" if free else f"{shape}.{name}"
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield item, f"{place}[{index}]", f"{shape}[]"


def separate(given: Mapping[str, Any], references: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Option values, with what stands in a plan in place of the Outputs of `references`, and the Outputs by place."""
    outputs: dict[str, Any] = {}

    def planned(value: Any, place: str, shape: str) -> Any:
        if isinstance(value, pulumi.Output):
            outputs[place] = value
            return references[shape].format(place.removeprefix(shape[:-2]).strip("[]."))
        inside = [planned(*each) for each in _inside(value, place, shape, references)]
        if isinstance(value, Mapping):
            return dict(zip(value, inside, strict=True))
        return inside if isinstance(value, list | tuple) else value

    return {key: planned(value, key, key) for key, value in given.items()}, outputs


def _finding_line(one: Finding) -> str:
    """A finding as component inputs carry it: id, entry or `-` (behind its grant, if it has one), the host if it names one,
    and the reason of who accepted it."""
    whose = f"{one.grant}:" if one.grant else ""
    said = f"{one.id} {whose}{one.entry or '-'}{f' {one.host}' if one.host else ''}"
    return said if one.accepted is None else f"{said} accepted: {one.accepted}"


def _inputs(made: Plan) -> dict[str, Any]:
    return {
        "target": made.target,
        "catalogs": list(made.selection.refs),
        "mode": made.options.mode,
        "deny": made.options.deny,
        "digest": made.digest,
        "from": list(made.options.clients),
        "options": {key: value for key, value in spelled_out(made.options).items() if key not in ("mode", "deny")},
        "decisions": dict(decision.registered for decision in made.decisions),
        # Without what a date changes: a component may not differ from day to day.
        "findings": [_finding_line(one) for one in made.findings if not one.id.startswith(("acceptance-", "pool-"))],
        "accepted": [str(acceptance) for acceptance in made.selection.accept if acceptance not in made.unused],
    }


def _real_clients(made: Plan, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The clients that were Outputs, by what stands for each in the options: what a state says of whom the hosts are for."""
    given = getattr(made.options, "from_", None) or ()
    real = {one: outputs[f"from_[{at}]"] for at, one in enumerate(given) if f"from_[{at}]" in outputs}
    return {"clients": real} if real else {}


def _as_of(value: str | date | None) -> date:
    if value is None:
        return date.today()  # the edge of the pure world: a deployment happens on some day
    return value if isinstance(value, date) else _date(value)


def _date(text: str) -> date:
    try:
        return iso_date(text)
    except (ValueError, TypeError):
        raise _problem(f"Found {text!r}. Allowed: a date as YYYY-MM-DD.") from None


def _problem(message: str) -> InputError:
    return InputError([Problem(rule="allowlist", message=message)])
