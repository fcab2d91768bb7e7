"""Snapshots from what the engine writes: `pulumi stack export`, and `pulumi preview --json`.

Sources: Pulumi's deployment schema `apitype.DeploymentV3` and `ResourceV3`, `display.PreviewDigest`, and the operations of
pkg/resource/deploy/step.go (pulumi/pulumi v3.259.0, read and tried 2026-11-28).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.flows.nodes import REDACTED, UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks a mapping among plain values as a secret, an output or an asset (sdk/go/common/resource/sig)."""

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands in a preview for a value that is not known before the update (sdk/go/common/resource/plugin)."""

_GONE = frozenset(
    {"delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace"}
)
_NEW = frozenset({"create", "create-replacement", "import", "import-replacement", "replace"})
"""Operations after which nothing stands that stood before, and those after which it is another."""
_OPERATIONS = _GONE | _NEW | {"same", "update", "read", "read-replacement", "refresh"}

_NAMES = ("name", "ruleName", "ruleCollectionGroupName", "ipGroupsName", "firewallPolicyName")
"""Inputs that name a resource in its cloud."""

_STATE = "the output of `pulumi stack export`"
_PREVIEW = "the output of `pulumi preview --json --show-sames`"

_VERSIONED = re.compile(r"azure-native(?:_[a-z]+_v[0-9]+(?:preview)?)?:([a-z]+)(?:/v[0-9]+(?:preview)?)?:")


def without_version(token: str) -> str:
    """The type without an API version: azure-native has a module for each, or a package of its own for one module of one."""
    return _VERSIONED.sub(r"azure-native:\1:", token)


def of_state(document: Any, file: str) -> Snapshot:
    """What a stack export holds: outputs, and inputs where there are none.

    What is only read stands, and what has yet to be deleted does still. Raises InputError for a document of another form,
    of a version that is not known, without resources, or of an update that was interrupted.
    """
    if not isinstance(document, Mapping) or "deployment" not in document:
        raise _error(file, _other_form(document), _STATE)
    deployment = document["deployment"]
    if not isinstance(deployment, Mapping):
        raise _error(file, "`deployment` is no mapping, as where the whole state is encrypted", _STATE)
    if document.get("version") not in (3, 4):
        raise _error(file, f"the version {spelled(document.get('version'))}", "version 3 or 4 of the engine's state")
    pending = [
        _resource_of(each)
        for each in _mappings(deployment.get("pending_operations") or [], "pending_operations", file, _STATE)
    ]
    if interrupted := [each for each in pending if not str(each.get("type")).startswith("pulumi:")]:
        names = ", ".join(spelled(each.get("urn")) for each in interrupted[:3])
        raise _error(
            file, f"an update that was interrupted, so that nobody knows what stands of {names}",
            "a state without pending operations: run `pulumi refresh`, then export it again",
        )  # fmt: skip
    states = _mappings(deployment.get("resources") or [], "deployment.resources", file, _STATE)
    resources = tuple(
        _resource(each, file, _standing(each), each.get("id"))
        for each in states
        if each.get("pendingReplacement") is not True  # deleted already, to be made anew (apitype.ResourceV3)
    )
    if not resources:
        raise _error(file, "no resource in it", "the state of a stack that was deployed")
    return Snapshot(resources, f"the state in {file}")


def _standing(state: Mapping[str, Any]) -> object:
    """What the cloud says of a resource, else what it was given. A component has no cloud: its outputs are beside its inputs."""
    inputs, outputs = state.get("inputs") or {}, state.get("outputs") or {}
    together = state.get("custom") is False and isinstance(inputs, Mapping) and isinstance(outputs, Mapping)
    return {**inputs, **outputs} if together else outputs or inputs


def _resource_of(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    found = operation.get("resource")
    return found if isinstance(found, Mapping) else {}


def preview_steps(document: Any, file: str) -> list[Mapping[str, Any]]:
    """The steps of a preview, of which each has states with a URN. The preview must list what does not change, too.

    Raises InputError for a document of another form, and for a preview that hides resources, or does not count them.
    """
    if not isinstance(document, Mapping) or "steps" not in document:
        raise _error(file, _other_form(document), _PREVIEW)
    steps = _mappings(document["steps"], "steps", file, _PREVIEW)
    states = [each[key] for each in steps for key in ("oldState", "newState") if isinstance(each.get(key), Mapping)]
    if any(not isinstance(each.get("urn"), str) for each in states):
        raise _error(file, "a resource without a `urn`", _PREVIEW)
    if strange := [each.get("op") for each in steps if each.get("op") not in _OPERATIONS]:
        raise _error(
            file, f"the operation {spelled(strange[0])}", f"operations of the engine: {', '.join(sorted(_OPERATIONS))}"
        )
    summary = document.get("changeSummary")
    same = summary.get("same", 0) if isinstance(summary, Mapping) else None
    if steps and not isinstance(same, int):
        raise _error(file, "no `changeSummary` that counts the resources, as where it failed or was cut", _PREVIEW)
    hidden = (same or 0) - sum(each.get("op") == "same" for each in steps)
    if hidden > 0:
        raise _error(file, f"{hidden} resources that do not change are left out", _PREVIEW)
    return steps


def states_of(steps: Sequence[Mapping[str, Any]], *, before: bool) -> list[Mapping[str, Any]]:
    """The states that stand before or after the update, one for each URN, as the steps have them.

    After it, a resource that leaves the stack and not its cloud stands as it was: one that is retained, or only read.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for step in steps:
        old, new = _mapping(step.get("oldState")), _mapping(step.get("newState"))
        if before:  # what is being replaced is marked for deletion in all its steps, what was before in one alone
            if old and not (step.get("op") in _GONE and old.get("delete") is True):
                found.setdefault(old["urn"], old)
        elif step.get("op") in _GONE:
            if old.get("retainOnDelete") is True or old.get("external") is True:
                found[f"{old['urn']} {old.get('id')}"] = {**old, "delete": True}
        elif new and step.get("op") != "refresh":  # which is followed by what it led to
            found[new["urn"]] = new
    return list(found.values())


def of_preview(document: Any, file: str) -> Snapshot:
    """What would stand after the update that a preview shows. What is read for the first time is not known yet, and as if it
    were of another stack. Raises InputError as `preview_steps` does, if the preview failed, and if nothing would stand."""
    steps = _whole(document, file)
    kept = {  # by its name after the update, to which an alias may have brought it
        (step.get("newState") or step["oldState"])["urn"]: step
        for step in steps
        if step.get("oldState") and step.get("op") not in _GONE | _NEW
    }
    resources = tuple(
        _foreseen(each, step, file)
        for each in states_of(steps, before=False)
        for step in [kept.get(each["urn"], {})]
        if each.get("external") is not True or each.get("outputs") or _mapping(step.get("oldState")).get("outputs")
    )
    if not resources:
        raise _error(file, "no resource in it", "a preview that succeeded and leaves something; see its diagnostics")
    return Snapshot(resources, f"the preview in {file}")


def of_deployed(document: Any, file: str) -> Snapshot:
    """What stood before the update that a preview shows; empty where nothing did. Raises InputError as `preview_steps` does,
    and if the preview failed."""
    states = states_of(_whole(document, file), before=True)
    resources = (_resource(each, file, _standing(each), each.get("id")) for each in states)
    return Snapshot(tuple(resources), f"what the preview in {file} found deployed")


def _whole(document: Any, file: str) -> list[Mapping[str, Any]]:
    """The steps of a preview that did not fail on its way."""
    steps = preview_steps(document, file)
    told = document.get("diagnostics")
    failed = any(_mapping(each).get("severity") == "error" for each in (told if isinstance(told, list) else ()))
    if failed or document.get("maybeCorrupt") is True:
        raise _error(file, "a preview that failed, and may lack resources", "one that succeeded; see its diagnostics")
    return steps


def _foreseen(state: Mapping[str, Any], step: Mapping[str, Any], file: str) -> Resource:
    """What does not change is as it was; of what does, inputs as they will be, and outputs that no input was the source of."""
    old = _mapping(step.get("oldState")) or (state if state.get("delete") is True else {})
    inputs, given, computed = (_mapping(each) for each in (state.get("inputs"), old.get("inputs"), old.get("outputs")))
    if step.get("op") != "same" and state is not old:
        computed = {**{key: value for key, value in computed.items() if key not in given}, **inputs}
    if state.get("custom") is False:
        computed = {**inputs, **computed}
    return _resource(state, file, computed or inputs, state.get("id") or old.get("id"))


def _resource(state: Mapping[str, Any], file: str, properties: object, id_: object) -> Resource:
    urn = state.get("urn")
    if not isinstance(urn, str) or urn.count("::") < 3:
        raise _error(file, f"a resource with the URN {spelled(urn)}", "urn:pulumi:STACK::PROJECT::TYPE::NAME")
    if not isinstance(properties, Mapping):
        raise _error(file, f"no mapping of properties for {spelled(urn)}", "what the engine writes")
    made_from = {
        str(key): frozenset(map(str, urns or ()))
        for key, urns in _mapping(state.get("propertyDependencies")).items()
        if isinstance(urns, list | None)
    }
    values = {str(key): _plain(value) for key, value in properties.items() if not str(key).startswith("__")}
    named = next((name for key in _NAMES if isinstance(name := values.get(key), str) and name), None)
    leaving = f" {id_}" if state.get("delete") is True else ""  # its successor has the URN
    return Resource(
        urn=f"{urn}{leaving}",
        type=without_version(str(state.get("type") or urn.split("::")[2].rpartition("$")[2])),
        name=named or urn.split("::", 3)[3],
        properties=values,
        dependencies=frozenset(map(str, state.get("dependencies") or ())).union(*made_from.values()),
        property_dependencies=made_from,
        id=str(id_ or ""),
        parent=str(state.get("parent") or ""),
        external=state.get("external") is True,
    )


def _plain(value: Any) -> Any:
    """Values without the engine's marks: a secret in plain text is what it holds, one that is encrypted nobody knows."""
    if isinstance(value, str):
        return UNKNOWN if UNKNOWN_TEXT in value or value == REDACTED else value
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return _revealed(value)
        return {str(key): _plain(item) for key, item in value.items() if not str(key).startswith("__")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _revealed(marked: Mapping[str, Any]) -> Any:
    if "value" in marked:
        return _plain(marked["value"])
    try:
        return _plain(json.loads(marked["plaintext"]))
    except (KeyError, TypeError, ValueError, RecursionError):
        return UNKNOWN


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object, what: str, file: str, allowed: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise _error(file, f"`{what}` is no list of mappings", allowed)
    return value


_FORMS = {
    "deployment": "a state of the engine (--state)", "steps": "a preview of the engine (--preview)",
    "checkpoint": "a file of the engine's own backend", "targets": "plans of hostgate",
}  # fmt: skip


def _other_form(document: object) -> str:
    if not isinstance(document, Mapping):
        return f"{spelled(document)}, and no mapping"
    known = (words for key, words in _FORMS.items() if key in document)
    return next(known, f"the keys {', '.join(spelled(key) for key in list(document)[:5]) or 'of an empty mapping'}")


def _error(file: str, found: str, allowed: str) -> InputError:
    return InputError([Problem(rule="plan-file", file=file, message=f"Found {found}. Allowed: {allowed}.")])
