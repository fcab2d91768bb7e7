"""The schema of a provider as far as its installed Python SDK tells: what Pulumi YAML reads before it runs a program.

Types are named after the SDK's classes. No code is to be made from it: enums are texts, and descriptions are left out.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hostgate.sandbox.sdk import Kind, Property, Sdk

YAML_TOKENS = "HOSTGATE_SANDBOX_YAML_TOKENS"
"""The environment variable by which a sandbox tells its providers what a program in YAML names, separated by commas."""

_SCALARS = {"text": "string", "flag": "boolean", "number": "number"}
_ANY = {"$ref": "pulumi.json#/Any"}


def schema_of(sdk: Sdk, wanted: Iterable[str] | None = None) -> dict[str, Any]:
    """The package schema: of all types and functions, or of those `wanted`, in any spelling that YAML takes."""
    schema = _Schema(sdk)
    if wanted is None:
        tokens = [*sdk.tokens(), *sdk.functions()]
    else:
        tokens = [each for token in wanted for each in dict.fromkeys((token, sdk.long(token)))]
    for token in tokens:
        schema.add(token)
    inputs = schema.properties(sdk.provider())
    return {
        "name": sdk.package,
        "version": sdk.version,
        "provider": {"type": "object", "inputProperties": inputs},
        "config": {"variables": inputs},
        "types": schema.types,
        "resources": schema.resources,
        "functions": schema.functions,
    }


class _Schema:
    """A schema as it grows: each type brings the types that it refers to."""

    def __init__(self, sdk: Sdk) -> None:
        self.sdk = sdk
        self.types: dict[str, Any] = {}
        self.resources: dict[str, Any] = {}
        self.functions: dict[str, Any] = {}

    def add(self, token: str) -> None:
        """Add the resource or the function, if there is one of this token."""
        if resource := self.sdk.resource(token):
            self.resources[token] = {
                "type": "object",
                **self._object(resource.outputs),
                "inputProperties": self.properties(resource.inputs.values()),
                "requiredInputs": _required(resource.inputs),
            }
        elif function := self.sdk.function(token):
            self.functions[token] = {
                "inputs": {"type": "object", "properties": dict.fromkeys(function.arguments, _ANY)},
                "outputs": {"type": "object", **self._object(function.outputs)},
            }

    def properties(self, listed: Iterable[Property]) -> dict[str, Any]:
        return {each.name: self._type(each.kind) for each in listed}

    def _object(self, told: Mapping[str, Property]) -> dict[str, Any]:
        own = {name: each for name, each in told.items() if name not in ("id", "urn")}
        return {"properties": self.properties(own.values()), "required": _required(own)}

    def _type(self, kind: Kind) -> dict[str, Any]:
        if kind.form == "list" and kind.of:
            return {"type": "array", "items": self._type(kind.of)}
        if kind.form == "map" and kind.of:
            return {"type": "object", "additionalProperties": self._type(kind.of)}
        if kind.form != "record":
            return {"type": _SCALARS[kind.form]} if kind.form in _SCALARS else _ANY
        module = re.sub(r"\W", "", kind.module.name) if kind.module != self.sdk.folder else "index"
        token = f"{self.sdk.package}:{module}/{kind.record}:{kind.record}"
        if token not in self.types:
            self.types[token] = {}  # it may refer to itself
            below = self.sdk.record(kind)
            self.types[token] = {
                "type": "object",
                "properties": self.properties(below.values()),
                "required": _required(below),
            }
        return {"$ref": f"#/types/{token}"}


def _required(told: Mapping[str, Property]) -> list[str]:
    return [name for name, each in told.items() if not each.optional]
