"""The resources of one run, as the engine keeps them: URNs, parents, providers, options, dependencies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import alias_pb2, resource_pb2

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.clouds import Declaration
from hostgate.sandbox.resources import PreviewOptions, PreviewResource
from hostgate.sandbox.wire_values import plain_fields

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """One registration. `inputs` and `outputs` are wire values: secrets and unknowns still carry their marks."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    id: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    options: PreviewOptions = field(default_factory=PreviewOptions)
    implicit: bool = False
    """A default provider: the engine makes it, `pulumi preview` does not show it."""

    def shown(self) -> PreviewResource:
        """The entry as a preview shows it."""
        return PreviewResource(
            urn=self.urn,
            type=self.type,
            name=self.name,
            parent=self.parent or None,
            custom=self.custom,
            inputs=plain_fields(self.inputs),
            outputs=plain_fields(self.outputs),
            dependencies=self.dependencies,
            property_dependencies=self.property_dependencies,
            provider=self.provider.rpartition("::")[0] if self.custom else "",
            id=(self.id or UNKNOWN) if self.custom else "",
            options=self.options,
        )

    def declared(self) -> Declaration:
        """The entry as rules over several resources see it."""
        inputs = plain_fields(self.inputs, reveal=True)
        return Declaration(self.urn, self.type, self.name, inputs, self.dependencies, self.property_dependencies)


def urn_of(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN the engine gives: the parent's qualified type before the own one, except under the stack."""
    parent_type = qualified_type(parent)
    if parent_type and parent_type != STACK_TYPE:
        type_ = f"{parent_type}${type_}"
    return f"urn:pulumi:{stack}::{project}::{type_}::{name}"


def qualified_type(urn: str) -> str:
    """The type part of a URN with all parent types in it; empty for an empty URN."""
    return urn.split("::", 3)[2] if urn else ""


def package_of(type_: str) -> str:
    """The package part of a type token, parent types aside; for a provider resource the package it provides."""
    type_ = type_.rpartition("$")[2]
    return type_.removeprefix(PROVIDER_PREFIX) if type_.startswith(PROVIDER_PREFIX) else type_.partition(":")[0]


def options_of(
    request: resource_pb2.RegisterResourceRequest, parent: RegistryEntry | None, stack: str, project: str
) -> PreviewOptions:
    """The options of a registration; protect, retain and deleted_with come from the parent when not given."""
    inherited = parent.options if parent else PreviewOptions()
    defined = request.deleteBeforeReplaceDefined or request.deleteBeforeReplace
    aliases = [*request.aliasURNs, *(_alias_urn(alias, request, stack, project) for alias in request.aliases)]
    return PreviewOptions(
        protect=request.protect if request.HasField("protect") else inherited.protect,
        delete_before_replace=request.deleteBeforeReplace if defined else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(aliases),
        import_id=request.importId,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else inherited.retain_on_delete,
        deleted_with=request.deletedWith or inherited.deleted_with,
        replace_with=tuple(request.replace_with),
        version=request.version,
    )


def provider_of(request: resource_pb2.RegisterResourceRequest, parent: RegistryEntry | None) -> str:
    """The reference (URN::id) of the explicit provider for a registration, empty when the default one serves it.

    The order is the engine's: the request, the parent's own provider (a component takes any, so that it can hand it
    on), then the maps of providers by package.
    """
    if request.provider or request.type.startswith(PROVIDER_PREFIX):
        return request.provider
    package = package_of(request.type)
    if parent and parent.provider and (not request.custom or package_of(qualified_type(parent.provider)) == package):
        return parent.provider
    return parent.providers.get(package, "") if parent and request.custom else ""


def in_tree_order(entries: Mapping[str, RegistryEntry]) -> Iterator[RegistryEntry]:
    """The entries depth first from the roots, siblings by URN: independent of the order of arrival."""
    children: dict[str, list[str]] = {}
    for entry in entries.values():
        parent = entry.parent if entry.parent in entries else ""
        children.setdefault(parent, []).append(entry.urn)
    waiting = sorted(children.get("", ()), reverse=True)
    while waiting:
        urn = waiting.pop()
        yield entries[urn]
        waiting.extend(sorted(children.get(urn, ()), reverse=True))


def _alias_urn(alias: alias_pb2.Alias, request: resource_pb2.RegisterResourceRequest, stack: str, project: str) -> str:
    if alias.WhichOneof("alias") == "urn":
        return alias.urn
    spec = alias.spec
    parent = "" if spec.noParent else spec.parentUrn or request.parent
    type_, name = spec.type or request.type, spec.name or request.name
    return urn_of(spec.stack or stack, spec.project or project, parent, type_, name)
