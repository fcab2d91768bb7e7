"""Snapshots from what the engine writes: `pulumi stack export`, and `pulumi preview --json`.

Sources: Pulumi's deployment schema `apitype.DeploymentV3` and `ResourceV3`, and `display.PreviewDigest`
(pulumi/pulumi v3.259.0, read 2026-11-28).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.problems import InputError, Problem
from hostgate.flows.nodes import REDACTED, UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""How the engine marks a secret among plain values (pulumi/pulumi sdk/go/common/resource/sig)."""

_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands in a preview for a value that is not known before the update (sdk/go/common/resource/plugin)."""

_GONE = frozenset(
    {"delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace"}
)
"""Operations after which a resource does not stand (pkg/resource/deploy/step.go)."""


def is_state(document: object) -> bool:
    return isinstance(document, Mapping) and isinstance(document.get("deployment"), Mapping)


def of_state(document: Mapping[str, Any], file: str) -> Snapshot:
    """What a stack export holds. What the engine has yet to delete still stands, and so does what the stack only reads.

    Raises InputError for a document of another form, or an export of a version that is not known.
    """
    deployment = document.get("deployment")
    if not isinstance(deployment, Mapping):
        raise _error(file, "`deployment` is no mapping", "the output of `pulumi stack export`")
    if document.get("version") not in (3, 4):
        raise _error(file, f"the version {document.get('version')!r}", "version 3 or 4 of the engine's state")
    listed = deployment.get("resources", [])
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise _error(file, "`deployment.resources` is no list of mappings", "the output of `pulumi stack export`")
    resources = tuple(_resource(each, file, each.get("outputs") or each.get("inputs") or {}) for each in listed)
    return Snapshot(resources, f"the state in {file}")


def of_preview(document: Mapping[str, Any], file: str) -> Snapshot:
    """What would stand after the update that a preview shows. The preview must list what does not change, too.

    Raises InputError for a document of another form, and for a preview that failed or hides resources.
    """
    steps = document.get("steps")
    if not isinstance(steps, list) or not all(isinstance(each, Mapping) for each in steps):
        raise _error(file, "`steps` is no list of mappings", "the output of `pulumi preview --json --show-sames`")
    hidden = hidden_sames(document, steps)
    if hidden:
        raise _error(
            file,
            f"{hidden} resources that do not change are left out",
            "the output of `pulumi preview --json --show-sames`",
        )
    states: dict[str, Mapping[str, Any] | None] = {}
    for step in steps:
        urn, operation = step.get("urn"), step.get("op")
        state = step.get("newState")
        if not isinstance(urn, str):
            raise _error(file, "a step without a `urn`", "the output of `pulumi preview --json --show-sames`")
        if operation in _GONE:
            states.setdefault(urn, None)
        elif isinstance(state, Mapping):
            states[urn] = state
    resources = tuple(_resource(each, file, _foreseen(each)) for each in states.values() if each is not None)
    if not resources:
        raise _error(file, "no resource is in it", "a preview that succeeded; see its diagnostics")
    return Snapshot(resources, f"the preview in {file}")


def hidden_sames(document: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> int:
    """How many resources that do not change a preview counts and does not list."""
    summary = document.get("changeSummary")
    same = summary.get("same", 0) if isinstance(summary, Mapping) else 0
    listed = sum(each.get("op") == "same" for each in steps)
    return same - listed if isinstance(same, int) and same > listed else 0


def _foreseen(state: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as they will be, and of the outputs what they do not say; an output of before may be another afterwards."""
    outputs = state.get("outputs")
    inputs = state.get("inputs")
    return {**(outputs if isinstance(outputs, Mapping) else {}), **(inputs if isinstance(inputs, Mapping) else {})}


def _resource(state: Mapping[str, Any], file: str, properties: object) -> Resource:
    urn = state.get("urn")
    if not isinstance(urn, str) or urn.count("::") < 3:
        raise _error(file, f"a resource with the URN {urn!r}", "urn:pulumi:STACK::PROJECT::TYPE::NAME")
    if not isinstance(properties, Mapping):
        raise _error(file, f"no mapping of properties for {urn}", "what the engine writes")
    made_from = state.get("propertyDependencies")
    by_property = {
        str(key): frozenset(map(str, urns or ()))
        for key, urns in (made_from.items() if isinstance(made_from, Mapping) else ())
    }
    return Resource(
        urn=urn,
        type=str(state.get("type") or urn.split("::")[2].rpartition("$")[2]),
        name=urn.split("::", 3)[3],
        properties={str(key): _plain(value) for key, value in properties.items() if not str(key).startswith("__")},
        dependencies=frozenset(map(str, state.get("dependencies") or ())).union(*by_property.values()),
        property_dependencies=by_property,
        parent=str(state.get("parent") or ""),
        id=str(state.get("id") or ""),
        external=state.get("external") is True,
        leaving=state.get("delete") is True,
    )


def _plain(value: Any) -> Any:
    """Values without the engine's marks: a secret in plain text is what it holds, one that is encrypted is hidden."""
    if value == _UNKNOWN:
        return UNKNOWN
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return _revealed(value)
        return {str(key): _plain(item) for key, item in value.items() if not str(key).startswith("__")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _revealed(secret: Mapping[str, Any]) -> Any:
    if "value" in secret:
        return _plain(secret["value"])
    try:
        return _plain(json.loads(secret["plaintext"]))
    except (KeyError, TypeError, ValueError):
        return REDACTED


def _error(file: str, found: str, allowed: str) -> InputError:
    return InputError([Problem(rule="snapshot", file=file, message=f"Found {found}. Allowed: {allowed}.")])
