"""What the components of a stack say in `pulumi preview --json` or a state, for stacks that only import components.

The inputs of a component carry target, catalogs, decisions and digest; its children carry what would be made. Names
that a provider makes up differ from preview to preview, and what a preview cannot know says nothing: neither counts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from hostgate.aws import resources as aws
from hostgate.azure import resources as azure
from hostgate.catalog.problems import InputError, Problem
from hostgate.flows.engine_documents import UNKNOWN_TEXT, preview_steps, states_of
from hostgate.flows.urns import stack_of
from hostgate.gcp import resources as gcp
from hostgate.planning.decision import read_registered
from hostgate.planning.enforcement import Enforcement, denier_of
from hostgate.planning.findings import KINDS, Finding
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.options import Deny, Mode, Options, OptionsError, read_options
from hostgate.planning.resource_types import value_at
from hostgate.planning.targets import COMPUTED, rows
from hostgate.review.statement import ObjectStatement, Statement, said_by

_COMPONENT = re.compile(r"hostgate-[a-z]+:index:")
_ROWS = {**aws.TYPES, **gcp.TYPES, **azure.TYPES}


def read_preview(document: Mapping[str, Any], name: str, *, deployed: bool) -> tuple[tuple[Statement, ...], str]:
    """What the components of a preview say, and project and stack. `deployed`: as they were before it.

    Raises InputError: no preview of the engine, one that failed or hides what does not change, a component that does not say
    what ours say.
    """
    steps = preview_steps(document, name)
    resources = states_of(steps, before=deployed)
    if not resources and not deployed:
        raise _error(name, "no resource is in it. A preview that failed has none; see its diagnostics.")
    statements, stack = _of_resources(resources, name)
    names = {each["oldState"]["urn"]: each["newState"]["urn"] for each in steps if _is_moved(each)} if deployed else {}
    if names:
        renamed, _ = _of_resources([_called(each, names) for each in resources], name)
        statements = tuple(
            replace(each, renamed=then.made or ()) for each, then in zip(statements, renamed, strict=True)
        )
    return statements, stack


def _is_moved(step: Mapping[str, Any]) -> bool:
    """Whether the engine takes a resource for the same under another name, by an alias."""
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    return bool(old and new and old["urn"] != new["urn"])


def _called(resource: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    """The state with other URNs, its own among them."""
    made_from = resource.get("propertyDependencies") or {}
    return {
        **resource,
        "urn": names.get(resource["urn"], resource["urn"]),
        "parent": names.get(resource.get("parent", ""), resource.get("parent", "")),
        "propertyDependencies": {key: [names.get(urn, urn) for urn in urns or ()] for key, urns in made_from.items()},
    }


def read_state(document: Mapping[str, Any], name: str) -> tuple[tuple[Statement, ...], str]:
    """The same of a state that `flows.engine_documents` has read. Raises InputError for a component as above."""
    listed = document["deployment"]["resources"]
    return _of_resources([each for each in listed if each.get("delete") is not True], name)


def _of_resources(resources: Sequence[Mapping[str, Any]], name: str) -> tuple[tuple[Statement, ...], str]:
    stack, project = next((stack_of(each["urn"]) for each in resources), ("", ""))
    problems: list[Problem] = []
    found = []
    for each in resources:
        if not _COMPONENT.match(str(each.get("type"))):
            continue
        try:
            children = [other for other in resources if other.get("parent") == each["urn"]]
            found.append(_statement(each, children, name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(found), f"{project}/{stack}" if stack else ""


def _statement(component: Mapping[str, Any], children: Sequence[Mapping[str, Any]], file: str) -> Statement:
    inputs = component.get("inputs")
    name = str(component["urn"]).rpartition("::")[2]

    def wrong(what: str) -> InputError:
        return _error(file, f"the component {name}: {what}. Allowed: what a component of hostgate registers.")

    if not isinstance(inputs, Mapping):
        raise wrong("it has no inputs")
    target, digest, decided = inputs.get("target"), inputs.get("digest"), inputs.get("decisions")
    if target not in targets():
        raise wrong(f"found the target {target!r}, known are {', '.join(targets())}")
    if not isinstance(digest, str) or not isinstance(decided, list | dict):
        raise wrong("it has no digest or no decisions")
    for key, allowed in (("mode", get_args(Mode)), ("deny", get_args(Deny))):
        if inputs.get(key, allowed[0]) not in allowed:
            raise wrong(f"found the {key} {str(inputs[key])[:80]!r}, known are {', '.join(allowed)}")
    how = mechanism(target)
    try:
        decisions = read_registered(decided, inputs.get("purposes"))
    except ValueError as error:
        raise wrong(str(error)) from None
    stated = {**inputs, "options": _resolved(inputs.get("options"), children, target)}
    options = _options(stated, target)
    findings = inputs.get("findings")
    return Statement(
        target=target,
        name=name,
        digest=digest,
        decisions=tuple(replace(each, means=how.way(each.entry, options)) for each in decisions),
        catalogs=tuple(map(str, inputs.get("catalogs") or ())),
        findings=tuple(_finding(str(each)) for each in findings) if isinstance(findings, list) else None,
        made=tuple(_made(children, target)),
        of_engine=True,
        urn=str(component["urn"]),
        **_said_by(stated, options, target),
    )


def _options(inputs: Mapping[str, Any], target: str) -> Options | None:
    """The options of a component. One of 0.1.0 states `mode`, `deny` and clients only, and options that this release would
    not take are not read either: an old deployment must stay comparable."""
    given, region = inputs["options"], inputs.get("region")
    if given is None:
        return None
    options = {**given, **_stated(inputs), **({"regions": [region]} if isinstance(region, str) else {})}
    try:
        found: Options = read_options(mechanism(target).options, options, target)
    except OptionsError:
        return None
    return found


def _stated(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: inputs[key] for key in ("mode", "deny") if key in inputs}


def _said_by(inputs: Mapping[str, Any], options: Options | None, target: str) -> dict[str, Any]:
    """What the options of a component say, as far as they are read."""
    if options is not None:
        return {**said_by(target, options), "regions": ()}  # one component is of one Region
    stated = _stated(inputs)
    clients = inputs.get("from")
    denier, because = denier_of(stated)
    return {
        "settings": stated,
        "clients": tuple(map(str, clients)) if isinstance(clients, list) else None,
        "enforcement": Enforcement(denier=denier, because=because, partial=True),
    }


def _resolved(options: Any, children: Sequence[Mapping[str, Any]], target: str) -> dict[str, Any] | None:
    """The options with the references that the children really have, as far as the preview knows them."""
    if not isinstance(options, Mapping):
        return None
    found = dict(options)
    for name, (kind, key) in {each.name: each.referred for each in rows()}.get(target, {}).items():
        real = [(each.get("inputs") or {}).get(key) for each in children if each.get("type") == kind]
        known = isinstance(options.get(name), str | list) and all(
            isinstance(one, str) and one != UNKNOWN_TEXT for one in real
        )
        if known and isinstance(options[name], list) and len(real) == len(options[name]):
            found[name] = real
        elif known and real and COMPUTED in options[name]:
            found[name] = real[0]
    return found


def _finding(line: str) -> Finding:
    """A finding as component inputs carry it: id, entry and host; of a kind that is not known here, a warning."""
    id_, _, entry = line.partition(" ")
    entry, _, accepted = entry.partition(" accepted: ")
    entry, _, host = entry.partition(" ")
    grant, colon, rest = entry.partition(":")
    grant, entry = (grant, rest) if colon else ("", entry)
    kind = KINDS.get(id_)
    return Finding(
        id=id_, severity=kind.severity if kind else "warning", message=kind.meaning if kind else "",
        entry=None if entry in ("", "-") else entry, host=host or None, accepted=accepted or None, grant=grant,
    )  # fmt: skip


def _made(children: Sequence[Mapping[str, Any]], target: str) -> Iterator[ObjectStatement]:
    made_up = dict(_made_up(children))
    replaced = next((each.replaces for each in rows() if each.name == target), {})  # what is read may name any target
    if not set(replaced) <= {str(each.get("type")) for each in children}:
        replaced = {}
    for each in children:
        inputs = {key: value for key, value in (each.get("inputs") or {}).items() if not key.startswith("__")}
        for key in (each.get("inputs") or {}).get("__defaults") or ():
            inputs.pop(key, None)
        body = _settled(inputs, made_up)
        row = _ROWS.get(str(each.get("type")))
        paths = (*(row.replaces if row else ()), *replaced.get(str(each.get("type")), ()))
        fixed = {path: value_at(body, path) for path in paths}
        # What a program leaves to the provider's configuration, the resource has all the same: to name it is no change.
        outputs = _settled(each.get("outputs") or {}, made_up)
        fixed |= {key: body.pop(key, outputs.get(key)) for key in (row.configured if row else ())}
        yield ObjectStatement(
            str(each.get("type")).rpartition(":")[2],
            str(each["urn"]).rpartition("::")[2],
            {"inputs": body, "refers to": _referred(each)},
            fixed,
        )


def _made_up(children: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names that the provider made up, and the logical names they stand for."""
    for each in children:
        inputs = each.get("inputs") or {}
        for key in inputs.get("__defaults") or ():
            if isinstance(inputs.get(key), str):
                yield inputs[key], str(each["urn"]).rpartition("::")[2]


def _settled(value: Any, made_up: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _settled(item, made_up) for key, item in value.items()}
    if isinstance(value, list):
        return [_settled(item, made_up) for item in value]
    if not isinstance(value, str):
        return value
    if value == UNKNOWN_TEXT:
        return None
    last = value.rpartition("/")[2]
    return None if last in made_up and "/" in value else made_up.get(value, value)


def _referred(resource: Mapping[str, Any]) -> list[str]:
    """The resources whose outputs stand in the inputs, which a preview does not know."""
    urns = {urn for found in (resource.get("propertyDependencies") or {}).values() for urn in found or ()}
    return sorted(f"/{urn.rpartition('::')[2]}" for urn in urns)


def _problem(file: str, message: str) -> Problem:
    return Problem(rule="plan-file", file=file, message=message)


def _error(file: str, message: str) -> InputError:
    return InputError([_problem(file, message)])
