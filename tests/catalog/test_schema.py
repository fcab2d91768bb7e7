"""The JSON Schema is the one that the model gives; it takes the catalogs we ship and refuses bad ones."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hostgate.catalog.schema import schema, schema_text

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "catalog" / "catalog.schema.json"

Document = dict[str, Any]


def document(path: str) -> Document:
    loaded: Document = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return loaded


def errors(made: Document) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(made)]


def test_the_kept_schema_is_the_one_of_the_model() -> None:
    assert KEPT.read_text(encoding="utf-8") == schema_text(), (
        "catalog/catalog.schema.json is not what the model gives. Regenerate it and look at the difference:\n"
        "  .venv/bin/hostgate catalog schema > catalog/catalog.schema.json"
    )


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "path", [*sorted(str(each.relative_to(ROOT)) for each in ROOT.glob("catalog/*/*.yaml")), "examples/ours.yaml"]
)
def test_the_schema_takes_what_we_ship(path: str) -> None:
    assert errors(document(path)) == []


@pytest.mark.parametrize("path", ["catalog/chainguard/images.yaml", "examples/ours.yaml"])
def test_the_first_lines_point_editors_to_the_schema(path: str) -> None:
    first = (ROOT / path).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")

    assert ((ROOT / path).parent / first.partition("=")[2]).resolve() == KEPT


def set_entry(**values: object) -> Callable[[Document], None]:
    return lambda made: made["entries"][0].update(values)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made.pop("catalog"),
        lambda made: made.pop("entries"),
        lambda made: made.update(entries=[]),
        lambda made: made.update(entry=[]),
        lambda made: made.update(catalog="Acme Ours"),
        lambda made: made["entries"][0].pop("port"),
        lambda made: made["entries"][0].pop("host"),
        set_entry(host="https://acme.example"),
        set_entry(host="acme.example:443"),
        set_entry(host="acme.example/path"),
        set_entry(host="*.acme.example"),
        set_entry(host="acme .example"),
        set_entry(host="acme.example."),
        set_entry(host="localhost"),
        set_entry(host=""),
        set_entry(port=0),
        set_entry(port=65536),
        set_entry(port=True),
        set_entry(port="443"),
        set_entry(protocol="quic"),
        set_entry(match="*"),
        set_entry(phase="running"),
        set_entry(phase=[]),
        set_entry(families=["ipv5"]),
        set_entry(party="second"),
        set_entry(status="gone"),
        set_entry(spans=[{"until": "2024-01-01"}]),
        set_entry(spans=[{"since": "2024-1-1"}]),
        set_entry(colour="red"),
    ],
)  # fmt: skip
def test_the_schema_refuses_a_bad_catalog(spoil: Callable[[Document], object]) -> None:
    made = deepcopy(document("examples/ours.yaml"))
    spoil(made)

    assert errors(made) != []
