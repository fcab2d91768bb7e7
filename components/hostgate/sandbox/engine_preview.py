"""What the real engine would create from nothing, in the form of the built-in preview."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hostgate.sandbox.engine import engine
from hostgate.sandbox.opaque import no_sdk
from hostgate.sandbox.preview_problems import ON_EMPTY_CLOUDS, PreviewError, PreviewProblem
from hostgate.sandbox.registry import PROVIDER_PREFIX, STACK_TYPE
from hostgate.sandbox.resources import Diagnostic, Preview, PreviewResource
from hostgate.sandbox.wire_values import plain_fields

_NO_REASON = ("an unhandled error occurred: program exited with non-zero exit code", "preview failed")
"""What the engine adds to the error itself."""

_AROUND: tuple[tuple[str, str], ...] = (
    (r"^\S+ resource '.*?': property \S* ?value \{.*?\} has a problem: ", ""),
    (r"^\S+ resource '.*?' has a problem: ", ""),
    (r"^Program failed with an unhandled exception:\n", ""),
    (r"(?s)^Traceback .* returned an error: ((?:no simulated cloud has|the Python SDK of) )", r"\1"),
    (r"^(?:Preview failed: )?unknown stack (\".*\")$", rf"unknown stack \1: {ON_EMPTY_CLOUDS}"),
    (r"^(?:Preview failed: )?resource '(.*)' does not exist$", rf"resource '\1' does not exist: {ON_EMPTY_CLOUDS}"),
    (r"^Preview failed: ", ""),
    (r"^an unhandled error occurred: program exited with non-zero exit code: ", "the program ended itself: exit "),
    (r"(?m)^  File \"[^\"]*site-packages[^\"]*\".*\n(?:    .*\n)*", ""),
)
"""What the engine and its language host put around an error, and what takes its place: both hosts of a preview say alike."""


def preview(project: Path, stack: str) -> Preview:
    """Run the real `pulumi preview` on empty clouds. Raises PreviewError with every error that it tells."""
    with engine(project, stack) as ready:
        done = ready.run("preview", "--json", capture=True)
        made_up = ready.made_up()
    document = _document(done.stdout)
    diagnostics = list(_diagnostics(document))
    if made_up:
        diagnostics.append(Diagnostic("info", made_up))
    if done.returncode != 0:
        errors = [each.message for each in diagnostics if each.severity == "error"]
        own = [message for message in errors if not message.startswith(_NO_REASON)]
        told = [_words(message) for message in own or errors or [(done.stderr or done.stdout).strip()]]
        rest = [each for each in diagnostics if each.severity != "error"]
        raise PreviewError([PreviewProblem(message) for message in dict.fromkeys(told)], rest)
    states = [step["newState"] for step in document.get("steps", ()) if step.get("newState")]
    resources = [
        _resource(state) for state in sorted(states, key=lambda state: str(state["urn"])) if not _implicit(state)
    ]
    outputs = next((state.get("outputs") or {} for state in states if state["type"] == STACK_TYPE), {})
    return Preview(
        project=next((resource.urn.split("::")[1] for resource in resources), project.name),
        stack=stack,
        resources=tuple(resources),
        outputs=plain_fields(outputs),
        diagnostics=tuple(diagnostics),
    )


def _words(message: str) -> str:
    """An error in the words of the built-in preview."""
    for around, instead in _AROUND:
        message = re.sub(around, instead, message)
    missing = re.search(r"no resource plugin 'pulumi-resource-([\w-]+)' found in the workspace", message)
    return no_sdk(missing[1]) if missing else message.strip()


def _document(text: str) -> dict[str, Any]:
    """The JSON document; empty where the engine printed none."""
    start = text.find("{")
    try:
        document = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _diagnostics(document: Mapping[str, Any]) -> Iterator[Diagnostic]:
    for said in document.get("diagnostics", ()):
        severity = str(said.get("severity", "info")).partition("#")[0]
        message = str(said.get("message", "")).removeprefix(f"{severity}: ").strip()
        yield Diagnostic(severity, message, str(said.get("urn", "")))


def _resource(state: Mapping[str, Any]) -> PreviewResource:
    inputs = {key: value for key, value in (state.get("inputs") or {}).items() if not key.startswith("__")}
    return PreviewResource(
        urn=state["urn"],
        type=state["type"],
        name=str(state["urn"]).rpartition("::")[2],
        parent=state.get("parent"),
        custom=bool(state.get("custom")),
        inputs=plain_fields(inputs),
        outputs=plain_fields(state.get("outputs") or {}),
        dependencies=tuple(sorted(state.get("dependencies") or ())),
        property_dependencies={
            key: tuple(sorted(urns)) for key, urns in (state.get("propertyDependencies") or {}).items() if urns
        },
    )


def _implicit(state: Mapping[str, Any]) -> bool:
    """A default provider: the engine makes it, `pulumi preview` does not show it."""
    return str(state["type"]).startswith(PROVIDER_PREFIX) and "::default" in str(state["urn"])
