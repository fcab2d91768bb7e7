"""The packages' schemas: what other languages are offered, and that it changes only knowingly."""

from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from typing import Any

import pytest

from .schemas import COMMAND, golden, schema_of, text_of
from .wire import AWS, AZURE, COMPONENTS, DNS, GCP, PACKAGES, PROXY, URLS, Package

each_package = pytest.mark.parametrize("package", PACKAGES, ids=str)
each_component = pytest.mark.parametrize("package", COMPONENTS, ids=str)

REFERENCES = {
    AWS: {
        "attach",
        "encryptionConfiguration.keyId",
        "endpointAssociations[].subnetId",
        "endpointAssociations[].vpcId",
        "firewallTags{}",
        "groupTags{}",
        "managedGroups[].arn",
        "policyTags{}",
        "region",
        "share.principals[]",
        "statelessGroups[].arn",
        "tags{}",
        "ipSets{}",
        "tlsInspection",
        "firewall.vpcId",
        "firewall.subnetMappings[].subnetId",
        "firewall.transitGatewayId",
        "logging[].logDestination{}",
    },
    DNS: {"tags{}", "vpcs[]"},
    URLS: {"attach", "networks[]", "project", "endpoints{}", "tags{}"},
    PROXY: {"network", "subnetwork", "tags{}"},
    GCP: {"attach", "from[]", "networks[]", "nodes[]", "parent", "project", "tags{}"},
    AZURE: {"attach", "from[]", "location", "resourceGroup", "tags{}"},
}
"""Inputs that name other resources, and may be outputs of them."""


def properties(package: Package) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every input with its path, in the component and in the types it uses."""
    schema = schema_of(package)
    resource = schema["resources"][package.token]
    kinds = {f"#/types/{token}": kind for token, kind in schema["types"].items()}

    def walk(path: str, found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield path, found
        for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
            if key in found:
                yield from walk(path + mark, found[key])
        for name, each in kinds.get(found.get("$ref", ""), {}).get("properties", {}).items():
            yield from walk(f"{path}.{name}", each)

    for name, found in resource["inputProperties"].items():
        yield from walk(name, found)


@each_package
def test_the_schema_is_the_golden_one(package: Package) -> None:
    assert text_of(package) == golden(package).read_text("utf-8"), (
        f"The schema of {package} changed. Read the difference: consumers' SDKs are generated from it, and what is gone or "
        f"narrower breaks them. Write it again: {COMMAND}"
    )


@each_component
def test_the_schema_is_the_same_whether_or_not_the_interpreter_keeps_the_indentation_of_docstrings(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 and 3.12 keep it, 3.13 and newer do not."""
    component = getattr(import_module(f"hostgate.{package.cloud}"), package.component)
    found = text_of(package)
    first, *rest = cleandoc(component.__doc__).splitlines()
    for indent in ("", "    "):
        monkeypatch.setattr(component, "__doc__", "\n".join([first, *(line and indent + line for line in rest)]))
        assert text_of(package) == found


@each_component
def test_every_input_and_output_has_a_description(package: Package) -> None:
    resource = schema_of(package)["resources"][package.token]
    stated = [*properties(package), *resource["properties"].items()]
    assert [path for path, found in stated if path[-1] not in "]}" and not found.get("description")] == []
    assert resource["description"]


@each_component
def test_inputs_are_plain_but_for_references_to_other_resources(package: Package) -> None:
    """So that a consumer's compiler refuses an output where reviewers must see a value."""
    assert {path for path, found in properties(package) if not found.get("plain")} == REFERENCES[package]


@each_component
def test_inputs_are_of_types_that_cross_the_wire_unchanged(package: Package) -> None:
    """The SDK turns integers into floats, loses the values of lists of enums, and knows no unions."""
    schema = schema_of(package)
    types = {found.get("type", "object") for _, found in properties(package)}
    assert types <= {"string", "number", "boolean", "array", "object"}
    assert not [token for token, kind in schema["types"].items() if "enum" in kind]


@each_component
def test_no_input_is_required(package: Package) -> None:
    schema = schema_of(package)
    assert (
        "requiredInputs" not in schema["resources"][package.token]
        or not (schema["resources"][package.token]["requiredInputs"])
    )


@each_component
def test_outputs_are_always_there(package: Package) -> None:
    resource = schema_of(package)["resources"][package.token]
    assert set(resource["required"]) == set(resource["properties"])


@each_package
def test_no_other_package_is_needed_to_read_the_schema(package: Package) -> None:
    """A dependency would make a YAML program load the whole schema of a cloud."""
    assert not schema_of(package).get("dependencies")
