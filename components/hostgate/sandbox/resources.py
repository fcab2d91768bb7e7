"""The values a preview gives back: resources, diagnostics, policy violations, and the preview itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hostgate.flows.nodes import UNKNOWN, Unknown


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """Resource options as the engine received them, inherited ones included; names are Pulumi's own.

    `aliases` are URNs. `delete_before_replace` is None when the program did not say. `import_id` is empty when the
    resource would be created rather than imported.
    """

    protect: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class PreviewResource:
    """One resource that `pulumi up` would create.

    `inputs` and `outputs` are JSON-like, with `UNKNOWN` for what the cloud computes and secrets masked. `provider` is
    the URN of the provider resource, empty for components. `dependencies` and `property_dependencies` hold URNs,
    sorted. `id` is known for an import, `UNKNOWN` for what is yet to be created, empty for components.
    """

    urn: str
    type: str
    name: str
    parent: str | None
    custom: bool
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    id: str | Unknown = UNKNOWN
    options: PreviewOptions = field(default_factory=PreviewOptions)


@dataclass(frozen=True, slots=True)
class PolicyViolation:
    """What a policy pack objected to. `enforcement` is advisory, mandatory, remediate or disabled."""

    pack: str
    policy: str
    enforcement: str
    message: str
    urn: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A message of the program or of the preview. `severity` is info, warning or error; `urn` may be empty."""

    severity: str
    message: str
    urn: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What `pulumi up` would create from nothing. Resources stand in tree order, siblings by URN."""

    project: str
    stack: str
    resources: tuple[PreviewResource, ...]
    outputs: Mapping[str, Any]
    diagnostics: tuple[Diagnostic, ...] = ()
    violations: tuple[PolicyViolation, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether `pulumi up` would go on: no mandatory violation and no diagnostic of severity error."""
        stops = {"mandatory", "remediate"}
        return not any(violation.enforcement in stops for violation in self.violations) and not any(
            diagnostic.severity == "error" for diagnostic in self.diagnostics
        )
