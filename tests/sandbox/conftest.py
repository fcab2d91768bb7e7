"""Small Pulumi projects in a temporary folder, and a toy cloud that costs no SDK import."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hostgate.planning.resource_types import AutoName, ResourceType, types_by_token
from hostgate.planning.shapes import Anything, Items, Record, Text, Whole
from hostgate.sandbox.clouds import Cloud

WriteProject = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> WriteProject:
    """Write a project: the program, and other files by name (`__` in a keyword stands for a dot)."""

    def write(program: str, **files: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
        (folder / "__main__.py").write_text(PREAMBLE + textwrap.dedent(program), encoding="utf-8")
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(textwrap.dedent(text))
        return folder

    return write


@pytest.fixture
def toy() -> Cloud:
    """A cloud with one type: a box with a size and items, which gets a name and a computed label."""
    box = ResourceType(
        "toy:index:Box",
        Record(
            {
                "size": Whole(1, 10, "toy manual"),
                "name": Text(most=30),
                "items": Items(Text()),
                "nested": Anything(),
                "password": Text(most=12),
            },
            ("size",),
        ),
        computed=("label",),
        auto_name=AutoName("name"),
    )
    return Cloud("toy", types_by_token([box]))


# Each program starts with this: the toy cloud's SDK.
PREAMBLE = """
from typing import Any

import pulumi


class Box(pulumi.CustomResource):
    label: pulumi.Output[str]
    name: pulumi.Output[str]
    nested: pulumi.Output[Any]

    def __init__(self, resource_name, opts=None, **inputs):
        inputs = {"label": None, "name": None, "nested": None, **inputs}
        super().__init__("toy:index:Box", resource_name, inputs, opts)


class Toy(pulumi.ProviderResource):
    def __init__(self, resource_name, opts=None, **inputs):
        super().__init__("toy", resource_name, inputs, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, resource_name, opts=None, **inputs):
        super().__init__("demo:index:Group", resource_name, inputs, opts)

"""
