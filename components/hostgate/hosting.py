"""Components served to programs in any Pulumi language, with a border that is strict where the SDK's host is not.

The SDK's own host drops inputs that it does not know and nulls, hands on whatever type it was given, reports every
error with a traceback, forgets to translate lists of objects on the way out, and loses the descriptions of inherited
inputs.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio
import pulumi
from google.protobuf import struct_pb2
from pulumi.errors import InputPropertiesError
from pulumi.output import Unknown
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition, PropertyType
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError, ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc
from pulumi.runtime.rpc import _special_sig_key

from hostgate import __version__
from hostgate.allowlist import FREE, HostsArgs, SelectionArgs, project_folder
from hostgate.catalog.blanks import blanks, is_blank
from hostgate.catalog.file_input import user_path
from hostgate.catalog.problems import did_you_mean, key_path, spelled
from hostgate.catalog.references import is_path
from hostgate.package_schema import served
from hostgate.planning.targets import beside_targets, load, rows


def serve(cloud: str) -> None:
    """Serve the components of a cloud's targets as the Pulumi package `hostgate-CLOUD` until the engine ends the process.

    The engine gives its address as the last argument and reads the port from the first line on stdout.
    """
    with contextlib.suppress(KeyboardInterrupt):
        components = dict.fromkeys(each.component for each in rows() if each.cloud == cloud)
        components |= dict.fromkeys(beside_targets(cloud))
        package = ComponentPackage(f"hostgate-{cloud}", *map(load, components))
        asyncio.run(_serve(package, sys.argv[-1]))


async def _serve(package: "ComponentPackage", engine: str) -> None:
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Servicer(package, sys.argv[1:], engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


class _Servicer(ProviderServicer):
    """The SDK's own, with the nulls that it would leave out of mappings: a key without a value is for us to refuse."""

    @staticmethod
    async def _construct_inputs(inputs: struct_pb2.Struct, input_dependencies: Any) -> dict[str, Any]:
        found: dict[str, Any] = await ProviderServicer._construct_inputs(inputs, input_dependencies)
        _keep_nulls(inputs, found)
        return found


def _keep_nulls(sent: Any, read: Any) -> None:
    """Put the nulls of `sent` into `read`, which was made of it; what the engine marks (outputs, secrets) is left alone."""
    if isinstance(sent, struct_pb2.Struct) and isinstance(read, dict) and _special_sig_key not in sent:
        for key, value in sent.items():
            if value is None:
                read[key] = None
            else:
                _keep_nulls(value, read.get(key))
    elif isinstance(sent, struct_pb2.ListValue) and isinstance(read, list):
        for value, item in zip(sent, read, strict=True):
            _keep_nulls(value, item)


class ComponentPackage(ComponentProvider):
    """Components as a package: its schema, and their construction for a program that may be in any language."""

    def __init__(self, package: str, *components: type[pulumi.ComponentResource]) -> None:
        super().__init__(list(components), package, version=__version__)
        self.schema: str = json.dumps(served(self._described(json.loads(self.schema or "")), package))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """The component `name`, made of `inputs` as they came over the wire. Raises InputPropertiesError."""
        known = self._component_defs[resource_type.rpartition(":")[2]]
        # A null would count as "not given", and what is not given keeps everything.
        empty = [blank.message(key_path("", blank.path)[1:]) for blank in blanks(inputs, free=FREE)]
        if problems := [*self._objections(inputs, known.inputs, ""), *empty, *_unanchored(inputs)]:
            raise _refusal("\n".join([f"{name}: the inputs do not hold.", *problems]))
        try:
            return super().construct(
                name, resource_type, {key: _as_output(value) for key, value in inputs.items()}, options
            )
        except ComponentInitError as error:
            # Only what a person can mend is a plain message; a defect of ours keeps its traceback.
            if isinstance(error.inner, pulumi.RunError):
                raise _refusal(str(error.inner)) from None
            raise

    def get_state(self, instance: pulumi.ComponentResource, component_def: ComponentDefinition) -> dict[str, Any]:
        """The outputs by their names in the schema. The SDK leaves the keys in lists of objects as Python has them."""
        state: dict[str, Any] = super().get_state(instance, component_def)
        for key, value in state.items():
            items = component_def.outputs[key].items
            if items is not None and items.ref is not None and (found := self.get_type_definition(items)):
                names = {python: schema for schema, python in found.properties_mapping.items()}
                state[key] = pulumi.Output.from_input(value).apply(partial(_renamed, names=names))
        return state

    def _described(self, schema: dict[str, Any]) -> dict[str, Any]:
        """`schema` with the descriptions of inputs that are declared in the classes that the components' own extend."""
        for component, known in self._component_defs.items():
            for key, found in schema["resources"][f"{self._name}:index:{component}"]["inputProperties"].items():
                for kind in (HostsArgs, SelectionArgs):
                    if text := self.analyzer.get_docstring(kind, known.inputs_mapping[key]):
                        found.setdefault("description", text)
        return schema

    def _objections(
        self, given: Mapping[str, Any], known: Mapping[str, PropertyDefinition], path: str
    ) -> Iterator[str]:
        for key, value in sorted(given.items()):
            place = f"{path}.{key}" if path else key
            if key not in known:
                yield f"`{place}` is no input here.{did_you_mean(key, known)} Allowed: {', '.join(sorted(known))}."
            elif not is_blank(value):
                yield from self._misfits(value, known[key], place)
        for key in sorted(known.keys() - given.keys()):
            if not known[key].optional:
                yield f"`{path}.{key}` is missing." if path else f"`{key}` is missing."

    def _misfits(self, value: Any, wanted: PropertyDefinition, path: str) -> Iterator[str]:
        if isinstance(value, pulumi.Output | Unknown):
            if wanted.plain:
                yield f"`{path}`: found an output or a secret. Allowed: a plain value, so that previews and policies see it."
        elif wanted.ref is not None:
            kind = self.get_type_definition(wanted)
            if not isinstance(value, dict):
                yield f"`{path}`: found {spelled(value)}. Allowed: a mapping."
            elif kind is not None:
                yield from self._objections(value, kind.properties, path)
        elif wanted.type is PropertyType.ARRAY and isinstance(value, list) and wanted.items is not None:
            for index, item in enumerate(value):
                if not is_blank(item):
                    yield from self._misfits(item, wanted.items, f"{path}[{index}]")
        elif (
            wanted.type is PropertyType.OBJECT
            and isinstance(value, dict)
            and (each := wanted.additional_properties) is not None
        ):
            for key, item in value.items():
                if not is_blank(item):
                    yield from self._misfits(item, each, f'{path}["{key}"]')
        elif wanted.type is not None and not _fits(value, wanted.type):
            yield f"`{path}`: found {spelled(value)}. Allowed: {_WORDS[wanted.type]}."


_WORDS = {
    PropertyType.STRING: "text",
    PropertyType.BOOLEAN: "true or false",
    PropertyType.NUMBER: "a number",
    PropertyType.INTEGER: "a number",
    PropertyType.ARRAY: "a list",
    PropertyType.OBJECT: "a mapping",
}


def _as_output(value: Any) -> Any:
    """`value` with bare unknowns, which an older engine sends, as the Outputs that components expect."""
    if isinstance(value, list):
        return [_as_output(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_output(item) for key, item in value.items()}
    return pulumi.Output.from_input(value) if isinstance(value, Unknown) else value


def _fits(value: Any, wanted: PropertyType) -> bool:
    match wanted:
        case PropertyType.STRING:
            return isinstance(value, str)
        case PropertyType.BOOLEAN:
            return isinstance(value, bool)
        case PropertyType.NUMBER | PropertyType.INTEGER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case PropertyType.ARRAY:
            return isinstance(value, list)
        case PropertyType.OBJECT:
            return isinstance(value, dict)


def _refusal(message: str) -> InputPropertiesError:
    """An error that the engine prints as it is.

    Never with the paths of properties: beside a path the engine prints the value that stands there, secrets too. And
    never without the empty list: the SDK cannot send an error that has none.
    """
    return InputPropertiesError(message, [])


def _unanchored(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Relative catalog paths, if it cannot be known where they begin."""
    catalogs = inputs.get("catalogs")
    if not isinstance(catalogs, list) or project_folder() is not None:
        return
    for index, ref in enumerate(catalogs):
        if isinstance(ref, str) and is_path(ref) and not user_path(ref).is_absolute():
            yield (
                f"`catalogs[{index}]`: found the relative path {ref!r}. Relative paths begin at the folder of Pulumi.yaml, "
                f"and there is none at or above {Path.cwd()}. Give an absolute path."
            )


def _renamed(items: list[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{names[key]: value for key, value in item.items()} for item in items]
