"""Golden schemas of the component packages: what SDKs in other languages are generated from.

`python -m tests.plugins.schemas` writes them again. A change that removes or narrows something breaks consumers.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from hostgate.hosting import ComponentPackage

from ..wire import COMPONENTS, PACKAGES, Package

PLUGINS = Path(__file__).resolve().parents[3] / "components" / "plugins"
COMMAND = ".venv/bin/python -m tests.plugins.schemas"


def schema_of(package: Package) -> dict[str, Any]:
    """The schema as a plugin serves it, without the version: a release is no change of the schema."""
    cloud = import_module(f"hostgate.{package.cloud}")
    components = [getattr(cloud, each.component) for each in COMPONENTS if each.name == package.name]
    schema: dict[str, Any] = json.loads(ComponentPackage(package.name, *components).schema)
    del schema["version"]
    return schema


def text_of(package: Package) -> str:
    return json.dumps(schema_of(package), indent=2, sort_keys=True) + "\n"


def golden(package: Package) -> Path:
    return PLUGINS / package.cloud / "schema.json"


def write() -> None:
    for package in PACKAGES:
        golden(package).write_text(text_of(package), "utf-8")
