"""The packages' schemas: what other languages are offered, and that it changes only knowingly."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from hostgate.package_schema import EFFECTS, REPOSITORY, _close, _in_python, _parts
from hostgate.planning.mechanism import mechanism
from hostgate.planning.targets import rows

from .schemas import COMMAND, golden, schema_of, text_of
from .test_page import PAGE
from .wire import (
    ACLS,
    ADDRESSES,
    ALLOWLISTS,
    AWS,
    AZURE,
    COMPONENTS,
    DNS,
    GCP,
    GROUPS,
    IP_GROUPS,
    PACKAGES,
    PROXY,
    REFRESHER,
    ROOT,
    URLS,
    Package,
)

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
    DNS: {"tags{}", "profiles[]", "vpcs[]"},
    GROUPS: {"tags{}", "securityGroups[]"},
    ACLS: {"tags{}", "networkAcls[]"},
    ADDRESSES: {"attach", "from[]", "networks[]", "project", "tags{}"},
    URLS: {"attach", "networks[]", "project", "endpoints{}", "tags{}"},
    PROXY: {"network", "subnetwork", "tags{}"},
    GCP: {"attach", "from[]", "networks[]", "nodes[]", "parent", "project", "tags{}"},
    AZURE: {"attach", "from[]", "location", "resourceGroup", "tags{}"},
    IP_GROUPS: {"attach", "from[]", "location", "resourceGroup", "tags{}"},
    REFRESHER: {
        "alarmActions[]",
        "bucket",
        "bucketRegion",
        "imageUri",
        "kmsKeyArn",
        "prefixLists[].listId",
        "region",
        "securityGroupIds[]",
        "subnetIds[]",
        "tags{}",
    },
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
    """The SDK turns integers into floats and knows no unions; closed sets are of texts, which our own classes see too."""
    types = {found.get("type", "object") for _, found in properties(package)}
    assert types <= {"string", "number", "boolean", "array", "object"}
    assert {kind["type"] for kind in schema_of(package)["types"].values() if "enum" in kind} == {"string"}


@pytest.mark.parametrize("package", ALLOWLISTS, ids=str)
def test_catalogs_are_required(package: Package) -> None:
    """In Python a Selection or a plan may stand in their place; neither crosses the border."""
    assert schema_of(package)["resources"][package.token]["requiredInputs"] == ["catalogs"]


def test_a_refresher_needs_a_pool_a_place_and_a_name_for_it() -> None:
    needed = schema_of(REFRESHER)["resources"][REFRESHER.token]["requiredInputs"]
    assert needed == ["bucket", "securityGroupIds", "subnetIds", "vantage"]


def models(package: Package) -> Iterator[tuple[str, type[BaseModel]]]:
    """Types of the schema and the models that read them, the component's own options under the component's token."""
    schema = schema_of(package)

    def walk(token: str, found: dict[str, Any], model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
        yield token, model
        for name, field in model.model_fields.items():
            stated = found.get(field.alias or name, {})
            inner = stated.get("$ref") or stated.get("items", {}).get("$ref", "")
            section = next((each for each in _parts(field.annotation) if isinstance(each, type(BaseModel))), None)
            if section is not None and inner:
                token = inner.removeprefix("#/types/")
                yield from walk(token, schema["types"][token]["properties"], section)

    inputs = schema["resources"][package.token]["inputProperties"]
    for each in rows():
        if each.cloud == package.cloud and each.component.endswith(f":{package.component}"):
            yield from walk(package.token, inputs, mechanism(each.name).options)


@each_component
def test_what_the_options_require_is_required_within_an_input(package: Package) -> None:
    schema = schema_of(package)
    for token, model in models(package):
        if token != package.token:
            needed = {field.alias for field in model.model_fields.values() if field.is_required()}
            assert set(schema["types"][token].get("required") or ()) == needed, token


@each_component
def test_every_default_is_said(package: Package) -> None:
    schema = schema_of(package)
    for token, model in models(package):
        stated = schema["types"][token]["properties"] if token != package.token else None
        stated = stated or schema["resources"][package.token]["inputProperties"]
        for name, field in model.model_fields.items():
            if (field.alias or name) in stated and isinstance(field.default, bool | int | str):
                text = stated[field.alias or name]["description"]
                said = re.findall(r"unless given|the default|Default: ", text)
                assert len(said) == 1, f"{token}.{name}: {text}"


@each_package
def test_every_value_of_a_closed_set_says_what_it_does(package: Package) -> None:
    sets = {token: kind["enum"] for token, kind in schema_of(package)["types"].items() if "enum" in kind}
    assert {"Mode", "Deny", "Mechanism", "Phase", "Party", "Direction"} <= {token.rpartition(":")[2] for token in sets}
    assert [
        (token, value["value"]) for token, values in sets.items() for value in values if not value["description"]
    ] == []


def test_no_effect_is_told_of_a_value_that_nothing_takes() -> None:
    taken = {
        (token.rpartition(":")[2], value["value"])
        for package in PACKAGES
        for token, kind in schema_of(package)["types"].items()
        for value in kind.get("enum", ())
    }
    assert {(name, value) for name, values in EFFECTS.items() for value in values} - taken == set()


def test_closed_sets_of_one_name_hold_the_same_values() -> None:
    found = {"type": "string"}
    sets = {"Mode": ("mode", ("enforce", "audit"))}
    with pytest.raises(ValueError, match="the closed set Mode"):
        _close(found, "mode", ("enforce",), "hostgate-aws", sets)


@each_package
def test_texts_are_in_no_languages_words(package: Package) -> None:
    """Nothing is spelled as Python spells it, and no type ends in the Args that generators add."""
    schema = schema_of(package)
    texts = [text for text in _texts(schema) if "```" not in text]
    assert [text for text in texts if re.search(r"`[a-z]+_|_`|[a-z]=|TypedDict", text)] == []
    assert [token for token in schema["types"] if token.endswith("Args")] == []


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for key, value in found.items():
            yield from [value] if key == "description" and isinstance(value, str) else _texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from _texts(value)


@each_package
def test_a_registry_is_told_what_the_package_is(package: Package) -> None:
    schema = schema_of(package)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert package.name in schema["description"]
    assert schema["license"] == project["license"]
    assert {"category/network", "kind/component"} <= set(schema["keywords"])
    assert schema["homepage"] == schema["repository"] == REPOSITORY
    assert f"{REPOSITORY.removeprefix('https://')}/components/plugins/aws@v" in PAGE
    for language in ("nodejs", "python"):
        readme = schema["language"][language]["readme"]
        assert all(each.component in readme for each in COMPONENTS if each.name == package.name)


def test_every_package_is_a_go_module_of_its_own_whose_nested_types_are_generated() -> None:
    found = [schema_of(package)["language"]["go"] for package in PACKAGES]
    assert len({each["modulePath"] for each in found}) == len(PACKAGES)
    for each in found:
        assert each["importBasePath"].startswith(f"{each['modulePath']}/")
        assert each["generateExtraInputTypes"]


@each_component
def test_the_example_of_a_component_is_the_same_in_every_language(package: Package) -> None:
    text = schema_of(package)["resources"][package.token]["description"]
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", text, re.S))
    made = yaml.safe_load(blocks["yaml"])["resources"]["vendors"]
    assert made["type"] == f"{package.name}:{package.component}"
    inputs = schema_of(package)["resources"][package.token]["inputProperties"]
    assert "catalogs" in made["properties"]
    assert set(made["properties"]) <= set(inputs)
    [call] = [each for each in ast.walk(ast.parse(blocks["python"])) if isinstance(each, ast.Call)]
    assert {each.arg: ast.literal_eval(each.value) for each in call.keywords} == {
        _in_python(key): value for key, value in made["properties"].items()
    }
    literal = re.search(r"\{\n    catalogs.*\}", blocks["typescript"], re.S)
    assert literal is not None
    assert yaml.safe_load(literal[0]) == made["properties"]


@each_component
def test_outputs_are_always_there(package: Package) -> None:
    resource = schema_of(package)["resources"][package.token]
    assert set(resource["required"]) == set(resource["properties"])


@each_package
def test_no_other_package_is_needed_to_read_the_schema(package: Package) -> None:
    """A dependency would make a YAML program load the whole schema of a cloud."""
    assert not schema_of(package).get("dependencies")
